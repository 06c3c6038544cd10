"""The channels side by side: whom they reach, at what cost, in which role; what they sold, and what that left."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..data.engine import as_table
from ..findings import Figure, Finding
from ..language import _, term
from ..missing import answers, quietly
from .roi.cube import LEVELS

MATRIX = {
    "spend": "currency", "people": "count", "reach": "share", "cpm": "currency", "cpc": "currency",
    "new_buyers": "share", "first": "share", "last": "share", "fit": "share",
}  # fmt: skip
WON = {"spend": "currency", "orders": "count", "new_customers": "count", "cac": "currency", "roas": "ratio"}
EARNED = {"roi": "share", "marginal_roi": "share", "share_of_spend": "share", "share_of_profit": "share"}
EFFECT = WON | EARNED
CLEAR = 1.25
"""A channel opens or closes where it is first (last) this much more often than last (first)."""
TRAITS = ("gender", "city_tier", "age_group", "income")
BEST = 0.2
"""Part of the customers who count as the best, by what they bought."""


@answers("Whom does each channel reach, at what cost, in which role?", needs={"ad_spend": ["channel"]})
def matrix(
    ad_spend: ibis.Table | pd.DataFrame, touchpoints: ibis.Table | pd.DataFrame | None = None,
    orders: ibis.Table | pd.DataFrame | None = None, customers: ibis.Table | pd.DataFrame | None = None, *,
    since: dt.date, until: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Whom does each channel reach, at what cost, and at which point of the way to an order?

    Parameters
    ----------
    ad_spend : Table
        day, platform, level, channel, spend; impressions, clicks where known.
    touchpoints : Table, optional
        visitor_id, channel, touched_at; order_id where known.
    orders, customers : Table, optional
        platform, customer_id, channel, paid_at, amount; customer_id, platform, and traits of people.
    since, until : date
        From the one up to, not including, the other.

    Returns
    -------
    DataFrame
        channel, spend, people (who met it), reach (part of all who met any), cpm, cpc, new_buyers (part of its buyers
        who bought for the first time), first, last (part of the ways to an order that it began, ended), role (opens,
        supports, closes; empty: not known), fit (how alike its buyers and the best customers are: 1 is alike). By
        spending. ``attrs``: notes.
    """
    ads = as_table(ad_spend)
    ads = ads.filter((ads.day >= ibis.literal(since)) & (ads.day < ibis.literal(until)) & ads.channel.notnull())
    rank = ibis.cases(*((ads.level == name, i) for i, name in enumerate(LEVELS)), else_=len(LEVELS))
    ads = ads.mutate(_rank=rank)
    ads = ads.mutate(_best=ads._rank.min().over(ibis.window(group_by=["platform", "day"])))
    ads = ads.filter(ads._rank == ads._best)
    counts = {c: ads[c].sum() if c in ads.columns else ibis.null("int64") for c in ("impressions", "clicks")}
    out = ads.group_by("channel").aggregate(spend=ads.spend.sum().cast("float64"), **counts).to_pandas()
    out = out.set_index("channel").astype(float)
    spend = out["spend"].where(out["spend"] > 0)
    out["cpm"] = 1000 * spend / out["impressions"].where(out["impressions"] > 0)
    out["cpc"] = spend / out["clicks"].where(out["clicks"] > 0)
    notes: list[str] = []
    met = _met(touchpoints, since, until)
    if met is None:
        notes.append(_("REVIEW: no contacts of people with channels, so reach and role are not known."))
    out = out.join(met if met is not None else pd.DataFrame(columns=["people", "reach", "first", "last"], dtype=float))
    out["role"] = [_role(r["first"], r["last"]) for r in out.to_dict("records")]
    bought = _buyers(orders, customers, since, until)
    out = out.join(bought if bought is not None else pd.DataFrame(columns=["new_buyers", "fit"], dtype=float))
    if bought is None or bought["fit"].isna().all():
        notes.append(_("REVIEW: channel or traits of buyers are not told, so the fit of the audience is not known."))
    out = out.sort_values("spend", ascending=False, kind="stable").rename_axis("channel").reset_index()
    out = out[["channel", *[c for c in MATRIX if c not in ("first", "last", "fit")], "role", "first", "last", "fit"]]
    out.attrs["notes"] = notes
    return out


