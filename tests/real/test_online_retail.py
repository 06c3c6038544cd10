"""UCI Online Retail (D. Chen, 2015; CC BY 4.0): a wholesaler's year of invoices, against the numbers published for it.

The file is ingested once, in a shop that nobody has set anything for.
"""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from playbook.data import quality
from playbook.data.store import open_store
from playbook.metrics.measure import measure
from playbook.shop import open_shop

# what is on an invoice and is no goods, as the format says
NO_GOODS = ["AMAZONFEE", "BANK CHARGES", "CRUK", "M", "m", "S", "POST", "DOT", "C2"]


@pytest.fixture(scope="module")
def store(retail):
    return open_store("retail")


@pytest.fixture(scope="module")
def file(store):
    """The accounting's entry of the file."""
    (entry,) = store.accounting()["files"]
    return entry


@pytest.fixture(scope="module")
def raw(store):
    """The file as pandas reads it, money in tenths of a cent, with what is needed to classify a row by hand."""
    (path,) = store.raw.iterdir()
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows["quantity"] = rows.Quantity.astype(int)
    rows["price"] = (rows.UnitPrice.astype(float) * 1000).round().astype(int)
    rows["money"] = rows.quantity * rows.price
    rows["month"] = rows.InvoiceDate.str[:7]
    rows["kind"] = rows.InvoiceNo.str[0].where(rows.InvoiceNo.str[0].isin(["A", "C"]), "")
    rows["goods"] = ~rows.StockCode.isin(NO_GOODS)
    rows["sale"] = rows.goods & (rows.kind == "") & (rows.quantity > 0) & (rows.price > 0)
    rows["back"] = rows.goods & (rows.kind == "C")
    return rows


@pytest.fixture(scope="module")
def table(store):
    return lambda name: pd.read_parquet(store.tables / f"{name}.parquet")


def money(file, *classes):
    return sum(Decimal(c["money"]) for c in file["classes"] if c["class"] in classes)


def test_all_rows_are_accounted_for(store, file):
    assert file["read"] == file["accepted"] == 541_909
    assert file["skipped"] == file["superseded"] == file["duplicate"] == file["quarantined"] == 0
    assert sum(c["rows"] for c in file["classes"]) == 541_909
    assert len((store.tables / "quarantine.csv").read_text(encoding="utf-8-sig").splitlines()) == 1


def test_the_file_total_is_the_published_one_and_the_classes_tie_to_it(file):
    assert Decimal(file["file_total"]) == Decimal("9747747.934")
    assert money(file, *(c["class"] for c in file["classes"])) == Decimal("9747747.934")
    assert money(file, "bad_debt") == Decimal("-11062.06")
    assert {c["class"]: c["rows"] for c in file["classes"]}["bad_debt"] == 3


def test_currency_and_clock_are_found_without_a_setting(store):
    assert (store.settings.currency, store.settings.zone) == ("", "")
    accounting = store.accounting()
    assert (accounting["currency"], accounting["zone"]) == ("GBP", "Europe/London")
    shop = open_shop("retail")
    assert (shop.currency, shop.zone, shop.period.label) == ("GBP", "Europe/London", "2011-11")
    assert not any("do not state" in a for a in accounting["assumptions"])


def test_repeated_rows_are_kept_counted_and_explained(store, file):
    assert file["repeated"] == 5_268 and round(Decimal(file["repeated_money"]), 2) == Decimal("21740.98")
    (row,) = quality.rules(store.accounting()).query("kind == 'repeated rows'").to_dict("records")
    assert row["rows"] == 5_268 and "the till wrote one line per scan" in row["text"]


def test_the_ledger_has_every_row_in_the_files_order(raw, table):
    ledger = table("rows").sort_values("row", ignore_index=True)
    assert ledger["row"].tolist() == list(range(1, 541_910))
    assert (ledger.order == raw.InvoiceNo).all()
    assert (ledger.customer.fillna("") == raw.CustomerID.str.removesuffix(".0")).all()
    assert ((ledger.money.astype(float) * 1000).round().astype(int) == raw.money).all()


