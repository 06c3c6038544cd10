"""The one look, and the one place where numbers and dates become text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..language import ENGLISH, _, current, using
from .numbers import (
    SYMBOLS,
    UNITS,
    UNKNOWN,
    WITHOUT_CENTS,
    chance,
    change,
    change_of_money,
    date,
    digits,
    interval,
    parts,
    period,
    short,
    value,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BAD", "CATEGORIES", "CJK_FONTS", "COMPARISON", "GOOD", "GRID", "INK", "LATIN_FONTS", "NEUTRAL", "OWN", "SOFT_INK",
    "SYMBOLS", "UNITS", "UNKNOWN", "WITHOUT_CENTS", "WRITTEN_IN_HAN", "alt", "alt_of", "apply", "axes", "chance",
    "change", "change_of_money", "cjk_font", "cjk_sentence", "count_axis", "date", "date_axis", "digits",
    "direct_label", "interval", "is_cjk", "label", "money_axis", "period", "picture_language", "share_axis", "short",
    "value",
]  # fmt: skip

# -- colours: told apart with any colour vision (tests simulate it); a word or a shape always says it too

OWN = "#0B62A8"  # the shop itself, this period
COMPARISON = "#98A2AE"  # what it is compared with
GOOD = "#12876F"
BAD = "#C8501E"
NEUTRAL = "#5F6B7A"
CATEGORIES = ["#0B62A8", "#E6930C", "#12876F", "#B5478B", "#5FB3E4", "#7A3B12", "#98A2AE"]

INK, SOFT_INK, GRID = "#1D2733", "#5F6B7A", "#E6E9ED"

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
WRITTEN_IN_HAN = frozenset({"zh"})
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


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


def picture_language() -> str:
    """The language of words in pictures: the one in use, or English where no font can draw that."""
    return current() if cjk_font() or current() not in WRITTEN_IN_HAN else ENGLISH


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
    return zh if cjk_font() or not is_cjk(zh) else en


def is_cjk(text: str) -> bool:
    """Does a text need a Chinese, Japanese or Korean font?"""
    return bool(_CJK.search(text))


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

    drawn_in = picture_language()  # ticks are written when the picture is drawn, by then another language may be in use

    class Days(ticker.Formatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            with using(drawn_in):
                return date(dates.num2date(x))

        def format_ticks(self, values: Any) -> list[str]:
            with using(drawn_in):
                return self._texts(values)

        def _texts(self, values: Any) -> list[str]:
            days = [dates.num2date(v).date() for v in values]
            months = all(d.day == 1 for d in days) and len(days) > 1
            pattern = _("{month}") if months else _("{day} {month}")
            texts, year = [], None
            for day in days:
                text = pattern.format(**parts(day))
                texts.append(text if day.year == year else "\n".join((text, _("{year}").format(year=day.year))))
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

    drawn_in = picture_language()

    def written(x: float, place: int | None) -> str:
        with using(drawn_in):
            return write(x, place)

    (ax.yaxis if which == "y" else ax.xaxis).set_major_formatter(ticker.FuncFormatter(written))
    return ax


def _clean(tick: float) -> float:
    """A tick without the noise of its computation (0.30000000000000004)."""
    return float(f"{tick:.10g}")


def _trimmed(text: str) -> str:
    return re.sub(r"\.?0+(?=\D*$)", "", text) if "." in text else text
