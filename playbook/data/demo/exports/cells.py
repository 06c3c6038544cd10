"""Cells of a raw file, a column at a time: money, times, addresses as platforms write them; and how files repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

OVERLAP = 3
"""Days by which a month's export reaches back into the month before."""

_ENDS = {
    **dict.fromkeys(("北京", "上海", "天津", "重庆"), "市"),
    **dict.fromkeys(("内蒙古", "西藏"), "自治区"),
    **dict.fromkeys(("香港", "澳门"), "特别行政区"),
    "广西": "壮族自治区",
    "宁夏": "回族自治区",
    "新疆": "维吾尔自治区",
    "海外": "",
}

_WHOLE = ("市", "自治州", "盟", "地区", "林区", "县")
"""How a city's name ends that needs no 市. (杭州 does not: it is no 自治州.)"""


def text(values: Any) -> pa.Array:
    """Any column as text; what is missing is empty."""
    if isinstance(values, pa.Scalar):
        return values
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not isinstance(values, pa.Array):
        values = pa.Array.from_pandas(pd.Series(values).reset_index(drop=True))
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    return pc.fill_null(values, "")


def joined(*columns: Any, by: str = "") -> pa.Array:
    """Columns and constants put together, row by row."""
    cells = [pa.scalar(c) if isinstance(c, str) else text(c) for c in columns]
    return pc.binary_join_element_wise(*cells, by)


