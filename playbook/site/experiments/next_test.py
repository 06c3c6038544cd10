"""What to test next: where on the site an effect is seen soonest, and the experiment that would see it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ... import style
from ...language import _
from ...methods import testing
from ...missing import Missing, answers
from ...period import Period
from ..funnel.steps import step_name
from .results import TITLES

CANDIDATES = {
    "rate": "share",
    "per_day": "count",
    "units": "count",
    "days": "days",
    "mde": "share",
    "worth": "currency",
}
DESIGN = {"lift": "share", "to": "share", "per_arm": "count", "units": "count", "days": "days", "power": "share"}

LIFT = 0.10
LONGEST = 56
"""Days after which an experiment is too long: seasons change, cookies go."""
SHORTEST = 14
"""Days that it takes at least: a week to get used to what is new, and a week after it."""


@answers("Where on the site is an effect seen soonest?")
def candidates(
    steps: pd.DataFrame, values: pd.DataFrame, *, within: Period, lift: float = LIFT, longest: int = LONGEST,
    arms: int = 2,
) -> pd.DataFrame:  # fmt: skip
    """How long would an experiment on each step of the funnel take?

    Parameters
    ----------
    steps : DataFrame
        `playbook.site.funnel.steps` of `within`.
    values : DataFrame
        `playbook.site.funnel.order_values` of `within`.
    within : Period
    lift : float, default 0.1
        Effect to be seen, as a part of today's rate.
    longest : int, default 56
        Days that an experiment may take.
    arms : int

    Returns
    -------
    DataFrame
        One row a step, the soonest first: step, rate (of those who came to the step before), per_day (who come to the
        step before), units and days for `lift` (NaN: it cannot be had from such a rate), mde (smallest lift seen in
        `longest` days), worth (sales of the period that the lift would add, if the later steps stay as they are).
    """
    whole = values[values["part"] == ""]
    total = float(whole["total"].iloc[0]) if len(whole) else float("nan")
    lines = []
    for before, row in zip(steps.to_dict("records"), steps.to_dict("records")[1:], strict=False):
        rate, a_day = row["step_rate"], before["n"] / within.days
        if not 0 < rate < 1 or not a_day > 0:
            continue
        line = {"step": row["step"], "rate": rate, "rate_low": row["step_rate_low"], "rate_high": row["step_rate_high"],
                "per_day": a_day, "units": float("nan"), "days": float("nan"), "worth": lift * total}  # fmt: skip
        if rate * (1 + lift) < 1:
            plan = testing.design(rate, lift=lift, per_day=a_day, arms=arms).iloc[0]
            line |= {"units": plan["units"], "days": max(plan["days"], SHORTEST)}
        most = int(a_day * longest / arms)
        line["mde"] = testing.design(rate, per_arm=most, arms=arms)["lift"].iloc[0] if most > 1 else float("nan")
        lines.append(line)
    columns = ["step", "rate", "rate_low", "rate_high", "per_day", "units", "days", "mde", "worth"]
    frame = pd.DataFrame(lines, columns=columns).sort_values(["days", "units"], ignore_index=True)
    notes = [] if len(frame) else [_("not enough data: needs visitors who pass a step and others who do not")]
    frame.attrs = {"notes": notes, "titles": TITLES, "lift": lift, "longest": longest, "arms": arms}
    return frame


@answers("What do we test next?")
def soonest(places: pd.DataFrame) -> pd.DataFrame:
    """The step at which the effect is seen soonest: one row of `candidates`, or none."""
    first = places.dropna(subset="days").head(1).reset_index(drop=True)
    first.attrs = dict(places.attrs)
    return first


@answers("How large is the experiment?")
def design(
    place: pd.DataFrame, *, lifts: Sequence[float] = (0.03, 0.05, 0.1, 0.15, 0.2), power: float = 0.8,
    alpha: float = 0.05,
) -> pd.DataFrame:  # fmt: skip
    """How many visitors and days does the experiment need, for effects of several sizes?

    Returns
    -------
    DataFrame
        One row a lift: lift, to (the rate that it leads to), per_arm, units, days, power.
    """
    frame = pd.DataFrame(columns=list(DESIGN))
    if len(place):
        row, arms = place.iloc[0], place.attrs["arms"]
        there = [x for x in lifts if row["rate"] * (1 + x) < 1]
        made = testing.design(row["rate"], lift=there, per_day=row["per_day"], arms=arms, power=power, alpha=alpha)
        frame = made.assign(to=row["rate"] + made["effect"], days=made["days"].clip(lower=SHORTEST))[list(DESIGN)]
    frame.attrs = {**place.attrs, "alpha": alpha, "asked": power}
    return frame


@answers("How does the chance of seeing the effect grow with time?")
def chances(place: pd.DataFrame, *, lifts: Sequence[float] = (0.03, 0.05, 0.1), alpha: float = 0.05) -> pd.DataFrame:
    """The chance of seeing effects of several sizes, week by week: lift, weeks, power."""
    if place.empty:
        return pd.DataFrame(columns=["lift", "weeks", "power"])
    row, arms = place.iloc[0], place.attrs["arms"]
    weeks = range(1, place.attrs["longest"] // 7 + 1)
    sizes = {max(2, int(row["per_day"] * 7 * w / arms)): w for w in weeks}
    there = [x for x in lifts if row["rate"] * (1 + x) < 1]
    made = testing.power_curve(row["rate"], lifts=there, per_arm=list(sizes), alpha=alpha, comparisons=arms - 1)
    frame = made.assign(weeks=made["per_arm"].map(sizes))[["lift", "weeks", "power"]]
    frame.attrs = dict(place.attrs)
    return frame


@answers("How is the experiment carried out?")
def five_steps(place: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """The next experiment in the five steps: hypothesis, design, collection, analysis, application.

    Returns
    -------
    DataFrame
        phase, what (a sentence).
    """
    columns = ["phase", "what"]
    lift = place.attrs["lift"]
    mine = plan[(plan["lift"] - lift).abs() < 1e-9]
    if place.empty or mine.empty:
        return pd.DataFrame(columns=columns)
    row, size = place.iloc[0], mine.iloc[0]
    words = {
        "step": step_name(str(row["step"])),
        "rate": style.value(row["rate"], "share"),
        "to": style.value(size["to"], "share"),
        "units": style.value(size["units"], "count"),
        "per_arm": style.value(size["per_arm"], "count"),
        "days": style.value(row["days"], "count"),
        "power": style.value(plan.attrs["asked"], "share", digits=0),
        "alpha": style.value(plan.attrs["alpha"], "share", digits=0),
    }
    said = {
        "hypothesis": _("A change at “{step}” raises its rate from {rate} to {to} or more."),
        "design": _(
            "Visitors are split at random into equal arms, {per_arm} in each, {units} in all, over {days} days: then "
            "the rise is seen with {power}, and one that is not there with {alpha}."
        ),
        "collection": _(
            "Who was given which arm, who saw it, who bought and for how much; the split is checked first, and nobody "
            "stops early unless the interval for daily looks allows it."
        ),
        "analysis": _(
            "The goal is the rate of “{step}”; guards are sales a visitor and what happens after the first week. Rows "
            "that saw the other arm are set aside and named."
        ),
        "application": _(
            "The arm is taken if the goal stands, no guard is harmed and the effect lasts; otherwise it is dropped, "
            "and the log says so."
        ),
    }
    frame = pd.DataFrame([(phase, text.format(**words)) for phase, text in said.items()], columns=columns)
    frame.attrs = {"titles": TITLES}
    return frame


def today(place: pd.DataFrame | Missing) -> dict[str, float]:
    """What the planner starts from: ``rate`` and ``per_day`` of a place; nothing where there is none."""
    if isinstance(place, Missing) or place.empty:
        return {}
    row = place.iloc[0]
    return {"rate": round(float(row["rate"]), 4), "per_day": max(1, round(float(row["per_day"])))}