def test_reach_over_the_whole_file(store):
    (row,) = quality.reach(open_shop("retail").rows()).to_dict("records")
    assert (row["rows"], row["orders"], row["customers"]) == (541_909, 25_900, 4_372)
    assert row["file_total"] == pytest.approx(9_747_747.934, abs=1e-6)
    assert (row["first"], row["last"]) == (pd.Timestamp(2010, 12, 1, 8, 26), pd.Timestamp(2011, 12, 9, 12, 50))


def test_reach_until_the_end_of_november(store):
    (row,) = quality.reach(open_shop("retail").rows(), until=dt.datetime(2011, 12, 1)).to_dict("records")
    assert (row["rows"], row["orders"], row["customers"]) == (516_384, 24_885, 4_331)
    assert round(row["file_total"], 2) == 9_314_079.92


def test_orders_and_their_lines_are_the_class_of_sales_to_the_cent(file, raw, table):
    orders, items = table("orders"), table("order_items")
    sales = money(file, "sale")
    assert orders.amount.sum() == items.amount.sum() == sales == Decimal(int(raw.money[raw.sale].sum())) / 1000
    assert orders.order_id.is_unique and len(orders) == raw.InvoiceNo[raw.sale].nunique()
    assert set(items.order_id) >= set(orders.order_id)
    assert orders.shipping.sum() <= money(file, "postage")  # some postage stands on an invoice without goods


def test_returns_are_the_credit_notes_with_the_sign_turned(file, raw, table):
    returns = table("returns")
    assert returns.amount.sum() == -money(file, "credit_note") == -Decimal(int(raw.money[raw.back].sum())) / 1000
    assert len(returns) == raw.back.sum() and returns.return_id.is_unique
    discount = raw.back & (raw.StockCode == "D")
    assert (returns.kind == "refund_only").sum() == discount.sum() and returns.product_id.isna().sum() == discount.sum()


def test_a_return_is_called_after_its_invoice_and_its_row(raw, table):
    """So that the same file gives the same numbers of returns each time that it is ingested."""
    rows = raw.index[raw.back] + 1
    expected = {f"{number}-{row}" for number, row in zip(raw.InvoiceNo[raw.back], rows, strict=True)}
    assert set(table("returns").return_id) == expected


def test_what_is_neither_goods_nor_postage_is_booked_apart(file, table):
    settlements = table("settlements")
    parts = ("bad_debt", "fee", "manual", "postage_refund")
    assert settlements.amount.sum() == money(file, *parts)
    assert settlements.groupby("kind").amount.sum().to_dict() == {p: money(file, p) for p in parts}


def test_customers_known_at_the_end_of_november(store, raw):
    assert open_shop("retail", "2011-11").customers.count().execute() == 4_331
    assert open_shop("retail", "2011-12").customers.count().execute() == 4_372
    assert raw.CustomerID[raw.CustomerID != ""].nunique() == 4_372


@pytest.mark.parametrize("month", ["2010-12", "2011-03", "2011-11"])
def test_net_sales_of_a_month_are_those_added_up_by_hand(store, raw, month):
    """March 2011 holds the change to summer time, November the highest sales."""
    of_month = raw[raw.month == month]
    sold, back = of_month.money[of_month.sale].sum() / 1000, -of_month.money[of_month.back].sum() / 1000
    found = measure(open_shop("retail", month), ["net_sales", "gross_sales", "returns", "orders_paid", "aov"])
    values = found.set_index("metric").value
    assert values["net_sales"] == pytest.approx(sold - back, abs=1e-6)
    assert (values["gross_sales"], values["returns"]) == pytest.approx((sold, back), abs=1e-6)
    assert values["orders_paid"] == (numbers := of_month.InvoiceNo[of_month.sale].nunique())
    assert values["aov"] == pytest.approx(sold / numbers, rel=1e-12)


def test_months_add_up_to_the_year(store, file):
    found = measure(open_shop("retail", "2010-12-01/2011-12-31"), ["net_sales"], by=["month"])
    assert len(found) == 13
    assert found.value.sum() == pytest.approx(float(money(file, "sale", "credit_note")), abs=1e-5)
