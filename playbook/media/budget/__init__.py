"""The budget: where the next unit of money goes, with a reserve, beside today's split of the same money."""

from .plan import LATELY_DAYS, Plan, Wish, money, months_after, plan, sheet, table, today
from .story import (
    BEFORE_AFTER,
    KEPT,
    SCENARIOS,
    beside,
    decisions,
    findings,
    forecasts,
    gain,
    plot_beside,
    scenarios,
)

__all__ = [
    "BEFORE_AFTER", "KEPT", "LATELY_DAYS", "SCENARIOS", "Plan", "Wish", "beside", "decisions", "findings", "forecasts",
    "gain", "money", "months_after", "plan", "plot_beside", "scenarios", "sheet", "table", "today",
]  # fmt: skip
