"""Supply: what customers will want, what is there and comes, what to buy when, and how sure that is."""

from .buying import plan, plot_plan, proposal
from .classes import aims, grid, plot_grid, policies
from .conclusions import (
    by_category,
    campaign_decisions,
    categories,
    decisions,
    forecasts,
    named,
    names,
    prestock_findings,
    stock_findings,
)
from .demand import Demand, daily, model, plot_ahead
from .orders import arriving, deliveries, punctuality
from .prestocking import available, by_product, horizon, plot_prestock, pressing, prestock
from .replay import plot_reached, reached, replay
from .safety import lead_times, levels, plot_levels
from .stock import alerts, lost_sales, plot_cover, plot_lost, prices, stock_outs, turnover

PRESTOCK_UNITS = dict.fromkeys(("expected", "available", "inbound", "short"), "count")
LEVEL_UNITS = {
    **dict.fromkeys(("lead_demand", "safety_stock", "safety_formula", "reorder_point", "order_quantity"), "count"),
    **dict.fromkeys(("service", "cycle_service", "fill_rate"), "share"),
    **{"daily": "ratio", "lead_days": "days", "lead_sd": "days", "deliveries": "count"},
}
SUPPLIER_UNITS = {
    **dict.fromkeys(("lead_days", "late_days", "before_days"), "days"), "deliveries": "count", "defect_rate": "share"
}  # fmt: skip
REPLAY_UNITS = {"cycles": "count", "aim": "share", "service": "share", "without_safety": "share"}
TURNOVER_UNITS = {
    "turns": "ratio", "days_of_stock": "days", "out_rate": "share", "stock_value": "currency", "product_days": "count"
}  # fmt: skip
ALERT_UNITS = {"available": "count", "inbound": "count", "reorder_point": "count", "cover_days": "days"}
LOST_UNITS = {"days": "days", "sold": "count", "lost_units": "count", "lost_sales": "currency"}
PLAN_UNITS = {
    **dict.fromkeys(("quantity", "gross", "available", "inbound", "safety_stock", "net_requirement"), "count"),
    **dict.fromkeys(("unit_cost", "order_amount"), "currency"),
}
"""Units of the columns of what `prestock`, `levels`, `punctuality`, `reached`, `turnover`, `alerts`, `lost_sales` and
`plan` return."""

__all__ = [
    "ALERT_UNITS",
    "LEVEL_UNITS",
    "LOST_UNITS",
    "PLAN_UNITS",
    "PRESTOCK_UNITS",
    "REPLAY_UNITS",
    "SUPPLIER_UNITS",
    "TURNOVER_UNITS",
    "Demand",
    "aims",
    "alerts",
    "arriving",
    "available",
    "by_category",
    "by_product",
    "campaign_decisions",
    "categories",
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
    "named",
    "names",
    "plan",
    "plot_ahead",
    "plot_cover",
    "plot_grid",
    "plot_levels",
    "plot_lost",
    "plot_plan",
    "plot_prestock",
    "plot_reached",
    "policies",
    "pressing",
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
