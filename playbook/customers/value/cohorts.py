"""What customers have brought month by month, what each one cost, and when that is earned."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...language import N_, _, term
from ...methods import intervals
from ...missing import answers, quietly
from .validation import holds, no_trait

RETURN = {
    "spend": "currency", "new_customers": "count", "cac": "currency", "worth": "currency", "clv_cac": "ratio",
    "payback_months": "count",
}  # fmt: skip
"""Units of `return_on_customers`."""

MONTH = 365.25 / 12
"""Days of a month of age."""


@answers("What have customers brought, month by month since their first purchase?")
def curve(
    days: ibis.Table | pd.DataFrame, until: dt.date, margin: pd.DataFrame,
    traits: ibis.Table | pd.DataFrame | None = None, *, by: str = "", months: int = 24, fewest: int = 30,
) -> pd.DataFrame:  # fmt: skip
    """What have customers brought, month by month since their first purchase?

    Nothing is modelled: a month's value is that of all customers who are old enough to have lived it. A line ends where
    these are less than half of the group, since the others may not be like them.

    Parameters
    ----------
    days : Table
        From `purchase_days`.
    until : date
        The day after the last that is looked at.
    margin : DataFrame
        From `margin_rate`.
    traits : Table, optional
        person_id and the column of `by`.
    by : str
        A trait, or cohort (the year of the first purchase); empty: all together.
    months : int
        How far; month 0 is the first day.
    fewest : int
        Customers for a number.

    Returns
    -------
    DataFrame
        [by], month, n (customers old enough), value (margin a customer so far, in money), low, high (95 %).
    """
    days = as_table(days)
    days = days.filter(days.day < ibis.literal(until))
    first = days.group_by("person_id").aggregate(first_day=days.day.min())
    if by == "cohort":
        first = first.mutate(cohort=first.first_day.year().cast("string"))
    elif by and (traits is None or by not in traits.columns):
        return no_trait(by, _("What have customers brought, month by month since their first purchase?"))
    elif by:
        first = first.left_join(as_table(traits).select("person_id", by), "person_id")
        first = first.drop("person_id_right")
    keys = [by] if by else []
    rows = days.inner_join(first, "person_id")
    rows = rows.mutate(age=rows.day.delta(rows.first_day, unit="day"))
    horizon = {m: 1 if m == 0 else round(m * MONTH) for m in range(months + 1)}
    per = rows.group_by("person_id", "first_day", *keys).aggregate(
        **{f"m{m}": rows.amount.cast("decimal(18, 2)").sum(where=rows.age < h) for m, h in horizon.items()}
    )
    old = ibis.literal(until).delta(per.first_day, unit="day")
    sums = {}
    for m, h in horizon.items():
        value = per[f"m{m}"].fill_null(0)
        sums[f"n{m}"] = (old >= h).sum()
        sums[f"s{m}"] = value.sum(where=old >= h)
        sums[f"q{m}"] = (value * value).sum(where=old >= h)
    found = per.aggregate(**sums, by=keys).to_pandas() if keys else per.aggregate(**sums).to_pandas()
    rate = float(margin["margin_rate"].iloc[0])
    out = []
    for record in found.to_dict("records"):
        name = {by: _text(record[by])} if by else {}
        for m in range(months + 1):
            n = int(record[f"n{m}"] or 0)
            if n < max(fewest, int(record["n0"] or 0) / 2):
                continue
            total, squares = float(record[f"s{m}"] or 0), float(record[f"q{m}"] or 0)
            low, high = intervals.mean(total, squares, n)
            out.append(name | {"month": m, "n": n, "value": rate * total / n, "low": rate * low, "high": rate * high})
    frame = pd.DataFrame(out, columns=[*keys, "month", "n", "value", "low", "high"])
    frame = frame.sort_values([*keys, "month"], ignore_index=True)
    notes = list(margin.attrs.get("notes", ()))
    if frame.empty:
        notes.append(_("not enough data: needs {n} customers").format(n=fewest))
    frame.attrs = {"by": keys, "notes": notes, "months": months}
    return frame


@answers("What did a new customer cost?")
def acquisition(
    table: ibis.Table, traits: ibis.Table | pd.DataFrame, spend: pd.DataFrame, *, since: dt.date, until: dt.date,
    level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What did a new customer cost, by the channel that brought her?

    All of a channel's advertising is laid on its new customers, also what brought others back: a cautious reading.

    Parameters
    ----------
    table : Table
        From `histories`: person_id, first_day.
    traits : Table
        person_id, channel (that brought her).
    spend : DataFrame
        channel, spend (money from `since` up to, not including, `until`).

    Returns
    -------
    DataFrame
        channel, spend, new_customers, cac (money), cac_low, cac_high (of the count by chance). NaN where nothing was
        spent or nobody was won: ``attrs["notes"]`` says of which channels.
    """
    about = as_table(traits).select("person_id", "channel")
    new = table.filter((table.first_day >= ibis.literal(since)) & (table.first_day < ibis.literal(until)))
    new = new.inner_join(about, "person_id")
    counted = new.group_by("channel").aggregate(new_customers=new.count()).to_pandas()
    counted["channel"] = counted["channel"].map(_text)
    frame = spend[["channel", "spend"]].merge(counted, on="channel", how="outer")
    frame = frame[frame["channel"] != ""].fillna({"spend": 0.0, "new_customers": 0})
    frame["spend"] = frame["spend"].astype(float)
    n, cost = frame["new_customers"].astype(float), frame["spend"].where(frame["spend"] > 0)
    frame["cac"] = cost / n.where(n > 0)
    tail = (1 - level) / 2
    frame["cac_low"] = cost / stats.gamma.ppf(1 - tail, n + 1)
    frame["cac_high"] = cost / pd.Series(stats.gamma.ppf(tail, n.where(n > 0)), index=frame.index)
    frame.loc[frame["cac"].isna(), ["cac_low", "cac_high"]] = math.nan
    frame = frame.sort_values(["spend", "new_customers", "channel"], ascending=[False, False, True], ignore_index=True)
    notes = []
    if (idle := frame.loc[frame["spend"] <= 0, "channel"]).size:
        notes.append(_("Nothing was spent on {n} channels, so a customer of theirs has no cost.").format(n=idle.size))
    if (none := frame.loc[(frame["spend"] > 0) & (frame["new_customers"] <= 0), "channel"]).size:
        notes.append(_("{n} channels cost money and won nobody.").format(n=none.size))
    frame.attrs["notes"] = notes
    return frame


