"""Campaigns, run and planned, and the clashes that are planted among those ahead.

One product at two prices, one search word in two campaigns, one audience written to twice. Money is in fen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..world import World
from . import ahead
from .advertising import CAMPAIGNS, KEYWORDS

FESTIVE_CHANNELS = ("search", "in_platform", "short_video", "xiaohongshu", "live", "crm")
WARM_UP = 14  # days before its promotion that a festival's campaign begins; seeding begins a week earlier
FESTIVE_PART = 0.4  # of a channel's spending during a festival's campaign that belongs to it
AROUND = 0.15  # of what a festival's channels spend goes into pictures, pages and gifts
AHEAD_MORE = 1.15  # spending planned for the coming months over that of the last eight weeks
# Whom each festival speaks to.
AUDIENCE = {
    "festival_38": "悦己女性", "festival_520": "送礼人群", "festival_618": "囤货人群", "festival_99": "价格敏感人群",
    "festival_1111": "加购收藏人群", "festival_1212": "年末返场人群",
}  # fmt: skip
OWNERS = {
    "search": "投放经理", "in_platform": "店铺运营经理", "short_video": "短视频运营", "xiaohongshu": "内容经理",
    "live": "直播运营", "crm": "会员经理", "bilibili": "内容经理", "display": "投放经理",
}  # fmt: skip
KINDS = {"xiaohongshu": "content", "bilibili": "content", "crm": "loyalty"}  # of the campaigns that always run
CLASH_SHELF = ("candle0002", "cleanser0002", "cream0004", "mask0002", "serum0004")
"""Products of which the first that has no offer in some week ahead is sold at two prices in it."""
CLASH_PARTS = (0.80, 0.68)  # of the price that are left
CLASHING = (  # campaign, name, first and last day after the last observed one, channel, objective
    ("search-gift-1", "搜索广告·圣诞礼遇", 38, 54, "search", "拉新；人群：圣诞礼遇人群；关键词：圣诞礼物 护肤礼盒"),
    ("search-gift-2", "搜索广告·年末礼盒", 44, 58, "search", "拉新；人群：年末礼盒人群；关键词：圣诞礼物 香薰礼盒"),
    ("crm-winback-1", "沉睡老客唤回", 22, 28, "crm", "唤回；人群：近90天未购老客"),
    ("crm-winback-2", "老客专享券", 25, 31, "crm", "唤回；人群：近90天未购老客"),
)


def campaigns(world: World) -> pd.DataFrame:
    """The table `campaigns`; what a row aims at, whom it speaks to and for which words stands in `objective`."""
    rng = world.draws.generator("campaigns")
    rows = [
        *_always_on(world),
        *_festive(world),
        *_category_weeks(world),
        *_monthly(world),
        *_themes(world),
        *clashes(world)["campaigns"],
    ]
    out = pd.DataFrame(rows)
    out = out[out["starts_on"] <= ahead.days_ahead(world)[-1]].reset_index(drop=True)
    lead = pd.to_timedelta(rng.integers(18, 40, len(out)), unit="D")
    out["recorded_at"] = ahead.recorded(world, out["starts_on"] - lead, rng)
    out["budget"] = (out["budget"] / 10_000).round().astype(np.int64).clip(lower=1) * 10_000  # whole hundreds of yuan
    return out.sort_values(["starts_on", "campaign_id"], ignore_index=True)


def _row(
    campaign_id: str,
    name: str,
    begins: Any,
    ends: Any,
    kind: str,
    objective: str,
    owner: str,
    budget: float,
    **more: Any,
) -> dict:
    return {
        "campaign_id": campaign_id, "name": name, "starts_on": begins, "ends_on": ends, "kind": kind,
        "objective": objective, "owner": owner, "budget": budget, "channel": None, "platform": None, **more,
    }  # fmt: skip


def spending(world: World, channel: int, begins: int, ends: int) -> float:
    """What a channel spends from one day to before another (positions); ahead it is planned by the last eight weeks."""
    n, spend = world.calendar.n, world.media.spend[channel]
    later = max(0, ends - max(begins, n)) * AHEAD_MORE * spend[n - ahead.BASE_DAYS :].mean()
    return float(spend[max(begins, 0) : min(max(ends, 0), n)].sum() + later)


def _always_on(world: World) -> list[dict]:
    """The campaigns that `ad_spend` is booked on."""
    out, last = [], len(ahead.days_ahead(world)) + world.calendar.n
    for i, channel in enumerate(world.media.channels.itertuples()):
        spent = np.flatnonzero(world.media.spend[i])
        first = int(spent[0]) if len(spent) else world.calendar.n
        whole = sum(part for _name, part in CAMPAIGNS[channel.channel])
        for k, (name, part) in enumerate(CAMPAIGNS[channel.channel]):
            words = " ".join(w for w, _share in KEYWORDS.get(name, ()))
            aim = f"常年投放；人群：{name}人群" + (f"；关键词：{words}" if words else "")
            out.append(
                _row(
                    f"{channel.channel}-{k + 1}", f"{channel.name}·{name}", ahead.date(world, first),
                    ahead.date(world, last - 1), KINDS.get(channel.channel, "brand"), aim,
                    OWNERS[channel.channel], spending(world, i, first, last) * part / whole, channel=channel.channel,
                    platform=channel.platform,
                )
            )  # fmt: skip
    return out


def _festive(world: World) -> list[dict]:
    """Each festival: one campaign that holds it together, and one for each channel that takes part."""
    out = []
    for p in world.promotions.table[world.promotions.table["festival"] != ""].to_dict("records"):
        parts = []
        for channel in FESTIVE_CHANNELS:
            i = world.media.position(channel)
            about = world.media.channels.iloc[i]
            begins = p["begins"] - WARM_UP - 7 * (channel == "xiaohongshu")
            words = f"；关键词：{p['name']} 露苔{p['name'][4:]}" if channel == "search" else ""
            parts.append(
                _row(
                    f"fest-{p['promotion_id']}-{channel}", f"{p['name']}·{about['name']}", ahead.date(world, begins),
                    ahead.date(world, p["ends"]), "festival", f"大促转化；人群：{AUDIENCE[p['festival']]}{words}",
                    OWNERS[channel], FESTIVE_PART * spending(world, i, begins, p["ends"] + 1), channel=channel,
                    platform=about["platform"],
                )
            )  # fmt: skip
        around = AROUND * sum(r["budget"] for r in parts)
        begins, ends = ahead.date(world, p["begins"] - WARM_UP), ahead.date(world, p["ends"])
        out += [
            _row(
                f"fest-{p['promotion_id']}",
                p["name"],
                begins,
                ends,
                "festival",
                "大促整体；会场、素材与赠品",
                "电商总监",
                around,
            ),
            *parts,
        ]
    return out


def _category_weeks(world: World) -> list[dict]:
    falling = set(world.catalogue.products.loc[world.catalogue.products["growth"] < 0, "category"])
    daily = world.media.spend.sum() / world.calendar.n
    return [
        _row(
            f"cat-{p['promotion_id']}", p["name"], ahead.date(world, p["begins"]), ahead.date(world, p["ends"]),
            "clearance" if p["category"] in falling else "brand", f"带动品类；人群：{p['category']}兴趣人群",
            "商品经理", 0.12 * daily * (p["ends"] - p["begins"] + 1),
        )
        for p in world.promotions.table[world.promotions.table["festival"] == ""].to_dict("records")
    ]  # fmt: skip


def months(world: World) -> pd.PeriodIndex:
    """Observed months and the coming ones."""
    return pd.period_range(world.calendar.days[0], ahead.days_ahead(world)[-1], freq="M")


def _monthly(world: World) -> list[dict]:
    """The members' messages of each month."""
    i, start = world.media.position("crm"), world.calendar.days[0]
    return [
        _row(
            f"crm-{m:%Y%m}", f"{m.year}年{m.month}月会员触达", m.start_time, m.end_time.normalize(), "loyalty",
            "复购；人群：同意接收消息的会员", OWNERS["crm"],
            0.5 * spending(world, i, (m.start_time - start).days, (m.end_time - start).days + 1),
            channel="crm", platform="own_crm",
        )
        for m in months(world)
    ]  # fmt: skip


