"""Data health: which files came, what was done with every row of them, and how far they reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ibis
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _
from ..missing import answers, quietly
from .schema import TABLES

_COUNTS = ("read", "accepted", "blank", "superseded", "duplicate", "quarantined")


@answers("Which files came, and what was done with their rows?")
def sources(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """Which files came, and what was done with their rows?

    Parameters
    ----------
    accounting : mapping
        `Shop.accounting`.

    Returns
    -------
    DataFrame
        One row per file: file; read = accepted + blank + superseded + duplicate + quarantined (rows);
        file_total (money over every row of the file, whatever it is: not sales).
    """
    rows = []
    for f in accounting["files"]:
        if "copy_of" in f:
            rows.append({"file": f["file"], "read": f["read"], "duplicate": f["read"]})
            continue
        rows.append({"file": f["file"]} | {c: f[c] for c in _COUNTS} | {"file_total": _money(f["file_total"])})
    return pd.DataFrame(rows, columns=["file", *_COUNTS, "file_total"]).fillna(dict.fromkeys(_COUNTS, 0))


@answers("What kind of export is each file?")
def kinds(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """What kind of export is each file, and how was it written?

    Returns
    -------
    DataFrame
        One row per file: file, export (the source format's title), encoding.
    """
    rows = [
        {"file": f["file"], "export": f["title"], "encoding": f["encoding"]}
        if "title" in f
        else {"file": f["file"], "export": _("a copy of {file}").format(file=f["copy_of"]), "encoding": ""}
        for f in accounting["files"]
    ]
    return pd.DataFrame(rows, columns=["file", "export", "encoding"])


@answers("What are the rows of each file?")
def classes(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """What are the rows of each file, and what is their money?

    Returns
    -------
    DataFrame
        One row per file, class and outcome: file, class, outcome, rows, money. Rows and money add up to the file's.
    """
    rows = [
        {"file": f["file"], "class": c["class"] or "—", "outcome": c["outcome"], "rows": c["rows"]}
        | {"money": _money(c["money"])}
        for f in accounting["files"]
        for c in f.get("classes", ())
    ]
    return pd.DataFrame(rows, columns=["file", "class", "outcome", "rows", "money"])


@answers("How far do the files reach?")
def reach(rows: ibis.Table, *, until: dt.datetime | None = None) -> pd.DataFrame:
    """How far does each file reach, and how much of it had happened by a moment?

    Parameters
    ----------
    rows : table
        `Shop.rows`: file, at, money, order, customer.
    until : datetime, optional
        Only rows that state an earlier time; rows that state none are left out then.

    Returns
    -------
    DataFrame
        One row per file: file, rows, file_total (money over the rows), orders and customers (different numbers),
        first, last (times).
    """
    there = rows if until is None else rows.filter(rows["at"] < ibis.timestamp(until))
    return (
        there.group_by("file")
        .aggregate(
            rows=there.count(),
            file_total=there.money.sum(),
            orders=there.order.nunique(),
            customers=there.customer.nunique(),
            first=there["at"].min(),
            last=there["at"].max(),
        )
        .order_by("file")
        .to_pandas()
        .assign(file_total=lambda f: f.file_total.astype(float))
    )


@answers("How many rows does each day have?")
def days(rows: ibis.Table) -> pd.DataFrame:
    """How many rows does each day have, and where are gaps?

    Returns
    -------
    DataFrame
        One row per file and day between the file's first and last one: file, day, rows.
    """
    dated = rows.filter(rows["at"].notnull()).mutate(day=lambda t: t["at"].date())
    found = dated.group_by(["file", "day"]).aggregate(rows=lambda t: t.count()).to_pandas()
    found["day"] = pd.to_datetime(found["day"])
    whole = [
        of_file.set_index("day").rows.asfreq("D", fill_value=0).rename_axis("day").reset_index().assign(file=name)
        for name, of_file in found.sort_values("day").groupby("file")
    ]
    return pd.concat(whole, ignore_index=True)[["file", "day", "rows"]] if whole else found


@quietly
def plot_days(days: pd.DataFrame) -> Axes:
    """Rows a day, all files together."""
    daily = days.groupby("day").rows.sum()
    ax = style.axes(height=2.6)
    ax.fill_between(daily.index, daily.to_numpy(), step="mid", color=style.OWN, alpha=0.85, linewidth=0)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(_("rows a day"))
    style.date_axis(ax)
    ax.set_title(_("Rows in the files, by the day that they speak of"))
    return ax


@answers("Which tables does the book have?")
def tables(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """Which tables does the book have, and which could it still get?

    Returns
    -------
    DataFrame
        One row per canonical table: table, rows (0 where there is none), meaning.
    """
    rows = accounting["tables"]
    found = [{"table": t.name, "rows": rows.get(t.name, 0), "meaning": _(t.meaning)} for t in TABLES.values()]
    return pd.DataFrame(found).sort_values(["rows", "table"], ascending=[False, True], ignore_index=True)


@answers("What was assumed, and which rules hold?")
def rules(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """What was assumed about the files, and which rules that they should keep do they break?

    Returns
    -------
    DataFrame
        kind (assumption, rule, repeated), text, rows (that the rule was held against or that are concerned), broken.
    """
    found: list[dict[str, Any]] = [{"kind": "assumption", "text": _(a)} for a in accounting["assumptions"]]
    found += [
        {"kind": "rule", "text": _(c["text"]), "rows": c["rows"], "broken": c["broken"]} for c in accounting["checks"]
    ]
    found += [
        {
            "kind": "repeated rows",
            "text": _(f["repeated_why"]),
            "rows": f["repeated"],
            "money": _money(f["repeated_money"]),
        }
        for f in accounting["files"]
        if f.get("repeated")
    ]
    return pd.DataFrame(found, columns=["kind", "text", "rows", "broken", "money"])


@answers("Can these data be trusted?")
def findings(accounting: Mapping[str, Any], *, act_above: float = 0.01) -> list[Finding]:
    """Can these data be trusted, and what is to be mended first?

    Parameters
    ----------
    accounting : mapping
        `Shop.accounting`.
    act_above : float
        Share of the rows read that may be in quarantine before that calls for action.

    Returns
    -------
    list of Finding
        On quarantine, on each broken rule, on files that the book cannot read.
    """
    files = sources(accounting)
    read, bad = int(files["read"].sum()), int(files.quarantined.sum())
    figures = (Figure("rows_read", read, "count"), Figure("rows_quarantined", bad, "count"))
    words = {"rows": style.value(read, "count"), "bad": style.value(bad, "count"), "files": len(files)}
    text = _("All {rows} rows of {files} files are accounted for; none is in quarantine.")
    verdict: Verdict = "hold"
    if bad:
        text = _("Of {rows} rows in {files} files {bad} could not be read; tables/…/quarantine.csv says where and why.")
        verdict = "act" if bad > act_above * read else "watch"
    found = [Finding(verdict, text.format(**words), None, figures)]
    for c in accounting["checks"]:
        if c["broken"]:
            text = _("{broken} of {rows} rows break a rule of their export: {rule}")
            text = text.format(
                broken=style.value(c["broken"], "count"), rows=style.value(c["rows"], "count"), rule=_(c["text"])
            )
            found.append(
                Finding("act", text, None, (Figure("rule_broken", c["broken"], "count", by={"rule": c["text"]}),))
            )
    for name in accounting["passed_over"]:
        text = _("{file} was passed over: the book reads CSV, TSV, XLSX, XLS and Parquet.").format(file=name)
        found.append(Finding("watch", text))
    return found


def _money(text: str | None) -> float | None:
    return None if text is None else float(text)
