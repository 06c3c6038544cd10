"""Identity: which accounts, on whichever platforms, are one person, and by what evidence.

An *account* is a customer's number on a platform. Ingest leaves keyed hashes of what accounts may share; two accounts
are linked by what they have in common, unless something speaks against it, and a person is what links hold together.

Strong evidence is a telephone number, an e-mail address, or a login that platforms share. Weak evidence is a device or
a delivery address: households share both, so weak evidence counts only between two platforms, only where gender and
year of birth are known and equal, and only when nothing at all speaks against it. What stands on orders is the
recipient's: it counts when more than half of the account's orders bear it, so a gift links nobody.

What many accounts share is nobody's own (a company's switchboard, an agent's address): it is a conflict, listed and not
used. What speaks against a pair: another gender (counted twice, unless the year of birth agrees), another year of birth
(twice when more than ten years apart, unless the gender agrees), and strong evidence of another kind that both have but
do not share. Two such signs undo a strong link, one does on the same platform, where one person rarely has two
accounts, and each further kind of strong evidence in common outweighs one. What two people were thus found to share is
contested, and links others only who are alike. Where links chain up to more accounts than a person has, the weak ones
go first, then all.

References
----------
Fellegi, I. P. and Sunter, A. B., A Theory for Record Linkage, JASA 64 (1969): agreement, disagreement, and pairs that
are left undecided. Here the weights are counts, so that a reader can follow each decision.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..missing import answers

STRONG = ("phone", "email", "login")
WEAK = ("device", "address")
GIVEN = "person"
"""A ``person_id`` that the shop's own data state: taken at its word."""
KINDS = (*STRONG, *WEAK)

MOST = 4
"""Accounts that may share one thing, and still be one person."""
PER_PLATFORM = 2
"""Of them on one platform."""
LONGEST_CHAIN = 8
"""Accounts that links may chain together."""
FAR_APART = 10
"""Years between two dates of birth that no slip explains."""

LINK_COLUMNS = ("platform", "customer_id", "other_platform", "other_customer_id", "by", "strength", "used", "why")


@dataclass(frozen=True)
class Identity:
    """What links accounts, and what was not used.

    Attributes
    ----------
    links : DataFrame
        One row per pair of accounts that share something: platform, customer_id, other_platform, other_customer_id, by
        (what they share), strength (given, strong, weak), used, why ("" when used; contradiction; too little;
        contested: two people share it; chain: too many accounts hang together).
    conflicts : DataFrame
        One row per thing that too many accounts share: kind, hash (its first digits), accounts, platforms.
    roots : DataFrame
        One row per account that is linked to another: account, root (the account of the person that was seen first).
    """

    links: pd.DataFrame
    conflicts: pd.DataFrame
    roots: pd.DataFrame


@answers("Which accounts are one person?")
def resolve(
    customers: ibis.Table | None,
    orders: ibis.Table | None,
    *,
    most: int = MOST,
    per_platform: int = PER_PLATFORM,
) -> Identity:
    """Which accounts are one person?

    Parameters
    ----------
    customers, orders : Table or None
        Canonical tables as ingest made them; whatever hashes they carry are used. (``shop.customers`` has a `person_id`
        that was found already, and would be taken at its word.)
    most, per_platform : int
        Accounts that may share one thing, in all and on one platform; what more share is a conflict.

    Notes
    -----
    The engine finds the pairs; only accounts that share something leave it.
    """
    seen = evidence(customers, orders)
    shared = (
        seen.group_by("kind", "hash", "platform")
        .aggregate(n=lambda t: t.account.nunique())
        .group_by("kind", "hash")
        .aggregate(accounts=lambda t: t.n.sum(), platforms=lambda t: t.count(), worst=lambda t: t.n.max())
    )
    hub = (shared.kind != GIVEN) & ((shared.accounts > most) | (shared.worst > per_platform))
    good = seen.semi_join(shared.filter(~hub), ["kind", "hash"])
    told = shared.filter(hub).order_by(ibis.desc("accounts"), "kind", "hash").to_pandas()
    conflicts = told.assign(hash=told.hash.str[:8])[["kind", "hash", "accounts", "platforms"]]
    shares, pairs = _pairs(good, accounts(customers, orders))
    pairs = _unchained(_uncontested(_weighed(pairs), shares), per_platform)
    return Identity(_links(pairs), conflicts, _roots(pairs))


