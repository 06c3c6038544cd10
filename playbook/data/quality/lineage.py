"""Lineage: what a report was made from, and what moved since the last report of the same period, and why."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import ibis
import pandas as pd

from ...findings import rounded
from ...language import N_, _
from ...missing import Missing, answers
from ...period import Period
from .files import kinds

LIBRARIES = ("duckdb", "ibis-framework", "numpy", "pandas", "scipy", "statsmodels")

HEADLINE = "07a_scorecard"
"""The notebook whose figures stand for a report."""

REFUNDS = frozenset({"refund", "refunded", "return", "returned", "credit_note"})
"""Classes of rows that give money back, beside all rows of a file of returns."""

Record = Mapping[str, Any]


@answers("What was this report made from?")
def inputs(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """Which files, exactly, was this report made from?

    Returns
    -------
    DataFrame
        One row per file: file, export (the source format's title), encoding, exported_at (as its name or preamble says;
        absent where none does), hash (the first twelve digits of its SHA-256), read (rows). ``attrs["notes"]`` names
        the tables' key and what they were made with.
    """
    rows = [
        {"file": f["file"], "exported_at": f.get("exported_at"), "hash": f["sha256"][:12], "read": f["read"]}
        for f in accounting["files"]
    ]
    found = kinds(accounting).merge(pd.DataFrame(rows, columns=["file", "exported_at", "hash", "read"]), on="file")
    if found.exported_at.isna().all():
        found = found.drop(columns="exported_at")
    text = _("Tables {key}; made with {versions}.")
    made = ", ".join(f"{name} {version}" for name, version in _versions().items())
    found.attrs["notes"] = [text.format(key=accounting.get("key", "—"), versions=made)]
    return found


@answers("What do this report's numbers rest on?")
def record(
    accounting: Mapping[str, Any], rows: ibis.Table, measured: pd.DataFrame | None, period: Period
) -> dict[str, Any]:
    """What do this report's numbers rest on, in the form of what a finished report leaves behind?

    Parameters
    ----------
    accounting : mapping
        `Shop.accounting`.
    rows : table
        `Shop.rows`.
    measured : DataFrame, optional
        Headline metrics in long form: metric, unit, value.
    period : Period

    Returns
    -------
    dict
        ``figures`` (name, value, unit) and ``manifest`` (files, tables, versions, outcomes) as in a report's folder;
        ``in_period``: for each file and class the accepted rows whose time lies in the period, and their money.
    """
    day = rows["at"].date()
    inside = rows.filter(day >= ibis.date(period.start), day < ibis.date(period.end), rows.outcome == "accepted")
    counted = inside.group_by("file", "class").aggregate(rows=inside.count(), money=inside.money.sum()).to_pandas()
    counted = counted.sort_values(["file", "class"], na_position="first")
    by_class = [
        {"file": r["file"], "class": r["class"] or "", "rows": int(r["rows"]), "money": rounded(r["money"])}
        for r in counted.astype(object).where(counted.notna(), None).to_dict("records")
    ]
    figures = [] if measured is None else measured[["metric", "unit", "value"]].to_dict("records")
    return {
        "figures": [{"name": r["metric"], "unit": r["unit"], "value": rounded(r["value"])} for r in figures],
        "manifest": {
            "files": {f["file"]: f["sha256"] for f in accounting["files"]},
            "formats": {f["file"]: f.get("format", "") for f in accounting["files"]},
            "tables": accounting["key"],
            "versions": _versions(),
            "outcomes": outcomes(accounting),
        },
        "in_period": by_class,
    }


def outcomes(accounting: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """File → how many rows came to which end, for a report's manifest."""
    names = ("read", "accepted", "superseded", "duplicate", "skipped", "quarantined")
    return {f["file"]: {n: f.get(n, 0) for n in names} for f in accounting["files"]}


def _versions() -> dict[str, str]:
    from ... import __version__

    return {"playbook": __version__, "python": platform.python_version()} | {n: metadata.version(n) for n in LIBRARIES}


