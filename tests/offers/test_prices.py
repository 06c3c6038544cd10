"""Stories of prices: the corridor by hand, willingness to pay, the step that earns more, and nothing where little is known."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.offers.prices import corridor, moves, willing
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
    assert moves.moves(bare, rng=rng()).empty and moves.margin_curve(bare, rng=rng()).empty
    assert corridor.plot_corridor(bare) is None and corridor.findings(bare) == []
    empty = found(sold=sold().assign(product_id=""))
    assert isinstance(empty, Missing) and isinstance(moves.moves(empty, rng=rng()), Missing)


def test_one_product_whose_floor_is_above_all_that_others_ask():
    dear = found(sold=sold(cost=Decimal(70)))
    assert dear.place[0] == "none" and "a" not in moves.moves(dear, rng=rng()).product_id.tolist()


def test_a_step_towards_the_price_that_earns_most():
    table = moves.moves(found(), most=0.05, rng=rng())
    table = table[table.product_id == "a"]
    step = table.iloc[0]
    # 100 → 95: 4 × ((100/95)² × (85.5 − 40) − 50) = 1.66; sales 4 × (95 × 1.10803 − 100) = 21.05
    assert (step.product_id, step.to) == ("a", 95)
    assert step.gain == pytest.approx(1.66, abs=0.2) and step.sales == pytest.approx(21.05, abs=1.5)
    (decision,) = moves.decisions(table, period=JANUARY)
    assert decision.by == {"product_id": "a"} and decision.period == "2024-02" and decision.check == "controls"
    assert decision.low <= decision.effect <= decision.high and decision.due == dt.date(2024, 2, 7)


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
