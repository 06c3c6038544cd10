"""Damage: whatever happens to an export, ingest refuses it by name or accounts for every row, and keeps the good ones.

An export is made of records whose lines are known, then harmed in ways that are known too. So it is known which records
nobody touched: those must come through, whatever has become of their neighbours.

``make damage`` runs thousands of examples and says how many were taken and how many refused.
"""

import codecs
import csv
import gzip
import io
import json
import os
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbook.data.ingest import ingest
from playbook.data.store import ShopError, open_store

EXAMPLES = 150
MANY = int(os.environ.get("PLAYBOOK_DAMAGE", "0"))

OUTCOMES = ("accepted", "superseded", "duplicate", "skipped", "quarantined")

LEDGER = """\
title = "a ledger without numbers that could tell its rows apart"
files = "ledger*"

[fields]
no = { header = "单号", type = "id", needed = true }
made = { header = "下单时间", type = "time", needed = true }
paid = { header = "实付金额", type = "money", needed = true }
words = { header = "备注", optional = true }
place = { header = "省份", optional = true }

[row]
at = "made"
money = "paid"
order = "no"

[table.orders]
order_id = "no"
ordered_at = "made"
amount = "paid"
note = "words"
region = "place"
"""

HEADERS = {
    "orders": ("order_id", "ordered_at", "amount", "note", "region"),  # the book's own table
    "sales": ("订单号", "下单时间", "订单金额", "买家留言", "省份"),  # the generic list of orders, which has no notes
    "ledger": ("单号", "下单时间", "实付金额", "备注", "省份"),  # no key
}
NEEDED = 3
"""The first columns of each header, which its format cannot do without."""

NOTES = (
    "", "", "plain", "请尽快发货", "a, b; c", "two\nlines", '3" pipe, "new"', "尺寸：大\n颜色：红\n谢谢", ",", '"', "'", "tab\there",
    "café", "a|b", "\n", '",\n"', "共 3 件，送礼", '"quoted"',
)  # fmt: skip

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16-le", "utf-16-be")
MARKS = {"utf-8-sig": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


@dataclass
class Line:
    """One record of a file as text, with the order that it holds; `order` None: a header, or something in the way."""

    cells: list[str]
    order: str | None = None
    money: Decimal | None = None
    text: str | None = None
    touched: bool = False
    end: str = "\n"


@dataclass
class Export:
    """A file in the making."""

    name: str
    lines: list[Line]
    delimiter: str
    encoding: str
    quoting: int
    whole: bytes | None = None
    harms: list[str] = field(default_factory=list)

    def written(self, line: Line) -> str:
        if line.text is not None:
            return line.text + line.end
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, quoting=self.quoting, lineterminator="").writerow(line.cells)
        return out.getvalue() + line.end

    @property
    def coding(self) -> str:
        return "utf-8" if self.encoding == "utf-8-sig" else self.encoding

    def pieces(self) -> list[bytes]:
        """The bytes of each line, the byte-order mark apart."""
        return [self.written(line).encode(self.coding) for line in self.lines]

    def content(self) -> bytes:
        return self.whole if self.whole is not None else MARKS.get(self.encoding, b"") + b"".join(self.pieces())

    @property
    def header(self) -> Line:
        return next(line for line in self.lines if line.order is None and len(line.cells) > 1)

    @property
    def rows(self) -> list[Line]:
        """All lines but the header."""
        return [line for line in self.lines if line is not self.header]

    @property
    def may_be_refused(self) -> bool:
        """Whether its header, its bytes or the whole file are harmed, or its rows cannot be told from another file's."""
        return self.name.startswith("ledger") or {"bytes_harmed", "column_gone", "column_renamed", *WHOLE} & {
            *self.harms
        }

    def freeze(self, line: Line) -> None:
        line.text = line.text if line.text is not None else self.written(line).removesuffix(line.end)
        line.touched = True


# --- exports ---------------------------------------------------------------------------------------

AMOUNTS = st.decimals(-999, 99999, places=2, allow_nan=False) | st.integers(0, 500).map(Decimal)


