"""Explorers: a few controls, one pure function, one picture; for people at a screen, never part of a report."""

from .budget import budget
from .experiment import experiment
from .ledger import ledger

__all__ = ["budget", "experiment", "ledger"]
