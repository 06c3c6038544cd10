"""Retention: who stays, when people buy again, and what it would bring if more did."""

from ..purchases import purchases, rows_of_persons
from .cohorts import CURVE_UNITS, PROFIT_UNITS, cohorts, curve, margin, profit_if
from .conclusions import forecast, leaving, speak_to, stays
from .plots import plot_audiences, plot_cohorts, plot_curve, plot_flows, plot_hazard, plot_matrix, plot_trend
from .timing import DUE_UNITS, RATE_UNITS, hazard, reminders, repeat_rates, replenishment

__all__ = [
    "CURVE_UNITS", "DUE_UNITS", "PROFIT_UNITS", "RATE_UNITS", "cohorts", "curve", "forecast", "hazard", "leaving",
    "margin", "plot_audiences", "plot_cohorts", "plot_curve", "plot_flows", "plot_hazard", "plot_matrix", "plot_trend",
    "profit_if", "purchases", "reminders", "repeat_rates", "replenishment", "rows_of_persons", "speak_to", "stays",
]  # fmt: skip
