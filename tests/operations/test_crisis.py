"""Crisis: levels from four signs, evidence, the plan and drills, by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.operations import crisis

DAYS = pd.date_range("2026-03-01", "2026-06-30")
UNTIL = dt.date(2026, 7, 1)
BEGINS = pd.Timestamp("2026-06-20")


def mentions(bad_from_crisis=60, brand="own"):
    """Twenty mentions a day, four of them bad; from the crisis on more bad ones about one product."""
    rows = []
    for i, day in enumerate(DAYS):
        bad = 4 + (i % 3 - 1) + (bad_from_crisis if day >= BEGINS else 0)
        rows += [(day, -0.5, "p1" if day >= BEGINS and k > 6 else "p2", "it itches") for k in range(bad)]
        rows += [(day, 0.5, "p3", "lovely")] * 16
    return pd.DataFrame(rows, columns=["mentioned_at", "sentiment", "product_id", "text"]).assign(brand=brand)


def returns(more_from=None):
    rows = [d for i, d in enumerate(DAYS) for _k in range(10 + i % 3 + (25 if more_from and d >= more_from else 0))]
    return pd.DataFrame({"returned_at": rows, "amount": 50.0, "product_id": "p1"})


ORDERS = pd.DataFrame({"ordered_at": np.repeat(DAYS, 100), "amount": 200.0})


def test_one_extreme_sign_is_orange_on_its_first_day():
    judged = crisis.signals(until=UNTIL, mentions=mentions(), days=60)
    assert judged.attrs["lacking"] == ["complaints", "refunds", "low_ratings"]
    by_day = crisis.levels(judged).set_index("day")["level"]
    assert by_day[BEGINS] == "orange"
    assert set(by_day[:"2026-06-19"]) <= {"none", "green"}
    (warning,) = crisis.warnings(judged).to_dict("records")
    assert warning["flagged_on"] == BEGINS
    assert warning["open"]


def test_two_signs_of_which_one_is_extreme_are_red():
    judged = crisis.signals(
        until=UNTIL, mentions=mentions(), returns=returns(pd.Timestamp("2026-06-21")), orders=ORDERS, days=60
    )
    refunds = judged[judged["signal"] == "refunds"].set_index("day")["state"]
    assert refunds[pd.Timestamp("2026-06-25")] == "excused"  # 618 has just been
    calm = crisis.signals(until=UNTIL, returns=returns(), orders=ORDERS, days=20)
    assert set(crisis.levels(calm)["level"]) <= {"none", "green"}
    grid = pd.DataFrame(
        {"day": [BEGINS] * 2, "signal": ["negative_mentions", "complaints"], "state": ["red", "yellow"]}
    )
    assert crisis.levels(grid)["level"].tolist() == ["red"]
    assert crisis.levels(grid.assign(state=["yellow", "yellow"]))["level"].tolist() == ["orange"]
    assert crisis.levels(grid.assign(state=["orange", "usual"]))["level"].tolist() == ["yellow"]
    assert crisis.levels(grid.assign(state="no_history"))["level"].tolist() == ["none"]


def test_mentions_of_others_do_not_count():
    table = pd.concat([mentions(0), mentions(40, brand="rival")])
    judged = crisis.signals(until=UNTIL, mentions=table, brands=["own"], days=60)
    assert crisis.warnings(judged).empty
    assert crisis.own_brands(pd.DataFrame({"brand": ["own", None, "own"]})) == ["own"]


def test_evidence_says_how_much_and_about_what():
    table = mentions()
    judged = crisis.signals(until=UNTIL, mentions=table, days=60)
    warned = crisis.warnings(judged)
    (proof,) = crisis.evidence(warned, judged, mentions=table).to_dict("records")
    assert proof["value"] == sum(
        64 + i % 3 - 1 for i, d in enumerate(DAYS) if BEGINS <= d < BEGINS + pd.Timedelta(days=7)
    )
    assert proof["product_id"] == "p1"
    assert proof["words"] == "it itches"
    (said, *_more) = crisis.findings(warned, judged, crisis.evidence(warned, judged, mentions=table))
    assert said.verdict == "act"
    assert "p1" in said.text
    assert "20 Jun 2026" in said.text


def test_a_shop_without_any_sign_is_told_what_would_do():
    gone = crisis.signals(until=UNTIL, orders=ORDERS)
    assert isinstance(gone, Missing)
    assert isinstance(crisis.levels(gone), Missing)
    assert isinstance(crisis.findings(gone, gone, gone), Missing)


def test_two_weeks_of_data_judge_nothing():
    short = mentions().query("mentioned_at >= '2026-06-17'")
    judged = crisis.signals(until=UNTIL, mentions=short)
    assert set(crisis.levels(judged)["level"]) == {"none"}


def test_pictures_draw_the_days():
    judged = crisis.signals(until=UNTIL, mentions=mentions(), days=60)
    warned = crisis.warnings(judged)
    ax = crisis.plot_signals(judged, warned)
    values = judged[(judged["day"] - BEGINS).abs() <= pd.Timedelta(days=45)]["value"]
    assert ax.lines[1].get_ydata().tolist() == values.tolist()
    bands = crisis.plot_levels(judged)
    assert len(bands.patches) == 2 * 60


def test_the_plan_has_an_owner_and_a_clock_for_every_step_and_red_holds_orange():
    plan = crisis.plan()
    assert plan[["owner", "hours", "channel", "step"]].notna().all(axis=None)
    for _kind, mine in plan.groupby("type"):
        orange, red = (set(mine.loc[mine["level"] == level, "step"]) for level in ("orange", "red"))
        assert orange < red
    steps = crisis.steps_for(
        pd.DataFrame({"signals": ["negative_mentions complaints"], "level": ["red"], "flagged_on": [BEGINS]}), plan
    )
    assert set(steps["type"]) == {"product"}
    assert steps["due"].iloc[0] == pd.Timestamp("2026-06-21 01:00")  # an hour after the day that told


def test_a_plan_of_the_shop_takes_the_place_of_the_books():
    own = pd.DataFrame(
        {
            "type": ["service"],
            "level": ["orange"],
            "hours": [3.0],
            "owner": ["me"],
            "channel": ["chat"],
            "step": ["call"],
        }
    )
    plan = crisis.plan(own)
    assert plan.loc[plan["type"] == "service", "step"].unique().tolist() == ["call"]
    assert "product" in set(plan["type"])


def test_a_drill_is_scored_by_the_clock():
    plan = crisis.plan()
    due = plan[(plan["type"] == "price_or_advertising") & (plan["level"] == "orange")]
    assert due["hours"].tolist() == [1, 2]
    log = pd.DataFrame(
        {"held_on": pd.Timestamp("2026-10-01"), "scenario": "wrong_price", "step": [1, 2], "hours": [0.5, 3.0]}
    )
    (score,) = crisis.drill_scores(plan, log).to_dict("records")
    assert (score["in_time"], score["late"], score["left_out"]) == (1, 1, 0)
    assert score["score"] == pytest.approx(0.75)
    assert crisis.drill_findings(crisis.drill_scores(plan, log), pd.Timestamp("2026-11-01"))[0].verdict == "act"
    log["hours"] = [0.5, 2.0]
    scores = crisis.drill_scores(plan, log)
    assert scores["score"].iloc[0] == 1
    assert crisis.drill_findings(scores, pd.Timestamp("2026-11-01"))[0].verdict == "hold"
    assert crisis.drill_findings(scores, pd.Timestamp("2027-03-01"))[0].verdict == "watch"


def test_no_drill_is_said():
    scores = crisis.drill_scores(crisis.plan(), Missing("plan/drills.csv"))
    assert scores.empty
    assert "plan/drills.csv" in scores.attrs["notes"][0]
    assert crisis.drill_findings(scores, pd.Timestamp("2026-11-01"))[0].verdict == "watch"
