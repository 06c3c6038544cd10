"""What follows from the profit of promotions, and how it looks."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...missing import answers, quietly
from ...outlook import Decision
from .promotions import STEPS


@quietly
def plot_waterfall(steps: pd.DataFrame, *, currency: str = "CNY") -> Axes:
    """From the margin of what a promotion added to its net profit, a bar a step."""
    ax = style.axes(height=1.2 + 0.45 * len(steps))
    rows = steps[::-1]
    names = [term("step", s) for s in rows["step"]]
    colours = [
        style.OWN if s == STEPS["net"] and a >= 0 else style.GOOD if a >= 0 else style.BAD
        for s, a in zip(rows["step"], rows["amount"], strict=True)
    ]
    ax.barh(names, rows["amount"], left=rows["starts"], color=colours, height=0.62)
    net = rows.iloc[0]
    if not math.isnan(net["low"]):
        spread = [[net["amount"] - net["low"]], [net["high"] - net["amount"]]]
        ax.errorbar([net["amount"]], [names[0]], xerr=spread, fmt="none", ecolor=style.INK, capsize=4)
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        edge = max(row["starts"], row["starts"] + row["amount"], 0.0 if math.isnan(row["high"]) else row["high"])
        text = style.change_of_money(row["amount"], currency=currency)
        ax.annotate(text, (edge, name), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.18)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("{name}: from what it added to what it earned").format(name=steps.attrs["name"]))
    return ax


@quietly
def plot_profit(profit: pd.DataFrame, *, currency: str = "CNY", top: int = 14) -> Axes | None:
    """Net profit of the promotions that can be told, with their intervals; nothing where there is none."""
    rows = profit.dropna(subset="net").tail(top)[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.2 + 0.42 * len(rows))
    names = [
        _("{name} ({day})").format(name=n, day=style.date(d)) for n, d in zip(rows["name"], rows["ends"], strict=True)
    ]
    place = np.arange(len(rows))  # two codes may have one word
    ax.set_yticks(place, names)
    ax.barh(place, rows["net"], color=[style.GOOD if v >= 0 else style.BAD for v in rows["net"]], height=0.6)
    spread = [rows["net"] - rows["net_low"], rows["net_high"] - rows["net"]]
    ax.errorbar(rows["net"], place, xerr=np.array(spread), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    for y, row in enumerate(rows.to_dict("records")):
        text = style.change_of_money(row["net"], currency=currency)
        ax.annotate(text, (row["net_high"], y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.16)
    style.money_axis(ax, currency, which="x")
    ax.set_title(_("What promotions earned beside what would have been earned without them"))
    return ax


@quietly
def plot_spillover(spread: pd.DataFrame) -> Axes | None:
    """The change of each category while the promotion ran, beside the others, with its interval."""
    rows = spread.dropna(subset="effect")[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.1 + 0.42 * len(rows))
    names = [term("category", c) for c in rows["category"]]
    colours = [style.OWN if p else style.COMPARISON for p in rows["promoted"]]
    place = np.arange(len(rows))  # two codes may have one word
    ax.set_yticks(place, names)
    ax.barh(place, rows["effect"], color=colours, height=0.6)
    sides = [rows["effect"] - rows["effect_low"], rows["effect_high"] - rows["effect"]]
    ax.errorbar(rows["effect"], place, xerr=np.array(sides), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.share_axis(ax, which="x")
    ax.set_title(_("Orders while it ran, beside what the other categories lead to expect; the promoted one is dark"))
    return ax


@answers("Which promotions should not come again?")
def findings(profit: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which promotions lost money, and what did they earn together?

    Parameters
    ----------
    profit : DataFrame
        From `promotion_profit`.
    """
    known = profit.dropna(subset="net")
    if known.empty:
        return [Finding("hold", _("No promotion ran whose profit can be told."))]
    found = []
    for row in known[known["net"] < 0].to_dict("records"):
        sure = row["net_high"] < 0
        text = _(
            "“{name}” lost {loss} beside what would have been earned without it ({interval}): it gave away {given} and "
            "added a margin of {gain}."
        )
        if not sure:
            text = _(
                "“{name}” may have lost money: {loss} less than without it, but anything between {interval} is "
                "possible. It gave away {given} and added a margin of {gain}."
            )
        said = text.format(
            name=row["name"], loss=style.value(-row["net"], "currency", currency=currency),
            interval=style.interval(row["net_low"], row["net_high"], "currency", currency=currency),
            given=style.value(row["given"], "currency", currency=currency),
            gain=style.value(row["gain"], "currency", currency=currency),
        )  # fmt: skip
        by = {"promotion": str(row["promotion_id"])}
        figure = Figure("promotion_net", row["net"], "currency", row["net_low"], row["net_high"], by)
        found.append(Finding("act" if sure else "watch", said, -row["net"], (figure,)))
    earned = known[known["net_low"] > 0]
    if len(earned):
        text = _("{n} of {all} promotions surely earned more than without them: {names}.")
        said = text.format(n=len(earned), all=len(known), names=listing(earned["name"].tail(5)))
        found.append(Finding("hold", said, float(earned["net"].sum())))
    return found


@answers("Which promotions should not come again?")
def decisions(profit: pd.DataFrame, as_of: dt.datetime, period: str, *, level: float = 0.8) -> list[Decision]:
    """Not to repeat what surely lost money, and what that does to the sales of its category.

    Parameters
    ----------
    profit : DataFrame
        From `promotion_profit`.
    as_of : datetime
        From when on it can be done.
    period : str
        Label of the period over which the sales forgone are counted.
    """
    out = []
    rows = profit.dropna(subset=["net", "extra_sales"])
    for row in rows[rows["net_high"] < 0].to_dict("records"):
        narrower = stats.norm.ppf(0.5 + level / 2) / stats.norm.ppf(0.5 + profit.attrs["level"] / 2)
        half = (row["extra_sales_high"] - row["extra_sales_low"]) / 2 * narrower
        text = _(
            "Do not repeat “{name}”, and take it out of the plan for {category}: with it the shop sells more and earns "
            "less."
        ).format(name=row["name"], category=term("category", row["category"]))
        out.append(
            Decision(
                "end_promotion", text, _("Store operations"), as_of.date() + dt.timedelta(days=14), "net_sales", period,
                -row["extra_sales"], -row["extra_sales"] - half, -row["extra_sales"] + half, "currency", level=level,
                by={"category": str(row["category"])}, check="controls", stake=-row["net"],
            )
        )  # fmt: skip
        if any(d.by == out[-1].by for d in out[:-1]):  # one decision a category: the first, and only, is enough
            out.pop()
    return out
