"""The one look, and the one place where numbers and dates become text.

Rules of the numbers, so that a page can be read without a legend:

- money keeps its cents below 1,000 and loses them from there on; currencies without cents never have any;
- a share (a fraction) is a percentage with two decimals below 10 %, one from there on; its change is in
  percentage points, two decimals below one point;
- whole counts and days have no decimals; ratios have two, one from 10 on, none from 1,000 on;
- what is not known is “—”, there is no “−0”, and the minus is a minus, not a hyphen.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from .language import _
from .missing import Missing
from .period import Period

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# -- colours: told apart with any colour vision (tests simulate it); a word or a shape always says it too

OWN = "#0B62A8"  # the shop itself, this period
COMPARISON = "#98A2AE"  # what it is compared with
GOOD = "#12876F"
BAD = "#C8501E"
NEUTRAL = "#5F6B7A"
CATEGORIES = ["#0B62A8", "#E6930C", "#12876F", "#B5478B", "#5FB3E4", "#7A3B12", "#98A2AE"]

INK, SOFT_INK, GRID = "#1D2733", "#5F6B7A", "#E6E9ED"

UNITS = ("currency", "count", "share", "ratio", "days", "per_order", "points")
UNKNOWN = "—"

SYMBOLS = {"CNY": "¥", "JPY": "¥", "USD": "$", "GBP": "£", "EUR": "€"}
WITHOUT_CENTS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "IDR"})

LATIN_FONTS = (
    "Inter",
    "Helvetica Neue",
    "Segoe UI",
    "Arial",
    "Liberation Sans",
    "Nimbus Sans",
    "DejaVu Sans",
)
CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Heiti SC",
    "Arial Unicode MS", "Noto Sans CJK TC", "Noto Sans CJK JP", "Droid Sans Fallback",
)  # fmt: skip
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


def value(x: Any, unit: str, *, currency: str = "CNY", digits: int | None = None) -> str:
    """How is this number written in its unit?

    Parameters
    ----------
    x : number, Decimal, None, NaN or Missing
        A share is a fraction. What is not known or not finite is “—”.
    unit : {"currency", "count", "share", "ratio", "days", "per_order", "points"}
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
    places = _digits([number], unit, currency) if digits is None else digits
    if unit == "share" and digits is None and 0 < abs(number) < Decimal("0.00005"):
        return ("<" if number > 0 else ">−") + "0.01%"
    return _dressed(number * 100 if unit == "share" else number, unit, currency, places)


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


def interval(low: Any, high: Any, unit: str, *, currency: str = "CNY", digits: int | None = None) -> str:
    """Between which two numbers does it lie?

    Examples
    --------
    >>> interval(0.112, 0.134, "share"), interval(-20, 1500, "currency"), interval(3, None, "days")
    ('11.2%–13.4%', '−¥20 to ¥1,500', 'from 3 days')
    """
    ends = [n for n in (_number(low), _number(high)) if n is not None]
    places = _digits(ends, unit, currency) if digits is None else digits
    if not ends:
        return UNKNOWN
    said = {k: value(x, unit, currency=currency, digits=places) for k, x in (("low", low), ("high", high))}
    if UNKNOWN in said.values():
        return (_("up to {high}") if said["low"] == UNKNOWN else _("from {low}")).format(**said)
    # A dash beside a minus cannot be read.
    return (_("{low} to {high}") if min(ends) < 0 else _("{low}–{high}")).format(**said)


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
    return _("{day} {month} {year}").format(**_parts(day))


def period(p: Period) -> str:
    """What does a reader call this period? ``October 2026``, ``1–15 Oct 2026``, ``Week 42, 2026``."""
    first, last = _parts(p.start), _parts(p.last_day)
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


def _parts(day: dt.date) -> dict[str, Any]:
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


# -- the look of pictures


def apply() -> None:
    """Make every picture from here on look like the book: light grid, a Latin face, then a Chinese one."""
    import matplotlib as mpl
    import seaborn as sns

    sns.set_theme(context="notebook", style="white", palette=CATEGORIES)
    # Only installed faces: matplotlib warns of any other at every text. The theme has just reset them.
    faces = [next((f for f in LATIN_FONTS if f in _installed_fonts()), "DejaVu Sans")]
    mpl.rcParams.update(
        {
            # Glyph by glyph matplotlib falls back along font.family only, never along font.sans-serif.
            "font.family": [*faces, *([cjk_font()] if cjk_font() else []), "DejaVu Sans"],
            "font.size": 11, "axes.titlesize": 13, "axes.labelsize": 10.5, "legend.fontsize": 10,
            "xtick.labelsize": 10, "ytick.labelsize": 10, "text.color": INK, "axes.labelcolor": SOFT_INK,
            "xtick.color": SOFT_INK, "ytick.color": SOFT_INK, "figure.facecolor": "white",
            "figure.figsize": (9, 4.2), "figure.dpi": 100, "savefig.dpi": 200, "legend.frameon": False,
            "figure.constrained_layout.use": True, "axes.titlelocation": "left", "axes.titleweight": "bold",
            "axes.titlepad": 14, "axes.titlecolor": INK, "axes.edgecolor": "#B8C0CA", "axes.linewidth": 0.8,
            "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
            "axes.grid": True, "axes.grid.axis": "y", "axes.axisbelow": True, "axes.unicode_minus": True,
            "grid.color": GRID, "grid.linewidth": 0.8, "xtick.bottom": False, "ytick.left": False,
            "lines.linewidth": 2.0, "lines.solid_capstyle": "round", "patch.linewidth": 0,
        }
    )  # fmt: skip


