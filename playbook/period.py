"""Periods: half-open stretches of the shop's own days, and the periods one compares them with."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Literal

from .language import _

Kind = Literal["month", "week", "quarter", "year", "days"]

WEEK_STARTS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

FORMS = "2026-10 (month), 2026-W42 (week), 2026-Q3 (quarter), 2026 (year), 2026-10-01/2026-10-15 (days), latest"


@dataclass(frozen=True)
class Period:
    """Days from `start` up to, not including, `end`, by the shop's calendar.

    Parameters
    ----------
    start, end : datetime.date
        First day, and the day after the last one.
    kind : {"month", "week", "quarter", "year", "days"}
        What a reader calls it; decides what comes before it.

    Examples
    --------
    >>> parse("2026-02").previous
    Period(2026-01)
    >>> parse("2026-W01").start, parse("2026-W01").days
    (datetime.date(2025, 12, 29), 7)
    >>> parse("2024-02-29/2024-02-29").year_ago
    Period(2023-02-28/2023-02-28)
    """

    start: dt.date
    end: dt.date
    kind: Kind = "days"

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(
                _("the period ends on {end}, before it begins on {start}").format(
                    end=self.end - dt.timedelta(days=1), start=self.start
                )
            )

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> dt.date:
        return self.end - dt.timedelta(days=1)

    @property
    def label(self) -> str:
        """The period as it is typed, e.g. ``2026-10``; it parses back to the same period."""
        if self.kind == "month":
            return f"{self.start:%Y-%m}"
        if self.kind == "quarter":
            return f"{self.start:%Y}-Q{(self.start.month + 2) // 3}"
        if self.kind == "year":
            return f"{self.start:%Y}"
        if self.kind == "week":
            year, week, _day = _iso_anchor(self.start).isocalendar()
            return f"{year}-W{week:02d}"
        return f"{self.start}/{self.last_day}"

    @property
    def slug(self) -> str:
        """The label as a file name."""
        return self.label.replace("/", "_")

    @property
    def previous(self) -> Period:
        """The period of the same kind that ends where this one begins."""
        if self.kind in ("month", "quarter", "year"):
            return Period(_add_months(self.start, -_MONTHS[self.kind]), self.start, self.kind)
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    @property
    def following(self) -> Period:
        """The period of the same kind that begins where this one ends."""
        if self.kind in ("month", "quarter", "year"):
            return Period(self.end, _add_months(self.end, _MONTHS[self.kind]), self.kind)
        return replace(self, start=self.end, end=self.end + (self.end - self.start))

    @property
    def year_ago(self) -> Period:
        """The same days of the calendar a year before; a week goes back 52 weeks."""
        if self.kind == "week":
            return self.like_days
        if self.kind == "days":
            start, last = _add_months(self.start, -12), _add_months(self.last_day, -12)
            return Period(start, last + dt.timedelta(days=1), "days")
        return Period(_add_months(self.start, -12), _add_months(self.end, -12), self.kind)

    @property
    def like_days(self) -> Period:
        """As many days, 52 weeks earlier, so that weekdays line up."""
        back = dt.timedelta(weeks=52)
        return Period(self.start - back, self.end - back, "week" if self.kind == "week" else "days")

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day < self.end

    def __repr__(self) -> str:
        return f"Period({self.label})"


_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def parse(text: str, *, week_start: str = "monday") -> Period:
    """The period that a person typed.

    Parameters
    ----------
    text : str
        ``2026-10``, ``2026-W42``, ``2026-Q3``, ``2026`` or ``2026-10-01/2026-10-15`` (both days included).
    week_start : str, default "monday"
        First day of the shop's week. Weeks keep their ISO number; a week that starts on Sunday begins the day before
        the ISO week of that number, one that starts on Saturday two days before.

    Raises
    ------
    ValueError
        Not one of these forms, or no such date.
    """
    text = text.strip()
    try:
        if m := re.fullmatch(r"(\d{4})", text):
            start = dt.date(int(m[1]), 1, 1)
            return Period(start, _add_months(start, 12), "year")
        if m := re.fullmatch(r"(\d{4})-(\d{2})", text):
            start = dt.date(int(m[1]), int(m[2]), 1)
            return Period(start, _add_months(start, 1), "month")
        if m := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text):
            start = dt.date(int(m[1]), 3 * int(m[2]) - 2, 1)
            return Period(start, _add_months(start, 3), "quarter")
        if m := re.fullmatch(r"(\d{4})-?[Ww](\d{2})", text):
            monday = dt.date.fromisocalendar(int(m[1]), int(m[2]), 1)
            start = monday + dt.timedelta(days=_week_offset(week_start))
            return Period(start, start + dt.timedelta(days=7), "week")
        if m := re.fullmatch(r"(\d{4}-\d{2}-\d{2})[/_](\d{4}-\d{2}-\d{2})", text):
            last = dt.date.fromisoformat(m[2])
            return Period(dt.date.fromisoformat(m[1]), last + dt.timedelta(days=1), "days")
    except ValueError as error:
        raise ValueError(_("{text!r} is no period: {error}").format(text=text, error=error)) from None
    raise ValueError(_("{text!r} is no period; write one of: {forms}").format(text=text, forms=FORMS))


def latest_complete_month(first_day: dt.date, last_day: dt.date) -> Period:
    """The last month of the data that has ended: `last_day` is its last day, or lies in a later month.

    Data that hold no complete month are taken whole, as days.
    """
    return latest_complete("month", first_day, last_day)


def latest_complete(kind: Kind, first_day: dt.date, last_day: dt.date, *, week_start: str = "monday") -> Period:
    """The last day, week, month or quarter of the data that has ended; data that hold none are taken whole, as days.

    Examples
    --------
    >>> latest_complete("week", dt.date(2026, 1, 1), dt.date(2026, 10, 20))
    Period(2026-W42)
    >>> latest_complete("quarter", dt.date(2026, 1, 1), dt.date(2026, 10, 20))
    Period(2026-Q3)
    """
    if kind == "days":
        return Period(last_day, last_day + dt.timedelta(days=1), "days")
    if kind == "week":
        back = (last_day.weekday() - WEEK_STARTS.index(week_start)) % 7
        start = last_day - dt.timedelta(days=back)
        found = Period(start, start + dt.timedelta(days=7), "week")
    else:
        months = _MONTHS[kind]
        start = last_day.replace(month=last_day.month - (last_day.month - 1) % months, day=1)
        found = Period(start, _add_months(start, months), kind)
    if last_day < found.last_day:
        found = found.previous
    return found if found.end > first_day else Period(first_day, last_day + dt.timedelta(days=1), "days")


def _week_offset(week_start: str) -> int:
    """Days from the ISO Monday to the shop's first day of the same week (−3 … 3)."""
    if week_start not in WEEK_STARTS:
        raise ValueError(
            _("{week_start!r} is no day of the week; write one of: {days}").format(
                week_start=week_start, days=", ".join(WEEK_STARTS)
            )
        )
    index = WEEK_STARTS.index(week_start)
    return index if index <= 3 else index - 7


def _iso_anchor(week_first_day: dt.date) -> dt.date:
    """The Monday of the ISO week whose number a week that begins on this day bears."""
    offset = week_first_day.weekday()
    return week_first_day - dt.timedelta(days=offset if offset <= 3 else offset - 7)


def _add_months(day: dt.date, months: int) -> dt.date:
    month = day.year * 12 + day.month - 1 + months
    year, month = divmod(month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))
