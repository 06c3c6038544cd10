"""The files of the demo: whole, tied to each other, equal for equal arguments."""

import json

import numpy as np
import pandas as pd
import pyarrow.csv
import pyarrow.parquet
import pytest

from playbook.data.demo import generate
from playbook.data.schema import TABLES

MONEY = {name: [c.name for c in t.columns if c.type == "money"] for name, t in TABLES.items()}


def read(folder):
    """The tables in raw/, parts put together; identifiers as text, money in fen."""
    out = {}
    for name in TABLES:
        parts = [p for p in sorted((folder / "raw").iterdir()) if p.name.split(".")[0].rsplit("-", 1)[0] == name]
        if parts:
            out[name] = pd.concat([_one(p, name) for p in parts], ignore_index=True)
    return out


def _one(path, name):
    if path.suffix == ".parquet":
        frame = pyarrow.parquet.read_table(path).to_pandas()
    else:
        frame = pd.read_csv(path, dtype={c.name: str for c in TABLES[name].columns if c.type in ("id", "money")})
    for column in frame.columns.intersection(MONEY[name]):
        frame[column] = (frame[column].astype(float) * 100).round().astype("Int64")
    for c in TABLES[name].columns:
        if c.type in ("time", "date") and c.name in frame:
            frame[c.name] = pd.to_datetime(frame[c.name])
    return frame


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    generate(folder, scale=0.05)
    return folder


@pytest.fixture(scope="module")
def tables(shop):
    return read(shop)


def test_every_canonical_table_is_there_with_its_columns_and_keys(tables):
    assert set(tables) == set(TABLES)
    assert len(tables["products"]) == 60 and tables["products"]["category"].nunique() == 6
    for name, table in tables.items():
        assert set(table.columns) <= set(TABLES[name].by_name), name
        assert set(TABLES[name].required) <= set(table.columns), name
        assert len(table) and table[list(TABLES[name].required)].notna().all().all(), name
        key = [c for c in TABLES[name].key if c in table]
        assert not table.duplicated(key).any(), name


def test_items_tie_to_their_orders_to_the_fen(tables):
    orders = tables["orders"].set_index(["platform", "order_id"])
    items = tables["order_items"]
    sums = items.groupby(["platform", "order_id"])[["amount", "discount"]].sum()
    assert orders.index.is_unique and len(sums) == len(orders)
    assert (sums.loc[orders.index] == orders[["amount", "discount"]]).all().all()
    gross = items["unit_price"] * items["quantity"]
    assert (gross == items["amount"] + items["discount"]).all()
    assert (items["amount"] >= 0).all() and (orders["platform_discount"] <= orders["amount"]).all()


@pytest.mark.parametrize(
    ("name", "column", "of"),
    [
        ("order_status", "order_id", "orders"), ("returns", "order_id", "orders"), ("shipments", "order_id", "orders"),
        ("points", "order_id", "orders"), ("reviews", "order_id", "orders"), ("order_items", "product_id", "products"),
        ("inventory", "product_id", "products"), ("purchase_orders", "product_id", "products"),
        ("reviews", "product_id", "products"), ("products", "supplier_id", "suppliers"),
        ("orders", "customer_id", "customers"), ("messages", "customer_id", "customers"),
        ("tickets", "customer_id", "customers"), ("surveys", "customer_id", "customers"),
        ("orders", "promotion_id", "promotions"), ("messages", "campaign_id", "campaigns"),
        ("content", "campaign_id", "campaigns"), ("tasks", "campaign_id", "campaigns"),
    ],
)  # fmt: skip
def test_what_a_table_refers_to_exists(tables, name, column, of):
    said = tables[name][column].dropna()
    assert len(said) and said.isin(tables[of][column]).all()


def test_every_buyer_is_a_customer_and_so_are_the_cheats(tables, shop):
    known = set(zip(tables["customers"]["platform"], tables["customers"]["customer_id"], strict=True))
    assert set(zip(tables["orders"]["platform"], tables["orders"]["customer_id"], strict=True)) <= known
    fraud = pd.concat(pd.read_csv(p, dtype=str) for p in shop.glob("truth_orders*.csv"))["fraud"].value_counts()
    assert fraud["fake"] == 3 * round(270 * 0.05)  # three campaigns
    assert fraud["refund_loop"] == 6  # one account


