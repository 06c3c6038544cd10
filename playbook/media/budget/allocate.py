"""Share out money so that it brings the most: exact for curves that flatten, in whole cents, within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...language import _
from ..mix.posterior import Curves

STEPS = 200
"""Parts into which the way from a channel's lower to its upper bound is cut."""
DRAWS = 200
"""Draws whose mean is made as large as can be."""


def allocate(
    curves: Curves, total: int, low: Sequence[int], high: Sequence[int], *, weeks: float, worth: np.ndarray
) -> list[int]:
    """How much should each channel get, so that the mean of what may be true is largest?

    Each curve flattens, so the money goes step by step to where it brings most, from the lower bounds up; more money
    never takes anything from a channel.

    Parameters
    ----------
    curves : Curves
    total : int
        Cents to be shared out; what exceeds the upper bounds is left over.
    low, high : sequence of int
        Bounds of each channel, cents.
    weeks : float
        Weeks over which the money is spent.
    worth : ndarray
        What a unit of sales leaves, by channel.

    Returns
    -------
    list of int
        Cents by channel: their sum is `total`, or that of the upper bounds where these are lower.

    Raises
    ------
    ValueError
        The lower bounds are more than there is, or above the upper ones.
    """
    if any(a < 0 or a > b for a, b in zip(low, high, strict=True)):
        raise ValueError(_("a lower bound is below 0 or above its upper bound"))
    left = int(total) - sum(low)
    if left < 0:
        raise ValueError(
            _("the lower bounds need {need}, and there is {total}").format(need=sum(low) / 100, total=total / 100)
        )
    fewer = curves.thinned(DRAWS)
    floor, room = np.array(low, dtype=np.int64), np.array(high, dtype=np.int64) - np.array(low, dtype=np.int64)
    edges = floor[:, None] + room[:, None] * np.arange(STEPS + 1) // STEPS
    middle = (edges[:, 1:] + edges[:, :-1]) / 2
    slope = fewer.marginal(middle.T / 100 / weeks).mean(axis=0).T * np.asarray(worth)[:, None]
    # Curves flatten; what rounding makes of two steps on a straight part must not turn them round.
    slope = np.minimum.accumulate(slope, axis=1)
    steepest = np.argsort(-slope, axis=None, kind="stable")
    size = np.diff(edges, axis=1).ravel()[steepest]
    taken = np.minimum(size, np.maximum(0, left - (np.cumsum(size) - size)))
    got = np.bincount(steepest // STEPS, weights=taken, minlength=len(floor)).astype(np.int64)
    return [int(x) for x in floor + got]


def bounds(
    today: Sequence[int],
    *,
    most_change: float,
    idle: Sequence[int] = (),
    between: Mapping[int, tuple[int, int]] | None = None,
) -> tuple[list[int], list[int]]:
    """Lower and upper bounds in cents: today's spending, less and more by a part; a channel that is idle stays so.

    Parameters
    ----------
    today : sequence of int
        Cents by channel.
    most_change : float
        Part of today's spending by which a channel may change.
    idle : sequence of int
        Upper bound, in cents, of each channel that spends nothing today; 0 unless it was opted in.
    between : mapping, optional
        Position of a channel → bounds of its own, within which it must stay too.
    """
    low = [int(np.ceil(t * max(0.0, 1 - most_change) - 1e-6)) for t in today]
    high = [int(np.floor(t * (1 + most_change) + 1e-6)) for t in today]
    for i, t in enumerate(today):
        if t <= 0:
            low[i], high[i] = 0, int(idle[i]) if len(idle) else 0
    for i, (a, b) in (between or {}).items():
        low[i], high[i] = min(max(low[i], a), b), max(min(high[i], b), a)
    return low, high


def fill(aim: np.ndarray, total: int, low: Sequence[int], high: Sequence[int]) -> list[int]:
    """Cents in the proportions aimed at, within bounds; they add up to `total`, or to the upper bounds.

    Raises
    ------
    ValueError
        The lower bounds are more than there is.
    """
    if total < sum(low):
        raise ValueError(
            _("the lower bounds need {need}, and there is {total}").format(need=sum(low) / 100, total=total / 100)
        )
    few, many = 0.0, 1.0
    floor, roof, wanted = np.array(low, float), np.array(high, float), np.asarray(aim, dtype=float)
    while np.clip(many * wanted, floor, roof).sum() < min(total, roof.sum()) - 1 and many < 1e12:
        many *= 2
    for _step in range(100):
        factor = (few + many) / 2
        few, many = (few, factor) if np.clip(factor * wanted, floor, roof).sum() > total else (factor, many)
    out = [int(x) for x in np.clip(np.floor(np.clip(few * wanted, floor, roof)), floor, roof)]
    left = total - sum(out)
    for i in np.argsort(-wanted, kind="stable"):
        part = min(left, int(high[i]) - out[i])
        out[i] += part
        left -= part
    return out
