"""Marts: tables that several notebooks need, built from the canonical ones in a step before any notebook.

A mart depends on the moment that a report looks from (recency, tenure, what was known), so there is one per `as_of`. It
lies beside the tables it was made from, ``tables/<key>/marts/<as_of>/<name>-<code>.parquet``: another export, setting
or key of hashes gives another folder of tables and with it other marts, another version of the code that makes a mart
gives another file, and ingest removes what is no longer current. A report run builds those it lacks before its first
notebook; whoever opens a shop otherwise builds a mart when it is first asked for, and keeps it. A file appears whole or
not at all, and two who build at once write the same.

A mart is named here and made elsewhere, also by a wing of the book: it is imported only when it is built.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..missing import Missing

if TYPE_CHECKING:
    import ibis

    from .engine import Engine


@dataclass(frozen=True)
class Inputs:
    """What a mart is made from.

    Attributes
    ----------
    table : callable
        Name of a canonical table → the table as known at `as_of` in local time, or a `Missing`. The customers have no
        `person_id` but one that the shop's own data state.
    mart : callable
        Name of another mart → that mart, or a `Missing`.
    as_of : datetime
        The moment that nothing known lies behind.
    key : bytes
        The shop's key of hashes.
    memo : dict
        What several marts of one moment share and one of them has worked out.
    """

    table: Callable[[str], Any]
    mart: Callable[[str], Any]
    as_of: dt.datetime
    key: bytes
    memo: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mart:
    """One mart: what a row is, and ``module:function`` that makes it from `Inputs` (a Table, or a Missing)."""

    name: str
    meaning: str
    maker: str

    def make(self, inputs: Inputs) -> ibis.Table | Missing:
        module, function = self.maker.split(":")
        return getattr(importlib.import_module(module), function)(inputs)

    @property
    def version(self) -> str:
        """A name for the code that makes it."""
        found = importlib.util.find_spec(self.maker.split(":")[0])
        assert found is not None and found.origin is not None
        return hashlib.sha256(Path(found.origin).read_bytes()).hexdigest()[:8]


MARTS: dict[str, Mart] = {
    m.name: m
    for m in (
        Mart("persons", "Who is behind each account, one row per account.", "playbook.data.people:persons"),
        Mart(
            "person_links", "What links accounts, one row per pair that shares something.", "playbook.data.people:links"
        ),
        Mart("person_conflicts", "What too many accounts share to be one person's.", "playbook.data.people:conflicts"),
        Mart("sessions", "What happened in each visit to the own site.", "playbook.data.sessions:sessions"),
        Mart("customer_360", "All that is known of a person, one row per person.", "playbook.data.people:customer_360"),
    )
}
"""In the order in which they are built: a mart comes after those that it needs."""


def folder_of(tables: Path, as_of: dt.datetime) -> Path:
    """Where the marts of a moment lie."""
    return tables / "marts" / f"{as_of:%Y-%m-%dT%H%M}"


def lacking(tables: Path, as_of: dt.datetime) -> list[str]:
    """The marts that are not there yet for a moment."""
    folder = folder_of(tables, as_of)
    return [m.name for m in MARTS.values() if not any(p.exists() for p in _places(m, folder))]


def kept(name: str, inputs: Inputs, *, folder: Path, engine: Engine) -> ibis.Table | Missing:
    """A mart as it lies in a folder; it is made, and put there, where it does not.

    What cannot be made, because the shop lacks a table, is noted, so that it does not count as `lacking`.
    """
    path, absent = _places(MARTS[name], folder)
    if not path.exists():
        made = MARTS[name].make(inputs)
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(made, Missing):
            absent.touch()
            return made
        _write(made, path)
    return engine.read(path)


def _places(mart: Mart, folder: Path) -> tuple[Path, Path]:
    """Where a mart lies, and what lies there instead where it cannot be made."""
    stem = f"{mart.name}-{mart.version}"
    return folder / f"{stem}.parquet", folder / f"{stem}.missing"


def _write(table: ibis.Table, path: Path) -> None:
    building = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        table.to_parquet(building / path.name)
        try:
            os.replace(building / path.name, path)
        except OSError:
            if not path.exists():  # an engine that writes folders met one that is there already, which is as good
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
