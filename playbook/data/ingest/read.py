"""Reading a raw file: bytes in, a header and clean records out, with nothing lost on the way.

Text files are decoded strictly, their records counted by our own scan (which DuckDB's count is checked against
later) and handed on as UTF-8 with all lines ended alike. Workbooks become the same by way of their cells; Parquet
stays as it is.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import gzip
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...language import _
from ..store import ShopError

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
BOOK_ENDINGS = (".xlsx", ".xls", ".xlsb", ".ods")
ENDINGS = (*TEXT_ENDINGS, *BOOK_ENDINGS, ".parquet")

_FEED, _RETURN, _QUOTE = ord("\n"), ord("\r"), ord('"')
_PIECE = 1 << 18  # bytes that a processor's cache holds


@dataclass(frozen=True)
class RawFile:
    """One raw file, read.

    Attributes
    ----------
    name : str
        Path below ``raw/``.
    sha256 : str
        Of the bytes as they lie there.
    encoding, delimiter : str
        As found.
    header : list of str
        Column names; the first record's cells where the file has no header (`skip_header` then puts it back).
    body : memoryview
        The records after the header, UTF-8, all lines ended alike; empty for Parquet.
    lines : ndarray of int64, shape (records,)
        Line of the file on which each record that is not blank begins.
    blank : int
        Blank lines among the records.
    """

    name: str
    path: Path
    sha256: str
    encoding: str
    delimiter: str
    header: list[str]
    body: memoryview = field(repr=False)
    lines: np.ndarray = field(repr=False)
    blank: int = 0

    @property
    def records(self) -> int:
        return len(self.lines)


def raw_files(folder: Path) -> list[Path]:
    """The files of ``raw/`` that can be read, in order of their names; hidden ones are passed over."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith((".", "~$"))]
    return [p for p in paths if p.name.casefold().endswith(ENDINGS)]


def other_files(folder: Path) -> list[Path]:
    """The files of ``raw/`` of a kind that the book cannot read."""
    readable = set(raw_files(folder))
    return [
        p for p in sorted(folder.rglob("*")) if p.is_file() and p not in readable and not p.name.startswith((".", "~$"))
    ]


def read(path: Path, name: str, *, headerless: bool = False) -> RawFile:
    """Read one raw file.

    Raises
    ------
    ShopError
        It is empty, damaged, or in no encoding that we know; the message names file, line and remedy.
    """
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    lower = name.casefold()
    if not data:
        raise ShopError(_("{file} is empty: export it again").format(file=name))
    if lower.endswith(".parquet"):
        return _parquet(path, name, digest)
    if lower.endswith(BOOK_ENDINGS):
        text, encoding = _book(data, name), "workbook"
    else:
        if lower.endswith(".gz"):
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError) as error:
                raise ShopError(
                    _("{file} is a damaged gzip file ({error}): download it again").format(file=name, error=error)
                ) from None
        text, encoding = _utf8(data, name)
    del data
    return _split(text, path=path, name=name, digest=digest, encoding=encoding, headerless=headerless)


def _utf8(data: bytes, name: str) -> tuple[bytes, str]:
    """The text as UTF-8 without a byte-order mark, and the encoding that it came in."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            candidates: tuple[str, ...] = (encoding,)
            break
    else:
        wrong = _first_bad_byte(data)
        if wrong is None:
            return data, "utf-8"
        candidates = ("gb18030",)
    for encoding in candidates:
        try:
            return data.decode(encoding).encode("utf-8"), encoding
        except UnicodeDecodeError as error:
            wrong = error.start
    assert wrong is not None
    raise ShopError(
        _(
            "{file}, line {line}: the bytes are neither UTF-8 nor GB18030 nor UTF-16; "
            "save the file as “CSV UTF-8” and put it back"
        ).format(file=name, line=data.count(b"\n", 0, wrong) + 1)
    )


def _first_bad_byte(data: bytes) -> int | None:
    """Where the bytes stop being UTF-8; None where they are. In pieces, so that no second copy of the file is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for begin in range(0, len(data), _PIECE):
        try:
            decoder.decode(view[begin : begin + _PIECE], begin + _PIECE >= len(data))
        except UnicodeDecodeError as error:
            return begin + error.start
    return None


def _split(text: bytes, *, path: Path, name: str, digest: str, encoding: str, headerless: bool) -> RawFile:
    text, feed = _even_feeds(text)
    starts, ends, lines = _records(text, name)
    full = ends - starts >= feed
    if not full.any():
        raise ShopError(_("{file} holds nothing but blank lines: export it again").format(file=name))
    first = int(np.argmax(full))
    head = text[starts[first] : ends[first]].decode("utf-8").rstrip("\r")
    delimiter = max(",\t;|", key=head.count) if encoding != "workbook" else ","
    header = next(csv.reader(io.StringIO(head), delimiter=delimiter))
    begin = first if headerless else first + 1
    return RawFile(
        name=name,
        path=path,
        sha256=digest,
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        body=memoryview(text)[starts[begin] :] if begin < len(starts) else memoryview(b""),
        lines=lines[begin:][full[begin:]],
        blank=int((~full).sum()),
    )


def _even_feeds(text: bytes) -> tuple[bytes, int]:
    """The text with all lines ended alike, and how many bytes end a line: 1 (line feed) or 2 (return and line feed)."""
    returns = text.count(b"\r")
    if not returns:
        return text, 1
    array = np.frombuffer(text, dtype=np.uint8)
    feeds = _positions(array, _FEED)
    if len(feeds) == returns and feeds[0] > 0 and bool((array[feeds - 1] == _RETURN).all()):
        return text, 2
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), 1


def _records(text: bytes, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and line of every record: a line feed ends a record unless it stands between quotes."""
    array = np.frombuffer(text, dtype=np.uint8)
    feeds, quotes = _positions(array, _FEED), _positions(array, _QUOTE)
    if len(quotes) % 2:
        line = int(np.searchsorted(feeds, quotes[-1])) + 1
        raise ShopError(
            _("{file}: a quotation mark is opened and never closed (the last one is on line {line}); mend it").format(
                file=name, line=line
            )
        )
    ends = feeds[np.searchsorted(quotes, feeds) % 2 == 0] if len(quotes) else feeds
    if len(text) and (not len(ends) or ends[-1] != len(text) - 1):
        ends = np.append(ends, len(text))
    starts = np.concatenate([[0], ends[:-1] + 1])
    return starts, ends, np.searchsorted(feeds, starts) + 1


def _positions(array: np.ndarray, byte: int) -> np.ndarray:
    """Where a byte stands, looked for piece by piece."""
    found = [np.flatnonzero(array[i : i + _PIECE] == byte) + i for i in range(0, len(array), _PIECE)]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _book(data: bytes, name: str) -> bytes:
    """The first sheet of a workbook as CSV; numbers that are whole are written without a fraction."""
    import python_calamine

    try:
        sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise ShopError(
            _("{file} cannot be opened as a workbook ({error}): save it again as .xlsx").format(file=name, error=error)
        ) from None
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(c) for c in row] for row in rows)
    return out.getvalue().encode("utf-8")


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
    return RawFile(
        name=name,
        path=path,
        sha256=digest,
        encoding="parquet",
        delimiter="",
        header=list(meta.schema_arrow.names),
        body=memoryview(b""),
        lines=np.arange(1, meta.metadata.num_rows + 1),
    )
