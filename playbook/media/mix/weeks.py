"""Weeks: what was sold, what was spent on which channel, and what else moves sales, one row a week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import ibis
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...methods.seasonality.calendar import CALENDAR, festivals
from ...missing import answers
from ..roi.cube import paid_for
from .lift import LIFT_COLUMNS, lift_tests

LEAST_WEEKS = 26
"""Weeks with spending that a channel needs before a model says anything of it."""
FESTIVALS = tuple(f.name for f in CALENDAR if f.sale or f.name in ("spring_festival", "national_day"))


@dataclass(frozen=True)
class Weeks:
    """What a media mix model is fitted on.

    Attributes
    ----------
    sales : Series
        Sales by week (its first day).
    spend, claimed : DataFrame
        Week × channel: money spent, and sales that the advertising platforms claim (0 where they claim nothing).
    controls : DataFrame
        Week × control, around their means: price (log, own), rivals (log, competitors'), offers (part of the full price
        that is taken off); or whatever an analyst knows.
    festive : DataFrame
        Week × festival and phase: part of the week's days.
    lifts : DataFrame
        Tests that held a channel off some regions (see `lift_tests`).
    currency : str
    notes : tuple of str
        What could not be taken into account.
    """

    sales: pd.Series
    spend: pd.DataFrame
    claimed: pd.DataFrame
    controls: pd.DataFrame
    festive: pd.DataFrame
    lifts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LIFT_COLUMNS))
    currency: str = "CNY"
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> list[str]:
        """The channels that have enough weeks with spending to be told apart, by what was spent."""
        often = (self.spend > 0).sum() >= LEAST_WEEKS
        return list(self.spend.sum()[often].sort_values(ascending=False, kind="stable").index)

    def until(self, n: int) -> Weeks:
        """The first `n` weeks."""
        cut = {c: getattr(self, c).iloc[:n] for c in ("sales", "spend", "claimed", "controls", "festive")}
        lifts = self.lifts[self.lifts["last"] < n]
        return Weeks(**cut, lifts=lifts, currency=self.currency, notes=self.notes)


def weeks_from(
    frame: pd.DataFrame, *, sales: str, spend: Sequence[str], controls: Sequence[str] = (), festive: bool = False
) -> Weeks:
    """The weeks of an analyst's own frame, indexed by the first day of each week.

    Parameters
    ----------
    frame : DataFrame
        One row a week.
    sales : str
        The column of sales.
    spend, controls : sequence of str
        Columns of spending, and of what else moves sales (taken around their means, in units of their spread).
    festive : bool
        Whether China's festivals and sales count.
    """
    index = pd.DatetimeIndex(frame.index)
    known = frame[list(controls)].astype(float)
    known = (known - known.mean()) / known.std().replace(0, 1)
    money = frame[list(spend)].astype(float).set_axis(index)
    parts = _festive(index) if festive else pd.DataFrame(index=index)
    return Weeks(frame[sales].astype(float).set_axis(index), money, money * 0, known.set_axis(index), parts)


@answers("What was sold and spent each week?", needs={"ad_spend": ["channel"]})
def weekly(
    orders: ibis.Table | pd.DataFrame, ad_spend: ibis.Table | pd.DataFrame,
    prices: ibis.Table | pd.DataFrame | None = None, competitors: ibis.Table | pd.DataFrame | None = None, *,
    until: dt.date, currency: str = "CNY",
) -> Weeks:  # fmt: skip
    """What was sold and spent each week, and what else moved sales?

    Parameters
    ----------
    orders : Table
        paid_at, amount (money); discount, region where known.
    ad_spend : Table
        day, platform, level, channel, spend (money); region, conversion_value where known.
    prices : Table, optional
        product_id, changed_at, price; platform where known.
    competitors : Table, optional
        competitor, item, day, price; platform where known.
    until : date
        The day after the last; only whole weeks that end by then count.

    Returns
    -------
    Weeks
        From the first whole week with orders to the last one. Sales are what paid orders came to, before returns.
    """
    notes: list[str] = []
    paid = as_table(orders)
    paid = paid.filter(paid.paid_at.notnull() & (paid.paid_at < ibis.timestamp(dt.datetime.combine(until, dt.time()))))
    off = paid.discount.fill_null(0) if "discount" in paid.columns else ibis.literal(0).cast("decimal(18, 4)")
    by_week = paid.mutate(week=paid.paid_at.truncate("W"), off=off)
    sold = by_week.group_by("week").aggregate(
        sales=by_week.amount.sum().cast("float64"), off=by_week.off.sum().cast("float64"), first=by_week.paid_at.min()
    ).order_by("week").to_pandas()  # fmt: skip
    sold["week"] = pd.to_datetime(sold["week"])
    first = sold["week"].min() + pd.Timedelta(days=7 if sold["first"].min() >= sold["week"].min() + _DAY else 0)
    index = pd.date_range(first, pd.Timestamp(until) - pd.Timedelta(days=7), freq="W-MON", name="week")
    sold = sold.set_index("week").reindex(index).fillna(0.0)
    money, claimed = _spending(as_table(ad_spend), index)
    full = sold["sales"] + sold["off"]
    controls = pd.DataFrame(index=index)
    if sold["off"].sum() > 0:
        controls["offers"] = (sold["off"] / full.where(full > 0)).fillna(0.0)
    own, rivals = _log_price(prices, "changed_at", ["product_id", "platform"], index), None
    if competitors is not None:
        rivals = _log_price(competitors, "day", ["competitor", "item", "platform"], index)
    for name, path, note in (
        ("price", own, _("REVIEW: no history of own prices, so changes of price are not taken into account.")),
        ("rivals", rivals, _("REVIEW: no competitors' prices, so they are not taken into account.")),
    ):
        if path is None:
            notes.append(note)
        elif path.std() > 0:
            controls[name] = path
    controls = controls - controls.mean()
    lifts = lift_tests(orders, ad_spend, index)
    return Weeks(sold["sales"], money, claimed, controls, _festive(index), lifts, currency, tuple(notes))


_DAY = pd.Timedelta(days=1)


def _spending(table: ibis.Table, index: pd.DatetimeIndex) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = paid_for(table, index[0].date(), (index[-1] + pd.Timedelta(days=7)).date()) if len(index) else None
    if rows is None:
        return pd.DataFrame(index=index), pd.DataFrame(index=index)
    rows = rows.filter(rows.channel.notnull()).mutate(week=rows.day.truncate("W"))
    found = rows.group_by(["week", "channel"]).aggregate(
        spend=rows.spend.sum().cast("float64"), claimed=rows.claimed.sum().cast("float64")
    ).order_by(["week", "channel"]).to_pandas()  # fmt: skip
    found["week"] = pd.to_datetime(found["week"])
    wide = found.pivot(index="week", columns="channel", values=["spend", "claimed"]).reindex(index).fillna(0.0)
    if wide.empty:
        return pd.DataFrame(index=index), pd.DataFrame(index=index)
    return wide["spend"], wide["claimed"]


def _log_price(
    table: ibis.Table | pd.DataFrame | None, at: str, keys: Sequence[str], index: pd.DatetimeIndex
) -> pd.Series | None:
    """The mean log price of a week over all that has a price, each against its own mean; None where none is known."""
    if table is None:
        return None
    rows = as_table(table)
    keys = [k for k in keys if k in rows.columns]
    rows = rows.mutate(_at=rows[at].cast("date")).filter(rows.price > 0)
    rows = rows.group_by([*keys, "_at"]).aggregate(log=rows.price.cast("float64").ln().mean()).to_pandas()
    if rows.empty or not len(index):
        return None
    rows["_at"] = pd.to_datetime(rows["_at"])
    days = pd.date_range(index[0], index[-1] + pd.Timedelta(days=6))
    path = rows.pivot(index="_at", columns=keys, values="log").sort_index()
    path = path.reindex(path.index.union(days)).ffill().reindex(days)
    path = (path - path.mean()).mean(axis=1)
    return path.resample("W-MON", label="left", closed="left").mean().reindex(index).ffill().fillna(0.0)


def _festive(index: pd.DatetimeIndex) -> pd.DataFrame:
    """Part of each week's days that belongs to each phase of each festival; a day belongs to the first of several."""
    if not len(index):
        return pd.DataFrame(index=index)
    days = festivals(index[0].date(), (index[-1] + pd.Timedelta(days=6)).date(), names=FESTIVALS)
    days = days.drop_duplicates("day")
    days["week"] = days["day"] - pd.to_timedelta(days["day"].dt.day_of_week, unit="D")
    wide = days.groupby(["week", "name", "phase"]).size().unstack(["name", "phase"], fill_value=0) / 7
    wide.columns = [f"{name} {phase}" for name, phase in wide.columns]
    return wide.reindex(index).fillna(0.0).sort_index(axis=1)
