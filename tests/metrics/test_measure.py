"""Stories of measuring: by hand on ten orders, as laws on random shops, and against pandas on the demo."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from playbook.data.demo import generate
from playbook.data.ingest import ingest
from playbook.data.store import Store, read_settings
from playbook.metrics import measure
from playbook.metrics.customers import CUSTOMER_METRICS
from playbook.metrics.sales import SALES_METRICS
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from, shop_of

NAN = pytest.approx(math.nan, nan_ok=True)

OF_ORDERS = [m.name for m in (*SALES_METRICS, *CUSTOMER_METRICS)]

# October 2026 begins on a Thursday. What counts in it: orders 2, 4, 5, 6 and 8; returns r1 and r2.
ORDERS = """
0 tmall a    2025-09-15T10:00 2025-09-15T10:00  10  0 search
1 tmall a    2025-10-05T10:00 2025-10-05T10:00  50  0 search
2 jd    b    2026-09-30T23:30 2026-10-01T00:10 100 10 search
3 tmall a    2026-09-10T12:00 2026-09-10T12:00  80 20 live
4 jd    c    2026-10-05T09:00 2026-10-05T09:00 200  0 live
5 tmall a    2026-10-05T20:00 2026-10-05T20:30  60 15 search
6 tmall c    2026-10-31T23:59 2026-10-31T23:59  40  0 live
7 jd    None 2026-10-31T23:00 2026-11-01T00:01 500  0 search
8 tmall None 2026-10-18T09:30 2026-10-18T09:30  30  5 search
9 jd    d    2026-11-02T10:00 2026-11-02T10:00  70  0 search
"""
ITEMS = """
2 jd    p1 2  60 10
2 jd    p2 1  40  0
3 tmall p1 1  80 20
4 jd    p2 4 200  0
5 tmall p1 1  60 15
6 tmall p3 1  40  0
8 tmall p1 1  30  5
"""
RETURNS = """
r1 tmall 3 p1 2026-10-03T12:00 25
r2 jd    4 p2 2026-10-20T08:00 50
r3 jd    4 p2 2026-11-01T00:01 10
"""


def rows(text, columns, times=()):
    frame = pd.DataFrame([line.split() for line in text.strip().splitlines()], columns=columns.split())
    frame = frame.replace("None", None)
    for c in frame.columns.intersection(["amount", "discount", "quantity"]):
        frame[c] = frame[c].astype(int)
    for c in times:
        frame[c] = pd.to_datetime(frame[c])
    return frame


def tables(without=(), **columns):
    """The frames of the ten orders; `without` tables, or without columns of them: orders="customer_id discount"."""
    made = {
        "orders": rows(
            ORDERS,
            "order_id platform customer_id ordered_at paid_at amount discount channel",
            ["ordered_at", "paid_at"],
        ),
        "order_items": rows(ITEMS, "order_id platform product_id quantity amount discount"),
        "returns": rows(RETURNS, "return_id platform order_id product_id returned_at amount", ["returned_at"]),
        "products": pd.DataFrame({"product_id": ["p1", "p2"], "name": ["Soap", "Lamp"], "category": ["Care", "Home"]}),
    }
    for table, names in columns.items():
        made[table] = made[table].drop(columns=names.split())
    return {name: frame for name, frame in made.items() if name not in without}


def october(without=(), *, week_start="monday", **columns):
    return shop_from(period="2026-10", week_start=week_start, **tables(without, **columns))


@pytest.fixture(scope="module")
def shop():
    return october()


def by(frame, metric, what="value"):
    """The values of a metric by its breakdowns, as a dict."""
    part = frame[frame.metric == metric]
    keys = part[frame.attrs["by"]]
    index = keys.iloc[:, 0] if keys.shape[1] == 1 else keys.itertuples(index=False, name=None)
    return dict(zip(index, part[what], strict=True))


# -- by hand


def test_all_metrics_of_october(shop):
    frame = measure(shop, OF_ORDERS).set_index("metric")
    assert frame.value.to_dict() == pytest.approx(
        {
            "orders_placed": 5,  # 4, 5, 6, 7, 8: number 2 was placed in September, number 7 is not yet paid
            "gmv": 850,  # 830 and discounts of 20
            "orders_paid": 5,  # 2, 4, 5, 6, 8
            "gross_sales": 460,
            "discounts": 30,
            "returns": 75,  # r1 of a September order and r2; r3 is booked in November
            "returns_of_orders": 50,  # r2
            "net_sales": 355,
            "paid_sales": 430,
            "aov": 86,
            "order_value_median": 60,
            "items_per_order": 2,
            "refund_rate": 75 / 430,
            "customers": 4,  # c bought on jd and on tmall: two customers, as long as nobody says it is one person
            "new_customers": 3,  # b and both c; a bought before
            "repeat_rate": 0,
            "customer_orders": 4,
            "customer_sales": 400,
            "guest_sales": 30,
        }
    )
    assert frame.n.dropna().to_dict() == {
        "aov": 5,
        "order_value_median": 5,
        "items_per_order": 5,
        "refund_rate": 5,
        "repeat_rate": 4,
    }


def test_the_intervals_of_october(shop):
    frame = measure(shop, ["aov", "repeat_rate", "net_sales"]).set_index("metric")
    low, high = stats.t.interval(0.95, 4, loc=86, scale=stats.sem([100, 200, 60, 40, 30]))
    assert frame.loc["aov", ["low", "high"]].tolist() == pytest.approx([low, high])
    assert frame.loc["repeat_rate", ["low", "high"]].tolist() == pytest.approx([0, 0.48989], abs=1e-5)
    assert frame.loc["net_sales", ["low", "high"]].isna().all()


def test_by_platform_with_what_it_is_compared_with(shop):
    frame = measure(shop, ["net_sales", "orders_paid", "aov"], by=["platform"], compare=True)
    assert by(frame, "net_sales") == {"jd": 250, "tmall": 105}
    assert list(frame.platform.unique()) == ["jd", "tmall"]  # the larger one first
    assert by(frame, "net_sales", "previous") == {"jd": 0, "tmall": 80}
    assert by(frame, "net_sales", "year_ago") == {"jd": 0, "tmall": 50}
    assert by(frame, "net_sales", "change") == {"jd": NAN, "tmall": pytest.approx(105 / 80 - 1)}
    assert by(frame, "net_sales", "change_year_ago") == {"jd": NAN, "tmall": pytest.approx(1.1)}
    assert by(frame, "orders_paid") == {"jd": 2, "tmall": 3}
    assert by(frame, "aov") == {"jd": 150, "tmall": pytest.approx(130 / 3)}


def test_the_same_weekdays_a_year_ago_are_52_weeks_back_and_only_what_is_asked_for_is_compared(shop):
    # order 1 was paid on Sunday 5 October 2025, which is 52 weeks before Sunday 4 October 2026
    frame = measure(shop, ["net_sales"], period="2026-10-04/2026-10-04", compare=["like_days"])
    assert frame.like_days.tolist() == [50] and "previous" not in frame and "year_ago" not in frame
    assert math.isnan(frame.change_like_days.iloc[0]) or frame.change_like_days.iloc[0] == -1
    whole = measure(shop, ["net_sales"], compare=["previous", "like_days"])  # 2 October to 1 November 2025
    assert whole.like_days.tolist() == [50] and whole.previous.tolist() == [80]
    with pytest.raises(ValueError, match="there is no comparison 'last_year'; there is: previous, year_ago, like_days"):
        measure(shop, ["net_sales"], compare=["last_year"])


def test_by_day_every_day_is_there_and_days_stand_beside_the_same_day_before(shop):
    frame = measure(shop, ["net_sales", "orders_paid", "aov"], by=["day"], compare=True)
    net = {day.day: v for day, v in by(frame, "net_sales").items()}
    sold = {1: 100, 3: -25, 5: 260, 18: 30, 20: -50, 31: 40}
    assert net == dict.fromkeys(range(1, 32), 0) | sold
    assert sum(by(frame, "orders_paid").values()) == 5
    assert [v for v in by(frame, "aov").values() if not math.isnan(v)] == [100, 130, 30, 40]
    before = {day.day: v for day, v in by(frame, "net_sales", "previous").items()}
    assert before[10] == 80 and before[9] == 0
    assert math.isnan(before[31])  # September has no 31st
    assert pd.api.types.is_datetime64_any_dtype(frame.day)


def test_by_month_quarter_and_week(shop):
    months = measure(shop, ["net_sales"], by=["month"], period="2026-Q3")
    assert [(m.month, v) for m, v in by(months, "net_sales").items()] == [(7, 0), (8, 0), (9, 80)]
    quarters = measure(shop, ["orders_paid"], by=["quarter"], period="2025-07-01/2026-10-31")
    assert list(by(quarters, "orders_paid").values()) == [1, 1, 0, 0, 1, 5]
    weeks = by(measure(shop, ["net_sales"], by=["week"]), "net_sales")
    assert {f"{w:%m-%d}": v for w, v in weeks.items()} == {
        "09-28": 75, "10-05": 260, "10-12": 30, "10-19": -50, "10-26": 40,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("week_start", "expected"),
    [
        ("sunday", {"09-27": 75, "10-04": 260, "10-11": 0, "10-18": -20, "10-25": 40}),
        ("saturday", {"09-26": 100, "10-03": 235, "10-10": 0, "10-17": -20, "10-24": 0, "10-31": 40}),
    ],
)
def test_weeks_begin_on_the_shops_first_day(week_start, expected):
    shop = october(week_start=week_start)
    frame = measure(shop, ["net_sales"], by=["week"], compare=True)
    assert {f"{w:%m-%d}": v for w, v in by(frame, "net_sales").items()} == expected
    week = measure(shop, ["net_sales"], period="2026-W41")  # ISO: 5 to 11 October
    assert week.value.iloc[0] == {"sunday": 260, "saturday": 235}[week_start]


def test_by_weekday_and_by_hour(shop):
    frame = measure(shop, ["net_sales"], by=["weekday"])
    assert by(frame, "net_sales") == {0: 260, 1: -50, 2: 0, 3: 100, 4: 0, 5: 15, 6: 30}
    hours = by(measure(shop, ["net_sales", "orders_paid"], by=["hour"]), "orders_paid")
    assert hours == dict.fromkeys(range(24), 0) | {0: 1, 9: 2, 20: 1, 23: 1}


def test_by_category_and_product(shop):
    asked = ["net_sales", "gross_sales", "discounts", "returns", "orders_paid", "items_per_order", "customers"]
    frame = measure(shop, asked, by=["category"])
    assert by(frame, "net_sales") == {"Home": 190, "Care": 125, "": 40}  # p3 is in no list of products
    assert by(frame, "gross_sales") == {"Home": 240, "Care": 180, "": 40}
    assert by(frame, "discounts") == {"Home": 0, "Care": 30, "": 0}
    assert by(frame, "returns") == {"Home": 50, "Care": 25, "": 0}
    assert by(frame, "orders_paid") == {"Home": 2, "Care": 3, "": 1}  # order 2 has both
    assert by(frame, "items_per_order") == {"Home": 2.5, "Care": pytest.approx(4 / 3), "": 1}
    assert by(frame, "customers") == {"Home": 2, "Care": 2, "": 1}
    products = by(measure(shop, ["net_sales"], by=["product"]), "net_sales")
    assert products == {"Lamp": 190, "Soap": 125, "": 40}
    assert by(measure(shop, ["net_sales"], by=["product_id"]), "net_sales") == {"p2": 190, "p1": 125, "p3": 40}


def test_an_average_by_category_has_no_interval_because_the_lines_cannot_tell_one(shop):
    frame = measure(shop, ["aov"], by=["category"])
    assert by(frame, "aov") == {"Home": 120, "Care": 50, "": 40}
    assert frame.low.isna().all() and frame.high.isna().all()


def test_guest_sales_by_category_are_those_of_guests(shop):
    frame = measure(shop, ["guest_sales", "customer_sales"], by=["category"])
    if not isinstance(frame, Missing):
        assert by(frame, "guest_sales") == {"Home": 0, "Care": 30, "": 0}
        assert frame.attrs["notes"] == []


def test_by_customer_type(shop):
    frame = measure(shop, ["net_sales", "orders_paid", "customers"], by=["customer_type"], compare=True)
    assert by(frame, "net_sales") == {"new": 290, "returning": 35, "guest": 30}
    assert by(frame, "orders_paid") == {"new": 3, "returning": 1, "guest": 1}
    assert by(frame, "customers") == {"new": 3, "returning": 1, "guest": 0}
    assert by(frame, "net_sales", "previous") == {"new": 0, "returning": 80, "guest": 0}


def test_two_breakdowns_at_once_beside_the_period_before(shop):
    frame = measure(shop, ["net_sales"], by=["platform", "customer_type"], compare=True)
    assert by(frame, "net_sales") == {
        ("jd", "new"): 250, ("tmall", "new"): 40, ("tmall", "returning"): 35, ("tmall", "guest"): 30,
    }  # fmt: skip
    assert by(frame, "net_sales", "previous")["tmall", "returning"] == 80
    daily = measure(shop, ["net_sales"], by=["platform", "day"], compare=True)
    assert len(daily) == 2 * 31
    net, before = by(daily, "net_sales"), by(daily, "net_sales", "previous")
    assert net["jd", pd.Timestamp("2026-10-05")] == 200 and net["tmall", pd.Timestamp("2026-10-05")] == 60
    assert before["tmall", pd.Timestamp("2026-10-10")] == 80 and before["jd", pd.Timestamp("2026-10-10")] == 0


def test_the_period_before_and_the_year_ago(shop):
    frame = measure(shop, ["net_sales", "orders_placed", "refund_rate", "repeat_rate"], compare=True).set_index(
        "metric"
    )
    assert frame.previous.to_dict() == {"net_sales": 80, "orders_placed": 2, "refund_rate": 0, "repeat_rate": 0}
    assert frame.year_ago["net_sales"] == 50 and frame.change["net_sales"] == pytest.approx(355 / 80 - 1)
    # that of a share is a difference, in percentage points
    assert frame.change["refund_rate"] == pytest.approx(75 / 430)
    assert frame.change_year_ago["repeat_rate"] == 0


def test_where_the_data_do_not_reach_the_comparison_is_not_known_rather_than_zero():
    frames = tables()
    frames["orders"] = frames["orders"][frames["orders"].ordered_at >= "2026-09-01"]
    shop = shop_from(period="2026-10", **frames)
    assert shop.first_day.isoformat() == "2026-09-10"
    frame = measure(shop, ["net_sales", "aov"], compare=True).set_index("metric")
    # the first order is of 10 September: September is not covered whole, October 2025 not at all
    assert frame[["previous", "change", "year_ago", "change_year_ago"]].isna().all(axis=None)
    half = measure(shop, ["net_sales"], compare=True, period="2026-10-01/2026-10-15").iloc[0]
    assert (half.value, half.previous) == (335, 0) and math.isnan(half.change) and math.isnan(half.year_ago)


def test_a_part_that_sold_only_in_the_period_before_is_shown_with_nothing():
    frames = tables()
    frames["orders"].loc[3, "platform"] = "pdd"  # the only order of September
    frames["returns"] = frames["returns"].assign(order_id="4", platform="jd")
    frame = measure(shop_from(period="2026-10", **frames), ["net_sales"], by=["platform"], compare=True)
    assert by(frame, "net_sales", "previous") == {"jd": 0, "tmall": 0, "pdd": 80}
    assert by(frame, "net_sales")["pdd"] == 0 and by(frame, "net_sales", "change")["pdd"] == -1
    assert frame.previous.sum() == 80


def test_months_of_different_length():
    days = pd.to_datetime(["2025-12-01", "2026-01-28", "2026-01-30", "2026-02-28", "2026-03-30", "2026-03-31"])
    orders = pd.DataFrame({"order_id": list("abcdef"), "ordered_at": days, "amount": [1, 2, 4, 8, 16, 32]})
    shop = shop_from(period="2026-03", orders=orders)
    february = measure(shop, ["net_sales"], by=["day"], period="2026-02", compare=True)
    assert len(february) == 28 and february.value.sum() == 8
    assert february.previous.tolist()[-1] == 2 and february.previous.sum() == 2  # 30 January has no place
    assert measure(shop, ["net_sales"], period="2026-02", compare=True).previous.tolist() == [6]
    march = measure(shop, ["net_sales"], by=["day"], compare=True)
    assert march.previous.tolist()[27] == 8 and march.previous[28:].isna().all() and march.previous[:28].notna().all()


def test_what_was_booked_after_the_last_order_is_on_its_day():
    orders = pd.DataFrame({"order_id": ["a", "b"], "ordered_at": pd.to_datetime(["2026-09-01", "2026-10-10"])})
    returns = pd.DataFrame({"return_id": ["r"], "returned_at": pd.to_datetime(["2026-10-20"]), "amount": [30]})
    shop = shop_from(period="2026-10", orders=orders.assign(amount=100), returns=returns)
    daily = measure(shop, ["net_sales"], by=["day"]).set_index("day").value
    assert daily["2026-10-10"] == 100 and daily["2026-10-20"] == -30
    assert daily.sum() == measure(shop, ["net_sales"]).value.iloc[0] == 70


def test_ratios_are_made_from_sums_so_that_parts_recombine_to_the_whole(shop):
    total = measure(shop, ["aov", "repeat_rate", "refund_rate", "items_per_order"]).set_index("metric").value
    for part in ("platform", "day", "hour", "channel", "customer_type"):
        frame = measure(shop, ["aov", "orders_paid"], by=[part])
        parts = pd.DataFrame({m: by(frame, m) for m in ("aov", "orders_paid")}).dropna()
        assert (parts.aov * parts.orders_paid).sum() / parts.orders_paid.sum() == pytest.approx(total.aov)
        assert parts.aov.mean() != pytest.approx(total.aov)  # the mean of averages is another number
    assert total.refund_rate == pytest.approx(75 / 430) and total.items_per_order == 2


def test_a_period_without_orders_is_zero_and_not_defined_but_never_infinite(shop):
    frame = measure(shop, OF_ORDERS, period="2026-08", compare=True).set_index("metric")
    ratios = ["aov", "order_value_median", "items_per_order", "refund_rate", "repeat_rate"]
    assert (frame.value.drop(ratios) == 0).all() and frame.value[ratios].isna().all()
    assert frame[["low", "high"]].isna().all(axis=None)
    assert frame.change.isna().all()
    assert not np.isinf(frame.select_dtypes("number").to_numpy()).any()
    daily = measure(shop, OF_ORDERS, by=["day"], period="2026-08")
    assert len(daily) == 31 * len(OF_ORDERS) and daily[daily.metric == "net_sales"].value.eq(0).all()
    nobody = measure(shop, ["net_sales", "aov"], by=["platform"], period="2026-08")
    assert not isinstance(nobody, Missing) and nobody.attrs["by"] == ["platform"] and len(nobody) == 0


def test_a_period_may_be_given_as_text_or_as_a_period_and_by_as_one_word(shop):
    text = measure(shop, ["net_sales"], period="2026-09")
    pd.testing.assert_frame_equal(text, measure(shop, ["net_sales"], period=parse("2026-09")))
    assert text.value.tolist() == [80] and text.attrs["period"] == "2026-09"
    pd.testing.assert_frame_equal(
        measure(shop, ["net_sales"], by="platform"), measure(shop, ["net_sales"], by=["platform"])
    )


def test_the_same_order_number_on_two_platforms_is_two_orders():
    frames = tables()
    frames["orders"].loc[5, "order_id"] = "4"  # tmall's number 4 beside jd's
    frames["order_items"].loc[4, "order_id"] = "4"
    shop = shop_from(period="2026-10", **frames)
    assert by(measure(shop, ["net_sales"], by=["channel"]), "net_sales") == {"live": 240 - 25 - 50, "search": 190}
    assert by(measure(shop, ["net_sales"], by=["category"]), "net_sales") == {"Home": 190, "Care": 125, "": 40}
    assert by(measure(shop, ["orders_paid"], by=["channel"]), "orders_paid") == {"live": 2, "search": 3}


def test_a_product_that_is_listed_twice_does_not_sell_twice():
    """A list of products often has a line for each category that a product stands in."""
    frames = tables()
    again = pd.DataFrame({"product_id": ["p1"], "name": ["Soap"], "category": ["Gifts"]})
    frames["products"] = pd.concat([frames["products"], again])
    shop = shop_from(period="2026-10", **frames)
    assert measure(shop, ["net_sales", "returns", "gross_sales"]).value.tolist() == [355, 75, 460]
    assert by(measure(shop, ["net_sales"], by=["product_id"]), "net_sales") == {"p2": 190, "p1": 125, "p3": 40}
    assert measure(shop, ["net_sales"], by=["category"]).value.sum() == 355


def test_what_is_tied_to_an_order_number_that_two_platforms_use_counts_once():
    """Where returns or lines do not say their platform, a number that is there twice must not double them."""
    frames = tables(order_items="platform", returns="platform")
    frames["orders"].loc[5, "order_id"] = "4"
    frames["order_items"].loc[4, "order_id"] = "4"
    shop = shop_from(period="2026-10", **frames)
    assert measure(shop, ["net_sales", "returns", "items_per_order"]).value.tolist() == [355, 75, 2]
    by_platform = measure(shop, ["net_sales"], by=["platform"])
    assert isinstance(by_platform, Missing) or by_platform.value.sum() == 355


def test_the_same_customer_number_on_two_platforms_is_two_customers():
    frames = tables()
    frames["orders"]["customer_id"] = frames["orders"].customer_id.replace({"b": "a"})  # jd's a is not tmall's
    found = measure(shop_from(period="2026-10", **frames), ["customers", "new_customers", "repeat_rate"])
    # jd: a (2) and c (4), tmall: a (5, bought before) and c (6)
    assert found.value.tolist() == [4, 3, 0]


def test_a_person_is_one_customer_on_however_many_platforms():
    frames = tables()
    # tmall's a and jd's c are one telephone; tmall's c has none, and is somebody else
    frames["customers"] = pd.DataFrame(
        {"customer_id": ["a", "c", "b"], "platform": ["tmall", "jd", "jd"], "phone_hash": ["f00", "f00", "ba2"]}
    )
    asked = ["customers", "new_customers", "repeat_rate"]
    told = measure(shop_from(period="2026-10", **frames), [*asked, "customer_orders"])
    of_accounts = measure(october(), asked)
    # jd: b (2) and c (4); tmall: a (5, bought before) and c (6). The one who bought 4 also bought 5, and before
    assert of_accounts.value.tolist() == [4, 3, 0]
    assert told.value.tolist() == [3, 2, 1 / 3, 4]
    apart = measure(shop_from(period="2026-10", **frames), ["customers"], by=["platform"])
    assert by(apart, "customers") == {"jd": 2, "tmall": 2}  # she counts on both


# -- what is not there


def test_without_customer_numbers_the_rest_is_measured_and_the_lack_is_said():
    frame = measure(october(orders="customer_id"), OF_ORDERS)
    gone = {"customers", "new_customers", "repeat_rate", "customer_orders", "customer_sales"}
    assert set(frame.metric) == set(OF_ORDERS) - gone and set(frame.attrs["missing"]) == gone
    assert frame.attrs["missing"]["repeat_rate"].what == "orders.customer_id"
    assert "Repeat rate" in frame.attrs["missing"]["repeat_rate"].sentence()
    assert frame.set_index("metric").value["guest_sales"] == 430
    assert "The shop's orders carry no customer numbers." in frame.attrs["notes"]


def test_without_items_a_category_is_missing_and_so_are_items_per_order():
    shop = october(["order_items"])
    frame = measure(shop, ["items_per_order", "aov"])
    assert frame.metric.tolist() == ["aov"] and frame.attrs["missing"]["items_per_order"].what == "order_items"
    gone = measure(shop, ["orders_paid", "customers"], by=["category"])
    assert isinstance(gone, Missing) and gone.what == "order_items"
    assert "Orders paid by category" in gone.sentence()


def test_without_products_a_category_is_missing_and_the_product_number_is_not():
    shop = october(["products"])
    gone = measure(shop, ["orders_paid"], by=["category"])
    assert isinstance(gone, Missing) and gone.what in ("products", "products.category")
    assert by(measure(shop, ["orders_paid"], by=["product_id"]), "orders_paid") == {"p1": 3, "p2": 2, "p3": 1}


def test_without_returns_net_sales_are_partial_and_say_so():
    frame = measure(october(["returns"]), ["net_sales", "gross_sales", "refund_rate", "returns"])
    assert frame.set_index("metric").value.to_dict() == {"net_sales": 430, "gross_sales": 460}
    assert frame.attrs["notes"] == ["The shop's data hold no returns: nothing is taken off for them."]
    assert {name: gone.what for name, gone in frame.attrs["missing"].items()} == {
        "refund_rate": "returns", "returns": "returns",
    }  # fmt: skip


def test_without_discounts_gross_sales_are_partial_and_say_so():
    frame = measure(october(orders="discount", order_items="discount"), ["gross_sales", "discounts"])
    assert frame.value.tolist() == [430] and frame.metric.tolist() == ["gross_sales"]
    assert frame.attrs["notes"] == ["The shop's data hold no discounts: gross sales are the sales at the price agreed."]


def test_returns_that_do_not_say_of_which_product_are_not_passed_over_in_net_sales_by_category():
    shop = october(returns="product_id")
    found = measure(shop, ["net_sales"], by=["category"])
    if not isinstance(found, Missing):
        assert found.value.sum() == 355 or not any("hold no returns" in note for note in found.attrs["notes"])


def test_discounts_that_only_orders_state_are_not_denied_by_category():
    found = measure(october(order_items="discount"), ["gross_sales"], by=["category"])
    if not isinstance(found, Missing):
        assert found.value.sum() == 460 or not any("hold no discounts" in note for note in found.attrs["notes"])


def test_nothing_but_orders_is_a_shop():
    orders = tables()["orders"][["order_id", "ordered_at", "amount"]]
    frame = measure(shop_from(period="2026-10", orders=orders), OF_ORDERS, compare=True).set_index("metric")
    # paid when placed: 4 to 8
    assert frame.value.to_dict() == {
        "orders_placed": 5, "gmv": 830, "orders_paid": 5, "gross_sales": 830, "paid_sales": 830, "net_sales": 830,
        "aov": 166, "order_value_median": 60, "guest_sales": 830,
    }  # fmt: skip
    assert frame.previous["net_sales"] == 180


@pytest.mark.parametrize(
    ("metrics", "parts", "says"),
    [
        (["net_sale"], [], "there is no metric 'net_sale'; there is: orders_placed, gmv"),
        (["net_sales"], ["plattform"], "there is no breakdown 'plattform'; there is: day, week, month"),
        (["net_sales"], "net_sales", "there is no breakdown 'net_sales'"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_those_that_do(shop, metrics, parts, says):
    with pytest.raises(ValueError, match=says):
        measure(shop, metrics, by=parts)


# -- laws, on random shops

PARTS = ["platform", "customer_type", "channel", "category", "day", "week", "month", "weekday", "hour"]


@st.composite
def shops(draw):
    """Up to eight orders of September to November, in lines, some returned in part."""
    times = st.datetimes(pd.Timestamp("2026-09-01"), pd.Timestamp("2026-11-05 23:59"))
    orders, items, returns = [], [], []
    for i in range(draw(st.integers(1, 8))):
        platform, number = draw(st.sampled_from(["jd", "tmall"])), str(i // 2)  # numbers repeat between platforms
        if any((o["platform"], o["order_id"]) == (platform, number) for o in orders):
            number = f"x{i}"
        placed = draw(times)
        lines = draw(st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 9_000)), min_size=1, max_size=2))
        orders.append(
            {
                "order_id": number,
                "platform": platform,
                "customer_id": draw(st.sampled_from(["a", "b", "c", None])),
                "channel": draw(st.sampled_from(["search", "live", None])),
                "ordered_at": placed,
                "paid_at": draw(st.sampled_from([placed, placed + pd.Timedelta(hours=9), pd.NaT])),
                "amount": sum(a for a, _d in lines) / 100,
                "discount": sum(d for _a, d in lines) / 100,
            }
        )
        for n, (amount, discount) in enumerate(lines):
            product = draw(st.sampled_from(["p1", "p2", "p3"]))
            items.append(
                {"order_id": number, "platform": platform, "line": n, "product_id": product, "quantity": n + 1}
                | {"amount": amount / 100, "discount": discount / 100}
            )
            if draw(st.booleans()):
                returns.append(
                    {"return_id": str(len(returns)), "platform": platform, "order_id": number, "product_id": product}
                    | {"returned_at": placed + pd.Timedelta(days=draw(st.integers(0, 30))), "amount": amount / 200}
                )
    columns = ["return_id", "platform", "order_id", "product_id", "returned_at", "amount"]
    made = {"orders": pd.DataFrame(orders), "order_items": pd.DataFrame(items)}
    made["orders"]["paid_at"] = pd.to_datetime(made["orders"].paid_at)
    if returns:
        made["returns"] = pd.DataFrame(returns, columns=columns)
    return made


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink a failure would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(shops(), st.lists(st.sampled_from(PARTS), min_size=1, max_size=2, unique=True))
def test_whatever_the_shop_parts_sum_to_the_whole_and_money_ties(frames, parts):
    products = pd.DataFrame({"product_id": ["p1", "p2"], "category": ["Care", "Home"]})
    shop = shop_from(period="2026-10", products=products, **frames)
    assume(shop.first_day < dt.date(2026, 11, 1))  # before the data begin nothing is known, not even that it is nothing
    asked = ["gross_sales", "discounts", "net_sales", "orders_paid", "repeat_rate", "customers", "new_customers"]
    asked += ["returns"] if "returns" in frames else []
    whole = measure(shop, asked).set_index("metric").value
    returns = whole.get("returns", 0.0)
    assert whole.gross_sales - whole.discounts - returns == pytest.approx(whole.net_sales, abs=1e-9)
    assert math.isnan(whole.repeat_rate) if whole.customers == 0 else 0 <= whole.repeat_rate <= 1
    assert whole.new_customers <= whole.customers <= whole.orders_paid

    cut = measure(shop, asked, by=parts)
    sums = cut.groupby("metric").value.sum() if len(cut) else pd.Series(0.0, index=asked)
    for money in ("gross_sales", "discounts", "net_sales"):
        assert sums[money] == pytest.approx(whole[money], abs=1e-6), money
    if "category" in parts:  # an order of two categories is counted in both
        assert sums.orders_paid >= whole.orders_paid
    else:
        assert sums.orders_paid == whole.orders_paid
    # and so does the independent sum over the frames
    paid = frames["orders"][
        lambda o: (o.paid_at >= "2026-10-01") & (o.paid_at < "2026-11-01") & (o.ordered_at < "2026-11-01")
    ]
    assert whole.orders_paid == len(paid) and whole.gross_sales - whole.discounts == pytest.approx(paid.amount.sum())


# -- against pandas, on the demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A small demo shop and its tables as pandas reads them, by the shop's clock."""
    folder = tmp_path_factory.mktemp("home") / "data" / "demo"
    generate(folder, scale=0.05)
    store = Store(folder, read_settings(folder / "shop.toml"))
    ingest(store)
    raw = {p.stem: pd.read_parquet(p) for p in store.tables.glob("*.parquet")}
    for frame in raw.values():
        for c in frame.columns.intersection(["amount", "discount", "quantity"]):
            frame[c] = frame[c].astype(float).fillna(0)
        for c in frame.columns.intersection(["ordered_at", "paid_at", "returned_at"]):
            frame[c] = frame[c] + pd.Timedelta(hours=8)
    return shop_of(store, "2026-10"), raw


