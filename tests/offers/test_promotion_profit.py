"""What promotions earned: the waterfall by hand, what cannot be told, and coupons."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.offers import profit
from playbook.shop import shop_from

SINCE, UNTIL = dt.date(2025, 1, 1), dt.date(2026, 1, 1)
WEEK = pd.date_range("2025-09-01", "2025-09-07")
PRICE, COST, OFF = 100.0, 30.0, 0.2


def made(times=2.0, *, categories=("cream", "mask", "soap"), a_day=20, seed=1, gift=False, dip=1.0):
    """A shop of three categories, and a week in which masks cost a fifth less and sell `times` as often."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2025-01-01", "2025-12-31")
    after = pd.date_range(WEEK[-1] + pd.Timedelta(days=1), periods=21)
    orders, items = [], []
    for day in days:
        common = rng.normal(1, 0.05)
        for c in categories:
            on = c == "mask" and day in WEEK
            many = times if on else dip if c == "mask" and day in after else 1.0
            for _i in range(rng.poisson(a_day * common * many)):
                number = str(len(orders))
                off = OFF * PRICE if on else 0.0
                orders.append((number, day + pd.Timedelta(hours=9), PRICE - off))
                items.append((number, c, 1, PRICE - off, 1, off, False))
                if on and gift:
                    items.append((number, "soap", 1, 0.0, 2, 0.0, True))
    shop = shop_from(
        period="2025-12",
        orders=pd.DataFrame(orders, columns=["order_id", "ordered_at", "amount"]),
        order_items=pd.DataFrame(items, columns=["order_id", "product_id", "quantity", "amount", "line", "discount", "gift"]),
        products=pd.DataFrame({"product_id": list(categories), "category": list(categories), "unit_cost": COST}),
        promotions=pd.DataFrame({
            "promotion_id": ["week", "whole", "young"], "name": ["Mask week", "Sale", "Late week"], "recorded_at": pd.Timestamp("2025-01-01"),
            "starts_at": pd.to_datetime(["2025-09-01", "2025-06-01", "2025-12-20"]), "ends_at": pd.to_datetime(["2025-09-07 23:59", "2025-06-03 23:59", "2025-12-24 23:59"]),
            "category": ["mask", None, "cream"], "kind": "discount",
        }),
    )  # fmt: skip
    goods = profit.sold(shop.orders, shop.order_items, shop.products, until=UNTIL)
    return shop, goods, profit.promotion_profit(shop.promotions, goods, since=SINCE, until=UNTIL)


@pytest.fixture(scope="module")
def sale():
    return made()


def test_the_waterfall_by_hand(sale):
    _shop, goods, earned = sale
    p = earned.set_index("promotion_id").loc["week"]
    n = goods.daily.loc[WEEK, "mask"].sum()
    assert p["orders"] == n and p["sales"] == pytest.approx(80 * n) and p["given"] == pytest.approx(20 * n)
    # at twice the orders half of the margin at full price, 70 an order, is the promotion's
    assert p["effect"] == pytest.approx(1.0, abs=0.35) and p["effect_low"] < 1 < p["effect_high"]
    assert p["gain"] == pytest.approx(70 * n * p["effect"] / (1 + p["effect"]))
    steps = profit.waterfall(earned, "week").set_index("step")["amount"]
    assert steps.iloc[:-1].sum() == pytest.approx(steps.iloc[-1]) == pytest.approx(p["net"])
    assert p["net_low"] < p["net"] < p["net_high"]
    assert p["extra_sales_low"] < p["extra_sales"] < p["extra_sales_high"]


def test_a_promotion_that_adds_too_little_loses_and_is_named_and_stopped():
    _shop, _goods, earned = made(1.05, a_day=120, seed=2)
    p = earned.set_index("promotion_id").loc["week"]
    assert p["net_high"] < 0 and profit.least_earned(earned) == "week"
    first = profit.findings(earned)[0]
    assert first.verdict == "act" and "Mask week" in first.text and first.stake == pytest.approx(-p["net"])
    (stop,) = profit.decisions(earned, dt.datetime(2026, 1, 1), "2026-01")
    assert stop.metric == "net_sales" and stop.by == {"category": "mask"} and stop.check == "controls"
    assert stop.effect == pytest.approx(-p["extra_sales"]) and stop.low < stop.effect < stop.high
    assert stop.high - stop.low == pytest.approx(
        (p["extra_sales_high"] - p["extra_sales_low"]) * 1.2816 / 1.6449, rel=1e-3
    )


def test_what_was_only_bought_earlier_is_taken_off():
    _s, _g, kept = made(2.0, a_day=100, seed=4)
    _s, _g, pulled = made(2.0, a_day=100, seed=4, dip=0.8)
    kept, pulled = (e.set_index("promotion_id").loc["week"] for e in (kept, pulled))
    # 21 days × 100 orders × a fifth × a margin of 70
    assert pulled["pulled"] - kept["pulled"] == pytest.approx(-29_400, rel=0.35)
    assert pulled["net"] < kept["net"]


def test_gifts_cost_what_they_cost():
    _shop, goods, earned = made(gift=True)
    p = earned.set_index("promotion_id").loc["week"]
    n = goods.daily.loc[WEEK, "mask"].sum()
    # the gift is of another category, so it is no line of the mask week
    assert p["gifts"] == 0
    lines = goods.lines.filter(goods.lines.gift)
    assert lines.count().to_pandas() == n and float(lines.goods.sum().to_pandas()) == pytest.approx(COST * n)


