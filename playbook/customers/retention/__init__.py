"""Retention: who stays, when people buy again, and what it would bring if more did."""

from ..purchases import of_persons, purchases
from .cohorts import cohorts, curve, margin, profit_if
from .timing import hazard, reminders, repeat_rates, replenishment

__all__ = [
    "cohorts", "curve", "hazard", "margin", "of_persons", "profit_if", "purchases", "reminders", "repeat_rates",
    "replenishment",
]  # fmt: skip
