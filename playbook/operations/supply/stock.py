"""Stock as it was: how often it turns, how long it lasts, when something was out, and what was not sold then."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...language import _, term
from ...methods.intervals import wilson
from ...missing import answers, quietly
from ...period import Period
from .chances import shape, spread_of
from .demand import Demand

LEVEL = 0.9
"""Of the interval of lost sales."""
AROUND = 56
"""Days before and after a stock-out that tell what would have been sold."""
PLACEBOS = 24
"""Stretches in which nothing was out, on which the same way of telling is tried."""
STATES = ("out", "below reorder point", "too much", "enough")
SILENT = 10
"""Units that would usually be sold in a run of days: if none is, and hardly any are left, there were none."""
TOO_LONG = 180
"""Days of cover from which on it is too much."""


@answers("When was something out of stock?")
def stock_outs(inventory: ibis.Table, sold: pd.DataFrame, *, until: dt.date) -> pd.DataFrame:
    """When was something out of stock?

    A product is out on a day at whose end no warehouse has a unit that is not promised; and in a run of days at whose
    ends less than a usual day's sales is left in the books and nothing is sold, though ten units and more would usually
    have been: books are often a few units too high.

    Parameters
    ----------
    inventory : Table
        Canonical `inventory`.
    sold : DataFrame
        What `demand.daily` returned.
    until : date
        The day after the last one.

    Returns
    -------
    DataFrame
        One row a product and day: product_id, day.
    """
    table = as_table(inventory)
    table = table.filter(table.day.cast("date") < until)
    free = table.on_hand - (table["reserved"].fill_null(0) if "reserved" in table.columns else 0)
    each = table.group_by("product_id", "day").aggregate(free=free.sum())
    span = max((sold["day"].max() - sold["day"].min()).days + 1, 1) if len(sold) else 1
    usual = sold.groupby("product_id")["units"].sum() / span
    rates = as_table(pd.DataFrame({"product_id": usual.index.astype(str), "rate": usual.to_numpy(float)}))
    each = each.left_join(rates, "product_id", rname="{name}_of_rate")
    low = each.filter((each.free <= 0) | (each.free < each.rate))
    frame = low.select("product_id", "day", "free", "rate").order_by("product_id", "day").to_pandas()
    frame["day"] = pd.to_datetime(frame["day"])
    units = sold.groupby(["product_id", "day"], as_index=False)["units"].sum()
    frame = frame.merge(units, on=["product_id", "day"], how="left")
    frame = frame[(frame["free"] <= 0) | frame["units"].isna()]
    new = (frame["product_id"] != frame["product_id"].shift()) | (frame["day"].diff() != pd.Timedelta(days=1))
    run = frame.groupby(new.cumsum())
    certain = run["rate"].transform("sum") >= SILENT
    return frame.loc[(frame["free"] <= 0) | certain, ["product_id", "day"]].reset_index(drop=True)


@answers("What was not sold because it was out of stock?")
def lost_sales(gone: pd.DataFrame, demand: Demand, prices: pd.Series) -> pd.DataFrame:
    """What was not sold because it was out of stock?

    What the product sold in the eight weeks before and after, with season, festivals and promotions counted in, is what
    would have been sold; what was sold on those days all the same is taken off. How wrong that can be is measured on
    stretches as long in which nothing was out. Who bought something else instead is not counted against it.

    Parameters
    ----------
    gone : DataFrame
        What `stock_outs` returned.
    demand : Demand
        What `demand.model` returned when it was told `gone`.
    prices : Series by product_id
        Currency a unit (see `prices`).

    Returns
    -------
    DataFrame
        One row a stock-out, the dearest first: product_id, begins, ends (first and last day without), days, sold (units
        all the same), lost_units, lost_units_low, lost_units_high, lost_sales, lost_sales_low, lost_sales_high
        (currency; 90 %). Unknown (NaN) where the product sold nothing around it.
    """
    rows = []
    known = gone[gone["product_id"].isin(demand.products) & gone["day"].isin(demand.days)]
    for product, of in known.groupby("product_id"):
        j = demand.products.get_loc(product)
        at = demand.days.get_indexer(of["day"])
        for first, last in _runs(np.sort(at)):
            mean, weight = _around(demand, j, first, last + 1)
            sold = float(demand.units[j, first : last + 1].sum())
            spread = _placebo(demand, last + 1 - first)
            low, high = (float(stats.nbinom.ppf(q, *_wide(mean, weight, demand.luck[j], spread))) for q in (0.05, 0.95))
            lost = [max(x - sold, 0.0) for x in (mean, low, high)] if weight > 0 else [np.nan] * 3
            price = float(prices.get(product, np.nan))
            rows.append(
                (
                    product,
                    demand.days[first],
                    demand.days[last],
                    last + 1 - first,
                    sold,
                    *lost,
                    *(x * price for x in lost),
                )
            )
    columns = [
        "product_id", "begins", "ends", "days", "sold", "lost_units", "lost_units_low", "lost_units_high",
        "lost_sales", "lost_sales_low", "lost_sales_high",
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=columns)
    return out.sort_values(["lost_sales", "product_id", "begins"], ascending=[False, True, True], ignore_index=True)


def _runs(at: np.ndarray) -> list[tuple[int, int]]:
    """First and last of each unbroken run of positions."""
    parts = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
    return [(int(p[0]), int(p[-1])) for p in parts if len(p)]


def _around(demand: Demand, j: int, first: int, end: int) -> tuple[float, float]:
    """Units that days `first` to before `end` would have sold by those around them, and the units that tell so."""
    span = np.r_[max(first - AROUND, 0) : first, end : min(end + AROUND, len(demand.days))]
    kept = span[demand.there[j, span]]
    sold, usual = demand.units[j, kept].sum(), demand.factor[j, kept].sum()
    return (float(sold / usual * demand.factor[j, first:end].sum()) if usual > 0 else 0.0), float(sold)


def _wide(mean: float, told_by: float, luck: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Shape of the units lost: their luck, that of the units that tell the rate, and what the placebos were off by."""
    rate = np.sqrt(spread**2 + luck / max(told_by, 1.0))
    return shape(np.asarray(mean), luck, float(rate))


