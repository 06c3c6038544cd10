"""A small shop on every platform as canonical frames, its people, and what comes back from its exported files."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from playbook.data.ingest import ingest
from playbook.data.schema import TABLES

SETTINGS = 'currency = "CNY"\nzone = "Asia/Shanghai"\n'
SHANGHAI = pd.Timedelta(hours=8)
PLACES = [
    ("广东", "深圳"), ("北京", "北京"), ("上海", "上海"), ("内蒙古", "锡林郭勒盟"), ("新疆", "昌吉回族自治州"),
    ("浙江", "杭州"), ("吉林", "吉林"), ("广西", "南宁"), ("湖北", "恩施土家族苗族自治州"),
]  # fmt: skip
STATUS = ["completed", "completed", "completed", "shipped", "paid", "placed", "cancelled", "closed"]
DEVICES = {
    "tmall": ["app", None], "jd": ["app", "desktop", "tablet"], "douyin": [None],
    "own_site": ["mini_program", "phone", "desktop"],
}  # fmt: skip
CHANNELS = {
    "tmall": [None], "jd": ["search", "paid_search"], "douyin": ["live", "short_video", "natural_search"],
    "own_site": ["direct", "email", "xiaohongshu"],
}  # fmt: skip
IDS = {"tmall": "21{:017d}", "jd": "28{:010d}", "douyin": "69{:017d}", "own_site": "LM2026{:06d}"}
CENTS = ("amount", "discount", "platform_discount", "creator_discount", "shipping", "tax", "unit_price", "spend",
         "conversion_value", "sales", "value")  # fmt: skip


def pick(rng: np.random.Generator, options: list[Any], n: int) -> np.ndarray:
    found = np.empty(len(options), dtype=object)
    found[:] = options
    return found[rng.integers(0, len(options), n)]


def people_of(rng: np.random.Generator, platform: str, n: int) -> pd.DataFrame:
    place = [PLACES[i] for i in rng.integers(0, len(PLACES), n)]
    number = np.arange(n)
    return pd.DataFrame(
        {
            "platform": platform,
            "customer_id": [f"{platform[0]}{i:07d}" for i in number],
            "name": [f"测试人名{i:05d}号" for i in number],
            "phone": [f"199{i:08d}" for i in number],
            "email": [f"person{i}@{platform.replace('_', '-')}.example" for i in number],
            "province": [p for p, _c in place],
            "city": [c for _p, c in place],
            "district": "虚构区",
            "street": "假想路",
            "address": [f"{i}号院" for i in number],
            "device": [f"device-{i:06d}" for i in number],
        }
    )


def orders_of(rng: np.random.Generator, platform: str, n: int, people: pd.DataFrame, start: str, days: int) -> Any:
    placed = pd.Timestamp(start) + pd.to_timedelta(np.sort(rng.integers(0, days * 86400, n)), unit="s")
    who = people.iloc[rng.integers(0, len(people), n)].reset_index(drop=True)
    status = pick(rng, STATUS, n)
    paid = ~np.isin(status, ["placed", "cancelled"])
    shipped, done = np.isin(status, ["shipped", "completed"]), status == "completed"
    placed = pd.Series(placed.astype("datetime64[s]"))
    orders = pd.DataFrame(
        {
            "order_id": [IDS[platform].format(i * 7919 + 1) for i in range(n)],
            "platform": platform,
            "customer_id": who["customer_id"],
            "ordered_at": placed,
            "paid_at": (placed + pd.Timedelta(seconds=61)).where(paid),
            "shipped_at": (placed + pd.Timedelta(hours=20)).where(shipped),
            "delivered_at": (placed + pd.Timedelta(days=3)).where(done),
            "status": status,
            "region": who["province"],
            "city": who["city"],
            "device": pick(rng, DEVICES[platform], n),
            "channel": pick(rng, CHANNELS[platform], n),
            "shipping": rng.choice([0, 0, 800], n),
            "creator_discount": rng.choice([0, 333], n) if platform == "douyin" else 0,
            "platform_discount": rng.choice([0, 501], n) if platform != "own_site" else 0,
        }
    )
    order = np.repeat(np.arange(n), rng.integers(1, 4, n))
    lines = len(order)
    quantity, price = rng.choice([1, 1, 2, 3], lines), rng.integers(20, 400, lines) * 100 - 10
    discount = np.rint(price * quantity * rng.choice([0, 0.1, 0.15], n)[order]).astype("int64")
    items = pd.DataFrame(
        {
            "order_id": orders["order_id"].to_numpy()[order],
            "line": pd.Series(order).groupby(order).cumcount() + 1,
            "platform": platform,
            "product_id": [f"{11 + i % 4}{i:04d}" for i in rng.integers(1, 40, lines)],
            "quantity": quantity,
            "unit_price": price,
            "amount": price * quantity - discount,
            "discount": discount,
            "ordered_at": orders["ordered_at"].to_numpy()[order],
        }
    )
    orders[["amount", "discount"]] = orders[["order_id"]].join(
        items.groupby("order_id")[["amount", "discount"]].sum(), on="order_id"
    )[["amount", "discount"]]
    return orders, items


def made(
    seed: int = 7, *, start: str = "2026-08-20", days: int = 60, **counts: int
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Canonical frames of a shop, and its people."""
    rng = np.random.default_rng(seed)
    counts = {"tmall": 120, "jd": 80, "douyin": 100, "own_site": 60} | counts
    people = {p: people_of(rng, p, max(3, n // 2)) for p, n in counts.items()}
    sold = {p: orders_of(rng, p, n, people[p], start, days) for p, n in counts.items()}
    tables = {
        "orders": pd.concat([o for o, _i in sold.values()], ignore_index=True),
        "order_items": pd.concat([i for _o, i in sold.values()], ignore_index=True),
    }
    tables["customers"] = people["own_site"][["customer_id", "platform"]].assign(
        region=people["own_site"]["province"], city=people["own_site"]["city"], country="CN",
        consent_marketing=lambda f: f.index % 2 == 0,
    )  # fmt: skip
    return tables, pd.concat(people.values(), ignore_index=True)


@pytest.fixture(scope="session")
def shop() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    return made()


@pytest.fixture
def returned(make_shop: Any, tmp_path: Path) -> Callable[..., Any]:
    """Write files into a shop's raw/ by a function of its folder, and ingest them."""

    def build(write: Callable[[Path], Any], settings: str = SETTINGS) -> Any:
        from tests.conftest import Built

        store = make_shop("corner", {}, settings)
        write(store.raw)
        return Built(store, ingest(store))

    return build


def as_stored(table: str, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """A canonical frame as ingest should give it back: UTC, money in yuan, in order of its key."""
    out = {}
    for name in columns:
        kind, values = TABLES[table].by_name[name].type, frame[name]
        if kind == "money":
            values = values.map(lambda v: None if pd.isna(v) else Decimal(int(v)).scaleb(-2))
        elif kind == "time":
            values = values.astype("datetime64[us]") - SHANGHAI
        elif kind == "date":
            values = pd.to_datetime(values).dt.date
        out[name] = values
    return in_order(table, pd.DataFrame(out))


def in_order(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    key = [k for k in TABLES[table].key if k in frame.columns]
    frame = frame.astype(object).where(frame.notna(), None)
    return frame.sort_values(key, ignore_index=True)


def assert_same(table: str, got: pd.DataFrame, expected: pd.DataFrame, columns: str) -> None:
    """Row by row and to the cent, in these columns."""
    names = columns.split()
    wanted = as_stored(table, expected, names)
    missing = [n for n in names if n not in got.columns]
    assert not [n for n in missing if wanted[n].notna().any()], missing
    there = in_order(table, got.reindex(columns=names))
    assert len(there) == len(wanted)
    for name in names:
        a, b = there[name].tolist(), wanted[name].tolist()
        wrong = [(x, y) for x, y in zip(a, b, strict=True) if x != y and not (x is None and y is None)]
        assert not wrong, (name, len(wrong), wrong[:5])


def assert_nothing_personal(built: Any, people: pd.DataFrame) -> None:
    """No name, phone, e-mail or address in any file that ingest wrote."""
    values = {v.encode() for c in ("name", "phone", "email") for v in people[c]}
    for path in built.folder.iterdir():
        table = path.suffix == ".parquet"
        data = pd.read_parquet(path).to_csv(index=False).encode() if table else path.read_bytes()
        assert not [v for v in values if v in data][:3], path.name
        assert "号院".encode() not in data and "假想路".encode() not in data, path.name
