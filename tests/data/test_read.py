"""Stories of raw files: bytes in whatever dress become the same records, and each record knows its line."""

import codecs
import csv
import datetime as dt
import gzip
import io

import openpyxl
import pandas as pd
import pytest

from playbook.data.ingest.files import other_files, raw_files
from playbook.data.ingest.read import read
from playbook.data.ingest.repair import repaired
from playbook.data.store import ShopError

TEXT = "订单号,下单时间,金额\n007,2024-03-01 00:01:00,5.50\n008,2024-03-01 23:59:00,6\n"
HEADER = ["订单号", "下单时间", "金额"]


@pytest.fixture
def put(tmp_path):
    """Read a file of these bytes."""

    def put(data, name="export.csv", **options):
        path = tmp_path / name
        path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        return read(path, name, **options)

    return put


def records(raw):
    return list(csv.reader(io.StringIO(bytes(raw.body).decode("utf-8"), newline=""), delimiter=raw.delimiter or ","))


def lines(raw):
    return [raw.line(i) for i in range(raw.records)]


def workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(buffer := io.BytesIO())
    return buffer.getvalue()


# --- dress -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode("utf-8"), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("gb18030"), "gb18030"),
        (TEXT.encode("gbk"), "gb18030"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.replace("\n", "\r\n").encode("gb18030"), "gb18030"),
        (TEXT.replace("\n", "\r").encode("utf-8"), "utf-8"),
        (TEXT.replace("\n", "\r\n", 1).encode("utf-8"), "utf-8"),  # some lines so, some so
        (TEXT.rstrip("\n").encode("utf-8"), "utf-8"),
        (codecs.BOM_UTF16_LE + TEXT.replace(",", "\t").replace("\n", "\r\n").encode("utf-16-le"), "utf-16"),
        (TEXT.replace(",", ";").encode("utf-8"), "utf-8"),
        (TEXT.replace(",", "|").encode("utf-8"), "utf-8"),
    ],
    ids=[
        "utf8",
        "bom",
        "gb18030",
        "gbk",
        "utf16le",
        "utf16be",
        "crlf",
        "cr",
        "mixed",
        "no_last_feed",
        "utf16_tab",
        "semicolon",
        "bar",
    ],
)
def test_the_same_text_in_any_dress_gives_the_same_records(put, data, encoding):
    raw = put(data)
    assert (raw.header, raw.encoding, raw.records, raw.blank) == (HEADER, encoding, 2, 0)
    assert records(raw) == [["007", "2024-03-01 00:01:00", "5.50"], ["008", "2024-03-01 23:59:00", "6"]]
    assert lines(raw) == [2, 3]


def test_a_character_beyond_gbk_is_read_from_gb18030(put):
    raw = put("id,time,note\n1,2024-01-01,𠮷野家 😀\n".encode("gb18030"))
    assert records(raw) == [["1", "2024-01-01", "𠮷野家 😀"]]


@pytest.mark.parametrize("name", ["export.csv.gz", "export.TSV.GZ", "export.txt.gz"])
def test_a_packed_file_is_unpacked_and_its_fingerprint_is_that_of_the_packed_bytes(put, name):
    packed = gzip.compress(TEXT.encode("gb18030"), mtime=0)
    raw, plain = put(packed, name), put(TEXT.encode("gb18030"), "plain.csv")
    assert (raw.header, records(raw), raw.encoding) == (plain.header, records(plain), "gb18030")
    assert raw.sha256 != plain.sha256


@pytest.mark.parametrize(
    "header", ["id;time;amount, with tax", '"total, before, tax, and, all";id;time', 'id\ttime\t"a,b,c,d"']
)
def test_the_delimiter_is_the_one_between_the_names_not_the_one_within_them(put, header):
    raw = put(f"{header}\n")
    assert len(raw.header) == 3 and raw.delimiter in ";\t"


def test_a_name_in_the_header_may_run_over_two_lines(put):
    raw = put('id,"paid\nat",amount\n1,2024-01-01,5\n')
    assert raw.header == ["id", "paid\nat", "amount"] and lines(raw) == [3]


def test_a_file_without_a_header_keeps_its_first_record(put):
    raw = put("\n7,2024-01-01,5\n\n8,2024-01-01,6\n").headed(-1)
    assert records(raw)[0] == raw.header == ["7", "2024-01-01", "5"]
    assert raw.records == 2 and lines(raw) == [2, 4] and raw.blank == 2


# --- records and lines -----------------------------------------------------------------------------


def test_a_record_knows_the_line_that_it_begins_on(put):
    raw = put('id,note,amount\n1,"two\nlines",5\n\n2,"a ""quoted""\n\n\nword, and a comma",6\n3,plain,7\n\n')
    assert lines(raw) == [2, 5, 9]
    assert (raw.records, raw.blank) == (3, 2)


