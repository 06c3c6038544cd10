"""Supply: what customers will want, what is there and comes, what to buy when, and how sure that is."""

from .demand import Demand, daily, model
from .prestock import by_product, horizon, plot_prestock, prestock

__all__ = [
    "Demand",
    "by_product",
    "daily",
    "horizon",
    "model",
    "plot_prestock",
    "prestock",
]
