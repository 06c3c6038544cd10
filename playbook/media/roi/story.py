"""What follows from the returns on advertising, and how they look."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...missing import answers, quietly
from .cube import CREDITED

UNITS = {
    "spend": "currency", "net_sales": "currency", "margin": "currency", "profit": "currency", "roas": "ratio",
    "roi": "share", "claimed_roas": "ratio",
}  # fmt: skip
COSTS = {
    "orders": "count", "sales": "currency", "returned": "currency", "goods": "currency", "fees": "currency",
    "carriage": "currency", "margin": "currency", "spend": "currency", "profit": "currency",
}  # fmt: skip
DRILLED = {
    "spend": "currency", "net_sales": "currency", "profit": "currency", "contribution": "share", "roas": "ratio",
    "roi": "share",
}  # fmt: skip


@answers("What did the money bring back?")
def brief(frame: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """The columns of a cut that `units` names, with their intervals."""
    wanted = [*frame.attrs["by"], *(f"{c}{end}" for c in units for end in ("", "_low", "_high"))]
    return frame[[c for c in wanted if c in frame]]


@answers("Which advertising has the lowest return?")
def costliest(frame: pd.DataFrame, *, by: str = "channel") -> str:
    """Which row with spending has the lowest ROI? Empty where nothing was spent."""
    known = frame.dropna(subset="roi")
    return str(known.loc[known["roi"].idxmin(), by]) if len(known) else ""


@answers("Which advertising earned its cost?")
def findings(by_channel: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which advertising cost more than what its orders left, and whose platform claims the most beyond them?

    Parameters
    ----------
    by_channel : DataFrame
        From `drill`, by channel. Where platforms leave much of the sales without a channel, a low return is a reason to
        look, not to act.
    """
    known = by_channel.dropna(subset="roi")
    if known.empty:
        return [Finding("hold", _("Nothing was spent on advertising, so there is no return on it."))]
    found, basis = [], by_channel.attrs["basis"]
    whole = by_channel.attrs["credited"] >= CREDITED
    losing = known[known["roi_high"] < 0].sort_values("profit")
    if len(losing) and not whole:
        text = _(
            "By the orders that platforms credit to them, {channels} did not earn back what they cost. But platforms "
            "tell the channel of {share} of sales only: look for the others before any budget is cut."
        )
        said = text.format(
            channels=listing(term("channel", c) for c in losing["channel"]),
            share=style.value(by_channel.attrs["credited"], "share"),
        )
        figures = tuple(
            Figure("roi", r["roi"], "share", r["roi_low"], r["roi_high"], {"channel": r["channel"]})
            for r in losing.to_dict("records")
        )
        found.append(Finding("watch", said, -float(losing["profit"].sum()), figures))
    for row in losing.to_dict("records") if whole else ():
        text = _(
            "{channel} cost {spend} and its orders left {margin}: {roi} of the money spent was not earned back, by the "
            "orders that platforms credit to it."
        )
        if basis == "sales":
            text = _(
                "{channel} cost {spend} and its orders were worth {sales}: {roi} of the money was not earned back."
            )
        said = text.format(
            channel=term("channel", row["channel"]), spend=style.value(row["spend"], "currency", currency=currency),
            margin=style.value(row["margin"], "currency", currency=currency), roi=style.value(-row["roi"], "share"),
            sales=style.value(row["net_sales"], "currency", currency=currency),
        )  # fmt: skip
        figure = Figure("roi", row["roi"], "share", row["roi_low"], row["roi_high"], {"channel": row["channel"]})
        found.append(Finding("act", said, -row["profit"], (figure,)))
    total, spend = float(known["profit"].sum()), float(known["spend"].sum())
    text = _("Advertising cost {spend} in all and left {profit} after all costs: {roi} of the money spent.")
    said = text.format(
        spend=style.value(spend, "currency", currency=currency),
        profit=style.value(total, "currency", currency=currency),
        roi=style.value(total / spend, "share"),
    )  # fmt: skip
    figures = (Figure("roi", total / spend, "share"), Figure("ad_profit", total, "currency"))
    found.append(Finding("watch" if total < 0 else "hold", said, abs(total), figures))
    claims = known[(known["claimed_roas"] > 0) & (known["roas"] > 0)]
    over = claims["claimed_roas"] / claims["roas"]
    if len(over) and over.max() > 1.2:
        row = claims.loc[over.idxmax()]
        text = _("{channel} claims {claimed} for each unit of money spent; the orders credited to it came to {roas}.")
        said = text.format(
            channel=term("channel", row["channel"]), claimed=style.value(row["claimed_roas"], "ratio"),
            roas=style.value(row["roas"], "ratio"),
        )  # fmt: skip
        found.append(Finding("watch", said, float((row["claimed_roas"] - row["roas"]) * row["spend"])))
    return found


@quietly
def plot_return(by_channel: pd.DataFrame) -> Axes | None:
    """ROI of each channel with its interval, and ROAS in words beside it; nothing where nothing was spent."""
    rows = by_channel.dropna(subset="roi").sort_values("roi")
    if rows.empty:
        return None
    (by,) = by_channel.attrs["by"]
    ax = style.axes(height=1.2 + 0.42 * len(rows))
    names = [term(by, str(v)) or _("not stated") for v in rows[by]]
    place = np.arange(len(rows))  # two codes may have one word
    ax.set_yticks(place, names)
    ax.barh(place, rows["roi"], color=[style.GOOD if v >= 0 else style.BAD for v in rows["roi"]], height=0.6)
    spread = [rows["roi"] - rows["roi_low"], rows["roi_high"] - rows["roi"]]
    ax.errorbar(rows["roi"], place, xerr=np.array(spread), fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3)
    for y, row in enumerate(rows.to_dict("records")):
        text = _("{roi} · ROAS {roas}").format(
            roi=style.value(row["roi"], "share"), roas=style.value(row["roas"], "ratio")
        )
        ax.annotate(
            text, (max(row["roi_high"], 0), y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.axvline(0, color=style.NEUTRAL, linewidth=0.9)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.2)
    style.share_axis(ax, which="x")
    title = _("ROI on margin: what was left of the credited orders, less the advertising, over the advertising")
    if by_channel.attrs["basis"] == "sales":
        title = _("ROI on sales: net sales of the credited orders, less the advertising, over the advertising")
    ax.set_title(title)
    return ax
