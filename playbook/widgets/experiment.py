"""Plan an experiment: how many people and days does it need to see an effect of a given size?"""

from __future__ import annotations

import math

import ipywidgets as ipw
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..language import _
from ..methods import testing
from .shell import Explorer, View, apply_style

POWERS = (0.7, 0.8, 0.9, 0.95)
ALPHAS = (0.01, 0.05, 0.10)


def experiment(rate: float = 0.03, *, per_day: int = 1000) -> Explorer:
    """Explore how large an experiment on a conversion rate must be.

    Parameters
    ----------
    rate : float
        Today's rate, a fraction.
    per_day : int
        Persons that come a day, all arms together.
    """
    apply_style()
    controls = {
        "rate": ipw.BoundedFloatText(100 * rate, min=0.01, max=99.0, step=0.1, description=_("Rate today, %")),
        "lift": ipw.FloatSlider(10.0, min=1.0, max=50.0, step=0.5, description=_("Effect to be seen, % more")),
        "per_day": ipw.BoundedIntText(per_day, min=1, max=100_000_000, description=_("Persons a day, all arms")),
        "arms": ipw.IntSlider(2, min=2, max=6, description=_("Arms, with the control")),
        "power": ipw.SelectionSlider(
            options=[(style.value(p, "share", digits=0), p) for p in POWERS], value=0.8,
            description=_("Chance of seeing it"),
        ),
        "alpha": ipw.SelectionSlider(
            options=[(style.value(a, "share", digits=0), a) for a in ALPHAS], value=0.05,
            description=_("Chance of a false alarm"),
        ),
    }  # fmt: skip
    return Explorer(controls, view)


def view(rate: float, lift: float, per_day: int, arms: int, power: float, alpha: float) -> View:
    """What an experiment with these numbers asks for; `rate` and `lift` in per cent."""
    plan = testing.design(rate / 100, lift=lift / 100, arms=arms, power=power, alpha=alpha, per_day=per_day)
    row = plan.iloc[0]
    sentence = _(
        "{units} persons, {per_arm} in each arm, for {days} days: then a rise from {rate} to {raised} is seen with "
        "{power}."
    ).format(
        units=style.value(row.units, "count"), per_arm=style.value(row.per_arm, "count"),
        days=style.value(row.days, "count"), rate=style.value(rate / 100, "share"),
        raised=style.value(rate / 100 * (1 + lift / 100), "share"), power=style.value(power, "share", digits=0),
    )  # fmt: skip
    code = (
        f"testing.design({rate / 100:g}, lift={lift / 100:g}, arms={arms}, power={power:g}, alpha={alpha:g}, "
        f"per_day={per_day})"
    )

    def draw() -> Axes:
        sizes = np.unique(np.geomspace(max(2.0, row.per_arm / 8), row.per_arm * 3, 24).astype(int))
        chances = testing.power_curve(
            rate / 100, lifts=[lift / 100], per_arm=sizes.tolist(), alpha=alpha, comparisons=arms - 1
        )
        return plot_power(chances, row)

    return View(sentence, draw, code)


def plot_power(chances: pd.DataFrame, plan: pd.Series) -> Axes:
    """The chance of seeing the effect by the size of an arm; the point is the plan."""
    ax = style.axes(height=3.4)
    ax.plot(chances["per_arm"], chances["power"], color=style.OWN, linewidth=2.2)
    ax.plot([plan["per_arm"]], [plan["power"]], "o", color=style.OWN, markersize=9)
    if not math.isnan(plan["days"]):
        said = _("{n} an arm, {days} days").format(
            n=style.value(plan["per_arm"], "count"), days=style.value(plan["days"], "count")
        )
        style.direct_label(ax, plan["per_arm"], plan["power"] - 0.06, said, style.OWN)
    style.count_axis(ax, which="x")
    style.share_axis(ax)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel(_("Persons in each arm"))
    ax.set_title(_("Chance of seeing the effect"))
    return ax
