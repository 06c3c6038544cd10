"""Between which prices a product can be sold: what it costs, what competitors ask, what buyers would pay."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _
from ...missing import Missing, answers, quietly
from ...period import Period

UNITS = dict.fromkeys(
    ("price", "floor", "rival_low", "rival_high", "accepted_low", "accepted_high", "best", "contribution"), "currency"
) | {"elasticity": "ratio"}
"""Of what `table` shows."""
FEES = ("commission", "service_fee", "payment_fee")
LEAST_BETWEEN, UNKNOWN_BETWEEN = 0.1, 0.3
"""Standard deviation of the elasticities within a category: not less, and where fewer than three can be compared."""


@answers("What part of what is paid do platforms keep?")
def fee_rate(settlements: ibis.Table | None) -> float:
    """What part of what is paid do platforms keep: commission and service fees over payouts and these; 0 if unknown."""
    if settlements is None:
        return 0.0
    t = settlements if isinstance(settlements, ibis.Table) else ibis.memtable(settlements)
    amount = t.amount.cast("float64")
    sums = t.aggregate(
        fees=-t.kind.isin(FEES).ifelse(amount, 0.0).sum(), paid=(t.kind == "payout").ifelse(amount, 0.0).sum()
    )
    fees, paid = sums.to_pandas().iloc[0].fillna(0.0)
    return float(min(0.9, max(0.0, fees / (fees + paid)))) if fees + paid > 0 else 0.0


@answers("Between which prices can each product be sold?")
def corridor(
    sold: ibis.Table,
    products: ibis.Table | None = None,
    competitors: ibis.Table | None = None,
    wtp: pd.DataFrame | None = None,
    elasticities: pd.DataFrame | None = None,
    *,
    period: Period,
    fees: float = 0.0,
    target_margin: float = 0.30,
    top: int = 30,
) -> pd.DataFrame:
    """Between which prices can each product be sold, and where is it now?

    Parameters
    ----------
    sold : Table
        Of `promotions.history.sold`.
    products, competitors : Table, optional
        Canonical.
    wtp : DataFrame, optional
        Of `willing`.
    elasticities : DataFrame, optional
        Of `playbook.offers.pricing.elasticities`, by product.
    period : Period
        Whose sales are looked at.
    fees : float
        Part of what is paid that platforms keep.
    target_margin : float
        Of the price, that is to be left after goods and fees.
    top : int
        Products with the largest sales.

    Returns
    -------
    DataFrame
        product_id, name, category, units, price (paid for a unit on average), cost, floor (the lowest price that
        leaves the margin), rival_low and rival_high (a quarter of the comparable prices of the last 30 days lies below
        and above), accepted_low, accepted_high, low and high (the corridor: above all floors, below all ceilings that
        are known), best (price that earns most, if sales follow it as they did), elasticity and `spread` (its standard
        error; each is drawn towards those of its category), place (below, inside, above, none: the floor
        is above the ceiling; unknown), contribution (currency, of the period, after goods and fees). Currency; NaN
        where not known.
    """
    t = sold if isinstance(sold, ibis.Table) else ibis.memtable(sold)
    day = t.paid_at.cast("date")
    mine = t.filter((day >= ibis.literal(period.start)) & (day < ibis.literal(period.end)) & (t.product_id != ""))
    each = mine.group_by("product_id").aggregate(
        category=mine.category.max(), units=mine.units.sum().cast("float64"), amount=mine.amount.sum().cast("float64"),
        cost=mine.cost.sum().cast("float64"),
    )  # fmt: skip
    frame = each.order_by(ibis.desc("amount"), "product_id").limit(top).to_pandas()
    frame = frame[frame.units > 0].reset_index(drop=True)
    if frame.empty:
        return Missing("order_items", remedy=_("Map an export that says which products each order holds."))
    frame["price"], frame["cost"] = frame.amount / frame.units, frame.cost / frame.units
    frame["name"] = frame.product_id
    if products is not None and "name" in products.columns:
        about = products.filter(products.product_id.isin(list(frame.product_id))) if len(frame) else products.limit(0)
        names = (
            about.select("product_id", "name").to_pandas().drop_duplicates("product_id").set_index("product_id")["name"]
        )
        frame["name"] = frame.product_id.map(names).fillna(frame.product_id)
    room = 1 - fees - target_margin
    frame["floor"] = frame.cost / room if room > 0 else math.nan
    frame = frame.merge(_rivals(competitors, period.last_day), on="product_id", how="left")
    told = wtp if wtp is not None else pd.DataFrame(columns=["product_id", "accepted_low", "accepted_high"])
    frame = frame.merge(told[["product_id", "accepted_low", "accepted_high"]], on="product_id", how="left")
    known = ["cost", "floor", "rival_low", "rival_high", "accepted_low", "accepted_high"]
    frame[known] = frame[known].astype(float)
    floors, ceilings = frame[["floor", "accepted_low"]], frame[["rival_high", "accepted_high"]]
    frame["low"], frame["high"] = floors.max(axis=1), ceilings.min(axis=1)
    frame[["elasticity", "spread"]] = _elasticities(frame, elasticities)
    elastic = frame.elasticity < -1
    frame["best"] = (frame.cost / (1 - fees) * frame.elasticity / (1 + frame.elasticity)).where(elastic)
    conditions = [frame.low > frame.high, frame.price < frame.low, frame.price > frame.high,
                  frame.low.notna() | frame.high.notna()]  # fmt: skip
    frame["place"] = np.select(conditions, ["none", "below", "above", "inside"], "unknown")
    frame["contribution"] = frame.units * (frame.price * (1 - fees) - frame.cost)
    frame.attrs = {"fees": fees, "target_margin": target_margin, "notes": _lacking(frame)}
    columns = ["product_id", "name", "category", "units", "price", *known, "low", "high", "best", "elasticity",
               "spread", "place", "contribution"]  # fmt: skip
    return frame[columns]


def _elasticities(frame: pd.DataFrame, elasticities: pd.DataFrame | None) -> np.ndarray:
    """The elasticity of each product, drawn towards those of its category, and its standard error."""
    out = np.full((len(frame), 2), math.nan)
    if elasticities is None or not len(known := elasticities.dropna(subset="elasticity")):
        return out
    known = known.assign(error=(known.elasticity_high - known.elasticity_low) / 2 / stats.norm.ppf(0.95))
    own, groups = known.set_index("product_id"), dict(list(known.groupby("category")))
    between = _between(groups.values())
    of_category = {name: _together(rows, between) for name, rows in groups.items()}
    for i, p in enumerate(frame.itertuples()):
        mean, error = of_category.get(p.category, (math.nan, math.nan))
        out[i] = mean, math.hypot(error, between)
        if p.product_id in own.index:
            value, alone = own.loc[p.product_id, ["elasticity", "error"]]
            weight = between**2 / (between**2 + alone**2) if between + alone > 0 else 1.0
            out[i] = mean + weight * (value - mean), math.hypot(math.sqrt(weight) * alone, (1 - weight) * error)
    return out


def _between(groups: Iterable[pd.DataFrame]) -> float:
    """How much the elasticities of one category's products differ (DerSimonian and Laird's moments).

    Learned from all categories together: of the ten products of one, chance makes it anything.
    """
    above, of, freedom = 0.0, 0.0, 0
    for rows in groups:
        w = 1 / rows.error.to_numpy() ** 2
        mean = np.average(rows.elasticity, weights=w)
        above += float(w @ (rows.elasticity.to_numpy() - mean) ** 2) - (len(rows) - 1)
        of += float(w.sum() - (w**2).sum() / w.sum())
        freedom += len(rows) - 1
    return UNKNOWN_BETWEEN if freedom < 2 else math.sqrt(max(LEAST_BETWEEN**2, above / of))


def _together(rows: pd.DataFrame, between: float) -> tuple[float, float]:
    """Mean elasticity of a category, and its error."""
    w = 1 / (rows.error.to_numpy() ** 2 + between**2)
    return float(np.average(rows.elasticity, weights=w)), float(w.sum()) ** -0.5


@answers("Between which prices can each product be sold?")
def table(corridor: pd.DataFrame) -> pd.DataFrame:
    """The corridor as people read it: by name, without what only computations need."""
    columns = ["name", "price", "floor", "rival_low", "rival_high", "accepted_low", "accepted_high", "best",
               "elasticity", "contribution", "place"]  # fmt: skip
    out = corridor[[c for c in columns if corridor[c].notna().any()]]
    out.attrs = corridor.attrs
    return out


def _lacking(frame: pd.DataFrame) -> list[str]:
    """Sentences on what the corridor does without."""
    said = {
        "cost": _("No cost is known, so there is no floor and no price that earns most."),
        "rival_high": _("No competitor's price is known, so nothing tells what others ask."),
        "accepted_high": _("No survey asked for prices, so nothing tells what buyers would pay."),
        "elasticity": _("No price of the shop's own was changed often enough to tell how sales follow it."),
    }
    return [text for column, text in said.items() if frame[column].isna().all()]


def _rivals(competitors: ibis.Table | None, last: dt.date) -> pd.DataFrame:
    """The quartiles of comparable prices in the last 30 days."""
    columns = ["product_id", "rival_low", "rival_high"]
    if competitors is None or "product_id" not in competitors.columns:
        return pd.DataFrame(columns=columns)
    c = competitors if isinstance(competitors, ibis.Table) else ibis.memtable(competitors)
    c = c.filter(c.product_id.notnull() & (c.day > ibis.literal(last - dt.timedelta(days=30))))
    price = c.price.cast("float64")
    quartiles = c.group_by("product_id").aggregate(rival_low=price.quantile(0.25), rival_high=price.quantile(0.75))
    return quartiles.to_pandas()[columns]


@answers("Which prices leave their corridor?")
def findings(corridor: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which products are sold below what they cost with the margin that is aimed at, and which above what is asked?"""
    found = []
    under = corridor[corridor.price < corridor.floor]
    if len(under):
        lost = ((under.floor - under.price) * under.units).sum()
        text = _(
            "{n} of the {all} best-selling products are sold below the price that leaves {margin} after goods and "
            "fees, “{worst}” the furthest: {lost} are lacking in the period."
        )
        worst = under.loc[((under.floor - under.price) * under.units).idxmax()]
        text = text.format(
            n=len(under), all=len(corridor), margin=style.value(corridor.attrs["target_margin"], "share"),
            worst=worst["name"], lost=style.short(lost, "currency", currency=currency),
        )  # fmt: skip
        found.append(Finding("act", text, float(lost), (Figure("price.below_floor", len(under), "count"),)))
    above = corridor[corridor.place == "above"]
    if len(above):
        text = _(
            "{n} of the {all} best-selling products cost more than the upper end of their corridor; most is sold of "
            "“{first}”, at {price} against {high}."
        )
        p = above.iloc[0]
        text = text.format(
            n=len(above), all=len(corridor), first=p["name"],
            price=style.value(p.price, "currency", currency=currency),
            high=style.value(p.high, "currency", currency=currency),
        )  # fmt: skip
        stake = float((above.price * above.units).sum())
        found.append(Finding("watch", text, stake, (Figure("price.above_corridor", len(above), "count"),)))
    inside = corridor[corridor.place == "inside"]
    if len(inside) and not found:
        text = _("All {n} best-selling products are sold within their corridor.").format(n=len(inside))
        found.append(Finding("hold", text))
    return found