def money(fen: Any, *, places: int = 2) -> pa.Array:
    """Whole fen as yuan with two places; missing is empty."""
    values = pd.Series(fen).reset_index(drop=True)
    there = values.notna().to_numpy()
    whole = values.fillna(0).to_numpy(dtype=np.int64)
    size = np.abs(whole)
    sign = np.where(whole < 0, "-", "")
    cents = pc.utf8_lpad(pa.array(size % 100).cast(pa.string()), 2, "0")
    written = joined(pa.array(sign), pa.array(size // 100), ".", cents)
    return pc.if_else(pa.array(there), written, "")


def thousands(fen: Any) -> pa.Array:
    """Whole fen as yuan with a comma between thousands: 1,234.50."""
    return pa.array([f"{v / 100:,.2f}" for v in pd.Series(fen).fillna(0).tolist()], type=pa.string())


def counted(values: Any) -> pa.Array:
    """Counts with a comma between thousands."""
    return pa.array([f"{int(v):,}" for v in pd.Series(values).fillna(0).tolist()], type=pa.string())


def moment(times: Any, form: str = "%Y-%m-%d %H:%M:%S") -> pa.Array:
    """Times as text; missing is empty."""
    values = pd.Series(times).reset_index(drop=True).astype("datetime64[s]")
    return text(pc.strftime(pa.Array.from_pandas(values), format=form))


def coded(values: Any, words: Mapping[str, str], default: str = "") -> pa.Array:
    """Codes in the platform's words."""
    return pa.array([words.get(v, default) for v in pd.Series(values).tolist()], type=pa.string())


def names(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Product → its name, as far as there are any."""
    products = tables.get("products")
    if products is None or "name" not in products.columns:
        return {}
    return dict(zip(products["product_id"], products["name"], strict=True))


def titles(ids: Any, named: Mapping[str, str]) -> pa.Array:
    """The names of products; of one without a name its number."""
    return pa.array([named.get(i, i or "") for i in pd.Series(ids, dtype=object).tolist()], type=pa.string())


def token(values: Any, salt: str) -> pa.Array:
    """A cipher of each value, of no use but to look like one."""
    return text(
        pd.Series(pd.util.hash_array((pd.Series(values).astype(str) + salt).to_numpy(object))).map("{:016x}".format)
    )


def column(frame: pd.DataFrame, name: str, default: Any = None) -> pd.Series:
    """A frame's column, or one that says nothing."""
    return frame[name] if name in frame.columns else pd.Series(default, index=frame.index, dtype=object)


def fen(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of money; nothing where there is none."""
    return pd.to_numeric(column(frame, name)).fillna(0).astype("int64")


def of_platform(tables: Mapping[str, pd.DataFrame], name: str, platform: str) -> pd.DataFrame:
    """The rows of a table that are one platform's, in order of time; none where there is no such table."""
    table = tables.get(name)
    if table is None:
        return pd.DataFrame()
    if "platform" in table.columns:
        table = table[table["platform"] == platform]
    return table.reset_index(drop=True)


def province(names: Any) -> pa.Array:
    """Provinces with 省, 市 or what else ends their full name."""
    short = pd.Series(names).reset_index(drop=True)
    ends = {n: "" if pd.isna(n) or not n else n + _ENDS.get(n, "省") for n in short.unique()}
    return text(short.map(ends))


def town(names: Any) -> pa.Array:
    """Cities with 市, unless they end otherwise."""
    short = pd.Series(names).reset_index(drop=True)
    whole = {n: "" if pd.isna(n) or not n else n if str(n).endswith(_WHOLE) else f"{n}市" for n in short.unique()}
    return text(short.map(whole))


@dataclass(frozen=True)
class Recipients:
    """Who gets each order, and where."""

    name: pa.Array
    phone: pa.Array
    email: pa.Array
    province: pd.Series
    city: pd.Series
    district: pa.Array
    street: pa.Array
    address: pa.Array
    device: pa.Array


def recipients(rows: pd.DataFrame, people: pd.DataFrame, platform: str) -> Recipients:
    """The people of orders (or customers); their place and device are the order's own, where it says so."""
    mine = people[people["platform"] == platform].drop_duplicates("customer_id").set_index("customer_id")
    known = mine.reindex(column(rows, "customer_id").to_numpy(object)).reset_index(drop=True)
    region = column(rows, "region").reset_index(drop=True)
    city = column(rows, "city").reset_index(drop=True)
    return Recipients(
        **{n: text(column(known, n)) for n in ("name", "phone", "email")},
        **{n: text(column(rows if n in rows else known, n)) for n in ("district", "street", "address")},
        device=text(rows["device_id"] if "device_id" in rows else column(known, "device")),
        province=region.where(region.notna(), column(known, "province")),
        city=city.where(city.notna(), column(known, "city")),
    )


@dataclass(frozen=True)
class Month:
    """The export of a month, or of several: its rows, when it was made, and which it shows before they were settled."""

    label: str
    made: pd.Timestamp
    rows: np.ndarray
    early: np.ndarray

    @property
    def stamp(self) -> str:
        return f"{self.made:%Y%m%d%H%M%S}"


def months(times: pd.Series, *, every: int = 1, overlap: int = OVERLAP, hour: float = 10.4) -> Iterator[Month]:
    """The exports of rows, each of so many months: made on the first of the next month, and reaching some days back.

    Rows of an export's last days are `early` in it; the next one has them again. The last one may be of fewer months.
    """
    if times.empty:
        return
    values = times.to_numpy().astype("datetime64[s]")
    first, last = pd.Period(values.min(), "M"), pd.Period(values.max(), "M")
    back = np.timedelta64(overlap, "D")
    for month in pd.period_range(first, last, freq="M")[::every]:
        after = min(month + every, last + 1)
        begin = month.start_time.to_datetime64().astype("datetime64[s]")
        end = after.start_time.to_datetime64().astype("datetime64[s]")
        rows = np.flatnonzero((values >= begin - back) & (values < end))
        early = (values[rows] >= end - back) & (after <= last)
        if len(rows):
            made = after.start_time + pd.Timedelta(hours=hour)
            yield Month(str(month), made, rows, early)


def as_shown(orders: pd.DataFrame, month: Month) -> pd.DataFrame:
    """The orders of an export as they stood when it was made: fresh ones are not yet shipped, and some not paid."""
    rows = orders.iloc[month.rows].reset_index(drop=True)
    paid = column(rows, "paid_at")
    unpaid = month.early & (paid.isna() | (pd.to_datetime(paid) > month.made)).to_numpy()
    status = column(rows, "status", "completed").where(~month.early, "paid").where(~unpaid, "placed")
    changed = {"status": status, "paid_at": pd.to_datetime(paid).where(~unpaid)}
    for name in ("shipped_at", "delivered_at"):
        changed[name] = pd.to_datetime(column(rows, name)).where(~month.early)
    return rows.assign(**changed)