def test_what_cannot_be_told_has_a_reason_and_no_number(sale):
    _shop, _goods, earned = sale
    told = earned.set_index("promotion_id")
    assert told.loc["whole", "reason"] == "whole shop" and math.isnan(told.loc["whole", "net"])
    assert told.loc["young", "reason"] == "too early" and math.isnan(told.loc["young", "net"])
    assert told.loc["whole", "sales"] > 0
    assert sum("no profit is told" in note for note in earned.attrs["notes"]) == 2
    _s, _g, alone = made(categories=("mask",))
    assert set(alone.set_index("promotion_id").loc[["week"], "reason"]) == {"one category"}
    assert (
        profit.findings(alone)[0].verdict == "hold"
        and profit.decisions(alone, dt.datetime(2026, 1, 1), "2026-01") == []
    )
    assert profit.plot_profit(alone) is None


def test_other_categories_are_held_against_the_rest(sale):
    _shop, goods, earned = sale
    spread = profit.spillover(earned, goods, promotion="week").set_index("category")
    assert spread.loc["mask", "promoted"] and not spread.loc["cream", "promoted"]
    assert spread.loc["mask", "effect"] == pytest.approx(1.0, abs=0.4) and abs(spread.loc["cream", "effect"]) < 0.4
    ax = profit.plot_spillover(profit.spillover(earned, goods, promotion="week"))
    assert sorted(b.get_width() for b in ax.patches) == pytest.approx(sorted(spread["effect"]))


def test_the_pictures_draw_the_numbers(sale):
    _shop, _goods, earned = sale
    ax = profit.plot_waterfall(profit.waterfall(earned, "week"))
    assert sorted(b.get_width() for b in ax.patches) == pytest.approx(
        sorted(profit.waterfall(earned, "week")["amount"])
    )
    ax = profit.plot_profit(earned)
    assert [b.get_width() for b in ax.patches] == pytest.approx(earned["net"].dropna()[::-1].tolist())


def test_returns_and_fees_of_what_it_added_are_taken_off():
    shop, _goods, plain = made(seed=5)
    items = shop.order_items.filter(shop.order_items.product_id == "mask").to_pandas()
    returns = pd.DataFrame(
        {
            "return_id": items["order_id"],
            "order_id": items["order_id"],
            "product_id": "mask",
            "returned_at": pd.Timestamp("2025-12-01"),
            "amount": 10.0,
        }
    )
    fees = pd.DataFrame({"order_id": items["order_id"], "kind": "commission", "amount": -5.0})
    goods = profit.sold(shop.orders, shop.order_items, shop.products, returns, fees, until=UNTIL)
    assert goods.fee_rate == pytest.approx(5.0 * len(items) / float(shop.orders.amount.sum().to_pandas()))
    p = profit.promotion_profit(shop.promotions, goods, since=SINCE, until=UNTIL).set_index("promotion_id").loc["week"]
    q = plain.set_index("promotion_id").loc["week"]
    assert p["returned"] == pytest.approx(-10 * p["orders"] * p["effect"] / (1 + p["effect"]))
    assert p["fees"] == pytest.approx(-goods.fee_rate * p["sales"] * p["effect"] / (1 + p["effect"]))
    assert p["net"] == pytest.approx(q["net"] + p["returned"] + p["fees"])


def test_coupons_used_by_hand():
    coupons = pd.DataFrame({
        "coupon_id": list("abcd"), "promotion_id": ["k", "k", "k", "l"], "issued_at": pd.Timestamp("2025-03-01"), "recorded_at": pd.Timestamp("2025-01-01"),
        "face_value": [20.0, 20.0, 20.0, 8.0], "used_at": pd.to_datetime(["2025-03-05", None, "2025-03-06", None]), "order_id": ["1", None, "2", None],
    })  # fmt: skip
    orders = pd.DataFrame({"order_id": ["1", "2"], "amount": [200.0, 300.0]})
    made_ = profit.redemption(coupons, orders, since=SINCE, until=UNTIL).set_index("promotion_id")
    k = made_.loc["k"]
    assert (k["issued"], k["used"], k["cost"], k["sales"]) == (3, 2, 40.0, 500.0)
    assert k["redemption"] == pytest.approx(2 / 3) and 0.2 < k["redemption_low"] < 0.67 < k["redemption_high"] < 0.95
    assert made_.loc["l", "redemption"] == 0


def test_a_shop_without_promotions_or_lines_is_answered_with_what_it_lacks(sale):
    shop, goods, _earned = sale
    assert isinstance(profit.promotion_profit(Missing("promotions"), goods, since=SINCE, until=UNTIL), Missing)
    assert isinstance(profit.sold(Missing("orders"), Missing("order_items"), Missing("products"), until=UNTIL), Missing)
    nothing = profit.promotion_profit(shop.promotions, goods, since=dt.date(2020, 1, 1), until=dt.date(2020, 2, 1))
    assert nothing.empty and profit.least_earned(nothing) == ""
    assert "No promotion ran" in profit.findings(nothing)[0].text
