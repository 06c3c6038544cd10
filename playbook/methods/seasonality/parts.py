"""What is season in a daily series: trend, weekday and time of the year, taken apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.tsa.seasonal import MSTL

from ...language import _


def decompose(daily: pd.Series, *, yearly: bool | None = None) -> pd.DataFrame:
    """What of a daily series is trend, what is the weekday, what the season of the year, and what is left?

    The parts are those of the logarithm, so they multiply: value = trend × week × year × rest.

    Parameters
    ----------
    daily : Series
        Values above 0 by day (DatetimeIndex without gaps).
    yearly : bool, optional
        Whether to look for a season of the year; by default where there are two years.

    Returns
    -------
    DataFrame
        By day: value, trend (in the unit of the series), week, year, rest (factors around 1).

    Raises
    ------
    ValueError
        Gaps, values at or below 0, less than four weeks, or a yearly season asked of less than two years.

    References
    ----------
    Cleveland, R. B. et al. (1990). STL: a seasonal-trend decomposition procedure based on loess. J. Official
    Statistics 6, 3–73. Bandara, K., Hyndman, R. J., Bergmeir, C. (2021). MSTL. arXiv:2107.13462.
    """
    series = whole_days(daily)
    if (series <= 0).any():
        raise ValueError(
            _("{n} days are at or below 0: decompose weeks or months instead").format(n=(series <= 0).sum())
        )
    has_years = len(series) >= 731
    if len(series) < 28 or (yearly and not has_years):
        raise ValueError(_("Not enough data: needs {need} days in a row, has {has}.").format(
            need=731 if yearly else 28, has=len(series)
        ))  # fmt: skip
    periods = (7, 365) if (has_years if yearly is None else yearly) else (7,)
    fit = MSTL(np.log(series), periods=periods, stl_kwargs={"robust": True}).fit()
    seasonal = fit.seasonal if isinstance(fit.seasonal, pd.DataFrame) else fit.seasonal.to_frame("seasonal_7")
    return pd.DataFrame(
        {
            "value": series,
            "trend": np.exp(fit.trend),
            "week": np.exp(seasonal.iloc[:, 0]),
            "year": np.exp(seasonal.iloc[:, 1]) if len(periods) == 2 else 1.0,
            "rest": np.exp(fit.resid),
        }
    )


def whole_days(series: pd.Series) -> pd.Series:
    """As floats, by day; gaps are refused."""
    if not isinstance(series.index, pd.DatetimeIndex) or not len(series):
        raise ValueError(_("a daily series needs an index of dates"))
    days = pd.date_range(series.index[0], series.index[-1], freq="D")
    if not series.index.equals(days) or series.isna().any():
        there = series.dropna()
        raise ValueError(
            _("{n} days are missing between {first} and {last}: fill in 0 where nothing was sold").format(
                n=len(days) - len(days.intersection(there.index)), first=days[0].date(), last=days[-1].date()
            )
        )
    return series.astype(float)
