"""The funnel from what platforms count, where there are no events: visitors, carts, buyers of each day."""

from __future__ import annotations

import math
from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd

from ...data.engine import MONEY, as_table
from ...language import _
from ...missing import answers
from ...period import Period
from .breaks import EVERYWHERE, whole_shop
from .stages import EFFORT, PLATFORM_STAGES, priorities
from .steps import narrowed_days, rate

NAMES = ("visitors", "carts", "buyers")


@answers("Where do buyers get lost on each platform?", needs={"traffic": ["visitors", "carts", "buyers"]})
def platform_steps(
    traffic: ibis.Table | pd.DataFrame,
    *,
    within: Period | None = None,
    by: str = "platform",
    monthly: bool = False,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many visitors of each platform put something into the cart, and buy?

    Platforms give counts of days. Somebody who comes on two days is counted on both, so people of a period cannot be
    told: what is counted are visits of a day, and the steps of a day are what is compared.

    Parameters
    ----------
    traffic : Table or DataFrame
        day, platform, visitors, carts, buyers; sales for the value of a buyer; source for ``by="source"``.
    within : Period, optional
        Only these days.
    by : {"platform", "source"}
        The parts. Sources are those of all platforms together; a visitor may come by two.
    monthly : bool, default False
        Each month apart, in a first column.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        [month], platform (or source), step (visitors, carts, buyers), n (summed over days), a_day (mean),
        step_rate, rate with Wilson intervals, lost, sales (money, at the step of buyers), days. Columns as in
        `steps`. A rate of more than one is not known.
    """
    rows = as_table(traffic)
    if by == "source":
        rows = rows.filter(rows.source.notnull() & (rows.source != ""))
        if "product_id" in rows.columns:
            rows = rows.filter(rows.product_id.isnull() | (rows.product_id == ""))
    else:
        rows = whole_shop(rows)
    rows = rows if within is None else narrowed_days(rows, within)
    cut = [by]
    if monthly:
        rows, cut = rows.mutate(month=rows.day.cast("timestamp").truncate("M")), ["month", by]
    sums = {n: rows[n].sum() for n in NAMES} | {"days": rows.day.nunique()}
    if "sales" in rows.columns:
        sums["sales"] = rows.sales.cast(MONEY).sum()
    found = rows.group_by(cut).aggregate(**sums).to_pandas().fillna(0)
    found = found.sort_values([*cut[:-1], "visitors", by], ascending=[True] * (len(cut) - 1) + [False, True])
    out = []
    for r in found.to_dict("records"):
        for i, name in enumerate(NAMES):
            n, before = int(r[name]), int(r[NAMES[i - 1]] if i else r[name])
            out.append(
                {c: r[c] for c in cut}
                | {"step": name, "n": n, "a_day": n / r["days"]}
                | rate("step_rate", n, before, level)
                | rate("rate", n, int(r["visitors"]), level)
                | {"lost": before - n, "sales": float(r.get("sales", 0)) or math.nan if name == "buyers" else math.nan}
                | {"days": int(r["days"])}
            )
    frame = pd.DataFrame(out)
    if not frame.empty and (frame.lost < 0).any():
        frame.attrs["notes"] = [_("Where more bought than put something into the cart, the platform counts otherwise.")]
    frame.attrs["by"] = cut
    return frame


@answers("What is a buyer worth on each platform?")
def platform_priorities(
    parts: pd.DataFrame,
    history: pd.DataFrame | None = None,
    *,
    rng: np.random.Generator | int,
    effort: Mapping[str, float] = EFFORT,
) -> pd.DataFrame:
    """`priorities` on each platform, from what it counts.

    Parameters
    ----------
    parts : DataFrame
        From `platform_steps`, of the period.
    history : DataFrame, optional
        ``platform_steps(…, monthly=True)`` of the months before: the benchmark is a good month of each platform.
    rng : numpy.random.Generator or int
        Or its seed; for the intervals.
    effort : mapping
        As in `priorities`.

    Returns
    -------
    DataFrame
        platform, then the columns of `priorities`.
    """
    rng = np.random.default_rng(rng)
    out = []
    for platform, now in parts.groupby("platform", sort=False):
        last = now[now.step == "buyers"].iloc[0]
        mean = last.sales / last.n if last.n else math.nan
        worth = pd.DataFrame({"part": [EVERYWHERE], "mean": [mean], "error": [math.nan]})
        before = None if history is None else history[history.platform == platform].drop(columns="platform")
        found = priorities(now, before, worth, rng=rng, stages=PLATFORM_STAGES, effort=effort)
        out.append(found.assign(platform=platform)[["platform", *found.columns]])
    return pd.concat(out, ignore_index=True) if out else pd.DataFrame(columns=["platform"])
