"""Stories of intervals: published values, other people's code, and how often they really cover the truth."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from playbook.methods.intervals import (
    Interval,
    Sums,
    bootstrap,
    mean,
    newcombe,
    shrunken_means,
    shrunken_rates,
    welch,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # and by hand: 1 of 2, z² = 3.8415: centre 0.5, half width sqrt(0.125 + 0.2401) · 1.96 / 2.9207
        (1, 2, 0.0945, 0.9055),
    ],
)
def test_wilson_gives_the_published_values(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels_and_lies_around_the_rate(n, share, level):
    successes = round(share * n)
    found = wilson(successes, n, level=level)
    theirs = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert found == pytest.approx(theirs, abs=1e-9)
    assert 0 <= found.low <= successes / n + 1e-12 and successes / n - 1e-12 <= found.high <= 1


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(0, 1))
def test_wilson_of_the_failures_mirrors_that_of_the_successes(n, share):
    successes = round(share * n)
    low, high = wilson(successes, n)
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_more_trials_and_less_confidence_make_it_narrower():
    widths = [high - low for low, high in (wilson(n // 5, n) for n in (10, 50, 250, 1250))]
    assert widths == sorted(widths, reverse=True) and widths[0] / widths[-1] > 8
    assert wilson(5, 20, level=0.8).high < wilson(5, 20, level=0.95).high < wilson(5, 20, level=0.99).high


def test_wilson_without_trials_is_not_known_and_nonsense_is_refused():
    nothing = wilson(0, 0)
    assert isinstance(nothing, Interval) and math.isnan(nothing.low) and math.isnan(nothing.high)
    for successes, n in ((3, 2), (-1, 5)):
        with pytest.raises(ValueError, match=f"{successes} successes in {n} trials"):
            wilson(successes, n)


def coverage(n, rates, interval):
    """The exact chance, by the binomial law, that the interval holds the true rate; one number a rate."""
    ends = np.array([interval(k, n) for k in range(n + 1)])
    holds = (ends[:, 0, None] <= rates) & (rates <= ends[:, 1, None])
    return (stats.binom.pmf(np.arange(n + 1)[:, None], n, rates) * holds).sum(axis=0)


def wald(k, n):
    half = 1.96 * math.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


@pytest.mark.parametrize("n", [10, 50, 300])
def test_wilson_covers_as_often_as_it_says_and_the_textbook_interval_does_not(n):
    rates = np.linspace(0.005, 0.995, 400)
    exact = coverage(n, rates, wilson)
    assert 0.93 <= exact.mean() <= 0.97
    assert exact.min() > 0.80  # its known dips near 0 and 1
    if n == 50:
        width = np.median([high - low for low, high in (wilson(k, n) for k in range(n + 1))])
        assert width == pytest.approx(0.231, abs=0.005)
        assert coverage(n, rates, wald).mean() < 0.92 < exact.mean()


OBSERVATIONS = st.lists(st.integers(-100_000, 100_000), min_size=2, max_size=30)


@settings(deadline=None)
@given(OBSERVATIONS, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_mean_is_that_of_scipy_from_the_sums_alone(cents, level):
    x = np.array(cents) / 100
    found = mean(x.sum(), (x**2).sum(), len(x), level=level)
    if x.std() > 0.01 * abs(x.mean()):
        theirs = stats.t.interval(level, len(x) - 1, loc=x.mean(), scale=stats.sem(x))
        assert found == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    assert found.low <= x.mean() + 1e-6 and x.mean() - 1e-6 <= found.high


def test_the_interval_of_a_mean_by_hand():
    # 10, 12, 14: mean 12, s² = 4, t(2; 0.975) = 4.3027, half width 4.3027 · 2 / sqrt(3)
    assert mean(36, 440, 3) == pytest.approx((12 - 4.9683, 12 + 4.9683), abs=1e-4)
    assert mean(30, 300, 3) == (10, 10)  # three times the same


def test_the_interval_of_a_mean_of_one_or_none_is_not_known():
    for n in (0, 1):
        assert all(math.isnan(end) for end in mean(5.0 * n, 25.0 * n, n))


def test_the_interval_of_a_mean_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    draws = rng.normal(100, 30, size=(4000, 8))
    ends = np.array([mean(x.sum(), (x**2).sum(), 8) for x in draws])
    held = int(((ends[:, 0] <= 100) & (ends[:, 1] >= 100)).sum())
    # a correct interval passes with probability 0.999
    low, high = stats.binom.ppf([0.0005, 0.9995], 4000, 0.95)
    assert low <= held <= high
    assert np.median(ends[:, 1] - ends[:, 0]) == pytest.approx(2 * 2.3646 * 30 / math.sqrt(8), rel=0.06)


def sums(x):
    return Sums(x.sum(), (x**2).sum(), len(x))


def at_least(n, level):
    """Fewest hits of `n` that a method of that level shows with probability 0.9995."""
    return stats.binom.ppf(0.0005, n, level)


# -- two groups


def test_welch_by_hand():
    # 1, 2, 3 and 3, 4, 5: difference 2, error √(1/3 + 1/3), 4 degrees of freedom, t = 2.7764
    assert welch(Sums(6, 14, 3), Sums(12, 50, 3)) == pytest.approx((2 - 2.2669, 2 + 2.2669), abs=1e-4)
    assert welch(Sums(30, 300, 3), Sums(36, 432, 3)) == (2, 2)  # 10, 10, 10 and 12, 12, 12
    assert all(math.isnan(end) for end in welch(Sums(10, 100, 1), Sums(36, 432, 3)))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 40), st.integers(3, 40))
def test_welch_is_that_of_scipy_and_turns_round_with_the_groups(seed, n, m):
    rng = np.random.default_rng(seed)
    a, b = rng.gamma(0.5, 40, n), rng.gamma(0.5, 60, m)
    found, theirs = welch(sums(a), sums(b)), stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    assert found == pytest.approx(tuple(theirs), rel=1e-7, abs=1e-7)
    back = welch(sums(b), sums(a))
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(("n", "m"), [(30, 30), (80, 120), (946, 946)])
def test_welch_covers_the_difference_of_skewed_order_values(n, m):
    # the average order of a cdnow customer: mean about 36, a log-normal's long tail; 946 bought twice
    rng, hits, runs = np.random.default_rng(5), 0, 2000
    truth = 36 * 1.2 - 36
    for _run in range(runs):
        a = rng.lognormal(math.log(36) - 0.32, 0.8, n)
        b = 1.2 * rng.lognormal(math.log(36) - 0.32, 0.8, m)
        low, high = welch(sums(a), sums(b))
        hits += low <= truth <= high
    assert hits >= at_least(runs, 0.94)


def test_newcombe_gives_the_published_values_and_those_of_statsmodels():
    # Newcombe (1998), table II, method 10: 56/70 − 48/80, 9/10 − 3/10, 0/20 − 0/10
    assert newcombe(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe(3, 10, 9, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert newcombe(0, 10, 0, 20) == pytest.approx((-0.2775, 0.1611), abs=5e-5)
    theirs = confint_proportions_2indep(17264, 145310, 17489, 145274, method="newcomb", compare="diff")
    assert newcombe(17489, 145274, 17264, 145310) == pytest.approx(theirs, abs=1e-9)
    assert all(math.isnan(end) for end in newcombe(0, 0, 1, 2))


@pytest.mark.parametrize(("n", "m", "p", "q"), [(10, 10, 0.2, 0.4), (30, 80, 0.02, 0.05), (500, 500, 0.03, 0.04)])
def test_newcombe_covers_the_difference_exactly_counted(n, m, p, q):
    ends = np.array([[newcombe(i, n, j, m) for j in range(m + 1)] for i in range(n + 1)]) if n < 100 else None
    if ends is None:
        likely = np.arange(60)
        ends = np.array([[newcombe(i, n, j, m) for j in likely] for i in likely])
    chance = np.outer(stats.binom.pmf(np.arange(ends.shape[0]), n, p), stats.binom.pmf(np.arange(ends.shape[1]), m, q))
    held = (ends[..., 0] <= q - p) & (q - p <= ends[..., 1])
    assert 0.93 <= (chance * held).sum() <= 0.99


# -- customers drawn again


def aov(c):
    return c["sales"].sum(-1) / c["orders"].sum(-1)


def customers(rng, n):
    """Customers whose orders resemble each other: number of orders and level of spending are the customer's own."""
    orders = 1 + rng.negative_binomial(0.6, 0.35, n)
    level = rng.lognormal(3.4, 0.5, n)
    return pd.DataFrame({"sales": level * orders, "orders": orders})


