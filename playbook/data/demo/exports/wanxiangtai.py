"""万相台 on-site promotion: a workbook with typed numbers, rates as fractions, a row per subject and day.

Lost on the way: channels (all of it is in_platform), regions and audiences.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from . import cells
from .cells import column, fen, months, of_platform, text
from .files import header, workbook

HEADER = header("wanxiangtai")
KINDS = {"campaign": "计划", "keyword": "关键词", "creative": "创意", "account": "账户", "product": "商品"}


def write(tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path, *, every: int = 1) -> list[Path]:
    """Write ``站内推广_….xlsx`` of each month, or of several."""
    rows = of_platform(tables, "ad_spend", "wanxiangtai")
    out = []
    for month in months(pd.to_datetime(rows["day"]), every=every) if len(rows) else ():
        part = rows.iloc[month.rows].reset_index(drop=True)
        out.append(_book(folder / f"站内推广_{month.made:%Y%m%d_%H%M%S}.xlsx", part))
    return out


def _book(path: Path, rows: pd.DataFrame) -> Path:
    level = rows["level"]
    named = {"keyword": ("keyword", "keyword"), "creative": ("creative_id", "creative_id")}
    subject, title = column(rows, "campaign_id"), column(rows, "campaign")
    for kind, (number, name) in named.items():
        subject = subject.where(level != kind, column(rows, number))
        title = title.where(level != kind, column(rows, name))
    shown, clicked = (column(rows, n).fillna(0).to_numpy(float) for n in ("impressions", "clicks"))
    rate = np.divide(clicked, shown, where=shown > 0, out=np.zeros(len(rows)))
    numbers = {
        "展现量": text(column(rows, "impressions")),
        "点击量": text(column(rows, "clicks")),
        "花费": cells.money(fen(rows, "spend")),
        "点击率": text(pd.Series(np.round(rate, 4))),
        "总成交金额": cells.money(column(rows, "conversion_value")),
        "总成交笔数": text(column(rows, "conversions")),
    }
    words = {
        "日期": text(pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d")),
        "主体ID": text(subject),
        "主体类型": text(level.map(KINDS).fillna(level)),
        "主体名称": text(title),
    }
    return workbook(path, HEADER, {**words, **numbers}, numbers=list(numbers))
