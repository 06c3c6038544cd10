"""What is promised to customers and not yet paid: coupons and points."""

from __future__ import annotations

import math
from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _
from ...methods import intervals
from ...missing import answers, quietly
from .effects import Response
from .history import _table
from .rules import parse

_MONEY = ("face", "threshold", "cost", "order", "earned", "worth", "owed", "sold", "exposure")
_COUNTS = ("issued", "claimed", "used", "most", "redeemed", "expired", "outstanding", "holders")
UNITS = (
    dict.fromkeys(_MONEY, "currency")
    | dict.fromkeys(_COUNTS, "count")
    | dict.fromkeys(("claim_rate", "use_rate", "depth", "new", "breakage"), "share")
    | {"days": "days"}
)


@answers("What became of the coupons?", needs={"coupons": ["face_value", "threshold"]})
def coupons_used(coupons: ibis.Table, orders: ibis.Table | None = None) -> pd.DataFrame:
    """What became of the coupons given out: claimed, used, and on how large orders?

    Parameters
    ----------
    coupons : Table
        Canonical `coupons`, those whose life is over (or all).
    orders : Table, optional
        Canonical `orders`: what the orders with a coupon were worth.

    Returns
    -------
    DataFrame
        One row a kind of coupon: face, threshold (currency), days (median life), issued, claimed, used (counts),
        claim_rate, use_rate (of those issued; use_rate_low, use_rate_high: 95 %), cost (currency), order (mean of the
        orders that used one, before it), depth (face in that); largest cost first.
    """
    t = _table(coupons)
    given = t.filter(t.face_value.notnull())
    life = ibis.null("float64")
    if "expires_at" in t.columns:
        life = (given.expires_at.epoch_seconds() - given.issued_at.epoch_seconds()) / 86400
    has = {c: given[c] if c in t.columns else ibis.null("timestamp") for c in ("claimed_at", "used_at")}
    given = given.mutate(life=life, **has)
    if orders is not None and "order_id" in given.columns:
        o = _table(orders)
        o = o.group_by("order_id").aggregate(amount=o.amount.max())
        given = given.left_join(o, "order_id", rname="{name}_of_order")
    else:
        given = given.mutate(amount=ibis.null("decimal(18, 4)"))
    frame = (
        given.group_by(face=given.face_value.cast("float64"), threshold=given.threshold.fill_null(0).cast("float64"))
        .aggregate(
            days=given.life.median(), issued=given.count(), claimed=given.claimed_at.count(),
            used=given.used_at.count(), order=given.amount.mean().cast("float64"),
        )
        .to_pandas()
    )  # fmt: skip
    frame["days"] = frame["days"].round()
    frame["claim_rate"] = frame.claimed / frame.issued
    frame["use_rate"] = frame.used / frame.issued
    ends = [intervals.wilson(u, n) for u, n in zip(frame.used, frame.issued, strict=True)]
    frame["use_rate_low"], frame["use_rate_high"] = [e.low for e in ends], [e.high for e in ends]
    frame["cost"] = frame.used * frame.face
    frame["order"] = frame["order"] + frame.face
    frame["depth"] = frame.face / frame["order"]
    frame = frame.sort_values("cost", ascending=False, ignore_index=True)
    rates = frame[["claim_rate", "use_rate", "use_rate_low", "use_rate_high"]]
    return (
        frame[["face", "threshold", "days", "issued", "claimed", "used"]]
        .join(rates)
        .join(frame[["order", "cost", "depth"]])
    )


