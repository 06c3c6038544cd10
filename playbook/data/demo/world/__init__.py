"""The world of a demo: everything that is fixed before anybody buys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .calendar import Calendar, make_calendar
from .catalogue import CROSS, Catalogue, choice_weights, make_catalogue, season
from .draw import Draws
from .incidents import (
    CRISIS_DAYS,
    CRISIS_DEPTH,
    CRISIS_PRODUCT,
    CRISIS_SPILL,
    STOCK_OUT_PRODUCT,
    Incidents,
    make_incidents,
)
from .media import HELD_OUT, Media, make_media
from .people import price_taste, share_of, taste
from .policy import Policy, known_or_refuse, read_policy
from .promotions import Promotions, make_promotions


@dataclass(frozen=True)
class World:
    """What surrounds the people of the demo.

    Attributes
    ----------
    pull : ndarray, products × days
        What a line's chance to be bought is multiplied by: price, competitors, promotions, season, crisis.
    in_stock : ndarray of bool, products × days
        Whether there was any.
    depth, promotion : ndarray, products × days
        Part that the promotion of the day takes off the price, and its position (−1: none).
    choice : ndarray, personas × months × products
        How a persona's choice falls.
    """

    scale: float
    seed: int
    policy: Policy
    draws: Draws
    calendar: Calendar
    incidents: Incidents
    catalogue: Catalogue
    promotions: Promotions
    media: Media
    pull: np.ndarray
    in_stock: np.ndarray
    depth: np.ndarray
    promotion: np.ndarray
    choice: np.ndarray


def make_world(*, scale: float, seed: int, until: str, policy: Path | None = None) -> World:
    """The world of a seed; a policy changes what it decides and nothing else."""
    draws = Draws(seed)
    cal = make_calendar(until, draws.generator("calendar"))
    plan = read_policy(policy, cal)
    dates = make_incidents(cal, draws.generator("incidents"))
    goods = make_catalogue(cal, dates, draws.generator("catalogue"), plan)
    category = goods.products["category"].to_numpy()
    offers = make_promotions(cal, list(dict.fromkeys(category)), draws.generator("promotions"), plan)
    paid = make_media(cal, dates, draws.generator("media"), plan, scale, share_of(HELD_OUT))
    effect, depth, which = offers.on(category, cal.n)
    pull = _price_effect(goods) * effect * season(goods.products, cal) * _crisis(goods, dates, cal.n)
    return World(
        scale, seed, plan, draws, cal, dates, goods, offers, paid, pull, _stock(goods, dates, cal.n, plan), depth,
        which, choice_weights(goods.products, cal, taste(), price_taste()),
    )  # fmt: skip


def _price_effect(goods: Catalogue) -> np.ndarray:
    """Constant elasticities: of the own price against the list price, and of a competitor's against its first."""
    own = goods.price / goods.products["list_price"].to_numpy()[:, None]
    out = own ** goods.products["elasticity"].to_numpy()[:, None]
    for product, competitor, elasticity in CROSS:
        j = goods.position(product)
        i = int(np.flatnonzero((goods.rivals["competitor"] == competitor) & (goods.rivals["product"] == j))[0])
        out[j] *= (goods.rival_price[i] / goods.rival_price[i, 0]) ** elasticity
    return out


def _crisis(goods: Catalogue, dates: Incidents, days: int) -> np.ndarray:
    """What is left of sales after the bad batch: of the product itself, and of its category."""
    since = np.arange(days) - dates.crisis
    lost = np.where(since >= 0, np.exp(-np.maximum(since, 0) / CRISIS_DAYS), 0.0)
    j = goods.position(CRISIS_PRODUCT)
    category = (goods.products["category"] == goods.products["category"].iloc[j]).to_numpy()
    out = np.ones((len(category), days))
    out[category] -= CRISIS_SPILL * lost
    out[j] = 1 - CRISIS_DEPTH * lost
    return out


def _stock(goods: Catalogue, dates: Incidents, days: int, policy: Policy) -> np.ndarray:
    """Nothing left of one star, until goods arrive; a policy may have ordered them earlier."""
    for name in policy.stock:
        known_or_refuse("stock", name, name == STOCK_OUT_PRODUCT, [STOCK_OUT_PRODUCT])
    begins, ends = dates.stock_out
    ends = max(begins, ends - round(policy.stock.get(STOCK_OUT_PRODUCT, 0)))
    out = np.ones((len(goods.products), days), dtype=bool)
    out[goods.position(STOCK_OUT_PRODUCT), begins:ends] = False
    return out
