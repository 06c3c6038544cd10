"""GA4's events as BigQuery gives them (nested Parquet, or CSV with JSON), and the traffic acquisition CSV.

Lost on the way: nothing of `events` but the number of decimals of `dwell_seconds` (milliseconds).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import cells
from .cells import months, of_platform, text
from .files import header, save, table

COLUMNS = header("ga4_events")
TRAFFIC = header("ga4_traffic")

SITE = "https://shop.example"
ROW_GROUP = 30_000
"""Rows that are read in one go: several of them at once by several cores."""
AHEAD = 8 * 3600
"""Seconds by which Shanghai's clock is ahead of UTC."""

CATEGORIES = {"phone": "mobile", "app": "mobile", "mini_program": "mobile"}


def write(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    folder: Path,
    *,
    csv: bool = False,
    every: int = 1,
    part: str = "",
) -> list[Path]:
    """Write the events of each month (or several) as ``events_YYYYMM.parquet``, or as CSV; `part`: see `files`."""
    events = tables.get("events")
    if events is None or events.empty:
        return []
    out = []
    for month in months(events["event_at"], every=every, overlap=0):
        rows = _events(pa.Table.from_pandas(events.iloc[month.rows], preserve_index=False))
        path = folder / f"events_{month.label.replace('-', '')}{part}.{'csv' if csv else 'parquet'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if csv:
            save(path, _as_csv(rows))
        else:
            pq.write_table(
                rows, path, compression="zstd", use_dictionary=["event_name", "event_date"], row_group_size=ROW_GROUP
            )
        out.append(path)
    return out


def write_traffic(tables: Mapping[str, pd.DataFrame], people: pd.DataFrame, folder: Path) -> list[Path]:
    """Write `traffic` of the own site by source as a GA4 CSV a day, all days in one file, a block each."""
    rows = of_platform(tables, "traffic", "own_site")
    if rows.empty:
        return []
    blocks = []
    for day, part in rows.groupby("day", sort=True):
        part = part.reset_index(drop=True)
        stamp = pd.Timestamp(str(day)).strftime("%Y%m%d")
        above = [
            "# " + "-" * 40,
            "# Traffic acquisition",
            "# All Users",
            f"# Start date: {stamp}",
            f"# End date: {stamp}",
        ]
        said = {
            TRAFFIC[0]: text(part["source"].str.replace("_", " ").str.title()),
            "Sessions": text(part["sessions"]),
            "Total revenue": cells.money(part["sales"]),
        }
        total = f"Totals,{int(part['sessions'].sum())},,,,,,,,{part['sales'].sum() / 100:.2f}"
        blocks.append(table(TRAFFIC, said, above=above, below=[total]))
    return [save(folder / "Traffic_acquisition.csv", "\n".join(blocks))]


def _column(rows: pa.Table, name: str) -> pa.Array:
    if name not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.string())
    found = rows.column(name).combine_chunks()
    return found.dictionary_decode() if pa.types.is_dictionary(found.type) else found


def _string(rows: pa.Table, name: str) -> pa.Array:
    return _column(rows, name).cast(pa.string())


def _events(rows: pa.Table) -> pa.Table:
    """The events in BigQuery's columns."""
    n = rows.num_rows
    local = _column(rows, "event_at").cast(pa.timestamp("us"))
    stamp = pc.subtract(local.cast(pa.int64()), AHEAD * 1_000_000)
    device, visitor = _string(rows, "device"), _string(rows, "visitor_id")
    category = _mapped(device, CATEGORIES)
    product = _string(rows, "product_id")
    made: dict[str, Any] = {name: pa.nulls(n, pa.string()) for name in COLUMNS}
    made |= {
        "event_date": pc.strftime(local.cast(pa.timestamp("s")), format="%Y%m%d"),
        "event_timestamp": stamp,
        "event_name": _string(rows, "event"),
        "event_params": _params(rows, device, visitor, local),
        "event_bundle_sequence_id": pa.array(np.arange(n), type=pa.int64()),
        "user_id": _string(rows, "customer_id"),
        "user_pseudo_id": visitor,
        "device": pa.StructArray.from_arrays([category], names=["category"]),
        "geo": pa.StructArray.from_arrays(
            [pa.nulls(n, pa.string()), _string(rows, "region")], names=["country", "region"]
        ),
        "stream_id": pa.array(np.full(n, "1000000001")),
        "platform": pc.if_else(pc.fill_null(pc.equal(device, "app"), False), "IOS", "WEB"),
        "ecommerce": pa.StructArray.from_arrays([_string(rows, "order_id")], names=["transaction_id"]),
        "items": _listed(product),
    }
    return pa.table(made)


