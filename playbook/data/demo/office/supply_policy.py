"""How the shop buys: each supplier's goods are reviewed once a week; what lies below a reorder point is ordered up to a
level, (R, s, S) in the books. What is planted goes against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..world import World
from ..world.catalogue import SUPPLIER_OF, SUPPLIERS
from ..world.incidents import SLOW_SUPPLIER, STOCK_OUT_PRODUCT
from . import ahead

# Supplier: days late on average and their spread, part of the goods that is defective.
KEEPS = {
    "S01": (0.4, 1.6, 0.006),
    "S02": (0.8, 2.2, 0.011),
    "S03": (0.2, 1.2, 0.004),
    "S04": (1.0, 3.0, 0.016),
    "S05": (0.9, 2.0, 0.009),
}
SLOW_BY, SLOW_SPREAD = 15.0, 5.0  # days that deliveries of the slow supplier are later, from its date on
LEARNT = 45  # days after which the shop plans with it
REVIEW = 7  # days from one review of a supplier's goods to the next
CASE = 12  # units are bought by the dozen
COVER = (28, 42, 70)  # days of demand that an order is for: the best-selling third of the products, the next, the rest
SAFETY_PART, SAFETY_NOISE = 0.30, 2.0  # safety stock: part of the demand while waiting, and so many times its root
SHORT = 0.06  # of the deliveries lack a few units
RUN_OUT_PRODUCT = "serum0001"
"""A star of which too little is left for the coming festival."""
RUN_OUT_PART = 0.4  # of what will be asked for until the festival ends that lies in stock on the last day
CLOSED = 170  # days before a planted shortage from which the policy no longer orders the product
SPARE = 1.5  # pre-stock of all other products: times what is expected until the festival ends


@dataclass
class Purchase:
    """One line of a purchase order, in positions of days."""

    product: int
    placed: int
    due: int
    arrives: int
    quantity: int
    received: int
    defective: int
    extra: bool = False


@dataclass(frozen=True)
class _Shortage:
    """A product that the shop lets run down: from `closed` on nothing regular is ordered; `left` units at the end."""

    product: int
    closed: int
    ends: int
    left: int


@dataclass
class Stock:
    """What came of the policy: units that are not promised yet at each day's end, and everything that was ordered."""

    available: np.ndarray
    opening: np.ndarray
    purchases: list[Purchase] = field(default_factory=list)


@dataclass(frozen=True)
class _Setting:
    """What the policy works with, by product (position) and by day."""

    sold: np.ndarray
    supplier: np.ndarray
    lead: np.ndarray
    cover: np.ndarray
    base: np.ndarray
    ahead: np.ndarray
    late: np.ndarray
    flaw: np.ndarray
    rest: np.ndarray
    lack: np.ndarray
    minimum: np.ndarray
    review: np.ndarray


def stock_of(world: World, units: np.ndarray) -> Stock:
    """Stock and purchases that the units that left it (products × days) come from; nothing unplanned runs dry."""
    setting = _setting(world, units)
    shortages = _shortages(world, units)
    cushion = np.ones(len(units))
    for _round in range(8):
        stock = _simulated(world, setting, shortages, cushion)
        lowest = _lowest(world, stock.available)
        if (lowest >= 1).all():
            break
        cushion = np.where(lowest < 1, cushion * 1.35 + 0.1, cushion)
    # Whatever is still missing had been there from the beginning.
    missing = np.maximum(1 - _lowest(world, stock.available), 0)
    stock.available += missing[:, None]
    stock.opening += missing
    _pre_stock(world, setting, stock)
    return stock


def _lowest(world: World, available: np.ndarray) -> np.ndarray:
    """The fewest units that each product ever had, but for the months in which one is let run down."""
    out = available.copy()
    for j, gone in enumerate(~world.in_stock):
        if gone.any():
            begins, ends = np.flatnonzero(gone)[[0, -1]]
            out[j, max(begins - CLOSED, 0) : ends + 1] = np.iinfo(np.int64).max
    return out.min(axis=1)


