"""Forgetting a person: she is nowhere any more, the money is where it was, and an old export does not bring her back."""

import datetime as dt
import gzip
import io
import json
import os
import zipfile

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from playbook.data import privacy
from playbook.data.ingest import ingest
from playbook.data.ingest.erased import listed
from playbook.data.store import ShopError, open_store
from playbook.shop import open_shop

PHONE, MAIL, NAME, STREET = "13800001234", "she@example.org", "Q. Zyxw", "Canary Street 5, Town"
OTHER = "13900005678"

FORMAT = """
files = ["sales*"]
key = ["no"]
[fields]
no = { header = "订单号", type = "id", needed = true }
made = { header = "时间", type = "time", needed = true }
sum = { header = "金额", type = "money", needed = true }
who = { header = "买家", type = "id" }
tel = { header = "电话", personal = true }
called = { header = "姓名", personal = true }
[table.orders]
order_id = "no"
platform = "'tmall'"
ordered_at = "made"
amount = "sum"
customer_id = "who"
phone_hash = "tel"
"""
HEADER = "订单号,时间,金额,买家,电话,姓名,备注,省份\n"
SALES = (
    "导出报表,,,,,,,\r\n" + HEADER.replace("\n", "\r\n") +
    f'"0001",2024-01-01,"1,000.50",tb001122,+86 {PHONE},{NAME},"call\nme at {PHONE}",上海\r\n'
    f"0002,2024-01-02,5.25,tb999999,{OTHER},B. Other,,北京\r\n"
    f"0003,2024-01-03,7.00,,{PHONE},{NAME},,上海\r\n"
    f"0004,2024-01-04,x,tb001122,{PHONE},{NAME},,上海\r\n"
    f"0005,2024-01-05,1.00,tb999999,{OTHER},B. Other,see {PHONE},北京\r\n"
)  # fmt: skip
CUSTOMERS = (
    "customer_id,platform,registered_at,gender,phone_hash,email_hash,consent_marketing\n"
    f"tb001122,tmall,2023-12-01,female,{PHONE},,yes\nw5566778,own_site,2023-12-05,female,{PHONE},{MAIL},yes\n"
    f"tb999999,tmall,2023-12-02,male,{OTHER},,yes\n"
)
MESSAGES = (
    "message_id,sent_at,channel,customer_id,cost\nm1,2024-01-05,sms,w5566778,0.05\nm2,2024-01-05,sms,tb999999,0.05\n"
)


@pytest.fixture
def shop(build):
    return build(
        {
            "sales.csv": SALES.encode("gb18030"),
            "customers.csv": b"\xef\xbb\xbf" + CUSTOMERS.encode(),
            "messages.csv.gz": gzip.compress(MESSAGES.encode()),
            "formats/my.toml": FORMAT,
        },
        'zone = "UTC"\ncurrency = "CNY"\n',
    )


def everything(folder):
    """All that lies in a folder, unpacked."""
    out = []
    for p in sorted(folder.rglob("*")):
        if p.is_file():
            data = p.read_bytes()
            data = gzip.decompress(data) if p.suffix == ".gz" else data
            text = data.decode("gb18030" if p.name.startswith("sales") else "utf-8", "replace")
            out.append(pd.read_parquet(p).to_string() if p.suffix == ".parquet" else text)
    return "\n".join(out)


def money(built):
    return built.orders.amount.sum(), [
        (f["file"], f["accepted"], f["quarantined"], f["file_total"])
        for f in built.accounting["files"]
        if f["file_total"]
    ]


