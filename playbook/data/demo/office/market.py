"""The world around the shop as it can be bought or looked up: market sizes, audiences, competitors, the own prices.

What the shop sold is exact; the others' sizes come from shares and growth rates. Money is in fen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..world import World, people
from ..world.catalogue import COMPETITORS, UNDERCUT, season
from ..world.people import INCOMES, PERSONAS, PLATFORMS, TIERS

# Market. Category: size a month in the middle of the period, millions of yuan at scale 1, growth a year (log).
# The growth of 面膜 and 无火香薰 goes the way that the catalogue's does.
MARKET = {
    "精华": (21.0, 0.05),
    "面霜": (19.0, 0.04),
    "洁面": (9.0, 0.03),
    "面膜": (12.0, -0.15),
    "香薰蜡烛": (4.6, 0.08),
    "无火香薰": (3.6, 0.30),
}
# Where it is sold, and what that changes a year (log): content commerce grows at the shelves' expense.
SOLD_ON = {"tmall": (0.49, -0.05), "jd": (0.20, -0.03), "douyin": (0.28, 0.10), "own_site": (0.03, 0.02)}
RIVALS = {
    "精华": (0.070, 0.045, 0.030),
    "面霜": (0.050, 0.055, 0.028),
    "洁面": (0.035, 0.060, 0.020),
    "面膜": (0.040, 0.085, 0.022),
    "香薰蜡烛": (0.055, 0.025, 0.090),
    "无火香薰": (0.065, 0.022, 0.105),
}  # parts of the competitors
RIVAL_DRIFT = (0.05, 0.00, 0.04)  # of these parts, log a year
UNDERCUT_GAIN = 1.18  # of the part of the competitor that went below us, in that category
OWN, OTHERS = "露苔", "其他"
SOURCES = {
    "tmall": "行业大盘（生意参谋）",
    "jd": "行业大盘（商智）",
    "douyin": "行业大盘（罗盘）",
    "own_site": "自营渠道估算",
}
NOISE = 0.03  # of a month's figures (log): such panels are estimates

# Audiences. Age bands as the documents give them; the younger ones are not shown by platforms.
AGES = [(15, "15-24"), (25, "25-34"), (35, "35-44"), (45, "45-59"), (60, "60+")]
SAMPLE = 20_000  # imagined people by whom the audiences are computed
AUDIENCES = {"visitors": 0.35, "buyers": 0.0, "followers": 0.15}  # part that is like everybody, not like the buyers
WOBBLE = 0.035  # of a share from month to month (log)
UNTOLD = 0.04  # of whom the platform does not know the gender

# Competitors' items. Units a day at the usual price at scale 1, part of the buyers who comment, own elasticity.
ITEM_UNITS = (14.0, 18.0, 9.0)
COMMENTS = 0.11
RIVAL_ELASTICITY = -1.6
UNMATCHED = ("护手霜", "沐浴油", "车载香薰")  # of each competitor, beside which nothing of ours stands
UNMATCHED_PRICE = (5_900, 9_900, 12_900)
FAILED = 0.03  # of the looks at a page fail
BEFORE = 420  # days for which an item had been on sale on the first day


def market_counts(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> np.ndarray:
    """What was paid for goods, months (of payment) × categories × platforms, in fen; counts of blocks may be added."""
    names = list(dict.fromkeys(world.catalogue.products["category"]))
    of = lines["order"].to_numpy()
    paid = orders["paid_at"].to_numpy()[of]
    counted = ~np.isnat(paid)
    month = paid[counted].astype("datetime64[M]").astype(np.int64) - world.calendar.days[0].to_datetime64().astype(
        "datetime64[M]"
    ).astype(np.int64)
    category = pd.Index(names).get_indexer_for(world.catalogue.products["category"])[
        lines["product"].to_numpy()[counted]
    ]
    platform = orders["platform_at"].to_numpy()[of][counted]
    shape = (int(world.calendar.month.max()) + 1, len(names), len(PLATFORMS))
    out = np.zeros(shape, dtype=np.int64)
    np.add.at(out, (month, category, platform), lines["amount"].to_numpy()[counted])
    return out


def market(world: World, counts: np.ndarray) -> dict[str, pd.DataFrame]:
    """The tables `market`, `audience_profile`, `competitors` and `prices`, from `market_counts` of all blocks."""
    return {
        "market": sizes(world, counts),
        "audience_profile": audience_profile(world),
        "competitors": competitors(world),
        "prices": prices(world),
    }


def sizes(world: World, counts: np.ndarray) -> pd.DataFrame:
    """The table `market`: our sales to the fen, the competitors', others', and the sum of all."""
    rng, cal, goods = world.draws.generator("market"), world.calendar, world.catalogue.products
    months = pd.period_range(cal.days[0], cal.days[-1], freq="M")
    years = (np.arange(len(months)) - len(months) / 2) / 12
    busy = np.bincount(cal.month, cal.busy) / np.bincount(cal.month)
    last = months.to_timestamp(how="end").normalize()
    undercut = np.arange(len(months)) >= cal.month[world.incidents.undercut]
    part_on = {p: s * np.exp(g * years) for p, (s, g) in SOLD_ON.items()}
    whole_on = sum(part_on.values())
    shape = season(goods, cal)
    rows = []
    for c, category in enumerate(dict.fromkeys(goods["category"])):
        size, growth = MARKET[category]
        first = int(np.flatnonzero(goods["category"] == category)[0])
        seasonal = np.bincount(cal.month, shape[first]) / np.bincount(cal.month)
        total = size * 1e8 * world.scale * np.exp(growth * years) * (0.5 + 0.5 * busy) * seasonal
        for p, platform in enumerate(PLATFORMS):
            here = total * part_on[platform] / whole_on * np.exp(rng.normal(0, NOISE, len(months)))
            sellers = {OWN: counts[:, c, p]}
            for k, who in enumerate(COMPETITORS):
                gain = np.where(undercut & (who == UNDERCUT[0]) & (c == 0), UNDERCUT_GAIN, 1.0)
                part = (
                    RIVALS[category][k]
                    * np.exp(RIVAL_DRIFT[k] * years)
                    * gain
                    * np.exp(rng.normal(0, NOISE, len(months)))
                )
                sellers[who] = np.rint(here * part).astype(np.int64)
            sellers[OTHERS] = np.rint(here * (1 - sum(RIVALS[category]))).astype(np.int64)
            everybody = sum(sellers.values())
            for seller, sold in [(None, everybody), *sellers.items()]:
                source = "店铺后台" if seller == OWN else SOURCES[platform]
                rows.append(
                    pd.DataFrame(
                        {
                            "day": last,
                            "category": category,
                            "platform": platform,
                            "seller": seller,
                            "size": sold,
                            "source": source,
                        }
                    )
                )
    out = pd.concat(rows, ignore_index=True)
    return out.sort_values(["day", "category", "platform"], kind="stable", ignore_index=True)


def audience_profile(world: World) -> pd.DataFrame:
    """The table `audience_profile`: each month, what share of whom each platform reports."""
    rng, cal, draws = world.draws.generator("audience profile"), world.calendar, world.draws
    months = pd.period_range(cal.days[0], cal.days[-1], freq="M")
    person = np.arange(SAMPLE) + (1 << 60)  # nobody who buys has such a number
    persona = people.persona_of(draws, person)
    about = people.city_of(draws, person, persona)
    mean, spread = np.array([p.birth for p in PERSONAS])[persona].T
    born = mean + spread * draws.normal("audience birth", person)
    female = draws.uniform("audience gender", person) < np.array([p.female for p in PERSONAS])[persona]
    told = draws.uniform("audience untold", person) >= UNTOLD
    income = np.array(INCOMES, dtype=object)[
        _pick(draws.uniform("audience income", person), [p.income for p in PERSONAS], persona)
    ]
    traits = {
        "gender": np.where(~told, "unknown", np.where(female, "female", "male")),
        "region": about["region"].to_numpy(object),
        "city_tier": about["city_tier"].to_numpy(object),
        "income": income,
    }
    values = {
        "age": [name for _from, name in AGES],
        "gender": ["female", "male", "unknown"],
        "region": list(people.PROVINCES),
        "city_tier": list(TIERS),
        "income": list(INCOMES),
    }
    codes = {t: pd.Index(values[t]).get_indexer_for(v) for t, v in traits.items()}
    buys = np.array([p.platforms for p in PERSONAS])[persona]
    rows = []
    for month in months:
        age = np.clip(month.year + month.month / 12 - born, AGES[0][0], 90)
        codes["age"] = np.searchsorted([low for low, _name in AGES], age, side="right") - 1
        for p, platform in enumerate(PLATFORMS):
            for audience, anybody in AUDIENCES.items():
                weight = (1 - anybody) * buys[:, p] / buys[:, p].mean() + anybody
                for trait, names in values.items():
                    share = np.bincount(codes[trait], weight, len(names)) * np.exp(rng.normal(0, WOBBLE, len(names)))
                    rows.append((month, platform, audience, trait, names, _to_one(share)))
    out = pd.DataFrame(rows, columns=["month", "platform", "audience", "trait", "value", "share"]).explode(
        ["value", "share"], ignore_index=True
    )
    out["day"] = pd.PeriodIndex(out.pop("month"), freq="M").to_timestamp(how="end").normalize()
    return out.astype({"share": float})


def _pick(u: np.ndarray, weights: list[Any], row: np.ndarray) -> np.ndarray:
    edges = np.cumsum(np.array(weights), axis=1)[row]
    return (u[:, None] * edges[:, -1:] >= edges).sum(axis=1)


def _to_one(share: np.ndarray) -> np.ndarray:
    """Shares in ten-thousandths that sum to one: the largest takes what rounding leaves."""
    out = np.rint(share / share.sum() * 10_000)
    out[out.argmax()] += 10_000 - out.sum()
    return out / 10_000


def competitors(world: World) -> pd.DataFrame:
    """The table `competitors`: what a daily look at their pages shows; units and comments add up."""
    rng, cal, goods = world.draws.generator("competitors"), world.calendar, world.catalogue
    about, price = goods.rivals.copy(), goods.rival_price
    about["product_id"] = goods.products["product_id"].to_numpy(object)[about["product"]]
    more = [
        {
            "competitor": who,
            "item": f"{who.split()[0]}{name}",
            "platform": "tmall",
            "category": name,
            "product_id": None,
        }
        for who in COMPETITORS
        for name in UNMATCHED
    ]
    about = pd.concat([about.drop(columns="product"), pd.DataFrame(more)], ignore_index=True)
    base = np.array([100 * round(p * f / 100) for f in (1.0, 0.9, 1.1) for p in UNMATCHED_PRICE])
    cut = rng.random((len(base), cal.n // 30 + 1)) < 0.2
    monthly = np.where(cut, 100 * np.rint(base[:, None] * 0.88 / 100), base[:, None]).astype(np.int64)
    price = np.concatenate([price, monthly[:, np.arange(cal.n) // 30]])
    tag = np.concatenate([np.median(goods.rival_price[:, :365], axis=1), base])
    level = (
        np.array([ITEM_UNITS[COMPETITORS.index(w)] for w in about["competitor"]])
        * rng.uniform(0.6, 1.5, len(about))
        * world.scale
    )
    daily = level[:, None] * cal.busy * (price / tag[:, None]) ** RIVAL_ELASTICITY
    sold = rng.poisson(daily)
    units = np.cumsum(sold, axis=1) + np.rint(level * BEFORE).astype(np.int64)[:, None]
    comments = (
        np.cumsum(rng.binomial(sold, COMMENTS), axis=1) + np.rint(COMMENTS * level * BEFORE).astype(np.int64)[:, None]
    )
    rating = (
        4.75 + rng.normal(0, 0.08, len(about))[:, None] + np.cumsum(rng.normal(0, 0.002, (len(about), cal.n)), axis=1)
    )
    n = len(about)
    out = pd.DataFrame({"day": np.tile(cal.days.to_numpy(), n)})
    for column in ("competitor", "item", "platform", "category", "product_id"):
        out[column] = np.repeat(about[column].to_numpy(object), cal.n)
    out["price"], out["sales_units"], out["comments"] = price.ravel(), units.ravel(), comments.ravel()
    out["list_price"] = np.repeat(np.maximum(price.max(axis=1), np.rint(tag)).astype(np.int64), cal.n)
    out["rating"] = np.clip(rating, 3.5, 5.0).round(1).ravel()
    seen = rng.random(len(out)) >= FAILED
    return out[seen].sort_values(["day", "competitor", "item"], ignore_index=True)


def prices(world: World) -> pd.DataFrame:
    """The table `prices`: the price before any promotion, a row for each change on each platform."""
    goods, price = world.catalogue.products, world.catalogue.price
    changed = np.c_[np.ones(len(price), dtype=bool), np.diff(price, axis=1) != 0]
    product, day = np.nonzero(changed)
    one = pd.DataFrame(
        {
            "product_id": goods["product_id"].to_numpy(object)[product],
            "changed_at": world.calendar.days.to_numpy()[day].astype("datetime64[s]"),
            "price": price[product, day],
            "list_price": goods["list_price"].to_numpy()[product],
        }
    )
    out = pd.concat([one.assign(platform=p) for p in PLATFORMS], ignore_index=True)
    return out.sort_values(["changed_at", "product_id", "platform"], ignore_index=True)


def truths(world: World) -> dict[str, Any]:
    """Growth of the market by category (log a year), and who lives where by platform: the buyers' expected shares."""
    weight = np.array([p.share for p in PERSONAS])[:, None] * np.array([p.platforms for p in PERSONAS])
    female = np.array([p.female for p in PERSONAS])
    return {
        "market_growth": {c: g for c, (_size, g) in MARKET.items()},
        "market_falls": [c for c, (_size, g) in MARKET.items() if g < -0.1],
        "market_grows": [c for c, (_size, g) in MARKET.items() if g > 0.2],
        "unmatched_items": [f"{who.split()[0]}{name}" for who in COMPETITORS for name in UNMATCHED],
        "female_buyers": {
            p: round(float((weight[:, i] * female).sum() / weight[:, i].sum()), 4) for i, p in enumerate(PLATFORMS)
        },
    }
