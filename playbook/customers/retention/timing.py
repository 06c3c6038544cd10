"""When people buy again: within a week or a month, on which day most likely, and when a product is used up."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd

from ...data.engine import MONEY, as_table
from ...language import _
from ...methods import intervals
from ...missing import answers

WINDOWS = (7, 30, 90)
"""Days after an order within which the next may come; the source documents name a week and a month."""
YEAR = 365
AHEAD = 14
"""Days ahead for which reminders are listed."""
LEAST = 30
"""Observed repeats of a product from which its own rhythm is taken rather than the days that a unit lasts."""

RATE_UNITS = {"n": "count", "again": "count", "rate": "share"}
DUE_UNITS = {"repeats": "count", "typical_days": "days", "due": "count", "rate": "share",
             "value": "currency"}  # fmt: skip
"""Of the frames, for a page."""


@answers("How many buy again within a week, a month?")
def repeat_rates(
    purchases: ibis.Table | pd.DataFrame,
    *,
    as_of: dt.datetime,
    windows: Sequence[int] = WINDOWS,
    days: int = YEAR,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many buy again within so many days?

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`. Orders of one day are one purchase.
    as_of : datetime
        The moment that nothing known lies behind.
    windows : sequence of int
        Days.
    days : int, default 365
        Purchases of the last so many days before those that are too young to tell.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        after (first order, any order), within_days, n (purchases old enough), again, rate (fraction) with Wilson
        interval.
    """
    gaps = _gaps(as_table(purchases))
    end = as_of.date()
    out = []
    for after, rows in (("first order", gaps.filter(gaps.nth == 0)), ("any order", gaps)):
        for w in windows:
            last = end - dt.timedelta(days=w)
            there = rows.filter((rows.day < ibis.date(last)) & (rows.day >= ibis.date(last - dt.timedelta(days=days))))
            found = there.aggregate(n=there.count(), again=(there.gap <= w).sum()).to_pandas().iloc[0].fillna(0)
            n, again = int(found["n"]), int(found["again"])
            low, high = intervals.wilson(again, n, level=level)
            out.append(
                {"after": after, "within_days": w, "n": n, "again": again, "rate": again / n if n else math.nan,
                 "rate_low": low, "rate_high": high}
            )  # fmt: skip
    return pd.DataFrame(out)


def _gaps(purchases: ibis.Table) -> ibis.Table:
    """One row per person and day of purchase: nth (0 is the first), gap (days to the next; empty at the last)."""
    days = purchases.group_by("person_id", "day").aggregate(amount=purchases.amount.sum())
    in_order = ibis.window(group_by="person_id", order_by="day")
    following = days.day.lead().over(in_order)
    return days.mutate(nth=ibis.row_number().over(in_order), gap=following.delta(days.day, unit="day"))


