"""What the data say before a campaign: is tracking whole, can service cope, were prices raised, does the page sell?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...methods.intervals import newcombe, wilson
from ...missing import Missing, answers
from .coming import Campaign

LAST_DAYS = 7
BASE_DAYS = 28
AFTER_DAYS = 7
MINUTES = 10.0
IN_TIME = 0.8
"""Part of a day's contacts that must be answered within `MINUTES` on a day that service has coped with."""
RAISED = 0.02
DAY = pd.Timedelta(days=1)


def every(
    tables: Mapping[str, ibis.Table],
    campaign: Campaign,
    past: pd.DataFrame,
    daily: pd.DataFrame,
    *,
    today: dt.date,
    capacity: float = 0.0,
) -> dict[str, Any]:
    """All signs of this module, by the names that `playbook.planning.campaign.readiness.checks` takes them by.

    Parameters
    ----------
    tables : mapping of str to Table
        Canonical: orders, events, prices, tickets, those that there are.
    campaign, past, daily, today, capacity
        As for the functions of this module.
    """
    none = Missing("tables")
    events, orders, prices, tickets = (tables.get(n, none) for n in ("events", "orders", "prices", "tickets"))
    return {
        "tracked": tracked(events, orders, today=today),
        "raised": raised(prices, campaign, today=today),
        "service": service(tickets, past, today=today, capacity=capacity),
        "page": page(daily, today=today),
    }


@answers("Is every order seen by the tracking?", needs={"events": ["event", "order_id", "event_at"]})
def tracked(events: ibis.Table, orders: ibis.Table, *, today: dt.date) -> pd.DataFrame:
    """What part of the last week's paid orders has a purchase event?

    Parameters
    ----------
    events : Table
        event, event_at, order_id.
    orders : Table
        order_id, paid_at, platform (optional). Only platforms of which purchase events came in the weeks before.
    today : date

    Returns
    -------
    DataFrame
        platform, orders, seen (counts), share with share_low, share_high (95 %). A Missing where no order was tracked.
    """
    end = pd.Timestamp(today)
    bought = as_table(events)
    bought = bought.filter(
        (bought["event"] == "purchase") & bought["order_id"].notnull()
        & (bought["event_at"] >= ibis.timestamp((end - (BASE_DAYS + LAST_DAYS) * DAY).isoformat()))
    ).select("order_id").distinct().mutate(seen=ibis.literal(1))  # fmt: skip
    paid = as_table(orders)
    paid = paid.filter(
        (paid["paid_at"] >= ibis.timestamp((end - (BASE_DAYS + LAST_DAYS) * DAY).isoformat()))
        & (paid["paid_at"] < ibis.timestamp(end.isoformat()))
    )
    late = (paid["paid_at"] >= ibis.timestamp((end - LAST_DAYS * DAY).isoformat())).cast("int64")
    platform = paid["platform"].fill_null("") if "platform" in paid.columns else ibis.literal("")
    both = paid.select("order_id", platform=platform, late=late).left_join(bought, "order_id")
    sums = both.group_by("platform").aggregate(
        orders=both["late"].sum(), seen=(both["late"] * both["seen"].fill_null(0)).sum(), ever=both["seen"].sum()
    )
    rows = sums.to_pandas()
    rows = rows[rows["ever"].fillna(0) > 0].sort_values("platform", ignore_index=True)
    if rows.empty:
        return Missing(
            _("purchase events with an order number"), remedy=_("Send order_id with the purchase event of the site.")
        )
    ends = [wilson(s, n) if n else (math.nan, math.nan) for s, n in zip(rows["seen"], rows["orders"], strict=True)]
    return rows[["platform", "orders", "seen"]].assign(
        share=rows["seen"] / rows["orders"].replace(0, np.nan),
        share_low=[e[0] for e in ends],
        share_high=[e[1] for e in ends],
    )


@answers("Were prices raised before the campaign?", needs={"prices": ["product_id", "changed_at", "price"]})
def raised(prices: ibis.Table, campaign: Campaign, *, today: dt.date) -> pd.DataFrame:
    """Which prices were raised in the month before the campaign, above any of the two months before?

    Whoever raises a price to lower it for the campaign deceives (虚假原价), and platforms check it.

    Returns
    -------
    DataFrame
        product_id, platform, was (highest price before), now (highest price of the last month), change (fraction).
    """
    table = as_table(prices)
    until = min(campaign.sells_from, pd.Timestamp(today))
    edges = [until - 90 * DAY, until - 30 * DAY, until]
    table = table.filter(table["changed_at"] < ibis.timestamp(edges[2].isoformat()))
    platform = table["platform"].fill_null("") if "platform" in table.columns else ibis.literal("")
    rows = table.select("product_id", "changed_at", "price", platform=platform)
    before = rows.filter(rows["changed_at"] < ibis.timestamp(edges[0].isoformat()))
    standing = before.group_by("product_id", "platform").aggregate(price=before["price"].argmax(before["changed_at"]))
    since = rows.filter(rows["changed_at"] >= ibis.timestamp(edges[0].isoformat()))
    late = since["changed_at"] >= ibis.timestamp(edges[1].isoformat())
    most = since.group_by("product_id", "platform", late=late).aggregate(price=since["price"].max())
    wide = most.to_pandas().pivot_table(
        index=["product_id", "platform"], columns="late", values="price", aggfunc="max", dropna=False
    )
    wide = wide.reindex(columns=[False, True]).astype(float)
    first = standing.to_pandas().set_index(["product_id", "platform"])["price"].astype(float).reindex(wide.index)
    out = pd.DataFrame({"was": np.fmax(wide[False], first), "now": wide[True]}).reset_index()
    out["change"] = out["now"] / out["was"] - 1
    return out[out["change"] > RAISED].sort_values("change", ascending=False, ignore_index=True)


