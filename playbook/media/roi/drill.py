"""Returns on advertising, cut by some dimensions and within others; whatever the cut, the rows add up to the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from ...language import _
from ...missing import answers
from .cube import DIMENSIONS, Cube


@answers("What did the money spent on advertising bring back?")
def drill(
    of: Cube, *, by: Sequence[str], where: Mapping[str, str] | None = None,
    basis: Literal["margin", "sales"] = "margin", level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What did the money spent on advertising bring back, by some of the dimensions and within some of them?

    Spending that is not told by a dimension (product, mostly region) is shared out by sales; sales that are not told by
    campaign are shared out by what the advertising platforms claim. Whatever the cut, the rows add up to the same.

    Parameters
    ----------
    of : Cube
    by : sequence of str
        Out of `DIMENSIONS`.
    where : mapping, optional
        Dimension → value to look within.
    basis : {"margin", "sales"}
        What counts as gain: what is left after goods, fees and carriage, or net sales.

    Returns
    -------
    DataFrame
        [*by], orders, sales, returned, goods, fees, carriage, net_sales, margin (what is left of net sales), spend,
        claimed (money), profit (gain less spend), contribution (part of all margin), roas (net sales over spend), roi
        (profit over spend), each with _low and _high (of orders by chance), claimed_roas. Nothing spent: NaN. Rows are
        by spend, then by net sales. ``attrs``: by,
        where, basis, credited, notes.

    Raises
    ------
    ValueError
        There is no such dimension or basis, or campaigns are asked for beside what only sales tell.
    """
    by, where = list(by), dict(where or {})
    asked = [*by, *where]
    if unknown := [d for d in asked if d not in DIMENSIONS]:
        raise ValueError(
            _("there is no {what} {name!r}; there is: {known}").format(
                what=_("dimension"), name=unknown[0], known=", ".join(DIMENSIONS)
            )
        )
    if basis not in ("margin", "sales"):
        raise ValueError(_("{basis!r} is no basis; write margin or sales").format(basis=basis))
    by_claims = "campaign" in asked and "campaign" not in of.sales_by
    if by_claims and (wrong := [d for d in asked if d not in ("channel", "campaign", "month")]):
        raise ValueError(
            _("orders do not tell their campaign, so campaigns cannot be cut by {name}").format(name=wrong[0])
        )
    shared = [d for d in by if d in of.spend_by]
    paid = _sum_spend(of, shared, {k: v for k, v in where.items() if k in of.spend_by})
    frame = _by_claims(of, by, where, paid) if by_claims else _by_sales(of, by, where, shared, paid)
    frame["net_sales"] = frame["sales"] - frame["returned"]
    frame["margin"] = frame["kept"]
    gain = frame["margin"] if basis == "margin" else frame["net_sales"]
    frame["profit"] = gain - frame["spend"]
    whole = float(frame["margin"].sum())
    frame["contribution"] = frame["margin"] / whole if whole > 0 else math.nan
    spend = frame["spend"].where(frame["spend"] > 0)
    half = float(stats.norm.ppf(0.5 + level / 2))
    squares = {"roas": frame["net_squares"], "roi": frame["kept_squares" if basis == "margin" else "net_squares"]}
    for name, value in (("roas", frame["net_sales"]), ("roi", frame["profit"])):
        spread = half * np.sqrt(squares[name])
        frame[name] = value / spend
        frame[f"{name}_low"], frame[f"{name}_high"] = (value - spread) / spend, (value + spread) / spend
    frame["claimed_roas"] = frame["claimed"] / spend
    frame = frame.drop(columns=["kept", "net_squares", "kept_squares"])
    if by == ["month"]:
        frame = frame.sort_values("month", ignore_index=True)
    else:
        frame = frame.sort_values(
            ["spend", "net_sales", *by], ascending=[False, False] + [True] * len(by), ignore_index=True
        )
    notes = [*of.notes, _notes(frame)]
    frame.attrs = {"by": by, "where": where, "basis": basis, "credited": of.credited, "notes": [n for n in notes if n]}
    return frame


_SUMS = ("orders", "sales", "returned", "goods", "fees", "carriage", "kept", "net_squares", "kept_squares")


def _sum_spend(of: Cube, by: Sequence[str], where: Mapping[str, str]) -> pd.DataFrame:
    rows = of.spend
    for name, value in where.items():
        rows = rows.filter(rows[name] == value)
    sums = {"spend": rows.spend.sum().fill_null(0), "claimed": rows.claimed.sum()}
    found = (rows.group_by(*by).aggregate(**sums) if by else rows.aggregate(**sums)).to_pandas()
    found[["spend", "claimed"]] = found[["spend", "claimed"]].astype(float)
    return _named(found, by)


