"""Stories of prices: the corridor by hand, willingness to pay, the step that earns more, and nothing where little is known."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.offers.prices import coming, corridor, moves, willing
from playbook.period import parse

JANUARY = parse("2024-01")
DAY = pd.Timestamp("2024-01-10")


def rng():
    return np.random.default_rng(1)


def sold(cost=Decimal(40)):
    return pd.DataFrame(
        {
            "order": ["1", "2", "3"], "paid_at": DAY, "product_id": ["a", "a", "b"], "category": "x", "units": [1, 3, 1],
            "value": [Decimal(100), Decimal(300), Decimal(50)], "amount": [Decimal(100), Decimal(300), Decimal(50)],
            "cost": [cost, 3 * cost, cost],
        }
    )  # fmt: skip


def elastic(value=-2.0, half=0.1):
    return pd.DataFrame(
        {"product_id": ["a"], "category": "x", "elasticity": value, "elasticity_low": value - half,
         "elasticity_high": value + half}
    )  # fmt: skip


RIVALS = pd.DataFrame({"day": [DAY] * 4, "competitor": list("rstu"), "item": "i", "product_id": "a",
                       "price": [Decimal(x) for x in (90, 100, 110, 120)]})  # fmt: skip


def found(**more):
    about = {
        "competitors": RIVALS,
        "elasticities": elastic(),
        "period": JANUARY,
        "fees": 0.1,
        "target_margin": 0.4,
    } | more
    return corridor.corridor(about.pop("sold", sold()), None, **about)


def ahead(expected=4.0, spread=0.0):
    return pd.DataFrame({"product_id": ["a"], "units": 4.0, "expected": expected, "spread": spread})


def test_the_corridor_by_hand():
    a = found().iloc[0]
    # 40 / (1 − 0.1 − 0.4) = 80; quartiles of 90 … 120: 97.5 and 112.5; best 40 / 0.9 × 2 / 1 = 88.89
    assert (a.product_id, a.units, a.price, a.cost, a.floor) == ("a", 4, 100, 40, 80)
    assert (a.rival_low, a.rival_high, a.low, a.high, a.place) == (97.5, 112.5, 80, 112.5, "inside")
    assert a.best == pytest.approx(88.89, abs=0.01) and a.contribution == pytest.approx(4 * (90 - 40))
    b = found().iloc[1]
    assert b.place == "below" and b.price == 50  # sold for less than 80
    said = corridor.findings(found())
    assert said[0].verdict == "act" and said[0].stake == pytest.approx(30)


def test_without_costs_or_rivals_the_rest_is_said():
    bare = found(sold=sold().assign(cost=math.nan), competitors=None, elasticities=None)
    assert bare.floor.isna().all() and bare.rival_high.isna().all() and set(bare.place) == {"unknown"}
    assert len(bare.attrs["notes"]) == 4
    assert moves.moves(bare, ahead(), rng=rng()).empty and moves.margin_curve(bare, rng=rng()).empty
    assert corridor.plot_corridor(bare) is None and corridor.findings(bare) == []
    empty = found(sold=sold().assign(product_id=""))
    assert isinstance(empty, Missing) and isinstance(moves.moves(empty, ahead(), rng=rng()), Missing)


def test_one_product_whose_floor_is_above_all_that_others_ask():
    dear = found(sold=sold(cost=Decimal(70)))
    assert dear.place[0] == "none" and "a" not in moves.moves(dear, ahead(), rng=rng()).product_id.tolist()


def test_a_step_towards_the_price_that_earns_most():
    table = moves.moves(found(), ahead(), most=0.05, rng=rng())
    (step,) = table.itertuples()
    # 100 → 95: 4 × ((100/95)² × (85.5 − 40) − 50) = 1.66; sales 4 × (95 × 1.10803 − 100) = 21.05
    assert (step.product_id, step.to) == ("a", 95)
    assert step.gain == pytest.approx(1.66, abs=0.2) and step.sales == pytest.approx(21.05, abs=1.5)
    (decision,) = moves.decisions(table, period=JANUARY)
    assert decision.by == {"product_id": "a"} and decision.period == "2024-02" and decision.check == "controls"
    assert decision.low <= decision.effect <= decision.high and decision.due == dt.date(2024, 2, 7)


def test_what_was_said_of_a_step_holds_what_chance_makes_of_it():
    told = moves.moves(found(elasticities=elastic(half=0.2)), ahead(400, 0.1), most=0.05, rng=rng()).iloc[0]
    chance = rng()
    before = 400 * np.exp(chance.normal(0, 0.1, 2000))
    bought = chance.poisson(before * 0.95 ** chance.normal(-2, 0.122, 2000))  # 0.2 / 1.645
    truth = bought * 95 - before * 100
    assert np.mean((told.sales_low <= truth) & (truth <= told.sales_high)) == pytest.approx(0.8, abs=0.04)
    assert 0 < told.gain_low < told.gain < told.gain_high  # on average, without luck
    assert told.gain == pytest.approx(166, rel=0.1)  # as by hand above, a hundred times


def test_without_a_past_nothing_is_said_of_the_next_period():
    known = coming.units(sold(), JANUARY)
    assert np.isinf(known.spread).all() and moves.moves(found(), known, rng=rng()).attrs["notes"]


def months(of_a, of_b, start="2022-01"):
    """Units of two products month by month, one line a month and product."""
    days = pd.date_range(f"{start}-01", periods=len(of_a), freq="MS") + pd.Timedelta(days=9)
    lines = [pd.DataFrame({"paid_at": days, "product_id": p, "units": n}) for p, n in (("a", of_a), ("b", of_b))]
    return pd.concat(lines, ignore_index=True)


def test_each_product_keeps_its_share_of_what_the_shop_will_sell():
    chance = np.random.default_rng(3)
    level = np.where(np.arange(36) % 12 == 10, 3.0, 1.0)  # three times as much each November
    told = coming.units(months(chance.poisson(600 * level), chance.poisson(200 * level)), parse("2024-10"))
    told = told.set_index("product_id")
    assert told.expected.sum() == pytest.approx(2400, rel=0.15)
    assert told.expected["a"] / told.expected["b"] == pytest.approx(told.units["a"] / told.units["b"])
    assert told.spread["a"] < told.spread["b"] < 0.3


def test_shares_that_wander_widen_it():
    chance = np.random.default_rng(4)
    wander = np.exp(chance.normal(0, 0.3, (2, 36)))
    calm, wild = (coming.units(months(*(500 * w).astype(int)), parse("2024-12")) for w in (wander**0, wander))
    assert (calm.spread < 0.1).all() and wild.spread.mean() == pytest.approx(0.3 * math.sqrt(2), rel=0.5)


@pytest.mark.parametrize("nothing", [{"product_id": ""}, {"units": 0}, {"paid_at": pd.Timestamp("2023-05-01")}])
def test_where_no_product_was_sold_nothing_is_expected(nothing):
    told = coming.units(sold().assign(**nothing), JANUARY)
    assert told.empty and list(told.columns) == ["product_id", "units", "expected", "spread"]


def test_weeks_and_quarters_have_a_next_one_too():
    chance = np.random.default_rng(6)
    days = pd.date_range("2023-01-02", "2024-12-29")
    lines = pd.DataFrame({"paid_at": days, "product_id": "a", "units": chance.poisson(50, len(days))})
    week, quarter = (coming.units(lines, parse(p)).iloc[0] for p in ("2024-W52", "2024-Q3"))
    assert week.expected == pytest.approx(350, rel=0.2) and quarter.expected == pytest.approx(4600, rel=0.1)
    assert 0 < quarter.spread < week.spread < 0.3


def test_loose_days_are_held_beside_as_many_days_before_them():
    told = coming.units(months([30, 33, 36] * 4, [50] * 12), parse("2022-12-01/2022-12-31"))
    assert told.expected.tolist() == told.units.tolist() and (told.spread > 0).all() and np.isfinite(told.spread).all()


def test_what_each_price_earns_peaks_where_theory_says():
    curve = moves.margin_curve(found(), product_id="a", steps=200, rng=rng())
    top = curve.price[curve.contribution.idxmax()]
    assert top == pytest.approx(40 / 0.9 * 2, abs=1.5)
    assert (curve.contribution_low <= curve.contribution).all()
    ax = moves.plot_margin_curve(curve)
    assert ax.lines[0].get_ydata().tolist() == pytest.approx(curve.contribution.tolist())


def test_products_are_drawn_towards_their_category():
    many = pd.concat(
        [elastic(v, 1.0).assign(product_id=p) for p, v in (("a", -4.0), ("c", -2.0), ("d", -2.0), ("e", -2.0))]
    )
    told = found(elasticities=many).set_index("product_id").elasticity
    assert -4.0 < told["a"] < -2.0 and told["b"] == pytest.approx(-2.5, abs=0.5)


def test_how_far_products_differ_is_learned_from_all_categories():
    chance = np.random.default_rng(5)
    told = np.repeat([-1.2, -1.8, -2.4], 200) + chance.normal(0, 0.2, 600) + chance.normal(0, 0.3, 600)
    known = pd.DataFrame({"category": np.repeat(list("xyz"), 200), "elasticity": told, "error": 0.3})
    assert corridor._between(rows for _c, rows in known.groupby("category")) == pytest.approx(0.2, abs=0.05)
    assert corridor._between([known.head(2), known.tail(1)]) == corridor.UNKNOWN_BETWEEN


def test_fees_are_what_platforms_keep():
    table = pd.DataFrame({"kind": ["payout", "commission", "service_fee", "adjustment"],
                          "amount": [Decimal(90), Decimal(-8), Decimal(-2), Decimal(-50)]})  # fmt: skip
    assert corridor.fee_rate(table) == pytest.approx(0.1)
    assert corridor.fee_rate(Missing("settlements")) == 0 and corridor.fee_rate(table.head(0)) == 0


def answers(n):
    rows = []
    for i in range(n):
        for q, price in zip(willing.QUESTIONS, (60, 80, 110, 140), strict=True):
            rows.append({"response_id": str(i), "question": f"{q}:a", "score": float(price + i % 5)})
    return pd.DataFrame(rows)


def test_what_buyers_would_pay_lies_between_cheap_and_expensive():
    (row,) = willing.willing(answers(40), rng=rng()).to_dict("records")
    assert row["n"] == 40 and 64 <= row["accepted_low"] <= 110 and 84 <= row["accepted_high"] <= 140
    assert row["accepted_low_low"] <= row["accepted_low"] <= row["accepted_low_high"]
    assert willing.willing(answers(5), rng=rng()).empty
    assert isinstance(willing.willing(answers(5).drop(columns="score"), rng=rng()), Missing)


def test_without_elasticities_no_price_is_the_best():
    assert math.isnan(found(elasticities=None).best.iloc[0])