def test_the_bootstrap_by_hand_and_its_seed():
    same = pd.DataFrame({"sales": [20.0, 40, 60], "orders": [1, 2, 3]})
    assert bootstrap(same, aov, rng=np.random.default_rng(1)) == pytest.approx((20, 20))  # each order 20
    two = pd.DataFrame({"sales": [10.0, 30], "orders": [1, 1]})
    # both the first (1/4), one of each (1/2), both the second (1/4)
    assert bootstrap(two, aov, rng=np.random.default_rng(1), method="percentile") == pytest.approx((10, 30))
    frame = customers(np.random.default_rng(2), 50)
    again = [bootstrap(frame, aov, rng=np.random.default_rng(7)) for _time in range(2)]
    assert again[0] == again[1]
    doubled = frame.assign(sales=2 * frame["sales"])
    assert bootstrap(doubled, aov, rng=np.random.default_rng(7)) == pytest.approx(tuple(2 * e for e in again[0]))
    assert all(math.isnan(end) for end in bootstrap(frame.iloc[:1], aov, rng=np.random.default_rng(7)))


def test_the_bootstrap_by_customer_covers_and_one_by_order_does_not():
    rng = np.random.default_rng(11)
    crowd = customers(rng, 2_000_000)
    truth = crowd["sales"].sum() / crowd["orders"].sum()
    runs, hits, naive, widths = 400, 0, 0, []
    for _run in range(runs):
        frame = customers(rng, 200)
        low, high = bootstrap(frame, aov, rng=rng, resamples=500)
        hits, widths = hits + (low <= truth <= high), [*widths, high - low]
        orders = np.repeat((frame["sales"] / frame["orders"]).to_numpy(), frame["orders"])
        low, high = mean(orders.sum(), (orders**2).sum(), len(orders))
        naive += low <= truth <= high
    assert hits >= at_least(runs, 0.935) and naive < at_least(runs, 0.92)
    assert np.median(widths) == pytest.approx(6.0, rel=0.15)