def test_blank_lines_before_the_header_count_too(put):
    raw = put("\n\n" + TEXT)
    assert (raw.header, raw.records, raw.blank, lines(raw)) == (HEADER, 2, 2, [4, 5])


def test_lines_are_those_of_the_file_whatever_ends_them(put):
    assert lines(put(b'id,time,note\r\n1,x,"a\r\nb"\r\n\r\n2,x,c\r\n')) == [2, 5]


def test_a_header_may_stand_below_a_preamble(put):
    raw = put("Report\nAugust\n\nid,time,amount\n1,2024-01-01,5\n").headed(2)
    assert (raw.header, raw.preamble, raw.blank, lines(raw)) == (["id", "time", "amount"], 2, 1, [5])
    assert records(raw) == [["1", "2024-01-01", "5"]]


def test_a_header_alone_is_a_file_of_no_records(put):
    raw = put("id,time,amount")
    assert (raw.header, raw.records, raw.blank, records(raw)) == (["id", "time", "amount"], 0, 0, [])


# --- workbooks and Parquet -------------------------------------------------------------------------


def test_a_workbook_gives_the_text_that_a_person_sees(put):
    raw = put(
        workbook(
            [
                ["id", "time", "amount", "flag", "note"],
                [17850, dt.datetime(2024, 3, 1, 0, 1), 5.5, True, "007"],
                [17851.0, dt.datetime(2024, 3, 1), 1200, False, None],
                ["6917926768823643751", dt.date(2024, 3, 2), -0.25, None, 'a "b", c'],
            ]
        ),
        "book.xlsx",
    )
    rows = records(raw)
    assert raw.header == ["id", "time", "amount", "flag", "note"] and raw.records == 3
    assert rows[0] == ["17850", "2024-03-01 00:01:00", "5.5", "True", "007"]
    assert rows[1][0] == "17851" and rows[1][1].startswith("2024-03-01") and rows[1][2:] == ["1200", "False", ""]
    assert rows[2][0] == "6917926768823643751" and rows[2][2:] == ["-0.25", "", 'a "b", c']


def test_the_line_of_a_workbooks_record_is_its_row_in_the_sheet(put):
    raw = put(workbook([["id", "note"], [1, "two\nlines"], [2, "three\nmore\nlines"], [3, "x"]]), "book.xlsx")
    assert lines(raw) == [2, 3, 4]


def test_a_row_of_a_workbook_with_nothing_in_it_is_blank(put):
    raw = put(workbook([["id", "note"], [1, "x"], [None, None], [2, "y"]]), "book.xlsx")
    assert (raw.records, raw.blank, lines(raw)) == (2, 1, [2, 4])


def test_of_a_workbook_the_first_sheet_is_read(put):
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append([1])
    book.create_sheet("notes", 1).append(["no", "order"])
    book.save(buffer := io.BytesIO())
    assert put(buffer.getvalue(), "book.xlsx").header == ["id"]


def test_parquet_has_its_names_and_rows(put):
    pd.DataFrame({"订单号": ["007", "008"], "金额": [5.5, 6.0]}).to_parquet(buffer := io.BytesIO())
    raw = put(buffer.getvalue(), "export.parquet")
    assert (raw.header, raw.records, raw.encoding) == (["订单号", "金额"], 2, "parquet")


def test_of_a_workbook_with_more_sheets_it_is_said_which_were_not_read(put):
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.create_sheet("notes")
    book.create_sheet("more")
    book.save(buffer := io.BytesIO())
    assert put(buffer.getvalue(), "book.xlsx").notes == ("book.xlsx: only its first sheet was read, not notes, more.",)
    assert put(workbook([["id"], [1]]), "one.xlsx").notes == ()


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("orders_20240131.csv", "2024-01-31 00:00:00"),
        ("订单_2024-01-31_18-05-09.csv", "2024-01-31 18:05:09"),
        ("商品报表_20240131_180509.csv", "2024-01-31 18:05:09"),
        ("商品_全部_2024-01-01_2024-01-31.xls", "2024-01-31 00:00:00"),
        ("2024年01月31日.csv", "2024-01-31 00:00:00"),
        ("orders_20249931.csv", None),
        ("orders.csv", None),
    ],
)
def test_the_time_of_an_export_is_the_latest_one_in_its_name(put, name, moment):
    raw = put(workbook([["id"], [1]]) if name.endswith("xls") else "id\n1\n", name)
    assert raw.exported_at == moment


# --- damage ----------------------------------------------------------------------------------------


def mended(raw):
    made = repaired(raw)
    return [r[0] for r in records(made)], lines(made), [(b.line, b.reason) for b in made.broken]


def test_a_quotation_mark_gone_astray_costs_one_line(put):
    raw = put('id,t\n1,x\n2,"x\n3,x\n\n4,"two\nlines"\n5,x"\n')
    assert not raw.tidy
    assert mended(raw) == (["1", "3", "4", "5"], [2, 4, 6, 8], [(3, "quotation marks")])


