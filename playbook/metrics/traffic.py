"""Traffic: who came, what they looked at, and how far they went. The own site is told by its events."""

from __future__ import annotations

from ..methods import intervals
from .registry import Metric, Sum, ratio

_BOTH = ("sessions", "platform_days")


def _added(column: str, *facts: str) -> dict:
    return dict.fromkeys(facts, lambda t: t[column].sum())


def _reached(flag: str) -> dict:
    return {"sessions": lambda t: t[flag].sum()}


VISITORS = Sum("visitors", {"sessions": lambda t: t.person.nunique()})
SIGNED_UP = Sum("signed_up", {"sessions": lambda t: t.person.nunique(where=t.signed_up)})
VISITS = Sum("visits", _added("visits", *_BOTH), ("visits",))
PAGES = Sum("page_views", _added("pages", *_BOTH), ("pages",))
BOUNCES = Sum("bounces", _added("bounces", *_BOTH), ("bounces",))
# Visits of which one knows whether they ended at once, and how long they lasted; platforms do not always say.
BOUNCE_BASE = Sum("bounce_base", dict.fromkeys(_BOTH, lambda t: t.visits.sum(where=t.bounces.notnull())), ("visits",))
DWELL = Sum("dwell", _added("dwell", *_BOTH), ("dwell",))
DWELL_BASE = Sum(
    "dwell_base",
    {
        "sessions": lambda t: t.visits.sum(where=t.dwell.notnull()),
        "platform_days": lambda t: t.visitors.sum(where=t.dwell.notnull()),
    },
)
VIEWED, CARTED = Sum("viewed", _reached("viewed")), Sum("carted", _reached("carted"))
CHECKED_OUT, ORDERED = Sum("checked_out", _reached("checked_out")), Sum("ordered", _reached("ordered"))

_DAILY = ("platform_days", "source_days")
VISITOR_DAYS = Sum("visitor_days", _added("visitors", *_DAILY))
DAYS = Sum("traffic_days", dict.fromkeys(_DAILY, lambda t: t["at"].nunique()))
CART_DAYS = Sum("cart_days", _added("carts", "platform_days"))
BUYER_DAYS = Sum("buyer_days", _added("buyers", "platform_days"))


def _rate(name: str, title: str, chinese: str, formula: str, definition: str, part: Sum, whole: Sum, good="up"):
    """A share of counted cases, with Wilson's interval."""
    return Metric(
        name, title, chinese, "share", good, formula, definition, (part, whole),
        lambda s: ratio(s[part.name], s[whole.name]),
        interval=lambda s: intervals.wilson(float(s[part.name]), float(s[whole.name])),
        n=whole.name,
    )  # fmt: skip


TRAFFIC_METRICS = (
    Metric(
        "visitors",
        "Visitors",
        "独立访客数",
        "count",
        "up",
        "distinct people with a visit",
        "Different people who visited the own site in the period: a login is one person on all her devices, without a "
        "login each device counts. Not the sum of the days' visitors.",
        (VISITORS,),
        lambda s: s["visitors"],
    ),
    Metric(
        "visits",
        "Visits",
        "访问次数",
        "count",
        "up",
        "count of sessions",
        "Visits that began in the period.",
        (VISITS,),
        lambda s: s["visits"],
    ),
    Metric(
        "page_views",
        "Page views",
        "浏览量",
        "count",
        "up",
        "count of pages seen",
        "Pages seen in visits that began in the period.",
        (PAGES,),
        lambda s: s["page_views"],
    ),
    Metric(
        "pages_per_visit",
        "Pages per visit",
        "人均浏览页数",
        "ratio",
        "up",
        "page views ÷ visits",
        "Pages seen in a visit.",
        (PAGES, VISITS),
        lambda s: ratio(s["page_views"], s["visits"]),
        n="visits",
    ),
    _rate(
        "bounce_rate",
        "Bounce rate",
        "跳出率",
        "visits of one page ÷ visits",
        "Of the visits, those that saw one page and left.",
        BOUNCES,
        BOUNCE_BASE,
        "down",
    ),
    Metric(
        "dwell_seconds",
        "Seconds per visit",
        "平均停留时长(秒)",
        "count",
        "up",
        "seconds on pages ÷ visits",
        "Time on pages in a visit, in seconds.",
        (DWELL, DWELL_BASE),
        lambda s: ratio(s["dwell"], s["dwell_base"]),
        n="dwell_base",
    ),
    Metric(
        "daily_visitors",
        "Visitors a day, on average",
        "日均访客数",
        "count",
        "up",
        "visitors of each day, added up ÷ days",
        "The mean of the days' visitors on the platforms that tell them and on the own site; who comes on two days, or "
        "to two platforms, counts twice.",
        (VISITOR_DAYS, DAYS),
        lambda s: ratio(s["visitor_days"], s["traffic_days"]),
        n="traffic_days",
    ),
)

CONVERSION_METRICS = (
    _rate(
        "view_rate",
        "Visit to product",
        "商品浏览率",
        "visits that saw a product ÷ visits",
        "Of the visits, those that looked at a product or went further.",
        VIEWED,
        VISITS,
    ),
    _rate(
        "cart_rate",
        "Product to cart",
        "加购转化率",
        "visits with a cart ÷ visits that saw a product",
        "Of the visits that looked at a product, those that put something into the cart or went further.",
        CARTED,
        VIEWED,
    ),
    _rate(
        "checkout_rate",
        "Cart to checkout",
        "结算转化率",
        "visits at the checkout ÷ visits with a cart",
        "Of the visits with a cart, those that went to the checkout or further.",
        CHECKED_OUT,
        CARTED,
    ),
    _rate(
        "order_rate",
        "Checkout to order",
        "下单完成率",
        "visits with an order ÷ visits at the checkout",
        "Of the visits at the checkout, those that ended with an order.",
        ORDERED,
        CHECKED_OUT,
    ),
    _rate(
        "conversion_rate",
        "Visit to order",
        "下单转化率",
        "visits with an order ÷ visits",
        "Of the visits to the own site, those that ended with an order.",
        ORDERED,
        VISITS,
    ),
    _rate(
        "sign_up_rate",
        "Sign-up rate",
        "注册转化率",
        "visitors who signed up ÷ visitors",
        "Of the visitors of the own site, those who signed up in the period.",
        SIGNED_UP,
        VISITORS,
    ),
    _rate(
        "daily_cart_rate",
        "Visitors of a day who fill a cart",
        "日加购率",
        "visitors with a cart of each day ÷ visitors of each day, both added up",
        "Of the visitors of a day, those who put something into the cart that day, on all platforms that tell it.",
        CART_DAYS,
        VISITOR_DAYS,
    ),
    _rate(
        "daily_buyer_rate",
        "Visitors of a day who buy",
        "日支付转化率",
        "buyers of each day ÷ visitors of each day, both added up",
        "Of the visitors of a day, those who bought that day, on all platforms that tell it.",
        BUYER_DAYS,
        VISITOR_DAYS,
    ),
)
