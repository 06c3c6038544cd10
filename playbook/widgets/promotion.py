"""Try out a promotion on the shop's own baskets: what does it take off, what must it bring, what may it earn?"""

from __future__ import annotations

import math

import ipywidgets as ipw
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..language import _
from ..missing import Missing, answers
from ..offers.promotions import simulate
from ..offers.promotions.effects import Response
from .shell import Explorer, View, apply_style

KINDS = ("full_reduction", "repeat", "discount")
TRIED = range(5, 45, 5)
"""Per cent off in the picture."""


@answers("What would a promotion earn?")
def promotion(
    baskets: pd.DataFrame,
    response: Response | Missing | None = None,
    *,
    of_days: int,
    fees: float = 0.0,
    currency: str = "CNY",
    seed: int = 1,
) -> Explorer:
    """Explore what a promotion would do to past baskets.

    Parameters
    ----------
    baskets : DataFrame
        Of `history.baskets`.
    response : Response, optional
        Of `effects.response`: how sales answered to earlier promotions. Without it nothing is said of earnings.
    of_days : int
        Days that the baskets are of.
    fees : float
        Part of what is paid that platforms keep.
    """
    apply_style()
    money, usual = (
        style.SYMBOLS.get(currency, currency),
        float(np.average(baskets.value.astype(float), weights=baskets.orders)),
    )
    names = {
        "full_reduction": _("Off once a threshold is reached"),
        "repeat": _("Off each time the threshold is reached"),
        "discount": _("Off every price"),
    }
    controls = {
        "kind": ipw.Dropdown(options=[(names[k], k) for k in KINDS], description=_("Kind")),
        "threshold": ipw.IntSlider(
            max(10, round(1.3 * usual, -1)), min=10, max=max(100, round(5 * usual, -1)), step=10,
            description=_("Threshold, {money}").format(money=money),
        ),
        "off": ipw.IntSlider(12, min=1, max=50, description=_("Off, % of the threshold or price")),
        "days": ipw.IntSlider(7, min=1, max=60, description=_("For how many days")),
    }  # fmt: skip
    known = None if isinstance(response, Missing) else response

    def answer(kind: str, threshold: int, off: int, days: int) -> View:
        controls["threshold"].disabled = kind == "discount"
        return view(baskets, known, kind=kind, threshold=threshold, off=off, days=days, of_days=of_days, fees=fees,
                    currency=currency, seed=seed)  # fmt: skip

    return Explorer(controls, answer)


def view(
    baskets: pd.DataFrame,
    response: Response | None,
    *,
    kind: str,
    threshold: int,
    off: int,
    days: int,
    of_days: int,
    fees: float,
    currency: str,
    seed: int,
) -> View:
    """What a promotion of one kind and size does; `off` in per cent."""
    rule, scale = _rule(kind, threshold, off), days / of_days
    row = _told(baskets, response, [rule], scale, fees, currency, seed).iloc[0]
    said = [
        _("{rule}, for {days} days: {off} off, {depth} of all that is sold; {reached} of orders get it.").format(
            rule=row.rule,
            days=style.value(days, "count"),
            off=style.short(row.off * scale, "currency", currency=currency),
            depth=style.value(row.depth, "share"),
            reached=style.value(row.reached, "share", digits=0),
        )
    ]
    if math.isnan(row.margin):
        said.append(_("No cost is known, so what it must bring cannot be told."))
    elif math.isnan(row.breakeven):
        said.append(_("Each sale would lose money."))
    else:
        more = style.value(row.breakeven, "share")
        said.append(_("It breaks even when {more} more is sold.").format(more=more))
    if not math.isnan(row.earned):
        earned = _("Beside none it may earn {earned} ({interval}, 80%); the chance of a gain is {chance}.")
        said.append(
            earned.format(
                earned=style.short(row.earned, "currency", currency=currency),
                interval=style.interval(row.earned_low, row.earned_high, "currency", currency=currency),
                chance=style.chance(row.chance),
            )
        )
    elif response is not None:
        said.append(_("Nothing as deep or as shallow has been tried, so what it may earn cannot be told."))
    code = (
        f'simulate.expected(simulate.replay(baskets, "{rule}", fees={fees:g}), answer, '
        f"scale={days} / {of_days}, rng={seed})"
    )

    def draw() -> Axes:
        tried = _told(baskets, response, [_rule(kind, threshold, p) for p in TRIED], scale, fees, currency, seed)
        return plot_tried(tried.assign(percent=list(TRIED)), row, off, currency=currency)

    return View(" ".join(said), draw, code)


def _rule(kind: str, threshold: int, off: int) -> str:
    if kind == "discount":
        return f"discount {1 - off / 100:.2f}"
    return f"full_reduction {threshold}-{max(1, round(threshold * off / 100))}" + (
        " repeat" if kind == "repeat" else ""
    )


def _told(
    baskets: pd.DataFrame,
    response: Response | None,
    rules: list[str],
    scale: float,
    fees: float,
    currency: str,
    seed: int,
) -> pd.DataFrame:
    rows = [simulate.replay(baskets, rule, fees=fees, currency=currency) for rule in rules]
    return simulate.expected(pd.concat(rows, ignore_index=True), response, scale=scale, rng=seed)


def plot_tried(tried: pd.DataFrame, chosen: pd.Series, off: int, *, currency: str = "CNY") -> Axes:
    """What each size of the promotion may earn, with its 80 % interval; where that is unknown, what it must bring."""
    ax = style.axes(height=3.6)
    known = tried.dropna(subset="earned")
    if len(known):
        ax.fill_between(known.percent, known.earned_low, known.earned_high, color=style.OWN, alpha=0.2, linewidth=0)
        ax.plot(known.percent, known.earned, color=style.OWN, linewidth=2.2)
        if not math.isnan(chosen.earned):
            ax.plot([off], [chosen.earned], "o", color=style.OWN, markersize=9)
        ax.axhline(0, color=style.NEUTRAL, linewidth=0.9)
        style.money_axis(ax, currency)
        ax.set_title(_("What it may earn beside none, with the 80% interval"))
    else:
        ax.plot(tried.percent, tried.breakeven, color=style.OWN, linewidth=2.2)
        ax.plot([off], [chosen.breakeven], "o", color=style.OWN, markersize=9)
        style.share_axis(ax)
        ax.set_title(_("How much more has to be sold to earn as much as without it"))
    ax.set_xlabel(_("Off, % of the threshold or price"))
    return ax
