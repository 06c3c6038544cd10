"""Staging: the rows of one file in the engine, with their types, their class, and what cannot be read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from ...language import _
from ..schema import SQL_TYPES
from ..store import Settings, ShopError
from . import nested, parse
from .fx import NO_RATE, Rates
from .model import Field, SourceFormat
from .read import RawFile
from .repair import repaired

LONGEST_RECORD = 2 << 20  # bytes; what is longer is no row but a quotation mark gone astray

DEFAULT_CURRENCY, DEFAULT_ZONE = "CNY", "Asia/Shanghai"

OUTCOMES = ("accepted", "superseded", "duplicate", "skipped", "quarantined")

UNREADABLE = {
    "id": "damaged number",
    "money": "not an amount",
    "integer": "not a whole number",
    "number": "not a number",
    "share": "not a number",
    "flag": "neither yes nor no",
    "time": "not a time",
    "date": "not a date",
}


@contextlib.contextmanager
def sql_of(fmt: str) -> Iterator[None]:
    """What the engine does not understand here is the format's SQL: say so."""
    try:
        yield
    except (
        duckdb.ParserException,
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.ConversionException,
    ) as error:
        raise ShopError(
            _("the format {format} has SQL that does not work: {error}").format(
                format=fmt, error=str(error).split("\n\n")[0]
            )
        ) from None


