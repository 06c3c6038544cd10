"""The media calendar: clashes and how they are parted, money that ties, and files for people's calendars."""

import datetime as dt
from decimal import Decimal

import icalendar
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.missing import Missing
from playbook.planning import campaign
from playbook.planning.campaign import calendar, money, pictures

TODAY = dt.date(2026, 11, 1)
DAYS = 63


def day(text):
    return pd.Timestamp(f"2026-{text}")


def campaigns(*rows):
    """Campaigns from (id, kind, channel, first, last, objective, budget)."""
    return pd.DataFrame(
        [
            {"campaign_id": i, "name": i, "kind": k, "channel": c, "platform": c, "starts_on": day(a), "ends_on": day(b),
             "objective": o, "budget": m, "owner": "Ann"}
            for i, k, c, a, b, o, m in rows
        ]
    )  # fmt: skip


def promotions(*rows):
    """Promotions from (id, first, last, rule, product, category)."""
    return pd.DataFrame(
        [
            {"promotion_id": i, "name": i, "starts_at": day(a), "ends_at": day(b) + pd.Timedelta("23:59:59"), "rule": r,
             "product_id": p, "category": c}
            for i, a, b, r, p, c in rows
        ]
    )  # fmt: skip


def flights(campaigns=None, promotions=None, sheet=None):
    return calendar.flights(campaigns, promotions, sheet, today=TODAY, days=DAYS)


def pairs(found, kind):
    mine = found[found["kind"] == kind]
    return {(a, f, s) for a, f, s in zip(mine["about"], mine["first"], mine["second"], strict=True)}


BUSY = campaigns(
    ("crm-a", "loyalty", "crm", "11-20", "11-26", "回购；人群：老客", 100.0),
    ("crm-b", "loyalty", "crm", "11-24", "11-30", "reach; audience: 老客", 100.0),
    ("feed-c", "brand", "feed", "11-20", "11-26", "人群：老客", 100.0),
    ("crm-d", "loyalty", "crm", "12-01", "12-03", "人群：老客", 100.0),
    ("sem-e", "brand", "sem", "11-14", "11-20", "拉新；人群：甲；关键词：gift 礼盒", 100.0),
    ("sem-f", "brand", "sem", "11-18", "11-25", "拉新；人群：乙；关键词：candle gift", 100.0),
)


def test_one_audience_in_one_channel_and_one_word_in_two_campaigns_clash_and_no_others():
    found = calendar.clashes(flights(BUSY))
    assert pairs(found, "audience") == {("老客", "crm-a", "crm-b")}
    assert pairs(found, "keyword") == {("gift", "sem-e", "sem-f")}
    assert len(found) == 2
    audience = found[found["kind"] == "audience"].iloc[0]
    assert (audience["begins"], audience["ends"], audience["days"]) == (day("11-24"), day("11-26"), 3)


def test_two_prices_of_one_product_clash_a_discount_and_a_full_reduction_do_not():
    offers = promotions(
        ("p-20", "11-20", "11-25", "discount 0.80", "candle1", None),
        ("p-30", "11-24", "11-28", "discount 0.70", "candle1", None),
        ("same", "11-24", "11-28", "discount 0.80", "candle9", None),
        ("week", "11-27", "11-30", "discount 0.90", None, "candles"),
        ("full", "11-20", "11-30", "full_reduction 300-30", None, None),
    )
    found = calendar.clashes(flights(None, offers))
    assert pairs(found, "price") == {("candle1", "p-20", "p-30")}
    products = pd.DataFrame({"product_id": ["candle1", "candle9"], "category": ["candles", "candles"]})
    found = calendar.clashes(flights(None, offers), products)
    assert pairs(found, "price") == {
        ("candle1", "p-20", "p-30"), ("candle1", "p-30", "week"), ("candle9", "same", "week"),
    }  # fmt: skip


