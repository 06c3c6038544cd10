"""Who buys when: people arrive, come back, and stop; what they meet decides whether an occasion becomes an order.

Everything is thinning. Occasions come at a rate that no decision changes, high enough for the best of days, each with
draws of its own; an occasion is taken up when its draw lies below what price, promotion, stock, advertising and the
site let through. So another policy flips the occasions that it reaches and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..world import World, people
from ..world.calendar import HOURS
from ..world.catalogue import CATEGORIES
from ..world.draw import pick
from ..world.media import BOUGHT_ON, HELD_OUT
from ..world.people import PERSONAS, PLATFORMS
from .funnel import FUNNEL, reached

CAP = 4.0
"""The largest pull for which there are occasions enough; a day beyond it would be cut off."""
ARRIVALS = 9.0  # first orders a day that nothing brought but the shop's name, at scale 1 in the middle of the period
GROWTH = 0.05  # of the arrivals, log a year
BEFORE = 900  # days before the first one in which those arrived who are customers already
SAME_AGAIN = 0.48  # of the returns are for what she always buys
AT_ONCE = 60_000  # occasions looked at in one go
BLOCK = 1 << 32  # numbers of people of one block
_OWN = PLATFORMS.index("own_site")


@dataclass(frozen=True)
class Demand:
    """What came of the occasions of one block of people.

    Attributes
    ----------
    people : DataFrame
        Everybody who ever bought or filled a cart, one row a person: person (number), persona, main, other (positions
        of platforms, −1: none), rate (purchases a day in the clock of busy days), dropout, arrived (position of the
        day; below 0: before the first), cause (what brought her: "organic" or a channel).
    occasions : DataFrame
        One row for each occasion that was taken up, by time: person, number (which occasion of hers), day, second,
        platform, product (position), device, cause ("organic", "repeat" or a channel), step (3: bought; 0 to 2: how far
        she came on the own site).
    lost : DataFrame
        Occasions lost because nothing was in stock: person, number, day, platform, product.
    """

    people: pd.DataFrame
    occasions: pd.DataFrame
    lost: pd.DataFrame


def demand(world: World, block: int, scale: float) -> Demand:
    """The occasions of one block of people, `scale` of them."""
    everybody, first = _arrivals(world, block, scale)
    started = everybody[everybody["step"] == 3].drop(columns="step").reset_index(drop=True)
    again = _returns(world, started)
    known = first.loc[(first["cause"] == "organic") & (first["step"] == 3)].sort_values(["day", "person"])
    activated = _activations(world, block, scale, started, known)
    everything = pd.concat([first, again, activated], ignore_index=True)
    lost = everything["step"] == -1
    occasions = everything[~lost & (everything["day"] >= 0)]
    by_time = ["day", "second", "person", "number"]
    return Demand(
        everybody.drop(columns=["favourite", "begins", "step"]),
        occasions.sort_values(by_time, ignore_index=True),
        everything.loc[lost, ["person", "number", "day", "platform", "product"]].sort_values(by_time[:1] + by_time[2:]),
    )


def _arrivals(world: World, block: int, scale: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Those who come, with the `step` that they reach at first (3: customers), and their first occasions."""
    cal, rng = world.calendar, world.draws.generator(f"arrivals {block}")
    natural = ARRIVALS * scale * cal.busy * np.exp(GROWTH * (np.arange(cal.n) - cal.n / 2) / 365.25)
    rates = {"organic": natural} | {
        c: world.media.ceiling[i] * share * scale / world.scale
        for i, (c, share) in enumerate(zip(world.media.channels["channel"], world.media.channels["new"], strict=True))
        if share > 0
    }
    days, causes = [], []
    for cause, rate in rates.items():
        day = np.repeat(np.arange(cal.n), rng.poisson(rate * CAP * _inflation(cause)))
        days.append(day)
        causes.append(np.full(len(day), cause, dtype=object))
    before = -1 - rng.integers(0, BEFORE, rng.poisson(natural[0] * 1.15 * BEFORE))
    new = _candidates(
        world, block, np.concatenate([*days, before]), np.concatenate([*causes, ["organic"] * len(before)])
    )
    old = new["day"] < 0
    new.loc[old, "step"], new.loc[old, "product"] = 3, new.loc[old, "favourite"]
    columns = ["person", "persona", "main", "other", "rate", "dropout", "favourite"]
    there = new[new["step"] >= 0]
    persons = there[[*columns, "step", "cause"]].assign(arrived=there["day"], begins=_clock(world, there["day"]))
    return persons.reset_index(drop=True), new.drop(columns=[*columns[1:], "level"])


