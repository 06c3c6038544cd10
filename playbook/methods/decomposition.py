"""Why did a number change, or vary: exact splits of a change among its factors, and of what is explained."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping

import numpy as np


def shapley(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How much of the change of a product is due to each factor, whatever order the factors changed in.

    A factor's share is its effect averaged over all orders in which the factors could have moved one after another.

    Parameters
    ----------
    before, after : mapping of str to float
        The factors (two to six), under the same names; zeros and negative values are allowed.

    Returns
    -------
    dict of str to float
        Effects, in the unit of the product; they sum to the change of the product.

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Ang, B. W. (2004). Decomposition analysis for policymaking in
    energy. Energy Policy 32, 1131–1139.

    Examples
    --------
    >>> shapley({"orders": 10, "aov": 20.0}, {"orders": 12, "aov": 25.0})
    {'orders': 45.0, 'aov': 55.0}
    """
    names = list(before)
    if set(names) != set(after):
        raise ValueError(f"the factors differ: {sorted(before)} before, {sorted(after)} after")
    k = len(names)
    effects = {}
    for name in names:
        others = [n for n in names if n != name]
        effect = 0.0
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - 1 - size) / math.factorial(k)
            for moved in itertools.combinations(others, size):
                rest = math.prod(after[n] if n in moved else before[n] for n in others)
                effect += weight * rest * (after[name] - before[name])
        effects[name] = effect
    return effects


def lmdi(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How much of the change of a product is due to each factor, by the logarithms of how much each factor moved?

    Unlike `shapley`, effects of a product's parts add up: splitting a factor into two leaves those of the others alone,
    and any number of factors is had at once. With y = product, effect = L(y₁, y₀) · ln(x₁ / x₀), L the logarithmic mean
    (y₁ − y₀) / ln(y₁ / y₀). A zero counts as the limit of ever smaller values: of the factors that fell to zero (or
    rose from it) each bears the same share of the whole change, the others none.

    Parameters
    ----------
    before, after : mapping of str to float
        The factors, 0 or above, under the same names.

    Returns
    -------
    dict of str to float
        Effects, in the unit of the product; they sum to the change of the product.

    Raises
    ------
    ValueError
        The factors differ, or one is negative (it has no logarithm: use `shapley`) or not a number.

    References
    ----------
    Ang, B. W. (2005). The LMDI approach to decomposition analysis: a practical guide. Energy Policy 33, 867–871. Ang,
    B. W. & Liu, N. (2007). Handling zero values in the logarithmic mean Divisia index decomposition approach. Energy
    Policy 35, 238–246 (the analytical limit).

    Examples
    --------
    >>> {k: round(v, 2) for k, v in lmdi({"orders": 10, "aov": 20.0}, {"orders": 12, "aov": 25.0}).items()}
    {'orders': 44.97, 'aov': 55.03}
    """
    if set(before) != set(after):
        raise ValueError(f"the factors differ: {sorted(before)} before, {sorted(after)} after")
    for side, factors in (("before", before), ("after", after)):
        for name, x in factors.items():
            if not (math.isfinite(x) and x >= 0):
                raise ValueError(f"{name} is {x} {side}: logarithms need values of 0 or above; shapley takes any")
    old, new = math.prod(before.values()), math.prod(after.values())
    change = new - old
    # From nothing, or to nothing, as the limit of ever smaller values; nothing on both sides: nothing changed.
    if any(x == 0 for x in (*before.values(), *after.values())):
        moved = [n for n in before if (before[n] == 0) != (after[n] == 0)]
        return {n: change / len(moved) if change and n in moved else 0.0 for n in before}
    logs = {n: math.log(after[n]) - math.log(before[n]) for n in before}
    whole = math.fsum(logs.values())
    # The logarithmic mean from its larger side, which neither overflows nor loses what is small.
    larger = max(old, new)
    weight = larger if abs(whole) < 1e-12 else larger * -math.expm1(-abs(whole)) / abs(whole)
    effects = {n: weight * x for n, x in logs.items()}
    # What rounding left over goes to the factor that moved most.
    if logs:
        most = max(logs, key=lambda n: abs(logs[n]))
        if logs[most]:
            effects[most] += change - math.fsum(effects.values())
    return effects


def importance(parts: np.ndarray, whole: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """How much of what a linear model explains is due to each part, whatever order the parts are taken up in?

    A part's share is what it adds to R², averaged over all orders of taking parts up (LMG); unlike standardised
    coefficients the shares are never negative where parts overlap, and they sum to R².

    Parameters
    ----------
    parts : ndarray
        Rows × parts (one to ten), any units.
    whole : ndarray
        What is explained, one a row.
    weights : ndarray, optional
        Of the rows.

    Returns
    -------
    ndarray
        A share of the variance for each part (fractions that sum to R²); NaN where there are no more rows than parts
        or `whole` does not vary.

    References
    ----------
    Lindeman, R. H., Merenda, P. F., Gold, R. Z. (1980). Introduction to Bivariate and Multivariate Analysis.
    Grömping, U. (2006). Relative importance for linear regression in R: the package relaimpo. Journal of Statistical
    Software 17 (1).
    """
    n, k = parts.shape
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    columns = np.column_stack([parts, whole]).astype(float)
    columns = (columns - np.average(columns, axis=0, weights=w)) * np.sqrt(w)[:, None]
    cross = columns.T @ columns
    if n <= k + 1 or cross[k, k] <= 0:
        return np.full(k, np.nan)

    @functools.cache
    def explained(chosen: tuple[int, ...]) -> float:
        if not chosen:
            return 0.0
        with_whole = cross[chosen, k]
        return float(with_whole @ np.linalg.pinv(cross[np.ix_(chosen, chosen)]) @ with_whole / cross[k, k])

    shares = np.zeros(k)
    for i in range(k):
        others = [j for j in range(k) if j != i]
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - 1 - size) / math.factorial(k)
            for taken in itertools.combinations(others, size):
                shares[i] += weight * (explained(tuple(sorted((*taken, i)))) - explained(taken))
    return shares