def _themes(world: World) -> list[dict]:
    """Launches of boxes in spring and autumn, of a new channel, of a scent; a theme of content for each quarter."""
    out, daily = [], world.media.spend.sum() / world.calendar.n
    themes = {1: "春节居家香气", 2: "换季屏障养护", 3: "夏日清爽", 4: "秋冬居家仪式"}
    for q in pd.period_range(months(world)[0].start_time, months(world)[-1].start_time, freq="Q"):
        first, last = q.start_time, q.end_time.normalize()
        text = f"种草；人群：{themes[q.quarter]}话题人群"
        out.append(
            _row(
                f"content-{q.year}Q{q.quarter}",
                f"{q.year}年第{q.quarter}季·{themes[q.quarter]}",
                first,
                last,
                "content",
                text,
                "内容经理",
                4 * daily,
            )
        )
    for year in range(months(world)[0].year, months(world)[-1].year + 1):
        for name, month, title in (("spring", 3, "春日香氛礼盒上市"), ("autumn", 9, "秋日护肤礼盒上市")):
            first = pd.Timestamp(year, month, 12)
            out.append(
                _row(
                    f"launch-{year}-{name}",
                    f"{year}{title}",
                    first,
                    first + pd.Timedelta(days=13),
                    "launch",
                    "上新；人群：礼盒人群",
                    "品牌经理",
                    6 * daily,
                )
            )
    begins = ahead.date(world, world.incidents.new_channel)
    out.append(
        _row(
            "launch-bilibili",
            "B站首投上线",
            begins,
            begins + pd.Timedelta(days=27),
            "launch",
            "拉新；人群：B站生活区人群",
            "内容经理",
            4 * daily,
        )
    )
    begins = ahead.date(world, world.calendar.n + 32)
    out.append(
        _row(
            "launch-winter-scent",
            "冬夜无火香薰新香型上市",
            begins,
            begins + pd.Timedelta(days=17),
            "launch",
            "上新；人群：居家香气人群",
            "品牌经理",
            8 * daily,
        )
    )
    return [r for r in out if r["ends_on"] >= world.calendar.days[0]]


