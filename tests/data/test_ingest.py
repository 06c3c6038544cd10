"""Stories of ingest: raw exports become tables, every row is accounted for, and what cannot be used is said."""

import codecs
import csv
import datetime as dt
import hmac
import io
import os
import re
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.data.ingest import build as building
from playbook.data.ingest import ingest
from playbook.data.ingest.parse import NOTHING
from playbook.data.keyed import identity_key
from playbook.data.schema import TABLES
from playbook.data.store import ShopError, Store, open_store
from playbook.metrics.measure import measure
from playbook.shop import open_shop

HEAD = "id,time,amount\n"
ROW = "1,2024-01-01 10:00:00,5\n"

MAP = '[map.orders]\norder_id = ["订单号", "单号"]\nordered_at = "下单时间"\namount = "实付金额"\nregion = "省份"\n'
SALES = pd.DataFrame(
    {
        "订单号": ["0007", "6917926768823643751", "0009"],
        "下单时间": ["2024-03-01 00:01:00", "2024-03-01 23:59:00", "2024-07-01 12:00:00"],
        "实付金额": [1234.5, 0.25, -3.0],
        "省份": ["上海", "广东省", None],
    }
)

FIELDS = (
    '[fields]\nno = { type = "id", needed = true }\nmade = { type = "time", needed = true }\nsum = { type = "money" }\n'
)
LOCAL = pd.to_datetime(SALES.下单时间).dt.tz_localize("Asia/Shanghai")  # the same times with their offset
OTHER_NAMES = SALES.rename(columns={"订单号": " 单号", "实付金额": "实付金额 "})

TABLE = '[table.orders]\norder_id = "no"\nordered_at = "made"\namount = "sum"\n'
PLAIN = "no,made,sum\n1,2024-01-01 10:00:00,5\n2,2024-01-02 10:00:00,7\n"

INVOICES = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "536365,85123A,HOLDER,6,2011-07-01 12:00:00,2.55,17850.0,United Kingdom\n"
)


def utc(*parts):
    return pd.Timestamp(*parts)


def assert_ties(built):
    """Every row read has one outcome, the ledger of rows says the same, and money ties likewise."""
    ledger = built.ledger
    for f in built.accounting["files"]:
        if "copy_of" in f:
            assert not (ledger.file == f["file"]).any()
            continue
        outcomes = {o: f[o] for o in ("accepted", "superseded", "duplicate", "quarantined", "skipped")}
        assert f["read"] == sum(outcomes.values())
        assert f["skipped"] == f["blank"] + f["preamble"] + f["totals"]
        mine = ledger[ledger.file == f["file"]]
        counted = dict.fromkeys(outcomes, 0) | mine.outcome.value_counts().to_dict()
        # a blank line and a preamble say nothing that a ledger could hold
        assert f["totals"] <= counted.pop("skipped") <= outcomes.pop("skipped")
        assert counted == outcomes
        assert mine.row.dropna().is_unique  # a broken record has no number
        money = mine.groupby("outcome").money.sum()
        assert {o: Decimal(m) for o, m in f["money"].items() if o in money} == money.to_dict()
        by_class = sum((Decimal(c["money"]) for c in f["classes"] if c["money"] is not None), Decimal(0))
        assert money.sum() == by_class == Decimal(f["file_total"])
    assert len(built.quarantine) == sum(f.get("quarantined", 0) for f in built.accounting["files"])


# --- the least that a shop needs -------------------------------------------------------------------


def test_three_columns_are_enough_and_what_is_assumed_is_said(build):
    built = build({"o.csv": HEAD + "1,2024-01-01 10:00:00,5.5\n2,2024-01-02 00:30:00,7\n"})
    assert built.accounting["tables"] == {"orders": 2}
    orders = built.orders
    assert list(orders.columns) == ["order_id", "ordered_at", "amount", "paid_at"]
    assert orders.ordered_at.tolist() == [utc(2024, 1, 1, 2), utc(2024, 1, 1, 16, 30)]
    assert (orders.paid_at == orders.ordered_at).all()
    assert orders.amount.tolist() == [Decimal("5.5"), Decimal("7")]
    assert (built.accounting["currency"], built.accounting["zone"]) == ("CNY", "Asia/Shanghai")
    currency, zone, paid = built.accounting["assumptions"]
    assert currency == "The exports do not state their currency: CNY was taken; shop.toml can say otherwise."
    assert zone == "The exports do not state their zone: Asia/Shanghai was taken; shop.toml can say otherwise."
    assert "an order counts as paid when it was placed" in paid
    assert_ties(built)


def test_what_the_settings_say_is_not_assumed(build):
    built = build({"o.csv": HEAD + ROW}, 'currency = "GBP"\nzone = "Europe/London"\n')
    assert (built.accounting["currency"], built.accounting["zone"]) == ("GBP", "Europe/London")
    assert len(built.accounting["assumptions"]) == 1 and "counts as paid" in built.accounting["assumptions"][0]
    assert built.orders.ordered_at.tolist() == [utc(2024, 1, 1, 10)]


def test_a_payment_time_is_taken_and_an_order_without_one_is_unpaid(build):
    built = build({"o.csv": "id,time,amount,付款时间\n1,2024-01-01,5,2024-01-02\n2,2024-01-01,7,\n"}, 'zone = "UTC"\n')
    assert built.orders.paid_at.tolist() == [utc(2024, 1, 2), pd.NaT]
    assert not any("counts as paid" in a for a in built.accounting["assumptions"])


def test_a_shop_whose_orders_are_all_unpaid_has_sold_nothing(build):
    build({"orders.csv": "order_id,ordered_at,amount,paid_at\n1,2024-01-01,5,\n2,2024-01-02,7,\n"})
    figures = measure(open_shop("corner", "2024-01"), ["orders_placed", "orders_paid", "net_sales"])
    assert figures.set_index("metric").value.to_dict() == {"orders_placed": 2, "orders_paid": 0, "net_sales": 0}


