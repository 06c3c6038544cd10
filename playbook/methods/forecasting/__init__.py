"""What will the next periods bring: several models, the one that a backtest chooses, intervals from its errors."""

from .choice import Forecaster, forecaster
from .following import Step, next_step
from .models import MODELS

__all__ = ["MODELS", "Forecaster", "Step", "forecaster", "next_step"]
