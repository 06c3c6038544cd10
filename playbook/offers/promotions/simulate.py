"""What a promotion would do to the shop's own baskets: what it takes off, what it must bring, what it may earn."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _
from ...methods import intervals
from ...missing import answers, quietly
from .effects import LEVEL, Response, promised
from .rules import Coupon, FullReduction, Gift, Points, Rule, parse, said

UNITS = {
    "value": "currency", "off": "currency", "reached": "share", "depth": "share", "near": "share", "margin": "share",
    "breakeven": "share", "uplift": "share", "earned": "currency", "chance": "chance",
}  # fmt: skip
"""Of what `table` shows."""
NEAR = 0.8
"""A basket that holds this part of a threshold, and less than all of it, is near it."""


@answers("What would a promotion take off, and what must it bring?")
def replay(baskets: pd.DataFrame, rule: str | Rule, *, fees: float = 0.0, currency: str = "CNY") -> pd.DataFrame:
    """What would a rule have taken off past baskets, and how much more must be sold to earn as much as without it?

    Each basket is put through the rule as it is: nobody adds anything to reach a threshold. A reduction that is pooled
    over shops (``cross_store``, repeated) is taken to be filled up elsewhere: every basket bears its part.

    Parameters
    ----------
    baskets : DataFrame
        Of `history.baskets`.
    rule : str or Rule
        As in `rules`.
    fees : float
        Part of what is paid that platforms keep.
    currency : str
        Of the words.

    Returns
    -------
    DataFrame
        One row: rule (in words), orders, value (before), off (currency), reached (share of orders), depth (off in the
        value), near (share of orders that hold 80 % of a threshold), margin and margin_after (shares of the value
        before the promotion, after goods and fees; NaN without costs), breakeven (more to be sold, as a fraction; NaN
        where each unit loses money).

    Examples
    --------
    >>> two = pd.DataFrame({"value": [100, 300], "orders": [1, 1], "units": [1, 2], "cost": [40.0, 120.0]})
    >>> replay(two, "full_reduction 300-40")[["off", "depth", "margin", "breakeven"]].round(3).values.tolist()
    [[40.0, 0.1, 0.6, 0.2]]
    """
    rule = parse(rule) if isinstance(rule, str) else rule
    values, n = [Decimal(str(v)) for v in baskets.value], baskets.orders.to_numpy(float)
    each = np.array([float(_off(rule, v)) for v in values]) if values else np.zeros(0)
    value, off = float(np.dot(baskets.value.astype(float), n)), float(np.dot(each, n))
    cost = float(baskets.cost.sum(skipna=False)) if len(baskets) else math.nan
    depth = off / value if value else math.nan
    margin = 1 - fees - cost / value if value else math.nan
    after = (1 - depth) * (1 - fees) - cost / value if value else math.nan
    row = {
        "rule": said(rule, currency=currency),
        "orders": int(n.sum()),
        "value": value,
        "off": off,
        "reached": float(n[each > 0].sum() / n.sum()) if n.sum() else math.nan,
        "depth": depth,
        "near": _near(rule, baskets.value.astype(float).to_numpy(), n),
        "margin": margin,
        "margin_after": after,
        "breakeven": margin / after - 1 if after > 0 else math.nan,
    }
    return pd.DataFrame([row])


def _off(rule: Rule, value: Decimal) -> Decimal:
    match rule:
        case FullReduction(((threshold, off),), True, None, "platform"):
            return value * off / threshold
        case FullReduction() | Coupon():
            return rule.off(value)
        case Points(points=_points, cap=cap):
            return value * cap
        case Gift(threshold, product) if product:
            return Decimal(0)
    part = promised(rule)
    return value * Decimal(str(0.0 if math.isnan(part) else part))


def _near(rule: Rule, values: np.ndarray, n: np.ndarray) -> float:
    tiers = [t for t, _o in rule.tiers] if isinstance(rule, FullReduction) else [getattr(rule, "threshold", Decimal(0))]
    if not n.sum() or not any(tiers):
        return math.nan
    near = np.zeros(len(values), dtype=bool)
    for t in map(float, tiers):
        near |= (values >= NEAR * t) & (values < t)
    return float(n[near].sum() / n.sum())


@answers("What may a promotion earn?")
def expected(
    replayed: pd.DataFrame, response: Response | None, *, scale: float, rng: np.random.Generator | int
) -> pd.DataFrame:
    """What may a promotion earn beside none, if sales respond as they did to earlier ones?

    Parameters
    ----------
    replayed : DataFrame
        Of `replay`, one or more rows.
    response : Response, optional
        Of `effects.response`; without it nothing is expected.
    scale : float
        Days of the promotion for each day of the baskets.
    rng : Generator or int
        Seeded, or the seed.

    Returns
    -------
    DataFrame
        `replayed` with uplift (low, high), more (low, high: currency of goods at what is paid, beside none), earned
        (low, high: currency, after what is pulled forward), chance (of earning more than without); 80 %. NaN where
        nothing as deep or as shallow has been tried, or no costs are known.
    """
    rows, rng = [], np.random.default_rng(rng)
    ends = [0.5, 0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
    lost = np.zeros(1) if response is None else response.pulled(rng=rng)
    state = rng.bit_generator.state
    for r in replayed.to_dict("records"):
        rng.bit_generator.state = state  # the same worlds for every rule, so that rules differ and not luck
        if response is None or not response.knows(r["depth"]):
            rows.append([math.nan] * 10)
            continue
        u = response.uplift(r["depth"], rng=rng)
        base = r["value"] * scale
        pulled = lost * np.maximum(u, 0.0)
        more = base * ((1 + u) * (1 - r["depth"]) - 1 - pulled)
        earned = base * ((1 + u) * r["margin_after"] - r["margin"] - pulled * r["margin"])
        chance = math.nan if math.isnan(r["margin"]) else float((earned > 0).mean())
        rows.append([*np.quantile(u, ends), *np.quantile(more, ends), *np.quantile(earned, ends), chance])
    names = [f"{c}{end}" for c in ("uplift", "more", "earned") for end in ("", "_low", "_high")]
    out = replayed.reset_index(drop=True)
    return pd.concat([out, pd.DataFrame(rows, columns=[*names, "chance"])], axis=1)


@answers("Which threshold and which reduction earn most?")
def thresholds(
    baskets: pd.DataFrame,
    response: Response | None,
    *,
    scale: float,
    rng: np.random.Generator | int,
    fees: float = 0.0,
    at: Sequence[int] = (99, 199, 299, 399, 499),
    off: Sequence[float] = (0.05, 0.10, 0.15, 0.20, 0.25),
    currency: str = "CNY",
) -> pd.DataFrame:
    """Which threshold and which reduction would earn most on the shop's own baskets?

    Returns
    -------
    DataFrame
        threshold, reduction (both currency), and the columns of `expected`.
    """
    rows = []
    for t in at:
        for part in off:
            less = max(1, round(t * part))
            rule = FullReduction(((Decimal(t), Decimal(less)),))
            row = replay(baskets, rule, fees=fees, currency=currency)
            rows.append(row.assign(threshold=float(t), reduction=float(less)))
    frame = expected(pd.concat(rows, ignore_index=True), response, scale=scale, rng=rng)
    first = ["threshold", "reduction"]
    return frame[[*first, *(c for c in frame.columns if c not in first)]]


@answers("What would a promotion take off, and what must it bring?")
def table(told: pd.DataFrame) -> pd.DataFrame:
    """What `upcoming` or `thresholds` returned as people read it; of thresholds, also how many reach them, and the best
    first where that is known."""
    first = [c for c in ("name", "begins", "rule") if c in told]
    columns = [*first, "depth", "breakeven", "uplift", "uplift_low", "uplift_high", "earned", "earned_low",
               "earned_high", "chance"]  # fmt: skip
    if "threshold" in told:
        columns.insert(len(first), "reached")
    out = told[[c for c in columns if c in first or told[c].notna().any()]]
    out = out.sort_values("earned", ascending=False) if "earned" in out and "begins" not in out else out
    out = out.reset_index(drop=True)
    out.attrs = {
        "notes": [_("No cost is known, so what is earned cannot be told.")] if told.margin.isna().all() else []
    }
    return out


@answers("Which thresholds are in use?")
def in_use(promotions: ibis.Table, today: dt.date) -> list[float]:
    """The thresholds of full reductions and coupons that ran in the last year."""
    table = promotions.to_pandas() if isinstance(promotions, ibis.Table) else promotions
    if "rule" not in table:
        return []
    now = pd.Timestamp(today)
    recent = table[(table.ends_at >= now - pd.DateOffset(years=1)) & (table.starts_at < now)]
    found: set[float] = set()
    for text in recent.rule.dropna():
        with contextlib.suppress(ValueError):
            rule = parse(str(text))
            found |= {float(t) for t, _off in rule.tiers} if isinstance(rule, FullReduction) else set()
            found |= {float(rule.threshold)} if isinstance(rule, Coupon) else set()
    return sorted(found)


@answers("Do baskets gather at thresholds?")
def bunching(during: pd.DataFrame, before: pd.DataFrame, *, threshold: float) -> dict[str, float]:
    """While a threshold held, did more of the baskets about it lie at or above it than in the weeks before?

    Parameters
    ----------
    during, before : DataFrame
        Of `history.baskets`.
    threshold : float
        Currency.

    Returns
    -------
    dict of str → float
        threshold, n (baskets from 80 to 120 % of it), above and above_before (share at or above), shift (their
        difference; low, high: 95 %), mean and mean_before (of all baskets).
    """

    def about(frame: pd.DataFrame) -> tuple[float, float, float]:
        v, n = frame.value.astype(float).to_numpy(), frame.orders.to_numpy(float)
        near = (v >= NEAR * threshold) & (v < (2 - NEAR) * threshold)
        mean = float(np.dot(v, n) / n.sum()) if n.sum() else math.nan
        return float(n[near & (v >= threshold)].sum()), float(n[near].sum()), mean

    (a, n, mean), (a0, n0, mean0) = about(during), about(before)
    ends = intervals.newcombe(a0, n0, a, n)
    share, share0 = (x / m if m else math.nan for x, m in ((a, n), (a0, n0)))
    return {
        "threshold": threshold, "n": n, "above": share, "above_before": share0, "shift": share - share0,
        "shift_low": ends.low, "shift_high": ends.high, "mean": mean, "mean_before": mean0,
    }  # fmt: skip


@answers("Is there enough in stock for the promotion?")
def stock(sold: pd.DataFrame, inventory: ibis.Table, *, coming: pd.DataFrame) -> pd.DataFrame:
    """Is there enough in stock for the next promotion?

    Parameters
    ----------
    sold : DataFrame
        Of `history.by_product`.
    inventory : Table
        Canonical `inventory`.
    coming : DataFrame
        Of `planned.upcoming`; the first row counts. What sells more without it (a festival) comes on top.

    Returns
    -------
    DataFrame
        product_id, stock (on hand, less promised, and on its way), need (units, if the promotion does as expected),
        need_high (if it does as well as may be hoped), short (units lacking then); what lacks most first.
    """
    p = coming.iloc[0]
    days, uplift = p["days"], {k: 0.0 if math.isnan(p[k]) else p[k] for k in ("uplift", "uplift_high")}
    sold = sold[sold.category == p["category"]] if p["category"] else sold
    inventory = inventory if isinstance(inventory, ibis.Table) else ibis.memtable(inventory)
    last = inventory.filter(inventory.day == inventory.day.max())
    there = last.on_hand.cast("int64")
    for name, sign in (("reserved", -1), ("inbound", 1)):
        if name in inventory.columns:
            there = there + sign * last[name].fill_null(0)
    have = last.mutate(there=there).group_by("product_id").aggregate(stock=lambda t: t.there.sum()).to_pandas()
    frame = sold.merge(have, on="product_id", how="left")
    frame["stock"] = frame["stock"].fillna(0).clip(lower=0)
    daily = frame.units / frame.days * days
    frame["need"] = np.ceil(daily * (1 + uplift["uplift"]))
    frame["need_high"] = np.ceil(daily * (1 + uplift["uplift_high"]))
    frame["short"] = (frame.need_high - frame.stock).clip(lower=0)
    frame = frame.sort_values(["short", "need"], ascending=False, kind="stable")
    return frame[["product_id", "stock", "need", "need_high", "short"]].reset_index(drop=True)


@quietly
def plot_thresholds(grid: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What each threshold and reduction may earn, the best with its interval; nothing where none can be told."""
    known = grid.dropna(subset="earned")
    if known.empty:
        return None
    ax = style.axes(height=4.4)
    for i, (t, rows) in enumerate(known.groupby("threshold")):
        colour = style.CATEGORIES[i % len(style.CATEGORIES)]
        name = _("from {threshold}").format(threshold=style.value(t, "currency", currency=currency, digits=0))
        ax.plot(rows.depth, rows.earned, "o-", color=colour, linewidth=1.2, markersize=5, label=name)
    best = known.loc[known.earned.idxmax()]
    ax.vlines(best.depth, best.earned_low, best.earned_high, color=style.COMPARISON, linewidth=5, alpha=0.5, zorder=0)
    ax.legend(loc="upper left")
    ax.axhline(0, color=style.NEUTRAL, linewidth=0.9)
    style.share_axis(ax, which="x")
    style.money_axis(ax, currency)
    ax.set_xlabel(_("Part of all baskets' value that is taken off"))
    ax.set_title(_("What a full reduction may earn beside none; the bar is the 80% interval of the best"))
    return ax


