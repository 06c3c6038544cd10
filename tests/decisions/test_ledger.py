"""Stories of the ledger: what is written first is what counts, and what people say of a decision stays."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from playbook.data.store import ShopError
from playbook.decisions import Ledger
from playbook.decisions.ledger import Entry
from playbook.outlook import Decision, Forecast

JUNE, JULY = dt.date(2026, 6, 1), dt.date(2026, 7, 1)


def forecast(value=100.0, *, period="2026-06", metric="net_sales", **by):
    return Forecast(metric, period, value, value - 10, value + 10, "currency", by=by, method="ets")


def decision(name="stop", effect=-50.0, text="Stop search."):
    due = dt.date(2026, 6, 9)
    return Decision(name, text, "Buyer", due, "net_sales", "2026-06", effect, -80, -10, "currency")


def entry(said, report="2026-05", as_of=JUNE, notebook="07a_scorecard"):
    return Entry.of(said, report=report, as_of=as_of, notebook=notebook)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


def files(ledger):
    return {p.name: p.read_bytes() for p in ledger.folder.iterdir() if not p.name.startswith(".")}


def test_what_is_said_again_is_written_once_and_what_is_said_otherwise_is_a_revision(ledger):
    assert ledger.add([entry(forecast()), entry(forecast(platform="jd")), entry(decision())]) == 3
    before = files(ledger)
    assert ledger.add([entry(decision()), entry(forecast(platform="jd")), entry(forecast())]) == 0
    assert files(ledger) == before
    assert ledger.add([entry(forecast(120))]) == 1
    assert ledger.add([entry(forecast(120))]) == 0
    said = ledger.forecasts()
    assert said[["metric", "by", "value", "revisions"]].to_numpy().tolist() == [
        ["net_sales", "", 100.0, 1],
        ["net_sales", "platform: jd", 100.0, 0],
    ]
    assert said["due"].tolist() == [JULY, JULY]


def test_the_same_thing_from_another_report_or_notebook_is_another_entry(ledger):
    ids = {
        entry(forecast()).id,
        entry(forecast(), report="2026-04").id,
        entry(forecast(), notebook="01_market").id,
        entry(forecast(platform="jd")).id,
        entry(forecast(period="2026-07")).id,
        entry(decision()).id,
    }
    assert len(ids) == 6
    assert entry(decision(effect=-20.0, text="Stop search now.")).id == entry(decision()).id


def test_a_score_is_written_once_and_the_first_one_stands(ledger):
    ledger.add([entry(forecast())])
    (one,) = ledger.unscored(JULY)
    assert ledger.unscored(dt.date(2026, 6, 30)) == []
    assert ledger.score([{"id": one.id, "hit": None, "why": "no data", "tables": "a"}]) == 1
    assert ledger.tried(one.id) == "a" and ledger.unscored(JULY) == [one]
    assert ledger.score([{"id": one.id, "actual": 95.0, "hit": True}]) == 1
    assert ledger.score([{"id": one.id, "actual": 5.0, "hit": False}]) == 0
    assert ledger.unscored(JULY) == []
    assert ledger.forecasts()[["actual", "hit"]].to_numpy().tolist() == [[95.0, True]]
    early = ledger.forecasts(as_of=dt.date(2026, 6, 15))
    assert early["hit"].tolist() == [None] and early["actual"].tolist() == [None]
    assert ledger.forecasts(as_of=dt.date(2026, 5, 31)).empty


def test_people_say_what_became_of_a_decision_and_no_run_takes_it_back(ledger):
    ledger.add([entry(decision()), entry(decision("move"))])
    id = entry(decision()).id
    ledger.decide(id, "accepted", owner="Ads team", note="=after the sale")
    with pytest.raises(ShopError, match=r"say in done_on on which day it was done"):
        ledger.decide(id, "done")
    ledger.decide(id, "done", on=dt.date(2026, 6, 8))
    ledger.add([entry(decision(text="Stop all search."))])
    row = ledger.decisions().set_index("id").loc[id]
    assert (row.status, row.owner, row.done_on, row.text) == ("done", "Ads team", dt.date(2026, 6, 8), "Stop search.")
    assert row.revisions == 1
    text = (ledger.folder / "decisions.csv").read_text(encoding="utf-8-sig")
    assert "'=after the sale" in text and text.count("\n") == 3
    assert ledger.done_on(id) == dt.date(2026, 6, 8)
    assert [e.id for e in ledger.unscored(JULY)] == [id]  # the other one is not done
    known_then = ledger.decisions(as_of=dt.date(2026, 6, 2)).set_index("id").loc[id]
    assert (known_then.status, known_then.done_on) == ("accepted", None)


def test_a_spreadsheets_dates_and_encoding_are_read(ledger):
    ledger.add([entry(decision())])
    path = ledger.folder / "decisions.csv"
    text = path.read_text(encoding="utf-8-sig").replace("proposed,,", "done,2026/6/8,已停")
    path.write_bytes(text.encode("gb18030"))
    row = ledger.decisions().iloc[0]
    assert (row.status, row.done_on, row.note) == ("done", dt.date(2026, 6, 8), "已停")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("proposed", "finished", r"decisions.csv, row 2: the status is 'finished'; write one of: proposed, accepted"),
        ("2026-06-09", "9 June", r"decisions.csv, row 2: due is '9 June'; write a day like 2026-11-05"),
        ("done_on", "done", r"decisions.csv lacks the column done_on"),
    ],
)
def test_what_people_mistype_is_named_with_its_row(ledger, old, new, said):
    ledger.add([entry(decision())])
    path = ledger.folder / "decisions.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ShopError, match=said):
        ledger.decisions()


def test_unknown_decisions_are_refused(ledger):
    with pytest.raises(ShopError, match="there is no decision 'd-000000'"):
        ledger.decide("d-000000", "done", on=JUNE)
    with pytest.raises(ValueError, match="two forecasts of one report have the same id"):
        ledger.add([entry(forecast()), entry(forecast(120))])


def test_two_reports_that_write_at_once_lose_nothing(ledger):
    entries = [entry(forecast(period=f"20{year}-06"), report=f"20{year}-05") for year in range(10, 40)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda e: ledger.add([e]), entries)) == 30
    assert len(ledger.forecasts()) == 30
