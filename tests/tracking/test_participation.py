"""Stories of campaigns: who was reached, who took part, who of them bought, each person once."""

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
from playbook.report.tables import long_table
from playbook.shop import shop_from
from playbook.tracking import participation

OCTOBER = parse("2026-10")
AS_OF = dt.datetime(2026, 11, 1)

CAMPAIGNS = [
    ("crm", "Letters", "2026-10-01", "2026-10-31"),
    ("ads", "Notes", "2026-09-01", "2026-12-31"),
    ("sep", "Over", "2026-09-01", "2026-09-30"),
]
MESSAGES = [  # campaign, customer, delivered, clicked, held back
    ("crm", "a", "2026-10-02 10:00", "2026-10-02 11:00", False),
    ("crm", "a", "2026-10-05 10:00", "2026-10-05 11:00", False),  # the same person again
    ("crm", "A2", "2026-10-02 10:00", "2026-10-03 11:00", False),  # her account on another platform
    ("crm", "b", "2026-10-02 10:00", None, False),
    ("crm", "c", None, None, False),  # never arrived
    ("crm", "d", "2026-10-02 10:00", "2026-10-02 12:00", True),  # held back
    ("crm", "e", "2026-10-28 10:00", "2026-10-28 12:00", False),  # her week is not over
    ("crm", "f", "2026-10-03 10:00", "2026-10-03 12:00", False),
    ("sep", "b", "2026-10-02 10:00", "2026-10-02 11:00", False),  # its campaign was over
]
TOUCHES = [  # campaign, visitor, customer, kind
    ("ads", "v1", None, "click", "2026-10-04 10:00"),  # v1 is g, as her visit shows
    ("ads", "v2", None, "click", "2026-10-04 10:00"),
    (None, "v3", None, "visit", "2026-10-04 10:00"),
]
EVENTS = [  # session, visitor, customer, event, page
    ("s1", "v1", "g", "page_view", "/campaign/sale"),
    ("s1", "v1", "g", "page_view", "/campaign/sale"),
    ("s1", "v1", "g", "share", "/product/x"),
    ("s2", "v4", None, "page_view", "/campaign/sale"),
    ("s3", "v5", None, "page_view", "/product/sale-not"),
    ("s3", "v5", None, "share", "/product/sale-not"),
]
ORDERS = [
    ("1", "a", "2026-09-01 10:00"),  # before: she is a returning customer
    ("2", "A2", "2026-10-09 10:00"),  # within seven days of the 2nd, by her other account
    ("3", "f", "2026-10-12 10:00"),  # nine days later: too late
    ("4", "g", "2026-10-06 10:00"),
    ("5", "e", "2026-10-29 10:00"),
    ("6", "b", "2026-10-03 10:00"),  # reached, bought, but did not take part
]


@pytest.fixture(scope="module")
def shop():
    def frame(rows, columns, *times):
        made = pd.DataFrame(rows, columns=columns.split())
        return made.assign(**{c: pd.to_datetime(made[c]) for c in times})

    messages = frame(MESSAGES, "campaign_id customer_id delivered_at clicked_at holdout", "delivered_at", "clicked_at")
    messages = messages.assign(
        message_id=[str(i) for i in range(len(messages))], channel="sms", sent_at=messages.delivered_at
    )
    messages["sent_at"] = messages.sent_at.fillna(pd.Timestamp("2026-10-02"))
    touches = frame(TOUCHES, "campaign_id visitor_id customer_id kind touched_at", "touched_at")
    touches = touches.assign(touch_id=[f"t{i}" for i in range(len(touches))], channel="social")
    events = frame(EVENTS, "session_id visitor_id customer_id event page")
    events = events.assign(event_id=[f"e{i}" for i in range(len(events))], event_at=pd.Timestamp("2026-10-05 09:00"))
    campaigns = frame(CAMPAIGNS, "campaign_id name starts_on ends_on", "starts_on", "ends_on")
    promotions = pd.DataFrame({"promotion_id": ["sale"], "name": ["Great sale"]}).assign(
        starts_at=pd.Timestamp("2026-10-05"), ends_at=pd.Timestamp("2026-10-06 23:59"),
        recorded_at=pd.Timestamp("2026-09-01"),
    )  # fmt: skip
    people = pd.DataFrame({"customer_id": ["a", "A2", "b"], "person_id": ["P1", "P1", "P2"]})
    return shop_from(
        period="2026-10", orders=frame(ORDERS, "order_id customer_id ordered_at", "ordered_at").assign(amount=10.0),
        messages=messages, touchpoints=touches, events=events, promotions=promotions,
        campaigns=campaigns.assign(recorded_at=pd.Timestamp("2026-08-01")),
    ), people  # fmt: skip


@pytest.fixture(scope="module")
def contacts(shop):
    of, people = shop
    return participation.activity(
        of.campaigns, OCTOBER, messages=of.messages, touchpoints=of.touchpoints, events=of.events,
        promotions=of.promotions, sessions=of.sessions, customers=people,
    )  # fmt: skip


