"""What visitors do on the own site and the mini-program, event by event, with GA4's names. Money is in fen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..office.advertising import CAMPAIGNS
from ..shoppers.demand import Demand
from ..shoppers.orders import baskets, customer_ids
from ..world import World, people
from ..world.catalogue import CATEGORIES
from ..world.draw import pick
from .labels import fen, hexes, named
from .visits import (
    BROWSE,
    CAMPAIGN_NAMES,
    DEVICES,
    JOIN,
    KNOWN,
    OWN,
    PAID,
    RESEARCH,
    SHOP,
    SOURCE,
    SOURCES,
    visits,
)  # fmt: skip

EVENTS = (
    "page_view", "view_search_results", "view_item", "add_to_cart", "share", "sign_up", "begin_checkout",
    "add_payment_info", "purchase",
)  # fmt: skip
PAGE, SEARCH, ITEM, CART, SHARE, SIGN_UP, CHECKOUT, PAYMENT, PURCHASE = range(len(EVENTS))
# Seconds since the event before: median and spread (log). A page is read for some twenty seconds.
GAP = np.array([22.0, 12.0, 1.3, 18.0, 15.0, 30.0, 40.0, 45.0, 24.0])
GAP_SPREAD = np.array([0.8, 0.5, 0.3, 0.7, 0.6, 0.5, 0.7, 0.6, 0.5])
BOUNCE_SECONDS, LAST_SECONDS = (8.0, 1.0), (26.0, 0.9)  # on the only page, and on the last one
# Chance to leave after the first page, by source and times device: chosen so that 45 in a hundred do.
BOUNCE = {
    "direct": 0.53, "wecom": 0.47, "natural_search": 0.54, "search": 0.58, "xiaohongshu": 0.63, "crm": 0.60,
    "bilibili": 0.66, "display": 0.77,
}  # fmt: skip
BOUNCE_DEVICE = np.array([0.97, 1.08, 0.98])
BOUNCE_KNOWN = 0.6  # times that, for people whom the shop knows
VIEWS = 0.97  # of those who stay look at a product
FURTHER = np.array([0.30, 0.30, 0.24, 0.16])  # chance of 0, 1, 2, 3 products beside the first one
SEARCHES, SHARES = 0.16, 0.016  # of the visits that stay; of those that look at a product
LOGGED_IN = np.array([0.75, 0.42, 0.50])  # by device, of the visits of people with an account, from the beginning
LOGS_IN_LATE = 0.88  # at the checkout, of the others
# Where people land: home, category, the product, an article, the members' page, the campaign's page.
LANDING = {
    "direct": (62, 10, 14, 2, 12, 0), "wecom": (30, 5, 35, 6, 14, 10), "natural_search": (30, 18, 30, 22, 0, 0),
    "search": (15, 35, 45, 0, 0, 5), "xiaohongshu": (10, 5, 60, 25, 0, 0), "crm": (10, 5, 25, 0, 15, 45),
    "bilibili": (25, 5, 50, 20, 0, 0), "display": (15, 10, 45, 0, 0, 30),
}  # fmt: skip
ARTICLES = ("skin-barrier", "sunscreen-myths", "night-routine", "home-scents", "fragrance-notes", "ingredients-a-z")
TERMS = {  # what people write into the search box, by category
    "精华": ("精华", "保湿精华", "抗老精华", "青苔精华", "敏感肌 精华", "烟酰胺"),
    "面霜": ("面霜", "保湿面霜", "敏感肌面霜", "秋冬面霜", "晨露面霜", "神经酰胺"),
    "洁面": ("洗面奶", "氨基酸洁面", "洁面慕斯", "控油洗面奶", "男士洁面"),
    "面膜": ("面膜", "补水面膜", "晒后修护", "面膜 买一送一", "熬夜急救面膜"),
    "香薰蜡烛": ("香薰蜡烛", "香薰", "雪松蜡烛", "生日礼物", "助眠香薰"),
    "无火香薰": ("无火香薰", "藤条香薰", "卧室香薰", "车载香薰", "桂花香薰", "乔迁礼物"),
}


@dataclass(frozen=True)
class Site:
    """What happened on the own site and the mini-program.

    Attributes
    ----------
    events : DataFrame
        The table `events`, by time.
    visits : DataFrame
        One row a visit of which there are events, with what no table carries: the columns of `visits.visits`, and
        begins (seconds since the first day), visitor_id, customer_id (where she is logged in at some time of it),
        campaign (position in `CAMPAIGN_NAMES`, −1: none), order (position in `orders`, −1: no purchase).
    """

    events: pd.DataFrame
    visits: pd.DataFrame


def site(world: World, demand: Demand, orders: pd.DataFrame, customers: pd.DataFrame, block: int, scale: float) -> Site:
    """Everything that one block of people does on the own site.

    Parameters
    ----------
    orders : DataFrame
        As `make_orders` gives them.
    customers : DataFrame
        The table `customers`, of which customer_id and registered_at are read.
    """
    own = demand.occasions[demand.occasions["platform"] == OWN].reset_index(drop=True)
    seen = visits(world, demand, customers, block, scale)
    bought = orders.reset_index(drop=True)
    bought = bought[bought["platform_at"] == OWN]
    of_journey = np.full(len(own), -1)
    of_journey[np.flatnonzero(own["step"] == 3)] = bought.index  # both lie in the order of occasions
    order = np.where(seen["kind"] == SHOP, np.append(of_journey, -1)[seen["journey"]], -1)
    seen["order"] = np.where(seen["step"] == 3, order, -1)
    amount = orders["amount"].to_numpy()
    seen = _minded(world, seen)
    cart = _carts(world, own)
    value = np.bincount(cart["occasion"], cart["value"], len(own)).astype(np.int64)  # of what lies in the cart
    value = np.where(of_journey >= 0, amount[of_journey], value) if len(amount) else value
    rows = _steps(world, seen, cart)
    rows["value"] = np.where(
        rows["kind"] >= CHECKOUT, np.append(value, 0)[seen["journey"].to_numpy()[rows["visit"]]], rows["value"]
    )
    seen, rows = _timed(world, seen, rows)
    return _written(world, seen, rows, orders)


def _minded(world: World, seen: pd.DataFrame) -> pd.DataFrame:
    """What each visit is for: lead product, whether it ends at once, looks, searches; landing page; campaign."""
    draws, key = world.draws, seen["key"].to_numpy()
    source, kind = seen["source"].to_numpy(), seen["kind"].to_numpy()
    day = seen["at"].to_numpy() // 86400
    chosen = _products(world, "looks at", key, seen["persona"].to_numpy(), day)
    lead = np.where(seen["product"] >= 0, seen["product"], chosen)
    bounce = np.array([BOUNCE[s] for s in SOURCES])[source] * BOUNCE_DEVICE[seen["device"]]
    bounce = bounce * np.where(kind == KNOWN, BOUNCE_KNOWN, 1)
    leaves = (draws.uniform("leaves", key) < bounce) & ((kind == BROWSE) | (kind == KNOWN))
    looks = ~leaves & (draws.uniform("looks", key) < VIEWS) | (kind == SHOP) | (kind == RESEARCH)
    looks &= kind != JOIN
    searches = ~leaves & (draws.uniform("searches", key) < SEARCHES) & (kind != JOIN)
    landing = pick(draws.uniform("lands", key), np.array([LANDING[s] for s in SOURCES], dtype=float)[source])
    landing = np.where(kind == JOIN, 4, landing)
    landing = np.where((landing == 5) & ~(world.depth[lead, day] > 0), 0, landing)  # no campaign, no page of it
    campaign = np.full(len(seen), -1)
    u, at = draws.uniform("campaign", key), 0
    for channel in PAID:
        mine = source == SOURCE[channel]
        campaign[mine] = at + pick(u[mine], np.array([share for _name, share in CAMPAIGNS[channel]]))
        at += len(CAMPAIGNS[channel])
    return seen.assign(lead=lead, looks=looks, searches=searches, leaves=leaves, landing=landing, campaign=campaign)


def _products(world: World, name: str, key: np.ndarray, persona: np.ndarray, day: np.ndarray) -> np.ndarray:
    """A product for each visit, by the persona's taste in that month: as `demand.choice`, for many."""
    months, n = world.choice.shape[1:]
    edges = np.cumsum(world.choice.reshape(-1, n), axis=1)
    group = persona * months + world.calendar.month[day]
    steps = (edges / edges[:, -1:] + np.arange(len(edges))[:, None]).ravel()
    at = np.searchsorted(steps, world.draws.uniform(name, key) + group, side="right") - group * n
    return np.clip(at, 0, n - 1)


