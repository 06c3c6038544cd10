"""Early warning: ordinary days are seldom flagged, what is planted is, and nobody looks ahead."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from playbook.methods import alerts

DAYS = pd.date_range("2025-01-06", periods=250)  # a Monday
WEEK = np.array([1, 1, 0.9, 1, 1.2, 1.5, 1.4])[DAYS.day_of_week]
FLAGGED = list(alerts.LEVELS)


def series(values):
    return pd.Series(np.asarray(values, dtype=float), DAYS[: len(values)])


def seven_worlds(rng):
    """Series without anything in them: kind, values, exposure."""
    trend, orders = np.exp(np.linspace(0, 0.4, 250)), series(rng.poisson(60 * WEEK) + 1)
    return [
        ("count", rng.poisson(0.4 * WEEK), None),
        ("count", rng.poisson(4 * WEEK), None),
        ("count", rng.poisson(40 * WEEK * trend * rng.gamma(20, 1 / 20, 250)), None),
        ("count", rng.poisson(0.05 * orders), orders),
        ("share", rng.binomial(orders.astype(int), 0.05), orders),
        ("share", rng.binomial(orders.astype(int), 0.6), orders),
        ("amount", 1e4 * WEEK * trend * rng.lognormal(0, 0.2, 250), None),
    ]


def test_ordinary_days_are_flagged_no_oftener_than_promised():
    rng, judged, flagged = np.random.default_rng(3), 0, 0
    for _run in range(12):
        for kind, values, exposure in seven_worlds(rng):
            states = alerts.judge(series(values), kind=kind, exposure=exposure, alpha=0.005)["state"]
            flagged += states.isin(FLAGGED).sum()
            judged += (~states.isin(["no_history", "excused"])).sum()
    assert judged > 15_000
    # Flagged days come in clusters (a week's sum holds a day for seven days): twice the nominal rate is allowed.
    assert flagged <= stats.binom.ppf(0.999, judged, 0.01), f"{flagged} of {judged}"


def test_a_level_that_wanders_is_not_taken_for_news():
    """Days whose level moves by 2 % from one to the next: what lies ahead of the baseline is the less sure for it."""
    rng, judged, flagged = np.random.default_rng(11), 0, 0
    for _run in range(12):
        level = np.exp(np.cumsum(rng.normal(0, 0.02, 400)))
        days = pd.Series(rng.poisson(300 * level), pd.date_range("2025-01-06", periods=400)).astype(float)
        states = alerts.judge(days, kind="count", alpha=0.005, since=days.index[200])["state"].iloc[200:]
        flagged += states.isin(FLAGGED).sum()
        judged += len(states)
    # Of a level that stays a hundredth would be: clusters, and levels that are themselves estimated, double it.
    assert flagged <= stats.binom.ppf(0.999, judged, 0.02), f"{flagged} of {judged}"


def test_a_level_that_stays_is_known_better_than_one_that_was_seen_to_move():
    rng, wide = np.random.default_rng(12), []
    for step in (0.0, 0.03):
        days = pd.Series(rng.poisson(3_000 * np.exp(np.cumsum(rng.normal(0, step, 400)))),
                         pd.date_range("2025-01-06", periods=400)).astype(float)  # fmt: skip
        last = alerts.judge(days, since=days.index[-1]).iloc[-1]
        wide.append((last["high"] - last["low"]) / last["expected"])
    assert wide[0] < 0.2 < 0.3 < wide[1]


def test_one_of_what_is_rare_is_no_outlier_to_its_own_baseline():
    tried = series(np.full(250, 10.0))
    bad = np.zeros(250)
    bad[5::20] = 1  # one of two hundred
    judged = alerts.judge(series(bad), kind="share", exposure=tried, direction="up", spans=(1, 7, 28), drift=0.05)
    assert judged["expected"].iloc[-1] == pytest.approx(0.05, rel=0.5)
    assert not judged["state"].isin(FLAGGED).any()


def test_the_range_holds_ordinary_days_as_often_as_it_says():
    rng, inside = np.random.default_rng(4), []
    for kind, values, exposure in [w for _run in range(6) for w in seven_worlds(rng)[1:]]:
        judged = alerts.judge(series(values), kind=kind, exposure=exposure).dropna(subset="expected")
        inside.append(judged["value"].between(judged["low"], judged["high"]).mean())
    assert 0.925 < np.mean(inside) < 0.985  # counts cannot hit 95 % exactly


def test_a_spike_is_flagged_on_its_day_and_not_before():
    rng, found = np.random.default_rng(5), []
    for _run in range(40):
        values = rng.poisson(4 * WEEK)
        values[200] += 20  # about four times the usual
        judged = alerts.judge(series(values), kind="count", direction="up", since=DAYS[150])
        found.append(judged["state"].iloc[200] in FLAGGED)
        assert judged["state"].iloc[150:199].isin(FLAGGED).sum() <= 1
    assert sum(found) >= 36


def test_a_small_lasting_fall_is_seen_by_the_week_that_no_single_day_shows():
    rng, delays = np.random.default_rng(6), []
    for _run in range(20):
        values = 1e4 * WEEK * rng.lognormal(0, 0.15, 250)
        values[200:] *= 0.65
        judged = alerts.judge(series(values), kind="amount", since=DAYS[180])
        flagged = np.flatnonzero(judged["state"].iloc[200:].isin(FLAGGED))
        delays.append(flagged[0] if len(flagged) else np.inf)
        if len(flagged):
            assert alerts.episodes(judged.iloc[:225])["direction"].iloc[-1] == "down"
    assert np.median(delays) <= 7
    assert sum(d <= 14 for d in delays) >= 17


def test_a_day_is_no_part_of_what_it_is_held_against():
    values = 10 + 3 * (DAYS.day_of_week == 5)
    usual = alerts.judge(series(values), kind="count")
    odd = values.copy()
    odd[220] = 10_000
    spiked = alerts.judge(series(odd), kind="count")
    assert spiked["expected"].iloc[220] == pytest.approx(usual["expected"].iloc[220])
    assert usual["expected"].iloc[220] == pytest.approx(values[220], rel=0.02)
    assert spiked["state"].iloc[220] == "red"
    # Nor does it move what comes after: it was flagged.
    assert spiked["expected"].iloc[-1] == pytest.approx(usual["expected"].iloc[-1], rel=0.01)


def test_what_comes_later_changes_no_verdict():
    values = np.random.default_rng(7).poisson(5 * WEEK)
    values[150:160] *= 4
    whole = alerts.judge(series(values))
    assert_frame_equal(whole.iloc[:170], alerts.judge(series(values[:170])), check_freq=False)


def test_without_four_weeks_nothing_is_judged():
    judged = alerts.judge(series([5.0] * 27 + [500.0]))
    assert set(judged["state"]) == {"no_history"}
    assert judged["p"].isna().all()
    assert alerts.episodes(judged).empty
    assert alerts.judge(series([5.0] * 28 + [500.0]))["state"].iloc[-1] == "red"


def test_excused_days_are_neither_judged_nor_learned_from():
    values = np.full(120, 10.0)
    values[100:105] = 80
    judged = alerts.judge(series(values), kind="count", excused=DAYS[100:105])
    assert set(judged["state"].iloc[100:105]) == {"excused"}
    assert judged["expected"].iloc[110] == pytest.approx(10, rel=0.02)
    assert not judged["state"].isin(FLAGGED).any()


def test_a_new_level_is_news_for_four_weeks_and_then_usual():
    values = np.full(200, 20.0)
    values[100:] = 60
    judged = alerts.judge(series(values), kind="count", direction="up")
    assert judged["state"].iloc[100] in FLAGGED
    assert set(judged["state"].iloc[135:]) == {"usual"}
    assert judged["expected"].iloc[-1] == pytest.approx(60, rel=0.05)
    (story,) = alerts.episodes(judged).to_dict("records")
    assert story["begins"] == DAYS[100]
    assert 26 <= story["days"] <= 30
    assert not story["open"]
    assert story["ratio"] == pytest.approx(3, rel=0.05)


def test_flagged_days_with_a_short_pause_are_one_episode():
    values = np.full(120, 10.0)
    values[[100, 102, 103, 118]] = 60
    story = alerts.episodes(alerts.judge(series(values), kind="count", direction="up"))
    assert list(story["flagged_on"]) == [DAYS[100], DAYS[118]]
    assert list(story["days"]) == [4, 1]
    assert list(story["open"]) == [False, True]
    assert story["value"].tolist() == [190, 60]
    assert story["excess"].iloc[1] == pytest.approx(50, rel=0.02)


def test_a_share_is_held_against_what_it_is_a_share_of():
    orders = np.full(150, 50.0)
    orders[140:] = 500  # ten times the orders, ten times the complaints: nothing is wrong
    bad = np.full(150, 2.0)
    bad[140:] = 20
    calm = alerts.judge(series(bad), kind="share", exposure=series(orders))
    assert not calm["state"].isin(FLAGGED).any()
    alone = alerts.judge(series(bad), kind="count")
    assert alone["state"].iloc[140] in ("orange", "red")
    with pytest.raises(ValueError, match="exposure"):
        alerts.judge(series(bad), kind="share")


def test_days_without_exposure_are_passed_over():
    orders = np.full(120, 50.0)
    orders[110] = 0
    judged = alerts.judge(series(np.where(orders > 0, 2.0, 0)), kind="share", exposure=series(orders))
    assert judged["state"].iloc[110] == "no_history"
    assert judged["state"].iloc[111] == "usual"


def test_sure_but_small_differences_can_be_left_alone():
    values = np.full(120, 10_000.0)
    values[110] = 11_000
    sure = alerts.judge(series(values), kind="count", drift=0.01)
    assert sure["state"].iloc[110] == "red"
    assert alerts.judge(series(values), kind="count", drift=0.01, at_least=0.2)["state"].iloc[110] == "usual"


def test_a_quiet_series_and_a_dead_one_do_not_break():
    assert set(alerts.judge(series(np.zeros(60)), kind="count")["state"]) == {"no_history", "usual"}
    assert set(alerts.judge(series(np.zeros(60)), kind="amount")["state"]) == {"no_history", "usual"}
    first = np.zeros(60)
    first[50] = 5
    assert alerts.judge(series(first), kind="count")["state"].iloc[50] in FLAGGED


def test_gaps_in_the_days_are_refused():
    gappy = series(np.ones(60)).drop(DAYS[30])
    with pytest.raises(ValueError, match="1 days are missing"):
        alerts.judge(gappy)
