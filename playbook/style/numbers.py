"""Numbers and dates as text.

Rules of the numbers, so that a page can be read without a legend:

- money keeps its cents below 1,000 and loses them from there on; currencies without cents never have any;
- a share (a fraction) is a percentage with two decimals below 10 %, one from there on; its change is in
  percentage points, two decimals below one point;
- a chance is in whole per cents, and never certain; the change of a share has its sign;
- whole counts and days have no decimals; ratios have two, one from 10 on, none from 1,000 on;
- what is not known is “—”, there is no “−0”, and the minus is a minus, not a hyphen.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandas as pd

from ..language import _
from ..missing import Missing
from ..period import Period

UNITS = ("currency", "count", "share", "ratio", "days", "per_order", "points", "chance", "share_change")
UNKNOWN = "—"

SYMBOLS = {"CNY": "¥", "JPY": "¥", "USD": "$", "GBP": "£", "EUR": "€"}
WITHOUT_CENTS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "IDR"})


def value(x: Any, unit: str, *, currency: str = "CNY", digits: int | None = None) -> str:
    """How is this number written in its unit?

    Parameters
    ----------
    x : number, Decimal, None, NaN or Missing
        A share is a fraction. What is not known or not finite is “—”.
    unit : {"currency", "count", "share", "ratio", "days", "per_order", "points", "chance", "share_change"}
    currency : str, default "CNY"
        ISO code.
    digits : int, optional
        Decimals; by default those of the module's rules. A column takes one number of them from `digits`.

    Examples
    --------
    >>> value(1234.5, "currency"), value(99.5, "currency", currency="GBP"), value(0.1234, "share")
    ('¥1,235', '£99.50', '12.3%')
    """
    number = _number(x)
    if number is None:
        _digits([], unit, currency)  # an unknown unit is refused, with or without a number
        return UNKNOWN
    if unit == "chance":
        return chance(x)
    if unit == "share_change":
        return change(x, "share")
    places = _digits([number], unit, currency) if digits is None else digits
    if unit != "share":
        return _dressed(number, unit, currency, places)
    least = Decimal(1).scaleb(-places)
    if 0 < number * 100 < least / 2:
        return f"<{least}%"
    if digits is None and 0 < -number * 100 < least / 2:  # in a column it is 0.0%
        return f">−{least}%"
    return _dressed(number * 100, unit, currency, places)


def short(x: Any, unit: str, *, currency: str = "CNY") -> str:
    """How is this number written where there is little room, on an axis or a tile?

    Money and counts from 10,000 on have three significant digits and a suffix; all else is as in `value`.

    Examples
    --------
    >>> short(1_234_567, "currency"), short(999_960, "count"), short(0.1234, "share")
    ('¥1.23M', '1.00M', '12.3%')
    """
    number = _number(x)
    if number is None or unit not in ("currency", "count") or abs(number) < 10_000:
        return value(x, unit, currency=currency)
    # The catalogue says where a language breaks its numbers: power of ten = suffix. In Chinese “4=万 8=亿”.
    steps = [(int(power), suffix) for power, suffix in (s.split("=") for s in _("3=K 6=M 9=B").split())]
    last = next((i for i in reversed(range(len(steps))) if abs(number) >= 10 ** steps[i][0]), 0)
    places, scaled = 0, number
    suffix = ""
    for power, suffix in steps[last : last + 2]:  # noqa: B007
        scaled = number / 10**power
        places = max(0, 2 - math.floor(math.log10(abs(scaled)))) if abs(scaled) >= 1 else 2
        following = steps[last + 1][0] - power if last + 1 < len(steps) else math.inf
        if round(abs(scaled), places) < 10**following:
            break
    return _dressed(scaled, unit, currency, min(places, 2), suffix)


def change(x: Any, unit: str, *, currency: str = "CNY") -> str:
    """By how much did it change, with its sign?

    Parameters
    ----------
    x : number
        The relative change as a fraction; of a share and of points the difference (0.012 is +1.2 pp).

    Examples
    --------
    >>> change(0.123, "currency"), change(-0.012, "share"), change(0.00001, "count")
    ('+12.3%', '−1.2 pp', '0.0%')
    """
    number = _number(x)
    _digits([], unit, currency)
    if number is None:
        return UNKNOWN
    if unit == "share":
        places = 2 if 0 < abs(number) < Decimal("0.01") else 1
        return _("{number} pp").format(number=_digits_of(number * 100, places, plus=True))
    if unit == "points":
        return _("{number} points").format(number=_digits_of(number, 1, plus=True))
    return f"{_digits_of(number * 100, 1, plus=True)}%"


def change_of_money(x: Any, *, currency: str = "CNY") -> str:
    """How is a gain or loss of money written? Short, with its sign: +¥1.2M, −¥800."""
    text = short(x, "currency", currency=currency)
    return f"+{text}" if x > 0 else text


def chance(p: Any) -> str:
    """How likely is it? In whole per cents; nothing that a model says is certain.

    Examples
    --------
    >>> chance(0.634), chance(1.0), chance(0.0004)
    ('63%', '>99%', '<1%')
    """
    number = _number(p)
    if number is None or Decimal("0.01") <= number <= Decimal("0.99"):
        return value(p, "share", digits=0)
    return f">{value(0.99, 'share', digits=0)}" if number > Decimal("0.99") else f"<{value(0.01, 'share', digits=0)}"


def interval(low: Any, high: Any, unit: str, *, currency: str = "CNY", digits: int | None = None) -> str:
    """Between which two numbers does it lie?

    Examples
    --------
    >>> interval(0.112, 0.134, "share"), interval(-20, 1500, "currency"), interval(0.012, 0.03, "share_change")
    ('11.2%–13.4%', '−¥20 to ¥1,500', '+1.2 pp to +3.0 pp')
    """
    ends = [n for n in (_number(low), _number(high)) if n is not None]
    places = _digits(ends, unit, currency) if digits is None else digits
    if not ends:
        return UNKNOWN
    said = {k: _end(x, unit, currency, places) for k, x in (("low", low), ("high", high))}
    if UNKNOWN in said.values():
        return (_("up to {high}") if said["low"] == UNKNOWN else _("from {low}")).format(**said)
    # A dash beside a sign cannot be read.
    return (_("{low} to {high}") if min(ends) < 0 or unit == "share_change" else _("{low}–{high}")).format(**said)


def _end(x: Any, unit: str, currency: str, places: int) -> str:
    """An end of an interval; that of a share may be 0.0%, for “<0.1%” beside a dash cannot be read."""
    number = _number(x)
    if unit == "share" and number is not None:
        return _dressed(number * 100, unit, currency, places)
    return value(x, unit, currency=currency, digits=places)


def digits(values: Iterable[Any], unit: str, *, currency: str = "CNY") -> int:
    """How many decimals make a column of these numbers line up?"""
    return _digits([n for n in map(_number, values) if n is not None], unit, currency)


def _number(x: Any) -> Decimal | None:
    """The number in its shortest decimal form, so that 0.285 is no less than that; None: no number."""
    if x is None or isinstance(x, Missing) or (pd.api.types.is_scalar(x) and pd.isna(x)):
        return None
    number = x if isinstance(x, Decimal) else Decimal(repr(x.item() if hasattr(x, "item") else x))
    return number if number.is_finite() else None


def _digits(numbers: list[Decimal], unit: str, currency: str) -> int:
    size = max(map(abs, numbers), default=Decimal(0))
    match unit:
        case "currency":
            return 0 if size >= 1000 or size == 0 or currency in WITHOUT_CENTS else 2
        case "share":
            return 2 if 0 < size < Decimal("0.1") else 1
        case "count" | "days":
            return 0 if size >= 1000 or all(n == n.to_integral_value() for n in numbers) else 1
        case "ratio" | "per_order":
            return 2 if size < 10 else 1 if size < 1000 else 0
        case "points":
            return 1
        case "chance" | "share_change":
            return 0
    said = _("{unit!r} is no unit; write one of: {units}")
    raise ValueError(said.format(unit=unit, units=", ".join(UNITS)))


def _digits_of(number: Decimal, places: int, *, plus: bool = False, symbol: str = "", suffix: str = "") -> str:
    text = f"{abs(number).quantize(Decimal(1).scaleb(-places), 'ROUND_HALF_UP'):,f}"
    zero = not text.strip("0.,")
    sign = "" if zero else "−" if number < 0 else "+" if plus else ""
    return f"{sign}{symbol}{text}{suffix}"


def _dressed(number: Decimal, unit: str, currency: str, places: int, suffix: str = "") -> str:
    if unit == "currency":
        return _digits_of(number, places, symbol=SYMBOLS.get(currency, f"{currency}\u00a0"), suffix=suffix)
    text = _digits_of(number, places, suffix=suffix)
    if unit == "share":
        return f"{text}%"
    if unit == "days":
        return (_("{number} day") if text == "1" else _("{number} days")).format(number=text)
    return text


# -- dates


def date(day: Any) -> str:
    """How is this day written? ``1 Oct 2026``; “—” where there is none."""
    if day is None or isinstance(day, Missing) or pd.isna(day):
        return UNKNOWN
    day = dt.date.fromisoformat(day[:10]) if isinstance(day, str) else day
    return _("{day} {month} {year}").format(**parts(day))


def period(p: Period) -> str:
    """What does a reader call this period? ``October 2026``, ``1–15 Oct 2026``, ``Week 42, 2026``."""
    first, last = parts(p.start), parts(p.last_day)
    if p.kind == "month":
        return _("{full_month} {year}").format(**first)
    if p.kind == "year":
        return _("{year}").format(**first)
    if p.kind == "quarter":
        return _("Q{quarter} {year}").format(quarter=p.label[-1], year=p.start.year)
    if p.kind == "week":
        year, week = p.label.split("-W")
        return _("Week {week}, {year}").format(week=int(week), year=year)
    if p.days == 1:
        return date(p.start)
    began = {f"first_{key}": said for key, said in first.items()}
    if (first["year"], first["month"]) == (last["year"], last["month"]):
        return _("{first_day}–{day} {month} {year}").format(**began, **last)
    if first["year"] == last["year"]:
        return _("{first_day} {first_month} – {day} {month} {year}").format(**began, **last)
    return _("{first} – {last}").format(first=date(p.start), last=date(p.last_day))


def parts(day: dt.date) -> dict[str, Any]:
    """What a language may say of a day; Chinese takes the month's number."""
    brief = _("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()[day.month - 1]
    full = _("January February March April May June July August September October November December")
    return {
        "day": day.day,
        "month": brief,
        "full_month": full.split()[day.month - 1],
        "month_number": day.month,
        "year": day.year,
    }
