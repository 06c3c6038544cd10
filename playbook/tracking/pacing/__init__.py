"""Pacing: campaigns on their way, beside their plan, and where they will end: participants, orders and sales."""

from .ends import UNITS, findings, forecasts, in_words, plot_pace, projected, states
from .plan import METRICS, columns, over, pace, running, span
from .spread import GUESS, Spread, spreads

__all__ = [
    "GUESS",
    "METRICS",
    "UNITS",
    "Spread",
    "columns",
    "findings",
    "forecasts",
    "in_words",
    "over",
    "pace",
    "plot_pace",
    "projected",
    "running",
    "span",
    "spreads",
    "states",
]
