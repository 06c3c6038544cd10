"""Signs of orders that nobody wanted: each a rule that can be said in a sentence, with the points that it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import pandas as pd
from scipy import stats

from ...language import N_, _
from ...methods.multiplicity import benjamini_hochberg

ACCOUNTS = 3
"""Accounts of one platform that share an address, a device or a telephone, from which on it is a sign."""
WINDOW = 30
"""Minutes of a burst."""
BURST = 4
"""Fewest orders of a burst."""
SURPRISE = 1e-4
"""A burst is one where so many orders from one place are less likely than this."""
NIGHT = (1, 5)
"""Hours of the shop's clock in which few people shop: from, and before."""
AGAIN, AGAIN_DAYS = 3, 14
"""Orders of one product by one account within so many days."""
PRAISE_DAYS = 3
"""Days within which five stars come suspiciously soon after the order."""
SAME_GOODS, SAME_ORDERS = 0.4, 6
"""Part of a shared place's orders that are for one product, and fewest orders there."""
REFUNDED, REFUNDS = 0.6, 3
"""Part of an account's orders that were refunded, and fewest of them."""
ERRORS = 0.05
"""Part of the accounts called refund loops that may be innocent (false discovery rate)."""


@dataclass(frozen=True)
class Rule:
    """A sign: its points, what it says, and the columns of orders without which it is silent."""

    name: str
    points: int
    says: str
    needs: tuple[str, ...] = ()


RULES = (
    Rule("shared_address", 2, N_("three accounts or more of one platform have it sent to one address"),
         ("customer_id", "address_hash")),
    Rule("shared_device", 2, N_("three accounts or more of one platform order from one device"),
         ("customer_id", "device_hash")),
    Rule("shared_phone", 1, N_("three accounts or more of one platform give one telephone number"),
         ("customer_id", "phone_hash")),
    Rule("burst", 2, N_("within half an hour more orders of one product come from one town than chance allows"),
         ("region",)),
    Rule("same_goods", 1, N_("accounts that share an address or device order one product again and again"),
         ("customer_id",)),
    Rule("again", 1, N_("one account orders one product three times within two weeks"), ("customer_id",)),
    Rule("night", 1, N_("ordered between one and five at night")),
    Rule("praise", 1, N_("five stars within three days of the order")),
    Rule("refund_loop", 4, N_("the account keeps the goods and has more of its orders refunded than chance allows"),
         ("customer_id",)),
)  # fmt: skip
REVIEW = 3
"""Points from which on a person should look at an order."""


def evidence(
    orders: ibis.Table,
    items: ibis.Table | None,
    returns: ibis.Table | None,
    reviews: ibis.Table | None,
) -> tuple[ibis.Table, list[str]]:
    """Every paid order with a column of 0 or 1 for each rule, and the names of rules that these data cannot hold."""
    key = [c for c in ("platform", "order_id") if c in orders.columns]
    rows = orders
    for c in ("platform", "customer_id", "region", "city", *SHARED.values()):
        if c not in rows.columns:
            rows = rows.mutate(**{c: ibis.null("string")})
    rows = rows.mutate(platform=rows.platform.fill_null(""))
    if items is not None:
        link = [c for c in key if c in items.columns]
        goods = items.group_by(link).aggregate(product=items.product_id.min())
        rows = rows.left_join(goods, link, rname="{name}_of_line").drop(*(f"{c}_of_line" for c in link))
    else:
        rows = rows.mutate(product=ibis.null("string"))
    rows = rows.mutate(second=rows.ordered_at.epoch_seconds())
    silent = {r.name for r in RULES if any(c not in orders.columns for c in r.needs)}
    silent |= {"praise"} if reviews is None or "order_id" not in reviews.columns else set()
    silent |= {"refund_loop"} if returns is None or "order_id" not in returns.columns else set()
    silent |= {"burst", "again", "same_goods"} if items is None else set()
    makers: dict[str, Callable[[], ibis.Value]] = {
        "shared_address": lambda: _shared(rows, "address_hash"),
        "shared_device": lambda: _shared(rows, "device_hash"),
        "shared_phone": lambda: _shared(rows, "phone_hash"),
        "night": lambda: (rows.ordered_at.hour() >= NIGHT[0]) & (rows.ordered_at.hour() < NIGHT[1]),
        "again": lambda: _again(rows),
    }
    rows = rows.mutate(**{name: _flag(make()) if name not in silent else _no() for name, make in makers.items()})
    rows = rows.mutate(same_goods=_flag(_same_goods(rows)) if "same_goods" not in silent else _no())
    rows = _burst(rows) if "burst" not in silent else rows.mutate(burst=_no())
    rows = _praise(rows, reviews, key) if "praise" not in silent else rows.mutate(praise=_no())
    rows = _loops(rows, returns, key) if "refund_loop" not in silent else rows.mutate(refund_loop=_no())
    return rows, [r.name for r in RULES if r.name in silent]


SHARED = {"shared_address": "address_hash", "shared_device": "device_hash", "shared_phone": "phone_hash"}


def _flag(condition: ibis.Value) -> ibis.Value:
    return condition.fill_null(False).cast("int8")


def _no() -> ibis.Value:
    return ibis.literal(0, "int8")


def _shared(rows: ibis.Table, column: str) -> ibis.Value:
    """Whether several accounts of the order's platform share it; a guest has no account."""
    accounts = rows.customer_id.nunique().over(ibis.window(group_by=[rows.platform, rows[column]]))
    return rows[column].notnull() & (accounts >= ACCOUNTS)


