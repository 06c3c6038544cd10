import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from playbook.missing import Missing
from playbook.operations import supply
from playbook.operations.supply import chances, intermittent, safety
from playbook.operations.supply import orders as goods
from playbook.period import parse

UNTIL = dt.date(2026, 7, 1)
DAYS = pd.date_range(end="2026-06-30", periods=200)


def history(rates, gaps=()):
    """Orders and lines of one order a product and day, of so many units; on the days named nothing."""
    rows = [
        {"order_id": f"{p}-{d:%m%d%y}", "ordered_at": d + pd.Timedelta(hours=12), "product_id": p, "quantity": n}
        for p, n in rates.items()
        for d in DAYS
        if d not in set(gaps)
    ]
    lines = pd.DataFrame(rows).assign(platform="tmall", amount=lambda x: 10.0 * x["quantity"])
    orders = lines[["order_id", "platform", "ordered_at", "amount"]].assign(paid_at=lines["ordered_at"])
    return orders, lines[["order_id", "platform", "product_id", "quantity", "amount"]]


def stocked(**units):
    return pd.DataFrame([{"day": DAYS[-1], "product_id": p, "on_hand": n} for p, n in units.items()])


def bought(rows):
    columns = ["purchase_order_id", "product_id", "quantity", "recorded_at", "due_on", "supplier_id", "received_on"]
    frame = pd.DataFrame(rows, columns=columns)
    for c in ("recorded_at", "due_on", "received_on"):
        frame[c] = pd.to_datetime(frame[c])
    return frame


def fitted(rates, gaps=(), gone=None):
    sold = supply.daily(*history(rates, gaps), until=UNTIL)
    return sold, supply.model(sold, until=UNTIL, gone=gone)


# -- demand


def test_units_count_paid_orders_on_the_day_they_were_placed_without_those_that_are_none():
    day = pd.Timestamp("2026-06-01 23:59")
    orders = pd.DataFrame(
        {
            "order_id": ["1", "2", "3", "4"], "platform": "jd", "amount": 1.0, "ordered_at": [day] * 4,
            "paid_at": [day + pd.Timedelta(minutes=5), pd.NaT, day, day],
        }
    )  # fmt: skip
    items = pd.DataFrame(
        {"order_id": ["1", "1", "2", "3", "4"], "platform": "jd", "product_id": "p", "quantity": [2, 1, 50, 4, 9]}
    )
    none = pd.DataFrame({"platform": ["jd"], "order_id": ["4"]})
    sold = supply.daily(orders, items, until=UNTIL, by_channel=True, without=none)
    assert sold[["platform", "product_id", "units"]].values.tolist() == [["jd", "p", 7]]
    assert sold["day"].tolist() == [pd.Timestamp("2026-06-01")]


def test_what_sells_steadily_is_expected_to_go_on():
    _sold, demand = fitted({"a": 2, "b": 30})
    ahead = demand.ahead(10).groupby("product_id")["expected"].mean()
    assert ahead["a"] == pytest.approx(2, rel=0.1) and ahead["b"] == pytest.approx(30, rel=0.1)


def test_a_promotion_that_lifted_demand_before_lifts_it_again():
    orders, items = history({"a": 10})
    deals = [("2026-02-01", "2026-02-10"), ("2026-04-01", "2026-04-10"), ("2026-07-05", "2026-07-14")]
    promotions = pd.DataFrame(
        [
            {
                "kind": "discount",
                "starts_at": pd.Timestamp(s),
                "ends_at": pd.Timestamp(e) + pd.Timedelta(hours=23),
                "product_id": "a",
            }
            for s, e in deals
        ]
    )
    day = pd.to_datetime(items["order_id"].str[-6:], format="%m%d%y")
    on = sum(((day >= s) & (day <= e)).astype(int) for s, e in deals)
    items["quantity"] = items["quantity"] * (1 + on)
    sold = supply.daily(orders, items, until=UNTIL)
    demand = supply.model(sold, until=UNTIL, promotions=promotions)
    ahead = demand.ahead(20).set_index("day")["expected"]
    assert ahead["2026-07-10"] / ahead["2026-07-20"] == pytest.approx(2, rel=0.1)


