"""Stories of the registry: every metric has its words in both languages, and its formula holds in numbers."""

import re
from decimal import Decimal
from typing import get_args

import pandas as pd
import pytest

from playbook import style
from playbook.metrics import METRICS, measure
from playbook.metrics.facts import BREAKDOWNS, fact
from playbook.metrics.registry import Metric, Unit, ratio
from playbook.missing import Missing
from playbook.shop import shop_from

EACH = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())

FACTS = ("placed", "paid", "lines", "returned", "returned_of")


@pytest.fixture(scope="module")
def shop():
    """Three orders of October, one of September: 300 of goods sold in October at 40 off, 60 given back."""
    orders = pd.DataFrame(
        {
            "order_id": ["1", "2", "3", "4"],
            "ordered_at": pd.to_datetime(["2026-09-10", "2026-10-01", "2026-10-02", "2026-10-31"]),
            "amount": [50, 100, 120, 80],
            "discount": [0, 10, 30, 0],
            "customer_id": ["a", "a", "b", None],
            "platform": "jd",
        }
    )
    items = pd.DataFrame(
        {"order_id": ["1", "2", "2", "3", "4"], "product_id": "p", "quantity": [1, 2, 1, 1, 2], "platform": "jd"}
    ).assign(amount=[50, 60, 40, 120, 80], discount=[0, 10, 0, 30, 0])
    returns = pd.DataFrame(
        {"return_id": ["x", "y"], "returned_at": pd.to_datetime(["2026-10-05", "2026-10-20"]), "amount": [20, 40]}
    ).assign(order_id=["1", "3"], platform="jd", product_id="p")
    products = pd.DataFrame({"product_id": ["p"], "name": ["Soap"], "category": ["Care"]})
    return shop_from(period="2026-10", orders=orders, order_items=items, returns=returns, products=products)


@pytest.fixture(scope="module")
def values(shop):
    return measure(shop, list(METRICS)).set_index("metric").value


@EACH
def test_a_metric_has_both_names_a_formula_and_a_definition(metric):
    assert re.fullmatch(r"[a-z][a-z0-9_]+", metric.name)
    assert metric.title and metric.title[0].isupper()
    assert re.search(r"[\u4e00-\u9fff]", metric.chinese) and not re.search(r"[A-Za-z]{3}", metric.chinese)
    assert len(metric.formula) > 8 and metric.formula != metric.definition
    assert metric.definition[0].isupper() and metric.definition.endswith(".")
    assert metric.unit in get_args(Unit) and metric.unit in style.UNITS
    assert metric.good in ("up", "down", None)


def test_no_two_metrics_share_a_name_in_either_language():
    for words in ([m.title for m in METRICS.values()], [m.chinese for m in METRICS.values()]):
        assert len(words) == len(set(words))
    assert all(name == m.name for name, m in METRICS.items())


@EACH
def test_what_a_metric_is_made_of_exists(metric: Metric):
    names = {s.name for s in metric.sums}
    assert set(metric.partial) <= names and (metric.n is None or metric.n in names)
    for s in metric.sums:
        assert s.over and set(s.over) <= set(FACTS)


def test_one_name_of_a_sum_means_one_sum():
    by_name = {}
    for s in (s for m in METRICS.values() for s in m.sums):
        assert by_name.setdefault(s.name, s) is s, s.name


def test_the_values_by_hand(values):
    assert values.to_dict() == pytest.approx(
        {
            "orders_placed": 3,
            "orders_paid": 3,
            "gross_sales": 340,
            "discounts": 40,
            "returns": 60,
            "returns_of_orders": 40,
            "net_sales": 240,
            "aov": 100,
            "items_per_order": 2,
            "refund_rate": 0.2,
            "customers": 2,
            "new_customers": 1,
            "repeat_rate": 0,
            "customer_orders": 2,
            "customer_sales": 220,
            "guest_sales": 80,
        }
    )


def test_the_formulas_hold_in_numbers(values):
    v = values
    assert v.gross_sales == v.net_sales + v.returns + v.discounts
    assert v.net_sales == v.gross_sales - v.discounts - v.returns
    assert v.aov == pytest.approx((v.gross_sales - v.discounts) / v.orders_paid)
    assert v.refund_rate == pytest.approx(v.returns / (v.gross_sales - v.discounts))
    assert v.customer_sales + v.guest_sales == v.gross_sales - v.discounts
    assert v.net_sales == v.customers * (v.customer_orders / v.customers) * (v.customer_sales / v.customer_orders) + (
        v.guest_sales - v.returns
    )


def test_a_metric_measured_alone_is_the_metric_measured_among_others(shop, values):
    for name in METRICS:
        frame = measure(shop, [name])
        assert frame.value.tolist() == [values[name]], name
        assert frame.unit.tolist() == [METRICS[name].unit]


def test_the_words_of_a_metric_come_with_its_measurement(shop):
    attrs = measure(shop, ["aov", "returns"]).attrs
    assert attrs["titles"] == {"aov": "Average order value", "returns": "Returns"}
    assert attrs["good"] == {"aov": "up", "returns": "down"}
    assert attrs["definitions"]["aov"].endswith("((gross sales − discounts) ÷ orders paid)")
    assert attrs["currency"] == "CNY" and attrs["period"] == "2026-10"


def test_the_facts_have_one_row_each_and_count_on_their_day(shop):
    rows = {name: fact(shop, name).to_pandas() for name in FACTS}
    assert {name: len(of) for name, of in rows.items()} == {
        "placed": 4, "paid": 4, "lines": 5, "returned": 2, "returned_of": 2,
    }  # fmt: skip
    assert rows["paid"].set_index("order_id").customer_type.to_dict() == {
        "1": "new", "2": "returning", "3": "new", "4": "guest",
    }  # fmt: skip
    # a return counts on the day it was booked; as part of its order, on the day that the order was paid
    assert sorted(rows["returned"]["at"].dt.strftime("%m-%d")) == ["10-05", "10-20"]
    assert sorted(rows["returned_of"]["at"].dt.strftime("%m-%d")) == ["09-10", "10-02"]
    assert set(rows["lines"]["category"]) == {"Care"} and set(rows["returned"]["product"]) == {"Soap"}


def test_a_fact_without_its_table_says_which_it_is():
    frame = pd.DataFrame({"order_id": ["1"], "ordered_at": ["2026-10-31"], "amount": [5]})
    shop = shop_from(orders=frame)
    assert fact(shop, "lines").what == "order_items"
    assert fact(shop, "returned").what == fact(shop, "returned_of").what == "returns"
    no_orders = pd.DataFrame({"return_id": ["x"], "returned_at": ["2026-10-31"], "amount": [1]})
    gone = fact(shop_from(orders=frame, returns=no_orders), "returned_of")
    assert isinstance(gone, Missing) and gone.what == "returns.order_id"


def test_a_ratio_is_exact_and_not_defined_without_a_denominator():
    assert ratio(Decimal("1"), 3) * 3 == pytest.approx(Decimal(1))
    assert ratio(Decimal("0.30"), Decimal("0.10")) == 3
    assert ratio(5, 0) is None and ratio(0, 5) == 0


def test_every_breakdown_is_named_where_measure_is_explained():
    assert len(BREAKDOWNS) == len(set(BREAKDOWNS))
    assert [name for name in BREAKDOWNS if name not in measure.__doc__] == []
