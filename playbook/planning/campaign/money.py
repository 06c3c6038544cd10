"""The campaigns' money: by week, beside the budget of each channel and month, and shared out so that it ties."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial
from typing import Any

import ibis
import pandas as pd

from ... import period as periods
from ... import style
from ...data.engine import as_table
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import N_, _, term
from ...methods.apportion import apportion
from ...missing import Missing, answers
from .coming import ALWAYS_DAYS

UNASSIGNED = N_("not yet assigned", "flight_id")
DAY = pd.Timedelta(days=1)


def columns() -> list[Column]:
    """What a shop's ``plan/budget_plan.csv`` must hold."""
    return [
        Column("month", required=True, check=_month),
        Column("channel", required=True),
        Column("budget", required=True, between=(0.0, 1e12)),
    ]


def _month(text: str) -> str:
    try:
        said = periods.parse(text)
    except ValueError:
        return _("must be a month such as 2026-11")
    return "" if said.days in range(28, 32) and said.start.day == 1 else _("must be a month such as 2026-11")


@answers("How much may each channel spend?")
def accepted(sheet: pd.DataFrame | None, targets: ibis.Table | None, *, today: dt.date) -> Any:
    """How much may each channel spend in each month to come?

    Parameters
    ----------
    sheet : DataFrame, optional
        ``plan/budget_plan.csv``, read by `playbook.data.plan_sheets.read` with `columns`: what the shop has accepted.
    targets : Table, optional
        metric, period, target, channel: the targets of ad_spend stand in where there is no sheet.
    today : date
        Months that begin on it or later.

    Returns
    -------
    DataFrame
        month, channel, budget (Decimal); ``attrs``: source (plan/budget_plan.csv or targets), notes. A Missing where
        there are neither.
    """
    if sheet is not None and len(sheet):
        rows, source = sheet[["month", "channel", "budget"]].copy(), "plan/budget_plan.csv"
    elif targets is not None and {"channel", "target"} <= set(targets.columns):
        table = as_table(targets)
        mine = table.filter((table["metric"] == "ad_spend") & table["channel"].notnull())
        told = mine.select("period", "channel", "target", "recorded_at").to_pandas().sort_values("recorded_at")
        told = told.drop_duplicates(["period", "channel"], keep="last")
        rows, source = told.rename(columns={"period": "month", "target": "budget"}), "targets"
    else:
        rows, source = pd.DataFrame(columns=["month", "channel", "budget"]), ""
    rows = rows[[not _month(str(m)) and periods.parse(str(m)).start >= today for m in rows["month"]]]
    if rows.empty:
        remedy = _(
            "Take the budget that 04b proposes, or write `plan/budget_plan.csv`; its first row holds: {columns}."
        )
        return Missing("plan/budget_plan.csv", remedy=remedy.format(columns="month, channel, budget"))
    rows = rows.assign(budget=[Decimal(str(b)).quantize(Decimal("0.01")) for b in rows["budget"]])
    out = rows.groupby(["month", "channel"], as_index=False)["budget"].sum()  # a channel's activities together
    words = _("No budget is accepted in plan/budget_plan.csv; the targets of advertising spend stand in for it.")
    out.attrs = {"source": source, "notes": [words] if source == "targets" else []}
    return out


def _dated(flights: pd.DataFrame) -> pd.Series:
    """Which flights have days of their own; the others always run."""
    return (flights["ends"] - flights["begins"]).dt.days < ALWAYS_DAYS


@answers("How much is spent in each week?")
def by_week(flights: pd.DataFrame) -> pd.DataFrame:
    """How much do the campaigns with days of their own spend in each week and channel?

    Parameters
    ----------
    flights : DataFrame
        Of `playbook.planning.campaign.flights`: each budget is spread over its days, to the cent.

    Returns
    -------
    DataFrame
        week (its Monday), channel (empty: none named), budget; weeks from today on, each channel in each. The parts of
        a flight before today are left out.
    """
    mine = flights[_dated(flights) & (flights["budget"] > 0)]
    today, last = flights.attrs["today"], flights.attrs["last"]
    parts = []
    for f in mine.to_dict("records"):
        days = pd.date_range(f["begins"], f["ends"])
        money = apportion(Decimal(str(f["budget"])), [1] * len(days))
        parts.append(pd.DataFrame({"day": days, "channel": f["channel"], "budget": money}))
    every = pd.concat(parts) if parts else pd.DataFrame({"day": pd.to_datetime([]), "channel": [], "budget": []})
    every = every[(every["day"] >= today) & (every["day"] <= last)]
    monday = every["day"] - pd.to_timedelta(every["day"].dt.day_of_week, unit="D")
    weeks = pd.date_range(today - today.day_of_week * DAY, last, freq="7D")
    sums = every.groupby([monday.rename("week"), "channel"])["budget"].sum()
    grid = pd.MultiIndex.from_product([weeks, sorted(every["channel"].unique())], names=["week", "channel"])
    return sums.reindex(grid, fill_value=Decimal(0)).reset_index()


def _in_month(flight: dict[str, Any], month: str) -> Decimal:
    """How much of a flight's budget falls into a month."""
    days = pd.date_range(flight["begins"], flight["ends"])
    money = apportion(Decimal(str(flight["budget"])), [1] * len(days))
    return sum((x for x, d in zip(money, days, strict=True) if f"{d:%Y-%m}" == month), Decimal(0))


