"""The next step of a series alone, within what its unit allows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...language import _
from .choice import forecaster

_NOT_BELOW_NOTHING = ("count", "share", "per_order")


class Step(NamedTuple):
    """What comes next: its median, an interval, the method, its error against the naive forecast, what lacks.

    Values are NaN where nothing can be said; `error` is the mean absolute scaled one of the backtest.
    """

    value: float
    low: float
    high: float
    method: str
    error: float
    note: str

    @property
    def said(self) -> bool:
        """Whether there is a forecast with an interval."""
        return bool(self.method) and not any(map(math.isnan, (self.value, self.low, self.high)))


def next_step(series: pd.Series, unit: str, *, level: float = 0.8) -> Step:
    """What will the next period bring?

    Parameters
    ----------
    series : Series
        One value a period, with an index of periods or of their first days.
    unit : str
        As metrics have it: counts and shares do not fall below 0, shares do not rise above 1.
    level : float
        Of the interval.

    References
    ----------
    `playbook.methods.forecasting.forecaster`.
    """
    if len(series) < 2:
        note = _("Not enough data: needs {need} periods, has {n}.").format(need=2, n=len(series))
        return Step(math.nan, math.nan, math.nan, "", math.nan, note)
    made = forecaster(series, horizon=1)
    ends = made.predict(1, level=level).loc[0, ["value", "low", "high"]].to_numpy(dtype=float)
    least, most = 0.0 if unit in _NOT_BELOW_NOTHING else -math.inf, 1.0 if unit == "share" else math.inf
    value, low, high = map(float, np.clip(ends, least, most))
    chosen = made.backtest[made.backtest["chosen"].astype(bool)] if len(made.backtest) else made.backtest
    return Step(value, low, high, made.method, float(chosen["mase"].iloc[0]) if len(chosen) else math.nan, made.note)
