"""Crisis: early warning from what people say and send back, what to do then, and whether the team can."""

from .plan import drill_findings, drill_scores, drills, log_columns, plan, plan_columns, steps_for
from .warning import SIGNALS, evidence, findings, levels, own_brands, plot_levels, plot_signals, signals, warnings

__all__ = [
    "SIGNALS",
    "drill_findings",
    "drill_scores",
    "drills",
    "evidence",
    "findings",
    "levels",
    "log_columns",
    "own_brands",
    "plan",
    "plan_columns",
    "plot_levels",
    "plot_signals",
    "signals",
    "steps_for",
    "warnings",
]
