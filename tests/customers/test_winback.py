"""Reasons, the four rules, hold-outs and what they tell."""

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
import pytest

from playbook import period as periods
from playbook.customers import winback
from playbook.missing import Missing
from playbook.outlook import Decision

NOW = dt.datetime(2026, 11, 1)
OCTOBER = periods.parse("2026-10")


def state(**people):
    """States: person = (window, value)."""
    days = {"active": 2, "short": 20, "mid": 60, "long": 200}
    rows = [
        (who, window, days[window], pd.Timestamp(NOW) - pd.Timedelta(days=days[window]), 3, 100.0, 50.0, value)
        for who, (window, value) in people.items()
    ]
    columns = ["person_id", "window", "days", "last_at", "orders", "sales", "sales_year", "value"]
    return pd.DataFrame(rows, columns=columns)


PEOPLE = state(
    gone=("long", "low"), dear=("short", "high"), cheap=("mid", "low"), cross=("short", "high"), here=("active", "high"),
    plain=("mid", "middle"), low=("short", "low"),
)  # fmt: skip


def purchases(**discount):
    names = [*PEOPLE.person_id]
    frame = pd.DataFrame({"person_id": names, "amount": 100.0, "order_id": names, "platform": ""})
    frame["discount"] = [float(discount.get(n, 0)) for n in names]
    return frame.assign(at=pd.Timestamp("2026-09-01"))


def rules(**tables):
    given = {"cheap": 20}
    t = winback.reasons(PEOPLE, purchases(**given), **{k: ibis.memtable(v) for k, v in tables.items()})
    return t.to_pandas().set_index("person_id")


def test_the_four_rules_by_hand():
    cross = pd.Timestamp(NOW) - pd.Timedelta(days=18)
    tickets = pd.DataFrame({"person_id": ["cross", "gone"], "opened_at": [cross, cross], "topic": "complaint",
                            "rating": [1.0, 1.0]})  # fmt: skip
    found = rules(tickets=tickets)
    assert "here" not in found.index  # active customers are not won back
    assert found.rule.to_dict() == {
        "gone": "long", "dear": "high value", "cheap": "price", "cross": "experience", "plain": "none", "low": "none",
    }  # fmt: skip  # gone complained, but months after her last order
    assert found.reason["cheap"] == "price" and found.reason["plain"] == "drift"


def test_returns_and_ratings_speak_too():
    when = pd.Timestamp(NOW) - pd.Timedelta(days=50)
    returns = pd.DataFrame({"person_id": ["plain", "low"], "returned_at": when, "reason": ["quality", "price_dropped"]})
    reviews = pd.DataFrame({"person_id": ["dear"], "reviewed_at": when, "rating": [2.0]})
    found = rules(returns=returns, reviews=reviews)
    assert found.reason[["plain", "low", "dear"]].tolist() == ["experience", "price", "experience"]


def test_a_price_of_fourteen_per_cent_off_is_no_bargain():
    t = winback.reasons(PEOPLE, purchases(plain=16, low=18)).to_pandas().set_index("person_id")
    assert t.reason[["plain", "low"]].tolist() == ["drift", "price"]  # 16 of 116, 18 of 118


def test_the_held_back_are_always_the_same_and_about_as_many_as_asked():
    many = state(**{f"p{i}": ("long", "low") for i in range(3000)})
    t = winback.reasons(many, purchases().head(0).astype({"person_id": "string"}))
    first, again, other = (
        winback.assigned(t, name=n, held_back=0.1).to_pandas().set_index("person_id").arm for n in ("x", "x", "y")
    )
    assert first.sort_index().equals(again.sort_index()) and not first.sort_index().equals(other.sort_index())
    assert 245 <= (first == "hold_back").sum() <= 358  # 0.1 % on each side
    assert (winback.assigned(t, name="x", held_back=0.0).to_pandas().arm == "write").all()


def sent(n, effect, rng, share=0.1):
    """Messages to people 40 days away, and what they bought within two weeks."""
    names = [f"p{i}" for i in range(n)]
    held = rng.random(n) < share
    buys = rng.random(n) < 0.05 + np.where(held, 0, effect)
    at = pd.Timestamp("2026-06-10 10:00")
    m = pd.DataFrame({"person_id": names, "sent_at": at, "holdout": held})
    old = pd.DataFrame({"person_id": names, "at": at - pd.Timedelta(days=40), "amount": 50.0})
    new = pd.DataFrame({"person_id": np.array(names)[buys], "at": at + pd.Timedelta(days=3), "amount": 80.0})
    return m, pd.concat([old, new], ignore_index=True)


