"""What an experiment is judged by: a share of units, a mean over units, or a ratio of two sums over units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import ibis
import pandas as pd
import tea_tasting as tt
from tea_tasting.aggr import Aggregates, read_aggregates
from tea_tasting.metrics import MetricBaseAggregated

from ...data.engine import as_table

Kind = Literal["proportion", "mean", "ratio"]


@dataclass(frozen=True)
class Metric:
    """One outcome of an experiment.

    Parameters
    ----------
    name : str
        As sentences say it, and as frames carry it.
    column : str
        The unit's outcome: a flag (proportion), a number (mean), or the numerator (ratio).
    kind : {"proportion", "mean", "ratio"}
        Proportion: share of units; mean: per unit; ratio: Σ column / Σ per, as orders per visit where units are people.
    per : str, optional
        The denominator of a ratio, a number a unit.
    before, before_per : str, optional
        The same outcome in a time before the experiment: what it explains is taken out (CUPED). It must not be touched
        by the experiment. Of a proportion it makes a mean of zeros and ones.
    guard : bool
        Not what the experiment is for, but what it must not harm.
    good : {"up", "down"}
        Which way is better.
    unit : str, optional
        As in `playbook.style.UNITS`; by default a proportion is a share, all else a ratio.
    """

    name: str
    column: str
    kind: Kind = "proportion"
    per: str | None = None
    before: str | None = None
    before_per: str | None = None
    guard: bool = False
    good: Literal["up", "down"] = "up"
    unit: str = ""

    def __post_init__(self) -> None:
        if (self.kind == "ratio") != (self.per is not None):
            raise ValueError(f"metric {self.name!r}: a ratio, and only a ratio, needs a denominator: per=…")
        if self.before_per is not None and (self.before is None or self.kind != "ratio"):
            raise ValueError(f"metric {self.name!r}: before_per belongs to a ratio with before=…")
        if not self.unit:
            object.__setattr__(self, "unit", "share" if self.kind == "proportion" else "ratio")

    @property
    def columns(self) -> list[str]:
        return [c for c in (self.column, self.per, self.before, self.before_per) if c]

    @property
    def adjusted(self) -> bool:
        """Whether something from before the experiment is taken out."""
        return self.before is not None

    def test(self, *, level: float, exact: bool = False) -> MetricBaseAggregated:
        """The test that tea-tasting does on it."""
        if self.kind == "proportion" and not self.adjusted:
            method: Literal["boschloo", "norm"] = "boschloo" if exact else "norm"
            return tt.Proportion(self.column, method=method, correction=False, confidence_level=level)
        return tt.RatioOfMeans(
            self.column,
            self.per,
            self.before,
            self.before_per,
            confidence_level=level,
            equal_var=False,
            use_t=True,
        )


def totals(rows: pd.DataFrame | ibis.Table, metrics: Sequence[Metric], *, by: str = "arm") -> dict[str, Aggregates]:
    """What tests need to know of each arm, added up where the rows are.

    Parameters
    ----------
    rows : DataFrame or Table
        One row a unit: `by` and the metrics' columns. A unit without an outcome counts as zero.
    metrics : sequence of Metric
    by : str
        The column of arms.

    Returns
    -------
    dict of str to tea_tasting.aggr.Aggregates
        Count, means, variances and covariances of each arm.
    """
    columns = list(dict.fromkeys(c for m in metrics for c in m.columns))
    table = as_table(rows)
    table = table.select(by, **{c: table[c].cast("float64").fill_null(0.0) for c in columns})
    pairs = [(a, b) for i, a in enumerate(columns) for b in columns[i + 1 :]]
    found = read_aggregates(table, by, has_count=True, mean_cols=columns, var_cols=columns, cov_cols=pairs)
    return {str(arm): found[arm] for arm in sorted(found, key=str)}
