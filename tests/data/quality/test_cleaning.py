"""Stories of cleaning: what each rule took away, and where the rows lie that could not be read."""

import pytest
from matplotlib import pyplot as plt

from playbook.data import quality
from playbook.shop import open_shop

HEAD = "order_id,ordered_at,amount,customer_id\n"
FIRST = HEAD + "A,2024-01-01 00:30:00,10,u\nB,2024-01-01 23:30:00,20,v\nC,2024-01-04 12:00:00,30,\n"
SECOND = HEAD + (
    "A,2024-01-01 00:30:00,10,u\nB,2024-01-01 23:30:00,25,v\n\nD,soon,40,w\nE,2024-02-01 00:00:00,many,u\n"
    "F,later,40,w\n"
)


@pytest.fixture
def accounting(build):
    build({"orders_1.csv": FIRST, "orders_2.csv": SECOND})
    return open_shop("corner", "2024-01").accounting()


def test_each_step_begins_where_the_one_before_ended_and_the_last_is_what_was_accepted(accounting):
    found = quality.steps(accounting)
    assert found.before.iloc[0] == 9 and found.after.iloc[-1] == 3
    assert found.before.iloc[1:].tolist() == found.after.iloc[:-1].tolist()
    assert found.groupby("step").taken.sum().to_dict() == {
        "read": 0, "skipped": 1, "quarantined": 3, "duplicate": 1, "superseded": 1, "accepted": 0,
    }  # fmt: skip
    assert (found.before - found.taken == found.after).all()


def test_each_reason_of_quarantine_is_a_rule_of_its_own(accounting):
    found = quality.steps(accounting)
    by_rule = found[found.step == "quarantined"].set_index("rule").taken.to_dict()
    assert by_rule == {"not a time": 2, "not an amount": 1}


def test_quarantine_is_listed_worst_first_and_says_where_the_rows_lie(accounting):
    found = quality.quarantine(accounting)
    assert found.values.tolist() == [
        ["orders_2.csv", "ordered_at", "not a time", 2, 2 / 6],
        ["orders_2.csv", "amount", "not an amount", 1, 1 / 6],
    ]
    (where,) = found.attrs["notes"]
    assert f"tables/{accounting['key']}/quarantine.csv" in where


def test_without_quarantine_a_sentence_says_so(build):
    build({"orders.csv": FIRST})
    found = quality.quarantine(open_shop("corner", "2024-01").accounting())
    assert found.empty and found.attrs["notes"] == ["No row is in quarantine."]


def test_the_plot_of_steps_draws_what_is_left_and_what_was_taken(accounting):
    ax = quality.plot_steps(quality.steps(accounting))
    left, taken = ([bar.get_width() for bar in bars] for bars in ax.containers)
    assert left == [9, 8, 5, 4, 3, 3] and taken == [0, 1, 3, 1, 1, 0]
    assert [t.get_text() for t in ax.texts] == ["9", "−1", "−3", "−1", "−1", "3"]
    plt.close(ax.figure)
