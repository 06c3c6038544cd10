"""Early warning: which days of a series are out of the usual, judged as each day ends, and what episodes they make.

`judge` holds each day against the weeks before it: their level, trend and weekdays, fitted so that single odd days do
not count for much. The last week is in no day's own baseline, nor is a day that was flagged, so what begins slowly or
lasts does not become usual by itself; after four weeks it does, as a new level. A single day is tested, and the sum of
seven, so that a sharp spike and a small lasting shift are both seen. `episodes` joins flagged days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from ..language import _
from .seasonality.parts import whole_days

Kind = Literal["count", "share", "amount"]
Direction = Literal["up", "down", "both"]

STATES = ("no_history", "excused", "usual", "yellow", "orange", "red")
"""What a day can be; those from "yellow" on are out of the usual."""
LEVELS = {"yellow": 1.0, "orange": 1e-2, "red": 1e-5}
"""How much rarer than `alpha` a day must be for each level."""
HISTORY, ENOUGH = 84, 28  # usable days that a baseline looks back; days that it needs
SPANS = (1, 7)  # days whose sum is tested
QUIET, ADOPTED = 3, 28  # usual days that end an episode; days after which an episode is the new level
GUARD = 14  # days before the judged one that are in no baseline yet: what begins slowly shall not hide itself
ODD = 2.58  # residuals beyond this count for less (Noufaily et al.)
PRIOR = 0.5  # spread of the log that weekdays, and the trend over the whole history, are held to


def judge(
    series: pd.Series,
    *,
    kind: Kind = "count",
    exposure: pd.Series | None = None,
    direction: Direction = "both",
    excused: Sequence[object] | pd.Index | None = None,
    apart: Sequence[object] | pd.Index | None = None,
    since: object | None = None,
    alpha: float = 1e-3,
    at_least: float | pd.Series = 0.0,
    spans: Sequence[int] = SPANS,
    drift: float = PRIOR,
) -> pd.DataFrame:
    """Which days are out of the usual, each judged by what was known when it ended?

    Parameters
    ----------
    series : Series
        By day (DatetimeIndex without gaps): 0 where nothing happened.
    kind : {"count", "share", "amount"}
        Numbers of things; things out of `exposure` things, of which each counts or not; money and other sums.
    exposure : Series, optional
        By day: what the series is in proportion to, such as orders. Needed for a share, where it is a whole number.
    direction : {"up", "down", "both"}
        Which side is news.
    excused : days, optional
        Known to be unlike others (a festival): not judged, and no part of any baseline.
    apart : days, optional
        Judged, but no part of any baseline either, such as a festival whose size `exposure` tells.
    since : day, optional
        First day to be judged, to save time; by default the first that can be.
    alpha : float
        How often an ordinary day may be flagged, at most.
    at_least : float, or Series by day
        Below which a day is not flagged however sure it is: 0.5 is half as much again as expected, or two thirds of it.
    spans : sequence of int
        Days whose sum is tested. Longer ones see smaller shifts of what is rare, later; the baseline ends before them.
    drift : float
        Spread of the log to which the change over the whole history is held: small where a level is thought to stay.

    Returns
    -------
    DataFrame
        By day: value, exposure, expected, low, high (between which it lies on 95 % of ordinary days), p (of the day or
        the days that it ends, whichever is odder), span (days that p is about), ratio (value to expected over them),
        direction ("up", "down"), state (of `STATES`). NaN where a day is not judged.

    Raises
    ------
    ValueError
        Gaps in the days, or a share without exposure or above it.

    References
    ----------
    Farrington, C. P. et al. (1996). A statistical algorithm for the early detection of outbreaks of infectious disease.
    JRSS A 159, 547–563. Noufaily, A. et al. (2013). An improved algorithm for outbreak detection in multiple
    surveillance systems. Statistics in Medicine 32, 1206–1222.
    """
    values = whole_days(series)
    days = pd.DatetimeIndex(values.index)
    out_of = np.ones(len(days)) if exposure is None else exposure.reindex(days).fillna(0.0).to_numpy(float)
    x = np.maximum(values.to_numpy(), 0.0)
    if kind == "share" and (exposure is None or (x > out_of + 1e-9).any()):
        raise ValueError(_("a share needs an exposure, and can never be more than that"))
    excuse = days.isin(pd.DatetimeIndex([] if excused is None else list(excused)))
    least = (
        np.full(len(days), at_least) if not isinstance(at_least, pd.Series) else at_least.reindex(days).to_numpy(float)
    )
    judgeable = ~excuse & (out_of > 0)
    odd = days.isin(pd.DatetimeIndex([] if apart is None else list(apart)))
    learnt = judgeable & ~odd
    usable = learnt.copy()
    summed = judgeable.copy()  # days that a sum of several may hold: not those that were flagged on their own
    design = _design(days)
    longest = max(GUARD, *spans)
    first = 0 if since is None else int(days.searchsorted(pd.Timestamp(since)))
    begun, quiet, floor = -1, 0, 0  # of the episode that is on; where the level that is usual begins
    nothing: dict[str, Any] = {"mean": math.nan, "variance": math.nan, "freedom": math.nan, "p": math.nan,
               "span": 0, "ratio": math.nan, "direction": ""}  # fmt: skip
    rows = [nothing | {"state": "excused" if excuse[t] and t >= first else "no_history"} for t in range(len(days))]
    for t in range(max(first, ENOUGH), len(days)):
        if not judgeable[t]:
            continue
        if begun >= 0 and t - begun >= ADOPTED:  # it is no news any more: what holds since then is usual from now on
            floor, begun, quiet = begun, -1, 0
            usable[floor:t] = learnt[floor:t]
        guard = 0 if t - floor < ENOUGH + longest else longest - 1
        at = np.arange(max(floor, t - guard - 2 * HISTORY), t - guard)
        at = at[usable[at]][-HISTORY:]
        if len(at) < ENOUGH:
            continue
        base = _Baseline.fitted(x[at], out_of[at], design[at], kind, t, spans, drift)
        result = _tested(
            base, x, out_of, design, summed & (odd == odd[t]), t, direction, [s for s in spans if s - 1 <= guard]
        )
        state = "usual"
        if max(result["ratio"], 1 / max(result["ratio"], 1e-9)) - 1 >= least[t]:
            state = next((s for s in reversed(LEVELS) if result["p"] < alpha * LEVELS[s]), "usual")
        rows[t] = result | {"state": state}
        if state != "usual":
            begun, quiet = (t - result["span"] + 1 if begun < 0 else begun), 0
            usable[t], summed[t] = False, result["span"] != 1
        elif begun >= 0:
            quiet += 1
            begun = -1 if quiet >= QUIET else begun
    found = pd.DataFrame(rows, index=days.rename("day"))
    mean, variance, freedom = (found[c].to_numpy(float) for c in ("mean", "variance", "freedom"))
    low, high = _range(kind, mean, variance, freedom, out_of)
    known = {"value": values.to_numpy(), "exposure": out_of if exposure is not None else math.nan}
    known |= {"expected": mean, "low": low, "high": high}
    return pd.DataFrame(known, index=found.index).join(found[["p", "span", "ratio", "direction", "state"]])


def episodes(judged: pd.DataFrame, *, quiet: int = QUIET) -> pd.DataFrame:
    """What makes one story: flagged days with at most two usual ones between them, on the same side.

    Parameters
    ----------
    judged : DataFrame
        Of `judge`.
    quiet : int
        Usual days that end a story.

    Returns
    -------
    DataFrame
        One row an episode, in order: begins (first day of what was odd), flagged_on (the day whose end told), ends
        (last day flagged), days (from the first to the last), direction, level ("yellow", "orange", "red": its worst),
        value and expected (sums of the days), ratio, excess (value − expected), p (the smallest), open (whether it was
        still on when the series ends).
    """
    rows: list[dict[str, Any]] = []
    last = judged.index[-1] if len(judged) else None
    flagged = judged[judged["state"].isin(list(LEVELS))]
    groups: list[list[pd.Timestamp]] = []
    for day in flagged.index:
        near = groups and (day - groups[-1][-1]).days <= quiet
        if near and flagged.loc[day, "direction"] == flagged.loc[groups[-1][-1], "direction"]:
            groups[-1].append(day)
        else:
            groups.append([day])
    for group in groups:
        mine = flagged.loc[group]
        begins = group[0] - pd.Timedelta(days=int(mine["span"].iloc[0]) - 1)
        if rows and begins <= rows[-1]["ends"]:
            begins = max(rows[-1]["ends"] + pd.Timedelta(days=1), min(begins, group[0]))
        within = judged.loc[begins : group[-1]].dropna(subset="expected")
        value, expected = float(within["value"].sum()), float(within["expected"].sum())
        rows.append(
            {
                "begins": begins,
                "flagged_on": group[0],
                "ends": group[-1],
                "days": (group[-1] - begins).days + 1,
                "direction": mine["direction"].iloc[0],
                "level": max(mine["state"], key=STATES.index),
                "value": value,
                "expected": expected,
                "ratio": value / expected if expected > 0 else math.nan,
                "excess": value - expected,
                "p": float(mine["p"].min()),
                "open": (last - group[-1]).days < quiet,
            }
        )
    columns = ["begins", "flagged_on", "ends", "days", "direction", "level", "value", "expected", "ratio", "excess",
               "p", "open"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class _Baseline:
    """What the weeks before lead to expect: a quasi-likelihood regression on weekday and trend, in logs."""

    kind: Kind
    beta: np.ndarray
    covariance: np.ndarray
    origin: int
    dispersion: dict[int, float]
    freedom: dict[int, float]
    zeros: float

    @classmethod
    def fitted(
        cls,
        x: np.ndarray,
        out_of: np.ndarray,
        design: np.ndarray,
        kind: Kind,
        origin: int,
        spans: Sequence[int],
        drift: float,
    ) -> _Baseline:
        if kind != "amount" and x.sum() < 1:  # nothing yet is not never
            x = x + 0.5 * out_of / out_of.sum()
        rows = _centred(design, origin)
        penalty = np.diag([0.0, *[PRIOR**-2] * (rows.shape[1] - 2), drift**-2])
        offset = np.log(out_of)
        weight, phi = np.ones(len(x)), 1.0
        level = (np.median(x / out_of) * 0.5 + 0.5 * x.sum() / out_of.sum()) or 0.5 / out_of.sum()
        beta = np.zeros(rows.shape[1])
        beta[0] = math.log(level)
        for _again in range(3):
            for _step in range(12):
                mu = np.exp(np.clip(rows @ beta + offset, -30, 30))
                info = weight * mu**2 / _variance(mu, out_of, kind)
                target = rows @ beta + (x - mu) / mu
                solved = np.linalg.solve((rows.T * info) @ rows + phi * penalty, (rows.T * info) @ target)
                moved = np.clip(solved - beta, -2, 2)
                beta = beta + moved
                if np.abs(moved).max() < 1e-6:
                    break
            mu = np.exp(np.clip(rows @ beta + offset, -30, 30))
            info = weight * mu**2 / _variance(mu, out_of, kind)
            bread = np.linalg.inv((rows.T * info) @ rows + phi * penalty)
            used = float(np.trace(bread @ ((rows.T * info) @ rows)))
            residual = (x - mu) / np.sqrt(_variance(mu, out_of, kind))
            left = max(weight.sum() - used, 1.0)
            phi = float(weight @ residual**2 / left)
            phi = max(phi, 1.0 if kind != "amount" else 1e-6)
            leverage = np.clip(info * np.einsum("ij,jk,ik->i", rows, bread, rows), 0, 0.9)
            size = np.abs(residual) / np.sqrt(phi * (1 - leverage))
            weight = (ODD / np.maximum(size, ODD)) ** 2
        spread, freedom = {1: phi}, {1: left}
        steady = np.clip(residual / np.sqrt(phi), -ODD, ODD)
        # Neighbouring days resemble each other, more than residuals show that a regression has been fitted to.
        memory = float(steady[1:] @ steady[:-1]) / max(float(steady @ steady), 1e-9) + used / len(x)
        memory = min(max(memory, 0.0), 0.9)
        for span in spans[1:]:
            lags = np.arange(1, span)
            spread[span] = phi * (1 + 2 * float(((1 - lags / span) * memory**lags).sum()))
            freedom[span] = max(left / 2, 3.0)
        return cls(kind, beta, phi * bread, origin, spread, freedom, float(np.mean(x == 0)))

    def expected(self, design: np.ndarray, out_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Expected values of days, and their rows of the regression."""
        rows = _centred(design, self.origin)
        return np.exp(np.clip(rows @ self.beta + np.log(out_of), -30, 30)), rows

    def tails(self, x: float, mu: np.ndarray, rows: np.ndarray, out_of: np.ndarray, span: int) -> tuple[float, float]:
        """How likely as little, and as much, is over these days together."""
        mean, variance = self.moments(mu, rows, out_of, span)
        below, above = _tails(self.kind, x, mean, variance, float(out_of.sum()))
        below = max(below, self.zeros) if x == 0 and self.kind == "amount" else below
        return self._heavier(below, span), self._heavier(above, span)

    def moments(self, mu: np.ndarray, rows: np.ndarray, out_of: np.ndarray, span: int) -> tuple[float, float]:
        """Mean and variance of the sum of days: of their own, and of what is not known of the mean."""
        own = self.dispersion[span] * float(_variance(mu, out_of, self.kind).sum())
        slope = mu @ rows
        return float(mu.sum()), own + float(slope @ self.covariance @ slope)

    def _heavier(self, p: float, span: int) -> float:
        """A tail's probability, knowing that the spread is itself estimated."""
        if p <= 0 or p >= 1:
            return min(max(p, 0.0), 1.0)
        return float(special.stdtr(self.freedom[span], special.ndtri(p)))


