"""Parts of a file that are read like files of their own: members of a .zip, sheets of a workbook, blocks of a text."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ...language import _
from ..schema import TABLES
from ..store import ShopError
from .files import BOOK_ENDINGS, ENDINGS
from .formats import choose
from .model import SourceFormat
from .read import RawFile

LARGEST = 4 << 30
"""Bytes that a member of a .zip may have when unpacked."""


@dataclass(frozen=True)
class Part:
    """A file below ``raw/``, or a part of one: its name says where it was found, e.g. ``ads.zip/report.csv``."""

    path: Path
    name: str
    data: bytes | None = None
    sheet: str | None = None

    @property
    def file_name(self) -> str:
        """The name that formats are told by."""
        return PurePosixPath(self.name).name


def parts(path: Path, name: str) -> list[Part]:
    """What a file is made of: itself, mostly.

    Raises
    ------
    ShopError
        A .zip is damaged, locked, or holds nothing that can be read.
    """
    lower = name.casefold()
    if lower.endswith(".zip"):
        return _members(path, name)
    if lower.endswith(BOOK_ENDINGS):
        sheets = _sheets(path)
        if len(sheets) > 1 and set(sheets) <= set(TABLES):
            return [Part(path, f"{name}/{sheet}.sheet", None, sheet) for sheet in sheets]
    return [Part(path, name)]


def _members(path: Path, name: str) -> list[Part]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = [
                Part(path, f"{name}/{_name(m)}", _unpacked(archive, m)) for m in archive.infolist() if _readable(m)
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise ShopError(
            _("{file} is a .zip that cannot be unpacked ({error}): unpack it and put what it holds into raw/").format(
                file=name, error=error
            )
        ) from None
    if not found:
        raise ShopError(_("{file} holds no file that the book can read").format(file=name))
    return sorted(found, key=lambda part: part.name)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.file_size > LARGEST:
        raise OSError(member.filename)
    return archive.read(member)


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; names without the mark of UTF-8 are GBK where Chinese programs wrote them."""
    text = member.filename.replace("\\", "/")
    if member.flag_bits & 0x800:
        return text
    try:
        return text.encode("cp437").decode("gb18030")
    except UnicodeError:
        return text


def _readable(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(_name(member))
    hidden = any(p.startswith((".", "~$", "__MACOSX")) for p in path.parts)
    kinds = tuple(e for e in ENDINGS if e not in (".zip", ".parquet"))  # Parquet is read where it lies
    return not member.is_dir() and not hidden and path.name.casefold().endswith(kinds)


def _sheets(path: Path) -> list[str]:
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes())).sheet_names
    except (python_calamine.CalamineError, OSError):
        return []  # reading it says what is wrong


def blocks(
    raw: RawFile, file_name: str, formats: Sequence[SourceFormat], shop: str
) -> list[tuple[RawFile, SourceFormat]]:
    """The blocks of a text whose format says that there may be several; none where it is a plain file.

    What stands between two blocks, and blocks that the format does not know, count to the preamble of the next block
    (after the last one, to its own).
    """
    marks = {f.blocks.encode() for f in formats if f.blocks}
    mark = next((m for m in marks if raw.text.startswith(m)), None)
    if not mark or raw.encoding in ("workbook", "parquet"):
        return []
    comment = [raw.text.startswith(mark, int(start)) or _bare(raw, i) for i, start in enumerate(raw.starts)]
    heads = [i for i, c in enumerate(comment) if not c and (i == 0 or comment[i - 1])]
    found: list[tuple[RawFile, SourceFormat]] = []
    done = 0
    for place, head in enumerate(heads):
        end = heads[place + 1] if place + 1 < len(heads) else len(comment)
        while end > head + 1 and comment[end - 1]:
            end -= 1
        try:
            fmt = choose([f for f in formats if f.blocks], file_name, raw.headed(head).header, shop)
        except ShopError:
            continue
        above = max((i + 1 for i in range(head) if not comment[i]), default=0)
        found.append((_block(raw, head, end, above, done, len(found)), fmt))
        done = end
    if found and done < len(comment):
        last, fmt = found[-1]
        found[-1] = (replace(last, preamble=last.preamble + len(comment) - done), fmt)
    return found


def _bare(raw: RawFile, i: int) -> bool:
    """Whether a record is a line of blanks or commas only."""
    return not raw.text[raw.starts[i] : raw.ends[i]].strip(b" \t\r,;")


def _block(raw: RawFile, head: int, end: int, above: int, done: int, number: int) -> RawFile:
    return replace(
        raw,
        name=raw.name if not number else f"{raw.name}#{number + 1}",
        sha256=raw.sha256 if not number else f"{raw.sha256}#{number + 1}",
        text=raw.text[: int(raw.ends[end - 1])],
        starts=raw.starts[:end],
        ends=raw.ends[:end],
        lines=raw.lines[:end],
        head=head,
        above=above,
        preamble=head - done,
        blank=raw.blank if not number else 0,
    )
