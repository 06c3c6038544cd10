"""The quality scorecard: each table on each dimension, by stated rules, counted where the rows lie."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import N_, _, humanise
from ...missing import Missing, answers, quietly
from ...period import Period
from ..engine import as_table
from ..schema import TABLES, Table
from .rulebook import DIMENSIONS, MAY_BE_EMPTY, MONEY_TABLES, REFERENCES, RULES

_COLUMNS = ["table", "dimension", "rule", "score", "n", "broken", "blocks"]

REQUIRED = N_("The columns that every row must have are filled.")
SUPPLIED = N_("The columns that the shop supplies are filled.")
UNIQUE = N_("Every row has a key of its own: {columns}.")
KNOWN = N_("{column} is known in {table}.")
FRESH = N_("The rows reach to the period's end: silent for no longer than ever in the year before.")


@answers("How good are the tables?")
def scorecard(
    tables: Mapping[str, ibis.Table | pd.DataFrame | Missing],
    period: Period,
    *,
    last_day: dt.date | None = None,
    blocking: bool = False,
) -> pd.DataFrame:
    """How good are the tables, rule by rule?

    Everything is counted in the engine, in one pass over each table and one over its days.

    Parameters
    ----------
    tables : mapping of table name → table or frame
        The canonical tables that there are (`Shop.tables`), in the shop's time. A Missing is passed over.
    period : Period
        Up to its end the rows should reach.
    last_day : date, optional
        `Shop.last_day`. Where the files reach beyond the period, days without orders at its end are days on which the
        shop was closed: no table need reach further than the orders do.
    blocking : bool
        Only the rules that can block decisions, which are few: what a notebook has to know before it concludes.

    Returns
    -------
    DataFrame
        One row per rule that can be held against a table: table; dimension (completeness, uniqueness, validity,
        freshness, references); rule (a sentence); score (share that keeps it, NaN: too few rows to say); n (cells,
        rows or, for freshness, days of the period); broken (of them); blocks (whether a break makes net sales wrong:
        see `gate`).
    """
    there = {name: as_table(t) for name, t in tables.items() if not isinstance(t, Missing)}
    end = _end(there, period, last_day)
    rows: list[dict[str, Any]] = []
    for name, table in there.items():
        if not blocking or name in MONEY_TABLES:
            rows += _scores(TABLES[name], table, {} if blocking else there, period, end, blocking)
    found = pd.DataFrame(rows, columns=_COLUMNS)
    found["score"] = 1 - found.broken / found.n.where(found.n > 0)
    return found


def _scores(
    spec: Table, table: ibis.Table, others: Mapping[str, ibis.Table], period: Period, end: dt.date, blocking: bool
) -> list[dict[str, Any]]:
    columns, money = set(table.columns), spec.name in MONEY_TABLES
    joined, known = _with_parents(spec.name, table, others)
    asked: list[tuple[str, str, bool, Any, Any]] = []  # dimension, rule, blocks, n, broken
    rows = joined.count()

    def empty(names: list[str]) -> Any:
        return sum((rows - joined[c].count() for c in names[1:]), rows - joined[names[0]].count())

    required = [c for c in spec.required if c in columns]
    asked.append(("completeness", REQUIRED, money, rows * len(required), empty(required)))
    optional = [c.name for c in spec.columns if not c.required and c.name in columns and not c.known_at]
    if filled := [c for c in optional if c not in MAY_BE_EMPTY.get(spec.name, ()) and not spec.planned]:
        asked.append(("completeness", SUPPLIED, False, rows * len(filled), empty(filled)))
    if key := _key(spec, columns):
        text = UNIQUE.format(columns=", ".join(key))
        asked.append(("uniqueness", text, money, rows, rows - _different(joined, key)))
    for rule in RULES:
        if rule.table == spec.name and columns.issuperset(rule.columns):
            holds = rule.holds(joined)
            blocks = money and rule.columns == ("amount",)
            asked.append(("validity", rule.text, blocks, holds.count(), (~holds).sum().fill_null(0)))
    for column, parent, marker in known:
        text = KNOWN.format(column=column, table=parent)
        n = joined[column].count()
        asked.append(("references", text, False, n, n - joined[marker].count()))
    asked = [a for a in asked if a[2] or not blocking]
    sums = {f"{end}{i}": one for i, (*_what, n, broken) in enumerate(asked) for end, one in (("n", n), ("b", broken))}
    counted = joined.aggregate(**sums).to_pandas().iloc[0]
    out = [
        {"table": spec.name, "dimension": dimension, "rule": text, "blocks": blocks}
        | {"n": int(counted[f"n{i}"]), "broken": int(counted[f"b{i}"])}
        for i, (dimension, text, blocks, _n, _b) in enumerate(asked)
    ]
    if spec.happened in columns and not (blocking and spec.name != "orders"):
        out.append(_freshness(spec, table, period, end))
    return out


def _with_parents(
    name: str, table: ibis.Table, others: Mapping[str, ibis.Table]
) -> tuple[ibis.Table, list[tuple[str, str, str]]]:
    """The table with a marker beside each row for every table in which one of its values stands."""
    known = []
    for i, (child, column, parent) in enumerate(REFERENCES):
        if child == name and parent in others and column in table.columns and column in others[parent].columns:
            marker = f"known_{i}"
            values = others[parent].select(**{marker: others[parent][column]}).distinct()
            table = table.left_join(values, table[column] == values[marker])
            known.append((column, parent, marker))
    return table, known


def _key(spec: Table, columns: set[str]) -> list[str]:
    """The columns of the key that are there; none where what is left cannot tell rows apart."""
    # the lines of an order are many: without their number, two of them may say the same
    return [] if "line" in spec.key and "line" not in columns else [c for c in spec.key if c in columns]


def _different(table: ibis.Table, key: list[str]) -> Any:
    """How many different keys there are."""
    if len(key) == 1:
        return table[key[0]].nunique()
    cells = [table[c].cast("string").fill_null("\x00") for c in key]
    text = cells[0]
    for cell in cells[1:]:
        text = text.concat("\x1f", cell)
    return text.nunique()


def _end(tables: Mapping[str, ibis.Table], period: Period, last_day: dt.date | None) -> dt.date:
    """The day to which rows should reach: the period's last, or that of its last orders where later ones are there."""
    if last_day is None or last_day < period.end or "orders" not in tables:
        return period.last_day
    last = tables["orders"].ordered_at.max().to_pandas()
    return period.last_day if pd.isna(last) else min(period.last_day, max(period.start, last.date()))


