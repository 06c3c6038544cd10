"""Tasks: what is late, what hangs on what, what lacks a field, and the plan that makes up for it; small plans by hand."""

import datetime as dt

import pandas as pd
import pytest

from playbook.data import plan_sheets
from playbook.data.store import ShopError
from playbook.missing import Missing
from playbook.planning.campaign import Campaign, pictures, proposal, tasks

TODAY = dt.date(2026, 11, 1)


def day(text):
    return pd.Timestamp(f"2026-{text}")


SALE = Campaign("sale", "Sale", "festival", day("10-20"), day("11-11"), day("11-09"))


def plan(*rows, **more):
    """Tasks from (id, first, last, after, status)."""
    out = [
        {
            "task_id": name, "title": f"Sale: {name}", "owner": "Ann", "starts_on": day(first), "due_on": day(last),
            "measure": "done", "resources": "two", "after": after, "campaign_id": "sale", "status": status,
            "done_on": day(last) if status == "done" else pd.NaT, **more.get(name, {}),
        }
        for name, first, last, after, status in rows
    ]  # fmt: skip
    return pd.DataFrame(out)


# a → b → d and a → c → d: the way over b fills every day, the one over c has three to spare.
SQUARE = (
    ("a", "10-20", "10-24", "", "done"),
    ("b", "10-25", "11-04", "a", "doing"),
    ("c", "10-25", "11-01", "a", "doing"),
    ("d", "11-05", "11-11", "b c", "open"),
)


def by_id(frame):
    return frame.set_index("task_id")


def test_slack_is_the_days_to_the_next_task_and_the_path_without_any_is_critical():
    found = tasks.tasks(plan(*SQUARE), None, today=TODAY)
    assert by_id(found)["slack_days"].to_dict() == {"a": 0, "b": 0, "c": 3, "d": 0}
    assert tasks.critical_path(found, "sale") == ["a", "b", "d"]
    assert by_id(found)["state"].to_dict() == {"a": "done", "b": "under way", "c": "under way", "d": "to come"}
    assert by_id(found)["slips_days"].to_dict() == {"a": 0, "b": 0, "c": 0, "d": 0}


def test_a_task_past_its_day_is_overdue_and_what_waits_for_it_slips_by_as_much():
    late = tasks.tasks(plan(*SQUARE), None, today=dt.date(2026, 11, 7))
    got = by_id(late)
    # b was due on the 4th; the 7th is here, so it ends then at the earliest, and d takes its 7 days from the 8th.
    assert got["state"].to_dict() == {"a": "done", "b": "overdue", "c": "overdue", "d": "held up"}
    assert got["ends_on"]["b"] == day("11-07") and got["ends_on"]["d"] == day("11-14")
    assert got["slips_days"].to_dict() == {"a": 0, "b": 3, "c": 6, "d": 3}
    said = " ".join(f.text for f in tasks.findings(late, SALE))
    assert "“Sale: b” (b) was due on 4 Nov 2026" in said and "3 days to make up" in said
    assert list(tasks.attention(late)["task_id"]) == ["b", "c", "d"]


def test_mandatory_fields_that_are_empty_are_named_and_so_is_what_cannot_be():
    rows = plan(
        *SQUARE[:2], ("x", "10-24", "11-02", "b gone", "open"), ("y", "10-24", "11-02", "b", "open"),
        ("z", "11-09", "11-02", "", "open"), b={"resources": "", "measure": None},
    )  # fmt: skip
    got = by_id(tasks.tasks(rows, None, today=TODAY))
    assert got["lacks"]["b"] == "resources, measure" and got["lacks"]["a"] == ""
    assert got["wrong"]["x"] == "comes after gone, which is not there"
    assert got["wrong"]["y"] == "begins before b ends" and got["wrong"]["z"] == "ends before it begins"


def test_a_circle_is_told_and_does_not_hang():
    rows = plan(
        ("a", "11-02", "11-03", "b", "open"), ("b", "11-04", "11-05", "a", "open"), ("c", "11-06", "11-06", "b", "open")
    )
    got = by_id(tasks.tasks(rows, None, today=TODAY))
    assert got["wrong"].str.contains("comes after itself").to_dict() == {"a": True, "b": True, "c": False}
    assert got["ends_on"]["c"] == day("11-06")


def test_the_sheet_speaks_before_the_table_field_by_field():
    sheet = pd.DataFrame({"task_id": ["b", "e"], "due_on": [day("11-02"), day("11-09")], "title": ["Sale: b", "new"]})
    got = by_id(tasks.tasks(plan(*SQUARE), sheet, today=TODAY))
    assert got["due_on"]["b"] == day("11-02") and got["owner"]["b"] == "Ann"
    assert got["lacks"]["e"] == "owner, starts_on, resources, measure" and pd.isna(got["slack_days"]["e"])


def test_without_any_task_the_card_names_the_file():
    found = tasks.tasks(None, Missing("plan/tasks.csv"), today=TODAY)
    assert isinstance(found, Missing) and found.what == "plan/tasks.csv"
    assert isinstance(tasks.attention(found), Missing)


