"""Attribution: credits by hand, what holds for every rule, the exact chain against a simulated one, and messages held back."""

import datetime as dt
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.media import attribution
from playbook.missing import Missing


def counted(*rows):
    return pd.DataFrame(rows, columns=["path", "conversions", "value", "nulls"])


def by_rule(paths, **options):
    made = attribution.credits(attribution.touches_of_paths(paths), **options)
    return made.pivot(index="channel", columns="rule", values="conversions")


def test_each_rule_by_hand_on_one_path():
    """a > b > direct, ten orders; half-life of one step."""
    made = by_rule(counted(("a > b > direct", 10, 100.0, 0)), half_life=1.0)
    assert made["first"].to_dict() == {"a": 10, "b": 0, "direct": 0}
    assert made["last"].to_dict() == {"a": 0, "b": 0, "direct": 10}
    assert made["last_non_direct"].to_dict() == {"a": 0, "b": 10, "direct": 0}
    assert made["linear"].to_numpy() == pytest.approx([10 / 3] * 3)
    assert made["position"].to_dict() == pytest.approx({"a": 4, "b": 2, "direct": 4})
    assert made["time_decay"].to_dict() == pytest.approx({"a": 10 / 7, "b": 20 / 7, "direct": 40 / 7})
    assert made["shapley"].to_numpy() == pytest.approx([10 / 3] * 3)
    assert made["markov"].to_numpy() == pytest.approx([10 / 3] * 3)  # without any of them nothing is left


def test_a_channel_that_comes_twice_counts_twice_by_contact_and_once_by_coalition():
    made = by_rule(counted(("a > b > a", 6, 6.0, 0)))
    assert made.loc["a", "linear"] == pytest.approx(4) and made.loc["a", "shapley"] == pytest.approx(3)
    assert made.loc["a", "position"] == pytest.approx(6 * 0.8)


def test_short_paths_are_shared_by_halves_or_not_at_all():
    made = by_rule(counted(("a > b", 4, 4.0, 0), ("a", 2, 2.0, 0), ("direct", 1, 1.0, 0)))
    assert made["position"].to_dict() == pytest.approx({"a": 4, "b": 2, "direct": 1})
    assert made.loc["direct", "last_non_direct"] == 1  # nothing else came before


def test_removal_effects_by_hand():
    """Half of the starts go to a; from a half convert, half go on to b; from b a quarter converts."""
    paths = counted(("a", 2, 20.0, 0), ("a > b", 0, 0.0, 2), ("b", 2, 2.0, 2))
    made = attribution.removal_effects(attribution.touches_of_paths(paths)).set_index("channel")
    # b is reached by 4 of 8 and by 2 of the others; it converts 2 of 6
    p_b = 1 / 3
    p = 0.5 * (0.5 + 0.5 * p_b) + 0.5 * p_b
    assert made.loc["a", "reached"] == pytest.approx(0.5) and made.loc["b", "reached"] == pytest.approx(0.75)
    assert made.loc["a", "effect"] == pytest.approx(0.5 * (0.5 + 0.5 * p_b) / p)
    assert made.loc["b", "effect"] == pytest.approx(0.75 * p_b / p)
    worth = 0.25 * 10 + 0.75 * p_b * 1  # by a alone, ten each; through b, one each
    assert made.loc["b", "effect_on_value"] == pytest.approx(0.75 * p_b / worth)


def test_the_solved_chain_agrees_with_a_simulated_one():
    """What packages that simulate do: walk the chain, with each channel's steps turned to nothing in turn."""
    paths = counted(
        ("a > b > c", 30, 30.0, 100), ("b > a", 20, 20.0, 200), ("c > c > b", 5, 5.0, 50), ("a", 10, 10.0, 300)
    )
    exact = attribution.removal_effects(attribution.touches_of_paths(paths)).set_index("channel")["effect"]
    steps = {}
    for path, won, _value, lost in paths.itertuples(index=False):
        walk = ["start", *path.split(" > ")]
        for one, two in itertools.pairwise(walk):
            steps[one, two] = steps.get((one, two), 0) + won + lost
        steps[walk[-1], "won"] = steps.get((walk[-1], "won"), 0) + won
        steps[walk[-1], "lost"] = steps.get((walk[-1], "lost"), 0) + lost
    table = pd.Series(steps).unstack(fill_value=0)
    chance = table.div(table.sum(axis=1), axis=0)
    rng, n = np.random.default_rng(2), 40_000

    def won(without=None):
        state, alive = np.full(n, "start", dtype=object), np.ones(n, bool)
        for _step in range(60):
            for name in [s for s in chance.index if (state == s).any()]:
                at = alive & (state == name)
                state[at] = rng.choice(chance.columns.to_numpy(), at.sum(), p=chance.loc[name].to_numpy(float))
            state[state == without] = "lost"
            alive = ~np.isin(state, ["won", "lost"])
        return (state == "won").mean()

    whole = won()
    simulated = pd.Series({c: 1 - won(c) / whole for c in "abc"})
    assert np.abs(simulated - exact).max() < 5 * 2 / math.sqrt(n * whole)


