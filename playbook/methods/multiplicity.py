"""Many tests at once: how often is any of them wrong, and which share of what is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from ..findings import Finding

RATE = 0.10
"""Share of false findings, among those of one report that come from tests and are acted upon, that is put up with."""


def holm(p: pd.Series) -> pd.Series:
    """How small are p-values once it is held against them that there are several? For one decision out of few tests.

    Parameters
    ----------
    p : Series
        p-values; NaN: not tested, it does not count.

    Returns
    -------
    Series
        Adjusted p-values: the chance of any false rejection stays below α where those below α are rejected. NaN stays.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65–70.

    Examples
    --------
    >>> holm(pd.Series([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]
    """

    def step(known: np.ndarray) -> np.ndarray:
        order = np.argsort(known, kind="stable")
        grown = np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1))
        return np.minimum(1.0, grown)[np.argsort(order, kind="stable")]

    return _adjusted(p, step)


def benjamini_hochberg(p: pd.Series) -> pd.Series:
    """Which share of those at least as small is false, at worst on average? For a list of many.

    Parameters
    ----------
    p : Series
        p-values of independent or positively dependent tests; NaN: not tested, it does not count.

    Returns
    -------
    Series
        Adjusted p-values (q): among those with q ≤ rate the expected share of false ones is at most the rate. NaN
        stays.

    References
    ----------
    Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289–300. Benjamini, Y. &
    Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under dependency. Annals of
    Statistics 29, 1165–1188.

    Examples
    --------
    >>> benjamini_hochberg(pd.Series([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjusted(p, stats.false_discovery_control)


def controlled(findings: Iterable[Finding], *, rate: float = RATE) -> list[Finding]:
    """Which findings of a report stand, once it is held against them that the report made many tests?

    Every finding that comes from a test must be there, also those that found nothing: who leaves them out finds too
    much. A finding that does not stand is no longer acted on: "act" becomes "watch". Findings without a p-value are not
    touched.

    Parameters
    ----------
    findings : iterable of Finding
        All of one report.
    rate : float, default 0.10
        Expected share of false ones among those that stand.

    Returns
    -------
    list of Finding
        In the order given, with `q`; those that do not stand have q > rate.

    References
    ----------
    `benjamini_hochberg`.
    """
    given = list(findings)
    q = benjamini_hochberg(pd.Series([np.nan if f.p is None else f.p for f in given], dtype=float))
    return [
        f if np.isnan(x) else replace(f, q=float(x), verdict="watch" if x > rate and f.verdict == "act" else f.verdict)
        for f, x in zip(given, q, strict=True)
    ]


def _adjusted(p: pd.Series, step: Callable[[np.ndarray], np.ndarray]) -> pd.Series:
    values = pd.Series(p, dtype=float)
    known = values.notna()
    if ((values < 0) | (values > 1)).any():
        raise ValueError(f"a p-value lies between 0 and 1: {values[(values < 0) | (values > 1)].iloc[0]}")
    out = pd.Series(np.nan, index=values.index)
    if known.any():
        out[known] = step(values[known].to_numpy())
    return out