def test_what_is_wrong_in_the_sheet_is_named_by_row_and_column(make_shop):
    store = make_shop("corner", {})
    (store.folder / "plan").mkdir()
    text = "task_id,title,starts_on,status\na,One,1 Nov,open\na,Two,2026-11-01,finished\n"
    (store.folder / "plan" / "tasks.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ShopError) as told:
        plan_sheets.read(store, "tasks", tasks.columns(), key="task_id")
    lines = str(told.value).splitlines()
    assert "tasks.csv, row 2, column starts_on: '1 Nov'" in lines[0]
    assert any("row 3, column status: 'finished': must be one of: open, doing, done, dropped" in x for x in lines)
    assert any("row 3, column task_id: 'a': it is there already, in row 2" in x for x in lines)


# -- the plan as it can be executed


def test_what_waits_for_a_late_task_is_done_in_less_time_and_the_day_stands():
    late = tasks.tasks(plan(*SQUARE), None, today=dt.date(2026, 11, 7))
    got = by_id(proposal.proposed(SALE, late, today=dt.date(2026, 11, 7)))
    assert got["due_on"]["b"] == day("11-07")
    assert (got["starts_on"]["d"], got["due_on"]["d"]) == (day("11-08"), day("11-11"))  # four days of seven
    assert got["amended"]["d"] == "Was 5 Nov 2026 to 11 Nov 2026." and got["amended"]["a"] == ""


def test_no_task_is_done_in_less_than_half_its_time():
    late = tasks.tasks(plan(*SQUARE), None, today=dt.date(2026, 11, 10))
    got = by_id(proposal.proposed(SALE, late, today=dt.date(2026, 11, 10)))
    assert (got["due_on"]["d"] - got["starts_on"]["d"]).days + 1 == 4 and got["due_on"]["d"] == day("11-14")


@pytest.mark.parametrize("days", [10, 30, 62, 90])
def test_the_usual_steps_are_complete_in_order_and_begin_no_earlier_than_today(days):
    first = pd.Timestamp(TODAY) + pd.Timedelta(days=days)
    aim = Campaign("", "618", "festival", first, first + pd.Timedelta(days=2), first)
    steps = proposal.proposed(aim, None, today=TODAY)
    again = tasks.tasks(None, steps, today=TODAY)
    assert (again["lacks"] == "").all() and (again["wrong"] == "").all()
    assert again["starts_on"].min() >= pd.Timestamp(TODAY)
    duty = steps[steps["title"].str.contains("On duty")].iloc[0]
    assert (duty["starts_on"], duty["due_on"]) == (first, first + pd.Timedelta(days=2))
    assert (again["slips_days"] == 0).all()
    if days >= 30:
        assert len(tasks.critical_path(again, "")) >= 4


def test_goals_and_budget_are_in_the_steps():
    targets = pd.DataFrame(
        {"metric": ["net_sales", "net_sales", "ad_spend"], "period": ["2026-12"] * 3, "target": [9e5, 8e5, 1.0],
         "platform": [None, "jd", None], "recorded_at": [pd.Timestamp("2026-10-01")] * 3}
    )  # fmt: skip
    tie = pd.DataFrame({"month": ["2026-12", "2026-12", "2026-11"], "budget": [300, 200, 7]})
    aim = Campaign("", "1212", "festival", day("12-10"), day("12-12"), day("12-10"))
    steps = proposal.proposed(aim, None, today=TODAY, targets=targets, tie=tie)
    assert steps["measure"].iloc[0] == "net sales of ¥900,000 in 2026-12"
    assert "advertising of ¥500.00 in 2026-12" in set(steps["resources"])


# -- the picture


def test_the_gantt_has_a_bar_from_the_first_to_the_last_day_of_each_task():
    from matplotlib import dates

    late = tasks.tasks(plan(*SQUARE), None, today=dt.date(2026, 11, 7))
    ax = pictures.plot_tasks(late, SALE, today=dt.date(2026, 11, 7))
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert sorted(names) == ["a", "b", "c", "d"]
    bars = [p for p in ax.patches if p.get_facecolor()[3] == 1 and p.get_height() > 0.5]
    spans = {(round(p.get_x()), round(p.get_x() + p.get_width())) for p in bars}
    wanted = {(dates.date2num(day(first)), dates.date2num(day(last)) + 1) for _n, first, last, *_more in SQUARE}
    assert spans == wanted
    slipped = [p for p in ax.patches if p.get_hatch()]
    assert sorted(round(p.get_width()) for p in slipped) == [3, 3, 6]


def test_a_missing_plan_draws_nothing():
    assert repr(pictures.plot_tasks(Missing("plan/tasks.csv"), SALE, today=TODAY)) == ""


def test_the_days_to_make_up_are_worth_what_the_campaign_sells_more_than_the_weeks_before():
    expected = pd.DataFrame([{"before_a_day": 10.0, "orders_a_day": 30.0, "orders_a_day_low": 20.0, "orders_a_day_high": 50.0,
                              "days": 3.0, "orders": 90.0, "net_sales": 9000.0}])  # fmt: skip
    late = plan(("a", "10-20", "10-30", "", "doing"), ("b", "10-31", "11-11", "a", "open"))
    (todo,) = tasks.decisions(tasks.tasks(late, None, today=TODAY), SALE, expected, today=TODAY)
    # a ends today instead of on 30 October: two days, each 20 orders of 100 each
    assert (todo.effect, todo.low, todo.high) == (4000, 2000, 8000)
    assert todo.due == dt.date(2026, 11, 2) and todo.owner == "Ann" and "Sale: a" in todo.text
    assert todo.period == "2026-11-09/2026-11-11" and todo.metric == "net_sales"
    fine = plan(("a", "10-20", "10-30", "", "done"), ("b", "10-31", "11-11", "a", "doing"))
    assert tasks.decisions(tasks.tasks(fine, None, today=TODAY), SALE, expected, today=TODAY) == []
    assert isinstance(tasks.decisions(tasks.tasks(late, None, today=TODAY), SALE, Missing("x"), today=TODAY), Missing)
