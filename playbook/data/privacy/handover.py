"""Handing an audience over: the one step in which telephone numbers and e-mail addresses are read from raw files again.

Tables hold keyed hashes only. Who is to be written to through a platform or a service must be named to it, so the
shop's own files are read once more, for the accounts of those who agreed and for nobody else. What is written lies in
the shop's folder, readable for its owner only, and a line in ``privacy.log`` says that it was done: when, which
audience, how many, and how many were withheld.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb
import ibis
import pandas as pd

from ...language import _
from ...missing import Missing
from ..engine import as_table
from ..ingest.build import recognised
from ..ingest.files import own_formats, raw_files
from ..ingest.formats import load_formats
from ..ingest.model import SourceFormat
from ..ingest.stage import Staged
from ..keyed import hashed, identity_key, use_key
from ..store import ShopError, Store
from .consent import with_consent
from .erasure import log
from .search import _hashed_fields, _rows
from .subject import written

KINDS = ("phone", "email")
COLUMNS = ("platform", "customer_id", *KINDS)


def consenting(
    members: ibis.Table, customers: ibis.Table | Missing, persons: ibis.Table, messages: ibis.Table | Missing, *, at
) -> pd.DataFrame:
    """The accounts of those members who agreed, on every account of theirs, to be written to.

    Parameters
    ----------
    members : Table
        person_id.
    customers : Table
        customer_id, person_id, consent_marketing; platform and consent_at where there are.
    persons : Table
        The mart.
    messages : Table
        unsubscribed_at: who has left a list is left out.
    at : datetime
        When they are to be written to.

    Returns
    -------
    DataFrame
        platform, customer_id, person_id.

    Raises
    ------
    ShopError
        The shop has no customers with `consent_marketing`: without it nobody is written to.
    """
    lists = None if isinstance(messages, Missing) else messages
    agreed = customers if isinstance(customers, Missing) else with_consent(customers, at=at, messages=lists)
    if isinstance(agreed, Missing) or isinstance(customers, Missing):
        raise ShopError(
            _("nobody can be written to: the shop's data do not say who has agreed (customers.consent_marketing)")
        )
    everybody = as_table(customers)
    refused = everybody.anti_join(agreed, [c for c in ("platform", "customer_id") if c in everybody.columns])
    rows = agreed.filter(agreed.person_id.notnull())
    rows = rows.semi_join(members, "person_id").anti_join(refused.select("person_id"), "person_id")
    platform = rows.platform.fill_null("") if "platform" in rows.columns else ibis.literal("")
    found = rows.select(platform=platform, customer_id=rows.customer_id, person_id=rows.person_id)
    return found.distinct().order_by("platform", "customer_id").to_pandas()


def contacts(store: Store, accounts: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """How can these accounts be reached, by the shop's own files?

    Parameters
    ----------
    store : Store
        The shop's folder.
    accounts : iterable of (platform, customer_id)

    Returns
    -------
    DataFrame
        platform, customer_id, phone, email: what the last file that says it says, empty where none does. What is masked
        (138****1234) says nothing.

    Raises
    ------
    ShopError
        A raw file cannot be read.
    """
    wanted = list(dict.fromkeys(accounts))
    frame = pd.DataFrame(wanted, columns=["platform", "customer_id"]).assign(phone="", email="")
    if not wanted:
        return frame
    formats = load_formats(store.folder / "formats" if own_formats(store) else None)
    with tempfile.TemporaryDirectory(dir=store.folder, prefix=".handover-") as folder, duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        use_key(con, identity_key(store.folder))
        con.execute("CREATE TABLE wanted (account VARCHAR)")
        con.executemany("INSERT INTO wanted VALUES (?)", [[f"{p}:{c}"] for p, c in wanted])
        said: dict[tuple[str, str], str] = {}
        n = 0
        for path, name in _telling(store, formats):
            for raw, fmt in recognised(path, name, formats, store.name):
                staged = Staged(con, n, raw, fmt, store.settings, Path(folder))
                staged.keep_cells(Path(folder))
                said |= _said(con, staged)
                n += 1
    name = frame.platform + ":" + frame.customer_id
    for kind in KINDS:
        frame[kind] = [said.get((account, kind), "") for account in name]
    return frame


def _telling(store: Store, formats: Iterable[SourceFormat]) -> list[tuple[Path, str]]:
    """The files whose formats have telephone numbers or e-mail addresses, as ingest recognised them."""
    silent = {f.name for f in formats if not any(kind in KINDS for _field, kind in _hashed_fields(f))}
    known = {f["file"]: f.get("format") for f in store.accounting()["files"]}
    out = []
    for path in raw_files(store.raw):
        name = path.relative_to(store.raw).as_posix()
        of = [fmt for file, fmt in known.items() if file == name or file.startswith((f"{name}/", f"{name}["))]
        if not of or any(fmt not in silent for fmt in of):
            out.append((path, name))
    return out


def _said(con: duckdb.DuckDBPyConnection, f: Staged) -> dict[tuple[str, str], str]:
    """(account, kind) → what a file says."""
    out: dict[tuple[str, str], str] = {}
    columns = {
        (f"c{f.found[name]}", kind) for name, kind in _hashed_fields(f.format) if name in f.found and kind in KINDS
    }
    for target in f.format.targets:
        if "customer_id" not in target.columns or target.each:
            continue
        platform = target.columns.get("platform", "''")
        account = f"coalesce({platform}, '') || ':' || ({target.columns['customer_id']})"
        for cell, kind in sorted(columns):
            rows = con.execute(
                f"SELECT account, cell FROM (SELECT {account} AS account, trim({cell}) AS cell, row FROM {_rows(f)} "
                f"WHERE {hashed(cell, kind)} IS NOT NULL) WHERE account IN (SELECT account FROM wanted) ORDER BY row"
            )
            out |= {(name, kind): value.strip("'\t ") for name, value in rows.fetchall()}
    return out


def handed_over(store: Store, name: str, rows: pd.DataFrame, *, withheld: int, to: Path | None = None) -> Path:
    """Write an audience into a file that only its owner may read, and a line into the log.

    Parameters
    ----------
    store : Store
        The shop's folder.
    name : str
        Of the audience.
    rows : DataFrame
        From `contacts`.
    withheld : int
        How many people of the audience are not in it.
    to : Path, optional
        Where; otherwise into the shop's ``audiences/``.
    """
    path = to or store.folder / "audiences" / f"{name}.csv"
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    table.writerows(rows[list(COLUMNS)].itertuples(index=False))
    written(path, "\ufeff" + text.getvalue())
    log(store, "audience", name, rows=len(rows), withheld=withheld)
    return path
