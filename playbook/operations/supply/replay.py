"""Replay: what the reorder points would have done on the shop's own history, told only what was known before."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _, term
from ...methods.intervals import wilson
from ...missing import Missing, answers, quietly
from . import orders, safety
from .chances import spread_of
from .demand import AHEAD, Demand, missed, refit

REFIT = 56
"""Days after which the forecast is made anew."""
WARM = 4
"""Refits before the first day replayed: their errors are the spread that is known then."""


@answers("Would the reorder points have kept us able to deliver?")
def replay(
    demand: Demand,
    purchase_orders: ibis.Table,
    leads: pd.DataFrame,
    *,
    service: float | pd.Series = safety.SERVICE,
    days: int = 365,
    cover_days: int = safety.COVER_DAYS,
    rare: str = "sba",
) -> pd.DataFrame:
    """Would the reorder points have kept us able to deliver?

    Every day of the past year each product's stock, with what is on order, is held against its reorder point, which is
    computed from sales and deliveries before that day only; where it is reached, an order goes out and takes as long as
    the real delivery of that supplier at that time took. The cycle is kept if the stock lasted until then.

    Parameters
    ----------
    demand : Demand
        What `demand.model` returned; its factors are fitted anew for each eight weeks of the replay.
    purchase_orders : Table
        Canonical, with days of arrival.
    leads : DataFrame
        What `safety.lead_times` returned (which supplier a product has).
    service, cover_days, rare
        As in `safety.levels`; cycle service.
    days : int
        Days replayed, up to the end of the data.

    Returns
    -------
    DataFrame
        One row a cycle: product_id, ordered_on, lead_days, reorder_point, position (units there or on order), asked
        (units asked for while waiting), expected (the same, as it was told), kept (bool), kept_without (had there been
        no safety stock). ``attrs["aim"]``.
        A Missing where too little is known: fewer than two years of sales, or of deliveries.
    """
    n = len(demand.days)
    first = n - days
    known = leads[leads["product_id"].isin(demand.products)]
    history = orders.plain(purchase_orders, demand.days[-1].date() + dt.timedelta(days=1))
    waits = _real_waits(history, demand.days)
    known = known[known["supplier_id"].isin(waits)]
    if first < 365 or known.empty:
        what = _("two years of sales and the deliveries of a year")
        return Missing(what).asked(_("Would the reorder points have kept us able to deliver?"))
    place = demand.products.get_indexer(pd.Index(known["product_id"]))
    supplier = known["supplier_id"].to_numpy(object)
    aims = (
        np.array([service.get(p, safety.SERVICE) for p in known["product_id"]])
        if isinstance(service, pd.Series)
        else np.full(len(known), service)
    )
    units = demand.units[place]
    asked = np.concatenate([np.zeros((len(place), 1)), np.cumsum(units, axis=1)], axis=1)
    gone = np.concatenate([np.zeros((len(place), 1)), np.cumsum(~demand.there[place], axis=1)], axis=1)
    errors: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    rows, position = [], np.zeros(len(place))
    then, base, error = demand, np.zeros(len(place)), np.zeros(len(place))
    for d in range(first - WARM * REFIT, n):
        if (d - first) % REFIT == 0:
            errors += missed(then, demand) if d > first - WARM * REFIT else []
            then = refit(demand, d)
            if d >= first:
                then = replace(then, spread=spread_of(errors))
        if d < first:
            continue
        # what is known in the morning of day d; demand of day d itself comes while waiting
        day = demand.days[d]
        if (d - first) % 7 == 0:
            now = replace(then, units=demand.units, there=demand.there)
            base, error = (x[place] for x in safety.smoothed(now, rare=rare, at=d)[:2])
        if (d - first) % 3 == 0:
            told = safety.samples(history, day.date())
        waiting = [told.get(s, np.array([30.0])) for s in supplier]
        offset = d - (len(then.days))
        running = np.cumsum(base[:, None] * then.factor[place, d : len(then.days) + AHEAD], axis=1)
        if (d - first) % 3 == 0 or offset == 0:
            point = safety.reorder_points(running, waiting, then.luck[place], error, aims)
            mean = np.nanmean(safety.while_waiting(running, waiting), axis=1)
        if d == first:
            position = point + np.random.default_rng(0).uniform(0, 1, len(place)) * running[:, cover_days - 1]
        low = position <= point
        for j in np.flatnonzero(low & (then.there[place, -1])):
            wait = int(waits[supplier[j]][d])
            if d + wait < n and gone[j, d + wait] == gone[j, d]:
                real = asked[j, d + wait] - asked[j, d]
                rows.append((known["product_id"].iloc[j], day, wait, point[j], position[j], real, mean[j]))
        position = np.where(low, point + np.maximum(np.ceil(running[:, cover_days - 1]), 1), position)
        position = position - units[:, d]
    out = pd.DataFrame(
        rows, columns=["product_id", "ordered_on", "lead_days", "reorder_point", "position", "asked", "expected"]
    )
    out["kept"] = out["asked"] <= out["position"]
    out["kept_without"] = out["asked"] <= np.minimum(out["position"], out["expected"].round())
    out.attrs = {"aim": dict(zip(known["product_id"], aims, strict=True))}
    return out


def _real_waits(history: pd.DataFrame, days: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    """Days that a delivery ordered on each day took: of each supplier, those of the order placed next to it."""
    there = history.dropna(subset=["received_on"]).drop_duplicates(["purchase_order_id", "supplier_id"])
    out = {}
    for supplier, of in there.groupby("supplier_id"):
        of = of.sort_values("recorded_at")
        placed = of["recorded_at"].dt.normalize()
        took = (of["received_on"] - placed).dt.days.clip(lower=1).to_numpy()
        if len(took) >= 4:
            out[str(supplier)] = took[np.clip(np.searchsorted(placed.to_numpy(), days.to_numpy()), 0, len(took) - 1)]
    return out


@answers("Which service would have been reached?")
def reached(cycles: pd.DataFrame, classes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which service would have been reached, beside what was aimed at?

    Parameters
    ----------
    cycles : DataFrame
        What `replay` returned.
    classes : DataFrame, optional
        product_id, cell (see `classes.grid`): by cell too.

    Returns
    -------
    DataFrame
        cell (or all), cycles, aim (mean), service (part of the cycles kept), service_low, service_high (95 %,
        Wilson), without_safety (part kept without safety stock).
    """
    of = cycles.assign(aim=cycles["product_id"].map(cycles.attrs["aim"]))
    parts = [("all", of)]
    if classes is not None:
        cell = of["product_id"].map(classes.set_index("product_id")["cell"])
        parts += [(str(c), part) for c, part in of.groupby(cell)]
    rows = []
    for name, part in parts:
        if len(part):
            low, high = wilson(part["kept"].sum(), len(part))
            rows.append(
                (name, len(part), part["aim"].mean(), part["kept"].mean(), low, high, part["kept_without"].mean())
            )
    return pd.DataFrame(
        rows, columns=["cell", "cycles", "aim", "service", "service_low", "service_high", "without_safety"]
    )


