"""Segments of the UCI Online Retail file: every customer once, and every penny of what they paid less what came back."""

from decimal import Decimal

import pandas as pd
import pytest

from playbook.customers import purchases, segments


@pytest.fixture(scope="module")
def shop(retail):
    return retail("2011-12")


@pytest.fixture(scope="module")
def rfm(shop):
    return shop.rfm.to_pandas()


def test_the_mart_has_each_of_the_4372_customers_once(rfm):
    assert len(rfm) == rfm.person_id.nunique() == 4_372


def test_net_sales_of_the_segments_are_those_of_the_customers_to_the_cent(shop, rfm):
    orders, returns = shop.orders.to_pandas(), shop.returns.to_pandas()
    paid = orders[orders.customer_id.notna()].amount.sum()
    back = returns[returns.customer_id.notna()].amount.sum()
    assert rfm.monetary.sum() == paid - back
    assert isinstance(rfm.monetary.sum(), Decimal)
    sizes = segments.sizes(shop.rfm)
    assert round(sizes.net_sales.sum(), 2) == round(float(paid - back), 2)
    guests = orders[orders.customer_id.isna()].amount.sum() - returns[returns.customer_id.isna()].amount.sum()
    assert rfm.monetary.sum() + guests == orders.amount.sum() - returns.amount.sum()


def test_buyers_are_those_with_an_invoice(shop, rfm):
    orders = shop.orders.to_pandas()
    counts = orders[orders.customer_id.notna()].groupby("customer_id").size()
    assert sorted(rfm.frequency[rfm.frequency > 0]) == sorted(counts)
    assert (rfm.segment == "not_yet").sum() == 4_372 - len(counts)


def test_champions_are_few_and_carry_most(shop):
    sizes = segments.sizes(shop.rfm).set_index("segment")
    assert sizes.share["champions"] < 0.3 < 0.55 < sizes.share_of_sales["champions"]


def test_migration_of_the_autumn_counts_every_buyer_once(shop, rfm):
    day = pd.Timestamp(2011, 9, 1).date()
    found = segments.migration(shop.orders, shop.persons, shop.returns, first=day, second=shop.period.end)
    assert found.persons.sum() == (rfm.frequency > 0).sum()
    bought = purchases.of_persons(shop.orders, shop.persons).to_pandas()
    early = bought[bought["at"] < pd.Timestamp(day)].person_id.nunique()
    assert found.persons[found.before != "not_yet"].sum() == early
