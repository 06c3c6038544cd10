"""What becomes of orders: parcels, returns, money."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from playbook.data.demo.aftersales import returns
from playbook.data.demo.aftersales.fulfilment import backlog, fulfil, journeys, truths
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.fraud import fraud
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.schema import TABLES

SCALE = 0.1


def bought(world):
    orders, lines = make_orders(world, demand(world, 0, SCALE))[:2]
    extra, extra_lines = fraud(world, 0, SCALE)
    extra_lines["order"] += len(orders)
    return pd.concat([orders, extra], ignore_index=True), pd.concat([lines, extra_lines], ignore_index=True)


@pytest.fixture(scope="module")
def world():
    return make_world(scale=SCALE, seed=1, until="2026-10")


@pytest.fixture(scope="module")
def shop(world):
    orders, lines = bought(world)
    before = orders.copy()
    done, tables = fulfil(world, orders, lines)
    pd.testing.assert_frame_equal(orders, before)
    return done, lines, tables


def days_from(world, times):
    return (times - world.calendar.days[0]).dt.days


def test_tables_are_those_of_the_schema(world, shop):
    orders, _lines, tables = shop
    fees = returns.platform_fees(world, returns.fee_counts(world, orders))
    both = pd.concat([tables["settlements"], fees["settlements"]])
    for name, table in [*tables.items(), ("settlements", both)]:
        schema = TABLES[name]
        assert set(schema.required) <= set(table.columns) <= set(schema.by_name), name
        assert not table.duplicated(list(schema.key)).any(), name
        assert not table[list(schema.required)].isna().any().any(), name
        assert (table[schema.happened] < world.calendar.end).all() and len(table), name
        assert set(table["order_id"].dropna()) <= set(orders["order_id"]), name


def test_time_goes_forward(world, shop):
    orders, _lines, tables = shop
    for early, late in (("ordered_at", "paid_at"), ("paid_at", "shipped_at"), ("shipped_at", "delivered_at")):
        both = orders[orders[late].notna()]
        assert (both[early] < both[late]).all(), late
        assert both[late].max() < world.calendar.end
    assert orders["shipped_at"].notna().mean() > 0.9
    parcels = tables["shipments"].merge(orders, on="order_id", suffixes=("", "_of_order"))
    assert len(parcels) == orders["shipped_at"].notna().sum()
    assert (parcels["shipped_at"] == parcels["shipped_at_of_order"]).all()
    assert (parcels["promised_at"] > parcels["shipped_at"]).all() and (parcels["cost"] >= 200).all()


def test_the_history_ends_with_the_last_status(shop):
    orders, _lines, tables = shop
    history = tables["order_status"]
    last = history.groupby("order_id").tail(1).set_index("order_id")["status"]
    assert (last.reindex(orders["order_id"]).to_numpy() == orders["status"].to_numpy()).all()
    paths = history.groupby("order_id")["status"].agg(" ".join)
    whole = ("placed paid shipped completed", "placed paid closed", "placed cancelled")
    assert all(any(path.startswith(p) or p.startswith(path) for p in whole) for path in paths.unique())
    unpaid = orders["paid_at"].isna()
    assert set(orders.loc[unpaid, "status"]) <= {"cancelled", "placed"} and 0.03 < unpaid.mean() < 0.09
    closed = history[history["status"] == "cancelled"].merge(orders[["order_id", "ordered_at"]], on="order_id")
    hours = (closed["changed_at"] - closed["ordered_at"]).dt.total_seconds() / 3600
    assert hours.between(0.5, 24).all()


def test_never_more_comes_back_than_was_sold(shop):
    orders, lines, tables = shop
    back = tables["returns"].merge(lines, on=["order_id", "product_id"], suffixes=("", "_sold"))
    assert len(back) == len(tables["returns"])
    assert not tables["returns"].duplicated(["order_id", "product_id"]).any()
    assert (back["quantity"] <= back["quantity_sold"]).all() and (back["quantity"] > 0).all()
    part = back["quantity"] < back["quantity_sold"]
    money = back["kind"] != "exchange"
    assert part.any() and (back.loc[money & ~part, "amount"] == back.loc[money & ~part, "amount_sold"]).all()
    share = back["amount_sold"] * back["quantity"] / back["quantity_sold"]
    assert ((share - back["amount"])[money].between(0, 1, inclusive="left")).all()
    assert (back.loc[~money, "amount"] == 0).all()
    by_order = back.merge(orders[["order_id", "delivered_at", "paid_at", "shipped_at"]], on="order_id")
    off = by_order["reason"] == "cancelled"
    assert by_order.loc[off, "shipped_at"].isna().all()
    days = (by_order["returned_at"] - by_order["delivered_at"]).dt.total_seconds()[~off] / 86400
    usual = by_order.loc[~off, "reason"] != "skin_reaction"
    assert days[usual].between(1, 20).all() and 2 < days.median() < 6


def test_return_rates_by_platform(shop):
    orders, lines, tables = shop
    sold = lines[
        orders["paid_at"].notna().to_numpy()[lines["order"]] & (orders["fraud"] == "").to_numpy()[lines["order"]]
    ]
    honest = tables["returns"][tables["returns"]["order_id"].isin(sold["order_id"])]
    rate = honest.groupby("platform").size() / sold.groupby("platform").size()
    assert 0.060 < rate["tmall"] < 0.082
    assert 0.038 < rate["jd"] < 0.064
    assert 0.12 < rate["douyin"] < 0.16
    assert 0.035 < rate["own_site"] < 0.066
    big = tables["returns"]["order_id"].isin(
        orders.loc[orders["promotion_id"].fillna("").str.match("618|1111"), "order_id"]
    )
    in_big = sold["order_id"].isin(orders.loc[orders["promotion_id"].fillna("").str.match("618|1111"), "order_id"])
    assert big.sum() / in_big.sum() > 1.15 * len(honest) / len(sold)


def test_festivals_fill_the_warehouse_and_the_new_year_closes_it(world, shop):
    orders = shop[0]
    wait = (orders["shipped_at"] - orders["paid_at"]).dt.total_seconds() / 86400
    month_day = orders["paid_at"].dt.strftime("%m%d")
    ordinary = wait[world.calendar.festival[orders["day"]] == ""]
    assert ordinary.median() < 1 and ordinary.quantile(0.9) < 2.3
    assert wait[month_day == "0618"].quantile(0.9) > 2.3
    assert wait[month_day == "1111"].quantile(0.9) > 3.5
    assert np.median(backlog(world.calendar)) == 0
    closed = pd.date_range("2026-02-16", "2026-02-20")  # new year's eve to the fourth day
    honest = orders.loc[orders["fraud"] == "", "shipped_at"]
    assert not honest.dt.normalize().isin(closed).any()


def test_parcels_to_one_region_come_late_from_a_date_on(world, shop):
    parcels = shop[2]["shipments"]
    end, begins = world.calendar.n, world.incidents.late_region
    day = days_from(world, parcels["shipped_at"])
    parcels = parcels[day < end - 20]  # those on their way at the end are not yet late
    day = day[day < end - 20]
    on_time = parcels["delivered_at"] <= parcels["promised_at"]
    here, since = parcels["region"] == truths(world)["late_region"]["region"], day >= begins
    assert on_time[here & ~since].mean() > 0.87 and on_time[~here].mean() > 0.91
    assert 0.35 < on_time[here & since].mean() < 0.66
    took = (parcels["delivered_at"] - parcels["shipped_at"]).dt.total_seconds() / 86400
    extra = took[here & since].mean() - took[here & ~since].mean()
    assert abs(extra - truths(world)["late_region"]["extra_days"]) < 1.4  # some 120 parcels


def test_the_bad_batch_comes_back():
    world = make_world(scale=0.7, seed=1, until="2026-10")
    orders, lines = make_orders(world, demand(world, 0, 0.7))[:2]
    orders, tables = fulfil(world, orders, lines)
    crisis, planted = world.incidents.crisis, truths(world)["crisis_buyers"]
    onset = returns.reactions(world, orders, lines, orders["delivered_at"].to_numpy("datetime64[s]"))
    assert days_from(world, pd.Series(onset).dropna()).min() >= crisis
    day = orders["day"].to_numpy()[lines["order"]]
    batch = (lines["product_id"] == planted["product"]) & orders["delivered_at"].notna().to_numpy()[lines["order"]]
    batch &= (day >= crisis - planted["batch_days"]) & (day < crisis)
    hit, n = (~np.isnat(onset[batch])).sum(), batch.sum()
    assert binomtest(int(hit), int(n), planted["reacted"]).pvalue > 0.001 and n > 60
    back = tables["returns"]
    day = days_from(
        world, back["returned_at"][(back["reason"] == "skin_reaction") & (back["product_id"] == planted["product"])]
    )
    usual = (day < crisis).sum() / crisis * 45
    assert day.between(crisis, crisis + 44).sum() > 4 * usual


def test_frauds_behave_like_frauds(world, shop):
    orders, _lines, tables = shop
    fake, loop = orders[orders["fraud"] == "fake"], orders[orders["fraud"] == "refund_loop"]
    hours = (fake["delivered_at"] - fake["shipped_at"]).dt.total_seconds() / 3600
    assert hours.dropna().between(6, 20).all() and len(hours) >= 60
    back = tables["returns"]
    assert not back["order_id"].isin(fake["order_id"]).any()
    looped = back[back["order_id"].isin(loop["order_id"])]
    done = loop["status"].isin(["completed", "closed"]).sum()
    assert len(looped) > 0.7 * done and set(looped["kind"]) == {"refund_only"}


def test_settlements_tie_to_orders_and_returns(world, shop):
    orders, _lines, tables = shop
    booked = (
        tables["settlements"].pivot_table(index="order_id", columns="kind", values="amount", aggfunc="sum").fillna(0)
    )
    old = orders[(orders["status"] == "completed") & (orders["day"] < world.calendar.n - 90)].set_index("order_id")
    back = tables["returns"].groupby("order_id")["amount"].sum()
    booked = booked.reindex(old.index).fillna(0)
    net = old["amount"] - back.reindex(old.index).fillna(0)
    assert (booked["payout"] + booked["adjustment"] == net).all()
    assert (booked["shipping"] == old["shipping"]).all()
    rate = -booked["commission"].groupby(old["platform"]).sum() / net.groupby(old["platform"]).sum()
    assert rate.round(3).to_dict() == returns.COMMISSION
    paid_out = tables["settlements"][tables["settlements"]["kind"] == "payout"].merge(orders, on="order_id")
    assert (paid_out["settled_at"] > paid_out["delivered_at"] + pd.Timedelta(days=7)).all()


def test_monthly_bills_are_the_same_from_one_block_or_two(world, shop):
    orders = shop[0]
    whole = returns.fee_counts(world, orders)
    parts = returns.fee_counts(world, orders[::2]) + returns.fee_counts(world, orders[1::2])
    assert (whole == parts).all() and whole[0].sum() == orders["paid_at"].notna().sum()
    bills = returns.platform_fees(world, whole)["settlements"]
    assert (bills["amount"] < 0).all() and set(bills["kind"]) == {"service_fee", "shipping_insurance"}
    assert bills["settlement_id"].str.endswith("tmall-S").sum() == 36  # the last month's bill comes in the next


def test_an_order_that_the_policy_does_not_touch_has_the_same_parcel(world, shop, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('from = "2025-01"\n[budgets]\nsearch = 2.0\nshort_video = 2.0\nlive = 2.0\n')
    other = make_world(scale=SCALE, seed=1, until="2026-10", policy=plan)
    done, tables = fulfil(other, *bought(other))
    key = ["person", "number", "order_id"]
    both = shop[0].merge(done, on=key, suffixes=("", "_2"))
    assert len(done) > len(shop[0]) and len(both) > 0.9 * len(shop[0])
    same = both["amount"] == both["amount_2"]
    assert same.mean() > 0.99
    for column in ("shipped_at", "delivered_at", "status"):
        pd.testing.assert_series_equal(both[column], both[f"{column}_2"], check_names=False)
    for name in ("shipments", "returns", "settlements"):
        ids = both.loc[same, "order_id"]
        mine, theirs = (t[t["order_id"].isin(ids)].reset_index(drop=True) for t in (shop[2][name], tables[name]))
        pd.testing.assert_frame_equal(mine, theirs)


def test_no_orders_no_parcels(world):
    orders, lines = bought(world)
    done, tables = fulfil(world, orders.iloc[:0], lines.iloc[:0])
    assert len(done) == 0 and all(len(t) == 0 for t in tables.values())
    assert len(journeys(world, orders.iloc[:0], lines.iloc[:0])) == 0
