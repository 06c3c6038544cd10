"""What follows from the rules for channels."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import answers
from ...outlook import Decision, Forecast
from ...period import Period
from .cycles import Rules

NEAR = 0.25
"""A channel below its line is named where it may be above with at least this chance."""

DAYS_TO_STOP = 7
FEWEST = 6
"""Cycles with spending before the next one is forecast."""


@answers("Which channel stays?")
def findings(
    entries: pd.DataFrame, scaling: pd.DataFrame, leaving: pd.DataFrame, *, currency: str = "CNY"
) -> list[Finding]:
    """Which new channel may stay, which gets more, and which goes?

    Parameters
    ----------
    entries, scaling, leaving : DataFrame
        From `entry`, `scale` and `leave`.
    """
    rules: Rules = leaving.attrs["rules"]
    out = [_entered(row, rules) for row in entries.to_dict("records")]
    for row in scaling.to_dict("records"):
        near = row["call"] == "keep" and row["chance"] >= NEAR
        if row["call"] == "scale" or near:
            out.append(_scaled(row, rules, currency))
    gone = leaving[leaving["call"].isin(["exit", "near"])]
    out += [_left(row, rules, currency) for row in gone.to_dict("records")]
    if leaving.empty:
        out.append(Finding("hold", _("Nothing was spent on advertising, so no channel is to be judged.")))
    elif gone.empty:
        out.append(Finding("hold", _("No channel is below its exit limit for long enough to leave.")))
    return out


def _numbers(row: dict) -> dict[str, str]:
    """The numbers of a channel beside its line, in words."""
    return {
        "channel": term("channel", row["channel"]),
        "roas": style.value(row["roas"], "ratio"),
        "line": style.value(row["line"], "ratio"),
        "others": style.value(row["others"], "ratio"),
        "chance": style.value(row["chance"], "share", digits=0),
        "other": style.value(row["line_other"], "ratio"),
    }


def _entered(row: dict, rules: Rules) -> Finding:
    said = _numbers(row) | {"cycles": style.value(row["cycles"], "count")}
    figures = _figures("entry", row)
    if row["call"] == "no_comparison" or math.isnan(row["roas"]):
        text = _("{channel}: not enough data to say whether it may stay: needs spending by it and by another channel.")
        return Finding("watch", text.format(**said))
    if row["call"] == "testing":
        text = _("{channel} is still in its test: after {cycles} cycles it returned {roas}, the line is {line}.")
        return Finding("watch", text.format(**said), figures=figures)
    if row["call"] == "enter":
        text = _(
            "{channel} may stay: in its test it returned {roas} for each unit of money, above the line of {line} (the "
            "other channels: {others}); with {chance} it truly lies above. By the other reading of the rule, {other}, "
            "it may stay as well."
        )
        if row["call_other"] != row["call"]:
            text = _(
                "{channel} may stay: in its test it returned {roas} for each unit of money, above the line of {line} "
                "(the other channels: {others}); with {chance} it truly lies above. By the other reading of the rule, "
                "{other}, it may not."
            )
        return Finding("hold", text.format(**said), figures=figures)
    text = _(
        "{channel} fell short in its test: it returned {roas} for each unit of money, below the line of {line} (the "
        "other channels: {others}); with {chance} it truly lies above. By the other reading of the rule, {other}, it "
        "falls short as well."
    )
    if row["call_other"] != row["call"]:
        text = _(
            "{channel} fell short in its test: it returned {roas} for each unit of money, below the line of {line} "
            "(the other channels: {others}); with {chance} it truly lies above. By the other reading of the rule, "
            "{other}, it may stay."
        )
    return Finding("watch", text.format(**said), stake=row["spend"] / row["cycles"], figures=figures)


def _scaled(row: dict, rules: Rules, currency: str) -> Finding:
    said = _numbers(row)
    if row["call"] == "scale":
        text = _(
            "{channel} returned {roas} for each unit of money, above the scale line of {line} (the other channels: "
            "{others}; truly above with {chance}): step it up by {more} a cycle, and go on only if what is added "
            "returns enough as well, since this is the mean of all its money."
        )
        said["more"] = style.value(row["step_up"], "currency", currency=currency)
        return Finding("act", text.format(**said), stake=row["step_up"], figures=_figures("scale", row))
    text = _(
        "{channel} lies just below the scale line: {roas} against {line}; with {chance} it truly lies above. Give it "
        "no more yet, and look again after the next cycle."
    )
    if row["call_other"] == "scale":
        text = _(
            "{channel} lies just below the scale line: {roas} against {line}; with {chance} it truly lies above. Give "
            "it no more yet, and look again after the next cycle. By the other reading of the rule, {other}, it would "
            "get more."
        )
    return Finding("watch", text.format(**said), figures=_figures("scale", row))


def _left(row: dict, rules: Rules, currency: str) -> Finding:
    said = {
        "channel": term("channel", row["channel"]),
        "streak": style.value(row["streak"], "count"),
        "since": row["since"],
        "called": row["called"],
        "roas": style.value(row["roas"], "ratio"),
        "limit": style.value(row["limit"], "ratio"),
        "part": style.value(rules.exit, "share", digits=0),
        "chance": style.value(row["chance"], "share", digits=0),
        "sunk": style.value(row["sunk"], "currency", currency=currency),
        "returned": style.value(row["returned"], "currency", currency=currency),
        "avoidable": style.value(row["avoidable"], "currency", currency=currency),
    }
    by = {"channel": row["channel"]}
    figures = (Figure("exit.roas", row["roas"], "ratio", by=by), Figure("exit.streak", row["streak"], "count", by=by))
    if row["call"] == "near":
        text = _(
            "{channel} was below {part} of its target in {streak} cycles in a row, since {since}: one more, and it is "
            "to be left."
        )
        return Finding("watch", text.format(**said), stake=row["avoidable"], figures=figures)
    text = _(
        "Leave {channel}: since {since} it returned {roas} for each unit of money, below {part} of its target "
        "({limit}) in {streak} cycles in a row (truly below with {chance}); the rule was met in {called}. The {sunk} "
        "spent since then are gone and brought {returned}; what can still be saved is {avoidable} a cycle."
    )
    return Finding("act", text.format(**said), stake=row["avoidable"], figures=figures)


def _figures(name: str, row: dict) -> tuple[Figure, ...]:
    by = {"channel": row["channel"]}
    return (
        Figure(f"{name}.roas", row["roas"], "ratio", row["roas_low"], row["roas_high"], by),
        Figure(f"{name}.chance", row["chance"], "share", by=by),
    )


@answers("What is to be done about the channels?")
def decisions(leaving: pd.DataFrame, found: pd.DataFrame, period: Period, *, currency: str = "CNY") -> list[Decision]:
    """Which channel is stopped, and what does that save?

    A scale-up is a finding and no decision: the mean of a channel says nothing of what further money brings.

    Parameters
    ----------
    leaving : DataFrame
        From `leave`.
    found : DataFrame
        From `cycles`.
    period : Period
        Of the report; the effect is counted over the first later one that ends after the day by which it is done.
    """
    due = period.end + dt.timedelta(days=DAYS_TO_STOP)
    then = period.following
    while then.end <= due:
        then = then.following
    days = (then.end - max(due, then.start)).days
    length = {"month": 365.25 / 12, "week": 7.0}[found.attrs["rules"].cycle]
    out = []
    for row in leaving[(leaving["call"] == "exit") & (leaving["avoidable"] > 0)].to_dict("records"):
        mine = found[(found["channel"] == row["channel"]) & (found["spend"] > 0)].tail(max(int(row["streak"]), 2))
        saved = row["avoidable"] * days / length
        half = (
            float(stats.t.ppf(0.9, len(mine) - 1) * mine["spend"].std() * math.sqrt(1 + 1 / len(mine))) * days / length
        )
        text = _(
            "Stop {channel}: book no more, and let run out what is booked; {saved} are spent less by the end of {then}."
        )
        said = text.format(
            channel=term("channel", row["channel"]), saved=style.value(saved, "currency", currency=currency),
            then=style.period(then),
        )  # fmt: skip
        out.append(
            Decision(
                "stop_channel", said, _("Media buyer"), due, "ad_spend", then.label, -saved, -saved - half,
                min(0.0, -saved + half), "currency", by={"channel": row["channel"]},
            )
        )  # fmt: skip
    return out


@answers("What will the channels return next?")
def forecasts(found: pd.DataFrame, period: Period, *, figure: str = "newest.roas", last: int = 12) -> list[Forecast]:
    """What will each channel return in the next cycle, if it goes on as it did?

    The middle and the spread of its last cycles on the log scale; only for cycles as long as the report's period, and
    channels with at least six cycles and spending in the last one.

    Parameters
    ----------
    found : DataFrame
        From `cycles`.
    period : Period
    figure : str
        Name of the figure that the next report records.
    last : int
        Cycles that are looked at.
    """
    if found.empty or found["label"].max() != period.label:
        return []
    out = []
    for channel, mine in found.groupby("channel"):
        known = mine[(mine["spend"] > 0) & (mine["sales"] > 0)].tail(last)
        if len(known) < FEWEST or not mine["spend"].iloc[-1] > 0:
            continue
        log = np.log(known["roas"].to_numpy(float))
        half = float(stats.t.ppf(0.9, len(log) - 1) * log.std(ddof=1) * math.sqrt(1 + 1 / len(log)))
        value, low, high = (math.exp(log.mean() + x) for x in (0, -half, half))
        out.append(
            Forecast(
                figure, period.following.label, value, low, high, "ratio", by={"channel": str(channel)}, method="mean"
            )
        )
    return out
