"""Alerts as people read them: a table, a calendar, the worst of them drawn, and what follows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import _, term
from ...methods import alerts
from ...missing import answers, quietly
from ...outlook import Decision
from ...period import Period
from .kpis import KPIS, Kpi, named
from .series import SHOWN

COLOURS = {"no_history": style.GRID, "excused": style.GRID, "usual": "#BFE3D6", "yellow": "#F2D16B",
           "orange": "#E6930C", "red": "#C8501E"}  # fmt: skip
BAND = 1.2816  # standard deviations of an 80 % interval
MONEY = ("orders_paid", "paid_sales")


@answers("Which alerts are news?")
def news(found: pd.DataFrame, period: Period, *, looks_back: int = 0) -> pd.DataFrame:
    """Which alerts touch the period, or the days before it that are still news?

    Parameters
    ----------
    found : DataFrame
        Of `episodes`.
    period : Period
    looks_back : int
        Days before it.
    """
    first = pd.Timestamp(period.start - dt.timedelta(days=looks_back))
    out = found[(found["ends"] >= first) & (found["flagged_on"] < pd.Timestamp(period.end))].reset_index(drop=True)
    if out.empty:
        out.attrs["notes"] = [_("No figure on the list was out of the usual in these days.")]
    return out


@answers("Which alerts are there, and whose are they?")
def in_words(found: pd.DataFrame, *, currency: str = "CNY") -> pd.DataFrame:
    """The alerts as a table: severity, figure, what_happened, since, days, still_on, owner, hours."""
    rows = []
    for r in found.to_dict("records"):
        rows.append(
            {
                "severity": r["level"], "figure": named(r["kpi"], r["part"]), "what_happened": _said(r, currency),
                "since": r["begins"], "days": r["days"], "still_on": bool(r["open"]), "owner": r["owner"],
                "hours": r["hours"],
            }
        )  # fmt: skip
    columns = ["severity", "figure", "what_happened", "since", "days", "still_on", "owner", "hours"]
    out = pd.DataFrame(rows, columns=columns)
    out.attrs["notes"] = found.attrs.get("notes", [])
    return out


def _said(r: dict[str, Any], currency: str) -> str:
    unit = KPIS[r["kpi"]].unit
    value, expected = (style.value(r[c], unit, currency=currency) for c in ("value", "expected"))
    if KPIS[r["kpi"]].kind == "rule":
        return _("{value}, where the limit is {limit}.").format(value=value, limit=expected)
    if math.isnan(r["ratio"]) or r["expected"] <= 0:
        return _("{value}, where nothing was expected.").format(value=value)
    if r["ratio"] >= 2:
        times = style.value(r["ratio"], "ratio")
        return _("{value}, {times} times the {expected} expected.").format(value=value, times=times, expected=expected)
    change = style.change(r["ratio"] - 1, "count")
    return _("{value}, {change} against the {expected} expected.").format(value=value, change=change, expected=expected)


@answers("What deserves attention today?")
def findings(found: pd.DataFrame, period: Period, *, currency: str = "CNY", most: int = 6) -> list[Finding]:
    """What of the alerts deserves attention?

    Parameters
    ----------
    found : DataFrame
        Of `news`: the worst first.
    period : Period
    currency : str
    most : int
        Sentences; the rest is counted in one.

    Returns
    -------
    list of Finding
        "act" where an alert is orange or red, still on, and not older than four weeks or the period, "watch" otherwise;
        a "hold" where there is none. Stake: what is lacking of the sales; p: of the test, held against the days looked
        at.
    """
    if found.empty:
        text = _("No figure on the list was out of the usual in {period}.").format(period=style.period(period))
        return [Finding("hold", text, None, (Figure("alerts", 0, "count"),))]
    out = []
    for r in found.head(most).to_dict("records"):
        fresh = (pd.Timestamp(period.end) - r["flagged_on"]).days <= max(period.days, alerts.ADOPTED)
        verdict: Verdict = "act" if r["open"] and fresh and r["level"] != "yellow" else "watch"
        still = _("{figure}: {what} Since {day}, still on; {owner} answers within {hours} hours.")
        over = _("{figure}: {what} From {day} on, {days} days; it is over. {owner} says what it was.")
        text = (still if r["open"] else over).format(
            figure=named(r["kpi"], r["part"]), what=_said(r, currency), day=style.date(r["begins"]),
            days=style.value(r["days"], "count"), owner=r["owner"], hours=style.value(r["hours"], "count"),
        )  # fmt: skip
        stake = abs(r["excess"]) if r["kpi"] == "paid_sales" and r["direction"] == "down" else None
        by = {"kpi": r["kpi"], "part": r["part"], "since": str(r["begins"].date())}
        figure = Figure("alert.value", r["value"], KPIS[r["kpi"]].unit, by=by)
        out.append(Finding(verdict, text, stake, (figure,), p=None if math.isnan(r["p"]) else r["p"]))
    rest = len(found) - most
    if rest > 0:
        text = _("{n} more alerts are in the table.").format(n=style.value(rest, "count"))
        out.append(Finding("watch", text, None, (Figure("alerts", len(found), "count"),)))
    return out


def decisions(found: pd.DataFrame, days: pd.DataFrame, period: Period, *, currency: str = "CNY") -> list[Decision]:
    """What is to be mended: falls of orders or sales that are still on, and what the next period gains by it.

    The effect is what a day lacks on the days of the alert, for each day of a next period as long; its interval is that
    of the baseline. Nothing is decided on figures whose money cannot be told.

    Parameters
    ----------
    found : DataFrame
        Of `news`.
    days : DataFrame
        Of `judged`.
    period : Period
    """
    out, coming = [], period.following
    falls = found[found["kpi"].isin(MONEY) & (found["direction"] == "down") & found["open"]] if len(found) else found
    for r in falls.to_dict("records"):
        mine = (
            days[(days["kpi"] == r["kpi"]) & (days["part"] == r["part"])].set_index("day").loc[r["begins"] : r["ends"]]
        )
        mine = mine.dropna(subset="expected")
        if mine.empty:
            continue
        lacking = (mine["expected"] - mine["value"]).mean() * coming.days
        spread = float(((mine["high"] - mine["low"]) / 3.92 / math.sqrt(len(mine))).mean()) * coming.days * BAND
        unit = KPIS[r["kpi"]].unit
        text = _("Find what holds back “{figure}” since {day}, and undo it.").format(
            figure=named(r["kpi"], r["part"]), day=style.date(r["begins"])
        )
        due = period.end + dt.timedelta(days=max(1, math.ceil(r["hours"] / 24)))
        by = {"platform": r["part"]} if r["part"] else {}
        out.append(
            Decision(f"mend_{r['kpi']}", text, r["owner"], due, r["kpi"], coming.label, lacking, lacking - spread,
                     lacking + spread, unit, by=by)
        )  # fmt: skip
    return out


@quietly
def plot_calendar(days: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """Which figure was out of the usual on which day, the worst of its parts: green usual, yellow, orange, red."""
    from matplotlib.colors import ListedColormap

    last = days["day"].max()
    shown = days[days["day"] > last - pd.Timedelta(days=SHOWN)]
    rank = shown["state"].map(alerts.STATES.index)
    grid = shown.assign(rank=rank).pivot_table(index="kpi", columns="day", values="rank", aggfunc="max")
    grid = grid.reindex([k for k in KPIS if k in grid.index])
    ax = style.axes(height=0.9 + 0.27 * len(grid))
    edges = [*grid.columns, last + pd.Timedelta(days=1)]
    colours = ListedColormap([COLOURS[s] for s in alerts.STATES])
    ax.pcolormesh(
        edges, np.arange(len(grid) + 1), grid.to_numpy(float), cmap=colours, vmin=-0.5, vmax=len(alerts.STATES) - 0.5,
        edgecolors="white", linewidth=0.6,
    )  # fmt: skip
    ax.set_yticks(np.arange(len(grid)) + 0.5, [_(KPIS[str(k)].title) for k in grid.index], fontsize=9)
    ax.invert_yaxis()
    ax.grid(False)
    style.date_axis(ax)
    said = {"usual": _("usual"), "no_history": _("not judged")}
    for i, level in enumerate(("usual", "yellow", "orange", "red", "no_history")):
        ax.annotate(
            said.get(level) or term("level", level), (0.36 + 0.13 * i, 1.02), xycoords="axes fraction", fontsize=9,
            color=style.INK, va="bottom",
            bbox={"facecolor": COLOURS[level], "edgecolor": "none", "boxstyle": "round,pad=0.25", "alpha": 0.85},
        )  # fmt: skip
    ax.set_title(_("Figures out of the usual"))
    return ax


@quietly
def plot_alerts(
    found: pd.DataFrame, days: pd.DataFrame, *, currency: str = "CNY", most: int = 4
) -> Sequence[Axes] | None:
    """The worst alerts, day by day: what was, what was expected, and where most ordinary days lie."""
    drawn = found[[KPIS[k].kind != "rule" for k in found["kpi"]]].drop_duplicates(["kpi", "part"]).head(most)
    if drawn.empty:
        return None
    import matplotlib.pyplot as plt

    rows = math.ceil(len(drawn) / 2)
    _figure, grid = plt.subplots(rows, 2, figsize=(9, 2.6 * rows), squeeze=False)
    for ax in grid.ravel()[len(drawn) :]:
        ax.axis("off")
    for ax, r in zip(grid.ravel(), drawn.to_dict("records"), strict=False):
        mine = days[(days["kpi"] == r["kpi"]) & (days["part"] == r["part"])].set_index("day")
        plot_one(mine[mine.index > mine.index[-1] - pd.Timedelta(days=SHOWN)], KPIS[r["kpi"]], ax=ax, currency=currency)
        ax.set_title(named(r["kpi"], r["part"]), fontsize=10.5)
    return list(grid.ravel())


def plot_one(mine: pd.DataFrame, kpi: Kpi, *, ax: Axes | None = None, currency: str = "CNY") -> Axes:
    """One figure: the days as they were, what was expected, and the flagged days with their level's colour.

    Parameters
    ----------
    mine : DataFrame
        By day: of `playbook.methods.alerts.judge`.
    kpi : Kpi
        A rate is drawn per thing.
    """
    ax = style.axes(height=3.2) if ax is None else ax
    per = mine["exposure"].where(mine["exposure"] > 0) if kpi.rate else 1.0
    value, expected, low, high = (mine[c] / per for c in ("value", "expected", "low", "high"))
    ax.fill_between(mine.index, low, high, color=style.COMPARISON, alpha=0.25, linewidth=0)
    ax.plot(mine.index, expected, color=style.COMPARISON, linewidth=1.4)
    ax.plot(mine.index, value, color=style.OWN, linewidth=1.8)
    for level in alerts.LEVELS:
        at = mine.index[mine["state"] == level]
        ax.plot(at, value[at], "o", color=COLOURS[level], markersize=6, markeredgecolor="white")
    if kpi.unit == "currency":
        style.money_axis(ax, currency)
    elif kpi.unit == "share":
        style.share_axis(ax)
    else:
        style.count_axis(ax)
    ax.set_ylim(bottom=0)
    style.date_axis(ax)
    return ax
