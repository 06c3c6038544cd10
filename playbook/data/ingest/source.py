"""Sources: all files of one format together, with the outcome of each row and the canonical rows that come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import duckdb

from ...language import N_, _
from ..keyed import hashed
from ..schema import SQL_TYPES, TABLES
from ..store import ShopError
from . import erased
from .model import Target
from .stage import Staged, sql_of

OUTCOMES = ("accepted", "superseded", "duplicate", "skipped", "quarantined")


class Source:
    """All files of one format as one relation of rows: fields, `class`, `file`, `row`, `outcome`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, files: list[Staged], *, forgetting: bool = False):
        self.con, self.files, self.format, self.forgetting = con, files, files[0].format, forgetting
        self.name = f"source_{self.files[0].index}"
        self.found = set().union(*(f.found for f in files))
        self.assumptions = list(self.format.assume)
        self.targets = [self._supplied(t) for t in self.format.targets]
        self.values = ", ".join(f.name for f in self.format.fields)
        self.rated = any(f.rated for f in self.files)
        self.money = f"({self.format.row.get('money', 'NULL')})::DECIMAL(18, 4)"
        with sql_of(self.format.name):
            self._settle()
            self._refuse_overlapping_spans()
            for sql in (self.ledger(), *(self.select(t) for t in self.targets)):
                con.execute(f"EXPLAIN {sql}")

    def _supplied(self, target: Target) -> Target:
        """The target without the columns that would only repeat a field that no file has."""
        lacking = {f.name for f in self.format.fields} - self.found
        needed = TABLES[target.table].required
        kept = {c: e for c, e in target.columns.items() if e not in lacking or c in needed}
        return replace(target, columns=kept)

    def _rows(self, f: Staged) -> str:
        """The SQL of one file's rows; orders without a time of payment count as paid when they were placed."""
        orders = next((t for t in self.format.targets if t.table == "orders"), None)
        paid = orders.columns.get("paid_at") if orders else None
        cells = "*"
        if orders and (paid is None or (paid not in f.found and paid in {g.name for g in self.format.fields})):
            said = N_("{export}: an order counts as paid when it was placed; there is no payment time.")
            whole = paid not in self.found
            self.assumptions.append(said.format(export=self.format.title if whole else f.raw.name))
            placed = orders.columns["ordered_at"]
            if not whole:
                cells = f"* REPLACE ({placed} AS {paid})"
            else:
                self.targets = [
                    replace(t, columns={**t.columns, "paid_at": placed}) if t.table == "orders" else t
                    for t in self.targets
                ]
        return f"SELECT {cells}, {f.index} AS file, rowid + 1 AS row FROM {f.name}"

    def _key(self, rows: str) -> list[str]:
        """The fields that tell rows apart; none where the format's key lacks a field and what is left does not."""
        key = [k for k in self.format.key if k in self.found]
        # a file that names no platform is of one platform: that takes nothing from its key
        if not key or all(k in self.found or k.endswith("platform") for k in self.format.key):
            return key
        if "line" in self.format.key:  # the lines of an order are many, even where each order of a file has one
            return []
        among = ", ".join(["file", *key])
        doubled = self.con.execute(
            f"SELECT 1 FROM ({rows}) WHERE _bad IS NULL AND _skip IS NULL GROUP BY {among}, hash({self.values}) "
            f"QUALIFY count(*) OVER (PARTITION BY {among}) > 1 LIMIT 1"
        ).fetchone()
        return [] if doubled else key

    def _share_key(self) -> None:
        """A part of the key that only some files name is the others' too, where those that name it all say the same."""
        for k in self.format.key:
            naming = [f for f in self.files if k in f.found]
            silent = [f for f in self.files if k not in f.found]
            if not naming or not silent:
                continue
            values = self.con.execute(
                " UNION ".join(f"SELECT {k} FROM {f.name} WHERE {k} IS NOT NULL" for f in naming)
            ).fetchall()
            for f in silent if len(values) == 1 else ():
                self.con.execute(f"UPDATE {f.name} SET {k} = ?", list(values[0]))

    def _settle(self) -> None:
        """Give every row its outcome."""
        self._share_key()
        rows = " UNION ALL ".join(self._rows(f) for f in self.files)
        self.key = self._key(rows)
        first = "WHEN _skip IS NOT NULL THEN 'skipped' WHEN _bad IS NOT NULL THEN 'quarantined'"
        if not self.key:
            self._refuse_overlap(rows)
            self.con.execute(
                f"CREATE VIEW {self.name} AS SELECT *, CASE {first} ELSE 'accepted' END AS outcome FROM ({rows})"
            )
            return
        if self._all_differ(rows):
            self.con.execute(
                f"CREATE VIEW {self.name} AS SELECT *{', 1::BIGINT AS line' if self.format.lines else ''}, "
                f"CASE {first} ELSE 'accepted' END AS outcome FROM ({rows})"
            )
            return
        # the last row of a key stands; one that says the same is a duplicate of it, one that differs is superseded
        exported = " ".join(f"WHEN {f.index} THEN '{f.raw.exported_at}'" for f in self.files if f.raw.exported_at)
        last = [f"CASE file {exported} END DESC NULLS LAST"] if exported else []
        last += [f"({self.format.rank}) DESC NULLS LAST"] if self.format.rank else []
        order = ", ".join([*last, "file DESC", "row DESC"])
        if self.format.lines:
            self._settle_lines(rows, first, ", ".join([*last[: bool(exported)], "file DESC"]))
            return
        self.con.execute(
            f"CREATE TABLE {self.name} AS SELECT * EXCLUDE (_place, _same), "
            f"CASE {first} WHEN _place = 1 THEN 'accepted' "
            "WHEN _same THEN 'duplicate' ELSE 'superseded' END AS outcome FROM ("
            f"SELECT *, row_number() OVER w AS _place, "
            f"hash({self.values}) = first_value(hash({self.values})) OVER w AS _same FROM ({rows}) "
            f"WINDOW w AS (PARTITION BY {', '.join(self.key)}, _bad IS NULL AND _skip IS NULL ORDER BY {order}))"
        )

    def _all_differ(self, rows: str) -> bool:
        """Whether no two rows have one key, so that there is nothing to settle; much cheaper to find out."""
        key = f"hash({', '.join(self.key)}, _bad IS NULL AND _skip IS NULL)"
        n, different = self.con.execute(f"SELECT count(*), count(DISTINCT {key}) FROM ({rows})").fetchone() or (0, 0)
        return n == different

    def exemplary(self, con: duckdb.DuckDBPyConnection) -> bool:
        """Whether its files hold nothing but the example of a template."""
        return self.format.canonical and all(
            con.execute(f"SELECT bool_and(_skip = 'totals') FROM {f.name}").fetchone() == (True,) for f in self.files
        )

    def _settle_lines(self, rows: str, first: str, order: str) -> None:
        """The same where rows of one key are the lines of one thing: of several files, the last one has all of them."""
        key = f"{', '.join(self.key)}, _bad IS NULL AND _skip IS NULL"
        numbered = (
            f"SELECT *, row_number() OVER (PARTITION BY file, {key} ORDER BY row) AS line, "
            f"dense_rank() OVER (PARTITION BY {key} ORDER BY {order}) AS _place FROM ({rows})"
        )
        self.con.execute(
            f"CREATE TABLE {self.name} AS SELECT * EXCLUDE (_place, _same), CASE {first} "
            "WHEN _place = 1 THEN 'accepted' WHEN _same THEN 'duplicate' ELSE 'superseded' END AS outcome FROM ("
            f"SELECT *, first_value(_place) OVER w = 1 AND "
            f"hash({self.values}) = first_value(hash({self.values})) OVER w AS _same FROM ({numbered}) "
            f"WINDOW w AS (PARTITION BY {key}, line ORDER BY _place))"
        )

    def _refuse_overlapping_spans(self) -> None:
        """Two rows of one thing that cover some of the same days would be counted twice."""
        if not self.format.span:
            return
        first, last = self.format.span
        same = " AND ".join(f"a.{k} IS NOT DISTINCT FROM b.{k}" for k in self.key if k not in self.format.span)
        found = self.con.execute(
            f"SELECT a.file, b.file, greatest(a.{first}, b.{first}), least(a.{last}, b.{last}) FROM {self.name} a "
            f"JOIN {self.name} b ON {same or 'true'} AND a.{first} <= b.{last} AND b.{first} <= a.{last} "
            f"AND (a.{first} <> b.{first} OR a.{last} <> b.{last}) WHERE a.{first} < a.{last} "
            "AND a.outcome = 'accepted' AND b.outcome = 'accepted' ORDER BY ALL LIMIT 1"
        ).fetchone()
        if found:
            names = {f.index: f.raw.name for f in self.files}
            raise ShopError(
                _("{one} and {other} both cover {low} to {high} for the same rows: keep one of the two files").format(
                    one=names[found[0]], other=names[found[1]], low=found[2], high=found[3]
                )
            )

    def _refuse_overlap(self, rows: str) -> None:
        """Files without a key that speak of the same days in the same rows cannot be told apart."""
        if len(self.files) < 2:
            return
        at = self.format.row.get("at", "NULL::TIMESTAMP")
        dated = self.con.execute(f"SELECT count({at}) FROM ({rows})").fetchone() or (0,)
        if not dated[0]:
            self._refuse_copies(rows)
            return
        found = self.con.execute(
            f"WITH r AS (SELECT file, {at} AS moment, hash({self.values}) AS h FROM ({rows}) WHERE _bad IS NULL), "
            "span AS (SELECT file, min(moment) AS low, max(moment) AS high FROM r GROUP BY file) "
            "SELECT a.file, b.file, greatest(a.low, b.low)::DATE, least(a.high, b.high)::DATE FROM span a "
            "JOIN span b ON a.file < b.file AND a.low <= b.high AND b.low <= a.high "
            "WHERE EXISTS (SELECT h FROM r WHERE r.file = a.file INTERSECT SELECT h FROM r WHERE r.file = b.file) "
            "ORDER BY ALL LIMIT 1"
        ).fetchone()
        if found:
            names = {f.index: f.raw.name for f in self.files}
            raise ShopError(
                _(
                    "{one} and {other} hold the same rows between {low} and {high}, and rows of this format have no "
                    "number to tell repeats from doubles: keep one of the two files"
                ).format(one=names[found[0]], other=names[found[1]], low=found[2], high=found[3])
            )

    def _refuse_copies(self, rows: str) -> None:
        """Without a time either, a file most of whose rows stand in another one is an export of the same."""
        found = self.con.execute(
            f"WITH r AS (SELECT DISTINCT file, hash({self.values}) AS h FROM ({rows}) WHERE _bad IS NULL), "
            "n AS (SELECT file, count(*) AS n FROM r GROUP BY file), "
            "s AS (SELECT a.file AS one, b.file AS other, count(*) AS same FROM r a JOIN r b ON a.h = b.h "
            "AND a.file < b.file GROUP BY ALL) "
            "SELECT one, other FROM s JOIN n x ON x.file = one JOIN n y ON y.file = other "
            "WHERE 2 * same > least(x.n, y.n) ORDER BY ALL LIMIT 1"
        ).fetchone()
        if found:
            names = {f.index: f.raw.name for f in self.files}
            raise ShopError(
                _(
                    "{one} and {other} hold mostly the same rows, and rows of this format have neither number nor time "
                    "to tell repeats from doubles: keep one of the two files"
                ).format(one=names[found[0]], other=names[found[1]])
            )

    def select(self, target: Target) -> str:
        """The SQL of the canonical rows of one table that come from this format."""
        types = {c.name: c.type for c in TABLES[target.table].columns}
        columns = ", ".join(
            f"({self._carried(sql, name, types[name], target)})::{SQL_TYPES[types[name]]} AS {name}"
            for name, sql in target.columns.items()
        )
        sql = f"SELECT {columns} FROM {self._accepted()} WHERE outcome = 'accepted' AND ({target.where})"
        if target.each:
            sql += f" GROUP BY {', '.join(target.each)}"
        sql = f"{sql} HAVING {target.having}" if target.having else sql
        return erased.without_them(sql, target.table, target.columns) if self.forgetting else sql

    def _carried(self, sql: str, name: str, kind: str, target: Target) -> str:
        """The SQL of a column as tables carry it: nothing personal as it stands, money in the shop's currency."""
        if kind == "hash":
            return hashed(sql, name.removesuffix("_hash"))
        if kind == "money" and self.rated:
            return f"({sql}) * {'any_value(_rate)' if target.each else '_rate'}"
        return sql

    def _accepted(self) -> str:
        """The relation of accepted rows, with what the format derives; of rows that cover a span, one for each day."""
        rows = self.name
        if self.format.span:
            first, last = self.format.span
            parts = f"(date_diff('day', {first}, {last}) + 1)"
            rows = (
                f"(SELECT *, unnest(range(1, {parts} + 1)) AS part, {parts} AS parts FROM {rows} "
                "WHERE outcome = 'accepted')"
            )
        if self.format.derived:
            made = ", ".join(f"{sql} AS {name}" for name, sql in self.format.derived.items())
            rows = f"(SELECT *, {made} FROM {rows} WHERE outcome = 'accepted')"
        return rows

    def ledger(self) -> str:
        """The SQL of one line for every row read: file, row, class, outcome, and what the row says."""
        said = self.format.row
        casts = {"at": "TIMESTAMP", "money": "DECIMAL(18, 4)", "order": "VARCHAR", "customer": "VARCHAR"}
        if self.forgetting and "customer" in said:
            said = {
                **said,
                "customer": f"CASE WHEN NOT {erased.on_list(said['customer'], 'number')} THEN {said['customer']} END",
            }
        what = ", ".join(f'({said.get(n, "NULL")})::{t} AS "{n}"' for n, t in casts.items())
        rows = f"SELECT file, row, class, outcome, {what} FROM {self.name}"
        broken = [f"({f.index}, {b.line})" for f in self.files for b in f.raw.broken]
        if not broken:
            return rows
        nothing = ", ".join(f'NULL::{t} AS "{n}"' for n, t in casts.items())
        lost = f"SELECT file, NULL AS row, NULL AS class, 'quarantined' AS outcome, {nothing} FROM"
        return f"{rows} UNION ALL {lost} (VALUES {', '.join(broken)}) lost(file, line)"

    def account(self) -> list[dict[str, Any]]:
        """What was done with the rows of each file, and with their money."""
        found = self.con.execute(
            f"SELECT file, outcome, class, count(*), sum({self.money}) FROM {self.name} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        return [self._entry(f, [row[1:] for row in found if row[0] == f.index]) for f in self.files]

    def _entry(self, f: Staged, found: Iterable[tuple[str, str | None, int, Any]]) -> dict[str, Any]:
        found = list(found)
        rows = {o: sum(n for outcome, _c, n, _m in found if outcome == o) for o in OUTCOMES}
        money = {o: sum(m for outcome, _c, _n, m in found if outcome == o and m is not None) for o in OUTCOMES}
        rows["quarantined"] += len(f.raw.broken)
        rows["skipped"] += f.raw.blank + f.raw.preamble
        empty = self.con.execute(f"SELECT count(*) FROM {f.name} WHERE _skip = 'blank'").fetchone() or (0,)
        blank = f.raw.blank + empty[0]
        counted = "money" in self.format.row
        return {
            "file": f.raw.name,
            "format": f.format.name,
            "title": f.format.title,
            "sha256": f.raw.sha256,
            "encoding": f.raw.encoding,
            "currency": ", ".join(sorted(f.currencies)),
            "exported_at": f.raw.exported_at,
            "read": sum(rows.values()),
            **rows,
            "blank": blank,
            "preamble": f.raw.preamble,
            "totals": rows["skipped"] - blank - f.raw.preamble,
            "classes": [{"class": c, "outcome": o, "rows": n, "money": _text(m)} for o, c, n, m in found],
            "file_total": _text(sum(money.values())) if counted else None,
            "money": {o: _text(m) for o, m in money.items()} if counted else None,
            "columns": list(f.found),
            "personal": self._personal(f),
            "unmapped": [h for i, h in enumerate(f.format.header or f.raw.header) if i not in f.found.values()],
            "notes": [*f.raw.notes, *_notes(f)],
            **(self._repeats(f) if not self.key else {}),
        }

    def _personal(self, f: Staged) -> dict[str, str]:
        """The columns of a file that its format calls personal, and what is kept of each: a hash, or nothing."""
        headers = f.format.header or f.raw.header
        hashes = " ".join(e for t in self.targets for c, e in t.columns.items() if c.endswith("_hash"))
        return {
            headers[f.found[g.name]]: "hash" if re.search(rf"\b{g.name}\b", hashes) else "not carried"
            for g in f.format.fields
            if g.personal and g.name in f.found
        }

    def _repeats(self, f: Staged) -> dict[str, Any]:
        """Identical rows of a file whose rows have no key: how many there are beyond the first, and their money."""
        rows, total = self.con.execute(
            f"SELECT coalesce(sum(n - 1), 0), sum((n - 1) * m) FROM (SELECT count(*) AS n, "
            f"any_value({self.money}) AS m FROM {f.name} GROUP BY hash({self.values}))"
        ).fetchone() or (0, None)
        return {"repeated": int(rows), "repeated_money": _text(total), "repeated_why": self.format.duplicates}

    def checks(self) -> list[dict[str, Any]]:
        """How many accepted rows break each of the format's rules."""
        out = []
        for c in self.format.check:
            held = f"SELECT count(*), count(*) FILTER (NOT ({c['sql']})) FROM {self.name} WHERE outcome = 'accepted'"
            with sql_of(self.format.name):
                rows, broken = self.con.execute(held).fetchone() or (0, 0)
            out.append({"format": self.format.name, "text": c["text"], "rows": rows, "broken": broken})
        return out

    def quarantine(self) -> list[tuple[str, int, str, str, str]]:
        """File, line, reason, field and cells (JSON; personal ones redacted) of each row that was not taken."""
        shown = [f.name for f in self.format.fields if f.name in self.found]
        hidden = {f.name for f in self.format.fields if f.personal}
        out = []
        for f in self.files:
            out += [(f.raw.name, b.line, b.reason, "", "") for b in f.raw.broken]
            bad = self.con.execute(
                f"SELECT row, _bad, {', '.join(shown)} FROM {self.name} "
                f"WHERE file = {f.index} AND outcome = 'quarantined' ORDER BY row"
            ).fetchall()
            for row, why, *cells in bad:
                field, _bar, reason = why.partition("|")
                said = {n: "█" if n in hidden else str(c) for n, c in zip(shown, cells, strict=True) if c is not None}
                out.append((f.raw.name, f.raw.line(row - 1), reason, field, json.dumps(said, ensure_ascii=False)))
        return sorted(out)


def _notes(f: Staged) -> list[str]:
    if f.raw.records or f.raw.broken:
        return []
    return [_("{file} has a header but no rows: was the export filtered?").format(file=f.raw.name)]


def _text(money: Any) -> str | None:
    return None if money is None else f"{money:.4f}"
