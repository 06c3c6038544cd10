"""Supply: what customers will want, what is there and comes, what to buy when, and how sure that is."""

from .buying import plan, plot_plan, proposal
from .classes import grid, plot_grid, policies
from .conclusions import by_category, decisions, forecasts, prestock_findings, stock_findings
from .demand import Demand, daily, model
from .orders import arriving, deliveries, punctuality
from .prestocking import available, by_product, horizon, plot_prestock, prestock
from .replay import plot_reached, reached, replay
from .safety import lead_times, levels, plot_levels
from .stock import alerts, lost_sales, plot_cover, plot_lost, prices, stock_outs, turnover

__all__ = [
    "Demand",
    "alerts",
    "arriving",
    "available",
    "by_category",
    "by_product",
    "daily",
    "decisions",
    "deliveries",
    "forecasts",
    "grid",
    "horizon",
    "lead_times",
    "levels",
    "lost_sales",
    "model",
    "plan",
    "plot_cover",
    "plot_grid",
    "plot_levels",
    "plot_lost",
    "plot_plan",
    "plot_prestock",
    "plot_reached",
    "policies",
    "prestock",
    "prestock_findings",
    "prices",
    "proposal",
    "punctuality",
    "reached",
    "replay",
    "stock_findings",
    "stock_outs",
    "turnover",
]
