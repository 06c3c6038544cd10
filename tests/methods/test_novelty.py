"""Effects that wear off: by hand, and how often one is said to that does not."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from playbook.methods import testing


def days(early, late, *, n=1000, first=7, last=21):
    """Arms with a share of successes in the first days and one afterwards: {arm: (early, late)}."""
    lines = []
    for arm in early:
        for d in range(last):
            share = early[arm] if d < first else late[arm]
            lines.append((arm, pd.Timestamp("2026-03-02") + pd.Timedelta(days=d), n, round(n * share)))
    return pd.DataFrame(lines, columns=["arm", "day", "n", "k"])


def test_an_effect_of_the_first_week_alone_wears_off_and_one_that_stays_does_not():
    found = testing.novelty(days({"control": 0.2, "a": 0.25, "b": 0.25}, {"control": 0.2, "a": 0.2, "b": 0.25}))
    a, b = found.to_dict("records")
    assert a["wears_off"] and a["early_effect"] == pytest.approx(0.05) and a["late_effect"] == pytest.approx(0.0)
    # 7,000 and 14,000 an arm: −0.05 / √(0.2·0.8·(1/7000 + 2/14000) + 0.25·0.75/7000)
    error = math.sqrt(0.16 * (1 / 7000 + 2 / 14000) + 0.1875 / 7000)
    assert a["p"] == pytest.approx(stats.norm.cdf(-0.05 / error), rel=1e-2)
    assert not b["wears_off"] and b["p"] == pytest.approx(0.5)


def test_what_is_worse_at_first_and_gets_better_does_not_wear_off():
    (line,) = testing.novelty(days({"control": 0.2, "a": 0.1}, {"control": 0.2, "a": 0.2})).to_dict("records")
    assert not line["wears_off"] and line["p"] > 0.99
    # bad at first, worse later: it changes, but there was nothing to wear off
    (line,) = testing.novelty(days({"control": 0.2, "a": 0.15}, {"control": 0.2, "a": 0.05})).to_dict("records")
    assert line["p"] < 0.001 and not line["wears_off"]


def test_where_a_time_is_empty_nothing_is_said():
    (line,) = testing.novelty(days({"control": 0.2, "a": 0.3}, {}, last=7)).to_dict("records")
    assert not line["wears_off"] and math.isnan(line["p"] + line["late_effect"])
    assert testing.novelty(pd.DataFrame(columns=["arm", "day", "n", "k"])).empty
    (line,) = testing.novelty(days({"control": 0.0, "a": 0.0}, {"control": 0.0, "a": 0.0})).to_dict("records")
    assert line["p"] == pytest.approx(0.5) and not line["wears_off"]


def test_an_effect_that_stays_is_seldom_said_to_wear_off():
    rng, runs, said = np.random.default_rng(4), 600, 0
    base = days({"control": 0.3, "a": 0.36}, {"control": 0.3, "a": 0.36}, n=60)
    for _run in range(runs):
        share = np.where(base["arm"] == "a", 0.36, 0.3)
        said += testing.novelty(base.assign(k=rng.binomial(base["n"], share)))["wears_off"].iloc[0]
    assert said <= stats.binom.ppf(0.9995, runs, 0.01)
