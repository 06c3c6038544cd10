import pandas as pd
import pytest

from playbook.data.demo import generate
from playbook.data.schema import TABLES

MONEY = ["amount", "discount", "unit_price", "unit_cost", "list_price"]


def read(folder):
    tables = {p.stem: pd.read_csv(p, dtype=str) for p in sorted((folder / "raw").glob("*.csv"))}
    for t in tables.values():
        for c in t.columns.intersection(MONEY):
            t[c] = (t[c].astype(float) * 100).round().astype(int)  # cents: sums must tie exactly
    return tables


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    generate(folder, scale=0.05)
    return folder


@pytest.fixture(scope="module")
def tables(shop):
    return read(shop)


def test_items_tie_to_their_orders_to_the_cent(tables):
    orders = tables["orders"].set_index(["platform", "order_id"])
    items = tables["order_items"]
    sums = items.groupby(["platform", "order_id"])[["amount", "discount"]].sum()
    assert orders.index.is_unique and len(sums) == len(orders)
    pd.testing.assert_frame_equal(sums.loc[orders.index], orders[["amount", "discount"]])
    gross = items["unit_price"] * items["quantity"].astype(int)
    assert (gross == items["amount"] + items["discount"]).all()


def test_equal_arguments_give_equal_bytes_and_another_seed_gives_others(shop, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine.txt").write_text("keep me")
    for _ in range(2):  # the second time over files that are there
        generate(tmp_path, scale=0.05)
        for file in ["shop.toml", *(f"raw/{name}.csv" for name in read(shop))]:
            assert (tmp_path / file).read_bytes() == (shop / file).read_bytes(), file
    assert (tmp_path / "raw" / "mine.txt").read_text() == "keep me"
    generate(tmp_path, scale=0.05, seed=2)
    for name in read(shop):
        assert (tmp_path / f"raw/{name}.csv").read_bytes() != (shop / f"raw/{name}.csv").read_bytes(), name


def test_headers_are_columns_of_the_schema_and_keys_are_unique(tables):
    assert sorted(tables) == ["customers", "order_items", "orders", "products", "returns"]
    assert len(tables["products"]) == 60 and tables["products"]["category"].nunique() == 6
    for name, table in tables.items():
        assert set(table.columns) <= set(TABLES[name].by_name), name
        assert set(TABLES[name].required) <= set(table.columns), name
        assert not table.duplicated(list(TABLES[name].key)).any(), name
    known = set(zip(tables["customers"]["platform"], tables["customers"]["customer_id"], strict=True))
    assert known == set(zip(tables["orders"]["platform"], tables["orders"]["customer_id"], strict=True))
    assert (tables["orders"].query("platform == 'tmall'")["order_id"].str.len() == 19).all()


def test_37_months_end_with_the_last_minutes_of_the_last_day(tables):
    times = [t[c] for t in tables.values() for c in t.columns if c.endswith("_at")]
    assert len(times) == 5
    assert max(t.max() for t in times) <= "2026-10-31 23:59:59"
    ordered = tables["orders"]["ordered_at"]
    assert ordered.str[:7].nunique() == 37 and ordered.min() >= "2023-10-01"
    assert ordered.max() >= "2026-10-31 23:30:00"


def test_november_11_beats_a_normal_day_more_than_four_times(tables):
    daily = tables["orders"]["ordered_at"].str[:10].value_counts()
    festival = daily[[f"{year}-11-11" for year in (2023, 2024, 2025)]].mean()
    assert festival > 4 * daily.sum() / 1127  # 1,127 days, the festivals among them


def test_a_return_refers_to_a_sold_line_and_never_exceeds_it(tables):
    key = ["platform", "order_id", "product_id"]
    returns, items = tables["returns"], tables["order_items"]
    both = returns.merge(items, on=key, how="left", suffixes=("", "_sold"), validate="one_to_one")
    assert both["amount_sold"].notna().all()
    assert both["quantity"].astype(int).between(1, both["quantity_sold"].astype(int)).all()
    assert (both["amount"] <= both["amount_sold"]).all()
    assert 0.05 < len(returns) / len(items) < 0.10
    paid = returns.merge(tables["orders"], on=["platform", "order_id"])
    days = (pd.to_datetime(paid["returned_at"]) - pd.to_datetime(paid["paid_at"])).dt.total_seconds() / 86400
    assert days.between(2, 15).all()


def test_a_month_beyond_the_known_lunar_calendar_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"until=2031-01: .* 2016 to 2030"):
        generate(tmp_path, scale=0.05, until="2031-01")
    assert list(tmp_path.iterdir()) == []
