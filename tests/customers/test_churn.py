"""Windows of churn, the matrix, flows, the trend: by hand."""

import datetime as dt

import pandas as pd
import pytest

from playbook import period as periods
from playbook.customers import churn, retention
from playbook.missing import Missing

NOW = dt.datetime(2026, 11, 1)


def bought(**last):
    """Purchases: person = days ago, or a list of them; 100 each."""
    rows = [
        (who, pd.Timestamp(NOW) - pd.Timedelta(days=d) + pd.Timedelta(hours=5), 100.0)
        for who, days in last.items()
        for d in (days if isinstance(days, list) else [days])
    ]
    return pd.DataFrame(rows, columns=["person_id", "at", "amount"])


EDGES = bought(a=7, b=8, c=30, d=31, e=90, f=91)


def windows(*args, **options):
    return churn.states(*args, **{"as_of": NOW} | options).to_pandas().set_index("person_id").window.to_dict()


def test_the_edges_of_the_windows():
    assert windows(EDGES) == {"a": "active", "b": "short", "c": "short", "d": "mid", "e": "mid", "f": "long"}
    assert windows(EDGES, active_days=0)["a"] == "short"
    assert windows(EDGES, active_days=40, bands=(40, 60)) == {
        "a": "active", "b": "active", "c": "active", "d": "active", "e": "long", "f": "long",
    }  # fmt: skip


def test_who_did_anything_lately_is_active_and_the_clock_may_be_that_of_activity():
    seen = pd.DataFrame({"person_id": ["f", "e"], "at": pd.to_datetime(["2026-10-30", "2026-10-10"])})
    assert windows(EDGES, seen)["f"] == "active" and windows(EDGES, seen)["e"] == "mid"
    assert windows(EDGES, seen, clock="last_activity")["e"] == "short"
    later = seen.assign(at=pd.Timestamp("2026-11-02"))
    assert windows(EDGES, later)["f"] == "long"  # what has not happened yet is not seen


def test_value_is_a_rank_and_the_year_is_the_last():
    rows = bought(**{f"p{i}": [400] * i + [10] for i in range(1, 11)})
    t = churn.states(rows, as_of=NOW).to_pandas().set_index("person_id")
    assert t.value[["p10", "p9"]].tolist() == ["high", "high"] and t.value["p1"] == "low"
    assert t.value.value_counts().to_dict() == {"low": 5, "middle": 3, "high": 2}
    assert float(t.sales["p10"]) == 1100 and float(t.sales_year["p10"]) == 100 and t.orders["p10"] == 11


def test_the_matrix_holds_everybody_once():
    found = churn.matrix(churn.states(EDGES, as_of=NOW))
    assert len(found) == 12 and found.customers.sum() == 6 and found.share.sum() == pytest.approx(1)
    assert found.sales_year.sum() == 600


def test_who_went_where_by_hand():
    before = churn.states(bought(a=40, b=40, c=130), as_of=dt.datetime(2026, 10, 1))
    now = churn.states(bought(a=[40, 2], b=40, c=130, new=20), as_of=NOW)
    frame = churn.flows(before, now)
    moved = frame[frame.customers > 0].set_index(["from_window", "to_window"]).customers.to_dict()
    # 40 days ago is 9 days before October: short; then a bought again, b has gone on to mid
    assert moved == {("new", "short"): 1, ("short", "active"): 1, ("short", "mid"): 1, ("long", "long"): 1}
    short = frame[frame.from_window == "short"].set_index("to_window")
    assert short.rate["active"] == 0.5 and short.rate_low["active"] < 0.5 < short.rate_high["active"]
    (finding,) = [f for f in retention.leaving(churn.matrix(now), frame) if f.figures[0].name == "churn.came_back"]
    assert finding.figures[0].value == 0


def test_the_trend_counts_each_moment_as_it_was():
    frame = churn.trend(bought(a=70, b=10), as_of=NOW, months=3)
    wide = frame.pivot(index="moment", columns="window", values="customers")
    assert wide.loc["2026-09-01"].sum() == 1 and wide.loc["2026-11-01"].sum() == 2
    assert wide.loc["2026-09-01", "short"] == 1 and wide.loc["2026-11-01", "mid"] == 1
    ax = retention.plot_trend(frame)
    assert [line.get_ydata().tolist() for line in ax.get_lines()][2] == wide["mid"].tolist()


def test_the_rule_is_said_and_what_is_none_refused():
    assert "last 7 days" in churn.rule() and "did anything" not in churn.rule()
    assert "did anything" in churn.rule(pd.DataFrame())
    with pytest.raises(ValueError, match="no clock"):
        churn.states(EDGES, as_of=NOW, clock="sundial")
    with pytest.raises(ValueError, match="rise"):
        churn.states(EDGES, as_of=NOW, bands=(90, 30))
    assert isinstance(churn.states(Missing("customers"), as_of=NOW), Missing)
    assert churn.activity(Missing("events"), None) is None
    assert churn.start(periods.parse("2026-10")) == dt.datetime(2026, 10, 1)


def test_the_pictures_say_the_numbers():
    found = churn.matrix(churn.states(EDGES, as_of=NOW))
    texts = [t.get_text().split("\n")[0] for t in retention.plot_matrix(found).texts]
    assert sum(map(int, texts)) == 6 and len(texts) == 12
    before = churn.states(bought(a=40, b=40), as_of=dt.datetime(2026, 10, 1))
    ax = retention.plot_flows(churn.flows(before, churn.states(bought(a=[40, 2], b=40), as_of=NOW)))
    assert sum(p.get_width() for p in ax.patches) == pytest.approx(1)
