"""Stories of the explorers: what the controls say is what the function is asked, and quickly."""

import datetime as dt
import time

import ipywidgets as ipw
import numpy as np
import pandas as pd
import pytest

from playbook import shop_from, style, widgets
from playbook.decisions import Ledger
from playbook.decisions.ledger import Entry
from playbook.media import budget as budgets
from playbook.media.mix import Curves
from playbook.methods import testing
from playbook.missing import Missing
from playbook.outlook import Decision
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
    explorer.controls["reserve"].value = 20.0
    held = style.value(made.total / 500, "currency")
    assert f"{held} stay in reserve" in explorer.sentence.value
    code = explorer.code.value.removeprefix("<pre>").removesuffix("</pre>")
    known = dict(budget=budgets, spent=spent, curves=made.curves, worth=made.worth, months=made.months)
    assert eval(code, known).reserve == round(made.total * 0.2)
    explorer.controls["total"].value = 10.0
    assert "lower bounds need" in explorer.sentence.value and explorer.picture.value == b""
    assert isinstance(widgets.budget(Missing("ad_spend"), spent), Missing)


def test_the_budget_explorer_is_quick_enough_to_be_moved(planned):
    explorer = widgets.budget(*planned)
    took = []
    for reserve in (5.0, 8.0, 12.0, 15.0, 20.0):
        began = time.process_time()
        explorer.controls["reserve"].value = reserve
        took.append(time.process_time() - began)
    assert sorted(took)[2] < 0.3  # 150 ms on an idle machine
