"""Worlds with their orders alone, and what festivals and promotions are planted to do in them."""

import functools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import World, make_world
from playbook.data.demo.world import calendar as of_calendar
from playbook.data.demo.world.calendar import make_calendar
from playbook.data.demo.world.draw import Draws
from playbook.data.demo.world.media import HELD_OUT, make_media
from playbook.data.demo.world.people import share_of
from playbook.data.demo.world.promotions import Promotions

SCALE = 0.25


@dataclass(frozen=True)
class Sold:
    """A world, its honest orders (with cause and day) and the lines of them."""

    world: World
    orders: pd.DataFrame
    lines: pd.DataFrame

    @property
    def daily(self) -> pd.Series:
        """Orders by day."""
        days = self.world.calendar.days
        return pd.Series(np.bincount(self.orders["day"], minlength=len(days)).astype(float), days)


@functools.lru_cache(maxsize=24)
def sold(seed: int, scale: float = SCALE) -> Sold:
    world = make_world(scale=scale, seed=seed, until="2026-10")
    orders, lines, _lost = make_orders(world, demand(world, 0, scale))
    keep = ["day", "cause", "amount", "discount", "promotion_id"]
    lines = lines[["order", "line", "product", "quantity"]].assign(day=orders["day"].to_numpy()[lines["order"]])
    return Sold(world, orders[keep], lines)


def quiet_calendar(world: World) -> tuple[np.ndarray, np.ndarray]:
    """How busy each day is by its festival alone, and by everything else: made twice with the same draws.

    The second time the festivals lie on no day, while the same random numbers are drawn.
    """
    told, moon = of_calendar.FESTIVALS, of_calendar.SPRING_FESTIVALS
    try:
        of_calendar.FESTIVALS = [(name, 0, 0, 1.0) for name, _first, _last, _level in told]  # on no day at all
        # Spring festivals as many as there are, but in another century: their draws are made, their days are not here.
        of_calendar.SPRING_FESTIVALS = moon - pd.DateOffset(years=60)
        without = make_calendar("2026-10", Draws(world.seed).generator("calendar"))
    finally:
        of_calendar.FESTIVALS, of_calendar.SPRING_FESTIVALS = told, moon
    return world.calendar.busy / without.busy, without


def without_festivals(some: Sold) -> pd.Series:
    """Orders by day that there would have been without any festival: the planted truth.

    Each order counts by the chance that it would have been made without festivals. Orders that nobody paid for are as
    many times fewer as the market's rush says; what advertising brought is as many times fewer as its spending, which
    rises at festivals, reached more people; and all are fewer by the factor of the festival's promotion, both while it
    runs and in the dip afterwards.
    """
    world = some.world
    rush, without = quiet_calendar(world)
    share = share_of(HELD_OUT)
    calm = make_media(
        replace(without, festival=np.full(world.calendar.n, "", dtype=object)), world.incidents,
        world.draws.generator("media"), world.policy, world.scale, share,
    )  # fmt: skip
    reach = np.divide(world.media.level[0], calm.level[0], out=np.ones_like(calm.level[0]), where=calm.level[0] > 1e-9)
    table = world.promotions.table
    only = table["festival"] != ""
    rest = Promotions(
        table.assign(depth=table["depth"].where(~only, 0.0)), np.where(only.to_numpy()[:, None], 1.0, world.promotions.factor),
        np.where(only.to_numpy()[:, None], 0.0, world.promotions.depth),
    )  # fmt: skip
    category = world.catalogue.products["category"].to_numpy()
    offer = world.promotions.on(category, world.calendar.n)[0] / rest.on(category, world.calendar.n)[0]
    offer = np.median(offer, axis=0)
    day = some.orders["day"].to_numpy()
    factor = rush[day].copy()
    for i, channel in enumerate(world.media.channels["channel"]):
        mine = (some.orders["cause"] == channel).to_numpy()
        factor[mine] = reach[i, day[mine]]
    calm_orders = np.bincount(day, 1 / (factor * offer[day]), world.calendar.n)
    return pd.Series(calm_orders, world.calendar.days)