@quietly
def plot_reached(told: pd.DataFrame) -> Axes:
    """Service reached in the replay (dot, 95 % interval), aimed at (line), and without safety stock (ring)."""
    frame = told.iloc[::-1]
    ax = style.axes(height=1.4 + 0.36 * len(frame))
    at = np.arange(len(frame))
    off = [
        (frame["service"] - frame["service_low"]).clip(lower=0),
        (frame["service_high"] - frame["service"]).clip(lower=0),
    ]
    ax.errorbar(frame["service"], at, xerr=off, fmt="o", color=style.OWN, elinewidth=2, label=_("reached"))
    ax.scatter(frame["aim"], at, marker="|", s=260, linewidths=3, color=style.INK, zorder=3, label=_("aimed at"))
    ax.scatter(
        frame["without_safety"],
        at,
        s=46,
        facecolors="none",
        edgecolors=style.BAD,
        linewidths=1.6,
        label=_("without safety stock"),
    )
    ax.set_yticks(at, [term("cell", name) for name in frame["cell"]])
    ax.set_ylim(-0.7, len(frame) - 0.3)
    style.share_axis(ax, which="x")
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.set_xlabel(_("part of the waits for goods in which nothing ran out"))
    ax.figure.legend(loc="outside lower center", ncols=3)
    ax.set_title(_("Would the reorder points have kept us able to deliver?"))
    return ax
