"""Stories of scoring: forecasts beside what happened, done decisions beside what they changed."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from playbook import shop_from
from playbook.decisions import Ledger, scores
from playbook.decisions.ledger import Entry
from playbook.outlook import Decision, Forecast

ORDERS = (
    "order_id,ordered_at,amount,platform\n"
    "1,2026-05-03 10:00:00,40,jd\n2,2026-06-05 11:00:00,20,jd\n3,2026-06-30 12:00:00,30,tmall\n"
    "4,2026-07-01 12:00:00,99,jd\n"
)
SETTINGS = 'zone = "UTC"\ncurrency = "CNY"\n'


def forecast(metric, low, high, unit="currency", **by):
    return Forecast(metric, "2026-06", (low + high) / 2, low, high, unit, by=by)


def decision(check, by=None, *, effect=-100.0, period="2026-06", unit="currency", experiment="", metric="net_sales"):
    return Decision(
        "stop", "Stop search.", "Buyer", dt.date(2026, 6, 1), metric, period, effect, effect - 50, effect + 50,
        unit, by=by or {}, check=check, experiment=experiment,
    )  # fmt: skip


@pytest.fixture
def store(build):
    return build({"orders.csv": ORDERS}, SETTINGS).store


def written(store, *said, report="2026-05"):
    ledger = Ledger.of(store)
    ledger.add(Entry.of(s, report=report, as_of=dt.date(2026, 6, 1), notebook="07a_scorecard") for s in said)
    return ledger


def test_a_forecast_is_scored_by_what_its_period_brought_once_it_is_over(store):
    ledger = written(
        store, forecast("net_sales", 40, 60), forecast("net_sales", 30, 40, platform="jd"), forecast("aov", 20, 25)
    )
    assert scores.score_due(store, dt.date(2026, 6, 30)) == 0
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 3
    assert scores.score_due(store, dt.date(2026, 8, 1)) == 0
    said = ledger.forecasts().set_index(["metric", "by"])
    assert said["actual"].to_dict() == {("net_sales", ""): 50.0, ("net_sales", "platform: jd"): 20.0, ("aov", ""): 25.0}
    assert said["hit"].tolist() == [True, False, True]  # the edge counts as inside


def test_what_cannot_be_measured_says_so_and_is_tried_again_with_new_tables(store, build):
    ledger = written(
        store, forecast("refund_rate", 0, 0.1, unit="share"), forecast("net_sales", 1, 9, platform="douyin")
    )
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 0
    assert set(ledger.forecasts()["why"]) == {"It could not be measured in that period."}
    before = (ledger.folder / "scores.jsonl").read_bytes()
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 0
    assert (ledger.folder / "scores.jsonl").read_bytes() == before
    late = ORDERS + "5,2026-06-07 11:00:00,5,douyin\n"
    again = build({"orders.csv": late}, SETTINGS).store
    assert scores.score_due(again, dt.date(2026, 7, 1)) == 1
    said = ledger.forecasts().set_index("metric")
    assert said.loc["net_sales", "hit"] and said.loc["refund_rate", "hit"] is None


def test_a_figure_is_scored_by_the_report_that_shows_it(store, home):
    ledger = written(store, forecast("stages.persons", 10, 20, unit="count", stage="silent"))
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 0
    assert ledger.forecasts()["why"].tolist() == ["It could not be measured in that period."]
    folder = home / "reports" / "corner" / "2026-06"
    folder.mkdir(parents=True)
    figure = {"notebook": "07a_scorecard", "name": "stages.persons", "value": 21, "by": {"stage": "silent"}}
    (folder / "figures.json").write_text(json.dumps([figure | {"by": {}}, figure]))
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 1
    assert ledger.forecasts()[["actual", "hit"]].to_numpy().tolist() == [[21, False]]


@pytest.fixture(scope="module")
def year():
    """Two platforms that move alike for half a year; from 2 June on jd sells 400 a day less than it would."""
    days = pd.date_range("2025-12-01", "2026-06-30")
    rng = np.random.default_rng(4)
    beat = 2000 * np.exp(0.1 * np.sin(np.arange(len(days)) / 9))
    frames = []
    for name in ("jd", "tmall", "douyin"):
        amount = beat * np.exp(rng.normal(0, 0.03, len(days)))
        if name == "jd":
            amount -= np.where(days > "2026-06-01", 400, 0)
        frames.append(pd.DataFrame({"ordered_at": days + pd.Timedelta("12h"), "amount": amount, "platform": name}))
    orders = pd.concat(frames, ignore_index=True)
    return orders.assign(order_id=orders.index.astype(str), amount=orders.amount.round(2))


def test_the_effect_beside_other_parts_is_what_was_planted(year):
    shop = shop_from(orders=year, period="2026-06")
    found = scores.effect(shop, decision("controls", {"platform": "jd"}, effect=-11_600), dt.date(2026, 6, 1))
    assert found["low"] < -400 * 29 < found["high"] and found["high"] - found["low"] < 4_000
    assert found["hit"] and "Compared with 2 series" in found["comparison"]
    wrong = scores.effect(shop, decision("controls", {"platform": "jd"}, effect=3_000), dt.date(2026, 6, 1))
    assert wrong["hit"] is False


def test_the_effect_beside_the_past_is_actual_less_expected(year):
    shop = shop_from(orders=year, period="2026-06")
    found = scores.effect(shop, decision("forecast", {"platform": "jd"}, effect=-11_600), dt.date(2026, 5, 31))
    actual = year[(year.platform == "jd") & (year.ordered_at >= "2026-06-01")].amount.sum()
    assert found["low"] < found["effect"] < found["high"] and found["hit"]
    assert abs(actual - found["effect"] - 60_000) < 6_000  # what was expected: about 2,000 a day


def test_the_effect_by_an_experiment_is_the_difference_of_the_arms(year):
    rng = np.random.default_rng(1)
    n = 400
    arms = pd.DataFrame({"unit_id": [str(i) for i in range(n)], "arm": ["control", "treatment"] * (n // 2)})
    arms["value"] = rng.normal(10, 1, n).round(2) + (arms.arm == "treatment") * 2
    arms = arms.assign(experiment="mail", assigned_at=pd.Timestamp("2026-06-02"), converted=arms.value > 11)
    shop = shop_from(orders=year, experiments=arms, period="2026-06")
    found = scores.effect(shop, decision("experiment", experiment="mail", effect=400), dt.date(2026, 6, 1))
    means = arms.groupby("arm").value.mean()
    assert found["effect"] == pytest.approx(200 * (means["treatment"] - means["control"]))
    assert found["low"] < 400 < found["high"] and found["hit"]
    gone = scores.effect(shop, decision("experiment", experiment="sms"), dt.date(2026, 6, 1))
    assert gone == {"hit": None, "why": "There are no assignments of the experiment sms."}


def test_what_cannot_be_told_is_not_told(year):
    shop = shop_from(orders=year, period="2026-06")
    late = scores.effect(shop, decision("controls", {"platform": "jd"}), dt.date(2026, 6, 30))
    assert late["why"] == "It was done after the period over which its effect counts."
    alone = scores.effect(shop, decision("controls"), dt.date(2026, 6, 1))
    assert alone["why"] == "Not one part beside others: nothing to compare with."
    first = scores.effect(shop, decision("forecast"), dt.date(2025, 12, 15))
    assert first["hit"] is None and first["why"]


def test_only_done_decisions_are_scored(store):
    ledger = written(store, decision("controls", {"platform": "jd"}))
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 0
    (id,) = ledger.decisions()["id"]
    ledger.decide(id, "done", on=dt.date(2026, 6, 1))
    assert scores.score_due(store, dt.date(2026, 7, 1)) == 0
    assert ledger.decisions()["why"].iloc[0].startswith("Not enough data")
