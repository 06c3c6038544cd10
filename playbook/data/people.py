"""People: the marts that say who is behind an account, and all that is known of a person.

Sums are the shop's own: an order counts when it is paid, and what the persons bought and what guests bought add up to
all that was sold, to the cent. What a shop lacks is a column less.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis

from ..missing import Missing
from . import identity
from .engine import MONEY
from .marts import Inputs

LATEST = ("gender", "birth_year", "country", "region", "city", "city_tier", "income", "occupation", "education", "tier")
"""Traits that the account made last tells best."""


def persons(inputs: Inputs) -> ibis.Table | Missing:
    """Who is behind each account?

    Returns
    -------
    Table
        One row per account: platform, customer_id, person_id, accounts (of that person).
    """
    customers, orders = _accounts(inputs)
    if customers is None and orders is None:
        return inputs.table("customers")
    rows = identity.persons(customers, orders, _resolved(inputs), key=inputs.key)
    return rows.order_by("platform", "customer_id")


def links(inputs: Inputs) -> ibis.Table | Missing:
    """What links accounts (the columns are those of `identity.Identity.links`)?"""
    return _found(inputs, "links", {c: "string" for c in identity.LINK_COLUMNS} | {"used": "boolean"})


def conflicts(inputs: Inputs) -> ibis.Table | Missing:
    """What do too many accounts share (the columns are those of `identity.Identity.conflicts`)?"""
    schema = {"kind": "string", "hash": "string", "accounts": "int64", "platforms": "int64"}
    return _found(inputs, "conflicts", schema)


def _accounts(inputs: Inputs) -> tuple[ibis.Table | None, ibis.Table | None]:
    """The tables that name accounts."""
    tables = (inputs.table(name) for name in ("customers", "orders"))
    customers, orders = (None if isinstance(t, Missing) or "customer_id" not in t.columns else t for t in tables)
    return customers, orders


def _resolved(inputs: Inputs) -> identity.Identity:
    if "identity" not in inputs.memo:
        inputs.memo["identity"] = identity.resolve(*_accounts(inputs))
    return inputs.memo["identity"]


def _found(inputs: Inputs, what: str, schema: Mapping[str, str]) -> ibis.Table | Missing:
    customers, orders = _accounts(inputs)
    if customers is None and orders is None:
        return inputs.table("customers")
    return ibis.memtable(getattr(_resolved(inputs), what), schema=ibis.schema(dict(schema)))


def customer_360(inputs: Inputs) -> ibis.Table | Missing:
    """What is known of each person?

    Returns
    -------
    Table
        One row per person, who has an account with the shop or paid an order; absent inputs give absent columns.

        - person_id; accounts, platforms (how many), platforms_used (names)
        - orders (paid); gross_sales, sales (after the merchant's discounts), returned, net_sales (money); returns; aov
          (money per order); first_order_at, last_order_at, seen_at (first known of), recency_days, tenure_days
        - main_platform, device, favourite_category: where most orders (units) are; channel: that brought her
        - gender, birth_year, age (years at `as_of`), country, region, city, city_tier, income, occupation, education,
          tier; consent_marketing (false where any account refuses), consent_at
        - tickets, ticket_rating, reviews, rating (mean, 1 to 5), messages, messages_opened, points
    """
    who = inputs.mart("persons")
    if isinstance(who, Missing):
        return who
    tables = {
        name: table
        for name in (
            "customers",
            "orders",
            "order_items",
            "products",
            "returns",
            "tickets",
            "reviews",
            "messages",
            "points",
        )
        if not isinstance(table := inputs.table(name), Missing)
    }
    customers, orders = tables.get("customers"), tables["orders"]
    named = identity.by_platform(customers, orders)

    def persons_of(table: ibis.Table) -> ibis.Table:
        there = identity.with_person(table, who, named=named)
        return there.filter(there.person_id.notnull())

    everyone = who.group_by("person_id").aggregate(accounts=who.count(), **_platforms(who, named))
    parts: list[ibis.Table | None] = []
    if customers is not None:
        parts.append(_traits(persons_of(customers), inputs.as_of))
    if "customer_id" in orders.columns:
        bought = persons_of(orders)
        paid = bought.filter(bought.paid_at.notnull())
        parts += [_sales(paid), _returned(tables.get("returns"), bought, persons_of)]
        parts += [_most(paid, c, as_name) for c, as_name in (("platform", "main_platform"), ("device", "device"))]
        parts.append(_favourite(tables.get("order_items"), tables.get("products"), paid))
        parts += [_first(paid, c) for c in ("channel", "region", "city") if not _told(customers, c)]
    parts += [_counted(name, tables.get(name), persons_of) for name in COUNTS]
    return _finished(_joined(everyone, [p for p in parts if p is not None]), inputs.as_of)


COUNTS: Mapping[str, Mapping[str, str]] = {
    "tickets": {"ticket_rating": "rating"},
    "reviews": {"rating": "rating"},
    "messages": {"messages_opened": "opened_at"},
    "points": {},
}


def _platforms(who: ibis.Table, named: bool) -> dict[str, ibis.Value]:
    if not named:
        return {}
    return {
        "platforms": who.platform.nunique(),
        "platforms_used": who.platform.collect(distinct=True).sort().join(", "),
    }


def _traits(customers: ibis.Table, as_of: dt.datetime) -> ibis.Table:
    """What the accounts say of the person; of two that differ, the one made last is believed."""
    when = customers.registered_at if "registered_at" in customers.columns else ibis.null("timestamp")
    order = [ibis.desc(when.fill_null(ibis.timestamp("1900-01-01"))), customers.customer_id]
    if "platform" in customers.columns:
        order.append(customers.platform)
    t = customers.mutate(_place=ibis.row_number().over(ibis.window(group_by="person_id", order_by=order)))
    out = {c: t[c].argmin(t._place, where=t[c].notnull()) for c in LATEST if c in t.columns}
    if "channel" in t.columns:  # the first account's: what brought her
        out["channel"] = t.channel.argmax(t._place, where=t.channel.notnull())
    if "age" in t.columns and "birth_year" not in t.columns:
        out["age"] = t.age.max()
    if "registered_at" in t.columns:
        out["registered_at"] = t.registered_at.min()
    if "consent_marketing" in t.columns:
        out["consent_marketing"] = t.consent_marketing.cast("int8").min().cast("boolean")
        if "consent_at" in t.columns:
            out["consent_at"] = t.consent_at.max()
    return t.group_by("person_id").aggregate(**(out or {"_rows": t.count()}))


def _sales(paid: ibis.Table) -> ibis.Table:
    amount = paid.amount.cast(MONEY)
    discount = paid.discount.fill_null(0).cast(MONEY) if "discount" in paid.columns else ibis.literal(0).cast(MONEY)
    return paid.group_by("person_id").aggregate(
        orders=paid.count(), sales=amount.sum(), gross_sales=(amount + discount).sum(),
        first_order_at=paid.paid_at.min(), last_order_at=paid.paid_at.max(),
    )  # fmt: skip


def _returned(returns: ibis.Table | None, bought: ibis.Table, persons_of) -> ibis.Table | None:
    """Returns by the person whose they are: as they say themselves, else as their order does."""
    if returns is None:
        return None
    t = returns.mutate(_return=ibis.row_number())
    parts = []
    if "customer_id" in t.columns:
        parts.append(persons_of(t.filter(t.customer_id.notnull())).select("person_id", "amount"))
        t = t.filter(t.customer_id.isnull())
    if "order_id" in t.columns:
        same = ["order_id", *(c for c in ("platform",) if c in t.columns and c in bought.columns)]
        owners = bought.group_by(*same).aggregate(person_id=bought.person_id.min())
        parts.append(t.inner_join(owners, same).select("person_id", "amount"))
    if not parts:
        return None
    whole = parts[0] if len(parts) == 1 else ibis.union(*parts)
    return whole.group_by("person_id").aggregate(returns=whole.count(), returned=whole.amount.cast(MONEY).sum())


def _most(table: ibis.Table, column: str, name: str, weight: str | None = None) -> ibis.Table | None:
    """The value of a column that a person has most often; of equals, the first by name."""
    if column not in table.columns:
        return None
    said = table.filter(table[column].notnull())
    counted = said.group_by("person_id", _value=said[column]).aggregate(
        _n=said.count() if weight is None else said[weight].sum()
    )
    order = [ibis.desc(counted._n), counted._value]
    placed = counted.mutate(_place=ibis.row_number().over(ibis.window(group_by="person_id", order_by=order)))
    return placed.filter(placed._place == 0).select("person_id", **{name: placed._value})


def _favourite(items: ibis.Table | None, products: ibis.Table | None, paid: ibis.Table) -> ibis.Table | None:
    if items is None or products is None or "category" not in products.columns:
        return None
    same = ["order_id", *(c for c in ("platform",) if c in items.columns and c in paid.columns)]
    kinds = products.group_by("product_id").aggregate(category=products.category.max())
    owned = items.select(*same, "product_id", "quantity").inner_join(paid.select(*same, "person_id").distinct(), same)
    return _most(owned.inner_join(kinds, "product_id"), "category", "favourite_category", "quantity")


def _told(table: ibis.Table | None, column: str) -> bool:
    return table is not None and column in table.columns


def _first(paid: ibis.Table, column: str) -> ibis.Table | None:
    """What a person's first order says that says anything."""
    if column not in paid.columns:
        return None
    order = [paid.paid_at, paid.order_id]
    t = paid.mutate(_place=ibis.row_number().over(ibis.window(group_by="person_id", order_by=order)))
    return t.group_by("person_id").aggregate(**{column: t[column].argmin(t._place, where=t[column].notnull())})


def _counted(name: str, table: ibis.Table | None, persons_of) -> ibis.Table | None:
    if table is None or "customer_id" not in table.columns:
        return None
    there = persons_of(table)
    out = {name: there.count() if name != "points" else there.points.sum()}
    for column, of in COUNTS[name].items():
        if of in there.columns:
            out[column] = there[of].mean() if of == "rating" else there[of].count()
    return there.group_by("person_id").aggregate(**out)


def _joined(everyone: ibis.Table, parts: list[ibis.Table]) -> ibis.Table:
    for part in parts:
        everyone = everyone.left_join(part, "person_id", rname="{name}_right").drop("person_id_right")
    return everyone


def _finished(t: ibis.Table, as_of: dt.datetime) -> ibis.Table:
    """With nothing where there is nothing, and what follows from the rest."""
    none = (
        "orders",
        "returns",
        "tickets",
        "reviews",
        "messages",
        "messages_opened",
        "points",
        "returned",
        "sales",
        "gross_sales",
    )
    t = t.mutate(**{c: t[c].fill_null(0).cast(t[c].type()) for c in none if c in t.columns})
    now = ibis.timestamp(as_of)
    out: dict[str, ibis.Value] = {}
    if "sales" in t.columns:
        out["net_sales"] = (t.sales - t.returned if "returned" in t.columns else t.sales).cast(MONEY)
        out["aov"] = (t.orders > 0).ifelse((t.sales / t.orders.nullif(0)).cast(MONEY), ibis.null())
        out["recency_days"] = now.date().delta(t.last_order_at.date(), unit="day")
    starts = [t[c] for c in ("registered_at", "first_order_at") if c in t.columns]
    if starts:
        out["seen_at"] = starts[0] if len(starts) == 1 else ibis.least(*starts)
        out["tenure_days"] = now.date().delta(out["seen_at"].date(), unit="day")
    if "birth_year" in t.columns:
        out["age"] = as_of.year - t.birth_year
    drop = [c for c in ("registered_at", "_rows") if c in t.columns]
    return t.mutate(**out).drop(*drop).order_by("person_id")
