"""Size of the market: how large it is, whether it grows, and what of our own growth is the market's."""

from __future__ import annotations

import math
import warnings

import ibis
import numpy as np
import pandas as pd
import statsmodels.api as sm
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import N_, _, term
from ..methods.decomposition import lmdi
from ..methods.forecasting.models import festival_days
from ..missing import Missing, answers, quietly
from . import panel

LEAST_TREND = 0.05
"""Growth a year (log) below which a category is called steady."""


@answers("How large is the market, and does it grow?")
def sizes(
    market: ibis.Table, *, by: str = "category", at_least: float = LEAST_TREND, level: float = 0.95
) -> pd.DataFrame:
    """How large is each part of the market, and is it growing or falling?

    Sizes are of twelve months, beside the twelve before. The trend is a regression of the log of each period's size on
    time, months of the year and days of the Spring Festival, with errors that remember (Newey–West).

    Parameters
    ----------
    market : Table
        Canonical `market`: day, category, size (currency), platform, seller.
    by : {"category", "platform"}
        Parts.
    at_least : float
        Log growth a year that counts: from there on a part is growing or falling.
    level : float
        Of the trend's interval.

    Returns
    -------
    DataFrame
        One row a part, the largest first, and all of them as the last (empty name): `by`, size (twelve months), growth
        (on the twelve before), cagr (first twelve months to the last, a year), trend (a year; trend_low, trend_high), p
        (that there is none), call (growing, falling, steady, unclear; empty: too few periods for a trend).
    """
    if by not in market.columns:
        return _no_column(by)
    rows = panel.panel(market, [by])
    rows = rows[rows["seller"] == ""]
    everything = rows.groupby("day", as_index=False)["size"].sum().assign(**{by: ""})
    parts = [_size(of, by, str(name), at_least, level) for name, of in rows.groupby(by)]
    frame = pd.DataFrame(parts).sort_values("size", ascending=False)
    frame = pd.concat([frame, pd.DataFrame([_size(everything, by, "", at_least, level)])], ignore_index=True)
    frame.attrs = {"by": [by], "titles": {"cagr": N_("Growth a year (CAGR)"), "p": N_("Chance alone (p)")}}
    return frame


def _no_column(column: str) -> Missing:
    return Missing(f"market.{column}", remedy=_("Give the table of the market a column {name}.").format(name=column))


def _size(rows: pd.DataFrame, by: str, name: str, at_least: float, level: float) -> dict:
    now, before = panel.years(rows)
    periods = panel.by_period(rows["day"])
    n, size = panel.a_year(periods), now["size"].sum()
    first = rows[periods < periods.min() + n]["size"].sum()
    reach = (periods.max() - periods.min()).n + 1 - n
    row = {
        by: name,
        "size": size,
        "growth": size / before["size"].sum() - 1 if before["size"].sum() > 0 else math.nan,
        "cagr": (size / first) ** (n / reach) - 1 if reach >= n and first > 0 else math.nan,
    }
    return row | _trend(pd.Series(rows["size"].to_numpy(), periods).sort_index(), at_least, level)


