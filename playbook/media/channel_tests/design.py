"""A small test of a channel: what it must cost to tell anything, how long it runs, and when it is stopped."""

from __future__ import annotations

import datetime as dt
import math
from typing import NamedTuple

import ibis
import pandas as pd
from scipy import stats

from ...data.engine import as_table
from ...language import _
from ...missing import answers
from .cycles import TITLES, Rules

PLAN = {"difference": "share", "orders": "count", "spend": "currency", "cycles": "count", "days": "days"}
TIMELINE = {
    "spend": "currency", "expected": "currency", "least": "currency", "stop_loss": "currency",
}  # fmt: skip

CYCLE_DAYS = 14
"""Two whole weeks: weekdays even out, and what people buy some days after an advertisement still counts."""

SMALL = 0.10
"""Of what all channels cost together: so much a test may cost where nothing else is said."""


class Worth(NamedTuple):
    """Spread of order values over their mean; the part of sales that is left after goods, and whether that is known."""

    spread: float = 1.0
    kept: float = 1.0
    known: bool = False


@answers("How small can a test of a channel be?")
def design(
    daily: pd.DataFrame, rules: Rules | None = None, *, worth: Worth | None = None, budget: float = 0.0,
    cycle_days: int = CYCLE_DAYS, power: float = 0.8, alpha: float = 0.05, days: int = 91,
) -> pd.DataFrame:  # fmt: skip
    """How much must be spent on a test before it can tell a channel from a line?

    The ROAS of a test is as uncertain as its few orders: with n orders of spread s (over their mean) its relative error
    is √((1 + s²) / n). A test is large enough where it finds the difference with the power asked for, one-sided.

    Parameters
    ----------
    daily : DataFrame
        From `daily`; its last `days` say what existing channels return, and what an order is worth.
    rules : Rules, optional
        The differences: entry, scale, and exit (1 − exit below).
    worth : Worth
        From `order_worth`.
    budget : float
        Money a cycle that the test may cost; 0: a tenth of what all channels cost in as many days.
    cycle_days : int
    power, alpha : float
    days : int

    Returns
    -------
    DataFrame
        One row per rule: rule (entry, scale, exit), difference (from the mean, fraction), orders, spend (for so
        many, at a ROAS so far from the mean), cycles, days. ``attrs``: roas, order_value, budget, cycle_days. Empty,
        with a note, where nothing was spent or sold lately.
    """
    rules, worth = rules or Rules(), worth or Worth()
    until = daily.attrs["until"]
    recent = daily[daily["day"] >= until - pd.Timedelta(days=days)]
    cost, sales, orders = (float(recent[c].sum()) for c in ("spend", "sales", "orders"))
    frame = pd.DataFrame(columns=["rule", *PLAN])
    frame.attrs = {"notes": [], "worth": worth, "titles": TITLES}
    if not (cost > 0 and sales > 0 and orders > 0):
        frame.attrs["notes"] = [_("not enough data: needs days with spending and credited orders")]
        return frame
    roas, value = sales / cost, sales / orders
    cap = budget if budget > 0 else SMALL * cost * cycle_days / days
    z = float(stats.norm.ppf(1 - alpha) + stats.norm.ppf(power))
    lines = []
    for rule, away in (("entry", rules.entry), ("scale", rules.scale), ("exit", rules.exit - 1)):
        n = math.ceil((1 + worth.spread**2) * (z / math.log1p(away)) ** 2)
        spend = n * value / (roas * (1 + away))
        cycles = math.ceil(spend / cap)
        lines.append((rule, away, n, spend, cycles, cycles * cycle_days))
    frame = pd.DataFrame(lines, columns=["rule", *PLAN])
    frame.attrs = {"notes": [], "worth": worth, "titles": TITLES, "roas": roas, "order_value": value, "budget": cap,
                   "cycle_days": cycle_days}  # fmt: skip
    return frame


@answers("What is an order worth?")
def order_worth(
    orders: ibis.Table | pd.DataFrame, order_items: ibis.Table | pd.DataFrame | None = None,
    products: ibis.Table | pd.DataFrame | None = None, *, until: dt.date, days: int = 91,
) -> Worth:  # fmt: skip
    """How much do order values vary, and what part of them is left after the cost of goods?

    Parameters
    ----------
    orders : Table
        order_id, paid_at, amount (money).
    order_items, products : Table, optional
        order_id, product_id, quantity, amount; product_id, unit_cost.
    until : date
        Orders of the last `days` before it.
    """
    paid = as_table(orders)
    end = dt.datetime.combine(until, dt.time())
    paid = paid.filter((paid.paid_at >= end - dt.timedelta(days=days)) & (paid.paid_at < end))
    amount = paid.amount.cast("float64")
    found = paid.aggregate(mean=amount.mean(), sd=amount.std()).to_pandas().iloc[0]
    spread = float(found["sd"] / found["mean"]) if found["mean"] and found["mean"] > 0 else math.nan
    kept = math.nan
    if order_items is not None and products is not None and "unit_cost" in products.columns:
        key = [c for c in ("platform", "order_id") if c in order_items.columns and c in paid.columns]
        lines = as_table(order_items).semi_join(paid, key)
        cost = as_table(products).filter(lambda t: t.unit_cost.notnull()).select("product_id", "unit_cost")
        lines = lines.inner_join(cost.distinct(on="product_id"), "product_id")
        sums = lines.aggregate(
            worth=lines.amount.sum().cast("float64"), cost=(lines.quantity * lines.unit_cost).sum().cast("float64")
        )
        sums = sums.to_pandas().iloc[0]
        kept = float(1 - sums["cost"] / sums["worth"]) if sums["worth"] and sums["worth"] > 0 else math.nan
    return Worth(1.0 if math.isnan(spread) else spread, 1.0 if math.isnan(kept) else kept, not math.isnan(kept))


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
        which it stops), stop_loss (what is lost where it stops there: spend less what is left of `least`
        after the cost of goods).
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
        n = expected / about["order_value"] / (1 + about["worth"].spread ** 2)
        least = float(stats.poisson.ppf(alpha / looks, n)) / n * expected
        ends = pd.Timestamp(start) + pd.Timedelta(days=i * about["cycle_days"] - 1)
        lines.append((i, ends, spend, expected, least, max(0.0, spend - about["worth"].kept * least)))
    frame = pd.DataFrame(lines, columns=["cycle", "ends", *TIMELINE])
    notes = (
        []
        if about["worth"].known
        else [_("REVIEW: no cost of goods, so the stop-loss counts all sales as if they were kept.")]
    )
    frame.attrs = {**about, "notes": notes}
    return frame
