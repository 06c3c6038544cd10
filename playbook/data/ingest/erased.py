"""Those who asked to be forgotten: what an older export brings of them again is taken without them.

``data/<shop>/erased.csv`` holds keyed hashes (kind, hash) and nothing else: of accounts (``platform:number``), of
customer numbers, telephone numbers, e-mail addresses, logins and visitor ids. The rows stay, since the money in them
was taken; the number of the customer and all hashes go. Where a table cannot do without the number, ``erased`` stands
in its place, and a row that is about the customer only is not taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from ..keyed import keyed
from ..schema import TABLES
from .files import FORGOTTEN

KINDS = ("account", "number", "phone", "email", "login", "visitor")
NOBODY = "erased"


def listed(folder: Path) -> set[tuple[str, str]]:
    """Kind and hash of everything on a shop's list."""
    path = folder / FORGOTTEN
    if not path.exists():
        return set()
    lines = path.read_text(encoding="ascii").split()
    return {(kind, value) for kind, _comma, value in (line.partition(",") for line in lines)}


def add(folder: Path, more: Iterable[tuple[str, str]]) -> None:
    """Put hashes on a shop's list, which is written whole or not at all."""
    path = folder / FORGOTTEN
    building = path.with_name(f".{FORGOTTEN}.new")
    building.touch(mode=0o600)
    building.write_text("".join(f"{k},{v}\n" for k, v in sorted(listed(folder) | set(more))), encoding="ascii")
    os.replace(building, path)


def use_list(con: duckdb.DuckDBPyConnection, folder: Path) -> bool:
    """Give a connection the list; whether there is anybody on it."""
    there = listed(folder)
    for kind in KINDS:
        con.execute(f"SET VARIABLE playbook_erased_{kind} = ?::VARCHAR[]", [[v for k, v in there if k == kind]])
    return bool(there)


def on_list(sql: str, kind: str) -> str:
    """The SQL that tells whether a plain value is on the list."""
    return hash_on_list(keyed(f"({sql})::VARCHAR", kind), kind)


def hash_on_list(sql: str, kind: str) -> str:
    """The SQL that tells whether a hash is on the list."""
    return f"coalesce(list_contains(getvariable('playbook_erased_{kind}'), {sql}), false)"


def without_them(sql: str, table: str, columns: Mapping[str, str]) -> str:
    """The SQL of a canonical table's rows without those on the list (`columns`: the ones that the rows have)."""
    spec = TABLES[table]
    held = [hash_on_list(f"{k}_hash", k) for k in ("phone", "email", "login") if f"{k}_hash" in columns]
    if "customer_id" in columns:
        account = "coalesce(platform, '')" if "platform" in columns else "''"
        held.append(on_list(f"{account} || ':' || customer_id", "account"))
        if "platform" not in columns:
            held.append(on_list("customer_id", "number"))
    if "visitor_id" in columns:
        held.append(on_list("visitor_id", "visitor"))
    if not held:
        return sql
    hers = " OR ".join(held)
    if table == "customers":
        return f"SELECT * FROM ({sql}) WHERE NOT ({hers})"
    gone = {c: "NULL" for c in columns if spec.by_name[c].type == "hash" or c == "customer_id"}
    gone |= {c: f"'{NOBODY}'" for c in gone if spec.by_name[c].required}
    if "visitor_id" in columns:
        gone["visitor_id"] = f"'{NOBODY}-' || {keyed('visitor_id', 'erased')}"
    cells = ", ".join(f"CASE WHEN {hers} THEN {nothing} ELSE {c} END AS {c}" for c, nothing in gone.items())
    return f"SELECT * REPLACE ({cells}) FROM ({sql})"
