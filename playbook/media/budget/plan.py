"""A budget: what each channel, activity and month gets, with a reserve; every sum ties to the cent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ... import period as periods
from ...data.engine import as_table
from ...language import _
from ...methods.apportion import apportion
from ...missing import Missing, answers
from ...period import Period
from ..mix.posterior import Curves
from ..roi.cube import paid_for
from .allocate import allocate, bounds

CENT = Decimal("0.01")
LATELY_DAYS = 91
"""Days whose spending is today's: a quarter, in which flights and pauses even out."""


@dataclass(frozen=True)
class Wish:
    """What a budget must keep to.

    Attributes
    ----------
    total : float or None
        Money for all months, the reserve included; None: as much as is spent today.
    reserve : float
        Part of it that is held back (机动资金).
    most_change : float
        Part of today's spending by which a channel may change.
    opened : tuple of str
        Channels that spend nothing today and may begin, with at most `opening` of the total each.
    between : mapping
        Channel → (least, most) money of its own.
    """

    total: float | None = None
    reserve: float = 0.1
    most_change: float = 0.2
    opened: tuple[str, ...] = ()
    between: Mapping[str, tuple[float, float]] | None = None
    opening: float = 0.1

    def __post_init__(self) -> None:
        for name in ("reserve", "opening"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    _("{name} = {value} is no part of a budget").format(name=name, value=getattr(self, name))
                )
        if not self.most_change >= 0 or (self.total is not None and not 0 <= self.total < math.inf):
            raise ValueError(_("a budget and a change are 0 or above"))


@dataclass(frozen=True)
class Plan:
    """A budget beside today's split of the same money.

    Attributes
    ----------
    mode : {"model", "rules", "held"}
        By the model's curves; by rules on what was earned; today's split, as the model may move nothing.
    months : tuple of Period
    channels : tuple of str
    today, before, after : tuple of int
        Cents by channel over the months: as spent today; the same split of what is to be spent; as planned.
    total, reserve : int
        Cents.
    curves : Curves or None
        Of those channels that the model knows.
    worth : dict
        Channel → what a unit of its sales leaves.
    currency : str
    reasons : tuple of str
    """

    mode: str
    months: tuple[Period, ...]
    channels: tuple[str, ...]
    today: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    total: int
    reserve: int
    curves: Curves | None
    worth: Mapping[str, float]
    currency: str
    reasons: tuple[str, ...] = ()

    @property
    def weeks(self) -> float:
        return sum(m.days for m in self.months) / 7

    def earned(self, cents: Sequence[int]) -> np.ndarray | None:
        """What a split leaves over the months after its cost, of the channels that the model knows: by draw."""
        if self.curves is None:
            return None
        at = [self.channels.index(c) for c in self.curves.channels]
        money = np.array([cents[i] for i in at]) / 100
        worth = np.array([self.worth[c] for c in self.curves.channels])
        return (self.curves.sales(money / self.weeks) * worth).sum(axis=1) * self.weeks - money.sum()


@answers("What is spent on each channel today?", needs={"ad_spend": ["channel"]})
def today(ad_spend: ibis.Table | pd.DataFrame, *, until: dt.date) -> pd.DataFrame:
    """What was spent on each channel and activity over the last quarter?

    Parameters
    ----------
    ad_spend : Table
        day, platform, level, channel, spend; campaign where known.
    until : date
        The day after the last.

    Returns
    -------
    DataFrame
        channel, activity (campaign; empty: not told), spend (money of `LATELY_DAYS` days). A channel that was paid for
        in the year before, and has had nothing since, is there with 0.
    """
    rows = paid_for(as_table(ad_spend), until - dt.timedelta(days=365), until)
    rows = rows.filter(rows.channel.notnull()).mutate(lately=rows.day >= until - dt.timedelta(days=LATELY_DAYS))
    found = rows.group_by(["channel", "campaign"]).aggregate(
        spend=rows.spend.sum(where=rows.lately).fill_null(0)
    ).order_by(["channel", "campaign"]).to_pandas()  # fmt: skip
    found = found.rename(columns={"campaign": "activity"}).fillna({"activity": ""})
    return found.astype({"spend": float})


def months_after(day: dt.date, n: int) -> tuple[Period, ...]:
    """The `n` calendar months from a day on (the month of the day, if it is the first)."""
    first = pd.Period(day, freq="M") + (0 if day.day == 1 else 1)
    return tuple(periods.parse(str(first + k)) for k in range(n))


