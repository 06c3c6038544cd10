"""JD's order export: GB18030, monthly, overlapping; one row per product, the order's amounts in each of them.

Lost on the way: how a discount falls on the lines (ingest spreads it by price), shipping times, returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from . import cells
from .cells import as_shown, coded, column, fen, joined, moment, months, of_platform, recipients, text
from .files import header, save, table

HEADER = header("jd_orders")

STATUS = {
    "placed": "等待付款",
    "paid": "等待出库",
    "shipped": "等待确认收货",
    "completed": "完成",
    "closed": "已取消",
    "cancelled": "已取消",
}
SOURCE = {"app": "APP", "desktop": "PC", "tablet": "PAD", "phone": "M端", "mini_program": "微信小程序"}


def write(
    tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path, *, every: int = 1, part: str = ""
) -> list[Path]:
    """Write ``订单导出….csv`` of each month (or several; `part`: see `files`)."""
    orders, items = of_platform(tables, "orders", "jd"), of_platform(tables, "order_items", "jd")
    if orders.empty:
        return []
    names = cells.names(tables)
    items = items.assign(gross=items["unit_price"] * items["quantity"])
    orders = orders.assign(gross_order=orders["order_id"].map(items.groupby("order_id")["gross"].sum()))
    lines = items.drop(columns=[c for c in ("platform", "ordered_at", "gross") if c in items.columns])
    out = []
    for month in months(orders["ordered_at"], every=every):
        rows = as_shown(orders, month).merge(lines, on="order_id", suffixes=("", "_line"))
        content = _rows(rows, people, names)
        out.append(save(folder / f"订单导出{month.stamp}{part}.csv", content, encoding="gb18030"))
    return out


def _rows(rows: pd.DataFrame, people: pd.DataFrame, names: Mapping[str, str]) -> str:
    who = recipients(rows, people, "jd")
    amount, freight, given = fen(rows, "amount"), fen(rows, "shipping"), fen(rows, "platform_discount")
    return table(
        HEADER,
        {
            "订单号": text(rows["order_id"]),
            "商品ID": text(rows["product_id"]),
            "商品名称": cells.titles(rows["product_id"], names),
            "订购数量": text(rows["quantity"]),
            "支付方式": text(column(rows, "payment_method", "在线支付").fillna("在线支付")),
            "下单时间": moment(rows["ordered_at"]),
            "京东价": cells.money(rows["unit_price"]),
            "订单金额": cells.money(rows["gross_order"]),
            "结算金额": cells.money(amount),
            "余额支付": "0.00",
            "应付金额": cells.money(amount + freight - given),
            "订单状态": coded(rows["status"], STATUS),
            "订单类型": "SOP",
            "下单帐号": text(column(rows, "customer_id")),
            "客户姓名": who.name,
            "客户地址": joined(who.province, cells.town(who.city), who.district, who.street, who.address),
            "联系电话": who.phone,
            "发票类型": "不需要",
            "运费金额": cells.money(freight),
            "付款确认时间": moment(rows["paid_at"]),
            "货号": text(column(rows, "sku")),
            "订单完成时间": moment(rows["delivered_at"]),
            "订单来源": coded(column(rows, "device"), SOURCE),
            "订单渠道": text(column(rows, "channel")),
        },
    )
