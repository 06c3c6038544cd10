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

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...language import N_, _
from ..schema import SQL_TYPES, TABLES, Table
from ..store import ShopError
from ..words import CHINESE, EXAMPLE
from .model import Field, SourceFormat, Target

BUILT_IN = Path(__file__).parents[1] / "formats"

KEYS = {
    "title": "what a person calls the export",
    "files": "patterns of file names; any file whose header fits when absent",
    "generic": "true: only taken when no other format fits",
    "header": "list of column names, for files without a header line",
    "zone": "time zone of its times; the shop's when absent",
    "currency": "currency of its money; the shop's when absent",
    "decimal": "decimal mark, '.' when absent; auto: a comma in files whose cells stand between semicolons",
    "encoding": "encoding of the files; found when absent",
    "totals": "SQL condition on the cells' text (field_raw) that holds for rows of totals, which are skipped",
    "rank": "SQL over fields: of two rows with one key from exports of one time, the one with the larger value stands",
    "lines": "true: rows of one key are the lines of one thing, numbered in each file (`line`); of several files, the "
    "latest that has the thing has all its lines",
    "span": "[first, last], two fields of dates: a row covers these days. Tables take it once for each day, `part` 1 "
    "to `parts`; spread(x, part, parts) is a day's share, to the cent. Rows whose spans overlap are refused",
    "blocks": "mark of comments: a file may hold several blocks, each with a header of its own below its comments; "
    "those whose columns the format does not know are skipped",
    "nested": "columns that hold a structure (nested Parquet, or JSON): a field's header may be column.member; of a "
    "list the first element is taken",
    "pairs": "columns that hold a list of key and value, as GA4's event_params: a field's header may be column.key",
    "reject": "reason = SQL over fields: rows for which it holds go to quarantine",
    "derived": "name = SQL over fields and accepted rows (windows too), which tables may use like a field",
    "key": "fields that tell one row from another; absent: identical rows are kept, each an occurrence of its own",
    "duplicates": "a sentence that says why identical rows are kept, for formats without a key",
    "fields": "field = {header = [...], type = ..., optional = true, needed = true, personal = true, formats = [...]}; "
    "an asterisk in a header stands for anything; within = FIELD: a cell left empty is that of the row above which has "
    "the same FIELD; in_name, in_preamble, in_header = pattern with one group: where no column has it, the field is "
    "what the pattern finds in the file's name, in the lines above its header, or in a column's name",
    "classes": "class = SQL condition; a row is of the first class whose condition holds",
    "row": "SQL over fields: at (when), money (what the row is worth), order, customer (numbers), currency (its code)",
    "check": "list of {text, sql}: what must hold of every row; rows that fail are counted",
    "assume": "sentences that say what was assumed",
    "map": "see above",
    "table": "see above",
}


_RESERVED = ("class", "file", "row", "outcome", "part", "parts")
"""Names that ingest gives to columns of its own."""

_PLAIN = (
    *("generic", "zone", "currency", "decimal", "duplicates", "classes", "encoding", "totals", "rank"),
    *("lines", "blocks", "reject", "derived"),
)
_LISTS = ("files", "header", "key", "check", "assume", "span", "nested", "pairs")
_ABOUT = ("in_name", "in_preamble", "in_header")


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
    _well_formed(path, said)
    fields = [_field(path, name, spec) for name, spec in said.get("fields", {}).items()]
    targets = [_target(path, name, spec) for name, spec in said.get("table", {}).items()]
    for name, columns in said.get("map", {}).items():
        more, target = _mapped(path, name, columns)
        fields += more
        targets.append(target)
    if not fields or not targets:
        raise ShopError(_("{path} needs [map.TABLE], or [fields] and [table.TABLE]").format(path=path))
    names = {f.name for f in fields}
    for name in (*_frozen(said.get("key", ())), *said.get("span", ())):
        if name not in names:
            raise ShopError(_("{path}: the key names {name!r}, which is no field").format(path=path, name=name))
    row = said.get("row", {})
    if "key" not in said and "map" in said:
        said["key"] = _mapped_key(said["map"])
    told: dict[str, Any] = {k: _frozen(said[k]) for k in _LISTS if k in said}
    told |= {k: said[k] for k in _PLAIN if k in said}
    _only(path, row, ("at", "money", "order", "customer", "currency"))
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
    for group in _fitting(named, header):
        if len(group) == 1:
            return group[0]
        raise ShopError(
            _(
                "{file}: {formats} all fit; write a format of your own in data/{shop}/formats/ "
                "whose `files` names this file"
            ).format(file=file_name, formats=", ".join(f.name for f in group), shop=shop)
        )
    nearest = min(
        (f for f in named if not f.header), key=lambda f: (_distance(f, header), not f.generic, f.name), default=None
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
            file=file_name, header=", ".join(_short(h) for h in header[:12]), hint=hint, shop=shop
        )
    )


def fits(formats: Iterable[SourceFormat], header: Sequence[str]) -> bool:
    """Whether any of some formats takes a header."""
    return any(_fitting(formats, header))


