"""Stories of periods: how they are typed, what they are called, and what they are compared with."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.period import WEEK_STARTS, Period, latest_complete, latest_complete_month, parse

YEARS = st.integers(1990, 2090)
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31))


@st.composite
def typed(draw):
    """A period as a person types it, with the first day of the shop's week."""
    form = draw(st.sampled_from(["month", "week", "quarter", "year", "days"]))
    year, start = draw(YEARS), draw(st.sampled_from(WEEK_STARTS))
    if form == "month":
        return form, f"{year}-{draw(st.integers(1, 12)):02d}", start
    if form == "week":
        last = dt.date(year, 12, 28).isocalendar().week  # 28 December always lies in the last week
        return form, f"{year}-W{draw(st.integers(1, last)):02d}", start
    if form == "quarter":
        return form, f"{year}-Q{draw(st.integers(1, 4))}", start
    if form == "year":
        return form, f"{year}", start
    first, length = draw(DAYS), draw(st.integers(0, 500))
    return form, f"{first}/{first + dt.timedelta(days=length)}", start


@settings(deadline=None)
@given(typed())
def test_every_form_parses_and_its_label_is_what_was_typed(case):
    kind, text, week_start = case
    period = parse(text, week_start=week_start)
    assert (period.label, period.kind) == (text, kind)
    assert parse(period.label, week_start=week_start) == period
    assert "/" not in period.slug and parse(period.slug, week_start=week_start) == period


@settings(deadline=None)
@given(typed())
def test_what_it_is_compared_with_is_as_long_ends_before_it_and_has_a_label_too(case):
    _kind, text, week_start = case
    period = parse(text, week_start=week_start)
    before, ago, like = period.previous, period.year_ago, period.like_days
    assert before.end == period.start and before.kind == period.kind
    assert like.days == period.days and (period.start - like.start).days == 364
    assert like.start.weekday() == period.start.weekday()
    assert abs((period.start - ago.start).days - 365) <= 1 and abs(ago.days - period.days) <= 1
    for other in (before, ago, like):
        assert parse(other.label, week_start=week_start) == other


@settings(deadline=None)
@given(YEARS, st.sampled_from(WEEK_STARTS))
def test_the_weeks_of_a_year_follow_one_another_without_a_gap(year, week_start):
    last = dt.date(year, 12, 28).isocalendar().week
    weeks = [parse(f"{year}-W{n:02d}", week_start=week_start) for n in range(1, last + 1)]
    weeks.append(parse(f"{year + 1}-W01", week_start=week_start))
    assert all(a.end == b.start and a.days == 7 for a, b in pairwise(weeks))
    assert {w.start.weekday() for w in weeks} == {WEEK_STARTS.index(week_start)}
    assert weeks[-1].previous == weeks[-2]


@pytest.mark.parametrize(
    ("text", "start", "days"),
    [
        ("2026-10", dt.date(2026, 10, 1), 31),
        ("2024-02", dt.date(2024, 2, 1), 29),
        ("2026-Q3", dt.date(2026, 7, 1), 92),
        ("2026q1", dt.date(2026, 1, 1), 90),
        ("2026", dt.date(2026, 1, 1), 365),
        ("2024", dt.date(2024, 1, 1), 366),
        ("2026-W42", dt.date(2026, 10, 12), 7),
        ("2026w42", dt.date(2026, 10, 12), 7),
        ("2026-10-01/2026-10-15", dt.date(2026, 10, 1), 15),
        (" 2026-10-01_2026-10-01 ", dt.date(2026, 10, 1), 1),
    ],
)
def test_first_day_and_length_by_hand(text, start, days):
    period = parse(text)
    assert (period.start, period.days) == (start, days)
    assert period.last_day in period and period.end not in period and start in period


@pytest.mark.parametrize(
    ("text", "week_start", "start"),
    [
        # the ISO week 2026-W01 runs from Monday 29 December 2025
        ("2026-W01", "monday", dt.date(2025, 12, 29)),
        ("2026-W01", "sunday", dt.date(2025, 12, 28)),
        ("2026-W01", "saturday", dt.date(2025, 12, 27)),
        # 2020 has 53 of them; the last one ends in January
        ("2020-W53", "monday", dt.date(2020, 12, 28)),
        ("2020-W53", "sunday", dt.date(2020, 12, 27)),
        ("2021-W01", "monday", dt.date(2021, 1, 4)),
        # a year that begins on a Monday: its first Sunday week begins in the year before
        ("2024-W01", "monday", dt.date(2024, 1, 1)),
        ("2024-W01", "sunday", dt.date(2023, 12, 31)),
        ("2024-W01", "saturday", dt.date(2023, 12, 30)),
    ],
)
def test_weeks_at_the_edge_of_a_year(text, week_start, start):
    week = parse(text, week_start=week_start)
    assert (week.start, week.label, week.days) == (start, text, 7)


