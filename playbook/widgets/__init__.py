"""Explorers: a few controls, one pure function, one picture; for people at a screen, never part of a report."""

from .experiment import experiment
from .ledger import ledger
from .promotion import promotion

__all__ = ["experiment", "ledger", "promotion"]
