"""Audiences for retargeting: who looked, who left a cart, who stayed away after one order, who was worth much and left.

An audience is a table in the engine. No names, numbers or addresses are in it, and no notebook writes it anywhere: it
leaves the shop by ``playbook audience`` alone, which asks for consent and keeps a log.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from ..data.engine import MONEY, as_table
from ..language import N_, _
from ..methods import intervals
from ..missing import answers
from .churn import states


@dataclass(frozen=True)
class Audience:
    """What makes one audience.

    Attributes
    ----------
    name : str
    latest, earliest : int
        Days since the thing that made her one, from … to.
    half_life : float
        Days in which her weight halves.
    actions : tuple of str
        What the source documents do with it, one after the other.
    """

    name: str
    latest: int
    earliest: int
    half_life: float
    actions: tuple[str, str, str]


AUDIENCES: dict[str, Audience] = {
    a.name: a
    for a in (
        Audience("viewed", 0, 14, 5.0, (
            N_("show what she looked at", "first"), N_("show what is bought with it", "then"),
            N_("send a first-order coupon", "last"),
        )),
        Audience("carted", 0, 14, 3.0, (
            N_("remind her of the cart within a day", "first"), N_("say what is left in stock", "then"),
            N_("offer free shipping for the cart", "last"),
        )),
        Audience("silent", 31, 180, 45.0, (
            N_("tell her how to use what she bought", "first"), N_("recommend what goes with it", "then"),
            N_("send a second-order coupon", "last"),
        )),
        Audience("lapsed", 31, 365, 90.0, (
            N_("write to her in person", "first"), N_("invite her to what is new before others", "then"),
            N_("add a gift to her next order", "last"),
        )),
    )
}  # fmt: skip
"""The four documented audiences."""

CAP, CAP_DAYS = 2, 7
"""Messages in so many days after which nobody is written to again."""
BOUGHT_LATELY = 7
"""Days in which whoever bought is left in peace."""
COMPLAINED = 30
"""Days in which whoever complained is left in peace."""
AHEAD = 30
"""Days ahead over which it is told what an audience buys."""

UNITS = {
    "people": "count", "excluded": "count", "capped": "count", "no_consent": "count", "left": "count",
    "weight": "ratio", "rate": "share", "value": "currency",
}  # fmt: skip
ACTION_UNITS = {"from_days": "days", "to_days": "days", "half_life": "days"}
"""Of the frames, for a page."""


@answers("Whom do we speak to again?")
def members(
    purchases: ibis.Table | pd.DataFrame,
    events: ibis.Table | pd.DataFrame | None = None,
    messages: ibis.Table | pd.DataFrame | None = None,
    tickets: ibis.Table | pd.DataFrame | None = None,
    people: ibis.Table | pd.DataFrame | None = None,
    *,
    as_of: dt.datetime,
    cap: int = CAP,
    cap_days: int = CAP_DAYS,
    bought_lately: int = BOUGHT_LATELY,
    complained: int = COMPLAINED,
) -> ibis.Table:
    """Whom do we speak to again, and whom do we leave in peace?

    Parameters
    ----------
    purchases : Table or DataFrame
        From `purchases`.
    events, messages, tickets : Table or DataFrame, optional
        Of persons (see `rows_of_persons`). Without events there are no audiences of those who looked or left a cart.
    people : Table or DataFrame, optional
        ``customer_360``: consent_marketing.
    as_of : datetime
        Now; nothing later is seen.
    cap, cap_days : int, default 2 and 7
        Frequency cap: who got so many messages in so many days gets none.
    bought_lately, complained : int, default 7 and 30
        Days; whoever bought, or opened a ticket of complaint, in them is excluded.

    Returns
    -------
    Table
        One row per person and audience: person_id, audience, days (since what made her one), weight (½ to the power of
        days ÷ half-life), sent (messages in `cap_days`), why (bought, complained, unsubscribed, capped, no consent;
        empty: may be spoken to), value (money, mean order value of hers; of all where she has none).
    """
    now = ibis.timestamp(as_of)
    bought = as_table(purchases)
    bought = bought.filter(bought.at < now)
    parts = [] if events is None else _looked(as_table(events), bought, now, as_of)
    parts += _silent(bought, as_of)
    t = parts[0] if len(parts) == 1 else ibis.union(*parts)
    own = bought.group_by("person_id").aggregate(_last=bought.at.max(), _mean=bought.amount.mean())
    t = t.left_join(own, "person_id").drop("person_id_right")
    lately = t._last >= ibis.timestamp(as_of - dt.timedelta(days=bought_lately))
    t = t.mutate(_lately=lately.fill_null(False), _angry=ibis.literal(False), _gone=ibis.literal(False), sent=0)
    if tickets is not None and "topic" in as_table(tickets).columns:
        bad = as_table(tickets)
        since = ibis.timestamp(as_of - dt.timedelta(days=complained))
        bad = bad.filter((bad.topic == "complaint") & (bad.opened_at < now) & (bad.opened_at >= since))
        t = _flagged(t, bad, "_angry")
    if messages is not None:
        t = _written_to(t, as_table(messages), now, as_of, cap_days)
    consent = ibis.literal(True)
    if people is not None and "consent_marketing" in as_table(people).columns:
        known = as_table(people)
        agreed = known.select("person_id", _agreed=known.consent_marketing)
        t = t.left_join(agreed, "person_id").drop("person_id_right")
        consent = t._agreed.fill_null(False)
    why = ibis.cases(
        (t._lately, "bought"), (t._angry, "complained"), (t._gone, "unsubscribed"), (t.sent >= cap, "capped"),
        (~consent, "no consent"), else_="",
    )  # fmt: skip
    mean = bought.amount.mean().as_scalar()
    halves = ibis.cases(*((t.audience == a.name, a.half_life) for a in AUDIENCES.values()))
    weight = (t.days.cast("float64") / halves * -math.log(2)).exp()
    return t.select(
        "person_id", "audience", "days", weight=weight, sent=t.sent, why=why,
        value=ibis.coalesce(t._mean, mean).cast(MONEY),
    ).cache()  # fmt: skip


def _looked(events: ibis.Table, bought: ibis.Table, now, as_of: dt.datetime) -> list[ibis.Table]:
    """Who looked and put nothing into the cart; who put something in and bought nothing since."""
    longest = max(AUDIENCES["viewed"].earliest, AUDIENCES["carted"].earliest)
    since = ibis.timestamp(as_of - dt.timedelta(days=longest))
    seen = events.filter((events.event_at < now) & (events.event_at >= since))
    e = seen.group_by("person_id").aggregate(
        viewed=seen.event_at.max(where=seen.event == "view_item"),
        carted=seen.event_at.max(where=seen.event == "add_to_cart"),
        done=seen.event_at.max(where=seen.event == "purchase"),
    )
    last = bought.group_by("person_id").aggregate(_last=bought.at.max())
    e = e.left_join(last, "person_id").drop("person_id_right")
    never = since - ibis.interval(days=1)
    done = ibis.greatest(e.done.fill_null(never), e._last.fill_null(never))
    viewed = e.filter(e.viewed.notnull() & e.carted.isnull() & (done < e.viewed))
    carted = e.filter(e.carted.notnull() & (done < e.carted))
    today = ibis.date(as_of.date())
    return [
        t.select("person_id", audience=ibis.literal(name), days=today.delta(t[name].date(), unit="day"))
        for name, t in (("viewed", viewed), ("carted", carted))
    ]


def _silent(bought: ibis.Table, as_of: dt.datetime) -> list[ibis.Table]:
    """Who bought once and no more; who spent much and is away."""
    t = states(bought, as_of=as_of)
    out = []
    for name, condition in (
        ("silent", t.orders == 1),
        ("lapsed", (t.value == "high") & (t.orders > 1)),
    ):
        a = AUDIENCES[name]
        there = t.filter(condition & (t.days >= a.latest) & (t.days <= a.earliest))
        out.append(there.select("person_id", audience=ibis.literal(name), days=there.days))
    return out


def _flagged(t: ibis.Table, rows: ibis.Table, flag: str) -> ibis.Table:
    who = rows.select("person_id").distinct().mutate(_there=True)
    t = t.left_join(who, "person_id").drop("person_id_right")
    return t.mutate(**{flag: t[flag] | t._there.fill_null(False)}).drop("_there")


def _written_to(t: ibis.Table, messages: ibis.Table, now, as_of: dt.datetime, cap_days: int) -> ibis.Table:
    m = messages.filter(messages.sent_at < now)
    if "unsubscribed_at" in m.columns:
        t = _flagged(t, m.filter(m.unsubscribed_at < now), "_gone")
    lately = m.filter(m.sent_at >= ibis.timestamp(as_of - dt.timedelta(days=cap_days)))
    if "holdout" in m.columns:
        lately = lately.filter(~lately.holdout.fill_null(False))  # chosen, but never sent
    counted = lately.group_by("person_id").aggregate(_sent=lately.count())
    t = t.left_join(counted, "person_id").drop("person_id_right")
    return t.mutate(sent=t._sent.fill_null(0)).drop("_sent")


@answers("How large are the audiences, and what do such people buy?")
def sizes(
    members: ibis.Table | pd.DataFrame,
    earlier: ibis.Table | pd.DataFrame,
    purchases: ibis.Table | pd.DataFrame,
    *,
    as_of: dt.datetime,
    ahead: int = AHEAD,
    level: float = 0.95,
) -> pd.DataFrame:
    """How large is each audience, who of it may be spoken to, and what do such people buy?

    Parameters
    ----------
    members : Table or DataFrame
        From `members`, now.
    earlier : Table or DataFrame
        From `members`, `ahead` days before: what those bought since tells what to expect of these. It is what happens
        without another word, or with as many as were said then, not what an advertisement adds.
    purchases : Table or DataFrame
        From `purchases`.
    as_of : datetime
        Now.
    ahead : int, default 30
        Days.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per audience: audience, people, excluded (bought, complained, unsubscribed), capped, no_consent, left
        (may be spoken to), weight (their mean), rate (of the earlier ones, who bought within `ahead` days, fraction)
        with Wilson interval, value (money: left × rate × mean order value, at the rate's ends) with interval.
    """
    t, then = as_table(members), as_table(earlier)
    free = t.why == ""
    now = (
        t.group_by("audience")
        .aggregate(
            people=t.count(), excluded=t.why.isin(["bought", "complained", "unsubscribed"]).sum(),
            capped=(t.why == "capped").sum(), no_consent=(t.why == "no consent").sum(), left=free.sum(),
            weight=t.weight.mean(where=free), worth=t.value.mean(where=free),
        )
        .to_pandas()
        .set_index("audience")
    )  # fmt: skip
    rows = as_table(purchases)
    start = as_of - dt.timedelta(days=ahead)
    since = rows.filter((rows.at >= ibis.timestamp(start)) & (rows.at < ibis.timestamp(as_of)))
    buyers = since.select("person_id").distinct().mutate(_bought=True)
    could = then.filter(then.why == "")
    could = could.left_join(buyers, "person_id")
    before = could.group_by("audience").aggregate(n=could.count(), again=could._bought.fill_null(False).sum())
    told = before.to_pandas().set_index("audience")
    out = []
    for name in AUDIENCES:
        if name not in now.index:
            continue
        row = now.loc[name]
        n, again = (int(told[c].get(name, 0)) for c in ("n", "again"))
        low, high = intervals.wilson(again, n, level=level)
        rate = again / n if n else math.nan
        worth = float(row.worth) if row.worth == row.worth and row.worth is not None else math.nan
        out.append(
            {"audience": name, **{c: int(row[c]) for c in ("people", "excluded", "capped", "no_consent", "left")},
             "weight": float(row.weight) if row.weight is not None else math.nan, "rate": rate, "rate_low": low,
             "rate_high": high, "value": row.left * rate * worth, "value_low": row.left * low * worth,
             "value_high": row.left * high * worth}
        )  # fmt: skip
    columns = ["audience", "people", "excluded", "capped", "no_consent", "left", "weight", "rate", "rate_low",
               "rate_high", "value", "value_low", "value_high"]  # fmt: skip
    frame = pd.DataFrame(out, columns=columns)
    if not {"viewed", "carted"} & set(frame.audience):
        frame.attrs["notes"] = [_("Without events of known customers, nobody is known to have looked or left a cart.")]
    return frame


def before(as_of: dt.datetime, *, ahead: int = AHEAD) -> dt.datetime:
    """The moment `ahead` days earlier."""
    return as_of - dt.timedelta(days=ahead)


def actions(names: Mapping[str, Audience] | None = None) -> pd.DataFrame:
    """What is done with each audience, one thing after the other, and when she belongs to it.

    Returns
    -------
    DataFrame
        audience, from_days, to_days, half_life (days), first, then, last.
    """
    return pd.DataFrame(
        [
            {"audience": a.name, "from_days": a.latest, "to_days": a.earliest, "half_life": a.half_life,
             **dict(zip(("first", "then", "last"), a.actions, strict=True))}
            for a in (names or AUDIENCES).values()
        ]
    )  # fmt: skip
