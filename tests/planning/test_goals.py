"""Stories of goals: chances that a known history gives, letters that fail and why, and splits that tie to the cent."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.methods.forecasting import Forecaster
from playbook.missing import Missing
from playbook.planning.goals import smart, targets, tree, written

TITLES = {"net_sales": "Net sales", "orders_paid": "Orders paid", "new_customers": "New customers", "aov": "AOV"}
TODAY = dt.date(2025, 1, 1)


def ahead(centre=(1000.0, 1100.0, 1200.0), spread=100.0, metric="net_sales", unit="currency"):
    """A history of two flat years, and a forecast whose errors are known."""
    months = pd.period_range("2025-01", periods=len(centre), freq="M")
    past = pd.Series(900.0, pd.period_range("2023-01", "2024-12", freq="M"))
    table = pd.DataFrame(columns=["method", "mase", "pinball", "origins", "chosen"])
    model = Forecaster("naive", table, "", months, np.array(centre), spread, 10**6, "as it is")
    return targets.Ahead(metric, unit, "CNY", past, model)


def test_the_chance_of_a_target_is_that_of_the_forecast():
    a = ahead()
    # a normal error of 100 about 1,000: 1,128 is a quantile of 90 %
    assert a.chance(1000, pd.Period("2025-01", "M")) == pytest.approx(0.5, abs=0.001)
    assert a.chance(1128.16, pd.Period("2025-01", "M")) == pytest.approx(0.1, abs=0.002)
    assert a.chance(0) == 1 and a.chance(99_999) == 0
    # the months go together: 3,300 ± 300
    assert a.total(0.9) == pytest.approx(3300 + 3 * 128.16, abs=1) and a.chance(3300) == pytest.approx(0.5, abs=0.001)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 6000), min_size=2, max_size=6))
def test_more_is_never_likelier(aims):
    chances = [ahead().chance(x) for x in sorted(aims)]
    assert chances == sorted(chances, reverse=True) and all(0 <= c <= 1 for c in chances)


def test_levels_and_the_suggestion():
    found = targets.levels(ahead(), growth=0.3, ambition=0.4, least=0.2).set_index("level")
    assert found.target["p50"] == 3300 and found.target["year_ago"] == 2700
    assert found.target["market"] == pytest.approx(3510) and found.chance["market"] == pytest.approx(0.242, abs=0.01)
    assert found.target["suggested"] == pytest.approx(3510)  # the market asks for more, and it is not out of reach
    assert found.growth["suggested"] == pytest.approx(0.3)
    calm = targets.levels(ahead(), growth=0.0, ambition=0.4).set_index("level")
    assert calm.chance["suggested"] == pytest.approx(0.4, abs=0.002)
    assert "market" not in set(targets.levels(ahead()).level)
    assert targets.suggested(targets.levels(ahead())) == calm.target["suggested"]


def test_the_market_grows_by_what_both_years_tell():
    days = pd.date_range("2023-01-31", periods=24, freq="ME")
    market = pd.DataFrame({"day": days, "category": "x", "size": [Decimal(100)] * 12 + [Decimal(110)] * 12})
    assert targets.market_growth(market, end=TODAY) == pytest.approx(0.1)
    new = pd.DataFrame({"day": days[-6:], "category": "new", "size": Decimal(999)})
    assert targets.market_growth(pd.concat([market, new]), end=TODAY) == pytest.approx(0.1)
    assert np.isnan(targets.market_growth(market.tail(12), end=TODAY))


def plan(**more):
    rows = {
        "metric": ["net_sales", "net_sales", "net_sales", "roas"], "period": "2025-01",
        "target": [900.0, 1400.0, 300.0, 2.0], "recorded_at": pd.to_datetime(["2024-11-01", "2024-12-01"] * 2),
        "platform": [None, None, "jd", None], "channel": [None, None, None, "search"], "owner": "sales lead",
    }  # fmt: skip
    return pd.DataFrame(rows | more)


def test_of_targets_that_were_changed_the_last_one_counts():
    told = written.stated(plan(), {"net_sales": ahead()}, by_platform={"jd": ahead((250.0,), 50.0)})
    assert told[["platform", "target"]].values.tolist() == [["", 1400.0], ["jd", 300.0]]
    assert told.chance.tolist() == pytest.approx([0.0, 0.159], abs=0.002) and told.gap.tolist() == [400, 50]
    said = written.findings(told, None, titles=TITLES)
    assert [f.verdict for f in said] == ["act", "watch"]  # out of reach; and 300 of jd are not 1,400
    easy = written.stated(plan(target=500.0), {"net_sales": ahead()})
    assert "without doing anything" in written.findings(easy, None, titles=TITLES)[0].text
    assert written.findings(None, None, titles=TITLES) == []


def test_forecasts_are_those_of_the_months():
    said = targets.forecasts({"net_sales": ahead()})
    assert [(f.period, f.value) for f in said] == [("2025-01", 1000), ("2025-02", 1100), ("2025-03", 1200)]
    assert said[0].high == pytest.approx(1128.16, abs=0.1) and said[0].level == 0.8
    later = targets.forecasts({"net_sales": ahead()}, told=["net_sales"])
    assert [f.period for f in later] == ["2025-02", "2025-03"]


def test_months_that_the_data_cut_are_left_out():
    months = pd.date_range("2023-01-01", "2025-01-01", freq="MS")
    past = pd.DataFrame({"metric": "net_sales", "unit": "currency", "month": months})
    past["value"] = 100.0 + 10 * np.sin(np.arange(len(months)))
    found = targets.ahead(
        past, first_day=dt.date(2023, 1, 5), end=dt.date(2025, 1, 20), metrics=["net_sales"], months=1
    )
    assert str(found["net_sales"].past.index[0]) == "2023-02" and str(found["net_sales"].past.index[-1]) == "2024-12"
    assert isinstance(targets.of_metric(found, "orders_paid"), Missing)
    short = targets.ahead(past.head(3), first_day=dt.date(2023, 1, 1), end=TODAY, metrics=["net_sales"])
    assert isinstance(short, Missing) and isinstance(targets.levels(short), Missing)


# -- SMART


def checked(**goal):
    about = {
        "goal": "g",
        "metric": "net_sales",
        "base": 900.0,
        "target": 1050.0,
        "due": "2025-01",
        "owner": "sales lead",
    }
    row = smart.check(pd.DataFrame([about | goal]), {"net_sales": ahead()}, measurable=TITLES, today=TODAY).iloc[0]
    return "".join(row[x] for x in smart.LETTERS), row.why


@pytest.mark.parametrize(
    "goal, marks, why",
    [
        ({}, "✓✓✓✓✓", ""),
        ({"metric": "happiness"}, "✗✗??✓", "S: it names no metric"),
        ({"owner": ""}, "✗✓✓✓✓", "S: nobody answers"),
        ({"base": None}, "✓✗✓✓✓", "M: the value to start from"),
        ({"base": 1050.0}, "✓✗✓✓✓", "M: it ends where it starts"),
        ({"target": 1400.0}, "✓✓✗✓✓", "A: by the history its chance is <1%"),
        ({"target": 700.0}, "✓✓✓✗✓", "R: it comes by itself"),
        ({"due": ""}, "✓✓??✗", "T: it has no date"),
        ({"due": "2024-12"}, "✓✓??✗", "T: its date has passed"),
        ({"due": "2031"}, "✓✓??✗", "T: its date is more than two years away"),
    ],
)
def test_the_letter_that_fails_and_why(goal, marks, why):
    found = checked(**goal)
    assert found[0] == marks and why in found[1]


@pytest.mark.parametrize(
    "text, owner",
    [
        ("in 2 months, raise Net sales from 900 to 1,050, sales lead", "sales lead"),
        ("Within 2 months raise net_sales from 900 to 1050", ""),
        ("2个月内，将Net sales从900提升到1050，电商总监", "电商总监"),
    ],
)
def test_a_goal_in_words(text, owner):
    names = {"Net sales": "net_sales", "net_sales": "net_sales"}
    found = smart.parse(text, names=names, today=dt.date(2024, 12, 31))
    assert (found["metric"], found["base"], found["target"], found["due"], found["owner"]) == (
        "net_sales", 900, 1050, "2025-02", owner,
    )  # fmt: skip
    assert smart.parse("sell more", names=names, today=TODAY)["metric"] == ""


def test_goals_come_from_the_plan_and_from_words():
    told = written.stated(plan(), {"net_sales": ahead()})
    about = {"measurable": TITLES, "today": TODAY}
    found = smart.goals(told, {"net_sales": ahead()}, goal="sell more", **about)
    assert len(found) == 2 and found.base[0] == 900
    said = smart.findings(smart.check(found, {"net_sales": ahead()}, **about))
    assert said[0].verdict == "watch" and "2 of 2" in said[0].text
    assert isinstance(smart.goals(None, None, goal="", **about), Missing)


# -- the tree


def measured(visitors=True, customers=True):
    months = pd.date_range("2023-01-01", "2024-12-01", freq="MS")
    rows = []
    for i, m in enumerate(months):
        values = {"net_sales": 850.0 + i, "orders_paid": 10, "aov": 90.0 + i}
        if customers:
            values |= {"customers": 8, "customer_orders": 9, "customer_sales": 9 * (85.0 + i)}
        if visitors:
            values["daily_visitors"] = 10 + (i % 5)
        rows += [{"month": m, "metric": k, "value": v} for k, v in values.items()]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    "visitors, customers, first", [(True, True, "visitors"), (False, True, "customers"), (False, False, "orders")]
)
def test_the_factors_multiply_to_net_sales_and_their_effects_add_up_to_the_cent(visitors, customers, first):
    data = measured(visitors, customers)
    found = tree.factors(data)
    assert found.columns[1] == first
    product = found.drop(columns="month").prod(axis=1)
    assert product.tolist() == pytest.approx(data[data.metric == "net_sales"].value.tolist())
    asked = tree.asked(found, ahead(), target=3456.78)
    before = sum(850.0 + i for i in (12, 13, 14))
    assert asked.attrs["before"] == pytest.approx(before)
    assert sum(asked.effect) == Decimal("3456.78") - Decimal(str(asked.attrs["before"])).quantize(Decimal("0.01"))
    assert np.prod(asked.value) == pytest.approx(3456.78)


def test_a_factor_that_is_said_to_move_moves_so():
    found = tree.factors(measured())
    asked = tree.asked(found, ahead(), target=3000.0, lift={"order_value": 0.05}).set_index("metric")
    assert asked.change["order_value"] == pytest.approx(0.05) and np.prod(asked.value) == pytest.approx(3000)
    with pytest.raises(ValueError, match="the tree has no luck"):
        tree.asked(found, ahead(), target=3000.0, lift={"luck": 0.1})
    assert isinstance(tree.asked(found.head(6), ahead(), target=3000.0), Missing)


def shares(chance):
    months = pd.date_range("2024-01-01", "2024-12-01", freq="MS")
    keys = [(m, p, c) for m in months for p in ("jd", "tmall", "") for c in ("new", "returning")]
    frame = pd.DataFrame(keys, columns=["month", "platform", "customer_type"])
    return frame.assign(metric="net_sales", value=chance.integers(-50, 500, len(frame)).astype(float))


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**9), st.integers(0, 10**6))
def test_the_split_ties_to_the_cent_whatever_the_shares(cents, seed):
    target = cents / 100
    found = tree.split(shares(np.random.default_rng(seed)), ahead(), target=target)
    assert sum(found.target) == Decimal(cents) / 100 and (found.target >= 0).all()
    table = tree.table(found)
    total = table.iloc[-1]
    assert total["total"] == Decimal(cents) / 100
    for month in ("2025-01", "2025-02", "2025-03"):
        assert table[month][:-1].sum() == total[month] == found[found.period == month].target.sum()


def test_months_bear_the_target_as_expected_and_parts_as_a_year_ago():
    flat = shares(np.random.default_rng(0)).assign(value=[300.0, 100.0, 0.0, 0.0, 0.0, 0.0] * 12)
    found = tree.split(flat, ahead(), target=3300.0)
    assert found.groupby("period").target.sum().tolist() == [1000, 1100, 1200]
    assert found.groupby("customer_type").target.sum().to_dict() == {"new": Decimal(2475), "returning": Decimal(825)}
    (said,) = tree.findings(found)
    assert "¥2,475" in said.text and "+175.0%" in said.text
    alone = tree.split(flat[["month", "metric", "value"]], ahead(), target=10.0)
    assert len(alone) == 3 and tree.table(alone).iloc[-1]["total"] == 10


def test_the_pictures_draw_the_numbers():
    asked = tree.asked(tree.factors(measured()), ahead(), target=3456.78)
    widths = [p.get_width() for p in tree.plot_asked(asked).patches]
    assert widths == pytest.approx(asked.effect.astype(float)[::-1].tolist())
    ax = targets.plot_outlook(ahead(), told=written.stated(plan(), {"net_sales": ahead()}), title="Net sales")
    assert ax.lines[1].get_ydata().tolist()[1:] == [1000, 1100, 1200] and ax.lines[2].get_ydata().tolist() == [1400]