@answers("What may be taken for the worth of a channel's customers?")
def trusted(
    curves: pd.DataFrame,
    modelled: pd.DataFrame | None = None,
    wrong: pd.DataFrame | None = None,
    *,
    month: int = 12,
) -> pd.DataFrame:
    """What may be taken for the worth of a channel's customers: the model where it holds, otherwise what was seen?

    Parameters
    ----------
    curves : DataFrame
        From `curve`, by channel.
    modelled : DataFrame, optional
        From `worth`, by channel.
    wrong : DataFrame, optional
        From `errors`: whether the model holds.
    month : int
        Age up to which the curve is taken.

    Returns
    -------
    DataFrame
        channel, worth, worth_low, worth_high (money a customer). ``attrs["told"]``: a sentence where it is the curve.
    """
    columns = ["channel", "worth", "worth_low", "worth_high"]
    if modelled is not None and wrong is not None and holds(wrong):
        return modelled[columns]
    if "channel" not in curves:
        return pd.DataFrame(columns=columns)
    seen = curves[curves["month"] == month]
    frame = seen.rename(columns={"value": "worth", "low": "worth_low", "high": "worth_high"})[columns]
    frame = frame.reset_index(drop=True)
    note = _("No model holds here, so worth is what customers brought in their first {n} months.")
    frame.attrs = {"told": [note.format(n=month)]}
    return frame


