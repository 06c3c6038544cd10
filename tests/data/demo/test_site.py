"""The own site's events, its experiments, the ways to an order, and the platforms' aggregates."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from playbook.data.demo.shoppers.customers import accounts, customers
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.fraud import fraud
from playbook.data.demo.shoppers.funnel import CHECKOUT, LIFT, PAYMENT, PURCHASE, WEAK, arm_of
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.site.events import site
from playbook.data.demo.site.experiments import experiments
from playbook.data.demo.site.touchpoints import touchpoints
from playbook.data.demo.site.traffic import traffic, traffic_counts
from playbook.data.demo.world import make_world
from playbook.data.schema import TABLES


class Shop:
    def __init__(self, scale, seed=1, policy=None):
        self.world = make_world(scale=scale, seed=seed, until="2026-10", policy=policy)
        self.demand = demand(self.world, 0, scale)
        self.orders, self.lines, *_ = make_orders(self.world, self.demand)
        self.customers = customers(self.world, accounts(self.demand), self.orders)
        self.site = site(self.world, self.demand, self.orders, self.customers, 0, scale)
        self.events, self.visits = self.site.events, self.site.visits
        self.own = self.orders[self.orders["platform"] == "own_site"]

    def day(self, position):
        return self.world.calendar.days[0] + pd.Timedelta(days=position)


@pytest.fixture(scope="module")
def small():
    return Shop(0.1)


@pytest.fixture(scope="module")
def full():
    return Shop(1)


def check(name, table):
    known = TABLES[name]
    assert set(table.columns) <= set(known.by_name)
    assert table[list(known.required)].notna().all().all()
    assert not table.duplicated(list(known.key)).any()


def within(k, n, p, alpha=1e-4):
    return binomtest(int(k), int(n), p).pvalue > alpha


def test_purchases_are_the_own_sites_orders(small):
    check("events", small.events)
    bought = small.events[small.events["event"] == "purchase"].set_index("order_id").sort_index()
    orders = small.own.set_index("order_id").sort_index()
    assert bought.index.equals(orders.index)
    assert (bought["value"] == orders["amount"]).all() and (bought["event_at"] == orders["ordered_at"]).all()
    assert (bought["customer_id"] == orders["customer_id"]).all() and (bought["device"] == orders["device"]).all()
    assert (bought["region"] == orders["region"]).all()
    assert small.events["order_id"].notna().sum() == len(orders)


def test_carts_hold_what_was_bought(small):
    steps = small.events
    start = small.world.calendar.days[0] + pd.Timedelta(hours=3)  # a cart of the night before may not be observed
    bought = steps[(steps["event"] == "purchase") & (steps["event_at"] > start)]
    carts = steps[(steps["event"] == "add_to_cart") & steps["session_id"].isin(bought["session_id"])]
    order = carts["session_id"].map(bought.set_index("session_id")["order_id"])
    lines = small.lines[small.lines["order_id"].isin(bought["order_id"])]
    assert sorted(zip(order, carts["product_id"], strict=True)) == sorted(
        zip(lines["order_id"], lines["product_id"], strict=True)
    )


def test_a_visit_runs_in_the_order_of_the_funnel_and_takes_plausible_time(small):
    steps = ["view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase"]
    at = small.events.pivot_table(index="session_id", columns="event", values="event_at", aggfunc="min")
    begins = small.events.groupby("session_id")["event_at"].min()
    start = small.world.calendar.days[0] + pd.Timedelta(hours=3)
    bought = at[at["purchase"] > start]
    for before, after in pairwise(steps):
        assert (bought[before] < bought[after]).all(), (before, after)
    minutes = (bought["purchase"] - begins[bought.index]).dt.total_seconds() / 60
    assert 3 < minutes.median() < 8 and minutes.quantile(0.99) < 45
    dwell = small.events.loc[small.events["event"] == "page_view", "dwell_seconds"]
    assert dwell.notna().all() and dwell.min() >= 1 and 12 < dwell.median() < 30


def test_the_funnel_breaks_on_phones_at_the_payment_from_its_date(full):
    events = full.events
    own = events[events["event"].isin(["add_to_cart", "begin_checkout", "add_payment_info", "purchase"])]
    reached = own.drop_duplicates(["session_id", "event"])
    counts = reached.assign(late=reached["event_at"] >= full.day(full.world.incidents.weak_step))
    n = counts.groupby(["device", "late", "event"]).size()
    for device, factor in {"mini_program": 1.03, "phone": 0.97, "desktop": 0.98}.items():
        for late in (False, True):
            rate = PAYMENT * factor * (WEAK if late and device == "phone" else 1)
            assert within(n[device, late, "add_payment_info"], n[device, late, "begin_checkout"], rate), (device, late)
            assert within(n[device, late, "purchase"], n[device, late, "add_payment_info"], PURCHASE), (device, late)
    # Before the first experiment nothing touches the step to the checkout.
    quiet = reached[reached["event_at"] < full.day(full.world.incidents.experiments[0][1])]
    k = quiet["event"].value_counts()
    assert within(k["begin_checkout"], k["add_to_cart"], CHECKOUT)


def test_rates_are_those_of_a_shop(full):
    events, visits = full.events, full.visits
    assert 80 < len(events) / len(full.own) < 130
    sessions = events["session_id"].nunique()
    assert sessions == len(visits)
    having = {name: events.loc[events["event"] == name, "session_id"].nunique() for name in events["event"].unique()}
    pages = events[events["event"] == "page_view"].groupby("session_id").size()
    single = events.groupby("session_id").size() == 1
    assert 0.39 < (pages == 1).mean() < 0.47 and 0.39 < single.mean() < 0.47
    assert 0.16 < having["add_to_cart"] / having["view_item"] < 0.25
    assert 0.024 < having["purchase"] / sessions < 0.045
    assert 0.5 < events["visitor_id"].nunique() / sessions < 0.62  # most come once, some come again
    # Desktops in office hours, phones in the evening.
    first = events.drop_duplicates("session_id")
    hour = first["event_at"].dt.hour
    office = hour.between(9, 17).groupby(first["device"]).mean()
    evening = hour.between(19, 22).groupby(first["device"]).mean()
    assert office["desktop"] > office["phone"] + 0.1 and evening["phone"] > evening["desktop"] + 0.06
    assert 0.50 < (first["device"] == "mini_program").mean() < 0.62
    # Busy days are busy here too.
    by_day = first.groupby(first["event_at"].dt.normalize()).size()
    assert by_day[pd.Timestamp("2025-11-11")] > 2 * by_day["2025-09"].mean()


def test_nothing_happens_while_the_site_is_down(small):
    down = small.day(small.world.incidents.outage)
    day = small.events[small.events["event_at"].dt.normalize() == down]
    assert len(day) and day["event_at"].max() < down + pd.Timedelta(hours=7)
    assert small.events["event_at"].max() < small.world.calendar.end
    assert small.events["event_at"].min() >= small.world.calendar.days[0]
    assert small.events["event_at"].is_monotonic_increasing


def test_customers_are_known_once_they_have_registered_and_logged_in(small):
    known = small.events[small.events["customer_id"].notna()]
    own = small.customers[small.customers["platform"] == "own_site"].set_index("customer_id")["registered_at"]
    assert set(known["customer_id"]) <= set(own.index)
    assert (known["event_at"] >= known["customer_id"].map(own)).all()
    joined = small.events[small.events["event"] == "sign_up"]
    assert joined["customer_id"].is_unique
    assert (joined["event_at"].to_numpy() == joined["customer_id"].map(own).to_numpy()).mean() > 0.98
    at_checkout = small.events.loc[small.events["event"] == "begin_checkout", "customer_id"].notna().mean()
    assert 0.85 < at_checkout < 1
    # A visitor is one device of one person.
    assert (small.events.groupby("visitor_id")["device"].nunique() == 1).all()
    assert (known.groupby("visitor_id")["customer_id"].nunique() == 1).all()
    assert (known.groupby("customer_id")["visitor_id"].nunique() > 1).mean() > 0.1


def test_another_budget_changes_what_comes_after_it_only(tmp_path, small):
    same = Shop(0.1)
    pd.testing.assert_frame_equal(same.events, small.events)
    plan = tmp_path / "plan.toml"
    plan.write_text('from = "2026-05"\n[budgets]\nsearch = 2.0\n')
    other = Shop(0.1, policy=plan)
    begins = pd.Timestamp("2026-04-10")  # visits before a cart lie up to three weeks before it
    before = [s.events[s.events["event_at"] < begins].reset_index(drop=True) for s in (small, other)]
    pd.testing.assert_frame_equal(*before)
    kept = set(small.events["event_id"]) & set(other.events["event_id"])
    assert len(kept) > 0.985 * len(small.events)
    late = [s.events[s.events["event_at"] >= "2026-05-05"] for s in (small, other)]
    n, m = (e.loc[e["source"] == "search", "session_id"].nunique() for e in late)
    assert m > 1.3 * n


def test_experiments_hold_what_was_planted(full):
    table = experiments(full.world, full.site)
    check("experiments", table)
    assert not table["unit_id"].isna().any() and set(table["unit_id"]) <= set(full.events["visitor_id"])
    person = full.visits.drop_duplicates("visitor_id").set_index("visitor_id")["person"]
    for name, begins, ends in full.world.incidents.experiments:
        mine = table[table["experiment"] == name]
        assert mine["assigned_at"].between(full.day(begins), full.day(ends), inclusive="left").all()
        arm = np.array(["control", "treatment"])[arm_of(full.world, name, person[mine["unit_id"]].to_numpy())]
        assert (mine["arm"] == arm).all()
        seen = mine["exposed_arm"].notna()
        assert (mine.loc[seen, "exposed_arm"] == mine.loc[seen, "arm"]).all()
        assert ((mine["value"] > 0) == mine["converted"]).all()
        k = (mine["arm"] == "treatment").sum()
        p = binomtest(int(k), len(mine)).pvalue
        assert p < 1e-6 if name == "new_search" else p > 0.001, (name, p)
        orders = full.own[full.own["ordered_at"].between(full.day(begins), full.day(ends), inclusive="left")]
        assert round(100 * mine["value"].sum()) == orders["amount"].sum(), name  # nobody who buys is lost


def test_the_checkout_experiment_lifts_conversions_by_what_it_lifts_checkouts(full):
    k, n = np.zeros(2), np.zeros(2)
    for shop in (full, Shop(0.5, seed=2), Shop(0.5, seed=3)):
        table = experiments(shop.world, shop.site)
        mine = table[table["experiment"] == "one_page_checkout"]
        by = mine.groupby("arm")["converted"].agg(["sum", "size"])
        k, n = k + by["sum"].to_numpy(), n + by["size"].to_numpy()
    log_lift = np.log(k[1] / n[1]) - np.log(k[0] / n[0])
    assert abs(log_lift - np.log(1 + LIFT)) < 3.5 * np.sqrt((1 / k).sum())
    assert log_lift > 2.5 * np.sqrt((1 / k).sum())


def test_touches_lead_to_orders_and_last_clicks_are_not_first_ones(full):
    table = touchpoints(full.world, full.demand, full.orders, full.site)
    check("touchpoints", table)
    assert 180_000 < len(table) < 250_000
    assert set(table["order_id"].dropna()) <= set(full.own["order_id"]) and table["order_id"].dropna().is_unique
    assert set(table["customer_id"].dropna()) <= set(full.customers["customer_id"])
    assert set(table["kind"]) == {"impression", "click", "visit", "message"}
    assert (table["cost"].notna() == table["kind"].isin(["click", "message"])).all()
    linked = table[table["order_id"].notna()]
    ordered = linked["order_id"].map(full.own.set_index("order_id")["ordered_at"])
    assert (linked["touched_at"].to_numpy() <= ordered.to_numpy()).all()
    assert 0.5 < len(linked) / len(full.own) < 0.75
    # The touches of a buyer in the three weeks before her order: what opened the way and what closed it.
    own = full.own.sort_values("ordered_at")
    path = table[table["customer_id"].notna()].merge(
        own[["customer_id", "order_id", "ordered_at", "cause"]], on="customer_id", suffixes=("", "_of")
    )
    ahead = path["ordered_at"] - path["touched_at"]
    path = path[(ahead >= pd.Timedelta(0)) & (ahead <= pd.Timedelta(days=21))].sort_values("touched_at")
    first, last = path.groupby("order_id_of")["channel"].first(), path.groupby("order_id_of")["channel"].last()
    opens, closes = first.value_counts(normalize=True), last.value_counts(normalize=True)
    assert closes["search"] + closes["crm"] > 1.2 * own["cause"].isin(["search", "crm"]).mean()
    assert opens["xiaohongshu"] + opens["short_video"] > 3 * (closes["xiaohongshu"] + closes.get("short_video", 0))


def test_platforms_report_visitors_who_do_not_add_up(full):
    counts = traffic_counts(full.orders, full.lines)
    fake = traffic_counts(*fraud(full.world, 0, 1))
    table = traffic(full.world, pd.concat([counts, fake]))
    check("traffic", table)
    paid = pd.concat([full.orders, fraud(full.world, 0, 1)[0]])
    paid = paid[paid["paid_at"].notna() & (paid["platform"] != "own_site")]
    shop = table[table["product_id"].isna() & table["source"].isna()].set_index(["platform", "day"])
    sold = paid.groupby(["platform", paid["paid_at"].dt.normalize()])["amount"].agg(["sum", "size"])
    assert (shop["sales"].reindex(sold.index) == sold["sum"]).all() and shop["sales"].sum() == paid["amount"].sum()
    assert (shop["orders"].reindex(sold.index) == sold["size"]).all()
    for column in ("source", "product_id"):
        mine = table[table[column].notna() & (table["platform"] == "tmall")]
        parts = mine.groupby("day")[["visitors", "sales"]].sum()
        assert (parts["sales"] == shop.loc["tmall", "sales"].reindex(parts.index)).all()
        assert (parts["visitors"] > shop.loc["tmall", "visitors"].reindex(parts.index)).mean() > 0.99
    assert set(table.loc[table["product_id"].notna(), "platform"]) == {"tmall"}
    assert (
        (table["orders"] >= table["buyers"])
        & (table["carts"] >= table["buyers"])
        & (table["visitors"] >= table["carts"])
    ).all()
    assert ((table["views"] >= table["visitors"]) & (table["bounces"] + table["carts"] <= table["visitors"])).all()
    rate = shop.groupby("platform")["buyers"].sum() / shop.groupby("platform")["visitors"].sum()
    assert 0.032 < rate["tmall"] < 0.044 and 0.036 < rate["jd"] < 0.048 and 0.015 < rate["douyin"] < 0.023
    # Faked orders come without visitors, so that the conversion of their weeks stands out.
    without = traffic(full.world, counts)
    without = without[without["product_id"].isna() & without["source"].isna()].set_index(["platform", "day"])
    begins, ends = full.world.incidents.fake[1]
    weeks = slice(full.day(begins), full.day(ends - 1))
    with_them, true = (
        t.loc["tmall"].sort_index().loc[weeks, ["visitors", "buyers", "orders"]].sum() for t in (shop, without)
    )
    assert with_them["orders"] > 1.25 * true["orders"]
    assert 0.99 < with_them["visitors"] / true["visitors"] < 1.03


def test_traffic_of_blocks_adds_up(small):
    half = small.orders["person"] % 2 == 0
    parts = []
    for mine in (half, ~half):
        at = np.flatnonzero(mine)
        lines = small.lines[small.lines["order"].isin(at)]
        parts.append(
            traffic_counts(
                small.orders[mine].reset_index(drop=True), lines.assign(order=np.searchsorted(at, lines["order"]))
            )
        )
    whole = traffic(small.world, traffic_counts(small.orders, small.lines))
    pd.testing.assert_frame_equal(traffic(small.world, pd.concat(parts)), whole)
