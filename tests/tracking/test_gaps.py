"""Stories of gaps: targets by hand, and a split of the gap that adds up to the cent."""

import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from playbook.data.quality import Gate
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from
from playbook.tracking import drivers, gaps

OCTOBER = parse("2026-10")
QUARTER = parse("2026-Q4")


def targets(*rows):
    columns = ["metric", "period", "target", "recorded_at", "platform", "channel"]
    return pd.DataFrame(rows, columns=columns).assign(recorded_at=lambda f: pd.to_datetime(f.recorded_at))


AIM = targets(
    ("net_sales", "2026-10", 9_000, "2026-09-01", None, None),
    ("net_sales", "2026-10", 12_000, "2026-09-20", None, None),  # the later one counts
    ("orders_paid", "2026-10", 100, "2026-09-01", None, None),
    ("net_sales", "2026-10", 5_000, "2026-09-01", "jd", None),
    ("ad_spend", "2026-10", 700, "2026-09-01", None, "search"),
)


def measured(rows, by=("platform",), against="year_ago"):
    """As `measure` gives it: by platform paid sales, orders, returns, visitors a day; now and then."""
    out = []
    for place, now, then in rows:
        for which, name in enumerate(("paid_sales", "orders_paid", "returns", "daily_visitors")):
            out.append((place, name, now[which], then[which]))
        out.append((place, "net_sales", now[0] - now[2], then[0] - then[2]))
    frame = pd.DataFrame(out, columns=["platform", "metric", "value", against])
    frame["unit"] = "currency"
    frame["previous" if against == "year_ago" else "year_ago"] = np.nan
    frame.attrs = {"by": list(by), "currency": "CNY", "titles": {"net_sales": "Net sales"}}
    return frame if by else frame.drop(columns="platform")


TWO = [
    ("jd", (4_000.0, 40.0, 200.0, 10.0), (6_000.0, 60.0, 300.0, 10.0)),
    ("tmall", (5_000.0, 25.0, 0.0, 20.0), (4_000.0, 40.0, 0.0, 10.0)),
]


def test_the_gap_is_split_exactly_and_each_driver_by_hand():
    frame = gaps.gap(AIM, measured(TWO), OCTOBER)
    effects = frame.set_index("metric").effect
    assert frame.attrs["before"] == 12_000 and frame.attrs["after"] == 8_800
    assert effects.sum() == pytest.approx(8_800 - 12_000, abs=1e-9)
    assert list(effects.index) == ["traffic", "mix", "conversion", "aov", "returns"]
    # the plan: a year ago 9,700, grown to 12,000; its 100 orders are those of the target
    plan = frame.set_index("metric").target
    growth = 12_000 / 9_700
    assert plan["aov"] == pytest.approx(10_000 * growth / 100)
    assert plan["conversion"] == pytest.approx(100 / (20 * 31))  # as a year ago
    assert plan["traffic"] == pytest.approx(20 * 31)  # 100 orders were 100 then too: no more visitors are needed
    assert effects["returns"] == pytest.approx(300 * growth - 200)
    # jd lost half of its share and tmall's orders are worth more: traffic is up by half, so its effect is a gain
    assert effects["traffic"] > 0 > effects["conversion"]


def test_orders_alone_stand_for_traffic_and_conversion_and_the_page_says_so():
    rows = [("", (900.0, 9.0, 0.0, math.nan), (1_000.0, 10.0, 0.0, math.nan))]
    aim = targets(("net_sales", "2026-10", 2_000, "2026-09-01", None, None))
    frame = gaps.gap(aim, measured(rows, by=()), OCTOBER)
    assert frame.metric.tolist() == ["orders", "aov"]
    assert frame.effect.tolist() == pytest.approx([-1_100, 0])  # 9 orders for 20, each worth 100 as planned
    assert frame.target.tolist() == pytest.approx([20, 100])
    assert frame.attrs["notes"] == ["REVIEW: no traffic data: orders stand for visitors and conversion."]
    said = [f.text for f in gaps.findings(frame)]
    assert "−¥1,100 (−55.0%) from their target of ¥2,000" in said[0] and "“Orders” (−¥1,100)" in said[0]
    assert gaps.findings(frame)[0].verdict == "act" and gaps.findings(frame)[0].stake == 1_100
    assert "REVIEW" in said[-1]