def test_a_file_without_payment_times_beside_one_that_has_them_is_not_all_unpaid(build):
    built = build(
        {"a.csv": "id,time,amount,paid_at\n1,2024-01-01,5,2024-01-02\n", "b.csv": "id,time,amount\n2,2024-01-03,7\n"}
    )
    assert built.orders.paid_at.tolist() == [utc(2024, 1, 1, 16), utc(2024, 1, 2, 16)]
    (said,) = [a for a in built.accounting["assumptions"] if "counts as paid" in a]
    assert said.startswith("b.csv: ")


# --- one export in many dresses --------------------------------------------------------------------


def dressed(rows, *, encoding="utf-8", sep=",", end="\n"):
    return rows.to_csv(index=False, sep=sep, lineterminator=end).encode(encoding)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", SALES),
        ("a.csv.gz", SALES),
        ("a.xlsx", SALES),
        ("a.parquet", SALES),
        ("a.CSV", dressed(SALES, encoding="utf-8-sig")),
        ("a.csv", dressed(SALES, encoding="gb18030")),
        ("a.csv", dressed(SALES, encoding="utf-16")),
        ("a.csv", dressed(SALES, encoding="utf-16", sep="\t", end="\r\n")),
        ("a.csv", dressed(SALES, end="\r\n")),
        ("a.txt", dressed(SALES, sep=";")),
        ("a.tsv", dressed(SALES, sep="\t")),
        ("a.csv", dressed(OTHER_NAMES[["省份", "实付金额 ", "下单时间", " 单号"]])),
        ("a.csv", dressed(SALES.assign(订单号="\t" + SALES.订单号, 实付金额=["￥1,234.50", "0.25", "-3"]))),
        ("a.xlsx", SALES.assign(下单时间=pd.to_datetime(SALES.下单时间))),
        ("a.parquet", SALES.assign(下单时间=pd.to_datetime(SALES.下单时间))),
        ("a.parquet", SALES.assign(下单时间=LOCAL)),
        ("a.parquet", SALES.assign(下单时间=LOCAL.dt.tz_convert("UTC"))),
        ("a.csv", SALES.assign(下单时间=LOCAL.dt.tz_convert("UTC"))),
    ],
    ids=[
        "csv", "gz", "xlsx", "parquet", "bom", "gb18030", "utf16", "utf16_tab", "crlf",
        "semicolon", "tab", "aliases", "decorated", "xlsx_time", "parquet_time", "parquet_shanghai",
        "parquet_utc", "csv_offset",
    ],
)  # fmt: skip
def test_a_mapped_export_gives_the_same_orders_in_any_dress(build, name, content):
    built = build({name: content, "formats/my.toml": MAP})
    orders = built.orders
    assert list(orders.columns) == ["order_id", "ordered_at", "amount", "paid_at", "region"]
    assert orders.order_id.tolist() == ["0007", "0009", "6917926768823643751"]
    assert orders.ordered_at.tolist() == [utc(2024, 2, 29, 16, 1), utc(2024, 7, 1, 4), utc(2024, 3, 1, 15, 59)]
    assert orders.amount.tolist() == [Decimal("1234.5"), Decimal("-3"), Decimal("0.25")]
    assert orders.region.fillna("").tolist() == ["上海", "", "广东省"]
    f = built.file(name)
    assert (f["format"], f["read"], f["accepted"], f["file_total"]) == ("my", 3, 3, "1231.7500")
    assert_ties(built)


def test_a_decimal_comma_that_the_format_announces(build):
    toml = f'decimal = ","\ncurrency = "EUR"\nzone = "Europe/Berlin"\n{MAP}'
    rows = SALES.assign(实付金额=["1.234,50", "0,25", "-3"])
    built = build({"a.csv": dressed(rows, sep=";", encoding="utf-8-sig"), "formats/my.toml": toml})
    assert built.file("a.csv")["file_total"] == "1231.7500" and built.accounting["currency"] == "EUR"
    assert built.orders.ordered_at[2] == utc(2024, 3, 1, 22, 59)  # Berlin is an hour ahead in winter
    assert built.orders.ordered_at[1] == utc(2024, 7, 1, 10)  # and two in summer


def test_numbers_that_a_spreadsheet_made_of_identifiers(build):
    built = build({"o.csv": HEAD + "17850.0,2024-01-01,1\n0017,2024-01-01,2\n6.9E+18,2024-01-01,4\n"})
    assert built.orders.order_id.tolist() == ["0017", "17850"]
    assert built.quarantine == [("o.csv", 4, "damaged number", "order_id")]
    assert built.file("o.csv")["file_total"] == "7.0000"  # the file's money ties, whatever becomes of the row


@pytest.mark.parametrize("name", ["o.xlsx", "o.parquet"])
def test_an_identifier_that_is_a_float_in_the_file_has_lost_its_digits(build, name):
    rows = pd.DataFrame({"id": [17850.0, 6917926768823643751.0], "time": ["2024-01-01"] * 2, "amount": [1.0, 2.0]})
    built = build({name: rows})
    assert built.orders.order_id.tolist() == ["17850"]
    assert [(f, reason, field) for f, _line, reason, field in built.quarantine] == [
        (name, "damaged number", "order_id")
    ]


def test_times_that_state_their_offset_are_taken_at_their_word_beside_local_ones(build):
    times = ["2024-07-01 12:00:00", "2024-01-01 12:00:00", "2024-07-01 12:00:00 +0400", "2024-07-01T12:00:00Z"]
    text = HEAD + "".join(f"{i},{t},1\n" for i, t in enumerate(times))
    orders = build({"o.csv": text}, 'zone = "Europe/London"\n').orders
    assert orders.ordered_at.tolist() == [
        utc(2024, 7, 1, 11),
        utc(2024, 1, 1, 12),
        utc(2024, 7, 1, 8),
        utc(2024, 7, 1, 12),
    ]