@answers("Does the money tie to the budget?")
def ties(flights: pd.DataFrame, budget: pd.DataFrame, *, begun_by: pd.Timestamp | None = None) -> pd.DataFrame:
    """Do the campaigns keep within the budget of their channel and month?

    Parameters
    ----------
    flights : DataFrame
        Of `playbook.planning.campaign.flights`.
    budget : DataFrame
        Of `accepted`.
    begun_by : Timestamp, optional
        Only campaigns that begin until then: what a campaign finds taken, with its own part.

    Returns
    -------
    DataFrame
        month, channel, budget, campaigns (what those with days of their own take of it), left (for what always runs;
        negative: more is promised than there is), used (campaigns / budget; NaN without a budget). Only months that
        lie in the calendar as a whole, and its campaigns that name a channel.
    """
    mine = flights[_dated(flights) & (flights["budget"] > 0) & (flights["channel"] != "")]
    mine = mine if begun_by is None else mine[mine["begins"] <= begun_by]
    rows = []
    for row in budget.to_dict("records"):
        if pd.Timestamp(periods.parse(row["month"]).last_day) > flights.attrs["last"]:
            continue
        told = mine[mine["channel"] == row["channel"]].to_dict("records")
        taken = sum((_in_month(f, row["month"]) for f in told), Decimal(0))
        used = float(taken / row["budget"]) if row["budget"] else float("nan")
        rows.append((row["month"], row["channel"], row["budget"], taken, row["budget"] - taken, used))
    out = pd.DataFrame(rows, columns=["month", "channel", "budget", "campaigns", "left", "used"])
    out.attrs = {"source": budget.attrs["source"], "notes": list(budget.attrs["notes"])}
    return out


def tied(flights: pd.DataFrame | Missing, tie: pd.DataFrame | Missing) -> Any:
    """How much is each campaign given in each month, so that the sums are the budget's to the cent?

    Campaigns with days of their own get what they ask for, or all get as much less as the budget falls short; what is
    left goes to those that always run, in proportion to their budgets.

    Parameters
    ----------
    flights, tie : DataFrame
        Of `playbook.planning.campaign.flights` (or `parted`), `ties`.

    Returns
    -------
    DataFrame
        month, channel, flight_id, requested, budget (Decimal): the budgets of a channel and month sum to that of `tie`.
        What nobody asks for stands as “not yet assigned”. A Missing, whose card `ties` has shown, where one is.
    """
    if isinstance(flights, Missing) or isinstance(tie, Missing):
        return next(x for x in (tie, flights) if isinstance(x, Missing)).quiet()
    rows: list[tuple[str, str, str, Decimal | None, Decimal]] = []
    for t in tie.to_dict("records"):
        mine = flights[(flights["channel"] == t["channel"]) & (flights["budget"] > 0)]
        dated = mine[_dated(mine)].to_dict("records")
        asked = {f["flight_id"]: _in_month(f, t["month"]) for f in dated}
        asked = {f: x for f, x in asked.items() if x > 0}
        whole = sum(asked.values(), Decimal(0))
        given = asked if whole <= t["budget"] else dict(
            zip(asked, apportion(t["budget"], list(asked.values())), strict=True)
        )  # fmt: skip
        rows += [(t["month"], t["channel"], f, asked[f], x) for f, x in given.items()]
        left = t["budget"] - sum(given.values(), Decimal(0))
        first, last = (pd.Timestamp(d) for d in (periods.parse(t["month"]).start, periods.parse(t["month"]).last_day))
        always = mine[~_dated(mine) & (mine["begins"] <= last) & (mine["ends"] >= first)]
        if left > 0 and len(always):
            shares = zip(always["flight_id"], apportion(left, list(always["budget"])), strict=True)
            rows += [(t["month"], t["channel"], f, None, x) for f, x in shares]
        elif left > 0:
            rows.append((t["month"], t["channel"], UNASSIGNED, None, left))
    return pd.DataFrame(rows, columns=["month", "channel", "flight_id", "requested", "budget"])


@answers("Does the money tie to the budget?")
def findings(tie: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which channels have promised more to campaigns than they have?

    Parameters
    ----------
    tie : DataFrame
        Of `ties`.
    """
    out, money = [], partial(style.value, unit="currency", currency=currency)
    for t in tie[tie["left"].astype(float) < 0].to_dict("records"):
        text = _("In {month} the campaigns of {channel} take {campaigns}, its budget is {budget}: {over} too much.")
        words = {"month": style.period(periods.parse(t["month"])), "channel": term("channel", str(t["channel"]))}
        sums = {"campaigns": money(t["campaigns"]), "budget": money(t["budget"]), "over": money(-t["left"])}
        cut = {"month": t["month"], "channel": str(t["channel"])}
        figure = Figure("budget.left", t["left"], "currency", by=cut)
        out.append(Finding("act", text.format(**words, **sums), float(-t["left"]), (figure,)))
    if not out and len(tie):
        text = _("The campaigns keep within the budget of every channel and month ({source}).")
        whole = Figure("budget.campaigns", tie["campaigns"].sum(), "currency")
        out.append(Finding("hold", text.format(source=tie.attrs["source"]), None, (whole,)))
    return out
