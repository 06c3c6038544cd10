"""Stories of experiments: by hand, other people's code, and how often they cry wolf, also when looked at every day."""

import math

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest
from tea_tasting.aggr import Aggregates

from playbook.methods import testing
from playbook.methods.testing import Metric

CONVERSION = Metric("conversion", "converted")


def visitors(counts, **more):
    """Rows from arm → (units, conversions)."""
    parts = [pd.DataFrame({"arm": arm, "converted": np.arange(n) < k}) for arm, (n, k) in counts.items()]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(unit_id=[f"u{i}" for i in range(len(rows))], **more)


# -- who counts


def story():
    return pd.DataFrame(
        [
            # unit, arm, saw, when, converted
            ("a", "control", "control", 1, True),
            ("a", "control", "control", 2, False),  # came again
            ("b", "control", "treatment", 1, True),  # saw the other one
            ("c", "treatment", "treatment", 1, False),
            ("d", "treatment", None, 1, False),  # saw none
            ("e", "treatment", "treatment", 1, True),  # in both
            ("e", "control", "control", 2, True),
            ("f", "treatment", "control", 1, True),  # first seen wrongly, then rightly: the right row counts
            ("f", "treatment", "treatment", 2, True),
        ],
        columns=["unit_id", "arm", "saw", "at", "converted"],
    )


@pytest.mark.parametrize("as_table", [False, True])
def test_every_row_is_accounted_for(as_table):
    rows = ibis.memtable(story()) if as_table else story()
    who = testing.assigned(rows, exposed="saw", at="at")
    arms = who.arms.set_index("arm")
    assert arms.loc["control"].to_dict() == {
        "rows": 4,
        "mismatched": 1,
        "both": 1,
        "repeated": 1,
        "unseen": 0,
        "kept": 1,
    }
    assert arms.loc["treatment"].to_dict() == {
        "rows": 5,
        "mismatched": 1,
        "both": 1,
        "repeated": 0,
        "unseen": 0,
        "kept": 3,
    }
    assert who.mismatches.values.tolist() == [["control", "treatment", 1], ["treatment", "control", 1]]
    kept = who.units.execute().sort_values("unit_id")
    assert kept["unit_id"].tolist() == ["a", "c", "d", "f"] and kept["converted"].tolist() == [True, False, False, True]
    assert list(kept.columns) == list(story().columns)
    seen = testing.assigned(rows, exposed="saw", at="at", seen_only=True)
    assert seen.arms["unseen"].tolist() == [0, 1] and seen.arms["kept"].tolist() == [1, 2]


def test_columns_and_arms_that_are_not_there_are_named():
    with pytest.raises(ValueError, match="no column 'page'"):
        testing.assigned(story(), exposed="page")
    with pytest.raises(ValueError, match="nothing of the arm 'treatment'"):
        testing.assigned(story(), exposed="saw", shown={"control": "control"})
    with pytest.raises(ValueError, match="no arm 'A'"):
        testing.analyse(story(), [CONVERSION], control="A")


def test_a_split_by_hand():
    even = testing.sample_ratio({"control": 520, "treatment": 480})
    # χ² = 20² / 500 · 2 = 1.6
    assert even.attrs["p"] == pytest.approx(stats.chi2.sf(1.6, 1)) and even["expected"].tolist() == [500, 500]
    meant = testing.sample_ratio({"a": 800, "b": 110, "c": 90}, split={"a": 8, "b": 1, "c": 1})
    assert meant["expected"].tolist() == [800, 100, 100] and meant.attrs["p"] == pytest.approx(stats.chi2.sf(2, 2))
    assert meant["p"].tolist() == pytest.approx(
        [1, 2 * stats.norm.sf(10 / math.sqrt(90)), 2 * stats.norm.sf(10 / math.sqrt(90))]
    )


