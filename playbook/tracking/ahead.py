"""Ahead: what the headline figures will come to in the next period, by what they have done so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..language import _
from ..methods.forecasting import next_step
from ..missing import Missing, answers, quietly
from ..outlook import Forecast
from ..period import Period

METRICS = ("net_sales", "orders_paid", "aov", "repeat_rate")
"""What is forecast."""
LEVEL = 0.8


def step(period: Period) -> Literal["week", "month", "quarter"]:
    """The steps in which the history of a period's kind is looked at; of a year and of loose days, months."""
    return period.kind if period.kind in ("week", "quarter") else "month"


def history(period: Period, first_day: dt.date) -> Period:
    """The days from the first whole week, month or quarter of the data to the end of the period.

    Parameters
    ----------
    period : Period
        The shop's.
    first_day : date
        Of the data.

    Returns
    -------
    Period
        The period itself where the data hold no whole step before it.
    """
    start = period.start
    if period.kind == "week":
        start -= dt.timedelta(weeks=max(0, (period.start - first_day).days) // 7)
    else:
        months = 3 if period.kind == "quarter" else 1
        first = Period(start.replace(day=1), period.end)
        while (earlier := (pd.Timestamp(first.start) - pd.DateOffset(months=months)).date()) >= first_day:
            first = replace(first, start=earlier)
        start = first.start
    return Period(start, period.end)


def following(period: Period) -> Period | None:
    """The whole week, month or quarter after a period; None after loose days."""
    if period.kind == "days":
        return None
    if period.kind == "year":
        period = replace(period, start=period.start.replace(month=12), kind="month")
    return period.following


@answers("What comes next?")
def outlook(past: pd.DataFrame, period: Period) -> pd.DataFrame:
    """What will each figure come to in the next week, month or quarter, if things go on as planned?

    Parameters
    ----------
    past : DataFrame
        ``measure(shop, ahead.METRICS, by=[ahead.step(shop.period)], period=ahead.history(shop.period,
        shop.first_day))``.
    period : Period
        The shop's: a whole week, month, quarter or year.

    Returns
    -------
    DataFrame
        One row per metric: metric, unit, value (median), low, high (80 %), method, error_against_naive (mean absolute
        scaled error of the backtest; below 1 beats the naive forecast), note (what the series lacks). NaN where nothing
        can be said. ``attrs["period"]``, the label forecast. A Missing where the period is not a whole one.

    References
    ----------
    `playbook.methods.forecasting.next_step`.
    """
    coming = following(period)
    if coming is None:
        return Missing(
            _("a period that is a whole week, month, quarter or year"),
            remedy=_("Run the report for such a period: what follows loose days has no history of its own."),
        )
    (part,) = past.attrs["by"]
    rows = []
    for metric, of in past.groupby("metric", sort=False):
        series = pd.Series(of.value.to_numpy(float), pd.DatetimeIndex(of[part]))
        series = series.loc[series.first_valid_index() :] if series.notna().any() else series.iloc[:0]
        unit = of.unit.iloc[0]
        rows.append((metric, unit, *next_step(series, unit, level=LEVEL)))
    frame = pd.DataFrame(
        rows, columns=["metric", "unit", "value", "low", "high", "method", "error_against_naive", "note"]
    )
    frame.attrs = {k: past.attrs[k] for k in ("currency", "titles", "definitions", "good")}
    frame.attrs |= {"by": [], "period": coming.label, "said_period": style.period(coming)}
    return frame


@answers("What comes next?")
def forecasts(told: pd.DataFrame) -> list[Forecast | Missing]:
    """The forecasts that can be scored once the next period is over.

    Parameters
    ----------
    told : DataFrame
        What `outlook` returned.

    Returns
    -------
    list of Forecast or Missing
        A Missing, which says what it needs, for each figure of which nothing can be said.
    """
    said: list[Forecast | Missing] = []
    for r in told.itertuples():
        if np.isnan([r.value, r.low, r.high]).any():
            title = _(told.attrs["titles"][r.metric])
            what = _("a longer history of “{metric}”").format(metric=title)
            said.append(Missing(what, _("What comes next?"), r.note))
            continue
        at = told.attrs["period"]
        said.append(Forecast(r.metric, at, r.value, r.low, r.high, r.unit, LEVEL, method=r.method))
    return said


@quietly
def plot_outlook(told: pd.DataFrame, past: pd.DataFrame, *, steps: int = 30) -> Sequence[Axes]:
    """Each figure as it was, and what is expected next, with its 80 % interval."""
    import matplotlib.pyplot as plt

    (part,) = past.attrs["by"]
    fig, grid = plt.subplots(2, 2, figsize=(9, 5.4))
    for ax, row in zip(grid.flat, told.itertuples(), strict=False):
        of = past[past.metric == row.metric].tail(steps)
        ax.plot(of[part], of.value, color=style.OWN, linewidth=1.8)
        gap = of[part].iloc[-1] - of[part].iloc[-2] if len(of) > 1 else pd.Timedelta(days=30)
        at = of[part].iloc[-1] + gap
        if not np.isnan(row.value):
            off = [[row.value - row.low], [row.high - row.value]]
            known = not np.isnan(row.low)
            ax.errorbar([at], [row.value], yerr=off if known else None, fmt="o", color=style.BAD, elinewidth=3)
        top = np.nanmax([of.value.max(), row.high, row.value])
        ax.set_ylim(min(0, of.value.min()), 1.15 * top if top > 0 else 1)
        if row.unit == "currency":
            style.money_axis(ax, told.attrs["currency"])
        else:
            (style.share_axis if row.unit == "share" else style.count_axis)(ax)
        style.date_axis(ax)
        ax.set_title(_(told.attrs["titles"][row.metric]), fontsize=11.5)
    for ax in grid.flat[len(told) :]:
        ax.set_visible(False)
    fig.suptitle(_("What comes in {period}: the dot with its 80 % interval").format(period=told.attrs["said_period"]))
    return list(grid.flat)
