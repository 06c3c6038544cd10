"""Measure metrics: for a period, broken down, beside the period before and the year ago; ratios are made from sums."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import ibis
import pandas as pd

from .. import period as periods
from .. import style
from ..language import _
from ..missing import Missing, column_missing
from ..period import Period
from ..shop import Shop
from .customers import CUSTOMER_METRICS
from .facts import BREAKDOWNS, PRODUCT_TRAITS, TIME_PARTS, fact
from .registry import Metric, Sum
from .sales import SALES_METRICS

METRICS: dict[str, Metric] = {m.name: m for m in (*SALES_METRICS, *CUSTOMER_METRICS)}

_DATED = ("day", "week", "month", "quarter")
_MONTHS = {"month": 1, "quarter": 3}

Group = tuple[Any, ...]


def measure(
    shop: Shop,
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    compare: bool = False,
    period: str | Period | None = None,
) -> pd.DataFrame:
    """How much of each metric there was, by what, and against what.

    Parameters
    ----------
    shop : Shop
        The shop, at its period.
    metrics : sequence of str
        Names out of `METRICS`.
    by : sequence of str, optional
        Breakdowns: day, week, month, quarter, weekday (0 is Monday), hour; platform, store, channel, device, country,
        region, city, customer_type (new, returning, guest); product_id, product, category, brand, role.
    compare : bool, default False
        Also measure the period before and the year ago. Days, weeks, months and quarters are set beside those of the
        same place in the other period.
    period : str or Period, optional
        Instead of the shop's.

    Returns
    -------
    DataFrame
        One row per group and metric: the columns of `by`; `metric`; `unit` (currency, count, share, per_order);
        `value`; `low`, `high` (95 % interval, NaN where the metric has none); `n` (observations); with `compare` also
        `previous`, `change`, `year_ago`, `change_year_ago`. A change is relative; that of a share is a difference.
        What is not defined or not covered by the data is NaN. ``attrs`` carries `by`, `currency`, `titles`,
        `definitions`, `good`, `notes` (sentences on what is partial) and `missing` (metric → its Missing).
        A Missing when no metric can be measured.

    Raises
    ------
    ValueError
        A metric or breakdown of that name does not exist.
    """
    chosen = [_known(name, METRICS, _("metric")) for name in metrics]
    by = [by] if isinstance(by, str) else list(by)
    for name in by:
        _known(name, dict.fromkeys(BREAKDOWNS), _("breakdown"))
    within = shop.period if period is None else period
    within = periods.parse(within, week_start=shop.week_start) if isinstance(within, str) else within
    windows = {"value": within}
    if compare:
        windows |= {"previous": within.previous, "year_ago": within.year_ago}

    facts = _Facts(shop, by)
    there: list[Metric] = []
    lacking: dict[str, Missing] = {}
    notes: list[str] = []
    for m in chosen:
        gone = [s for s in m.sums if isinstance(facts.holding(s), Missing)]
        fatal = [s for s in gone if s.name not in m.partial]
        if fatal:
            lacking[m.name] = facts.holding(fatal[0]).asked(_question(m, by))  # type: ignore[union-attr]
            continue
        there.append(m)
        notes += [_(m.partial[s.name]) for s in gone if m.partial[s.name]]
    if not there:
        return next(iter(lacking.values()))

    sums = {s.name: s for m in there for s in m.sums if not isinstance(facts.holding(s), Missing)}
    covered = {n: w for n, w in windows.items() if n == "value" or shop.covers(w)}
    totals = facts.totals(sums.values(), covered)
    groups = _groups(by, within, totals["value"], shop.week_start)
    known = {name: {g for g in groups if _happened(g, by, w, within, shop)} for name, w in covered.items()}
    rows = [_row(m, g, by, totals, known, compare) for g in groups for m in there]
    frame = _largest_first(pd.DataFrame(rows), by)
    for name in set(by) & set(_DATED):
        frame[name] = pd.to_datetime(frame[name])
    frame.attrs = {
        "by": by,
        "currency": shop.currency,
        "period": within.label,
        "titles": {m.name: _(m.title) for m in chosen},
        "definitions": {m.name: f"{_(m.definition)} ({_(m.formula)})" for m in there},
        "good": {m.name: m.good for m in there},
        "compared": {
            name: _("on {period}").format(period=style.period(window))
            for name, window in windows.items()
            if name != "value"
        },
        "notes": list(dict.fromkeys(notes)),
        "missing": lacking,
    }
    return frame


class _Facts:
    """The facts of a shop that sums are taken over, each looked up once."""

    def __init__(self, shop: Shop, by: Sequence[str]):
        self.shop, self.by = shop, by
        self._holding: dict[str, str | Missing] = {}

    def table(self, name: str) -> ibis.Table | Missing:
        return fact(self.shop, name)

    def holding(self, s: Sum) -> str | Missing:
        """The fact that a sum is taken over, or why there is none."""
        if s.name not in self._holding:
            self._holding[s.name] = self._search(s)
        return self._holding[s.name]

    def _search(self, s: Sum) -> str | Missing:
        reasons: list[tuple[bool, Missing]] = []
        for name in s.over:
            table = self.table(name)
            if isinstance(table, Missing):
                reasons.append((False, table))
                continue
            breakdowns = [b for b in self.by if b not in TIME_PARTS]
            gone = next((c for c in (*s.columns, *breakdowns) if c not in table.columns), None)
            if gone is None:
                return name
            # orders know nothing of products: ask for what the lines of orders lack instead
            reasons.append((gone in PRODUCT_TRAITS, _column_gone(gone)))
        return next((why for of_product, why in reasons if not of_product), reasons[-1][1])

    def totals(self, sums: Iterable[Sum], windows: Mapping[str, Period]) -> dict[str, dict[Group, Any]]:
        """Every sum of every group in every window, by the window's name; dates are set onto those of "value"."""
        by_fact: dict[str, list[Sum]] = {}
        for s in sums:
            by_fact.setdefault(str(self.holding(s)), []).append(s)
        out: dict[str, dict[Group, Any]] = {name: {} for name in windows}
        for name, of_fact in by_fact.items():
            for together in _disjoint(windows.values()):
                self._add(name, of_fact, together, windows, out)
        return out

    def _add(
        self,
        name: str,
        sums: Sequence[Sum],
        together: Sequence[Period],
        windows: Mapping[str, Period],
        out: dict[str, dict[Group, Any]],
    ) -> None:
        """Take the sums of one fact over windows that do not overlap, in one go."""
        rows = self.table(name)
        assert not isinstance(rows, Missing)
        inside = [
            (rows["at"] >= ibis.timestamp(_midnight(w.start))) & (rows["at"] < ibis.timestamp(_midnight(w.end)))
            for w in together
        ]
        which = ibis.cases(*((condition, i) for i, condition in enumerate(inside)))
        rows = rows.mutate(window=which).filter(lambda t: t.window.notnull())
        rows = rows.mutate(**{b: _time_part(rows["at"], b, self.shop.week_start) for b in self.by if b in TIME_PARTS})
        if name == "paid" and "customer_id" in rows.columns:
            group = [rows[c] for c in ("window", *self.by, "customer_id")]
            rows = rows.mutate(nth_order=ibis.row_number().over(group_by=group, order_by=[rows["at"], rows.order_id]))
        result = rows.aggregate(**{s.name: s.over[name](rows) for s in sums}, by=["window", *self.by])
        for record in result.to_pandas().to_dict("records"):
            window = together[int(record["window"])]
            place = tuple(_plain(record[b]) for b in self.by)
            moved = _moved(place, self.by, window, windows["value"], self.shop.week_start)
            if moved is None:
                continue
            for called, w in windows.items():
                if w == window:
                    out[called].setdefault(moved, {}).update({s.name: _number(record[s.name]) for s in sums})


