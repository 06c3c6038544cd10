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
    mine = ibis.window(group_by="visitor_id", order_by="event_at")
    before = rows.event_at.lag().over(mine)
    new = (before.isnull() | (rows.event_at > before + ibis.interval(minutes=pause))).cast("int32")
    first = [c for c in ("device", "source", "medium", "page") if c in rows.columns]
    rows = rows.select("visitor_id", "event_at", "event", *first, _new=new)
    rows = rows.mutate(visit=rows._new.sum().over(ibis.cumulative_window(group_by="visitor_id", order_by="event_at")))
    return rows.group_by("visitor_id", "visit").aggregate(
        started_at=rows.event_at.min(),
        ended_at=rows.event_at.max(),
        events=rows.count(),
        views=(rows.event == "page_view").sum(),
        carts=(rows.event == "add_to_cart").sum(),
        purchases=(rows.event == "purchase").sum(),
        **{c: rows[c].argmin(rows.event_at) for c in first},
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
