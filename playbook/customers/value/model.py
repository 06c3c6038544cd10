"""How often customers come back and what they spend then: BG/NBD and gamma-gamma, fitted on counted cells.

Both likelihoods are closed forms, so four or three numbers are fitted by their gradient. Customers of one history count
as one row with a weight: millions of customers are some ten thousand rows. Time is in weeks throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import optimize, special

from ...language import _

Array = Any


@dataclass(frozen=True)
class _Fitted:
    """What a fit leaves: the covariance is that of the logs of the parameters, in the order of the fields."""

    covariance: np.ndarray
    loglik: float
    customers: float

    def _names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def draws(self, n: int, rng: np.random.Generator) -> list[Self]:
        """Models that the data leave possible: the parameters drawn from Laplace's approximation."""
        centre = np.log(list(self.parameters().values()))
        drawn = np.exp(rng.multivariate_normal(centre, self.covariance, size=n, method="eigh"))
        named: list[dict[str, Any]] = [dict(zip(self._names(), map(float, row), strict=True)) for row in drawn]
        return [replace(self, **values) for values in named]


@dataclass(frozen=True)
class PurchaseModel(_Fitted):
    """BG/NBD: customers buy at rates of their own, and may be gone after any purchase.

    Attributes
    ----------
    r, alpha : float
        Gamma law of the rates a week.
    a, b : float
        Beta law of the chance to be gone after a purchase.
    """

    r: float
    alpha: float
    a: float
    b: float

    def _names(self) -> tuple[str, ...]:
        return "r", "alpha", "a", "b"

    def alive(self, frequency: Array, recency: Array, T: Array) -> np.ndarray:
        """How likely is a customer of this history to buy again some day?"""
        x, tx, age = (np.asarray(v, dtype=float) for v in (frequency, recency, T))
        gone = math.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1)
        gone = gone + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + tx))
        return np.where(x > 0, special.expit(-gone), 1.0)

    def expected(self, weeks: float, frequency: Array, recency: Array, T: Array) -> np.ndarray:
        """How many purchases will a customer of this history make in the coming weeks?

        References
        ----------
        Fader, Hardie, Lee (2005), equation 10, with Euler's transformation of the hypergeometric function, which does
        not overflow for frequent buyers.
        """
        x, tx, age = (np.asarray(v, dtype=float) for v in (frequency, recency, T))
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6  # the form is 0/0 at 1
        z = weeks / (self.alpha + age + weeks)
        c = a + self.b + x - 1
        rest = (1 - z) ** (a - 1) * special.hyp2f1(c - self.r - x, a - 1, c, z)
        return c / (a - 1) * (1 - rest) * self.alive(x, tx, age)


