"""The legal checklist: what the law asks of an online shop, what the book sees of it, what a person must check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ... import style
from ...data.engine import as_table
from ...language import _, current
from ...missing import Missing

ANSWERED = 0.95  # of the complaints


def checklist(
    as_of: dt.datetime, tables: Mapping[str, Any], *, flags: pd.DataFrame | Missing | None = None
) -> pd.DataFrame:
    """Where is the law kept, where not, and what must a person look at?

    Parameters
    ----------
    as_of : datetime
        The last 30 days before it are looked at.
    tables : mapping
        Canonical tables by name: messages, customers, tickets.
    flags : DataFrame, optional
        Of `playbook.content.compliance.scan`.

    Returns
    -------
    DataFrame
        item, law, article, duty, state ("pass", "fail", "person": somebody must look), evidence. "pass" says that the
        data show no breach, no more.
    """
    items = pd.read_csv(Path(__file__).parent / "checklist.csv", dtype=str, keep_default_na=False)
    zh = current() == "zh"
    rows = []
    for item in items.to_dict("records"):
        found = _checked(item["item"], as_of, flags, tables)
        state, evidence = found or ("person", _("the book cannot see this"))
        law, duty = (item["law_zh"], item["duty_zh"]) if zh else (item["law_en"], item["duty"])
        rows.append((item["item"], law, item["article"], duty, state, evidence))
    return pd.DataFrame(rows, columns=["item", "law", "article", "duty", "state", "evidence"])


def _checked(item: str, as_of: dt.datetime, flags: Any, tables: Mapping[str, Any]) -> tuple[str, str] | None:
    kinds = {"absolute": ("absolute", "efficacy"), "prizes": ("prize",), "reference_price": ("reference_price",)}
    if item in kinds and flags is not None and not isinstance(flags, Missing):
        mine = flags[flags["kind"].isin(kinds[item]) & (flags["allowed"] == "")]
        return _told(mine["content_id"].nunique(), flags.attrs.get("pieces", 0), _("{n} of {all} pieces claim it"))
    if item == "opt_out" and flags is not None and not isinstance(flags, Missing):
        mine = flags[(flags["kind"] == "clause") & flags["channel"].isin(["email", "sms"]) & (flags["allowed"] == "")]
        return _told(mine["content_id"].nunique(), flags.attrs.get("pieces", 0), _("{n} of {all} pieces do not say it"))
    if item == "consent":
        return _consent(as_of, tables)
    if item == "reply":
        return _replies(as_of, tables)
    return None


def _told(n: int, every: int, text: str) -> tuple[str, str]:
    return "fail" if n else "pass", text.format(n=style.value(n, "count"), all=style.value(every, "count"))


def _table(tables: Mapping[str, Any], name: str, *columns: str) -> Any:
    table = tables.get(name)
    if table is None or isinstance(table, Missing) or not set(columns) <= set(table.columns):
        return None
    return as_table(table)


def _consent(as_of: dt.datetime, tables: Mapping[str, Any]) -> tuple[str, str] | None:
    """Messages of the last 30 days to customers who have not agreed."""
    sent = _table(tables, "messages", "sent_at", "customer_id")
    customers = _table(tables, "customers", "customer_id", "consent_marketing")
    if sent is None or customers is None:
        return None
    recent = sent.filter(sent["sent_at"] >= as_of - dt.timedelta(days=30))
    if "holdout" in recent.columns:
        recent = recent.filter(~recent["holdout"].fill_null(False))
    agreed = customers.filter(customers["consent_marketing"]).select("customer_id").distinct()
    n = int(recent.anti_join(agreed, "customer_id").count().to_pandas())
    return _told(n, int(recent.count().to_pandas()), _("{n} of {all} messages went to people who have not agreed"))


def _replies(as_of: dt.datetime, tables: Mapping[str, Any]) -> tuple[str, str] | None:
    """Complaints of the last 30 days but two that nobody has answered."""
    rows = _table(tables, "tickets", "opened_at", "first_reply_at", "topic")
    if rows is None:
        return None
    begins, ends = as_of - dt.timedelta(days=32), as_of - dt.timedelta(days=2)
    rows = rows.filter((rows["opened_at"] >= begins) & (rows["opened_at"] < ends) & (rows["topic"] == "complaint"))
    every = int(rows.count().to_pandas())
    left = int(rows.filter(rows["first_reply_at"].isnull()).count().to_pandas())
    if not every:
        return None
    said = _told(left, every, _("{n} of {all} complaints have no answer after two days"))[1]
    return "fail" if left / every > 1 - ANSWERED else "pass", said