def _tested(
    base: _Baseline,
    x: np.ndarray,
    out_of: np.ndarray,
    design: np.ndarray,
    summed: np.ndarray,
    t: int,
    direction: Direction,
    spans: Sequence[int],
) -> dict[str, Any]:
    """The oddest of the spans that end on day t; p is held against their number."""
    mu, rows = base.expected(design[t : t + 1], out_of[t : t + 1])
    mean, variance = base.moments(mu, rows, out_of[t : t + 1], 1)
    best: dict[str, Any] = {"p": math.inf}
    for span in spans:
        at = np.arange(t - span + 1, t + 1)
        at = at[summed[at]]
        expected, its = base.expected(design[at], out_of[at])
        below, above = base.tails(float(x[at].sum()), expected, its, out_of[at], span)
        for side, p in (("down", below), ("up", above)):
            ratio = float(x[at].sum() / expected.sum())
            right = ratio < 1 if side == "down" else ratio > 1
            if right and direction in (side, "both"):
                p = min(1.0, p * len(spans) * (2 if direction == "both" else 1))
                if p < float(best["p"]):
                    best = {"p": p, "span": span, "ratio": ratio, "direction": side}
    if math.isinf(float(best["p"])):
        best = {"p": 1.0, "span": 1, "ratio": float(x[t] / mu[0]), "direction": ""}
    return {"mean": mean, "variance": variance, "freedom": base.freedom[1], **best}


