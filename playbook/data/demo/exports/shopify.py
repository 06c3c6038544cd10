"""The own site's Shopify exports: orders (one row per line item) and customers, UTF-8.

Lost on the way: the time of a refund, delivery times, returns by product (a sum per order is what the export has).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from . import cells
from .cells import as_shown, coded, column, fen, joined, moment, months, of_platform, recipients, text
from .files import header, save, table

ORDERS = header("shopify_orders")
CUSTOMERS = header("shopify_customers")

PAID = {"placed": "pending", "cancelled": "voided"}
SHIPPED = {"shipped": "fulfilled", "completed": "fulfilled", "closed": "fulfilled"}
ZONE = " +0800"


def write(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    folder: Path,
    *,
    refunds: bool = True,
    older: bool = False,
    every: int = 1,
    part: str = "",
) -> list[Path]:
    """Write ``orders_export_….csv`` of each month and ``customers_export.csv``.

    Parameters
    ----------
    refunds : bool
        Whether an order says what was refunded of it.
    older : bool
        The layout that ends at “Cancelled at”.
    every, part
        Months of an export; see `files`.
    """
    orders, items = of_platform(tables, "orders", "own_site"), of_platform(tables, "order_items", "own_site")
    out = []
    if len(orders):
        orders = orders.assign(refunded=_refunded(tables, orders) if refunds else 0)
        names = cells.names(tables)
        lines = items.drop(columns=[c for c in ("platform", "ordered_at") if c in items.columns])
        columns = ORDERS[: ORDERS.index("Cancelled at") + 1] if older else ORDERS
        for month in months(orders["ordered_at"], every=every):
            rows = as_shown(orders, month).merge(lines, on="order_id", suffixes=("", "_line"))
            said = _orders(
                rows, people, names, early=~rows["order_id"].isin(orders["order_id"].iloc[month.rows[~month.early]])
            )
            content = table(columns, {k: v for k, v in said.items() if k in columns})
            out.append(save(folder / f"orders_export_{month.stamp}{part}.csv", content))
    return out + _customers(tables, people, folder, part)


def _refunded(tables: Mapping[str, pd.DataFrame], orders: pd.DataFrame) -> pd.Series:
    returns = of_platform(tables, "returns", "own_site")
    if returns.empty or "order_id" not in returns.columns:
        return pd.Series(0, index=orders.index)
    return orders["order_id"].map(returns.groupby("order_id")["amount"].sum()).fillna(0).astype("int64")


def _orders(
    rows: pd.DataFrame, people: pd.DataFrame, names: Mapping[str, str], *, early: pd.Series
) -> dict[str, pa.Array]:
    first = ~rows["order_id"].duplicated().to_numpy()
    who = recipients(rows, people, "own_site")
    subtotal, shipping, taxes = fen(rows, "amount"), fen(rows, "shipping"), fen(rows, "tax")
    status, refunded = rows["status"], rows["refunded"].where(~early, 0)
    financial = text(coded(status, PAID, "paid")).to_pandas()
    financial = financial.mask(refunded > 0, "partially_refunded").mask(
        (refunded > 0) & (refunded >= subtotal), "refunded"
    )
    financial = financial.mask((status == "closed").to_numpy(), "refunded")
    gone = status.isin(["cancelled"]).to_numpy()
    place = cells.province(who.province)
    once = {
        "Email": who.email,
        "Financial Status": text(financial),
        "Paid at": _zoned(rows["paid_at"]),
        "Fulfillment Status": coded(status, SHIPPED, "unfulfilled"),
        "Fulfilled at": _zoned(rows["shipped_at"]),
        "Accepts Marketing": "no",
        "Currency": text(column(rows, "currency", "CNY").fillna("CNY")),
        "Subtotal": cells.money(subtotal),
        "Shipping": cells.money(shipping),
        "Taxes": cells.money(taxes),
        "Total": cells.money(subtotal + shipping + taxes),
        "Discount Code": text(column(rows, "coupon_id")),
        "Discount Amount": cells.money(fen(rows, "discount")),
        "Shipping Method": "Standard",
        "Created at": _zoned(rows["ordered_at"]),
        **{f"{kind} Name": who.name for kind in ("Billing", "Shipping")},
        **{f"{kind} Street": joined(who.district, who.street, who.address) for kind in ("Billing", "Shipping")},
        **{f"{kind} City": cells.town(who.city) for kind in ("Billing", "Shipping")},
        **{f"{kind} Country": text(column(rows, "country", "CN").fillna("CN")) for kind in ("Billing", "Shipping")},
        **{f"{kind} Phone": who.phone for kind in ("Billing", "Shipping")},
        **{f"{kind} Province Name": place for kind in ("Billing", "Shipping")},
        "Note Attributes": _attributes(rows),
        "Cancelled at": _zoned(rows["ordered_at"].where(gone) + pd.Timedelta(hours=2)),
        "Payment Method": text(column(rows, "payment_method")),
        "Refunded Amount": cells.money(refunded),
        "Outstanding Balance": "0.00",
        "Device ID": who.device,
        "Risk Level": "Low",
        "Source": "web",
        "Location": text(column(rows, "store")),
    }
    return {
        "Name": text(rows["order_id"]),
        **{name: _only(first, value) for name, value in once.items()},
        "Lineitem quantity": text(rows["quantity"]),
        "Lineitem name": cells.titles(rows["product_id"], names),
        "Lineitem price": cells.money(rows["unit_price"]),
        "Lineitem sku": text(rows["product_id"]),
        "Lineitem requires shipping": text(pd.Series("true", index=rows.index)),
        "Lineitem taxable": text(pd.Series("true", index=rows.index)),
        "Lineitem discount": cells.money(fen(rows, "discount_line" if "discount_line" in rows.columns else "discount")),
        "Vendor": text(pd.Series("", index=rows.index)),
    }


def _only(first: np.ndarray, value: pa.Array | str) -> pa.Array:
    """An order's cell: on its first row only."""
    cells_ = (
        np.full(len(first), value, dtype=object) if isinstance(value, str) else value.to_numpy(zero_copy_only=False)
    )
    return pa.array(np.where(first, cells_, ""), type=pa.string())