def _carts(world: World, own: pd.DataFrame) -> pd.DataFrame:
    """What is put into the cart on each occasion: occasion, line, product, value."""
    persona = people.persona_of(world.draws, own["person"].to_numpy())
    lines = baskets(world, own, persona)
    lines = lines[lines["line"].notna()].astype({"line": np.int64}).reset_index(drop=True)
    product, day = lines["product"].to_numpy(), own["day"].to_numpy()[lines["occasion"]]
    gross = world.catalogue.price[product, day] * lines["quantity"]
    lines["value"] = gross - np.rint(gross * world.depth[product, day]).astype(np.int64)
    return lines


def _steps(world: World, seen: pd.DataFrame, cart: pd.DataFrame) -> dict[str, np.ndarray]:
    """The events of all visits in order: visit (position), kind, product, page, value.

    A page's number is that of a product; beyond those come the other pages (see `_pages`).
    """
    draws, key, n = world.draws, seen["key"].to_numpy(), len(world.catalogue.products)
    lead, looks, kind = (seen[c].to_numpy() for c in ("lead", "looks", "kind"))
    category = pd.factorize(world.catalogue.products["category"])[0][lead]
    article = draws.integers("article", 0, len(ARTICLES), key)
    home, categories, articles = n, n + 7, n + 7 + len(CATEGORIES)
    offers = articles + len(ARTICLES)
    day = seen["at"].to_numpy() // 86400
    offer = offers + np.maximum(world.promotion[lead, day], 0)
    pages = [
        np.full_like(lead, home),
        categories + category,
        lead,
        articles + article,
        np.full_like(lead, home + 1),
        offer,
    ]
    landing = np.choose(seen["landing"].to_numpy(), pages)
    everyone = np.arange(len(seen))
    parts: list[tuple] = []  # visit, rank within it, kind, product, page, value

    def add(visit: np.ndarray, rank, what: int, product, page, value=0) -> None:
        columns = (visit, rank, what, product, page, value)
        parts.append(np.broadcast_arrays(*columns))

    add(everyone, 0, PAGE, np.where(landing < n, landing, -1), landing)
    v = np.flatnonzero(seen["searches"])
    add(v, 1, SEARCH, -1, home + 2)
    v = np.flatnonzero(~looks & ~seen["leaves"].to_numpy() & (kind != JOIN))
    add(v, 2, PAGE, -1, np.where(landing[v] == categories + category[v], home, categories + category[v]))

    def view(visit: np.ndarray, turn, product: np.ndarray) -> None:
        new = (np.asarray(turn) > 0) | (landing[visit] != product) | seen["searches"].to_numpy()[visit]
        turns = np.broadcast_to(turn, visit.shape)
        add(visit[new], 4 + 4 * turns[new], PAGE, product[new], product[new])
        add(visit, 5 + 4 * turns, ITEM, product, product)

    v = np.flatnonzero(looks)
    view(v, 0, lead[v])
    further = pick(draws.uniform("further", key), FURTHER)
    for k in range(1, len(FURTHER)):
        v = np.flatnonzero(looks & (further >= k))
        other = _products(world, f"looks further {k}", key[v], seen["persona"].to_numpy()[v], day[v])
        v, other = v[other != lead[v]], other[other != lead[v]]
        view(v, k, other)
    v = np.flatnonzero(looks & (draws.uniform("shares", key) < SHARES))
    add(v, 7, SHARE, lead[v], lead[v])
    shop = np.flatnonzero(kind == SHOP)
    visit_of = np.full(seen["journey"].to_numpy().max(initial=-1) + 2, -1)
    visit_of[seen["journey"].to_numpy()[shop]] = shop
    v, product, line = visit_of[cart["occasion"]], cart["product"].to_numpy(), cart["line"].to_numpy()
    there = v >= 0
    v, product, line, value = v[there], product[there], line[there], cart["value"].to_numpy()[there]
    turn = np.where(line == 1, 0, np.minimum(line, 56) + len(FURTHER))
    view(v[line > 1], turn[line > 1], product[line > 1])
    add(v, 6 + 4 * turn, CART, product, product, value)
    add(shop, 252, PAGE, -1, home + 6)
    # Who stays sees a second page, if only that of the category.
    v = np.flatnonzero(looks & (landing == lead) & (further == 0) & (kind != SHOP) & ~seen["searches"].to_numpy())
    add(v, 252, PAGE, -1, categories + category[v])
    for step, what in ((1, CHECKOUT), (2, PAYMENT), (3, PURCHASE)):
        v = np.flatnonzero((kind == SHOP) & (seen["step"].to_numpy() >= step))
        add(v, 252 + step, what, -1, home + 2 + step)
    v = np.flatnonzero(seen["joins"])
    add(v, 3, SIGN_UP, -1, home + 1)
    names = ("visit", "rank", "kind", "product", "page", "value")
    rows = {name: np.concatenate(column) for name, column in zip(names, zip(*parts, strict=True), strict=True)}
    by = np.argsort(rows["visit"] * 256 + rows.pop("rank"), kind="stable")
    return {name: column[by] for name, column in rows.items()}


