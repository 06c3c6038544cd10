"""Explorers in a real JupyterLab: open, run all, move a control by keyboard, see the change, and no complaint."""

import datetime as dt

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from playbook.decisions.ledger import Entry, Ledger
from playbook.outlook import Decision

pytestmark = pytest.mark.browser


@pytest.fixture
def explore(home, lab, page):
    """Open a notebook of one cell, run all, and wait for a sentence; at the end the console must not have complained."""

    def opened(code, said):
        nb = new_notebook(cells=[new_code_cell(code, metadata={"tags": ["explore"]})])
        nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nb, home / "notebooks" / "explored.ipynb")
        page.goto(lab("explored.ipynb"))
        page.get_by_text("| Idle").wait_for()
        page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
        page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
        sentence = page.get_by_role("status").filter(has_text=said)
        sentence.wait_for()
        return sentence

    yield opened
    assert [c for c in page.complaints if "favicon" not in c] == []


def test_an_explorer_is_moved_by_keyboard(home, page, explore):
    code = "from playbook import widgets\nwidgets.experiment(0.10, per_day=1000)"
    sentence = explore(code, "in each arm")
    before = sentence.inner_text()
    assert page.locator(".widget-image").evaluate("i => i.naturalWidth") > 500
    slider = page.locator(".widget-slider .noUi-handle").first
    slider.focus()
    for _step in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("was => document.querySelector('p[role=status]').innerText !== was", arg=before)
    after = sentence.inner_text()
    persons = [int(text.split(" persons")[0].replace(",", "")) for text in (before, after)]
    assert persons[1] < persons[0]  # a larger effect needs fewer
    page.get_by_role("button", name="Show code").click()
    page.get_by_text("testing.design(0.1, lift=0.12").wait_for()
    page.wait_for_function("() => (i => i.complete && i.naturalWidth > 500)(document.querySelector('.widget-image'))")
    page.screenshot(path=str(home / "explorer.png"))


def test_the_alert_tuner_is_moved_by_keyboard(page, explore):
    code = """import pandas as pd
from playbook import widgets
days = pd.date_range("2026-01-01", "2026-06-30")
value = [150.0 if str(d.date()) == "2026-06-20" else 300.0 for d in days]
daily = pd.DataFrame({"kpi": "visits", "part": "", "day": days, "value": value, "exposure": float("nan")})
widgets.alerts(daily)"""
    sentence = explore(code, "in 28 days")
    assert "1 alerts in 28 days" in sentence.inner_text()
    assert page.locator(".widget-image").evaluate("i => i.naturalWidth") > 500
    slider = page.locator(".widget-slider", has_text="Smallest difference told").locator(".noUi-handle")
    slider.focus()
    for _step in range(8):
        page.keyboard.press("ArrowRight")  # from 70 to 110 per cent: half as much is no news any more
    page.get_by_text("0 alerts in 28 days").wait_for()
    page.get_by_role("button", name="Show code").click()
    page.get_by_text("at_least=1.1").wait_for()


def test_the_planner_of_06d_starts_from_the_step_that_is_given_to_it(page, explore):
    code = (
        "import pandas as pd\n"
        "from playbook import widgets\n"
        "from playbook.site import experiments\n"
        "place = pd.DataFrame({'rate': [0.2], 'per_day': [1000.0]})\n"
        "widgets.experiment(**experiments.today(place))"
    )
    sentence = explore(code, "in each arm")
    assert "from 20.0% to 22.0%" in sentence.inner_text() and "for 14 days" in sentence.inner_text()
    handle = page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    for _step in range(8):
        page.keyboard.press("ArrowLeft")
    page.get_by_role("status").filter(has_text="from 20.0% to 21.2%").wait_for()


def test_the_budget_explorer_is_moved_by_keyboard(page, explore):
    code = """import datetime as dt
import numpy as np
import pandas as pd
from playbook import widgets
from playbook.media import budget, mix
by = mix.Curves(("a", "b"), np.full((50, 2), 1000.0), np.full((50, 2), 300.0))
spent = pd.DataFrame({"channel": ["a", "b"], "activity": "", "spend": [3000.0, 1000.0]})
months = budget.months_after(dt.date(2026, 11, 1), 3)
widgets.budget(budget.plan(spent, by, worth={"a": 0.5, "b": 0.5}, months=months), spent)"""
    sentence = explore(code, "stay in reserve")
    before = sentence.inner_text()
    assert page.locator(".widget-image").evaluate("i => i.naturalWidth") > 500
    slider = page.locator(".widget-slider .noUi-handle").first
    slider.focus()
    for _step in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("was => document.querySelector('p[role=status]').innerText !== was", arg=before)
    page.get_by_role("button", name="Show code").click()
    page.get_by_text("reserve=0.14").wait_for()


def test_the_promotion_calculator_is_moved_by_keyboard(page, explore):
    code = """import pandas as pd
from playbook import widgets
baskets = pd.DataFrame({"value": [100, 300, 500], "orders": [60, 30, 10], "units": [1, 2, 3],
                        "cost": [2_400.0, 3_600.0, 2_000.0]})
widgets.promotion(baskets, of_days=30)"""
    explore(code, "for 7 days")
    assert page.locator(".widget-image").evaluate("i => i.naturalWidth") > 500
    page.locator(".widget-slider", has_text="For how many days").locator(".noUi-handle").focus()
    for _step in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_role("status").filter(has_text="for 10 days").wait_for()
    page.get_by_role("button", name="Show code").click()
    page.get_by_text("scale=10 / 30").wait_for()


def test_a_decision_is_accepted_and_given_to_somebody_else(make_shop, page, explore):
    store = make_shop("corner", {"orders.csv": "order_id,ordered_at,amount\n1,2026-05-03 10:00:00,40\n"})
    ledger = Ledger.of(store)
    said = Decision(
        "stop", "Stop search.", "Buyer", dt.date(2026, 6, 7), "net_sales", "2026-06", -100.0, -150.0, -50.0, "currency"
    )
    ledger.add([Entry.of(said, report="2026-05", as_of=dt.date(2026, 6, 1), notebook="07a_scorecard")])
    explore(
        "from playbook import widgets\nfrom playbook.data.store import open_store\nwidgets.ledger(open_store('corner'))",
        "Stop search. Proposed to Buyer; now proposed",
    )
    # By the mouse: where a list is focused, JupyterLab keeps the arrow keys for itself.
    page.locator(".widget-dropdown", has_text="Status").locator("select").select_option("accepted")
    page.get_by_role("status").filter(has_text="now accepted").wait_for()
    page.locator(".widget-text", has_text="Owner").locator("input").fill("Shop")
    page.keyboard.press("Tab")
    page.get_by_role("status").filter(has_text="now accepted, Shop").wait_for()
    page.get_by_role("button", name="Show code").click()
    page.get_by_text(f"playbook decide {ledger.decisions()['id'].item()} accepted --owner Shop").wait_for()
    page.get_by_role("button", name="Write").click()
    page.get_by_text("Written: accepted, Shop").wait_for()
    assert ledger.decisions()[["status", "owner"]].to_numpy().tolist() == [["accepted", "Shop"]]
