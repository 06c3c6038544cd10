"""Stories of satisfaction: shares and the net promoter score by hand, who answers, and what a recommendation hangs on."""

import datetime as dt
import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from playbook.customers import satisfaction
from playbook.methods import intervals
from playbook.methods.decomposition import importance
from playbook.missing import Missing


def surveys(scores, survey="autumn", day="2026-09-20", **columns):
    """One response per tuple of product, service, nps; NaN: not asked."""
    rows = [
        {"response_id": f"{survey}{i}", "survey": survey, "answered_at": pd.Timestamp(day), "question": q, "score": s}
        | {c: of[i] for c, of in columns.items()}
        for i, told in enumerate(scores)
        for q, s in zip(("csat_product", "csat_service", "nps"), told, strict=True)
        if not math.isnan(s)
    ]
    return pd.DataFrame(rows)


AUTUMN = [(5, 4, 10), (4, 2, 9), (3, 5, 7), (5, 5, 9), (2, 1, 3)]
SPRING = [(5, 5, 9), (5, 5, 10), (1, 5, 0), (4, 5, 8)]


def two_waves():
    return satisfaction.answered(pd.concat([surveys(AUTUMN), surveys(SPRING, "spring", "2026-03-20")]))


def test_the_last_survey_is_told_beside_the_one_before():
    frame = satisfaction.scores(two_waves()).set_index("area")
    assert frame.value.to_dict() == pytest.approx({"product": 3 / 5, "service": 3 / 5, "overall": 100 * (3 - 1) / 5})
    assert frame.previous.to_dict() == pytest.approx({"product": 3 / 4, "service": 1.0, "overall": 100 * (2 - 1) / 4})
    assert frame.n.tolist() == [5, 5, 5]
    assert frame.loc["product", ["low", "high"]].tolist() == pytest.approx(list(intervals.wilson(3, 5)))
    nps = frame.loc["overall"]
    assert -100 <= nps.low < nps.value < nps.high <= 100 and nps.high - nps.low > 60  # five people say little


def test_weights_count_and_make_the_interval_wider():
    heavy = satisfaction.scores(satisfaction.answered(surveys(AUTUMN, weight=[1.0, 1.0, 1.0, 1.0, 4.0])))
    product = heavy.set_index("area").loc["product"]
    assert product.value == pytest.approx(3 / 8)  # 1 + 1 + 1 of 8
    worth = 8**2 / 20
    assert [product.low, product.high] == pytest.approx(list(intervals.wilson(3 / 8 * worth, worth)))
    assert product.n == 5


def test_segments_are_told_each_with_n_and_their_absence_is_a_card():
    told = satisfaction.by_segment(satisfaction.answered(surveys(AUTUMN, segment=["new", "new", "old", "old", "old"])))
    got = told.set_index(["area", "segment"])
    assert got.value.to_dict() == pytest.approx(
        {("product", "new"): 1.0, ("product", "old"): 1 / 3, ("service", "new"): 1 / 2, ("service", "old"): 2 / 3}
    )
    assert got.n.tolist() == [2, 3, 2, 3]
    ax = satisfaction.plot_by_segment(told)
    assert {t.get_text() for t in ax.texts} >= {"(100.0%, n = 2)", "(33.3%, n = 3)"}
    plt.close("all")
    card = satisfaction.by_segment(two_waves())
    assert isinstance(card, Missing) and card.what == "surveys.segment"


def people(n=600, seed=5):
    """Recommending hangs twice as much on the product as on the service, and the two go together."""
    rng = np.random.default_rng(seed)
    both = rng.multivariate_normal([4, 4], [[1, 0.4], [0.4, 1]], n)
    nps = 2 + 1.0 * both[:, 0] + 0.5 * both[:, 1] + rng.normal(0, 0.8, n)
    return satisfaction.answered(surveys(np.column_stack([both, nps])))


def test_what_a_recommendation_hangs_on_is_ranked_and_sums_to_the_whole():
    told = satisfaction.drivers(people(), rng=1)
    assert told.area.tolist() == ["product", "service"] and told.value.sum() == pytest.approx(1)
    # by hand for two parts: half of what it adds alone plus half of what it adds last (variances 1, covariance 0.4)
    explained = 1.0 + 0.25 + 2 * 0.5 * 0.4
    alone, rest = (1 + 0.5 * 0.4) ** 2, (0.5 + 0.4) ** 2
    product = (alone + explained - rest) / 2 / explained
    assert told.low[0] < product < told.high[0] and told.value[0] == pytest.approx(product, abs=0.08)
    pd.testing.assert_frame_equal(told, satisfaction.drivers(people(), rng=1))
    ax = satisfaction.plot_drivers(told)
    assert ax.lines[0].get_xdata().tolist() == pytest.approx(told.value.tolist())
    plt.close("all")


def test_importance_is_even_for_twins_nothing_for_noise_and_sums_to_r_squared():
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    noise = rng.normal(size=400)
    noise -= x * (noise @ x) / (x @ x)
    parts = importance(np.column_stack([x, x, noise]), 3 * x + 1)
    assert parts == pytest.approx([0.5, 0.5, 0.0], abs=5e-3) and parts.sum() == pytest.approx(1)
    y = x + rng.normal(size=400)
    fit = np.corrcoef(x, y)[0, 1] ** 2
    assert importance(x[:, None], y) == pytest.approx([fit])
    assert np.isnan(importance(x[:2, None], y[:2])).all() and np.isnan(importance(x[:, None], np.ones(400))).all()
    assert importance(x[:, None], y, np.r_[np.ones(200), np.zeros(200)]) == pytest.approx(
        importance(x[:200, None], y[:200])
    )


def test_few_answers_and_other_questions_say_what_is_needed():
    few = satisfaction.drivers(satisfaction.answered(surveys(AUTUMN)), rng=1)
    assert isinstance(few, Missing) and few.what.startswith("30 full answers")
    other = surveys(AUTUMN).assign(question="price_cheap:x")
    assert isinstance(satisfaction.answered(other), Missing)
    assert isinstance(satisfaction.answered(Missing("surveys")), Missing)
    only = satisfaction.answered(surveys([(5, 4, math.nan)] * 40))
    assert isinstance(satisfaction.drivers(only, rng=1), Missing)
    assert satisfaction.scores(only).area.tolist() == ["product", "service"]
    assert satisfaction.answered(surveys(AUTUMN), since=dt.date(2026, 9, 21)).what == "answers on satisfaction"


def test_findings_say_the_score_what_weighs_most_and_who_answered():
    waves = [surveys([(5, 5, 9)] * 80 + [(2, 2, 3)] * 20, "a", "2026-03-01"),
             surveys([(5, 5, 9)] * 40 + [(2, 4, 3)] * 60, "b", "2026-09-01")]  # fmt: skip
    answers = satisfaction.answered(pd.concat(waves))
    scored, weights = satisfaction.scores(answers), satisfaction.drivers(answers, rng=1)
    fell, weighs, who = satisfaction.findings(scored, weights, period_start=dt.date(2026, 10, 1))
    assert fell.verdict == "act" and fell.p < 1e-6
    assert fell.text.startswith("The recommendation (NPS) is −20.0 ") and "−80.0 points against" in fell.text
    assert "“product”" in weighs.text and weighs.verdict == "watch"
    assert who.text == "Satisfaction is older than the period: 100 people who chose to answer, the last on 1 Sep 2026."
    (first, _who) = satisfaction.findings(satisfaction.scores(satisfaction.answered(surveys(AUTUMN))))
    assert "no earlier survey" in first.text and first.p is None
