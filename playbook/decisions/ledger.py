"""The ledger: what the reports of a shop forecast and decided, what people did about it, and how it came out.

In ``data/<shop>/ledger/`` lie ``forecasts.jsonl``, ``decisions.jsonl`` and ``scores.jsonl``, to which the runner
appends, and ``decisions.csv``, in which people say what became of each decision. What is written first is what is
scored; what a later run of the same report says otherwise is a revision below it.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from .. import period as periods
from ..data.locks import locked
from ..data.sheets import day, defused
from ..data.store import ShopError, Store
from ..language import _
from ..outlook import Decision, Forecast

Status = Literal["proposed", "accepted", "done", "declined"]

STATUSES: tuple[str, ...] = get_args(Status)

COLUMNS = ("id", "report", "notebook", "decision", "owner", "due", "status", "done_on", "note")
"""Of ``decisions.csv``. People may change owner, due, status, done_on and note."""

FORECASTS = (
    "id", "report", "notebook", "metric", "by", "period", "due", "value", "low", "high", "unit", "level", "method",
    "revisions", "actual", "hit", "why",
)  # fmt: skip
DECISIONS = (
    "id", "report", "notebook", "name", "text", "owner", "due", "status", "done_on", "note", "metric", "by", "period",
    "effect", "low", "high", "unit", "level", "check", "experiment", "stake", "revisions", "measured", "measured_low",
    "measured_high", "hit", "why",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A forecast or decision, with the report that made it.

    Attributes
    ----------
    id : str
        ``f-`` or ``d-`` and six hexadecimal digits.
    report : str
        Label of the report's period.
    as_of : date
        What the report knew ends the day before.
    notebook : str
    said : Forecast or Decision
    """

    id: str
    report: str
    as_of: dt.date
    notebook: str
    said: Forecast | Decision

    @classmethod
    def of(cls, said: Forecast | Decision, *, report: str, as_of: dt.date, notebook: str) -> Entry:
        """The entry of what a notebook said; the same thing of the same report has the same id."""
        name = said.metric if isinstance(said, Forecast) else said.name
        kind = "f" if isinstance(said, Forecast) else "d"
        by = json.dumps({str(k): str(v) for k, v in said.by.items()}, sort_keys=True, ensure_ascii=False)
        thing = "\0".join([report, notebook, name, said.period if kind == "f" else "", by])
        return cls(f"{kind}-{hashlib.sha256(thing.encode()).hexdigest()[:6]}", report, as_of, notebook, said)

    @property
    def due(self) -> dt.date:
        """The day from which it can be scored."""
        return periods.parse(self.said.period).end

    def record(self) -> dict[str, Any]:
        """The entry as a line of the ledger."""
        said = self.said.record()
        return {"id": self.id, "report": self.report, "as_of": str(self.as_of), "notebook": self.notebook, "said": said}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Entry:
        """The entry of a line."""
        kind = Forecast if record["id"].startswith("f-") else Decision
        return cls(
            record["id"], record["report"], dt.date.fromisoformat(record["as_of"]), record["notebook"],
            kind.from_record(record["said"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Ledger:
    """The ledger in a shop's folder."""

    folder: Path

    @classmethod
    def of(cls, store: Store) -> Ledger:
        """The ledger of a shop; it need not be there yet."""
        return cls(store.folder / "ledger")

    # -- what the runner writes

    def add(self, entries: Iterable[Entry]) -> int:
        """Write down what a report said; what is there already, as it is said now, is not written again.

        Returns
        -------
        int
            Lines written.

        Raises
        ------
        ValueError
            Two entries have one id.
        """
        by_kind: dict[str, list[Entry]] = {"forecasts": [], "decisions": []}
        for entry in entries:
            by_kind["forecasts" if isinstance(entry.said, Forecast) else "decisions"].append(entry)
        if not any(by_kind.values()):
            return 0
        written = 0
        with self._alone():
            for name, new in by_kind.items():
                if len({e.id for e in new}) < len(new):
                    raise ValueError(_("two {name} of one report have the same id").format(name=name))
                last = {line["id"]: line for line in self._lines(name)}  # of several, the last revision
                lines = [e.record() for e in new if last.get(e.id) != e.record()]
                self._append(name, lines)
                written += len(lines)
            self._list(by_kind["decisions"])
        return written

    def score(self, scores: Iterable[Mapping[str, Any]]) -> int:
        """Write down how entries came out: `id`, and what `playbook.decisions.scores` found; the first one stands."""
        with self._alone():
            known = self._scores()
            new = [dict(s) for s in scores if known.get(s["id"], {"hit": None}).get("hit") is None]
            new = [s for s in new if known.get(s["id"]) != s]
            self._append("scores", new)
        return len(new)

    # -- what people say

    def decide(
        self,
        id: str,
        status: str = "",
        *,
        on: dt.date | None = None,
        owner: str = "",
        due: dt.date | None = None,
        note: str = "",
    ) -> dict[str, str]:
        """Say what became of a decision; what is not given stays.

        Parameters
        ----------
        id : str
        status : {"proposed", "accepted", "done", "declined"}, optional
        on : date, optional
            The day it was done; needed for done.
        owner, due, note : optional

        Returns
        -------
        dict
            The row of ``decisions.csv``, as it is now.

        Raises
        ------
        ShopError
            No such decision or status, or a day is lacking.
        """
        with self._alone():
            rows = {e.id: _row(e) for e in self.entries() if isinstance(e.said, Decision)} | self._rows()
            if id not in rows:
                raise ShopError(_("there is no decision {id!r}; `playbook ledger SHOP` lists them").format(id=id))
            row = rows[id]
            changed = {"status": status, "owner": owner, "note": note, "due": str(due or ""), "done_on": str(on or "")}
            row |= {name: said for name, said in changed.items() if said}
            self._checked(row, place=id)
            self._write_rows(rows.values())
        return row

    # -- what it says

    def entries(self, *, as_of: dt.date | None = None) -> list[Entry]:
        """What was forecast and decided first, as it was written; with `as_of`, by the reports before that day."""
        first: dict[str, Entry] = {}
        for line in (*self._lines("forecasts"), *self._lines("decisions")):
            entry = Entry.from_record(line)
            if as_of is None or entry.as_of < as_of:
                first.setdefault(entry.id, entry)
        return list(first.values())

    def forecasts(self, *, as_of: dt.date | None = None) -> pd.DataFrame:
        """All forecasts and how they came out.

        Parameters
        ----------
        as_of : date, optional
            Only what the reports before that day said, and what had come of it by then: what a report may know.

        Returns
        -------
        DataFrame
            id, report, notebook, metric, by (as “platform: jd”), period, due (day from which it can be scored), value,
            low, high, unit, level, method, revisions, actual, hit (None: not scored), why (not).
        """
        again, scores = self._revisions("forecasts"), self._scores()
        rows = []
        for e in self.entries(as_of=as_of):
            if isinstance(e.said, Forecast):
                came = scores.get(e.id, {}) if as_of is None or e.due <= as_of else {}
                row = e.said.record() | {"id": e.id, "report": e.report, "notebook": e.notebook, "due": e.due}
                row |= {"by": cut(e.said.by), "revisions": again[e.id], "actual": came.get("actual")}
                rows.append(row | {"hit": came.get("hit"), "why": came.get("why", "")})
        return pd.DataFrame(rows, columns=list(FORECASTS))

    def decisions(self, *, as_of: dt.date | None = None) -> pd.DataFrame:
        """All decisions, what people said of them, and what they changed.

        Returns
        -------
        DataFrame
            id, report, notebook, name, text, owner, due (to be done by), status, done_on, note, metric, by, period,
            effect, low, high, unit, level, check, experiment, stake, revisions, measured, measured_low, measured_high,
            hit (None: not scored), why (not).

        Raises
        ------
        ShopError
            A cell of ``decisions.csv`` makes no sense; the message names row and column.
        """
        again, scores, said = self._revisions("decisions"), self._scores(), self._rows()
        rows = []
        for e in self.entries(as_of=as_of):
            if isinstance(e.said, Decision):
                human = said.get(e.id) or _row(e)
                came = scores.get(e.id, {}) if as_of is None or e.due <= as_of else {}
                row = e.said.record() | {"id": e.id, "report": e.report, "notebook": e.notebook, "by": cut(e.said.by)}
                row |= {"owner": human["owner"], "note": human["note"], "revisions": again[e.id]}
                done = day(human["done_on"])
                known = as_of is None or done is None or done < as_of
                row |= {"status": human["status"] if known else "accepted", "done_on": done if known else None}
                row |= {"due": day(human["due"]) or e.said.due, "measured": came.get("effect")}
                row |= {"measured_low": came.get("low"), "measured_high": came.get("high")}
                rows.append(row | {"hit": came.get("hit"), "why": came.get("why", "")})
        return pd.DataFrame(rows, columns=list(DECISIONS))

    def unscored(self, as_of: dt.date) -> list[Entry]:
        """What is due and has no score yet: forecasts, and decisions that are done."""
        scores, rows = self._scores(), self._rows()
        return [
            e
            for e in self.entries()
            if e.due <= as_of
            and scores.get(e.id, {}).get("hit") is None
            and (isinstance(e.said, Forecast) or rows.get(e.id, {}).get("status") == "done")
        ]

    def done_on(self, id: str) -> dt.date | None:
        """The day on which a decision was done."""
        return day(self._rows().get(id, {}).get("done_on", ""))

    def tried(self, id: str) -> str:
        """With which tables it could not be scored."""
        return self._scores().get(id, {}).get("tables", "")

    # -- the files

    def _alone(self) -> AbstractContextManager[Any]:
        return locked(self.folder / ".lock")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        try:
            text = (self.folder / f"{name}.jsonl").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def _append(self, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
        """All lines or none: a file is replaced whole."""
        if not lines:
            return
        path = self.folder / f"{name}.jsonl"
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
        _replace(path, old + new)

    def _scores(self) -> dict[str, dict[str, Any]]:
        return {line["id"]: line for line in self._lines("scores")}

    def _revisions(self, name: str) -> dict[str, int]:
        seen: dict[str, int] = {}
        for line in self._lines(name):
            seen[line["id"]] = seen.get(line["id"], -1) + 1
        return seen

    def _rows(self) -> dict[str, dict[str, str]]:
        """The rows of ``decisions.csv`` by id, checked."""
        path = self.folder / "decisions.csv"
        if not path.exists():
            return {}
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:  # saved by a Chinese spreadsheet
            text = path.read_text(encoding="gb18030")
        rows: dict[str, dict[str, str]] = {}
        read = csv.DictReader(io.StringIO(text))
        if gone := [c for c in COLUMNS if c not in (read.fieldnames or ())]:
            raise ShopError(_("{file} lacks the column {column}").format(file=path.name, column=gone[0]))
        for number, line in enumerate(read, start=2):
            row = {c: (line[c] or "").strip() for c in COLUMNS}
            self._checked(row, place=_("{file}, row {row}").format(file=path.name, row=number))
            rows[row["id"]] = row
        return rows

    def _checked(self, row: Mapping[str, str], *, place: str) -> None:
        for column in ("due", "done_on"):
            try:
                day(row[column])
            except ValueError:
                raise ShopError(
                    _("{place}: {column} is {said!r}; write a day like 2026-11-05").format(
                        place=place, column=column, said=row[column]
                    )
                ) from None
        if row["status"] not in STATUSES:
            raise ShopError(
                _("{place}: the status is {said!r}; write one of: {statuses}").format(
                    place=place, said=row["status"], statuses=", ".join(STATUSES)
                )
            )
        if row["status"] == "done" and not row["done_on"]:
            raise ShopError(_("{place}: say in done_on on which day it was done").format(place=place))

    def _list(self, decisions: Sequence[Entry]) -> None:
        """New decisions into the file in which people answer; rows that are there stay as they are."""
        rows = self._rows()
        if new := [_row(e) for e in decisions if e.id not in rows]:
            self._write_rows([*rows.values(), *new])

    def _write_rows(self, rows: Iterable[Mapping[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({c: defused(v) for c, v in row.items()} for row in rows)
        _replace(self.folder / "decisions.csv", "\ufeff" + text.getvalue())


def _row(entry: Entry) -> dict[str, str]:
    """A decision as people find it, before they said anything."""
    assert isinstance(entry.said, Decision)
    said = entry.said
    cells = (entry.id, entry.report, entry.notebook, said.text, said.owner, str(said.due), "proposed", "", "")
    return dict(zip(COLUMNS, cells, strict=True))


def cut(by: Mapping[str, str]) -> str:
    """What a metric is cut by, on one line.

    Examples
    --------
    >>> cut({"platform": "jd", "category": "serum"})
    'platform: jd, category: serum'
    """
    return ", ".join(f"{k}: {v}" for k, v in by.items())


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