# --- what becomes of every row ---------------------------------------------------------------------


def test_a_cell_that_cannot_be_read_sends_its_row_to_quarantine_by_line_and_field(build):
    text = (
        "id,time,amount,discount,note\n"
        '1,2024-01-01,5,,"two\nlines, a ""quote"""\n'
        "2,soon,5,,\n\n3,2024-01-01,,,\n4,2024-01-01,5,much,13812345678\n"
    )
    built = build({"o.csv": text})
    assert built.quarantine == [
        ("o.csv", 4, "not a time", "ordered_at"),
        ("o.csv", 6, "empty", "amount"),
        ("o.csv", 7, "not an amount", "discount"),
    ]
    assert built.orders.order_id.tolist() == ["1"]
    f = built.file("o.csv")
    assert (f["read"], f["accepted"], f["quarantined"], f["blank"]) == (5, 1, 3, 1)
    assert "13812345678" not in (built.folder / "quarantine.csv").read_text(encoding="utf-8-sig")
    assert_ties(built)


def test_personal_cells_of_a_row_in_quarantine_are_blacked_out(build):
    toml = f"{FIELDS}phone = {{ personal = true }}\ncity = {{ }}\n{TABLE}"
    built = build({"o.csv": "no,made,sum,phone,city\n1,soon,5,13812345678,上海\n", "formats/mine.toml": toml})
    assert built.quarantine == [("o.csv", 2, "not a time", "made")]
    said = (built.folder / "quarantine.csv").read_text(encoding="utf-8-sig")
    assert "上海" in said and "█" in said and "13812345678" not in said


@pytest.mark.parametrize("times", [1, 2])
def test_a_quotation_mark_within_a_cell_is_a_quotation_mark(build, times):
    """Inches: nothing has to be quarantined, and no row swallowed, whether the marks of the file pair up or not."""
    rows = [f"{i},2024-01-01,5,x\n" for i in range(10)]
    rows[3:3] = ['A,2024-01-01,7,5" pipe\n']
    rows[8:8] = ['B,2024-01-01,7,6" pipe\n'] if times == 2 else []
    built = build({"orders.csv": "order_id,ordered_at,amount,note\n" + "".join(rows)})
    assert built.quarantine == [] and built.accounting["tables"] == {"orders": 10 + times}
    assert built.orders.set_index("order_id").note["A"] == '5" pipe'


RAGGED = (
    "id,time,amount,note\n"
    "1,2024-01-01,5,x\n"
    "2,2024-01-01,5\n"  # line 3: too short
    "\n"
    '3,2024-01-01,5,"two\nlines"\n'
    "4,2024-01-01,five,x\n"  # line 7: unreadable
    "\n"
    "5,2024-01-01,5,x,y\n"  # line 9: too long
    '"6"x,2024-01-01,5,x\n'  # line 10: a quotation mark in the wrong place
    "7,2024-01-01,seven,x\n"  # line 11: unreadable
    "8,2024-01-01,8,x,,\n"  # nothing but empty cells too many
)


@pytest.mark.parametrize("blanks", [True, False])
def test_rows_that_do_not_fit_the_header_are_in_quarantine_with_their_line(build, blanks):
    text = RAGGED if blanks else RAGGED.replace("\n\n", "\n")
    built = build({"o.csv": text})
    third = 5 if blanks else 4
    assert built.quarantine == [
        ("o.csv", 3, "number of columns", ""),
        ("o.csv", third + 2, "not an amount", "amount"),
        ("o.csv", third + 3 + blanks, "number of columns", ""),
        ("o.csv", third + 4 + blanks, "quotation marks", ""),
        ("o.csv", third + 5 + blanks, "not an amount", "amount"),
    ]
    f = built.file("o.csv")
    assert (f["read"], f["accepted"], f["quarantined"], f["blank"]) == (8 + 2 * blanks, 3, 5, 2 * blanks)
    assert built.orders.order_id.tolist() == ["1", "3", "8"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('4,2024-01-01,7,"5" pipe', "quotation marks"),
        ('4,2024-01-01,7,"opened and never closed', "quotation marks"),
        ("4,2024-01-01,7,caf\udcff", "damaged bytes"),
    ],
    ids=["stray", "unclosed", "bytes"],
)
@pytest.mark.parametrize("times", [1, 2])
def test_one_damaged_row_costs_that_row_and_no_other(build, bad, reason, times):
    rows = [f"{i},2024-01-01,5,名{i}" for i in range(10, 40)]
    rows[20:20] = [bad]
    if times == 2:
        rows[25:25] = [bad]
    built = build({"o.csv": ("id,time,amount,note\n" + "\n".join(rows)).encode("utf-8", "surrogateescape")})
    assert built.quarantine == [("o.csv", line, reason, "") for line in (22, 27)[:times]]
    f = built.file("o.csv")
    assert (f["read"], f["accepted"], f["quarantined"]) == (30 + times, 30, times)
    assert built.orders.order_id.tolist() == [str(i) for i in range(10, 40)]


def test_the_ledger_of_rows_holds_rows_that_do_not_fit_the_header_too(build):
    built = build({"o.csv": HEAD + "1,2024-01-01,5\n2,2024-01-01\n3,2024-01-01,x\n"})
    assert built.ledger.outcome.tolist() == ["accepted", "quarantined", "quarantined"]
    assert_ties(built)


