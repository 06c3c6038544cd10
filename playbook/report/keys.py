"""What has to be run again? A notebook's key names everything that its outcome depends on."""

from __future__ import annotations

import hashlib
import json
import platform
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..data.store import Store
from .notebooks import Notebook

MANIFEST = "manifest.json"


def shared(store: Store, accounting: Mapping[str, Any], *, language: str, ledger: str) -> str:
    """A name for all that the notebooks of a report have in common, whatever the notebook."""
    package = Path(__file__).parents[1]
    lock = package.parent / "requirements.lock"
    plan = store.folder / "plan"
    parts = [
        accounting["key"],
        repr(store.settings),
        language,
        ledger,
        folder_digest(package),
        folder_digest(plan, without=plan / "proposed"),  # what a report proposes is not what people planned
        lock.read_text(encoding="utf-8") if lock.exists() else "",
        *installed(),
        platform.python_version(),
        platform.machine(),
    ]
    return _digest(parts)


def key(common: str, notebook: Notebook, values: Mapping[str, Any], before: Iterable[str]) -> str:
    """A name for what a notebook gives: of all that is common, its source, its parameters, the keys of its needs."""
    return _digest([common, notebook.slug, notebook.source, json.dumps(values, sort_keys=True), *before])


def ledger_digest(store: Store, last: Manifest) -> str:
    """What does the shop's ledger say, this report's own last entries left out?

    A report writes into the ledger that it reads. If nobody has written since, it counts as it was when the report read
    it; otherwise no report would ever find that nothing has changed.
    """
    now = folder_digest(store.folder / "ledger")
    told = last.content.get("ledger") or {}
    return told["read"] if told and told["left"] == now else now


def folder_digest(folder: Path, *, without: Path | None = None) -> str:
    """A name for the content of a folder; "" where there is none. Hidden and compiled files do not count."""
    if not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if hidden or not path.is_file() or (without is not None and path.is_relative_to(without)):
            continue
        digest.update(f"{inside.as_posix()}\0{file_digest(path)}\0".encode())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed() -> list[str]:
    """The packages that are installed, with their versions, as their folders name them."""
    places = {Path(sysconfig.get_path(p)) for p in ("purelib", "platlib")}
    return sorted(p.name for place in places for p in place.glob("*.dist-info"))


@dataclass(frozen=True)
class Manifest:
    """What a report says of its own making; empty where there is no report."""

    folder: Path
    content: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """The manifest of a report; one that cannot be read is none."""
        try:
            return cls(folder, json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return cls(folder)

    @property
    def notebooks(self) -> dict[str, dict[str, Any]]:
        return self.content.get("notebooks", {})

    def notebook(self, slug: str) -> bytes | None:
        """An executed notebook of the report; None where there is none, or somebody has changed it since."""
        path = self.folder / f"{slug}.ipynb"
        try:
            data = path.read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == self._written.get(path.name) else None

    def reusable(self, slug: str, wanted: str) -> bytes | None:
        """The executed notebook, if it ran to its end and has the key that it would have now."""
        entry = self.notebooks.get(slug, {})
        return self.notebook(slug) if entry.get("state") == "ok" and entry.get("key") == wanted else None

    def holds(self, wanted: Mapping[str, str]) -> bool:
        """Is the report whole, and all that it would be now? `wanted`: slug → key of every notebook."""
        ok = {slug: entry.get("key") for slug, entry in self.notebooks.items() if entry.get("state") == "ok"}
        return bool(ok) and ok == dict(wanted) and len(ok) == len(self.notebooks) and self._intact

    @cached_property
    def _written(self) -> dict[str, str]:
        return self.content.get("pages", {})

    @property
    def _intact(self) -> bool:
        """Whether all files are there as they were written."""
        try:
            return bool(self._written) and all(
                file_digest(self.folder / name) == digest for name, digest in self._written.items()
            )
        except OSError:
            return False


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