def accounts(customers: ibis.Table | None, orders: ibis.Table | None) -> ibis.Table:
    """Every account: account (``platform:customer_id``), platform, customer_id, gender, birth_year, first_seen."""
    parts = []
    named = by_platform(customers, orders)
    for table, when in ((customers, "registered_at"), (orders, "ordered_at")):
        if table is None or "customer_id" not in table.columns:
            continue
        there = _numbered(table, named)
        traits = {
            "gender": there.gender if "gender" in there.columns else ibis.null("string"),
            "birth_year": there.birth_year if "birth_year" in there.columns else ibis.null("int64"),
            "first_seen": there[when] if when in there.columns else ibis.null("timestamp"),
        }
        parts.append(
            there.select(
                "account", "platform", "customer_id",
                gender=traits["gender"].cast("string"), birth_year=traits["birth_year"].cast("int64"),
                first_seen=traits["first_seen"].cast("timestamp"),
            )
        )  # fmt: skip
    whole = parts[0] if len(parts) == 1 else ibis.union(*parts)
    return whole.group_by("account", "platform", "customer_id").aggregate(
        gender=whole.gender.max(), birth_year=whole.birth_year.max(), first_seen=whole.first_seen.min()
    )


def evidence(customers: ibis.Table | None, orders: ibis.Table | None) -> ibis.Table:
    """What each account has that another may share: account, platform, kind, hash; each once."""
    named = by_platform(customers, orders)
    parts = []
    if customers is not None and "customer_id" in customers.columns:
        there = _numbered(customers, named)
        for kind, column in _columns(there).items():
            parts.append(_of(there, kind, column))
    if orders is not None and "customer_id" in orders.columns:
        there = _numbered(orders, named)
        for kind, column in _columns(there).items():
            parts.append(_of(there, kind, column) if kind == "device" else _mostly(there, kind, column))
    if not parts:
        nothing = {"account": "string", "platform": "string", "kind": "string", "hash": "string"}
        return ibis.memtable(pd.DataFrame({c: pd.Series(dtype="string") for c in nothing}), schema=nothing)
    return (parts[0] if len(parts) == 1 else ibis.union(*parts)).distinct()


def by_platform(customers: ibis.Table | None, orders: ibis.Table | None) -> bool:
    """Whether accounts are told apart by platform too: where a table names none, a number is the same everywhere."""
    there = [t for t in (customers, orders) if t is not None and "customer_id" in t.columns]
    return bool(there) and all("platform" in t.columns for t in there)


def linkable(customers: ibis.Table | None, orders: ibis.Table | None) -> bool:
    """Whether the tables have anything to link accounts by: where they have not, each account is a person."""
    there = [t for t in (customers, orders) if t is not None and "customer_id" in t.columns]
    return any(_columns(t) for t in there)


def persons(customers: ibis.Table | None, orders: ibis.Table | None, identity: Identity, *, key: bytes) -> ibis.Table:
    """Who is behind each account?

    Returns
    -------
    Table
        One row per account: platform, customer_id, person_id, accounts (of that person). A `person_id` is a keyed hash
        of the account that was seen first, so later accounts do not change it.
    """
    known = accounts(customers, orders).select("account", "platform", "customer_id")
    strings = {"account": "string", "root": "string"}
    joined = known.left_join(ibis.memtable(identity.roots.astype("string"), schema=ibis.schema(strings)), "account")
    root = joined.root.fill_null(joined.account)
    sizes = joined.select("platform", "customer_id", person_id=keyed(root, key))
    return sizes.mutate(accounts=ibis._.count().over(ibis.window(group_by="person_id")))


def keyed(text: ibis.Value, key: bytes) -> ibis.Value:
    """A keyed hash on any engine: SHA-256 twice, each time behind a key derived from the shop's (as NMAC does)."""
    inner, outer = (hmac.new(key, part, hashlib.sha256).hexdigest() for part in (b"inner", b"outer"))
    return (ibis.literal(outer) + (ibis.literal(inner) + text).hexdigest("sha256")).hexdigest("sha256")[:16]