class Staged:
    """One raw file in the engine: a table of typed fields, `class`, `_skip` and `_bad` (field and reason, or NULL)."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        index: int,
        raw: RawFile,
        fmt: SourceFormat,
        settings: Settings,
        folder: Path,
    ):
        self.con, self.index, self.format = con, index, fmt
        self.name = f"rows_{index}"
        self.zone = fmt.zone or settings.zone or DEFAULT_ZONE
        self.rated = False
        # in a file of one column, the engine takes a blank line for a row
        sound = raw.tidy and not raw.damaged and not (raw.blank and len(raw.header) == 1)
        self.raw = raw if sound or raw.encoding == "parquet" else repaired(raw)
        self.found = fmt.columns_of(list(fmt.header) or raw.header) or {}
        self.given = _given(fmt, raw, self.found)
        self.found |= dict.fromkeys((name for name, text in self.given.items() if text), -1)
        if not self._load(folder):
            # some record is no row of the file's shape: only a careful reading tells which, and keeps the others
            self.raw = repaired(self.raw)
            self._load(folder)
        (rows,) = con.execute(f"SELECT count(*) FROM {self.name}").fetchone() or (0,)
        if rows != self.raw.records:
            raise ShopError(
                _(
                    "{file}: {counted} rows were counted but {rows} were read; save the file again and put it back"
                ).format(file=raw.name, counted=self.raw.records, rows=rows)
            )
        self.currencies = self._currencies(fmt.currency or settings.currency or DEFAULT_CURRENCY)

    def _currencies(self, default: str) -> set[str]:
        """The currencies of its money: what its rows say, else what its format says, else the shop's."""
        if not (said := self.format.row.get("currency")):
            return {default}
        with sql_of(self.format.name):
            rows = self.con.execute(
                f"SELECT DISTINCT upper({said}) FROM {self.name} WHERE _bad IS NULL AND _skip IS NULL AND {said} <> ''"
            ).fetchall()
        return {currency for (currency,) in rows} or {default}

    def _load(self, folder: Path) -> bool:
        """Read the records into the engine; whether all of them were rows."""
        source, written = self._source(folder)
        try:
            with sql_of(self.format.name):
                self.con.execute(f"CREATE OR REPLACE TABLE {self.name} AS {self._select(source)}")
        except duckdb.InvalidInputException:
            return False
        finally:
            if written:
                written.unlink()
        return True

    def keep_cells(self, folder: Path) -> None:
        """Keep the cells as they were read, as the table ``cells_<index>`` (c0, c1 …), row by row beside the fields."""
        source, written = self._source(folder)
        self.con.execute(f"CREATE OR REPLACE TABLE cells_{self.index} AS SELECT * FROM {source}")
        if written:
            written.unlink()

    def _source(self, folder: Path) -> tuple[str, Path | None]:
        """The SQL that reads the file's records as text columns c0, c1 …, and the file that was written for it."""
        if self.raw.encoding == "parquet":
            cells = [f'"{_quoted(h)}"' for h in self.raw.header]
            if self.format.nested or self.format.pairs:
                names = ", ".join(nested.columns(self.raw, self.format, cells))
            else:
                names = ", ".join(f"{cell}::VARCHAR AS c{i}" for i, cell in enumerate(cells))
            return f"(SELECT {names} FROM read_parquet('{literal(str(self.raw.path))}'))", None
        path = folder / f"{self.name}.csv"
        # the engine takes the end of a file of one column for another row
        path.write_bytes(self.raw.body if len(self.raw.header) > 1 else bytes(self.raw.body).rstrip(b"\r\n"))
        kinds = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.raw.header)))
        text = (
            f"read_csv('{literal(str(path))}', header = false, auto_detect = false, columns = {{{kinds}}}, "
            f"delim = '{self.raw.delimiter}', quote = '\"', escape = '\"', nullstr = '', "
            f"max_line_size = {LONGEST_RECORD}, buffer_size = {4 * LONGEST_RECORD})"
        )
        if self.format.nested or self.format.pairs:
            names = ", ".join(nested.columns(self.raw, self.format, [f"c{i}" for i in range(len(self.raw.header))]))
            text = f"(SELECT {names} FROM {text})"
        return text, path

    def _select(self, source: str) -> str:
        """The SQL from text cells to typed fields, class, what is to be skipped and what cannot be read."""
        fmt = self.format
        cells, typed, bad = [], [], []
        for f in fmt.fields:
            if f.name not in self.found:
                cells.append(f"NULL::VARCHAR AS {f.name}_raw")
                typed.append(f"NULL::{SQL_TYPES[f.type]} AS {f.name}")
                bad += [f"WHEN true THEN '{f.name}|empty'"] if f.needed and f.about else []
                continue
            raw, cell = f"{f.name}_raw", self._cell(f)
            cells.append(f"{parse.trimmed(cell) if f.type in parse.WORDS else cell} AS {raw}")
            read_as = parse.typed(raw, f.type, zone=self.zone, decimal=self._decimal, formats=f.formats)
            typed.append(f"{read_as} AS {f.name}")
            bad += _complaints(f)
        bad += [f"WHEN {sql} THEN '|{literal(reason)}'" for reason, sql in fmt.reject.items()]
        plain = [f"c{i}" for i, h in enumerate(self.raw.header) if h not in (*fmt.nested, *fmt.pairs)]
        blank = f"coalesce({', '.join(plain)}) IS NULL"
        filled = any(f.within for f in fmt.fields)
        if filled:  # the rows are numbered, and come back in that order
            source = f"(SELECT *, row_number() OVER () AS _n FROM {source})"
            cells.append("_n")
        classes = " ".join(f"WHEN {sql} THEN '{name}'" for name, sql in fmt.classes.items())
        return (
            f"SELECT {', '.join(f.name for f in fmt.fields)}, "
            f"CASE {' '.join(bad) or 'WHEN false THEN NULL'} END AS _bad, "
            f"{f'CASE {classes} END' if classes else 'NULL::VARCHAR'} AS class, "
            f"CASE WHEN _blank THEN 'blank' WHEN {fmt.totals or 'false'} THEN 'totals' END AS _skip "
            f"FROM (SELECT *, {', '.join(typed)} FROM (SELECT {', '.join(cells)}, {blank} AS _blank FROM {source}))"
            f"{' ORDER BY _n' if filled else ''}"
        )

    @property
    def _decimal(self) -> str:
        if self.format.decimal != "auto":
            return self.format.decimal
        return "," if self.raw.encoding not in ("workbook", "parquet") and self.raw.delimiter == ";" else "."

    def _cell(self, f: Field) -> str:
        """The SQL of the text that a field is read from."""
        if f.name in self.given:
            return f"'{literal(self.given[f.name])}'"
        if (self.format.nested or self.format.pairs) and (sql := nested.member(self.raw, self.format, f)):
            return sql
        cell = f"c{self.found[f.name]}"
        if f.within and f.within in self.found:
            said = f"CASE WHEN {parse.says_something(cell)} THEN {cell} END"
            return f"last_value({said} IGNORE NULLS) OVER (PARTITION BY c{self.found[f.within]} ORDER BY _n)"
        return cell


