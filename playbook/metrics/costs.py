"""Costs of advertising: what was spent, what it was shown for, and what a new customer cost."""

from __future__ import annotations

from ..methods import intervals
from .customers import NEW
from .registry import Metric, Sum, ratio
from .sales import SALES

SPEND = Sum("ad_spend", {"ads": lambda t: t.spend.sum()})
IMPRESSIONS = Sum("impressions", {"ads": lambda t: t.impressions.sum()}, ("impressions",))
CLICKS = Sum("clicks", {"ads": lambda t: t.clicks.sum()}, ("clicks",))

COST_METRICS = (
    Metric(
        "ad_spend",
        "Advertising",
        "广告花费",
        "currency",
        None,
        "sum of spending on advertising",
        "Money spent on advertising; of campaigns, keywords and creatives, which repeat each other, one level counts.",
        (SPEND,),
        lambda s: s["ad_spend"],
    ),
    Metric(
        "impressions",
        "Impressions",
        "展现量",
        "count",
        "up",
        "count of advertisements shown",
        "How often advertisements were shown.",
        (IMPRESSIONS,),
        lambda s: s["impressions"],
    ),
    Metric(
        "clicks",
        "Clicks",
        "点击量",
        "count",
        "up",
        "count of clicks on advertisements",
        "How often advertisements were clicked.",
        (CLICKS,),
        lambda s: s["clicks"],
    ),
    Metric(
        "ctr",
        "Click-through rate",
        "点击率",
        "share",
        "up",
        "clicks ÷ impressions",
        "Of the advertisements shown, those that were clicked.",
        (CLICKS, IMPRESSIONS),
        lambda s: ratio(s["clicks"], s["impressions"]),
        interval=lambda s: _clicked(int(s["clicks"]), int(s["impressions"])),
        n="impressions",
    ),
    Metric(
        "cpc",
        "Cost per click",
        "单次点击成本",
        "currency",
        "down",
        "advertising ÷ clicks",
        "What a click cost.",
        (SPEND, CLICKS),
        lambda s: ratio(s["ad_spend"], s["clicks"]),
        n="clicks",
    ),
    Metric(
        "cpm",
        "Cost per thousand impressions",
        "千次展现成本",
        "currency",
        "down",
        "1,000 × advertising ÷ impressions",
        "What it cost to be shown a thousand times.",
        (SPEND, IMPRESSIONS),
        lambda s: ratio(1000 * s["ad_spend"], s["impressions"]),
        n="impressions",
    ),
    Metric(
        "cac",
        "Cost per new customer",
        "新客获取成本",
        "currency",
        "down",
        "advertising ÷ new customers",
        "What a new customer cost: all advertising, also that which brought customers back, over new customers alone.",
        (SPEND, NEW),
        lambda s: ratio(s["ad_spend"], s["new_customers"]),
        n="new_customers",
    ),
    Metric(
        "ad_cost_share",
        "Advertising share of sales",
        "广告费用率",
        "share",
        "down",
        "advertising ÷ (gross sales − discounts)",
        "Money spent on advertising for each unit of money of orders paid.",
        (SPEND, SALES),
        lambda s: ratio(s["ad_spend"], s["sales"]),
    ),
)


def _clicked(clicks: int, impressions: int) -> tuple[float, float]:
    """Wilson's interval; platforms that count more clicks than impressions leave it unknown."""
    return intervals.wilson(min(clicks, impressions), impressions)
