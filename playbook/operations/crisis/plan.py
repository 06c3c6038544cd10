"""What to do in a crisis, by its type and level, and how a drill is scored. The book's plan is ``response.csv``."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pandas as pd

from ... import style
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import _, current, term
from ...missing import Missing, answers

HERE = Path(__file__).parent
TYPES = ("product", "opinion", "service", "price_or_advertising", "technology")
ORDER = ("orange", "red")
LATE = 0.5  # of a step's point, where it was done after its time but before twice of it
PASSED = 0.8


@cache
def _book(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / f"{name}.csv")


def plan_columns() -> list[Column]:
    """What a shop's own ``plan/response.csv`` must hold."""
    return [
        Column("type", required=True, one_of=TYPES),
        Column("level", required=True, one_of=ORDER),
        Column("hours", required=True, between=(0, 24 * 30)),
        Column("owner", required=True),
        Column("channel", required=True),
        Column("step", required=True),
    ]


def log_columns() -> list[Column]:
    """What a shop's ``plan/drills.csv`` must hold: who did which step of a drill after how many hours."""
    scenarios = tuple(_book("drills")["scenario"])
    return [
        Column("held_on", required=True, is_day=True),
        Column("scenario", required=True, one_of=scenarios),
        Column("step", required=True, between=(1, 100)),
        Column("hours", required=True, between=(0, 24 * 30)),
        Column("by"),
    ]


def plan(own: pd.DataFrame | Missing | None = None) -> pd.DataFrame:
    """Who does what by when, for each type and level of crisis?

    Parameters
    ----------
    own : DataFrame, optional
        The shop's sheet; its types take the place of the book's.

    Returns
    -------
    DataFrame
        type, level, number (of the step), step, owner (a role), hours (from the flag), channel. Steps of "orange" are
        also done at "red".
    """
    book = _book("response")
    if own is not None and not isinstance(own, Missing):
        book = pd.concat([own, book[~book["type"].isin(own["type"])]])
    told = book["step_zh"] if current() == "zh" and "step_zh" in book else book["step"]
    out = book.assign(step=told.fillna(book["step"]))
    parts = []
    for kind in dict.fromkeys(out["type"]):
        for level in ORDER:
            mine = out[(out["type"] == kind) & out["level"].isin(ORDER[: ORDER.index(level) + 1])]
            mine = mine.sort_values("hours", kind="stable").assign(level=level)
            parts.append(mine.assign(number=range(1, len(mine) + 1)))
    columns = ["type", "level", "number", "step", "owner", "hours", "channel"]
    return pd.concat(parts, ignore_index=True)[columns]


@answers("What is to be done about this warning?")
def steps_for(warned: pd.DataFrame, response: pd.DataFrame) -> pd.DataFrame:
    """What is to be done about the last warning, or would be about the worst, where there was none?

    What only mentions tell is a matter of opinion until somebody has looked; refunds alone are one of service; all else
    is taken for one of the product.

    Parameters
    ----------
    warned : DataFrame
        Of `warnings`.
    response : DataFrame
        Of `plan`.

    Returns
    -------
    DataFrame
        The rows of `response`, and due (the moment, counted from the flag; NaT without a warning).
    """
    last = warned.iloc[-1] if len(warned) else None
    on = set() if last is None else set(last["signals"].split())
    kind = "opinion" if on == {"negative_mentions"} else "service" if on == {"refunds"} else "product"
    level = "red" if last is None else last["level"]
    steps = response[(response["type"] == kind) & (response["level"] == level)].reset_index(drop=True)
    flagged = pd.NaT if last is None else last["flagged_on"] + pd.Timedelta(days=1)  # a day is judged when it has ended
    return steps.assign(due=flagged + pd.to_timedelta(steps["hours"], unit="h"))


def drills() -> pd.DataFrame:
    """Which situations can be practised: scenario, type, level, story."""
    book = _book("drills")
    story = book["story_zh"] if current() == "zh" else book["story"]
    return book.assign(story=story)[["scenario", "type", "level", "story"]]


def drill_scores(response: pd.DataFrame, log: pd.DataFrame | Missing | None = None) -> pd.DataFrame:
    """How well did the team do in its drills?

    A step in time is worth a point, one within twice its time half a point, a later one or none nothing.

    Parameters
    ----------
    response : DataFrame
        Of `plan`.
    log : DataFrame, optional
        The shop's sheet ``plan/drills.csv``: held_on, scenario, step (its number), hours (after which it was done).

    Returns
    -------
    DataFrame
        held_on, scenario, steps, in_time, late, left_out, score (points out of the steps), passed. Empty, with a note,
        where no drill has been held.
    """
    columns = ["held_on", "scenario", "steps", "in_time", "late", "left_out", "score", "passed"]
    rows = []
    if log is not None and not isinstance(log, Missing):
        scenes = _book("drills").set_index("scenario")
        for (held, scenario), mine in log.groupby(["held_on", "scenario"]):
            scene = scenes.loc[scenario]
            due = response[(response["type"] == scene["type"]) & (response["level"] == scene["level"])]
            done = due["number"].map(mine.groupby("step")["hours"].min()).fillna(math.inf)
            in_time = int((done <= due["hours"]).sum())
            late = int(((done > due["hours"]) & (done <= 2 * due["hours"])).sum())
            score = (in_time + LATE * late) / len(due)
            rows.append((held, scenario, len(due), in_time, late, len(due) - in_time - late, score, score >= PASSED))
    out = pd.DataFrame(rows, columns=columns)
    if out.empty:
        note = _("No drill has been written down in `plan/drills.csv`. Hold one of those above once a quarter.")
        out.attrs["notes"] = [note]
    return out


def drill_findings(scores: pd.DataFrame, today: pd.Timestamp) -> list[Finding]:
    """Is the team in practice?"""
    if scores.empty:
        text = _("No drill of a crisis is on record: nobody knows whether the plan works. Hold one within the month.")
        return [Finding("watch", text, None, (Figure("crisis.drills", 0, "count"),))]
    last = scores.sort_values("held_on").iloc[-1]
    score = style.value(last["score"], "share")
    words = {
        "scenario": term("scenario", last["scenario"]).replace("_", " "),
        "day": style.date(last["held_on"]),
        "score": score,
    }
    figure = Figure("crisis.drill_score", last["score"], "share")
    if not last["passed"]:
        text = _(
            "The drill “{scenario}” on {day} reached {score} of its points: repeat it with the steps that were late."
        )
        return [Finding("act", text.format(**words), None, (figure,))]
    if (pd.Timestamp(today) - last["held_on"]).days > 92:
        text = _("The last drill, “{scenario}” on {day}, reached {score}, but it is more than three months ago.")
        return [Finding("watch", text.format(**words), None, (figure,))]
    text = _("The drill “{scenario}” on {day} reached {score} of its points.")
    return [Finding("hold", text.format(**words), None, (figure,))]
