"""A report is built beside the last one and put in its place whole, so that there is a whole one at any moment.

For ``reports/demo/2026-10`` there lie beside it: ``.2026-10.lock`` (held while it is being made), ``.2026-10.building``
(the new one; what a killed run left there is thrown away by the next), and ``.2026-10.old`` where the system cannot
exchange two folders in one step.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ..data.locks import locked
from ..data.store import ShopError
from ..language import _

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


@contextlib.contextmanager
def alone(final: Path) -> Iterator[None]:
    """Be the only process that makes this report; the system frees the lock of one that was killed.

    Raises
    ------
    ShopError
        Another process is making it.
    """
    path = _beside(final, "lock")
    with locked(path, wait=False) as file:
        if file is None:
            raise ShopError(
                _("the report {report} is being made just now, by process {pid}: wait until that is done").format(
                    report=f"{final.parent.name}/{final.name}", pid=path.read_text(encoding="utf-8").strip() or "?"
                )
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextlib.contextmanager
def building(final: Path) -> Iterator[Path]:
    """An empty folder to build a report in; leaving the block without an error puts it in the place of the last one."""
    folder = _beside(final, "building")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
        put(folder, final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def recover(final: Path) -> None:
    """Bring back the last report, where a run was killed between the two steps of a swap, and clear what it left."""
    old = _beside(final, "old")
    if old.exists() and not final.exists():
        old.rename(final)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(_beside(final, "building"), ignore_errors=True)


def put(built: Path, final: Path) -> None:
    """Put a finished folder in the place of the last one, which may be left under the name of the finished one."""
    if not final.exists():
        built.rename(final)
    elif not _exchanged(built, final):
        old = _beside(final, "old")
        final.rename(old)
        built.rename(final)
        shutil.rmtree(old, ignore_errors=True)


def _beside(final: Path, what: str) -> Path:
    return final.with_name(f".{final.name}.{what}")


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders trade places in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    if (code := ctypes.get_errno()) in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code), str(other))
