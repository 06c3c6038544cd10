"""Hand-made rows of each platform's export, with its traps, and the canonical rows that they are."""

import datetime as dt
import hashlib
import io
import zipfile
from decimal import Decimal as D

import pandas as pd
import pytest

from playbook.data.demo.exports.files import header
from playbook.data.keyed import hash_of, identity_key
from playbook.data.store import ShopError
from tests.data.formats.conftest import SETTINGS
from tests.data.test_ingest import assert_ties

UTC = 'currency = "USD"\nzone = "UTC"\n'


def rows_of(names, *rows, sep=",", quoted=()):
    """A file from its columns and rows that say some of them."""
    lines = [sep.join(f'"{n}"' if sep in n else n for n in names)]
    for row in rows:
        assert set(row) <= set(names), set(row) - set(names)
        cells = [str(row.get(n, "")) for n in names]
        lines.append(
            sep.join(
                f'"{c}"' if any(x in c for x in (sep, '"', "\n")) or n in quoted else c
                for n, c in zip(names, cells, strict=True)
            )
        )
    return "\n".join(lines) + "\n"


def records(built, table, columns, key=None):
    frame = built.table(table)
    frame = frame.reindex(columns=columns.split())
    frame = frame.sort_values(key or list(frame.columns), kind="stable")
    return [tuple(None if pd.isna(v) else v for v in r) for r in frame.itertuples(index=False)]


# --- Taobao, Tmall ---------------------------------------------------------------------------------

TAOBAO = {
    "订单编号": "0021000000000000001", "买家会员名": "buyer_a", "买家支付宝账号": "anyone@mail.example",
    "买家应付货款": "99.80", "买家应付邮费": "8.00", "总金额": "107.80", "支付金额": "106.80", "买家实际支付积分": "100",
    "订单状态": "交易成功", "收货人": "某某某", "收货地址": "广东省 深圳市 南山区 某路1号", "联系手机": "'13900000000",
    "订单创建时间": "2026-10-01 00:30:00", "订单付款时间": "2026-10-01 00:31:00", "是否手机订单": "手机订单", "店铺名称": "露苔旗舰店",
}  # fmt: skip


def test_taobao_layout_a_in_gb18030(build):
    closed = TAOBAO | {
        "订单编号": "0021000000000000002",
        "订单状态": "交易关闭",
        "订单付款时间": "",
        "收货地址": "上海 上海市 某区",
    }
    test = TAOBAO | {"订单编号": "0021000000000000003", "订单备注": "测试订单，勿发"}
    text = rows_of(header("taobao_orders"), TAOBAO, closed, test, {"订单编号": "合计", "总金额": "215.60"})
    built = build({"ExportOrderList20261002.csv": text.encode("gb18030")}, SETTINGS)
    assert_ties(built)
    columns = "order_id platform store customer_id ordered_at paid_at amount platform_discount shipping status device region city"
    first = (
        "0021000000000000001", "tmall", "露苔旗舰店", "buyer_a", pd.Timestamp("2026-09-30 16:30"),
        pd.Timestamp("2026-09-30 16:31"), D("99.8"), D(1), D(8), "completed", "app", "广东", "深圳",
    )  # fmt: skip
    found = records(built, "orders", columns)
    assert found[0] == first
    assert (found[1][0], found[1][5], found[1][9], found[1][11:]) == (
        "0021000000000000002",
        None,
        "cancelled",
        ("上海", "上海"),
    )
    assert len(found) == 2
    f = built.file("ExportOrderList20261002.csv")
    assert (f["read"], f["accepted"], f["totals"], f["encoding"]) == (4, 3, 1, "gb18030")
    assert [c["rows"] for c in f["classes"] if c["class"] == "test"] == [1]
    everything = (built.folder / "orders.parquet").read_bytes() + (built.folder / "quarantine.csv").read_bytes()
    for personal in ("某某某", "13900000000", "anyone@mail.example", "某路1号"):
        assert personal.encode() not in everything


