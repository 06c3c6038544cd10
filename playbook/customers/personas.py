"""Personas: each kind of customers as somebody one could talk to. Who, what, where, at what price, what they need."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd

from .. import style
from ..data import identity
from ..data.engine import as_table
from ..findings import Figure, Finding
from ..language import _
from ..missing import answers
from .clusters import Clusters
from .demographics import UNKNOWN
from .words import word

TOPICS = (
    "age", "gender", "city_tier", "income", "occupation", "region", "main_platform", "channel", "device", "category",
    "topic",
)  # fmt: skip
FLOOR = 30
"""Fewest persons of whom something is known, for a share to be said of them."""
RARE = 0.03
"""Share of everybody below which a level describes nobody."""
AXES = ("order_value", "orders", "breadth", "full_price", "satisfied", "engaged")
"""What the picture of a card shows, each as an index: all customers are at 100."""


@answers("What is each kind of customers like, beside all?")
def portrait(
    found: Clusters,
    who: ibis.Table | pd.DataFrame,
    lines: ibis.Table | pd.DataFrame | None = None,
    tickets: ibis.Table | pd.DataFrame | None = None,
    persons: ibis.Table | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What is each kind of customers like, beside all?

    Parameters
    ----------
    found : Clusters
        From `clusters.clusters`.
    who : Table
        From `demographics.people`.
    lines : Table, optional
        From `purchases.lines`: what they spend on.
    tickets, persons : Table, optional
        What they ask about, and the mart that says who asks.

    Returns
    -------
    DataFrame
        One row per cluster, trait and level: cluster, trait, level, n (persons of whom it is known), share (of those),
        all (share of everybody), index (100 × share by all). Levels of fewer than `FLOOR` known persons are left out.
        Empty without structure.
    """
    columns = ["cluster", "trait", "level", "n", "share", "all", "index"]
    if found.people is None:
        return pd.DataFrame(columns=columns)
    of = found.people.select("person_id", "cluster")
    t = of.inner_join(as_table(who), "person_id").cache()
    parts = []
    for trait in (c for c in TOPICS if c in t.columns):
        said = t.filter(t[trait].notnull() & (t[trait] != UNKNOWN))
        rows = said.group_by("cluster", level=said[trait]).aggregate(weight=said.count(), n=said.count()).to_pandas()
        parts.append(rows.assign(trait=trait))
    if lines is not None and "category" in as_table(lines).columns:
        bought = as_table(lines).inner_join(of, "person_id")
        bought = bought.filter(bought.category.notnull())
        rows = bought.group_by("cluster", level=bought.category).aggregate(
            weight=bought.amount.sum().cast("float64"), n=bought.person_id.nunique()
        )
        parts.append(rows.to_pandas().assign(trait="category"))
    if tickets is not None and persons is not None and {"topic", "customer_id"} <= set(as_table(tickets).columns):
        rows = as_table(tickets)
        asked = identity.with_person(rows, as_table(persons), named="platform" in rows.columns).inner_join(
            of, "person_id"
        )
        asked = asked.filter(asked.topic.notnull())
        counted = asked.group_by("cluster", level=asked.topic).aggregate(
            weight=asked.count(), n=asked.person_id.nunique()
        )
        parts.append(counted.to_pandas().assign(trait="topic"))
    if not parts:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(parts, ignore_index=True)
    known = frame.groupby(["cluster", "trait"])[["weight", "n"]].transform("sum")
    frame["share"] = frame.weight / known.weight
    level = frame.groupby(["trait", "level"]).weight.transform("sum")
    frame["all"] = level / frame.groupby("trait").weight.transform("sum")
    frame["index"] = 100 * frame.share / frame["all"]
    frame = frame[(frame["all"] >= RARE) & (known.n >= FLOOR) & (frame.n >= FLOOR)]
    order = {trait: i for i, trait in enumerate(TOPICS)}
    return frame.sort_values(
        ["cluster", "trait", "share", "level"],
        ascending=[True, True, False, True],
        key=lambda c: c.map(order) if c.name == "trait" else c,
        ignore_index=True,
    )[columns]


