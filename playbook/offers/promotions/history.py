"""What the shop has sold so far, as promotions are judged on it: by day and category, and basket by basket."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import ibis
import pandas as pd

from ...language import _
from ...missing import Missing, answers


@answers("What was sold?")
def sold(orders: ibis.Table, items: ibis.Table | None = None, products: ibis.Table | None = None) -> ibis.Table:
    """One row a paid line at its price before any discount; a paid order where nothing is known of lines.

    Returns
    -------
    Table
        order (number within its platform), paid_at, product_id, category, units, value (before discounts), amount
        (after the merchant's), cost (of the goods; null where not known), all money in currency. Without lines
        product_id and category are empty and units null.
    """
    orders = _table(orders)
    name = orders.order_id
    if "platform" in orders.columns:
        name = orders.platform.fill_null("") + "/" + orders.order_id
    paid_at = orders.paid_at if "paid_at" in orders.columns else orders.ordered_at
    paid = orders.mutate(order=name, paid_at=paid_at).filter(lambda t: t.paid_at.notnull())
    if items is None:
        off = paid["discount"].fill_null(0) if "discount" in paid.columns else ibis.literal(0)
        return paid.select(
            "order", "paid_at", product_id=ibis.literal(""), category=ibis.literal(""),
            units=ibis.null("int64"), value=paid.amount + off, amount=paid.amount, cost=ibis.null("decimal(18, 4)"),
        )  # fmt: skip
    items = _table(items)
    both = "platform" in items.columns and "platform" in orders.columns
    key = ["platform", "order_id"] if both else ["order_id"]
    lines = items.drop(*(c for c in ("ordered_at", "platform") if c in items.columns and c not in key))
    lines = lines.inner_join(paid.select(*key, "order", "paid_at"), key)
    off = lines["discount"].fill_null(0) if "discount" in lines.columns else ibis.literal(0)
    full = lines.amount + off
    if "unit_price" in lines.columns:
        full = (lines.unit_price * lines.quantity).fill_null(full)
    lines = lines.mutate(value=full)
    if products is not None:
        products = _table(products)
        has = {c: products[c] for c in ("category", "unit_cost") if c in products.columns}
        about = products.group_by("product_id").aggregate(**{c: v.min() for c, v in has.items()})
        lines = lines.left_join(about, "product_id", rname="{name}_listed")
    category = lines["category"].fill_null("") if "category" in lines.columns else ibis.literal("")
    cost = lines.unit_cost * lines.quantity if "unit_cost" in lines.columns else ibis.null("decimal(18, 4)")
    return lines.select(
        "order", "paid_at", "product_id", "value", "amount", category=category, units="quantity", cost=cost
    )


@answers("What was sold each day, category by category?")
def daily(orders: ibis.Table, items: ibis.Table | None = None, products: ibis.Table | None = None) -> pd.DataFrame:
    """What was sold each day, category by category?

    Parameters
    ----------
    orders, items, products : Table
        Canonical `orders`, `order_items` and `products`.

    Returns
    -------
    DataFrame
        day, category, units, value (before discounts), amount (after the merchant's), cost; every category on every
        day between the first and the last, 0 where nothing was sold. Currency; cost NaN where no costs are known.
    """
    lines = sold(orders, items, products)
    day = lines.paid_at.cast("date")
    sums = {c: lines[c].sum().cast("float64") for c in ("units", "value", "amount", "cost")}
    frame = lines.group_by(day=day, category=lines.category).aggregate(**sums).to_pandas()
    frame["day"] = pd.to_datetime(frame["day"])
    if frame.empty:
        return frame
    days = pd.date_range(frame.day.min(), frame.day.max(), name="day")
    every = pd.MultiIndex.from_product([days, sorted(frame.category.unique())], names=["day", "category"])
    whole = frame.set_index(["day", "category"]).reindex(every)
    known = [c for c in sums if whole[c].notna().any()]
    whole[known] = whole[known].fillna(0.0)
    return whole.reset_index()


@answers("What are baskets worth?")
def baskets(
    orders: ibis.Table,
    items: ibis.Table | None = None,
    products: ibis.Table | None = None,
    *,
    first: dt.date,
    last: dt.date,
    category: str = "",
    product_ids: Collection[str] = (),
) -> pd.DataFrame:
    """What were the baskets of some days worth before any discount, and what did their goods cost?

    Parameters
    ----------
    orders, items, products : Table
        Canonical `orders`, `order_items` and `products`.
    first, last : date
        Days on which they were paid, both within.
    category : str
        Only what of a basket is in this category.
    product_ids : collection of str
        Only what of a basket is one of these.

    Returns
    -------
    DataFrame
        value (currency, before discounts, as often as baskets have it one row), orders, units, cost (currency, of the
        goods of these baskets; NaN where not known); smallest value first. ``attrs["days"]``, how many days.
    """
    lines = sold(orders, items, products)
    day = lines.paid_at.cast("date")
    lines = lines.filter((day >= ibis.literal(first)) & (day <= ibis.literal(last)))
    lines = lines.filter(lines.category == category) if category else lines
    lines = lines.filter(lines.product_id.isin(list(product_ids))) if product_ids else lines
    each = lines.group_by("order").aggregate(
        value=lines.value.sum(), units=lines.units.sum(), cost=lines.cost.sum(), known=lines.cost.notnull().all()
    )
    each = each.filter(each.value > 0).mutate(cost=each.known.ifelse(each.cost, ibis.null()))
    frame = each.group_by("value").aggregate(
        orders=each.count(), units=each.units.sum(), cost=each.cost.sum().cast("float64"), known=each.known.all()
    ).order_by("value").to_pandas()  # fmt: skip
    frame["cost"] = frame["cost"].where(frame.pop("known").astype(bool))
    frame.attrs = {"days": (last - first).days + 1}
    return frame


@answers("Which products are sold?")
def by_product(
    lines: ibis.Table, *, first: dt.date, last: dt.date, category: str = "", product_ids: Collection[str] = (),
    top: int = 200,
) -> pd.DataFrame:  # fmt: skip
    """Which products were sold most in some days, and at what price?

    Parameters
    ----------
    lines : Table
        Of `sold`.

    Returns
    -------
    DataFrame
        product_id, category, units, price (currency, before discounts, for a unit), days (how many); most units first.
        A Missing where nothing is known of lines.
    """
    day = lines.paid_at.cast("date")
    mine = lines.filter((day >= ibis.literal(first)) & (day <= ibis.literal(last)) & (lines.product_id != ""))
    mine = mine.filter(mine.category == category) if category else mine
    mine = mine.filter(mine.product_id.isin(list(product_ids))) if product_ids else mine
    each = mine.group_by("product_id").aggregate(
        category=mine.category.max(), units=mine.units.sum().cast("float64"), value=mine.value.sum().cast("float64")
    )
    frame = each.order_by(ibis.desc("units"), "product_id").limit(top).to_pandas()
    if frame.empty:
        return Missing("order_items", remedy=_("Map an export that says which products each order holds."))
    frame["price"] = frame.pop("value") / frame.units
    return frame.assign(days=(last - first).days + 1)


def _table(given: ibis.Table | pd.DataFrame) -> ibis.Table:
    return given if isinstance(given, ibis.Table) else ibis.memtable(given)
