"""What goes wrong in the demo is flagged by the figure that it moves, and little else is, over five seeds and two years.

A find is an alert of a figure that the incident moves, from two days before (a shelf that is nearly empty) to the end of
the incident's window. What is outside all planted windows (incidents, experiments, tests of channels, a new channel,
each with two weeks after it) and flagged, is false: that counts also what is true but was not planted, such as a shelf
that ran empty or a competitor who went below our prices by himself.
"""

import gc

import pandas as pd
import pytest
from grading import Grade

from playbook import shop_from
from playbook.data import schema
from playbook.data.demo import make_tables
from playbook.data.demo.world import make_world
from playbook.metrics import measure
from playbook.period import Period
from playbook.site import funnel
from playbook.tracking import monitoring

pytestmark = pytest.mark.truth

TOLD = (
    "orders", "order_items", "ad_spend", "targets", "mentions", "tickets", "reviews", "shipments", "inventory",
    "purchase_orders", "competitors", "products",
)  # fmt: skip
AFTER = pd.Timedelta(days=14)


def a_shop(world):
    made = make_tables(world)
    frames = {}
    for name in (*TOLD, "events", "traffic", "promotions"):
        spec = schema.TABLES[name].by_name
        frame = made[name][[c for c in made[name].columns if c in spec]]
        frames[name] = frame.assign(**{c: frame[c] / 100 for c in frame.columns if spec[c].type == "money"})
    return shop_from(**frames, until="now")


def alerts(shop, world):
    end = world.calendar.end
    told = Period(shop.first_day, end.date())
    by = [measure(shop, m, by=["day", *b], period=told) for b, m in monitoring.MEASURED.items()]
    steps = monitoring.steps(funnel.daily(shop.events, until=end.date(), days=told.days))
    more = monitoring.told(until=end.date(), **{name: shop.table(name) for name in TOLD})
    daily = monitoring.together(monitoring.measured(by), steps, more)
    since = end - pd.DateOffset(months=24)
    found = monitoring.episodes(monitoring.judged(daily, since=since, promotions=shop.promotions))
    return since, found[found["flagged_on"] >= since]


def planted(world):
    """Each incident with its window and the figures that it moves; and the windows of what is no incident."""
    at, days = world.incidents, world.calendar.days

    def day(i):
        return days[min(i, len(days) - 1)]

    incidents = [
        ("undercut", day(at.undercut), day(at.undercut + 28), {("rival_price", "栖木 Qimu, 精华")}),
        ("weak step", day(at.weak_step), day(at.weak_step + 56), {("add_payment_info", "phone")}),
        ("crisis", day(at.crisis), day(at.crisis + 42),
         {("negative_mentions", ""), ("complaints", ""), ("low_ratings", "")}),
        ("stock out", day(at.stock_out[0]), day(at.stock_out[1]), {("stock_days", "cream0001")}),
        ("slow supplier", day(at.slow_supplier), day(at.slow_supplier + 70), {("late_supplies", "S05")}),
        ("late region", day(at.late_region), day(at.late_region + 42), {("late_parcels", "四川")}),
        ("outage", day(at.outage), day(at.outage + 1),
         {("visits", ""), ("daily_visitors", "own_site"), ("orders_paid", "own_site")}),
        ("failing channel", day(at.failing_channel), day(at.failing_channel + 60), {("roas", "display")}),
        *(("fake orders", day(a), day(b + 2), {("night_orders", ""), ("orders_paid", "tmall")}) for a, b in at.fake),
    ]  # fmt: skip
    others = [(day(x), day(x + 14)) for _name, a, b in at.experiments for x in (a, b)]
    others += [(day(a), day(b + 7)) for _name, a, b in at.lift_tests]
    others.append((day(at.new_channel), day(at.new_channel + 28)))
    return incidents, [(a, z + AFTER) for a, z in [(a, z) for _n, a, z, _f in incidents] + others]


def test_incidents_are_found_and_little_else_is_flagged(grades):
    finds, false, months, missed = [], 0, 0.0, []
    for seed in (1, 2, 3, 4, 5):
        world = make_world(scale=1, seed=seed, until="2026-10")
        since, found = alerts(a_shop(world), world)
        gc.collect()
        incidents, windows = planted(world)
        for name, begins, ends, figures in incidents:
            mine = found[[(k, p) in figures for k, p in zip(found["kpi"], found["part"], strict=True)]]
            mine = mine[mine["flagged_on"].between(begins - pd.Timedelta(days=2), ends)]
            finds.append(len(mine) > 0)
            missed += [] if len(mine) else [(seed, name)]
        outside = [not any(e.begins <= z and e.ends >= a for a, z in windows) for e in found.itertuples()]
        false += sum(outside)
        days = pd.date_range(since, world.calendar.days[-1])
        months += sum(not any(a <= d <= z for a, z in windows) for d in days) / 30.44
    share = sum(finds) / len(finds)
    grades.add(Grade("incidents that an alert finds", "5 seeds", 1.0, share, unit=1.0))
    grades.add(Grade("false alerts a month", f"{months:.0f} months", 0.0, false / months, unit=1.0))
    assert share >= 0.90, missed
    assert false / months <= 1.0, (false, months)
