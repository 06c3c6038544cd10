"""An old landing page against a new one: nearly 300,000 visitors, some of whom saw the page of the other arm."""

import pandas as pd
import pytest

from playbook.methods import testing

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
