"""A year of reports on the demo: each scores what the ones before it forecast, and running one again changes nothing."""

import pandas as pd
import pytest
from scipy import stats

from playbook.data.demo import generate
from playbook.data.store import open_store
from playbook.decisions import Ledger
from playbook.report.run import run

pytestmark = pytest.mark.truth

MONTHS = [str(p) for p in pd.period_range("2025-11", "2026-10", freq="M")]


@pytest.fixture
def demo(home):
    from pathlib import Path

    generate(home / "data" / "demo", scale=0.1, seed=5)
    (home / "notebooks").symlink_to(Path(__file__).parents[2] / "notebooks")
    return open_store("demo")


def test_a_year_of_scorecards_scores_itself_and_stays_as_it_is(demo, home):
    ledger = Ledger.of(demo)
    for month in MONTHS:
        assert run("demo", month, only=["07a"]).failed == (), month
    said = ledger.forecasts()
    assert said.groupby("report").size().to_dict() == dict.fromkeys(MONTHS, 4)
    assert said.loc[said["report"] != MONTHS[-1], "hit"].notna().all()
    assert said.loc[said["report"] == MONTHS[-1], "hit"].isna().all()
    hits, n = int(said["hit"].dropna().sum()), int(said["hit"].notna().sum())
    # Four figures of a month go together: as little as eleven independent trials.
    assert hits / n >= stats.binom.ppf(0.001, 11, 0.8) / 11
    assert (said["revisions"] == 0).all()

    files = {p: p.read_bytes() for p in ledger.folder.iterdir() if not p.name.startswith(".")}
    figures = home / "reports" / "demo" / "2026-04" / "figures.json"
    before = figures.read_bytes()
    run("demo", "2026-04", only=["07a"], fresh=True)
    assert figures.read_bytes() == before
    assert {p: p.read_bytes() for p in ledger.folder.iterdir() if not p.name.startswith(".")} == files
    print(f"\n{hits} of {n} forecasts lay in their 80 % intervals")
