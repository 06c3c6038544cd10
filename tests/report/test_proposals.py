"""Stories of plans: a notebook hands one over, the runner writes it beside the shop's own, a spreadsheet opens it."""

import csv
from decimal import Decimal

import pandas as pd
import pytest

from playbook.period import parse
from playbook.report import proposals
from playbook.report.run import run

PROPOSE = """
import pandas as pd
from playbook import open_shop
from playbook.report import propose, setup
shop = open_shop(shop, period)
setup(shop)
propose(pd.DataFrame({"month": [shop.period.label], "target": [level]}), name="targets", units={"target": "count"})
"""


def sheet(folder, name="targets"):
    with (folder / "plan" / "proposed" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_run_writes_the_plan_a_draft_does_not_and_an_older_report_leaves_a_later_one_alone(book, corner, make_shop):
    make_shop("corner", {"more.csv": "id,time,amount\n4,2024-02-28 10:00:00,1\n"}, 'zone = "UTC"\n')
    book("01_first", PROPOSE)
    run("corner", "2024-02", said={"level": "9"})
    assert not (corner.folder / "plan" / "proposed").exists()
    run("corner", "2024-01")
    assert sheet(corner.folder) == [["report", "month", "target"], ["2024-01", "2024-01", "3"]]
    (corner.folder / "plan" / "targets.csv").write_text("a human's")
    run("corner", "2024-02")
    run("corner", "2024-01", fresh=True)
    assert sheet(corner.folder)[1] == ["2024-02", "2024-02", "3"]
    assert (corner.folder / "plan" / "targets.csv").read_text() == "a human's"


def test_money_keeps_its_last_digit_and_no_cell_is_a_formula(tmp_path):
    rows = {"name": ["=1+1", "plain"], "change": [Decimal("-0.10"), 1 / 3], "day": pd.to_datetime(["2024-02-01", None])}
    plan = proposals.record(pd.DataFrame(rows), "budget")
    proposals.write([plan], tmp_path, report=parse("2024-01"))
    assert sheet(tmp_path, "budget")[1:] == [
        ["2024-01", "'=1+1", "-0.10", "2024-02-01"],
        ["2024-01", "plain", "0.3333333333333333", ""],
    ]


def test_a_plan_with_days_lies_beside_its_sheet_as_a_calendar(tmp_path):
    frame, calendar = pd.DataFrame({"a": [1]}), "BEGIN:VCALENDAR\r\nX-WR-CALNAME:计划\r\nEND:VCALENDAR\r\n"
    proposals.write([proposals.record(frame, "tasks", calendar)], tmp_path, report=parse("2024-02"))
    proposals.write([proposals.record(frame, "tasks", "an older one")], tmp_path, report=parse("2024-01"))
    folder = tmp_path / "plan" / "proposed"
    assert (folder / "tasks.ics").read_bytes() == calendar.encode()
    assert sorted(p.name for p in folder.iterdir()) == ["tasks.csv", "tasks.ics"]
    assert "calendar" not in proposals.record(frame, "tasks")


@pytest.mark.parametrize("name", ["../ledger", "Targets", "", "a.b"])
def test_a_plan_has_a_name_that_a_file_can_have(name):
    with pytest.raises(ValueError, match="no name for a plan"):
        proposals.record(pd.DataFrame({"a": [1]}), name)
