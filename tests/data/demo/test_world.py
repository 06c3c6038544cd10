"""The world and its people: what is planted is what happens, and another decision changes what it reaches."""

import json

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo import generate, make_tables
from playbook.data.demo.blocks import make_block
from playbook.data.demo.shoppers.demand import CAP
from playbook.data.demo.world import make_world
from playbook.data.demo.world.draw import Draws


def worlds(tmp_path, plan, scale=0.3, seed=3):
    """A world and the same one under another decision, with what their people did."""
    file = tmp_path / "plan.toml"
    file.write_text(plan, encoding="utf-8")
    both = [make_world(scale=scale, seed=seed, until="2026-10", policy=p) for p in (None, file)]
    return [(w, make_block(w, 0, scale)) for w in both]


def test_draws_belong_to_things_and_are_uniform():
    draws, who = Draws(7), np.arange(200_000)
    u = draws.uniform("height", who, 3)
    assert (draws.uniform("height", who[::-1], 3)[::-1] == u).all()
    assert (draws.uniform("height", who[5:9], np.full(4, 3)) == u[5:9]).all()
    assert abs(u.mean() - 0.5) < 0.003 and abs(u.std() - 12**-0.5) < 0.002
    others = [draws.uniform("weight", who, 3), draws.uniform("height", who, 4), Draws(8).uniform("height", who, 3)]
    for other in others:
        assert abs(np.corrcoef(u, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.01
    assert abs(draws.normal("x", who).std() - 1) < 0.01 and abs(draws.exponential("x", who).mean() - 1) < 0.01


def test_no_pull_is_cut_off():
    for seed in (1, 2, 3):
        world = make_world(scale=1, seed=seed, until="2026-10")
        assert (world.pull > CAP).mean() < 0.001


@pytest.mark.truth
def test_units_answer_to_a_price_by_the_planted_elasticity(tmp_path):
    (base, one), (other, two) = worlds(tmp_path, 'from = "2023-10"\n[prices]\ncream0002 = 0.9\n', scale=1, seed=1)
    j = base.catalogue.position("cream0002")
    units = []
    for block in (one, two):
        lines, orders = block.tables["order_items"], block.tables["orders"]
        # Who came through a lower price comes again: only first orders answer to it at once.
        first = lines[orders["cause"].ne("repeat").to_numpy()[lines["order"]]]
        units.append(first.groupby("product").size().reindex(range(60), fill_value=0).to_numpy())
    ratio = other.catalogue.price[j] / base.catalogue.price[j]
    assert ratio.max() < 0.92
    elasticity = base.catalogue.products["elasticity"].iloc[j]
    planted = np.log((ratio**elasticity).mean())
    assert units[0][j] > 1_000
    assert np.log(units[1][j] / units[0][j]) == pytest.approx(planted, abs=0.02)
    rest = np.arange(60) != j
    assert abs(units[1][rest].sum() / units[0][rest].sum() - 1) < 0.02


@pytest.mark.truth
def test_twice_the_budget_brings_what_the_truth_says(tmp_path):
    for channel in ("in_platform", "xiaohongshu"):
        (base, one), (other, two) = worlds(tmp_path, f'from = "2023-10"\n[budgets]\n{channel} = 2.0\n', scale=0.5)
        i = base.media.position(channel)
        assert other.media.spend[i] == pytest.approx(2 * base.media.spend[i], abs=1)
        tally = one.counts["tally"].groupby(["what", "of"])["money"].sum() / 100
        direct, later = tally["direct", channel], tally["followed", channel]
        reach = [(w.media.level[0, i] * w.media.ceiling[i]).sum() for w in (base, other)]
        expected = direct * (reach[1] / reach[0] - 1) * (1 + later / direct)
        gain = (two.tables["orders"]["amount"].sum() - one.tables["orders"]["amount"].sum()) / 100
        assert gain == pytest.approx(expected, rel=0.15), channel
        # Nobody's orders go away because more was spent.
        assert set(one.tables["orders"]["order_id"]) <= set(two.tables["orders"]["order_id"])


def test_an_empty_policy_reproduces_the_world_and_a_late_one_leaves_the_past(tmp_path):
    (tmp_path / "nothing.toml").write_text("")
    (tmp_path / "late.toml").write_text('from = "2026-08"\n[budgets]\nlive = 0\n[promotions]\n99 = 0\n')
    for name in ("base", "nothing", "late"):
        policy = None if name == "base" else tmp_path / f"{name}.toml"
        generate(tmp_path / name, scale=0.05, policy=policy)
    files = sorted(p.relative_to(tmp_path / "base") for p in (tmp_path / "base").rglob("*") if p.is_file())
    assert len(files) > 8
    for file in files:
        assert (tmp_path / "base" / file).read_bytes() == (tmp_path / "nothing" / file).read_bytes(), file
    plans = (None, tmp_path / "late.toml")
    worlds = (make_world(scale=0.05, seed=1, until="2026-10", policy=p) for p in plans)
    before, after = (make_tables(w)["orders"] for w in worlds)
    past = ["order_id", "amount", "ordered_at", "channel"]
    early = [t.loc[t["ordered_at"] < "2026-08-01", past].reset_index(drop=True) for t in (before, after)]
    pd.testing.assert_frame_equal(*early)
    assert len(after) < len(before)
    truth = [json.loads((tmp_path / n / "truth.json").read_text())["media"]["live"]["months"] for n in ("base", "late")]
    assert [m["spend"] for m in truth[1][-3:]] == [0, 0, 0] and all(m["spend"] > 0 for m in truth[0][-3:])


def test_a_policy_that_makes_no_sense_is_refused_by_name(tmp_path):
    cases = {
        "[budgets]\nradio = 2": "radio",
        "[budget]\nlive = 2": "budget",
        "[budgets]\nlive = -1": "live",
        '[budgets]\nlive = "twice"': "live",
        '[prices]\n"mask9999" = 2': "mask9999",
        "[promotions]\nxmas = 0": "xmas",
        "[stock]\nmask0009 = 3": "mask0009",
        'from = "2019-01"': "2019-01",
        "[budgets": "TOML",
    }
    for text, told in cases.items():
        (tmp_path / "plan.toml").write_text(text)
        with pytest.raises(ValueError, match=told):
            make_world(scale=0.05, seed=1, until="2026-10", policy=tmp_path / "plan.toml")


def test_people_come_back_as_bg_nbd_says():
    # Repeat orders by people whose first order lies in the first half year, against what their own rates promise:
    # with purchase rate l, dropout p and time t in the clock of busy days, (1 − exp(−l p t)) / p (Fader et al. 2005).
    world = make_world(scale=1, seed=2, until="2026-10")
    from playbook.data.demo.shoppers.demand import demand

    people = demand(world, 0, 1.0)
    bought = people.occasions.query("step == 3 and cause == 'repeat'")
    clock = np.r_[0.0, np.cumsum(world.calendar.busy)]
    early = people.people.query("0 <= arrived < 180")
    mean_pull = world.pull.mean()  # an occasion is let through more or less often than its rate says
    left = (clock[-1] - clock[early["arrived"]]) * mean_pull
    expected = (1 - np.exp(-early["rate"] * early["dropout"] * left)) / early["dropout"]
    first = people.occasions.query("number == 0 and step == 3")["person"]
    early_buyers = early["person"].isin(first).to_numpy()
    seen = bought["person"].isin(early.loc[early_buyers, "person"]).sum()
    assert seen == pytest.approx(expected[early_buyers].sum(), rel=0.15)
    # Half of them live on: those with a low dropout come back far more often.
    loyal = early["dropout"] < early["dropout"].median()
    number = bought["person"].value_counts().reindex(early["person"]).fillna(0).to_numpy()
    assert number[loyal & early_buyers].mean() > 1.5 * number[~loyal & early_buyers].mean()


def test_lift_tests_stop_advertising_in_their_provinces_only():
    from playbook.data.demo.world.media import HELD_OUT

    world = make_world(scale=1, seed=1, until="2026-10")
    block = make_block(world, 0, 1.0)
    orders = block.tables["orders"]
    channel, begins, ends = world.incidents.lift_tests[0]
    mine = orders[(orders["cause"] == channel) & orders["day"].between(begins + 7, ends - 1)]
    inside = orders["region"].isin(HELD_OUT)
    share = inside[orders["cause"] == channel].mean()
    assert 0.2 < share < 0.35
    assert mine["region"].isin(HELD_OUT).mean() < share / 3
    i = world.media.position(channel)
    assert (world.media.held_out[i].nonzero()[0] == np.arange(begins, ends)).all()


def test_what_was_wanted_while_stock_was_out_is_in_the_truth(tmp_path):
    (base, one), (other, two) = worlds(tmp_path, 'from = "2023-10"\n[stock]\ncream0001 = 60\n')
    j = base.catalogue.position("cream0001")
    out = np.flatnonzero(~base.in_stock[j])
    assert 10 <= len(out) <= 13 and other.in_stock[j].all()
    sold = [
        b.tables["order_items"].merge(b.tables["orders"][["platform", "order_id", "day"]], on=["platform", "order_id"])
        for b in (one, two)
    ]
    units = [s[(s["product"] == j) & s["day"].between(out[0], out[-1])] for s in sold]
    assert len(units[0]) == 0
    lost = one.counts["tally"].query("what == 'lost' and of == 'cream0001'")["number"].sum()
    assert lost > 5
    # What is sold when goods are there is what was lost, but for quantities and for who comes back.
    assert units[1]["quantity"].sum() == pytest.approx(lost, rel=0.35)
