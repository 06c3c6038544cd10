"""What each price would earn, and which prices should be changed."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _
from ...missing import answers, quietly
from ...outlook import Decision
from ...period import Period

UNITS = dict.fromkeys(("price", "to", "gain", "sales"), "currency")
LEAST = 0.02
"""A smaller step, as a part of the price, is none."""
DRAWS = 4000


@answers("What would each price earn?")
def margin_curve(
    corridor: pd.DataFrame, *, product_id: str = "", steps: int = 25, rng: np.random.Generator | int
) -> pd.DataFrame:
    """What would a product earn at each price, if sales follow it as those of its category did?

    Parameters
    ----------
    corridor : DataFrame
        Of `corridor`.
    product_id : str
        By default the one with the largest contribution whose cost and elasticity are known.

    Returns
    -------
    DataFrame
        price, units (low, high), contribution (low, high: currency, of a period like this one; 80 %), from a fifth
        below to a quarter above what is paid now; ``attrs``: product, now, low and high (the corridor). Empty where no
        such product is known.
    """
    rng = np.random.default_rng(rng)
    known = corridor.dropna(subset=["cost", "elasticity", "spread"])
    known = known[known.product_id == product_id] if product_id else known
    columns = [f"{c}{e}" for c in ("units", "contribution") for e in ("", "_low", "_high")]
    if known.empty:
        return pd.DataFrame(columns=["price", *columns])
    p = known.loc[known.contribution.idxmax()]
    fees, e = corridor.attrs["fees"], rng.normal(p.elasticity, p.spread, DRAWS)
    rows = []
    for price in np.linspace(0.8 * p.price, 1.25 * p.price, steps):
        units = p.units * (price / p.price) ** e
        each = [units, units * (price * (1 - fees) - p.cost)]
        rows.append([price, *np.concatenate([np.quantile(x, [0.5, 0.1, 0.9]) for x in each])])
    frame = pd.DataFrame(rows, columns=["price", *columns])
    frame.attrs = {"product": p["name"], "now": float(p.price), "low": float(p.low), "high": float(p.high)}
    return frame


@answers("Which prices should be changed?")
def moves(
    corridor: pd.DataFrame, coming: pd.DataFrame, *, most: float = 0.10, rng: np.random.Generator | int
) -> pd.DataFrame:
    """Which price would earn more a step away from where it is?

    A step leads towards the price that earns most, by no more than `most`, and not out of the corridor.

    Parameters
    ----------
    corridor : DataFrame
        Of `corridor`.
    coming : DataFrame
        Of `coming.units`: what the next period would bring at today's prices.
    most : float
        Part of the price.

    Returns
    -------
    DataFrame
        One row a product whose gain is above 0 with nine chances in ten: product_id, name, price, to (currency), gain
        (low, high: contribution of the next period, on average), sales (low, high: what will be sold in it, less what
        was to be expected without the step; how many buyers come is also a matter of luck, and the interval holds
        that), 80 %; the largest gain first.
    """
    rows, rng = [], np.random.default_rng(rng)
    kept = 1 - corridor.attrs["fees"]
    ahead = coming[np.isfinite(coming["spread"])].set_index("product_id")
    for p in corridor.dropna(subset=["best", "cost", "spread"]).to_dict("records"):
        price, to = p["price"], _step(p, most)
        if p["product_id"] not in ahead.index or abs(to / price - 1) < LEAST:
            continue
        expected, spread = ahead.loc[p["product_id"], ["expected", "spread"]]
        before = expected * np.exp(rng.normal(0.0, spread, DRAWS))
        after = before * (to / price) ** rng.normal(p["elasticity"], p["spread"], DRAWS)
        gain = after * (to * kept - p["cost"]) - before * (price * kept - p["cost"])
        sales = after * to - before * price
        come = rng.poisson(after) * to - before * price
        row = [*np.quantile(gain, [0.5, 0.1, 0.9]), np.median(sales), *np.quantile(come, [0.1, 0.9])]
        rows.append([p["product_id"], p["name"], price, to, *row])
    columns = ["product_id", "name", "price", "to", "gain", "gain_low", "gain_high", "sales", "sales_low", "sales_high"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame[frame.gain_low > 0].sort_values("gain", ascending=False, ignore_index=True)
    none = _("No change of a price is sure to earn more: prices are near what earns most, or too little is known.")
    frame.attrs["notes"] = [] if len(frame) else [none]
    return frame


def _step(p: dict[str, Any], most: float) -> float:
    """The price a step towards the one that earns most, within the corridor; the price itself where there is none."""
    price = p["price"]
    if p["place"] == "none":
        return price
    to = min(max(p["best"], price * (1 - most)), price * (1 + most))
    if price < to and not math.isnan(p["high"]):
        to = max(price, min(to, p["high"]))
    if price > to and not math.isnan(p["low"]):
        to = min(price, max(to, p["low"]))
    return float(round(to, 0 if price >= 20 else 1 if price >= 2 else 2))


@answers("Which prices should be changed?")
def decisions(moves: pd.DataFrame, *, period: Period, most: int = 3, currency: str = "CNY") -> list[Decision]:
    """The price changes that earn most, as decisions; paid sales of the next period are what they are scored by.

    Parameters
    ----------
    moves : DataFrame
        Of `moves`.
    period : Period
        The report's.
    most : int
        So many.
    """
    made, after = [], period.following
    due = period.end + dt.timedelta(days=6)
    for p in moves.head(most).to_dict("records"):
        up = p["to"] > p["price"]
        text = _(
            "Raise the price of “{name}” from {price} to {to}: on average {gain} more contribution in {period} "
            "({interval})."
        )
        if not up:
            text = _(
                "Lower the price of “{name}” from {price} to {to}: on average {gain} more contribution in {period} "
                "({interval})."
            )
        text = text.format(
            name=p["name"],
            price=style.value(p["price"], "currency", currency=currency),
            to=style.value(p["to"], "currency", currency=currency, digits=None if p["to"] % 1 else 0),
            gain=style.short(p["gain"], "currency", currency=currency),
            interval=style.interval(p["gain_low"], p["gain_high"], "currency", currency=currency),
            period=style.period(after),
        )
        made.append(
            Decision(
                "change_price", text, _("Pricing"), due, "paid_sales", after.label, p["sales"], p["sales_low"],
                p["sales_high"], "currency", by={"product_id": p["product_id"]}, check="controls", stake=p["gain"],
            )
        )  # fmt: skip
    return made


@quietly
def plot_margin_curve(curve: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What each price earns, with its interval, and where the price is now."""
    if curve.empty:
        return None
    ax = style.axes(height=3.6)
    ax.fill_between(curve.price, curve.contribution_low, curve.contribution_high, color=style.OWN, alpha=0.2)
    ax.plot(curve.price, curve.contribution, color=style.OWN)
    now = curve.attrs["now"]
    ax.axvline(now, color=style.COMPARISON, linestyle="--", linewidth=1.2)
    at = now, float(curve.contribution_low.min())
    ax.annotate(_("price paid now"), at, xytext=(6, 6), textcoords="offset points", color=style.SOFT_INK, fontsize=9)
    style.money_axis(ax, currency)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What “{product}” would earn at each price").format(product=curve.attrs["product"]))
    return ax