def _fitting(formats: Iterable[SourceFormat], header: Sequence[str]) -> list[list[SourceFormat]]:
    """The formats that take a header, those that go before others first; empty groups are left out."""
    found = [f for f in formats if (f.header and len(f.header) == len(header)) or f.columns_of(header) is not None]
    groups = (
        [f for f in found if f.own and not f.generic],
        [f for f in found if not f.own and not f.generic and not f.header and not f.canonical],
        [f for f in found if f.canonical],
        [f for f in found if f.generic],
    )
    return [group for group in groups if group]


def _short(header: str) -> str:
    """A header in one line of a message, however long it is."""
    text = re.sub(r"[\r\n\t]+", " ", header)
    return text if len(text) <= 30 else f"{text[:29]}…"


def _distance(fmt: SourceFormat, header: Sequence[str]) -> float:
    """The share of the columns that a format cannot do without which a header lacks."""
    return len(fmt.lacks(header)) / max(1, sum(not f.optional for f in fmt.fields))


def _canonical(table: Table) -> SourceFormat:
    """The format of a file that bears a canonical table's name and column names."""
    fields = tuple(
        Field(
            c.name,
            (c.name, *CHINESE.get(c.name, ())),
            c.type,
            optional=not c.required,
            needed=c.required,
            personal=c.type == "hash",
        )
        for c in table.columns
    )
    target = Target(table.name, {c.name: c.name for c in table.columns})
    return SourceFormat(
        name=f"canonical_{table.name}",
        title=N_("the book's own table {table}", "export").format(table=table.name),
        fields=fields,
        targets=(target,),
        files=tuple(f"{table.name}{rest}" for rest in (".*", "_*", "-*", " *")),
        key=tuple(table.key),
        row=_row_of([target]),
        totals=f"prefix({table.columns[0].name}_raw, '{EXAMPLE}')",
        canonical=True,
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
        fields.append(
            Field(f"{table}_{name}", headers, column.type, needed=column.required, personal=column.type == "hash")
        )
        exprs[name] = f"{table}_{name}"
    return fields, _complete(path, Target(table, exprs))


def _well_formed(path: Path, said: Mapping[str, Any]) -> None:
    """Refuse values of the wrong kind, before they are taken for something else."""
    for key in ("fields", "classes", "row", "map", "table", "reject", "derived"):
        of = said.get(key, {})
        wrong = key if not isinstance(of, dict) else None
        if key in ("fields", "map", "table") and wrong is None:
            wrong = next((f"{key}.{name}" for name, value in of.items() if not isinstance(value, dict)), None)
        if wrong:
            raise ShopError(_("{path}: {key} must be a table, like [{key}]").format(path=path, key=wrong))
    for check in said.get("check", ()):
        if not isinstance(check, dict) or set(check) != {"text", "sql"}:
            raise ShopError(_("{path}: every [[check]] needs text and sql, and nothing else").format(path=path))
    if "zone" in said:
        try:
            ZoneInfo(str(said["zone"]))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ShopError(
                _("{path}: {zone!r} is no time zone; write one like Asia/Shanghai").format(path=path, zone=said["zone"])
            ) from None
    if said.get("decimal", ".") not in (".", ",", "auto"):
        raise ShopError(_("{path}: decimal must be '.', ',' or 'auto'").format(path=path))


def _mapped_key(said: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The key of rows that are mapped to one table: the table's own, as far as it is mapped."""
    if len(said) != 1:
        return []
    ((table, columns),) = said.items()
    return [f"{table}_{k}" for k in TABLES[table].key if k in columns]


def _field(path: Path, name: str, spec: Mapping[str, Any]) -> Field:
    _only(path, spec, ("header", "type", "optional", "needed", "formats", "personal", "within", *_ABOUT))
    if spec.get("type", "text") not in SQL_TYPES:
        raise ShopError(
            _("{path}: the field {name} has the type {type!r}; write one of {types}").format(
                path=path, name=name, type=spec["type"], types=", ".join(SQL_TYPES)
            )
        )
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or name in _RESERVED or name in _keywords():
        raise ShopError(
            _("{path}: {name!r} is no name for a field: use small letters, digits and _, and no word of SQL").format(
                path=path, name=name
            )
        )
    about = {key: str(spec[key]) for key in _ABOUT if key in spec}
    headers = spec.get("header", () if about else name)
    return Field(
        name,
        (headers,) if isinstance(headers, str) else tuple(headers),
        spec.get("type", "text"),
        spec.get("optional", bool(about)),
        spec.get("needed", False),
        tuple(spec.get("formats", ())),
        spec.get("personal", spec.get("type") == "hash"),
        spec.get("within", ""),
        about,
    )


@functools.cache
def _keywords() -> frozenset[str]:
    """The words that the engine takes for something else than a column."""
    import duckdb

    found = duckdb.execute("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'")
    return frozenset(word for (word,) in found.fetchall())


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


def _frozen(value: str | Sequence[Any]) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