def test_lines_are_right_far_down_a_file_that_is_read_in_several_pieces(build):
    """15 MB: more than two of the engine's buffers, with quoted line feeds and blank lines on the way."""
    rows = [f"{i},2024-01-01 10:00:00,1,{'a' * 40}\n" for i in range(220_000)]
    rows[::1000] = [f'{i},2024-01-01 10:00:00,1,"{"a" * 40}\n"\n' for i in range(0, 220_000, 1000)]
    rows[50_000] = "short,2024-01-01\n"
    rows[150_000] = "bad,2024-01-01,one,x\n"
    rows[199_999] = "long,2024-01-01,1,x,y,z\n"
    rows[210_000] = "bad,soon,1,x\n"
    text = "id,time,amount,note\n" + "".join(rows[:100_000]) + "\n\n" + "".join(rows[100_000:])
    built = build({"o.csv": text})

    def line(i):
        return 2 + i + (i + 999) // 1000 - sum(k < i for k in (50_000, 150_000, 210_000)) + 2 * (i >= 100_000)

    assert built.quarantine == [
        ("o.csv", line(50_000), "number of columns", ""),
        ("o.csv", line(150_000), "not an amount", "amount"),
        ("o.csv", line(199_999), "number of columns", ""),
        ("o.csv", line(210_000), "not a time", "ordered_at"),
    ]
    f = built.file("o.csv")
    assert (f["read"], f["blank"], f["accepted"], f["quarantined"]) == (220_002, 2, 219_996, 4)
    assert text.split("\n")[line(199_999) - 1] == "long,2024-01-01,1,x,y,z"


def test_blank_lines_are_counted_wherever_they_stand(build):
    built = build({"o.csv": f"\n\n{HEAD}\n{ROW}\n\n2,2024-01-02,7\n\n"})
    f = built.file("o.csv")
    assert (f["read"], f["blank"], f["accepted"], f["file_total"]) == (8, 6, 2, "12.0000")
    assert_ties(built)


@pytest.mark.parametrize("name", ["o.csv", "o.xlsx"])
def test_a_row_of_empty_cells_is_blank(build, name):
    rows = pd.DataFrame({"id": ["1", None, "2"], "time": ["2024-01-01", None, "2024-01-02"], "amount": [5, None, 7]})
    built = build({name: rows})
    f = built.file(name)
    assert (f["read"], f["blank"], f["accepted"], f["quarantined"]) == (3, 1, 2, 0)


def test_a_blank_line_in_a_file_of_one_column_is_no_row(build):
    built = build({"o.csv": HEAD + ROW, "suppliers.csv": "supplier_id\ns1\n\ns2\n"})
    assert built.table("suppliers").supplier_id.tolist() == ["s1", "s2"]
    assert (built.file("suppliers.csv")["read"], built.file("suppliers.csv")["blank"]) == (3, 1)


def test_a_header_alone_is_a_file_of_no_rows(build):
    built = build({"o.csv": HEAD})
    assert built.accounting["tables"] == {"orders": 0} and built.file("o.csv")["read"] == 0
    with pytest.raises(ShopError, match=r"corner has no orders: check the files in data/corner/raw/"):
        open_shop("corner")


def test_a_preamble_and_rows_of_totals_are_skipped_by_rule_and_counted(build):
    toml = f"totals = \"no_raw LIKE 'Total%'\"\n{FIELDS}{TABLE}"
    text = f'Order report\n"1 to 2 January, 2024"\n\n{PLAIN}Total: day,2024-01-02,7\nTotal,,12\n'
    built = build({"o.csv": text, "formats/mine.toml": toml})
    f = built.file("o.csv")
    assert (f["read"], f["accepted"], f["skipped"]) == (7, 2, 5)
    assert (f["preamble"], f["blank"], f["totals"], f["quarantined"]) == (2, 1, 2, 0)
    assert (f["money"]["accepted"], f["money"]["skipped"]) == ("12.0000", "19.0000")
    assert built.orders.amount.sum() == 12
    assert_ties(built)


ORDERS = "order_id,ordered_at,amount,status\n"
JANUARY = ORDERS + "A,2024-01-01,10,paid\nB,2024-01-02,20,placed\nC,2024-01-03,30,paid\n"
FEBRUARY = ORDERS + "A,2024-01-01,10.00,paid\nB,2024-01-02,25,paid\nD,2024-02-01,40,paid\n"


def test_a_later_export_supersedes_an_earlier_row_and_repeats_are_duplicates(build):
    built = build({"orders_2024-01.csv": JANUARY, "orders_2024-02.csv": FEBRUARY})
    assert dict(zip(built.orders.order_id, built.orders.amount, strict=True)) == {"A": 10, "B": 25, "C": 30, "D": 40}
    assert built.orders.status.tolist() == ["paid"] * 4
    first, second = built.file("orders_2024-01.csv"), built.file("orders_2024-02.csv")
    assert (first["accepted"], first["duplicate"], first["superseded"]) == (1, 1, 1)
    assert (second["accepted"], second["duplicate"], second["superseded"]) == (3, 0, 0)
    assert [(o, n, m) for c in first["classes"] for o, n, m in [(c["outcome"], c["rows"], c["money"])]] == [
        ("accepted", 1, "30.0000"),
        ("duplicate", 1, "10.0000"),
        ("superseded", 1, "20.0000"),
    ]
    assert (first["file_total"], second["file_total"]) == ("60.0000", "75.0000")
    assert_ties(built)


def test_which_export_is_the_later_one_is_told_by_its_name_not_by_the_files_clock(make_shop):
    store = make_shop("corner", {"orders_2024-02.csv": FEBRUARY, "orders_2024-01.csv": JANUARY})
    os.utime(store.raw / "orders_2024-02.csv", (1, 1))
    ingest(store)
    orders = pd.read_parquet(store.tables / "orders.parquet").set_index("order_id")
    assert orders.amount["B"] == 25


def test_the_time_of_the_export_in_its_name_goes_before_the_order_of_names(build):
    built = build({"orders_a_20240301.csv": FEBRUARY, "orders_b_20240201.csv": JANUARY})
    assert built.orders.set_index("order_id").amount["B"] == 25
    assert built.file("orders_a_20240301.csv")["exported_at"] == "2024-03-01 00:00:00"


