"""Prices and what they do to sales: the days are counted by hand, the answer to a price is planted."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.offers import pricing


def at(day):
    return dt.datetime(2026, 5, day, 12)


ORDERS = pd.DataFrame({"order_id": ["1", "2", "3", "4"], "paid_at": [at(1), at(1), at(3), pd.NaT]})
ITEMS = pd.DataFrame(
    {"order_id": ["1", "1", "2", "3", "4"], "product_id": ["cream", "soap", "cream", "cream", "cream"]}
)
GOODS = pd.DataFrame({"product_id": ["cream", "soap"], "category": ["care", "care"]})
PRICES = pd.DataFrame(
    {"product_id": ["cream", "cream", "cream", "soap"], "platform": ["tmall", "jd", "tmall", "tmall"],
     "changed_at": [dt.datetime(2026, 4, 1), dt.datetime(2026, 4, 1), at(3), dt.datetime(2026, 4, 1)],
     "price": [100.0, 100.0, 400.0, 10.0]}
)  # fmt: skip
STOCK = pd.DataFrame({"product_id": ["cream", "cream"], "day": [at(2).date(), at(3).date()], "on_hand": [0, 5]})


def test_days_are_counted_with_their_price_and_whether_there_was_any():
    daily = pricing.daily_units(ITEMS, ORDERS, GOODS, PRICES, STOCK)
    cream = daily[daily["product_id"] == "cream"]
    assert cream["units"].tolist() == [2, 0, 1]  # the fourth order is unpaid
    assert cream["there"].tolist() == [True, False, True]
    # tmall's price goes to the fourfold, jd's stays: the mean log rises by log 2 on the third day
    assert np.diff(cream["price"]) == pytest.approx([0, np.log(2)]) and cream["price"].sum() == pytest.approx(0)
    soap = daily[daily["product_id"] == "soap"]
    assert soap["units"].tolist() == [1, 0, 0] and (soap["price"] == 0).all() and soap["there"].all()
    assert pricing.daily_units(ITEMS, ORDERS, GOODS, PRICES, None)["there"].all()


def test_a_shop_without_categories_is_counted_too():
    daily = pricing.daily_units(ITEMS, ORDERS, GOODS[["product_id"]], PRICES, None)
    assert (daily["category"] == "").all()
    assert daily.groupby("product_id")["units"].sum().to_dict() == {"cream": 3, "soap": 1}


def test_where_nothing_was_sold_that_is_said():
    unpaid = ORDERS.assign(paid_at=pd.NaT)
    assert isinstance(pricing.daily_units(ITEMS, unpaid, GOODS, PRICES, None), Missing)


def test_a_planted_answer_to_prices_is_found_and_two_sales_are_not_enough():
    rng, days = np.random.default_rng(4), pd.date_range("2024-01-01", periods=700)
    log = np.repeat(rng.choice([-0.2, 0.0, 0.1], 100), 7)
    made = {"cream": (rng.poisson(20 * np.exp(-2 * log)), log), "soap": (rng.poisson(30, 700), np.zeros(700))}
    daily = pd.concat(
        pd.DataFrame(
            {"product_id": p, "category": "care", "day": days, "units": u.astype(float), "price": x, "there": True}
        )
        for p, (u, x) in made.items()
    )
    found = pricing.elasticities(daily).set_index("product_id")
    cream = found.loc["cream"]
    assert (
        cream["elasticity_low"] < -2 < cream["elasticity_high"]
        and cream["elasticity_high"] - cream["elasticity_low"] < 0.5
    )
    assert np.isnan(found.loc["soap", "elasticity"]) and "spread 0.000" in found.loc["soap", "note"]
    few = pricing.elasticities(daily.groupby("product_id").head(3))
    assert few["elasticity"].isna().all() and few["note"].str.contains("Not enough data").all()
