"""Facts: the few relations that every metric is added up over, with the day they count on and what they break down by.

===========  ===============================================  =========================
fact         one row per                                      counts on
===========  ===============================================  =========================
placed       order                                            the day it was placed
paid         paid order                                       the day it was paid
lines        line of a paid order                             the day the order was paid
returned     return                                           the day it was booked
returned_of  return, as part of the order it belongs to       the day that order was paid
===========  ===============================================  =========================

Those of visits, platforms' days, advertising and customers' first orders are in `playbook.metrics.reach`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import ibis

from ..missing import Missing, column_missing
from . import reach

if TYPE_CHECKING:
    from ..shop import Shop

ORDER_TRAITS = ("platform", "store", "channel", "device", "country", "region", "city")
PRODUCT_TRAITS = ("product_id", "product", "category", "brand", "role")
TIME_PARTS = ("day", "week", "month", "quarter", "weekday", "hour")
VISIT_TRAITS = ("source", "medium")
AD_TRAITS = ("ad_platform", "campaign_id", "campaign")
BREAKDOWNS = (*TIME_PARTS, *ORDER_TRAITS, "customer_type", *PRODUCT_TRAITS, *VISIT_TRAITS, *AD_TRAITS)


def fact(shop: Shop, name: str) -> ibis.Table | Missing:
    """The rows of a fact with their time in `at`; a Missing where the shop lacks what it is made of."""
    makers: dict[str, Callable[[Shop], ibis.Table | Missing]] = {
        "placed": _placed,
        "paid": _paid,
        "lines": _lines,
        "returned": _returned,
        "returned_of": _returned_of,
        "sessions": reach.sessions,
        "platform_days": reach.platform_days,
        "source_days": lambda of: reach.platform_days(of, by_source=True),
        "ads": reach.ads,
    } | {f"matured_{days}": partial(_matured, days=days) for days in reach.WINDOWS}
    return shop.kept(f"fact {name}", lambda: makers[name](shop))


def _matured(shop: Shop, days: int) -> ibis.Table | Missing:
    return reach.matured(fact(shop, "paid"), days)


def _placed(shop: Shop) -> ibis.Table | Missing:
    orders = shop.orders
    return orders if isinstance(orders, Missing) else orders.mutate(at=orders.ordered_at)


def _paid(shop: Shop) -> ibis.Table | Missing:
    orders = shop.orders
    if isinstance(orders, Missing):
        return orders
    paid = orders.filter(orders.paid_at.notnull())
    if "customer_id" in paid.columns:
        # a customer is new with the first order that she ever paid; ties in time go to the smaller order number
        paid = paid.mutate(buyer=_buyer(paid))
        first = ibis.row_number().over(group_by=[paid.buyer], order_by=[paid.paid_at, paid.order_id])
        kind = paid.customer_id.isnull().ifelse("guest", (first == 0).ifelse("new", "returning"))
        paid = paid.mutate(customer_type=kind)
    return paid.mutate(at=paid.paid_at)


def _lines(shop: Shop) -> ibis.Table | Missing:
    items, paid = shop.order_items, fact(shop, "paid")
    for part in (items, paid):
        if isinstance(part, Missing):
            return part
    lines = items.drop(*(c for c in ("ordered_at", *ORDER_TRAITS) if c in items.columns and c not in _key(items, paid)))
    of_order = ["customer_id", "buyer", "customer_type", "at", *ORDER_TRAITS]
    lines = lines.inner_join(_orders(paid, _key(items, paid), of_order), _key(items, paid))
    return _with_product(shop, lines)


def _returned(shop: Shop) -> ibis.Table | Missing:
    returns = shop.returns
    if isinstance(returns, Missing):
        return returns
    rows = returns.mutate(at=returns.returned_at)
    paid = fact(shop, "paid")
    if "order_id" in rows.columns and not isinstance(paid, Missing):
        key = _key(rows, paid)
        traits = [c for c in (*ORDER_TRAITS, "customer_type") if c in paid.columns and c not in rows.columns]
        if traits:
            rows = rows.left_join(_orders(paid, key, traits), key, rname="{name}_of_order")
            rows = rows.drop(*(f"{k}_of_order" for k in key if f"{k}_of_order" in rows.columns))
    return _with_product(shop, rows)


def _returned_of(shop: Shop) -> ibis.Table | Missing:
    returns, paid = shop.returns, fact(shop, "paid")
    for part in (returns, paid):
        if isinstance(part, Missing):
            return part
    if "order_id" not in returns.columns:
        return column_missing("returns", "order_id")
    key = _key(returns, paid)
    of_order = ["at", "customer_type", *ORDER_TRAITS]
    orders = _orders(paid, key, of_order)
    rows = returns.drop(*(c for c in ORDER_TRAITS if c in returns.columns and c not in key))
    return _with_product(shop, rows.inner_join(orders, key))


def _buyer(orders: ibis.Table) -> ibis.Value:
    """Who bought: a customer number is a platform's own, so the same one on two platforms is two customers."""
    if "platform" not in orders.columns:
        return orders.customer_id
    return orders.platform.fill_null("") + "/" + orders.customer_id


def _orders(paid: ibis.Table, key: list[str], traits: Sequence[str]) -> ibis.Table:
    """The orders to tie rows to, one for each key; where two platforms use a number, it says nothing of either."""
    there = [c for c in traits if c in paid.columns and c not in key]
    if "platform" in key or "platform" not in paid.columns:
        return paid.select(*key, *there)
    grouped = paid.group_by(key)
    agreed = {c: (paid[c].nunique() == 1).ifelse(paid[c].min(), ibis.null()) for c in there if c != "at"}
    return grouped.aggregate(**agreed, **({"at": paid["at"].min()} if "at" in there else {}))


def _key(rows: ibis.Table, orders: ibis.Table) -> list[str]:
    """What ties rows to their orders: the order number, within its platform where both say which."""
    both = "platform" in rows.columns and "platform" in orders.columns
    return ["platform", "order_id"] if both else ["order_id"]


def _with_product(shop: Shop, rows: ibis.Table) -> ibis.Table:
    products = shop.products
    if "product_id" not in rows.columns or isinstance(products, Missing):
        return rows
    traits = [c for c in ("name", "category", "brand", "role") if c in products.columns and c not in rows.columns]
    # a list of products may name one twice, and what is sold once must not be counted twice
    about = products.group_by("product_id").aggregate(**{t: products[t].min() for t in traits})
    rows = rows.left_join(about, "product_id", rname="{name}_listed").drop("product_id_listed")
    return rows.rename(product="name") if "name" in rows.columns else rows
