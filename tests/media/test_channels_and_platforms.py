"""Stories of channels and platforms: what an order leaves, who meets whom, and what a channel costs and brings."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from playbook.media import channels, economics
from playbook.missing import Missing

SINCE, UNTIL = dt.date(2026, 1, 1), dt.date(2027, 1, 1)
MONTHS = 365 / 30.4375


@pytest.fixture
def orders():
    rows = [
        ("jd", "1", 100.0, "a"),
        ("jd", "2", 300.0, "b"),
        ("own_site", "3", 200.0, "a"),
        ("own_site", "4", 200.0, None),
    ]
    frame = pd.DataFrame(rows, columns=["platform", "order_id", "amount", "channel"])
    return frame.assign(paid_at=pd.Timestamp("2026-05-01 12:00"), customer_id=["u", "v", "u", "w"])


@pytest.fixture
def ads():
    return pd.DataFrame({"day": [dt.date(2026, 5, 1)] * 2, "platform": "p", "level": "campaign", "channel": ["a", "b"],
                         "spend": [30.0, 40.0], "impressions": [1000, 4000], "clicks": [10, 20]})  # fmt: skip


def test_an_order_leaves_its_sales_less_all_its_costs_by_hand(orders, ads):
    settlements = pd.DataFrame(
        {"platform": ["jd", "jd", "jd", "jd"], "order_id": ["1", "2", None, "2"], "kind": ["commission"] * 2 + ["service_fee", "payout"],
         "amount": [-10.0, -30.0, -120.0, 260.0], "settled_at": pd.Timestamp("2026-05-03")})  # fmt: skip
    returns = pd.DataFrame({"platform": ["own_site"], "order_id": ["3"], "amount": [50.0]})
    of = economics.unit_economics(orders, settlements, ads, returns, since=SINCE, until=UNTIL).set_index("platform")
    # channel a sold 100 at jd and 200 on the own site, b 300 at jd: of 30 + 40 jd bears 10 + 40
    assert of.loc["jd", "advertising"] == pytest.approx(25.0) and of.loc["own_site", "advertising"] == pytest.approx(
        10.0
    )
    assert of.loc["jd", "per_order"] == pytest.approx((400 - 40 - 50) / 2)
    assert of.loc["own_site", "per_order"] == pytest.approx((400 - 50 - 20) / 2)
    assert of.loc["jd", "fixed_fees"] == pytest.approx(120 / MONTHS) and of.loc["jd", "break_even_orders"] == 1
    assert of.loc["jd", "profit"] == pytest.approx(310 - 120)
    assert of.loc["own_site", "per_order_low"] < 165 < of.loc["own_site", "per_order_high"]
    assert len(of.attrs["notes"]) == 2  # goods and carriage are not known


def test_advertising_is_shared_by_sales_where_a_platform_does_not_tell_channels(orders, ads):
    orders.loc[orders["platform"] == "jd", "channel"] = None
    of = economics.unit_economics(orders, None, ads, since=SINCE, until=UNTIL).set_index("platform")
    assert of["advertising"].tolist() == pytest.approx([17.5, 17.5])
    assert any("shared by sales" in n for n in of.attrs["notes"])


def test_a_platform_that_loses_on_each_order_and_one_with_too_few(orders):
    of = pd.DataFrame({"platform": ["jd", "douyin", "own_site"], "orders": [100.0, 5.0, 50.0], "per_order": [-5.0, 4.0, 9.0],
                       "per_order_low": [-7.0, 1.0, 8.0], "per_order_high": [-3.0, 7.0, 10.0], "fixed_fees": [0.0, 40.0, 0.0],
                       "break_even_orders": [np.nan, 10.0, 0.0], "profit": [-500.0, -460.0, 450.0]})  # fmt: skip
    of.attrs["months"] = 12
    said = economics.findings(of)
    assert [f.verdict for f in said] == ["act", "watch", "hold"] and said[0].stake == 500
    assert "−¥5.00" in said[0].text and "¥40.00" in said[1].text and "¥9.00 on the own site" in said[2].text
    assert isinstance(economics.unit_economics(orders.drop(columns="platform"), since=SINCE, until=UNTIL), Missing)


def test_the_matrix_tells_reach_cost_and_role(orders, ads):
    met = pd.DataFrame(
        [("1", "x", "a", 1), ("2", "x", "b", 2), ("3", "y", "a", 1), ("4", "y", "b", 3), ("5", "z", "b", 1)],
        columns=["touch_id", "visitor_id", "channel", "day"],
    )  # fmt: skip
    met["touched_at"] = pd.Timestamp("2026-04-01") + pd.to_timedelta(met["day"], unit="D")
    of = channels.matrix(ads, met, orders, since=SINCE, until=UNTIL).set_index("channel")
    assert of.loc["a", "cpm"] == 30.0 and of.loc["a", "cpc"] == 3.0 and of.loc["b", "cpm"] == 10.0
    assert of["people"].to_dict() == {"b": 3, "a": 2} and of.loc["a", "reach"] == pytest.approx(2 / 3)
    assert of["role"].to_dict() == {"b": "closes", "a": "opens"} and of.loc["a", "first"] == 1.0
    shared = channels.overlap(met, since=SINCE, until=UNTIL)
    assert shared.loc["a", "b"] == 1.0 and shared.loc["b", "a"] == pytest.approx(2 / 3)
    (said,) = channels.overlaps(shared)
    assert "100.0% of those whom a meets are met by b too" in said.text
    alone = channels.matrix(ads, None, since=SINCE, until=UNTIL)
    assert alone["reach"].isna().all() and (alone["role"] == "").all() and len(alone.attrs["notes"]) == 2


def test_buyers_who_are_like_the_best_customers_fit(orders, ads):
    people = pd.DataFrame({"platform": ["jd", "jd", "own_site", "own_site"], "customer_id": ["u", "v", "u", "w"],
                           "gender": ["female", "male", "female", "male"]})  # fmt: skip
    of = channels.matrix(ads, None, orders, people, since=SINCE, until=UNTIL).set_index("channel")
    assert of.loc["b", "fit"] == 1.0 and of.loc["a", "fit"] == 0.0  # v bought most, and is the best customer
    assert of["new_buyers"].tolist() == [1.0, 1.0]


def test_effectiveness_costs_a_new_customer_and_sets_spending_beside_what_is_left():
    of = pd.DataFrame({"channel": ["a", "b", "c"], "spend": [100.0, 300.0, 0.0], "orders": [10, 10, 4], "margin": [300.0, 100.0, 9.0],
                       "sales": [600.0, 400.0, 20.0]} | {f"{c}{e}": 1.0 for c in ("roas", "roi") for e in ("", "_low", "_high")})  # fmt: skip
    new = pd.DataFrame({"channel": ["a", "b"], "value": [5.0, 0.0]})
    made = channels.effectiveness(of, new).set_index("channel")
    assert list(made.index) == ["b", "a"] and made.loc["a", "cac"] == 20.0 and np.isnan(made.loc["b", "cac"])
    assert made.loc["a", "cac_low"] == pytest.approx(
        100 / 11.668, rel=1e-3
    )  # exact interval of a count of 5: 1.62 to 11.67
    assert made["share_of_spend"].to_dict() == {"b": 0.75, "a": 0.25} and made.loc["a", "share_of_profit"] == 0.75
    (said,) = channels.findings(made.reset_index())
    assert "75.0% goes to b, whose credited orders leave 25.0%" in said.text
    assert channels.worth(of) == {"a": 0.5, "b": 0.25, "c": 0.45}


def test_pictures_draw_the_numbers(orders, ads):
    of = economics.unit_economics(orders, None, ads, since=SINCE, until=UNTIL)
    ax = economics.plot_order(of)
    left = [p.get_width() for p in ax.patches[-len(of) :]]
    assert left == pytest.approx(list(of["per_order"]))
    shares = pd.DataFrame({"channel": ["a", "b"], "share_of_spend": [0.4, 0.6], "share_of_profit": [0.7, 0.3]})
    bars = channels.plot_shares(shares)
    assert sorted(p.get_width() for p in bars.patches) == pytest.approx([0.3, 0.4, 0.6, 0.7])
    assert channels.plot_overlap(pd.DataFrame()) is None and channels.plot_shares(shares.iloc[:0]) is None
    plt.close("all")
