"""Stories of what a shop knows: rows up to a moment, what was planned by then, and words for what it does not have."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from playbook.data import schema
from playbook.data.store import ShopError
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from


def orders(*rows, columns=("order_id", "ordered_at", "amount", "paid_at")):
    frame = pd.DataFrame(rows, columns=list(columns[: len(rows[0])]))
    times = frame.columns.intersection(["ordered_at", "paid_at"])
    frame[times] = frame[times].apply(pd.to_datetime, format="mixed")
    return frame


def day_after(*extra):
    """Orders of October 2026, and one of November so that October is over."""
    return orders(*extra, ("late", "2026-11-05 10:00", 1, "2026-11-05 10:00"))


def ids(table, column="order_id"):
    return sorted(table.to_pandas()[column])


def value(shop, metric, **options):
    return measure(shop, [metric], **options).value.iloc[0]


# -- the cut in time


def test_the_last_minute_of_a_period_counts_and_the_first_one_after_it_does_not():
    frame = day_after(
        ("before", "2026-09-30 23:59", 1, "2026-09-30 23:59"),
        ("first", "2026-10-01 00:01", 2, "2026-10-01 00:01"),
        ("midnight", "2026-10-01 00:00", 4, "2026-10-01 00:00"),
        ("last", "2026-10-31 23:59", 8, "2026-10-31 23:59"),
        ("after", "2026-11-01 00:00", 16, "2026-11-01 00:00"),
        ("later", "2026-11-01 00:01", 32, "2026-11-01 00:01"),
    )
    october = shop_from(period="2026-10", orders=frame)
    assert october.as_of == dt.datetime(2026, 11, 1)
    assert ids(october.orders) == ["before", "first", "last", "midnight"]
    assert value(october, "net_sales") == 2 + 4 + 8
    assert value(shop_from(period="2026-09", orders=frame), "net_sales") == 1
    assert value(shop_from(period="2026-11", orders=frame), "net_sales") == 16 + 32 + 1


def test_an_order_paid_in_november_is_unpaid_when_october_ends_and_counts_in_november():
    frame = day_after(
        ("a", "2026-10-31 23:50", 100, "2026-11-01 00:05"),
        ("b", "2026-10-31 23:50", 10, "2026-10-31 23:55"),
        ("c", "2026-10-31 23:50", 1000, None),
    )
    october = shop_from(period="2026-10", orders=frame)
    known = october.orders.to_pandas().set_index("order_id").paid_at
    assert pd.isna(known["a"]) and pd.isna(known["c"]) and known["b"] == pd.Timestamp("2026-10-31 23:55")
    assert (value(october, "orders_placed"), value(october, "orders_paid")) == (3, 1)
    assert value(october, "net_sales") == 10
    november = shop_from(period="2026-11", orders=frame)
    assert value(november, "net_sales") == 100 + 1
    assert value(november, "orders_placed") == 1
    # what October says does not change when it is asked for later
    assert value(november, "net_sales", period="2026-10") == 10


def test_what_was_shipped_and_delivered_after_the_end_is_not_known():
    frame = day_after(("a", "2026-10-30", 1, "2026-10-30")).assign(
        shipped_at=["2026-10-31 23:59", "2026-11-06 00:00"], delivered_at=["2026-11-01 00:01", None]
    )
    frame["payment_method"] = ["alipay", "card"]
    row = shop_from(period="2026-10", orders=frame).orders.to_pandas().iloc[0]
    assert row.shipped_at == pd.Timestamp("2026-10-31 23:59") and pd.isna(row.delivered_at)
    assert row.payment_method == "alipay"
    earlier = frame.assign(ordered_at=pd.Timestamp("2026-10-28"))
    row = shop_from(period="2026-10-01/2026-10-29", orders=earlier).orders.to_pandas()
    assert row.shipped_at.isna().all() and row.paid_at.isna().all()
    assert row.payment_method.isna().all()  # known only once it was paid


def test_observed_rows_that_lie_ahead_are_not_there_and_rows_without_a_time_are():
    customers = pd.DataFrame(
        {"customer_id": ["old", "new", "unknown"], "registered_at": ["2026-01-01", "2026-11-02", None]}
    )
    traffic = pd.DataFrame({"day": ["2026-10-31", "2026-11-01"], "platform": "jd", "visitors": [7, 9]})
    returns = pd.DataFrame(
        {"return_id": ["r", "s"], "returned_at": ["2026-10-31 23:59", "2026-11-01 00:01"], "amount": [3, 5]}
    )
    shop = shop_from(
        period="2026-10", orders=day_after(("a", "2026-10-01", 9, "2026-10-01")),
        customers=customers, traffic=traffic, returns=returns,
    )  # fmt: skip
    assert ids(shop.customers, "customer_id") == ["old", "unknown"]
    assert shop.traffic.to_pandas().visitors.tolist() == [7]
    assert value(shop, "returns") == 3


def test_planned_rows_are_cut_by_when_they_were_written_down_and_their_dates_may_lie_ahead():
    campaigns = pd.DataFrame(
        {
            "campaign_id": ["eleven", "too late"],
            "name": ["Double eleven", "Written in November"],
            "starts_on": ["2026-11-01", "2026-10-01"],
            "ends_on": ["2026-11-11", "2026-10-07"],
            "recorded_at": ["2026-10-31 23:59", "2026-11-01 00:01"],
        }
    )
    content = pd.DataFrame(
        {
            "content_id": ["1"],
            "title": ["x"],
            "publish_at": ["2026-11-20 12:00"],
            "recorded_at": ["2026-10-02"],
        }
    )
    coupons = pd.DataFrame(
        {
            "coupon_id": ["used in October", "used in November"],
            "issued_at": ["2026-10-01", "2026-10-01"],
            "recorded_at": ["2026-10-01", "2026-10-01"],
            "expires_at": ["2026-12-31", "2026-12-31"],
            "used_at": ["2026-10-20", "2026-11-02"],
            "order_id": ["1", "2"],
        }
    )
    shop = shop_from(
        period="2026-10", orders=day_after(("a", "2026-10-01", 9, "2026-10-01")),
        campaigns=campaigns, content=content, coupons=coupons,
    )  # fmt: skip
    found = shop.campaigns.to_pandas()
    assert found.campaign_id.tolist() == ["eleven"]
    assert pd.Timestamp(found.starts_on[0]) == pd.Timestamp("2026-11-01")  # ahead of as_of, and known
    assert shop.content.to_pandas().publish_at[0] == pd.Timestamp("2026-11-20 12:00")
    issued = shop.coupons.to_pandas().set_index("coupon_id")
    assert issued.expires_at.tolist() == [pd.Timestamp("2026-12-31")] * 2
    assert issued.order_id["used in October"] == "1" and pd.isna(issued.order_id["used in November"])
    assert pd.isna(issued.used_at["used in November"])


def test_goods_that_arrive_after_the_end_are_on_order_but_have_not_arrived():
    purchase = pd.DataFrame(
        {
            "purchase_order_id": ["1", "2"],
            "product_id": ["p", "p"],
            "quantity": [100, 200],
            "recorded_at": ["2026-10-01", "2026-10-02"],
            "due_on": ["2026-10-30", "2026-11-30"],
            "received_on": ["2026-10-31", "2026-11-01"],
            "received": [90, 200],
        }
    )
    shop = shop_from(period="2026-10", orders=day_after(("a", "2026-10-01", 9, "2026-10-01")), purchase_orders=purchase)
    found = shop.purchase_orders.to_pandas().set_index("purchase_order_id").sort_index()
    assert found.quantity.tolist() == [100, 200]
    assert pd.Timestamp(found.due_on["2"]) == pd.Timestamp("2026-11-30")
    assert found.received["1"] == 90 and pd.isna(found.received["2"]) and pd.isna(found.received_on["2"])


def test_until_now_knows_what_came_after_the_period():
    frame = day_after(("a", "2026-10-31 23:50", 100, "2026-11-01 00:05"))
    shop = shop_from(period="2026-10", until="now", orders=frame)
    assert shop.as_of == dt.datetime(2026, 11, 6) and shop.period.label == "2026-10"
    assert ids(shop.orders) == ["a", "late"]
    assert shop.orders.to_pandas().paid_at.notna().all()
    assert value(shop, "net_sales") == 0  # the period is still October
    assert value(shop, "net_sales", period="2026-11") == 101


def test_until_now_knows_everything_in_the_data_also_what_came_after_the_last_order():
    frame = orders(("a", "2026-10-31 23:50", 100, "2026-11-01 00:05"))
    returns = pd.DataFrame({"return_id": ["r"], "returned_at": ["2026-11-20"], "amount": [40], "order_id": ["a"]})
    shop = shop_from(period="2026-10", until="now", orders=frame, returns=returns)
    assert shop.orders.to_pandas().paid_at.notna().all()
    assert shop.returns.to_pandas().amount.astype(float).tolist() == [40]


def test_the_latest_period_is_the_last_month_that_has_ended():
    frame = orders(("a", "2026-09-03", 1, None), ("b", "2026-10-30 23:59", 1, None))
    assert shop_from(orders=frame).period.label == "2026-09"
    frame.loc[1, "ordered_at"] = pd.Timestamp("2026-10-31 00:00")
    assert shop_from(orders=frame).period.label == "2026-10"


def test_covers_a_period_that_lies_between_the_first_order_and_the_moment_of_the_report():
    frame = day_after(("a", "2025-10-01", 1, None), ("b", "2026-10-31", 1, None))
    shop = shop_from(period="2026-10", orders=frame)
    assert (shop.first_day, shop.last_day) == (dt.date(2025, 10, 1), dt.date(2026, 11, 5))
    for text, covered in {
        "2025-10": True,
        "2025-09": False,
        "2026-10": True,
        "2026-11": False,  # after as_of
        "2025-09-30/2025-10-02": False,
        "2025": False,
        "2026-Q4": False,
    }.items():
        assert shop.covers(parse(text)) is covered, text
    assert shop_from(period="2026-11", orders=frame).covers(parse("2026-11")) is True


# -- zones


def test_times_with_a_zone_become_the_shops_and_days_are_the_shops():
    at = pd.to_datetime(["2026-10-31 15:59Z", "2026-10-31 16:01Z", "2026-11-03 00:00Z"])
    frame = pd.DataFrame({"order_id": ["a", "b", "c"], "ordered_at": at, "amount": [1, 2, 4]})
    shop = shop_from(period="2026-11", zone="Asia/Shanghai", orders=frame)
    times = shop.orders.to_pandas().set_index("order_id").ordered_at
    assert times["a"] == pd.Timestamp("2026-10-31 23:59") and times["b"] == pd.Timestamp("2026-11-01 00:01")
    assert value(shop, "net_sales") == 2 + 4
    assert value(shop, "net_sales", period="2026-10") == 1
    london = shop_from(period="2026-10", zone="Europe/London", orders=frame)
    assert value(london, "net_sales") == 1 + 2
    assert london.orders.to_pandas().ordered_at.max() == pd.Timestamp("2026-10-31 16:01")


def test_times_without_a_zone_are_the_shops_own():
    frame = orders(("a", "2026-10-31 23:59", 1))
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        shop = shop_from(period="2026-10", zone=zone, orders=frame)
        assert shop.orders.to_pandas().ordered_at[0] == pd.Timestamp("2026-10-31 23:59")
        assert value(shop, "net_sales") == 1


# -- frames


def test_orders_without_a_payment_time_count_as_paid_when_they_were_placed():
    frame = orders(("a", "2026-10-31 10:00", 5), ("b", "2026-10-31 11:00", 7))
    for given in (frame, ibis.memtable(frame)):
        shop = shop_from(period="2026-10", orders=given)
        assert value(shop, "orders_paid") == 2 and value(shop, "net_sales") == 12


def test_money_of_a_table_is_exact_as_that_of_a_frame_is():
    frame = pd.DataFrame(
        {"order_id": [str(i) for i in range(10)], "ordered_at": pd.Timestamp("2026-10-05"), "amount": 0.1}
    )
    frame["paid_at"] = frame.ordered_at
    returns = pd.DataFrame({"return_id": ["r"], "returned_at": pd.Timestamp("2026-10-06"), "amount": [0.3]})
    same, table = pd.DataFrame.copy, ibis.memtable
    for of_orders, of_returns in ((same, same), (table, table), (table, same), (same, table)):
        shop = shop_from(period="2026-10", orders=of_orders(frame), returns=of_returns(returns))
        assert value(shop, "net_sales") == 0.7
        assert shop.orders.amount.type().is_decimal()


def test_identifiers_stay_text_and_the_frame_that_was_given_stays_as_it_was():
    frame = pd.DataFrame(
        {
            "order_id": ["0012", "621234567890123456789"],
            "ordered_at": ["2026-10-05", "2026-10-06"],
            "amount": [1.5, 2],
            "customer_id": [7, None],
        }
    )
    before = frame.copy(deep=True)
    shop = shop_from(orders=frame, customers=pd.DataFrame({"customer_id": [7]}))
    pd.testing.assert_frame_equal(frame, before)
    assert ids(shop.orders) == ["0012", "621234567890123456789"]
    # the number that pandas made a float of, because a guest has none, is still the same customer
    assert shop.orders.customer_id.to_pandas().dropna().tolist() == ids(shop.customers, "customer_id") == ["7"]


def test_a_column_that_nobody_filled_does_no_harm():
    frame = orders(("a", "2026-10-31", 5), ("b", "2026-10-31", 7)).assign(customer_id=None, channel=None, discount=None)
    shop = shop_from(period="2026-10", orders=frame)
    assert value(shop, "gross_sales") == 12 and value(shop, "customers") == 0


# -- what is not there, and what does not exist


def test_a_table_that_the_shop_lacks_is_a_missing_with_its_remedy():
    shop = shop_from(name="mine", orders=orders(("a", "2026-10-31", 5)))
    assert isinstance(shop.events, Missing)
    said = shop.events.sentence()
    assert "This shop does not have events." in said
    assert "event_id, event_at, event, visitor_id" in said and "`playbook ingest mine`" in said
    assert isinstance(shop.accounting(), Missing) and isinstance(shop.rows(), Missing)
    assert set(schema.TABLES) <= set(dir(shop))


def test_a_name_that_is_no_table_is_refused_with_those_that_are():
    shop = shop_from(orders=orders(("a", "2026-10-31", 5)))
    with pytest.raises(AttributeError, match="a shop has no 'evnts'; its tables are: orders, order_items"):
        _ = shop.evnts
    assert not hasattr(shop, "_repr_html_")


ONE = orders(("a", "2026-10-31", 5))


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ({}, r"a shop needs orders: shop_from\(orders=frame\)"),
        ({"ordrs": ONE}, "a shop needs orders"),
        ({"orders": ONE, "evnts": ONE}, "there is no table 'evnts'; there is: orders"),
        ({"orders": ONE.assign(ammount=1)}, "the table orders has no column 'ammount'; it has: order_id"),
        ({"orders": ONE.drop(columns="amount")}, "the table orders needs the column amount"),
        ({"orders": ONE.iloc[:0]}, "frames has no orders"),
    ],
    ids=["nothing", "misspelt orders", "table", "column", "required", "empty"],
)
def test_frames_that_cannot_be_used_are_refused_by_a_sentence(frames, says):
    with pytest.raises(ShopError, match=says):
        shop_from(**frames)


@pytest.mark.parametrize(
    ("column", "cell"), [("ordered_at", "the day before yesterday"), ("amount", "about twelve"), ("discount", "ten %")]
)
def test_a_cell_that_cannot_be_read_is_refused_by_a_sentence_that_names_its_column(column, cell):
    frame = pd.DataFrame({"order_id": ["a"], "ordered_at": "2026-10-31", "amount": 5, "discount": 0}).astype(object)
    frame.loc[0, column] = cell
    with pytest.raises(ShopError, match=rf"orders.{column}.*{cell}"):
        shop_from(period="2026-10", orders=frame).orders.to_pandas()


def test_a_period_that_is_none_is_refused_before_anything_is_computed():
    with pytest.raises(ValueError, match="'soon' is no period"):
        shop_from(period="soon", orders=orders(("a", "2026-10-31", 5)))


def test_the_shop_says_in_one_line_what_it_is():
    shop = shop_from(
        name="mine", currency="GBP", zone="Europe/London", week_start="sunday", orders=orders(("a", "2026-10-31", 5))
    )
    assert repr(shop) == "Shop('mine', period='2026-10', as_of=2026-11-01 00:00)"
    assert (shop.name, shop.title, shop.currency, shop.zone, shop.week_start) == (
        "mine",
        "mine",
        "GBP",
        "Europe/London",
        "sunday",
    )
