"""Which days are festivals: those of China, by the sun and by the moon, and the sales of the platforms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from lunardate import LunarDate

from ...language import _

PHASES = ("before", "during", "after")


@dataclass(frozen=True)
class Festival:
    """A festival of every year: `first` to `last` are its days, about a fixed day or one of the lunar calendar.

    Attributes
    ----------
    month, day : int
        Of the anchor; in the lunar calendar where `lunar`.
    first, last : int
        Days of the festival itself, counted from the anchor.
    before, after : int
        Days before the first and after the last one on which people wait, stock up, or have bought already.
    sale : bool
        A 大促: the platforms make it.
    """

    name: str
    name_zh: str
    month: int
    day: int
    first: int = 0
    last: int = 0
    before: int = 0
    after: int = 0
    lunar: bool = False
    sale: bool = False

    def anchor(self, year: int) -> dt.date:
        """The festival's own day in a (solar) year."""
        if self.lunar:
            return LunarDate(year, self.month, self.day).to_solar_date()
        if self.name == "qingming":
            return qingming(year)
        return dt.date(year, self.month, self.day)


CALENDAR = (
    # Earlier ones first claim a day that two festivals share.
    Festival("festival_1111", "双11", 11, 11, first=-11, before=11, after=13, sale=True),
    Festival("festival_618", "618", 6, 18, first=-18, before=6, after=10, sale=True),
    Festival("spring_festival", "春节", 1, 1, first=-6, last=6, before=18, after=5, lunar=True),
    Festival("festival_38", "38女神节", 3, 8, first=-3, before=4, after=6, sale=True),
    Festival("festival_520", "520", 5, 20, first=-3, before=3, after=3, sale=True),
    Festival("festival_99", "99大促", 9, 9, first=-2, before=3, after=5, sale=True),
    Festival("festival_1212", "双12", 12, 12, first=-2, before=3, after=5, sale=True),
    Festival("national_day", "国庆节", 10, 1, last=6, before=3, after=3),
    Festival("labour_day", "劳动节", 5, 1, last=4, before=2, after=2),
    Festival("new_year", "元旦", 1, 1, first=-1, last=1),
    Festival("qingming", "清明节", 4, 5, last=1),
    Festival("dragon_boat", "端午节", 5, 5, first=-1, last=1, lunar=True),
    Festival("mid_autumn", "中秋节", 8, 15, first=-1, last=1, before=5, lunar=True),
    Festival("qixi", "七夕", 7, 7, before=5, lunar=True),
    Festival("lantern", "元宵节", 1, 15, lunar=True),
)
"""Statutory and lunar festivals of China and the sales of the platforms. The days of the sales are the platforms' usual
ones: pre-sale (deposits, people wait), the two waves, and the weeks after."""

NAMES = {
    "festival_1111": "Double 11", "festival_618": "618", "festival_38": "March 8", "festival_520": "520",
    "festival_99": "9.9", "festival_1212": "Double 12", "spring_festival": "Spring Festival",
    "national_day": "National Day", "labour_day": "Labour Day", "new_year": "New Year", "qingming": "Qingming",
    "dragon_boat": "Dragon Boat", "mid_autumn": "Mid-Autumn", "qixi": "Qixi", "lantern": "Lantern Festival",
}  # fmt: skip
"""What a reader calls the festivals of `CALENDAR`."""


def qingming(year: int) -> dt.date:
    """Tomb-Sweeping Day: the day on which the sun reaches 15° (rule of the Purple Mountain almanac, 2000–2099)."""
    short = year % 100
    return dt.date(year, 4, int(short * 0.2422 + 4.81) - short // 4)


def festivals(first: dt.date, last: dt.date, *, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Which days belong to which festival, and are they before it, during it or after it?

    Parameters
    ----------
    first, last : datetime.date
        Both within.
    names : sequence of str, optional
        Only these festivals; see `CALENDAR`.

    Returns
    -------
    DataFrame
        name, name_zh, year (of the festival's own day), day (datetime64), phase (before, during, after), sale (bool);
        by day and, where festivals share a day, in the order of `CALENDAR`.

    Raises
    ------
    ValueError
        A name that is no festival, or years outside the lunar calendar that is known (2000–2098).

    References
    ----------
    Lunar dates: `lunardate`, after the tables of the Hong Kong Observatory. Statutory festivals: State Council of
    China, Regulation on Public Holidays for National Annual Festivals and Memorial Days (2024).

    Examples
    --------
    >>> import datetime as dt
    >>> own = festivals(dt.date(2026, 2, 16), dt.date(2026, 2, 17), names=["spring_festival"])
    >>> own[["name", "day", "phase"]].values.tolist()[1]
    ['spring_festival', Timestamp('2026-02-17 00:00:00'), 'during']
    """
    known = [f.name for f in CALENDAR]
    for name in names or ():
        if name not in known:
            raise ValueError(_("{name!r} is no festival; known are: {known}").format(name=name, known=", ".join(known)))
    if first.year < 2000 or last.year > 2098:
        raise ValueError(_("the festivals are known from 2000 to 2098, not for {first} to {last}").format(
            first=first, last=last
        ))  # fmt: skip
    rows = []
    for order, festival in enumerate(CALENDAR):
        if names is not None and festival.name not in names:
            continue
        for year in range(first.year - 1, last.year + 2):
            anchor = pd.Timestamp(festival.anchor(year))
            for away in range(festival.first - festival.before, festival.last + festival.after + 1):
                phase = "before" if away < festival.first else "during" if away <= festival.last else "after"
                day = anchor + pd.Timedelta(days=away)
                rows.append((festival.name, festival.name_zh, year, day, phase, festival.sale, order))
    out = pd.DataFrame(rows, columns=["name", "name_zh", "year", "day", "phase", "sale", "order"])
    out = out[out["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
    return out.sort_values(["day", "order"], ignore_index=True).drop(columns="order")
