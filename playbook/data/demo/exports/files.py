"""Raw files from columns of cells: text in any encoding, and workbooks.

Where an exporter takes `part`, it ends the names of its files: of a shop with very many people, each block of them has
files of its own.
"""

from __future__ import annotations

import functools
import io
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc

from .cells import text

_BOM = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16": b"\xff\xfe"}


@functools.cache
def _headers() -> dict[str, str]:
    return tomllib.loads(Path(__file__).with_name("headers.toml").read_text(encoding="utf-8"))


def header(name: str) -> list[str]:
    """The columns of an export, as ``headers.toml`` has them."""
    return _headers()[name].split("|")


def table(
    names: Sequence[str],
    columns: Mapping[str, Any],
    *,
    separator: str = ",",
    quoted: Sequence[str] = (),
    above: Sequence[str] = (),
    below: Sequence[str] = (),
    end: str = "\n",
    bare: bool = False,
) -> str:
    """The text of a file.

    Parameters
    ----------
    names : sequence of str
        Its columns.
    columns : mapping
        Name → cells (text, or a constant); a column that is not among them is empty.
    quoted : sequence of str
        Columns whose cells always stand between quotation marks; the others only where they must.
    above, below : sequence of str
        Lines before the header and after the last row.
    bare : bool
        No cell needs quotation marks: none is looked for.
    """
    lacking = set(columns) - set(names)
    if lacking:
        raise KeyError(f"no such columns: {sorted(lacking)}")
    cells = [_written(columns.get(h, ""), separator, always=h in quoted, bare=bare) for h in names]
    lines = pc.binary_join_element_wise(*cells, separator)
    lines = [lines.as_py()] if isinstance(lines, pa.Scalar) else lines.to_pylist()
    head = separator.join(_cell(h, separator) for h in names)
    return end.join([*above, head, *lines, *below, ""])


def _written(cells: Any, separator: str, *, always: bool, bare: bool) -> Any:
    if isinstance(cells, str):
        return pa.scalar(f'"{cells}"' if always else _cell(cells, separator))
    cells = text(cells)
    if bare and not always:
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    around = pc.binary_join_element_wise('"', doubled, '"', "")
    if always:
        return around
    odd = pc.match_substring_regex(cells, f'[{separator}"\r\n]')
    return pc.if_else(odd, around, cells) if pc.any(odd).as_py() else cells


def _cell(cell: str, separator: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in (separator, '"', "\n", "\r")) else cell


def save(path: Path, content: str, *, encoding: str = "utf-8") -> Path:
    """Write a text; ``utf-8-sig`` and ``utf-16`` begin with their mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    path.write_bytes(_BOM.get(encoding, b"") + content.encode(plain))
    return path


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a .zip whose bytes depend on nothing but what it holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_archive(members))
    return path


def _archive(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 1)
    return out.getvalue()


_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="xl/workbook.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": "<Relationships "
    'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def workbook(
    path: Path,
    names: Sequence[str],
    columns: Mapping[str, Any],
    *,
    numbers: Sequence[str] = (),
    above: Sequence[str] = (),
) -> Path:
    """Write a workbook of one sheet; of `columns`, `numbers` are typed as such and all others are text."""
    rows = max((len(c) for c in columns.values() if not isinstance(c, str)), default=0)
    cells = [_boxed(columns.get(h, ""), rows, number=h in numbers) for h in names]
    lines = pc.binary_join_element_wise(*cells, "").to_pylist()
    top = [f'<c t="inlineStr"><is><t>{escape(line)}</t></is></c>' for line in above]
    head = "".join(f'<c t="inlineStr"><is><t>{escape(h)}</t></is></c>' for h in names)
    body = "".join(f"<row>{line}</row>" for line in [*top, head, *lines])
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{body}</sheetData></worksheet>'
    parts = {**_PARTS, "xl/worksheets/sheet1.xml": sheet}
    return zipped(path, {name: (_XML + xml).encode() for name, xml in parts.items()})


def _boxed(cells: Any, rows: int, *, number: bool) -> Any:
    """Cells of a sheet as XML."""
    before, after = ("<c><v>", "</v></c>") if number else ('<c t="inlineStr"><is><t>', "</t></is></c>")
    if isinstance(cells, str):
        return pa.array([f"{before}{escape(cells)}{after}" if cells else "<c/>"] * rows, type=pa.string())
    values = text(cells)
    if not number:
        for mark, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            values = pc.replace_substring(values, mark, name)
    boxed = pc.binary_join_element_wise(before, values, after, "")
    return pc.if_else(pc.equal(values, ""), "<c/>", boxed)
