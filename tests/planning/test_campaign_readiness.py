"""Go or no go: each check by hand, the word of a person, and the verdict that names what blocks."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.planning.campaign import Campaign, coming, past, pictures, readiness, signs

TODAY = dt.date(2026, 11, 1)


def day(text):
    return pd.Timestamp(f"2026-{text}")


SALE = Campaign("fest", "双11", "festival", day("10-20"), day("11-11"), day("11-05"), ("fest",), ("1111-2026",))


def task(title, state="done", **more):
    row = {
        "task_id": title, "title": title, "owner": "Ann", "starts_on": day("10-25"), "due_on": day("10-30"), "state": state,
        "status": "done" if state == "done" else "doing", "slack_days": 3.0, "critical": False, "lacks": "", "wrong": "",
        "campaign_id": "fest", "ends_on": day("11-01"), "slips_days": 0.0,
    }  # fmt: skip
    return row | more


STOCK = pd.DataFrame(
    {
        "product_id": ["a", "b"],
        "verdict": ["PASS", "PASS"],
        "runs_out_on": pd.to_datetime([None, None]),
        "short": [0.0, 0.0],
    }
)
CLASHES = pd.DataFrame({"kind": ["price"], "about": ["x"], "begins": [day("11-15")], "ends": [day("11-18")]})
PIECES = pd.DataFrame(
    {
        "content_id": ["c1", "c2"],
        "publish_at": [day("11-20"), day("10-02")],
        "verdict": ["change", "change"],
        "stage": ["planned", "published"],
    }
)
FINE = {
    "tasks": pd.DataFrame([task("page visual"), task("order stock")]),
    "stock": STOCK,
    "clashes": CLASHES,
    "page": pd.DataFrame([{"before": 0.2, "last": 0.21, "n": 900.0, "change": 0.01, "change_low": -0.01, "change_high": 0.03}]),
    "tracked": pd.DataFrame([{"platform": "own_site", "orders": 200, "seen": 199, "share": 0.995, "share_low": 0.97, "share_high": 1.0}]),
    "service": pd.DataFrame([{"usual_a_day": 20.0, "expected": 60.0, "capacity": 80.0, "load": 0.75, "n": 2.0}]),
    "ties": pd.DataFrame([{"month": "2026-11", "channel": "sem", "budget": 100.0, "campaigns": 60.0, "left": 40.0, "used": 0.6}]),
    "flagged": PIECES,
}  # fmt: skip


def states(**more):
    return readiness.checks(SALE, **(FINE | more)).set_index("check")["state"]


def test_when_all_is_in_order_it_goes():
    checked = readiness.checks(SALE, **FINE)
    assert checked["state"].tolist() == ["PASS"] * 8
    assert readiness.verdict(checked, SALE)["verdict"].iloc[0] == "go"
    (said,) = readiness.findings(checked, SALE)
    assert said.verdict == "hold" and "all checks pass" in said.text


BROKEN = {
    "stock": {"stock": STOCK.assign(verdict=["FAIL", "REVIEW"], runs_out_on=[day("11-06"), pd.NaT], short=[40.4, 0.0])},
    "price": {"clashes": CLASHES.assign(begins=day("11-10"))},
    "page": {"tasks": pd.DataFrame([task("page visual", "overdue", slack_days=0.0, critical=True)])},
    "tracking": {"tracked": FINE["tracked"].assign(seen=100, share=0.5, share_low=0.4, share_high=0.6)},
    "service": {"service": FINE["service"].assign(load=1.5, expected=120.0)},
    "budget": {"ties": FINE["ties"].assign(campaigns=130.0, left=-30.0, used=1.3)},
    "compliance": {"flagged": PIECES.assign(publish_at=day("11-08"))},
    "plan": {"tasks": pd.DataFrame([task("samba", "overdue", slack_days=0.0, critical=True, slips_days=2.0)])},
}


@pytest.mark.parametrize("check", readiness.CHECKS)
def test_one_thing_broken_is_the_one_that_blocks_and_the_verdict_names_it(check):
    checked = readiness.checks(SALE, **(FINE | BROKEN[check]))
    assert checked.attrs["blocking"] == [check] and checked.attrs["verdict"] == "FAIL"
    row = readiness.verdict(checked, SALE).iloc[0]
    assert (row["verdict"], row["blocking"]) == ("no go", check)
    first, *rest = readiness.findings(checked, SALE)
    assert first.verdict == "act" and first.text.endswith(f"What blocks it: {check}.") and len(rest) == 1
    evidence = checked.set_index("check")["evidence"][check]
    assert evidence in rest[0].text


def test_the_evidence_says_what_was_seen():
    told = readiness.checks(SALE, **(FINE | BROKEN["stock"])).set_index("check")["evidence"]
    assert told["stock"] == "One of 2 products runs out before the end: a, on 6 Nov 2026, 40 short."
    told = readiness.checks(SALE, **(FINE | BROKEN["compliance"])).set_index("check")["evidence"]
    assert told["compliance"] == "1 pieces that go out before its end must be changed: c1."


def test_an_overdue_task_that_may_slip_is_to_be_looked_at():
    late = pd.DataFrame([task("tracking", "overdue", slack_days=4.0)])
    assert states(tasks=late)["tracking"] == "REVIEW"
    held = pd.DataFrame([task("tracking", "held up", slips_days=2.0, ends_on=day("11-12"))])
    assert states(tasks=held)["tracking"] == "REVIEW"


def test_what_nobody_measured_waits_for_somebodys_word_and_no_word_passes_what_the_data_fail():
    nothing = readiness.checks(SALE)
    assert nothing["state"].tolist() == ["REVIEW"] * 8 and nothing.attrs["open"] == list(readiness.CHECKS)
    words = pd.DataFrame(
        [
            {"check": c, "state": s, "evidence": "seen.", "campaign_id": i, "by": "Ann", "on": day("11-01")}
            for c, s, i in (("page", "PASS", pd.NA), ("stock", "PASS", "fest"), ("service", "PASS", "other"), ("budget", "FAIL", "fest"))
        ]
    )  # fmt: skip
    got = readiness.checks(SALE, said=words).set_index("check")
    assert got["state"][["page", "stock", "service", "budget"]].tolist() == ["PASS", "PASS", "REVIEW", "FAIL"]
    assert got["evidence"]["page"] == "Ann on 1 Nov 2026: seen."
    assert (
        readiness.checks(SALE, said=words, stock=BROKEN["stock"]["stock"]).set_index("check")["state"]["stock"]
        == "FAIL"
    )
    assert states(said=words)["budget"] == "FAIL"


def test_a_missing_counts_as_not_measured():
    gone = Missing("inventory")
    checked = readiness.checks(SALE, stock=gone, tracked=gone, said=gone)
    assert checked.set_index("check")["state"][["stock", "tracking"]].tolist() == ["REVIEW", "REVIEW"]


@pytest.mark.parametrize(
    ("title", "area"),
    [("2026双11·主图、详情页与会场页定稿", "page"), ("价格设置与最低价校验", "price"), ("下单链路与埋点测试", "tracking"),
     ("客服排班与话术更新", "service"), ("到仓与质检", "stock"), ("文案合规审核", "compliance"), ("目标与预算拆解", "budget"),
     ("达人签约与寄样", ""), ("618: Prices set and checked", "price"), ("618: On duty all day", "")],
)  # fmt: skip
def test_a_task_belongs_to_a_check_by_its_title(title, area):
    assert readiness.area(title) == area


def test_the_lights_say_what_the_table_says():
    checked = readiness.checks(SALE, **(FINE | BROKEN["page"]))
    ax = pictures.plot_checks(checked, SALE)
    texts = [t.get_text() for t in ax.texts]
    assert texts.count("✓") == 7 and texts.count("✗") == 1 and texts[texts.index("✗") + 1] == "page"
    assert any(ax.get_title(loc=place).endswith("no go") for place in ("left", "center"))


# -- what the data say


def test_tracking_is_the_share_of_paid_orders_with_a_purchase_event():
    days = pd.date_range("2026-10-01", "2026-10-31", freq="D") + pd.Timedelta(hours=9)
    orders = pd.DataFrame({"order_id": [f"s{i}" for i in range(31)], "paid_at": days, "platform": "own_site"})
    elsewhere = orders.assign(order_id=[f"t{i}" for i in range(31)], platform="tmall")
    events = pd.DataFrame({"event": "purchase", "event_at": days, "order_id": orders["order_id"]})
    got = signs.tracked(events, pd.concat([orders, elsewhere]), today=TODAY)
    assert got[["platform", "orders", "seen", "share"]].values.tolist() == [["own_site", 7, 7, 1.0]]
    got = signs.tracked(events.drop(index=[28, 29]), orders, today=TODAY)
    assert got["share"].iloc[0] == pytest.approx(5 / 7)
    assert isinstance(signs.tracked(events.head(0), orders, today=TODAY), Missing)


def test_a_price_that_was_raised_to_be_lowered_is_found_and_one_that_came_back_is_not():
    prices = pd.DataFrame(
        {"product_id": ["up", "up", "back", "back", "back", "new"], "platform": "tmall",
         "changed_at": pd.to_datetime(["2026-01-01", "2026-10-15", "2026-01-01", "2026-09-20", "2026-10-10", "2026-10-20"]),
         "price": [100.0, 110.0, 50.0, 45.0, 50.0, 9.0]}
    )  # fmt: skip
    got = signs.raised(prices, SALE, today=TODAY)
    assert got["product_id"].tolist() == ["up"] and got["change"].iloc[0] == pytest.approx(0.10)


def daily_orders(years=(2024, 2025), times=3.0):
    days = pd.date_range("2024-01-01", "2026-10-31", freq="D")
    n = np.full(len(days), 10.0)
    for y in years:
        n[(days >= f"{y}-11-01") & (days <= f"{y}-11-11")] = 10 * times
    long = pd.DataFrame({"day": days, "metric": "orders_paid", "value": n})
    return pd.concat([long, long.assign(metric="net_sales", value=n * 50)])


PROMOTIONS = pd.DataFrame(
    {"promotion_id": ["1111-2024", "1111-2025", "other-2025", "1111-2026"], "name": ["2024双11", "2025双11", "x", "2026双11"],
     "starts_at": pd.to_datetime(["2024-11-01", "2025-11-01", "2025-06-01", "2026-11-05"]),
     "ends_at": pd.to_datetime(["2024-11-11 23:59", "2025-11-11 23:59", "2025-06-03 23:59", "2026-11-11 23:59"]), "rule": "discount 0.9"}
)  # fmt: skip


def test_earlier_campaigns_are_those_of_the_name_but_for_the_year():
    got = past.earlier(daily_orders(), SALE, PROMOTIONS)
    assert got["name"].tolist() == ["2025双11", "2024双11"] and got["uplift"].tolist() == [2.0, 2.0]
    assert got["net_sales"].tolist() == [11 * 30 * 50.0] * 2
    expected = past.ahead(got, daily_orders(), SALE, today=TODAY)
    row = expected.iloc[0]
    assert row[["before_a_day", "orders_a_day", "days", "orders"]].tolist() == pytest.approx([10, 30, 7, 210])
    assert row["net_sales"] == pytest.approx(210 * 50)
    (told,) = past.forecast(expected, SALE, today=TODAY)
    assert (told.metric, told.period, round(told.value)) == ("orders_paid", "2026-11-05/2026-11-11", 210)


def test_without_promotions_the_festival_of_earlier_years_stands_in():
    bare = Campaign("", "Double 11", "festival", day("11-01"), day("11-11"), day("11-01"))
    got = past.earlier(daily_orders(), bare)
    assert len(got) == 2 and (got["uplift"] > 1.5).all()
    one = past.earlier(daily_orders(years=(2025,)), SALE, PROMOTIONS.tail(2))
    assert one.empty and isinstance(past.ahead(one, daily_orders(), SALE, today=TODAY), Missing)
    assert past.forecast(Missing("x"), SALE, today=TODAY) == []


def test_service_is_held_against_the_busiest_day_that_it_coped_with():
    rows = []
    for d in pd.date_range("2024-10-01", "2026-10-31", freq="D"):
        peak = d.month == 11 and d.day <= 11
        n, quick = (40, 10) if peak else (20, 20) if d.day == 15 else (10, 10)
        rows += [
            (d + pd.Timedelta(hours=9), d + pd.Timedelta(hours=9, minutes=2 if i < quick else 90)) for i in range(n)
        ]
    tickets = pd.DataFrame(rows, columns=["opened_at", "first_reply_at"])
    earlier = past.earlier(daily_orders(), SALE, PROMOTIONS)
    got = signs.service(tickets, earlier, today=TODAY).iloc[0]
    usual = (27 * 10 + 20) / 28
    assert got["capacity"] == 20 and got["usual_a_day"] == pytest.approx(usual)
    assert got["expected"] == pytest.approx(40) and got["load"] == pytest.approx(2.0)
    assert signs.service(tickets, earlier, today=TODAY, capacity=80).iloc[0]["load"] == pytest.approx(0.5)
    assert isinstance(signs.service(tickets, earlier.head(0), today=TODAY), Missing)


def test_a_page_that_sells_less_is_seen():
    days = pd.date_range("2026-09-27", periods=35, freq="D")
    rate = np.where(days >= "2026-10-25", 0.10, 0.20)
    daily = pd.DataFrame({"day": days, "metric": "cart_rate", "value": rate, "n": 300.0})
    got = signs.page(daily, today=TODAY)
    assert got["change"].iloc[0] == pytest.approx(-0.10) and got["change_high"].iloc[0] < -0.04
    assert states(page=got)["page"] == "FAIL"
    assert isinstance(signs.page(daily.head(0), today=TODAY), Missing)


def test_the_library_speaks_where_a_tag_stands_in_the_campaigns_name():
    library = pd.DataFrame(
        {
            "kind": ["lesson"] * 3,
            "name": ["a", "b", "c"],
            "tags": ["双11, 面膜", "618", ""],
            "result": "",
            "lesson": ["x", "y", "for a festival"],
        }
    )
    assert past.taught(library, campaign=SALE)["name"].tolist() == ["a", "c"]
    assert "nothing" in past.taught(library.head(0), campaign=SALE).attrs["notes"][0]


# -- which campaign it is


def test_the_next_campaign_is_the_one_that_is_named_else_with_tasks_else_the_next_sale():
    flights = pd.DataFrame(
        {"flight_id": ["always", "launch", "fest", "fest-crm", "1111-2026"], "name": ["a", "l", "双11", "c", "双11"],
         "kind": ["brand", "launch", "festival", "festival", "full_reduction"], "rule": ["", "", "", "", "full_reduction 300-30"],
         "category": "", "begins": [day("01-01"), day("11-02"), day("10-20"), day("10-10"), day("11-05")],
         "ends": [day("12-31"), day("11-08"), day("11-11"), day("11-11"), day("11-11")]}
    )  # fmt: skip
    assert coming(flights, today=TODAY).campaign_id == "launch"
    aim = coming(flights, pd.DataFrame({"campaign_id": ["fest"]}), today=TODAY)
    assert (aim.campaign_id, aim.members, aim.promotions) == ("fest", ("fest", "fest-crm"), ("1111-2026",))
    assert (aim.begins, aim.sells_from, aim.ends) == (day("10-10"), day("11-05"), day("11-11"))
    assert coming(flights, today=TODAY, named="fest").campaign_id == "fest"
    with pytest.raises(ValueError, match="no campaign 'gone'"):
        coming(flights, today=TODAY, named="gone")
    bare = coming(Missing("campaigns"), Missing("tasks"), today=TODAY)
    assert (bare.name, bare.campaign_id, bare.sells_from) == ("Double 12", "", day("12-10"))
