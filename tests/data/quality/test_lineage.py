"""Stories of lineage: a report told twice says the same, or says what moved and why."""

import copy
import json

import pytest

from playbook.data import quality
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.report import page
from playbook.shop import open_shop

HEAD = "order_id,ordered_at,amount\n"
ORDERS = HEAD + "A,2024-01-01 10:00:00,10\nB,2024-01-31 10:00:00,20\nC,2024-02-02 10:00:00,30\n"
MORE = HEAD + "B,2024-01-31 10:00:00,25\nD,2024-01-15 10:00:00,40\n"
RETURNS = "return_id,returned_at,amount,order_id\nr1,2024-01-20 10:00:00,4,A\nr2,2024-03-01 10:00:00,9,A\n"


def record(build, files):
    build(files)
    shop = open_shop("corner", "2024-01")
    measured = measure(shop, ["net_sales", "orders_paid"])
    return quality.record(shop.accounting(), shop.rows(), measured, shop.period)


def as_left(now):
    """A record as a finished report leaves it behind."""
    figures = [{**f, "name": f"headline.{f['name']}", "notebook": "07a_scorecard", "by": {}} for f in now["figures"]]
    return json.loads(json.dumps({"figures": figures, "manifest": now["manifest"]}))


@pytest.fixture
def before(build):
    return as_left(record(build, {"orders_1.csv": ORDERS}))


def test_nothing_moves_where_nothing_changed(build, before):
    now = record(build, {"orders_1.csv": ORDERS})
    moved, causes = quality.moved(now, before), quality.causes(now, before)
    assert moved.empty and moved.attrs["notes"][0].startswith("Nothing moved")
    assert causes.empty and causes.attrs["notes"][0].startswith("The same files")


def test_a_later_export_moves_figures_and_is_named_with_its_rows_of_the_period(build, before):
    now = record(build, {"orders_2.csv": MORE})
    moved = quality.moved(now, before).set_index("metric")
    assert moved.loc["net_sales", ["before", "value"]].tolist() == [30, 75]
    assert moved.change["net_sales"] == 1.5 and moved.change["orders_paid"] == 0.5
    causes = quality.causes(now, before)
    assert causes[["cause", "what", "rows"]].values.tolist() == [
        ["new file", "orders_2.csv", 2], ["re-export", "orders_1.csv", 1],
    ]  # fmt: skip
    assert causes.money.iloc[0] == 65


def test_refunds_that_came_with_a_new_file_are_told_with_the_money_of_the_period(build, before):
    now = record(build, {"returns.csv": RETURNS})
    causes = quality.causes(now, before).set_index("cause")
    assert causes.loc["late refunds", ["what", "rows", "money"]].tolist() == ["returns.csv", 1, 4]  # r2 is of March
    (row,) = quality.moved(now, before).to_dict("records")
    assert (row["metric"], row["before"], row["value"]) == ("net_sales", 30, 26)


def test_a_file_that_changed_and_one_that_is_gone_are_told_apart(build, before):
    before["manifest"]["files"] |= {"old.csv": "0"}
    now = record(build, {"orders_1.csv": ORDERS + "E,2024-01-05 10:00:00,1\n"})
    found = quality.causes(now, before)
    assert found[["cause", "what", "rows"]].fillna(-1).values.tolist() == [
        ["changed file", "orders_1.csv", 3], ["file gone", "old.csv", -1],
    ]  # fmt: skip


def test_another_version_or_another_reading_of_the_same_files_is_a_cause(build, before):
    now = record(build, {"orders_1.csv": ORDERS})
    old = copy.deepcopy(before)
    old["manifest"]["versions"] |= {"playbook": "0.0.1"}
    old["manifest"]["tables"] = "else"
    found = quality.causes(now, old)
    assert found.cause.tolist() == ["other version", "other reading"]
    assert "the last report with 0.0.1" in found.text.iloc[0]


def test_a_share_moves_by_its_difference_and_the_unknown_by_nothing():
    now = {"figures": [{"name": "repeat_rate", "unit": "share", "value": 0.25}, {"name": "aov", "unit": "currency", "value": 5.0},
                       {"name": "new", "unit": "count", "value": 1}]}  # fmt: skip
    old = {"figures": [{"name": "headline.repeat_rate", "value": 0.2}, {"name": "headline.aov", "value": None}]}
    found = quality.moved(now, old).set_index("metric")
    assert found.change["repeat_rate"] == pytest.approx(0.05) and found.isna().change["aov"]
    assert "new" not in found.index  # the last report did not say it


def test_the_files_a_report_was_made_from_are_listed_with_their_hashes(build):
    build({"orders_1.csv": ORDERS, "orders_1b.csv": ORDERS})
    accounting = open_shop("corner", "2024-01").accounting()
    found = quality.inputs(accounting)
    assert found.hash.tolist() == [accounting["files"][0]["sha256"][:12]] * 2 and found["read"].tolist() == [3, 3]
    assert found.export.tolist() == ["the book's own table orders", "a copy of orders_1.csv"]
    assert accounting["key"] in found.attrs["notes"][0] and "duckdb" in found.attrs["notes"][0]


def test_the_first_report_has_none_to_be_held_against_and_the_second_reads_the_first(build, home, capsys):
    now = record(build, {"orders_1.csv": ORDERS})
    shop = open_shop("corner", "2024-01")
    first = shop.last_report()
    assert isinstance(first, Missing)
    assert quality.moved(now, first).attrs["notes"] == [
        "This is the first report of this period; the next is compared with it."
    ]
    assert repr(quality.causes(now, first)) == ""  # one card is enough
    folder = home / "reports" / "corner" / "2024-01"
    folder.mkdir(parents=True)
    for part, content in as_left(now).items():
        (folder / f"{part}.json").write_text(json.dumps(content), encoding="utf-8")
    moved = quality.moved(now, shop.last_report())
    assert moved.empty
    page.show(moved, name="moved", record=False)
    assert "Nothing moved" in capsys.readouterr().out


def test_what_depends_on_earlier_reports_is_shown_in_its_unit_and_is_no_figure(build, before, monkeypatch):
    now = record(build, {"orders_2.csv": MORE})
    shown = []
    monkeypatch.setattr(page, "_display", lambda html, text, bundle, **_more: shown.append((text, bundle)))
    page.show(quality.moved(now, before), name="moved", record=False)
    page.show(quality.causes(now, before), name="causes", units={"rows": "count", "money": "currency"}, record=False)
    assert all(bundle == {page.FIGURES: []} for _text, bundle in shown)
    assert "¥75.00" in shown[0][0] and "In the last report" in shown[0][0] and "¥30.00" in shown[0][0]
