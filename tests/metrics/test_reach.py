"""Stories of visits, traffic, advertising and coming back, by hand on a few rows."""

import math

import pandas as pd
import pytest

from playbook.methods import intervals
from playbook.metrics import measure
from playbook.metrics.facts import fact
from playbook.missing import Missing
from playbook.shop import shop_from

# Ann comes by phone and desktop and logs in on both; x and y never do. Visit s4 began in September.
EVENTS = """
e1  s1 v1 ann  2026-10-01T10:00 page_view        phone    search 20
e2  s1 v1 ann  2026-10-01T10:01 view_item        phone    search nan
e3  s1 v1 ann  2026-10-01T10:02 add_to_cart      phone    search nan
e4  s2 v2 ann  2026-10-01T20:00 page_view        desktop  direct 30
e5  s2 v2 None 2026-10-01T20:01 page_view        desktop  direct 10
e6  s2 v2 None 2026-10-01T20:02 purchase         desktop  direct nan
e7  s3 v3 None 2026-10-02T09:00 page_view        phone    search 5
e8  s4 v3 None 2026-09-30T23:59 page_view        phone    search 40
e9  s4 v3 None 2026-10-01T00:01 page_view        phone    search 40
e10 s5 v4 None 2026-10-02T12:00 page_view        phone    direct 15
e11 s5 v4 None 2026-10-02T12:05 sign_up          phone    direct nan
e12 s5 v4 None 2026-10-02T12:06 share            phone    direct nan
"""
TRAFFIC = """
2026-10-01 tmall None   None   100 300 10 4
2026-10-01 tmall None   search  60 200  8 3
2026-10-01 tmall None   live    50 100  2 1
2026-10-01 tmall lamp   None    90 250  9 4
2026-10-02 tmall None   None   140 420 20 8
2026-10-02 tmall None   search 140 400 20 8
2026-10-01 own_site None None  999 999 99 9
"""
ADS = """
2026-10-01 google account  None 120 10000 300
2026-10-01 google campaign c1   100  9000 280
2026-10-02 google campaign c1    60  5000 100
2026-10-02 google keyword  c1    60  5000 100
2026-10-01 weibo  creative c2    20     0   0
"""
ORDERS = """
1 own_site ann  2026-08-20T10:00 50
2 own_site ann  2026-10-01T20:02 200
3 tmall    bob  2026-10-01T11:00 100
4 tmall    cid  2026-09-05T11:00 80
5 tmall    cid  2026-10-04T10:00 120
"""


def rows(text, columns, times=()):
    frame = pd.DataFrame([line.split() for line in text.strip().splitlines()], columns=columns.split())
    frame = frame.replace("None", None)
    for c in times:
        frame[c] = pd.to_datetime(frame[c])
    return frame


def shop(*without, events=""):
    made = {
        "orders": rows(ORDERS, "order_id platform customer_id ordered_at amount", ["ordered_at"]),
        "events": rows(
            EVENTS,
            "event_id session_id visitor_id customer_id event_at event device source dwell_seconds",
            ["event_at"],
        ),
        "traffic": rows(TRAFFIC, "day platform product_id source visitors views carts buyers", ["day"]),
        "ad_spend": rows(ADS, "day platform level campaign_id spend impressions clicks", ["day"]),
    }
    made["orders"]["amount"] = made["orders"].amount.astype(float)
    made["events"]["dwell_seconds"] = made["events"].dwell_seconds.astype(float)
    for table, columns in (("traffic", "visitors views carts buyers"), ("ad_spend", "spend impressions clicks")):
        made[table] = made[table].astype(dict.fromkeys(columns.split(), int))
    made["events"] = made["events"].drop(columns=events.split())
    return shop_from(period="2026-10", **{n: f for n, f in made.items() if n not in without})


def values(of, metrics, **options):
    return measure(of, metrics, **options).set_index("metric").value.to_dict()


def test_visitors_are_people_and_not_the_sum_of_days_nor_of_devices():
    came = ["visitors", "visits", "page_views", "pages_per_visit", "bounce_rate", "dwell_seconds"]
    # s1, s2, s3, s5 began in October: ann on two devices, v3, v4; of one page are s1, s3 and s5
    assert values(shop(), came) == pytest.approx(
        {
            "visitors": 3,
            "visits": 4,
            "page_views": 5,
            "pages_per_visit": 5 / 4,
            "bounce_rate": 3 / 4,
            "dwell_seconds": 20,
        }
    )
    by_day = measure(shop(), ["visitors"], by=["day"])
    assert by_day.value.sum() == 3  # ann, then v3 and v4
    bounced = measure(shop(), ["bounce_rate"]).iloc[0]
    assert [bounced.low, bounced.high] == pytest.approx(list(intervals.wilson(3, 4))) and bounced.n == 4


def test_each_step_counts_those_who_came_so_far_with_interval_and_n():
    frame = measure(
        shop(), ["view_rate", "cart_rate", "checkout_rate", "order_rate", "conversion_rate", "sign_up_rate"]
    ).set_index("metric")
    # s2 ordered what had been put into the cart before: it has reached every step
    assert frame.value.to_dict() == pytest.approx(
        {"view_rate": 2 / 4, "cart_rate": 1, "checkout_rate": 1 / 2, "order_rate": 1, "conversion_rate": 1 / 4,
         "sign_up_rate": 1 / 3}
    )  # fmt: skip
    assert frame.n.tolist() == [4, 2, 2, 1, 4, 3]
    assert frame.loc["checkout_rate", ["low", "high"]].tolist() == pytest.approx(list(intervals.wilson(1, 2)))
    by_device = measure(shop(), ["conversion_rate"], by=["device"]).set_index("device").value
    assert by_device.to_dict() == {"phone": 0, "desktop": 1}


