"""Scorecard: how the period went, day by day and by part, and what deserves attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _, humanise, term
from ..missing import Missing, answers, quietly
from ..period import Period

HEADLINE = (
    "net_sales",
    "orders_paid",
    "aov",
    "customers",
    "new_customers",
    "repeat_rate",
    "items_per_order",
    "refund_rate",
)
"""The figures that the scorecard opens with."""


@answers("How did the period go?")
def with_trend(headline: pd.DataFrame, daily: pd.DataFrame) -> pd.DataFrame:
    """How did each headline figure run through the period?

    Parameters
    ----------
    headline, daily : DataFrame
        ``measure(…, compare=True)`` and ``measure(…, by=["day"])`` of the same metrics.

    Returns
    -------
    DataFrame
        `headline` with ``attrs["sparklines"]``: metric → the daily values.
    """
    frame = headline.copy()
    frame.attrs["sparklines"] = {m: of.value.tolist() for m, of in daily.groupby("metric", sort=False)}
    return frame


@quietly
def plot_daily(daily: pd.DataFrame, *, metric: str = "net_sales") -> Axes:
    """A metric day by day, beside the period before."""
    rows = daily[daily.metric == metric]
    currency, unit = daily.attrs["currency"], rows.unit.iloc[0]
    ax = style.axes(height=3.2)
    if "previous" in rows and rows.previous.notna().any():
        before = rows.dropna(subset="previous")
        ax.plot(before.day, before.previous, color=style.COMPARISON, linewidth=1.4)
        style.direct_label(ax, rows.day.iloc[-1], before.previous.iloc[-1], _("period before"), style.COMPARISON)
    ax.plot(rows.day, rows.value, color=style.OWN, linewidth=2.2)
    style.direct_label(ax, rows.day.iloc[-1], rows.value.iloc[-1], _("this period"), style.OWN)
    if rows.value.isna().all():
        ax.set_title(_("{metric} by day").format(metric=daily.attrs["titles"][metric]))
        return ax
    best = rows.loc[rows.value.idxmax()]
    late = (best.day - rows.day.iloc[0]).days > 0.8 * len(rows)
    ax.annotate(
        _("{day}: {value}").format(day=style.date(best.day), value=style.short(best.value, unit, currency=currency)),
        (best.day, best.value),
        xytext=(-8 if late else 0, 6),
        textcoords="offset points",
        ha="right" if late else "center",
        fontsize=9,
        color=style.OWN,
    )
    ax.set_ylim(
        bottom=min(0.0, rows.value.min()),
        top=max(rows.value.max(), rows.get("previous", rows.value).max(), 0.0) * 1.15 or 1,
    )
    if unit == "currency":
        style.money_axis(ax, currency)
    style.date_axis(ax)
    ax.set_title(_("{metric} by day").format(metric=_(daily.attrs["titles"][metric])))
    return ax


@quietly
def plot_parts(parts: pd.DataFrame, *, metric: str = "net_sales", top: int = 10) -> Axes | None:
    """The largest parts of a metric as bars, the period before as a mark on each; nothing where there is one part."""
    (by,) = parts.attrs["by"]
    if parts[by].nunique() < 2:
        return None
    currency = parts.attrs["currency"]
    rows = parts[parts.metric == metric].nlargest(top, "value", keep="all").head(top)[::-1]
    unit = rows.unit.iloc[0]
    ax = style.axes(height=0.9 + 0.38 * len(rows))
    names = [term(by, str(v)) or _("not stated") for v in rows[by]]
    ax.barh(names, rows.value, color=style.OWN, height=0.62)
    for y, (_index, row) in enumerate(rows.iterrows()):
        text = style.short(row.value, unit, currency=currency)
        if "previous" in row and not np.isnan(row.previous):
            ax.plot([row.previous] * 2, [y - 0.36, y + 0.36], color=style.COMPARISON, linewidth=2.4)
            if not np.isnan(row.change):
                text = f"{text}  {style.change(row.change, unit)}"
        edge = max(row.value, row.get("previous", 0) if not np.isnan(row.get("previous", np.nan)) else 0, 0)
        ax.annotate(text, (edge, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.28)
    ax.set_xlim(left=min(0.0, rows.value.min()))
    if unit == "currency":
        style.money_axis(ax, currency, which="x")
    title = _("{metric} by {part}; the mark is the period before")
    ax.set_title(title.format(metric=_(parts.attrs["titles"][metric]), part=humanise(by, inside=True)))
    return ax


@answers("What deserves attention?")
def findings(
    headline: pd.DataFrame, period: Period, *, act_below: float = -0.10, watch_below: float = -0.03
) -> list[Finding]:
    """What in the headline figures deserves attention?

    Parameters
    ----------
    headline : DataFrame
        ``measure(shop, scorecard.HEADLINE, compare=True)``.
    period : Period
        What it was measured for.
    act_below, watch_below : float
        Relative change of net sales against the period before below which the verdict is "act" or "watch".

    Returns
    -------
    list of Finding
        On net sales (stake: their change) and, where it rose by a percentage point or more, on the refund rate (stake:
        what the rise costs in the period).
    """
    currency = headline.attrs["currency"]
    row = headline.set_index("metric").loc["net_sales"]
    value = style.value(row.value, "currency", currency=currency)
    figures = (Figure("net_sales", row.value, "currency"),)
    if np.isnan(row.previous):
        text = _("Net sales in {period} were {value}; the data hold no whole earlier period to compare with.")
        found = [Finding("hold", text.format(period=style.period(period), value=value), None, figures)]
    else:
        change = row.change
        text = _("Net sales in {period} were {value}, {change} against {before}.")
        if np.isnan(change):  # nothing or less was sold before: no percentage, but still a rise or a fall
            change = np.sign(row.value - row.previous)
            text = _("Net sales in {period} were {value}, after {amount} in {before}.")
        elif not np.isnan(row.change_year_ago):
            text = _("Net sales in {period} were {value}, {change} against {before} and {yearly} against a year ago.")
        verdict: Verdict = "act" if change < act_below else "watch" if change < watch_below else "hold"
        text = text.format(
            period=style.period(period),
            value=value,
            amount=style.value(row.previous, "currency", currency=currency),
            change=style.change(row.change, "currency"),
            before=style.period(period.previous),
            yearly=style.change(row.change_year_ago, "currency"),
        )
        found = [Finding(verdict, text, abs(row.value - row.previous), figures)]
    refunds = headline[headline.metric == "refund_rate"]
    if len(refunds) and (rise := float(refunds.change.iloc[0])) >= 0.01:
        rate = refunds.iloc[0]
        text = _(
            "Of each {unit} sold, returns took {rate}, up from {before}: that is {cost} more than at the old rate."
        )
        sales = row.value / (1 - rate.value) if rate.value < 1 else 0.0
        text = text.format(
            unit=style.value(100, "currency", currency=currency),
            rate=style.value(100 * rate.value, "currency", currency=currency),
            before=style.value(100 * rate.previous, "currency", currency=currency),
            cost=style.value(rise * sales, "currency", currency=currency),
        )
        found.append(Finding("watch", text, rise * sales, (Figure("refund_rate", rate.value, "share"),)))
    return found


@answers("Which parts moved most?")
def movers(parts: Sequence[pd.DataFrame], *, at_least: float = 0.02) -> list[Finding]:
    """Which part of the shop lost or won the most?

    Parameters
    ----------
    parts : sequence of DataFrame
        ``measure(shop, ["net_sales"], by=[one breakdown], compare=True)``, one for each breakdown; a Missing among them
        is passed over.
    at_least : float
        Changes smaller than this share of the previous period's net sales are not worth a sentence.

    Returns
    -------
    list of Finding
        For each breakdown its largest fall ("watch") and its largest rise ("hold"); stake: the change in currency.
    """
    found: list[Finding] = []
    for frame in parts:
        if isinstance(frame, Missing):
            continue
        (by,) = frame.attrs["by"]
        rows = frame[(frame.metric == "net_sales") & (frame[by].astype(str) != "")]
        moved = (rows.value - rows.previous).dropna()
        if len(moved) < 2:
            continue
        floor = at_least * abs(rows.previous.sum())
        moves: tuple[tuple[Any, Verdict, str], ...] = (
            (moved.idxmin(), "watch", _("{part} lost the most by {by}: {amount} less net sales than before.")),
            (moved.idxmax(), "hold", _("{part} grew the most by {by}: {amount} more net sales than before.")),
        )
        for place, verdict, text in moves:
            amount = moved[place]
            if abs(amount) < floor or (amount < 0) != (verdict == "watch"):
                continue
            name = str(rows.loc[place, by])
            text = text.format(
                part=term(by, name),
                by=humanise(by, inside=True),
                amount=style.value(abs(amount), "currency", currency=frame.attrs["currency"]),
            )
            figure = Figure("net_sales_change", amount, "currency", by={by: name})
            found.append(Finding(verdict, text, abs(amount), (figure,)))
    return found
