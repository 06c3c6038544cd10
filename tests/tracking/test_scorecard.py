"""Stories of the scorecard: verdicts by their thresholds, movers by hand, and pictures that draw the numbers."""

import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from playbook import style
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from
from playbook.tracking import scorecard

OCTOBER = parse("2026-10")


@pytest.fixture(autouse=True)
def look():
    with matplotlib.rc_context():
        style.apply()
        yield
    plt.close("all")


def headline(value, previous, year_ago=math.nan, refund=None):
    """Net sales, and a refund rate now and before."""
    rows = [("net_sales", "currency", value, previous, value / previous - 1 if previous > 0 else math.nan, year_ago)]
    if refund:
        rows.append(("refund_rate", "share", *refund, refund[0] - refund[1], math.nan))
    frame = pd.DataFrame(rows, columns=["metric", "unit", "value", "previous", "change", "year_ago"])
    frame["change_year_ago"] = frame.value / frame.year_ago - 1
    frame.attrs = {"currency": "CNY", "by": []}
    return frame


# -- what deserves attention


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(89_900, "act"), (90_100, "watch"), (96_900, "watch"), (97_100, "hold"), (100_000, "hold"), (150_000, "hold")],
)
def test_the_verdict_follows_the_thresholds(value, verdict):
    (finding,) = scorecard.findings(headline(value, 100_000), OCTOBER)
    assert finding.verdict == verdict
    assert finding.stake == abs(value - 100_000)
    assert [(f.name, f.value, f.unit) for f in finding.figures] == [("net_sales", value, "currency")]


def test_the_thresholds_can_be_moved():
    frame = headline(85_000, 100_000)
    assert scorecard.findings(frame, OCTOBER)[0].verdict == "act"
    assert scorecard.findings(frame, OCTOBER, act_below=-0.2)[0].verdict == "watch"
    assert scorecard.findings(frame, OCTOBER, act_below=-0.3, watch_below=-0.2)[0].verdict == "hold"


def test_the_sentence_says_how_much_and_against_what():
    text = scorecard.findings(headline(85_000, 100_000), OCTOBER)[0].text
    assert text == "Net sales in October 2026 were ¥85,000, −15.0% against September 2026."
    text = scorecard.findings(headline(85_000, 100_000, 80_000), OCTOBER)[0].text
    assert text == "Net sales in October 2026 were ¥85,000, −15.0% against September 2026 and +6.3% against a year ago."


def test_without_an_earlier_period_the_sentence_compares_with_nothing():
    (finding,) = scorecard.findings(headline(85_000, math.nan), OCTOBER)
    assert (finding.verdict, finding.stake) == ("hold", None)
    assert "¥85,000" in finding.text and "no whole earlier period" in finding.text


def test_after_a_period_that_sold_nothing_the_sentence_still_says_something():
    (finding,) = scorecard.findings(headline(85_000, 0.0), OCTOBER)
    assert finding.stake == 85_000 and "¥85,000" in finding.text
    assert style.UNKNOWN not in finding.text


def test_a_fall_below_zero_after_a_loss_is_no_reason_to_hold():
    (finding,) = scorecard.findings(headline(-50_000, -1_000), OCTOBER)
    assert finding.verdict != "hold"


def test_a_refund_rate_that_rose_by_a_point_is_to_watch_and_costs_the_rise():
    # 10,000 sold, 1,500 given back: net 8,500; at the old 10 % it would have been 1,000
    first, second = scorecard.findings(headline(8_500, 8_600, refund=(0.15, 0.10)), OCTOBER)
    assert first.verdict == "hold" and second.verdict == "watch"
    assert second.stake == pytest.approx(500)
    for words in ("¥15.00", "¥10.00", "¥500"):
        assert words in second.text
    assert [(f.name, f.value) for f in second.figures] == [("refund_rate", 0.15)]
    assert len(scorecard.findings(headline(8_500, 8_600, refund=(0.1099, 0.10)), OCTOBER)) == 1
    assert len(scorecard.findings(headline(8_500, 8_600, refund=(0.05, 0.10)), OCTOBER)) == 1
    assert len(scorecard.findings(headline(8_500, math.nan, refund=(0.15, math.nan)), OCTOBER)) == 1


