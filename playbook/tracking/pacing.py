"""Pacing: campaigns on their way, beside their plan, and where they will end: participants, orders and sales."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..data.engine import as_table
from ..data.plan_sheets import Column
from ..findings import Figure, Finding, Verdict
from ..language import N_, _, listing
from ..missing import Missing, answers, quietly
from ..outlook import Forecast
from ..period import Period

METRICS = {"participants": "count", "orders_paid": "count", "paid_sales": "currency"}
"""What is followed, and its unit; participants are persons who took part by then."""
LONGEST = 45  # days of a promotion that is a campaign and not a standing offer
LEVEL = 0.8
UNITS = {"days_gone": "count", "days_left": "count", "pace": "ratio", "needed": "ratio"}
PLAN_ERROR = 0.25  # spread (log) of what comes about what was planned, before anything is known
SHAPE_ERROR = 0.06  # and of the part that is due by a day, since no edition runs quite like the last
DAY_ERROR = 0.20  # and of one day
BASE = 28  # ordinary days before a campaign, by which its plan grows on the last edition's
_TITLES = {"participants": N_("Took part"), "orders_paid": N_("Orders paid"), "paid_sales": N_("Paid sales")}


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
        promotion_id, name, platform, category (None: all), starts_on, ends_on, earlier_on, earlier_ends (days of the
        last edition: the same name but for its numbers, or the same days a year before; NaT: none).
    """
    table = as_table(promotions)
    wanted = ["promotion_id", "name", "starts_at", "ends_at", "kind", "platform", "category", "product_id"]
    rows = table.select(*(c for c in wanted if c in table.columns)).to_pandas()
    for c in wanted:
        rows[c] = rows[c] if c in rows else None
    rows["starts_on"], rows["ends_on"] = (pd.to_datetime(rows[c]).dt.normalize() for c in ("starts_at", "ends_at"))
    rows = rows[((rows["ends_on"] - rows["starts_on"]).dt.days < LONGEST) & ~rows["kind"].isin(["coupon", "points"])]
    rows = rows[rows["product_id"].isna()].drop_duplicates("promotion_id")
    rows["series"] = ["".join(ch for ch in str(n) if not ch.isdigit()).strip() for n in rows["name"]]
    now = rows[(rows["starts_on"] < pd.Timestamp(period.end)) & (rows["ends_on"] >= pd.Timestamp(period.start))]
    out = []
    for r in now.sort_values(["starts_on", "promotion_id"]).to_dict("records"):
        before = rows[(rows["series"] == r["series"]) & (rows["ends_on"] < r["starts_on"])].sort_values("starts_on")
        last = before.iloc[-1] if len(before) else None
        out.append(
            {k: None if pd.isna(r[k]) else r[k] for k in ("promotion_id", "name", "platform", "category", "starts_on",
                                                         "ends_on")}
            | {"earlier_on": pd.NaT if last is None else last["starts_on"],
               "earlier_ends": pd.NaT if last is None else last["ends_on"]}
        )  # fmt: skip
    names = ["promotion_id", "name", "platform", "category", "starts_on", "ends_on", "earlier_on", "earlier_ends"]
    frame = pd.DataFrame(out, columns=names)
    if frame.empty:
        frame.attrs["notes"] = [_("No promotion of limited length ran in these days.")]
    return frame


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
    for plan in plans.to_dict("records"):
        days = pd.date_range(plan["starts_on"], plan["ends_on"])
        series = _sold(orders, order_items, products, plan)
        for metric, unit in METRICS.items():
            if metric == "participants":
                if contacts is None:
                    continue
                daily = _taking_part(contacts, plan["promotion_id"])
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


@answers("Where will the campaigns end?")
def projected(paces: pd.DataFrame) -> pd.DataFrame:
    """Where will each campaign end, and what must the days that are left bring?

    What came so far is held against what was due by then; the ratio is drawn towards 1 while little is known, and the
    rest of the plan is multiplied by it.

    Parameters
    ----------
    paces : DataFrame
        Of `pace`.

    Returns
    -------
    DataFrame
        campaign, metric, unit, days_gone, days_left, planned_so_far, actual_so_far, pace (of them, 1 is on plan),
        planned, projected, low, high (80 %), needed (times the pace so far that the days left must run at, to meet the
        plan), state ("ahead", "on plan", "behind", "over", "not begun", "no plan"). NaN where there is no plan.
    """
    rows = []
    for (pid, metric), of in paces.groupby(["promotion_id", "metric"], sort=False):
        gone = int(of["actual"].notna().sum())
        left = len(of) - gone
        so_far = float(of["actual"].max()) if gone else 0.0
        total = float(of["planned"].iloc[-1])
        due = float(of["planned"].iloc[gone - 1]) if gone else 0.0
        row = {
            "promotion_id": pid, "campaign": of["name"].iloc[0], "metric": metric, "unit": of["unit"].iloc[0],
            "days_gone": gone, "days_left": left, "planned_so_far": due, "actual_so_far": so_far,
            "pace": so_far / due if due > 0 else math.nan, "planned": total, "basis": of["basis"].iloc[0],
            "first": of["day"].iloc[0], "last": of["day"].iloc[-1],
        }  # fmt: skip
        rows.append(row | _end(so_far, due, total, gone, left))
    names = ["promotion_id", "campaign", "metric", "unit", "days_gone", "days_left", "planned_so_far", "actual_so_far",
             "pace", "planned", "projected", "low", "high", "needed", "state", "basis", "first", "last"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names)
    frame.attrs["notes"] = paces.attrs.get("notes", [])
    return frame


