"""Stories of kinds of customers: found where they are, refused where they are not."""

import numpy as np
import pandas as pd
import pytest

from playbook import shop_from
from playbook.customers import clusters, latent, personas, purchases, traits
from playbook.missing import Missing


def people(rng, n, chances, kind):
    """Persons × levels: one level of each trait each, by chances of each kind and trait."""
    blocks = []
    for of in chances:
        u = rng.random(n)
        level = (u[:, None] > np.cumsum(np.array(of)[kind], axis=1)).sum(axis=1)
        blocks.append(np.eye(len(of[0]))[np.minimum(level, len(of[0]) - 1)])
    return np.hstack(blocks), np.repeat(np.arange(len(chances)), [len(of[0]) for of in chances])


TWO = [([0.8, 0.1, 0.1], [0.1, 0.1, 0.8])] * 5
NOISE = [([0.3, 0.4, 0.3], [0.3, 0.4, 0.3])] * 8


def test_two_kinds_are_found_with_their_sizes_and_chances():
    rng = np.random.default_rng(3)
    kind = (rng.random(1200) < 0.3).astype(int)
    x, groups = people(rng, 1200, TWO, kind)
    tried, mixture = clusters.chosen(x, groups, rng=rng, largest=4)
    assert mixture is not None and mixture.k == 2
    assert mixture.shares[0] == pytest.approx(1 - kind.mean(), abs=0.03)
    assert mixture.chances[0][:3] == pytest.approx([0.8, 0.1, 0.1], abs=0.05)
    assert (mixture.predict(x) == kind).mean() > 0.95
    assert tried.set_index("groups").chosen.to_dict() == {2: True, 3: False, 4: False}
    assert mixture.chances[:, :3].sum(axis=1) == pytest.approx([1, 1])


def test_noise_gives_no_structure():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, groups = people(rng, 400, NOISE, np.zeros(400, dtype=int))
        _tried, mixture = clusters.chosen(x, groups, rng=rng, largest=3, resamples=3)
        assert mixture is None, seed


