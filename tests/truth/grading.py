"""The table of grades: how often intervals hold the truth, how wide they are, and what could be had at best."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

SURE = 0.999
"""A correct method passes each test at least this often."""


@dataclass(frozen=True)
class Grade:
    """One thing that a method estimated.

    `low` and `high` are its interval at `level`; `unit` is what widths and errors are measured in (the size of the
    truth when absent); `oracle` is the error or the width of the best possible answer, in the same unit.
    """

    method: str
    what: str
    truth: float
    estimate: float
    low: float = np.nan
    high: float = np.nan
    level: float = np.nan
    unit: float | None = None
    oracle: float = np.nan


@dataclass
class Grades:
    rows: list[Grade] = field(default_factory=list)

    def add(self, *grades: Grade) -> None:
        self.rows += grades


def covered(rows: list[Grade]) -> tuple[int, int]:
    """How many intervals hold the truth, and of how many."""
    return sum(g.low <= g.truth <= g.high for g in rows), len(rows)


def allowed(n: int, level: float) -> tuple[int, int]:
    """Fewest and most hits of `n` that a correct method shows with probability `SURE`."""
    tail = (1 - SURE) / 2
    return int(stats.binom.ppf(tail, n, level)), int(stats.binom.ppf(1 - tail, n, level))


def table(rows: list[Grade]) -> pd.DataFrame:
    """One row a method: n, mean truth and estimate, coverage with the bounds of a correct method, width, oracle."""
    out = []
    for method in dict.fromkeys(g.method for g in rows):
        mine = [g for g in rows if g.method == method]
        unit = np.array([abs(g.truth) if g.unit is None else g.unit for g in mine])
        error = np.array([g.estimate - g.truth for g in mine]) / unit
        line = {
            "method": method,
            "n": len(mine),
            "truth": np.mean([g.truth for g in mine]),
            "estimate": np.mean([g.estimate for g in mine]),
            "bias": np.mean(error),
            "median error": np.median(np.abs(error)),
        }
        if not np.isnan(mine[0].level):
            hits, n = covered(mine)
            fewest, most = allowed(n, mine[0].level)
            width = np.array([g.high - g.low for g in mine]) / unit
            line |= {
                "level": mine[0].level,
                "covered": f"{hits}/{n}",
                "coverage": hits / n,
                "correct": f"{fewest / n:.2f}–{most / n:.2f}",
                "median width": np.median(width),
            }
        line["oracle"] = np.nanmedian([g.oracle for g in mine]) if any(not np.isnan(g.oracle) for g in mine) else np.nan
        out.append(line)
    return pd.DataFrame(out).set_index("method").round(3).fillna("")