def test_of_two_rows_from_exports_of_one_time_the_one_of_higher_rank_stands(build):
    toml = "key = [\"no\"]\nrank = \"CASE state WHEN 'done' THEN 2 WHEN 'open' THEN 1 END\"\n"
    toml += f"{FIELDS}state = {{ }}\n{TABLE}"
    text = "no,made,sum,state\n1,2024-01-01,5,done\n1,2024-01-01,6,open\n1,2024-01-01,7,\n"
    built = build({"o.csv": text, "formats/mine.toml": toml})
    assert built.orders.amount.tolist() == [5] and built.file("o.csv")["superseded"] == 2
    assert_ties(built)


def test_a_row_in_quarantine_does_not_supersede_a_good_one(build):
    built = build({"orders_1.csv": JANUARY, "orders_2.csv": ORDERS + "C,2024-01-03,thirty,paid\n"})
    assert dict(zip(built.orders.order_id, built.orders.amount, strict=True)) == {"A": 10, "B": 20, "C": 30}
    assert built.quarantine == [("orders_2.csv", 2, "not an amount", "amount")]
    assert_ties(built)


def test_one_order_number_on_two_platforms_is_two_orders(build):
    text = "platform,order_id,ordered_at,amount\ntmall,1,2024-01-01,5\njd,1,2024-01-01,7\ntmall,1,2024-01-01,6\n"
    built = build({"orders.csv": text})
    assert sorted(zip(built.orders.platform, built.orders.amount, strict=True)) == [("jd", 7), ("tmall", 6)]
    assert built.file("orders.csv")["superseded"] == 1


def test_one_order_in_two_kinds_of_export_is_refused_rather_than_counted_twice(build):
    said = refusal(build, {"orders.csv": ORDERS + "1,2024-01-01,5,paid\n", "sales.csv": HEAD + ROW})
    assert "canonical_orders" in said and "generic_orders" in said and "order_id" in said


def test_an_order_is_the_same_whether_or_not_an_export_names_the_platform(build):
    """Without the second file's platform its order cannot be told from the first one's."""
    with_platform = "platform,order_id,ordered_at,amount\ntmall,1,2024-01-01,5\n"
    built = build({"orders_1.csv": with_platform, "orders_2.csv": ORDERS + "1,2024-01-01,7,paid\n"})
    assert built.orders.amount.tolist() == [7]


def test_overlapping_exports_of_a_mapped_shop_do_not_count_an_order_twice(build):
    """The map says what the order's number is, so the table's key is known."""
    both = {"a_01.csv": dressed(SALES), "a_02.csv": dressed(SALES.assign(省份="北京")), "formats/my.toml": MAP}
    built = build(both)
    assert built.orders.order_id.tolist() == ["0007", "0009", "6917926768823643751"]
    assert set(built.orders.region) == {"北京"} and built.file("a_01.csv")["superseded"] == 3


def test_an_identical_copy_of_a_file_is_counted_once_and_named(build):
    text = HEAD + ROW + "2,2024-01-02,7\n"
    built = build({"a.csv": text, "sub/copy of a.csv": text})
    copy = built.file("sub/copy of a.csv")
    assert (copy["copy_of"], copy["read"], copy["sha256"]) == ("a.csv", 2, built.file("a.csv")["sha256"])
    assert built.accounting["tables"] == {"orders": 2} and built.orders.amount.sum() == 12
    assert_ties(built)


ITEMS = "order_id,product_id,quantity,amount\n1,p,1,5\n1,p,1,5\n1,q,2,6\n1,p,1,5\n"


def test_identical_lines_without_a_key_are_kept_and_counted(build):
    built = build({"orders.csv": ORDERS + "1,2024-01-01,21,paid\n", "order_items.csv": ITEMS})
    f = built.file("order_items.csv")
    assert (f["accepted"], f["repeated"], f["repeated_money"], f["file_total"]) == (4, 2, "10.0000", "21.0000")
    assert built.table("order_items").amount.sum() == 21
    assert_ties(built)


def dated(*days):
    lines = "{d},p,1,5,2024-01-0{d}\n{d},q,1,7,2024-01-0{d}\n"
    return "order_id,product_id,quantity,amount,ordered_at\n" + "".join(lines.format(d=d) for d in days)


def test_overlapping_files_without_a_key_are_refused_with_the_reason_and_the_remedy(build):
    said = refusal(build, {"order_items_1.csv": dated(1, 2, 3), "order_items_2.csv": dated(3, 4)}, 'zone = "UTC"\n')
    assert said == (
        "order_items_1.csv and order_items_2.csv hold the same rows between 2024-01-03 and 2024-01-03, and rows of "
        "this format have no number to tell repeats from doubles: keep one of the two files"
    )


def test_files_without_a_key_that_follow_each_other_are_taken(build):
    built = build({"order_items_1.csv": dated(1, 2), "order_items_2.csv": dated(3, 4)})
    assert built.table("order_items").amount.sum() == 48


def test_overlapping_files_without_a_key_or_a_time_are_refused_too(build):
    with pytest.raises(ShopError, match=r"order_items_1\.csv and order_items_2\.csv"):
        build({"order_items_1.csv": ITEMS, "order_items_2.csv": ITEMS + "2,r,1,9\n"})


