"""Pictures of the plan: who does what when, what runs when, how much a week, and what is ready."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ... import style
from ...language import _, term
from ...missing import quietly
from .coming import ALWAYS_DAYS, Campaign

DAY = pd.Timedelta(days=1)
SOFT_BLUE = style.CATEGORIES[4]
STATE_COLOURS = {"PASS": style.GOOD, "REVIEW": style.CATEGORIES[1], "FAIL": style.BAD}
LONGEST = 34
"""Letters of a name on an axis."""


def _bar(ax: Axes, y: float, first: pd.Timestamp, last: pd.Timestamp, **look: Any) -> None:
    """A bar over whole days, the last one within."""
    begins = dates.date2num(first)
    ax.barh(y, dates.date2num(last + DAY) - begins, left=begins, **look)


def _short(text: str) -> str:
    wide = LONGEST // 2 if style.is_cjk(text) else LONGEST
    return text if len(text) <= wide else f"{text[: wide - 1]}…"


def _today(ax: Axes, today: pd.Timestamp) -> None:
    ax.axvline(dates.date2num(today), color=style.INK, linewidth=1.1, linestyle="--")
    ax.annotate(_("today"), (dates.date2num(today), 1), xycoords=("data", "axes fraction"), xytext=(4, 3),
                textcoords="offset points", fontsize=9, color=style.SOFT_INK)  # fmt: skip


@quietly
def plot_tasks(planned: pd.DataFrame, campaign: Campaign, *, today: pd.Timestamp) -> Axes | None:
    """The campaign's tasks on its days: what hangs on what, what is critical, what is late and how far it slips."""
    mine = planned[(planned["campaign_id"] == campaign.campaign_id) & (planned["status"] != "dropped")]
    mine = mine.dropna(subset=["starts_on", "due_on"]).sort_values(["starts_on", "due_on", "task_id"])
    if mine.empty:
        return None
    today = pd.Timestamp(today)
    place = {t: len(mine) - 1 - i for i, t in enumerate(mine["task_id"])}
    ax = style.axes(height=1.7 + 0.36 * len(mine))
    ax.axvspan(
        dates.date2num(campaign.sells_from), dates.date2num(campaign.ends + DAY), color=style.CATEGORIES[1], alpha=0.13
    )
    rows = mine.set_index("task_id")
    for task, t in rows.iterrows():
        y, slips = place[task], t["status"] != "done" and t["slips_days"] > 0
        colour = _colour(t)
        _bar(ax, y, t["starts_on"], t["due_on"], height=0.56, color=colour, zorder=3)
        if t["critical"]:
            _bar(
                ax,
                y,
                t["starts_on"],
                t["due_on"],
                height=0.56,
                fill=False,
                edgecolor=style.INK,
                linewidth=1.6,
                zorder=4,
            )
        if slips:
            _bar(ax, y, t["due_on"] + DAY, t["ends_on"], height=0.3, color=style.BAD, alpha=0.45, hatch="////",
                 edgecolor="white", zorder=3)  # fmt: skip
        end = max(t["due_on"], t["ends_on"]) if slips else t["due_on"]
        mark = (
            _("{owner} — lacks: {lacks}").format(owner=t["owner"], lacks=term("lacks", t["lacks"]))
            if t["lacks"]
            else t["owner"]
        )
        ax.annotate(mark, (dates.date2num(end + DAY), y), xytext=(5, 0), textcoords="offset points", va="center",
                    fontsize=8.5, color=style.BAD if t["lacks"] else style.SOFT_INK, zorder=5,
                    bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.6, "linewidth": 0})  # fmt: skip
        for before in (b for b in t["after"].split() if b in place):
            _arrow(ax, rows.loc[before], place[before], t, y)
    _today(ax, today)
    titles = [_short(title.removeprefix(campaign.name).lstrip(" ·:：-") or title) for title in mine["title"]]
    ax.set_yticks([place[t] for t in mine["task_id"]], titles)
    ax.set_ylim(-0.7, len(mine) - 0.3)
    ax.set_xlim(
        dates.date2num(mine["starts_on"].min() - DAY), dates.date2num(mine[["due_on", "ends_on"]].max().max() + 9 * DAY)
    )
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.date_axis(ax)
    ax.margins(x=0)
    looks = [
        (style.COMPARISON, _("done")), (style.BAD, _("overdue")), (style.OWN, _("under way")),
        (SOFT_BLUE, _("to come")),
    ]  # fmt: skip
    handles = [Patch(facecolor=c, label=word) for c, word in looks]
    handles.append(Patch(facecolor="white", edgecolor=style.INK, linewidth=1.6, label=_("critical")))
    handles.append(Patch(facecolor=style.BAD, alpha=0.45, hatch="////", edgecolor="white", label=_("slips")))
    handles.append(Patch(facecolor=style.CATEGORIES[1], alpha=0.2, label=_("it sells")))
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.45, -0.06), ncols=7, fontsize=8.5,
              columnspacing=1.2, handlelength=1.4)  # fmt: skip
    ax.set_title(_("{campaign}: who does what by when").format(campaign=campaign.name), pad=22)
    return ax


