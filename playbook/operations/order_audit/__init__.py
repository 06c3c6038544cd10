"""Order audit: signs of fake and malicious orders, cases for a person to look at, figures with and without them."""

from .cases import UNITS, audit, by_week, cases, effect, faked, findings, plot_by_week, window
from .rules import RULES, points
from .verdicts import KEY, PRECISION_UNITS, columns, precision, precision_findings, review

__all__ = [
    "KEY",
    "PRECISION_UNITS",
    "RULES",
    "UNITS",
    "audit",
    "by_week",
    "cases",
    "columns",
    "effect",
    "faked",
    "findings",
    "plot_by_week",
    "points",
    "precision",
    "precision_findings",
    "review",
    "window",
]
