"""Channel tests: which new channel may stay, which one gets more, which one goes, and how to try one without much risk.

`daily` says what each channel cost and was credited with; `entry`, `scale` and `leave` apply the documents' three
rules to it, on ROAS; `design` plans a small test with its stop-loss.

The documents say “15 % (30 %) of the mean of the existing channels”. That can mean 1.15 times the mean (``above``, the
default) or 0.15 times the mean (``of``); both verdicts are shown.
"""

from .conclusions import decisions, findings, forecasts
from .credit import daily
from .cycles import NEWEST, Rules, cycles, newest, targets
from .design import PLAN, TIMELINE, design, order_worth, timeline
from .plots import plot_cycles, plot_lines, plot_timeline
from .verdicts import ENTRY, EXIT, LINES, SCALE, entry, leave, scale

__all__ = [
    "ENTRY", "EXIT", "LINES", "NEWEST", "PLAN", "SCALE", "TIMELINE", "Rules", "cycles", "daily", "decisions", "design",
    "entry", "findings", "forecasts", "leave", "newest", "order_worth", "plot_cycles", "plot_lines", "plot_timeline",
    "scale", "targets", "timeline",
]  # fmt: skip
