"""Drivers: why net sales changed, split exactly into the changes of what they are made of."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _
from ..methods.decomposition import shapley
from ..missing import Missing, answers, quietly

NET_SALES = (
    "net_sales",
    "orders_paid",
    "aov",
    "returns",
    "customers",
    "customer_orders",
    "customer_sales",
    "guest_sales",
)
"""What `net_sales_change` wants measured."""


@answers("Why did net sales change?")
def net_sales_change(
    measured: pd.DataFrame, *, against: Literal["previous", "year_ago"] = "previous"
) -> pd.DataFrame:
    """Why did net sales change: more customers, more orders of each, bigger orders, guests, or returns?

    Net sales = customers × orders per customer × value of an order + sales to guests − returns. The product is split by
    Shapley's rule, so the effects sum to the change exactly, whatever order one thinks the factors moved in.

    Parameters
    ----------
    measured : DataFrame
        ``measure(shop, drivers.NET_SALES, compare=True)``. Without customer numbers the product is orders × value.
    against : {"previous", "year_ago"}
        What to compare with.

    Returns
    -------
    DataFrame
        One row per driver: driver, title, before, after (in the driver's unit), unit, effect (currency). ``attrs`` has
        `before` and `after`, net sales in currency. A Missing where there is nothing to compare with.

    References
    ----------
    `playbook.methods.decomposition.shapley`.
    """
    now = measured.set_index("metric").value
    before = measured.set_index("metric")[against]
    if np.isnan(before["net_sales"]):
        what = _("an earlier period in the data")
        return Missing(what, remedy=_("Add exports that reach further back."))  # type: ignore[return-value]
    title = {
        "customers": _("Customers"),
        "frequency": _("Orders per customer"),
        "orders": _("Orders"),
        "aov": _("Average order value"),
        "guests": _("Sales to guests"),
        "returns": _("Returns"),
    }
    unit = {"customers": "count", "frequency": "per_order", "orders": "count"}
    old, new = _factors(before), _factors(now)
    effects = shapley(old, new)
    rows = [(k, old[k], new[k], effects[k]) for k in old]
    if "customers" in old and (before["guest_sales"] or now["guest_sales"]):
        rows.append(("guests", before["guest_sales"], now["guest_sales"], now["guest_sales"] - before["guest_sales"]))
    if "returns" in now:
        rows.append(("returns", before["returns"], now["returns"], before["returns"] - now["returns"]))
    frame = pd.DataFrame(rows, columns=["driver", "before", "after", "effect"])
    frame.insert(1, "title", frame.driver.map(title))
    frame["unit"] = frame.driver.map(unit).fillna("currency")
    frame.attrs = {
        "currency": measured.attrs.get("currency", ""),
        "before": float(before["net_sales"]),
        "after": float(now["net_sales"]),
        "against": against,
    }
    return frame


def _factors(values: pd.Series) -> dict[str, float]:
    """The factors whose product is sales before returns; where nothing was sold the later ones are 0."""
    if "customers" in values:
        customers, orders, sales = values["customers"], values["customer_orders"], values["customer_sales"]
        return {
            "customers": customers,
            "frequency": orders / customers if customers else 0.0,
            "aov": sales / orders if orders else 0.0,
        }
    return {"orders": values["orders_paid"], "aov": 0.0 if np.isnan(values["aov"]) else values["aov"]}


@answers("What moved net sales most?")
def findings(change: pd.DataFrame) -> list[Finding]:
    """Which driver moved net sales most, and did another work against it?

    Parameters
    ----------
    change : DataFrame
        What `net_sales_change` returned.

    Returns
    -------
    list of Finding
        One sentence: "watch" when the largest effect is a loss, else "hold"; stake: that effect. Nothing when net sales
        did not move.
    """
    if not change.effect.abs().max() > 0:
        return []
    currency = change.attrs["currency"]
    top = change.loc[change.effect.abs().idxmax()]
    total = change.attrs["after"] - change.attrs["before"]
    against = change[np.sign(change.effect) == -np.sign(top.effect)]
    words = {
        "total": style.change_of_money(total, currency=currency),
        "driver": top.title,
        "effect": style.change_of_money(top.effect, currency=currency),
    }
    text = _("Net sales changed by {total}; the largest part, {effect}, comes from: {driver}.")
    if len(against):
        other = against.loc[against.effect.abs().idxmax()]
        words |= {"other": other.title, "back": style.change_of_money(other.effect, currency=currency)}
        text = _(
            "Net sales changed by {total}; the largest part, {effect}, comes from: {driver}. "
            "Most against it, {back}, comes from: {other}."
        )
    figures = tuple(
        Figure("net_sales_effect", e, "currency", by={"driver": d})
        for d, e in zip(change.driver, change.effect, strict=True)
    )
    verdict: Verdict = "watch" if top.effect < 0 else "hold"
    return [Finding(verdict, text.format(**words), abs(float(top.effect)), figures)]


@quietly
def plot_net_sales_change(change: pd.DataFrame) -> Axes:
    """From the net sales before to those of the period, driver by driver."""
    currency = change.attrs["currency"]
    ax = style.axes(height=3.4)
    labels = [_("Year ago") if change.attrs["against"] == "year_ago" else _("Period before"), *change.title, _("Period")]
    start = change.attrs["before"] + change.effect.cumsum().shift(fill_value=0.0)
    ends = {0: change.attrs["before"], len(change) + 1: change.attrs["after"]}
    for x, total in ends.items():
        ax.bar(x, total, color=style.NEUTRAL, width=0.62)
        _label(ax, x, max(total, 0.0), style.short(total, "currency", currency=currency))
    for x, (bottom, effect) in enumerate(zip(start, change.effect, strict=True), start=1):
        ax.bar(x, effect, bottom=bottom, color=style.GOOD if effect >= 0 else style.BAD, width=0.62)
        _label(ax, x, max(bottom, bottom + effect), style.change_of_money(effect, currency=currency))
    ax.set_xticks(range(len(labels)), [label.replace(" ", "\n", 1) for label in labels])
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="x", visible=False)
    ax.axhline(0, color=style.NEUTRAL, linewidth=0.8)
    ax.margins(y=0.15)
    style.money_axis(ax, currency)
    ax.set_title(_("What moved net sales"))
    return ax


def _label(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(text, (x, y), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=9)
