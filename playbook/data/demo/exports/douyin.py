"""抖店's order export and settlements: UTF-8 with a mark, ids behind a tab in quotes, `-` for nothing, people masked.

Lost on the way: the buyer (a number of hers is in no export), telephone numbers and addresses, returns. The short
layout of 21 columns also lacks the time of payment, province and city, channel and price.
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

SHORT = header("douyin_orders_short")
FULL = header("douyin_orders")
SETTLEMENTS = header("douyin_settlements")

STATUS = {
    "placed": "待支付",
    "paid": "待发货",
    "shipped": "已发货",
    "completed": "已完成",
    "closed": "已关闭",
    "cancelled": "已关闭",
}
STYLE = {"live": "直播", "short_video": "短视频", "natural_search": "商品卡"}
SCENES = {
    "payout": "货款结算入账",
    "shipping": "货款结算入账",
    "subsidy": "平台补贴",
    "refund": "退款-结算后退款-退用户",
    "service_fee": "平台服务费",
    "commission": "达人佣金",
    "agency_fee": "招商服务费",
    "ad_fee": "站外推广费",
}
BOOKED = {
    "payout": "订单实付应结",
    "shipping": "运费实付",
    "subsidy": "实际平台补贴",
    "refund": "订单退款",
    "service_fee": "平台服务费",
    "commission": "佣金",
    "agency_fee": "招商服务费",
    "ad_fee": "站外推广费",
}
"""Kind of a settlement → the column in which it stands; any other kind stands in none, and comes back as adjustment."""
KEPT = ("service_fee", "commission", "agency_fee", "ad_fee")
"""Kinds that go out; one that comes back in stands in no column."""


def write(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    folder: Path,
    *,
    full: bool = True,
    buyer: str = "",
    every: int = 1,
    part: str = "",
) -> list[Path]:
    """Write ``订单导出….csv`` and ``动账明细….csv`` of each month.

    Parameters
    ----------
    full : bool
        The wide layout; else the short one of 21 columns.
    buyer : str
        Name of a last column that holds the buyer's number; "": none, as 抖店 has it.
    every, part
        Months of an export; see `files`.
    """
    orders, items = of_platform(tables, "orders", "douyin"), of_platform(tables, "order_items", "douyin")
    out = []
    if len(orders):
        lines = _lines(orders, items)
        names = cells.names(tables)
        for month in months(orders["ordered_at"], every=every):
            rows = as_shown(orders, month).merge(lines, on="order_id", suffixes=("", "_line"))
            content = _orders(rows, people, names, full=full, buyer=buyer)
            out.append(save(folder / f"订单导出{month.stamp}{part}.csv", content, encoding="utf-8-sig"))
    return out + _settlements(of_platform(tables, "settlements", "douyin"), folder, every, part)


def _lines(orders: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The lines with their share of what the order as a whole got or cost, to the fen."""
    head = orders.set_index("order_id")
    lines = items.drop(columns=[c for c in ("platform", "ordered_at", "discount_order") if c in items.columns])
    lines = lines.sort_values(["order_id", "line"], kind="stable").reset_index(drop=True)
    down_to = lines.groupby("order_id")["amount"].cumsum()
    whole = lines.groupby("order_id")["amount"].transform("sum").replace(0, 1)
    for name in ("platform_discount", "creator_discount"):
        given = lines["order_id"].map(fen(head, name)).fillna(0).astype("int64")
        lines[f"{name}_line"] = given * down_to // whole - given * (down_to - lines["amount"]) // whole
    first = ~lines["order_id"].duplicated()
    lines["freight"] = lines["order_id"].map(fen(head, "shipping")).fillna(0).astype("int64").where(first, 0)
    place = (lines.groupby("order_id").cumcount() + 1).astype(str).str.zfill(2)
    lines["line_id"] = lines["order_id"] + np.where(first, "", place)
    return lines


def _dash(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), "-", values)