def _placebo(demand: Demand, length: int) -> float:
    """How far off the same way of telling is where nothing was out: relative, beyond luck."""
    n = len(demand.days)
    starts = np.linspace(max(n - 365, AROUND), n - AROUND - length, PLACEBOS).astype(int)
    errors = []
    for first in np.unique(starts[starts > 0]):
        whole = np.all(demand.there[:, first : first + length], axis=1).reshape(-1)
        said, told_by = np.array([_around(demand, j, first, first + length) for j in range(len(whole))]).T
        lucky = demand.luck * said * (1 + said / np.maximum(told_by, 1.0))
        came = demand.units[:, first : first + length].sum(1)
        errors.append((said[whole], came[whole], lucky[whole]))
    return spread_of(errors) if errors else demand.spread


@answers("What does a unit bring?")
def prices(orders: ibis.Table, items: ibis.Table, *, until: dt.date, days: int = 365) -> pd.Series:
    """What a unit brought in the last year, by product: currency, after the merchant's discounts."""
    orders, items = as_table(orders), as_table(items)
    key = [c for c in ("platform", "order_id") if c in orders.columns and c in items.columns]
    start = dt.datetime.combine(until - dt.timedelta(days=days), dt.time())
    paid = orders.paid_at if "paid_at" in orders.columns else orders.ordered_at
    late = orders.filter(paid.notnull(), orders.ordered_at >= start).select(*key).distinct()
    lines = items.select(*key, "product_id", "quantity", "amount").inner_join(late, key)
    each = lines.group_by("product_id").aggregate(money=lines.amount.sum(), units=lines.quantity.sum())
    frame = each.filter(each.units > 0).order_by("product_id").to_pandas().set_index("product_id")
    return frame["money"].astype(float) / frame["units"].astype(float)


@answers("How often does the stock turn, and how long does it last?")
def turnover(
    inventory: ibis.Table,
    sold: pd.DataFrame,
    gone: pd.DataFrame,
    period: Period,
    *,
    products: ibis.Table | None = None,
    by: str = "category",
) -> pd.DataFrame:
    """How often does the stock turn, and how often was something out?

    Parameters
    ----------
    inventory : Table
        Canonical.
    sold, gone : DataFrame
        What `demand.daily` and `stock_outs` returned.
    period : Period
        Whose days are looked at.
    products : Table, optional
        Canonical: category, unit_cost. Without costs units turn, not money.
    by : str
        "category" or "product_id"; the first row is the whole shop (all).

    Returns
    -------
    DataFrame
        The column of `by`, turns (a year: cost of what was sold over mean stock at cost), days_of_stock (365 / turns),
        out_rate (part of the products' days without stock, with out_rate_low, out_rate_high, 95 %), stock_value
        (mean, currency at cost; NaN without costs), product_days. NaN where there was no stock.
    """
    table = as_table(inventory)
    table = table.filter(table.day.cast("date") >= period.start, table.day.cast("date") < period.end)
    daily = table.group_by("product_id", "day").aggregate(there=table.on_hand.sum())
    each = daily.group_by("product_id").aggregate(stock=daily.there.sum().cast("float64"), days=daily.count())
    frame = each.order_by("product_id").to_pandas()
    last = daily.day.nunique().execute() or 1
    within = (sold["day"] >= pd.Timestamp(period.start)) & (sold["day"] < pd.Timestamp(period.end))
    frame["sold"] = frame["product_id"].map(sold[within].groupby("product_id")["units"].sum()).fillna(0.0)
    without = gone[(gone["day"] >= pd.Timestamp(period.start)) & (gone["day"] < pd.Timestamp(period.end))]
    frame["out"] = frame["product_id"].map(without.groupby("product_id").size()).fillna(0)
    frame["category"], frame["cost"] = "", np.nan
    if products is not None:
        about = as_table(products)
        about = about.select([c for c in ("product_id", "category", "unit_cost") if c in about.columns]).to_pandas()
        about = about.drop_duplicates("product_id").set_index("product_id")
        if "category" in about:
            frame["category"] = frame["product_id"].map(about["category"]).astype(object).fillna("")
        if "unit_cost" in about:
            frame["cost"] = frame["product_id"].map(about["unit_cost"].astype(float))
    priced = frame["cost"].notna().any()
    cost = frame["cost"] if priced else pd.Series(1.0, frame.index)
    frame = frame.assign(sold_cost=frame["sold"] * cost, stock_cost=frame["stock"] * cost / last)
    groups = [("all", frame), *((str(k), of) for k, of in frame.groupby(by))]
    rows = []
    for name, of in groups:
        held = of["stock_cost"].sum()
        turns = of["sold_cost"].sum() / held * 365 / last if held > 0 else np.nan
        low, high = wilson(of["out"].sum(), of["days"].sum())
        days = 365 / turns if turns and turns == turns else np.nan
        rate = of["out"].sum() / of["days"].sum() if of["days"].sum() else np.nan
        rows.append((name, turns, days, rate, low, high, held if priced else np.nan, int(of["days"].sum())))
    return pd.DataFrame(
        rows,
        columns=[
            by,
            "turns",
            "days_of_stock",
            "out_rate",
            "out_rate_low",
            "out_rate_high",
            "stock_value",
            "product_days",
        ],
    )


