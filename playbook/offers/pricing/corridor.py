"""Between which prices a product can be sold: what it costs, what competitors ask, what buyers would pay."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _
from ...missing import answers, quietly
from ...outlook import Decision
from ...period import Period

BETWEEN = 0.15
"""Standard deviation of elasticities between products of one category, where only the category's is known."""
QUESTIONS = ("price_too_cheap", "price_cheap", "price_expensive", "price_too_expensive")
FEES = ("commission", "service_fee", "payment_fee")


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


@answers("What would buyers pay?")
def willing(surveys: ibis.Table, *, rng: np.random.Generator, draws: int = 400) -> pd.DataFrame:
    """What would buyers pay: the range of acceptable prices of van Westendorp's four questions.

    Parameters
    ----------
    surveys : Table
        Canonical `surveys` with questions ``price_too_cheap:<product_id>``, ``price_cheap:…``, ``price_expensive:…``,
        ``price_too_expensive:…`` and the price in `score`.
    rng : Generator
        Seeded.

    Returns
    -------
    DataFrame
        product_id, wtp_low (where as many find it too cheap as expensive), wtp_high (where as many find it too
        expensive as cheap), wtp_low_low … wtp_high_high (80 %, answers drawn anew), n (answers to the question with
        fewest). No row under ten answers.

    References
    ----------
    van Westendorp, P. (1976). NSS price sensitivity meter. Proceedings of the 29th ESOMAR congress, 139–167.
    """
    t = surveys if isinstance(surveys, ibis.Table) else ibis.memtable(surveys)
    asked = t.filter(t.question.like("price\\_%:%") & t.score.notnull()) if "score" in t.columns else t.limit(0)
    counts = (
        asked.group_by([asked.question, asked.score]).aggregate(n=asked.count()).to_pandas()
        if "score" in t.columns
        else pd.DataFrame(columns=["question", "score", "n"])
    )
    counts[["what", "product_id"]] = counts.question.str.split(":", n=1, expand=True).reindex(columns=[0, 1])
    rows = []
    for product, of in counts.groupby("product_id", sort=True):
        said = {q: of[of.what == q].sort_values("score") for q in QUESTIONS}
        n = min(int(s.n.sum()) for s in said.values())
        if n < 10:
            continue
        plain = {q: (s.score.to_numpy(float), s.n.to_numpy(float)) for q, s in said.items()}
        again = np.array([_acceptable({q: (v, rng.multinomial(int(k.sum()), k / k.sum())) for q, (v, k) in plain.items()})
                          for _draw in range(draws)])  # fmt: skip
        ends = np.quantile(again, [0.1, 0.9], axis=0)
        low, high = _acceptable(plain)
        rows.append((product, low, ends[0, 0], ends[1, 0], high, ends[0, 1], ends[1, 1], n))
    columns = ["product_id", "wtp_low", "wtp_low_low", "wtp_low_high", "wtp_high", "wtp_high_low", "wtp_high_high", "n"]
    return pd.DataFrame(rows, columns=columns)