def test_what_a_message_adds_by_hand():
    m = pd.DataFrame({"person_id": list("abcd"), "sent_at": pd.Timestamp("2026-06-10"),
                      "holdout": [False, False, True, True]})  # fmt: skip
    p = pd.DataFrame(
        [("a", "2026-05-01", 10), ("a", "2026-06-12", 30), ("b", "2026-05-01", 10), ("b", "2026-06-24", 99),
         ("c", "2026-05-01", 10), ("d", "2026-06-12", 10)],
        columns=["person_id", "at", "amount"],
    ).assign(at=lambda t: pd.to_datetime(t["at"]))  # fmt: skip
    frame = winback.history(m, p).set_index("window")
    # b's order came on the fifteenth day; d had never bought before and is nobody to be won back
    assert frame.loc["mid", ["sent", "held_back", "orders_sent", "orders_held"]].tolist() == [2, 1, 0.5, 0]
    assert frame.orders["mid"] == 0.5 and frame.sales["mid"] == 15 and frame.orders["away"] == 0.5
    assert "long" not in frame.index


def test_the_interval_holds_the_effect_as_often_as_it_says():
    rng = np.random.default_rng(8)
    hits, widths = 0, []
    for _i in range(60):
        frame = winback.history(*sent(1500, 0.04, rng, 0.3), level=0.8).set_index("window")
        hits += frame.orders_low["mid"] <= 0.04 <= frame.orders_high["mid"]
        widths.append(frame.orders_high["mid"] - frame.orders_low["mid"])
    assert 37 <= hits <= 58  # a correct interval of 80 %, 0.05 % on each side
    assert np.median(widths) == pytest.approx(0.033, abs=0.006)


def plan_of(effect, n=6000):
    history = winback.history(*sent(n, effect, np.random.default_rng(1)))
    many = state(**{f"p{i}": ("mid", "low") for i in range(1000)})
    t = winback.reasons(many, pd.DataFrame({"person_id": many.person_id, "amount": 100.0, "discount": 40.0,
                                            "at": pd.Timestamp("2026-09-01")}))  # fmt: skip
    plan = winback.plan(winback.assigned(t, name="x"), history, margin=0.5)
    return plan, history


def test_the_plan_multiplies_people_with_what_a_message_adds_and_caps_the_cost_at_what_is_earned():
    plan, history = plan_of(0.05)
    row, effect = plan.set_index("rule").loc["price"], history.set_index("window").loc["mid"]
    assert row.write + row.hold_back == row.customers == 1000
    assert row.orders == pytest.approx(row.write * effect.orders)
    assert row.cap == pytest.approx(effect.sales * 0.5)
    assert row.orders_low < row.orders < row.orders_high
    assert plan.set_index("rule").customers["long"] == 0 and plan.rule.tolist() == list(winback.RULES)


def test_a_decision_is_made_only_where_writing_adds_orders_for_sure():
    plan, history = plan_of(0.05)
    finding, decision = winback.conclusions(plan, history, OCTOBER, as_of=NOW)
    assert isinstance(decision, Decision) and decision.check == "experiment"
    assert (decision.metric, decision.period, decision.experiment) == ("orders_paid", "2026-11", "winback_2026_11")
    assert decision.low > 0 and finding.p < 0.001
    plan, history = plan_of(0.0)
    assert [type(x).__name__ for x in winback.conclusions(plan, history, OCTOBER, as_of=NOW)] == ["Finding"] * 2
    (alone,) = winback.conclusions(winback.plan(winback.assigned(winback.reasons(PEOPLE, purchases()), name="x")), None,
                                   OCTOBER, as_of=NOW)  # fmt: skip
    assert "cannot be told" in alone.text


def test_without_hold_outs_nothing_is_said_of_effects():
    assert isinstance(winback.history(Missing("messages"), purchases()), Missing)
    m, p = sent(500, 0.05, np.random.default_rng(1), share=0.0)
    frame = winback.history(m, p).set_index("window")
    assert math.isnan(frame.orders["mid"]) and frame.held_back["mid"] == 0 and frame.orders_sent["mid"] > 0
    plan = winback.plan(winback.assigned(winback.reasons(PEOPLE, purchases()), name="x"), frame.reset_index())
    assert plan.orders.isna().all() and plan.cap.isna().all()
