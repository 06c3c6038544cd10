"""What a canonical table is: its columns, their types, and how time cuts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Type = Literal["id", "text", "money", "integer", "number", "share", "flag", "time", "date", "hash"]

SQL_TYPES: dict[str, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "money": "DECIMAL(18, 4)",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "share": "DOUBLE",
    "flag": "BOOLEAN",
    "time": "TIMESTAMP",
    "date": "DATE",
    "hash": "VARCHAR",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, and when it became known (a time column of the same row)."""

    name: str
    type: Type
    meaning: str
    required: bool = False
    known_at: str | None = None


@dataclass(frozen=True)
class Table:
    """One canonical table.

    Attributes
    ----------
    key : tuple of str
        Columns that tell one row from another; empty where a row has none.
    happened : str or None
        Observed tables: the time or date column that says when the row came to be. None: not cut (a state, such as the
        product list).
    recorded : str or None
        Planned tables: the column that says when the row was written down.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...] = field(repr=False)
    happened: str | None = None
    recorded: str | None = None

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    @property
    def planned(self) -> bool:
        return self.recorded is not None

    @property
    def state(self) -> bool:
        """Whether a row says how something is, not that something happened: products, customers, suppliers."""
        return self.recorded is None and (self.happened is None or self.name == "customers")

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.required)


def table(name: str, meaning: str, rows: str, *, key: str, happened: str = "", recorded: str = "") -> Table:
    """A table from lines of ``name[!] type meaning [@known_at]``; an exclamation mark says required."""
    columns = []
    for line in rows.strip().splitlines():
        head, kind, text = line.split(None, 2)
        text, _at, known_at = text.partition(" @")
        columns.append(Column(head.rstrip("!"), kind, text, head.endswith("!"), known_at or None))  # type: ignore[arg-type]
    return Table(name, meaning, tuple(key.split()), tuple(columns), happened or None, recorded or None)
