"""Does the model of coming back hold? Fitted on what was known earlier, and held against what came."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import N_, _
from ...methods import intervals
from ...missing import Missing, answers, quietly
from .histories import CELL, afterwards
from .model import fit_purchases

FEWEST = 100
"""Fewest customers who came back for a model of how they do."""

ERRORS = {"purchases": "count", "actual": "count", "off": "share", "error": "per_order"}
"""Units of `errors`."""
DECILES = {"customers": "count", "predicted": "count", "actual": "count", "ratio": "ratio"}
"""Units of `deciles`."""

OFF_BY = 0.25
"""How far the sum of what was expected may be from what came before the cohort curve is trusted more."""


PRIOR_SD = 3.0
"""Of the logs of the parameters: wide, and a shop whose customers are all alike still has a maximum."""


def no_trait(by: str, question: str) -> Missing:
    """Why customers cannot be told apart by a trait."""
    return Missing(f"customers.{by}", remedy=_("Add an export that tells it of customers.")).asked(question)


def too_few(n: float) -> Missing:
    """Why there is no model."""
    return Missing(
        _("{need} customers who came back (it has {n})").format(need=FEWEST, n=int(n)),
        remedy=_("The cohort curve tells what there is to tell; ask again when more customers have come back."),
    )


@answers("Does the model foretell who comes back?")
def holdout(days: ibis.Table | pd.DataFrame, until: dt.date, *, weeks: int = 26) -> pd.DataFrame:
    """Does the model foretell who comes back?

    It is fitted on what was known `weeks` before `until`, and never sees what came afterwards.

    Parameters
    ----------
    days : Table
        From `purchase_days`.
    until : date
        The day after the last that is looked at.
    weeks : int
        Length of the hold-out.

    Returns
    -------
    DataFrame
        frequency, recency, T (of the history), actual (days with a purchase in the hold-out), n (customers), predicted
        (by the model), baseline (each customer's own rate so far, carried on). ``attrs``: cut, weeks, parameters. A
        Missing where fewer than `FEWEST` had come back.
    """
    cut = until - dt.timedelta(weeks=weeks)
    frame = afterwards(days, cut, until)
    came_back = float(frame.loc[frame["frequency"] > 0, "n"].sum())
    if came_back < FEWEST:
        return too_few(came_back)
    model = fit_purchases(frame, prior_sd=PRIOR_SD)
    frame["predicted"] = model.expected(weeks, *(frame[c] for c in CELL))
    frame["baseline"] = weeks * frame["frequency"] / frame["T"].clip(lower=1)
    frame.attrs = {"cut": cut, "weeks": weeks, "parameters": model.parameters()}
    return frame


@answers("How far were the predictions off?")
def errors(tested: pd.DataFrame) -> pd.DataFrame:
    """How far were the predictions off?

    Returns
    -------
    DataFrame
        method (model, baseline); purchases (expected in the hold-out), actual; off (expected over actual, less 1; NaN
        where nobody came); error (root mean square, purchases a customer).
    """
    n, actual = tested["n"], float((tested["n"] * tested["actual"]).sum())
    rows = []
    for method, column in (("model", "predicted"), ("baseline", "baseline")):
        said = float((n * tested[column]).sum())
        squared = float((n * (tested[column] - tested["actual"]) ** 2).sum() / n.sum())
        rows.append((method, said, actual, said / actual - 1 if actual else math.nan, math.sqrt(squared)))
    frame = pd.DataFrame(rows, columns=["method", "purchases", "actual", "off", "error"])
    frame.attrs["titles"] = {"off": N_("Off by")}
    return frame.set_index("method")


def holds(wrong: pd.DataFrame) -> bool:
    """Whether the model may be built on: no worse than the baseline, and its sum near what came."""
    model, baseline = wrong.loc["model"], wrong.loc["baseline"]
    return bool(model["error"] <= baseline["error"] and abs(model["off"]) <= OFF_BY)


@answers("Do those of whom more is expected buy more?")
def deciles(tested: pd.DataFrame, *, groups: int = 10) -> pd.DataFrame:
    """Do those of whom more is expected buy more?

    Returns
    -------
    DataFrame
        decile (1: least expected), customers, predicted, actual (purchases in the hold-out), actual_low,
        actual_high (95 %, of such customers), ratio (predicted over actual).
    """
    ordered = tested.sort_values(["predicted", *CELL, "actual"], kind="stable", ignore_index=True)
    end = ordered["n"].cumsum()
    edges = np.linspace(0, float(end.iloc[-1]), groups + 1)
    rows = []
    for g in range(groups):
        # A history with many customers may lie on both sides of an edge: it is shared out.
        inside = np.clip(np.minimum(end, edges[g + 1]) - np.maximum(end - ordered["n"], edges[g]), 0, None)
        n, x = float(inside.sum()), ordered["actual"]
        total, squares = float((inside * x).sum()), float((inside * x**2).sum())
        low, high = intervals.mean(total, squares, n)
        rows.append((g + 1, n, float((inside * ordered["predicted"]).sum()), total, low * n, high * n))
    frame = pd.DataFrame(
        rows, columns=["decile", "customers", "predicted", "actual", "actual_low", "actual_high"]
    )  # fmt: skip
    frame["ratio"] = frame["predicted"] / frame["actual"].where(frame["actual"] > 0)
    return frame.set_index("decile")


@answers("Do customers come back as often as the model says?")
def calibration(tested: pd.DataFrame, *, most: int = 7) -> pd.DataFrame:
    """Do customers come back as often as the model says, by how often they had before?

    Returns
    -------
    DataFrame
        frequency (repeat purchases before the cut; `most` and more together), customers, predicted, actual (purchases a
        customer in the hold-out), actual_low, actual_high (95 %).
    """
    rows = []
    for frequency, part in tested.groupby(tested["frequency"].clip(upper=most)):
        n, x = float(part["n"].sum()), part["actual"]
        total, squares = float((part["n"] * x).sum()), float((part["n"] * x**2).sum())
        said = float((part["n"] * part["predicted"]).sum()) / n
        rows.append((int(frequency), n, said, total / n, *intervals.mean(total, squares, n)))
    columns = ["frequency", "customers", "predicted", "actual", "actual_low", "actual_high"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs = dict(tested.attrs) | {"most": most}
    return frame.set_index("frequency")


@quietly
def plot_calibration(calibrated: pd.DataFrame) -> Axes:
    """What came, with its interval, beside what was expected, by how often customers had come back before."""
    ax = style.axes(height=3.6)
    x = np.arange(len(calibrated))
    spread = [calibrated["actual"] - calibrated["actual_low"], calibrated["actual_high"] - calibrated["actual"]]
    ax.errorbar(
        x,
        calibrated["actual"],
        yerr=np.nan_to_num(np.array(spread)),
        fmt="o",
        color=style.NEUTRAL,
        capsize=4,
        label=_("what came"),
    )
    ax.plot(x, calibrated["predicted"], color=style.OWN, label=_("expected"))
    ax.legend(loc="upper left")
    most = calibrated.attrs["most"]
    names = [_("{n} and more").format(n=f) if f == most else str(f) for f in calibrated.index]
    ax.set_xticks(x, names)
    ax.set_xlabel(_("purchases after the first, before the cut"))
    ax.set_ylabel(_("purchases a customer"))
    ax.set_ylim(bottom=0)
    ax.set_title(_("Did customers come back as expected in the {weeks} weeks that the model did not see?").format(
        weeks=calibrated.attrs["weeks"]))  # fmt: skip
    return ax