def test_too_little_history_is_said():
    sold = pd.DataFrame({"day": DAYS[-20:], "product_id": "a", "units": 1})
    said = supply.model(sold, until=UNTIL)
    assert isinstance(said, Missing) and "56" in said.sentence()
    assert isinstance(supply.model(Missing("order_items"), until=UNTIL), Missing)


# -- products that sell now and then


def test_crostons_family_by_hand():
    # sizes 4 and 2, intervals 3 and 3: size 4 + 0.5 × (2 − 4) = 3, interval 3; (1 − 0.25) × 3 / 3
    assert intermittent.sba(np.array([0.0, 0, 4, 0, 0, 2]), alpha=0.5) == pytest.approx(0.75)
    # what no longer sells is forgotten: the chance halves every period
    units = np.array([1.0, 1, 0, 0])
    assert intermittent.tsb(units, beta=0.5) == pytest.approx(((0.5 + 0.5 * 0.5) * 0.5 + 0.5) * 0.25)
    assert intermittent.tsb(np.zeros(5)) == intermittent.sba(np.zeros(5)) == 0


@pytest.mark.parametrize(
    ("units", "name"),
    [
        ([3, 3, 4, 3], "smooth"),
        ([1, 30, 1, 30], "erratic"),
        ([0, 2, 0, 2], "intermittent"),
        ([0, 1, 0, 40], "lumpy"),
        ([0, 1], ""),
    ],
)
def test_patterns(units, name):
    assert intermittent.pattern(np.array(units, dtype=float)) == name


# -- safety stock


def test_the_reorder_point_of_a_known_wait_is_the_quantile_of_demand():
    running = np.cumsum(np.full((1, 60), 2.0), axis=1)
    point = safety.reorder_points(running, [np.array([9.0])], np.ones(1), np.zeros(1), np.array([0.95]))
    assert point[0] == stats.poisson.ppf(0.95, 20)  # nine days of waiting and one until it is looked at again


def test_a_wait_that_varies_needs_more():
    running = np.cumsum(np.full((2, 60), 5.0), axis=1)
    leads = [np.full(12, 10.0), np.array([4.0, 16.0] * 6)]
    steady, varied = safety.reorder_points(running, leads, np.ones(2), np.zeros(2), np.full(2, 0.95))
    assert varied > steady + 10


def test_a_supplier_that_has_changed_is_believed_and_one_odd_delivery_is_not():
    usual = np.array([30.0, 31, 29, 30, 32, 30, 29, 31, 30, 30])
    assert safety._next(usual).mean() == pytest.approx(usual.mean(), abs=0.01)
    assert safety._next(np.append(usual, [45, 46])).mean() > 44
    assert safety._next(np.append(usual, [45, 30, 31])).mean() < 33
    assert safety._next(np.array([20.0])).tolist() == [20.0]


def test_a_new_pace_counts_alone_though_one_delivery_of_it_was_nearly_as_quick_as_before():
    usual = [30.0, 31, 29, 30, 32, 30, 29, 31, 30, 30]
    told = safety._next(np.array([*usual, 45, 36, 48, 44]))
    assert told.mean() == pytest.approx(np.mean([45, 36, 48, 44]))


def test_what_is_overdue_is_taken_to_be_as_far_away_as_it_is_late():
    rows = [
        ("p1", "a", 10, "2026-05-01 09:00", "2026-05-11", "s", "2026-05-11"),
        ("p2", "a", 10, "2026-06-01 09:00", "2026-06-11", "s", None),
    ]
    frame = goods.plain(bought(rows))
    day = dt.date(2026, 6, 15)  # four days late: 14 days since it was ordered, and four more
    assert np.median(safety.samples(frame, day)["s"]) == pytest.approx((10 + 18) / 2)
    assert safety.samples(frame, dt.date(2026, 6, 10))["s"].tolist() == [10.0]  # not late yet


def test_the_error_of_forecasts_is_what_luck_does_not_explain():
    # 100 said, 120 or 80 came: 400 squared, 100 of it luck; the rest is (0.1732 × 100)², widened by √3 for few moments
    said, lucky = np.full(4, 100.0), np.full(4, 100.0)
    came = np.array([120.0, 80, 120, 80])
    assert chances.spread_of([(said, came, lucky)]) == pytest.approx(np.sqrt(0.03) * np.sqrt(3))
    assert chances.spread_of([(said, came, np.full(4, 1e4))]) == pytest.approx(chances.LEAST_SPREAD * np.sqrt(3))
    assert chances.spread_of([(said / 1000, came, lucky)]) == chances.UNTRIED


