"""The tracking plan: which events should arrive with which parameters, and which did, by day and by page?"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...missing import Missing, answers, quietly
from ...period import Period
from ..engine import as_table


@dataclass(frozen=True)
class Expected:
    """An event of the plan, the columns that it should carry, and whether it is a step of the funnel."""

    event: str
    carries: tuple[str, ...] = ()
    step: bool = False


PLAN: tuple[Expected, ...] = (
    Expected("page_view", ("page", "session_id"), step=True),
    Expected("view_search_results", ("search_term",)),
    Expected("view_item", ("product_id",), step=True),
    Expected("add_to_cart", ("product_id",), step=True),
    Expected("begin_checkout", step=True),
    Expected("add_payment_info", step=True),
    Expected("purchase", ("order_id", "value"), step=True),
    Expected("sign_up"),
    Expected("share"),
)
"""GA4's recommended events for online sales, in the order in which a buyer meets them."""

RARE = 7
"""Events a day from which on a day without any is a gap: at 7 a day chance leaves one day in 1,100 empty (Poisson)."""


@answers("Which events of the tracking plan arrived?")
def event_days(events: ibis.Table, period: Period) -> pd.DataFrame:
    """Which events of the tracking plan arrived, day by day?

    Parameters
    ----------
    events : table or frame
        Canonical events, in the shop's time.
    period : Period
        Days looked at.

    Returns
    -------
    DataFrame
        One row per planned event and day of the period: event, day, rows (0 where none arrived).
    """
    table = as_table(events)
    day = table.event_at.date()
    within = table.filter(day >= ibis.date(period.start), day < ibis.date(period.end))
    counted = within.group_by(within.event, day=within.event_at.date()).aggregate(rows=within.count()).to_pandas()
    counted["day"] = pd.to_datetime(counted.day)
    every = pd.MultiIndex.from_product(
        [[e.event for e in PLAN], pd.date_range(period.start, period.last_day)], names=["event", "day"]
    )
    return counted.set_index(["event", "day"]).rows.reindex(every, fill_value=0).reset_index()


@answers("Is the tracking plan covered?")
def coverage(events: ibis.Table, period: Period) -> pd.DataFrame:
    """Is the tracking plan covered: which events arrive, on how many days, with what they should carry?

    Parameters
    ----------
    events : table or frame
    period : Period

    Returns
    -------
    DataFrame
        One row per planned event, in the plan's order: event; step (of the funnel); rows; days (with the event);
        days_share (of the period's days); pages (different ones; NaN where the events name no page); carried (share of
        rows with all the parameters that it should have, NaN: none are asked for or no rows); status: complete, gaps
        (silent on days though it comes often enough for every day), parameters (some are lacking), missing.
    """
    table = as_table(events)
    day = table.event_at.date()
    within = table.filter(day >= ibis.date(period.start), day < ibis.date(period.end))
    # a parameter whose column the shop lacks altogether is in no row
    carry = {
        e.event: ibis.and_(*(within[c].notnull() if c in within.columns else ibis.literal(False) for c in e.carries))
        for e in PLAN
        if e.carries
    }
    sums = {f"c_{name}": (held & (within.event == name)).sum().fill_null(0) for name, held in carry.items()}
    pages = within.page.nunique() if "page" in within.columns else ibis.null(int)
    found = within.group_by("event").aggregate(
        rows=within.count(), days=within.event_at.date().nunique(), pages=pages, **sums
    )
    counted = found.to_pandas().set_index("event")
    rows = []
    for e in PLAN:
        seen = e.event in counted.index
        n = int(counted.loc[e.event, "rows"]) if seen else 0
        days = int(counted.loc[e.event, "days"]) if seen else 0
        carried = float(counted.loc[e.event, f"c_{e.event}"]) / n if n and e.carries else float("nan")
        status = "complete"
        if not n:
            status = "missing"
        elif days < period.days and n / period.days >= RARE:
            status = "gaps"
        elif carried < 0.99:
            status = "parameters"
        rows.append(
            {"event": e.event, "step": e.step, "rows": n, "days": days, "days_share": days / period.days}
            | {"pages": float(counted.loc[e.event, "pages"]) if n and "page" in table.columns else float("nan")}
            | {"carried": carried, "status": status}
        )
    return pd.DataFrame(rows)


