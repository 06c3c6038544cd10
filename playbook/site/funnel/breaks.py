"""Breaks: the day on which a step of the funnel began to lose more, where, and what that costs."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
from scipy import special, stats

from ...data.engine import as_table
from ...language import _
from ...methods import intervals
from ...missing import answers
from ...period import Period
from .steps import STEPS

YEAR = 364
"""Days over which a break is searched: 52 weeks, so that weekdays line up with those of the year before."""
LEAST_DAYS = 14
"""Days on each side of a break."""
SURE = 0.01
"""Largest p of a break, all days and parts that were searched taken into account."""
ALONE = 4
"""Times as many days on each side where no other part can be compared with: a festival is not to pass for a break."""
EVERYWHERE = ""
"""The part that stands for all of them."""
TRAFFIC = {"visitors": "carts", "carts": "buyers"}
"""Steps that platforms count: each column to the next."""

COLUMNS = (
    "part", "step", "since", "tried_before", "before", "before_low", "before_high", "tried_after", "after", "after_low",
    "after_high", "elsewhere", "change", "p",
)  # fmt: skip

BREAK_SHOWN = ["part", "step", "since", "before", "before_low", "before_high", "after", "after_low", "after_high",
               "elsewhere", "change", "p"]  # fmt: skip
BREAK_UNITS = {
    "tried_before": "count", "before": "share", "tried_after": "count", "after": "share", "p": "share",
    "elsewhere": "share_change", "change": "share_change",
}  # fmt: skip
LOSS_UNITS = {"before": "share", "after": "share", "tried": "count", "lost": "count", "orders": "count",
              "sales": "currency"}  # fmt: skip
"""Of the frames, for a page."""


@answers("How does each step do day by day?", needs={"events": ["event", "event_at", "visitor_id"]})
def daily(
    events: ibis.Table | pd.DataFrame,
    *,
    until: dt.date,
    by: str = "device",
    names: Sequence[str] = STEPS,
    days: int = 2 * YEAR,
    unit: str = "visitor_id",
) -> pd.DataFrame:
    """How many came to each step on each day, and how many went on?

    Parameters
    ----------
    events : Table or DataFrame
        event, event_at, visitor_id; `by` where it is there.
    until : date
        The day after the last one.
    by : str, default "device"
        The parts of the shop that are told apart.
    names : sequence of str
        Events in the order of the funnel.
    days : int, default 728
        How far back: a year to search, and the year before to compare it with.
    unit : str, default "visitor_id"
        What is counted, once a day.

    Returns
    -------
    DataFrame
        day, part, step (that is gone to), tried (visitors of the day at the step before), done (of them at this step
        too, whatever the order). ``attrs["by"]``.
    """
    rows = as_table(events)
    start = until - dt.timedelta(days=days)
    first, end = (ibis.timestamp(f"{day} 00:00:00") for day in (start, until))
    rows = rows.filter((rows.event_at >= first) & (rows.event_at < end) & rows.event.isin(list(names)))
    part = rows[by].cast("string").fill_null("") if by in rows.columns else ibis.literal(EVERYWHERE)
    rows = rows.select("event", _unit=rows[unit], day=rows.event_at.date(), part=part)
    seen = rows.group_by("_unit", "day", "part").aggregate(**{n: (rows.event == n).max() for n in names})
    found = (
        seen.group_by("day", "part")
        .aggregate(
            **{f"tried_{b}": seen[a].sum() for a, b in itertools.pairwise(names)},
            **{f"done_{b}": (seen[a] & seen[b]).sum() for a, b in itertools.pairwise(names)},
        )
        .order_by("day", "part")
        .to_pandas()
    )
    parts = [
        pd.DataFrame(
            {"day": found.day, "part": found.part, "step": n, "tried": found[f"tried_{n}"], "done": found[f"done_{n}"]}
        )
        for n in names[1:]
    ]
    return _tidy(parts, by)


@answers("How does each step do day by day?", needs={"traffic": ["visitors", "carts", "buyers"]})
def daily_traffic(traffic: ibis.Table | pd.DataFrame, *, until: dt.date, days: int = 2 * YEAR) -> pd.DataFrame:
    """The same as `daily`, from the counts of platforms: visitors → carts → buyers of the whole shop.

    Parameters
    ----------
    traffic : Table or DataFrame
        day, platform, visitors, carts, buyers; product_id and source are empty in the rows that are read.
    until : date
        The day after the last one.
    days : int, default 728
        How far back.

    Returns
    -------
    DataFrame
        As `daily`; the parts are platforms. Days on which a platform counts more at a later step are left out.
    """
    rows = whole_shop(as_table(traffic))
    start = until - dt.timedelta(days=days)
    rows = rows.filter((rows.day >= ibis.date(start)) & (rows.day < ibis.date(until)))
    found = rows.select("day", "platform", "visitors", "carts", "buyers").order_by("day", "platform").to_pandas()
    parts = []
    for tried, done in TRAFFIC.items():
        there = found.dropna(subset=[tried, done])
        there = there[there[done] <= there[tried]]
        parts.append(
            pd.DataFrame(
                {"day": there.day, "part": there.platform, "step": done, "tried": there[tried], "done": there[done]}
            )
        )
    return _tidy(parts, "platform")


def whole_shop(traffic: ibis.Table) -> ibis.Table:
    """The rows of a platform's whole shop: neither of a product nor of a source."""
    for column in ("product_id", "source"):
        if column in traffic.columns:
            traffic = traffic.filter(traffic[column].isnull() | (traffic[column] == ""))
    return traffic