def _colour(task: pd.Series) -> str:
    if task["status"] == "done":
        return style.COMPARISON
    if task["state"] == "overdue":
        return style.BAD
    return style.OWN if task["state"] == "under way" else SOFT_BLUE


def _arrow(ax: Axes, before: pd.Series, y0: float, after: pd.Series, y1: float) -> None:
    """A thin line from the end of a task to the start of the one that waits for it: down, then across."""
    x0, x1 = dates.date2num(before["due_on"] + DAY), dates.date2num(after["starts_on"])
    side = 0.28 if y0 > y1 else -0.28
    near = x1 - x0 < 1.5  # no room to go across
    ax.annotate(
        "", (x1 + 0.2, y1 + side) if near else (x1, y1), (x0 - 0.2 if near else x0 - 0.5, y0 - side), zorder=2,
        arrowprops={"arrowstyle": "-|>", "color": "#A9B2BD", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0,
                    "connectionstyle": "arc3" if near else "angle,angleA=90,angleB=0,rad=3", "mutation_scale": 7},
    )  # fmt: skip


@quietly
def plot_flights(flights: pd.DataFrame, clashing: pd.DataFrame) -> Axes | None:
    """What runs when, channel by channel; days on which something clashes are marked, festivals shaded."""
    mine = flights[(flights["ends"] - flights["begins"]).dt.days < ALWAYS_DAYS]
    mine = mine.sort_values(
        ["channel", "begins", "flight_id"], key=lambda s: s if s.name != "channel" else s.replace("", "~")
    )
    if mine.empty:
        return None
    today, last = flights.attrs["today"], flights.attrs["last"]
    ax = style.axes(height=1.6 + 0.27 * len(mine))
    place = {f: len(mine) - 1 - i for i, f in enumerate(mine["flight_id"])}
    for begins, ends in flights.attrs["sales"]:
        ax.axvspan(dates.date2num(begins), dates.date2num(ends + DAY), color=style.CATEGORIES[1], alpha=0.13)
    channels = [c for c in dict.fromkeys(mine["channel"])]
    for i, channel in enumerate(channels):
        colour = style.COMPARISON if not channel else style.CATEGORIES[i % (len(style.CATEGORIES) - 1)]
        for f in mine[mine["channel"] == channel].to_dict("records"):
            _bar(ax, place[f["flight_id"]], f["begins"], f["ends"], height=0.6, color=colour, alpha=0.75, zorder=3)
    for c in clashing.to_dict("records"):
        for flight in (n for n in (c["first"], c["second"]) if n in place):
            _bar(ax, place[flight], c["begins"], c["ends"], height=0.74, color=style.BAD, hatch="////",
                 edgecolor="white", zorder=4)  # fmt: skip
    _today(ax, today)
    names = []
    for f in mine.to_dict("records"):
        before = term("channel", f["channel"]) if f["channel"] else _("offer") if f["rule"] else _("campaign")
        names.append(_("{channel}: {name}").format(channel=before, name=_short(f["name"])))
    ax.set_yticks([place[f] for f in mine["flight_id"]], names, fontsize=8.5)
    ax.set_ylim(-0.7, len(mine) - 0.3)
    ax.set_xlim(dates.date2num(today - 2 * DAY), dates.date2num(last + DAY))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.date_axis(ax)
    ax.margins(x=0)
    handles = [Patch(facecolor=style.BAD, hatch="////", edgecolor="white", label=_("clashes")),
               Patch(facecolor=style.CATEGORIES[1], alpha=0.2, label=_("sale of the platforms"))]  # fmt: skip
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.4, -0.05), ncols=2, fontsize=8.5)
    ax.set_title(_("What runs when, and where it gets in another's way"), pad=22)
    return ax


