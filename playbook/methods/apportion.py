"""How is a sum shared out to the cent: by weights, so that the parts add up to it exactly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

CENT = Decimal("0.01")


def apportion(total: Decimal | int | float, weights: Sequence[Any], *, unit: Decimal = CENT) -> list[Decimal]:
    """How much of a sum falls to each weight, in whole units, so that the parts add up exactly?

    Each part is its share rounded down; the units left over go to the largest remainders, the earlier one first. A part
    is less than one unit away from its share, and with parts no larger than their weights none exceeds its weight.

    Parameters
    ----------
    total : Decimal, int or float
        Rounded to whole units first; may be negative.
    weights : sequence of numbers
        0 or above, at least one; where all are 0 the parts are as equal as units allow.
    unit : Decimal
        What parts are whole multiples of: a cent, or 1 for counts.

    Returns
    -------
    list of Decimal
        One a weight, in order.

    Raises
    ------
    ValueError
        No weight, or one that is negative or no number.

    References
    ----------
    Hamilton's method of largest remainders: Balinski, M. L., Young, H. P. (1982). Fair Representation.

    Examples
    --------
    >>> [str(x) for x in apportion(Decimal("10.00"), [1, 1, 1])]
    ['3.34', '3.33', '3.33']
    """
    shares = [Fraction(w) for w in weights]
    if not shares or min(shares) < 0:
        raise ValueError(f"weights must be 0 or above, and at least one: {list(weights)}")
    if not any(shares):
        shares = [Fraction(1)] * len(shares)
    units = round(Fraction(total) / Fraction(unit))
    sign, units = (-1 if units < 0 else 1), abs(units)
    whole = sum(shares)
    quotas = [units * s / whole for s in shares]
    parts = [int(q) for q in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - quotas[i], i))
    for i in by_remainder[: units - sum(parts)]:
        parts[i] += 1
    return [sign * p * unit for p in parts]
