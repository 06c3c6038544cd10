"""What writing to those who are away has brought so far: the shop's own messages against those held back by chance."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ...data.engine import MONEY, as_table
from ...missing import answers
from ..churn import ACTIVE_DAYS, BANDS

WITHIN = 14
"""Days after a message within which orders are counted."""


@answers("What has writing to those who are away brought?", needs={"messages": ["person_id", "holdout"]})
def history(
    messages: ibis.Table | pd.DataFrame,
    purchases: ibis.Table | pd.DataFrame,
    *,
    within: int = WITHIN,
    active_days: int = ACTIVE_DAYS,
    bands: tuple[int, int] = BANDS,
    until: object = None,
    level: float = 0.80,
) -> pd.DataFrame:
    """What has writing to those who are away brought, by how long they had been away?

    Of those chosen for a message some were held back by chance: what they bought is what the others would have bought.
    A person is written to more than once, so errors are those of persons, not of messages.

    Parameters
    ----------
    messages : Table or DataFrame
        Of persons (see `rows_of_persons`): person_id, sent_at, holdout.
    purchases : Table or DataFrame
        From `purchases`.
    within : int, default 14
        Days after the message.
    active_days, bands
        Of the windows, as in `churn.states`; the clock is the last paid order before the message.
    until : date, optional
        Messages must be old enough by then to tell.
    level : float, default 0.80
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per window (away: short, mid and long together; then each; active too): window, sent, held_back
        (messages), orders_sent, orders_held (orders each), orders (difference: orders that a message adds) with
        interval, sales (money that a message adds) with interval, p (two-sided, of no orders added).

    References
    ----------
    Deaton, A. (1997). The Analysis of Household Surveys, 1.4 (ratio estimates of clusters).
    """
    m, p = as_table(messages), as_table(purchases)
    m = m.filter(m.sent_at.notnull()).select("person_id", "sent_at", held=m.holdout.fill_null(False))
    if until is not None:
        m = m.filter(m.sent_at.date() < ibis.date(until) - ibis.interval(days=within))
    m = m.mutate(_id=ibis.row_number())
    bought = p.select("person_id", "at", amount=p.amount.cast(MONEY))
    pairs = m.inner_join(bought, "person_id")
    after = (pairs.at >= pairs.sent_at) & (pairs.at < pairs.sent_at + ibis.interval(days=within))
    each = pairs.group_by("_id", "person_id", "sent_at", "held").aggregate(
        last=pairs.at.max(where=pairs.at < pairs.sent_at),
        orders=after.sum().fill_null(0),
        sales=pairs.amount.sum(where=after).fill_null(0),
    )
    each = each.filter(each.last.notnull())
    days = each.sent_at.date().delta(each.last.date(), unit="day")
    window = ibis.cases(
        (days <= active_days, "active"), (days <= bands[0], "short"), (days <= bands[1], "mid"), else_="long"
    )
    of_person = (
        each.mutate(window=window)
        .group_by("window", "held", "person_id")
        .aggregate(n=lambda t: t.count(), orders=lambda t: t.orders.sum(), sales=lambda t: t.sales.sum())
    )
    of_person = of_person.mutate(
        n=of_person.n.cast("float64"), orders=of_person.orders.cast("float64"), sales=of_person.sales.cast("float64")
    )
    t = of_person
    sums = (
        t.group_by("window", "held")
        .aggregate(
            n=t.n.sum(), orders=t.orders.sum(), sales=t.sales.sum(), nn=(t.n * t.n).sum(),
            oo=(t.orders * t.orders).sum(), on=(t.orders * t.n).sum(), ss=(t.sales * t.sales).sum(),
            sn=(t.sales * t.n).sum(),
        )
        .to_pandas()
    )  # fmt: skip
    return _told(sums, level)


def _told(sums: pd.DataFrame, level: float) -> pd.DataFrame:
    z = float(stats.norm.ppf(0.5 + level / 2))
    out = []
    for name, windows in (("away", ["short", "mid", "long"]), *((w, [w]) for w in ("short", "mid", "long", "active"))):
        mine = sums[sums.window.isin(windows)].drop(columns="window").groupby("held").sum()
        arms = {held: mine.loc[held] for held in (False, True) if held in mine.index}
        row: dict[str, object] = {"window": name}
        row |= {
            "sent": int(arms[False].n) if False in arms else 0,
            "held_back": int(arms[True].n) if True in arms else 0,
        }
        for what, square, cross in (("orders", "oo", "on"), ("sales", "ss", "sn")):
            rate, error = {}, 0.0
            for held, a in arms.items():
                rate[held] = a[what] / a.n
                error += max(0.0, a[square] - 2 * rate[held] * a[cross] + rate[held] ** 2 * a.nn) / a.n**2
            if what == "orders":
                row |= {"orders_sent": rate.get(False, math.nan), "orders_held": rate.get(True, math.nan)}
            effect = rate[False] - rate[True] if len(rate) == 2 else math.nan
            half = z * math.sqrt(error) if len(rate) == 2 else math.nan
            row |= {what: effect, f"{what}_low": effect - half, f"{what}_high": effect + half}
            if what == "orders":
                row["p"] = float(2 * stats.norm.sf(abs(effect) / math.sqrt(error))) if half and half > 0 else math.nan
        out.append(row)
    frame = pd.DataFrame(out)
    frame = frame[(frame.sent > 0) | (frame.held_back > 0)].reset_index(drop=True)
    columns = ["window", "sent", "held_back", "orders_sent", "orders_held", "orders", "orders_low", "orders_high",
               "sales", "sales_low", "sales_high", "p"]  # fmt: skip
    return (
        frame.reindex(columns=columns)
        .astype({"orders": float, "sales": float}, errors="ignore")
        .replace([np.inf, -np.inf], np.nan)
    )
