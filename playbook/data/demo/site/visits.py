"""Who comes to the own site and the mini-program, when, on what and through what; `site.py` says what they do there.

Four kinds of visits: those of the occasions of `demand` (something is put into the cart), visits before them that only
look, visits of people whom the shop knows, and visits of the many who never fill a cart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import poisson

from ..office.advertising import CAMPAIGNS
from ..shoppers.demand import BLOCK, Demand
from ..shoppers.orders import customer_ids
from ..world import World, people
from ..world.calendar import HOURS
from ..world.draw import pick
from ..world.media import BOUGHT_ON, CHANNELS, HELD_OUT
from ..world.people import PLATFORMS

OWN = PLATFORMS.index("own_site")
SHOP, RESEARCH, KNOWN, BROWSE, JOIN = range(5)  # kinds of visits; JOIN is only there to register
DEVICES = ("mini_program", "phone", "desktop")
DEVICE_PART = np.array([56.0, 27.0, 17.0])  # as the buyers' (see `demand`)
# Sources by position, with GA4's kind of medium; those of crm are its campaigns'. The names are those of the channels.
SOURCES = {
    "direct": "(none)",
    "wecom": "referral",
    "natural_search": "organic",
    "search": "cpc",
    "xiaohongshu": "social",
    "crm": "sms",
    "bilibili": "video",
    "display": "display",
}
SOURCE = {name: i for i, name in enumerate(SOURCES)}
PAID = [s for s in SOURCES if s in CAMPAIGNS]
CAMPAIGN_NAMES = [(channel, name) for channel in PAID for name, _share in CAMPAIGNS[channel]]

FIRST = BLOCK // 4 * 3  # numbers of the anonymous within their block begin here
# First visits a day at scale 1 that nothing paid for, on an ordinary day: chosen so that, with the others, three in a
# hundred visits end in a purchase and some 18 of those that look at a product in a cart.
UNPAID_VISITS = {"direct": 22.0, "natural_search": 23.0, "wecom": 8.0}
ARRIVE = 0.8  # first visits at full saturation, of the clicks that the usual spending buys for the own site
VISITORS_GROW = 0.05  # log a year
AGAIN, AGAIN_DAYS = 0.27, 6.0  # chance that an anonymous visitor comes once more, and the mean delay
KNOWN_VISITS, KNOWN_DAYS = 18.0, 200.0  # visits that somebody known may pay without buying, and how long interest lasts
JOINS_IN_VISIT = 2400  # who registers within so many seconds before a step does so in the same visit
SEEN = 0.85  # of the visits that a channel brought can be told to be its
# How many visits (0, 1, 2) people pay in the days before they fill a cart: openers have long ways, closers short ones.
BEFORE = {"repeat": (55, 30, 15), "crm": (60, 30, 10), "search": (55, 30, 15), "organic": (35, 38, 27)}
BEFORE_OPENER = (18, 44, 38)
BEFORE_DAYS = 4.0
CLOSE_SEARCH, CLOSE_CRM = 0.42, 0.26  # at full saturation, of the last visits come by a search ad or a message
ROUND_THE_CLOCK = {  # factor on HOURS: phones before and after work, desktops during it
    "hand": np.repeat([1.0, 1.25, 0.88, 1.15, 1.0], [7, 2, 9, 5, 1]),
    "desktop": np.repeat([0.35, 0.8, 1.55, 0.65, 0.4], [8, 1, 9, 5, 1]),
}


def visits(world: World, demand: Demand, customers: pd.DataFrame, block: int, scale: float) -> pd.DataFrame:
    """All visits of one block of people, one row each, in order of `at`.

    Parameters
    ----------
    customers : DataFrame
        The table `customers`, of which customer_id and registered_at are read.

    Returns
    -------
    DataFrame
        person, persona, key (64 bits that nobody else has), kind, device, source (positions), at (seconds since the
        first day; the end of a visit of kind SHOP, the registration of kind JOIN, else the beginning), journey
        (position of the occasion on the own site that a visit belongs to, −1: none), step, product (positions, −1),
        registered (seconds, or very large: never), joins (registers during the visit).
    """
    own = demand.occasions[demand.occasions["platform"] == OWN].reset_index(drop=True)
    accounts = _accounts(world, demand, customers)
    parts = [
        *_journeys(world, own),
        _known(world, own, accounts),
        _browsing(world, block, scale),
        _joining(world, accounts),
    ]
    out = pd.concat(parts, ignore_index=True)
    out = out[(out["at"] >= 0) & (out["at"] < world.calendar.n * 86400)].sort_values(
        "at", kind="stable", ignore_index=True
    )
    at = pd.Index(accounts["person"]).get_indexer(out["person"])
    out["registered"] = np.where(at >= 0, accounts["registered"].to_numpy()[at], np.iinfo(np.int64).max)
    ahead = out["at"] - out["registered"]
    first = out["at"] == np.where(at >= 0, accounts["first"].to_numpy()[at], -1)
    out["joins"] = (out["kind"] == JOIN) | (
        (out["kind"] == SHOP) & (out["step"] >= 1) & first & (ahead <= JOINS_IN_VISIT) & (out["registered"] >= 0)
    )
    new = np.flatnonzero(out["persona"] < 0)
    out.loc[new, "persona"] = people.persona_of(world.draws, out["person"].to_numpy()[new])
    out["key"] = world.draws.bits("visit", out["person"].to_numpy(), out["number"].to_numpy())
    return out.drop(columns="number")


def _accounts(world: World, demand: Demand, customers: pd.DataFrame) -> pd.DataFrame:
    """Own-site accounts: person, first (second of her first step from the checkout on), registered (second)."""
    seen = demand.occasions[(demand.occasions["platform"] == OWN) & (demand.occasions["step"] >= 1)]
    first = (seen["day"] * 86400 + seen["second"]).groupby(seen["person"]).min().rename("first").reset_index()
    known = customers[customers["platform"] == PLATFORMS[OWN]].set_index("customer_id")["registered_at"]
    moment = pd.Series(customer_ids(first["person"].to_numpy(), np.full(len(first), OWN))).map(known)
    start = world.calendar.days[0]
    first["registered"] = ((moment - start) // pd.Timedelta(seconds=1)).fillna(np.iinfo(np.int64).max).astype(np.int64)
    return first


def _frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"persona": -1, "journey": -1, "step": -1, "product": -1} | columns)


def _journeys(world: World, own: pd.DataFrame) -> list[pd.DataFrame]:
    """The visits in which occasions end, and those before them."""
    draws = world.draws
    person, number, day = (own[c].to_numpy() for c in ("person", "number", "day"))
    cause = own["cause"].to_numpy(dtype=object)
    device = pd.Index(DEVICES).get_indexer(own["device"])
    end = day * 86400 + own["second"].to_numpy()
    paid = np.isin(cause, PAID)
    weights = np.array([BEFORE.get(c, BEFORE_OPENER) for c in pd.unique(cause)], dtype=float)
    before = pick(draws.uniform("visits before", person, number), weights[pd.factorize(cause)[0]])
    opening = np.where(paid, pd.Index(SOURCES).get_indexer(cause), _unpaid(world, "opens", person, number))
    hidden = draws.uniform("seen", person, number) >= SEEN
    opening = np.where(paid & hidden, _unpaid(world, "hidden", person, number), opening)
    closing = _closing(world, person, number, day, cause == "organic")
    common = {"product": own["product"].to_numpy(), "person": person, "journey": np.arange(len(own))}
    last = _frame(
        **common, number=number * 4, kind=SHOP, device=device, at=end, step=own["step"].to_numpy(),
        source=np.where(paid & (before == 0), opening, closing),
    )  # fmt: skip
    out, back = [last], np.zeros(len(own))
    for k in (1, 2):
        back = back + 1800 + 86400 * BEFORE_DAYS * draws.exponential(f"before {k}", person, number)
        other = draws.uniform(f"other device {k}", person, number) < 0.22
        on = np.where(other, pick(draws.uniform(f"which device {k}", person, number), DEVICE_PART), device)
        # Visits keep to the hours of the day at which people are up.
        at = end - np.minimum(back, 20 * 86400 + 3600 * k).astype(np.int64)
        at = np.minimum(at // 86400 * 86400 + _second(world, f"before {k}", on, person, number), end - 1800 * k)
        middle = _unpaid(world, f"middle {k}", person, number)
        visit = _frame(
            **common,
            number=number * 4 + k,
            kind=RESEARCH,
            device=on,
            at=at,
            source=np.where(before == k, opening, middle),
        )
        out.append(visit[before >= k])
    return out


def _unpaid(world: World, name: str, person: np.ndarray, number: np.ndarray) -> np.ndarray:
    return pick(world.draws.uniform(f"unpaid {name}", person, number), np.array([44, 26, 30]))


def _closing(world: World, person: np.ndarray, number: np.ndarray, day: np.ndarray, new: np.ndarray) -> np.ndarray:
    """What the last click goes to: whoever is there when people have made up their minds."""
    u, level = world.draws.uniform("closes", person, number), world.media.level[0]
    search = CLOSE_SEARCH * level[world.media.position("search"), day]
    crm = np.where(new, 0.0, CLOSE_CRM * level[world.media.position("crm"), day])
    out = np.where(u < search + crm, SOURCE["crm"], _unpaid(world, "closes", person, number))
    return np.where(u < search, SOURCE["search"], out)


def _second(world: World, name: str, device: np.ndarray, *of: np.ndarray) -> np.ndarray:
    """A second of the day, by device."""
    u = world.draws.uniform(f"{name} hour", *of)
    hand, desk = (pick(u, HOURS * ROUND_THE_CLOCK[d]) for d in ("hand", "desktop"))
    return np.where(device == 2, desk, hand) * 3600 + world.draws.integers(f"{name} second", 0, 3600, *of)


def _known(world: World, own: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Visits of people with an account that do not come to a cart: after messages, from the wecom group, by habit."""
    draws, n = world.draws, world.calendar.n
    began = np.minimum(accounts["first"].to_numpy() // 86400, n - 1)
    mean = KNOWN_VISITS * -np.expm1(-(n - began) / KNOWN_DAYS)
    count = poisson.ppf(draws.uniform("known visits", accounts["person"].to_numpy()), mean).astype(np.int64)
    row = np.repeat(np.arange(len(accounts)), count)
    k = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    person = accounts["person"].to_numpy()[row]
    left = -np.expm1(-(n - began[row]) / KNOWN_DAYS)
    since = -np.log1p(-draws.uniform("known day", person, k) * left) * KNOWN_DAYS
    day = np.minimum(began[row] + since.astype(np.int64), n - 1)
    source = np.array([SOURCE["crm"], SOURCE["wecom"], SOURCE["direct"]])[
        pick(draws.uniform("known source", person, k), np.array([46, 26, 28]))
    ]
    crm = world.media.level[0, world.media.position("crm"), day]
    through = np.where(source == SOURCE["crm"], crm, np.minimum(0.5 * world.calendar.busy[day], 1))
    usual = own.drop_duplicates("person").set_index("person")["device"]
    device = pd.Index(DEVICES).get_indexer(usual.reindex(person))
    second = _second(world, "known", device, person, k)
    out = _frame(person=person, number=(1 << 40) + k, kind=KNOWN, device=device, at=day * 86400 + second, source=source)
    return out[draws.uniform("known comes", person, k) < through]


def _browsing(world: World, block: int, scale: float) -> pd.DataFrame:
    """Visits of those who never fill a cart: a first one, and some more."""
    cal, draws, rng = world.calendar, world.draws, world.draws.generator(f"visitors {block}")
    grow = np.exp(VISITORS_GROW * (np.arange(cal.n) - cal.n / 2) / 365.25)
    rates = {s: rate * cal.busy * grow for s, rate in UNPAID_VISITS.items()}
    about = CHANNELS.set_index("channel")
    for s in PAID:
        if s != "crm":  # messages go to people whom the shop knows
            clicks = about.loc[s, "weekly"] / 7 / about.loc[s, "cpc"] * BOUGHT_ON[s]["own_site"]
            rates[s] = ARRIVE * clicks * np.minimum(cal.busy, 2.5)
    days = [np.repeat(np.arange(cal.n), rng.poisson(rate * scale)) for rate in rates.values()]
    day, source = np.concatenate(days), np.repeat([SOURCE[s] for s in rates], [len(d) for d in days])
    person = block * BLOCK + FIRST + np.arange(len(day))
    persona = people.persona_of(draws, person)
    level = np.ones(len(day))
    tested = np.isin(people.city_of(draws, person, persona)["region"], HELD_OUT).astype(int)
    for s in PAID:
        mine = source == SOURCE[s]
        level[mine] = world.media.level[tested[mine], world.media.position(s), day[mine]]
    kept = draws.uniform("visits", person) < level
    person, persona, day, source = person[kept], persona[kept], day[kept], source[kept]
    times = 1 + np.minimum(np.log1p(-draws.uniform("how often", person)) / np.log(AGAIN), 12).astype(np.int64)
    row = np.repeat(np.arange(len(person)), times)
    k = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    gap = np.where(k == 0, 0.0, AGAIN_DAYS * draws.exponential("comes again", person[row], k))
    total = np.cumsum(gap)
    since = total - np.repeat((total - gap)[k == 0], times)
    device = pick(draws.uniform("visitor's device", person), DEVICE_PART)[row]
    device = np.where(
        draws.uniform("other device", person[row], k) < 0.06,
        pick(draws.uniform("which device", person[row], k), DEVICE_PART), device,
    )  # fmt: skip
    on = day[row] + since.astype(np.int64)
    second = _second(world, "visit", device, person[row], k)
    rush = (cal.busy[np.minimum(on, cal.n - 1)] > 2.5) & (draws.uniform("midnight", person[row], k) < 0.12)
    second = np.where(rush, second % 3600, second)
    again = (k > 0) & (draws.uniform("by herself", person[row], k) < 0.7)
    source = np.where(again, _unpaid(world, "again", person[row], k), source[row])
    return _frame(
        person=person[row], number=k, kind=BROWSE, device=device, at=on * 86400 + second, source=source,
        persona=persona[row],
    )  # fmt: skip


def _joining(world: World, accounts: pd.DataFrame) -> pd.DataFrame:
    """Visits to register, days before the first checkout."""
    early = accounts[(accounts["first"] - accounts["registered"] > JOINS_IN_VISIT) & (accounts["registered"] >= 0)]
    person = early["person"].to_numpy()
    return _frame(
        person=person, number=1 << 41, kind=JOIN, at=early["registered"].to_numpy(),
        device=pick(world.draws.uniform("joins on", person), DEVICE_PART),
        source=_unpaid(world, "joins", person, person),
    )  # fmt: skip
