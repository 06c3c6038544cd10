"""How much to aim at: what the history says will come, what the market would ask for, and how likely a target is."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import N_, _
from ...methods.forecasting import Forecaster, forecaster
from ...missing import Missing, answers, quietly
from ...outlook import Forecast

METRICS = ("net_sales", "orders_paid", "new_customers")
"""What targets are set for: sums over months, whose total has a meaning."""


@dataclass(frozen=True)
class Ahead:
    """What the coming months of one metric may bring.

    Attributes
    ----------
    metric, unit, currency : str
    past : Series
        By month (PeriodIndex), whole months only.
    model : Forecaster
    """

    metric: str
    unit: str
    currency: str
    past: pd.Series
    model: Forecaster

    def quantile(self, q: float) -> np.ndarray:
        """What each month stays below with a chance of `q`."""
        end = self.model.predict(level=abs(2 * q - 1)) if q != 0.5 else self.model.predict()
        column = "value" if q == 0.5 else "high" if q > 0.5 else "low"
        return end[column].to_numpy(float)

    def total(self, q: float) -> float:
        """The same of all months together, taken to go together: no narrower than the truth."""
        return float(self.quantile(q).sum())

    def chance(self, target: float, month: pd.Period | None = None) -> float:
        """How likely is it that a month, or all of them together, reach a target?"""
        place = None if month is None else list(self.model.periods).index(month)

        def at(q: float) -> float:
            return self.total(q) if place is None else float(self.quantile(q)[place])

        if math.isnan(self.model.spread):
            return math.nan
        low, high = 0.0005, 0.9995
        if target <= at(low):
            return 1.0
        if target >= at(high):
            return 0.0
        for _step in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if at(middle) < target else (low, middle)
        return 1 - (low + high) / 2

    @property
    def year_ago(self) -> np.ndarray:
        """The same months of the year before; NaN where the data do not reach."""
        return self.past.reindex(self.model.periods - 12).to_numpy(float)


@answers("What may the coming months bring?")
def ahead(
    history: pd.DataFrame,
    *,
    first_day: dt.date,
    end: dt.date,
    metrics: Sequence[str] = METRICS,
    months: int = 3,
    origins: int = 8,
) -> dict[str, Ahead]:
    """What may the coming months bring, if things go on as they have?

    Parameters
    ----------
    history : DataFrame
        ``measure(shop, targets.METRICS, by=["month"], period=…)`` over all that the data hold.
    first_day, end : date
        Of the data; the months that these cut are left out.
    metrics : sequence of str
    months : int
        How many ahead.
    origins : int
        Moments of the backtest, see `forecaster`.

    Returns
    -------
    dict of str → Ahead
        Of the metrics that can be forecast. A Missing where none can.
    """
    found: dict[str, Ahead] = {}
    why = ""
    for metric in metrics:
        rows = history[history.metric == metric]
        series = pd.Series(rows.value.to_numpy(float), pd.DatetimeIndex(rows.month).to_period("M"))
        whole = (series.index.start_time >= pd.Timestamp(first_day)) & (series.index.end_time < pd.Timestamp(end))
        series = series[whole].dropna()
        if series.empty:
            continue
        model = forecaster(series, horizon=months, origins=origins)
        if model.method and not math.isnan(model.spread):
            found[metric] = Ahead(metric, str(rows.unit.iloc[0]), history.attrs.get("currency", ""), series, model)
        why = model.note
    if not found:
        return Missing(_("a longer history"), remedy=why or _("The data hold no whole month."))  # type: ignore[return-value]
    return found


@answers("What may the coming months bring?")
def of_metric(of: Mapping[str, Ahead], metric: str) -> Ahead:
    """What the coming months may bring of one metric; a Missing where it cannot be forecast."""
    if metric not in of:
        return Missing(metric, remedy=_("Its history is too short, or it never varied."))  # type: ignore[return-value]
    return of[metric]


@answers("What may each platform bring?")
def ahead_by_platform(history: pd.DataFrame, *, first_day: dt.date, end: dt.date, months: int = 3) -> dict[str, Ahead]:
    """What may the coming months bring on each platform?

    Parameters
    ----------
    history : DataFrame
        ``measure(shop, ["net_sales"], by=["month", "platform"], period=…)``.

    Returns
    -------
    dict of platform → Ahead
        Of net sales, for the platforms whose history tells.
    """
    found: dict[str, Ahead] = {}
    for platform, rows in history.groupby(history.platform.astype(str)):
        rows.attrs = history.attrs
        told = (
            ahead(rows, first_day=first_day, end=end, metrics=["net_sales"], months=months, origins=4)
            if platform
            else {}
        )
        if not isinstance(told, Missing) and "net_sales" in told:
            found[str(platform)] = told["net_sales"]
    return found


@answers("What may the coming months bring?")
def outlook(of: Mapping[str, Ahead]) -> pd.DataFrame:
    """What may each coming month bring: the middle of what is expected, and the ends of four fifths of it?

    Returns
    -------
    DataFrame
        metric, month, value (P50), low (P10), high (P90), unit, year_ago, method.
    """
    rows = []
    for a in of.values():
        said = a.model.predict(level=0.8)
        for p, before in zip(said.to_dict("records"), a.year_ago, strict=True):
            rows.append((a.metric, str(p["period"]), a.unit, p["value"], p["low"], p["high"], before, a.model.method))
    columns = ["metric", "month", "unit", "value", "low", "high", "year_ago", "method"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs = {"by": ["month"], "currency": next(iter(of.values())).currency}
    frame.attrs["notes"] = list(dict.fromkeys(a.model.note for a in of.values() if a.model.note))
    return frame


@answers("How fast does the market grow?", needs={"market": ["size"]})
def market_growth(market: ibis.Table, *, end: dt.date) -> float:
    """How much larger was the market in the last twelve months than in the twelve before?

    Only what both years tell of counts: the same categories, platforms and months.

    Returns
    -------
    float
        A fraction; NaN where the data do not hold both years.
    """
    t = market if isinstance(market, ibis.Table) else ibis.memtable(market)
    if "seller" in t.columns:
        t = t.filter(t.seller.isnull() | (t.seller == ""))
    keys = [c for c in ("category", "platform", "source") if c in t.columns]
    day = t.day.cast("date")
    sums = (
        t.group_by([*(t[k] for k in keys), day.name("on")]).aggregate(size=t["size"].sum().cast("float64")).to_pandas()
    )
    if sums.empty:
        return math.nan
    month = pd.to_datetime(sums["on"]).dt.to_period("M")
    last = min(month.max(), pd.Period(end, "M") - 1)
    sums = sums.assign(month=month)[(month <= last) & (month > last - 24)]
    sums["year"] = np.where(sums.month > last - 12, "now", "before")
    sums["at"] = sums.month.dt.month
    sums[keys] = sums[keys].fillna("")
    wide = sums.pivot_table(index=[*keys, "at"], columns="year", values="size", aggfunc="sum")
    if not {"now", "before"} <= set(wide):
        return math.nan
    both = wide.dropna()
    return float(both.now.sum() / both.before.sum() - 1) if len(both) and both.before.sum() > 0 else math.nan


_LEVELS = {
    "p10": N_("Cautious: nine in ten reach it"),
    "p50": N_("Expected: one in two reaches it"),
    "p90": N_("Bold: one in ten reaches it"),
    "year_ago": N_("As a year ago"),
    "market": N_("A year ago, grown like the market"),
    "suggested": N_("Suggested"),
}


@answers("How much should we aim at?")
def levels(of: Ahead, *, growth: float | None = None, ambition: float = 0.4, least: float = 0.2) -> pd.DataFrame:
    """How much should the coming months together bring?

    The suggested target is what is reached with a chance of `ambition` if nothing is done differently; or, where that
    is more and has at least a chance of `least`, what last year's months make if they grow like the market.

    Parameters
    ----------
    of : Ahead
    growth : float, optional
        Of the market, see `market_growth`.
    ambition, least : float
        Chances.

    Returns
    -------
    DataFrame
        level (p10, p50, p90, year_ago, market, suggested), meaning (words), target, chance (of reaching it), growth (on
        the same months a year ago). Levels that are not known are left out.
    """
    last = float(of.year_ago.sum())
    rows = {"p10": of.total(0.1), "p50": of.total(0.5), "p90": of.total(0.9), "year_ago": last}
    if growth is not None and not math.isnan(growth):
        rows["market"] = last * (1 + growth)
    suggested = of.total(1 - ambition)
    benchmark = rows.get("market", math.nan)
    if benchmark > suggested and of.chance(benchmark) >= least:
        suggested = benchmark
    rows["suggested"] = round(suggested, 2) if of.unit == "currency" else float(round(suggested))
    frame = pd.DataFrame({"level": list(rows), "target": list(rows.values())}).dropna(subset="target")
    frame.insert(1, "meaning", [_(_LEVELS[k]) for k in frame.level])
    frame["chance"] = [of.chance(t) for t in frame.target]
    frame["growth"] = frame.target / last - 1 if last > 0 else math.nan
    frame.attrs = {"currency": of.currency, "metric": of.metric, "unit": of.unit}
    return frame.reset_index(drop=True)


@answers("What comes?")
def forecasts(of: Mapping[str, Ahead], *, told: Collection[str] = ()) -> list[Forecast]:
    """The coming months, to be scored once they are over; of the metrics that are `told`, those after the next one.

    Parameters
    ----------
    of : mapping of metric → Ahead
    told : collection of str
        Metrics whose next month another notebook forecasts already.
    """
    out = []
    for a in of.values():
        for p in a.model.predict(level=0.8).to_dict("records")[a.metric in told :]:
            out.append(
                Forecast(a.metric, str(p["period"]), p["value"], p["low"], p["high"], a.unit, method=a.model.method)
            )
    return out


@answers("How much should we aim at?")
def suggested(aims: pd.DataFrame) -> float:
    """The suggested target of `levels`."""
    return float(aims.set_index("level").target["suggested"])


@quietly
def plot_outlook(of: Ahead, *, title: str, told: pd.DataFrame | None = None, shown: int = 24) -> Axes:
    """The last months, what may come with its interval, and the targets that are written down as marks."""
    past = of.past.tail(shown)
    said = of.model.predict(level=0.8)
    ax = style.axes(height=3.8)
    ax.plot(past.index.to_timestamp(), past, color=style.OWN)
    x = pd.PeriodIndex(said.period).to_timestamp()
    ax.fill_between(x, said.low, said.high, color=style.OWN, alpha=0.2)
    ax.plot([past.index[-1].to_timestamp(), *x], [past.iloc[-1], *said.value], color=style.OWN, linestyle="--")
    style.direct_label(ax, x[-1], said.value.iloc[-1], _("expected"), style.OWN)
    if isinstance(told, pd.DataFrame) and len(told):
        mine = told[(told.metric == of.metric) & (told.platform == "")]
        ax.plot(pd.PeriodIndex(mine.month, freq="M").to_timestamp(), mine.target, "D", color=style.BAD, markersize=7)
        if len(mine):
            last = pd.Period(mine.month.iloc[-1], "M").to_timestamp()
            ax.annotate(_("target"), (last, mine.target.iloc[-1]), xytext=(0, 9), textcoords="offset points",
                        color=style.BAD, fontsize=9.5, ha="center")  # fmt: skip
    if of.unit == "currency":
        style.money_axis(ax, of.currency)
    else:
        style.count_axis(ax)
    style.date_axis(ax)
    ax.set_ylim(bottom=0)
    ax.set_title(_("{metric} by month; the band holds four in five of what may come").format(metric=_(title)))
    return ax
