"""The dashboard beyond the metrics: what people say, what advertising returns, and what lies on the shelf."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ibis
import pandas as pd

from ...data.engine import as_table
from ...language import N_, _
from ...methods import intervals
from ...missing import Missing, answers, column_missing
from ...period import Period
from .series import COMPLAINTS, LOW, NEGATIVE, own_mentions, single_level

HEADLINE = ("net_sales", "orders_paid", "aov", "conversion_rate", "daily_visitors", "cac")
"""The figures that the dashboard opens with."""

BOARD: dict[str, tuple[str, ...]] = {
    "traffic": ("visitors", "visits", "page_views", "bounce_rate", "daily_visitors"),
    "funnel": ("view_rate", "cart_rate", "checkout_rate", "order_rate", "conversion_rate", "daily_buyer_rate"),
    "cost": ("ad_spend", "cac", "ad_cost_share", "ctr", "cpc"),
    "sales": ("net_sales", "orders_paid", "aov", "refund_rate"),
}
"""Group of the dashboard → its figures out of `playbook.metrics`."""

_TITLES = {
    "mentions": N_("Mentions"), "negative_mentions": N_("Negative mentions"), "reviews": N_("Reviews"),
    "low_ratings": N_("Ratings of one or two stars"), "tickets": N_("Questions to the service"),
    "complaints": N_("Complaints among them"), "messages": N_("Messages sent"), "click_rate": N_("Messages clicked"),
    "shares": N_("Pages shared"), "roas": N_("Return on advertising, as the platforms claim"),
    "on_hand": N_("Units on hand"), "products_out": N_("Products without stock"),
    "products_listed": N_("Products with a stock level"),
}  # fmt: skip
_GOOD = {"negative_mentions": "down", "low_ratings": "down", "complaints": "down", "products_out": "down",
         "click_rate": "up", "roas": "up", "shares": "up"}  # fmt: skip
_MEANT = {
    "roas": N_("Sales that advertising platforms claim for each unit of money spent; several may claim one sale."),
    "products_out": N_("Products of which nothing is on hand on the last day."),
    "low_ratings": N_("Of the ratings, those of one or two stars."),
    "negative_mentions": N_("Of the mentions with a sentiment, those below zero."),
}


def narrowed(platform: str = "", channel: str = "") -> list[str]:
    """The breakdowns that a dashboard of one platform or channel needs; none of the whole shop's."""
    return [name for name, said in (("platform", platform), ("channel", channel)) if said]


@answers("How does this platform or channel stand?")
def only(frame: pd.DataFrame, platform: str = "", channel: str = "") -> pd.DataFrame:
    """How does one platform or channel stand?

    Parameters
    ----------
    frame : DataFrame
        ``measure(shop, …, by=[…, *narrowed(platform, channel)])``.
    platform, channel : str
        As the data call them; empty: all.

    Returns
    -------
    DataFrame
        Its rows, as if nothing else were measured.

    Raises
    ------
    ValueError
        There is none of that name: says which there are.
    """
    out, chosen = frame, {n: said for n, said in (("platform", platform), ("channel", channel)) if said}
    for name, said in chosen.items():
        there = sorted(frame[name].dropna().astype(str).unique())
        if said not in there:
            words = {"name": name, "said": said, "known": ", ".join(there)}
            raise ValueError(_("there is no {name} {said!r} in this period; there are: {known}").format(**words))
        out = out[out[name] == said]
    out = out.drop(columns=list(chosen)).reset_index(drop=True)
    out.attrs = frame.attrs | {"by": [b for b in frame.attrs["by"] if b not in chosen]}
    return out


@answers("How much do people interact with us?")
def interaction(
    period: Period,
    *,
    mentions: ibis.Table | None = None,
    reviews: ibis.Table | None = None,
    tickets: ibis.Table | None = None,
    messages: ibis.Table | None = None,
    events: ibis.Table | None = None,
    products: ibis.Table | None = None,
) -> pd.DataFrame:
    """How much do people interact with the shop, beside the period before and a year ago?

    Parameters
    ----------
    period : Period
    mentions, reviews, tickets, messages, events : Table, optional
        Canonical tables.
    products : Table, optional
        Whose brands are ours: of mentions, only theirs count.

    Returns
    -------
    DataFrame
        Long form: metric, unit, value, low, high, n, previous, change, year_ago, change_year_ago. A Missing where
        nothing of it is there.
    """
    mentions = None if mentions is None else own_mentions(as_table(mentions), products)
    rows: list[dict[str, Any]] = []
    for at, table, needs, counted, part in (
        (
            "mentioned_at",
            mentions,
            ["sentiment"],
            "mentions",
            ("negative_mentions", lambda t: t["sentiment"] < NEGATIVE),
        ),
        ("reviewed_at", reviews, ["rating"], "reviews", ("low_ratings", lambda t: t["rating"] <= LOW)),
        ("opened_at", tickets, ["topic"], "tickets", ("complaints", lambda t: t["topic"].isin(COMPLAINTS))),
        ("sent_at", messages, ["clicked_at"], "messages", ("click_rate", lambda t: t["clicked_at"].notnull())),
    ):
        if table is None or at not in table.columns:
            continue
        of = as_table(table)
        told = _counted(of, at, period, part[1] if set(needs) <= set(of.columns) else None)
        rows.append(_row(counted, "count", [n for n, _k in told]))
        if set(needs) <= set(of.columns):
            rows.append(_row(part[0], "share", [k / n if n else math.nan for n, k in told], *told[0]))
    if events is not None and {"event", "event_at"} <= set(events.columns):
        of = as_table(events)
        told = _counted(of, "event_at", period, lambda t: t["event"] == "share")
        rows.append(_row("shares", "count", [k for _n, k in told]))
    if not rows:
        return Missing(_("mentions, reviews, tickets or messages"), remedy=_("Any of them is enough to begin with."))
    return _long(rows)


