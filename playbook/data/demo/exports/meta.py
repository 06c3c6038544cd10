"""Meta Ads Manager, campaigns by day, in English or Spanish; the currency in the name of a column, a total at the end.

Only rows of the level campaign are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from . import cells
from .cells import column, fen, months, text
from .files import save, table
from .google import campaigns

ENGLISH = (
    "Reporting starts|Reporting ends|Campaign name|Campaign delivery|Attribution setting|Results|Result indicator|"
    "Reach|Frequency|Cost per results|Amount spent ({0})|Impressions|CPM (cost per 1,000 impressions) ({0})|"
    "Link clicks|CPC (cost per link click) ({0})|CTR (link click-through rate)|Clicks (all)|CTR (all)|CPC (all) ({0})|"
    "Landing page views|Cost per landing page view ({0})"
)
SPANISH = (
    "Inicio del informe|Fin del informe|Día|Nombre de la campaña|Identificador de la campaña|Importe gastado ({0})"
)


def write(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    folder: Path,
    *,
    currency: str = "CNY",
    spanish: bool = False,
) -> list[Path]:
    """Write one export a month; the Spanish one has semicolons and decimal commas, and no counts."""
    rows = campaigns(tables, "meta")
    out = []
    for month in months(pd.to_datetime(rows["day"])) if len(rows) else ():
        part = rows.iloc[month.rows].reset_index(drop=True)
        content = _spanish(part, currency) if spanish else _english(part, currency)
        name = f"{'Campañas' if spanish else 'Campaigns'}-{month.made:%Y-%m-%d}.csv"
        out.append(save(folder / name, content, encoding="utf-8-sig"))
    return out


def _english(rows: pd.DataFrame, currency: str) -> str:
    columns = ["Campaign ID", *ENGLISH.format(currency).split("|"), "Purchases", "Purchases conversion value"]
    day = text(pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d"))
    spent = fen(rows, "spend")
    said = {
        "Campaign ID": text(column(rows, "campaign_id")),
        "Reporting starts": day,
        "Reporting ends": day,
        "Campaign name": text(column(rows, "campaign")),
        "Campaign delivery": "active",
        "Results": text(pd.Series(np.arange(len(rows)))),
        "Result indicator": "actions:offsite_conversion.fb_pixel_purchase",
        f"Amount spent ({currency})": cells.money(spent),
        "Impressions": text(column(rows, "impressions")),
        "Link clicks": text(column(rows, "clicks")),
        "Purchases": text(column(rows, "conversions")),
        "Purchases conversion value": cells.money(column(rows, "conversion_value")),
    }
    total = [""] * len(columns)
    total[columns.index(f"Amount spent ({currency})")] = f"{spent.sum() / 100:.2f}"
    return table(columns, said, below=[",".join(total)])


def _spanish(rows: pd.DataFrame, currency: str) -> str:
    columns = SPANISH.format(currency).split("|")
    day = text(pd.to_datetime(rows["day"]).dt.strftime("%Y-%m-%d"))
    spent = cells.money(fen(rows, "spend")).to_pandas().str.replace(".", ",", regex=False)
    said = {
        "Inicio del informe": day,
        "Fin del informe": day,
        "Día": day,
        "Nombre de la campaña": text(column(rows, "campaign")),
        "Identificador de la campaña": text(column(rows, "campaign_id")),
        columns[-1]: text(spent),
    }
    total = ";" * (len(columns) - 1) + f"{fen(rows, 'spend').sum() / 100:.2f}".replace(".", ",")
    return table(columns, said, separator=";", below=[total])
