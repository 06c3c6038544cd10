"""What becomes of an order: it is packed, travels, arrives, or it is closed, cancelled. Money is in fen.

What comes after, returns and the money that platforms pay out, is in `aftersale`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

from ..world import World
from ..world.calendar import SPRING_FESTIVALS, Calendar
from ..world.catalogue import CATEGORIES
from ..world.draw import Draws
from ..world.incidents import LATE_REGION
from . import returns
from .returns import keys, later

_DAY, _HOUR = 86_400, 3_600

# The warehouse. Hours and days as a contract warehouse of this size works; platforms ask for 48 hours to the carrier.
CUT_OFF = 15 * _HOUR  # paid later than this, it is packed the next day at the earliest
SLIPS = np.array([0.05, 0.04, 0.04, 0.04, 0.05, 0.20, 0.38])  # chance, by weekday, that it waits for the next one
STRAYS, STRAY_DAYS = 0.012, 2.5  # searched for, re-packed, address asked for: part of the orders, mean days more
CAPACITY = 1.5  # orders that can be packed a day, an ordinary day's being 1; what is beyond waits (618, 双11)
CLOSED = (-1, 3)  # days about the lunar new year on which nobody packs, both within
CANCELLED, CANCELLED_WAITING = 0.009, 0.006  # of the orders, before they ship; and more per day of backlog
# Provinces served from the second warehouse.
SOUTH = ("广东", "广西", "海南", "福建", "云南", "贵州", "湖南", "四川", "重庆", "西藏")
WAREHOUSES = ("杭州仓", "广州仓")

# Distance of each province from its warehouse; days on the way by distance; promise in whole days beyond the day sent.
NEAR = ("浙江", "上海", "江苏", "广东")
MIDDLE = ("安徽", "江西", "山东", "福建", "广西", "湖南", "海南", "湖北", "河南")
REMOTE = ("新疆", "西藏", "青海", "内蒙古", "宁夏")
TRANSIT = np.array([1.15, 1.9, 2.6, 4.6])
FIRST_KILO, NEXT_KILO = np.array([270, 330, 400, 1250]), np.array([60, 110, 170, 900])  # prices of 通达系 contracts
CARRIERS = {  # factor on the time, on the cost
    "中通快递": (1.00, 1.00),
    "圆通速递": (1.05, 0.96),
    "韵达快递": (1.08, 0.92),
    "顺丰速运": (0.72, 2.30),
    "京东物流": (0.70, 1.60),
}
CARRIED = {
    "jd": "京东物流 86 顺丰速运 4 中通快递 10",
    "tmall": "中通快递 40 圆通速递 26 韵达快递 20 顺丰速运 14",
    "douyin": "中通快递 42 圆通速递 24 韵达快递 30 顺丰速运 4",
    "own_site": "中通快递 52 圆通速递 12 顺丰速运 36",
}
PARCELS = {"顺丰速运": "SF", "京东物流": "JDVA", "圆通速递": "YT", "中通快递": "7", "韵达快递": "4"}  # numbers begin
TRANSIT_SPREAD = 0.24  # of the log
PROMISE_SLACK = 0.3  # days added to the usual time before the promise is rounded up: some 93 % arrive on time
SLOW_ROADS = 0.08  # longer on the way, per day that the warehouses wait: carriers are as full as we are
NEW_YEAR_ROADS = 1.5  # time on the way about the lunar new year; the promise is two days longer then
COURIERS = (8.5 * _HOUR, 20.5 * _HOUR)  # hours in which parcels are handed over

# From `incidents.late_region` on: part of the parcels to LATE_REGION that are held up, and their mean delay in days.
HELD_UP, HELD_DAYS = 0.45, 5.5

GRAMS = dict(zip([c[0] for c in CATEGORIES], (180, 250, 260, 320, 520, 700), strict=True))  # a unit, wrapped
BOX = 150  # grams
CONFIRMS = 4.0  # mean days from delivery to the buyer's own confirmation
CONFIRMED = {"tmall": 10, "jd": 7, "douyin": 10, "own_site": 7}  # days after which the platform confirms for her
NEVER_PAID = (0.5 * _HOUR, 24 * _HOUR)  # unpaid orders are closed after something between


def fulfil(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """What becomes of the orders of one block.

    Parameters
    ----------
    orders, lines : DataFrame
        As from `make_orders`; `lines.order` is the position in `orders`. A column `fraud` is heeded where there is one.

    Returns
    -------
    orders : DataFrame
        A copy with shipped_at, delivered_at (empty where that lies beyond the end) and status as last known.
    tables : dict of DataFrame
        order_status, shipments, returns, settlements.
    """
    way = journeys(world, orders, lines)
    back = returns.returns(world, orders, lines, way)
    end = world.calendar.end.to_datetime64().astype("datetime64[s]")
    seen = way.where(way.notna() & (way[_TIMES] < end).reindex(columns=way.columns, fill_value=True))
    out = orders.assign(**{c: seen[c].astype("datetime64[s]") for c in ("shipped_at", "delivered_at")})
    out["status"] = "placed"
    for status, column in _STATUSES:
        out.loc[(orders[column] if column == "paid_at" else seen[column]).notna(), "status"] = status
    tables = {
        "order_status": _history(orders, seen),
        "shipments": _shipments(world.draws, orders, seen),
        "returns": back[back["returned_at"] < end].drop(columns="order").reset_index(drop=True),
        "settlements": returns.settlements(world, orders, way, back),
    }
    return out, tables


_TIMES = ["closed_at", "cancelled_at", "shipped_at", "delivered_at", "completed_at"]
# As the source formats have it: who never paid is cancelled; who was paid back before anything left is closed.
_STATUSES = [
    ("paid", "paid_at"), ("cancelled", "closed_at"), ("closed", "cancelled_at"), ("shipped", "shipped_at"),
    ("completed", "completed_at"),
]  # fmt: skip


def journeys(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The whole way of each order, whether or not it ends within the observed days.

    Returns
    -------
    DataFrame
        Row for row with `orders`: closed_at, cancelled_at, shipped_at, delivered_at, completed_at (NaT where it never
        happens), promised_at, carrier, warehouse, cost.
    """
    draws, who, n = world.draws, keys(orders), len(orders)
    fake = returns.is_fraud(orders, "fake")
    paid, nat = orders["paid_at"].to_numpy("datetime64[s]"), np.full(n, "NaT", dtype="datetime64[s]")
    shipped, wait = _shipped(world, paid, fake, *who)
    leaves = draws.uniform("cancels", *who) < -np.expm1(-(CANCELLED + CANCELLED_WAITING * wait))
    cancels = leaves & ~np.isnat(paid) & ~fake
    between = (shipped - paid).astype(np.int64) * (0.05 + 0.85 * draws.uniform("cancelled when", *who))
    low, high = np.log(NEVER_PAID)
    unpaid = np.exp(low + (high - low) * draws.uniform("closed", *who))
    sent = np.where(cancels, nat, shipped)
    warehouse = orders["region"].isin(SOUTH).to_numpy().astype(int)
    carrier = np.empty(n, dtype=object)
    for platform, spec in CARRIED.items():
        mine = (orders["platform"] == platform).to_numpy()
        carrier[mine] = draws.label(f"carrier {platform}", spec, *(w[mine] for w in who))
    arrives, promised = _delivered(world, orders["region"], sent, wait, carrier, fake, *who)
    return pd.DataFrame(
        {
            "closed_at": np.where(np.isnat(paid), later(orders["ordered_at"].to_numpy(), unpaid), nat),
            "cancelled_at": np.where(cancels, later(paid, between), nat),
            "shipped_at": sent,
            "delivered_at": arrives,
            "completed_at": completed_at(draws, orders, arrives),
            "promised_at": promised,
            "carrier": carrier,
            "warehouse": np.array(WAREHOUSES, dtype=object)[warehouse],
            "cost": _cost(world, orders, lines, carrier, fake),
        }
    )


