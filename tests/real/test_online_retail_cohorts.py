"""Cohorts of UCI Online Retail keep every penny; who comes back is what a count by hand says."""

import pandas as pd
import pytest

from playbook.customers import churn, retention


@pytest.fixture(scope="module")
def shop(retail):
    return retail("2011-11")


@pytest.fixture(scope="module")
def bought(shop):
    return retention.purchases(shop.orders, shop.persons, shop.customers)


def test_the_cohorts_hold_all_that_known_customers_bought(shop, bought):
    frame = retention.cohorts(bought, as_of=shop.as_of)
    orders = shop.orders
    known = orders.filter(orders.paid_at.notnull() & orders.customer_id.notnull())
    sales = float(known.amount.sum().to_pandas())
    assert frame.sales.sum() == pytest.approx(sales, abs=0.005) and sales > 7_000_000
    assert frame.orders.sum() == int(known.count().to_pandas())
    size = frame[frame.offset == 0]
    assert size.customers.sum() == known.customer_id.nunique().to_pandas() and len(size) == 12
    assert frame.complete.all()


def test_the_first_cohort_is_what_pandas_counts(shop, bought):
    frame = retention.cohorts(bought, as_of=shop.as_of)
    rows = bought.to_pandas()
    month = rows["at"].dt.to_period("M")
    first = month.groupby(rows.person_id).transform("min")
    mine = rows[first == pd.Period("2010-12")]
    counted = mine.groupby(mine["at"].dt.to_period("M")).person_id.nunique().tolist()
    assert frame[frame.cohort == "2010-12-01"].customers.tolist() == counted
    # a wholesaler's customers come back: a third to a half of the first cohort is there in any later month
    assert 800 < counted[0] < 950 and all(0.25 < k / counted[0] < 0.55 for k in counted[1:])


def test_windows_hold_every_customer_once(shop, bought):
    frame = churn.matrix(churn.states(bought, as_of=shop.as_of))
    people = bought.person_id.nunique().to_pandas()
    assert frame.customers.sum() == people and (frame.groupby("window").customers.sum() > 200).all()
    hazard = retention.hazard(bought, as_of=shop.as_of)
    assert 0.25 < hazard.returned[29] < 0.60
