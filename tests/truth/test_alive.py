"""The demo lies where real shops lie, in seeds that nobody looked at while it was made."""

import numpy as np
import pytest
from alive import beside, demo_signs
from vital_signs import hours, real_hours, real_ranges

from playbook.data.demo import make_tables
from playbook.data.demo.world import make_world

pytestmark = pytest.mark.truth


@pytest.mark.parametrize("seed", [1, 11, 12])
def test_the_signs_of_the_demo_lie_in_the_ranges_of_real_shops(real_data, seed):
    world = make_world(scale=1, seed=seed, until="2026-10")
    tables = make_tables(world)
    signs = beside(demo_signs(world, tables), real_ranges(real_data))
    assert signs["within"].all(), signs[~signs["within"]].to_string()
    assert np.corrcoef(hours(tables["orders"]["ordered_at"]), real_hours(real_data))[0, 1] > 0.98
