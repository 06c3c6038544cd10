"""Stories of choosing by several criteria: the score by hand, what must be there, and whether the rank stands."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playbook.methods.scoring import scores, verdicts

PLATFORMS = pd.DataFrame(
    {"share": [9.0, 6, 3, 8], "fees": [4.0, 6, 9, 9], "fit": [7.0, 8, 5, 2]},
    index=["tmall", "jd", "douyin", "pinduoduo"],
)
WEIGHTS = {"share": 0.5, "fees": 0.2, "fit": 0.3}


def ranked(assessed=PLATFORMS, weights=WEIGHTS, **options):
    return scores(assessed, weights, rng=np.random.default_rng(1), **{"draws": 4000, **options})


def test_the_score_by_hand():
    found = ranked()
    # tmall 4.5 + 0.8 + 2.1 = 7.4 of 10, jd 3 + 1.2 + 2.4 = 6.6, pinduoduo 4 + 1.8 + 0.6 = 6.4, douyin 1.5 + 1.8 + 1.5
    assert found["score"].to_dict() == pytest.approx({"tmall": 0.74, "jd": 0.66, "pinduoduo": 0.64, "douyin": 0.48})
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["first"].sum() == pytest.approx(1) and found["first"].idxmax() == "tmall"
    assert found.loc["tmall", "first"] > 0.8 > found.loc["jd", "same"] > 0.4


def test_who_lacks_what_must_be_there_is_out_and_is_named():
    found = ranked(must_have={"fit": 6, "fees": 4})
    assert found["out"].to_dict() == {"tmall": "", "jd": "", "pinduoduo": "fit", "douyin": "fit"}
    assert found["rank"].tolist()[:2] == [1, 2] and found["rank"].isna().sum() == 2
    gap = PLATFORMS.copy()
    gap.loc["jd", "fees"] = np.nan
    found = ranked(gap)
    assert found.loc["jd", "lacking"] == "fees" and np.isnan(found.loc["jd", "score"]) and found.index[-1] == "jd"
    assert ranked(gap, {"share": 1.0, "fees": 0.0}).loc["jd", "score"] == 0.6  # no weight, no need


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 1000), st.integers(0, 2**31))
def test_only_proportions_of_weights_count_and_who_is_better_in_all_is_always_first(factor, seed):
    rng = np.random.default_rng(seed)
    assessed = pd.DataFrame(rng.uniform(0, 9, (4, 3)), columns=list(WEIGHTS))
    assessed.loc[4] = assessed.max() + 0.5
    found = scores(assessed, WEIGHTS, rng=np.random.default_rng(2), draws=200)
    other = scores(assessed, {c: factor * w for c, w in WEIGHTS.items()}, rng=np.random.default_rng(2), draws=200)
    assert found["score"].tolist() == pytest.approx(other["score"].tolist())
    assert found.index[0] == 4 and found.loc[4, "first"] == 1 and found.loc[4, "same"] == 1
    assert found["score"].between(0, 1).all()


def test_the_drawn_weights_lie_around_those_given():
    # subject a is ahead by share alone, b by fit alone: a is first where its weight is above one half
    two = pd.DataFrame({"share": [10.0, 0], "fit": [0.0, 10]}, index=["a", "b"])
    found = ranked(two, {"share": 0.6, "fit": 0.4}, draws=20_000)
    # two criteria of typical weight ½ that spread by 0.3 · ½: concentration 1 / 0.09 − 1
    c = 1 / 0.09 - 1
    expected = stats.beta.sf(0.5, 0.6 * c, 0.4 * c)
    assert found.loc["a", "first"] == pytest.approx(expected, abs=3.3 * np.sqrt(expected * (1 - expected) / 20_000))
    assert ranked(two, {"share": 0.6, "fit": 0.4}, spread=0).loc["a", "first"] == 1
    alike = ranked(two, {"share": 1, "fit": 1}, draws=20_000)
    assert alike["rank"].tolist() == [1, 1] and alike["first"].tolist() == pytest.approx([0.5, 0.5], abs=0.012)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="no criterion 'reach'"):
        ranked(weights={"reach": 1})
    with pytest.raises(ValueError, match="not all 0"):
        ranked(weights={"share": 0})
    with pytest.raises(ValueError, match="outside 0 to 5"):
        ranked(best=5)


def test_pass_review_fail():
    measured = pd.DataFrame(
        {
            "value": [99.0, 90, 70, 0.01, 0.06, np.nan],
            "passes": [98, 98, 98, 0.02, 0.02, 1],
            "fails": [80, 80, 80, 0.05, 0.05, 0],
        }
    )
    found = verdicts(measured)
    assert (
        found["state"].tolist() == ["PASS", "REVIEW", "FAIL", "PASS", "FAIL", "REVIEW"]
        and found.attrs["state"] == "FAIL"
    )
    assert (
        verdicts(measured.iloc[[0, 5]]).attrs["state"] == "REVIEW"
        and verdicts(measured.iloc[[0]]).attrs["state"] == "PASS"
    )
    with pytest.raises(ValueError, match="two different numbers"):
        verdicts(pd.DataFrame({"value": [1.0], "passes": [2.0], "fails": [2.0]}))
