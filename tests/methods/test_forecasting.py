"""Stories of series whose future is plain, and of such as nothing can be said of."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest

from playbook.methods.forecasting import forecaster, next_step


def months(n, noise=0.0, growth=0.0, seed=0, first="2023-01"):
    """A year that peaks in November, times growth and noise."""
    rng = np.random.default_rng(seed)
    t = pd.period_range(first, periods=n, freq="M")
    season = np.where(t.month == 11, 2.0, 1.0 + 0.02 * t.month)
    return pd.Series(1000 * season * np.exp(growth * np.arange(n) + rng.normal(0, noise, n)), t)


def test_a_year_that_repeats_exactly_is_forecast_exactly():
    series = months(45)
    made = forecaster(series[:42], horizon=3)
    said = made.predict(level=0.9)
    assert said["period"].tolist() == series.index[42:].tolist()
    assert said["value"].to_numpy() == pytest.approx(series[42:].to_numpy(), rel=1e-6)
    assert (said["high"] - said["low"]).max() < 1


def test_growth_is_seen_where_last_year_would_be_too_low():
    series = months(48, noise=0.02, growth=0.02)
    made = forecaster(series[:45])
    table = made.backtest.set_index("method")
    assert made.method != "seasonal_naive"
    assert table.loc[made.method, "mase"] < 0.6 * table.loc["seasonal_naive", "mase"]
    said = made.predict()
    assert said["value"].to_numpy() == pytest.approx(series[45:].to_numpy(), rel=0.12)
    assert (said["low"] < said["value"]).all() and (said["value"] < said["high"]).all()
    assert table["chosen"].sum() == 1 and table.loc[made.method, "mase"] == table["mase"].min()
    assert (table["pinball"] > 0).all()


def test_a_surer_level_is_wider_and_further_than_the_backtest_is_refused():
    made = forecaster(months(40, noise=0.1), horizon=2)
    wide, narrow = made.predict(level=0.9), made.predict(level=0.8)
    assert (wide["low"] < narrow["low"]).all() and (wide["high"] > narrow["high"]).all()
    assert len(made.predict(1)) == 1
    with pytest.raises(ValueError, match="3 periods ahead: the backtest tried 1 to 2"):
        made.predict(3)


def test_three_years_of_months_take_less_than_three_seconds_and_no_warning_leaks():
    series = months(36, noise=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        started = time.process_time()
        made = forecaster(series, horizon=3, origins=8)
    assert time.process_time() - started < 3
    assert set(made.backtest["method"]) >= {"seasonal_naive", "ets", "structural", "sarima"}


def test_short_series_say_what_they_need():
    nothing = forecaster(months(5))
    assert nothing.method == "" and nothing.predict()["value"].isna().all()
    assert nothing.note.startswith("Not enough data: needs 6 periods") and "has 5" in nothing.note
    few = forecaster(months(9, noise=0.1))
    assert few.method in ("naive", "recent_mean", "mean") and "needs 18 periods, has 9" in few.note
    assert few.predict()[["value", "low", "high"]].notna().all().all()
    one_season = forecaster(months(20, noise=0.05))
    assert "from 30 periods on" in one_season.note and "seasonal_naive" in set(one_season.backtest["method"])


def test_a_series_that_never_varies_keeps_its_value_and_claims_no_certainty():
    made = forecaster(months(30) * 0 + 7)
    said = made.predict()
    assert (said["value"] == 7).all() and said["low"].isna().all() and "never varied" in made.note


def test_months_without_sales_do_not_break_the_forecast_nor_make_it_negative():
    series = months(40, noise=0.2)
    series[series.index.month == 2] = 0.0
    said = forecaster(series, horizon=12).predict(level=0.9)
    assert (said["low"] >= 0).all()
    february = said[said["period"].dt.month == 2]["value"].iloc[0]
    assert february < 0.3 * said["value"].median()


def test_a_gap_is_filled_in_and_told_and_too_many_are_refused():
    series = months(40, noise=0.05)
    told = forecaster(series.drop(series.index[7]))
    assert told.note.startswith("1 missing periods") and told.predict()["value"].notna().all()
    holes = forecaster(series[::2])
    assert holes.method == "" and "missing" in holes.note


def test_an_index_that_is_no_time_and_a_period_twice_are_refused():
    with pytest.raises(ValueError, match="needs an index of months, weeks, quarters or days"):
        forecaster(pd.Series([1.0, 2.0, 3.0]))
    series = months(20)
    with pytest.raises(ValueError, match="2023-01 is there twice"):
        forecaster(pd.concat([series, series[:1]]))


def test_weeks_know_the_sales_of_the_platforms():
    from playbook.methods.seasonality import festivals

    days = pd.date_range("2022-01-03", "2025-12-14")
    daily = pd.Series(100.0, days) * np.exp(np.random.default_rng(1).normal(0, 0.1, len(days)))
    sale = festivals(days[0].date(), days[-1].date(), names=["festival_1111"]).query("phase == 'during'")["day"]
    daily[daily.index.isin(sale)] *= 3
    weeks = daily.resample("W-SUN").sum()
    weeks.index = weeks.index.to_period("W-SUN")
    past, true = weeks[:"2025-10-26"], weeks["2025-10-27":][:4]
    made = forecaster(past, horizon=4)
    assert made.predict()["value"].to_numpy() == pytest.approx(true.to_numpy(), rel=0.25)
    assert true.max() > 2 * past[-4:].mean()


def test_the_next_step_stays_within_what_its_unit_allows_and_says_what_it_lacks():
    rng = np.random.default_rng(6)
    nearly_all = pd.Series(rng.normal(0.99, 0.05, 36), pd.period_range("2023-01", periods=36, freq="M"))
    then = next_step(nearly_all, "share")
    assert then.said and then.low < then.value <= then.high <= 1 and then.error > 0
    assert next_step(nearly_all, "ratio").high > 1
    few = next_step(nearly_all[:1], "share")
    assert not few.said and np.isnan(few.value) and "needs 2 periods, has 1" in few.note
