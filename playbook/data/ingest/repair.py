"""A damaged text file, taken apart line by line: good records are kept, broken ones are put aside with their reason.

A record that is broken costs its first line only: reading begins again on the next line, so that one quotation mark
gone astray does not swallow the rest of the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .encodings import DAMAGE
from .read import Broken, RawFile, split

LONGEST = 200
"""Lines that one record may have."""

QUOTES, COLUMNS, BYTES = "quotation marks", "number of columns", "damaged bytes"


def repaired(raw: RawFile) -> RawFile:
    """The file with only those records that are rows of its shape; the others are in its `broken`.

    A record is broken when its quotation marks do not pair up, when it has fewer or more cells than the header (empty
    cells too many at the end are let go), or when bytes in it could not be decoded.
    """
    first = raw.head + 1
    begin = int(raw.starts[first]) if first < len(raw.starts) else len(raw.text)
    above = raw.text[:begin].decode("utf-8").split("\n")[:-1]
    below = raw.text[begin:].decode("utf-8").split("\n")
    if not below[-1]:
        below.pop()
    header = raw.header
    good, places, broken, blank = _sorted_out(below, raw.delimiter, len(header))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", delimiter=raw.delimiter).writerows(good)
    made = split(out.getvalue().encode("utf-8"), replace(raw, head=-1, columns=tuple(header), mark=raw.delimiter))
    return replace(
        made,
        lines=np.array([len(above) + 1 + place for place in places], dtype=np.int64),
        broken=tuple(Broken(len(above) + 1 + place, why) for place, why in broken),
        blank=blank + sum(not line.strip("\r") for line in above),
        tidy=True,
        damaged=False,
    )


def _sorted_out(
    lines: Sequence[str], delimiter: str, width: int
) -> tuple[list[list[str]], list[int], list[tuple[int, str]], int]:
    """Good records and the line that each begins on, broken lines with the reason, and the number of blank lines."""
    good: list[list[str]] = []
    places: list[int] = []
    broken: list[tuple[int, str]] = []
    blank = place = 0
    while place < len(lines):
        if not lines[place].strip("\r"):
            blank += 1
            place += 1
            continue
        within = (lines[i] + "\n" for i in range(place, min(len(lines), place + LONGEST)))
        reader = csv.reader(within, delimiter=delimiter, strict=True)
        try:
            row = next(reader)
        except csv.Error:
            broken.append((place, QUOTES))
            place += 1
            continue
        if len(row) > width and not any(row[width:]):
            row = row[:width]
        if len(row) != width:
            broken.append((place, COLUMNS))
            place += 1
            continue
        if any(DAMAGE in cell for cell in row):
            broken.append((place, BYTES))
        else:
            good.append(row)
            places.append(place)
        place += reader.line_num
    return good, places, broken, blank
