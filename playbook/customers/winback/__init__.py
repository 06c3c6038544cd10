"""Win-back: why people left, by which rule each might be won back, what it may cost, and what it has brought so far."""

from .history import history
from .plan import MESSAGE_UNITS, NUMBERS, UNITS, WAYS, assigned, conclusions, plan
from .reasons import PLAYS, RULES, counts, moment, reasons

__all__ = [
    "MESSAGE_UNITS",
    "NUMBERS",
    "PLAYS",
    "RULES",
    "UNITS",
    "WAYS",
    "assigned",
    "conclusions",
    "counts",
    "history",
    "moment",
    "plan",
    "reasons",
]
