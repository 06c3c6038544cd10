"""Random draws that belong to things, not to the order of calls.

A draw is a hash of the seed, the name of what is drawn and the number of the thing that it is drawn for. So two worlds
that differ in one decision share every draw that the decision does not touch (common random numbers), and a part of
the population can be made apart from the others.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def _mixed(x: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser (Steele, Lea & Flood 2014): every bit of the input moves half of the output's."""
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class Draws:
    """The draws of one world.

    Every method takes the `name` of what is drawn and the numbers of the things that it is drawn for: one or two
    arrays of whole numbers (a person, or a person and the how-manieth occasion).
    """

    seed: int

    def bits(self, name: str, *of: np.ndarray | int) -> np.ndarray:
        """64 random bits for each thing."""
        state = np.uint64(zlib.crc32(name.encode())) << np.uint64(32) | np.uint64(self.seed & 0xFFFFFFFF)
        with np.errstate(over="ignore"):
            out = _mixed(np.atleast_1d(state) * _GOLDEN)
            for number in of:
                out = _mixed(out ^ _mixed((np.asarray(number).astype(np.uint64) + np.uint64(1)) * _GOLDEN))
        return out

    def uniform(self, name: str, *of: np.ndarray | int) -> np.ndarray:
        """Uniform on [0, 1), 53 bits each."""
        return (self.bits(name, *of) >> np.uint64(11)) * 2.0**-53

    def normal(self, name: str, *of: np.ndarray | int) -> np.ndarray:
        """Standard normal."""
        return ndtri(self.uniform(name, *of) + 2.0**-54)

    def exponential(self, name: str, *of: np.ndarray | int) -> np.ndarray:
        """Exponential with mean 1."""
        return -np.log1p(-self.uniform(name, *of))

    def integers(self, name: str, low: int, high: int, *of: np.ndarray | int) -> np.ndarray:
        """Whole numbers from `low` up to, not including, `high`."""
        return (low + (high - low) * self.uniform(name, *of)).astype(np.int64)

    def label(self, name: str, spec: str, *of: np.ndarray | int) -> np.ndarray:
        """Labels drawn from ``"label weight label weight …"``."""
        words = spec.split()
        labels, weights = np.array(words[::2], dtype=object), np.array(words[1::2], dtype=float)
        return labels[pick(self.uniform(name, *of), weights)]

    def generator(self, name: str) -> np.random.Generator:
        """A generator of its own, for what is drawn once for the whole world."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


def pick(u: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Positions drawn by weight: from one row of weights, or from each draw's own row of a matrix."""
    edges = np.cumsum(weights, axis=-1, dtype=float)
    if edges.ndim == 1:
        return np.searchsorted(edges, u * edges[-1], side="right")
    return (u[:, None] * edges[:, -1:] >= edges).sum(axis=1)
