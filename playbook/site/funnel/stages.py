"""Reverse optimisation: where a point of the funnel is worth most, beginning with the step next to the money."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...language import _
from ...missing import answers
from .breaks import EVERYWHERE

STAGES: dict[str, tuple[str, str]] = {
    "conversion": ("begin_checkout", "purchase"),
    "consideration": ("add_to_cart", "begin_checkout"),
    "interest": ("view_item", "add_to_cart"),
    "awareness": ("page_view", "view_item"),
}
"""In the order of the reverse optimisation, the last step first: from which step to which."""

PLATFORM_STAGES: dict[str, tuple[str, str]] = {"conversion": ("carts", "buyers"), "interest": ("visitors", "carts")}
"""The same, of what platforms count."""

EFFORT: dict[str, float] = {"conversion": 1, "consideration": 2, "interest": 3, "awareness": 4}
"""What a stage takes to better, as a rule: the checkout is the shop's own, what people care for is not."""

GOOD_MONTH = 0.75
"""The benchmark: the rate that a stage reaches in the best quarter of the shop's own months."""

STAGE_SHOWN = ["order", "stage", "tried", "rate", "per_point", "benchmark", "gap", "stake", "stake_low",
               "stake_high", "rank"]  # fmt: skip
STAGE_UNITS = {
    "tried": "count", "rate": "share", "per_point": "currency", "benchmark": "share", "gap": "share_change",
    "stake": "currency", "effort": "ratio", "per_effort": "currency", "rank": "count",
}  # fmt: skip
"""Of the frames, for a page."""


def efforts(text: str) -> dict[str, float]:
    """What each stage takes to better, as a parameter of a notebook says it: ``conversion 1, interest 3``.

    Raises
    ------
    ValueError
        There is no such stage, or its effort is no number above 0.

    Examples
    --------
    >>> efforts("interest 5")["interest"], efforts("")["conversion"]
    (5.0, 1)
    """
    out = dict(EFFORT)
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _space, number = part.rpartition(" ")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if name.strip() not in out or not value > 0:
            told = _("{part!r} is no effort; write a stage ({stages}) and a number above 0")
            raise ValueError(told.format(part=part, stages=", ".join(out)))
        out[name.strip()] = value
    return out


@answers("Where is a better step worth most?")
def priorities(
    now: pd.DataFrame,
    history: pd.DataFrame | None = None,
    orders: pd.DataFrame | None = None,
    *,
    rng: np.random.Generator | int,
    stages: Mapping[str, tuple[str, str]] = STAGES,
    benchmark: Mapping[str, float] | None = None,
    effort: Mapping[str, float] = EFFORT,
    level: float = 0.80,
    draws: int = 4000,
) -> pd.DataFrame:
    """Which stage should be bettered first, and what is it worth?

    The documented order goes against the stream: conversion, consideration, interest, awareness. Beside it stands what
    a stage is worth: people who come to it × one point × those of them who then buy × the value of an order; and the
    same for the distance to the benchmark, also per unit of effort.

    Parameters
    ----------
    now : DataFrame
        From `steps` (or `platform_steps` of one platform): the period.
    history : DataFrame, optional
        ``steps(…, by="month")``: the benchmark is a good month of the shop's own; without, and without `benchmark`,
        only the value of a point is told.
    orders : DataFrame, optional
        From `order_values`; without it no money is told.
    rng : numpy.random.Generator or int
        Or its seed; for the intervals.
    stages : mapping
        Stage → (from step, to step), the first to be bettered first. Stages whose steps are not there are left out.
    benchmark : mapping of stage to rate, optional
        Instead of the shop's own.
    effort : mapping of stage to number
        What each takes, in any unit.
    level : float, default 0.80
        Of the intervals.
    draws : int, default 4000
        How often rates and values are drawn.

    Returns
    -------
    DataFrame
        order (documented), stage, from_step, to_step, tried, rate, per_point (money, a percentage point more of those
        who come), benchmark (rate), gap (fraction, 0 where the stage is above), stake (money that the gap costs in the
        period) with interval, effort, per_effort (stake ÷ effort), rank (by that, 1 is first).
    """
    rng = np.random.default_rng(rng)
    n = now.set_index("step").n
    last = next(iter(stages.values()))[1]
    whole = None if orders is None else orders[orders.part == EVERYWHERE]
    mean, error = (math.nan, 0.0) if whole is None or whole.empty else tuple(whole.iloc[0][["mean", "error"]])
    worth = rng.normal(mean, 0.0 if error != error else error, draws) if mean == mean else np.full(draws, math.nan)
    out = []
    for place, (stage, (start, end)) in enumerate(stages.items(), 1):
        if start not in n.index or end not in n.index or not n[start] or not n[end]:
            continue
        tried, done, bought = int(n[start]), int(n[end]), int(n[last])
        goal = _goal(stage, start, end, history, benchmark)
        gap = max(0.0, goal - done / tried) if goal == goal else math.nan
        then = bought / done
        sample_rate = rng.beta(done + 0.5, max(tried - done, 0) + 0.5, draws)
        sample_then = np.ones(draws) if end == last else rng.beta(bought + 0.5, max(done - bought, 0) + 0.5, draws)
        stake = tried * gap * then * mean
        sample = tried * np.clip(goal - sample_rate, 0, None) * sample_then * worth
        low, high = np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2]) if stake == stake else (math.nan, math.nan)
        out.append(
            {"order": place, "stage": stage, "from_step": start, "to_step": end, "tried": tried, "rate": done / tried,
             "per_point": tried * 0.01 * then * mean, "benchmark": goal, "gap": gap, "stake": stake,
             "stake_low": min(low, stake), "stake_high": max(high, stake), "effort": float(effort[stage]),
             "per_effort": stake / effort[stage]}
        )  # fmt: skip
    columns = [
        "order", "stage", "from_step", "to_step", "tried", "rate", "per_point", "benchmark", "gap", "stake",
        "stake_low", "stake_high", "effort", "per_effort",
    ]  # fmt: skip
    frame = pd.DataFrame(out, columns=columns)
    frame["rank"] = frame.per_effort.rank(ascending=False, method="first")
    frame.attrs["level"] = level
    return frame


def _goal(stage, start, end, history, benchmark) -> float:
    """The rate to be reached."""
    if benchmark and stage in benchmark:
        return float(benchmark[stage])
    if history is None or history.empty:
        return math.nan
    wide = history.pivot_table(index=history.columns[0], columns="step", values="n", aggfunc="sum")
    if start not in wide or end not in wide or len(wide) < 4:
        return math.nan
    rates = (wide[end] / wide[start].where(wide[start] > 0)).dropna()
    return float(rates.quantile(GOOD_MONTH)) if len(rates) >= 4 else math.nan
