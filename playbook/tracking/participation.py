"""Participation: who was reached by a campaign, who took part, and who of those bought."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import as_table
from ..findings import Figure, Finding
from ..language import N_, _, term
from ..methods import intervals
from ..missing import Missing, answers, quietly
from ..period import Period

ACTS = ("click", "visit")
"""Kinds of touchpoints that are more than being reached."""
MOST = 12
"""Campaigns shown in a picture."""


@answers("Who took part in the campaigns?")
def activity(
    campaigns: ibis.Table,
    period: Period,
    *,
    messages: ibis.Table | None = None,
    touchpoints: ibis.Table | None = None,
    events: ibis.Table | None = None,
    promotions: ibis.Table | None = None,
    sessions: ibis.Table | None = None,
    customers: ibis.Table | None = None,
) -> ibis.Table:
    """Every contact of a person with a campaign in a period: being reached, taking part, looking at a page, sharing.

    Reached is who got a message that was not held back, saw an advertisement, or took part. Took part is who clicked or
    came by a click, or opened the page of the campaign or promotion (one whose path ends with its number). A person is
    the same over platforms where `customers` say so, and over devices where she logged in.

    Parameters
    ----------
    campaigns : Table
        Canonical table `campaigns`; those that run in the period count.
    period : Period
        Contacts of these days count.
    messages, touchpoints, events, promotions, sessions, customers : Table, optional
        Canonical tables and the mart of sessions; what is lacking is left out.

    Returns
    -------
    Table
        One row per contact: campaign, name, person, at, took_part, viewed, shared (flags). A Missing where nothing
        tells contacts with campaigns.
    """
    plans = _running(as_table(campaigns), period, promotions)
    people = _persons(customers)
    logins = _logins(sessions)
    parts = [
        _messages(messages, people),
        _touches(touchpoints, people, logins),
        _pages(events, people, logins),
    ]
    there = [p for p in parts if p is not None]
    if not there:
        return Missing("messages.campaign_id", remedy=_("Add messages, touchpoints or events that name the campaign."))
    rows = ibis.union(*there, distinct=False) if len(there) > 1 else there[0]
    start, end = (ibis.timestamp(dt.datetime.combine(d, dt.time())) for d in (period.start, period.end))
    rows = rows.filter((rows["at"] >= start) & (rows["at"] < end))
    rows = rows.inner_join(plans, "campaign").select("name", *rows.columns)
    return rows.cache()  # asked several times; it stays in the engine


@answers("How many people did the campaigns reach, and how many took part?")
def participation(contacts: ibis.Table) -> pd.DataFrame:
    """How many people did each campaign reach, how many took part, how often was it looked at and shared?

    Parameters
    ----------
    contacts : Table
        What `activity` returned.

    Returns
    -------
    DataFrame
        One row per campaign and metric, the one with most participants first: campaign (its name), metric, unit, value,
        low, high, n. Metrics: ``reached``, ``participants`` (distinct persons), ``page_views``, ``shares`` (contacts),
        ``participation_rate`` (participants ÷ reached; each participant is among the reached) with Wilson's 95 %
        interval, ``share_rate`` (participants who shared ÷ participants). Reached and its rate are NaN where the data
        tell only of those who acted, as with clicks on search advertising.
    """
    contacts = as_table(contacts)
    sums = (
        contacts.group_by(["campaign", "name"])  # two may bear one name
        .aggregate(
            reached=contacts.person.nunique(),
            participants=contacts.person.nunique(where=contacts.took_part),
            page_views=contacts.viewed.sum(),
            shares=contacts.shared.sum(),
            sharers=contacts.person.nunique(where=contacts.shared),
            only_reached=(~contacts.took_part & ~contacts.shared).sum(),
        )
        .to_pandas()
        .sort_values(["participants", "reached", "campaign"], ascending=[False, False, True])
    )
    rows: list[tuple] = []
    for r in sums.to_dict("records"):
        # Where the data tell nobody who was reached and did not act, they do not tell who was reached.
        reached = r["reached"] if r["only_reached"] else np.nan
        counted = [(m, "count", float(r[m]), np.nan, np.nan, np.nan) for m in _COUNTS]
        counted[0] = ("reached", "count", reached, np.nan, np.nan, np.nan)
        rate = ("participation_rate", *_share(r["participants"], reached if r["only_reached"] else 0))
        share = ("share_rate", *_share(r["sharers"], r["participants"]))
        rows += [(r["name"], *of) for of in (*counted, rate, share)]
    frame = pd.DataFrame(rows, columns=["campaign", "metric", "unit", "value", "low", "high", "n"])
    frame.attrs = {"by": ["campaign"], "titles": _TITLES, "definitions": {m: _(w) for m, w in _MEANT.items()}}
    frame.attrs["notes"] = [] if rows else [_("No campaign reached anybody in these days.")]
    return frame


@answers("Who of those who took part bought?")
def conversion(
    contacts: ibis.Table, orders: ibis.Table, *, as_of: dt.datetime, customers: ibis.Table | None = None,
    window_days: int = 7, by: Literal["campaign", "segment"] = "campaign",
) -> pd.DataFrame:  # fmt: skip
    """How many of those who took part in a campaign bought?

    A buyer is a participant who paid an order within `window_days` of the first time she took part, whatever she
    bought: what would have been bought anyway is among it. Who took part so late that the window is still open at
    `as_of` is left out: she may yet buy.

    Parameters
    ----------
    contacts : Table
        What `activity` returned.
    orders : Table
        Canonical table `orders`, with customer numbers.
    as_of : datetime
        The moment that nothing known lies behind.
    customers : Table, optional
        As for `activity`.
    window_days : int, default 7
        Days after taking part within which an order counts.
    by : {"campaign", "segment"}
        Segment: ``returning`` had paid an order before, ``new`` not.

    Returns
    -------
    DataFrame
        One row per group and metric: campaign (its name) or segment; metric (``participants`` whose window is over,
        ``buyers`` among them, ``campaign_conversion`` with Wilson's 95 % interval), unit, value, low, high, n. By
        segment a person counts once however many campaigns she took part in. ``attrs["window_days"]``. A Missing
        without customer numbers.
    """
    orders = as_table(orders)
    if "customer_id" not in orders.columns:
        return Missing("orders.customer_id", remedy=_("Map a column of your export to orders.customer_id."))
    contacts = as_table(contacts)
    taking = contacts.filter(contacts.took_part)
    keys = ["person"] if by == "segment" else ["campaign", "name", "person"]
    first = taking.group_by(keys).aggregate(begun=taking["at"].min())
    first = first.filter(first.begun <= ibis.timestamp(as_of - dt.timedelta(days=window_days)))
    paid = orders.filter(orders.paid_at.notnull() & orders.customer_id.notnull())
    paid = _named(paid, _persons(customers), None).select("person", "paid_at")
    both = first.left_join(paid, "person").drop("person_right")
    within = (both.paid_at >= both.begun) & (both.paid_at <= both.begun + ibis.interval(days=window_days))
    told = both.group_by(keys).aggregate(
        bought=within.fill_null(False).any(), before=(both.paid_at < both.begun).fill_null(False).any()
    )
    told = told.mutate(segment=told.before.ifelse("returning", "new"))
    groups = ["segment"] if by == "segment" else ["campaign", "name"]
    sums = told.group_by(groups).aggregate(participants=told.count(), buyers=told.bought.sum()).to_pandas()
    sums = sums.sort_values(["participants", *groups], ascending=[False, *[True] * len(groups)])
    groups = [by]
    rows: list[tuple] = []
    for r in sums.rename(columns={"campaign": "", "name": "campaign"}).to_dict("records"):
        place = tuple(r[g] for g in groups)
        rows += [(*place, m, "count", float(r[m]), np.nan, np.nan, np.nan) for m in ("participants", "buyers")]
        rows.append((*place, "campaign_conversion", *_share(r["buyers"], r["participants"])))
    frame = pd.DataFrame(rows, columns=[*groups, "metric", "unit", "value", "low", "high", "n"])
    meant = _(_MEANT["campaign_conversion"]).format(days=window_days)
    frame.attrs = {"by": groups, "titles": _TITLES, "window_days": window_days}
    frame.attrs["definitions"] = {"campaign_conversion": meant}
    if not rows:
        frame.attrs["notes"] = [_("Nobody who took part has had {days} days to buy since.").format(days=window_days)]
    return frame


_COUNTS = ("reached", "participants", "page_views", "shares")
_TITLES = {
    "reached": N_("Reached"),
    "participants": N_("Took part"),
    "page_views": N_("Views of its pages"),
    "shares": N_("Shared"),
    "participation_rate": N_("Participation"),
    "share_rate": N_("Sharing"),
    "buyers": N_("Bought"),
    "campaign_conversion": N_("Campaign conversion"),
}
_MEANT = {
    "reached": N_("Different people who got a message, saw an advertisement or took part."),
    "participants": N_("Different people who clicked, came by a click, or opened the campaign's page."),
    "participation_rate": N_("Of the people reached, those who took part."),
    "share_rate": N_("Of the people who took part, those who shared something in the same visit."),
    "campaign_conversion": N_("Of the people who took part, those who paid an order within {days} days."),
}


@answers("Which campaign turned participants into buyers?")
def findings(converted: pd.DataFrame) -> list[Finding]:
    """Which campaign turned most of those who took part into buyers, and which one least?

    Parameters
    ----------
    converted : DataFrame
        ``conversion(…, by="campaign")``.

    Returns
    -------
    list of Finding
        One sentence on the best and the worst of those campaigns whose intervals lie apart, or that none do.
    """
    rates = converted[(converted.metric == "campaign_conversion") & (converted.n >= 30)]
    if len(rates) < 2:
        return []
    top, low = rates.loc[rates.value.idxmax()], rates.loc[rates.value.idxmin()]
    figures = tuple(
        Figure("campaign_conversion", r.value, "share", r.low, r.high, {"campaign": r.campaign}) for r in (top, low)
    )
    words = {
        "best": top.campaign,
        "high": style.value(top.value, "share"),
        "worst": low.campaign,
        "low": style.value(low.value, "share"),
        "days": converted.attrs["window_days"],
    }
    text = _("Within {days} days {high} of those who took part in “{best}” bought, of “{worst}” {low}.")
    if top.low <= low.high:
        text = _("No campaign turned clearly more participants into buyers than another within {days} days.")
    return [Finding("hold", text.format(**words), None, figures)]


@quietly
def plot_conversion(converted: pd.DataFrame) -> Axes | None:
    """The share of participants who bought, with its interval; beside it how many took part. Nothing of nobody."""
    by = converted.attrs["by"][-1]
    rows = converted[converted.metric == "campaign_conversion"]
    if rows.empty:
        return None
    rows = rows.nlargest(MOST, "n")[::-1]
    ax = style.axes(height=1.2 + 0.36 * len(rows))
    place = np.arange(len(rows))
    off = np.maximum(np.vstack([rows.value - rows.low, rows.high - rows.value]), 0)  # no −1e-17
    ax.errorbar(rows.value, place, xerr=off, fmt="o", color=style.OWN, ecolor=style.COMPARISON, elinewidth=2)
    for y, row in zip(place, rows.itertuples(), strict=True):
        text = _("{share} of {n}").format(share=style.value(row.value, "share"), n=style.value(row.n, "count"))
        ax.annotate(text, (row.high, y), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(place, [term(by, v) for v in rows[by]])
    style.share_axis(ax, which="x")
    ax.set_xlim(0, 1.25 * rows.high.max())
    ax.set_ylim(-0.6, len(rows) - 0.4)
    days = converted.attrs["window_days"]
    ax.set_title(_("Participants who bought within {days} days, with 95 % intervals").format(days=days))
    return ax


def _share(part: float, whole: float) -> tuple[str, float, float, float, float]:
    """Unit, value, interval and n of a share of people."""
    if not whole:
        return "share", np.nan, np.nan, np.nan, 0.0
    return "share", part / whole, *intervals.wilson(part, whole), float(whole)


def _running(campaigns: ibis.Table, period: Period, promotions: ibis.Table | None) -> ibis.Table:
    """The numbers of campaigns and promotions that run in a period."""
    first, last = ibis.date(period.start), ibis.date(period.last_day)
    run = campaigns.filter((campaigns.starts_on <= last) & (campaigns.ends_on >= first))
    plans = run.select(campaign=run.campaign_id, name=run.name)
    if promotions is not None:
        promotions = as_table(promotions)
        on = promotions.filter((promotions.starts_at.date() <= last) & (promotions.ends_at.date() >= first))
        plans = ibis.union(plans, on.select(campaign=on.promotion_id, name=on.name), distinct=False)
    return plans.group_by("campaign").aggregate(name=plans.name.min())


def _persons(customers: ibis.Table | None) -> ibis.Table | None:
    """Customer number → person, where a number is one person's alone."""
    if customers is None or "person_id" not in as_table(customers).columns:
        return None
    customers = as_table(customers)
    known = customers.filter(customers.person_id.notnull()).group_by("customer_id")
    said = known.aggregate(person_id=customers.person_id.min(), persons=customers.person_id.nunique())
    return said.filter(said.persons == 1).drop("persons")


def _logins(sessions: ibis.Table | None) -> ibis.Table | None:
    """Visitor → the customer as whom she logged in."""
    if sessions is None:
        return None
    sessions = as_table(sessions)
    known = sessions.filter(sessions.customer_id.notnull())
    return known.group_by("visitor_id").aggregate(login=known.customer_id.min())


def _named(rows: ibis.Table, people: ibis.Table | None, logins: ibis.Table | None) -> ibis.Table:
    """The rows with a person: whom the customers' table names, else the customer number, else the visitor."""
    if "customer_id" not in rows.columns:
        rows = rows.mutate(customer_id=ibis.null("string"))
    if logins is not None:
        rows = rows.left_join(logins, "visitor_id").drop("visitor_id_right")
        rows = rows.mutate(customer_id=rows.customer_id.fill_null(rows.login)).drop("login")
    if people is not None:
        rows = rows.left_join(people, "customer_id").drop("customer_id_right")
        rows = rows.mutate(person=rows.person_id.fill_null(rows.customer_id)).drop("person_id")
    else:
        rows = rows.mutate(person=rows.customer_id)
    return rows.mutate(person=rows.person.fill_null(rows.visitor_id)) if "visitor_id" in rows.columns else rows


def _contacts(rows: ibis.Table, at: ibis.Value, campaign: ibis.Value, **flags: ibis.Value) -> ibis.Table:
    none = ibis.literal(False)
    said = {name: flags.get(name, none).fill_null(False) for name in ("took_part", "viewed", "shared")}
    return rows.select(campaign=campaign, person=rows.person, at=at, **said).filter(lambda t: t.person.notnull())


def _messages(messages: ibis.Table | None, people: ibis.Table | None) -> ibis.Table | None:
    if messages is None or "campaign_id" not in as_table(messages).columns:
        return None
    rows = _named(as_table(messages), people, None)
    if "holdout" in rows.columns:
        rows = rows.filter(~rows.holdout.fill_null(False))
    if "delivered_at" in rows.columns:
        rows = rows.filter(rows.delivered_at.notnull())
    clicked = rows.clicked_at.notnull() if "clicked_at" in rows.columns else ibis.literal(False)
    return _contacts(rows, rows.sent_at, rows.campaign_id, took_part=clicked)


def _touches(touchpoints: ibis.Table | None, people: ibis.Table | None, logins: ibis.Table | None) -> ibis.Table | None:
    if touchpoints is None or not {"campaign_id", "kind"} <= set(as_table(touchpoints).columns):
        return None
    rows = _named(as_table(touchpoints), people, logins)
    rows = rows.filter(rows.campaign_id.notnull())
    return _contacts(rows, rows.touched_at, rows.campaign_id, took_part=rows.kind.isin(ACTS))


def _pages(events: ibis.Table | None, people: ibis.Table | None, logins: ibis.Table | None) -> ibis.Table | None:
    """Views of pages whose path ends with a campaign's or promotion's number, and shares in the same visits."""
    if events is None or "page" not in as_table(events).columns:
        return None
    rows = as_table(events)
    rows = rows.filter(rows.page.notnull() & rows.event.isin(["page_view", "share"]))
    rows = rows.mutate(number=rows.page.split("/")[-1])
    if "session_id" in rows.columns:
        # who shares anything in a visit that saw the campaign's page shares because of it
        seen = rows.filter((rows.event == "page_view") & rows.page.startswith("/campaign/"))
        seen = seen.group_by("session_id").aggregate(landed=seen.number.min())
        rows = rows.left_join(seen, "session_id").drop("session_id_right")
        shared = (rows.event == "share") & rows.landed.notnull()
        rows = rows.mutate(number=shared.ifelse(rows.landed, rows.number))
    rows = _named(rows, people, logins)
    viewed = rows.event == "page_view"
    return _contacts(rows, rows.event_at, rows.number, took_part=viewed, viewed=viewed, shared=rows.event == "share")