def _inflation(cause: str) -> float:
    """How many more occasions it takes because those on the own site mostly end before the purchase."""
    if cause == "organic":
        own = sum(p.share * p.platforms[_OWN] for p in PERSONAS)
    else:
        own = BOUGHT_ON[cause].get("own_site", 0.0)
    return 1 - own + own * FUNNEL


def _candidates(world: World, block: int, day: np.ndarray, cause: np.ndarray) -> pd.DataFrame:
    """People who would come on a day, with what became of it in `step` (NA: nothing)."""
    draws = world.draws
    person = np.arange(len(day), dtype=np.int64) + block * BLOCK
    persona = people.persona_of(draws, person)
    weights = np.array([p.platforms for p in PERSONAS])[persona]
    for channel, where in BOUGHT_ON.items():
        mine = cause == channel
        weights[mine] = [where.get(p, 0.0) for p in PLATFORMS]
    # Those on the own site come as often as their share says after most have left again; the old customers have stayed.
    weights[:, _OWN] *= np.where(day < 0, 1, FUNNEL)
    main, second = people.platforms_of(draws, person, persona, weights)
    city = people.city_of(draws, person, persona)
    new = pd.DataFrame({"person": person, "number": 0, "persona": persona, "main": main, "other": second, "day": day})
    new["cause"], new["favourite"] = cause, choice(world, "favourite", person, 0, persona, np.maximum(day, 0))
    new["platform"] = main
    new["level"] = _advertised(world, cause, np.maximum(day, 0), city["region"].to_numpy())
    taken = (day < 0) | ((draws.uniform("advertised", person) < new["level"]) & _wanted(world, new, new["favourite"]))
    new = new[taken].reset_index(drop=True)
    new["rate"], new["dropout"] = people.rates_of(draws, new["person"].to_numpy(), new["persona"].to_numpy())
    new["rate"] *= _replenishment(world)[new["favourite"]]
    return _met(world, new.assign(product=new["favourite"]))


def _replenishment(world: World) -> np.ndarray:
    """Who uses what is soon empty comes back sooner: factor on the rate by favourite product."""
    usage = world.catalogue.products["usage_days"].to_numpy()
    return (np.mean([c[7] for c in CATEGORIES]) / usage) ** 0.4


def _advertised(world: World, cause: np.ndarray, day: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The chance that advertising reaches an occasion; 1 where it needs none."""
    out = np.ones(len(day))
    tested = np.isin(region, HELD_OUT).astype(int)
    for i, channel in enumerate(world.media.channels["channel"]):
        mine = cause == channel
        out[mine] = world.media.level[tested[mine], i, day[mine]]
    return out


def choice(world: World, name: str, person: np.ndarray, number: np.ndarray | int, persona: np.ndarray, day: np.ndarray):
    """A product for each occasion, by the persona's taste in that month."""
    u = world.draws.uniform(name, person, number)
    month = world.calendar.month[day]
    out = np.empty(len(u), dtype=np.int64)
    group = persona * world.choice.shape[1] + month
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(world.choice.shape[0] * world.choice.shape[1] + 1))
    flat = world.choice.reshape(-1, world.choice.shape[2])
    for g in np.flatnonzero(np.diff(edges)):
        rows = order[edges[g] : edges[g + 1]]
        out[rows] = pick(u[rows], flat[g])
    return np.minimum(out, world.choice.shape[2] - 1)


