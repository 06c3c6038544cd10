"""Ingest: raw exports become canonical tables, and every row is accounted for.

Every row of every file is in one place: **read = accepted + superseded + duplicate + skipped + quarantined**, and its
money likewise. A later export supersedes an earlier row of the same key; a row that cannot be read goes to quarantine
with its line and the reason; preambles, totals and blank lines are skipped by stated rules.
"""

from __future__ import annotations

from typing import Any

from ...language import _
from ..locks import locked
from ..store import ShopError, Store
from .files import raw_files, tables_key
from .swapped import LOCK, recover, unfinished


def ingest(store: Store) -> dict[str, Any]:
    """Build a shop's tables from its raw files; nothing is done where they are built already.

    Returns
    -------
    dict
        The accounting, as it also lies beside the tables in ``ingest.json``:

        - `files`, one entry a file: file, format, title, sha256, encoding, exported_at; rows by outcome: read,
          accepted, superseded, duplicate, skipped (of them blank, preamble, totals), quarantined; `money` by outcome;
          file_total; `classes` (class, outcome, rows, money); repeated rows of formats without a key; notes
        - `quarantine`: file, reason, field, rows
        - `tables`: rows of each; `span`: first and last local day of the orders; `currency`, `zone`
        - `assumptions`, `checks` (text, rows, broken), `passed_over` (files of other kinds)

    Raises
    ------
    ShopError
        There are no files, or some cannot be used; the message has one line for each. The last tables stay in use.
    """
    if not unfinished(store.folder) and _is_current(store, _key(store)):
        return store.accounting()
    with locked(store.folder / LOCK):  # another process may be at it: what it built is looked at once it has done
        recover(store.folder)
        if _is_current(store, key := _key(store)):
            return store.accounting()
        from .build import build  # brings the engine along, which is not needed where nothing changed

        return build(store, key)


def _is_current(store: Store, key: str) -> bool:
    return store.tables is not None and store.tables.name == key


def _key(store: Store) -> str:
    if not raw_files(store.raw):
        raise ShopError(
            _("data/{shop}/raw/ holds no exports: copy your platform's files there (CSV, XLSX, Parquet)").format(
                shop=store.folder.name
            )
        )
    return tables_key(store)


__all__ = ["ingest"]
