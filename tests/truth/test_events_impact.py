"""What weeks for one category add, against the planted uplift; and that nothing is found where nothing happened."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from grading import Grade, allowed, covered
from seasons import sold

from playbook.methods.impact import interrupted, placebo_in_time, pull_forward

pytestmark = pytest.mark.truth


def by_category(some):
    """Orders by day and category of the product that people came for, which an offer of another category leaves alone.

    Further lines of a basket are left out: a buyer whom the offer brings adds lines of all categories.
    """
    world = some.world
    first = some.lines[some.lines["line"] == 1]
    category = world.catalogue.products["category"].to_numpy()[first["product"]]
    count = pd.crosstab(first["day"].to_numpy(), category).reindex(range(world.calendar.n)).fillna(0.0)
    return count.set_index(world.calendar.days)


def weeks(world):
    """Promotions of one category that end within the data, and its days with any of its promotions."""
    table, days = world.promotions.table, world.calendar.days
    own = table[table["festival"] == ""]
    held = {c: pd.DatetimeIndex(np.concatenate([days[p.begins : p.ends + 1] for p in mine.itertuples()]))
            for c, mine in own.groupby("category")}  # fmt: skip
    return own[~own["losing"] & (own["ends"] < world.calendar.n) & (own["begins"] >= 28)], held


def test_weeks_of_a_category_add_what_is_planted_beside_the_other_categories(grades):
    rows = []
    for seed in range(131, 137):
        some = sold.__wrapped__(seed)
        count, days = by_category(some), some.world.calendar.days
        mine, held = weeks(some.world)
        for p in mine.itertuples():
            within = days[p.begins : p.ends + 1]
            made = interrupted(
                count[p.category], count.drop(columns=p.category), first=within[0].date(), last=within[-1].date(),
                avoid=held[p.category].difference(within),
            )  # fmt: skip
            rows.append(Grade("category week, other categories", f"{seed} {p.promotion_id}", p.uplift, 1 + made.effect,
                              1 + made.low, 1 + made.high, 0.9))  # fmt: skip
    grades.add(*rows)
    hits, n = covered(rows)
    fewest, most = allowed(n, 0.9)
    assert n >= 60
    assert fewest <= hits <= most, f"{hits} of {n}"
    assert abs(np.mean([np.log(g.estimate / g.truth) for g in rows])) < 0.06
    assert np.mean([g.low > 1 for g in rows]) > 0.6


def test_a_week_in_which_nothing_happened_is_seldom_taken_for_an_effect(grades):
    rows = []
    for seed in (131, 132, 133):
        some = sold.__wrapped__(seed)
        count = by_category(some)
        _mine, held = weeks(some.world)
        for category in count:
            quiet = placebo_in_time(
                count[category], count.drop(columns=category), first=count.index[600].date(),
                last=count.index[606].date(), avoid=held[category],
            )["day"].iloc[::24]  # fmt: skip
            for day in quiet:
                made = interrupted(
                    count[category], count.drop(columns=category), first=day.date(),
                    last=(day + dt.timedelta(days=6)).date(), avoid=held[category],
                )  # fmt: skip
                rows.append(Grade("week without an offer", f"{seed} {category}", 1.0, 1 + made.effect, 1 + made.low,
                                  1 + made.high, 0.9))  # fmt: skip
    grades.add(*rows)
    hits, n = covered(rows)
    assert n > 150
    assert hits >= allowed(n, 0.87)[0], f"{hits} of {n}"


def test_what_weeks_of_a_category_pull_forward_is_missing_afterwards_as_planted(grades):
    """The truth: orders of the three weeks afterwards less those that there would have been without the planted dip."""
    rows = []
    for seed in range(131, 137):
        some = sold.__wrapped__(seed)
        count, days = by_category(some), some.world.calendar.days
        mine, held = weeks(some.world)
        for i, p in mine[mine["ends"] + 22 < some.world.calendar.n].iterrows():
            within = days[p["begins"] : p["ends"] + 1]
            frame, _said = pull_forward(
                count[p["category"]], count.drop(columns=p["category"]), first=within[0].date(),
                last=within[-1].date(), avoid=held[p["category"]].difference(within),
            )  # fmt: skip
            made = frame.set_index("part").loc["after"]
            later = slice(p["ends"] + 1, p["ends"] + 22)
            actual = count[p["category"]].to_numpy()[later]
            truth = float((actual * (1 - 1 / some.world.promotions.factor[i, later])).sum())
            rows.append(Grade("category week, afterwards", f"{seed} {p['promotion_id']}", truth, made["extra"],
                              made["low"], made["high"], 0.9, unit=float(actual.sum())))  # fmt: skip
    grades.add(*rows)
    hits, n = covered(rows)
    assert n >= 60
    assert hits >= allowed(n, 0.87)[0], f"{hits} of {n}"