def test_a_broken_split_decides_nothing_and_names_the_arms():
    rows = visitors({"control": (5000, 500), "treatment": (4500, 700)})
    found = testing.analyse(rows, [CONVERSION])
    assert not found.sound and found.effects.empty
    (said,) = testing.decision(found)
    assert said.verdict == "act" and math.isnan(said.p)
    assert (
        said.text.startswith("Nothing can be concluded")
        and "treatment has 4,500 units where 4,750 were meant" in said.text
    )
    assert [f.p for f in testing.findings(found, experiment="Button")] == [None]
    assert testing.analyse(rows, [CONVERSION], split={"control": 10, "treatment": 9}).sound


# -- effects


def test_proportions_are_those_of_statsmodels():
    found = testing.analyse(visitors({"control": (1000, 100), "treatment": (1040, 140)}), [CONVERSION])
    (line,) = found.effects.to_dict("records")
    assert (line["control"], line["value"]) == pytest.approx((0.1, 140 / 1040))
    assert line["p"] == pytest.approx(proportions_ztest([140, 100], [1040, 1000])[1])
    assert line["p_adjusted"] == line["p"] and line["stands"] and line["lift"] == pytest.approx(0.346, abs=1e-3)
    assert line["low"] < line["effect"] < line["high"] and line["lift_low"] < line["lift"] < line["lift_high"]
    (said,) = testing.decision(found)
    assert (said.verdict, said.arm) == ("act", "treatment")
    assert said.text.startswith("Take treatment: conversion 13.46% against 10.00%")


def test_few_conversions_are_compared_exactly():
    found = testing.analyse(visitors({"control": (40, 1), "treatment": (40, 7)}), [CONVERSION]).effects.iloc[0]
    assert found["p"] == pytest.approx(stats.boschloo_exact([[7, 1], [33, 39]]).pvalue)
    none = testing.analyse(visitors({"control": (40, 0), "treatment": (40, 0)}), [CONVERSION]).effects.iloc[0]
    assert none["p"] == 1 and np.isnan(none["lift"]) and none["low"] < 0 < none["high"]


def test_means_are_those_of_scipy_and_ratios_those_of_the_delta_method_by_hand():
    rng = np.random.default_rng(1)
    rows = visitors({"control": (80, 0), "treatment": (70, 0)})
    rows["visits"] = 1 + rng.poisson(2, 150)
    rows["orders"] = rng.binomial(rows["visits"], 0.3)
    a, b = rows[rows["arm"] == "control"], rows[rows["arm"] == "treatment"]
    mean, ratio = (
        Metric("orders", "orders", kind="mean"),
        Metric("orders a visit", "orders", kind="ratio", per="visits"),
    )
    found = testing.analyse(rows, [mean, ratio]).effects.set_index("metric")
    theirs = stats.ttest_ind(b["orders"], a["orders"], equal_var=False)
    assert found.loc["orders", "p"] == pytest.approx(theirs.pvalue)
    assert found.loc["orders", ["low", "high"]].tolist() == pytest.approx(list(theirs.confidence_interval()))
    errors = []
    for part in (a, b):
        r = part["orders"].sum() / part["visits"].sum()
        errors.append(((part["orders"] - r * part["visits"]) / part["visits"].mean()).var() / len(part))
    line = found.loc["orders a visit"]
    assert line["value"] == pytest.approx(b["orders"].sum() / b["visits"].sum())
    t = line["effect"] / math.sqrt(sum(errors))
    df = sum(errors) ** 2 / (errors[0] ** 2 / 79 + errors[1] ** 2 / 69)
    assert line["p"] == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-6)


def test_what_was_before_takes_noise_away_and_no_effect():
    rng, narrower, off = np.random.default_rng(2), [], []
    for _run in range(30):
        rows = visitors({"control": (300, 0), "treatment": (300, 0)})
        before = rng.gamma(2, 30, 600)
        rows = rows.assign(before=before, value=0.8 * before + rng.gamma(2, 10, 600) + 5 * (rows["arm"] == "treatment"))
        plain, cuped = (
            testing.analyse(rows, [Metric("value", "value", kind="mean", before=b)]).effects.iloc[0]
            for b in (None, "before")
        )
        narrower.append((cuped["high"] - cuped["low"]) / (plain["high"] - plain["low"]))
        off.append(cuped["effect"] - 5)
    # the correlation is 0.92, what is left √(1 − ρ²)
    assert np.median(narrower) == pytest.approx(math.sqrt(1 - (0.8**2 * 1800) / (0.8**2 * 1800 + 200)), abs=0.03)
    assert abs(np.mean(off)) < 3.3 * np.std(off) / math.sqrt(30)