def _setting(world: World, units: np.ndarray) -> _Setting:
    goods, cal, draws = world.catalogue.products, world.calendar, world.draws
    ids = [s[0] for s in SUPPLIERS]
    who = np.array([ids.index(SUPPLIER_OF[c]) for c in goods["category"]])
    shape = ahead.level(world)
    shape = np.concatenate([shape, np.ones((len(goods), 120))], axis=1)
    running = np.c_[np.zeros(len(goods)), np.cumsum(shape, axis=1)]
    sold = np.c_[np.zeros(len(goods)), np.cumsum(units, axis=1)]
    day = np.arange(cal.n)
    upto = np.maximum(day, ahead.BASE_DAYS)
    since = upto - ahead.BASE_DAYS
    base = (sold[:, upto] - sold[:, since]) / (running[:, upto] - running[:, since])
    slow = ids.index(SLOW_SUPPLIER)
    lead = np.repeat(np.array([s[2] for s in SUPPLIERS])[who][:, None], cal.n, axis=1)
    lead[who == slow, min(world.incidents.slow_supplier + LEARNT, cal.n) :] += round(SLOW_BY)
    k, d = np.divmod(np.arange(len(ids) * cal.n), cal.n)
    mean, spread = np.array([KEEPS[i][:2] for i in ids])[k].T
    hit = (k == slow) & (d + SUPPLIERS[slow][2] >= world.incidents.slow_supplier)
    mean, spread = mean + hit * SLOW_BY, np.where(hit, SLOW_SPREAD, spread)
    late = np.rint(mean + spread * draws.normal("lateness", k, d)).astype(np.int64).clip(-4).reshape(len(ids), cal.n)
    j, d = np.divmod(np.arange(units.size), cal.n)
    rate = np.array([KEEPS[i][2] for i in ids])[who][j]
    flaw = (rate * draws.exponential("defects", j, d)).reshape(units.shape)
    rest = draws.uniform("one more defect", j, d).reshape(units.shape)
    short = draws.uniform("short delivery", j, d)
    lack = np.where(short < SHORT, 0.01 + 0.03 * short / SHORT, 0.0).reshape(units.shape)
    rank = units.sum(axis=1).argsort()[::-1].argsort()
    return _Setting(
        units, who, lead, np.array(COVER)[rank * 3 // len(goods)], base, running, late, flaw, rest, lack,
        np.array([s[3] for s in SUPPLIERS]) * world.scale,
        np.asarray(cal.days.day_of_week)[None] == np.arange(len(ids))[:, None],
    )  # fmt: skip


def _shortages(world: World, units: np.ndarray) -> list[_Shortage]:
    """The star that ran out, and the one that is going to."""
    n, out = world.calendar.n, []
    j = world.catalogue.position(STOCK_OUT_PRODUCT)
    gone = np.flatnonzero(~world.in_stock[j])
    if len(gone):
        out.append(_Shortage(j, int(gone[0]) - CLOSED, int(gone[0]), 0))
    j = world.catalogue.position(RUN_OUT_PRODUCT)
    wanted = ahead.expected(world, units)[j, : ahead.horizon(world) - n + 1].sum()
    out.append(_Shortage(j, n - CLOSED, n, max(1, round(RUN_OUT_PART * wanted))))
    return out


def _simulated(world: World, s: _Setting, shortages: list[_Shortage], cushion: np.ndarray) -> Stock:
    """The stock of all products day by day."""
    n, products = world.calendar.n, np.arange(len(s.sold))
    agreed = np.array([x[2] for x in SUPPLIERS])[s.supplier]
    cost = world.catalogue.products["unit_cost"].to_numpy()
    opening = np.ceil(_levels(s, 0, cushion)[1]).astype(np.int64)
    stock = Stock(np.empty_like(s.sold), opening.copy())
    arrivals = np.zeros((len(products), n + 200), dtype=np.int64)
    level, inbound = opening.copy(), np.zeros(len(products), dtype=np.int64)
    back = {int(q.product): _back(world, q) for q in shortages}
    filled = set()
    for d in range(n):
        closed = np.zeros(len(products), dtype=bool)
        for q in shortages:
            closed[q.product] |= q.closed <= d < back[q.product]
            # The last regular delivery has come, and ten days' goods are left: one more that lasts to the day.
            due = q.closed <= d < q.ends and q.product not in filled and not inbound[q.product]
            if due and level[q.product] < s.sold[q.product, d : d + 10].sum() + 1:
                rest = int(s.sold[q.product, d : q.ends].sum()) + q.left - int(level[q.product])
                stock.purchases.append(_exactly(q.product, d, int(agreed[q.product]), max(rest, 1)))
                level[q.product] += max(rest, 1)
                filled.add(q.product)
            if d == back[q.product]:
                again = _exactly(q.product, d, int(agreed[q.product]), _dozens(_levels(s, d, cushion)[1][q.product]))
                stock.purchases.append(again)
                level[q.product] += again.received
        level += arrivals[:, d] - s.sold[:, d]
        stock.available[:, d] = level
        inbound = np.maximum(inbound - _landed(stock.purchases, d, len(products)), 0)
        if not s.review[:, d].any():
            continue
        point, upto = _levels(s, d, cushion)
        wanted = np.where((level + inbound <= point) & s.review[s.supplier, d] & ~closed, upto - level - inbound, 0)
        value = (wanted * cost).sum()
        if value <= 0:
            continue
        least = s.minimum[s.supplier[wanted > 0][0]]
        wanted = wanted * min(max(1.0, least / value), 3.0)
        for q in shortages:  # never so much that it could not be gone on its day
            if d < q.ends:
                rest = s.sold[q.product, d : q.ends].sum() + q.left
                room = int(0.8 * rest - level[q.product] - inbound[q.product]) // CASE * CASE
                wanted[q.product] = max(min(wanted[q.product], room), 0)
        for j in products[wanted > 0]:
            order = _regular(s, int(j), d, int(agreed[j]), _dozens(wanted[j]))
            stock.purchases.append(order)
            inbound[j] += order.quantity
            arrivals[j, order.arrives] += order.received - order.defective
    return stock


def _back(world: World, q: _Shortage) -> int:
    """The day on which goods arrive again after a shortage (beyond the last one: not yet)."""
    gone = np.flatnonzero(~world.in_stock[q.product])
    return int(gone[-1]) + 1 if len(gone) else world.calendar.n


def _levels(s: _Setting, d: int, cushion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reorder point and order-up-to level of each product on a day."""
    at = np.arange(len(s.sold))
    last = s.ahead.shape[1] - 1
    waiting = np.minimum(d + s.lead[:, d] + REVIEW, last)
    demand = s.base[:, d] * (s.ahead[at, waiting] - s.ahead[:, d])
    beyond = s.base[:, d] * (s.ahead[at, np.minimum(waiting + s.cover, last)] - s.ahead[at, waiting])
    point = demand + cushion * (SAFETY_PART * demand + SAFETY_NOISE * np.sqrt(demand + 1))
    return point, point + beyond


def _dozens(units: float) -> int:
    return int(np.ceil(max(units, 1) / CASE)) * CASE


def _regular(s: _Setting, j: int, d: int, lead: int, quantity: int) -> Purchase:
    received = quantity - round(quantity * s.lack[j, d])
    defective = min(int(quantity * s.flaw[j, d] + s.rest[j, d]), received // 4)
    due = d + lead
    return Purchase(j, d, due, max(due + int(s.late[s.supplier[j], d]), d + 3), quantity, received, defective)


def _exactly(j: int, arrives: int, lead: int, quantity: int) -> Purchase:
    return Purchase(j, max(arrives - lead, 0), arrives, arrives, quantity, quantity, 0, extra=True)


def _landed(purchases: list[Purchase], d: int, products: int) -> np.ndarray:
    """Units ordered that arrived on a day; only the latest orders can."""
    out = np.zeros(products, dtype=np.int64)
    for p in purchases[-400:]:
        if p.arrives == d and not p.extra:
            out[p.product] += p.quantity
    return out


def _pre_stock(world: World, s: _Setting, stock: Stock) -> None:
    """Everything but the forgotten star is there, or on its way, for the coming festival.

    The slow supplier's goods were ordered so early that they have come; of the forgotten star something is on its way
    for after the festival.
    """
    n, last = world.calendar.n, ahead.horizon(world)
    wanted = SPARE * ahead.expected(world, s.sold)[:, : last - n + 1].sum(axis=1)
    soon = np.zeros(len(wanted))
    slow = next(i for i, x in enumerate(SUPPLIERS) if x[0] == SLOW_SUPPLIER)
    for p in stock.purchases:
        if p.arrives >= n and n <= p.due <= n + 3 and s.supplier[p.product] != slow:
            soon[p.product] += p.quantity
    for j in np.flatnonzero(stock.available[:, -1] + soon < wanted).tolist():
        lead = SUPPLIERS[s.supplier[j]][2]
        missing = _dozens(wanted[j] - stock.available[j, -1] - soon[j])
        if j == world.catalogue.position(RUN_OUT_PRODUCT):
            placed = last + 2 - lead
            if placed < n:
                stock.purchases.append(Purchase(j, placed, last + 2, last + 2, missing, missing, 0, extra=True))
        elif s.supplier[j] == slow:
            come = n - 6
            due = come - round(SLOW_BY)
            stock.purchases.append(Purchase(j, due - lead, due, come, missing, missing, 0, extra=True))
            stock.available[j, come:] += missing
        else:
            due = n + 2
            stock.purchases.append(Purchase(j, due - lead, due, due, missing, missing, 0, extra=True))