def test_a_launch_in_the_days_of_a_great_sale_is_told_its_own_campaign_is_not():
    rows = campaigns(
        ("launch", "launch", "", "12-05", "12-20", "", 1.0), ("fest", "festival", "sem", "12-01", "12-12", "", 1.0),
        ("early", "launch", "", "11-20", "11-30", "", 1.0),
    )  # fmt: skip
    found = calendar.clashes(flights(rows))
    assert pairs(found, "window") == {("Double 12", "launch", "")} and len(found) == 1
    assert (found["begins"].iloc[0], found["ends"].iloc[0]) == (day("12-10"), day("12-12"))


def test_parted_gives_up_the_word_or_begins_after_and_nothing_clashes_any_more():
    planned = flights(BUSY)
    moved = calendar.parted(planned, calendar.clashes(planned)).set_index("flight_id")
    assert moved["keywords"]["sem-f"] == "candle" and moved["begins"]["sem-f"] == day("11-18")
    # Four of its seven days are left after the 26th, so it keeps its last day.
    assert (moved["begins"]["crm-b"], moved["ends"]["crm-b"]) == (day("11-27"), day("11-30"))
    assert (moved["amended"] != "").sum() == 2
    again = moved.reset_index()
    again.attrs = planned.attrs
    assert calendar.clashes(again).empty


def test_what_is_for_a_festival_or_runs_already_stays():
    rows = campaigns(
        ("fest", "festival", "crm", "11-24", "12-12", "人群：老客", 1.0),
        ("own", "loyalty", "crm", "11-20", "11-26", "人群：老客", 1.0),
    )
    planned = flights(rows)
    moved = calendar.parted(planned, calendar.clashes(planned)).set_index("flight_id")
    assert moved["begins"]["fest"] == day("11-24") and moved["begins"]["own"] == day("12-13")
    assert moved["ends"]["own"] - moved["begins"]["own"] == pd.Timedelta(days=6)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 55), st.integers(0, 12), st.sampled_from("AB"), st.sampled_from("xy"), st.sampled_from(["", "w", "v w"])),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_whatever_is_planned_can_be_parted_and_nothing_begins_before_it_was_planned_to(rows):
    table = campaigns(
        *(
            (f"c{i}", "loyalty", channel, "11-01", "11-01", f"人群：{who}；关键词：{words}", 10.0)
            for i, (_a, _n, channel, who, words) in enumerate(rows)
        )
    )
    table["starts_on"] = [day("11-01") + pd.Timedelta(days=a) for a, *_rest in rows]
    table["ends_on"] = [day("11-01") + pd.Timedelta(days=a + n) for a, n, *_rest in rows]
    planned = flights(table)
    moved = calendar.parted(planned, calendar.clashes(planned))
    assert (moved["begins"] >= moved["was_begins"]).all() and (moved["ends"] >= moved["begins"]).all()
    moved.attrs = planned.attrs | {"last": moved["ends"].max()}
    assert calendar.clashes(moved).empty
    stays = moved["amended"] == ""
    assert (moved.loc[stays, "begins"] == moved.loc[stays, "was_begins"]).all()


def test_the_sheet_that_was_proposed_is_read_back_and_moves_the_flights(make_shop):
    from playbook.data import plan_sheets
    from playbook.period import parse
    from playbook.report import proposals

    planned = flights(BUSY)
    moved = calendar.parted(planned, calendar.clashes(planned))
    store = make_shop("corner", {})
    plan = proposals.record(calendar.sheet(moved), "media_calendar", campaign.ics(flights=moved, today=TODAY))
    proposals.write([plan], store.folder, report=parse("2026-10"))
    proposed = store.folder / "plan" / "proposed" / "media_calendar"
    proposed.with_suffix(".csv").rename(store.folder / "plan" / "media_calendar.csv")
    sheet = plan_sheets.read(store, "media_calendar", calendar.columns(), key="flight_id")
    again = flights(BUSY, None, sheet)
    assert calendar.clashes(again).empty
    assert set(again["channel"]) == {"crm", "feed", "sem"} and again["budget"].sum() == 600
    parsed = icalendar.Calendar.from_ical(proposed.with_suffix(".ics").read_bytes())
    assert len(parsed.walk("VEVENT")) == 6


