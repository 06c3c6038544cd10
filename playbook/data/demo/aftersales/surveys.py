"""Surveys: customers twice a year, with questions on features and on a price; and a panel about the brand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ...schema import TABLES
from ..world import World
from ..world.catalogue import CROSS
from ..world.incidents import CRISIS_DAYS
from .returns import numbers

_DAY = 86_400

MONTHS, OF_MONTH, OPEN_DAYS = (3, 9), 18, 12  # waves begin on this day of these months and are open so long
RECENT = 90  # days before a wave in which somebody bought who is asked
ANSWERS = {"new": 0.016, "returning": 0.026}  # of those asked: those who bought often like to answer
# Satisfaction 1 to 5 by area: mean, what the person's temper adds, and what late, returned, damaged, reacted take away.
AREAS = {
    "shopping_experience": (4.40, 0.35, -0.95, -0.15, -0.35, -0.20),
    "product": (4.45, 0.40, 0.0, -0.50, -0.60, -1.70),
    "service": (4.35, 0.35, -0.40, -0.25, -0.10, -0.60),
    "personalisation": (3.75, 0.45, 0.0, 0.0, 0.0, -0.20),
}
NOISE = 0.55
# What a point more in an area adds to the readiness to recommend (0 to 10).
DRIVERS = {"shopping_experience": 0.55, "product": 1.15, "service": 0.70, "personalisation": 0.25}
RECOMMENDS, RECOMMEND_NOISE = 8.1, 0.9  # at the usual satisfaction

# Kano (1984): feature and the class that most people put it in, and how large a part; the others are indifferent.
FEATURES = {
    "sealed_packaging": ("must_be", 0.72),
    "next_day_delivery": ("one_dimensional", 0.66),
    "refill_pack": ("attractive", 0.68),
    "engraving": ("attractive", 0.55),
    "members_chat_group": ("indifferent", 0.80),
    "daily_push_message": ("reverse", 0.60),
}
KANO_ANSWERS = ("dislike", "live_with", "neutral", "expect", "like")  # scores 1 to 5
KANO = {  # class: answer where the feature is there, and where it is not
    "must_be": ("expect", "dislike"),
    "one_dimensional": ("like", "dislike"),
    "attractive": ("like", "neutral"),
    "indifferent": ("neutral", "neutral"),
    "reverse": ("dislike", "like"),
}
# Van Westendorp (1976): prices of the product, as parts of its list price, of the person in the middle.
PRICED = CROSS[0][0]
PRICES = {"too_cheap": 0.46, "cheap": 0.72, "expensive": 1.08, "too_expensive": 1.42}
PRICE_SPREAD, PRICE_NOISE = 0.20, 0.07
LONG_WAVES = 2  # the last waves also ask about features and prices

# The brand panel: people at large, at scale 1 and wave; the ladder, at the first wave and what a year adds (log odds).
PANEL = 500
LADDER = {"aware": (0.24, 0.16), "understands": (0.46, 0.06), "associates": (0.52, 0.04), "loyal": (0.30, 0.05)}
LADDER_CRISIS = {"associates": -0.55, "loyal": -0.40}  # log odds taken off by the crisis, fading six times as slowly


def waves(world: World) -> list[tuple[str, int]]:
    """Name and first day (position) of each wave."""
    days = world.calendar.days
    first = np.flatnonzero(np.isin(days.month, MONTHS) & (days.day == OF_MONTH))
    return [(f"{days[i]:%Y-%m}", int(i)) for i in first if i >= RECENT]


def surveys(world: World, orders: pd.DataFrame, lines: pd.DataFrame, went: pd.DataFrame) -> pd.DataFrame:
    """The answers of customers of one block; `went` is from `aftersale.experience`."""
    facts = pd.DataFrame({"late": went["late"] > 0.5, "returned": went["returned"], "damaged": went["damaged"]})
    facts["reacted"] = went["onset"].notna()
    facts = facts.groupby(lines["order"].to_numpy()).any().reindex(range(len(orders)), fill_value=False)
    paid = orders["paid_at"].notna() & (orders.get("fraud", pd.Series("", orders.index)) == "")
    known = orders.loc[
        paid & orders["delivered_at"].notna(), ["person", "number", "customer_id", "delivered_at", "day"]
    ]
    known = pd.concat([known, facts.loc[known.index]], axis=1)
    all_waves = waves(world)
    out = [
        _wave(world, known, name, begins, len(all_waves) - k <= LONG_WAVES)
        for k, (name, begins) in enumerate(all_waves)
    ]
    return pd.concat(out, ignore_index=True) if out else _long([])


def _wave(world: World, known: pd.DataFrame, name: str, begins: int, long: bool) -> pd.DataFrame:
    """One wave of the customers' survey."""
    draws, cal = world.draws, world.calendar
    begin = cal.days[begins]
    before = known[known["delivered_at"] < begin]
    recent = before[before["day"] >= begins - RECENT].sort_values(["person", "day"])
    who = recent.groupby("person", as_index=False).agg(
        customer_id=("customer_id", "last"), late=("late", "any"), returned=("returned", "any"),
        damaged=("damaged", "any"), reacted=("reacted", "any"),
    )  # fmt: skip
    bought = before["person"].value_counts().reindex(who["person"]).to_numpy()
    segment = np.where(bought > 1, "returning", "new").astype(object)
    rate = np.where(bought > 1, ANSWERS["returning"], ANSWERS["new"])
    there = draws.uniform(f"answers {name}", who["person"].to_numpy()) < rate
    who, segment, rate = who[there].reset_index(drop=True), segment[there], rate[there]
    person = who["person"].to_numpy()
    at = cal.moments(
        begins + draws.integers(f"survey day {name}", 0, OPEN_DAYS, person),
        draws.integers(f"survey second {name}", 8 * 3600, 23 * 3600, person),
    )
    scores = _satisfaction(draws.normal("temper", person), who, lambda n: draws.normal(f"{n} {name}", person))
    texts: dict[str, np.ndarray] = {}
    if long:
        scores |= _prices(world, person, name)
        features, texts = _features(world, person, name)
        scores |= features
    base = pd.DataFrame(
        {
            "response_id": "S" + numbers(draws, f"response {name}", at, person),
            "answered_at": at,
            "survey": f"customers-{name}",
            "customer_id": who["customer_id"],
            "segment": segment,
            "weight": (np.mean(list(ANSWERS.values())) / rate).round(4),
        }
    )
    base = base[base["answered_at"] < cal.end]
    told = []
    for question, score in scores.items():
        words = texts.get(question, np.full(len(score), None, dtype=object))
        told.append(base.assign(question=question, score=score[base.index], answer=words[base.index]))
    return _long(told)