def clashes(world: World) -> dict[str, Any]:
    """The planted clashes ahead: rows of campaigns and promotions, and what is to be found."""
    daily = world.media.spend.sum() / world.calendar.n
    product, begins = _free_week(world)
    name = str(world.catalogue.products.set_index("product_id").loc[product, "name"])
    rows, offers = [], []
    for kind, first, last, title, channel, seller, platform, part in (
        ("deal", 0, 5, f"{name}限时特惠", "in_platform", "wanxiangtai", "tmall", CLASH_PARTS[0]),
        ("live", 3, 8, f"{name}达人直播专场", "live", "douyin", "douyin", CLASH_PARTS[1]),
    ):
        on = {"begins": ahead.date(world, begins + first), "ends": ahead.date(world, begins + last)}
        label = f"{kind}-{on['begins']:%y%m%d}-{product}"
        aim = f"单品冲量；人群：{title}人群"
        more = {"channel": channel, "platform": seller}
        rows.append(_row(label, title, on["begins"], on["ends"], "clearance", aim, OWNERS[channel], 2 * daily, **more))
        rule = f"discount {part:.2f}"
        offers.append(
            {"promotion_id": label, "name": title, **on, "platform": platform, "product_id": product, "rule": rule}
        )
    for label, title, first, last, channel, aim in CLASHING:
        on = {"begins": ahead.date(world, world.calendar.n + first), "ends": ahead.date(world, world.calendar.n + last)}
        seller = {"search": "google", "crm": "own_crm"}[channel]
        more = {"channel": channel, "platform": seller}
        rows.append(
            _row(
                label,
                title,
                on["begins"],
                on["ends"],
                KINDS.get(channel, "brand"),
                aim,
                OWNERS[channel],
                3 * daily,
                **more,
            )
        )
    facts = [
        {"kind": "price", "product": product, "promotions": [o["promotion_id"] for o in offers], **_both(rows[:2])},
        {"kind": "keyword", "keyword": "圣诞礼物", **_both(rows[2:4])},
        {"kind": "audience", "audience": "近90天未购老客", **_both(rows[4:6])},
    ]
    return {"campaigns": rows, "promotions": offers, "facts": facts}


def drowned(world: World) -> list[dict[str, Any]]:
    """Campaigns ahead with days of their own that fall into a festival which they are not for."""
    rows, out = campaigns(world), []
    rows = rows[rows["kind"].isin(["launch", "brand", "clearance"]) & (rows["ends_on"] >= world.calendar.end)]
    for p in world.promotions.table[world.promotions.table["festival"] != ""].to_dict("records"):
        first, last = (ahead.date(world, int(p[c])) for c in ("begins", "ends"))
        for r in rows[(rows["starts_on"] <= last) & (rows["ends_on"] >= first)].to_dict("records"):
            if (r["ends_on"] - r["starts_on"]).days < 60 and last >= world.calendar.end:
                days = {"begins": max(first, r["starts_on"]), "ends": min(last, r["ends_on"])}
                told = {"kind": "window", "festival": p["promotion_id"], "campaigns": [r["campaign_id"]]}
                out.append(told | {k: str(d.date()) for k, d in days.items()})
    return out


def _both(rows: list[dict]) -> dict[str, Any]:
    """Which campaigns clash, and when."""
    begins, ends = max(r["starts_on"] for r in rows), min(r["ends_on"] for r in rows)
    return {"campaigns": [r["campaign_id"] for r in rows], "begins": str(begins.date()), "ends": str(ends.date())}


def _free_week(world: World) -> tuple[str, int]:
    """A product and the first of nine days ahead on which nothing else lowers its price."""
    table, goods = world.promotions.table, world.catalogue.products.set_index("product_id")
    for begins in range(world.calendar.n + 14, world.calendar.n + 50):
        on = table[(table["begins"] <= begins + 8) & (table["ends"] >= begins)]["category"]
        for product in CLASH_SHELF:
            if not on.isin(["", goods.loc[product, "category"]]).any():
                return product, begins
    return CLASH_SHELF[0], world.calendar.n + 20