@answers("Can service cope?", needs={"tickets": ["opened_at", "first_reply_at"]})
def service(tickets: ibis.Table, past: pd.DataFrame, *, today: dt.date, capacity: float = 0.0) -> pd.DataFrame:
    """How many contacts will the busiest day bring, and how many has service ever coped with?

    Parameters
    ----------
    tickets : Table
        opened_at, first_reply_at; by_bot (optional: what a bot answers takes nobody's time).
    past : DataFrame
        Of `playbook.planning.campaign.past.earlier`.
    today : date
    capacity : float
        Contacts a day that service is staffed for; 0: the busiest day of the last year on which four of five were
        answered in time.

    Returns
    -------
    DataFrame
        One row: usual_a_day (last four weeks), expected (on the busiest day: as many times the usual as in earlier
        campaigns and the days after them), capacity, load (expected / capacity), n (earlier campaigns). A Missing where
        no earlier campaign had contacts.
    """
    end = pd.Timestamp(today)
    table = as_table(tickets)
    if "by_bot" in table.columns:
        table = table.filter(~table["by_bot"].fill_null(False))
    wait = (table["first_reply_at"].epoch_seconds() - table["opened_at"].epoch_seconds()) / 60.0
    rows = table.select(day=table["opened_at"].date(), quick=(wait <= MINUTES).fill_null(False).cast("int64"))
    per = rows.group_by("day").aggregate(n=rows["quick"].count(), quick=rows["quick"].sum()).to_pandas()
    per = per.assign(day=pd.to_datetime(per["day"])).set_index("day").sort_index()
    per = per[per.index < end].astype(float)
    times = []
    for p in past.to_dict("records"):
        before = per.loc[p["begins"] - BASE_DAYS * DAY : p["begins"] - DAY, "n"].sum() / BASE_DAYS
        during = per.loc[p["begins"] : p["ends"] + AFTER_DAYS * DAY, "n"]
        times += [during.max() / before] if before and len(during) else []
    if not times:
        return Missing(_("contacts during an earlier campaign"), remedy=_("Keep contacts in the table tickets."))
    good = per[(per.index >= end - 365 * DAY) & (per["quick"] >= IN_TIME * per["n"])]
    able = capacity if capacity > 0 else float(good["n"].max()) if len(good) else math.nan
    usual = float(per.loc[end - BASE_DAYS * DAY :, "n"].sum()) / BASE_DAYS
    load = usual * float(np.exp(np.log(times).mean()))
    row = {"usual_a_day": usual, "expected": load, "capacity": able, "load": load / able, "n": float(len(times))}
    return pd.DataFrame([row])


@answers("Does the page sell as it did?")
def page(daily: pd.DataFrame, *, today: dt.date) -> pd.DataFrame:
    """Did fewer of those who looked at a product put one into the cart in the last week than in the weeks before?

    Parameters
    ----------
    daily : DataFrame
        ``measure(shop, ["cart_rate"], by=["day"], period=…)``: day, value, n.
    today : date

    Returns
    -------
    DataFrame
        One row: before, last (shares), n, change (last − before), change_low, change_high (95 %). A Missing where
        there was no visit.
    """
    rows = daily[(daily["metric"] == "cart_rate") & daily["value"].notna()] if len(daily) else daily
    day = pd.to_datetime(rows["day"]) if len(rows) else pd.Series(dtype="datetime64[s]")
    end = pd.Timestamp(today)
    parts = {}
    for name, first, last in (("before", BASE_DAYS + LAST_DAYS, LAST_DAYS), ("last", LAST_DAYS, 0)):
        mine = rows[(day >= end - first * DAY) & (day < end - last * DAY)]
        n = float(mine["n"].sum()) if len(mine) else 0.0
        parts[name] = (float((mine["value"] * mine["n"]).sum()) if n else 0.0, n)
    if not all(n for _k, n in parts.values()):
        return Missing(_("visits of the last five weeks"), remedy=_("Bring in events of the own site."))
    (k0, n0), (k1, n1) = parts["before"], parts["last"]
    low, high = newcombe(k0, n0, k1, n1)
    row = {"before": k0 / n0, "last": k1 / n1, "n": n1, "change": k1 / n1 - k0 / n0, "change_low": low}
    return pd.DataFrame([row | {"change_high": high}])
