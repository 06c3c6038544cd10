"""What promotions earned: what they added, what they gave away for it, and what was only bought earlier.

What would have been sold without a promotion is told by the parts of the shop that it left alone, which moved alike
before (`playbook.methods.impact`). Where it left nothing alone, nobody can tell, and the table says so.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import as_table
from ..language import N_, _, term
from ..methods import impact, intervals
from ..missing import answers, quietly

AFTER = 21
"""Days afterwards in which what was pulled forward is missing."""

STEPS = {
    "gain": N_("Margin of what it added, at full price"),
    "discount": N_("Discount on all that was sold"),
    "gifts": N_("Gifts"),
    "pulled": N_("Missing in the weeks afterwards"),
    "returned": N_("Returns of what it added"),
    "fees": N_("Platform fees on what it added"),
    "net": N_("Net profit"),
}
"""Steps of the waterfall, in order."""

UNITS = {
    "orders": "count", "sales": "currency", "given": "currency", "effect": "share", "net": "currency",
}  # fmt: skip

REASONS = {
    "whole shop": N_("it ran for the whole shop, so nothing tells what would have been sold without it"),
    "too early": N_("the weeks afterwards are not over"),
    "one category": N_("there is no other category to compare with"),
    "too little": N_("too few undisturbed days to compare with"),
}
"""Why a promotion has no net profit."""


@dataclass(frozen=True)
class Sold:
    """What was sold, for promotions to be held against.

    Attributes
    ----------
    lines : Table
        One row per line of a paid order: key (of the order), product_id, category, day (placed), quantity, amount,
        full (at the price before discounts), discount, goods (cost), gift (flag), returned (money).
    daily : DataFrame
        Orders by day (all days) × category of the order's first line.
    fee_rate : float
        Platform fees for a unit of sales.
    notes : tuple of str
        What could not be taken into account.
    """

    lines: ibis.Table
    daily: pd.DataFrame
    fee_rate: float
    notes: tuple[str, ...]


@answers("What was sold, of which category?", needs={"order_items": ["amount"], "products": ["category"]})
def sold(
    orders: ibis.Table | pd.DataFrame, order_items: ibis.Table | pd.DataFrame, products: ibis.Table | pd.DataFrame,
    returns: ibis.Table | pd.DataFrame | None = None, settlements: ibis.Table | pd.DataFrame | None = None, *,
    until: dt.date,
) -> Sold:  # fmt: skip
    """What was sold, of which category, on which day, at what price and cost?

    Parameters
    ----------
    orders : Table
        order_id, ordered_at, paid_at, amount (money); platform where known. What is not paid does not count.
    order_items : Table
        order_id, product_id, quantity, amount; line, unit_price, discount, gift, platform where known.
    products : Table
        product_id, category; unit_cost where known.
    returns : Table, optional
        order_id, product_id, amount.
    settlements : Table, optional
        order_id, kind, amount: what platforms kept of orders.
    until : date
        The day after the last.
    """
    paid, items, listed = as_table(orders), as_table(order_items), as_table(products)
    paid = paid.filter(paid.paid_at.notnull())
    key = _key(items, paid)
    notes = []
    about = listed.group_by("product_id").aggregate(
        category=listed.category.min(),
        unit_cost=listed.unit_cost.max() if "unit_cost" in listed.columns else ibis.null("decimal(18, 4)"),
    )
    if "unit_cost" not in listed.columns:
        notes.append(_("REVIEW: no cost of goods, so profits are before it."))
    of_order = paid.select(*key, day=paid.ordered_at.date())
    zero = ibis.literal(0).cast("decimal(18, 4)")
    discount = items.discount.fill_null(0) if "discount" in items.columns else zero
    lines = items.select(
        *key, "product_id", "quantity", amount=items.amount, discount=discount, full=items.amount + discount,
        line=items.line if "line" in items.columns else ibis.null("int64"),
        gift=items.gift.fill_null(False) if "gift" in items.columns else ibis.literal(False),
    )  # fmt: skip
    lines = lines.inner_join(of_order, key).inner_join(about, "product_id")
    lines = lines.mutate(goods=lines.quantity * lines.unit_cost.fill_null(0))
    if returns is not None and {"order_id", "product_id"} <= set(returns.columns):
        back = as_table(returns)
        by = [*_key(back, paid), "product_id"]
        back = back.group_by(by).aggregate(returned=back.amount.sum())
        lines = lines.left_join(back, by)
        lines = lines.drop(*(c for c in lines.columns if c.endswith("_right")))
        times = ibis.window(group_by=by)
        lines = lines.mutate(returned=lines.returned.fill_null(0) / lines.count().over(times))
    else:
        notes.append(_("REVIEW: no data on returned products, so nothing is taken off for them."))
        lines = lines.mutate(returned=zero)
    lines = lines.mutate(key=ibis.literal("/").join([lines[k].fill_null("") for k in key])).drop(*key).cache()
    first = lines.filter(lines.line == lines.line.min().over(ibis.window(group_by="key")))
    first = lines if first.count().to_pandas() == 0 else first
    counted = first.group_by("day", "category").aggregate(n=first.key.nunique()).to_pandas()
    daily = counted.pivot_table(index="day", columns="category", values="n", aggfunc="sum", fill_value=0)
    daily.index = pd.to_datetime(daily.index)
    if len(daily):
        whole = pd.date_range(daily.index.min(), pd.Timestamp(until) - pd.Timedelta(days=1))
        daily = daily.reindex(whole, fill_value=0).astype(float)
    rate = 0.0
    if settlements is not None and "order_id" in settlements.columns:
        kept = as_table(settlements)
        kept = kept.filter(kept.order_id.notnull() & (kept.amount < 0) & ~kept.kind.isin(["adjustment", "refund"]))
        cost, sales = (float(x.sum().to_pandas() or 0) for x in (kept.amount, paid.amount))
        rate = -cost / sales if sales > 0 else 0.0
    else:
        notes.append(_("REVIEW: no settlements, so no platform fees are taken off."))
    return Sold(lines, daily, rate, tuple(notes))


@answers("Which promotions earned money?", needs={"promotions": ["category"]})
def promotion_profit(
    promotions: ibis.Table | pd.DataFrame, goods: Sold, *, since: dt.date, until: dt.date, level: float = 0.9
) -> pd.DataFrame:  # fmt: skip
    """Which promotions earned money, and which cost more than they brought?

    Parameters
    ----------
    promotions : Table
        promotion_id, name, starts_at, ends_at, category (empty: whole shop); kind, product_id where known.
    goods : Sold
    since, until : date
        Promotions that ended from the one up to, not including, the other.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a promotion by its end: promotion_id, name, category, kind, begins, ends; orders (with a line under it),
        sales, given (discount and gifts), effect (relative, on orders of the category) with effect_low, effect_high;
        the steps of the waterfall (money: gain, discount, gifts, pulled, returned, fees, net) with net_low, net_high;
        extra_sales with extra_sales_low, extra_sales_high (net of what was pulled forward, at the prices paid), p_value
        (of the effect), reason (a key of `REASONS` where net is NaN, otherwise empty). ``attrs``: level, notes.
    """
    table = as_table(promotions)
    day = {"begins": table.starts_at.date(), "ends": table.ends_at.date()}
    names = [c for c in ("promotion_id", "name", "category", "kind", "product_id") if c in table.columns]
    found = table.select(*names, **day).to_pandas()
    for column in ("kind", "product_id"):
        found[column] = found[column] if column in found else ""
    found["category"] = found["category"].astype(object).where(found["category"].notna(), "")
    found["product_id"] = found["product_id"].astype(object).where(found["product_id"].notna(), "")
    found[["begins", "ends"]] = found[["begins", "ends"]].apply(pd.to_datetime)
    daily = goods.daily
    at_once = ("coupon", "points")  # last for months and meet nobody in particular: see `redemption`
    first_known = daily.index.min() if len(daily) else pd.Timestamp(until)
    over = found["ends"].between(pd.Timestamp(since), pd.Timestamp(until) - pd.Timedelta(days=1))
    ran = found[over & (found["begins"] >= first_known) & ~found["kind"].isin(at_once)]
    ran = ran.sort_values(["ends", "promotion_id"], ignore_index=True)
    held = {
        c: pd.DatetimeIndex(np.unique(np.concatenate([pd.date_range(b, e) for b, e in zip(p["begins"], p["ends"], strict=True)])))
        for c, p in found[found["category"] != ""].groupby("category")
    }  # fmt: skip
    sums = _sums(goods.lines, ran)
    rows = [_row(p, sums, goods, held, level) for p in ran.to_dict("records")]
    frame = pd.DataFrame(rows, columns=[*_COLUMNS])
    frame.attrs = {"level": level, "notes": list(goods.notes)}
    return frame


_COLUMNS = (
    "promotion_id", "name", "category", "kind", "begins", "ends", "orders", "sales", "given", "effect", "effect_low",
    "effect_high", "gain", "discount", "gifts", "pulled", "returned", "fees", "net", "net_low", "net_high",
    "extra_sales", "extra_sales_low", "extra_sales_high", "p_value", "reason",
)  # fmt: skip


def _sums(lines: ibis.Table, ran: pd.DataFrame) -> pd.DataFrame:
    """What was sold under each promotion, in one pass."""
    if ran.empty:
        return pd.DataFrame()
    spans = ran[["promotion_id", "category", "product_id", "begins", "ends"]].assign(_p=range(len(ran)))
    spans = as_table(spans.rename(columns={"category": "of", "product_id": "only"}))
    spans = spans.mutate(begins=spans.begins.date(), ends=spans.ends.date())
    under = lines.inner_join(
        spans,
        [
            lines.day >= spans.begins,
            lines.day <= spans.ends,
            (spans.of == "") | (lines.category == spans.of),
            (spans.only == "") | (lines.product_id == spans.only),
        ],
    )
    found = under.group_by("_p").aggregate(
        orders=under.key.nunique(),
        sales=under.amount.sum(),
        full=under.full.sum(),
        discount=under.discount.sum(),
        goods=under.goods.sum(where=~under.gift),
        gifts=under.goods.sum(where=under.gift),
        returned=under.returned.sum(),
    )
    frame = found.to_pandas().set_index("_p").astype(float)
    return frame.reindex(range(len(ran)), fill_value=0.0).fillna(0.0).set_index(ran["promotion_id"])


def _row(p: dict, sums: pd.DataFrame, goods: Sold, held: dict[str, pd.DatetimeIndex], level: float) -> dict:
    it = sums.loc[p["promotion_id"]]
    it = it.iloc[0] if isinstance(it, pd.DataFrame) else it
    out = dict.fromkeys(_COLUMNS, math.nan) | {k: p[k] for k in ("promotion_id", "name", "category", "kind", "begins", "ends")}
    out |= {"orders": it["orders"], "sales": it["sales"], "given": it["discount"] + it["gifts"], "reason": ""}
    out |= {"discount": -it["discount"], "gifts": -it["gifts"]}
    category, daily = p["category"], goods.daily
    if not category or category not in daily:
        return out | {"reason": "whole shop"}
    if daily.shape[1] < 2:
        return out | {"reason": "one category"}
    first, last = p["begins"].date(), p["ends"].date()
    own = pd.date_range(first, last)
    known = {"first": first, "last": last, "avoid": held[category].difference(own), "level": level}
    series, others = daily[category], daily.drop(columns=category)
    during = impact.interrupted(series, others, **known)
    if math.isnan(during.effect):
        return out | {"reason": "too little"}
    out |= {"effect": during.effect, "effect_low": during.low, "effect_high": during.high, "p_value": during.p_value}
    margin = it["full"] - it["goods"]  # of all that was sold, had it been sold at full price
    gain, low, high = (margin * e / (1 + e) for e in (during.effect, during.low, during.high))
    part = gain / margin if margin else 0.0
    out |= {"gain": gain, "returned": -it["returned"] * part, "fees": -goods.fee_rate * it["sales"] * part}
    if p["ends"] + pd.Timedelta(days=AFTER) > daily.index[-1]:
        return out | {"reason": "too early"}
    after = impact.pull_forward(series, others, **known, after=AFTER)[0].set_index("part").loc["after"]
    if math.isnan(after["extra"]):
        return out | {"reason": "too little"}
    each = margin / float(series[own].sum()) if series[own].sum() else 0.0
    out["pulled"] = after["extra"] * each
    net = sum(out[k] for k in STEPS if k != "net")
    half = (after["high"] - after["low"]) / 2 * each  # the gain is bounded above and not below: its sides differ
    out |= {"net": net, "net_low": net - math.hypot(gain - low, half), "net_high": net + math.hypot(high - gain, half)}
    paid = it["sales"] / float(series[own].sum()) if series[own].sum() else 0.0
    extra = (during.extra + after["extra"]) * paid
    wide = math.hypot((during.extra_high - during.extra_low) / 2, (after["high"] - after["low"]) / 2) * paid
    return out | {"extra_sales": extra, "extra_sales_low": extra - wide, "extra_sales_high": extra + wide}


@answers("Did other categories lose what the promoted one won?")
def spillover(profit: pd.DataFrame, goods: Sold, *, promotion: str, level: float = 0.9) -> pd.DataFrame:
    """Did other categories lose what the promoted one won, or did they move as well?

    Each category is compared with the rest, as if the promotion had been its own: a placebo in space. A fall is what
    the promotion took from it; a rise of all is not the promotion's doing.

    Parameters
    ----------
    profit : DataFrame
        From `promotion_profit`.
    goods : Sold
    promotion : str
        Its promotion_id.

    Returns
    -------
    DataFrame
        category, promoted (flag), effect, effect_low, effect_high (relative, on orders).
    """
    p = profit[profit["promotion_id"] == promotion].iloc[0]
    own, category = pd.date_range(p["begins"], p["ends"]), p["category"]
    if category not in goods.daily or goods.daily.shape[1] < 3:
        return pd.DataFrame(columns=["category", "promoted", "effect", "effect_low", "effect_high"])
    others = goods.daily.drop(columns=category)
    made = impact.placebo_in_space(
        goods.daily[category], others, first=own[0].date(), last=own[-1].date(), level=level
    )  # fmt: skip
    made = made.rename(columns={"low": "effect_low", "high": "effect_high"})
    made.insert(0, "category", made.pop("name").replace("", category))
    made.insert(1, "promoted", made["category"] == category)
    return made


@answers("How many coupons were used?", needs={"coupons": ["promotion_id", "used_at"]})
def redemption(
    coupons: ibis.Table | pd.DataFrame, orders: ibis.Table | pd.DataFrame, *, since: dt.date, until: dt.date
) -> pd.DataFrame:  # fmt: skip
    """How many coupons were used, and what did they bring and cost?

    Parameters
    ----------
    coupons : Table
        promotion_id, issued_at, used_at; face_value (money), order_id where known.
    orders : Table
        order_id, amount.
    since, until : date
        Coupons issued from the one up to, not including, the other.

    Returns
    -------
    DataFrame
        promotion_id, issued, used (counts), redemption (share) with redemption_low, redemption_high (95 %), cost (face
        value of those used), sales (of the orders they were used on). What was sold only because of a coupon is not
        told by this.
    """
    rows = as_table(coupons)
    rows = rows.filter((rows.issued_at >= _midnight(since)) & (rows.issued_at < _midnight(until)))
    face = rows.face_value if "face_value" in rows.columns else ibis.null("decimal(18, 4)")
    rows = rows.mutate(face=face)
    if "order_id" in rows.columns:
        paid = as_table(orders)
        paid = paid.group_by(used_on=paid.order_id).aggregate(sold=paid.amount.max())
        rows = rows.left_join(paid, rows.order_id == paid.used_on)
    else:
        rows = rows.mutate(sold=ibis.null("decimal(18, 4)"))
    used = rows.used_at.notnull()
    frame = rows.group_by("promotion_id").aggregate(
        issued=rows.count(), used=used.sum(), cost=rows.face.sum(where=used), sales=rows.sold.sum(where=used)
    ).order_by("promotion_id").to_pandas()  # fmt: skip
    frame[["cost", "sales"]] = frame[["cost", "sales"]].astype(float)
    frame.insert(3, "redemption", frame["used"] / frame["issued"].where(frame["issued"] > 0))
    ends = [intervals.wilson(u, n) for u, n in zip(frame["used"], frame["issued"], strict=True)]
    frame[["redemption_low", "redemption_high"]] = np.array(ends).reshape(-1, 2)
    return frame


def waterfall(profit: pd.DataFrame, promotion: str) -> pd.DataFrame:
    """How does a promotion come to its net profit, step by step?

    Returns
    -------
    DataFrame
        step, amount, starts (where its bar begins), low, high (of the net profit alone). ``attrs``: name, category.
    """
    p = profit[profit["promotion_id"] == promotion].iloc[0]
    amounts = [0.0 if math.isnan(p[s]) and s != "net" else p[s] for s in STEPS]
    ends = np.cumsum(amounts[:-1])
    frame = pd.DataFrame({"step": list(STEPS), "amount": amounts, "starts": [0.0, *ends[:-1], 0.0]})
    frame["low"], frame["high"] = [math.nan] * 6 + [p["net_low"]], [math.nan] * 6 + [p["net_high"]]
    frame.attrs = {"name": p["name"], "category": p["category"]}
    return frame


def least_earned(profit: pd.DataFrame) -> str:
    """The promotion with the lowest net profit; the last one where none is known; empty where there was none."""
    known = profit.dropna(subset="net")
    if known.empty:
        return "" if profit.empty else str(profit["promotion_id"].iloc[-1])
    return str(known.loc[known["net"].idxmin(), "promotion_id"])


def _key(rows: ibis.Table, orders: ibis.Table) -> list[str]:
    both = "platform" in rows.columns and "platform" in orders.columns
    return ["platform", "order_id"] if both else ["order_id"]


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))


@quietly
def plot_waterfall(steps: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """From the margin of what a promotion added to its net profit, a bar a step."""
    ax = style.axes(height=1.2 + 0.45 * len(steps))
    rows = steps[::-1]
    names = [_(STEPS[s]) for s in rows["step"]]
    colours = [
        style.OWN if s == "net" and a >= 0 else style.GOOD if a >= 0 else style.BAD
        for s, a in zip(rows["step"], rows["amount"], strict=True)
    ]
    ax.barh(names, rows["amount"], left=rows["starts"], color=colours, height=0.62)
    net = rows.iloc[0]
    if not math.isnan(net["low"]):
        spread = [[net["amount"] - net["low"]], [net["high"] - net["amount"]]]
        ax.errorbar([net["amount"]], [names[0]], xerr=spread, fmt="none", ecolor=style.INK, capsize=4)
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        edge = max(row["starts"], row["starts"] + row["amount"], 0.0 if math.isnan(row["high"]) else row["high"])
        text = style.change_of_money(row["amount"], currency=currency)
        ax.annotate(text, (edge, name), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.18)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("{name}: from what it added to what it earned").format(name=steps.attrs["name"]))
    return ax


@quietly
def plot_profit(profit: pd.DataFrame, *, currency: str = "CNY", top: int = 14) -> Axes | None:
    """Net profit of the promotions that can be told, with their intervals; nothing where there is none."""
    rows = profit.dropna(subset="net").tail(top)[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.2 + 0.42 * len(rows))
    names = [_("{name} ({day})").format(name=n, day=style.date(d)) for n, d in zip(rows["name"], rows["ends"], strict=True)]
    ax.barh(names, rows["net"], color=[style.GOOD if v >= 0 else style.BAD for v in rows["net"]], height=0.6)
    spread = [rows["net"] - rows["net_low"], rows["net_high"] - rows["net"]]
    ax.errorbar(rows["net"], names, xerr=np.array(spread), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        text = style.change_of_money(row["net"], currency=currency)
        ax.annotate(text, (row["net_high"], name), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.16)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What promotions earned beside what would have been earned without them"))
    return ax


@quietly
def plot_spillover(spread: pd.DataFrame) -> Axes | None:
    """The change of each category while the promotion ran, beside the others, with its interval."""
    rows = spread.dropna(subset="effect")[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.1 + 0.42 * len(rows))
    names = [term("category", c) for c in rows["category"]]
    colours = [style.OWN if p else style.COMPARISON for p in rows["promoted"]]
    ax.barh(names, rows["effect"], color=colours, height=0.6)
    sides = [rows["effect"] - rows["effect_low"], rows["effect_high"] - rows["effect"]]
    ax.errorbar(rows["effect"], names, xerr=np.array(sides), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.share_axis(ax, which="x")
    ax.set_title(_("Orders while it ran, beside what the other categories lead to expect; the promoted one is dark"))
    return ax