def _tidy(parts: list[pd.DataFrame], by: str) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True)
    frame["day"] = pd.to_datetime(frame.day)
    frame[["tried", "done"]] = frame[["tried", "done"]].fillna(0).astype("int64")
    frame.attrs["by"] = by
    return frame


@answers("Since when does a step lose more than it did?")
def breaks(
    daily: pd.DataFrame, *, least_days: int = LEAST_DAYS, sure: float = SURE, least_change: float = 0.02
) -> pd.DataFrame:
    """Since when, and where, does a step of the funnel go worse (or better) than it did?

    For each part and step the day is searched that best divides the days into two rates (maximum likelihood); the
    change counts against that of the other parts over the same days, so that festivals and seasons, which reach all
    parts, are no breaks. Where there is one part, or all change alike, the whole funnel is looked at, with `ALONE`
    times as many days on each side, and held against the same days of the year before, where the data have them.

    Parameters
    ----------
    daily : DataFrame
        From `daily` or `daily_traffic`.
    least_days : int, default 14
        Days on each side.
    sure : float, default 0.01
        Largest p, after Bonferroni's correction for the days, parts and steps that were searched. Days vary more than
        chance lets them; the variance is scaled by Pearson's statistic.
    least_change : float, default 0.02
        Smallest change (fraction) that is told.

    Returns
    -------
    DataFrame
        One row per break, the surest first: part ("" is everywhere), step, since (first day after it), tried_before,
        before (rate) with its interval, tried_after, after with its interval, elsewhere (what the rate of the other
        parts, or of the year before, changed by, fraction), change (after − before − elsewhere), p.

    References
    ----------
    Hinkley, D. V. & Hinkley, E. A. (1970). Inference about the change-point in a sequence of binomial variables.
    Biometrika 57, 477–488. McCullagh, P. & Nelder, J. A. (1989). Generalized Linear Models, 4.5 (over-dispersion).
    """
    found: list[dict[str, Any]] = []
    steps = list(dict.fromkeys(daily.step))
    parts = list(dict.fromkeys(daily.part))
    begins = daily.day.max() - pd.Timedelta(days=YEAR - 1)
    tests = max(1, len(steps) * (len(parts) + 1)) * max(1, min(YEAR, daily.day.nunique()) - 2 * least_days)
    for step in steps:
        of_step = daily[daily.step == step]
        span = pd.date_range(daily.day.min(), daily.day.max())
        wide = {c: of_step.pivot_table(index="day", columns="part", values=c, aggfunc="sum") for c in ("tried", "done")}
        tried, done = (wide[c].reindex(index=span, columns=parts).fillna(0.0) for c in ("tried", "done"))
        year_ago = [t.sum(axis=1).shift(YEAR).loc[begins:] for t in (tried, done)] if len(span) >= 2 * YEAR else None
        tried, done = tried.loc[begins:], done.loc[begins:]
        several = [p for p in parts if tried[p].sum() > 0]
        mine: list[dict[str, Any]] = []
        for part in several if len(several) > 1 else []:
            rest = (tried.drop(columns=part).sum(axis=1), done.drop(columns=part).sum(axis=1))
            mine += _break(part, step, tried[part], done[part], rest, least_days, tests)
        told = [b for b in mine if _counts(b, sure, least_change)]
        if not told:
            whole = _break(EVERYWHERE, step, tried.sum(axis=1), done.sum(axis=1), year_ago, ALONE * least_days, tests)
            told = [b for b in whole if _counts(b, sure, least_change)]
        found += sorted(told, key=lambda b: b["p"])[:1]
    frame = pd.DataFrame(found, columns=COLUMNS)
    frame = frame.sort_values("p", kind="stable", ignore_index=True)
    frame.attrs["by"] = daily.attrs.get("by", "part")
    frame.attrs["notes"] = [] if found else [_("No step broke, as far as the days can tell.")]
    return frame


