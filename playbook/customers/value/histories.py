"""Histories: when persons first and last bought, how often and for how much; counted in the engine, fitted on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis
import pandas as pd

from ...data import identity
from ...data.engine import MONEY, as_table
from ...missing import answers

CELL = ["frequency", "recency", "T"]


@answers("On which days did each customer buy?", needs={"orders": ["customer_id"]})
def purchase_days(orders: ibis.Table | pd.DataFrame, persons: ibis.Table | pd.DataFrame | None = None) -> ibis.Table:
    """On which days did each customer buy?

    Orders of one day are one purchase: who orders twice before dinner has not come back.

    Parameters
    ----------
    orders : Table
        order_id, customer_id, paid_at, amount (money); platform where known. Guests are left out.
    persons : Table, optional
        The mart: platform, customer_id, person_id. Without it an account is a person.

    Returns
    -------
    Table
        One row per person and day: person_id, day, amount (money after discounts, before returns), orders.
    """
    rows = as_table(orders)
    rows = rows.filter(rows.paid_at.notnull() & rows.customer_id.notnull())
    if persons is not None:
        rows = identity.with_person(rows, as_table(persons), named=identity.by_platform(None, rows))
        rows = rows.filter(rows.person_id.notnull())
    elif "platform" in rows.columns:
        rows = rows.mutate(person_id=rows.platform.fill_null("") + "/" + rows.customer_id)
    else:
        rows = rows.mutate(person_id=rows.customer_id)
    rows = rows.mutate(day=rows.paid_at.date())
    grouped = rows.group_by("person_id", "day")
    return grouped.aggregate(amount=rows.amount.cast(MONEY).sum().cast(MONEY), orders=rows.count()).cache()


@answers("What has each customer done before a day?")
def histories(days: ibis.Table | pd.DataFrame, until: dt.date) -> ibis.Table:
    """What has each customer done before a day?

    Parameters
    ----------
    days : Table
        From `purchase_days`.
    until : date
        What lies on it or later is not looked at.

    Returns
    -------
    Table
        One row per person: person_id; first_day; frequency (days with a purchase after the first); recency (weeks from
        the first to the last); T (weeks from the first to the last day looked at); monetary_value (mean of the days
        after the first, null where there are none); value (all of them).
    """
    days = as_table(days)
    seen = days.filter(days.day < _date(until))
    per = seen.group_by("person_id").aggregate(
        first_day=seen.day.min(),
        last_day=seen.day.max(),
        bought=seen.count(),
        value=seen.amount.sum(),
        first_value=seen.amount.argmin(seen.day),
    )
    frequency = per.bought - 1
    again = (per.value - per.first_value).cast("float64") / frequency.nullif(0)
    return per.select(
        "person_id",
        "first_day",
        frequency=frequency,
        recency=per.last_day.delta(per.first_day, unit="day") / 7,
        T=ibis.literal(until - dt.timedelta(days=1)).delta(per.first_day, unit="day") / 7,
        monetary_value=again,
        value=per.value,
    )


def cells(table: ibis.Table, by: Sequence[str] = (), *, whole_weeks: bool = True) -> pd.DataFrame:
    """How many customers have which history?

    Parameters
    ----------
    table : Table
        From `histories`, with the columns of `by`.
    by : sequence of str
        Traits to count apart.
    whole_weeks : bool
        Round times to weeks, so that a million customers are some ten thousand rows.

    Returns
    -------
    DataFrame
        [*by, frequency, recency, T], n (customers), monetary_sum (of their means, of those who came back), value (sum
        of all that they bought).
    """
    if whole_weeks:
        table = table.mutate(recency=table.recency.round(), T=table["T"].round())
    grouped = table.group_by(*by, *CELL).aggregate(
        n=table.count(),
        monetary_sum=table.monetary_value.cast("decimal(18, 4)").sum().fill_null(0).cast("float64"),
        value=table.value.sum().cast("float64"),
    )
    return grouped.order_by(*by, *CELL).to_pandas()


def spend_cells(table: ibis.Table, *, per_log: int = 50) -> pd.DataFrame:
    """How many customers spend how much when they come back?

    Returns
    -------
    DataFrame
        frequency, monetary_value (mean of a bin of a fiftieth of a log), n; without customers who did not come back or
        of whom nothing was kept.
    """
    back = table.filter((table.frequency > 0) & (table.monetary_value > 0))
    back = back.mutate(bin=(back.monetary_value.ln() * per_log).round())
    exact = back.monetary_value.cast("decimal(18, 4)")
    grouped = back.group_by("frequency", "bin").aggregate(n=back.count(), total=exact.sum().cast("float64"))
    frame = grouped.order_by("frequency", "bin").to_pandas()
    return frame.assign(monetary_value=frame["total"] / frame["n"])[["frequency", "monetary_value", "n"]]


def afterwards(days: ibis.Table | pd.DataFrame, cut: dt.date, until: dt.date) -> pd.DataFrame:
    """What did customers of each history go on to buy?

    Parameters
    ----------
    days : Table
        From `purchase_days`.
    cut, until : date
        Histories end before the one; what follows is counted up to, not including, the other.

    Returns
    -------
    DataFrame
        frequency, recency, T (whole weeks), actual (days with a purchase from `cut` on), n (customers).
    """
    days = as_table(days)
    later = days.filter((days.day >= _date(cut)) & (days.day < _date(until)))
    after = later.group_by("person_id").aggregate(actual=later.count())
    table = histories(days, cut).left_join(after, "person_id")
    table = table.mutate(recency=table.recency.round(), T=table["T"].round(), actual=table.actual.fill_null(0))
    return table.group_by(*CELL, "actual").aggregate(n=table.count()).order_by(*CELL, "actual").to_pandas()


def _date(day: dt.date) -> ibis.Value:
    return ibis.literal(dt.date(day.year, day.month, day.day))
