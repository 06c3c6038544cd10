"""Shares of the market: who has how much of it, how concentrated it is, and who gains on whom."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding
from ..language import _, term
from ..missing import Missing, answers, quietly
from . import panel


@answers("Who has which share of the market?", needs={"market": ["seller"]})
def shares(market: ibis.Table, brands: list[str] | None, *, category: str = "") -> pd.DataFrame:
    """Who has which share of the market, and who gained?

    Parameters
    ----------
    market : Table
        Canonical `market` with sellers.
    brands : list of str, optional
        Which sellers are we.
    category : str
        Only this one; empty: all.

    Returns
    -------
    DataFrame
        One row a seller, the largest first, those that are not named last: seller, size (currency, twelve months),
        share, before (share of the twelve months before), change (difference), ours. A Missing where nobody is named.
    """
    rows = _rows(market, category)
    if not (rows["seller"] != "").any():
        return Missing("market.seller", remedy=_("Give the market's rows the sellers whose sales are known."))
    now, before = panel.years(rows)
    sold = now[now["seller"] != ""].groupby("seller")["size"].sum()
    earlier = before[before["seller"] != ""].groupby("seller")["size"].sum()
    total, ago = panel.whole(now, ["day"]).sum(), panel.whole(before, ["day"]).sum()
    out = pd.DataFrame({"seller": sold.index, "size": sold.to_numpy()})
    out["share"] = out["size"] / total if total else np.nan
    out["before"] = out["seller"].map(earlier) / ago if ago else np.nan
    out["change"] = out["share"] - out["before"]
    out["ours"] = out["seller"].isin(brands or [])
    out = out.assign(_lump=panel.is_lump(out["seller"])).sort_values(["_lump", "size"], ascending=[True, False])
    return out.drop(columns="_lump").reset_index(drop=True)


@answers("How concentrated is the market?", needs={"market": ["seller"]})
def concentration(market: ibis.Table, *, by: str = "category") -> pd.DataFrame:
    """How concentrated is each part of the market?

    What a panel does not name is many small sellers at least, and at most some as large as the smallest that is named:
    between these two lies the index.

    Parameters
    ----------
    market : Table
        Canonical `market` with sellers.
    by : {"category", "platform"}
        Parts.

    Returns
    -------
    DataFrame
        `by`, sellers (named), leader, cr3, cr5 (shares of the three and five largest; where fewer are named, the middle
        of cr5_low and cr5_high), named (share of all that are), hhi (index of Herfindahl and Hirschman, 0 to 1,
        middle of hhi_low and hhi_high); all parts
        together last (empty name).

    References
    ----------
    Hirschman, A. O. (1964). The paternity of an index. American Economic Review 54, 761.
    """
    if by not in market.columns:
        return Missing(f"market.{by}", remedy=_("Give the table of the market a column {name}.").format(name=by))
    now, _before = panel.years(panel.panel(market, [by]))
    parts = [_concentrated(of, by, str(name)) for name, of in now.groupby(by)]
    frame = pd.DataFrame([*parts, _concentrated(now, by, "")])
    frame.attrs["titles"] = {"cr3": "CR3", "cr5": "CR5", "hhi": "HHI"}
    return frame


def _concentrated(rows: pd.DataFrame, by: str, name: str) -> dict:
    total = rows.loc[rows["seller"] == "", "size"].sum()
    named = rows[(rows["seller"] != "") & ~panel.is_lump(rows["seller"])].groupby("seller")["size"].sum()
    share = (named[named > 0] / total).sort_values(ascending=False) if total else named.iloc[:0]
    low = float((share**2).sum())
    rest = max(0.0, 1 - float(share.sum()))
    high = low + rest * (float(share.iloc[-1]) if len(share) else 1.0)
    nothing = not len(share)

    def largest(k: int) -> tuple[float, float]:
        """At least those that are named, at most as many more of the smallest's size as lack."""
        known, lacking = float(share.head(k).sum()), max(0, k - len(share))
        return known, known + (min(rest, lacking * float(share.iloc[-1])) if len(share) else np.nan)

    (cr3, cr3_high), (cr5, cr5_high) = largest(3), largest(5)
    return {
        by: name,
        "sellers": len(share),
        "leader": "" if nothing else str(share.index[0]),
        "cr3": np.nan if nothing else (cr3 + cr3_high) / 2,
        "cr3_low": cr3 if cr3_high > cr3 else np.nan,
        "cr3_high": cr3_high if cr3_high > cr3 else np.nan,
        "cr5": np.nan if nothing else (cr5 + cr5_high) / 2,
        "cr5_low": cr5 if cr5_high > cr5 else np.nan,
        "cr5_high": cr5_high if cr5_high > cr5 else np.nan,
        "named": float(share.sum()),
        "hhi": np.nan if nothing else (low + high) / 2,
        "hhi_low": np.nan if nothing else low,
        "hhi_high": np.nan if nothing else high,
    }