def _end(so_far: float, due: float, total: float, gone: int, left: int) -> dict[str, Any]:
    """Where it will end: the ratio to the plan is normal in logs, before and after what is known."""
    nothing = {"projected": math.nan, "low": math.nan, "high": math.nan, "needed": math.nan}
    if not left:
        state = "over" if total > 0 else "no plan"
        return nothing | {"projected": so_far, "low": so_far, "high": so_far, "state": state}
    if not total > 0:
        return nothing | {"state": "no plan"}
    rest, mean, spread = max(total - due, 0.0), 0.0, PLAN_ERROR
    if gone and due > 0:
        error = DAY_ERROR**2 / gone + SHAPE_ERROR**2 + 1 / max(so_far, 1.0)
        weight = PLAN_ERROR**2 / (PLAN_ERROR**2 + error)
        mean = weight * math.log(max(so_far, 0.5) / due)
        spread = math.sqrt(PLAN_ERROR**2 * (1 - weight))
    ahead = math.sqrt(spread**2 + SHAPE_ERROR**2 + DAY_ERROR**2 / left)
    z = float(stats.norm.ppf(0.5 + LEVEL / 2))
    low, middle, high = (so_far + rest * math.exp(mean + k * ahead) for k in (-z, 0.0, z))
    state = "not begun" if not gone else "behind" if high < total else "ahead" if low > total else "on plan"
    pace = so_far / due if due > 0 else math.nan
    needed = (total - so_far) / (rest * pace) if rest > 0 and pace > 0 else math.nan
    return {"projected": middle, "low": low, "high": high, "needed": max(needed, 0.0), "state": state}


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


def _taking_part(contacts: ibis.Table, promotion: str) -> pd.Series:
    """New participants by day: each person on the day on which she first took part."""
    rows = as_table(contacts)
    rows = rows.filter((rows["campaign"] == promotion) & rows["took_part"])
    first = rows.group_by("person").aggregate(day=rows["at"].min().cast("date"))
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


@answers("Where will the campaigns end?")
def in_words(ends: pd.DataFrame) -> pd.DataFrame:
    """The projections in long form, as `show` takes them: one row a campaign and figure, its plan as the target."""
    frame = ends.rename(columns={"projected": "value", "planned": "target"})
    frame = frame[["campaign", "metric", "unit", "value", "low", "high", "target"]]
    frame.attrs = {"by": ["campaign"], "titles": _TITLES, "notes": ends.attrs.get("notes", [])}
    return frame


@answers("Are the campaigns on plan?")
def states(ends: pd.DataFrame) -> pd.DataFrame:
    """Is each campaign on plan? campaign, figure, pacing (its state), days_gone, days_left, pace, needed, plan_from."""
    said = {"own": _("the shop's own plan"), "earlier": _("the last edition"), "": _("no plan, no earlier edition")}
    frame = ends.assign(
        figure=[_(_TITLES[m]) for m in ends["metric"]], pacing=ends["state"], plan_from=ends["basis"].map(said)
    )
    frame = frame[["campaign", "figure", "pacing", "days_gone", "days_left", "pace", "needed", "plan_from"]]
    frame.attrs = {"notes": ends.attrs.get("notes", [])}
    return frame


