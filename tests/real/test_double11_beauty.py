"""Listings of 22 brands of cosmetics in the week of 11 November 2016: no list price, so depth is the fall within an item."""

import pandas as pd
import pytest

from playbook.market import competitors


@pytest.fixture(scope="module")
def seen(real_data):
    path = real_data / "double11_beauty" / "double11_beauty.csv"
    if not path.exists():
        pytest.skip(f"no {path}: see the README of the real data")
    rows = pd.read_csv(path, dtype={"id": str}, encoding="utf-8-sig").rename(
        columns={"update_time": "day", "id": "item", "店名": "competitor"}
    )
    return rows.assign(day=pd.to_datetime(rows["day"]))[["day", "competitor", "item", "price"]]


def test_the_day_the_depth_and_the_rebound_by_brand(seen):
    moved = competitors.sale_day(seen, "2016-11-11").set_index("competitor")
    wide = seen.groupby(["item", "day"])["price"].mean().unstack()
    ten, eleven = (wide[pd.Timestamp(2016, 11, d)] for d in (10, 11))
    both = ten.notna() & eleven.notna() & (ten > 0) & (eleven > 0)
    whole = moved.loc[""]
    assert len(moved) - 1 <= 22 and whole["items"] >= both.sum() > 1000
    assert whole["changed"] == pytest.approx((ten != eleven)[both].mean(), abs=0.01)
    assert whole["lowered"] <= whole["changed"] and 0 < whole["depth"] < 1
    assert moved["items"].drop("").sum() == whole["items"]
    assert (moved["index"] > 0).all() and moved["rebound"].notna().any()
