"""Sessions: which events belong to one visit, told from the pauses between them."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ..data.engine import as_table
from ..missing import answers

PAUSE = 30
"""Minutes without an event after which a new visit begins."""


@answers("Which events belong to one visit?")
def sessions(events: ibis.Table | pd.DataFrame, *, pause: int = PAUSE) -> ibis.Table:
    """Which events belong to one visit?

    Parameters
    ----------
    events : Table or DataFrame
        event_at, visitor_id, event; device, source, medium, page, customer_id, value where there are.
    pause : int, default 30
        Minutes without an event after which a new visit begins. A shop's own ``session_id`` is not looked at: the same
        rule then holds for every shop.

    Returns
    -------
    Table
        One row per visit: visitor_id, visit (1 is the visitor's first), started_at, ended_at, events, views (pages),
        carts, purchases; device, source, medium, page (of its first event, where there are).

    References
    ----------
    Google Analytics 4, “session timeout”: 30 minutes by default.
    """
    rows = as_table(events)
    first = [c for c in ("device", "source", "medium", "page") if c in rows.columns]
    # events of the same half hour by the clock (if the pause is one) are of one visit: far fewer rows have to be sorted
    spans = rows.group_by("visitor_id", _span=rows.event_at.epoch_seconds() // (60 * pause)).aggregate(
        started_at=rows.event_at.min(),
        ended_at=rows.event_at.max(),
        events=rows.count(),
        views=rows.count(where=rows.event == "page_view"),
        carts=rows.count(where=rows.event == "add_to_cart"),
        purchases=rows.count(where=rows.event == "purchase"),
        **{c: rows[c].argmin(rows.event_at) for c in first},
    )
    before = spans.ended_at.lag().over(group_by="visitor_id", order_by="started_at")
    new = (before.isnull() | (spans.started_at > before + ibis.interval(minutes=pause))).cast("int32")
    spans = spans.drop("_span").mutate(_new=new)
    so_far = ibis.cumulative_window(group_by="visitor_id", order_by="started_at")
    spans = spans.mutate(visit=spans._new.sum().over(so_far))
    return spans.group_by("visitor_id", "visit").aggregate(
        started_at=spans.started_at.min(),
        ended_at=spans.ended_at.max(),
        **{c: spans[c].sum() for c in ("events", "views", "carts", "purchases")},
        **{c: spans[c].argmin(spans.started_at) for c in first},
    )


@answers("At what hours do people come and buy?")
def hours(events: ibis.Table | pd.DataFrame, *, within: tuple[dt.date, dt.date] | None = None) -> pd.DataFrame:
    """At what hours do people come and buy?

    Parameters
    ----------
    events : Table or DataFrame
        event_at (the shop's clock), event.
    within : (date, date), optional
        First day, and the day after the last one.

    Returns
    -------
    DataFrame
        hour (0–23), events, purchases, share (of the events).
    """
    rows = as_table(events)
    if within:
        rows = rows.filter((rows.event_at.date() >= within[0]) & (rows.event_at.date() < within[1]))
    found = (
        rows.group_by(hour=rows.event_at.hour())
        .aggregate(events=rows.count(), purchases=(rows.event == "purchase").sum())
        .to_pandas()
    )
    frame = found.set_index("hour").reindex(range(24), fill_value=0).rename_axis("hour").reset_index()
    return frame.assign(share=frame.events / max(int(frame.events.sum()), 1))
