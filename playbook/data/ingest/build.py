"""From raw files to tables: every row staged with its type and class, given an outcome, and turned into canonical rows.

The tables are built beside the ones in use and published whole. Their folder is named after everything that they depend
on (raw files, formats, settings, this package), so ingesting again does nothing, and a change of any of it rebuilds.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from ...language import _
from ..schema import SQL_TYPES, TABLES
from ..store import ShopError, Store
from . import parse
from .formats import SourceFormat, Target, choose, load_formats
from .read import RawFile, other_files, raw_files, read

LONGEST_RECORD = 2 << 20  # bytes; a record that is longer is no row but a quotation mark gone astray

DEFAULT_CURRENCY, DEFAULT_ZONE = "CNY", "Asia/Shanghai"

OUTCOMES = ("accepted", "superseded", "duplicate", "quarantined")


def ingest(store: Store) -> dict[str, Any]:
    """Build a shop's tables from its raw files.

    Returns
    -------
    dict
        The accounting, as it also lies beside the tables in ``ingest.json``: `files` (one entry a file: rows read,
        blank, and by outcome; money likewise; classes), `tables` (rows of each), `assumptions`, `checks`.

    Raises
    ------
    ShopError
        There are no files, or some cannot be used; the message has one line for each.
    """
    paths = raw_files(store.raw)
    if not paths:
        raise ShopError(
            _("{folder} holds no exports: copy your platform's files there (CSV, XLSX, Parquet)").format(
                folder=_below_home(store.raw)
            )
        )
    own = store.folder / "formats"
    formats = load_formats(own if own.is_dir() else None)
    key = _key(store, paths, own)
    if store.tables is not None and store.tables.name == key:
        return store.accounting()
    building = store.folder / "tables" / f"{key}.building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        accounting = _build(store, paths, formats, building)
        accounting["key"] = key
        (building / "ingest.json").write_text(json.dumps(accounting, ensure_ascii=False, indent=1) + "\n")
        final = building.with_name(key)
        shutil.rmtree(final, ignore_errors=True)
        building.rename(final)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    store.publish(final)
    return accounting


def _build(store: Store, paths: list[Path], formats: list[SourceFormat], folder: Path) -> dict[str, Any]:
    con = duckdb.connect(config={"temp_directory": str(folder / "spill")})
    staged: list[Staged] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    copies: list[dict[str, Any]] = []
    for path in paths:
        name = path.relative_to(store.raw).as_posix()
        try:
            raw, fmt = _recognise(path, name, formats, store.name)
            if raw.sha256 in seen:
                copies.append({"file": name, "copy_of": seen[raw.sha256], "sha256": raw.sha256, "read": raw.records})
                continue
            seen[raw.sha256] = name
            staged.append(Staged(con, len(staged), raw, fmt, store, folder))
        except ShopError as error:
            problems.append(str(error))
    if problems:
        raise ShopError("\n".join(problems))
    currency = _one(store.settings.currency, {s.currency for s in staged}, "currency", store)
    zone = _one(store.settings.zone, {s.zone for s in staged}, "zone", store)

    used: dict[str, list[Staged]] = {}
    for s in staged:
        used.setdefault(s.format.name, []).append(s)
    views = [Source(con, files) for files in used.values()]
    for view in views:
        view.settle()
    tables = _write_tables(con, views, folder)
    _write_rows(con, views, folder)
    _write_quarantine(con, staged, folder)
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return {
        "currency": currency,
        "zone": zone,
        "files": sorted([*(f for v in views for f in v.account()), *copies], key=lambda f: f["file"]),
        "passed_over": [p.relative_to(store.raw).as_posix() for p in other_files(store.raw)],
        "tables": tables,
        "assumptions": sorted({a for v in views for a in v.assumptions} | _unstated(store, staged)),
        "checks": [c for v in views for c in v.checks()],
    }


def _one(said: str, found: set[str], setting: str, store: Store) -> str:
    """The shop's currency or zone: what its settings say, else what all its exports say."""
    if said or len(found) == 1:
        return said or found.pop()
    raise ShopError(
        _("the exports of {shop} differ in {setting} ({found}): set {setting} in {settings}").format(
            shop=store.name,
            setting=setting,
            found=", ".join(sorted(found)),
            settings=_below_home(store.folder / "shop.toml"),
        )
    )


