"""The promotions that are coming: what each would take off, must bring and may earn; and what a basket costs now."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import _
from ...missing import Missing, answers, quietly
from ...outlook import Decision
from .effects import Response
from .engine import Line, Offer, Receipt, cheapest, offers_of
from .history import baskets
from .rules import Coupon, FullReduction, Gift, Points, parse
from .simulate import bunching, expected, replay

UNITS = (
    dict.fromkeys(("above", "above_before", "shift"), "share")
    | dict.fromkeys(("threshold", "mean", "mean_before"), "currency")
    | {"n": "count"}
)
MONEY = dict.fromkeys(("value", "item", "store", "platform", "coupon", "points", "paid"), "currency")
HISTORY, HORIZON = 56, 75
"""Days of baskets that a promotion is tried on, and days ahead within which promotions are looked at."""


@answers("What may the coming promotions earn?")
def upcoming(
    promotions: ibis.Table,
    orders: ibis.Table,
    items: ibis.Table | None = None,
    products: ibis.Table | None = None,
    response: Response | None = None,
    *,
    today: dt.date,
    rng: np.random.Generator | int,
    fees: float = 0.0,
    currency: str = "CNY",
) -> pd.DataFrame:
    """What may each promotion that is coming earn, beside not holding it?

    Each is put through the baskets of the last eight weeks; at a festival more is bought with and without it, so money
    is then larger in proportion.

    Parameters
    ----------
    promotions, orders, items, products : Table
        Canonical.
    response : Response, optional
        Of `effects.response`; without it only what must be brought is told.
    today : date
        The day after the last one known.
    rng : Generator or int
        Seeded, or the seed.
    fees : float
        Part of what is paid that platforms keep.

    Returns
    -------
    DataFrame
        promotion_id, name, category, begins, ends, days, and the columns of `simulate.expected`; the next first. A
        Missing where none is planned.
    """
    table, rng = _plain(promotions), np.random.default_rng(rng)
    ahead = (table.starts_at >= pd.Timestamp(today)) & (
        table.starts_at < pd.Timestamp(today) + pd.Timedelta(days=HORIZON)
    )
    rows = []
    for name, of in table[ahead & table.rule.notna()].groupby("promotion_id", sort=False):
        p = of.iloc[0]
        try:
            rule = parse(str(p["rule"]))
        except ValueError:
            continue
        if isinstance(rule, Coupon | Points) or (isinstance(rule, Gift) and rule.product):
            continue
        category = p["category"] if isinstance(p["category"], str) else ""
        ids = sorted(of.product_id.dropna().astype(str))
        last = today - dt.timedelta(days=1)
        first = today - dt.timedelta(days=HISTORY)
        mine = baskets(orders, items, products, first=first, last=last, category=category, product_ids=ids)
        days = (p["ends_at"].normalize() - p["starts_at"].normalize()).days + 1
        told = replay(mine, rule, fees=fees, currency=currency)
        told = expected(told, response, scale=days / HISTORY, rng=rng).iloc[0].to_dict()
        about = {"promotion_id": name, "name": p["name"], "category": category, "begins": p["starts_at"].normalize(),
                 "ends": p["ends_at"].normalize(), "days": days}  # fmt: skip
        rows.append(about | told)
    if not rows:
        return Missing(
            _("a planned promotion"), remedy=_("Write coming promotions and their rules into the table promotions.")
        )
    return pd.DataFrame(rows).sort_values("begins", ignore_index=True)


@answers("Did baskets gather at thresholds?")
def gathered(
    promotions: ibis.Table,
    orders: ibis.Table,
    items: ibis.Table | None = None,
    products: ibis.Table | None = None,
    *,
    today: dt.date,
    most: int = 6,
) -> pd.DataFrame:
    """While full reductions ran, did shoppers fill their baskets up to the threshold?

    Returns
    -------
    DataFrame
        name, begins, and the columns of `simulate.bunching`: the days of the promotion beside the four weeks before it;
        latest first. A Missing where no full reduction ran.
    """
    table = _plain(promotions)
    table = table[(table.ends_at < pd.Timestamp(today)) & table.rule.astype(str).str.startswith("full_reduction")]
    rows = []
    for p in table.sort_values("starts_at", ascending=False).head(most).to_dict("records"):
        rule = parse(p["rule"])
        assert isinstance(rule, FullReduction)
        first, last = p["starts_at"].date(), p["ends_at"].date()
        during = baskets(orders, items, products, first=first, last=last)
        earlier = first - dt.timedelta(days=28)
        before = baskets(orders, items, products, first=earlier, last=first - dt.timedelta(days=1))
        told = bunching(during, before, threshold=float(rule.tiers[0][0]))
        rows.append({"name": p["name"], "begins": pd.Timestamp(first)} | told)
    if not rows:
        return Missing(_("a past full reduction"), remedy=_("Write past promotions and their rules into promotions."))
    frame = pd.DataFrame(rows)
    shares = frame[["above", "above_before", "shift", "shift_low", "shift_high"]]
    return frame[["name", "begins", "threshold", "n"]].join(shares).join(frame[["mean", "mean_before"]])


@answers("What does a basket cost now?")
def example(promotions: ibis.Table, sold: pd.DataFrame, *, on: dt.date, points: int = 1000) -> Receipt:
    """What would the shop's three best-selling products cost together on a day, with all that runs then?

    Parameters
    ----------
    promotions : Table
        Canonical `promotions`.
    sold : DataFrame
        Of `history.by_product`.
    on : date
    points : int
        That the shopper has.

    Returns
    -------
    Receipt
        The cheapest way.
    """
    table = _plain(promotions)
    runs = (table.starts_at <= pd.Timestamp(on) + pd.Timedelta(days=1)) & (table.ends_at >= pd.Timestamp(on))
    offers, _notes = offers_of(table[runs])
    lines = [
        Line(str(p["product_id"]), Decimal(str(round(p["price"], 2))), 1, str(p["category"]))
        for p in sold.head(3).to_dict("records")
    ]
    return cheapest(lines, _few(offers, lines), points=points)


def _few(offers: list[Offer], lines: list[Line], most: int = 10) -> list[Offer]:
    """The promotions that any of the lines may take, not so many that trying all takes long."""
    return [o for o in offers if any(o.covers(line) for line in lines)][:most]


@answers("What does a basket cost now?")
def lines_of(receipt: Receipt) -> pd.DataFrame:
    """A receipt line by line: what each stage takes off, and what is paid (Decimal, currency)."""
    return receipt.table()[["product", "quantity", "value", "item", "store", "platform", "coupon", "points", "paid"]]


@answers("Who pays for what is taken off?")
def parties(receipt: Receipt) -> pd.DataFrame:
    """Who pays for what is taken off, promotion by promotion?

    Returns
    -------
    DataFrame
        promotion, stage, party, amount (Decimal, currency); the amounts sum to what is taken off.
    """
    rows = []
    for offer in receipt.by_offer():
        only = Receipt(receipt.lines, tuple(t for t in receipt.taken if t.offer == offer))
        rows += [(offer.name, offer.stage, party, amount) for party, amount in only.by_party().items()]
    return pd.DataFrame(rows, columns=["promotion", "stage", "party", "amount"])


@answers("What follows for the coming promotions?")
def findings(ahead: pd.DataFrame, grid: pd.DataFrame | None = None, *, currency: str = "CNY") -> list[Finding]:
    """Which of the coming promotions is likely to pay, and which threshold would earn most?"""
    found = []
    for p in ahead.to_dict("records"):
        if math.isnan(p["margin"]):
            text = _("“{name}” takes {depth} off all baskets; whether it pays cannot be told without costs.")
            text = text.format(name=p["name"], depth=style.value(p["depth"], "share"))
            found.append(Finding("watch", text))
            continue
        if math.isnan(p["breakeven"]):
            text = _("“{name}” loses money on every unit: it takes {depth} off, and {margin} is left before.")
            text = text.format(
                name=p["name"], depth=style.value(p["depth"], "share"), margin=style.value(p["margin"], "share")
            )
            found.append(Finding("act", text, abs(p["off"])))
            continue
        if math.isnan(p["earned"]):
            text = _("“{name}” must sell {needed} more to earn as much as without it; nothing like it has been tried.")
            found.append(Finding("watch", text.format(name=p["name"], needed=style.value(p["breakeven"], "share"))))
            continue
        verdict: Verdict = "hold" if p["earned_low"] > 0 else "act" if p["earned_high"] < 0 else "watch"
        text = _(
            "“{name}” must sell {needed} more to earn as much as without it; {uplift} more ({interval}) is expected, "
            "which earns {earned} ({money}) beside none."
        )
        text = text.format(
            name=p["name"],
            needed=style.value(p["breakeven"], "share"),
            uplift=style.value(p["uplift"], "share"),
            interval=style.interval(p["uplift_low"], p["uplift_high"], "share"),
            earned=style.change_of_money(p["earned"], currency=currency),
            money=style.interval(p["earned_low"], p["earned_high"], "currency", currency=currency),
        )
        by = {"promotion": str(p["promotion_id"])}
        figure = Figure("promotion.expected", p["earned"], "currency", p["earned_low"], p["earned_high"], by)
        found.append(Finding(verdict, text, abs(p["earned"]), (figure,)))
    known = grid.dropna(subset="earned") if grid is not None and len(grid) else pd.DataFrame()
    if len(known):
        best = known.loc[known.earned.idxmax()]
        text = _("Of the full reductions tried on the shop's baskets, {rule} earns most: {earned} a week ({interval}).")
        text = text.format(
            rule=best.rule,
            earned=style.change_of_money(best.earned, currency=currency),
            interval=style.interval(best.earned_low, best.earned_high, "currency", currency=currency),
        )
        figure = Figure("threshold.best", best.threshold, "currency")
        verdict = "hold" if best.earned_low > 0 else "watch"
        found.append(Finding(verdict, text, abs(best.earned), (figure,)))
    return found


@answers("Which coming promotions should not be held?")
def decisions(ahead: pd.DataFrame, *, due: dt.date, currency: str = "CNY") -> list[Decision]:
    """Coming promotions that surely earn less than none, as decisions; net sales without them are what is scored."""
    made = []
    for p in ahead[(ahead.earned_high < 0)].to_dict("records"):
        text = _("Call off “{name}”: beside none it earns {earned} ({interval}), though net sales will be lower.")
        text = text.format(
            name=p["name"],
            earned=style.change_of_money(p["earned"], currency=currency),
            interval=style.interval(p["earned_low"], p["earned_high"], "currency", currency=currency),
        )
        period = f"{p['begins'].date()}/{p['ends'].date()}"
        effect = sorted((-p["more_low"], -p["more"], -p["more_high"]))
        made.append(
            Decision(
                f"call_off_{p['promotion_id']}", text, _("Shop operations"), min(due, p["begins"].date()),
                "net_sales", period, effect[1], effect[0], effect[2], "currency", stake=abs(p["earned"]),
            )
        )  # fmt: skip
    return made


@quietly
def plot_upcoming(ahead: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What each coming promotion may earn beside none; nothing where none can be told."""
    rows = ahead.dropna(subset="earned")[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.3 + 0.5 * len(rows))
    for y, p in enumerate(rows.to_dict("records")):
        colour = style.GOOD if p["earned_low"] > 0 else style.BAD if p["earned_high"] < 0 else style.COMPARISON
        ax.plot([p["earned_low"], p["earned_high"]], [y, y], color=colour, linewidth=5, alpha=0.45)
        ax.plot(p["earned"], y, "o", color=colour, markersize=8)
    names = [
        _("{promotion}, {day}").format(promotion=p["name"], day=style.date(p["begins"]))
        for p in rows.to_dict("records")
    ]
    ax.set_yticks(range(len(rows)), names)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What each coming promotion may earn beside none; the bar is the 80% interval"))
    return ax


def _plain(promotions: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    columns = ["promotion_id", "name", "kind", "category", "product_id", "starts_at", "ends_at", "rule", "funded_by"]
    table = promotions.to_pandas() if isinstance(promotions, ibis.Table) else promotions
    return table.reindex(columns=columns)
