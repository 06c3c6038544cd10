"""What customers are worth: what they brought, what is still to come, and by which group."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...language import N_, _, humanise, term
from ...missing import answers, quietly
from .histories import CELL, cells, histories, spend_cells
from .model import PurchaseModel, SpendModel, fit_purchases, fit_spend
from .validation import FEWEST, PRIOR_SD, no_trait, too_few

UNITS = {
    "customers": "count",
    "to_date": "currency",
    "expected_orders": "per_order",
    "coming": "currency",
    "worth": "currency",
}
"""Units of `worth`'s columns."""
TITLES = {
    "to_date": N_("Brought so far"),
    "expected_orders": N_("Orders to come"),
    "coming": N_("Still to come"),
    "worth": N_("Worth"),
}


@dataclass(frozen=True)
class Prospects:
    """What is expected of each history, and how unsure that is.

    Attributes
    ----------
    table : Table
        From `histories`.
    frame : DataFrame
        One row a history (frequency, recency, T in whole weeks): n, alive (chance), expected (purchases in `weeks`),
        variance (of the purchases of one such customer), now (what a unit of money to come is worth today).
    drawn : ndarray, histories × draws
        `expected` under parameters that the data leave possible.
    purchases, spend : fitted models
    spends : list of SpendModel
        One a draw.
    weeks : int
    """

    table: ibis.Table
    frame: pd.DataFrame
    drawn: np.ndarray
    purchases: PurchaseModel
    spend: SpendModel
    spends: list[SpendModel]
    weeks: int


@answers("How many purchases are still to come?")
def prospects(
    days: ibis.Table | pd.DataFrame,
    until: dt.date,
    *,
    rng: np.random.Generator | int,
    weeks: int = 52,
    discount: float = 0.1,
    draws: int = 60,
) -> Prospects:
    """How many purchases are still to come of whom?

    Parameters
    ----------
    days : Table
        From `purchase_days`.
    until : date
        The day from which on one looks ahead.
    weeks : int
        How far.
    discount : float
        Interest a year: what comes later is worth less.
    rng : Generator or int
        Draws the parameters; a number is a seed.
    draws : int
        Sets of parameters for the intervals.

    Returns
    -------
    Prospects
        A Missing where fewer than `FEWEST` customers have come back.
    """
    rng = np.random.default_rng(rng)
    table = histories(days, until).cache()
    frame = cells(table)
    came_back = float(frame.loc[frame["frequency"] > 0, "n"].sum())
    spent = spend_cells(table)
    if came_back < FEWEST or spent.empty:
        return too_few(came_back)  # type: ignore[return-value]
    purchases, spend = fit_purchases(frame, prior_sd=PRIOR_SD), fit_spend(spent, prior_sd=PRIOR_SD)
    history = [frame[c].to_numpy(float) for c in CELL]
    expected, alive = purchases.expected(weeks, *history), purchases.alive(*history)
    # While alive a rate is gamma around its mean, with shape r + x; the chance to be gone lies on top.
    if_alive = expected / alive
    shape = purchases.r + history[0]
    variance = alive * (if_alive + if_alive**2 * (1 + 1 / shape)) - expected**2
    steps = np.linspace(0, weeks, 5)[1:]
    until_then = np.column_stack([purchases.expected(float(w), *history) for w in steps])
    parts = np.diff(until_then, axis=1, prepend=0.0)
    worth_now = (1 + discount) ** (-(steps - steps[0] / 2) / 52)
    now = (parts @ worth_now) / np.maximum(expected, 1e-12)
    drawn = np.column_stack([m.expected(weeks, *history) for m in purchases.draws(draws, rng)])
    frame = frame.assign(alive=alive, expected=expected, variance=variance, now=now)
    return Prospects(table, frame, drawn, purchases, spend, spend.draws(draws, rng), weeks)


