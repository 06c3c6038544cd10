"""Pictures of the funnel: each draws what a function of the same package returned."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _, humanise, term
from ...missing import quietly
from .breaks import EVERYWHERE
from .steps import step_name


@quietly
def plot_steps(steps: pd.DataFrame) -> Axes:
    """The steps as bars, each with its number and what part of the step before it is."""
    rows = steps[::-1].reset_index(drop=True)
    ax = style.axes(height=0.9 + 0.5 * len(rows))
    ax.barh([step_name(s) for s in rows.step], rows.n, color=style.OWN, height=0.66)
    for y, row in enumerate(rows.itertuples()):
        text = style.short(row.n, "count")
        if y < len(rows) - 1:
            text = _("{n}  ({rate} of the step before)").format(n=text, rate=style.value(row.step_rate, "share"))
        ax.annotate(text, (row.n, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=10)
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.3)
    style.count_axis(ax, which="x")
    ax.set_title(_("How many visitors reach each step"))
    return ax


@quietly
def plot_parts(parts: pd.DataFrame, *, top: int = 5) -> Axes | None:
    """The step rates of the largest parts side by side; nothing where there is one part."""
    by = parts.attrs["by"][0]
    names = list(dict.fromkeys(parts[by]))[:top]
    if len(names) < 2:
        return None
    steps = [s for s in dict.fromkeys(parts.step)][1:]
    ax = style.axes(height=4.0)
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        mine = parts[parts[by] == name].set_index("step").loc[steps]
        x = np.arange(len(steps)) + (i - (len(names) - 1) / 2) * width
        label = term(by, str(name)) or _("not stated")
        ax.bar(x, mine.step_rate, width * 0.92, color=style.CATEGORIES[i], label=label)
        ax.errorbar(
            x, mine.step_rate, [mine.step_rate - mine.step_rate_low, mine.step_rate_high - mine.step_rate],
            fmt="none", ecolor=style.INK, elinewidth=1, capsize=2,
        )  # fmt: skip
    ax.set_xticks(np.arange(len(steps)), [step_name(s) for s in steps])
    style.share_axis(ax)
    ax.set_ylim(0, 1.12)
    ax.legend(ncols=len(names), loc="upper left")
    ax.set_title(_("Part of the step before, by {part}").format(part=humanise(by, inside=True)))
    return ax


@quietly
def plot_minutes(steps: pd.DataFrame) -> Axes | None:
    """How long people take from step to step: the middle half and the median, minutes on a log scale."""
    rows = steps.dropna(subset="minutes")[::-1].reset_index(drop=True)
    if rows.empty:
        return None
    ax = style.axes(height=0.9 + 0.5 * len(rows))
    least = 1 / 60  # a second: a log axis knows no 0
    for y, row in enumerate(rows.itertuples()):
        ax.plot(np.clip([row.minutes_low, row.minutes_high], least, None), [y, y], color=style.COMPARISON, linewidth=7)
        ax.plot(max(row.minutes, least), y, "o", color=style.OWN, markersize=9)
        text = _("{minutes} minutes").format(minutes=style.value(row.minutes, "ratio"))
        ax.annotate(text, (max(row.minutes_high, least), y), xytext=(8, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(rows)), [step_name(s) for s in rows.step])
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda x, _place: f"{x:g}")
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.margins(x=0.18)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(_("minutes since the step before: median and middle half"))
    ax.set_title(_("How long a step takes"))
    return ax


@quietly
def plot_break(found: pd.DataFrame, daily: pd.DataFrame) -> Axes | None:
    """The surest break: the rate of the step week by week, in the part and elsewhere, and the day it broke."""
    if found.empty:
        return None
    b = found.iloc[0]
    of_step = daily[daily.step == b.step]
    here = of_step if b.part == EVERYWHERE else of_step[of_step.part == b.part]
    ax = style.axes(height=3.8)
    lines = [(here, style.OWN, term(found.attrs["by"], b.part) if b.part else _("everywhere"))]
    if b.part != EVERYWHERE:
        lines.insert(0, (of_step[of_step.part != b.part], style.COMPARISON, _("elsewhere")))
    for rows, colour, label in lines:
        week = rows.groupby(pd.Grouper(key="day", freq="W-SUN"))[["tried", "done"]].sum()
        share = week.done / week.tried.where(week.tried > 0)
        ax.plot(share.index, share, color=colour)
        if share.notna().any():
            style.direct_label(ax, share.index[-1], share.dropna().iloc[-1], label, colour)
    ax.axvline(b.since, color=style.BAD, linewidth=1.4, linestyle="--")
    ax.annotate(
        style.date(b.since), (b.since, 1), xycoords=("data", "axes fraction"), xytext=(-5, -4), ha="right", va="top",
        textcoords="offset points", color=style.BAD, fontsize=10,
    )  # fmt: skip
    style.share_axis(ax)
    style.date_axis(ax)
    ax.set_ylim(bottom=0)
    ax.set_title(_("{step}: part of those at the step before, by week").format(step=step_name(b.step)))
    return ax


@quietly
def plot_priorities(stages: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """What a percentage point is worth at each stage, and what the distance to a good month costs."""
    rows = stages[stages.per_point.notna()][::-1].reset_index(drop=True)
    if rows.empty:
        return None
    ax = style.axes(height=1.3 + 0.75 * len(rows))
    y = np.arange(len(rows))
    for shift, column, colour, label in (
        (0.19, "per_point", style.OWN, _("one point more")),
        (-0.19, "stake", style.CATEGORIES[1], _("distance to a good month")),
    ):
        ax.barh(y + shift, rows[column].fillna(0), 0.36, color=colour, label=label)
        for at, x in zip(y + shift, rows[column], strict=True):
            said = style.short(x, "currency", currency=currency) if x == x else style.UNKNOWN
            ax.annotate(said, (0 if x != x else x, at), xytext=(5, 0), textcoords="offset points", va="center")
    ax.set_yticks(y, [term("stage", s) for s in rows.stage])
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.15)
    style.money_axis(ax, currency, which="x")
    ax.legend(loc="lower right")
    ax.set_title(_("What a stage is worth in the period"))
    return ax


@quietly
def plot_abandonment(carts: pd.DataFrame) -> Axes | None:
    """Carts left behind, by each cut, with intervals; the line is all carts."""
    rows = carts[~carts.cut.isin(["all", "furthest step"])][::-1].reset_index(drop=True)
    if rows.empty:
        return None
    ax = style.axes(height=1.0 + 0.42 * len(rows))
    for y, row in enumerate(rows.itertuples()):
        ax.plot([row.abandonment_low, row.abandonment_high], [y, y], color=style.COMPARISON, linewidth=5)
        ax.plot(row.abandonment, y, "o", color=style.OWN, markersize=8)
        text = style.value(row.abandonment, "share")
        ax.annotate(text, (row.abandonment_high, y), xytext=(8, 0), textcoords="offset points", va="center")
    ax.axvline(carts[carts.cut == "all"].abandonment.iloc[0], color=style.NEUTRAL, linewidth=1.2, linestyle="--")
    ax.set_yticks(range(len(rows)), [term(r.cut, r.part) or _("not stated") for r in rows.itertuples()])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.margins(x=0.15)
    ax.grid(axis="y", visible=False)
    style.share_axis(ax, which="x")
    ax.set_title(_("Carts that are left behind; the line is all of them"))
    return ax


@quietly
def plot_platforms(parts: pd.DataFrame) -> Axes | None:
    """The rates of each platform's steps, with intervals."""
    by = parts.attrs["by"][-1]
    rows = parts[parts.step != "visitors"][::-1].reset_index(drop=True)
    if rows.empty or rows.step_rate.isna().all():
        return None
    ax = style.axes(height=1.1 + 0.42 * len(rows))
    colours = {"carts": style.CATEGORIES[1], "buyers": style.OWN}
    labels = [f"{term(by, r[by])}: {step_name(r['step'])}" for r in rows.to_dict("records")]
    ax.barh(range(len(rows)), rows.step_rate.fillna(0), 0.62, color=[colours[s] for s in rows.step])
    for y, x in enumerate(rows.step_rate):
        ax.annotate(
            style.value(x, "share"), (0 if x != x else x, y), xytext=(5, 0), textcoords="offset points", va="center"
        )
    ax.set_yticks(range(len(rows)), labels)
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.12)
    style.share_axis(ax, which="x")
    ax.set_title(_("Part of the step before, by platform"))
    return ax
