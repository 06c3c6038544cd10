"""Order audit: signs of fake and malicious orders, cases for a person to look at, figures with and without them."""

from .cases import audit, by_week, cases, effect, findings, plot_by_week
from .rules import RULES, points

__all__ = ["RULES", "audit", "by_week", "cases", "effect", "findings", "plot_by_week", "points"]