def with_person(table: ibis.Table, who: ibis.Table, *, named: bool) -> ibis.Table:
    """A table that has `customer_id`, with the `person_id` of the account; `named`: see `by_platform`.

    A table that names no platform gets the person where only one person has that number.
    """
    table = table.drop("person_id") if "person_id" in table.columns else table
    if named and "platform" in table.columns:
        right = who.select(_number=who.customer_id, _platform=who.platform, person_id=who.person_id)
        same = [table.customer_id == right._number, table.platform.fill_null("") == right._platform]
        return table.left_join(right, same).drop("_number", "_platform")
    one = who.group_by(_number=who.customer_id).aggregate(person_id=who.person_id.min(), _n=who.person_id.nunique())
    right = one.filter(one._n == 1).drop("_n")
    return table.left_join(right, table.customer_id == right._number).drop("_number")


# -- the engine's part


def _numbered(table: ibis.Table, named: bool) -> ibis.Table:
    """The rows that have a customer's number, with the account."""
    there = table.filter(table.customer_id.notnull())
    there = there.mutate(platform=there.platform.fill_null("") if named else ibis.literal(""))
    return there.mutate(account=there.platform + ibis.literal(":") + there.customer_id)


def _columns(table: ibis.Table) -> dict[str, str]:
    names = {kind: f"{kind}_hash" for kind in KINDS} | {GIVEN: "person_id"}
    return {kind: column for kind, column in names.items() if column in table.columns}


def _of(table: ibis.Table, kind: str, column: str) -> ibis.Table:
    said = table.filter(table[column].notnull())
    return said.select("account", "platform", kind=ibis.literal(kind), hash=said[column])


def _mostly(table: ibis.Table, kind: str, column: str) -> ibis.Table:
    """What stands on more than half of an account's orders that say it."""
    said = _of(table, kind, column)
    counted = said.group_by("account", "platform", "kind", "hash").aggregate(n=lambda t: t.count())
    counted = counted.mutate(every=ibis._.n.sum().over(ibis.window(group_by="account")))
    return counted.filter(counted.n * 2 > counted.every).select("account", "platform", "kind", "hash")


