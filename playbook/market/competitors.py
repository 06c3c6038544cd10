"""Competitors: their prices beside ours on matched products, how deep they discount, and who goes below us for good."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _, term
from ..missing import Missing, answers, quietly

MARGIN = 0.05
FALL = 0.08
WINDOW, BEFORE, USUAL = 365, 180, 365
LATE = 2
"""Days by which a look at a page may find a new price late."""
HOLDS = 14
"""Days that a lower price must last before it is acted on."""


@answers("How do competitors' prices compare with ours?", needs={"competitors": ["product_id"]})
def price_paths(competitors: ibis.Table, prices: ibis.Table) -> pd.DataFrame:
    """What did each matched item cost, day by day, and what did ours?

    The engine hands out the days on which a price changed; between them a price stands still.

    Parameters
    ----------
    competitors : Table
        Canonical `competitors` with product_id (our comparable product).
    prices : Table
        Canonical `prices`: our own history; the mean of the platforms counts.

    Returns
    -------
    DataFrame
        One row an item and day: competitor, category, item, product_id, day, theirs, ours, usual (median of ours over
        the year before). A Missing where nothing is matched.
    """
    rows = _table(competitors).filter(lambda t: t.product_id.notnull() & (t.price > 0))
    rows = rows.mutate(category=rows.category.fill_null("") if "category" in rows.columns else ibis.literal(""))
    keys = ["competitor", "category", "item", "product_id"]
    rows = rows.group_by([*keys, "day"]).aggregate(theirs=lambda t: t.price.cast("float64").mean())
    before = rows.theirs.lag().over(group_by=[rows[k] for k in keys], order_by=rows.day)
    last = rows.day.max().over(group_by=[rows[k] for k in keys])
    changed = rows.mutate(before=before, last=last).filter(
        lambda t: t.before.isnull() | (t.before != t.theirs) | (t.day == t.last)
    )
    steps = changed.select(*keys, "day", "theirs").to_pandas()
    own = _table(prices)
    own = own.filter(own.price > 0)
    mine = (
        own.mutate(day=own.changed_at.date()).group_by(["product_id", "platform", "day"])
        .aggregate(price=lambda t: t.price.cast("float64").mean()).to_pandas()
    )  # fmt: skip
    steps, mine = (f.assign(day=pd.to_datetime(f["day"])) for f in (steps, mine))
    steps = steps[steps["product_id"].isin(mine["product_id"])]
    if steps.empty:
        remedy = _("Write into the competitors' rows which product of ours an item compares with (product_id).")
        return Missing(_("items of competitors that match products of ours"), remedy=remedy)
    days = pd.date_range(steps["day"].min(), steps["day"].max(), freq="D")
    path = mine.pivot_table(
        index="day", columns=["product_id", "platform"], values="price", aggfunc="last"
    ).sort_index()
    path = path.reindex(path.index.union(days)).ffill().reindex(days).T.groupby(level="product_id").mean().T
    usual = path.rolling(USUAL, min_periods=1).median()
    out = []
    for key, of in steps.groupby(keys, sort=True):
        product = key[3]
        span = days[(days >= of["day"].min()) & (days <= of["day"].max())]
        theirs = of.set_index("day")["theirs"].reindex(span).ffill()
        one = {"day": span, "theirs": theirs.to_numpy(), "ours": path[product].reindex(span).to_numpy(),
               "usual": usual[product].reindex(span).to_numpy()}  # fmt: skip
        out.append(pd.DataFrame(dict(zip(keys, key, strict=True)) | one))
    return pd.concat(out, ignore_index=True).dropna(subset=["ours"]).reset_index(drop=True)


@answers("How dear are competitors beside us?")
def price_index(paths: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How dear is each competitor beside us, month by month, on matched products?

    The index is the geometric mean of their price over ours (Jevons), each matched item with the same weight: 1 is
    parity, below it they are cheaper.

    Parameters
    ----------
    paths : DataFrame
        Of `price_paths`.
    level : float
        Of the interval, Student's t over the items; NaN with one item.

    Returns
    -------
    DataFrame
        competitor, month (first day), items, index, index_low, index_high.

    References
    ----------
    ILO et al. (2020). Consumer Price Index Manual: Concepts and Methods, ch. 8 (Jevons index).
    """
    logs = paths.assign(
        month=paths["day"].dt.to_period("M").dt.to_timestamp(), log=np.log(paths["theirs"] / paths["ours"])
    )
    each = logs.groupby(["competitor", "month", "item"])["log"].mean()
    rows = each.groupby(["competitor", "month"]).agg(["size", "mean", "std"]).reset_index()
    half = stats.t.ppf(0.5 + level / 2, np.maximum(rows["size"] - 1, 1)) * rows["std"] / np.sqrt(rows["size"])
    out = pd.DataFrame({"competitor": rows["competitor"], "month": rows["month"], "items": rows["size"]})
    out["index"], out["index_low"], out["index_high"] = (np.exp(rows["mean"] + s * half) for s in (0.0, -1.0, 1.0))
    out["index"] = np.exp(rows["mean"])
    return out


