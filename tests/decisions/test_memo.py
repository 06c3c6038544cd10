"""Stories of the memo: seven decisions at most, the largest stake first, and none where the data fail."""

import datetime as dt

import pytest

from playbook.decisions.memo import chance, memo
from playbook.findings import Finding
from playbook.outlook import Decision


def decision(stake, *, effect=10.0, low=-5.0, high=25.0):
    return Decision("a", f"Do {stake}.", "Us", dt.date(2026, 1, 1), "net_sales", "2026-01", effect, low, high, "currency",
                    stake=stake)  # fmt: skip


def test_the_largest_stakes_stand_and_the_rest_is_counted():
    made = memo([(f"d-{i}", "07a", decision(float(i))) for i in range(9)], {})
    assert [i.decision.stake for i in made.items] == [8, 7, 6, 5, 4, 3, 2]
    assert made.others == 2


def test_what_calls_for_action_without_a_decision_is_told_beside_it():
    findings = {
        "06a": [Finding("act", "small", 5), Finding("watch", "no")],
        "06b": [Finding("act", "large", 50)],
        "07a": [Finding("act", "has its decision", 99)],
        "00": [Finding("act", "blocked", 1, blocked=False)],
    }
    made = memo([("d-1", "07a", decision(1.0))], findings)
    assert [(slug, f.text) for slug, f in made.attention] == [("06b", "large"), ("06a", "small"), ("00", "blocked")]


def short_of(product, stake, *, period="2026-11", name="bring_forward"):
    return Decision(name, f"Order {product}.", "Us", dt.date(2026, 11, 1), "paid_sales", period, stake, 0.0, 2 * stake, "currency",
                    by={"product_id": product}, stake=stake)  # fmt: skip


def test_two_notebooks_that_decide_on_one_thing_take_one_line():
    made = memo(
        [
            ("d-1", "05a", short_of("serum", 8.0, period="2026-11-01/2026-11-11")),
            ("d-2", "08a", short_of("serum", 9.0)),
            ("d-3", "08a", short_of("cream", 7.0)),
            ("d-4", "08a", short_of("serum", 6.0)),  # a second act of the same page is one of its own
            ("d-5", "06c", short_of("serum", 5.0, period="2026-12")),
            ("d-6", "04c", short_of("serum", 4.0, name="change_price")),  # of the same sales, and another act
            ("d-7", "06c", decision(3.0)),
        ],
        {},
    )
    assert [(i.id, i.also) for i in made.items] == [
        ("d-2", (("d-1", "05a"),)), ("d-3", ()), ("d-4", ()), ("d-5", ()), ("d-6", ()), ("d-7", ()),
    ]  # fmt: skip
    assert made.others == 0


def test_where_the_data_fail_nothing_is_decided():
    made = memo([("d-1", "07a", decision(1.0))], {"07a": [Finding("act", "x")]}, blocked=["Blocked.", "why"])
    assert (made.items, made.attention, made.blocked) == ((), (), ("Blocked.", "why"))


@pytest.mark.parametrize(
    ("effect", "low", "high", "expected", "word"),
    [
        (10.0, -5.0, 25.0, 0.8035, "fair"),  # 15 is 1.2816 spreads: Φ(10 / 11.70)
        (-10.0, -11.0, -9.0, 1.0, "high"),
        (1.0, -20.0, 22.0, 0.5243, "low"),
        (0.0, -1.0, 1.0, 0.5, "low"),
        (3.0, 3.0, 3.0, 1.0, "high"),
    ],
)
def test_confidence_is_the_chance_that_the_sign_is_right(effect, low, high, expected, word):
    d = decision(1.0, effect=effect, low=low, high=high)
    assert chance(d) == pytest.approx(expected, abs=5e-4)
    assert memo([("d-1", "07a", d)], {}).items[0].confidence == word