def _unstated(store: Store, staged: list[Staged]) -> set[str]:
    """What had to be assumed about money and time, because neither the exports nor the settings say it."""
    out = set()
    for setting, default in (("currency", DEFAULT_CURRENCY), ("zone", DEFAULT_ZONE)):
        if not getattr(store.settings, setting) and any(getattr(s.format, setting) is None for s in staged):
            sentence = _("The exports do not state their {setting}: {default} was taken; shop.toml can say otherwise.")
            out.add(sentence.format(setting=setting, default=default))
    return out


def _recognise(path: Path, name: str, formats: list[SourceFormat], shop: str) -> tuple[RawFile, SourceFormat]:
    """The file, read, and its format; a file without a header line is read as what its format says."""
    raw = read(path, name)
    fmt = choose(formats, path.name, raw.header, shop)
    if fmt.header:
        raw = read(path, name, headerless=True)
    return raw, fmt


class Staged:
    """One raw file in the engine: a table ``rows_<i>`` with typed fields and, where a cell cannot be read, `_bad`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        index: int,
        raw: RawFile,
        fmt: SourceFormat,
        store: Store,
        folder: Path,
    ):
        self.con, self.index, self.raw, self.format = con, index, raw, fmt
        self.name = f"rows_{index}"
        self.zone = fmt.zone or store.settings.zone or DEFAULT_ZONE
        self.currency = fmt.currency or store.settings.currency or DEFAULT_CURRENCY
        self._check_currency(store)
        where = fmt.columns_of(list(fmt.header) or raw.header) or {}
        self.found = set(where)
        source, written = self._source(len(raw.header), folder)
        try:
            con.execute(f"CREATE TABLE {self.name} AS {self._rows(source, where)}")
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
            raise ShopError(
                _("the format {format} has SQL that does not work: {error}").format(format=fmt.name, error=error)
            ) from None
        self.rejects = self._rejects() if written else []
        if written:
            written.unlink()
        self._tie()

    def _rows(self, source: str, where: dict[str, int]) -> str:
        """The SQL from text cells to typed fields; `_bad` names the first field that cannot be read."""
        fmt = self.format
        cells, typed, bad = [], [], []
        for f in fmt.fields:
            if f.name not in where:
                typed.append(f"NULL::{SQL_TYPES[f.type]} AS {f.name}")
                continue
            raw, cell = f"{f.name}_raw", f"c{where[f.name]}"
            cells.append(f"{parse.trimmed(cell) if f.type in parse.WORDS else cell} AS {raw}")
            typed.append(
                f"{parse.typed(raw, f.type, zone=self.zone, decimal=fmt.decimal, formats=f.formats)} AS {f.name}"
            )
            if f.needed:
                bad.append(f"WHEN {f.name} IS NULL THEN '{f.name}'")
            elif f.type != "text":
                bad.append(f"WHEN {f.name} IS NULL AND {parse.says_something(raw)} THEN '{f.name}'")
        classes = " ".join(f"WHEN {sql} THEN '{name}'" for name, sql in fmt.classes.items())
        names = ", ".join(f.name for f in fmt.fields)
        return (
            f"SELECT {names}, CASE {' '.join(bad) or 'WHEN false THEN NULL'} END AS _bad, "
            f"{f'CASE {classes} END' if classes else 'NULL::VARCHAR'} AS class "
            f"FROM (SELECT *, {', '.join(typed)} FROM (SELECT {', '.join(cells)} FROM {source}))"
        )

    def _check_currency(self, store: Store) -> None:
        ours = store.settings.currency
        if ours and ours != self.currency:
            raise ShopError(
                _(
                    '{file}: its money is {theirs}, the shop\'s is {ours}; set currency = "{theirs}" in {settings}'
                ).format(
                    file=self.raw.name,
                    theirs=self.currency,
                    ours=ours,
                    settings=_below_home(store.folder / "shop.toml"),
                )
            )

    def _source(self, columns: int, folder: Path) -> tuple[str, Path | None]:
        """The SQL that reads the file's records as text columns c0, c1 …, and the file that was written for it."""
        if self.raw.encoding == "parquet":
            names = ", ".join(f'"{_quoted(h)}"::VARCHAR AS c{i}' for i, h in enumerate(self.raw.header))
            return f"(SELECT {names} FROM read_parquet('{_literal(str(self.raw.path))}'))", None
        path = folder / f"{self.name}.csv"
        path.write_bytes(self.raw.body)
        kinds = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(columns))
        return (
            f"read_csv('{_literal(str(path))}', header = false, auto_detect = false, columns = {{{kinds}}}, "
            f"delim = '{self.raw.delimiter}', quote = '\"', escape = '\"', nullstr = '', store_rejects = true, "
            f"rejects_limit = 0, rejects_table = 'rejects_{self.index}', rejects_scan = 'scans_{self.index}', "
            f"max_line_size = {LONGEST_RECORD}, buffer_size = {4 * LONGEST_RECORD})",
            path,
        )

    def _rejects(self) -> list[tuple[int, str]]:
        """Records that are no row of the file's shape: their place among the records, and why."""
        found = self.con.execute(
            f"SELECT line, min(error_type::VARCHAR) FROM rejects_{self.index} GROUP BY line ORDER BY line"
        ).fetchall()
        return [(line - 1, why) for line, why in found]

    def _tie(self) -> None:
        (rows,) = self.con.execute(f"SELECT count(*) FROM {self.name}").fetchone() or (0,)
        if rows + len(self.rejects) != self.raw.records:
            raise ShopError(
                _(
                    "{file}: {counted} records were counted but {rows} rows and {rejects} broken ones were read; "
                    "the quotation marks in the file do not pair up"
                ).format(file=self.raw.name, counted=self.raw.records, rows=rows, rejects=len(self.rejects))
            )

    def record_of(self, row: int) -> int:
        """The place among the file's records of a row of the staged table."""
        for place, _why in self.rejects:
            row += place <= row
        return row


