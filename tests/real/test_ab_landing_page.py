"""An old landing page against a new one: nearly 300,000 visitors, some of whom saw the page of the other arm."""

import datetime as dt

import pandas as pd
import pytest

from playbook.methods import testing
from playbook.period import parse
from playbook.site import experiments

PAGES = {"control": "old_page", "treatment": "new_page"}
ROWS = {"unit": "user_id", "arm": "group", "exposed": "landing_page", "shown": PAGES, "at": "timestamp"}
CONVERSION = testing.Metric("conversion", "converted")


@pytest.fixture(scope="module")
def rows(real_data):
    path = real_data / "ab_landing_page" / "ab_data.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path}: see the README of the real data")
    return pd.read_csv(path)


def test_the_published_rates_and_the_rows_that_saw_the_other_page(rows):
    found = testing.analyse(rows, [CONVERSION], **ROWS)
    (line,) = found.effects.to_dict("records")
    assert (round(line["control"], 6), round(line["value"], 6)) == (0.120386, 0.118808)
    assert (line["n_control"], line["n"]) == (145_274, 145_310)
    assert round(line["p"], 4) == 0.1899 and not line["stands"] and found.sound
    assert found.mismatches.values.tolist() == [["control", "new_page", 1928], ["treatment", "old_page", 1965]]
    assert found.arms["repeated"].sum() == 1 and found.arms["rows"].sum() == 294_478
    result, aside = testing.findings(found, experiment="Landing page")
    assert (
        result.verdict == "watch"
        and "11.88% against 12.04%" in result.text
        and result.p == pytest.approx(0.18988, abs=1e-5)
    )
    assert "1,928 of control saw new_page; 1,965 of treatment saw old_page" in aside.text and "3,893 rows" in aside.text


def test_who_looks_daily_is_not_misled(rows):
    units = testing.assigned(rows, **ROWS).units
    daily = testing.sequence(units, CONVERSION, at="timestamp", planned=290_000)
    assert daily["p"].min() > 0.5 and ((daily["low"] < 0) & (daily["high"] > 0)).all()
    assert daily["effect"].iloc[-1] == pytest.approx(-0.001578, abs=1e-6)


def test_the_notebook_says_of_it_what_is_known(rows):
    table = rows.rename(columns={"user_id": "unit_id", "group": "arm", "timestamp": "assigned_at"}).assign(
        experiment="landing page",
        exposed_arm=rows["landing_page"].map({page: arm for arm, page in PAGES.items()}),
        assigned_at=pd.to_datetime(rows["timestamp"]),
    )
    tried = experiments.run(table, until=dt.date(2017, 2, 20))
    (line,) = experiments.effects(tried).to_dict("records")
    assert (round(line["control"], 6), round(line["value"], 6), round(line["p_adjusted"], 4)) == (
        0.120386,
        0.118808,
        0.1899,
    )
    assert experiments.log(tried)["call"].tolist() == ["unknown"]
    assert experiments.lasting(tried)["lasts"].tolist() == ["no_sign"]
    (result, aside) = experiments.findings(tried, until=dt.date(2017, 2, 20))
    assert result.verdict == "watch" and "11.88% against 12.04%" in result.text and "p 0.190" in result.text
    assert "1,928 of control saw treatment; 1,965 of treatment saw control" in aside.text
    assert experiments.arms(tried)["set_aside"].sum() == 3893 + 1
    assert experiments.decisions(tried, period=parse("2017-01")) == []
