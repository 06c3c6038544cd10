"""Visits from the pauses between events."""

import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.site.sessions import hours, sessions

ROWS = pd.DataFrame(
    [
        ("a", "2026-10-01 10:00", "page_view", "phone"),
        ("a", "2026-10-01 10:30", "add_to_cart", "phone"),  # thirty minutes are no pause yet
        ("a", "2026-10-01 11:01", "page_view", "desktop"),
        ("b", "2026-10-01 23:50", "page_view", "phone"),
        ("b", "2026-10-02 00:10", "purchase", "phone"),  # midnight ends no visit
    ],
    columns=["visitor_id", "event_at", "event", "device"],
).assign(event_at=lambda t: pd.to_datetime(t.event_at))


def test_five_events_are_three_visits():
    found = sessions(ROWS).to_pandas().sort_values(["visitor_id", "visit"], ignore_index=True)
    assert found[["visitor_id", "visit", "events", "views", "carts", "purchases"]].values.tolist() == [
        ["a", 1, 2, 1, 1, 0], ["a", 2, 1, 1, 0, 0], ["b", 1, 2, 1, 0, 1],
    ]  # fmt: skip
    assert found.device.tolist() == ["phone", "desktop", "phone"]
    assert (found.ended_at - found.started_at).dt.total_seconds().tolist() == [1800, 0, 1200]


def test_a_longer_pause_joins_visits_and_every_event_is_in_one():
    assert len(sessions(ROWS, pause=31).to_pandas()) == 2
    assert sessions(ROWS, pause=1).to_pandas().events.sum() == len(ROWS)
    assert isinstance(sessions(Missing("events")), Missing)


def test_hours_are_those_of_the_clock_and_all_are_there():
    frame = hours(ROWS)
    assert len(frame) == 24 and frame.share.sum() == pytest.approx(1)
    assert frame.events[10] == 2 and frame.events[0] == 1 and frame.purchases[0] == 1 and frame.events[5] == 0
