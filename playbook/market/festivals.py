"""Festivals and seasons: what the year adds and takes, how sure that is, and what comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _, term
from ..methods import seasonality
from ..methods.seasonality import NAMES
from ..missing import Missing, answers, quietly

AHEAD_DAYS = 120
SOON_DAYS = 45


@answers("Which part of the days' sales is season?")
def seasons(daily: pd.DataFrame) -> pd.DataFrame:
    """Which part of a day's sales is trend, which the weekday, which the season of the year?

    Parameters
    ----------
    daily : DataFrame
        One metric by day over all days that there are: ``measure(shop, ["orders_paid"], by=["day"], period=…)``.

    Returns
    -------
    DataFrame
        day, value, trend (in the unit of the metric), week, year, rest (factors around 1). A Missing where the days are
        too few, or some sold nothing.

    References
    ----------
    `playbook.methods.seasonality.decompose`.
    """
    try:
        return seasonality.decompose(_series(daily)).rename_axis("day").reset_index()
    except ValueError as error:
        return Missing(_("more days with sales"), remedy=str(error))


@answers("What did each festival add?")
def effects(daily: pd.DataFrame, *, level: float = 0.9) -> pd.DataFrame:
    """What did each festival add, each time, and what was lacking before and after it?

    Parameters
    ----------
    daily : DataFrame
        As for `seasons`.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        As `playbook.methods.seasonality.festival_effects`. A Missing where the days are too few.
    """
    try:
        return seasonality.festival_effects(_series(daily), level=level)
    except ValueError as error:
        return Missing(_("a longer row of days"), remedy=str(error))


@answers("What does a festival add, and what is lacking around it?")
def uplifts(effects: pd.DataFrame, *, level: float = 0.9) -> pd.DataFrame:
    """What does each festival add on average, and what is lacking before and after it?

    Parameters
    ----------
    effects : DataFrame
        Of `effects`.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a festival and phase, the greatest uplift first: festival, phase, times (years seen), uplift (a
        fraction of
        ordinary sales), uplift_low, uplift_high (of the average; of the one time where there was only one), next_low,
        next_high (of the next time), clear (whether the interval leaves out 0).
    """
    pooled = seasonality.festival_uplift(effects, level=level)
    pooled = pooled.rename(columns={"mean_low": "uplift_low", "mean_high": "uplift_high"})
    pooled["festival"] = pooled["name"].map(NAMES)
    pooled["clear"] = (pooled["uplift_low"] > 0) | (pooled["uplift_high"] < 0)
    during = pooled[pooled["phase"] == "during"].set_index("festival")["uplift"]
    place = pooled["phase"].map({p: i for i, p in enumerate(seasonality.PHASES)})
    pooled = pooled.assign(_great=pooled["festival"].map(during).fillna(0.0), _place=place)
    keep = ["festival", "phase", "times", "uplift", "uplift_low", "uplift_high", "next_low", "next_high", "clear"]
    return pooled.sort_values(["_great", "festival", "_place"], ascending=[False, True, True])[keep].reset_index(
        drop=True
    )


@answers("Which festivals come next?")
def coming(uplifted: pd.DataFrame, as_of: dt.date, *, days: int = AHEAD_DAYS) -> pd.DataFrame:
    """Which festivals come next, and what did they bring so far?

    Parameters
    ----------
    uplifted : DataFrame
        Of `uplifts`.
    as_of : date
        Today.
    days : int
        How far to look.

    Returns
    -------
    DataFrame
        festival, begins, ends (of the festival itself), in_days (until it begins; 0: it has begun), uplift, uplift_low,
        uplift_high (expected this time), after (uplift of the days afterwards).
    """
    day = as_of.date() if isinstance(as_of, dt.datetime) else as_of
    table = seasonality.festivals(day - dt.timedelta(days=60), day + dt.timedelta(days=days + 60))
    own = (
        table[table["phase"] == "during"].groupby(["name", "year"], sort=False)["day"].agg(["min", "max"]).reset_index()
    )
    today = pd.Timestamp(day)
    own = own[(own["max"] >= today) & (own["min"] <= today + pd.Timedelta(days=days))]
    known = uplifted.set_index(["festival", "phase"])
    rows = []
    for f in own.sort_values("min").itertuples():
        name = NAMES[f.name]
        if (name, "during") not in known.index:
            continue
        during = known.loc[(name, "during")]
        after = known["uplift"].get((name, "after"), np.nan)
        ends = [during[n] if not np.isnan(during["next_low"]) else during[m] for n, m in
                (("next_low", "uplift_low"), ("next_high", "uplift_high"))]  # fmt: skip
        rows.append((name, f.min, f.max, max(0, (f.min - today).days), during["uplift"], *ends, after))
    columns = ["festival", "begins", "ends", "in_days", "uplift", "uplift_low", "uplift_high", "after"]
    return pd.DataFrame(rows, columns=columns)


@answers("Which festival is to be prepared for?")
def findings(uplifted: pd.DataFrame, soon: pd.DataFrame, sales: pd.DataFrame | None) -> list[Finding]:
    """Which festival is near, what will it bring, and what will be lacking afterwards?

    Parameters
    ----------
    uplifted, soon : DataFrame
        Of `uplifts` and `coming`.
    sales : DataFrame, optional
        ``measure(shop, ["net_sales"], by=["day"], …)``, for the stakes: its median is an ordinary day's.

    Returns
    -------
    list of Finding
        For each coming festival whose interval leaves out 0 a sentence: "act" within `SOON_DAYS`, else "watch"; and one
        on the deepest dip that follows a festival.
    """
    found: list[Finding] = []
    money = None if sales is None else float(sales["value"].median())
    for row in soon[(soon["uplift_low"] > 0) | (soon["uplift_high"] < 0)].to_dict("records"):
        verdict: Verdict = "act" if row["in_days"] <= SOON_DAYS else "watch"
        length = (row["ends"] - row["begins"]).days + 1
        stake = None if money is None else abs(row["uplift"]) * money * length
        words = {
            "festival": term("festival", row["festival"]),
            "first": style.date(row["begins"]),
            "last": style.date(row["ends"]),
            "uplift": style.change(row["uplift"], "count"),
            "between": style.interval(row["uplift_low"], row["uplift_high"], "share", digits=0),
        }
        text = (
            _(
                "{festival} ({first} to {last}): expect {uplift} orders a day against ordinary days "
                "({between}); stock and staff for it."
            )
            if row["uplift"] > 0
            else _(
                "{festival} ({first} to {last}): expect {uplift} orders a day against ordinary days "
                "({between}); plan fewer."
            )
        )
        figure = Figure(
            "festival_uplift",
            row["uplift"],
            "share",
            row["uplift_low"],
            row["uplift_high"],
            {"festival": row["festival"]},
        )
        found.append(Finding(verdict, text.format(**words), stake, (figure,)))
    dips = uplifted[(uplifted["phase"] == "after") & (uplifted["uplift_high"] < 0)]
    if len(dips):
        row = dips.loc[dips["uplift"].idxmin()]
        text = _(
            "After {festival} orders lay {dip} below ordinary days ({between}): part of its sales is only "
            "brought forward."
        )
        text = text.format(
            festival=term("festival", row["festival"]),
            dip=style.value(-row["uplift"], "share"),
            between=style.interval(-row["uplift_high"], -row["uplift_low"], "share"),
        )
        figure = Figure(
            "festival_dip", row["uplift"], "share", row["uplift_low"], row["uplift_high"], {"festival": row["festival"]}
        )
        found.append(Finding("watch", text, None, (figure,)))
    return found


def _series(daily: pd.DataFrame) -> pd.Series:
    return daily.set_index(pd.DatetimeIndex(daily["day"]))["value"].astype(float)


@quietly
def plot_uplifts(uplifted: pd.DataFrame) -> Axes:
    """For each festival the uplift of its days, of those before it and of those after it, with intervals."""
    names = list(dict.fromkeys(uplifted["festival"]))[::-1]
    ax = style.axes(height=1.6 + 0.46 * len(names))
    looks = {"before": (style.COMPARISON, 0.22, _("before")), "during": (style.OWN, 0.0, _("during")),
             "after": (style.BAD, -0.22, _("after"))}  # fmt: skip
    for phase, (colour, shift, word) in looks.items():
        rows = uplifted[uplifted["phase"] == phase]
        y = np.array([names.index(n) for n in rows["festival"]]) + shift
        ax.hlines(y, rows["uplift_low"], rows["uplift_high"], color=colour, linewidth=2.4 if phase == "during" else 1.6)
        ax.scatter(rows["uplift"], y, color=colour, s=46 if phase == "during" else 26, label=word, zorder=3)
    ax.set_yticks(range(len(names)), [term("festival", n) for n in names])
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.share_axis(ax, which="x")
    ax.set_xlabel(_("orders a day against ordinary days, average of the years"))
    ax.legend(loc="lower right")
    ax.set_title(_("What each festival adds, and what is lacking around it"))
    return ax


@quietly
def plot_seasons(parts: pd.DataFrame) -> Sequence[Axes]:
    """The days with their trend above; below what the months and the weekdays are worth."""
    import matplotlib.pyplot as plt

    _figure, grid = plt.subplot_mosaic([["days", "days"], ["year", "week"]], figsize=(9, 5.6))
    ax = grid["days"]
    ax.plot(parts["day"], parts["value"], color=style.COMPARISON, linewidth=0.8)
    ax.plot(parts["day"], parts["trend"], color=style.OWN, linewidth=2.4)
    style.direct_label(ax, parts["day"].iloc[-1], parts["trend"].iloc[-1], _("trend"), style.OWN)
    ax.set_ylim(bottom=0)
    style.count_axis(ax)
    style.date_axis(ax)
    ax.set_title(_("Orders a day, and their trend"))
    for name, at, labels in (
        ("year", parts["day"].dt.month, [str(m) for m in range(1, 13)]),
        ("week", parts["day"].dt.dayofweek + 1, _("Mon Tue Wed Thu Fri Sat Sun").split()),
    ):
        mean = np.exp(np.log(parts[name]).groupby(at).mean()).reindex(range(1, len(labels) + 1))
        ax = grid[name]
        ax.bar(mean.index, mean - 1, color=np.where(mean >= 1, style.OWN, style.COMPARISON), width=0.7)
        ax.axhline(0, color=style.NEUTRAL, linewidth=0.9)
        ax.set_xticks(range(1, len(labels) + 1), labels)
        style.share_axis(ax)
        ax.set_title(_("by month, against the average") if name == "year" else _("by weekday, against the average"))
    return list(grid.values())
