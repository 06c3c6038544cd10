"""What past promotions did: what each added, what was only bought earlier, what it earned; what the next may do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _
from ...methods.impact import interrupted, pull_forward
from ...missing import Missing, answers, quietly
from .rules import Discount, Gift, Rule, parse

LEVEL = 0.8
AFTER = 21
UNITS = {"depth": "share", "uplift": "share", "earned": "currency"}
"""Of what `table` shows."""
FEWEST = 4
"""Past promotions from which on a response to depth can be told."""


@answers("What did past promotions earn?")
def past(
    daily: pd.DataFrame,
    promotions: ibis.Table,
    *,
    rng: np.random.Generator | int,
    fees: float = 0.0,
    at_most: int = 40,
) -> pd.DataFrame:
    """What did each past promotion of a category add, and did it earn anything?

    Units sold are compared with what the other categories' change since the weeks before leads one to expect; a
    promotion of the whole shop has nothing beside it, and is left out. One promotion alone is told badly, so from four
    on each is drawn towards what those of its depth did; what was missing afterwards is that of all of them together.

    Parameters
    ----------
    daily : DataFrame
        Of `history.daily`.
    promotions : Table
        Canonical `promotions`.
    rng : Generator or int
        Seeded, or the seed.
    fees : float
        Part of what is paid that platforms keep.
    at_most : int
        The last so many.

    Returns
    -------
    DataFrame
        One row a promotion: promotion_id, name, category, begins, ends, units (sold), depth (part off the price: what
        its rule promises, or what the orders show), alone (uplift of units from its own days only) and its `error` (of
        log(1 + alone)), gained and missing (units while it ran, and in the weeks afterwards: negative where fewer),
        uplift (low, high; 80 %), earned (low, high: currency, beside no promotion, what was pulled forward taken off;
        NaN without costs), p (of having earned nothing), note. ``attrs["unseen"]``: how many were left out since
        nothing stands beside them; ``attrs["together"]``: what all earned together, low, high.

    References
    ----------
    `playbook.methods.impact.interrupted`; Efron, B., Morris, C. (1975). Data analysis using Stein's estimator and its
    generalizations. JASA 70, 311–319.
    """
    rng = np.random.default_rng(rng)
    last_day = daily.day.max() if len(daily) else pd.NaT
    columns = ["promotion_id", "name", "kind", "category", "starts_at", "ends_at", "rule"]
    table = (promotions.to_pandas() if isinstance(promotions, ibis.Table) else promotions).reindex(columns=columns)
    table = table[~table.kind.isin(["coupon", "points"]) & (table.ends_at < last_day + pd.Timedelta(days=1))]
    table = table.drop_duplicates("promotion_id")
    whole_shop = table.category.isna() | (table.category == "")
    mine = table[~whole_shop].sort_values("starts_at").tail(at_most)
    wide = {c: daily.pivot(index="day", columns="category", values=c) for c in ("units", "value", "amount", "cost")}
    rows = [
        _one(p, table[table.category == p["category"]], wide, fees)
        for p in mine.to_dict("records")
        if p["category"] in wide["units"] and wide["units"].shape[1] > 1
    ]
    frame = pd.DataFrame(rows, columns=[*_ALONE, *_TOGETHER])
    said = _("{n} promotions of the whole shop are left out: nothing stands beside them to tell their effect.")
    unseen = int(whole_shop.sum())
    frame.attrs = {"unseen": unseen, "notes": [said.format(n=unseen)] if unseen else []}
    known = _known(frame)
    if len(known):
        told = _pooled(known) if len(known) >= FEWEST else None
        lost = _lost(known, rng)
        every = np.zeros(DRAWS)
        for i, p in known.iterrows():
            frame.loc[i, list(_TOGETHER)], earned = _earned(p, told, lost, rng)
            every += earned
        ends = np.quantile(every, [0.5, 0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        frame.attrs["together"] = tuple(map(float, ends))
    return frame


_ALONE = ("promotion_id", "name", "category", "begins", "ends", "units", "depth", "alone", "error", "gained", "missing",
          "paid", "unit_cost", "note")  # fmt: skip
_TOGETHER = ("uplift", "uplift_low", "uplift_high", "earned", "earned_low", "earned_high", "p")
DRAWS = 4000


def _known(past: pd.DataFrame) -> pd.DataFrame:
    """Promotions of which an effect can be told."""
    there = past.dropna(subset=["alone", "error", "depth"])
    return there[(there.depth.astype(float) > 0.005) & (there.depth.astype(float) < 0.95)]


def _lost(known: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Draws of the part of what promotions gained that was missing afterwards: promotions drawn anew, all together."""
    told = known.dropna(subset=["gained", "missing"])[["gained", "missing"]].to_numpy(float)
    if not len(told):
        return np.zeros(DRAWS)
    gained, missing = told[rng.integers(0, len(told), (DRAWS, len(told)))].sum(axis=1).T
    return np.clip(-missing / np.where(gained > 0, gained, np.inf), 0.0, 1.0)


