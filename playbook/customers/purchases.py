"""Purchases: every paid order with the person who paid it; all that this wing counts starts here."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ..data import identity
from ..data.engine import MONEY, as_table
from ..missing import answers

TRAITS = ("platform", "channel", "device", "coupon_id", "promotion_id", "discount")


@answers("Who paid which order?", needs={"orders": ["customer_id"]})
def of_persons(orders: ibis.Table | pd.DataFrame, persons: ibis.Table | pd.DataFrame) -> ibis.Table:
    """Who paid which order?

    Parameters
    ----------
    orders : Table
        order_id, customer_id, paid_at, amount (money); platform, channel, device, coupon_id, discount where known.
    persons : Table
        The mart: platform, customer_id, person_id.

    Returns
    -------
    Table
        One row per paid order of a known person: person_id, order_id, at (paid), day, amount (money, before returns),
        and what is known of `TRAITS`. Guests are not in it.
    """
    orders, persons = as_table(orders), as_table(persons)
    known = identity.with_person(orders, persons, named=identity.by_platform(None, orders))
    paid = known.filter(known.paid_at.notnull() & known.person_id.notnull())
    there = [c for c in TRAITS if c in paid.columns]
    return paid.select(
        "person_id", "order_id", *there, at=paid.paid_at, day=paid.paid_at.date(), amount=paid.amount.cast(MONEY)
    ).cache()


@answers("Who bought what, and when?", needs={"orders": ["customer_id"]})
def purchases(
    orders: ibis.Table | pd.DataFrame,
    persons: ibis.Table | pd.DataFrame,
    customers: ibis.Table | pd.DataFrame | None = None,
) -> ibis.Table:
    """Who bought what, and when?

    Parameters
    ----------
    orders : Table or DataFrame
        order_id, customer_id, paid_at, amount; platform, discount where there are. Guests' orders are left out.
    persons : Table or DataFrame
        The mart: platform, customer_id, person_id.
    customers : Table or DataFrame, optional
        Says whether customer numbers are told apart by platform (see `identity.by_platform`).

    Returns
    -------
    Table
        One row per paid order: person_id, order_id, platform, at (time paid), day, amount, discount (money, all
        discounts that are known).
    """
    rows, who = as_table(orders), as_table(persons)
    named = identity.by_platform(None if customers is None else as_table(customers), rows)
    paid = rows.filter(rows.paid_at.notnull() & rows.customer_id.notnull())
    paid = identity.with_person(paid, who, named=named)
    off = [paid[c].fill_null(0) for c in ("discount", "platform_discount", "creator_discount") if c in paid.columns]
    discount = sum(off[1:], off[0]) if off else ibis.literal(0)
    return (
        paid.filter(paid.person_id.notnull())
        .select(
            "person_id",
            "order_id",
            platform=paid.platform if "platform" in paid.columns else ibis.literal(""),
            at=paid.paid_at,
            day=paid.paid_at.date(),
            amount=paid.amount.cast(MONEY),
            discount=discount.cast(MONEY),
        )
        .cache()
    )


@answers("Whose are these rows?", needs={"table": ["customer_id"]})
def rows_of_persons(
    table: ibis.Table | pd.DataFrame,
    persons: ibis.Table | pd.DataFrame,
    customers: ibis.Table | pd.DataFrame | None = None,
) -> ibis.Table:
    """Whose are these rows? Any table with `customer_id`, with the person; rows of nobody known are left out.

    Parameters
    ----------
    table : Table or DataFrame
        Events, messages, tickets …
    persons : Table or DataFrame
        The mart.
    customers : Table or DataFrame, optional
        As in `purchases`.
    """
    rows = as_table(table)
    named = identity.by_platform(None if customers is None else as_table(customers), rows)
    there = identity.with_person(rows.filter(rows.customer_id.notnull()), as_table(persons), named=named)
    return there.filter(there.person_id.notnull())


@answers("What did each person buy?")
def lines(
    bought: ibis.Table | pd.DataFrame, order_items: ibis.Table | pd.DataFrame, products: ibis.Table | pd.DataFrame
) -> ibis.Table:
    """What did each person buy?

    Parameters
    ----------
    bought : Table
        From `of_persons`.
    order_items : Table
        order_id, product_id, quantity, amount; platform where known.
    products : Table
        product_id; category, brand where known.

    Returns
    -------
    Table
        One row per line: person_id, at, product_id, quantity, amount (money), and category, brand where known.
    """
    bought, items, products = as_table(bought), as_table(order_items), as_table(products)
    key = ["platform", "order_id"] if "platform" in bought.columns and "platform" in items.columns else ["order_id"]
    of_order = bought.select(*key, "person_id", "at")
    if key == ["order_id"]:  # where two platforms use a number, it says nothing of either
        number = of_order.mutate(_n=of_order.count().over(ibis.window(group_by="order_id")))
        of_order = number.filter(number._n == 1).drop("_n")
    traits = [c for c in ("category", "brand") if c in products.columns]
    about = products.group_by("product_id").aggregate(**{c: products[c].min() for c in traits})
    rows = items.select(*key, "product_id", "quantity", amount=items.amount.cast(MONEY)).inner_join(of_order, key)
    return rows.left_join(about, "product_id", rname="{name}_listed").drop("product_id_listed", *key).cache()


@answers("What is an order worth?")
def worth(bought: ibis.Table | pd.DataFrame) -> float:
    """What is an order worth? The mean of all paid orders of known persons (currency)."""
    return float(as_table(bought).amount.cast("float64").mean().execute() or 0.0)


def midnight(day: dt.date | dt.datetime) -> ibis.Value:
    """The first moment of a day, as the engine takes it."""
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))
