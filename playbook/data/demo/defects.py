"""Planted defects: what goes wrong with raw exports in life, done to a folder of them, and told file by file.

Each function of `KINDS` takes a file apart, spoils some of its rows and says by how much the account of that file (and
of others) changes. What is told is exact, so that ingest can be held to it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from .world import World

Change = dict[str, int]


@dataclass(frozen=True)
class Planted:
    """One defect.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    file : str
        Path below ``raw/`` of the file that was spoilt or added.
    rows : int
        How many rows it concerns.
    changes : dict
        File → outcome (read, accepted, superseded, duplicate, skipped, quarantined) → by how much it differs from the
        account of the unspoilt folder. Of a file that was added, from nothing.
    reason : str
        Why rows are in quarantine, as ingest says it; "" where none are.
    lost : tuple of str
        Numbers of the orders that are no longer in the tables for it.
    changed : tuple of str
        Numbers of the orders of which the tables say something else for it.
    """

    kind: str
    file: str
    rows: int
    changes: dict[str, Change] = field(default_factory=dict)
    reason: str = ""
    lost: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass
class Sheet:
    """A text file as rows of cells; every row is written as it was read, unless it was changed."""

    path: Path
    encoding: str
    header: list[str]
    rows: list[list[str]]
    tabs: bool

    def column(self, *names: str) -> int:
        return next(self.header.index(n) for n in names if n in self.header)

    def save(self, *, encoding: str = "") -> None:
        self.path.write_bytes(self.text().encode(encoding or self.encoding))

    def text(self) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(self.header)
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if self.tabs else csv.QUOTE_MINIMAL)
        writer.writerows(self.rows)
        return out.getvalue()


def read(path: Path) -> Sheet:
    """A raw CSV: UTF-8 with or without its mark, else GB18030."""
    data = path.read_bytes()
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "gb18030"
        text = data.decode(encoding)
    header, *rows = csv.reader(io.StringIO(text))
    return Sheet(path, encoding, header, rows, tabs='"\t' in text)


def _others(sheet: Sheet) -> list[bytes]:
    """The other exports of the same kind beside it: a row spoilt here would be taken from there."""
    paths = sorted(sheet.path.parent.glob(f"*{sheet.path.suffix}"))
    beside = [p.read_bytes() for p in paths if p != sheet.path and p.stat().st_size]
    heads = [",".join(sheet.header).encode(code) for code in ("utf-8", "utf-8-sig", "gb18030")]
    return [data for data in beside if any(data.startswith(head) for head in heads)]


ORDER = ("订单编号", "订单号", "子订单编号", "Name")
STATUS = ("订单状态",)
MONEY = ("总金额", "应付金额", "订单应付金额", "Total")
PLACED = ("订单创建时间", "下单时间", "订单提交时间", "Created at")
NOTE = ("订单备注", "商家备注", "Tags")


def _pick(rng: np.random.Generator, sheet: Sheet, n: int) -> list[int]:
    """Rows whose number stands once in the file, and in no other export of the kind, in order."""
    key, others = sheet.column(*ORDER), _others(sheet)
    seen: dict[str, int] = {}
    for row in sheet.rows:
        seen[row[key]] = seen.get(row[key], 0) + 1 + (len(row) < len(sheet.header) or "E+" in row[key] or not row[key])
    once = [i for i, row in enumerate(sheet.rows) if seen[row[key]] == 1]
    found: list[int] = []
    for i in rng.permutation(once):
        number = sheet.rows[i][key].strip("\t' ").encode()
        if len(found) < n and not any(number in data for data in others):
            found.append(int(i))
    return sorted(found)


def _orders(sheet: Sheet, rows: Sequence[int]) -> tuple[str, ...]:
    key = sheet.column("主订单编号", *ORDER) if "主订单编号" in sheet.header else sheet.column(*ORDER)
    return tuple(sheet.rows[i][key].strip("\t' ") for i in rows)


def duplicates(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """Rows that stand twice in the file."""
    rows = _pick(rng, sheet, n)
    sheet.rows += [list(sheet.rows[i]) for i in rows]
    sheet.save()
    return Planted("duplicates", name, len(rows), {name: {"read": len(rows), "duplicate": len(rows)}})


def re_export(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """A later export of some rows, whose status has changed."""
    rows = _pick(rng, sheet, n)
    at = sheet.column(*STATUS)
    later = sheet.path.with_name(re.sub(r"20\d{12}", _days_on, sheet.path.name))
    new = Sheet(later, sheet.encoding, sheet.header, [list(sheet.rows[i]) for i in rows], sheet.tabs)
    words = {"交易成功": "交易关闭", "完成": "已取消", "已完成": "已关闭"}  # given back after all
    for row in new.rows:
        row[at] = words.get(row[at], next(iter(words)) if "交易" in row[at] or "买家" in row[at] else "已完成")
    new.save()
    added = later.relative_to(sheet.path.parents[len(Path(name).parts) - 1]).as_posix()
    was = {name: {"accepted": -len(rows), "superseded": len(rows)}}
    now = {added: {"read": len(rows), "accepted": len(rows)}}
    return Planted("re_export", added, len(rows), was | now, changed=_orders(sheet, rows))


def _days_on(stamp: re.Match[str]) -> str:
    """The moment of an export some days after another."""
    made = datetime.strptime(stamp.group(), "%Y%m%d%H%M%S") + timedelta(days=5)
    return f"{made:%Y%m%d%H%M%S}"


def cut_rows(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """Rows that break off in their middle."""
    rows = _pick(rng, sheet, n)
    lost = _orders(sheet, rows)
    for i in rows:
        sheet.rows[i] = sheet.rows[i][: len(sheet.header) // 2]
    sheet.save()
    return Planted("cut_rows", name, len(rows), _gone(name, rows), "number of columns", lost)


def wrong_encoding(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """The file saved again in another encoding: nothing is lost."""
    sheet.save(encoding="utf-8" if sheet.encoding == "gb18030" else "gb18030")
    return Planted("wrong_encoding", name, len(sheet.rows), {name: {}})


def damaged_bytes(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """Rows with a byte that is no part of any character."""
    rows = _pick(rng, sheet, n)
    lost = _orders(sheet, rows)
    at = sheet.column(*STATUS, "Financial Status")
    for i in rows:
        sheet.rows[i][at] = "\ue000"
    mark = "\ue000".encode(sheet.encoding.removesuffix("-sig"))
    data = sheet.text().encode(sheet.encoding)
    sheet.path.write_bytes(data.replace(mark, b"\xff"))
    return Planted("damaged_bytes", name, len(rows), _gone(name, rows), "damaged bytes", lost)


def excel_ids(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """Numbers that a spreadsheet has shortened: 6.91793E+18."""
    rows = _pick(rng, sheet, n)
    lost = _orders(sheet, rows)
    key = sheet.column(*ORDER)
    for i in rows:
        digits = re.sub(r"\D", "", sheet.rows[i][key]) or "1"
        sheet.rows[i][key] = f"{digits[0]}.{digits[1:6]:0<5}E+{len(digits) - 1}"
    sheet.save()
    return Planted("excel_ids", name, len(rows), _gone(name, rows), "damaged number", lost)


def test_orders(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """Orders that somebody placed to try the shop; the file takes them, the tables do not."""
    rows = _pick(rng, sheet, n)
    key, note = sheet.column(*ORDER), sheet.column(*NOTE)
    for k, i in enumerate(rows):
        row = list(sheet.rows[i])
        mark = row[key][: len(row[key]) - len(row[key].lstrip("\t'"))]
        row[key] = f"{mark}99{k:06d}"
        if "主订单编号" in sheet.header:
            row[sheet.header.index("主订单编号")] = row[key]
        row[note] = "test" if sheet.header[note] == "Tags" else "测试订单"
        sheet.rows.append(row)
    sheet.save()
    return Planted("test_orders", name, len(rows), {name: {"read": len(rows), "accepted": len(rows)}})


test_orders.__test__ = False  # type: ignore[attr-defined]  # a defect, not a test


def mixed_zones(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """The same moments written with another zone's offset: nothing changes."""
    rows = _pick(rng, sheet, n)
    at = sheet.column(*PLACED)
    for i in rows:
        cell = sheet.rows[i][at]
        moment = np.datetime64(cell[:19].replace(" ", "T"))
        sheet.rows[i][at] = str(moment + np.timedelta64(1, "h")).replace("T", " ") + " +0900"
    sheet.save()
    return Planted("mixed_zones", name, len(rows), {name: {}})


