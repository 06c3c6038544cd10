"""The market table as numbers: who sold how much in each period, and what of it is ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import ibis
import numpy as np
import pandas as pd

from ..language import _
from ..missing import Missing, answers

OTHERS = ("其他", "其它", "others", "other", "rest")
"""How a panel calls the sellers that it does not name."""


def panel(market: ibis.Table, by: Sequence[str]) -> pd.DataFrame:
    """How much was sold in each period, by what, in all and by seller?

    A row without a seller is the whole market of its category and platform; where there is none, the sellers are added
    up. The sum runs in the engine.

    Returns
    -------
    DataFrame
        day, the columns of `by`, seller (empty: all), size (currency).
    """
    rows = market if isinstance(market, ibis.Table) else ibis.memtable(market)
    seller = rows.seller.fill_null("") if "seller" in rows.columns else ibis.literal("")
    keys = [c for c in ("day", "category", "platform") if c in rows.columns]
    rows = rows.mutate(seller=seller, whole=(seller == "").cast("int8"))
    told = rows.whole.max().over(group_by=[rows[k] for k in keys])
    whole = rows.mutate(told=told).filter(lambda t: (t.whole == 1) | (t.told == 0)).mutate(seller=ibis.literal(""))
    named = rows.filter(rows.seller != "")
    cut = ["day", *by]
    out = pd.concat(
        [t.group_by([*cut, "seller"]).aggregate(size=t["size"].sum()).to_pandas() for t in (whole, named)],
        ignore_index=True,
    )
    out["size"], out["day"] = out["size"].astype(float), pd.to_datetime(out["day"])
    return out.sort_values([*cut, "seller"], ignore_index=True)


def by_period(days: pd.Series | pd.DatetimeIndex) -> pd.PeriodIndex:
    """The periods that the days close: months, quarters or years, by how far they lie apart."""
    days = pd.DatetimeIndex(days)
    apart = pd.Series(days.unique().sort_values()).diff().dt.days.median()
    return days.to_period("M" if not apart > 45 else "Q" if apart < 200 else "Y")


def a_year(periods: pd.PeriodIndex) -> int:
    """How many of the periods make a year?"""
    return {"M": 12, "Q": 4, "Y": 1}[periods.freqstr[0]]


def years(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the last twelve months, and of the twelve before; empty where the data do not reach back so far."""
    periods = by_period(rows["day"])
    n, first, last = a_year(periods), periods.min(), periods.max()
    now = rows[periods > last - n]
    before = rows[(periods > last - 2 * n) & (periods <= last - n)]
    return now, before if last - 2 * n + 1 >= first else before.iloc[:0]


@answers("Which sellers are we?")
def own_brands(market: ibis.Table, products: ibis.Table | None, *, brand: str = "") -> list[str]:
    """Under which names does the market's table have us?

    Parameters
    ----------
    market, products : Table
        `market` with seller; `products` with brand.
    brand : str
        Our name among the sellers; empty: the brands of our products.

    Returns
    -------
    list of str
        A Missing where none of them is among the sellers.
    """
    sellers = set() if "seller" not in market.columns else set(_distinct(market, "seller"))
    ours = [brand] if brand else _distinct(products, "brand") if products is not None else []
    found = [b for b in ours if b in sellers]
    if found:
        return found
    remedy = _("Give the name under which the table of the market has us as the parameter brand, or products a brand.")
    return Missing(_("our own brand among the sellers of the market"), remedy=remedy)  # type: ignore[return-value]


def _distinct(rows: ibis.Table, column: str) -> list[str]:
    rows = rows if isinstance(rows, ibis.Table) else ibis.memtable(rows)
    if column not in rows.columns:
        return []
    return sorted(str(x) for x in rows.select(column).distinct().to_pandas()[column].dropna() if str(x))


def is_lump(sellers: pd.Series) -> pd.Series:
    """Which sellers are no seller, but all that a panel does not name?"""
    return sellers.astype(str).str.strip().str.lower().isin(OTHERS)


def ours(rows: pd.DataFrame, brands: Collection[str], by: Sequence[str]) -> pd.Series:
    """What we sold, by the columns of `by`."""
    return rows[rows["seller"].isin(list(brands))].groupby(list(by))["size"].sum()


def whole(rows: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """What everybody sold, by the columns of `by`."""
    return rows[rows["seller"] == ""].groupby(list(by))["size"].sum()


def ratio(a: pd.Series | float, b: pd.Series | float) -> pd.Series:
    """a / b; where b is nothing, nothing is known."""
    return pd.Series(a, dtype=float) / pd.Series(b, dtype=float).replace(0.0, np.nan)