@answers("Which coupon earns most?")
def coupon_grid(
    used: pd.DataFrame,
    baskets: pd.DataFrame,
    response: Response,
    *,
    orders: ibis.Table,
    rng: np.random.Generator | int,
    faces: Sequence[int] = (8, 15, 20, 30, 40),
    thresholds: Sequence[int] = (99, 149, 199, 299, 399),
    days: Sequence[int] = (7, 14, 30),
    fees: float = 0.0,
    budget: float = math.inf,
) -> pd.DataFrame:
    """Which value, threshold and validity would earn most, for a thousand coupons given out?

    Who uses one: of those who have it, as many as buy for at least the threshold within its days anyway, times the
    factor by which past coupons were used more or less than that. Who would not have bought without it: as promotions
    of the same depth raised sales. Both are as good as the past is a guide; only a hold-out tells for certain.

    Parameters
    ----------
    used : DataFrame
        Of `coupons_used`.
    baskets : DataFrame
        Of `history.baskets`.
    response : Response
        Of `effects.response`.
    orders : Table
        Canonical `orders`: customers who bought in the last year are those who may get one.
    fees : float
        Part of what is paid that platforms keep.
    rng : Generator or int
        Seeded, or the seed.
    faces, thresholds, days : sequences
        The grid, in currency and days.
    budget : float
        Currency: how many may be given out, so that all that are used are paid for.

    Returns
    -------
    DataFrame
        face, threshold, days, depth (face in the mean basket from the threshold on), use_rate (of those given out),
        cost (currency for a thousand), new (part of the used ones that would not have been bought without), earned
        (low, high; currency for a thousand; 80 %; NaN at depths never tried), most (how many the budget pays for).
    """
    rng = np.random.default_rng(rng)
    values, n = baskets.value.astype(float).to_numpy(), baskets.orders.to_numpy(float)
    span, margin = baskets.attrs["days"], _margin(baskets, fees)
    customers = _customers(orders)

    def chance(threshold: float, life: float) -> float:
        return 1 - math.exp(-float(n[values >= threshold].sum()) / max(customers, 1.0) / span * life)

    seen = used[(used.issued > 0) & used.days.gt(0)]
    usual = sum(p.issued * chance(p.threshold, p.days) for p in seen.itertuples())
    factor = float(seen.used.sum()) / usual if usual else math.nan
    rows = []
    state = rng.bit_generator.state
    for face in faces:
        for threshold in thresholds:
            mine = values >= threshold
            if face >= threshold or not n[mine].sum():
                continue
            basket = float(np.dot(values[mine], n[mine]) / n[mine].sum())
            depth = face / basket
            rng.bit_generator.state = state
            u = np.maximum(response.uplift(depth, rng=rng), 0.0) if response.knows(depth) else np.full(1, math.nan)
            new = u / (1 + u)
            each = np.quantile(new * margin * basket - face, [0.5, 0.1, 0.9])
            for life in days:
                rate = min(1.0, factor * chance(threshold, life))
                most = budget // (rate * face) if rate > 0 else math.nan
                cost = 1000 * rate * face
                rows.append((face, threshold, life, depth, rate, cost, np.median(new), *(1000 * rate * each), most))
    columns = [
        "face",
        "threshold",
        "days",
        "depth",
        "use_rate",
        "cost",
        "new",
        "earned",
        "earned_low",
        "earned_high",
        "most",
    ]
    frame = pd.DataFrame(rows, columns=columns).astype(float)
    frame = frame.sort_values("earned", ascending=False, ignore_index=True)
    return frame[["face", "threshold", "days", "depth", "use_rate", "cost", "new"]].join(
        frame[["earned", "earned_low", "earned_high", "most"]]
    )


def _margin(baskets: pd.DataFrame, fees: float) -> float:
    """What is left of a basket's value after goods and fees, as a part of it; NaN without costs."""
    value = float((baskets.value.astype(float) * baskets.orders).sum())
    return 1 - fees - float(baskets.cost.sum(skipna=False)) / value if value > 0 else math.nan


def _customers(orders: ibis.Table) -> float:
    """Customers who ordered in the last year of the data; orders where they are not told apart."""
    t = _table(orders)
    last = t.filter(t.ordered_at > t.ordered_at.max() - ibis.interval(days=365))
    who = last.customer_id.nunique() if "customer_id" in t.columns else last.count()
    return float(last.aggregate(n=who).to_pandas().n.iloc[0])


@answers("What do we owe in points?")
def points_owed(points: ibis.Table, *, worth: float | None = None) -> pd.DataFrame:
    """What is owed in points, and how much of it will never be asked for?

    Parameters
    ----------
    points : Table
        Canonical `points`.
    worth : float, optional
        Currency that a point pays; by default what redemptions were worth.

    Returns
    -------
    DataFrame
        One row: redeemed, expired, outstanding (points), holders (customers with a balance), worth (currency a
        point), breakage (part of the points that are settled which expired; low, high: 95 %, customers are drawn, not
        points), face (currency: all that is outstanding), owed (low, high: what will be asked for).

    References
    ----------
    IFRS 15, B44–B47 (unexercised rights). Cochran, W. G. (1977). Sampling Techniques, chapter 6 (ratio estimator).
    """
    t = _table(points)
    amount = t.points.cast("float64")
    gone = {k: (t.kind == k).ifelse(-amount, 0.0) for k in ("redeem", "expire")}
    value = t["value"].cast("float64") if "value" in t.columns else ibis.null("float64")
    each = t.group_by("customer_id").aggregate(
        earned=(t.kind == "earn").ifelse(amount, 0.0).sum(), redeemed=gone["redeem"].sum(),
        expired=gone["expire"].sum(), left=amount.sum(), paid=(t.kind == "redeem").ifelse(value, 0.0).sum(),
    )  # fmt: skip
    settled = each.redeemed + each.expired
    s = (
        each.aggregate(
            **{c: each[c].sum() for c in ("earned", "redeemed", "expired", "paid")},
            outstanding=each.left.clip(lower=0).sum(), holders=(each.left > 0).sum(), n=(settled > 0).sum(),
            ee=(each.expired * each.expired).sum(), es=(each.expired * settled).sum(), ss=(settled * settled).sum(),
        )
        .to_pandas()
        .iloc[0]
        .astype(float)
        .fillna(0.0)
    )  # fmt: skip
    total = s.redeemed + s.expired
    rate = s.expired / total if total else math.nan
    half = math.nan
    if s.n > 1 and total:
        around = max(0.0, s.ee - 2 * rate * s.es + rate**2 * s.ss)
        half = float(stats.t.ppf(0.975, s.n - 1)) * math.sqrt(around * s.n / (s.n - 1)) / total
    if worth is None:
        worth = s.paid / s.redeemed if s.redeemed and s.paid else math.nan
    low, high = (min(1.0, max(0.0, x)) for x in (rate - half, rate + half)) if half == half else (math.nan, math.nan)
    face = s.outstanding * worth
    row = {c: s[c] for c in ("redeemed", "expired", "outstanding", "holders")} | {
        "worth": worth, "breakage": rate, "breakage_low": low, "breakage_high": high, "face": face,
        "owed": face * (1 - rate), "owed_low": face * (1 - high), "owed_high": face * (1 - low),
    }  # fmt: skip
    return pd.DataFrame([row])