def test_arms_and_metrics_are_corrected_together_and_guards_are_not():
    rows = visitors({"control": (1000, 100), "blue": (1000, 128), "green": (1000, 105)})
    rows["returned"] = rows.index.to_series().mod(1000).lt(rows["arm"].map({"control": 50, "blue": 74, "green": 50}))
    guard = Metric("returns", "returned", guard=True, good="down")
    found = testing.analyse(rows, [CONVERSION, guard])
    p = found.effects.set_index(["metric", "arm"])
    assert p.loc[("conversion", "blue"), "p"] == pytest.approx(0.0495, abs=1e-3)
    assert p.loc[("conversion", "blue"), "p_adjusted"] == pytest.approx(2 * p.loc[("conversion", "blue"), "p"])
    assert (
        p.loc[("returns", "blue"), "p_adjusted"] == p.loc[("returns", "blue"), "p"]
        and p.loc[("returns", "blue"), "stands"]
    )
    said = {d.arm: d for d in testing.decision(found)}
    assert said["blue"].verdict == "hold" and "it harms returns" in said["blue"].text
    assert said["green"].verdict == "watch" and "cannot be told from the control" in said["green"].text
    better = testing.analyse(rows[rows["arm"] != "green"], [CONVERSION, guard])
    assert testing.decision(better)[0].text.startswith("Do not take blue as it is: conversion is better")
    worse = testing.analyse(visitors({"control": (1000, 200), "new": (1000, 100)}), [CONVERSION])
    assert testing.decision(worse)[0].verdict == "hold" and testing.decision(worse)[0].text.startswith("Drop new")


def test_nothing_to_compare_is_not_known():
    rows = visitors({"control": (5, 0), "treatment": (5, 0)}, value=0.0)
    found = testing.analyse(rows, [Metric("sales", "value", kind="mean")])
    assert np.isnan(found.effects.iloc[0]["p"]) and not found.effects.iloc[0]["stands"]
    assert "not enough data" in testing.decision(found)[0].text
    with pytest.raises(ValueError, match="needs a denominator"):
        Metric("x", "x", kind="ratio")


# -- design


def test_sizes_are_the_published_ones():
    # Fleiss, Levin & Paik (2003), without correction: 0.10 against 0.12, α 5 %, power 80 %: 3,841 an arm
    found = testing.design(0.10, lift=[0.2, 0.1], per_day=1000)
    assert found["per_arm"].tolist()[0] == 3841 and found["days"].tolist()[0] == 14
    assert found["per_arm"][1] > 3.5 * found["per_arm"][0] and found["power"].tolist() == pytest.approx(
        [0.8, 0.8], abs=1e-3
    )
    # means: 2 (z + z)² σ² / δ² = 2 · 7.849 · 40² / 3²
    mean = testing.design(60, spread=40, kind="mean", lift=0.05)
    assert mean["per_arm"][0] == math.ceil(2 * (1.959964 + 0.841621) ** 2 * 1600 / 9) and np.isnan(mean["days"][0])
    back = testing.design(60, spread=40, kind="mean", per_arm=int(mean["per_arm"][0]))
    assert back["lift"][0] == pytest.approx(0.05, abs=1e-4)
    assert testing.design(0.10, lift=0.2, arms=3)["per_arm"][0] > found["per_arm"][0]
    curve = testing.power_curve(0.1, lifts=[0.0001, 0.2], per_arm=[1000, 3841])
    assert curve["power"].tolist() == pytest.approx([0.05, 0.05, 0.296, 0.8], abs=0.01)
    assert np.isnan(testing.design(0.9, per_arm=5)["lift"][0])  # even all of them would not be enough
    for bad in ({"lift": 0.1, "per_arm": 5}, {"lift": 20.0}, {"lift": 0.1, "kind": "mean"}):
        with pytest.raises(ValueError):
            testing.design(0.1, **bad)