def _wanted(world: World, occasions: pd.DataFrame, product: pd.Series) -> np.ndarray:
    """Whether price, offer, season and the rest let an occasion through (stock apart)."""
    u = world.draws.uniform("wanted", occasions["person"].to_numpy(), occasions["number"].to_numpy())
    day = occasions["day"].to_numpy()
    pull = world.pull[product, np.maximum(day, 0)]
    return u < np.where(day < 0, 1.0, pull) / CAP


def _met(world: World, wanted: pd.DataFrame) -> pd.DataFrame:
    """What becomes of occasions on which somebody wants to buy: moment, device, and `step` (−1: nothing in stock)."""
    draws, person, number = world.draws, wanted["person"].to_numpy(), wanted["number"].to_numpy()
    day, seen = wanted["day"].to_numpy(), np.maximum(wanted["day"].to_numpy(), 0)
    platform = wanted["platform"].to_numpy()
    second = pick(draws.uniform("hour", person, number), HOURS) * 3600 + draws.integers(
        "second", 0, 3600, person, number
    )
    rush = (world.calendar.busy[seen] > 2.5) & (draws.uniform("midnight", person, number) < 0.2)
    second = np.where(rush, second % 3600, second)  # offers open at midnight
    own = (platform == _OWN) & (day >= 0)
    device = _device(world, person, number, platform)
    step = np.full(len(wanted), 3)
    step[own] = reached(world, person[own], number[own], day[own], second[own], device[own])
    step[(day >= 0) & ~world.in_stock[wanted["product"], seen]] = -1
    out = wanted.assign(second=second, device=device, step=step)
    return out[step != -2].reset_index(drop=True)  # -2: the site was down


def _device(world: World, person: np.ndarray, number: np.ndarray, platform: np.ndarray) -> np.ndarray:
    """The device: mostly the one she always takes."""
    shares = {"tmall": "app 94 desktop 4 tablet 2", "jd": "app 87 desktop 10 tablet 3", "douyin": "app 100"}
    shares["own_site"] = "mini_program 56 phone 27 desktop 17"
    usual = world.draws.uniform("usual device", person) < 0.85
    out = np.empty(len(person), dtype=object)
    for i, name in enumerate(PLATFORMS):
        mine = platform == i
        always = world.draws.label(f"device {name}", shares[name], person[mine])
        now = world.draws.label(f"device {name} now", shares[name], person[mine], number[mine])
        out[mine] = np.where(usual[mine], always, now)
    return out


def _clock(world: World, day: pd.Series) -> np.ndarray:
    """The time of the shop's clock, which busy days speed up, in the middle of a day."""
    edges = np.r_[0.0, np.cumsum(world.calendar.busy)]
    return np.where(day < 0, day, (edges[np.maximum(day, 0)] + edges[np.maximum(day, 0) + 1]) / 2).astype(float)


