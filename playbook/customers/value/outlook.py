"""How many orders will those bring who are customers already?"""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...language import _
from ...missing import Missing, answers, quietly
from ...outlook import Forecast
from ...period import Period
from .histories import CELL
from .model import PurchaseModel, fit_purchases
from .validation import FEWEST, PRIOR_SD, too_few

EXISTING = {"existing": "count", "orders": "count", "expected": "count"}
"""Units of `this_period`."""

FEWEST_MONTHS = 18
"""Earlier periods that tell how far the model errs and what the season does."""


@answers("How many orders do existing customers bring?")
def existing_orders(days: ibis.Table | pd.DataFrame, period: Period, *, back: int = 24) -> pd.DataFrame:
    """How many orders do existing customers bring, and how many were expected of them?

    The model is fitted once, on what was known a year before the period ended, and then asked at the beginning of each
    period what those would buy who had bought before.

    Parameters
    ----------
    days : Table
        From `purchase_days`.
    period : Period
        The last one that is over; those before and the one to come follow from its kind.
    back : int
        Periods to go back.

    Returns
    -------
    DataFrame
        One row a period up to the one to come: period (label), start, end, existing (customers), expected (by the
        model, with the orders that a day with a purchase has), orders (NaN where it is not over), ratio (orders over
        expected). A Missing where fewer than `FEWEST` had come back.
    """
    days = as_table(days)
    periods = [period]
    for _step in range(back):
        periods.append(periods[-1].previous)
    periods = [period.following, *periods][::-1]
    first = days.aggregate(first=days.day.min()).to_pandas().iloc[0, 0]
    if pd.isna(first):
        return too_few(0)
    first = pd.Timestamp(first).date()
    periods = [p for p in periods if p.start > first + dt.timedelta(days=90)]
    if len(periods) < 2:
        return too_few(0)
    cells, orders = _at_once(days, periods)
    fit_on = cells[
        cells["start"] == pd.Timestamp(min(periods, key=lambda p: abs((p.start - period.year_ago.end).days)).start)
    ]
    came_back = float(fit_on.loc[fit_on["frequency"] > 0, "n"].sum())
    if came_back < FEWEST:
        return too_few(came_back)
    model: PurchaseModel = fit_purchases(fit_on, prior_sd=PRIOR_SD)
    share = orders["orders"].sum() / max(1.0, orders["bought"].sum())
    rows = []
    for p in periods:
        own = cells[cells["start"] == pd.Timestamp(p.start)]
        due = float((own["n"] * model.expected(p.days / 7, *(own[c] for c in CELL))).sum()) * share
        came = orders.loc[orders["start"] == pd.Timestamp(p.start), "orders"]
        over = p.end <= period.end
        n = (float(came.iloc[0]) if len(came) else 0.0) if over else math.nan
        rows.append((p.label, p.start, p.end, float(own["n"].sum()), due, n, n / due if due > 0 else math.nan))
    columns = ["period", "start", "end", "existing", "expected", "orders", "ratio"]
    return pd.DataFrame(rows, columns=columns)


def _at_once(days: ibis.Table, periods: list[Period]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Histories at the beginning of every period as cells, and what existing customers bought in it."""
    spans = ibis.memtable(pd.DataFrame({
        "start": [pd.Timestamp(p.start) for p in periods], "end": [pd.Timestamp(p.end) for p in periods],
    }))  # fmt: skip
    spans = spans.mutate(start=spans.start.date(), end=spans.end.date())
    before = days.inner_join(spans, days.day < spans.start)
    per = before.group_by("start", "person_id").aggregate(
        first_day=before.day.min(), last_day=before.day.max(), frequency=before.count() - 1
    )
    lasted = (per.start.delta(per.first_day, unit="day") - 1) / 7
    per = per.mutate(recency=(per.last_day.delta(per.first_day, unit="day") / 7).round(), T=lasted.round())
    cells = per.group_by("start", *CELL).aggregate(n=per.count()).order_by("start", *CELL).to_pandas()
    first = days.group_by("person_id").aggregate(first_day=days.day.min())
    rows = days.inner_join(first, "person_id")
    rows = rows.inner_join(spans, (rows.day >= spans.start) & (rows.day < spans.end) & (rows.first_day < spans.start))
    orders = rows.group_by("start").aggregate(orders=rows.orders.sum(), bought=rows.count()).to_pandas()
    for frame in (cells, orders):
        frame["start"] = pd.to_datetime(frame["start"])
    return cells, orders


@answers("How many orders will existing customers bring?")
def forecast(history: pd.DataFrame, *, level: float = 0.8) -> Forecast:
    """How many orders will those bring in the coming period who are customers already?

    What the model expects, times how that went in the same period a year before (the season); how much that factor
    moved from year to year gives the interval.

    Parameters
    ----------
    history : DataFrame
        From `existing_orders`.

    Returns
    -------
    Forecast
        Of the figure ``existing.orders``. A Missing where there are fewer than `FEWEST_MONTHS` earlier periods.
    """
    coming, past = history.iloc[-1], history[history["ratio"] > 0]
    a_year = {(s.year + 1, s.month, s.day): r for s, r in zip(past["start"], past["ratio"], strict=True)}
    here = (coming["start"].year, coming["start"].month, coming["start"].day)
    moved = [
        math.log(r / a_year[s.year, s.month, s.day])
        for s, r in zip(past["start"], past["ratio"], strict=True)
        if (s.year, s.month, s.day) in a_year
    ]
    if len(past) < FEWEST_MONTHS or here not in a_year or len(moved) < 5:
        return Missing(  # type: ignore[return-value]
            _("{n} earlier periods with orders of existing customers").format(n=FEWEST_MONTHS),
            remedy=_("Ask again when the data reach further back."),
        )
    drift = float(np.mean(moved[-6:])) / 2  # half of what the last half-year was above or below a year before
    centre = float(coming["expected"]) * a_year[here] * math.exp(drift)
    spread = math.hypot(float(np.sqrt(np.mean(np.square(moved)))), 1 / math.sqrt(max(centre, 1.0)))
    half = float(stats.t.ppf(0.5 + level / 2, len(moved))) * spread
    return Forecast(
        "existing.orders", str(coming["period"]), centre, centre * math.exp(-half), centre * math.exp(half), "count",
        level=level, method="bg_nbd",
    )  # fmt: skip


@answers("How many orders did existing customers bring?")
def this_period(history: pd.DataFrame, period: Period) -> pd.DataFrame:
    """How many orders did those bring in the period who were customers before it?

    Returns
    -------
    DataFrame
        One row: existing (customers), orders, expected (by the model, before the season).
    """
    own = history[history["period"] == period.label]
    return own[["existing", "orders", "expected"]].reset_index(drop=True)


@quietly
def plot_existing(history: pd.DataFrame) -> Axes:
    """Orders of existing customers by period, beside what the model expects without the season."""
    ax = style.axes(height=3.4)
    x = pd.to_datetime(history["start"])
    ax.plot(x, history["expected"], color=style.COMPARISON, label=_("expected, without the season"))
    ax.plot(x, history["orders"], color=style.OWN, label=_("what came"))
    ax.legend(loc="upper left")
    ax.set_ylim(bottom=0)
    style.count_axis(ax)
    style.date_axis(ax)
    ax.set_title(_("Orders of those who were customers before, by period"))
    return ax
