"""The shop's memory: what its reports forecast and decided, and what came of it."""

from .ledger import Ledger

__all__ = ["Ledger"]
