"""Monitoring: what changed, does it matter, who looks into it, and how fast."""

from .kpis import ESCALATION, GROUPS, KPIS, MEASURED, Kpi, columns, ladder, named
from .series import history, measured, one, steps, together, told
from .watch import episodes, judged, rush, special_days, states
