"""An analyst's own frames as canonical tables."""

from __future__ import annotations

import ibis
import pandas as pd

from ..language import _
from .engine import MONEY
from .schema import TABLES, Column
from .store import ShopError


def table_from(name: str, rows: pd.DataFrame | ibis.Table, zone: str) -> ibis.Table:
    """A canonical table from an analyst's frame or table, with times in the shop's clock and money exact.

    Parameters
    ----------
    name : str
        Which canonical table.
    rows : DataFrame or Table
        Its rows, under the schema's column names; the frame is not changed.
    zone : str
        The shop's; times that carry a zone of their own are converted to it.

    Raises
    ------
    ShopError
        The schema knows no such table or column, a required column is lacking, or a cell cannot be read.
    """
    if name not in TABLES:
        raise ShopError(
            _("there is no table {table!r}; there is: {tables}").format(table=name, tables=", ".join(TABLES))
        )
    spec = TABLES[name]
    for column in rows.columns:
        if column not in spec.by_name:
            raise ShopError(
                _("the table {table} has no column {column!r}; it has: {columns}").format(
                    table=name, column=column, columns=", ".join(spec.by_name)
                )
            )
    for column in spec.required:
        if column not in rows.columns:
            raise ShopError(_("the table {table} needs the column {column}").format(table=name, column=column))
    if isinstance(rows, pd.DataFrame):
        read = {c: _read(rows[c], spec.by_name[c], f"{name}.{c}", zone) for c in rows.columns}
        rows = ibis.memtable(pd.DataFrame(read))
    casts = {"money": MONEY, "date": "date", "time": "timestamp", "id": "string", "hash": "string"}
    table = rows.mutate(
        **{c: rows[c].cast(casts[kind]) for c in rows.columns if (kind := spec.by_name[c].type) in casts}
    )
    if name == "orders" and "paid_at" not in table.columns:
        table = table.mutate(paid_at=table.ordered_at)
    return table


def _read(cells: pd.Series, column: Column, called: str, zone: str) -> pd.Series:
    """The cells of a column by its type; a cell that cannot be read is named."""
    try:
        if column.type in ("time", "date"):
            moments = pd.to_datetime(cells)
            if moments.dt.tz is not None:
                moments = moments.dt.tz_convert(zone).dt.tz_localize(None)
            return moments.dt.date if column.type == "date" else moments
        if column.type in ("money", "number", "share", "integer"):
            pd.to_numeric(cells)
    except (ValueError, TypeError):
        wrong = next((c for c in cells if not _readable(c, column)), cells.iloc[0])
        raise ShopError(
            _("{column} holds {cell!r}, which is no {kind}").format(column=called, cell=wrong, kind=column.type)
        ) from None
    if column.type not in ("id", "hash"):
        return cells
    if pd.api.types.is_float_dtype(cells) and (cells.dropna() % 1 == 0).all():
        cells = cells.astype("Int64")  # whole numbers that pandas made floats of, because one is lacking
    return cells.astype("string")


def _readable(cell: object, column: Column) -> bool:
    try:
        pd.to_datetime(cell) if column.type in ("time", "date") else pd.to_numeric(cell)
    except (ValueError, TypeError):
        return False
    return True