@answers("What is a customer worth?")
def worth(
    ahead: Prospects, margin: pd.DataFrame, traits: ibis.Table | pd.DataFrame | None = None, *,
    by: str = "", since: dt.date | None = None, fewest: int = 30, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What is a customer worth: what she has brought so far, and what is still expected of her?

    Parameters
    ----------
    ahead : Prospects
    margin : DataFrame
        From `margin_rate`: what is left of a unit of sales.
    traits : Table, optional
        person_id and the column of `by`.
    by : str
        What to group by: a trait, or cohort (the quarter of the first purchase); empty: all together.
    since : date, optional
        Only customers whose first purchase was then or later.
    fewest : int
        Customers of a group for a number of its own.
    level : float
        Of the intervals: parameters drawn, and what so many customers do by chance.

    Returns
    -------
    DataFrame
        [by], customers; to_date, coming, worth (their sum): margin a customer, in money, of the last two with
        ``_low`` and ``_high``; expected_orders (a customer). Small groups have NaN. ``attrs``: by, weeks, notes.
    """
    table, keys = ahead.table, [by] if by else []
    if since is not None:
        table = table.filter(table.first_day >= ibis.literal(since))
    if by == "cohort":
        year, quarter = table.first_day.year().cast("string"), table.first_day.quarter().cast("string")
        table = table.mutate(cohort=year + "-Q" + quarter)
    elif by and (traits is None or by not in traits.columns):
        return no_trait(by, _("What is a customer worth?"))
    elif by:
        about = as_table(traits).select("person_id", by)
        table = table.left_join(about, "person_id").drop("person_id_right")
    counted = cells(table, keys)
    if by:
        counted[by] = counted[by].astype(object).where(counted[by].notna(), "")
    place = ahead.frame[CELL].assign(_cell=np.arange(len(ahead.frame)))
    counted = counted.merge(place, on=CELL, how="left")
    rate = float(margin["margin_rate"].iloc[0])
    rows = [_group(part, ahead, rate, fewest, level) for _key, part in _grouped(counted, keys)]
    frame = pd.DataFrame(rows)
    if by:
        frame.insert(0, by, [key for key, _part in _grouped(counted, keys)])
    if by == "cohort":
        frame = frame.sort_values(by, ignore_index=True)
    elif by:
        frame = frame.sort_values(["worth", "customers"], ascending=False, ignore_index=True, na_position="last")
    small = int(frame["worth"].isna().sum())
    notes = list(margin.attrs.get("notes", ()))
    if small:
        notes.append(_("{n} groups have too few customers for a number: needs {need}.").format(n=small, need=fewest))
    frame.attrs = {"by": keys, "weeks": ahead.weeks, "notes": notes, "titles": TITLES}
    return frame


def _grouped(counted: pd.DataFrame, keys: Sequence[str]):
    return list(counted.groupby(keys[0], sort=True)) if keys else [("", counted)]


def _group(part: pd.DataFrame, ahead: Prospects, rate: float, fewest: int, level: float) -> dict[str, float]:
    n = part["n"].to_numpy(float)
    total, cell = float(n.sum()), part["_cell"].to_numpy(int)
    frame = ahead.frame
    x, sums = part["frequency"].to_numpy(float), part["monetary_sum"].to_numpy(float)
    out = {"customers": total, "to_date": rate * float(part["value"].sum()) / total}
    expected, now = frame["expected"].to_numpy()[cell], frame["now"].to_numpy()[cell]
    out["expected_orders"] = float((n * expected).sum()) / total
    names = [f"{c}{end}" for c in ("coming", "worth") for end in ("", "_low", "_high")]
    if total < fewest:
        return out | dict.fromkeys(names, math.nan)
    spent = ahead.spend.expected_sum(x, sums, n)
    coming = rate * float((expected * now * spent).sum()) / total
    means = np.array([
        rate * float((ahead.drawn[cell, k] * now * s.expected_sum(x, sums, n)).sum()) / total
        for k, s in enumerate(ahead.spends)
    ])  # fmt: skip
    each = spent / n
    chance = n * (frame["variance"].to_numpy()[cell] * each**2 + expected * each**2 / ahead.spend.p)
    spread = math.sqrt(float(np.nanvar(means, ddof=1)) + float(chance.sum()) * (rate / total) ** 2)
    half = float(stats.norm.ppf(0.5 + level / 2)) * spread
    low, high = max(0.0, coming - half), coming + half
    values = (coming, low, high, *(out["to_date"] + v for v in (coming, low, high)))
    return out | dict(zip(names, values, strict=True))


@answers("What is left of a unit of sales?")
def margin_rate(
    orders: ibis.Table | pd.DataFrame, since: dt.date, until: dt.date,
    order_items: ibis.Table | pd.DataFrame | None = None, products: ibis.Table | pd.DataFrame | None = None,
    returns: ibis.Table | pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """What is left of a unit of sales after returns and the cost of goods?

    Parameters
    ----------
    orders : Table
        order_id, paid_at, amount (money); platform where known.
    since, until : date
        Orders paid in between, and the returns of those orders.
    order_items, products, returns : Table, optional
        order_id, product_id, quantity; product_id, unit_cost; order_id, amount. Without them nothing is taken off, and
        ``attrs["notes"]`` says so.

    Returns
    -------
    DataFrame
        One row: sales, returned, goods (money), margin_rate. NaN where nothing was sold.
    """
    rows = as_table(orders)
    rows = rows.filter((rows.paid_at >= _midnight(since)) & (rows.paid_at < _midnight(until)))
    sales = _total(rows, "amount")
    notes, returned, goods = [], 0.0, 0.0
    if returns is not None and "order_id" in returns.columns:
        back = as_table(returns)
        key = _key(back, rows)
        returned = _total(back.semi_join(rows, key), "amount")
    else:
        notes.append(_("REVIEW: no data on returns, so nothing is taken off for them."))
    if order_items is not None and products is not None and "unit_cost" in products.columns:
        lines, listed = as_table(order_items), as_table(products)
        cost = listed.group_by("product_id").aggregate(unit_cost=listed.unit_cost.max())
        sold = lines.semi_join(rows, _key(lines, rows)).inner_join(cost, "product_id")
        goods = _total(sold.mutate(goods=sold.quantity * sold.unit_cost), "goods")
    else:
        notes.append(_("REVIEW: no cost of goods, so values are sales, not margin."))
    rate = 1 - (returned + goods) / sales if sales > 0 else math.nan
    frame = pd.DataFrame([{"sales": sales, "returned": returned, "goods": goods, "margin_rate": rate}])
    frame.attrs["notes"] = notes
    return frame


def _total(rows: ibis.Table, column: str) -> float:
    value = rows[column].cast("decimal(18, 4)").sum().to_pandas()
    return 0.0 if value is None or pd.isna(value) else float(value)


def _key(rows: ibis.Table, orders: ibis.Table) -> list[str]:
    both = "platform" in rows.columns and "platform" in orders.columns
    return ["platform", "order_id"] if both else ["order_id"]


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))


@quietly
def plot_worth(groups: pd.DataFrame, *, currency: str = "CNY", top: int = 15) -> Axes:
    """What customers of each group have brought, and what is still to come with its interval."""
    (by,) = groups.attrs["by"]
    rows = groups[groups["worth"].notna()].head(top)[::-1]
    ax = style.axes(height=1.2 + 0.42 * max(1, len(rows)))
    names = [term(by, str(v)) or _("not stated") for v in rows[by]]
    place = np.arange(len(rows))  # two codes may have one word
    ax.set_yticks(place, names)
    ax.barh(place, rows["to_date"], color=style.COMPARISON, height=0.6, label=_("brought so far"))
    ax.barh(place, rows["coming"], left=rows["to_date"], color=style.OWN, height=0.6, label=_("still expected"))
    spread = [rows["worth"] - rows["worth_low"], rows["worth_high"] - rows["worth"]]
    ax.errorbar(rows["worth"], place, xerr=np.array(spread), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    for y, row in enumerate(rows.to_dict("records")):
        text = style.value(row["worth"], "currency", currency=currency)
        ax.annotate(text, (row["worth_high"], y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.14)
    ax.set_xlim(left=min(0.0, rows["to_date"].min() if len(rows) else 0.0))
    style.money_axis(ax, currency, which="x")
    ax.legend(loc="lower right")
    title = _("What a customer is worth, by {part}: margin so far and in the next {weeks} weeks")
    ax.set_title(title.format(part=humanise(by, inside=True), weeks=groups.attrs["weeks"]))
    return ax