def test_records_of_another_width_are_put_aside_and_empty_cells_at_the_end_let_go(put):
    raw = put("id,t\n1\n2,x,y\n3,x,,\n4,\n")
    assert mended(raw) == (["3", "4"], [4, 5], [(2, "number of columns"), (3, "number of columns")])


def test_bytes_in_no_encoding_cost_their_row(put):
    raw = put(b"id,t\n" + "名,x\n".encode() * 20 + b"caf\xff\xfe,x\n2,x\n")
    assert (raw.damaged, raw.encoding) == (True, "utf-8")
    good, at, broken = mended(raw)
    assert (len(good), at[-1], broken) == (21, 23, [(22, "damaged bytes")])


def test_a_file_of_chinese_text_with_a_bad_byte_is_still_chinese_text(put):
    raw = put(b"id,t\n" + "订单,已付款\n".encode("gb18030") * 30 + b"\xff\xff,x\n")
    assert (raw.damaged, raw.encoding) == (True, "gb18030")
    good, at, broken = mended(raw)
    assert (good, at[-1], broken) == (["订单"] * 30, 31, [(32, "damaged bytes")])


def test_utf_16_without_a_mark_is_known_by_its_zeros(put):
    raw = put("id,time,note\n1,2024-01-01,上海\n".encode("utf-16-le"))
    assert (raw.encoding, raw.header, records(raw)) == (
        "utf-16-le",
        ["id", "time", "note"],
        [["1", "2024-01-01", "上海"]],
    )


def test_an_encoding_that_is_stated_is_taken_at_its_word(put, tmp_path):
    (tmp_path / "fr.csv").write_bytes("id,ville\n1,Sète\n".encode("cp1252"))
    assert records(read(tmp_path / "fr.csv", "fr.csv", encoding="cp1252")) == [["1", "Sète"]]
    with pytest.raises(ShopError, match=r"fr\.csv: there is no encoding 'klingon'"):
        read(tmp_path / "fr.csv", "fr.csv", encoding="klingon")


# --- which files -----------------------------------------------------------------------------------


def test_raw_files_are_those_of_a_known_kind_in_order_of_their_names(tmp_path):
    names = ["b.csv", "a.CSV.GZ", "sub/c.xlsx", "z.parquet", "y.xls", "x.tsv", "w.txt", "read me.docx", "no_ending"]
    hidden = [".DS_Store", ".hidden.csv", "~$b.xlsx"]
    for name in names + hidden:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [p.relative_to(tmp_path).as_posix() for p in raw_files(tmp_path)]
    assert found == ["a.CSV.GZ", "b.csv", "sub/c.xlsx", "w.txt", "x.tsv", "y.xls", "z.parquet"]
    assert [p.name for p in other_files(tmp_path)] == ["no_ending", "read me.docx"]


# --- what cannot be read ---------------------------------------------------------------------------

PACKED = gzip.compress(TEXT.encode() * 50, mtime=0)
GARBLED = PACKED[:20] + bytes(b ^ 0xFF for b in PACKED[20:30]) + PACKED[30:]
BOOK = workbook([["id"], [1]])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "a.csv is empty: export it again"),
        ("a.xlsx", b"", "a.xlsx is empty: export it again"),
        ("a.csv", b"\n\r\n\n", "a.csv holds nothing but blank lines: export it again"),
        ("a.csv", codecs.BOM_UTF8, "a.csv holds nothing but blank lines: export it again"),
        ("a.csv.gz", b"id,time,amount\n", r"a.csv.gz is a damaged gzip file \(Not a gzipped file.*: download it again"),
        ("a.csv.gz", PACKED[:-12], r"a.csv.gz is a damaged gzip file \(.*\): download it again"),
        ("a.csv.gz", GARBLED, r"a.csv.gz is a damaged gzip file \(.*\): download it again"),
        ("a.csv.gz", PACKED[:-8] + bytes(8), r"a.csv.gz is a damaged gzip file \(CRC check.*\): download it again"),
        ("a.xlsx", b"no book", r"a.xlsx cannot be opened as a workbook \(.*\): save it again as .xlsx"),
        ("a.xlsx", BOOK[:-400], r"a.xlsx cannot be opened as a workbook \(.*\): save it again as .xlsx"),
        ("a.parquet", b"PAR1", r"a.parquet is no readable Parquet file \(.*\): export it again"),
        (
            "a.csv",
            "id,ville\n1,Sète\n".encode("cp1252"),
            "a.csv: its bytes are neither UTF-8 nor GB18030 nor UTF-16; save",
        ),
        (
            "a.csv",
            bytes(range(128, 256)) * 5,
            "a.csv: its bytes are neither .* or state its encoding in a format of your own",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_remedy(put, name, data, said):
    with pytest.raises(ShopError, match=f"^{said}"):
        put(data, name)
