"""Stories of the scorecard: each dimension by hand on a few rows, and the picture of it."""

import math

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from playbook.data import quality
from playbook.data.schema import TABLES
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from

JANUARY = parse("2024-01")


def orders(n=31, **columns):
    """An order a day in January 2024."""
    frame = pd.DataFrame({"order_id": [f"o{i}" for i in range(n)]})
    frame["ordered_at"] = pd.date_range("2024-01-01 12:00", periods=n)
    frame["amount"] = 10.0
    return frame.assign(**columns)


def kept(tables, *, period=JANUARY):
    """(table, dimension, rule) → (n, broken), of the tables of a shop made of frames."""
    shop = shop_from(period=period.label, **tables)
    found = quality.scorecard(shop.tables, shop.period)
    return {(r.table, r.dimension, r.rule): (r.n, r.broken) for r in found.itertuples()}


def of(found, dimension, words, table="orders"):
    (hit,) = (v for (t, d, rule), v in found.items() if t == table and d == dimension and words in rule)
    return hit


def test_a_shop_with_three_columns_has_a_scorecard():
    found = kept({"orders": orders()})
    assert of(found, "completeness", "must have") == (93, 0)
    assert of(found, "uniqueness", "order_id") == (31, 0)
    assert of(found, "validity", "amount is not negative") == (31, 0)
    assert of(found, "freshness", "period's end") == (31, 0)


def test_empty_cells_count_where_they_should_be_filled_and_not_where_emptiness_says_something():
    regions = ["x"] * 28 + [None] * 3
    found = kept({"orders": orders(region=regions, customer_id=["u", *[None] * 30])})
    assert of(found, "completeness", "supplies") == (31, 3)  # region alone: a guest has no customer


def test_two_rows_of_one_key_are_one_too_many_and_the_platform_is_part_of_the_key():
    ids = ["a", "a", "a", *[f"o{i}" for i in range(28)]]
    assert of(kept({"orders": orders(order_id=ids)}), "uniqueness", "order_id") == (31, 2)
    platforms = ["tmall", "jd", "jd", *["tmall"] * 28]
    found = kept({"orders": orders(order_id=ids, platform=platforms)})
    assert of(found, "uniqueness", "platform, order_id") == (31, 1)


def test_lines_without_a_number_of_their_own_have_no_key():
    lines = pd.DataFrame({"order_id": ["o1", "o1"], "product_id": ["p", "p"], "quantity": [1, 1], "amount": [5.0, 5.0]})
    found = kept({"orders": orders(), "order_items": lines})
    assert not [1 for table, dimension, _rule in found if (table, dimension) == ("order_items", "uniqueness")]


def test_values_are_held_against_what_they_can_be_and_unknown_ones_are_not():
    frame = orders(
        amount=[-1.0, *[10.0] * 30],
        paid_at=[pd.Timestamp("2023-12-31"), None, *pd.date_range("2024-01-03 13:00", periods=29)],
        status=["paid", "lost", *[None] * 29],
    )
    found = kept({"orders": frame})
    assert of(found, "validity", "amount") == (31, 1)
    assert of(found, "validity", "paid_at is not before ordered_at") == (30, 1)
    assert of(found, "validity", "status is one of") == (2, 1)


def test_shares_ratings_and_parts_keep_their_bounds():
    day = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    traffic = pd.DataFrame({"day": day, "platform": "jd", "visitors": [10, 5, None], "buyers": [2, 6, 3]})
    profile = pd.DataFrame(
        {"day": day, "platform": "jd", "audience": "buyers", "trait": "age", "value": list("abc"), "share": [0, 1, 1.2]}
    )
    found = kept({"orders": orders(), "traffic": traffic, "audience_profile": profile})
    assert of(found, "validity", "buyers is not more than visitors", "traffic") == (2, 1)
    assert of(found, "validity", "share lies between 0 and 1", "audience_profile") == (3, 1)


def test_a_value_must_stand_in_the_table_it_refers_to():
    lines = pd.DataFrame(
        {"order_id": ["o1", "o2", "zz", "o2"], "product_id": ["p1", "p1", "p1", "p9"], "quantity": 1, "amount": 5.0}
    )
    products = pd.DataFrame({"product_id": ["p1", "p2"]})
    found = kept({"orders": orders(), "order_items": lines, "products": products})
    assert of(found, "references", "order_id is known in orders", "order_items") == (4, 1)
    assert of(found, "references", "product_id is known in products", "order_items") == (4, 1)
    assert not [1 for _t, d, rule in found if d == "references" and "customers" in rule]  # a table that is not there


