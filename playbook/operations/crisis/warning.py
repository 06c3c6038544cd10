"""Early warning: mentions, complaints, refunds and ratings, each day against what is usual, and all together."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import ibis
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...data.engine import as_table
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...methods import alerts
from ...methods.seasonality import festivals
from ...missing import Missing, answers, quietly

SIGNALS = ("negative_mentions", "complaints", "refunds", "low_ratings")
LEVELS = ("none", "green", "yellow", "orange", "red")
COMPLAINTS = ("complaint", "allergy", "quality", "damage", "投诉", "质量问题", "过敏")
NEGATIVE, LOW = 0.0, 2  # sentiment below which a mention is negative; stars up to which a rating is low
BUYING_DAYS = {"complaints": 14, "refunds": 21}  # orders of so many days are what complaints and refunds come from
RETURNING_DAYS = 14  # days after a sale in which its goods come back: refunds are not judged then
ALPHA, AT_LEAST = 1e-3, 0.3
QUIET = 7  # days without a warning after which the next one is another story
COLOURS = {"none": style.GRID, "green": "#BFE3D6", "yellow": "#F2D16B", "orange": "#E6930C", "red": "#C8501E"}


@answers("Which signs of trouble are out of the usual?")
def signals(
    *,
    until: dt.date,
    orders: ibis.Table | None = None,
    mentions: ibis.Table | None = None,
    tickets: ibis.Table | None = None,
    returns: ibis.Table | None = None,
    reviews: ibis.Table | None = None,
    brands: Sequence[str] | None = None,
    days: int = 365,
) -> pd.DataFrame:
    """Which signs of trouble are out of the usual, each day by what was known when it ended?

    Parameters
    ----------
    until : date
        The day after the last one.
    orders : Table, optional
        ordered_at; what complaints and refunds are in proportion to. Without it they are counted.
    mentions : Table, optional
        mentioned_at, sentiment; brand. The share of mentions with a sentiment below 0.
    tickets : Table, optional
        opened_at, topic. Those of `COMPLAINTS`.
    returns, reviews : Table, optional
        returned_at; reviewed_at, rating. Refunds, and the share of ratings of one or two stars.
    brands : sequence of str, optional
        Whose mentions count; by default all.
    days : int
        That are judged, up to the last.

    Returns
    -------
    DataFrame
        day, signal, and the columns of `playbook.methods.alerts.judge`. ``attrs["lacking"]``: signals without data. A
        Missing where there is none of them.
    """
    made: dict[str, tuple[alerts.Kind, pd.Series, pd.Series | None]] = {}
    bought = None if orders is None else _by_day(as_table(orders), "ordered_at", until)
    if mentions is not None and {"mentioned_at", "sentiment"} <= set(mentions.columns):
        rows = as_table(mentions)
        if brands and "brand" in rows.columns:
            rows = rows.filter(rows["brand"].isin(list(brands)))
        rows = rows.filter(rows["sentiment"].notnull())
        bad = rows.filter(rows["sentiment"] < NEGATIVE)
        made["negative_mentions"] = _share(bad, rows, "mentioned_at", until)
    if tickets is not None and {"opened_at", "topic"} <= set(tickets.columns):
        rows = as_table(tickets)
        made["complaints"] = _per_order(rows.filter(rows["topic"].isin(COMPLAINTS)), rows, "opened_at", bought, until)
    if returns is not None and "returned_at" in returns.columns:
        rows = as_table(returns)
        made["refunds"] = _per_order(rows, rows, "returned_at", bought, until)
    if reviews is not None and {"reviewed_at", "rating"} <= set(reviews.columns):
        rows = as_table(reviews)
        rows = rows.filter(rows["rating"].notnull())
        made["low_ratings"] = _share(rows.filter(rows["rating"] <= LOW), rows, "reviewed_at", until)
    since, parts = pd.Timestamp(until) - pd.Timedelta(days=days), []
    for signal, (kind, series, exposure) in made.items():
        if series.empty:
            continue
        if exposure is not None and signal in BUYING_DAYS:
            exposure = exposure.reindex(series.index, fill_value=0).rolling(BUYING_DAYS[signal], min_periods=1).mean()
        judged = alerts.judge(
            series, kind=kind, exposure=exposure, direction="up", since=since, alpha=ALPHA, at_least=AT_LEAST,
            excused=_returning(pd.DatetimeIndex(series.index)) if signal == "refunds" else None,
        )  # fmt: skip
        parts.append(judged[judged.index >= since].reset_index().assign(signal=signal))
    lacking = [s for s in SIGNALS if s not in made or made[s][1].empty]
    if not parts:
        return Missing(
            _("mentions, tickets, returns or reviews"), remedy=_("An export of any of them is enough to begin with.")
        )
    out = pd.concat(parts, ignore_index=True)
    out.attrs = {"lacking": lacking}
    return out


def _by_day(rows: ibis.Table, at: str, until: dt.date) -> pd.Series:
    """How many rows on each day, from the first to the last before `until`."""
    rows = rows.filter(rows[at].notnull())
    counts = rows.group_by(day=rows[at].date()).aggregate(n=rows.count()).to_pandas()
    series = counts.assign(day=pd.to_datetime(counts["day"])).set_index("day")["n"].astype(float).sort_index()
    if series.empty:
        return series
    return series.reindex(pd.date_range(series.index[0], pd.Timestamp(until) - pd.Timedelta(days=1)), fill_value=0.0)


def _returning(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Days of the platforms' sales, and those on which what was bought there comes back."""
    about = festivals((days[0] - pd.Timedelta(days=60)).date(), days[-1].date())
    sale = pd.DatetimeIndex(about.loc[about["sale"] & (about["phase"] == "during"), "day"])
    spans = [sale + pd.Timedelta(days=k) for k in range(RETURNING_DAYS + 1)]
    return days[days.isin(spans[0].append(spans[1:]))]


