"""Exporters: canonical frames become the files that the platforms themselves would give.

Each module's ``write(tables, people, folder, …)`` writes one platform's files below a folder and returns their paths.

`tables`
    canonical name → frame with the schema's columns; times are naive and of Shanghai's clock, money is whole fen,
    identifiers are text. Columns that a frame lacks stay empty in the file.
`people`
    one row per (platform, customer_id) with name, phone, email, province, city, district, street, address, device.
    Provinces and cities in their short form (广东, 深圳); the exporters add 省, 市.

What a file cannot carry is lost, as it is in life; each module says what that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from . import alimama, douyin, ga4, google, jd, meta, shopify, sycm, taobao, wanxiangtai


def write(
    tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path, *, refunds: bool = True
) -> list[Path]:
    """Write the files of every platform that the demo shop sells or advertises on, each below a folder of its own.

    Parameters
    ----------
    tables, people
        See the module.
    folder : Path
        The shop's ``raw/``.
    refunds : bool
        Whether Shopify's orders say what was refunded; not where `returns` is handed to ingest by itself.
    """
    return [
        *taobao.write(tables, people, folder / "tmall"),
        *jd.write(tables, people, folder / "jd"),
        *douyin.write(tables, people, folder / "douyin"),
        *shopify.write(tables, people, folder / "shopify", refunds=refunds),
        *ga4.write(tables, people, folder / "ga4"),
        *google.write(tables, people, folder / "google"),
        *wanxiangtai.write(tables, people, folder / "wanxiangtai"),
        *alimama.write(tables, people, folder / "alimama"),
        *sycm.write(tables, people, folder / "tmall"),
    ]


__all__ = ["alimama", "douyin", "ga4", "google", "jd", "meta", "shopify", "sycm", "taobao", "wanxiangtai", "write"]
