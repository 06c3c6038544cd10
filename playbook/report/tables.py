"""From a frame to what a page shows of it: cells as text, and the figures that machines read."""

from __future__ import annotations

import datetime as dt
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pandas as pd

from .. import style
from ..findings import Figure
from ..language import _, humanise, listing, term
from ..missing import Missing
from ..period import Period


@dataclass(frozen=True)
class Cell:
    """One cell: its text, what stands small beside it, and whether it is good or bad news."""

    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its header, whether numbers line up in it, whether small notes stand beside them."""

    label: str
    numeric: bool = False
    noted: bool = False


@dataclass(frozen=True)
class Table:
    """What a page shows of a frame, and how many rows there are in all."""

    columns: list[Column]
    rows: list[list[Cell]]
    total: int
    hint: str = ""
    definitions: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """The table for a terminal."""
        lines = [[c.label for c in self.columns]]
        lines += [[f"{cell.text} ({cell.note})" if cell.note else cell.text for cell in row] for row in self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        pad = [(str.rjust if c.numeric else str.ljust) for c in self.columns]
        return "\n".join(
            "  ".join(p(text, w) for p, text, w in zip(pad, line, widths, strict=True)).rstrip() for line in lines
        )


# -- the book's long form: [*by, metric, unit, value, low, high, n, previous, change, year_ago, …]


def is_long(frame: pd.DataFrame) -> bool:
    """Is the frame in the book's long form, one row per metric?"""
    return {"metric", "unit", "value"} <= set(frame.columns)


def by_columns(frame: pd.DataFrame) -> list[str]:
    """Which columns say what the metrics are cut by?"""
    given = frame.attrs.get("by")
    columns = [str(c) for c in frame.columns]
    return list(given) if given is not None else columns[: columns.index("metric")]


def metric_title(frame: pd.DataFrame, metric: str) -> str:
    """What does a reader call this metric?"""
    title = (frame.attrs.get("titles") or {}).get(metric)
    return _(title) if title else humanise(metric)


def long_table(frame: pd.DataFrame, *, currency: str, rows: int) -> Table:
    """A long frame as a table: a column per metric where it is cut by something, else a row per metric."""
    by, metrics = by_columns(frame), list(dict.fromkeys(frame["metric"]))
    defined = frame.attrs.get("definitions") or {}
    definitions = [(metric_title(frame, m), defined[m]) for m in metrics if defined.get(m)]
    if by and len(metrics) > 1 and not frame.duplicated([*by, "metric"]).any():
        table = _wide(frame, by, metrics, currency, rows)
    else:
        table = _tall(frame, by, metrics, currency, rows)
    return replace(table, definitions=definitions)


def _wide(frame: pd.DataFrame, by: list[str], metrics: list[str], currency: str, rows: int) -> Table:
    columns = [Column(humanise(c)) for c in by]
    every = frame[by].drop_duplicates()
    keys = every.head(rows)
    cells = [[Cell(said(c, x)) for c, x in zip(by, key, strict=True)] for key in keys.itertuples(index=False)]
    changes = False
    for metric in metrics:
        part = frame[frame["metric"] == metric]
        found = keys.merge(part, on=by, how="left")
        unit = part["unit"].iloc[0]
        digits = _column_digits(found["value"], unit, currency)
        column = []
        for row in found.to_dict("records"):
            between = _interval(row, unit, currency, digits)
            moved = style.change(row.get("change"), unit, currency=currency) if known(row.get("change")) else ""
            changes = changes or bool(moved)
            column.append(
                Cell(_value(row["value"], unit, currency, digits), " · ".join(t for t in (between, moved) if t))
            )
        columns.append(Column(metric_title(frame, metric), True, any(c.note for c in column)))
        for line, cell in zip(cells, column, strict=True):
            line.append(cell)
    hint = _("Small figures with a sign: the change on the previous period.") if changes else ""
    return Table(columns, cells, len(every), hint)


