"""Attribution: which channel earned the orders, by each rule, and how far the rules part."""

from .paths import touches, touches_of_paths
from .rules import MEANINGS, RULES, credits, removal_effects
from .story import EXPERIMENT, UNITS, disagreement, findings, held_back, plot_disagreement, side_by_side

__all__ = [
    "EXPERIMENT",
    "MEANINGS",
    "RULES",
    "UNITS",
    "credits",
    "disagreement",
    "findings",
    "held_back",
    "plot_disagreement",
    "removal_effects",
    "side_by_side",
    "touches",
    "touches_of_paths",
]