def _money(money: float, currency: str) -> str:
    """Money in a narrow cell: without cents."""
    if money < 10_000:
        return style.value(money, "currency", currency=currency, digits=0)
    return style.short(money, "currency", currency=currency)


@quietly
def plot_by_week(weeks: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """A heatmap of weeks and channels: the darker, the more money; an empty cell is a week without any."""
    if weeks.empty:
        return None
    grid = weeks.assign(budget=weeks["budget"].astype(float)).pivot(index="channel", columns="week", values="budget")
    grid = grid.loc[grid.sum(axis=1).sort_values(ascending=False).index]
    ax = style.axes(height=1.4 + 0.42 * (len(grid) + 1))
    top = max(float(grid.to_numpy().max()), 1.0)
    ax.imshow(np.where(grid > 0, grid, np.nan), cmap="Blues", aspect="auto", vmin=0, vmax=top * 1.3)
    for y, x in np.ndindex(grid.shape):
        money = float(grid.iat[y, x])
        if money > 0:
            ax.text(x, y, _money(money, currency), ha="center", va="center", fontsize=8.5,
                    color="white" if money > 0.75 * top else style.INK)  # fmt: skip
    for x, money in enumerate(grid.sum()):
        ax.text(x, len(grid), _money(money, currency), ha="center", va="center",
                fontsize=8.5, fontweight="bold")  # fmt: skip
    names = [term("channel", str(c)) if c else _("no channel named") for c in grid.index]
    ax.set_yticks(range(len(grid) + 1), [*names, _("all")])
    ax.set_ylim(len(grid) + 0.5, -0.5)
    ax.set_xticks(range(grid.shape[1]), [_("{day} {month}").format(**style.parts(w)) for w in grid.columns])
    ax.tick_params(axis="x", labelsize=9)
    ax.grid(visible=False)
    ax.set_title(_("Budget of the campaigns by week (from its Monday) and channel"))
    return ax


@quietly
def plot_checks(checked: pd.DataFrame, campaign: Campaign) -> Axes:
    """The checks as a row of lights, each with its word."""
    ax = style.axes(height=1.9)
    for x, row in enumerate(checked.to_dict("records")):
        ax.scatter(x, 0, s=1500, color=STATE_COLOURS[row["state"]], zorder=3)
        sign = {"PASS": "✓", "REVIEW": "?", "FAIL": "✗"}[row["state"]]
        ax.text(
            x, 0, sign, ha="center", va="center", fontsize=17, color="white", fontweight="bold", family="DejaVu Sans"
        )
        ax.text(x, -0.62, term("check", row["check"]), ha="center", va="center", fontsize=10.5, fontweight="bold")
        ax.text(
            x,
            -0.92,
            term("state", row["state"]),
            ha="center",
            va="center",
            fontsize=9,
            color=STATE_COLOURS[row["state"]],
        )
    ax.set_xlim(-0.6, len(checked) - 0.4)
    ax.set_ylim(-1.1, 0.55)
    ax.set_axis_off()
    title = {"PASS": _("{campaign}: go"), "REVIEW": _("{campaign}: go with conditions"), "FAIL": _("{campaign}: no go")}
    ax.set_title(title[checked.attrs["verdict"]].format(campaign=campaign.name))
    return ax