def test_without_sessions_a_visit_ends_after_half_an_hour_and_without_logins_a_device_is_a_person():
    told = values(shop(events="session_id"), ["visits", "visitors"])
    # v3's page of 00:01 goes on with that of 23:59; the next one is nine hours later
    assert told == {"visits": 4, "visitors": 3}
    assert values(shop(events="customer_id"), ["visits", "visitors"]) == {"visits": 4, "visitors": 4}


def test_days_of_platforms_take_the_shops_totals_and_the_own_site_its_events():
    frame = measure(shop(), ["daily_visitors", "daily_cart_rate", "daily_buyer_rate"], by=["platform"])
    told = frame.set_index(["platform", "metric"]).value
    assert told["tmall", "daily_visitors"] == 120  # not of products, not of sources; 100 and 140
    assert told["tmall", "daily_buyer_rate"] == 12 / 240 and told["tmall", "daily_cart_rate"] == 30 / 240
    assert told["own_site", "daily_visitors"] == 3 / 2  # ann on the 1st, v3 and v4 on the 2nd; not the 999
    assert told["own_site", "daily_cart_rate"] == 1 / 3
    assert measure(shop(), ["daily_buyer_rate"], by=["platform"]).set_index("platform").n["tmall"] == 240
    # the mean over all days, also those on which nobody came from a source
    sources = measure(shop(), ["daily_visitors"], by=["platform", "source"]).set_index(["platform", "source"]).value
    assert sources.to_dict() == {
        ("tmall", "search"): 100, ("tmall", "live"): 25, ("own_site", "search"): 1, ("own_site", "direct"): 1,
    }  # fmt: skip


def test_platforms_that_tell_only_days_have_no_visitors_of_a_period_but_views_and_mean_days():
    frame = measure(shop("events"), ["visitors", "page_views", "daily_visitors", "bounce_rate"])
    assert frame.set_index("metric").value.to_dict() == {"page_views": 300 + 420 + 999, "daily_visitors": 1239 / 2}
    assert set(frame.attrs["missing"]) == {"visitors", "bounce_rate"}
    assert frame.attrs["missing"]["visitors"].what == "events"


def test_a_level_of_advertising_repeats_the_other_so_one_counts_each_day():
    cost = ["ad_spend", "impressions", "clicks", "ctr", "cpc", "cpm", "cac", "ad_cost_share"]
    told = values(shop(), cost)
    # 120 of the account on the 1st, 60 of the campaign on the 2nd, 20 of the creative; one new customer, bob
    assert told == pytest.approx(
        {"ad_spend": 200, "impressions": 15_000, "clicks": 400, "ctr": 400 / 15_000, "cpc": 0.5, "cpm": 200 / 15,
         "cac": 200, "ad_cost_share": 200 / 420}
    )  # fmt: skip
    frame = measure(shop(), ["ad_spend", "ctr", "cpc", "cpm"], by=["ad_platform"]).set_index(["ad_platform", "metric"])
    assert frame.value["weibo", "ad_spend"] == 20
    assert all(math.isnan(frame.value["weibo", m]) for m in ("ctr", "cpc", "cpm"))  # nothing to divide by
    assert isinstance(measure(shop(), ["ad_spend"], by=["platform"]), Missing)  # whose advertising is not where it sold
    ahead = measure(shop(), ["cac"], period="2026-08").value
    assert math.isnan(ahead.iloc[0]) or ahead.iloc[0] == 0


def test_coming_back_is_asked_of_those_whose_first_order_is_so_old():
    told = measure(shop(), ["repeat_rate_30d", "repeat_rate_90d", "repeat_rate_180d"]).set_index("metric")
    # cid's first order became 30 days old on 5 October and he was back a day before; bob's on the 31st; ann's before
    assert told.value["repeat_rate_30d"] == 1 / 2 and told.n["repeat_rate_30d"] == 2
    assert math.isnan(told.value["repeat_rate_90d"]) and told.n["repeat_rate_90d"] == 0
    september = measure(shop(), ["repeat_rate_30d"], period="2026-09").iloc[0]
    assert september.value == 0 and september.n == 1  # ann came back after 42 days


def test_what_a_shop_does_not_have_is_said_of_the_right_table():
    assert measure(shop("events", "traffic"), ["daily_visitors"]).what == "traffic"
    assert measure(shop(events="device"), ["visits"], by=["device"]).what == "events.device"
    assert measure(shop("ad_spend"), ["cpc"]).what == "ad_spend"
    products = rows(TRAFFIC, "day platform product_id source visitors views carts buyers", ["day"])
    products = products[products.product_id.notna()].astype({"visitors": int})
    only = shop_from(
        period="2026-10", orders=rows(ORDERS, "order_id platform customer_id ordered_at amount", ["ordered_at"]),
        traffic=products[["day", "platform", "product_id", "visitors"]],
    )  # fmt: skip
    assert measure(only, ["daily_visitors"]).value.isna().all()  # visitors of products are not added up


def test_every_visit_is_one_row_and_is_counted_where_it_began():
    visits = fact(shop(), "sessions").to_pandas().set_index("session_id")
    assert sorted(visits.index) == ["s1", "s2", "s3", "s4", "s5"]
    assert visits.loc["s4", "at"] == pd.Timestamp("2026-09-30 23:59") and visits.loc["s4", "pages"] == 2
    assert visits.person.to_dict() == {"s1": "ann", "s2": "ann", "s3": "v3", "s4": "v3", "s5": "v4"}
    assert (visits.viewed >= visits.carted).all() and (visits.carted >= visits.checked_out).all()