@answers("How deep do competitors discount?", needs={"competitors": ["list_price"]})
def depth(competitors: ibis.Table, *, since: str) -> pd.DataFrame:
    """How deep do competitors discount from their struck-through price?

    Parameters
    ----------
    competitors : Table
        Canonical `competitors` with list_price.
    since : str
        First day that counts, ISO.

    Returns
    -------
    DataFrame
        competitor, items, depth (mean of 1 − price / list price over items and days), reduced (share of the
        looks at which an item was 5 % or more below its list price).
    """
    rows = _table(competitors)
    rows = rows.filter((rows.day >= ibis.date(since)) & (rows.list_price > 0))
    off = (1 - rows.price.cast("float64") / rows.list_price.cast("float64")).clip(0, 1)
    cut = rows.mutate(off=off).group_by("competitor").aggregate(
        items=lambda t: t.item.nunique(), depth=lambda t: t.off.mean(),
        reduced=lambda t: (t.off >= 0.05).cast("float64").mean(),
    )  # fmt: skip
    return cut.to_pandas().sort_values("depth", ascending=False, ignore_index=True)


@answers("Who went below us, and for good?")
def undercuts(paths: pd.DataFrame, *, margin: float = MARGIN, fall: float = FALL) -> pd.DataFrame:
    """Which competitor went below our usual prices and has stayed there, since when, and by how much?

    In each category of a competitor the days on which its prices changed are tried: since one of them the mean of its
    matched items must lie below our usual price by `margin`, and below its own level of the half year before by `fall`.
    A day on which most items were cut together goes before others; then the sharper step does.

    Parameters
    ----------
    paths : DataFrame
        Of `price_paths`.
    margin, fall : float
        Of the price, log.

    Returns
    -------
    DataFrame
        One row an undercutting that still holds, the sharpest first: competitor, category, since, days (so far), items,
        together (whether they were cut within the days that a look may be late), level (their price over our usual
        one), before (the same, before), products (ours beside them, joined by commas).
    """
    found = []
    last = paths["day"].max()
    for (competitor, category), mine in paths.groupby(["competitor", "category"], sort=True):
        logs = mine.assign(log=np.log(mine["theirs"] / mine["usual"]))
        wide = logs.pivot_table(index="day", columns="item", values="log").ffill()
        wide = wide[wide.index <= last].dropna()
        raw = mine.pivot_table(index="day", columns="item", values="theirs").ffill().reindex(wide.index)
        if len(wide) < 3 or (last - wide.index[-1]).days > 7:
            continue
        step = _step(wide.to_numpy().T, raw.to_numpy().T, margin, fall)
        if step is not None:
            at, level, before, together, gain = step
            products = ", ".join(sorted(mine["product_id"].unique()))
            found.append((competitor, category, wide.index[at], len(wide) - at, wide.shape[1], together,
                          math.exp(level), math.exp(before), products, gain))  # fmt: skip
    columns = ["competitor", "category", "since", "days", "items", "together", "level", "before", "products", "gain"]
    out = pd.DataFrame(found, columns=columns).sort_values(["together", "gain"], ascending=False, ignore_index=True)
    return out.drop(columns="gain")


