"""The coming two months, as far as the shop can know them on the last observed day."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from ..world import World
from ..world.calendar import AHEAD, Calendar, make_calendar
from ..world.catalogue import season

BASE_DAYS = 56  # of the past that say how much sells on an ordinary day
NO_FESTIVAL = 20  # days ahead that are looked at where no festival comes
LAST_MONTH = pd.Period("2030-10", freq="M")  # that `calendar` knows


class _Still:
    """A generator that draws nothing but the middle: what one expects is the calendar without its noise."""

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: int | None = None) -> Any:
        return loc if size is None else np.full(size, loc)


def days_ahead(world: World) -> pd.DatetimeIndex:
    """The days of the coming two months."""
    last = world.calendar.days[-1].to_period("M") + AHEAD
    return pd.date_range(world.calendar.end, last.end_time.normalize(), freq="D")


def date(world: World, position: int) -> pd.Timestamp:
    """The day at a position, which may lie ahead of the observed ones."""
    return world.calendar.days[0] + pd.Timedelta(days=int(position))


def festival(world: World) -> dict[str, Any] | None:
    """The promotion of the festival that is on or comes next (a row of `Promotions.table`), None where none comes."""
    table = world.promotions.table
    coming = table[(table["festival"] != "") & (table["ends"] >= world.calendar.n)]
    return coming.iloc[0].to_dict() if len(coming) else None


def horizon(world: World) -> int:
    """Position of the last day that the shop has to have stock for: the end of the coming festival."""
    coming = festival(world)
    return int(coming["ends"]) if coming else world.calendar.n + NO_FESTIVAL


def _expected_calendar(world: World) -> Calendar:
    month = min(world.calendar.days[-1].to_period("M") + AHEAD, LAST_MONTH)
    return make_calendar(str(month), cast(np.random.Generator, _Still()))


def level(world: World) -> np.ndarray:
    """How much more than on an ordinary day sells, products × days: the observed ones, then those ahead.

    Festivals, seasons and promotions that are planned; nothing that cannot be known.
    """
    goods, cal = world.catalogue.products, world.calendar
    category = goods["category"].to_numpy()
    past = cal.busy * world.promotions.on(category, cal.n)[0] * season(goods, cal)
    after = days_ahead(world)
    still = _expected_calendar(world)
    known = still.days >= cal.end
    busy = np.ones((len(goods), len(after)))
    busy[:, : known.sum()] = still.busy[known] * season(goods, still)[:, known]
    lift = np.ones_like(busy)
    for p in world.promotions.table.to_dict("records"):
        begins, ends = max(p["begins"] - cal.n, 0), p["ends"] - cal.n + 1
        if ends > 0:
            rows = (category == p["category"]) | (p["category"] == "")
            lift[rows, begins:ends] = np.maximum(lift[rows, begins:ends], p["uplift"])
    return np.concatenate([past, busy * lift], axis=1)


def expected(world: World, units: np.ndarray) -> np.ndarray:
    """Units that will be asked for, products × days ahead, by what sold in the last eight weeks."""
    n, shape = world.calendar.n, level(world)
    recent = slice(n - BASE_DAYS, n)
    base = units[:, recent].sum(axis=1) / shape[:, recent].sum(axis=1)
    return base[:, None] * shape[:, n:]


def recorded(world: World, when: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Times of writing down, in office hours of these days, but before the end of what is observed."""
    latest = world.calendar.end - pd.to_timedelta(rng.integers(1, 12, len(when)), unit="D")
    day = when.dt.normalize().where(when < latest, pd.Series(latest, index=when.index))
    return (day + pd.to_timedelta(rng.integers(9 * 60, 18 * 60, len(when)), unit="min")).astype("datetime64[s]")
