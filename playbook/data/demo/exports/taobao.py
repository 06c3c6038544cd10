"""Tmall's (and Taobao's) order list and item list in their older layout: GB18030, monthly, overlapping.

Lost on the way: the merchant's discounts (amounts are after them), channels, returns, shipping times; of devices all
but “by phone”; a line's price before its discount.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from . import cells
from .cells import as_shown, coded, column, fen, joined, moment, months, of_platform, recipients, text
from .files import header, save, table

ORDERS = header("taobao_orders")
ITEMS = header("taobao_items")

STATUS = {
    "placed": "等待买家付款",
    "paid": "买家已付款,等待卖家发货",
    "shipped": "卖家已发货,等待买家确认",
    "completed": "交易成功",
    "closed": "交易关闭",
    "cancelled": "交易关闭",
}


def write(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    folder: Path,
    *,
    platform: str = "tmall",
    every: int = 1,
    part: str = "",
) -> list[Path]:
    """Write ``ExportOrderList….csv`` and ``ExportOrderDetailList….csv`` of each month or several (see `files`)."""
    orders = of_platform(tables, "orders", platform)
    if orders.empty:
        return []
    items = of_platform(tables, "order_items", platform)
    names = cells.names(tables)
    out = []
    for month in months(orders["ordered_at"], every=every):
        shown = as_shown(orders, month)
        whole = items[items["order_id"].isin(shown["order_id"])] if len(items) else items
        first = whole.drop_duplicates("order_id").set_index("order_id") if len(whole) else whole
        content = _orders(shown, people, platform, _first_title(shown, first, names), whole)
        out.append(save(folder / f"ExportOrderList{month.stamp}{part}.csv", content, encoding="gb18030"))
        if len(whole):
            lines = shown[["order_id", "status"]].merge(whole, on="order_id")
            content = _items(lines, names)
            out.append(save(folder / f"ExportOrderDetailList{month.stamp}{part}.csv", content, encoding="gb18030"))
    return out


def _first_title(shown: pd.DataFrame, first: pd.DataFrame, names: Mapping[str, str]) -> pa.Array:
    """The title of an order's first line."""
    product = dict(zip(first.index, first["product_id"], strict=True)) if len(first) else {}
    return cells.titles([product.get(o) for o in shown["order_id"]], names)


def _orders(shown: pd.DataFrame, people: pd.DataFrame, platform: str, titles: pa.Array, lines: pd.DataFrame) -> str:
    who = recipients(shown, people, platform)
    goods, postage, points = fen(shown, "amount"), fen(shown, "shipping"), fen(shown, "platform_discount")
    paid = shown["paid_at"].notna()
    pieces = shown["order_id"].map(lines.groupby("order_id")["quantity"].sum()) if len(lines) else 1
    place = joined(
        cells.province(who.province), cells.town(who.city), who.district, joined(who.street, who.address), by=" "
    )
    device = column(shown, "device")
    return table(
        ORDERS,
        {
            "订单编号": text(shown["order_id"]),
            "买家会员名": text(column(shown, "customer_id")),
            "买家支付宝账号": who.email,
            "买家应付货款": cells.money(goods),
            "买家应付邮费": cells.money(postage),
            "买家支付积分": text(points),
            "总金额": cells.money(goods + postage),
            "返点积分": "0",
            "支付金额": cells.money((goods + postage - points).where(paid, 0)),
            "买家实际支付积分": text(points),
            "订单状态": coded(shown["status"], STATUS),
            "收货人": who.name,
            "收货地址": text(pc.utf8_trim_whitespace(place)),
            "运送方式": "快递",
            "联系电话": joined("'", who.phone) if len(shown) else "",
            "联系手机": joined("'", who.phone) if len(shown) else "",
            "订单创建时间": moment(shown["ordered_at"]),
            "订单付款时间": moment(shown["paid_at"]),
            "宝贝标题": titles,
            "宝贝种类": "1",
            "宝贝总数量": text(pd.Series(pieces, index=shown.index).fillna(0).astype(int)),
            "店铺Id": "0",
            "店铺名称": text(column(shown, "store")),
            "订单关闭原因": coded(shown["status"], {"cancelled": "买家未付款", "closed": "退款"}, "订单未关闭"),
            "卖家服务费": "0元",
            "买家服务费": "0元",
            "是否手机订单": text(pd.Series(np.where(device.isin(["app", "phone", "tablet"]), "手机订单", ""))),
        },
    )


def _items(lines: pd.DataFrame, names: Mapping[str, str]) -> str:
    return table(
        ITEMS,
        {
            "订单编号": text(lines["order_id"]),
            "标题": cells.titles(lines["product_id"], names),
            "价格": _price(lines),
            "购买数量": text(lines["quantity"]),
            "外部系统编号": text(lines["product_id"]),
            "规格名称": "默认",
            "订单状态": coded(lines["status"], STATUS),
            "商家编码": text(column(lines, "sku")),
        },
    )


def _price(lines: pd.DataFrame) -> pd.Series:
    """What a unit was sold for: with four places where the line cannot be divided by its pieces."""
    amount, pieces = lines["amount"].to_numpy(dtype=np.int64), lines["quantity"].to_numpy(dtype=np.int64)
    even = amount % pieces == 0
    plain = cells.money(pd.Series(amount // pieces)).to_pandas()
    if even.all():
        return plain
    fine = np.char.mod("%.4f", amount / pieces / 100)
    return plain.where(even, pd.Series(fine))
