"""How far what is asked for may be from what was expected: luck of single sales, and the error of the forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

UNTRIED, LEAST_SPREAD, MOST_SPREAD = 0.35, 0.05, 5.0
"""Relative error of a forecast that no backtest has tried, and the smallest and the largest that are believed."""


def variance(mean: np.ndarray, luck: np.ndarray | float, spread: np.ndarray | float) -> np.ndarray:
    """Of a total of this mean: the luck of single sales, and the error of the forecast."""
    return luck * mean + (spread * mean) ** 2


def shape(mean: np.ndarray, luck: np.ndarray | float, spread: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Size and chance of the negative binomial of this mean and `variance`."""
    mean = np.maximum(np.asarray(mean, dtype=float), 1e-9)
    wide = np.maximum(variance(mean, luck, spread), mean * (1 + 1e-6))
    return mean**2 / (wide - mean), mean / wide


def quantile(mean: np.ndarray, q: float, luck: np.ndarray | float, spread: np.ndarray | float) -> np.ndarray:
    """Quantile of a total of this mean."""
    return np.where(np.asarray(mean) > 0, stats.nbinom.ppf(q, *shape(mean, luck, spread)), 0.0)


def spread_of(errors: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """Relative error of forecasts beyond what luck explains, widened as Student's is.

    It is the one with which squared errors are on average as large as their variance (Pearson's statistic), so that
    what sells slowly counts as much as what sells fast.

    Parameters
    ----------
    errors : sequence of (said, came, variance of luck)
        One a moment of forecasting; arrays over the products.

    References
    ----------
    Breslow, N. E. (1984). Extra-Poisson variation in log-linear models. Applied Statistics 33, 38–44.
    """
    said, came, lucky = (np.concatenate(x) for x in zip(*errors, strict=True))
    said, came, lucky = (x[said >= 1] for x in (said, came, lucky))
    if not len(said):
        return UNTRIED

    def above(spread: float) -> float:
        return float(np.mean((came - said) ** 2 / (lucky + (spread * said) ** 2))) - 1

    spread = LEAST_SPREAD
    if above(LEAST_SPREAD) > 0:
        spread = optimize.brentq(above, LEAST_SPREAD, MOST_SPREAD) if above(MOST_SPREAD) < 0 else MOST_SPREAD
    k = max(len(errors), 3)  # products err together: as many errors as moments of forecasting
    return spread * math.sqrt(k / (k - 2))
