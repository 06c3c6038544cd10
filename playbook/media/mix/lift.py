"""Lift tests: what happened in the regions where a channel's advertising was held back on purpose."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ..roi.cube import paid_for

LIFT_COLUMNS = ["channel", "first", "last", "regions", "held", "lift", "error"]
LEAST_REGIONS, LEAST_DAYS = 3, 14
BEFORE = 26
"""Weeks before a test from which the usual relation of its regions to the others is taken."""


def lift_tests(
    orders: ibis.Table | pd.DataFrame, ad_spend: ibis.Table | pd.DataFrame, index: pd.DatetimeIndex
) -> pd.DataFrame:  # fmt: skip
    """Where was a channel held off some regions for weeks, and how much less did these sell than the others?

    A test is found where a channel's spending is told by region, several regions had none for two weeks or longer, and
    they had some before or afterwards.

    Parameters
    ----------
    orders : Table
        paid_at, amount, region.
    ad_spend : Table
        day, platform, level, channel, spend, region.
    index : DatetimeIndex
        First days of the weeks that count.

    Returns
    -------
    DataFrame
        channel; first, last (positions of the whole weeks of the test); regions (n); held (their part of sales
        before); lift (log of their sales over the others', beside the weeks before) with its standard error.
    """
    nothing = pd.DataFrame(columns=LIFT_COLUMNS)
    told = as_table(ad_spend)
    if not {"region", "channel"} <= set(told.columns) or "region" not in orders.columns or len(index) < BEFORE:
        return nothing
    rows = paid_for(told, index[0].date(), (index[-1] + pd.Timedelta(days=7)).date())
    rows = rows.filter(rows.region.notnull() & rows.channel.notnull() & (rows.spend > 0))
    spent = rows.group_by(["channel", "day", "region"]).aggregate(n=rows.count()).to_pandas()
    if spent.empty:
        return nothing
    paid = as_table(orders)
    paid = paid.filter(paid.paid_at.notnull() & paid.region.notnull())
    paid = paid.mutate(week=paid.paid_at.truncate("W"))
    sold = paid.group_by(["week", "region"]).aggregate(sales=paid.amount.sum().cast("float64")).to_pandas()
    sold["week"] = pd.to_datetime(sold["week"])
    sales = sold.pivot(index="week", columns="region", values="sales").reindex(index).fillna(0.0)
    found = []
    for channel, mine in spent.groupby("channel", sort=True):
        there = mine.assign(day=pd.to_datetime(mine["day"])).pivot(index="day", columns="region", values="n").notna()
        for begins, ends, held in _pauses(there):
            row = _compare(sales, held, begins, ends)
            found += [{"channel": channel, "regions": len(held)} | row] if row else []
    return pd.DataFrame(found, columns=LIFT_COLUMNS) if found else nothing


def _pauses(there: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp, list[str]]]:
    """First and last day of the spans in which the same regions had nothing while others had something."""
    days = there.index[there.any(axis=1)]
    gone = there.loc[days].apply(lambda row: tuple(row.index[~row]), axis=1)
    runs = (gone != gone.shift()).cumsum()
    out = []
    for _run, part in gone.groupby(runs):
        held = list(part.iloc[0])
        begins, ends = part.index[0], part.index[-1]
        if LEAST_REGIONS <= len(held) <= there.shape[1] - LEAST_REGIONS and (ends - begins).days + 1 >= LEAST_DAYS:
            out.append((begins, ends, held))
    return out


def _compare(
    sales: pd.DataFrame, held: list[str], begins: pd.Timestamp, ends: pd.Timestamp
) -> dict[str, float | int] | None:
    """How the regions did beside the others in the whole weeks of the test, against the weeks before it."""
    week = sales.index
    within = np.flatnonzero((week >= begins) & (week + pd.Timedelta(days=6) <= ends))
    before = np.flatnonzero(week + pd.Timedelta(days=6) < begins)[-BEFORE:]
    held = [r for r in held if r in sales.columns]
    if not len(within) or len(before) < BEFORE // 2 or not held:
        return None
    off, on = sales[held].sum(axis=1).to_numpy(), sales.drop(columns=held).sum(axis=1).to_numpy()
    used = np.r_[before, within]
    if min(off[used].min(), on[used].min()) <= 0:
        return None
    ratio = np.log(off / on)
    spread = float(ratio[before].std(ddof=1))
    return {
        "first": int(within[0]),
        "last": int(within[-1]),
        "held": float(off[before].sum() / (off[before] + on[before]).sum()),
        "lift": float(ratio[within].mean() - ratio[before].mean()),
        "error": spread * math.sqrt(1 / len(within) + 1 / len(before)),
    }