def within(frame, column, start, end):
    return frame[(frame[column] >= start) & (frame[column] < end)]


YEAR = ("2025-11-01", "2026-11-01")


def test_the_demo_measures_what_pandas_adds_up_over_its_raw_files(demo):
    shop, raw = demo
    orders, items, returns = raw["orders"], raw["order_items"], raw["returns"]
    who = shop.persons.to_pandas()[["platform", "customer_id", "person_id"]]
    orders = orders.merge(who, on=["platform", "customer_id"], how="left", validate="many_to_one")
    assert orders.customer_id.notna().equals(orders.person_id.notna())
    assert orders.person_id.nunique() < len(orders[["platform", "customer_id"]].dropna().drop_duplicates())
    for label, start, end in [("2026-10", "2026-10-01", "2026-11-01"), ("2025-11-01/2026-10-31", *YEAR)]:
        paid = within(orders, "paid_at", start, end)
        back = within(returns, "returned_at", start, end)
        per_customer = paid.person_id.value_counts()
        first = orders.dropna(subset="paid_at").groupby("person_id").paid_at.min()
        lines = items.merge(paid[["platform", "order_id"]], on=["platform", "order_id"])
        expected = {
            "orders_placed": len(within(orders, "ordered_at", start, end)),
            "gmv": within(orders, "ordered_at", start, end)[["amount", "discount"]].sum().sum(),
            "orders_paid": len(paid),
            "paid_sales": paid.amount.sum(),
            "order_value_median": paid.amount.median(),
            "gross_sales": (paid.amount + paid.discount).sum(),
            "discounts": paid.discount.sum(),
            "returns": back.amount.sum(),
            "returns_of_orders": within(returns, "returned_at", "2000", "2026-11-01")
            .merge(paid[["platform", "order_id"]], on=["platform", "order_id"]).amount.sum(),
            "net_sales": paid.amount.sum() - back.amount.sum(),
            "aov": paid.amount.mean(),
            "items_per_order": lines.quantity.sum() / len(paid),
            "refund_rate": back.amount.sum() / paid.amount.sum(),
            "customers": paid.person_id.nunique(),
            "new_customers": ((first >= start) & (first < end)).sum(),
            "repeat_rate": (per_customer > 1).mean(),
            "customer_orders": paid.customer_id.notna().sum(),
            "customer_sales": paid[paid.customer_id.notna()].amount.sum(),
            "guest_sales": paid[paid.customer_id.isna()].amount.sum(),
        }  # fmt: skip
        found = measure(shop, OF_ORDERS, period=label).set_index("metric").value
        assert len(paid) > 30
        assert found.to_dict() == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_demos_parts_are_those_of_pandas(demo):
    shop, raw = demo
    paid, back = within(raw["orders"], "paid_at", *YEAR), within(raw["returns"], "returned_at", *YEAR)
    asked = {"metrics": ["net_sales"], "period": "2025-11-01/2026-10-31"}

    def parts(frame, *columns):
        return frame.groupby(list(columns)).amount.sum()

    of_order = back.merge(raw["orders"][["platform", "order_id", "region"]], on=["platform", "order_id"])
    region = parts(paid, "region").sub(parts(of_order, "region"), fill_value=0)
    found = by(measure(shop, by=["region"], **asked), "net_sales")
    nowhere = paid[paid.region.isna()].amount.sum()  # the store abroad names no province
    assert sum(found.values()) == pytest.approx(region.sum() + nowhere) and nowhere > 0
    assert {k: v for k, v in found.items() if k in region} == pytest.approx(region.to_dict())

    category = raw["products"].set_index("product_id").category
    lines = raw["order_items"].merge(paid[["platform", "order_id"]], on=["platform", "order_id"])
    sold = parts(lines.assign(category=lines.product_id.map(category)), "category")
    given = parts(back.assign(category=back.product_id.map(category)), "category")
    assert by(measure(shop, by=["category"], **asked), "net_sales") == pytest.approx((sold - given).to_dict())

    months = [
        f.assign(month=f[c].dt.to_period("M").dt.start_time) for f, c in ((paid, "paid_at"), (back, "returned_at"))
    ]
    by_month = parts(months[0], "month").sub(parts(months[1], "month"), fill_value=0)
    assert by(measure(shop, by=["month"], **asked), "net_sales") == pytest.approx(by_month.to_dict())

    both = parts(months[0], "platform", "month").sub(parts(months[1], "platform", "month"), fill_value=0)
    found = by(measure(shop, by=["platform", "month"], **asked), "net_sales")
    assert {k: v for k, v in found.items() if v} == pytest.approx(both.to_dict())


