"""Stories of data health: what the page on the files says is what ingest wrote down and what the ledger holds."""

import datetime as dt
import math

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from playbook.data import quality
from playbook.data.schema import TABLES
from playbook.missing import Missing
from playbook.shop import open_shop, shop_from

HEAD = "order_id,ordered_at,amount,customer_id\n"
FIRST = HEAD + "A,2024-01-01 00:30:00,10,u\nB,2024-01-01 23:30:00,20,v\nC,2024-01-04 12:00:00,30,\n"
SECOND = HEAD + "A,2024-01-01 00:30:00,10,u\nB,2024-01-01 23:30:00,25,v\n\nD,soon,40,w\nE,2024-02-01 00:00:00,50,u\n"


@pytest.fixture
def shop(build):
    """Two overlapping exports and a copy: 3 + 5 + 5 rows; one quarantined, one superseded, one repeated, one blank."""
    build({"orders_1.csv": FIRST, "orders_2.csv": SECOND, "orders_2b.csv": SECOND, "notes.docx": b"x"})
    return open_shop("corner", "2024-01")


def test_every_file_has_a_row_whose_counts_add_up_to_what_was_read(shop):
    found = quality.sources(shop.accounting()).set_index("file")
    assert found.loc["orders_1.csv"].tolist() == [3, 1, 1, 1, 0, 0, 60.0]
    assert found.loc["orders_2.csv"].tolist() == [5, 3, 0, 0, 1, 1, 125.0]
    assert found.loc["orders_2b.csv"].tolist()[1:6] == [0, 0, found["read"]["orders_2b.csv"], 0, 0]
    assert math.isnan(found.file_total["orders_2b.csv"])
    parts = found[["accepted", "superseded", "duplicate", "skipped", "quarantined"]].sum(axis=1)
    assert (parts == found["read"]).all()


def test_the_money_of_a_file_is_in_its_outcomes(shop):
    found = quality.money(shop.accounting()).set_index("file")
    assert found.loc["orders_1.csv"].tolist() == [60, 30, 20, 10, 0, 0]  # C stands; B was replaced; A came again
    assert found.loc["orders_2.csv"].tolist() == [125, 85, 0, 0, 0, 40]
    assert "orders_2b.csv" not in found.index


def test_columns_that_nothing_maps_are_named_and_what_stands_in_them_is_not(build):
    build({"orders.csv": "id,time,amount,phone\n1,2024-01-01 10:00:00,5,13800001111\n"})
    (row,) = quality.fields(open_shop("corner", "2024-01").accounting()).to_dict("records")
    assert (row["used"], row["unused"]) == (3, ("phone",))
    assert "13800001111" not in str(row)


def test_a_copy_has_as_many_rows_as_what_it_is_a_copy_of(shop):
    read = quality.sources(shop.accounting()).set_index("file")["read"]
    assert read["orders_2b.csv"] == read["orders_2.csv"] == 5


def test_what_kind_of_export_each_file_is(shop):
    found = quality.kinds(shop.accounting()).set_index("file")
    assert found.loc["orders_1.csv"].tolist() == ["the book's own table orders", "utf-8"]
    assert found.loc["orders_2b.csv"].tolist() == ["a copy of orders_2.csv", ""]


def test_classes_add_up_to_the_file_in_rows_and_money(shop):
    found = quality.classes(shop.accounting()).groupby("file")[["rows", "money"]].sum()
    assert found.loc["orders_1.csv"].tolist() == [3, 60]
    assert found.loc["orders_2.csv"].tolist() == [4, 125]  # the blank line is no row of any class


def test_reach_is_told_in_the_shops_own_time(shop):
    found = quality.reach(shop.rows()).set_index("file")
    assert found.loc["orders_1.csv"].tolist() == [
        3, 60.0, 3, 2, pd.Timestamp(2024, 1, 1, 0, 30), pd.Timestamp(2024, 1, 4, 12),
    ]  # fmt: skip
    assert found["rows"].to_dict() == {"orders_1.csv": 3, "orders_2.csv": 4}
    assert found["last"]["orders_2.csv"] == pd.Timestamp(2024, 2, 1)


def test_reach_until_a_moment_leaves_out_what_came_then_or_says_no_time(shop):
    found = quality.reach(shop.rows(), until=dt.datetime(2024, 2, 1)).set_index("file")
    assert found["rows"].to_dict() == {"orders_1.csv": 3, "orders_2.csv": 2}
    assert found.file_total.to_dict() == {"orders_1.csv": 60.0, "orders_2.csv": 35.0}
    later = quality.reach(shop.rows(), until=dt.datetime(2024, 2, 1, 0, 0, 1)).set_index("file")
    assert later["rows"]["orders_2.csv"] == 3 and later.file_total["orders_2.csv"] == 85


