"""Drivers: why net sales changed, split exactly into the changes of what they are made of."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import N_, _
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
def net_sales_change(measured: pd.DataFrame, *, against: Literal["previous", "year_ago"] = "previous") -> pd.DataFrame:
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
        One row per driver: metric (customers, frequency, aov, guests, returns; or orders, aov, returns), unit, value,
        previous (in that unit; `previous` is what `against` names), effect (currency). ``attrs`` has `before` and
        `after`, net sales in currency. A Missing where there is nothing to compare with.

    References
    ----------
    `playbook.methods.decomposition.shapley`.
    """
    now = measured.set_index("metric").value
    before = measured.set_index("metric")[against]
    if np.isnan(before["net_sales"]):
        what = _("an earlier period in the data")
        return Missing(what, remedy=_("Add exports that reach further back."))
    old, new = _factors(before), _factors(now)
    effects = shapley(old, new)
    rows = [(k, new[k], old[k], effects[k]) for k in old]
    if "customers" in old and (before["guest_sales"] or now["guest_sales"]):
        rows.append(("guests", now["guest_sales"], before["guest_sales"], now["guest_sales"] - before["guest_sales"]))
    if "returns" in now:
        rows.append(("returns", now["returns"], before["returns"], before["returns"] - now["returns"]))
    frame = pd.DataFrame(rows, columns=["metric", "value", "previous", "effect"])
    frame.insert(1, "unit", frame.metric.map(_UNITS).fillna("currency"))
    frame.attrs = {
        "by": [],
        "currency": measured.attrs.get("currency", ""),
        "titles": _TITLES,
        "units": {"effect": "currency"},
        "before": float(before["net_sales"]),
        "after": float(now["net_sales"]),
        "against": against,
    }
    return frame


_TITLES = {
    "customers": N_("Customers"),
    "frequency": N_("Orders per customer"),
    "orders": N_("Orders"),
    "aov": N_("Average order value"),
    "guests": N_("Sales to guests"),
    "returns": N_("Returns"),
}
_UNITS = {"customers": "count", "frequency": "per_order", "orders": "count"}


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
        One sentence: "watch" when net sales fell, else "hold"; stake: the largest effect. Nothing when nothing moved.
    """
    if not change.effect.abs().max() > 0:
        return []
    currency, titles = change.attrs["currency"], change.attrs["titles"]
    total = change.attrs["after"] - change.attrs["before"]
    way = 1 if total >= 0 else -1
    top, other = change.loc[(way * change.effect).idxmax()], change.loc[(way * change.effect).idxmin()]
    words = {
        "total": style.change_of_money(total, currency=currency),
        "driver": _(titles[top.metric]),
        "effect": style.change_of_money(top.effect, currency=currency),
        "other": _(titles[other.metric]),
        "back": style.change_of_money(other.effect, currency=currency),
    }
    text = _("Net sales moved by {total}. Most of it came from “{driver}” ({effect}).")
    if way * other.effect < 0:
        text = _(
            "Net sales moved by {total}: “{driver}” did most of it ({effect}), “{other}” worked against it ({back})."
        )
    figures = tuple(
        Figure("net_sales_effect", e, "currency", by={"driver": d})
        for d, e in zip(change.metric, change.effect, strict=True)
    )
    verdict: Verdict = "watch" if total < 0 else "hold"
    return [Finding(verdict, text.format(**words), abs(float(top.effect)), figures)]


@quietly
def plot_net_sales_change(change: pd.DataFrame) -> Axes:
    """What each driver added to net sales or took away; the bars add up to the change in the title."""
    currency, titles = change.attrs["currency"], change.attrs["titles"]
    rows = change[::-1]
    ax = style.axes(height=1.1 + 0.42 * len(rows))
    names, colours = [_(titles[m]) for m in rows.metric], np.where(rows.effect >= 0, style.GOOD, style.BAD)
    ax.barh(names, rows.effect, color=colours, height=0.6)
    for y, effect in enumerate(rows.effect):
        text = style.change_of_money(effect, currency=currency)
        side = 1 if effect >= 0 else -1
        ha = "left" if effect >= 0 else "right"
        ax.annotate(text, (effect, y), xytext=(6 * side, 0), textcoords="offset points", va="center", ha=ha, fontsize=9)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.18)
    style.money_axis(ax, currency, which="x")
    text = _("What moved net sales from {before} to {after}")
    if change.attrs["against"] == "year_ago":
        text = _("What moved net sales from {before} a year ago to {after}")
    if change.attrs["against"] == "target":
        text = _("What leads from the target of {before} to net sales of {after}")
    ends = {k: style.short(change.attrs[k], "currency", currency=currency) for k in ("before", "after")}
    ax.set_title(text.format(**ends))
    return ax
