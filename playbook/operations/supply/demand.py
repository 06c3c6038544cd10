"""What customers want: units by product and day, and what they will want, with festivals and promotions counted in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.linear_model import PoissonRegressor
from threadpoolctl import threadpool_limits

from ... import style
from ...data.engine import as_table
from ...language import _
from ...methods.seasonality import festivals
from ...missing import Missing, answers, quietly
from .chances import UNTRIED, quantile, spread_of

YEARS = 3
"""Years of the past that a forecast looks at."""
BASE_DAYS = 56
"""Latest days that say how much of a product sells when nothing is on."""
PRIOR_DAYS = 28
"""Days that the rate of the whole last year weighs beside them: a slow seller's eight weeks are few sales."""
FEW = 100
"""Units sold that weigh as much as those of all products, where the luck of single sales is told."""
AHEAD = 150
"""Most days that can be forecast."""
LEAST_DAYS = 56
"""Fewest days of history of which anything is said."""


@answers("How many units are sold each day?")
def daily(
    orders: ibis.Table,
    items: ibis.Table,
    *,
    until: dt.date,
    by_channel: bool = False,
    without: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How many units of each product are sold each day?

    Parameters
    ----------
    orders, items : Table
        Canonical `orders` and `order_items`; only paid orders count, on the day they were placed.
    until : date
        The day after the last one.
    by_channel : bool
        By platform too.
    without : DataFrame, optional
        Orders that are none (order_id, and platform where there are several), as `audit.queue` names them.

    Returns
    -------
    DataFrame
        day, product_id, units, and with `by_channel` platform; days without a sale are not there.
    """
    orders, items = as_table(orders), as_table(items)
    paid = orders.paid_at if "paid_at" in orders.columns else orders.ordered_at
    start, end = pd.Timestamp(until) - pd.DateOffset(years=YEARS), pd.Timestamp(until)
    placed = orders.ordered_at
    bought = orders.filter(paid.notnull(), placed >= start.to_pydatetime(), placed < end.to_pydatetime())
    key = [c for c in ("platform", "order_id") if c in orders.columns and c in items.columns]
    if without is not None and len(without):
        named = [c for c in key if c in without.columns]
        bought = bought.anti_join(as_table(without[named].drop_duplicates()), named)
    group = ["day", "product_id", *(["platform"] if by_channel and "platform" in bought.columns else [])]
    bought = bought.select(
        *key, day=bought.ordered_at.cast("date"), **({"of": bought.platform} if group[2:] and len(key) < 2 else {})
    )
    lines = items.select(*key, "product_id", "quantity").inner_join(bought, key)
    if "of" in lines.columns:
        lines = lines.rename(platform="of")
    frame = lines.group_by(group).aggregate(units=lines.quantity.sum()).order_by(group).to_pandas()
    frame["day"] = pd.to_datetime(frame["day"])
    return frame


@dataclass(frozen=True)
class Demand:
    """Demand by product and day, as it was and as it is expected.

    Attributes
    ----------
    products : Index
        product_id.
    days : DatetimeIndex
        Those of the past.
    units : ndarray, products × days
        Sold.
    there : ndarray of bool, products × days
        Whether the product was on sale and to be had: other days say nothing about demand.
    factor : ndarray, products × (days + AHEAD)
        How much more than usual sells: season, weekday, festivals, promotions.
    spread : float
        Relative error that forecasts of four weeks had, beyond the luck of single sales and what few sales tell of a
        product's level; from the backtest.
    luck: ndarray
        Variance of each product's sales over their mean where the rate is known: 1 is Poisson's, more where people buy
        several at once.
    category: ndarray
        Position of each product's category.
    offers : ndarray of bool, kinds × products × (days + AHEAD)
        Which kinds of promotion are on.
    """

    products: pd.Index
    days: pd.DatetimeIndex
    units: np.ndarray
    there: np.ndarray
    factor: np.ndarray
    spread: float
    luck: np.ndarray
    category: np.ndarray
    offers: np.ndarray

    def base(self, at: int | None = None) -> np.ndarray:
        """Units a day of each product when nothing is on, as known before position `at` of the days."""
        at = len(self.days) if at is None else at

        of_year, weight = self._sums(at - 365, at)
        usual = np.divide(of_year, weight, out=np.zeros(len(weight)), where=weight > 0)
        sold, days = self._sums(at - BASE_DAYS, at)
        return (sold + PRIOR_DAYS * usual) / (days + PRIOR_DAYS)

    def error(self, at: int | None = None) -> np.ndarray:
        """Relative error of each product's forecast, beyond the luck of the sales to come: a slow seller's is larger.

        Its level is told by few sales, whose own luck is in it (the variance of `base`, with `luck`).
        """
        at = len(self.days) if at is None else at
        _of_year, weight = self._sums(at - 365, at)
        _sold, days = self._sums(at - BASE_DAYS, at)
        told = (days + PRIOR_DAYS) ** 2 / np.maximum(days + PRIOR_DAYS**2 / np.maximum(weight, 1), 1)
        return np.hypot(self.spread, np.sqrt(self.luck / np.maximum(self.base(at) * told, 1)))

    def _sums(self, first: int, at: int) -> tuple[np.ndarray, np.ndarray]:
        """Units sold from one day to before another while there, and usual days that these are worth."""
        span = slice(max(first, 0), at)
        there = self.there[:, span]
        return (self.units[:, span] * there).sum(1), (self.factor[:, span] * there).sum(1)

    def expected(self, first: int, last: int, at: int | None = None) -> np.ndarray:
        """Expected units, products × days `first` to before `last` (positions; beyond the past: ahead)."""
        return self.base(at)[:, None] * self.factor[:, first:last]

    def ahead(self, days: int) -> pd.DataFrame:
        """What will be asked for in the coming days: day, product_id, expected (units)."""
        n = len(self.days)
        days = min(days, AHEAD)
        when = pd.date_range(self.days[-1] + pd.Timedelta(days=1), periods=days)
        units = self.expected(n, n + days)
        return pd.DataFrame(
            {
                "day": np.tile(when, len(self.products)),
                "product_id": np.repeat(self.products.to_numpy(object), days),
                "expected": units.ravel(),
            }
        )


@answers("What will customers want?")
def model(
    sold: pd.DataFrame,
    *,
    until: dt.date,
    products: ibis.Table | None = None,
    promotions: ibis.Table | None = None,
    gone: pd.DataFrame | None = None,
    backtest: bool = True,
) -> Demand:
    """What will customers want, if festivals and promotions work as they did?

    A Poisson regression of units by category and day on trend, weekday, the season of the year, each festival's phases
    and promotions by kind and scope says how much more than usual a day sells; a product's own last weeks say how much
    is usual. Promotions that are planned count on the days ahead.

    Parameters
    ----------
    sold : DataFrame
        What `daily` returned.
    until : date
        The day after the last one of the past.
    products, promotions : Table, optional
        Canonical; without products all are one category, without promotions only festivals lift demand.
    gone : DataFrame, optional
        product_id and day on which a product was not to be had.
    backtest : bool
        Whether the error of past forecasts is measured (six further fits).

    Returns
    -------
    Demand
        A Missing where fewer than eight weeks are known.

    References
    ----------
    McCullagh, P., Nelder, J. A. (1989). Generalized Linear Models, ch. 6. Hoerl, A. E., Kennard, R. W. (1970). Ridge
    regression. Technometrics 12, 55–67.
    """
    last = pd.Timestamp(until) - pd.Timedelta(days=1)
    days = pd.date_range(sold["day"].min() if len(sold) else last, last)
    if len(days) < LEAST_DAYS:
        return Missing(  # type: ignore[return-value]
            _("{need} days of sold units").format(need=LEAST_DAYS), remedy=_("Import orders with their lines.")
        ).asked(_("What will customers want?"))
    table = sold.groupby(["product_id", "day"])["units"].sum().unstack(fill_value=0).reindex(columns=days, fill_value=0)
    table = table.sort_index()
    units = table.to_numpy(float)
    there = np.cumsum(units, axis=1) > 0  # from the first sale on
    if gone is not None and len(gone):
        row, column = table.index.get_indexer(gone["product_id"]), days.get_indexer(pd.to_datetime(gone["day"]))
        known = (row >= 0) & (column >= 0)
        there[row[known], column[known]] = False
    about = _about(table.index, products)
    there &= about["retired_on"].isna().to_numpy()[:, None] | (
        days.to_numpy()[None] <= about["retired_on"].to_numpy()[:, None]
    )
    offers = _offers(promotions, table.index, about["category"], days)
    category = pd.factorize(about["category"])[0]
    factor = _factors(units, there, category, days, offers)
    luck = _luck(units, there, factor)
    demand = Demand(table.index, days, units, there, factor, UNTRIED, luck, category, offers)
    if not backtest or len(days) < 2 * 365:
        return demand
    errors = []
    for back in range(56, 366, 56):
        errors += missed(refit(demand, len(days) - back), demand)
    return replace(demand, spread=spread_of(errors))


def missed(then: Demand, whole: Demand) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What was said of each product for two months after an earlier fit, what came, and the variance of luck alone.

    Each month is told on the day before it, by the products' levels known then.
    """
    out = []
    known = replace(then, units=whole.units, there=whole.there, spread=0.0)
    for at in (len(then.days), len(then.days) + 28):
        there = whole.there[:, at : at + 28]
        said = (known.expected(at, at + 28, at) * there).sum(1)
        came = (whole.units[:, at : at + 28] * there).sum(1)
        out.append((said, came, then.luck * said + (known.error(at) * said) ** 2))
    return out


def refit(demand: Demand, at: int) -> Demand:
    """The same model as it would have been before position `at` of the days."""
    units, there, days = demand.units[:, :at], demand.there[:, :at], demand.days[:at]
    offers = demand.offers[..., : at + AHEAD]
    factor = _factors(units, there, demand.category, days, offers)
    return replace(
        demand, days=days, units=units, there=there, offers=offers, factor=factor, luck=_luck(units, there, factor)
    )


def _luck(units: np.ndarray, there: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Variance over mean of each product's days of the last year about their own level, drawn towards that of all."""
    span = slice(max(units.shape[1] - 365, 0), units.shape[1])
    sold, on, usual = units[:, span], there[:, span], factor[:, span]
    rate = (sold * on).sum(1) / np.maximum((usual * on).sum(1), 1e-9)
    mean = rate[:, None] * usual * on
    off = ((sold * on - mean) ** 2).sum(1)
    together = off.sum() / max(mean.sum(), 1e-9)
    return np.maximum((off + FEW * together) / (mean.sum(1) + FEW), 1.0)


def _about(ids: pd.Index, products: ibis.Table | None) -> pd.DataFrame:
    """Category and last day of each product; what is not known is empty."""
    if products is None:
        return pd.DataFrame({"category": "", "retired_on": pd.NaT}, index=ids)
    table = as_table(products)
    has = [c for c in ("product_id", "category", "retired_on") if c in table.columns]
    frame = table.select(has).to_pandas().drop_duplicates("product_id").set_index("product_id")
    frame = frame.reindex(ids).reindex(columns=["category", "retired_on"])
    return frame.assign(
        category=frame["category"].astype(object).fillna(""), retired_on=pd.to_datetime(frame["retired_on"])
    )


def _offers(promotions: ibis.Table | None, ids: pd.Index, category: pd.Series, days: pd.DatetimeIndex) -> np.ndarray:
    """Which kinds of promotion are on: kinds and scopes × products × (days + AHEAD), True or False."""
    every = pd.date_range(days[0], periods=len(days) + AHEAD)
    if promotions is None:
        return np.zeros((0, len(ids), len(every)), dtype=bool)
    table = as_table(promotions)
    wanted = ("kind", "starts_at", "ends_at", "product_id", "category", "name")
    frame = table.select([c for c in wanted if c in table.columns]).to_pandas().reindex(columns=list(wanted))
    for c in ("product_id", "category", "kind"):
        frame[c] = frame[c].astype(object).fillna("")
    scope = np.select([frame["product_id"] != "", frame["category"] != ""], ["product", "category"], "all")
    names = scope + "/" + frame["kind"].astype(str)
    kinds = sorted(set(names))
    on = np.zeros((len(kinds), len(ids), len(every)), dtype=bool)
    for name, row in zip(names, frame.itertuples(), strict=True):
        first, last = every.searchsorted([pd.Timestamp(row.starts_at).normalize(), pd.Timestamp(row.ends_at)])
        rows = np.ones(len(ids), dtype=bool)
        if row.product_id:
            rows = np.asarray(ids == row.product_id)
        elif row.category:
            rows = (category == row.category).to_numpy()
        on[kinds.index(name), rows, first:last] = True
    return on


@threadpool_limits.wrap(limits=1)
def _factors(
    units: np.ndarray, there: np.ndarray, category: np.ndarray, days: pd.DatetimeIndex, offers: np.ndarray
) -> np.ndarray:
    """How much more than usual each product sells, products × (days + AHEAD): a regression over cells of products.

    A cell holds the products of one category under the same offers of their own on a day; however many products there
    are, there are few cells.
    """
    n, ahead = len(days), offers.shape[2]
    rate = np.divide((units * there).sum(1), there.sum(1), out=np.zeros(len(units)), where=there.any(axis=1))
    code = np.zeros((len(units), ahead), dtype=np.int64)
    for k, kind in enumerate(offers):
        code |= kind.astype(np.int64) << min(k, 40)
    state, index = np.unique(code.ravel(), return_inverse=True)
    index = index.reshape(code.shape)
    cells = (category[:, None] * len(state) + index) * ahead + np.arange(ahead)[None]
    every, place = np.unique(cells.ravel(), return_inverse=True)
    place = place.reshape(cells.shape)
    weight = np.bincount(place[:, :n].ravel(), (there * rate[:, None]).ravel(), len(every))
    total = np.bincount(place[:, :n].ravel(), (units * there).ravel(), len(every))
    of, day = every // ahead, every % ahead
    flags = (state[of % len(state)][:, None] >> np.arange(len(offers))) & 1
    design = _design(days, ahead)[day]
    which = of // len(state)
    season = _yearly(days, ahead)[day]
    groups = np.eye(int(category.max()) + 1)[which]
    own = (groups[:, :, None] * season[:, None, :]).reshape(len(every), -1)
    drift = groups * design[:, :1]
    x = np.column_stack([groups, design, drift, own, flags.astype(float)])
    seen = weight > 0
    if total.sum() == 0:
        return np.ones((len(units), ahead))
    regression = PoissonRegressor(alpha=2.0 / total.sum(), solver="newton-cholesky", max_iter=60, fit_intercept=True)
    regression.fit(x[seen], total[seen] / weight[seen], sample_weight=weight[seen])
    told = regression.predict(x)
    return told[place]


def _design(days: pd.DatetimeIndex, ahead: int) -> np.ndarray:
    """Trend, weekday and festivals of each day of the past and ahead."""
    every = pd.date_range(days[0], periods=ahead)
    week = np.eye(7)[every.day_of_week][:, 1:]
    years = np.minimum(np.arange(ahead), len(days) - 1) / 365.25
    table = festivals(every[0].date(), every[-1].date())
    table = table[table["sale"] | (table["name"] == "spring_festival")]
    columns = [years[:, None], week]
    past = table[table["day"] <= days[-1]]
    for (name, phase), of in table.groupby(["name", "phase"]):
        if ((past["name"] == name) & (past["phase"] == phase)).any():
            columns.append(every.isin(of["day"]).astype(float)[:, None])
    return np.column_stack(columns)


def _yearly(days: pd.DatetimeIndex, ahead: int) -> np.ndarray:
    """The season of the year, where more than a year is known."""
    every = pd.date_range(days[0], periods=ahead)
    if len(days) < 548:
        return np.zeros((ahead, 0))
    angle = 2 * np.pi * np.asarray(every.day_of_year) / 365.25
    return np.column_stack([f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)])


@quietly
def plot_ahead(demand: Demand, *, weeks: int = 8, before: int = 52) -> Axes:
    """Units a week as they were sold, and as they are expected, with the 80 % interval."""
    n, past = len(demand.days), min(before, len(demand.days) // 7)
    sold = demand.units[:, n - 7 * past :].sum(0).reshape(past, 7).sum(1)
    ahead = demand.expected(n, n + 7 * weeks).sum(0).reshape(weeks, 7).sum(1)
    first = demand.days[-1] + pd.Timedelta(days=1)
    then = pd.date_range(first - pd.Timedelta(weeks=past), periods=past, freq="7D")
    coming = pd.date_range(first, periods=weeks, freq="7D")
    luck = float((demand.luck * demand.units.sum(1)).sum() / max(demand.units.sum(), 1))
    low, high = (quantile(ahead, q, luck, demand.spread) for q in (0.1, 0.9))
    ax = style.axes(height=3.4)
    ax.plot(then, sold, color=style.OWN)
    ax.plot([then[-1], *coming], [sold[-1], *ahead], color=style.BAD, linestyle="--")
    ax.fill_between(coming, low, high, color=style.BAD, alpha=0.16, linewidth=0)
    style.date_axis(ax)
    style.count_axis(ax)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(_("units a week"))
    ax.set_title(_("Units a week: sold, and expected with festivals and planned promotions"))
    return ax
