"""Source formats: what an export looks like and how it becomes canonical tables, as data.

A source format is a TOML file. The ones that come with the book lie in ``playbook/data/formats/``; a shop adds its own
in ``data/<shop>/formats/`` (one of the same name replaces the book's). Two ways to write one:

``[map.TABLE]``
    canonical column = header in the file (or a list of headers it may bear). Enough for most files.
``[fields]`` + ``[table.TABLE]``
    fields with a type each, then the canonical columns as DuckDB SQL over those fields, with ``where`` (which rows) and
    ``each`` (one row per …). For exports that need thought.

``docs`` of every key: see `KEYS`.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...language import _
from ..schema import SQL_TYPES, TABLES, Table
from ..store import ShopError

BUILT_IN = Path(__file__).parents[1] / "formats"

KEYS = {
    "title": "what a person calls the export",
    "files": "patterns of file names; any file whose header fits when absent",
    "generic": "true: only taken when no other format fits",
    "header": "list of column names, for files without a header line",
    "zone": "time zone of its times; the shop's when absent",
    "currency": "currency of its money; the shop's when absent",
    "decimal": "decimal mark, '.' when absent",
    "key": "fields that tell one row from another; absent: identical rows are kept, each an occurrence of its own",
    "duplicates": "a sentence that says why identical rows are kept, for formats without a key",
    "fields": "field = {header = [...], type = ..., optional = true, needed = true, formats = [...]}",
    "classes": "class = SQL condition; a row is of the first class whose condition holds",
    "row": "SQL over fields: at (when), money (what the row is worth), order and customer (numbers)",
    "check": "list of {text, sql}: what must hold of every row; rows that fail are counted",
    "assume": "sentences that say what was assumed",
    "map": "see above",
    "table": "see above",
}


@dataclass(frozen=True)
class Field:
    """One thing that a row of the file says."""

    name: str
    headers: tuple[str, ...]
    type: str
    optional: bool = False
    needed: bool = False
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """How rows become rows of one canonical table."""

    table: str
    columns: Mapping[str, str]
    where: str = "true"
    each: tuple[str, ...] = ()
    having: str = ""


@dataclass(frozen=True)
class SourceFormat:
    """One kind of export."""

    name: str
    title: str
    fields: tuple[Field, ...]
    targets: tuple[Target, ...]
    files: tuple[str, ...] = ("*",)
    generic: bool = False
    header: tuple[str, ...] = ()
    zone: str | None = None
    currency: str | None = None
    decimal: str = "."
    key: tuple[str, ...] = ()
    duplicates: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, str] = field(default_factory=dict)
    check: tuple[Mapping[str, str], ...] = ()
    assume: tuple[str, ...] = ()
    own: bool = False

    def columns_of(self, header: Sequence[str]) -> dict[str, int] | None:
        """Where each field stands in a header, or None where the header is not this format's."""
        where = {normal(h): i for i, h in reversed(list(enumerate(header)))}
        found: dict[str, int] = {}
        for f in self.fields:
            position = next((where[normal(h)] for h in f.headers if normal(h) in where), None)
            if position is not None:
                found[f.name] = position
            elif not f.optional:
                return None
        return found

    def lacks(self, header: Sequence[str]) -> list[str]:
        """The headers that a file of this format should have and this one does not."""
        there = {normal(h) for h in header}
        return [f.headers[0] for f in self.fields if not f.optional and not there & {normal(h) for h in f.headers}]

    def takes_name(self, file_name: str) -> bool:
        return any(fnmatch.fnmatchcase(file_name.casefold(), p.casefold()) for p in self.files)


def normal(header: str) -> str:
    """A header without what differs from one export to the next: width, case, blanks, byte-order mark."""
    text = unicodedata.normalize("NFKC", header).replace("\ufeff", "")
    return re.sub(r"[\s_]+", " ", text).strip().casefold()


def load_formats(own: Path | None = None) -> list[SourceFormat]:
    """Every source format: the shop's own, the book's, and one for each canonical table under its own column names.

    Raises
    ------
    ShopError
        A format file has a key, type, table or column that does not exist; the message names it.
    """
    found = {f.name: f for f in map(_canonical, TABLES.values())}
    for folder, is_own in ((BUILT_IN, False), (own, True)):
        for path in sorted(folder.glob("*.toml")) if folder else ():
            found[path.stem] = read_format(path, own=is_own)
    return list(found.values())


