"""Stories of source formats: which one a file has, and what a format that cannot work is told."""

import re

import pytest

from playbook.data.ingest.formats import BUILT_IN, KEYS, choose, load_formats, read_format
from playbook.data.ingest.model import normal
from playbook.data.schema import TABLES
from playbook.data.store import ShopError

BOOK = sorted(p.stem for p in BUILT_IN.glob("*.toml"))

UCI = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
TMALL = ["订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单付款时间 ", "退款金额"]
MAP = '[map.orders]\norder_id = "单号"\nordered_at = "时间"\namount = "金额"\n'
FIELDS = '[fields]\nno = { type = "id" }\nmade = { type = "time" }\nsum = { type = "money" }\n'
TABLE = '[table.orders]\norder_id = "no"\nordered_at = "made"\namount = "sum"\n'


@pytest.fixture
def write(tmp_path):
    """Write the shop's own formats, and load them with the book's."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return load_formats(tmp_path)

    return write


def chosen(formats, header, name="export.csv"):
    return choose(formats, name, header, "corner").name


# --- the formats that come with the book -----------------------------------------------------------


@pytest.mark.parametrize("name", BOOK)
def test_a_format_of_the_book_loads_and_takes_the_header_that_it_describes(name):
    fmt = read_format(BUILT_IN / f"{name}.toml")
    nested = (*fmt.nested, *fmt.pairs)  # of a member the column that holds it
    names = [h.split(".")[0] if h.split(".")[0] in nested else h for f in fmt.fields for h in f.headers[-1:]]
    header = list(dict.fromkeys(names))
    found = fmt.columns_of(header)
    assert found is not None and set(found) == {f.name for f in fmt.fields if f.headers}
    assert set(found.values()) <= set(range(len(header)))
    assert fmt.lacks(header) == [] and chosen(load_formats(), header) == name
    assert fmt.title != name and set(fmt.key) <= {f.name for f in fmt.fields}
    assert "money" in fmt.row and ("at" in fmt.row or name in ("taobao_items", "shopify_customers"))


def test_the_book_knows_the_platforms_and_every_canonical_table():
    assert {"generic_orders", "tmall_order_report", "uci_online_retail", "taobao_orders", "jd_orders"} <= set(BOOK)
    assert len(BOOK) == 20
    assert {f.name for f in load_formats()} == {*BOOK, *(f"canonical_{t}" for t in TABLES)}


# --- which format a file has -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        ["id", "time", "amount"],
        ["ID", " Time ", "AMOUNT"],
        ["\ufeffOrder No.", "order_date", "Order  Total"],
        ["订单号", "下单时间", "金额"],
        ["ｉｄ", "ｄａｔｅ", "ｔｏｔａｌ"],  # full width
        ["extra", "revenue", "more", "created_at", "order"],
    ],
)
def test_a_plain_list_of_orders_is_known_by_many_names(header):
    assert chosen(load_formats(), header) == "generic_orders"


def test_width_case_blanks_and_underscores_do_not_matter_but_words_do():
    assert normal(" 订单付款时间 ") == "订单付款时间"
    assert normal("\ufeffOrder__ID") == normal("ｏｒｄｅｒ id") == "order id"
    assert normal("order id") != normal("order no")


def test_a_column_that_comes_twice_counts_where_it_stands_first():
    fmt = next(f for f in load_formats() if f.name == "generic_orders")
    assert fmt.columns_of(["amount", "id", "time", "Amount"]) == {"order_id": 1, "ordered_at": 2, "amount": 0}


def test_of_a_fields_names_the_first_one_listed_wins():
    fmt = next(f for f in load_formats() if f.name == "generic_orders")
    assert fmt.columns_of(["金额", "total", "id", "time"])["amount"] == 1


@pytest.mark.parametrize("name", ["orders.csv", "ORDERS_2024-01.csv", "orders-jan.xlsx", "orders 2.parquet"])
def test_a_file_with_a_tables_name_and_columns_is_that_table(name):
    assert chosen(load_formats(), ["order_id", "ordered_at", "amount", "city"], name) == "canonical_orders"


def test_a_tables_columns_under_another_name_are_only_a_plain_list():
    assert chosen(load_formats(), ["order_id", "ordered_at", "amount", "city"], "sales.csv") == "generic_orders"


def test_a_shops_own_format_goes_before_the_books(write):
    own = '[map.orders]\norder_id = "InvoiceNo"\nordered_at = "InvoiceDate"\namount = "UnitPrice"\n'
    assert chosen(load_formats(), UCI) == "uci_online_retail"
    assert chosen(write(mine=own), UCI) == "mine"


def test_a_shops_own_format_of_the_same_name_replaces_the_books(write):
    formats = write(uci_online_retail=MAP)
    assert sum(f.name == "uci_online_retail" for f in formats) == 1
    assert chosen(formats, ["单号", "时间", "金额"]) == "uci_online_retail"
    with pytest.raises(ShopError, match="no source format has these columns"):
        chosen(formats, UCI)


def test_the_name_of_the_file_tells_two_formats_apart(write):
    formats = write(jan=f'files = "*jan*"\n{MAP}', feb=f'files = ["*feb*", "*march*"]\n{MAP}')
    header = ["单号", "时间", "金额"]
    assert chosen(formats, header, "a-JAN.csv") == "jan" and chosen(formats, header, "a-march.csv") == "feb"
    with pytest.raises(ShopError, match="no source format has these columns"):
        chosen(formats, header, "april.csv")


def test_a_file_without_a_header_is_told_by_its_name_and_its_number_of_columns(write):
    formats = write(bare=f'files = "log*"\nheader = ["no", "made", "sum"]\n{FIELDS}{TABLE}')
    assert chosen(formats, ["7", "2024-01-01", "5"], "log.csv") == "bare"
    with pytest.raises(ShopError, match="no source format"):
        chosen(formats, ["7", "2024-01-01", "5", "x"], "log.csv")


def test_two_formats_that_fit_are_refused_with_the_remedy(write):
    with pytest.raises(ShopError) as e:
        chosen(write(a=MAP, b=MAP), ["单号", "时间", "金额"])
    assert str(e.value) == (
        "export.csv: a, b all fit; write a format of your own in data/corner/formats/ whose `files` names this file"
    )


@pytest.mark.parametrize(
    ("header", "nearest", "lacks"),
    [
        (UCI[:-1], "uci_online_retail", "Country"),
        (["id", "time", "worth"], "generic_orders", "amount"),
        # six of Tmall's seven, and two of the three that a plain list needs
        (TMALL, "tmall_order_report", "订单创建时间"),
    ],
)
def test_unknown_columns_name_the_nearest_format_and_what_it_lacks(header, nearest, lacks):
    with pytest.raises(ShopError) as e:
        chosen(load_formats(), header)
    assert str(e.value) == (
        f"export.csv: no source format has these columns ({', '.join(header)}); the nearest is {nearest}, "
        f"which also needs: {lacks}; map them in data/corner/formats/"
    )


# --- what a format is made of ----------------------------------------------------------------------


def test_a_map_gives_each_column_its_type_and_says_what_a_row_is_about(tmp_path):
    (tmp_path / "my.toml").write_text(f'{MAP}customer_id = ["买家", "会员"]\n', encoding="utf-8-sig")
    fmt = read_format(tmp_path / "my.toml", own=True)
    assert [(f.headers, f.type, f.needed) for f in fmt.fields] == [
        (("单号",), "id", True),
        (("时间",), "time", True),
        (("金额",), "money", True),
        (("买家", "会员"), "id", False),
    ]
    assert fmt.title == "my" and fmt.targets[0].table == "orders" and not fmt.generic
    assert fmt.row == {
        "at": "orders_ordered_at",
        "money": "orders_amount",
        "order": "orders_order_id",
        "customer": "orders_customer_id",
    }


def test_every_key_of_a_format_is_understood(write):
    text = (
        'title = "t"\nfiles = "x*"\ngeneric = false\nheader = ["no", "made", "sum"]\nzone = "UTC"\ncurrency = "EUR"\n'
        'decimal = ","\nkey = "no"\nduplicates = "d"\nassume = "a"\nencoding = "cp1252"\n'
        'totals = "sum_raw IS NULL"\nrank = "sum"\nlines = true\nspan = ["made", "made"]\nblocks = "#"\n'
        'nested = "geo"\npairs = "params"\n'
        f'{FIELDS}{TABLE}[classes]\nbig = "sum > 1"\n[row]\nmoney = "sum"\n[[check]]\ntext = "c"\nsql = "sum > 0"\n'
        '[reject]\nwrong = "sum < 0"\n[derived]\ntwice = "2 * sum"\n'
    )
    assert {line.split(" =")[0].strip("[]").split(".")[0] for line in text.splitlines()} >= set(KEYS) - {"map"}
    fmt = next(f for f in write(full=text) if f.name == "full")
    assert (fmt.title, fmt.files, fmt.header) == ("t", ("x*",), ("no", "made", "sum"))
    assert (fmt.key, fmt.assume) == (("no",), ("a",))
    assert (fmt.zone, fmt.currency, fmt.decimal, fmt.duplicates) == ("UTC", "EUR", ",", "d")
    assert (fmt.encoding, fmt.totals, fmt.rank) == ("cp1252", "sum_raw IS NULL", "sum")
    assert (fmt.classes, fmt.row, fmt.own) == ({"big": "sum > 1"}, {"money": "sum"}, True)
    assert fmt.check == ({"text": "c", "sql": "sum > 0"},)
    assert (fmt.lines, fmt.span, fmt.blocks) == (True, ("made", "made"), "#")
    assert (fmt.nested, fmt.pairs) == (("geo",), ("params",))
    assert (fmt.reject, fmt.derived) == ({"wrong": "sum < 0"}, {"twice": "2 * sum"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[map.orders", "is not valid TOML: Expected ']'"),
        (f"ziel = 1\n{MAP}", "'ziel' is not known here; there is: title, files, .*zone, currency"),
        ('title = "nothing else"', r"needs \[map.TABLE\], or \[fields\] and \[table.TABLE\]"),
        (FIELDS, r"needs \[map.TABLE\], or \[fields\] and \[table.TABLE\]"),
        (MAP.replace("orders", "order"), "there is no table 'order'; there is: orders, order_items"),
        (f"{FIELDS}{TABLE.replace('orders', 'order')}", "there is no table 'order'; there is: orders"),
        (f'{MAP}colour = "颜色"', "the table orders has no column 'colour'; it has: order_id, ordered_at"),
        (f'{FIELDS}{TABLE}colour = "no"', "'colour' is not known here; there is: order_id, ordered_at"),
        ('[map.orders]\norder_id = "单号"\namount = "金额"', "the table orders needs the column ordered_at"),
        (f'{FIELDS}[table.orders]\norder_id = "no"\nordered_at = "made"', "the table orders needs the column amount"),
        (FIELDS.replace("money", "monye") + TABLE, "the field sum has the type 'monye'; write one of id, text, money"),
        (FIELDS.replace("type", "typ") + TABLE, "'typ' is not known here; there is: header, type, optional"),
        (f'key = ["nr"]\n{FIELDS}{TABLE}', "the key names 'nr', which is no field"),
        (f'{FIELDS}{TABLE}[row]\nwhen = "made"', "'when' is not known here; there is: at, money, order, customer"),
        (f'zone = "Mars"\n{MAP}', "'Mars' is no time zone"),
        (f'{FIELDS}{TABLE}[[check]]\nsql = "sum > 0"', "check.*text"),
        ('map = "orders"', r"map"),
        # names that DuckDB, or ingest itself, keeps for something else
        (FIELDS.replace("made", "at") + TABLE.replace("made", "at"), "'at'"),
        (FIELDS.replace("made", "order") + TABLE.replace("made", "order"), "'order'"),
        (FIELDS.replace("made", '"paid at"') + TABLE, "'paid at'"),
        (FIELDS.replace("no =", "class =") + TABLE.replace("no", "class"), "'class'"),
        (FIELDS.replace("no =", "file =") + TABLE.replace("no", "file"), "'file'"),
        (FIELDS.replace("no =", "row =") + TABLE.replace("no", "row"), "'row'"),
    ],
    ids=[
        "TOML", "key", "no table", "no table for the fields", "map of a table", "table", "map of a column", "column",
        "map lacks a column", "table lacks a column", "type", "key of a field", "key field", "key of the row", "zone",
        "check", "map is text", "field at", "field order", "field of two words", "field class", "field file",
        "field row",
    ],
)  # fmt: skip
def test_a_format_that_cannot_work_is_refused_with_its_file_and_the_remedy(write, text, said):
    with pytest.raises(ShopError, match=r"(?s)mine\.toml.*" + said):
        write(mine=text)


def test_a_broken_format_of_the_shop_stops_ingest_even_where_no_file_needs_it(build):
    files = {"o.csv": "id,time,amount\n1,2024-01-01,5\n", "formats/mine.toml": "[map"}
    with pytest.raises(ShopError, match=re.escape("formats/mine.toml is not valid TOML")):
        build(files)