def _tall(frame: pd.DataFrame, by: list[str], metrics: list[str], currency: str, rows: int) -> Table:
    shown, good = frame.head(rows), frame.attrs.get("good") or {}
    records = shown.to_dict("records")
    units = [r["unit"] for r in records]
    same = len(set(frame["unit"])) == 1
    columns = [Column(humanise(c)) for c in by]
    lines = [[Cell(said(c, r[c])) for c in by] for r in records]

    def add(column: Column, cells: Iterable[Cell]) -> None:
        columns.append(column)
        for line, cell in zip(lines, cells, strict=True):
            line.append(cell)

    if len(metrics) > 1 or not by:
        add(Column(_("Metric")), [Cell(metric_title(frame, r["metric"])) for r in records])
        title = _("Value")
    else:
        title = metric_title(frame, metrics[0])

    present = [c for c in frame.columns if frame[c].notna().any()]
    in_unit = {
        "value": title, "previous": _("Previous period"), "year_ago": _("A year ago"), "target": _("Target"),
        "like_days": _("Same weekdays a year ago"),
    }  # fmt: skip
    in_unit |= {c: _(words) for c, words in (frame.attrs.get("in_unit") or {}).items()}
    moves = {
        "change": _("Change"),
        "change_year_ago": _("Change on a year ago"),
        "change_like_days": _("Change on the same weekdays"),
    }
    order = ["value", "target", "n", "previous", "change", "year_ago", "change_year_ago"]
    order += ["like_days", "change_like_days"]
    others = [c for c in frame.columns if c not in {*order, *by, "metric", "unit", "low", "high"}]
    for name in [c for c in [*order, *others] if c in present]:
        if name in in_unit:
            digits = _column_digits(shown[name], units[0], currency) if same and units else None
            cells = [
                Cell(
                    _value(r[name], u, currency, digits),
                    _interval(r, u, currency, digits) if name == "value" else "",
                )
                for r, u in zip(records, units, strict=True)
            ]
            add(Column(in_unit[name], True, any(c.note for c in cells)), cells)
        elif name in moves:
            cells = [
                Cell(style.change(r[name], u, currency=currency), tone=tone(r[name], good.get(r["metric"])))
                if u in style.UNITS
                else Cell(plain(r[name]))
                for r, u in zip(records, units, strict=True)
            ]
            add(Column(moves[name], True), cells)
        elif name == "n":
            add(Column(_("n"), True), [Cell(style.value(r["n"], "count")) for r in records])
        elif unit := (frame.attrs.get("units") or {}).get(name):
            digits = _column_digits(shown[name], unit, currency)
            add(Column(humanise(name), True), [Cell(_value(r[name], unit, currency, digits)) for r in records])
        else:
            add(Column(humanise(name), _numeric(frame[name])), [Cell(said(name, r[name])) for r in records])
    return Table(columns, lines, len(frame))


# -- any other tidy frame


def tidy_table(frame: pd.DataFrame, units: Mapping[str, str], *, currency: str, rows: int) -> Table:
    """A tidy frame as a table; `x_low` and `x_high` of a column `x` with a unit become its interval."""
    shown = frame.head(rows)
    hidden = {f"{c}{end}" for c in units for end in ("_low", "_high")} - set(units)
    defined = frame.attrs.get("definitions") or {}
    columns, lines = [], [[] for _row in range(len(shown))]  # type: ignore[var-annotated]
    for name in [c for c in frame.columns if c not in hidden]:
        unit = units.get(name)
        digits = _column_digits(shown[name], unit, currency) if unit else None
        cells = [
            Cell(_value(r[name], unit, currency, digits), _interval(r, unit, currency, digits, of=f"{name}_"))
            if unit
            else Cell(said(name, r[name]))
            for r in shown.to_dict("records")
        ]
        columns.append(
            Column(
                metric_title(frame, name),
                bool(unit) or _numeric(frame[name]),
                any(c.note for c in cells),
            )
        )
        for line, cell in zip(lines, cells, strict=True):
            line.append(cell)
    meanings = [(metric_title(frame, c), defined[c]) for c in frame.columns if defined.get(c)]
    return Table(columns, lines, len(frame), definitions=meanings)


# -- the same numbers for machines


