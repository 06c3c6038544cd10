"""Tables: the canonical rows of all sources, one Parquet file a table, several tables at a time."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import duckdb

from ...language import _
from ..schema import TABLES, Table
from ..store import ShopError
from .source import Source
from .stage import literal, sql_of
from .workers import Workers


def write_tables(workers: Workers, sources: list[Source], folder: Path) -> dict[str, int]:
    """Write each canonical table that some format gives, without the columns that nothing fills."""
    writing: dict[str, Future[int | None]] = {}
    for table in TABLES.values():
        parts = [(s, s.select(t)) for s in sources for t in s.targets if t.table == table.name]
        if parts:
            writing[table.name] = workers.submit(_write_table, table, parts, folder)
        if table.name == "orders" and "orders" in writing:
            writing["orders"].result()  # which items are dated by
    return {name: rows for name, written in writing.items() if (rows := written.result()) is not None}


def _write_table(
    con: duckdb.DuckDBPyConnection, table: Table, parts: list[tuple[Source, str]], folder: Path
) -> int | None:
    """Write one canonical table; how many rows it has, None where there is to be none."""
    names = ", ".join(dict.fromkeys(s.format.name for s, _sql in parts))
    name = f"canonical_{table.name}"
    with sql_of(names):
        con.execute(f"CREATE TABLE {name} AS {' UNION ALL BY NAME '.join(sql for _s, sql in parts)}")
    if len(parts) > 1:
        _reconcile(con, table, name, [s for s, _sql in parts], [sql for _s, sql in parts])
    if table.name == "order_items":
        _date_items(con, name, folder)
    columns = [c[0] for c in con.execute(f"DESCRIBE {name}").fetchall()]
    total, *filled = con.execute(
        f"SELECT count(*), {', '.join(f'count({c})' for c in columns)} FROM {name}"
    ).fetchone() or (0,)
    if not total and table.name != "orders" and all(s.exemplary(con) for s, _sql in parts):
        con.execute(f"DROP TABLE {name}")  # a template that nobody has filled in
        return None
    by_name = dict(zip(columns, filled, strict=True))
    for c in table.required:
        if by_name[c] < total:
            raise ShopError(
                _("the format {format} leaves {table}.{column} empty in {n} rows, which may not be").format(
                    format=names, table=table.name, column=c, n=total - by_name[c]
                )
            )
    # a shop none of whose orders is paid has sold nothing: that is not the same as a shop without payment times
    kept = [c.name for c in table.columns if by_name.get(c.name) or c.required or c.name == "paid_at" in by_name]
    con.execute(
        f"COPY (SELECT {', '.join(kept)} FROM {name}) TO '{literal(str(folder / table.name))}.parquet' (FORMAT parquet)"
    )
    con.execute(f"DROP TABLE {name}")
    return total


def _date_items(con: duckdb.DuckDBPyConnection, name: str, folder: Path) -> None:
    """Lines of exports without a time (Tmall's item list) happened when their order was placed."""
    there = {c[0] for c in con.execute(f"DESCRIBE {name}").fetchall()}
    orders = f"'{literal(str(folder / 'orders'))}.parquet'"
    if not Path(orders[1:-1]).exists() or not {"platform", "ordered_at"} <= there:
        return
    placed = f"SELECT platform AS p, order_id AS o, ordered_at AS placed FROM {orders}"
    con.execute(
        f"UPDATE {name} SET ordered_at = placed FROM ({placed}) WHERE ordered_at IS NULL AND platform = p "
        "AND order_id = o"
    )


def _reconcile(
    con: duckdb.DuckDBPyConnection, table: Table, name: str, sources: list[Source], parts: list[str]
) -> None:
    """The same row from exports of two kinds: of a state, what both say is put together; anything else is refused.

    An order that stands in two exports would be counted twice, and which of them is right only a person can say.
    """
    whole = " UNION ALL BY NAME ".join(f"SELECT {i} AS part, * FROM ({sql})" for i, sql in enumerate(parts))
    there = [c[0] for c in con.execute(f"DESCRIBE {name}").fetchall()]
    key = [k for k in table.key if k in there]
    if not set(table.key) & set(table.required) <= set(key) or "line" in set(table.key) - set(there):
        return
    if table.state:
        said = ", ".join(f"arg_min({c}, part) FILTER (WHERE {c} IS NOT NULL) AS {c}" for c in there if c not in key)
        columns = ", ".join([*key, *([said] if said else [])])
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {columns} FROM ({whole}) GROUP BY {', '.join(key)}")
        return
    found = con.execute(
        f"SELECT min(part), max(part), {', '.join(key)}, count(*) OVER () FROM ({whole}) "
        f"GROUP BY {', '.join(key)} HAVING count(DISTINCT part) > 1 ORDER BY ALL LIMIT 1"
    ).fetchone()
    if found:
        one, other, *values, n = found
        raise ShopError(
            _(
                "{n} rows of {table} stand in exports of two kinds, {one} and {other}, e.g. {example}: "
                "keep one kind, or give the two different platforms"
            ).format(
                n=n,
                table=table.name,
                one=sources[one].format.name,
                other=sources[other].format.name,
                example=", ".join(f"{k} {v}" for k, v in zip(key, values, strict=True) if v is not None),
            )
        )
