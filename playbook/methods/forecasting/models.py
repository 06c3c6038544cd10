"""The models that compete to forecast a series; each takes what was and says what comes, on the scale it is given."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from ..seasonality import CALENDAR, festivals

SEASON = {"M": 12, "W": 52, "D": 7, "Q": 4}
"""Periods of a season: months and weeks of a year, days of a week."""

Model = Callable[[np.ndarray, pd.PeriodIndex, int], np.ndarray]


def season_of(periods: pd.PeriodIndex) -> int:
    """Periods of a season at the index's frequency."""
    return SEASON[periods.freqstr[0]]


def naive(y: np.ndarray, periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """As in the last period."""
    return np.repeat(y[-1], h)


def recent_mean(y: np.ndarray, periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """As in the last three periods on average."""
    return np.repeat(y[-3:].mean(), h)


def seasonal_naive(y: np.ndarray, periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """As a season ago."""
    m = season_of(periods)
    return y[len(y) - m + np.arange(h) % m]


def ets(y: np.ndarray, periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """Exponential smoothing with a damped trend and a season; in weeks the season is a Fourier series."""
    m = season_of(periods)
    if m == 52:
        x = _yearly(periods, h, 3)
        beta = np.linalg.lstsq(np.column_stack([np.ones(len(y)), x[: len(y)]]), y, rcond=None)[0][1:]
        rest = _ets(y - x[: len(y)] @ beta, h, None)
        return rest + x[len(y) :] @ beta
    return _ets(y, h, m)


def _ets(y: np.ndarray, h: int, m: int | None) -> np.ndarray:
    model = ETSModel(
        y, error="add", trend="add", damped_trend=True, seasonal="add" if m else None, seasonal_periods=m,
        initialization_method="heuristic",
    )  # fmt: skip
    return np.asarray(model.fit(disp=False, maxiter=100).forecast(h))


def structural(y: np.ndarray, periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """Unobserved components: a level that wanders, a fixed season, festivals that move."""
    x = _known(periods, h)
    model = UnobservedComponents(y, "local level", exog=x[: len(y)], mle_regression=False)
    return np.asarray(model.fit(disp=False, maxiter=100).forecast(h, exog=x[len(y) :]))


def sarima(y: np.ndarray, periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """Autoregression of the change since a season ago, or about a fixed season where that has many periods."""
    if season_of(periods) in (4, 12):
        x = festival_days(periods, h)
        order: dict = {"order": (1, 0, 0), "seasonal_order": (0, 1, 0, season_of(periods)), "trend": "c"}
    else:
        x = _known(periods, h)
        order = {"order": (1, 0, 1), "trend": "c"}
    if not x.shape[1]:
        return np.asarray(SARIMAX(y, **order).fit(disp=False, maxiter=50).forecast(h))
    # Ordinary least squares first: regressors among the likelihood's parameters take ten times as long.
    if season_of(periods) not in (4, 12):
        beta = np.linalg.lstsq(np.column_stack([np.ones(len(y)), x[: len(y)]]), y, rcond=None)[0][1:]
        rest = SARIMAX(y - x[: len(y)] @ beta, **order).fit(disp=False, maxiter=50).forecast(h)
        return np.asarray(rest) + x[len(y) :] @ beta
    model = SARIMAX(y, exog=x[: len(y)], **order)
    return np.asarray(model.fit(disp=False, maxiter=50).forecast(h, exog=x[len(y) :]))


MODELS: dict[str, Model] = {"seasonal_naive": seasonal_naive, "ets": ets, "structural": structural, "sarima": sarima}
"""What competes where there are two seasons and more, beside the mean of them all (`mean`)."""
SIMPLE: dict[str, Model] = {"naive": naive, "recent_mean": recent_mean}
"""What competes where no season can be seen."""


def forecasts(
    y: np.ndarray, periods: pd.PeriodIndex, h: int, models: dict[str, Model]
) -> dict[str, np.ndarray]:  # fmt: skip
    """The forecast of each model, and their mean; a model that fails or runs away is left out."""
    out = {}
    low, high = y.min() - 3 * np.ptp(y) - 1e-9, y.max() + 3 * np.ptp(y) + 1e-9
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model in models.items():
            try:
                said = np.asarray(model(y, periods, h), dtype=float)
            except (ValueError, np.linalg.LinAlgError, ZeroDivisionError):
                continue
            if np.isfinite(said).all() and (said >= low).all() and (said <= high).all():
                out[name] = said
    if len(out) > 2:
        out["mean"] = np.mean(list(out.values()), axis=0)
    return out


def festival_days(periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """Days of festivals in each period and the `h` that follow, in tens, one column a festival and phase.

    In months and quarters only the Spring Festival moves; weeks and days know every sale. Columns that the past has
    seen on fewer than two occasions are left out: nothing can be learnt from them.
    """
    return _festival_days(periods[0], len(periods), h)


@functools.lru_cache(maxsize=256)  # every backtest of every series of a shop asks for the same ones
def _festival_days(first: pd.Period, n: int, h: int) -> np.ndarray:
    periods = pd.period_range(first, periods=n, freq=first.freq)
    every = _extended(periods, h)
    names = [f.name for f in CALENDAR if f.name == "spring_festival" or (f.sale and periods.freqstr[0] in "WD")]
    days = festivals(every[0].start_time.date(), every[-1].end_time.date(), names=names)
    days["period"] = days["day"].dt.to_period(periods.freq)
    count = days.groupby(["period", "name", "phase"]).size().unstack(["name", "phase"]).reindex(every).fillna(0) / 10
    seen = days[days["period"].isin(periods)].groupby(["name", "phase"])["year"].nunique()
    keep = [c for c in count.columns if seen.get(c, 0) >= 2]
    if periods.freqstr[0] in "MQ":
        keep = [c for c in keep if c[1] != "after"]
    return count[keep].to_numpy(float)


def _known(periods: pd.PeriodIndex, h: int) -> np.ndarray:
    """Season and festivals, which are known ahead: periods and the `h` that follow × columns."""
    every, m = _extended(periods, h), season_of(periods)
    if m == 12:
        season = _harmonics(np.asarray(every.month), 12, 5)
    elif m == 4:
        season = _harmonics(np.asarray(every.quarter), 4, 1)
    elif m == 7:
        week = _harmonics(np.asarray(every.day_of_week), 7, 3)
        season = np.column_stack([week, _yearly(periods, h, 2)]) if len(periods) >= 548 else week
    else:
        season = _yearly(periods, h, 3)
    return np.column_stack([season, festival_days(periods, h)])


def _yearly(periods: pd.PeriodIndex, h: int, number: int) -> np.ndarray:
    return _harmonics(np.asarray(_extended(periods, h).to_timestamp().day_of_year), 365.25, number)


def _harmonics(position: np.ndarray, of: float, number: int) -> np.ndarray:
    angle = 2 * np.pi * position / of
    return np.column_stack([f(k * angle) for k in range(1, number + 1) for f in (np.sin, np.cos)])


def _extended(periods: pd.PeriodIndex, h: int) -> pd.PeriodIndex:
    return pd.period_range(periods[0], periods[-1] + h, freq=periods.freq)