def _timed(world: World, seen: pd.DataFrame, rows: dict[str, np.ndarray]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The second of each event and the seconds on each page, in order of time; what nobody observed is left out."""
    draws, visit, kind = world.draws, rows["visit"], rows["kind"]
    begins = np.r_[True, visit[1:] != visit[:-1]] if len(visit) else np.zeros(0, dtype=bool)
    start = np.flatnonzero(begins)
    turn = np.arange(len(visit)) - start[np.cumsum(begins) - 1]
    key = seen["key"].to_numpy()[visit]
    gap = np.maximum(1, GAP[kind] * np.exp(GAP_SPREAD[kind] * draws.normal("gap", key, turn))).astype(np.int64)
    gap[begins | (kind == SIGN_UP)] = 0
    upto = np.cumsum(gap)
    since = upto - upto[start][np.cumsum(begins) - 1]
    last = np.r_[start[1:], len(visit)] - 1
    at = seen["at"].to_numpy()
    begun = at - np.where(seen["kind"] == SHOP, since[last], 0)  # every visit has events, in order of visits
    time = begun[visit] + since
    # Who registers does so at a moment of its own, which the page before it has been opened ahead of.
    joined = np.flatnonzero(kind == SIGN_UP)
    time[joined] = np.maximum(seen["registered"].to_numpy()[visit[joined]], 0)
    opened = start[visit[joined]]
    time[opened] = np.minimum(time[opened], time[joined] - 25 - draws.integers("reads the form", 0, 40, key[joined]))
    begun = time[start]

    changes = np.flatnonzero(begins | np.r_[True, rows["page"][1:] != rows["page"][:-1]])
    pages = np.flatnonzero(kind == PAGE)
    following = np.append(changes, len(visit))[np.searchsorted(changes, pages, side="right")]
    within = following <= last[visit[pages]]
    leaves = seen["leaves"].to_numpy()[visit[pages]]
    middle = np.where(leaves, BOUNCE_SECONDS[0], LAST_SECONDS[0])
    wide = np.where(leaves, BOUNCE_SECONDS[1], LAST_SECONDS[1])
    stays = middle * np.exp(wide * draws.normal("stays", key[pages], turn[pages]))
    end = np.where(within, time[np.minimum(following, len(visit) - 1)], time[last[visit[pages]]] + np.rint(stays))
    dwell = np.full(len(visit), np.nan)
    dwell[pages] = np.maximum(end - time[pages], 1)

    down = world.incidents.outage * 86400
    there = (time >= 0) & (time < world.calendar.n * 86400) & ~((time >= down + 7 * 3600) & (time < down + 86400))
    kept = np.flatnonzero(there)
    kept = kept[np.argsort(time[kept], kind="stable")]
    timed = rows | {"time": time, "dwell": dwell, "turn": turn}
    return seen.assign(begins=begun), {name: column[kept] for name, column in timed.items()}


def _pages(world: World) -> list[str]:
    products = world.catalogue.products
    slugs = [c[1].lower().replace(" ", "-") for c in CATEGORIES]
    return [
        *("/product/" + products["product_id"]),
        *("/", "/member", "/search", "/checkout", "/checkout/payment", "/checkout/done", "/cart"),
        *("/category/" + s for s in slugs),
        *("/journal/" + a for a in ARTICLES),
        *("/campaign/" + world.promotions.table["promotion_id"]),
    ]


def _written(world: World, seen: pd.DataFrame, rows: dict[str, np.ndarray], orders: pd.DataFrame) -> Site:
    """The tables, with names for numbers."""
    draws, visit, kind, time = world.draws, rows["visit"], rows["kind"], rows["time"]
    person, device, key = (seen[c].to_numpy() for c in ("person", "device", "key"))
    known = np.unique(person[seen["registered"] < np.iinfo(np.int64).max])
    account = np.searchsorted(known, person)
    account[~np.isin(person, known)] = -1
    early = draws.uniform("logged in", key) < LOGGED_IN[device]
    late = draws.uniform("logs in", key) < LOGS_IN_LATE
    logged = early[visit] | ((kind >= CHECKOUT) & late[visit]) | (kind == PURCHASE) | (kind == SIGN_UP)
    logged &= time >= seen["registered"].to_numpy()[visit]
    login = np.where(logged, account[visit], -1)
    numbers = customer_ids(known, np.full(len(known), OWN))
    mail = np.array([SOURCES[s] for s in SOURCES], dtype=object)
    medium = seen["source"].to_numpy()
    mails = np.array([name == "邮件" for _channel, name in CAMPAIGN_NAMES] + [False])[seen["campaign"]]
    medium = np.where(mails, len(mail), medium)
    persons, of_person = np.unique(person, return_inverse=True)
    first = np.zeros(len(persons), dtype=np.int64)
    first[of_person] = np.arange(len(person))
    regions, region = np.unique(
        people.city_of(draws, persons, seen["persona"].to_numpy()[first])["region"].to_numpy(object),
        return_inverse=True,
    )
    region = region[of_person]
    visitor = draws.bits("visitor", person, device)
    terms = [t for c in CATEGORIES for t in TERMS[c[0]]]
    offset = np.cumsum([0] + [len(TERMS[c[0]]) for c in CATEGORIES])
    category = pd.factorize(world.catalogue.products["category"])[0][seen["lead"]]
    term = offset[category] + (draws.uniform("term", key) * np.diff(offset)[category]).astype(np.int64)
    order = np.where(kind == PURCHASE, seen["order"].to_numpy()[visit], -1)
    product_ids = world.catalogue.products["product_id"].to_numpy(object)
    table = pd.DataFrame(
        {
            "event_id": hexes(draws.bits("event", key[visit], rows["turn"])),
            "event_at": world.calendar.moments(np.zeros(len(time)), time),
            "event": named(EVENTS, kind),
            "visitor_id": hexes(visitor[visit]),
            "session_id": hexes(key[visit]),
            "customer_id": named(numbers, login),
            "page": named(_pages(world), rows["page"]),
            "product_id": named(product_ids, rows["product"]),
            "order_id": named(orders["order_id"].to_numpy(object), order),
            "value": fen(rows["value"], ~((kind >= CHECKOUT) | (kind == CART))),
            "search_term": named(terms, np.where(kind == SEARCH, term[visit], -1)),
            "source": named(list(SOURCES), seen["source"].to_numpy()[visit]),
            "medium": named([*mail, "email"], medium[visit]),
            "campaign": named([name for _channel, name in CAMPAIGN_NAMES], seen["campaign"].to_numpy()[visit]),
            "device": named(DEVICES, device[visit]),
            "region": named(regions, region[visit]),
            "dwell_seconds": rows["dwell"],
        }
    )
    by = np.full(len(seen), -1)
    by[visit[login >= 0]] = login[login >= 0]
    there = np.zeros(len(seen), dtype=bool)
    there[visit] = True
    seen = seen.assign(visitor_id=hexes(visitor), customer_id=named(numbers, by))
    return Site(table, seen[there].reset_index(drop=True))
