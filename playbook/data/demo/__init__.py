"""The demo shop: a made-up skincare and home-fragrance brand whose truth is known.

A world (`world`) is fixed first: days, festivals, prices, promotions, advertising, and everything that will go wrong.
Then people come, buy, return and stop (`demand`, `orders`), in blocks, so that any number of them fits into memory;
what platforms, warehouses and colleagues would write down about it becomes tables. ``truth.json`` and ``truth_*.csv``
say what was planted; nothing but tests reads them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from . import advertising, customers, truth
from .demand import demand
from .fraud import fraud
from .orders import make_orders
from .world import World, make_world
from .write import write

SHOP = """\
name = "demo"
title = "Lumen & Moss (露苔)"
language = "en"
currency = "CNY"
zone = "Asia/Shanghai"
week_start = "monday"
"""
MADE = ".made"
"""Lists the files that were made, so that the next demo can take them away."""


@dataclass(frozen=True)
class Block:
    """What became of one block of people.

    Attributes
    ----------
    tables : dict of str to DataFrame
        Canonical tables, money in fen, times by the shop's clock.
    about_people, about_orders : DataFrame
        See `truth`.
    tally, claimed : DataFrame
        Counts that may be added over blocks (see `truth.tally`, `advertising.claims`).
    """

    tables: dict[str, pd.DataFrame]
    about_people: pd.DataFrame
    about_orders: pd.DataFrame
    tally: pd.DataFrame
    claimed: pd.DataFrame


def make_block(world: World, block: int, scale: float) -> Block:
    """One block of people and everything that they do."""
    people = demand(world, block, scale)
    orders, lines, lost = make_orders(world, people)
    claimed = advertising.claims(world, orders)
    causes = people.people.set_index("person")["cause"]
    tally = truth.tally(world, orders, lines, lost, causes)
    orders, lines = _with_fraud(world, block, scale, orders, lines)
    accounts = customers.accounts(people)
    known = customers.customers(world, accounts, orders)
    tables = {"orders": orders, "order_items": lines, "customers": known}
    return Block(
        tables,
        truth.about_people(world, accounts, people.people),
        truth.about_orders(orders),
        tally,
        claimed,
    )


def _with_fraud(
    world: World, block: int, scale: float, orders: pd.DataFrame, lines: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Honest and other orders together, by time; lines follow their orders."""
    more, its_lines = fraud(world, block, scale)
    together = pd.concat([orders, more], ignore_index=True)
    lines = pd.concat([lines, its_lines.assign(order=its_lines["order"] + len(orders))], ignore_index=True)
    by_time = together["ordered_at"].argsort(kind="stable")
    place = pd.Series(range(len(together)), index=by_time.to_numpy()).sort_index().to_numpy()
    lines = lines.assign(order=place[lines["order"]]).sort_values(["order", "line"], ignore_index=True)
    return together.iloc[by_time].reset_index(drop=True), lines


def blocks(world: World) -> Iterator[Block]:
    """All blocks of people of a world, one after another; none is larger than scale 1."""
    n = max(1, math.ceil(world.scale))
    return (make_block(world, i, world.scale / n) for i in range(n))


def generate(
    folder: Path, *, scale: float = 1.0, seed: int = 1, until: str = "2026-10", policy: Path | None = None
) -> None:
    """Write the demo shop into a folder; equal arguments give equal bytes.

    Parameters
    ----------
    folder : Path
        The shop's folder, made if need be. Files of an earlier demo are replaced, all others are left alone.
    scale : float
        Size of the shop: 1 is about 40,000 customers and 140,000 orders.
    seed : int
        Seed of the random numbers: another one is another shop of the same kind.
    until : str
        Last month, as ``2026-10``; 37 months end with its last day.
    policy : Path or None
        Another decision (see `policy`); the world stays the same wherever the decision does not reach.

    Raises
    ------
    ValueError
        The months lie outside the lunar calendar that the demo knows, the scale is not above 0, or the policy names
        something that does not exist.
    """
    if not scale > 0:
        raise ValueError(f"scale={scale}: choose a number above 0")
    world = make_world(scale=scale, seed=seed, until=until, policy=policy)
    folder = Path(folder)
    _clear(folder)
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(SHOP, encoding="utf-8", newline="\n")
    made = [folder / "shop.toml", *_write_all(world, folder)]
    listed = sorted(p.relative_to(folder).as_posix() for p in made)
    (folder / MADE).write_text("\n".join(listed) + "\n", encoding="utf-8", newline="\n")


def _write_all(world: World, folder: Path) -> Iterator[Path]:
    """Write every table, block by block, then what is counted over all of them and the truth."""
    raw = folder / "raw"
    tallies, claimed = [], []
    several = world.scale > 1
    for i, block in enumerate(blocks(world)):
        part = f"-{i + 1:03d}" if several else ""
        for name, table in block.tables.items():
            yield write(raw, name, table, part)
        for name, table in (("people", block.about_people), ("orders", block.about_orders)):
            path = folder / f"truth_{name}{part}.csv"
            table.to_csv(path, index=False, lineterminator="\n")
            yield path
        tallies.append(block.tally)
        claimed.append(block.claimed)
    keys = ["channel", "campaign", "day", "region"]
    claims = pd.concat(claimed).groupby(keys, as_index=False)[["orders", "value"]].sum()
    yield write(raw, "products", world.catalogue.products)
    yield write(raw, "ad_spend", advertising.ad_spend(world, claims))
    told = truth.truth(world, tallies, claims)
    path = folder / "truth.json"
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    yield path


def _clear(folder: Path) -> None:
    """Take away what an earlier demo made."""
    made = folder / MADE
    if made.exists():
        for name in made.read_text(encoding="utf-8").splitlines():
            (folder / name).unlink(missing_ok=True)
