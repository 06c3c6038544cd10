"""Win-back: why people left, by which rule each might be won back, what it may cost, and what it has brought so far."""

from .history import history
from .plan import assigned, conclusions, plan
from .reasons import PLAYS, RULES, moment, reasons

__all__ = ["PLAYS", "RULES", "assigned", "conclusions", "history", "moment", "plan", "reasons"]
