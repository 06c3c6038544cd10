"""How sales follow the own price: what happened when prices were changed, beside the rest of the category."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ...missing import answers

WINDOW = 28
"""Days before and after a change of price that are compared, fewer where the next change is nearer."""
SHORTEST = 7
FEWEST = 8


@answers("How do sales follow the price?", needs={"prices": ["price"], "products": ["category"]})
def elasticities(items: ibis.Table, prices: ibis.Table, products: ibis.Table) -> pd.DataFrame:
    """How much less is sold when a price is raised by a hundredth?

    Each change of a price is an event: units of the product in the weeks after it over those before, beside the same of
    the rest of its category, which has the same season and the same promotions. The logs of the two are held against
    the log change of the price, category by category.

    Parameters
    ----------
    items, prices, products : Table
        Canonical `order_items` (with ordered_at), `prices` and `products`.

    Returns
    -------
    DataFrame
        category, elasticity (per cent of units a per cent of price), low, high (95 %, errors by product), changes
        (how many), products; NaN under `FEWEST` changes or three products.

    References
    ----------
    Angrist, J. D., Pischke, J.-S. (2009). Mostly Harmless Econometrics, chapter 5 (differences); Cameron, A. C.,
    Miller, D. L. (2015). A practitioner's guide to cluster-robust inference. J. Human Resources 50, 317–372.
    """
    items, prices, products = (t if isinstance(t, ibis.Table) else ibis.memtable(t) for t in (items, prices, products))
    category = products.group_by("product_id").aggregate(category=products.category.min())
    events = _changes(prices)
    columns = ["category", "elasticity", "low", "high", "changes", "products"]
    if events.empty or "ordered_at" not in items.columns:
        return pd.DataFrame(columns=columns)
    sold = items.mutate(day=items.ordered_at.cast("date")).inner_join(category, "product_id")
    by_day = sold.group_by(["product_id", "category", "day"]).aggregate(units=sold.quantity.sum().cast("float64"))
    first, last = (pd.Timestamp(x) for x in sold.aggregate(a=sold.day.min(), b=sold.day.max()).to_pandas().iloc[0])
    events = events[(events.day - events.window >= first) & (events.day + events.window <= last + pd.Timedelta(days=1))]
    events = events.merge(category.to_pandas(), on="product_id").reset_index(drop=True)
    if events.empty:
        return pd.DataFrame(columns=columns)
    about = events.assign(
        event=np.arange(len(events)), begins=events.day - events.window, ends=events.day + events.window
    )
    e = ibis.memtable(about[["event", "product_id", "category", "day", "begins", "ends"]])
    e = e.mutate(**{c: e[c].cast("date") for c in ("day", "begins", "ends")})
    whole = by_day.group_by(["category", "day"]).aggregate(units=by_day.units.sum())
    own = _beside(e, by_day, "product_id")
    every = _beside(e, whole, "category")
    told = about.merge(own, on="event").merge(every, on="event", suffixes=("", "_all"))
    rest_before, rest_after = told.before_all - told.before, told.after_all - told.after
    told = told[(rest_before > 0) & (rest_after > 0)]
    rest = np.log(rest_after[told.index] / rest_before[told.index])
    y = np.log((told.after + 0.5) / (told.before + 0.5)) - rest
    noise = 1 / (told.after + 0.5) + 1 / (told.before + 0.5) + 1 / rest_after[told.index] + 1 / rest_before[told.index]
    told = told.assign(y=y, w=1 / (noise + 0.02))
    rows = [(name, *_slope(of)) for name, of in told.groupby("category", sort=True)]
    return pd.DataFrame(rows, columns=columns)


def _changes(prices: ibis.Table) -> pd.DataFrame:
    """Every change of a product's price, the mean over platforms: product_id, day, step (log), window (time)."""
    day = prices.changed_at.cast("date")
    table = prices.group_by(["product_id", day.name("day")]).aggregate(price=prices.price.mean().cast("float64"))
    frame = table.to_pandas().sort_values(["product_id", "day"], ignore_index=True)
    frame["day"] = pd.to_datetime(frame["day"])
    by = frame.groupby("product_id")
    frame["step"] = np.log(frame.price / by.price.shift())
    nearest = pd.concat([frame.day - by.day.shift(), by.day.shift(-1) - frame.day], axis=1).min(axis=1)
    frame["window"] = nearest.clip(upper=pd.Timedelta(days=WINDOW))
    keep = frame.step.notna() & (frame.step.abs() > 0.005) & (frame.window >= pd.Timedelta(days=SHORTEST))
    return frame.loc[keep, ["product_id", "day", "step", "window"]]


def _beside(e: ibis.Table, units: ibis.Table, key: str) -> pd.DataFrame:
    """Units before and after each event."""
    both = e.select("event", key, "begins", "ends", at="day").inner_join(units, key)
    both = both.filter((both.day >= both.begins) & (both.day < both.ends))
    after = both.day >= both["at"]
    parts = both.group_by("event").aggregate(
        before=after.ifelse(0.0, both.units).sum(), after=after.ifelse(both.units, 0.0).sum()
    )
    return parts.to_pandas()


def _slope(of: pd.DataFrame) -> tuple[float, float, float, int, int]:
    n, k = len(of), of.product_id.nunique()
    if n < FEWEST or k < 3:
        return math.nan, math.nan, math.nan, n, k
    x, y, w = (of[c].to_numpy(float) for c in ("step", "y", "w"))
    inside = float(np.sum(w * x * x))
    b = float(np.sum(w * x * y)) / inside
    scores = pd.Series(w * x * (y - b * x)).groupby(of.product_id.to_numpy()).sum()
    error = math.sqrt(float((scores**2).sum()) * k / (k - 1)) / inside
    half = float(stats.t.ppf(0.975, k - 1)) * error
    return b, b - half, b + half, n, k
