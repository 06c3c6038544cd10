"""The funnel: where buyers get lost, since when, what it costs, and where a better step is worth most.

`steps` counts visitors from events, `platform_steps` from what platforms count; `breaks` finds the day on which a step
went bad and `loss` what that costs; `priorities` is the reverse optimisation; `abandonment` and `what_if` are about
carts.
"""

from .breaks import BREAK_SHOWN, BREAK_UNITS, LOSS_UNITS, breaks, daily, daily_traffic, loss
from .carts import CART_UNITS, abandonment, fee_below, order_values, what_if
from .conclusions import broken, findings, forecast, left_behind, next_stage, platform_findings, platform_of
from .platforms import platform_priorities, platform_steps
from .plots import (
    plot_abandonment,
    plot_break,
    plot_minutes,
    plot_parts,
    plot_platforms,
    plot_priorities,
    plot_steps,
)
from .stages import PLATFORM_STAGES, STAGE_SHOWN, STAGE_UNITS, STAGES, efforts, priorities
from .steps import SHOPPING, STEPS, TIMES, UNITS, compared, steps

__all__ = [
    "BREAK_SHOWN", "BREAK_UNITS", "CART_UNITS", "LOSS_UNITS", "PLATFORM_STAGES", "SHOPPING", "STAGES",
    "STAGE_SHOWN", "STAGE_UNITS", "STEPS", "TIMES", "UNITS", "abandonment", "breaks", "broken", "compared", "daily",
    "daily_traffic", "efforts", "fee_below", "findings", "forecast", "left_behind", "loss", "next_stage",
    "order_values", "platform_findings", "platform_of", "platform_priorities", "platform_steps", "plot_abandonment",
    "plot_break", "plot_minutes", "plot_parts", "plot_platforms", "plot_priorities", "plot_steps", "priorities",
    "steps", "what_if",
]  # fmt: skip
