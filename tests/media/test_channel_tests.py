"""Channels tried, scaled and left: by hand, by both readings, and where there is nothing to compare with."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from playbook.media import channel_tests
from playbook.media.channel_tests import Rules
from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from

MONTHS = pd.date_range("2026-01-01", periods=6, freq="MS")


def daily(roas, *, spend=100.0, months=MONTHS):
    """Days on which each channel spends and returns alike; None: it does not spend in that month, or is not there."""
    lines = []
    for channel, of_month in roas.items():
        for month, value in zip(months, of_month, strict=True):
            for day in pd.date_range(month, periods=month.days_in_month):
                cost = 0.0 if value is None else spend
                lines.append((channel, day, cost, cost * (value or 0.0), 1.0))
    frame = pd.DataFrame(lines, columns=["channel", "day", "spend", "sales", "orders"])
    frame = frame[(frame["spend"] > 0) | (frame["channel"] == "a")].reset_index(drop=True)
    end = months[-1] + pd.offsets.MonthBegin(1)
    frame.attrs = {"notes": [], "by_claims": [], "first_day": months[0], "until": end}
    return frame


def target(value=1.5):
    return channel_tests.targets(None, default=value)


NEW = [None, None, None]


def test_a_new_channel_is_held_against_the_mean_of_the_others_by_both_readings():
    (line,) = channel_tests.entry(daily({"a": [1.5] * 6, "b": [*NEW, 1.8, 1.8, 1.8]})).to_dict("records")
    assert line["channel"] == "b" and line["cycles"] == 3 and line["began"] == pd.Timestamp("2026-04-01")
    assert (line["others"], line["line"], line["line_other"]) == pytest.approx((1.5, 1.725, 0.225))
    assert line["call"] == "enter" and line["margin"] == pytest.approx(1.8 / 1.725 - 1) and line["chance"] == 1.0
    (short,) = channel_tests.entry(daily({"a": [1.5] * 6, "b": [*NEW, 1.7, 1.7, 1.7]})).to_dict("records")
    assert (short["call"], short["call_other"], short["chance"]) == ("refuse", "enter", 0.0)
    (read,) = channel_tests.entry(daily({"a": [1.5] * 6, "b": [*NEW, 1.7, 1.7, 1.7]}), Rules(reading="of")).to_dict(
        "records"
    )
    assert (read["call"], read["call_other"]) == ("enter", "refuse") and read["line"] == pytest.approx(0.225)


def test_where_the_mean_loses_money_a_channel_that_loses_a_little_less_is_not_let_in():
    # ROI −40 % on average, −35 % the new one: 1.15 × −40 % = −46 %, which a comparison of ROI would call passed
    (line,) = channel_tests.entry(daily({"a": [0.6] * 6, "b": [*NEW, 0.65, 0.65, 0.65]})).to_dict("records")
    assert line["call"] == "refuse" and line["line"] == pytest.approx(0.69)
    (good,) = channel_tests.entry(daily({"a": [0.6] * 6, "b": [*NEW, 0.7, 0.7, 0.7]})).to_dict("records")
    assert good["call"] == "enter"


def test_a_test_that_is_not_over_and_a_channel_that_is_alone_are_said_so():
    (early,) = channel_tests.entry(daily({"a": [1.5] * 6, "b": [*NEW, None, None, 3.0]})).to_dict("records")
    assert (early["call"], early["cycles"]) == ("testing", 1)
    alone = channel_tests.entry(daily({"a": [1.0, 1.0, 1.0, None, None, None], "b": [*NEW, 2.0, 2.0, 2.0]}))
    (line,) = alone.to_dict("records")
    assert line["call"] == line["call_other"] == "no_comparison" and math.isnan(line["line"] + line["chance"])
    nothing_sold = channel_tests.entry(daily({"a": [0.0] * 6, "b": [*NEW, 2.0, 2.0, 2.0]}))
    assert nothing_sold["call"].tolist() == ["no_comparison"]
    assert channel_tests.entry(daily({"a": [1.5] * 6, "b": [1.5] * 6})).empty  # both were there from the beginning
    out = channel_tests.findings(alone, channel_tests.scale(daily({"a": [1.0] * 6})), _leaving(daily({"a": [2.0] * 6})))
    assert any("not enough data" in f.text for f in out)


def _leaving(of, rules=None, aim=None):
    found = channel_tests.cycles(of, rules, target() if aim is None else aim)
    return channel_tests.leave(found, of)


def test_what_returns_a_third_more_than_the_others_is_stepped_up_by_a_fifth():
    of = daily({"a": [1.0] * 6, "b": [1.0, 1.0, 1.0, 1.4, 1.4, 1.4]})
    lines = channel_tests.scale(of).set_index("channel")
    assert lines.loc["b", "call"] == "scale" and lines.loc["b", "line"] == pytest.approx(1.3)
    assert lines.loc["b", "step_up"] == pytest.approx(0.2 * (30 + 31 + 30) * 100 / 3)
    assert lines.loc["a", "call"] == "keep" and math.isnan(lines.loc["a", "step_up"])
    # over six cycles its mean is 1.2, below the line
    assert channel_tests.scale(of, Rules(recent=6)).set_index("channel").loc["b", "call"] == "keep"
    (act,) = [f for f in channel_tests.findings(channel_tests.entry(of), channel_tests.scale(of), _leaving(of))
              if f.verdict == "act"]  # fmt: skip
    assert "1.40" in act.text and "1.30" in act.text and act.stake == pytest.approx(606.67, abs=0.01)


def test_the_mean_of_money_and_the_mean_of_channels_differ():
    of = pd.concat([daily({"a": [1.0] * 6}, spend=300.0), daily({"b": [2.0] * 6, "c": [1.75] * 6})])
    of.attrs = daily({"a": [1.0] * 6}).attrs
    by_money = channel_tests.scale(of).set_index("channel").loc["c", "others"]
    by_channel = channel_tests.scale(of, Rules(mean="channels")).set_index("channel").loc["c", "others"]
    assert by_money == pytest.approx((300 + 200) / 400) and by_channel == pytest.approx(1.5)


def test_three_cycles_below_half_the_target_and_the_channel_goes():
    of = daily({"a": [2.0] * 6, "b": [2.0, 2.0, 2.0, 0.7, 0.7, 0.7]})
    line = _leaving(of).set_index("channel").loc["b"]
    assert (line["call"], line["streak"], line["since"], line["called"]) == ("exit", 3, "2026-04", "2026-06")
    assert line["sunk"] == pytest.approx(9100.0) and line["returned"] == pytest.approx(6370.0)
    assert line["avoidable"] == pytest.approx(9100 / 3) and line["limit"] == pytest.approx(0.75)
    assert line["chance"] == 1.0
    # a cycle earlier the rule was not met, and a cycle later it still says when it was
    before = daily({"a": [2.0] * 5, "b": [2.0, 2.0, 2.0, 0.7, 0.7]}, months=MONTHS[:5])
    assert _leaving(before).set_index("channel").loc["b", "call"] == "near"
    longer = _leaving(daily({"a": [2.0] * 6, "b": [2.0, 2.0, 0.7, 0.7, 0.7, 0.7]})).set_index("channel").loc["b"]
    assert (longer["call"], longer["called"], longer["streak"]) == ("exit", "2026-05", 4)
    just = _leaving(daily({"a": [2.0] * 6, "b": [2.0, 2.0, 2.0, 0.7, 0.76, 0.7]})).set_index("channel").loc["b"]
    assert (just["call"], just["streak"]) == ("stay", 1)


def test_a_cycle_without_spending_is_passed_over_or_ends_the_streak():
    of = daily({"a": [2.0] * 6, "b": [2.0, 2.0, 0.7, 0.7, None, 0.7]})
    skipped = _leaving(of).set_index("channel").loc["b"]
    assert (skipped["call"], skipped["streak"], skipped["since"], skipped["called"]) == (
        "exit",
        3,
        "2026-03",
        "2026-06",
    )
    assert _leaving(of, Rules(unspent="break")).set_index("channel").loc["b", "streak"] == 1
    found = channel_tests.cycles(of, targets=target())
    quiet = found[(found["channel"] == "b") & (found["label"] == "2026-05")].iloc[0]
    assert math.isnan(quiet["roas"]) and math.isnan(quiet["below"]) and quiet["spend"] == 0
    resting = _leaving(daily({"a": [2.0] * 6, "b": [2.0, 2.0, 2.0, 2.0, 2.0, None]})).set_index("channel").loc["b"]
    assert (resting["call"], resting["avoidable"]) == ("resting", 0.0)
    no_target = _leaving(of, aim=channel_tests.targets(None))
    assert set(no_target["call"]) == {"no_target"} and no_target["chance"].isna().all()


def test_what_is_saved_by_stopping_is_counted_from_the_day_on_which_it_is_stopped():
    of = daily({"a": [2.0] * 6, "b": [2.0, 2.0, 2.0, 0.7, 0.7, 0.7]})
    found = channel_tests.cycles(of, targets=target())
    (stop,) = channel_tests.decisions(channel_tests.leave(found, of), found, parse("2026-06"))
    assert stop.due == dt.date(2026, 7, 8) and stop.period == "2026-07" and stop.metric == "ad_spend"
    assert stop.effect == pytest.approx(-(9100 / 3) * 24 / (365.25 / 12)) and stop.by == {"channel": "b"}
    assert stop.low < stop.effect < stop.high <= 0
    (weekly,) = channel_tests.decisions(channel_tests.leave(found, of), found, parse("2026-W26"))
    assert weekly.period == "2026-W28"  # the week in which it is stopped is not over by then
    assert channel_tests.decisions(_leaving(daily({"a": [2.0] * 6})), found, parse("2026-06")) == []


def test_the_next_cycle_is_forecast_only_where_it_is_the_next_period():
    noisy = [1.0, 1.2, 0.9, 1.1, 1.0, 1.3]
    found = channel_tests.cycles(daily({"a": noisy}), targets=target())
    (said,) = channel_tests.forecasts(found, parse("2026-06"))
    assert said.period == "2026-07" and said.by == {"channel": "a"}
    assert said.value == pytest.approx(np.exp(np.log(noisy).mean())) and said.low < 0.9 < 1.3 < said.high
    assert channel_tests.forecasts(found, parse("2026-Q2")) == []


def orders_and_ads(**other):
    frames = dict(
        orders=pd.DataFrame({
            "order_id": ["1", "2", "3"], "platform": ["jd", "jd", "tmall"], "channel": ["search", "search", None],
            "ordered_at": pd.to_datetime(["2026-01-05", "2026-01-06", "2026-01-05"]), "amount": [100.0, 60.0, 200.0],
        }),
        returns=pd.DataFrame({"return_id": ["r", "s"], "platform": ["jd", "tmall"], "order_id": ["2", "3"],
                              "returned_at": pd.Timestamp("2026-01-09"), "amount": [60.0, 50.0]}),
        traffic=pd.DataFrame({
            "day": [dt.date(2026, 1, 5)] * 4, "platform": ["tmall", "tmall", "tmall", "jd"], "source": ["live", None, "live", "search"],
            "product_id": [None, None, "p", None], "sales": [80.0, 200.0, 80.0, 160.0], "visitors": 9, "orders": [1, 2, 1, 2],
        }),
        ad_spend=pd.DataFrame({
            "day": [dt.date(2026, 1, 5)] * 4, "platform": ["g", "g", "d", "x"], "level": ["campaign", "keyword", "account", "account"],
            "channel": ["search", "search", "live", "radio"], "keyword": [None, "k", None, None],
            "spend": [40.0, 40.0, 50.0, 10.0], "conversion_value": [150.0, 150.0, 90.0, 25.0],
        }),
    )  # fmt: skip
    return shop_from(period="2026-01", **{k: v for k, v in (frames | other).items() if v is not None})


def test_orders_count_once_and_platforms_that_do_not_tell_are_counted_by_source():
    of = orders_and_ads()
    found = channel_tests.daily(of.orders, of.ad_spend, of.traffic, of.returns, until=dt.date(2026, 2, 1))
    sums = found.groupby("channel")[["spend", "sales"]].sum()
    assert sums.loc["search"].tolist() == [40.0, 100.0]  # the keyword repeats the campaign; the second order came back
    assert sums.loc["live"].tolist() == [50.0, 60.0]  # of Tmall's sales a quarter came back
    assert sums.loc["radio"].tolist() == [10.0, 25.0] and found.attrs["by_claims"] == ["radio"]
    assert any("radio" in note for note in found.attrs["notes"])
    halved = channel_tests.daily(
        of.orders, of.ad_spend, of.traffic, of.returns, until=dt.date(2026, 2, 1), incremental="search 0.5"
    )
    assert halved[halved["channel"] == "search"]["sales"].sum() == pytest.approx(50.0)
    with pytest.raises(ValueError, match=r"search 0\.8"):
        channel_tests.daily(of.orders, of.ad_spend, until=dt.date(2026, 2, 1), incremental="search much")


def test_a_shop_with_orders_only_gets_cards_and_one_without_channels_its_claims():
    of = shop_from(
        orders=pd.DataFrame({"order_id": ["1"], "ordered_at": [pd.Timestamp("2026-01-05")], "amount": [9.0]}),
        period="2026-01",
    )
    gone = channel_tests.daily(of.orders, of.ad_spend, of.traffic, of.returns, until=dt.date(2026, 2, 1))
    assert isinstance(gone, Missing) and isinstance(channel_tests.cycles(gone), Missing)
    assert isinstance(channel_tests.findings(channel_tests.entry(gone), channel_tests.scale(gone), channel_tests.leave(gone, gone)), Missing)  # fmt: skip
    bare = orders_and_ads(orders=of.orders, traffic=None, returns=None)
    claimed = channel_tests.daily(bare.orders, bare.ad_spend, bare.traffic, bare.returns, until=dt.date(2026, 2, 1))
    assert claimed.groupby("channel")["sales"].sum().to_dict() == {"live": 90.0, "radio": 25.0, "search": 150.0}


def test_no_word_but_the_known_ones():
    with pytest.raises(ValueError, match="above, of"):
        Rules(reading="over")
    with pytest.raises(ValueError, match="one cycle"):
        Rules(streak=0)


def test_a_test_is_large_enough_by_the_orders_that_it_takes():
    of = daily({"a": [2.0] * 6})
    plan = channel_tests.design(of, worth=None).set_index("rule")
    # spread 1: 2 × ((1.645 + 0.842) / log 1.3)²; an order is worth 200
    assert plan.loc["scale", "orders"] == 180 and plan.loc["scale", "spend"] == pytest.approx(180 * 200 / 2.6)
    assert plan.loc["exit", "orders"] == 26 and plan.loc["entry", "orders"] == 634
    capped = channel_tests.design(of, budget=1000.0)
    steps = channel_tests.timeline(capped, start=dt.date(2026, 7, 1), cycles=4)
    assert steps["spend"].tolist() == [1000.0, 2000.0, 3000.0, 4000.0]
    assert steps["ends"].iloc[0] == pd.Timestamp("2026-07-14") and (steps["least"] < steps["expected"]).all()
    # 2,000 expected are 10 orders, as uncertain as 5: two of five stay out in 1 of 80 tests at the most
    assert steps["least"].iloc[0] == pytest.approx(400.0) and steps["stop_loss"].iloc[0] == pytest.approx(600.0)
    nothing = channel_tests.design(daily({"a": [None] * 6}))
    assert nothing.empty and "not enough data" in nothing.attrs["notes"][0]
    assert channel_tests.timeline(nothing, start=dt.date(2026, 7, 1)).empty


def test_a_good_channel_is_seldom_stopped():
    of = daily({"a": [2.0] * 6})
    steps = channel_tests.timeline(channel_tests.design(of, budget=5000.0), start=dt.date(2026, 7, 1))
    rng, stopped, runs = np.random.default_rng(3), 0, 2000
    for _run in range(runs):
        n = rng.poisson(5000 * 2 / 200, size=len(steps))
        sold = np.cumsum([rng.exponential(200, size=k).sum() for k in n])  # spread 1
        stopped += bool((sold < steps["least"].to_numpy()).any())
    assert stopped / runs < 0.07


def test_what_an_order_is_worth_is_what_is_left_after_its_goods():
    lines = pd.DataFrame({"order_id": ["1", "2"], "product_id": ["p", "p"], "quantity": [1, 3], "amount": [40.0, 60.0]})
    orders = pd.DataFrame({"order_id": ["1", "2"], "paid_at": pd.Timestamp("2026-01-05"), "amount": [40.0, 60.0]})
    goods = pd.DataFrame({"product_id": ["p"], "unit_cost": [10.0]})
    worth = channel_tests.order_worth(orders, lines, goods, until=dt.date(2026, 2, 1))
    assert worth.kept == pytest.approx(0.6) and worth.spread == pytest.approx(np.std([40, 60], ddof=1) / 50)
    assert channel_tests.order_worth(orders, until=dt.date(2026, 2, 1)).known is False


def test_pictures_show_the_numbers():
    of = daily({"a": [2.0] * 6, "b": [2.0, 2.0, 2.0, 0.7, 0.7, 0.7]})
    board = channel_tests.plot_cycles(channel_tests.cycles(of, targets=target()))
    assert sum(t.get_text() == "0.70" for t in board.texts) == 3
    assert [bool(p.get_linewidth()) for p in board.patches].count(True) == 1  # one cycle in which the rule is met
    lines = channel_tests.plot_lines(channel_tests.scale(of))
    assert {round(float(x), 2) for line in lines.lines for x in line.get_xdata()} >= {2.0, 0.7, 2.6, 0.91}
    plan = channel_tests.design(of, budget=1000.0)
    steps = channel_tests.timeline(plan, start=dt.date(2026, 7, 1), cycles=3)
    drawn = channel_tests.plot_timeline(steps)
    assert [line.get_ydata()[-1] for line in drawn.lines] == steps.iloc[-1][["expected", "least", "spend"]].tolist()