def _again(rows: ibis.Table) -> ibis.Value:
    around = ibis.range_window(
        preceding=AGAIN_DAYS * 86_400, following=AGAIN_DAYS * 86_400,
        group_by=[rows.platform, rows.customer_id, rows["product"]], order_by=rows.second,
    )  # fmt: skip
    return rows.customer_id.notnull() & rows["product"].notnull() & (rows.order_id.count().over(around) >= AGAIN)


def _same_goods(rows: ibis.Table) -> ibis.Value:
    """Whether the order's product makes up a large part of what goes to its shared address, device or telephone."""
    found = ibis.literal(False)
    for rule, column in SHARED.items():
        place = [rows.platform, rows[column]]
        there = rows.order_id.count().over(ibis.window(group_by=place))
        of_it = rows.order_id.count().over(ibis.window(group_by=[*place, rows["product"]]))
        found = found | ((rows[rule] == 1) & (there >= SAME_ORDERS) & (of_it >= SAME_GOODS * there))
    return found & rows["product"].notnull()


def _burst(rows: ibis.Table) -> ibis.Table:
    """Marks orders in whose half hour their town ordered the product oftener than its part of all orders explains."""
    rows = rows.mutate(place=rows.region.fill_null("") + "/" + rows.city.fill_null(""))
    around = {"preceding": WINDOW * 60, "following": WINDOW * 60, "order_by": rows.second}
    here = rows.order_id.count().over(
        ibis.range_window(**around, group_by=[rows.platform, rows["product"], rows.place])
    )
    all_ = rows.order_id.count().over(ibis.range_window(**around, group_by=[rows.platform, rows["product"]]))
    part = rows.order_id.count().over(ibis.window(group_by=rows.place)) / rows.order_id.count().over(ibis.window())
    rows = rows.mutate(_here=here, _all=all_, _part=part)
    rows = rows.mutate(_fit=(rows["product"].notnull()) & rows.region.notnull() & (rows["_here"] >= BURST))
    few = rows.filter(rows["_fit"]).select("_here", "_all", "_part").distinct().to_pandas()
    # given how many of the product were ordered anywhere in that time, each from there with the town's chance
    few = few[stats.binom.sf(few["_here"] - 1, few["_all"], few["_part"]) < SURPRISE]
    if few.empty:
        return rows.mutate(burst=_no()).drop("_here", "_all", "_part", "_fit", "place")
    table = ibis.memtable(few.assign(_odd=1).drop_duplicates())
    rows = rows.left_join(table, ["_here", "_all", "_part"], rname="{name}_odd")
    rows = rows.mutate(burst=_flag(rows["_fit"] & (rows["_odd"] == 1)))
    return rows.drop(*[c for c in rows.columns if c.startswith("_")], "place")


def _praise(rows: ibis.Table, reviews: ibis.Table | None, key: list[str]) -> ibis.Table:
    assert reviews is not None
    link = [c for c in key if c in reviews.columns]
    first = reviews.filter(reviews.order_id.notnull()).group_by(link)
    if "rating" not in reviews.columns:
        return rows.mutate(praise=_no())
    told = first.aggregate(_said=reviews.reviewed_at.min(), _stars=reviews.rating.min())
    rows = rows.left_join(told, link, rname="{name}_of_review").drop(*(f"{c}_of_review" for c in link))
    soon = rows["_said"].epoch_seconds() - rows.second <= PRAISE_DAYS * 86_400
    return rows.mutate(praise=_flag(soon & (rows["_stars"] >= 5))).drop("_said", "_stars")


def _loops(rows: ibis.Table, returns: ibis.Table | None, key: list[str]) -> ibis.Table:
    """Marks orders of accounts that have more refunded than the shop's rate explains (binomial tests, FDR held)."""
    assert returns is not None
    link = [c for c in key if c in returns.columns]
    kept = returns.order_id.notnull()
    if {"kind", "reason"} <= set(returns.columns):  # the goods stayed with the buyer, and had been sent
        kept = kept & (returns.kind == "refund_only") & (returns.reason.fill_null("") != "cancelled")
    back = returns.filter(kept).select(*link).distinct().mutate(_back=1)
    rows = rows.left_join(back, link, rname="{name}_of_return").drop(*(f"{c}_of_return" for c in link))
    rows = rows.mutate(_back=rows["_back"].fill_null(0))
    known = rows.filter(rows.customer_id.notnull())
    account = ["platform", "customer_id"]
    counts = known.group_by(account).aggregate(n=known.order_id.count(), k=known["_back"].sum())
    shapes = counts.group_by("n", "k").aggregate(accounts=counts.count()).to_pandas()
    if shapes.empty:
        return rows.mutate(refund_loop=_no()).drop("_back")
    rate = (shapes["k"] * shapes["accounts"]).sum() / (shapes["n"] * shapes["accounts"]).sum()
    p = pd.Series(stats.binom.sf(shapes["k"] - 1, shapes["n"], rate), shapes.index)
    repeated = p.repeat(shapes["accounts"])
    q = benjamini_hochberg(repeated.reset_index(drop=True)).groupby(repeated.index).first()
    odd = shapes[(q <= ERRORS) & (shapes["k"] >= REFUNDS) & (shapes["k"] >= REFUNDED * shapes["n"])]
    if odd.empty:
        return rows.mutate(refund_loop=_no()).drop("_back")
    marked = counts.inner_join(ibis.memtable(odd[["n", "k"]]), ["n", "k"]).select(*account).mutate(_loop=1)
    rows = rows.left_join(marked, account, rname="{name}_of_loop").drop(*(f"{c}_of_loop" for c in account))
    return rows.mutate(refund_loop=_flag(rows["_loop"] == 1)).drop("_loop", "_back")


def points() -> pd.DataFrame:
    """The rules with their points and what they say."""
    return pd.DataFrame(
        [(r.name.replace("_", " "), r.points, _(r.says)) for r in RULES], columns=["signs", "points", "says"]
    )
