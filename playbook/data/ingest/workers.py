"""Workers: several files or tables at a time, each thread with a connection of its own to the one database.

The engine uses all cores for one large table, but a file of a platform is small for it, and there are many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import duckdb


class Workers:
    """As many threads as the engine has; leaving the context waits for what runs, and drops what does not yet.

    Parameters
    ----------
    con : DuckDBPyConnection
        To the database.
    prepare : callable
        Gives a new connection what belongs to a connection: macros, variables.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, prepare: Callable[[duckdb.DuckDBPyConnection], None]):
        self._con, self._prepare, self._own = con, prepare, threading.local()
        (threads,) = con.execute("SELECT current_setting('threads')::INTEGER").fetchone() or (1,)
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit[T](self, job: Callable[..., T], *args: Any) -> Future[T]:
        """Have ``job(connection, *args)`` done."""
        return self._pool.submit(self._do, job, args)

    def _do[T](self, job: Callable[..., T], args: tuple[Any, ...]) -> T:
        if not hasattr(self._own, "con"):
            self._own.con = self._con.cursor()
            self._prepare(self._own.con)
        return job(self._own.con, *args)
