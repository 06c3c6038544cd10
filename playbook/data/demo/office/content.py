"""The calendar of content and the list of search words, with the offences and the gap that are planted in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..world import World
from ..world.draw import pick
from . import ahead
from .content_texts import CHANNELS, INNOCENT, KEYWORDS, OFFENCES, TEXTS

GAP = (14, 25)  # days after the last observed one between which a channel has nothing planned
GAP_CHANNEL = "xiaohongshu"
SCENTED = ("香薰蜡烛", "无火香薰")
LATEST = 300  # days before the last observed one from which offences were published
SEARCHED_ON = ("tmall", "xiaohongshu", "google")
PART = {"tmall": 1.0, "xiaohongshu": 0.42, "google": 0.16}  # of the searches
SEARCH_GROWTH = {"面膜": -0.16, "无火香薰": 0.26, "香薰蜡烛": 0.05}  # log a year
MONTH_OF_GIFTS = {
    "生日礼物女生": (),
    "伴手礼": (1, 12),
    "圣诞礼物": (11, 12),
    "香薰礼盒": (11, 12),
    "双11护肤囤货": (10, 11),
}


def content(world: World) -> pd.DataFrame:
    """The table `content`."""
    return _content(world)[0]


def _content(world: World) -> tuple[pd.DataFrame, list[dict[str, Any]], list[dict[str, Any]]]:
    """The table, what in it breaks a rule, and what only sounds as if."""
    rng, rows, n = world.draws.generator("content"), _slots(world), world.calendar.n
    picked = [TEXTS[c][int(rng.integers(len(TEXTS[c])))] for c in rows["channel"]]
    kinds, where = [""] * len(rows), rows["position"].to_numpy()
    for kind, channel, title, text, fits in [*OFFENCES, *INNOCENT]:
        free = np.flatnonzero((rows["channel"] == channel) & (np.array(kinds) == "") & (where >= n - LATEST))
        later = free[where[free] >= n]
        at = int(rng.choice(later if len(later) and rng.random() < 0.5 else free))
        kinds[at], picked[at] = kind, ("活动", title, text, fits)
    about = _about(world, rng, [p[3] for p in picked], where)
    rows["theme"] = [p[0] for p in picked]
    rows["title"] = [p[1].format(**a) for p, a in zip(picked, about, strict=True)]
    rows["text"] = [p[2].format(**a) for p, a in zip(picked, about, strict=True)]
    rows["product_id"] = [
        a["product_id"] if "{name}" in p[1] + p[2] else None for p, a in zip(picked, about, strict=True)
    ]
    rows["campaign_id"] = _campaigns(world, rows)
    lead = pd.to_timedelta(rng.integers(7, 36, len(rows)), unit="D")
    rows["recorded_at"] = ahead.recorded(world, rows["publish_at"] - lead, rng)
    rows["stage"] = np.select(
        [where < n, where < n + 6, where < n + 20], ["published", "reviewed", "drafted"], default="planned"
    )
    found = [{"content_id": c, "kind": k} for c, k in zip(rows["content_id"], kinds, strict=True) if k]
    near = [f["kind"].startswith("near_") for f in found]
    return (
        rows.drop(columns="position"),
        [f for f, innocent in zip(found, near, strict=True) if not innocent],
        [f for f, innocent in zip(found, near, strict=True) if innocent],
    )


def _slots(world: World) -> pd.DataFrame:
    """When each channel publishes, the coming months included, but for the gap."""
    days = world.calendar.days.append(ahead.days_ahead(world))
    parts = []
    for channel, (form, owner, weekdays, hour, every) in CHANNELS.items():
        there = np.isin(days.day_of_week, weekdays)
        if every > 7:  # every other week
            there &= np.asarray(((days - pd.Timestamp("2001-01-01")).days // 7) % 2 == 0)
        at = np.flatnonzero(there)
        if channel == GAP_CHANNEL:
            begins, ends = (world.calendar.n + k for k in GAP)
            at = at[(at < begins) | (at > ends)]
        rows = pd.DataFrame(
            {"position": at, "publish_at": (days[at] + pd.Timedelta(hours=hour)).astype("datetime64[s]")}
        )
        rows["content_id"] = f"CT-{channel}-" + days[at].strftime("%y%m%d")
        parts.append(rows.assign(channel=channel, form=form, owner=owner))
    return pd.concat(parts).sort_values(["publish_at", "content_id"], ignore_index=True)


def _about(world: World, rng: np.random.Generator, fits: list[str], position: np.ndarray) -> list[dict[str, Any]]:
    """For each piece a product that its words fit, and what stands for the placeholders (prices in yuan)."""
    goods = world.catalogue.products
    scent = goods["category"].isin(SCENTED).to_numpy()
    parts = {"": np.ones(len(goods), dtype=bool), "scent": scent, "skin": ~scent}
    weight = {name: goods["weight"].to_numpy() * part for name, part in parts.items()}
    chosen = [int(pick(np.array([u]), weight[f])[0]) for u, f in zip(rng.random(len(fits)), fits, strict=True)]
    tag, paths = goods["list_price"].to_numpy() // 100, world.catalogue.price
    never = (np.ceil(np.maximum(paths.max(axis=1) / 100, tag) * 1.8 / 10) * 10 - 1).astype(int)
    shown = paths[chosen, np.minimum(position, world.calendar.n - 1)] / 100
    columns = [goods[c].to_numpy(object)[chosen] for c in ("product_id", "name", "category")]
    rows = zip(*columns, tag[chosen], never[chosen], shown, strict=True)
    return [
        {
            "product_id": p,
            "name": name,
            "category": c,
            "list": t,
            "high": h,
            "shown": f"{s:g}",
            "cheap": round(s * 0.42),
        }
        for p, name, c, t, h, s in rows
    ]


def _campaigns(world: World, rows: pd.DataFrame) -> np.ndarray:
    """What each piece belongs to: a festival that is on, or the quarter's theme."""
    quarter = rows["publish_at"].dt
    out = ("content-" + quarter.year.astype(str) + "Q" + quarter.quarter.astype(str)).to_numpy(object)
    out[(rows["channel"] == "email").to_numpy()] = None
    for p in world.promotions.table[world.promotions.table["festival"] != ""].to_dict("records"):
        out[((rows["position"] >= p["begins"] - 10) & (rows["position"] <= p["ends"])).to_numpy()] = (
            f"fest-{p['promotion_id']}"
        )
    return out


