"""Where a person stands in the raw files: each row that bears her number, an order of hers, or what is hers alone."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ..ingest.build import recognised
from ..ingest.files import own_formats, raw_files
from ..ingest.formats import load_formats
from ..ingest.macros import define
from ..ingest.model import SourceFormat, Target
from ..ingest.read import RawFile
from ..ingest.stage import Staged
from ..keyed import hashed, identity_key, use_key
from ..locks import locked
from ..store import ShopError, Store
from .columns import class_of
from .subject import Subject

SHORTEST = 6
"""Characters of a number or value that is looked for in the midst of other text."""

_CONTACTS = {"phone": r"phone|mobile|tel|手机|电话|联系方式", "email": r"e-?mail|邮箱|邮件"}


@dataclass(frozen=True)
class Hit:
    """A row: its line, what its cells say by column, the columns to blank, of them those that may not be empty.

    A row that is about a person and nothing else is `gone` altogether. In a row that is not hers but mentions her, only
    the cell that does is blanked.
    """

    line: int
    cells: dict[int, str] = field(repr=False)
    blank: frozenset[int]
    needed: frozenset[int]
    gone: bool


@dataclass(frozen=True)
class FoundIn:
    """What a raw file holds on a person.

    Attributes
    ----------
    headers : tuple of str
        Names of its columns.
    hits : tuple of Hit
    broken : tuple of int
        Lines that could not be read as rows, and hold something of hers.
    """

    name: str
    path: Path
    raw: RawFile
    headers: tuple[str, ...]
    hits: tuple[Hit, ...]
    broken: tuple[int, ...]


def search(store: Store, who: Subject) -> list[FoundIn]:
    """Where does a person stand in the raw files?

    Raises
    ------
    ShopError
        Some file cannot be read, so that nobody can say what it holds.
    """
    formats = load_formats(store.folder / "formats" if own_formats(store) else None)
    found: list[FoundIn] = []
    problems: list[str] = []
    staged: list[tuple[Path, Staged]] = []
    with _scratch(store.folder) as folder, duckdb.connect() as con:
        con.execute("SET disabled_optimizers = 'in_clause'")  # as ingest does: it would change the order of rows
        con.execute("SET enable_progress_bar = false")
        use_key(con, identity_key(store.folder))
        define(con)
        _note(con, who)
        for path in raw_files(store.raw):
            name = path.relative_to(store.raw).as_posix()
            try:
                for raw, fmt in recognised(path, name, formats, store.name):
                    staged.append((path, Staged(con, len(staged), raw, fmt, store.settings, folder)))
                    staged[-1][1].keep_cells(folder)
            except ShopError as error:
                problems.append(str(error))
        if problems:
            raise ShopError("\n".join(problems))
        plain = sorted(set().union(*(_contacts(con, f) for _path, f in staged)))
        con.executemany("INSERT INTO who VALUES ('plain', ?)", [[p] for p in plain]) if plain else None
        for path, f in staged:
            if (there := _in_file(con, path, f, who, plain)) is not None:
                found.append(there)
    return found


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder for copies of cells. It names people: what a killed search left there goes with the next one."""
    with locked(folder / ".search.lock"):
        scratch = folder / ".search"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch)


def _note(con: duckdb.DuckDBPyConnection, who: Subject) -> None:
    """What is looked for, as a table of the engine."""
    con.execute("CREATE TABLE who (kind VARCHAR, value VARCHAR)")
    kinds = {
        "account": who.accounts, "number": who.numbers, "order": who.orders, "order_number": who.order_numbers,
        "visitor": who.visitors, **who.hashes,
    }  # fmt: skip
    rows = [[kind, value] for kind, values in kinds.items() for value in sorted(values)]
    if rows:
        con.executemany("INSERT INTO who VALUES (?, ?)", rows)


def _is(sql: str, kind: str) -> str:
    return f"coalesce(({sql})::VARCHAR IN (SELECT value FROM who WHERE kind = '{kind}'), false)"


def _fields(fmt: SourceFormat, sql: str) -> list[str]:
    """The fields that an expression speaks of."""
    words = set(re.findall(r"[a-z_][a-z0-9_]*", sql))
    return [f.name for f in fmt.fields if f.name in words]


def _known_by(fmt: SourceFormat, column: str, whole: str, alone: str) -> Iterable[str]:
    """The conditions under which what feeds a canonical number is one of hers."""
    for t in fmt.targets:
        if column not in t.columns:
            continue
        platform = t.columns.get("platform", "")
        by_row = not t.each or platform.startswith("'")
        for sql in [t.columns[column]] if not t.each else _fields(fmt, t.columns[column]):
            if platform and by_row:
                yield _is(f"coalesce({platform}, '') || ':' || ({sql})", whole)
            else:
                yield _is(sql, alone) + " OR " + _is(f"':' || ({sql})", whole)