@st.composite
def exports(draw) -> list[Export]:
    """One to three valid exports of one format; several overlap."""
    kind = draw(st.sampled_from(list(HEADERS)))
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    order = draw(st.sampled_from([None, None, "shuffled"]))
    columns = list(range(5)) if order is None else draw(st.permutations(range(5)))
    width = draw(st.sampled_from([3, 4, 5, 5, 5]))
    columns = [c for c in columns if c < width]
    out = []
    for i in range(count):
        name = f"{kind}_{i}"
        delimiter, encoding = draw(st.sampled_from(",,;\t")), draw(st.sampled_from(ENCODINGS))
        end, quoting = (
            draw(st.sampled_from(["\n", "\n", "\r\n"])),
            draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        )
        # files of a format without a key that overlap are refused, so mostly they follow each other
        first = 0 if kind != "ledger" else 1000 * i
        lines = [Line([HEADERS[kind][c] for c in columns], end=end)]
        for k in range(first, first + draw(st.integers(0, 12))):
            amount, note = draw(AMOUNTS), draw(st.sampled_from(NOTES))
            cells = [f"N{k:06}", f"2024-{1 + k // 1000:02}-{1 + k % 28:02} 10:00:00", str(amount), note, "上海"]
            if encoding == "gb18030":
                cells = [c.replace("é", "e") for c in cells]
            if quoting == csv.QUOTE_MINIMAL and end == "\n":
                cells = [c.replace("\r", "") for c in cells]
            lines.append(Line([cells[c] for c in columns], cells[0], amount, end=end))
        out.append(Export(f"{name}.csv", lines, delimiter, encoding, quoting))
    return out


# --- damage ----------------------------------------------------------------------------------------


def some_line(draw, export: Export) -> Line | None:
    """A line that something happens to: any but the header."""
    return draw(st.sampled_from(export.rows)) if export.rows else None


def cut_row(draw, e: Export) -> None:
    """A row breaks off."""
    if line := some_line(draw, e):
        e.freeze(line)
        line.text = line.text[: draw(st.integers(0, len(line.text)))]


def lose_row(draw, e: Export) -> None:
    """Rows are gone."""
    if line := some_line(draw, e):
        e.lines = [other for other in e.lines if other is not line]


def extra_cells(draw, e: Export) -> None:
    """A row has cells too many."""
    if line := some_line(draw, e):
        line.cells = [*line.cells, *draw(st.lists(st.sampled_from(["", "x", "多余", '"']), min_size=1, max_size=3))]
        line.touched = True


def fewer_cells(draw, e: Export) -> None:
    """A row has cells too few."""
    if (line := some_line(draw, e)) and len(line.cells) > 1:
        line.cells = line.cells[: draw(st.integers(1, len(line.cells) - 1))]
        line.touched = True


def stray_quote(draw, e: Export) -> None:
    """A quotation mark stands somewhere in a row, or is gone."""
    if line := some_line(draw, e):
        e.freeze(line)
        place = draw(st.integers(0, len(line.text)))
        if draw(st.booleans()) or '"' not in line.text:
            line.text = line.text[:place] + '"' + line.text[place:]
        else:
            line.text = line.text.replace('"', "", 1)


def unclosed_quote(draw, e: Export) -> None:
    """A cell opens with a quotation mark that is never closed."""
    if line := some_line(draw, e):
        e.freeze(line)
        cells = line.text.split(e.delimiter)
        place = draw(st.integers(0, len(cells) - 1))
        cells[place] = '"' + cells[place]
        line.text = e.delimiter.join(cells)


def nul(draw, e: Export) -> None:
    """NULs stand in a row."""
    if line := some_line(draw, e):
        e.freeze(line)
        place = draw(st.integers(0, len(line.text)))
        line.text = line.text[:place] + "\0" * draw(st.integers(1, 4)) + line.text[place:]


def column_gone(draw, e: Export) -> None:
    """A column is not there."""
    place = draw(st.integers(0, len(e.header.cells) - 1))
    for line in e.lines:
        line.cells = line.cells[:place] + line.cells[place + 1 :]
        line.touched = True


