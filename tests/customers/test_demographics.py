"""Stories of who the customers are: bands, tiers, small classes, and what goes with what."""

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from playbook import shop_from
from playbook.customers import associations, demographics, purchases
from playbook.missing import Missing


def shop_of(ages, *, amounts=None, **columns):
    """One customer an age, each with one order in October 2026."""
    n = len(ages)
    ids = [f"c{i:04d}" for i in range(n)]
    customers = pd.DataFrame({"customer_id": ids, "registered_at": pd.Timestamp("2026-01-01"), "age": ages, **columns})
    customers["age"] = customers.age.astype("Int64")
    amounts = [10.0] * n if amounts is None else amounts
    orders = pd.DataFrame(
        {"order_id": [f"o{i}" for i in range(n)], "customer_id": ids, "ordered_at": pd.Timestamp("2026-10-05"),
         "amount": amounts}
    )  # fmt: skip
    return shop_from(customers=customers, orders=orders, period="2026-10")


def profile_of(shop, trait, **options):
    bought = purchases.of_persons(shop.orders, shop.persons)
    return demographics.profile(demographics.people(shop.customer_360), bought, shop.period, trait, **options)


@pytest.mark.parametrize(
    ("age", "band"),
    [(14, "<15"), (15, "15–24"), (24, "15–24"), (25, "25–34"), (34, "25–34"), (35, "35–44"), (44, "35–44"),
     (45, "45–59"), (59, "45–59"), (60, "60+"), (99, "60+"), (None, "unknown")],
)  # fmt: skip
def test_bands_are_those_of_the_documents_and_nobody_falls_out(age, band):
    t = ibis.memtable(pd.DataFrame({"age": pd.array([age], dtype="Int64")}))
    assert t.select(b=demographics.band(t.age)).to_pandas().b[0] == band


@pytest.mark.parametrize(
    ("city", "tier"),
    [
        ("北京", "tier1"),
        ("深圳市", "tier1"),
        ("成都", "tier2"),
        ("宜昌", "tier3"),
        ("安吉县", "rural"),
        ("Leeds", None),
    ],
)
def test_a_city_has_the_tier_of_the_list(city, tier):
    t = ibis.memtable(pd.DataFrame({"city": [city]}))
    found = t.select(x=demographics.tier_of(t.city)).to_pandas().x[0]
    assert (None if pd.isna(found) else found) == tier


def test_a_profile_by_hand_ties_to_all():
    shop = shop_of([20] * 10 + [30] * 10 + [None] * 10, amounts=[10.0] * 10 + [20.0] * 10 + [30.0] * 10)
    found = profile_of(shop, "age").set_index("age")
    assert found.index.tolist() == ["15–24", "25–34", "unknown", "all"]
    assert found.sales.tolist() == [100, 200, 300, 600] and found.persons.tolist() == [10, 10, 10, 30]
    assert found["index"].tolist() == [50, 100, 150, 100]
    assert found.aov.tolist() == [10, 20, 30, 20] and found.buying.tolist() == [1, 1, 1, 1]
    assert found.share_of_sales[:-1].sum() == pytest.approx(1)


def test_no_row_describes_fewer_people_than_the_floor():
    shop = shop_of([20] * 30 + [30] * 12 + [50] * 3)
    found = profile_of(shop, "age").set_index("age")
    # three people of 45–59 alone would show themselves as the difference: the next smallest class goes with them
    assert found.persons.to_dict() == {"15–24": 30, "other": 15, "all": 45}
    assert found.persons[found.persons > 0].min() >= demographics.FLOOR


def test_a_trait_that_nobody_told_is_missing():
    assert isinstance(profile_of(shop_of([None] * 20), "age"), Missing)
    assert isinstance(profile_of(shop_of([20] * 20), "income"), Missing)


def test_the_audience_is_the_platforms_latest_in_the_same_bands():
    rows = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-09-30", "2026-10-31", "2026-10-31"]), "platform": "tmall",
            "audience": "buyers", "trait": "age", "value": ["15-24", "15-24", "60+"], "share": [0.9, 0.4, 0.6],
        }
    )  # fmt: skip
    found = demographics.audience(rows, trait="age")
    assert found.age.tolist() == ["15–24", "60+"] and found.tmall.tolist() == [0.4, 0.6]
    assert demographics.audience_units(found) == {"tmall": "share"}


def test_the_strength_of_a_tie_is_cramers_v_corrected_and_its_test_is_pearsons():
    table = pd.DataFrame([[40, 10, 10], [10, 40, 10], [10, 10, 40]])
    found = associations.associated(table)
    chi2, p, *_rest = stats.chi2_contingency(table, correction=False)
    assert (found["n"], found["chi2"], found["p"]) == (180, pytest.approx(chi2), pytest.approx(p))
    # by hand: phi² = 90/180 − 4/179, rows and columns 3 − 4/179
    phi = chi2 / 180 - 4 / 179
    assert found["v"] == pytest.approx(np.sqrt(phi / (2 - 4 / 179)))


def test_what_cannot_be_compared_has_no_strength():
    assert np.isnan(associations.associated(pd.DataFrame([[10, 20]]))["v"])
    assert np.isnan(associations.associated(pd.DataFrame([[1, 0], [0, 1]]))["p"])


def test_ties_are_found_where_they_are_and_chance_is_not_taken_for_one():
    rng = np.random.default_rng(5)
    n = 2000
    young = rng.random(n) < 0.5
    dear = rng.random(n) < np.where(young, 0.2, 0.8)
    people = pd.DataFrame(
        {"age": np.where(young, "15–24", "25–34"), "gender": rng.choice(["female", "male"], n),
         "price_band": np.where(dear, "high", "low")}
    )  # fmt: skip
    found = associations.associations(people).set_index("trait")
    assert found.v["age"] == pytest.approx(0.6, abs=0.06) and found.q["age"] < 1e-10
    assert found.v["gender"] < 0.1
    texts = [f.text for f in associations.findings(found.reset_index(), {})]
    assert any("aim offers by it" in t and t.startswith("Age") for t in texts)
    assert any("do not aim by it" in t and t.startswith("Gender") for t in texts)


def test_under_no_tie_small_p_values_are_as_rare_as_they_should_be():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        table = rng.multinomial(300, np.outer([0.3, 0.3, 0.4], [0.5, 0.3, 0.2]).ravel()).reshape(3, 3)
        hits += associations.associated(pd.DataFrame(table))["p"] < 0.05
    low, high = stats.binom.ppf([0.0005, 0.9995], 400, 0.05)
    assert low <= hits <= high


def test_the_plot_draws_the_shares():
    found = profile_of(shop_of([20] * 10 + [30] * 30), "age")
    ax = demographics.plot_profile(found)
    assert sorted(round(p.get_width(), 6) for p in ax.patches) == [0.25, 0.25, 0.75, 0.75]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["25–34", "15–24"]
