"""What the money spent on advertising brought back: returns on it, by channel and drilled into.

Sales are those that platforms credit to a channel, less the returns of *those* orders whenever they were booked. ROAS
is net sales over spending; ROI is what is left after all costs, over spending. Neither says what would have been sold
anyway.
"""

from .cube import DIMENSIONS, LEVELS, Cube, cube, spending
from .drill import drill
from .story import COSTS, DRILLED, UNITS, brief, costliest, findings, plot_return

__all__ = [
    "COSTS", "DIMENSIONS", "DRILLED", "LEVELS", "UNITS", "Cube", "brief", "costliest", "cube", "drill", "findings",
    "plot_return", "spending",
]  # fmt: skip
