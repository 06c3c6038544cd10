"""Stories of how numbers, dates and pictures look."""

import datetime as dt
import itertools
import warnings
from decimal import Decimal

import matplotlib
import numpy as np
import pandas as pd
import pytest

from playbook import style
from playbook.missing import Missing
from playbook.period import parse

matplotlib.use("agg")
from matplotlib import pyplot as plt


@pytest.mark.parametrize(
    ("x", "currency", "text"),
    [
        (99.5, "CNY", "¥99.50"),
        (999.994, "CNY", "¥999.99"),
        (1234.5, "CNY", "¥1,235"),
        (-1234567, "GBP", "−£1,234,567"),
        (99.5, "JPY", "¥100"),
        (12, "CHF", "CHF\u00a012.00"),
        (0.285, "USD", "$0.29"),  # as a double it is 0.28499…
        (Decimal("12.30"), "EUR", "€12.30"),
        (np.int64(5), "USD", "$5.00"),
    ],
)
def test_money_keeps_its_cents_below_a_thousand(x, currency, text):
    assert style.value(x, "currency", currency=currency) == text


@pytest.mark.parametrize(
    ("x", "unit", "text"),
    [
        (0.123456, "share", "12.3%"),
        (0.0291, "share", "2.91%"),
        (0.00001, "share", "<0.01%"),
        (-0.00001, "share", ">−0.01%"),
        (1, "share", "100.0%"),
        (12345, "count", "12,345"),
        (12.5, "count", "12.5"),
        (3.14159, "ratio", "3.14"),
        (31.4159, "ratio", "31.4"),
        (1, "days", "1 day"),
        (2.5, "days", "2.5 days"),
        (1.875, "per_order", "1.88"),
        (-42, "points", "−42.0"),
    ],
)
def test_each_unit_has_one_way_to_be_written(x, unit, text):
    assert style.value(x, unit) == text


@pytest.mark.parametrize("unit", style.UNITS)
@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, pd.NaT, float("inf"), Missing("events")])
def test_what_is_not_known_is_a_dash_in_every_unit(unit, nothing):
    assert {style.value(nothing, unit), style.short(nothing, unit), style.change(nothing, unit)} == {"—"}


@pytest.mark.parametrize("unit", style.UNITS)
@pytest.mark.parametrize("tiny", [-0.0, -1e-12, Decimal("-0.0000001")])
def test_there_is_no_negative_zero(unit, tiny):
    assert "−" not in style.value(tiny, unit, digits=1)
    assert "−" not in style.change(tiny, unit)


def test_an_unknown_unit_is_refused_and_the_units_are_named():
    with pytest.raises(ValueError, match="'percent' is no unit; write one of: currency, count, share"):
        style.value(1, "percent")
    with pytest.raises(ValueError, match="no unit"):
        style.value(None, "percent")


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (9_999, "¥9,999"),
        (12_345, "¥12.3K"),
        (999_499, "¥999K"),
        (999_500, "¥1.00M"),
        (1_234_567, "¥1.23M"),
        (-2.5e9, "−¥2.50B"),
        (4.2e12, "¥4,200B"),
    ],
)
def test_short_money_has_three_digits_and_passes_on_to_the_next_suffix(x, text):
    assert style.short(x, "currency") == text


def test_changes_are_signed_and_shares_move_in_points():
    assert style.change(0.123, "currency") == "+12.3%"
    assert style.change(-0.012, "share") == "−1.2 pp"
    assert style.change(0.0012, "share") == "+0.12 pp"
    assert style.change(3, "points") == "+3.0 points"


def test_both_ends_of_an_interval_have_the_same_decimals():
    assert style.interval(980.4, 1204.2, "currency") == "¥980–¥1,204"
    assert style.interval(0.08, 0.124, "share") == "8.0%–12.4%"
    assert style.interval(0.00001, 0.012, "share") == "0.00%–1.20%"
    assert style.interval(-20, 15, "currency") == "−¥20.00 to ¥15.00"
    assert style.interval(None, 12, "count") == "up to 12"
    assert style.interval(None, None, "count") == "—"


