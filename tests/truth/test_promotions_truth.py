"""What past promotions earned, told from the demo's tables, beside what was planted."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from playbook.data.demo import make_tables
from playbook.data.demo.world import make_world
from playbook.offers.promotions import effects, history

pytestmark = pytest.mark.truth


@pytest.mark.parametrize("seeds", [(1, 2, 3)])
def test_promotions_are_told_within_their_intervals_and_the_one_that_loses_is_found(seeds):
    hits, all_of_them = 0, 0
    for seed in seeds:
        world = make_world(scale=0.5, seed=seed, until="2026-10")
        tables = make_tables(world)
        daily = history.daily(tables["orders"], tables["order_items"], tables["products"])
        past = effects.past(daily, tables["promotions"], rng=seed)
        planted = world.promotions.table.set_index("promotion_id").uplift - 1
        known = past.dropna(subset=["uplift", "earned"]).set_index("promotion_id")
        true = planted.reindex(known.index)
        low, high = known.uplift_low.astype(float), known.uplift_high.astype(float)
        hits += int(((low <= true) & (true <= high)).sum())
        all_of_them += len(known)
        assert known.earned_high["mask_bogo"] < 0
        said = [f for f in effects.findings(past) if f.verdict == "act"]
        assert len(said) <= 3 and any("mask_bogo" in str(f.figures) for f in said)
        print(seed, np.mean((low <= true) & (true <= high)), (high - low).median(), [f.text for f in said])
    # the planted uplift of 80 % intervals, pooled; a correct method fails once in a thousand
    assert hits >= stats.binom.ppf(0.001, all_of_them, 0.8) and pd.notna(all_of_them) and all_of_them >= 50