@lru_cache(maxsize=1)
def _installed_fonts() -> frozenset[str]:
    from matplotlib import font_manager

    return frozenset(font.name for font in font_manager.fontManager.ttflist)


def cjk_font() -> str | None:
    """Which installed font can draw Chinese text?"""
    return next((f for f in CJK_FONTS if f in _installed_fonts()), None)


def cjk_sentence() -> str:
    """What should a reader know about Chinese text in pictures? Empty where a font is there."""
    if cjk_font():
        return ""
    return _(
        "No Chinese font is installed, so charts use English labels and show Chinese names as boxes: "
        "install Noto Sans CJK SC and start the notebook again."
    )


def label(zh: str, en: str) -> str:
    """Which of the two texts can be drawn here? The Chinese one, or English where no font has it."""
    return zh if cjk_font() or not _CJK.search(zh) else en


def axes(*, height: float = 4.2) -> Axes:
    """An empty picture as wide as a page's column; `height` in inches."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(9, height))[1]


def money_axis(ax: Axes, currency: str = "CNY", *, which: str = "y") -> Axes:
    """Write money along an axis: ¥500, ¥12K, ¥1.5M."""
    return _ticks(ax, which, lambda x, _place: _trimmed(short(_clean(x), "currency", currency=currency)))


def count_axis(ax: Axes, *, which: str = "y") -> Axes:
    """Write counts along an axis: 500, 12K, 1.5M."""
    return _ticks(ax, which, lambda x, _place: _trimmed(short(_clean(x), "count")))


def share_axis(ax: Axes, *, which: str = "y") -> Axes:
    """Write fractions along an axis as percentages."""
    return _ticks(ax, which, lambda x, _place: _trimmed(value(_clean(x), "share", digits=2)))


def date_axis(ax: Axes) -> Axes:
    """Write days along the x axis, each year once: 1 Oct, 15 Oct; or months: Oct, Nov."""
    from matplotlib import dates, ticker

    class Days(ticker.Formatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return date(dates.num2date(x))

        def format_ticks(self, values: Any) -> list[str]:
            days = [dates.num2date(v).date() for v in values]
            months = all(d.day == 1 for d in days) and len(days) > 1
            pattern = _("{month}") if months else _("{day} {month}")
            texts, year = [], None
            for day in days:
                text = pattern.format(**_parts(day))
                texts.append(text if day.year == year else f"{text}\n{day.year}")
                year = day.year
            return texts

    ax.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=8, interval_multiples=True))
    ax.xaxis.set_major_formatter(Days())
    ax.margins(x=0.01)  # no room for a tick after the last day
    return ax


def direct_label(ax: Axes, x: Any, y: Any, text: str, color: str = INK) -> Axes:
    """Write a name beside a point, in place of a legend; the figure makes room for it."""
    ax.annotate(
        text, (x, y), xytext=(8, 0), textcoords="offset points", va="center", ha="left", color=color,
        fontsize=10.5, fontweight="bold", annotation_clip=False,
    )  # fmt: skip
    return ax


def alt(picture: Figure | Axes, text: str) -> None:
    """Say in words what a picture shows, for those who cannot see it."""
    figure = picture if hasattr(picture, "axes") and isinstance(picture.axes, list) else picture.figure
    figure._playbook_alt = text  # type: ignore[union-attr]


def alt_of(figure: Figure) -> str:
    """What does this picture show? What `alt` said, else its titles, else its axes."""
    if said := getattr(figure, "_playbook_alt", ""):
        return said
    titles = [figure.get_suptitle()] + [
        ax.get_title(loc=place) for ax in figure.axes for place in ("left", "center", "right")
    ]
    if any(titles):
        return ". ".join(dict.fromkeys(" ".join(t.split()) for t in titles if t))
    axes = [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes]
    named = [_("Chart of {y} by {x}").format(y=y, x=x) for x, y in axes if x and y]
    return ". ".join(named) or _("Chart without a title")


def _ticks(ax: Axes, which: str, write: Any) -> Axes:
    from matplotlib import ticker

    (ax.yaxis if which == "y" else ax.xaxis).set_major_formatter(ticker.FuncFormatter(write))
    return ax


def _clean(tick: float) -> float:
    """A tick without the noise of its computation (0.30000000000000004)."""
    return float(f"{tick:.10g}")


def _trimmed(text: str) -> str:
    return re.sub(r"\.?0+(?=\D*$)", "", text) if "." in text else text
