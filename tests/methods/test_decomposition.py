"""Stories of a change and what it is made of: nothing is left over, and the order of the factors does not matter."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.methods.decomposition import shapley

FACTOR = st.floats(-1e4, 1e4).map(lambda x: round(x, 3))


@st.composite
def changes(draw):
    names = [f"f{i}" for i in range(draw(st.integers(1, 6)))]
    return [dict.fromkeys(names, 0.0) | {n: draw(FACTOR) for n in names} for _side in range(2)]


@settings(deadline=None)
@given(changes())
def test_the_effects_sum_to_the_change_exactly(change):
    before, after = change
    effects = shapley(before, after)
    moved = math.prod(after.values()) - math.prod(before.values())
    size = max(math.prod(max(abs(before[n]), abs(after[n])) for n in before), 1.0)
    assert math.fsum(effects.values()) == pytest.approx(moved, abs=1e-9 * size)
    assert list(effects) == list(before)


@settings(deadline=None)
@given(changes())
def test_a_factor_that_did_not_move_has_no_effect(change):
    before, after = change
    still = next(iter(before))
    assert shapley(before, after | {still: before[still]})[still] == 0


@settings(deadline=None)
@given(changes())
def test_the_effects_do_not_depend_on_the_order_of_the_factors_and_turn_round_with_time(change):
    before, after = change
    effects = shapley(before, after)
    turned = shapley(dict(reversed(before.items())), after)
    back = shapley(after, before)
    for name, effect in effects.items():
        size = max(math.prod(max(abs(before[n]), abs(after[n])) for n in before), 1.0)
        assert turned[name] == pytest.approx(effect, abs=1e-9 * size)
        assert back[name] == pytest.approx(-effect, abs=1e-9 * size)


@settings(deadline=None)
@given(FACTOR, FACTOR)
def test_factors_that_moved_alike_have_the_same_effect(old, new):
    effects = shapley({"a": old, "b": old, "c": 3.0}, {"a": new, "b": new, "c": 5.0})
    assert effects["a"] == pytest.approx(effects["b"], rel=1e-12, abs=1e-6)


def test_two_factors_by_hand():
    # orders 10 → 12 at a mean value of 22.50, value 20 → 25 at a mean of 11 orders
    assert shapley({"orders": 10, "aov": 20}, {"orders": 12, "aov": 25}) == {"orders": 2 * 22.5, "aov": 5 * 11}


def test_three_factors_equal_the_mean_over_all_six_orders_of_moving():
    before, after = {"a": 2.0, "b": 3.0, "c": 5.0}, {"a": 4.0, "b": 2.0, "c": 6.0}
    expected = dict.fromkeys(before, 0.0)
    for order in itertools.permutations(before):
        now = dict(before)
        for name in order:
            was = math.prod(now.values())
            now[name] = after[name]
            expected[name] += (math.prod(now.values()) - was) / 6
    assert shapley(before, after) == pytest.approx(expected)


def test_from_nothing_and_to_nothing():
    # no customers before: the whole of the new sales is shared between the factors, none is lost
    begun = shapley({"customers": 0, "frequency": 0, "aov": 0}, {"customers": 10, "frequency": 2, "aov": 30})
    assert begun == pytest.approx({"customers": 200, "frequency": 200, "aov": 200})
    ended = shapley({"orders": 10, "aov": 30}, {"orders": 0, "aov": 0})
    assert ended == {"orders": -150, "aov": -150}
    # one factor alone fell to zero: it bears the loss, the other had no effect on what is left
    assert shapley({"orders": 10, "aov": 30}, {"orders": 0, "aov": 30}) == {"orders": -300, "aov": 0}
    assert shapley({"orders": 0, "aov": 0}, {"orders": 0, "aov": 0}) == {"orders": 0, "aov": 0}


def test_one_factor_is_its_own_change():
    assert shapley({"sales": 5}, {"sales": 8}) == {"sales": 3}


def test_factors_that_differ_are_refused_by_name():
    with pytest.raises(ValueError, match=r"\['aov', 'orders'\] before, \['orders'\] after"):
        shapley({"orders": 1, "aov": 2}, {"orders": 1})
