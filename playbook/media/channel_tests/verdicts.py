"""Enter, scale, leave: the three rules, with the other reading and the chance of being above the line beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ...missing import answers
from .cycles import READINGS, TITLES, Rules, cycles, means_of_others

LINES = {
    "roas": "ratio", "others": "ratio", "line": "ratio", "margin": "share", "chance": "share",
    "line_other": "ratio", "step_up": "currency",
}  # fmt: skip
EXIT = {
    "streak": "count", "roas": "ratio", "limit": "ratio", "chance": "share", "sunk": "currency", "returned": "currency",
    "avoidable": "currency",
}  # fmt: skip

SHOWN = ["roas", "roas_low", "roas_high", "others", "line", "margin", "chance"]
ENTRY = ["channel", "began", "call", *SHOWN, "line_other", "call_other"]
SCALE = ["channel", "call", *SHOWN, "step_up", "line_other", "call_other"]
"""What is shown of `entry` and of `scale`; last the verdict by the other reading."""

STEP = 0.20
"""Part of what was spent by which a channel is stepped up at a time: more at once leaves the range that is known."""

BLOCK, FEWEST = 7, 8
"""Days that are drawn together, weeks as a rule; single days where there are fewer weeks than this."""

DRAWS = 2000


@answers("Which new channel may stay?")
def entry(daily: pd.DataFrame, rules: Rules | None = None, *, rng: int | np.random.Generator = 0) -> pd.DataFrame:
    """May a new channel stay, by what it returned in its test?

    Compared is ROAS, with the mean of the other channels over the same days: a line at some multiple of a mean *ROI*
    would fall below the mean wherever that is negative.

    Parameters
    ----------
    daily : DataFrame
        From `daily`.
    rules : Rules, optional
    rng : int or Generator
        Of the draws.

    Returns
    -------
    DataFrame
        One row per channel that began more than `Rules.settled_days` after the first day of the data: channel, began,
        cycles (of its test that are over), spend, roas with roas_low, roas_high (95 %, weeks drawn again), others (mean
        ROAS), line, margin (roas over line less 1), chance (of lying above the line), call (enter, refuse, testing,
        no_comparison), line_other and call_other: by the other reading of the rule.
    """
    rules, draw = rules or Rules(), np.random.default_rng(rng)
    found = cycles(daily, rules)
    lines = []
    for channel, mine in found.groupby("channel"):
        began = daily.loc[(daily["channel"] == channel) & (daily["spend"] > 0), "day"].min()
        if began < daily.attrs["first_day"] + pd.Timedelta(days=rules.settled_days):
            continue
        test = mine[mine["number"] <= rules.test_cycles]
        line = _held_against(daily, str(channel), test, found, rules, rules.entry, draw)
        names = ("enter", "refuse")
        if len(test) < rules.test_cycles:
            names = ("testing", "testing")
        lines.append({"channel": channel, "began": began, "cycles": len(test)} | _called(line, names))
    return _frame(lines, ["channel", "began", "cycles"], daily)


@answers("Which channel gets more?")
def scale(
    daily: pd.DataFrame, rules: Rules | None = None, *, step: float = STEP, rng: int | np.random.Generator = 0
) -> pd.DataFrame:
    """Which channel returns so much more than the others that it gets more?

    Parameters
    ----------
    daily : DataFrame
        From `daily`.
    rules : Rules, optional
    step : float, default 0.2
        Part of what it costs a cycle by which a channel is stepped up.
    rng : int or Generator

    Returns
    -------
    DataFrame
        One row per channel with spending in the last `Rules.recent` cycles, the highest ROAS first: as `entry`, with
        call (scale, keep, no_comparison) and step_up (money a cycle; NaN unless it is to be scaled).
    """
    rules, draw = rules or Rules(), np.random.default_rng(rng)
    found = cycles(daily, rules)
    newest = sorted(found["cycle"].unique())[-rules.recent :]
    lines = []
    for channel, mine in found[found["cycle"].isin(newest)].groupby("channel"):
        if not mine["spend"].sum() > 0:
            continue
        line = _called(_held_against(daily, str(channel), mine, found, rules, rules.scale, draw), ("scale", "keep"))
        more = step * mine["spend"].sum() / len(mine) if line["call"] == "scale" else math.nan
        lines.append({"channel": channel, "cycles": len(mine)} | line | {"step_up": more})
    frame = _frame(lines, ["channel", "cycles"], daily, "step_up")
    attrs = frame.attrs
    frame = frame.sort_values("roas", ascending=False, ignore_index=True)
    frame.attrs = attrs
    return frame


@answers("Which channel goes?")
def leave(found: pd.DataFrame, daily: pd.DataFrame, *, rng: int | np.random.Generator = 0) -> pd.DataFrame:
    """Which channel was below half its target for so many cycles in a row that it goes?

    Parameters
    ----------
    found : DataFrame
        From `cycles`, with targets.
    daily : DataFrame
        What they were made of.
    rng : int or Generator

    Returns
    -------
    DataFrame
        One row per channel, the longest streak first: channel, call (exit; near: one cycle short of it; stay; resting:
        nothing was spent in the last cycle; no_target), streak, since (label of the streak's first cycle), called
        (label of the cycle in which the rule was met), roas and limit (of the streak, or of the last cycle with
        spending), chance (that it is below the limit), sunk (spent in the streak), returned (its sales), avoidable
        (spent a cycle from now on if nothing changes).
    """
    rules: Rules = found.attrs["rules"]
    draw = np.random.default_rng(rng)
    lines = []
    for channel, mine in found.groupby("channel"):
        spent = mine[mine["spend"] > 0]
        streak = int(mine["streak"].iloc[-1]) if len(mine) else 0
        judged = spent.tail(max(streak, 1))
        line: dict[str, Any] = {"channel": channel, "call": "stay", "streak": streak, "since": "", "called": ""}
        if judged.empty or judged["limit"].isna().all():
            line["call"] = "no_target"
        elif streak >= rules.streak:
            line |= {"call": "exit", "called": str(spent["label"].iloc[-streak:].iloc[rules.streak - 1])}
        elif streak and streak == rules.streak - 1:
            line["call"] = "near"
        elif not mine["spend"].iloc[-1] > 0:
            line["call"] = "resting"
        if streak:
            line["since"] = str(judged["label"].iloc[0])
        cost = judged["spend"].sum()
        line |= {
            "roas": judged["sales"].sum() / cost if cost > 0 else math.nan,
            "limit": (judged["limit"] * judged["spend"]).sum(min_count=1) / cost if cost > 0 else math.nan,
        }
        line["chance"] = _chance_below(daily, str(channel), judged, rules, draw)
        run = judged if streak else judged.iloc[:0]
        line |= {"sunk": run["spend"].sum(), "returned": run["sales"].sum()}
        line["avoidable"] = cost / len(judged) if len(judged) and mine["spend"].iloc[-1] > 0 else 0.0
        lines.append(line)
    columns = ["channel", "call", "streak", "since", "called", *(c for c in EXIT if c != "streak")]
    frame = pd.DataFrame(lines, columns=columns)
    frame = frame.sort_values(["streak", "channel"], ascending=[False, True], ignore_index=True)
    frame.attrs = {**found.attrs, "notes": [], "titles": TITLES}
    return frame


def _held_against(
    daily: pd.DataFrame, channel: str, mine: pd.DataFrame, found: pd.DataFrame, rules: Rules, rule: float,
    draw: np.random.Generator,
) -> dict[str, float]:  # fmt: skip
    """A channel over some of its cycles, beside the mean of the others over the same ones."""
    nothing = dict.fromkeys(
        ("roas", "roas_low", "roas_high", "others", "line", "margin", "chance", "line_other"), np.nan
    )
    spend = float(mine["spend"].sum())
    line = {"spend": spend} | nothing
    if not spend > 0:
        return line
    same = found[found["cycle"].isin(mine["cycle"])].groupby("channel", as_index=False)[["spend", "sales"]].sum()
    other = READINGS[1 - READINGS.index(rules.reading)]
    mean = float(means_of_others(same.assign(cycle=0), rules)[same["channel"] == channel].iloc[0])
    line |= {"roas": float(mine["sales"].sum() / spend), "others": mean}
    own, others = _drawn(daily, channel, mine, rules, draw)
    if len(own):
        line |= dict(zip(("roas_low", "roas_high"), np.nanquantile(own, [0.025, 0.975]).tolist(), strict=True))
    if not mean > 0:
        return line
    line |= {"line": rules.factor(rule) * mean, "line_other": rules.factor(rule, other) * mean}
    line["margin"] = line["roas"] / line["line"] - 1
    if len(own):
        line["chance"] = float(np.mean(own >= rules.factor(rule) * others))
    return line


def _called(line: dict[str, float], names: tuple[str, str]) -> dict[str, Any]:
    """The verdicts by both readings."""
    said = {}
    for call, name in (("call", "line"), ("call_other", "line_other")):
        known = not math.isnan(line[name])
        said[call] = names[0 if line["roas"] >= line[name] else 1] if known else "no_comparison"
    return line | said


def _blocks(daily: pd.DataFrame, mine: pd.DataFrame, rules: Rules) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Spending and sales of the days of some cycles, by block of days and channel."""
    starts = mine["cycle"]
    ends = starts + (pd.offsets.MonthBegin(1) if rules.cycle == "month" else pd.Timedelta(days=7))
    inside = np.zeros(len(daily), dtype=bool)
    for start, end in zip(starts, ends, strict=True):
        inside |= ((daily["day"] >= start) & (daily["day"] < end)).to_numpy()
    rows = daily[inside]
    days = (rows["day"] - starts.min()).dt.days
    size = BLOCK if days.max() + 1 >= BLOCK * FEWEST else 1
    wide = rows.assign(block=days // size).pivot_table(
        index="block", columns="channel", values=["spend", "sales"], aggfunc="sum", fill_value=0.0
    )
    names = sorted(set(rows["channel"]))
    return wide["spend"][names].to_numpy(float), wide["sales"][names].to_numpy(float), names


def _drawn(
    daily: pd.DataFrame, channel: str, mine: pd.DataFrame, rules: Rules, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """ROAS of a channel and the mean of the others when the same blocks of days are drawn again for all."""
    spend, sales, names = _blocks(daily, mine, rules)
    if len(spend) < FEWEST:
        return np.array([]), np.array([])
    weight = draw.multinomial(len(spend), np.full(len(spend), 1 / len(spend)), size=DRAWS).astype(float)
    cost, worth, i = weight @ spend, weight @ sales, names.index(channel)
    with np.errstate(divide="ignore", invalid="ignore"):
        roas = np.where(cost > 0, worth / cost, np.nan)
        rest = np.delete(roas, i, axis=1)
        if rules.mean == "channels":
            count = np.isfinite(rest).sum(axis=1)
            others = np.where(count > 0, np.nansum(rest, axis=1) / count, np.nan)
        else:
            left = np.delete(np.where(cost > 0, worth, 0.0), i, axis=1).sum(axis=1)
            others = left / np.delete(cost, i, axis=1).sum(axis=1)
    return roas[:, i], others


def _chance_below(
    daily: pd.DataFrame, channel: str, judged: pd.DataFrame, rules: Rules, draw: np.random.Generator
) -> float:
    """The chance that a channel returned less than its limit in some cycles."""
    limit = judged["limit"]
    if judged.empty or limit.isna().any():
        return math.nan
    spend, sales, names = _blocks(daily[daily["channel"] == channel], judged, rules)
    if len(spend) < FEWEST or not names:
        return math.nan
    line = float((limit * judged["spend"]).sum() / judged["spend"].sum())
    weight = draw.multinomial(len(spend), np.full(len(spend), 1 / len(spend)), size=DRAWS)
    return float(np.mean(weight @ sales[:, 0] < line * (weight @ spend[:, 0])))


def _frame(lines: list[dict[str, Any]], first: list[str], daily: pd.DataFrame, *more: str) -> pd.DataFrame:
    columns = [*first, "call", "spend", "roas", "roas_low", "roas_high", "others", "line", "margin", "chance", *more,
               "line_other", "call_other"]  # fmt: skip
    frame = pd.DataFrame(lines, columns=columns)
    frame.attrs = {**daily.attrs, "notes": [], "titles": TITLES}
    return frame
