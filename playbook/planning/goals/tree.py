"""What a target of net sales means: for visits, conversion, orders, their value; for parts, months and customers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import N_, _, term
from ...methods.apportion import CENT, apportion
from ...methods.decomposition import lmdi
from ...missing import Missing, answers, quietly
from .targets import Ahead

MEASURED = ("net_sales", "orders_paid", "aov", "customers", "customer_orders", "customer_sales", "daily_visitors")
"""What `factors` wants measured; those that the shop lacks shorten the tree."""

_TITLES = {
    "visitors": N_("Visitors, day by day"),
    "conversion": N_("Customers per visitor"),
    "customers": N_("Customers"),
    "frequency": N_("Orders per customer"),
    "orders": N_("Orders"),
    "order_value": N_("Value of an order"),
    "guests": N_("Sales with guests per sale to customers"),
    "kept": N_("Part that is not given back"),
}
_UNITS = {"visitors": "count", "conversion": "share", "customers": "count", "frequency": "per_order", "orders": "count",
          "order_value": "currency", "guests": "ratio", "kept": "share"}  # fmt: skip
MOVED = ("visitors", "conversion", "customers", "frequency", "orders", "order_value")
"""Factors that a target asks something of; the others stay as they are."""


@answers("What are net sales made of?")
def factors(measured: pd.DataFrame) -> pd.DataFrame:
    """What are net sales made of, month by month: visitors × conversion × frequency × value of an order?

    Parameters
    ----------
    measured : DataFrame
        ``measure(shop, tree.MEASURED, by=["month"], period=…)``. Without visitors the tree begins with customers,
        without customer numbers with orders.

    Returns
    -------
    DataFrame
        month, and one column a factor; their product is net sales. Only months in which all are above 0.
    """
    wide = measured.pivot(index="month", columns="metric", values="value").astype(float)
    days = pd.DatetimeIndex(wide.index).days_in_month
    sales = wide["orders_paid"] * wide["aov"]
    out = pd.DataFrame(index=wide.index)
    if "customers" in wide and wide.customers.notna().any():
        if "daily_visitors" in wide and wide.daily_visitors.notna().any():
            out["visitors"] = wide.daily_visitors * days
            out["conversion"] = wide.customers / out.visitors
        else:
            out["customers"] = wide.customers
        out["frequency"] = wide.customer_orders / wide.customers
        out["order_value"] = wide.customer_sales / wide.customer_orders
        if not np.allclose(sales, wide.customer_sales, equal_nan=True):
            out["guests"] = sales / wide.customer_sales
    else:
        out["orders"], out["order_value"] = wide.orders_paid, wide.aov
    if not np.allclose(sales, wide.net_sales, equal_nan=True):
        out["kept"] = wide.net_sales / sales
    out = out.replace([np.inf, -np.inf], np.nan).dropna()
    frame = out[(out > 0).all(axis=1)].reset_index()
    frame.attrs = {"currency": measured.attrs.get("currency", "")}
    return frame


@answers("What does the target ask of each factor?")
def asked(factors: pd.DataFrame, of: Ahead, *, target: float, lift: Mapping[str, float] | None = None) -> pd.DataFrame:
    """What does a target for the coming months ask of visits, conversion, frequency and the value of an order?

    What it asks for beyond the same months a year ago is shared out over the factors as each has moved from one year
    to the next so far; those named in `lift` move as said there. The effects are those of the logarithmic mean, rounded
    so that they add up to the cent.

    Parameters
    ----------
    factors : DataFrame
        Of `factors`, all months of the history.
    of : Ahead
        Of net sales.
    target : float
        Net sales of the coming months together.
    lift : mapping of str to float, optional
        Factor → relative change, e.g. ``{"order_value": 0.03}``.

    Returns
    -------
    DataFrame
        One row a factor: metric, unit, value (asked for), previous (a year ago), change, effect (Decimal, currency, to
        the cent). ``attrs``: before, after, target.

    Raises
    ------
    ValueError
        `lift` names a factor that the tree does not have.

    References
    ----------
    `playbook.methods.decomposition.lmdi`.
    """
    table = factors.assign(month=pd.DatetimeIndex(factors.month).to_period("M")).set_index("month")
    months = list(of.model.periods - 12)
    if not set(months) <= set(table.index):
        return Missing(_("the same months of the year before"), remedy=_("Add exports that reach further back."))
    base = _together(table.loc[months])
    names, lift = list(base), dict(lift or {})
    if unknown := set(lift) - set(names):
        raise ValueError(
            _("the tree has no {names}; it has: {known}").format(names=", ".join(unknown), known=", ".join(names))
        )
    before = math.prod(base.values())
    rest = math.log(target / before) - sum(math.log1p(x) for x in lift.values())
    free = [n for n in names if n in MOVED and n not in lift]
    yearly = np.log(table / table.shift(12)).dropna()
    moved = yearly[free].std() if len(yearly) > 2 else pd.Series(1.0, free)
    weights = (moved / moved.sum()).fillna(1 / len(free)) if moved.sum() > 0 else pd.Series(1 / len(free), free)
    after = {n: base[n] * (1 + lift[n] if n in lift else math.exp(rest * weights.get(n, 0.0))) for n in names}
    effects = lmdi(base, after)
    whole = (Decimal(str(target)) - Decimal(str(before))).quantize(CENT)
    cents = {n: Decimal(str(e)).quantize(CENT) for n, e in effects.items()}
    most = max(cents, key=lambda n: abs(cents[n]))
    cents[most] += whole - sum(cents.values())
    frame = pd.DataFrame({"metric": names, "value": [after[n] for n in names], "previous": [base[n] for n in names]})
    frame.insert(1, "unit", frame.metric.map(_UNITS))
    frame["change"] = (frame.value - frame.previous) / frame.previous.where(frame.unit != "share", 1.0)
    frame["effect"] = [cents[n] for n in names]
    frame.attrs = {
        "by": [], "currency": of.currency, "titles": _TITLES, "units": {"effect": "currency"},
        "before": before, "after": target, "target": target,
    }  # fmt: skip
    return frame


def _together(months: pd.DataFrame) -> dict[str, float]:
    """The factors of several months together, whose product is their net sales together."""
    out, product = {}, pd.Series(1.0, months.index)
    so_far = 1.0
    for name in months.columns:
        product = product * months[name]
        total = float(product.sum())
        out[name] = total / so_far
        so_far = total
    return out


@answers("By what can sales be cut?")
def cuts(orders: ibis.Table, part: str) -> list[str]:
    """What `split` wants sales measured by: the month, and what orders tell of part and customer."""
    known = orders.columns
    more = {part: part in known, "customer_type": "customer_id" in known}
    return ["month", *(name for name, there in more.items() if there)]


@answers("What does the target ask of each part?")
def split(
    shares: pd.DataFrame, of: Ahead, *, target: float, part: str = "platform", metric: str = "net_sales"
) -> pd.DataFrame:
    """What does a target ask of each part of the shop, month by month, of new and of returning customers?

    The months bear it as they are expected to bring sales, the parts and customers as they did in the same months a
    year ago, or in the last twelve where there are none. Every sum of cells is a sum of cents: it all ties.

    Parameters
    ----------
    shares : DataFrame
        ``measure(shop, ["net_sales"], by=["month", part, "customer_type"], period=…)``; without customer numbers by
        month and part, without parts by month.
    of : Ahead
    target : float
    part : str
        The breakdown's name.

    Returns
    -------
    DataFrame
        metric, period (month), `part` and customer_type (where known), target (Decimal, to the cent), year_ago.
        ``attrs``: currency, target.
    """
    by = [c for c in (part, "customer_type") if c in shares.columns]
    table = shares.assign(month=pd.DatetimeIndex(shares.month).to_period("M"), value=shares.value.fillna(0.0))
    table[by] = table[by].astype(str)
    recent = table[table.month > of.past.index[-1] - 12]
    expected = np.maximum(of.quantile(0.5), 0.0)
    rows, weights = [], []
    for month, value in zip(of.model.periods, expected, strict=True):
        then = table[table.month == month - 12]
        cells = (then if then.value.clip(lower=0).sum() > 0 else recent).groupby(by or ["metric"]).value.sum()
        cells = cells.clip(lower=0)
        before = then.groupby(by or ["metric"]).value.sum()
        for key, x in cells.items():
            key = key if isinstance(key, tuple) else (key,)
            rows.append(
                (metric, str(month), *(key if by else ()), float(before.get(key if len(key) > 1 else key[0], math.nan)))
            )
            weights.append(float(value * x / cells.sum()) if cells.sum() > 0 else 0.0)
    frame = pd.DataFrame(rows, columns=["metric", "period", *by, "year_ago"])
    if frame.empty:
        return Missing(_("sales in the last twelve months"))
    frame["target"] = apportion(Decimal(str(target)).quantize(CENT), weights)
    frame = frame[(frame.target != 0) | frame.year_ago.gt(0)].reset_index(drop=True)
    frame.attrs = {"currency": of.currency, "target": target, "parts": by}
    return frame[["metric", "period", *by, "target", "year_ago"]]


@answers("What does the target ask of each part?")
def table(split: pd.DataFrame) -> pd.DataFrame:
    """The split as people read it: a row for each part and kind of customer, a column a month, sums at the end."""
    by = split.attrs["parts"]
    if not by:
        out = split.pivot_table(index="metric", columns="period", values="target", aggfunc="sum")
    else:
        out = split.pivot_table(index=by, columns="period", values="target", aggfunc="sum")
    out = out.fillna(Decimal(0))
    out["total"] = out.sum(axis=1)
    out = out.reset_index()
    for c in by:
        out[c] = [term(c, v) or _("not stated") for v in out[c]]
    first = list(out.columns[: max(1, len(by))])
    total = (
        {first[0]: _("Total")} | dict.fromkeys(first[1:], "") | {c: out[c].sum() for c in out.columns if c not in first}
    )
    out = pd.concat([out, pd.DataFrame([total])], ignore_index=True)
    out.attrs = {"currency": split.attrs["currency"]}
    return out


@answers("What does the target ask of each part?")
def units(table: pd.DataFrame) -> dict[str, str]:
    """The columns of `table` that are money."""
    return {c: "currency" for c in table.columns if c == "total" or (c[:2] == "20" and len(c) == 7)}


@answers("What does the target ask of new and of returning customers?")
def findings(split: pd.DataFrame, asked: pd.DataFrame | None = None) -> list[Finding]:
    """What does the target mean for new and returning customers, and which factor does it ask most of?"""
    currency, found = split.attrs["currency"], []
    if "customer_type" in split:
        by = split.groupby("customer_type").agg(target=("target", "sum"), year_ago=("year_ago", "sum"))
        by = by.astype(float)
        if {"new", "returning"} <= set(by.index) and (by.loc[["new", "returning"], "year_ago"] > 0).all():
            change = by.target / by.year_ago - 1
            text = _(
                "A target of {target} asks for {new} from new customers ({new_change} on a year ago) and {old} from "
                "returning ones ({old_change})."
            )
            text = text.format(
                target=style.value(split.attrs["target"], "currency", currency=currency),
                new=style.short(by.target["new"], "currency", currency=currency),
                old=style.short(by.target["returning"], "currency", currency=currency),
                new_change=style.change(change["new"], "currency"),
                old_change=style.change(change["returning"], "currency"),
            )
            figures = tuple(
                Figure("target.by_customer", by.target[c], "currency", by={"customer_type": c})
                for c in ("new", "returning")
            )
            found.append(Finding("hold", text, None, figures))
    if asked is not None and len(asked):
        top = asked.loc[asked.effect.astype(float).idxmax()]
        text = _("Of the {change} on a year ago, most has to come from “{factor}”: from {before} to {after}.")
        text = text.format(
            change=style.change_of_money(asked.attrs["after"] - asked.attrs["before"], currency=currency),
            factor=_(_TITLES[top.metric]),
            before=style.value(top.previous, top.unit, currency=currency),
            after=style.value(top.value, top.unit, currency=currency),
        )
        if asked.attrs["after"] > asked.attrs["before"]:
            found.append(Finding("watch", text, float(top.effect)))
    return found


@quietly
def plot_asked(asked: pd.DataFrame) -> Axes:
    """What each factor has to add, from a year ago to the target; the bars add up."""
    currency = asked.attrs["currency"]
    rows = asked[::-1]
    effect = rows.effect.astype(float)
    ax = style.axes(height=1.2 + 0.45 * len(rows))
    colours = np.where(effect >= 0, style.GOOD, style.BAD)
    ax.barh([_(_TITLES[m]) for m in rows.metric], effect, color=colours, height=0.6)
    for y, p in enumerate(rows.to_dict("records")):
        text = _("{effect}: {before} → {after}").format(
            effect=style.change_of_money(float(p["effect"]), currency=currency),
            before=style.short(p["previous"], p["unit"], currency=currency),
            after=style.short(p["value"], p["unit"], currency=currency),
        )
        at = max(float(p["effect"]), 0.0)
        ax.annotate(text, (at, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.35)
    style.money_axis(ax, currency, which="x")
    ends = {k: style.short(asked.attrs[k], "currency", currency=currency) for k in ("before", "after")}
    ax.set_title(_("What leads from {before} a year ago to the target of {after}").format(**ends))
    return ax