def sums(columns):
    """What `totals` would say of an arm."""
    names, values = list(columns), np.atleast_2d(np.cov(np.vstack(list(columns.values())).astype(float)))
    pairs = {(a, b): float(values[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
    means = {n: float(np.mean(columns[n])) for n in names}
    return Aggregates(len(columns[names[0]]), means, {n: float(values[i, i]) for i, n in enumerate(names)}, pairs)


def test_totals_are_what_they_seem():
    rows = visitors({"control": (30, 3), "treatment": (20, 4)}, value=np.arange(50.0))
    metric = Metric("r", "value", kind="ratio", per="converted")
    found, mine = testing.totals(rows, [metric])["treatment"], rows[rows["arm"] == "treatment"]
    expected = sums({"value": mine["value"], "converted": mine["converted"]})
    assert found.count() == 20 and found.mean("value") == pytest.approx(expected.mean("value"))
    assert found.cov("value", "converted") == pytest.approx(expected.cov("value", "converted"))


def test_the_designed_power_is_had():
    rng, runs, n = np.random.default_rng(3), 1000, int(testing.design(0.2, lift=0.3)["per_arm"][0])
    hits = 0
    for k0, k1 in rng.binomial(n, [0.2, 0.26], (runs, 2)):
        hits += proportions_ztest([k0, k1], [n, n])[1] < 0.05
    low, high = stats.binom.ppf([0.0005, 0.9995], runs, 0.8)
    assert low <= hits <= high


def test_the_spread_of_a_metric_is_what_design_wants():
    rng = np.random.default_rng(4)
    before = rng.normal(100, 20, 5000)
    rows = pd.DataFrame({"x": before + rng.normal(0, 10, 5000), "before": before})
    value, spread = testing.baseline(rows, Metric("x", "x", kind="mean"))
    assert (value, spread) == pytest.approx((100, math.sqrt(500)), rel=0.03)
    assert testing.baseline(rows, Metric("x", "x", kind="mean", before="before"))[1] == pytest.approx(10, rel=0.03)


# -- null experiments; ten thousand of each kind run among the truths


def test_null_experiments_of_small_skewed_samples_are_rejected_as_rarely_as_promised():
    rng, runs = np.random.default_rng(5), 1000
    metric, hits = Metric("aov", "v", kind="mean"), 0
    for _run in range(runs):
        arms = {a: sums({"v": rng.gamma(6.25, 1 / rng.gamma(3.74, 1 / 15.44, 60))}) for a in ("control", "treatment")}
        hits += testing.compare(arms, [metric])["p"].iloc[0] < 0.05
    assert hits <= stats.binom.ppf(0.999, runs, 0.05)


# -- looking every day


def test_a_confidence_sequence_by_hand():
    found = testing.confidence_sequence(np.array([0.3]), np.array([0.1]), np.array([1000]), planned=1000)
    rho2 = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05)) + 1) / 1000
    half = 0.1 * math.sqrt(2 * (1000 * rho2 + 1) / (1000 * rho2) * math.log(math.sqrt(1000 * rho2 + 1) / 0.05))
    assert (found.low[0], found.high[0]) == pytest.approx((0.3 - half, 0.3 + half)) and 1.4 < half / 0.196 < 1.6
    # p is where the sequence just touches zero
    touched = testing.confidence_sequence(
        np.array([0.3]), np.array([0.1]), np.array([1000]), planned=1000 * 1.0, level=0.95
    )
    assert (touched.p[0] < 0.05) == (touched.low[0] > 0)
    early = testing.confidence_sequence(np.array([9.0, 9.0]), np.array([0.1, 0.1]), np.array([10, 1000]), planned=1000)
    assert early.low[0] == -math.inf and early.p[0] == 1 and early.low[1] > 8 and early.p[1] < 1e-6