def test_everything_returned_costs_nothing_that_can_be_told_and_does_not_break():
    found = scorecard.findings(headline(0.0, 8_600, refund=(1.0, 0.10)), OCTOBER)
    assert found[0].verdict == "act" and all(math.isfinite(f.stake) for f in found)


# -- movers


def parts(by, **moved):
    """Net sales by a breakdown: name = (value, previous)."""
    frame = pd.DataFrame([(name, *pair) for name, pair in moved.items()], columns=[by, "value", "previous"])
    frame.insert(1, "metric", "net_sales")
    frame.attrs = {"by": [by], "currency": "CNY", "titles": {"net_sales": "Net sales"}}
    return frame


def test_the_largest_fall_and_the_largest_rise_of_each_breakdown_by_hand():
    regions = parts("region", 广东=(700.0, 1000.0), 浙江=(650.0, 500.0), 上海=(490.0, 500.0))
    platforms = parts("platform", tmall=(900.0, 1000.0), jd=(940.0, 1000.0))
    found = scorecard.movers([regions, platforms])
    assert [(f.verdict, f.stake, f.figures[0].by) for f in found] == [
        ("watch", 300, {"region": "广东"}),
        ("hold", 150, {"region": "浙江"}),
        ("watch", 100, {"platform": "tmall"}),  # both fell: nothing grew
    ]
    assert "广东" in found[0].text and "¥300" in found[0].text and "lost the most by region" in found[0].text
    assert "grew the most by region" in found[1].text
    assert [f.figures[0].value for f in found] == [-300, 150, -100]


def test_small_moves_are_not_worth_a_sentence():
    calm = parts("region", 广东=(990.0, 1000.0), 浙江=(1010.0, 1000.0))  # 10 of 2,000 is half a per cent
    assert scorecard.movers([calm]) == []
    assert len(scorecard.movers([calm], at_least=0.005)) == 2
    assert len(scorecard.movers([calm], at_least=0.0051)) == 0


def test_what_is_not_stated_is_no_part_and_one_part_alone_is_no_mover():
    assert scorecard.movers([parts("region", **{"": (0.0, 900.0), "广东": (100.0, 500.0)})]) == []
    assert scorecard.movers([parts("region", **{"广东": (100.0, 500.0)})]) == []
    found = scorecard.movers([parts("region", **{"": (0.0, 900.0), "广东": (100.0, 500.0), "浙江": (500.0, 500.0)})])
    assert [f.figures[0].by["region"] for f in found] == ["广东"]


def test_a_missing_breakdown_is_passed_over_and_what_is_not_known_does_not_count():
    found = scorecard.movers([Missing("orders.region"), parts("platform", tmall=(100.0, 500.0), jd=(1.0, 1.0))])
    assert [f.figures[0].by["platform"] for f in found] == ["tmall"]
    assert scorecard.movers([parts("platform", tmall=(100.0, math.nan), jd=(1.0, math.nan))]) == []


def test_a_platform_that_stopped_selling_is_the_one_that_lost_the_most():
    at = pd.to_datetime(["2026-08-01", "2026-09-05", "2026-09-06", "2026-10-03", "2026-10-31"])
    orders = pd.DataFrame({"order_id": list("abcde"), "ordered_at": at, "amount": [1, 900, 70, 100, 30]})
    orders["platform"] = ["tmall", "pdd", "tmall", "tmall", "jd"]
    shop = shop_from(period="2026-10", orders=orders)
    found = scorecard.movers([measure(shop, ["net_sales"], by=["platform"], compare=True)])
    assert ("watch", 900, {"platform": "pdd"}) in [(f.verdict, f.stake, f.figures[0].by) for f in found]


# -- pictures


@pytest.fixture(scope="module")
def shop():
    at = pd.to_datetime(["2026-08-31", "2026-09-05", "2026-09-30", "2026-10-03", "2026-10-12", "2026-10-31"])
    orders = pd.DataFrame({"order_id": list("abcdef"), "ordered_at": at, "amount": [1, 400, 70, 100, 250, 30]})
    return shop_from(
        period="2026-10", orders=orders.assign(region=["广东", "广东", None, "浙江", "广东", "上海"], platform="jd")
    )


@pytest.fixture(scope="module")
def daily(shop):
    return measure(shop, ["net_sales", "orders_paid", "aov"], by=["day"], compare=True)


