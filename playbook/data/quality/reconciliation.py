"""Reconciliation: where two sources speak of the same thing, by how much do they differ, by day and by part?"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import N_, _, term
from ...missing import Missing, answers, quietly
from ...period import Period
from ..engine import as_table

LEVELS = ("account", "campaign", "keyword", "creative")
"""Of ad_spend, the coarsest first; rows of different levels are never added together."""

COMPARISONS = {
    "order_lines": N_("Sales of the order lines", "comparison"),
    "traffic_orders": N_("Orders in the traffic report", "comparison"),
    "traffic_sales": N_("Sales in the traffic report", "comparison"),
    "payouts": N_("Payouts against sales less returns", "comparison"),
    "claimed_orders": N_("Orders that advertising claims", "comparison"),
    "claimed_sales": N_("Sales that advertising claims", "comparison"),
}

UNITS = {"traffic_orders": "count", "claimed_orders": "count"}

_COLUMNS = ["comparison", "part", "day", "unit", "ours", "theirs", "difference", "share"]


@answers("Do the sources agree with each other?")
def reconciliation(
    orders: ibis.Table,
    period: Period,
    *,
    order_items: ibis.Table | None = None,
    returns: ibis.Table | None = None,
    traffic: ibis.Table | None = None,
    settlements: ibis.Table | None = None,
    ad_spend: ibis.Table | None = None,
) -> pd.DataFrame:
    """Do the sources agree with each other, day by day?

    Orders that were paid in the period, on the day they were paid, against whatever else speaks of them: order lines
    (by the day of the order, against orders by that day), the platforms' own traffic totals, payouts (against sales
    less returns), and what advertising claims (against the orders that the shop credits to the same channel).

    Parameters
    ----------
    orders, order_items, returns, traffic, settlements, ad_spend : table or frame
        Canonical tables in the shop's time; all but the orders may be lacking.
    period : Period
        Days compared.

    Returns
    -------
    DataFrame
        One row per comparison, part (platform, or channel for advertising; empty where nothing tells parts apart) and
        day: comparison (see `COMPARISONS`); part; day; unit (currency, count); ours (by the orders); theirs (by the
        other source); difference (theirs − ours); share (difference as a share of ours; NaN where ours is 0).
        A Missing where there is nothing to compare with.
    """
    sold = as_table(orders)
    paid = sold.filter(sold.paid_at.notnull()) if "paid_at" in sold.columns else sold
    moment = "paid_at" if "paid_at" in sold.columns else "ordered_at"
    found: list[pd.DataFrame] = []

    def compare(name: str, part: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
        both = ours.merge(theirs, on=["part", "day"], how="outer", suffixes=("_ours", "_theirs"))
        both = both.rename(columns={"value_ours": "ours", "value_theirs": "theirs"})
        both[["ours", "theirs"]] = both[["ours", "theirs"]].fillna(0.0)
        found.append(both.assign(comparison=name, unit=UNITS.get(name, "currency")))

    if order_items is not None:
        lines = as_table(order_items)
        if "ordered_at" not in lines.columns:
            whose = sold.select("order_id", "ordered_at").distinct(on="order_id")
            lines = lines.inner_join(whose, "order_id")
        part = _shared("platform", sold, lines)
        ours = _by_day(sold, "ordered_at", part, period, sold.amount.sum())
        compare("order_lines", part, ours, _by_day(lines, "ordered_at", part, period, lines.amount.sum()))
    if traffic is not None:
        whole = _whole_shop(as_table(traffic))
        part = _shared("platform", sold, whole)
        for name, column, ours_of in (
            ("traffic_orders", "orders", paid.count()),
            ("traffic_sales", "sales", paid.amount.sum()),
        ):
            if column in whole.columns:
                theirs = _by_day(whole, "day", part, period, whole[column].sum())
                ours = _by_day(paid, moment, part, period, ours_of)
                reported = set(theirs.part)  # a platform that sends no such report is not compared
                compare(name, part, ours[ours.part.isin(reported)], theirs)
    if settlements is not None:
        out = as_table(settlements)
        out = out.filter(out.kind == "payout")
        back = None if returns is None else as_table(returns)
        part = _shared("platform", sold, out, *([] if back is None else [back]))
        ours = _by_day(paid, moment, part, period, paid.amount.sum())
        if back is not None:
            less = _by_day(back, "returned_at", part, period, -back.amount.sum())
            ours = pd.concat([ours, less]).groupby(["part", "day"], as_index=False).value.sum()
        theirs = _by_day(out, "settled_at", part, period, out.amount.sum())
        compare("payouts", part, ours[ours.part.isin(set(theirs.part))], theirs)
    if ad_spend is not None and "channel" in sold.columns and "channel" in as_table(ad_spend).columns:
        ads = as_table(ad_spend)
        credited = {"claimed_orders": paid.count(), "claimed_sales": paid.amount.sum()}
        for name, column in (("claimed_orders", "conversions"), ("claimed_sales", "conversion_value")):
            if column in ads.columns:
                theirs = _claims(ads, column, period)
                ours = _by_day(paid, moment, "channel", period, credited[name])
                compare(name, "channel", ours[ours.part.isin(set(theirs.part))], theirs)
    if not found:
        return Missing(
            _("order_items, traffic, settlements or ad_spend"),
            remedy=_("A second source that speaks of the same orders is needed; any of these exports will do."),
        )
    whole_frame = pd.concat(found, ignore_index=True)
    whole_frame["difference"] = (whole_frame.theirs - whole_frame.ours).round(4)
    whole_frame["share"] = whole_frame.difference / whole_frame.ours.where(whole_frame.ours != 0)
    return whole_frame.sort_values(["comparison", "part", "day"], ignore_index=True)[_COLUMNS]


def _shared(column: str, *tables: ibis.Table) -> str:
    """The column by which all tables can be told apart, or "" where one lacks it."""
    return column if all(column in t.columns for t in tables) else ""


def _by_day(table: ibis.Table, at: str, part: str, period: Period, value: Any) -> pd.DataFrame:
    """Part, day and value of the days of the period."""
    when = table[at]
    day = when.date() if when.type().is_timestamp() else when
    cut = table[part].fill_null("") if part else ibis.literal("")
    within = (day >= ibis.date(period.start)) & (day < ibis.date(period.end))
    found = table.group_by(part=cut, day=day).aggregate(value=value, _in=within.any()).filter(lambda t: t["_in"])
    frame = found.drop("_in").to_pandas()
    return frame.assign(day=pd.to_datetime(frame.day), value=frame.value.astype(float))


def _whole_shop(traffic: ibis.Table) -> ibis.Table:
    """The rows of traffic that speak of the whole shop: not of one product or one source."""
    for column in ("product_id", "source"):
        if column in traffic.columns:
            traffic = traffic.filter(traffic[column].isnull())
    return traffic


def _claims(ads: ibis.Table, column: str, period: Period) -> pd.DataFrame:
    """What advertising claims, by channel and day, from each platform's coarsest level."""
    within = (ads.day >= ibis.date(period.start)) & (ads.day < ibis.date(period.end)) & ads.channel.notnull()
    found = ads.filter(within).group_by("platform", "level", part=ads.channel, day=ads.day)
    frame = found.aggregate(value=ads[column].sum()).to_pandas()
    rank = frame.level.map({level: i for i, level in enumerate(LEVELS)}).fillna(len(LEVELS))
    coarsest = frame[rank == rank.groupby(frame.platform).transform("min")]
    coarsest = coarsest.assign(day=pd.to_datetime(coarsest.day), value=coarsest.value.astype(float))
    return coarsest.groupby(["part", "day"], as_index=False).value.sum()


