"""The engine that holds the rows: DuckDB in this process, or Spark, behind one ibis expression.

What differs between the two silently is settled here once: local time, and how a frame or file becomes a table.
"""

from __future__ import annotations

import datetime
import functools
import itertools
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.datatypes as dt
import pandas as pd

MONEY = dt.Decimal(18, 4)

_NUMBERS = itertools.count()

_INSTANT = dt.Timestamp(timezone="UTC")
_NAIVE = dt.Timestamp()


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _NAIVE), _INSTANT))
def _duckdb_instant(zone, moment): ...


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _INSTANT), _NAIVE))
def _duckdb_local(zone, moment): ...


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=((_NAIVE, dt.string), _NAIVE))
def _spark_local(moment, zone): ...


@ibis.udf.scalar.builtin(name="hash")
def _duckdb_hash(value) -> dt.uint64: ...


class Engine:
    """One connection, and the few things that differ between engines.

    Parameters
    ----------
    name : {"duckdb", "spark"}
        Which engine.
    """

    def __init__(self, name: str = "duckdb"):
        self.name = name
        self.connection = _duckdb() if name == "duckdb" else _spark()

    def read(self, path: Path) -> ibis.Table:
        """The table in a Parquet file."""
        return self.connection.read_parquet(str(path))

    def view(self, table: ibis.Table) -> ibis.Table:
        """The same table under a name of its own: what is built upon it is compiled many times faster."""
        return self.connection.create_view(f"playbook_{next(_NUMBERS)}", table)

    def local(self, moment: ibis.Value, zone: str) -> ibis.Value:
        """A UTC timestamp as the clock in `zone` shows it. (A cast to a zoned type gives the UTC day, silently.)"""
        if zone == "UTC":
            return moment
        if self.name == "spark":
            return _spark_local(moment, zone)
        exact = _duckdb_local(zone, _duckdb_instant("UTC", moment))
        shift = _shift(zone)
        if shift is None:
            return exact
        plain = (moment >= ibis.timestamp(_STEADY[0])) & (moment < ibis.timestamp(_STEADY[1]))
        return plain.ifelse(moment + ibis.interval(seconds=int(shift.total_seconds())), exact)

    def __repr__(self) -> str:
        return f"Engine({self.name!r})"


_STEADY = (datetime.datetime(1992, 1, 1), datetime.datetime(2050, 1, 1))


@functools.lru_cache
def _shift(zone: str) -> datetime.timedelta | None:
    """How far a zone's clock is before UTC, where it never is changed: adding that is ten times as fast as looking."""
    first, last = (moment.replace(tzinfo=datetime.UTC) for moment in _STEADY)
    # no summer time lasts less than five days
    days = (first + datetime.timedelta(days=n) for n in range(0, (last - first).days, 5))
    shifts = {day.astimezone(ZoneInfo(zone)).utcoffset() for day in days}
    return shifts.pop() if len(shifts) == 1 else None


@functools.lru_cache
def engine(name: str = "duckdb") -> Engine:
    """The engine of that name; one connection a process."""
    made = Engine(name)
    if name == "duckdb":
        ibis.set_backend(made.connection)  # an analyst's frames are computed where the shop's tables are
    return made


def as_table(rows: ibis.Table | pd.DataFrame) -> ibis.Table:
    """A table, whether given as one or as an analyst's frame."""
    if not isinstance(rows, pd.DataFrame):
        return rows
    engine()
    return ibis.memtable(rows)


def hashed(value: ibis.Value) -> ibis.Value:
    """A number that stands for a value: faster to group by than long text. (In DuckDB, that of ibis goes by text.)"""
    return _duckdb_hash(value) if value.get_backend().name == "duckdb" else value.hash()


def _duckdb() -> Any:
    connection = ibis.duckdb.connect()
    # ibis writes array lambdas with an arrow, which DuckDB 2 takes only when told so
    connection.raw_sql("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
    connection.raw_sql("SET enable_progress_bar = false")
    return connection


def _spark() -> Any:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.appName("playbook")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    return ibis.pyspark.connect(session)