def thousands(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """Amounts with a currency sign and a comma between thousands: nothing changes."""
    at = sheet.column(*MONEY)
    rows = _pick(rng, sheet, n)
    for i in rows:
        sheet.rows[i][at] = f"￥{float(sheet.rows[i][at] or 0):,.2f}"
    sheet.save()
    return Planted("thousands", name, len(rows), {name: {}})


def totals_rows(sheet: Sheet, name: str, rng: np.random.Generator, n: int) -> Planted:
    """A row that adds up the others."""
    at = sheet.column(*MONEY)
    total = sum(float(re.sub("[￥,]", "", row[at]) or 0) for row in sheet.rows if len(row) > at)
    row = [""] * len(sheet.header)
    row[0], row[at] = "合计", f"{total:.2f}"
    sheet.rows.append(row)
    sheet.save()
    return Planted("totals_rows", name, 1, {name: {"read": 1, "skipped": 1}})


def _gone(name: str, rows: Sequence[int]) -> dict[str, Change]:
    return {name: {"accepted": -len(rows), "quarantined": len(rows)}}


KINDS: dict[str, Callable[[Sheet, str, np.random.Generator, int], Planted]] = {
    f.__name__: f
    for f in (
        *(duplicates, re_export, cut_rows, wrong_encoding, damaged_bytes, excel_ids),
        *(test_orders, mixed_zones, thousands, totals_rows),
    )
}
"""Defects of files that are there. A store of another currency is added by `foreign_store`."""


def plant(
    raw: Path, rng: np.random.Generator, *, files: Sequence[str], kinds: Sequence[str] = tuple(KINDS), n: int = 3
) -> list[Planted]:
    """Plant one defect in each of some files of a folder.

    Parameters
    ----------
    raw : Path
        The folder of raw exports.
    rng : numpy.random.Generator
        Says which rows.
    files : sequence of str
        Paths below the folder; the first gets the first kind, and so on. A file may stand more than once.
    kinds : sequence of str
        Names of `KINDS`, as many as files.
    n : int
        Rows of each defect (a row of totals is one, another encoding concerns all).

    Returns
    -------
    list of Planted
        What was done, in the same order.
    """
    return [KINDS[kind](read(raw / name), name, rng, n) for name, kind in zip(files, kinds, strict=True)]


SPOILT = (
    *(("tmall/ExportOrderList*", 0, "wrong_encoding"), ("tmall/ExportOrderList*", -2, "re_export")),
    *(("tmall/ExportOrderList*", -1, "duplicates"), ("tmall/ExportOrderList*", -1, "totals_rows")),
    *(("tmall/ExportOrderList*", -1, "cut_rows"), ("jd/*", -1, "excel_ids"), ("jd/*", -1, "test_orders")),
    *(("jd/*", -2, "thousands"), ("douyin/订单导出*", -2, "mixed_zones"), ("douyin/订单导出*", -2, "totals_rows")),
    ("douyin/订单导出*", -1, "damaged_bytes"),
)
"""What goes wrong in the demo: pattern of files, which of them, kind."""
SMALL = 0.04
"""Scale up to which one row of each is enough: of a small file, three would block what the report decides."""


FOREIGN = 90
"""Orders of the store that sells in dollars; so few, and of so many products, that no stock has to know of them. In a
shop of any size: of a smaller file, the two orders without a rate would block what the report decides."""


def spoil(raw: Path, world: World) -> list[Planted]:
    """Plant the demo's defects into its ``raw/``, and add its store that sells in dollars."""
    found = {pattern: sorted(raw.glob(pattern)) for pattern, _which, _kind in SPOILT}
    some = [(found[p][which], kind) for p, which, kind in SPOILT if len(found[p]) > 1]
    files = [path.relative_to(raw).as_posix() for path, _kind in some]
    rng, kinds = np.random.default_rng([world.seed, 11]), [kind for _path, kind in some]
    planted = plant(raw, rng, files=files, kinds=kinds, n=3 if world.scale > SMALL else 1)
    goods = world.catalogue.products["product_id"].tolist()
    return [*planted, foreign_store(raw, rows=FOREIGN, last=world.calendar.days[-1], goods=goods)]


LAST = pd.Timestamp("2026-10-31")


def foreign_store(
    raw: Path,
    *,
    name: str = "us/orders_export.csv",
    rows: int = 6,
    late: int = 2,
    last: pd.Timestamp = LAST,
    goods: Sequence[str] = ("candle0001",),
) -> Planted:
    """Add a store that sells in dollars, and the shop's ``fx.csv``; its last orders are of days without a rate.

    Its orders are of the month before the `last` day's, the late ones of that day's month. The rates lie beside
    ``raw/``, as ingest looks for them; those that are there already stay.
    """
    names = (
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Currency,Subtotal,Shipping,Taxes,Total,"
        "Discount Code,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
        "Cancelled at"
    )
    lines, month = [names], str(last.to_period("M") - 1)
    for i in range(rows):
        day = f"{month}-{2 + i % 26:02d}" if i < rows - late else f"{last:%Y-%m}-{20 + i - rows + late:02d}"
        at = f"{day} 10:00:00 -0700"
        lines.append(
            f"US{i:05d},,paid,{at},fulfilled,{at},USD,30.00,5.00,0.00,35.00,,0.00,{at},1,Gift,30.00,"
            f"{goods[i % len(goods)]},"
        )
    path = raw / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rates = raw.parent / "fx.csv"
    if not rates.exists():
        days = "".join(f"{month}-{d:02d},USD,7.1{min(d // 2, 3)}\n" for d in (1, 4, 10, 16, 22, 28))
        rates.write_text(f"day,currency,rate\n{days}", encoding="utf-8")
    lost = tuple(f"US{i:05d}" for i in range(rows - late, rows))
    change = {"read": rows, "accepted": rows - late, "quarantined": late}
    return Planted("foreign_store", name, rows, {name: change}, "no rate of exchange for that day", lost)
