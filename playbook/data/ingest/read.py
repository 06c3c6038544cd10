"""Reading a raw file: bytes in, records out, with nothing lost on the way.

A text file is decoded, its records are found by our own scan (DuckDB's count is checked against it later) and handed on
as UTF-8 with all lines ended alike. Workbooks become the same by way of their cells; Parquet stays as it is. What is
damaged is taken apart with care in `repair`.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import re
import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ...language import _
from ..store import ShopError
from . import encodings
from .files import BOOK_ENDINGS

DELIMITERS = ",\t;|"

LOOKED_AT = 12
"""Records that the delimiter is told from."""

_FEED, _RETURN, _QUOTE = ord("\n"), ord("\r"), ord('"')
_DAY = r"20\d\d[-_.年]?\d\d[-_.月]?\d\d"
_DATED = re.compile(  # a day, and a time of day behind it unless that is another day
    r"(?<!\d)(20\d\d)[-_.年]?(\d\d)[-_.月]?(\d\d)日?"
    rf"(?:(?![-_ T]?{_DAY})[-_ T]?(\d\d)[-_.:]?(\d\d)(?:[-_.:]?(\d\d))?)?(?!\d)"
)
_PIECE = 1 << 18  # bytes that a processor's cache holds


@dataclass(frozen=True)
class Broken:
    """A record that is no row of its file: the line it begins on, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class RawFile:
    """One raw file, read.

    Attributes
    ----------
    name : str
        Path below ``raw/``.
    sha256 : str
        Of the bytes as they lie there.
    encoding : str
        As found; "workbook" and "parquet" for those.
    text : bytes
        All of it as UTF-8, lines ended alike; empty for Parquet.
    starts, ends, lines : ndarray of int64
        Of every record that is not blank: where it begins and ends in `text`, and its line in the file.
    head : int
        Which record is the header; −1: none of them.
    damaged : bool
        Some bytes could not be decoded; they stand in `text` as `encodings.DAMAGE`.
    tidy : bool
        Every quotation mark opens or closes a field.
    broken : tuple of Broken
        Records that `repair` has put aside; they are no longer in `text`.
    blank : int
        Blank lines.
    notes : tuple of str
        What a reader should know of the file.
    columns : tuple of str
        Names of the columns where the text has no header.
    preamble : int
        Records before the header.
    mark : str
        The delimiter, where it is known otherwise than from the header.
    above : int
        The first record of its own preamble: of a file of several blocks, each has one.
    """

    name: str
    path: Path
    sha256: str
    encoding: str
    text: bytes = field(repr=False)
    starts: np.ndarray = field(repr=False)
    ends: np.ndarray = field(repr=False)
    lines: np.ndarray = field(repr=False)
    head: int = 0
    damaged: bool = False
    tidy: bool = True
    broken: tuple[Broken, ...] = ()
    blank: int = 0
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    preamble: int = 0
    mark: str = ""
    above: int = 0

    @cached_property
    def delimiter(self) -> str:
        """The mark between fields: the one by which the first records have as many cells as the header."""
        if self.mark:
            return self.mark
        first = max(self.head, 0)
        records = [
            re.sub('"[^"]*"', "", self.record(i)) for i in range(first, min(first + LOOKED_AT, len(self.starts)))
        ]

        def agreement(mark: str) -> tuple[int, int]:
            width, *others = (r.count(mark) for r in records)
            return (sum(w == width for w in others) if width else -1), width

        return max(DELIMITERS, key=agreement)

    @cached_property
    def header(self) -> list[str]:
        """Names of the columns: the header's cells."""
        if self.columns:
            return list(self.columns)
        return next(csv.reader(io.StringIO(self.record(max(self.head, 0))), delimiter=self.delimiter), [])

    @property
    def body(self) -> memoryview:
        """The bytes of the records after the header."""
        first = self.head + 1
        return memoryview(self.text)[self.starts[first] :] if first < len(self.starts) else memoryview(b"")

    @property
    def records(self) -> int:
        """How many records follow the header (without the broken ones)."""
        return len(self.lines) - self.head - 1

    def line(self, row: int) -> int:
        """The line of the file on which a row begins, counted from 0 after the header."""
        return int(self.lines[self.head + 1 + row])

    def record(self, i: int) -> str:
        """The text of one record."""
        if i >= len(self.starts):
            return ""
        return self.text[self.starts[i] : self.ends[i]].decode("utf-8").rstrip("\r")

    @property
    def top(self) -> str:
        """The text of the lines above the header, without quotation marks."""
        lines = (self.record(i).strip().strip('"') for i in range(self.above, max(self.head, 0)))
        return "\n".join(lines)

    def headed(self, i: int) -> RawFile:
        """The same file with another record as its header (−1: none)."""
        return replace(self, head=i, preamble=max(i, 0))

    @property
    def exported_at(self) -> str | None:
        """When the file was exported, as its name says it: the latest date (and time) in it, ISO 8601."""
        found = []
        for m in _DATED.finditer(self.name):
            try:
                year, month, day, hour, minute, second = (int(g or 0) for g in m.groups())
                found.append(dt.datetime(year, month, day, hour, minute, second).isoformat(sep=" "))
            except ValueError:
                continue
        return max(found, default=None)