@answers("How does each kind of customers buy?")
def habits(
    found: Clusters,
    who: ibis.Table | pd.DataFrame,
    bought: ibis.Table | pd.DataFrame,
    lines: ibis.Table | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How does each kind of customers buy?

    Returns
    -------
    DataFrame
        One row a cluster, and one "all": cluster, order_value (median, currency), orders (mean per person), breadth
        (different products per person), full_price (share of orders without discount or coupon), satisfied (mean stars
        of reviews), engaged (share of her messages that a person opened), days_between (median days between two
        orders). A column is absent where the shop cannot tell. Empty without structure.
    """
    if found.people is None:
        return pd.DataFrame(columns=["cluster", "order_value", "orders"])
    of = found.people.select("person_id", "cluster")
    paid = as_table(bought)
    after = ibis.window(group_by="person_id", order_by=[paid["at"], paid.order_id])
    paid = paid.mutate(gap=paid["day"].delta(paid["day"].lag().over(after), unit="day"))
    off = [paid[c].notnull() for c in ("coupon_id", "promotion_id") if c in paid.columns]
    off += [paid.discount.fill_null(0) > 0] if "discount" in paid.columns else []
    t = paid.mutate(off=ibis.or_(*off) if off else ibis.null("boolean")).inner_join(of, "person_id").cache()

    def both(rows: ibis.Table, **what: Any) -> pd.DataFrame:
        each = rows.group_by("cluster").aggregate(**{k: f(rows) for k, f in what.items()}).to_pandas()
        every = rows.aggregate(**{k: f(rows) for k, f in what.items()}).to_pandas().assign(cluster="all")
        return pd.concat([each, every], ignore_index=True).set_index("cluster").astype(float)

    frame = both(
        t,
        order_value=lambda r: r.amount.cast("float64").median(),
        orders=lambda r: r.count() / r.person_id.nunique(),
        full_price=lambda r: 1 - r.off.cast("float64").mean(),
        days_between=lambda r: r.gap.nullif(0).cast("float64").median(),
    )
    if lines is not None:
        kept = as_table(lines)
        per = kept.group_by("person_id").aggregate(kinds=kept.product_id.nunique())
        frame = frame.join(both(per.inner_join(of, "person_id"), breadth=lambda r: r.kinds.mean()))
    about = as_table(who)
    about = of.inner_join(about, "person_id")
    if "rating" in about.columns:
        frame = frame.join(both(about, satisfied=lambda r: r.rating.mean()))
    if {"messages", "messages_opened"} <= set(about.columns):
        frame = frame.join(both(about, engaged=lambda r: r.messages_opened.sum() / r.messages.sum().nullif(0)))
    return frame.dropna(axis=1, how="all").sort_index(key=lambda i: i.map(lambda c: (c == "all", c))).reset_index()


HABITS_UNITS = {
    "order_value": "currency", "orders": "ratio", "breadth": "ratio", "full_price": "share", "satisfied": "ratio",
    "engaged": "share", "days_between": "days",
}  # fmt: skip


@answers("Whom are we talking to?")
def cards(portrait: pd.DataFrame, habits: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Whom are we talking to? One card per kind of customers.

    Parameters
    ----------
    portrait, habits, sizes : DataFrame
        From `portrait`, `habits` and `clusters.sizes`.

    Returns
    -------
    DataFrame
        One row a persona, the one with the largest share of sales first: persona (letter), persons, share, sales
        (currency), share_of_sales, order_value, orders, days_between, full_price (where known); and lists:

        - `marks`: (trait, level) that set it apart most and make its name, at most two
        - `who`, `what`, `where`, `channel`, `asks`: (trait, level, share, index)
        - `picture`: (axis, index) for `AXES` that are known; all customers are at 100
        - `needs`: codes of what it wants: see `need`
    """
    if sizes.empty:
        return pd.DataFrame(columns=["persona", "persons", "share", "sales", "share_of_sales"])
    rows = []
    every = habits[habits.cluster == "all"].iloc[0]
    for size in sizes.sort_values(["share_of_sales", "cluster"], ascending=[False, True]).itertuples():
        mine = portrait[portrait.cluster == size.cluster]
        own = habits[habits.cluster == size.cluster].iloc[0]
        picture = [
            (axis, 100 * own[axis] / every[axis])
            for axis in AXES
            if axis in habits.columns and own[axis] == own[axis] and every[axis]
        ]
        rows.append(
            {
                "persona": size.cluster, "persons": int(size.persons), "share": size.share, "sales": size.sales,
                "share_of_sales": size.share_of_sales,
                **{c: own[c] for c in ("order_value", "orders", "days_between", "full_price") if c in habits.columns},
                "marks": _marks(mine),
                "who": _top(mine, ("age", "gender", "city_tier", "income", "occupation"), 1),
                "what": _top(mine, ("category",), 3),
                "where": _top(mine, ("main_platform",), 2) + _top(mine, ("region",), 2, by="index", least=0.05),
                "channel": _top(mine, ("channel",), 2) + _top(mine, ("device",), 1),
                "asks": _top(mine, ("topic",), 1, by="index"),
                "picture": picture,
                "needs": need(own, every, mine),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


CARDS_UNITS = {
    "persons": "count", "share": "share", "sales": "currency", "share_of_sales": "share", "order_value": "currency",
    "orders": "ratio", "days_between": "days", "full_price": "share",
}  # fmt: skip

Level = tuple[str, str, float, float]


def _top(mine: pd.DataFrame, traits: tuple[str, ...], n: int, *, by: str = "share", least: float = 0.0) -> list[Level]:
    """The first `n` levels of each trait: most frequent, or most above all."""
    out: list[Level] = []
    for trait in traits:
        rows = mine[(mine.trait == trait) & (mine.share >= least)].sort_values([by, "level"], ascending=[False, True])
        out += [
            (trait, str(r.level), float(r.share), float(r.index_))
            for r in rows.head(n).rename(columns={"index": "index_"}).itertuples()
        ]
    return out


def _marks(mine: pd.DataFrame) -> list[tuple[str, str]]:
    """What sets a kind apart: of taste first, then of age, work or place, the levels that tell most of it."""
    out = []
    for traits in (("category",), ("age", "occupation", "income", "city_tier", "main_platform", "gender")):
        rows = mine[mine.trait.isin(traits) & (mine.share >= 0.2) & (mine["index"] >= 110)]
        if len(rows):
            telling = rows.share * np.log(rows["index"] / 100)
            best = rows.loc[telling.idxmax()]
            out.append((str(best.trait), str(best.level)))
    return out


def need(own: pd.Series, every: pd.Series, mine: pd.DataFrame) -> list[tuple[str, float]]:
    """What does a kind of customers need, judged by what it does? Codes, each with the number that says so.

    - price: fewer orders at full price than all (share of orders with an offer)
    - quality: a dearer order than all, without offers (median value of an order, as an index)
    - refill: comes back soon (median days between orders)
    - advice, delivery, trust: asks above all about these (index of the topic)
    """
    out: list[tuple[str, float]] = []
    if "full_price" in own.index and own.full_price < every.full_price - 0.02:
        out.append(("price", 1 - own.full_price))
    elif own.order_value > 1.1 * every.order_value:
        out.append(("quality", 100 * own.order_value / every.order_value))
    if "days_between" in own.index and own.days_between < 0.95 * every.days_between:
        out.append(("refill", own.days_between))
    asked = mine[mine.trait == "topic"].sort_values("index", ascending=False)
    kinds = {
        "advice": ("pre_sale", "usage", "allergy"),
        "delivery": ("where_is_parcel", "change_order"),
        "trust": ("complaint", "return_request", "price_protection"),
    }
    for row in asked[asked["index"] >= 105].head(1).itertuples():
        out += [(code, float(row[7])) for code, topics in kinds.items() if row.level in topics]
    return out


def name(marks: list[tuple[str, str]], persona: str) -> str:
    """What a persona is called: by what sets it apart, in the language in use."""
    words = [word(trait, level) for trait, level in marks]
    taste = [trait == "category" for trait, _level in marks]
    if len(words) == 2 and taste[0]:
        return _("{category} lovers, {who}").format(category=words[0], who=words[1])
    if len(words) == 1 and taste[0]:
        return _("{category} lovers").format(category=words[0])
    return words[0] if words else _("Kind {name}").format(name=persona)


@answers("What do the personas say?")
def findings(cards: pd.DataFrame) -> list[Finding]:
    """What do the personas say? Which one pays most per head, and which brings the most sales."""
    if cards.empty:
        text = _("The customers are not of different kinds: one message for all, and offers by what each does.")
        return [Finding("hold", text)]
    names = [name(m, p) for m, p in zip(cards.marks, cards.persona, strict=True)]
    each = (cards.share_of_sales / cards.share).to_numpy()
    best, most = int(each.argmax()), int(cards.share_of_sales.to_numpy().argmax())
    text = _("“{name}” bring {share} of the sales and are {people} of the customers: they come first in every brief.")
    found = [
        Finding(
            "hold",
            text.format(
                name=names[most],
                share=style.value(cards.share_of_sales.iloc[most], "share"),
                people=style.value(cards.share.iloc[most], "share"),
            ),
            float(cards.sales.iloc[most]),
            (
                Figure(
                    "personas.share_of_sales",
                    cards.share_of_sales.iloc[most],
                    "share",
                    by={"persona": cards.persona.iloc[most]},
                ),
            ),
        )
    ]
    low = int(each.argmin())
    text = _("A customer of “{best}” spends {times} times as much as one of “{low}”: pay for new ones accordingly.")
    ratio = each[best] / each[low] if each[low] > 0 else np.nan
    if best != low and ratio == ratio:
        words = text.format(best=names[best], low=names[low], times=style.value(ratio, "ratio"))
        found.append(Finding("watch", words, None, (Figure("personas.spending_ratio", ratio, "ratio"),)))
    return found
