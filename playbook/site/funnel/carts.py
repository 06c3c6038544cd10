"""Carts: how many are left behind, where, what lies in them, and what a better checkout would bring."""

from __future__ import annotations

import math
from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd

from ...data.engine import MONEY, as_table
from ...language import _
from ...methods import intervals
from ...missing import answers
from ...period import Period
from .breaks import EVERYWHERE
from .steps import narrowed, rate

CHECKOUT = ("add_to_cart", "begin_checkout", "add_payment_info", "purchase")
LATER = 7
"""Days within which a visitor who left a cart may still buy by herself."""
FALLS = (0.05, 0.10, 0.28)
"""By what part abandonment might fall: with care, as hoped, and as the source documents claim."""

CART_UNITS = {
    "carts": "count", "abandoned": "count", "abandonment": "share", "later": "count", "value_left": "currency",
    "mean_value": "currency", "falls": "share", "orders": "count", "sales": "currency",
}  # fmt: skip
"""Of the frames, for a page."""


@answers("What is an order worth?", needs={"events": ["event", "event_at", "value"]})
def order_values(
    events: ibis.Table | pd.DataFrame, *, within: Period | None = None, by: str = "device", event: str = "purchase"
) -> pd.DataFrame:
    """What is a purchase on the site worth, by part?

    Parameters
    ----------
    events : Table or DataFrame
        event, event_at, value (money); `by` where it is there.
    within : Period, optional
        Only these days.
    by : str, default "device"
        The parts.
    event : str, default "purchase"
        The event whose value counts.

    Returns
    -------
    DataFrame
        part ("" is everywhere), n (purchases with a value), mean (money), error (standard error of the mean; NaN for
        one purchase), total (money).
    """
    rows = narrowed(as_table(events), within)
    rows = rows.filter((rows.event == event) & rows.value.notnull())
    value = rows.value.cast(MONEY)
    rows = rows.select(part=rows[by].cast("string").fill_null("?") if by in rows.columns else "?", value=value)
    sums = {"n": rows.count(), "total": rows.value.sum(), "squares": (rows.value * rows.value).sum()}
    found = rows.group_by("part").aggregate(**sums).order_by("part").to_pandas()
    found[["total", "squares"]] = found[["total", "squares"]].astype(float)
    whole = found[["n", "total", "squares"]].sum()
    found = pd.concat([found, pd.DataFrame([{"part": EVERYWHERE, **whole}])], ignore_index=True)
    found = found[found.n > 0]
    mean = found.total / found.n
    spread = ((found.squares - found.total * mean) / (found.n - 1).where(found.n > 1)).clip(lower=0)
    return pd.DataFrame(
        {"part": found.part, "n": found.n.astype(int), "mean": mean, "error": np.sqrt(spread / found.n),
         "total": found.total}
    )  # fmt: skip


@answers("Up to what order value is shipping charged?", needs={"orders": ["shipping"]})
def fee_below(
    orders: ibis.Table | pd.DataFrame, events: ibis.Table | pd.DataFrame | None = None, *, mostly: float = 0.95
) -> float:
    """Up to what order value does the buyer pay for shipping?

    Parameters
    ----------
    orders : Table or DataFrame
        amount, shipping (money), order_id.
    events : Table or DataFrame, optional
        With order_id: only orders of the site are looked at.
    mostly : float, default 0.95
        Part of the orders below that must pay, and of those above that must not.

    Returns
    -------
    float
        The smallest order value from which on shipping is free; NaN where no such limit can be seen.
    """
    rows = as_table(orders)
    if events is not None and "order_id" in as_table(events).columns:
        bought = as_table(events)
        rows = rows.semi_join(bought.filter(bought.order_id.notnull()), "order_id")
    rows = rows.filter(rows.shipping.notnull()).mutate(pays=rows.shipping > 0)
    limit = rows.aggregate(at=rows.amount.cast("float64").quantile(0.99, where=rows.pays)).to_pandas()["at"].iloc[0]
    if limit is None or limit != limit:
        return math.nan
    below = rows.amount.cast("float64") <= limit
    counted = rows.aggregate(
        low=below.sum(), low_pays=(below & rows.pays).sum(), high=(~below).sum(), high_pays=(~below & rows.pays).sum()
    )
    n = counted.to_pandas().iloc[0].fillna(0)
    clear = n["low"] > 0 and n["low_pays"] >= mostly * n["low"] and n["high_pays"] <= (1 - mostly) * n["high"]
    return float(limit) if clear and n["high"] else math.nan


