"""Consumption: how often, for how much, and of which brands and categories people buy."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import MONEY, as_table
from ..findings import Figure, Finding
from ..language import _
from ..missing import Missing, answers, quietly
from .purchases import midnight


@answers("How do the segments buy?")
def features(
    bought: ibis.Table | pd.DataFrame,
    rfm: ibis.Table | pd.DataFrame,
    lines: ibis.Table | pd.DataFrame | None,
    as_of: dt.date,
    *,
    order: tuple[str, ...] = (),
    floor: int = 10,
) -> pd.DataFrame:
    """How do the segments buy: how often, for how much, at what discount, and of what most?

    Parameters
    ----------
    bought, lines : Table
        From `purchases.of_persons` and `purchases.lines`.
    rfm : Table
        person_id, segment; or person_id and any other division under that name.
    as_of : date
        The year before it is looked at.
    order : tuple of str
        Segments in their order.
    floor : int
        Segments of fewer buyers are left out.

    Returns
    -------
    DataFrame
        One row a segment with orders in that year: segment, buyers, orders_a_year (mean per buyer), order_value
        (median, currency), discounted (share of orders with a discount or coupon, where known), favourite (brand, or
        category where all is one brand), wallet (its mean share of a person's spending among those who bought it or
        not).
    """
    t = as_table(bought)
    since = dt.date(as_of.year - 1, as_of.month, min(as_of.day, 28))
    t = t.filter((t["at"] >= midnight(since)) & (t["at"] < midnight(as_of)))
    of = as_table(rfm).select("person_id", "segment")
    t = t.inner_join(of, "person_id")
    what = {
        "buyers": t.person_id.nunique(),
        "orders_a_year": t.count() / t.person_id.nunique(),
        "order_value": t.amount.cast("float64").median(),
    }
    off = [t[c].notnull() for c in ("coupon_id", "promotion_id") if c in t.columns]
    off += [t.discount.fill_null(0) > 0] if "discount" in t.columns else []
    if off:
        what["discounted"] = ibis.or_(*off).cast("float64").mean()
    frame = t.group_by("segment").aggregate(**what).to_pandas()
    if lines is not None and (wallet := _wallet(as_table(lines), of, since, as_of)) is not None:
        frame = frame.merge(wallet, on="segment", how="left")
    places = {s: i for i, s in enumerate(order)}
    frame = frame[frame.buyers >= floor]
    return frame.sort_values("segment", key=lambda c: c.map(places) if places else c, ignore_index=True)


FEATURES_UNITS = {
    "buyers": "count", "orders_a_year": "ratio", "order_value": "currency", "discounted": "share", "wallet": "share",
}  # fmt: skip


def _wallet(lines: ibis.Table, of: ibis.Table, since: dt.date, as_of: dt.date) -> pd.DataFrame | None:
    """The brand or category that takes the largest part of the persons' purses, by segment."""
    kinds = {c: int(lines[c].nunique().execute()) for c in ("brand", "category") if c in lines.columns}
    by = next((c for c, n in kinds.items() if n > 1), None)
    if by is None:
        return None
    t = lines.filter((lines["at"] >= midnight(since)) & (lines["at"] < midnight(as_of)) & lines[by].notnull())
    spent = t.group_by("person_id", favourite=t[by]).aggregate(spent=t.amount.sum())
    every = spent.group_by("person_id").aggregate(every=spent.spent.sum())
    both = spent.inner_join(every, "person_id").inner_join(of, "person_id")
    both = both.filter(both.every > 0)
    persons = both.group_by("segment").aggregate(n=both.person_id.nunique())
    parts = both.group_by("segment", "favourite").aggregate(total=(both.spent / both.every).cast("float64").sum())
    found = parts.inner_join(persons, "segment").to_pandas()
    found["wallet"] = found.total / found.n
    found = found.sort_values(["segment", "wallet", "favourite"], ascending=[True, False, True])
    return found.groupby("segment").first().reset_index()[["segment", "favourite", "wallet"]]


@answers("How much hangs on the best customers?", needs={"customer_360": ["net_sales", "orders"]})
def deciles(customer_360: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    """How much hangs on the best customers: the buyers in ten equal parts, by what they spent in all.

    Returns
    -------
    DataFrame
        One row a tenth, the best first: decile (1 to 10), persons, net_sales (currency), share, cumulative, orders
        (mean per person), value (mean net sales per person). A Missing with fewer than 100 buyers.
    """
    t = as_table(customer_360)
    t = t.filter(t.orders > 0)
    t = t.select("person_id", "orders", net_sales=t.net_sales.cast(MONEY))
    place = ibis.row_number().over(ibis.window(order_by=[ibis.desc(t.net_sales), t.person_id]))
    n = int(t.count().execute())
    if n < 100:
        return Missing(_("a hundred customers who bought"), _("How much hangs on the best customers?"))
    t = t.mutate(decile=(10 * place / n).floor().cast("int64") + 1)
    frame = t.group_by("decile").aggregate(
        persons=t.count(), net_sales=t.net_sales.sum(), orders=t.orders.mean()
    ).order_by("decile").to_pandas()  # fmt: skip
    frame["net_sales"] = frame.net_sales.astype(float)
    total = frame.net_sales.sum()
    frame.insert(3, "share", frame.net_sales / total if total > 0 else np.nan)
    frame.insert(4, "cumulative", frame.share.cumsum())
    return frame.assign(value=frame.net_sales / frame.persons)


DECILES_UNITS = {
    "persons": "count", "net_sales": "currency", "share": "share", "cumulative": "share", "orders": "ratio",
    "value": "currency",
}  # fmt: skip


@quietly
def plot_deciles(deciles: pd.DataFrame) -> Axes:
    """The share of net sales of each tenth of the buyers, the best first, and all up to it."""
    ax = style.axes(height=3.4)
    ax.bar(deciles.decile, deciles.share, color=style.OWN, width=0.7)
    ax.plot(deciles.decile, deciles.cumulative, color=style.COMPARISON, marker="o", markersize=4)
    style.direct_label(ax, 10, deciles.cumulative.iloc[-1], _("all up to here"), style.COMPARISON)
    for x, share in zip(deciles.decile, deciles.share, strict=True):
        ax.annotate(
            style.value(share, "share"), (x, share), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=9
        )
    ax.set_xticks(range(1, 11))
    ax.set_xlabel(_("Tenths of the buyers, the best first"))
    style.share_axis(ax)
    ax.set_title(_("Share of net sales by tenth of the buyers"))
    return ax


@answers("How much hangs on few customers?")
def findings(deciles: pd.DataFrame) -> list[Finding]:
    """How much hangs on few customers?"""
    best = deciles.iloc[0]
    text = _("The best tenth of the buyers ({n} persons) brought {share} of all net sales of known customers.")
    text = text.format(n=style.value(int(best.persons), "count"), share=style.value(best.share, "share"))
    return [Finding("hold", text, float(best.net_sales), (Figure("deciles.best", best.share, "share"),))]
