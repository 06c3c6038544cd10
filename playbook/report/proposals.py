"""Proposals: plans that notebooks hand over, which the runner writes beside the shop's own for people to take from."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .. import period as periods
from ..data.sheets import defused
from ..language import _
from ..period import Period


def record(frame: pd.DataFrame, name: str, calendar: str = "") -> dict[str, Any]:
    """A plan as plain data, ready for JSON: its name, columns, and rows of texts; what is not known is empty.

    Where it is told, `calendar` is the same plan as an iCalendar file.

    Raises
    ------
    ValueError
        The name cannot be that of a file.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(
            _("{name!r} is no name for a plan: use lower case letters, digits and underscores").format(name=name)
        )
    rows = [[_text(cell) for cell in row] for row in frame.itertuples(index=False)]
    plan = {"name": name, "columns": [str(c) for c in frame.columns], "rows": rows}
    return plan | ({"calendar": calendar} if calendar else {})


def write(plans: Iterable[Mapping[str, Any]], shop: Path, *, report: Period) -> None:
    """Write each plan as a sheet for spreadsheets, ``plan/proposed/<name>.csv``, in place of that of an earlier report.

    Its first column names the report. What a report of a later period proposed stays. A plan that has days lies beside
    it as ``<name>.ics`` too.
    """
    for plan in plans:
        path = shop / "plan" / "proposed" / f"{plan['name']}.csv"
        if path.exists() and _report(path).end > report.end:
            continue
        text = io.StringIO()
        sheet = csv.writer(text, lineterminator="\n")
        sheet.writerow(["report", *(defused(c) for c in plan["columns"])])
        sheet.writerows([report.label, *map(_cell, row)] for row in plan["rows"])
        _replace(path, "\ufeff" + text.getvalue())
        if plan.get("calendar"):
            _replace(path.with_suffix(".ics"), plan["calendar"])


def _replace(path: Path, text: str) -> None:
    """Write a file in one step; its line ends stay as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(text.encode("utf-8"))
    os.replace(new, path)


def _report(path: Path) -> Period:
    """The report that a sheet comes from."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row[0] for row in csv.reader(file) if row]
    return periods.parse(rows[1]) if len(rows) > 1 else Period(dt.date.min, dt.date(2, 1, 1))


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return ""
    return str(cell.date() if isinstance(cell, pd.Timestamp) and cell == cell.normalize() else cell)


def _cell(text: str) -> str:
    """A number as it is, be it negative; words so that no spreadsheet takes them for a formula."""
    return text if re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text) else defused(text)
