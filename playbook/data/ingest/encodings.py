"""Which encoding a text file is in, and what to do with bytes that are in none."""

from __future__ import annotations

import codecs
import re

from ...language import _
from ..store import ShopError

DAMAGE = "\U000ffffd"
"""Stands in a decoded text where bytes could not be decoded (a private character, so that no real text holds it)."""

ENOUGH = 0.9
"""A damaged file is in an encoding when this share of its lines that are not plain ASCII can be decoded by it."""

FEW = 0.01
"""A share of a file's lines so small that its damaged ones do not tell its encoding."""

TOLD = 200
"""Lines that an undamaged file's encoding is told from."""

UNASSIGNED = "\u0a00"
"""What the end of a line becomes in UTF-16 that is read one byte off; no text holds it."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PAIRED = re.compile(rb"[\x81-\xfe](?:[\x80-\xfe]|[0-9][\x81-\xfe][0-9])")
_PIECE = 1 << 18


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return DAMAGE, error.end


codecs.register_error("playbook.damage", _mark)


def decode(data: bytes, name: str, stated: str | None = None) -> tuple[bytes, str, bool]:
    """A file's bytes as UTF-8, the encoding that they came in, and whether some were damaged (see `DAMAGE`).

    A byte-order mark decides; else UTF-8 where the bytes are that, GB18030 where they are Chinese text, UTF-16 where
    every other byte is nothing. A file with some bad bytes is in the encoding of nearly all its lines.

    Raises
    ------
    ShopError
        The bytes are in none of these.
    """
    encoding = stated or next((e for mark, e in _MARKS if data.startswith(mark)), None) or _zeros(data)
    if encoding is None:
        if _is_utf8(data):
            return data, "utf-8", False
        encoding = _likeliest(data)
    if encoding is None:
        raise ShopError(
            _(
                "{file}: its bytes are neither UTF-8 nor GB18030 nor UTF-16; save the file as “CSV UTF-8”, "
                'or state its encoding in a format of your own, e.g. encoding = "cp1252"'
            ).format(file=name)
        )
    try:
        text = data.decode(encoding)
        if UNASSIGNED in text and encoding.startswith("utf-16"):
            return _realigned(data, encoding), encoding, True
        return text.encode("utf-8"), encoding, False
    except UnicodeDecodeError:
        if encoding.startswith("utf-16"):
            return _realigned(data, encoding), encoding, True
        return data.decode(encoding, "playbook.damage").encode("utf-8"), encoding, True
    except UnicodeEncodeError:  # halves of surrogate pairs, which UTF-8 does not have
        text = data.decode(encoding, "playbook.damage")
        return "".join(DAMAGE if "\ud800" <= c <= "\udfff" else c for c in text).encode("utf-8"), encoding, True
    except LookupError:
        raise ShopError(_("{file}: there is no encoding {encoding!r}").format(file=name, encoding=encoding)) from None


def _realigned(data: bytes, encoding: str) -> bytes:
    """UTF-16 in which a byte was lost or put in, as UTF-8: each line is read by itself, so only that one is damaged."""
    big = encoding.endswith("be") or data.startswith(codecs.BOM_UTF16_BE)
    if encoding == "utf-16":
        data = data[2:]
    order, ends = ("utf-16-be", b"(\0[\r\n])") if big else ("utf-16-le", b"([\r\n]\0)")
    lines = re.split(ends, data)  # and their ends
    text = "".join(line.decode(order, "playbook.damage") + DAMAGE * (len(line) % 2) for line in lines)
    return "".join(DAMAGE if "\ud800" <= c <= "\udfff" else c for c in text).encode("utf-8")


def _is_utf8(data: bytes) -> bool:
    """Whether all bytes are UTF-8; read in pieces, so that no second copy of the file is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for begin in range(0, len(data), _PIECE):
            decoder.decode(view[begin : begin + _PIECE], begin + _PIECE >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def _zeros(data: bytes) -> str | None:
    """UTF-16 without a mark: in text that is mostly ASCII, every other byte is zero."""
    sample = data[:4096]
    if len(sample) < 4 or not sample.count(0):
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.3 * len(sample) / 2 > even:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 * len(sample) / 2 > odd else None


def _likeliest(data: bytes) -> str | None:
    """The encoding of nearly all lines of a file that is not wholly UTF-8."""
    every = data.splitlines()
    lines = [line for line in every if not line.isascii()]
    told = lines[:: max(1, len(lines) // TOLD)]
    plain = len(lines) > TOLD and _whole(data, "gb18030") and not any(_reads(line, "utf-8") for line in told)
    if plain and all(_reads(line, "gb18030") for line in told):
        return "gb18030"
    for encoding in ("utf-8", "gb18030"):
        good = sum(_reads(line, encoding) for line in lines)
        if good >= min(ENOUGH * len(lines), max(3, len(lines) - 1)):
            return encoding
    # few lines, one of them damaged: the encoding that most of them are in, if it is most by far
    good8 = sum(_reads(line, "utf-8") for line in lines)
    few = len(lines) - good8 <= FEW * len(every)  # a plain file with a damaged spot
    return "utf-8" if few or 2 * good8 >= len(lines) else None


def _whole(data: bytes, encoding: str) -> bool:
    """Whether all bytes can be decoded."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _reads(line: bytes, encoding: str) -> bool:
    """Whether a line is text in an encoding.

    Nearly any bytes are GB18030, also those of “Caféteria” in Latin-1; but there an accented letter stands alone among
    plain ones, while Chinese characters come as pairs of high bytes (or as groups of four with digits between).
    """
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    if encoding == "utf-8":
        return True
    high = sum(b > 127 for b in line)
    return 2 * len(_PAIRED.findall(line)) >= 0.5 * high
