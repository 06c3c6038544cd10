"""Another decision for the same world: what ``playbook demo --policy plan.toml`` says.

.. code-block:: toml

    from = "2026-05"            # first month that it rules; the last twelve months when absent

    [budgets]                   # factor on a channel's spending
    search = 2.0

    [prices]                    # factor on the price of a product or of a category
    "精华" = 1.05

    [promotions]                # factor on the depth and the effect of a promotion; 0 calls it off
    mask_bogo = 0

    [stock]                     # days by which the order that ends a stock-out is placed earlier
    cream0001 = 20
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd

from ....language import _
from .calendar import Calendar


@dataclass(frozen=True)
class Policy:
    """Factors by name; an empty policy changes nothing. `begins` is the position of the first day that it rules."""

    begins: int = 0
    budgets: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    promotions: Mapping[str, float] = field(default_factory=dict)
    stock: Mapping[str, float] = field(default_factory=dict)


def read_policy(path: Path | None, cal: Calendar) -> Policy:
    """The policy in a file, or the empty one.

    Raises
    ------
    ValueError
        Not TOML, an unknown section, a factor below zero, or a month that is not among the demo's.
    """
    if path is None:
        return Policy()
    try:
        said = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(_("{path} is not valid TOML: {error}").format(path=path, error=error)) from None
    sections = [f.name for f in fields(Policy)][1:]
    begins = _first_day(path, said.pop("from", None), cal)
    for section, factors in said.items():
        known_or_refuse(str(path), section, section in sections and isinstance(factors, dict), ["from", *sections])
        for name, factor in factors.items():
            if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 <= factor < 1000:
                told = _("{path}: {section}.{name} is {factor!r}; write a number that is not below 0")
                raise ValueError(told.format(path=path, section=section, name=name, factor=factor))
    return Policy(begins, **said)


def _first_day(path: Path, month: object, cal: Calendar) -> int:
    if month is None:
        return cal.position(11, 1)
    months = cal.days.strftime("%Y-%m")
    if month not in months:
        told = _("{path}: from is {month!r}; write a month from {first} to {last}")
        raise ValueError(told.format(path=path, month=month, first=months[0], last=months[-1]))
    return int(pd.Index(months).get_indexer_for([month])[0])


def known_or_refuse(where: str, name: str, known: bool, names: Iterable[str]) -> None:
    """Refuse a name that does not exist, and say which do."""
    if not known:
        told = _("{where} names {name!r}, which does not exist; there is: {names}")
        raise ValueError(told.format(where=where, name=name, names=", ".join(names)))
