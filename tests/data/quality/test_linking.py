"""Who is behind the accounts: counted on a hand of them."""

import pandas as pd
import pytest

from playbook import shop_from
from playbook.data import quality
from playbook.missing import Missing
from playbook.period import parse

DAY = pd.Timestamp("2024-01-01")


def shop(**more):
    people = pd.DataFrame(
        {
            "platform": ["tmall", "jd", "jd", "jd", "own_site"], "customer_id": list("abcde"),
            "phone_hash": ["p", "p", "q", None, None], "device_hash": [None, None, None, "d", "d"],
            "consent_marketing": [True, False, True, None, True],
        }
    )  # fmt: skip
    orders = pd.DataFrame(
        {
            "order_id": list("123456"), "ordered_at": DAY, "amount": 1.0, "customer_id": ["a", "b", "b", "c", "e", None],
            "platform": ["tmall", "jd", "jd", "jd", "own_site", "jd"],
            "device": ["app", "phone", "phone", "app", "app", "tablet"],
        }
    )  # fmt: skip
    return shop_from(customers=people, orders=orders, period="2024-01", **more)


def test_linked_alone_and_without_anything_to_link_by_add_up_to_all_accounts():
    s = shop()
    found = quality.match(s.persons, s.customers, s.orders)
    assert found.to_dict("list") == {
        "platform": ["jd", "own_site", "tmall"],
        "accounts": [3, 1, 1],
        "persons": [3, 1, 1],
        "linked": [1, 0, 1],
        "match_rate": [1 / 3, 0.0, 1.0],
        "unlinked": [1, 0, 0],
        "no_identifier": [1, 1, 0],
    }
    assert found.attrs["all"] == {"accounts": 5, "persons": 4, "linked": 2, "unlinked": 1, "no_identifier": 2}
    told = quality.linking_findings(found)
    assert [f.verdict for f in told] == ["hold", "watch"]
    assert told[0].figures[0].value == 0.4 and told[1].figures[0].by == {"platform": "own_site"}
    ax = quality.plot_match(found)
    assert [round(p.get_width()) for p in ax.patches] == [1, 0, 1, 1, 0, 0, 1, 1, 0]


def test_what_was_shared_and_not_used_says_why():
    s = shop()
    found = quality.unused(s.person_links, s.person_conflicts)
    assert found.to_numpy().tolist() == [["too little", "device", 1, 2]]


def test_a_person_buys_on_all_the_devices_of_her_accounts():
    s = shop()
    found = quality.devices(s.orders, s.persons)
    assert found.to_dict("list") == {"devices": [1, 2], "persons": [2, 1], "share": [2 / 3, 1 / 3], "orders": [2, 3]}


def test_one_refusal_counts_for_all_accounts_of_a_person_and_silence_is_none():
    found = quality.consent(shop().customers)
    assert found.persons.tolist() == [2, 1, 1] and found.share.sum() == 1


def test_of_how_many_persons_a_trait_is_known():
    known = quality.known(shop().customer_360).set_index("trait").known
    assert known["orders"] == 4 and known["main_platform"] == 3 and known["consent_marketing"] == 3


def test_a_shop_of_orders_alone_says_what_it_would_need():
    orders = pd.DataFrame({"order_id": ["1"], "ordered_at": [DAY], "amount": [1.0]})
    s = shop_from(orders=orders, period="2024-01")
    answer = quality.match(s.persons, s.customers, s.orders)
    assert isinstance(answer, Missing) and answer.what == "customers"
    assert isinstance(quality.linking_findings(answer), Missing)


def test_the_hours_of_a_device_are_the_shares_of_its_own_orders_in_the_period():
    orders = pd.DataFrame(
        {
            "order_id": list("abcde"),
            "paid_at": pd.to_datetime(["2026-10-01 09:10", "2026-10-02 09:50", "2026-10-03 21:00", "2026-10-31 23:59",
                                       "2026-11-01 00:00"]),
            "device": ["phone", "phone", "phone", "desktop", "desktop"],
        }
    )  # fmt: skip
    found = quality.device_hours(orders, parse("2026-10"), least=1)
    assert len(found) == 48 and found.device.unique().tolist() == ["phone", "desktop"]
    said = found[found.orders > 0].set_index(["device", "hour"])
    assert said.orders.to_dict() == {("phone", 9): 2, ("phone", 21): 1, ("desktop", 23): 1}
    assert said.share.to_dict() == {("phone", 9): 2 / 3, ("phone", 21): 1 / 3, ("desktop", 23): 1.0}
    ax = quality.plot_device_hours(found)
    drawn = ax.collections[0].get_array().reshape(2, 24)
    assert drawn[0, 9] == pytest.approx(2 / 3) and drawn[1, 23] == 1 and drawn.sum() == pytest.approx(2)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["phone, 3 orders", "desktop, 1 orders"]
    assert quality.device_hours(orders, parse("2026-10"), least=2).device.unique().tolist() == ["phone"]
    assert isinstance(quality.device_hours(orders, parse("2020-01")), Missing)