def _share(some: ibis.Table, rows: ibis.Table, at: str, until: dt.date) -> tuple[alerts.Kind, pd.Series, pd.Series]:
    every = _by_day(rows, at, until)
    return "share", _by_day(some, at, until).reindex(every.index, fill_value=0.0), every


def _per_order(
    some: ibis.Table, rows: ibis.Table, at: str, bought: pd.Series | None, until: dt.date
) -> tuple[alerts.Kind, pd.Series, pd.Series | None]:
    every = _by_day(rows, at, until)
    return "count", _by_day(some, at, until).reindex(every.index, fill_value=0.0), bought


@answers("How serious is it, all signs together?")
def levels(judged: pd.DataFrame) -> pd.DataFrame:
    """How serious is each day, all signs together?

    One sign alone is yellow, or orange where it is extreme or strong on two days; two are orange; two of which one is
    extreme, or three of which one is strong, are red. A sign
    counts for three days after its flag, because complaints and ratings follow what people say.

    Returns
    -------
    DataFrame
        day, level ("none": nothing could be judged, "green" … "red"), signals (those that speak, separated by spaces).
    """
    order = {s: i for i, s in enumerate(alerts.STATES)}
    grid = judged.assign(rank=judged["state"].map(order)).pivot(index="day", columns="signal", values="rank")
    yellow, orange, red = (order[s] for s in ("yellow", "orange", "red"))
    speaks = grid.rolling(3, min_periods=1).max()
    lasting = ((grid >= orange).astype(float).rolling(3, min_periods=1).sum() >= 2).any(axis=1)
    rows = []
    for day in grid.index:
        mine = speaks.loc[day].dropna()
        on = mine[mine >= yellow]
        fresh = (grid.loc[day] >= yellow).any()
        level = "green" if (grid.loc[day] >= order["usual"]).any() else "none"
        if len(on) and fresh:
            extreme = int((on >= red).sum())
            level = "yellow"
            if len(on) >= 2 or extreme or lasting[day]:
                level = "orange"
            if (len(on) >= 2 and extreme) or (len(on) >= 3 and (on >= orange).any()):
                level = "red"
        rows.append((day, level, " ".join(s for s in SIGNALS if s in on.index) if fresh else ""))
    return pd.DataFrame(rows, columns=["day", "level", "signals"])


@answers("Which warnings were there?")
def warnings(judged: pd.DataFrame, *, at_least: str = "orange") -> pd.DataFrame:
    """Which warnings were there, and how did each go?

    Parameters
    ----------
    judged : DataFrame
        Of `signals`.
    at_least : {"yellow", "orange", "red"}
        The worst level that a story must have reached.

    Returns
    -------
    DataFrame
        In order: flagged_on (first day at the level), worst_on, ends (last day with a sign), level, signals, days, open
        (a sign spoke within the last week of the data).
    """
    by_day = levels(judged).set_index("day")
    last = by_day.index.max()
    stories: list[list[pd.Timestamp]] = []
    for day in by_day.index[by_day["level"].isin(LEVELS[2:])]:
        if stories and (day - stories[-1][-1]).days <= QUIET:
            stories[-1].append(day)
        else:
            stories.append([day])
    rows = []
    for story in stories:
        mine = by_day.loc[story]
        rank = mine["level"].map(LEVELS.index)
        if rank.max() < LEVELS.index(at_least):
            continue
        flagged = mine.index[rank >= LEVELS.index(at_least)][0]
        mine = mine.loc[flagged:]
        said = {s for words in mine["signals"] for s in words.split()}
        rows.append(
            {
                "flagged_on": flagged,
                "worst_on": mine["level"].map(LEVELS.index).idxmax(),
                "ends": story[-1],
                "level": max(mine["level"], key=LEVELS.index),
                "signals": " ".join(s for s in SIGNALS if s in said),
                "days": (story[-1] - flagged).days + 1,
                "open": (last - story[-1]).days < QUIET,
            }
        )
    return pd.DataFrame(rows, columns=["flagged_on", "worst_on", "ends", "level", "signals", "days", "open"])


