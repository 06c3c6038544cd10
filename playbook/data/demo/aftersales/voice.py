"""What people say: reviews, mentions on other media; and, put together with them, tickets and surveys."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import poisson

from ..world import World
from ..world.calendar import HOURS
from ..world.catalogue import COMPETITORS
from ..world.draw import pick
from ..world.incidents import CRISIS_PRODUCT
from . import service, surveys
from .fulfilment import completed_at
from .returns import experience, is_fraud, keys, later, line_keys, numbers
from .texts import (
    BUT,
    CLOSERS,
    CLOSES,
    MENTIONS,
    OPENERS,
    OPENS,
    PAID_PRAISE,
    PHRASES,
    SHORT,
    TOPIC_WEIGHTS,
    TOPICS,
    Phrases,
)

_DAY, _HOUR = 86_400, 3_600

# Reviews: part of the completed orders that are reviewed, by platform; where something went wrong; faked orders.
REVIEWED = {"tmall": 0.135, "jd": 0.19, "douyin": 0.115, "own_site": 0.12}
REVIEWED_IF = {"returned": 0.10, "late": 0.20, "damaged": 0.25, "reacted": 0.50, "fake": 0.96}
# Ratings 1 to 5, per mille: J-shaped, as in the stored JD comments; mean about 4.7.
RATINGS = {
    "usual": (5, 4, 15, 62, 914),
    "late": (60, 50, 120, 210, 560),
    "returned": (120, 100, 170, 210, 400),
    "damaged": (300, 200, 170, 130, 200),
    "reacted": (640, 270, 70, 20, 0),
    "fake": (0, 0, 0, 0, 1000),
}
# What went wrong: the topic whose place it takes, under which words, and how often it is said.
CAUSES = {
    "late": ("logistics", "logistics", 0.7),
    "damaged": ("packaging", "damaged", 0.85),
    "reacted": ("effect", "reaction", 0.95),
}
QUALITY = 0.30  # how products differ: spread of the log odds of a five
SHORT_SHARE = 0.22  # of the reviews are a word or two
MORE_TOPICS = (0.55, 0.16)  # speak of a second topic, of a third as well
MINUS = {1: 0.92, 2: 0.80, 3: 0.55, 4: 0.30, 5: 0.06}  # chance that what is said of a topic is bad, by rating

# Mentions a day at scale 1, of us and of each competitor; where they are made.
BRAND = "露苔"
SPOKEN_OF = (18.0, 26.0, 17.0, 11.0)
SOURCES = {"xiaohongshu": 0.42, "weibo": 0.20, "douyin": 0.26, "zhihu": 0.12}
BUZZ = (0.60, 1.10)  # Xiaohongshu's mentions of us where nothing is spent there, and what full saturation adds
MOOD = 0.22  # how days differ, of the log, beyond chance
SENTIMENT = (0.32, 0.36)  # mean and spread; a fifth is below zero: 3 to 4 a day
# The crisis: mentions more, as a multiple of the usual ones, at once; they fade with this mean.
CRISIS_MENTIONS, CRISIS_MENTION_DAYS, CRISIS_SENTIMENT = 6.5, 9.0, (-0.6, 0.2)
REACH = (5.9, 1.7)  # mean and spread of the log of the people reached
NAMED = 0.72  # of the mentions of us name a product


def voice(
    world: World, orders: pd.DataFrame, lines: pd.DataFrame, returns: pd.DataFrame, shipments: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """What the buyers of one block say: reviews, tickets, surveys.

    Parameters
    ----------
    orders : DataFrame
        As `fulfilment.fulfil` returns them, with their `lines` (`lines.order` is the position in `orders`).
    returns, shipments : DataFrame
        The block's tables.
    """
    went = experience(world, orders, lines, returns, shipments)
    return {
        "reviews": _reviews(world, orders, lines, went),
        "tickets": service.tickets(world, orders, lines, returns, shipments, went),
        "surveys": surveys.surveys(world, orders, lines, went),
    }


def _reviews(world: World, orders: pd.DataFrame, lines: pd.DataFrame, went: pd.DataFrame) -> pd.DataFrame:
    """The table reviews: one of some orders, of the line that there is most to say about."""
    draws = world.draws
    u = draws.uniform("reviewed line", *line_keys(orders, lines))
    weight = u + 4 * went["onset"].notna() + 2 * went["damaged"] + went["returned"]
    best = np.lexsort([weight, lines["order"]])
    first = lines["order"].to_numpy()[best]
    best = best[np.r_[first[1:] != first[:-1], np.full(min(len(first), 1), True)]]  # the last one of each order
    at = lines["order"].to_numpy()[best]
    mine, order = went.iloc[best].reset_index(drop=True), orders.iloc[at].reset_index(drop=True)
    who, fake = keys(order), is_fraud(order, "fake")
    reacted, late = mine["onset"].notna().to_numpy(), (mine["late"] > 0.5).to_numpy()
    case = np.select(
        [fake, reacted, mine["damaged"], mine["returned"], late],
        ["fake", "reacted", "damaged", "returned", "late"],
        "usual",
    )
    rate = pd.Series(case).map(REVIEWED_IF).fillna(order["platform"].map(REVIEWED)).to_numpy(float)
    delivered = order["delivered_at"].to_numpy("datetime64[s]")
    waits = np.where(
        fake, 0.02 + 0.7 * draws.uniform("reviews when", *who), 1.6 * draws.exponential("reviews when", *who)
    )
    written = later(np.where(fake, delivered, completed_at(draws, order, delivered)), _DAY * waits)
    written = np.where(reacted, later(mine["onset"].to_numpy(), _DAY * 1.4 * waits), written)
    there = (draws.uniform("reviews", *who) < rate) & (written < world.calendar.end.to_datetime64())
    i = np.flatnonzero(there)
    product = lines["product"].to_numpy()[best[i]]
    rating = _rating(world, case[i], product, *(w[i] for w in who))
    out = order[["platform", "customer_id", "order_id"]].iloc[i].reset_index(drop=True)
    out["product_id"] = world.catalogue.products["product_id"].to_numpy()[product]
    out["review_id"] = "R" + numbers(draws, "review id", written[i], *(w[i] for w in who))
    out["reviewed_at"], out["rating"] = written[i], rating
    out["text"] = _words(world, case[i], rating, product, *(w[i] for w in who))
    return out.sort_values(["reviewed_at", "review_id"], ignore_index=True)


def _rating(world: World, case: np.ndarray, product: np.ndarray, *who: np.ndarray) -> np.ndarray:
    """Stars, 1 to 5."""
    names = list(RATINGS)
    weights = np.array([RATINGS[n] for n in names], dtype=float)[pd.Index(names).get_indexer_for(case)]
    weights[:, 4] *= np.exp(QUALITY * world.draws.normal("quality", product))
    return pick(world.draws.uniform("rating", *who), weights) + 1


def _words(world: World, case: np.ndarray, rating: np.ndarray, product: np.ndarray, *who: np.ndarray) -> np.ndarray:
    """The text of each review."""
    draws, n = world.draws, len(rating)
    category = world.catalogue.products["category"].to_numpy()[product]
    names = list(TOPIC_WEIGHTS)
    weights = np.array([TOPIC_WEIGHTS[c] for c in names], dtype=float)[pd.Index(names).get_indexer_for(category)]
    comes = np.column_stack([draws.exponential(f"topic {t}", *who) for t in TOPICS]) / weights
    u, because = draws.uniform("because", *who), {}
    for name, (topic_of, instead, chance) in CAUSES.items():
        because[instead] = (case == name) & (u < chance) & (rating < 5)
        comes[because[instead], TOPICS.index(topic_of)] = -1  # comes first
    topic = np.array(TOPICS, dtype=object)[np.argsort(comes, axis=1)[:, :3]]
    bad = np.array([MINUS[r] for r in range(1, 6)])[rating - 1]
    minus = np.column_stack([draws.uniform(f"minus {k}", *who) for k in range(3)]) < bad[:, None]
    minus[:, 0] &= rating < 4  # nobody who is content begins with a complaint
    for instead, which in because.items():
        topic[which, 0], minus[which, 0] = instead, True
    count = 1 + (draws.uniform("topics", *who)[:, None] < np.array(MORE_TOPICS)).sum(axis=1)
    phrases = Phrases(PHRASES)
    buts, openers, closers, short = (Phrases(x) for x in (BUT, OPENERS, CLOSERS, SHORT))
    mood = pd.Series(np.select([rating >= 4, rating == 3], ["+", "0"], "-"))
    opens = openers.of(mood.map(openers.at).to_numpy(), draws.uniform("opener", *who))
    opened = draws.uniform("opens", *who) < OPENS
    text = np.where(opened, opens + "，", "")
    before = np.where(opened & (rating >= 4), False, minus[:, 0])  # whether what was said before was bad
    for k in range(3):
        sign = np.where(minus[:, k], "-", "+")
        found = [
            phrases.at.get((c, t, s), phrases.at.get(("", t, s), -1))
            for c, t, s in zip(category, topic[:, k], sign, strict=True)
        ]
        said = phrases.of(np.array(found, dtype=np.int64), draws.uniform(f"phrase {k}", *who))
        joint = buts.of(pd.Series(sign).map(buts.at).to_numpy(), draws.uniform(f"but {k}", *who))
        joint = np.where((sign == "-") & (rating < 4), "但是", joint)
        joint = np.where(minus[:, k] != before, joint, "").astype(object)
        before, comma = minus[:, k], "" if k == 0 else "，"
        text = text + np.where(k < count, comma + joint + said, "")
    closes = closers.of(mood.map(closers.at).to_numpy(), draws.uniform("closer", *who))
    text = text + np.where(draws.uniform("closes", *who) < CLOSES, "，" + closes, "")
    text = text + draws.label("stop", "。 40 ！ 14 ～ 8 _ 38", *who)
    text = pd.Series(text).str.replace("_", "").to_numpy(object)
    brief = (draws.uniform("short", *who) < SHORT_SHARE) & np.isin(case, ["usual", "returned"])
    text = np.where(brief, short.of(mood.map(short.at).to_numpy(), draws.uniform("short text", *who)), text)
    praise = Phrases({"": PAID_PRAISE}).of(np.zeros(n, dtype=np.int64), draws.uniform("paid praise", *who))
    return np.where(case == "fake", praise, text)


def mentions(world: World, begins: int = 0, ends: int | None = None) -> dict[str, pd.DataFrame]:
    """The table mentions, of the days from `begins` to before `ends` (positions): once per world, or in pieces.

    Texts are those of mentions of us: of competitors the supplier only counts.
    """
    day = np.arange(begins, world.calendar.n if ends is None else ends)
    parts = [_mentions(world, day, brand, crisis=False) for brand in range(len(SPOKEN_OF))]
    parts.append(_mentions(world, day, 0, crisis=True))
    out = pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)
    return {"mentions": out.sort_values(["mentioned_at", "mention_id"], ignore_index=True)}


def _mentions(world: World, day: np.ndarray, brand: int, crisis: bool) -> pd.DataFrame:
    """Mentions of one brand: the usual ones, or those that the crisis adds."""
    draws, cal, sources = world.draws, world.calendar, list(SOURCES)
    day, source = np.repeat(day, len(sources)), np.tile(np.arange(len(sources)), len(day))
    tag = "crisis" if crisis else f"brand {brand}"
    rate = SPOKEN_OF[brand] * np.array(list(SOURCES.values()))[source] * world.scale
    if crisis:
        since = day - world.incidents.crisis
        rate = rate * CRISIS_MENTIONS * np.where(since >= 0, np.exp(-np.maximum(since, 0) / CRISIS_MENTION_DAYS), 0)
    else:
        rate = rate * np.sqrt(cal.busy[day]) * np.exp(MOOD * draws.normal(f"mood {tag}", day) - MOOD**2 / 2)
        level = world.media.level[0, world.media.position("xiaohongshu"), day]
        rate = np.where((source == 0) & (brand == 0), rate * (BUZZ[0] + BUZZ[1] * level), rate)
    cell = day * 8 + source
    count = poisson.ppf(draws.uniform(f"mentions {tag}", cell), rate).astype(np.int64)
    row = np.repeat(np.arange(len(day)), count)
    who = (cell[row], np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count))
    mean, spread = CRISIS_SENTIMENT if crisis else SENTIMENT
    sentiment = np.clip(mean + spread * draws.normal(f"sentiment {tag}", *who), -1, 1).round(2)
    second = pick(draws.uniform(f"hour {tag}", *who), HOURS) * _HOUR + draws.integers(f"second {tag}", 0, _HOUR, *who)
    at = cal.moments(day[row], second)
    reach = np.exp(REACH[0] + 0.6 * crisis + REACH[1] * draws.normal(f"reach {tag}", *who))
    out = pd.DataFrame(
        {
            "mention_id": "m" + numbers(draws, f"mention {tag}", at, *who),
            "mentioned_at": at,
            "source": np.array(sources, dtype=object)[source[row]],
            "brand": (BRAND, *COMPETITORS)[brand],
            "sentiment": sentiment,
            "reach": np.maximum(1, np.rint(reach)).astype(np.int64),
        }
    )
    return out if brand else out.assign(**_said(world, sentiment, crisis, *who))


def _said(world: World, sentiment: np.ndarray, crisis: bool, *who: np.ndarray) -> dict[str, np.ndarray]:
    """Product and text of mentions of us."""
    draws, goods = world.draws, world.catalogue.products
    product = pick(draws.uniform("mentioned product", *who), goods["weight"].to_numpy())
    named = draws.uniform("named", *who) < NAMED
    if crisis:
        product, named = (
            np.full(len(product), world.catalogue.position(CRISIS_PRODUCT)),
            np.ones(len(product), dtype=bool),
        )
    mood = pd.Series(np.select([sentiment > 0.2, sentiment > -0.05], ["+", "0"], "-"))
    mood = pd.Series(np.full(len(mood), "crisis")) if crisis else mood
    # What stands before, between and after brand and product.
    cut = {key: [t.replace("{p}", "{b}").split("{b}") for t in text.split()] for key, text in MENTIONS.items()}
    parts = [Phrases({key: " ".join(t[k] or "_" for t in texts) for key, texts in cut.items()}) for k in range(3)]
    u = draws.uniform("mention text", *who)
    before, between, after = (p.of(mood.map(p.at).to_numpy(np.int64), u) for p in parts)
    name = np.where(named, goods["name"].to_numpy(object)[product], "产品")
    text = pd.Series(before + BRAND + between + name + after).str.replace("_", "").to_numpy(object)
    ids = np.where(named, goods["product_id"].to_numpy(object)[product], None)
    return {"product_id": ids, "text": text}


def truths(world: World) -> dict:
    """What is planted in what people say, by name."""
    return {
        "crisis_mentions": {
            "begins": world.incidents.crisis,
            "times_usual": 1 + CRISIS_MENTIONS,
            "decay_days": CRISIS_MENTION_DAYS,
            "sentiment": CRISIS_SENTIMENT[0],
        },
        "spoken_of": dict(zip((BRAND, *COMPETITORS), SPOKEN_OF, strict=True)),
        "ratings_per_mille": {name: list(weights) for name, weights in RATINGS.items()},
        "topics": {category: dict(zip(TOPICS, weights, strict=True)) for category, weights in TOPIC_WEIGHTS.items()},
        **service.truths(world),
        **surveys.truths(world),
    }
