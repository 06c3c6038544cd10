"""The raw files of a shop: which there are, and the key that names everything made from them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..keyed import identity_key
from ..store import Store

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
BOOK_ENDINGS = (".xlsx", ".xls", ".xlsb", ".ods")
ENDINGS = (*TEXT_ENDINGS, *BOOK_ENDINGS, ".parquet", ".zip")

FORGOTTEN = "erased.csv"
"""The list of those who asked to be forgotten (see `erased`)."""


def raw_files(folder: Path) -> list[Path]:
    """The files of ``raw/`` that can be read, in order of their names; hidden ones are passed over."""
    return [p for p in _visible(folder) if p.name.casefold().endswith(ENDINGS)]


def other_files(folder: Path) -> list[Path]:
    """The files of ``raw/`` of a kind that the book cannot read."""
    return [p for p in _visible(folder) if not p.name.casefold().endswith(ENDINGS)]


def tables_key(store: Store) -> str:
    """A name for tables that names all that they depend on: files, formats, settings, key of hashes, this package."""
    package = Path(__file__).parents[1]
    code = [p for p in package.rglob("*") if p.suffix in (".py", ".toml") and "demo" not in p.parts]
    digest = hashlib.sha256(repr(store.settings).encode() + hashlib.sha256(identity_key(store.folder)).digest())
    if (forgotten := store.folder / FORGOTTEN).exists():
        digest.update(_digest(forgotten))
    for folder, paths in (
        (store.raw, raw_files(store.raw)),
        (store.folder, [*own_formats(store), *store.folder.glob("fx.csv")]),
        (package, sorted(code)),
    ):
        for path in paths:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + _digest(path))
    digest.update(repr([p.relative_to(store.raw).as_posix() for p in other_files(store.raw)]).encode())
    return digest.hexdigest()[:16]


def discreet(name: str) -> str:
    """A file's name as it may be told: without telephone numbers and e-mail addresses, but unlike any other's.

    (A person's name in it cannot be told from other words.)
    """
    hidden = _TELLING.sub("█", name)
    if hidden == name:
        return name
    path = PurePosixPath(hidden)
    mark = hashlib.sha256(name.encode()).hexdigest()[:4]
    return path.with_name(f"{path.stem}~{mark}{path.suffix}").as_posix()


_TELLING = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|[^\s@/]+@[^\s@/]+\.[A-Za-z]{2,}(?=[.\s_-]|$)")


def own_formats(store: Store) -> list[Path]:
    """The shop's own source formats."""
    return sorted((store.folder / "formats").glob("*.toml"))


def _visible(folder: Path) -> Iterable[Path]:
    found = sorted(folder.rglob("*")) if folder.is_dir() else ()
    return (p for p in found if p.is_file() and not p.name.startswith((".", "~$")))


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