def test_the_level_of_a_slow_seller_is_known_worse():
    _sold, demand = fitted({"a": 1, "b": 100})
    slow, fast = demand.error()
    assert slow > fast > demand.spread
    # 56 days and 28 of the usual tell the level: its luck is that of 84² / (56 + 28² / 200) days' units
    told = demand.base() * 84**2 / (56 + 28**2 / 200)
    assert [slow, fast] == pytest.approx(np.hypot(demand.spread, np.sqrt(demand.luck / told)), rel=0.05)


def test_the_error_of_croston_by_hand():
    # four equal sales in eight days, weight 1/2: 1/3 × (1 − 1/64) + 1/64 of the intervals' variation of 1/2
    units = np.array([0.0, 2, 0, 2, 0, 2, 0, 2])
    assert intermittent.error(units, alpha=0.5) ** 2 == pytest.approx((1 / 3 * 63 / 64 + 1 / 64) / 2)


def test_levels_reach_what_they_aim_at_by_either_measure():
    _sold, demand = fitted({"a": 2, "b": 8})
    leads = pd.DataFrame(
        {"product_id": ["a", "b"], "supplier_id": "s", "deliveries": 3, "leads": [np.array([10.0, 12, 14])] * 2}
    )
    cycle = supply.levels(demand, leads, service=0.9)
    assert (cycle["cycle_service"] >= 0.9).all()
    assert np.allclose(cycle["reorder_point"], cycle["lead_demand"] + cycle["safety_stock"])
    assert cycle["lead_demand"].tolist() == pytest.approx([13 * 2, 13 * 8], rel=0.1)
    fill = supply.levels(demand, leads, service=0.9, measure="fill")
    assert (fill["fill_rate"] >= 0.9).all() and (fill["reorder_point"] < cycle["reorder_point"]).all()
    higher = supply.levels(demand, leads, service=pd.Series({"a": 0.99, "b": 0.9}))
    assert (
        higher["safety_stock"][0] > cycle["safety_stock"][0] and higher["safety_stock"][1] == cycle["safety_stock"][1]
    )


def test_lead_times_come_from_deliveries_else_from_what_was_agreed():
    orders = bought(
        [
            ("p1", "a", 10, "2026-05-01 09:00", "2026-05-11", "s", "2026-05-13"),
            ("p2", "a", 10, "2026-05-20 09:00", "2026-05-30", "s", "2026-06-01"),
        ]
    )
    products = pd.DataFrame({"product_id": ["a", "b"], "supplier_id": ["s", "t"], "lead_days": [10, 25]})
    told = supply.lead_times(orders, products, until=UNTIL).set_index("product_id")
    assert told.at["a", "leads"].mean() == pytest.approx(12) and told.at["a", "deliveries"] == 2
    assert told.at["b", "leads"].tolist() == [25.0]
    assert isinstance(supply.lead_times(None, None, until=UNTIL), Missing)


# -- pre-stock


def test_the_product_that_runs_out_and_the_day():
    orders, items = history({"a": 2, "b": 2})
    checked = supply.prestock(orders, items, stocked(a=21, b=500), until=UNTIL)
    assert checked["verdict"].tolist() == ["FAIL", "PASS"]
    first = checked.iloc[0]
    assert first["product_id"] == "a" and first["expected"] == pytest.approx(56, rel=0.1)
    assert abs((first["runs_out_on"] - pd.Timestamp("2026-07-11")).days) <= 1
    assert first["short"] == pytest.approx(first["expected"] - 21)
    assert "REVIEW" in checked.attrs["notes"][0]


