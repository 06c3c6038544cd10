"""Rates of exchange: a shop's own ``fx.csv``, by which money of other currencies becomes the shop's.

``day,currency,rate``: what one unit of the currency cost in the shop's on that day. The latest rate on or before the
day of a row is taken, if it is not too old; without one the row goes to quarantine.
"""

from __future__ import annotations

import csv
import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ...language import N_, _
from ..store import ShopError

OLDEST = 7
"""Days that a rate may lie back."""

NO_RATE = N_("no rate of exchange for that day")


class Rates:
    """The rates of a shop's ``fx.csv``; without the file there are none."""

    def __init__(self, path: Path):
        found: dict[str, dict[dt.date, Decimal]] = defaultdict(dict)
        for line, (day, currency, rate) in _rows(path):
            found[currency][day] = rate
            if rate <= 0:
                raise ShopError(_("{file}, line {line}: a rate must be above 0").format(file=path.name, line=line))
        self._days = {c: sorted(rates) for c, rates in found.items()}
        self._rates = found

    def __contains__(self, currency: str) -> bool:
        return currency in self._rates

    def on(self, currency: str, day: dt.date) -> Decimal | None:
        """The rate of a day: the latest that is not older than `OLDEST` days."""
        days = self._days.get(currency, [])
        i = bisect_right(days, day)
        if not i or (day - days[i - 1]).days > OLDEST:
            return None
        return self._rates[currency][days[i - 1]]


def _rows(path: Path) -> list[tuple[int, tuple[dt.date, str, Decimal]]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = {(name or "").strip().casefold(): name for name in reader.fieldnames or ()}
        if not {"day", "currency", "rate"} <= set(names):
            raise ShopError(_("{file} needs the columns day, currency and rate").format(file=path.name))
        out = []
        for row in reader:
            try:
                cells = [str(row[names[n]] or "").strip() for n in ("day", "currency", "rate")]
                day = dt.date.fromisoformat(cells[0].replace("/", "-"))
                out.append((reader.line_num, (day, cells[1].upper(), Decimal(cells[2]))))
            except (ValueError, InvalidOperation):
                raise ShopError(
                    _("{file}, line {line}: write it like 2026-10-31,USD,7.12").format(
                        file=path.name, line=reader.line_num
                    )
                ) from None
    return out
