"""Sales: orders, money, returns. An order counts when it is paid, on the day it was paid."""

from __future__ import annotations

from ..methods import intervals
from .registry import Metric, Sum, Sums, ratio

_DISCOUNT = "discount"


def _amount(t):
    return t.amount.sum()


def _discount(t):
    return t[_DISCOUNT].sum()


PLACED = Sum("orders_placed", {"placed": lambda t: t.count()})
PLACED_SALES = Sum("sales_placed", {"placed": _amount})
PLACED_DISCOUNT = Sum("discounts_placed", {"placed": _discount}, columns=(_DISCOUNT,))
MEDIAN = Sum("order_value_median", {"paid": lambda t: t.amount.cast("float64").median()})
PAID = Sum("orders_paid", {"paid": lambda t: t.count(), "lines": lambda t: t.order_id.nunique()})
SALES = Sum("sales", {"paid": _amount, "lines": _amount})
DISCOUNT = Sum("discounts", {"paid": _discount, "lines": _discount}, columns=(_DISCOUNT,))
WIDE = "decimal(20, 4)"  # whose squares have room for an order of a hundred thousand
SQUARES = Sum("sales_squared", {"paid": lambda t: (t.amount.cast(WIDE) * t.amount.cast(WIDE)).sum()})
UNITS = Sum("units", {"lines": lambda t: t.quantity.sum()})
RETURNED = Sum("returns", {"returned": _amount})
RETURNED_OF = Sum("returns_of_orders", {"returned_of": _amount})

_NO_DISCOUNT = {"discounts": "The shop's data hold no discounts: gross sales are the sales at the price agreed."}
_NO_RETURNS = {"returns": "The shop's data hold no returns: nothing is taken off for them."}


def _aov_interval(s: Sums) -> tuple[float, float]:
    return intervals.mean(float(s["sales"]), float(s["sales_squared"]), s["orders_paid"])


SALES_METRICS = (
    Metric(
        "orders_placed",
        "Orders placed",
        "下单数",
        "count",
        "up",
        "count of orders",
        "Orders placed in the period, paid or not, on the day they were placed.",
        (PLACED,),
        lambda s: s["orders_placed"],
    ),
    Metric(
        "gmv",
        "Gross merchandise value",
        "下单金额",
        "currency",
        "up",
        "sum of goods of orders placed, before discounts",
        "Goods of orders placed in the period, paid or not, before the merchant's discounts and before returns.",
        (PLACED_SALES, PLACED_DISCOUNT),
        lambda s: s["sales_placed"] + s["discounts_placed"],
        partial={"discounts_placed": _NO_DISCOUNT["discounts"]},
    ),
    Metric(
        "orders_paid",
        "Orders paid",
        "支付订单数",
        "count",
        "up",
        "count of paid orders",
        "Orders paid in the period, on the day they were paid.",
        (PAID,),
        lambda s: s["orders_paid"],
    ),
    Metric(
        "gross_sales",
        "Gross sales",
        "销售总额",
        "currency",
        "up",
        "net sales + returns + discounts",
        "Goods of paid orders before the merchant's discounts and before returns; without tax and shipping.",
        (SALES, DISCOUNT),
        lambda s: s["sales"] + s["discounts"],
        partial=_NO_DISCOUNT,
    ),
    Metric(
        "paid_sales",
        "Paid sales",
        "支付金额",
        "currency",
        "up",
        "gross sales − discounts",
        "Goods of orders paid in the period after the merchant's discounts, before returns; without tax and shipping.",
        (SALES,),
        lambda s: s["sales"],
    ),
    Metric(
        "discounts",
        "Discounts",
        "商家优惠",
        "currency",
        None,
        "sum of the merchant's discounts",
        "The merchant's own discounts on paid orders; what a platform or a creator funds is not among them.",
        (DISCOUNT,),
        lambda s: s["discounts"],
    ),
    Metric(
        "returns",
        "Returns",
        "退款金额",
        "currency",
        "down",
        "sum of returns booked",
        "Money given back for goods, booked in the period whenever the order was paid.",
        (RETURNED,),
        lambda s: s["returns"],
    ),
    Metric(
        "returns_of_orders",
        "Returns of the period's orders",
        "本期订单退款",
        "currency",
        "down",
        "sum of returns of the orders paid in the period",
        "Money given back so far for orders that were paid in the period; it still grows while they can be returned.",
        (RETURNED_OF,),
        lambda s: s["returns_of_orders"],
    ),
    Metric(
        "net_sales",
        "Net sales",
        "净销售额",
        "currency",
        "up",
        "gross sales − discounts − returns",
        "Goods of orders paid in the period, after the merchant's discounts, less returns booked in the period; "
        "without tax and shipping.",
        (SALES, RETURNED),
        lambda s: s["sales"] - s["returns"],
        partial=_NO_RETURNS,
    ),
    Metric(
        "aov",
        "Average order value",
        "客单价",
        "currency",
        "up",
        "(gross sales − discounts) ÷ orders paid",
        "What a paid order is worth after the merchant's discounts, before returns.",
        (SALES, PAID, SQUARES),
        lambda s: ratio(s["sales"], s["orders_paid"]),
        partial={"sales_squared": ""},
        interval=_aov_interval,
        n="orders_paid",
    ),
    Metric(
        "order_value_median",
        "Median order value",
        "客单价中位数",
        "currency",
        "up",
        "the middle one of the values of paid orders",
        "Half of the paid orders are worth less, half more, after the merchant's discounts, before returns.",
        (MEDIAN, PAID),
        lambda s: s["order_value_median"] if s["orders_paid"] else None,
        n="orders_paid",
    ),
    Metric(
        "items_per_order",
        "Items per order",
        "件单数",
        "per_order",
        "up",
        "units ÷ orders paid",
        "Units in a paid order.",
        (UNITS, PAID),
        lambda s: ratio(s["units"], s["orders_paid"]),
        n="orders_paid",
    ),
    Metric(
        "refund_rate",
        "Refund rate",
        "退款率",
        "share",
        "down",
        "returns ÷ (gross sales − discounts)",
        "Money of returns booked in the period for each unit of money of orders paid in it.",
        (RETURNED, SALES, PAID),
        lambda s: ratio(s["returns"], s["sales"]),
        n="orders_paid",
    ),
)
