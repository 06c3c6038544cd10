"""Who is behind the accounts: how many could be linked, what was not used, and what is known of a person."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import Missing, answers, quietly
from ...period import Period
from .. import identity
from ..engine import as_table

WATCHED = 0.5
"""Share of a platform's accounts without anything to link them by, above which customers' figures deserve care."""


@answers("How many accounts could be linked to a person's other accounts?")
def match(persons: ibis.Table, customers: ibis.Table | None, orders: ibis.Table | None) -> pd.DataFrame:
    """How many accounts could be linked to a person's other accounts?

    Parameters
    ----------
    persons : Table
        The mart.
    customers, orders : Table or None

    Returns
    -------
    DataFrame
        One row per platform: platform, accounts, persons (different ones), linked (accounts of a person who has
        another), match_rate (linked ÷ accounts), unlinked (with something to link them by, which no other account has),
        no_identifier (masked or empty telephone, e-mail and login). ``attrs["all"]`` holds the same of all platforms.
    """
    seen = identity.evidence(customers, orders)
    has = seen.filter(seen.kind.isin(identity.STRONG)).select("account").distinct().mutate(told=True)
    who = persons.mutate(account=persons.platform + ibis.literal(":") + persons.customer_id)
    rows = who.left_join(has, "account")
    linked = rows.accounts > 1
    said = rows.told.fill_null(False)
    sums = {
        "accounts": rows.count(), "persons": rows.person_id.nunique(), "linked": linked.sum(),
        "unlinked": (~linked & said).sum(), "no_identifier": (~linked & ~said).sum(),
    }  # fmt: skip
    found = rows.group_by("platform").aggregate(**sums).order_by(ibis.desc("accounts"), "platform").to_pandas()
    found["match_rate"] = found.linked / found.accounts
    found = found[["platform", "accounts", "persons", "linked", "match_rate", "unlinked", "no_identifier"]]
    every = rows.aggregate(**sums).to_pandas().iloc[0].to_dict()
    found.attrs["all"] = {k: int(v) for k, v in every.items()}
    return found


@quietly
def plot_match(match: pd.DataFrame) -> Axes:
    """Accounts of each platform: linked to another, alone though they could be linked, and without anything to link."""
    parts = {"linked": style.OWN, "unlinked": "#BFD3E6", "no_identifier": "#D9D9D9"}
    labels = {"linked": _("linked"), "unlinked": _("alone"), "no_identifier": _("nothing to link by")}
    ax = style.axes(height=1.3 + 0.45 * len(match))
    left = np.zeros(len(match))
    for name, colour in parts.items():
        ax.barh(range(len(match)), match[name], left=left, height=0.62, color=colour, label=labels[name])
        left = left + match[name].to_numpy(dtype=float)
    for place, row in enumerate(match.itertuples()):
        style.direct_label(ax, row.accounts, place, style.value(row.match_rate, "share"))
    ax.set_yticks(range(len(match)), [term("platform", str(p)) or _("all accounts") for p in match.platform])
    ax.invert_yaxis()
    ax.grid(False)
    style.count_axis(ax, which="x")
    ax.set_xlabel(_("accounts"))
    ax.legend(loc="lower right", frameon=False)
    ax.set_title(_("How many accounts are linked to another of the same person"))
    return ax


@answers("What do accounts share that was not used?")
def unused(links: ibis.Table, conflicts: ibis.Table) -> pd.DataFrame:
    """What do accounts share that was not used to link them, and why?

    Parameters
    ----------
    links, conflicts : Table
        The marts `person_links` and `person_conflicts`.

    Returns
    -------
    DataFrame
        why (shared by many, contradiction, contested, too little, chain), evidence, things (shared, or pairs), accounts
        (that a thing joins; of pairs: two each).
    """
    many = conflicts.group_by("kind").aggregate(things=conflicts.count(), accounts=conflicts.accounts.sum()).to_pandas()
    rows = many.rename(columns={"kind": "evidence"}).assign(why="shared by many")
    out = links.filter(~links.used)
    pairs = out.group_by("why", evidence=out.by).aggregate(things=out.count()).to_pandas()
    pairs["accounts"] = 2 * pairs.things
    found = pd.concat([rows, pairs])[["why", "evidence", "things", "accounts"]]
    found = found.sort_values(["accounts", "why", "evidence"], ascending=[False, True, True], ignore_index=True)
    if found.empty:
        found.attrs["notes"] = [_("Nothing that accounts share was left unused.")]
    return found


@answers("On how many kinds of device does a person buy?", needs={"orders": ["device", "customer_id"]})
def devices(orders: ibis.Table, persons: ibis.Table) -> pd.DataFrame:
    """On how many kinds of device does a person buy?

    Returns
    -------
    DataFrame
        devices (kinds of device of her paid orders), persons, share (of the persons who bought), orders.
    """
    table = as_table(orders)
    named = "platform" in table.columns
    mine = identity.with_person(table.filter(table.paid_at.notnull() & table.device.notnull()), persons, named=named)
    mine = mine.filter(mine.person_id.notnull())
    each = mine.group_by("person_id").aggregate(devices=mine.device.nunique(), orders=mine.count())
    found = each.group_by("devices").aggregate(persons=each.count(), orders=each.orders.sum())
    frame = found.order_by("devices").to_pandas()
    frame.insert(2, "share", frame.persons / frame.persons.sum())
    return frame


@answers("At which hours is each kind of device bought on?", needs={"orders": ["device"]})
def device_hours(orders: ibis.Table, period: Period, *, least: int = 30) -> pd.DataFrame | Missing:
    """At which hours of the day is each kind of device bought on?

    Parameters
    ----------
    least : int
        Orders that a kind of device needs: of fewer, the hours are chance.

    Returns
    -------
    DataFrame
        One row per kind of device and hour, by the shop's clock: device, hour (0 to 23), orders (paid in the period),
        share (of the device's orders). A Missing where no kind of device has as many orders as it needs.
    """
    table = as_table(orders)
    day = table.paid_at.date()
    paid = table.filter(day >= ibis.date(period.start), day < ibis.date(period.end), table.device.notnull())
    counted = paid.group_by("device", hour=paid.paid_at.hour()).aggregate(orders=paid.count()).to_pandas()
    grid = counted.pivot(index="device", columns="hour", values="orders").reindex(columns=range(24)).fillna(0)
    sums = grid.sum(axis=1).sort_values(ascending=False, kind="stable")
    grid = grid.loc[sums[sums >= least].index]
    if grid.empty:
        text = _("{n} paid orders in the period that name one kind of device")
        return Missing(text.format(n=least), remedy=_("Choose a longer period."))
    frame = grid.stack().rename("orders").astype(int).reset_index()
    frame["share"] = frame.orders / frame.groupby("device").orders.transform("sum")
    return frame


@quietly
def plot_device_hours(device_hours: pd.DataFrame) -> Axes:
    """Kinds of device by hour: the darker, the larger the part of the device's orders that falls on the hour."""
    names = device_hours.device.unique()
    grid = device_hours.pivot(index="device", columns="hour", values="share").reindex(names)
    sums = device_hours.groupby("device").orders.sum()
    ax = style.axes(height=1.5 + 0.45 * len(names))
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("hours", ["#F2F6FA", style.OWN])
    mesh = ax.pcolormesh(np.arange(25), np.arange(len(names) + 1), grid.to_numpy(dtype=float), cmap=shades, vmin=0,
                         edgecolors="white", linewidth=0.6)  # fmt: skip
    text = _("{device}, {n} orders")
    labels = [text.format(device=term("device", str(d)), n=style.value(int(sums[d]), "count")) for d in names]
    ax.set_yticks(np.arange(len(names)) + 0.5, labels)
    ax.set_xticks(np.arange(0, 25, 3), [f"{h}:00" for h in range(0, 25, 3)])
    ax.invert_yaxis()
    ax.grid(False)
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    bar.ax.yaxis.set_major_formatter(lambda share, _place: style.value(share, "share", digits=0))
    bar.set_label(_("share of the device's orders"))
    ax.set_xlabel(_("hour of payment"))
    ax.set_title(_("When each kind of device is bought on"))
    return ax


@answers("What is known of each person?")
def known(customer_360: ibis.Table) -> pd.DataFrame:
    """What is known of each person, and of how many?

    Returns
    -------
    DataFrame
        One row per trait of the mart: trait, known (persons), share. ``attrs["notes"]``: how many persons there are.
    """
    traits = [c for c in customer_360.columns if c not in ("person_id", "accounts")]
    sums = {c: customer_360[c].notnull().sum() for c in traits}
    row = customer_360.aggregate(_persons=customer_360.count(), **sums).to_pandas().iloc[0]
    n = int(row["_persons"])
    frame = pd.DataFrame({"trait": traits, "known": [int(row[c]) for c in traits]})
    frame["share"] = frame.known / n if n else np.nan
    text = _("The shop knows {n} persons.")
    frame.attrs["notes"] = [text.format(n=style.value(n, "count"))]
    return frame.sort_values(["known", "trait"], ascending=[False, True], ignore_index=True)


@answers("Who may be written to?", needs={"customers": ["consent_marketing"]})
def consent(customers: ibis.Table) -> pd.DataFrame:
    """Who may be written to? Silence is no consent, and one refusal of a person counts for all her accounts.

    Parameters
    ----------
    customers : Table
        ``shop.customers``, with `person_id`.

    Returns
    -------
    DataFrame
        consent (agreed, refused, not said), persons, share.
    """
    each = customers.group_by("person_id").aggregate(agrees=customers.consent_marketing.cast("int8").min())
    flag = each.agrees.cast("boolean")
    said = each.aggregate(
        agreed=flag.fill_null(False).sum(), refused=(~flag).fill_null(False).sum(), silent=flag.isnull().sum()
    ).to_pandas()
    agreed, refused, silent = (int(v) if pd.notna(v) else 0 for v in said.iloc[0])
    frame = pd.DataFrame({"consent": ["agreed", "refused", "not said"], "persons": [agreed, refused, silent]})
    frame["share"] = frame.persons / max(1, frame.persons.sum())
    return frame


def linking_findings(match: pd.DataFrame | Missing) -> list[Finding] | Missing:
    """Can customers be counted as persons?

    Returns
    -------
    list of Finding
        How many accounts are linked (hold), and the platforms most of whose accounts cannot be (watch).
    """
    if isinstance(match, Missing):
        return match.quiet()
    every = match.attrs["all"]
    rate = every["linked"] / every["accounts"] if every["accounts"] else 0.0
    text = _("{accounts} accounts belong to {persons} persons; {share} of the accounts are linked to another.")
    figures = (Figure("match_rate", rate, "share"), Figure("persons", every["persons"], "count"))
    said = {k: style.value(every[k], "count") for k in ("accounts", "persons")}
    out = [Finding("hold", text.format(**said, share=style.value(rate, "share")), None, figures)]
    for row in match[match.no_identifier > WATCHED * match.accounts].itertuples():
        text = _(
            "{share} of the accounts on {platform} carry nothing to link them by: their buyers count once a platform."
        )
        share = row.no_identifier / row.accounts
        figure = Figure("no_identifier", share, "share", by={"platform": str(row.platform)})
        name = term("platform", str(row.platform)) or _("all platforms")
        out.append(Finding("watch", text.format(share=style.value(share, "share"), platform=name), None, (figure,)))
    return out
