"""Keyed hashes: one person, one hash, however the export writes it; nothing for what says nothing."""

import hashlib
import hmac
import json
import stat

import pandas as pd
import pytest

from playbook import shop_from
from playbook.data.ingest import ingest
from playbook.data.keyed import hash_of, identity_key
from playbook.data.store import ShopError

KEY = bytes(range(32))

ORDERS = "order_id,ordered_at,amount,customer_id,phone_hash,email_hash\n"


def hash_in_python(kind, text):
    return hmac.new(KEY, f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()[:32]


@pytest.mark.parametrize(
    ("kind", "written", "form"),
    [
        ("phone", ["13800001234", "+86 138 0000 1234", "0086-13800001234", "１３８００００１２３４", "'13800001234", "13800001234.0"], "13800001234"),
        ("phone", ["+1 (555) 123-4567", "001 555 1234567"], "+15551234567"),
        ("phone", ["AB" * 16], "ab" * 16),
        ("email", ["Buyer@Example.org", "  buyer@example.org ", "ＢＵＹＥＲ@example.org"], "buyer@example.org"),
        ("address", ["Lake Road 5, Town", "lake road 5  TOWN", "Ｌａｋｅ　Road 5，Town"], "lakeroad5town"),
        ("login", ["o-7  x", " o-7　x"], "o-7 x"),
    ],
)  # fmt: skip
def test_one_thing_written_in_several_ways_has_one_hash(kind, written, form):
    assert hash_of(written, kind, KEY) == [hash_in_python(kind, form)] * len(written)


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("phone", ["", " ", "138****1234", "##密文==", "$$aB3", "~AgAA~1", "00000000", "11111111111", "12345", "1.38E+10"]),
        ("phone", ["13800001234-5678", "13800001234转5678", "+86 13800001234 #21"]),
        ("email", ["", "b***@example.org", "##x@y.z", "none", "a@b", "$$a@b.com$$"]),
        ("address", ["", "Town", "浙江省 杭州市**路", "##密文密文密文"]),
        ("device", ["", "-", "N/A", "null", "0", "$$密文", "ab**cd"]),
    ],
)  # fmt: skip
def test_what_says_nothing_has_no_hash(kind, cells):
    assert hash_of(cells, kind, KEY) == [None] * len(cells)


def test_numbers_of_two_countries_and_things_of_two_kinds_differ():
    chinese, american = hash_of(["15551234567", "+1 555 123 4567"], "phone", KEY)
    (login,) = hash_of(["15551234567"], "login", KEY)
    assert len({chinese, american, login}) == 3
    assert hash_of(["15551234567"], "phone", bytes(32)) != [chinese]


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    key = identity_key(tmp_path)
    assert len(key) == 32 and identity_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "identity.key").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["identity.key"]


def test_what_is_no_key_is_refused_not_replaced(tmp_path):
    (tmp_path / "identity.key").write_text("abc")
    with pytest.raises(ShopError, match="is no key"):
        identity_key(tmp_path)
    assert (tmp_path / "identity.key").read_text() == "abc"


def test_nothing_personal_gets_into_any_file_of_the_tables(build):
    rows = "1,2024-01-01,5,a,+86 13800001234,Buyer@Example.org\n2,2024-01-02,x,b,13800009999,other@example.org\n"
    built = build({"orders.csv": ORDERS + rows})
    written = b"".join(p.read_bytes() for p in built.folder.parent.rglob("*") if p.is_file())
    for plain in (b"13800001234", b"13800009999", b"example", b"Example"):
        assert plain not in written
    assert built.quarantine == [("orders.csv", 3, "not an amount", "amount")]
    (cells,) = pd.read_csv(built.folder / "quarantine.csv").cells
    assert json.loads(cells)["phone_hash"] == json.loads(cells)["email_hash"] == "█"
    key = identity_key(built.store.folder)
    assert built.orders.phone_hash.tolist() == hash_of(["13800001234"], "phone", key)


def test_another_key_makes_other_tables(build):
    built = build({"orders.csv": ORDERS + "1,2024-01-01,5,a,13800001234,\n"})
    before, first = built.accounting["key"], built.orders.phone_hash[0]
    assert ingest(built.store)["key"] == before
    (built.store.folder / "identity.key").write_text("ff" * 32)
    assert ingest(built.store)["key"] != before
    assert built.orders.phone_hash[0] == hash_of(["13800001234"], "phone", b"\xff" * 32)[0] != first


def test_a_frame_brings_its_hashes_as_text():
    orders = pd.DataFrame(
        {"order_id": ["1", "2"], "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-02"]), "amount": [1.0, 2.0],
         "phone_hash": ["ab", None], "device_hash": [12, 13]}
    )  # fmt: skip
    table = shop_from(orders=orders).orders
    assert table.schema()["phone_hash"].is_string() and table.schema()["device_hash"].is_string()
    assert table.order_by("order_id").to_pandas().device_hash.tolist() == ["12", "13"]
