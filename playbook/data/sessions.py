"""Sessions: the mart of the visits to the own site and mini-program, one row a session."""

from __future__ import annotations

import ibis

from ..missing import Missing
from .marts import Inputs

STEPS = ("view_item", "add_to_cart", "begin_checkout", "purchase")
"""What a visit may come to, in order."""
REACHED = ("viewed", "carted", "checked_out", "ordered")
IDLE_MINUTES = 30
"""Where events carry no session, one ends after so long without an event."""
TRAITS = ("source", "medium", "campaign", "device", "region")


def sessions(inputs: Inputs) -> ibis.Table | Missing:
    """What happened in each session?

    A session counts when it began. Who reached a later step has reached those before it: a cart may have been filled
    on another day. A visitor who logged in at any time, always as the same customer, is that customer.

    Returns
    -------
    Table
        One row per session: session_id, visitor_id, customer_id (null: never logged in), person (customer, else
        visitor), at (its first event), source, medium, campaign, device, region (those that the events carry), pages,
        dwell_seconds, shares, signed_up, viewed, carted, checked_out, ordered (flags).
    """
    events = inputs.table("events")
    if isinstance(events, Missing):
        return events
    rows = _in_sessions(events)
    when = rows.event_at
    traits = {c: rows[c].argmin(when, where=rows[c].notnull()) for c in TRAITS if c in rows.columns}
    logins = {"login": rows.customer_id.min(), "logins": rows.customer_id.nunique()} if _logs_in(rows) else {}
    there = {step: (rows.event == step).any() for step in STEPS}
    made = rows.group_by("session_id").aggregate(
        visitor_id=rows.visitor_id.min(),
        at=when.min(),
        pages=(rows.event == "page_view").sum(),
        dwell_seconds=(rows.dwell_seconds.sum() if "dwell_seconds" in rows.columns else ibis.null("float64")),
        shares=(rows.event == "share").sum(),
        signed_up=(rows.event == "sign_up").any(),
        **traits,
        **there,
    )
    reached = {
        name: ibis.or_(*(made[step] for step in STEPS[i:])) for i, name in enumerate(REACHED)
    }  # a later step implies those before it
    made = made.mutate(**reached).drop(*STEPS)
    if not logins:
        return made.mutate(customer_id=ibis.null("string"), person=made.visitor_id).order_by("session_id")
    who = rows.group_by("visitor_id").aggregate(**logins)
    who = who.select("visitor_id", customer_id=(who.logins == 1).ifelse(who.login, ibis.null("string")))
    made = made.left_join(who, "visitor_id").drop("visitor_id_right")
    return made.mutate(person=made.customer_id.fill_null(made.visitor_id)).order_by("session_id")


def _logs_in(rows: ibis.Table) -> bool:
    return "customer_id" in rows.columns


def _in_sessions(events: ibis.Table) -> ibis.Table:
    """The events with a session each."""
    if "session_id" in events.columns:
        return events.mutate(session_id=events.session_id.fill_null(events.visitor_id))
    order = [events.event_at, events.event_id]
    gap = (
        events.event_at.epoch_seconds()
        - events.event_at.lag().over(group_by=events.visitor_id, order_by=order).epoch_seconds()
    )
    begun = events.mutate(begins=(gap.isnull() | (gap > 60 * IDLE_MINUTES)).cast("int64"))
    turn = begun.begins.sum().over(group_by=begun.visitor_id, order_by=[begun.event_at, begun.event_id], rows=(None, 0))
    return begun.mutate(session_id=begun.visitor_id + "-" + turn.cast("string")).drop("begins")
