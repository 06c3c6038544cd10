"""Sales and spending as one thing to be cut: orders with all their costs, and the advertising that was paid for."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...language import _
from ...missing import answers

LEVELS = ("campaign", "account", "creative", "keyword")
"""Advertising is told at several levels that repeat each other: of a platform and day the first of these counts."""

CREDITED = 0.9
"""Part of the sales of which the channel must be told before a low return is the channel's own."""

DIMENSIONS = ("channel", "campaign", "category", "product_id", "month", "region")


@dataclass(frozen=True)
class Cube:
    """Sales and spending to be cut by channel, campaign, category, product, month and region.

    Attributes
    ----------
    sales : Table
        One row per line of a paid order (per order where the lines are not known): key (of the order), channel,
        campaign, category, product_id, month, region; amount, returned, goods, fees, carriage, kept (what is left of
        amount; money).
    spend : Table
        One row per advertising day and unit of one level: channel, campaign, month, region; spend, claimed (money).
    spend_by, sales_by : tuple of str
        Which of `DIMENSIONS` spending and sales are told by.
    credited : float
        Part of all sales of which the channel is told; the rest is in no row.
    notes : tuple of str
        What could not be taken into account.
    """

    sales: ibis.Table
    spend: ibis.Table
    spend_by: tuple[str, ...]
    sales_by: tuple[str, ...]
    credited: float
    notes: tuple[str, ...]


@answers("What did orders cost and leave, by what brought them?", needs={"orders": ["channel"]})
def cube(
    orders: ibis.Table | pd.DataFrame, ad_spend: ibis.Table | pd.DataFrame,
    returns: ibis.Table | pd.DataFrame | None = None, order_items: ibis.Table | pd.DataFrame | None = None,
    products: ibis.Table | pd.DataFrame | None = None, settlements: ibis.Table | pd.DataFrame | None = None,
    shipments: ibis.Table | pd.DataFrame | None = None, *, since: dt.date, until: dt.date,
) -> Cube:  # fmt: skip
    """What did orders cost and leave, by what brought them?

    Returns, fees and carriage of an order are shared out over its lines by their amounts.

    Parameters
    ----------
    orders : Table
        order_id, paid_at, amount (money), channel (that the platform credits); platform, campaign_id, region.
    ad_spend : Table
        day, platform, level, spend (money), channel; campaign, region, conversion_value.
    returns, settlements, shipments : Table, optional
        order_id and amount, amount (negative: kept by the platform) or cost.
    order_items, products : Table, optional
        order_id, product_id, quantity, amount; product_id, unit_cost, category.
    since, until : date
        Orders paid, and advertising, from the one up to, not including, the other.
    """
    notes: list[str] = []
    paid = as_table(orders)
    paid = paid.filter((paid.paid_at >= _midnight(since)) & (paid.paid_at < _midnight(until)))
    traits = {c: paid[c] if c in paid.columns else ibis.null("string") for c in ("channel", "region")}
    campaign = paid.campaign_id if "campaign_id" in paid.columns else ibis.null("string")
    platform = paid.platform.fill_null("") if "platform" in paid.columns else ibis.literal("")
    rows = paid.select(
        platform=platform, order_id=paid.order_id, **traits, campaign=campaign, amount=paid.amount.cast("float64"),
        month=paid.paid_at.strftime("%Y-%m"),
    )  # fmt: skip
    told, whole = (
        float(x or 0)
        for x in rows.aggregate(told=rows.amount.sum(where=rows.channel.notnull()), whole=rows.amount.sum())
        .to_pandas()
        .fillna(0)
        .iloc[0]
    )
    credited = told / whole if whole > 0 else math.nan
    if credited < CREDITED:
        note = _("REVIEW: platforms say of {share} of sales which channel brought them; returns are short of the rest.")
        notes.append(note.format(share=style.value(credited, "share")))
    rows = rows.filter(rows.channel.notnull())
    kept_apart: tuple[tuple[str, ibis.Table | pd.DataFrame | None, str, str], ...] = (
        ("returned", returns, "amount", _("REVIEW: no data on returns, so nothing is taken off for them.")),
        ("fees", settlements, "amount", _("REVIEW: no settlements, so no platform fees are taken off.")),
        ("carriage", shipments, "cost", _("REVIEW: no cost of carriage, so none is taken off.")),
    )
    for name, table, column, note in kept_apart:
        if table is None or not {"order_id", column} <= set(table.columns):
            notes.append(note)
            rows = rows.mutate(**{name: ibis.literal(0.0)})
            continue
        rows = _with_cost(rows, as_table(table), name, column)
    sales = _by_line(rows, order_items, products, notes)
    left = sales.amount - sales.returned - sales.goods - sales.fees - sales.carriage
    sales = sales.mutate(kept=left).cache()
    spend = paid_for(as_table(ad_spend), since, until).cache()
    return Cube(sales, spend, _told(spend), _told(sales), credited, tuple(notes))