def test_nothing_planned_at_all_is_a_card():
    found = flights()
    assert isinstance(found, Missing) and found.what == "plan/media_calendar.csv"
    assert isinstance(calendar.clashes(found), Missing) and repr(money.tied(found, found)) == ""
    assert flights(BUSY.head(0)).empty and calendar.clashes(flights(BUSY.head(0))).empty


# -- money


SPENDING = campaigns(
    ("always", "brand", "sem", "01-01", "12-31", "", 900.0),
    ("two-months", "brand", "sem", "11-21", "12-10", "", 200.0),
    ("november", "brand", "sem", "11-01", "11-10", "", 50.0),
    ("letters", "loyalty", "crm", "11-05", "11-08", "", 100.0),
)
BUDGET = pd.DataFrame(
    {"month": ["2026-11", "2026-12", "2026-11"], "channel": ["sem", "sem", "crm"], "budget": [400.0, 100.01, 33.34]}
)


def tie_of(planned, **more):
    return money.ties(planned, money.accepted(BUDGET, None, today=TODAY), **more)


def test_each_month_bears_its_days_of_a_campaign_and_what_is_left_is_for_what_always_runs():
    got = tie_of(flights(SPENDING)).set_index(["month", "channel"])
    # 20 days at 10: ten of them in November, beside the 50; 400 − 150 is left.
    assert got["campaigns"]["2026-11", "sem"] == Decimal("150") and got["left"]["2026-11", "sem"] == Decimal("250.00")
    assert got["left"]["2026-12", "sem"] == Decimal("0.01") and got["left"]["2026-11", "crm"] == Decimal("-66.66")
    over = money.findings(got.reset_index())
    assert [f.verdict for f in over] == ["act"] and over[0].stake == 66.66 and "November 2026" in over[0].text
    early = tie_of(flights(SPENDING), begun_by=day("11-03")).set_index(["month", "channel"])
    assert early["campaigns"]["2026-11", "sem"] == Decimal("50") and early["campaigns"]["2026-11", "crm"] == 0


def test_what_is_given_sums_to_the_budget_to_the_cent():
    planned = flights(SPENDING)
    given_ = money.tied(planned, tie_of(planned))
    sums = given_.groupby(["month", "channel"])["budget"].sum()
    assert sums.to_dict() == {
        ("2026-11", "sem"): Decimal("400.00"), ("2026-12", "sem"): Decimal("100.01"), ("2026-11", "crm"): Decimal("33.34"),
    }  # fmt: skip
    letters = given_[given_["flight_id"] == "letters"].iloc[0]
    assert (letters["requested"], letters["budget"]) == (Decimal("100"), Decimal("33.34"))
    assert given_.set_index(["month", "flight_id"])["budget"]["2026-11", "always"] == Decimal("250.00")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 50), st.integers(1, 10**7)), min_size=1, max_size=6),
    st.integers(0, 10**7),
)
def test_money_ties_whatever_is_planned(rows, cents):
    table = campaigns(*((f"c{i}", "brand", "sem", "11-01", "11-01", "", c / 100) for i, (_a, _n, c) in enumerate(rows)))
    table["starts_on"] = [day("10-20") + pd.Timedelta(days=a) for a, *_rest in rows]
    table["ends_on"] = table["starts_on"] + pd.to_timedelta([n for _a, n, _c in rows], unit="D")
    planned = flights(table)
    budget = pd.DataFrame({"month": ["2026-11"], "channel": ["sem"], "budget": [cents / 100]})
    tie = money.ties(planned, money.accepted(budget, None, today=TODAY))
    given_ = money.tied(planned, tie)
    assert given_["budget"].sum() == Decimal(cents) / 100
    assert all(x >= 0 for x in given_["budget"])
    weeks = money.by_week(planned)
    assert weeks["budget"].sum() <= sum(Decimal(c) / 100 for *_rest, c in rows)


