"""A small test of a channel: what it must cost to tell anything, how long it runs, and when it is stopped."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import pandas as pd
from scipy import stats

from ...data.engine import as_table
from ...language import _
from ...missing import answers
from .cycles import Rules

PLAN = {"difference": "share", "orders": "count", "spend": "currency", "cycles": "count", "days": "days"}
TIMELINE = {
    "spend": "currency", "expected": "currency", "least": "currency", "stop_loss": "currency",
}  # fmt: skip

CYCLE_DAYS = 14
"""Two whole weeks: weekdays even out, and what people buy some days after an advertisement still counts."""

SMALL = 0.10
"""Of what all channels cost together: so much a test may cost where nothing else is said."""


@answers("How small can a test of a channel be?")
def design(
    daily: pd.DataFrame, rules: Rules | None = None, *, spread: float = 1.0, budget: float = 0.0,
    cycle_days: int = CYCLE_DAYS, power: float = 0.8, alpha: float = 0.05, days: int = 91,
) -> pd.DataFrame:  # fmt: skip
    """How much must be spent on a test before it can tell a channel from a line?

    The ROAS of a test is as uncertain as its few orders: with n orders of spread s (over their mean) its relative error
    is √((1 + s²) / n). A test is large enough to see a difference where it finds it with the power asked for, one-sided.

    Parameters
    ----------
    daily : DataFrame
        From `daily`; its last `days` say what existing channels return, and what an order is worth.
    rules : Rules, optional
        The differences: entry, scale, and exit (1 − exit below).
    spread : float
        Standard deviation of order values over their mean (`spread_of` tells it from orders).
    budget : float
        Money a cycle that the test may cost; 0: a tenth of what all channels cost in as many days.
    cycle_days : int
    power, alpha : float
    days : int

    Returns
    -------
    DataFrame
        One row per rule: rule (entry, scale, exit), difference (from the mean, fraction), orders, spend (for so
        many, at a ROAS so far from the mean), cycles, days. ``attrs``: roas, order_value, budget, cycle_days. Empty, with a note, where nothing was
        spent or sold lately.
    """
    rules = rules or Rules()
    until = daily.attrs["until"]
    recent = daily[daily["day"] >= until - pd.Timedelta(days=days)]
    cost, worth, orders = (float(recent[c].sum()) for c in ("spend", "sales", "orders"))
    frame = pd.DataFrame(columns=["rule", *PLAN])
    frame.attrs = {"notes": [], "spread": spread}
    if not (cost > 0 and worth > 0 and orders > 0):
        frame.attrs["notes"] = [_("not enough data: needs days with spending and credited orders")]
        return frame
    roas, value = worth / cost, worth / orders
    cap = budget if budget > 0 else SMALL * cost * cycle_days / days
    z = float(stats.norm.ppf(1 - alpha) + stats.norm.ppf(power))
    lines = []
    for rule, away in (("entry", rules.entry), ("scale", rules.scale), ("exit", rules.exit - 1)):
        n = math.ceil((1 + spread**2) * (z / math.log1p(away)) ** 2)
        spend = n * value / (roas * (1 + away))
        cycles = math.ceil(spend / cap)
        lines.append((rule, away, n, spend, cycles, cycles * cycle_days))
    frame = pd.DataFrame(lines, columns=["rule", *PLAN])
    frame.attrs = {"notes": [], "spread": spread, "roas": roas, "order_value": value, "budget": cap,
                   "cycle_days": cycle_days, "target": roas * (1 + rules.entry)}  # fmt: skip
    return frame


@answers("How much do order values vary?")
def spread_of(orders: ibis.Table | pd.DataFrame, *, until: dt.date, days: int = 91) -> float:
    """The standard deviation of order values over their mean, of the last days; 1 where it is not known."""
    paid = as_table(orders)
    end = dt.datetime.combine(until, dt.time())
    paid = paid.filter((paid.paid_at >= end - dt.timedelta(days=days)) & (paid.paid_at < end))
    amount = paid.amount.cast("float64")
    found = paid.aggregate(mean=amount.mean(), sd=amount.std()).to_pandas().iloc[0]
    return float(found["sd"] / found["mean"]) if found["mean"] and found["mean"] > 0 and found["sd"] == found["sd"] else 1.0


@answers("When is a small test stopped?")
def timeline(plan: pd.DataFrame, *, start: dt.date, cycles: int = 6, alpha: float = 0.05) -> pd.DataFrame:
    """What must a test have returned at the end of each cycle for it to go on?

    A channel that is as good as the mean of the existing ones comes below `least` in one test of twenty (α, split over
    the looks). What is lost when it is stopped there is the stop-loss.

    Parameters
    ----------
    plan : DataFrame
        From `design`.
    start : date
    cycles : int, default 6
        Most looks; the test ends earlier where the plan says that it is large enough for the entry rule.
    alpha : float

    Returns
    -------
    DataFrame
        One row a cycle: cycle, ends (last day), spend (so far), expected (sales at the mean ROAS), least (sales below
        which it stops), stop_loss (spend − least: the most that is lost by then).
    """
    frame = pd.DataFrame(columns=["cycle", "ends", *TIMELINE])
    frame.attrs = dict(plan.attrs)
    if plan.empty:
        return frame
    about = plan.attrs
    looks = max(1, min(cycles, int(plan.loc[plan["rule"] == "entry", "cycles"].iloc[0])))
    lines = []
    for i in range(1, looks + 1):
        spend = about["budget"] * i
        expected = spend * about["roas"]
        # orders are counted (Poisson), their values add the rest of the spread: a count of as many effective orders
        n = expected / about["order_value"] / (1 + about["spread"] ** 2)
        least = float(stats.poisson.ppf(alpha / looks, n)) / n * expected
        lines.append((i, pd.Timestamp(start) + pd.Timedelta(days=i * about["cycle_days"] - 1), spend, expected, least,
                      spend - least))  # fmt: skip
    frame = pd.DataFrame(lines, columns=["cycle", "ends", *TIMELINE])
    frame.attrs = dict(about)
    return frame
