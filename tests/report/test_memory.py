"""Stories of what a run remembers: forecasts and decisions go into the ledger once all notebooks ran, and never twice."""

import json

import pytest

from playbook import cli
from playbook.data.store import open_store
from playbook.decisions import Ledger
from playbook.report.run import run

SETTINGS = 'title = "Corner shop"\nzone = "UTC"\ncurrency = "CNY"\n'

CONCLUDE = """
import datetime as dt
from playbook import open_shop
from playbook.metrics import measure
from playbook.outlook import Decision, Forecast
from playbook.report import conclude, setup
shop = open_shop(shop, period)
setup(shop)
sales = float(measure(shop, ["net_sales"]).value.iloc[0])
comes = shop.period.end.strftime("%Y-%m")
f = Forecast("net_sales", comes, sales, sales - level, sales + level, "currency", method="naive")
d = Decision("call", f"Call {sales:.0f} people.", "Owner", shop.period.end, "net_sales", comes, 1, 0, 2, "currency")
conclude(f, d)
"""


@pytest.fixture
def ledger(corner):
    return Ledger.of(corner)


def files(ledger):
    return {p.name: p.read_bytes() for p in ledger.folder.iterdir() if not p.name.startswith(".")}


def test_a_run_writes_what_it_says_and_the_next_period_scores_it(book, make_shop, ledger):
    book("01_first", CONCLUDE)
    run("corner", "2024-01")
    assert ledger.forecasts()[["report", "period", "value", "hit"]].to_numpy().tolist() == [
        ["2024-01", "2024-02", 12.0, None]
    ]
    assert ledger.decisions()[["text", "status"]].to_numpy().tolist() == [["Call 12 people.", "proposed"]]
    assert run("corner", "2024-01").ran == ()
    before = files(ledger)
    run("corner", "2024-01", fresh=True)
    assert files(ledger) == before

    run("corner", "2024-02")
    why = ledger.forecasts()["why"].item()  # the data end on 3 February
    assert why.startswith("The data of that period fail their check")
    make_shop("corner", {"more.csv": "id,time,amount\n4,2024-02-28 10:00:00,1\n"}, SETTINGS)
    run("corner", "2024-02")  # sales of 2 in February: outside 9 to 15
    said = ledger.forecasts().set_index("report")
    assert said.loc["2024-01", ["actual", "hit"]].tolist() == [2.0, False]
    assert said.loc["2024-02", "hit"] is None
    before = files(ledger)
    for period in ("2024-01", "2024-02", "2024-01"):
        run("corner", period)
    assert files(ledger) == before


def test_drafts_and_runs_that_failed_leave_no_trace(book, ledger):
    book("01_first", CONCLUDE)
    run("corner", said={"level": "9"})
    assert not ledger.folder.exists()
    book("02_second", "raise SystemError")
    assert run("corner").failed == ("02_second",)
    assert not ledger.folder.exists()
    run("corner", only=["01"])
    assert not ledger.folder.exists()  # the page of 02 is in the report, and says that it failed
    book("02_second", "1 + 1")
    run("corner")
    assert len(ledger.forecasts()) == 1


def test_data_that_fail_their_check_forecast_and_decide_nothing(book, make_shop, ledger):
    rows = "".join(f"{i},2024-01-{1 + i % 28:02d} 10:00:00,{'oops' if i % 3 else 5}\n" for i in range(60))
    make_shop("corner", {"orders.csv": "id,time,amount\n" + rows}, 'zone = "UTC"\ncurrency = "CNY"\n')
    book("01_first", CONCLUDE)
    assert run("corner", "2024-01").failed == ()
    assert ledger.forecasts().empty and ledger.decisions().empty


def test_people_read_the_ledger_and_answer_on_the_command_line(book, make_shop, ledger, monkeypatch, capsys):
    book("01_first", CONCLUDE)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["playbook", *words])
        try:
            cli.main()
        except SystemExit as ended:
            assert ended.code in (0, None, 2)
        said = capsys.readouterr()
        return said.out + said.err

    run("corner", "2024-01")
    (id,) = ledger.decisions()["id"]
    said = call("ledger", "corner")
    assert id in said and "Call 12 people." in said and "¥12.00" in said and "¥9.00–¥15.00" in said
    assert call("decide", id, "done", "--on", "2024-02-01", "--note", "ok").startswith(
        f"{id} of corner is done: Call 12"
    )
    assert "is no day" not in call("decide", id, "done", "--on", "2024/2/1")
    assert "--on is 'May'; write a day like 2026-11-05" in call("decide", id, "done", "--on", "May")
    assert "the status is 'finished'" in call("decide", id, "finished")
    assert "there is no decision 'd-0'" in call("decide", "d-0", "done")
    make_shop("corner", {"more.csv": "id,time,amount\n4,2024-02-28 10:00:00,1\n"}, SETTINGS)
    run("corner", "2024-02")
    assert "0 of 1 forecasts that are due lay in their intervals." in call("ledger", "corner")
    scores = [json.loads(line) for line in (ledger.folder / "scores.jsonl").read_text().splitlines()]
    assert {s["id"][0] for s in scores} == {"f", "d"}
    assert id not in call("ledger", "corner", "--open")
    assert open_store("corner").settings.title == "Corner shop"
