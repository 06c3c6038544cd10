"""Stories of festivals: their days by sun and moon, and what they add to a series made by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook.methods.seasonality import CALENDAR, decompose, festival_effects, festival_uplift, festivals

DAYS = pd.date_range("2023-07-01", "2026-06-30")


def own_day(name, year):
    (festival,) = [f for f in CALENDAR if f.name == name]
    return festival.anchor(year)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        # Hong Kong Observatory's conversion tables
        ("spring_festival", ["2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2033-01-31"]),
        ("dragon_boat", ["2023-06-22", "2024-06-10", "2025-05-31", "2026-06-19"]),  # 2025 has a leap sixth month
        ("qixi", ["2023-08-22", "2024-08-10", "2025-08-29", "2026-08-19"]),
        ("mid_autumn", ["2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25"]),
        ("qingming", ["2023-04-05", "2024-04-04", "2025-04-04", "2026-04-05"]),
    ],
)
def test_festivals_of_the_moon_and_the_sun_fall_on_their_days(name, days):
    for day in map(dt.date.fromisoformat, days):
        assert own_day(name, day.year) == day


def test_double_eleven_has_a_pre_sale_two_waves_and_an_aftermath():
    days = festivals(dt.date(2025, 10, 1), dt.date(2025, 12, 5), names=["festival_1111"]).set_index("day")["phase"]
    assert (days == "before").sum() == 11 and days.loc["2025-10-20":"2025-10-30"].eq("before").all()
    assert (days == "during").sum() == 12 and days.loc["2025-10-31":"2025-11-11"].eq("during").all()
    assert (days == "after").sum() == 13 and days.index[-1] == pd.Timestamp("2025-11-24")


def test_a_day_of_two_festivals_is_listed_twice_the_greater_first():
    both = festivals(dt.date(2025, 5, 31), dt.date(2025, 5, 31))  # the Dragon Boat festival on the first day of 618
    assert both["name"].tolist() == ["festival_618", "dragon_boat"]


def test_new_years_day_belongs_to_the_days_before_it_in_the_old_year():
    eve = festivals(dt.date(2025, 12, 31), dt.date(2025, 12, 31), names=["new_year"])
    assert eve[["year", "phase"]].values.tolist() == [[2026, "during"]]


def test_a_festival_that_is_none_and_a_year_without_tables_are_refused():
    with pytest.raises(ValueError, match="'black_friday' is no festival; known are: festival_1111"):
        festivals(dt.date(2025, 1, 1), dt.date(2025, 2, 1), names=["black_friday"])
    with pytest.raises(ValueError, match="2000 to 2098"):
        festivals(dt.date(1999, 1, 1), dt.date(1999, 2, 1))


def shop(lift, noise=0.05, seed=0):
    """100 a day, a little trend, busy Fridays, and at 618 `lift` times as much in a year; 20 % less afterwards."""
    rng = np.random.default_rng(seed)
    t = np.arange(len(DAYS))
    series = pd.Series(100 * np.exp(0.0002 * t + rng.normal(0, noise, len(DAYS))), DAYS)
    series[DAYS.day_of_week == 4] *= 1.3
    for row in festivals(DAYS[0].date(), DAYS[-1].date(), names=["festival_618"]).itertuples():
        series[row.day] *= {"before": 1.0, "during": lift[row.year], "after": 0.8}[row.phase]
    return series


def test_a_sale_that_doubles_sales_and_takes_a_fifth_afterwards_is_told_so():
    effects = festival_effects(shop({2024: 2.0, 2025: 2.0, 2026: 2.0})).query("name == 'festival_618'")
    during = effects[effects["phase"] == "during"].set_index("year")
    assert during["uplift"].tolist() == pytest.approx([1.0, 1.0, 1.0], abs=0.06)
    assert (during["low"] < 1).all() and (during["high"] > 1).all()
    assert during["extra"].tolist() == pytest.approx((during["actual"] / 2).tolist(), rel=0.06)
    after = effects[effects["phase"] == "after"]["uplift"]
    assert after.tolist() == pytest.approx([-0.2] * len(after), abs=0.04)


def test_years_that_differ_make_the_next_time_less_sure_than_the_mean():
    pooled = festival_uplift(festival_effects(shop({2024: 1.5, 2025: 2.0, 2026: 2.6})))
    row = pooled.query("name == 'festival_618' and phase == 'during'").iloc[0]
    assert row["times"] == 3
    assert row["between"] == pytest.approx(np.std(np.log([1.5, 2.0, 2.6]), ddof=1), rel=0.2)
    assert row["next_low"] < row["mean_low"] < row["uplift"] < row["mean_high"] < row["next_high"]
    assert 1 + row["uplift"] == pytest.approx((1.5 * 2.0 * 2.6) ** (1 / 3), rel=0.05)


def test_a_festival_seen_once_has_no_interval_for_the_next_time():
    one = shop({2024: 2.0, 2025: 2.0, 2026: 2.0})["2023-07-01":"2024-09-01"]
    row = festival_uplift(festival_effects(one)).query("name == 'festival_618' and phase == 'during'").iloc[0]
    assert np.isnan(row["next_low"]) and row["mean_low"] < 1 < row["mean_high"]
    assert row["note"].startswith("Not enough data: needs the festival in two years")


def test_too_few_days_and_gaps_are_told_with_what_is_needed():
    series = shop({2024: 2.0, 2025: 2.0, 2026: 2.0})
    with pytest.raises(ValueError, match=r"Not enough data: needs 120 days.* has 60 days"):
        festival_effects(series[:60])
    with pytest.raises(ValueError, match=r"1 days are missing between 2023-07-01 and 2026-06-30"):
        festival_effects(series.drop(series.index[5]))
    with pytest.raises(ValueError, match="days are below 0"):
        festival_effects(series - 150)


def test_the_parts_of_a_series_multiply_to_it():
    series = shop({2024: 1.0, 2025: 1.0, 2026: 1.0})
    parts = decompose(series)
    assert parts[["trend", "week", "year", "rest"]].prod(axis=1).to_numpy() == pytest.approx(series.to_numpy())
    fridays = parts["week"][parts.index.day_of_week == 4].mean() / parts["week"][parts.index.day_of_week == 1].mean()
    assert fridays == pytest.approx(1.3, rel=0.05)
    assert (decompose(series[:100])["year"] == 1).all()
    with pytest.raises(ValueError, match="needs 731 days in a row, has 100"):
        decompose(series[:100], yearly=True)
