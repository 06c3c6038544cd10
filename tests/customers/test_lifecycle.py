"""Stories of stages: where customers stand, where they go, what is slower, and how many come."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from playbook.customers import lifecycle, moves
from playbook.missing import Missing
from playbook.period import parse

PERIODS = [parse(f"2026-{m:02d}") for m in (8, 9, 10)]


def stages_of(orders, people=(), praised=None, *, lapse=60, periods=PERIODS):
    """Stages from (who, day) of orders, and (who, day) of those known without one."""
    bought = pd.DataFrame(orders, columns=["person_id", "at"]).assign(order_id=range(len(orders)), amount=10.0)
    bought["at"] = pd.to_datetime(bought["at"])
    bought["day"] = bought["at"].dt.date
    first = bought.groupby("person_id")["at"].min().rename("seen_at").reset_index()
    others = pd.DataFrame(people, columns=["person_id", "seen_at"])
    everyone = pd.concat([first, others.assign(seen_at=pd.to_datetime(others.seen_at))], ignore_index=True)
    good = None
    if praised is not None:
        good = pd.DataFrame(praised, columns=["person_id", "at"]).assign(at=lambda f: pd.to_datetime(f["at"]))
    return lifecycle.stages(everyone, bought, good, periods, lapse=lapse)


def stage_of(table, who):
    """The stages of a person, one a period in which she is known."""
    rows = table.to_pandas().query("person_id == @who").sort_values("place")
    return rows.stage.tolist()


def test_a_life_goes_through_the_stages():
    table = stages_of(
        [("ann", "2026-08-20"), ("ann", "2026-10-15"), ("bob", "2026-08-05"), ("cat", "2026-06-01"), ("dan", "2026-09-01"),
         ("dan", "2026-09-20")],
        [("eve", "2026-09-10")],
        [("dan", "2026-10-03")],
    )  # fmt: skip
    assert stage_of(table, "ann") == ["first_deal", "retained", "repeat"]
    assert stage_of(table, "bob") == ["first_deal", "retained", "lapsed"]
    assert stage_of(table, "cat") == ["lapsed", "lapsed", "lapsed"]
    assert stage_of(table, "dan") == ["repeat", "advocate"]
    assert stage_of(table, "eve") == ["awakened", "awakened"]


def test_the_days_at_the_edges():
    end = PERIODS[0].end  # 1 September; a first order is fresh for 30 days, lost after 60
    days = {n: (end - dt.timedelta(days=n)).isoformat() for n in (30, 31, 60, 61)}
    table = stages_of([(f"p{n}", day) for n, day in days.items()])
    assert [stage_of(table, f"p{n}")[0] for n in days] == ["first_deal", "retained", "retained", "lapsed"]


def test_counts_hold_everybody_and_transitions_lead_from_one_to_the_next():
    table = stages_of([(f"p{i}", f"2026-0{7 + i % 3}-15") for i in range(30)])
    counts = lifecycle.counts(table, PERIODS)
    assert counts.groupby("period").customers.sum().tolist() == [20, 30, 30]
    assert counts.groupby("period").share.sum().round(9).tolist() == [1, 1, 1]
    went = lifecycle.transitions(table)
    for place in (1, 2):
        arrived = went[went.place == place].groupby("after").customers.sum()
        now = counts[counts.period == PERIODS[place].label].set_index("stage").customers
        assert arrived.to_dict() == now[now > 0].to_dict()
    assert went[went.before == "new"].customers.tolist() == [10]
    rates = lifecycle.rates(went)
    assert rates.groupby("before").rate.sum().round(9).eq(1).all()


def test_latest_is_the_last_period():
    counts = lifecycle.counts(stages_of([("a", "2026-10-02")]), PERIODS)
    found = lifecycle.latest(counts).set_index("stage")
    assert found.customers.to_dict() == {s: int(s == "first_deal") for s in lifecycle.STAGES}


def test_a_customer_is_lost_when_most_who_came_back_had_come():
    rows = [(f"p{i}", day) for i in range(50) for day in ("2026-01-01", "2026-04-11")]  # a hundred days
    bought = pd.DataFrame(rows, columns=["person_id", "at"]).assign(order_id=range(100))
    bought["at"] = pd.to_datetime(bought["at"])
    bought["day"] = bought["at"].dt.date
    assert lifecycle.lapse_days(bought) == 100
    assert lifecycle.lapse_days(bought[bought.person_id == "p1"]) == lifecycle.USUAL


def test_praise_is_four_stars_or_a_share():
    persons = pd.DataFrame(
        {"platform": "", "customer_id": ["a", "b", "c"], "person_id": ["A", "B", "C"], "accounts": 1}
    )
    reviews = pd.DataFrame(
        {"customer_id": ["a", "b"], "rating": [4.0, 3.0], "reviewed_at": pd.to_datetime(["2026-01-02"] * 2)}
    )
    events = pd.DataFrame(
        {"customer_id": ["c", "b"], "event": ["share", "page_view"], "event_at": pd.to_datetime(["2026-01-03"] * 2)}
    )
    found = lifecycle.praise(persons, reviews, events).to_pandas()
    assert sorted(found.person_id) == ["A", "C"]
    assert isinstance(lifecycle.praise(persons, None, None), Missing)


def test_health_is_measured_by_the_persons_own_pace():
    # every ten days, the last eleven days before the end: late by her own pace; the other comes every month
    quick = [("q", f"2026-09-{d:02d}") for d in (1, 11, 21)] + [("q", "2026-10-01"), ("q", "2026-10-15")]
    slow = [("s", f"2026-{m:02d}-12") for m in (6, 7, 8, 9, 10)]
    orders = [(f"{who}{i}", day) for i in range(10) for who, day in quick + slow]
    found = lifecycle.health(stages_of(orders), PERIODS, lapse=60).set_index(["stage", "band"]).customers
    assert found["repeat", "healthy"] == 10 and found["repeat", "watch"] == 10


def test_boundaries_reach_back_as_far_as_the_data():
    found = lifecycle.boundaries(parse("2026-10"), dt.date(2026, 5, 20))
    assert [p.label for p in found] == ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10"]
    assert len(lifecycle.boundaries(parse("2026-10"), dt.date(2015, 1, 1))) == 25
    assert lifecycle.periods_before(parse("2026-02"), 3).label == "2025-11"


# -- what is slower


def moved(now, ago, *, n=1000, silent=0):
    """Transitions of 15 months in which of `n` a month this share comes back, a year ago and of late."""
    rows = []
    for place in range(1, 16):
        rate = now if place > 12 else ago
        for after, share in (("repeat", rate), ("lapsed", 1 - rate)):
            rows.append((place, "lapsed", silent, after, round(n * share)))
    return pd.DataFrame(rows, columns=["place", "before", "silent", "after", "customers"])


YEAR = [parse(f"{2025 + (m > 12)}-{(m - 1) % 12 + 1:02d}") for m in range(1, 17)]


def test_a_fall_of_the_rate_is_found_with_what_it_costs():
    found = moves.changes(moved(0.02, 0.04), YEAR)
    (row,) = found.to_dict("records")
    assert (row["stage"], row["now"], row["ago"]) == ("lapsed", 0.02, pytest.approx(0.04))
    assert row["gain"] == pytest.approx(20)  # of a thousand, two per cent more
    assert row["gain_low"] < 20 < row["gain_high"] and row["high95"] < 0
    (decision,) = moves.decisions(found, YEAR[-1], lapse=60, value=100.0)
    assert (
        decision.period == "2026-05" and decision.effect == pytest.approx(20) and decision.stake == pytest.approx(2000)
    )
    assert decision.due == YEAR[-1].end + dt.timedelta(days=14)
    (finding,) = moves.findings(found, value=100.0)
    assert finding.verdict == "watch" and finding.p < 0.01


def test_where_nothing_is_surely_slower_nothing_is_decided():
    found = moves.changes(moved(0.04, 0.04), YEAR)
    assert moves.decisions(found, YEAR[-1], lapse=60) == []
    assert moves.findings(found)[0].verdict == "hold"
    empty = moves.changes(moved(0.02, 0.04), YEAR[-6:])
    assert empty.empty and empty.attrs["notes"]


def test_more_long_silent_customers_are_no_fall():
    """Each class keeps its rate, but the class that rarely comes back has grown: the rate of all falls, nothing else."""
    early = pd.concat([moved(0.1, 0.1, n=1000), moved(0.01, 0.01, n=1000, silent=2)])
    late = early.place > 12
    early.loc[late & (early.silent == 2), "customers"] *= 10
    found = moves.changes(early, YEAR)
    assert found.change.iloc[0] == pytest.approx(0, abs=1e-9)
    assert moves.decisions(found, YEAR[-1], lapse=60) == []


# -- what comes


def markov(rng, months, *, start=4000):
    """A world in which customers move by fixed rates: counts and transitions of each month."""
    rates = np.array(
        [[0.88, 0.12, 0, 0, 0, 0], [0, 0, 0.9, 0.1, 0, 0], [0, 0, 0.7, 0.06, 0, 0.24], [0, 0, 0, 0.82, 0.03, 0.15],
         [0, 0, 0, 0, 0.88, 0.12], [0, 0, 0, 0.03, 0, 0.97]]
    )  # fmt: skip
    x = np.full(6, start)
    counts, went = [], []
    for place in range(months):
        if place:
            made = np.array([rng.multinomial(n, r) for n, r in zip(x, rates, strict=True)])
            new = rng.poisson(300)
            went += [
                (place, b, 0, a, made[i, j])
                for i, b in enumerate(lifecycle.STAGES)
                for j, a in enumerate(lifecycle.STAGES)
                if made[i, j]
            ]
            went.append((place, "new", 0, "awakened", new))
            x = made.sum(axis=0)
            x[0] += new
        counts += [(f"p{place:02d}", s, int(n)) for s, n in zip(lifecycle.STAGES, x, strict=True)]
    return (
        pd.DataFrame(counts, columns=["period", "stage", "customers"]),
        pd.DataFrame(went, columns=["place", "before", "silent", "after", "customers"]),
    )


def test_the_forecast_holds_what_comes_as_often_as_it_says():
    hits, n, widths = 0, 0, []
    for seed in range(60):
        counts, went = markov(np.random.default_rng(seed), 26)
        known = counts[counts.period < "p25"]
        found = moves.forecast(known, went[went.place < 25]).set_index("stage")
        truth = counts[counts.period == "p25"].set_index("stage").customers
        for stage in found.index:
            hits += found.expected_low[stage] <= truth[stage] <= found.expected_high[stage]
            n += 1
            widths.append((found.expected_high[stage] - found.expected_low[stage]) / truth[stage])
    assert n == 360
    # stages of one world are not independent: as if there were half as many
    low, high = stats.binom.ppf([0.0005, 0.9995], n // 2, 0.8) / (n // 2)
    assert low <= hits / n <= high + 0.08, hits / n
    assert np.median(widths) < 0.15


def test_a_forecast_is_one_of_the_figures_of_the_next_report():
    counts, went = markov(np.random.default_rng(1), 20)
    found = moves.forecasts(moves.forecast(counts, went), parse("2026-10"))
    assert {f.by["stage"] for f in found} == set(lifecycle.STAGES)
    assert {(f.metric, f.period, f.level) for f in found} == {("stages.customers", "2026-11", 0.8)}
    assert all(f.low <= f.value <= f.high for f in found)


def test_with_few_periods_no_number_is_given():
    counts, went = markov(np.random.default_rng(1), 5)
    found = moves.forecast(counts, went)
    assert found.empty and "Not enough data" in found.attrs["notes"][0]
    assert moves.forecasts(found, parse("2026-10")) == []


def test_the_plot_of_counts_draws_them():
    counts = lifecycle.counts(stages_of([("a", "2026-08-02"), ("b", "2026-10-02")]), PERIODS)
    ax = lifecycle.plot_counts(counts)
    assert sorted(p.get_height() for p in ax.patches if p.get_height()) == [1, 1, 1, 1]
    assert sum(p.get_height() for p in ax.patches) == counts.customers.sum()