@pytest.mark.parametrize(
    ("text", "previous", "year_ago", "like_days"),
    [
        ("2026-10", "2026-09", "2025-10", "2025-10-02/2025-11-01"),
        ("2026-01", "2025-12", "2025-01", "2025-01-02/2025-02-01"),
        ("2026-Q1", "2025-Q4", "2025-Q1", "2025-01-02/2025-04-01"),
        ("2026", "2025", "2025", "2025-01-02/2026-01-01"),
        ("2026-W01", "2025-W52", "2025-W01", "2025-W01"),
        ("2021-W01", "2020-W53", "2020-W02", "2020-W02"),  # 52 weeks back, past a year of 53
        ("2026-10-01/2026-10-15", "2026-09-16/2026-09-30", "2025-10-01/2025-10-15", "2025-10-02/2025-10-16"),
    ],
)
def test_previous_year_ago_and_like_days_by_hand(text, previous, year_ago, like_days):
    period = parse(text)
    assert period.previous.label == previous
    assert period.year_ago.label == year_ago
    assert period.like_days.label == like_days


def test_the_leap_day_has_the_28th_a_year_ago_and_february_its_29_days():
    leap = parse("2024-02-29/2024-02-29")
    assert leap.year_ago == parse("2023-02-28/2023-02-28")
    assert leap.previous == parse("2024-02-28/2024-02-28")
    assert parse("2024-02").year_ago.days == 28 and parse("2025-02").year_ago.days == 29
    assert parse("2024-03").previous.days == 29
    across = parse("2024-02-28/2024-03-01")
    assert across.days == 3 and across.year_ago == parse("2023-02-28/2023-03-01")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("October", "write one of: 2026-10 (month), 2026-W42 (week)"),
        ("", "write one of"),
        ("2026-1", "write one of"),
        ("10-2026", "write one of"),
        ("2026-10-01", "write one of"),
        ("2026-Q5", "write one of"),
        ("2026-10-01/2026-10-15/2026-10-20", "write one of"),
        ("2026-13", "'2026-13' is no period: month must be in 1..12"),
        ("2026-00", "is no period"),
        ("0000", "is no period"),
        ("9999", "is no period"),
        ("2025-W53", "'2025-W53' is no period: Invalid week: 53"),
        ("2026-W00", "is no period"),
        ("2023-02-29/2023-03-01", "is no period"),
        ("2026-10-15/2026-10-01", "the period ends on 2026-10-01, before it begins on 2026-10-15"),
    ],
)
def test_what_is_no_period_is_refused_by_a_sentence(text, says):
    with pytest.raises(ValueError) as refused:
        parse(text)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_week_start_that_is_no_day_is_refused_with_the_days_there_are():
    with pytest.raises(ValueError, match="'funday' is no day of the week; write one of: monday, tuesday"):
        parse("2026-W01", week_start="funday")


def test_an_empty_period_cannot_be_made():
    with pytest.raises(ValueError, match="ends on 2026-09-30, before it begins on 2026-10-01"):
        Period(dt.date(2026, 10, 1), dt.date(2026, 10, 1))


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        ("2026-01-05", "2026-10-20", "2026-09"),  # October has not ended
        ("2026-01-05", "2026-10-30", "2026-09"),  # nor has it a day before its last
        ("2026-01-05", "2026-10-31", "2026-10"),  # now it has
        ("2026-01-05", "2026-11-01", "2026-10"),
        ("2023-01-05", "2024-02-28", "2024-01"),  # a leap year's February has one more day
        ("2023-01-05", "2024-02-29", "2024-02"),
        ("2025-12-31", "2026-01-15", "2025-12"),
        ("2026-10-01", "2026-10-31", "2026-10"),
        ("2026-10-03", "2026-10-20", "2026-10-03/2026-10-20"),  # one month, not over: the data whole
        ("2026-10-20", "2026-10-20", "2026-10-20/2026-10-20"),
    ],
)
def test_the_latest_complete_month_by_hand(first, last, label):
    found = latest_complete_month(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    assert found.label == label


@settings(deadline=None)
@given(DAYS, st.integers(0, 800))
def test_the_latest_complete_month_never_ends_after_the_data(first, length):
    last = first + dt.timedelta(days=length)
    found = latest_complete_month(first, last)
    assert found.end <= last + dt.timedelta(days=1)
    assert found.kind == "days" or (last - found.last_day).days < 31


@pytest.mark.parametrize(
    ("kind", "last", "label"),
    [
        ("days", "2026-10-20", "2026-10-20/2026-10-20"),
        ("week", "2026-10-18", "2026-W42"),  # a Sunday: its week has ended
        ("week", "2026-10-17", "2026-W41"),
        ("quarter", "2026-09-30", "2026-Q3"),
        ("quarter", "2026-09-29", "2026-Q2"),
        ("quarter", "2026-03-30", "2026-01-01/2026-03-30"),  # none has ended: all there is
    ],
)
def test_the_latest_complete_period_of_each_kind_by_hand(kind, last, label):
    assert latest_complete(kind, dt.date(2026, 1, 1), dt.date.fromisoformat(last)).label == label