def keywords(world: World) -> pd.DataFrame:
    """The table `keywords`: what was seen on the first Monday of each month."""
    rng, cal = world.draws.generator("keywords"), world.calendar
    months = pd.period_range(cal.days[0], cal.days[-1], freq="M")
    monday = pd.DatetimeIndex([m.start_time + pd.Timedelta(days=(7 - m.start_time.day_of_week) % 7) for m in months])
    years = (np.arange(len(months)) - len(months) / 2) / 12
    drift = np.linspace(0, 1, len(months))
    parts = []
    for word, category, volume, difficulty, first, last, bid, page in KEYWORDS:
        season = np.where(np.isin(months.month, MONTH_OF_GIFTS.get(word, ())), 2.6, 1.0)
        asked = volume * np.exp(SEARCH_GROWTH.get(category, 0.03) * years) * season
        for platform in SEARCHED_ON:
            noise = np.exp(rng.normal(0, 0.06, len(months)))
            rank = first + (last - first) * drift + np.cumsum(rng.normal(0, 0.02 * first, len(months)))
            dear = bid * np.exp(0.04 * years + rng.normal(0, 0.05, len(months)))
            parts.append(
                pd.DataFrame(
                    {
                        "keyword": word,
                        "platform": platform,
                        "recorded_at": (monday + pd.Timedelta(hours=10)).astype("datetime64[s]"),
                        "volume": (np.rint(asked * noise * PART[platform] / 10) * 10).astype(np.int64),
                        "difficulty": np.clip(difficulty + rng.integers(-2, 3, len(months)), 1, 99),
                        "rank": np.clip(np.rint(rank), 1, 100).astype(np.int64),
                        "bid": pd.array(np.rint(dear), dtype="Int64")
                        if platform != "xiaohongshu"
                        else pd.array([pd.NA] * len(months), dtype="Int64"),
                        "page": page,
                    }
                )
            )
    return pd.concat(parts).sort_values(["recorded_at", "keyword", "platform"], ignore_index=True)


def plan_content(world: World) -> dict[str, pd.DataFrame]:
    """The tables `content` and `keywords`."""
    return {"content": content(world), "keywords": keywords(world)}


def truths(world: World) -> dict[str, Any]:
    """The offences, what only sounds like one, and the gap ahead."""
    _table, offences, innocent = _content(world)
    begins, ends = (str(ahead.date(world, world.calendar.n + k).date()) for k in GAP)
    return {
        "offences": offences,
        "innocent": innocent,
        "content_gap": {"channel": GAP_CHANNEL, "begins": begins, "ends": ends},
    }
