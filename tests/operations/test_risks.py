"""Risks: scores, triggers and the checklist, by hand."""

import datetime as dt

import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.operations import risks

NOW = dt.datetime(2026, 11, 1)
ROWS = pd.DataFrame(
    {
        "risk_id": ["R1", "R2", "R3", "R4"],
        "title": ["fines", "refunds", "outage", "rumour"],
        "kind": ["law", "credit", "technology", "credit"],
        "probability": [2, 3, 4, 1],
        "impact": [5, 3, 4, 2],
        "mitigation": ["scan", None, "fallback", "watch"],
        "owner": ["legal", "service", "tech", "brand"],
        "trigger": ["compliance_flags > 0 in 7d", "refund_rate > 0.12 in 14d", "moon_phase > 3", "please look"],
    }
)
ORDERS = pd.DataFrame(
    {"ordered_at": pd.to_datetime(["2026-10-25", "2026-10-26", "2026-09-01"]), "amount": [100.0, 100.0, 999.0]}
)
RETURNS = pd.DataFrame({"returned_at": pd.to_datetime(["2026-10-27", "2026-10-01"]), "amount": [30.0, 900.0]})
FLAGS = pd.DataFrame(
    {
        "content_id": ["a", "a", "b"],
        "kind": ["absolute", "prize", "clause"],
        "allowed": "",
        "channel": ["x", "x", "email"],
    }
)


def test_scores_bands_and_what_is_lacking():
    out = risks.register(ROWS).set_index("risk_id")
    assert out["score"].to_dict() == {"R3": 16, "R1": 10, "R2": 9, "R4": 2}
    assert list(out["band"]) == ["high", "medium", "medium", "low"]
    assert out.loc["R2", "lacks"] == "mitigation"
    assert out.index[0] == "R3"


def test_a_sheet_takes_the_place_of_the_same_risk_and_adds_others():
    sheet = ROWS.iloc[[0]].assign(probability=5).reindex([0, 0]).assign(risk_id=["R1", "R9"])
    out = risks.register(ROWS, sheet).set_index("risk_id")
    assert out.loc["R1", "score"] == out.loc["R9", "score"] == 25
    assert len(out) == 5


def test_neither_register_nor_sheet_says_what_to_write():
    said = risks.register(None, Missing("plan/risks.csv"))
    assert "plan/risks.csv" in said.sentence()
    assert isinstance(risks.matrix(said), Missing)


def test_the_matrix_holds_each_risk_once_and_is_drawn_where_it_belongs():
    fields = risks.matrix(risks.register(ROWS))
    assert fields["n"].sum() == 4
    ax = risks.plot_matrix(fields)
    drawn = {t.get_text(): t.get_position() for t in ax.texts}
    assert drawn["R1"] == (2, 5)
    assert drawn["R3"] == (4, 4)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("refund_rate > 0.12 in 14d", ("refund_rate", True, 0.12, 14, False)),
        ("checkout_rate < 0.8 of usual", ("checkout_rate", False, 0.8, 30, True)),
        ("price_index > 1.15 for 7d", ("price_index", True, 1.15, 7, False)),
        ("share_change < -0.01 in 90d", ("share_change", False, -0.01, 90, False)),
    ],
)
def test_triggers_are_read_as_people_write_them(text, read):
    rule = risks.parse(text)
    assert (rule.metric, rule.above, rule.limit, rule.days, rule.of_usual) == read


def test_triggers_are_held_against_live_figures():
    tables = {"orders": ORDERS, "returns": RETURNS}
    out = risks.states(risks.register(ROWS), NOW, tables, flags=FLAGS).set_index("risk_id")
    assert out["state"].to_dict() == {"R1": "on", "R2": "on", "R4": "unreadable", "R3": "not measured"}
    assert out.loc["R2", "value"] == pytest.approx(30 / 200)  # what came back and was sold in the last 14 days
    assert out.loc["R1", "value"] == 1  # the clause is to be looked at, it is no breach
    said = risks.findings(risks.register(ROWS), out.reset_index())
    assert sum(f.verdict == "act" for f in said) == 2
    assert any("competition" in f.text.lower() for f in said)


def test_against_what_is_usual():
    hours = pd.date_range("2026-07-01", "2026-10-31 23:00", freq="h")
    events = pd.DataFrame({"event_at": hours[hours < "2026-10-20"], "event": "page_view"})
    rule = risks.parse("events_per_hour < 0.2 of usual in 10d")
    assert risks.measured(rule, {"events": events}, NOW) == pytest.approx(0)
    rule = risks.parse("events_per_hour < 0.2 of usual in 24d")
    assert risks.measured(rule, {"events": events}, NOW) == pytest.approx(0.5)


def test_no_data_and_nothing_sold_are_not_measured():
    rule = risks.parse("refund_rate > 0.1")
    assert risks.measured(rule, {}, NOW) is None
    none = ORDERS.assign(ordered_at=pd.Timestamp("2020-01-01"))
    row = ROWS.iloc[[1]]
    out = risks.states(risks.register(row), NOW, {"orders": none, "returns": RETURNS})
    assert out["state"].tolist() == ["not measured"]


def test_the_checklist_fails_what_the_data_show_and_leaves_the_rest_to_a_person():
    sent = pd.DataFrame(
        {"sent_at": pd.to_datetime(["2026-10-20", "2026-10-21", "2026-01-01"]), "customer_id": ["a", "b", "c"]}
    )
    customers = pd.DataFrame({"customer_id": ["a", "b"], "consent_marketing": [True, False]})
    flags = FLAGS.copy()
    flags.attrs["pieces"] = 9
    out = risks.checklist(NOW, {"messages": sent, "customers": customers}, flags=flags).set_index("item")
    assert out.loc["consent", ["state", "evidence"]].tolist() == [
        "fail",
        "1 of 2 messages went to people who have not agreed",
    ]
    assert out.loc["absolute", "state"] == "fail"
    assert out.loc["opt_out", "state"] == "fail"
    assert out.loc["reference_price", "state"] == "pass"
    assert out.loc["icp", "state"] == "person"
    assert set(risks.checklist(NOW, {})["state"]) == {"person"}