def _freshness(spec: Table, table: ibis.Table, period: Period, end: dt.date) -> dict[str, Any]:
    """For how many days at the period's end was the table silent, if that is longer than it ever was in the year?"""
    at = table[spec.happened]
    day = (at.date() if spec.by_name[str(spec.happened)].type == "time" else at).name("day")
    year_ago = ibis.date(period.last_day - dt.timedelta(days=365))
    days = table.filter(at.notnull()).select(day).distinct().filter(lambda t: t.day >= year_ago).to_pandas().day
    seen = sorted(pd.to_datetime(days))
    row = {"table": spec.name, "dimension": "freshness", "rule": FRESH, "blocks": spec.name == "orders"}
    if not seen and spec.name == "orders":
        return row | {"n": period.days, "broken": period.days}
    if len(seen) < 3:
        return row | {"n": 0, "broken": 0}
    longest = max((b - a).days for a, b in pairwise(seen)) - 1
    silent = (pd.Timestamp(end) - seen[-1]).days
    return row | {"n": period.days, "broken": 0 if silent <= max(1, longest) else min(silent, period.days)}


@answers("How good is each table?")
def table_scores(scorecard: pd.DataFrame) -> pd.DataFrame:
    """How good is each table, on each dimension and overall?

    Parameters
    ----------
    scorecard : DataFrame
        From `scorecard`.

    Returns
    -------
    DataFrame
        One row per table, in the order of the schema: table; completeness, uniqueness, validity, freshness, references
        (share that keeps the rule that is kept worst: a chain is as strong as its weakest link; NaN where nothing can
        be said); overall (the smallest of them).
    """
    worst = scorecard.groupby(["table", "dimension"]).score.min().unstack().reindex(columns=list(DIMENSIONS))
    worst = worst.reindex([name for name in TABLES if name in worst.index])
    worst["overall"] = worst.min(axis=1)
    return worst.rename_axis(columns=None).reset_index()


@quietly
def plot_scores(table_scores: pd.DataFrame) -> Axes:
    """A heat map of the scores: pale keeps the rules, orange breaks them; every cell says its score."""
    grid = table_scores.set_index("table")
    values = grid.to_numpy(dtype=float)
    ax = style.axes(height=1.1 + 0.42 * len(grid))
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("scores", ["#E8F0F7", "#F7D9C4", style.BAD])
    shades.set_bad("#FFFFFF")
    ax.pcolormesh(
        np.ma.masked_invalid(np.sqrt(1 - values)), cmap=shades, vmin=0, vmax=0.6, edgecolors="white", linewidth=2
    )
    for (y, x), score in np.ndenumerate(values):
        text = style.value(_floored(score), "share", digits=0 if score == 1 else 1)
        dark = not np.isnan(score) and score < 0.75
        weight = "bold" if x == values.shape[1] - 1 else "normal"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=10, fontweight=weight,
                color="white" if dark else style.INK)  # fmt: skip
    ax.set_xticks(np.arange(values.shape[1]) + 0.5, [humanise(str(c)) for c in grid.columns])
    ax.set_yticks(np.arange(len(grid)) + 0.5, [humanise(t) for t in grid.index])
    ax.invert_yaxis()
    ax.grid(False)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_title(_("How well each table keeps its rules"))
    return ax


def _floored(score: float) -> float:
    """A share that is not whole never reads as 100 %."""
    return score if score == 1 or np.isnan(score) else np.floor(score * 1000) / 1000


@answers("Which rules are broken?")
def broken(scorecard: pd.DataFrame) -> pd.DataFrame:
    """Which rules are broken, and how badly?

    Returns
    -------
    DataFrame
        One row per broken rule, those that block decisions first, then the worst: table, dimension, rule, score, n,
        broken. ``attrs["notes"]`` says so where none is broken.
    """
    found = scorecard[scorecard.broken > 0].sort_values(
        ["blocks", "score", "table", "rule"], ascending=[False, True, True, True], ignore_index=True
    )
    found = found[["table", "dimension", "rule", "score", "n", "broken"]].copy()
    found.attrs["titles"] = {"n": N_("Held against")}
    if found.empty:
        found.attrs["notes"] = [_("Every rule holds in every row.")]
    return found