def test_a_column_takes_one_number_of_decimals():
    assert style.digits([12.5, 99_000, None], "currency") == 0
    assert style.digits([0.02, 0.3], "share") == 1
    assert style.digits([3, 4.5], "count") == 1


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-10", "October 2026"),
        ("2026-Q3", "Q3 2026"),
        ("2026", "2026"),
        ("2026-W42", "Week 42, 2026"),
        ("2026-10-01/2026-10-15", "1–15 Oct 2026"),
        ("2026-09-28/2026-10-03", "28 Sep – 3 Oct 2026"),
        ("2025-12-28/2026-01-03", "28 Dec 2025 – 3 Jan 2026"),
        ("2026-10-07/2026-10-07", "7 Oct 2026"),
    ],
)
def test_a_period_is_read_as_people_say_it(typed, read):
    assert style.period(parse(typed)) == read


def test_days_are_written_from_any_kind_of_date():
    day = "1 Oct 2026"
    assert [style.date(d) for d in (dt.date(2026, 10, 1), pd.Timestamp("2026-10-01 23:59"), "2026-10-01")] == [day] * 3
    assert style.date(None) == style.date(pd.NaT) == "—"


def _lab(colour, matrix):
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = np.array(to_xyz) @ np.clip(matrix @ linear, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira & Fernandes (2009), severity 1.0
SEEING = {
    "all": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("eye", SEEING)
def test_colours_are_told_apart_by_every_eye(eye):
    def far(a, b):
        return np.linalg.norm(_lab(a, np.array(SEEING[eye])) - _lab(b, np.array(SEEING[eye])))

    assert min(far(a, b) for a, b in itertools.combinations(style.CATEGORIES, 2)) > 11.5
    assert far(style.GOOD, style.BAD) > 30


@pytest.fixture
def ax():
    style.apply()
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_chinese_is_drawn_beside_a_latin_face(ax):
    if style.cjk_font() is None:
        pytest.skip("no Chinese font is installed here")
    ax.set_title("小红书 Xiaohongshu, 双11")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every glyph that it cannot draw
        ax.figure.canvas.draw()
    families = plt.rcParams["font.family"]
    assert families.index(style.cjk_font()) > 0, "the Latin face comes first"
    assert style.label("渠道", "Channel") == "渠道"
    assert style.cjk_sentence() == ""


def test_without_a_chinese_font_labels_are_english_and_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr(style, "_installed_fonts", lambda: frozenset({"DejaVu Sans"}))
    assert style.cjk_font() is None
    assert style.label("渠道", "Channel") == "Channel"
    assert style.label("ROAS", "return") == "ROAS"
    assert "install Noto Sans CJK SC" in style.cjk_sentence()


def test_axes_carry_their_units(ax):
    ax.plot([dt.date(2026, 10, 1), dt.date(2026, 10, 31)], [0, 2_000_000])
    style.money_axis(style.date_axis(ax), "GBP")
    ax.figure.canvas.draw()
    assert "£1.5M" in [t.get_text() for t in ax.get_yticklabels()]
    assert [t.get_text() for t in ax.get_xticklabels()][:2] == ["1 Oct\n2026", "8 Oct"]
    style.share_axis(ax)
    ax.set_ylim(0, 0.3)
    ax.set_yticks([0, 0.125, 0.1 + 0.2])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0%", "12.5%", "30%"]


def test_a_direct_label_stands_at_its_point(ax):
    ax.plot([1, 2], [3, 4])
    style.direct_label(ax, 2, 4, "October", style.OWN)
    assert (ax.texts[0].get_text(), ax.texts[0].xy, ax.texts[0].get_color()) == ("October", (2, 4), style.OWN)


def test_alternative_text_is_what_was_said_else_the_titles_else_the_axes(ax):
    assert style.alt_of(ax.figure) == "Chart without a title"
    ax.set(xlabel="day", ylabel="sales")
    assert style.alt_of(ax.figure) == "Chart of sales by day"
    ax.set_title("Sales rose")
    assert style.alt_of(ax.figure) == "Sales rose"
    style.alt(ax, "Sales rose from 3 to 4.")
    assert style.alt_of(ax.figure) == "Sales rose from 3 to 4."
