"""What an experiment says, in sentences computed from its numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import _
from .analysis import Analysis
from .arms import SUSPICIOUS
from .metric import Metric


class Decision(NamedTuple):
    """What to do with an arm, why, and the p-value behind it."""

    arm: str
    verdict: Verdict
    text: str
    p: float


def decision(analysis: Analysis) -> list[Decision]:
    """What follows from an experiment, for each arm?

    The first metric that is no guard decides. A better arm is taken unless a guard is worse; a worse one is dropped;
    where nothing stands, the interval says what may still be the case. A broken split decides nothing.

    Returns
    -------
    list of Decision
        One an arm; one alone, naming the arms, where the split is broken. Verdict "act": the arm is better and nothing
        is harmed, or the assignment must be repaired; "hold": worse, or it harms a guard; "watch": not known.
    """
    if not analysis.sound:
        return [Decision("", "act", _broken(analysis), math.nan)]
    by_name = {m.name: m for m in analysis.metrics}
    out = []
    for arm, lines in analysis.effects.groupby("arm", sort=False):
        goals = lines[~lines["guard"].astype(bool)]
        if goals.empty:
            continue
        main = goals.iloc[0]
        harmed = _harmed(lines[lines["guard"].astype(bool)], by_name)
        out.append(_arm(str(arm), main, by_name[main["metric"]], harmed))
    return out


def findings(analysis: Analysis, *, experiment: str) -> list[Finding]:
    """The decisions as findings, with their numbers under ``experiment.…``.

    Parameters
    ----------
    analysis : Analysis
    experiment : str
        Its name, in sentences and figures.

    Returns
    -------
    list of Finding
        One an arm, with the p-value that a report holds against all its tests; where rows were set aside, one that says
        so.
    """
    units = {m.name: m.unit for m in analysis.metrics}
    out = []
    for d in decision(analysis):
        lines = analysis.effects[analysis.effects["arm"] == d.arm]
        figures = tuple(
            Figure(
                "experiment.effect",
                line["effect"],
                units[line["metric"]],
                line["low"],
                line["high"],
                {"experiment": experiment, "arm": d.arm, "metric": line["metric"]},
            )
            for line in lines.to_dict("records")
        )
        text = _("{experiment}: {decision}").format(experiment=experiment, decision=d.text)
        out.append(Finding(d.verdict, text, figures=figures, p=None if math.isnan(d.p) else d.p))
    aside = set_aside(analysis)
    if aside:
        text = _("{experiment}: {decision}").format(experiment=experiment, decision=aside)
        out.append(Finding("watch", text))
    return out


def set_aside(analysis: Analysis) -> str:
    """Which rows saw another arm than their own and do not count? Empty where there are none."""
    off = analysis.mismatches
    if off.empty:
        return ""
    parts = [
        _("{n} of {arm} saw {exposed}").format(
            n=style.value(row["rows"], "count"), arm=row["arm"], exposed=row["exposed"]
        )
        for row in off.to_dict("records")
    ]
    return _("{n} rows saw another arm than the one they were given and are set aside: {parts}.").format(
        n=style.value(off["rows"].sum(), "count"), parts=_("; ").join(parts)
    )


def _broken(analysis: Analysis) -> str:
    worst = analysis.split.sort_values("p", kind="stable")
    parts = [
        _("{arm} has {units} units where {expected} were meant").format(
            arm=row["arm"], units=style.value(row["units"], "count"), expected=style.value(row["expected"], "count")
        )
        for row in worst.to_dict("records")
    ]
    return _(
        "Nothing can be concluded: the arms are not split as they were meant to be (p {p}): {parts}. Find out where "
        "units are lost, repair it and start again."
    ).format(p=_p(analysis.split_p), parts=_("; ").join(parts))


def _harmed(guards: pd.DataFrame, by_name: dict[str, Metric]) -> list[str]:
    """Guards of an arm that are worse."""
    worse = []
    for g in guards.to_dict("records"):
        bad = g["effect"] < 0 if by_name[g["metric"]].good == "up" else g["effect"] > 0
        if g["stands"] and bad:
            worse.append(g["metric"])
    return worse


def _arm(arm: str, main: pd.Series, metric: Metric, harmed: list[str]) -> Decision:
    """The verdict on one arm."""
    p = float(main["p"])
    said = {
        "arm": arm,
        "metric": metric.name,
        "value": style.value(main["value"], metric.unit, digits=2),
        "control": style.value(main["control"], metric.unit, digits=2),
        "between": _between(main["low"], main["high"], metric),
        "p": _p(float(main["p_adjusted"])),
        "guards": ", ".join(harmed),
    }
    if math.isnan(p):
        text = _("{arm}: not enough data to compare {metric}: each arm needs two units or more with an outcome.")
        return Decision(arm, "watch", text.format(**said), p)
    better = (main["effect"] > 0) == (metric.good == "up")
    if not main["stands"]:
        text = _(
            "{arm} cannot be told from the control: {metric} {value} against {control}, difference {between} (p {p})."
        )
        verdict: Verdict = "watch"
    elif better and harmed:
        text = _(
            "Do not take {arm} as it is: {metric} is better ({value} against {control}, difference {between}, "
            "p {p}), but it harms {guards}."
        )
        verdict = "hold"
    elif better:
        text = _("Take {arm}: {metric} {value} against {control}, better by a difference {between} (p {p}).")
        verdict = "act"
    else:
        text = _("Drop {arm}: {metric} {value} against {control}, a difference {between} (p {p}).")
        verdict = "hold"
    if harmed and verdict == "watch":
        text = _(
            "Drop {arm}: {metric} cannot be told from the control ({value} against {control}, p {p}), and it "
            "harms {guards}."
        )
        verdict = "hold"
    return Decision(arm, verdict, text.format(**said), p)


def _between(low: float, high: float, metric: Metric) -> str:
    """The ends of a difference: those of a share in percentage points."""
    if metric.unit == "share":
        return _("{low} to {high}").format(low=style.change(low, "share"), high=style.change(high, "share"))
    return style.interval(low, high, metric.unit)


def _p(p: float) -> str:
    return "< 0.001" if p < SUSPICIOUS else f"{p:.3f}"
