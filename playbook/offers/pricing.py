"""Pricing: how strongly sales answer to the price."""

from __future__ import annotations

import warnings

import ibis
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from ..language import N_, _
from ..missing import Missing, answers

BLOCK_DAYS = 42
"""Days that are one cluster: whoever likes a product buys it again within weeks."""
HABIT_DAYS = 60
LEAST_UNITS = 200
LEAST_MOVE = 0.02
TOO_LITTLE = N_("Not enough data: needs {units} units sold and prices that vary; has {has} units, spread {spread}.")


@answers("How much was sold each day, and at what price?", needs={"order_items": ["product_id"]})
def daily_units(
    order_items: ibis.Table, orders: ibis.Table, products: ibis.Table, prices: ibis.Table, inventory: ibis.Table | None
) -> pd.DataFrame:
    """How many orders had each product each day, at what price, and was it in stock?

    Parameters
    ----------
    order_items, orders, products, prices : Table
        Canonical tables; `products` with category; `prices` is the price shown, the mean of the platforms.
    inventory : Table, optional
        Canonical `inventory`; days at whose end nothing was left do not count.

    Returns
    -------
    DataFrame
        product_id, category ("" where unknown), day, units (lines of paid orders), price (log, against the product's
        mean), there. A Missing where nothing was sold.
    """
    items, paid = _table(order_items), _table(orders)
    key = [k for k in ("platform", "order_id") if k in items.columns and k in paid.columns]
    paid = paid.filter(paid.paid_at.notnull()).mutate(day=lambda t: t.paid_at.date()).select(*key, "day")
    lines = items.select(*key, "product_id").inner_join(paid, key)
    sold = lines.group_by(["product_id", "day"]).aggregate(units=lambda t: t.count()).to_pandas()
    if sold.empty:
        return Missing(_("paid orders with a product"))
    own = _table(prices)
    shown = own.mutate(day=own.changed_at.date(), log=own.price.cast("float64").ln())
    shown = shown.group_by(["product_id", "platform", "day"]).aggregate(log=lambda t: t["log"].mean()).to_pandas()
    sold, shown = (f.assign(day=pd.to_datetime(f["day"])) for f in (sold, shown))
    days = pd.date_range(sold["day"].min(), sold["day"].max(), freq="D")
    units = sold.pivot(index="day", columns="product_id", values="units").reindex(days).fillna(0.0)
    path = shown.pivot(index="day", columns=["product_id", "platform"], values="log").sort_index()
    path = path.reindex(path.index.union(days)).ffill().reindex(days).T.groupby(level="product_id").mean().T
    path = path.reindex(columns=units.columns)
    there = pd.DataFrame(True, index=days, columns=units.columns)
    if inventory is not None:
        stock = _table(inventory).group_by(["product_id", "day"]).aggregate(left=lambda t: t.on_hand.sum())
        gone = stock.filter(stock.left <= 0).to_pandas()
        gone = gone[gone["product_id"].isin(units.columns) & pd.to_datetime(gone["day"]).isin(days)]
        for row in gone.itertuples():
            there.loc[pd.Timestamp(row.day), row.product_id] = False
    goods = _table(products)
    goods = goods.mutate(category=goods.category.fill_null("") if "category" in goods.columns else ibis.literal(""))
    category = goods.select("product_id", "category").to_pandas().drop_duplicates("product_id")
    out = pd.DataFrame({"units": units.stack(), "price": (path - path.mean()).stack(), "there": there.stack()})
    out = out.dropna(subset=["price"]).rename_axis(["day", "product_id"]).reset_index()
    out = out.merge(category, on="product_id", how="left").fillna({"category": ""})
    return out[["product_id", "category", "day", "units", "price", "there"]]


