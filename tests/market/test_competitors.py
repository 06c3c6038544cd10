"""Competitors by hand: an index on matched items, a cut that stays, one that does not, and a day of sales."""

import numpy as np
import pandas as pd
import pytest

from playbook.market import competitors
from playbook.missing import Missing

DAYS = pd.date_range("2025-01-01", periods=400, freq="D")
OURS = pd.DataFrame({"product_id": ["p", "q"], "platform": "tmall", "changed_at": DAYS[0], "price": [100.0, 200.0]})


def seen(theirs):
    """{(item, product): price by day}"""
    return pd.concat(
        pd.DataFrame({"day": DAYS, "competitor": "c", "category": "k", "item": i, "product_id": p, "price": x})
        for (i, p), x in theirs.items()
    )


def prices(before, after, since):
    return np.where(np.arange(len(DAYS)) < since, float(before), float(after))


def test_the_index_is_the_geometric_mean_of_matched_items():
    rows = seen({("a", "p"): prices(80, 80, 0), ("b", "q"): prices(245, 245, 0), ("c", None): prices(1, 1, 0)})
    index = competitors.price_index(competitors.price_paths(rows, OURS))
    assert index["items"].eq(2).all() and index["index"].to_numpy() == pytest.approx((0.8 * 1.225) ** 0.5)
    assert (index["index_low"] < index["index"]).all()


def test_a_cut_of_all_items_that_stays_is_found_with_its_day():
    rows = seen({("a", "p"): prices(105, 80, 300), ("b", "q"): prices(200, 160, 300)})
    (row,) = competitors.undercuts(competitors.price_paths(rows, OURS)).to_dict("records")
    assert row["since"] == DAYS[300] and row["together"] and row["days"] == 100
    assert row["level"] == pytest.approx(0.8) and row["products"] == "p, q"
    (found,) = competitors.findings(
        pd.DataFrame([row]), pd.DataFrame({"product_id": ["p"], "metric": "net_sales", "value": [70.0]})
    )
    assert found.verdict == "act" and found.stake == 70 and "80%" in found.text


def test_a_sale_that_ended_or_a_price_that_was_always_low_is_none():
    week = prices(100, 70, 300)
    week[330:] = 100
    assert competitors.undercuts(competitors.price_paths(seen({("a", "p"): week}), OURS)).empty
    low = seen({("a", "p"): prices(70, 69, 300), ("b", "q"): prices(140, 138, 300)})
    assert competitors.undercuts(competitors.price_paths(low, OURS)).empty


def test_a_day_of_sales_by_hand():
    rows = (
        pd.DataFrame(
            [("c", "a", 100, 80, 100), ("c", "b", 50, 50, 50), ("d", "e", 10, 9, 9), ("d", "gone", 10, None, 10)],
            columns=["competitor", "item", 10, 11, 12],
        )
        .melt(id_vars=["competitor", "item"], var_name="d", value_name="price")
        .dropna()
    )
    rows["day"] = pd.to_datetime("2016-11-" + rows.pop("d").astype(str))
    moved = competitors.sale_day(rows, "2016-11-11").set_index("competitor")
    assert moved.loc["c", ["items", "changed", "depth", "back"]].tolist() == pytest.approx([2, 0.5, 0.2, 1.0])
    assert moved.loc["c", "index"] == pytest.approx(0.8**0.5)
    assert moved.loc["c", "rebound"] == pytest.approx(1.25**0.5 - 1)
    assert moved.loc["d", "items"] == 1 and moved.loc["", "items"] == 3
    assert isinstance(competitors.sale_day(rows, "2020-01-01"), Missing)


def test_nothing_matched_says_what_to_write():
    rows = seen({("a", "z"): prices(80, 80, 0)})
    assert isinstance(competitors.price_paths(rows, OURS), Missing)
    assert isinstance(competitors.price_paths(rows.drop(columns="product_id"), OURS), Missing)