def test_goods_on_order_count_from_the_day_on_which_they_should_really_come():
    orders, items = history({"a": 2})
    past = [(f"p{i}", "a", 1, f"2026-0{i}-01", f"2026-0{i}-08", "s", f"2026-0{i}-16") for i in range(1, 6)]
    open_ = ("open", "a", 100, "2026-06-25", "2026-07-08", "s", None)
    punctual = [(*p[:6], p[4]) for p in past]
    asked = {"until": UNTIL, "ends": dt.date(2026, 7, 20)}
    late = supply.prestock(orders, items, stocked(a=20), bought([*past, open_]), **asked)
    on_time = supply.prestock(orders, items, stocked(a=20), bought([*punctual, open_]), **asked)
    assert late["verdict"].item() == "FAIL" and on_time["verdict"].item() != "FAIL"
    assert late["inbound"].item() == 100


def test_stock_held_for_a_channel_serves_that_channel_only():
    orders, items = history({"a": 2})
    other = orders.assign(platform="jd"), items.assign(platform="jd")
    orders, items = pd.concat([orders, other[0]]), pd.concat([items, other[1]])
    held = stocked(a=500).assign(platform="jd")
    shared = stocked(a=10).assign(platform=None)
    checked = supply.prestock(orders, items, pd.concat([held, shared]), until=UNTIL).set_index("platform")
    assert checked["verdict"].to_dict() == {"tmall": "FAIL", "jd": "PASS"}
    assert checked.at["tmall", "available"] == 10 and checked.at["jd", "available"] == 500


def test_the_horizon_is_the_end_of_the_shop_wide_promotion_not_of_a_club():
    promotions = pd.DataFrame(
        {
            "starts_at": pd.to_datetime(["2026-01-01", "2026-07-03", "2026-07-10"]),
            "ends_at": pd.to_datetime(["2026-12-31 23:59", "2026-07-05 23:59", "2026-07-18 23:59"]),
            "product_id": [None, "a", None],
        }
    )
    assert supply.horizon(promotions, UNTIL) == dt.date(2026, 7, 18)
    assert supply.horizon(None, UNTIL) == dt.date(2026, 7, 28)


# -- stock as it was


def test_a_few_units_in_the_books_and_no_sale_is_out_of_stock():
    gaps = DAYS[100:106]
    orders, items = history({"a": 5, "slow": 1}, gaps)
    sold = supply.daily(orders, items, until=UNTIL)
    books = pd.DataFrame(
        [{"day": d, "product_id": p, "on_hand": 2 if d in set(gaps) else 60} for d in DAYS for p in ("a", "slow")]
    )
    gone = supply.stock_outs(books, sold, until=UNTIL)
    assert gone["product_id"].unique().tolist() == ["a"]  # six days of one unit a day say nothing
    assert gone["day"].tolist() == list(gaps)


def test_lost_sales_are_what_the_weeks_around_would_have_sold():
    gaps = DAYS[100:104]
    gone = pd.DataFrame({"product_id": "a", "day": gaps})
    _sold, demand = fitted({"a": 5}, gaps, gone)
    row = supply.lost_sales(gone, demand, pd.Series({"a": 10.0})).iloc[0]
    assert (row["days"], row["sold"]) == (4, 0)
    assert row["lost_units"] == pytest.approx(20, rel=0.1) and row["lost_sales"] == pytest.approx(200, rel=0.1)
    assert row["lost_units_low"] < 20 < row["lost_units_high"]


def test_turns_by_hand():
    period = parse("2026-06")
    books = pd.DataFrame(
        [{"day": d, "product_id": "a", "on_hand": 100} for d in pd.date_range("2026-06-01", "2026-06-30")]
    )
    sold = pd.DataFrame({"day": pd.to_datetime(["2026-06-10", "2026-05-10"]), "product_id": "a", "units": [30, 99]})
    gone = pd.DataFrame({"product_id": ["a"] * 3, "day": pd.date_range("2026-06-01", periods=3)})
    products = pd.DataFrame({"product_id": ["a"], "category": ["x"], "unit_cost": [10.0]})
    told = supply.turnover(books, sold, gone, period, products=products).iloc[0]
    assert told["turns"] == pytest.approx(30 * 10 / (100 * 10) * 365 / 30)
    assert told["days_of_stock"] == pytest.approx(100) and told["out_rate"] == pytest.approx(0.1)
    assert told["stock_value"] == 1000 and told["category"] == "all"
    empty = supply.turnover(books.assign(on_hand=0), sold, gone, period, products=products).iloc[0]
    assert np.isnan(empty["turns"]) and np.isnan(empty["days_of_stock"])


