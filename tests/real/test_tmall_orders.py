"""A month of Tmall orders, February 2020, as a competition site hands them out: Chinese headers, refunds netted.

The numbers are those of the real data's README, computed from the file by other means.
"""

import shutil
from decimal import Decimal

import pandas as pd
import pytest

from playbook.data import quality
from playbook.data.ingest import ingest
from playbook.data.store import create, open_store
from playbook.market import festivals
from playbook.metrics.measure import measure
from playbook.missing import Missing
from playbook.shop import open_shop

SPAN = "2020-02-01/2020-03-31"


@pytest.fixture(scope="module")
def store(real_data, tmp_path_factory):
    path = real_data / "tmall_orders" / "tmall_order_report.csv"
    if not path.exists():
        pytest.skip(f"no {path}: see the README of the real data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_HOME", str(tmp_path_factory.mktemp("home")))
        shutil.copy(path, create("tmall") / "raw")
        store = open_store("tmall")
        ingest(store)
        yield store


@pytest.fixture(scope="module")
def shop(store):
    return open_shop("tmall", SPAN)


def figures(shop, *metrics, **options):
    return measure(shop, metrics, **options).set_index("metric").value


def test_all_rows_are_accepted(store):
    (file,) = store.accounting()["files"]
    assert (file["read"], file["accepted"], file["format"]) == (28_010, 28_010, "tmall_order_report")
    assert store.accounting()["tables"]["orders"] == 28_010


def test_orders_placed_paid_and_their_money(shop):
    found = figures(shop, "orders_placed", "orders_paid", "gross_sales", "returns", "net_sales", "refund_rate")
    assert (found["orders_placed"], found["orders_paid"]) == (28_010, 24_087)
    assert round(found["gross_sales"], 2) == 2_474_823.07
    assert round(found["returns"], 2) == 572_335.92
    assert round(found["net_sales"], 2) == 1_902_487.15
    assert found["refund_rate"] == pytest.approx(572_335.92 / 2_474_823.07, rel=1e-9)


def test_money_ties_by_class_and_what_was_never_paid_is_a_class_of_its_own(store):
    (file,) = store.accounting()["files"]
    money = {c["class"]: Decimal(c["money"]) for c in file["classes"]}
    rows = {c["class"]: c["rows"] for c in file["classes"]}
    assert money["unpaid"] == Decimal("520937.54") and rows["unpaid"] == 28_010 - 24_087
    assert money["paid"] + money["refunded"] == Decimal("2474823.07")
    assert sum(money.values()) == Decimal(file["file_total"]) == Decimal("2995760.61")


def test_there_are_31_regions(store, shop):
    assert pd.read_parquet(store.tables / "orders.parquet").region.nunique() == 31
    found = measure(shop, ["orders_placed"], by=["region"])
    assert len(found) == 31 and found.value.sum() == 28_010


def test_the_dip_of_the_days_without_delivery_shows_and_a_day_without_orders_is_a_zero(shop):
    daily = measure(shop, ["orders_paid"], by=["day"], period="2020-02-01/2020-02-29")
    paid = daily.set_index(pd.to_datetime(daily["day"])).value
    assert len(paid) == 29 and paid.sum() == 24_081 and paid["2020-02-16"] == 0
    weeks = [paid[f"2020-02-{first:02}" : f"2020-02-{first + 6:02}"].sum() for first in (1, 10, 17)]
    assert weeks == [1_631, 56, 8_554]
    # four weeks are too short for seasons, and that is said
    assert isinstance(festivals.seasons(daily), Missing)


def test_an_order_counts_in_the_month_in_which_it_was_paid(shop):
    found = measure(shop, ["orders_paid", "orders_placed"], by=["month"])
    by_month = found.set_index([found.month.dt.strftime("%Y-%m"), "metric"]).value
    assert by_month.to_dict() == {
        ("2020-02", "orders_paid"): 24_081,
        ("2020-03", "orders_paid"): 6,
        ("2020-02", "orders_placed"): 28_010,
        ("2020-03", "orders_placed"): 0,
    }


def test_at_the_end_of_february_the_six_were_not_paid_yet(store):
    found = figures(open_shop("tmall", "2020-02"), "orders_placed", "orders_paid")
    assert (found["orders_placed"], found["orders_paid"]) == (28_010, 24_081)


def test_both_rules_of_the_export_hold(store):
    checks = store.accounting()["checks"]
    assert [(c["rows"], c["broken"]) for c in checks] == [(28_010, 0), (28_010, 0)]
    assert [f.verdict for f in quality.findings(store.accounting())] == ["hold"]


def test_a_total_that_was_tampered_with_breaks_the_rule(store, tmp_path, monkeypatch):
    lines = (store.raw / "tmall_order_report.csv").read_text(encoding="utf-8").split("\n")
    assert lines[2].startswith("2,21.0,21.0,")
    lines[2] = lines[2].replace("2,21.0,21.0,", "2,21.0,20.0,", 1)
    monkeypatch.setenv("PLAYBOOK_HOME", str(tmp_path))
    (create("tampered") / "raw" / "orders.csv").write_text("\n".join(lines[:101]), encoding="utf-8")
    accounting = ingest(open_store("tampered"))
    assert [c["broken"] for c in accounting["checks"]] == [1, 0]
    rule = next(f for f in quality.findings(accounting) if f.verdict == "act")
    assert rule.text.startswith("1 of 100 rows break a rule") and "add up to the total" in rule.text


def test_currency_and_clock_are_the_exports_own(store, shop):
    assert (shop.currency, shop.zone) == ("CNY", "Asia/Shanghai")
    first = pd.read_parquet(store.tables / "orders.parquet").set_index("order_id").loc["1"]
    assert first.ordered_at == pd.Timestamp(2020, 2, 20, 16)  # midnight of the 21st in Shanghai
    local = shop.orders.filter(shop.orders.order_id == "1").to_pandas()
    assert local.ordered_at.tolist() == [pd.Timestamp(2020, 2, 21)]
