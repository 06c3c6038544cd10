"""The funnel: steps by hand and against a plain search, breaks, their cost, stages, carts, platforms, pictures."""

import datetime as dt
import itertools
import math

import numpy as np
import pandas as pd
import pytest

from playbook import period as periods
from playbook.findings import Finding
from playbook.methods import intervals
from playbook.missing import Missing
from playbook.outlook import Decision
from playbook.shop import shop_from
from playbook.site import funnel

OCTOBER = periods.parse("2026-10")
ABC = ("view_item", "add_to_cart", "purchase")


def events(*rows, **columns):
    """Events of rows (visitor, minutes since 1 October, name)."""
    frame = pd.DataFrame(rows, columns=["visitor_id", "at", "event"])
    frame["event_at"] = pd.Timestamp("2026-10-01") + pd.to_timedelta(frame.pop("at"), unit="min")
    return frame.assign(event_id=[str(i) for i in range(len(frame))], **columns)


SIX = events(
    ("ann", 0, "view_item"), ("ann", 2, "add_to_cart"), ("ann", 12, "purchase"),
    ("bob", 0, "view_item"), ("bob", 4, "add_to_cart"),
    ("cat", 5, "add_to_cart"), ("cat", 6, "view_item"),  # in the wrong order
    ("dan", 0, "view_item"), ("dan", 1, "view_item"),
)  # fmt: skip


def test_four_visitors_by_hand():
    frame = funnel.steps(SIX, names=ABC)
    assert frame.step.tolist() == list(ABC)
    assert frame.n.tolist() == [4, 2, 1] and frame.lost.tolist() == [0, 2, 1]
    assert frame.rate.tolist() == [1, 0.5, 0.25] and frame.step_rate.tolist() == [1, 0.5, 0.5]
    assert frame.minutes.tolist()[1:] == [3.0, 10.0]  # ann 2, bob 4; ann 10
    low, high = intervals.wilson(2, 4)
    assert (frame.rate_low[1], frame.rate_high[1]) == (low, high)


def test_all_steps_lie_within_the_window_of_the_first_and_a_later_try_counts():
    late = events(("a", 0, "view_item"), ("a", 1, "add_to_cart"), ("a", 3 * 1440, "purchase"))
    assert funnel.steps(late, names=ABC, window_days=1).n.tolist() == [1, 1, 0]
    assert funnel.steps(late, names=ABC, window_days=3).n.tolist() == [1, 1, 1]
    again = events(
        ("a", 0, "view_item"), ("a", 2 * 1440, "view_item"), ("a", 2 * 1440 + 1, "add_to_cart"),
        ("a", 2 * 1440 + 2, "purchase"),
    )  # fmt: skip
    assert funnel.steps(again, names=ABC, window_days=1).n.tolist() == [1, 1, 1]


def test_strict_allows_no_other_step_between_and_a_step_again_counts_once():
    back = events(
        ("a", 0, "view_item"), ("a", 1, "add_to_cart"), ("a", 2, "view_item"), ("a", 3, "purchase"),
        ("b", 0, "view_item"), ("b", 1, "view_item"), ("b", 2, "add_to_cart"), ("b", 3, "purchase"),
    )  # fmt: skip
    assert funnel.steps(back, names=ABC).n.tolist() == [2, 2, 2]
    assert funnel.steps(back, names=ABC, order="strict").n.tolist() == [2, 2, 1]


def furthest(rows, names, window, strict):
    """The plain search: of every try, how many steps it makes."""
    best = 0
    if strict:
        rows = [r for i, r in enumerate(rows) if i == 0 or rows[i - 1][1] != r[1]]
    for i, (start, name) in enumerate(rows):
        if name != names[0]:
            continue
        level, j = 1, i + 1
        while j < len(rows) and level < len(names):
            at, what = rows[j]
            if what == names[level] and at <= start + window:
                level += 1
            elif strict:
                break
            j += 1
        best = max(best, level)
    return best


@pytest.mark.parametrize("order", ["ordered", "strict"])
def test_a_plain_search_of_random_events_finds_the_same(order):
    rng = np.random.default_rng(5)
    rows = [
        (f"v{v}", int(rng.integers(0, 4000)), ABC[rng.integers(0, 3)])
        for v in range(300)
        for _e in range(rng.integers(1, 9))
    ]
    frame = funnel.steps(events(*rows), names=ABC, window_days=1, order=order)
    reached = []
    for _v, mine in itertools.groupby(sorted(rows, key=lambda r: (r[0], r[1], ABC.index(r[2]))), key=lambda r: r[0]):
        reached.append(furthest([(at, e) for _who, at, e in mine], ABC, 1440, order == "strict"))
    assert frame.n.tolist() == [sum(r > i for r in reached) for i in range(3)]
    assert 5 < frame.n[2] < frame.n[1] < frame.n[0]


