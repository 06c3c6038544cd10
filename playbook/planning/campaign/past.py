"""What earlier campaigns of the kind brought and taught, and what that leads to expect of the one to come."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ...data.engine import as_table
from ...language import _
from ...missing import Missing, answers
from ...outlook import Forecast
from .coming import Campaign, festivals

BASE_DAYS = 28
UNITS = {
    "orders_a_day": "count", "before_a_day": "count", "uplift": "share", "busiest": "ratio", "net_sales": "currency",
}  # fmt: skip
DAY = pd.Timedelta(days=1)


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
    return [(f["festival"], f["begins"], f["ends"], "") for f in known.to_dict("records") if f["name"] in names]


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
        left), orders with _low and _high (until its end), net_sales (of so many orders, each worth what it was last
        time). A Missing where fewer than two have run.

    References
    ----------
    Hahn, G. J., Meeker, W. Q. (1991). Statistical Intervals, ch. 4 (prediction of one more observation).
    """
    if len(past) < 2:
        return Missing(
            _("two earlier campaigns of the kind"), remedy=_("Keep past promotions in the table promotions.")
        )
    wide = daily[daily["metric"] == "orders_paid"].set_index("day")["value"].astype(float)
    wide.index = pd.DatetimeIndex(wide.index)
    first = min(campaign.sells_from, pd.Timestamp(today))
    usual = float(wide.loc[first - BASE_DAYS * DAY : first - DAY].mean())
    logs = np.log1p(past["uplift"].to_numpy(float))
    n = len(logs)
    half = stats.t.ppf(0.5 + level / 2, n - 1) * logs.std(ddof=1) * math.sqrt(1 + 1 / n)
    low, mid, high = (usual * math.exp(x) for x in (logs.mean() - half, logs.mean(), logs.mean() + half))
    left = (campaign.ends - max(campaign.sells_from, pd.Timestamp(today))).days + 1
    last = past.iloc[0]
    worth = last["net_sales"] / (last["orders_a_day"] * ((last["ends"] - last["begins"]).days + 1))
    row = {
        "before_a_day": usual, "orders_a_day": mid, "orders_a_day_low": low, "orders_a_day_high": high,
        "busiest_day": usual * float(np.exp(np.log(past["busiest"].astype(float)).mean())), "n": float(n),
        "days": float(left), "orders": mid * left, "orders_low": low * left, "orders_high": high * left,
    }  # fmt: skip
    return pd.DataFrame([row | {"net_sales": worth * mid * left}])


def forecast(expected: pd.DataFrame | Missing, campaign: Campaign, *, today: dt.date) -> list[Forecast]:
    """How many orders will be paid on the days that the campaign has left? Nothing where that cannot be told."""
    if isinstance(expected, Missing) or expected.iloc[0]["days"] < 1:
        return []
    value, low, high = expected.iloc[0][["orders", "orders_low", "orders_high"]]
    return [Forecast("orders_paid", campaign.days_left(today), value, low, high, "count", method="like_before")]


@answers("What does the library teach about it?")
def taught(*libraries: pd.DataFrame, campaign: Campaign) -> pd.DataFrame:
    """Which of the shop's assets and lessons speak of campaigns of the kind?

    Parameters
    ----------
    *libraries : DataFrame
        kind, name, tags, result, lesson (`playbook.decisions.assets`).
    campaign : Campaign

    Returns
    -------
    DataFrame
        kind, name, result, lesson: where a tag stands in the campaign's name, or its name without the year, its kind or
        its category in the asset.
    """
    every = pd.concat([frame.astype(object) for frame in libraries], ignore_index=True).fillna("")
    name = f"{campaign.campaign_id} {campaign.name} {campaign.kind} {campaign.category}".casefold()
    own = {w.casefold() for w in (_stem(campaign.name), campaign.kind, campaign.category) if w}
    there = []
    for asset in every.to_dict("records"):
        tags = [t.casefold() for t in re.split(r"[\s,，、;；]+", str(asset["tags"])) if len(t) > 1]
        words = f"{asset['name']} {asset['tags']} {asset['lesson']}".casefold()
        there.append(any(t in name for t in tags) or any(w in words for w in own))
    out = every.loc[there, ["kind", "name", "result", "lesson"]].reset_index(drop=True)
    text = _("The library has nothing on campaigns of the kind yet; lessons are kept in plan/assets.csv.")
    out.attrs["notes"] = [] if len(out) else [text]
    return out