def _sum_sales(of: Cube, by: Sequence[str], where: Mapping[str, str]) -> pd.DataFrame:
    """Sums over lines, and of squares over orders: a line is no order of its own."""
    rows = of.sales
    for name, value in where.items():
        rows = rows.filter(rows[name] == value)
    money = ("amount", "returned", "goods", "fees", "carriage", "kept")
    exact = {c: rows[c].cast("decimal(38, 8)").sum() for c in money}  # sums of doubles differ from run to run
    per = rows.group_by("key", *by).aggregate(**exact)
    net = (per.amount - per.returned).cast("float64")
    sums = {c: per[c].sum().cast("float64") for c in money} | {
        "orders": per.key.nunique(),
        "net_squares": (net * net).cast("decimal(38, 6)").sum().cast("float64"),
        "kept_squares": (per.kept.cast("float64") ** 2).cast("decimal(38, 6)").sum().cast("float64"),
    }
    found = (per.group_by(*by).aggregate(**sums) if by else per.aggregate(**sums)).to_pandas()
    return _named(found.rename(columns={"amount": "sales"}), by).fillna(dict.fromkeys(_SUMS, 0.0))


def _named(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    for name in by:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "")
    return frame


def _by_sales(
    of: Cube, by: list[str], where: Mapping[str, str], shared: list[str], paid: pd.DataFrame
) -> pd.DataFrame:  # fmt: skip
    rows = _sum_sales(of, by, where)
    whole = _sum_sales(of, shared, {k: v for k, v in where.items() if k in of.spend_by})
    whole = whole[[*shared, "sales"]].rename(columns={"sales": "_whole"})
    if shared:
        paid = paid.merge(whole, on=shared, how="left")
        frame = rows.merge(paid, on=shared, how="left")
    else:
        paid = paid.assign(_whole=float(whole["_whole"].iloc[0]))
        frame = rows.assign(**{c: float(paid[c].iloc[0]) for c in ("spend", "claimed", "_whole")})
    part = (frame["sales"] / frame["_whole"].where(frame["_whole"] > 0)).fillna(0.0)
    frame["spend"], frame["claimed"] = frame["spend"].fillna(0.0) * part, frame["claimed"] * part
    inside = [d for d in where if d not in of.spend_by]
    idle = paid[(paid["_whole"].fillna(0) <= 0) & (paid["spend"] > 0)]
    if len(idle) and not inside:  # money that nothing was sold for is nobody's part, and still spent
        lost = idle[[*shared, "spend", "claimed"]].assign(**dict.fromkeys(_SUMS, 0.0))
        frame = (
            frame[~frame[shared].apply(tuple, axis=1).isin(lost[shared].apply(tuple, axis=1))]
            if shared
            else frame.iloc[:0]
        )
        frame = pd.concat([frame, lost], ignore_index=True)
        frame[by] = frame[by].fillna("")
    return frame.drop(columns="_whole")


def _by_claims(of: Cube, by: list[str], where: Mapping[str, str], paid: pd.DataFrame) -> pd.DataFrame:
    """Sales of a channel shared out over its campaigns by what the advertising platforms claim for them."""
    fine = list(dict.fromkeys(["channel", *by]))
    coarse = [d for d in fine if d != "campaign"]
    told = _sum_spend(of, fine, where) if "campaign" in by else _sum_spend(of, coarse, where)
    whole = _sum_spend(of, coarse, {k: v for k, v in where.items() if k != "campaign"})
    told = told.merge(whole[[*coarse, "claimed"]].rename(columns={"claimed": "_all"}), on=coarse)
    sales = _sum_sales(of, coarse, {k: v for k, v in where.items() if k != "campaign"})
    frame = told.merge(sales, on=coarse, how="left").fillna(dict.fromkeys(_SUMS, 0.0))
    part = (frame["claimed"] / frame["_all"].where(frame["_all"] > 0)).fillna(0.0)
    for c in _SUMS:
        frame[c] = frame[c] * part
    return (
        frame.drop(columns="_all").groupby(by, as_index=False).sum(numeric_only=True)
        if by
        else frame.drop(columns="_all")
    )


def _notes(frame: pd.DataFrame) -> str:
    free = int((frame["spend"] <= 0).sum())
    if not free:
        return ""
    return _("Nothing was spent on {n} of these, so there is no return on it.").format(n=free)
