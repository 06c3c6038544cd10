"""All that a shop has tried, each experiment analysed in the same order: split, effect, guards, whether it lasts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import N_, _
from ...methods import testing
from ...methods.testing import Analysis, Metric
from ...missing import answers

ARMS = {"rows": "count", "set_aside": "count", "unseen": "count", "kept": "count", "p": "share"}
EFFECTS = {
    "n": "count", "control": "share", "value": "share", "effect": "share", "lift": "share", "p_adjusted": "share",
    "better": "share",
}  # fmt: skip
LASTING = {"early_effect": "share", "late_effect": "share", "p": "share"}

TITLES = {
    "split": N_("Split"), "rows": N_("Rows"), "set_aside": N_("Set aside"), "unseen": N_("Saw no arm"),
    "kept": N_("Counted"), "p": N_("p"), "n": N_("Units"), "control": N_("Control"), "value": N_("Arm's value"),
    "effect": N_("Difference"), "lift": N_("Lift"), "p_adjusted": N_("p, corrected"), "better": N_("Better"),
    "counted": N_("Told from"), "lasts": N_("Does it last?"), "early_effect": N_("First days"),
    "late_effect": N_("Afterwards"), "call": N_("Verdict"), "began": N_("First day"), "ended": N_("Last day"),
    "days": N_("Days"), "units": N_("Units"), "could_stop": N_("Could stop"), "step": N_("Step"), "rate": N_("Rate"),
    "per_day": N_("Visitors a day"), "mde": N_("Smallest lift seen"), "worth": N_("Worth"), "to": N_("Leads to"),
    "per_arm": N_("Each arm"), "power": N_("Chance of seeing it"), "phase": N_("Step"), "what": N_("What is done"),
    "experiment": N_("Experiment"), "arm": N_("Arm"),
}  # fmt: skip
"""Headers of the tables."""

STEP = ("add_to_cart", "begin_checkout")
"""The step of the site by which it is told, where there are events, whether an effect lasts: visitors' days with the
first, and those of them with the second. It has many more cases than there are buyers."""

RUNNING = 3
"""Days before the end of the report: an experiment to which somebody was assigned since then still runs."""


@dataclass(frozen=True)
class Experiment:
    """An experiment and what came of it.

    Parameters
    ----------
    name : str
    began, ended : date
        First and last day on which somebody was assigned.
    running : bool
    analysis : Analysis
    lasts : DataFrame
        From `testing.novelty`; empty where the split is broken.
    by_day : DataFrame
        What that was told from: arm, day, n, k.
    looked : DataFrame
        Arm, and the first day on which one who looked daily could have stopped (NaT: none).
    better : DataFrame
        Arm and chance that its conversion is above the control's (uniform priors).
    unit : str
        What `by_day` counts: "carts" or "visitors".
    """

    name: str
    began: dt.date
    ended: dt.date
    running: bool
    analysis: Analysis
    lasts: pd.DataFrame
    by_day: pd.DataFrame
    looked: pd.DataFrame
    better: pd.DataFrame
    unit: str


def metrics(columns: Sequence[str]) -> list[Metric]:
    """The goal, and the guard where the file tells what was bought."""
    goal = Metric(_("conversion"), "converted")
    value = Metric(_("sales a visitor"), "value", kind="mean", guard=True, unit="currency")
    return [goal, value] if "value" in columns else [goal]


@answers("What did our experiments do?", needs={"experiments": ["converted"]})
def run(
    experiments: ibis.Table | pd.DataFrame, events: ibis.Table | pd.DataFrame | None = None, *, until: dt.date,
    days: int = 365, control: str = "control", level: float = 0.95, first_days: int = 7,
    rng: int | np.random.Generator = 0,
) -> list[Experiment]:  # fmt: skip
    """What did the experiments do to which somebody was assigned lately?

    Where the file says what was seen, only units that saw their arm count. The goal is conversion; sales a visitor are
    a guard, which must not fall.

    Parameters
    ----------
    experiments : Table
        experiment, unit_id, arm, assigned_at, converted; exposed_arm, value (money).
    events : Table, optional
        event, event_at, visitor_id: whether an effect lasts is told from them where units are visitors.
    until : date
        Assignments before this day, of experiments that ended within `days` before it.
    control : str
        The arm that others are compared with; an experiment without it is compared with its first arm by name.
    level : float, default 0.95
    first_days : int, default 7
        Days that count as new.
    rng : int or Generator
        Of the draws behind “chance to be better”.

    Returns
    -------
    list of Experiment
        In the order in which they began; experiments with fewer than two arms are left out.
    """
    table = as_table(experiments)
    table = table.filter(table.assigned_at < dt.datetime.combine(until, dt.time()))
    spans = (
        table.group_by("experiment")
        .aggregate(began=table.assigned_at.min(), ended=table.assigned_at.max(), arms=table.arm.nunique())
        .to_pandas()
        .sort_values(["began", "experiment"])
    )
    since = pd.Timestamp(until) - pd.Timedelta(days=days)
    draw = np.random.default_rng(rng)
    wanted = spans[(spans["ended"] >= since) & (spans["arms"] > 1)]
    return [
        _one(table.filter(table.experiment == row.experiment), events, row, until, control, level, first_days, draw)
        for row in wanted.itertuples()
    ]


def _one(rows, events, span, until, control, level, first_days, draw) -> Experiment:
    names = sorted(rows.select("arm").distinct().to_pandas()["arm"])
    base = control if control in names else names[0]
    seen = "exposed_arm" in rows.columns
    options: dict[str, Any] = {"exposed": "exposed_arm" if seen else None, "seen_only": seen, "at": "assigned_at"}
    asked = metrics(rows.columns)
    found = testing.analyse(rows, asked, control=base, level=level, **options)
    began, ended = span.began.date(), span.ended.date()
    running = ended >= until - dt.timedelta(days=RUNNING)
    nothing = pd.DataFrame(columns=["arm", "day", "n", "k"])
    empty = Experiment(
        span.experiment, began, ended, running, found, testing.novelty(nothing), nothing,
        pd.DataFrame(columns=["arm", "day"]), pd.DataFrame(columns=["arm", "chance"]), "visitors",
    )  # fmt: skip
    if not found.sound:
        return empty
    units = testing.assigned(rows, **options).units.cache()
    by_day, unit = _by_day(units, events, ended)
    looked = _looked(units, asked[0], base, level)
    better = _better(found.effects, asked[0].name, base, draw)
    lasts = testing.novelty(by_day, control=base, first_days=first_days, level=level)
    return Experiment(span.experiment, began, ended, running, found, lasts, by_day, looked, better, unit)


def _by_day(units: ibis.Table, events, ended: dt.date) -> tuple[pd.DataFrame, str]:
    """Cases and successes by arm and day: of carts, from events; of units by the day of their assignment else."""
    if events is not None and {"event", "event_at", "visitor_id"} <= set(events.columns):
        seen = as_table(events)
        end = dt.datetime.combine(ended + dt.timedelta(days=1), dt.time())
        seen = seen.filter(seen.event.isin(STEP) & (seen.event_at < end))
        seen = seen.select(unit_id=seen.visitor_id, event=seen.event, event_at=seen.event_at)
        whose = units.select("unit_id", "arm", "assigned_at")
        mine = seen.inner_join(whose, "unit_id")
        mine = mine.filter(mine.event_at >= mine.assigned_at).mutate(day=mine.event_at.date())
        steps = mine.group_by("unit_id", "arm", "day").aggregate(
            first=(mine.event == STEP[0]).any(), second=(mine.event == STEP[1]).any()
        )
        steps = steps.filter(steps["first"])
        counted = steps.group_by("arm", "day").aggregate(n=steps.count(), k=steps.second.cast("int64").sum())
        frame = _days(counted)
        if len(frame):
            return frame, "carts"
    rows = units.select("arm", day=units.assigned_at.date(), won=units.converted.cast("int64").fill_null(0))
    return _days(rows.group_by("arm", "day").aggregate(n=rows.count(), k=rows.won.sum())), "visitors"


def _days(counted: ibis.Table) -> pd.DataFrame:
    frame = counted.order_by("arm", "day").to_pandas()
    return frame.assign(day=pd.to_datetime(frame["day"])).astype({"n": int, "k": int})


def _looked(units: ibis.Table, goal: Metric, control: str, level: float) -> pd.DataFrame:
    """The first day on which one who looked every day could have stopped, by arm."""
    counts = units.group_by("arm").aggregate(n=units.count()).to_pandas().set_index("arm")["n"]
    lines = []
    others = [a for a in counts.index if a != control]
    share = 1 - (1 - level) / max(len(others), 1)
    daily = testing.sequence(units, goal, control=control, planned=float(2 * counts.mean()), level=share)
    for arm, mine in daily.groupby("arm"):
        lines.append({"arm": arm, "day": mine.loc[mine["p"] < 1 - share, "day"].min()})
    return pd.DataFrame(lines, columns=["arm", "day"])


def _better(found: pd.DataFrame, goal: str, control: str, draw: np.random.Generator) -> pd.DataFrame:
    """The chance that an arm's conversion is above the control's, with uniform priors (Beta-binomial)."""
    lines = []
    for row in found[found["metric"] == goal].to_dict("records"):
        beta = [
            draw.beta(1 + round(share * n), 1 + n - round(share * n), size=20_000)
            for share, n in ((row["value"], row["n"]), (row["control"], row["n_control"]))
            if n and share == share
        ]
        lines.append({"arm": row["arm"], "chance": float(np.mean(beta[0] > beta[1])) if len(beta) == 2 else np.nan})
    return pd.DataFrame(lines, columns=["arm", "chance"])


@answers("Who was in which arm?")
def arms(tried: list[Experiment]) -> pd.DataFrame:
    """Is each split the one that was meant? What became of all rows.

    Returns
    -------
    DataFrame
        One row per experiment and arm: experiment, arm, rows, set_aside (saw another arm, or in several, or repeated),
        unseen, kept, p (of the whole split), split (sound, broken).
    """
    lines = []
    for one in tried:
        for row in one.analysis.arms.to_dict("records"):
            lines.append(
                {
                    "experiment": one.name, "arm": row["arm"], "split": "sound" if one.analysis.sound else "broken",
                    "rows": row["rows"], "set_aside": row["mismatched"] + row["both"] + row["repeated"],
                    "unseen": row["unseen"], "kept": row["kept"], "p": one.analysis.split_p,
                }
            )  # fmt: skip
    frame = pd.DataFrame(lines, columns=["experiment", "arm", "split", *ARMS])
    return _noted(frame, tried)


@answers("What did each arm do?")
def effects(tried: list[Experiment], *, guards: bool = False) -> pd.DataFrame:
    """What did each arm do, beside its control?

    Parameters
    ----------
    tried : list of Experiment
        From `run`; those with a broken split have no row.
    guards : bool
        The guards instead of the goal.

    Returns
    -------
    DataFrame
        One row per experiment and arm: experiment, arm, n, control, value, effect with effect_low and effect_high, lift
        with lift_low and lift_high, p_adjusted, better (chance to be better; of the goal).
    """
    parts = []
    for one in tried:
        mine = one.analysis.effects
        mine = mine[mine["guard"].astype(bool) == guards] if len(mine) else mine
        chance = one.better.set_index("arm")["chance"]
        parts.append(
            mine.rename(columns={"low": "effect_low", "high": "effect_high"}).assign(
                experiment=one.name, better=mine["arm"].map(chance) if not guards else np.nan
            )
        )
    columns = ["experiment", "arm", "n", "control", "value", "effect", "effect_low", "effect_high", "lift", "lift_low",
               "lift_high", "p_adjusted", "better"]  # fmt: skip
    parts = [p for p in parts if len(p)]
    frame = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    return _noted(frame.drop(columns="better") if guards else frame, tried)


@answers("Do the effects last?")
def lasting(tried: list[Experiment]) -> pd.DataFrame:
    """Is the effect of the first days that of the days afterwards?

    Returns
    -------
    DataFrame
        One row per experiment and arm: experiment, arm, counted (carts, visitors), lasts (wears off; "no sign"),
        early_effect, late_effect with their intervals, p (one-sided).
    """
    parts = [
        one.lasts.assign(experiment=one.name, counted=one.unit, lasts=one.lasts["wears_off"].map(_worn))
        for one in tried
        if len(one.lasts)
    ]
    columns = ["experiment", "arm", "counted", "lasts", "early_effect", "early_effect_low", "early_effect_high",
               "late_effect", "late_effect_low", "late_effect_high", "p"]  # fmt: skip
    names = {f"{t}_{e}": f"{t}_effect_{e}" for t in ("early", "late") for e in ("low", "high")}
    frame = (
        pd.concat(parts, ignore_index=True).rename(columns=names)[columns] if parts else pd.DataFrame(columns=columns)
    )
    return _noted(frame, tried)


def _worn(off: bool) -> str:
    return "wears_off" if off else "no_sign"


def _noted(frame: pd.DataFrame, tried: list[Experiment]) -> pd.DataFrame:
    frame.attrs = {"notes": [] if tried else [_("No experiment ran in this time.")], "titles": TITLES}
    return frame
