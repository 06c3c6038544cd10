"""The library of marketing assets: data, creatives, lessons and relationships, each with its result, to be used again.

People keep ``data/<shop>/plan/assets.csv``; what a report finds worth keeping is proposed beside it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import ibis
import pandas as pd

from .. import style
from ..data.engine import as_table
from ..data.store import ShopError
from ..data.words import EXAMPLE
from ..language import _
from ..methods.intervals import shrunken_rates
from ..missing import Missing

KINDS = ("data", "creative", "lesson", "relationship")

COLUMNS = ("kind", "name", "tags", "result", "lesson", "file", "hash")
"""Of the library. `hash` is the beginning of the SHA-256 of what the asset is made of."""

FEWEST = 4
"""Fewer creatives do not tell how much creatives differ."""

BEST = 5
"""Creatives that are worth keeping."""


def kept(plan: Path) -> pd.DataFrame:
    """What do people keep in the library?

    Parameters
    ----------
    plan : Path
        The shop's folder ``plan/``; without ``assets.csv`` in it the library is empty. Columns: kind (data, creative,
        lesson, relationship), name; tags, result, lesson, file (within ``plan/``), hash may be empty.

    Returns
    -------
    DataFrame
        `COLUMNS`, and state: "", "file is gone", or "file has changed" since its hash was written down.

    Raises
    ------
    ShopError
        A row has no name or an unknown kind; names row and column.
    """
    path = plan / "assets.csv"
    if not path.exists():
        return pd.DataFrame(columns=[*COLUMNS, "state"])
    rows = []
    for number, line in enumerate(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))), start=2):
        row = {c: (line.get(c) or "").strip() for c in COLUMNS}
        if row["kind"].startswith(EXAMPLE):
            continue
        if not row["name"] or row["kind"] not in KINDS:
            column = "name" if not row["name"] else "kind"
            raise ShopError(
                _("assets.csv, row {row}: {column} is {said!r}; a kind is one of: {kinds}").format(
                    row=number, column=column, said=row[column], kinds=", ".join(KINDS)
                )
            )
        rows.append(row | {"state": _state(plan, row)})
    return pd.DataFrame(rows, columns=[*COLUMNS, "state"])


def found(
    *,
    accounting: Mapping[str, Any] | None = None,
    ad_spend: ibis.Table | None = None,
    customer_360: ibis.Table | None = None,
    lessons: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What does the report find worth keeping?

    Parameters
    ----------
    accounting : mapping, optional
        ``shop.accounting()``: each kind of export is an asset, with its rows and the hash of its last file.
    ad_spend : Table, optional
        The creatives with the best rate of clicks, or campaigns where creatives are not told apart; the rates of small
        ones are drawn towards the mean.
    customer_360 : Table, optional
        How many persons have agreed to be written to, and how many of them have bought twice.
    lessons : DataFrame, optional
        From `retrospect.lessons`.

    Returns
    -------
    DataFrame
        `COLUMNS`. What is lacking is left out.
    """
    rows: list[dict[str, str]] = []
    if _there(accounting):
        rows += _data(accounting)
    if _there(ad_spend):
        rows += _creatives(ad_spend)
    if _there(customer_360):
        rows += _relationships(customer_360)
    if _there(lessons):
        rows += [
            {"kind": "lesson", "name": r.source, "tags": f"{r.kind}, {r.report}", "lesson": r.lesson}
            for r in lessons.itertuples()
        ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).fillna("")
    if frame.empty:
        frame.attrs["notes"] = [_("The report found nothing to keep.")]
    return frame


def search(assets: pd.DataFrame, words: str | Sequence[str]) -> pd.DataFrame:
    """Which assets speak of all these words? No words: all of them.

    Examples
    --------
    >>> library = pd.DataFrame({"kind": ["lesson", "data"], "name": ["a", "b"], "tags": ["618, mask", "618"]})
    >>> search(library, "mask 618")["name"].tolist()
    ['a']
    """
    wanted = [w.casefold() for w in (words.split() if isinstance(words, str) else words)]
    text = assets.astype(str).agg(" ".join, axis=1).str.casefold() if len(assets) else pd.Series(dtype=str)
    there = [all(w in t for w in wanted) for t in text]
    return assets[there].reset_index(drop=True)


def _there[T](given: T | None) -> TypeGuard[T]:
    return given is not None and not isinstance(given, Missing)


def _data(accounting: Mapping[str, Any]) -> list[dict[str, str]]:
    by_format: dict[str, list[Mapping[str, Any]]] = {}
    for file in accounting["files"]:
        by_format.setdefault(str(file.get("title") or file["format"]), []).append(file)
    rows = []
    for title, files in sorted(by_format.items()):
        text = _("{rows} rows from {files} files").format(
            rows=style.value(sum(f.get("accepted", 0) for f in files), "count"), files=style.value(len(files), "count")
        )
        last = max(files, key=lambda f: str(f["file"]))
        rows.append({"kind": "data", "name": title, "result": text, "file": last["file"], "hash": last["sha256"][:12]})
    return rows


def _creatives(ad_spend: ibis.Table) -> list[dict[str, str]]:
    table = as_table(ad_spend)
    if not {"level", "impressions", "clicks"} <= set(table.columns):
        return []
    for level, column in (("creative", "creative_id"), ("campaign", "campaign_id")):
        if column not in table.columns:
            continue
        rows = table.filter((table["level"] == level) & table[column].notnull() & (table["impressions"] > 0))
        each = rows.group_by(column, "platform").aggregate(
            clicks=rows["clicks"].sum(), impressions=rows["impressions"].sum(), spend=rows["spend"].sum()
        )
        sums = each.to_pandas()
        if len(sums) < FEWEST:
            continue
        sums = sums.sort_values([column, "platform"], ignore_index=True)
        rates = shrunken_rates(sums["clicks"].astype(float), sums["impressions"].astype(float))
        best = rates["low"].nlargest(BEST).index  # what is known to be good, not what was lucky
        text = _("{rate} of {n} impressions were clicked")
        return [
            {
                "kind": "creative",
                "name": str(sums.loc[i, column]),
                "tags": str(sums.loc[i, "platform"]),
                "result": text.format(
                    rate=style.value(rates.loc[i, "estimate"], "share"),
                    n=style.value(sums.loc[i, "impressions"], "count"),
                ),
            }
            for i in best
        ]
    return []


def _relationships(customer_360: ibis.Table) -> list[dict[str, str]]:
    table = as_table(customer_360)
    if "consent_marketing" not in table.columns:
        return []
    agreed = table["consent_marketing"].cast("boolean").fill_null(False)
    sums = table.aggregate(agreed=agreed.sum(), again=(agreed & (table["orders"] >= 2)).sum()).to_pandas().iloc[0]
    n, again = (int(0 if pd.isna(x) else x) for x in (sums["agreed"], sums["again"]))
    text = _("{n} persons; {again} of them have bought twice or more")
    result = text.format(n=style.value(n, "count"), again=style.value(again, "count"))
    return [{"kind": "relationship", "name": _("Persons who agreed to be written to"), "result": result}]


def _state(plan: Path, row: Mapping[str, str]) -> str:
    if not row["file"]:
        return ""
    path = plan / row["file"]
    if not path.is_file() or not path.resolve().is_relative_to(plan.resolve()):
        return _("file is gone")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return "" if digest.startswith(row["hash"]) else _("file has changed")
