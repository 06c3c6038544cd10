"""Building: raw files are read and staged, the canonical tables written beside those in use, then published."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from ...language import N_, _
from ..keyed import identity_key, use_key
from ..sheets import defused
from ..store import ShopError, Store
from .erased import listed, use_list
from .files import discreet, other_files, own_formats, raw_files
from .formats import choose, fits, load_formats
from .fx import Rates
from .macros import define
from .model import SourceFormat
from .parts import Part, blocks, parts
from .read import RawFile, by_lines, read
from .source import Source
from .stage import DEFAULT_CURRENCY, DEFAULT_ZONE, Staged, convert, literal
from .tables import write_tables
from .workers import Workers

HEADER_WITHIN = 20
"""Records among which the header is looked for, where a preamble stands before it."""


def build(store: Store, key: str) -> dict[str, Any]:
    """Build the tables of a shop under a key and publish them; returns the accounting (see `ingest`)."""
    building = store.folder / "tables" / f"{key}.building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        accounting = {"key": key} | _build(store, building)
        (building / "ingest.json").write_text(
            json.dumps(accounting, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        final = building.with_name(key)
        shutil.rmtree(final, ignore_errors=True)
        building.rename(final)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    store.publish(final)
    return accounting


def _build(store: Store, folder: Path) -> dict[str, Any]:
    key = identity_key(store.folder)
    forgetting = bool(listed(store.folder))

    def prepare(con: duckdb.DuckDBPyConnection) -> None:
        use_key(con, key)
        use_list(con, store.folder)
        define(con)

    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as con:
        # DuckDB makes a join of IN with a long list, and a join does not keep rows in the order of their file
        con.execute("SET disabled_optimizers = 'in_clause'")
        con.execute("SET enable_progress_bar = false")  # it would be written between the program's own lines
        prepare(con)
        with Workers(con, prepare) as workers:
            accounting = _make(con, workers, store, folder, forgetting=forgetting)
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return accounting


def _make(
    con: duckdb.DuckDBPyConnection, workers: Workers, store: Store, folder: Path, *, forgetting: bool
) -> dict[str, Any]:
    rates = Rates(store.folder / "fx.csv")
    staged, copies = _stage(con, workers, store, folder, rates)
    currency = _one(store, "currency", set().union(*(s.currencies for s in staged)))
    zone = _one(store, "zone", {s.zone for s in staged})
    used: dict[str, list[Staged]] = {}
    for s in staged:
        used.setdefault(s.format.name, []).append(s)
    for files in used.values():
        convert(files, currency, rates)
    sources = [Source(con, files, forgetting=forgetting) for files in used.values()]
    ledger = workers.submit(_write_rows, sources, folder)
    tables = write_tables(workers, sources, folder)
    quarantine = [row for source in sources for row in source.quarantine()]
    _write_quarantine(quarantine, folder)
    ledger.result()
    span = _span(con, folder, zone)
    counted = Counter((file, reason, field) for file, _line, reason, field, _cells in quarantine)
    return {
        "currency": currency,
        "zone": zone,
        "span": span,
        "files": sorted([*(f for s in sources for f in s.account()), *copies], key=lambda f: f["file"]),
        "quarantine": [
            {"file": file, "reason": reason, "field": field, "rows": n}
            for (file, reason, field), n in sorted(counted.items())
        ],
        "passed_over": [discreet(p.relative_to(store.raw).as_posix()) for p in other_files(store.raw)],
        "tables": tables,
        "assumptions": sorted({a for s in sources for a in s.assumptions} | _unstated(store, staged)),
        "checks": [c for s in sources for c in s.checks()],
    }


def _stage(
    con: duckdb.DuckDBPyConnection, workers: Workers, store: Store, folder: Path, rates: Rates
) -> tuple[list[Staged], list[dict[str, Any]]]:
    """Every raw file in the engine, and those that only repeat another; all problems are told at once."""
    formats = load_formats(store.folder / "formats" if own_formats(store) else None)
    copies: list[dict[str, Any]] = []
    problems: list[tuple[int, str]] = []
    seen: dict[str, str] = {}
    names = [(path, path.relative_to(store.raw).as_posix()) for path in raw_files(store.raw)]
    reading = [workers.submit(lambda _con, *of: recognised(*of), *of, formats, store.name) for of in names]
    staging: list[tuple[int, Future[Staged]]] = []
    for place, read_ones in enumerate(reading):
        try:
            for found, fmt in read_ones.result():
                raw = replace(found, name=discreet(found.name))
                if raw.sha256 in seen:
                    copies.append(_copy(raw, seen[raw.sha256]))
                    continue
                seen[raw.sha256] = raw.name
                staging.append((place, workers.submit(Staged, len(staging), raw, fmt, store.settings, folder)))
        except ShopError as error:
            problems.append((place, str(error)))
    staged: list[Staged] = []
    for place, made in staging:
        try:
            staged.append(made.result())
            staged[-1].con = con  # that of the thread ends with it
            _refuse_foreign(staged[-1], store, rates)
        except ShopError as error:
            problems.append((place, str(error)))
    if problems:
        raise ShopError("\n".join(text for _place, text in sorted(problems)))
    return staged, copies


def _refuse_foreign(file: Staged, store: Store, rates: Rates) -> None:
    """Money that is none of the shop's and that no rate converts."""
    ours = store.settings.currency
    if not ours or not file.currencies or ours in file.currencies or any(c in rates for c in file.currencies):
        return
    said = _(
        '{file}: its money is {theirs}, the shop\'s is {ours}; set currency = "{theirs}" in {settings}, '
        "or put the rates of {theirs} into data/{shop}/fx.csv (day,currency,rate)"
    )
    theirs = ", ".join(sorted(file.currencies))
    raise ShopError(
        said.format(file=file.raw.name, theirs=theirs, ours=ours, settings=_settings(store), shop=store.folder.name)
    )


