"""Paths: which channels a person met, in which order, before an order or before nothing."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...missing import answers


@answers("Which channels did people meet before they ordered?")
def touches(
    touchpoints: ibis.Table | pd.DataFrame,
    orders: ibis.Table | pd.DataFrame,
    returns: ibis.Table | pd.DataFrame | None = None,
    *,
    since: dt.date,
    until: dt.date,
    window_days: int = 30,
) -> ibis.Table:
    """Which channels did people meet before they ordered, or before they went away?

    A path ends with the contact that a platform links to an order, or where nothing follows for `window_days`.

    Parameters
    ----------
    touchpoints : Table
        visitor_id, touched_at, channel, order_id (of the order that followed, on any of its contacts).
    orders : Table
        order_id, amount (money).
    returns : Table, optional
        order_id, amount: taken off the orders that they belong to.
    since, until : date
        Paths that ended from the one up to, not including, the other.
    window_days : int
        Contacts longer before the end are forgotten.

    Returns
    -------
    Table
        One row per contact: path, position (from 1), length (contacts of the path), channel, days_before (the end),
        conversions (1 or 0), value (money, null where the order is not known), nulls (1 where no order came).
    """
    met = as_table(touchpoints)
    if "order_id" not in met.columns:
        met = met.mutate(order_id=ibis.null("string"))
    met = met.select("visitor_id", "touched_at", "channel", "order_id")
    met = met.filter(met.touched_at < _midnight(until), met.channel.notnull())
    of_order = ibis.window(group_by="order_id")
    ends = met.order_id.notnull() & (met.touched_at == met.touched_at.max().over(of_order))
    met = met.mutate(order_id=ends.ifelse(met.order_id, ibis.null("string")))
    in_turn = ibis.window(group_by="visitor_id", order_by=["touched_at", "channel"])
    before = met.touched_at.lag().over(in_turn)
    long = (met.touched_at.epoch_seconds() - before.epoch_seconds()) > window_days * 86400
    begins = before.isnull() | long | met.order_id.lag().over(in_turn).notnull()
    met = met.mutate(begins=begins.cast("int64"))
    so_far = ibis.cumulative_window(group_by="visitor_id", order_by=["touched_at", "channel"])
    met = met.mutate(nth=met.begins.sum().over(so_far))
    whole = ibis.window(group_by=["visitor_id", "nth"])
    met = met.mutate(ended=met.touched_at.max().over(whole), of=met.order_id.max().over(whole))
    days = (met.ended.epoch_seconds() - met.touched_at.epoch_seconds()) / 86400
    met = met.mutate(days_before=days).filter((met.ended >= _midnight(since)) & (days <= window_days))
    path = met.visitor_id + "/" + met.nth.cast("string")
    met, worth = met.mutate(path=path), _worth(as_table(orders), returns)
    met = met.left_join(worth, met.of == worth.sold)
    there = met.of.notnull()
    return _placed(
        met.select(
            "path", "channel", "days_before", at=met.touched_at, conversions=there.cast("int64"),
            value=met.value, nulls=(~there).cast("int64"),
        )
    ).cache()  # fmt: skip


def _worth(orders: ibis.Table, returns: ibis.Table | pd.DataFrame | None) -> ibis.Table:
    """Order → what was kept of it; a number that two orders bear says nothing of either."""
    sold = orders.group_by(sold=orders.order_id).aggregate(value=orders.amount.sum(), alike=orders.count())
    sold = sold.filter(sold.alike == 1).drop("alike")
    if returns is None or "order_id" not in returns.columns:
        return sold
    back = as_table(returns)
    back = back.group_by(back_of=back.order_id).aggregate(back=back.amount.sum())
    both = sold.left_join(back, sold.sold == back.back_of)
    return both.select("sold", value=both.value - both.back.fill_null(0))


def _placed(met: ibis.Table) -> ibis.Table:
    in_turn = ibis.window(group_by="path", order_by=["at", "channel"])
    position = ibis.row_number().over(in_turn) + 1
    return met.mutate(position=position, length=met.count().over(ibis.window(group_by="path"))).drop("at")


@answers("Which channels did people meet before they ordered?")
def touches_of_paths(
    paths: pd.DataFrame,
    *,
    path: str = "path",
    conversions: str = "conversions",
    value: str | None = "value",
    nulls: str | None = "nulls",
    between: str = ">",
) -> ibis.Table:
    """The same, from paths that were counted elsewhere.

    Parameters
    ----------
    paths : DataFrame
        One row per path: the channels in order with `between` between them, how many such paths ended in an order,
        their value together, and how many ended in nothing (columns named by the parameters).

    Returns
    -------
    Table
        As `touches`; days_before counts steps before the end, as no times are known.

    Raises
    ------
    ValueError
        A column is lacking, or a path is empty.
    """
    wanted = [c for c in (path, conversions, value, nulls) if c]
    lacking = [c for c in wanted if c not in paths.columns]
    if lacking:
        raise ValueError(_("paths have no column {name!r}").format(name=lacking[0]))
    frame = pd.DataFrame({
        "path": range(len(paths)), "said": paths[path].astype(str).to_numpy(),
        "conversions": paths[conversions].to_numpy(float),
        "value": paths[value].to_numpy(float) if value else float("nan"),
        "nulls": paths[nulls].to_numpy(float) if nulls else 0.0,
    })  # fmt: skip
    table = as_table(frame)
    table = table.mutate(steps=table.said.split(between)).drop("said")
    table = table.mutate(length=table.steps.length())
    table = table.mutate(position=ibis.range(1, table.length + 1).unnest())
    met = table.mutate(
        channel=table.steps[table.position - 1].strip(), days_before=(table.length - table.position).cast("float64")
    ).drop("steps")
    met = met.cache()
    if int((met.channel == "").sum().to_pandas() or 0):
        raise ValueError(_("a path has a step without a channel"))
    return met


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))