def test_a_person_is_nowhere_any_more_and_the_money_is_where_it_was(shop, home):
    before = money(shop)
    page = home / "reports" / "corner" / "2024-01"
    page.mkdir(parents=True)
    (page / "index.html").write_text("<p>tb001122 bought most</p>")
    clean = home / "reports" / "corner" / "2023-12"
    clean.mkdir()
    (clean / "index.html").write_text("<p>nobody</p>")
    open_shop("corner", "2024-01").customer_360  # noqa: B018
    done = privacy.erase(shop.store, MAIL, now=dt.datetime(2024, 2, 1, tzinfo=dt.UTC))
    assert done.files == {"customers.csv": 2, "messages.csv.gz": 1, "sales.csv": 4}
    assert done.removed == ("reports/corner/2024-01",) and clean.exists() and not page.exists() and done.named == ()
    held = everything(home)
    for canary in (PHONE, MAIL, NAME, "tb001122", "w5566778", "female"):
        assert canary not in held, canary
    assert OTHER in held and "B. Other" in held and "tb999999" in held
    after = type(shop)(shop.store, shop.store.accounting())
    assert (
        money(after)[0] == before[0] and after.file("sales.csv")["file_total"] == shop.file("sales.csv")["file_total"]
    )
    assert after.quarantine == shop.quarantine == [("sales.csv", 7, "not an amount", "sum")]
    assert after.orders.customer_id.fillna("").tolist() == ["", "tb999999", "", "tb999999"]
    assert len(after.table("messages")) == 2 and after.table("messages").customer_id[0].startswith("erased-")
    assert [c.customer_id for c in after.table("customers").itertuples()] == ["tb999999"]


def test_the_other_rows_stay_byte_for_byte(shop):
    raw = shop.store.raw / "sales.csv"
    lines = raw.read_bytes().decode("gb18030").split("\r\n")
    privacy.erase(shop.store, f"tmall:{'tb001122'}")
    now = raw.read_bytes().decode("gb18030").split("\r\n")
    assert now[:2] == lines[:2] and now[3 + 1] == lines[3] and now[-1] == ""
    assert now[2] == '0001,2024-01-01,"1,000.50",,,,,'
    assert (shop.store.raw / "customers.csv").read_bytes().startswith(b"\xef\xbb\xbfcustomer_id")


def test_an_older_export_does_not_bring_her_back(shop):
    before = money(shop)
    privacy.erase(shop.store, PHONE)
    (shop.store.raw / "sales.csv").write_bytes(SALES.encode("gb18030"))
    (shop.store.raw / "customers.csv").write_text(CUSTOMERS)
    (shop.store.raw / "messages.csv.gz").write_bytes(gzip.compress(MESSAGES.encode()))
    again = type(shop)(shop.store, ingest(open_store("corner")))
    assert money(again) == before
    assert again.orders.customer_id.fillna("").tolist() == ["", "tb999999", "", "tb999999"]
    assert again.orders.phone_hash.notna().tolist() == [False, True, False, True]
    assert again.table("customers").customer_id.tolist() == ["tb999999"]
    assert again.table("messages").customer_id.tolist() == ["erased", "tb999999"]
    assert set(again.ledger.customer.dropna()) <= {"tb999999"}


def test_the_list_and_the_log_name_nobody(shop):
    privacy.erase(shop.store, PHONE, now=dt.datetime(2024, 2, 1, 8, tzinfo=dt.UTC))
    folder = shop.store.folder
    (line,) = (folder / "privacy.log").read_text().splitlines()
    assert line.startswith("2024-02-01T08:00:00Z erase subject=") and line.endswith("files=3 rows=7 removed=0")
    assert {kind for kind, _hash in listed(folder)} == {"account", "number", "phone", "email"}
    for text in (line, (folder / "erased.csv").read_text()):
        assert not any(word in text for word in (PHONE, MAIL, "tb001122", "w5566778"))
    with pytest.raises(ShopError, match="nothing"):
        privacy.erase(shop.store, "tmall:tb777777")


def test_what_is_held_on_a_person_is_told_whole(shop):
    held = privacy.access(shop.store, "own_site:w5566778")
    assert held["accounts"] == ["own_site:w5566778", "tmall:tb001122"] and len(held["person"]) == 16
    assert {n: len(rows) for n, rows in held["tables"].items()} == {"orders": 2, "customers": 2, "messages": 1}
    lines = [(f["file"], f["line"]) for f in held["files"]]
    assert lines == [
        ("customers.csv", 2), ("customers.csv", 3), ("messages.csv.gz", 2),
        ("sales.csv", 3), ("sales.csv", 6), ("sales.csv", 7), ("sales.csv", 8),
    ]  # fmt: skip
    assert held["files"][3]["cells"]["姓名"] == NAME
    assert privacy.access(shop.store, held["person"]) == held == privacy.access(shop.store, f"+86 {PHONE}")
    json.dumps(held)


