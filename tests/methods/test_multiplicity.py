"""Stories of many tests: what is left when it is held against a finding that others were looked for as well."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from playbook.findings import Finding
from playbook.methods.multiplicity import benjamini_hochberg, controlled, holm


def test_by_hand():
    p = pd.Series([0.01, 0.04, np.nan, 0.03], index=list("abcd"))
    # Holm: 3 · 0.01, then max(0.03, 2 · 0.03), then max(0.06, 1 · 0.04)
    assert holm(p).to_dict() == pytest.approx({"a": 0.03, "b": 0.06, "c": np.nan, "d": 0.06}, nan_ok=True)
    # Benjamini–Hochberg: 0.04 · 3/3, min(0.04, 0.03 · 3/2), min(0.04, 0.01 · 3)
    assert benjamini_hochberg(p).to_dict() == pytest.approx({"a": 0.03, "b": 0.04, "c": np.nan, "d": 0.04}, nan_ok=True)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_they_are_those_of_statsmodels(values):
    p = pd.Series(values)
    assert holm(p).tolist() == pytest.approx(multipletests(values, method="holm")[1].tolist())
    assert benjamini_hochberg(p).tolist() == pytest.approx(multipletests(values, method="fdr_bh")[1].tolist())
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all() and (benjamini_hochberg(p) >= p - 1e-12).all()


def test_no_p_value_is_no_test_and_nonsense_is_refused():
    assert holm(pd.Series([np.nan, np.nan])).isna().all() and benjamini_hochberg(pd.Series([], dtype=float)).empty
    with pytest.raises(ValueError, match=r"between 0 and 1: 1\.2"):
        holm(pd.Series([0.1, 1.2]))


def test_a_report_of_twenty_tests_does_not_act_on_its_one_small_p_value():
    lone = Finding("act", "Men buy more on Tuesdays", p=0.03)
    found = controlled(
        [lone, Finding("act", "Stock runs out"), *(Finding("hold", f"no {i}", p=0.05 * i) for i in range(1, 20))]
    )
    assert (found[0].verdict, found[0].q) == ("watch", pytest.approx(0.5)) and found[0].p == 0.03
    assert (found[1].verdict, found[1].q) == ("act", None)  # no test, nothing to hold against it
    alone = controlled([lone])[0]
    assert (alone.verdict, alone.q) == ("act", 0.03)
    assert controlled([Finding("act", "b", p=0.001), *found[2:]])[0].verdict == "act"
    again = Finding.from_record(found[0].record())
    assert (again.p, again.q) == (0.03, found[0].q) and "p" not in Finding("act", "a").record()
    with pytest.raises(ValueError, match=r"p = 1\.5 is no probability"):
        Finding("act", "a", p=1.5)


def test_rates_of_false_findings_over_many_reports():
    rng, runs, nulls, real = np.random.default_rng(4), 2000, 15, 5
    any_false, share = 0, []
    for _run in range(runs):
        z = rng.normal(size=nulls + real) + np.r_[np.zeros(nulls), np.full(real, 3.0)]
        p = pd.Series(2 * stats.norm.sf(abs(z)))
        any_false += (holm(p)[:nulls] < 0.05).any()
        stands = (
            [f.q <= 0.1 for f in controlled(Finding("act", "x", p=x) for x in p)]
            if _run < 500
            else benjamini_hochberg(p) <= 0.1
        )
        share.append(np.sum(stands[:nulls]) / max(1, np.sum(stands)))
    assert any_false <= stats.binom.ppf(0.999, runs, 0.05)
    # the rate is (15/20) · 0.1 in expectation; 3.1 standard errors
    assert np.mean(share) == pytest.approx(0.075, abs=3.3 * np.std(share) / np.sqrt(runs))
