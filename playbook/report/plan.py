"""What is to be run, and what earlier reports hold already? Light, since most often the answer is: nothing is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import period as periods
from ..data.store import Store, home
from ..period import Period
from . import keys
from .keys import Manifest
from .notebooks import Notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from .render import State


@dataclass(frozen=True)
class Scope:
    """What a report is about.

    Attributes
    ----------
    last_day : date
        The last day of the orders.
    accounting : mapping
        What ingest did.
    said : mapping of str to str
        Parameters that somebody tries; their report has a folder of its own.
    """

    store: Store
    accounting: Mapping[str, Any]
    period: Period
    last_day: dt.date
    language: str
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> Path:
        """The folder of the report without parameters."""
        return home() / "reports" / self.store.name / self.period.slug

    @property
    def folder(self) -> Path:
        """The folder of the report."""
        words = "".join(f"~{k}={v}" for k, v in sorted(self.said.items()))
        return self.base.with_name(self.base.name + "".join(c if c.isalnum() or c in "~=._-" else "_" for c in words))


@dataclass(frozen=True)
class Task:
    """One notebook to be run: with which parameters, under which key, and how many seconds it took last time."""

    notebook: Notebook
    values: Mapping[str, Any]
    key: str
    expected: float | None = None


@dataclass
class Outcome:
    """What came of a notebook.

    Attributes
    ----------
    reason : str
        Why it was not run.
    cached : bool
        It was not run this time: `data` holds the file that an earlier report has of it.
    kept : bool
        By now it would be different.
    """

    notebook: Notebook
    state: State
    key: str = ""
    nb: NotebookNode | None = None
    seconds: float | None = None
    reason: str = ""
    data: bytes = b""
    kept: bool = False

    @property
    def cached(self) -> bool:
        return bool(self.data)


@dataclass(frozen=True)
class Plan:
    """Which notebooks are to be run, and the outcomes of the others."""

    book: Sequence[Notebook]
    tasks: list[Task]
    known: dict[str, Outcome]
    last: Manifest
    ledger: str
    wanted: Mapping[str, str]

    @cached_property
    def unchanged(self) -> bool:
        """Is the last report all that this one would be?"""
        return not self.tasks and self.last.holds(self.wanted)


def scope(
    store: Store,
    accounting: Mapping[str, Any],
    period: str,
    language: str,
    said: Mapping[str, str],
    *,
    kind: periods.Kind = "month",
) -> Scope:
    """What a report is about, of a period as it is typed (`kind`: of the latest); ValueError where it is none."""
    if not (span := accounting.get("span")):
        from ..shop import shop_of  # says what is wrong with a shop without orders

        shop = shop_of(store, period)
        return Scope(store, accounting, shop.period, shop.last_day, language, said)
    first, last = (dt.date.fromisoformat(span[end]) for end in ("first_day", "last_day"))
    if period == "latest":
        latest = periods.latest_complete(kind, first, last, week_start=store.settings.week_start)
        return Scope(store, accounting, latest, last, language, said)
    return Scope(store, accounting, periods.parse(period, week_start=store.settings.week_start), last, language, said)


def plan(
    of: Scope,
    book: Sequence[Notebook],
    values: Mapping[str, Mapping[str, Any]],
    *,
    involved: Sequence[Notebook],
    anyway: Sequence[Notebook] = (),
) -> Plan:
    """Work out what a run has to do.

    Parameters
    ----------
    of : Scope
    book : sequence of Notebook
        All notebooks.
    values : mapping
        Notebook's slug → its parameters.
    involved : sequence of Notebook
        Those that are wanted, with all that they need; the pages of the others stay as they are.
    anyway : sequence of Notebook
        Those of them that are run also where nothing has changed.
    """
    last = Manifest.of(of.folder)
    ledger = keys.ledger_digest(of.store, last)
    common = keys.shared(of.store, of.accounting, language=of.language, ledger=ledger)
    own = {n.slug: {"shop": of.store.name, "period": of.period.label, **values[n.slug]} for n in book}
    wanted = _keys(book, common, own)
    reports = [last] if of.folder == of.base else [last, Manifest.of(of.base)]
    known: dict[str, Outcome] = {}
    for n in book:
        if n not in involved:
            known[n.slug] = _kept(n, last, wanted[n.slug])
        elif n not in anyway and (o := _reused(n, reports, wanted[n.slug])):
            known[n.slug] = o
    tasks = [
        Task(n, own[n.slug], wanted[n.slug], last.notebooks.get(n.slug, {}).get("seconds"))
        for n in book
        if n.slug not in known
    ]
    return Plan(book, tasks, known, last, ledger, wanted)


def _keys(book: Sequence[Notebook], common: str, own: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The key of each notebook, which holds the keys of all that it is to run after."""
    by_slug, found = {n.slug: n for n in book}, dict[str, str]()

    def key(slug: str) -> str:
        if slug not in found:
            needs = [key(need) for need in by_slug[slug].after]
            found[slug] = keys.key(common, by_slug[slug], own[slug], needs)
        return found[slug]

    return {n.slug: key(n.slug) for n in book}


def _kept(notebook: Notebook, last: Manifest, wanted: str) -> Outcome:
    """What the last report has of a notebook that is not asked for, also where it would be different by now."""
    entry, data = last.notebooks.get(notebook.slug, {}), last.notebook(notebook.slug)
    if data is None:
        return Outcome(notebook, "not run", reason=entry.get("reason", ""))
    return Outcome(
        notebook, entry["state"], entry["key"], seconds=entry["seconds"], data=data, kept=entry["key"] != wanted
    )


def _reused(notebook: Notebook, reports: Iterable[Manifest], wanted: str) -> Outcome | None:
    """What an earlier report has of a notebook, if it would be no different now."""
    for report in reports:
        if (data := report.reusable(notebook.slug, wanted)) is not None:
            seconds = report.notebooks[notebook.slug]["seconds"]
            return Outcome(notebook, "ok", wanted, seconds=seconds, data=data)
    return None