def test_rows_that_end_before_the_period_does_are_stale_unless_it_was_as_quiet_before():
    assert of(kept({"orders": orders(21)}), "freshness", "period") == (31, 10)
    assert of(kept({"orders": orders(30)}), "freshness", "period") == (31, 0)  # one day may be late
    early = pd.concat([orders(1, order_id=["e"], ordered_at=pd.to_datetime(["2023-12-15"])), orders(21)])
    assert of(kept({"orders": early}), "freshness", "period") == (31, 0)  # 16 quiet days before, 10 now


def test_a_shop_that_was_closed_at_the_periods_end_is_not_stale_if_its_files_reach_beyond():
    later = orders(1, order_id=["late"], ordered_at=pd.to_datetime(["2024-02-09"]))
    back = pd.DataFrame(
        {"return_id": list("abc"), "returned_at": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])}
    )
    shop = shop_from(orders=pd.concat([orders(21), later]), returns=back.assign(amount=1.0), period="2024-01")
    found = quality.scorecard(shop.tables, shop.period, last_day=shop.last_day)
    broken = found[found.dimension == "freshness"].set_index("table").broken.to_dict()
    assert broken == {"orders": 0, "returns": 18}  # silent from the 4th to the 21st, the last day with orders
    assert shop.gate.verdict == "PASS"


def test_too_few_days_say_nothing_on_freshness_and_no_orders_at_all_say_everything():
    assert of(kept({"orders": orders(2)}), "freshness", "period") == (0, 0)
    shop = shop_from(orders=orders(), period="2023-11")
    found = quality.scorecard(shop.tables, shop.period)
    (row,) = found[found.dimension == "freshness"].to_dict("records")
    assert (row["n"], row["broken"], row["score"]) == (30, 30, 0)


def test_what_blocks_are_the_money_tables_required_cells_keys_and_amounts_alone():
    lines = pd.DataFrame({"order_id": ["o1"], "product_id": ["p"], "quantity": [1], "amount": [5.0]})
    back = pd.DataFrame({"return_id": ["r"], "returned_at": pd.to_datetime(["2024-01-09"]), "amount": [3.0]})
    shop = shop_from(orders=orders(region="x"), order_items=lines, returns=back, period="2024-01")
    found = quality.scorecard(shop.tables, shop.period)
    assert set(found[found.blocks].table) == {"orders", "returns"}
    few = quality.scorecard(shop.tables, shop.period, blocking=True)
    pd.testing.assert_frame_equal(few, found[found.blocks].reset_index(drop=True))


def test_frames_and_missing_tables_are_taken_too():
    found = quality.scorecard({"orders": orders(), "events": Missing("events")}, JANUARY)
    assert set(found.table) == {"orders"}


def test_every_rule_speaks_of_columns_that_exist():
    for rule in quality.RULES:
        assert set(rule.columns) <= set(TABLES[rule.table].by_name), rule
    for table, column, parent in quality.REFERENCES:
        assert column in TABLES[table].by_name and column in TABLES[parent].by_name, (table, column, parent)


@pytest.fixture
def scores():
    shop = shop_from(orders=orders(region=["x"] * 30 + [None], amount=[-1.0, -1.0, *[10.0] * 29]), period="2024-01")
    return quality.scorecard(shop.tables, shop.period)


def test_a_table_is_as_good_as_the_rule_that_it_keeps_worst(scores):
    (row,) = quality.table_scores(scores).to_dict("records")
    assert row["table"] == "orders" and row["overall"] == row["validity"] == pytest.approx(29 / 31)
    assert row["completeness"] == pytest.approx(30 / 31) and row["uniqueness"] == row["freshness"] == 1
    assert math.isnan(row["references"])


def test_broken_rules_come_with_those_that_block_first(scores):
    found = quality.broken(scores)
    assert found[["dimension", "n", "broken"]].values.tolist() == [["validity", 31, 2], ["completeness", 31, 1]]
    whole = quality.broken(scores[scores.broken == 0])
    assert whole.empty and whole.attrs["notes"] == ["Every rule holds in every row."]


def test_the_heat_map_says_the_scores_and_no_broken_one_reads_as_whole(scores):
    nearly = scores.assign(score=scores.score.where(scores.dimension != "uniqueness", 0.99999))
    ax = quality.plot_scores(quality.table_scores(nearly))
    assert [t.get_text() for t in ax.texts] == ["96.7%", "99.9%", "93.5%", "100%", "—", "93.5%"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Orders"]
    shown = ax.collections[0].get_array()
    assert shown.mask.ravel().tolist() == [False, False, False, False, True, False]
    plt.close(ax.figure)