# -- small groups


def test_a_small_group_is_drawn_to_the_others_and_a_large_one_is_not():
    groups = pd.DataFrame(
        {"x": [2, 30, 290, 0, 55, 41, 46], "n": [3, 300, 3000, 0, 500, 400, 500]}, index=list("abcdefg")
    )
    found = shrunken_rates(groups["x"], groups["n"])
    assert found.loc["a", "estimate"] < 0.2 < found.loc["a", "rate"]
    assert found.loc["c", "estimate"] == pytest.approx(290 / 3000, abs=0.001)
    assert np.isnan(found.loc["d", "rate"]) and 0.08 < found.loc["d", "estimate"] < 0.15
    assert found.loc["d", "weight"] == 0
    order = found.sort_values("n")["weight"]
    assert (
        order.is_monotonic_increasing
        and ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()
    )


def test_shrunken_means_by_hand():
    # six groups alike: nothing speaks for a spread between them, the estimate is the common mean
    alike = shrunken_means(pd.Series([10.0] * 6), pd.Series([1.0] * 6))
    assert alike["estimate"].tolist() == pytest.approx([10] * 6)
    assert (alike["high"] - alike["low"] < 2 * 1.96).all()
    # far apart compared with their errors: each stands for itself
    apart = shrunken_means(pd.Series([0.0, 100, 200, 300]), pd.Series([1.0] * 4))
    assert apart["estimate"].tolist() == pytest.approx([0, 100, 200, 300], abs=1) and (apart["weight"] > 0.98).all()
    # moving and stretching the unit moves and stretches the answer
    y, s = pd.Series([3.0, 5, 9, 4]), pd.Series([1.0, 2, 3, 0.5])
    assert shrunken_means(7 + 2 * y, 2 * s)["low"].tolist() == pytest.approx(
        (7 + 2 * shrunken_means(y, s)["low"]).tolist()
    )


def test_shrinkage_refuses_what_it_cannot_judge():
    with pytest.raises(ValueError, match="four groups"):
        shrunken_rates(pd.Series([1]), pd.Series([2]))
    with pytest.raises(ValueError, match="more successes"):
        shrunken_rates(pd.Series([3, 1, 1, 1]), pd.Series([2, 2, 2, 2]))
    with pytest.raises(ValueError, match="above 0"):
        shrunken_means(pd.Series([1.0, 2, 3, 4]), pd.Series([1.0, 0, 1, 1]))


@pytest.mark.parametrize("k", [5, 20])
def test_shrunken_intervals_cover_and_are_closer_than_the_raw_ones(k):
    rng, runs = np.random.default_rng(k), 120
    hits = {"rates": 0, "means": 0}
    better = {"rates": [], "means": []}
    for _run in range(runs):
        truth, n = rng.beta(4, 36, k), rng.integers(5, 80, k)
        x = rng.binomial(n, truth)
        found = shrunken_rates(pd.Series(x), pd.Series(n))
        hits["rates"] += int(((found["low"] <= truth) & (truth <= found["high"])).sum())
        better["rates"].append(((found["estimate"] - truth) ** 2).sum() - ((x / n - truth) ** 2).sum())
        truth, s = rng.normal(50, 4, k), rng.uniform(2, 10, k)
        y = rng.normal(truth, s)
        found = shrunken_means(pd.Series(y), pd.Series(s))
        hits["means"] += int(((found["low"] <= truth) & (truth <= found["high"])).sum())
        better["means"].append(((found["estimate"] - truth) ** 2).sum() - ((y - truth) ** 2).sum())
    for of in hits:
        # groups of one run share their law, so the bound is that of two thirds of the groups
        assert hits[of] / (runs * k) >= at_least(runs * k * 2 // 3, 0.94) / (runs * k * 2 // 3)
        assert np.mean(better[of]) < -3 * np.std(better[of]) / math.sqrt(runs)
