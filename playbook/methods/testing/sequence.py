"""Looking every day: intervals that hold at all times at once, so that one may stop whenever one likes."""

from __future__ import annotations

import math
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ...data.engine import as_table
from .metric import Metric

LEAST = 100
"""Units that each arm must have before the first look: the sequence rests on means being about normal."""


class Sequence(NamedTuple):
    """Ends and p-values, one a look."""

    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def confidence_sequence(
    effect: np.ndarray,
    error: np.ndarray,
    units: np.ndarray,
    *,
    planned: float,
    level: float = 0.95,
    least: float = LEAST,
) -> Sequence:
    """Between what ends does an effect lie, whenever one looks?

    The chance that the interval misses the truth at any look at all is at most 1 − level, as the number of units grows.
    It is the normal mixture of Robbins with estimated variance: half width e · √(2 (nρ² + 1) / (nρ²) · log(√(nρ² + 1) /
    α)) with the standard error e after n units. ρ is chosen so that it is narrowest at `planned` units, where it is
    about half as wide again as the interval for a single look. What the effect is of makes no difference: means,
    proportions, ratios by the delta method.

    Parameters
    ----------
    effect, error : array, shape (…, looks)
        Estimates and their standard errors, by all units so far; one unit of measurement.
    units : array, shape (looks,) or as `effect`
        Units so far, all arms together.
    planned : float
        Units for which the experiment was designed. It must not be chosen after looking.
    level : float, default 0.95
    least : float, default 100
        Looks at fewer than twice as many units (all arms together) say nothing: (−∞, ∞).

    Returns
    -------
    Sequence
        low, high: of the intersection of all intervals so far, in the unit of `effect`; p: of no effect, never rising.

    References
    ----------
    Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H. & Ramdas, A. (2024). Time-uniform central limit theory and
    asymptotic confidence sequences. Annals of Statistics 52, 2613–2640 (theorem 2.2, appendix B.2; first 2021).
    Robbins, H. (1970). Statistical methods related to the law of the iterated logarithm. Annals of Mathematical
    Statistics 41, 1397–1409.
    """
    alpha = 1 - level
    effect, error = np.asarray(effect, dtype=float), np.asarray(error, dtype=float)
    n = np.broadcast_to(np.asarray(units, dtype=float), effect.shape)
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1) / planned
    known = (n >= 2 * least) & (error > 0)
    grown = n * rho2 + 1
    scale = np.where(known, error, np.inf)
    half = scale * np.sqrt(2 * grown / (grown - 1) * np.log(np.sqrt(grown) / alpha))
    z = np.where(known, effect, 0.0) / np.where(known, error, 1.0)
    p = np.minimum(1.0, np.sqrt(grown) * np.exp(-0.5 * z**2 * (grown - 1) / grown))
    middle = np.where(known, effect, 0.0)
    return Sequence(
        np.maximum.accumulate(middle - half, axis=-1),
        np.minimum.accumulate(middle + half, axis=-1),
        np.minimum.accumulate(p, axis=-1),
    )


def sequence(
    rows: pd.DataFrame | ibis.Table,
    metric: Metric,
    *,
    at: str = "assigned_at",
    control: str = "control",
    planned: float,
    level: float = 0.95,
    least: int = LEAST,
) -> pd.DataFrame:
    """What did the experiment say day by day, to one who looked every day?

    Parameters
    ----------
    rows : DataFrame or Table
        One row a unit that counts (``assigned(…).units``): `at`, arm, the metric's columns.
    metric : Metric
        What came before is not used.
    at : str
        When the unit came, by the shop's clock.
    control : str
    planned : float
        Units that the experiment was designed for: the control and one arm together.
    level : float, default 0.95
        Of each arm; with several arms ask for 1 − α / arms.
    least : int
        Units of each arm before the first look.

    Returns
    -------
    DataFrame
        One row an arm and day: arm, day, n_control, n, control, value, effect, error, low, high, p, and for comparison
        fixed_low, fixed_high: the interval for a single look, which is not valid for who looks often. Days before the
        first look have low = −∞, high = ∞, p = 1.

    Raises
    ------
    ValueError
        There is no such control, or no other arm.
    """
    table = as_table(rows)
    x = table[metric.column].cast("float64").fill_null(0.0)
    y = ibis.literal(1.0) if metric.per is None else table[metric.per].cast("float64").fill_null(0.0)
    table = table.select(arm=table.arm.cast("string"), day=table[at].cast("date"), x=x, y=y)
    sums = table.group_by("arm", "day").agg(
        n=table.count(),
        x=table.x.sum(),
        y=table.y.sum(),
        xx=(table.x * table.x).sum(),
        yy=(table.y * table.y).sum(),
        xy=(table.x * table.y).sum(),
    )
    daily = sums.execute()
    daily["day"] = pd.to_datetime(daily["day"])
    arms = sorted(set(daily["arm"]) - {control})
    if not arms or control not in set(daily["arm"]):
        raise ValueError(f"no arm {control!r} and another: the arms are {', '.join(sorted(set(daily['arm'])))}")
    days = pd.date_range(daily["day"].min(), daily["day"].max(), name="day")
    wide = {
        a: part.set_index("day").drop(columns="arm").astype(float).reindex(days, fill_value=0.0).cumsum()
        for a, part in daily.groupby("arm")
    }
    n0, value0, error0 = _ratio(wide[control])
    z = stats.norm.ppf(0.5 + level / 2)
    out = []
    for arm in arms:
        n, value, error = _ratio(wide[arm])
        effect, both = value - value0, np.hypot(error, error0)
        ready = np.minimum(n, n0) >= least
        seen = confidence_sequence(
            effect, np.where(ready, both, np.nan), n + n0, planned=planned, level=level, least=least
        )
        columns = {"n_control": n0.astype(int), "n": n.astype(int), "control": value0, "value": value}
        columns |= {"effect": effect, "error": both, "low": seen.low, "high": seen.high, "p": seen.p}
        columns |= {"fixed_low": effect - z * both, "fixed_high": effect + z * both}
        out.append(pd.DataFrame({"arm": arm, "day": days} | columns))
    return pd.concat(out, ignore_index=True)


def _ratio(sums: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units, Σx / Σy and its standard error by the delta method, day by day."""
    n, x, y = (sums[c].to_numpy() for c in ("n", "x", "y"))
    with np.errstate(divide="ignore", invalid="ignore"):
        r = x / y
        squares = sums["xx"] - 2 * r * sums["xy"] + r**2 * sums["yy"]
        error = np.sqrt(np.maximum(squares.to_numpy(), 0) / (n - 1) * n) / y
    return n, r, error