def _returns(world: World, started: pd.DataFrame) -> pd.DataFrame:
    """The later occasions of customers: by their rate, in the shop's clock, until they stop for good."""
    edges = np.r_[0.0, np.cumsum(world.calendar.busy)]
    pace, on_other = _pace(started)
    who = {c: started[c].to_numpy() for c in ("person", "persona", "main", "other", "favourite", "dropout")}
    position, alive, done = started["begins"].to_numpy().copy(), np.arange(len(started)), 0
    out = []
    while len(alive):
        # The fewer are left, the more occasions of each are looked at in one go.
        ahead = max(1, min(64, AT_ONCE // len(alive)))
        number = np.tile(done + 1 + np.arange(ahead), len(alive))
        row = np.repeat(alive, ahead)
        gaps = world.draws.exponential("gap", who["person"][row], number) / pace[row]
        at = position[row] + gaps.reshape(-1, ahead).cumsum(axis=1).ravel()
        position[alive] = at[ahead - 1 :: ahead]
        within = at < edges[-1]
        met = _met(world, _occasions(world, who, row[within], number[within], at[within], edges, on_other))
        bought = met["step"].to_numpy() == 3
        gone = bought & (world.draws.uniform("gone", met["person"], met["number"]) < who["dropout"][met["row"]])
        last = np.full(len(started), np.iinfo(np.int64).max)
        np.minimum.at(last, met["row"].to_numpy()[gone], met["number"].to_numpy()[gone])
        out.append(met[met["number"].to_numpy() <= last[met["row"]]])
        alive = alive[(position[alive] < edges[-1]) & (last[alive] == np.iinfo(np.int64).max)]
        done += ahead
    return pd.concat(out, ignore_index=True).drop(columns="row")


def _pace(started: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Occasions a day of each customer, and the part of them that fall on her other platform."""
    other = np.where(started["other"] < 0, 0.0, people.ON_SECOND) * np.where(started["other"] == _OWN, FUNNEL, 1)
    main = np.where(started["other"] < 0, 1.0, 1 - people.ON_SECOND) * np.where(started["main"] == _OWN, FUNNEL, 1)
    return started["rate"].to_numpy() * CAP * (main + other), other / (main + other)


def _occasions(
    world: World, who: dict[str, np.ndarray], row: np.ndarray, number: np.ndarray, at: np.ndarray, edges: np.ndarray,
    on_other: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """The occasions at these times of the shop's clock on which somebody wants to buy."""
    day = np.where(at < 0, np.floor(at), np.searchsorted(edges, at, side="right") - 1).astype(np.int64)
    person, persona = who["person"][row], who["persona"][row]
    elsewhere = world.draws.uniform("elsewhere", person, number) < on_other[row]
    same = world.draws.uniform("same again", person, number) < SAME_AGAIN
    now = pd.DataFrame({"person": person, "number": number, "day": day, "cause": "repeat", "row": row})
    now["platform"] = np.where(elsewhere, who["other"][row], who["main"][row])
    now["product"] = np.where(
        same, who["favourite"][row], choice(world, "product", person, number, persona, np.maximum(day, 0))
    )
    return now[_wanted(world, now, now["product"])]


def _activations(world: World, block: int, scale: float, started: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Occasions on which advertising makes an old customer buy, whether she had stopped or not."""
    cal, draws, rng = world.calendar, world.draws, world.draws.generator(f"activations {block}")
    days, causes = [], []
    for i, (channel, new) in enumerate(zip(world.media.channels["channel"], world.media.channels["new"], strict=True)):
        rate = world.media.ceiling[i] * (1 - new) * scale / world.scale
        day = np.repeat(np.arange(cal.n), rng.poisson(rate * CAP * _inflation(channel)))
        days.append(day)
        causes.append(np.full(len(day), channel, dtype=object))
    day, cause = np.concatenate(days), np.concatenate(causes)
    key = np.arange(len(day), dtype=np.int64) + block * BLOCK
    before = np.searchsorted(known["day"].to_numpy(), day)  # those who were customers by then, the latest likeliest
    which = (before * np.sqrt(draws.uniform("activated", key))).astype(np.int64)
    there = before > 0
    who = known["person"].to_numpy()[np.minimum(which, max(len(known) - 1, 0))] if len(known) else key
    at = pd.Index(started["person"]).get_indexer_for(who)
    there &= at >= 0
    day, cause, key, at = day[there], cause[there], key[there], at[there]
    row = started.iloc[at].reset_index(drop=True)
    city = people.city_of(draws, row["person"].to_numpy(), row["persona"].to_numpy())
    weights = np.array([[BOUGHT_ON[c].get(p, 0.0) for p in PLATFORMS] for c in world.media.channels["channel"]])
    weights[:, _OWN] *= FUNNEL
    channel = pd.Index(world.media.channels["channel"]).get_indexer_for(cause)
    product = choice(world, "activated product", key, 0, row["persona"].to_numpy(), day)
    now = pd.DataFrame({"person": row["person"], "number": key % BLOCK + (1 << 20), "day": day, "cause": cause})
    now["platform"] = pick(draws.uniform("activated on", key), weights[channel])
    now["product"] = product
    level = _advertised(world, cause, day, city["region"].to_numpy())
    taken = (draws.uniform("activation", key) < level) & _wanted(world, now, now["product"])
    return _met(world, now[taken])
