"""What promotions earned: what they added, what they gave away for it, and what was only bought earlier.

What would have been sold without a promotion is told by the parts of the shop that it left alone, which moved alike
before (`playbook.methods.impact`). Where it left nothing alone, nobody can tell, and the table says so.
"""

from .promotions import REASONS, STEPS, UNITS, brief, least_earned, promotion_profit, spillover, waterfall
from .sold import COUPONS, Sold, redemption, sold
from .story import decisions, findings, plot_profit, plot_spillover, plot_waterfall

__all__ = [
    "COUPONS",
    "REASONS",
    "STEPS",
    "UNITS",
    "Sold",
    "brief",
    "decisions",
    "findings",
    "least_earned",
    "plot_profit",
    "plot_spillover",
    "plot_waterfall",
    "promotion_profit",
    "redemption",
    "sold",
    "spillover",
    "waterfall",
]
