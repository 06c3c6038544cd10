"""Explore a budget: what another total, reserve or cap on change leaves, over draws that are there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import ipywidgets as ipw
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..language import _
from ..media import budget as budgets
from ..missing import Missing
from .shell import Explorer, View, apply_style


def budget(
    made: budgets.Plan | Missing, spent: pd.DataFrame | Missing, wish: budgets.Wish | None = None
) -> Explorer | Missing:
    """Explore how a budget changes with its total, its reserve and how far a channel may move.

    Parameters
    ----------
    made : Plan
        Of `playbook.media.budget.plan`.
    spent : DataFrame
        Of `playbook.media.budget.today`.
    wish : Wish, optional
        What it was made with.
    """
    for part in (made, spent):
        if isinstance(part, Missing):
            return part
    assert isinstance(made, budgets.Plan) and isinstance(spent, pd.DataFrame)
    wish = wish or budgets.Wish()
    apply_style()
    total = made.total / 100
    controls = {
        "total": ipw.BoundedFloatText(
            round(total, 2), min=0.0, max=max(10 * total, 1.0), step=round(total / 20, 2) or 1.0,
            description=_("Total over the months, {currency}").format(currency=made.currency),
        ),
        "reserve": ipw.FloatSlider(100 * wish.reserve, min=0.0, max=50.0, step=1.0, description=_("Held back, %")),
        "most_change": ipw.FloatSlider(
            min(100 * wish.most_change, 100.0), min=0.0, max=100.0, step=5.0,
            description=_("A channel may change by, %"),
        ),
    }  # fmt: skip
    return Explorer(controls, partial(view, made, spent, wish))


def view(
    made: budgets.Plan, spent: pd.DataFrame, wish: budgets.Wish, *, total: float, reserve: float, most_change: float
) -> View:
    """The budget under these numbers; `reserve` and `most_change` in per cent."""
    now = replace(wish, total=total, reserve=reserve / 100, most_change=most_change / 100)
    verdict = "FAIL" if made.mode == "held" else "PASS"
    other = budgets.plan(
        spent, made.curves, worth=made.worth, months=made.months, wish=now, verdict=verdict, currency=made.currency
    )
    said = budgets.findings(other)[0].text
    code = (
        "budget.plan(spent, curves, worth=worth, months=months, "
        f"wish=budget.Wish(total={total:g}, reserve={reserve / 100:g}, most_change={most_change / 100:g}))"
    )

    def draw() -> Axes:
        ax = budgets.plot_beside(budgets.beside(other), currency=made.currency)
        return style.axes(height=1.0) if ax is None else ax

    return View(said, draw, code)
