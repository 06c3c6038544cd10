"""The canonical tables: the one definition of every table and column, its type, and how time cuts it.

Every table is *observed* or *planned*. An observed row exists from the moment it happened (`happened`); columns that
became known later name the time column that reveals them (`known_at`), and any other time that lies ahead is not known
yet. A planned row exists from the moment it was recorded (`recorded_at`); its own dates may lie ahead, except those
that say what came of it (they name themselves in `known_at`).

Types: ``id`` and ``text`` are text (an identifier is never a number); ``money`` is DECIMAL(18, 4) in the shop's
currency (four places because exports carry unit prices of a tenth of a cent); ``time`` is a UTC timestamp in storage;
``date`` is a day of the shop's calendar; ``share`` is a fraction; ``integer``, ``number``, ``flag`` are what they say;
``hash`` is a keyed hash of something personal, made by ingest: the thing itself is never carried into a table.
"""

from __future__ import annotations

from . import audience, market, plans, sales, supply
from .model import SQL_TYPES, Column, Table, Type

TABLES: dict[str, Table] = {t.name: t for of in (sales, audience, market, supply, plans) for t in of.TABLES}


def dictionary() -> str:
    """The data dictionary, as Markdown: every table, its columns, types and meanings."""
    out = ["# Data dictionary", ""]
    for table in TABLES.values():
        cut = (
            f"planned, cut by `{table.recorded}`"
            if table.recorded
            else f"observed, cut by `{table.happened}`"
            if table.happened
            else "a state, not cut"
        )
        out += [f"## {table.name}", "", f"{table.meaning} ({cut}; key: {', '.join(table.key)})", ""]
        out += ["| column | type | meaning |", "|---|---|---|"]
        for c in table.columns:
            need = " **(required)**" if c.required else ""
            late = f" (known from `{c.known_at}` on)" if c.known_at else ""
            out.append(f"| {c.name} | {c.type} | {c.meaning}{late}{need} |")
        out.append("")
    return "\n".join(out)


__all__ = ["SQL_TYPES", "TABLES", "Column", "Table", "Type", "dictionary"]
