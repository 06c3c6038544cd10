"""The plan of made shops: every planted clash and late task is found and nothing else; so are those thrown in at random."""

import icalendar
import numpy as np
import pandas as pd
import pytest

from playbook.data.demo import make_tables
from playbook.data.demo.office import plans, work
from playbook.data.demo.office.supply_policy import RUN_OUT_PRODUCT
from playbook.data.demo.world import make_world
from playbook.operations import supply
from playbook.planning import campaign
from playbook.planning.campaign import calendar, money, proposal, readiness, tasks

pytestmark = pytest.mark.truth

SEEDS = (1, 2, 3, 4, 5)
DAYS = 63


@pytest.fixture(scope="module", params=SEEDS)
def shop(request):
    world = make_world(scale=0.05, seed=request.param, until="2026-10")
    return world, make_tables(world), world.calendar.end.date()


def flights_of(tables, today, sheet=None):
    return calendar.flights(tables["campaigns"], tables["promotions"], sheet, today=today, days=DAYS)


def found_in(clashing):
    return {
        (
            c["kind"],
            frozenset(n for n in (c["first"], c["second"]) if n),
            str(c["begins"].date()),
            str(c["ends"].date()),
        )
        for c in clashing.to_dict("records")
    }


def test_every_planted_clash_is_found_with_its_days_and_no_other(shop):
    world, tables, today = shop
    planted = {(f["kind"], frozenset(f["campaigns"]), f["begins"], f["ends"]) for f in plans.truths(world)["clashes"]}
    planned = flights_of(tables, today)
    clashing = calendar.clashes(planned, tables["products"])
    assert {kind for kind, *_rest in planted} == set(calendar.KINDS)
    assert found_in(clashing) == planted
    moved = calendar.parted(planned, clashing, tables["products"])
    assert calendar.clashes(moved, tables["products"]).empty


def test_every_late_task_the_critical_path_and_the_incomplete_task_are_found_and_no_other(shop):
    world, tables, today = shop
    told = work.truths(world)
    planned = tasks.tasks(tables["tasks"], None, today=today)
    aim = campaign.coming(flights_of(tables, today), planned, today=today)
    assert set(planned.loc[planned["state"] == "overdue", "task_id"]) == set(told["late_tasks"].values())
    assert tasks.critical_path(planned, aim.campaign_id) == told["critical_path"]
    assert planned.loc[planned["lacks"] != "", ["task_id", "lacks"]].values.tolist() == [
        [told["incomplete_task"], "resources"]
    ]
    assert (planned["wrong"] == "").all()


def test_the_plan_can_be_executed_as_it_is(shop):
    _world, tables, today = shop
    planned, flights = tasks.tasks(tables["tasks"], None, today=today), flights_of(tables, today)
    aim = campaign.coming(flights, planned, today=today)
    plan = proposal.proposed(aim, planned, today=today)
    again = tasks.tasks(None, plan[list(tasks.FIELDS)], today=today)
    open_ = again[~again["state"].isin(["done", "dropped"])]
    assert (open_["state"] != "overdue").all() and (open_["slips_days"] <= 0).all() and (again["wrong"] == "").all()
    duty = plan[plan["title"].str.contains("当日值守")].iloc[0]
    assert duty["due_on"] == aim.ends  # the day itself stands
    # The money: each channel and month adds up to the budget, to the cent.
    budget = money.accepted(None, tables["targets"], today=today)
    tie = money.ties(flights, budget)
    given = money.tied(flights, tie)
    assert len(tie) >= 14
    sums = given.groupby(["month", "channel"])["budget"].sum()
    assert (sums == tie.set_index(["month", "channel"])["budget"]).all()
    events = icalendar.Calendar.from_ical(campaign.ics(plan, flights, today=today)).walk("VEVENT")
    assert len(events) == len(open_) + len(flights)


