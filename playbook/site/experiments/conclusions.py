"""What follows from experiments: the log, the findings, and what is rolled out."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import pandas as pd

from ... import style
from ...findings import Finding, Verdict
from ...language import _
from ...methods import testing
from ...missing import answers
from ...outlook import Decision
from ...period import Period
from ..funnel.steps import step_name
from .results import TITLES, Experiment

FRESH = 92
"""Days after its end in which the result of an experiment is still to be acted upon."""

LOG = ["experiment", "arm", "call", "began", "ended", "days", "units", "could_stop"]
"""Columns of the log that stand in one line; the sentences are the findings."""

CALLS = ("take", "drop", "harms", "unknown", "wears_off", "broken", "running")


def calls(one: Experiment) -> list[dict[str, Any]]:
    """What is called of each arm, with its sentence and p-value."""
    out: list[dict[str, Any]] = []
    worn = set(one.lasts.loc[one.lasts["wears_off"].astype(bool), "arm"]) if len(one.lasts) else set()
    for said in testing.decision(one.analysis):
        lines = one.analysis.effects[one.analysis.effects["arm"] == said.arm]
        better = bool(len(lines) and lines.iloc[0]["effect"] > 0 and lines.iloc[0]["stands"])
        call = {"act": "take", "hold": "harms" if better else "drop", "watch": "unknown"}[said.verdict]
        text, verdict, p = said.text, said.verdict, said.p
        if not one.analysis.sound:
            call = "broken"
        elif said.arm in worn and call in ("take", "unknown"):
            call, verdict, text = "wears_off", "watch", _worn(one, said.arm)
            p = float(one.lasts.loc[one.lasts["arm"] == said.arm, "p"].iloc[0])
        elif one.running and call in ("take", "unknown"):
            call, verdict = "running", "watch"
            text = _("still running, so this is no result yet: {text}").format(text=said.text)
        out.append({"arm": said.arm, "call": call, "verdict": verdict, "text": text, "p": p})
    return out


def _worn(one: Experiment, arm: str) -> str:
    line = one.lasts[one.lasts["arm"] == arm].iloc[0]
    text = _(
        "The effect of {arm} wears off: {early} of carts that came to the checkout in the first days, {late} ({low} to "
        "{high}) afterwards. Do not take it for what it did at first; count what is left."
    )
    if one.unit != "carts":
        text = _(
            "The effect of {arm} wears off: {early} of conversion among those of the first days, {late} ({low} to "
            "{high}) afterwards. Do not take it for what it did at first; count what is left."
        )
    return text.format(
        arm=arm, early=style.change(line["early_effect"], "share"), late=style.change(line["late_effect"], "share"),
        low=style.change(line["late_low"], "share"), high=style.change(line["late_high"], "share"),
    )  # fmt: skip


@answers("What did we try, and what came of it?")
def log(tried: list[Experiment]) -> pd.DataFrame:
    """The test log: every experiment with its time, its size, and what was decided.

    Returns
    -------
    DataFrame
        experiment, began, ended, days, units, arm, call (take, drop, harms, unknown, wears_off, broken, running), says,
        could_stop (day on which one who looked daily could have stopped; NaT: none).
    """
    lines = []
    for one in tried:
        for said in calls(one):
            stop = one.looked.loc[one.looked["arm"] == said["arm"], "day"]
            lines.append(
                {
                    "experiment": one.name, "began": pd.Timestamp(one.began), "ended": pd.Timestamp(one.ended),
                    "days": (one.ended - one.began).days + 1, "units": int(one.analysis.split["units"].sum()),
                    "arm": said["arm"] or "–", "call": said["call"], "says": said["text"],
                    "could_stop": stop.iloc[0] if len(stop) else pd.NaT,
                }
            )  # fmt: skip
    columns = ["experiment", "began", "ended", "days", "units", "arm", "call", "says", "could_stop"]
    frame = pd.DataFrame(lines, columns=columns)
    frame.attrs = {"notes": [] if tried else [_("No experiment ran in this time.")], "titles": TITLES}
    return frame


@answers("Did our experiments work?")
def findings(tried: list[Experiment], *, until: dt.date, fresh: int = FRESH) -> list[Finding]:
    """What follows from each experiment; of one that ended long ago nothing is to be done any more.

    Parameters
    ----------
    tried : list of Experiment
        From `run`.
    until : date
        End of the report.
    fresh : int, default 92
        Days after an experiment's end in which it calls for action.
    """
    if not tried:
        return [
            Finding("watch", _("No experiment ran in the last year: whatever was changed, nobody knows what it did."))
        ]
    out = []
    for one in tried:
        old = (until - one.ended).days > fresh
        ended = style.date(one.ended)
        called = {str(c["arm"]): c for c in calls(one)}
        made = testing.findings(one.analysis, experiment=one.name)
        for finding, said in zip(made, called.values(), strict=False):
            text = _("{experiment} (until {ended}): {decision}").format(
                experiment=one.name, ended=ended, decision=said["text"]
            )
            verdict: Verdict = "watch" if old and said["verdict"] == "act" else said["verdict"]
            p = None if math.isnan(said["p"]) else said["p"]
            out.append(replace(finding, verdict=verdict, text=text, p=p))
        out += made[len(called) :]
    return out


@answers("What is rolled out?")
def decisions(tried: list[Experiment], *, period: Period, platform: str = "", fresh: int = FRESH) -> list[Decision]:
    """Which arm is rolled out, and how many orders does that bring?

    Only of experiments that ended lately, of arms that stand, harm nothing and last. The effect is that of all units a
    day that saw the experiment, times the days of the next period, against everybody having the control.

    Parameters
    ----------
    tried : list of Experiment
    period : Period
        Of the report.
    platform : str
        What orders call the site.
    """
    then, out = period.following, []
    for one in tried:
        takes = [c for c in calls(one) if c["call"] == "take"]
        if not takes or (period.end - one.ended).days > fresh:
            continue
        lines = one.analysis.effects
        goals = lines[~lines["guard"].astype(bool) & lines["arm"].isin([c["arm"] for c in takes])]
        best = goals.loc[goals["effect"].idxmax()]
        a_day = one.analysis.split["units"].sum() / ((one.ended - one.began).days + 1)
        times = float(a_day * then.days)
        narrow = 1.2816 / 1.96
        effect, low, high = (
            times * (best["effect"] + narrow * (best[c] - best["effect"])) for c in ("effect", "low", "high")
        )
        if math.isnan(low + high):
            continue
        text = _("Roll out {arm} of {experiment} to everybody: about {orders} more buyers in {then}.")
        said = text.format(
            arm=best["arm"], experiment=one.name, orders=style.value(effect, "count"), then=style.period(then)
        )
        by = {"platform": platform} if platform else {}
        out.append(
            Decision(
                f"roll_out_{one.name}", said, _("Shop developer"), period.end + dt.timedelta(days=7), "orders_paid",
                then.label, effect, low, high, "count", by=by,
            )
        )  # fmt: skip
    return out


@answers("What do we test next?")
def next_finding(places: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which experiment comes next, and what would it be worth?

    Parameters
    ----------
    places : DataFrame
        From `candidates`.
    """
    known = places.dropna(subset="days")
    if known.empty:
        return [Finding("watch", _("No step of the site has enough visitors to plan an experiment on."))]
    row = known.iloc[0]
    lift = style.value(places.attrs["lift"], "share", digits=0)
    if row["days"] > places.attrs["longest"]:
        text = _(
            "Too few visitors to see a rise of {lift} at any step in {longest} days: test larger changes; at “{step}” "
            "a rise of {mde} can be seen."
        )
        said = text.format(
            lift=lift, longest=style.value(places.attrs["longest"], "count"), step=step_name(str(row["step"])),
            mde=style.value(row["mde"], "share", digits=0),
        )  # fmt: skip
        return [Finding("watch", said)]
    text = _(
        "Test next a change at “{step}”: a rise of its rate by {lift} is seen in {days} days with {units} visitors, "
        "sooner than at any other step, and would be worth {worth} of sales in a period such as this one."
    )
    said = text.format(
        step=step_name(str(row["step"])), lift=lift, days=style.value(row["days"], "count"),
        units=style.value(row["units"], "count"), worth=style.value(row["worth"], "currency", currency=currency),
    )  # fmt: skip
    return [Finding("act", said, stake=row["worth"])]
