"""The files: which came, what kind of rows they hold, how far they reach, and which columns are not used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ibis
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import N_, _, listing
from ...missing import answers, quietly
from ..schema import TABLES

OUTCOMES = ("accepted", "superseded", "duplicate", "skipped", "quarantined")
"""What becomes of a row; each row has one of them."""


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
        One row per file: file; read = accepted + superseded + duplicate + skipped + quarantined (rows); file_total
        (money over every row of the file, whatever it is: not sales).
    """
    rows, counts = [], ("read", *OUTCOMES)
    for f in accounting["files"]:
        if "copy_of" in f:
            rows.append({"file": f["file"], "read": f["read"], "duplicate": f["read"]})
            continue
        rows.append({"file": f["file"]} | {c: f[c] for c in counts} | {"file_total": amount(f["file_total"])})
    return pd.DataFrame(rows, columns=["file", *counts, "file_total"]).fillna(dict.fromkeys(counts, 0))


@answers("What became of the money in the files?")
def money(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """What became of the money in the files?

    Returns
    -------
    DataFrame
        One row per file whose rows carry money: file; file_total = accepted + superseded + duplicate + skipped +
        quarantined (money as the rows state it, whatever they are: not sales). What could not be read as an amount has
        no money.
    """
    rows = [
        {"file": f["file"], "file_total": amount(f["file_total"])} | {o: amount(f["money"][o]) or 0.0 for o in OUTCOMES}
        for f in accounting["files"]
        if f.get("money")
    ]
    return pd.DataFrame(rows, columns=["file", "file_total", *OUTCOMES])


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
        else {"file": f["file"], "export": N_("a copy of {file}", "export").format(file=f["copy_of"]), "encoding": ""}
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
        | {"money": amount(c["money"])}
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
        One row per canonical table: table, rows (0 where there is none), meaning. ``attrs["notes"]`` names those that
        are lacking.
    """
    rows = accounting["tables"]
    found = [{"table": t.name, "rows": rows.get(t.name, 0), "meaning": t.meaning} for t in TABLES.values()]
    frame = pd.DataFrame(found).sort_values(["rows", "table"], ascending=[False, True], ignore_index=True)
    if len(lacking := frame[frame.rows == 0]):
        frame.attrs["notes"] = [_("Not there yet: {tables}.").format(tables=listing(lacking.table))]
    return frame


@answers("What was assumed, and which rules hold?")
def rules(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """What was assumed about the files, and which rules that they should keep do they break?

    Returns
    -------
    DataFrame
        kind (assumption, rule, repeated), text, rows (that the rule was held against or that are concerned), broken.
    """
    found: list[dict[str, Any]] = [{"kind": "assumption", "text": a} for a in accounting["assumptions"]]
    found += [
        {"kind": "rule", "text": c["text"], "rows": c["rows"], "broken": c["broken"]} for c in accounting["checks"]
    ]
    found += [
        {
            "kind": "repeated rows",
            "text": f["repeated_why"],
            "rows": f["repeated"],
            "money": amount(f["repeated_money"]),
        }
        for f in accounting["files"]
        if f.get("repeated")
    ]
    frame = pd.DataFrame(found, columns=["kind", "text", "rows", "broken", "money"])
    if frame.empty:
        frame.attrs["notes"] = [_("Nothing had to be assumed.")]
    return frame


@answers("Which columns of the files are used?")
def fields(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """Which columns of each file does the book use, and which does it leave aside?

    Names of columns only: what stands in a column that nothing maps is never shown.

    Returns
    -------
    DataFrame
        One row per file: file, used (how many columns are mapped), unused (names of the others, a tuple).
    """
    rows = [
        {"file": f["file"], "used": len(f["columns"]), "unused": tuple(f["unmapped"]) or None}
        for f in accounting["files"]
        if "columns" in f
    ]
    return pd.DataFrame(rows, columns=["file", "used", "unused"]).astype({"unused": object})


def amount(text: str | None) -> float | None:
    """Money as the accounting writes it down, as a number."""
    return None if text is None else float(text)