def _role(first: float, last: float) -> str:
    if math.isnan(first) or math.isnan(last):
        return ""
    return "opens" if first > CLEAR * last else "closes" if last > CLEAR * first else "supports"


def _met(touchpoints: ibis.Table | pd.DataFrame | None, since: dt.date, until: dt.date) -> pd.DataFrame | None:
    """Of each channel: who met it, and how often it was the first or last contact of those who met several."""
    if touchpoints is None:
        return None
    rows = as_table(touchpoints)
    rows = rows.filter((rows.touched_at >= _midnight(since)) & (rows.touched_at < _midnight(until)))
    own = ibis.window(group_by="visitor_id", order_by=["touched_at", "touch_id"])
    back = ibis.window(group_by="visitor_id", order_by=[ibis.desc("touched_at"), ibis.desc("touch_id")])
    rows = rows.mutate(
        _from=ibis.row_number().over(own), _to=ibis.row_number().over(back),
        _several=rows.channel.nunique().over(ibis.window(group_by="visitor_id")) > 1,
    )  # fmt: skip
    found = rows.group_by("channel").aggregate(
        people=rows.visitor_id.nunique(), first=((rows._from == 0) & rows._several).sum(),
        last=((rows._to == 0) & rows._several).sum(),
    ).to_pandas().set_index("channel")  # fmt: skip
    everybody, ways = (
        float(x or 0)
        for x in rows.aggregate(a=rows.visitor_id.nunique(), b=rows.visitor_id.nunique(where=rows._several))
        .to_pandas()
        .iloc[0]
    )
    found = found.astype(float)
    found["reach"] = found["people"] / everybody if everybody else math.nan
    for c in ("first", "last"):
        found[c] = found[c] / ways if ways else math.nan
    return found


def _buyers(
    orders: ibis.Table | pd.DataFrame | None,
    customers: ibis.Table | pd.DataFrame | None,
    since: dt.date,
    until: dt.date,
) -> pd.DataFrame | None:
    """Of each channel's buyers: the part who bought for the first time, and how like the best customers they are."""
    if orders is None or not {"channel", "customer_id"} <= set(orders.columns):
        return None
    paid = as_table(orders)
    key = [c for c in ("platform", "customer_id") if c in paid.columns]
    paid = paid.filter(paid.paid_at.notnull() & paid.customer_id.notnull() & (paid.paid_at < _midnight(until)))
    paid = paid.mutate(_first=paid.paid_at.min().over(ibis.window(group_by=key)) == paid.paid_at)
    lately = paid.filter((paid.paid_at >= _midnight(since)) & paid.channel.notnull())
    out = lately.group_by("channel").aggregate(new_buyers=lately._first.mean()).to_pandas().set_index("channel")
    out["fit"] = math.nan
    traits = [] if customers is None else [t for t in TRAITS if t in customers.columns or t == "age_group"]
    if customers is None or "customer_id" not in customers.columns:
        return out
    people = as_table(customers)
    if "birth_year" in people.columns:
        band = ((since.year - people.birth_year) / 10).floor().cast("string")
        people = people.mutate(age_group=band)
    traits = [t for t in traits if t in people.columns]
    on = [k for k in key if k in people.columns]
    people = people.select(*on, *traits).distinct(on=on)
    spent = paid.group_by(key).aggregate(money=paid.amount.sum())
    spent = spent.mutate(best=ibis.percent_rank().over(order_by=ibis.desc("money")) < BEST)
    best = people.inner_join(spent.filter(spent.best), on)
    by = people.inner_join(lately.select(*key, "channel").distinct(), on)
    fits = []
    for t in traits:
        like = _shares(best, [], t)
        mine = _shares(by, ["channel"], t).unstack(t, fill_value=0.0)
        if len(like) and len(mine):
            fits.append(mine.reindex(columns=like.index, fill_value=0.0).clip(upper=like, axis=1).sum(axis=1))
    if fits:
        out["fit"] = pd.concat(fits, axis=1).mean(axis=1)
    return out


