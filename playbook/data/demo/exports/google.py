"""Google Ads' campaign report, segmented by day: two lines above the header, totals below, ` --` for nothing.

Only rows of the level campaign are written; regions, audiences and keywords are lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .cells import column, counted, fen, months, of_platform, text, thousands
from .files import header, save, table

HEADER = header("google_ads")
KINDS = {"search": "Search", "display": "Display", "video": "Video", "shopping": "Shopping"}
TOTALS = ("Account", "All campaigns", "Search campaigns")


def campaigns(tables: Mapping[str, pd.DataFrame], platform: str) -> pd.DataFrame:
    """The rows of `ad_spend` of one platform that are of the level campaign."""
    rows = of_platform(tables, "ad_spend", platform)
    return rows[rows["level"] == "campaign"].reset_index(drop=True) if len(rows) else rows


def write(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    folder: Path,
    *,
    currency: str = "CNY",
    excel: bool = False,
    every: int = 1,
) -> list[Path]:
    """Write ``Campaign report ….csv`` of each month.

    Parameters
    ----------
    currency : str
        The account's.
    excel : bool
        As “Excel .csv”: UTF-16 with tabs.
    every : int
        Months of an export.
    """
    rows = campaigns(tables, "google")
    out = []
    for month in months(pd.to_datetime(rows["day"]), every=every) if len(rows) else ():
        part = rows.iloc[month.rows].reset_index(drop=True)
        content = _report(part, currency, separator="\t" if excel else ",")
        name = f"Campaign report {month.made:%Y-%m-%d}.csv"
        out.append(save(folder / name, content, encoding="utf-16" if excel else "utf-8"))
    return out


def _report(rows: pd.DataFrame, currency: str, *, separator: str) -> str:
    days = pd.to_datetime(rows["day"])
    columns = ["Day", "Campaign ID", *HEADER] if "campaign_id" in rows.columns else ["Day", *HEADER]
    impressions, clicks = column(rows, "impressions").fillna(0), column(rows, "clicks").fillna(0)
    rate = np.divide(
        clicks.astype(float), impressions.astype(float), where=impressions.to_numpy(float) > 0, out=np.zeros(len(rows))
    )
    kind = column(rows, "channel").map(KINDS).fillna("Performance Max")
    said = {
        "Day": text(days.dt.strftime("%Y-%m-%d")),
        "Campaign status": "Enabled",
        "Campaign": text(column(rows, "campaign")),
        "Budget": " --",
        "Budget type": "Daily",
        "Currency code": currency,
        "Status": "Eligible",
        "Campaign type": text(kind),
        "Conv. value": thousands(fen(rows, "conversion_value")),
        "Impr.": counted(impressions),
        "Conversions": text(column(rows, "conversions").fillna(0).map("{:.2f}".format)),
        "Clicks": counted(clicks),
        "CTR": text(pd.Series(rate).map("{:.2%}".format)),
        "Cost": thousands(fen(rows, "spend")),
        "Conv. rate": " --",
    }
    if "campaign_id" in rows.columns:
        said["Campaign ID"] = text(rows["campaign_id"])
    total = table(
        columns,
        {
            "Day": text(pd.Series([f"Total: {t}" for t in TOTALS])),
            "Campaign status": text(pd.Series([f"Total: {t}" for t in TOTALS])),
            "Currency code": currency,
            "Cost": thousands(pd.Series([fen(rows, "spend").sum()] * len(TOTALS))),
            "Impr.": counted(pd.Series([impressions.sum()] * len(TOTALS))),
        },
        separator=separator,
    )
    period = (
        f"{days.min():%B} {days.min().day}, {days.min().year} - {days.max():%B} {days.max().day}, {days.max().year}"
    )
    above = ["Campaign report", f'"{period}"' if separator == "," else period]
    return table(columns, said, separator=separator, above=above, below=total.splitlines()[1:])
