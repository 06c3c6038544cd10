"""Raw files that change together, all or none: what an erasure rewrites.

The new files are written aside, in ``data/<shop>/.erasure/``; then a journal says which takes the place of which, and
from that moment on the erasure holds: whatever opens the shop next finishes what was interrupted. Before it, nothing
has changed, and what lies aside is thrown away by the next erasure. The journal names nobody: paths, hashes, counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER, JOURNAL, LOG = ".erasure", "journal.json", "privacy.log"

LOCK = ".lock"
"""Held in a shop's folder by whoever builds its tables or rewrites its raw files."""


def swap(folder: Path, files: Mapping[Path, bytes], *, forgotten: Iterable[tuple[str, str]], line: str) -> None:
    """Put new bytes in the place of files below a shop's folder, hashes on its list and a line in its log."""
    recover(folder)
    aside = folder / FOLDER
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    changes = []
    for number, (path, data) in enumerate(files.items()):
        building = aside / str(number)
        _write(building, data)
        building.chmod(path.stat().st_mode)
        changes.append([building.name, path.relative_to(folder).as_posix(), _digest(path)])
    journal = {"files": changes, "forgotten": sorted(forgotten), "line": line}
    _write(aside / f"{JOURNAL}.new", json.dumps(journal, ensure_ascii=False).encode())
    os.replace(aside / f"{JOURNAL}.new", aside / JOURNAL)
    recover(folder)


def unfinished(folder: Path) -> bool:
    """Whether an erasure has been decided on but not finished."""
    return (folder / FOLDER / JOURNAL).exists()


def recover(folder: Path) -> None:
    """Finish an erasure that has been decided on, if there is one. Each step may be done twice."""
    aside = folder / FOLDER
    try:
        journal = json.loads((aside / JOURNAL).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    from . import erased  # brings the engine along, which is not needed where nothing is to be done

    erased.add(folder, [(kind, value) for kind, value in journal["forgotten"]])
    for name, place, before in journal["files"]:
        path = folder / place
        # a file that somebody has exported anew since then is not ours to overwrite; the list covers its rows
        if (aside / name).exists() and path.exists() and _digest(path) == before:
            os.replace(aside / name, path)
    note(folder, journal["line"])
    (aside / JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(aside, ignore_errors=True)


def note(folder: Path, line: str) -> None:
    """Add a line to the shop's ``privacy.log``, unless it is the last one already."""
    path = folder / LOG
    if not path.exists():
        path.touch(mode=0o600)
    if not path.read_text(encoding="ascii").endswith(f"{line}\n"):
        with path.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