def page_gaps(events: ibis.Table | Missing, period: Period) -> pd.DataFrame | Missing:
    """Which pages fell silent on some days though they are visited often enough for every day?

    Returns
    -------
    DataFrame
        One row per such page, worst first: page, rows, days (with a view), silent (days without), last (day seen).
    """
    if isinstance(events, Missing):
        return events.quiet()  # the answer on events has shown its card
    table = as_table(events)
    if "page" not in table.columns:
        return pd.DataFrame(columns=["page", "rows", "days", "silent", "last"])
    day = table.event_at.date()
    seen = table.filter(day >= ibis.date(period.start), day < ibis.date(period.end), table.event == "page_view")
    seen = seen.filter(seen.page.notnull())
    found = seen.group_by("page").aggregate(
        rows=seen.count(), days=seen.event_at.date().nunique(), last=seen.event_at.date().max()
    )
    frame = found.filter(found.rows >= RARE * period.days, found.days < period.days).to_pandas()
    frame["silent"] = period.days - frame.days
    frame = frame.sort_values(["silent", "page"], ascending=[False, True], ignore_index=True)
    if frame.empty:
        frame.attrs["notes"] = [_("No page that is visited often fell silent on any day.")]
    return frame[["page", "rows", "days", "silent", "last"]]


@quietly
def plot_coverage(event_days: pd.DataFrame) -> Axes:
    """Planned events by day: the darker the more against the event's busiest day; an empty cell is a day without."""
    grid = event_days.pivot(index="event", columns="day", values="rows").reindex(event_days.event.unique())
    most = grid.max(axis=1).clip(lower=1)
    ax = style.axes(height=1.2 + 0.36 * len(grid))
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("coverage", ["#DCE8F3", style.OWN])
    shades.set_bad("#FFFFFF")
    values = np.ma.masked_equal(grid.div(most, axis=0).to_numpy(dtype=float), 0)
    days = pd.DatetimeIndex(grid.columns)
    edges = days.append(pd.DatetimeIndex([days[-1] + pd.Timedelta(days=1)]))
    ax.pcolormesh(
        edges, np.arange(len(grid) + 1), values, cmap=shades, vmin=0, vmax=1, edgecolors="white", linewidth=0.6
    )
    ax.set_yticks(np.arange(len(grid)) + 0.5, [term("event", str(e)) for e in grid.index])
    ax.invert_yaxis()
    ax.grid(False)
    style.date_axis(ax)
    ax.set_title(_("Planned events by day; an empty cell is a day without any"))
    return ax


def coverage_findings(coverage: pd.DataFrame | Missing) -> list[Finding] | Missing:
    """Can the funnel be measured, and what is to be mended in the tracking?

    Returns
    -------
    list of Finding
        On funnel steps that do not arrive (act), on gaps and lacking parameters (watch), else that all is there.
    """
    if isinstance(coverage, Missing):
        return coverage.quiet()
    bad = {s: coverage[coverage.status == s] for s in ("missing", "gaps", "parameters")}
    steps = bad["missing"][bad["missing"].step.astype(bool)]
    out = []
    if len(steps):
        text = _("The funnel lacks its steps {steps}: no such event arrived in the period.")
        figure = Figure("funnel_steps_missing", len(steps), "count")
        out.append(Finding("act", text.format(steps=listing(steps.event)), None, (figure,)))
    if len(bad["gaps"]):
        text = _("On some days these events did not arrive at all: {events}.")
        out.append(Finding("watch", text.format(events=listing(bad["gaps"].event))))
    if len(bad["parameters"]):
        text = _("These events arrive without what they should carry: {events}.")
        out.append(Finding("watch", text.format(events=listing(bad["parameters"].event))))
    return out or [Finding("hold", _("All steps of the funnel arrive, every day, with what they should carry."))]