@answers("How did the shares move?", needs={"market": ["seller"]})
def share_history(market: ibis.Table, brands: list[str] | None, *, category: str = "", top: int = 5) -> pd.DataFrame:
    """How did the shares of the largest sellers and of ours move?

    Returns
    -------
    DataFrame
        day (last of the period), seller, share (moving over a year's periods, so that seasons do not show), ours.
    """
    rows = _rows(market, category)
    sold = rows.pivot_table(index="day", columns="seller", values="size", aggfunc="sum").fillna(0.0)
    n = min(panel.a_year(panel.by_period(sold.index)), len(sold))
    moving = sold.rolling(n).sum().dropna()
    share = moving.drop(columns="").div(moving[""].replace(0.0, np.nan), axis=0)
    keep = [s for s in share.columns[~panel.is_lump(share.columns.to_series())]]
    ranked = sorted(keep, key=lambda s: (s not in (brands or []), -share[s].iloc[-1]))[: top + 1]
    out = share[ranked].stack().rename("share").reset_index()
    out["ours"] = out["seller"].isin(brands or [])
    return out


def _rows(market: ibis.Table, category: str) -> pd.DataFrame:
    market = market if isinstance(market, ibis.Table) else ibis.memtable(market)
    if category:
        market = market.filter(market.category == category)
    return panel.panel(market, [])


@answers("Who gains on whom?")
def findings(shared: pd.DataFrame, *, level: float = 0.002, currency: str) -> list[Finding]:
    """Did we gain share, and who gained most?

    Parameters
    ----------
    shared : DataFrame
        Of `shares`.
    level : float
        Change of share from which on it is worth a sentence.
    currency : str
        Of the stakes: what the change of our share is worth a month.
    """
    found: list[Finding] = []
    month = shared["size"].sum() / 12
    for row in shared[shared["ours"] & (shared["change"].abs() >= level)].to_dict("records"):
        text = _("Our share of the market went from {before} to {share} in twelve months.")
        text = text.format(before=style.value(row["before"], "share"), share=style.value(row["share"], "share"))
        figure = Figure("market_share", row["share"], "share")
        found.append(Finding("watch" if row["change"] < 0 else "hold", text, abs(row["change"]) * month, (figure,)))
    rivals = shared[~shared["ours"] & ~panel.is_lump(shared["seller"])].dropna(subset="change")
    if len(rivals) and (best := rivals.loc[rivals["change"].idxmax()])["change"] >= level:
        text = _("{seller} gained the most share: {change}, and now has {share}.").format(
            seller=best["seller"],
            change=style.change(best["change"], "share"),
            share=style.value(best["share"], "share"),
        )
        figure = Figure("market_share_change", best["change"], "share", by={"seller": best["seller"]})
        found.append(Finding("watch", text, best["change"] * month, (figure,)))
    return found


@quietly
def plot_share_history(history: pd.DataFrame) -> Axes:
    """The shares of the largest sellers over time; ours is the strong line."""
    ax = style.axes(height=4.0)
    others = [s for s in history["seller"].unique() if not history.loc[history["seller"] == s, "ours"].any()]
    colours = dict(zip(others, [c for c in style.CATEGORIES if c != style.OWN], strict=False))
    ends = history.groupby("seller")["share"].last().sort_values()
    apart = 0.055 * (history["share"].max() * 1.1)
    at = -np.inf
    for seller, end in ends.items():
        mine = history[history["seller"] == seller]
        own = bool(mine["ours"].iloc[0])
        colour = style.OWN if own else colours.get(seller, style.COMPARISON)
        ax.plot(mine["day"], mine["share"], color=colour, linewidth=3.0 if own else 1.6)
        at = max(end, at + apart)
        style.direct_label(ax, mine["day"].iloc[-1], at, term("seller", str(seller)), colour)
    ax.set_ylim(bottom=0, top=max(at, history["share"].max()) * 1.08)
    style.share_axis(ax)
    style.date_axis(ax)
    ax.set_title(_("Share of the market, over twelve months each"))
    return ax