def test_parts_are_those_of_the_first_step_and_add_up():
    device = ["phone", "phone", "phone", "desktop", "desktop", "phone", "phone", None, None]
    parts = funnel.steps(SIX.assign(device=device), names=ABC, by="device")
    counted = parts.pivot(index="device", columns="step", values="n")[list(ABC)]
    assert counted.loc["phone"].tolist() == [2, 1, 1] and counted.loc["desktop"].tolist() == [1, 1, 0]
    assert counted.loc[""].tolist() == [1, 0, 0]
    assert counted.sum().tolist() == funnel.steps(SIX, names=ABC).n.tolist()


def test_each_month_is_a_funnel_of_its_own():
    rows = events(("a", 0, "view_item"), ("a", 1, "purchase"), ("b", 31 * 1440 - 1, "view_item"),
                  ("b", 31 * 1440 + 1, "purchase"))  # fmt: skip
    names = ("view_item", "purchase")
    months = funnel.steps(rows, names=names, by="month")
    assert [(f"{r.month:%m}", r.step, r.n) for r in months.itertuples()] == [
        ("10", "view_item", 2), ("10", "purchase", 1),
    ]  # fmt: skip  # in November nobody began
    assert funnel.steps(rows, names=names).n.tolist() == [2, 2]
    assert funnel.steps(rows, names=names, within=OCTOBER).n.tolist() == [2, 1]


def test_a_step_that_never_occurs_is_left_out_and_said():
    frame = funnel.steps(SIX, names=("view_item", "begin_checkout", "purchase"))
    assert frame.step.tolist() == ["view_item", "purchase"] and frame.n.tolist() == [4, 1]
    assert "Begin checkout" in frame.attrs["notes"][0]
    assert funnel.steps(SIX.iloc[:0].astype({"visitor_id": "string", "event": "string"})).empty


def test_what_cannot_be_asked_is_refused_and_what_is_missing_stays_missing():
    with pytest.raises(ValueError, match="two steps"):
        funnel.steps(SIX, names=("view_item",))
    with pytest.raises(ValueError, match="ordered or strict"):
        funnel.steps(SIX, order="loose")
    assert isinstance(funnel.steps(Missing("events")), Missing)
    assert funnel.steps(SIX.drop(columns="visitor_id")).what == "events.visitor_id"


def test_the_change_of_each_step_with_its_interval():
    before = events(*((f"v{i}", 0, "view_item") for i in range(80)), *((f"v{i}", 1, "purchase") for i in range(48)))
    now = events(*((f"v{i}", 0, "view_item") for i in range(70)), *((f"v{i}", 1, "purchase") for i in range(56)))
    names = ("view_item", "purchase")
    row = funnel.compared(funnel.steps(now, names=names), funnel.steps(before, names=names)).iloc[1]
    assert row.before == 0.6 and row.change == pytest.approx(0.2)
    assert (round(row.change_low, 4), round(row.change_high, 4)) == (0.0524, 0.3339)  # Newcombe's own example
    (whole, moved) = funnel.findings(
        funnel.compared(funnel.steps(now, names=names), funnel.steps(before, names=names)), OCTOBER
    )
    assert moved.verdict == "hold" and "+20.0 pp" in moved.text and "80.0%" in whole.text


# -- breaks


