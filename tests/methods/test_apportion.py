"""Stories of sharing out: to the cent, near each share, and never more than a weight where the sum is no more."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.methods.apportion import CENT, apportion

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=30)


def test_by_hand():
    assert apportion(Decimal("0.05"), [3, 1, 1]) == [Decimal("0.03"), Decimal("0.01"), Decimal("0.01")]
    assert apportion(10, [1, 1, 2], unit=Decimal(1)) == [3, 2, 5]  # the half left over goes to the first
    assert apportion(-1, [0, 0], unit=Decimal("0.5")) == [Decimal("-0.5")] * 2


@settings(max_examples=3000, deadline=None)
@given(st.integers(-(10**9), 10**9), weights)
def test_parts_add_up_and_are_within_a_cent_of_their_share(cents, w):
    total = Decimal(cents) / 100
    parts = apportion(total, w)
    assert sum(parts) == total
    if any(w):
        assert all(abs(p - total * x / sum(w)) < CENT for p, x in zip(parts, w, strict=True))
        assert all(p == 0 for p, x in zip(parts, w, strict=True) if x == 0)


@settings(max_examples=1000, deadline=None)
@given(weights.filter(any), st.data())
def test_no_part_exceeds_its_weight_where_the_sum_is_not_larger(w, data):
    total = data.draw(st.integers(0, sum(w)))
    assert all(p <= x for p, x in zip(apportion(total, w, unit=Decimal(1)), w, strict=True))


@pytest.mark.parametrize("w", [[], [1, -1]])
def test_weights_that_share_nothing_are_refused(w):
    with pytest.raises(ValueError, match="weights"):
        apportion(1, w)
