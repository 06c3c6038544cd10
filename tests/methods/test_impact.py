"""Stories of measures whose effect is known because it was put there by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook.methods.impact import (
    difference_in_differences,
    interrupted,
    parallel_trends,
    placebo_in_space,
    placebo_in_time,
    pull_forward,
)

DAYS = pd.date_range("2025-01-01", periods=400)
FIRST, LAST = dt.date(2025, 9, 1), dt.date(2025, 9, 7)


def world(seed=0, noise=0.05):
    """A series and four controls that share the ups and downs of a market, 1000 a day."""
    rng = np.random.default_rng(seed)
    market = np.exp(np.cumsum(rng.normal(0, 0.05, len(DAYS))))
    made = 1000 * market[:, None] * np.exp(rng.normal(0, noise, (len(DAYS), 5)))
    frame = pd.DataFrame(made, DAYS, ["own", "a", "b", "c", "d"])
    return frame["own"].copy(), frame[["a", "b", "c", "d"]]


def test_a_half_more_for_a_week_is_found_whatever_the_market_does():
    own, controls = world()
    calm = own["2025-09-01":"2025-09-07"].sum()
    own["2025-09-01":"2025-09-07"] *= 1.5
    made = interrupted(own, controls, first=FIRST, last=LAST)
    assert made.effect == pytest.approx(0.5, abs=0.08)
    assert 0 < made.low < 0.5 < made.high
    assert made.extra == pytest.approx(0.5 * calm, rel=0.15)
    assert made.path["cumulative"].iloc[-1] == pytest.approx(made.extra)
    assert made.p_value < 0.05
    assert made.sentence().startswith("It added ") and "Compared with 4 series" in made.sentence()


def test_without_a_measure_the_interval_holds_nothing_nine_times_in_ten():
    hits = 0
    for seed in range(60):
        made = interrupted(*world(seed), first=FIRST, last=LAST)
        hits += made.low <= 0 <= made.high
    assert 45 <= hits <= 60  # a correct interval: 0.999 of the time
    assert "No effect can be told from chance" in interrupted(*world(3), first=FIRST, last=LAST).sentence()


def test_as_sure_beside_fifty_controls_whose_weights_could_follow_every_window():
    first, last = dt.date(2025, 12, 1), dt.date(2025, 12, 28)
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        made = pd.DataFrame(rng.gamma(2.0, 50.0, (len(DAYS), 51)), DAYS, [f"p{i}" for i in range(51)])
        found = interrupted(made["p0"], made.drop(columns="p0"), first=first, last=last)
        hits += found.low <= 0 <= found.high
    assert 45 <= hits <= 60  # a correct interval: 0.999 of the time


def test_a_control_of_which_more_came_back_than_was_sold_spoils_nothing():
    own, controls = world()
    controls = controls.assign(e=np.where(np.arange(len(DAYS)) < 40, -5.0, 100.0))
    made = interrupted(own, controls, first=FIRST, last=LAST)
    assert made.low < 0 < made.high and made.path["expected"].notna().all()


def test_controls_that_never_move_leave_the_series_beside_its_own_past():
    own, controls = world()
    still = controls * 0 + 10
    made = interrupted(own, still, first=FIRST, last=LAST)
    assert made.low < 0 < made.high
    assert not placebo_in_time(own, still, first=FIRST, last=LAST)[list(still)].to_numpy().any()


def test_the_input_stays_as_it_was():
    own, controls = world()
    before = own.copy(), controls.copy()
    interrupted(own, controls, first=FIRST, last=LAST)
    pd.testing.assert_series_equal(own, before[0])
    pd.testing.assert_frame_equal(controls, before[1])


def test_placebos_in_time_touch_neither_the_measure_nor_days_to_avoid():
    own, controls = world()
    avoid = pd.date_range("2025-05-01", "2025-05-20")
    days = placebo_in_time(own, controls, first=FIRST, last=LAST, avoid=avoid)["day"]
    assert len(days) > 50
    for day in days:
        window = pd.date_range(day, periods=7)
        assert not window.isin(avoid).any() and not window.isin(pd.date_range(FIRST, LAST)).any()


def test_placebos_in_space_show_the_measure_in_its_own_series_alone():
    own, controls = world()
    own["2025-09-01":"2025-09-07"] *= 1.5
    table = placebo_in_space(own, controls, first=FIRST, last=LAST).set_index("name")
    assert table.loc["", "low"] > 0.3
    assert table.drop("")["effect"].abs().max() < 0.15


def test_what_was_pulled_forward_is_missing_afterwards():
    own, controls = world(noise=0.02)
    calm = own.copy()
    own["2025-09-01":"2025-09-07"] *= 1.6
    own["2025-09-08":"2025-09-21"] *= 0.85
    frame, said = pull_forward(own, controls, first=FIRST, last=LAST, after=14)
    frame = frame.set_index("part")
    gained, lost = (own - calm)["2025-09-01":"2025-09-07"].sum(), (own - calm)["2025-09-08":"2025-09-21"].sum()
    assert frame.loc["during", "extra"] == pytest.approx(gained, rel=0.1)
    assert frame.loc["after", "extra"] == pytest.approx(lost, rel=0.25)
    assert frame.loc["net", "extra"] == pytest.approx(frame["extra"][["during", "after"]].sum())
    assert -0.8 < frame.loc["after", "share"] < -0.3 and frame.loc["during", "share"] == 1
    assert "were missing in the 14 days afterwards" in said


def test_too_short_a_series_says_what_it_needs_and_a_window_outside_is_refused():
    own, controls = world()
    made = interrupted(own["2025-07-25":"2025-09-10"], controls["2025-07-25":"2025-09-10"], first=FIRST, last=LAST)
    assert np.isnan(made.effect) and made.sentence().startswith(
        "Not enough data: needs 8 undisturbed windows of 7 days"
    )
    with pytest.raises(ValueError, match="does not lie within the series, 2025-01-01 to 2026-02-04"):
        interrupted(own, controls, first=FIRST, last=dt.date(2027, 1, 1))
    with pytest.raises(ValueError, match="do not have the same days"):
        interrupted(own, controls[1:], first=FIRST, last=LAST)


def panel(effect, units=12, seed=0, slope=0.0):
    """Twelve shops, six of them treated from the sixth of ten weeks on."""
    rng = np.random.default_rng(seed)
    rows = []
    for u in range(units):
        level = rng.normal(5, 0.5)
        for t in range(10):
            treated, after = u < units // 2, t >= 5
            log = level + 0.1 * np.sin(t) + rng.normal(0, 0.05) + treated * (effect * after + slope * t)
            rows.append((f"shop{u}", t, treated, after, np.exp(log)))
    return pd.DataFrame(rows, columns=["unit", "time", "treated", "after", "value"])


def test_two_by_two_by_hand_with_four_shops_on_each_side():
    # treated go from 10 to 18, the others from 10 to 12: 6 more a time, beside 12 without
    rows = [(f"{g}{i}", t, g == "t", t == 1, {("t", 0): 10, ("t", 1): 18, ("c", 0): 10, ("c", 1): 12}[g, t] + i)
            for g in "tc" for i in range(4) for t in (0, 1)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["unit", "time", "treated", "after", "value"])
    made = difference_in_differences(frame, log=False)
    assert made.extra == pytest.approx(6 * 4)
    assert made.effect == pytest.approx(6 / (12 + 1.5))
    assert made.path["gap"].tolist() == pytest.approx([0, 6])


def test_treated_shops_that_sell_a_quarter_more_are_told_from_the_others():
    made = difference_in_differences(panel(np.log(1.25)))
    assert made.effect == pytest.approx(0.25, abs=0.05) and made.low > 0.1
    assert made.note == "" and "6 units that did not get it" in made.comparison


def test_intervals_over_many_panels_hold_the_truth():
    hits = sum(made.low <= 0.25 <= made.high for made in
               (difference_in_differences(panel(np.log(1.25), seed=s)) for s in range(100)))  # fmt: skip
    assert 79 <= hits <= 100


def test_trends_that_part_before_are_told():
    frame = panel(0.0, slope=0.1)
    trend = parallel_trends(frame)
    assert trend["slope"] == pytest.approx(0.1, abs=0.03) and trend["p_value"] < 0.01
    assert "not parallel" in difference_in_differences(frame).note


def test_one_treated_unit_is_not_enough_and_says_so():
    frame = panel(0.2)
    frame["treated"] = frame["unit"] == "shop0"
    made = difference_in_differences(frame)
    assert np.isnan(made.effect) and "needs 4 units on each side" in made.sentence()


def test_zeros_in_logs_and_repeated_rows_are_refused_with_a_remedy():
    frame = panel(0.2)
    with pytest.raises(ValueError, match="1 values are at or below 0: add up longer times"):
        difference_in_differences(frame.assign(value=frame["value"].where(frame.index > 0, 0)))
    with pytest.raises(ValueError, match="1 rows repeat a unit and time"):
        difference_in_differences(pd.concat([frame, frame[:1]]))