def peeked(rng, runs, rate, lift=0.0, days=28, a_day=150):
    """Conversions of two arms, day by day and added up: effects, errors, units."""
    n = a_day * np.arange(1, days + 1)
    k0 = rng.binomial(a_day, rate, (runs, days)).cumsum(axis=1)
    k1 = rng.binomial(a_day, rate * (1 + lift), (runs, days)).cumsum(axis=1)
    p0, p1 = k0 / n, k1 / n
    return p1 - p0, np.sqrt((p0 * (1 - p0) + p1 * (1 - p1)) / n), 2 * n


def test_ten_thousand_null_experiments_looked_at_daily_are_rejected_in_five_of_a_hundred_at_most():
    effect, error, units = peeked(np.random.default_rng(6), 10_000, 0.04)
    found = testing.confidence_sequence(effect, error, units, planned=units[-1])
    ever = ((found.low > 0) | (found.high < 0)).any(axis=1)
    assert ever.mean() <= 0.05
    assert (ever == (found.p[:, -1] < 0.05)).mean() > 0.999
    naive = (abs(effect / error) > 1.96).any(axis=1)
    assert naive.mean() > 0.2  # what looking daily at the usual test does
    # and of order values: skewed, 15 a day and arm
    rng, days = np.random.default_rng(7), 28
    x = rng.gamma(6.25, 1 / rng.gamma(3.74, 1 / 15.44, (2, 10_000, days * 15)))
    n = 15 * np.arange(1, days + 1)
    total, squares = x.cumsum(axis=2)[..., n - 1], (x**2).cumsum(axis=2)[..., n - 1]
    mean, var = total / n, (squares - total**2 / n) / (n - 1)
    found = testing.confidence_sequence(mean[1] - mean[0], np.sqrt(var.sum(axis=0) / n), 2 * n, planned=2 * n[-1])
    assert (found.p[:, -1] < 0.05).mean() <= 0.05


def test_the_sequence_covers_and_finds_what_is_there_before_the_end():
    effect, error, units = peeked(np.random.default_rng(8), 2000, 0.1, lift=0.3)
    found = testing.confidence_sequence(effect, error, units, planned=units[-1])
    assert ((found.low <= 0.03) & (found.high >= 0.03)).all(axis=1).mean() >= 0.95
    stopped = found.p < 0.05
    assert stopped.any(axis=1).mean() > 0.9
    assert np.median(stopped.argmax(axis=1)[stopped.any(axis=1)] + 1) < 20


def test_day_by_day_from_rows_ends_where_the_whole_does():
    rng = np.random.default_rng(9)
    rows = visitors({"control": (900, 0), "treatment": (900, 0)})
    rows["day"] = pd.Timestamp("2026-05-01 10:00") + pd.to_timedelta(rng.integers(0, 10, 1800), unit="D")
    rows["visits"], rows["orders"] = 1 + rng.poisson(1, 1800), rng.poisson(0.5, 1800)
    ratio = Metric("orders a visit", "orders", kind="ratio", per="visits")
    daily = testing.sequence(rows, ratio, at="day", planned=1800)
    assert len(daily) == 10 and daily["n"].iloc[-1] == 900 and (daily["n"].diff().dropna() > 0).all()
    whole = testing.compare(testing.totals(rows, [ratio]), [ratio]).iloc[0]
    last = daily.iloc[-1]
    assert (last["effect"], last["control"]) == pytest.approx((whole["effect"], whole["control"]))
    assert (last["fixed_low"], last["fixed_high"]) == pytest.approx((whole["low"], whole["high"]), rel=0.01)
    assert (
        daily["low"].iloc[0] == -np.inf
        and (daily["low"].diff().iloc[2:] >= 0).all()
        and (daily["p"].diff().dropna() <= 0).all()
    )
    with pytest.raises(ValueError, match="no arm 'old'"):
        testing.sequence(rows, ratio, at="day", control="old", planned=1)