def column_renamed(draw, e: Export) -> None:
    """A column has another name."""
    header = e.header
    header.cells = list(header.cells)
    header.cells[draw(st.integers(0, len(header.cells) - 1))] = draw(
        st.sampled_from(["", "x", "新列", "amount", "备注"])
    )
    for line in e.lines:  # a cell may be read as another thing now
        line.touched = True


def header_again(draw, e: Export) -> None:
    """The header comes again, as where files were pasted together."""
    header = e.header
    place = draw(st.integers(e.lines.index(header) + 1, len(e.lines)))
    e.lines.insert(place, Line(header.cells[:1], text=e.written(header).removesuffix(header.end), end=header.end))


def blank_rows(draw, e: Export) -> None:
    """Blank lines and rows of empty cells."""
    end = e.header.end
    text = draw(st.sampled_from(["", "", e.delimiter * (len(e.header.cells) - 1), e.delimiter * 2, " "]))
    e.lines.insert(draw(st.integers(0, len(e.lines))), Line([], text=text, end=end))


def totals_row(draw, e: Export) -> None:
    """A row of totals stands at the end."""
    cells = [draw(st.sampled_from(["合计", "Total", "总计："])), "", "123456.00", "", ""][: len(e.header.cells)]
    e.lines.append(Line([], text=e.delimiter.join(cells), end=e.header.end))


def preamble(draw, e: Export) -> None:
    """Words stand above the header."""
    words = draw(
        st.lists(st.sampled_from(["店铺：测试", "exported 2024-05-01", "#订单", "", '"a"']), min_size=1, max_size=3)
    )
    e.lines[:0] = [Line([], text=w, end=e.header.end) for w in words]


def excel(draw, e: Export) -> None:
    """A spreadsheet made numbers of order numbers."""
    if (line := some_line(draw, e)) and line.order:
        wrong = draw(st.sampled_from(["6.91793E+18", "1.2e+15", "17850.0", "#NAME?", "45292", "#N/A", "########"]))
        line.cells = [wrong if draw(st.booleans()) else c for c in line.cells]
        line.touched = True


def nonsense(draw, e: Export) -> None:
    """A cell holds what it cannot hold."""
    if line := some_line(draw, e):
        place = draw(st.integers(0, max(0, len(line.cells) - 1)))
        line.cells = [draw(st.text(max_size=8)) if i == place else c for i, c in enumerate(line.cells)]
        line.cells = [c.encode(e.coding, "replace").decode(e.coding) for c in line.cells]
        line.touched = True


def mixed_ends(draw, e: Export) -> None:
    """Lines end in several ways."""
    for line in e.lines:
        line.end = draw(st.sampled_from(["\n", "\r\n", "\n", "\r"]))


def bytes_harmed(draw, e: Export) -> None:
    """Bytes are changed, put in, taken out, or the file is cut."""
    pieces = e.pieces()
    step = 2 if e.coding.startswith("utf-16") else 1
    for _time in range(draw(st.integers(1, 3))):
        there = [i for i, p in enumerate(pieces) if p]
        if not there:
            break
        which = draw(st.sampled_from(there if draw(st.integers(0, 4)) == 0 else there[1:] or there))
        place = draw(st.integers(0, len(pieces[which]) - 1))
        how = draw(st.sampled_from(["flip", "flip", "insert", "delete", "cut", "quote"]))
        piece, line = pieces[which], e.lines[which]
        line.touched = True
        # the last byte is the end of the line: without it the next line is part of this one
        if place >= len(piece) - 2 * step and which + 1 < len(pieces):
            e.lines[which + 1].touched = True
        match how:
            case "flip":
                piece = piece[:place] + bytes([piece[place] ^ draw(st.integers(1, 255))]) + piece[place + 1 :]
            case "quote":
                piece = piece[:place] + b'"' + piece[place + 1 :]
            case "insert":
                piece = piece[:place] + draw(st.binary(min_size=1, max_size=3)) + piece[place:]
            case "delete":
                piece = piece[:place] + piece[place + draw(st.integers(1, 3)) :]
                if len(pieces[which]) - len(piece) + place >= len(pieces[which]) - step and which + 1 < len(pieces):
                    e.lines[which + 1].touched = True
            case "cut":
                piece, pieces[which + 1 :] = piece[:place], []
                del e.lines[which + 1 :]
        pieces[which] = piece
    e.whole = MARKS.get(e.encoding, b"") + b"".join(pieces)


