"""The market's planted truth: who grows and falls, who went below us and when, and how prices move sales."""

import numpy as np
import pandas as pd
import pytest
from grading import Grade, allowed, covered
from seasons import sold

from playbook.data.demo.office.market import MARKET, competitors, market_counts, prices, sizes
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.demo.world.catalogue import UNDERCUT
from playbook.market import competitors as rivals
from playbook.market import size
from playbook.offers.pricing import elasticities

pytestmark = pytest.mark.truth

SEEDS = range(501, 521)


def test_the_growing_and_the_falling_category_are_called_right():
    right = 0
    for seed in SEEDS:
        world = make_world(scale=0.02, seed=seed, until="2026-10")
        orders, lines, _lost = make_orders(world, demand(world, 0, 0.02))
        table = sizes(world, market_counts(world, orders, lines))
        sized = size.sizes(table).set_index("category")
        up = [c for c, (_s, g) in MARKET.items() if g > 0.2]
        down = [c for c, (_s, g) in MARKET.items() if g < -0.1]
        right += (sized.loc[up, "call"] == "growing").all() and (sized.loc[down, "call"] == "falling").all()
        assert set(sized.index[sized["call"] == "falling"]) == set(down)
    assert right >= 18


def test_the_undercutting_is_found_within_three_days():
    near, act = 0, 0
    for seed in SEEDS:
        world = make_world(scale=0.02, seed=seed, until="2026-10")
        seen, own = competitors(world), prices(world)
        cut = rivals.undercuts(
            rivals.price_paths(seen.assign(price=seen["price"] / 100), own.assign(price=own["price"] / 100))
        )
        mine = cut[
            (cut["competitor"] == UNDERCUT[0]) & (cut["category"] == world.catalogue.products["category"].iloc[0])
        ]
        if len(mine):
            since = world.calendar.days[world.incidents.undercut]
            near += abs((mine["since"].iloc[0] - since).days) <= 3
            act += bool(mine["together"].iloc[0])
    assert near >= 18 and act >= 18


def frame(some):
    """Daily units, prices and stock of a world, as `pricing.daily_units` gives them."""
    world, goods = some.world, some.world.catalogue.products
    units = np.zeros((len(goods), world.calendar.n))
    np.add.at(units, (some.lines["product"], some.lines["day"]), 1)
    log = np.log(world.catalogue.price)
    n = world.calendar.n
    return pd.DataFrame(
        {"product_id": np.repeat(goods["product_id"].to_numpy(), n), "category": np.repeat(goods["category"].to_numpy(), n),
         "day": np.tile(world.calendar.days, len(goods)), "units": units.ravel(),
         "price": (log - log.mean(axis=1, keepdims=True)).ravel(), "there": world.in_stock.ravel()}
    )  # fmt: skip


def test_elasticities_cover_the_planted_ones(grades):
    rows = []
    for seed in (1, 2, 3):
        some = sold(seed, 1.0)
        goods = some.world.catalogue.products.set_index("product_id")
        for r in elasticities(frame(some)).dropna(subset=["elasticity"]).to_dict("records"):
            if goods.loc[r["product_id"], "role"] in ("star", "traffic"):
                truth = goods.loc[r["product_id"], "elasticity"]
                rows.append(Grade("elasticity, from the shop's tables", f"{seed} {r['product_id']}", truth, r["elasticity"],
                                  r["elasticity_low"], r["elasticity_high"], 0.9))  # fmt: skip
    grades.add(*rows)
    hits, n = covered(rows)
    assert n >= 60 and hits >= allowed(n, 0.9)[0], f"{hits} of {n}"