def recognised(path: Path, name: str, formats: Sequence[SourceFormat], shop: str) -> list[tuple[RawFile, SourceFormat]]:
    """The file, or each of its parts, as `recognise` gives it."""
    out = []
    for part in parts(path, name):
        named = [f for f in formats if f.takes_name(part.file_name)]
        whole = read(path, part.name) if any(f.blocks for f in named) and _commented(part, named) else None
        found = blocks(whole, part.file_name, named, shop) if whole else []
        out += found or [recognise(path, part.name, formats, shop, part=part)]
    return out


def _commented(part: Part, formats: Sequence[SourceFormat]) -> bool:
    """Whether a text begins with the mark of comments of one of the formats."""
    if part.data is None:
        with part.path.open("rb") as file:
            begin = file.read(8)
    else:
        begin = part.data[:8]
    return begin.removeprefix(b"\xef\xbb\xbf").startswith(tuple(f.blocks.encode() for f in formats if f.blocks))


def recognise(
    path: Path, name: str, formats: Sequence[SourceFormat], shop: str, *, part: Part | None = None
) -> tuple[RawFile, SourceFormat]:
    """The file, read, with its header found, and its format.

    Raises
    ------
    ShopError
        The file cannot be read, no format fits, or more than one does.
    """
    part = part or Part(path, name)
    file_name = part.file_name
    named = [f for f in formats if f.takes_name(file_name)]
    stated = {f.encoding for f in named if f.encoding and f.files != ("*",)}
    raw = read(path, name, encoding=stated.pop() if len(stated) == 1 else None, data=part.data, sheet=part.sheet)
    if raw.encoding == "parquet":
        return raw, choose(named, file_name, raw.header, shop)
    # a quotation mark gone astray makes one record of many lines, so there the header is a line before it is a record
    looks = [raw] if raw.tidy else [by_lines(raw), raw]
    for look in looks:
        for place in range(min(HEADER_WITHIN, len(look.starts))):
            headed = look.headed(place)
            if not fits(named, headed.header):
                continue
            fmt = choose(named, file_name, headed.header, shop)
            if fmt.header:
                return raw.headed(-1), fmt
            _refuse_rows_above(look, place, fmt)
            if not raw.tidy:
                _refuse_odd_quotes(headed)
            return headed, fmt
    return raw, choose(named, file_name, looks[0].headed(0).header, shop)  # which says why none fits