def data(line):
    return [mdates.num2date(x).day for x in mdates.date2num(line.get_xdata())], list(line.get_ydata())


@pytest.mark.parametrize("metric", ["net_sales", "orders_paid"])
def test_the_lines_are_the_days(daily, metric):
    ax = scorecard.plot_daily(daily, metric=metric)
    rows = daily[daily.metric == metric]
    before, now = ax.get_lines()
    assert data(now) == (list(range(1, 32)), rows.value.tolist())
    assert data(before) == (list(range(1, 31)), rows.previous.tolist()[:30])  # September has 30 days
    assert now.get_linewidth() > before.get_linewidth() and now.get_color() != before.get_color()
    assert ax.get_ylim()[0] <= 0 and ax.get_ylim()[1] > max(rows.value.max(), rows.previous.max())
    assert ax.get_title(loc="left") == f"{daily.attrs['titles'][metric]} by day"
    texts = [t.get_text() for t in ax.texts]
    assert "this period" in texts and "period before" in texts
    assert any(t.startswith("12 Oct 2026: ") for t in texts) or metric == "orders_paid"


def test_without_a_period_before_there_is_one_line(shop):
    ax = scorecard.plot_daily(measure(shop, ["net_sales"], by=["day"]))
    assert len(ax.get_lines()) == 1 and "period before" not in [t.get_text() for t in ax.texts]


def test_days_on_which_nothing_can_be_told_do_not_break_the_picture(shop):
    nothing = measure(shop, ["aov"], by=["day"], period="2026-09-06/2026-09-20")
    assert nothing.value.isna().all()
    ax = scorecard.plot_daily(nothing, metric="aov")
    assert ax is None or not any(np.isfinite(line.get_ydata()).any() for line in ax.get_lines())


def test_the_bars_are_the_parts_and_the_marks_what_they_were(shop):
    frame = measure(shop, ["net_sales"], by=["region"], compare=True)
    ax = scorecard.plot_parts(frame)
    ax.figure.canvas.draw()
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    drawn = dict(zip(names, [bar.get_width() for bar in ax.patches], strict=True))
    assert {"广东": 250, "浙江": 100, "上海": 30}.items() <= drawn.items()
    rows = frame.sort_values("value")
    marks = [line.get_xdata()[0] for line in ax.get_lines()]
    assert marks == rows.previous.tolist()
    assert all(line.get_xdata()[0] == line.get_xdata()[1] for line in ax.get_lines())
    assert names[-1] == "广东"  # the largest on top


def test_only_the_largest_parts_are_drawn_and_what_is_not_stated_has_words():
    frame = parts("region", **{f"r{i:02d}": (float(i), 1.0) for i in range(30)}, **{"": (99.0, 1.0)})
    frame = frame.assign(unit="currency", change=frame.value - 1)
    ax = scorecard.plot_parts(frame, top=5)
    ax.figure.canvas.draw()
    assert [bar.get_width() for bar in ax.patches] == [26, 27, 28, 29, 99]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["r26", "r27", "r28", "r29", "not stated"]


def test_one_part_is_no_picture_and_a_missing_one_shows_nothing(shop):
    assert scorecard.plot_parts(measure(shop, ["net_sales"], by=["platform"], compare=True)) is None
    for plot in (scorecard.plot_parts, scorecard.plot_daily):
        silent = plot(Missing("orders.region"))
        assert isinstance(silent, Missing) and repr(silent) == ""


def test_the_trend_of_a_figure_is_its_days(shop, daily):
    names = ["net_sales", "orders_paid", "aov"]
    tiles = measure(shop, names, compare=True)
    found = scorecard.with_trend(tiles, daily)
    assert list(found.attrs["sparklines"]) == names
    assert found.attrs["sparklines"]["net_sales"] == daily[daily.metric == "net_sales"].value.tolist()
    assert "sparklines" not in tiles.attrs
    pd.testing.assert_frame_equal(found, tiles)


def test_the_headline_is_measurable():
    orders = pd.DataFrame({"order_id": ["a"], "ordered_at": pd.to_datetime(["2026-10-31"]), "amount": [1]})
    frame = measure(shop_from(orders=orders), scorecard.HEADLINE)
    assert set(frame.metric) | set(frame.attrs["missing"]) == set(scorecard.HEADLINE)
