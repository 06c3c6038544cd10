"""An audience leaves the shop with consent only, re-read from the raw files, and leaves a line in the log."""

import csv
import datetime as dt
import stat

import pandas as pd
import pytest

from playbook.data.privacy.handover import consenting, contacts, handed_over
from playbook.data.store import ShopError
from playbook.shop import open_shop, shop_from


def people(**agreed):
    """A shop of customers, each with one order and an account of her own."""
    orders = pd.DataFrame({"order_id": list(agreed), "ordered_at": pd.to_datetime(["2026-10-01"] * len(agreed)),
                           "amount": 5, "customer_id": list(agreed), "platform": "own_site"})  # fmt: skip
    customers = pd.DataFrame({"customer_id": list(agreed), "platform": "own_site",
                              "consent_marketing": list(agreed.values())})  # fmt: skip
    return shop_from(orders=orders, customers=customers, period="2026-10")


def accounts_of(shop, messages=None):
    members = shop.persons.select("person_id").distinct()
    given = shop.messages if messages is None else messages
    return consenting(members, shop.customers, shop.persons, given, at=dt.datetime(2026, 11, 1))


def test_only_who_agreed_is_named_and_silence_is_no_consent():
    found = accounts_of(people(ann=True, bob=False, cat=None))
    assert found[["platform", "customer_id"]].values.tolist() == [["own_site", "ann"]]


def test_one_refusal_counts_for_all_accounts_of_a_person():
    orders = pd.DataFrame({"order_id": ["1", "2"], "ordered_at": pd.to_datetime(["2026-10-01"] * 2), "amount": 5,
                           "customer_id": ["x", "y"], "platform": ["tmall", "jd"]})  # fmt: skip
    customers = pd.DataFrame({"customer_id": ["x", "y"], "platform": ["tmall", "jd"], "phone_hash": "same",
                              "consent_marketing": [True, False]})  # fmt: skip
    shop = shop_from(orders=orders, customers=customers, period="2026-10")
    assert shop.persons.person_id.nunique().to_pandas() == 1
    assert accounts_of(shop).empty


def test_without_any_word_on_consent_nobody_is_written_to():
    orders = pd.DataFrame({"order_id": ["1"], "ordered_at": pd.to_datetime(["2026-10-01"]), "amount": 5,
                           "customer_id": ["x"]})  # fmt: skip
    shop = shop_from(orders=orders, period="2026-10")
    with pytest.raises(ShopError, match="who has agreed"):
        accounts_of(shop)


def test_numbers_are_read_again_from_the_raw_files_for_the_asked_accounts_only(build):
    lines = [
        f"20261001000000{n:02d},{who},{who}@pay,100.00,0.00,100.00,100.00,交易成功,安,某街{n}号,{phone},"
        f"2026-10-01 1{n}:00:00,2026-10-01 1{n}:01:00"
        for n, (who, phone) in enumerate([("ann", "13800138001"), ("bob", "138****8002"), ("cat", "13800138003")])
    ]
    header = (
        "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货人姓名,收货地址,联系手机,"
        "订单创建时间,订单付款时间"
    )
    built = build({"ExportOrderList202611010000.csv": "\n".join([header, *lines]) + "\n"})
    shop = open_shop("corner", "2026-10")
    there = shop.orders.select("platform", "customer_id").to_pandas().set_index("customer_id").platform
    assert set(there.index) == {"ann", "bob", "cat"}
    rows = contacts(built.store, [(there[c], c) for c in ("ann", "bob")]).set_index("customer_id")
    assert rows.phone.to_dict() == {"ann": "13800138001", "bob": ""}  # masked says nothing; cat was not asked for
    path = handed_over(built.store, "silent", rows.reset_index(), withheld=1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert [r["phone"] for r in written] == ["13800138001", ""] and "13800138003" not in path.read_text("utf-8")
    (line,) = (built.store.folder / "privacy.log").read_text("ascii").splitlines()
    assert line.endswith("audience subject=silent rows=2 withheld=1") and "138" not in line
