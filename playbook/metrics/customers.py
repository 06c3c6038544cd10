"""Customers: how many bought, how many for the first time, how many came back."""

from __future__ import annotations

from ..methods import intervals
from .registry import Metric, Sum, ratio
from .sales import SALES

_ID = ("customer_id",)


def _repeaters(t):
    """Customers with two paid orders or more: as many as there are second orders (counted from 0)."""
    return (t.customer_id.notnull() & (t.nth_order == 1)).sum()


def _known_sales(t):
    return t.amount.sum(where=t.customer_id.notnull())


BUYERS = Sum("customers", {"paid": lambda t: t.buyer.nunique(), "lines": lambda t: t.buyer.nunique()}, _ID)
NEW = Sum(
    "new_customers",
    {
        "paid": lambda t: t.buyer.nunique(where=t.customer_type == "new"),
        "lines": lambda t: t.buyer.nunique(where=t.customer_type == "new"),
    },
    _ID,
)
REPEATERS = Sum("repeaters", {"paid": _repeaters}, _ID)
KNOWN_ORDERS = Sum(
    "customer_orders",
    {"paid": lambda t: t.customer_id.count(), "lines": lambda t: t.order_id.nunique(where=t.customer_id.notnull())},
    _ID,
)
KNOWN_SALES = Sum("customer_sales", dict.fromkeys(("paid", "lines"), _known_sales), _ID)


def _repeat(days: int, title: str, chinese: str) -> Metric:
    """Of new customers whose first order became so many days old in the period, those who were back by then."""
    back = Sum(f"back_{days}", {f"matured_{days}": lambda t: t.came_back.sum()}, _ID)
    of = Sum(f"matured_{days}", {f"matured_{days}": lambda t: t.count()}, _ID)
    return Metric(
        f"repeat_rate_{days}d",
        title,
        chinese,
        "share",
        "up",
        f"customers with a second order within {days} days ÷ customers",
        f"Of the customers whose first order became {days} days old in the period, those who had ordered again by "
        "then; they all had the same time to come back.",
        (back, of),
        lambda s: ratio(s[back.name], s[of.name]),
        interval=lambda s: intervals.wilson(s[back.name], s[of.name]),
        n=of.name,
    )


REPEAT_METRICS = (
    _repeat(30, "Back within 30 days", "30天复购率"),
    _repeat(90, "Back within 90 days", "90天复购率"),
    _repeat(180, "Back within 180 days", "180天复购率"),
)

CUSTOMER_METRICS = (
    Metric(
        "customers",
        "Customers",
        "购买客户数",
        "count",
        "up",
        "distinct customers of paid orders",
        "Different customers who paid an order in the period; guests without a customer number are not counted.",
        (BUYERS,),
        lambda s: s["customers"],
    ),
    Metric(
        "new_customers",
        "New customers",
        "新客数",
        "count",
        "up",
        "customers whose first paid order lies in the period",
        "Customers who paid their first order in the period, as far back as the shop's data go.",
        (NEW,),
        lambda s: s["new_customers"],
    ),
    Metric(
        "repeat_rate",
        "Repeat rate",
        "复购率",
        "share",
        "up",
        "customers with two or more paid orders ÷ customers",
        "Of the customers who paid an order in the period, those who paid at least two in it.",
        (REPEATERS, BUYERS),
        lambda s: ratio(s["repeaters"], s["customers"]),
        interval=lambda s: intervals.wilson(s["repeaters"], s["customers"]),
        n="customers",
    ),
    Metric(
        "customer_orders",
        "Orders of known customers",
        "会员订单数",
        "count",
        "up",
        "paid orders with a customer number",
        "Orders paid in the period by customers whom the shop can tell apart.",
        (KNOWN_ORDERS,),
        lambda s: s["customer_orders"],
    ),
    Metric(
        "customer_sales",
        "Sales to known customers",
        "会员销售额",
        "currency",
        "up",
        "gross sales − discounts of orders with a customer number",
        "Goods of orders paid in the period by known customers, after the merchant's discounts, before returns.",
        (KNOWN_SALES,),
        lambda s: s["customer_sales"],
    ),
    Metric(
        "guest_sales",
        "Sales to guests",
        "散客销售额",
        "currency",
        "up",
        "gross sales − discounts of orders without a customer number",
        "Goods of orders paid in the period that carry no customer number, after discounts, before returns.",
        (SALES, KNOWN_SALES),
        lambda s: s["sales"] - s["customer_sales"],
        partial={"customer_sales": "The shop's orders carry no customer numbers."},
    ),
)