def _trend(series: pd.Series, at_least: float, level: float) -> dict:
    """Log growth a year by regression, and what it is called."""
    assert isinstance(series.index, pd.PeriodIndex)
    n = panel.a_year(series.index)
    nothing = {"trend": math.nan, "trend_low": math.nan, "trend_high": math.nan, "p": math.nan, "call": ""}
    if len(series) < 2 * n + 2 or len(series) < 5 or (series <= 0).any():
        return nothing
    time = (series.index.year + (series.index.month - 1) / 12).to_numpy(float)
    columns = [time - time.mean()]
    if n > 1:
        place = series.index.month if n == 12 else series.index.quarter
        columns += [(place == k).astype(float) for k in sorted(set(place))[1:]]
        columns += list(festival_days(series.index, 0).T) if len(series) >= 2 * n + 6 else []
    x = sm.add_constant(np.column_stack(columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.OLS(np.log(series.to_numpy()), x).fit(
            cov_type="HAC", cov_kwds={"maxlags": max(1, n // 3), "use_correction": True}, use_t=True
        )
    slope, error = float(fit.params[1]), float(fit.bse[1])
    half = float(stats.t.ppf(0.5 + level / 2, fit.df_resid)) * error
    low, high = slope - half, slope + half
    call = "growing" if low > at_least else "falling" if high < -at_least else "unclear"
    call = "steady" if low > -at_least and high < at_least else call
    ends = {k: math.expm1(v) for k, v in (("trend", slope), ("trend_low", low), ("trend_high", high))}
    return ends | {"p": float(fit.pvalues[1]), "call": call}


@answers("Is our growth the market's, or our own?")
def growth_split(market: ibis.Table, brands: list[str], *, by: str = "category") -> pd.DataFrame:
    """What of our growth came from the market, from where we stand in it, and from our share?

    Our sales = market × a part's weight in it × our share of that part. The change over twelve months is split exactly
    by the logarithmic mean (LMDI): the effects of all parts sum to it.

    Parameters
    ----------
    market : Table
        Canonical `market` with sellers.
    brands : list of str
        Which sellers are we, of `panel.own_brands`.
    by : {"category", "platform"}
        Parts.

    Returns
    -------
    DataFrame
        One row a part and all of them last (empty name): `by`, before, after (our sales in twelve months), market, mix,
        share (effects; they sum to after − before). A Missing where the table does not reach back two years.

    References
    ----------
    `playbook.methods.decomposition.lmdi`.
    """
    if by not in market.columns:
        return _no_column(by)
    now, before = panel.years(panel.panel(market, [by]))
    if before.empty:
        what = _("the market of two whole years")
        return Missing(what, remedy=_("Add rows of the market that reach further back."))
    size, mine = ({n: f(w) for n, w in (("before", before), ("after", now))} for f in (
        lambda w: panel.whole(w, [by]), lambda w: panel.ours(w, brands, [by])
    ))  # fmt: skip
    rows = []
    for part in sorted(set(size["before"].index) | set(size["after"].index)):
        made = {}
        for when in ("before", "after"):
            total, here = size[when].sum(), float(size[when].get(part, 0.0))
            sold = float(mine[when].get(part, 0.0))
            made[when] = {"market": total, "mix": here / total, "share": sold / here if here else 0.0}
        effects = lmdi(made["before"], made["after"])
        own = {when: float(mine[when].get(part, 0.0)) for when in made}
        rows.append({by: str(part), **own, **effects})
    frame = pd.DataFrame(rows).sort_values("after", ascending=False)
    every = frame.drop(columns=by).sum().to_dict()
    frame = pd.concat([frame, pd.DataFrame([{by: "", **every}])], ignore_index=True)
    frame.attrs = {"by": [by]}
    return frame


@answers("Where does the market offer most?")
def opportunities(sized: pd.DataFrame, market: ibis.Table, brands: list[str]) -> pd.DataFrame:
    """Where is the market large and growing while our share is small?

    Parameters
    ----------
    sized : DataFrame
        Of `sizes`.
    market : Table
        Canonical `market` with sellers.
    brands : list of str
        Which sellers are we.

    Returns
    -------
    DataFrame
        One row a part: its name, size, trend, share (ours, twelve months), gap (currency a year that we lack, if
        positive, to the share that we have of the whole market), coming (currency that the part adds in a year at its
        trend, at our share of it); the largest gap first. Both assume that size and trend stay as they are.
    """
    (by,) = sized.attrs["by"]
    now, _before = panel.years(panel.panel(market, [by]))
    size, mine = panel.whole(now, [by]), panel.ours(now, brands, [by])
    share = panel.ratio(mine.reindex(size.index).fillna(0.0), size)
    average = mine.sum() / size.sum() if size.sum() else math.nan
    rows = sized[sized[by] != ""][[by, "size", "trend"]].copy()
    rows["share"] = rows[by].map(share)
    rows["gap"] = (average - rows["share"]) * rows["size"]
    rows["coming"] = rows["size"] * rows["trend"] * rows["share"]
    rows = rows.sort_values("gap", ascending=False, ignore_index=True)
    rows.attrs = {"by": [by], "share": average}
    return rows


@answers("What follows from the market?")
def findings(
    sized: pd.DataFrame, split: pd.DataFrame | None, chances: pd.DataFrame | None, *, currency: str
) -> list[Finding]:
    """Which part of the market grows or falls, and did we grow with it or against it?

    Parameters
    ----------
    sized, split, chances : DataFrame
        Of `sizes`, `growth_split` and `opportunities`; a Missing for the last two is passed over.
    currency : str
        Of the money in the sentences.

    Returns
    -------
    list of Finding
        Stakes are a month's part of what is at stake in a year.
    """
    (by,) = sized.attrs["by"]
    share = {} if chances is None else chances.set_index(by)["share"].to_dict()
    found: list[Finding] = []
    for row in sized[(sized[by] != "") & sized["call"].isin(["growing", "falling"])].to_dict("records"):
        figures = [Figure("market_trend", row["trend"], "share", row["trend_low"], row["trend_high"], {by: row[by]})]
        words = {
            "part": term(by, row[by]),
            "trend": style.change(row["trend"], "currency"),
            "between": style.interval(row["trend_low"], row["trend_high"], "share"),
            "size": style.short(row["size"], "currency", currency=currency),
        }
        text = _("The market of {part} ({size} in twelve months) moves by {trend} a year ({between}).")
        stake = None
        if row[by] in share:
            words["share"] = style.value(share[row[by]], "share")
            stake = row["size"] * share[row[by]] * abs(row["trend"]) / 12
            text = _(
                "The market of {part} ({size} in twelve months) moves by {trend} a year ({between}); our share "
                "of it is {share}."
            )
        verdict: Verdict = "watch" if row["call"] == "falling" else "hold"
        found.append(Finding(verdict, text.format(**words), stake, tuple(figures), p=row["p"]))
    return found + ([] if split is None else [_split_finding(split, currency)])


def _split_finding(split: pd.DataFrame, currency: str) -> Finding:
    row = split.iloc[-1]
    words = {
        k: style.change_of_money(v, currency=currency)
        for k, v in (("total", row.after - row.before), *((e, row[e]) for e in ("market", "mix", "share")))
    }
    text = _(
        "In twelve months our sales moved by {total}: the market did {market} of it, where we stand in it {mix}, our "
        "share {share}."
    ).format(**words)
    figures = tuple(
        Figure("own_growth_effect", row[e], "currency", by={"effect": e}) for e in ("market", "mix", "share")
    )
    return Finding("watch" if row["share"] < 0 else "hold", text, abs(float(row["share"])) / 12, figures)


@quietly
def plot_sizes(sized: pd.DataFrame) -> Axes:
    """The trend of each part with its interval; the size of the dot is the size of the market."""
    (by,) = sized.attrs["by"]
    rows = sized[(sized[by] != "") & sized["trend"].notna()].sort_values("trend", ignore_index=True)
    ax = style.axes(height=1.4 + 0.42 * len(rows))
    colours = {"growing": style.GOOD, "falling": style.BAD}
    for y, row in rows.iterrows():
        colour = colours.get(row["call"], style.NEUTRAL)
        ax.plot([row["trend_low"], row["trend_high"]], [y, y], color=colour, linewidth=2.2)
        ax.scatter(row["trend"], y, s=60 + 340 * row["size"] / rows["size"].max(), color=colour, zorder=3)
        ax.annotate(
            style.change(row["trend"], "currency"), (row["trend_high"], y), xytext=(12, 0), textcoords="offset points",
            va="center", fontsize=9.5, color=colour,
        )  # fmt: skip
    ax.set_yticks(range(len(rows)), [term(by, v) for v in rows[by]])
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.16, y=0.14)
    style.share_axis(ax, which="x")
    ax.set_xlabel(_("growth of the market a year; the dot is as large as the market"))
    ax.set_title(_("Which part of the market grows?"))
    return ax


@quietly
def plot_growth_split(split: pd.DataFrame) -> Axes:
    """For each part, what the market, the mix and our share added to our sales or took away."""
    (by,) = split.attrs["by"]
    rows = split[split[by] != ""][::-1].reset_index(drop=True)
    names = {"market": _("market"), "mix": _("mix"), "share": _("our share")}
    ax = style.axes(height=1.5 + 0.5 * len(rows))
    up, down = np.zeros(len(rows)), np.zeros(len(rows))
    for (effect, name), colour in zip(names.items(), style.CATEGORIES, strict=False):
        x = rows[effect].to_numpy()
        ax.barh(rows.index, x, left=np.where(x >= 0, up, down), color=colour, height=0.58, label=name)
        up, down = up + np.maximum(x, 0), down + np.minimum(x, 0)
    total = rows["after"] - rows["before"]
    ax.scatter(total, rows.index, marker="D", s=42, color=style.INK, zorder=4, label=_("in all"))
    ax.set_yticks(rows.index, [term(by, v) for v in rows[by]])
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, which="x")
    ax.legend(ncol=4, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    ax.set_title(_("Our growth in twelve months: the market's, or our own?"))
    return ax


@quietly
def plot_opportunities(chances: pd.DataFrame) -> Axes:
    """Each part by its growth and our share of it; the bubble is the size of the market."""
    (by,) = chances.attrs["by"]
    rows = chances.dropna(subset=["trend", "share"])
    ax = style.axes(height=4.6)
    ax.scatter(
        rows["trend"], rows["share"], s=120 + 1800 * rows["size"] / rows["size"].max(), color=style.OWN, alpha=0.35
    )
    for row in rows.to_dict("records"):
        ax.annotate(term(by, row[by]), (row["trend"], row["share"]), ha="center", va="center", fontsize=10)
    ax.axhline(chances.attrs["share"], color=style.COMPARISON, linewidth=1.2)
    ax.annotate(_("our share of all"), (1, chances.attrs["share"]), xycoords=("axes fraction", "data"), ha="right",
                va="bottom", fontsize=9, color=style.NEUTRAL)  # fmt: skip
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.margins(x=0.15, y=0.25)
    style.share_axis(ax, which="x")
    style.share_axis(ax)
    ax.set_xlabel(_("growth of the market a year"))
    ax.set_ylabel(_("our share"))
    ax.set_title(_("Growing, and our share still small: to the lower right"))
    return ax
