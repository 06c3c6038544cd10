"""Sheets of the plan: read back, with every mistake named by row and column."""

import pandas as pd
import pytest

from playbook.data import plan_sheets
from playbook.data.plan_sheets import Column
from playbook.data.store import ShopError
from playbook.missing import Missing
from playbook.operations import risks

COLUMNS = [
    Column("id", required=True),
    Column("kind", required=True, one_of=("a", "b")),
    Column("score", between=(1, 5)),
    Column("due", is_day=True),
    Column("note"),
]


@pytest.fixture
def sheet(make_shop):
    def write(content, name="things.csv"):
        store = make_shop("corner", {})
        (store.folder / "plan").mkdir(exist_ok=True)
        path = store.folder / "plan" / name
        if isinstance(content, pd.DataFrame):
            content.to_excel(path, index=False)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return store

    return write


def test_cells_become_what_they_are_and_empty_rows_are_passed_over(sheet):
    store = sheet("\ufeffid,extra,kind,score,due\n x ,?,a,4,2026/11/5\n,,,,\ny,,b,,\n")
    read = plan_sheets.read(store, "things", COLUMNS, key="id")
    assert read["id"].tolist() == ["x", "y"]
    assert read["score"].iloc[0] == 4
    assert read["due"].iloc[0] == pd.Timestamp("2026-11-05")
    assert pd.isna(read["score"].iloc[1])
    assert list(read.columns) == ["id", "kind", "score", "due", "note"]


def test_every_mistake_is_named_with_row_and_column(sheet):
    store = sheet("id,kind,score,due\nx,a,9,\n,c,1,never\nx,b,one,\n")
    with pytest.raises(ShopError) as told:
        plan_sheets.read(store, "things", COLUMNS, key="id")
    lines = str(told.value).splitlines()
    assert lines[0] == "things.csv, row 2, column score: '9': must be a number from 1 to 5"
    assert lines[1] == "things.csv, row 3, column id: '': must be filled in"
    assert lines[2] == "things.csv, row 3, column kind: 'c': must be one of: a, b"
    assert lines[3] == "things.csv, row 3, column due: 'never': must be a day such as 2026-11-05"
    assert lines[4] == "things.csv, row 4, column id: 'x': it is there already, in row 2"
    assert lines[5] == "things.csv, row 4, column score: 'one': must be a number from 1 to 5"
    assert len(lines) == 6


def test_a_lacking_column_is_named(sheet):
    with pytest.raises(ShopError, match=r"things\.csv, row 1: column kind is lacking"):
        plan_sheets.read(sheet("id\nx\n"), "things", COLUMNS)


def test_spreadsheets_and_their_chinese_encoding_are_read(sheet):
    store = sheet("id,kind\n香薰,a\n".encode("gb18030"))
    assert plan_sheets.read(store, "things", COLUMNS)["id"].tolist() == ["香薰"]
    store = sheet(pd.DataFrame({"id": ["007"], "kind": ["b"], "due": [pd.Timestamp("2026-11-05")]}), "others.xlsx")
    read = plan_sheets.read(store, "others", COLUMNS)
    assert read["id"].tolist() == ["007"]
    assert read["due"].iloc[0] == pd.Timestamp("2026-11-05")


def test_no_sheet_is_an_absence_that_says_what_to_write(sheet):
    gone = plan_sheets.read(sheet("id\n"), "risks", risks.columns())
    assert isinstance(gone, Missing)
    assert "risk_id, title, kind" in gone.sentence()
    assert isinstance(plan_sheets.read(None, "risks", COLUMNS), Missing)


def test_a_trigger_that_cannot_be_read_is_a_mistake_of_its_row(sheet):
    rows = "risk_id,title,kind,probability,impact,trigger\nR1,x,law,2,3,when it rains\n"
    with pytest.raises(ShopError, match=r"row 2, column trigger: 'when it rains': must read like"):
        plan_sheets.read(sheet(rows, "risks.csv"), "risks", risks.columns())
