"""Cohorts: of those who bought first in a month, how many buy in the months after, and for how much."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...methods import intervals
from ...missing import answers

CURVE_UNITS = {"people": "count", "customers": "count", "share": "share", "sales_each": "currency"}
PROFIT_UNITS = {"sales": "currency", "profit": "currency", "change": "share"}
"""Of the frames, for a page."""


@answers("Who stays?")
def cohorts(purchases: ibis.Table | pd.DataFrame, *, as_of: dt.datetime, level: float = 0.95) -> pd.DataFrame:
    """Of those who bought first in a month, how many buy again in each month after?

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`: person_id, at, amount.
    as_of : datetime
        The moment that nothing known lies behind.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per month of the first order and month after it: cohort (first day of the month), offset (months, 0 is
        the first), size (people of the cohort), customers (of them who bought in that month), share (fraction) with
        Wilson interval, orders, sales (money), complete (whether the month had ended by `as_of`). Months that have not
        begun have no row. The sales of all rows are those of all purchases. ``attrs["notes"]``.
    """
    rows = as_table(purchases).select("person_id", "at", "amount")
    first = rows.at.min().over(ibis.window(group_by="person_id"))
    t = rows.mutate(cohort=first.truncate("M"), month=rows.at.truncate("M"))
    offset = (t.month.year() - t.cohort.year()) * 12 + t.month.month() - t.cohort.month()
    t = t.mutate(offset=offset.cast("int64"))
    found = (
        t.group_by("cohort", "offset")
        .aggregate(customers=t.person_id.nunique(), orders=t.count(), sales=t.amount.sum())
        .to_pandas()
    )
    frame = _grid(found, pd.Timestamp(as_of))
    ends = [intervals.wilson(k, n, level=level) for k, n in zip(frame.customers, frame["size"], strict=True)]
    frame["share"] = frame.customers / frame["size"]
    frame["share_low"], frame["share_high"] = [e.low for e in ends], [e.high for e in ends]
    frame = frame[
        ["cohort", "offset", "size", "customers", "share", "share_low", "share_high", "orders", "sales", "complete"]
    ]
    note = _("The first month of the data also holds people who had bought before the data begin.")
    frame.attrs["notes"] = [note] if len(frame) else []
    return frame


def _grid(found: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Every month of every cohort that has begun, with nothing where nobody bought."""
    columns = ["cohort", "offset", "size", "customers", "orders", "sales", "complete"]
    if found.empty:
        return pd.DataFrame(columns=columns)
    size = found[found.offset == 0].set_index("cohort").customers
    cells = [
        (cohort, k)
        for cohort in sorted(size.index)
        for k in range((as_of.year - cohort.year) * 12 + as_of.month - cohort.month + 1)
        if cohort + pd.DateOffset(months=k) < as_of
    ]
    frame = pd.DataFrame(cells, columns=["cohort", "offset"]).merge(found, how="left", on=["cohort", "offset"])
    frame[["customers", "orders"]] = frame[["customers", "orders"]].fillna(0).astype("int64")
    frame["sales"] = frame.sales.fillna(0).astype(float)
    frame["size"] = frame.cohort.map(size).astype("int64")
    ends = [c + pd.DateOffset(months=k + 1) for c, k in zip(frame.cohort, frame.offset, strict=True)]
    frame["complete"] = pd.to_datetime(pd.Series(ends, index=frame.index)) <= as_of
    return frame


@answers("How many stay, month after month?")
def curve(cohorts: pd.DataFrame, *, months: int = 12, level: float = 0.95) -> pd.DataFrame:
    """How many are there after one month, two months …, all cohorts together?

    Parameters
    ----------
    cohorts : DataFrame
        From `cohorts`; only complete cells count.
    months : int, default 12
        How far.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        offset, people (in cohorts old enough), customers, share with interval, sales_each (money, each buyer).
    """
    there = cohorts[cohorts.complete.astype(bool) & (cohorts.offset <= months)]
    sums = there.groupby("offset", as_index=False)[["size", "customers", "sales"]].sum()
    ends = [intervals.wilson(k, n, level=level) for k, n in zip(sums.customers, sums["size"], strict=True)]
    return pd.DataFrame(
        {
            "offset": sums.offset, "people": sums["size"], "customers": sums.customers,
            "share": sums.customers / sums["size"], "share_low": [e.low for e in ends],
            "share_high": [e.high for e in ends],
            "sales_each": sums.sales / sums.customers.where(sums.customers > 0),
        }
    )  # fmt: skip


@answers("What part of sales is left after the cost of goods?")
def margin(
    order_items: ibis.Table | pd.DataFrame | None, products: ibis.Table | pd.DataFrame | None, *, given: float = 0.0
) -> float:
    """What part of sales is left after the cost of the goods?

    Parameters
    ----------
    order_items, products : Table or DataFrame, optional
        product_id, quantity, amount; product_id, unit_cost.
    given : float, default 0
        Above 0: taken at its word.

    Returns
    -------
    float
        A fraction; NaN where nothing tells it.
    """
    if given > 0:
        return given
    if order_items is None or products is None or "unit_cost" not in as_table(products).columns:
        return math.nan
    lines, about = as_table(order_items), as_table(products)
    about = about.filter(about.unit_cost.notnull()).group_by("product_id").aggregate(cost=about.unit_cost.max())
    t = lines.inner_join(about, "product_id")
    sums = t.aggregate(sales=t.amount.sum(), cost=(t.cost * t.quantity).sum()).to_pandas().iloc[0]
    return math.nan if not sums["sales"] else 1 - float(sums["cost"]) / float(sums["sales"])


@answers("What would it bring if more stayed?")
def profit_if(
    cohorts: pd.DataFrame,
    *,
    margin: float,
    rng: np.random.Generator | int,
    points: float = 0.05,
    cost_per_new: float = 0.0,
    months: int = 12,
    level: float = 0.80,
    draws: int = 2000,
) -> pd.DataFrame:
    """What would a customer bring in her first year if more stayed?

    In each month after the first so many more of the cohort buy, for as much as those who buy now. The claim that five
    points more bring a quarter to twice as much profit is thereby held against the shop's own months.

    Parameters
    ----------
    cohorts : DataFrame
        From `cohorts`.
    margin : float
        Part of sales left after the cost of goods; NaN: profit is not told.
    rng : numpy.random.Generator or int
        Or its seed; cohorts are drawn with replacement for the interval.
    points : float, default 0.05
        How many more stay, as a part of the cohort, in each month: 0.05 are five percentage points.
    cost_per_new : float, default 0
        Money that a new customer costs.
    months : int, default 12
        Months looked at, the first among them; only cohorts that have completed them.
    level : float, default 0.80
        Of the interval.
    draws : int, default 2000
        How often.

    Returns
    -------
    DataFrame
        scenario (now, more stay), sales (money per customer over the months), profit, profit_low, profit_high (money),
        change (of profit, fraction; of sales where there is no margin) with interval. Empty where no cohort is old
        enough.

    References
    ----------
    Reichheld, F. F. & Sasser, W. E. (1990). Zero defections: quality comes to services. Harvard Business Review 68 (5),
    105–111 (the claim; read here as percentage points of retention).
    """
    rng = np.random.default_rng(rng)
    there = cohorts[cohorts.complete.astype(bool) & (cohorts.offset < months)]
    whole = there.groupby("cohort").offset.transform("size") == months
    wide = {
        c: there[whole].pivot_table(index="cohort", columns="offset", values=c) for c in ("customers", "sales", "size")
    }
    columns = ["scenario", "sales", "profit", "profit_low", "profit_high", "change", "change_low", "change_high"]
    if wide["size"].empty or wide["customers"].sum().eq(0).any():
        frame = pd.DataFrame(columns=columns)
        frame.attrs["notes"] = [_("Not enough data: needs a cohort that is {n} months old.").format(n=months)]
        return frame
    size, bought, sales = (wide[c].to_numpy(dtype=float) for c in ("size", "customers", "sales"))

    def sums(pick: np.ndarray) -> tuple[float, float]:
        people = size[pick].sum(axis=0)
        each = sales[pick].sum(axis=0) / np.maximum(bought[pick].sum(axis=0), 1)
        share = bought[pick].sum(axis=0) / people
        more = np.minimum(1.0, share + np.r_[0.0, np.full(months - 1, points)])
        return float((share * each).sum()), float((more * each).sum())

    now, then = sums(np.arange(len(size)))
    drawn = np.array([sums(rng.integers(0, len(size), len(size))) for _i in range(draws)])
    part = 1.0 if math.isnan(margin) else margin
    cost = 0.0 if math.isnan(margin) else cost_per_new
    profit, sample = np.array([now, then]) * part - cost, drawn * part - cost
    low, high = np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.where(sample[:, 0] > 0, sample[:, 1] / sample[:, 0] - 1, np.nan)
    ends = np.nanquantile(gain, [0.5 - level / 2, 0.5 + level / 2]) if np.isfinite(gain).any() else (np.nan, np.nan)
    change = profit[1] / profit[0] - 1 if profit[0] > 0 else math.nan
    frame = pd.DataFrame({"scenario": ["now", "more stay"], "sales": [now, then], "profit": profit, "profit_low": low,
                          "profit_high": high, "change": [math.nan, change], "change_low": [math.nan, ends[0]],
                          "change_high": [math.nan, ends[1]]})  # fmt: skip
    if math.isnan(margin):
        frame[["profit", "profit_low", "profit_high"]] = math.nan
    frame.attrs = {"points": points, "months": months}
    return frame[columns]
