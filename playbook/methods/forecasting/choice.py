"""Which model forecasts a series best, by what it would have said before, and how sure is its forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from ...language import _
from .models import MODELS, SIMPLE, Model, forecasts, season_of

LEAST = 6
"""Fewest periods of which anything is said."""
ORIGINS = 8
FEWEST_ORIGINS = 4


@dataclass(frozen=True)
class Forecaster:
    """A model chosen for a series, ready to forecast.

    Attributes
    ----------
    method : str
        ``seasonal_naive``, ``ets``, ``structural``, ``sarima``, their ``mean``, ``naive`` or ``recent_mean``; empty
        where nothing can be said.
    backtest : DataFrame
        method, mase (mean absolute error over that of the seasonal naive forecast within the sample; the naive one
        where no season can be seen), pinball (mean of the losses at 5, 10, 90 and 95 %, in the unit of the series),
        origins, chosen. Empty without a backtest.
    note : str
        What the reader must know: what the series lacks. Empty where nothing.
    periods : PeriodIndex
        Those forecast, the horizon.
    centre : ndarray
        Medians, on the scale of `scale`.
    spread : float
        Root mean square of the backtest's errors, on that scale; NaN where unknown.
    freedom : int
        Degrees of freedom of `spread`.
    scale : {"log", "sqrt", "as it is"}
        Errors are taken to be alike on this scale.
    """

    method: str
    backtest: pd.DataFrame
    note: str
    periods: pd.PeriodIndex
    centre: np.ndarray
    spread: float
    freedom: int
    scale: str

    def predict(self, h: int | None = None, *, level: float = 0.8) -> pd.DataFrame:
        """What comes: period, value (median), low, high, in the unit of the series.

        The interval is the model's own: Student's t on the errors that the backtest made, with one degree of freedom
        less than there were origins, since the errors of one origin go together.

        Raises
        ------
        ValueError
            More periods than the backtest has tried.
        """
        h = len(self.periods) if h is None else h
        if not 1 <= h <= len(self.periods):
            raise ValueError(
                _("{h} periods ahead: the backtest tried 1 to {most}; fit with a longer horizon").format(
                    h=h, most=len(self.periods)
                )
            )
        half = self._half(level)
        centre = self.centre[:h]
        ends = {"value": centre, "low": centre - half, "high": centre + half}
        return pd.DataFrame({"period": self.periods[:h]} | {k: _back(v, self.scale) for k, v in ends.items()})

    def _half(self, level: float) -> float:
        return float(stats.t.ppf(0.5 + level / 2, max(self.freedom, 1)) * self.spread)


@threadpool_limits.wrap(limits=1)  # matrices this small are several times slower when threads share them
def forecaster(series: pd.Series, *, horizon: int = 3, origins: int = ORIGINS) -> Forecaster:
    """Which model would have forecast the series best, and what does it say now?

    Each model forecasts from several past moments (rolling origin) what came afterwards; the one with the smallest
    MASE is chosen. Its errors there give the interval.

    Parameters
    ----------
    series : Series
        By month, week, quarter or day (PeriodIndex, or DatetimeIndex with the first day of each period), whole periods
        only. Values above 0 are modelled in logs, with zeros as square roots, with negative ones as they are. Up to one
        period in ten may be missing; it is filled in from its neighbours, and `note` says so.
    horizon : int
        Periods ahead.
    origins : int
        Most moments of the backtest.

    Returns
    -------
    Forecaster
        Without a forecast (`method` empty, values NaN) where the series is too short; `note` says what it needs.

    Raises
    ------
    ValueError
        No index of periods, the same period twice, or a horizon below 1.

    References
    ----------
    Hyndman, R. J., Koehler, A. B. (2006). Another look at measures of forecast accuracy. Int. J. Forecasting 22,
    679–688 (MASE). Tashman, L. J. (2000). Out-of-sample tests of forecasting accuracy. Int. J. Forecasting 16, 437–450.
    Harvey, A. C. (1989). Forecasting, Structural Time Series Models and the Kalman Filter. Hyndman, R. J. et al.
    (2008). Forecasting with Exponential Smoothing. Bates, J. M., Granger, C. W. J. (1969). The combination of
    forecasts. Operational Research Quarterly 20, 451–468.
    """
    if horizon < 1:
        raise ValueError(_("{h} periods ahead: choose 1 or more").format(h=horizon))
    given = _by_period(series)
    whole = given.reindex(pd.period_range(given.index[0], given.index[-1], freq=given.index.freq))
    gaps = int(whole.isna().sum())
    ahead = pd.period_range(whole.index[-1] + 1, periods=horizon, freq=whole.index.freq)
    n, m = len(whole), season_of(whole.index)
    if n < LEAST or gaps > n / 10:
        note = _("Not enough data: needs {need} periods with at most one in ten missing, has {n} with {gaps} missing.")
        return _nothing(ahead, note.format(need=LEAST, n=n, gaps=gaps))
    values = whole.interpolate(limit_direction="both")
    notes = [_("{gaps} missing periods were filled in from their neighbours.").format(gaps=gaps)] if gaps else []
    if np.ptp(values.to_numpy()) == 0:
        notes.append(_("The series has never varied: the forecast is its value, and nothing tells how sure it is."))
        scale = "as it is"
        return Forecaster(
            "naive", _no_backtest(), " ".join(notes), ahead, np.repeat(values.iloc[-1], horizon), math.nan, 0, scale
        )
    scale = "log" if (values > 0).all() else "sqrt" if (values >= 0).all() else "as it is"
    y = _forth(values.to_numpy(), scale)
    models, first, lag, said = _candidates(n, m, horizon)
    notes += said
    with threadpool_limits(1, "blas"):  # the matrices are tiny: more threads only wait for each other
        tried = _tried(y, values, horizon, origins, models, first, lag, scale)
        if tried.empty:
            return _nothing(ahead, _("Not enough data: no model could be fitted to the series."))
        now = forecasts(y, values.index, horizon, models)
    table = tried.groupby("method", sort=False).agg(
        mase=("mase", "mean"), pinball=("pinball", "mean"), origins=("origin", "nunique")
    )
    able = table[(table["origins"] == table["origins"].max()) & table.index.isin(now)]
    best = str(able["mase"].idxmin())
    errors = np.concatenate(tried.loc[tried["method"] == best, "errors"].to_list())
    table["chosen"] = table.index == best
    return Forecaster(
        best, table.reset_index(), " ".join(notes), ahead, now[best], float(np.sqrt(np.mean(errors**2))),
        int(table.loc[best, "origins"]) - 1, scale,
    )  # fmt: skip


def _candidates(n: int, m: int, horizon: int) -> tuple[dict[str, Model], int, int, list[str]]:
    """Models, length of the first training, the lag of the naive error, and what to tell the reader."""
    if n >= 2 * m + horizon + FEWEST_ORIGINS - 1:
        return MODELS, 2 * m, m, []
    if n >= m + horizon + FEWEST_ORIGINS - 1:
        note = _(
            "Less than two seasons and a backtest: only simple forecasts compete, from {need} periods on models do."
        )
        simple = SIMPLE | {"seasonal_naive": MODELS["seasonal_naive"]}
        return simple, m, 1, [note.format(need=2 * m + horizon + FEWEST_ORIGINS - 1)]
    note = _("Not enough data for a season: needs {need} periods, has {n}; the forecast knows no season.")
    return SIMPLE, 3, 1, [note.format(need=m + horizon + FEWEST_ORIGINS - 1, n=n)]


def _tried(
    y: np.ndarray, values: pd.Series, horizon: int, origins: int, models: dict[str, Model], first: int, lag: int,
    scale: str,
) -> pd.DataFrame:  # fmt: skip
    """The backtest: one row an origin and method, with its errors."""
    n, rows = len(y), []
    last = n - horizon
    for origin in range(max(first, last - origins + 1), last + 1):
        past = values.to_numpy()[:origin]
        usual = np.abs(past[lag:] - past[:-lag]).mean() if origin > lag else math.nan
        true = values.to_numpy()[origin : origin + horizon]
        for method, said in forecasts(y[:origin], values.index[:origin], horizon, models).items():
            error = np.abs(true - _back(said, scale)).mean()
            mase = error / usual if usual > 0 else math.nan
            rows.append((method, origin, mase, y[origin : origin + horizon] - said, said, true))
    out = pd.DataFrame(rows, columns=["method", "origin", "mase", "errors", "said", "true"])
    out["mase"] = out["mase"].fillna(out["mase"].max()).fillna(0.0)
    out["pinball"] = np.nan
    for _method, mine in out.groupby("method"):
        squares = mine["errors"].map(lambda e: float(np.mean(e**2)))
        for i, row in mine.iterrows():
            others = squares.drop(i)
            if len(others) > 1:
                out.loc[i, "pinball"] = _pinball(row, math.sqrt(others.mean()), len(others) - 1, scale)
    return out


def _pinball(row: pd.Series, spread: float, freedom: int, scale: str) -> float:
    """Mean loss of the quantiles at 5, 10, 90 and 95 %, whose spread comes from the other origins."""
    losses = []
    for q in (0.05, 0.10, 0.90, 0.95):
        off = row["true"] - _back(row["said"] + stats.t.ppf(q, freedom) * spread, scale)
        losses.append(np.maximum(q * off, (q - 1) * off).mean())
    return float(np.mean(losses))


def _by_period(series: pd.Series) -> pd.Series:
    """As floats with an index of periods, in order."""
    index = series.index
    if isinstance(index, pd.DatetimeIndex) and len(index):
        step = pd.Series(index).diff().median() if len(index) > 1 else pd.Timedelta(days=30)
        freq = "D" if step <= pd.Timedelta(days=1) else "W" if step <= pd.Timedelta(days=7) else "M"
        freq = "Q" if step > pd.Timedelta(days=80) else freq
        index = index.to_period("W-SUN" if freq == "W" else freq)
    if not isinstance(index, pd.PeriodIndex) or not len(index):
        raise ValueError(_("a series to forecast needs an index of months, weeks, quarters or days"))
    if index.has_duplicates:
        raise ValueError(_("the period {period} is there twice").format(period=index[index.duplicated()][0]))
    return pd.Series(series.to_numpy(dtype=float), index).sort_index()


def _nothing(ahead: pd.PeriodIndex, note: str) -> Forecaster:
    return Forecaster("", _no_backtest(), note, ahead, np.full(len(ahead), np.nan), math.nan, 0, "as it is")


def _no_backtest() -> pd.DataFrame:
    return pd.DataFrame(columns=["method", "mase", "pinball", "origins", "chosen"])


def _forth(values: np.ndarray, scale: str) -> np.ndarray:
    return np.log(values) if scale == "log" else np.sqrt(values) if scale == "sqrt" else values


def _back(values: np.ndarray, scale: str) -> np.ndarray:
    return np.exp(values) if scale == "log" else np.maximum(values, 0) ** 2 if scale == "sqrt" else values