def test_taobao_layout_b_and_its_items_with_two_equal_lines(build, real_data):
    path = real_data / "export_formats" / "taobao_order_list_legacy_B.header.txt"
    if not path.is_file():
        pytest.skip("no header of layout B")
    names = path.read_text(encoding="utf-8-sig").strip().split(",")
    row = {n: TAOBAO[n] for n in TAOBAO if n in names} | {
        "买家实际支付金额": "100.80",
        "收货人姓名": "某某某",
        "积分抵扣": "1.00",
        "卡券抵扣": "6.00",
    }
    item = {
        "订单编号": TAOBAO["订单编号"],
        "标题": "晨露面霜",
        "价格": "33.2667",
        "购买数量": "1",
        "外部系统编号": "120001",
        "商家编码": "S1",
    }
    items = rows_of(header("taobao_items"), item, item, item | {"价格": "0.00", "外部系统编号": ""})
    files = {"taobao/list.csv": rows_of(names, row), "taobao/detail.csv": items.encode("gb18030")}
    built = build(files, SETTINGS)
    assert records(built, "orders", "order_id platform platform_discount") == [(TAOBAO["订单编号"], "taobao", D(7))]
    assert records(built, "order_items", "line product_id sku quantity amount gift") == [
        (1, "120001", "S1", 1, D("33.27"), False),
        (2, "120001", "S1", 1, D("33.27"), False),
        (3, "S1", "S1", 1, D(0), True),
    ]


def test_an_order_number_that_excel_has_damaged_is_in_quarantine_without_anything_personal(build):
    text = rows_of(header("taobao_orders"), TAOBAO, TAOBAO | {"订单编号": "6.91793E+18"})
    built = build({"a.csv": text}, SETTINGS)
    assert built.quarantine == [("a.csv", 3, "damaged number", "order_id")]
    said = (built.folder / "quarantine.csv").read_text(encoding="utf-8-sig")
    assert "█" in said and "某某某" not in said and "13900000000" not in said and "南山区" not in said


# --- JD --------------------------------------------------------------------------------------------


def test_jd_spreads_the_orders_amount_over_its_lines(build):
    order = {
        "订单号": "280000000001", "下单时间": "2026-10-01 10:00:00", "付款确认时间": "2026-10-01 10:05:00", "订单金额": "100.00",
        "结算金额": "90.01", "应付金额": "91.01", "运费金额": "6.00", "订单状态": "完成", "下单帐号": "jd_a", "客户姓名": "某某",
        "客户地址": "北京朝阳区某路", "联系电话": "139****0000", "订单来源": "APP", "订单渠道": "search", "订购数量": "1",
        "订单完成时间": "2026-10-04 10:00:00",
    }  # fmt: skip
    text = rows_of(
        header("jd_orders"),
        order | {"商品ID": "1", "京东价": "33.33"},
        order | {"商品ID": "2", "京东价": "33.33"},
        order | {"商品ID": "3", "京东价": "33.34"},
    )
    built = build({"jd.csv": text.encode("gb18030")}, SETTINGS)
    columns = "order_id platform amount discount platform_discount shipping status region city device"
    assert records(built, "orders", columns) == [
        ("280000000001", "jd", D("90.01"), D("9.99"), D("5"), D(6), "completed", "北京", "北京", "app")
    ]
    lines = records(built, "order_items", "line product_id amount discount")
    assert [r[2] for r in lines] == [D("30.00"), D("30.00"), D("30.01")] and sum(r[2] for r in lines) == D("90.01")


# --- 抖店 ------------------------------------------------------------------------------------------

DOUYIN = {
    "主订单编号": "\t6917926768823643751", "子订单编号": "\t6917926768823643751", "选购商品": "\t辣丝丝", "商品规格": "\t1袋", "商品数量": "1",
    "商家编码": "\t300400008", "订单应付金额": "28.90", "运费": "0.00", "收件人": "##密文", "收件人手机号": "$$密文", "详细地址": "##密文",
    "订单提交时间": "2026-09-22 00:54:10", "商家备注": "-", "订单完成时间": "2026-09-24 13:18:29", "订单状态": "已完成", "售后状态": "-",
    "发货时间": "2026-09-22 08:53:45", "平台实际承担优惠金额": "21.00", "商家实际承担优惠金额": "25.00", "达人实际承担优惠金额": "8.00",
}  # fmt: skip
TABBED = ("主订单编号", "子订单编号", "选购商品", "商品规格", "商家编码")