def _conditions(f: Staged) -> list[str]:
    """Under which conditions a row is hers, as SQL."""
    fmt = f.format
    out = [*_known_by(fmt, "customer_id", "account", "number"), *_known_by(fmt, "order_id", "order", "order_number")]
    out += [
        _is(fmt.row[what], kind)
        for what, kind in (("customer", "number"), ("order", "order_number"))
        if what in fmt.row
    ]
    out += [_is(hashed(field_, kind), kind) for field_, kind in _hashed_fields(fmt)]
    out += [_is(hashed(f"c{i}", kind), kind) for i, kind in _unmapped_contacts(f)]
    out += [_is(name, "visitor") for t in fmt.targets for name in _fields(fmt, t.columns.get("visitor_id", ""))]
    return list(dict.fromkeys(out))


def _hashed_fields(fmt: SourceFormat) -> list[tuple[str, str]]:
    """The fields that feed a strong hash, with its kind."""
    return [
        (name, kind)
        for t in fmt.targets
        for kind in ("phone", "email", "login")
        for name in _fields(fmt, t.columns.get(f"{kind}_hash", ""))
    ]


def _unmapped_contacts(f: Staged) -> list[tuple[int, str]]:
    """The columns that nothing maps to a hash but whose header says telephone or e-mail."""
    used = {f.found[name] for name, _kind in _hashed_fields(f.format) if name in f.found}
    return [
        (i, kind)
        for i, header in enumerate(_headers(f))
        for kind, words in _CONTACTS.items()
        if i not in used and re.search(words, header.casefold())
    ]


def _headers(f: Staged) -> Sequence[str]:
    return f.format.header or f.raw.header


def _rows(f: Staged) -> str:
    return f"(SELECT *, rowid + 1 AS row, {f.index} AS file FROM {f.name}) POSITIONAL JOIN cells_{f.index}"


def _contacts(con: duckdb.DuckDBPyConnection, f: Staged) -> set[str]:
    """Her telephone numbers and e-mail addresses as they are written in a file."""
    out: set[str] = set()
    columns = [(f"c{f.found[name]}", kind) for name, kind in _hashed_fields(f.format) if name in f.found]
    for column, kind in [*columns, *((f"c{i}", kind) for i, kind in _unmapped_contacts(f))]:
        rows = con.execute(
            f"SELECT DISTINCT trim({column}) FROM cells_{f.index} WHERE {_is(hashed(column, kind), kind)}"
        )
        out |= {value.strip("'\t ") for (value,) in rows.fetchall()}
    return {v for v in out if len(v) >= SHORTEST}


def _in_file(
    con: duckdb.DuckDBPyConnection, path: Path, f: Staged, who: Subject, plain: Sequence[str]
) -> FoundIn | None:
    headers = _headers(f)
    cells = ", ".join(f"c{i}" for i in range(len(headers)))
    hers = " OR ".join(f"({c})" for c in _conditions(f)) or "false"
    said = "concat_ws(chr(31), " + cells + ")"
    named = f"EXISTS (SELECT 1 FROM who WHERE kind = 'plain' AND contains({said}, value))" if plain else "false"
    rows = con.execute(
        f"SELECT row, {hers} AS hers, {cells} FROM {_rows(f)} WHERE hers OR {named} ORDER BY row"
    ).fetchall()
    personal, needed = _personal(f)
    only = {t.table for t in f.format.targets} == {"customers"}
    hits = []
    for row, mine, *values in rows:
        there = {i: v for i, v in enumerate(values) if v is not None}
        more = {i for i, v in there.items() if any(p in v for p in plain)}
        blank = frozenset(personal | more if mine else more)
        hits.append(Hit(f.raw.line(row - 1), there, blank, frozenset(needed), only and mine))
    broken = _broken(f.raw, who, plain)
    if not hits and not broken:
        return None
    return FoundIn(f.raw.name, path, f.raw, tuple(headers), tuple(hits), broken)


def _personal(f: Staged) -> tuple[set[int], set[int]]:
    """The columns of a file that are a person's, and those of them that ingest cannot do without."""
    fmt = f.format
    names = {g.name for g in fmt.fields if g.personal} | set(_fields(fmt, fmt.row.get("customer", "")))
    for t in fmt.targets:
        for column, sql in t.columns.items():
            if column in ("customer_id", "visitor_id") or column.endswith("_hash"):
                names |= set(_fields(fmt, sql)) - _keys_of(fmt, t)
    needed = {g.name for g in fmt.fields if g.needed} | set(fmt.key)
    used = set(f.found.values())
    unmapped = {i for i, h in enumerate(_headers(f)) if i not in used and class_of(h) != "none"}
    mapped = {f.found[n] for n in names if n in f.found}
    return mapped | unmapped, {f.found[n] for n in names & needed if n in f.found}


def _keys_of(fmt: SourceFormat, target: Target) -> set[str]:
    """The fields that say which order it is, which stay: they are the bookkeeper's."""
    return set(_fields(fmt, target.columns.get("order_id", "")))


def _broken(raw: RawFile, who: Subject, plain: Sequence[str]) -> tuple[int, ...]:
    """Lines that are no rows but hold something of hers."""
    if not raw.broken:
        return ()
    from .rewrite import lines_of

    sought = [v for v in (*plain, *who.numbers, *who.order_numbers) if len(v) >= SHORTEST]
    lines = lines_of(raw)
    return tuple(b.line for b in raw.broken if any(v in lines[b.line - 1] for v in sought))