def test_the_demos_months_stand_beside_the_same_month_a_year_before(demo):
    shop, raw = demo
    frame = measure(shop, ["orders_paid"], by=["month"], period="2026-Q3", compare=True)
    count = raw["orders"].groupby(raw["orders"].paid_at.dt.strftime("%Y-%m")).size()
    assert frame.value.tolist() == count[["2026-07", "2026-08", "2026-09"]].tolist()
    assert frame.previous.tolist() == count[["2026-04", "2026-05", "2026-06"]].tolist()
    assert frame.year_ago.tolist() == count[["2025-07", "2025-08", "2025-09"]].tolist()


def test_before_the_data_begin_nothing_is_known(shop):
    frame = measure(shop, ["net_sales", "orders_paid"], period="2020-01", compare=True)
    assert frame.value.isna().all() and frame.previous.isna().all()
    assert measure(shop, "net_sales").value.tolist() == [355]


def test_one_giant_order_does_not_break_the_interval_of_the_average():
    giant = pd.DataFrame({"order_id": ["a", "b"], "ordered_at": pd.to_datetime(["2026-10-01", "2026-10-02"]),
                          "amount": [168_469.60, 10.0]})  # fmt: skip
    row = measure(shop_from(orders=giant, period="2026-10"), ["aov"]).iloc[0]
    assert row["value"] == pytest.approx(84_239.80) and row["low"] < row["value"] < row["high"]