def test_douyin_adds_what_platform_and_creator_gave_to_what_the_buyer_pays(build):
    gift = DOUYIN | {"子订单编号": "\t6917926768823643752", "订单应付金额": "0.00", "商家编码": "\tGIFT"}
    gift |= dict.fromkeys(("平台实际承担优惠金额", "商家实际承担优惠金额", "达人实际承担优惠金额"), "0.00")
    unpaid = DOUYIN | {
        "主订单编号": "\t7",
        "子订单编号": "\t7",
        "订单状态": "已关闭",
        "取消原因": "超时未支付",
        "发货时间": "-",
        "订单完成时间": "-",
    }
    back = DOUYIN | {"主订单编号": "\t8", "子订单编号": "\t8", "订单状态": "已关闭", "售后状态": "退款成功"}
    text = "\ufeff" + rows_of(header("douyin_orders_short"), DOUYIN, gift, unpaid, back, quoted=TABBED)
    built = build({"d.csv": text}, SETTINGS)
    assert_ties(built)
    columns = "order_id amount discount platform_discount creator_discount status paid_at"
    placed = pd.Timestamp("2026-09-21 16:54:10")
    assert records(built, "orders", columns) == [
        ("6917926768823643751", D("57.9"), D(25), D(21), D(8), "completed", placed),
        ("7", D("57.9"), D(25), D(21), D(8), "cancelled", None),
        ("8", D("57.9"), D(25), D(21), D(8), "closed", placed),
    ]
    lines = records(built, "order_items", "order_id line product_id amount gift")[:2]
    assert lines == [
        ("6917926768823643751", 1, "300400008", D("57.9"), False),
        ("6917926768823643751", 2, "GIFT", D(0), True),
    ]
    assert "customer_id" not in built.orders and "密文" not in built.orders.to_csv()


def test_douyin_saved_again_by_excel(build):
    damaged = DOUYIN | {"主订单编号": "6.91793E+18", "订单提交时间": "2026/9/10 8:00"}
    good = {k: v.strip() for k, v in DOUYIN.items()} | {
        "主订单编号": "'6917926768823643751",
        "订单提交时间": "2026/9/10 8:00",
    }
    built = build({"d.csv": rows_of(header("douyin_orders_short"), damaged, good)}, SETTINGS)
    assert records(built, "orders", "order_id ordered_at") == [("6917926768823643751", pd.Timestamp("2026-09-10"))]
    assert built.quarantine == [("d.csv", 2, "damaged number", "order_id")]


def test_a_douyin_booking_is_split_into_what_it_is_made_of(build):
    row = {
        "动账时间": "2026-09-30 12:00:00", "动帐流水号": "\t2026070806273341620114198961", "动账方向": "入账", "动账金额": "165.05",
        "动账场景": "货款结算入账", "订单号": "\t6917926768823643751", "订单实付应结": "179.00", "平台服务费": "-8.95", "佣金": "-5.00",
    }  # fmt: skip
    odd = {"动账时间": "2026-09-30 12:00:01", "动帐流水号": "\t9", "动账方向": "未知", "动账金额": "1.00"}
    fee = {
        "动账时间": "2026-09-30 12:00:02",
        "动帐流水号": "\t10",
        "动账方向": "出账",
        "动账金额": "22.86",
        "动账场景": "保费扣除",
    }
    text = rows_of(header("douyin_settlements"), row, odd, fee, quoted=("动帐流水号", "订单号"))
    built = build({"s.csv": "\ufeff" + text}, SETTINGS)
    number = "2026070806273341620114198961"
    assert records(built, "settlements", "settlement_id kind amount order_id") == [
        ("10", "adjustment", D("-22.86"), None),
        (f"{number}-commission", "commission", D(-5), "6917926768823643751"),
        (f"{number}-payout", "payout", D(179), "6917926768823643751"),
        (f"{number}-service_fee", "service_fee", D("-8.95"), "6917926768823643751"),
    ]
    assert [q[2] for q in built.quarantine] == ["a direction that is neither in nor out"]


# --- Shopify ---------------------------------------------------------------------------------------

