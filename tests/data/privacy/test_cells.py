"""What leaves the shop names nobody, also not by subtraction."""

import datetime as dt

import pandas as pd
import pytest

from playbook.data.privacy import CLASSES, class_of, suppressed, with_consent
from playbook.missing import Missing


def test_a_small_cell_is_hidden_and_another_so_that_the_total_does_not_tell():
    frame = pd.DataFrame({"city": list("abcde"), "people": [500, 4, 60, 30, 0], "sales": [9.5, 1.5, 2.5, 3.5, 0.0]})
    out = suppressed(frame, n="people")
    assert out.hidden.tolist() == [False, True, False, True, False]
    assert out.people.isna().tolist() == out.sales.isna().tolist() == out.hidden.tolist()
    assert out.people[0] == 500 and out.sales[2] == 2.5 and frame.people.tolist() == [500, 4, 60, 30, 0]


def test_nothing_is_hidden_where_nothing_is_small():
    frame = pd.DataFrame({"city": ["a", "b"], "people": [10, 11]})
    assert suppressed(frame, n="people").hidden.sum() == 0 == suppressed(frame, n="people", at_least=1).hidden.sum()
    assert suppressed(frame, n="people", at_least=11).hidden.all()


def test_several_small_cells_that_add_up_to_few_people_take_another_with_them():
    frame = pd.DataFrame({"city": list("abc"), "people": [2, 3, 40]})
    assert suppressed(frame, n="people").hidden.all()


def test_in_a_table_of_two_ways_neither_the_rows_nor_the_columns_give_a_cell_away():
    rows = [("x", "f", 3), ("x", "m", 50), ("x", "o", 41), ("y", "f", 70), ("y", "m", 30), ("y", "o", 22), ("z", "f", 90),
            ("z", "m", 80), ("z", "o", 35)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["city", "gender", "people"])
    out = suppressed(frame, n="people")
    assert out.hidden[0]
    for by in ("city", "gender"):
        for _value, group in out.groupby(by):
            assert group.hidden.sum() != 1
            true = frame.people[group.index][group.hidden]
            assert not len(true) or true.sum() >= 10
    assert out.hidden.sum() == 4  # no more than a rectangle


def test_only_those_who_agreed_by_then_may_be_written_to():
    at = dt.datetime(2024, 6, 1)
    people = pd.DataFrame(
        {"customer_id": list("abcde"), "consent_marketing": [True, False, None, True, True],
         "consent_at": pd.to_datetime(["2024-05-01", "2024-05-01", "2024-05-01", "2024-07-01", None])}
    )  # fmt: skip
    assert set(with_consent(people, at=at).to_pandas().customer_id) == {"a", "e"}
    import ibis

    left = ibis.memtable(pd.DataFrame({"customer_id": ["e"], "unsubscribed_at": [pd.Timestamp("2024-05-30")]}))
    assert set(with_consent(people, at=at, messages=left).to_pandas().customer_id) == {"a"}
    assert isinstance(with_consent(people[["customer_id"]], at=at), Missing)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("收货人姓名", "direct"), ("联系手机", "direct"), ("Buyer Phone", "direct"), ("shippingAddress", "direct"),
        ("买家留言", "direct"), ("E-mail", "direct"), ("客户_备注", "direct"), ("Gender", "quasi"), ("邮编", "quasi"),
        ("银行卡号", "sensitive"), ("商品名称", "none"), ("Campaign name", "none"), ("total", "none"), ("数量", "none"),
    ],
)  # fmt: skip
def test_a_header_tells_what_a_column_that_nobody_mapped_may_hold(header, kind):
    assert class_of(header) == kind in CLASSES