def read_format(path: Path, *, own: bool = False) -> SourceFormat:
    """The source format in one TOML file."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ShopError(_("{path} is not valid TOML: {error}").format(path=path, error=error)) from None
    _only(path, said, KEYS)
    fields = [_field(path, name, spec) for name, spec in said.get("fields", {}).items()]
    targets = [_target(path, name, spec) for name, spec in said.get("table", {}).items()]
    for name, columns in said.get("map", {}).items():
        more, target = _mapped(path, name, columns)
        fields += more
        targets.append(target)
    if not fields or not targets:
        raise ShopError(_("{path} needs [map.TABLE], or [fields] and [table.TABLE]").format(path=path))
    names = {f.name for f in fields}
    for name in said.get("key", ()):
        if name not in names:
            raise ShopError(_("{path}: the key names {name!r}, which is no field").format(path=path, name=name))
    row = said.get("row", {})
    told: dict[str, Any] = {k: _frozen(said[k]) for k in ("files", "header", "key", "check", "assume") if k in said}
    told |= {k: said[k] for k in ("generic", "zone", "currency", "decimal", "duplicates", "classes") if k in said}
    _only(path, row, ("at", "money", "order", "customer"))
    return SourceFormat(
        name=path.stem,
        title=said.get("title", path.stem),
        fields=tuple(fields),
        targets=tuple(targets),
        row=row or _row_of(targets),
        own=own,
        **told,
    )


def choose(formats: Iterable[SourceFormat], file_name: str, header: Sequence[str], shop: str) -> SourceFormat:
    """The one format that a file has.

    Raises
    ------
    ShopError
        None fits (the message says which comes nearest and what it lacks), or more than one does.
    """
    named = [f for f in formats if f.takes_name(file_name)]
    fits = [f for f in named if (f.header and len(f.header) == len(header)) or f.columns_of(header) is not None]
    for group in (
        [f for f in fits if f.own and not f.generic],
        [f for f in fits if not f.own and not f.generic and not f.header],
        [f for f in fits if f.generic],
    ):
        if len(group) == 1:
            return group[0]
        if group:
            raise ShopError(
                _(
                    "{file}: {formats} all fit; write a format of your own in data/{shop}/formats/ "
                    "whose `files` names this file"
                ).format(file=file_name, formats=", ".join(f.name for f in group), shop=shop)
            )
    nearest = min(
        (f for f in named if not f.header), key=lambda f: (len(f.lacks(header)) / len(f.fields), f.name), default=None
    )
    hint = (
        _("the nearest is {format}, which also needs: {columns}").format(
            format=nearest.name, columns=", ".join(nearest.lacks(header))
        )
        if nearest
        else _("no format takes a file of that name")
    )
    raise ShopError(
        _("{file}: no source format has these columns ({header}); {hint}; map them in data/{shop}/formats/").format(
            file=file_name, header=", ".join(header[:12]), hint=hint, shop=shop
        )
    )


def _canonical(table: Table) -> SourceFormat:
    """The format of a file that bears a canonical table's name and column names."""
    fields = tuple(Field(c.name, (c.name,), c.type, optional=not c.required, needed=c.required) for c in table.columns)
    target = Target(table.name, {c.name: c.name for c in table.columns})
    return SourceFormat(
        name=f"canonical_{table.name}",
        title=_("the book's own table {table}").format(table=table.name),
        fields=fields,
        targets=(target,),
        files=tuple(f"{table.name}{rest}" for rest in (".*", "_*", "-*", " *")),
        key=tuple(table.key) if table.name != "order_items" else (),
        row=_row_of([target]),
    )


def _row_of(targets: Sequence[Target]) -> dict[str, str]:
    """What a row says about time, money, order and customer, taken from its first canonical table."""
    first = targets[0]
    table = TABLES[first.table]
    money = "amount" if "amount" in first.columns else "spend" if "spend" in first.columns else None
    said = {
        "at": first.columns.get(table.happened or table.recorded or ""),
        "money": first.columns.get(money or ""),
        "order": first.columns.get("order_id"),
        "customer": first.columns.get("customer_id"),
    }
    return {k: v for k, v in said.items() if v}


def _mapped(path: Path, table: str, columns: Mapping[str, Any]) -> tuple[list[Field], Target]:
    known = _known_table(path, table)
    fields, exprs = [], {}
    for name, header in columns.items():
        column = known.by_name.get(name)
        if column is None:
            raise ShopError(
                _("{path}: the table {table} has no column {name!r}; it has: {columns}").format(
                    path=path, table=table, name=name, columns=", ".join(known.by_name)
                )
            )
        headers = (header,) if isinstance(header, str) else tuple(header)
        fields.append(Field(f"{table}_{name}", headers, column.type, needed=column.required))
        exprs[name] = f"{table}_{name}"
    return fields, _complete(path, Target(table, exprs))


def _field(path: Path, name: str, spec: Mapping[str, Any]) -> Field:
    _only(path, spec, ("header", "type", "optional", "needed", "formats"))
    if spec.get("type", "text") not in SQL_TYPES:
        raise ShopError(
            _("{path}: the field {name} has the type {type!r}; write one of {types}").format(
                path=path, name=name, type=spec["type"], types=", ".join(SQL_TYPES)
            )
        )
    headers = spec.get("header", name)
    return Field(
        name,
        (headers,) if isinstance(headers, str) else tuple(headers),
        spec.get("type", "text"),
        spec.get("optional", False),
        spec.get("needed", False),
        tuple(spec.get("formats", ())),
    )


def _target(path: Path, table: str, spec: Mapping[str, Any]) -> Target:
    known = _known_table(path, table)
    columns = {k: v for k, v in spec.items() if k not in ("where", "each", "having")}
    _only(path, columns, known.by_name)
    return _complete(
        path,
        Target(table, columns, spec.get("where", "true"), tuple(spec.get("each", ())), spec.get("having", "")),
    )


def _complete(path: Path, target: Target) -> Target:
    for name in TABLES[target.table].required:
        if name not in target.columns:
            raise ShopError(
                _("{path}: the table {table} needs the column {name}").format(path=path, table=target.table, name=name)
            )
    return target


def _known_table(path: Path, table: str) -> Table:
    if table not in TABLES:
        raise ShopError(
            _("{path}: there is no table {table!r}; there is: {tables}").format(
                path=path, table=table, tables=", ".join(TABLES)
            )
        )
    return TABLES[table]


def _only(path: Path, said: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for key in said:
        if key not in known:
            raise ShopError(
                _("{path}: {key!r} is not known here; there is: {known}").format(
                    path=path, key=key, known=", ".join(known)
                )
            )


def _frozen(value: str | list[Any]) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