def figures_of(frame: pd.DataFrame, name: str, units: Mapping[str, str]) -> list[Figure]:
    """The figures of all rows, also of those that a page leaves out."""
    if is_long(frame):
        by = by_columns(frame)
        cuts = _cuts(frame, by, [*by, "metric"])
        figures = []
        for row, cut in zip(frame.to_dict("records"), cuts, strict=True):
            figure, unit = f"{name}.{row['metric']}", str(row["unit"])
            figures.append(Figure(figure, row["value"], unit, row.get("low"), row.get("high"), cut))
            figures += [
                Figure(f"{figure}.{then}", row[then], unit, by=cut)
                for then in ("previous", "year_ago", "like_days")
                if known(row.get(then))
            ]
        return figures
    hidden = {f"{c}{end}" for c in units for end in ("_low", "_high")}
    # Of the numbers without a unit, whole ones (a month, a rank) say which row it is; floats do not.
    by = [c for c in frame.columns if c not in units and c not in hidden and not pd.api.types.is_float_dtype(frame[c])]
    cuts = _cuts(frame, by, by)
    return [
        Figure(f"{name}.{c}", row[c], units[c], row.get(f"{c}_low"), row.get(f"{c}_high"), cut)
        for row, cut in zip(frame.to_dict("records"), cuts, strict=True)
        for c in frame.columns
        if c in units
    ]


def _cuts(frame: pd.DataFrame, by: list[str], key: list[str]) -> list[dict[str, str]]:
    """What each row is cut by, as text; rows that this does not tell apart are numbered."""
    cuts = [{c: _identifier(row[c]) for c in by} for row in frame.to_dict("records")]
    if len(frame) > 1 and (frame.duplicated(key).any() if key else True):
        cuts = [{**cut, "row": str(i)} for i, cut in enumerate(cuts, 1)]
    return cuts


def _identifier(x: Any) -> str:
    if isinstance(x, Period):
        return x.label
    if isinstance(x, dt.datetime) and not pd.isna(x):
        return x.date().isoformat() if x.time() == dt.time() else x.isoformat()
    return str(x) if known(x) else ""


# -- words


def known(x: Any) -> bool:
    """Is there a value at all?"""
    return not (x is None or isinstance(x, Missing) or (pd.api.types.is_scalar(x) and pd.isna(x)))


def tone(change: Any, good: str | None) -> str:
    """Is a change good or bad news?"""
    if not known(change) or good not in ("up", "down") or change == 0:
        return ""
    return "good" if (change > 0) == (good == "up") else "bad"


def said(column: str, x: Any) -> str:
    """A value without a unit, as a reader calls it: a code by its word, all else as in `plain`."""
    return term(column, x) if isinstance(x, str) else plain(x)


def plain(x: Any) -> str:
    """A value without a unit, as text."""
    if not known(x):
        return style.UNKNOWN
    if isinstance(x, bool) or type(x).__name__ == "bool":
        return _("yes") if x else _("no")
    if isinstance(x, Period):
        return style.period(x)
    if isinstance(x, dt.datetime) and x.time() != dt.time():
        return f"{style.date(x)} {x:%H:%M}"
    if isinstance(x, dt.date):
        return style.date(x)
    if isinstance(x, numbers.Real | Decimal) and not isinstance(x, numbers.Integral):
        small = 0 < abs(float(x)) < 0.01  # a p-value must not become 0.00
        return f"{float(x):.2g}".replace("-", "−", 1) if small else style.value(x, "ratio")
    if isinstance(x, list | tuple | set | frozenset):
        return listing(map(str, x))
    return str(x)


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _column_digits(column: Iterable[Any], unit: Any, currency: str) -> int | None:
    return style.digits(column, unit, currency=currency) if unit in style.UNITS else None


def _value(x: Any, unit: Any, currency: str, digits: int | None) -> str:
    return style.value(x, unit, currency=currency, digits=digits) if known(unit) and unit != "" else plain(x)


def _interval(row: Mapping[Any, Any], unit: Any, currency: str, digits: int | None, of: str = "") -> str:
    low, high = row.get(f"{of}low"), row.get(f"{of}high")
    if not (known(low) or known(high)):
        return ""
    if unit in style.UNITS:
        return style.interval(low, high, unit, currency=currency, digits=digits)
    return _("{low} to {high}").format(low=plain(low), high=plain(high))