def test_a_day_without_rows_between_a_files_first_and_last_one_shows_as_a_gap(shop):
    found = quality.days(shop.rows())
    first = found[found.file == "orders_1.csv"]
    assert first.day.dt.strftime("%m-%d").tolist() == ["01-01", "01-02", "01-03", "01-04"]
    assert first["rows"].tolist() == [2, 0, 0, 1]
    assert found[found.file == "orders_2.csv"]["rows"].sum() == 3 and len(found) == 4 + 32


def test_the_plot_of_days_draws_the_rows_of_all_files(shop):
    ax = quality.plot_days(quality.days(shop.rows()))
    heights = {round(y) for path in ax.collections[0].get_paths() for _x, y in path.vertices}
    assert heights == {0, 1, 4} and ax.get_ylabel() == "rows a day"
    plt.close(ax.figure)


def test_tables_are_listed_with_their_rows_and_those_that_are_lacking_with_none(shop):
    found = quality.tables(shop.accounting())
    assert len(found) == len(TABLES) and found.iloc[0].tolist()[:2] == ["orders", 4]
    assert (found["rows"].iloc[1:] == 0).all() and found.table.is_unique
    (note,) = found.attrs["notes"]
    assert note.startswith("Not there yet: ad_spend, ") and " orders," not in note


def test_what_was_assumed_is_listed(shop):
    found = quality.rules(shop.accounting())
    assert set(found.kind) == {"assumption"} and found.text.tolist() == shop.accounting()["assumptions"]
    for what in ("CNY was taken", "Asia/Shanghai was taken", "an order counts as paid when it was placed"):
        assert found.text.str.contains(what).sum() == 1


# --- findings --------------------------------------------------------------------------------------


def account(**file):
    counts = dict.fromkeys(["read", "accepted", "superseded", "duplicate", "skipped", "quarantined"], 0) | file
    entry = {"file": "o.csv", "title": "t", "encoding": "utf-8", "file_total": None, "classes": []} | counts
    return {"files": [entry], "checks": [], "assumptions": [], "passed_over": [], "tables": {}}


@pytest.mark.parametrize(
    ("read", "bad", "verdict"),
    [(1000, 0, "hold"), (1000, 1, "watch"), (1000, 10, "watch"), (1000, 11, "act"), (0, 0, "hold")],
)
def test_more_than_one_row_in_a_hundred_in_quarantine_calls_for_action(read, bad, verdict):
    (found,) = quality.findings(account(read=read, accepted=read - bad, quarantined=bad))
    assert found.verdict == verdict
    assert {f.name: f.value for f in found.figures} == {"rows_read": read, "rows_quarantined": bad}


def test_the_share_that_calls_for_action_is_the_readers_choice():
    (found,) = quality.findings(account(read=1000, accepted=999, quarantined=1), act_above=0.0005)
    assert found.verdict == "act"


def test_the_sentence_says_the_numbers(shop):
    found = quality.findings(shop.accounting())
    assert [f.verdict for f in found] == ["act", "watch"]
    assert "1 could not be read" in found[0].text and "3 files" in found[0].text and "quarantine.csv" in found[0].text
    assert found[1].text.startswith("notes.docx was passed over")


def test_a_broken_rule_calls_for_action_and_says_how_many_rows_break_it():
    accounting = account(read=9, accepted=9) | {
        "checks": [
            {"text": "Money ties.", "rows": 9, "broken": 2, "format": "x"},
            {"text": "It holds.", "rows": 9, "broken": 0, "format": "x"},
        ]
    }
    rest, broken = quality.findings(accounting)
    assert (rest.verdict, broken.verdict) == ("hold", "act")
    assert broken.text == "2 of 9 rows break a rule of their export: Money ties."
    assert [(f.name, f.value, f.by) for f in broken.figures] == [("rule_broken", 2, {"rule": "Money ties."})]
    assert quality.rules(accounting)[["kind", "rows", "broken"]].values.tolist() == [["rule", 9, 2], ["rule", 9, 0]]


def test_rows_that_repeat_are_told_with_their_money():
    accounting = account(
        read=9, accepted=9, repeated=2, repeated_money="10.5000", repeated_why="The till writes twice."
    )
    (row,) = quality.rules(accounting).to_dict("records")
    assert (row["kind"], row["text"], row["rows"], row["money"]) == ("repeated rows", "The till writes twice.", 2, 10.5)


def test_a_shop_made_of_frames_has_no_files_to_speak_of():
    orders = pd.DataFrame({"order_id": ["1"], "ordered_at": pd.to_datetime(["2024-01-01"]), "amount": [5.0]})
    shop = shop_from(orders=orders)
    for answer in (quality.sources(shop.accounting()), quality.reach(shop.rows()), quality.findings(shop.accounting())):
        assert isinstance(answer, Missing) and "A shop made from frames has no files." in answer.sentence()
