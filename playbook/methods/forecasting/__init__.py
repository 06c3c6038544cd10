"""What will the next periods bring: several models, the one that a backtest chooses, intervals from its errors."""

from .choice import Forecaster, forecaster
from .models import MODELS

__all__ = ["MODELS", "Forecaster", "forecaster"]