def test_targets_of_spending_stand_in_for_a_budget_and_the_page_says_so():
    targets = pd.DataFrame(
        {"metric": ["ad_spend"] * 4 + ["roas"], "period": ["2026-11", "2026-11", "2026-10", "2026", "2026-11"],
         "channel": ["sem"] * 5, "target": [100.0, 120.0, 1.0, 2.0, 3.0],
         "recorded_at": pd.to_datetime(["2026-09-01", "2026-10-01", "2026-09-01", "2026-09-01", "2026-09-01"])}
    )  # fmt: skip
    got = money.accepted(None, targets, today=TODAY)
    assert got.values.tolist() == [["2026-11", "sem", Decimal("120.00")]] and "stand in" in got.attrs["notes"][0]
    assert money.accepted(BUDGET, targets, today=TODAY).attrs == {"source": "plan/budget_plan.csv", "notes": []}
    parts = pd.concat([BUDGET.assign(activity="a"), BUDGET.assign(activity="b")])  # as 04b proposes it
    assert money.accepted(parts, None, today=TODAY)["budget"].tolist() == [
        Decimal("66.68"),
        Decimal("800"),
        Decimal("200.02"),
    ]
    gone = money.accepted(None, None, today=TODAY)
    assert isinstance(gone, Missing) and "04b" in gone.needs()


# -- files and pictures


def test_the_ics_is_what_the_plan_is():
    tasks = pd.DataFrame(
        {"task_id": ["T-1", "T-2", "T-3"], "title": ["主图、详情页；" * 12, "done", "no days"], "owner": ["设计主管", "b", "c"],
         "starts_on": [day("11-02"), day("11-02"), pd.NaT], "due_on": [day("11-04"), day("11-04"), day("11-05")],
         "measure": ["a, b; c\\d\nsecond line", "", ""], "resources": [pd.NA, "", ""], "after": ["", "", ""],
         "status": ["open", "done", "open"]}
    )  # fmt: skip
    text = campaign.ics(tasks, flights(BUSY.head(1)), title="计划", today=TODAY)
    assert text == campaign.ics(tasks, flights(BUSY.head(1)), title="计划", today=TODAY)
    lines = text.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines) and b"\n" not in b"".join(lines)
    parsed = icalendar.Calendar.from_ical(text)
    task, flight = parsed.walk("VEVENT")
    assert str(parsed["X-WR-CALNAME"]) == "计划"
    assert str(task["SUMMARY"]) == "主图、详情页；" * 12 and str(task["UID"]) == "T-1@playbook"
    assert (task.decoded("DTSTART"), task.decoded("DTEND")) == (dt.date(2026, 11, 2), dt.date(2026, 11, 5))
    assert "Done when: a, b; c\\d\nsecond line" in str(task["DESCRIPTION"])
    assert (flight.decoded("DTSTART"), flight.decoded("DTEND")) == (dt.date(2026, 11, 20), dt.date(2026, 11, 27))


def test_the_calendar_draws_each_flight_and_hatches_the_days_that_clash():
    from matplotlib import dates

    planned = flights(BUSY)
    ax = pictures.plot_flights(planned, calendar.clashes(planned))
    hatched = sorted((round(p.get_x()), round(p.get_width())) for p in ax.patches if p.get_hatch())
    wanted = [(dates.date2num(day("11-18")), 3)] * 2 + [(dates.date2num(day("11-24")), 3)] * 2
    assert hatched == [(round(x), n) for x, n in wanted]
    assert len(ax.get_yticklabels()) == 6


def test_the_weeks_show_their_sums():
    weeks = money.by_week(flights(SPENDING))
    assert weeks["budget"].sum() == Decimal("350")
    ax = pictures.plot_by_week(weeks)
    texts = [t.get_text() for t in ax.texts]
    assert "¥100" in texts  # the letters, all in the week of 2 November


@pytest.mark.parametrize("picture", [pictures.plot_flights, pictures.plot_by_week])
def test_nothing_to_draw_draws_nothing(picture):
    empty = flights(BUSY.head(0))
    got = picture(empty, calendar.clashes(empty)) if picture is pictures.plot_flights else picture(money.by_week(empty))
    assert got is None