@dataclass(frozen=True)
class SpendModel(_Fitted):
    """Gamma-gamma: what a purchase is worth, around a mean that each customer has of her own.

    Attributes
    ----------
    p, q, v : float
        A purchase is gamma (p) around the customer's mean; means follow an inverse gamma law (q, v).
    """

    p: float
    q: float
    v: float

    def _names(self) -> tuple[str, ...]:
        return "p", "q", "v"

    @property
    def mean(self) -> float:
        """The value of a purchase of a customer of whom nothing is known; NaN where the law has no mean."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else math.nan

    def expected_sum(self, frequency: Array, monetary_sum: Array, n: Array) -> np.ndarray:
        """Sum over `n` customers with `frequency` repeat purchases of the value expected of each one's next.

        `monetary_sum` is the sum of their means. The expectation is linear in a customer's mean, so sums are enough.
        """
        x = np.asarray(frequency, dtype=float)
        if self.p * float(np.min(x, initial=np.inf)) + self.q <= 1:
            return np.full(np.shape(x), math.nan)
        return (
            self.p * (self.v * np.asarray(n, float) + x * np.asarray(monetary_sum, float)) / (self.p * x + self.q - 1)
        )


def fit_purchases(cells: pd.DataFrame, *, prior_sd: float = math.inf) -> PurchaseModel:
    """How do customers come back?

    Parameters
    ----------
    cells : DataFrame
        frequency (repeat purchases), recency (weeks from the first to the last purchase), T (weeks since the first), n
        (customers of that history; 1 where absent).
    prior_sd : float
        Standard deviation of a normal law around 0 for the logs of the parameters, with time in units of the mean T;
        infinite: flat.

    Returns
    -------
    PurchaseModel
        At the maximum; its covariance by Laplace's approximation.

    Raises
    ------
    ValueError
        A history is none (recency above T, repeat purchases at no time), or nobody came back.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). “Counting your customers” the easy way: an alternative to the
    Pareto/NBD model. Marketing Science 24, 275–284.
    """
    x, tx, age = (cells[c].to_numpy(float) for c in ("frequency", "recency", "T"))
    n = _weights(cells)
    if ((tx > age) | (tx < 0) | (x < 0) | ((x == 0) & (tx > 0))).any() or not np.isfinite(age).all():
        raise ValueError(_("a history needs 0 ≤ recency ≤ T, and recency 0 where nobody came back"))
    if not (n * x).sum() > 0:
        raise ValueError(_("not enough data: needs customers who came back"))
    scale = float((n * age).sum() / n.sum()) or 1.0
    tx, age = tx / scale, age / scale

    def target(log: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = np.exp(log)
        la, lt = np.log(alpha + age), np.log(alpha + tx)
        stays = -(r + x) * la
        goes = np.where(x > 0, math.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * lt, -np.inf)
        both = np.logaddexp(stays, goes)
        w = np.exp(goes - both)
        g = special.gammaln
        ll = g(r + x) - g(r) + r * math.log(alpha) + g(a + b) + g(b + x) - g(b) - g(a + b + x) + both
        psi = special.digamma
        slope = np.array(
            [
                (n * (psi(r + x) - psi(r) + math.log(alpha) - (1 - w) * la - w * lt)).sum(),
                (n * (r / alpha - (r + x) * ((1 - w) / (alpha + age) + w / (alpha + tx)))).sum(),
                (n * (psi(a + b) - psi(a + b + x) + w / a)).sum(),
                (n * (psi(a + b) + psi(b + x) - psi(b) - psi(a + b + x) - w / (b + np.maximum(x, 1) - 1))).sum(),
            ]
        )
        return float((n * ll).sum()), slope * np.exp(log)

    log, covariance, loglik = _maximum(target, np.log([0.5, 1.0, 0.5, 2.0]), prior_sd)
    # The likelihood of recency and T in weeks: one density a purchase.
    loglik -= float((n * x).sum()) * math.log(scale)
    r, alpha, a, b = map(float, np.exp(log))
    return PurchaseModel(covariance, loglik, float(n.sum()), r, alpha * scale, a, b)


def fit_spend(cells: pd.DataFrame, *, prior_sd: float = math.inf) -> SpendModel:
    """What are purchases worth?

    Parameters
    ----------
    cells : DataFrame
        frequency, monetary_value (mean of the repeat purchases, above 0), n. Customers who did not come back, and means
        at or below 0 (all refunded), are left out.
    prior_sd : float
        As in `fit_purchases`, with money in units of the mean.

    Raises
    ------
    ValueError
        Nobody came back.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. (2013). The gamma-gamma model of monetary value. brucehardie.com/notes/025.
    """
    used = cells[(cells["frequency"] > 0) & (cells["monetary_value"] > 0)]
    x, m, n = used["frequency"].to_numpy(float), used["monetary_value"].to_numpy(float), _weights(used)
    if not n.sum() > 0:
        raise ValueError(_("not enough data: needs customers who came back"))
    scale = float((n * m).sum() / n.sum())
    m = m / scale

    def target(log: np.ndarray) -> tuple[float, np.ndarray]:
        p, q, v = np.exp(log)
        g, psi = special.gammaln, special.digamma
        ls = np.log(v + x * m)
        ll = g(p * x + q) - g(p * x) - g(q) + q * math.log(v) + (p * x - 1) * np.log(m) + p * x * np.log(x)
        ll = ll - (p * x + q) * ls
        slope = np.array(
            [
                (n * x * (psi(p * x + q) - psi(p * x) + np.log(x) + np.log(m) - ls)).sum(),
                (n * (psi(p * x + q) - psi(q) + math.log(v) - ls)).sum(),
                (n * (q / v - (p * x + q) / (v + x * m))).sum(),
            ]
        )
        return float((n * ll).sum()), slope * np.exp(log)

    log, covariance, loglik = _maximum(target, np.log([3.0, 3.0, 1.0]), prior_sd)
    loglik -= float(n.sum()) * math.log(scale)
    p, q, v = map(float, np.exp(log))
    return SpendModel(covariance, loglik, float(n.sum()), p, q, v * scale)


def _weights(cells: pd.DataFrame) -> np.ndarray:
    return cells["n"].to_numpy(float) if "n" in cells else np.ones(len(cells))


def _maximum(
    target: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray, prior_sd: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Where the posterior of the logs is highest, Laplace's covariance there, and the likelihood."""
    tight = 0.0 if math.isinf(prior_sd) else 1 / prior_sd**2

    def down(log: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = target(log)
        return 0.5 * tight * float(log @ log) - value, tight * log - slope

    found = optimize.minimize(down, start, jac=True, method="L-BFGS-B", bounds=[(-12, 12)] * len(start),
                              options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7})  # fmt: skip
    step = 1e-4
    bent = np.array(
        [(down(found.x + step * e)[1] - down(found.x - step * e)[1]) / (2 * step) for e in np.eye(len(start))]
    )
    # A direction that the data say nothing of would be infinitely wide: it is cut at e² either way.
    size, turn = np.linalg.eigh((bent + bent.T) / 2)
    covariance = turn @ np.diag(1 / np.maximum(size, 0.25)) @ turn.T
    return found.x, covariance, target(found.x)[0]