def test_nothing_observed_lies_ahead_and_only_plans_do(tables):
    end = pd.Timestamp("2026-11-01")
    for name, table in tables.items():
        spec = TABLES[name]
        if spec.happened:
            assert (table[spec.happened] < end).all(), name
        if spec.recorded:
            assert (table[spec.recorded] < end).all(), name
    for name, column in (("campaigns", "starts_on"), ("content", "publish_at"), ("tasks", "due_on"),
                         ("promotions", "starts_at"), ("purchase_orders", "due_on")):  # fmt: skip
        ahead = tables[name][column]
        far = end if name == "purchase_orders" else pd.Timestamp("2026-12-01")
        assert (ahead >= far).any() and (ahead < end).any(), name
    assert (tables["targets"]["period"] == "2026-12").any()


def test_37_months_end_with_the_last_hour_of_the_last_day(tables):
    ordered = tables["orders"]["ordered_at"]
    assert ordered.dt.to_period("M").nunique() == 37 and ordered.min() >= pd.Timestamp("2023-10-01")
    assert ordered.max() >= pd.Timestamp("2026-10-31 22:00:00")


def test_november_11_beats_a_normal_day_more_than_four_times(tables):
    daily = tables["orders"]["ordered_at"].dt.strftime("%Y-%m-%d").value_counts()
    festival = daily[[f"{year}-11-11" for year in (2023, 2024, 2025)]].mean()
    assert festival > 4 * daily.sum() / 1127


def test_equal_arguments_give_equal_bytes_and_another_seed_gives_others(shop, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine.txt").write_text("keep me")
    made = (shop / ".made").read_text().split()
    assert {"shop.toml", "truth.json"} <= set(made)
    for _ in range(2):  # the second time over files that are there
        generate(tmp_path, scale=0.05)
        for file in made:
            assert (tmp_path / file).read_bytes() == (shop / file).read_bytes(), file
    assert (tmp_path / "raw" / "mine.txt").read_text() == "keep me"
    generate(tmp_path, scale=0.05, seed=2)
    same = [f for f in made if (tmp_path / f).read_bytes() == (shop / f).read_bytes()]
    assert same == ["raw/suppliers.csv", "shop.toml"]


def test_a_large_shop_comes_in_parts_and_a_smaller_one_takes_them_away(tmp_path):
    generate(tmp_path, scale=1.02)
    parts = sorted(p.name for p in (tmp_path / "raw").glob("orders*"))
    assert parts == ["orders-001.csv", "orders-002.csv"]
    tables = read(tmp_path)
    orders = tables["orders"]
    assert 130_000 < len(orders) < 165_000 and not orders.duplicated(["platform", "order_id"]).any()
    assert not tables["customers"].duplicated(["platform", "customer_id"]).any()
    assert not tables["events"]["event_id"].duplicated().any()
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["scale"] == 1.02 and truth["media"]["search"]["incremental_orders"] > 3_000
    generate(tmp_path, scale=0.02)
    assert [p.name for p in (tmp_path / "raw").glob("orders*")] == ["orders.csv"]


def test_units_that_leave_the_warehouse_were_sold(tables):
    sold = tables["order_items"]["quantity"].sum()
    stock = tables["inventory"].groupby("day")["on_hand"].sum()
    received = tables["purchase_orders"]["received"].fillna(0).sum()
    assert np.isfinite(stock).all() and stock.min() > 0
    assert received == pytest.approx(sold, rel=0.25)


def test_a_month_beyond_the_known_lunar_calendar_or_an_odd_scale_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"until=2031-01: .* 2016 to 2030"):
        generate(tmp_path, scale=0.05, until="2031-01")
    for scale in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="scale"):
            generate(tmp_path, scale=scale)
    assert list(tmp_path.iterdir()) == []
