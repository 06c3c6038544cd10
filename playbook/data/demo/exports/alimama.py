"""阿里妈妈 计划报表: CSV in a .zip, a month with 日期, and the last days as files of a day whose name alone says which.

Only rows of the level campaign are written; conversions are lost (the report has their money only).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from . import cells
from .cells import column, fen, months, text
from .files import header, table, zipped
from .google import campaigns

HEADER = header("alimama")
SCENES = {
    "search": ("436", "关键词推广"),
    "recommendation": ("437", "人群推广"),
    "live": ("438", "直播推广"),
    "short_video": ("439", "短视频推广"),
}
OTHER = ("440", "货品运营")
DAILY = 7
"""Days at the end that come as files of a day."""


def write(tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path, *, every: int = 1) -> list[Path]:
    """Write a .zip a month (or several), and one with the files of the last days."""
    rows = campaigns(tables, "alimama")
    if rows.empty:
        return []
    days = pd.to_datetime(rows["day"])
    daily = days > days.max() - pd.Timedelta(days=DAILY)
    out = []
    rest = rows[~daily].reset_index(drop=True)
    for month in months(pd.to_datetime(rest["day"]), every=every) if len(rest) else ():
        part = rest.iloc[month.rows].reset_index(drop=True)
        member = f"计划报表_{month.made:%Y%m%d_%H%M%S}.csv"
        out.append(zipped(folder / f"计划报表_{month.made:%Y%m%d}.zip", {member: _report(part, dated=True)}))
    members = {
        f"计划报表_{pd.Timestamp(str(day)):%Y%m%d}_235959.csv": _report(part.reset_index(drop=True), dated=False)
        for day, part in rows[daily].groupby("day", sort=True)
    }
    return [*out, zipped(folder / "计划报表_daily.zip", members)]


def _report(rows: pd.DataFrame, *, dated: bool) -> bytes:
    channel = column(rows, "channel")
    scene = [SCENES.get(c, OTHER) for c in channel]
    sales = column(rows, "conversion_value")
    direct = pd.Series(np.floor(pd.to_numeric(sales).fillna(0) * 0.7), index=rows.index).astype("int64")
    said = {
        "日期": text(pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d")),
        "场景ID": text(pd.Series([s[0] for s in scene])),
        "场景名字": text(pd.Series([s[1] for s in scene])),
        "计划ID": text(rows["campaign_id"]),
        "计划名字": text(column(rows, "campaign")),
        "展现量": text(column(rows, "impressions")),
        "点击量": text(column(rows, "clicks")),
        "花费": cells.money(fen(rows, "spend")),
        "直接成交金额": cells.money(direct),
        "间接成交金额": cells.money(fen(rows, "conversion_value") - direct),
        "总成交金额": cells.money(sales),
    }
    columns = HEADER if dated else HEADER[1:]
    return b"\xef\xbb\xbf" + table(columns, {k: v for k, v in said.items() if k in columns}).encode("utf-8")