def _long(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Answers below one another, by time."""
    columns = list(TABLES["surveys"].by_name)
    parts = [p for p in parts if len(p)]
    if not parts:
        empty = {c: pd.Series(dtype=object) for c in columns}
        return pd.DataFrame(empty).astype({"answered_at": "datetime64[s]", "score": float, "weight": float})
    out = pd.concat(parts, ignore_index=True)
    return out.sort_values(["answered_at", "response_id"], kind="stable", ignore_index=True).reindex(columns=columns)


def _satisfaction(temper: np.ndarray, who: pd.DataFrame, noise: Callable[[str], np.ndarray]) -> dict[str, np.ndarray]:
    """Scores by area, and the readiness to recommend that follows from them."""
    met = who[["late", "returned", "damaged", "reacted"]].to_numpy(float)
    out, recommends = {}, RECOMMENDS + RECOMMEND_NOISE * noise("recommends")
    for area, (mean, by_temper, *effects) in AREAS.items():
        score = mean + by_temper * temper + met @ np.array(effects) + NOISE * noise(area)
        out[f"csat_{area}"] = np.clip(np.rint(score), 1, 5)
        recommends = recommends + DRIVERS[area] * (out[f"csat_{area}"] - mean)
    return {**out, "nps": np.clip(np.rint(recommends), 0, 10)}


def _prices(world: World, person: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """Answers in yuan, in rising order for everybody."""
    draws, goods = world.draws, world.catalogue
    list_price = goods.products["list_price"].iloc[goods.position(PRICED)] / 100
    level = list_price * np.exp(PRICE_SPREAD * draws.normal("worth", person))
    said = np.column_stack(
        [level * part * np.exp(PRICE_NOISE * draws.normal(f"price {q} {name}", person)) for q, part in PRICES.items()]
    )
    said = np.sort(np.rint(said), axis=1)
    return {f"price_{q}:{PRICED}": said[:, k] for k, q in enumerate(PRICES)}


def _features(world: World, person: np.ndarray, name: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Kano's two questions on each feature: scores and words."""
    scores, texts = {}, {}
    for feature, (main, part) in FEATURES.items():
        u = world.draws.uniform(f"kano {feature}", person)
        other = np.where(u < part + (1 - part) * 0.6, "indifferent", "attractive")
        kind = np.where(u < part, main, other)
        for k, asked in enumerate(("functional", "dysfunctional")):
            words = pd.Series(kind).map({c: pair[k] for c, pair in KANO.items()}).to_numpy(object)
            slip = world.draws.uniform(f"kano slip {feature} {asked} {name}", person) < 0.08
            words = np.where(slip, "neutral", words).astype(object)
            texts[f"kano_{feature}:{asked}"] = words
            scores[f"kano_{feature}:{asked}"] = pd.Index(KANO_ANSWERS).get_indexer_for(words) + 1.0
    return scores, texts


def panel(world: World) -> dict[str, pd.DataFrame]:
    """The brand panel as rows of surveys, once per world: who knows us, understands, associates, stays (1 or 0)."""
    draws, cal, parts = world.draws, world.calendar, []
    for k, (name, begins) in enumerate(waves(world)):
        person = np.arange(max(30, round(PANEL * world.scale))) + k * 10_000_000
        at = cal.moments(
            begins + draws.integers("panel day", 0, OPEN_DAYS, person),
            draws.integers("panel second", 28_800, 82_800, person),
        )
        base = pd.DataFrame({"response_id": "P" + numbers(draws, "panel", at, person), "answered_at": at})
        base = base.assign(survey=f"brand-{name}", segment="public", weight=1.0)
        reached = np.ones(len(person), dtype=bool)
        for step in LADDER:
            reached = reached & (draws.uniform(f"panel {step}", person) < ladder(world, step, begins))
            parts.append(
                base.assign(question=f"brand_{step}", score=reached.astype(float))[at < cal.end.to_datetime64()]
            )
    return {"surveys": _long(parts)}


def ladder(world: World, step: str, day: int) -> float:
    """Part of those on the step before who reach this one, on a day."""
    start, a_year = LADDER[step]
    odds = np.log(start / (1 - start)) + a_year * day / 365.25
    since = day - world.incidents.crisis
    if since >= 0:
        odds += LADDER_CRISIS.get(step, 0.0) * np.exp(-since / (6 * CRISIS_DAYS))
    return float(1 / (1 + np.exp(-odds)))


def truths(world: World) -> dict:
    """What is planted in the surveys, by name."""
    met = ("late", "returned", "damaged", "reacted")
    return {
        "surveys": {
            "recommend_drivers": DRIVERS,
            "satisfaction": {area: dict(zip(met, effects, strict=True)) for area, (_m, _t, *effects) in AREAS.items()},
            "answers": ANSWERS,
            "kano": {feature: main for feature, (main, _part) in FEATURES.items()},
            "price_parts_of_list": {"product": PRICED, **PRICES},
            "brand_ladder": {
                name: {step: round(ladder(world, step, begins), 4) for step in LADDER} for name, begins in waves(world)
            },
        }
    }