def test_rows_are_told_apart_by_class_and_rules_that_break_are_counted(build):
    toml = (
        f'{FIELDS}{TABLE}where = "class = \'sale\'"\n'
        "[classes]\ngift = \"sum = 0\"\nback = \"sum < 0\"\nsale = \"true\"\n"
        '[[check]]\ntext = "No row is below nought."\nsql = "sum >= 0"\n'
        '[[check]]\ntext = "Every row has a number."\nsql = "no IS NOT NULL"\n'
    )  # fmt: skip
    text = "no,made,sum\n1,2024-01-01,5\n2,2024-01-01,0\n3,2024-01-01,-2\n4,2024-01-01,7\n5,2024-01-01,-1\n6,x,9\n"
    built = build({"o.csv": text, "formats/mine.toml": toml})
    assert built.orders.order_id.tolist() == ["1", "4"]
    f = built.file("o.csv")
    assert {(c["class"], c["outcome"]): (c["rows"], c["money"]) for c in f["classes"]} == {
        ("sale", "accepted"): (2, "12.0000"),
        ("gift", "accepted"): (1, "0.0000"),
        ("back", "accepted"): (2, "-3.0000"),
        ("sale", "quarantined"): (1, "9.0000"),
    }
    assert f["file_total"] == "18.0000"
    assert [(c["text"], c["rows"], c["broken"]) for c in built.accounting["checks"]] == [
        ("No row is below nought.", 5, 2),
        ("Every row has a number.", 5, 0),
    ]
    assert_ties(built)


def test_a_file_without_a_header_line_is_read_by_its_formats_list_of_names(build):
    toml = f'files = "log*"\nheader = ["no", "made", "sum"]\n{FIELDS}{TABLE}'
    built = build({"log.csv": PLAIN.split("\n", 1)[1], "formats/bare.toml": toml})
    assert built.orders.order_id.tolist() == ["1", "2"] and built.file("log.csv")["read"] == 2
    assert_ties(built)


def test_two_formats_with_chinese_names_live_side_by_side(build):
    files = {
        "a.csv": "甲,乙,丙\n1,2024-01-01,5\n",
        "b.csv": "丁,戊,己\n2,2024-01-01,7\n",
        "formats/天猫.toml": '[map.orders]\norder_id = "甲"\nordered_at = "乙"\namount = "丙"\n',
        "formats/京东.toml": '[map.orders]\norder_id = "丁"\nordered_at = "戊"\namount = "己"\n',
    }
    built = build(files)
    assert built.orders.amount.tolist() == [5, 7] and built.file("b.csv")["format"] == "京东"
    assert_ties(built)


SAMPLE = {
    "id": "007",
    "text": "words",
    "money": "1.5",
    "integer": "2",
    "number": "0.5",
    "share": "50%",
    "flag": "是",
    "time": "2024-01-01 10:00:00",
    "date": "2024-01-01",
}
TYPED = {
    "id": "007",
    "text": "words",
    "money": Decimal("1.5"),
    "integer": 2,
    "number": 0.5,
    "share": 0.5,
    "flag": True,
    "time": utc(2024, 1, 1, 10),
    "date": dt.date(2024, 1, 1),
}

PERSONAL = {
    "phone_hash": "+86 138-0000-1234",
    "email_hash": " Buyer@Example.ORG",
    "address_hash": "Road 1, Town",
    "login_hash": "ｏ-77",
    "device_hash": "d-9",
}
FOLDED = {
    "phone_hash": "13800001234",
    "email_hash": "buyer@example.org",
    "address_hash": "road1town",
    "login_hash": "o-77",
    "device_hash": "d-9",
}


def hmac_of(text, key):
    return hmac.new(key, text.encode(), "sha256").hexdigest()[:32]


def test_every_canonical_table_is_taken_with_all_its_columns(build):
    files = {
        f"{t.name}.csv": pd.DataFrame([{c.name: PERSONAL.get(c.name) or SAMPLE[c.type] for c in t.columns}])
        for t in TABLES.values()
    }
    built = build(files, 'zone = "UTC"\n')
    assert built.accounting["tables"] == dict.fromkeys(TABLES, 1)
    for t in TABLES.values():
        (row,) = built.table(t.name).to_dict("records")
        row = {
            k: v.date() if isinstance(v, pd.Timestamp) and t.by_name[k].type == "date" else v for k, v in row.items()
        }
        key = identity_key(built.store.folder)
        plain = {c.name: FOLDED[c.name] for c in t.columns if c.type == "hash"}
        hashes = {name: hmac_of(f"{name.removesuffix('_hash')}:{text}", key) for name, text in plain.items()}
        assert row == {c.name: hashes.get(c.name) or TYPED[c.type] for c in t.columns}, t.name


# --- once and again --------------------------------------------------------------------------------


