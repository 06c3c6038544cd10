"""Monitoring: what changed, does it matter, who looks into it, and how fast."""

from .board import BOARD, HEADLINE, interaction, narrowed, only, returns, stock
from .kpis import ESCALATION, GROUPS, KPIS, MEASURED, Kpi, columns, ladder, named
from .series import history, measured, one, since, steps, together, told
from .watch import episodes, judged, rush, special_days, states
from .words import decisions, findings, in_words, news, plot_alerts, plot_calendar, plot_one

__all__ = [
    "BOARD",
    "ESCALATION",
    "GROUPS",
    "HEADLINE",
    "KPIS",
    "MEASURED",
    "Kpi",
    "columns",
    "decisions",
    "episodes",
    "findings",
    "history",
    "in_words",
    "interaction",
    "judged",
    "ladder",
    "measured",
    "named",
    "narrowed",
    "news",
    "one",
    "only",
    "plot_alerts",
    "plot_calendar",
    "plot_one",
    "returns",
    "rush",
    "since",
    "special_days",
    "states",
    "steps",
    "stock",
    "together",
    "told",
]
