"""Safety stock and reorder points: how much must be there so that the aimed part of waiting times goes well."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...language import _
from ...missing import Missing, answers, quietly
from . import intermittent, orders
from .chances import shape, variance
from .demand import AHEAD, Demand

REVIEW_DAYS = 1
"""Stock is looked at once a day; what sells until then must be there as well."""
COVER_DAYS = 28
"""Days of demand that an order is for."""
SERVICE = 0.95
POINTS = 24
"""Points by which the distribution of a lead time is told."""
ODD = 0.01
"""Chance of a shift as large where there is none, below which a supplier has changed."""
SMOOTHING = 0.05
"""Weight of the latest sale of what sells now and then."""
FEW = 3
"""Deliveries of which no spread is told."""

Measure = Literal["cycle", "fill"]


@answers("How long does it take until goods are there?")
def lead_times(
    purchase_orders: ibis.Table | None,
    products: ibis.Table | None = None,
    suppliers: ibis.Table | None = None,
    *,
    until: dt.date,
) -> pd.DataFrame | Missing:
    """How long does it take until what is ordered is there, product by product?

    Parameters
    ----------
    purchase_orders, products, suppliers : Table, optional
        Canonical. The supplier's last twelve deliveries count, and what is overdue counts as at least as late as it is
        now; where none has been delivered, the agreed lead time (of the product, else of its supplier).

    Returns
    -------
    DataFrame
        product_id, supplier_id, deliveries (known ones of the supplier), leads (array: equally likely days of the
        next one). Products without any lead time are not there. A Missing where
        there is none at all.
    """
    about = pd.DataFrame({"product_id": pd.Series(dtype=object), "supplier_id": "", "agreed": np.nan})
    if products is not None:
        table = as_table(products)
        wanted = ["product_id", "supplier_id", "lead_days"]
        about = table.select([c for c in wanted if c in table.columns]).to_pandas().reindex(columns=wanted)
        about = about.drop_duplicates("product_id").rename(columns={"lead_days": "agreed"})
    told: dict[str, np.ndarray] = {}
    counts = pd.Series(dtype=float)
    if purchase_orders is not None:
        frame = orders.plain(purchase_orders, until)
        told = samples(frame, until)
        counts = frame.dropna(subset=["received_on"]).groupby("supplier_id")["purchase_order_id"].nunique()
        latest = frame.sort_values("recorded_at").drop_duplicates("product_id", keep="last")
        about = about.merge(latest[["product_id", "supplier_id"]], on="product_id", how="outer", suffixes=("", "_last"))
        about["supplier_id"] = about["supplier_id"].where(
            about["supplier_id"].astype(object).fillna("") != "", about["supplier_id_last"]
        )
    agreed = pd.to_numeric(about["agreed"])
    if suppliers is not None and "lead_days" in as_table(suppliers).columns:
        of = as_table(suppliers).select("supplier_id", "lead_days").to_pandas().set_index("supplier_id")["lead_days"]
        agreed = agreed.fillna(about["supplier_id"].map(of.astype(float)))
    supplier = about["supplier_id"].astype(object).fillna("").astype(str)
    leads = [told.get(s, np.array([a]) if a == a else np.array([])) for s, a in zip(supplier, agreed, strict=True)]
    out = pd.DataFrame({"product_id": about["product_id"], "supplier_id": supplier, "leads": leads})
    out.insert(2, "deliveries", out["supplier_id"].map(counts).fillna(0).astype(int))
    out = out[out["leads"].map(len) > 0].reset_index(drop=True)
    if out.empty:
        remedy = _("Import purchase orders with their days of arrival, or map `lead_days` of products or suppliers.")
        return Missing("purchase_orders", remedy=remedy).asked(_("How long does it take until goods are there?"))
    return out


def samples(frame: pd.DataFrame, at: dt.date) -> dict[str, np.ndarray]:
    """Days that each supplier's next delivery may take, each as likely, as known at a date.

    Student's distribution of the next one, after the last twelve; those before a change of the supplier's pace do not
    count. What is overdue is taken to be as many days away as it is late: nobody knows more of it (Gott).

    References
    ----------
    Worsley, K. J. (1979). On the likelihood ratio test for a shift in location of normal populations. JASA 74, 365–367.
    Gott, J. R. (1993). Implications of the Copernican principle for our future prospects. Nature 363, 315–319.
    """
    now = pd.Timestamp(at)
    known = frame[frame["recorded_at"] < now].drop_duplicates(["purchase_order_id", "supplier_id"], keep="last")
    placed = known["recorded_at"].dt.normalize()
    there = known["received_on"] < now
    late = ~there & (known["due_on"] < now)
    ends = known["received_on"].where(there, now + (now - known["due_on"]))
    table = known.assign(days=(ends - placed).dt.days)[there | late].sort_values(["recorded_at", "purchase_order_id"])
    return {str(s): _next(of["days"].to_numpy(float)) for s, of in table.groupby("supplier_id")}


def _next(days: np.ndarray) -> np.ndarray:
    """Equally likely days of the next delivery after these."""
    days = days[-2 * orders.LATEST :]
    start = _changed(days)
    kept, before = days[start:][-orders.LATEST :], days[:start]
    n = len(kept)
    sd = float(kept.std(ddof=1)) if n > 1 else 0.0
    if n <= FEW and start:  # hardly anything is known of the new pace: it varies at least as the old one
        sd = max(sd, float(before.std(ddof=1)), 1.0)
    points = stats.t.ppf((np.arange(POINTS) + 0.5) / POINTS, max(n - 1, FEW if start else 1)) if sd else np.zeros(1)
    return (kept.mean() + sd * np.sqrt(1 + 1 / n) * points).clip(1)


def _changed(days: np.ndarray) -> int:
    """Position from which deliveries take another time than those before; 0 where none does."""
    n = len(days)
    k = np.arange(FEW, n)
    if not len(k):
        return 0
    total, squares = np.cumsum(days), np.cumsum(days**2)
    first, second = total[k - 1] / k, (total[-1] - total[k - 1]) / (n - k)
    within = np.maximum((squares[-1] - k * first**2 - (n - k) * second**2) / (n - 2), 1.0)
    t = np.abs(first - second) / np.sqrt(within * (1 / k + 1 / (n - k)))
    best = int(np.argmax(t))
    return int(k[best]) if 2 * stats.t.sf(t[best], n - 2) * len(k) < ODD else 0


def reorder_points(
    running: np.ndarray, leads: list[np.ndarray], luck: np.ndarray, spread: np.ndarray, service: np.ndarray
) -> np.ndarray:
    """Smallest stock that lasts, with the aimed chance, until what is ordered now has come.

    Parameters
    ----------
    running : ndarray, products × days
        Expected units, added up over the coming days.
    leads : list of ndarray
        Days that deliveries took, of each product's supplier: each is as likely to be the next one.
    luck, spread : ndarray
        Of each product's demand (`Demand.luck`, `Demand.error`).
    service : ndarray
        Aimed chance, of each product.
    """
    means = while_waiting(running, leads)
    high = _most(means, luck, spread)
    low, high = np.full(len(means), -1.0), np.ceil(high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        enough = np.nanmean(_below(middle[:, None], means, luck[:, None], spread[:, None]), axis=1) >= service
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def while_waiting(running: np.ndarray, leads: list[np.ndarray]) -> np.ndarray:
    """Expected units while waiting: products × deliveries, NaN where a supplier has fewer."""
    out = np.full((len(leads), max(len(x) for x in leads)), np.nan)
    for j, days in enumerate(leads):
        at = np.clip(np.rint(days).astype(int) + REVIEW_DAYS, 1, running.shape[1]) - 1
        out[j, : len(days)] = running[j, at]
    return out


def _most(means: np.ndarray, luck: np.ndarray, spread: np.ndarray | float) -> np.ndarray:
    """More than ever will be asked for."""
    most = np.nanmax(means, axis=-1)
    return np.ceil(most + 10 * np.sqrt(variance(most, luck, spread)) + 10)


def _below(x: np.ndarray, means: np.ndarray, luck: np.ndarray | float, spread: np.ndarray | float) -> np.ndarray:
    """Chance that no more than x units are asked for, by mean."""
    chance = stats.nbinom.cdf(x, *shape(means, luck, spread))
    return np.where(np.isnan(means), np.nan, chance)


@answers("How much must be there so that we can deliver?")
def levels(
    demand: Demand,
    leads: pd.DataFrame,
    *,
    service: float | pd.Series = SERVICE,
    measure: Measure = "cycle",
    cover_days: int = COVER_DAYS,
    rare: Literal["sba", "tsb", "none"] = "sba",
) -> pd.DataFrame:
    """How much must be there so that we can deliver, and at which stock is more to be ordered?

    Both the demand while waiting and the wait itself vary: the demand of each of the supplier's last deliveries' spans
    is forecast, and the stock is chosen that lasts with the aimed chance over all of them. The textbook's formula (both
    normal) stands beside it.

    Parameters
    ----------
    demand : Demand
        What `demand.model` returned.
    leads : DataFrame
        What `lead_times` returned.
    service : float or Series by product_id
        Aimed service.
    measure : {"cycle", "fill"}
        What is aimed at. ``cycle``: the part of the times of waiting for goods in which nothing runs out. ``fill``: the
        part of the units asked for that are delivered at once.
    cover_days : int
        Days of demand that an order is for.
    rare : {"sba", "tsb", "none"}
        How the demand of products that sell now and then is smoothed (`intermittent`).

    Returns
    -------
    DataFrame
        product_id, supplier_id, pattern, daily (expected units a day while waiting), lead_days, lead_sd (days),
        deliveries (of the supplier that are known), lead_demand (expected units while waiting), safety_stock,
        safety_formula (the formula's), reorder_point (lead_demand + safety_stock), order_quantity, service (aimed),
        cycle_service, fill_rate (reached if the forecast is right); units. ``attrs["error"]``: relative error of the
        forecast, by product.

    References
    ----------
    Silver, E. A., Pyke, D. F., Thomas, D. J. (2017). Inventory and Production Management in Supply Chains, ch. 6.
    Eppen, G. D., Martin, R. K. (1988). Determining safety stock in the presence of stochastic lead time and demand.
    Management Science 34, 1380–1390.
    """
    known = leads.set_index("product_id")
    ids = [p for p in demand.products if p in known.index]
    place = demand.products.get_indexer(pd.Index(ids))
    n = len(demand.days)
    base, wrong, patterns = smoothed(demand, rare=rare)
    running = np.cumsum(base[place, None] * demand.factor[place, n : n + AHEAD], axis=1)
    days = [known.at[p, "leads"] for p in ids]
    aims = (
        np.array([service.get(p, SERVICE) for p in ids])
        if isinstance(service, pd.Series)
        else np.full(len(ids), service)
    )
    lead = np.array([x.mean() for x in days])
    lead_sd = np.array([x.std(ddof=1) if len(x) > 1 else 0.0 for x in days])
    means, luck, error = while_waiting(running, days), demand.luck[place], wrong[place]
    mean = np.nanmean(means, axis=1)
    daily = mean / (lead + REVIEW_DAYS)
    quantity = np.maximum(np.ceil(cover_days * daily), 1)
    if measure == "cycle":
        point = reorder_points(running, days, luck, error, aims)
    else:
        point = np.array([_for_fill(means[j], luck[j], error[j], quantity[j], aims[j]) for j in range(len(ids))])
    usual = stats.norm.ppf(aims) * np.sqrt(variance(mean, luck, error) + (daily * lead_sd) ** 2)
    out = pd.DataFrame(
        {
            "product_id": ids,
            "supplier_id": [known.at[p, "supplier_id"] for p in ids],
            "pattern": [patterns[j] for j in place],
            "daily": daily,
            "lead_days": lead,
            "lead_sd": lead_sd,
            "deliveries": [known.at[p, "deliveries"] for p in ids],
            "lead_demand": mean,
            "safety_stock": np.maximum(point - mean, 0),
            "safety_formula": np.maximum(usual, 0),
            "reorder_point": point,
            "order_quantity": quantity,
            "service": aims,
            "cycle_service": np.nanmean(_below(point[:, None], means, luck[:, None], error[:, None]), axis=1),
            "fill_rate": [1 - _lacking(means[j], luck[j], error[j], point[j]) / quantity[j] for j in range(len(ids))],
        }
    )
    out.attrs["error"] = dict(zip(ids, error.tolist(), strict=True))
    return out


def smoothed(demand: Demand, *, rare: str = "sba", at: int | None = None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Usual units a day of each product, the relative error of its forecast, and its pattern.

    What sells now and then by Croston's family: sales of the last year are divided by what the days' season and
    festivals make of them.
    """
    at = len(demand.days) if at is None else at
    base, error = demand.base(at), demand.error(at)
    span = slice(max(at - 365, 0), at)
    patterns = []
    for j in range(len(base)):
        there = demand.there[j, span]
        units = demand.units[j, span][there]
        patterns.append(intermittent.pattern(units))
        if patterns[-1] in ("intermittent", "lumpy") and rare != "none":
            usual = units / np.maximum(demand.factor[j, span][there], 1e-9)
            base[j] = (intermittent.sba if rare == "sba" else intermittent.tsb)(usual, alpha=SMOOTHING)
            error[j] = np.hypot(demand.spread, intermittent.error(usual, alpha=SMOOTHING))
    return base, error, patterns


def _lacking(means: np.ndarray, luck: float, spread: float, point: float) -> float:
    """Expected units that lack while waiting, if so many are there when it begins."""
    kept = means[~np.isnan(means)]
    x = np.arange(int(point))
    there = np.nanmean(_below(x[:, None], kept[None], luck, spread), axis=1) if len(x) else np.zeros(0)
    return max(float(kept.mean() - (1 - there).sum()), 0.0)


def _for_fill(means: np.ndarray, luck: float, spread: float, quantity: float, aim: float) -> float:
    """Smallest stock at which so large a part of the units asked for is delivered at once."""
    low, high = -1, int(_most(means, np.asarray(luck), spread))
    while high - low > 1:
        middle = (low + high) // 2
        if 1 - _lacking(means, luck, spread, middle) / quantity >= aim:
            high = middle
        else:
            low = middle
    return float(high)


@quietly
def plot_levels(
    told: pd.DataFrame, available: pd.Series | Missing, *, names: pd.Series | None = None, rows: int = 15
) -> Axes:
    """Demand while waiting with the safety stock on top (bars), beside what is there (mark): most pressing first."""
    there = pd.Series(dtype=float) if isinstance(available, Missing) else available
    frame = told.assign(available=told["product_id"].map(there).fillna(0.0))
    frame = frame[frame["reorder_point"] > 0]
    frame = frame.assign(part=frame["available"] / frame["reorder_point"]).sort_values("part").head(rows).iloc[::-1]
    ax = style.axes(height=1.3 + 0.34 * max(len(frame), 1))
    at = np.arange(len(frame))
    ax.barh(at, frame["lead_demand"], color=style.COMPARISON, height=0.62, label=_("demand while waiting"))
    ax.barh(
        at,
        frame["safety_stock"],
        left=frame["lead_demand"],
        color=style.CATEGORIES[4],
        height=0.62,
        label=_("safety stock"),
    )
    if len(there):
        ax.scatter(
            frame["available"], at, marker="|", s=240, linewidths=3, color=style.INK, zorder=3, label=_("in stock")
        )
    ax.set_yticks(at, [str(p) if names is None else str(names.get(p, p)) for p in frame["product_id"]])
    style.count_axis(ax, which="x")
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.set_xlabel(_("units"))
    ax.legend(loc="lower right")
    ax.set_title(_("Stock beside the reorder point, the most pressing products"))
    return ax