def exhaustive_shapley(paths):
    """From the definition: what a channel adds to every coalition, over all orders of joining."""
    sets = [(frozenset(p.split(" > ")), w) for p, w in zip(paths["path"], paths["conversions"], strict=True)]
    channels = sorted(set().union(*(s for s, _w in sets)))

    def v(coalition):
        return sum(w for s, w in sets if s <= coalition)

    orders = list(itertools.permutations(channels))
    out = dict.fromkeys(channels, 0.0)
    for order in orders:
        for i, c in enumerate(order):
            out[c] += (v(frozenset(order[: i + 1])) - v(frozenset(order[:i]))) / len(orders)
    return out


def test_shapley_is_what_the_definition_gives():
    paths = counted(("a > b > c", 5, 1.0, 1), ("a > d", 3, 1.0, 1), ("b", 2, 1.0, 0), ("c > c > d > b", 7, 1.0, 1))
    assert by_rule(paths)["shapley"].to_dict() == pytest.approx(exhaustive_shapley(paths))


steps = st.lists(st.sampled_from(["a", "b", "c", "direct", "e"]), min_size=1, max_size=6).map(" > ".join)
rows = st.tuples(steps, st.integers(0, 20), st.floats(0, 1000).map(lambda x: round(x, 2)), st.integers(0, 50))


@settings(max_examples=12, deadline=None)
@given(st.lists(rows, min_size=1, max_size=8))
def test_credits_of_every_rule_are_not_negative_and_tie_to_the_total(made):
    paths = counted(*((p, c, v if c else 0.0, n) for p, c, v, n in made))
    credited = attribution.credits(attribution.touches_of_paths(paths))
    total = paths["conversions"].sum()
    if not total:
        assert credited["share"].isna().all() and credited.attrs["notes"]
        return
    sums = credited.groupby("rule")[["conversions", "value"]].sum()
    assert sums["conversions"].to_numpy() == pytest.approx([total] * len(attribution.RULES), rel=1e-9)
    if paths["value"].sum() > 0:
        assert sums["value"].to_numpy() == pytest.approx([paths["value"].sum()] * len(attribution.RULES), rel=1e-9)
    assert (credited["conversions"] >= -1e-9).all()


# -- paths from contacts

T = pd.Timestamp


def contacts(*rows):
    frame = pd.DataFrame(rows, columns=["visitor_id", "touched_at", "channel", "order_id"])
    return frame.assign(touched_at=pd.to_datetime(frame["touched_at"]))


def paths_of(met):
    frame = met.to_pandas().sort_values(["path", "position"])
    return sorted(
        (" > ".join(g["channel"]), int(g["conversions"].iloc[0]), int(g["nulls"].iloc[0]))
        for _p, g in frame.groupby("path")
    )


def test_a_path_ends_with_its_order_or_where_nothing_follows_for_long():
    met = contacts(
        ("v", "2026-01-01 10:00", "search", None), ("v", "2026-01-03 10:00", "live", "1"),
        ("v", "2026-01-04 10:00", "crm", None), ("v", "2026-01-05 10:00", "direct", "2"),
        ("w", "2026-01-01 10:00", "search", None), ("w", "2026-03-01 10:00", "live", None),
    )  # fmt: skip
    orders = pd.DataFrame({"order_id": ["1", "2"], "amount": [100.0, 60.0]})
    returns = pd.DataFrame({"order_id": ["2"], "amount": [10.0]})
    made = attribution.touches(met, orders, returns, since=dt.date(2026, 1, 1), until=dt.date(2026, 4, 1))
    assert paths_of(made) == [("crm > direct", 1, 0), ("live", 0, 1), ("search", 0, 1), ("search > live", 1, 0)]
    credited = attribution.credits(made)
    assert credited.attrs["conversions"] == 2 and credited.attrs["value"] == 150.0 and credited.attrs["nulls"] == 2
    assert credited.groupby("rule")["value"].sum().to_numpy() == pytest.approx([150.0] * 8)
    early = attribution.touches(met, orders, since=dt.date(2026, 1, 4), until=dt.date(2026, 2, 1))
    assert paths_of(early) == [("crm > direct", 1, 0)]


