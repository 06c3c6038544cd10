"""Stories of the budget: sums to the cent, bounds, a reserve, more money never less of anything; rules without a model."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from playbook.media import budget
from playbook.media.budget.allocate import allocate, bounds, fill
from playbook.media.budget.rules import verdicts
from playbook.media.mix import Curves
from playbook.missing import Missing

UNTIL = dt.date(2026, 11, 1)
MONTHS = budget.months_after(UNTIL, 3)


def curves(size=(1000.0, 500.0, 800.0), half=(300.0, 300.0, 2000.0), draws=40, spread=0.2):
    rng = np.random.default_rng(1)
    drawn = np.exp(rng.normal(0, spread, (2, draws, len(size))))
    return Curves(tuple("abcdefgh"[: len(size)]), np.array(size) * drawn[0], np.array(half) * drawn[1])


def spent(*amounts, names="abcdefgh"):
    return pd.DataFrame({"channel": list(names[: len(amounts)]), "activity": "", "spend": [float(x) for x in amounts]})


WORTH = dict.fromkeys("abcdefgh", 0.5)


def made(of=None, *, by=None, **wish):
    return budget.plan(of if of is not None else spent(3000, 2000, 1000), by or curves(), worth=WORTH, months=MONTHS,
                       wish=budget.Wish(**wish))  # fmt: skip


shop = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0, 1e6), min_size=n, max_size=n), st.lists(st.floats(1, 1e5), min_size=n, max_size=n),
        st.lists(st.floats(1, 1e5), min_size=n, max_size=n),
    )
)  # fmt: skip


@settings(max_examples=3000, deadline=None)
@given(shop, st.floats(0, 0.5), st.floats(0.5, 2.0), st.floats(0.5, 1.5))
def test_a_budget_ties_to_the_cent_stays_within_bounds_and_holds_its_reserve(of, reserve, change, factor):
    money, size, half = of
    frame, by = spent(*money), Curves(tuple("abcdef"[: len(size)]), np.array([size]), np.array([half]))
    now = sum(round(v * sum(m.days for m in MONTHS) / budget.LATELY_DAYS * 100) for v in money) / 100
    try:
        plan = made(frame, by=by, total=now * factor, reserve=reserve, most_change=change)
    except ValueError:
        assert factor * (1 - reserve) < 1 - change + 0.01  # the least that channels keep is more than there is
        return
    assert sum(plan.after) + plan.reserve == plan.total == round(now * factor * 100)
    assert plan.reserve >= round(plan.total * reserve)
    for today, after in zip(plan.today, plan.after, strict=True):
        assert today * max(0.0, 1 - change) - 1 <= after <= today * (1 + change) + 1
        assert today > 0 or after == 0  # idle channels stay idle


@settings(max_examples=2000, deadline=None)
@given(shop, st.floats(0, 0.5))
def test_the_table_and_the_sheet_add_up_to_the_cent(of, reserve):
    money, size, half = of
    frame, by = spent(*money), Curves(tuple("abcdef"[: len(size)]), np.array([size]), np.array([half]))
    plan = made(frame, by=by, reserve=reserve, most_change=1.0)
    table = budget.table(plan)
    parts = table.iloc[:-1].drop(columns="channel")
    assert (parts.sum() == table.iloc[-1].drop("channel")).all()
    assert (parts[[m.label for m in MONTHS]].sum(axis=1) == parts["total"]).all()
    assert table["total"].iloc[-1] == Decimal(plan.total) / 100
    sheet = budget.sheet(plan, frame)
    assert sum(sheet["budget"], Decimal(0)) == Decimal(plan.total) / 100


@settings(max_examples=3000, deadline=None)
@given(shop, st.integers(0, 10**8), st.integers(0, 10**8))
def test_parts_tie_within_bounds_and_more_money_never_takes_anything_from_a_channel(of, one, other):
    money, size, half = of
    by = Curves(tuple("abcdef"[: len(size)]), np.array([size]), np.array([half]))
    low, high = bounds([round(100 * m) for m in money], most_change=0.5)
    less, more = sorted((sum(low) + one, sum(low) + other))
    a, b = (allocate(by, t, low, high, weeks=13.0, worth=np.full(len(size), 0.5)) for t in (less, more))
    assert all(x <= y for x, y in zip(a, b, strict=True))
    assert sum(a) == min(less, sum(high)) and sum(b) == min(more, sum(high))
    assert all(x <= y <= z for x, y, z in zip(low, a, high, strict=True))


@settings(max_examples=3000, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7), st.floats(0, 1e6)), min_size=1, max_size=6),
       st.integers(0, 10**8))  # fmt: skip
def test_proportions_are_kept_within_bounds_and_tie(channels, total):
    low, high = [min(a, b) for a, b, _c in channels], [max(a, b) for a, b, _c in channels]
    aim = np.array([c for *_ab, c in channels])
    if total < sum(low):
        with pytest.raises(ValueError, match="lower bounds"):
            fill(aim, total, low, high)
        return
    out = fill(aim, total, low, high)
    assert sum(out) == min(total, sum(high))
    assert all(a <= x <= b for a, x, b in zip(low, out, high, strict=True))


def test_the_split_is_the_best_of_all_that_a_search_finds():
    by, worth = curves(draws=1), np.array([0.5, 0.5, 0.5])
    low, high, total = [0, 0, 0], [10**6] * 3, 120_000
    found = allocate(by, total, low, high, weeks=1.0, worth=worth)
    value = lambda cents: float((by.sales(np.array(cents) / 100)[0] * worth).sum())  # noqa: E731
    grid = [(a, b, total - a - b) for a in range(0, total + 1, 2000) for b in range(0, total - a + 1, 2000)]
    assert value(found) >= max(map(value, grid)) - 0.5
    assert sum(found) == total


def test_by_hand_two_equal_curves_share_equally_and_the_reserve_is_a_tenth():
    by = Curves(("a", "b"), np.full((4, 2), 1000.0), np.full((4, 2), 300.0))
    plan = made(spent(3000, 1000), by=by, most_change=1.0, total=4000.0)
    assert plan.after[0] == pytest.approx(plan.after[1], rel=0.02) and plan.reserve == 40_000
    assert sum(plan.after) == 360_000 and plan.mode == "model"
    moved = budget.beside(plan).set_index("channel")
    assert moved.loc["a", "before"] == pytest.approx(2700.0) and moved["change"].sum() == pytest.approx(0.0)
    said = budget.findings(plan)[0]
    assert (
        said.verdict == "act" and "¥400.00 stay in reserve" in said.text and "beats today's split is >99%" in said.text
    )
    promised = float(np.median(budget.gain(plan)[0]))
    assert said.stake == pytest.approx(budget.KEPT * promised) and "40% of such gains came true" in said.text
    (done,) = budget.decisions(plan, due=UNTIL)
    assert (
        done.stake == pytest.approx(said.stake)
        and "most to b" in done.text
        and done.period == "2026-11-01/2027-01-31"
        and done.effect > 0
    )


def test_a_channel_that_was_paused_opens_only_when_asked_and_within_its_bound():
    of, by = spent(3000, 0, 1000), curves(size=(1000.0, 5000.0, 800.0))
    assert made(of, by=by).after[made(of).channels.index("b")] == 0
    opened = made(of, by=by, opened=("b",), opening=0.05)
    assert 0 < opened.after[opened.channels.index("b")] <= 0.05 * opened.total + 1
    kept = made(of, between={"a": (0.0, 100.0)})
    assert kept.after[kept.channels.index("a")] <= 10_000


def test_a_model_that_failed_moves_nothing_and_says_so():
    plan = budget.plan(spent(3000, 2000), curves(), worth=WORTH, months=MONTHS, verdict="FAIL")
    assert plan.mode == "held" and plan.after == plan.before and sum(plan.after) + plan.reserve == plan.total
    (said,) = budget.findings(plan)
    assert "moves no budget" in said.text and budget.decisions(plan, due=UNTIL) == []


def test_without_a_model_rules_raise_what_earned_cut_what_lost_and_say_so():
    of = pd.DataFrame({"channel": list("abc"), "roi": [0.5, -0.5, 0.0], "roi_low": [0.1, -0.9, -0.3],
                       "roi_high": [0.9, -0.1, 0.3]})  # fmt: skip
    assert verdicts(of) == {"a": "raise", "b": "cut", "c": "keep"}
    plan = budget.plan(spent(1000, 1000, 1000), None, worth=WORTH, months=MONTHS, returns=of,
                       wish=budget.Wish(reserve=0.0))  # fmt: skip
    a, b, c = plan.after
    assert plan.mode == "rules" and a / c == pytest.approx(1.2, abs=1e-4) and b / c == pytest.approx(0.8, abs=1e-4)
    (said,) = budget.findings(plan, of)
    assert "a rise and b fall" in said.text and "Too little history" in said.text
    assert budget.scenarios(spent(1000), plan, budget.Wish())["gain"].isna().all()
    assert budget.beside(plan)["sales"].isna().all()


def test_scenarios_say_which_totals_the_cap_does_not_allow():
    plan = made(most_change=0.1, reserve=0.0)
    rows = budget.scenarios(spent(3000, 2000, 1000), plan, budget.Wish(most_change=0.1, reserve=0.0)).set_index(
        "of_plan"
    )
    assert np.isnan(rows.loc[0.8, "contribution"]) and rows.loc[1.0, "total"] == plan.total / 100
    assert rows.loc[1.0, "better"] == pytest.approx((plan.earned(plan.after) > plan.earned(plan.before)).mean())
    with pytest.raises(ValueError, match="no part of a budget"):
        budget.Wish(reserve=1.0)


def test_nothing_spent_and_no_advertising_at_all():
    none = budget.plan(spent(0, 0), curves(size=(1.0, 1.0), half=(1.0, 1.0)), worth=WORTH, months=MONTHS)
    assert none.total == 0 and "Nothing was spent" in budget.findings(none)[0].text
    assert budget.forecasts(none) == [] and budget.plot_beside(budget.beside(none)) is None
    gone = budget.plan(Missing("ad_spend"), None, worth=Missing("ad_spend"), months=MONTHS)
    assert isinstance(gone, Missing) and isinstance(budget.table(gone), Missing)
    assert isinstance(budget.decisions(gone, due=UNTIL), Missing) and budget.money(gone) == {}


def test_today_counts_one_quarter_and_months_follow():
    days = pd.to_datetime(["2026-10-31", "2026-08-03", "2026-08-01", "2025-12-24"]).date
    ads = pd.DataFrame({"day": days, "platform": "p", "level": "campaign", "channel": ["a", "a", "a", "b"],
                        "campaign": ["x", "y", "x", "z"], "spend": [5.0, 3.0, 9.0, 7.0]})  # fmt: skip
    of = budget.today(ads, until=UNTIL)
    assert of.set_index(["channel", "activity"])["spend"].to_dict() == {
        ("a", "x"): 5.0,
        ("a", "y"): 3.0,
        ("b", "z"): 0.0,
    }
    assert [m.label for m in budget.months_after(dt.date(2026, 11, 15), 2)] == ["2026-12", "2027-01"]
    (next_month,) = budget.forecasts(made(spent(910)))
    assert next_month.value == pytest.approx(300.0) and next_month.period == "2026-11"


def test_the_picture_shows_before_and_after():
    of = budget.beside(made())
    ax = budget.plot_beside(of)
    drawn = {round(float(x), 4) for line in ax.lines for x in np.atleast_1d(line.get_xdata())}
    assert {round(float(x), 4) for c in ("before", "after") for x in of[c]} <= drawn
    plt.close("all")
