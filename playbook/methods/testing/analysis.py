"""What an experiment did: nothing is concluded before the split has been checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import pandas as pd
from tea_tasting.aggr import Aggregates

from ..intervals import Interval, newcombe
from ..multiplicity import holm
from .arms import SUSPICIOUS, assigned, sample_ratio
from .metric import Metric, totals

FEW = 10
"""Where fewer successes or failures than this are expected in an arm, proportions are compared exactly."""

EFFECTS = (
    "metric",
    "arm",
    "guard",
    "n_control",
    "n",
    "control",
    "value",
    "effect",
    "low",
    "high",
    "lift",
    "lift_low",
    "lift_high",
    "p",
    "p_adjusted",
    "stands",
)


@dataclass(frozen=True)
class Analysis:
    """An experiment as it turned out.

    Parameters
    ----------
    control : str
        The arm that others are compared with.
    arms, mismatches : DataFrame
        As in `Assigned`: what became of all rows.
    split : DataFrame
        As `sample_ratio`, of the units that count.
    split_p : float
        The smaller p-value of the two checks of the split: of all rows as assigned, and of the units that count.
    effects : DataFrame
        As `compare`; empty where the split is broken.
    metrics : tuple of Metric
    level : float
        Confidence level.
    """

    control: str
    arms: pd.DataFrame
    mismatches: pd.DataFrame
    split: pd.DataFrame
    split_p: float
    effects: pd.DataFrame
    metrics: tuple[Metric, ...] = field(default=())
    level: float = 0.95

    @property
    def sound(self) -> bool:
        """Whether the split lets anything be concluded."""
        return not self.split_p < SUSPICIOUS


def analyse(
    rows: pd.DataFrame | ibis.Table,
    metrics: Sequence[Metric],
    *,
    control: str = "control",
    split: Mapping[str, float] | None = None,
    level: float = 0.95,
    **options: Any,
) -> Analysis:
    """What did each arm do, compared with the control?

    Parameters
    ----------
    rows : DataFrame or Table
        One row an assignment, with the outcomes.
    metrics : sequence of Metric
    control : str
        Name of the arm to compare with.
    split : mapping of str to float, optional
        Shares of the arms that were meant.
    level : float, default 0.95
        Of the intervals; 1 − level is the chance of any false effect among all arms and metrics that are no guards.
    **options
        Of `assigned`: unit, arm, exposed, shown, seen_only, at.

    Raises
    ------
    ValueError
        There is no such control, or fewer than two arms.
    """
    who = assigned(rows, **options)
    counts = who.arms.set_index("arm")
    if control not in counts.index or len(counts) < 2:
        raise ValueError(f"no arm {control!r} and another: the arms are {', '.join(counts.index)}")
    checked = sample_ratio(counts["kept"].to_dict(), split=split)
    p = min(checked.attrs["p"], sample_ratio((counts["rows"] - counts["repeated"]).to_dict(), split=split).attrs["p"])
    if p < SUSPICIOUS:
        effects = pd.DataFrame(columns=list(EFFECTS))
    else:
        effects = compare(totals(who.units, metrics), metrics, control=control, level=level)
    return Analysis(control, who.arms, who.mismatches, checked, p, effects, tuple(metrics), level)


def compare(
    by_arm: Mapping[str, Aggregates], metrics: Sequence[Metric], *, control: str = "control", level: float = 0.95
) -> pd.DataFrame:
    """How do the arms differ from the control, given their counts, means and variances?

    Proportions: z-test with the pooled rate, Boschloo's exact test where fewer than ten successes or failures are
    expected in an arm; Newcombe's interval. Means: Welch. Ratios: delta method, with Student's law. With an outcome
    from before: CUPED. Effects of several arms and metrics are corrected together by Holm; guards are not, because
    there the costly error is to overlook harm.

    Parameters
    ----------
    by_arm : mapping of str to Aggregates
        From `totals`.
    metrics : sequence of Metric
    control : str
    level : float

    Returns
    -------
    DataFrame
        One row a metric and arm: metric, arm, guard, n_control, n (units), control, value (in the metric's unit),
        effect = value − control with low and high, lift (effect / control, a fraction) with lift_low and lift_high, p,
        p_adjusted (Holm; of guards: p), stands. NaN where an arm has fewer than two units or nothing varies.

    References
    ----------
    Deng, A., Knoblich, U. & Lu, J. (2018). Applying the delta method in metric analytics. KDD 2018. Deng, A., Xu, Y.,
    Kohavi, R. & Walker, T. (2013). Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data. WSDM 2013. Boschloo, R. D. (1970). Raised conditional level of significance for the 2×2 table.
    Statistica Neerlandica 24, 1–9. Holm, S. (1979), see `playbook.methods.multiplicity.holm`.
    """
    lines = [
        {"metric": m.name, "arm": arm, "guard": m.guard} | _line(m, by_arm[control], by_arm[arm], level)
        for m in metrics
        for arm in by_arm
        if arm != control
    ]
    frame = pd.DataFrame(lines, columns=[c for c in EFFECTS if c not in ("p_adjusted", "stands")])
    goal = ~frame["guard"].astype(bool)
    frame["p_adjusted"] = frame["p"].where(~goal, holm(frame["p"].where(goal)))
    frame["stands"] = frame["p_adjusted"] < 1 - level
    return frame


def _line(metric: Metric, control: Aggregates, arm: Aggregates, level: float) -> dict[str, float]:
    """One arm beside the control by one metric."""
    n0, n1 = control.count(), arm.count()
    known = {"n_control": n0, "n": n1}
    nothing = {c: math.nan for c in EFFECTS[5:14]}
    if min(n0, n1) < 2:
        return known | nothing
    if metric.kind == "proportion" and not metric.adjusted:
        return known | _proportion(metric, control, arm, level)
    base = control.mean(metric.column) / control.mean(metric.per) if control.mean(metric.per) else math.nan
    value = arm.mean(metric.column) / arm.mean(metric.per) if arm.mean(metric.per) else math.nan
    if math.isnan(base + value):
        return known | nothing
    varies = control.var(metric.column) > 0 or arm.var(metric.column) > 0
    if not varies or not base or not value:  # nothing was bought in an arm: no law of large numbers to lean on
        return known | nothing | {"control": base, "value": value, "effect": value - base}
    found = metric.test(level=level).analyze_aggregates(control, arm)
    positive = found.control > 0 and found.treatment > 0
    return known | {
        "control": found.control,
        "value": found.treatment,
        "effect": found.effect_size,
        "low": found.effect_size_ci_lower,
        "high": found.effect_size_ci_upper,
        "lift": found.rel_effect_size if positive else math.nan,
        "lift_low": found.rel_effect_size_ci_lower if positive else math.nan,
        "lift_high": found.rel_effect_size_ci_upper if positive else math.nan,
        "p": found.pvalue,
    }


def _proportion(metric: Metric, control: Aggregates, arm: Aggregates, level: float) -> dict[str, float]:
    """Two shares side by side."""
    n0, n1 = control.count(), arm.count()
    base, value = float(control.mean(metric.column)), float(arm.mean(metric.column))
    pooled = (base * n0 + value * n1) / (n0 + n1)
    few = min(pooled, 1 - pooled) * min(n0, n1) < FEW
    if pooled in (0.0, 1.0):
        p, relative = 1.0, Interval(math.nan, math.nan)
    else:
        z = metric.test(level=level).analyze_aggregates(control, arm)
        relative = Interval(z.rel_effect_size_ci_lower, z.rel_effect_size_ci_upper)
        p = metric.test(level=level, exact=True).analyze_aggregates(control, arm).pvalue if few else z.pvalue
        if few or not base or not value:
            relative = Interval(math.nan, math.nan)
    low, high = newcombe(round(base * n0), n0, round(value * n1), n1, level=level)
    return {
        "control": base,
        "value": value,
        "effect": value - base,
        "low": low,
        "high": high,
        "lift": value / base - 1 if base else math.nan,
        "lift_low": float(relative.low),
        "lift_high": float(relative.high),
        "p": float(p),
    }
