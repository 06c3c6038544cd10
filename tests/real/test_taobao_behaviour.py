"""Nine days of 815 users of Taobao (Tianchi 649, a part): what they looked at, put aside and bought."""

import pandas as pd
import pytest

from playbook.site import funnel
from playbook.site.sessions import hours, sessions

NAMES = {"pv": "view_item", "cart": "add_to_cart", "fav": "add_to_cart", "buy": "purchase"}


@pytest.fixture(scope="module")
def events(real_data):
    path = next((real_data / "taobao_behaviour").glob("*.csv"), None)
    if path is None:
        pytest.skip("no taobao_behaviour: see the README of the real data")
    rows = pd.read_csv(
        path, header=None, names=["visitor_id", "product_id", "category", "event", "seconds"], dtype=str
    ).dropna(subset="seconds")  # the last line is cut
    at = pd.to_datetime(rows.seconds.astype("int64"), unit="s") + pd.Timedelta(hours=8)  # China's clock
    rows = rows.assign(event=rows.event.map(NAMES), event_at=at, event_id=rows.index.astype(str))
    return rows[at.between("2017-11-25", "2017-12-04", inclusive="left")].drop(columns="seconds")


def test_users_look_put_aside_and_buy(events):
    names = ("view_item", "add_to_cart", "purchase")
    frame = funnel.steps(events, names=names, window_days=9).set_index("step")
    looked = events[events.event == "view_item"].visitor_id.nunique()
    assert frame.n["view_item"] == looked and 780 <= looked <= 815
    # counted by hand in pandas: first look, first thing put aside after it, first purchase after that
    t = events[events.event == "view_item"].groupby("visitor_id").event_at.min()
    for name in names[1:]:
        after = events[events.event == name].merge(t.rename("before"), on="visitor_id")
        t = after[after.event_at >= after.before].groupby("visitor_id").event_at.min()
        assert frame.n[name] == len(t)
    assert 0.80 < frame.step_rate["add_to_cart"] < 0.95 and 0.50 < frame.step_rate["purchase"] < 0.75


def test_by_product_far_fewer_looks_end_in_a_purchase(events):
    pairs = events.assign(pair=events.visitor_id + "/" + events.product_id)
    frame = funnel.steps(pairs, names=("view_item", "purchase"), unit="pair", window_days=9)
    assert 0.005 < frame.rate[1] < 0.03  # two in a hundred are bought (1,698 of 75,000 looks)


def test_evenings_are_busy_and_nights_are_not(events):
    frame = hours(events).set_index("hour")
    assert frame.events.sum() == len(events)
    assert frame.events.idxmax() in (19, 20, 21, 22) and frame.events.idxmin() in (2, 3, 4, 5)
    assert frame.events.max() > 8 * frame.events.min()


def test_every_event_lies_in_one_visit(events):
    found = sessions(events).to_pandas()
    assert found.events.sum() == len(events) and 5_000 < len(found) < 20_000
