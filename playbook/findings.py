"""Findings: what a notebook concludes, as a sentence with its verdict, and the figures that it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, get_args

import pandas as pd

from .language import _
from .missing import Missing

Verdict = Literal["act", "watch", "hold"]

VERDICTS: tuple[str, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Figure:
    """One number that a page says, under the name by which other systems and the next report find it again.

    Parameters
    ----------
    name : str
        Dotted, e.g. ``headline.net_sales``.
    value : int, float, Decimal or None
        None and NaN: not known.
    unit : str
        As in `playbook.style.UNITS`.
    low, high : number, optional
        The interval.
    by : mapping of str to str
        What the number is cut by, e.g. ``{"channel": "search"}``.
    """

    name: str
    value: Any
    unit: str
    low: Any = None
    high: Any = None
    by: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError(_("a figure needs a name, such as headline.net_sales"))

    def record(self, notebook: str = "") -> dict[str, Any]:
        """The figure as a row of ``figures.json``: plain numbers, 10 significant digits, None: unknown."""
        return {
            "notebook": notebook,
            "name": self.name,
            "value": rounded(self.value),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "unit": self.unit,
            "by": {str(key): str(value) for key, value in self.by.items()},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Figure:
        """The figure of a row of ``figures.json``."""
        return cls(**{key: record[key] for key in ("name", "value", "unit", "low", "high", "by")})


@dataclass(frozen=True)
class Finding:
    """What follows from the numbers: one sentence, what to do with it, and what is at stake.

    Parameters
    ----------
    verdict : {"act", "watch", "hold"}
        Do something now; look again next period; leave it as it is.
    text : str
        The sentence, computed from the numbers.
    stake : float, optional
        Currency per period, for ranking. What is not finite counts as not known.
    figures : tuple of Figure
        The numbers that the sentence rests on.
    blocked : bool
        The data failed their check (`playbook.data.quality.gate`): an observation, on which nothing may be decided.
    p, q : float, optional
        Of the test that the sentence comes from, found or not; `q` is the same once held against all tests of the
        report (`playbook.methods.multiplicity.controlled`).
    """

    verdict: Verdict
    text: str
    stake: float | None = None
    figures: tuple[Figure, ...] = ()
    blocked: bool = False
    p: float | None = None
    q: float | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(
                _("{verdict!r} is no verdict; write one of: {verdicts}").format(
                    verdict=self.verdict, verdicts=", ".join(VERDICTS)
                )
            )
        if not isinstance(self.text, str) or not self.text.strip():
            raise ValueError(_("a finding needs a sentence"))
        # The class is frozen for its users; here it is still being made.
        stake = rounded(self.stake)
        object.__setattr__(self, "stake", None if stake is None else float(stake))
        object.__setattr__(self, "figures", tuple(self.figures))
        for name in ("p", "q"):
            chance = rounded(getattr(self, name))
            if chance is not None and not 0 <= chance <= 1:
                raise ValueError(_("{name} = {value} is no probability").format(name=name, value=chance))
            object.__setattr__(self, name, None if chance is None else float(chance))

    def record(self, notebook: str = "") -> dict[str, Any]:
        """The finding as plain data, ready for JSON."""
        figures = [figure.record(notebook) for figure in self.figures]
        plain = {"verdict": self.verdict, "text": self.text, "stake": self.stake, "figures": figures}
        tested = {name: x for name, x in (("p", self.p), ("q", self.q)) if x is not None}
        return plain | ({"blocked": True} if self.blocked else {}) | tested

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Finding:
        """The finding that `record` wrote down."""
        figures = tuple(Figure.from_record(f) for f in record.get("figures", ()))
        return cls(
            record["verdict"],
            record["text"],
            record.get("stake"),
            figures,
            record.get("blocked", False),
            *map(record.get, "pq"),
        )


def order(finding: Finding) -> tuple[int, float, str]:
    """Where does a finding stand among others? Acts first, then the larger stake, then the text."""
    return VERDICTS.index(finding.verdict), -abs(finding.stake or 0.0), finding.text


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """Which finding deserves the reader's time first?

    Examples
    --------
    >>> small, large = Finding("act", "b", 10), Finding("act", "a", -200)
    >>> [f.text for f in rank([Finding("hold", "c", 999), small, large])]
    ['a', 'b', 'c']
    """
    return sorted(findings, key=order)


def rounded(x: Any) -> int | float | None:
    """What of this number is worth keeping? 10 significant digits; whole numbers stay; None: no number.

    Examples
    --------
    >>> rounded(1 / 3), rounded(12345678901), rounded(float("nan"))
    (0.3333333333, 12345678901, None)
    """
    if x is None or isinstance(x, Missing) or (pd.api.types.is_scalar(x) and pd.isna(x)):
        return None
    plain = x.item() if hasattr(x, "item") else x  # no numpy types: JSON does not know them
    if isinstance(plain, int):
        return int(plain)
    if not isinstance(plain, float | Decimal):
        raise TypeError(_("{x!r} is not a number").format(x=x))
    number = float(f"{plain:.10g}")
    return number + 0.0 if math.isfinite(number) else None  # + 0.0: no negative zero
