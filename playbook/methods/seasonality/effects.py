"""What does a festival add: its days beside what ordinary days lead one to expect, each year and on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, stats

from ...language import N_, _
from .calendar import CALENDAR, PHASES, festivals
from .parts import whole_days

RECOVERY_DAYS = 14
"""Days after the last phase of a sale that are not yet taken for ordinary ones: what was pulled forward lacks."""
DAYS_FREEDOM = 60
"""Degrees of freedom of one festival's error: ordinary days are many, but they remember one another."""


def festival_effects(
    daily: pd.Series,
    *,
    names: Sequence[str] | None = None,
    recovery: int = RECOVERY_DAYS,
    level: float = 0.9,
) -> pd.DataFrame:
    """What did each festival add, each time, before it, during it and after it?

    Ordinary days tell what the festival's days would have sold: the log of sales is regressed on trend, weekday and
    season of the year, with errors that remember (white noise and an exponentially fading part, by REML). The forecast
    of the festival's days from the ordinary days on either side is what the actual sales are compared with.

    Parameters
    ----------
    daily : Series
        Sales or orders by day (DatetimeIndex without gaps).
    names : sequence of str, optional
        Only these festivals; the days of all others count as ordinary then.
    recovery : int
        Days after a festival's last phase that are not taken for ordinary ones.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a festival, year and phase that lies wholly within the series: name, name_zh, year, phase, days,
        actual, expected (unit of the series), extra (their difference), uplift (actual over expected − 1), low, high,
        log_uplift, log_error (standard error), shared (days left to a greater festival).

    Raises
    ------
    ValueError
        Gaps or negative values, or not enough data: fewer than 120 days, fewer than 60 ordinary ones, or more than one
        day in twenty without sales.

    References
    ----------
    Brockwell, P. J., Davis, R. A. (2016). Introduction to Time Series and Forecasting, ch. 2. Duan, N. (1983).
    Smearing estimate. JASA 78, 605–610. Patterson, H. D., Thompson, R. (1971). Biometrika 58, 545–554 (REML).
    """
    series = whole_days(daily)
    if (series < 0).any():
        raise ValueError(_("{n} days are below 0: give sales before returns").format(n=(series < 0).sum()))
    table = festivals(series.index[0].date(), series.index[-1].date(), names=names)
    owner = table.drop_duplicates("day").set_index("day")
    usual = ~_surrounded(series.index, recovery, names)
    if len(series) < 120 or usual.sum() < 60 or (series == 0).mean() > 0.05:
        raise ValueError(
            _(
                "Not enough data: needs 120 days, 60 of them ordinary, and sales on 19 days in 20; "
                "has {days} days, {usual} ordinary, {empty} without sales."
            ).format(days=len(series), usual=int(usual.sum()), empty=int((series == 0).sum()))
        )
    ordinary = _Ordinary.fitted(series, usual)
    z = stats.norm.ppf(0.5 + level / 2)
    whole = {(f.name, phase): n for f in CALENDAR for phase, n in
             zip(PHASES, (f.before, f.last - f.first + 1, f.after), strict=True)}  # fmt: skip
    rows = []
    for (name, name_zh, year, phase), mine in table.groupby(["name", "name_zh", "year", "phase"], sort=False):
        if len(mine) < whole[name, phase]:
            continue
        own = [d for d in mine["day"] if owner.loc[d, "name"] == name]
        if not own:
            continue
        at = series.index.get_indexer(own)
        expected, error = ordinary.total(at)
        actual = float(series.iloc[at].sum())
        log = math.log(max(actual, 0.5) / expected)
        rows.append(
            (name, name_zh, year, phase, len(own), actual, expected, actual - expected, math.expm1(log),
             math.expm1(log - z * error), math.expm1(log + z * error), log, error, len(mine) - len(own))
        )  # fmt: skip
    columns = ["name", "name_zh", "year", "phase", "days", "actual", "expected", "extra", "uplift", "low", "high",
               "log_uplift", "log_error", "shared"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


NEEDS_TWO = N_("Not enough data: needs the festival in two years for an interval of the next one.")


def festival_uplift(effects: pd.DataFrame, *, level: float = 0.9) -> pd.DataFrame:
    """What does a festival add on average, and what will it add the next time?

    The years are pooled as random effects: between them lies more than the error of each. `mean_low` to `mean_high`
    holds the average over many years; `next_low` to `next_high` a single one to come.

    Parameters
    ----------
    effects : DataFrame
        Of `festival_effects`.
    level : float
        Of both intervals.

    Returns
    -------
    DataFrame
        name, name_zh, phase, times (years), uplift (a fraction: 0.8 is 80 % more than without), mean_low, mean_high,
        next_low, next_high, between (standard deviation between years, of the log), note (why an interval lacks).

    References
    ----------
    Higgins, J. P. T., Thompson, S. G., Spiegelhalter, D. J. (2009). A re-evaluation of random-effects meta-analysis.
    J. R. Stat. Soc. A 172, 137–159 (interval of the next one). Paule, R. C., Mandel, J. (1982). J. Res. NBS 87, 377.
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics 2, 110–114.
    """
    rows = []
    for (name, name_zh, phase), mine in effects.groupby(["name", "name_zh", "phase"], sort=False):
        y, v = mine["log_uplift"].to_numpy(), mine["log_error"].to_numpy() ** 2
        k = len(y)
        if k == 1:
            half = stats.norm.ppf(0.5 + level / 2) * math.sqrt(v[0])
            ends = (y[0] - half, y[0] + half, math.nan, math.nan)
            rows.append((name, name_zh, phase, 1, *map(math.expm1, (y[0], *ends)), math.nan, _(NEEDS_TWO)))
            continue
        between = _between(y, v)
        weight = 1 / (v + between)
        mean, own = float(weight @ y / weight.sum()), 1 / float(weight.sum())
        # Few years tell little of the variance between them, many days a lot of the error of each (Satterthwaite).
        error = float(v.mean())
        freedom = (error + between) ** 2 / (between**2 / (k - 1) + error**2 / DAYS_FREEDOM)
        t = stats.t.ppf(0.5 + level / 2, freedom)
        one, following = t * math.sqrt(own), t * math.sqrt(own + between)
        ends = (mean - one, mean + one, mean - following, mean + following)
        rows.append((name, name_zh, phase, k, *map(math.expm1, (mean, *ends)), math.sqrt(between), ""))
    columns = ["name", "name_zh", "phase", "times", "uplift", "mean_low", "mean_high", "next_low", "next_high",
               "between", "note"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _between(y: np.ndarray, v: np.ndarray) -> float:
    """Variance between years, by Paule and Mandel: the one at which the weighted spread is what is expected."""

    def excess(tau: float) -> float:
        w = 1 / (v + tau)
        return float(w @ (y - w @ y / w.sum()) ** 2) - (len(y) - 1)

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, max(float(np.var(y, ddof=1)) * 10, 1e-9)
    for _step in range(60):
        mid = (low + high) / 2
        low, high = (mid, high) if excess(mid) > 0 else (low, mid)
    return (low + high) / 2


def _surrounded(days: pd.DatetimeIndex, recovery: int, names: Sequence[str] | None) -> np.ndarray:
    """Which days belong to a festival or to the recovery after a sale that is not small."""
    about = festivals((days[0] - pd.Timedelta(days=60)).date(), days[-1].date(), names=names)
    out = days.isin(about["day"])
    for _key, mine in about[about["sale"]].groupby(["name", "year"]):
        since = np.asarray((days - mine["day"].max()).days)
        out |= (since > 0) & (since <= recovery)
    return np.asarray(out)


@dataclass(frozen=True)
class _Ordinary:
    """A regression on ordinary days whose errors remember, ready to say what other days would have been."""

    x: np.ndarray
    usual: np.ndarray
    beta: np.ndarray
    solved: np.ndarray
    factor: tuple
    cov_beta: np.ndarray
    memory: float
    part: float
    variance: float
    smear: float

    @classmethod
    def fitted(cls, series: pd.Series, usual: np.ndarray) -> _Ordinary:
        y = np.log(np.maximum(series.to_numpy(), 0.5 * series[series > 0].min()))[usual]
        x = _regressors(series.index)
        at = np.flatnonzero(usual)
        xb, away = x[at], np.abs(at[:, None] - at[None])
        best, chosen = -math.inf, None
        for memory in (5.0, 15.0, 45.0):
            fading = np.exp(-away / memory)
            for part in (0.05, 0.2, 0.4, 0.65):
                factor = linalg.cho_factor(part * fading + (1 - part) * np.eye(len(at)), lower=True)
                vx = linalg.cho_solve(factor, xb)
                info = xb.T @ vx
                beta = np.linalg.solve(info, vx.T @ y)
                r = y - xb @ beta
                solved = linalg.cho_solve(factor, r)
                variance = float(r @ solved) / (len(y) - x.shape[1])
                likelihood = -(
                    (len(y) - x.shape[1]) * math.log(variance)
                    + 2 * np.log(np.diag(factor[0])).sum()
                    + np.linalg.slogdet(info)[1]
                )
                if likelihood > best:
                    best, chosen = likelihood, (beta, solved, factor, np.linalg.inv(info), memory, part, variance)
        assert chosen is not None
        plain = np.exp(xb @ chosen[0] + (y - xb @ chosen[0] - (1 - chosen[5]) * chosen[1]))
        return cls(x, at, *chosen, smear=float(series.to_numpy()[usual].sum() / plain.sum()))

    def total(self, at: np.ndarray) -> tuple[float, float]:
        """The expected sum over days, and the standard error of its log."""
        across = self.part * np.exp(-np.abs(at[:, None] - self.usual[None]) / self.memory)
        log = self.x[at] @ self.beta + across @ self.solved
        back = linalg.cho_solve(self.factor, across.T)
        own = self.part * np.exp(-np.abs(at[:, None] - at[None]) / self.memory) + (1 - self.part) * np.eye(len(at))
        u = self.x[at] - back.T @ self.x[self.usual]
        cov = self.variance * (own - across @ back + u @ self.cov_beta @ u.T)
        expected = np.exp(log) * self.smear
        share = expected / expected.sum()
        return float(expected.sum()), math.sqrt(float(share @ cov @ share))


def _regressors(days: pd.DatetimeIndex) -> np.ndarray:
    """Constant, trend, weekday, and from one and a half years on the season of the year, days × columns."""
    t = np.arange(len(days)) / 365.25
    weekday = np.eye(7)[days.day_of_week.to_numpy()][:, 1:]
    columns = [np.ones(len(days)), t - t.mean(), *weekday.T]
    if len(days) >= 548:
        angle = 2 * np.pi * days.day_of_year.to_numpy() / 365.25
        columns += [f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)]
    return np.column_stack(columns)