@answers("What does advertising return?", needs={"ad_spend": ["day", "spend", "conversion_value"]})
def returns(ad_spend: ibis.Table, period: Period, *, channel: str = "") -> pd.DataFrame:
    """What do platforms claim that advertising (of a channel) returned? Long form, as `interaction`."""
    of = single_level(as_table(ad_spend))
    if channel and "channel" not in of.columns:
        return column_missing("ad_spend", "channel")
    of = of.filter(of["channel"] == channel) if channel else of
    told = [_sums(of, "day", w, spend=lambda t: t["spend"].cast("float64").sum(),
                  claimed=lambda t: t["conversion_value"].cast("float64").sum()) for w in _windows(period)]  # fmt: skip
    return _long([_row("roas", "ratio", [t["claimed"] / t["spend"] if t["spend"] else math.nan for t in told])])


@answers("What lies on the shelf?", needs={"inventory": ["day", "product_id", "on_hand"]})
def stock(inventory: ibis.Table, period: Period) -> pd.DataFrame:
    """What lies on the shelf on the last day of the period? Long form, as `interaction`."""
    of, shelves = as_table(inventory), []
    for window in _windows(period):
        last = of.filter(of["day"].cast("date") == ibis.date(window.last_day))
        shelves.append(last.group_by("product_id").aggregate(n=last["on_hand"].sum()).to_pandas()["n"].astype(float))
    known = [len(s) > 0 for s in shelves]
    rows = []
    for name, value in _SHELF.items():
        told = [float(value(s)) if ok else math.nan for s, ok in zip(shelves, known, strict=True)]
        rows.append(_row(name, "count", told))
    return _long(rows)


_SHELF: dict[str, Callable[[pd.Series], float]] = {
    "products_listed": len,
    "products_out": lambda s: (s <= 0).sum(),
    "on_hand": lambda s: s.sum(),
}


def _windows(period: Period) -> list[Period]:
    return [period, period.previous, period.year_ago]


def _sums(rows: ibis.Table, at: str, window: Period, **sums: Callable[[ibis.Table], ibis.Value]) -> dict[str, float]:
    day = rows[at].cast("date")
    inside = rows.filter((day >= ibis.date(window.start)) & (day < ibis.date(window.end)))
    found = inside.aggregate(**{n: s(inside) for n, s in sums.items()}).to_pandas().iloc[0]
    return {n: 0.0 if pd.isna(x) else float(x) for n, x in found.items()}


def _counted(
    rows: ibis.Table, at: str, period: Period, some: Callable[[ibis.Table], ibis.Value] | None
) -> list[tuple[float, float]]:
    """Rows, and those of them that count, in each window; NaN before the first row."""
    begins = rows.aggregate(first=rows[at].min().cast("date")).to_pandas()["first"].iloc[0]
    out = []
    for window in _windows(period):
        if pd.isna(begins) or pd.Timestamp(begins) > pd.Timestamp(window.start) + pd.Timedelta(days=window.days / 4):
            out.append((math.nan, math.nan))
            continue
        marked = rows if some is None else rows.mutate(_some=some(rows).fill_null(False).cast("int64"))
        part = {} if some is None else {"k": lambda t: t["_some"].sum()}
        told = _sums(marked, at, window, n=lambda t: t.count(), **part)
        out.append((told["n"], told.get("k", math.nan)))
    return out


def _row(metric: str, unit: str, values: Sequence[float], n: float = math.nan, k: float = math.nan) -> dict[str, Any]:
    value, previous, year_ago = values
    low, high = intervals.wilson(k, n) if n > 0 else (math.nan, math.nan)
    row = {"metric": metric, "unit": unit, "value": value, "low": low, "high": high, "n": n}
    for name, before, change in (("previous", previous, "change"), ("year_ago", year_ago, "change_year_ago")):
        moved = value - before if unit == "share" else value / before - 1 if before and before > 0 else math.nan
        row |= {name: before, change: moved}
    return row


def _long(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    frame.attrs = {"by": [], "titles": _TITLES, "good": _GOOD, "definitions": {m: _(w) for m, w in _MEANT.items()}}
    return frame
