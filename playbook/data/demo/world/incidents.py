"""When things go wrong, or change, in the demo: the dates of everything that is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .calendar import Calendar


@dataclass(frozen=True)
class Incidents:
    """Positions of days (see `Calendar`); an incident with two ends holds from the first to before the second."""

    undercut: int
    """A competitor goes below our serums, for good."""
    weak_step: int
    """On phones the payment form of the own site starts to lose buyers, for good."""
    crisis: int
    """A batch of a star serum irritates skins."""
    stock_out: tuple[int, int]
    """A star cream is not to be had."""
    slow_supplier: int
    """From now on a supplier delivers late."""
    late_region: int
    """From now on parcels to a region take longer."""
    outage: int
    """A day on which the own site is down."""
    fake: tuple[tuple[int, int], ...]
    """Weeks in which orders are faked."""
    new_channel: int
    """A channel begins."""
    failing_channel: int
    """The first of three months in which a channel earns less than half its target."""
    lift_tests: tuple[tuple[str, int, int], ...]
    """Channel, first day and end of a test that stops its advertising in some provinces."""
    experiments: tuple[tuple[str, int, int], ...]
    """Experiment on the own site, first day and end."""


CRISIS_PRODUCT = "serum0002"
STOCK_OUT_PRODUCT = "cream0001"
SLOW_SUPPLIER = "S05"
LATE_REGION = "四川"
WEAK_STEP = ("phone", "add_payment_info")
CRISIS_DEPTH, CRISIS_DAYS = 0.55, 21.0  # sales fall by this part at once; the loss decays with this mean
CRISIS_SPILL = 0.10  # part by which the rest of the category falls with it


def make_incidents(cal: Calendar, rng: np.random.Generator) -> Incidents:
    """The dates of one world; other seeds move them by some days."""

    def day(months_before: int, of_month: int, spread: int = 4) -> int:
        return cal.position(months_before, of_month) + int(rng.integers(-spread, spread + 1))

    stock_out = day(2, 13)
    return Incidents(
        undercut=day(7, 12),
        weak_step=day(4, 11),
        crisis=day(9, 14),
        stock_out=(stock_out, stock_out + int(rng.integers(10, 14))),
        slow_supplier=day(6, 5),
        late_region=day(3, 8),
        outage=day(5, 21, 3),
        fake=tuple((d, d + 12) for d in (day(14, 10), day(6, 12), day(1, 8, 2))),
        new_channel=cal.position(5, 1),
        failing_channel=cal.position(2, 1),
        lift_tests=(
            ("short_video", first := day(18, 6), first + 28),
            ("xiaohongshu", second := day(14, 2, 1), second + 28),
        ),
        experiments=(
            ("one_page_checkout", cal.position(11, 3), cal.position(9, 3)),
            ("blue_button", cal.position(8, 5), cal.position(6, 15)),
            ("new_search", cal.position(6, 20), cal.position(4, 5)),
            ("gift_banner", cal.position(3, 3), cal.position(1, 3)),
        ),
    )