def _shares(rows: ibis.Table, by: list[str], trait: str) -> pd.Series:
    known = rows.filter(rows[trait].notnull())
    n = known.group_by([*by, trait]).aggregate(n=known.count()).to_pandas().set_index([*by, trait])["n"].astype(float)
    return n / (n.groupby(level=by).transform("sum") if by else n.sum())


@answers("Which channels meet the same people?")
def overlap(touchpoints: ibis.Table | pd.DataFrame, *, since: dt.date, until: dt.date) -> pd.DataFrame:
    """Of those who met a channel, which part met each other one?

    Returns
    -------
    DataFrame
        channel × channel, fractions; the diagonal is 1. The most met come first.
    """
    rows = as_table(touchpoints)
    rows = rows.filter((rows.touched_at >= _midnight(since)) & (rows.touched_at < _midnight(until)))
    met = rows.select("visitor_id", "channel").distinct()
    both = met.inner_join(met.select("visitor_id", other="channel"), "visitor_id")
    n = both.group_by(["channel", "other"]).aggregate(n=both.count()).to_pandas()
    wide = n.pivot(index="channel", columns="other", values="n").fillna(0.0)
    size = pd.Series(np.diag(wide), index=wide.index)
    order = size.sort_values(ascending=False, kind="stable").index
    return wide.div(size, axis=0).loc[order, order]