def _step(
    logs: np.ndarray, raw: np.ndarray, margin: float, fall: float
) -> tuple[int, float, float, bool, float] | None:
    """Position, level, level before, whether together, and sharpness of the step below us; None: there is none."""
    items, n = logs.shape
    mean, changed = logs.mean(axis=0), np.diff(raw, axis=1) != 0
    best: tuple[int, float, float, bool, float] | None = None
    for at in np.flatnonzero(changed.any(axis=0)) + 1:
        if at < max(30, n - WINDOW):
            continue
        end = min(at + LATE, n - 1)
        many = changed[:, at - 1 : end].any(axis=1).sum() >= max(2, items / 2)
        together = bool(items > 1 and many and mean[end] - mean[at - 1] < -0.03)
        now, before = mean[end if together else at :], mean[max(0, at - BEFORE) : at]
        if now.mean() > math.log(1 - margin) or before.mean() - now.mean() < fall:
            continue
        if (now > math.log(1 - margin / 2)).mean() > 0.05:
            continue
        gain = len(now) * len(before) / (len(now) + len(before)) * (before.mean() - now.mean()) ** 2
        if best is None or (together, gain) > (best[3], best[4]):
            best = (int(at), float(now.mean()), float(before.mean()), together, float(gain))
    return best


@answers("What did competitors' prices do on a day of sales?")
def sale_day(competitors: ibis.Table, day: str) -> pd.DataFrame:
    """What did each competitor's prices do on a day of sales, and the day after?

    Only items that were seen on the day before and on the day count; those seen on the day after as well tell the
    rebound. No list price is needed: the depth is the fall within an item.

    Parameters
    ----------
    competitors : Table
        Canonical `competitors`.
    day : str
        ISO.

    Returns
    -------
    DataFrame
        One row a competitor, and all of them last (empty name): competitor, items, index (geometric mean of the price
        on
        the day over that of the day before), changed (share of items whose price changed), lowered (share that fell),
        depth (mean fall of those that fell; NaN where none did), followed (items seen on the day after too), rebound
        (geometric mean of the price on the day after over that on the day, minus 1), back (of the items that fell,
        share
        that rose again on the day after). A Missing where nobody was looked at on both days.
    """
    rows, at = _table(competitors), pd.Timestamp(day)
    days = [(at + pd.Timedelta(days=k)).date() for k in (-1, 0, 1)]
    rows = rows.filter(rows.day.cast("date").isin(days) & (rows.price > 0))
    platform = ["platform"] if "platform" in rows.columns else []
    rows = rows.group_by(["competitor", "item", *platform, "day"]).aggregate(
        price=lambda t: t.price.cast("float64").mean()
    )
    wide = rows.to_pandas().assign(day=lambda f: pd.to_datetime(f["day"])).fillna({"platform": ""})
    wide = wide.pivot_table(index=["competitor", "item", *platform], columns="day", values="price")
    wide = wide.reindex(columns=[pd.Timestamp(d) for d in days])
    wide.columns = ["before", "on", "after"]
    wide = wide.dropna(subset=["before", "on"]).reset_index()
    if wide.empty:
        what = _("competitors' prices of {day} and the day before").format(day=style.date(at))
        return Missing(what, remedy=_("Choose a day on which they were looked at."))
    parts = [_moved(of, str(name)) for name, of in wide.groupby("competitor", sort=True)]
    return pd.DataFrame([*parts, _moved(wide, "")])


def _moved(rows: pd.DataFrame, name: str) -> dict:
    fell = rows["on"] < rows["before"]
    after = rows.dropna(subset=["after"])
    again = after[after["on"] < after["before"]]
    return {
        "competitor": name,
        "items": len(rows),
        "index": math.exp(np.log(rows["on"] / rows["before"]).mean()),
        "changed": float((rows["on"] != rows["before"]).mean()),
        "lowered": float(fell.mean()),
        "depth": float((1 - rows["on"] / rows["before"])[fell].mean()) if fell.any() else math.nan,
        "followed": len(after),
        "rebound": math.expm1(np.log(after["after"] / after["on"]).mean()) if len(after) else math.nan,
        "back": float((again["after"] > again["on"]).mean()) if len(again) else math.nan,
    }


