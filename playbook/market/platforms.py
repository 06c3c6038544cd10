"""Platforms: which are worth selling on, by scores and weights, and what our own numbers say beside them."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import _, listing, term
from ..methods.scoring import scores
from ..missing import Missing, answers, quietly
from . import scored

FEES = ("commission", "service_fee", "ad_fee", "shipping_insurance", "payment_fee")
"""Kinds of bookings of a settlement that are the platform's price."""


@answers("Which platform suits us best?")
def scorecard(
    assessments: ibis.Table, *, topic: str = "platforms", least: float = 5.0, seed: int = 7, draws: int = 10_000
) -> pd.DataFrame:
    """Which platform suits us best, and does that depend on how the criteria are weighted?

    A criterion with the weight 0 is a must-have: who scores below `least` on it is out, whatever else it scores.

    Parameters
    ----------
    assessments : Table
        Canonical `assessments`: subject (a platform), criterion, score (0 to 10), weight.
    topic : str
        Which table of scores.
    least : float
        That a must-have needs.
    seed, draws : int
        Of the weights that are drawn around those given.

    Returns
    -------
    DataFrame
        One row a platform, the best first, those that are out last: platform, rank, score (0 to 1), the criteria (0 to
        10), first (share of drawn weights under which it comes first), same (in which it keeps its rank), out (what it
        lacks). ``attrs``: `criteria` (criterion → weight), `day`.

    References
    ----------
    `playbook.methods.scoring.scores`.
    """
    table = scored.matrix(assessments, topic)
    if isinstance(table, Missing):
        return table
    given = table.attrs["weights"]
    weights = {c: w for c, w in given.items() if w > 0}
    needed = {c: least for c, w in given.items() if w == 0}
    found = scores(table, weights, must_have=needed, rng=scored.generator(seed), draws=draws)
    found["rank"] = found["rank"].astype("Int64")
    criteria = [c for c in table.columns if c in weights]
    frame = found[["rank", "score"]].join(table[criteria]).join(found[["first", "same", "out"]])
    frame = frame.rename_axis("platform").reset_index()
    total = sum(weights.values())
    frame.attrs = {"criteria": {c: weights[c] / total for c in criteria}, "day": table.attrs["day"]}
    return frame


@answers("What do our own numbers say of each platform?", needs={"settlements": ["platform"]})
def own_numbers(measured: pd.DataFrame, sized: pd.DataFrame | None, settlements: ibis.Table | None) -> pd.DataFrame:
    """What do the market and our own books say of each platform?

    Parameters
    ----------
    measured : DataFrame
        ``measure(shop, ["net_sales", "refund_rate"], by=["platform"])``.
    sized : DataFrame, optional
        `size.sizes` by platform.
    settlements : Table, optional
        Canonical `settlements`.

    Returns
    -------
    DataFrame
        One row a platform: platform, part (share of our net sales), refund_rate, and where known market_part (share of
        the market), market_trend (a year), fees (booked fees as a share of what was paid out).
    """
    wide = measured.pivot_table(index="platform", columns="metric", values="value", sort=False, dropna=False)
    frame = pd.DataFrame({"part": wide["net_sales"] / wide["net_sales"].sum()})
    if "refund_rate" in wide:
        frame["refund_rate"] = wide["refund_rate"]
    if sized is not None:
        about = sized[sized["platform"] != ""].set_index("platform")
        frame = frame.reindex(frame.index.union(about.index, sort=False))
        frame["market_part"] = about["size"] / about["size"].sum()
        frame["market_trend"] = about["trend"]
    if settlements is not None:
        rows = settlements if isinstance(settlements, ibis.Table) else ibis.memtable(settlements)
        fee, paid = rows.kind.isin(FEES), rows.kind == "payout"
        booked = rows.group_by("platform").aggregate(
            fees=(-rows.amount).sum(where=fee), paid=rows.amount.sum(where=paid)
        ).to_pandas().set_index("platform").astype(float)  # fmt: skip
        frame["fees"] = booked["fees"] / booked["paid"].where(booked["paid"] > 0)
    return frame.rename_axis("platform").sort_values("part", ascending=False).reset_index()


@answers("Which platform should come first?")
def findings(card: pd.DataFrame, *, firm: float = 0.8) -> list[Finding]:
    """Which platform comes first, how firmly, and which are out?

    Parameters
    ----------
    card : DataFrame
        Of `scorecard`.
    firm : float
        Share of drawn weights from which on the first place counts as firm.
    """
    found: list[Finding] = []
    running = card[card["rank"].notna()]
    if len(running) > 1:
        best, second = running.iloc[0], running.iloc[1]
        sure = best["first"] >= firm
        text = (
            _("{platform} suits us best, and stays first in {first} of all weightings around ours; {second} is next.")
            if sure
            else _("{platform} scores best, but only in {first} of all weightings around ours; {second} is as good.")
        ).format(
            platform=term("platform", best["platform"]),
            second=term("platform", second["platform"]),
            first=style.value(best["first"], "share", digits=0),
        )
        figure = Figure("platform_score", best["score"], "share", by={"platform": best["platform"]})
        verdict: Verdict = "hold" if sure else "watch"
        found.append(Finding(verdict, text, None, (figure,)))
    if len(out := card[card["out"].fillna("") != ""]):
        text = _("Out of the question, whatever else they score: {platforms}. They lack what we cannot do without.")
        found.append(Finding("hold", text.format(platforms=listing(term("platform", p) for p in out["platform"]))))
    return found


@quietly
def plot_scorecard(card: pd.DataFrame) -> Axes:
    """What each criterion adds to the score of each platform; how often it is first under others stands behind."""
    rows, criteria = card[::-1].reset_index(drop=True), card.attrs["criteria"]
    ax = style.axes(height=1.5 + 0.5 * len(rows))
    left = np.zeros(len(rows))
    for i, (criterion, weight) in enumerate(criteria.items()):
        width = rows[criterion].fillna(0).to_numpy() * weight / 10
        colour = style.CATEGORIES[i % len(style.CATEGORIES)]
        bars = ax.barh(rows.index, width, left=left, color=colour, height=0.6, label=criterion)
        for bar, gone in zip(bars, rows["out"] != "", strict=True):
            bar.set_alpha(0.25 if gone else 1.0)
        left = left + width
    for y, row in rows.iterrows():
        text = _("{score} · first in {first} of weightings").format(
            score=style.value(row["score"], "share", digits=0), first=style.value(row["first"], "share", digits=0)
        )
        text = _("out: {what}").format(what=row["out"]) if row["out"] else text
        ax.annotate(text, (left[y], y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(rows.index, [term("platform", p) for p in rows["platform"]])
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlim(0, 1.28)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    style.share_axis(ax, which="x")
    parts: Any = ax.get_legend_handles_labels()
    ax.legend(
        [bar[-1] for bar in parts[0]],
        parts[1],
        ncol=min(5, len(criteria)),
        loc="upper center",
        bbox_to_anchor=(0.45, -0.12),
    )
    ax.set_title(_("Which platform suits us, and what makes its score"))
    return ax
