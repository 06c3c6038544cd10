"""生意参谋 商品_全部: four lines of notes, then the header; every number as text.

The platform gives an old .xls, for which no writer is kept any more: these files are .xlsx with the same cells.
Lost on the way: orders, sources, bounces.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from . import cells
from .cells import column, counted, months, of_platform, text
from .files import header, workbook

HEADER = header("sycm")
NOTES = ("生意参谋", "商品_全部", "数据仅供参考", "统计时间见文件名")


def write(tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path, *, every: int = 1) -> list[Path]:
    """Write ``【生意参谋平台】商品_全部_….xlsx`` of each month (or several): Tmall's `traffic` by product and day."""
    rows = of_platform(tables, "traffic", "tmall")
    rows = rows[rows["product_id"].notna()].reset_index(drop=True) if len(rows) else rows
    names = cells.names(tables)
    out = []
    for month in months(pd.to_datetime(rows["day"]), every=every, overlap=0) if len(rows) else ():
        part = rows.iloc[month.rows].reset_index(drop=True)
        days = pd.to_datetime(part["day"])
        name = f"【生意参谋平台】商品_全部_{days.min():%Y-%m-%d}_{days.max():%Y-%m-%d}.xlsx"
        out.append(workbook(folder / name, HEADER, _cells(part, days, names), above=NOTES))
    return out


def _cells(rows: pd.DataFrame, days: pd.Series, names: Mapping[str, str]) -> dict[str, object]:
    counts = {"商品访客数": "visitors", "商品浏览量": "views", "商品加购人数": "carts", "支付买家数": "buyers"}
    return {
        "统计日期": text(days.dt.strftime("%Y-%m-%d")),
        "商品ID": text(rows["product_id"]),
        "商品名称": cells.titles(rows["product_id"], names),
        "商品状态": "当前在线",
        "商品详情页跳出率": "-",
        "平均停留时长": text(column(rows, "dwell_seconds")),
        **{name: counted(column(rows, c)) for name, c in counts.items()},
        "支付金额": text(cells.thousands(column(rows, "sales"))),
    }
