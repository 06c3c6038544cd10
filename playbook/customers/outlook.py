"""Outlook: how many customers will be in each stage of their life at the end of the next period."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ..language import _
from ..missing import answers
from .lifecycle import LEVEL, STAGES


@answers("How many customers will be in each stage next?")
def forecast(counts: pd.DataFrame, transitions: pd.DataFrame, *, last: int = 12, least: int = 6) -> pd.DataFrame:
    """How many customers will be in each stage at the end of the next period?

    Who is in a stage moves on at the rates of the last periods, and as many come in as did on average. The interval is
    that of the errors which the same rule made on earlier periods.

    Parameters
    ----------
    counts, transitions : DataFrame
        From `counts` and `transitions`.
    last : int
        Periods that rates are taken from.
    least : int
        Fewest earlier periods on which the rule can be tried.

    Returns
    -------
    DataFrame
        One row a stage: stage, now, expected, expected_low, expected_high (80 %), error (median size of the errors in
        the backtest), naive (the same for "as many as now"), n (backtests). Empty, with a note, with too few periods.

    References
    ----------
    Markov chain of stages; the interval of a new observation out of the errors of old ones: Student's, on logarithms.
    """
    wide = counts.pivot_table(index="period", columns="stage", values="customers", aggfunc="sum", sort=False)
    x = wide.reindex(columns=list(STAGES)).to_numpy(dtype=float)
    moves = np.zeros((len(x), len(STAGES) + 1, len(STAGES)))
    at = {s: i for i, s in enumerate((*STAGES, "new"))}
    for row in transitions.itertuples():
        moves[int(row.place), at[row.before], at[row.after]] += row.customers
    starts = range(min(last, max(3, len(x) - 1 - 2 * least)) + 1, len(x))
    columns = ["stage", "now", "expected", "expected_low", "expected_high", "error", "naive", "n"]
    if len(starts) < least:
        empty = pd.DataFrame(columns=columns)
        empty.attrs["notes"] = [
            _("Not enough data to say how many customers will be in each stage: needs {n} periods.").format(
                n=3 + least + 1
            )
        ]
        return empty
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.log(np.array([x[i] / _next(x, moves, i, last) for i in starts]))
        still = np.log(np.array([x[i] / x[i - 1] for i in starts]))
    coming = _next(x, moves, len(x), last)
    rows = []
    for j, stage in enumerate(STAGES):
        e = errors[np.isfinite(errors[:, j]), j]
        if len(e) < least or coming[j] < 1:
            continue
        reach = stats.t.ppf(0.5 + LEVEL / 2, len(e) - 1) * e.std(ddof=1) * np.sqrt(1 + 1 / len(e))
        low, high = coming[j] * np.exp([min(0, e.mean()) - reach, max(0, e.mean()) + reach])
        rows.append(
            (stage, x[-1, j], coming[j], low, high, np.median(np.abs(np.expm1(e))),
             np.median(np.abs(np.expm1(still[np.isfinite(still[:, j]), j]))), len(e))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _next(x: np.ndarray, moves: np.ndarray, i: int, last: int) -> np.ndarray:
    """What is expected at place `i` from all that was known at the one before."""
    known = moves[max(1, i - last) : i]
    made = known.sum(axis=0)[:-1]
    could = made.sum(axis=1, keepdims=True)
    rates = np.divide(made, could, out=np.eye(len(made)), where=could > 0)
    return x[i - 1] @ rates + known[:, -1].mean(axis=0)


FORECAST_UNITS = {
    "now": "count", "expected": "count", "error": "share", "naive": "share", "n": "count",
}  # fmt: skip
