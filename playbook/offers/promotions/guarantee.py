"""The price guarantee: what it costs to pay the difference to those who bought shortly before a promotion."""

from __future__ import annotations

import math

import ibis
import pandas as pd

from ...missing import answers
from .rules import Discount, FullReduction, Gift, parse

UNITS = {"depth": "share"} | dict.fromkeys(("sold", "exposure", "cost"), "currency")
KINDS = ("discount", "full_reduction", "gift", "joint")


@answers("What would a price guarantee cost?")
def guarantee(daily: pd.DataFrame, promotions: ibis.Table, *, days: int = 15, claimed: float = 1.0) -> pd.DataFrame:
    """What would it cost to pay the difference to all who bought shortly before a promotion (价保)?

    Parameters
    ----------
    daily : DataFrame
        Of `history.daily`.
    promotions : Table
        Canonical `promotions`.
    days : int
        Before the promotion on which the price is guaranteed.
    claimed : float
        Part of those who may claim that do.

    Returns
    -------
    DataFrame
        One row a promotion that begins within the data, or after them: promotion_id, name, begins, depth, ahead
        (whether the days before are still to come, in part or whole: they are taken to be as the last ones), sold
        (currency, paid in the days before for what it covers), exposure (currency: the most that can be claimed), cost
        (currency, at the part claimed); latest first.
    """
    table = promotions.to_pandas() if isinstance(promotions, ibis.Table) else promotions
    columns = ["promotion_id", "name", "kind", "category", "product_id", "starts_at", "rule"]
    table = table.reindex(columns=columns).drop_duplicates("promotion_id")
    table = table[table.kind.isin(KINDS) & table.product_id.isna()]
    by_day = daily.pivot(index="day", columns="category", values="amount")
    last = daily.day.max()
    rows = []
    for p in table.sort_values("starts_at", ascending=False).to_dict("records"):
        depth = _depth(p["rule"])
        begins = p["starts_at"].normalize()
        known = isinstance(p["category"], str) and p["category"] != ""
        if math.isnan(depth) or (known and p["category"] not in by_day):
            continue
        sales = by_day[p["category"]] if known else by_day.sum(axis=1)
        window = pd.date_range(begins - pd.Timedelta(days=days), periods=days)
        seen = sales.reindex(window)
        if window[0] < daily.day.min():
            continue
        recent = float(sales.tail(days).mean())
        sold = float(seen.fillna(recent).sum())
        rows.append((p["promotion_id"], p["name"], begins, depth, bool(window[-1] > last), sold, sold * depth))
    frame = pd.DataFrame(rows, columns=["promotion_id", "name", "begins", "depth", "ahead", "sold", "exposure"])
    return frame.assign(cost=frame.exposure * claimed)


def _depth(rule: object) -> float:
    """The most that a rule takes off a unit's price."""
    try:
        match parse(str(rule)):
            case Discount(rate, every):
                return float(1 - rate) / every
            case FullReduction(tiers):
                return max(float(off / t) for t, off in tiers)
            case Gift(_threshold, "", bought, free):
                return free / (bought + free)
    except ValueError:
        pass
    return math.nan
