"""What a shop lacks for a metric, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence

from ..missing import Missing
from ..shop import Shop
from .measure import METRICS, _Facts


def lacking(shop: Shop, metric: str, by: Sequence[str] = ()) -> tuple[list[Missing], bool]:
    """What does a shop lack for a metric, and is the metric lost without it?

    Parameters
    ----------
    shop : Shop
    metric : str
        Name out of `METRICS`.
    by : sequence of str, optional
        Breakdowns, as `measure` takes them.

    Returns
    -------
    absences : list of Missing
        One for each sum that no fact can tell; empty where nothing is lacking.
    partial : bool
        The metric can be measured all the same, and its page says what is not in it.
    """
    facts = _Facts(shop, [by] if isinstance(by, str) else list(by))
    m = METRICS[metric]
    gone = {s.name: why for s in m.sums if isinstance(why := facts.holding(s), Missing)}
    return list(gone.values()), set(gone) <= set(m.partial)