def _with_cost(rows: ibis.Table, table: ibis.Table, name: str, column: str) -> ibis.Table:
    """Orders with what something cost each of them."""
    amount = table[column]
    if name == "fees":  # what a platform keeps of an order; corrections of earlier bookings are none
        table = table.filter((amount < 0) & ~table.kind.isin(["adjustment", "refund"]))
        amount = -table[column]
    key = ["platform", "order_id"] if "platform" in table.columns else ["order_id"]
    there = {"platform": table.platform.fill_null("")} if "platform" in table.columns else {}
    table = table.select(**there, order_id=table.order_id, _cost=amount.cast("decimal(18, 4)"))
    cost = table.group_by(key).aggregate(_cost=table._cost.sum().cast("float64"))
    joined = rows.left_join(cost, key)
    joined = joined.mutate(**{name: joined._cost.fill_null(0.0)})
    return joined.drop("_cost", *(c for c in joined.columns if c.endswith("_right")))


def _by_line(
    rows: ibis.Table, order_items: ibis.Table | pd.DataFrame | None, products: ibis.Table | pd.DataFrame | None,
    notes: list[str],
) -> ibis.Table:  # fmt: skip
    """Orders split into their lines, so that all that is told of an order still adds up."""
    rows = rows.mutate(key=rows.platform + "/" + rows.order_id)
    money = ["amount", "returned", "fees", "carriage"]
    same = ["key", "channel", "campaign", "region", "month"]
    if order_items is None:
        notes.append(
            _("REVIEW: no lines of orders, so sales are not told by product and no cost of goods is taken off.")
        )
        nothing = {c: ibis.null("string") for c in ("product_id", "category")}
        return rows.select(*same, *money, goods=ibis.literal(0.0), **nothing)
    lines = as_table(order_items)
    key = ["platform", "order_id"] if "platform" in lines.columns else ["order_id"]
    there = {"platform": lines.platform.fill_null("")} if "platform" in lines.columns else {}
    lines = lines.select(
        **there, order_id=lines.order_id, product_id=lines.product_id, quantity=lines.quantity,
        of_line=lines.amount.cast("float64"),
    )  # fmt: skip
    whole = ibis.window(group_by=key)
    n, total = lines.count().over(whole), lines.of_line.sum().over(whole)
    lines = lines.mutate(part=(total > 0).ifelse(lines.of_line / total, 1 / n))
    joined = rows.left_join(lines, key)
    joined = joined.drop(*(c for c in joined.columns if c.endswith("_right")))
    if products is None or "unit_cost" not in products.columns:
        notes.append(_("REVIEW: no cost of goods, so what is left is before it."))
        joined = joined.mutate(goods=ibis.literal(0.0), category=ibis.null("string"))
    else:
        listed = as_table(products)
        category = listed.category.min() if "category" in listed.columns else ibis.null("string")
        about = listed.group_by("product_id").aggregate(
            unit_cost=listed.unit_cost.max().cast("float64"), category=category
        )
        joined = joined.left_join(about, "product_id").drop("product_id_right")
        joined = joined.mutate(goods=(joined.quantity * joined.unit_cost).fill_null(0.0))
    part = joined.part.fill_null(1.0)
    shared = {c: joined[c] * part for c in money}
    return joined.select(*same, "product_id", "category", "goods", **shared)


@answers("What was spent on which channel?", needs={"ad_spend": ["channel"]})
def spending(ad_spend: ibis.Table | pd.DataFrame, *, since: dt.date, until: dt.date) -> pd.DataFrame:
    """What was spent on which channel from a day up to, not including, another?

    Returns
    -------
    DataFrame
        channel, spend (money).
    """
    rows = paid_for(as_table(ad_spend), since, until)
    found = rows.group_by("channel").aggregate(spend=rows.spend.sum()).order_by("channel").to_pandas()
    return found.astype({"spend": float})


def paid_for(table: ibis.Table, since: dt.date, until: dt.date) -> ibis.Table:
    """Advertising of one level a platform and day: the levels repeat each other."""
    table = table.filter((table.day >= ibis.literal(since)) & (table.day < ibis.literal(until)))
    rank = ibis.cases(*((table.level == name, i) for i, name in enumerate(LEVELS)), else_=len(LEVELS))
    table = table.mutate(_rank=rank)
    best = table._rank.min().over(ibis.window(group_by=["platform", "day"]))
    table = table.mutate(_best=best).filter(lambda t: t._rank == t._best)
    names = {c: table[c] if c in table.columns else ibis.null("string") for c in ("channel", "region")}
    if "campaign" in table.columns:
        names["campaign"] = table.campaign
    else:
        names["campaign"] = table.campaign_id if "campaign_id" in table.columns else ibis.null("string")
    claimed = table.conversion_value if "conversion_value" in table.columns else ibis.null("decimal(18, 4)")
    return table.select("day", **names, month=table.day.strftime("%Y-%m"), spend=table.spend, claimed=claimed)


def _told(rows: ibis.Table) -> tuple[str, ...]:
    there = [d for d in DIMENSIONS if d in rows.columns]
    known = rows.aggregate(**{d: rows[d].count() for d in there}).to_pandas().iloc[0]
    return tuple(d for d in there if known[d] > 0)


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))