def _earned(
    p: pd.Series, told: Response | None, lost: np.ndarray, rng: np.random.Generator
) -> tuple[list[float], np.ndarray]:
    """What one promotion added and earned, drawn towards the others of its depth; and draws of the latter."""
    log, variance = math.log1p(p.alone), p.error**2
    if told is not None:
        x = np.array([1.0, -math.log1p(-p.depth)])
        centre, between = float(x @ [told.level, told.slope]), max(told.spread**2 + float(x @ told.cov @ x), 1e-6)
        log = (log / variance + centre / between) / (1 / variance + 1 / between)
        variance = 1 / (1 / variance + 1 / between)
    uplift = np.expm1(rng.normal(log, math.sqrt(variance), DRAWS))
    ends = [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
    out = [math.expm1(log), *np.quantile(uplift, ends)]
    if math.isnan(p.unit_cost):
        return out + [math.nan] * 4, np.full(DRAWS, math.nan)
    full = p.paid / (1 - p.depth) - p.unit_cost
    without = p.units / (1 + uplift)
    earned = p.units * (p.paid - p.unit_cost) - (without + lost * np.maximum(p.units - without, 0.0)) * full
    chance = 2 * min((earned > 0).mean(), (earned < 0).mean())
    return [*out, float(np.median(earned)), *np.quantile(earned, ends), max(chance, 1 / DRAWS)], earned


def promised(rule: str | Rule) -> float:
    """The part of the price that a rule takes off every unit: of discounts and goods free with the same; else NaN."""
    try:
        match parse(str(rule)) if isinstance(rule, str) else rule:
            case Discount(rate, every):
                return float(1 - rate) / every
            case Gift(_threshold, "", bought, free):
                return free / (bought + free)
    except ValueError:
        pass
    return math.nan


def _one(p: dict, others: pd.DataFrame, wide: dict[str, pd.DataFrame], fees: float) -> dict:
    """One promotion beside the other categories."""
    first, last = p["starts_at"].normalize(), p["ends_at"].normalize()
    units, category = wide["units"], p["category"]
    series, controls = units[category], units.drop(columns=category)
    avoid = pd.DatetimeIndex([])
    for o in others.to_dict("records"):
        if o["promotion_id"] != p["promotion_id"]:
            avoid = avoid.union(pd.date_range(o["starts_at"].normalize(), o["ends_at"].normalize()))
    out = {"promotion_id": p["promotion_id"], "name": p["name"], "category": category, "begins": first, "ends": last}
    days = slice(first, last)
    value, amount, cost = (float(wide[c].loc[days, category].sum(min_count=1)) for c in ("value", "amount", "cost"))
    n = float(series.loc[days].sum())
    # Exports of some platforms show the price after the promotion only, so the rule is believed before the orders.
    depth = promised(p["rule"])
    depth = (1 - amount / value if value > 0 else math.nan) if math.isnan(depth) else depth
    out |= {"units": n, "depth": depth, "unit_cost": cost / n if n else math.nan}
    out |= {"paid": amount / n * (1 - fees) if n else math.nan}
    if first < series.index[0] + pd.Timedelta(days=14) or n == 0:
        return out | {"note": _("Not enough data: it began with the data, or nothing was sold.")}
    during = interrupted(series, controls, first=first.date(), last=last.date(), avoid=avoid, level=LEVEL)
    out["note"] = during.note
    if math.isnan(during.effect):
        return out
    half = (math.log1p(during.high) - math.log1p(during.low)) / 2
    out |= {"alone": during.effect, "error": half / float(stats.norm.ppf(0.5 + LEVEL / 2))}
    if last + pd.Timedelta(days=7) <= series.index[-1]:
        parts = pull_forward(
            series, controls, first=first.date(), last=last.date(), after=AFTER, avoid=avoid, level=LEVEL
        )[0].set_index("part")
        out |= {"gained": during.extra, "missing": float(parts.loc["after", "extra"])}
    return out


@dataclass(frozen=True)
class Response:
    """How much more is sold by how much is off, as past promotions or a price elasticity tell it.

    Attributes
    ----------
    level, slope : float
        log(1 + uplift) = level + slope · (−log(1 − depth)).
    cov : ndarray
        Their covariance.
    spread : float
        Standard deviation between promotions.
    freedom : int
    shallowest, deepest : float
        Depths that have been tried; nothing is said of deeper ones.
    later : tuple of (float, float)
        Units gained and units missing afterwards (negative), promotion by promotion.
    basis : str
        A sentence: what it rests on.
    """

    level: float
    slope: float
    cov: np.ndarray
    spread: float
    freedom: int
    shallowest: float
    deepest: float
    later: tuple[tuple[float, float], ...]
    basis: str

    def knows(self, depth: float) -> bool:
        """Whether anything like it has been tried."""
        return 0 < depth <= self.deepest * 1.2

    def uplift(self, depth: float, *, rng: np.random.Generator, draws: int = 4000) -> np.ndarray:
        """Draws of what the next promotion of a depth adds (fraction of units).

        Below the shallowest that was tried, in proportion to it: no less comes if each further step does less.
        """
        least = -math.log1p(-self.shallowest)
        off = -math.log1p(-min(depth, 0.99))
        part, x = min(1.0, off / least), np.array([1.0, max(off, least)])
        error = math.sqrt(max(0.0, float(x @ self.cov @ x)) + self.spread**2)
        log = self.level + self.slope * x[1] + error * rng.standard_t(max(self.freedom, 1), draws)
        return np.expm1(np.clip(part * log, -3.0, 3.0))

    def pulled(self, *, rng: np.random.Generator, draws: int = 4000) -> np.ndarray:
        """Draws of the part of a gain that is missing afterwards."""
        return rng.choice(_lost(pd.DataFrame(self.later, columns=["gained", "missing"]), rng), draws)


@answers("How do sales respond to a promotion?")
def response(past: pd.DataFrame, elasticity: pd.DataFrame | None = None) -> Response:
    """How much more is sold under a promotion, by how much is off?

    Parameters
    ----------
    past : DataFrame
        Of `past`. From four promotions on they are pooled: their errors and the differences between them both count.
    elasticity : DataFrame, optional
        Of `playbook.offers.pricing.elasticities`: used where too few promotions ran.

    Returns
    -------
    Response
        A Missing where neither tells anything.

    References
    ----------
    DerSimonian, R., Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7, 177–188;
    Thompson, S. G., Higgins, J. (2002). How should meta-regression analyses be undertaken? Stat. Med. 21, 1559–1573.
    """
    known = _known(past)
    if len(known) >= FEWEST:
        return _pooled(known)
    if elasticity is not None and len(elasticity := elasticity.dropna(subset="elasticity")):
        error = (elasticity.elasticity_high - elasticity.elasticity_low) / 2 / stats.norm.ppf(0.95)
        weight = 1 / np.maximum(error, 1e-3) ** 2
        slope = -float(np.average(elasticity.elasticity, weights=weight))
        spread = float(elasticity.elasticity.std(ddof=0)) if len(elasticity) > 1 else 0.0
        cov = np.diag([0.0, float(1 / weight.sum()) + spread**2])
        said = _("It rests on how sales followed the shop's own prices, since too few promotions ran on their own.")
        return Response(0.0, slope, cov, 0.0, 30, 0.01, 0.3, (), said)
    return Missing(  # type: ignore[return-value]
        _("four past promotions of single categories, or a price elasticity"),
        remedy=_("Fill the table promotions with categories and dates, or the table prices with what prices were."),
    )


def _pooled(known: pd.DataFrame) -> Response:
    y = np.log1p(known.alone.to_numpy(float))
    x = -np.log1p(-known.depth.to_numpy(float))
    error = known.error.to_numpy(float)
    slopes = len(known) >= 2 * FEWEST and np.ptp(x) > 0.02
    design = np.column_stack([np.ones(len(y)), x]) if slopes else np.ones((len(y), 1))
    # Differences between promotions by moments: what the residuals spread beyond the errors.
    w = 1 / error**2
    inverse = np.linalg.inv(design.T @ (design * w[:, None]))
    rest = y - design @ (inverse @ design.T @ (w * y))
    freedom = len(y) - design.shape[1]
    trace = w.sum() - np.trace(inverse @ (design.T @ (design * (w**2)[:, None])))
    between = max(0.0, (float(w @ rest**2) - freedom) / trace)
    # A standard error more: the difference itself is told badly, and too small a one makes all intervals too narrow.
    between += math.sqrt(2 / freedom) * float(np.mean(error**2 + between))
    w = 1 / (error**2 + between)
    cov = np.linalg.inv(design.T @ (design * w[:, None]))
    b = cov @ design.T @ (w * y)
    wide = np.zeros((2, 2))
    wide[: len(b), : len(b)] = cov
    later = tuple(
        zip(*known.dropna(subset=["gained", "missing"])[["gained", "missing"]].to_numpy(float).T, strict=True)
    )
    said = _("It rests on {n} promotions of single categories, beside the categories without one.")
    return Response(
        float(b[0]), float(b[1]) if slopes else 0.0, wide, math.sqrt(between), freedom, float(known.depth.min()),
        float(known.depth.max()), later, said.format(n=len(known)),
    )  # fmt: skip


@answers("What did past promotions earn?")
def table(past: pd.DataFrame) -> pd.DataFrame:
    """Past promotions as people read them, the latest first."""
    columns = ["name", "begins", "depth", "uplift", "uplift_low", "uplift_high", "earned", "earned_low", "earned_high"]
    out = past[[*columns, "note"]].astype({c: float for c in columns[2:]})
    out = out.sort_values("begins", ascending=False, ignore_index=True)
    out = out.drop(columns="note") if (out.note.fillna("") == "").all() else out
    out.attrs = past.attrs
    return out


@quietly
def plot_past(past: pd.DataFrame, *, currency: str = "CNY", top: int = 16) -> Axes | None:
    """What each of the last promotions earned, with its interval; nothing where no cost is known."""
    rows = past.dropna(subset="earned").tail(top)[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.1 + 0.36 * len(rows))
    for y, p in enumerate(rows.to_dict("records")):
        colour = style.GOOD if p["earned_low"] > 0 else style.BAD if p["earned_high"] < 0 else style.COMPARISON
        ax.plot([p["earned_low"], p["earned_high"]], [y, y], color=colour, linewidth=4, alpha=0.45)
        ax.plot(p["earned"], y, "o", color=colour, markersize=7)
    ax.set_yticks(range(len(rows)), [_name(p) for p in rows.to_dict("records")])
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What each promotion earned beside none; the bar is the 80% interval"))
    return ax


@answers("Which promotions should not be run again?")
def findings(past: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which past promotions lost money, and what do they add on the whole?"""
    known = past.dropna(subset="earned") if len(past) else past
    found = []
    for p in known[known.earned_high < 0].to_dict("records") if len(known) else []:
        text = _(
            "“{name}” lost money: it took {depth} off the price, sold {uplift} more ({interval}) and earned {earned} "
            "beside no promotion."
        )
        text = text.format(
            name=p["name"],
            depth=style.value(p["depth"], "share"),
            uplift=style.value(p["uplift"], "share"),
            interval=style.interval(p["uplift_low"], p["uplift_high"], "share"),
            earned=style.change_of_money(p["earned"], currency=currency),
        )
        by = {"promotion": p["promotion_id"]}
        figure = Figure("promotion.earned", p["earned"], "currency", p["earned_low"], p["earned_high"], by)
        found.append(Finding("act", text, abs(p["earned"]), (figure,), p=p["p"]))
    if len(known):
        earned, low, high = past.attrs["together"]
        text = _("The last {n} promotions of single categories earned {earned} together ({interval}), beside none.")
        text = text.format(
            n=len(known),
            earned=style.change_of_money(earned, currency=currency),
            interval=style.interval(low, high, "currency", currency=currency),
        )
        figure = Figure("promotions.earned", earned, "currency", low, high)
        found.append(Finding("hold" if low > 0 else "watch", text, abs(earned), (figure,)))
    return found


def _name(p: dict) -> str:
    return _("{promotion}, {day}").format(promotion=p["name"], day=style.date(p["begins"]))
