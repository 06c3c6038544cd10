"""Stories of what comes next: histories by kind of period, forecasts that can be scored, and too short a past."""

import datetime as dt
import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from playbook.metrics import measure
from playbook.missing import Missing
from playbook.outlook import Forecast
from playbook.period import parse
from playbook.shop import shop_from
from playbook.tracking import ahead


def past(months=36, metrics=("net_sales", "repeat_rate"), noise=0.05):
    """Sales that peak in November, and a repeat rate near its floor."""
    rng = np.random.default_rng(3)
    when = pd.date_range("2023-11-01", periods=months, freq="MS")
    parts = []
    for metric in metrics:
        season = np.where(when.month == 11, 2.0, 1.0) * np.exp(rng.normal(0, noise, months))
        level, unit = (1000, "currency") if metric == "net_sales" else (0.1, "share")
        parts.append(pd.DataFrame({"month": when, "metric": metric, "unit": unit, "value": level * season}))
    frame = pd.concat(parts, ignore_index=True)
    titles = {"net_sales": "Net sales", "repeat_rate": "Repeat rate"}
    frame.attrs = {"by": ["month"], "currency": "CNY", "titles": titles, "definitions": {}, "good": {}}
    return frame


@pytest.mark.parametrize(
    ("period", "first", "start", "step"),
    [
        ("2026-10", dt.date(2023, 10, 1), "2023-10-01", "month"),
        ("2026-10", dt.date(2023, 10, 2), "2023-11-01", "month"),  # October 2023 is not whole
        ("2026-10", dt.date(2026, 10, 9), "2026-10-01", "month"),
        ("2026-Q3", dt.date(2025, 1, 1), "2025-01-01", "quarter"),
        ("2026-Q3", dt.date(2025, 1, 2), "2025-04-01", "quarter"),
        ("2026-W42", dt.date(2026, 9, 30), "2026-10-05", "week"),
        ("2025", dt.date(2024, 11, 5), "2024-12-01", "month"),
    ],
)
def test_the_history_is_of_whole_steps_up_to_the_end_of_the_period(period, first, start, step):
    of = parse(period)
    told = ahead.history(of, first)
    assert (told.start.isoformat(), told.end) == (start, of.end) and ahead.step(of) == step


@pytest.mark.parametrize(
    ("period", "label"),
    [
        ("2026-10", "2026-11"),
        ("2026-12", "2027-01"),
        ("2026-Q4", "2027-Q1"),
        ("2026-W53", "2027-W01"),
        ("2026", "2027-01"),
    ],
)
def test_what_follows_a_period_is_whole(period, label):
    assert ahead.following(parse(period)).label == label


def test_a_season_is_forecast_for_the_period_that_follows_and_can_be_scored():
    told = ahead.outlook(past(), parse("2026-10"))
    sales, rate = ahead.forecasts(told)
    assert isinstance(sales, Forecast) and (sales.metric, sales.period, sales.level) == ("net_sales", "2026-11", 0.8)
    assert sales.value == pytest.approx(2000, rel=0.15) and sales.low < sales.value < sales.high
    assert 0 <= rate.low < rate.high <= 1
    assert told.error_against_naive.between(0, 2).all()


def test_too_short_a_past_says_what_it_needs_and_forecasts_nothing():
    for months in (1, 5):
        told = ahead.outlook(past(months), parse("2026-10"))
        assert told.value.isna().all() and told.note.str.startswith("Not enough data: needs").all()
        cards = ahead.forecasts(told)
        assert all(isinstance(c, Missing) for c in cards) and "“Net sales”" in cards[0].sentence()
    never = past(30, noise=0).query("month.dt.month != 11 or month.dt.month == 11").assign(value=5.0)
    never.attrs = past().attrs
    assert all(isinstance(c, Missing) for c in ahead.forecasts(ahead.outlook(never, parse("2026-10"))))


def test_nothing_follows_loose_days():
    card = ahead.outlook(past(), parse("2026-10-01/2026-10-15"))
    assert isinstance(card, Missing) and isinstance(ahead.forecasts(card), Missing)


def test_weeks_of_a_real_shop_whose_weeks_begin_on_sunday():
    days = pd.date_range("2026-06-07", "2026-10-17 12:00", freq="12h")
    orders = pd.DataFrame({"order_id": [str(i) for i in range(len(days))], "ordered_at": days})
    orders["amount"] = 10.0 + np.arange(len(days)) % 3
    shop = shop_from(period="2026-W42", week_start="sunday", orders=orders)
    span = ahead.history(shop.period, shop.first_day)
    assert span.start == dt.date(2026, 6, 7) and span.days % 7 == 0
    weeks = measure(shop, ahead.METRICS, by=[ahead.step(shop.period)], period=span)
    assert len(weeks[weeks.metric == "orders_paid"]) == 19
    forecast = {f.metric: f for f in ahead.forecasts(ahead.outlook(weeks, shop.period)) if isinstance(f, Forecast)}
    assert set(forecast) <= {"net_sales", "orders_paid", "aov"} and forecast["net_sales"].period == "2026-W43"
    assert forecast["net_sales"].value == pytest.approx(14 * 11, rel=0.05)


def test_the_picture_shows_the_past_and_the_dot():
    of = past()
    told = ahead.outlook(of, parse("2026-10"))
    axes = ahead.plot_outlook(told, of)
    lines = axes[0].lines
    assert lines[0].get_ydata()[-1] == of[of.metric == "net_sales"].value.iloc[-1]
    assert any(told.value[0] in line.get_ydata() for line in lines[1:])
    assert not axes[3].get_visible() and not math.isnan(axes[0].get_ylim()[1])
    plt.close("all")
