"""Experiments: how large and how long, who saw what, what it did, and whether one may look before the end.

`design` before; `assigned` and `analyse` after; `sequence` for who looks every day; `novelty` for
effects that wear off; `decision` and `findings` in words.
"""

from .analysis import Analysis, analyse, compare
from .arms import Assigned, assigned, sample_ratio
from .design import baseline, design, power_curve
from .metric import Metric, totals
from .novelty import novelty
from .sequence import confidence_sequence, sequence
from .words import decision, findings

__all__ = [
    "Analysis",
    "Assigned",
    "Metric",
    "analyse",
    "assigned",
    "baseline",
    "compare",
    "confidence_sequence",
    "decision",
    "design",
    "findings",
    "novelty",
    "power_curve",
    "sample_ratio",
    "sequence",
    "totals",
]
