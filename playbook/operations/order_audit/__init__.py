"""Order audit: signs of fake and malicious orders, cases for a person to look at, figures with and without them."""

from .cases import UNITS, audit, by_week, cases, effect, faked, findings, plot_by_week, review, window
from .rules import RULES, points

__all__ = [
    "RULES",
    "UNITS",
    "audit",
    "by_week",
    "cases",
    "effect",
    "faked",
    "findings",
    "plot_by_week",
    "points",
    "review",
    "window",
]
