"""An effect with its interval, and the comparison that identifies it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from ...language import _


@dataclass(frozen=True)
class Impact:
    """What a measure changed.

    Attributes
    ----------
    effect, low, high : float
        Relative: 0.25 is a quarter more than without. NaN where not estimable.
    extra, extra_low, extra_high : float
        In the unit of the series, summed over the window.
    level : float
        Of the intervals.
    comparison : str
        A sentence: what stands for the world without the measure.
    note : str
        A sentence: why there is no number, or what weakens it. Empty where nothing.
    path : DataFrame
        What the sums are made of; see the function that made it.
    p_value : float
        Part of the placebos at least as large (or of Student's t); NaN where there are none.
    """

    effect: float
    low: float
    high: float
    extra: float
    extra_low: float
    extra_high: float
    level: float
    comparison: str
    note: str
    path: pd.DataFrame
    p_value: float = math.nan

    @classmethod
    def of_log(
        cls, log: float, half: float, *, total: float, level: float, comparison: str, path: pd.DataFrame,
        note: str = "", p_value: float = math.nan,
    ) -> Impact:  # fmt: skip
        """From the log of the factor by which `total` is more than without, and half the width of its interval."""
        low, high = log - half, log + half
        return cls(
            effect=math.expm1(log), low=math.expm1(low), high=math.expm1(high), extra=-total * math.expm1(-log),
            extra_low=-total * math.expm1(-low), extra_high=-total * math.expm1(-high), level=level,
            comparison=comparison, note=note, path=path, p_value=p_value,
        )  # fmt: skip

    def sentence(self) -> str:
        """The effect in words, or what is needed to know it."""
        if math.isnan(self.effect):
            return self.note
        values = {"effect": self.effect, "low": self.low, "high": self.high, "level": self.level}
        if self.low > 0:
            said = _("It added {effect:.0%} ({level:.0%} interval {low:.0%} to {high:.0%}).").format(**values)
        elif self.high < 0:
            values |= {"effect": -self.effect, "low": -self.high, "high": -self.low}
            said = _("It took away {effect:.0%} ({level:.0%} interval {low:.0%} to {high:.0%}).").format(**values)
        else:
            said = _(
                "No effect can be told from chance: {effect:+.0%} ({level:.0%} interval {low:+.0%} to {high:+.0%})."
            ).format(**values)
        return " ".join(part for part in (said, self.comparison, self.note) if part)


def nothing(note: str, comparison: str, level: float) -> Impact:
    """Not estimable, and why."""
    nan = math.nan
    return Impact(nan, nan, nan, nan, nan, nan, level, comparison, note, pd.DataFrame())
