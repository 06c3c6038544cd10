"""Pre-stock: what a promotion will ask for, beside what lies in stock and comes in time, by product and channel."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...data.engine import as_table
from ...language import _, term
from ...missing import Missing, answers, quietly
from . import demand as wanted
from .chances import quantile
from .demand import Demand
from .orders import arriving

LEVEL = 0.8
"""Of the interval of demand."""
SOON = 45
"""Days within which a promotion must begin for its stock to be looked at now."""
WITHOUT = 28
"""Days that are looked at where no promotion comes."""
WORTH = 0.1
"""Part of the expected demand that must lack on the worst day before that is a failure."""
VERDICTS = ("FAIL", "REVIEW", "PASS")


@answers("Is there enough in stock for what the promotion will sell?")
def prestock(
    orders: ibis.Table,
    items: ibis.Table,
    inventory: ibis.Table,
    purchase_orders: ibis.Table | None = None,
    *,
    until: dt.date,
    ends: dt.date | None = None,
    promotions: ibis.Table | None = None,
    products: ibis.Table | None = None,
    without: pd.DataFrame | None = None,
    demand: Demand | None = None,
) -> pd.DataFrame:
    """Is there enough in stock for what the promotion will sell, and which product will run out when?

    Expected demand has festivals and planned promotions in it (see `demand.model`). Stock that is held for a channel
    serves that channel; the other stock is shared by the channels first come, first served, and is told here in
    proportion to what they will ask for. Goods on order count from the day on which they should really come: the day
    promised, and as much later as their supplier has lately been.

    Parameters
    ----------
    orders, items, inventory, purchase_orders : Table
        Canonical `orders`, `order_items`, `inventory` and `purchase_orders`.
    until : date
        The day after the last one that is known: today, ``shop.as_of.date()``.
    ends : date, optional
        Last day for which stock is needed; by default the end of the shop-wide promotion that is on or begins within
        45 days, else four weeks.
    promotions, products : Table, optional
        Canonical. Without promotions only festivals lift demand.
    without : DataFrame, optional
        Orders that are none: order_id, platform.
    demand : Demand, optional
        What `demand.model` returned, where it is already there.

    Returns
    -------
    DataFrame
        One row a product and channel, the most pressing product first: product_id, platform (empty where not known),
        verdict (FAIL: a tenth or more of what is expected to be asked for will lack; REVIEW: less than that will, or
        some if more is asked for than expected, but within its 80 % interval; PASS), runs_out_on (date; NaT: not
        before the end), expected, expected_low, expected_high (units until the end; 80 %), available (units in stock
        and not promised), inbound (units that come in time), short (units that will lack on the worst day if
        all goes as expected), short_low, short_high (if demand is at either end). ``attrs``: ``ends``, ``notes``.
        A Missing without stock, or where too little has been sold to forecast.

    References
    ----------
    Silver, E. A., Pyke, D. F., Thomas, D. J. (2017). Inventory and Production Management in Supply Chains, ch. 4–6.
    """
    sold = wanted.daily(orders, items, until=until, by_channel=True, without=without)
    if demand is None:
        demand = wanted.model(sold, until=until, products=products, promotions=promotions)
    if isinstance(demand, Missing):
        return demand
    ends = ends or horizon(promotions, until)
    days = min(max((ends - until).days + 1, 1), wanted.AHEAD)
    n = len(demand.days)
    ahead, error = demand.expected(n, n + days), demand.error()
    parts = _channel_parts(sold, demand.products, until)
    free = stock(inventory, until)
    coming = arriving(purchase_orders, until=until) if purchase_orders is not None else None
    rows = []
    for j, product in enumerate(demand.products):
        if ahead[j].sum() <= 0 or product not in free.index.get_level_values("product_id"):
            continue
        landed = np.zeros(days)
        if coming is not None:
            of = coming[coming["product_id"] == product]
            at = (pd.to_datetime(of["arrives_on"]) - pd.Timestamp(until)).dt.days.clip(lower=0).to_numpy()
            np.add.at(landed, at[at < days], of["quantity"].to_numpy(float)[at < days])
        rows += _pools(
            product, ahead[j], parts.loc[product], free.loc[product], landed, demand.luck[j], error[j], until
        )
    columns = [
        "product_id", "platform", "verdict", "runs_out_on", "expected", "expected_low", "expected_high", "available",
        "inbound", "short", "short_low", "short_high",
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=[*columns, "_lack"])
    rank = out["verdict"].map(VERDICTS.index)
    out = out.assign(_rank=rank).sort_values(
        ["_rank", "_lack", "product_id", "expected"], ascending=[True, False, True, False]
    )
    out = out.drop(columns=["_rank", "_lack"]).reset_index(drop=True)
    out["runs_out_on"] = pd.to_datetime(out["runs_out_on"])
    out.attrs = {"ends": ends, "until": until, "notes": _notes(promotions, purchase_orders)}
    return out


def horizon(promotions: ibis.Table | None, until: dt.date) -> dt.date:
    """The last day that stock is needed for: the end of the shop-wide promotion that is on or comes soon."""
    if promotions is not None:
        table = as_table(promotions)
        has = [c for c in ("product_id", "category") if c in table.columns]
        wide = table.select("starts_at", "ends_at", *has).to_pandas()
        for c in has:
            wide = wide[wide[c].isna() | (wide[c] == "")]
        start, end = pd.to_datetime(wide["starts_at"]), pd.to_datetime(wide["ends_at"])
        now = pd.Timestamp(until)
        near = (end >= now) & (start < now + pd.Timedelta(days=SOON)) & (end - start < pd.Timedelta(days=60))
        if near.any():  # what runs for months, such as a club's coupons, is no event to stock up for
            return end[near].min().date()
    return until + dt.timedelta(days=WITHOUT - 1)


@answers("What is in stock and not promised?")
def available(inventory: ibis.Table, *, until: dt.date) -> pd.Series:
    """What is in stock and not promised at the end of the last day? Units by product_id."""
    return stock(inventory, until).groupby("product_id").sum()


def stock(inventory: ibis.Table, until: dt.date) -> pd.Series:
    """Units in stock and not promised at the end of the last day, by product_id and platform ("" is for all)."""
    table = as_table(inventory)
    table = table.filter(table.day.cast("date") < until)
    last = table.group_by("product_id").aggregate(last=table.day.max())
    table = table.inner_join(last, "product_id").filter(lambda t: t.day == t.last)
    free = table.on_hand - (table["reserved"].fill_null(0) if "reserved" in table.columns else 0)
    held = table["platform"].fill_null("") if "platform" in table.columns else ibis.literal("")
    frame = table.group_by("product_id", platform=held).aggregate(units=free.sum()).to_pandas()
    return frame.set_index(["product_id", "platform"])["units"].clip(lower=0).sort_index().astype(float)


def _channel_parts(sold: pd.DataFrame, products: pd.Index, until: dt.date) -> pd.DataFrame:
    """Part of each channel in a product's demand of the last half year; the shop's parts where it sold little."""
    if "platform" not in sold.columns:
        return pd.DataFrame({"": 1.0}, index=products)
    late = sold[sold["day"] >= pd.Timestamp(until) - pd.Timedelta(days=183)]
    late = late if len(late) else sold
    table = (
        late.assign(platform=late["platform"].astype(object).fillna(""))
        .groupby(["product_id", "platform"])["units"]
        .sum()
    )
    table = table.unstack(fill_value=0).reindex(products, fill_value=0)
    usual = table.sum() / table.to_numpy().sum()
    together = table + 10 * usual  # ten units as the whole shop sells them
    return together.div(together.sum(axis=1), axis=0)


def _pools(
    product: str,
    ahead: np.ndarray,
    parts: pd.Series,
    free: pd.Series,
    landed: np.ndarray,
    luck: float,
    spread: float,
    until: dt.date,
) -> list[tuple]:
    """The rows of one product: channels with stock of their own each alone, the others together."""
    own = [c for c in parts.index if c and c in free.index]
    shared = [c for c in parts.index if c not in own]
    pools = [([c], float(free[c])) for c in own]
    loose = float(free[[c for c in free.index if c not in own]].sum())
    if shared:
        pools.append((shared, loose))
    elif loose and pools:
        pools = [(channels, units + loose * float(parts[channels].sum())) for channels, units in pools]
    rows = []
    for channels, units in pools:
        part = float(parts[channels].sum())
        if part <= 0:
            continue
        comes = landed * (part if own else 1.0)
        running, there = np.cumsum(ahead) * part, units + np.cumsum(comes)
        best, worst = (quantile(running, q, luck, spread) for q in (0.5 - LEVEL / 2, 0.5 + LEVEL / 2))
        lack, lack_low, lack_high = (float(np.max(np.append(x - there, 0))) for x in (running, best, worst))
        late = np.flatnonzero(running > there + 1e-9)
        verdict = "FAIL" if lack >= max(WORTH * running[-1], 1e-9) else "REVIEW" if lack_high > 0 else "PASS"
        gone = pd.Timestamp(until) + pd.Timedelta(days=int(late[0])) if len(late) else pd.NaT
        total = (running[-1], best[-1], worst[-1], units, comes.sum(), lack, lack_low, lack_high)
        rows += [
            (
                product,
                c,
                verdict,
                gone,
                *(x * float(parts[c]) / part for x in total),
                {"FAIL": lack, "REVIEW": lack_high}.get(verdict, -there[-1] / worst[-1] if worst[-1] else -np.inf),
            )
            for c in channels
        ]
    return rows


@answers("Which products will run out before the promotion ends?")
def by_product(checked: pd.DataFrame) -> pd.DataFrame:
    """Which products will run out before the promotion ends?

    Parameters
    ----------
    checked : DataFrame
        What `prestock` returned.

    Returns
    -------
    DataFrame
        The same columns without platform, one row a product: whole units added up, the earliest day, the worst verdict.
    """
    sums = ["expected", "expected_low", "expected_high", "available", "inbound", "short", "short_low", "short_high"]
    how = {"verdict": ("verdict", "first"), "runs_out_on": ("runs_out_on", "min")} | {c: (c, "sum") for c in sums}
    out = checked.groupby("product_id", sort=False).agg(**how).reset_index()
    out[sums] = out[sums].round()
    out.attrs = dict(checked.attrs)
    return out


@answers("Which products will run out before the promotion ends?")
def pressing(checked: pd.DataFrame) -> pd.DataFrame:
    """The rows that do not pass; by channel, as `prestock` returned them, in whole units."""
    out = checked[checked["verdict"] != "PASS"].reset_index(drop=True)
    out[out.select_dtypes("float").columns] = out.select_dtypes("float").round()
    out.attrs = dict(checked.attrs)
    return out


@quietly
def plot_prestock(checked: pd.DataFrame, *, names: pd.Series | None = None, rows: int = 12) -> Axes:
    """What will be asked for (bar, with its 80 % interval), beside stock (mark) and what comes in time (arrow)."""
    frame = by_product(checked).head(rows).iloc[::-1]
    ax = style.axes(height=1.3 + 0.36 * max(len(frame), 1))
    at = np.arange(len(frame))
    color = [
        style.BAD if v == "FAIL" else style.CATEGORIES[1] if v == "REVIEW" else style.COMPARISON
        for v in frame["verdict"]
    ]
    ax.barh(at, frame["expected"], color=color, height=0.62)
    off = [
        (frame["expected"] - frame["expected_low"]).clip(lower=0),
        (frame["expected_high"] - frame["expected"]).clip(lower=0),
    ]
    ax.errorbar(frame["expected"], at, xerr=off, fmt="none", ecolor=style.SOFT_INK, elinewidth=1.2)
    ax.scatter(frame["available"], at, marker="|", s=260, linewidths=3, color=style.INK, zorder=3)
    ax.scatter(frame["available"] + frame["inbound"], at, marker=">", s=46, color=style.OWN, zorder=3)
    ax.set_yticks(at, [str(p) if names is None else str(names.get(p, p)) for p in frame["product_id"]])
    ax.set_ylim(-0.7, len(frame) - 0.3)
    style.count_axis(ax, which="x")
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.set_xlabel(_("units until the end; bar: expected, dark mark: in stock, arrow: with what comes in time"))
    ax.set_title(_("Demand until {day}, beside stock").format(day=style.date(checked.attrs["ends"])))
    style.alt(ax, "; ".join(f"{r.product_id}: {term('verdict', r.verdict)}" for r in frame.itertuples()))
    return ax


def _notes(promotions: ibis.Table | None, purchase_orders: ibis.Table | None) -> list[str]:
    notes = []
    if promotions is None:
        notes.append(_("REVIEW: no promotions are known; demand is lifted by festivals only."))
    if purchase_orders is None:
        notes.append(_("REVIEW: no purchase orders are known; nothing that is on its way is counted."))
    return notes
