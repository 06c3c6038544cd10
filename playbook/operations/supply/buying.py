"""What to buy: net requirement, order date and quantity of each product, as purchase orders to be adopted."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...data.engine import as_table
from ...language import _
from ...missing import answers, quietly
from . import safety
from .demand import AHEAD, Demand

WITHIN = 30
"""Days ahead in which orders are proposed."""


@answers("What must be ordered, how much and when?")
def plan(
    demand: Demand,
    levels: pd.DataFrame,
    leads: pd.DataFrame,
    available: pd.Series,
    coming: pd.DataFrame | None = None,
    *,
    until: dt.date,
    products: ibis.Table | None = None,
    suppliers: ibis.Table | None = None,
    within: int = WITHIN,
) -> pd.DataFrame:
    """What must be ordered, how much and when?

    Day by day the stock with all that is on order, less the expected demand, is held against the reorder point of that
    day (which knows the festivals that fall into the wait): the first day on which it is reached is the day to order.
    What is ordered lasts for the wait and the days of an order thereafter.

    Parameters
    ----------
    demand, levels, leads
        What `demand.model`, `safety.levels`, `safety.lead_times` returned.
    available : Series by product_id
        Units in stock and not promised.
    coming : DataFrame, optional
        What `orders.arriving` returned.
    until : date
        Today: the day after the last known one.
    products, suppliers : Table, optional
        Canonical: unit_cost, minimum_order.
    within : int
        Days ahead in which an order is proposed.

    Returns
    -------
    DataFrame
        By order date: order_on, due_on (dates), product_id, supplier_id, quantity (units), unit_cost, order_amount
        (currency; NaN without costs), gross (expected units until the order is used up), available, inbound,
        safety_stock, net_requirement (gross + safety_stock − available − inbound), below_minimum (the supplier's orders
        of the day come to less than her minimum), late (stock will lack before goods ordered today can come).
    """
    known = leads.set_index("product_id")["leads"]
    n = len(demand.days)
    place = demand.products.get_indexer(pd.Index(levels["product_id"]))
    days = [known[p] for p in levels["product_id"]]
    luck, error = demand.luck[place], levels["product_id"].map(levels.attrs["error"]).to_numpy(float)
    aims = levels["service"].to_numpy()
    scale = levels["daily"].to_numpy() / np.maximum(_rate(demand, place, days), 1e-9)  # the smoothed level of rare ones
    ahead = demand.expected(n, n + AHEAD)[place] * scale[:, None]
    there = levels["product_id"].map(available).fillna(0.0).to_numpy(float)
    inbound = np.zeros(len(levels))
    arrives = np.zeros((len(levels), AHEAD))
    if coming is not None:
        inbound = levels["product_id"].map(coming.groupby("product_id")["quantity"].sum()).fillna(0.0).to_numpy(float)
        for j, product in enumerate(levels["product_id"]):
            of = coming[coming["product_id"] == product]
            at = (of["arrives_on"] - pd.Timestamp(until)).dt.days.clip(0, AHEAD - 1).to_numpy()
            np.add.at(arrives[j], at, of["quantity"].to_numpy(float))
    done = np.zeros(len(levels), dtype=bool)
    rows = []
    for d in range(min(within, AHEAD - 60)):
        running = np.cumsum(ahead[:, d:], axis=1)
        asked = ahead[:, :d].sum(axis=1)
        point = safety.reorder_points(running, days, luck, error, aims)
        position = there + inbound - asked
        for j in np.flatnonzero((position <= point) & ~done).tolist():
            done[j] = True
            wait = int(np.ceil(days[j].mean())) + safety.REVIEW_DAYS
            quantity = levels["order_quantity"].iloc[j]
            lasts = round(quantity / max(levels["daily"].iloc[j], 1e-9))
            gross = float(running[j, min(wait + lasts, running.shape[1]) - 1])
            safe = max(float(point[j] - running[j, wait - 1]), 0.0)
            net = gross + asked[j] + safe - there[j] - inbound[j]
            stock = there[j] + np.cumsum(arrives[j]) - np.cumsum(ahead[j])
            rows.append(
                (
                    until + dt.timedelta(days=d), until + dt.timedelta(days=d + wait), levels["product_id"].iloc[j],
                    levels["supplier_id"].iloc[j], max(np.ceil(net), 1.0), gross + asked[j], there[j], inbound[j], safe,
                    net, bool((stock[: min(wait, AHEAD)] < 0).any()),
                )
            )  # fmt: skip
    columns = ["order_on", "due_on", "product_id", "supplier_id", "quantity", "gross", "available", "inbound",
               "safety_stock", "net_requirement", "late"]  # fmt: skip
    out = pd.DataFrame(rows, columns=columns)
    cost = _column(products, "product_id", "unit_cost")
    out["unit_cost"] = out["product_id"].map(cost).astype(float)
    out["order_amount"] = out["quantity"] * out["unit_cost"]
    least = out["supplier_id"].map(_column(suppliers, "supplier_id", "minimum_order")).astype(float)
    of_day = out.groupby(["supplier_id", "order_on"])["order_amount"].transform("sum")
    out["below_minimum"] = (of_day < least).fillna(False)
    out[["order_on", "due_on"]] = out[["order_on", "due_on"]].apply(pd.to_datetime)
    out = out.sort_values(["order_on", "supplier_id", "product_id"], ignore_index=True)
    first = ["order_on", "due_on", "product_id", "supplier_id", "quantity", "unit_cost", "order_amount"]
    return out[[*first, *(c for c in out.columns if c not in first)]]


def _rate(demand: Demand, place: np.ndarray, days: list[np.ndarray]) -> np.ndarray:
    """Expected units a day while waiting, by the base of the last weeks."""
    n = len(demand.days)
    running = np.cumsum(demand.expected(n, n + AHEAD)[place], axis=1)
    mean = np.array([x.mean() for x in days])
    at = np.clip(np.rint(mean).astype(int) + safety.REVIEW_DAYS, 1, AHEAD) - 1
    return running[np.arange(len(place)), at] / (at + 1)


def _column(table: ibis.Table | None, key: str, column: str) -> pd.Series:
    if table is None or column not in as_table(table).columns:
        return pd.Series(dtype=float)
    frame = as_table(table).select(key, column).to_pandas().drop_duplicates(key).set_index(key)
    return frame[column].astype(float)


@answers("What is to be ordered from whom?")
def proposal(bought: pd.DataFrame) -> pd.DataFrame:
    """The plan as rows of purchase orders that a person may adopt: those of one supplier and day are one order.

    Returns
    -------
    DataFrame
        purchase_order_id (proposed), order_on, due_on, supplier_id, product_id, quantity, unit_cost.
    """
    number = "PP" + bought["order_on"].dt.strftime("%y%m%d") + "-" + bought["supplier_id"].astype(str)
    out = bought.assign(purchase_order_id=number, quantity=bought["quantity"].astype(int))
    return out[["purchase_order_id", "order_on", "due_on", "supplier_id", "product_id", "quantity", "unit_cost"]]


@quietly
def plot_plan(bought: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """Value of the orders to be placed, week by week and supplier by supplier."""
    ax = style.axes(height=3.2)
    priced = bought["order_amount"].notna().any()
    amount = bought["order_amount"] if priced else bought["quantity"]
    week = bought["order_on"].dt.to_period("W-SUN").dt.start_time
    table = bought.assign(week=week, amount=amount).pivot_table(
        index="week", columns="supplier_id", values="amount", aggfunc="sum", fill_value=0
    )
    below = np.zeros(len(table))
    for i, supplier in enumerate(table.columns):
        color = style.CATEGORIES[i % len(style.CATEGORIES)]
        ax.bar(table.index, table[supplier], bottom=below, width=5.6, color=color, label=str(supplier))
        below = below + table[supplier].to_numpy()
    if len(table):
        ax.set_xticks(table.index, [style.date(w) for w in table.index])
        ax.set_ylim(0, 1.06 * below.max())
        ax.figure.legend(loc="outside lower center", ncols=min(len(table.columns), 6))
    if priced:
        style.money_axis(ax, currency)
    else:
        style.count_axis(ax)
    ax.set_xlabel(_("week in which to order, by its Monday"))
    ax.set_title(_("What is to be ordered, by supplier"))
    return ax
