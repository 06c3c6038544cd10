"""Stories of the explorers: what the controls say is what the function is asked, and quickly."""

import datetime as dt
import html
import time
from html import unescape

import ipywidgets as ipw
import numpy as np
import pandas as pd
import pytest

from playbook import shop_from, style, widgets
from playbook.decisions import Ledger
from playbook.decisions.ledger import Entry
from playbook.media import budget as budgets
from playbook.media.mix import Curves
from playbook.methods import alerts, testing
from playbook.missing import Missing
from playbook.offers.promotions import effects, simulate
from playbook.outlook import Decision
from playbook.tracking import monitoring
from playbook.widgets.shell import Explorer, View

PNG = b"\x89PNG"


def test_a_change_of_a_control_answers_anew_and_an_impossible_value_says_why():
    def answer(n):
        if n > 5:
            raise ValueError("n is <too> large")
        return View(f"n is {n}", None, f"f({n})")

    explorer = Explorer({"n": ipw.IntSlider(2, max=9)}, answer)
    assert "n is 2" in explorer.sentence.value and "f(2)" in explorer.code.value
    explorer.controls["n"].value = 4
    assert "n is 4" in explorer.sentence.value
    explorer.controls["n"].value = 7
    assert "n is &lt;too&gt; large" in explorer.sentence.value and explorer.code.value == ""


def test_the_planner_says_what_the_design_says_and_its_code_gives_the_same():
    planner = widgets.experiment(0.10, per_day=1000)
    planner.controls["lift"].value = 20.0
    assert "7,682 persons, 3,841 in each arm, for 14 days" in planner.sentence.value
    assert bytes(planner.picture.value).startswith(PNG)
    code = planner.code.value.removeprefix("<pre>").removesuffix("</pre>")
    assert eval(code, {"testing": testing})["per_arm"].item() == 3841
    planner.controls["rate"].value = 90.0
    assert "cannot be had" in planner.sentence.value and planner.picture.value == b""
    assert all(c.description for c in planner.controls.values())


def test_the_planner_is_quick_enough_to_be_moved():
    planner = widgets.experiment(0.03)
    took = []
    for lift in (5.0, 8.0, 12.0, 15.0, 20.0):
        began = time.process_time()
        planner.controls["lift"].value = lift
        took.append(time.process_time() - began)
    assert sorted(took)[2] < 0.3  # 150 ms on an idle machine


def visits():
    days = pd.date_range("2026-01-01", "2026-06-30")
    values = 300.0 + 20 * (days.day_of_week == 5)
    values = pd.Series(values, days)
    values[days == "2026-06-20"] = 90.0
    daily = {"kpi": "visits", "part": "", "day": days, "value": values.to_numpy(), "exposure": float("nan")}
    return pd.DataFrame(daily)


def test_the_tuner_says_what_an_alert_would_have_told_and_its_code_gives_the_same():
    daily = visits()
    tuner = widgets.alerts(daily)
    assert "Visits to the own site: 1 alerts in 28 days (1 days flagged)" in tuner.sentence.value
    assert bytes(tuner.picture.value).startswith(PNG)
    assert all(c.description for c in tuner.controls.values())
    code = html.unescape(tuner.code.value).removeprefix("<pre>").removesuffix("</pre>")
    first, call = code.split("\n", 1)
    names = {"daily": daily, "monitoring": monitoring, "alerts": alerts}
    exec(first, names)
    states = eval(call, names)["state"]
    assert states[states.isin(list(alerts.LEVELS))].index.tolist() == [pd.Timestamp("2026-06-20")]
    tuner.controls["direction"].value = "up"
    assert "0 alerts in 28 days" in tuner.sentence.value
    tuner.controls["direction"].value = "both"
    tuner.controls["at_least"].value = 200.0  # only three times as much, or a third, is told
    assert "1 alerts" in tuner.sentence.value
    few = widgets.alerts(daily[daily.day < "2026-01-20"])
    assert "not enough history" in few.sentence.value
    assert isinstance(widgets.alerts(Missing("events")), Missing)


def test_the_tuner_is_quick_enough_to_be_moved():
    tuner = widgets.alerts(visits())
    took = []
    for least in (10.0, 20.0, 30.0, 40.0, 60.0):
        began = time.process_time()
        tuner.controls["at_least"].value = least
        took.append(time.process_time() - began)


BASKETS = pd.DataFrame({"value": [100, 300, 500], "orders": [60, 30, 10], "units": [1, 2, 3],
                        "cost": [2_400.0, 3_600.0, 2_000.0]})  # fmt: skip


def test_a_promotion_says_what_the_baskets_say_and_its_code_gives_the_same():
    calculator = widgets.promotion(BASKETS, of_days=30, fees=0.0)
    for name, value in {"threshold": 300, "off": 10, "days": 15}.items():
        calculator.controls[name].value = value
    # 40 of 100 orders get 30 off: 1,200 of 20,000 in 30 days; margin 60 %, then 54 %
    for said in ("for 15 days: ¥600.00 off, 6.00% of", "40% of orders", "when 11.1% more is sold"):
        assert said in calculator.sentence.value
    assert bytes(calculator.picture.value).startswith(PNG)
    code = unescape(calculator.code.value.removeprefix("<pre>").removesuffix("</pre>"))
    told = eval(code, {"simulate": simulate, "baskets": BASKETS, "answer": None})
    assert told["off"].item() == 1_200 and told["breakeven"].item() == pytest.approx(1 / 9)
    calculator.controls["kind"].value = "discount"
    assert "10.0% of all" in calculator.sentence.value and calculator.controls["threshold"].disabled
    calculator.controls["off"].value = 50
    assert "when 500.0% more" in calculator.sentence.value
    dear = widgets.promotion(BASKETS.assign(cost=BASKETS.cost * 2), of_days=30)
    dear.controls["kind"].value, dear.controls["off"].value = "discount", 30
    assert "Each sale would lose money" in dear.sentence.value
    assert isinstance(widgets.promotion(Missing("paid orders"), of_days=30), Missing)