class Killed(BaseException):
    """What no code catches."""


RAW = ("sales.csv", "customers.csv", "messages.csv.gz")


def interrupted(monkeypatch, at):
    """Have the process end when a file is about to be moved for the nth time to a place that `at` tells."""
    real, before = os.replace, []

    def replace(source, target):
        if at(os.path.basename(target)):
            before.append(target)
            if len(before) == 2 or os.path.basename(target) == "journal.json":
                raise Killed
        return real(source, target)

    monkeypatch.setattr(os, "replace", replace)


@pytest.mark.parametrize("opened_by", ["the book", "another erasure"])
def test_an_erasure_killed_between_two_files_is_finished_by_whatever_opens_the_shop_next(shop, monkeypatch, opened_by):
    folder, raw = shop.store.folder, shop.store.raw
    before = {n: (raw / n).read_bytes() for n in RAW}
    with monkeypatch.context() as patch:
        interrupted(patch, lambda name: name in RAW)
        with pytest.raises(Killed):
            privacy.erase(shop.store, MAIL, now=dt.datetime(2024, 2, 1, tzinfo=dt.UTC))
    assert sum((raw / n).read_bytes() != before[n] for n in RAW) == 1  # half done
    journal = (folder / ".erasure" / "journal.json").read_text()
    assert not any(canary in journal for canary in (PHONE, MAIL, NAME, "tb001122", "w5566778"))
    if opened_by == "the book":
        assert open_shop("corner", "2024-01").orders.customer_id.count().to_pandas() == 2
    else:
        privacy.erase(open_store("corner"), MAIL)
    assert all((raw / n).read_bytes() != before[n] for n in RAW) and not (folder / ".erasure").exists()
    held = everything(folder)
    assert not any(canary in held for canary in (PHONE, MAIL, NAME, "tb001122", "w5566778"))
    line, *again = (folder / "privacy.log").read_text().splitlines()
    assert len(again) == (opened_by == "another erasure")
    assert line.startswith("2024-02-01T00:00:00Z erase subject=") and line.endswith("files=3 rows=7 removed=0")
    assert listed(folder)


def test_an_erasure_killed_before_it_is_decided_on_has_changed_nothing_and_can_be_asked_for_again(shop, monkeypatch):
    folder, raw = shop.store.folder, shop.store.raw
    before = {n: (raw / n).read_bytes() for n in RAW}
    with monkeypatch.context() as patch:
        interrupted(patch, lambda name: name == "journal.json")
        with pytest.raises(Killed):
            privacy.erase(shop.store, MAIL)
    assert {n: (raw / n).read_bytes() for n in RAW} == before and not listed(folder)
    ingest(open_store("corner"))
    assert {n: (raw / n).read_bytes() for n in RAW} == before
    privacy.erase(open_store("corner"), MAIL)
    assert all((raw / n).read_bytes() != before[n] for n in RAW) and not (folder / ".erasure").exists()


def test_what_a_killed_search_left_behind_goes_with_the_next_one(shop):
    left = shop.store.folder / ".search"
    left.mkdir()
    (left / "rows_0.csv").write_text(f"1,{PHONE}\n")
    privacy.access(shop.store, MAIL)
    assert not left.exists()


def test_a_file_that_was_exported_anew_after_the_kill_is_not_overwritten(shop, monkeypatch):
    raw = shop.store.raw
    with monkeypatch.context() as patch:
        interrupted(patch, lambda name: name in RAW)
        with pytest.raises(Killed):
            privacy.erase(shop.store, MAIL)
    newer = SALES.replace("1.00", "2.00").encode("gb18030")
    (raw / "sales.csv").write_bytes(newer)
    ingest(open_store("corner"))
    assert (raw / "sales.csv").read_bytes() == newer
    told = open_shop("corner", "2024-01").orders.to_pandas()
    assert told.customer_id.dropna().tolist() == ["tb999999", "tb999999"]  # the list keeps her out all the same


