"""Forecasts and decisions: what cannot be scored later is refused now."""

import datetime as dt

import pytest

from playbook.outlook import Decision, Forecast


def decision(**changed):
    said = {
        "name": "stop_channel", "text": "Stop search.", "owner": "Buyer", "due": dt.date(2026, 11, 9),
        "metric": "net_sales", "period": "2026-12", "effect": -50, "low": -80, "high": -10, "unit": "currency",
    }  # fmt: skip
    return Decision(**{**said, **changed})


def test_a_record_gives_back_what_was_said():
    comes = Forecast("orders_paid", "2026-11", 12, 10.5, 15, "count", by={"platform": "jd"}, method="ets")
    assert Forecast.from_record(comes.record()) == comes
    assert Decision.from_record(decision().record()) == decision()
    assert decision().record()["due"] == "2026-11-09"


def test_the_stake_of_a_decision_on_money_is_its_effect():
    assert decision().stake == 50
    assert decision(unit="share", effect=0.1, low=0, high=0.2).stake is None
    assert decision(stake=7).stake == 7


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"owner": " "}, "a decision needs its owner"),
        ({"check": "hope"}, "'hope' is no way to check a decision"),
        ({"period": "soon"}, "'soon' is no period"),
        ({"low": float("nan")}, "net_sales: its low is no number"),
        ({"low": -20, "effect": -50}, "net_sales: -50.0 does not lie between -20.0 and -10.0"),
    ],
)
def test_a_decision_that_could_not_be_scored_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        decision(**changed)


def test_a_forecast_that_could_not_be_scored_is_refused():
    with pytest.raises(ValueError, match="level = 80 is no probability"):
        Forecast("net_sales", "2026-11", 2, 1, 3, "currency", level=80)
    with pytest.raises(ValueError, match="net_sales: its high is no number"):
        Forecast("net_sales", "2026-11", 2, 1, float("inf"), "currency")