def test_without_a_year_ago_the_period_before_is_the_plan_and_without_either_nothing_is_said():
    frame = gaps.gap(AIM, measured(TWO, against="previous"), OCTOBER)
    assert frame.attrs["reference"] == "previous" and frame.effect.sum() == pytest.approx(-3_200)
    nothing = measured(TWO).assign(year_ago=np.nan)
    assert isinstance(gaps.gap(AIM, nothing, OCTOBER), Missing)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_came_the_effects_add_up(seed):
    rng = np.random.default_rng(seed)
    places = [f"p{i}" for i in range(rng.integers(1, 5))]

    def some():
        orders = float(rng.integers(0, 50))
        seen = rng.choice([math.nan, 0.0, float(rng.integers(1, 40))])
        return (orders * float(rng.integers(1, 300)), orders, float(rng.integers(0, 99)), seen)

    rows = [(p, some(), some()) for p in places]
    rows[0] = (rows[0][0], rows[0][1], (5_000.0, 20.0, 10.0, 8.0))  # something was sold a year ago
    frame = gaps.gap(AIM, measured(rows), OCTOBER)
    assert np.isfinite(frame.effect).all()
    assert frame.effect.sum() == pytest.approx(frame.attrs["after"] - 12_000, abs=1e-6)


def test_slices_are_those_furthest_from_their_part_of_the_plan():
    gapped = gaps.gap(AIM, measured(TWO), OCTOBER)
    part = pd.DataFrame({"category": ["a", "b", ""], "metric": "net_sales", "value": [2_000.0, 6_800, 0]})
    part = part.assign(year_ago=[4_700.0, 5_000, 0])
    part.attrs = {"by": ["category"]}
    told = gaps.slices(gapped, [part, Missing("orders.region")])
    growth = 12_000 / 9_700
    assert told.slice.tolist() == ["a"]  # b is above its part, and the whole is below
    assert told.effect.tolist() == pytest.approx([2_000 - 4_700 * growth])
    found = gaps.findings(gapped, told, Gate("REVIEW", ("Half of the rows say no region.",), {}))
    assert [f.verdict for f in found] == ["act", "watch", "watch"]
    assert "Half of the rows say no region." in found[2].text


def test_targets_by_platform_and_channel_stand_beside_what_came():
    total = measured([("", (12_600.0, 110.0, 600.0, 9.0), (1.0, 1.0, 0.0, 1.0))], by=())
    spend = pd.DataFrame({"channel": ["search", "live"], "metric": "ad_spend", "unit": "currency", "value": [350.0, 9]})
    spend.attrs = {"by": ["channel"], "currency": "CNY", "titles": {"ad_spend": "Advertising"}}
    told = gaps.progress(AIM, [total, measured(TWO), spend, Missing("x")], OCTOBER)
    reached = told.set_index(["metric", "platform", "channel"]).reached
    assert reached.to_dict() == pytest.approx(
        {("ad_spend", "", "search"): 0.5, ("net_sales", "", ""): 1.0, ("net_sales", "jd", ""): 3_800 / 5_000,
         ("orders_paid", "", ""): 1.1}
    )  # fmt: skip


def test_a_quarter_is_the_sum_of_its_months_or_has_no_target():
    months = [("net_sales", f"2026-{m}", 1_000 * m, "2026-09-01", None, None) for m in (10, 11, 12)]
    rows = [("", (900.0, 9.0, 0.0, math.nan), (1_000.0, 10.0, 0.0, math.nan))]
    assert gaps.gap(targets(*months), measured(rows, by=()), QUARTER).attrs["before"] == 33_000
    assert isinstance(gaps.gap(targets(*months[:2]), measured(rows, by=()), QUARTER), Missing)


def test_no_target_for_the_period_and_no_targets_at_all_are_cards():
    for aims in (AIM, targets()):
        card = gaps.gap(aims, measured(TWO), parse("2026-09"))
        assert isinstance(card, Missing) and "September 2026" in card.sentence()
    gone = gaps.gap(Missing("targets"), measured(TWO), OCTOBER)
    assert isinstance(gone, Missing) and gone.what == "targets"
    assert isinstance(gaps.progress(Missing("targets"), [], OCTOBER), Missing)
    assert isinstance(gaps.findings(gaps.slices(gone, [])), Missing)


def test_targets_of_platforms_stand_in_for_a_total_that_nobody_wrote():
    aim = targets(
        ("net_sales", "2026-10", 5_000, "2026-09-01", "jd", None),
        ("net_sales", "2026-10", 3_000, "2026-09-01", "tmall", None),
    )
    assert gaps.gap(aim, measured(TWO), OCTOBER).attrs["before"] == 8_000


def test_a_real_measurement_goes_through_and_the_picture_draws_the_effects():
    when = ["2025-10-01", "2025-10-06", "2026-10-03", "2026-10-04"]
    orders = pd.DataFrame({"order_id": list("abcd"), "ordered_at": pd.to_datetime(when), "amount": [100, 100, 90, 60]})
    shop = shop_from(period="2026-10", orders=orders)
    frame = gaps.gap(AIM, measure(shop, gaps.MEASURED, compare=True), shop.period)
    assert frame.effect.sum() == pytest.approx(150 - 12_000)
    ax = drivers.plot_net_sales_change(frame)
    assert sorted(b.get_width() for b in ax.patches) == pytest.approx(sorted(frame.effect))
    assert ax.get_title() + ax.get_title("left") == "What leads from the target of ¥12.0K to net sales of ¥150.00"
    plt.close("all")
