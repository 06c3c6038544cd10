"""Cells of the sheets that people open in a spreadsheet."""

from __future__ import annotations

import datetime as dt
import re


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> defused("=1+1"), defused("plain")
    ("'=1+1", 'plain')
    """
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def day(cell: str) -> dt.date | None:
    """The day in a cell, as people and spreadsheets write it; None where it is empty.

    Raises
    ------
    ValueError
        It is no day.

    Examples
    --------
    >>> day("2026/11/5"), day(" ")
    (datetime.date(2026, 11, 5), None)
    """
    if not cell.strip():
        return None
    if not (m := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]00:00(?::00)?)?", cell.strip())):
        raise ValueError(f"{cell!r} is no day")
    return dt.date(int(m[1]), int(m[2]), int(m[3]))
