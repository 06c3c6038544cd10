"""What a customer is worth: BG/NBD and gamma-gamma on counted histories, held against what came; cohort curves."""

from .cohorts import RETURN, acquisition, curve, plot_curve, plot_return, return_on_customers, trusted
from .conclusions import caps, of_channels, of_model, parameters
from .histories import afterwards, cells, histories, purchase_days, spend_cells
from .model import PurchaseModel, SpendModel, fit_purchases, fit_spend
from .outlook import EXISTING, existing_orders, forecast, plot_existing, this_period
from .prospects import UNITS, Prospects, margin_rate, plot_worth, prospects, worth
from .validation import DECILES, ERRORS, calibration, deciles, errors, holdout, holds, plot_calibration

__all__ = [
    "DECILES",
    "ERRORS",
    "EXISTING",
    "RETURN",
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
    "plot_existing",
    "plot_return",
    "plot_worth",
    "prospects",
    "purchase_days",
    "return_on_customers",
    "spend_cells",
    "this_period",
    "trusted",
    "worth",
]
