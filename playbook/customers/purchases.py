"""Purchases by person: paid orders, whatever account they were made with."""

from __future__ import annotations

import ibis
import pandas as pd

from ..data import identity
from ..data.engine import MONEY, as_table
from ..missing import answers


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
def of_persons(
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
