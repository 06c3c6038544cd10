"""A raw file without a person: her cells blanked or her rows gone, everything else byte for byte as it came.

Encoding, byte-order mark, delimiter, preamble, the ends of lines and the quotation marks of other rows stay. A row that
goes leaves a blank line, so that the lines of all others keep their numbers.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Callable, Sequence

from ...language import _
from ..ingest.read import RawFile
from ..store import ShopError
from .search import FoundIn, Hit

_ENDS = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def rewritten(found: FoundIn, token: str) -> bytes:
    """The bytes of a raw file without a person.

    Parameters
    ----------
    token : str
        Stands where a cell may not be empty.

    Raises
    ------
    ShopError
        The file is of a kind that cannot be written, or is damaged in a way that does not let it be put together again.
    """
    name = found.path.name.casefold()
    if found.raw.name.rpartition("/")[2] != found.path.name:  # a member of an archive, a sheet, a block of a text
        raise ShopError(
            _(
                "{file} is about that person, and a part cannot be rewritten: put it into raw/ as a file by itself"
            ).format(file=found.raw.name)
        )
    data = found.path.read_bytes()
    if name.endswith(".parquet"):
        return _parquet(found, token)
    if name.endswith(".xlsx"):
        return _workbook(data, found, token)
    if found.raw.encoding == "workbook":
        raise ShopError(
            _(
                "{file}: lines {lines} are about that person, and such a file cannot be rewritten: save it as .xlsx"
            ).format(file=found.name, lines=", ".join(str(h.line) for h in found.hits[:20]))
        )
    if name.endswith(".gz"):
        return gzip.compress(_text(gzip.decompress(data), found, token), mtime=0)
    return _text(data, found, token)


def lines_of(raw: RawFile) -> list[str]:
    """The lines of a text file, as far as they can be read."""
    data = raw.path.read_bytes()
    data = gzip.decompress(data) if raw.name.casefold().endswith(".gz") else data
    return _decoded(data, raw)[0]


def _decoded(data: bytes, raw: RawFile) -> tuple[list[str], Callable[[Sequence[str]], bytes]]:
    """The lines with their ends, and what makes bytes of them again; bytes that are no text survive both."""
    mark = next((b for b in (*_BOMS, codecs.BOM_UTF8) if data.startswith(b)), b"")
    encoding = _BOMS.get(mark) or ("utf-8" if mark or raw.encoding == "utf-8-sig" else raw.encoding)
    errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
    try:
        text = data[len(mark) :].decode(encoding, errors)
        same = text.encode(encoding, errors) == data[len(mark) :]
    except UnicodeError:
        same = False
    if not same:
        raise ShopError(_("{file} is damaged, so that it cannot be rewritten: export it again").format(file=raw.name))
    return _ENDS.split(text), lambda lines: mark + "".join(lines).encode(encoding, errors)


def _text(data: bytes, found: FoundIn, token: str) -> bytes:
    lines, whole = _decoded(data, found.raw)
    for line in found.broken:
        lines[line - 1] = _end(lines[line - 1])
    for hit in found.hits:
        first = hit.line - 1
        reader = csv.reader(iter(lines[first:]), delimiter=found.raw.delimiter)
        cells = next(reader)
        last = first + reader.line_num
        record, end = "".join(lines[first:last]), _end(lines[last - 1])
        lines[first] = end if hit.gone else _record(_blanked(cells, hit, token), record, found.raw.delimiter) + end
        taller = len(_ENDS.split(lines[first].rstrip("\r\n"))) - 1  # lines that its cells still have within them
        for place in range(first + 1, last):  # blank lines keep the count
            lines[place] = "" if place - first <= taller else end or "\n"
    return whole(lines)


def _blanked(cells: Sequence[str], hit: Hit, token: str) -> list[str]:
    return [c if i not in hit.blank or not c.strip() else token if i in hit.needed else "" for i, c in enumerate(cells)]


def _record(cells: Sequence[str], before: str, delimiter: str) -> str:
    """A record as its file writes records: all cells in quotation marks, or only those that need them."""
    every = before.lstrip().startswith('"') and before.count('"') >= 2 * len(cells)
    out = io.StringIO()
    csv.writer(
        out, delimiter=delimiter, lineterminator="", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
    ).writerow(cells)
    return out.getvalue()


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _workbook(data: bytes, found: FoundIn, token: str) -> bytes:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    for hit in found.hits:
        for cell in sheet[hit.line]:
            place = cell.column - 1
            if cell.value is not None and (hit.gone or place in hit.blank):
                cell.value = token if place in hit.needed and not hit.gone else None
                cell.comment = None
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet(found: FoundIn, token: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(found.path)
    table = file.read()
    rows = {h.line - 1: h for h in found.hits}
    for place in sorted({i for h in found.hits if not h.gone for i in h.blank}):
        column, field = table.column(place).to_pylist(), table.schema.field(place)
        for row, hit in rows.items():
            if place in hit.blank and column[row] is not None:
                text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
                column[row] = token if text and place in hit.needed else None
        table = table.set_column(place, field, pa.chunked_array([pa.array(column, type=field.type)]))
    gone = {row for row, hit in rows.items() if hit.gone}
    table = table.filter(pa.array([i not in gone for i in range(table.num_rows)])) if gone else table
    packing = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "SNAPPY"
    out = io.BytesIO()
    pq.write_table(table, out, compression="NONE" if packing == "UNCOMPRESSED" else packing)
    return out.getvalue()
