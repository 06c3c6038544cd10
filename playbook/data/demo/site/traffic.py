"""The daily aggregates that platforms give instead of events: the table `traffic`. Money is in fen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World
from ..world.people import PLATFORMS
from .labels import named

REPORTED = ("tmall", "jd", "douyin")
BY_PRODUCT = ("tmall",)  # 生意参谋 tells products apart
# Visitors who pay: chosen, as what a mid-size shop sees in 生意参谋, 商智 and 罗盘 in weeks without a festival.
CONVERSION = {"tmall": 0.035, "jd": 0.040, "douyin": 0.018}
FESTIVE = 1.22  # factor on it on the days of festivals
VARIES, MONTHLY = 0.06, 0.04  # spread (log) of the conversion by day, and by month
# Factor on the conversion by source: who searches buys, who is pushed looks.
SOURCE_CONVERSION = {
    "natural_search": 1.25, "recommendation": 0.75, "shop_page": 1.6, "search": 1.2, "in_platform": 0.8, "live": 1.1,
    "short_video": 0.6, "xiaohongshu": 0.8, "bilibili": 0.6, "display": 0.35, "crm": 2.2,
}  # fmt: skip
OVERLAP = 1.14  # visitors by source over the shop's: some come twice in a day, by two ways
PRODUCTS_SEEN = 1.7  # products that a visitor of the shop looks at
VIEWS = {"tmall": 4.1, "jd": 3.6, "douyin": 2.3}  # pages a visitor
BOUNCES = {"tmall": 0.42, "jd": 0.44, "douyin": 0.63}
SECONDS = {"tmall": 96.0, "jd": 88.0, "douyin": 41.0}
CARTS = {"tmall": 0.068, "jd": 0.072, "douyin": 0.022}  # of the visitors who do not pay put something into the cart
PRODUCT_VIEWS, PRODUCT_BOUNCES, PRODUCT_SECONDS, PRODUCT_CARTS = 1.5, 0.55, 34.0, 0.05
MEMORY = 14  # days over which visitors are less erratic than buyers


def traffic_counts(orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """What was paid each day, in rows that may be added.

    Columns: day, platform, product (position, −1: whole shop), source ("": all), buyers, orders, sales (fen), wanted.
    `wanted` are the buyers without the faked ones, who come without looking around. Counts of blocks of people, and of
    their `fraud`, may be added: nobody belongs to two.
    """
    paid = (orders["paid_at"].notna() & orders["platform"].isin(REPORTED)).to_numpy()
    kept = orders[paid].reset_index()
    true = np.ones(len(kept), dtype=bool) if "fraud" not in kept else (kept["fraud"] != "fake").to_numpy()
    shop = pd.DataFrame(
        {
            "day": kept["paid_at"].dt.normalize(), "platform": kept["platform"], "product": -1, "source": "",
            "buyer": kept["person"], "sales": kept["amount"], "order": kept["index"], "true": true,
        }
    )  # fmt: skip
    at = np.full(len(orders), -1)
    at[kept["index"]] = np.arange(len(kept))
    mine = at[lines["order"]]
    there = (mine >= 0) & np.isin(lines["platform"], BY_PRODUCT)
    products = shop.iloc[mine[there]].assign(
        product=lines["product"].to_numpy()[there], sales=lines["amount"].to_numpy()[there]
    )
    parts = [_counted(shop), _counted(shop.assign(source=kept["channel"])), _counted(products)]
    return pd.concat(parts, ignore_index=True)


KEYS = ["day", "platform", "product", "source"]


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby([*KEYS, "buyer"], sort=True)
    each = groups.agg(orders=("order", "nunique"), sales=("sales", "sum"), wanted=("true", "any")).reset_index()
    out = each.groupby(KEYS, sort=True).agg(
        buyers=("buyer", "size"), orders=("orders", "sum"), sales=("sales", "sum"), wanted=("wanted", "sum")
    )
    return out.reset_index()


def traffic(world: World, counts: pd.DataFrame) -> pd.DataFrame:
    """The table `traffic` from summed counts (several rows of a key are added).

    Visitors follow from buyers and the conversion of the platform, source and day; they are steadier than buyers, so
    that a day's measured conversion varies as it does. Every platform has rows for the whole shop and by source, Tmall
    by product too; over sources and products visitors add up to more than the shop's.
    """
    summed = counts.groupby(KEYS)[["buyers", "orders", "sales", "wanted"]].sum()
    parts = []
    for platform in REPORTED:
        mine = summed.xs(platform, level="platform").reset_index()
        whole = _days(world, mine[(mine["product"] < 0) & (mine["source"] == "")])
        visitors = _visitors(world, platform, whole)
        parts.append(_rows(world, platform, whole, visitors, "", -1))
        sources = sorted(mine["source"].unique())[1:]
        tables = [_days(world, mine[mine["source"] == s]) for s in sources]
        steady = [_steady(world, t["wanted"].to_numpy()) for t in tables]
        weights = [w / SOURCE_CONVERSION.get(s, 1.0) for s, w in zip(sources, steady, strict=True)]
        for s, table, part in zip(sources, tables, _split(visitors * OVERLAP, weights), strict=True):
            parts.append(_rows(world, platform, table, part, s, -1))
        if platform in BY_PRODUCT:
            products = sorted(set(mine["product"]) - {-1})
            tables = [_days(world, mine[mine["product"] == j]) for j in products]
            weights = [_steady(world, t["wanted"].to_numpy(), 60) + 0.02 * world.scale for t in tables]
            for j, table, part in zip(products, tables, _split(visitors * PRODUCTS_SEEN, weights), strict=True):
                parts.append(_rows(world, platform, table, part, "", j))
    out = pd.concat(parts, ignore_index=True)
    out["product_id"] = named(world.catalogue.products["product_id"].to_numpy(object), out.pop("product").to_numpy())
    out["source"] = out["source"].astype("str").mask(out["source"] == "")
    out = out[out["visitors"] > 0]
    return out.sort_values(["day", "platform", "product_id", "source"], na_position="first", ignore_index=True)


def _days(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a day, zeros where nothing was paid."""
    return rows.set_index("day")[["buyers", "orders", "sales", "wanted"]].reindex(world.calendar.days, fill_value=0)


