"""The rules that rows are held against, as data: what must be filled, which values can be, what must be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...language import N_

DIMENSIONS = ("completeness", "uniqueness", "validity", "freshness", "references")

MONEY_TABLES = ("orders", "returns")
"""What net sales are made of: a broken row in them is a wrong figure, not only a thin breakdown."""


@dataclass(frozen=True)
class Rule:
    """What each row of a table must satisfy; a row whose columns are empty is not held against it.

    Attributes
    ----------
    columns : tuple of str
        The columns that it speaks of; a shop that lacks one of them is not held against the rule.
    holds : callable
        From the table to a boolean column.
    """

    table: str
    text: str
    columns: tuple[str, ...]
    holds: Callable[[Any], Any]


STATUS = ("placed", "paid", "shipped", "completed", "cancelled", "closed")

_MAY_BE_EMPTY = {
    "orders": "customer_id paid_at discount platform_discount creator_discount status campaign_id coupon_id "
    "promotion_id shipped_at delivered_at payment_method note",
    "order_items": "sku gift discount",
    "returns": "order_id customer_id product_id quantity reason",
    "settlements": "order_id",
    "customers": "gender birth_year age income occupation education consent_at consent_marketing tier person_id",
    "events": "customer_id page product_id order_id value search_term source medium campaign dwell_seconds session_id",
    "traffic": "product_id source",
    "touchpoints": "customer_id campaign_id order_id cost",
    "ad_spend": "campaign_id campaign keyword creative_id region audience",
    "messages": "campaign_id delivered_at opened_at clicked_at unsubscribed_at holdout",
    "points": "order_id value",
    "products": "retired_on launched_on usage_days name_en category_en",
    "prices": "list_price",
    "competitors": "product_id list_price",
    "market": "seller",
    "reviews": "customer_id order_id text rating",
    "mentions": "product_id brand",
    "surveys": "answer score customer_id",
    "assessments": "evidence",
    "experiments": "exposed_arm value converted",
    "shipments": "delivered_at promised_at",
    "tickets": "customer_id order_id product_id first_reply_at solved_at rating",
}
MAY_BE_EMPTY = {table: frozenset(names.split()) for table, names in _MAY_BE_EMPTY.items()}
"""Optional columns whose emptiness is no gap: it says something (a guest), or nobody need fill them."""


def _between(column: str, low: float, high: float) -> Callable[[Any], Any]:
    return lambda t: t[column].between(low, high)


def _among(column: str, words: tuple[str, ...]) -> Callable[[Any], Any]:
    return lambda t: t[column].isin(words)


def _not_negative(column: str) -> Callable[[Any], Any]:
    return lambda t: t[column] >= 0


def _not_before(column: str, other: str) -> Callable[[Any], Any]:
    return lambda t: t[column] >= t[other]


def _at_most(column: str, other: str) -> Callable[[Any], Any]:
    return lambda t: t[column] <= t[other]


_NEGATIVE = {
    "orders": "amount discount platform_discount creator_discount shipping tax",
    "order_items": "amount unit_price discount",
    "returns": "amount quantity",
    "events": "value dwell_seconds",
    "traffic": "visitors views carts buyers orders sales bounces dwell_seconds",
    "touchpoints": "cost",
    "ad_spend": "spend impressions clicks conversions conversion_value",
    "messages": "cost",
    "products": "unit_cost list_price lead_days usage_days",
    "prices": "price list_price",
    "competitors": "price list_price sales_units comments",
    "market": "size",
    "mentions": "reach",
    "surveys": "weight",
    "assessments": "weight",
    "inventory": "on_hand reserved inbound",
    "suppliers": "lead_days minimum_order",
    "shipments": "cost",
    "campaigns": "budget",
    "promotions": "budget",
    "coupons": "face_value threshold",
    "keywords": "volume bid",
    "purchase_orders": "unit_cost received defective",
}

_ORDER = {
    "orders": "paid_at>ordered_at shipped_at>ordered_at delivered_at>shipped_at",
    "customers": "consent_at>registered_at",
    "messages": "delivered_at>sent_at opened_at>sent_at clicked_at>sent_at",
    "products": "retired_on>launched_on",
    "shipments": "delivered_at>shipped_at",
    "tickets": "first_reply_at>opened_at solved_at>opened_at",
    "campaigns": "ends_on>starts_on",
    "promotions": "ends_at>starts_at",
    "coupons": "used_at>issued_at",
    "tasks": "due_on>starts_on",
}

_ATMOST = {
    "orders": "platform_discount<amount",
    "traffic": "visitors<views carts<visitors buyers<visitors bounces<visitors",
    "ad_spend": "clicks<impressions",
    "purchase_orders": "defective<received",
}

_RANGE: dict[tuple[str, str], tuple[float, float]] = {
    ("customers", "birth_year"): (1900, 2100),
    ("customers", "age"): (0, 120),
    ("audience_profile", "share"): (0, 1),
    ("competitors", "rating"): (0, 5),
    ("reviews", "rating"): (1, 5),
    ("mentions", "sentiment"): (-1, 1),
    ("assessments", "score"): (0, 10),
    ("keywords", "difficulty"): (0, 100),
    ("risks", "probability"): (1, 5),
    ("risks", "impact"): (1, 5),
}

_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("orders", "status"): STATUS,
    ("order_status", "status"): STATUS,
    ("returns", "kind"): ("return", "refund_only", "exchange"),
    ("ad_spend", "level"): ("account", "campaign", "keyword", "creative"),
    ("points", "kind"): ("earn", "redeem", "expire", "adjust"),
    ("tasks", "status"): ("open", "doing", "done", "dropped"),
    ("content", "stage"): ("planned", "drafted", "reviewed", "published"),
}


def _rules() -> list[Rule]:
    out = []
    for table, names in _NEGATIVE.items():
        for c in names.split():
            out.append(Rule(table, N_("{column} is not negative.").format(column=c), (c,), _not_negative(c)))
    for table, pairs in _ORDER.items():
        for pair in pairs.split():
            late, early = pair.split(">")
            text = N_("{later} is not before {earlier}.").format(later=late, earlier=early)
            out.append(Rule(table, text, (late, early), _not_before(late, early)))
    for table, pairs in _ATMOST.items():
        for pair in pairs.split():
            part, whole = pair.split("<")
            text = N_("{part} is not more than {whole}.").format(part=part, whole=whole)
            out.append(Rule(table, text, (part, whole), _at_most(part, whole)))
    for (table, c), (low, high) in _RANGE.items():
        text = N_("{column} lies between {low} and {high}.").format(column=c, low=low, high=high)
        out.append(Rule(table, text, (c,), _between(c, low, high)))
    for (table, c), words in _WORDS.items():
        text = N_("{column} is one of its known words.").format(column=c)
        out.append(Rule(table, text, (c,), _among(c, words)))
    text = N_("{column} is more than zero.").format(column="quantity")
    more = [Rule(n, text, ("quantity",), lambda t: t.quantity > 0) for n in ("order_items", "purchase_orders")]
    return out + more


RULES: tuple[Rule, ...] = tuple(_rules())

REFERENCES: tuple[tuple[str, str, str], ...] = tuple(
    (table, column, parent)
    for parent, column, tables in (
        ("orders", "order_id", "order_items order_status returns settlements shipments tickets points reviews events"),
        ("products", "product_id", "order_items returns inventory prices reviews tickets purchase_orders promotions"),
        ("customers", "customer_id", "orders returns messages points touchpoints tickets reviews coupons"),
        ("campaigns", "campaign_id", "orders ad_spend messages touchpoints content"),
        ("suppliers", "supplier_id", "products purchase_orders"),
    )
    for table in tables.split()
)
"""Table, column, and the table in which every value of the column must stand."""
