"""Stories of the promotion engine by hand, and laws that it keeps over thousands of random baskets."""

import itertools
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.offers.promotions.engine import Line, Offer, cheapest, checkout, offers_of
from playbook.offers.promotions.rules import STAGES, Coupon, Discount, FullReduction, Points, RuleError, parse, said

D = Decimal
SERUM, MASK, CANDLE = (
    Line("serum", D(249), 1, "skin"),
    Line("mask", D(89), 2, "skin"),
    Line("candle", D(129), 1, "home"),
)


def offer(name, rule, **more):
    return Offer(name, parse(rule), **more)


# -- by hand


def test_stages_come_in_order_whatever_order_they_are_given_in():
    offers = [
        offer("points", "points 100-1 cap 0.5"),
        offer("coupon", "coupon 199-20"),
        offer("11.11", "full_reduction 300-45 repeat cross_store"),
        offer("week", "discount 0.90", categories=frozenset({"skin"})),
    ]
    # 249 + 178 + 129 = 556; skin at 0.9: 224.10 + 160.20 + 129 = 513.30; once 300: −45 = 468.30; −20 = 448.30;
    # 3,000 points pay 30
    for order in itertools.permutations(offers):
        receipt = checkout([SERUM, MASK, CANDLE], order, points=3000)
        assert [t.offer.stage for t in receipt.taken] == sorted(
            (t.offer.stage for t in receipt.taken), key=STAGES.index
        )
        assert receipt.paid == D("418.30") and receipt.points == 3000
    assert sum(receipt.left) == receipt.paid


def test_taking_an_item_discount_can_cost_more_than_leaving_it():
    basket = [Line("a", D(310), 1)]
    discount, reduction = offer("d", "discount 0.95"), offer("r", "full_reduction 300-50")
    assert checkout(basket, [discount, reduction]).paid == D("294.50")  # 294.50 does not reach 300 any more
    best = cheapest(basket, [discount, reduction])
    assert best.paid == 260 and [o.name for o in best.by_offer()] == ["r"]


def test_the_second_one_at_a_fifth_off_is_the_cheapest_one():
    half = offer("again", "discount 0.80 every 2")
    assert checkout([Line("a", D(100)), Line("b", D(60))], [half]).off == D("12.00")
    assert checkout([Line("a", D(100), 3)], [half]).off == D("20.00")
    assert checkout([Line("a", D(100))], [half]).off == 0


def test_full_reductions_have_tiers_repeat_and_are_capped():
    tiers = parse("full_reduction 200-20 300-40 500-80")
    assert [tiers.off(D(x)) for x in (199, 200, 499, 500)] == [0, 20, 40, 80]
    assert parse("full_reduction 300-45 repeat").off(D(950)) == 135
    assert parse("full_reduction 300-45 repeat cap 100").off(D(950)) == 100
    assert parse("full_reduction 300-45 cross_store").stage == "platform"


def test_gifts_come_free_and_cost_the_shopper_nothing():
    two = offer("bogo", "gift same 1-1", categories=frozenset({"skin"}))
    receipt = checkout([MASK, CANDLE], [two])
    assert receipt.paid == receipt.value and [(p, n) for _o, p, n in receipt.gifts] == [("mask", 2)]
    candle = offer("gift", "gift 299 candle")
    assert not checkout([SERUM], [candle]).gifts and checkout([SERUM, MASK], [candle]).gifts[0][1:] == ("candle", 1)


def test_a_joint_promotion_splits_its_cost_to_the_cent():
    joint = offer("joint", "coupon 100-10", funding={"merchant": D("0.335"), "platform": D("0.665")})
    both = checkout([SERUM], [joint, offer("d", "discount 0.90")])
    assert both.by_party() == {"merchant": D("24.90") + D("3.35"), "platform": D("6.65")}


