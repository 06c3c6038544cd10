"""Monitoring: planted days are flagged with their owner, ordinary and festive ones are not, gaps are said."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook import shop_from
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.period import Period, parse
from playbook.tracking import monitoring

DAYS = pd.date_range("2025-01-06", "2025-10-12")
WEEK = np.array([1, 1, 0.9, 1, 1.2, 1.5, 1.4])[DAYS.day_of_week]


def days(kpi, value, exposure=np.nan, part=""):
    return pd.DataFrame({"kpi": kpi, "part": part, "day": DAYS, "value": np.asarray(value, float),
                         "exposure": exposure})  # fmt: skip


def judged(*frames, since="2025-08-01", **more):
    return monitoring.judged(monitoring.together(*frames), since=since, **more)


def test_a_day_on_which_nobody_comes_is_one_alert_with_an_owner():
    visits = np.random.default_rng(1).poisson(300 * WEEK)
    visits[DAYS == "2025-08-20"] = 20
    found = monitoring.episodes(judged(days("visits", visits)))
    (alert,) = found.to_dict("records")
    assert (alert["flagged_on"], alert["days"], alert["direction"]) == (pd.Timestamp("2025-08-20"), 1, "down")
    assert (alert["level"], alert["hours"], alert["owner"]) == ("red", 1, "Traffic manager")
    assert alert["value"] == 20 and 230 < alert["expected"] < 320
    assert not alert["open"]


def test_the_tested_day_is_not_in_its_own_baseline():
    visits = np.round(300 * WEEK)
    odd = visits.copy()
    odd[-1] = 5_000
    usual, spiked = (judged(days("visits", v)).set_index("day")["expected"].iloc[-1] for v in (visits, odd))
    assert spiked == pytest.approx(usual)


def test_a_new_shop_has_not_enough_history_and_says_so():
    few = days("visits", np.full(len(DAYS), 50)).tail(20)
    found = judged(few, since=few.day.min())
    assert set(found["state"]) == {"no_history"}
    row = monitoring.states(found).iloc[0]
    assert (row.figure, row.judged, row.no_history) == ("Visits to the own site", 0, 20)


def test_a_festival_that_was_there_twice_is_expected_and_one_that_was_there_once_is_not_judged():
    span = pd.date_range("2022-05-01", "2025-12-31")
    peak = pd.DatetimeIndex([d for d in span if (d.month, d.day) == (11, 11)])
    values = pd.Series(np.random.default_rng(2).poisson(500, len(span)).astype(float), span)
    values[peak] *= 6
    special = monitoring.special_days(span)
    told = monitoring.rush(values, special)
    assert told.loc["2025-11-11", "factor"] == pytest.approx(6, rel=0.15)
    assert told.loc["2024-11-11", "factor"] == pytest.approx(6, rel=0.15)
    assert np.isnan(told.loc["2023-11-11", "factor"])  # one edition does not tell how years differ
    assert told.loc["2025-08-20", "factor"] == 1
    daily = pd.DataFrame({"kpi": "visits", "part": "", "day": span, "value": values.to_numpy(), "exposure": np.nan})
    found = monitoring.judged(daily, since="2025-11-01").set_index("day")["state"]
    assert found["2025-11-11"] == "usual"
    flat = daily.assign(value=daily.value.where(daily.day != "2025-11-11", 500.0))  # the peak stays away
    found = monitoring.judged(flat, since="2025-11-01").set_index("day")["state"]
    assert found["2025-11-11"] in ("yellow", "orange", "red")


def test_the_shops_own_sale_of_everything_is_a_special_day_and_that_of_a_category_is_not():
    sales = pd.DataFrame(
        {
            "promotion_id": ["a", "b", "c"], "name": ["Birthday 2025", "Masks", "Points"],
            "starts_at": pd.to_datetime(["2025-08-12", "2025-08-12", "2025-01-01"]),
            "ends_at": pd.to_datetime(["2025-08-13", "2025-08-14", "2025-12-31"]),
            "kind": ["discount", "discount", "points"], "category": [None, "mask", None],
        }
    )  # fmt: skip
    special = monitoring.special_days(pd.DatetimeIndex(DAYS), sales)
    mine = special[special["name"] == "Birthday"]
    assert mine["day"].dt.strftime("%m-%d").tolist() == ["08-12", "08-13"]
    assert not (special["day"] == "2025-08-14").any()


def test_a_rule_is_held_against_its_limit_and_pauses_do_not_cut_its_story():
    late = np.where((DAYS >= "2025-08-10") & (DAYS != "2025-08-15"), 9.0, 2.0)
    found = monitoring.episodes(judged(days("late_supplies", late, part="S1")))
    (alert,) = found.to_dict("records")
    assert (alert["begins"], alert["level"], alert["open"]) == (pd.Timestamp("2025-08-10"), "orange", True)
    assert (alert["value"], alert["expected"]) == (9, 7)
    assert monitoring.in_words(found)["what_happened"].tolist() == ["9 days, where the limit is 7 days."]


def test_a_rule_may_ask_for_a_fall_too_so_that_what_was_always_so_is_no_news():
    cheap = days("rival_price", np.full(len(DAYS), 0.8), part="always cheap")
    cut = days("rival_price", np.where(DAYS >= "2025-09-01", 0.8, 0.95), part="cuts its prices")
    (alert,) = monitoring.episodes(judged(cheap, cut)).to_dict("records")
    assert (alert["part"], alert["begins"]) == ("cuts its prices", pd.Timestamp("2025-09-01"))
    assert judged(cheap).iloc[10]["state"] == "no_history"


def test_all_figures_share_the_false_alarms_that_are_allowed():
    rng, found = np.random.default_rng(8), {}
    tried = np.full(len(DAYS), 60)
    figures = [days(k, rng.binomial(tried, 0.7), tried) for k in ("begin_checkout", "purchase", "add_payment_info")]
    for allowed in (0.5, 60.0):
        out = judged(*figures, false_alarms=allowed)
        found[allowed] = int(out["state"].isin(["yellow", "orange", "red"]).sum())
    assert found[0.5] == 0 < found[60.0]


def test_the_shops_own_limits_and_owners_count():
    own = pd.DataFrame({"kpi": ["visits"], "part": [pd.NA], "low": [200.0], "high": [pd.NA], "owner": ["Mei"]})
    visits = np.full(len(DAYS), 300.0)
    visits[DAYS == "2025-09-02"] = 190  # a third less is no alert of the list's own
    assert monitoring.episodes(judged(days("visits", visits))).empty
    (alert,) = monitoring.episodes(judged(days("visits", visits), own=own), own).to_dict("records")
    assert (alert["flagged_on"], alert["level"], alert["owner"]) == (pd.Timestamp("2025-09-02"), "orange", "Mei")


def test_a_rate_is_told_per_thing_and_its_parts_share_the_false_alarms():
    rng, tried = np.random.default_rng(3), np.full(len(DAYS), 40)
    paid = rng.binomial(tried, np.where(DAYS >= "2025-08-20", 0.35, 0.75))
    calm = rng.binomial(tried, 0.75)
    found = monitoring.episodes(
        judged(days("add_payment_info", paid, tried, "phone"), days("add_payment_info", calm, tried, "desktop"))
    )
    alert = found.iloc[0]
    assert set(found["part"]) == {"phone"} and (alert["flagged_on"] - pd.Timestamp("2025-08-20")).days <= 3
    assert 0.25 < alert["value"] < 0.6 and alert["expected"] == pytest.approx(0.75, abs=0.05)


def test_findings_say_what_is_on_and_what_is_over():
    visits = np.random.default_rng(1).poisson(300 * WEEK)
    visits[DAYS == "2025-09-20"] = 20
    visits[-1] = 20
    period = parse("2025-09-13/2025-10-12")
    found = monitoring.news(monitoring.episodes(judged(days("visits", visits))), period)
    said = monitoring.findings(found, period)
    assert [f.verdict for f in said] == ["act", "watch"]
    assert "still on; Traffic manager answers within 1 hours" in said[0].text and "it is over" in said[1].text
    calm = monitoring.findings(found.iloc[:0], period)
    assert [f.verdict for f in calm] == ["hold"]


def test_lost_sales_that_are_still_on_are_to_be_mended_by_what_they_lack():
    sales = np.full(len(DAYS), 1_000.0) * (1 + 0.02 * np.sin(np.arange(len(DAYS))))
    sales[-3:] = 200
    period = Period(dt.date(2025, 10, 6), dt.date(2025, 10, 13), "week")
    found_days = judged(days("paid_sales", sales))
    found_days.loc[found_days.state == "no_history", "state"] = "usual"
    found = monitoring.news(monitoring.episodes(found_days), period)
    (task,) = monitoring.decisions(found, found_days, period)
    assert (task.metric, task.period) == ("paid_sales", "2025-W42")
    assert task.effect == pytest.approx(800 * 7, rel=0.05) and task.low < task.effect < task.high


def test_what_was_measured_becomes_days_that_add_up():
    orders = pd.DataFrame(
        {"order_id": list("abc"), "ordered_at": pd.to_datetime(["2026-03-01 01:00", "2026-03-01 10:00", "2026-03-02 12:00"]),
         "amount": [10.0, 20.0, 60.0]}
    )  # fmt: skip
    shop = shop_from(orders=orders, period="2026-03-01/2026-03-02")
    frame = measure(shop, ["aov", "paid_sales"], by=["day"])
    daily = monitoring.measured([frame, Missing("events")]).set_index(["kpi", "day"])
    first = daily.loc[("aov", pd.Timestamp("2026-03-01"))]
    assert (first.value, first.exposure) == (30, 2)
    assert daily.loc[("paid_sales", pd.Timestamp("2026-03-02")), "value"] == 60
    told = monitoring.told(until=dt.date(2026, 3, 3), orders=shop.orders).set_index(["kpi", "day"])
    assert told.loc[("night_orders", pd.Timestamp("2026-03-01")), ["value", "exposure"]].tolist() == [1, 2]
    assert isinstance(monitoring.measured([Missing("events")]), Missing)


def test_tables_tell_stock_suppliers_parcels_and_prices():
    span = pd.date_range("2026-01-01", "2026-03-31")
    lines = pd.DataFrame({"order_id": [str(i) for i in range(len(span))], "product_id": "p", "quantity": 4,
                          "ordered_at": span})  # fmt: skip
    stock = pd.DataFrame(
        {"day": span, "product_id": "p", "on_hand": np.where(span >= "2026-03-20", 1, 40), "reserved": 1}
    )
    bought = pd.DataFrame({"purchase_order_id": list("abc"), "supplier_id": "S", "product_id": "p",
                           "due_on": pd.to_datetime(["2026-01-10", "2026-02-01", "2026-03-01"]),
                           "received_on": pd.to_datetime(["2026-01-10", "2026-02-09", "2026-03-11"])})  # fmt: skip
    rivals = pd.DataFrame({"day": span, "competitor": "R", "price": 80.0, "product_id": "p"})
    parcels = pd.DataFrame({"promised_at": span, "delivered_at": span + pd.Timedelta(days=1), "region": "x"})
    products = pd.DataFrame({"product_id": ["p"], "list_price": [100.0]})
    told = monitoring.told(
        until=dt.date(2026, 4, 1), order_items=lines, inventory=stock, purchase_orders=bought, competitors=rivals,
        products=products, shipments=parcels,
    ).set_index(["kpi", "part", "day"])["value"]  # fmt: skip
    assert told["stock_days", "p", pd.Timestamp("2026-03-10")] == pytest.approx(39 / 4)
    assert told["stock_days", "p", pd.Timestamp("2026-03-21")] == 0  # the one piece is reserved
    assert told["late_supplies", "S", pd.Timestamp("2026-03-20")] == 9  # mean of 8 and 10 days
    assert told["rival_price", "R", pd.Timestamp("2026-03-20")] == pytest.approx(0.8)
    assert told["late_parcels", "x", pd.Timestamp("2026-03-20")] == 1


def test_the_dashboard_counts_interaction_and_stock_beside_the_period_before():
    reviews = pd.DataFrame({"reviewed_at": pd.to_datetime(["2026-01-02", "2026-02-03", "2026-02-04", "2026-02-05"]),
                            "rating": [5, 1, 5, 4]})  # fmt: skip
    board = monitoring.interaction(parse("2026-02"), reviews=reviews).set_index("metric")
    assert (board.value["reviews"], board.previous["reviews"], board.change["reviews"]) == (3, 1, 2)
    assert board.value["low_ratings"] == pytest.approx(1 / 3) and board.n["low_ratings"] == 3
    stock = pd.DataFrame({"day": pd.to_datetime(["2026-02-28"] * 2), "product_id": ["a", "b"], "on_hand": [0, 7]})
    shelf = monitoring.stock(stock, parse("2026-02")).set_index("metric")["value"]
    assert shelf.to_dict() == {"products_listed": 2, "products_out": 1, "on_hand": 7}
    assert isinstance(monitoring.interaction(parse("2026-02")), Missing)
    assert isinstance(monitoring.stock(Missing("inventory"), parse("2026-02")), Missing)


def test_the_calendar_and_the_curve_draw_what_was_found():
    visits = np.random.default_rng(1).poisson(300 * WEEK)
    visits[DAYS == "2025-09-20"] = 20
    found_days = judged(days("visits", visits))
    cells = monitoring.plot_calendar(found_days).collections[0].get_array()
    assert cells.max() == 5 and (cells == 5).sum() == 1  # one red day
    axes = monitoring.plot_alerts(monitoring.episodes(found_days), found_days)
    lines = [line for line in axes[0].lines if len(line.get_ydata()) == 1]
    assert [float(line.get_ydata()[0]) for line in lines] == [20.0]


def test_a_dashboard_can_be_of_one_platform():
    orders = pd.DataFrame(
        {"order_id": list("abc"), "ordered_at": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-02"]),
         "amount": [10.0, 20.0, 60.0], "platform": ["tmall", "jd", "tmall"]}
    )  # fmt: skip
    shop, view = shop_from(orders=orders, period="2026-03-01/2026-03-02"), monitoring.narrowed("tmall")
    assert view == ["platform"] and monitoring.narrowed() == []
    whole = monitoring.only(measure(shop, ["paid_sales"], by=[]))
    mine = monitoring.only(measure(shop, ["paid_sales"], by=view), platform="tmall")
    assert (whole["value"].iloc[0], mine["value"].iloc[0]) == (90, 70)
    assert mine.attrs["by"] == [] and list(mine.columns) == list(whole.columns)
    by_day = monitoring.only(measure(shop, ["paid_sales"], by=["day", *view]), platform="tmall")
    assert by_day["value"].tolist() == [10, 60] and by_day.attrs["by"] == ["day"]
    with pytest.raises(ValueError, match="no platform 'temu' in this period; there are: jd, tmall"):
        monitoring.only(measure(shop, ["paid_sales"], by=view), platform="temu")
    spent = pd.DataFrame({"day": pd.to_datetime(["2026-03-01"] * 2), "spend": [10.0, 30.0], "channel": ["a", "b"],
                          "conversion_value": [40.0, 30.0]})  # fmt: skip
    assert monitoring.returns(spent, shop.period, channel="a")["value"].tolist() == [4]


def test_visitors_of_the_own_site_are_told_of_once():
    both = monitoring.together(days("visits", 10), days("daily_visitors", 9, part="own_site"),
                               days("daily_visitors", 5, part="tmall"))  # fmt: skip
    assert set(zip(both["kpi"], both["part"], strict=True)) == {("visits", ""), ("daily_visitors", "tmall")}
    alone = monitoring.together(days("daily_visitors", 9, part="own_site"))
    assert set(alone["part"]) == {"own_site"}
