"""Whom it is about: the accounts, numbers and hashes of one person, and all that is held on her."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from ...language import _
from .. import identity
from ..engine import engine
from ..keyed import hash_of, identity_key
from ..schema import TABLES
from ..store import ShopError, Store

KINDS = ("phone", "email", "login")
"""What is a person's own: household members share device and address."""


@dataclass(frozen=True)
class Subject:
    """One person, as the shop knows her.

    Attributes
    ----------
    person : str
        `person_id`; "" where no table knows her.
    accounts : frozenset of str
        ``platform:customer_id`` of each account.
    numbers : frozenset of str
        Customer numbers that no other person has on any platform.
    hashes : mapping of str to frozenset of str
        Kind → keyed hashes that no other person has.
    orders : frozenset of str
        ``platform:order_id`` of each order, also those as a guest.
    order_numbers : frozenset of str
        Of them the numbers that stand for one order only.
    visitors : frozenset of str
        Visitor ids that were hers alone.
    """

    person: str
    accounts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    orders: frozenset[str] = frozenset()
    order_numbers: frozenset[str] = frozenset()
    visitors: frozenset[str] = frozenset()


def subject(store: Store, said: str) -> Subject:
    """Whom does a request mean?

    Parameters
    ----------
    said : str
        A `person_id`, ``platform:customer_id``, or a telephone number or e-mail address, which is hashed at once.

    Raises
    ------
    ShopError
        It is none of these, nobody has it, or several persons share it.
    """
    tables = stored(store)
    customers, orders = tables.get("customers"), tables.get("orders")
    key = identity_key(store.folder)
    if "customer_id" not in {c for t in (customers, orders) if t is not None for c in t.columns}:
        customers = None
        who = pd.DataFrame({"account": [], "person_id": []}, dtype=str)
    else:
        found = identity.persons(customers, orders, identity.resolve(customers, orders), key=key)
        who = found.to_pandas()
        who["account"] = who.platform + ":" + who.customer_id
    seen = identity.evidence(customers, orders)
    if said in set(who.person_id):
        return _of(said, who, seen, tables, {})
    if ":" in said and "@" not in said:
        person = who.person_id[who.account == said]
        return _of(person.iloc[0], who, seen, tables, {}) if len(person) else _unknown(said)
    kind = "email" if "@" in said else "phone"
    (hashed,) = hash_of([said], kind, key)
    if hashed is None:
        raise ShopError(_("give a person_id, platform:customer_id, a whole telephone number or an e-mail address"))
    there = seen.filter((seen.kind == kind) & (seen.hash == hashed)).account.to_pandas()
    people = sorted(set(who.person_id[who.account.isin(there)]))
    if len(people) > 1:
        names = ", ".join(sorted(there)[:10])
        raise ShopError(
            _("{n} persons share that: name one of their accounts ({accounts})").format(n=len(people), accounts=names)
        )
    return _of(people[0] if people else "", who, seen, tables, {kind: frozenset({hashed})})


def _unknown(account: str) -> Subject:
    """An account that no table knows (any more): the files are searched for it all the same."""
    number = account.split(":", 1)[1]
    return Subject("", frozenset({account}), frozenset({number}))


def _of(
    person: str,
    who: pd.DataFrame,
    seen: ibis.Table,
    tables: Mapping[str, ibis.Table],
    hashes: Mapping[str, frozenset[str]],
) -> Subject:
    """All that belongs to a person; to `hashes` come those of her accounts."""
    mine = who.person_id == person
    accounts = frozenset(who.account[mine])
    others = set(who.customer_id[~mine]) if len(who.columns) > 2 else set()
    numbers = frozenset(set(who.customer_id[mine]) - others) if accounts else frozenset()
    told = seen.filter(seen.kind.isin(KINDS)).semi_join(
        seen.filter(seen.account.isin(sorted(accounts) or [""])), ["kind", "hash"]
    )
    rows = told.select("account", "kind", "hash").to_pandas()
    shared = set(rows.hash[~rows.account.isin(accounts)])
    own = {k: frozenset(set(rows.hash[(rows.kind == k)]) - shared) | hashes.get(k, frozenset()) for k in KINDS}
    orders, order_numbers = _orders(tables.get("orders"), accounts, own)
    return Subject(person, accounts, numbers, own, orders, order_numbers, _visitors(tables.get("events"), numbers))


