"""Online and in stores: a person who buys in both is one, and a shop without stores says so in a sentence."""

import pandas as pd
import pytest

from playbook.data.quality import channels_findings, channels_joined
from playbook.missing import Missing
from playbook.shop import shop_from

# platform, channel, customer, amount; the person behind web:1 and store:9 is one (they share a telephone)
ORDERS = [
    ("web", "search", "1", 100), ("store", None, "9", 60), ("web", "search", "2", 40),
    ("web", "Store", "3", 200), ("store", None, "8", 50), ("store", None, None, 30), ("web", "mail", "2", 20),
]  # fmt: skip


def shop(rows=ORDERS, **more):
    orders = pd.DataFrame(rows, columns=["platform", "channel", "customer_id", "amount"])
    orders.insert(0, "order_id", [str(i) for i in range(len(orders))])
    orders["ordered_at"] = pd.Timestamp("2026-10-05 10:00")
    customers = pd.DataFrame({"platform": ["web", "store"], "customer_id": ["1", "9"], "phone_hash": ["f00", "f00"]})
    return shop_from(period="2026-10", orders=orders, customers=customers, **more)


def test_a_person_who_buys_online_and_in_a_store_counts_once_and_on_neither_side_alone():
    s = shop()
    found = channels_joined(s.orders, s.persons)
    assert found.set_index("side").T.to_dict("list") == {
        "online only": [1, 1 / 4, 2, 60.0, pytest.approx(60 / 470)],  # web:2
        "store only": [2, 2 / 4, 2, 250.0, pytest.approx(250 / 470)],  # web:3, whose channel is a store, and store:8
        "both": [1, 1 / 4, 2, 160.0, pytest.approx(160 / 470)],
    }
    assert found.attrs["notes"] == [
        "1 orders of stores (¥30.00) carry no customer number: whose they are is not known."
    ]
    (finding,) = channels_findings(found)
    assert finding.verdict == "hold" and "25.0%" in finding.text and "34.0%" in finding.text


def test_without_the_mart_each_account_is_a_person():
    s = shop()
    found = channels_joined(s.orders, None).set_index("side").persons
    assert found.to_dict() == {"online only": 2, "store only": 3, "both": 0}


def test_a_shop_without_stores_says_so_and_shows_no_card():
    s = shop([("web", "search", "1", 100)])
    found = channels_joined(s.orders, s.persons)
    assert found.empty and len(found.attrs["notes"]) == 1 and "store" in found.attrs["notes"][0]
    assert channels_findings(found) == []
    bare = pd.DataFrame({"order_id": ["1"], "ordered_at": [pd.Timestamp("2026-10-05")], "amount": [9]})
    assert channels_joined(bare, None).attrs["notes"] == found.attrs["notes"]


def test_store_orders_without_customer_numbers_ask_for_them():
    s = shop()
    found = channels_joined(s.orders.drop("customer_id"), None)
    assert isinstance(found, Missing) and found.what == "orders.customer_id"
    assert isinstance(channels_findings(found), Missing)