@answers("What is the evidence?")
def evidence(
    warned: pd.DataFrame,
    judged: pd.DataFrame,
    *,
    mentions: ibis.Table | None = None,
    tickets: ibis.Table | None = None,
    returns: ibis.Table | None = None,
    reviews: ibis.Table | None = None,
) -> pd.DataFrame:
    """What speaks for each warning: by how much each sign rose, and which product it is about?

    Returns
    -------
    DataFrame
        flagged_on, signal, value and expected (over the first seven days from the flag), ratio, product_id (that most
        of what was counted is about), product_share, words (one of the texts, the most recent).
    """
    tables = {
        "negative_mentions": (mentions, "mentioned_at", lambda t: t["sentiment"] < NEGATIVE),
        "complaints": (tickets, "opened_at", lambda t: t["topic"].isin(COMPLAINTS)),
        "refunds": (returns, "returned_at", lambda t: t["returned_at"].notnull()),
        "low_ratings": (reviews, "reviewed_at", lambda t: t["rating"] <= LOW),
    }
    rows = []
    for warning in warned.to_dict("records"):
        begins, ends = warning["flagged_on"], warning["flagged_on"] + pd.Timedelta(days=7)
        for signal in warning["signals"].split():
            mine = judged[(judged["signal"] == signal) & (judged["day"] >= begins) & (judged["day"] < ends)]
            value, expected = mine["value"].sum(), mine["expected"].sum()
            about = _about(*tables[signal], begins, ends) if tables[signal][0] is not None else {}
            ratio = value / expected if expected > 0 else math.nan
            row = {"flagged_on": begins, "signal": signal, "value": value, "expected": expected, "ratio": ratio}
            rows.append(row | about)
    columns = ["flagged_on", "signal", "value", "expected", "ratio", "product_id", "product_share", "words"]
    return pd.DataFrame(rows, columns=columns)


def _about(table: Any, at: str, counts: Any, begins: pd.Timestamp, ends: pd.Timestamp) -> dict[str, Any]:
    """The product that most of the rows are about, and one text."""
    rows = as_table(table)
    if "product_id" not in rows.columns:
        return {}
    within = (rows[at] >= ibis.timestamp(begins.isoformat())) & (rows[at] < ibis.timestamp(ends.isoformat()))
    rows = rows.filter(within & counts(rows) & rows["product_id"].notnull())
    each = rows.group_by("product_id").aggregate(n=rows.count()).to_pandas()
    if each.empty:
        return {}
    top = each.sort_values(["n", "product_id"], ascending=[False, True]).iloc[0]
    out = {"product_id": top["product_id"], "product_share": float(top["n"] / each["n"].sum())}
    if "text" in rows.columns:
        of_it = rows.filter((rows["product_id"] == top["product_id"]) & rows["text"].notnull())
        text = of_it.order_by([of_it[at].desc(), of_it["text"]]).select("text").limit(1).to_pandas()["text"]
        out["words"] = str(text.iloc[0]) if len(text) else ""
    return out


def own_brands(products: ibis.Table | Missing | None) -> list[str] | None:
    """Whose mentions are ours: the brands of what is sold; None where that is not said."""
    if products is None or isinstance(products, Missing) or "brand" not in products.columns:
        return None
    rows = as_table(products)
    said = rows.filter(rows["brand"].notnull()).select("brand").distinct().to_pandas()["brand"]
    return sorted(said) or None


def _mean_refund(returns: ibis.Table) -> float:
    rows = as_table(returns)
    return float(rows.aggregate(mean=rows["amount"].cast("float64").mean()).to_pandas()["mean"].iloc[0])


