"""Pictures of channel tests: each channel beside its line, and the cycles as a board."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _, term
from ...missing import quietly
from .cycles import Rules


@quietly
def plot_lines(lines: pd.DataFrame) -> Axes | None:
    """ROAS of each channel with its interval, the mean of the others (ring) and the line (bar)."""
    rows = lines.dropna(subset="roas").sort_values("roas", ignore_index=True)
    if rows.empty:
        return None
    ax = style.axes(height=1.4 + 0.46 * len(rows))
    for y, row in enumerate(rows.itertuples()):
        passed = row.call in ("scale", "enter")
        color = style.GOOD if passed else style.NEUTRAL
        ax.plot([row.roas_low, row.roas_high], [y, y], color=color, linewidth=2, alpha=0.55)
        ax.plot(row.roas, y, "o", color=color, markersize=9, label=_("channel") if y == 0 else None)
        ax.plot(row.others, y, "o", mfc="white", mec=style.COMPARISON, markersize=7,
                label=_("mean of the others") if y == 0 else None)  # fmt: skip
        ax.plot(row.line, y, "|", color=style.BAD, markersize=18, markeredgewidth=2.4,
                label=_("line") if y == 0 else None)  # fmt: skip
        if row.chance == row.chance:
            text = _("{roas} · above the line with {chance}").format(
                roas=style.value(row.roas, "ratio"), chance=style.chance(row.chance)
            )
            end = np.nanmax([row.roas_high, row.line, row.roas])
            ax.annotate(text, (end, y), xytext=(10, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(range(len(rows)), [term("channel", str(c)) for c in rows["channel"]])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlim(0, 1.42 * np.nanmax(rows[["roas_high", "line", "roas"]].to_numpy(float)))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlabel(_("ROAS: net sales over spending, with the 95 % interval"))
    ax.legend(loc="lower right", ncols=3, bbox_to_anchor=(1, 1.0), borderaxespad=0.1)
    ax.set_title(_("Channels beside their lines"))
    return ax


@quietly
def plot_cycles(found: pd.DataFrame, *, last: int = 12) -> Axes | None:
    """A board of ROAS by channel and cycle: orange is below the exit limit, a frame says that the exit rule is met."""
    if found.empty:
        return None
    rules: Rules = found.attrs["rules"]
    shown = sorted(found["cycle"].unique())[-last:]
    rows = found[found["cycle"].isin(shown)]
    channels = rows.groupby("channel")["spend"].sum().sort_values().index.tolist()
    labels = rows.drop_duplicates("cycle").sort_values("cycle")["label"].tolist()
    ax = style.axes(height=1.3 + 0.42 * len(channels))
    for row in rows.itertuples():
        x, y = shown.index(row.cycle), channels.index(row.channel)
        out = row.streak >= rules.streak and row.below == 1
        color, alpha = {1.0: (style.BAD, 1.0), 0.0: (style.GOOD, 0.28)}.get(row.below, (style.GRID, 1.0))
        ax.bar(
            x, 0.86, 0.9, bottom=y - 0.43, color=color, alpha=alpha, edgecolor=style.INK, linewidth=2.2 if out else 0
        )  # fmt: skip
        text = style.value(row.roas, "ratio") if row.roas == row.roas else "–"
        ax.text(x, y, text, ha="center", va="center", fontsize=9, color="white" if row.below == 1 else style.INK)
    ax.set_xticks(range(len(shown)), labels)
    ax.set_yticks(range(len(channels)), [term("channel", c) for c in channels])
    ax.set_xlim(-0.55, len(shown) - 0.45)
    ax.set_ylim(-0.6, len(channels) - 0.4)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_title(_("ROAS by cycle: orange is below the exit limit, a frame says that the rule is met"))
    return ax


@quietly
def plot_timeline(rows: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """Sales that a test is to bring, sales below which it stops, and what it has cost, cycle by cycle."""
    if rows.empty:
        return None
    ax = style.axes(height=3.8)
    start = rows["ends"].iloc[0] - pd.Timedelta(days=rows.attrs["cycle_days"])
    days = [start, *rows["ends"]]
    ax.fill_between(days, [0, *rows["least"]], color=style.BAD, alpha=0.12, linewidth=0)
    for column, name, color in (
        ("expected", _("expected of an average channel"), style.GOOD),
        ("least", _("stop below this"), style.BAD),
        ("spend", _("spent"), style.NEUTRAL),
    ):
        ax.plot(days, [0, *rows[column]], color=color, marker="o", markersize=5)
        style.direct_label(ax, days[-1], rows[column].iloc[-1], name, color)
    style.date_axis(ax)
    style.money_axis(ax, currency)
    ax.set_ylim(bottom=0)
    ax.set_title(_("A small test, step by step: sales so far"))
    return ax
