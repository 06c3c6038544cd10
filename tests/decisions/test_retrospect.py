"""Stories of looking back: hits, calibration, bias, and what was left undone; numbers worked out by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook import shop_from
from playbook.decisions import retrospect
from playbook.decisions.ledger import DECISIONS, FORECASTS
from playbook.missing import Missing


def forecast(actual, *, value=100.0, half=20.0, metric="net_sales", unit="currency", notebook="07a", due="2026-07-01"):
    row = dict.fromkeys(FORECASTS, "") | {
        "id": f"f-{actual}", "report": "2026-05", "notebook": notebook, "metric": metric, "period": "2026-06",
        "value": value, "low": value - half, "high": value + half, "unit": unit, "level": 0.8, "revisions": 0,
        "due": dt.date.fromisoformat(due), "actual": actual,
    }  # fmt: skip
    return row | {"hit": None if actual is None else bool(abs(actual - value) <= half)}


def forecasts(*rows):
    frame = pd.DataFrame(list(rows), columns=list(FORECASTS))
    frame["hit"] = frame["hit"].astype(object).where(frame["hit"].notna(), None)
    frame.attrs = {"currency": "CNY", "as_of": dt.date(2026, 7, 1)}
    return frame


def decisions(*rows):
    made = []
    for i, row in enumerate(rows):
        made.append(
            dict.fromkeys(DECISIONS, "") | {
                "id": f"d-{i}", "report": "2026-05", "text": f"Do {i}.", "owner": "Buyer", "status": "proposed",
                "due": dt.date(2026, 6, 9), "done_on": None, "effect": 100.0, "low": 50.0, "high": 150.0,
                "unit": "currency", "stake": 100.0, "measured": None, "measured_low": None, "measured_high": None,
                "hit": None, "why": "",
            } | row
        )  # fmt: skip
    frame = pd.DataFrame(made, columns=list(DECISIONS))
    frame["hit"] = pd.Series([r["hit"] for r in made], dtype=object)
    frame.attrs = {"currency": "CNY", "as_of": dt.date(2026, 7, 1)}
    return frame


def test_what_is_due_is_set_beside_what_came():
    due = retrospect.due(forecasts(forecast(110.0), forecast(None), forecast(150.0)))
    assert due[["actual", "hit", "off"]].to_numpy().tolist() == [[110.0, True, pytest.approx(0.1)], [150.0, False, 0.5]]
    words = retrospect.due_in_words(due)
    assert words.loc[1, ["measure", "expected", "interval", "came", "off", "true"]].tolist() == [
        "Net sales", "¥100.00", "¥80.00–¥120.00", "¥150.00", "+50.0%", "no",
    ]  # fmt: skip
    rate = retrospect.due(forecasts(forecast(0.35, value=0.3, half=0.1, metric="repeat_rate", unit="share")))
    assert rate["off"].item() == pytest.approx(0.05)


def test_the_picture_shows_where_in_its_interval_each_came_to_lie():
    ax = retrospect.plot_due(retrospect.due(forecasts(forecast(110.0), forecast(150.0))))
    points = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [p.get_xdata()[0] for p in points] == [2.5, 0.5]  # from below: 50 beyond 20, and 10 of 20
    assert ax.get_title() + ax.get_title("left") == "1 of 2 forecasts lay in their intervals"


def test_calibration_counts_hits_and_tells_bias_by_notebook_and_measure():
    rows = [forecast(100.0 + x) for x in (0, 10, 20, 30)]
    rows += [forecast(100.0 - x, metric="aov") for x in (5, 0, -5)]
    found = retrospect.calibration(retrospect.due(forecasts(*rows))).set_index("metric")
    assert found.loc["", ["n", "hits", "share"]].tolist() == [7, 6, pytest.approx(6 / 7)]
    assert found.loc["net_sales", "bias"] == pytest.approx(0.15)
    assert found.loc["net_sales", "bias_low"] == pytest.approx(0.15 - 3.1824 * 0.1291 / 2, abs=1e-4)
    assert found.loc["aov", "bias"] == pytest.approx(0.0)


def test_the_curve_of_honest_forecasts_lies_on_its_line_and_that_of_bold_ones_below():
    rng = np.random.default_rng(2)
    off = rng.normal(0, 20 / 1.2816, 4000)
    honest = retrospect.curve(retrospect.due(forecasts(*(forecast(100.0 + x) for x in off))))
    assert (honest["share"] - honest["level"]).abs().max() < 0.025
    bold = retrospect.curve(retrospect.due(forecasts(*(forecast(100.0 + 2 * x) for x in off))))
    assert bold.set_index("level").loc[0.8, "share"] == pytest.approx(0.478, abs=0.03)  # P(|z| < 0.64)
    ax = retrospect.plot_curve(bold)
    assert ax.lines[1].get_ydata().tolist() == bold["share"].tolist()


def test_decisions_that_nobody_did_are_overdue_and_call_for_action():
    said = decisions(
        {"status": "done", "hit": True, "measured": 90.0},
        {"status": "done", "hit": False, "measured": -40.0},
        {"due": dt.date(2026, 6, 20), "stake": 500.0},
        {"due": dt.date(2026, 7, 5)},
        {"status": "declined"},
    )
    found = retrospect.decided(said)
    assert found["id"].tolist() == ["d-2", "d-0", "d-1", "d-3", "d-4"]
    assert found["overdue"].tolist() == [True, False, False, False, False]
    owners = retrospect.by_owner(found)
    assert owners.to_numpy().tolist() == [["Buyer", 5, 2, 1, 1, 1, 2]]
    due = retrospect.due(forecasts(forecast(150.0)))
    learnt = retrospect.lessons(due, found)
    assert learnt[["kind", "source"]].to_numpy().tolist() == [
        ["success", "d-0"], ["shortfall", "d-1"], ["fix", "d-2"], ["shortfall", "f-150.0"],
    ]  # fmt: skip
    assert learnt.loc[1, "lesson"] == "Do 1: it brought −¥40.00, expected was ¥100.00."
    (few, late) = retrospect.findings(retrospect.calibration(due), found)
    assert (late.verdict, late.stake) == ("act", 500.0) and "Do 2." in late.text
    assert "too few yet" in few.text


@pytest.mark.parametrize(
    ("off", "verdict", "said"),
    [(0.0, "watch", "wider than they need to be"), (50.0, "watch", "surer than it may be")],
)
def test_intervals_that_are_too_wide_or_too_narrow_are_told(off, verdict, said):
    rows = [forecast(100.0 + off * (-1) ** i) for i in range(30)]
    found = retrospect.findings(
        retrospect.calibration(retrospect.due(forecasts(*rows))), retrospect.decided(decisions())
    )
    assert (found[0].verdict, len(found)) == (verdict, 1) and said in found[0].text


def test_forecasts_that_err_to_one_side_are_told():
    rows = [forecast(110.0 + i % 3) for i in range(12)]
    found = retrospect.findings(
        retrospect.calibration(retrospect.due(forecasts(*rows))), retrospect.decided(decisions())
    )
    assert "err to one side: what comes is +11.0% off on average" in found[-1].text


def test_a_shop_without_memory_says_so():
    shop = shop_from(orders=pd.DataFrame({"order_id": ["1"], "ordered_at": ["2026-06-03"], "amount": [5.0]}))
    before, _decided = retrospect.remembered(shop)
    assert isinstance(before, Missing) and isinstance(retrospect.due(before), Missing)
    empty = retrospect.due(forecasts())
    assert empty.empty and retrospect.plot_due(empty) is None
    assert retrospect.plot_curve(retrospect.curve(empty)) is None
    assert retrospect.findings(retrospect.calibration(empty), retrospect.decided(decisions())) == []
    assert retrospect.lessons(empty, retrospect.decided(decisions())).attrs["notes"]