def snapshot(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_ingesting_again_changes_nothing(build):
    built = build({"a.csv": HEAD + ROW, "b.xlsx": SALES, "formats/my.toml": MAP})
    before, raw = snapshot(built.store.folder / "tables"), snapshot(built.store.raw)
    assert {p.name for p in before} == {"current", "ingest.json", "orders.parquet", "quarantine.csv", "rows.parquet"}
    assert ingest(open_store("corner")) == built.accounting == built.store.accounting()
    assert snapshot(built.store.folder / "tables") == before and snapshot(built.store.raw) == raw


def test_of_two_that_build_at_once_one_waits_and_takes_what_the_other_built(build, monkeypatch):
    store = build({"a.csv": HEAD + ROW}).store
    shutil.rmtree(store.folder / "tables")
    began, real = [], building.build

    def slow(*of):
        began.append(of)
        time.sleep(0.3)
        return real(*of)

    monkeypatch.setattr(building, "build", slow)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(ingest, [open_store("corner"), open_store("corner")])
    assert one == other and len(began) == 1


@pytest.mark.parametrize(
    ("files", "settings"),
    [
        ({"a.csv": HEAD + ROW.replace(",5", ",6")}, ""),
        ({"b.csv": HEAD + ROW}, ""),
        ({"formats/my.toml": MAP}, ""),
        ({}, 'zone = "UTC"\n'),
    ],
    ids=["a byte", "a file", "a format", "a setting"],
)
def test_a_change_of_anything_that_the_tables_depend_on_rebuilds_them(build, files, settings):
    old = build({"a.csv": HEAD + ROW})
    folder = old.folder
    new = build(files, settings)
    assert new.accounting["key"] != old.accounting["key"] and new.folder.name == new.accounting["key"]
    assert not folder.exists() and new.folder.exists()


def test_new_bytes_give_new_numbers(build):
    assert build({"a.csv": HEAD + ROW}).orders.amount.tolist() == [5]
    assert build({"a.csv": HEAD + ROW.replace(",5", ",6")}).orders.amount.tolist() == [6]


def test_a_file_that_is_moved_is_accounted_for_under_its_new_name(build):
    store = build({"a/x.csv": HEAD + ROW}).store
    (store.raw / "b").mkdir()
    (store.raw / "a" / "x.csv").rename(store.raw / "b" / "x.csv")
    assert [f["file"] for f in ingest(store)["files"]] == ["b/x.csv"]


def test_a_file_of_an_unknown_kind_is_named_even_when_it_comes_later(build):
    assert build({"a.csv": HEAD + ROW}).accounting["passed_over"] == []
    assert build({"notes.docx": b"x"}).accounting["passed_over"] == ["notes.docx"]


def test_the_last_tables_stay_in_use_until_the_new_ones_are_whole(build, monkeypatch):
    old = build({"a.csv": HEAD + ROW})
    seen = []

    def publish(store, new, publish=Store.publish):
        seen.append((store.tables, pd.read_parquet(store.tables / "orders.parquet").amount.tolist()))
        assert (new / "ingest.json").exists() and (new / "orders.parquet").exists()
        publish(store, new)

    monkeypatch.setattr(Store, "publish", publish)
    folder = old.folder
    assert build({"a.csv": HEAD + ROW.replace(",5", ",6")}).orders.amount.tolist() == [6]
    assert seen == [(folder, [5])]


@pytest.mark.parametrize(
    "files",
    [
        {"b.csv": b""},
        {"b.csv": "what,is,this\n1,2,3\n"},
        {"b.csv": PLAIN, "formats/mine.toml": FIELDS + TABLE.replace('"sum"', '"nosuch"')},
    ],
    ids=["an empty file", "unknown columns", "SQL that does not work"],
)
def test_an_error_leaves_the_last_tables_in_use(build, files):
    old = build({"a.csv": HEAD + ROW})
    before = snapshot(old.store.folder / "tables")
    with pytest.raises(ShopError):
        build(files)
    assert snapshot(old.store.folder / "tables") == before
    assert [p.name for p in (old.store.folder / "tables").iterdir() if "building" in p.name] == []
    assert old.orders.amount.tolist() == [5]


def test_tables_that_somebody_deleted_are_built_again(build):
    built = build({"a.csv": HEAD + ROW})
    shutil.rmtree(built.folder)
    assert ingest(built.store)["tables"] == {"orders": 1} and built.orders.amount.tolist() == [5]


# --- what cannot be used ---------------------------------------------------------------------------


def refusal(build, files, settings=""):
    with pytest.raises(ShopError) as e:
        build(files, settings)
    return str(e.value)


@pytest.mark.parametrize("files", [{}, {"read me.docx": b"x"}, {".hidden.csv": HEAD + ROW}])
def test_a_shop_without_exports_says_where_to_put_them(build, files):
    said = "data/corner/raw/ holds no exports: copy your platform's files there (CSV, XLSX, Parquet)"
    assert refusal(build, files) == said


def test_every_file_that_cannot_be_used_has_its_line(build):
    files = {"a.csv": HEAD + ROW, "b.csv": b"", "c.csv.gz": b"no gzip", "sub/d.csv": "what,is,this\n1,2,3\n"}
    first, second, third = refusal(build, files).split("\n")
    assert first == "b.csv is empty: export it again"
    assert second.startswith("c.csv.gz is a damaged gzip file (") and second.endswith("): download it again")
    assert third == (
        "d.csv: no source format has these columns (what, is, this); the nearest is generic_orders, "
        "which also needs: order_id, ordered_at, amount; map them in data/corner/formats/"
    )


def test_two_formats_that_fit_one_file_are_refused(build):
    said = refusal(build, {"a.csv": SALES, "formats/x.toml": MAP, "formats/y.toml": MAP})
    assert said.startswith("a.csv: x, y all fit; write a format of your own in data/corner/formats/ whose `files`")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("", ""), '[classes]\nbig = "nosuch > 1"\n'),
        (("", ""), '[classes]\nbig = "sum >"\n'),
        (("", ""), '[row]\nmoney = "nosuch"\n'),
        (("", ""), '[[check]]\ntext = "t"\nsql = "nosuch"\n'),
        (('"sum"', '"nosuch * 2"'), ""),
        (('"sum"', '"no_such_function(sum)"'), ""),
        (('"sum"', "\"no || 'x'\""), ""),
        (("", ""), 'where = "nosuch"\n'),
        (("", ""), 'having = "nosuch > 1"\n'),
        (("", ""), 'each = ["no"]\n'),
    ],
    ids=["class", "syntax", "row", "check", "column", "function", "cast", "where", "having", "each"],
)
def test_sql_in_a_format_that_does_not_work_names_the_format(build, change, wrong):
    said = refusal(build, {"o.csv": PLAIN, "formats/mine.toml": FIELDS + TABLE.replace(*change) + wrong})
    assert "the format mine has SQL that does not work" in said


def test_a_required_column_that_a_format_leaves_empty_is_refused(build):
    said = refusal(build, {"o.csv": PLAIN.replace(",7", ","), "formats/mine.toml": FIELDS + TABLE})
    assert said == "the format mine leaves orders.amount empty in 1 rows, which may not be"


def test_a_file_whose_bytes_are_in_no_encoding_is_refused(build):
    said = refusal(build, {"o.csv": HEAD.encode() + b"caf\xff\xfe,2024-01-01,5\n" * 3})
    assert said.startswith("o.csv: its bytes are neither UTF-8 nor GB18030 nor UTF-16; save the file as “CSV UTF-8”")
    assert "state its encoding in a format of your own" in said