def test_what_excludes_each_other_is_not_taken_together():
    coupon = offer("coupon", "coupon 199-20", excludes=frozenset({"item"}))
    discount = offer("d", "discount 0.95")
    with pytest.raises(ValueError, match="cannot be taken together"):
        checkout([SERUM], [coupon, discount])
    assert cheapest([SERUM], [coupon, discount]).paid == 229
    with pytest.raises(ValueError, match="cannot be taken together"):
        checkout([SERUM], [discount, offer("e", "discount 0.90")])


@pytest.mark.parametrize(
    "text",
    ["discount", "discount 1.2", "discount x", "full_reduction", "full_reduction 200-20 300-40 repeat", "gift", "rebate 5",
     "coupon 20", "coupon 199-20 weeks 3", "points 0-1", "points 100-1 cap 2", "full_reduction 300-45 sometimes", ""],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_is_refused(text):
    with pytest.raises(RuleError):
        parse(text or "nothing")


def test_rules_in_words():
    assert said(parse("full_reduction 300-45 repeat cross_store")) == "¥45 off every ¥300"
    assert said(parse("discount 0.88")) == "12% off"
    assert said(parse("coupon 199-20 days 14"), currency="EUR") == "coupon of €20 from €199, 14 days"


def test_the_table_of_promotions_becomes_offers():
    table = pd.DataFrame(
        {
            "promotion_id": ["w", "w", "bad", "none"],
            "rule": ["discount 0.9", "discount 0.9", "all for free", None],
            "product_id": ["a", "b", None, None],
            "funded_by": ["platform", "platform", None, None],
        }
    )
    (found,), notes = offers_of(table)
    assert found.products == {"a", "b"} and found.funding == {"platform": 1} and len(notes) == 1
    assert "all for free" in notes[0]


# -- laws

money = st.integers(1, 90_000).map(lambda fen: D(fen) / 100)
lines = st.lists(
    st.builds(Line, st.sampled_from("abcd"), money, st.integers(1, 4), st.sampled_from(["x", "y"])),
    min_size=1,
    max_size=4,
)
rate = st.integers(0, 100).map(lambda x: D(x) / 100)
tier = st.tuples(money, money)
rules = st.one_of(
    st.builds(Discount, rate, st.integers(1, 3)),
    st.builds(
        FullReduction, st.lists(tier, min_size=1, max_size=3).map(tuple), st.just(False), st.none() | money,
        st.sampled_from(["store", "platform"]),
    ),
    st.builds(FullReduction, st.tuples(tier), st.just(True), st.none() | money, st.sampled_from(["store", "platform"])),
    st.builds(Coupon, money, money),
    st.builds(Points, st.integers(1, 200), st.integers(1, 500).map(lambda x: D(x) / 100), rate),
)  # fmt: skip
scopes = st.sampled_from([frozenset(), frozenset({"x"}), frozenset({"y"})])
shares = st.integers(0, 1000).map(lambda x: {"merchant": D(x) / 1000, "platform": 1 - D(x) / 1000})
exclusions = st.sampled_from([frozenset()] * 3 + [frozenset({s}) for s in STAGES])


@st.composite
def offers(draw, most):
    n = draw(st.integers(0, most))
    return [
        Offer(f"o{i}", draw(rules), categories=draw(scopes), excludes=draw(exclusions), funding=draw(shares))
        for i in range(n)
    ]


@settings(max_examples=3000, deadline=None)
@given(lines, offers(5), st.integers(0, 50_000))
def test_nobody_is_paid_for_buying_and_all_parts_tie(basket, held, points):
    receipt = cheapest(basket, held, points=points)
    assert 0 <= receipt.paid <= receipt.value
    assert all(0 <= left <= line.value for left, line in zip(receipt.left, basket, strict=True))
    assert sum(receipt.left) == receipt.paid == receipt.value - receipt.off
    assert sum(receipt.by_party().values()) == receipt.off == sum(receipt.by_offer().values())
    assert all(part >= 0 and part == part.quantize(D("0.01")) for part in receipt.by_party().values())
    assert receipt.points <= points
    order = [STAGES.index(t.offer.stage) for t in receipt.taken]
    assert order == sorted(order)
    for a, b in itertools.combinations(receipt.by_offer(), 2):
        assert not a.bars(b)
    table = receipt.table()
    assert (table.value - table[list(STAGES)].sum(axis=1) == table.paid).all()


@settings(max_examples=2000, deadline=None)
@given(lines, offers(4), offers(1), st.integers(0, 20_000))
def test_one_more_promotion_to_choose_from_never_costs_more(basket, held, more, points):
    renamed = [Offer(f"more{i}", o.rule, o.products, o.categories, o.excludes, o.funding) for i, o in enumerate(more)]
    assert cheapest(basket, held + renamed, points=points).paid <= cheapest(basket, held, points=points).paid


# -- an oracle that knows nothing of the engine: whole fen, every subset, every rule written out once more


def fen_left(basket, chosen, points):
    """What is left to pay, in fen, line by line; None where the promotions may not be taken together."""
    left = [round(line.price * line.quantity * 100) for line in basket]
    covered = [{i for i, ln in enumerate(basket) if not o.categories or ln.category in o.categories} for o in chosen]
    for (i, a), (j, b) in itertools.combinations(enumerate(chosen), 2):
        if a.rule.stage == b.rule.stage and covered[i] & covered[j]:
            return None
        if b.rule.stage in a.excludes or a.rule.stage in b.excludes:
            return None
    for k in sorted(range(len(chosen)), key=lambda k: STAGES.index(chosen[k].rule.stage)):
        rule, mine = chosen[k].rule, sorted(covered[k])
        total = sum(left[i] for i in mine)
        if not mine:
            continue
        if isinstance(rule, Discount):
            units = sorted((Fraction(left[i], basket[i].quantity), i) for i in mine for _u in range(basket[i].quantity))
            off = dict.fromkeys(mine, Fraction(0))
            for price, i in units[: len(units) // rule.every]:
                off[i] += price * (1 - Fraction(rule.rate))
            for i in mine:
                left[i] -= int(off[i] + Fraction(1, 2))
            continue
        if isinstance(rule, FullReduction):
            reached = [t for t in rule.tiers if Fraction(t[0]) * 100 <= total]
            off_all = 0
            if reached:
                t, off_all = max(reached)
                off_all = Fraction(off_all) * 100 * (int(total // (Fraction(t) * 100)) if rule.repeat else 1)
            off_all = min(off_all, total, total if rule.cap is None else Fraction(rule.cap) * 100)
        elif isinstance(rule, Coupon):
            off_all = min(Fraction(rule.face) * 100, total) if total >= Fraction(rule.threshold) * 100 and total else 0
        else:
            lots = 0
            while (lots + 1) * rule.points <= points and (lots + 1) * Fraction(rule.value) * 100 <= total * Fraction(
                rule.cap
            ):
                lots += 1
            points -= lots * rule.points
            off_all = lots * Fraction(rule.value) * 100
        off_all = int(off_all + Fraction(1, 2))
        quota = {i: Fraction(off_all * left[i], total) if total else Fraction(0) for i in mine}
        parts = {i: int(q) for i, q in quota.items()}
        for i in sorted(mine, key=lambda i: (parts[i] - quota[i], i))[: off_all - sum(parts.values())]:
            parts[i] += 1
        for i in mine:
            left[i] -= parts[i]
    return left


@settings(max_examples=2000, deadline=None)
@given(lines.filter(lambda b: len(b) <= 3), offers(4), st.integers(0, 5_000))
def test_the_cheapest_way_is_that_of_a_brute_force_oracle(basket, held, points):
    ways = [
        sum(left)
        for n in range(len(held) + 1)
        for chosen in itertools.combinations(held, n)
        if (left := fen_left(basket, chosen, points)) is not None
    ]
    assert cheapest(basket, held, points=points).paid * 100 == min(ways)