def read(
    path: Path, name: str, *, encoding: str | None = None, data: bytes | None = None, sheet: str | None = None
) -> RawFile:
    """Read one raw file.

    Parameters
    ----------
    encoding : str, optional
        The one that its format states; else it is found.
    data : bytes, optional
        Its bytes, where it is a member of another file.
    sheet : str, optional
        The sheet of a workbook; else the first.

    Raises
    ------
    ShopError
        It is empty, or so damaged that nothing can be made of it; the message names file, line and remedy.
    """
    data = path.read_bytes() if data is None else data
    digest = hashlib.sha256(data + (sheet or "").encode()).hexdigest()
    lower = name.casefold()
    if not data:
        raise ShopError(_("{file} is empty: export it again").format(file=name))
    if lower.endswith(".parquet"):
        return _parquet(path, name, digest)
    notes: tuple[str, ...] = ()
    damaged = False
    if sheet or lower.endswith(BOOK_ENDINGS):
        text, notes = _book(data, name, sheet)
        encoding = "workbook"
    else:
        if lower.endswith(".gz"):
            data = _unzipped(data, name)
        text, encoding, damaged = encodings.decode(data, name, encoding)
    del data
    none = np.empty(0, dtype=np.int64)
    about = RawFile(name, path, digest, encoding, b"", none, none, none, damaged=damaged, notes=notes)
    raw = split(text, about)
    if not len(raw.starts):
        raise ShopError(_("{file} holds nothing but blank lines: export it again").format(file=name))
    return raw


def split(text: bytes, about: RawFile) -> RawFile:
    """The records of a text: a line feed ends one unless it stands between quotation marks."""
    text, feed = _even_feeds(text)
    array = np.frombuffer(text, dtype=np.uint8)
    feeds, quotes = _positions(array, _FEED), _positions(array, _QUOTE)
    ends = feeds[np.searchsorted(quotes, feeds) % 2 == 0] if len(quotes) else feeds
    if len(text) and (not len(ends) or ends[-1] != len(text) - 1):
        ends = np.append(ends, len(text))
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    workbook = about.encoding == "workbook"  # where a line is a row of the sheet, whatever its cells hold
    lines = np.arange(1, len(starts) + 1) if workbook else np.searchsorted(feeds, starts) + 1
    # where lines end in two bytes, the return counts as part of the line, unless the file breaks off before it
    full = ends - starts > (feed - 1) * (ends < len(text))
    made = replace(about, text=text, starts=starts[full], ends=ends[full], lines=lines[full], blank=int((~full).sum()))
    return replace(made, tidy=_tidy(array, quotes, made.delimiter)) if len(quotes) and len(made.starts) else made


def by_lines(raw: RawFile) -> RawFile:
    """The same file with every line for a record, whatever quotation marks say."""
    feeds = _positions(np.frombuffer(raw.text, dtype=np.uint8), _FEED)
    ends = feeds if raw.text.endswith(b"\n") else np.append(feeds, len(raw.text))
    starts = np.concatenate([[0], ends[:-1] + 1])
    lines = np.arange(1, len(starts) + 1)
    full = [bool(raw.text[a:b].strip(b"\r")) for a, b in zip(starts, ends, strict=True)]
    return replace(raw, starts=starts[full], ends=ends[full], lines=lines[full], blank=len(full) - sum(full))


def _tidy(array: np.ndarray, quotes: np.ndarray, delimiter: str) -> bool:
    """Whether every quotation mark opens a field, closes one, or is doubled within one."""
    if len(quotes) % 2:
        return False
    around = np.array([ord(delimiter), _FEED, _RETURN, _QUOTE], dtype=np.uint8)
    opens, closes = quotes[0::2], quotes[1::2]
    before = array[opens[opens > 0] - 1]
    after = array[closes[closes < len(array) - 1] + 1]
    return bool(np.isin(before, around).all() and np.isin(after, around).all())


def _even_feeds(text: bytes) -> tuple[bytes, int]:
    """The text with all lines ended alike, and how many bytes end a line: 1 (feed) or 2 (return and feed)."""
    returns = text.count(b"\r")
    if not returns:
        return text, 1
    array = np.frombuffer(text, dtype=np.uint8)
    feeds = _positions(array, _FEED)
    if len(feeds) == returns and feeds[0] > 0 and bool((array[feeds - 1] == _RETURN).all()):
        return text, 2
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), 1


def _positions(array: np.ndarray, byte: int) -> np.ndarray:
    """Where a byte stands, looked for piece by piece."""
    found = [np.flatnonzero(array[i : i + _PIECE] == byte) + i for i in range(0, len(array), _PIECE)]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _unzipped(data: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ShopError(
            _("{file} is a damaged gzip file ({error}): download it again").format(file=name, error=error)
        ) from None


def _book(data: bytes, name: str, sheet: str | None) -> tuple[bytes, tuple[str, ...]]:
    """A sheet of a workbook (the first, unless named) as CSV, whole numbers without fractions; and what is left out."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        rows = found.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, IndexError, OSError) as error:
        raise ShopError(
            _("{file} cannot be opened as a workbook ({error}): save it again as .xlsx").format(file=name, error=error)
        ) from None
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(c) for c in row] for row in rows)
    text = re.sub(r"^,+$", "", out.getvalue(), flags=re.M)  # an empty row is a blank line
    others = [] if sheet else book.sheet_names[1:]
    notes = (_("{file}: only its first sheet was read, not {sheets}.").format(file=name, sheets=", ".join(others)),)
    return text.encode("utf-8", errors="replace"), notes if others else ()


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _parquet(path: Path, name: str, digest: str) -> RawFile:
    import pyarrow
    import pyarrow.parquet

    try:
        meta = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ShopError(
            _("{file} is no readable Parquet file ({error}): export it again").format(file=name, error=error)
        ) from None
    none = np.empty(0)
    rows = np.arange(1, meta.metadata.num_rows + 1)
    return RawFile(
        name, path, digest, "parquet", b"", none, none, rows, head=-1, columns=tuple(meta.schema_arrow.names)
    )