def _counts(b: dict[str, Any], sure: float, least: float) -> bool:
    return b["p"] <= sure and abs(b["change"]) >= least


def _break(part, step, tried, done, rest, least_days: int, tests: int) -> list[dict[str, Any]]:
    """The best day of one series, with what changed there; nothing where it is too short."""
    n, k = tried.to_numpy(dtype=float), done.to_numpy(dtype=float)
    if len(n) < 2 * least_days + 1:
        return []
    upto_n, upto_k = np.cumsum(n), np.cumsum(k)
    at = np.arange(least_days, len(n) - least_days + 1)  # the first day after
    n0, k0 = upto_n[at - 1], upto_k[at - 1]
    n1, k1 = upto_n[-1] - n0, upto_k[-1] - k0
    sides = (n0 > 0) & (n1 > 0)
    if not sides.any():
        return []
    gain = np.where(sides, _likelihood(k0, n0) + _likelihood(k1, n1) - _likelihood(upto_k[-1:], upto_n[-1:]), -np.inf)
    best = int(np.argmax(gain))
    if not np.isfinite(gain[best]) or gain[best] <= 0:
        return []
    i = int(at[best])
    before, after = k0[best] / n0[best], k1[best] / n1[best]
    spread = _overdispersion(n, k, i)
    moved, error = after - before, _variance(k0[best], n0[best]) + _variance(k1[best], n1[best])
    elsewhere = 0.0
    if rest is not None:
        other_n, other_k = (s.to_numpy(dtype=float) for s in rest)
        if other_n[:i].sum() == 0 or other_n[i:].sum() == 0:
            return []
        ends = [(other_k[:i].sum(), other_n[:i].sum()), (other_k[i:].sum(), other_n[i:].sum())]
        elsewhere = ends[1][0] / ends[1][1] - ends[0][0] / ends[0][1]
        spread = max(spread, _overdispersion(other_n, other_k, i))
        error += _variance(*ends[0]) + _variance(*ends[1])
    z = (moved - elsewhere) / math.sqrt(error * spread) if error > 0 else 0.0
    sides_of = {
        "before": intervals.wilson(k0[best], n0[best]),
        "after": intervals.wilson(k1[best], n1[best]),
    }
    found = {
        "part": part, "step": step, "since": tried.index[i],
        "tried_before": int(n0[best]), "before": before, "before_low": sides_of["before"].low,
        "before_high": sides_of["before"].high, "tried_after": int(n1[best]), "after": after,
        "after_low": sides_of["after"].low, "after_high": sides_of["after"].high, "elsewhere": elsewhere,
        "change": moved - elsewhere, "p": min(1.0, float(2 * stats.norm.sf(abs(z))) * tests),
    }  # fmt: skip
    return [found]


