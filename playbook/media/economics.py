"""What an order leaves on each platform: sales less returns, goods, commission, carriage and advertising, then fees."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..data.engine import as_table
from ..findings import Figure, Finding
from ..language import _, term
from ..missing import answers, quietly
from .roi.cube import paid_for

ORDER_UNITS = {
    "orders": "count", "returns": "currency", "goods": "currency", "commission": "currency", "carriage": "currency",
    "advertising": "currency", "per_order": "currency", "fixed_fees": "currency", "break_even_orders": "count",
}  # fmt: skip
PARTS = ("returns", "goods", "commission", "carriage", "advertising")
NOT_COSTS = ("payout", "refund", "adjustment", "ad_fee")
TOLD = 0.5
"""Part of a platform's sales of which the channel must be told before advertising is shared out by it."""
OWN = ("own_site", "mini_program")
"""Platforms that are the shop's own."""


@answers("What does an order leave on each platform?", needs={"orders": ["platform"]})
def unit_economics(
    orders: ibis.Table | pd.DataFrame, settlements: ibis.Table | pd.DataFrame | None = None,
    ad_spend: ibis.Table | pd.DataFrame | None = None, returns: ibis.Table | pd.DataFrame | None = None,
    order_items: ibis.Table | pd.DataFrame | None = None, products: ibis.Table | pd.DataFrame | None = None,
    shipments: ibis.Table | pd.DataFrame | None = None, *, since: dt.date, until: dt.date, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What does an order leave on each platform, and how many a month pay for the platform's fixed fees?

    Advertising is shared out over platforms by the sales that are credited to its channel there, or by all sales where
    the channel of most sales of a platform is not told. Bookings of a platform
    that belong to no order (entry, subscription, service fees) are its fixed fees.

    Parameters
    ----------
    orders : Table
        order_id, platform, paid_at, amount; channel where known.
    settlements, returns, shipments, order_items, products, ad_spend : Table, optional
        Canonical; what lacks is not taken off, and is said.
    since, until : date
        Orders paid from the one up to, not including, the other.

    Returns
    -------
    DataFrame
        platform, orders, sales, and of an order: returns, goods, commission, carriage, advertising; per_order (what is
        left of it, with its interval), fixed_fees (a month), break_even_orders (a month; NaN where an order leaves
        nothing), profit (of the whole time).
    """
    notes: list[str] = []
    paid = as_table(orders)
    paid = paid.filter((paid.paid_at >= _midnight(since)) & (paid.paid_at < _midnight(until)))
    channel = paid.channel if "channel" in paid.columns else ibis.null("string")
    rows = paid.select("platform", "order_id", channel=channel, amount=paid.amount.cast("float64"))
    goods = _goods(order_items, products)
    fixed = pd.Series(dtype=float)
    months = (until - since).days / 30.4375
    kept = None
    if settlements is not None and {"platform", "order_id"} <= set(settlements.columns):
        booked = as_table(settlements)
        cost = booked.filter((booked.amount < 0) & ~booked.kind.isin(NOT_COSTS))
        kept = cost.filter(cost.order_id.notnull()).select(
            "platform", "order_id", cost=-cost.amount.cast("decimal(18, 4)")
        )
        bills = cost.filter(
            cost.order_id.isnull() & (cost.settled_at >= _midnight(since)) & (cost.settled_at < _midnight(until))
        )
        found = bills.group_by("platform").aggregate(sum=(-bills.amount).sum().cast("float64")).to_pandas()
        fixed = found.set_index("platform")["sum"] / months
    for name, costs, note in (
        ("returns", _cost(returns, "amount"), _("REVIEW: no data on returns, so nothing is taken off for them.")),
        ("goods", goods, _("REVIEW: no cost of goods, so what is left is before it.")),
        ("commission", kept, _("REVIEW: no settlements, so no platform fees are taken off.")),
        ("carriage", _cost(shipments, "cost"), _("REVIEW: no cost of carriage, so none is taken off.")),
    ):
        if costs is None:
            notes.append(note)
            rows = rows.mutate(**{name: ibis.literal(0.0)})
            continue
        by = [k for k in ("platform", "order_id") if k in costs.columns]
        whole = costs.group_by(by).aggregate(_cost=costs.cost.sum().cast("float64"))
        rows = rows.left_join(whole, by).mutate(**{name: lambda t: t._cost.fill_null(0.0)})
        rows = rows.drop("_cost", *(f"{k}_right" for k in by))
    rows = rows.mutate(left=rows.amount - rows["returns"] - rows.goods - rows.commission - rows.carriage)
    sums = ("returns", "goods", "commission", "carriage", "left")
    found = rows.group_by("platform").aggregate(
        orders=rows.count(), sales=rows.amount.sum(), spread=rows.left.std(), **{c: rows[c].sum() for c in sums}
    ).order_by("platform").to_pandas().set_index("platform")  # fmt: skip
    out = found[["orders", "sales"]].astype(float)
    for c in sums[:-1]:
        out[c] = found[c] / found["orders"]
    spent = _advertising(rows, ad_spend, since, until, notes)
    if spent is None:
        notes.append(_("REVIEW: no advertising by channel, so none is taken off."))
    out["advertising"] = 0.0 if spent is None else spent.reindex(out.index).fillna(0.0) / found["orders"]
    half = float(stats.norm.ppf(0.5 + level / 2)) * found["spread"] / np.sqrt(found["orders"])
    out["per_order"] = found["left"] / found["orders"] - out["advertising"]
    out["per_order_low"], out["per_order_high"] = out["per_order"] - half, out["per_order"] + half
    out["fixed_fees"] = fixed.reindex(out.index).fillna(0.0)
    pays = out["per_order"].where(out["per_order"] > 0)
    out["break_even_orders"] = np.ceil(out["fixed_fees"] / pays)
    out["profit"] = out["per_order"] * out["orders"] - out["fixed_fees"] * months
    out = out.sort_values("profit", ascending=False, kind="stable").reset_index()
    out.attrs |= {"notes": notes, "months": months}
    return out


@answers("What does an order leave on each platform?")
def brief(of: pd.DataFrame) -> pd.DataFrame:
    """The columns of `unit_economics` that a page shows, those of `ORDER_UNITS`."""
    wanted = ["platform", *(f"{c}{end}" for c in ORDER_UNITS for end in ("", "_low", "_high"))]
    return of[[c for c in wanted if c in of]]


def _cost(table: ibis.Table | pd.DataFrame | None, column: str) -> ibis.Table | None:
    """Costs of orders; None where none are known."""
    if table is None or not {"order_id", column} <= set(table.columns):
        return None
    rows = as_table(table)
    keys = [k for k in ("platform", "order_id") if k in rows.columns]
    return rows.select(*keys, cost=rows[column].cast("decimal(18, 4)"))


def _goods(
    order_items: ibis.Table | pd.DataFrame | None, products: ibis.Table | pd.DataFrame | None
) -> ibis.Table | None:
    if order_items is None or products is None or "unit_cost" not in products.columns:
        return None
    listed = as_table(products)
    listed = listed.group_by("product_id").aggregate(unit_cost=listed.unit_cost.max().cast("decimal(18, 4)"))
    lines = as_table(order_items)
    keys = [k for k in ("platform", "order_id") if k in lines.columns]
    lines = lines.select(*keys, "product_id", "quantity").inner_join(listed, "product_id")
    return lines.select(*keys, cost=(lines.quantity * lines.unit_cost).fill_null(0).cast("decimal(18, 4)"))


def _advertising(
    rows: ibis.Table, ad_spend: ibis.Table | pd.DataFrame | None, since: dt.date, until: dt.date, notes: list[str]
) -> pd.Series | None:
    """Advertising by platform: that of a channel by where the sales credited to it were made, else by all sales."""
    if ad_spend is None or "channel" not in ad_spend.columns:
        return None
    ads = paid_for(as_table(ad_spend), since, until)
    spend = ads.group_by("channel").aggregate(spend=ads.spend.sum().cast("float64")).to_pandas()
    sold = rows.group_by(["platform", "channel"]).aggregate(sales=rows.amount.sum()).to_pandas()
    whole = sold.groupby("platform")["sales"].sum()
    credited = sold.dropna(subset=["channel"]).pivot(index="platform", columns="channel", values="sales")
    credited = credited.reindex(whole.index).fillna(0.0)
    if (credited.sum(axis=1) < TOLD * whole).any():
        notes.append(_("REVIEW: not every platform tells the channel of its orders; advertising is shared by sales."))
        credited = credited.iloc[:, :0]
    out = pd.Series(0.0, index=whole.index)
    for row in spend.itertuples():
        by = credited[row.channel] if row.channel in credited and credited[row.channel].sum() > 0 else whole
        out += row.spend * by / by.sum()
    return out


@answers("Which platform does not earn its fees?")
def findings(of: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which platform loses on each order, and does the own site leave more than the others?

    Parameters
    ----------
    of : DataFrame
        Of `unit_economics`.
    """
    out = []
    for row in of.to_dict("records"):
        money = {c: style.value(row[c], "currency", currency=currency) for c in ("per_order", "fixed_fees")}
        figure = Figure(
            "per_order", row["per_order"], "currency", row["per_order_low"], row["per_order_high"],
            {"platform": row["platform"]},
        )  # fmt: skip
        if row["per_order_high"] < 0:
            said = _("On {platform} an order leaves {per_order} after all its costs: more orders there lose more.")
            text = said.format(platform=term("platform", row["platform"]), **money)
            out.append(Finding("act", text, -row["profit"], (figure,)))
        elif row["break_even_orders"] * of.attrs["months"] > row["orders"]:
            said = _(
                "On {platform} an order leaves {per_order}, but there are too few to pay for fees of {fixed_fees} a "
                "month."
            )
            text = said.format(platform=term("platform", row["platform"]), **money)
            out.append(Finding("watch", text, -row["profit"], (figure,)))
    own, others = of[of["platform"].isin(OWN)], of[~of["platform"].isin(OWN)]
    if len(own) and len(others) and own["orders"].sum() > 0 and others["orders"].sum() > 0:
        each = [float((f["per_order"] * f["orders"]).sum() / f["orders"].sum()) for f in (own, others)]
        text = _("An order leaves {own} on the own site and {others} on the platforms of others, advertising included.")
        said = text.format(
            own=style.value(each[0], "currency", currency=currency),
            others=style.value(each[1], "currency", currency=currency),
        )
        figures = (Figure("per_order_own", each[0], "currency"), Figure("per_order_others", each[1], "currency"))
        out.append(Finding("hold", said, abs(each[0] - each[1]), figures))
    return out


@quietly
def plot_order(of: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What becomes of the sales of an order on each platform: costs, and what is left."""
    if of.empty:
        return None
    ax = style.axes(height=1.4 + 0.6 * len(of))
    names = [term("platform", p) for p in of["platform"]]
    place, at = np.arange(len(of))[::-1], np.zeros(len(of))
    words = {
        "goods": _("goods"), "returns": _("returns"), "commission": _("commission"), "carriage": _("carriage"),
        "advertising": _("advertising"), "per_order": _("left"),
    }  # fmt: skip
    colours = dict(zip(words, [*style.CATEGORIES[1:6], style.OWN], strict=True))
    for part, word in words.items():
        size = of[part].clip(lower=0).to_numpy()
        ax.barh(place, size, left=at, height=0.62, color=colours[part], label=word)
        for y, x, w in zip(place, at, size, strict=True):
            if w > 0.06 * (of["sales"] / of["orders"]).max():
                text = style.short(w, "currency", currency=currency)
                ax.annotate(text, (x + w / 2, y), ha="center", va="center", fontsize=9, color="white")
        at = at + size
    ax.set_yticks(place, names)
    ax.legend(ncols=len(words), loc="upper left", bbox_to_anchor=(0, -0.12), handlelength=1, columnspacing=1)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What becomes of an order's sales, by platform"))
    return ax


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))