SHOPIFY = {
    "Name": "#1001", "Email": "Ann@mail.example", "Financial Status": "partially_refunded", "Paid at": "2026-04-05 21:06:21 +0400",
    "Fulfillment Status": "fulfilled", "Currency": "USD", "Subtotal": "24.98", "Shipping": "5.00", "Taxes": "0.00", "Total": "29.98",
    "Discount Amount": "5.00", "Created at": "2026-04-05 21:05:21 +0400", "Shipping Name": "A N Other", "Shipping Country": "AE",
    "Shipping City": "Dubai", "Refunded Amount": "4.00", "Lineitem quantity": "2", "Lineitem name": "Tee", "Lineitem price": "9.99",
    "Lineitem sku": "TEE", "Lineitem discount": "0.00",
    "Note Attributes": "full_name: A N Other\nphone: 0500000000\nUTM source: tiktok\nIP address: 203.0.113.9",
}  # fmt: skip


def test_shopify_order_fields_stand_on_the_first_row_only(build):
    mug = {
        "Name": "#1001",
        "Lineitem quantity": "1",
        "Lineitem name": "Mug",
        "Lineitem price": "10.00",
        "Lineitem sku": "MUG",
        "Lineitem discount": "0.00",
    }
    test = SHOPIFY | {"Name": "#1002", "Tags": "vip, test"}
    built = build({"orders.csv": rows_of(header("shopify_orders"), SHOPIFY, mug, test)}, UTC)
    assert_ties(built)
    columns = "order_id platform ordered_at paid_at amount discount shipping status channel country city currency"
    assert records(built, "orders", columns) == [
        ("#1001", "own_site", pd.Timestamp("2026-04-05 17:05:21"), pd.Timestamp("2026-04-05 17:06:21"), D("24.98"), D(5),
         D(5), "shipped", "tiktok", "AE", "Dubai", "USD")
    ]  # fmt: skip
    items = records(built, "order_items", "line product_id quantity unit_price amount discount")
    assert items == [(1, "TEE", 2, D("9.99"), D("16.65"), D("3.33")), (2, "MUG", 1, D(10), D("8.33"), D("1.67"))]
    assert records(built, "returns", "order_id amount") == [("#1001", D(4))]
    (customer,) = built.orders.customer_id
    assert customer.startswith("e-") and "mail" not in customer
    everything = b"".join(p.read_bytes() for p in built.folder.iterdir())
    for personal in (b"Ann@mail", b"A N Other", b"0500000000", b"203.0.113.9"):
        assert personal not in everything


def test_a_shopify_row_whose_order_cannot_be_placed_takes_its_lines_along(build):
    bad = SHOPIFY | {"Created at": "soon"}
    mug = {"Name": "#1001", "Lineitem quantity": "1", "Lineitem price": "10.00", "Lineitem sku": "MUG"}
    fine = SHOPIFY | {"Name": "#1003"}
    built = build({"o.csv": rows_of(header("shopify_orders"), bad, mug, fine)}, UTC)
    assert [(q[1], q[2]) for q in built.quarantine] == [(2, "not a time"), (6, "not a time")]
    assert built.orders.order_id.tolist() == ["#1003"]


def test_a_shopify_customer_without_a_number_is_the_same_one_in_orders_and_in_customers(build):
    person = {"Email": "Ann@mail.example", "Accepts Email Marketing": "yes", "Total Spent": "9.00"}
    masked = person | {"Email": "a***@mail.example"}
    built = build(
        {
            "orders.csv": rows_of(header("shopify_orders"), SHOPIFY | {"Email": "ann@mail.example "}),
            "customers.csv": rows_of(header("shopify_customers"), person, masked),
        },
        UTC,
    )
    assert records(built, "customers", "customer_id") == [(built.orders.customer_id[0],)]
    assert [(q[0], q[2]) for q in built.quarantine] == [("customers.csv", "neither a number nor an e-mail")]


def test_shopify_customers_with_and_without_a_number(build):
    row = {
        "First Name": "A N",
        "Email": "ann@mail.example",
        "Accepts Email Marketing": "yes",
        "City": "Dubai",
        "Country Code": "AE",
        "Phone": "0500000000",
        "Total Spent": "9.00",
        "Total Orders": "1",
    }
    names = header("shopify_customers")
    built = build(
        {"new.csv": rows_of(names, row | {"Customer ID": "'0007"}, row | {"Accepts Email Marketing": "no"})}, UTC
    )
    found = records(built, "customers", "customer_id platform country city consent_marketing")
    assert found[0] == ("0007", "own_site", "AE", "Dubai", True)
    (hashed,) = hash_of(["Ann@Mail.example"], "email", identity_key(built.store.folder))
    assert found[1][0] == f"e-{hashed[:16]}" and found[1][4] is False
    # whoever has the tables and not the key cannot try out addresses
    assert found[1][0] != "e-" + hashlib.sha256(b"ann@mail.example").hexdigest()[:16]
    assert b"mail.example" not in b"".join(p.read_bytes() for p in built.folder.iterdir())


