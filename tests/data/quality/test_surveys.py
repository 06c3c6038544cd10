"""Surveys: who answered of those who bought, how completely, what they said, and whether they are like the others."""

import math

import pandas as pd
import pytest

from playbook.data.quality import (
    plot_survey_bias,
    survey_bias,
    survey_findings,
    survey_rates,
    survey_scores,
)
from playbook.missing import Missing
from playbook.shop import shop_from

# who bought when: c3 long before the survey only, c5 after it began; c1 three times
ORDERS = [
    ("c1", "2026-01-05"), ("c1", "2026-08-20"), ("c1", "2026-09-01"), ("c2", "2026-09-02"), ("c3", "2026-05-01"),
    ("c4", "2026-07-01"), ("c5", "2026-09-20"), ("c6", "2026-09-03"),
]  # fmt: skip
ANSWERS = [
    ("r1", "2026-09-10", "autumn", "csat_product", 5, "c1", "returning", 1.0),
    ("r1", "2026-09-10", "autumn", "csat_service", 4, "c1", "returning", 1.0),
    ("r2", "2026-09-12", "autumn", "csat_product", 2, "c2", "new", 3.0),
    ("r4", "2026-09-12", "autumn", "csat_product", 3, "c3", "new", 1.0),
    ("r3", "2026-03-01", "panel", "csat_product", 1, None, "public", 1.0),
]


def shop(answers=ANSWERS):
    orders = pd.DataFrame(ORDERS, columns=["customer_id", "ordered_at"])
    orders["ordered_at"] = pd.to_datetime(orders.ordered_at)
    orders.insert(0, "order_id", [str(i) for i in range(len(orders))])
    orders["platform"], orders["amount"] = "web", 10
    columns = ["response_id", "answered_at", "survey", "question", "score", "customer_id", "segment", "weight"]
    surveys = pd.DataFrame(answers, columns=columns)
    surveys["answered_at"] = pd.to_datetime(surveys.answered_at)
    return shop_from(period="2026-09", orders=orders, surveys=surveys)


def test_a_rate_is_of_those_who_bought_in_the_ninety_days_before():
    s = shop()
    found = survey_rates(s.surveys, s.orders, s.persons).set_index("survey")
    assert found.index.tolist() == ["panel", "autumn"]
    autumn, panel = found.loc["autumn"], found.loc["panel"]
    assert (autumn.responses, autumn.questions, autumn.completeness) == (3, 2, 4 / 6)
    # c1, c2, c4 and c6 bought in time; c1 and c2 answered (so did c3, who is not among them)
    assert (autumn.asked, autumn.answered, autumn.response_rate) == (4, 2, 0.5)
    assert (autumn.low, autumn.high) == pytest.approx((0.15004, 0.84996), abs=1e-4)  # Wilson, two of four
    assert panel.responses == 1 and math.isnan(panel.response_rate) and math.isnan(panel.asked)


def test_a_score_comes_from_the_last_survey_with_its_n_and_interval():
    found = survey_scores(shop().surveys).set_index(["question", "segment"])
    assert set(found.survey) == {"autumn"} and found.n.tolist() == [2, 1, 1]
    new = found.loc["csat_product", "new"]
    # 2 and 3: mean 2.5, standard error 0.5, t with one degree of freedom 12.706
    assert (new.score, new.low, new.high) == pytest.approx((2.5, 2.5 - 6.3531, 2.5 + 6.3531), abs=1e-3)
    assert math.isnan(found.loc["csat_service", "returning"].low)  # one answer has no interval
    weighted = survey_scores(shop().surveys, weighted=True).set_index(["question", "segment"])
    assert weighted.loc["csat_product", "new"].score == pytest.approx((3 * 2 + 1 * 3) / 4)


def test_those_who_answer_are_held_against_those_who_buy():
    s = shop()
    found = survey_bias(s.surveys, s.orders, s.persons)
    often = found[found.trait == "orders"].set_index("group")
    assert often.buyers.to_dict() == {"1": 3, "3+": 1} and often.answered.to_dict() == {"1": 1, "3+": 1}
    assert often.difference.to_dict() == {"1": 0.5 - 0.75, "3+": 0.5 - 0.25}
    (finding,) = survey_findings(found)
    assert finding.verdict == "watch" and "2 persons" in finding.text and "orders so far" in finding.text
    ax = plot_survey_bias(found)
    widths = [round(p.get_width(), 6) for p in ax.patches]
    assert widths == [*found.buyers_share.round(6), *found.answered_share.round(6)]


def test_a_survey_that_names_nobody_leaves_the_question_open():
    s = shop([(*row[:5], None, *row[6:]) for row in ANSWERS])
    assert survey_rates(s.surveys, s.orders, s.persons).response_rate.isna().all()
    found = survey_bias(s.surveys, s.orders, s.persons)
    assert isinstance(found, Missing) and "names the customers" in found.sentence()
    assert isinstance(survey_findings(found), Missing) and isinstance(plot_survey_bias(found), Missing)
    without = survey_rates(s.surveys.drop("customer_id"), None, None)
    assert without.completeness.tolist() == [1.0, 4 / 6] and without.asked.isna().all()
