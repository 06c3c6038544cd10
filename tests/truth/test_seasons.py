"""Festivals and forecasts against what is planted: worlds of many seeds, with their orders alone."""

import numpy as np
import pandas as pd
import pytest
from grading import Grade, allowed, covered
from seasons import sold, without_festivals

from playbook.methods.forecasting import forecaster
from playbook.methods.seasonality import festival_effects, festival_uplift, festivals

pytestmark = pytest.mark.truth

SALES = ["festival_38", "festival_520", "festival_618", "festival_99", "festival_1111", "festival_1212"]


def planted_effects(some, names):
    """The log of a festival's total effect, by name, year and phase: orders there were over orders without festivals."""
    days = some.world.calendar.days
    table = festivals(days[0].date(), days[-1].date()).drop_duplicates("day")
    table = table.assign(actual=some.daily.loc[table["day"]].to_numpy(),
                         calm=without_festivals(some).loc[table["day"]].to_numpy())  # fmt: skip
    sums = table[table["name"].isin(names)].groupby(["name", "year", "phase"])[["actual", "calm"]].sum()
    return np.log(sums["actual"] / sums["calm"])


def test_festivals_add_what_is_planted_each_year_on_average_and_the_next_time(grades):
    each, mean, following = [], [], []
    for seed in range(111, 121):
        some = sold(seed)
        effects = festival_effects(some.daily)
        truth = planted_effects(some, [*SALES, "spring_festival"])
        for row in effects.itertuples():
            key = (row.name, row.year, row.phase)
            if key in truth.index:
                each.append(Grade("festival, one year", f"{seed} {key}", np.exp(truth[key]), 1 + row.uplift,
                                  1 + row.low, 1 + row.high, 0.9))  # fmt: skip
        for row in festival_uplift(effects).itertuples():
            if row.name not in truth.index.get_level_values("name"):
                continue
            years = effects.query("name == @row.name and phase == @row.phase")["year"]
            true = np.exp(np.mean([truth[row.name, y, row.phase] for y in years]))
            mean.append(Grade(f"festival, mean {row.phase}", f"{seed} {row.name}", true, 1 + row.uplift,
                              1 + row.mean_low, 1 + row.mean_high, 0.9))  # fmt: skip
        # The last year's effect by the interval for the next time that the years before give.
        last = effects.groupby(["name", "phase"])["year"].transform("max")
        for row in festival_uplift(effects[effects["year"] < last]).itertuples():
            year = effects.query("name == @row.name and phase == @row.phase")["year"].max()
            if (row.name, year, row.phase) in truth.index and row.times > 1:
                following.append(Grade("festival, next time", f"{seed} {row.name}", np.exp(truth[row.name, year, row.phase]),
                                       1 + row.uplift, 1 + row.next_low, 1 + row.next_high, 0.9))  # fmt: skip
    grades.add(*each, *mean, *following)
    during = [g for g in mean if g.method.endswith("during")]
    for rows, least in ((during, 60), (mean, 180), (each, 500), (following, 180)):
        hits, n = covered(rows)
        assert n >= least
        assert hits >= 0.85 * n, f"{rows[0].method}: {hits} of {n}"
    # Not by width: most of the great sales are told from nothing.
    great = [g for g in during if g.what.split()[1] in ("festival_618", "festival_1111")]
    assert np.mean([g.low > 1 for g in great]) > 0.9


def test_days_that_are_no_festival_of_the_world_are_not_taken_for_one(grades):
    rows = []
    for seed in range(111, 121):
        effects = festival_effects(sold(seed).daily)
        for row in effects[effects["name"].isin(["labour_day", "qixi", "new_year", "national_day"])].itertuples():
            rows.append(Grade("festival that is none", f"{seed} {row.name}", 1.0, 1 + row.uplift, 1 + row.low,
                              1 + row.high, 0.9))  # fmt: skip
    grades.add(*rows)
    hits, n = covered(rows)
    assert hits >= allowed(n, 0.85)[0] and n > 200


