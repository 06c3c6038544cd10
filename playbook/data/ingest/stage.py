"""Staging: the rows of one file in the engine, with their types, their class, and what cannot be read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from ...language import _
from ..schema import SQL_TYPES
from ..store import Settings, ShopError
from . import parse
from .formats import Field, SourceFormat
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
        self.currency = fmt.currency or settings.currency or DEFAULT_CURRENCY
        # in a file of one column, the engine takes a blank line for a row
        sound = raw.tidy and not raw.damaged and not (raw.blank and len(raw.header) == 1)
        self.raw = raw if sound or raw.encoding == "parquet" else repaired(raw)
        self.found = fmt.columns_of(list(fmt.header) or raw.header) or {}
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
            names = ", ".join(f'"{_quoted(h)}"::VARCHAR AS c{i}' for i, h in enumerate(self.raw.header))
            return f"(SELECT {names} FROM read_parquet('{literal(str(self.raw.path))}'))", None
        path = folder / f"{self.name}.csv"
        # the engine takes the end of a file of one column for another row
        path.write_bytes(self.raw.body if len(self.raw.header) > 1 else bytes(self.raw.body).rstrip(b"\r\n"))
        kinds = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.raw.header)))
        return (
            f"read_csv('{literal(str(path))}', header = false, auto_detect = false, columns = {{{kinds}}}, "
            f"delim = '{self.raw.delimiter}', quote = '\"', escape = '\"', nullstr = '', "
            f"max_line_size = {LONGEST_RECORD}, buffer_size = {4 * LONGEST_RECORD})",
            path,
        )

    def _select(self, source: str) -> str:
        """The SQL from text cells to typed fields, class, what is to be skipped and what cannot be read."""
        fmt = self.format
        cells, typed, bad = [], [], []
        for f in fmt.fields:
            if f.name not in self.found:
                cells.append(f"NULL::VARCHAR AS {f.name}_raw")
                typed.append(f"NULL::{SQL_TYPES[f.type]} AS {f.name}")
                continue
            raw, cell = f"{f.name}_raw", f"c{self.found[f.name]}"
            cells.append(f"{parse.trimmed(cell) if f.type in parse.WORDS else cell} AS {raw}")
            read_as = parse.typed(raw, f.type, zone=self.zone, decimal=fmt.decimal, formats=f.formats)
            typed.append(f"{read_as} AS {f.name}")
            bad += _complaints(f)
        blank = f"coalesce({', '.join(f'c{i}' for i in range(len(self.raw.header)))}) IS NULL"
        classes = " ".join(f"WHEN {sql} THEN '{name}'" for name, sql in fmt.classes.items())
        return (
            f"SELECT {', '.join(f.name for f in fmt.fields)}, "
            f"CASE {' '.join(bad) or 'WHEN false THEN NULL'} END AS _bad, "
            f"{f'CASE {classes} END' if classes else 'NULL::VARCHAR'} AS class, "
            f"CASE WHEN _blank THEN 'blank' WHEN {fmt.totals or 'false'} THEN 'totals' END AS _skip "
            f"FROM (SELECT *, {', '.join(typed)} FROM (SELECT {', '.join(cells)}, {blank} AS _blank FROM {source}))"
        )


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