@answers("Is a customer worth what she cost?")
def return_on_customers(acquired: pd.DataFrame, valued: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Is a customer worth what she cost, and after how many months has she earned it?

    Parameters
    ----------
    acquired : DataFrame
        From `acquisition`.
    valued : DataFrame
        From `trusted`.
    curves : DataFrame
        From `curve`, by channel.

    Returns
    -------
    DataFrame
        `acquired` with worth, worth_low, worth_high (money a customer); clv_cac (ratio), clv_cac_low,
        clv_cac_high (cost and worth taken for independent, on logs); payback_months (first month by which a
        customer had brought what she cost; NaN where not within what is known).
    """
    columns = ["channel", "worth", "worth_low", "worth_high"]
    frame = acquired.merge(valued[columns], on="channel", how="left")
    frame["clv_cac"] = frame["worth"] / frame["cac"]
    log = np.log(frame["clv_cac"].where(frame["clv_cac"] > 0))
    sides = [np.log(frame[f"{c}_high"] / frame[f"{c}_low"].where(frame[f"{c}_low"] > 0)) / 2 for c in ("worth", "cac")]
    half = np.hypot(*sides)
    frame["clv_cac_low"], frame["clv_cac_high"] = np.exp(log - half), np.exp(log + half)
    frame["payback_months"] = [_payback(curves, c, k) for c, k in zip(frame["channel"], frame["cac"], strict=True)]
    frame.attrs = (
        dict(acquired.attrs)
        | {"titles": {"worth": N_("Worth"), "cac": N_("Cost of a new customer"), "clv_cac": N_("Worth over cost")}}
        | {"notes": [*acquired.attrs["notes"], *valued.attrs.get("told", ())]}
    )
    late = frame["cac"].notna() & frame["payback_months"].isna()
    if late.any():
        note = _("{n} channels have not earned a customer's cost within the {months} months that are known.")
        months = curves.attrs.get("months", 0)
        frame.attrs["notes"] = [*frame.attrs.get("notes", ()), note.format(n=int(late.sum()), months=months)]
    return frame


def _payback(curves: pd.DataFrame, channel: str, cost: float) -> float:
    if "channel" not in curves or math.isnan(cost):
        return math.nan
    own = curves[curves["channel"] == channel]
    earned = own.loc[own["value"] >= cost, "month"]
    return float(earned.min()) if len(earned) else math.nan


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)) else str(value)


@quietly
def plot_curve(curves: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """What customers have brought so far by months since their first purchase, a line a group, with 95 % intervals."""
    ax = style.axes(height=3.8)
    keys = curves.attrs["by"]
    groups = list(curves.groupby(keys[0], sort=True)) if keys else [("", curves)]
    for (name, rows), colour in zip(
        groups, style.CATEGORIES * (len(groups) // len(style.CATEGORIES) + 1), strict=False
    ):
        ax.plot(rows["month"], rows["value"], color=colour)
        ax.fill_between(rows["month"], rows["low"], rows["high"], color=colour, alpha=0.13, linewidth=0)
        label = term(keys[0], str(name)) if keys else _("all customers")
        style.direct_label(ax, rows["month"].iloc[-1], rows["value"].iloc[-1], label, colour)
    ax.set_xlabel(_("months since the first purchase"))
    ax.set_ylim(bottom=0)
    style.money_axis(ax, currency)
    ax.set_title(_("What a customer has brought: margin so far, by age"))
    return ax


@quietly
def plot_return(returned: pd.DataFrame) -> Axes:
    """Worth over cost of a customer by channel, with its interval; left of the line she costs more than she brings."""
    rows = returned[returned["clv_cac"].notna()].sort_values("clv_cac")
    ax = style.axes(height=1.2 + 0.42 * max(1, len(rows)))
    names = [term("channel", c) for c in rows["channel"]]
    spread = [rows["clv_cac"] - rows["clv_cac_low"], rows["clv_cac_high"] - rows["clv_cac"]]
    colours = [style.GOOD if v >= 1 else style.BAD for v in rows["clv_cac"]]
    place = np.arange(len(rows))  # two codes may have one word
    ax.set_yticks(place, names)
    ax.barh(place, rows["clv_cac"], color=colours, height=0.6)
    ax.errorbar(rows["clv_cac"], place, xerr=np.array(spread), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    for y, row in enumerate(rows.to_dict("records")):
        months = row["payback_months"]
        said = _("not earned yet") if math.isnan(months) else _("earned in month {n}").format(n=int(months))
        said = _("earned by the first purchase") if months == 0 else said
        text = _("{ratio} · {payback}").format(ratio=style.value(row["clv_cac"], "ratio"), payback=said)
        ax.annotate(text, (row["clv_cac_high"], y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(1, color=style.INK, linewidth=1, linestyle="--")
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.22)
    ax.set_xlim(left=0)
    ax.set_title(_("Worth of a new customer over her cost; left of the line she costs more than she brings"))
    return ax