def test_a_number_that_two_persons_share_names_neither(build):
    people = f"customer_id,platform,gender,birth_year,phone_hash\na,tmall,female,1960,{PHONE}\nb,jd,male,1990,{PHONE}\n"
    built = build(
        {"customers.csv": people, "sales.csv": SALES.encode("gb18030"), "formats/my.toml": FORMAT}, 'zone = "UTC"\n'
    )
    with pytest.raises(ShopError, match="3 persons share that"):
        privacy.erase(built.store, PHONE)
    with pytest.raises(ShopError, match="whole telephone number"):
        privacy.erase(built.store, "138****1234")
    privacy.erase(built.store, "jd:b")
    assert PHONE in (built.store.raw / "sales.csv").read_bytes().decode("gb18030")  # it is the others' too


def frame():
    return pd.read_csv(io.StringIO(HEADER + "".join(SALES.split("\r\n", 2)[2:]).replace("\r\n", "\n")), dtype=str)


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "utf-16", "utf-8-sig", "tsv"])
def test_files_of_every_kind_keep_their_form(build, kind):
    name = {"xlsx": "sales.xlsx", "parquet": "sales.parquet", "tsv": "sales.tsv.gz"}.get(kind, "sales.csv")
    text = frame().to_csv(index=False, sep="\t" if kind == "tsv" else ",", lineterminator="\n")
    content = {
        "xlsx": frame(), "parquet": frame(), "utf-16": text.encode("utf-16"), "utf-8-sig": text.encode("utf-8-sig"),
        "tsv": gzip.compress(text.encode()),
    }[kind]  # fmt: skip
    built = build({name: content, "formats/my.toml": FORMAT}, 'zone = "UTC"\ncurrency = "CNY"\n')
    path = built.store.raw / name
    before = path.read_bytes()
    done = privacy.erase(built.store, "tmall:tb001122")
    assert done.files == {name: 4}
    data = path.read_bytes()
    assert data[:2] == before[:2]
    if kind == "xlsx":
        rows = [[c.value for c in row] for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(min_row=2)]
    elif kind == "parquet":
        rows = pq.read_table(path).to_pandas().to_numpy().tolist()
        assert pq.read_schema(path).names == frame().columns.tolist()
    else:
        text = gzip.decompress(data).decode() if kind == "tsv" else data.decode(kind)
        read = pd.read_csv(io.StringIO(text), dtype=str, sep="\t" if kind == "tsv" else ",")
        rows = read.to_numpy().tolist()
    clean = [[None if pd.isna(c) else str(c) for c in row] for row in rows]
    assert [r for r in clean if any(r)] == [
        ["0001", "2024-01-01", "1,000.50", None, None, None, None, None],
        ["0002", "2024-01-02", "5.25", "tb999999", OTHER, "B. Other", None, "北京"],
        ["0003", "2024-01-03", "7.00", None, None, None, None, None],
        ["0004", "2024-01-04", "x", None, None, None, None, None],
        ["0005", "2024-01-05", "1.00", "tb999999", OTHER, "B. Other", None, "北京"],
    ]


def test_what_lies_in_an_archive_is_searched_and_has_to_be_unpacked_before_it_is_rewritten(build):
    def packed(text):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("sales_old.csv", text.encode("gb18030"))
        return out.getvalue()

    files = {"sales.csv": SALES.encode("gb18030"), "formats/my.toml": FORMAT}
    others = "".join(line for line in SALES.splitlines(keepends=True) if PHONE not in line and "0001" not in line)
    others = others.replace("0002", "0009").replace(f"me at {PHONE}", "")
    built = build(files | {"old.zip": packed(others)}, 'zone = "UTC"\ncurrency = "CNY"\n')
    before = (built.store.raw / "old.zip").read_bytes()
    assert privacy.erase(built.store, "tmall:tb001122").files == {"sales.csv": 4}
    assert (built.store.raw / "old.zip").read_bytes() == before

    files = {"formats/my.toml": FORMAT, "old.zip": packed(SALES)}
    built = build(files, 'zone = "UTC"\ncurrency = "CNY"\n', name="other")
    with pytest.raises(ShopError, match=r"old.zip/sales_old.csv is about that person.*as a file by itself"):
        privacy.erase(built.store, "tmall:tb001122")
