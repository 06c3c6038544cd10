"""From occasions to orders: what lay in the basket, at what price, and how it was paid. Money is in fen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World, people
from ..world.calendar import Calendar
from ..world.draw import Draws, pick
from ..world.media import BOUGHT_ON
from ..world.people import PERSONAS, PLATFORMS
from .demand import BLOCK, CAP, Demand, choice

# Bought together: whoever takes the first adds the second with this chance (times its pull).
TOGETHER = [
    ("cleanser0001", "cream0001", 0.30),
    ("serum0001", "cream0002", 0.24),
    ("mask0003", "cleanser0003", 0.26),
    ("candle0002", "diffuser0002", 0.32),
]
COUPONS = [(29_900, 3_500), (19_900, 2_000), (9_900, 800)]  # from what the basket is worth, what is taken off
UNPAID = {"tmall": 0.055, "jd": 0.05, "douyin": 0.075, "own_site": 0.02}  # tmall_orders: 0.14, in a lockdown
FREE_SHIPPING, SHIPPING = 9_900, 800
# Organic sources as the platforms name them.
SOURCES = {
    "tmall": "natural_search 46 recommendation 32 shop_page 22",
    "jd": "natural_search 58 recommendation 27 shop_page 15",
    "douyin": "shop_page 28 recommendation 52 natural_search 20",
    "own_site": "direct 48 wecom 30 natural_search 22",
}
PAYMENT = {
    "tmall": "alipay 88 credit_card 12",
    "jd": "jd_pay 46 wechat_pay 54",
    "douyin": "douyin_pay 55 wechat_pay 25 alipay 20",
    "own_site": "wechat_pay 84 alipay 16",
}
TRACKED = 0.86  # of the orders that a channel brought are credited to it
SUBSIDY = {"tmall": 0.05, "jd": 0.03, "douyin": 0.06}  # part of the price that a platform pays at its festivals
CREATOR = 0.04  # part that a creator pays on orders from live streams


def baskets(world: World, occasions: pd.DataFrame, persona: np.ndarray) -> pd.DataFrame:
    """What people want to buy on each occasion, one row a line: occasion, line, product, quantity.

    `occasions` has person, number, day, product; `persona` is each occasion's; occasion and product are positions.
    Lines of which nothing is in stock have no number of a line.
    """
    person, number, day = (occasions[c].to_numpy() for c in ("person", "number", "day"))
    at = np.arange(len(occasions))
    lines = [np.column_stack([at, np.zeros_like(at), occasions["product"]])]
    lines += _together(world, person, number, day, lines[0][:, 2])
    mean = np.array([p.lines for p in PERSONAS])[persona] * CAP
    wanted = _poisson(world.draws.uniform("further lines", person, number), mean)
    for k in range(1, int(wanted.max(initial=0)) + 1):
        i = np.flatnonzero(wanted >= k)
        product = choice(world, f"line {k}", person[i], number[i], persona[i], day[i])
        taken = world.draws.uniform(f"take {k}", person[i], number[i]) * CAP < world.pull[product, day[i]]
        lines.append(np.column_stack([i, np.full(len(i), k + len(TOGETHER)), product])[taken])
    out = pd.DataFrame(np.concatenate(lines), columns=["occasion", "draw", "product"])
    out = out.drop_duplicates(["occasion", "product"]).sort_values(["occasion", "draw"], ignore_index=True)
    there = world.in_stock[out["product"], day[out["occasion"]]]
    out["line"] = (out[there].groupby("occasion").cumcount() + 1).reindex(out.index)
    who = (person[out["occasion"]], number[out["occasion"]])
    # Mostly one; now and then presents for a whole office, which give order values their long tail.
    usual = pick(world.draws.uniform("quantity", who[0], who[1] * 64 + out["draw"]), np.array([82, 14, 4])) + 1
    many = world.draws.integers("many", 4, 13, who[0], who[1] * 64 + out["draw"])
    bulk = world.draws.uniform("bulk", *who) < 0.008
    out["quantity"] = np.where(bulk, many, usual)
    return out.drop(columns="draw")


def _together(
    world: World, person: np.ndarray, number: np.ndarray, day: np.ndarray, lead: np.ndarray
) -> list[np.ndarray]:
    out = []
    for k, (first, second, chance) in enumerate(TOGETHER):
        a, b = world.catalogue.position(first), world.catalogue.position(second)
        i = np.flatnonzero(lead == a)
        taken = world.draws.uniform(f"together {k}", person[i], number[i]) < chance * world.pull[b, day[i]]
        i = i[taken]
        out.append(np.column_stack([i, np.full(len(i), k + 1), np.full(len(i), b)]))
    return out


def _poisson(u: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Poisson counts by inversion, at most 16."""
    term = np.exp(-mean)
    total, out = term.copy(), np.zeros(len(u), dtype=np.int64)
    for k in range(1, 17):
        out += u >= total
        term = term * mean / k
        total += term
    return out


