"""What a customer is worth: BG/NBD and gamma-gamma on counted histories, held against what came; cohort curves."""

from .cohorts import acquisition, curve, plot_curve, plot_return, return_on_customers
from .conclusions import caps, of_channels, of_model, parameters
from .histories import afterwards, cells, histories, purchase_days, spend_cells
from .model import PurchaseModel, SpendModel, fit_purchases, fit_spend
from .outlook import existing_orders, forecast
from .prospects import UNITS, Prospects, margin_rate, plot_worth, prospects, worth
from .validation import calibration, deciles, errors, holdout, holds, plot_calibration

__all__ = [
    "UNITS",
    "Prospects",
    "PurchaseModel",
    "SpendModel",
    "acquisition",
    "afterwards",
    "calibration",
    "caps",
    "cells",
    "curve",
    "deciles",
    "errors",
    "existing_orders",
    "fit_purchases",
    "fit_spend",
    "forecast",
    "histories",
    "holdout",
    "holds",
    "margin_rate",
    "of_channels",
    "of_model",
    "parameters",
    "plot_calibration",
    "plot_curve",
    "plot_return",
    "plot_worth",
    "prospects",
    "purchase_days",
    "return_on_customers",
    "spend_cells",
    "worth",
]
