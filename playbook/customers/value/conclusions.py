"""What follows from what customers are worth."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import Missing, answers
from ...outlook import Decision
from ...period import Period
from .validation import holds


@answers("Can the model be built on?")
def of_model(wrong: pd.DataFrame, valued: pd.DataFrame | None = None, *, currency: str = "CNY") -> list[Finding]:
    """Can the model be built on, and what does it say a customer is worth?

    Parameters
    ----------
    wrong : DataFrame
        From `errors`.
    valued : DataFrame, optional
        From `worth`, of all customers together.
    """
    model, baseline = wrong.loc["model"], wrong.loc["baseline"]
    said = {
        "purchases": style.value(round(model["purchases"]), "count"),
        "actual": style.value(model["actual"], "count"),
        "off": style.change(model["off"], "currency"),
        "times": style.value(model["error"] / baseline["error"] if baseline["error"] else math.nan, "ratio"),
    }
    text = _(
        "Of {actual} purchases that came in the weeks it did not see, the model expected {purchases} ({off}); its "
        "error a customer is {times} times that of carrying each one's own rate on."
    )
    good = holds(wrong)
    if not good:
        text = _(
            "The model expected {purchases} purchases where {actual} came ({off}), with {times} times the error of "
            "carrying each one's own rate on: trust the cohort curve instead."
        )
    figures = (Figure("model.off", model["off"], "share"), Figure("model.error", model["error"], "per_order"))
    found = [Finding("hold" if good else "watch", text.format(**said), None, figures)]
    if good and valued is not None and not math.isnan(valued["worth"].iloc[0]):
        row = valued.iloc[0]
        text = _(
            "A customer has brought a margin of {to_date} so far, and {coming} are still to come in the next {weeks} "
            "weeks ({interval})."
        )
        words = text.format(
            to_date=style.value(row["to_date"], "currency", currency=currency),
            coming=style.value(row["coming"], "currency", currency=currency),
            weeks=valued.attrs["weeks"],
            interval=style.interval(row["coming_low"], row["coming_high"], "currency", currency=currency),
        )  # fmt: skip
        figure = Figure("customer.coming", row["coming"], "currency", row["coming_low"], row["coming_high"])
        found.append(Finding("hold", words, row["coming"] * row["customers"], (figure,)))
    return found


@answers("Which channels buy customers too dearly?")
def of_channels(returned: pd.DataFrame, *, least_ratio: float = 2.0, currency: str = "CNY") -> list[Finding]:
    """Which channels buy customers too dearly, and which could take more?

    Parameters
    ----------
    returned : DataFrame
        From `return_on_customers`.
    least_ratio : float
        Worth over cost below which a customer is too dear.
    """
    known = returned.dropna(subset="clv_cac")
    if known.empty:
        return [Finding("hold", _("What a customer costs is not known, so nothing is too dear."))]
    found = []
    for row in known[known["clv_cac"] < least_ratio].to_dict("records"):
        text = _(
            "A new customer from {channel} costs {cac} and is worth {worth}: {ratio} for each unit of money spent, "
            "below the {least} that is asked."
        )
        said = text.format(
            channel=term("channel", row["channel"]), cac=style.value(row["cac"], "currency", currency=currency),
            worth=style.value(row["worth"], "currency", currency=currency), ratio=style.value(row["clv_cac"], "ratio"),
            least=style.value(least_ratio, "ratio"),
        )  # fmt: skip
        by = {"channel": str(row["channel"])}
        figure = Figure("clv_cac", row["clv_cac"], "ratio", row["clv_cac_low"], row["clv_cac_high"], by)
        sure = row["clv_cac_high"] < least_ratio
        over = row["spend"] * (1 - row["clv_cac"] / least_ratio)
        found.append(Finding("act" if sure else "watch", said, over, (figure,)))
    best = known.loc[known["clv_cac"].idxmax()]
    if best["clv_cac_low"] > least_ratio:
        text = _(
            "{channel} wins customers at the best ratio: each unit of money spent brings {ratio} of worth ({interval})."
        )
        said = text.format(
            channel=term("channel", best["channel"]), ratio=style.value(best["clv_cac"], "ratio"),
            interval=style.interval(best["clv_cac_low"], best["clv_cac_high"], "ratio"),
        )  # fmt: skip
        figure = Figure("clv_cac", best["clv_cac"], "ratio", by={"channel": str(best["channel"])})
        found.append(Finding("hold", said, float(best["spend"]), (figure,)))
    return found


@answers("What may a customer cost?")
def caps(
    returned: pd.DataFrame, as_of: dt.datetime, period: Period, *, since: dt.date, least_ratio: float = 2.0,
    currency: str = "CNY", level: float = 0.8,
) -> list[Decision]:  # fmt: skip
    """What may a customer cost, where she costs too much: a cap, and what it takes off the channel's spending.

    Parameters
    ----------
    returned : DataFrame
        From `return_on_customers`, over the days from `since` to `as_of`.
    period : Period
        The coming one, over which the effect is counted.
    """
    out = []
    share = period.days / max(1, (as_of.date() - since).days)
    dear = returned[(returned["clv_cac_high"] < least_ratio)]
    for row in dear.to_dict("records"):
        spend = row["spend"] * share
        log = np.log([row["clv_cac_low"], row["clv_cac_high"]])
        narrower = stats.norm.ppf(0.5 + level / 2) / stats.norm.ppf(0.975)
        half = float(log[1] - log[0]) / 2 * narrower
        effect, low, high = (
            spend * (row["clv_cac"] * math.exp(z) / least_ratio - 1) for z in (0.0, -half, half)
        )  # fmt: skip
        text = _(
            "Let a new customer from {channel} cost {cap} at most, and lower its budget until she does: she costs "
            "{cac} and is worth {worth}."
        ).format(
            channel=term("channel", row["channel"]),
            cap=style.value(row["worth"] / least_ratio, "currency", currency=currency),
            cac=style.value(row["cac"], "currency", currency=currency),
            worth=style.value(row["worth"], "currency", currency=currency),
        )
        out.append(
            Decision(
                "cap_cac", text, _("Media buying"), as_of.date() + dt.timedelta(days=14), "ad_spend",
                period.label, effect,
                low, high, "currency", level=level, by={"channel": str(row["channel"])}, check="forecast",
            )
        )  # fmt: skip
    return out


@answers("How sure is the model?")
def parameters(ahead: object) -> pd.DataFrame | Missing:
    """Which numbers do the models rest on, and how sure are they?

    Returns
    -------
    DataFrame
        metric (r, alpha, a, b of BG/NBD; p, q, v of gamma-gamma), unit, value, low, high (95 %, from the curvature at
        the maximum).
    """
    rows = []
    for name in ("purchases", "spend"):
        model = getattr(ahead, name)
        half = 1.96 * np.sqrt(np.diag(model.covariance))
        for (parameter, value), h in zip(model.parameters().items(), half, strict=True):
            rows.append(
                (
                    parameter,
                    "currency" if parameter == "v" else "ratio",
                    value,
                    value * math.exp(-h),
                    value * math.exp(h),
                )
            )
    frame = pd.DataFrame(rows, columns=["metric", "unit", "value", "low", "high"])
    frame.attrs = {"by": [], "titles": {name: name for name in frame["metric"]}}
    return frame