# --- foreign currency ------------------------------------------------------------------------------


def test_foreign_money_becomes_the_shops_and_the_account_stays_in_the_files_own(build, make_shop):
    store = make_shop("corner", {}, SETTINGS)
    (store.folder / "fx.csv").write_text("day,currency,rate\n2026-04-01,USD,7\n2026-04-05,USD,7.2\n", encoding="utf-8")
    late = SHOPIFY | {"Name": "#1009", "Created at": "2026-04-13 10:00:00 +0000"}
    yuan = SHOPIFY | {"Name": "#1010", "Currency": "CNY"}
    built = build({"o.csv": rows_of(header("shopify_orders"), SHOPIFY, late, yuan)}, SETTINGS)
    # the day of the rate is the shop's: 5 April 17:05 UTC is the 6th in Shanghai, and its rate is the one of the 5th
    assert records(built, "orders", "order_id amount shipping currency") == [
        ("#1001", D("179.856"), D(36), "USD"),
        ("#1010", D("24.98"), D(5), "CNY"),
    ]
    assert [(q[1], q[2]) for q in built.quarantine] == [(6, "no rate of exchange for that day")]
    assert_ties(built)
    assert built.file("o.csv")["file_total"] == "59.9400"
    assert records(built, "order_items", "order_id amount")[0] == ("#1001", D("179.856"))


