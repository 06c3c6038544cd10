"""Cycles of a channel: what it cost and was credited with, beside the mean of the others and beside its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import N_, _
from ...missing import answers

Reading = Literal["above", "of"]

NEWEST = {"spend": "currency", "sales": "currency", "roas": "ratio", "others": "ratio", "target": "ratio"}

TITLES = {
    "call": N_("Verdict"), "call_other": N_("Verdict by the other reading"), "others": N_("Mean of the others"),
    "line": N_("Line"), "line_other": N_("Line by the other reading"), "margin": N_("Above the line by"),
    "chance": N_("Chance"), "step_up": N_("Step up by"), "limit": N_("Exit limit"), "streak": N_("Cycles in a row"),
    "since": N_("Since cycle"), "called": N_("Rule met in"), "sunk": N_("Spent since"), "returned": N_("Brought back"),
    "avoidable": N_("Still to be saved"), "difference": N_("Difference from the mean"), "cycles": N_("Cycles needed"),
    "days": N_("Days needed"), "orders": N_("Orders needed"), "spend": N_("Spent"), "sales": N_("Net sales"),
    "expected": N_("Expected sales"), "least": N_("Stop below"), "stop_loss": N_("Stop-loss"), "began": N_("Began"),
    "rule": N_("Rule"), "cycle": N_("Cycle"), "ends": N_("Until"), "target": N_("Target"),
}  # fmt: skip
"""Headers of the tables."""

READINGS: tuple[Reading, ...] = ("above", "of")


@dataclass(frozen=True)
class Rules:
    """The documents' three rules for channels, and how they are read.

    Parameters
    ----------
    entry, scale : float
        15 % and 30 %, of the mean of the existing channels.
    reading : {"above", "of"}
        Whether a line lies so much above the mean (1.15 times it), or at that part of it (0.15 times it).
    exit : float
        Part of the target below which a cycle counts against a channel.
    streak : int
        Cycles in a row after which a channel goes.
    cycle : {"month", "week"}
    test_cycles : int
        Cycles from a channel's first day on that are its test.
    recent : int
        Last cycles by which channels are scaled.
    settled_days : int
        Channels that began within so many days of the first day of the data are existing ones.
    mean : {"money", "channels"}
        Whether the mean of the others weighs each unit of money alike, or each channel.
    unspent : {"skip", "break"}
        Whether a cycle without spending is passed over, or ends a streak.

    Raises
    ------
    ValueError
        A word is none of those.
    """

    entry: float = 0.15
    scale: float = 0.30
    reading: Reading = "above"
    exit: float = 0.50
    streak: int = 3
    cycle: Literal["month", "week"] = "month"
    test_cycles: int = 3
    recent: int = 3
    settled_days: int = 90
    mean: Literal["money", "channels"] = "money"
    unspent: Literal["skip", "break"] = "skip"

    def __post_init__(self) -> None:
        known = {"reading": READINGS, "cycle": ("month", "week"), "mean": ("money", "channels"),
                 "unspent": ("skip", "break")}  # fmt: skip
        for name, words in known.items():
            if getattr(self, name) not in words:
                raise ValueError(
                    _("{word!r} is no {name}; write one of: {words}").format(
                        word=getattr(self, name), name=name, words=", ".join(words)
                    )
                )
        if min(self.streak, self.test_cycles, self.recent) < 1:
            raise ValueError(_("a streak, a test and what is recent last one cycle or more"))

    def factor(self, rule: float, reading: Reading | None = None) -> float:
        """By what the mean is multiplied to give a line."""
        return 1 + rule if (reading or self.reading) == "above" else rule


@answers("How did each channel do, cycle by cycle?")
def cycles(daily: pd.DataFrame, rules: Rules | None = None, targets: pd.DataFrame | None = None) -> pd.DataFrame:
    """What did each channel bring back in each cycle, beside the others and beside its target?

    Parameters
    ----------
    daily : DataFrame
        From `daily`.
    rules : Rules, optional
    targets : DataFrame, optional
        From `targets`.

    Returns
    -------
    DataFrame
        One row per channel and whole cycle from its first spending on: channel, cycle (first day), label, number (1 is
        its first), spend, sales, roas (sales over spend; NaN where nothing was spent), others (mean ROAS of the other
        channels in the cycle), target (ROAS; NaN: none), limit, below (1, 0; NaN where nothing was spent or there is no
        target), streak (cycles in a row below, with this one). ``attrs`` as of `daily`, and rules.
    """
    rules = rules or Rules()
    until, step = daily.attrs["until"], {"month": "MS", "week": "W-MON"}[rules.cycle]
    code = {"month": "M", "week": "W-SUN"}[rules.cycle]
    rows = daily.assign(cycle=daily["day"].dt.to_period(code).dt.start_time)
    found = rows.groupby(["channel", "cycle"], as_index=False)[["spend", "sales"]].sum()
    first, last = rows["cycle"].min(), until.to_period(code).start_time
    whole = pd.date_range(first, last, freq=step, inclusive="left") if len(rows) else pd.DatetimeIndex([])
    parts = []
    for channel, mine in found.groupby("channel"):
        began = mine.loc[mine["spend"] > 0, "cycle"].min()
        mine = (
            mine.set_index("cycle")[["spend", "sales"]]
            .reindex(whole[whole >= began], fill_value=0.0)
            .rename_axis("cycle")
            .reset_index()
        )
        parts.append(mine.assign(channel=channel, number=np.arange(1, len(mine) + 1)))
    columns = ["channel", "cycle", "label", "number", "spend", "sales", "roas", "others", "target", "limit", "below",
               "streak"]  # fmt: skip
    if not parts:
        return _with_attrs(pd.DataFrame(columns=columns), daily, rules)
    out = pd.concat(parts, ignore_index=True)
    out["label"] = out["cycle"].dt.strftime("%Y-%m" if rules.cycle == "month" else "%G-W%V")
    out["roas"] = out["sales"] / out["spend"].where(out["spend"] > 0)
    out["others"] = means_of_others(out, rules)
    aims = {} if targets is None else dict(zip(zip(targets["channel"], targets["label"], strict=True),
                                               targets["target"], strict=True))  # fmt: skip
    month = out["cycle"].dt.strftime("%Y-%m")
    out["target"] = [
        aims.get((c, m), aims.get((c, ""), aims.get(("", ""), np.nan)))
        for c, m in zip(out["channel"], month, strict=True)
    ]
    out["limit"] = rules.exit * out["target"]
    out["below"] = (out["roas"] < out["limit"]).astype(float).where(out["roas"].notna() & out["limit"].notna())
    out["streak"] = 0
    for _channel, mine in out.groupby("channel"):
        out.loc[mine.index, "streak"] = streaks(mine["below"], mine["spend"] > 0, rules)
    return _with_attrs(out[columns], daily, rules)


@answers("How did each channel do in the last cycle?")
def newest(found: pd.DataFrame) -> pd.DataFrame:
    """The last cycle of each channel, the dearest first: channel and the columns of `NEWEST`."""
    last = found[found["cycle"] == found["cycle"].max()].sort_values("spend", ascending=False, ignore_index=True)
    frame = last[["channel", *NEWEST]]
    frame.attrs = {"notes": list(found.attrs["notes"]), "titles": TITLES}
    return frame


def streaks(below: pd.Series, spent: pd.Series, rules: Rules) -> list[int]:
    """Cycles in a row that were below the limit, counted at each cycle of one channel.

    Examples
    --------
    >>> below, spent = pd.Series([1, 1, None, 1, 0, 1]), pd.Series([True, True, False, True, True, True])
    >>> streaks(below, spent, Rules()), streaks(below, spent, Rules(unspent="break"))
    ([1, 2, 2, 3, 0, 1], [1, 2, 0, 1, 0, 1])
    """
    out, run = [], 0
    for low, paid in zip(below, spent, strict=True):
        if paid:
            run = run + 1 if low == 1 else 0
        elif rules.unspent == "break":
            run = 0
        out.append(run)
    return out


def means_of_others(rows: pd.DataFrame, rules: Rules) -> pd.Series:
    """For each channel and cycle the mean ROAS of the other channels that spent something then; NaN where none did.

    Examples
    --------
    >>> rows = pd.DataFrame({"cycle": 1, "spend": [100, 300, 0], "sales": [300, 300, 50]})
    >>> means_of_others(rows, Rules()).tolist()
    [1.0, 3.0, 1.5]
    """
    there = rows["spend"] > 0
    spend, sales, one = rows["spend"].where(there, 0.0), rows["sales"].where(there, 0.0), there.astype(float)
    if rules.mean == "channels":
        spend, sales = one, (rows["sales"] / rows["spend"].where(there)).fillna(0.0)
    cost, worth = (x.groupby(rows["cycle"]).transform("sum") - x for x in (spend, sales))
    left = one.groupby(rows["cycle"]).transform("sum") - one
    return worth / cost.where(left > 0)


@answers("What is asked of each channel?")
def targets(table: ibis.Table | pd.DataFrame | None, *, default: float = 0.0) -> pd.DataFrame:
    """What ROAS is asked of each channel?

    Parameters
    ----------
    table : Table, optional
        The shop's `targets`: metric (``roas``), period, target, channel, recorded_at.
    default : float
        For channels and months without one; 0 is none.

    Returns
    -------
    DataFrame
        channel ("": any), label (month; "": any), target: what was written down last.
    """
    rows = pd.DataFrame({"channel": [""], "label": [""], "target": [default]}) if default > 0 else None
    columns = ["channel", "label", "target"]
    if table is None or "channel" not in table.columns:
        return pd.DataFrame(columns=columns) if rows is None else rows
    said = as_table(table)
    said = said.filter((said.metric == "roas") & said.channel.notnull())
    frame = said.select("channel", "period", "target", "recorded_at").to_pandas()
    frame = frame.sort_values("recorded_at").drop_duplicates(["channel", "period"], keep="last")
    frame = frame.rename(columns={"period": "label"})[columns].sort_values(columns[:2], ignore_index=True)
    return pd.concat([frame] if rows is None else [frame, rows], ignore_index=True)


def _with_attrs(frame: pd.DataFrame, daily: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    frame.attrs = {**daily.attrs, "rules": rules}
    return frame
