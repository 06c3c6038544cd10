"""Which campaigns are on their way, what was planned for them, and what came: participants, orders, sales."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...data.plan_sheets import Column
from ...language import N_, _
from ...missing import Missing, answers
from ...period import Period

METRICS = {"participants": "count", "orders_paid": "count", "paid_sales": "currency"}
"""What is followed, and its unit; participants are persons who took part by then."""
OWN = ("promotion_id", "name", "platform", "category", "starts_on", "ends_on")
EARLIER = ("earlier_on", "earlier_ends", "earlier_id")
LONGEST = 45  # days of a promotion that is a campaign and not a standing offer
BASE = 28  # ordinary days before a campaign, by which its plan grows on the last edition's
TITLES = {"participants": N_("Took part"), "orders_paid": N_("Orders paid"), "paid_sales": N_("Paid sales")}


def columns() -> list[Column]:
    """What a shop's ``plan/campaign_plan.csv`` must hold: what each promotion is to bring from its first to its last
    day."""
    return [
        Column("promotion_id", required=True),
        Column("metric", required=True, one_of=tuple(METRICS)),
        Column("target", required=True, between=(0, 1e15)),
    ]


@answers("Which campaigns are on their way?")
def running(promotions: ibis.Table, period: Period) -> pd.DataFrame:
    """Which promotions run in a period, and what was the last one of their kind?

    Parameters
    ----------
    promotions : Table
        Canonical table `promotions`; those of more than `LONGEST` days are standing offers and left out.
    period : Period

    Returns
    -------
    DataFrame
        promotion_id, name, platform, category (None: all), starts_on, ends_on, earlier_on, earlier_ends, earlier_id (of
        the last edition: the same name but for its numbers, or the same days a year before; NaT: none).
    """
    rows = _limited(promotions)
    now = rows[(rows["starts_on"] < pd.Timestamp(period.end)) & (rows["ends_on"] >= pd.Timestamp(period.start))]
    frame = _with_last_edition(now, rows)
    if frame.empty:
        frame.attrs["notes"] = [_("No promotion of limited length ran in these days.")]
    return frame


@answers("Which campaigns are over?")
def over(promotions: ibis.Table, period: Period, *, most: int = 12) -> pd.DataFrame:
    """Which promotions of the two years before a period are over, and were not the first of their kind?

    Parameters
    ----------
    promotions : Table
        Canonical table `promotions`.
    period : Period
    most : int
        The latest of them.

    Returns
    -------
    DataFrame
        As `running`.
    """
    rows = _limited(promotions)
    first, last = pd.Timestamp(period.start) - pd.DateOffset(years=2), pd.Timestamp(period.start)
    frame = _with_last_edition(rows[(rows["ends_on"] < last) & (rows["starts_on"] >= first)], rows)
    return frame[frame["earlier_id"] != ""].tail(most).reset_index(drop=True)


def _limited(promotions: ibis.Table) -> pd.DataFrame:
    """Promotions of limited length, of all products or of a category, each once."""
    table = as_table(promotions)
    wanted = ["promotion_id", "name", "starts_at", "ends_at", "kind", "platform", "category", "product_id"]
    rows = table.select(*(c for c in wanted if c in table.columns)).to_pandas()
    for c in wanted:
        rows[c] = rows.get(c)
    rows["starts_on"], rows["ends_on"] = (pd.to_datetime(rows[c]).dt.normalize() for c in ("starts_at", "ends_at"))
    rows = rows[((rows["ends_on"] - rows["starts_on"]).dt.days < LONGEST) & ~rows["kind"].isin(["coupon", "points"])]
    rows = rows[rows["product_id"].isna()].drop_duplicates("promotion_id")
    return rows.assign(series=["".join(ch for ch in str(n) if not ch.isdigit()).strip() for n in rows["name"]])


def _with_last_edition(some: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Each with the last one of the same name (but for its numbers) before it."""
    out = []
    for r in some.sort_values(["starts_on", "promotion_id"]).to_dict("records"):
        before = rows[(rows["series"] == r["series"]) & (rows["ends_on"] < r["starts_on"])].sort_values("starts_on")
        last = before.iloc[-1] if len(before) else None
        out.append(
            {k: None if pd.isna(r[k]) else r[k] for k in OWN}
            | {"earlier_on": pd.NaT if last is None else last["starts_on"],
               "earlier_ends": pd.NaT if last is None else last["ends_on"],
               "earlier_id": "" if last is None else last["promotion_id"]}
        )  # fmt: skip
    return pd.DataFrame(out, columns=[*OWN, *EARLIER])


def span(plans: pd.DataFrame, period: Period) -> Period:
    """The days of the campaigns of a period and of their last editions."""
    if isinstance(plans, Missing) or plans.empty:
        return period
    first = plans[["starts_on", "earlier_on"]].min().min().date()
    return Period(min(first, period.start), period.end)


