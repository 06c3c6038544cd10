"""Compliance: what in the shop's words may not be said, by law or by its own price table. Nothing is approved here."""

from .claims import Words, flags, own_columns, words
from .conclusions import findings, price_findings
from .prices import amounts, price_flags, two_offers, two_prices
from .scan import by_kind, in_context, plot_by_kind, scan, verdicts

__all__ = [
    "Words",
    "amounts",
    "by_kind",
    "findings",
    "flags",
    "in_context",
    "own_columns",
    "plot_by_kind",
    "price_findings",
    "price_flags",
    "scan",
    "two_offers",
    "two_prices",
    "verdicts",
    "words",
]