def backlog(cal: Calendar) -> np.ndarray:
    """Days that an order waits because others came before it, by the day on which it was paid."""
    queue, out = 0.0, np.empty(cal.n)
    for day, load in enumerate(cal.busy):
        queue = max(0.0, queue + load - CAPACITY)
        out[day] = queue / CAPACITY
    return out


def _about_new_year(cal: Calendar, first: int, last: int) -> np.ndarray:
    """Whether each day, and each of the sixty that follow the last, lies so near a lunar new year."""
    out = np.zeros(cal.n + 60, dtype=bool)
    for day in (SPRING_FESTIVALS - cal.days[0]).days:
        out[max(0, day + first) : max(0, day + last + 1)] = True
    return out


def _shipped(world: World, paid: np.ndarray, fake: np.ndarray, *who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When each order leaves, and the backlog it meets in days."""
    cal, draws = world.calendar, world.draws
    unpaid = np.isnat(paid)
    second = np.where(unpaid, 0, (paid - cal.days[0].to_datetime64().astype("datetime64[s]")).astype(np.int64))
    day, second = np.minimum(second // _DAY, cal.n - 1), second % _DAY
    wait = np.where(fake, 0.0, backlog(cal)[day])
    u = draws.uniform("packed", *who)
    start = day + (second >= CUT_OFF)
    weekday = (cal.days[0].weekday() + start) % 7
    start = start + (draws.uniform("slips", *who) < np.where(fake, 0, SLIPS[weekday]))
    start = start + np.floor(wait * (0.4 + 1.2 * draws.uniform("waits", *who)) + 0.5).astype(np.int64)
    stray = (draws.uniform("strays", *who) < STRAYS) & ~fake
    start = start + np.where(stray, 1 + STRAY_DAYS * draws.exponential("strays how long", *who), 0).astype(np.int64)
    closed = _about_new_year(cal, *CLOSED)
    opens = np.minimum.accumulate(np.where(closed, len(closed), np.arange(len(closed)))[::-1])[::-1]
    leaves = opens[np.minimum(start, len(opens) - 1)]
    same_day = leaves == day
    at = np.where(same_day, 16 * _HOUR + u * 5 * _HOUR, 9.5 * _HOUR + np.sqrt(u) * 11 * _HOUR)
    return np.where(unpaid, np.datetime64("NaT", "s"), cal.moments(leaves, at)), wait


def _distance(region: pd.Series) -> np.ndarray:
    """0 near … 3 remote."""
    return np.select([region.isin(names) for names in (NEAR, MIDDLE, REMOTE)], [0, 1, 3], 2)


def _delivered(
    world: World, region: pd.Series, sent: np.ndarray, wait: np.ndarray, carrier: np.ndarray, fake: np.ndarray,
    *who: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """When each parcel arrives, and when it should."""
    cal, draws = world.calendar, world.draws
    start = cal.days[0].to_datetime64().astype("datetime64[s]")
    day = np.where(np.isnat(sent), 0, (sent - start).astype(np.int64)) // _DAY
    festive = _about_new_year(cal, -6, 4)[day]
    usual = TRANSIT[_distance(region)] * pd.Series(carrier).map({c: f[0] for c, f in CARRIERS.items()}).to_numpy(float)
    days = usual * np.exp(TRANSIT_SPREAD * draws.normal("on the way", *who))
    days = days * (1 + SLOW_ROADS * wait) * np.where(festive, NEW_YEAR_ROADS, 1)
    held = (region == LATE_REGION).to_numpy() & (day >= world.incidents.late_region)
    held &= draws.uniform("held up", *who) < HELD_UP
    days[held] += HELD_DAYS / 4 * gammaincinv(4, draws.uniform("held how long", *(w[held] for w in who)))
    arrives = later(sent, days * _DAY)
    midnight = arrives.astype("datetime64[D]").astype("datetime64[s]")
    clock = np.where(np.isnat(arrives), 0, (arrives - midnight).astype(np.int64))
    morning = COURIERS[0] + 4 * _HOUR * draws.uniform("handed over", *who)
    arrives = np.where(clock < COURIERS[0], later(midnight, np.maximum(clock, morning)), arrives)
    arrives = np.where(clock > COURIERS[1], later(midnight, morning + _DAY), arrives)
    arrives = np.where(fake, later(sent, _HOUR * (6 + 14 * draws.uniform("handed over", *who))), arrives)
    allowed = np.ceil(usual + PROMISE_SLACK) + np.where(festive, 2, 0) + np.where(wait > 0.5, 1, 0)
    return arrives, later(sent.astype("datetime64[D]").astype("datetime64[s]"), allowed * _DAY + 22 * _HOUR)


def completed_at(draws: Draws, orders: pd.DataFrame, delivered: np.ndarray) -> np.ndarray:
    """When each order is confirmed: by the buyer, or by the platform for her."""
    limit = orders["platform"].map(CONFIRMED).to_numpy(float)
    days = np.minimum(0.1 + CONFIRMS * draws.exponential("confirms", *keys(orders)), limit)
    days = np.where(returns.is_fraud(orders, "fake"), 0.05 + 0.2 * draws.uniform("confirms", *keys(orders)), days)
    return later(delivered, days * _DAY)


def _cost(world: World, orders: pd.DataFrame, lines: pd.DataFrame, carrier: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """What carriage costs by weight, distance and carrier; faked parcels are empty."""
    unit = world.catalogue.products["category"].map(GRAMS).to_numpy()
    grams = np.bincount(lines["order"], unit[lines["product"]] * lines["quantity"], len(orders)) + BOX
    kilos = np.ceil(np.where(fake, BOX, grams) / 1000)
    factor = pd.Series(carrier).map({c: f[1] for c, f in CARRIERS.items()}).to_numpy(float)
    distance = _distance(orders["region"])
    return np.rint((FIRST_KILO[distance] + NEXT_KILO[distance] * (kilos - 1)) * factor).astype(np.int64)


def _history(orders: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """The table order_status."""
    columns = [("placed", orders["ordered_at"]), ("paid", orders["paid_at"])]
    columns += [(status, seen[column]) for status, column in _STATUSES[1:]]
    at = np.concatenate([c.to_numpy("datetime64[s]") for _status, c in columns])
    known = np.flatnonzero(~np.isnat(at))
    known = known[np.argsort(at[known], kind="stable")]
    row, which = known % len(orders), known // len(orders)
    out = orders[["order_id", "platform"]].take(row).reset_index(drop=True)
    out["status"] = np.array([status for status, _c in columns], dtype=object)[which]
    return out.assign(changed_at=at[known])


def _shipments(draws: Draws, orders: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """The table shipments."""
    sent = np.flatnonzero(seen["shipped_at"].notna())
    columns = ["shipped_at", "carrier", "promised_at", "delivered_at", "cost", "warehouse"]
    out = pd.concat([orders[["order_id", "platform", "region"]].iloc[sent], seen[columns].iloc[sent]], axis=1)
    number = returns.numbers(draws, "shipment id", out["shipped_at"].to_numpy(), *(w[sent] for w in keys(orders)))
    prefix = out["carrier"].map(PARCELS)
    return out.assign(shipment_id=prefix + number.to_numpy(), cost=out["cost"].astype(np.int64)).reset_index(drop=True)


def truths(world: World) -> dict:
    """What is planted here and in `aftersale`, by name; days as positions in the calendar."""
    return {
        "late_region": {
            "region": LATE_REGION,
            "begins": world.incidents.late_region,
            "held_up": HELD_UP,
            "extra_days": HELD_UP * HELD_DAYS,
        },
        "backlog_days": float(np.max(backlog(world.calendar))),
        **returns.truths(world),
    }