def customer_ids(person: np.ndarray, platform: np.ndarray) -> np.ndarray:
    """The number of each person on a platform (positions); no two are alike, and none tells whose it is."""
    index = (person // BLOCK) * 5_000_011 + person % BLOCK
    scattered = (index * 7_368_787 + 1_234_567) % 10_000_000_000  # one to one: the factor has no divisor 2 or 5
    digits = pd.Series(scattered).astype(str).str.zfill(10)
    styles = ["t" + digits, "jd_" + digits, "70" + digits + "31", digits]
    return np.select([platform == i for i in range(len(PLATFORMS))], [s.to_numpy(object) for s in styles], default="")


def order_ids(
    cal: Calendar, draws: Draws, person: np.ndarray, number: np.ndarray, platform: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Order numbers in each platform's style; they rise with time."""
    seconds = (at - np.datetime64("2015-12-31T00:00:00", "s")).astype(np.int64)
    tail = draws.bits("order id", person, number) >> np.uint64(8)
    long, middle = (pd.Series((tail % np.uint64(10**k)).astype(str)).str.zfill(k) for k in (9, 6))
    second = pd.Series(seconds.astype(str)).str.zfill(9)
    day = pd.Series(pd.DatetimeIndex(at).strftime("%y%m%d%H%M%S"))
    styles = ["2" + second + long, second + middle, "69" + second + long.str[1:], "LM" + day + middle]
    return np.select([platform == i for i in range(len(PLATFORMS))], [s.to_numpy(object) for s in styles], default="")


def make_orders(world: World, demand: Demand) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Orders and their lines.

    Returns
    -------
    orders : DataFrame
        The columns of the table `orders` as far as they are known when an order is paid, and person, number, day,
        platform_at (position), persona, cause, row for row with the occasions that ended in a purchase.
    lines : DataFrame
        The columns of `order_items`, and order (position), product (position), promotion (position, −1: none).
    lost : DataFrame
        Lines that were wanted while nothing was in stock: day, product (position), quantity.
    """
    bought = demand.occasions[demand.occasions["step"] == 3].reset_index(drop=True)
    at = pd.Index(demand.people["person"]).get_indexer_for(bought["person"])
    orders = bought.drop(columns="step").rename(columns={"platform": "platform_at"})
    orders["persona"] = demand.people["persona"].to_numpy()[at]
    wanted = baskets(world, bought, orders["persona"].to_numpy())
    lost = _lost(demand, bought, wanted[wanted["line"].isna()])
    lines = wanted[wanted["line"].notna()].astype({"line": np.int64}).reset_index(drop=True)
    lines = _priced(world, orders, lines)
    orders = _described(world, orders.drop(columns="product"))
    orders, lines = _discounted(world, orders, lines)
    for column in ("order_id", "platform", "ordered_at"):
        lines[column] = orders[column].to_numpy()[lines["order"]]
    return orders, lines, lost


def _lost(demand: Demand, bought: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Whole occasions and further lines that came to nothing."""
    further = lines[["product", "quantity"]].assign(day=bought["day"].to_numpy()[lines["occasion"]])
    return pd.concat([demand.lost[["day", "product"]].assign(quantity=1), further], ignore_index=True)


def _priced(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with unit_price and the promotion's discount."""
    lines = lines.rename(columns={"occasion": "order"})
    day, product = orders["day"].to_numpy()[lines["order"]], lines["product"].to_numpy()
    lines["unit_price"] = world.catalogue.price[product, day]
    gross = lines["unit_price"] * lines["quantity"]
    lines["discount"] = np.rint(gross * world.depth[product, day]).astype(np.int64)
    lines["promotion"] = world.promotion[product, day]
    lines["product_id"] = world.catalogue.products["product_id"].to_numpy()[product]
    lines["sku"] = lines["product_id"] + "-01"
    lines["gift"] = False
    return lines


def _described(world: World, orders: pd.DataFrame) -> pd.DataFrame:
    """Who, where, when, through what."""
    draws, cal = world.draws, world.calendar
    who = (orders["person"].to_numpy(), orders["number"].to_numpy())
    where = orders["platform_at"].to_numpy()
    platform = np.array(PLATFORMS, dtype=object)[where]
    out = orders.drop(columns=["second"]).assign(platform=platform, store="露苔官方旗舰店")
    out["ordered_at"] = cal.moments(orders["day"].to_numpy(), orders["second"].to_numpy())
    out["order_id"] = order_ids(cal, draws, *who, where, out["ordered_at"].to_numpy())
    out["customer_id"] = customer_ids(who[0], where)
    # Delays as in tmall_orders: half pay within 8 seconds, 9 in 10 within a minute, 1 in 100 after 2.5 hours.
    u, e = draws.uniform("pays how", *who), draws.exponential("pays", *who)
    delay = np.where(u < 0.90, 3 + 9 * e, np.where(u < 0.98, 30 + 180 * e, 600 + 6000 * e)).astype(np.int64)
    paid_at = out["ordered_at"] + pd.to_timedelta(delay, unit="s")
    unpaid = draws.uniform("unpaid", *who) < pd.Series(platform).map(UNPAID).to_numpy()
    out["paid_at"] = paid_at.mask(unpaid | (paid_at >= cal.end)).astype("datetime64[s]")
    out["payment_method"] = _by_platform(draws, "payment", platform, PAYMENT, *who)
    out.loc[out["paid_at"].isna(), "payment_method"] = None
    city = people.city_of(draws, who[0], orders["persona"].to_numpy())
    out["country"], out["region"], out["city"] = "中国", city["region"].to_numpy(), city["city"].to_numpy()
    out["address_hash"] = people.addresses(draws, *who)
    out["device_hash"] = people.devices(draws, who[0], where)
    out["fraud"] = ""
    out["channel"] = _credited(world, out, *who)
    return out


def _by_platform(draws: Draws, name: str, platform: np.ndarray, specs: dict[str, str], *who: np.ndarray) -> np.ndarray:
    out = np.empty(len(platform), dtype=object)
    for p, spec in specs.items():
        mine = platform == p
        out[mine] = draws.label(f"{name} {p}", spec, *(w[mine] for w in who))
    return out


def _credited(world: World, orders: pd.DataFrame, *who: np.ndarray) -> np.ndarray:
    """The channel that the platform credits: mostly the one that brought the order, now and then one that did not."""
    platform = orders["platform"].to_numpy()
    channel = _by_platform(world.draws, "source", platform, SOURCES, *who)
    paid = orders["cause"].isin(world.media.channels["channel"]).to_numpy()
    tracked = paid & (world.draws.uniform("tracked", *who) < TRACKED)
    channel[tracked] = orders["cause"].to_numpy()[tracked]
    for name in world.media.channels["channel"]:
        taken = ~paid & (claim_draw(world.draws, name, *who) < 0.5 * claim_chance(world, name, orders))
        channel[taken] = name
    return channel


def claim_draw(draws: Draws, channel: str, *who: np.ndarray) -> np.ndarray:
    """The draw by which a channel claims an order that it did not bring."""
    return draws.uniform(f"claims {channel}", *who)


def claim_chance(world: World, channel: str, orders: pd.DataFrame) -> np.ndarray:
    """The chance that a channel's advertising was seen before an order that it did not bring."""
    i = world.media.position(channel)
    level = world.media.level[0, i, orders["day"]]
    there = orders["platform"].isin(BOUGHT_ON[channel]).to_numpy()
    return np.where(there, 2 * level * world.media.channels["hijack"].iloc[i], 0.0)


def _discounted(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Coupons, what platform and creator pay, and the sums of the lines."""
    draws, n = world.draws, len(orders)
    who = (orders["person"].to_numpy(), orders["number"].to_numpy())
    net = (lines["unit_price"] * lines["quantity"] - lines["discount"]).to_numpy()
    basket = np.bincount(lines["order"], net, n).astype(np.int64)
    uses = draws.uniform("coupon", *who) < np.array([p.coupon for p in PERSONAS])[orders["persona"]]
    coupon = np.select([basket >= t for t, _off in COUPONS], [off for _t, off in COUPONS], 0) * uses
    lines["discount"] += spread(coupon, lines["order"].to_numpy(), net, basket)
    lines["amount"] = lines["unit_price"] * lines["quantity"] - lines["discount"]
    for column in ("amount", "discount"):
        orders[column] = np.bincount(lines["order"], lines[column], n).astype(np.int64)
    festive = world.calendar.festival[orders["day"]] != ""
    rate = np.where(festive, orders["platform"].map(SUBSIDY).fillna(0.0), 0.0)
    orders["platform_discount"] = np.rint(orders["amount"] * rate).astype(np.int64)
    by_creator = np.where((orders["cause"] == "live") & (orders["platform"] == "douyin"), CREATOR, 0.0)
    orders["creator_discount"] = np.rint(orders["amount"] * by_creator).astype(np.int64)
    orders["shipping"] = np.where(orders["amount"] >= FREE_SHIPPING, 0, SHIPPING)
    number = pd.Series((draws.bits("coupon id", *who) >> np.uint64(20)).astype(str)).str.zfill(14)
    orders["coupon_id"] = ("C" + number).where(coupon > 0, None)
    first = lines["promotion"].where(lines["promotion"] >= 0).groupby(lines["order"]).max().reindex(range(n))
    names = np.array([*world.promotions.table["promotion_id"], None], dtype=object)
    orders["promotion_id"] = names[first.fillna(-1).astype(int)]
    return orders, lines


def spread(whole: np.ndarray, of: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """A whole number for each group split over its rows by weight, to the last fen.

    `of` is each row's group (rows lie together), `whole` and `total` (the sum of the weights) are each group's.
    """
    running = np.cumsum(weight)
    before = np.r_[0, running[:-1]]
    start = before[np.searchsorted(of, of, side="left")]
    share = np.maximum(total[of], 1)
    upto = np.rint(whole[of] * (running - start) / share).astype(np.int64)
    until = np.rint(whole[of] * (before - start) / share).astype(np.int64)
    return upto - until
