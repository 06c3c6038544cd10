"""Breakdowns: the groups that a measurement shows, and how those of one period are set beside those of another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import ibis

from .. import period as periods
from ..period import Period
from .facts import TIME_PARTS

DATED = ("day", "week", "month", "quarter")

Group = tuple[Any, ...]


def disjoint(windows: Iterable[Period]) -> list[list[Period]]:
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


def groups(by: Sequence[str], within: Period, found: Collection[Group], week_start: str) -> list[Group]:
    """Every group to show: those that were found, and every day, week, month … of the period even where nothing was."""
    if not by:
        return [()]
    others = list(dict.fromkeys(tuple(v for b, v in zip(by, g, strict=True) if b not in TIME_PARTS) for g in found))
    if not any(b in TIME_PARTS for b in by):
        return sorted(others, key=_order)
    if all(b in TIME_PARTS for b in by):
        others = [()]
    whole: list[Group] = [()]
    for b in by:
        if b in TIME_PARTS:
            options = calendar(b, within, week_start)
            whole = [(*g, v) for g in whole for v in options]
        else:
            position = [x for x in by if x not in TIME_PARTS].index(b)
            whole = [(*g, v) for g in whole for v in dict.fromkeys(o[position] for o in others)]
    real = set(others)
    kept = [g for g in whole if tuple(v for b, v in zip(by, g, strict=True) if b not in TIME_PARTS) in real]
    return sorted(kept, key=_order)


def moved(group: Group, by: Sequence[str], window: Period, onto: Period, week_start: str) -> Group | None:
    """A group of one window at the same place of another; None where the other is shorter."""
    if window == onto:
        return group
    out = []
    for part, value in zip(by, group, strict=True):
        if part in DATED:
            here = calendar(part, window, week_start)
            there = calendar(part, onto, week_start)
            place = here.index(value)
            if place >= len(there):
                return None
            value = there[place]
        out.append(value)
    return tuple(out)


def happened(
    group: Group, by: Sequence[str], window: Period, within: Period, week_start: str, last_day: dt.date
) -> bool:
    """Whether a group's dates exist in a window (the 31st of a shorter month does not) and the data reach them."""
    for part, value in zip(by, group, strict=True):
        if part in DATED:
            place = calendar(part, within, week_start).index(value)
            there = calendar(part, window, week_start)
            if place >= len(there) or max(there[place], window.start) > last_day:
                return False
    return True


def time_part(at: ibis.Value, part: str, week_start: str) -> ibis.Value:
    if part == "hour":
        return at.hour()
    if part == "weekday":
        return at.date().day_of_week.index()
    if part == "week":
        shift = ibis.interval(days=periods.WEEK_STARTS.index(week_start))
        return ((at.date() - shift).truncate("W") + shift).cast("date")
    return at.date().truncate({"day": "D", "month": "M", "quarter": "Q"}[part]).cast("date")


def calendar(part: str, within: Period, week_start: str) -> list[Any]:
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


def _order(group: Group) -> tuple:
    return tuple((isinstance(v, str), v) for v in group)