def test_without_any_rate_a_file_of_foreign_money_is_refused_with_the_remedy(build):
    with pytest.raises(
        ShopError, match=r"its money is USD, the shop's is CNY; .*put the rates of USD into data/corner/fx\.csv"
    ):
        build({"o.csv": rows_of(header("shopify_orders"), SHOPIFY)}, SETTINGS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,currency\n2026-01-01,USD\n", "fx.csv needs the columns day, currency and rate"),
        ("day,currency,rate\nsoon,USD,7\n", "fx.csv, line 2: write it like"),
        ("day,currency,rate\n2026-01-01,USD,0\n", "fx.csv, line 2: a rate must be above 0"),
    ],
)
def test_rates_that_make_no_sense_are_refused_by_line(build, make_shop, text, said):
    store = make_shop("corner", {}, SETTINGS)
    (store.folder / "fx.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ShopError, match=said):
        build({"o.csv": rows_of(header("shopify_orders"), SHOPIFY)}, SETTINGS)


# --- advertising -----------------------------------------------------------------------------------


def google(period, *rows, day=False):
    names = [*(["Day"] if day else []), *header("google_ads")]
    total = {"Campaign status": "Total: Account", "Currency code": "CNY", "Cost": "999.00", "Impr.": "1,000"}
    return f"Campaign report\n{period}\n" + rows_of(names, *rows, total)


GOOGLE = {
    "Campaign status": "Enabled", "Campaign": "Brand", "Currency code": "CNY", "Campaign type": "Search", "Cost": "1,000.00",
    "Impr.": "1,103,153", "Clicks": "31", "Conversions": "3.00", "Conv. value": "100.01", "Budget": " --", "CTR": "1.49%",
}  # fmt: skip


def test_a_google_span_within_a_month_is_spread_over_its_days_to_the_cent(build):
    text = google('"October 1, 2026 - October 3, 2026"', GOOGLE)
    built = build({"g.csv": text}, SETTINGS)
    assert_ties(built)
    spend = records(built, "ad_spend", "day platform level channel campaign spend impressions clicks")
    assert [r[0] for r in spend] == [dt.date(2026, 10, d) for d in (1, 2, 3)]
    assert [r[5] for r in spend] == [D("333.33"), D("333.34"), D("333.33")]
    assert sum(r[6] for r in spend) == 1_103_153 and sum(r[7] for r in spend) == 31
    assert spend[0][1:5] == ("google", "campaign", "search", "Brand")
    f = built.file("g.csv")
    assert (f["preamble"], f["totals"], f["accepted"]) == (2, 1, 1)
    assert any("spread evenly" in a for a in built.accounting["assumptions"])


@pytest.mark.parametrize(
    ("period", "reason", "field"),
    [
        ('"March 31, 2026 - April 13, 2026"', "covers more than one month", ""),
        ("All time", "empty", "first_day"),
    ],
)
def test_a_google_span_that_cannot_be_placed_is_in_quarantine(build, period, reason, field):
    built = build({"g.csv": google(period, GOOGLE)}, SETTINGS)
    assert built.quarantine == [("g.csv", 4, reason, field)]


def test_spans_that_overlap_are_refused(build):
    files = {
        "a.csv": google('"October 1, 2026 - October 15, 2026"', GOOGLE),
        "b.csv": google('"October 1, 2026 - October 31, 2026"', GOOGLE),
    }
    with pytest.raises(ShopError, match=r"a\.csv and b\.csv both cover|b\.csv and a\.csv both cover"):
        build(files, SETTINGS)


def test_the_same_span_exported_again_supersedes(build):
    files = {
        "a 2026-10-16.csv": google('"October 1, 2026 - October 15, 2026"', GOOGLE),
        "b 2026-10-17.csv": google('"October 1, 2026 - October 15, 2026"', GOOGLE | {"Cost": "1,500.00"}),
    }
    built = build(files, SETTINGS)
    assert built.table("ad_spend").spend.sum() == 1500


def test_meta_says_its_currency_in_a_columns_name(build):
    text = (
        "\ufeffReporting starts,Reporting ends,Campaign name,Amount spent (CNY),Impressions,Link clicks,Results\n"
        '2026-10-01,2026-10-01,"Autumn, one",12.34,1000,10,7\n,,,12.34,1000,,\n'
    )
    built = build({"m.csv": text}, SETTINGS)
    assert records(built, "ad_spend", "day campaign spend clicks") == [
        (dt.date(2026, 10, 1), "Autumn, one", D("12.34"), 10)
    ]
    with pytest.raises(ShopError, match="its money is EGP"):
        build({"m.csv": text.replace("CNY", "EGP")}, SETTINGS)


@pytest.mark.parametrize(
    ("sep", "spent", "worth"), [(";", "1.234,56", "1234.56"), (",", "1234.56", "1234.56"), (";", "1 234,56", "1234.56")]
)
def test_meta_in_spanish_with_either_decimal_mark(build, sep, spent, worth):
    names = [
        "Inicio del informe",
        "Fin del informe",
        "Día",
        "Nombre de la campaña",
        "Identificador de la campaña",
        "Importe gastado (CNY)",
    ]
    text = rows_of(
        names,
        dict(zip(names, ["2026-10-01", "2026-10-31", "2026-10-05", "Otoño", "0042", spent], strict=True)),
        sep=sep,
    )
    built = build({"m.csv": text}, SETTINGS)
    assert records(built, "ad_spend", "day campaign campaign_id spend") == [
        (dt.date(2026, 10, 5), "Otoño", "0042", D(worth))
    ]


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


ALIMAMA = {
    "场景ID": "436",
    "场景名字": "关键词推广",
    "计划ID": "0099",
    "计划名字": "新品",
    "展现量": "1000",
    "点击量": "20",
    "花费": "12.30",
    "总成交金额": "99.90",
}


def test_alimama_in_a_zip_takes_its_day_from_the_members_name(build):
    text = rows_of(header("alimama")[1:], ALIMAMA, {"场景ID": "合计", "花费": "12.30"})
    data = zipped(
        **{
            "计划报表_20261005_091500.csv": text.encode("gb18030"),
            "计划报表_20261006_091500.csv": text,
            "read me.pdf": "x",
        }
    )
    built = build({"报表 20261101.zip": data}, SETTINGS)
    assert_ties(built)
    found = records(built, "ad_spend", "day platform level channel campaign_id spend clicks conversion_value")
    assert found == [
        (dt.date(2026, 10, d), "alimama", "campaign", "search", "0099", D("12.3"), 20, D("99.9")) for d in (5, 6)
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"PK\x03\x04 no", "cannot be unpacked"), (zipped(a="x"), "holds no file that the book can read")],
)
def test_a_zip_that_holds_nothing_is_refused(build, data, said):
    with pytest.raises(ShopError, match=f"a.zip .*{said}|a.zip {said}"):
        build({"a.zip": data}, SETTINGS)


