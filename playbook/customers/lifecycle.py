"""Lifecycle: in which stage of their life with the shop customers are, where they go, and how many will be where next.

The five stages are those of the workflow (唤醒 → 成交 → 留存 → 复购 → 推荐), and a sixth for who fell out of them:

===========  =====================================================================================
stage        who
===========  =====================================================================================
awakened     known to the shop, no paid order yet
first_deal   paid one order, in the last `FRESH` days
retained     paid one order, longer ago, within the time in which customers come back
repeat       paid two or more, the last within that time
advocate     as repeat, and has praised the shop: a review of four stars or more, or shared a page
lapsed       silent for longer than that
===========  =====================================================================================
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data import identity
from ..data.engine import as_table
from ..language import _
from ..methods import intervals
from ..missing import Missing, answers, quietly
from ..period import Period
from .words import word

STAGES = ("awakened", "first_deal", "retained", "repeat", "advocate", "lapsed")
FRESH = 30
"""Days in which a first order is fresh."""
PRAISE = 4
"""Stars from which on a review is praise."""
BACK_BY = 0.8
"""Share of the orders that follow another within the time in which customers come back."""
USUAL, LONGEST, SHORTEST = 180, 365, 45
"""Days of that time: where nobody came back, at most, and at least."""
LEVEL = 0.8


@answers("After how many days is a customer lost?")
def lapse_days(bought: ibis.Table | pd.DataFrame) -> int:
    """After how many days is a customer lost? Four of five who came back had come by then (45 to 365 days)."""
    t = as_table(bought)
    after = ibis.window(group_by="person_id", order_by=[t["at"], t.order_id])
    gap = t["day"].delta(t["day"].lag().over(after), unit="day")
    gaps = t.select(gap=gap).filter(ibis._.gap > 0)
    n, days = gaps.aggregate(n=gaps.count(), q=gaps.gap.cast("float64").quantile(BACK_BY)).to_pandas().iloc[0]
    return USUAL if n < 30 else int(np.clip(round(days), SHORTEST, LONGEST))


@answers("Who spoke well of the shop?")
def praise(
    persons: ibis.Table | pd.DataFrame,
    reviews: ibis.Table | pd.DataFrame | None,
    events: ibis.Table | pd.DataFrame | None,
) -> ibis.Table | Missing:
    """Who spoke well of the shop, and when first? A review of four stars or more, or a page shared.

    Returns
    -------
    Table
        One row per person: person_id, at. A Missing where the shop has neither reviews nor events of known customers.
    """
    who = as_table(persons)
    parts = []
    for rows, at, good in (
        (reviews, "reviewed_at", lambda t: t.rating >= PRAISE),
        (events, "event_at", lambda t: t.event == "share"),
    ):
        if rows is None or "customer_id" not in (t := as_table(rows)).columns:
            continue
        told = identity.with_person(t.filter(good(t) & t.customer_id.notnull()), who, named="platform" in t.columns)
        parts.append(told.filter(told.person_id.notnull()).select("person_id", at=told[at]))
    if not parts:
        return Missing("reviews")
    every = parts[0] if len(parts) == 1 else ibis.union(*parts)
    return every.group_by("person_id").aggregate(at=every["at"].min())


def boundaries(period: Period, first_day: dt.date, *, most: int = 25) -> list[Period]:
    """The periods whose ends stages are looked at, the earliest first: as many as the data hold, `most` at most."""
    out = [period]
    while len(out) < most and out[-1].previous.end > first_day + dt.timedelta(days=FRESH):
        out.append(out[-1].previous)
    return out[::-1]


def periods_before(period: Period, n: int) -> Period:
    """The period that lies `n` periods before."""
    for _step in range(n):
        period = period.previous
    return period


@answers("In which stage was everybody, and when?")
def stages(
    customer_360: ibis.Table | pd.DataFrame,
    bought: ibis.Table | pd.DataFrame,
    praised: ibis.Table | pd.DataFrame | None,
    periods: Sequence[Period],
    *,
    lapse: int,
) -> ibis.Table:
    """In which stage was everybody at the end of each period?

    Parameters
    ----------
    customer_360 : Table
        The mart: person_id, seen_at, channel where known.
    bought, praised : Table
        From `purchases.of_persons` and `praise`.
    periods : sequence of Period
        From `boundaries`.
    lapse : int
        Days, from `lapse_days`.

    Returns
    -------
    Table
        One row per person and period from the one on in which she was first known: person_id, place (of the period),
        stage, orders, recency_days, first_at, last_at.
    """
    everyone, paid = as_table(customer_360), as_table(bought)
    ends = pd.DataFrame({"place": range(len(periods)), "end": [pd.Timestamp(p.end) for p in periods]})
    moments = ibis.memtable(ends)
    # a person's orders up to each moment are her orders of each stretch before it, added up
    seen = everyone.filter(everyone.seen_at.notnull()).select("person_id", "seen_at")
    grid = seen.cross_join(moments)
    grid = grid.filter(grid.seen_at < grid.end)
    there = paid.select("person_id", "at").inner_join(moments, [ibis._["at"] < moments.end])
    sums = there.group_by("person_id", "place").aggregate(
        orders=there.count(), first_at=there["at"].min(), last_at=there["at"].max()
    )
    t = grid.left_join(sums, ["person_id", "place"], rname="{name}_right").drop("person_id_right", "place_right")
    if praised is not None:
        good = as_table(praised).rename(praised_at="at").select("person_id", "praised_at")
        t = t.left_join(good, "person_id", rname="{name}_right").drop("person_id_right")
        advocate = (t.praised_at < t.end).fill_null(False)
    else:
        advocate = ibis.literal(False)
    days = t.end.date().delta(t.last_at.date(), unit="day")
    stage = ibis.cases(
        (t.orders.isnull(), "awakened"),
        (days > lapse, "lapsed"),
        ((t.orders > 1) & advocate, "advocate"),
        (t.orders > 1, "repeat"),
        (days <= FRESH, "first_deal"),
        else_="retained",
    )
    chosen = t.select(
        "person_id", "place", "first_at", "last_at", stage=stage, orders=t.orders.fill_null(0), recency_days=days
    )
    return chosen.cache()


@answers("How many customers are in each stage?")
def counts(stages: ibis.Table | pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """How many customers were in each stage at the end of each period?

    Returns
    -------
    DataFrame
        One row per period and stage: period (label), stage, customers, share (of all known then).
    """
    t = as_table(stages)
    found = t.group_by("place", "stage").aggregate(customers=t.count()).to_pandas()
    wide = found.pivot_table(index="place", columns="stage", values="customers", fill_value=0, aggfunc="sum")
    wide = wide.reindex(index=range(len(periods)), columns=list(STAGES), fill_value=0)
    frame = wide.stack().rename("customers").reset_index()
    frame["share"] = frame.customers / frame.groupby("place").customers.transform("sum").replace(0, np.nan)
    frame.insert(0, "period", [periods[i].label for i in frame.place])
    return frame.drop(columns="place").astype({"customers": int})


@answers("How many customers are in each stage?")
def latest(counts: pd.DataFrame) -> pd.DataFrame:
    """The last period of what `counts` returned: one row a stage."""
    last = counts[counts.period == counts.period.iloc[-1]]
    return last.drop(columns="period").reset_index(drop=True)


CHANNEL_UNITS = {"customers": "count"} | dict.fromkeys(STAGES, "share")


@answers("Where did the customers of each stage go?")
def transitions(stages: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    """Where did the customers of each stage go from one period to the next?

    Returns
    -------
    DataFrame
        One row per pair of stages and period: place (of the later period), before ("new": not known before), silent
        (whole years without an order before, 2 at most), after, customers.
    """
    t = as_table(stages)
    years = ibis.least((t.recency_days.fill_null(0) / 365).floor().cast("int64"), 2)
    earlier = t.select("person_id", before=t.stage, silent=years, place=t.place + 1)
    both = t.filter(t.place > 0).left_join(earlier, ["person_id", "place"], rname="{name}_right")
    pairs = both.select("place", before=both.before.fill_null("new"), silent=both.silent.fill_null(0), after=both.stage)
    found = pairs.group_by("place", "before", "silent", "after").aggregate(customers=pairs.count()).to_pandas()
    key = {s: i for i, s in enumerate((*STAGES, "new"))}
    order = ["place", "before", "silent", "after"]
    return found.sort_values(order, key=lambda c: c.map(key) if c.name in ("before", "after") else c, ignore_index=True)


@answers("At what rate do customers move on?")
def rates(transitions: pd.DataFrame, *, last: int = 12, floor: int = 10) -> pd.DataFrame:
    """At what rate do customers move from one stage to another within a period?

    Parameters
    ----------
    transitions : DataFrame
        From `transitions`.
    last : int
        Periods that are pooled.
    floor : int
        Stages of fewer customers tell no rate.

    Returns
    -------
    DataFrame
        One row per pair: before, after, customers (who made that move in those periods), of (who could have), rate, low
        and high (95 %).
    """
    recent = transitions[(transitions.place > transitions.place.max() - last) & (transitions.before != "new")]
    found = recent.groupby(["before", "after"], sort=False).customers.sum().reset_index()
    found["of"] = found.groupby("before").customers.transform("sum")
    key = {s: i for i, s in enumerate(STAGES)}
    found = found.sort_values(["before", "after"], key=lambda c: c.map(key))
    found = found[found.of >= floor].reset_index(drop=True)
    ends = [intervals.wilson(k, n) for k, n in zip(found.customers, found.of, strict=True)]
    return found.assign(
        rate=found.customers / found.of, rate_low=[e.low for e in ends], rate_high=[e.high for e in ends]
    )


@answers("How healthy are the active customers?")
def health(stages: ibis.Table | pd.DataFrame, periods: Sequence[Period], *, lapse: int) -> pd.DataFrame:
    """How healthy are the active customers: do they come as they used to?

    The time since the last order, by the person's own mean time between orders (with one order: by half of `lapse`): up
    to once that is healthy, up to twice is to be watched, beyond is critical.

    Returns
    -------
    DataFrame
        One row per stage and band: stage, band (healthy, watch, critical), customers, share (of the stage).
    """
    t = as_table(stages)
    now = t.filter((t.place == len(periods) - 1) & t.stage.isin(["first_deal", "retained", "repeat", "advocate"]))
    own = now.last_at.date().delta(now.first_at.date(), unit="day") / (now.orders - 1).nullif(0)
    usual = ibis.greatest(own.fill_null(lapse / 2), 7.0)
    late = now.recency_days / usual
    band = ibis.cases((late <= 1, "healthy"), (late <= 2, "watch"), else_="critical")
    found = now.group_by("stage", band=band).aggregate(customers=now.count()).to_pandas()
    full = pd.MultiIndex.from_product([STAGES[1:5], ["healthy", "watch", "critical"]], names=["stage", "band"])
    frame = found.set_index(["stage", "band"]).reindex(full, fill_value=0).reset_index()
    of = frame.groupby("stage", sort=False).customers.transform("sum")
    return frame.assign(share=frame.customers / of.where(of > 0))[of >= 10].reset_index(drop=True)


@answers("In which stages are the customers that each channel brought?", needs={"customer_360": ["channel"]})
def by_channel(
    stages: ibis.Table | pd.DataFrame,
    customer_360: ibis.Table | pd.DataFrame,
    periods: Sequence[Period],
    *,
    floor: int = 10,
) -> pd.DataFrame:
    """In which stages are the customers that each channel brought?

    Returns
    -------
    DataFrame
        One row a channel with at least `floor` customers, the largest first: channel, customers, and a share for each
        stage.
    """
    t = as_table(stages)
    now = t.filter(t.place == len(periods) - 1).select("person_id", "stage")
    about = as_table(customer_360).select("person_id", "channel")
    both = now.inner_join(about, "person_id")
    found = both.group_by("channel", "stage").aggregate(n=both.count()).to_pandas()
    found["channel"] = found.channel.fillna("unknown")
    wide = found.pivot_table(index="channel", columns="stage", values="n", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=list(STAGES), fill_value=0)
    total = wide.sum(axis=1)
    frame = wide.div(total, axis=0).assign(customers=total)[total >= floor]
    frame = frame.sort_values("customers", ascending=False)[["customers", *STAGES]].reset_index()
    frame.columns.name = None
    return frame


# -- pictures


@quietly
def plot_counts(counts: pd.DataFrame) -> Axes:
    """How many customers were in each stage, period by period."""
    wide = counts.pivot_table(index="period", columns="stage", values="customers", aggfunc="sum", sort=False)
    wide = wide[[s for s in STAGES if s in wide.columns and wide[s].sum() > 0]]
    ax = style.axes(height=4.0)
    x = np.arange(len(wide))
    bottom = np.zeros(len(wide))
    colors = dict(zip(STAGES, [*style.CATEGORIES[:5], style.COMPARISON], strict=True))
    marks = []
    for stage in wide.columns:
        values = wide[stage].to_numpy(dtype=float)
        ax.bar(x, values, bottom=bottom, color=colors[stage], width=0.86)
        marks.append((bottom[-1] + values[-1] / 2, word("stage", stage), colors[stage]))
        bottom += values
    apart, lowest = bottom.max() * 0.06, -np.inf
    for y, name, color in marks:
        lowest = max(y, lowest + apart)
        style.direct_label(ax, x[-1] + 0.3, lowest, name, color)
    step = max(1, len(wide) // 8)
    ax.set_xticks(x[::-1][::step], list(wide.index[::-1][::step]))
    ax.margins(x=0.01)
    style.count_axis(ax)
    ax.set_title(_("Customers by stage at the end of each period"))
    return ax


@quietly
def plot_rates(rates: pd.DataFrame) -> Axes:
    """Of each stage (rows), where its customers are one period later."""
    ax = style.axes(height=1.5 + 0.5 * len(STAGES))
    for row in rates.itertuples():
        x, y = STAGES.index(row.after), len(STAGES) - 1 - STAGES.index(row.before)
        strength = 0.08 + 0.85 * row.rate
        color = style.COMPARISON if row.before == row.after else style.OWN
        ax.bar(x, 0.92, bottom=y - 0.46, width=0.96, color=color, alpha=strength)
        ink = "white" if strength > 0.6 else style.INK
        ax.annotate(style.value(row.rate, "share"), (x, y), ha="center", va="center", fontsize=9.5, color=ink)
    names = [word("stage", s) for s in STAGES]
    ax.set_xticks(range(len(STAGES)), names)
    ax.set_yticks(range(len(STAGES)), names[::-1])
    ax.set_xlim(-0.5, len(STAGES) - 0.5)
    ax.set_ylim(-0.5, len(STAGES) - 0.5)
    ax.grid(visible=False)
    ax.set_xlabel(_("Stage one period later"))
    ax.set_title(_("Where the customers of each stage are one period later (grey: still there)"))
    return ax
