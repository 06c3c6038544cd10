"""Pacing: campaigns on their way, beside their plan, and where they will end: participants, orders and sales."""

from .ends import UNITS, findings, forecasts, in_words, plot_pace, projected, states
from .plan import METRICS, columns, pace, running, span

__all__ = [
    "METRICS",
    "UNITS",
    "columns",
    "findings",
    "forecasts",
    "in_words",
    "pace",
    "plot_pace",
    "projected",
    "running",
    "span",
    "states",
]