@answers("Which campaign needs a hand?")
def findings(ends: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which campaign needs a hand?

    Parameters
    ----------
    ends : DataFrame
        Of `projected`.

    Returns
    -------
    list of Finding
        One a campaign on its way or over, by its sales (else its orders); "act" where it is behind its plan even at the
        upper end. Stake: what will be lacking of the sales.
    """
    found = []
    for _pid, of in ends.groupby("promotion_id", sort=False):
        row = next((r for m in ("paid_sales", "orders_paid", "participants") for r in of[of["metric"] == m].to_dict("records")),
                   None)  # fmt: skip
        if row is None or row["state"] in ("no plan", "not begun"):
            continue
        at = {"currency": currency}
        said = {
            k: style.value(row[k], row["unit"], **at) for k in ("projected", "low", "high", "planned", "actual_so_far")
        }
        words = {
            "campaign": row["campaign"], "metric": _(_TITLES[row["metric"]]), "left": style.value(row["days_left"], "count"),
            "gone": style.value(row["days_gone"], "count"), "needed": style.value(row["needed"], "ratio"),
            "change": style.change(row["projected"] / row["planned"] - 1, "count") if row["planned"] > 0 else "", **said,
        }  # fmt: skip
        verdict: Verdict = {"behind": "act", "on plan": "hold", "ahead": "hold"}.get(row["state"], "hold")  # type: ignore[assignment]
        if row["state"] == "over":
            text = _("“{campaign}” is over: {metric} came to {actual_so_far}, {change} against a plan of {planned}.")
        elif row["state"] == "behind":
            text = _(
                "“{campaign}” is behind: it will end at {projected} ({low} to {high}) of {metric}, where {planned} were "
                "planned. To meet the plan, the {left} days left must run at {needed} times the pace so far: more "
                "budget or a better offer for those days, or a lower plan."
            )
        elif row["state"] == "ahead":
            text = _(
                "“{campaign}” is ahead: it will end at {projected} ({low} to {high}) of {metric}, where {planned} were "
                "planned. Check that stock and service hold for the {left} days left."
            )
        else:
            text = _(
                "“{campaign}” runs on plan after {gone} days: it will end at {projected} ({low} to {high}) of {metric}, "
                "where {planned} were planned."
            )
        short = row["planned"] - row["projected"]
        stake = short if row["unit"] == "currency" and verdict == "act" else None
        figure = Figure("campaign.projected", row["projected"], row["unit"], row["low"], row["high"],
                        {"campaign": row["promotion_id"], "metric": row["metric"]})  # fmt: skip
        found.append(Finding(verdict, text.format(**words), stake, (figure,)))
    return found


def forecasts(ends: pd.DataFrame, plans: pd.DataFrame) -> list[Forecast]:
    """Where campaigns of the whole shop that are on their way will end; scored when they are over.

    Parameters
    ----------
    ends, plans : DataFrame
        Of `projected` and `running`. Those of one category cannot be measured again by their days alone.
    """
    if isinstance(ends, Missing) or isinstance(plans, Missing):
        return []
    whole = plans[plans["category"].isna()].set_index("promotion_id")
    said, seen = [], set[tuple]()
    for r in ends.to_dict("records"):
        if (
            r["promotion_id"] not in whole.index
            or r["metric"] == "participants"
            or not r["days_left"]
            or math.isnan(r["low"])
        ):
            continue
        label = Period(r["first"].date(), (r["last"] + pd.Timedelta(days=1)).date()).label
        platform = whole.loc[r["promotion_id"], "platform"]
        by = {"platform": str(platform)} if platform else {}
        thing = (r["metric"], label, str(platform))
        if thing in seen:
            continue
        seen.add(thing)
        said.append(Forecast(r["metric"], label, r["projected"], r["low"], r["high"], r["unit"], LEVEL, by, "pacing"))
    return said


@quietly
def plot_pace(
    paces: pd.DataFrame, ends: pd.DataFrame, *, currency: str = "CNY", most: int = 3
) -> Sequence[Axes] | None:
    """What came, beside what was due, day by day, and where it will end: one row a campaign."""
    if paces.empty:
        return None
    import matplotlib.pyplot as plt

    latest = ends.sort_values("last", ascending=False)["promotion_id"].drop_duplicates().head(most).tolist()
    metrics = [m for m in METRICS if m in set(paces.loc[paces["promotion_id"].isin(latest), "metric"])]
    _figure, grid = plt.subplots(len(latest), len(metrics), figsize=(9, 2.7 * len(latest)), squeeze=False)
    for row, pid in zip(grid, latest, strict=True):
        for ax, metric in zip(row, metrics, strict=True):
            of = paces[(paces["promotion_id"] == pid) & (paces["metric"] == metric)]
            if of.empty:
                ax.axis("off")
                continue
            end = ends[(ends["promotion_id"] == pid) & (ends["metric"] == metric)].iloc[0]
            ax.plot(of["day"], of["planned"], color=style.COMPARISON, linewidth=1.6)
            ax.plot(of["day"], of["actual"], color=style.OWN, linewidth=2.4, marker="o", markersize=3)
            if end["days_left"] and not math.isnan(end["low"]):
                ax.plot([end["last"]] * 2, [end["low"], end["high"]], color=style.OWN, linewidth=5, alpha=0.35)
                ax.plot([end["last"]], [end["projected"]], "o", color=style.OWN, markersize=6)
            (style.money_axis(ax, currency) if of["unit"].iloc[0] == "currency" else style.count_axis(ax))
            style.date_axis(ax)
            ax.xaxis.get_major_locator().set_params(maxticks=3) if hasattr(
                ax.xaxis.get_major_locator(), "set_params"
            ) else None
            ax.margins(x=0.06)
            ax.set_ylim(bottom=0)
            ax.set_title(_(_TITLES[metric]), fontsize=10.5)
        row[0].set_ylabel(str(ends.loc[ends["promotion_id"] == pid, "campaign"].iloc[0]), fontsize=9)
    style.alt(grid[0][0], _("Campaigns against their plan: {campaigns}").format(
        campaigns=listing(str(c) for c in ends.loc[ends["promotion_id"].isin(latest), "campaign"].drop_duplicates())
    ))  # fmt: skip
    return list(grid.ravel())