def test_an_encoding_that_the_format_states_is_taken(build):
    toml = f'files = "fr*"\nencoding = "cp1252"\n{MAP}'
    rows = SALES.assign(订单号=["1", "2", "3"], 省份=["Sète", "Nîmes", "Orléans"]).rename(
        columns={"订单号": "no", "下单时间": "date", "实付金额": "montant", "省份": "ville"}
    )
    for old, new in {"订单号": "no", "下单时间": "date", "实付金额": "montant", "省份": "ville"}.items():
        toml = toml.replace(f'"{old}"', f'"{new}"')
    built = build({"fr.csv": dressed(rows, encoding="cp1252"), "formats/fr.toml": toml})
    assert built.orders.region.tolist() == ["Sète", "Nîmes", "Orléans"] and built.file("fr.csv")["encoding"] == "cp1252"


def test_money_of_another_currency_than_the_shops_is_refused(build):
    said = refusal(build, {"o.csv": INVOICES}, 'currency = "CNY"\n')
    assert said == (
        'o.csv: its money is GBP, the shop\'s is CNY; set currency = "GBP" in data/corner/shop.toml, '
        "or put the rates of GBP into data/corner/fx.csv (day,currency,rate)"
    )


BESIDE = f'zone = "UTC"\ncurrency = "GBP"\n{FIELDS}{TABLE}'


def test_exports_that_differ_in_zone_need_a_setting_and_keep_each_their_own_clock(build):
    files = {"i.csv": INVOICES, "o.csv": PLAIN.replace("2024-01", "2024-07"), "formats/mine.toml": BESIDE}
    said = refusal(build, files)
    assert said == "the exports of corner differ in zone (Europe/London, UTC): set zone in data/corner/shop.toml"
    built = build(files, 'zone = "Europe/London"\n')
    assert built.accounting["zone"] == "Europe/London"
    assert built.orders.set_index("order_id").ordered_at.to_dict() == {
        "1": utc(2024, 7, 1, 10),
        "2": utc(2024, 7, 2, 10),
        "536365": utc(2011, 7, 1, 11),
    }


def test_exports_that_differ_in_currency_are_refused(build):
    said = refusal(build, {"i.csv": INVOICES, "o.csv": HEAD + ROW}, 'zone = "UTC"\n')
    assert said == "the exports of corner differ in currency (CNY, GBP): set currency in data/corner/shop.toml"


# --- any list of orders ----------------------------------------------------------------------------

BLANKS = " '\t\u00a0\u3000"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        '"',
        '""',
        "a,b;c\td|e",
        "two\nlines",
        "\r\n",
        "\r",
        " -- ",
        "'0001",
        "NULL",
        "联通",
        "é",
        "=1+1",
        "😀",
        "\\",
        '\\"',
    ]
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.decimals(-(10**9), 10**9, places=4), TEXTS, st.integers(0, 2)), max_size=8),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_list_of_orders_that_is_well_written_is_taken_whole(orders, encoding, sep, end):
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=sep, lineterminator=end, quoting=csv.QUOTE_MINIMAL if end == "\r\n" else csv.QUOTE_ALL
    )
    writer.writerow(["order_id", "ordered_at", "amount", "note", "备注说明"])
    for i, (amount, note, blank_lines) in enumerate(orders):
        writer.writerow([f"{i:03}", "2024-01-01", amount, note, note])
        out.write(end * blank_lines)
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_HOME", home)
        raw = Path(home) / "data" / "corner" / "raw"
        raw.mkdir(parents=True)
        (raw.parent / "shop.toml").touch()
        mark = codecs.BOM_UTF16_LE if encoding == "utf-16" else b""
        text = out.getvalue().encode("utf-16-le" if mark else encoding)
        (raw / "orders.csv").write_bytes(mark + text)
        store = open_store("corner")
        (f,) = ingest(store)["files"]
        table = pd.read_parquet(store.tables / "orders.parquet").sort_values("order_id")
    blank = sum(blank_lines for _a, _n, blank_lines in orders)
    assert (f["read"], f["accepted"], f["blank"]) == (len(orders) + blank, len(orders), blank)
    assert table.order_id.tolist() == [f"{i:03}" for i in range(len(orders))]
    assert table.amount.tolist() == [a for a, _n, _b in orders]
    assert Decimal(f["file_total"]) == sum((a for a, _n, _b in orders), Decimal(0))
    notes = [n.replace("\r\n", "\n").replace("\r", "\n").strip(BLANKS) for _a, n, _b in orders]
    read = table.note.fillna("").tolist() if "note" in table else [""] * len(orders)
    read = [n.replace("\r\n", "\n").strip(BLANKS) for n in read]
    assert read == ["" if n in NOTHING else n for n in notes]


def test_an_order_that_stands_twice_in_one_file_without_platforms_counts_once(build):
    built = build({"orders.csv": ORDERS + "1,2024-01-01,5,placed\n1,2024-01-01,7,paid\n2,2024-01-02,3,paid\n"})
    assert sorted(zip(built.orders.order_id, built.orders.amount, strict=True)) == [("1", 7), ("2", 3)]
    assert built.file("orders.csv")["superseded"] == 1


def test_the_name_of_a_file_is_told_without_numbers_and_addresses_in_it(build):
    text = "order_id,ordered_at,amount\n{},2026-09-10,5\n"
    files = {f"orders 139{i:08d}.csv": text.format(i) for i in range(2)} | {"orders-20260910.csv": text.format(7)}
    built = build(files | {"zhang@example.com.pdf": "?"})
    names = [f["file"] for f in built.accounting["files"]]
    assert len(set(names)) == 3 and names[-1] == "orders-20260910.csv"
    assert all(re.fullmatch("orders █~[0-9a-f]{4}.csv", n) for n in names[:2])
    assert "zhang" not in built.accounting["passed_over"][0] and len(built.orders) == 3
