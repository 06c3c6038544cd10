"""Pacing and cadence: the plan of the last edition, the projection by hand, and what belongs to which round."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.period import parse
from playbook.tracking import cadence, pacing

PROMOTIONS = pd.DataFrame(
    {
        "promotion_id": ["s25", "s26", "points", "m26"],
        "name": ["Sale 2025", "Sale 2026", "Points", "Masks 2026"],
        "starts_at": pd.to_datetime(["2025-06-01", "2026-06-01", "2026-01-01", "2026-06-03"]),
        "ends_at": pd.to_datetime(["2025-06-10", "2026-06-10", "2026-12-31", "2026-06-05"]),
        "kind": ["discount", "discount", "points", "discount"],
        "category": [None, None, None, "mask"],
    }
)
JUNE = parse("2026-06-01/2026-06-05")
AS_OF = dt.datetime(2026, 6, 6)


def orders(pace=1.0):
    """Ten orders of 10 a day; twenty in a sale, and in the last one so many times as many."""
    rows = []
    for day in pd.date_range("2025-04-01", "2026-06-05"):
        n = 10
        if dt.date(2025, 6, 1) <= day.date() <= dt.date(2025, 6, 10):
            n = 20
        if day.date() >= dt.date(2026, 6, 1):
            n = round(20 * pace)
        rows += [(day, 10.0)] * n
    return pd.DataFrame(rows, columns=["paid_at", "amount"])


def ends(pace=1.0, **more):
    plans = pacing.running(PROMOTIONS, JUNE)
    plans = plans[plans["promotion_id"] == "s26"]
    return plans, pacing.projected(pacing.pace(plans, orders(pace), as_of=AS_OF, **more))


def test_what_runs_has_its_last_edition_and_standing_offers_are_left_out():
    plans = pacing.running(PROMOTIONS, JUNE).set_index("promotion_id")
    assert list(plans.index) == ["s26", "m26"]
    assert plans.earlier_id.to_dict() == {"s26": "s25", "m26": ""}
    assert pacing.span(plans, JUNE).start == dt.date(2025, 6, 1)
    nothing = pacing.running(PROMOTIONS, parse("2024-06"))
    assert nothing.empty and "No promotion" in nothing.attrs["notes"][0]


def test_a_campaign_as_the_last_one_is_on_plan_by_hand():
    plans, told = ends()
    row = told.set_index("metric").loc["orders_paid"]
    assert (row.days_gone, row.days_left, row.planned_so_far, row.actual_so_far, row.planned) == (5, 5, 100, 100, 200)
    assert row.projected == pytest.approx(200) and row.low < 200 < row.high
    assert (row.state, row.basis, row.needed) == ("on plan", "earlier", pytest.approx(1))
    coming = pacing.forecasts(told, plans)
    assert [(f.metric, f.period) for f in coming] == [
        ("orders_paid", "2026-06-01/2026-06-10"),
        ("paid_sales", "2026-06-01/2026-06-10"),
    ]
    (said,) = pacing.findings(told)
    assert said.verdict == "hold" and "“Sale 2026” is on plan." in said.text


def test_a_campaign_at_half_its_pace_is_behind_and_says_what_the_rest_must_do():
    _plans, told = ends(0.5)
    row = told.set_index("metric").loc["paid_sales"]
    assert (row.actual_so_far, row.planned) == (500, 2000) and 1000 < row.projected < 1250
    assert row.state == "behind"
    assert row.needed == pytest.approx(1500 / 500)  # 1,500 are lacking, at this pace 500 would come
    (said,) = pacing.findings(told)
    assert said.verdict == "act" and "3.00 times the pace" in said.text
    assert said.stake == pytest.approx(row.planned - row.projected)


def test_the_shops_own_plan_counts_before_the_last_edition():
    own = pd.DataFrame({"promotion_id": ["s26"], "metric": ["orders_paid"], "target": [120.0]})
    _plans, told = ends(own=own)
    row = told.set_index("metric").loc["orders_paid"]
    assert (row.planned, row.basis, row.state) == (120, "own", "ahead")


def test_participants_are_counted_once_a_campaign():
    contacts = pd.DataFrame(
        {"campaign": ["s26", "s26", "s26", "s25"], "person": ["a", "a", "b", "a"], "took_part": [True, True, False, True],
         "at": pd.to_datetime(["2026-06-01", "2026-06-02", "2026-06-02", "2025-06-01"])}
    )  # fmt: skip
    _plans, told = ends(contacts=contacts)
    row = told.set_index("metric").loc["participants"]
    assert (row.actual_so_far, row.planned) == (1, 1)


def test_a_campaign_without_plan_or_earlier_edition_is_followed_and_not_judged():
    plans = pacing.running(PROMOTIONS, JUNE)
    items = pd.DataFrame({"order_id": ["1"], "product_id": ["m"], "amount": [5.0]})
    goods = pd.DataFrame({"product_id": ["m"], "category": ["mask"]})
    bought = pd.DataFrame({"order_id": ["1"], "paid_at": pd.to_datetime(["2026-06-04"]), "amount": [9.0]})
    told = pacing.projected(
        pacing.pace(plans[plans.promotion_id == "m26"], bought, as_of=AS_OF, order_items=items, products=goods)
    )
    sales = told.set_index("metric").loc["paid_sales"]
    assert (sales.actual_so_far, sales.days_left) == (5, 0) and math.isnan(sales.planned)
    assert [f.verdict for f in pacing.findings(told)] in ([], ["hold"])


def test_what_is_lacking_is_said_by_a_card():
    nothing = pacing.running(Missing("promotions"), JUNE)
    told = pacing.projected(pacing.pace(nothing, orders(), as_of=AS_OF))
    assert isinstance(told, Missing) and isinstance(pacing.findings(told), Missing)
    assert pacing.forecasts(told, nothing) == []


def test_intervals_hold_what_came_as_often_as_they_say():
    """Eighty campaigns whose level is off by a quarter, and whose days by a fifth, about their plan."""
    rng, inside, width = np.random.default_rng(5), [], []
    for _run in range(300):
        daily = 100 * np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.2, 12))
        gone = int(rng.integers(1, 9))
        paces = pd.DataFrame(
            {"promotion_id": "x", "name": "x", "metric": "paid_sales", "unit": "currency",
             "day": pd.date_range("2026-06-01", periods=12), "planned": 100.0 * np.arange(1, 13), "basis": "own",
             "actual": np.where(np.arange(12) < gone, daily.cumsum(), np.nan)}
        )  # fmt: skip
        row = pacing.projected(paces).iloc[0]
        inside.append(row.low <= daily.sum() <= row.high)
        width.append((row.high - row.low) / daily.sum())
    assert 0.75 < np.mean(inside) < 0.93, (np.mean(inside), np.median(width))
    assert np.median(width) < 0.35


def test_the_picture_draws_plan_and_days():
    plans, told = ends(0.5)
    paces = pacing.pace(plans, orders(0.5), as_of=AS_OF)
    axes = pacing.plot_pace(paces, told)
    planned, actual = axes[0].lines[:2]
    assert planned.get_ydata()[-1] == 200 and np.nanmax(actual.get_ydata()) == 50


# -- cadence


@pytest.mark.parametrize(
    ("text", "name"),
    [("2026-10-31/2026-10-31", "daily"), ("2026-W42", "weekly"), ("2026-10", "monthly"), ("2026-Q3", "quarterly")],
)
def test_the_length_of_a_period_speaks_of_its_round(text, name):
    assert cadence.of("", parse(text)).name == name


def test_a_longer_round_holds_the_shorter_ones():
    sizes = [len(cadence.agenda(c)) for c in cadence.CADENCES.values()]
    assert sizes == sorted(sizes) and sizes[0] == 2 and len(set(sizes)) == 4
    assert set(cadence.agenda(cadence.CADENCES["daily"])["cadence"]) == {"daily"}
    with pytest.raises(ValueError, match="'hourly'; write one of: daily, weekly, monthly, quarterly"):
        cadence.of("hourly", parse("2026-10"))


def test_plans_of_the_whole_shop_and_of_a_category_stand_side_by_side():
    lines = pd.DataFrame({"order_id": ["a", "b"], "product_id": ["m", "x"], "amount": [4.0, 6.0]})
    sold = pd.DataFrame(
        {"order_id": ["a", "b"], "paid_at": pd.to_datetime(["2026-06-03", "2026-06-04"]), "amount": [4.0, 6.0]}
    )
    goods = pd.DataFrame({"product_id": ["m", "x"], "category": ["mask", "serum"]})
    paces = pacing.pace(pacing.running(PROMOTIONS, JUNE), sold, as_of=AS_OF, order_items=lines, products=goods)
    came = paces[paces["metric"] == "paid_sales"].groupby("promotion_id")["actual"].max()
    assert came.to_dict() == {"m26": 4.0, "s26": 10.0}


def over_and_done(totals, planned=100.0, days=10):
    """Campaigns that are over, even days, of which so much came."""
    rows = [
        {"promotion_id": str(i), "name": str(i), "metric": "paid_sales", "unit": "currency", "day": d, "basis": "own",
         "planned": planned * (k + 1) / days, "actual": total * (k + 1) / days}
        for i, total in enumerate(totals)
        for k, d in enumerate(pd.date_range("2025-01-01", periods=days))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_intervals_are_as_wide_as_campaigns_ended_from_their_plan_by_hand():
    far = pacing.spreads(over_and_done([200.0, 50.0] * 3))["paid_sales"]
    guess = pacing.GUESS
    assert far.campaigns == 6
    assert far.plan == pytest.approx(math.sqrt((6 * math.log(2) ** 2 + 4 * guess.plan**2) / 10))
    assert far.day == pytest.approx(math.sqrt(4 * guess.day**2 / 10))  # their days were as even as their plans'
    assert far.shape == pytest.approx(math.sqrt(4 * guess.shape**2 / 10))
    near = pacing.spreads(over_and_done([100.0] * 6))
    paces = pacing.pace(pacing.running(PROMOTIONS, JUNE).head(1), orders(), as_of=dt.datetime(2026, 6, 1))
    wide, narrow = (
        pacing.projected(paces, s).set_index("metric").loc["paid_sales"] for s in ({"paid_sales": far}, near)
    )
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert "6 campaigns" in pacing.projected(paces, near).attrs["notes"][-1]
    nothing = pacing.spreads(over_and_done([100.0]).assign(planned=np.nan))
    assert nothing == {} and isinstance(pacing.spreads(Missing("promotions")), Missing)


def test_campaigns_that_are_over_had_one_before_them():
    assert pacing.over(PROMOTIONS, parse("2026-07"))["promotion_id"].tolist() == ["s26"]
    assert pacing.over(PROMOTIONS, JUNE).empty  # it still runs, and the one before it was the first