@answers("By how much do the sources differ over the period?")
def agreement(reconciled: pd.DataFrame) -> pd.DataFrame:
    """By how much do the sources differ over the whole period?

    Parameters
    ----------
    reconciled : DataFrame
        From `reconciliation`.

    Returns
    -------
    DataFrame
        One row per comparison and part: comparison, part, metric (always "theirs"), unit, value (theirs), ours,
        share (difference as a share of ours), ratio (theirs / ours: of claims, the over-claim), worst_day (the day of
        the largest difference, NaT where there is none).
    """
    rows = []
    for (name, part), days in reconciled.groupby(["comparison", "part"], sort=False):
        ours, theirs = float(days.ours.sum()), float(days.theirs.sum())
        gap = days.difference.abs()
        rows.append(
            {"comparison": name, "part": part, "metric": "theirs", "unit": days.unit.iloc[0], "value": round(theirs, 4)}
            | {"ours": round(ours, 4), "share": round(theirs - ours, 4) / ours if ours else None}
            | {
                "ratio": theirs / ours if ours else None,
                "worst_day": days.day[gap.idxmax()] if gap.max() > 0 else pd.NaT,
            }
        )
    order = {name: place for place, name in enumerate(COMPARISONS)}
    found = pd.DataFrame(rows).sort_values("comparison", key=lambda c: c.map(order), kind="stable", ignore_index=True)
    found = found.astype({"share": float, "ratio": float})
    found["comparison"] = found.comparison.map(COMPARISONS)
    found.attrs |= {
        "by": ["comparison", "part"],
        "titles": {"theirs": N_("The other source")},
        "in_unit": {"ours": N_("The orders")},
        "units": {"share": "share", "ratio": "ratio"},
    }
    return found