def _disjoint(windows: Iterable[Period]) -> list[list[Period]]:
    """The different windows, in groups within which none overlaps another."""
    groups: list[list[Period]] = []
    for w in dict.fromkeys(windows):
        for group in groups:
            if all(w.end <= other.start or other.end <= w.start for other in group):
                group.append(w)
                break
        else:
            groups.append([w])
    return groups


def _row(
    m: Metric,
    group: Group,
    by: Sequence[str],
    totals: Mapping[str, Mapping[Group, Any]],
    known: Mapping[str, set[Group]],
    compare: bool,
) -> dict:
    values: dict[str, float] = {"value": math.nan}
    low = high = n = math.nan
    for window, found in totals.items():
        if group not in known[window]:
            continue
        sums = {s.name: 0 for s in m.sums} | found.get(group, {})
        values[window] = _float(m.value(sums))
        if window == "value":
            if m.interval and not math.isnan(values[window]):
                low, high = m.interval(sums)
            n = float(sums[m.n]) if m.n else math.nan
    row = dict(zip(by, group, strict=True)) | {"metric": m.name, "unit": m.unit, "value": values["value"]}
    row |= {"low": low, "high": high, "n": n}
    if compare:
        for window, change in (("previous", "change"), ("year_ago", "change_year_ago")):
            before = values.get(window, math.nan)
            row |= {window: before, change: _change(m, values["value"], before)}
    return row


