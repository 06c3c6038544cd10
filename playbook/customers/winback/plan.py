"""The plan of a win-back round: whom by which rule, what it may cost, who is held back, what it should bring."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import answers
from ...outlook import Decision
from ...period import Period
from .reasons import PLAYS, RULES, moment

HELD_BACK = 0.10
"""Part of those chosen who get nothing, so that the effect can be told."""

UNITS = {
    "customers": "count", "write": "count", "hold_back": "count", "orders": "count", "sales": "currency",
    "cap": "currency",
}  # fmt: skip
MESSAGE_UNITS = {"sent": "count", "held_back": "count", "orders_sent": "share", "orders_held": "share",
                 "orders": "share", "sales": "currency", "p": "share"}  # fmt: skip
"""Of the frames of this package, for a page; orders each message as a percentage."""
WAYS = ["rule", "offer", "way"]
NUMBERS = ["rule", "customers", "write", "hold_back", "orders", "orders_low", "orders_high", "sales", "sales_low",
           "sales_high", "cap"]  # fmt: skip
"""The two halves of a plan, for a page."""


@answers("Who is held back, so that the effect can be told?")
def assigned(reasons: ibis.Table | pd.DataFrame, *, name: str, held_back: float = HELD_BACK) -> ibis.Table:
    """Who is written to in this round, and who is held back?

    Parameters
    ----------
    reasons : Table or DataFrame
        From `reasons`.
    name : str
        Of the round: another name draws others, the same always the same.
    held_back : float, default 0.10
        Fraction.

    Returns
    -------
    Table
        The rows that a rule holds for, with arm (write, hold_back), drawn by a hash of person and name.
    """
    t = as_table(reasons)
    t = t.filter(t.rule != "none")
    drawn = (t.person_id.cast("string") + ibis.literal(f"/{name}")).hexdigest("sha256")[:8]
    return t.mutate(arm=ibis.ifelse(drawn < f"{int(held_back * 16**8):08x}", "hold_back", "write"))


@answers("Whom do we win back, how, and what may it cost?")
def plan(
    assigned: ibis.Table | pd.DataFrame, history: pd.DataFrame | None = None, *, margin: float = math.nan
) -> pd.DataFrame:
    """Whom by which rule, how, what may it cost, and what should it bring?

    Parameters
    ----------
    assigned : Table or DataFrame
        From `assigned`.
    history : DataFrame, optional
        From `history`; without it nothing is said of effects.
    margin : float
        Part of sales left after the cost of goods.

    Returns
    -------
    DataFrame
        One row per rule, in order: rule, offer, way (how she is reached), customers, write, hold_back, sales_year
        (money that they spent in the last 365 days), orders, sales (money; that writing to them once should add, from
        messages to people away as long) with interval, cap (money: the most that one contact may cost, offer included,
        before it costs more than it earns; 0 where nothing is earned).
    """
    t = as_table(assigned)
    found = (
        t.group_by("rule", "window", "arm")
        .aggregate(customers=t.count(), sales_year=t.sales_year.sum())
        .to_pandas()
        .astype({"sales_year": float})
    )
    effect = None if history is None else history.set_index("window")
    out = []
    for rule in RULES:
        mine = found[found.rule == rule]
        write = mine[mine.arm == "write"].groupby("window").customers.sum()
        offer, way = PLAYS[rule]
        row: dict[str, object] = {"rule": rule, "offer": offer, "way": way, "customers": int(mine.customers.sum())}
        row |= {"write": int(write.sum()), "hold_back": int(mine[mine.arm == "hold_back"].customers.sum())}
        row |= {"sales_year": float(mine.sales_year.sum())}
        for what in ("orders", "sales"):
            row |= _expected(what, write, effect)
        each = row["sales"] / row["write"] * margin if row["write"] else math.nan  # type: ignore[operator]
        row["cap"] = each if each != each else max(0.0, each)
        out.append(row)
    return pd.DataFrame(out)


def _expected(what: str, write: pd.Series, effect: pd.DataFrame | None) -> dict[str, float]:
    """The sum over windows of people × effect; half-widths are added in squares, since windows are other people."""
    if effect is None or not len(write) or not write.index.isin(effect.index[effect[what].notna()]).all():
        return {what: math.nan, f"{what}_low": math.nan, f"{what}_high": math.nan}
    value = sum(n * effect.loc[w, what] for w, n in write.items())
    half = math.sqrt(sum((n * (effect.loc[w, f"{what}_high"] - effect.loc[w, what])) ** 2 for w, n in write.items()))
    return {what: float(value), f"{what}_low": float(value - half), f"{what}_high": float(value + half)}


@answers("Whom do we win back?")
def conclusions(
    plan: pd.DataFrame,
    history: pd.DataFrame | None,
    period: Period,
    *,
    as_of: dt.datetime,
    currency: str = "CNY",
    days: int = 7,
) -> list[Finding | Decision]:
    """Is it worth writing to those who are away, and to whom first?

    Parameters
    ----------
    plan, history : DataFrame
        From `plan` and `history`.
    period : Period
        Of the report; the effect is counted over the next.
    as_of : datetime
        Now.
    currency : str
        The shop's.
    days : int, default 7
        Until when it is to be done.

    Returns
    -------
    list of Finding and Decision
        A finding on what messages have brought (p: of no orders added); a decision on the rules for which the lower end
        of what writing should add is above 0, checked by those who are held back.
    """
    chosen = int(plan.customers.sum())
    if not chosen:
        return [Finding("hold", _("Nobody who is away meets one of the rules for winning back."))]
    if history is None or history.empty or history.orders.isna().all():
        text = _(
            "{n} customers who are away meet a rule for winning back; what it would bring cannot be told: no messages "
            "were held back so far."
        )
        return [Finding("watch", text.format(n=style.value(chosen, "count")))]
    away = history.set_index("window").loc["away"]
    text = _(
        "A hundred messages to people who are away have added {orders} orders ({interval}), {money} "
        "({money_interval}): that is what those written to bought more than those held back."
    )
    said = text.format(
        orders=style.value(100 * away.orders, "ratio"),
        interval=style.interval(100 * away.orders_low, 100 * away.orders_high, "ratio"),
        money=style.value(100 * away.sales, "currency", currency=currency),
        money_interval=style.interval(100 * away.sales_low, 100 * away.sales_high, "currency", currency=currency),
    )
    figure = Figure("winback.orders", away.orders, "ratio", away.orders_low, away.orders_high)
    out: list[Finding | Decision] = [Finding("hold", said, None, (figure,), p=away.p)]
    known = plan[plan.orders_low > 0]
    half = {w: math.sqrt((((known[f"{w}_high"] - known[f"{w}_low"]) / 2) ** 2).sum()) for w in ("orders", "sales")}
    orders, sales = float(known.orders.sum()), float(known.sales.sum())
    if known.empty:
        text = _(
            "{n} customers who are away meet a rule; that writing to them adds orders is not sure enough to do it."
        )
        return [*out, Finding("watch", text.format(n=style.value(chosen, "count")))]
    best = known.loc[(known.sales / known.write.where(known.write > 0)).idxmax()]
    text = _(
        "Write to the {n} customers who are away and meet a rule, beginning with “{rule}”, and hold {held} of them "
        "back; no contact may cost more than its cap."
    )
    out.append(
        Decision(
            "win_back",
            text.format(
                n=style.value(int(known.write.sum() + known.hold_back.sum()), "count"),
                rule=term("rule", best.rule),
                held=style.value(int(known.hold_back.sum()), "count"),
            ),
            _("Customer relations"),
            as_of.date() + dt.timedelta(days=days),
            "orders_paid",
            period.following.label,
            orders,
            orders - half["orders"],
            orders + half["orders"],
            "count",
            check="experiment",
            experiment=moment(as_of),
            stake=sales,
        )
    )
    return out