def test_contacts_of_an_order_before_the_last_do_not_end_a_path():
    met = contacts(("v", "2026-01-01 10:00", "search", "1"), ("v", "2026-01-02 10:00", "live", "1"))
    made = attribution.touches(
        met, pd.DataFrame({"order_id": ["1"], "amount": [9.0]}), since=dt.date(2026, 1, 1), until=dt.date(2026, 2, 1)
    )
    assert paths_of(made) == [("search > live", 1, 0)]


def test_one_channel_gets_all_and_no_order_gives_a_reason():
    one = attribution.credits(attribution.touches_of_paths(counted(("a > a", 3, 9.0, 5))))
    assert (one["share"] == 1).all()
    none = attribution.credits(attribution.touches_of_paths(counted(("a > b", 0, 0.0, 5))))
    assert none["share"].isna().all() and "not enough data" in none.attrs["notes"][0]
    assert attribution.disagreement(none).empty and attribution.plot_disagreement(none) is None
    (said,) = attribution.findings(none, attribution.disagreement(none))
    assert "No path ended in an order" in said.text


def test_what_is_wrong_is_refused_by_name():
    with pytest.raises(ValueError, match="nulls"):
        attribution.touches_of_paths(pd.DataFrame({"path": ["a"], "conversions": [1], "value": [1.0]}))
    with pytest.raises(ValueError, match="without a channel"):
        attribution.touches_of_paths(counted(("a >  > b", 1, 1.0, 0)))
    with pytest.raises(ValueError, match="sideways"):
        attribution.credits(attribution.touches_of_paths(counted(("a", 1, 1.0, 0))), rules=["sideways"])


def test_disagreement_and_its_picture_show_the_same_shares():
    credited = attribution.credits(attribution.touches_of_paths(counted(("a > b", 10, 100.0, 5), ("b", 10, 50.0, 5))))
    disputed = attribution.disagreement(credited).set_index("channel")
    assert (
        disputed.loc["a", "most"] == 0.5 and disputed.loc["a", "least"] == 0.0 and disputed.loc["a", "between"] == 0.5
    )
    ax = attribution.plot_disagreement(credited)
    drawn = np.concatenate([np.asarray(c.get_offsets())[:, 0] for c in ax.collections[1:]])
    assert sorted(drawn.tolist()) == pytest.approx(sorted(credited["share"]))
    wide = attribution.side_by_side(credited)
    assert wide["first"].sum() == 20
    (said, *_rest) = attribution.findings(credited, attribution.disagreement(credited))
    assert said.verdict == "watch" and said.stake == pytest.approx(100)


# -- messages held back


def sent(n, held, orders, held_orders):
    ids = [f"c{i}" for i in range(n + held)]
    messages = pd.DataFrame(
        {"message_id": ids, "customer_id": ids, "sent_at": T("2026-01-10"), "holdout": [False] * n + [True] * held}
    )
    buyers = [*ids[:orders], *ids[n : n + held_orders]]
    paid = pd.DataFrame({"customer_id": buyers, "paid_at": T("2026-01-12"), "amount": 50.0})
    return attribution.held_back(messages, paid, since=dt.date(2026, 1, 1), until=dt.date(2026, 2, 1))


def test_only_the_difference_to_those_held_back_is_the_messages_doing():
    made = sent(1000, 500, 60, 20)
    e = made.iloc[0]
    assert (
        (e["rate"], e["rate_held"]) == (0.06, 0.04)
        and e["orders"] == pytest.approx(20)
        and e["value"] == pytest.approx(1000)
    )
    error = math.sqrt(0.06 * 0.94 / 1000 + 0.04 * 0.96 / 500)
    assert e["effect_high"] - e["effect"] == pytest.approx(1.645 * error, rel=1e-3)
    credited = attribution.credits(attribution.touches_of_paths(counted(("a > b", 10, 100.0, 5))))
    said = attribution.findings(credited, attribution.disagreement(credited), made)
    assert said[-1].p == pytest.approx(e["p_value"])


def test_nobody_held_back_gives_no_number():
    assert math.isnan(sent(100, 0, 5, 0)["effect"].iloc[0])
    assert isinstance(
        attribution.held_back(
            Missing("messages"), pd.DataFrame(), since=dt.date(2026, 1, 1), until=dt.date(2026, 2, 1)
        ),
        Missing,
    )