def test_a_promotion_says_what_it_may_earn_where_earlier_ones_tell_and_is_quick():
    rng = np.random.default_rng(3)
    past = pd.DataFrame({"alone": rng.normal(0.5, 0.1, 20), "error": 0.1, "depth": rng.uniform(0.05, 0.3, 20),
                         "gained": 100.0, "missing": -10.0})  # fmt: skip
    answer = effects.response(past)
    calculator = widgets.promotion(BASKETS, answer, of_days=30)
    calculator.controls["kind"].value = "discount"
    took = []
    for off in (8, 10, 12, 15, 20):
        began = time.process_time()
        calculator.controls["off"].value = off
        took.append(time.process_time() - began)
        assert "Beside none it may earn" in calculator.sentence.value
    assert sorted(took)[2] < 0.3  # 150 ms on an idle machine


@pytest.fixture
def book(make_shop):
    store = make_shop("corner", {})
    ledger = Ledger.of(store)
    due = dt.date(2026, 6, 9)
    for name, text in (("stop", "Stop search."), ("call", "Call people.")):
        said = Decision(name, text, "Buyer", due, "net_sales", "2026-06", 5, 0, 9, "currency")
        ledger.add([Entry.of(said, report="2026-05", as_of=dt.date(2026, 6, 1), notebook="07a")])
    return store


def test_decisions_are_answered_and_written(book):
    explorer = widgets.ledger(book)
    ids = [value for _label, value in explorer.controls["id"].options]
    explorer.controls["id"].value = ids[1]
    explorer.controls["status"].value = "done"
    assert "Say on which day it was done." in explorer.sentence.value
    explorer.write.click()
    assert "done_on" in explorer.said.value
    explorer.controls["on"].value = dt.date(2026, 6, 7)
    explorer.controls["owner"].value = "Ads team"
    assert f"playbook decide {ids[1]} done --on 2026-06-07 --owner &quot;Ads team&quot;" in explorer.code.value
    explorer.write.click()
    row = Ledger.of(book).decisions().set_index("id").loc[ids[1]]
    assert (row.status, row.done_on, row.owner) == ("done", dt.date(2026, 6, 7), "Ads team")
    explorer.controls["id"].value = ids[0]
    assert explorer.controls["status"].value == "proposed"


def test_without_a_ledger_a_card_says_so(make_shop):
    assert isinstance(widgets.ledger(make_shop("corner", {})), Missing)
    orders = pd.DataFrame({"order_id": ["1"], "ordered_at": ["2026-06-03"], "amount": [5.0]})
    assert isinstance(widgets.ledger(shop_from(orders=orders)), Missing)


@pytest.fixture
def planned():
    rng = np.random.default_rng(1)
    by = Curves(("a", "b"), 1000 * np.exp(rng.normal(0, 0.1, (400, 2))), 300 * np.exp(rng.normal(0, 0.1, (400, 2))))
    spent = pd.DataFrame({"channel": ["a", "b"], "activity": "", "spend": [3000.0, 1000.0]})
    months = budgets.months_after(dt.date(2026, 11, 1), 3)
    return budgets.plan(spent, by, worth={"a": 0.5, "b": 0.5}, months=months, currency="CNY"), spent


def test_the_budget_explorer_says_what_the_plan_says_and_never_fits(planned, monkeypatch):
    monkeypatch.setattr("playbook.media.mix.kept.sample", lambda *a, **k: pytest.fail("a model was fitted"))
    made, spent = planned
    explorer = widgets.budget(made, spent)
    assert bytes(explorer.picture.value).startswith(PNG) and all(c.description for c in explorer.controls.values())
    assert "stay in reserve" in explorer.sentence.value
    explorer.controls["reserve"].value = 15.0
    held = style.value(made.total * 0.15 / 100, "currency")
    assert f"{held} stay in reserve" in explorer.sentence.value
    code = explorer.code.value.removeprefix("<pre>").removesuffix("</pre>")
    known = dict(budget=budgets, spent=spent, curves=made.curves, worth=made.worth, months=made.months)
    assert eval(code, known).reserve == round(made.total * 0.15)
    explorer.controls["total"].value = 10.0
    assert "lower bounds need" in explorer.sentence.value and explorer.picture.value == b""
    assert isinstance(widgets.budget(Missing("ad_spend"), spent), Missing)


def test_the_budget_explorer_is_quick_enough_to_be_moved(planned):
    explorer = widgets.budget(*planned)
    took = []
    for reserve in (5.0, 8.0, 12.0, 12.5, 15.0):
        began = time.process_time()
        explorer.controls["reserve"].value = reserve
        took.append(time.process_time() - began)
    assert sorted(took)[2] < 0.3  # 150 ms on an idle machine
