"""What a promotion added, what it gave away for it, and what was only bought earlier."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import N_, _
from ...methods import impact
from ...missing import answers
from .sold import Sold

AFTER = 21
"""Days afterwards in which what was pulled forward is missing."""

STEPS = {
    "gain": N_("Margin of what it added, at full price", "step"),
    "discount": N_("Discount on all that was sold", "step"),
    "gifts": N_("Gifts", "step"),
    "pulled": N_("Missing in the weeks afterwards", "step"),
    "returned": N_("Returns of what it added", "step"),
    "fees": N_("Platform fees on what it added", "step"),
    "net": N_("Net profit", "step"),
}
"""Steps of the waterfall, in order."""

UNITS = {
    "orders": "count",
    "sales": "currency",
    "given": "currency",
    "effect": "share",
    "net": "currency",
}

REASONS = {
    "whole shop": N_("it ran for the whole shop, so nothing tells what would have been sold without it"),
    "too early": N_("the weeks afterwards are not over"),
    "one category": N_("there is no other category to compare with"),
    "too little": N_("too few undisturbed days to compare with"),
}
"""Why a promotion has no net profit."""


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
        found[column] = found.get(column, "")
    found["category"] = found["category"].astype(object).where(found["category"].notna(), "")
    found["product_id"] = found["product_id"].astype(object).where(found["product_id"].notna(), "")
    found[["begins", "ends"]] = found[["begins", "ends"]].apply(pd.to_datetime)
    daily = goods.daily
    at_once = ("coupon", "points")  # last for months and meet nobody in particular: see `redemption`
    first_known = daily.index.min() if len(daily) else pd.Timestamp(until)
    over = found["ends"].between(pd.Timestamp(since), pd.Timestamp(until) - pd.Timedelta(days=1))
    ran = found[over & (found["begins"] >= first_known) & ~found["kind"].isin(at_once)]
    ran = ran.sort_values(["ends", "promotion_id"], ignore_index=True)
    held = {c: _days(p) for c, p in found[found["category"] != ""].groupby("category")}
    sums = _sums(goods.lines, ran)
    rows = [_row(p, sums, goods, held, level) for p in ran.to_dict("records")]
    frame = pd.DataFrame(rows, columns=[*_COLUMNS])
    frame.attrs = {"level": level, "notes": [*goods.notes, *_reasons(frame)]}
    return frame


_COLUMNS = (
    "promotion_id", "name", "category", "kind", "begins", "ends", "orders", "sales", "given", "effect", "effect_low",
    "effect_high", "gain", "discount", "gifts", "pulled", "returned", "fees", "net", "net_low", "net_high",
    "extra_sales", "extra_sales_low", "extra_sales_high", "p_value", "reason",
)  # fmt: skip


def _reasons(profit: pd.DataFrame) -> list[str]:
    """Why some promotions have no net profit: one sentence a reason."""
    text = _("Of {n} promotions no profit is told: {reason}.")
    told = profit[profit["reason"] != ""].groupby("reason", sort=False)
    return [text.format(n=len(rows), reason=_(REASONS[str(reason)])) for reason, rows in told]


def _days(promotions: pd.DataFrame) -> pd.DatetimeIndex:
    """All days on which any of these ran."""
    spans = [pd.date_range(b, e) for b, e in zip(promotions["begins"], promotions["ends"], strict=True)]
    return pd.DatetimeIndex(np.unique(np.concatenate(spans)))


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
    out = dict.fromkeys(_COLUMNS, math.nan) | {
        k: p[k] for k in ("promotion_id", "name", "category", "kind", "begins", "ends")
    }
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
    # Both rest on the same days before, so their errors go together: the widths are added. The gain's sides differ.
    half = (after["high"] - after["low"]) / 2 * each
    out |= {"net": net, "net_low": net - (gain - low) - half, "net_high": net + (high - gain) + half}
    paid = it["sales"] / float(series[own].sum()) if series[own].sum() else 0.0
    extra = (during.extra + after["extra"]) * paid
    wide = ((during.extra_high - during.extra_low) / 2 + (after["high"] - after["low"]) / 2) * paid
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
    made.attrs["titles"] = {"effect": N_("Effect on orders")}
    return made


@answers("How does a promotion come to its net profit?")
def waterfall(profit: pd.DataFrame, promotion: str) -> pd.DataFrame:
    """How does a promotion come to its net profit, step by step?

    Returns
    -------
    DataFrame
        step (its name), amount, starts (where its bar begins), low, high (of the net profit alone). ``attrs``: name,
        category.
    """
    p = profit[profit["promotion_id"] == promotion].iloc[0]
    amounts = [0.0 if math.isnan(p[s]) and s != "net" else p[s] for s in STEPS]
    ends = np.cumsum(amounts[:-1])
    frame = pd.DataFrame({"step": list(STEPS.values()), "amount": amounts, "starts": [0.0, *ends[:-1], 0.0]})
    frame["low"], frame["high"] = [math.nan] * 6 + [p["net_low"]], [math.nan] * 6 + [p["net_high"]]
    frame.attrs = {"name": p["name"], "category": p["category"]}
    return frame


@answers("Which promotions earned money?")
def brief(profit: pd.DataFrame) -> pd.DataFrame:
    """The columns of `promotion_profit` that a page has room for."""
    names = [f"{c}{end}" for c in UNITS for end in ("", "_low", "_high")]
    frame = profit[["name", "ends", *(c for c in names if c in profit)]]
    frame.attrs = profit.attrs | {"titles": {"effect": N_("Effect on orders"), "given": N_("Given away")}}
    return frame


@answers("Which promotion earned least?")
def least_earned(profit: pd.DataFrame) -> str:
    """The promotion with the lowest net profit; the last one where none is known; empty where there was none."""
    known = profit.dropna(subset="net")
    if known.empty:
        return "" if profit.empty else str(profit["promotion_id"].iloc[-1])
    return str(known.loc[known["net"].idxmin(), "promotion_id"])