@answers("How strongly do sales answer to the price?")
def elasticities(daily: pd.DataFrame, *, level: float = 0.9) -> pd.DataFrame:
    """By how many percent do sales of a product fall when its price rises by one percent?

    Each day a product is held against the rest of its category: festivals, offers for the category, seasons and growth
    touch both and cancel out. Of the orders of a day that go to one of them, the share that goes to the product is
    regressed (binomial, log odds) on its own price, the mean price of the others, what was sold in the weeks before
    (who bought then buys again) and a slow level of its own.
    Days on which it was sold out do not count. The error is the jackknife's, leaving out `BLOCK_DAYS` at a time (the
    usual cluster-robust one is too small where few blocks hold most moves of the price), widened by Student's t.

    Parameters
    ----------
    daily : DataFrame
        Of `daily_units`.
    level : float
        Of the interval.

    Returns
    -------
    DataFrame
        product_id, category, elasticity, elasticity_low, elasticity_high, units, note (what lacks, where NaN).

    References
    ----------
    Berry, S. T. (1994). Estimating discrete-choice models of product differentiation. RAND J. Economics 25, 242–262
    (log odds against the others). MacKinnon, J. G., Nielsen, M. Ø., Webb, M. D. (2023). Fast and reliable jackknife and
    bootstrap methods for cluster-robust inference. J. Applied Econometrics 38, 671–694 (CV3).
    """
    rows = []
    for category, mine in daily.groupby("category", sort=True):
        units = mine.pivot(index="day", columns="product_id", values="units").fillna(0.0)
        price = mine.pivot(index="day", columns="product_id", values="price")
        there = mine.pivot(index="day", columns="product_id", values="there").fillna(False).astype(bool)
        for product in units.columns:
            rows.append(
                {"product_id": product, "category": category} | _elasticity(units, price, there, product, level)
            )
    columns = ["product_id", "category", "elasticity", "elasticity_low", "elasticity_high", "units", "note"]
    return pd.DataFrame(rows, columns=columns)


def _elasticity(units: pd.DataFrame, price: pd.DataFrame, there: pd.DataFrame, product: str, level: float) -> dict:
    own, others = units[product], units.drop(columns=product).sum(axis=1)
    weight = units.drop(columns=product).sum()
    rest = price.drop(columns=product).fillna(0.0).mul(weight / max(weight.sum(), 1.0)).sum(axis=1)
    used = there[product] & price[product].notna() & (own + others > 0) & (np.arange(len(own)) >= HABIT_DAYS)
    n, spread = float(own[used].sum()), float(price.loc[used, product].std()) if used.sum() > 2 else 0.0
    nothing = {"elasticity": np.nan, "elasticity_low": np.nan, "elasticity_high": np.nan, "units": n}
    blocks = (np.arange(len(own)) // BLOCK_DAYS)[used]
    if n < LEAST_UNITS or not spread >= LEAST_MOVE or len(np.unique(blocks)) < 6 or others[used].sum() < LEAST_UNITS:
        note = _(TOO_LITTLE).format(units=LEAST_UNITS, has=int(n), spread=f"{0 if np.isnan(spread) else spread:.3f}")
        return nothing | {"note": note}
    time = np.linspace(-1, 1, len(own))[used]
    wander = [time, *(f(k * np.pi * time) for k in (1, 2) for f in (np.sin, np.cos))]
    habit = np.log((_lately(own) + 1) / (_lately(others) + 1))
    x = sm.add_constant(np.column_stack([price.loc[used, product], rest[used], habit[used], *wander]))
    y = np.column_stack([own[used], others[used]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.GLM(y, x, family=sm.families.Binomial()).fit()
    half = float(stats.t.ppf(0.5 + level / 2, len(np.unique(blocks)) - 1) * _jackknife(x, y, fit.mu, blocks)[1])
    value = float(fit.params[1])
    return {
        "elasticity": value,
        "elasticity_low": value - half,
        "elasticity_high": value + half,
        "units": n,
        "note": "",
    }


def _jackknife(x: np.ndarray, y: np.ndarray, share: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Standard errors of a logit's coefficients from leaving out each block, by one Newton step from the whole fit."""
    n = y.sum(axis=1)
    weighted, residual = x * (n * share * (1 - share))[:, None], y[:, 0] - n * share
    whole, among = weighted.T @ x, [blocks == b for b in np.unique(blocks)]
    moved = [np.linalg.lstsq(whole - weighted[of].T @ x[of], x[of].T @ residual[of], rcond=None)[0] for of in among]
    return np.sqrt((len(among) - 1) / len(among) * np.square(moved).sum(axis=0))


def _lately(units: pd.Series) -> pd.Series:
    """What was sold in the days before: who bought then buys again now, whatever the price is."""
    return units.rolling(HABIT_DAYS, min_periods=1).sum().shift(1).fillna(0.0)


def _table(rows: ibis.Table) -> ibis.Table:
    return rows if isinstance(rows, ibis.Table) else ibis.memtable(rows)
