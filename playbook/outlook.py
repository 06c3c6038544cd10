"""Forecasts and decisions: what a report says will come, and what it says is to be done; later reports score both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from . import period as periods
from .findings import rounded
from .language import _

Check = Literal["controls", "forecast", "experiment"]

CHECKS: tuple[str, ...] = get_args(Check)


@dataclass(frozen=True)
class Forecast:
    """A metric in a coming period, under the current plan; it is always scored.

    Parameters
    ----------
    metric : str
        One of `playbook.metrics`, by which it will be scored; or the name of a figure of the report of `period`, which
        is then scored by that report.
    period : str
        Label of the period that it is about, e.g. ``2026-11``.
    value, low, high : number
        Expected, and its interval.
    unit : str
        As in `playbook.style.UNITS`.
    level : float
        Of the interval: how often the truth should lie inside.
    by : mapping of str to str
        What the metric is cut by, e.g. ``{"platform": "jd"}``.
    method : str
        What it was made with, e.g. ``ets``.

    Raises
    ------
    ValueError
        The period is none, a number is lacking, the interval does not hold the value, or the level is no probability.
    """

    metric: str
    period: str
    value: float
    low: float
    high: float
    unit: str
    level: float = 0.8
    by: Mapping[str, str] = field(default_factory=dict)
    method: str = ""

    def __post_init__(self) -> None:
        _check_period(self.period)
        _check_interval(self, self.metric)
        if not 0 < self.level < 1:
            raise ValueError(_("{name} = {value} is no probability").format(name="level", value=self.level))

    def record(self) -> dict[str, Any]:
        """The forecast as plain data, ready for JSON."""
        return asdict(self) | {"by": {str(k): str(v) for k, v in self.by.items()}}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Forecast:
        """The forecast that `record` wrote down."""
        return cls(**{name: record[name] for name in cls.__dataclass_fields__ if name in record})


@dataclass(frozen=True)
class Decision:
    """What is to be done, by whom and by when, and what it should change; scored once somebody says that it is done.

    Parameters
    ----------
    name : str
        What it is about, in a word that does not change with its numbers, e.g. ``stop_channel``; with `by` it is the
        only one of its notebook.
    text : str
        What is to be done: one sentence, computed from the numbers.
    owner : str
        The role that does it.
    due : date
        The day until which it is to be done.
    metric : str
        What it changes: one of `playbook.metrics`.
    period : str
        Label of the period over which the effect is counted.
    effect, low, high : number
        Expected change of the metric over that period if it is done, and its interval.
    unit : str
        Of the effect.
    level : float
        Of the interval.
    by : mapping of str to str
        What the metric is cut by.
    check : {"controls", "forecast", "experiment"}
        How the effect will be told from chance: beside the other parts of the same cut; beside what the days before
        lead to expect; by an experiment.
    experiment : str
        Its id, where `check` says so.
    stake : number, optional
        Currency per period, for ranking; by default the size of the effect, where that is money.

    Raises
    ------
    ValueError
        A word is lacking, the period is none, or the interval does not hold the effect.
    """

    name: str
    text: str
    owner: str
    due: dt.date
    metric: str
    period: str
    effect: float
    low: float
    high: float
    unit: str
    level: float = 0.8
    by: Mapping[str, str] = field(default_factory=dict)
    check: Check = "forecast"
    experiment: str = ""
    stake: float | None = None

    def __post_init__(self) -> None:
        for word in ("name", "text", "owner", "metric"):
            if not str(getattr(self, word)).strip():
                raise ValueError(_("a decision needs its {word}").format(word=word))
        if self.check not in CHECKS:
            raise ValueError(
                _("{check!r} is no way to check a decision; write one of: {checks}").format(
                    check=self.check, checks=", ".join(CHECKS)
                )
            )
        _check_period(self.period)
        _check_interval(self, self.metric, "effect")
        stake = rounded(self.stake)
        if stake is None and self.unit == "currency":
            stake = abs(self.effect)
        object.__setattr__(self, "stake", None if stake is None else float(stake))
        if isinstance(self.due, str):
            object.__setattr__(self, "due", dt.date.fromisoformat(self.due))

    def record(self) -> dict[str, Any]:
        """The decision as plain data, ready for JSON."""
        return asdict(self) | {"by": {str(k): str(v) for k, v in self.by.items()}, "due": self.due.isoformat()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Decision:
        """The decision that `record` wrote down."""
        return cls(**{name: record[name] for name in cls.__dataclass_fields__ if name in record})


def check_unique(forecasts: Iterable[Forecast], decisions: Iterable[Decision]) -> None:
    """Refuse two forecasts of one thing, or two decisions with one name: a ledger could not tell them apart.

    Raises
    ------
    ValueError
        Naming the thing.
    """
    seen = set[tuple[str, ...]]()
    named: list[tuple[str, str, Forecast | Decision]] = [("forecast", f.metric, f) for f in forecasts]
    named += [("decision", d.name, d) for d in decisions]
    for kind, name, of in named:
        thing = (kind, name, of.period, *(f"{k}={v}" for k, v in sorted(of.by.items())))
        if thing in seen:
            raise ValueError(_("{thing} is there twice").format(thing=", ".join(thing[1:])))
        seen.add(thing)


def _check_period(label: str) -> None:
    periods.parse(label)


def _check_interval(of: Forecast | Decision, name: str, value: str = "value") -> None:
    for part in (value, "low", "high"):
        number = rounded(getattr(of, part))
        if number is None:
            raise ValueError(_("{metric}: its {part} is no number").format(metric=name, part=part))
        object.__setattr__(of, part, float(number))
    if not of.low <= getattr(of, value) <= of.high:
        raise ValueError(
            _("{metric}: {value} does not lie between {low} and {high}").format(
                metric=name, value=getattr(of, value), low=of.low, high=of.high
            )
        )