def told(frame, key):
    return frame.set_index([key, "metric"]).value.to_dict()


def test_each_person_is_counted_once_and_whoever_took_part_was_reached(contacts):
    frame = participation.participation(contacts)
    got = told(frame, "campaign")
    # letters reached P1 (two accounts), b, e, f; P1, e and f took part
    assert (got["Letters", "reached"], got["Letters", "participants"]) == (4, 3)
    assert got["Letters", "participation_rate"] == 3 / 4
    row = frame[(frame.campaign == "Letters") & (frame.metric == "participation_rate")].iloc[0]
    assert (row.low, row.high) == pytest.approx(tuple(intervals.wilson(3, 4))) and row.n == 4
    # the sale's page: g and v4 saw it, thrice; g shared in that visit; whom it was shown to nobody knows
    assert (got["Great sale", "participants"], got["Great sale", "page_views"], got["Great sale", "shares"]) == (
        2,
        3,
        1,
    )
    assert math.isnan(got["Great sale", "reached"]) and got["Great sale", "share_rate"] == 1 / 2
    assert got["Notes", "participants"] == 2 and set(frame.campaign) == {"Letters", "Notes", "Great sale"}


def test_buyers_are_participants_who_paid_within_the_window_once_it_is_over(shop, contacts):
    of, people = shop
    frame = participation.conversion(contacts, of.orders, as_of=AS_OF, customers=people)
    got = told(frame, "campaign")
    # e's window is open: left out though she bought; P1 bought by her other account; f bought too late
    assert (got["Letters", "participants"], got["Letters", "buyers"], got["Letters", "campaign_conversion"]) == (
        2,
        1,
        0.5,
    )
    assert (got["Notes", "participants"], got["Notes", "buyers"]) == (2, 1)  # v1 is g, who bought two days later
    assert (got["Great sale", "participants"], got["Great sale", "buyers"]) == (2, 1)
    longer = told(
        participation.conversion(contacts, of.orders, as_of=AS_OF, customers=people, window_days=14), "campaign"
    )
    assert longer["Letters", "buyers"] == 2
    segments = participation.conversion(contacts, of.orders, as_of=AS_OF, customers=people, by="segment")
    by = told(segments, "segment")
    assert by["returning", "participants"] == 1 and by["returning", "buyers"] == 1  # P1
    assert by["new", "participants"] == 4 and by["new", "buyers"] == 1  # f, g, v2, v4; g in two campaigns, once


def test_nobody_and_nothing_are_said_as_such(shop):
    of, _people = shop
    nothing = participation.activity(of.campaigns, OCTOBER)
    assert isinstance(nothing, Missing) and nothing.what == "messages.campaign_id"
    assert isinstance(participation.activity(Missing("campaigns"), OCTOBER), Missing)
    some = participation.activity(of.campaigns, OCTOBER, messages=of.messages)
    anonymous = participation.conversion(some, of.orders.drop("customer_id"), as_of=AS_OF)
    assert isinstance(anonymous, Missing) and anonymous.what == "orders.customer_id"
    quiet = participation.activity(of.campaigns, parse("2026-12"), messages=of.messages)
    assert participation.participation(quiet).empty
    nobody = participation.conversion(quiet, of.orders, as_of=AS_OF)
    assert participation.findings(nobody) == [] and participation.plot_conversion(nobody) is None
    assert nobody.attrs["notes"] == ["Nobody who took part has had 7 days to buy since."]
    for frame in (nobody, participation.participation(quiet)):
        assert long_table(frame, currency="CNY", rows=9).total == 0


def rates(*rows):
    frame = pd.DataFrame(rows, columns=["campaign", "value", "n"]).assign(metric="campaign_conversion")
    ends = [intervals.wilson(round(v * n), n) for v, n in zip(frame.value, frame.n, strict=True)]
    frame[["low", "high"]] = ends
    frame.attrs = {"by": ["campaign"], "window_days": 7}
    return frame


def test_the_best_and_the_worst_are_named_only_where_their_intervals_lie_apart():
    (apart,) = participation.findings(rates(("Letters", 0.30, 200), ("Notes", 0.10, 200), ("Few", 0.9, 10)))
    assert apart.text == "Within 7 days 30.0% of those who took part in “Letters” bought, of “Notes” 10.0%."
    (alike,) = participation.findings(rates(("Letters", 0.20, 60), ("Notes", 0.15, 60)))
    assert alike.text.startswith("No campaign turned clearly more")


def test_the_picture_draws_the_rates():
    frame = rates(("Letters", 0.30, 200), ("Notes", 0.10, 100))
    ax = participation.plot_conversion(frame)
    assert sorted(ax.lines[0].get_xdata()) == pytest.approx([0.10, 0.30])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Notes", "Letters"]
    assert {t.get_text() for t in ax.texts} == {"30.0% of 200", "10.0% of 100"}
    plt.close("all")
