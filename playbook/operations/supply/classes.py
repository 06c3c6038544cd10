"""ABC × XYZ: how much a product matters and how steadily it sells, with a policy for each cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ... import style
from ...language import N_, _
from ...missing import answers, quietly
from .demand import Demand

A_TO, B_TO = 0.80, 0.95
"""Part of the sales that the products of class A, and those of A and B together, make up."""
X_TO, Y_TO = 0.5, 1.0
"""Coefficient of variation of a week's demand up to which it is steady, and up to which it varies."""
WEEKS = 52

POLICY: dict[str, tuple[float, str]] = {
    "AX": (0.98, N_("Order often and little, to the forecast; look every day.")),
    "AY": (0.97, N_("Order to the forecast with a safety stock; look every day.")),
    "AZ": (0.95, N_("Agree on quick deliveries; order for each event by hand.")),
    "BX": (0.96, N_("Let the reorder point order by itself.")),
    "BY": (0.95, N_("Let the reorder point order by itself; look once a week.")),
    "BZ": (0.92, N_("Order with the supplier's other goods; look once a week.")),
    "CX": (0.95, N_("Order seldom and for long; the stock costs little.")),
    "CY": (0.90, N_("Order seldom, with the supplier's other goods.")),
    "CZ": (0.85, N_("Keep little, order on demand, or take it off the range.")),
}
"""Of each cell: the aimed cycle service, and what to do."""


@answers("Which products matter, and how steadily do they sell?")
def grid(demand: Demand, prices: pd.Series) -> pd.DataFrame:
    """Which products matter, and how steadily do they sell?

    Parameters
    ----------
    demand : Demand
        What `demand.model` returned.
    prices : Series by product_id
        Currency a unit.

    Returns
    -------
    DataFrame
        product_id, abc (A makes up 80 % of the last year's sales, with B 95 %), xyz (coefficient of variation of the
        last 52 weeks' units, divided by what season and festivals make of them: X up to 0.5, Y up to 1, Z above), cell,
        sales (currency), share, variation, service (aimed), policy.

    References
    ----------
    Flores, B. E., Whybark, D. C. (1987). Implementing multiple criteria ABC analysis. J. Operations Management 7,
    79–85. Scholz-Reiter, B. et al. (2012). Integration of demand forecasts in ABC-XYZ analysis.
    """
    n = len(demand.days)
    weeks = min(WEEKS, n // 7)
    span = slice(n - 7 * weeks, n)
    units, on, usual = demand.units[:, span], demand.there[:, span], demand.factor[:, span]

    def weekly(of: np.ndarray) -> np.ndarray:
        return (of * on).reshape(len(of), weeks, 7).sum(2)

    expected = weekly(usual)
    level = np.divide(weekly(units), expected, out=np.full(expected.shape, np.nan), where=expected > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = (~np.isnan(level)).sum(1)
        mean = np.where(counted > 0, np.nansum(level, axis=1) / np.maximum(counted, 1), np.nan)
        off = np.nansum((level - mean[:, None]) ** 2, axis=1) / np.maximum(counted - 1, 1)
        variation = np.where(mean > 0, np.sqrt(off) / mean, np.nan)
    price = pd.Series(demand.products).map(prices).fillna(0.0).to_numpy(float)
    out = pd.DataFrame({"product_id": demand.products, "sales": units.sum(1) * price, "variation": variation})
    out = out.sort_values(["sales", "product_id"], ascending=[False, True], ignore_index=True)
    total = out["sales"].sum()
    before = out["sales"].cumsum() - out["sales"]
    part = before / total if total > 0 else before
    out["share"] = out["sales"] / total if total > 0 else np.nan
    out["abc"] = np.select([part < A_TO, part < B_TO], ["A", "B"], "C")
    out["xyz"] = np.select([out["variation"] <= X_TO, out["variation"] <= Y_TO], ["X", "Y"], "Z")
    out["cell"] = out["abc"] + out["xyz"]
    out["service"] = [POLICY[c][0] for c in out["cell"]]
    out["policy"] = [_(POLICY[c][1]) for c in out["cell"]]
    columns = ["product_id", "cell", "abc", "xyz", "sales", "share", "variation", "service", "policy"]
    return out[columns]


@answers("What is done with each class of products?")
def policies(classes: pd.DataFrame) -> pd.DataFrame:
    """What is done with each class of products? cell, products, share (of sales), service (aimed), policy."""
    out = classes.groupby("cell", as_index=False).agg(
        products=("product_id", "size"),
        share=("share", "sum"),
        service=("service", "first"),
        policy=("policy", "first"),
    )
    return out.sort_values("cell", ignore_index=True)


@answers("Which service is aimed at?")
def aims(classes: pd.DataFrame) -> pd.Series:
    """Which service is aimed at? By product_id, as its cell's policy says."""
    return classes.set_index("product_id")["service"]


@quietly
def plot_grid(told: pd.DataFrame) -> Axes:
    """Products in each cell (number) and their part of the sales (shade)."""
    ax = style.axes(height=3.4)
    table = told.set_index("cell")
    for i, a in enumerate("ABC"):
        for k, x in enumerate("XYZ"):
            share, count = (table[c].get(a + x, 0) for c in ("share", "products"))
            ax.add_patch(_tile(k, i, float(share or 0)))
            color = "white" if (share or 0) > 0.7 else style.INK
            ax.text(
                k + 0.5,
                i + 0.42,
                style.value(count, "count"),
                ha="center",
                va="center",
                fontsize=17,
                color=color,
                fontweight="bold",
            )
            ax.text(k + 0.5, i + 0.75, style.value(share, "share"), ha="center", va="center", fontsize=10, color=color)
    ax.set_xlim(0, 3)
    ax.set_ylim(3, 0)
    ax.set_xticks([0.5, 1.5, 2.5], [_("X: steady"), _("Y: varies"), _("Z: by fits and starts")])
    ax.set_yticks([0.5, 1.5, 2.5], [_("A: most sales"), _("B: the next"), _("C: the rest")])
    ax.grid(False)
    ax.set_title(_("Products in each class, and their part of the sales"))
    return ax


def _tile(x: int, y: int, share: float) -> Rectangle:
    return Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, color=style.OWN, alpha=0.08 + 0.85 * min(share, 1.0))
