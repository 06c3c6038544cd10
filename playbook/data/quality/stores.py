"""Online and in stores: who buys where, from orders that say that a store sold them."""

from __future__ import annotations

import ibis
import pandas as pd

from ... import style
from ...findings import Figure, Finding
from ...language import _
from ...missing import Missing, answers, column_missing
from .. import identity
from ..engine import MONEY, as_table

STORES = ("store", "stores", "offline", "pos", "retail", "门店", "线下")
"""What `platform` or `channel` says of an order that a store of bricks sold."""

SIDES = ("online only", "store only", "both")


@answers("Who buys online, in stores, and both?")
def channels_joined(orders: ibis.Table, persons: ibis.Table | None) -> pd.DataFrame | Missing:
    """Who buys online, in stores, and both, and what do they bring?

    Parameters
    ----------
    orders : table or frame
        An order is a store's where its `platform` or its `channel` is one of `STORES`.
    persons : Table, optional
        The mart; without it each account is a person.

    Returns
    -------
    DataFrame
        One row per side (online only, store only, both): side, persons, share (of the persons who bought), orders,
        sales (money, after the merchant's discounts), sales_share (of the sales to known persons). Without rows where
        no order is a store's; ``attrs["notes"]`` then says so, else what unknown buyers bought in stores.
    """
    table = as_table(orders)
    paid = table.filter(table.paid_at.notnull()) if "paid_at" in table.columns else table
    said = [paid[c].lower().isin(STORES).fill_null(False) for c in ("platform", "channel") if c in paid.columns]
    paid = paid.mutate(_store=ibis.or_(*said) if said else ibis.literal(False))
    columns = ["side", "persons", "share", "orders", "sales", "sales_share"]
    if not paid["_store"].sum().to_pandas():
        frame = pd.DataFrame(columns=columns)
        frame.attrs["notes"] = [_("No order says that a store sold it (platform or channel “store”): all is online.")]
        return frame
    if "customer_id" not in paid.columns:
        return column_missing("orders", "customer_id")
    known = paid.filter(paid.customer_id.notnull())
    if persons is None:
        known = known.mutate(person_id=known.customer_id)
    else:
        known = identity.with_person(known, persons, named="platform" in known.columns)
    each = known.group_by("person_id").aggregate(
        _in_store=known["_store"].any(), _online=(~known["_store"]).any(),
        orders=known.count(), sales=known.amount.cast(MONEY).sum(),
    )  # fmt: skip
    side = ibis.cases(
        (each["_in_store"] & each["_online"], "both"), (each["_in_store"], "store only"), else_="online only"
    )
    found = each.mutate(side=side).group_by("side").aggregate(
        persons=lambda t: t.count(), orders=lambda t: t.orders.sum(), sales=lambda t: t.sales.sum()
    )  # fmt: skip
    frame = found.to_pandas().set_index("side").reindex(SIDES, fill_value=0).rename_axis("side").reset_index()
    frame["sales"] = frame.sales.astype(float)
    frame["share"] = frame.persons / max(1, frame.persons.sum())
    frame["sales_share"] = frame.sales / frame.sales.sum() if frame.sales.sum() else float("nan")
    guests = paid.filter(paid["_store"], paid.customer_id.isnull())
    n, amount = guests.aggregate(n=guests.count(), _amount=guests.amount.cast(MONEY).sum()).to_pandas().iloc[0]
    text = _("{n} orders of stores ({sales}) carry no customer number: whose they are is not known.")
    said_of = {"n": style.value(int(n), "count"), "sales": style.value(float(amount or 0), "currency")}
    frame.attrs["notes"] = [text.format(**said_of)] if n else []
    return frame[columns]


def channels_findings(joined: pd.DataFrame | Missing) -> list[Finding] | Missing:
    """How many buy both online and in stores, and what do they bring? Nothing where there are no stores."""
    if isinstance(joined, Missing):
        return joined.quiet()
    if joined.empty:
        return []
    both = joined.set_index("side").loc["both"]
    text = _("{share} of the persons who buy do so both online and in stores; they bring {sales} of the sales.")
    figures = (Figure("both_share", both.share, "share"), Figure("both_sales_share", both.sales_share, "share"))
    said = {"share": style.value(both.share, "share"), "sales": style.value(both.sales_share, "share")}
    return [Finding("hold", text.format(**said), None, figures)]