class Source:
    """All files of one format as one view of rows: ``source_<name>`` with fields, `class`, `file`, `row`, `outcome`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, files: list[Staged]):
        self.con, self.files, self.format = con, files, files[0].format
        self.name = f"source_{re.sub(r'[^0-9a-zA-Z_]', '_', self.format.name)}"
        self.found = set().union(*(f.found for f in files))
        self.targets = [self._supplied(t) for t in self.format.targets]
        self.assumptions = list(self.format.assume)
        for t in list(self.targets):
            if t.table == "orders" and "paid_at" not in t.columns:
                self.targets[self.targets.index(t)] = replace(
                    t, columns={**t.columns, "paid_at": t.columns["ordered_at"]}
                )
                said = _("{format}: an order counts as paid when it was placed; the files have no payment time.")
                self.assumptions.append(said.format(format=self.format.title))

    def _supplied(self, target: Target) -> Target:
        """The target without the columns that would only repeat a field that no file has."""
        lacking = {f.name for f in self.format.fields} - self.found
        return replace(target, columns={c: e for c, e in target.columns.items() if e not in lacking})

    def settle(self) -> None:
        """Give every row its class and its outcome."""
        fmt = self.format
        rows = " UNION ALL ".join(f"SELECT *, {f.index} AS file, rowid + 1 AS row FROM {f.name}" for f in self.files)
        outcome = "CASE WHEN _bad IS NULL THEN 'accepted' ELSE 'quarantined' END"
        if not fmt.key:
            self.con.execute(f"CREATE VIEW {self.name} AS SELECT *, {outcome} AS outcome FROM ({rows})")
            return
        key = ", ".join(k for k in fmt.key if k in self.found)
        values = ", ".join(f.name for f in fmt.fields)
        # the last row of a key stands; one that says the same is a duplicate of it, one that differs is superseded
        self.con.execute(
            f"CREATE TABLE {self.name} AS SELECT * EXCLUDE (_last, _same), "
            "CASE WHEN _bad IS NOT NULL THEN 'quarantined' WHEN _last = 1 THEN 'accepted' "
            "WHEN _same THEN 'duplicate' ELSE 'superseded' END AS outcome FROM ("
            f"SELECT *, row_number() OVER w AS _last, hash({values}) = first_value(hash({values})) OVER w AS _same "
            f"FROM ({rows}) WINDOW w AS (PARTITION BY {key}, _bad IS NULL ORDER BY file DESC, row DESC))"
        )

    def select(self, target: Target) -> str:
        """The SQL of the canonical rows of one table that come from this format."""
        columns = ", ".join(
            f"({sql})::{SQL_TYPES[TABLES[target.table].by_name[name].type]} AS {name}"
            for name, sql in target.columns.items()
        )
        sql = f"SELECT {columns} FROM {self.name} WHERE outcome = 'accepted' AND ({target.where})"
        if target.each:
            sql += f" GROUP BY {', '.join(target.each)}"
        if target.having:
            sql += f" HAVING {target.having}"
        return sql

    def ledger(self) -> str:
        """The SQL of one line for every row read: file, row, class, outcome, and what the row says."""
        said = self.format.row
        casts = {"at": "TIMESTAMP", "money": "DECIMAL(18, 4)", "order": "VARCHAR", "customer": "VARCHAR"}
        what = ", ".join(f'({said.get(n, "NULL")})::{t} AS "{n}"' for n, t in casts.items())
        return f"SELECT file, row, class, outcome, {what} FROM {self.name}"

    def account(self) -> list[dict[str, Any]]:
        """What was done with the rows of each file."""
        money = self.format.row.get("money", "NULL")
        by_class = self.con.execute(
            f"SELECT file, outcome, class, count(*), sum(({money})::DECIMAL(18, 4)) FROM {self.name} "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        out = []
        for f in self.files:
            mine = [(o, c, n, m) for i, o, c, n, m in by_class if i == f.index]
            outcomes = {o: sum(n for o2, _c, n, _m in mine if o2 == o) for o in OUTCOMES}
            outcomes["quarantined"] += len(f.rejects)
            entry: dict[str, Any] = {
                "file": f.raw.name,
                "format": f.format.name,
                "title": f.format.title,
                "sha256": f.raw.sha256,
                "encoding": f.raw.encoding,
                "read": f.raw.records + f.raw.blank,
                "blank": f.raw.blank,
                **outcomes,
                "classes": [{"class": c, "outcome": o, "rows": n, "money": _text(m)} for o, c, n, m in mine],
                "file_total": _text(sum((m for *_rest, m in mine if m is not None), start=0))
                if said_money(f)
                else None,
            }
            entry.update(self._repeats(f) if not self.format.key else {})
            out.append(entry)
        return out

    def _repeats(self, f: Staged) -> dict[str, Any]:
        """Identical rows of a file whose rows have no key: how many there are beyond the first, and their money."""
        values = ", ".join(g.name for g in f.format.fields)
        money = self.format.row.get("money", "NULL")
        rows, total = self.con.execute(
            f"SELECT coalesce(sum(n - 1), 0), sum((n - 1) * m) FROM (SELECT count(*) AS n, "
            f"any_value(({money})::DECIMAL(18, 4)) AS m FROM {f.name} GROUP BY hash({values}))"
        ).fetchone() or (0, None)
        return {"repeated": int(rows), "repeated_money": _text(total), "repeated_why": self.format.duplicates}

    def checks(self) -> list[dict[str, Any]]:
        """How many accepted rows break each of the format's rules."""
        out = []
        for c in self.format.check:
            rows, broken = self.con.execute(
                f"SELECT count(*), count(*) FILTER (NOT ({c['sql']})) FROM {self.name} WHERE outcome = 'accepted'"
            ).fetchone() or (0, 0)
            out.append({"format": self.format.name, "text": c["text"], "rows": rows, "broken": broken})
        return out


