"""Pictures of retention: each draws what a function of the wing returned."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import _, term
from ...missing import quietly

COLOURS = {
    "active": style.CATEGORIES[2], "short": style.CATEGORIES[4], "mid": style.CATEGORIES[1],
    "long": style.CATEGORIES[6],
}  # fmt: skip
"""Of the windows of churn, in every picture the same."""


@quietly
def plot_cohorts(cohorts: pd.DataFrame, *, what: str = "share", last: int = 12, currency: str = "CNY") -> Axes | None:
    """The last cohorts as a heat map: months after the first order across, cohorts down; open months in italics.

    Parameters
    ----------
    cohorts : DataFrame
        From `cohorts`.
    what : {"share", "customers", "sales"}
        What the cells say.
    last : int, default 12
        Cohorts and months shown.
    currency : str
        Of sales.
    """
    keep = sorted(cohorts.cohort.unique())[-(last + 1) :]
    rows = cohorts[cohorts.cohort.isin(keep) & (cohorts.offset <= last) & (cohorts.offset > 0)]
    if rows.empty:
        return None
    wide = rows.pivot(index="cohort", columns="offset", values=what)
    ax = style.axes(height=1.4 + 0.36 * len(wide))
    ax.imshow(np.ma.masked_invalid(wide.to_numpy(dtype=float)), cmap="Blues", aspect="auto", vmin=0, alpha=0.85)
    unit = {"share": "share", "sales": "currency"}.get(what, "count")
    top = np.nanmax(wide.to_numpy(dtype=float))
    for row in rows.to_dict("records"):
        x, y = list(wide.columns).index(row["offset"]), list(wide.index).index(row["cohort"])
        text = style.short(row[what], unit, currency=currency) if unit != "share" else f"{100 * row[what]:.0f}%"
        ax.annotate(
            text, (x, y), ha="center", va="center", fontsize=8.5,
            color="white" if row[what] > 0.6 * top else style.INK,
            style="normal" if row["complete"] else "italic",
        )  # fmt: skip
    sizes = rows.drop_duplicates("cohort").set_index("cohort")["size"]
    labels = [
        _("{month}: {n}").format(month=f"{pd.Timestamp(c):%Y-%m}", n=style.value(sizes[c], "count")) for c in wide.index
    ]
    ax.set_yticks(range(len(wide)), labels)
    ax.set_xticks(range(len(wide.columns)), [str(c) for c in wide.columns])
    ax.grid(visible=False)
    ax.set_xlabel(_("months after the first order (italics: the month is not over)"))
    title = {
        "share": _("Who of a month's new customers buys again, by month"),
        "customers": _("How many of a month's new customers buy again, by month"),
        "sales": _("What a month's new customers spend, by month"),
    }[what]
    ax.set_title(title)
    return ax


@quietly
def plot_curve(curve: pd.DataFrame) -> Axes | None:
    """The part that is there after so many months, all cohorts together, with its interval."""
    rows = curve[curve.offset > 0]
    if rows.empty:
        return None
    ax = style.axes(height=3.2)
    ax.fill_between(rows.offset, rows.share_low, rows.share_high, color=style.OWN, alpha=0.18, linewidth=0)
    ax.plot(rows.offset, rows.share, color=style.OWN, marker="o")
    for i in (0, len(rows) - 1):
        row = rows.iloc[i]
        ax.annotate(
            style.value(row.share, "share"), (row.offset, row.share), xytext=(0, 9), textcoords="offset points",
            ha="center", color=style.OWN, fontsize=10,
        )  # fmt: skip
    style.share_axis(ax)
    ax.set_ylim(0, rows.share_high.max() * 1.25)
    ax.set_xticks(rows.offset)
    ax.set_xlabel(_("months after the first order"))
    ax.set_title(_("Part of new customers who buy in a later month"))
    return ax


@quietly
def plot_hazard(hazard: pd.DataFrame) -> Axes | None:
    """On which day people buy again, of those who have not yet; the first week and the first month marked."""
    rows = hazard.dropna(subset="smoothed")
    if rows.empty or not rows.again.sum():
        return None
    ax = style.axes(height=3.6)
    ax.bar(rows.day, rows.hazard, width=1.0, color=style.COMPARISON, alpha=0.5)
    ax.plot(rows.day, rows.smoothed, color=style.OWN)
    for day, height in ((7, 0.97), (30, 0.87)):
        if day <= rows.day.max():
            ax.axvline(day, color=style.NEUTRAL, linewidth=1, linestyle="--")
            said = _("day {day}: {share} are back").format(
                day=day, share=style.value(rows.set_index("day").returned[day], "share")
            )
            ax.annotate(
                said, (day, height), xycoords=("data", "axes fraction"), xytext=(5, 0), textcoords="offset points",
                va="top", fontsize=9.5, color=style.NEUTRAL,
            )  # fmt: skip
    style.share_axis(ax)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(_("days since the last purchase"))
    ax.set_title(_("Chance to buy again on a day, of those who have not yet"))
    return ax


@quietly
def plot_matrix(matrix: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """Value by window: customers in each cell, and what they spent in the last year."""
    values, windows = list(dict.fromkeys(matrix.value)), list(dict.fromkeys(matrix.window))
    n = matrix.pivot(index="value", columns="window", values="customers").loc[values, windows]
    money = matrix.pivot(index="value", columns="window", values="sales_year").loc[values, windows]
    ax = style.axes(height=3.3)
    ax.imshow(money.to_numpy(dtype=float), cmap="Oranges", aspect="auto", vmin=0, alpha=0.75)
    top = money.to_numpy().max()
    for y, value in enumerate(values):
        for x, window in enumerate(windows):
            dark = top > 0 and money.loc[value, window] > 0.6 * top
            text = "\n".join([
                style.value(int(n.loc[value, window]), "count"),
                style.short(money.loc[value, window], "currency", currency=currency),
            ])  # fmt: skip
            ax.annotate(text, (x, y), ha="center", va="center", color="white" if dark else style.INK, fontsize=10.5)
    ax.set_xticks(range(len(windows)), [term("window", w) for w in windows])
    ax.set_yticks(range(len(values)), [term("value", v) for v in values])
    ax.grid(visible=False)
    ax.set_title(_("Customers by value and time away; below, what they spent in a year"))
    return ax


@quietly
def plot_trend(trend: pd.DataFrame) -> Axes | None:
    """How many customers were in each window, month by month; those long away are left out of the picture."""
    rows = trend[trend.window != "long"]
    if rows.empty or rows.moment.nunique() < 2:
        return None
    ax = style.axes(height=3.4)
    for window, mine in rows.groupby("window", sort=False):
        colour = COLOURS[str(window)]
        ax.plot(mine.moment, mine.customers, color=colour, marker="o", markersize=4)
        style.direct_label(ax, mine.moment.iloc[-1], mine.customers.iloc[-1], term("window", str(window)), colour)
    style.count_axis(ax)
    style.date_axis(ax)
    ax.set_ylim(bottom=0)
    ax.set_title(_("Customers active, and away for a short and a middling time"))
    return ax


@quietly
def plot_flows(flows: pd.DataFrame) -> Axes:
    """Where the customers of each window went, as parts of a bar."""
    starts = [s for s in dict.fromkeys(flows.from_window) if flows[flows.from_window == s].customers.sum()][::-1]
    ends = list(dict.fromkeys(flows.to_window))
    ax = style.axes(height=1.2 + 0.5 * max(len(starts), 1))
    left = np.zeros(len(starts))
    for end in ends:
        share = flows[flows.to_window == end].set_index("from_window").rate.reindex(starts).fillna(0).to_numpy()
        ax.barh(range(len(starts)), share, left=left, color=COLOURS[end], height=0.66, label=term("window", end))
        for y, (x, part) in enumerate(zip(left, share, strict=True)):
            if part >= 0.06:
                ax.annotate(f"{100 * part:.0f}%", (x + part / 2, y), ha="center", va="center", fontsize=9.5)
        left = left + share
    ax.set_yticks(range(len(starts)), [term("window", s) for s in starts])
    style.share_axis(ax, which="x")
    ax.grid(visible=False)
    ax.set_xlim(0, 1)
    ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, -0.42))
    ax.set_title(_("Where customers of each window were a period later"))
    return ax


@quietly
def plot_audiences(sizes: pd.DataFrame) -> Axes | None:
    """Who of each audience may be spoken to, and why the others are left in peace."""
    if sizes.empty:
        return None
    rows = sizes[::-1].reset_index(drop=True)
    ax = style.axes(height=1.3 + 0.55 * len(rows))
    left = np.zeros(len(rows))
    for column, colour, label in (
        ("left", style.OWN, _("may be spoken to")),
        ("no_consent", style.CATEGORIES[6], _("has not agreed")),
        ("capped", style.CATEGORIES[1], _("has heard enough")),
        ("excluded", style.CATEGORIES[3], _("bought, complained or left the list")),
    ):
        ax.barh(range(len(rows)), rows[column], left=left, color=colour, height=0.62, label=label)
        left = left + rows[column].to_numpy(dtype=float)
    for y, n in enumerate(rows.left):
        ax.annotate(style.value(n, "count"), (left[y], y), xytext=(6, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(rows)), [term("audience", a) for a in rows.audience])
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.1)
    style.count_axis(ax, which="x")
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.4, -0.5))
    ax.set_title(_("Audiences; the number is how many may be spoken to"))
    return ax
