"""Stories of a change and what it is made of: nothing is left over, and the order of the factors does not matter."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.methods.decomposition import lmdi, shapley

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


# -- logarithmic means

LEVEL = st.one_of(st.just(0.0), st.floats(0.01, 1e4)).map(lambda x: round(x, 3))
ABOVE = st.floats(0.01, 1e4).map(lambda x: round(x, 3))


@st.composite
def levels(draw, of=LEVEL):
    names = [f"f{i}" for i in range(draw(st.integers(1, 6)))]
    return [{n: draw(of) for n in names} for _side in range(2)]


@settings(deadline=None)
@given(levels())
def test_logarithmic_effects_sum_to_the_change_exactly_and_turn_round_with_time(change):
    before, after = change
    effects = lmdi(before, after)
    old, new = math.prod(before.values()), math.prod(after.values())
    size = max(old, new, 1e-9)
    assert math.fsum(effects.values()) == pytest.approx(new - old, abs=1e-9 * size)
    assert list(effects) == list(before)
    for name, back in lmdi(after, before).items():
        assert back == pytest.approx(-effects[name], abs=1e-7 * size * max(1, len(effects)))


@settings(deadline=None)
@given(levels(ABOVE))
def test_a_logarithmic_effect_has_the_sign_of_its_factor_and_ignores_how_the_others_are_cut(change):
    before, after = change
    effects = lmdi(before, after)
    size = max(math.prod(before.values()), math.prod(after.values()))
    for name, effect in effects.items():
        assert effect * (after[name] - before[name]) >= -1e-9 * size * max(after[name], before[name])
    # the others drawn together into one factor
    name = next(iter(before))
    rest = [math.prod(v for n, v in side.items() if n != name) for side in (before, after)]
    two = lmdi({name: before[name], "rest": rest[0]}, {name: after[name], "rest": rest[1]})
    assert two[name] == pytest.approx(effects[name], abs=1e-8 * size)


def test_two_logarithmic_factors_by_hand():
    # sales 200 → 300: L = 100 / ln 1.5 = 246.63; ln 1.2 = 0.18232, ln 1.25 = 0.22314
    found = lmdi({"orders": 10, "aov": 20}, {"orders": 12, "aov": 25})
    assert found == pytest.approx({"orders": 44.967, "aov": 55.033}, abs=1e-3)
    assert lmdi({"a": 2.0, "b": 3.0}, {"a": 3.0, "b": 2.0}) == pytest.approx(
        {"a": 6 * math.log(1.5), "b": -6 * math.log(1.5)}
    )


def test_a_zero_is_the_limit_of_ever_smaller_values():
    begun = lmdi({"customers": 0, "frequency": 2, "aov": 20}, {"customers": 10, "frequency": 3, "aov": 30})
    assert begun == {"customers": 900, "frequency": 0, "aov": 0}
    both = lmdi({"customers": 0, "aov": 0, "tax": 1}, {"customers": 10, "aov": 30, "tax": 1})
    assert both == {"customers": 150, "aov": 150, "tax": 0}
    tiny = 1e-300
    limit = lmdi({"customers": tiny, "aov": tiny, "tax": 1}, {"customers": 10, "aov": 30, "tax": 1})
    assert limit["customers"] == pytest.approx(both["customers"], rel=0.01)
    assert lmdi({"a": 0, "b": 2}, {"a": 0, "b": 5}) == {"a": 0, "b": 0}
    assert lmdi({"a": 0, "b": 2}, {"a": 3, "b": 0}) == {"a": 0, "b": 0}  # nothing before, nothing after


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_what_has_no_logarithm_is_refused_by_name(bad):
    with pytest.raises(ValueError, match=f"returns is {bad} after: logarithms need values of 0 or above; shapley"):
        lmdi({"sales": 1.0, "returns": 1.0}, {"sales": 2.0, "returns": bad})
    with pytest.raises(ValueError, match="factors differ"):
        lmdi({"a": 1.0}, {"b": 1.0})
