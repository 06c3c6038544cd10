"""How far campaigns end from their plan, and their days from its days, as those that are over tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...missing import answers

AS_MANY = 4  # campaigns that the rule of thumb counts for


@dataclass(frozen=True)
class Spread:
    """Spreads of logs, and how many campaigns told them.

    Attributes
    ----------
    plan : float
        Of what comes about what was planned.
    shape : float
        Of the part that has come by a day about the part that was due, since no edition runs quite like the last.
    day : float
        Of one day, beside these.
    campaigns : int
    """

    plan: float
    shape: float
    day: float
    campaigns: int = 0


GUESS = Spread(0.25, 0.06, 0.20)
"""A rule of thumb, where no campaign is over."""


@answers("How far do campaigns end from their plan?")
def spreads(paces: pd.DataFrame) -> dict[str, Spread]:
    """How far did earlier campaigns end from their plan, and their days from its days?

    Parameters
    ----------
    paces : DataFrame
        Of `pace`, of campaigns that are over; those without a plan do not count.

    Returns
    -------
    dict
        metric → `Spread`. Each is drawn towards `GUESS`, which counts for four campaigns.
    """
    told: dict[str, list[tuple[float, float, float, float]]] = {}
    for (_pid, metric), of in paces.groupby(["promotion_id", "metric"], sort=False):
        planned, actual = of["planned"].to_numpy(float), of["actual"].to_numpy(float)
        if len(of) < 2 or not planned[-1] > 0 or not actual[-1] > 0:  # also where days lie ahead or nothing was planned
            continue
        whole, half = np.log(actual[-1] / planned[-1]), len(of) // 2
        days = np.diff(actual, prepend=0.0), np.diff(planned, prepend=0.0)
        there = (days[0] > 0) & (days[1] > 0)
        by_day = np.log(days[0][there] / days[1][there])
        day = float(by_day.var(ddof=1)) if len(by_day) > 1 else GUESS.day**2
        early = np.log(actual[half - 1] / planned[half - 1]) - whole if actual[half - 1] > 0 else 0.0
        own = day * (1 / half - 1 / len(of))  # of the first half, only because its days differ
        told.setdefault(str(metric), []).append((whole**2, max(early**2 - own, 0.0), day, 1.0))
    out = {}
    for metric, rows in told.items():
        *sums, n = np.sum(rows, axis=0)
        guess = np.square([GUESS.plan, GUESS.shape, GUESS.day])
        plan, shape, day = np.sqrt((np.array(sums) + AS_MANY * guess) / (n + AS_MANY))
        out[metric] = Spread(float(plan), float(shape), float(day), int(n))
    return out
