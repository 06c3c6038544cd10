"""The demo shop: a made-up skincare and home-fragrance brand whose truth is known.

A world (`world`) is fixed first: days, festivals, prices, promotions, advertising, and everything that will go wrong.
Then people come, buy, return and stop (`shoppers`), in blocks, so that any number of them fits into memory. What they
do on the own site (`site`), what follows their orders (`aftersales`) and what the team does and records (`office`)
becomes tables; `blocks` lists them, and `raw` writes them as the platforms and the team would, with what goes wrong in
life (`defects`). ``truth.json`` and ``truth_*.csv`` say what was planted; only tests read them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from ...language import _
from . import truth
from .blocks import added, blocks, whole_tables
from .defects import spoil
from .office import assets
from .office.sheets import plan_sheets
from .raw import write_block, write_whole
from .world import World, make_world

SHOP = """\
name = "demo"
title = "Lumen & Moss (露苔)"
language = "en"
currency = "CNY"
zone = "Asia/Shanghai"
week_start = "monday"
"""
PARTLY = ("settlements", "surveys")
MADE = ".made"
"""Lists the files that were made, so that the next demo can take them away."""


def make_tables(world: World) -> dict[str, pd.DataFrame]:
    """Every canonical table of a world in memory: money in fen, times by the shop's clock, hidden columns kept."""
    made = list(blocks(world))
    tables = {name: pd.concat([b.tables[name] for b in made], ignore_index=True) for name in made[0].tables}
    for name, table in whole_tables(world, functools.reduce(added, (b.counts for b in made))):
        tables[name] = pd.concat([tables[name], table], ignore_index=True) if name in tables else table
    return tables


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
    if not 0 < scale < float("inf"):
        raise ValueError(_("scale={scale}: choose a number above 0").format(scale=scale))
    world = make_world(scale=scale, seed=seed, until=until, policy=policy)
    folder = Path(folder)
    _clear(folder)
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(SHOP, encoding="utf-8", newline="\n")
    made = [folder / "shop.toml", *_write_all(world, folder)]
    listed = sorted({p.relative_to(folder).as_posix() for p in made})
    (folder / MADE).write_text("\n".join(listed) + "\n", encoding="utf-8", newline="\n")


def _write_all(world: World, folder: Path) -> Iterator[Path]:
    """Write every table, block by block, then what is counted over all of them, the defects and the truth."""
    raw, several, total = folder / "raw", world.scale > 1, None
    for i, block in enumerate(blocks(world)):
        part = f"-{i + 1:03d}" if several else ""
        yield from write_block(raw, world, block, part)
        for name, table in (("people", block.about_people), ("orders", block.about_orders)):
            path = folder / f"truth_{name}{part}.csv"
            table.to_csv(path, index=False, lineterminator="\n")
            yield path
        total = block.counts if total is None else added(total, block.counts)
    assert total is not None
    once = {}
    for name, table in whole_tables(world, total):
        # Some rows of settlements and surveys belong to nobody's block: they get a file of their own.
        once[name] = table
        yield from write_whole(raw, name, table, world.catalogue.products, "-world" if name in PARTLY else "")
    rates = [] if (folder / "fx.csv").exists() else [folder / "fx.csv"]
    planted = spoil(raw, world)
    yield from [*(raw / file for p in planted for file in p.changes), *(p for p in rates if p.exists())]
    sheets = {f"{n}.csv": t.to_csv(index=False, lineterminator="\n") for n, t in plan_sheets(world, total).items()}
    for name, text in (sheets | assets.assets(world, total["units"])).items():
        path = folder / "plan" / name
        if not path.exists():  # somebody's own
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            yield path
    path = folder / "truth.json"
    told = truth.truth(world, total, once) | {"defects": [asdict(p) for p in planted]}
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    yield path


def _clear(folder: Path) -> None:
    """Take away what an earlier demo made, and the folders below ``raw/`` and ``plan/`` that are empty for it."""
    made = folder / MADE
    if not made.exists():
        return
    for name in made.read_text(encoding="utf-8").splitlines():
        (folder / name).unlink(missing_ok=True)
        above = (folder / name).parent
        if above.parent in (folder / "raw", folder / "plan") and above.is_dir() and not any(above.iterdir()):
            above.rmdir()
