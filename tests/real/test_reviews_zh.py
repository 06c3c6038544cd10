"""Chinese reviews as somebody scraped them: bytes lost, quotation marks unpaired, rows cut. Good rows stay, bad are named.

What the file holds is counted here by Python's own csv module, which knows nothing of the book.
"""

import csv
import io
import shutil
from collections import Counter
from decimal import Decimal

import pandas as pd
import pytest

from playbook.data.ingest import ingest
from playbook.data.store import ShopError, create, open_store

ORDERS = "order_id,ordered_at,amount\n1,2019-11-01,5999\n2,2019-12-01,5999\n3,2020-01-01,1299\n"

JD = """\
title = "reviews scraped from JD"
files = "JDComment*"
duplicates = "The scraper came by more than once; a review has no number."

[fields]
product = { header = "手机ID", type = "id", needed = true }
words = { header = "评论内容" }
score = { header = "得分", type = "number" }
bought = { header = "购买时间", type = "time", needed = true }

[table.reviews]
review_id = "md5(concat_ws('|', product, bought, words))"
reviewed_at = "bought"
product_id = "product"
rating = "score"
text = "words"
"""

STRAY = 5219
"""The line with the one quotation mark that no other closes: a plain reader takes it and the next five rows for one."""


@pytest.fixture(scope="module")
def file(real_data):
    path = real_data / "reviews_zh" / "JDComment_data.csv"
    if not path.exists():
        pytest.skip(f"no {path}: see the README of the real data")
    return path


@pytest.fixture(scope="module")
def built(file, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_HOME", str(tmp_path_factory.mktemp("home")))
        folder = create("phones")
        shutil.copy(file, folder / "raw")
        (folder / "raw" / "orders.csv").write_text(ORDERS, encoding="utf-8")
        (folder / "formats").mkdir()
        (folder / "formats" / "jd.toml").write_text(JD, encoding="utf-8")
        store = open_store("phones")
        files = ingest(store)["files"]
        yield store.tables, files


def records(file, *, without=()):
    """What Python's csv module makes of the file: (first line, cells) of each record, some lines left out."""
    lines = file.read_bytes().decode("utf-8-sig", "replace").split("\n")
    kept = [(n, line + "\n") for n, line in enumerate(lines, 1) if n not in without and (line or n < len(lines))]
    reader, begins, found = csv.reader(io.StringIO("".join(line for _n, line in kept), newline="")), 0, []
    for cells in reader:
        found.append((kept[begins][0], cells))
        begins = reader.line_num
    return found


def good(cells):
    return len(cells) == 10 and cells[5] == "5" and not any("\ufffd" in c for c in cells)


def test_the_good_rows_of_a_broken_file_are_kept_and_the_three_orders_with_them(built, file):
    tables, _files = built
    reviews = pd.read_parquet(tables / "reviews.parquet")
    whole = [cells for _line, cells in records(file) if good(cells)]
    mended = [cells for _line, cells in records(file, without={STRAY}) if good(cells)]
    assert (len(whole), len(mended)) == (1845, 1850)  # the stray mark costs a plain reader five good rows
    assert len(reviews) == 1850
    assert Counter(reviews.text.str.strip()) == Counter(cells[1].strip() for cells in mended)
    assert Counter(reviews.product_id) == {"100008348542": 976, "100006947212": 776, "100000287117": 98}
    orders = pd.read_parquet(tables / "orders.parquet")
    assert len(orders) == 3 and orders.amount.sum() == Decimal(13297)


def test_every_broken_row_is_in_quarantine_with_its_line_and_the_reason(built, file):
    tables, files = built
    bad = pd.read_csv(tables / "quarantine.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert set(bad.file) == {"JDComment_data.csv"}
    assert Counter(bad.reason) == {"number of columns": 33, "quotation marks": 1, "not a number": 1}
    found = records(file, without={STRAY})[1:]  # without the header
    assert sorted(map(int, bad.line)) == sorted([STRAY, *(line for line, cells in found if not good(cells))])
    # the header stands in the file a second time: as a row, its score is no number
    assert bad[bad.reason == "not a number"][["line", "field"]].values.tolist() == [["3407", "score"]]
    (f,) = (f for f in files if f["file"] == "JDComment_data.csv")
    assert (f["read"], f["accepted"], f["quarantined"], f["skipped"]) == (1885, 1850, 35, 0)


def test_reviews_without_a_time_are_refused_with_what_they_lack(real_data, tmp_path, monkeypatch):
    path = real_data / "reviews_zh" / "online_shopping_10_cats.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path}: see the README of the real data")
    monkeypatch.setenv("PLAYBOOK_HOME", str(tmp_path))
    folder = create("ten")
    shutil.copy(path, folder / "raw")
    (folder / "formats").mkdir()
    (folder / "formats" / "ten.toml").write_text('[map.reviews]\ntext = "review"\nrating = "label"\n', encoding="utf-8")
    with pytest.raises(ShopError, match=r"ten\.toml: the table reviews needs the column review_id"):
        ingest(open_store("ten"))
    (folder / "formats" / "ten.toml").unlink()
    with pytest.raises(
        ShopError, match=r"online_shopping_10_cats\.csv\.gz: no source format has these columns \(cat, label"
    ):
        ingest(open_store("ten"))