@quietly
def plot_corridor(corridor: pd.DataFrame, *, top: int = 12, currency: str = "CNY") -> Axes | None:
    """The corridor of each product as a bar, what competitors ask as a thin one, and what is paid as a point."""
    rows = corridor[corridor.low.notna() | corridor.high.notna()].head(top)[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.3 + 0.42 * len(rows))
    for y, p in enumerate(rows.itertuples()):
        high = p.high if p.high == p.high else p.price * 1.3
        low = p.low if p.low == p.low else 0.0
        if low <= high:
            faint = p.high != p.high or p.low != p.low  # an end that nothing is known of
            ax.barh(y, high - low, left=low, height=0.5, color=style.OWN, alpha=0.1 if faint else 0.25)
        if p.rival_low == p.rival_low:
            ax.plot([p.rival_low, p.rival_high], [y, y], color=style.COMPARISON, linewidth=3)
        colour = style.BAD if p.place in ("below", "none") else style.OWN
        ax.plot(p.price, y, "o", color=colour, markersize=8, zorder=3)
        if p.best == p.best and p.best <= 1.5 * max(high, p.price):
            ax.plot(p.best, y, "|", color=style.INK, markersize=16, markeredgewidth=2)
    ax.set_yticks(range(len(rows)), list(rows["name"]))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("Price corridor (band), competitors (grey), what is paid (dot), what would earn most (stroke)"))
    return ax
