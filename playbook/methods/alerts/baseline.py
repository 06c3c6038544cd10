"""What the weeks before a day lead to expect of it, and how likely less and more is than what came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special, stats

Kind = Literal["count", "share", "amount"]

HISTORY, ENOUGH = 84, 28  # usable days that a baseline looks back; days that it needs
REACH = 28  # days beyond what was learnt to which a trend is drawn on; from there on the level is thought to stay
YEAR = 365  # days that tell how far a level moves
ODD = 2.58  # residuals beyond this count for less (Noufaily et al.)
PRIOR = 0.5  # spread of the log that weekdays are held to
DRIFT = 0.1  # and how far a level moves in as many days as a history has, in logs


@dataclass(frozen=True)
class Baseline:
    """What the weeks before lead to expect: a quasi-likelihood regression on weekday and trend, in logs."""

    kind: Kind
    beta: np.ndarray
    covariance: np.ndarray
    origin: int
    dispersion: dict[int, float]
    freedom: dict[int, float]
    zeros: float
    last: int
    moves: float

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
        moves: float,
    ) -> Baseline:
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
            size = np.abs(_even(x, mu, out_of, kind)) / np.sqrt(phi * (1 - leverage))
            weight = (ODD / np.maximum(size, ODD)) ** 2
        spread, freedom = {1: phi}, {1: left}
        steady = np.clip(residual / np.sqrt(phi), -ODD, ODD)
        # Neighbouring days resemble each other, more than residuals show that a regression has been fitted to.
        memory = float(steady[1:] @ steady[:-1]) / max(float(steady @ steady), 1e-9) + used / len(x)
        memory = min(max(memory, 0.0), 0.9)
        # Nor do days that resemble each other tell as much of the level as as many others would.
        bread = bread * (1 + memory) / (1 - memory)
        for span in spans[1:]:
            lags = np.arange(1, span)
            spread[span] = phi * (1 + 2 * float(((1 - lags / span) * memory**lags).sum()))
            freedom[span] = max(left / 2, 3.0)
        none, last = float(np.mean(x == 0)), int(design[-1, -1])
        return cls(kind, beta, phi * bread, origin, spread, freedom, none, last, moves)

    def expected(self, design: np.ndarray, out_of: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Expected values of days, their rows of the regression, and how far ahead of what was learnt they lie."""
        ahead = float(design[:, -1].mean() - self.last)
        rows = design.copy()
        rows[:, -1] = np.minimum(rows[:, -1], self.last + REACH)
        rows = _centred(rows, self.origin)
        return np.exp(np.clip(rows @ self.beta + np.log(out_of), -30, 30)), rows, ahead

    def tails(
        self, x: float, expected: tuple[np.ndarray, np.ndarray, float], out_of: np.ndarray, span: int
    ) -> tuple[float, float]:
        """How likely as little, and as much, is over these days together."""
        mean, variance = self.moments(expected, out_of, span)
        below, above = _tails(self.kind, x, mean, variance, float(out_of.sum()))
        below = max(below, self.zeros) if x == 0 and self.kind == "amount" else below
        return self._heavier(below, span), self._heavier(above, span)

    def moments(
        self, expected: tuple[np.ndarray, np.ndarray, float], out_of: np.ndarray, span: int
    ) -> tuple[float, float]:
        """Mean and variance of the sum of days: of their own, of what is not known of the mean, of its moving on."""
        mu, rows, ahead = expected
        own = self.dispersion[span] * float(_variance(mu, out_of, self.kind).sum())
        slope = mu @ rows
        moved = self.moves**2 * max(ahead, 0.0) / HISTORY * float(mu.sum()) ** 2
        return float(mu.sum()), own + float(slope @ self.covariance @ slope) + moved

    def _heavier(self, p: float, span: int) -> float:
        """A tail's probability, knowing that the spread is itself estimated."""
        if p <= 0 or p >= 1:
            return min(max(p, 0.0), 1.0)
        return float(special.stdtr(self.freedom[span], special.ndtri(p)))


def moves(x: np.ndarray, out_of: np.ndarray, learnt: np.ndarray, kind: Kind, prior: float, guard: int) -> np.ndarray:
    """How far the level has moved within a history, in logs, as the year before each day tells.

    Weeks that are eight apart differ by more than neighbours do, by what the level moved in seven weeks: a variogram,
    drawn towards `prior` as far as weeks differ for other reasons.
    """
    some = 0.0 if kind == "amount" else 0.5
    week = [pd.Series(np.where(learnt, of, np.nan)).rolling(7, min_periods=5).mean() for of in (x + some / 7, out_of)]
    level = np.log((week[0] / week[1]).where(week[0] > 0))
    apart = [((level - level.shift(lag)) ** 2).rolling(YEAR, min_periods=2 * ENOUGH) for lag in (7, 56)]
    near, far = (of.median() / stats.chi2.ppf(0.5, 1) for of in apart)
    a_day, guess = (far - near).clip(lower=0) / 49, prior**2 / HISTORY
    error = (far + near) / 49 * np.sqrt(2.7 * 56 / apart[1].count())  # of medians of squares, of weeks that overlap
    trust = guess**2 / (guess**2 + error**2)
    found = np.sqrt((trust * a_day + (1 - trust) * guess) * HISTORY).shift(guard)
    return found.fillna(prior).to_numpy()


def design_of(days: pd.DatetimeIndex) -> np.ndarray:
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


def _even(x: np.ndarray, mu: np.ndarray, out_of: np.ndarray, kind: Kind) -> np.ndarray:
    """Residuals of which large ones are as rare on both sides (Anscombe): one of what is rare is nothing odd."""
    if kind == "amount":
        return (x - mu) / mu
    if kind == "share":
        few = mu < out_of / 2
        x, mu = np.where(few, x, out_of - x), np.maximum(np.where(few, mu, out_of - mu), 1e-9)
        return 1.5 * (x ** (2 / 3) - mu ** (2 / 3)) / (mu ** (1 / 6) * np.sqrt(1 - mu / out_of))
    return 1.5 * (x ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6)


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


def usual_range(
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
