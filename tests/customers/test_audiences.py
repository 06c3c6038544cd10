"""Audiences: who is in them, who is left in peace, what such people buy."""

import datetime as dt

import pandas as pd
import pytest

from playbook.customers import audiences, retention
from playbook.missing import Missing

NOW = dt.datetime(2026, 11, 1)


def ago(days):
    return pd.Timestamp(NOW) - pd.Timedelta(days=days)


def bought(**days):
    rows = [(who, ago(d), 100.0) for who, several in days.items() for d in several]
    return pd.DataFrame(rows, columns=["person_id", "at", "amount"])


P = bought(once=[60], twice=[200, 60], lately=[60, 3], rich=[400] * 9 + [120], old=[300], viewer=[400, 300])
EVENTS = pd.DataFrame(
    [("viewer", ago(5), "view_item"), ("carter", ago(3), "view_item"), ("carter", ago(3), "add_to_cart"),
     ("done", ago(4), "add_to_cart"), ("done", ago(4), "purchase"), ("past", ago(40), "view_item")],
    columns=["person_id", "event_at", "event"],
)  # fmt: skip


def why(**tables):
    t = audiences.members(P, EVENTS, as_of=NOW, **tables).to_pandas()
    return t.set_index(["audience", "person_id"]).why.to_dict()


def test_the_four_audiences_by_hand():
    assert set(why()) == {("viewed", "viewer"), ("carted", "carter"), ("silent", "once"), ("lapsed", "rich")}
    alone = audiences.members(P, Missing("events"), as_of=NOW).to_pandas()
    assert set(alone.audience) == {"silent", "lapsed"}
    assert isinstance(audiences.members(Missing("customers"), as_of=NOW), Missing)


def test_the_weight_halves_with_time():
    t = audiences.members(P, EVENTS, as_of=NOW).to_pandas().set_index("audience")
    assert t.weight["viewed"] == pytest.approx(0.5)  # five days, half-life five days
    assert t.weight["carted"] == pytest.approx(0.5)
    assert float(t.value["viewed"]) == 100


def test_who_is_left_in_peace():
    messages = pd.DataFrame(
        [("viewer", ago(2), False, None), ("viewer", ago(3), False, None), ("once", ago(2), False, None),
         ("once", ago(3), True, None), ("rich", ago(50), False, ago(49))],
        columns=["person_id", "sent_at", "holdout", "unsubscribed_at"],
    ).astype({"unsubscribed_at": "datetime64[ns]"})  # fmt: skip
    tickets = pd.DataFrame({"person_id": ["carter"], "opened_at": [ago(10)], "topic": ["complaint"]})
    people = pd.DataFrame({"person_id": ["once", "rich"], "consent_marketing": [True, True]})
    found = why(messages=messages, tickets=tickets, people=people)
    assert found[("viewed", "viewer")] == "capped"  # two messages in a week
    assert found[("silent", "once")] == ""  # one of the two was held back and never came
    assert found[("lapsed", "rich")] == "unsubscribed" and found[("carted", "carter")] == "complained"
    assert why(people=people)[("carted", "carter")] == "no consent"  # silence is none
    assert why(messages=messages.assign(sent_at=ago(-1), unsubscribed_at=pd.NaT))[("viewed", "viewer")] == ""


def test_sizes_and_what_such_people_bought():
    now = audiences.members(P, EVENTS, as_of=NOW)
    then = audiences.members(bought(x=[91], y=[92], z=[93]), as_of=audiences.before(NOW))  # sixty days away by then
    frame = audiences.sizes(now, then, bought(x=[91, 10]), as_of=NOW).set_index("audience")
    assert frame.loc["silent", ["people", "left", "excluded", "capped", "no_consent"]].tolist() == [1, 1, 0, 0, 0]
    assert frame.rate["silent"] == pytest.approx(1 / 3) and frame.value["silent"] == pytest.approx(100 / 3)
    assert frame.value_low["silent"] < frame.value["silent"] < frame.value_high["silent"]
    assert pd.isna(frame.rate["viewed"])  # nobody was there before: nothing is known
    ax = retention.plot_audiences(frame.reset_index())
    assert [p.get_width() for p in ax.patches][:4] == frame.left.tolist()[::-1]
    (finding,) = retention.speak_to(frame.reset_index())
    assert "silent" in finding.text


def test_each_audience_has_its_three_actions():
    frame = audiences.actions()
    assert frame.audience.tolist() == list(audiences.AUDIENCES) and frame[["first", "then", "last"]].notna().all().all()
