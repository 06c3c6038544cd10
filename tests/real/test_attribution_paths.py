"""The paths that ChannelAttribution ships: every rule ties to their conversions and value."""

import time

import pandas as pd
import pytest

from playbook.media import attribution

NAMES = {"conversions": "total_conversions", "value": "total_conversion_value", "nulls": "total_null"}


@pytest.fixture(scope="module")
def paths(real_data):
    return pd.read_csv(real_data / "attribution_paths" / "paths.csv")


@pytest.fixture(scope="module")
def credited(paths):
    return attribution.credits(attribution.touches_of_paths(paths, **NAMES))


def test_every_rule_ties_to_all_conversions_and_all_value(credited):
    assert credited.attrs["nulls"] == 68_602
    sums = credited.groupby("rule")[["conversions", "value"]].sum()
    assert len(sums) == 8 and (credited["conversions"] >= 0).all() and (credited["value"] >= 0).all()
    assert sums["conversions"].to_numpy() == pytest.approx([19_785] * 8, abs=1e-6)
    assert sums["value"].to_numpy() == pytest.approx([74_802.97] * 8, abs=0.005)


def test_first_last_and_linear_are_what_counting_by_hand_gives(paths, credited):
    made = credited.pivot(index="channel", columns="rule", values="conversions")
    steps = paths["path"].str.split(" > ")
    won = paths["total_conversions"]
    assert made["first"].to_dict() == pytest.approx(
        won.groupby(steps.str[0]).sum().reindex(made.index, fill_value=0).to_dict()
    )
    assert made["last"].to_dict() == pytest.approx(
        won.groupby(steps.str[-1]).sum().reindex(made.index, fill_value=0).to_dict()
    )
    long = pd.DataFrame({"c": steps, "w": won / steps.str.len()}).explode("c").groupby("c")["w"].sum()
    assert made["linear"].to_dict() == pytest.approx(long.to_dict())


def test_the_exact_chain_takes_no_longer_than_a_look(paths):
    met = attribution.touches_of_paths(paths, **NAMES)
    attribution.removal_effects(met)
    began = time.perf_counter()
    made = attribution.removal_effects(met)
    assert time.perf_counter() - began < 2.0
    assert made["effect"].between(0, 1).all() and made.set_index("channel")["effect"].idxmax() == "alpha"
