"""What a metric is: a name, a formula over sums, a unit, a good direction, and words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import ibis

Unit = Literal["currency", "count", "share", "ratio", "per_order"]
Good = Literal["up", "down"]
Expression = Callable[[ibis.Table], ibis.Value]
Sums = Mapping[str, Any]


@dataclass(frozen=True)
class Sum:
    """A quantity that the engine adds up or counts, over one of the facts that can tell it.

    Attributes
    ----------
    name : str
        What it is.
    over : mapping of fact → expression
        In order of preference: the first fact that is there, has the `columns` and every breakdown asked for is used.
    columns : tuple of str
        Columns that the expression cannot do without.
    """

    name: str
    over: Mapping[str, Expression]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A key figure, defined once.

    Attributes
    ----------
    name : str
        Snake case, the field's standard name.
    title, chinese : str
        What people call it.
    unit : {"currency", "count", "share", "ratio", "per_order"}
        Shares are fractions.
    good : {"up", "down"} or None
        The direction that is good for the shop.
    formula : str
        In terms of other metrics.
    definition : str
        One sentence: what counts, and when.
    sums : tuple of Sum
        What is added up.
    value : callable
        From the sums (by name, Decimal or int) to the value; None when it is not defined, e.g. nothing to divide by.
    partial : mapping of str → str
        Sums that may be lacking, with the sentence that then stands beside the figure; they count as nothing.
    interval : callable, optional
        From the sums to (low, high), 95 %.
    n : str, optional
        The sum that counts the observations.
    """

    name: str
    title: str
    chinese: str
    unit: Unit
    good: Good | None
    formula: str
    definition: str
    sums: tuple[Sum, ...]
    value: Callable[[Sums], Any]
    partial: Mapping[str, str] = field(default_factory=dict)
    interval: Callable[[Sums], tuple[float, float]] | None = None
    n: str | None = None


def ratio(numerator: Any, denominator: Any) -> Any:
    """A quotient, or None where there is nothing to divide by."""
    return None if not denominator else Decimal(numerator) / Decimal(denominator)
