"""Segments: persons by how recently, how often and for how much they bought, and how engaged they are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import MONEY, as_table
from ..findings import Figure, Finding
from ..language import _
from ..methods import intervals
from ..missing import Missing, answers, quietly
from .purchases import midnight, of_persons
from .words import word

if TYPE_CHECKING:
    from ..data.marts import Inputs

SEGMENTS = (
    "champions", "loyal", "promising", "new", "need_attention", "at_risk", "hibernating", "not_yet",
)  # fmt: skip
"""From the most valuable to those who never paid an order."""

ENGAGED_DAYS = 180
"""Days back in which opening a message, writing a review, sharing or visiting counts as engagement."""

INTERACTIONS = {"messages": "opened_at", "reviews": "reviewed_at", "events": "event_at"}


# -- the mart


def rfm(inputs: Inputs) -> ibis.Table | Missing:
    """How recently, how often, for how much, and how engaged: the mart.

    Returns
    -------
    Table
        One row per person of customer_360, whose `monetary` add up to the net sales of all known persons:

        - person_id, recency_days (since the last paid order), frequency (paid orders), monetary (net sales: paid less
          returned; money), engagement (what she opened, wrote, shared, and days on which she visited, in the last
          `ENGAGED_DAYS` days; absent where the shop records nothing of the kind)
        - r, f, m, e: scores from 1 to 5 among those who have bought (`scored`); segment (`SEGMENTS`)
    """
    everyone = inputs.mart("customer_360")
    if isinstance(everyone, Missing):
        return everyone
    if "orders" not in everyone.columns:
        return inputs.table("orders").customer_id  # a Missing: persons without orders that name them
    t = everyone.select("person_id", "recency_days", frequency=everyone.orders, monetary=everyone.net_sales.cast(MONEY))
    engaged = _engagement(inputs)
    if engaged is not None:
        t = t.left_join(engaged, "person_id", rname="{name}_right").drop("person_id_right")
        t = t.mutate(engagement=t.engagement.fill_null(0))
    return scored(t).order_by("person_id")


def _engagement(inputs: Inputs) -> ibis.Table | None:
    """How often each person had to do with the shop of late; visits count once a day."""
    from ..data import identity

    who, orders, customers = inputs.mart("persons"), inputs.table("orders"), inputs.table("customers")
    named = identity.by_platform(*(None if isinstance(t, Missing) else t for t in (customers, orders)))
    since, parts = ibis.timestamp(inputs.as_of - dt.timedelta(days=ENGAGED_DAYS)), []
    for name, at in INTERACTIONS.items():
        table = inputs.table(name)
        if isinstance(table, Missing) or not {"customer_id", at} <= set(table.columns):
            continue
        late = table.filter((table[at] >= since) & table.customer_id.notnull())
        there = identity.with_person(late, who, named=named)
        there = there.filter(there.person_id.notnull()).select("person_id", day=there[at].date())
        parts.append(there.distinct() if name == "events" else there)
    if not parts:
        return None
    every = parts[0] if len(parts) == 1 else ibis.union(*parts)
    return every.group_by("person_id").aggregate(engagement=every.count())


def scored(t: ibis.Table) -> ibis.Table:
    """With the scores from 1 to 5 and the segment of each person.

    A score is the fifth of the buyers in which a person stands; equals stand together, at the low end of their ranks,
    so those who bought once all have f = 1, however many they are.
    """
    buyer = t.frequency > 0

    def score(value: ibis.Value) -> ibis.Value:
        place = ibis.percent_rank().over(ibis.window(group_by=buyer, order_by=value))
        return buyer.ifelse(ibis.least((5 * place).floor().cast("int64") + 1, 5), ibis.null("int64"))

    out = {"r": score(-t.recency_days), "f": score(t.frequency), "m": score(t.monetary)}
    if "engagement" in t.columns:
        out["e"] = score(t.engagement)
    t = t.mutate(**out)
    segment = ibis.cases(
        (t.frequency == 0, "not_yet"),
        ((t.r >= 4) & (t.f >= 4) & (t.m >= 4), "champions"),
        ((t.r >= 3) & (t.f >= 4), "loyal"),
        ((t.r >= 4) & (t.frequency == 1), "new"),
        (t.r >= 4, "promising"),
        (t.r == 3, "need_attention"),
        (t.f >= 4, "at_risk"),
        else_="hibernating",
    )
    return t.mutate(segment=segment)


# -- what it says


@answers("Which segments are there, and what are they worth?")
def sizes(rfm: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    """Which segments are there, and what are they worth?

    Parameters
    ----------
    rfm : Table
        The mart.

    Returns
    -------
    DataFrame
        One row a segment in the order of `SEGMENTS`: segment, persons, share (of persons who have bought), net_sales
        (of all time, currency), share_of_sales, recency (median days), frequency (mean orders), value (net sales per
        person), engagement (mean interactions, where known).
    """
    t = as_table(rfm)
    what = {
        "persons": t.count(),
        "net_sales": t.monetary.sum(),
        "recency": t.recency_days.median(),
        "frequency": t.frequency.mean(),
    }
    if "engagement" in t.columns:
        what["engagement"] = t.engagement.mean()
    found = t.group_by("segment").aggregate(**what).to_pandas().set_index("segment")
    frame = found.reindex([s for s in SEGMENTS if s in found.index]).reset_index()
    frame["net_sales"] = frame.net_sales.astype(float)
    frame["recency"] = frame.recency.round()
    buyers = frame.persons.where(frame.segment != "not_yet")
    frame.insert(2, "share", buyers / buyers.sum() if buyers.sum() else np.nan)
    total = frame.net_sales.sum()
    frame.insert(4, "share_of_sales", frame.net_sales / total if total > 0 else np.nan)
    frame["value"] = frame.net_sales / frame.persons
    return frame


SIZES_UNITS = {
    "persons": "count", "share": "share", "net_sales": "currency", "share_of_sales": "share", "recency": "days",
    "frequency": "ratio", "value": "currency", "engagement": "ratio",
}  # fmt: skip


@answers("Who moved between segments?")
def migration(
    orders: ibis.Table | pd.DataFrame,
    persons: ibis.Table | pd.DataFrame,
    returns: ibis.Table | pd.DataFrame | None,
    *,
    first: dt.date,
    second: dt.date,
) -> pd.DataFrame:
    """Who moved between segments from one date to another?

    Both dates are scored alike, each from what was bought (and given back) before it.

    Parameters
    ----------
    orders, persons, returns : Table
        The canonical tables and the mart of persons.
    first, second : date
        Midnights, the earlier one first.

    Returns
    -------
    DataFrame
        One row per pair: before (segment on the first date; "not_yet": no paid order by then), after, persons, rate
        (share of those of `before`, with rate_low and rate_high: 95 %).
    """
    bought = of_persons(orders, persons)
    if isinstance(bought, Missing):
        return bought
    back = None if returns is None else _given_back(as_table(returns), bought)
    then, now = (_at(bought, back, day).select("person_id", "segment") for day in (first, second))
    both = now.left_join(then, "person_id", rname="{name}_before")
    pairs = both.select(before=both.segment_before.fill_null("not_yet"), after=both.segment)
    found = pairs.group_by("before", "after").aggregate(persons=pairs.count()).to_pandas()
    places = {s: i for i, s in enumerate(SEGMENTS)}
    found = found.sort_values(["before", "after"], key=lambda c: c.map(places), ignore_index=True)
    of = found.groupby("before").persons.transform("sum")
    ends = [intervals.wilson(k, n) for k, n in zip(found.persons, of, strict=True)]
    return found.assign(
        rate=found.persons / of, rate_low=[e.low for e in ends], rate_high=[e.high for e in ends], of=of.astype(float)
    )


def _given_back(returns: ibis.Table, bought: ibis.Table) -> ibis.Table | None:
    if "order_id" not in returns.columns:
        return None
    key = ["platform", "order_id"] if {"platform"} <= set(returns.columns) & set(bought.columns) else ["order_id"]
    owners = bought.group_by(*key).aggregate(person_id=bought.person_id.min())
    mine = returns.select(*key, at=returns.returned_at, amount=returns.amount.cast(MONEY)).inner_join(owners, key)
    return mine.select("person_id", "at", "amount")


def _at(bought: ibis.Table, back: ibis.Table | None, day: dt.date) -> ibis.Table:
    """The segments of all who had bought by a date."""
    known = bought.filter(bought["at"] < midnight(day))
    t = known.group_by("person_id").aggregate(
        frequency=known.count(),
        monetary=known.amount.sum(),
        recency_days=ibis.date(day).delta(known["at"].max().date(), unit="day"),
    )
    if back is not None:
        late = back.filter(back["at"] < midnight(day))
        less = late.group_by("person_id").aggregate(_back=late.amount.sum())
        t = t.left_join(less, "person_id", rname="{name}_right").drop("person_id_right")
        t = t.mutate(monetary=t.monetary - t._back.fill_null(0)).drop("_back")
    return scored(t)


# -- pictures


@quietly
def plot_sizes(sizes: pd.DataFrame) -> Axes:
    """The share of buyers in each segment beside the share of sales."""
    rows = sizes[sizes.segment != "not_yet"][::-1]
    ax = style.axes(height=1.2 + 0.5 * len(rows))
    y = np.arange(len(rows))
    ax.barh(y + 0.19, rows.share, height=0.34, color=style.COMPARISON)
    ax.barh(y - 0.19, rows.share_of_sales, height=0.34, color=style.OWN)
    for place, row in zip(y, rows.itertuples(), strict=True):
        for off, value in ((0.19, row.share), (-0.19, row.share_of_sales)):
            ax.annotate(
                style.value(value, "share"), (max(0.0, value), place + off), xytext=(5, 0), textcoords="offset points",
                va="center", fontsize=9,
            )  # fmt: skip
    ax.set_yticks(y, [word("segment", s) for s in rows.segment])
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.12)
    style.share_axis(ax, which="x")
    ax.set_title(_("Share of buyers (grey) and of their net sales (blue) by segment"))
    return ax


@quietly
def plot_migration(migration: pd.DataFrame, *, floor: int = 10) -> Axes:
    """Of each segment on the first date (rows), where its persons are on the second; small ones are empty."""
    before = [s for s in SEGMENTS if s in set(migration.before)]
    after = [s for s in SEGMENTS if s in set(migration.after)]
    ax = style.axes(height=1.5 + 0.5 * len(before))
    for row in migration.itertuples():
        if row.of < floor:
            continue
        x, y = after.index(row.after), len(before) - 1 - before.index(row.before)
        stays = row.before == row.after
        strength = 0.08 + 0.85 * row.rate
        ax.add_patch(_square(x, y, style.COMPARISON if stays else style.OWN, strength))
        ink = "white" if strength > 0.6 else style.INK
        ax.annotate(style.value(row.rate, "share", digits=0), (x, y), ha="center", va="center", fontsize=9.5, color=ink)
    ax.set_xticks(range(len(after)), [word("segment", s) for s in after], rotation=20, ha="right")
    ax.set_yticks(range(len(before)), [word("segment", s) for s in before[::-1]])
    ax.set_xlim(-0.5, len(after) - 0.5)
    ax.set_ylim(-0.5, len(before) - 0.5)
    ax.grid(visible=False)
    ax.set_xlabel(_("Segment on the later date"))
    ax.set_ylabel(_("Segment on the earlier date"))
    ax.set_title(_("Where the persons of each segment went (grey: they stayed)"))
    return ax


def _square(x: float, y: float, color: str, alpha: float):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=color, alpha=alpha, linewidth=0)


# -- what follows


@answers("Which segment deserves attention?")
def findings(sizes: pd.DataFrame, migration: pd.DataFrame | None = None, *, currency: str) -> list[Finding]:
    """Which segment deserves attention?

    Parameters
    ----------
    sizes, migration : DataFrame
        From `sizes` and `migration`.
    currency : str
        ISO code.

    Returns
    -------
    list of Finding
        Who carries the sales; who used to buy often and does not (stake: what they brought); how many of the best
        slipped between the dates.
    """
    rows = sizes.set_index("segment")
    found: list[Finding] = []
    if "champions" in rows.index and rows.share_of_sales.notna().any():
        best = rows.loc["champions"]
        text = _("Champions are {share} of the buyers and brought {sales} of all net sales: know them by name.")
        text = text.format(share=style.value(best.share, "share"), sales=style.value(best.share_of_sales, "share"))
        figure = Figure("segments.share_of_sales", best.share_of_sales, "share", by={"segment": "champions"})
        found.append(Finding("hold", text, float(best.net_sales), (figure,)))
    if "at_risk" in rows.index:
        risk = rows.loc["at_risk"]
        text = _("{n} who bought often have been silent, {days} by the median; they brought {money} so far.")
        text = text.format(
            n=style.value(int(risk.persons), "count"),
            days=style.value(round(float(risk.recency)), "days"),
            money=style.value(risk.net_sales, "currency", currency=currency),
        )
        figure = Figure("segments.persons", int(risk.persons), "count", by={"segment": "at_risk"})
        found.append(Finding("watch", text, float(risk.net_sales), (figure,)))
    if migration is not None and len(left := _slipped(migration)):
        k, n = float(left.persons.sum()), float(left.of.iloc[0])
        ends = intervals.wilson(k, n)
        text = _("Of {n} champions on the earlier date, {rate} ({between}) are not champions any more.")
        text = text.format(
            n=style.value(int(n), "count"), rate=style.value(k / n, "share"), between=style.interval(*ends, "share")
        )
        figure = Figure("migration.slipped", k / n, "share", ends.low, ends.high)
        found.append(Finding("watch", text, None, (figure,)))
    return found


def _slipped(migration: pd.DataFrame) -> pd.DataFrame:
    return migration[(migration.before == "champions") & (migration.after != "champions") & (migration.of >= 10)]