def _mapped(values: pa.Array, words: Mapping[str, str]) -> pa.Array:
    for word, other in words.items():
        values = pc.if_else(pc.fill_null(pc.equal(values, word), False), other, values)
    return values


def _listed(product: pa.Array) -> pa.Array:
    """A list of one item where there is a product, else an empty one."""
    there = np.asarray(pc.is_valid(product).to_numpy(zero_copy_only=False), dtype=np.int32)
    offsets = pa.array(np.concatenate([[0], there.cumsum()]), type=pa.int32())
    items = pa.StructArray.from_arrays([pc.drop_null(product)], names=["item_id"])
    return pa.ListArray.from_arrays(offsets, items)


def _params(rows: pa.Table, device: pa.Array, visitor: pa.Array, local: pa.Array) -> pa.Array:
    """The events' parameters: a list of key and value, as long as there are things to say."""
    session = _string(rows, "session_id")
    own = pc.binary_join_element_wise(visitor, ".", "")
    number = pc.if_else(pa.array(_starts(session, own)), pc.replace_substring_regex(session, r"^.*\.", ""), session)
    integer = pc.fill_null(pc.match_substring_regex(number, "^[1-9][0-9]{0,17}$"), False)
    container = pc.if_else(pc.fill_null(pc.equal(device, "mini_program"), False), device, pa.scalar(None, pa.string()))
    value = _column(rows, "value")
    priced = pc.is_valid(value)
    strings = {
        "page_location": pc.binary_join_element_wise(SITE, _string(rows, "page"), ""),
        "search_term": _string(rows, "search_term"),
        "source": _string(rows, "source"),
        "medium": _string(rows, "medium"),
        "campaign": _string(rows, "campaign"),
        "currency": pc.if_else(priced, "CNY", pa.scalar(None, pa.string())),
        "container": container,
        "event_id": _string(rows, "event_id"),
        "ga_session_id": pc.if_else(integer, pa.scalar(None, pa.string()), number),
    }
    integers = {
        "ga_session_id": pc.if_else(integer, number, pa.scalar(None, pa.string())).cast(pa.int64()),
        "engagement_time_msec": pc.round(pc.multiply(_number(rows, "dwell_seconds"), 1000.0)).cast(pa.int64()),
    }
    doubles = {"value": pc.divide(_number(rows, "value"), 100.0)}
    return _pairs(strings, integers, doubles, rows.num_rows)


def _starts(values: pa.Array, starts: pa.Array) -> np.ndarray:
    return np.strings.startswith(_plain(values), _plain(starts))


def _plain(values: pa.Array) -> np.ndarray:
    return pc.fill_null(values, "").to_numpy(zero_copy_only=False).astype(str)


def _number(rows: pa.Table, name: str) -> pa.Array:
    return _column(rows, name).cast(pa.float64())


def _pairs(
    strings: Mapping[str, pa.Array], integers: Mapping[str, pa.Array], doubles: Mapping[str, pa.Array], n: int
) -> pa.Array:
    """Lists of key and value from one column for each key and kind; a missing value is no pair."""
    kinds = [(pa.string(), strings), (pa.int64(), integers), (pa.float64(), doubles)]
    columns = [(key, kind, values) for kind, of in kinds for key, values in of.items()]
    there = np.column_stack([pc.is_valid(v).to_numpy(zero_copy_only=False) for _k, _t, v in columns])
    which = np.flatnonzero(there.ravel())
    event, place = which // len(columns), which % len(columns)
    taken = pa.array(place * n + event)
    values = []
    for kind, _of in kinds:
        whole = pa.concat_arrays([v if t == kind else pa.nulls(n, kind) for _k, t, v in columns])
        values.append(whole.take(taken))
    keys = pa.array([key for key, _t, _v in columns]).take(pa.array(place))
    value = pa.StructArray.from_arrays(
        [values[0], values[1], pa.nulls(len(which), pa.float64()), values[2]],
        names=["string_value", "int_value", "float_value", "double_value"],
    )
    offsets = pa.array(np.concatenate([[0], there.sum(axis=1).cumsum()]), type=pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([keys, value], names=["key", "value"]))


def _as_csv(rows: pa.Table) -> str:
    """The same as CSV, nested columns as JSON below their name."""
    said = {}
    for name in COLUMNS:
        values = rows.column(name)
        if pa.types.is_nested(values.type):
            said[name] = text(pd.Series([json.dumps({name: v}, ensure_ascii=False) for v in values.to_pylist()]))
        else:
            said[name] = text(values.cast(pa.string()))
    return table(COLUMNS, said)