@answers("How do the campaigns run beside their plan?")
def pace(
    plans: pd.DataFrame,
    orders: ibis.Table,
    *,
    as_of: dt.datetime,
    order_items: ibis.Table | None = None,
    products: ibis.Table | None = None,
    contacts: ibis.Table | None = None,
    own: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How do the campaigns run beside their plan, day by day?

    The plan is the shop's own (``plan/campaign_plan.csv``); where it has none, what the last edition brought, times the
    growth of the shop's ordinary four weeks before. Its days are those of the last edition, else all alike.

    Parameters
    ----------
    plans : DataFrame
        Of `running`.
    orders : Table
        paid_at, amount; platform. Paid orders of the promotion's platform (and category, by `order_items`) count,
        whether they used it or not.
    as_of : datetime
        What lies behind is known.
    contacts : Table, optional
        Of `participation.activity`, for who took part.
    own : DataFrame, optional
        promotion_id, metric, target.

    Returns
    -------
    DataFrame
        promotion_id, name, metric, unit, day, planned and actual (by the end of the day, added up; actual NaN ahead),
        basis ("own", "earlier", "").
    """
    rows: list[dict[str, Any]] = []
    today = pd.Timestamp(as_of)
    for plan in plans.astype(object).where(plans.notna(), None).to_dict("records"):
        days = pd.date_range(plan["starts_on"], plan["ends_on"])
        series = _sold(orders, order_items, products, plan)
        for metric, unit in METRICS.items():
            if metric == "participants":
                if contacts is None:
                    continue
                daily = _taking_part(contacts, [plan["promotion_id"], plan["earlier_id"]])
                if daily.empty:
                    continue
            else:
                daily = series[metric]
            actual = daily.reindex(days, fill_value=0.0).cumsum().where(days < today)
            curve, basis = _planned(daily, plan, metric, days, own)
            rows += [
                {"promotion_id": plan["promotion_id"], "name": plan["name"], "metric": metric, "unit": unit, "day": d,
                 "planned": p, "actual": a, "basis": basis}
                for d, p, a in zip(days, curve, actual, strict=True)
            ]  # fmt: skip
    names = ["promotion_id", "name", "metric", "unit", "day", "planned", "actual", "basis"]
    frame = pd.DataFrame(rows, columns=names)
    frame.attrs["notes"] = plans.attrs.get("notes", [])
    return frame


def _sold(
    orders: ibis.Table, items: ibis.Table | None, products: ibis.Table | None, plan: dict[str, Any]
) -> dict[str, pd.Series]:
    """Paid orders and their money by day, of what a promotion is for."""
    paid = as_table(orders)
    at = "paid_at" if "paid_at" in paid.columns else "ordered_at"
    paid = paid.filter(paid[at].notnull())
    if plan["platform"] and "platform" in paid.columns:
        paid = paid.filter(paid["platform"] == plan["platform"])
    rows, orders_of = paid, paid.count()
    lines = None if items is None or products is None else as_table(items)
    if (
        plan["category"]
        and lines is not None
        and products is not None
        and {"product_id", "order_id"} <= set(lines.columns)
    ):
        goods = as_table(products)
        goods = goods.filter(goods["category"] == plan["category"]).select("product_id").distinct()
        mine = lines.select("order_id", "product_id", "amount").semi_join(goods, "product_id")
        rows = mine.inner_join(paid.select("order_id", _at=paid[at]).distinct(on="order_id"), "order_id")
        at, orders_of = "_at", rows["order_id"].nunique()
    found = rows.group_by(day=rows[at].cast("date")).aggregate(
        orders_paid=orders_of, paid_sales=rows["amount"].cast("float64").sum()
    )
    daily = found.to_pandas()
    daily.index = pd.DatetimeIndex(pd.to_datetime(daily.pop("day")))
    return {c: daily[c].astype(float).sort_index() for c in ("orders_paid", "paid_sales")}


def _taking_part(contacts: ibis.Table, promotions: Sequence[str]) -> pd.Series:
    """New participants by day: each person on the day on which she first took part."""
    rows = as_table(contacts)
    rows = rows.filter(rows["campaign"].isin(list(promotions)) & rows["took_part"])
    first = rows.group_by("campaign", "person").aggregate(day=rows["at"].min().cast("date"))
    counts = first.group_by("day").aggregate(n=first.count()).to_pandas()
    return pd.Series(counts["n"].to_numpy(float), pd.DatetimeIndex(pd.to_datetime(counts["day"]))).sort_index()


def _planned(
    daily: pd.Series, plan: dict[str, Any], metric: str, days: pd.DatetimeIndex, own: pd.DataFrame | None
) -> tuple[np.ndarray, str]:
    """What is due by the end of each day, and where that comes from."""
    told = math.nan
    if own is not None:
        mine = own[(own["promotion_id"] == plan["promotion_id"]) & (own["metric"] == metric)]
        told = float(mine["target"].iloc[0]) if len(mine) else math.nan
    part = np.arange(1, len(days) + 1) / len(days)
    total = math.nan
    known = daily.index.min() <= plan["earlier_on"] if len(daily) and pd.notna(plan["earlier_on"]) else False
    if known:
        before = daily.reindex(pd.date_range(plan["earlier_on"], plan["earlier_ends"]), fill_value=0.0)
        if before.sum() > 0:
            done = before.cumsum().to_numpy() / before.sum()
            part = np.interp(part, np.arange(len(before) + 1) / len(before), np.r_[0.0, done])
            then, now = (_ordinary(daily, at) for at in (plan["earlier_on"], plan["starts_on"]))
            growth = now / then if then > 0 and now > 0 and metric != "participants" else 1.0
            total = float(before.sum()) / len(before) * len(days) * growth
    if not math.isnan(told):
        return told * part, "own"
    return total * part, "" if math.isnan(total) else "earlier"


def _ordinary(daily: pd.Series, before: pd.Timestamp) -> float:
    """The median day of the four weeks before a campaign; NaN where they are not all known."""
    span = pd.date_range(end=before - pd.Timedelta(days=1), periods=BASE)
    return math.nan if span[0] < daily.index.min() else float(daily.reindex(span, fill_value=0.0).median())
