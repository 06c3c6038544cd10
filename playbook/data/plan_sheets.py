"""Sheets that people keep in a shop's ``plan/``: read back as they are, with every mistake named by row and column.

A sheet is CSV (UTF-8, or as a Chinese spreadsheet saves it) or XLSX, its first row the names of the columns. Cells are
text; `Column` says what must be in them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..language import _
from ..missing import Missing
from .sheets import day
from .store import ShopError, Store
from .words import EXAMPLE


@dataclass(frozen=True)
class Column:
    """What a column of a sheet must hold.

    Parameters
    ----------
    name : str
    required : bool
        Whether the column must be there, and each of its cells filled in.
    one_of : sequence of str
        The words that may stand in it; empty: any.
    between : (number, number), optional
        It is a number, within these.
    is_day : bool
        It is a day.
    check : callable, optional
        Says what is wrong with a filled cell; an empty text where nothing is.
    """

    name: str
    required: bool = False
    one_of: Sequence[str] = ()
    between: tuple[float, float] | None = None
    is_day: bool = False
    check: Callable[[str], str] | None = None


def read(store: Store | None, name: str, columns: Sequence[Column], *, key: str | Sequence[str] = "") -> Any:
    """The sheet ``plan/<name>.csv`` or ``.xlsx``, or a Missing where there is none.

    Parameters
    ----------
    store : Store or None
        The shop's folder (``shop.store``); a shop made from frames has none.
    name : str
        Of the file, without its ending.
    columns : sequence of Column
        What is read; other columns of the sheet are left alone.
    key : str or sequence of str
        A column in which no word may stand twice, or columns that no two rows may have in common.

    Returns
    -------
    DataFrame
        The columns asked for; numbers and days as such, other cells as text, empty ones NA. Rows without any word,
        and a template's example, are passed over.

    Raises
    ------
    ShopError
        Something in the sheet is wrong: names every row and column of it, and what may stand there.
    """
    plan = None if store is None else store.folder / "plan"
    path = next((p for ending in ("csv", "xlsx") if plan and (p := plan / f"{name}.{ending}").is_file()), None)
    if path is None:
        remedy = _("Write it by hand or in a spreadsheet; its first row holds: {columns}.")
        return Missing(f"plan/{name}.csv", remedy=remedy.format(columns=", ".join(c.name for c in columns)))
    head, *rows = _rows(path) or [[]]
    head = [h.strip() for h in head]
    wrong = [
        _("{file}, row {row}: column {column} is lacking").format(file=path.name, row=1, column=c.name)
        for c in columns
        if c.required and c.name not in head
    ]
    keys = [key] if isinstance(key, str) else list(key)
    out, seen = [], dict[tuple[str, ...], int]()
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells) or cells[0].startswith(EXAMPLE):
            continue
        said = dict(zip(head, cells, strict=False))
        row: dict[str, Any] = {}
        for c in (c for c in columns if c.name in head):
            text = said.get(c.name, "").strip()
            row[c.name], why = _cell(text, c)
            if keys[-1] == c.name and text:
                named = tuple(said.get(k, "").strip() for k in keys)
                why = why or (_("it is there already, in row {row}").format(row=seen[named]) if named in seen else "")
                seen.setdefault(named, number)
            if why:
                wrong.append(
                    _("{file}, row {row}, column {column}: {said!r}: {why}").format(
                        file=path.name, row=number, column=c.name, said=text, why=why
                    )
                )
        out.append(row)
    if wrong:
        raise ShopError("\n".join(wrong))
    return pd.DataFrame(out, columns=[c.name for c in columns])


def _rows(path: Path) -> list[list[str]]:
    if path.suffix == ".xlsx":
        frame = pd.read_excel(path, engine="calamine", header=None, dtype=str, keep_default_na=False)
        return [[str(cell) for cell in row] for row in frame.to_numpy()]
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    return list(csv.reader(io.StringIO(text)))


def _cell(text: str, column: Column) -> tuple[Any, str]:
    """What stands in a cell, and what is wrong with it."""
    if not text:
        return pd.NA, _("must be filled in") if column.required else ""
    if column.one_of and text not in column.one_of:
        return text, _("must be one of: {words}").format(words=", ".join(column.one_of))
    if column.between:
        low, high = column.between
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            return number, _("must be a number from {low} to {high}").format(low=f"{low:g}", high=f"{high:g}")
        return number, ""
    if column.is_day:
        try:
            return pd.Timestamp(day(text)), ""
        except ValueError:
            return pd.NaT, _("must be a day such as 2026-11-05")
    return text, column.check(text) if column.check else ""