# --- traffic ---------------------------------------------------------------------------------------


def book(rows):
    pd.DataFrame(rows).to_excel(out := io.BytesIO(), index=False, header=False)
    return out.getvalue()


def sycm(name, day):
    names = header("sycm")
    said = {"统计日期": day, "商品ID": "7000000001", "商品访客数": "11,269", "商品浏览量": "20,001", "商品加购人数": "31", "支付买家数": "9",
            "支付金额": "1,234.50", "商品详情页跳出率": "78.15%", "平均停留时长": "12.5", "支付件数": "-"}  # fmt: skip
    notes = [["说明", *[""] * (len(names) - 1)]] * 4
    return {name: book([*notes, names, [said.get(n, "-") for n in names]])}


@pytest.mark.parametrize("day", ["2026-10-05", ""])
def test_sycm_has_its_header_on_row_five_and_numbers_as_text(build, day):
    name = "【生意参谋平台】商品_全部_2026-10-05_2026-10-05.xlsx"
    built = build(sycm(name, day) if day else {name: next(iter(sycm(name, "-").values()))}, SETTINGS)
    columns = "day platform product_id visitors views carts buyers sales dwell_seconds"
    if day:
        assert records(built, "traffic", columns) == [
            (dt.date(2026, 10, 5), "tmall", "7000000001", 11269, 20001, 31, 9, D("1234.5"), 12.5)
        ]
    else:
        assert built.quarantine[0][2:] == ("empty", "day")


def test_sycm_over_several_days_at_once_is_refused_row_by_row_as_visitors_cannot_be_added(build):
    name = "【生意参谋平台】商品_全部_2026-10-01_2026-10-31.xlsx"
    built = build(sycm(name, "2026-10-01 ~ 2026-10-31"), SETTINGS)
    assert built.quarantine == [(name, 6, "not a date", "day")]


def test_ga4_csv_of_several_blocks_reads_those_that_it_knows(build):
    head = "# ----\n# Traffic acquisition\n# Start date: {0}\n# End date: {1}\n"
    names = "Session primary channel group (Default channel group),Sessions,Engaged sessions,Total revenue\n"
    text = (
        head.format("20261001", "20261004") + "Nth day,Sessions\n0000,5\n0001,6\n\n"
        + head.format("20261001", "20261004") + names + "Totals,21,3,100\nDirect,14,2,66.67\nPaid Search,7,1,33.33\n"
    )  # fmt: skip
    built = build({"traffic.csv": text}, SETTINGS)
    assert_ties(built)
    found = records(built, "traffic", "source day sessions sales platform")
    assert [r[:4] for r in found[:4]] == [
        ("direct", dt.date(2026, 10, 1), 3, D("16.67")),
        ("direct", dt.date(2026, 10, 2), 4, D("16.67")),
        ("direct", dt.date(2026, 10, 3), 3, D("16.66")),
        ("direct", dt.date(2026, 10, 4), 4, D("16.67")),
    ]
    assert sum(r[3] for r in found) == 100 and "visitors" not in built.table("traffic")
    f = built.file("traffic.csv")
    assert (f["read"], f["preamble"], f["totals"], f["blank"]) == (15, 11, 1, 1)


# --- WooCommerce and Amazon ------------------------------------------------------------------------

WOO = {
    "order_id": "501", "order_number": "501", "order_date": "2026-10-01 10:00:00", "paid_date": "2026-10-01 10:01:00",
    "status": "processing", "shipping_total": "5.00", "tax_total": "2.00", "discount_total": "3.00", "order_total": "34.00",
    "order_subtotal": "30.00", "order_currency": "USD", "payment_method_title": "Card", "customer_ip_address": "203.0.113.9",
    "customer_id": "0", "customer_email": "ann@mail.example", "billing_first_name": "Ann", "billing_email": "ann@mail.example",
    "billing_phone": "0500000000", "shipping_address_1": "1 Nowhere", "shipping_city": "Austin", "shipping_state": "TX",
    "shipping_country": "US", "coupon_items": "code:WELCOME|description:|amount:3",
    "line_item_1": "name:Happy Ninja|product_id:50|sku:HN|quantity:2|total:18.00|sub_total:20.00",
    "line_item_2": "name:Mug|product_id:|sku:MUG|quantity:1|total:9.00|sub_total:10.00",
}  # fmt: skip