@answers("How should the budget be split?")
def plan(
    spent: pd.DataFrame, curves: Curves | None = None, *, worth: Mapping[str, float], months: Sequence[Period],
    wish: Wish | None = None, verdict: str | None = None, returns: pd.DataFrame | None = None, currency: str = "CNY",
) -> Plan:  # fmt: skip
    """How should the budget be split over channels?

    Parameters
    ----------
    spent : DataFrame
        Of `today`.
    curves : Curves, optional
        Of the media mix model; without it the rules of `playbook.media.budget.rules` apply. Channels that it does not
        know keep today's part.
    worth : mapping
        Channel → what a unit of its sales leaves after goods, fees, carriage and returns.
    months : sequence of Period
        Over which it is spent.
    wish : Wish
    verdict : str
        Of the model's check: FAIL moves nothing.
    returns : DataFrame, optional
        Of `playbook.media.roi.drill` by channel, for the rules.

    Raises
    ------
    ValueError
        The total does not reach for the lower bounds.
    """
    wish = wish or Wish()
    by_channel = spent.groupby("channel", sort=False)["spend"].sum().sort_values(ascending=False, kind="stable")
    channels, days = tuple(by_channel.index), sum(m.days for m in months)
    now = [round(v * days / LATELY_DAYS * 100) for v in by_channel]
    total = sum(now) if wish.total is None else round(wish.total * 100)
    held = round(total * wish.reserve)
    before = _same_split(now, total - held)
    mode, reasons = "model", tuple[str, ...]()
    if curves is None:
        mode, reasons = "rules", (_("Too little history for a model of what each channel brings: rules decide."),)
    elif verdict == "FAIL":
        mode, reasons = "held", (_("The model failed its check, so it moves no budget: the split stays as it is."),)
    made = Plan(
        mode, tuple(months), channels, tuple(now), tuple(before), tuple(before), total, held, curves, dict(worth),
        currency, reasons,
    )  # fmt: skip
    if not channels or mode == "held":
        return _rest_to_reserve(made)
    if mode == "rules":
        from .rules import by_rules

        return _rest_to_reserve(replace(made, after=tuple(by_rules(made, returns, wish))))
    return _rest_to_reserve(replace(made, after=tuple(_by_model(made, curves, wish))))


def _by_model(made: Plan, curves: Curves | None, wish: Wish) -> list[int]:
    assert curves is not None
    out = list(made.before)
    known = [c for c in made.channels if c in curves.channels]
    at = [made.channels.index(c) for c in known]
    money = made.total - made.reserve - sum(x for i, x in enumerate(out) if i not in at)
    open_to = round(made.total * wish.opening)
    idle = [open_to if c in wish.opened else 0 for c in known]
    own = {known.index(c): (round(a * 100), round(b * 100)) for c, (a, b) in (wish.between or {}).items() if c in known}
    low, high = bounds([made.today[i] for i in at], most_change=wish.most_change, idle=idle, between=own)
    worth = np.array([made.worth[c] for c in known])
    parts = allocate(curves.only(known), money, low, high, weeks=made.weeks, worth=worth)
    for i, part in zip(at, parts, strict=True):
        out[i] = part
    return out


def _same_split(now: Sequence[int], money: int) -> list[int]:
    return [int(x / CENT) for x in apportion(Decimal(money) * CENT, now)] if now and sum(now) else [0] * len(now)


def _rest_to_reserve(made: Plan) -> Plan:
    """What no channel takes is held back, so that all adds up to the total."""
    return replace(made, reserve=made.total - sum(made.after))


@answers("What does each channel get, month by month?")
def table(made: Plan) -> pd.DataFrame:
    """The budget by channel and month, with the reserve and the sum; every row and column adds up.

    Returns
    -------
    DataFrame
        channel (code; reserve, total), a column for each month (its label), total (Decimal).
    """
    labels = [m.label for m in made.months]
    days = [m.days for m in made.months]
    rows: list[dict[str, Any]] = []
    for name, cents in (*zip(made.channels, made.after, strict=True), ("reserve", made.reserve)):
        parts = apportion(Decimal(cents) * CENT, days)
        rows.append({"channel": name} | dict(zip(labels, parts, strict=True)) | {"total": sum(parts, Decimal(0))})
    rows.append({"channel": "total"} | {c: sum((r[c] for r in rows), Decimal(0)) for c in (*labels, "total")})
    return pd.DataFrame(rows, columns=["channel", *labels, "total"])


def money(made: Plan) -> dict[str, str]:
    """The units of `table`."""
    return {} if isinstance(made, Missing) else dict.fromkeys((*(m.label for m in made.months), "total"), "currency")


@answers("What does each activity get, month by month?")
def sheet(made: Plan, spent: pd.DataFrame) -> pd.DataFrame:
    """The budget as a plan for people: a row for each channel, activity and month, the reserve last.

    Returns
    -------
    DataFrame
        channel, activity, month, budget (Decimal). The activities of a channel keep their parts of its spending.
    """
    whole = table(made).set_index("channel")
    rows = []
    for channel in (*made.channels, "reserve"):
        mine = spent[spent["channel"] == channel]
        names = list(mine["activity"]) or [""]
        weights = [Decimal(str(round(x, 2))) for x in mine["spend"]] or [Decimal(1)]
        for month in made.months:
            parts = apportion(whole.loc[channel, month.label], weights)
            rows += [
                {"channel": channel, "activity": name, "month": month.label, "budget": part}
                for name, part in zip(names, parts, strict=True)
            ]
    out = pd.DataFrame(rows, columns=["channel", "activity", "month", "budget"])
    return out[out["budget"] != 0].reset_index(drop=True)
