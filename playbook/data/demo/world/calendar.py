"""The days of the demo: weekdays, seasons, festivals, and the dips around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ....language import _

MONTHS = 37  # three years and one month: the last month and the same one of each of three years before
AHEAD = 2  # months of which there are only plans

# First day of the lunar year (Hong Kong Observatory's conversion tables).
SPRING_FESTIVALS = pd.DatetimeIndex(
    [
        "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01",
        "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26",
        "2029-02-13", "2030-02-03",
    ]
)  # fmt: skip

# Festival, first and last day as month × 100 + day, how busy the shop's market is without any offer of the shop's own.
# Sizes: the peak day of a month of 大促 is 3–6 times a usual day in tmall_orders and double11_beauty's sale counts.
FESTIVALS = [
    ("festival_38", 301, 304, 0.88), ("festival_38", 305, 307, 1.3), ("festival_38", 308, 308, 2.2),
    ("festival_38", 309, 314, 0.88), ("festival_520", 517, 519, 1.25), ("festival_520", 520, 520, 1.7),
    ("festival_618", 525, 530, 0.85), ("festival_618", 531, 603, 1.5), ("festival_618", 616, 617, 1.7),
    ("festival_618", 618, 618, 3.2), ("festival_618", 619, 628, 0.78),
    ("festival_99", 907, 908, 1.15), ("festival_99", 909, 909, 1.6),
    ("festival_1111", 1020, 1030, 0.85), ("festival_1111", 1031, 1103, 1.8), ("festival_1111", 1110, 1110, 2.2),
    ("festival_1111", 1111, 1111, 4.6), ("festival_1111", 1112, 1124, 0.72),
    ("festival_1212", 1210, 1211, 1.2), ("festival_1212", 1212, 1212, 1.9),
]  # fmt: skip

WEEKDAYS = np.array([0.97, 0.96, 0.97, 1.0, 1.03, 1.05, 1.02])
# Orders by hour of the day, per mille, as in tmall_orders.
HOURS = np.array([37, 19, 12, 7, 5, 4, 9, 20, 31, 46, 60, 59, 49, 48, 54, 61, 53, 43, 45, 55, 71, 79, 76, 59])


@dataclass(frozen=True)
class Calendar:
    """The observed days, by position: 0 is the first, `n` − 1 the last.

    Attributes
    ----------
    days : DatetimeIndex
        Midnights, by the shop's clock.
    busy : ndarray
        How busy each day's market is, an ordinary day being 1.
    festival : ndarray of str
        Name of the festival that a day belongs to, or "".
    """

    days: pd.DatetimeIndex
    busy: np.ndarray
    festival: np.ndarray

    @property
    def n(self) -> int:
        return len(self.days)

    @property
    def end(self) -> pd.Timestamp:
        """The first moment that is not observed any more."""
        return self.days[-1] + pd.Timedelta(days=1)

    @property
    def month(self) -> np.ndarray:
        """Position of each day's month, from 0."""
        return (self.days.year * 12 + self.days.month).to_numpy() - (self.days[0].year * 12 + self.days[0].month)

    def position(self, months_before_last: int, day: int) -> int:
        """Position of a day of a month that lies so many months before the last one."""
        month = self.days[-1].to_period("M") - months_before_last
        return self.days.get_loc(month.to_timestamp() + pd.Timedelta(days=day - 1))

    def moments(self, position: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Local times, datetime64[s], of seconds within days."""
        start = self.days[0].to_datetime64().astype("datetime64[s]")
        return start + (position.astype(np.int64) * 86400 + second.astype(np.int64))


def festive(days: pd.DatetimeIndex) -> np.ndarray:
    """Whether a day belongs to a festival of the solar calendar or to what surrounds it."""
    number = np.asarray(days.month * 100 + days.day)
    return np.any([(number >= first) & (number <= last) for _name, first, last, _level in FESTIVALS], axis=0)


def make_calendar(until: str, rng: np.random.Generator) -> Calendar:
    """The 37 months that end with `until`.

    Raises
    ------
    ValueError
        Where the months lie outside the lunar calendar that the demo knows.
    """
    last = pd.Period(until, freq="M")
    first = last - (MONTHS - 1)
    if first < pd.Period("2016-01", freq="M") or last > pd.Period("2030-10", freq="M"):
        told = _("until={until}: the demo knows the lunar calendar of 2016 to 2030; choose 2019-01 to 2030-10")
        raise ValueError(told.format(until=until))
    days = pd.date_range(first.start_time, last.end_time.normalize(), freq="D")
    busy: np.ndarray = WEEKDAYS[days.day_of_week]
    festival = np.full(len(days), "", dtype=object)
    number, year = np.asarray(days.month * 100 + days.day), np.asarray(days.year)
    # No festival is like its last year's: the log of its effect varies by a tenth of itself and 0.08.
    vary = {(name, y): rng.normal() for name in dict.fromkeys(f[0] for f in FESTIVALS) for y in np.unique(year)}
    for name, begins, ends, level in FESTIVALS:
        within = (number >= begins) & (number <= ends)
        noise = np.array([vary[name, y] for y in year[within]])
        busy[within] *= np.exp(np.log(level) * (1 + 0.10 * noise) + 0.03 * noise)
        festival[within] = name
    for new_year in SPRING_FESTIVALS:
        away = np.asarray((days - new_year).days)
        drawn = rng.normal()
        for begins, ends, level in ((-24, -12, 1.22), (-6, 6, 0.42), (7, 11, 0.8)):
            within = (away >= begins) & (away <= ends)
            busy[within] *= level * np.exp(0.05 * drawn)
            festival[within] = "spring_festival"
    season = 1 + 0.06 * np.cos(2 * np.pi * (np.asarray(days.day_of_year) - 320) / 365.25)
    # What nobody plans: weather, news, the platforms' own pushes. About a mean of five weeks, weekly orders vary by
    # 0.16 (cdnow) and 0.15 (online_retail) beyond Poisson, causes included; days within a week by 0.12 (cdnow).
    weeks = rng.normal(0, 0.07, len(days) // 7 + 2)
    weekly = np.interp(np.arange(len(days)) / 7, np.arange(len(weeks)), weeks)
    unplanned = np.exp(weekly + rng.normal(0, 0.10, len(days)))
    return Calendar(days, busy * season * unplanned, festival)
