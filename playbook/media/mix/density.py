"""How likely given unknowns are, and which way up: the log of the posterior density with its gradient.

Written out by hand, so that nothing has to be compiled: the same model in PyMC takes more than a minute to compile on a
new machine, and this one begins to sample at once. A test holds it against PyMC-Marketing's own functions.
"""

from __future__ import annotations

import numpy as np

from .design import LAGS, TAILS, Design, steeper


def log_density(design: Design, x: np.ndarray, seen: np.ndarray) -> tuple[float, np.ndarray]:
    """The log of the posterior density (up to a constant) and its gradient.

    Parameters
    ----------
    design : Design
    x : ndarray
        The unknowns, as `Design.split` takes them apart.
    seen : ndarray
        By week: 1, or 0 where the week is held out.
    """
    with np.errstate(all="ignore"):  # far out everything overflows; NUTS turns back
        return _density(design, x, seen)


def _density(design: Design, x: np.ndarray, seen: np.ndarray) -> tuple[float, np.ndarray]:
    n, p, (columns, trend) = design.n, design.priors, design.base
    t = design.terms(x)
    own = columns.shape[1]
    linear, media, shared, _noise = design.split(x)
    gradient = -x.copy()
    d_linear, d_media, d_shared, d_noise = design.split(gradient)
    away = (design.sold - t["expected"]) / t["spread"]
    tail = TAILS + away**2
    value = -0.5 * float(x @ x)
    value -= float((((TAILS + 1) / 2 * np.log1p(away**2 / TAILS) + np.log(t["spread"])) * seen).sum())
    d_expected = seen * (TAILS + 1) * away / tail / t["spread"]
    d_spread = seen * ((TAILS + 1) * away**2 / tail - 1) / t["spread"]
    d_clean = d_expected / t["clean"]
    d_boost = d_expected.copy()  # of the log of it
    added = t["added"]
    d_added = np.zeros_like(added)
    for test in design.tests:
        first, k, at, i = test["first"], test["k"], test["at"], test["i"]
        others = t["clean"][first : first + k] - added[first : first + k, i]
        with_it, without = others + added[at : at + k, i], others + added[at + k : at + 2 * k, i]
        miss = test["lift"] - float((np.log(without) - np.log(with_it)).mean())
        value -= 0.5 * (miss / test["error"]) ** 2
        pull = miss / test["error"] ** 2 / k
        d_with, d_without = -pull / with_it, pull / without
        d_clean[first : first + k] += d_with + d_without
        d_added[first : first + k, i] -= d_with + d_without
        d_added[at : at + k, i] += d_with
        d_added[at + k : at + 2 * k, i] += d_without
    d_added[:n] += d_clean[:, None]
    # what the base is made of
    d_wide = columns.T @ (d_clean * t["base"])
    step = p.step[0] * np.exp(p.step[1] * x[-3])
    d_noise[0] += p.step[1] * step * float(d_wide[:trend] @ linear[:trend])
    d_wide[:trend] *= step
    d_linear[:own] += d_wide
    # the noises
    spread, festive = t["noise"]
    d_noise[1] += p.noise[1] * float((d_spread / t["spread"]).sum()) * spread**2
    d_noise[2] += p.festive_noise[1] * float((d_spread / t["spread"] * festive**2).sum())
    # the channels
    d_return, claims, d_claims = _claims(design, t["roas"], shared)
    value += claims
    d_shared[2:] += d_claims
    d_more = (d_added * t["reached"]).sum(axis=0) * t["size"] + d_return  # of the log of it
    d_media[0] += t["alike"] * d_more
    d_shared[0] += p.next_unit[1] * d_more.sum()
    d_shared[1] += p.alike[1] * t["alike"] * float(d_more @ media[0])
    d_whole, d_slope = d_return / t["whole"], -d_more / t["slope"]
    reached = t["reached"][:n]
    u = t["held"][:n] * t["steep"] / 2
    d_reached = d_added * t["size"]
    d_reached[:n] += np.outer(t["boost"], d_whole)
    d_boost += t["boost"] * (reached @ d_whole + steeper(u, reached) @ d_slope)
    d_linear[own:] += design.controls.T @ d_boost
    if p.fixed is None:
        d_reached[:n] += np.outer(t["boost"], d_slope) * (1 - 2 * u * reached)
        d_held = d_reached * (1 - t["reached"] ** 2) * t["steep"] / 2
        d_media[2] += p.steep[1] * (d_held * t["held"]).sum(axis=0)
        d_weight = (d_held.T[:, None, :] @ design.lagged)[:, 0] * t["weight"]
        later = np.arange(LAGS)
        mean = t["weight"] @ later
        d_media[1] += p.carry[1] * (1 - t["carry"]) * (d_weight @ later - d_weight.sum(axis=1) * mean)
    return value, gradient


def _claims(design: Design, roas: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """What platforms claim says of returns: gradient by the log of these, value, gradient by what is common."""
    p, said = design.priors, design.claimed > 0
    spread = p.claims_alike[0] * np.exp(p.claims_alike[1] * shared[3])
    away = np.zeros(len(roas))
    usual = np.log(p.over_claim[0]) + p.over_claim[1] * shared[2]
    away[said] = (np.log(design.claimed[said] / roas[said]) - usual) / spread
    value = -0.5 * float(away @ away) - said.sum() * np.log(spread)
    d_spread = p.claims_alike[1] * (float(away @ away) - said.sum())
    return away / spread, float(value), np.array([p.over_claim[1] * away.sum() / spread, d_spread])
