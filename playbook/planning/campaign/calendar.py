"""The media calendar: what runs when, to whom, for which words; what gets in each other's way, and how to part it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import _, listing, paragraph
from ...missing import Missing, answers
from .coming import ALWAYS_DAYS, festivals

FIELDS = (
    "flight_id", "name", "kind", "channel", "platform", "audience", "keywords", "product_id", "category", "rule",
    "begins", "ends", "budget", "owner",
)  # fmt: skip
KINDS = ("price", "keyword", "audience", "window")
"""Of clashes: one product at two prices, one search word bid for twice, one audience spoken to twice, and a campaign
that falls into the days of a festival that it is not made for."""
ALONE = ("launch", "brand", "clearance")
"""Kinds of campaigns that a festival drowns."""
UNIT_RULES = ("discount", "gift")
"""Rules that change the price of a unit; full reductions, coupons and points come on top by their own rules."""
MOST_DAYS_LATER = 120
DAY = pd.Timedelta(days=1)
_AUDIENCE = re.compile(r"(?:人群|audience)\s*[：:]\s*([^；;]*)", re.IGNORECASE)
_KEYWORDS = re.compile(r"(?:关键词|keywords?)\s*[：:]\s*([^；;]*)", re.IGNORECASE)


def columns() -> list[Column]:
    """What a shop's ``plan/media_calendar.csv`` must hold."""
    number = (0.0, 1e12)
    return [
        Column("flight_id", required=True),
        Column("name", required=True),
        Column("begins", required=True, is_day=True),
        Column("ends", required=True, is_day=True),
        *(Column(c) for c in FIELDS if c not in ("flight_id", "name", "begins", "ends", "budget")),
        Column("budget", between=number),
    ]


def flights(
    campaigns: ibis.Table | Missing | None,
    promotions: ibis.Table | Missing | None,
    sheet: pd.DataFrame | Missing | None = None,
    *,
    today: dt.date,
    days: int,
) -> Any:
    """What runs on any of the coming days?

    Parameters
    ----------
    campaigns : Table, optional
        campaign_id, name, starts_on, ends_on; kind, channel, platform, budget, owner, and `objective`, in which
        “audience: …; keywords: …” (人群：…；关键词：…) are read.
    promotions : Table, optional
        promotion_id, name, starts_at, ends_at; platform, rule, product_id, category.
    sheet : DataFrame, optional
        ``plan/media_calendar.csv``, read by `playbook.data.plan_sheets.read` with `columns`; what it says of a flight
        takes the place of what was recorded, other rows are added.
    today : date
        The day after the last one known.
    days : int
        How far to look.

    Returns
    -------
    DataFrame
        `FIELDS` (texts empty where nothing is said), in order of time. A campaign and a promotion of one number are one
        flight. ``attrs``: today, last (day), sales (first and last day of each great sale of the platforms). A Missing
        where there is none of the three.
    """
    now = pd.Timestamp(today)
    last = now + pd.Timedelta(days=days)
    parts = [] if sheet is None or isinstance(sheet, Missing) else [sheet]
    told = [
        _ahead(table, names, now, last)
        for table, names in ((campaigns, _OF_CAMPAIGN), (promotions, _OF_PROMOTION))
        if table is not None and not isinstance(table, Missing)
    ]
    if not parts and not told:
        remedy = _("Write `plan/media_calendar.csv` by hand; its first row holds: {columns}.")
        said = Missing("plan/media_calendar.csv", remedy=remedy.format(columns=", ".join(FIELDS)))
        return said.asked(_("What runs when?"))
    if told:
        both = pd.concat(told).groupby("flight_id", sort=False)
        merged = both.agg({c: "first" for c in FIELDS[1:]} | {"begins": "min", "ends": "max"})
        parts.append(merged.reset_index())
    every = pd.concat([p.reindex(columns=list(FIELDS)).astype(object) for p in parts], ignore_index=True)
    out = every.groupby("flight_id", sort=False).first().reset_index()  # of each field the first that is filled in
    out["budget"] = pd.to_numeric(out["budget"]).astype(float)
    for day in ("begins", "ends"):
        out[day] = pd.to_datetime(out[day]).dt.normalize().astype("datetime64[s]")
    for word in (c for c in FIELDS if c not in ("budget", "begins", "ends")):
        out[word] = out[word].map(lambda x: "" if pd.isna(x) else str(x).strip())
    out = out[(out["ends"] >= now) & (out["begins"] < last)]
    out = out.sort_values(["begins", "flight_id"], ignore_index=True)
    known = festivals(now, last - DAY)
    sales = [(f.begins, f.ends) for f in known[known["sale"]].itertuples()]
    out.attrs = {"today": now, "last": last - DAY, "sales": sales}
    return out


