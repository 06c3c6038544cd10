"""Risks: the register and its matrix, triggers held against live data, and the legal checklist."""

from .checklist import checklist
from .register import KINDS, columns, findings, matrix, plot_matrix, register
from .triggers import METRICS, in_words, measured, parse, states

__all__ = [
    "KINDS",
    "METRICS",
    "checklist",
    "columns",
    "findings",
    "in_words",
    "matrix",
    "measured",
    "parse",
    "plot_matrix",
    "register",
    "states",
]
