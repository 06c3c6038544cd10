"""Goods on order: when they will really come, and how long suppliers take."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
from scipy import stats

from ...data.engine import as_table
from ...missing import answers

LATEST = 12
"""Deliveries of a supplier, the latest ones, that say how late she is."""
HAS = ("purchase_order_id", "product_id", "quantity", "recorded_at", "due_on", "supplier_id", "unit_cost",
       "received_on", "received", "defective")  # fmt: skip


def plain(purchase_orders: ibis.Table, until: dt.date | None = None) -> pd.DataFrame:
    """Purchase orders recorded before `until` as a frame, with every column; what came later counts as on its way."""
    table = as_table(purchase_orders)
    frame = table.select([c for c in HAS if c in table.columns]).to_pandas().reindex(columns=list(HAS))
    for c in ("recorded_at", "due_on", "received_on"):
        frame[c] = pd.to_datetime(frame[c])
    frame["supplier_id"] = frame["supplier_id"].astype(object).fillna("")
    if until is not None:
        frame = frame[frame["recorded_at"] < pd.Timestamp(until)]
        frame = frame.assign(received_on=frame["received_on"].where(frame["received_on"] < pd.Timestamp(until)))
    return frame.reset_index(drop=True)


@answers("How long did deliveries take?")
def deliveries(purchase_orders: ibis.Table, *, until: dt.date) -> pd.DataFrame:
    """How long did each delivery take, and how late was it?

    Returns
    -------
    DataFrame
        purchase_order_id, supplier_id, recorded_at, due_on, received_on, lead_days, late_days; one row a purchase
        order and day of arrival, in the order of arrival.
    """
    frame = plain(purchase_orders, until).dropna(subset=["received_on"])
    frame = frame.drop_duplicates(["purchase_order_id", "supplier_id", "received_on"])
    lead = (frame["received_on"] - frame["recorded_at"].dt.normalize()).dt.days
    late = (frame["received_on"] - frame["due_on"]).dt.days
    keep = ["purchase_order_id", "supplier_id", "recorded_at", "due_on", "received_on"]
    out = frame[keep].assign(lead_days=lead, late_days=late)
    return out.sort_values(["received_on", "purchase_order_id"], ignore_index=True)


@answers("What is on its way?")
def arriving(purchase_orders: ibis.Table, *, until: dt.date) -> pd.DataFrame:
    """What is on its way, and when will it come?

    Returns
    -------
    DataFrame
        purchase_order_id, product_id, supplier_id, quantity, due_on, late_days (median of the supplier's last twelve
        deliveries), arrives_on (due_on and so much later; of what is overdue already, at the earliest today), in the
        order of arrival.
    """
    frame = plain(purchase_orders, until)
    open_ = frame[frame["received_on"].isna()]
    told = deliveries(purchase_orders, until=until)
    late = told.groupby("supplier_id")["late_days"].apply(lambda x: float(x.tail(LATEST).median()))
    days = open_["supplier_id"].map(late).fillna(0.0)
    comes = open_["due_on"] + pd.to_timedelta(days.round(), unit="D")
    out = open_[["purchase_order_id", "product_id", "supplier_id", "quantity", "due_on"]].assign(
        late_days=days, arrives_on=comes.clip(lower=pd.Timestamp(until))
    )
    return out.sort_values(["arrives_on", "purchase_order_id", "product_id"], ignore_index=True)


@answers("Do suppliers keep their dates?")
def punctuality(purchase_orders: ibis.Table, *, until: dt.date) -> pd.DataFrame:
    """Do suppliers keep their dates, and has one of them changed?

    Returns
    -------
    DataFrame
        supplier_id, deliveries, lead_days and late_days (median of the last twelve), before_days (median lead time of
        those before), defect_rate (defective units of all received), changed (bool: the last twelve take longer than
        those before, Mann and Whitney's test at one in a thousand).

    References
    ----------
    Mann, H. B., Whitney, D. R. (1947). On a test of whether one of two random variables is stochastically larger than
    the other. Annals of Mathematical Statistics 18, 50–60.
    """
    told = deliveries(purchase_orders, until=until)
    goods = plain(purchase_orders, until).dropna(subset=["received_on"]).groupby("supplier_id")
    flawed = goods["defective"].sum(min_count=1) / goods["received"].sum(min_count=1)
    rows = []
    for supplier, of in told.groupby("supplier_id"):
        now, before = of["lead_days"].tail(LATEST), of["lead_days"].iloc[:-LATEST]
        p = stats.mannwhitneyu(now, before, alternative="greater").pvalue if len(before) >= LATEST else 1.0
        rows.append(
            (supplier, len(of), now.median(), of["late_days"].tail(LATEST).median(), before.median(),
             float(flawed.get(supplier, float("nan"))), bool(p < 0.001))
        )  # fmt: skip
    columns = ["supplier_id", "deliveries", "lead_days", "late_days", "before_days", "defect_rate", "changed"]
    return pd.DataFrame(rows, columns=columns)