@answers("Which competitor is to be answered?")
def findings(cut: pd.DataFrame, sold: pd.DataFrame | None) -> list[Finding]:
    """Who undercuts us, and what of our sales stands beside it?

    Parameters
    ----------
    cut : DataFrame
        Of `undercuts`.
    sold : DataFrame, optional
        ``measure(shop, ["net_sales"], by=["product_id"])``: the stake is the net sales of our
        products beside the items.

    Returns
    -------
    list of Finding
        "act" where items were cut together and stay there for `HOLDS` days, else "watch".
    """
    money = {} if sold is None else sold[sold["metric"] == "net_sales"].set_index("product_id")["value"].to_dict()
    out: list[Finding] = []
    for row in cut.to_dict("records"):
        stake = sum(money.get(p, 0.0) for p in row["products"].split(", ")) or None
        text = _(
            "{competitor} has been below our usual prices in {category} since {since}: its {items} matched items cost "
            "{level} of ours, before {before}."
        ).format(
            competitor=row["competitor"], category=term("category", row["category"]), since=style.date(row["since"]),
            items=row["items"], level=style.value(row["level"], "share", digits=0),
            before=style.value(row["before"], "share", digits=0),
        )  # fmt: skip
        verdict: Verdict = "act" if row["together"] and row["days"] >= HOLDS else "watch"
        by = {"competitor": row["competitor"], "category": row["category"]}
        out.append(Finding(verdict, text, stake, (Figure("undercut_level", row["level"], "ratio", by=by),)))
    return out


def _table(rows: ibis.Table) -> ibis.Table:
    return rows if isinstance(rows, ibis.Table) else ibis.memtable(rows)


@quietly
def plot_price_index(index: pd.DataFrame) -> Axes:
    """Each competitor's price index over time with its interval; 1 is our price."""
    ax = style.axes(height=4.0)
    ends = index.groupby("competitor")["index"].last().sort_values()
    apart, at = 0.06 * float(index["index_high"].fillna(index["index"]).max() - index["index"].min()), -math.inf
    for name, colour in zip(ends.index, style.CATEGORIES[1:], strict=False):
        mine = index[index["competitor"] == name]
        at = max(float(ends[name]), at + apart)
        ax.fill_between(mine["month"], mine["index_low"], mine["index_high"], color=colour, alpha=0.10, linewidth=0)
        ax.plot(mine["month"], mine["index"], color=colour)
        style.direct_label(ax, mine["month"].iloc[-1], at, str(name), colour)
    ax.axhline(1, color=style.OWN, linewidth=1.4)
    style.share_axis(ax)
    style.date_axis(ax)
    ax.set_ylabel(_("their price over ours"))
    ax.set_title(_("Price index on matched products: below the line they are cheaper"))
    return ax


@quietly
def plot_undercut(paths: pd.DataFrame, cut: pd.DataFrame) -> Axes | None:
    """The sharpest undercutting: their items over our usual price, and the day since when."""
    if cut.empty:
        return None
    row = cut.iloc[0]
    mine = paths[(paths["competitor"] == row["competitor"]) & (paths["category"] == row["category"])]
    ax = style.axes(height=3.6)
    for _item, of in mine.groupby("item"):
        ax.step(of["day"], of["theirs"] / of["usual"], where="post", color=style.COMPARISON, linewidth=1.4)
    ax.axhline(1, color=style.OWN, linewidth=1.4)
    ax.axvline(row["since"], color=style.BAD, linewidth=1.6, linestyle="--")
    ax.annotate(style.date(row["since"]), (row["since"], 1), xycoords=("data", "axes fraction"), xytext=(-6, -12),
                textcoords="offset points", ha="right", color=style.BAD, fontsize=10)  # fmt: skip
    style.share_axis(ax)
    style.date_axis(ax)
    title = _("{competitor} in {category}: price of each item over our usual one")
    ax.set_title(title.format(competitor=row["competitor"], category=term("category", row["category"])))
    return ax
