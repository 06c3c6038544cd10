"""How large must an experiment be, how long does it run, and what can it find?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import ibis
import numpy as np
import pandas as pd
from scipy import optimize
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from ...data.engine import as_table
from .metric import Kind, Metric, totals


def baseline(rows: pd.DataFrame | ibis.Table, metric: Metric) -> tuple[float, float]:
    """What is a metric today, and how much does it vary from unit to unit?

    Parameters
    ----------
    rows : DataFrame or Table
        One row a unit, with the metric's columns.
    metric : Metric
        With `before`: the spread that is left once what came before is taken out.

    Returns
    -------
    value, spread : float
        In the metric's unit; the spread of a ratio is that of its delta method, so value ± spread / √units.

    References
    ----------
    Deng, A., Knoblich, U. & Lu, J. (2018). Applying the delta method in metric analytics. KDD 2018.
    """
    table = as_table(rows)
    (all_of,) = totals(table.mutate(all_=ibis.literal("all")), [metric], by="all_").values()
    value = all_of.mean(metric.column) / all_of.mean(metric.per)
    variance = all_of.ratio_var(metric.column, metric.per)
    if metric.before is not None:
        left = all_of.ratio_var(metric.before, metric.before_per)
        both = all_of.ratio_cov(metric.column, metric.per, metric.before, metric.before_per)
        variance -= both**2 / left if left > 0 else 0.0
    return float(value), math.sqrt(max(0.0, variance))


def design(
    value: float,
    *,
    spread: float | None = None,
    kind: Kind = "proportion",
    lift: float | Sequence[float] | None = None,
    per_arm: int | Sequence[int] | None = None,
    arms: int = 2,
    metrics: int = 1,
    power: float = 0.8,
    alpha: float = 0.05,
    per_day: float | None = None,
    weeks: bool = True,
) -> pd.DataFrame:
    """How many units and days does an effect need; or, with units given, which effect can they find?

    Parameters
    ----------
    value, spread : float
        Today's value of the metric and its standard deviation from unit to unit (`baseline`); a proportion has its own.
    kind : {"proportion", "mean", "ratio"}
    lift : float or sequence of float, optional
        Effects to be found, as fractions of the value: 0.05 is 5 % more. Units are solved for.
    per_arm : int or sequence of int, optional
        Units of each arm, where they are given and the smallest effect (MDE) is solved for.
    arms, metrics : int
        Arms with the control, and metrics that are no guards: α is divided among their comparisons (Bonferroni, an
        upper bound of what Holm asks for).
    power : float, default 0.8
        Chance of finding the effect where it is there.
    alpha : float, default 0.05
        Two-sided chance of finding one where there is none.
    per_day : float, optional
        Units that come a day, all arms together; without it days are NaN.
    weeks : bool, default True
        Round days up to whole weeks: people of a Sunday are not those of a Monday.

    Returns
    -------
    DataFrame
        One row an effect or size: lift (fraction), effect (in the metric's unit), per_arm, units (all arms), days,
        power.

    Raises
    ------
    ValueError
        Neither or both of lift and per_arm; a proportion outside 0…1, also after the lift; no spread of a mean or
        ratio.

    References
    ----------
    Fleiss, J. L., Levin, B. & Paik, M. C. (2003). Statistical Methods for Rates and Proportions, chapter 4
    (`statsmodels.stats.proportion.power_proportions_2indep`). `statsmodels.stats.power.NormalIndPower`.

    Examples
    --------
    >>> design(0.10, lift=0.2, per_day=1000)[["per_arm", "units", "days"]].values.tolist()
    [[3841, 7682, 14]]
    """
    if (lift is None) == (per_arm is None):
        raise ValueError("give either the lift to be found or the units of each arm")
    if kind == "proportion" and not 0 < value < 1:
        raise ValueError(f"a proportion of {value} leaves nothing to compare: it must lie between 0 and 1")
    if kind != "proportion" and (spread is None or not spread > 0 or value == 0):
        raise ValueError("a mean or a ratio needs a value other than 0 and its spread from unit to unit")
    share = alpha / ((arms - 1) * metrics)

    def reached(up: float, n: float) -> float:
        return _power(value, spread, kind, up, n, share)

    lines = []
    if lift is not None:
        for up in np.atleast_1d(np.asarray(lift, dtype=float)):
            if up == 0 or (kind == "proportion" and not 0 < value * (1 + up) < 1):
                raise ValueError(f"a lift of {up:g} cannot be had from {value:g}")
            highest = 1e3
            while reached(up, highest) < power:
                highest *= 10
            n = math.ceil(optimize.brentq(lambda n, up=up: reached(up, n) - power, 2, highest))
            lines.append((float(up), n))
    else:
        top = (1 - value) / value * (1 - 1e-9) if kind == "proportion" else 1e6
        for n in np.atleast_1d(np.asarray(per_arm, dtype=int)):
            found = reached(top, n) >= power
            lines.append((optimize.brentq(lambda up, n=n: reached(up, n) - power, 1e-9, top) if found else math.nan, n))
    rows = []
    for up, n in lines:
        days = math.nan if not per_day else math.ceil(n * arms / per_day)
        days = math.ceil(days / 7) * 7 if weeks and not math.isnan(days) else days
        chance = math.nan if math.isnan(up) else reached(up, n)
        rows.append((up, value * up, int(n), int(n) * arms, days, chance))
    return pd.DataFrame(rows, columns=["lift", "effect", "per_arm", "units", "days", "power"])


def power_curve(
    value: float,
    *,
    lifts: Sequence[float],
    per_arm: Sequence[int],
    spread: float | None = None,
    kind: Kind = "proportion",
    alpha: float = 0.05,
    comparisons: int = 1,
) -> pd.DataFrame:
    """How does the chance of finding an effect grow with its size and with the number of units?

    Parameters
    ----------
    value, spread, kind, alpha
        As of `design`.
    lifts : sequence of float
        Fractions of the value.
    per_arm : sequence of int
        Units of each arm.
    comparisons : int
        Among which α is divided.

    Returns
    -------
    DataFrame
        One row a lift and size: lift, per_arm, power.
    """
    rows = [(up, n, _power(value, spread, kind, up, n, alpha / comparisons)) for up in lifts for n in per_arm]
    return pd.DataFrame(rows, columns=["lift", "per_arm", "power"])


def _power(value: float, spread: float | None, kind: Kind, lift: float, n: float, alpha: float) -> float:
    """The chance of finding a lift with n units an arm."""
    two: Literal["two-sided"] = "two-sided"
    if kind == "proportion":
        return float(
            power_proportions_2indep(value * lift, value, n, alpha=alpha, alternative=two, return_results=False)
        )
    assert spread is not None
    return float(NormalIndPower().power(abs(value * lift) / spread, n, alpha, ratio=1, alternative=two))
