"""Experiments on the site: what they did, whether it lasts, and what to test next.

`run` analyses all that a shop has tried; nothing is concluded from an experiment whose split is broken, and a win that
is gone after the first days is no win. `candidates`, `design` and `five_steps` plan the next one.
"""

from .conclusions import LOG, decisions, findings, log, next_finding
from .next_test import CANDIDATES, DESIGN, candidates, chances, design, five_steps, soonest, today
from .plots import plot_effects, plot_lasting, plot_power
from .results import ARMS, EFFECTS, LASTING, Experiment, arms, effects, lasting, run

__all__ = [
    "ARMS", "CANDIDATES", "DESIGN", "EFFECTS", "LASTING", "LOG", "Experiment", "arms", "candidates", "chances",
    "decisions", "design", "effects", "findings", "five_steps", "lasting", "log", "next_finding", "plot_effects",
    "plot_lasting", "plot_power", "run", "soonest", "today",
]  # fmt: skip
