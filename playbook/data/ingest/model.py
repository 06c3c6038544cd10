"""What a source format is made of: fields of the file, canonical tables that come of them, and the format itself."""

from __future__ import annotations

import fnmatch
import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """One thing that a row of the file says."""

    name: str
    headers: tuple[str, ...]
    type: str
    optional: bool = False
    needed: bool = False
    formats: tuple[str, ...] = ()
    personal: bool = False
    within: str = ""
    about: Mapping[str, str] = field(default_factory=dict)

    def takes(self, header: str) -> bool:
        """Whether a header is one of the field's, of which an asterisk stands for anything."""
        text = normal(header)
        return any(re.fullmatch(re.escape(normal(h)).replace(r"\*", ".+"), text) for h in self.headers)


@dataclass(frozen=True)
class Target:
    """How rows become rows of one canonical table."""

    table: str
    columns: Mapping[str, str]
    where: str = "true"
    each: tuple[str, ...] = ()
    having: str = ""


@dataclass(frozen=True)
class SourceFormat:
    """One kind of export."""

    name: str
    title: str
    fields: tuple[Field, ...]
    targets: tuple[Target, ...]
    files: tuple[str, ...] = ("*",)
    generic: bool = False
    header: tuple[str, ...] = ()
    zone: str | None = None
    currency: str | None = None
    decimal: str = "."
    key: tuple[str, ...] = ()
    duplicates: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, str] = field(default_factory=dict)
    check: tuple[Mapping[str, str], ...] = ()
    assume: tuple[str, ...] = ()
    encoding: str | None = None
    totals: str = ""
    rank: str = ""
    lines: bool = False
    span: tuple[str, ...] = ()
    blocks: str = ""
    nested: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    reject: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    canonical: bool = False

    def columns_of(self, header: Sequence[str]) -> dict[str, int] | None:
        """Where each field stands in a header, or None where the header is not this format's."""
        where = {normal(h): i for i, h in reversed(list(enumerate(header)))}
        found: dict[str, int] = {}
        for f in self.fields:
            position = next((where[name] for h in f.headers if (name := self._column(h)) in where), None)
            if position is None and any("*" in h for h in f.headers):
                position = next((i for i, h in enumerate(header) if f.takes(h)), None)
            if position is not None:
                found[f.name] = position
            elif not f.optional:
                return None
        return found

    def lacks(self, header: Sequence[str]) -> list[str]:
        """The headers that a file of this format should have and this one does not."""
        there = {normal(h) for h in header}
        return [
            f.headers[0]
            for f in self.fields
            if not f.optional
            and not there & {self._column(h) for h in f.headers}
            and not (any("*" in h for h in f.headers) and any(f.takes(t) for t in header))
        ]

    def _column(self, header: str) -> str:
        """The column that a header stands for: of a member of a nested column, that column."""
        base = header.split(".")[0]
        return normal(base if base in (*self.nested, *self.pairs) else header)

    def takes_name(self, file_name: str) -> bool:
        return any(fnmatch.fnmatchcase(file_name.casefold(), p.casefold()) for p in self.files)


@functools.lru_cache(maxsize=10_000)
def normal(header: str) -> str:
    """A header without what differs from one export to the next: width, case, blanks, byte-order mark."""
    text = unicodedata.normalize("NFKC", header).replace("\ufeff", "")
    return re.sub(r"[\s_]+", " ", text).strip().casefold()
