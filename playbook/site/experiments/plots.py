"""Pictures of experiments: what each arm did, whether it lasts, and the chance of seeing the next one's effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _
from ...missing import quietly


@quietly
def plot_effects(found: pd.DataFrame) -> Axes | None:
    """The difference that each arm made, with its interval: right of the line is better; nothing without rows."""
    rows = found.dropna(subset="effect")[::-1].reset_index(drop=True)
    if rows.empty:
        return None
    ax = style.axes(height=1.3 + 0.55 * len(rows))
    for y, row in enumerate(rows.itertuples()):
        color = style.GOOD if row.effect_low > 0 else style.BAD if row.effect_high < 0 else style.NEUTRAL
        ax.plot([row.effect_low, row.effect_high], [y, y], color=color, linewidth=2.6, alpha=0.6)
        ax.plot(row.effect, y, "o", color=color, markersize=9)
        text = _("{value} against {control}").format(
            value=style.value(row.value, "share"), control=style.value(row.control, "share")
        )
        ax.annotate(text, (row.effect_high, y), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9.5)
    _arms(ax, rows, margin=0.28)
    ax.set_xlabel(_("difference in conversion from the control, percentage points, with the interval"))
    ax.set_title(_("What each arm did"))
    return ax


@quietly
def plot_lasting(found: pd.DataFrame) -> Axes | None:
    """The effect of the first days (ring) and of those afterwards (dot), with intervals; nothing without rows."""
    rows = found.dropna(subset="early_effect")[::-1].reset_index(drop=True)
    if rows.empty:
        return None
    ax = style.axes(height=1.4 + 0.66 * len(rows))
    for y, row in enumerate(rows.itertuples()):
        color = style.BAD if row.lasts == "wears_off" else style.NEUTRAL
        for away, low, high, effect, fill, name in (
            (0.14, row.early_effect_low, row.early_effect_high, row.early_effect, "white", _("first days")),
            (-0.14, row.late_effect_low, row.late_effect_high, row.late_effect, color, _("afterwards")),
        ):
            ax.plot([low, high], [y + away] * 2, color=color, linewidth=2, alpha=0.6)
            ax.plot(effect, y + away, "o", mfc=fill, mec=color, markersize=8, label=name if y == 0 else None)
        if row.lasts == "wears_off":
            end = max(row.early_effect_high, row.late_effect_high)
            style.direct_label(ax, end, y, _("wears off"), color)
    _arms(ax, rows, margin=0.12)
    ax.legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1.0), borderaxespad=0.1)
    ax.set_xlabel(_("difference from the control, percentage points, with the interval"))
    ax.set_title(_("Does the effect last?"))
    return ax


@quietly
def plot_power(found: pd.DataFrame) -> Axes | None:
    """The chance of seeing effects of several sizes, by the weeks that the experiment runs; nothing without rows."""
    if found.empty:
        return None
    ax = style.axes(height=3.6)
    place = 1.1
    for i, (lift, mine) in enumerate(sorted(found.groupby("lift"), reverse=True)):
        color = style.CATEGORIES[i % len(style.CATEGORIES)]
        ax.plot(mine["weeks"], mine["power"], color=color, linewidth=2.2, marker="o", markersize=4)
        last = mine.iloc[-1]
        place = min(last["power"], place - 0.09)  # no label on another
        text = _("{lift} more").format(lift=style.value(lift, "share", digits=0))
        style.direct_label(ax, last["weeks"], place, text, color)
    ax.axhline(0.8, color=style.COMPARISON, linewidth=1, linestyle="--")
    ax.set_xticks(sorted(found["weeks"].unique()))
    ax.set_ylim(0, 1.05)
    ax.margins(x=0.12)
    style.share_axis(ax)
    ax.set_xlabel(_("weeks"))
    ax.set_title(_("Chance of seeing an effect, by its size and the weeks it runs"))
    return ax


def _arms(ax: Axes, rows: pd.DataFrame, *, margin: float) -> None:
    """An arm a line, and across them the difference from the control."""
    ax.axvline(0, color=style.INK, linewidth=1)
    ax.set_yticks(range(len(rows)), [f"{r.experiment}\n{r.arm}" for r in rows.itertuples()])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.margins(x=margin)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.xaxis.set_major_formatter(_points)


def _points(x: float, _place: float) -> str:
    """A difference of shares in percentage points."""
    points = float(np.round(100 * x, 6))
    return f"{points:+g}" if points else "0"