def test_the_product_that_will_run_out_is_found_and_blocks_the_campaign():
    for seed in SEEDS[:3]:
        world = make_world(scale=0.3, seed=seed, until="2026-10")
        tables, today = make_tables(world), world.calendar.end.date()
        planned = tasks.tasks(tables["tasks"], None, today=today)
        aim = campaign.coming(flights_of(tables, today), planned, today=today)
        stock = supply.prestock(
            tables["orders"], tables["order_items"], tables["inventory"], tables["purchase_orders"], until=today,
            ends=aim.ends.date(), promotions=tables["promotions"], products=tables["products"],
        )  # fmt: skip
        of = supply.by_product(stock).set_index("product_id")
        assert of["verdict"][RUN_OUT_PRODUCT] == "FAIL"
        checked = readiness.checks(aim, tasks=planned, stock=of.reset_index())
        assert "stock" in checked.attrs["blocking"] and "page" in checked.attrs["blocking"]
        told = [f.text for f in readiness.findings(checked, aim)]
        assert "stock" in told[0] and any(RUN_OUT_PRODUCT in text for text in told)


def thrown(rng, tables, today):
    """The shop's campaigns with clashes thrown in on days, channels and words drawn at random."""
    rows, wanted = [], []
    for i in range(6):
        kind = ("audience", "keyword")[i % 2]
        first = pd.Timestamp(today) + pd.Timedelta(days=int(rng.integers(1, 40)))
        begins = [first, first + pd.Timedelta(days=int(rng.integers(0, 6)))]
        ends = [b + pd.Timedelta(days=int(rng.integers(6, 14))) for b in begins]
        about = f"{kind}{i}-{rng.integers(1000)}"
        channel = str(rng.choice(["search", "crm", "live", "in_platform"]))
        names = [f"thrown-{i}-{k}" for k in "ab"]
        for k, name in enumerate(names):
            said = f"人群：{about}" if kind == "audience" else f"人群：{name}；关键词：{about} own-{name}"
            rows.append(
                {"campaign_id": name, "name": name, "kind": "loyalty", "channel": channel, "platform": channel,
                 "starts_on": begins[k], "ends_on": ends[k], "objective": said, "budget": 1000.0, "owner": "x"}
            )  # fmt: skip
        overlap = (max(begins), min(ends))
        wanted.append((kind, frozenset(names), str(overlap[0].date()), str(overlap[1].date())))
        # Near misses: the same in another channel, and in the same one after both.
        more = rows[-1] | {"campaign_id": f"miss-{i}-c", "channel": "other", "platform": "other"}
        later = {"starts_on": max(ends) + pd.Timedelta(days=1), "ends_on": max(ends) + pd.Timedelta(days=3)}
        rows += [more, rows[-1] | {"campaign_id": f"miss-{i}-d", **later}]
    return pd.concat([tables["campaigns"], pd.DataFrame(rows)], ignore_index=True), set(wanted)


def test_clashes_thrown_in_at_random_are_all_found_with_their_days_and_near_misses_are_not(shop):
    world, tables, today = shop
    rng = np.random.default_rng([world.seed, 11])
    planted = {(f["kind"], frozenset(f["campaigns"]), f["begins"], f["ends"]) for f in plans.truths(world)["clashes"]}
    for _round in range(5):
        table, wanted = thrown(rng, tables, today)
        planned = flights_of(tables | {"campaigns": table}, today)
        clashing = calendar.clashes(planned, tables["products"])
        assert found_in(clashing) == planted | wanted
        moved = calendar.parted(planned, clashing, tables["products"])
        assert calendar.clashes(moved, tables["products"]).empty


def test_tasks_left_undone_at_random_are_all_found(shop):
    world, tables, today = shop
    rng = np.random.default_rng([world.seed, 12])
    table, past = tables["tasks"], pd.Timestamp(today)
    due = table.index[table["due_on"] < past]
    late = set(tasks.tasks(table, None, today=today).query("state == 'overdue'")["task_id"])
    for _round in range(10):
        undone = rng.choice(due, int(rng.integers(1, 12)), replace=False)
        broken = table.assign(
            status=table["status"].where(~table.index.isin(undone), "doing"),
            done_on=table["done_on"].where(~table.index.isin(undone)),
        )
        got = tasks.tasks(broken, None, today=today)
        assert set(got.loc[got["state"] == "overdue", "task_id"]) == late | set(table.loc[undone, "task_id"])
        assert (got.loc[got["state"] == "overdue", "ends_on"] >= past).all()