def _orders(
    orders: ibis.Table | None, accounts: frozenset[str], own: Mapping[str, frozenset[str]]
) -> tuple[frozenset[str], frozenset[str]]:
    if orders is None:
        return frozenset(), frozenset()
    mine = orders.filter(_hers(orders, accounts, own))
    platform = mine.platform.fill_null("") if "platform" in mine.columns else ibis.literal("")
    rows = mine.select("order_id", name=platform + ibis.literal(":") + mine.order_id).to_pandas()
    twice = orders.group_by("order_id").aggregate(n=orders.count()).filter(lambda t: t.n > 1)
    several = set(twice.filter(twice.order_id.isin(rows.order_id.tolist() or [""])).order_id.to_pandas())
    return frozenset(rows.name), frozenset(set(rows.order_id) - several)


def _hers(table: ibis.Table, accounts: frozenset[str], own: Mapping[str, frozenset[str]]) -> ibis.Value:
    """Whether a row bears one of her accounts, or, without an account, something that is hers alone."""
    conditions = [ibis.literal(False)]
    if "customer_id" in table.columns and accounts:
        platform = table.platform.fill_null("") if "platform" in table.columns else ibis.literal("")
        conditions.append((platform + ibis.literal(":") + table.customer_id).isin(sorted(accounts)))
    guest = table.customer_id.isnull() if "customer_id" in table.columns else ibis.literal(True)
    for kind, hashes in own.items():
        if f"{kind}_hash" in table.columns and hashes:
            conditions.append(guest & table[f"{kind}_hash"].isin(sorted(hashes)))
    return ibis.or_(*(c.fill_null(False) for c in conditions))


def _visitors(events: ibis.Table | None, numbers: frozenset[str]) -> frozenset[str]:
    if events is None or "customer_id" not in events.columns or not numbers:
        return frozenset()
    known = events.filter(events.customer_id.notnull())
    of = known.group_by("visitor_id").aggregate(
        mine=known.customer_id.isin(sorted(numbers)).any(), other=(~known.customer_id.isin(sorted(numbers))).any()
    )
    return frozenset(of.filter(of.mine & ~of.other).visitor_id.to_pandas())


def stored(store: Store) -> dict[str, ibis.Table]:
    """Every table as it is stored: in UTC, not cut."""
    store.accounting()
    folder = store.tables
    assert folder is not None
    return {n: engine().read(p) for n in TABLES if (p := folder / f"{n}.parquet").exists()}


def access(store: Store, said: str) -> dict[str, Any]:
    """What is held on a person?

    Returns
    -------
    dict
        person; accounts; tables (name → rows of the built tables); files (file, line, and what stands in the cells).

    Raises
    ------
    ShopError
        As `subject`; a raw file cannot be read.
    """
    from .search import search

    who = subject(store, said)
    files = [
        {"file": f.name, "line": hit.line, "cells": {f.headers[i]: v for i, v in hit.cells.items()}}
        for f in search(store, who)
        for hit in f.hits
    ]
    rows = {name: _rows(table, who) for name, table in stored(store).items()}
    return {
        "person": who.person,
        "accounts": sorted(who.accounts),
        "tables": {name: r for name, r in rows.items() if r},
        "files": files,
    }


def _rows(table: ibis.Table, who: Subject) -> list[dict[str, Any]]:
    """The rows of a table that are about a person."""
    conditions = [_hers(table, who.accounts, who.hashes)]
    named = "platform" in table.columns
    if "customer_id" in table.columns and not named and who.numbers:
        conditions.append(table.customer_id.isin(sorted(who.numbers)).fill_null(False))
    if "order_id" in table.columns and who.orders:
        if named:
            name = table.platform.fill_null("") + ibis.literal(":") + table.order_id
            conditions.append(name.isin(sorted(who.orders)).fill_null(False))
        elif who.order_numbers:
            conditions.append(table.order_id.isin(sorted(who.order_numbers)).fill_null(False))
    if "visitor_id" in table.columns and who.visitors:
        conditions.append(table.visitor_id.isin(sorted(who.visitors)))
    there = table.filter(ibis.or_(*conditions)).to_pandas()
    return [{c: None if pd.isna(v) else str(v) for c, v in row.items()} for row in there.to_dict("records")]


def written(path: Path, text: str) -> None:
    """Write what only the owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