def test_alerts_know_what_is_on_order():
    levels = pd.DataFrame({"product_id": list("abcd"), "daily": 1.0, "reorder_point": 20.0})
    coming = pd.DataFrame({"product_id": ["b"], "quantity": [30]})
    told = supply.alerts(levels, pd.Series({"a": 5, "b": 5, "c": 400}), coming).set_index("product_id")["state"]
    assert told.to_dict() == {"d": "out", "a": "below reorder point", "c": "too much", "b": "enough"}


# -- classes, plan, conclusions


def test_classes_by_hand():
    _sold, demand = fitted({"a": 80, "b": 14, "c": 6})
    told = supply.grid(demand, pd.Series(1.0, index=["a", "b", "c"]))
    assert told["abc"].tolist() == ["A", "B", "B"]  # c begins at 94 %: still within the 95
    assert told["share"].tolist() == pytest.approx([0.8, 0.14, 0.06]) and set(told["xyz"]) == {"X"}
    assert supply.policies(told)["products"].sum() == 3


def test_the_plan_orders_on_the_day_the_reorder_point_is_reached():
    _sold, demand = fitted({"a": 2, "b": 2})
    leads = pd.DataFrame(
        {"product_id": ["a", "b"], "supplier_id": "s", "deliveries": 3, "leads": [np.array([10.0])] * 2}
    )
    levels = supply.levels(demand, leads)
    point = levels["reorder_point"][0]
    stock = pd.Series({"a": point + 20, "b": point - 5})
    products = pd.DataFrame({"product_id": ["a", "b"], "unit_cost": [3.0, 3.0]})
    suppliers = pd.DataFrame({"supplier_id": ["s"], "minimum_order": [1e6]})
    told = supply.plan(demand, levels, leads, stock, until=UNTIL, products=products, suppliers=suppliers)
    told = told.set_index("product_id")
    assert told.at["b", "order_on"] == pd.Timestamp(UNTIL)
    assert abs((told.at["a", "order_on"] - pd.Timestamp("2026-07-11")).days) <= 1
    assert np.allclose(
        told["net_requirement"], told["gross"] + told["safety_stock"] - told["available"] - told["inbound"]
    )
    assert (told["quantity"] >= told["net_requirement"]).all() and told["below_minimum"].all()
    assert (told["order_amount"] == 3 * told["quantity"]).all()
    sheet = supply.proposal(told.reset_index())
    assert sheet["purchase_order_id"].iloc[0] == "PP260701-s"


def test_what_runs_out_before_its_delivery_is_to_be_brought_forward():
    orders, items = history({"a": 2})
    coming = bought([("late", "a", 100, "2026-06-25", "2026-07-21", "s", None)])
    _sold, demand = fitted({"a": 2})
    checked = supply.by_product(supply.prestock(orders, items, stocked(a=20), coming, until=UNTIL, demand=demand))
    prices = supply.prices(orders, items, until=UNTIL)
    assert prices["a"] == 10
    arriving = supply.arriving(coming, until=UNTIL)
    (todo,) = supply.decisions(checked, arriving, demand, prices, parse("2026-06"), until=UNTIL)
    # twenty units last ten days; the next ten days' twenty units of 10 each are lost
    assert todo.effect == pytest.approx(200, rel=0.15) and todo.low <= todo.effect <= todo.high
    assert "late" in todo.text and todo.period == "2026-07" and todo.by == {"product_id": "a"}
    (said,) = supply.prestock_findings(checked, prices, currency="CNY")
    assert said.verdict == "act" and "11 Jul 2026" in said.text


