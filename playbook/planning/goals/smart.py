"""Is a goal one: specific, measurable, achievable, relevant, timed; and if not, which letter fails and why."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping

import pandas as pd

from ... import period as periods
from ... import style
from ...findings import Figure, Finding
from ...language import _, listing
from ...missing import Missing, answers
from .targets import Ahead
from .written import SURE, UNLIKELY

LETTERS = ("S", "M", "A", "R", "T")
FARTHEST = 24
"""Months ahead beyond which a goal has no date that anybody works towards."""

_ENGLISH = re.compile(
    r"(?:with)?in (?P<months>\d+) months?,? (?:raise|lower|bring) (?P<metric>.+?) from (?P<base>[\d.,]*\d%?) to "
    r"(?P<target>[\d.,]*\d%?)(?:[,;] ?(?P<owner>.+))?",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:在)?(?P<months>\d+)个月内[，,]?\s*(?:将|把)?(?P<metric>.+?)从(?P<base>[\d.,%]+)(?:提升|提高|降低|下降|增长)到"
    r"(?P<target>[\d.,%]+)(?:[，,；;]\s*(?P<owner>.+))?"
)


def parse(goal: str, *, names: Mapping[str, str], today: dt.date) -> dict:
    """A goal in words, as a row of `check`: “in 3 months, raise net_sales from 200000 to 240000, sales lead”.

    Parameters
    ----------
    goal : str
        In the form of the example, or “3个月内将净销售额从200000提升到240000，电商总监”. What is lacking stays empty.
    names : mapping of str → str
        What people call a metric → its name.
    today : date

    Examples
    --------
    >>> found = parse("in 2 months, raise Orders paid from 10% to 12%", names={}, today=dt.date(2026, 10, 31))
    >>> found["metric"], found["base"], found["target"], found["due"]
    ('Orders paid', 0.1, 0.12, '2026-12')
    """
    said = _ENGLISH.search(goal.strip()) or _CHINESE.search(goal.strip())
    if said is None:
        return {"goal": goal, "metric": "", "base": math.nan, "target": math.nan, "due": "", "owner": ""}
    metric = said["metric"].strip()
    due = pd.Period(today, "M") + int(said["months"])
    lowered = {k.lower(): v for k, v in names.items()}
    return {
        "goal": goal,
        "metric": lowered.get(metric.lower(), metric),
        "base": _number(said["base"]),
        "target": _number(said["target"]),
        "due": str(due),
        "owner": (said["owner"] or "").strip(),
    }


def of_targets(told: pd.DataFrame, of: Mapping[str, Ahead], *, titles: Mapping[str, str]) -> pd.DataFrame:
    """The targets that are written down as goals; their base is the same month a year ago."""
    rows = []
    for p in told[told.platform == ""].to_dict("records"):
        a = of[p["metric"]]
        base = float(a.past.get(pd.Period(p["month"], "M") - 12, math.nan))
        text = _("{metric} in {month}: {target}").format(
            metric=_(titles[p["metric"]]),
            month=p["month"],
            target=style.value(p["target"], a.unit, currency=a.currency),
        )
        due = p["month"]
        rows.append((text, p["metric"], base, p["target"], due, p["owner"]))
    return pd.DataFrame(rows, columns=["goal", "metric", "base", "target", "due", "owner"])


@answers("Which metrics can the shop's data tell?")
def measurable(measured: pd.DataFrame) -> dict[str, str]:
    """Which metrics can the shop's data tell?

    Parameters
    ----------
    measured : DataFrame
        ``measure(shop, list(METRICS))``.

    Returns
    -------
    dict of metric → what people call it
    """
    return {k: _(v) for k, v in measured.attrs["titles"].items() if k not in measured.attrs["missing"]}


@answers("What are the goals?")
def goals(
    told: pd.DataFrame | None,
    of: Mapping[str, Ahead] | None,
    *,
    goal: str,
    measurable: Mapping[str, str],
    today: dt.date,
) -> pd.DataFrame:
    """The targets that are written down, and the goal that somebody has put in words, as rows of `check`."""
    rows = [] if told is None or of is None else [of_targets(told, of, titles=measurable)]
    if goal:
        names = {v: k for k, v in measurable.items()} | {k: k for k in measurable}
        rows.append(pd.DataFrame([parse(goal, names=names, today=today)]))
    if not rows:
        return Missing("targets", remedy=_("Put targets into the shop's raw folder, or give the notebook a goal."))
    return pd.concat(rows, ignore_index=True)


@answers("Are the goals smart?")
def check(
    goals: pd.DataFrame,
    of: Mapping[str, Ahead] | None,
    *,
    measurable: Mapping[str, str],
    today: dt.date,
) -> pd.DataFrame:
    """Which goals are specific, measurable, achievable, relevant and timed, and what fails?

    S: one metric that the shop's figures know, and somebody who answers for it. M: a value to start from and one to
    reach, both numbers of a metric that the shop's data can tell. A: a chance of a tenth at least, by the history. R:
    it asks for something: it does not come by itself with a chance of nine tenths. T: a month, ahead, within two years.

    Parameters
    ----------
    goals : DataFrame
        goal (words), metric, base, target, due (a month or a period), owner.
    of : mapping of metric → Ahead
        What the coming months may bring; the chance of a goal is that of its month.
    measurable : mapping of metric → name
        Metrics that the shop's data can tell.
    today : date

    Returns
    -------
    DataFrame
        goal, S, M, A, R, T (✓ passes, ✗ fails, ? cannot be told), chance, why (sentences).
    """
    rows, of = [], of or {}
    for g in goals.to_dict("records"):
        told = _letters(g, of, measurable, today)
        marks = [{None: "?", True: "✓", False: "✗"}[told[x][0]] for x in LETTERS]
        why = " ".join(f"{x}: {told[x][1]}" for x in LETTERS if told[x][1])
        rows.append([g["goal"], *marks, _chance(g, of), why])
    return pd.DataFrame(rows, columns=["goal", *LETTERS, "chance", "why"])


def _letters(
    g: dict, of: Mapping[str, Ahead], measurable: Mapping[str, str], today: dt.date
) -> dict[str, tuple[bool | None, str]]:
    known = g["metric"] in measurable
    specific = _("it names no metric of the shop's figures.") if not known else ""
    if known and not str(g["owner"] or "").strip():
        specific = _("nobody answers for it.")
    numbers = not (_nan(g["base"]) or _nan(g["target"]))
    measured = (
        "" if numbers and known else _("the value to start from, or the one to reach, is no number that is measured.")
    )
    if numbers and g["base"] == g["target"]:
        numbers, measured = False, _("it ends where it starts.")
    chance = _chance(g, of)
    achievable: tuple[bool | None, str] = (None, _("no forecast tells its chance."))
    relevant: tuple[bool | None, str] = (None, "")
    if not math.isnan(chance):
        low = chance < UNLIKELY
        said = _("by the history its chance is {chance}.").format(chance=style.chance(chance))
        achievable = (not low, said if low else "")
        sure = chance > SURE
        said = _("it comes by itself with a chance of {chance}.").format(chance=style.chance(chance))
        relevant = (not sure, said if sure else "")
    return {
        "S": (known and not specific, specific),
        "M": (known and numbers and not measured, measured),
        "A": achievable,
        "R": relevant,
        "T": _timed(str(g["due"] or ""), today),
    }


def _timed(due: str, today: dt.date) -> tuple[bool, str]:
    try:
        period = periods.parse(due)
    except ValueError:
        return False, _("it has no date.")
    if period.end <= today:
        return False, _("its date has passed.")
    if period.end > (pd.Timestamp(today) + pd.DateOffset(months=FARTHEST)).date():
        return False, _("its date is more than two years away.")
    return True, ""


def _chance(g: dict, of: Mapping[str, Ahead]) -> float:
    a = of.get(g["metric"])
    if a is None or _nan(g["target"]) or g["due"] not in [str(m) for m in a.model.periods]:
        return math.nan
    return a.chance(float(g["target"]), pd.Period(g["due"], "M"))


@answers("Are the goals smart?")
def findings(checked: pd.DataFrame) -> list[Finding]:
    """How many goals fail, and by which letter?"""
    if checked.empty:
        return []
    failing = checked[(checked[list(LETTERS)] == "✗").any(axis=1)]
    figure = Figure("goals.failing", len(failing), "count")
    if failing.empty:
        text = _("All {n} goals are specific, measurable, achievable, relevant and timed.")
        return [Finding("hold", text.format(n=len(checked)), None, (figure,))]
    letters = [x for x in LETTERS if (failing[x] == "✗").any()]
    text = _("{n} of {all} goals fail by {letters}: rewrite them before anybody works towards them.")
    text = text.format(n=len(failing), all=len(checked), letters=listing(letters))
    return [Finding("watch", text, None, (figure,))]


def _number(text: str) -> float:
    plain = text.replace(",", "").rstrip(".")
    try:
        return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)
    except ValueError:
        return math.nan


def _nan(x: object) -> bool:
    return x is None or (isinstance(x, float) and math.isnan(x))
