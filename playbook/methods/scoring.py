"""Which of several is best by several criteria, and does that depend on how the criteria are weighted?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..language import N_

STATES = (N_("PASS"), N_("REVIEW"), N_("FAIL"))


def scores(
    assessed: pd.DataFrame,
    weights: Mapping[str, float],
    *,
    must_have: Mapping[str, float] | None = None,
    best: float = 10.0,
    rng: np.random.Generator,
    draws: int = 10_000,
    spread: float = 0.3,
) -> pd.DataFrame:
    """Who scores best, and how firmly does the rank stand when the weights are not quite those?

    The score is the mean of the criteria, weighted. The weights are drawn anew around those given, from a Dirichlet
    law; who is first in nearly all draws is first whatever one's taste.

    Parameters
    ----------
    assessed : DataFrame
        One row a subject (the index), one column a criterion: from 0 (worst) to `best`; NaN: not assessed.
    weights : mapping of str to float
        Criterion → weight, 0 or above; only their proportions count.
    must_have : mapping of str to float, optional
        Criterion → least value. A subject below one, or not assessed on it, is out, whatever else it scores.
    best : float, default 10
        Highest value of a criterion.
    rng : numpy.random.Generator
        Seeded by the caller.
    draws : int, default 10,000
        Of weights.
    spread : float, default 0.3
        How far the drawn weights lie from those given: the standard deviation of a criterion with a typical weight, as
        a fraction of it; 0: no draws differ.

    Returns
    -------
    DataFrame
        One row a subject, the best first, those that are out last: score (0 to 1), rank (1 is best; ties share the
        better one; NaN for who is out or lacks a score), first and same (shares of draws in which the subject is first,
        and in which it keeps its rank), out (criteria of must_have that it fails, joined by commas; empty: none),
        lacking (criteria not assessed). A subject that lacks a criterion with a weight has no score: it is not guessed.

    Raises
    ------
    ValueError
        A weight has no column, is negative, or all are zero; a value outside 0…best; must_have names no column.
    """
    names = list(weights)
    strange = [c for c in [*names, *(must_have or {})] if c not in assessed.columns]
    if strange:
        raise ValueError(f"no criterion {strange[0]!r} among {', '.join(map(str, assessed.columns))}")
    w = np.array([weights[c] for c in names], dtype=float)
    if not (np.isfinite(w).all() and (w >= 0).all() and w.sum() > 0):
        raise ValueError("weights must be 0 or above, and not all 0")
    values = assessed[names].astype(float)
    if ((values < 0) | (values > best)).any(axis=None):
        raise ValueError(f"a score lies outside 0 to {best:g}")
    w = w / w.sum()
    used = [c for c, x in zip(names, w, strict=True) if x > 0]
    lacking = values[used].isna()
    needed = pd.DataFrame(
        {c: ~(assessed[c].astype(float) >= least) for c, least in (must_have or {}).items()}, index=assessed.index
    )
    frame = pd.DataFrame(index=assessed.index)
    frame["score"] = (values.fillna(0).to_numpy() @ w) / best
    frame.loc[lacking.any(axis=1), "score"] = np.nan
    frame["out"] = [", ".join(c for c in needed.columns if needed.loc[i, c]) for i in assessed.index]
    frame["lacking"] = [", ".join(c for c in used if lacking.loc[i, c]) for i in assessed.index]
    running = (frame["out"] == "") & frame["score"].notna()
    frame["rank"] = frame["score"].where(running).round(12).rank(ascending=False, method="min")
    frame["first"], frame["same"] = np.where(running, 0.0, np.nan), np.where(running, 0.0, np.nan)
    if running.any():
        found = values[running].to_numpy() @ _weights(w, rng, draws, spread).T
        # a subject's rank is one more than the number of those above it
        above = (found[None, :, :] > found[:, None, :] + 1e-9).sum(axis=1)
        frame.loc[running, "first"] = (above == 0).mean(axis=1)
        frame.loc[running, "same"] = (above + 1 == frame.loc[running, "rank"].to_numpy()[:, None]).mean(axis=1)
    frame = frame[["score", "rank", "first", "same", "out", "lacking"]]
    return frame.assign(_out=~running).sort_values(["_out", "rank", "score"], kind="stable").drop(columns="_out")


def verdicts(measured: pd.DataFrame) -> pd.DataFrame:
    """Does each measured value pass, is it to be looked at, or does it fail?

    Parameters
    ----------
    measured : DataFrame
        One row a criterion: value, passes (from here on it passes), fails (from here on it fails), in one unit. Where
        passes > fails more is better, where passes < fails less is. Between them, or without a value: REVIEW. Further
        columns are kept.

    Returns
    -------
    DataFrame
        `measured` with state: PASS, REVIEW or FAIL. ``attrs["state"]`` is that of all together: the worst.

    Raises
    ------
    ValueError
        passes = fails leaves no direction, or one is not a number.

    Examples
    --------
    >>> verdicts(pd.DataFrame({"value": [9.0, 3.0], "passes": [8.0, 2.0], "fails": [5.0, 4.0]}))["state"].tolist()
    ['PASS', 'REVIEW']
    """
    value, passes, fails = (measured[c].astype(float) for c in ("value", "passes", "fails"))
    if not (passes != fails).all() or passes.isna().any() or fails.isna().any():
        raise ValueError("passes and fails must be two different numbers: which is higher says which way is better")
    up = passes > fails
    good = np.where(up, value >= passes, value <= passes)
    bad = np.where(up, value <= fails, value >= fails)
    out = measured.assign(state=np.select([good, bad], ["PASS", "FAIL"], "REVIEW"))
    out.attrs["state"] = next((s for s in reversed(STATES) if (out["state"] == s).any()), "REVIEW")
    return out


def _weights(w: np.ndarray, rng: np.random.Generator, draws: int, spread: float) -> np.ndarray:
    """Weights around those given, one row a draw."""
    if spread <= 0 or (w > 0).sum() < 2:
        return np.tile(w, (max(1, draws), 1))
    # A Dirichlet weight of mean m has the variance m (1 − m) / (c + 1).
    m = 1 / (w > 0).sum()
    c = (1 - m) / m / spread**2 - 1
    out = np.zeros((draws, len(w)))
    out[:, w > 0] = rng.dirichlet(np.maximum(c, 0.1) * w[w > 0], size=draws)
    return out
