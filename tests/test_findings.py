"""Stories of findings: their order, and what is written down of their figures."""

import json
from decimal import Decimal

import numpy as np
import pytest

from playbook.findings import Figure, Finding, rank, rounded
from playbook.missing import Missing


def test_acts_come_first_then_the_larger_stake_of_either_sign_then_the_text():
    findings = [
        Finding("hold", "h", 9_999),
        Finding("act", "unknown stake"),
        Finding("watch", "w", 5),
        Finding("act", "loss", -200),
        Finding("act", "b", 100),
        Finding("act", "a", 100),
    ]
    assert [f.text for f in rank(findings)] == ["loss", "a", "b", "unknown stake", "w", "h"]


def test_a_verdict_is_one_of_three():
    with pytest.raises(ValueError, match="'buy' is no verdict; write one of: act, watch, hold"):
        Finding("buy", "Buy more ads.")


@pytest.mark.parametrize("stake", [None, float("nan"), float("-inf"), np.nan, Missing("ad_spend")])
def test_a_stake_that_is_no_number_is_not_known(stake):
    assert Finding("act", "Do it.", stake).stake is None


def test_a_stake_is_a_plain_float():
    assert Finding("act", "Do it.", Decimal("120.5")).stake == 120.5
    assert type(Finding("act", "Do it.", np.int64(3)).stake) is float
    with pytest.raises(TypeError, match="'much' is not a number"):
        Finding("act", "Do it.", "much")


def test_a_finding_needs_a_sentence():
    with pytest.raises(ValueError, match="needs a sentence"):
        Finding("act", "  ")


@pytest.mark.parametrize(
    ("x", "kept"),
    [
        (1 / 3, 0.3333333333),
        (123456.78901234, 123456.789),
        (12345678901234, 12345678901234),
        (np.int64(7), 7),
        (np.float32(0.5), 0.5),
        (Decimal("1234.5600"), 1234.56),
        (float("nan"), None),
        (Decimal("NaN"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_ten_significant_digits_are_kept(x, kept):
    assert rounded(x) == kept
    assert type(rounded(x)) is type(kept)


def test_a_negative_zero_is_zero():
    assert str(rounded(-0.0)) == "0.0"


def test_a_record_is_plain_json_and_comes_back():
    figure = Figure(
        "channels.cac", np.float64(71.4), "currency", low=np.nan, high=Decimal("77.9"), by={"channel": "搜索"}
    )
    record = figure.record("04b_channels_and_budget")
    assert json.loads(json.dumps(record, allow_nan=False)) == {
        "notebook": "04b_channels_and_budget",
        "name": "channels.cac",
        "value": 71.4,
        "low": None,
        "high": 77.9,
        "unit": "currency",
        "by": {"channel": "搜索"},
    }
    finding = Finding("act", "Move money.", 10, (Figure.from_record(record),))
    assert Finding.from_record(finding.record()) == finding
