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
from ..missing import answers, quietly
from ..outlook import Decision
from ..period import Period
from .ahead import following

RATES = ("view_rate", "cart_rate", "checkout_rate", "order_rate")
"""The steps of a visit, each out of those before it."""
FEW = 30
SURE = 0.05
UNITS = {"now": "share", "then": "share", "orders": "count", "cost": "currency"}
"""Of the columns that `dearest` shows."""


@answers("On which step have visits got worse?")
def lost(now: pd.DataFrame, then: pd.DataFrame, values: pd.DataFrame | None = None) -> pd.DataFrame:
    """On which step, and where, do fewer visits go on than at the time compared with, and what does it cost?

    Parameters
    ----------
    now, then : DataFrame
        ``measure(shop, steps.RATES, by=[one breakdown])`` of the period and of another one.
    values : DataFrame, optional
        Measured in total, ``aov`` among it, for the cost in currency.

    Returns
    -------
    DataFrame
        One row per place and step, those that cost most first: the breakdown, step (metric), now, then (fractions),
        orders (lost in the period at the present rates of the later steps; negative: won), cost (currency), p
        (two-sided, Holm over all rows), n, n_then, change, change_low, change_high (95 %). Groups of fewer than 30
        visits on either side are left out.

    References
    ----------
    `playbook.methods.intervals.newcombe`, `playbook.methods.multiplicity.holm`.
    """
    (by,) = now.attrs["by"]
    keep = [by, "metric", "value", "n"]
    both = now[keep].merge(then[keep], on=[by, "metric"], suffixes=("", "_then"))
    both = both.rename(columns={"metric": "step", "value": "now", "value_then": "then"})
    both = both[(both.n >= FEW) & (both.n_then >= FEW)].reset_index(drop=True)
    both["change"] = both.now - both.then
    told = [_difference(r) for r in both.itertuples()]
    both[["change_low", "change_high", "p"]] = np.array(told, dtype=float).reshape(-1, 3)
    both["p"] = holm(both.p)
    rates = now.pivot(index=by, columns="metric", values="value").reindex(columns=list(RATES))
    worth = math.nan if values is None else float(values.set_index("metric").value.get("aov", math.nan))
    later = [math.prod(rates.loc[r[by], list(RATES[RATES.index(r["step"]) + 1 :])]) for _i, r in both.iterrows()]
    both["orders"] = -both.change * both.n * np.array(later, dtype=float)
    both["cost"] = both.orders * worth
    both = both.sort_values("orders", ascending=False, kind="stable", ignore_index=True)
    both = both[
        [by, "step", "now", "then", "orders", "cost", "p", "n", "n_then", "change", "change_low", "change_high"]
    ]
    both.attrs = {"by": [by], "currency": now.attrs["currency"], "titles": now.attrs["titles"]}
    return both


@answers("On which step have visits got worse?")
def dearest(changed: pd.DataFrame, *, rows: int = 5) -> pd.DataFrame:
    """What of `lost` a page shows: the steps that cost most orders, with the rates now and then and the p-value."""
    shown = changed.head(rows)[[*changed.attrs["by"], "step", "now", "then", "orders", "cost", "p"]].copy()
    shown["step"] = [_(changed.attrs["titles"][s]) for s in shown.step]
    return shown


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
    figure = Figure(
        "step_change", top.change, "share", top.change_low, top.change_high, {by: top[by], "step": top.step}
    )
    if not sure:
        return [Finding("hold", text, None, (), p=min(1.0, float(top.p)))]
    text = _("“{step}” fell to {now} on {place}, from {then} a year ago ({change}): that costs {orders} orders.")
    text = text.format(
        step=_(changed.attrs["titles"][top.step]),
        now=style.value(top.now, "share"),
        then=style.value(top.then, "share"),
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
    back, ago = round(top.now * top.n), round(top.then * top.n_then)
    low, high = intervals.newcombe(back, top.n, ago, top.n_then, level=level)
    text = _("Find out what stops visitors at “{step}” on {place} and mend it: it used to be {then}.").format(
        step=_(changed.attrs["titles"][top.step]), place=term(by, top[by]), then=style.value(top.then, "share")
    )
    return [
        Decision(
            "mend_step", text, _("Site product manager"), period.end + dt.timedelta(days=days), top.step,
            coming.label, float(-top.change), float(low), float(high), "share", level, by={by: top[by]},
            check="controls", stake=None if math.isnan(top.cost) else float(top.cost),
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
    x, y = row.now * row.n, row.then * row.n_then
    low, high = intervals.newcombe(y, row.n_then, x, row.n)
    pooled = (x + y) / (row.n + row.n_then)
    error = math.sqrt(pooled * (1 - pooled) * (1 / row.n + 1 / row.n_then))
    return low, high, math.erfc(abs(row.change) / error / math.sqrt(2)) if error > 0 else 1.0
