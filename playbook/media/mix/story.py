"""What the media mix model says: returns beside the platforms' claims, contributions, curves, and what follows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import answers, quietly
from .check import Check
from .design import Priors
from .posterior import Posterior

LEVEL = 0.9
RETURNS = {
    "spend": "currency", "roas": "ratio", "claimed_roas": "ratio", "over_claim": "ratio", "half_life": "days",
    "saturation": "share",
}  # fmt: skip
PRIORS = {"median": "ratio"}
LIFTS = {"held": "share", "lift": "share"}
PLAIN = 1.25
"""Times that a platform must claim what its channel brought before it is said to over-claim."""
LATELY_WEEKS = 13


@answers("What does each channel bring?")
def returns(posterior: Posterior, worth: Mapping[str, float] | None = None) -> pd.DataFrame:
    """What did each channel bring over all the weeks, beside what its platform claims?

    Parameters
    ----------
    posterior : Posterior
    worth : mapping, optional
        Channel → what a unit of its sales leaves; without it marginal ROI is not known.

    Returns
    -------
    DataFrame
        channel, spend, sales (that it brought, money), roas, claimed_roas, over_claim (claimed over brought),
        marginal_roi (what one more unit of money a week leaves, less itself, at the spending of the last quarter),
        half_life (days), saturation (part of its ceiling that is reached at that spending), each with _low and _high
        (90 %). By spending.
    """
    design, t = posterior.design, posterior.terms
    spend = design.spend.sum(axis=0)
    claimed = design.weeks.claimed[posterior.channels].to_numpy(dtype=float).sum(axis=0)
    now = design.spend[-LATELY_WEEKS:].mean(axis=0)
    brought = t["added"].sum(axis=1)
    left = np.array([np.nan if worth is None else worth.get(c, np.nan) for c in posterior.channels])
    curves = posterior.curves
    drawn = {
        "sales": brought,
        "roas": brought / spend,
        "over_claim": np.where(claimed > 0, claimed / brought, np.nan),
        "marginal_roi": curves.marginal(now) * left - 1,
        "half_life": posterior.half_lives,
        "saturation": np.tanh(now / (2 * curves.half)),
    }
    rows = []
    for i, channel in enumerate(posterior.channels):
        row = {"channel": channel, "spend": spend[i]}
        for name in ("sales", "roas", "claimed_roas", "over_claim", "marginal_roi", "half_life", "saturation"):
            if name == "claimed_roas":
                row[name] = claimed[i] / spend[i] if claimed[i] > 0 else np.nan
                continue
            low, middle, high = np.quantile(drawn[name][:, i], [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2])
            row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    out = pd.DataFrame(rows).sort_values("spend", ascending=False, kind="stable", ignore_index=True)
    out.attrs["notes"] = list(design.weeks.notes)
    return out


def stated(priors: Priors | None = None) -> pd.DataFrame:
    """What is believed before the data speak: of each unknown its meaning, and between what it lies in four of five.

    Returns
    -------
    DataFrame
        unknown (code), median, median_low, median_high (80 %).
    """
    p, ends = priors or Priors(), (-1.2816, 0.0, 1.2816)
    odds = np.log(p.carry[0] / (1 - p.carry[0]))
    told = {
        "next_unit": [p.next_unit[0] * np.exp(z * np.hypot(p.next_unit[1], p.alike[0])) for z in ends],
        "over_claim": [p.over_claim[0] * np.exp(z * np.hypot(p.over_claim[1], p.claims_alike[0])) for z in ends],
        "carried_over": [1 / (1 + np.exp(-odds - z * p.carry[1])) for z in ends],
        "saturation": [np.tanh(p.steep[0] * np.exp(z * p.steep[1]) / 2) for z in ends],
    }
    rows = [(name, middle, low, high) for name, (low, middle, high) in told.items()]
    return pd.DataFrame(rows, columns=["unknown", "median", "median_low", "median_high"])


@answers("What does each channel bring?")
def brief(of: pd.DataFrame) -> pd.DataFrame:
    """The columns of `returns` that a page shows, those of `RETURNS`."""
    wanted = ["channel", *(f"{c}{end}" for c in RETURNS for end in ("", "_low", "_high"))]
    return of[[c for c in wanted if c in of]]


@answers("What did tests in some regions show?")
def lifts(posterior: Posterior) -> pd.DataFrame:
    """What did the regions lose that were held off a channel, and what does the model, which has seen it, expect?

    Returns
    -------
    DataFrame
        channel, begins, weeks, regions, held (their part of sales), lift (relative to the other regions, with its 90 %
        interval); none where no test is found.
    """
    design = posterior.design
    rows = [
        {
            "channel": t["channel"], "begins": design.weeks.sales.index[t["first"]], "weeks": t["k"],
            "regions": t["regions"], "held": t["held"], "lift": np.expm1(t["lift"]),
            "lift_low": np.expm1(t["lift"] - 1.645 * t["error"]),
            "lift_high": np.expm1(t["lift"] + 1.645 * t["error"]),
        }
        for t in design.tests
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=["channel", "begins", "weeks", "regions", "held", "lift", "lift_low", "lift_high"])
    if out.empty:
        out.attrs["notes"] = [_("No test that held a channel off some regions is told by the data.")]
    return out


@answers("Where do sales come from?")
def contributions(posterior: Posterior) -> pd.DataFrame:
    """What part of each week's sales came from which channel, and what would have come without advertising?

    Returns
    -------
    DataFrame
        week; base; one column a channel: medians of the draws, money.
    """
    t, design = posterior.terms, posterior.design
    base = np.median(t["base"] * t["boost"], axis=0) * design.mean
    added = np.median(t["added"], axis=0)
    out = pd.DataFrame(added, columns=posterior.channels, index=design.weeks.sales.index)
    out.insert(0, "base", base)
    return out.rename_axis("week").reset_index()


@answers("What does the model conclude?")
def findings(of: pd.DataFrame, checked: Check, *, currency: str = "CNY") -> list[Finding]:
    """Which platform claims more than its channel brought, and may a budget rest on the model?

    Parameters
    ----------
    of : DataFrame
        Of `returns`.
    checked : Check
    """
    out = []
    if checked.verdict == "FAIL":
        text = _("The media mix model failed its check, so no budget rests on it. {reasons}")
        out.append(Finding("watch", text.format(reasons=" ".join(checked.reasons))))
    elif checked.verdict == "REVIEW":
        text = _("The media mix model is to be used with care. {reasons}")
        out.append(Finding("hold", text.format(reasons=" ".join(checked.reasons))))
    if checked.verdict != "FAIL":
        for row in of[of["over_claim_low"] > PLAIN].to_dict("records"):
            text = _(
                "{channel}: the platform claims {claimed} of sales for each unit of money spent, and the weeks show "
                "{roas} (90 %: {interval})."
            )
            said = text.format(
                channel=term("channel", row["channel"]), claimed=style.value(row["claimed_roas"], "ratio"),
                roas=style.value(row["roas"], "ratio"),
                interval=style.interval(row["roas_low"], row["roas_high"], "ratio"),
            )  # fmt: skip
            figure = Figure(
                "over_claim", row["over_claim"], "ratio", row["over_claim_low"], row["over_claim_high"],
                {"channel": row["channel"]},
            )  # fmt: skip
            out.append(Finding("watch", said, row["claimed_roas"] * row["spend"] - row["sales"], (figure,)))
    return out


@quietly
def plot_returns(of: pd.DataFrame) -> Axes | None:
    """What a unit of money brought, with its interval, beside what the platform claims."""
    rows = of.sort_values("roas", kind="stable")
    if rows.empty:
        return None
    ax = style.axes(height=1.4 + 0.42 * len(rows))
    place = np.arange(len(rows))
    spread = np.array([rows["roas"] - rows["roas_low"], rows["roas_high"] - rows["roas"]])
    ax.errorbar(
        rows["roas"], place, xerr=spread, fmt="o", color=style.OWN, elinewidth=2.2, markersize=7, label=_("brought")
    )
    ax.plot(rows["claimed_roas"], place, "D", color=style.BAD, markersize=6, label=_("claimed by the platform"))
    ax.set_yticks(place, [term("channel", c) for c in rows["channel"]])
    ax.set_xlim(left=0)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.legend(loc="lower right")
    ax.set_xlabel(_("Sales for a unit of money spent"))
    ax.set_title(_("What each channel brought (90 % interval), and what its platform claims"))
    return ax


@quietly
def plot_contributions(of: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """Sales of each week: what came without advertising, and what each channel added."""
    ax = style.axes(height=4.4)
    channels = [c for c in of.columns if c not in ("week", "base")]
    largest = of[channels].sum().sort_values(ascending=False, kind="stable").index
    few, rest = list(largest[:6]), list(largest[6:])
    layers = [of["base"], *(of[c] for c in few), *([of[rest].sum(axis=1)] if rest else [])]
    names = [_("without advertising"), *(term("channel", c) for c in few), *([_("other channels")] if rest else [])]
    colours = ["#D5DAE0", *style.CATEGORIES[: len(few)], style.NEUTRAL][: len(layers)]
    ax.stackplot(of["week"], layers, colors=colours, labels=names, linewidth=0)
    style.date_axis(ax)
    style.money_axis(ax, currency)
    ax.legend(ncols=4, loc="upper left", bbox_to_anchor=(0, -0.12), handlelength=1)
    ax.set_title(_("Sales a week, by what brought them"))
    return ax


@quietly
def plot_curves(posterior: Posterior, *, currency: str = "CNY") -> Axes:
    """Sales of a week by a channel's spending of a week, with bands; the point is the spending of the last quarter."""
    import matplotlib.pyplot as plt

    curves, design = posterior.curves, posterior.design
    n, wide = len(posterior.channels), min(3, len(posterior.channels))
    tall = -(-n // wide)
    figure, grid = plt.subplots(tall, wide, figsize=(9, 0.7 + 2.5 * tall), squeeze=False)
    now = design.spend[-LATELY_WEEKS:].mean(axis=0)
    for i, ax in enumerate(grid.flat):
        if i >= n:
            ax.set_visible(False)
            continue
        money = np.linspace(0, max(design.spend[:, i].max(), now[i]), 60)
        drawn = curves.only([posterior.channels[i]]).sales(money[:, None])[:, :, 0]
        low, middle, high = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0)
        ax.fill_between(money, low, high, color=style.OWN, alpha=0.18, linewidth=0)
        ax.plot(money, middle, color=style.OWN)
        ax.plot([now[i]], [np.interp(now[i], money, middle)], "o", color=style.BAD, markersize=6)
        ax.set_title(term("channel", posterior.channels[i]), fontsize=11, pad=8)
        ax.tick_params(labelsize=8.5)
        ax.locator_params(nbins=4)
        style.money_axis(ax, currency)
        style.money_axis(ax, currency, which="x")
    figure.suptitle(
        _("Sales a week by spending a week (90 % band); the point is the last quarter"), x=0.01, ha="left",
        fontsize=13, fontweight="bold",
    )  # fmt: skip
    return grid.flat[0]
