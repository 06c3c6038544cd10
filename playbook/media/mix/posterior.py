"""What may be true of the channels: draws of the media mix model, and what follows from each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .design import TAILS, Design, kernel, lagged

WEEKS_OF_RATES = 52
"""Last weeks whose mean price and offers are taken for those to come."""

WEEKS_OF_RHYTHM = 13
"""Last weeks whose flights and pauses go on: the quarter whose spending is taken for today's. Those of other times
would saturate what is spent now too early or too late."""

LEVELS = 6
"""Equal parts of the weeks, from the lowest advertising to the highest."""


@dataclass(frozen=True)
class Curves:
    """How sales of a week follow from the mean spending of a week, in draws that may all be true.

    Attributes
    ----------
    channels : tuple of str
    size : ndarray, draw × channel
        Sales of a week at full saturation, money.
    half : ndarray, draw × channel
        Spending of a week at which saturation is tanh(1/2), 46 %.
    rhythm : ndarray, level × channel, optional
        How much higher or lower than its mean a channel's advertising is in equal parts of the time: flights and pauses
        saturate sooner than a steady spending. Without it spending is steady.
    """

    channels: tuple[str, ...]
    size: np.ndarray
    half: np.ndarray
    rhythm: np.ndarray | None = None

    def sales(self, spend: np.ndarray) -> np.ndarray:
        """Sales of a week that spending (channel, or … × channel) brings: draw × … × channel."""
        size, _half, levels = self._reached(spend)
        return size * sum(np.tanh(at) for _share, at in levels) / len(levels)

    def marginal(self, spend: np.ndarray) -> np.ndarray:
        """Sales that one more unit of money brings: draw × … × channel."""
        size, half, levels = self._reached(spend)
        return size / (2 * half) * sum(share * (1 - np.tanh(at) ** 2) for share, at in levels) / len(levels)

    def only(self, channels: list[str]) -> Curves:
        """Those of some channels, in their order."""
        at = [self.channels.index(c) for c in channels]
        rhythm = None if self.rhythm is None else self.rhythm[:, at]
        return Curves(tuple(channels), self.size[:, at], self.half[:, at], rhythm)

    def thinned(self, draws: int) -> Curves:
        """Every so many of the draws."""
        some = slice(None, None, max(1, len(self.size) // draws))
        return Curves(self.channels, self.size[some], self.half[some], self.rhythm)

    def _reached(self, spend: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        spend = np.asarray(spend, dtype=float)
        more = (slice(None), *([None] * (spend.ndim - 1)))
        half = self.half[more]
        rhythm = np.ones((1, len(self.channels))) if self.rhythm is None else self.rhythm
        return self.size[more], half, [(r, r * spend / (2 * half)) for r in rhythm]


def rhythm(spend: np.ndarray, carry: np.ndarray, last: int) -> np.ndarray:
    """How advertising, what is carried over included, goes up and down about its mean over the last weeks.

    Parameters
    ----------
    spend : ndarray
        Week × channel, money.
    carry : ndarray
        By channel: what is left a week later.
    last : int
        Weeks.

    Returns
    -------
    ndarray
        Level × channel, means of 1: equal parts of the weeks, from the lowest on.
    """
    held = np.einsum("tcl,cl->tc", lagged(spend), kernel(carry))[-last:]
    parts = np.array([part.mean(axis=0) for part in np.array_split(np.sort(held, axis=0), LEVELS)])
    mean = parts.mean(axis=0)
    return np.where(mean > 0, parts / np.where(mean > 0, mean, 1.0), 1.0)


@dataclass(frozen=True)
class Posterior:
    """Draws of the model.

    Attributes
    ----------
    design : Design
    drawn : ndarray
        Chain × draw × unknown.
    ahead : ndarray
        The same of a fit that did not see the last `held_out` weeks; empty: none was made.
    diverging : int
        Draws at which the sampler lost its way.
    held_out : int
    """

    design: Design
    drawn: np.ndarray
    ahead: np.ndarray
    diverging: int
    held_out: int

    @property
    def channels(self) -> list[str]:
        return self.design.channels

    @cached_property
    def terms(self) -> dict[str, np.ndarray]:
        """The parts of the formula, draw by draw: expected, spread, base, boost (draw × week), added (draw × week ×
        channel, in money), roas, carry, steep, size (draw × channel)."""
        names = ("expected", "spread", "base", "boost", "roas", "carry", "steep", "size")
        out: dict[str, list[np.ndarray]] = {name: [] for name in (*names, "added")}
        for x in self.drawn.reshape(-1, self.design.size):
            t = self.design.terms(x)
            for name in names:
                out[name].append(t[name])
            out["added"].append(t["added"][: self.design.n] * t["boost"][:, None] * self.design.mean)
        return {name: np.array(rows) for name, rows in out.items()}

    @cached_property
    def curves(self) -> Curves:
        """How sales of a week follow from spending: prices and offers of the last year, rhythm of the last quarter."""
        t = self.terms
        boost = t["boost"][:, -WEEKS_OF_RATES:].mean(axis=1)
        size = t["size"] * boost[:, None] * self.design.mean
        flights = rhythm(self.design.spend, np.median(t["carry"], axis=0), WEEKS_OF_RHYTHM)
        return Curves(tuple(self.channels), size, self.design.usual / t["steep"], flights)

    @cached_property
    def half_lives(self) -> np.ndarray:
        """Days after which half of an advertisement's effect is over: draw × channel."""
        return 7 * np.log(0.5) / np.log(self.terms["carry"])

    def summary(self) -> dict[str, np.ndarray]:
        """Of each channel (unknown × channel): potential scale reduction (rhat) and effective draws (ess)."""
        from arviz_stats.base import array_stats

        media = self.design.split(np.moveaxis(self.drawn, -1, 0))[1]
        # split() keeps the trailing axes: unknown × channel × chain × draw
        media = np.moveaxis(media.reshape(-1, len(self.channels), *self.drawn.shape[:2]), (2, 3), (0, 1))
        rhat = np.asarray(array_stats.rhat(media, chain_axis=0, draw_axis=1))
        return {"rhat": rhat, "ess": np.asarray(array_stats.ess(media, chain_axis=0, draw_axis=1))}

    def replicated(self, rng: np.random.Generator, *, ahead: bool = False) -> np.ndarray:
        """Sales of each week as the model would have them, noise included: draw × week; of the first fit if `ahead`."""
        drawn = (self.ahead if ahead else self.drawn).reshape(-1, self.design.size)
        out = np.empty((len(drawn), self.design.n))
        for i, x in enumerate(drawn):
            t = self.design.terms(x)
            out[i] = t["expected"] + t["spread"] * rng.standard_t(TAILS, self.design.n)
        return np.exp(out) * self.design.mean