def _given(fmt: SourceFormat, raw: RawFile, found: dict[str, int]) -> dict[str, str]:
    """What the file's name, the lines above its header or its headers say of fields that no column has."""
    out = {}
    for f in fmt.fields:
        if f.name in found or not f.about:
            continue
        places = {"in_name": [raw.name], "in_preamble": [raw.top], "in_header": raw.header}
        matches = (re.search(p, text, re.M) for where, p in f.about.items() for text in places[where])
        out[f.name] = next((m.group(1) for m in matches if m and m.group(1)), "")
    return {name: text for name, text in out.items() if text}


def convert(files: list[Staged], currency: str, rates: Rates) -> None:
    """Give the rows of files, all of one format, the rate that makes their money the shop's; `_rate`, if any needs it.

    A row for whose day there is no rate cannot be read.
    """
    if all(f.currencies <= {currency} for f in files):
        return
    for f in files:
        said, at = f.format.row.get("currency"), f.format.row.get("at", "NULL::TIMESTAMP")
        # a time is UTC here, and a day that of its own clock
        local = f"timezone('{f.zone}', timezone('UTC', ({at})::TIMESTAMP))"
        day = f"CASE WHEN typeof({at}) = 'DATE' THEN ({at})::DATE ELSE ({local})::DATE END"
        (other,) = f.currencies if len(f.currencies) == 1 else (currency,)
        money = f"upper(coalesce(nullif({said}, ''), '{other}'))" if said else f"'{other}'"
        with sql_of(f.format.name):
            f.con.execute(f"ALTER TABLE {f.name} ADD COLUMN _rate DECIMAL(18, 8)")
            pairs = f.con.execute(f"SELECT DISTINCT {money}, {day} FROM {f.name} WHERE _skip IS NULL").fetchall()
            known = [(c, d, 1 if c == currency else rates.on(c, d) if d else None) for c, d in pairs]
            f.con.execute("CREATE OR REPLACE TEMP TABLE fx (_code VARCHAR, _on DATE, _value DECIMAL(18, 8))")
            f.con.executemany("INSERT INTO fx VALUES (?, ?, ?)", known) if known else None
            f.con.execute(
                f"UPDATE {f.name} SET _rate = _value FROM fx WHERE _code = {money} AND _on IS NOT DISTINCT FROM {day}"
            )
            f.con.execute(
                f"UPDATE {f.name} SET _bad = '|{NO_RATE}' WHERE _rate IS NULL AND _bad IS NULL AND _skip IS NULL"
            )
        f.rated = True


def _complaints(f: Field) -> list[str]:
    """The SQL conditions under which a field makes its row unreadable."""
    says = parse.says_something(f"{f.name}_raw")
    out = []
    if f.type not in ("text", "hash"):
        out.append(f"WHEN {f.name} IS NULL AND {says} THEN '{f.name}|{UNREADABLE[f.type]}'")
    if f.needed:
        out.append(f"WHEN {f.name} IS NULL THEN '{f.name}|empty'")
    if f.type in ("time", "date"):
        # a founding day may lie far back, and “for ever” is written as the end of the year 9999
        first = "1990-01-01" if f.type == "time" else "1900-01-01"
        out.append(
            f"WHEN {f.name} < '{first}' OR ({f.name} >= '2100-01-01' AND {f.name} < '9999-12-01') "
            f"THEN '{f.name}|not a time of our age'"
        )
    if f.type in ("number", "share"):
        out.append(f"WHEN isinf({f.name}) OR isnan({f.name}) THEN '{f.name}|{UNREADABLE[f.type]}'")
    return out


def literal(text: str) -> str:
    """A text inside the quotation marks of SQL."""
    return text.replace("'", "''")


def _quoted(name: str) -> str:
    return name.replace('"', '""')