def _pairs(seen: ibis.Table, known: ibis.Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every thing that two accounts share; and every such pair: what kinds they share, what both have, their traits."""
    there = (*KINDS, GIVEN)
    has = seen.group_by("account").aggregate(**{f"has_{k}": (seen.kind == k).any() for k in STRONG})
    about = known.left_join(has, "account").select(
        "account", "gender", "birth_year", "first_seen", *(f"has_{k}" for k in STRONG)
    )
    other = seen.view()
    both = seen.join(other, [seen.kind == other.kind, seen.hash == other.hash, seen.account < other.account])
    both = both.select(account=seen.account, other=other.account, kind=seen.kind, hash=seen.hash)
    shared = both.group_by("account", "other").aggregate(**{k: (both.kind == k).any() for k in there})
    right = about.rename({f"{c}_2": c for c in about.columns})
    rows = shared.join(about, "account").join(right, shared.other == right.account_2)
    return both.to_pandas(), rows.drop("account_2").order_by("account", "other").to_pandas()


# -- the decision, pair by pair


def _weighed(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs with `strength`, `used` and `why`."""
    p = pairs.copy()
    shared = p[list(STRONG)].sum(axis=1)
    apart = (p.birth_year - p.birth_year_2).abs()
    gender = p.gender.notna() & p.gender_2.notna()
    same = gender & (p.gender == p.gender_2)
    against = (apart > 1).astype(int) + ((apart > FAR_APART) & ~same)
    against = against + (gender & ~same) * np.where(apart == 0, 1, 2)
    for k in STRONG:
        against = against + (_true(p[f"has_{k}"]) & _true(p[f"has_{k}_2"]) & ~p[k])
    same_platform = _platform(p.account) == _platform(p.other)
    traits = same & (apart == 0)
    strong = (shared > 0) & (against - (shared - 1).clip(lower=0) < np.where(same_platform, 1, 2))
    weak = (shared == 0) & (against == 0) & ~same_platform & traits & p[list(WEAK)].any(axis=1)
    p["alike"] = traits
    p["strength"] = np.select([p[GIVEN], shared > 0], ["given", "strong"], "weak")
    p["used"] = p[GIVEN] | strong | weak
    p["why"] = np.select([p.used, against > 0], ["", "contradiction"], "too little")
    return p


def _uncontested(pairs: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Without the links that rest on what two people were found to share, unless something else speaks for them."""
    told = shares.merge(pairs[["account", "other", "why"]], on=["account", "other"])
    disputed = told[told.why == "contradiction"][["kind", "hash"]].drop_duplicates()
    plain = told.merge(disputed, on=["kind", "hash"], how="left", indicator=True)
    plain = plain[(plain._merge == "left_only") & plain.kind.isin([*STRONG, GIVEN])]
    sound = pd.MultiIndex.from_frame(pairs[["account", "other"]]).isin(
        pd.MultiIndex.from_frame(plain[["account", "other"]])
    )
    out = pairs.used & ~sound & ~pairs["alike"]
    return pairs.assign(used=pairs.used & ~out, why=pairs.why.mask(out, "contested"))


def _unchained(pairs: pd.DataFrame, per_platform: int) -> pd.DataFrame:
    """Without the links that chain up more accounts than a person has: the weak ones first, then the strong."""
    for taken in (["weak"], ["weak", "strong"]):
        roots = _components(pairs)
        size = roots.groupby("part").account.transform("size")
        worst = roots.groupby(["part", _platform(roots.account)]).account.transform("size").groupby(roots.part)
        bad = set(roots.part[(size > LONGEST_CHAIN) | (worst.transform("max") > per_platform)])
        part = pairs.account.map(dict(zip(roots.account, roots.part, strict=True)))
        out = pairs.used & part.isin(bad) & pairs.strength.isin(taken)
        pairs = pairs.assign(used=pairs.used & ~out, why=pairs.why.mask(out, "chain"))
    return pairs


def _components(pairs: pd.DataFrame) -> pd.DataFrame:
    """The accounts of used links, with the number of the part that links hold together."""
    used = pairs[pairs.used]
    codes, names = pd.factorize(pd.concat([used.account, used.other], ignore_index=True), sort=True)
    one, other = codes[: len(used)], codes[len(used) :]
    graph = coo_array((np.ones(len(used), dtype=bool), (one, other)), shape=(len(names), len(names)))
    _n, part = connected_components(graph, directed=False) if len(names) else (0, np.empty(0, dtype=int))
    return pd.DataFrame({"account": pd.Series(names, dtype=object), "part": part})


def _roots(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each linked account with the one of its person that was seen first."""
    seen = pd.concat(
        [pairs[["account", "first_seen"]], pairs[["other", "first_seen_2"]].set_axis(["account", "first_seen"], axis=1)]
    ).drop_duplicates("account")
    rows = _components(pairs).merge(seen, on="account").sort_values(["part", "first_seen", "account"])
    rows["root"] = rows.groupby("part").account.transform("first")
    return rows.sort_values("account", ignore_index=True)[["account", "root"]]


def _links(pairs: pd.DataFrame) -> pd.DataFrame:
    kinds = [*KINDS, GIVEN]
    by = [", ".join(k for k, there in zip(kinds, row, strict=True) if there) for row in pairs[kinds].to_numpy()]
    one, other = (pairs[c].str.split(":", n=1) for c in ("account", "other"))
    return pd.DataFrame(
        {
            "platform": one.str[0], "customer_id": one.str[1],
            "other_platform": other.str[0], "other_customer_id": other.str[1],
            "by": pd.Series(by, dtype=object, index=pairs.index), "strength": pairs.strength,
            "used": pairs.used, "why": pairs.why,
        }
    )[list(LINK_COLUMNS)]  # fmt: skip


def _platform(account: pd.Series) -> pd.Series:
    return account.str.split(":", n=1).str[0]


def _true(flags: pd.Series) -> pd.Series:
    return flags.eq(True).fillna(False).astype(bool)