def days(rates, n=40, span=400, seed=3):
    """Days of a step: part → rate by day."""
    rng = np.random.default_rng(seed)
    day = pd.date_range("2025-09-27", periods=span)
    parts = [
        pd.DataFrame({"day": day, "part": part, "step": "purchase", "tried": n, "done": rng.binomial(n, rate(day))})
        for part, rate in rates.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs["by"] = "device"
    return frame


def steady(level):
    return lambda day: np.full(len(day), level)


def broken(day):
    return np.where(day >= "2026-06-08", 0.5, 0.75)


def test_a_break_is_found_with_its_day_part_and_size():
    found = funnel.breaks(days({"phone": broken, "desktop": steady(0.75), "app": steady(0.75)}))
    assert len(found) == 1
    b = found.iloc[0]
    assert b.part == "phone" and b.step == "purchase"
    assert abs((b.since - pd.Timestamp("2026-06-08")).days) <= 2
    assert b.change == pytest.approx(-0.25, abs=0.03) and b.p < 1e-6
    assert b.before_low < 0.75 < b.before_high and b.after_low < 0.5 < b.after_high


def test_what_moves_all_parts_alike_is_no_break_of_one_and_is_told_of_all():
    found = funnel.breaks(days({"phone": broken, "desktop": broken}))
    assert found.part.tolist() == [""]
    season = days({"phone": lambda d: 0.6 + 0.1 * np.sin(d.dayofyear / 58), "desktop": lambda d: 0.6 + 0.1 * np.sin(
        d.dayofyear / 58)}, span=728)  # fmt: skip
    assert funnel.breaks(season).empty  # the year before moved as much


def test_nothing_is_found_where_nothing_happened():
    found = sum(
        len(funnel.breaks(days({"a": steady(0.7), "b": steady(0.7), "c": steady(0.6)}, seed=s))) for s in range(60)
    )
    assert found <= 3  # asked for 1 %: more has a chance below one in a thousand


def test_too_few_days_break_nothing_and_say_so():
    found = funnel.breaks(days({"phone": broken}, span=10))
    assert found.empty and "No step broke" in found.attrs["notes"][0]


def test_what_a_break_costs_by_hand():
    frame = days({"phone": broken, "desktop": steady(0.75)}, n=100)
    found = funnel.breaks(frame)
    values = pd.DataFrame({"part": ["phone", ""], "n": [100, 200], "mean": [200.0, 300.0], "error": [5.0, 5.0]})
    lost = funnel.loss(found, frame, values, within=OCTOBER, rng=1).iloc[0]
    assert lost.tried == 3_100
    assert lost.orders == pytest.approx(-found.change[0] * 3_100)
    assert lost.sales == pytest.approx(lost.orders * 200)
    assert lost.orders_low < lost.orders < lost.orders_high
    assert lost.orders_low < 0.25 * 3_100 < lost.orders_high  # the truth
    none = funnel.loss(found, frame, None, within=OCTOBER, rng=1).iloc[0]
    assert math.isnan(none.sales) and none.orders == lost.orders
    # the seed is all that chance has a part in
    again = funnel.loss(found, frame, values, within=OCTOBER, rng=1).iloc[0]
    assert again.orders_low == lost.orders_low


def test_a_break_is_to_act_on_and_its_repair_a_decision_scored_on_the_devices_orders():
    frame = days({"phone": broken, "desktop": steady(0.75)})
    found = funnel.breaks(frame)
    lost = funnel.loss(found, frame, None, within=OCTOBER, rng=1)
    finding, decision = funnel.broken(found, lost, OCTOBER, platform="own_site")
    assert isinstance(finding, Finding) and finding.verdict == "act" and "phone" in finding.text
    assert isinstance(decision, Decision)
    assert decision.by == {"platform": "own_site", "device": "phone"} and decision.metric == "orders_paid"
    assert (decision.due, decision.period) == (dt.date(2026, 11, 15), "2026-12")
    assert decision.effect == pytest.approx(lost.orders[0])
    assert len(funnel.broken(found, lost, OCTOBER)) == 1  # nobody says whose orders: nothing to score it on


# -- stages, carts


def stage_steps(**n):
    return pd.DataFrame({"step": list(n), "n": list(n.values())})


def test_what_a_stage_is_worth_by_hand():
    now = stage_steps(page_view=1000, view_item=600, add_to_cart=200, begin_checkout=100, purchase=50)
    values = pd.DataFrame({"part": [""], "n": [50], "mean": [200.0], "error": [0.0]})
    frame = funnel.priorities(
        now, None, values, rng=1, benchmark={"conversion": 0.6, "interest": 0.3}, effort=funnel.efforts("interest 2")
    ).set_index("stage")
    assert frame.index.tolist() == ["conversion", "consideration", "interest", "awareness"]
    assert frame.order.tolist() == [1, 2, 3, 4]
    # one point of 1,000 visitors are 10, of whom 50 in 600 buy for 200
    assert frame.per_point["awareness"] == pytest.approx(10 * 50 / 600 * 200)
    assert frame.per_point["conversion"] == pytest.approx(200)
    assert frame.stake["conversion"] == pytest.approx(100 * 0.1 * 200)
    assert frame.gap["interest"] == 0 and frame.stake["interest"] == 0  # it is above its benchmark
    assert math.isnan(frame.stake["awareness"]) and frame["rank"]["conversion"] == 1
    assert frame.stake_low["conversion"] < 2000 < frame.stake_high["conversion"]
    (finding,) = funnel.next_stage(frame.reset_index())
    assert finding.stake == pytest.approx(2000) and "conversion" in finding.text


def test_the_benchmark_is_a_good_month_of_the_shops_own():
    now = stage_steps(begin_checkout=100, purchase=50)
    months = pd.DataFrame(
        [(m, s, n) for m, k in enumerate((40, 50, 60, 70, 80)) for s, n in (("begin_checkout", 100), ("purchase", k))],
        columns=["month", "step", "n"],
    )
    assert funnel.priorities(now, months, rng=1).benchmark[0] == 0.7  # the upper quartile
    assert math.isnan(funnel.priorities(now, months[:4], rng=1).benchmark[0])  # two months are no history


def test_an_effort_is_a_stage_and_a_number():
    for wrong in ("conversion", "love 3", "conversion 0", "conversion x"):
        with pytest.raises(ValueError, match="is no effort"):
            funnel.efforts(wrong)


CARTS = events(
    ("a", 0, "add_to_cart"), ("a", 1, "begin_checkout"), ("a", 2, "purchase"),
    ("b", 0, "add_to_cart"), ("b", 5, "begin_checkout"), ("b", 2 * 1440, "purchase"),  # later, without a cart
    ("c", 0, "add_to_cart"), ("c", 0, "add_to_cart"),
    ("d", 0, "add_to_cart"), ("d", 20 * 1440, "purchase"),  # too late
    value=[50, 50, 50, 80, 90, 90, 30, 20, 150, 150],
    device=["phone"] * 6 + ["desktop"] * 4,
)  # fmt: skip


def test_carts_left_behind_by_hand():
    frame = funnel.abandonment(CARTS, within=OCTOBER, free_from=99.0)
    whole = frame[frame.cut == "all"].iloc[0]
    assert (whole.carts, whole.abandoned, whole.later) == (4, 3, 1)
    assert whole.abandonment == 0.75 and whole.value_left == 30 + 20 + 150
    assert whole.mean_value == pytest.approx((90 + 50 + 150) / 3)
    steps = frame[frame.cut == "furthest step"].set_index("part").abandoned.to_dict()
    assert steps == {"add_to_cart": 2, "begin_checkout": 1}
    device = frame[frame.cut == "device"].set_index("part")
    assert device.carts.to_dict() == {"phone": 2, "desktop": 2}
    assert frame[frame.cut == "shipping"].set_index("part").carts.to_dict() == {"charged": 3, "free": 1}


def test_the_value_that_shipping_is_free_from():
    amount = list(range(10, 210))
    orders = pd.DataFrame({"order_id": [str(i) for i in amount], "amount": amount})
    orders["shipping"] = np.where(orders.amount < 99, 8, 0)
    assert 95 <= funnel.fee_below(orders) <= 98
    assert math.isnan(funnel.fee_below(orders.assign(shipping=0)))
    assert math.isnan(funnel.fee_below(orders.assign(shipping=[8, 0] * 100)))


def test_what_fewer_carts_left_would_bring_by_hand():
    frame = funnel.what_if(funnel.abandonment(CARTS, within=OCTOBER), falls=(0.1, 0.5), rng=1)
    assert frame.abandonment.tolist() == pytest.approx([0.675, 0.375])
    assert frame.orders.tolist() == pytest.approx([3 * 0.1 * 2 / 3, 3 * 0.5 * 2 / 3])  # one in three comes anyway
    assert (frame.sales_low <= frame.sales).all() and (frame.sales <= frame.sales_high).all()
    nobody = funnel.abandonment(CARTS, within=periods.parse("2026-12"))
    assert funnel.what_if(nobody, rng=1).empty
    assert "Nobody" in funnel.left_behind(nobody, funnel.what_if(nobody, rng=1), OCTOBER)[0].text


# -- platforms


TRAFFIC = pd.DataFrame(
    {"day": pd.date_range("2026-10-01", periods=2).tolist() * 2 + [pd.Timestamp("2026-10-01")] * 2,
     "platform": ["tmall", "tmall", "jd", "jd", "tmall", "tmall"], "product_id": [None] * 4 + ["p1", None],
     "source": [None] * 4 + [None, "search"], "visitors": [100, 300, 50, 50, 90, 80], "carts": [20, 40, 1, 1, 9, 9],
     "buyers": [10, 10, 2, 2, 5, 5], "sales": [1000, 1000, 100, 100, 1, 1]}
)  # fmt: skip


def test_platforms_by_hand():
    frame = funnel.platform_steps(TRAFFIC, within=OCTOBER)
    tmall = frame[frame.platform == "tmall"].set_index("step")
    assert tmall.n.to_dict() == {"visitors": 400, "carts": 60, "buyers": 20}  # neither by product nor by source
    assert tmall.a_day["visitors"] == 200 and tmall.step_rate["carts"] == 0.15 and tmall.rate["buyers"] == 0.05
    jd = frame[frame.platform == "jd"].set_index("step")
    assert math.isnan(jd.step_rate["buyers"]) and frame.attrs["notes"]  # more bought than put into the cart
    stages = funnel.platform_priorities(frame[frame.platform == "tmall"], rng=1).set_index("stage")
    assert stages.per_point["conversion"] == pytest.approx(60 * 0.01 * 100)


def test_a_shop_with_traffic_only_gets_a_funnel_and_cards_for_the_rest():
    orders = pd.DataFrame({"order_id": ["a"], "ordered_at": pd.to_datetime(["2026-10-31"]), "amount": [1]})
    shop = shop_from(orders=orders, traffic=TRAFFIC, period="2026-10")
    parts = funnel.platform_steps(shop.traffic, within=shop.period)
    assert len(parts) == 6
    stages = funnel.platform_priorities(parts, rng=1)
    found = funnel.breaks(funnel.daily_traffic(shop.traffic, until=shop.as_of.date()))
    assert [f.verdict for f in funnel.platform_findings(parts, stages, found, shop.period)] == ["hold"]
    nothing = funnel.steps(shop.events, within=shop.period)
    assert isinstance(nothing, Missing) and isinstance(funnel.priorities(nothing, rng=1), Missing)
    assert isinstance(funnel.broken(nothing, nothing, shop.period, platform=Missing("events")), Missing)


# -- pictures


def bars(ax):
    ax.figure.canvas.draw()
    names = [t.get_text() for t in ax.get_yticklabels()]
    return dict(zip(names, [p.get_width() for p in ax.patches], strict=True))


def test_the_bars_are_the_steps():
    ax = funnel.plot_steps(funnel.steps(SIX, names=ABC))
    assert bars(ax) == {"Purchase": 1, "Add to cart": 2, "View item": 4}
    assert any("50.0%" in t.get_text() for t in ax.texts)


def test_the_picture_of_a_break_shows_its_day_and_both_rates():
    frame = days({"phone": broken, "desktop": steady(0.75)})
    found = funnel.breaks(frame)
    ax = funnel.plot_break(found, frame)
    here = ax.get_lines()[1].get_ydata()
    assert here[2] == pytest.approx(0.75, abs=0.08) and here[-2] == pytest.approx(0.5, abs=0.08)
    assert len(ax.get_lines()) == 3 and "8 Jun 2026" in [t.get_text() for t in ax.texts]
    assert funnel.plot_break(found.iloc[:0], frame) is None


def test_the_other_pictures_draw_their_numbers_and_what_is_missing_is_quiet():
    steps = funnel.steps(SIX, names=ABC)
    ax = funnel.plot_minutes(steps)
    assert sorted(line.get_xdata()[0] for line in ax.get_lines() if len(line.get_xdata()) == 1) == [3.0, 10.0]
    parts = funnel.steps(SIX.assign(device=list("aaabbaaaa")), names=ABC, by="device")
    ax = funnel.plot_parts(parts)
    assert sorted(p.get_height() for p in ax.patches) == sorted(parts[parts.step != "view_item"].step_rate)
    carts = funnel.abandonment(CARTS, within=OCTOBER)
    ax = funnel.plot_abandonment(carts)
    points = [line.get_xdata()[0] for line in ax.get_lines() if len(line.get_xdata()) == 1]
    assert points == carts[carts.cut == "device"].abandonment.tolist()[::-1]
    ax = funnel.plot_platforms(funnel.platform_steps(TRAFFIC, within=OCTOBER))
    assert [round(p.get_width(), 4) for p in ax.patches] == [0.0, 0.02, 0.3333, 0.15]
    for plot in (funnel.plot_steps, funnel.plot_parts, funnel.plot_abandonment):
        assert repr(plot(Missing("events"))) == ""