def _design(days: pd.DatetimeIndex) -> np.ndarray:
    """Constant, weekdays, and the day's number; all but the first are held to be small."""
    weekday = np.eye(7)[days.day_of_week.to_numpy()]
    return np.column_stack([np.ones(len(days)), weekday, np.arange(len(days), dtype=float)])


def _centred(design: np.ndarray, origin: int) -> np.ndarray:
    """The design with time counted from the middle of the history, in histories."""
    rows = design.copy()
    rows[:, -1] = (rows[:, -1] - origin + HISTORY / 2) / HISTORY
    return rows


def _variance(mu: np.ndarray, out_of: np.ndarray, kind: Kind) -> np.ndarray:
    if kind == "amount":
        return mu**2
    if kind == "share":
        return mu * np.maximum(1 - mu / out_of, 1e-6)
    return mu


def _tails(kind: Kind, x: float, mean: float, variance: float, out_of: float) -> tuple[float, float]:
    """P(X ≤ x) and P(X ≥ x) of the law with this mean and variance: gamma, negative binomial, or binomial of as many
    independent things as the variance speaks of."""
    if kind == "amount":
        shape = mean**2 / variance
        at = x * shape / mean
        return float(special.gammainc(shape, at)), float(special.gammaincc(shape, at))
    if kind == "count":
        if variance <= mean * (1 + 1e-6):
            return float(special.gammaincc(x + 1, mean)), float(special.gammainc(x, mean)) if x > 0 else 1.0
        size, q = mean**2 / (variance - mean), mean / variance
        return float(special.betainc(size, x + 1, q)), float(special.betaincc(size, x, q)) if x > 0 else 1.0
    p = min(mean / out_of, 1 - 1e-9)
    alike = max(variance / (out_of * p * (1 - p)), 1.0)
    n, x = out_of / alike, x / alike
    below = 1.0 if n - x <= 0 else float(special.betainc(n - x, x + 1, 1 - p))
    return below, 1.0 if x <= 0 else float(special.betainc(x, n - x + 1, p))


def _range(
    kind: Kind, mean: np.ndarray, variance: np.ndarray, freedom: np.ndarray, out_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Between which two values 95 % of ordinary days lie."""
    half = special.ndtr(special.stdtrit(freedom, 0.975))
    at = np.array([1 - half, half])
    if kind == "amount":
        return tuple(stats.gamma.ppf(at, mean**2 / variance, scale=variance / mean))
    if kind == "count":
        wide = np.maximum(variance, mean * (1 + 1e-6))
        return tuple(stats.nbinom.ppf(at, mean**2 / (wide - mean), mean / wide))
    p = np.clip(mean / np.maximum(out_of, 1), 1e-9, 1 - 1e-9)
    alike = np.maximum(variance / np.maximum(out_of * p * (1 - p), 1e-9), 1.0)
    n = np.maximum(np.rint(out_of / alike), 1)
    return tuple(stats.binom.ppf(at, n, p) / n * out_of)