def _steady(world: World, buyers: np.ndarray, memory: int = MEMORY) -> np.ndarray:
    """Buyers expected on a day from those of the days before and its own, in a market as busy as the day's."""
    busy = world.calendar.busy
    usual = pd.Series(buyers / busy).ewm(halflife=memory / 4, adjust=True).mean().to_numpy() * busy
    return np.sqrt((usual + 0.02 * world.scale) * (buyers + usual + 0.02 * world.scale) / 2)


def _visitors(world: World, platform: str, whole: pd.DataFrame) -> np.ndarray:
    cal, z = world.calendar, world.draws.normal
    at = PLATFORMS.index(platform)
    rate = CONVERSION[platform] * np.where(cal.festival != "", FESTIVE, 1)
    noise = VARIES * z("visitors", np.arange(cal.n), at) + MONTHLY * z("visitors of the month", cal.month, at)
    steady = _steady(world, whole["wanted"].to_numpy())
    return np.maximum(np.rint(steady / rate * np.exp(noise)), whole["buyers"]).astype(np.int64)


def _split(visitors: np.ndarray, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Visitors by part."""
    total = np.maximum(np.sum(weights, axis=0), 1e-9)
    return [visitors * w / total for w in weights]


def _rows(
    world: World, platform: str, table: pd.DataFrame, visitors: np.ndarray, source: str, product: int
) -> pd.DataFrame:
    """Rows of one shop, source or product, one a day."""
    n, one = len(table), product >= 0
    of = PLATFORMS.index(platform) * 1_000 + product + 1
    day = np.arange(n)

    def z(name: str, spread: float) -> np.ndarray:
        return np.exp(spread * world.draws.normal(f"traffic {name} {source}", day, of))

    buyers, orders, sales = (table[c].to_numpy() for c in ("buyers", "orders", "sales"))
    exact = visitors * (z("visitors", 0.08) if source or one else 1)
    # Whole numbers whose mean is the exact one, so that small ones do not vanish.
    whole = np.floor(exact + world.draws.uniform(f"traffic whole {source}", day, of)).astype(np.int64)
    count = np.maximum(whole if source or one else np.rint(exact).astype(np.int64), buyers)
    idle = (count - buyers) * (PRODUCT_CARTS if one else CARTS[platform]) * z("carts", 0.12)
    carts = np.minimum(buyers + np.floor(idle + world.draws.uniform(f"traffic cart {source}", day, of)), count)
    pages = (PRODUCT_VIEWS if one else VIEWS[platform]) * z("views", 0.05)
    left = (PRODUCT_BOUNCES if one else BOUNCES[platform]) * z("bounces", 0.04)
    bounces = np.minimum(np.rint(count * left), count - carts)
    least = count if one else 2 * count - bounces  # who does not leave at once sees two pages of the shop
    views = np.maximum(np.rint(count * pages), least)
    return pd.DataFrame(
        {
            "day": world.calendar.days.astype("datetime64[s]"),
            "platform": platform,
            "product": product,
            "source": source,
            "visitors": count,
            "views": views.astype(np.int64),
            "carts": carts.astype(np.int64),
            "buyers": buyers,
            "orders": orders,
            "sales": sales,
            "bounces": bounces.astype(np.int64),
            "dwell_seconds": np.round((PRODUCT_SECONDS if one else SECONDS[platform]) * z("seconds", 0.06), 1),
        }
    )
