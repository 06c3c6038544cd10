"""From a world to its tables: block by block of people, then what is counted over all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import truth
from .aftersales import fulfilment, returns, surveys, voice
from .office import advertising, content, loyalty, market, plans, supply, work
from .shoppers import customers
from .shoppers.demand import demand
from .shoppers.fraud import cheats, fraud
from .shoppers.orders import make_orders
from .site import experiments, touchpoints, traffic
from .site.events import site
from .world import World

COUNTED_BY = {
    "tally": ["what", "of", "month"],
    "claims": ["channel", "campaign", "day", "region"],
    "traffic": traffic.KEYS,
}
"""Columns that tell the rows of counts apart; where none are named, the index does."""


@dataclass(frozen=True)
class Block:
    """What became of one block of people.

    Attributes
    ----------
    tables : dict of str to DataFrame
        Canonical tables, money in fen, times by the shop's clock; some with further columns that no table has.
    counts : dict of str to DataFrame or ndarray
        What is needed of all blocks together (see `added`).
    accounts : DataFrame
        Every account: person, platform (position), persona.
    about_people, about_orders : DataFrame
        See `truth`.
    """

    tables: dict[str, pd.DataFrame]
    counts: dict[str, Any]
    accounts: pd.DataFrame
    about_people: pd.DataFrame
    about_orders: pd.DataFrame


def blocks(world: World) -> Iterator[Block]:
    """All blocks of people of a world, one after another; none is larger than scale 1."""
    n = max(1, math.ceil(world.scale))
    return (make_block(world, i, world.scale / n) for i in range(n))


def make_block(world: World, block: int, scale: float) -> Block:
    """One block of people and everything that they do."""
    people = demand(world, block, scale)
    honest, its_lines, lost = make_orders(world, people)
    who = people.people.set_index("person")
    counts: dict[str, Any] = {
        "tally": truth.tally(world, honest, its_lines, lost, who),
        "claims": advertising.claims(world, honest),
    }
    orders, lines = _together((honest, its_lines), fraud(world, block, scale))
    honest_ones = customers.accounts(people)
    accounts = pd.concat([honest_ones, cheats(orders)], ignore_index=True)
    known = customers.customers(world, accounts, orders)
    orders, shipped = fulfilment.fulfil(world, orders, lines)
    tables = {"orders": orders, "order_items": lines, "customers": known} | shipped
    tables |= voice.voice(world, orders, lines, shipped["returns"], shipped["shipments"])
    tables |= loyalty.loyalty(world, orders, lines, known)
    visited = site(world, people, orders, known, block, scale)
    tables["events"] = visited.events
    tables["experiments"] = experiments.experiments(world, visited)
    tables["touchpoints"] = touchpoints.touchpoints(world, people, orders, visited)
    counts |= {
        "fees": returns.fee_counts(world, orders),
        "traffic": traffic.traffic_counts(orders, lines),
        "units": supply.supply_counts(world, lines, orders),
        "plans": plans.plan_counts(world, orders, lines),
        "loyalty": loyalty.loyalty_counts(world, orders, known, tables),
        "market": market.market_counts(world, orders, lines),
    }
    told = truth.about_people(world, honest_ones, people.people)
    return Block(tables, counts, accounts, told, truth.about_orders(orders))


def _together(*parts: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders of several kinds by time, and their lines, which follow their orders."""
    orders, lines, n = [], [], 0
    for some, of_some in parts:
        orders.append(some)
        lines.append(of_some.assign(order=of_some["order"] + n))
        n += len(some)
    every = pd.concat(orders, ignore_index=True)
    by_time = every["ordered_at"].argsort(kind="stable").to_numpy()
    place = np.empty(n, dtype=np.int64)
    place[by_time] = np.arange(n)
    of_every = pd.concat(lines, ignore_index=True)
    of_every["order"] = place[of_every["order"]]
    return every.iloc[by_time].reset_index(drop=True), of_every.sort_values(["order", "line"], ignore_index=True)


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The counts of two blocks, or of some blocks and another, together."""
    return {name: _sum(one[name], other[name], COUNTED_BY.get(name)) for name in one}


def _sum(one: Any, other: Any, keys: list[str] | None) -> Any:
    if not isinstance(one, pd.DataFrame):
        return one + other
    both = pd.concat([one, other])
    if keys is None:
        return both.groupby(level=list(range(both.index.nlevels))).sum()
    return both.groupby(keys, as_index=False, dropna=False).sum()


def whole_tables(world: World, counts: dict[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables, or further rows of tables, that are made once for a world; `counts` are those of all its blocks."""
    yield "products", world.catalogue.products
    yield "ad_spend", advertising.ad_spend(world, counts["claims"])
    yield "traffic", traffic.traffic(world, counts["traffic"])
    for tables in (
        supply.supply(world, counts["units"]),
        plans.plans(world, counts["plans"]),
        content.plan_content(world),
        work.plan_work(world),
        market.market(world, counts["market"]),
        returns.platform_fees(world, counts["fees"]),
        surveys.panel(world),
        voice.mentions(world),
    ):
        yield from tables.items()