def test_before_a_campaign_the_last_day_to_order_is_the_day_it_runs_out_less_the_wait():
    told = pd.DataFrame([{"product_id": "a", "verdict": "FAIL", "runs_out_on": pd.Timestamp("2026-07-20"), "short": 30.0,
                          "short_low": 10.0, "short_high": 50.0}])  # fmt: skip
    leads = pd.DataFrame({"product_id": ["a"], "leads": [np.array([8.0, 10.0])]})
    more = dict(campaign="Summer", period="2026-07-01/2026-07-25", until=UNTIL)
    (todo,) = supply.campaign_decisions(told, leads, pd.Series({"a": 10.0}), **more)
    assert todo.due == dt.date(2026, 7, 11) and "11 Jul 2026" in todo.text and "30 units" in todo.text
    assert (todo.effect, todo.low, todo.high) == (300, 100, 500) and todo.metric == "paid_sales"
    slow = leads.assign(leads=[np.array([24.0])])  # it should have been ordered on 26 June
    (late,) = supply.campaign_decisions(told, slow, pd.Series({"a": 10.0}), **more)
    assert late.due == dt.date(2026, 7, 2) and "26 Jun 2026" in late.text and "Summer" in late.text
    (unknown,) = supply.campaign_decisions(told, None, pd.Series({"a": 10.0}), **more)
    assert unknown.due == dt.date(2026, 7, 2) and "20 Jul 2026" in unknown.text
    assert supply.campaign_decisions(told, leads, pd.Series(dtype=float), **more) == []  # no price, no effect
    assert supply.campaign_decisions(told.assign(verdict="REVIEW"), leads, pd.Series({"a": 10.0}), **more) == []


def test_a_supplier_who_became_slower_is_named():
    rows = [
        (f"p{i}", "a", 10, d, d + pd.Timedelta(days=20), "s", d + pd.Timedelta(days=20 + (12 if i >= 13 else i % 3)))
        for i, d in enumerate(pd.date_range("2025-01-01", periods=26, freq="14D"))
    ]
    told = supply.punctuality(bought(rows), until=UNTIL).iloc[0]
    assert told["changed"] and told["lead_days"] == 32 and told["before_days"] == 21
    calm = supply.punctuality(bought([(*r[:6], r[4]) for r in rows]), until=UNTIL).iloc[0]
    assert not calm["changed"]


# -- replay and pictures


def test_the_replay_knows_the_past_only_and_counts_cycles():
    days = pd.date_range(end="2026-06-30", periods=1000)
    rng = np.random.default_rng(3)
    sold = pd.DataFrame({"day": days, "product_id": "a", "units": rng.poisson(6, len(days))})
    sold = sold[sold["units"] > 0]
    demand = supply.model(sold, until=UNTIL)
    placed = pd.date_range("2024-01-01", "2026-05-30", freq="10D")
    orders = bought(
        [
            (f"p{i}", "a", 60, d, d + pd.Timedelta(days=14), "s", d + pd.Timedelta(days=14 + i % 3))
            for i, d in enumerate(placed)
        ]
    )
    leads = supply.lead_times(orders, None, until=UNTIL)
    cycles = supply.replay(demand, orders, leads, service=0.9)
    told = supply.reached(cycles).iloc[0]
    assert told["cycles"] == len(cycles) >= 8
    assert told["service"] == cycles["kept"].mean() >= told["without_safety"]
    assert (cycles["kept"] == (cycles["asked"] <= cycles["position"])).all()
    ax = supply.plot_reached(supply.reached(cycles))
    assert ax.lines[0].get_xdata()[0] == told["service"]
    # a later surge changes no reorder point before it
    sold2 = sold.assign(units=np.where(sold["day"] >= "2026-06-01", sold["units"] * 5, sold["units"]))
    again = supply.replay(supply.model(sold2, until=UNTIL), orders, leads, service=0.9)
    both = cycles.merge(again, on="ordered_on")
    before = both[both["ordered_on"] < "2026-06-01"]
    assert len(before) >= 5 and np.allclose(before["reorder_point_x"], before["reorder_point_y"], rtol=0.02)


def test_pictures_draw_the_numbers():
    orders, items = history({"a": 2, "b": 2})
    checked = supply.prestock(orders, items, stocked(a=21, b=500), until=UNTIL)
    bars = supply.plot_prestock(checked).patches
    assert sorted(b.get_width() for b in bars) == pytest.approx(sorted(checked["expected"]))
    told = pd.DataFrame({"cell": ["AX"], "products": [1], "share": [0.75]})
    texts = [t.get_text() for t in supply.plot_grid(told).texts]
    assert texts[0] == "1" and texts[1].startswith("75")
