"""The planted crisis is flagged within two days, and nothing before it is taken for one, over five seeds."""

import pandas as pd
import pytest

from playbook.data.demo import make_tables
from playbook.data.demo.world import make_world
from playbook.operations import crisis

pytestmark = pytest.mark.truth


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_crisis_is_flagged_within_two_days_and_not_before(seed):
    world = make_world(scale=1, seed=seed, until="2026-10")
    tables = make_tables(world)
    begins = world.calendar.days[world.incidents.crisis]
    names = ("orders", "mentions", "tickets", "returns", "reviews")
    judged = crisis.signals(
        until=(world.calendar.days[-1] + pd.Timedelta(days=1)).date(),
        **{name: tables[name] for name in names},
        brands=["露苔"],
        days=int(world.calendar.n) - 60,
    )
    warned = crisis.warnings(judged)
    before = warned[warned["flagged_on"] < begins]
    mine = warned[warned["flagged_on"] >= begins].iloc[0]
    late = (mine["flagged_on"] - begins).days
    assert late <= 2
    assert before.empty, before.to_string()