@answers("Which products need attention now?")
def alerts(levels: pd.DataFrame, available: pd.Series, coming: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which products need attention now?

    Parameters
    ----------
    levels : DataFrame
        What `safety.levels` returned.
    available : Series by product_id
        Units in stock and not promised (see `available`).
    coming : DataFrame, optional
        What `arriving` returned.

    Returns
    -------
    DataFrame
        product_id, state (out; below reorder point, with what is on order; too much: lasts more than 180 days; enough),
        available, inbound, reorder_point, cover_days (that the stock in hand lasts at the expected demand); the most
        pressing first.
    """
    ordered = pd.Series(dtype=float) if coming is None else coming.groupby("product_id")["quantity"].sum()
    inbound = levels["product_id"].map(ordered).fillna(0.0)
    there = levels["product_id"].map(available).fillna(0.0).astype(float)
    cover = (there / levels["daily"]).where(levels["daily"] > 0)
    state = np.select(
        [there <= 0, there + inbound <= levels["reorder_point"], cover > TOO_LONG], list(STATES[:3]), STATES[3]
    )
    out = pd.DataFrame(
        {
            "product_id": levels["product_id"],
            "state": state,
            "available": there,
            "inbound": inbound.astype(float),
            "reorder_point": levels["reorder_point"],
            "cover_days": cover,
        }
    )
    rank = out["state"].map(STATES.index)
    return (
        out.assign(_rank=rank)
        .sort_values(["_rank", "cover_days", "product_id"], ignore_index=True)
        .drop(columns="_rank")
    )


@quietly
def plot_cover(told: pd.DataFrame) -> Axes:
    """How long the stock of each product lasts: one dot a product, coloured by what it needs."""
    ax = style.axes(height=3.4)
    colors = dict(zip(STATES, (style.BAD, style.CATEGORIES[1], style.CATEGORIES[3], style.COMPARISON), strict=True))
    frame = told.dropna(subset="cover_days").sort_values("cover_days")
    at = np.arange(len(frame))
    for state in STATES:
        mine = (frame["state"] == state).to_numpy()
        if mine.any():
            ax.bar(at[mine], frame["cover_days"][mine], color=colors[state], width=0.8, label=term("state", state))
    ax.set_xticks([])
    style.count_axis(ax)
    ax.set_ylabel(_("days"))
    ax.set_xlabel(_("one bar a product"))
    if len(frame):
        ax.legend()
    ax.set_title(_("Days that the stock in hand will last"))
    return ax


@quietly
def plot_lost(lost: pd.DataFrame, demand: Demand, *, names: pd.Series | None = None) -> Axes:
    """The dearest stock-out: what was sold each day, and what would have been."""
    ax = style.axes(height=3.4)
    if lost.empty:
        ax.set_title(_("Nothing was out of stock"))
        return ax
    row = lost.iloc[0]
    named = str(row["product_id"] if names is None else names.get(row["product_id"], row["product_id"]))
    j = demand.products.get_loc(row["product_id"])
    first, last = demand.days.get_indexer([row["begins"], row["ends"]])
    span = slice(max(first - 35, 0), min(last + 36, len(demand.days)))
    days = demand.days[span]
    sold, usual = demand.units[j, span], demand.factor[j, span]
    mean, _told_by = _around(demand, j, first, last + 1)
    level = mean / max(demand.factor[j, first : last + 1].sum(), 1e-9)
    ax.plot(days, sold, color=style.OWN, label=_("sold"))
    ax.plot(days, level * usual, color=style.CATEGORIES[1], linestyle="--", label=_("expected with stock"))
    ax.axvspan(row["begins"], row["ends"], color=style.BAD, alpha=0.14, linewidth=0)
    style.date_axis(ax)
    style.count_axis(ax)
    ax.set_ylabel(_("units a day"))
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.set_title(_("{product} was out of stock: what was sold, and what would have been").format(product=named))
    return ax