@quietly
def plot_baskets(baskets: pd.DataFrame, *, at: Sequence[float] = (), currency: str = "CNY") -> Axes:
    """How large baskets are, with the thresholds that are in use; the last bar holds all that are larger."""
    at = at if isinstance(at, list | tuple) else ()  # which thresholds are in use may be missing
    ax = style.axes(height=3.4)
    v, n = baskets.value.astype(float).to_numpy(), baskets.orders.to_numpy(float)
    most = float(np.quantile(np.repeat(v, n.astype(int)), 0.98)) if n.sum() else 1.0
    most = max(most, *at, 1.0)
    ax.hist(np.minimum(v, most), bins=40, range=(0, most), weights=n, color=style.OWN, alpha=0.75)
    named, top = -math.inf, ax.get_ylim()[1]
    for t in at:
        ax.axvline(t, color=style.BAD, linewidth=1.2, linestyle="--")
        if t - named < 0.05 * most:
            continue  # no room beside the one before
        named, name = t, style.value(t, "currency", currency=currency, digits=0)
        ax.annotate(name, (t, top), xytext=(4, -10), textcoords="offset points", color=style.BAD, fontsize=9)
    style.money_axis(ax, currency, which="x")
    style.count_axis(ax)
    ax.set_ylabel(_("Orders"))
    ax.set_title(_("Orders by what they were worth before discounts; dashed: thresholds in use"))
    return ax
