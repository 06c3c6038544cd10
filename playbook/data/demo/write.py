"""Writing tables as files: money in yuan to the fen, times by the shop's clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ..schema import TABLES
from .exports.ga4 import ROW_GROUP

LARGE = (
    *("order_status", "touchpoints", "messages", "inventory", "shipments", "coupons", "points", "experiments"),
    *("traffic", "competitors", "settlements", "mentions"),
)
"""Tables that are written as Parquet; the others as CSV, for people to look into."""


def write(folder: Path, name: str, table: pd.DataFrame, part: str = "", more: pd.DataFrame | None = None) -> Path:
    """Write a table in the canonical columns' order; `part` tells its files apart, `more` are further columns."""
    known = TABLES[name].by_name
    columns = [c for c in known if c in table.columns and table[c].notna().any()]
    said = {c: _column(table[c], known[c].type) for c in columns}
    further = {} if more is None else {c: _column(more[c], "text") for c in more}
    arrow = pa.table(said | further)
    path = folder / f"{name}{part}.{'parquet' if name in LARGE else 'csv'}"
    if name in LARGE:
        pa.parquet.write_table(arrow, path, compression="zstd", store_schema=False, row_group_size=ROW_GROUP)
    else:
        with path.open("wb") as file:
            pa.csv.write_csv(arrow, file, pa.csv.WriteOptions(quoting_style="needed"))
    return path


def _column(values: pd.Series, kind: str) -> pa.Array:
    if kind == "money":
        return fen_as_yuan(values)
    if kind == "date":
        return pa.array(values, type=pa.timestamp("s"), from_pandas=True).cast(pa.date32())
    if kind == "time":
        return pa.array(values.astype("datetime64[s]"), type=pa.timestamp("s"), from_pandas=True)
    if kind in ("id", "text", "hash"):
        text = values if values.dtype == "str" else values.astype(object)
        return pa.array(text, type=pa.string(), from_pandas=True)
    if kind == "integer":
        return pa.array(values.astype("Int64"), type=pa.int64(), from_pandas=True)
    if kind == "flag":
        return pa.array(values.astype("boolean"), type=pa.bool_(), from_pandas=True)
    return pa.array(np.round(values.astype(float), 6), type=pa.float64(), from_pandas=True)


def fen_as_yuan(fen: pd.Series) -> pa.Array:
    """Whole fen as exact decimals of yuan."""
    missing = fen.isna().to_numpy()
    whole = fen.fillna(0).astype(np.int64).to_numpy()
    words = np.column_stack([whole, whole >> 63])  # 128 bits, little end first
    bits = np.packbits(~missing, bitorder="little")
    return pa.Array.from_buffers(
        pa.decimal128(18, 2), len(whole), [pa.py_buffer(bits.tobytes()), pa.py_buffer(words.tobytes())]
    )
