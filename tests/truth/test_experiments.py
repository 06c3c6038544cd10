"""The demo's experiments: one works, one does nothing, one lost visitors, one wears off."""

import numpy as np
import pandas as pd
import pytest
from grading import Grade, allowed, covered
from scipy import stats

from playbook.data.demo.shoppers.funnel import LIFT
from playbook.methods import testing
from playbook.methods.testing import Metric

pytestmark = pytest.mark.truth

SEEDS = range(1, 5)
CONVERSION = Metric("conversion", "converted")
SALES = Metric("sales a visitor", "value", kind="mean")


@pytest.fixture(scope="module")
def tables(planted):
    """Assignments of each world."""
    return {seed: planted(seed)[1].tables["experiments"] for seed in SEEDS}


def of(tables, name, *, level=0.95):
    """The analysis of an experiment in each world, of those who came to where it is shown."""
    return {
        seed: testing.analyse(
            rows[rows["experiment"] == name],
            [CONVERSION, SALES],
            exposed="exposed_arm",
            seen_only=True,
            at="assigned_at",
            level=level,
        )
        for seed, rows in tables.items()
    }


def test_lost_visitors_are_found_and_nothing_is_concluded(tables):
    for seed, found in of(tables, "new_search").items():
        assert not found.sound and found.effects.empty, seed
        assert "treatment" in testing.decision(found)[0].text
    for name in ("one_page_checkout", "blue_button", "gift_banner"):
        assert all(found.sound for found in of(tables, name).values()), name


def test_the_checkout_that_works_is_taken_and_its_lift_covered(tables, grades):
    rows = []
    for seed, found in of(tables, "one_page_checkout", level=0.9).items():
        line = found.effects.iloc[0]
        rows.append(Grade("experiment: lift", str(seed), LIFT, line["lift"], line["lift_low"], line["lift_high"], 0.9))
        assert testing.decision(found)[0].text.startswith("Take treatment"), seed
    grades.add(*rows)
    hits, n = covered(rows)
    assert hits >= allowed(n, 0.9)[0], f"{hits} of {n}"


def test_the_button_that_does_nothing_is_not_rejected_beyond_its_rate(tables):
    rejected = sum(bool((f.effects["p_adjusted"] < 0.05).any()) for f in of(tables, "blue_button").values())
    assert rejected <= stats.binom.ppf(0.999, len(SEEDS), 0.05)


def test_visitors_split_anew_differ_as_rarely_as_promised(tables):
    rng, runs = np.random.default_rng(1), 400
    rows = tables[1].query("experiment == 'blue_button'")
    hits = {"conversion": 0, "sales a visitor": 0}
    for _run in range(runs):
        again = rows.assign(arm=np.where(rng.random(len(rows)) < 0.5, "control", "treatment"))
        found = testing.compare(testing.totals(again, [CONVERSION, SALES]), [CONVERSION, SALES])
        for line in found.to_dict("records"):
            hits[line["metric"]] += line["p"] < 0.05
    assert max(hits.values()) <= stats.binom.ppf(0.9995, runs, 0.05)


def test_who_looks_daily_stops_early_and_rightly(tables):
    for seed, rows in tables.items():
        units = testing.assigned(
            rows[rows["experiment"] == "one_page_checkout"], exposed="exposed_arm", seen_only=True, at="assigned_at"
        ).units
        daily = testing.sequence(units, CONVERSION, planned=2000)
        assert daily["p"].iloc[-1] < 0.05 and daily["effect"].iloc[-1] > 0, seed
        assert pd.Timestamp(daily.loc[daily["p"] < 0.05, "day"].min()) <= daily["day"].max()