@quietly
def plot_levels(judged: pd.DataFrame) -> Axes:
    """The year as a band for each sign and one for all together: green, yellow, orange, red; grey: not judged."""
    by_day = levels(judged)
    states = {"no_history": "none", "excused": "none", "usual": "green"}
    bands = [("all", by_day.assign(state=by_day["level"]))]
    bands += [(s, judged[judged["signal"] == s]) for s in SIGNALS if s in set(judged["signal"])]
    ax = style.axes(height=0.9 + 0.5 * len(bands))
    for y, (_name, rows) in enumerate(reversed(bands)):
        colour = [COLOURS[states.get(s, s)] for s in rows["state"]]
        ax.bar(rows["day"], 0.7, bottom=y - 0.35, width=1.0, color=colour, linewidth=0)
    names = [_("all together") if n == "all" else term("signal", n).replace("_", " ") for n, _rows in reversed(bands)]
    ax.set_yticks(range(len(bands)), names)
    ax.grid(visible=False)
    style.date_axis(ax)
    ax.set_title(_("Warnings by day: green, yellow, orange, red"))
    return ax


@quietly
def plot_signals(judged: pd.DataFrame, warned: pd.DataFrame) -> Axes | None:
    """The first sign of the last warning (or the last weeks) against the range in which ordinary days lie."""
    signal = warned["signals"].iloc[-1].split()[0] if len(warned) else judged["signal"].iloc[0]
    middle = warned["flagged_on"].iloc[-1] if len(warned) else judged["day"].max()
    rows = judged[(judged["signal"] == signal) & ((judged["day"] - middle).abs() <= pd.Timedelta(days=45))]
    if rows["expected"].notna().sum() == 0:
        return None
    ax = style.axes(height=3.4)
    ax.fill_between(rows["day"], rows["low"], rows["high"], color=style.COMPARISON, alpha=0.3, linewidth=0)
    ax.plot(rows["day"], rows["expected"], color=style.COMPARISON, linewidth=1.2)
    ax.plot(rows["day"], rows["value"], color=style.OWN, linewidth=1.6)
    odd = rows[rows["state"].isin(list(alerts.LEVELS))]
    ax.scatter(odd["day"], odd["value"], color=style.BAD, s=26, zorder=3)
    style.direct_label(ax, rows["day"].iloc[-1], rows["expected"].iloc[-1], _("expected"), style.SOFT_INK)
    ax.set_ylim(bottom=0)
    style.count_axis(ax)
    style.date_axis(ax)
    ax.set_title(
        _("{signal} by day; the band holds 95 % of ordinary days").format(
            signal=term("signal", signal).replace("_", " ")
        )
    )
    return ax


@answers("Is there a crisis?")
def findings(
    warned: pd.DataFrame,
    judged: pd.DataFrame,
    proof: pd.DataFrame,
    *,
    returns: ibis.Table | None = None,
) -> list[Finding]:
    """Is there a crisis now, and what were those of the year?

    Parameters
    ----------
    warned, judged, proof : DataFrame
        Of `warnings`, `signals`, `evidence`.
    returns : Table, optional
        amount: with it what an open warning's refunds cost so far is its stake.
    """
    said = []
    by_day = levels(judged)
    today = by_day.iloc[-1]
    figure = Figure("crisis.level", LEVELS.index(today["level"]), "count")
    for warning in warned.to_dict("records"):
        mine = proof[proof["flagged_on"] == warning["flagged_on"]]
        names = listing(
            _("{signal} {ratio} times the usual").format(
                signal=term("signal", r.signal).replace("_", " "), ratio=style.value(r.ratio, "ratio", digits=1)
            )
            for r in mine.itertuples()
        )
        about = mine.dropna(subset="product_id").sort_values("product_share")["product_id"].tail(1).tolist()
        words = {
            "level": term("level", warning["level"]),
            "day": style.date(warning["flagged_on"]),
            "ends": style.date(warning["ends"]),
            "signs": names,
            "product": about[0] if about else style.UNKNOWN,
        }
        if warning["open"]:
            text = _(
                "Level {level} since {day}, still on: {signs}, most of it about {product}. Start the response plan."
            )
            excess = judged[(judged["signal"] == "refunds") & (judged["day"] >= warning["flagged_on"])]
            more = float((excess["value"] - excess["expected"]).sum())
            stake = more * _mean_refund(returns) if returns is not None and more > 0 else None
            said.append(Finding("act", text.format(**words), stake, (figure,)))
        else:
            text = _(
                "Level {level} from {day} to {ends}: {signs}, most of it about {product}. "
                "Over; hold the review of it if none was held."
            )
            said.append(Finding("hold", text.format(**words), None, (figure,)))
    if today["level"] in ("green", "yellow") and not any(w["open"] for w in warned.to_dict("records")):
        text = _("No warning is open: the level on the last day is {level}.")
        said.append(Finding("hold", text.format(level=term("level", today["level"])), None, (figure,)))
    return said