def mark_harmed(draw, e: Export) -> None:
    """The byte-order mark is gone, or is another one."""
    e.whole = draw(st.sampled_from([b"", b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b"\xff"])) + b"".join(e.pieces())
    for line in e.lines:
        line.touched = True


def nothing_left(draw, e: Export) -> None:
    """The file is empty, or holds next to nothing."""
    e.whole = draw(
        st.sampled_from([b"", b"\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 9, b'"', b",", b"\r\n\r\n", b" "])
    )
    e.lines.clear()


def header_only(draw, e: Export) -> None:
    """The file holds a header and no rows."""
    e.lines = [e.header]


def zipped(draw, e: Export) -> None:
    """The file is packed, perhaps cut."""
    data = gzip.compress(e.content(), mtime=0)
    e.name += ".gz"
    if draw(st.booleans()):
        data = data[: draw(st.integers(0, len(data)))]
        for line in e.lines:
            line.touched = True
    e.whole = data


def other_ending(draw, e: Export) -> None:
    """The file's name says that it is something else."""
    e.name = e.name.removesuffix(".csv") + draw(
        st.sampled_from([".txt", ".tsv", ".xlsx", ".parquet", ".csv.gz", ".xls", ".ods"])
    )


ROWS = (
    cut_row, lose_row, extra_cells, fewer_cells, stray_quote, unclosed_quote, nul, header_again, blank_rows, totals_row,
    preamble, excel, nonsense, mixed_ends,
)  # fmt: skip
COLUMNS = (column_gone, column_renamed)
FILES = (mark_harmed, nothing_left, header_only, zipped, other_ending)


WHOLE = {harm.__name__ for harm in FILES}


@st.composite
def damaged(draw) -> list[Export]:
    """Exports, and what happened to them: to columns, to rows, to bytes, to the file."""
    found = draw(exports())
    for e in found:
        harms = draw(st.lists(st.sampled_from(ROWS), max_size=3))
        if draw(st.integers(0, 11)) == 0:
            harms = [draw(st.sampled_from(COLUMNS)), *harms]
        if draw(st.integers(0, 2)) == 0:
            harms.append(bytes_harmed)
        elif draw(st.integers(0, 7)) == 0:
            harms.append(draw(st.sampled_from(FILES)))
        for harm in harms:
            e.harms.append(harm.__name__)
            harm(draw, e)
    return found


# --- what must hold --------------------------------------------------------------------------------

TALLY: Counter[str] = Counter()


def lines_of(data: bytes, e: Export) -> list[str]:
    """The lines of a file as anybody would count them; only their ASCII is of interest."""
    if e.name.endswith(".gz"):
        data = gzip.decompress(data)
    match e.coding:
        case "utf-16-le":
            lines = re.split(rb"\r\0\n\0|\r\0|\n\0", data)
        case "utf-16-be":
            lines = re.split(rb"\0\r\0\n|\0\r|\0\n", data)
        case _:
            lines = re.split(rb"\r\n|\r|\n", data)
    return [line.replace(b"\0", b"").decode("latin-1") for line in lines]


def holds(found: list[Export]) -> None:
    """Ingest refuses the files by name, or accounts for all of their rows and keeps those that nobody touched."""
    TALLY["examples"] += 1
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_HOME", folder)
        shop = Path(folder) / "data" / "corner"
        (shop / "raw").mkdir(parents=True)
        (shop / "formats").mkdir()
        (shop / "formats" / "ledger.toml").write_text(LEDGER, encoding="utf-8")
        (shop / "shop.toml").touch()
        contents = {e.name: e.content() for e in found}
        for name, data in contents.items():
            (shop / "raw" / name).write_bytes(data)
        store = open_store("corner")
        try:
            accounting = ingest(store)
        except ShopError as error:
            TALLY["refused"] += 1
            for sentence in str(error).splitlines():
                assert any(name in sentence for name in contents), f"names no file: {sentence}"
                for e in found:
                    assert e.name not in sentence or e.may_be_refused, f"refused without need: {error} ({e.harms})"
            return
        TALLY["taken"] += 1
        tables = store.tables
        ledger = pd.read_parquet(tables / "rows.parquet")
        orders = pd.read_parquet(tables / "orders.parquet") if "orders" in accounting["tables"] else None
        quarantine = pd.read_csv(tables / "quarantine.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert {f["file"] for f in accounting["files"]} == set(contents)
    accepted = Decimal(0)
    for f in accounting["files"]:
        if "copy_of" in f:
            assert contents[f["file"]] == contents[f["copy_of"]] and f["read"] == f["duplicate"]
            continue
        rows = ledger[ledger.file == f["file"]]
        bad = quarantine[quarantine.file == f["file"]]
        assert f["read"] == sum(f[o] for o in OUTCOMES)
        assert f["skipped"] == f["blank"] + f["preamble"] + f["totals"] and min(f[o] for o in OUTCOMES) >= 0
        assert sum(Decimal(m) for m in f["money"].values()) == Decimal(f["file_total"])
        for outcome in OUTCOMES:
            of = rows[rows.outcome == outcome]
            assert sum(of.money.dropna(), Decimal(0)) == Decimal(f["money"][outcome])
            if outcome != "skipped":  # blank lines and preambles are no rows
                assert len(of) == f[outcome]
        assert len(bad) == f["quarantined"]
        text = lines_of(contents[f["file"]], next(e for e in found if e.name == f["file"]))
        for row in bad.itertuples():
            assert 1 <= int(row.line) <= len(text) and row.reason
            number = json.loads(row.cells).get("order_id") if row.cells else None
            number = (number or "").replace("\0", "")
            if number.startswith("N00") and "\ufffd" not in number:
                near = "\n".join(text[int(row.line) - 1 : int(row.line) + 9])
                assert number in near, f"{number} is not on line {row.line}"
        accepted += Decimal(f["money"]["accepted"])
        TALLY["rows"] += f["read"]
        TALLY["quarantined"] += f["quarantined"]
    assert sum(q["rows"] for q in accounting["quarantine"]) == len(quarantine)
    if orders is not None:
        assert sum(orders.amount, Decimal(0)) == accepted and len(orders) == (ledger.outcome == "accepted").sum()
    copies = {f["file"] for f in accounting["files"] if "copy_of" in f}
    kept = ledger[ledger.outcome.isin(["accepted", "superseded", "duplicate"])]
    for e in found:
        if e.name in copies:
            continue
        there = kept[kept.file == e.name].groupby("order").money.apply(list).to_dict()
        if any(line.touched for line in e.lines if line.order is None and len(line.cells) > 1):
            (f,) = (f for f in accounting["files"] if f["file"] == e.name)  # a harmed header may put every row aside
            rows = sum(line.order is not None and not line.touched for line in e.lines)
            assert f["read"] - f["skipped"] >= rows, f"rows of {e.name} were skipped ({e.harms})"
            continue
        for line in e.lines:
            if line.order and not line.touched:
                TALLY["untouched"] += 1
                assert line.money in there.get(line.order, []), f"{line.order} of {e.name} was lost ({e.harms})"


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=QUIET)
@given(damaged())
def test_whatever_happens_to_an_export_it_is_refused_by_name_or_accounted_for(found):
    holds(found)


@pytest.mark.scale
@pytest.mark.skipif(not MANY, reason="minutes: run `make damage`")
def test_many_damaged_exports_are_refused_by_name_or_accounted_for(capsys):
    TALLY.clear()
    settings(max_examples=MANY, deadline=None, database=None, suppress_health_check=QUIET)(given(damaged())(holds))()
    with capsys.disabled():
        print("\n" + ", ".join(f"{n:,} {what}" for what, n in TALLY.items()))
    assert TALLY["examples"] >= MANY and TALLY["taken"] > TALLY["refused"]
