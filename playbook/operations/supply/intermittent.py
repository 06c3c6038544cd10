"""Products that sell now and then: which pattern demand has, and how much of it comes a day (Croston's family)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

PATTERNS = ("smooth", "erratic", "intermittent", "lumpy")
INTERVAL, VARIATION = 1.32, 0.49
"""Days between sales, and squared coefficient of variation of their sizes, at which patterns part."""


def pattern(units: np.ndarray) -> str:
    """Which pattern has a series of demand: smooth, erratic, intermittent or lumpy; empty without two sales.

    Examples
    --------
    >>> pattern(np.array([3.0, 4, 3, 4])), pattern(np.array([0.0, 0, 2, 0, 0, 2, 0]))
    ('smooth', 'intermittent')

    References
    ----------
    Syntetos, A. A., Boylan, J. E., Croston, J. D. (2005). On the categorization of demand patterns. JORS 56, 495–503.
    """
    sizes = units[units > 0]
    if len(sizes) < 2:
        return ""
    rare = len(units) / len(sizes) >= INTERVAL
    varied = (sizes.std() / sizes.mean()) ** 2 >= VARIATION
    return PATTERNS[2 * rare + varied]


def sba(units: np.ndarray, *, alpha: float = 0.1) -> float:
    """Units a period by Croston's method with the correction of Syntetos and Boylan.

    Sizes and intervals are smoothed apart, at each sale; the quotient of the two is too large by about alpha / 2.

    Examples
    --------
    >>> sba(np.array([0.0, 2, 0, 2, 0, 2]), alpha=0.1)
    0.95

    References
    ----------
    Croston, J. D. (1972). Operational Research Quarterly 23, 289–303. Syntetos, A. A., Boylan, J. E. (2005). The
    accuracy of intermittent demand estimates. Int. J. Forecasting 21, 303–314.
    """
    at = np.flatnonzero(units > 0)
    if not len(at):
        return 0.0
    size, interval = float(units[at[0]]), float(at[0] + 1)
    for before, now in pairwise(at):
        size += alpha * (units[now] - size)
        interval += alpha * (now - before - interval)
    return (1 - alpha / 2) * size / interval


def tsb(units: np.ndarray, *, alpha: float = 0.1, beta: float = 0.05) -> float:
    """Units a period by the method of Teunter, Syntetos and Babai: what no longer sells is forgotten.

    The chance of a sale is smoothed in every period (beta), its size at each sale (alpha).

    References
    ----------
    Teunter, R. H., Syntetos, A. A., Babai, M. Z. (2011). Intermittent demand: linking forecasting to inventory
    obsolescence. European J. Operational Research 214, 606–615.
    """
    sizes = units[units > 0]
    if not len(sizes):
        return 0.0
    chance, size = float((units > 0).mean()), float(sizes.mean())
    for x in units:
        chance += beta * (float(x > 0) - chance)
        if x > 0:
            size += alpha * (float(x) - size)
    return chance * size


def error(units: np.ndarray, *, alpha: float = 0.1) -> float:
    """Relative error of what `sba` and `tsb` tell: by how much the luck of the sales smoothed moves it.

    References
    ----------
    Syntetos, A. A., Boylan, J. E. (2001). On the bias of intermittent demand estimates. Int. J. Production Economics
    71, 457–466.
    """
    sizes = units[units > 0]
    n = len(sizes)
    if n < 2:
        return 1.0
    kept = (1 - alpha) ** (2 * (n - 1))  # of the first sale, from which smoothing begins
    part = alpha / (2 - alpha) * (1 - kept) + kept
    chance = n / len(units)
    return float(np.sqrt(part * ((sizes.std() / sizes.mean()) ** 2 + 1 - chance)))