@answers("What did each channel sell, and what did that leave?")
def effectiveness(
    returns: pd.DataFrame, new: pd.DataFrame | None = None, model: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What did each channel sell, win and leave, and what would a little more of it leave?

    Parameters
    ----------
    returns : DataFrame
        Of `playbook.media.roi.drill` by channel.
    new : DataFrame, optional
        New customers by channel, as `playbook.metrics.measure` gives them.
    model : DataFrame, optional
        Of `playbook.media.mix.returns`: its marginal ROI.

    Returns
    -------
    DataFrame
        channel, spend, orders, new_customers, cac (spending over new customers, with the interval of their count),
        roas and roi (of the credited orders, with interval), marginal_roi (of one more unit of money, by the model),
        share_of_spend, share_of_profit (of what the credited orders left). By spending.
    """
    out = returns[returns["spend"] > 0][["channel", "spend", "orders", "margin"]].reset_index(drop=True)
    for c in ("roas", "roi"):
        for end in ("", "_low", "_high"):
            out[c + end] = out["channel"].map(returns.set_index("channel")[c + end])
    won = None if new is None else new.set_index("channel")["value"]
    out["new_customers"] = math.nan if won is None else out["channel"].map(won)
    out["cac"] = out["spend"] / out["new_customers"].where(out["new_customers"] > 0)
    ends = [_count(n) for n in out["new_customers"]]
    out["cac_low"] = [s / b if b else math.nan for s, (_a, b) in zip(out["spend"], ends, strict=True)]
    out["cac_high"] = [s / a if a else math.nan for s, (a, _b) in zip(out["spend"], ends, strict=True)]
    for end in ("", "_low", "_high"):
        known = None if model is None else model.set_index("channel")[f"marginal_roi{end}"]
        out[f"marginal_roi{end}"] = math.nan if known is None else out["channel"].map(known)
    out["share_of_spend"] = out["spend"] / out["spend"].sum()
    whole = out["margin"].clip(lower=0).sum()
    out["share_of_profit"] = out["margin"] / whole if whole > 0 else math.nan
    ends_of = [f"{c}{end}" for c in EFFECT for end in ("", "_low", "_high")]
    out = out[["channel", *[c for c in ends_of if c in out]]].sort_values(
        "spend", ascending=False, kind="stable", ignore_index=True
    )
    out.attrs["notes"] = list(returns.attrs.get("notes", ()))
    if new is None:
        out.attrs["notes"].append(_("REVIEW: customers are not told, so nobody knows who is new."))
    return out


@answers("What did each channel sell, and what did that leave?")
def part(effect: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """Some columns of `effectiveness`: those of `WON` or of `EARNED`."""
    wanted = ["channel", *(f"{c}{end}" for c in units for end in ("", "_low", "_high"))]
    return effect[[c for c in wanted if c in effect]]


def _count(n: float, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a count; NaN where there is none."""
    if not n > 0:
        return math.nan, math.nan
    tail = (1 - level) / 2
    return float(stats.chi2.ppf(tail, 2 * n) / 2), float(stats.chi2.ppf(1 - tail, 2 * n + 2) / 2)


@answers("What does a unit of a channel's sales leave?")
def worth(returns: pd.DataFrame) -> dict[str, float]:
    """What does a unit of a channel's sales leave after goods, fees, carriage and returns?

    Parameters
    ----------
    returns : DataFrame
        Of `playbook.media.roi.drill` by channel, with its margin. A channel without sales has the mean of all.

    Returns
    -------
    dict
        channel → part of its sales, not below 0.
    """
    whole = returns["sales"].sum()
    mean = max(0.0, float(returns["margin"].sum() / whole)) if whole > 0 else 0.0
    return {
        r["channel"]: max(0.0, r["margin"] / r["sales"]) if r["sales"] > 0 else mean for r in returns.to_dict("records")
    }


@answers("Which channel takes more than it gives?")
def findings(effect: pd.DataFrame) -> list[Finding]:
    """Which channel has the largest part of the spending beyond its part of what is left?"""
    gap = (effect["share_of_spend"] - effect["share_of_profit"]).dropna()
    if gap.empty or gap.max() < 0.05:
        return []
    row = effect.loc[gap.idxmax()]
    text = _("Of the spending {spend} goes to {channel}, whose credited orders leave {profit} of what all leave.")
    said = text.format(
        channel=term("channel", row["channel"]), spend=style.value(row["share_of_spend"], "share"),
        profit=style.value(row["share_of_profit"], "share"),
    )  # fmt: skip
    figure = Figure("share_gap", float(gap.max()), "share", by={"channel": row["channel"]})
    return [Finding("watch", said, float(gap.max() * effect["spend"].sum()), (figure,))]


@quietly
def plot_shares(effect: pd.DataFrame) -> Axes | None:
    """Each channel's part of the spending beside its part of what is left."""
    rows = effect.dropna(subset=["share_of_profit"]).iloc[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.4 + 0.5 * len(rows))
    place = np.arange(len(rows))
    ax.barh(place + 0.19, rows["share_of_spend"], height=0.36, color=style.COMPARISON, label=_("of the spending"))
    ax.barh(place - 0.19, rows["share_of_profit"], height=0.36, color=style.OWN, label=_("of what is left"))
    ax.set_yticks(place, [term("channel", c) for c in rows["channel"]])
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.legend(loc="lower right")
    style.share_axis(ax, which="x")
    ax.set_title(_("Each channel's part of the spending, and of what the credited orders leave"))
    return ax


@quietly
def plot_overlap(shared: pd.DataFrame) -> Axes | None:
    """Of those who met the channel of a row, the part who met that of the column."""
    if len(shared) < 2:
        return None
    ax = style.axes(height=1.6 + 0.42 * len(shared))
    values: Any = shared.to_numpy(dtype=float).copy()
    np.fill_diagonal(values, np.nan)
    top = max(0.1, float(np.nanmax(values)))
    ax.imshow(values, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    names = [term("channel", c) for c in shared.index]
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    ax.set_yticks(range(len(names)), names)
    for (i, j), v in np.ndenumerate(values):
        if v == v:
            colour = "white" if v > 0.6 * top else style.INK
            ax.annotate(style.value(v, "share", digits=0), (j, i), ha="center", va="center", fontsize=9, color=colour)
    ax.grid(visible=False)
    ax.set_title(_("Of those who met one channel, the part who met another"))
    return ax


@answers("Where do channels repeat each other?")
def overlaps(shared: pd.DataFrame) -> list[Finding]:
    """Which channel meets mostly people whom another one meets too?"""
    if len(shared) < 2:
        return []
    values: Any = shared.to_numpy(dtype=float).copy()
    np.fill_diagonal(values, -1.0)
    i, j = np.unravel_index(int(values.argmax()), values.shape)
    if values[i, j] < 0.5:
        return []
    text = _("{share} of those whom {channel} meets are met by {other} too: there both pay for the same people.")
    said = text.format(
        share=style.value(float(values[i, j]), "share"), channel=term("channel", shared.index[i]),
        other=term("channel", shared.columns[j]),
    )  # fmt: skip
    return [Finding("watch", said, None, (Figure("overlap", float(values[i, j]), "share"),))]


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))
