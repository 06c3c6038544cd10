"""The formula of the media mix model, and the matrices that it is made of.

    sales = price, offers, competitors × (level × trend × season × festivals + Σ channels)

A channel adds ``size × saturation(adstock(spending))``: geometric adstock, normalised, and logistic saturation, as in
PyMC-Marketing (Jin et al. 2017). What makes people buy more readily, a lower price or an offer, does so for those whom
advertising brought too, so it multiplies both; festivals bring their own buyers and multiply the base alone.
Every unknown is a standard normal number here; `Priors` says what it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from patsy import dmatrix

from .weeks import Weeks

LAGS = 8
"""Weeks after which nothing of an advertisement is left."""
KNOT_WEEKS = 9
"""Weeks to a knot of the trend."""
YEAR = 365.25 / 7
TAILS = 7.0
"""Degrees of freedom of the noise (Student's t): a week that went wrong pulls on nothing else."""


@dataclass(frozen=True)
class Priors:
    """What is believed before the data speak: medians and spreads (of the log, unless said otherwise).

    Attributes
    ----------
    next_unit : (float, float)
        Sales that one more unit of money brings on a shop's channels. A belief on the next unit instead of all of them,
        the same for each channel, says that today's split is about right until the weeks show otherwise, so that luck
        moves no budget (Meridian's priors on marginal ROI; the same median, wider).
    alike : (float, float)
        How far (log) a channel's next unit lies from what the shop's channels have in common: learned from all of them.
    over_claim : (float, float)
        What the platforms claim over what the shop's channels brought, where they claim something: they see most of
        what they brought, and some of what would have been sold anyway.
    claims_alike : (float, float)
        How far (log) one platform's over-claiming lies from the others': far, as experiments show (Gordon et al. 2019).
    carry : (float, float)
        Part of the effect that is left a week later: median, and spread of its log odds; between the defaults of
        PyMC-Marketing (Beta(1, 3)) and of Meridian (anything).
    steep : (float, float)
        Saturation at the channel's usual spending is tanh(steep / 2): 46 % at the median, 25 % to 75 % in four of five.
    controls : float
        Spread of the effect (log of sales) of a control that moves by its own spread.
    festive : float
        Spread of the effect (log of sales) of a week that is festive throughout.
    season, level : float
        Spread of each wave of the year, and of the level.
    step, noise, festive_noise : (float, float)
        Of the trend from knot to knot; of a week's sales; of a festive week's, beside that.
    fixed : mapping or None
        Shapes that are known: channel → (carry, spending a week at which saturation is 46 %).
    """

    next_unit: tuple[float, float] = (1.0, 0.6)
    alike: tuple[float, float] = (0.2, 0.5)
    over_claim: tuple[float, float] = (1.5, 0.7)
    claims_alike: tuple[float, float] = (0.7, 0.5)
    carry: tuple[float, float] = (0.3, 1.3)
    steep: tuple[float, float] = (1.0, 0.5)
    controls: float = 0.3
    festive: float = 0.7
    season: float = 0.1
    level: float = 0.3
    step: tuple[float, float] = (0.05, 0.7)
    noise: tuple[float, float] = (0.07, 0.5)
    festive_noise: tuple[float, float] = (0.15, 0.7)
    fixed: dict[str, tuple[float, float]] | None = None


@dataclass(frozen=True)
class Design:
    """Weeks as matrices.

    Attributes
    ----------
    weeks : Weeks
    priors : Priors
    """

    weeks: Weeks
    priors: Priors = field(default_factory=Priors)

    @cached_property
    def channels(self) -> list[str]:
        return self.weeks.channels

    @cached_property
    def n(self) -> int:
        return len(self.weeks.sales)

    @cached_property
    def mean(self) -> float:
        """Sales of a mean week: the unit in which the model counts."""
        return float(self.weeks.sales.mean())

    @cached_property
    def sold(self) -> np.ndarray:
        """Log of sales in means."""
        return np.log(np.maximum(self.weeks.sales.to_numpy(), self.mean * 1e-3) / self.mean)

    @cached_property
    def spend(self) -> np.ndarray:
        return self.weeks.spend[self.channels].to_numpy(dtype=float)

    @cached_property
    def usual(self) -> np.ndarray:
        """A channel's mean spending in the weeks with spending: the unit in which the model counts it."""
        return self.spend.sum(axis=0) / np.maximum((self.spend > 0).sum(axis=0), 1)

    @cached_property
    def claimed(self) -> np.ndarray:
        """What the platforms claim for a unit of money, by channel; 0: nothing."""
        return self.weeks.claimed[self.channels].to_numpy(dtype=float).sum(axis=0) / self.spend.sum(axis=0)

    @cached_property
    def base(self) -> tuple[np.ndarray, int]:
        """What moves the base, a column each, and how many of them are the trend's."""
        t, p = np.arange(self.n), self.priors
        knots = max(4, round(self.n / KNOT_WEEKS))
        smooth = np.asarray(dmatrix(f"bs(t, df={knots}, degree=3, include_intercept=True) - 1", {"t": t}))
        walk = smooth @ np.tril(np.ones((knots, knots)))[:, 1:]
        walk = walk - walk.mean(axis=0)
        waves = [f(2 * np.pi * k * t / YEAR) for k in (1, 2) for f in (np.sin, np.cos)] if self.n > YEAR else []
        year = p.season * np.column_stack(waves) if waves else np.empty((self.n, 0))
        festive = p.festive * self.weeks.festive.to_numpy(dtype=float)
        return np.hstack([walk, np.full((self.n, 1), p.level), year, festive]), walk.shape[1]

    @cached_property
    def controls(self) -> np.ndarray:
        known = self.weeks.controls.to_numpy(dtype=float)
        return known * np.minimum(2.0, self.priors.controls / known.std(axis=0)) if known.size else known

    @cached_property
    def festive(self) -> np.ndarray:
        """Part of each week that is festive."""
        return self.weeks.festive.to_numpy(dtype=float).sum(axis=1)

    @cached_property
    def tests(self) -> list[dict[str, Any]]:
        """The lift tests of channels that are told apart, each with the rows of `lagged` that are its own."""
        out, at = [], self.n
        for row in self.weeks.lifts.to_dict("records"):
            if row["channel"] in self.channels:
                k = row["last"] + 1 - row["first"]
                out.append(row | {"i": self.channels.index(row["channel"]), "k": k, "at": at})
                at += 2 * k
        return out

    @cached_property
    def lagged(self) -> np.ndarray:
        """Spending in usual ones: channel × row × weeks ago; the weeks, then those of tests with and without."""
        parts, spend = [lagged(self.spend / self.usual)], self.spend / self.usual
        for test in self.tests:
            first, end, i = test["first"], test["last"] + 1, test["i"]
            on = spend.copy()
            on[first:end, i] /= 1 - test["held"]  # all that was spent went to the other regions
            off = on.copy()
            off[first:end, i] = 0.0
            parts += [lagged(on)[first:end], lagged(off)[first:end]]
        return np.ascontiguousarray(np.concatenate(parts).transpose(1, 0, 2))

    def terms(self, x: np.ndarray) -> dict[str, Any]:
        """The parts of the formula for one vector of unknowns."""
        p, (columns, trend), own = self.priors, self.base, self.base[0].shape[1]
        linear, media, shared, noise = self.split(x)
        step, spread, festive = (m * np.exp(s * n) for (m, s), n in zip(_noises(p), noise, strict=True))
        wide = linear[:own].copy()
        wide[:trend] *= step
        base = 0.75 * np.exp(columns @ wide)
        boost = np.exp(self.controls @ linear[own:])
        carry, steep = self.shapes(media)
        weight = kernel(carry)
        held = (self.lagged @ weight[:, :, None])[:, :, 0].T
        reached = np.tanh(held * steep / 2)
        # What the next unit brings is that of the whole time; the channel's size and return follow from it.
        alike = p.alike[0] * np.exp(p.alike[1] * shared[1])
        more = p.next_unit[0] * np.exp(p.next_unit[1] * shared[0] + alike * media[0])
        whole, slope = boost @ reached[: self.n], boost @ steeper(held[: self.n] * steep / 2, reached[: self.n])
        size = more * (self.spend.sum(axis=0) / self.mean) / slope
        roas = more * whole / slope
        added = reached * size
        clean = base + added[: self.n].sum(axis=1)
        festive = festive * self.festive
        return {
            "expected": np.log(boost * clean), "spread": np.sqrt(spread**2 + festive**2), "noise": (spread, festive),
            "base": base, "boost": boost, "added": added, "clean": clean, "reached": reached, "held": held,
            "weight": weight, "whole": whole, "slope": slope, "roas": roas, "alike": alike,
            "carry": carry, "steep": steep, "size": size,
        }  # fmt: skip

    def split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Unknowns by kind: linear effects; channels (next unit, carry-over, steepness); what these have in common
        (level and spread of the next unit, and of over-claiming); noises."""
        linear = self.base[0].shape[1] + self.controls.shape[1]
        return x[:linear], x[linear:-7].reshape(-1, len(self.channels)), x[-7:-3], x[-3:]

    @cached_property
    def size(self) -> int:
        """How many unknowns there are."""
        rows = 3 if self.priors.fixed is None else 1
        return self.base[0].shape[1] + self.controls.shape[1] + rows * len(self.channels) + 7

    def shapes(self, media: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Carry-over and steepness of each channel."""
        p = self.priors
        if p.fixed is not None:
            carry = np.array([p.fixed[c][0] for c in self.channels])
            return carry, self.usual / np.array([p.fixed[c][1] for c in self.channels])
        odds = np.log(p.carry[0] / (1 - p.carry[0])) + p.carry[1] * media[1]
        return 1 / (1 + np.exp(-odds)), p.steep[0] * np.exp(p.steep[1] * media[2])


def kernel(carry: np.ndarray) -> np.ndarray:
    """Part of the effect that falls on each of the weeks from the spending on: channel × weeks later, sums of 1."""
    weight = np.asarray(carry)[:, None] ** np.arange(LAGS)[None, :]
    return weight / weight.sum(axis=1, keepdims=True)


def steeper(u: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """By how much tanh(u) rises for a rise of u by its own part."""
    return u * (1 - reached**2)


def _noises(p: Priors) -> tuple[tuple[float, float], ...]:
    return p.step, p.noise, p.festive_noise


def lagged(x: np.ndarray) -> np.ndarray:
    """Row × column × how many rows earlier."""
    out = np.zeros((*x.shape, LAGS))
    for k in range(min(LAGS, len(x))):
        out[k:, :, k] = x[: len(x) - k]
    return out