def test_one_gradual_kind_of_people_is_no_two():
    """Traits that go together smoothly, as in one Gaussian: each in fifths, correlated 0.4."""
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        z = rng.multivariate_normal(np.zeros(4), 0.6 * np.eye(4) + 0.4, 500)
        fifths = (z.argsort(axis=0).argsort(axis=0) * 5 // 500).astype(int)
        x = np.hstack([np.eye(5)[fifths[:, j]] for j in range(4)])
        _tried, mixture = clusters.chosen(x, np.repeat(np.arange(4), 5), rng=rng, largest=4, resamples=3)
        found.append(mixture is not None)
    assert sum(found) == 0


def test_what_is_not_known_counts_nothing():
    rng = np.random.default_rng(4)
    kind = (rng.random(800) < 0.5).astype(int)
    x, groups = people(rng, 800, TWO, kind)
    mixture = latent.fitted(x, groups, 2, rng=rng)
    nothing = mixture.chance(np.zeros((1, x.shape[1])))[0]
    assert nothing == pytest.approx(mixture.shares)


# -- a shop of two kinds


def shop_of(n=500, *, told=True):
    """Half drink tea and are young, half buy cups and are not; three orders each."""
    rng = np.random.default_rng(9)
    ids = [f"c{i:04d}" for i in range(n)]
    tea = np.arange(n) % 2 == 0
    age = np.where(tea, 22, 50) + rng.integers(-3, 4, n)
    customers = pd.DataFrame({"customer_id": ids, "registered_at": pd.Timestamp("2026-01-01"), "age": age,
                              "gender": rng.choice(["female", "male"], n)})  # fmt: skip
    orders = pd.DataFrame({"customer_id": np.repeat(ids, 3)})
    orders["order_id"] = [f"o{i}" for i in range(len(orders))]
    orders["ordered_at"] = pd.Timestamp("2026-08-01") + pd.to_timedelta(rng.integers(0, 90, len(orders)), unit="D")
    likes = np.repeat(tea, 3)
    orders["amount"] = np.where(likes, 20.0, 60.0)
    orders["device"] = rng.choice(["app", "phone"], len(orders))
    items = orders[["order_id", "amount"]].assign(
        product_id=np.where(likes, "tea", "cup") + pd.Series(rng.integers(0, 5, len(orders)).astype(str)), quantity=1, line=1
    )  # fmt: skip
    products = pd.DataFrame({"product_id": [f"{k}{i}" for k in ("tea", "cup") for i in range(5)]})
    products["category"] = products.product_id.str[:3]
    more = {"customers": customers, "order_items": items, "products": products} if told else {}
    return shop_from(orders=orders if told else orders.drop(columns="device"), period="2026-10", **more)


@pytest.fixture(scope="module")
def shop():
    return shop_of()


@pytest.fixture(scope="module")
def parts(shop):
    bought = purchases.of_persons(shop.orders, shop.persons)
    lines = purchases.lines(bought, shop.order_items, shop.products)
    return bought, lines, clusters.clusters(shop.customer_360, bought, lines, seed=1, resamples=3, largest=4)


def test_a_shop_of_two_kinds_gives_two_with_all_buyers_and_all_sales(shop, parts):
    bought, _lines, found = parts
    assert found.mixture is not None and found.mixture.k == 2
    assert (found.least_orders, found.n) == (3, 500)
    sizes = clusters.sizes(found)
    assert sizes.persons.tolist() == [250, 250]
    assert sizes.sales.sum() == float(bought.amount.sum().execute())
    assert sizes.certainty.min() > 0.95


def test_the_engine_tells_kinds_as_the_law_does(shop, parts):
    bought, lines, found = parts
    known = traits.known_by(shop.customer_360, bought, lines).table.to_pandas().sort_values("person_id")
    x = known[list(found.levels.column)].to_numpy(dtype=float)
    told = found.people.to_pandas().sort_values("person_id")
    assert told.cluster.tolist() == [clusters.letter(i) for i in found.mixture.predict(x)]
    assert told.certainty.to_numpy() == pytest.approx(found.mixture.chance(x).max(axis=1))


def test_the_same_seed_gives_the_same_kinds(shop, parts):
    bought, lines, found = parts
    again = clusters.clusters(shop.customer_360, bought, lines, seed=1, resamples=3, largest=4)
    assert again.tried.equals(found.tried)
    assert np.array_equal(again.mixture.chances, found.mixture.chances)


def test_too_few_customers_are_a_missing_and_orders_alone_are_not_a_crash():
    small = shop_of(100)
    bought = purchases.of_persons(small.orders, small.persons)
    assert isinstance(clusters.clusters(small.customer_360, bought, None, seed=1), Missing)
    bare = shop_of(400, told=False)
    bought = purchases.of_persons(bare.orders, bare.persons)
    found = clusters.clusters(bare.customer_360, bought, None, seed=1, resamples=2, largest=3)
    assert set(found.levels.trait) == {"aov", "orders", "recency_days"}
    sizes = clusters.sizes(found)
    assert sizes.empty == (found.mixture is None) and (not sizes.empty or sizes.attrs["notes"])


def test_a_profile_has_shares_that_add_up_to_one(parts):
    found = clusters.profile(parts[2])
    assert found.groupby(["cluster", "trait"]).share.sum().round(9).eq(1).all()
    assert found.query("trait == 'category' and level == 'tea'").lift.max() > 1.5


def test_the_plot_of_what_was_tried_draws_it(parts):
    tried = parts[2].tried
    ax = clusters.plot_tried(parts[2])
    assert ax.lines[0].get_ydata().tolist() == tried.silhouette.tolist()


# -- personas


@pytest.fixture(scope="module")
def cards(shop, parts):
    from playbook.customers import demographics

    bought, lines, found = parts
    who = demographics.people(shop.customer_360, shop.rfm)
    portrait = personas.portrait(found, who, lines)
    return personas.cards(portrait, personas.habits(found, who, bought, lines), clusters.sizes(found)), portrait


def test_cards_say_what_sets_kinds_apart(cards):
    frame, _portrait = cards
    assert len(frame) == 2 and frame.share_of_sales.sum() == pytest.approx(1)
    assert frame.share_of_sales.is_monotonic_decreasing
    cup, tea = frame.to_dict("records")
    assert cup["marks"] == [("category", "cup"), ("age", "45–59")]
    assert tea["marks"] == [("category", "tea"), ("age", "15–24")]
    assert personas.name(tea["marks"], "B") == "tea lovers, 15–24"
    assert (cup["order_value"], tea["order_value"]) == (60, 20)
    assert [code for code, _n in cup["needs"]][:1] == ["quality"]


def test_a_portrait_describes_nobody_who_is_rare(cards):
    _frame, portrait = cards
    assert portrait.n.min() >= personas.FLOOR and portrait["all"].min() >= personas.RARE
    tea = portrait[(portrait.trait == "category") & (portrait.level == "tea")]
    assert tea["index"].tolist() == [400]  # all that one kind spends, a quarter of what all do; the other buys none


def test_needs_are_told_from_what_people_do():
    every = pd.Series({"order_value": 100.0, "full_price": 0.7, "days_between": 40.0})
    asked = pd.DataFrame({"trait": "topic", "level": ["usage", "invoice"], "n": 50, "share": 0.5, "all": 0.4,
                          "index": [130.0, 90.0]}).assign(cluster="A")  # fmt: skip
    asked = asked[["cluster", "trait", "level", "n", "share", "all", "index"]]
    own = pd.Series({"order_value": 150.0, "full_price": 0.5, "days_between": 30.0})
    assert personas.need(own, every, asked) == [("price", 0.5), ("refill", 30.0), ("advice", 130.0)]
    own = pd.Series({"order_value": 150.0, "full_price": 0.7, "days_between": 40.0})
    assert personas.need(own, every, asked.iloc[:0]) == [("quality", 150.0)]


def test_without_kinds_there_are_no_personas_and_that_is_said(parts):
    none = clusters.Clusters(parts[2].tried, None, parts[2].levels, 3, 500, None)
    empty = personas.cards(
        personas.portrait(none, pd.DataFrame()), personas.habits(none, None, None), clusters.sizes(none)
    )
    assert empty.empty
    assert "not of different kinds" in personas.findings(empty)[0].text
    assert "No structure found" in clusters.findings(none, clusters.sizes(none))[0].text
