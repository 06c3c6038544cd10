"""Stories of segments: who bought lately, often and for much, and where they went."""

import datetime as dt

import pandas as pd
import pytest

from playbook import shop_from
from playbook.customers import consumption, purchases, segments
from playbook.missing import Missing

# who, day, amount: Ann buys every month, Bob bought once long ago, Cat once of late, Dan three times long ago
ROWS = [("ann", f"2026-{m:02d}-10", 100.0) for m in range(1, 11)]
ROWS += [("bob", "2026-01-05", 20.0), ("cat", "2026-10-20", 30.0)]
ROWS += [("dan", f"2026-01-{d:02d}", 50.0) for d in (2, 9, 16)]


def shop_of(rows, returns=(), **more):
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    orders["order_id"] = [f"o{i}" for i in range(len(orders))]
    orders["ordered_at"] = pd.to_datetime(orders.ordered_at)
    if len(returns):
        back = pd.DataFrame(returns, columns=["order_id", "returned_at", "amount"])
        more["returns"] = back.assign(return_id=[f"r{i}" for i in range(len(back))])
    return shop_from(orders=orders, period="2026-10", **more)


def by_customer(shop):
    """The mart by customer number."""
    return shop.rfm.to_pandas().merge(shop.persons.to_pandas(), on="person_id").set_index("customer_id")


def test_scores_are_places_among_buyers_and_equals_stand_together():
    found = by_customer(shop_of(ROWS))
    assert found.loc["ann", ["recency_days", "frequency"]].tolist() == [22, 10]
    assert float(found.loc["ann", "monetary"]) == 1000
    # one order: bob and cat share the lowest place; dan is third of four (2/3 of the way), ann first
    assert found.f[["ann", "dan", "bob", "cat"]].tolist() == [5, 4, 1, 1]
    assert found.m[["ann", "dan", "cat", "bob"]].tolist() == [5, 4, 2, 1]
    assert found.r[["cat", "ann", "dan", "bob"]].tolist() == [5, 4, 2, 1]
    assert found.segment.to_dict() == {"ann": "champions", "bob": "hibernating", "cat": "new", "dan": "at_risk"}


def test_what_persons_brought_is_what_the_shop_sold_less_what_came_back():
    shop = shop_of(ROWS, returns=[("o0", "2026-02-01", 40.0)])
    sizes = segments.sizes(shop.rfm).set_index("segment")
    assert sizes.net_sales.sum() == 1000 + 20 + 30 + 150 - 40
    assert sizes.net_sales["champions"] == 960
    assert sizes.share.sum() == pytest.approx(1) and sizes.share_of_sales.sum() == pytest.approx(1)


def test_a_guest_is_in_no_segment_and_who_never_paid_is_not_yet_a_buyer():
    customers = pd.DataFrame(
        {"customer_id": ["ann", "eve"], "registered_at": pd.to_datetime(["2026-01-01", "2026-10-01"])}
    )
    shop = shop_of([*ROWS, (None, "2026-10-02", 5.0)], customers=customers)
    sizes = segments.sizes(shop.rfm).set_index("segment")
    assert sizes.persons["not_yet"] == 1 and pd.isna(sizes.share["not_yet"])
    assert sizes.persons.sum() == 5 and sizes.net_sales.sum() == 1200


def test_engagement_counts_reviews_and_opened_messages_of_late():
    reviews = pd.DataFrame(
        {
            "review_id": ["v1", "v2"], "reviewed_at": pd.to_datetime(["2026-10-01", "2025-10-01"]),
            "product_id": "p", "customer_id": ["bob", "dan"], "rating": 5.0,
        }
    )  # fmt: skip
    found = by_customer(shop_of(ROWS, reviews=reviews))
    assert found.engagement.to_dict() == {"ann": 0, "bob": 1, "cat": 0, "dan": 0}
    assert found.e["bob"] == 5 and found.e["ann"] == 1


def test_migration_scores_each_date_with_what_was_known_then():
    shop = shop_of(ROWS)
    found = segments.migration(
        shop.orders, shop.persons, shop.returns, first=dt.date(2026, 2, 1), second=dt.date(2026, 11, 1)
    )
    pairs = found.set_index(["before", "after"]).persons.to_dict()
    # in January dan was the one who bought often; ann had bought once, as bob; cat was not known
    assert pairs[("not_yet", "new")] == 1
    assert found.persons.sum() == 4
    assert found.groupby("before").rate.sum().round(9).eq(1).all()
    assert ((found.rate_low <= found.rate) & (found.rate <= found.rate_high)).all()


def test_a_shop_whose_orders_name_nobody_gives_a_missing():
    shop = shop_of(ROWS)
    orders = shop.orders.drop("customer_id").to_pandas()
    bare = shop_from(orders=orders[["order_id", "ordered_at", "amount"]], period="2026-10")
    assert isinstance(segments.sizes(bare.rfm), Missing)
    assert isinstance(purchases.of_persons(bare.orders, bare.persons), Missing)


def test_the_plot_of_sizes_draws_the_shares():
    sizes = segments.sizes(shop_of(ROWS).rfm)
    ax = segments.plot_sizes(sizes)
    drawn = sorted(round(p.get_width(), 6) for p in ax.patches)
    assert drawn == sorted([*sizes.share.round(6), *sizes.share_of_sales.round(6)])


def test_findings_say_who_is_silent_and_what_they_brought():
    found = segments.findings(segments.sizes(shop_of(ROWS).rfm), currency="CNY")
    silent = next(f for f in found if f.verdict == "watch")
    assert "1 who bought often" in silent.text and "¥150" in silent.text and silent.stake == 150


def test_deciles_hold_all_sales_and_the_best_come_first():
    rows = [(f"c{i:03d}", "2026-10-01", float(i + 1)) for i in range(100)]
    found = consumption.deciles(shop_of(rows).customer_360)
    assert found.persons.tolist() == [10] * 10
    assert found.net_sales.tolist()[0] == sum(range(91, 101)) and found.net_sales.sum() == 5050
    assert found.cumulative.iloc[-1] == pytest.approx(1)
    assert isinstance(consumption.deciles(shop_of(rows[:50]).customer_360), Missing)


def test_consumption_by_hand():
    shop = shop_of(ROWS)
    bought = purchases.of_persons(shop.orders, shop.persons)
    found = consumption.features(bought, shop.rfm, None, dt.date(2026, 11, 1), floor=1).set_index("segment")
    assert found.orders_a_year["champions"] == 10 and found.order_value["champions"] == 100
    assert found.order_value["hibernating"] == 20
    assert "discounted" not in found and "wallet" not in found


def test_the_purse_goes_to_what_most_is_spent_on():
    products = pd.DataFrame({"product_id": ["p", "q"], "category": ["tea", "cups"]})
    items = pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(len(ROWS))], "product_id": ["p"] * 10 + ["q"] * 5, "quantity": 1,
            "amount": [r[2] for r in ROWS], "line": 1,
        }
    )  # fmt: skip
    shop = shop_of(ROWS, products=products, order_items=items)
    bought = purchases.of_persons(shop.orders, shop.persons)
    lines = purchases.lines(bought, shop.order_items, shop.products)
    found = consumption.features(bought, shop.rfm, lines, dt.date(2026, 11, 1), floor=1).set_index("segment")
    assert (found.favourite["champions"], found.wallet["champions"]) == ("tea", 1.0)
    assert found.favourite["new"] == "cups"
