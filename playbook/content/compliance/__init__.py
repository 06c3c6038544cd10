"""Compliance: what in the shop's words may not be said, by law or by its own price table. Nothing is approved here."""

from .claims import Words, flags, words
from .conclusions import findings
from .prices import amounts, price_flags, two_offers
from .scan import by_kind, plot_by_kind, scan, verdicts

__all__ = [
    "Words",
    "amounts",
    "by_kind",
    "findings",
    "flags",
    "plot_by_kind",
    "price_flags",
    "scan",
    "two_offers",
    "verdicts",
    "words",
]
