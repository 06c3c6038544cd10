"""May a budget rest on the model? What it foresees, what it reproduces, and whether the sampler found its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ... import style
from ...language import _
from ...missing import answers
from .posterior import Posterior

LEVEL = 0.9
"""Of the intervals that weeks are held against."""
RHAT, ESS = (1.02, 1.1), (100.0, 40.0)
DIVERGING = (0.0, 0.02)
INSIDE, AHEAD = (0.75, 0.6), (0.6, 0.3)
ERROR = (1.0, 2.0)
"""Limits of PASS and of REVIEW; beyond the second a model fails."""

Grade = Literal["PASS", "REVIEW", "FAIL"]
GRADES: tuple[Grade, ...] = ("PASS", "REVIEW", "FAIL")


@dataclass(frozen=True)
class Check:
    """Whether a budget may rest on the model.

    Attributes
    ----------
    verdict : {"PASS", "REVIEW", "FAIL"}
    table : DataFrame
        check (code), value, limit, result; ``attrs["units"]`` none: values are ready to be read.
    reasons : tuple of str
        A sentence for each check that is not passed.
    """

    verdict: Grade
    table: pd.DataFrame
    reasons: tuple[str, ...]


@answers("May a budget rest on the model?")
def check(posterior: Posterior, *, seed: int = 1) -> Check:
    """May a budget rest on the model?

    It must have converged (rhat, effective draws, divergences), hold the weeks it was fitted to within its intervals,
    and foresee the weeks that a first fit did not see: within its intervals, and no worse than last year's same weeks.
    """
    rng, of = np.random.default_rng(seed), posterior.summary()
    sold, n = posterior.design.weeks.sales.to_numpy(), posterior.design.n
    share = posterior.diverging / (posterior.drawn.shape[0] * posterior.drawn.shape[1])
    told = [
        ("rhat", float(of["rhat"].max()), RHAT, True, "ratio"),
        ("effective_draws", float(round(of["ess"].min())), ESS, False, "count"),
        ("divergences", share, DIVERGING, True, "share"),
        ("weeks_inside", _inside(posterior.replicated(rng), sold), INSIDE, False, "share"),
    ]
    if posterior.ahead.size:
        ahead = posterior.replicated(rng, ahead=True)[:, n - posterior.held_out :]
        came = sold[n - posterior.held_out :]
        told.append(("weeks_ahead_inside", _inside(ahead, came), AHEAD, False, "share"))
        if n > 60 + posterior.held_out:
            error = float(np.abs(np.median(ahead, axis=0) - came).sum() / _seasonal_naive(sold, posterior.held_out))
            told.append(("error_ahead", error, ERROR, True, "ratio"))
    rows, reasons = [], []
    for name, value, limits, most, unit in told:
        grade = _grade(value, limits, most)
        said, bound = (style.value(x, unit, digits=3 if name == "rhat" else None) for x in (value, limits[0]))
        limit = (_("at most {bound}") if most else _("at least {bound}")).format(bound=bound)
        rows.append({"check": name, "value": said, "limit": limit, "result": grade})
        if grade != "PASS":
            reasons.append(_reason(name).format(value=said, limit=limit))
    verdict = GRADES[max(GRADES.index(r["result"]) for r in rows)]
    return Check(verdict, pd.DataFrame(rows), tuple(reasons))


def _grade(value: float, limits: tuple[float, float], most: bool) -> Grade:
    if not np.isfinite(value):
        return "FAIL"
    good, fair = ((value <= x if most else value >= x) for x in limits)
    return "PASS" if good else "REVIEW" if fair else "FAIL"


def _inside(drawn: np.ndarray, came: np.ndarray) -> float:
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=0)
    return float(((low <= came) & (came <= high)).mean())


def _seasonal_naive(sold: np.ndarray, ahead: int) -> float:
    """The error of last year's same weeks, at the level of the weeks before: what any model must beat."""
    n = len(sold)
    growth = sold[n - ahead - 8 : n - ahead].sum() / max(sold[n - ahead - 60 : n - ahead - 52].sum(), 1e-9)
    return float(np.abs(sold[n - ahead - 52 : n - 52] * growth - sold[n - ahead :]).sum()) or 1e-9


def _reason(name: str) -> str:
    return {
        "rhat": _("The chains do not agree (rhat {value}, {limit}): more draws, or fewer channels."),
        "effective_draws": _("The draws say too little ({value} effective ones, {limit}): more draws."),
        "divergences": _("The sampler lost its way in {value} of the draws ({limit})."),
        "weeks_inside": _("{value} of the weeks lie within their intervals ({limit}): something moves sales that the "
                          "model does not know."),
        "weeks_ahead_inside": _("Of the last weeks, which a first fit did not see, {value} came within their intervals "
                                "({limit})."),
        "error_ahead": _("The last weeks were foreseen worse than from last year's same weeks: the error is {value} of "
                         "theirs ({limit})."),
    }[name]  # fmt: skip