def _largest_first(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Groups in order of the first metric, where they have no order in time."""
    if not by or any(b in TIME_PARTS for b in by):
        return frame
    size = frame.groupby(list(by), sort=False).value.transform("first")
    return (
        frame.assign(_size=size)
        .sort_values("_size", ascending=False, kind="stable", ignore_index=True)
        .drop(columns="_size")
    )


def _question(m: Metric, by: Sequence[str]) -> str:
    """What a measurement asks, in words."""
    if not by:
        return _(m.title)
    return _("{metric} by {parts}").format(metric=_(m.title), parts=", ".join(b.replace("_", " ") for b in by))


def _change(m: Metric, now: float, before: float) -> float:
    """The change of a value: relative, or for a share the difference; NaN where there is nothing to compare with."""
    if m.unit == "share":
        return now - before
    return now / before - 1 if before > 0 else math.nan


def _groups(by: Sequence[str], within: Period, found: Mapping[Group, Any], week_start: str) -> list[Group]:
    """Every group to show: those that were found, and every day, week, month … of the period even where nothing was."""
    if not by:
        return [()]
    others = list(dict.fromkeys(tuple(v for b, v in zip(by, g, strict=True) if b not in TIME_PARTS) for g in found))
    if not any(b in TIME_PARTS for b in by):
        return sorted(others, key=_order)
    whole: list[Group] = [()]
    for b in by:
        if b in TIME_PARTS:
            options = _calendar(b, within, week_start)
            whole = [(*g, v) for g in whole for v in options]
        else:
            position = [x for x in by if x not in TIME_PARTS].index(b)
            whole = [(*g, v) for g in whole for v in dict.fromkeys(o[position] for o in others)]
    real = set(others)
    kept = [g for g in whole if tuple(v for b, v in zip(by, g, strict=True) if b not in TIME_PARTS) in real]
    return sorted(kept, key=_order)


def _calendar(part: str, within: Period, week_start: str) -> list[Any]:
    if part == "hour":
        return list(range(24))
    days = [within.start + dt.timedelta(days=i) for i in range(within.days)]
    if part == "weekday":
        return sorted({d.weekday() for d in days})
    return list(dict.fromkeys(_bucket(d, part, week_start) for d in days))


def _bucket(day: dt.date, part: str, week_start: str) -> dt.date:
    """The first day of the day, week, month or quarter that a day lies in."""
    if part == "week":
        return day - dt.timedelta(days=(day.weekday() - periods.WEEK_STARTS.index(week_start)) % 7)
    if part == "month":
        return day.replace(day=1)
    if part == "quarter":
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return day


def _moved(group: Group, by: Sequence[str], window: Period, onto: Period, week_start: str) -> Group | None:
    """A group of one window at the same place of another; None where the other is shorter."""
    if window == onto:
        return group
    out = []
    for part, value in zip(by, group, strict=True):
        if part in _DATED:
            here = _calendar(part, window, week_start)
            there = _calendar(part, onto, week_start)
            place = here.index(value)
            if place >= len(there):
                return None
            value = there[place]
        out.append(value)
    return tuple(out)


def _happened(group: Group, by: Sequence[str], window: Period, within: Period, shop: Shop) -> bool:
    """Whether a group's dates exist in a window (the 31st of a shorter month does not) and the data reach them."""
    for part, value in zip(by, group, strict=True):
        if part in _DATED:
            place = _calendar(part, within, shop.week_start).index(value)
            there = _calendar(part, window, shop.week_start)
            if place >= len(there) or max(there[place], window.start) > shop.last_day:
                return False
    return True


def _time_part(at: ibis.Value, part: str, week_start: str) -> ibis.Value:
    if part == "hour":
        return at.hour()
    if part == "weekday":
        return at.date().day_of_week.index()
    if part == "week":
        shift = ibis.interval(days=periods.WEEK_STARTS.index(week_start))
        return ((at.date() - shift).truncate("W") + shift).cast("date")
    return at.date().truncate({"day": "D", "month": "M", "quarter": "Q"}[part]).cast("date")


def _column_gone(column: str) -> Missing:
    """The absence of a column that facts take from the tables of orders or products."""
    if column in PRODUCT_TRAITS and column != "product_id":
        return column_missing("products", "name" if column == "product" else column)
    return column_missing("orders", column if column != "customer_type" else "customer_id")


def _known(name: str, known: Mapping[str, Any], what: str) -> Any:
    if name not in known:
        raise ValueError(
            _("there is no {what} {name!r}; there is: {known}").format(what=what, name=name, known=", ".join(known))
        )
    return known[name]


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())


def _plain(value: Any) -> Any:
    """A group's value as plain Python: dates, text, whole numbers; nothing said is an empty text."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp | dt.datetime):
        return value.date()
    return value.item() if hasattr(value, "item") else value


def _number(value: Any) -> Any:
    """A sum: whole or decimal; the sum of nothing is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return 0
    return value if isinstance(value, Decimal | int) else value.item() if hasattr(value, "item") else value


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _order(group: Group) -> tuple:
    return tuple((isinstance(v, str), v) for v in group)