def _acceptable(said: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Where too cheap meets expensive, and too expensive meets cheap."""
    at = np.unique(np.concatenate([v for v, _k in said.values()]))

    def share(q: str, *, above: bool) -> np.ndarray:
        v, k = said[q]
        inside = (v[None] >= at[:, None]) if above else (v[None] <= at[:, None])
        return (inside * k[None]).sum(axis=1) / k.sum()

    def meet(falling: np.ndarray, rising: np.ndarray) -> float:
        gap = rising - falling
        i = int(np.argmax(gap >= 0)) if (gap >= 0).any() else len(at) - 1
        if i == 0 or gap[i] == gap[i - 1]:
            return float(at[i])
        return float(at[i - 1] + (at[i] - at[i - 1]) * -gap[i - 1] / (gap[i] - gap[i - 1]))

    low = meet(share("price_too_cheap", above=True), share("price_expensive", above=False))
    return low, meet(share("price_cheap", above=True), share("price_too_expensive", above=False))


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
        By category: elasticity, low, high (95 %).
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
        and above), wtp_low, wtp_high, low and high (the corridor: above all floors, below all ceilings that are
        known), best (price that earns most, if sales follow it as the category's did), elasticity and `spread` (its
        standard error), place (below, inside, above, none: the floor is above the ceiling; unknown), contribution
        (currency, of the period, after goods and fees). Currency; NaN where not known.
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
    told = wtp if wtp is not None else pd.DataFrame(columns=["product_id", "wtp_low", "wtp_high"])
    frame = frame.merge(told[["product_id", "wtp_low", "wtp_high"]], on="product_id", how="left")
    floors, ceilings = frame[["floor", "wtp_low"]], frame[["rival_high", "wtp_high"]]
    frame["low"], frame["high"] = floors.max(axis=1), ceilings.min(axis=1)
    frame["elasticity"], frame["spread"] = math.nan, math.nan
    if elasticities is not None and len(elasticities):
        of = elasticities.set_index("category")
        frame["elasticity"] = frame.category.map(of.elasticity)
        error = (of.high - of.low) / 2 / stats.norm.ppf(0.975)
        frame["spread"] = np.hypot(frame.category.map(error), BETWEEN)
    elastic = frame.elasticity < -1
    frame["best"] = (frame.cost / (1 - fees) * frame.elasticity / (1 + frame.elasticity)).where(elastic)
    conditions = [frame.low > frame.high, frame.price < frame.low, frame.price > frame.high,
                  frame.low.notna() | frame.high.notna()]  # fmt: skip
    frame["place"] = np.select(conditions, ["none", "below", "above", "inside"], "unknown")
    frame["contribution"] = frame.units * (frame.price * (1 - fees) - frame.cost)
    frame.attrs = {"fees": fees, "target_margin": target_margin}
    columns = ["product_id", "name", "category", "units", "price", "cost", "floor", "rival_low", "rival_high", "wtp_low",
               "wtp_high", "low", "high", "best", "elasticity", "spread", "place", "contribution"]  # fmt: skip
    return frame[columns]


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


@answers("What would each price earn?")
def margin_curve(
    corridor: pd.DataFrame, *, product_id: str = "", steps: int = 25, rng: np.random.Generator
) -> pd.DataFrame:
    """What would a product earn at each price, if sales follow it as those of its category did?

    Parameters
    ----------
    corridor : DataFrame
        Of `corridor`.
    product_id : str
        By default the one with the largest contribution whose cost and elasticity are known.

    Returns
    -------
    DataFrame
        price, units (low, high), contribution (low, high: currency, of a period like this one; 80 %), from a fifth
        below to a quarter above what is paid now; ``attrs``: product, now, low and high (the corridor). Empty where no
        such product is known.
    """
    known = corridor.dropna(subset=["cost", "elasticity", "spread"])
    known = known[known.product_id == product_id] if product_id else known
    columns = [f"{c}{e}" for c in ("units", "contribution") for e in ("", "_low", "_high")]
    if known.empty:
        return pd.DataFrame(columns=["price", *columns])
    p = known.loc[known.contribution.idxmax()]
    fees, e = corridor.attrs["fees"], rng.normal(p.elasticity, p.spread, 4000)
    rows = []
    for price in np.linspace(0.8 * p.price, 1.25 * p.price, steps):
        units = p.units * (price / p.price) ** e
        each = [units, units * (price * (1 - fees) - p.cost)]
        rows.append([price, *np.concatenate([np.quantile(x, [0.5, 0.1, 0.9]) for x in each])])
    frame = pd.DataFrame(rows, columns=["price", *columns])
    frame.attrs = {"product": p["name"], "now": float(p.price), "low": float(p.low), "high": float(p.high)}
    return frame


@answers("Which prices should be changed?")
def moves(corridor: pd.DataFrame, *, most: float = 0.10, rng: np.random.Generator) -> pd.DataFrame:
    """Which price would earn more a step away from where it is?

    A step leads towards the price that earns most, by no more than `most`, and not out of the corridor.

    Returns
    -------
    DataFrame
        One row a product whose gain is surely above 0 (80 %): product_id, name, price, to (currency), gain (low, high:
        contribution of a period), sales (low, high: net sales, change of a period); the largest gain first.
    """
    rows = []
    fees = corridor.attrs["fees"]
    for p in corridor.dropna(subset=["best", "cost", "spread"]).to_dict("records"):
        if p["place"] == "none":
            continue
        to = min(max(p["best"], p["price"] * (1 - most)), p["price"] * (1 + most))
        if p["price"] < to and p["high"] == p["high"]:
            to = max(p["price"], min(to, p["high"]))
        if p["price"] > to and p["low"] == p["low"]:
            to = min(p["price"], max(to, p["low"]))
        to = float(round(to))
        e = rng.normal(p["elasticity"], p["spread"], 4000)
        if abs(to / p["price"] - 1) < 0.02:
            continue
        times = (to / p["price"]) ** e
        gain = p["units"] * (times * (to * (1 - fees) - p["cost"]) - (p["price"] * (1 - fees) - p["cost"]))
        sales = p["units"] * (times * to - p["price"])
        rows.append([p["product_id"], p["name"], p["price"], to, *np.quantile(gain, [0.5, 0.1, 0.9]),
                     *np.quantile(sales, [0.5, 0.1, 0.9])])  # fmt: skip
    columns = ["product_id", "name", "price", "to", "gain", "gain_low", "gain_high", "sales", "sales_low", "sales_high"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame[frame.gain_low > 0].sort_values("gain", ascending=False, ignore_index=True)


@answers("Which prices should be changed?")
def decisions(
    moves: pd.DataFrame, *, period: str, due: dt.date, most: int = 3, currency: str = "CNY"
) -> list[Decision]:
    """The price changes that earn most, as decisions; net sales are what they are scored by."""
    made = []
    for p in moves.head(most).to_dict("records"):
        up = p["to"] > p["price"]
        text = _(
            "Raise the price of “{name}” from {price} to {to}: about {gain} more contribution in {period} ({interval})."
        )
        if not up:
            text = _(
                "Lower the price of “{name}” from {price} to {to}: about {gain} more contribution in {period} "
                "({interval})."
            )
        text = text.format(
            name=p["name"],
            price=style.value(p["price"], "currency", currency=currency),
            to=style.value(p["to"], "currency", currency=currency, digits=0),
            gain=style.short(p["gain"], "currency", currency=currency),
            interval=style.interval(p["gain_low"], p["gain_high"], "currency", currency=currency),
            period=period,
        )
        made.append(
            Decision(
                "change_price", text, _("Pricing"), due, "net_sales", period, p["sales"], p["sales_low"],
                p["sales_high"], "currency", by={"product_id": p["product_id"]}, check="controls", stake=p["gain"],
            )
        )  # fmt: skip
    return made


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
            ax.barh(y, high - low, left=low, height=0.5, color=style.OWN, alpha=0.25)
        if p.rival_low == p.rival_low:
            ax.plot([p.rival_low, p.rival_high], [y, y], color=style.COMPARISON, linewidth=3)
        colour = style.BAD if p.place in ("below", "none") else style.OWN
        ax.plot(p.price, y, "o", color=colour, markersize=8, zorder=3)
        if p.best == p.best:
            ax.plot(p.best, y, "|", color=style.INK, markersize=16, markeredgewidth=2)
    ax.set_yticks(range(len(rows)), list(rows["name"]))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("Price corridor (band), competitors (grey), what is paid (dot), what would earn most (stroke)"))
    return ax


@quietly
def plot_margin_curve(curve: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What each price earns, with its interval, and where the price is now."""
    if curve.empty:
        return None
    ax = style.axes(height=3.6)
    ax.fill_between(curve.price, curve.contribution_low, curve.contribution_high, color=style.OWN, alpha=0.2)
    ax.plot(curve.price, curve.contribution, color=style.OWN)
    now = curve.attrs["now"]
    ax.axvline(now, color=style.COMPARISON, linestyle="--", linewidth=1.2)
    place = {"xytext": (6, 6), "textcoords": "offset points", "color": style.SOFT_INK, "fontsize": 9}
    ax.annotate(_("price paid now"), (now, float(curve.contribution_low.min())), **place)
    style.money_axis(ax, currency)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What “{product}” would earn at each price").format(product=curve.attrs["product"]))
    return ax