def _refuse_odd_quotes(raw: RawFile) -> None:
    """A header whose quotation marks do not pair up names too few columns, or swallows rows."""
    try:
        list(csv.reader(io.StringIO(raw.record(raw.head)), delimiter=raw.delimiter, strict=True))
    except csv.Error:
        raise ShopError(
            _("{file}: the quotation marks of its header, line {line}, do not pair up: mend that line").format(
                file=raw.name, line=raw.lines[raw.head]
            )
        ) from None


def _refuse_rows_above(raw: RawFile, place: int, fmt: SourceFormat) -> None:
    """What stands above the header is skipped; rows of data must not be, as where the real header is damaged."""
    columns = fmt.columns_of(raw.headed(place).header) or {}
    telling = [columns[f.name] for f in fmt.fields if f.needed and f.type not in ("text", "flag") and f.name in columns]
    for above in range(place if telling else 0):
        cells = raw.headed(above).header
        if all(i < len(cells) and re.search("[0-9]", cells[i]) for i in telling):
            raise ShopError(
                _(
                    "{file}: line {line} is a row, but the header stands below it, on line {header}: mend the header"
                ).format(file=raw.name, line=raw.lines[above], header=raw.lines[place])
            )


def _copy(raw: RawFile, of: str) -> dict[str, Any]:
    """The account of a file that repeats another byte for byte."""
    rows = raw.records + raw.blank
    return {"file": raw.name, "copy_of": of, "sha256": raw.sha256, "read": rows, "duplicate": rows}


def _one(store: Store, setting: str, found: set[str]) -> str:
    """The shop's currency or zone: what its settings say, else what all its exports say."""
    if said := getattr(store.settings, setting):
        return said
    if len(found) == 1:
        return found.pop()
    raise ShopError(
        _("the exports of {shop} differ in {setting} ({found}): set {setting} in {settings}").format(
            shop=store.name, setting=setting, found=", ".join(sorted(found)), settings=_settings(store)
        )
    )


def _unstated(store: Store, staged: list[Staged]) -> set[str]:
    """What had to be assumed about money and time, because neither the exports nor the settings say it."""
    out = set()
    for setting, default in (("currency", DEFAULT_CURRENCY), ("zone", DEFAULT_ZONE)):
        if not getattr(store.settings, setting) and any(getattr(s.format, setting) is None for s in staged):
            sentence = N_("The exports do not state their {setting}: {default} was taken; shop.toml can say otherwise.")
            out.add(sentence.format(setting=setting, default=default))
    return out


def _write_rows(con: duckdb.DuckDBPyConnection, sources: list[Source], folder: Path) -> None:
    """Write the ledger of rows: what every row read was, and what became of it."""
    names = {f.index: f.raw.name for s in sources for f in s.files}
    listed = " ".join(f"WHEN {i} THEN '{literal(name)}'" for i, name in names.items())
    con.execute(
        f"COPY (SELECT CASE file {listed} END AS file, * EXCLUDE (file) "
        f"FROM ({' UNION ALL '.join(s.ledger() for s in sources)})) "
        f"TO '{literal(str(folder / 'rows'))}.parquet' (FORMAT parquet)"
    )


def _write_quarantine(rows: list[tuple[str, int, str, str, str]], folder: Path) -> None:
    """Write each row that was not taken, with its file, line and reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "line", "reason", "field", "cells"])
    writer.writerows([defused(file), *rest] for file, *rest in rows)
    (folder / "quarantine.csv").write_text(out.getvalue(), encoding="utf-8-sig")


def _span(con: duckdb.DuckDBPyConnection, folder: Path, zone: str) -> dict[str, str] | None:
    """The day of the first order and of the last order or payment, by the shop's clock; None where there are none."""
    orders = folder / "orders.parquet"
    if not orders.exists():
        return None
    ends = ("min(ordered_at)", "greatest(max(ordered_at), max(paid_at))")
    local = ", ".join(f"timezone('{zone}', timezone('UTC', {end}))::DATE" for end in ends)
    first, last = con.execute(f"SELECT {local} FROM '{literal(str(orders))}'").fetchone() or (None, None)
    return None if first is None else {"first_day": str(first), "last_day": str(last)}


def _settings(store: Store) -> str:
    return f"data/{store.folder.name}/shop.toml"
