"""Kinds of customers of the demo beside those who made them up: the four personas, told by what a shop knows."""

import pandas as pd
import pytest
from grading import Grade
from sklearn.metrics import adjusted_rand_score
from test_oracles import persona_posterior

from playbook import shop_from
from playbook.customers import clusters, purchases
from playbook.data.demo import make_tables

pytestmark = pytest.mark.truth

COLUMNS = {
    "orders": ["platform", "order_id", "customer_id", "ordered_at", "paid_at", "amount", "device", "coupon_id"],
    "order_items": ["platform", "order_id", "line", "product_id", "quantity", "amount"],
    "products": ["product_id", "category"],
    "customers": [
        "platform",
        "customer_id",
        "registered_at",
        "gender",
        "birth_year",
        "city_tier",
        "income",
        "occupation",
    ],
}


@pytest.mark.parametrize("seed", [1, 2])
def test_kinds_are_the_personas_nearly_as_well_as_who_knows_them_can_tell(planted, grades, seed):
    world, block = planted(seed)
    guess, truth = persona_posterior(world, block)
    oracle = adjusted_rand_score(truth, guess)
    tables = make_tables(world)
    frames = {}
    for name, columns in COLUMNS.items():
        frames[name] = tables[name][[c for c in columns if c in tables[name].columns]].copy()
        if "amount" in frames[name]:
            frames[name]["amount"] = frames[name]["amount"] / 100
    shop = shop_from(period="2026-10", **frames)
    bought = purchases.of_persons(shop.orders, shop.persons)
    lines = purchases.lines(bought, shop.order_items, shop.products)
    found = clusters.clusters(shop.customer_360, bought, lines, seed=1)
    assert found.mixture is not None  # who orders for others may come out as a kind of her own
    about = block.about_people[["platform", "customer_id", "persona"]]
    known = shop.persons.to_pandas().merge(about, on=["platform", "customer_id"])
    persona = known.drop_duplicates("person_id").set_index("person_id").persona
    people = found.people.to_pandas()
    people = people[people.orders >= 3].assign(persona=lambda p: p.person_id.map(persona)).dropna(subset="persona")
    index = adjusted_rand_score(people.persona, people.cluster)
    grades.add(Grade("kinds of customers (ARI)", str(seed), 1.0, index, oracle=oracle))
    assert index >= 0.9 * oracle, (index, oracle)
    assert isinstance(people, pd.DataFrame) and len(people) > 5_000
