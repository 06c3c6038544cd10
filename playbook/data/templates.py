"""Templates of the tables that no platform exports: a header and an example each, as CSV and as one workbook.

They lie beside ``raw/``, so that nothing of them is ingested; a filled one is moved there, and one of
``templates/plan/`` to ``plan/``. The example row begins with `words.EXAMPLE`; what reads it passes it over.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from .schema import TABLES, Column
from .words import EXAMPLE

NAMES = (
    *("targets", "campaigns", "promotions", "coupons", "content", "keywords", "tasks", "risks", "purchase_orders"),
    *("products", "prices", "inventory", "suppliers", "competitors", "market", "reviews", "mentions", "surveys"),
    *("assessments", "tickets", "audience_profile", "messages", "points", "experiments", "shipments"),
)
"""The tables that a team keeps itself."""

PLAN = {
    "alerts": {"kpi": "orders_paid", "part": "tmall", "low": "40", "high": "", "owner": "sales manager"},
    "campaign_plan": {"promotion_id": "1001", "metric": "paid_sales", "target": "50000"},
    "assets": {
        "kind": "lesson", "name": "Double 11 review", "tags": "Double 11, candles",
        "result": "twice the orders of the weeks before", "lesson": "order gift boxes six weeks ahead",
        "file": "", "hash": "",
    },
}  # fmt: skip
"""Sheets of ``plan/`` that are no tables, with an example each: what monitoring reads, and the library of assets."""

WORKBOOK = "team.xlsx"

_BY_TYPE = {
    "id": "1001",
    "text": "",
    "money": "199.00",
    "integer": "10",
    "number": "4",
    "share": "0.25",
    "flag": "no",
    "time": "2026-10-31 20:00:00",
    "date": "2026-10-31",
}
_BY_NAME = {
    "metric": "net_sales",
    "period": "2026-11",
    "target": "500000",
    "platform": "tmall",
    "channel": "search",
    "owner": "brand manager",
    "name": "Double 11",
    "title": "Double 11 teaser",
    "objective": "new customers",
    "rule": "full_reduction(300, 40)",
    "funded_by": "merchant",
    "form": "video",
    "stage": "planned",
    "keyword": "香薰蜡烛",
    "status": "open",
    "measure": "page is live",
    "trigger": "return_rate > 0.1",
    "competitor": "Another brand",
    "item": "Candle 200 g",
    "category": "candles",
    "survey": "2026 autumn",
    "question": "Would you recommend us?",
    "subject": "Another brand",
    "criterion": "packaging",
    "source": "industry report",
    "topic": "delivery",
    "warehouse": "main",
    "experiment": "free shipping bar",
    "arm": "control",
    "audience": "buyers",
    "trait": "age",
    "recorded_at": "2026-10-20 09:00:00",
}
_KINDS = {
    "campaigns": "festival",
    "promotions": "full_reduction",
    "risks": "supply",
    "messages": "",
    "points": "earn",
}


def example(table: str) -> dict[str, str]:
    """One row of a table, as a person would write it; its first cell says that it is an example."""
    spec = TABLES[table]
    row = {c.name: _said(table, c) for c in spec.columns if c.type != "hash"}
    first = spec.columns[0].name
    return row | {first: f"{EXAMPLE} {row[first]}".strip()}


def _said(table: str, column: Column) -> str:
    if column.name == "kind":
        return _KINDS.get(table, "")
    if column.known_at or (not column.required and column.type == "text" and column.name not in _BY_NAME):
        return ""
    return _BY_NAME.get(column.name, _BY_TYPE[column.type]) or (column.name if column.required else "")


def write_templates(folder: Path) -> list[Path]:
    """Write the templates into a folder; those that are there already stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    rows = {f"{name}.csv": example(name) for name in NAMES}
    rows |= {f"plan/{name}.csv": {c: f"{EXAMPLE} {x}" if not i else x for i, (c, x) in enumerate(row.items())}
             for name, row in PLAN.items()}  # fmt: skip
    for name, row in rows.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            text = io.StringIO()
            csv.writer(text, lineterminator="\r\n").writerows([list(row), list(row.values())])
            path.write_bytes(text.getvalue().encode("utf-8-sig"))
        out.append(path)
    if not (folder / WORKBOOK).exists():
        _workbook(folder / WORKBOOK)
    return [*out, folder / WORKBOOK]


def _workbook(path: Path) -> None:
    """All templates as the sheets of one workbook; identifiers are kept as text."""
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book: Any = openpyxl.Workbook()
    book.remove(book.active)
    for name in NAMES:
        sheet = book.create_sheet(name)
        row = example(name)
        sheet.append(list(row))
        sheet.append(list(row.values()))
        sheet.freeze_panes = "A2"
        for i, column in enumerate(row, 1):
            sheet.cell(1, i).font = Font(bold=True)
            dimension = sheet.column_dimensions[get_column_letter(i)]
            dimension.width = max(12, len(column) + 2)
            if TABLES[name].by_name[column].type in ("id", "text"):
                dimension.number_format = "@"
    book.save(path)