@answers("How many carts are left behind?", needs={"events": ["event", "event_at", "visitor_id"]})
def abandonment(
    events: ibis.Table | pd.DataFrame,
    *,
    within: Period,
    by: Sequence[str] = ("device",),
    free_from: float | None = None,
    later_days: int = LATER,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many carts are left behind, where, and what lies in them?

    A cart is a visitor's day on which something was put into one: all that is put in on a day is one cart.

    Parameters
    ----------
    events : Table or DataFrame
        event, event_at, visitor_id; value (money) and the columns of `by` where there are.
    within : Period
        The days of the carts.
    by : sequence of str, default ("device",)
        Cuts, each for itself; a column that is not there is passed over.
    free_from : float, optional
        From `fee_below`: carts are also cut by whether shipping is charged.
    later_days : int, default 7
        Who buys within so many days after the cart has not left it for good.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per part of each cut: cut ("all", "furthest step", a column of `by`, "shipping"), part, carts, abandoned
        (not bought on the day), abandonment (fraction; at each furthest step of all carts) with Wilson interval, later
        (of the abandoned, who bought within `later_days`), value_left (money in the carts of those who did not even
        later), mean_value (of an abandoned cart; NaN where events carry no value).
    """
    rows = as_table(events)
    cart_days = _carts(rows, within, [c for c in by if c in rows.columns], later_days)
    cuts: dict[str, ibis.Value] = {"all": ibis.literal(EVERYWHERE), "furthest step": cart_days.furthest}
    cuts |= {c: cart_days[c].cast("string").fill_null("") for c in by if c in rows.columns}
    if free_from is not None and not math.isnan(free_from):
        charged = cart_days.value.cast("float64") <= free_from
        cuts["shipping"] = ibis.cases((cart_days.value.isnull(), ""), (charged, "charged"), else_="free")
    left = cart_days.abandoned & ~cart_days.later
    out = []
    for cut, part in cuts.items():
        t = cart_days.mutate(_part=part)
        found = (
            t.group_by("_part")
            .aggregate(
                carts=t.count(), abandoned=t.abandoned.sum(), later=t.later.sum(), value_left=t.value.sum(where=left),
                n_valued=t.value.count(where=t.abandoned), value_abandoned=t.value.sum(where=t.abandoned),
                squares=(t.value * t.value).sum(where=t.abandoned),
            )
            .order_by(ibis.desc("carts"), "_part")
            .to_pandas()
        )  # fmt: skip
        whole = int(found.carts.sum()) if cut == "furthest step" else 0
        out += [_row(cut, r, whole, level) for r in found.to_dict("records") if not (whole and not r["abandoned"])]
    frame = pd.DataFrame(out, columns=COLUMNS)
    frame.attrs = {"later_days": later_days, "free_from": free_from, "period": within.label}
    return frame


COLUMNS = (
    "cut", "part", "carts", "abandoned", "abandonment", "abandonment_low", "abandonment_high", "later", "value_left",
    "mean_value", "mean_value_low", "mean_value_high",
)  # fmt: skip


def _row(cut: str, r: dict, whole: int, level: float) -> dict[str, object]:
    number = {k: float(r[k]) if r[k] == r[k] and r[k] is not None else 0.0 for k in r if k != "_part"}
    n = number["n_valued"]
    low, high = intervals.mean(number["value_abandoned"], number["squares"], n, level=level)
    return (
        {"cut": cut, "part": r["_part"], "carts": int(r["carts"]), "abandoned": int(number["abandoned"])}
        | rate("abandonment", int(number["abandoned"]), whole or int(r["carts"]), level)
        | {"later": int(number["later"]), "value_left": number["value_left"] if n else math.nan}
        | {"mean_value": number["value_abandoned"] / n if n else math.nan}
        | {"mean_value_low": low, "mean_value_high": high}
    )


def _carts(events: ibis.Table, within: Period, by: list[str], later_days: int) -> ibis.Table:
    """One row per cart: its value, how far it came, whether it was bought, or later."""
    end = within.end
    reach = narrowed(events, Period(within.start, end + pd.Timedelta(days=later_days).to_pytimedelta()))
    rows = reach.filter(reach.event.isin(list(CHECKOUT)) & reach.visitor_id.notnull())
    has_value = "value" in events.columns
    value = rows.value.cast(MONEY) if has_value else ibis.null(MONEY)
    rows = rows.select("visitor_id", "event", "event_at", *by, day=rows.event_at.date(), value=value)
    days = rows.group_by("visitor_id", "day").aggregate(
        **{n: (rows.event == n).max() for n in CHECKOUT},
        put=rows.value.sum(where=rows.event == "add_to_cart"),
        shown=rows.value.max(where=rows.event == "begin_checkout"),
        **{c: rows[c].argmin(rows.event_at) for c in by},
    )
    order = ibis.window(group_by="visitor_id", order_by=[ibis.desc(days.day)], preceding=(None, 1))
    bought_on = ibis.ifelse(days.purchase, days.day, ibis.null("date"))
    days = days.mutate(next_bought=bought_on.min().over(order))
    carts = days.filter(days.add_to_cart & (days.day < ibis.date(end)))
    soon = carts.next_bought.notnull() & (carts.next_bought <= carts.day + ibis.interval(days=later_days))
    furthest = ibis.cases(
        (carts.purchase, "purchase"),
        (carts.add_payment_info, "add_payment_info"),
        (carts.begin_checkout, "begin_checkout"),
        else_="add_to_cart",
    )
    return carts.mutate(
        abandoned=~carts.purchase, later=(~carts.purchase) & soon, furthest=furthest,
        value=ibis.coalesce(carts.shown, carts.put),
    )  # fmt: skip


@answers("What would it bring if fewer carts were left behind?")
def what_if(
    carts: pd.DataFrame,
    *,
    falls: Sequence[float] = FALLS,
    rng: np.random.Generator | int,
    level: float = 0.80,
    draws: int = 4000,
) -> pd.DataFrame:
    """What would it bring in such a period if fewer carts were left behind?

    Of the carts that are bought then, some would have been bought within days anyway: they are taken off.

    Parameters
    ----------
    carts : DataFrame
        From `abandonment`.
    falls : sequence of float
        By what part of itself the abandonment rate falls.
    rng : numpy.random.Generator or int
        Or its seed; for the intervals: the rates and the mean value of a cart are drawn together.
    level : float, default 0.80
        Of the intervals.
    draws : int, default 4000
        How often.

    Returns
    -------
    DataFrame
        falls (fraction), abandonment (rate then), orders (additional), orders_low, orders_high, sales (money, at the
        mean value of an abandoned cart), sales_low, sales_high.
    """
    rng = np.random.default_rng(rng)
    whole = carts[carts.cut == "all"]
    if whole.empty or not whole.carts.iloc[0]:
        frame = pd.DataFrame(columns=["falls", "abandonment", *(f"{c}{e}" for c in ("orders", "sales")
                                                               for e in ("", "_low", "_high"))])  # fmt: skip
        frame.attrs["notes"] = [_("Nobody put anything into a cart: there is nothing to be left behind.")]
        return frame
    row = whole.iloc[0]
    n, left, later = int(row.carts), int(row.abandoned), int(row.later)
    drawn_rate = rng.beta(left + 0.5, n - left + 0.5, draws)
    drawn_lost = 1 - rng.beta(later + 0.5, left - later + 0.5, draws)
    error = (row.mean_value_high - row.mean_value_low) / 3.92
    worth = rng.normal(row.mean_value, error, draws) if error == error else np.full(draws, row.mean_value)
    out = []
    for part in falls:
        orders = left * part * (1 - later / left if left else 0)
        sample = n * drawn_rate * part * drawn_lost
        line = {"falls": part, "abandonment": (left / n) * (1 - part), "orders": orders}
        line |= _between("orders", orders, sample, level)
        line |= {"sales": orders * row.mean_value} | _between("sales", orders * row.mean_value, sample * worth, level)
        out.append(line)
    return pd.DataFrame(out)


def _between(name: str, value: float, sample: np.ndarray, level: float) -> dict[str, float]:
    if np.isnan(sample).any():
        return {f"{name}_low": math.nan, f"{name}_high": math.nan}
    low, high = np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2])
    return {f"{name}_low": min(float(low), value), f"{name}_high": max(float(high), value)}
