"""Churn: who is still active, who has been away for how long, and who moved between."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import pandas as pd

from ..data.engine import MONEY, as_table
from ..language import _
from ..methods import intervals
from ..missing import answers
from ..period import Period

Clock = Literal["last_order", "last_activity"]

BANDS = (30, 90)
"""Days away up to which it is short, then mid; longer is long."""
ACTIVE_DAYS = 7
"""Who bought (or, where activity is known, did anything) within so many days is active."""
VALUES = (0.8, 0.5)
"""Ranks by what they have spent, above which people are of high, then of middle value."""

WINDOWS = ("active", "short", "mid", "long")
LEVELS = ("high", "middle", "low")

UNITS = {"customers": "count", "share": "share", "sales_year": "currency", "median_days": "days", "rate": "share"}
"""Of the frames, for a page."""


@answers("When was each customer last seen?")
def activity(*tables: ibis.Table | None) -> ibis.Table | None:
    """When did each person do anything? From tables of persons with a time, such as events and opened messages.

    Parameters
    ----------
    *tables : Table
        With person_id and event_at, opened_at, clicked_at or at (see `rows_of_persons`).

    Returns
    -------
    Table or None
        person_id, at: one row per person and day.
    """
    parts = []
    for table in tables:
        if not isinstance(table, ibis.Table):
            continue
        for column in ("at", "event_at", "opened_at", "clicked_at"):
            if column in table.columns:
                there = table.filter(table[column].notnull())
                parts.append(there.select("person_id", at=there[column].truncate("D").cast("timestamp")).distinct())
    return None if not parts else (ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0]).cache()


@answers("Who is active, and who has been away for how long?")
def states(
    purchases: ibis.Table | pd.DataFrame,
    activity: ibis.Table | pd.DataFrame | None = None,
    *,
    as_of: dt.datetime,
    clock: Clock = "last_order",
    active_days: int = ACTIVE_DAYS,
    bands: tuple[int, int] = BANDS,
    values: tuple[float, float] = VALUES,
) -> ibis.Table:
    """Who is active, and who has been away for how long?

    Active customers are taken out first: whoever bought, or (where activity is known) did anything, in the last
    `active_days`. For the others the days since the clock's last stroke make the window.

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`; what happened at `as_of` or later is not seen.
    activity : Table or DataFrame, optional
        From `activity`: person_id, at.
    as_of : datetime
        Now.
    clock : {"last_order", "last_activity"}
        From when days are counted: the last paid order, or the last sign of life of any kind.
    active_days : int, default 7
        Of the rule that says who is active.
    bands : (int, int), default (30, 90)
        short: up to the first number of days; mid: up to the second; long: above.
    values : (float, float), default (0.8, 0.5)
        Above the first rank by money spent, value is high; above the second, middle; else low.

    Returns
    -------
    Table
        One row per person who ever bought: person_id, window (active, short, mid, long), days (since the clock's last
        stroke), last_at, orders, sales (all time), sales_year (last 365 days; money), value (high, middle, low).

    Raises
    ------
    ValueError
        The clock is none, or the bands do not rise.
    """
    if clock not in ("last_order", "last_activity"):
        raise ValueError(_("{clock!r} is no clock; write last_order or last_activity").format(clock=clock))
    if not 0 <= active_days <= bands[0] < bands[1]:
        raise ValueError(_("the windows must rise: active_days, then the two bands"))
    now = ibis.timestamp(as_of)
    rows = as_table(purchases)
    rows = rows.filter(rows.at < now)
    year = ibis.timestamp(as_of - dt.timedelta(days=365))
    t = rows.group_by("person_id").aggregate(
        last_order=rows.at.max(),
        orders=rows.count(),
        sales=rows.amount.sum().cast(MONEY),
        sales_year=rows.amount.sum(where=rows.at >= year).fill_null(0).cast(MONEY),
    )
    seen = t.last_order
    if activity is not None:
        did = as_table(activity)
        did = did.filter(did.at < now)
        did = did.group_by("person_id").aggregate(_seen=did.at.max())
        t = t.left_join(did, "person_id").drop("person_id_right")
        seen = ibis.greatest(t.last_order, t._seen.fill_null(t.last_order))
    last = seen if clock == "last_activity" else t.last_order
    today = ibis.date(as_of.date())
    since = today.delta(last.date(), unit="day")
    quiet = today.delta(seen.date(), unit="day")
    window = ibis.cases(
        (quiet <= active_days, "active"), (since <= bands[0], "short"), (since <= bands[1], "mid"), else_="long"
    )
    rank = ibis.percent_rank().over(ibis.window(order_by=[t.sales, t.person_id]))
    value = ibis.cases((rank > values[0], "high"), (rank > values[1], "middle"), else_="low")
    return t.select(
        "person_id", window=window, days=since, last_at=t.last_order, orders=t.orders, sales=t.sales,
        sales_year=t.sales_year, value=value,
    ).cache()  # fmt: skip


@answers("Which customers of what value have been away for how long?")
def matrix(states: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    """Which customers of what value have been away for how long?

    Parameters
    ----------
    states : Table or DataFrame
        From `states`.

    Returns
    -------
    DataFrame
        One row per value and window, in order: value, window, customers, share (of all), sales_year (money that they
        spent in the last 365 days), median_days.
    """
    t = as_table(states)
    found = (
        t.group_by("value", "window")
        .aggregate(customers=t.count(), sales_year=t.sales_year.sum(), median_days=t.days.cast("float64").median())
        .to_pandas()
    )
    cells = pd.MultiIndex.from_product([LEVELS, WINDOWS], names=["value", "window"])
    frame = found.set_index(["value", "window"]).reindex(cells).reset_index()
    frame["customers"] = frame.customers.fillna(0).astype("int64")
    frame["sales_year"] = frame.sales_year.astype(float).fillna(0.0)
    frame["share"] = frame.customers / max(int(frame.customers.sum()), 1)
    return frame[["value", "window", "customers", "share", "sales_year", "median_days"]]


@answers("Who came back, and who drifted away?")
def flows(before: ibis.Table | pd.DataFrame, now: ibis.Table | pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Who came back, and who drifted away, between two moments?

    Parameters
    ----------
    before, now : Table or DataFrame
        Two results of `states`.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per pair: from_window (new: bought first in between), to_window, customers, rate (of those who were in
        from_window, fraction) with Wilson interval.
    """
    a = as_table(before).select("person_id", from_window="window")
    b = as_table(now).select("person_id", to_window="window")
    t = b.left_join(a, "person_id").drop("person_id_right")
    t = t.mutate(from_window=t.from_window.fill_null("new"))
    found = t.group_by("from_window", "to_window").aggregate(customers=t.count()).to_pandas()
    pairs = pd.MultiIndex.from_product([("new", *WINDOWS), WINDOWS], names=["from_window", "to_window"])
    frame = found.set_index(["from_window", "to_window"]).reindex(pairs, fill_value=0).reset_index()
    of = frame.groupby("from_window").customers.transform("sum")
    ends = [intervals.wilson(k, n, level=level) for k, n in zip(frame.customers, of, strict=True)]
    frame["rate"] = frame.customers / of.where(of > 0)
    frame["rate_low"], frame["rate_high"] = [e.low for e in ends], [e.high for e in ends]
    frame["customers"] = frame.customers.astype("int64")
    return frame


@answers("How do the windows of churn move?")
def trend(
    purchases: ibis.Table | pd.DataFrame,
    *,
    as_of: dt.datetime,
    months: int = 12,
    active_days: int = ACTIVE_DAYS,
    bands: tuple[int, int] = BANDS,
) -> pd.DataFrame:
    """How many customers were in each window at the end of each of the last months?

    The clock is the last paid order, and so is the rule of who is active: what else people did is not looked at.

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`.
    as_of : datetime
        The last moment.
    months : int, default 12
        How many moments, a month apart.
    active_days, bands
        As in `states`.

    Returns
    -------
    DataFrame
        moment, window, customers, share (of all who had ever bought by then).
    """
    rows = as_table(purchases).select("person_id", "at")
    moments = [(pd.Timestamp(as_of) - pd.DateOffset(months=k)).to_pydatetime() for k in reversed(range(months))]
    at = ibis.memtable(pd.DataFrame({"moment": pd.to_datetime(moments)}))
    t = rows.join(at, rows.at < at.moment.cast("timestamp"))
    last = t.group_by("moment", "person_id").aggregate(last=t.at.max())
    days = last.moment.date().delta(last.last.date(), unit="day")
    window = ibis.cases(
        (days <= active_days, "active"), (days <= bands[0], "short"), (days <= bands[1], "mid"), else_="long"
    )
    last = last.mutate(window=window)
    found = last.group_by("moment", "window").aggregate(customers=last.count()).to_pandas()
    cells = pd.MultiIndex.from_product([sorted(set(found.moment)), WINDOWS], names=["moment", "window"])
    frame = found.set_index(["moment", "window"]).reindex(cells, fill_value=0).reset_index()
    frame["share"] = frame.customers / frame.groupby("moment").customers.transform("sum")
    return frame


@answers("By which rule?")
def rule(
    activity: ibis.Table | pd.DataFrame | None = None,
    *,
    clock: Clock = "last_order",
    active_days: int = ACTIVE_DAYS,
    bands: tuple[int, int] = BANDS,
) -> str:
    """The rule of `states` as a sentence, to stand beside its numbers; the parameters are those of `states`."""
    text = _("Active: bought in the last {active} days. Away, by the days since the last paid order: short up to "
             "{short}, mid up to {mid}, long above.")  # fmt: skip
    if activity is not None:
        text = _("Active: bought or did anything in the last {active} days. Away, by the days since the last paid "
                 "order: short up to {short}, mid up to {mid}, long above.")  # fmt: skip
    if clock == "last_activity":
        text = _("Active: bought or did anything in the last {active} days. Away, by the days since anything was seen "
                 "of her: short up to {short}, mid up to {mid}, long above.")  # fmt: skip
    return text.format(active=active_days, short=bands[0], mid=bands[1])


def start(period: Period) -> dt.datetime:
    """The moment at which a period begins."""
    return dt.datetime.combine(period.start, dt.time())
