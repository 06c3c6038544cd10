"""Locks between processes: the system frees the lock of a process that was killed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[IO[str] | None]:
    """Hold the lock on a file, which is made where there is none and stays.

    Parameters
    ----------
    path : Path
    wait : bool
        Until another process gives it back; otherwise None comes back at once.

    Yields
    ------
    file or None
        The open file, which may say who holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # the file stays: taking it away would let two processes hold locks on two files of one name
    with path.open("a+", encoding="utf-8") as file:
        yield file if _taken(file.fileno(), wait) else None


def _taken(file: int, wait: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, 1 << 20, os.SEEK_SET)  # far behind the text, which others are to read
            msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
