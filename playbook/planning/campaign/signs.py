"""What the shop's data say before a campaign: is tracking whole, can service cope, were prices raised, does the page sell?"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...language import _
from ...methods.intervals import newcombe, wilson
from ...missing import Missing, answers
from .coming import Campaign, festivals

LAST_DAYS = 7
BASE_DAYS = 28
AFTER_DAYS = 7
MINUTES = 10.0
IN_TIME = 0.8
"""Part of a day's contacts that must be answered within `MINUTES` for the day to count as one that service coped with."""
RAISED = 0.02
DAY = pd.Timedelta(days=1)


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


@answers("What did earlier campaigns of the kind bring?")
def earlier(daily: pd.DataFrame, campaign: Campaign, promotions: ibis.Table | None = None) -> pd.DataFrame:
    """What did earlier campaigns of the kind bring, beside the four weeks before each?

    Parameters
    ----------
    daily : DataFrame
        ``measure(shop, ["orders_paid", "net_sales"], by=["day"], period=…)`` over the shop's history.
    campaign : Campaign
    promotions : Table, optional
        promotion_id, name, starts_at, ends_at, rule: those of the same name but for the year. Without any the same
        festival of earlier years.

    Returns
    -------
    DataFrame
        name, begins, ends, rule, orders_a_day, before_a_day, uplift (fraction), busiest (orders of its best day against
        those before, a ratio), net_sales; the last first. Not what it caused: seasons and other campaigns are in it.
    """
    wide = daily.pivot(index="day", columns="metric", values="value").astype(float)
    wide.index = pd.DatetimeIndex(wide.index)
    held = _same(promotions, campaign) if promotions is not None and campaign.promotions else []
    if not held:
        held = _festival(campaign, wide.index.min())
    rows = []
    for name, begins, ends, rule in held:
        during, before = wide.loc[begins:ends], wide.loc[begins - BASE_DAYS * DAY : begins - DAY]
        if ends >= campaign.sells_from or len(during) < (ends - begins).days + 1 or len(before) < BASE_DAYS:
            continue
        usual = float(before["orders_paid"].mean())
        if usual <= 0:
            continue
        a_day = float(during["orders_paid"].mean())
        busiest = float(during["orders_paid"].max()) / usual
        sales = float(during["net_sales"].sum()) if "net_sales" in during else math.nan
        rows.append((name, begins, ends, rule, a_day, usual, a_day / usual - 1, busiest, sales))
    columns = ["name", "begins", "ends", "rule", "orders_a_day", "before_a_day", "uplift", "busiest", "net_sales"]
    out = pd.DataFrame(rows, columns=columns).sort_values("begins", ascending=False, ignore_index=True)
    out.attrs["notes"] = [] if len(out) else [_("No campaign of the kind has run yet with four weeks before it.")]
    return out


def _same(promotions: ibis.Table, campaign: Campaign) -> list[tuple]:
    table = as_table(promotions)
    rule = table["rule"] if "rule" in table.columns else ibis.literal("")
    rows = table.select("promotion_id", "name", "starts_at", "ends_at", rule=rule).to_pandas()
    rows = rows.drop_duplicates("promotion_id")
    mine = {_stem(p) for p in campaign.promotions}
    rows = rows[rows["promotion_id"].map(_stem).isin(mine) | (rows["name"].map(_stem) == _stem(campaign.name))]
    days = [rows[c].dt.normalize() for c in ("starts_at", "ends_at")]
    return list(zip(rows["name"], *days, rows["rule"].fillna(""), strict=True))


def _stem(name: str) -> str:
    """A name without its year."""
    return re.sub(r"(19|20)\d\d", "", str(name)).strip(" -_·")


def _festival(campaign: Campaign, first: pd.Timestamp) -> list[tuple]:
    """The same festival in earlier years, where the campaign ends on the last day of one."""
    near = festivals(campaign.ends, campaign.ends)
    names = set(near["name"])
    known = festivals(first, campaign.sells_from - DAY) if names else near
    return [(style.date(f["begins"]), f["begins"], f["ends"], "") for f in known.to_dict("records") if f["name"] in names]


@answers("How many orders will the campaign bring?")
def ahead(past: pd.DataFrame, daily: pd.DataFrame, campaign: Campaign, *, today: dt.date, level: float = 0.8) -> Any:
    """How many orders a day will the campaign bring, and how many its busiest day?

    The last four weeks before it, times what earlier campaigns of the kind made of theirs: the mean of the logs, with
    Student's interval for one more of them.

    Parameters
    ----------
    past, daily : DataFrame
        Of `earlier`, and what it took.
    today : date
    level : float

    Returns
    -------
    DataFrame
        One row: before_a_day, orders_a_day with _low and _high, busiest_day, n (earlier campaigns), days (that it has
        left), orders with _low and _high (until its end). A Missing where fewer than two have run.

    References
    ----------
    Hahn, G. J., Meeker, W. Q. (1991). Statistical Intervals, ch. 4 (prediction of one more observation).
    """
    if len(past) < 2:
        return Missing(_("two earlier campaigns of the kind"), remedy=_("Keep past promotions in the table promotions."))
    wide = daily[daily["metric"] == "orders_paid"].set_index("day")["value"].astype(float)
    wide.index = pd.DatetimeIndex(wide.index)
    first = min(campaign.sells_from, pd.Timestamp(today))
    usual = float(wide.loc[first - BASE_DAYS * DAY : first - DAY].mean())
    logs = np.log1p(past["uplift"].to_numpy(float))
    n = len(logs)
    half = stats.t.ppf(0.5 + level / 2, n - 1) * logs.std(ddof=1) * math.sqrt(1 + 1 / n)
    low, mid, high = (usual * math.exp(x) for x in (logs.mean() - half, logs.mean(), logs.mean() + half))
    left = (campaign.ends - max(campaign.sells_from, pd.Timestamp(today))).days + 1
    row = {
        "before_a_day": usual, "orders_a_day": mid, "orders_a_day_low": low, "orders_a_day_high": high,
        "busiest_day": usual * float(np.exp(np.log(past["busiest"].astype(float)).mean())), "n": float(n),
        "days": float(left), "orders": mid * left, "orders_low": low * left, "orders_high": high * left,
    }  # fmt: skip
    return pd.DataFrame([row])


@answers("Can service cope?", needs={"tickets": ["opened_at", "first_reply_at"]})
def service(tickets: ibis.Table, past: pd.DataFrame, *, today: dt.date, capacity: float = 0.0) -> pd.DataFrame:
    """How many contacts will the busiest day bring, and how many has service ever coped with?

    Parameters
    ----------
    tickets : Table
        opened_at, first_reply_at; by_bot (optional: what a bot answers takes nobody's time).
    past : DataFrame
        Of `earlier`.
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
        One row: before, last (shares), n, change (last − before), change_low, change_high (95 %). A Missing where there
        was no visit.
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
