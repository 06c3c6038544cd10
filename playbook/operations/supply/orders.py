"""Goods on order: when they will really come, and how long suppliers take."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ...data.engine import as_table

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
    frame["supplier_id"] = frame["supplier_id"].fillna("")
    if until is not None:
        frame = frame[frame["recorded_at"] < pd.Timestamp(until)]
        frame = frame.assign(received_on=frame["received_on"].where(frame["received_on"] < pd.Timestamp(until)))
    return frame.reset_index(drop=True)


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
