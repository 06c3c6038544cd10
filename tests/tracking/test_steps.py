"""Stories of steps: which one fell, what it costs, and when it is worth a decision."""

import datetime as dt
import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from playbook.methods import intervals
from playbook.missing import Missing
from playbook.period import parse
from playbook.tracking import steps

OCTOBER = parse("2026-10")


def rates(**devices):
    """Per device the visits, and how many saw a product, had a cart, were at the checkout, ordered."""
    out = []
    for device, counts in devices.items():
        for metric, n, k in zip(steps.RATES, counts, counts[1:], strict=False):
            low, high = intervals.wilson(k, n)
            out.append((device, metric, "share", k / n if n else math.nan, low, high, n))
    frame = pd.DataFrame(out, columns=["device", "metric", "unit", "value", "low", "high", "n"])
    frame.attrs = {"by": ["device"], "currency": "CNY"}
    frame.attrs["titles"] = dict(zip(steps.RATES, ("Seen", "Carted", "Checkout", "Ordered"), strict=True))
    return frame


NOW = rates(phone=(4000, 2400, 600, 300, 120), desktop=(2000, 1200, 300, 150, 90))
THEN = rates(phone=(4000, 2400, 600, 300, 210), desktop=(2000, 1200, 300, 150, 92))
WORTH = pd.DataFrame({"metric": ["net_sales", "aov"], "value": [1e6, 300.0]})


def test_the_step_that_fell_costs_its_orders_at_the_present_rates_of_the_later_ones():
    told = steps.lost(NOW, THEN, WORTH)
    top = told.iloc[0]
    assert (top.device, top.step) == ("phone", "order_rate")
    assert (top.now, top.then, top.n) == (0.4, 0.7, 300)
    assert top.orders == pytest.approx(90) and top.cost == pytest.approx(27_000)
    assert [top.change_low, top.change_high] == pytest.approx(list(intervals.newcombe(210, 300, 120, 300)))
    same = told[(told.device == "phone") & (told.step == "view_rate")].iloc[0]
    assert same.orders == 0 and same.p == 1
    wider = rates(phone=(4000, 2000, 500, 250, 100))  # as before, but fewer see a product
    fell = steps.lost(wider, rates(phone=(4000, 2400, 600, 300, 120))).set_index("step").loc["view_rate"]
    assert fell.orders == pytest.approx(0.1 * 4000 * 0.25 * 0.5 * 0.4) and math.isnan(fell.cost)


def test_a_sure_loss_is_acted_on_and_its_effect_is_the_rate_come_back():
    told = steps.lost(NOW, THEN, WORTH)
    (finding,) = steps.findings(told)
    assert finding.verdict == "act" and finding.p < 1e-6 and finding.stake == pytest.approx(27_000)
    assert finding.text == "“Ordered” fell to 40.0% on phone, from 70.0% a year ago (−30.0 pp): that costs 90 orders."
    (decision,) = steps.decisions(told, OCTOBER, days=10)
    assert decision.effect == pytest.approx(0.3) and decision.low < 0.3 < decision.high
    assert (decision.low, decision.high) == pytest.approx(tuple(intervals.newcombe(120, 300, 210, 300, level=0.8)))
    assert decision.metric == "order_rate" and decision.by == {"device": "phone"} and decision.period == "2026-11"
    assert decision.due == dt.date(2026, 11, 11) and decision.check == "controls"


def test_chance_and_gains_ask_for_nothing():
    for now, then in (
        (THEN, THEN),
        (THEN, NOW),
        (rates(phone=(90, 60, 40, 30, 12)), rates(phone=(90, 60, 40, 30, 15))),
    ):
        told = steps.lost(now, then, WORTH)
        (finding,) = steps.findings(told)
        assert finding.verdict == "hold" and finding.p is not None
        assert steps.decisions(told, OCTOBER) == []
    assert steps.decisions(steps.lost(NOW, THEN), parse("2026-10-01/2026-10-15")) == []  # nothing follows loose days


def test_few_visits_are_left_out_and_no_visits_break_nothing():
    told = steps.lost(rates(phone=(4000, 2400, 600, 300, 120), tablet=(29, 9, 2, 0, 0)), THEN)
    assert set(told.device) == {"phone"}
    nobody = steps.lost(rates(tablet=(0, 0, 0, 0, 0)), THEN)
    assert nobody.empty and steps.findings(nobody) == [] and steps.decisions(nobody, OCTOBER) == []
    assert isinstance(steps.lost(Missing("events"), Missing("events")), Missing)


def test_the_page_shows_the_dearest_and_the_picture_the_rates():
    shown = steps.dearest(steps.lost(NOW, THEN, WORTH), rows=2)
    assert shown.columns.tolist() == ["device", "step", "now", "then", "orders", "cost", "p"]
    assert shown.step[0] == "Ordered" and len(shown) == 2
    ax = steps.plot_steps(NOW)
    drawn = [y for line in ax.lines if line.get_marker() == "o" for y in line.get_ydata()]
    assert sorted(drawn) == pytest.approx(sorted(NOW.value))
    plt.close("all")
