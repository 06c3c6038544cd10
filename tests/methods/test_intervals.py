"""Stories of intervals: published values, other people's code, and how often they really cover the truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from playbook.methods.intervals import Interval, mean, wilson


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