_OF_CAMPAIGN = {
    "campaign_id": "flight_id", "name": "name", "starts_on": "begins", "ends_on": "ends", "kind": "kind",
    "channel": "channel", "platform": "platform", "budget": "budget", "owner": "owner", "objective": "objective",
}  # fmt: skip
_OF_PROMOTION = {
    "promotion_id": "flight_id", "name": "name", "starts_at": "begins", "ends_at": "ends", "platform": "platform",
    "rule": "rule", "product_id": "product_id", "category": "category", "kind": "kind",
}  # fmt: skip


def _ahead(table: ibis.Table, names: dict[str, str], now: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """The rows of a table that touch the coming days, under the names of a flight."""
    given = as_table(table)
    there = {new: given[old] for old, new in names.items() if old in given.columns}
    rows = given.select(**there)
    rows = rows.filter(
        (rows["ends"].cast("date") >= ibis.date(now.date())) & (rows["begins"].cast("date") < ibis.date(last.date()))
    ).to_pandas()
    rows["begins"], rows["ends"] = (pd.to_datetime(rows[c]).dt.normalize() for c in ("begins", "ends"))
    if "objective" in rows:
        said = rows["objective"].fillna("")
        rows["audience"] = said.str.extract(_AUDIENCE, expand=False)
        rows["keywords"] = said.str.extract(_KEYWORDS, expand=False)
    return rows.reindex(columns=list(FIELDS)).astype(object)


@answers("What gets in each other's way?")
def clashes(flights: pd.DataFrame, products: ibis.Table | None = None) -> pd.DataFrame:
    """Which flights get in each other's way, and in the way of which festival?

    Parameters
    ----------
    flights : DataFrame
        Of `flights`.
    products : Table, optional
        product_id, category: with them an offer of a product is held against those of its category.

    Returns
    -------
    DataFrame
        kind (`KINDS`), about (the product, word, audience or festival), first, second (flight_id; of a window the
        second is empty), begins, ends (days on which both run), days, why.

    Notes
    -----
    Two campaigns of one channel that speak to one audience, or bid for one word, pay for the same people twice; in
    different channels they support each other. Two offers clash where both change the price of a unit of one product
    and their rules differ.
    """
    known = _sales(flights.attrs["today"], flights.attrs["last"])
    out = _clashes(flights.to_dict("records"), _categories(flights, products), known)
    out.attrs["notes"] = [] if len(out) else [_("Nothing gets in another's way.")]
    return out


def _sales(first: pd.Timestamp, last: pd.Timestamp) -> list[dict[str, Any]]:
    """The great sales of the platforms between two days."""
    known = festivals(first, last)
    return known[known["sale"]].to_dict("records")


def _clashes(every: list[dict[str, Any]], of: dict[str, str], known: list[dict[str, Any]]) -> pd.DataFrame:
    rows = [row for i, a in enumerate(every) for row in _of_one(a, every[i + 1 :], of, known)]
    out = pd.DataFrame(rows, columns=["kind", "about", "first", "second", "begins", "ends", "why"])
    out.insert(6, "days", (pd.to_datetime(out["ends"]) - pd.to_datetime(out["begins"])).dt.days.astype(float) + 1)
    place = out["kind"].map({k: i for i, k in enumerate(KINDS)})
    out = out.assign(_place=place).sort_values(["_place", "begins", "first"], ignore_index=True)
    return out.drop(columns="_place")


def _of_one(
    a: dict[str, Any], others: list[dict[str, Any]], of: dict[str, str], known: list[dict[str, Any]]
) -> Iterator[tuple]:
    """What a flight clashes with: other flights, and sales that it is not for."""
    for b in others:
        begins, ends = max(a["begins"], b["begins"]), min(a["ends"], b["ends"])
        if begins <= ends:
            for kind, about, why in _between(a, b, of):
                yield kind, about, a["flight_id"], b["flight_id"], begins, ends, why
    if a["kind"] in ALONE and not a["rule"] and (a["ends"] - a["begins"]).days < ALWAYS_DAYS:
        for f in known:
            begins, ends = max(a["begins"], f["begins"]), min(a["ends"], f["ends"])
            if begins <= ends:
                why = _("falls into the dearest days for advertising, when everybody looks at {festival}")
                yield "window", f["festival"], a["flight_id"], "", begins, ends, why.format(festival=f["festival"])


def _categories(flights: pd.DataFrame, products: ibis.Table | pd.DataFrame | None) -> dict[str, str]:
    """The category of each product that an offer names."""
    if products is None or "category" not in products.columns:
        return {}
    table = as_table(products)
    mine = table.filter(table["product_id"].isin([*flights["product_id"].unique(), ""]))
    rows = mine.select("product_id", "category").to_pandas()
    return dict(zip(rows["product_id"], rows["category"], strict=True))


def _between(a: dict[str, Any], b: dict[str, Any], of: dict[Any, Any]) -> Iterator[tuple[str, str, str]]:
    """What two flights that run on the same days fight for: kind, about what, why."""
    if a["channel"] and a["channel"] == b["channel"]:
        if a["audience"] and a["audience"] == b["audience"]:
            yield "audience", a["audience"], _("both speak to the same people in the same channel")
        if a["platform"] == b["platform"]:
            for word in sorted(set(_words(a)) & set(_words(b))):
                yield "keyword", word, _("both bid for the same word, against each other")
    rules = [x["rule"] for x in (a, b)]
    if rules[0] != rules[1] and all(r.split(" ")[0] in UNIT_RULES for r in rules):
        for about in _both_sell(a, b, of):
            yield "price", about, _("two prices for the same goods: {rules}").format(rules=listing(rules))


def _words(flight: dict[str, Any]) -> list[str]:
    return re.split(r"[\s,，、]+", flight["keywords"].strip()) if flight["keywords"].strip() else []


def _both_sell(a: dict[str, Any], b: dict[str, Any], of: dict[Any, Any]) -> list[str]:
    """What two offers have in common: a product, or a category; neither named: the whole shop."""
    one, two = sorted((a, b), key=lambda x: (not x["product_id"], not x["category"]))
    if one["product_id"] and two["product_id"]:
        return [one["product_id"]] if one["product_id"] == two["product_id"] else []
    if one["product_id"]:
        within = not two["category"] or of.get(one["product_id"]) == two["category"]
        return [one["product_id"]] if within else []
    if one["category"] and two["category"]:
        return [one["category"]] if one["category"] == two["category"] else []
    return [one["category"] or _("all products")]


@answers("How are the clashes parted?")
def parted(flights: pd.DataFrame, clashing: pd.DataFrame, products: ibis.Table | None = None) -> pd.DataFrame:
    """With which days and words would nothing get in another's way?

    Of two flights that clash one for a festival stays, else the one that begins first. The other gives up a word that
    both bid for, where it has others. Else it begins on the first day on which it clashes with nothing: it keeps its
    last day where at least half of its days are left, else its length.

    Parameters
    ----------
    flights, clashing : DataFrame
        Of `flights`, `clashes`.
    products : Table, optional
        As for `clashes`.

    Returns
    -------
    DataFrame
        `FIELDS`, with was_begins, was_ends and amended (in words; empty: it stays as it was). What runs already, or
        always, stays.
    """
    out = flights.assign(was_begins=flights["begins"], was_ends=flights["ends"], amended="")
    out.attrs = dict(flights.attrs)
    of = _categories(flights, products)
    known = _sales(flights.attrs["today"], flights.attrs["last"] + 2 * MOST_DAYS_LATER * DAY)
    near = [f for f in known if f["begins"] <= flights.attrs["last"]]
    for _round in range(2 * len(clashing)):
        still = _clashes(out.to_dict("records"), of, near)
        moves = [(c, i) for c in still.to_dict("records") if (i := _giving_way(c, out)) is not None]
        if not moves:
            break
        clash, i = moves[0]
        other = clash["second"] if clash["first"] == out.loc[i, "flight_id"] else clash["first"]
        words = [w for w in _words(out.loc[i].to_dict()) if w != clash["about"]]
        if clash["kind"] == "keyword" and words:
            out.loc[i, "keywords"] = " ".join(words)
            change = _("leaves the word {word} to {other}").format(word=clash["about"], other=other)
        else:
            others = out.drop(index=i).to_dict("records")
            out.loc[i, ["begins", "ends"]] = _free_days(out.loc[i].to_dict(), others, clash["ends"], of, known)
            change = _("begins after {other}").format(other=other or clash["about"])
        out.loc[i, "amended"] = listing(c for c in (out.loc[i, "amended"], change) if c)
    return out.sort_values(["begins", "flight_id"], ignore_index=True)


def _giving_way(clash: dict[str, Any], out: pd.DataFrame) -> int | None:
    """The flight of a clash that gives way: not one for a festival, not one that runs already or always."""
    mine = out[out["flight_id"].isin([clash["first"], clash["second"]])]
    short = (mine["ends"] - mine["begins"]).dt.days < ALWAYS_DAYS
    free = mine[short & (mine["begins"] >= out.attrs["today"]) & (mine["kind"] != "festival")]
    return None if free.empty else int(free.sort_values(["was_begins", "flight_id"]).index[-1])


def _free_days(
    flight: dict[str, Any],
    others: list[dict[str, Any]],
    after: pd.Timestamp,
    of: dict[str, str],
    known: list[dict[str, Any]],
) -> list[pd.Timestamp]:
    """The first days after a day on which a flight clashes with nothing."""
    was, last = flight["was_ends"] - flight["was_begins"], flight["was_ends"]
    for later in range(MOST_DAYS_LATER):
        begins = after + (1 + later) * DAY
        ends = last if 2 * (last - begins + DAY) >= was + DAY else begins + was
        if not any(_of_one(flight | {"begins": begins, "ends": ends}, others, of, known)):
            break
    return [begins, ends]


@answers("How are the clashes parted?")
def sheet(moved: pd.DataFrame) -> pd.DataFrame:
    """The calendar that is proposed, as ``plan/media_calendar.csv`` takes it: what changes first, then what stays.

    Parameters
    ----------
    moved : DataFrame
        Of `parted`.

    Returns
    -------
    DataFrame
        flight_id, name, channel, begins, ends, keywords, amended; only flights with days of their own.
    """
    mine = moved[(moved["ends"] - moved["begins"]).dt.days < ALWAYS_DAYS]
    mine = mine.assign(_stays=mine["amended"] == "").sort_values(["_stays", "begins", "flight_id"], ignore_index=True)
    return mine[["flight_id", "name", "channel", "begins", "ends", "keywords", "amended"]]


@answers("What gets in each other's way?")
def findings(clashing: pd.DataFrame, moved: pd.DataFrame) -> list[Finding]:
    """What gets in each other's way, and what would part it?

    Parameters
    ----------
    clashing, moved : DataFrame
        Of `clashes`, `parted`.
    """
    change = moved[moved["amended"] != ""].set_index("flight_id")
    out = []
    for c in clashing.to_dict("records"):
        text = {
            "price": _("{about} stands at two prices from {begins} to {ends}: {first} and {second}."),
            "keyword": _("{first} and {second} bid for “{about}” against each other from {begins} to {ends}."),
            "audience": _("{first} and {second} both speak to “{about}” from {begins} to {ends}."),
            "window": _("{first} falls into {about} ({begins} to {ends})."),
        }[c["kind"]]
        words = {k: c[k] for k in ("about", "first", "second")}
        said = [text.format(**words, begins=style.date(c["begins"]), ends=style.date(c["ends"]))]
        for name in (n for n in (c["first"], c["second"]) if n in change.index):
            row = change.loc[name]
            if row["begins"] == row["was_begins"]:
                said.append(_("Proposed: {flight} {amended}.").format(flight=name, amended=row["amended"]))
                continue
            text = _("Proposed: {flight} runs from {begins} to {ends}.")
            said.append(text.format(flight=name, begins=style.date(row["begins"]), ends=style.date(row["ends"])))
        figure = Figure(
            "clash.days", c["days"], "days", by={"kind": c["kind"], "first": c["first"], "second": c["second"]}
        )
        out.append(Finding("watch" if c["kind"] == "window" else "act", paragraph(said), None, (figure,)))
    return out
