"""Steps: how far visits go, on which device and from which source, and on which step the shop has lost ground."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding
from ..language import _, humanise, term
from ..methods import intervals
from ..methods.multiplicity import holm
from ..missing import Missing, answers, quietly
from ..outlook import Decision
from ..period import Period
from .ahead import following

RATES = ("view_rate", "cart_rate", "checkout_rate", "order_rate")
"""The steps of a visit, each out of those before it."""
FEW = 30
SURE = 0.05


@answers("On which step have visits got worse?")
def lost(now: pd.DataFrame, then: pd.DataFrame, values: pd.DataFrame | None = None) -> pd.DataFrame:
    """On which step, and where, do fewer visits go on than at the time compared with, and what does it cost?

    Parameters
    ----------
    now, then : DataFrame
        ``measure(shop, steps.RATES, by=[one breakdown])`` of the period and of another one.
    values : DataFrame, optional
        ``measure(shop, ["aov"])`` of the period, for the cost in currency.

    Returns
    -------
    DataFrame
        One row per place and step, those that cost most first: the breakdown, metric, unit, value, n, previous,
        n_previous, change, low, high (95 % of the change), p (two-sided, Holm over all rows), orders (lost in the
        period at the present rates of the later steps; negative: won), cost (currency). Groups of fewer than 30 visits
        on either side are left out.

    References
    ----------
    `playbook.methods.intervals.newcombe`, `playbook.methods.multiplicity.holm`.
    """
    (by,) = now.attrs["by"]
    keep = [by, "metric", "value", "n"]
    both = now[[*keep, "unit"]].merge(then[keep], on=[by, "metric"], suffixes=("", "_previous"))
    both = both.rename(columns={"value_previous": "previous"})
    both = both[(both.n >= FEW) & (both.n_previous >= FEW)].reset_index(drop=True)
    both["change"] = both.value - both.previous
    told = [_difference(r) for r in both.itertuples()]
    both[["low", "high", "p"]] = np.array(told, dtype=float).reshape(-1, 3)
    both["p"] = holm(both.p)
    rates = now.pivot(index=by, columns="metric", values="value").reindex(columns=list(RATES))
    worth = float(values.value.iloc[0]) if values is not None and not isinstance(values, Missing) else math.nan
    later = [math.prod(rates.loc[r[by], list(RATES[RATES.index(r["metric"]) + 1 :])]) for _i, r in both.iterrows()]
    both["orders"] = -both.change * both.n * np.array(later, dtype=float)
    both["cost"] = both.orders * worth
    both = both.sort_values("orders", ascending=False, kind="stable", ignore_index=True)
    both.attrs = {"by": [by], "currency": now.attrs["currency"], "titles": now.attrs["titles"]}
    both.attrs["units"] = {"orders": "count", "cost": "currency"}
    return both


@answers("On which step have visits got worse?")
def findings(changed: pd.DataFrame) -> list[Finding]:
    """Which step lost the most orders against the time compared with?

    Parameters
    ----------
    changed : DataFrame
        What `lost` returned.

    Returns
    -------
    list of Finding
        One sentence, "act" where the loss is sure; its p and its stake.
    """
    if changed.empty:
        return []
    (by,) = changed.attrs["by"]
    top = changed.iloc[0]
    sure = top.p < SURE and top.change < 0
    text = _("No step of a visit got surely worse than a year ago on any {part}.").format(
        part=humanise(by, inside=True)
    )
    figure = Figure("step_change", top.change, "share", top.low, top.high, {by: top[by], "step": top.metric})
    if not sure:
        return [Finding("hold", text, None, (), p=min(1.0, float(top.p)))]
    text = _("“{step}” fell to {now} on {place}, from {then} a year ago ({change}): that costs {orders} orders.")
    text = text.format(
        step=_(changed.attrs["titles"][top.metric]),
        now=style.value(top.value, "share"),
        then=style.value(top.previous, "share"),
        change=style.change(top.change, "share"),
        place=term(by, top[by]),
        orders=style.value(round(top.orders), "count"),
    )
    stake = None if math.isnan(top.cost) else float(top.cost)
    return [Finding("act", text, stake, (figure,), p=float(top.p))]


@answers("What should be mended on the way to the order?")
def decisions(changed: pd.DataFrame, period: Period, *, days: int = 14, level: float = 0.8) -> list[Decision]:
    """Mend the step that surely lost the most orders; none where no step surely did.

    The effect is the rate of a year ago come back, no more; its interval is that of the difference.

    Parameters
    ----------
    changed : DataFrame
        What `lost` returned.
    period : Period
        The shop's; the effect is counted over the next one.
    days : int, default 14
        Until it is to be done.
    level : float, default 0.8
        Of the interval.
    """
    coming = following(period)
    if changed.empty or coming is None:
        return []
    (by,) = changed.attrs["by"]
    top = changed.iloc[0]
    if not (top.p < SURE and top.change < 0):
        return []
    back, ago = round(top.value * top.n), round(top.previous * top.n_previous)
    low, high = intervals.newcombe(back, top.n, ago, top.n_previous, level=level)
    text = _("Find out what stops visitors at “{step}” on {place} and mend it: it used to be {then}.").format(
        step=_(changed.attrs["titles"][top.metric]), place=term(by, top[by]), then=style.value(top.previous, "share")
    )
    return [
        Decision(
            "mend_step", text, _("Site product manager"), period.end + dt.timedelta(days=days), top.metric, coming.label,
            float(-top.change), float(low), float(high), "share", level, by={by: top[by]}, check="controls",
            stake=None if math.isnan(top.cost) else float(top.cost),
        )
    ]  # fmt: skip


@quietly
def plot_steps(measured: pd.DataFrame) -> Axes:
    """Each step's rate with its interval, one colour a device or source."""
    (by,) = measured.attrs["by"]
    told = measured[measured.metric.isin(RATES)]
    groups = told[told.metric == RATES[0]].nlargest(len(style.CATEGORIES) - 1, "n")[by].tolist()
    ax = style.axes(height=4.4)
    for i, (group, colour) in enumerate(zip(groups, style.CATEGORIES, strict=False)):
        rows = told[told[by] == group].set_index("metric").reindex(RATES)
        x = np.arange(len(RATES)) + 0.12 * (i - (len(groups) - 1) / 2)
        off = np.maximum(np.vstack([rows.value - rows.low, rows.high - rows.value]), 0)
        ax.errorbar(x, rows.value, yerr=off, fmt="o", color=colour, elinewidth=2, label=term(by, group))
    ax.set_xticks(range(len(RATES)), [_(measured.attrs["titles"][m]) for m in RATES])
    ax.set_ylim(0, 1)
    style.share_axis(ax)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4)
    title = _("How many go on at each step, by {part}, with 95 % intervals")
    ax.set_title(title.format(part=humanise(by, inside=True)))
    return ax


def _difference(row) -> tuple[float, float, float]:
    """Newcombe's interval of the change, and the p-value of the pooled test of two shares."""
    x, y = row.value * row.n, row.previous * row.n_previous
    low, high = intervals.newcombe(y, row.n_previous, x, row.n)
    pooled = (x + y) / (row.n + row.n_previous)
    error = math.sqrt(pooled * (1 - pooled) * (1 / row.n + 1 / row.n_previous))
    return low, high, math.erfc(abs(row.change) / error / math.sqrt(2)) if error > 0 else 1.0
