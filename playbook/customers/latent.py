"""Latent classes: a law of what people of each kind are like, fitted to counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats
from sklearn.cluster import KMeans


@dataclass(frozen=True)
class Mixture:
    """Kinds of people: how frequent each is, and how likely each level of each trait is under it.

    Attributes
    ----------
    shares : ndarray, kinds
    chances : ndarray, kinds × levels
        Add up to 1 within each trait.
    likelihood : float
        Log-likelihood of what it was fitted on.
    """

    shares: np.ndarray
    chances: np.ndarray
    likelihood: float

    @property
    def k(self) -> int:
        return len(self.shares)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Persons × kinds: the logarithm of how likely the person is under each kind."""
        return x @ np.log(self.chances).T + np.log(self.shares)

    def chance(self, x: np.ndarray) -> np.ndarray:
        """Persons × kinds: how probably a person is of each kind."""
        found = self.scores(x)
        grown = np.exp(found - found.max(axis=1, keepdims=True))
        return grown / grown.sum(axis=1, keepdims=True)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The likeliest kind of each person, by position."""
        return self.scores(x).argmax(axis=1)


def fitted(x: np.ndarray, groups: np.ndarray, k: int, *, rng: np.random.Generator, starts: int = 2) -> Mixture:
    """Which `k` kinds make what is known of the persons likeliest?

    A latent class model: within a kind the traits are independent, counts are multinomial. Fitted by EM from k-means on
    square roots of shares; chances are drawn a little towards those of everybody, so none is 0.

    Parameters
    ----------
    x : ndarray, persons × levels
        Counts.
    groups : ndarray
        For each level the position of its trait.

    References
    ----------
    Lazarsfeld, P. F. & Henry, N. W. (1968). Latent Structure Analysis. Vermunt, J. K. & Magidson, J. (2002). Latent
    class cluster analysis. In: Applied Latent Class Analysis, Cambridge. Dempster, Laird & Rubin (1977), JRSS B 39.
    """
    inside = np.eye(groups.max() + 1)[groups]
    every = x.sum(axis=0) + 1e-6
    prior = every / ((every @ inside) @ inside.T)
    shape = np.sqrt(x / np.maximum((x @ inside) @ inside.T, 1e-9))
    best: Mixture | None = None
    for _start in range(starts if k > 1 else 1):
        belongs = np.ones((len(x), 1))
        if k > 1:
            first = KMeans(k, n_init=1, max_iter=20, random_state=int(rng.integers(2**31))).fit_predict(shape)
            belongs = np.eye(k)[first] * 0.8 + 0.2 / k
        found = _improved(x, inside, prior, belongs)
        if best is None or found.likelihood > best.likelihood:
            best = found
    assert best is not None
    order = np.argsort(-best.shares, kind="stable")
    return Mixture(best.shares[order], best.chances[order], best.likelihood)


def _improved(x: np.ndarray, inside: np.ndarray, prior: np.ndarray, belongs: np.ndarray, steps: int = 150) -> Mixture:
    before = -np.inf
    for _step in range(steps):
        shares = np.maximum(belongs.mean(axis=0), 1e-9)
        counted = belongs.T @ x + prior
        chances = counted / ((counted @ inside) @ inside.T)
        scores = x @ np.log(chances).T + np.log(shares)
        top = scores.max(axis=1)
        grown = np.exp(scores - top[:, None])
        total = grown.sum(axis=1)
        belongs, now = grown / total[:, None], float((top + np.log(total)).sum())
        if now - before < 1e-7 * abs(now):
            break
        before = now
    return Mixture(shares / shares.sum(), chances, now)


def gradation(x: np.ndarray, groups: np.ndarray, *, nodes: int = 11) -> tuple[float, int]:
    """How likely is what is known of the persons, if they differ by degrees along one line and are of no kinds?

    People stand on a line as a normal law has it, and the logarithm of each chance is linear in the place. What kinds
    cannot beat is no kinds: customers who buy more and more of everything can always be cut in two.

    Returns
    -------
    likelihood : float
        The largest log-likelihood.
    free : int
        Parameters.

    References
    ----------
    Bock, R. D. (1972). Estimating item parameters and latent ability when responses are scored in two or more nominal
    categories. Psychometrika 37, 29–51.
    """
    inside = np.eye(groups.max() + 1)[groups]
    place = np.linspace(-3, 3, nodes)
    weight = stats.norm.pdf(place) / stats.norm.pdf(place).sum()
    levels = x.shape[1]
    every = x.sum(axis=0) + 0.5
    start = np.log(every / ((every @ inside) @ inside.T))
    centred = np.sqrt(x) - np.sqrt(x).mean(axis=0)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = parameters[:levels], parameters[levels:]
        grown = np.exp(np.clip(a + place[:, None] * b, -30, 30))
        chances = grown / ((grown @ inside) @ inside.T)
        scores = x @ np.log(chances).T + np.log(weight)
        top = scores.max(axis=1, keepdims=True)
        belongs = np.exp(scores - top)
        total = belongs.sum(axis=1, keepdims=True)
        counted = (belongs / total).T @ x
        slope = counted - ((counted @ inside) @ inside.T) * chances
        pull = 1e-3 * parameters[levels:]  # a level that nobody has would run away
        gradient = -np.r_[slope.sum(axis=0), place @ slope - pull]
        return -float((top + np.log(total)).sum()) + 0.5e-3 * float(b @ b), gradient

    best = min(
        (optimize.minimize(cost, np.r_[start, side * first], jac=True, method="L-BFGS-B", options={"maxiter": 150})
         for side in (0.5, 2.0)), key=lambda found: found.fun,
    )  # fmt: skip
    return -float(best.fun), 2 * (levels - int(groups.max()) - 1)
