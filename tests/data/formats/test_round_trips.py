"""Every exporter's files come back as the canonical rows that they were made of, row by row and to the cent."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo import exports
from tests.data.formats.conftest import assert_nothing_personal, assert_same, made, pick
from tests.data.test_ingest import assert_ties

ORDER = "order_id platform ordered_at amount shipping status region city"


def of(tables, platform):
    return {n: t[t["platform"] == platform].reset_index(drop=True) for n, t in tables.items() if "platform" in t}


def clean(built):
    assert_ties(built)
    assert built.quarantine == []
    assert [c for c in built.accounting["checks"] if c["broken"]] == []


@pytest.mark.parametrize("platform", ["tmall", "taobao"])
def test_tmall(returned, shop, platform):
    tables, people = shop
    if platform == "taobao":
        tables = {n: t.assign(platform=t["platform"].replace("tmall", "taobao")) for n, t in tables.items()}
        people = people.assign(platform=people["platform"].replace("tmall", "taobao"))
    built = returned(lambda raw: exports.taobao.write(tables, people, raw / platform, platform=platform))
    clean(built)
    mine = of(tables, platform)
    assert_same("orders", built.orders, mine["orders"], f"{ORDER} paid_at customer_id platform_discount device")
    items = mine["order_items"]
    assert_same("order_items", built.table("order_items"), items, "order_id platform line product_id quantity amount")
    assert sum(f["superseded"] for f in built.accounting["files"]) > 0  # the overlap, with other statuses
    assert_nothing_personal(built, people)


def test_jd(returned, shop):
    tables, people = shop
    built = returned(lambda raw: exports.jd.write(tables, people, raw))
    clean(built)
    mine = of(tables, "jd")
    columns = f"{ORDER} paid_at customer_id discount platform_discount device channel delivered_at"
    assert_same("orders", built.orders, mine["orders"], columns)
    columns = "order_id platform line product_id quantity unit_price ordered_at"
    assert_same("order_items", built.table("order_items"), mine["order_items"], columns)
    # of a line only the order's discount is known: lines differ by a fen at most, and add up to the order
    lines = built.table("order_items").merge(mine["order_items"], on=["order_id", "line"])
    off = (lines.amount_x.astype(float) - lines.amount_y / 100).abs()
    assert off.max() < 0.0101
    added = built.table("order_items").groupby("order_id").amount.sum()
    assert (added == built.orders.set_index("order_id").amount.reindex(added.index)).all()
    assert_nothing_personal(built, people)


def test_douyin(returned, shop):
    tables, people = shop
    built = returned(lambda raw: exports.douyin.write(tables, people, raw))
    clean(built)
    mine = of(tables, "douyin")
    money = "discount platform_discount creator_discount"
    assert_same("orders", built.orders, mine["orders"], f"{ORDER} paid_at {money} channel shipped_at delivered_at")
    columns = "order_id platform line product_id quantity unit_price amount discount ordered_at"
    assert_same("order_items", built.table("order_items"), mine["order_items"], columns)
    assert "customer_id" not in built.orders
    assert_nothing_personal(built, people)


def test_douyin_in_its_short_layout_takes_the_time_of_the_order_for_that_of_payment(returned, shop):
    tables, people = shop
    built = returned(lambda raw: exports.douyin.write(tables, people, raw, full=False, buyer="用户ID"))
    clean(built)
    orders = of(tables, "douyin")["orders"]
    paid = orders.assign(paid_at=orders.ordered_at.where(orders.paid_at.notna()))
    columns = "order_id platform customer_id ordered_at paid_at amount discount platform_discount shipping status"
    assert_same("orders", built.orders, paid, columns)
    assert "region" not in built.orders


def test_douyin_settlements(returned):
    kinds = ["payout", "commission", "service_fee", "ad_fee", "agency_fee", "refund", "shipping", "adjustment"]
    rng = np.random.default_rng(3)
    kind = pick(rng, kinds, 90)
    amount = rng.integers(1, 90_000, 90) * np.where(np.isin(kind, ["payout", "shipping"]), 1, -1)
    rows = pd.DataFrame(
        {
            "settlement_id": [f"2026{i:024d}" for i in range(90)],
            "settled_at": pd.Timestamp("2026-09-03") + pd.to_timedelta(np.arange(90) * 37_777, unit="s"),
            "kind": kind,
            "amount": amount,
            "platform": "douyin",
            "order_id": [f"69{i:017d}" if i % 5 else None for i in range(90)],
        }
    )
    built = returned(lambda raw: exports.douyin.write({"settlements": rows}, pd.DataFrame(), raw))
    clean(built)
    assert_same("settlements", built.table("settlements"), rows, " ".join(rows.columns))


def test_shopify(returned, shop):
    tables, people = shop
    orders = tables["orders"]
    back = orders[(orders.platform == "own_site") & (orders.status == "completed")].head(5)
    given = back.amount.to_numpy() // [1, 2, 3, 1, 2]
    returns = pd.DataFrame({"order_id": back.order_id, "platform": "own_site", "amount": given})
    written = {**tables, "returns": returns}
    built = returned(lambda raw: exports.shopify.write(written, people, raw))
    assert_ties(built)
    mine = of(tables, "own_site")
    expected = mine["orders"].copy()
    whole = expected.order_id.isin(back.order_id.to_numpy()[[0, 3]])
    expected.loc[whole, "status"] = "closed"  # given back whole
    columns = f"{ORDER} paid_at customer_id discount channel device shipped_at"
    assert_same("orders", built.orders, expected, columns)
    columns = "order_id platform line product_id quantity unit_price amount discount ordered_at"
    assert_same("order_items", built.table("order_items"), mine["order_items"], columns)
    columns = "customer_id platform country region city consent_marketing"
    assert_same("customers", built.table("customers"), mine["customers"], columns)
    got = built.table("returns").set_index("order_id").amount.to_dict()
    assert got == {o: Decimal(int(a)).scaleb(-2) for o, a in zip(back.order_id, given, strict=True)}
    assert_nothing_personal(built, people)


def test_shopify_in_its_older_layout(returned, shop):
    tables, people = shop
    built = returned(lambda raw: exports.shopify.write(tables, people, raw, older=True))
    clean(built)
    mine = of(tables, "own_site")
    assert_same("orders", built.orders, mine["orders"], "order_id platform ordered_at paid_at amount customer_id city")
    # there is no discount of a line in it: the order's is spread over the lines
    added = built.table("order_items").groupby("order_id").amount.sum()
    assert (added == built.orders.set_index("order_id").amount.reindex(added.index)).all()


def events(n=400):
    rng = np.random.default_rng(5)
    visitor = [f"{i}.{1_700_000_000 + i}" for i in rng.integers(0, 60, n)]
    kind = pick(rng, ["page_view", "view_item", "add_to_cart", "purchase", "view_search_results"], n)
    return pd.DataFrame(
        {
            "event_id": [f"e{i:07d}" for i in range(n)],
            "event_at": pd.Timestamp("2026-09-20") + pd.to_timedelta(np.arange(n) * 4321, unit="s"),
            "event": kind,
            "visitor_id": visitor,
            "session_id": [f"{v}.{i % 9}" if i % 4 else f"s-{i}" for i, v in enumerate(visitor)],
            "customer_id": [f"o{i:07d}" if i % 3 == 0 else None for i in range(n)],
            "page": [f"/p/{i % 7}" for i in range(n)],
            "product_id": np.where(kind == "view_item", "110001", None),
            "order_id": [f"LM{i}" if k == "purchase" else None for i, k in enumerate(kind)],
            "value": pd.array(np.where(kind == "purchase", rng.integers(100, 90_000, n), 0), dtype="Int64"),
            "search_term": np.where(kind == "view_search_results", "香薰 蜡烛", None),
            "source": pick(rng, ["xiaohongshu", "direct", None], n),
            "medium": pick(rng, ["social", None], n),
            "campaign": pick(rng, ["double 11", None], n),
            "device": pick(rng, ["phone", "desktop", "tablet", "app", "mini_program"], n),
            "region": pick(rng, ["广东", "上海", None], n),
            "dwell_seconds": np.round(rng.uniform(0, 90, n), 3),
        }
    ).assign(value=lambda f: f.value.where(f.event == "purchase"))


@pytest.mark.parametrize("csv", [False, True])
def test_ga4_events(returned, csv):
    rows = events()
    built = returned(lambda raw: exports.ga4.write({"events": rows}, pd.DataFrame(), raw, csv=csv))
    clean(built)
    assert_same("events", built.table("events"), rows, " ".join(rows.columns))


def advertising(platform, channel, *, conversions=True):
    rng = np.random.default_rng(4)
    days = pd.date_range("2026-09-01", "2026-10-31")
    rows = pd.DataFrame({"day": days.repeat(3), "campaign_id": [f"90{i}" for i in range(3)] * len(days)})
    n = len(rows)
    return rows.assign(
        platform=platform, level="campaign", channel=channel, campaign="Brand & " + rows.campaign_id,
        spend=rng.integers(0, 900_000, n), impressions=rng.integers(0, 2_000_000, n), clicks=rng.integers(0, 9000, n),
        conversions=rng.integers(0, 90, n).astype(float) if conversions else None,
        conversion_value=rng.integers(0, 9_000_000, n),
    )  # fmt: skip


AD = "day platform level campaign_id campaign spend impressions clicks conversion_value"


@pytest.mark.parametrize("excel", [False, True])
def test_google_ads(returned, excel):
    rows = advertising("google", "search")
    built = returned(lambda raw: exports.google.write({"ad_spend": rows}, pd.DataFrame(), raw, excel=excel))
    clean(built)
    assert_same("ad_spend", built.table("ad_spend"), rows, f"{AD} channel conversions")
    assert [(f["preamble"], f["totals"]) for f in built.accounting["files"]] == [(2, 3), (2, 3)]
    assert {f["encoding"] for f in built.accounting["files"]} == {"utf-16" if excel else "utf-8"}


@pytest.mark.parametrize("spanish", [False, True])
def test_meta(returned, spanish):
    rows = advertising("meta", "social")
    built = returned(lambda raw: exports.meta.write({"ad_spend": rows}, pd.DataFrame(), raw, spanish=spanish))
    clean(built)
    columns = "day platform level channel campaign_id campaign spend" if spanish else f"{AD} channel conversions"
    assert_same("ad_spend", built.table("ad_spend"), rows, columns)
    assert [f["totals"] for f in built.accounting["files"]] == [1, 1]


def test_wanxiangtai(returned):
    rows = advertising("wanxiangtai", None)
    words = rows.assign(level="keyword", keyword=rows.campaign_id + "词", campaign_id=None, campaign=None)
    rows = pd.concat([rows, words], ignore_index=True)
    built = returned(lambda raw: exports.wanxiangtai.write({"ad_spend": rows}, pd.DataFrame(), raw))
    clean(built)
    assert_same("ad_spend", built.table("ad_spend"), rows, f"{AD} keyword conversions")
    assert {f["file"][-5:] for f in built.accounting["files"]} == {".xlsx"}


def test_alimama(returned):
    rows = advertising("alimama", "search", conversions=False)
    built = returned(lambda raw: exports.alimama.write({"ad_spend": rows}, pd.DataFrame(), raw))
    clean(built)
    assert_same("ad_spend", built.table("ad_spend"), rows, f"{AD} channel")
    assert built.file("计划报表_daily.zip/计划报表_20261031_235959.csv")["accepted"] == 3  # its day is in its name


def test_sycm(returned):
    rng = np.random.default_rng(4)
    days = pd.date_range("2026-09-28", "2026-10-02")
    rows = pd.DataFrame({"day": days.repeat(4), "product_id": [f"7{i:011d}" for i in range(4)] * len(days)})
    n = len(rows)
    rows = rows.assign(
        platform="tmall", visitors=rng.integers(0, 20_000, n), views=rng.integers(0, 90_000, n),
        carts=rng.integers(0, 900, n), buyers=rng.integers(0, 90, n), sales=rng.integers(0, 9_000_000, n),
        dwell_seconds=np.round(rng.uniform(1, 60, n), 2),
    )  # fmt: skip
    built = returned(lambda raw: exports.sycm.write({"traffic": rows}, pd.DataFrame(), raw))
    clean(built)
    assert_same("traffic", built.table("traffic"), rows, " ".join(rows.columns))
    assert all(f["preamble"] == 4 for f in built.accounting["files"])


def test_ga4_traffic(returned):
    days = pd.date_range("2026-10-01", "2026-10-05")
    rows = pd.DataFrame({"day": days.repeat(2), "source": ["direct", "paid_search"] * 5}).assign(
        platform="own_site", sessions=range(10, 20), sales=range(0, 1000, 100)
    )
    built = returned(lambda raw: exports.ga4.write_traffic({"traffic": rows}, pd.DataFrame(), raw))
    assert_ties(built)
    assert_same("traffic", built.table("traffic"), rows, " ".join(rows.columns))
    assert len(built.accounting["files"]) == 5 and built.quarantine == []


def test_all_of_a_shop_together_is_the_same_twice(returned, shop, tmp_path):
    tables, people = made(seed=9, tmall=30, jd=20, douyin=20, own_site=20)
    tables["ad_spend"] = pd.concat([advertising(p, "search") for p in ("google", "wanxiangtai", "alimama")])
    tables["events"] = events(50)
    files = exports.write(tables, people, tmp_path / "a")
    again = exports.write(tables, people, tmp_path / "b")
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in again] and len(files) > 15
    built = returned(lambda raw: exports.write(tables, people, raw))
    assert_ties(built)
    assert built.accounting["tables"]["orders"] == 90 and built.quarantine == []