def _likelihood(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Log-likelihood of `k` of `n` at its own rate."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.where(n > 0, k / n, 0.5)
    return special.xlogy(k, p) + special.xlogy(n - k, 1 - p)


def _variance(k: float, n: float) -> float:
    p = (k + 0.5) / (n + 1)
    return p * (1 - p) / n


def _overdispersion(n: np.ndarray, k: np.ndarray, i: int) -> float:
    """How much more days vary than chance lets them, on both sides of day `i`; never less than 1."""
    total, freedom = 0.0, -2
    for side in (slice(None, i), slice(i, None)):
        size, hits = n[side], k[side]
        p = hits.sum() / size.sum()
        there = size > 0
        if 0 < p < 1:
            total += float(((hits[there] - size[there] * p) ** 2 / (size[there] * p * (1 - p))).sum())
            freedom += int(there.sum())
    return max(1.0, total / freedom) if freedom > 0 else 1.0


@answers("What does a broken step cost?")
def loss(
    found: pd.DataFrame,
    daily: pd.DataFrame,
    orders: pd.DataFrame | None = None,
    *,
    within: Period,
    rng: np.random.Generator | int,
    level: float = 0.95,
    draws: int = 4000,
) -> pd.DataFrame:
    """What did the steps that broke cost in a period?

    Lost at the step: visitors of the period that came to it × (the rate before + what changed elsewhere − the rate
    after). Of them would have bought as many as did of those who passed it in the period.

    Parameters
    ----------
    found, daily : DataFrame
        From `breaks` and `daily`.
    orders : DataFrame, optional
        From `order_values`: what a purchase is worth.
    within : Period
        The days that are counted; a break within them counts from its day on.
    rng : numpy.random.Generator or int
        Or its seed; for the interval: rates and order values are drawn together.
    level : float, default 0.95
        Of the interval.
    draws : int, default 4000
        How often.

    Returns
    -------
    DataFrame
        The falls among the breaks: part, step, since, before, after, tried (in the period), lost (visitors at the
        step), orders, orders_low, orders_high, sales (money; NaN without order values), sales_low, sales_high.
    """
    rng = np.random.default_rng(rng)
    out = []
    order = list(dict.fromkeys(daily.step))
    for b in found[found.change < 0].to_dict("records"):
        days = daily[(daily.day >= max(pd.Timestamp(within.start), b["since"])) & (daily.day < str(within.end))]
        mine = days if b["part"] == EVERYWHERE else days[days.part == b["part"]]
        sums = mine.groupby("step")[["tried", "done"]].sum()
        tried = int(sums.tried.get(b["step"], 0))
        before, after = (
            rng.beta(b[s] * b[f"tried_{s}"] + 0.5, (1 - b[s]) * b[f"tried_{s}"] + 0.5, draws)
            for s in ("before", "after")
        )
        short = before + b["elsewhere"] - after
        then, drawn = 1.0, np.ones(draws)
        for step in order[order.index(b["step"]) + 1 :]:
            done, of = int(sums.done.get(step, 0)), int(sums.tried.get(step, 0))
            then *= done / of if of else math.nan
            drawn = drawn * rng.beta(done + 0.5, of - done + 0.5, draws)
        lost = -b["change"] * tried
        worth, drawn_worth = _worth(orders, b["part"], rng, draws)
        row = {c: b[c] for c in ("part", "step", "since", "before", "after")} | {"tried": tried, "lost": lost}
        for name, value, sample in (
            ("orders", lost * then, tried * short * drawn),
            ("sales", lost * then * worth, tried * short * drawn * drawn_worth),
        ):
            low, high = _ends(sample, level)
            row |= {name: value, f"{name}_low": min(low, value), f"{name}_high": max(high, value)}
        out.append(row)
    columns = [
        "part", "step", "since", "before", "after", "tried", "lost", "orders", "orders_low", "orders_high", "sales",
        "sales_low", "sales_high",
    ]  # fmt: skip
    frame = pd.DataFrame(out, columns=columns)
    frame.attrs = {"by": found.attrs.get("by", "part"), "period": within.label, "level": level}
    frame.attrs["notes"] = [] if out else [_("No step broke, so that nothing was lost by it.")]
    return frame


def _worth(orders: pd.DataFrame | None, part: str, rng: np.random.Generator, draws: int) -> tuple[float, np.ndarray]:
    """The mean value of a part's purchases, and draws of it; of all purchases where the part has too few."""
    if orders is None or orders.empty:
        return math.nan, np.full(draws, math.nan)
    mine = orders[orders.part == part]
    if mine.empty or mine.n.iloc[0] < 30:
        mine = orders[orders.part == EVERYWHERE]
    row = mine.iloc[0]
    return float(row["mean"]), rng.normal(row["mean"], row["error"] if row["error"] == row["error"] else 0.0, draws)


def _ends(sample: np.ndarray, level: float) -> tuple[float, float]:
    if np.isnan(sample).all():
        return math.nan, math.nan
    low, high = np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