def monthly(some):
    """Orders and net sales by month."""
    days = some.world.calendar.days
    money = pd.Series(np.bincount(some.orders["day"], some.orders["amount"] / 100, len(days)), days)
    return {"orders": some.daily.resample("MS").sum(), "sales": money.resample("MS").sum()}


@pytest.fixture(scope="module")
def held_out():
    """The last three months of 24 worlds, forecast from those before: one row a month."""
    rows = []
    for seed in range(301, 325):
        for kind, series in monthly(sold.__wrapped__(seed, 0.12)).items():
            past, true = series[:-3], series[-3:].to_numpy()
            made = forecaster(past)
            at90, at80 = made.predict(level=0.9), made.predict(level=0.8)
            usual = np.abs(past.to_numpy()[12:] - past.to_numpy()[:-12]).mean()
            for k in range(3):
                rows.append({
                    "seed": seed, "kind": kind, "true": true[k], "value": at90["value"][k], "low": at90["low"][k],
                    "high": at90["high"][k], "low80": at80["low"][k], "high80": at80["high"][k],
                    "scaled": abs(true[k] - at90["value"][k]) / usual,
                    "year_ago": abs(true[k] - series.iloc[-15 + k]), "method": made.method,
                })  # fmt: skip
    return pd.DataFrame(rows)


def pooled(hits, seeds, rng):
    """95 % interval of a coverage when whole worlds are drawn again."""
    by_world = hits.groupby(seeds).mean().to_numpy()
    return np.quantile(by_world[rng.integers(0, len(by_world), (4000, len(by_world)))].mean(axis=1), [0.025, 0.975])


def test_forecasts_beat_the_seasonal_naive_one_and_their_intervals_hold_nine_months_in_ten(held_out, grades):
    rng = np.random.default_rng(3)
    for kind, mine in held_out.groupby("kind"):
        grades.add(*[Grade(f"forecast of {kind}, 90 %", str(r.seed), r.true, r.value, r.low, r.high, 0.9)
                     for r in mine.itertuples()])  # fmt: skip
        grades.add(*[Grade(f"forecast of {kind}, 80 %", str(r.seed), r.true, r.value, r.low80, r.high80, 0.8)
                     for r in mine.itertuples()])  # fmt: skip
        assert mine["seed"].nunique() >= 20
        assert mine["scaled"].mean() < 1, kind
        assert (mine["true"] - mine["value"]).abs().mean() < mine["year_ago"].mean(), kind
        low, high = pooled(mine["true"].between(mine["low"], mine["high"]), mine["seed"], rng)
        assert low <= 0.90 <= high, f"{kind}: {low:.3f} to {high:.3f}"
        assert ((mine["high"] - mine["low"]) / mine["value"]).median() < 0.8


def test_one_month_ahead_over_the_whole_year_the_intervals_hold_what_they_promise(grades):
    """Held-out months of one season share its luck; here they lie all over the year, each forecast from its past."""
    rows = []
    for seed in range(441, 463):
        for kind, series in monthly(sold.__wrapped__(seed, 0.12)).items():
            for cut in range(1, 13, 2):
                made, true = forecaster(series[:-cut], horizon=1), series.iloc[-cut]
                usual = (series[:-cut] - series[:-cut].shift(12)).abs().mean()
                row = {"seed": seed, "kind": kind, "scaled": abs(true - made.predict()["value"][0]) / usual}
                for level in (0.8, 0.9):
                    said = made.predict(level=level).iloc[0]
                    row[level] = said["low"] <= true <= said["high"]
                    grades.add(Grade(f"{kind} a month ahead, {level:.0%}", f"{seed} {cut}", true, said["value"],
                                     said["low"], said["high"], level))  # fmt: skip
                rows.append(row)
    told, rng = pd.DataFrame(rows), np.random.default_rng(4)
    assert told["seed"].nunique() >= 20 and (told.groupby("kind").size() >= 100).all()
    assert (told.groupby("kind")["scaled"].mean() < 1).all()
    for level in (0.8, 0.9):
        low, high = pooled(told[level], told["seed"], rng)
        assert low <= level <= high, f"{level}: {low:.3f} to {high:.3f}"
