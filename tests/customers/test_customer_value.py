"""What a customer is worth: histories counted, models fitted and held against what came, cohorts, cost and payback."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from buyers import UNTIL, made

from playbook.customers import value
from playbook.customers.value.validation import FEWEST
from playbook.metrics import METRICS
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from


@pytest.fixture(scope="module")
def days():
    return made()


@pytest.fixture(scope="module")
def margin():
    return pd.DataFrame([{"sales": 100.0, "returned": 0.0, "goods": 50.0, "margin_rate": 0.5}])


def orders(rows):
    return pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount"]).assign(
        ordered_at=lambda t: pd.to_datetime(t.ordered_at)
    )


# -- histories


def test_a_history_is_told_by_days_not_by_orders():
    shop = shop_from(period="2025-12", orders=orders([
        ("1", "x", "2025-11-03 09:00", 10.0), ("2", "x", "2025-11-03 20:00", 20.0), ("3", "x", "2025-11-17 09:00", 40.0),
        ("4", "x", "2025-12-01 09:00", 60.0), ("5", "y", "2025-12-29 09:00", 5.0), ("6", None, "2025-12-30 09:00", 99.0),
    ]))  # fmt: skip
    days = value.purchase_days(shop.orders)
    assert sorted(days.to_pandas()["orders"]) == [1, 1, 1, 2]
    told = value.histories(days, UNTIL).to_pandas().set_index("person_id")
    x = told.loc[told.index[told.index.str.endswith("x")][0]]
    # two days after the first; four weeks from 3 November to 1 December; 58 days to 31 December
    assert (x.frequency, x.recency, float(x["T"])) == (2, 4.0, pytest.approx(58 / 7))
    assert float(x.monetary_value) == 50.0 and float(x["value"]) == 130.0
    y = told.loc[told.index[told.index.str.endswith("y")][0]]
    assert y.frequency == 0 and y.recency == 0 and pd.isna(y.monetary_value)


def test_cells_keep_every_customer_and_all_money(days):
    table = value.histories(days, UNTIL)
    for whole in (True, False):
        cells = value.cells(table, whole_weeks=whole)
        assert cells["n"].sum() == days["person_id"].nunique()
        assert cells["value"].sum() == pytest.approx(days["amount"].sum())
    assert len(value.cells(table)) < days["person_id"].nunique()


def test_what_lies_on_the_day_of_the_cut_or_later_is_not_looked_at(days):
    cut = dt.date(2025, 3, 1)
    early = value.cells(value.histories(days, cut))
    assert early["n"].sum() == days.loc[days["day"] < cut, "person_id"].nunique()
    after = value.afterwards(days, cut, UNTIL)
    known = set(days.loc[days["day"] < cut, "person_id"])
    came = days[(days["day"] >= cut) & days["person_id"].isin(known)]
    assert (after["n"] * after["actual"]).sum() == len(came)


# -- models


def test_parameters_of_a_made_shop_are_found_within_their_errors():
    model = value.fit_purchases(value.cells(value.histories(made(4000, seed=11), UNTIL), whole_weeks=False))
    truth = np.log([0.6, 6.0, 0.8, 2.5])
    z = (np.log(list(model.parameters().values())) - truth) / np.sqrt(np.diag(model.covariance))
    assert np.abs(z).max() < 4.5
    assert np.sqrt(np.diag(model.covariance))[:2].max() < 0.2


def test_expected_purchases_agree_with_drawn_futures_of_one_history():
    """Weigh drawn customers by how likely they make the history (2 repeats, the last at 20 of 30 weeks)."""
    model = value.PurchaseModel(np.zeros((4, 4)), 0.0, 0.0, r=1.2, alpha=8.0, a=1.5, b=3.0)
    rng = np.random.default_rng(1)
    rate, gone = rng.gamma(1.2, 1 / 8.0, 400_000), rng.beta(1.5, 3.0, 400_000)
    stays = (1 - gone) ** 2 * rate**2 * np.exp(-30 * rate)
    leaves = gone * (1 - gone) * rate**2 * np.exp(-20 * rate)
    whole = (stays + leaves).sum()
    assert model.alive([2], [20], [30])[0] == pytest.approx(stays.sum() / whole, rel=0.02)
    # while she is there, purchases in t weeks until she leaves: (1 − e^{−λ p t}) / p
    future = (1 - np.exp(-rate * gone * 10)) / gone
    assert model.expected(10, [2], [20], [30])[0] == pytest.approx((stays * future).sum() / whole, rel=0.02)


def test_expected_purchases_stay_finite_for_the_most_frequent_buyers():
    model = value.PurchaseModel(np.zeros((4, 4)), 0.0, 0.0, r=0.25, alpha=5.0, a=1.0, b=2.4)
    said = model.expected(52, [0, 5, 300], [0, 100, 155], [156, 156, 156])
    assert np.isfinite(said).all() and 0 < said[0] < said[1] < said[2] < 52 * 305 / 161


def test_cells_with_weights_fit_as_rows_do(days):
    table = value.histories(days, UNTIL)
    cells = value.cells(table, whole_weeks=False)
    rows = cells.loc[cells.index.repeat(cells["n"])].assign(n=1)
    a, b = value.fit_purchases(cells), value.fit_purchases(rows)
    assert a.loglik == pytest.approx(b.loglik) and a.alpha == pytest.approx(b.alpha, rel=1e-4)


def test_what_is_expected_of_a_sum_of_customers_is_the_sum_of_what_is_expected_of_each():
    spend = value.SpendModel(np.zeros((3, 3)), 0.0, 0.0, p=6.25, q=3.74, v=15.44)
    together = spend.expected_sum([2], [30.0], [2])[0]
    each = sum(spend.expected_sum([2], [m], [1])[0] for m in (10.0, 20.0))
    assert together == pytest.approx(each)
    assert spend.expected_sum([0], [0.0], [1])[0] == pytest.approx(spend.mean) == pytest.approx(6.25 * 15.44 / 2.74)
    assert math.isnan(
        value.SpendModel(np.zeros((3, 3)), 0.0, 0.0, p=1.0, q=0.5, v=1.0).expected_sum([0], [0.0], [1])[0]
    )


def test_histories_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="recency"):
        value.fit_purchases(pd.DataFrame({"frequency": [1], "recency": [9.0], "T": [3.0]}))
    with pytest.raises(ValueError, match="came back"):
        value.fit_purchases(pd.DataFrame({"frequency": [0, 0], "recency": [0.0, 0.0], "T": [3.0, 8.0]}))
    with pytest.raises(ValueError, match="came back"):
        value.fit_spend(pd.DataFrame({"frequency": [0], "monetary_value": [np.nan], "n": [5]}))


# -- held against what came


def test_the_holdout_is_foretold_and_beats_each_ones_own_rate(days):
    tested = value.holdout(made(3000, seed=5), UNTIL, weeks=26)
    wrong = value.errors(tested)
    assert value.holds(wrong)
    assert abs(wrong.loc["model", "off"]) < 0.12 and wrong.loc["model", "error"] < wrong.loc["baseline", "error"]
    calibrated = value.calibration(tested)
    assert calibrated["customers"].sum() == tested["n"].sum()
    ten = value.deciles(tested)
    assert ten["actual"].sum() == pytest.approx((tested["n"] * tested["actual"]).sum())
    assert ten["customers"].nunique() == 1 or np.ptp(ten["customers"]) < 1e-6
    assert (np.diff(ten["predicted"]) >= 0).all()
    ax = value.plot_calibration(calibrated)
    assert np.allclose(ax.lines[-1].get_ydata(), calibrated["predicted"]) or any(
        np.allclose(line.get_ydata(), calibrated["predicted"])
        for line in ax.lines
        if len(line.get_ydata()) == len(calibrated)
    )


def test_too_few_who_came_back_give_a_reason_and_no_model():
    few = made(40)
    for said in (
        value.holdout(few, UNTIL),
        value.prospects(few, UNTIL, rng=1),
        value.existing_orders(few, parse("2025-12")),
    ):
        assert isinstance(said, Missing) and str(FEWEST) in said.sentence()
    one = few[few["person_id"] == few["person_id"].iloc[0]]
    assert isinstance(value.prospects(one, UNTIL, rng=1), Missing)


# -- worth


def test_groups_of_customers_add_up_to_all_of_them(days, margin):
    ahead = value.prospects(days, UNTIL, rng=7, draws=20)
    traits = pd.DataFrame({"person_id": days["person_id"].unique()})
    traits["tier"] = np.where(np.arange(len(traits)) % 3 == 0, "gold", "member")
    everybody, by_tier = value.worth(ahead, margin).iloc[0], value.worth(ahead, margin, traits, by="tier")
    assert by_tier["customers"].sum() == everybody["customers"] == days["person_id"].nunique()
    for column in ("to_date", "coming", "worth"):
        assert (by_tier[column] * by_tier["customers"]).sum() == pytest.approx(
            everybody[column] * everybody["customers"]
        )
    assert everybody["to_date"] == pytest.approx(0.5 * days["amount"].sum() / everybody["customers"])
    assert (by_tier["worth_low"] <= by_tier["worth"]).all() and (by_tier["worth"] <= by_tier["worth_high"]).all()
    again = value.worth(value.prospects(days, UNTIL, rng=7, draws=20), margin).iloc[0]
    assert again.equals(everybody)


def test_small_groups_have_no_number_and_the_table_says_so(days, margin):
    ahead = value.prospects(days, UNTIL, rng=7, draws=10)
    traits = pd.DataFrame({"person_id": days["person_id"].unique()})
    traits["channel"] = ["rare"] * 3 + ["common"] * (len(traits) - 3)
    made_ = value.worth(ahead, margin, traits, by="channel").set_index("channel")
    assert math.isnan(made_.loc["rare", "worth"]) and made_.loc["rare", "customers"] == 3
    assert "1 groups have too few" in value.worth(ahead, margin, traits, by="channel").attrs["notes"][-1]
    assert isinstance(value.worth(ahead, margin, traits, by="tier"), Missing)


def test_margin_takes_off_goods_and_the_returns_of_those_orders_and_says_what_it_could_not():
    shop = shop_from(
        period="2025-12",
        orders=orders([("1", "x", "2025-12-03", 100.0), ("2", "x", "2025-11-03", 50.0)]),
        order_items=pd.DataFrame({"order_id": ["1", "2"], "product_id": ["p", "p"], "quantity": [2, 1], "amount": [100.0, 50.0]}),
        products=pd.DataFrame({"product_id": ["p"], "unit_cost": [15.0]}),
        returns=pd.DataFrame({"return_id": ["r"], "returned_at": [pd.Timestamp("2025-12-20")], "amount": [20.0], "order_id": ["1"]}),
    )  # fmt: skip
    since = dt.date(2025, 12, 1)
    whole = value.margin_rate(shop.orders, since, UNTIL, shop.order_items, shop.products, shop.returns)
    # 100 sold, 20 returned, two units at 15: half is left
    assert whole["margin_rate"].iloc[0] == pytest.approx(0.5) and not whole.attrs["notes"]
    bare = value.margin_rate(shop.orders, since, UNTIL)
    assert bare["margin_rate"].iloc[0] == 1.0 and len(bare.attrs["notes"]) == 2
    nothing = value.margin_rate(shop.orders, dt.date(2024, 1, 1), dt.date(2024, 2, 1))
    assert math.isnan(nothing["margin_rate"].iloc[0])


# -- cohorts, cost, payback


def test_the_curve_is_what_customers_old_enough_had_brought(margin):
    rows = [("x", "2025-01-01", 100.0), ("x", "2025-02-20", 40.0), ("y", "2025-01-01", 60.0), ("z", "2025-12-20", 80.0)]
    days = pd.DataFrame(rows, columns=["person_id", "day", "amount"]).assign(orders=1)
    days["day"] = pd.to_datetime(days["day"]).dt.date
    made_ = value.curve(days, UNTIL, margin, months=3, fewest=1).set_index("month")
    assert made_["n"].tolist() == [3, 2, 2, 2]  # z is twelve days old
    assert made_.loc[0, "value"] == pytest.approx(0.5 * (100 + 60 + 80) / 3)
    assert made_.loc[1, "value"] == pytest.approx(0.5 * 80) and made_.loc[2, "value"] == pytest.approx(0.5 * 100)
    ax = value.plot_curve(value.curve(days, UNTIL, margin, months=3, fewest=1))
    assert np.allclose(ax.lines[0].get_ydata(), made_["value"])


def test_cost_worth_and_payback_of_channels_by_hand(margin):
    rows = [(f"a{i}", "2025-06-01", 100.0) for i in range(10)] + [(f"a{i}", "2025-07-15", 60.0) for i in range(10)]
    rows += [(f"b{i}", "2025-06-01", 20.0) for i in range(5)] + [(f"o{i}", "2025-06-01", 20.0) for i in range(5)]
    days = pd.DataFrame(rows, columns=["person_id", "day", "amount"]).assign(orders=1)
    days["day"] = pd.to_datetime(days["day"]).dt.date
    who = pd.DataFrame({"person_id": days["person_id"].unique()})
    who["channel"] = who["person_id"].str[0].map({"a": "search", "b": "display", "o": "direct"})
    spend = pd.DataFrame({"channel": ["search", "display", "tv"], "spend": [600.0, 500.0, 70.0]})
    won = value.acquisition(value.histories(days, UNTIL), who, spend, since=dt.date(2025, 1, 1), until=UNTIL)
    cost = won.set_index("channel")
    assert cost.loc["search", "cac"] == 60.0 and cost.loc["display", "cac"] == 100.0
    assert math.isnan(cost.loc["tv", "cac"]) and math.isnan(cost.loc["direct", "cac"])  # nobody won; nothing spent
    assert len(won.attrs["notes"]) == 2
    curves = value.curve(days, UNTIL, margin, who, by="channel", months=6, fewest=1)
    worth = value.trusted(curves, None, None, month=6)
    back = value.return_on_customers(won, worth, curves).set_index("channel")
    # half of 160 over 60; 50 on the first day, 80 from the second month on
    assert back.loc["search", "clv_cac"] == pytest.approx(80 / 60) and back.loc["search", "payback_months"] == 2
    assert math.isnan(back.loc["display", "payback_months"]) and back.loc["display", "clv_cac"] == pytest.approx(0.1)
    assert not np.isinf(back.select_dtypes("number").to_numpy()).any()
    found = value.of_channels(value.return_on_customers(won, worth, curves), least_ratio=1.2)
    assert "display" in found[0].text and found[0].stake == pytest.approx(500 * (1 - 0.1 / 1.2))


def test_a_cap_lowers_spending_to_what_a_customer_may_cost():
    row = {"channel": "display", "spend": 3650.0, "new_customers": 50, "cac": 73.0, "cac_low": 60.0, "cac_high": 90.0,
           "worth": 36.5, "worth_low": 30.0, "worth_high": 43.0, "clv_cac": 0.5, "clv_cac_low": 0.4, "clv_cac_high": 0.625}  # fmt: skip
    frame = pd.DataFrame([row, row | {"channel": "search", "clv_cac_high": 1.4}])
    (cap,) = value.caps(
        frame, dt.datetime(2026, 1, 1), parse("2026-01-01/2026-01-30"), since=dt.date(2025, 1, 1), least_ratio=1.0
    )
    # 300 a month, and half as much for the same customers
    assert cap.effect == pytest.approx(-150.0) and cap.low < cap.effect < cap.high < 0
    assert cap.by == {"channel": "display"} and cap.due == dt.date(2026, 1, 15) and cap.unit == "currency"


# -- what comes


def test_the_forecast_is_of_the_figure_that_the_next_report_shows(days):
    whole = made(2500, seed=9, weeks=150)
    history = value.existing_orders(whole, parse("2025-12"))
    assert history["period"].iloc[-1] == "2026-01" and math.isnan(history["orders"].iloc[-1])
    last = history[history["period"] == "2025-12"].iloc[0]
    begun = set(whole.loc[whole["day"] < dt.date(2025, 12, 1), "person_id"])
    mine = whole[(whole["day"] >= dt.date(2025, 12, 1)) & (whole["day"] < UNTIL) & whole["person_id"].isin(begun)]
    assert last["orders"] == mine["orders"].sum() and last["existing"] == len(begun)
    assert value.this_period(history, parse("2025-12"))["orders"].iloc[0] == last["orders"]
    said = value.forecast(history)
    assert said.metric == "existing.orders" and said.metric not in METRICS and said.level == 0.8
    assert said.low < said.value < said.high and 0.5 < said.value / history["expected"].iloc[-1] < 2
    assert isinstance(value.forecast(history.tail(6).reset_index(drop=True)), Missing)


def test_a_shop_without_customer_numbers_is_answered_with_what_it_lacks():
    shop = shop_from(
        period="2025-12",
        orders=pd.DataFrame({"order_id": ["1"], "ordered_at": [pd.Timestamp("2025-12-03")], "amount": [1.0]}),
    )
    days = value.purchase_days(shop.orders, shop.persons)
    assert isinstance(days, Missing)
    assert isinstance(value.errors(value.holdout(days, UNTIL)), Missing)
    assert isinstance(value.worth(value.prospects(days, UNTIL, rng=1), pd.DataFrame()), Missing)
