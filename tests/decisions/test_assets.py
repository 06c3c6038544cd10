"""Stories of the library: what people keep, what a report finds worth keeping, and looking for it again."""

import hashlib
import shutil

import pandas as pd
import pytest

from playbook.data.store import ShopError, create
from playbook.data.templates import PLAN
from playbook.decisions import assets
from playbook.missing import Missing


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "brief.txt").write_text("wash with care")
    digest = hashlib.sha256(b"wash with care").hexdigest()[:12]
    (tmp_path / "assets.csv").write_text(
        "kind,name,tags,result,lesson,file,hash\n"
        f"creative,Spring,618 mask,+12%,short films work,brief.txt,{digest}\n"
        "creative,Autumn,99,,,brief.txt,000000000000\n"
        "lesson,Gifts,618,,gifts under 30 bring nothing,gone.txt,\n"
        "data,Outside,,,,../secret.txt,\n",
        encoding="utf-8-sig",
    )
    return tmp_path


def test_what_people_keep_is_checked_against_its_file(plan):
    kept = assets.kept(plan)
    assert kept["state"].tolist() == ["", "file has changed", "file is gone", "file is gone"]
    assert assets.search(kept, "618")["name"].tolist() == ["Spring", "Gifts"]
    assert assets.search(kept, "FILMS 618")["name"].tolist() == ["Spring"]
    assert assets.search(kept, "absent").empty and len(assets.search(kept, "")) == 4


@pytest.mark.parametrize(("line", "said"), [("film,Spring", "kind is 'film'"), ("data,", "name is ''")])
def test_a_wrong_row_is_named(tmp_path, line, said):
    (tmp_path / "assets.csv").write_text(f"kind,name\ndata,fine\n{line}\n")
    with pytest.raises(ShopError, match=f"assets.csv, row 3: {said}"):
        assets.kept(tmp_path)


def test_the_report_finds_data_creatives_relationships_and_lessons():
    files = [
        {"file": "a/1.csv", "format": "tmall", "title": "Tmall orders", "accepted": 10, "sha256": "aaaa" * 16},
        {"file": "a/2.csv", "format": "tmall", "title": "Tmall orders", "accepted": 5, "sha256": "bbbb" * 16},
    ]
    spend = pd.DataFrame(
        {
            "day": "2026-06-01", "platform": "alimama", "level": "creative", "creative_id": list("abcdef"), "spend": 1.0,
            "impressions": [1000, 1000, 1000, 1000, 1000, 4], "clicks": [10, 20, 30, 40, 50, 2],
        }
    )  # fmt: skip
    people = pd.DataFrame({"person_id": list("xyz"), "consent_marketing": [True, True, False], "orders": [1, 3, 9]})
    lessons = pd.DataFrame({"kind": ["fix"], "lesson": ["Do it."], "source": ["d-1"], "report": ["2026-05"]})
    found = assets.found(accounting={"files": files}, ad_spend=spend, customer_360=people, lessons=lessons)
    by_kind = {kind: rows for kind, rows in found.groupby("kind")}
    assert by_kind["data"][["name", "result", "file", "hash"]].to_numpy().tolist() == [
        ["Tmall orders", "15 rows from 2 files", "a/2.csv", "bbbbbbbbbbbb"]
    ]
    names = by_kind["creative"]["name"].tolist()
    assert names[0] == "e" and "a" not in names  # two clicks of four impressions are no 50 %
    assert by_kind["relationship"]["result"].item() == "2 persons; 1 of them have bought twice or more"
    assert by_kind["lesson"]["lesson"].item() == "Do it."


def test_what_is_lacking_is_left_out():
    found = assets.found(accounting=Missing("files"), ad_spend=Missing("ad_spend"), lessons=None)
    assert found.empty and found.attrs["notes"]


def test_the_template_of_a_new_shop_has_the_library_s_columns_and_no_asset_yet(home):
    folder = create("corner")
    (folder / "plan").mkdir()
    shutil.copy(folder / "templates" / "plan" / "assets.csv", folder / "plan")
    assert tuple(PLAN["assets"]) == assets.COLUMNS and PLAN["assets"]["kind"] in assets.KINDS
    assert assets.kept(folder / "plan").empty
    with (folder / "plan" / "assets.csv").open("a", encoding="utf-8") as file:
        file.write("lesson,Mine,,,,,\n")
    assert assets.kept(folder / "plan")["name"].tolist() == ["Mine"]
