"""Stories of templates: what the team keeps itself, from an empty table to one that ingest has read."""

import csv
import io
import shutil

import openpyxl
import pytest

from playbook.data import plan_sheets
from playbook.data.demo import exports
from playbook.data.ingest import ingest
from playbook.data.ingest.formats import load_formats
from playbook.data.schema import TABLES
from playbook.data.store import create, open_store
from playbook.data.templates import NAMES, PLAN, WORKBOOK, example
from playbook.data.words import CHINESE
from playbook.shop import open_shop
from playbook.tracking import monitoring, pacing
from tests.conftest import Built
from tests.data.formats.conftest import made


@pytest.fixture
def fresh(home):
    return create("corner")


def test_a_new_shop_has_a_template_for_each_table_of_the_team_and_nothing_to_ingest(fresh):
    there = {p.relative_to(fresh / "templates").as_posix() for p in (fresh / "templates").rglob("*.*")}
    assert there == {*(f"{n}.csv" for n in NAMES), WORKBOOK, *(f"plan/{n}.csv" for n in PLAN)}
    assert list((fresh / "raw").iterdir()) == []
    for name in NAMES:
        text = (fresh / "templates" / f"{name}.csv").read_bytes().decode("utf-8-sig")
        header, row = csv.reader(io.StringIO(text))
        assert header == [c.name for c in TABLES[name].columns if c.type != "hash"]
        assert row[0].startswith("#") and len(row) == len(header)


@pytest.mark.parametrize(("name", "columns"), [("alerts", monitoring.columns()), ("campaign_plan", pacing.columns())])
def test_a_plan_sheet_is_read_once_its_example_is_a_row_and_passed_over_before(fresh, name, columns):
    store, path = open_store("corner"), fresh / "plan" / f"{name}.csv"
    shutil.copytree(fresh / "templates" / "plan", fresh / "plan")
    assert plan_sheets.read(store, name, columns).empty
    path.write_text(path.read_text(encoding="utf-8-sig").replace("# ", ""), encoding="utf-8")
    row = plan_sheets.read(store, name, columns).iloc[0]
    assert row[columns[0].name] == PLAN[name][columns[0].name]
    assert list(PLAN[name]) == [c.name for c in columns]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_row_that_its_table_would_take(build, name):
    row = example(name)
    first = next(iter(row))
    row[first] = row[first].removeprefix("# ")
    text = io.StringIO()
    csv.writer(text).writerows([list(row), list(row.values())])
    orders = "order_id,ordered_at,amount\n1,2026-10-01,5\n"
    built = build({f"{name}.csv": text.getvalue(), "orders.csv": orders})
    assert built.accounting["tables"][name] == 1 and built.quarantine == []


def test_a_template_that_nobody_filled_in_is_no_data(build, fresh):
    shutil.copy(fresh / "templates" / "targets.csv", fresh / "raw")
    shutil.copy(fresh / "templates" / WORKBOOK, fresh / "raw")
    built = build({"orders.csv": "order_id,ordered_at,amount\n1,2026-10-01,5\n"})
    assert built.accounting["tables"] == {"orders": 1}
    assert built.file("targets.csv")["totals"] == 1 and built.file(f"{WORKBOOK}/targets.sheet")["totals"] == 1


def test_the_workbook_is_read_sheet_by_sheet(build, fresh):
    book = openpyxl.load_workbook(fresh / "templates" / WORKBOOK)
    book["risks"].append(["007", "A supplier fails", "supply", "2026-10-01 09:00"])
    book["suppliers"].append(["001", "Moss works", 20, 5000, "yes"])
    book.save(fresh / "raw" / "our tables.xlsx")
    built = build({"orders.csv": "order_id,ordered_at,amount\n1,2026-10-01,5\n"})
    assert built.accounting["tables"] == {"orders": 1, "suppliers": 1, "risks": 1}
    assert built.table("risks").risk_id.tolist() == ["007"] and bool(built.table("suppliers").sole_source[0])


def test_chinese_headers_are_taken_for_the_books_own(build):
    text = "指标,周期,目标,记录时间,平台,负责人\nnet_sales,2026-11,500000,2026-10-20 09:00,tmall,店长\n"
    built = build({"targets.csv": text, "orders.csv": "订单号,下单时间,金额\n1,2026-10-01,5\n"})
    (row,) = built.table("targets").to_dict("records")
    assert (row["metric"], row["period"], row["target"], row["platform"], row["owner"]) == (
        "net_sales",
        "2026-11",
        500000,
        "tmall",
        "店长",
    )
    assert built.orders.order_id.tolist() == ["1"]


def test_no_two_columns_of_a_table_share_a_chinese_header():
    names = {c.name for t in TABLES.values() for c in t.columns}
    assert set(CHINESE) <= names
    for fmt in load_formats():
        if fmt.canonical:
            words = [h for f in fmt.fields for h in f.headers]
            assert len(words) == len(set(words)), fmt.name


def test_a_fresh_shop_of_templates_and_one_platforms_export_opens(fresh):
    tables, people = made(tmall=40, jd=1, douyin=1, own_site=1)
    exports.taobao.write(tables, people, fresh / "raw" / "tmall")
    target = (fresh / "templates" / "targets.csv").read_text(encoding="utf-8-sig")
    (fresh / "raw" / "targets.csv").write_text(
        target + "net_sales,2026-09,500000,2026-08-20 09:00:00,,,\n", encoding="utf-8-sig"
    )
    store = open_store("corner")
    built = Built(store, ingest(store))
    assert built.accounting["tables"] == {
        "orders": 40,
        "order_items": (tables["order_items"].platform == "tmall").sum(),
        "targets": 1,
    }
    shop = open_shop("corner", "2026-09")
    assert shop.targets.count().execute() == 1