def _zoned(times: pd.Series) -> pa.Array:
    return text(moment(times).to_pandas().map(lambda t: t + ZONE if t else t))


def _attributes(rows: pd.DataFrame) -> pa.Array:
    """Note Attributes: a line each for the customer, the UTM tags and the device, as far as they are known."""
    parts = {
        "customer_id": "customer_id",
        "UTM source": "channel",
        "UTM campaign": "campaign_id",
        "device": "device",
    }
    out = pd.Series("", index=rows.index)
    for label, name in parts.items():
        value = column(rows, name).astype(object)
        out = out + (f"{label}: " + value.astype(str) + "\n").where(value.notna() & (value != ""), "")
    out = out + np.where(rows["status"] == "completed", "delivered: yes\n", "")
    return text(out.str.rstrip("\n"))


def _customers(tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path, part: str) -> list[Path]:
    rows = of_platform(tables, "customers", "own_site")
    if rows.empty:
        return []
    who = recipients(rows, people, "own_site")
    orders = of_platform(tables, "orders", "own_site")
    paid = orders[orders["paid_at"].notna()].groupby("customer_id")["amount"] if len(orders) else None
    number = rows["customer_id"]
    agreed = column(rows, "consent_marketing", False).fillna(False).astype(bool)
    said = {
        "Customer ID": joined("'", number),
        "First Name": who.name,
        "Email": who.email,
        "Accepts Email Marketing": text(pd.Series(np.where(agreed, "yes", "no"))),
        "Address1": joined(who.district, who.street, who.address),
        "City": cells.town(who.city),
        "Province": cells.province(who.province),
        "Country": "China",
        "Country Code": text(column(rows, "country", "CN").fillna("CN")),
        "Phone": who.phone,
        "Accepts SMS Marketing": "no",
        "Total Spent": cells.money(_of(number, paid.sum() if paid is not None else None)),
        "Total Orders": text(_of(number, paid.size() if paid is not None else None)),
        "Tax Exempt": "no",
    }
    return [save(folder / f"customers_export{part}.csv", table(CUSTOMERS, said))]


def _of(customers: pd.Series, figures: pd.Series | None) -> pd.Series:
    """A figure of each customer; 0 where she has none."""
    known = {} if figures is None else figures.to_dict()
    return pd.Series([int(known.get(c, 0)) for c in customers])