def said_money(f: Staged) -> bool:
    return "money" in f.format.row


def _write_tables(con: duckdb.DuckDBPyConnection, views: list[Source], folder: Path) -> dict[str, int]:
    """Write each canonical table that some format gives, without the columns that nothing fills."""
    rows: dict[str, int] = {}
    for table in TABLES.values():
        parts = [v.select(t) for v in views for t in v.targets if t.table == table.name]
        if not parts:
            continue
        con.execute(f"CREATE TABLE canonical AS {' UNION ALL BY NAME '.join(parts)}")
        columns = [c[0] for c in con.execute("DESCRIBE canonical").fetchall()]
        counts = con.execute(f"SELECT count(*), {', '.join(f'count({c})' for c in columns)} FROM canonical").fetchone()
        assert counts is not None
        filled = dict(zip(columns, counts[1:], strict=True))
        for c in table.required:
            if filled[c] < counts[0]:
                raise ShopError(
                    _("the formats {formats} leave {table}.{column} empty in {n} rows, which may not be").format(
                        formats=", ".join(
                            v.format.name for v in views if any(t.table == table.name for t in v.targets)
                        ),
                        table=table.name,
                        column=c,
                        n=counts[0] - filled[c],
                    )
                )
        kept = [c.name for c in table.columns if filled.get(c.name) or c.required]
        con.execute(
            f"COPY (SELECT {', '.join(kept)} FROM canonical) TO '{_literal(str(folder / table.name))}.parquet' "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
        con.execute("DROP TABLE canonical")
        rows[table.name] = counts[0]
    return rows


def _write_rows(con: duckdb.DuckDBPyConnection, views: list[Source], folder: Path) -> None:
    """Write the ledger of rows: what every row read was, and what became of it."""
    names = ", ".join(f"({f.index}, '{_literal(f.raw.name)}')" for v in views for f in v.files)
    con.execute(
        f"COPY (SELECT n.name AS file, r.* EXCLUDE (file) FROM ({' UNION ALL '.join(v.ledger() for v in views)}) r "
        f"JOIN (VALUES {names}) n(index, name) ON r.file = n.index) "
        f"TO '{_literal(str(folder / 'rows'))}.parquet' (FORMAT parquet)"
    )


def _write_quarantine(con: duckdb.DuckDBPyConnection, staged: list[Staged], folder: Path) -> None:
    """Write each row that could not be taken, with its file, line and reason; of its cells only the one at fault."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "line", "reason", "field"])
    for s in staged:
        bad = con.execute(f"SELECT rowid, _bad FROM {s.name} WHERE _bad IS NOT NULL ORDER BY rowid").fetchall()
        found = [(s.record_of(row), "unreadable", name) for row, name in bad]
        found += [(place, why.lower(), "") for place, why in s.rejects]
        for place, why, name in sorted(found):
            writer.writerow([s.raw.name, int(s.raw.lines[place]), why, name])
    (folder / "quarantine.csv").write_text(out.getvalue(), encoding="utf-8-sig")


def _key(store: Store, paths: Iterable[Path], own: Path) -> str:
    """A name for tables that depends on everything that they depend on."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    code = sorted(p for p in package.rglob("*") if p.suffix in (".py", ".toml") and "demo" not in p.parts)
    for path in [*paths, *(sorted(own.glob("*.toml")) if own.is_dir() else ()), *code]:
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(repr(store.settings).encode())
    return digest.hexdigest()[:16]


def _below_home(path: Path) -> str:
    return "/".join(path.parts[-3:])


def _literal(text: str) -> str:
    return text.replace("'", "''")


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _text(money: Any) -> str | None:
    return None if money is None else f"{money:.4f}"