@answers("On which day do people buy again?")
def hazard(
    purchases: ibis.Table | pd.DataFrame, *, as_of: dt.datetime, most: int = 180, smooth: int = 7
) -> pd.DataFrame:
    """On which day after a purchase do people buy again, of those who have not yet?

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`.
    as_of : datetime
        Who has not bought again by then is counted up to then only.
    most : int, default 180
        Days.
    smooth : int, default 7
        Days over which the hazard is averaged: a week, so that weekdays do not show.

    Returns
    -------
    DataFrame
        One row per day: day (1 …), at_risk (purchases followed so far and not repeated), again (repeated on the day),
        hazard (again ÷ at_risk), smoothed (over `smooth` days around it), returned (fraction that has bought again by
        then; Kaplan–Meier) with 95 % interval (Greenwood, log–log). ``attrs``: median_days (NaN where fewer than half
        return), best_from, best_to (the week with the highest hazard).

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. JASA 53, 457–481.
    Kalbfleisch, J. D. & Prentice, R. L. (2002). The Statistical Analysis of Failure Time Data, 1.4 (the interval).
    """
    gaps = _gaps(as_table(purchases))
    open_for = ibis.date(as_of.date()).delta(gaps.day, unit="day")
    t = gaps.mutate(days=ibis.coalesce(gaps.gap, open_for), again=gaps.gap.notnull())
    counted = t.group_by("days").aggregate(n=t.count(), again=t.again.sum()).to_pandas().set_index("days").sort_index()
    total = int(counted.n.sum()) if len(counted) else 0
    day = pd.RangeIndex(1, most + 1, name="day")
    frame = counted.reindex(day, fill_value=0)
    early = counted[counted.index < 1]
    before = total - int(early.n.sum()) - frame.n.cumsum().shift(fill_value=0)
    frame["at_risk"] = before.astype("int64")
    frame["again"] = frame.again.astype("int64")
    with np.errstate(invalid="ignore", divide="ignore"):
        frame["hazard"] = np.where(frame.at_risk > 0, frame.again / frame.at_risk, np.nan)
        smoothed = frame[["again", "at_risk"]].rolling(smooth, center=True, min_periods=1).sum()
        frame["smoothed"] = np.where(smoothed.at_risk > 0, smoothed.again / smoothed.at_risk, np.nan)
        left = (1 - frame.hazard.fillna(0)).cumprod()
        frame["returned"] = np.where(frame.at_risk > 0, 1 - left, np.nan)
        variance = (frame.again / (frame.at_risk * (frame.at_risk - frame.again)).where(lambda x: x > 0)).cumsum()
        half = 1.96 * np.sqrt(variance) / np.abs(np.log(left))
        frame["returned_low"], frame["returned_high"] = 1 - left ** np.exp(-half), 1 - left ** np.exp(half)
    nothing = (frame.again.cumsum() == 0).to_numpy()
    frame.loc[nothing, ["returned_low", "returned_high"]] = np.nan
    over = frame.index[frame.returned >= 0.5]
    best = int(frame.smoothed.idxmax()) if frame.smoothed.notna().any() and frame.again.sum() else 0
    out = frame.reset_index()[
        ["day", "at_risk", "again", "hazard", "smoothed", "returned", "returned_low", "returned_high"]
    ]
    out.attrs = {
        "median_days": float(over[0]) if len(over) else math.nan,
        "best_from": max(1, best - smooth // 2), "best_to": best + smooth // 2,
    }  # fmt: skip
    return out


@answers("Whose supply of which product runs out?")
def reminders(
    purchases: ibis.Table | pd.DataFrame,
    order_items: ibis.Table | pd.DataFrame,
    products: ibis.Table | pd.DataFrame | None = None,
    *,
    as_of: dt.datetime,
    ahead: int = AHEAD,
) -> ibis.Table:
    """Whose supply of which product runs out in the coming days?

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`.
    order_items : Table or DataFrame
        order_id, product_id, amount; platform.
    products : Table or DataFrame, optional
        product_id, usage_days: for products that too few have bought twice.
    as_of : datetime
        Now.
    ahead : int, default 14
        Days.

    Returns
    -------
    Table
        One row per person and product that is due: person_id, product_id, last_on, due_on (dates), amount (money of
        her last purchase of it). It stays in the engine; `replenishment` sums it up.
    """
    bought, cycle = _by_product(as_table(purchases), as_table(order_items), products)
    last = bought.filter(bought.gap.isnull())
    t = last.inner_join(cycle, "product_id")
    t = t.mutate(due_on=t.day + t.typical_days.ceil().cast("int32").as_interval("D"))
    end = as_of.date() + dt.timedelta(days=ahead)
    due = t.filter((t.due_on >= ibis.date(as_of.date())) & (t.due_on < ibis.date(end)))
    return due.select("person_id", "product_id", last_on=due.day, due_on=due.due_on, amount=due.amount)


@answers("When is a product used up, and who is due?")
def replenishment(
    purchases: ibis.Table | pd.DataFrame,
    order_items: ibis.Table | pd.DataFrame,
    products: ibis.Table | pd.DataFrame | None = None,
    *,
    as_of: dt.datetime,
    ahead: int = AHEAD,
) -> pd.DataFrame:
    """After how many days is each product bought again, and how many people are due?

    Parameters
    ----------
    purchases, order_items, products, as_of, ahead
        As in `reminders`.

    Returns
    -------
    DataFrame
        One row per product, most due first: product_id, product (name, where known), repeats (observed), typical_days
        (median of those that came; the days that a unit lasts where there are fewer than `LEAST`), typical_days_low,
        typical_days_high (quartiles), basis (observed, usage), due (people whose date lies in the next
        `ahead` days), rate (of buyers old enough, who bought it again within twice the typical days) with Wilson
        interval, value (money: due × rate × amount of their last purchase).
    """
    items = as_table(order_items)
    bought, cycle = _by_product(as_table(purchases), items, products)
    t = bought.inner_join(cycle, "product_id")
    old = t.day.delta(ibis.date(as_of.date()), unit="day") * -1 >= 2 * t.typical_days
    tried = t.group_by("product_id").aggregate(
        tried=old.sum(), again=(old & t.gap.notnull() & (t.gap <= 2 * t.typical_days)).sum()
    )
    due = reminders(purchases, items, products, as_of=as_of, ahead=ahead)
    due = due.group_by("product_id").aggregate(due=due.count(), worth=due.amount.sum())
    found = cycle.left_join(tried, "product_id").drop("product_id_right").left_join(due, "product_id")
    frame = found.drop("product_id_right").to_pandas()
    frame[["due", "worth", "tried", "again"]] = frame[["due", "worth", "tried", "again"]].astype(float).fillna(0)
    ends = [intervals.wilson(k, n) for k, n in zip(frame.again, frame.tried, strict=True)]
    frame["rate"] = frame.again / frame.tried.where(frame.tried > 0)
    frame["rate_low"], frame["rate_high"] = [e.low for e in ends], [e.high for e in ends]
    frame["value"] = frame.worth * frame.rate
    frame["due"] = frame.due.astype("int64")
    columns = ["product_id", "product", "repeats", "typical_days", "typical_days_low", "typical_days_high", "basis",
               "due", "rate", "rate_low", "rate_high", "value"]  # fmt: skip
    frame = frame.sort_values(["due", "product_id"], ascending=[False, True], ignore_index=True)
    frame.attrs = {"ahead": ahead}
    if frame.empty:
        frame.attrs["notes"] = [_("Nobody has bought a product twice, and nothing tells how long one lasts.")]
    return frame[columns]


def _by_product(purchases: ibis.Table, items: ibis.Table, products) -> tuple[ibis.Table, ibis.Table]:
    """Purchases of a product by day with the days to the next (gap); and the rhythm of each product."""
    same = ["order_id", *(["platform"] if "platform" in items.columns else [])]
    paid = items.filter(items.amount > 0).select(*same, "product_id", worth=items.amount.cast(MONEY))
    t = paid.inner_join(purchases.select("person_id", "order_id", "platform", "day"), same)
    days = t.group_by("person_id", "product_id", "day").aggregate(amount=t.worth.sum())
    in_order = ibis.window(group_by=["person_id", "product_id"], order_by="day")
    bought = days.mutate(gap=days.day.lead().over(in_order).delta(days.day, unit="day"))
    gap = bought.gap.cast("float64")
    cycle = bought.group_by("product_id").aggregate(
        repeats=bought.gap.count(), q1=gap.quantile(0.25), q2=gap.quantile(0.5), q3=gap.quantile(0.75)
    )
    lasts, name = ibis.null("float64"), ibis.null("string")
    if products is not None:
        about = as_table(products)
        told = {c: about[c].max() for c in ("usage_days", "name") if c in about.columns}
        if told:
            cycle = cycle.left_join(about.group_by("product_id").aggregate(**told), "product_id")
            cycle = cycle.drop("product_id_right")
            lasts = cycle.usage_days.cast("float64") if "usage_days" in told else lasts
            name = cycle.name if "name" in told else name
    own = cycle.repeats >= LEAST
    cycle = cycle.select(
        "product_id", "repeats", product=name, typical_days=ibis.ifelse(own, cycle.q2, lasts),
        typical_days_low=ibis.ifelse(own, cycle.q1, ibis.null("float64")),
        typical_days_high=ibis.ifelse(own, cycle.q3, ibis.null("float64")),
        basis=ibis.ifelse(own, "observed", "usage"),
    )  # fmt: skip
    return bought, cycle.filter(cycle.typical_days.notnull())
