"""How sure is a number: intervals for rates and means, from sums that an engine can deliver."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy import stats


class Interval(NamedTuple):
    """Lower and upper end, in the unit of the estimate."""

    low: float
    high: float


def wilson(successes: float, n: float, *, level: float = 0.95) -> Interval:
    """How sure is a rate: the score interval for a share of `n` independent trials.

    Parameters
    ----------
    successes, n : float
        Counts; 0 ≤ successes ≤ n.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Interval
        Fractions; NaN at both ends when n is 0.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209–212.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(1, 10)]
    [0.0179, 0.4042]
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return Interval(math.nan, math.nan)
    z = stats.norm.ppf(0.5 + level / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def mean(total: float, squares: float, n: float, *, level: float = 0.95) -> Interval:
    """How sure is a mean: Student's interval from the sum, the sum of squares and the number of observations.

    Returns
    -------
    Interval
        In the unit of the observations; NaN at both ends when n < 2.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6, 1–25.

    Examples
    --------
    >>> [round(x, 3) for x in mean(6, 14, 3)]  # the observations 1, 2, 3
    [-0.484, 4.484]
    """
    if n < 2:
        return Interval(math.nan, math.nan)
    centre = total / n
    variance = max(0.0, (squares - total * centre) / (n - 1))
    half = stats.t.ppf(0.5 + level / 2, n - 1) * math.sqrt(variance / n)
    return Interval(centre - half, centre + half)
