"""How many units each product will sell in the next period if nothing is done, and how far that may be off."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ...methods.forecasting import next_step
from ...missing import answers
from ...period import Period

LEVEL = 0.8
LOOKED_AT = 36
"""Periods before this one that are looked at, at most."""
FEWEST = 10
"""Units in a period, from which a product's share of the sales counts."""


@answers("How much will be sold?")
def units(sold: ibis.Table, period: Period) -> pd.DataFrame:
    """How many units of each product will be sold in the next period, at the prices of this one?

    What the shop sells in all is forecast; each product is expected to keep its share of it. How far shares move from
    one period to the next, beyond what counts do by chance, is learned from all products.

    Parameters
    ----------
    sold : Table
        Of `promotions.history.sold`.
    period : Period
        This one.

    Returns
    -------
    DataFrame
        product_id, units (sold in this period), expected (in the next; median), spread (standard deviation of its log;
        infinite where the data hold no earlier period to learn it from).
    """
    past = _by_period(sold, period)
    whole, now = past.sum(axis=1), past.iloc[-1]
    total, error = _whole(whole, period)
    now = now[now > 0]
    spread = np.sqrt(error**2 + _wander(past) + 1 / now)
    out = pd.DataFrame({"units": now, "expected": now * total / whole.iloc[-1], "spread": spread})
    return out.rename_axis("product_id").reset_index()


def _by_period(sold: ibis.Table, period: Period) -> pd.DataFrame:
    """Units of this period and those before that the data hold whole: periods (by first day) × products."""
    t = sold if isinstance(sold, ibis.Table) else ibis.memtable(sold)
    t = t.filter(t.product_id != "").mutate(day=t.paid_at.cast("date"))
    daily = t.group_by("day", "product_id").aggregate(units=t.units.sum().cast("float64")).to_pandas()
    day = pd.to_datetime(daily["day"])
    first = day.min().date() if len(day) else period.start
    known = [period]
    while known[0].previous.start >= first and len(known) <= LOOKED_AT:
        known.insert(0, known[0].previous)
    edges = pd.DatetimeIndex([*(p.start for p in known), period.end])
    daily["at"] = pd.cut(day, edges, right=False, labels=edges[:-1])
    sums = daily.dropna(subset="at").groupby(["at", "product_id"], observed=True)["units"].sum()
    return sums.unstack().reindex(edges[:-1]).fillna(0.0)


def _whole(whole: pd.Series, period: Period) -> tuple[float, float]:
    """What the shop will sell in all, and the standard deviation of its log."""
    if period.kind in ("week", "month", "quarter"):
        step = next_step(whole, "count", level=LEVEL)
        if step.said and step.low > 0:
            return step.value, math.log(step.high / step.low) / 2 / float(stats.norm.ppf(0.5 + LEVEL / 2))
    moved = np.diff(np.log(whole[whole > 0]))
    return float(whole.iloc[-1]), float(np.sqrt(np.mean(moved**2))) if len(moved) else math.inf


def _wander(past: pd.DataFrame) -> float:
    """How far shares move between periods beyond chance: variance of the log."""
    share = past.div(past.sum(axis=1), axis=0)
    before, after = past.shift(1), past
    counted = (before >= FEWEST) & (after >= FEWEST)
    moved = np.log((share / share.shift(1)).where(counted))
    beyond = (moved**2 - 1 / before - 1 / after).where(counted).stack()
    return max(0.0, float(beyond.mean())) if len(beyond) else math.inf