@answers("Which headline figures moved since the last report of this period?")
def moved(now: Record, before: Record | None) -> pd.DataFrame:
    """Which headline figures moved since the last report of this period?

    Parameters
    ----------
    now : mapping
        From `record`.
    before : mapping
        The same of an earlier report (`Shop.last_report`): ``figures`` and ``manifest`` as they lie in its folder. The
        first report of a period has none.

    Returns
    -------
    DataFrame
        One row per figure that differs, largest change first: metric, unit, value, before, change (relative; of a share
        the difference). Without rows where nothing moved; ``attrs["notes"]`` then says so.
    """
    told: dict[str, Any] = {}
    for f in () if before is None else before["figures"]:
        if f.get("notebook", HEADLINE) == HEADLINE and not f.get("by"):
            told.setdefault(f["name"].removeprefix("headline."), f["value"])
    rows = []
    for f in now["figures"]:
        if f["name"] not in told or told[f["name"]] == f["value"]:
            continue
        old, new = told[f["name"]], f["value"]
        known = old is not None and new is not None
        change = (new - old if f["unit"] == "share" else new / old - 1 if old else None) if known else None
        rows.append({"metric": f["name"], "unit": f["unit"], "value": new, "before": old, "change": change})
    found = pd.DataFrame(rows, columns=["metric", "unit", "value", "before", "change"])
    found = found.astype({"value": float, "before": float, "change": float})
    found = found.sort_values("change", key=lambda c: -c.abs(), kind="stable", ignore_index=True)
    found.attrs |= {"by": [], "in_unit": {"before": N_("In the last report")}}
    if before is None:
        found.attrs["notes"] = [_("This is the first report of this period; the next is compared with it.")]
    elif found.empty:
        found.attrs["notes"] = [_("Nothing moved: every headline figure is what the last report said.")]
    return found


def causes(now: Record | Missing, before: Record | Missing) -> pd.DataFrame | Missing:
    """What changed in files, refunds, exports and versions since the last report of this period?

    Parameters
    ----------
    now, before : mapping
        As in `moved`.

    Returns
    -------
    DataFrame
        One row per cause: cause (new file, changed file, file gone, late refunds, re-export, other version, other
        reading); what (file or package); rows; money (of the file's accepted rows in the period, as the file states it;
        NaN where a cause has none); text (a sentence). ``attrs["notes"]`` says so where nothing changed.
    """
    if isinstance(now, Missing) or isinstance(before, Missing):
        return (now if isinstance(now, Missing) else before).quiet()  # type: ignore[union-attr]
    new, old = now["manifest"], before["manifest"]
    rows: list[dict[str, Any]] = []

    def add(cause: str, what: str, text: str, n: int | None = None, money: float | None = None) -> None:
        rows.append({"cause": cause, "what": what, "rows": n, "money": money, "text": text})

    fresh = [f for f, digest in new["files"].items() if old["files"].get(f) != digest]
    for f in fresh:
        came = [r for r in now["in_period"] if r["file"] == f]
        n, money = sum(r["rows"] for r in came), _sum(came)
        if f in old["files"]:
            add(N_("changed file", "cause"), f, _("The file is another one than last time."), n, money)
        else:
            add(N_("new file", "cause"), f, _("The file was not there last time."), n, money)
        late = [r for r in came if _gives_back(r, new.get("formats", {}))]
        if late:
            text = _("Refunds of the period that came with this file.")
            add(N_("late refunds", "cause"), f, text, sum(r["rows"] for r in late), _sum(late))
    for f in old["files"]:
        if f not in new["files"]:
            add(N_("file gone", "cause"), f, _("The file that the last report read is no longer there."))
    earlier = old.get("outcomes", {})
    for f, counted in new["outcomes"].items():
        more = counted["superseded"] - earlier.get(f, {}).get("superseded", 0)
        if more > 0 and (fresh or f in earlier):
            add(N_("re-export", "cause"), f, _("Rows of this file were replaced by a later export."), more)
    for name, version in new["versions"].items():
        last = old.get("versions", {}).get(name, old.get(name))
        if last is not None and last != version:
            text = _("Made with version {new}; the last report with {old}.").format(new=version, old=last)
            add(N_("other version", "cause"), name, text)
    if not fresh and new["tables"] != old["tables"] and set(new["files"]) == set(old["files"]):
        text = _("The same files are read in another way: a format, a setting or the package changed.")
        add(N_("other reading", "cause"), new["tables"], text)
    found = pd.DataFrame(rows, columns=["cause", "what", "rows", "money", "text"]).astype(
        {"rows": float, "money": float}
    )
    if found.empty:
        found.attrs["notes"] = [_("The same files, read in the same way, with the same versions.")]
    return found


def _sum(rows: list[dict[str, Any]]) -> float | None:
    there = [r["money"] for r in rows if r["money"] is not None]
    return rounded(sum(there)) if there else None


def _gives_back(row: Mapping[str, Any], formats: Mapping[str, str]) -> bool:
    return row["class"] in REFUNDS or formats.get(row["file"], "").endswith("returns")
