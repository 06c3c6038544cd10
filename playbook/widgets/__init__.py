"""Explorers: a few controls, one pure function, one picture; for people at a screen, never part of a report."""

from .alerts import alerts
from .budget import budget
from .experiment import experiment
from .ledger import ledger
from .promotion import promotion

__all__ = ["alerts", "budget", "experiment", "ledger", "promotion"]