def _orders(rows: pd.DataFrame, people: pd.DataFrame, names: Mapping[str, str], *, full: bool, buyer: str) -> str:
    who = recipients(rows, people, "douyin")
    by_platform, by_creator = rows["platform_discount_line"], rows["creator_discount_line"]
    discount = fen(rows, "discount_line" if "discount_line" in rows.columns else "discount")
    status = rows["status"]
    title = cells.titles(rows["product_id"], names)
    said = {
        "主订单编号": joined("\t", rows["order_id"]),
        "子订单编号": joined("\t", rows["line_id"]),
        "选购商品": joined("\t", title),
        "商品规格": "\t默认",
        "商品数量": text(rows["quantity"]),
        "商家编码": joined("\t", rows["product_id"]),
        "订单应付金额": cells.money(rows["amount_line"] - by_platform - by_creator + rows["freight"]),
        "运费": cells.money(rows["freight"]),
        "收件人": joined("##", cells.token(rows["order_id"], "name")),
        "收件人手机号": joined("$$", cells.token(rows["order_id"], "phone")),
        "详细地址": joined("##", cells.token(rows["order_id"], "address")),
        "订单提交时间": moment(rows["ordered_at"]),
        "商家备注": "-",
        "订单完成时间": _dash(moment(rows["delivered_at"])),
        "订单状态": coded(status, STATUS),
        "售后状态": coded(status, {"closed": "退款成功"}, "-"),
        "取消原因": coded(status, {"cancelled": "超时未支付", "closed": "退款关闭"}, "-"),
        "发货时间": _dash(moment(rows["shipped_at"])),
        "平台实际承担优惠金额": cells.money(by_platform),
        "商家实际承担优惠金额": cells.money(discount),
        "达人实际承担优惠金额": cells.money(by_creator),
    }
    if full:
        said |= {
            "商品ID": joined("\t", rows["product_id"]),
            "商品单价": cells.money(column(rows, "unit_price")),
            "优惠总金额": cells.money(by_platform + by_creator + discount),
            "平台优惠": cells.money(by_platform),
            "商家优惠": cells.money(discount),
            "达人优惠": cells.money(by_creator),
            "支付方式": text(column(rows, "payment_method", "抖音支付").fillna("抖音支付")),
            "省": cells.province(who.province),
            "市": cells.town(who.city),
            "区": _dash(who.district),
            "街道": "-",
            "支付完成时间": _dash(moment(rows["paid_at"])),
            "流量体裁": coded(column(rows, "channel"), STYLE, "其他"),
            "APP渠道": "抖音",
        }
    said |= {buyer: joined("\t", column(rows, "customer_id"))} if buyer else {}
    names_ = [*(FULL if full else SHORT), *([buyer] if buyer else [])]
    tabbed = ["主订单编号", "子订单编号", "选购商品", "商品规格", "商品ID", "商家编码", buyer]
    return table(names_, said, quoted=tabbed)


def _settlements(rows: pd.DataFrame, folder: Path, every: int, part: str) -> list[Path]:
    out = []
    for month in months(rows["settled_at"], every=every) if len(rows) else ():
        shown = rows.iloc[month.rows].reset_index(drop=True)
        amount, kind = fen(shown, "amount"), shown["kind"]
        order = column(shown, "order_id").fillna("-")
        said = {
            "动账时间": moment(shown["settled_at"]),
            "动帐流水号": joined("\t", shown["settlement_id"]),
            "动账方向": text(pd.Series(np.where(amount < 0, "出账", "入账"))),
            "动账金额": cells.money(amount.abs()),
            "动账账户": "聚合账户",
            "动账场景": coded(kind, SCENES, "其他"),
            "计费类型": "-",
            "子订单号": joined("\t", order),
            "订单号": joined("\t", order),
            "备注": "-",
        }
        booked = kind.mask(kind.isin(KEPT) & (amount > 0))
        said |= {name: cells.money(amount.where(booked == k, 0)) for k, name in BOOKED.items()}
        content = table(SETTLEMENTS, said, quoted=["动帐流水号", "子订单号", "订单号"])
        out.append(save(folder / f"动账明细{month.stamp}{part}.csv", content, encoding="utf-8-sig"))
    return out