@quietly
def plot_agreement(agreement: pd.DataFrame) -> Axes:
    """How far each other source lies above or below the orders, in percent."""
    drawn = agreement.dropna(subset=["share"])
    ax = style.axes(height=1.2 + 0.4 * len(drawn))
    colors = [style.BAD if abs(s) > 0.01 else style.OWN for s in drawn.share]
    ax.barh(range(len(drawn)), drawn.share, height=0.6, color=colors)
    for place, share in enumerate(drawn.share):
        text = _("no difference") if share == 0 else style.change(share, "currency")
        style.direct_label(ax, max(share, 0), place, text)
    names = [
        _("{comparison} · {part}").format(comparison=term("comparison", r.comparison), part=term("part", r.part))
        if r.part
        else term("comparison", r.comparison)
        for r in drawn.itertuples()
    ]
    ax.set_yticks(range(len(drawn)), [_wrapped(n) for n in names])
    ax.axvline(0, color=style.INK, linewidth=1)
    reach = max(0.01, *drawn.share.abs()) if len(drawn) else 0.01
    ax.set_xlim(min(-0.1 * reach, 1.15 * drawn.share.min()) if len(drawn) else -1, 1.15 * reach)
    ax.invert_yaxis()
    ax.grid(False)
    style.share_axis(ax, which="x")
    ax.set_xlabel(_("difference from the orders"))
    ax.set_title(_("How far other sources lie from the orders"))
    return ax


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, 38))


def agreement_findings(agreement: pd.DataFrame | Missing, *, watch_above: float = 0.01) -> list[Finding] | Missing:
    """Which sources disagree by more than a share of the orders?

    Parameters
    ----------
    agreement : DataFrame
        From `agreement`.
    watch_above : float
        Share of the orders from which on a difference is worth a look. Claims of advertising below the orders are none.

    Returns
    -------
    list of Finding
        One for each comparison that differs by more anywhere, with its worst part, else one that says that all agree.
    """
    if isinstance(agreement, Missing):
        return agreement.quiet()  # it has shown its card
    claims = {COMPARISONS[name] for name in ("claimed_orders", "claimed_sales")}
    told = agreement[agreement.share.notna()]
    told = told[told.share.where(told.comparison.isin(claims), told.share.abs()) > watch_above]
    out = []
    for comparison, parts in told.groupby("comparison", sort=False):
        worst = parts.loc[parts.share.abs().idxmax()]
        words = {
            "comparison": term("comparison", str(comparison)),
            "part": term("part", worst.part) or _("whole shop"),
        }
        cuts = [{"comparison": str(comparison), "part": part} for part in parts.part]
        if comparison in claims:
            text = _("{comparison} are {ratio} times what the orders show in {part}.")
            figures = [Figure("over_claim", x, "ratio", by=cut) for x, cut in zip(parts.ratio, cuts, strict=True)]
            said = text.format(ratio=style.value(worst.ratio, "ratio"), **words)
            out.append(Finding("watch", said, None, tuple(figures)))
            continue
        text = _("{comparison} differ from the orders, most in {part}: by {share}, and there most on {day}.")
        share, day = style.change(worst.share, "currency"), style.date(worst.worst_day)
        money = float((parts.value - parts.ours).abs().sum()) if worst.unit == "currency" else None
        figures = [Figure("source_difference", x, "share", by=cut) for x, cut in zip(parts.share, cuts, strict=True)]
        out.append(Finding("watch", text.format(share=share, day=day, **words), money, tuple(figures)))
    return out or [Finding("hold", _("The sources that speak of the same orders agree with each other."))]