@answers("What is a point worth?")
def points_worth(promotions: ibis.Table | None) -> float | None:
    """Currency that a point pays by the latest rule of the promotions; None where no rule says so."""
    if promotions is None or "rule" not in promotions.columns:
        return None
    table = promotions.to_pandas() if isinstance(promotions, ibis.Table) else promotions
    rules = [str(r) for r in table.sort_values("starts_at")["rule"].dropna() if str(r).startswith("points ")]
    if not rules:
        return None
    rule = parse(rules[-1])
    return float(rule.value) / rule.points  # type: ignore[union-attr]


@quietly
def plot_coupon_grid(grid: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What a thousand coupons may earn, by value and threshold, at the validity that does best."""
    known = grid.dropna(subset="earned")
    if known.empty:
        return None
    days = known.loc[known.earned.idxmax(), "days"]
    wide = known[known.days == days].pivot(index="threshold", columns="face", values="earned")
    ax = style.axes(height=1.4 + 0.5 * len(wide))
    most = float(np.nanmax(np.abs(wide.to_numpy()))) or 1.0
    ax.imshow(wide.to_numpy(), cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    for i, row in enumerate(wide.to_numpy()):
        for j, x in enumerate(row):
            if not math.isnan(x):
                colour = "white" if abs(x) > 0.6 * most else style.INK
                ax.text(
                    j,
                    i,
                    style.change_of_money(x, currency=currency),
                    ha="center",
                    va="center",
                    color=colour,
                    fontsize=9,
                )
    ax.set_xticks(range(wide.shape[1]), [style.value(x, "currency", currency=currency, digits=0) for x in wide.columns])
    ax.set_yticks(range(len(wide)), [style.value(x, "currency", currency=currency, digits=0) for x in wide.index])
    ax.grid(visible=False)
    ax.set_xlabel(_("Value of the coupon"))
    ax.set_ylabel(_("From an order of"))
    ax.set_title(_("What a thousand coupons of {days} may earn").format(days=style.value(days, "days")))
    return ax


@answers("What follows for coupons and points?")
def findings(
    used: pd.DataFrame | None,
    owed: pd.DataFrame | None,
    baskets: pd.DataFrame,
    *,
    fees: float = 0.0,
    currency: str = "CNY",
) -> list[Finding]:
    """Which coupons need the most new orders to pay for themselves, and what is owed in points?

    Parameters
    ----------
    used, owed : DataFrame, optional
        Of `coupons_used` and `points_owed`.
    baskets : DataFrame
        Of `history.baskets`: what is left of an order after goods and fees.
    fees : float
        Part of what is paid that platforms keep.
    """
    found, margin = [], _margin(baskets, fees)
    known = used.dropna(subset="order") if used is not None else pd.DataFrame()
    if len(known) and margin > 0:
        p = known.iloc[0]
        needed = p.face / (margin * p["order"])
        text = _(
            "Coupons of {face} from {threshold} cost {cost}, the most of all kinds: they pay for themselves only if "
            "{needed} of the orders that use one would not have come without it. Hold some customers back to learn."
        )
        text = text.format(
            face=style.value(p.face, "currency", currency=currency, digits=0),
            threshold=style.value(p.threshold, "currency", currency=currency, digits=0),
            cost=style.short(p.cost, "currency", currency=currency),
            needed=style.value(needed, "share"),
        )
        figure = Figure("coupon.needed", needed, "share", by={"face": f"{p.face:g}", "threshold": f"{p.threshold:g}"})
        found.append(Finding("watch", text, float(p.cost), (figure,)))
    if owed is not None and not math.isnan(owed.owed.iloc[0]):
        o = owed.iloc[0]
        text = _(
            "Points outstanding are worth {face}; {breakage} of those settled so far expired unused, so about {owed} "
            "({interval}) will be asked for."
        )
        text = text.format(
            face=style.short(o.face, "currency", currency=currency),
            breakage=style.value(o.breakage, "share"),
            owed=style.short(o.owed, "currency", currency=currency),
            interval=style.interval(o.owed_low, o.owed_high, "currency", currency=currency),
        )
        figure = Figure("points.liability", o.owed, "currency", o.owed_low, o.owed_high)
        found.append(Finding("hold", text, float(o.owed), (figure,)))
    return found
