"""The files of the demo: whole, tied to each other, equal for equal arguments; and what ingest makes of them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from playbook.data import demo
from playbook.data.demo import generate, make_tables
from playbook.data.demo.blocks import make_block
from playbook.data.demo.world import make_world
from playbook.data.ingest import ingest
from playbook.data.schema import TABLES
from playbook.data.store import Store, read_settings
from playbook.decisions import assets
from tests.conftest import Built
from tests.data.formats.conftest import assert_same, in_order

SCALE = 0.05


def built(folder):
    store = Store(folder, read_settings(folder / "shop.toml"))
    return Built(store, ingest(store))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    generate(folder, scale=SCALE)
    return folder


@pytest.fixture(scope="module")
def tables():
    """The truth in memory, money in fen."""
    return make_tables(make_world(scale=SCALE, seed=1, until="2026-10"))


@pytest.fixture(scope="module")
def ingested(shop):
    return built(shop)


def test_every_canonical_table_is_there_with_its_columns_and_keys(tables, ingested):
    assert set(tables) == set(TABLES) == set(ingested.accounting["tables"])
    assert len(tables["products"]) == 60 and tables["products"]["category"].nunique() == 6
    for name, table in tables.items():
        for rows in (table, ingested.table(name)):
            assert set(TABLES[name].required) <= set(rows.columns), name
            assert len(rows) and rows[list(TABLES[name].required)].notna().all().all(), name
            key = [c for c in TABLES[name].key if c in rows]
            assert not rows.duplicated(key).any(), name


# What a platform's export carries of an order, and of its lines.
ORDERS = "order_id platform customer_id ordered_at paid_at amount shipping status region city"
CARRIED = {
    "tmall": "store platform_discount",
    "jd": "discount platform_discount channel device delivered_at",
    "douyin": "discount platform_discount creator_discount shipped_at delivered_at",
    "own_site": "store discount channel device coupon_id payment_method shipped_at country",
}
LINES = "order_id platform product_id quantity"


@pytest.mark.parametrize("platform", CARRIED)
def test_orders_come_back_from_the_platforms_exports_to_the_fen(tables, ingested, shop, platform):
    planted = json.loads((shop / "truth.json").read_text())["defects"]
    spoilt = {number for p in planted for number in [*p["lost"], *p["changed"]]}
    made = tables["orders"][lambda f: (f.platform == platform) & ~f.order_id.isin(spoilt)]
    foreign = ingested.orders.order_id.str.startswith("US")
    got = ingested.orders[lambda f: (f.platform == platform) & ~f.order_id.isin(spoilt) & ~foreign]
    assert_same("orders", got, made, f"{ORDERS} {CARRIED[platform]}")
    lines = tables["order_items"][lambda f: (f.platform == platform) & ~f.order_id.isin(spoilt)]
    items = ingested.table("order_items")
    items = items[(items.platform == platform) & items.order_id.isin(lines.order_id)]
    columns = f"{LINES} unit_price amount discount" if platform in ("douyin", "own_site") else LINES
    columns += "" if platform == "jd" else " amount" if "amount" not in columns else ""
    by = ["order_id", "product_id", "quantity"]
    assert_same("order_items", items.assign(line=items.groupby("order_id").cumcount()).sort_values(by),
                lines.sort_values(by), columns)  # fmt: skip
    added = items.groupby("order_id").amount.sum()
    assert (added == got.set_index("order_id").amount.reindex(added.index)).all()
    assert items.ordered_at.notna().all()


OTHERS = set(TABLES) - {"orders", "order_items", "customers", "settlements", "traffic", "ad_spend", "order_status"}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_every_other_table_comes_back_as_it_was(tables, ingested, name):
    got, made = ingested.table(name), tables[name]
    if name == "events":  # GA4 numbers sessions by visitor: one that is all digits comes back behind hers
        own = made.session_id.astype(str)
        made = made.assign(session_id=own.where(~own.str.isdigit(), made.visitor_id.astype(str) + "." + own))
    columns = [c.name for c in TABLES[name].columns if c.name in got and c.type not in ("number", "share")]
    assert_same(name, got, made.reindex(columns=columns), " ".join(columns))
    for c in TABLES[name].columns:
        if c.type in ("number", "share") and c.name in got:
            a, b = (in_order(name, f)[c.name].astype(float) for f in (got, made))
            assert np.allclose(a, b, atol=1e-3, equal_nan=True), c.name


def test_sums_over_all_platforms_survive_exports_that_split_a_table(tables, ingested):
    """Advertising, traffic and bookings come partly as a platform's export, partly from the team's own files."""
    for name, column, by in (("ad_spend", "spend", ["platform", "level"]), ("settlements", "amount", ["platform"]),
                             ("traffic", "sales", ["platform"])):  # fmt: skip
        got, made = ingested.table(name).groupby(by)[column], tables[name].groupby(by)[column]
        assert got.size().to_dict() == made.size().to_dict()
        assert (got.sum().astype(float) * 100).round().to_dict() == made.sum().astype(float).to_dict()


def test_every_account_is_a_customer_with_what_the_club_knows_of_her(tables, ingested):
    made, got = tables["customers"], ingested.table("customers")
    columns = "platform customer_id registered_at gender birth_year region city tier consent_marketing consent_at"
    assert_same("customers", got, made, columns)
    assert got.groupby("platform").phone_hash.count().loc["douyin"] == 0
    known = got.phone_hash.notna().groupby(got.platform).mean()
    assert 0.4 < known["tmall"] < 0.6 and 0.35 < known["jd"] < 0.55 and known["own_site"] > 0.9


def test_the_account_of_what_was_read_is_exactly_what_was_planted(shop, ingested, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "spoil", lambda raw, world: [])
    generate(tmp_path, scale=SCALE)
    outcomes = ("read", "accepted", "superseded", "duplicate", "skipped", "quarantined")
    expected = {f["file"]: {o: f[o] for o in outcomes} for f in built(tmp_path).accounting["files"]}
    planted = json.loads((shop / "truth.json").read_text())["defects"]
    assert len({p["kind"] for p in planted}) == 11 and len({p["file"] for p in planted}) >= 7
    bad = {}
    for p in planted:
        for file, change in p["changes"].items():
            account = expected.setdefault(file, dict.fromkeys(outcomes, 0))
            for outcome, n in change.items():
                account[outcome] += n
        if p["reason"]:
            n = p["changes"][p["file"]]["quarantined"]
            bad[p["file"], p["reason"]] = bad.get((p["file"], p["reason"]), 0) + n
    assert {f["file"]: {o: f[o] for o in outcomes} for f in ingested.accounting["files"]} == expected
    found = {}
    for q in ingested.accounting["quarantine"]:
        found[q["file"], q["reason"]] = found.get((q["file"], q["reason"]), 0) + q["rows"]
    assert found == bad and sum(bad.values()) >= 10
    for f in ingested.accounting["files"]:
        assert f["read"] == sum(f[o] for o in outcomes[1:])
    assert set(ingested.orders.currency.dropna()) >= {"USD"}


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


def test_the_library_of_assets_has_all_kinds_and_its_brief_is_as_it_was_written_down(shop):
    kept = assets.kept(shop / "plan")
    assert set(kept["kind"]) == set(assets.KINDS) and (kept["state"] == "").all()
    double_eleven = assets.search(kept, "双11 2025")
    assert len(double_eleven) == 1 and double_eleven["result"].str.contains("倍").all()
    assert not kept["name"].str.contains("2026年双11").any()  # it is still to come


def test_equal_arguments_give_equal_bytes_and_another_seed_gives_others(shop, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine.txt").write_text("keep me")
    made = (shop / ".made").read_text().splitlines()
    assert {"shop.toml", "truth.json"} <= set(made)
    for _ in range(2):  # the second time over files that are there
        generate(tmp_path, scale=0.05)
        for file in made:
            assert (tmp_path / file).read_bytes() == (shop / file).read_bytes(), file
    assert (tmp_path / "raw" / "mine.txt").read_text() == "keep me"
    generate(tmp_path, scale=0.05, seed=2)
    there = [f for f in made if (tmp_path / f).exists()]
    same = [f for f in there if (tmp_path / f).read_bytes() == (shop / f).read_bytes()]
    assert same == [
        "fx.csv",
        "plan/alerts.csv",
        "plan/assets/brief_618.md",
        "raw/suppliers.csv",
        "raw/us/orders_export.csv",
        "shop.toml",
    ]


def test_a_large_shop_comes_in_parts_and_a_smaller_one_takes_them_away(tmp_path, monkeypatch):
    some = [make_block(make_world(scale=1.02, seed=1, until="2026-10"), i, 0.02) for i in range(2)]
    monkeypatch.setattr(demo, "blocks", lambda world: iter(some))
    generate(tmp_path, scale=1.02)
    parts = sorted(p.name for p in (tmp_path / "raw").glob("tmall/ExportOrderList20261101*"))
    assert parts == ["ExportOrderList20261101102400-001.csv", "ExportOrderList20261101102400-002.csv"]
    whole = built(tmp_path)
    numbers = pd.concat([b.tables["orders"][["platform", "order_id"]] for b in some])
    assert not numbers.duplicated().any() and not whole.table("events")["event_id"].duplicated().any()
    planted = json.loads((tmp_path / "truth.json").read_text())["defects"]
    lost = set(numbers.order_id) - set(whole.orders.order_id)
    assert lost <= {n for p in planted for n in p["lost"]} and len(whole.orders) > 5000 * 0.5
    monkeypatch.undo()
    (tmp_path / "raw" / "tmall" / "mine.txt").write_text("keep me")
    generate(tmp_path, scale=0.02, until="2025-06")
    assert not list((tmp_path / "raw").rglob("*-001.*")) and not list((tmp_path / "raw").rglob("*2026*"))
    assert (tmp_path / "raw" / "tmall" / "mine.txt").read_text() == "keep me"
    shutil.rmtree(tmp_path / "tables")


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
