"""Stories of the tracking plan: events that arrive, that fell silent, that lack what they should carry."""

import math

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from playbook.data import quality
from playbook.missing import Missing
from playbook.period import parse

WEEK = parse("2024-01-01/2024-01-04")  # four days


def events(spec, **columns):
    """Events from (event, day of January, how many)."""
    rows = [(name, pd.Timestamp(2024, 1, day, 9)) for name, day, n in spec for _i in range(n)]
    frame = pd.DataFrame(rows, columns=["event", "event_at"])
    frame["event_id"] = [str(i) for i in range(len(frame))]
    return frame.assign(visitor_id="v", **columns)


EVERY_DAY = [("page_view", d, 8) for d in (1, 2, 3, 4)]


def status(spec, **columns):
    found = quality.coverage(events(spec, **columns), WEEK).set_index("event")
    return found.status.to_dict(), found


def test_what_comes_every_day_is_complete_and_what_never_came_is_missing():
    said, found = status(EVERY_DAY, page="/", session_id="s")
    assert said["page_view"] == "complete" and said["purchase"] == "missing"
    assert found.loc["page_view", ["rows", "days", "days_share", "pages", "carried"]].tolist() == [32, 4, 1, 1, 1]
    assert found.loc["purchase", "rows"] == 0 and math.isnan(found.loc["purchase", "carried"])


def test_a_silent_day_is_a_gap_only_where_the_event_is_frequent():
    said, found = status([*EVERY_DAY[:3], ("sign_up", 1, 2), ("view_item", 1, 20), ("view_item", 4, 20)], product_id="p",
                         page="/", session_id="s")  # fmt: skip
    assert said["view_item"] == "gaps" and found.days_share["view_item"] == 0.5
    assert said["sign_up"] == "complete" and said["page_view"] == "complete"  # 6 a day: below what chance leaves empty


def test_an_event_without_what_it_should_carry_is_told():
    said, found = status([("purchase", d, 2) for d in (1, 2, 3, 4)], order_id=["a", None] * 4, value=5.0)
    assert said["purchase"] == "parameters" and found.carried["purchase"] == 0.5
    said, found = status([("purchase", 1, 2)])  # not even the columns
    assert said["purchase"] == "parameters" and found.carried["purchase"] == 0


def test_days_outside_the_period_do_not_count():
    said, _found = status([("add_to_cart", 9, 50)])
    assert said["add_to_cart"] == "missing"


def test_a_page_that_is_visited_often_and_fell_silent_is_named():
    spec = [("page_view", d, 20) for d in (1, 2)] + [("page_view", d, 8) for d in (1, 2, 3, 4)]
    found = quality.page_gaps(events(spec, page=["/sale"] * 40 + ["/"] * 32), WEEK)
    assert found[["page", "rows", "days", "silent"]].values.tolist() == [["/sale", 40, 2, 2]]
    assert str(found["last"].iloc[0])[:10] == "2024-01-02"
    calm = quality.page_gaps(events(EVERY_DAY, page="/"), WEEK)
    assert calm.empty and "fell silent" in calm.attrs["notes"][0]


def test_the_plot_shows_each_event_against_its_busiest_day_and_leaves_empty_days_empty():
    daily = quality.event_days(events([("page_view", 1, 8), ("page_view", 2, 2), ("purchase", 4, 1)]), WEEK)
    assert daily[daily.event == "page_view"]["rows"].tolist() == [8, 2, 0, 0] and len(daily) == 4 * len(quality.PLAN)
    ax = quality.plot_coverage(daily)
    shown = ax.collections[0].get_array().reshape(len(quality.PLAN), 4)
    assert shown[0].tolist() == [1, 0.25, None, None]
    assert ax.get_yticklabels()[0].get_text() == "page_view"
    plt.close(ax.figure)


@pytest.mark.parametrize("answer", [quality.coverage, quality.event_days, quality.page_gaps])
def test_without_events_one_card_says_so(answer):
    found = answer(Missing("events"), WEEK)
    assert isinstance(found, Missing)
    assert (repr(found) == "") == (answer is quality.page_gaps)


def test_what_follows_names_the_steps_that_do_not_arrive():
    said = quality.coverage_findings(quality.coverage(events(EVERY_DAY), WEEK))
    assert [f.verdict for f in said] == ["act", "watch"]
    assert "view_item, add_to_cart, begin_checkout, add_payment_info, purchase" in said[0].text
    assert [(f.name, f.value) for f in said[0].figures] == [("funnel_steps_missing", 5)]
    assert said[1].text == "These events arrive without what they should carry: page_view."
    steps = [(e.event, d, 8) for e in quality.PLAN for d in (1, 2, 3, 4)]
    whole = events(steps, page="/", session_id="s", product_id="p", order_id="o", value=1.0, search_term="x")
    (calm,) = quality.coverage_findings(quality.coverage(whole, WEEK))
    assert calm.verdict == "hold"