def test_woocommerce(build):
    names = list(WOO)
    built = build(
        {"woo.csv": rows_of(names, WOO, WOO | {"order_number": "502", "status": "failed", "paid_date": ""})}, UTC
    )
    assert_ties(built)
    columns = "order_id platform amount discount shipping tax status coupon_id country region city customer_id paid_at"
    found = records(built, "orders", columns)
    assert found[0] == (
        "501",
        "own_site",
        D(27),
        D(3),
        D(5),
        D(2),
        "paid",
        "WELCOME",
        "US",
        "TX",
        "Austin",
        None,
        pd.Timestamp("2026-10-01 10:01"),
    )
    assert (found[1][6], found[1][-1]) == ("cancelled", None)
    items = records(built, "order_items", "order_id line product_id sku quantity amount")[:2]
    assert items == [("501", 1, "50", "HN", 2, D(18)), ("501", 2, "MUG", "MUG", 1, D(9))]
    everything = b"".join(p.read_bytes() for p in built.folder.iterdir())
    assert not [v for v in (b"mail.example", b"0500000000", b"203.0.113.9", b"1 Nowhere") if v in everything]


def test_amazon_orders(build):
    row = {
        "amazon-order-id": "114-0000001-0000001", "purchase-date": "2026-04-05T21:06:21+00:00", "order-status": "Shipped",
        "sales-channel": "Amazon.com", "product-name": "Mug", "sku": "MUG", "asin": "B000000001", "item-status": "Shipped",
        "quantity": "2", "currency": "USD", "item-price": "20.00", "item-tax": "1.60", "shipping-price": "3.00",
        "item-promotion-discount": "2.00", "ship-city": "AUSTIN", "ship-state": "TX", "ship-postal-code": "00000", "ship-country": "US",
    }  # fmt: skip
    gone = row | {
        "amazon-order-id": "114-0000002-0000002",
        "order-status": "Cancelled",
        "item-status": "Cancelled",
        "item-price": "",
        "currency": "",
        "quantity": "0",
        "item-promotion-discount": "",
    }
    text = rows_of(
        list(row),
        row,
        row | {"asin": "B000000002", "sku": "TEE", "item-price": "10.00", "quantity": "1"},
        gone,
        sep="\t",
    )
    built = build({"all.txt": text}, UTC)
    assert_ties(built)
    assert records(built, "orders", "order_id platform amount discount shipping tax status paid_at currency")[0] == (
        "114-0000001-0000001", "amazon", D(26), D(4), D(6), D("3.2"), "shipped", pd.Timestamp("2026-04-05 21:06:21"), "USD",
    )  # fmt: skip
    assert built.orders.status.tolist() == ["shipped", "cancelled"] and built.orders.paid_at.isna().tolist() == [
        False,
        True,
    ]
    assert records(built, "order_items", "line product_id amount") == [
        (1, "B000000001", D(18)),
        (2, "B000000002", D(8)),
    ]


@pytest.mark.parametrize(
    ("name", "placed"), [("BusinessReport 2026-10-05.csv", True), ("BusinessReport-11-1-26.csv", False)]
)
def test_amazon_business_report(build, name, placed):
    row = {"(Child) ASIN": "B000000001", "Title": "Mug", "SKU": "MUG", "Sessions - Total": "1,200", "Page Views - Total": "1,900", "Units Ordered": "12",
           "Unit Session Percentage": "1.00%", "Featured Offer (Buy Box) Percentage": "84.87%", "Ordered Product Sales": "$1,920.00"}  # fmt: skip
    built = build({name: rows_of(list(row), row)}, UTC)
    if placed:
        assert records(built, "traffic", "day platform product_id sessions views sales") == [
            (dt.date(2026, 10, 5), "amazon", "B000000001", 1200, 1900, D(1920))
        ]
    else:
        assert built.quarantine == [(name, 2, "empty", "day")]
