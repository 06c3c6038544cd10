"""Erasure: a person who asks to be forgotten is forgotten everywhere, and what was sold stays true.

Her orders, returns and messages stay as rows, for the bookkeeper and for every total, but as a guest's: names,
numbers, addresses, devices and the customer's number are blanked, and nothing links them any more. Rows that are only
about her (a list of customers) go. The raw files are rewritten, tables, marts and quarantine are built anew from
them, reports and other files that name her are removed, and keyed hashes of what she was known by go on a list, so
that an older export that comes back does not bring her back. A line in ``privacy.log`` says that it was done, and not
for whom.

Reports go first, the raw files change all at once or not at all, and tables are built last: an erasure that was
interrupted has either not begun, and is to be asked for again, or is finished by whatever opens the shop next.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...language import _
from ..ingest import erased, ingest, swapped
from ..ingest.files import FORGOTTEN
from ..keyed import FILE, identity_key
from ..locks import locked
from ..store import ShopError, Store, home
from .columns import class_of
from .subject import Subject, subject

if TYPE_CHECKING:
    from .search import FoundIn


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Attributes
    ----------
    files : dict of str to int
        Raw files that were rewritten, and in how many rows.
    removed : tuple of str
        Reports and other files that named her, below the book's home.
    named : tuple of str
        Files of the shop that name her and are a human's own: to be looked at.
    """

    files: dict[str, int]
    removed: tuple[str, ...]
    named: tuple[str, ...]


def erase(store: Store, said: str, *, now: dt.datetime | None = None) -> Erased:
    """Forget a person.

    Parameters
    ----------
    said : str
        As `subject` takes it.
    now : datetime, optional
        For the log; the present moment.

    Raises
    ------
    ShopError
        As `subject`; nothing is held on such a person; or a raw file cannot be rewritten, and then none is.
    """
    with locked(store.folder / swapped.LOCK):
        done = _rewrite(store, said, now)
    ingest(store)
    return done


def _rewrite(store: Store, said: str, now: dt.datetime | None) -> Erased:
    """Have reports and raw files forget a person; the tables are still the old ones."""
    from .rewrite import rewritten
    from .search import search

    swapped.recover(store.folder)
    who = subject(store, said)
    found = search(store, who)
    key = identity_key(store.folder)
    mark = mark_of(store, who)
    if not found and not who.person and not who.orders:
        raise ShopError(_("{shop} holds nothing on such a person").format(shop=store.name))
    made = {f.path: rewritten(f, f"{erased.NOBODY}-{mark[:8]}") for f in found}
    removed, named = _elsewhere(store, _names(who, found))
    files = {f.name: len(f.hits) + len(f.broken) for f in found}
    line = _line("erase", mark, now=now, files=len(files), rows=sum(files.values()), removed=len(removed))
    swapped.swap(store.folder, made, forgotten=_forgotten(who, key), line=line)
    return Erased(files, removed, named)


def log(store: Store, what: str, mark: str, *, now: dt.datetime | None = None, **counts: int) -> None:
    """One line in the shop's ``privacy.log``: when, what, a keyed hash for whom, how much."""
    swapped.note(store.folder, _line(what, mark, now=now, **counts))


def _line(what: str, mark: str, *, now: dt.datetime | None, **counts: int) -> str:
    moment = (now or dt.datetime.now(dt.UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = " ".join(f"{name}={n}" for name, n in counts.items())
    return f"{moment} {what} subject={mark} {told}"


def mark_of(store: Store, who: Subject) -> str:
    """What stands for a person in the log."""
    return _hashes([f"{who.person}{sorted(who.accounts)}"], "erased", identity_key(store.folder))[0]


def _hashes(values: Iterable[str], kind: str, key: bytes) -> list[str]:
    import duckdb

    from ..keyed import keyed, use_key

    with duckdb.connect() as con:
        use_key(con, key)
        rows = con.execute(f"SELECT {keyed('v', kind)} FROM (SELECT unnest(?::VARCHAR[]) AS v)", [list(values)])
        return [h for (h,) in rows.fetchall()]


def _forgotten(who: Subject, key: bytes) -> set[tuple[str, str]]:
    """What goes on the list: kind and hash."""
    plain = {"account": who.accounts, "number": who.numbers, "visitor": who.visitors}
    out = {(kind, h) for kind, values in plain.items() for h in _hashes(sorted(values), kind, key)}
    return out | {(kind, h) for kind, hashes in who.hashes.items() for h in hashes}


def _names(who: Subject, found: Iterable[FoundIn]) -> set[str]:
    """What she may be named by in any text: long enough not to stand there by chance."""
    cells = {
        v for f in found for hit in f.hits for i, v in hit.cells.items()
        if i in hit.blank and class_of(f.headers[i]) == "direct"
    }  # fmt: skip
    names = {who.person, *who.numbers, *who.visitors, *who.order_numbers, *cells, *set().union(*who.hashes.values())}
    return {n for n in names if len(n) >= 6}


def _elsewhere(store: Store, names: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what the book made and that names her; name what people made."""
    removed, named = [], []
    reports = home() / "reports" / store.name
    for folder in sorted(p for p in reports.glob("*") if p.is_dir()) if reports.is_dir() else ():
        if any(_says(p, names) for p in sorted(folder.rglob("*")) if p.is_file()):
            shutil.rmtree(folder)
            removed.append(folder.relative_to(home()).as_posix())
    passed = {store.raw, store.folder / "tables"}
    ours = {swapped.LOG, FORGOTTEN, FILE}
    for path in sorted(store.folder.rglob("*")):
        if not path.is_file() or path.name in ours or passed & set(path.parents) or not _says(path, names):
            continue
        if path.is_relative_to(store.folder / "privacy") or "proposed" in path.parts:
            path.unlink()
            removed.append(path.relative_to(home()).as_posix())
        else:
            named.append(path.relative_to(home()).as_posix())
    return tuple(removed), tuple(named)


def _says(path: Path, names: set[str]) -> bool:
    text = path.read_bytes().decode("utf-8", "replace")
    return any(n in text for n in names)
