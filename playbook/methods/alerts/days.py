"""Days that are out of the usual, and the episodes that they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...language import _
from ..seasonality.parts import whole_days
from .baseline import DRIFT, ENOUGH, HISTORY, Baseline, Kind, design_of, moves, usual_range

Direction = Literal["up", "down", "both"]

STATES = ("no_history", "excused", "usual", "yellow", "orange", "red")
"""What a day can be; those from "yellow" on are out of the usual."""
LEVELS = {"yellow": 1.0, "orange": 1e-2, "red": 1e-5}
"""How much rarer than `alpha` a day must be for each level."""
SPANS = (1, 7)  # days whose sum is tested
QUIET, ADOPTED = 3, 28  # usual days that end an episode; days after which an episode is the new level
GUARD = 14  # days before the judged one that are in no baseline yet: what begins slowly shall not hide itself


def judge(
    series: pd.Series,
    *,
    kind: Kind = "count",
    exposure: pd.Series | None = None,
    direction: Direction = "both",
    excused: Sequence[object] | pd.Index | None = None,
    apart: Sequence[object] | pd.Index | None = None,
    since: object | None = None,
    alpha: float = 1e-3,
    at_least: float | pd.Series = 0.0,
    spans: Sequence[int] = SPANS,
    drift: float = DRIFT,
) -> pd.DataFrame:
    """Which days are out of the usual, each judged by what was known when it ended?

    Parameters
    ----------
    series : Series
        By day (DatetimeIndex without gaps): 0 where nothing happened.
    kind : {"count", "share", "amount"}
        Numbers of things; things out of `exposure` things, of which each counts or not; money and other sums.
    exposure : Series, optional
        By day: what the series is in proportion to, such as orders. Needed for a share, where it is a whole number.
    direction : {"up", "down", "both"}
        Which side is news.
    excused : days, optional
        Known to be unlike others (a festival): not judged, and no part of any baseline.
    apart : days, optional
        Judged, but no part of any baseline either, such as a festival whose size `exposure` tells.
    since : day, optional
        First day to be judged, to save time; by default the first that can be.
    alpha : float
        How often an ordinary day may be flagged, at most.
    at_least : float, or Series by day
        Below which a day is not flagged however sure it is: 0.5 is half as much again as expected, or two thirds of it.
    spans : sequence of int
        Days whose sum is tested. Longer ones see smaller shifts of what is rare, later; the baseline ends before them.
    drift : float
        How far the level is thought to move over a whole history, in logs, before the series itself has told: the trend
        is held to it, and a day is the less sure the longer ago the last one is that was learnt.

    Returns
    -------
    DataFrame
        By day: value, exposure, expected, low, high (between which it lies on 95 % of ordinary days), p (of the day or
        the days that it ends, whichever is odder), span (days that p is about), ratio (value to expected over them),
        direction ("up", "down"), state (of `STATES`). NaN where a day is not judged.

    Raises
    ------
    ValueError
        Gaps in the days, or a share without exposure or above it.

    References
    ----------
    Farrington, C. P. et al. (1996). A statistical algorithm for the early detection of outbreaks of infectious disease.
    JRSS A 159, 547–563. Noufaily, A. et al. (2013). An improved algorithm for outbreak detection in multiple
    surveillance systems. Statistics in Medicine 32, 1206–1222.
    """
    values = whole_days(series)
    days = pd.DatetimeIndex(values.index)
    out_of = np.ones(len(days)) if exposure is None else exposure.reindex(days).fillna(0.0).to_numpy(float)
    x = np.maximum(values.to_numpy(), 0.0)
    if kind == "share" and (exposure is None or (x > out_of + 1e-9).any()):
        raise ValueError(_("a share needs an exposure, and can never be more than that"))
    excuse = days.isin(pd.DatetimeIndex([] if excused is None else list(excused)))
    least = (
        np.full(len(days), at_least) if not isinstance(at_least, pd.Series) else at_least.reindex(days).to_numpy(float)
    )
    judgeable = ~excuse & (out_of > 0)
    odd = days.isin(pd.DatetimeIndex([] if apart is None else list(apart)))
    learnt = judgeable & ~odd
    usable = learnt.copy()
    summed = judgeable.copy()  # days that a sum of several may hold: not those that were flagged on their own
    design = design_of(days)
    longest = max(GUARD, *spans)
    moved = moves(x, out_of, learnt, kind, drift, longest)
    first = 0 if since is None else int(days.searchsorted(pd.Timestamp(since)))
    begun, quiet, floor = -1, 0, 0  # of the episode that is on; where the level that is usual begins
    nothing: dict[str, Any] = {"mean": math.nan, "variance": math.nan, "freedom": math.nan, "p": math.nan,
               "span": 0, "ratio": math.nan, "direction": ""}  # fmt: skip
    rows = [nothing | {"state": "excused" if excuse[t] and t >= first else "no_history"} for t in range(len(days))]
    for t in range(max(first, ENOUGH), len(days)):
        if not judgeable[t]:
            continue
        if begun >= 0 and t - begun >= ADOPTED:  # it is no news any more: what holds since then is usual from now on
            floor, begun, quiet = begun, -1, 0
            usable[floor:t] = learnt[floor:t]
        guard = 0 if t - floor < ENOUGH + longest else longest - 1
        at = np.arange(max(floor, t - guard - 2 * HISTORY), t - guard)
        at = at[usable[at]][-HISTORY:]
        if len(at) < ENOUGH:
            continue
        base = Baseline.fitted(x[at], out_of[at], design[at], kind, t, spans, drift, float(moved[t]))
        result = _tested(
            base, x, out_of, design, summed & (odd == odd[t]), t, direction, [s for s in spans if s - 1 <= guard]
        )
        state = "usual"
        if max(result["ratio"], 1 / max(result["ratio"], 1e-9)) - 1 >= least[t]:
            state = next((s for s in reversed(LEVELS) if result["p"] < alpha * LEVELS[s]), "usual")
        rows[t] = result | {"state": state}
        if state != "usual":
            begun, quiet = (t - result["span"] + 1 if begun < 0 else begun), 0
            usable[t], summed[t] = False, result["span"] != 1
        elif begun >= 0:
            quiet += 1
            begun = -1 if quiet >= QUIET else begun
    found = pd.DataFrame(rows, index=days.rename("day"))
    mean, variance, freedom = (found[c].to_numpy(float) for c in ("mean", "variance", "freedom"))
    low, high = usual_range(kind, mean, variance, freedom, out_of)
    known = {"value": values.to_numpy(), "exposure": out_of if exposure is not None else math.nan}
    known |= {"expected": mean, "low": low, "high": high}
    return pd.DataFrame(known, index=found.index).join(found[["p", "span", "ratio", "direction", "state"]])


def episodes(judged: pd.DataFrame, *, quiet: int = QUIET) -> pd.DataFrame:
    """What makes one story: flagged days with at most two usual ones between them, on the same side.

    Parameters
    ----------
    judged : DataFrame
        Of `judge`.
    quiet : int
        Usual days that end a story.

    Returns
    -------
    DataFrame
        One row an episode, in order: begins (first day of what was odd), flagged_on (the day whose end told), ends
        (last day flagged), days (from the first to the last), direction, level ("yellow", "orange", "red": its worst),
        value and expected (sums of the days), ratio, excess (value − expected), p (the smallest), open (whether it was
        still on when the series ends).
    """
    rows: list[dict[str, Any]] = []
    last = judged.index[-1] if len(judged) else None
    flagged = judged[judged["state"].isin(list(LEVELS))]
    groups: list[list[pd.Timestamp]] = []
    for day in flagged.index:
        near = groups and (day - groups[-1][-1]).days <= quiet
        if near and flagged.loc[day, "direction"] == flagged.loc[groups[-1][-1], "direction"]:
            groups[-1].append(day)
        else:
            groups.append([day])
    for group in groups:
        mine = flagged.loc[group]
        begins = group[0] - pd.Timedelta(days=int(mine["span"].iloc[0]) - 1)
        if rows and begins <= rows[-1]["ends"]:
            begins = max(rows[-1]["ends"] + pd.Timedelta(days=1), min(begins, group[0]))
        within = judged.loc[begins : group[-1]].dropna(subset="expected")
        value, expected = float(within["value"].sum()), float(within["expected"].sum())
        rows.append(
            {
                "begins": begins,
                "flagged_on": group[0],
                "ends": group[-1],
                "days": (group[-1] - begins).days + 1,
                "direction": mine["direction"].iloc[0],
                "level": max(mine["state"], key=STATES.index),
                "value": value,
                "expected": expected,
                "ratio": value / expected if expected > 0 else math.nan,
                "excess": value - expected,
                "p": float(mine["p"].min()),
                "open": (last - group[-1]).days < quiet,
            }
        )
    columns = ["begins", "flagged_on", "ends", "days", "direction", "level", "value", "expected", "ratio", "excess",
               "p", "open"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _tested(
    base: Baseline,
    x: np.ndarray,
    out_of: np.ndarray,
    design: np.ndarray,
    summed: np.ndarray,
    t: int,
    direction: Direction,
    spans: Sequence[int],
) -> dict[str, Any]:
    """The oddest of the spans that end on day t; p is held against their number."""
    today = base.expected(design[t : t + 1], out_of[t : t + 1])
    mean, variance = base.moments(today, out_of[t : t + 1], 1)
    best: dict[str, Any] = {"p": math.inf}
    for span in spans:
        at = np.arange(t - span + 1, t + 1)
        at = at[summed[at]]
        expected = base.expected(design[at], out_of[at])
        below, above = base.tails(float(x[at].sum()), expected, out_of[at], span)
        for side, p in (("down", below), ("up", above)):
            ratio = float(x[at].sum() / expected[0].sum())
            right = ratio < 1 if side == "down" else ratio > 1
            if right and direction in (side, "both"):
                p = min(1.0, p * len(spans) * (2 if direction == "both" else 1))
                if p < float(best["p"]):
                    best = {"p": p, "span": span, "ratio": ratio, "direction": side}
    if math.isinf(float(best["p"])):
        best = {"p": 1.0, "span": 1, "ratio": float(x[t] / mean), "direction": ""}
    return {"mean": mean, "variance": variance, "freedom": base.freedom[1], **best}
