"""A shop's folder: where its settings, raw files and built tables lie.

``data/<shop>/``: ``shop.toml`` (settings), ``raw/`` (exports as they came), ``formats/`` (its own source formats),
``templates/`` (tables that the team fills in and moves to ``raw/``), ``fx.csv`` (rates of exchange),
``tables/`` (built by ingest), ``plan/`` (what people plan), ``ledger/`` (what was forecast and decided).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..language import _
from ..period import WEEK_STARTS

ENGINES = ("duckdb", "spark")

TEMPLATE = """\
# Settings of the shop. Lines that begin with # are the book's choice; take the mark away to change one.
title = "{name}"             # what the report calls the shop
# language = "en"            # of the report
# currency = "CNY"           # ISO 4217 code of every amount in the report; absent: what the exports say
# zone = "Asia/Shanghai"     # where the shop's day begins; absent: what the exports say
# week_start = "monday"
# engine = "duckdb"          # or "spark", where the tables have outgrown one machine
"""


class ShopError(ValueError):
    """Something about a shop's folder is wrong; the message says what and how to mend it."""


@dataclass(frozen=True)
class Settings:
    """What ``shop.toml`` says; an empty currency or zone is the one that the exports state (see `ingest`)."""

    name: str
    title: str = ""
    language: str = "en"
    currency: str = ""
    zone: str = ""
    week_start: str = "monday"
    engine: str = "duckdb"


def home() -> Path:
    """The folder that holds ``data/`` and ``reports/``.

    ``PLAYBOOK_HOME`` says where; else the nearest folder from here upwards with a ``data/`` in it; else the checkout
    that this package is part of.
    """
    if said := os.environ.get("PLAYBOOK_HOME"):
        return Path(said).expanduser().resolve()
    for folder in (here := Path.cwd(), *here.parents):
        if (folder / "data").is_dir() and ((folder / "notebooks").is_dir() or any(folder.glob("data/*/shop.toml"))):
            return folder
    return Path(__file__).resolve().parents[2]


def shops() -> list[str]:
    """The names of the shops that there are."""
    return sorted(p.parent.name for p in (home() / "data").glob("*/shop.toml"))


@dataclass(frozen=True)
class Store:
    """The folder of one shop."""

    folder: Path
    settings: Settings

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def tables(self) -> Path | None:
        """The folder of the tables that the last ingest built, or None."""
        pointer = self.folder / "tables" / "current"
        if not pointer.exists():
            return None
        folder = self.folder / "tables" / pointer.read_text().strip()
        return folder if (folder / "ingest.json").exists() else None

    def accounting(self) -> dict[str, Any]:
        """What the last ingest did, as it wrote it down.

        Raises
        ------
        ShopError
            Nothing has been ingested.
        """
        if self.tables is None:
            raise ShopError(_("{shop} has no tables yet: run `playbook ingest {shop}`").format(shop=self.name))
        return json.loads((self.tables / "ingest.json").read_text())

    def publish(self, built: Path) -> None:
        """Make a folder of freshly built tables the current one; a reader sees the old ones or the new ones, whole."""
        tables = self.folder / "tables"
        pointer = tables / "current.new"
        pointer.write_text(built.name)
        os.replace(pointer, tables / "current")
        for old in tables.iterdir():
            if old.is_dir() and old != built:
                shutil.rmtree(old)


def open_store(name: str) -> Store:
    """The folder of a shop.

    Raises
    ------
    ShopError
        No such shop, or its ``shop.toml`` cannot be understood.
    """
    path = home() / "data" / name / "shop.toml"
    if not path.exists():
        there = ", ".join(shops()) or _("none yet")
        remedy = _("run `playbook demo`") if name == "demo" else _("run `playbook new {name}`").format(name=name)
        raise ShopError(
            _("there is no shop {name!r} (there is: {there}): {remedy}").format(name=name, there=there, remedy=remedy)
        )
    return Store(path.parent, read_settings(path))


def create(name: str) -> Path:
    """Make the folder of a new shop, with its settings to fill in.

    Raises
    ------
    ShopError
        The name is none for a folder, or the shop is there already.
    """
    if not re.fullmatch(r"[\w][\w-]*", name):
        raise ShopError(_("{name!r} is no name for a shop: use letters, digits and dashes").format(name=name))
    folder = home() / "data" / name
    if (folder / "shop.toml").exists():
        raise ShopError(_("the shop {name!r} is there already").format(name=name))
    from .templates import write_templates

    (folder / "raw").mkdir(parents=True, exist_ok=True)
    write_templates(folder / "templates")
    (folder / "shop.toml").write_text(TEMPLATE.format(name=name), encoding="utf-8")
    return folder


def read_settings(path: Path) -> Settings:
    """The settings in a ``shop.toml``; raises ShopError where one is unknown or makes no sense."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ShopError(_("{path} is not valid TOML: {error}").format(path=path, error=error)) from None
    known = [f.name for f in fields(Settings)]
    for key, value in said.items():
        if key not in known:
            raise ShopError(
                _("{path} has a setting {key!r} that does not exist; there is: {known}").format(
                    path=path, key=key, known=", ".join(known)
                )
            )
        if not isinstance(value, str):
            raise ShopError(_("{path}: {key} must be text in quotes").format(path=path, key=key))
    settings = Settings(**{"name": path.parent.name, **said})
    try:
        ZoneInfo(settings.zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise ShopError(
            _("{path}: {zone!r} is no time zone; write one like Asia/Shanghai").format(path=path, zone=settings.zone)
        ) from None
    for key, allowed in {"week_start": WEEK_STARTS, "engine": ENGINES}.items():
        if getattr(settings, key) not in allowed:
            raise ShopError(
                _("{path}: {key} is {value!r}; write one of {allowed}").format(
                    path=path, key=key, value=getattr(settings, key), allowed=", ".join(allowed)
                )
            )
    return settings
