"""Why did a number change: exact splits of a change into the changes of its factors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping


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
