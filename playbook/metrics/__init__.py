"""Metrics: each key figure once, with its formula, unit, good direction and names; `measure` takes them."""

from .measure import METRICS, measure
from .registry import Metric

__all__ = ["METRICS", "Metric", "measure"]
