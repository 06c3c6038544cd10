"""What was sold, line by line, for promotions to be held against; and the coupons that were used."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...methods import intervals
from ...missing import answers

COUPONS = {
    "issued": "count", "used": "count", "redemption": "share", "cost": "currency", "sales": "currency",
}  # fmt: skip
"""Units of `redemption`."""


@dataclass(frozen=True)
class Sold:
    """What was sold, for promotions to be held against.

    Attributes
    ----------
    lines : Table
        One row per line of a paid order: key (of the order), product_id, category, day (placed), quantity, amount,
        full (at the price before discounts), discount, goods (cost), gift (flag), returned (money).
    daily : DataFrame
        Orders by day (all days) × category of the order's first line.
    fee_rate : float
        Platform fees for a unit of sales.
    notes : tuple of str
        What could not be taken into account.
    """

    lines: ibis.Table
    daily: pd.DataFrame
    fee_rate: float
    notes: tuple[str, ...]


@answers("What was sold, of which category?", needs={"order_items": ["amount"], "products": ["category"]})
def sold(
    orders: ibis.Table | pd.DataFrame, order_items: ibis.Table | pd.DataFrame, products: ibis.Table | pd.DataFrame,
    returns: ibis.Table | pd.DataFrame | None = None, settlements: ibis.Table | pd.DataFrame | None = None, *,
    until: dt.date,
) -> Sold:  # fmt: skip
    """What was sold, of which category, on which day, at what price and cost?

    Parameters
    ----------
    orders : Table
        order_id, ordered_at, paid_at, amount (money); platform where known. What is not paid does not count.
    order_items : Table
        order_id, product_id, quantity, amount; line, unit_price, discount, gift, platform where known.
    products : Table
        product_id, category; unit_cost where known.
    returns : Table, optional
        order_id, product_id, amount.
    settlements : Table, optional
        order_id, kind, amount: what platforms kept of orders.
    until : date
        The day after the last.
    """
    paid, items, listed = as_table(orders), as_table(order_items), as_table(products)
    paid = paid.filter(paid.paid_at.notnull())
    key = _key(items, paid)
    notes = []
    about = listed.group_by("product_id").aggregate(
        category=listed.category.min(),
        unit_cost=listed.unit_cost.max() if "unit_cost" in listed.columns else ibis.null("decimal(18, 4)"),
    )
    if "unit_cost" not in listed.columns:
        notes.append(_("REVIEW: no cost of goods, so profits are before it."))
    of_order = paid.select(*key, day=paid.ordered_at.date())
    zero = ibis.literal(0).cast("decimal(18, 4)")
    discount = items.discount.fill_null(0) if "discount" in items.columns else zero
    lines = items.select(
        *key, "product_id", "quantity", amount=items.amount, discount=discount, full=items.amount + discount,
        line=items.line if "line" in items.columns else ibis.null("int64"),
        gift=items.gift.fill_null(False) if "gift" in items.columns else ibis.literal(False),
    )  # fmt: skip
    lines = lines.inner_join(of_order, key).inner_join(about, "product_id")
    lines = lines.mutate(goods=lines.quantity * lines.unit_cost.fill_null(0))
    if returns is not None and {"order_id", "product_id"} <= set(returns.columns):
        back = as_table(returns)
        by = [*_key(back, paid), "product_id"]
        back = back.group_by(by).aggregate(returned=back.amount.sum())
        lines = lines.left_join(back, by)
        lines = lines.drop(*(c for c in lines.columns if c.endswith("_right")))
        times = ibis.window(group_by=by)
        lines = lines.mutate(returned=lines.returned.fill_null(0) / lines.count().over(times))
    else:
        notes.append(_("REVIEW: no data on returned products, so nothing is taken off for them."))
        lines = lines.mutate(returned=zero)
    lines = lines.mutate(key=ibis.literal("/").join([lines[k].fill_null("") for k in key])).drop(*key).cache()
    first = lines.filter(lines.line == lines.line.min().over(ibis.window(group_by="key")))
    first = lines if first.count().to_pandas() == 0 else first
    counted = first.group_by("day", "category").aggregate(n=first.key.nunique()).to_pandas()
    daily = counted.pivot_table(index="day", columns="category", values="n", aggfunc="sum", fill_value=0)
    daily.index = pd.to_datetime(daily.index)
    if len(daily):
        whole = pd.date_range(daily.index.min(), pd.Timestamp(until) - pd.Timedelta(days=1))
        daily = daily.reindex(whole, fill_value=0).astype(float)
    rate = 0.0
    if settlements is not None and "order_id" in settlements.columns:
        kept = as_table(settlements)
        kept = kept.filter(kept.order_id.notnull() & (kept.amount < 0) & ~kept.kind.isin(["adjustment", "refund"]))
        cost, sales = (float(x.sum().to_pandas() or 0) for x in (kept.amount, paid.amount))
        rate = -cost / sales if sales > 0 else 0.0
    else:
        notes.append(_("REVIEW: no settlements, so no platform fees are taken off."))
    return Sold(lines, daily, rate, tuple(notes))


@answers("How many coupons were used?", needs={"coupons": ["promotion_id", "used_at"]})
def redemption(
    coupons: ibis.Table | pd.DataFrame, orders: ibis.Table | pd.DataFrame, *, since: dt.date, until: dt.date
) -> pd.DataFrame:  # fmt: skip
    """How many coupons were used, and what did they bring and cost?

    Parameters
    ----------
    coupons : Table
        promotion_id, issued_at, used_at; face_value (money), order_id where known.
    orders : Table
        order_id, amount.
    since, until : date
        Coupons issued from the one up to, not including, the other.

    Returns
    -------
    DataFrame
        promotion_id, issued, used (counts), redemption (share) with redemption_low, redemption_high (95 %), cost (face
        value of those used), sales (of the orders they were used on). What was sold only because of a coupon is not
        told by this.
    """
    rows = as_table(coupons)
    rows = rows.filter((rows.issued_at >= _midnight(since)) & (rows.issued_at < _midnight(until)))
    face = rows.face_value if "face_value" in rows.columns else ibis.null("decimal(18, 4)")
    rows = rows.mutate(face=face)
    if "order_id" in rows.columns:
        paid = as_table(orders)
        paid = paid.group_by(used_on=paid.order_id).aggregate(sold=paid.amount.max())
        rows = rows.left_join(paid, rows.order_id == paid.used_on)
    else:
        rows = rows.mutate(sold=ibis.null("decimal(18, 4)"))
    used = rows.used_at.notnull()
    frame = rows.group_by("promotion_id").aggregate(
        issued=rows.count(), used=used.sum(), cost=rows.face.sum(where=used), sales=rows.sold.sum(where=used)
    ).order_by("promotion_id").to_pandas()  # fmt: skip
    frame[["cost", "sales"]] = frame[["cost", "sales"]].astype(float)
    frame.insert(3, "redemption", frame["used"] / frame["issued"].where(frame["issued"] > 0))
    ends = [intervals.wilson(u, n) for u, n in zip(frame["used"], frame["issued"], strict=True)]
    frame[["redemption_low", "redemption_high"]] = np.array(ends).reshape(-1, 2)
    return frame


def _key(rows: ibis.Table, orders: ibis.Table) -> list[str]:
    both = "platform" in rows.columns and "platform" in orders.columns
    return ["platform", "order_id"] if both else ["order_id"]


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))
