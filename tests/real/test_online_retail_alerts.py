"""UCI Online Retail by day: a year of a wholesaler, its closed Saturdays, its two giant orders, its autumn."""

import pandas as pd
import pytest

from playbook.metrics.measure import measure
from playbook.tracking import monitoring


@pytest.fixture(scope="module")
def daily(retail):
    shop = retail("2011-12")
    frame = measure(shop, list(monitoring.MEASURED[()]), by=["day"], period="2010-12-01/2011-12-09")
    return monitoring.measured([frame])


@pytest.fixture(scope="module")
def judged(daily):
    return monitoring.judged(daily, since="2011-02-01")


FLAGGED = ["yellow", "orange", "red"]


def test_the_order_of_81_thousand_pieces_on_the_last_day_is_the_worst_of_a_handful_of_alerts(judged):
    found = monitoring.episodes(judged)
    assert 1 <= len(found) <= 10  # in ten months; each is one story
    worst = found.iloc[0]
    assert (worst["kpi"], worst["level"], worst["flagged_on"]) == ("aov", "red", pd.Timestamp("2011-12-09"))
    assert worst["value"] > 4_000 > 600 > worst["expected"] and worst["open"]


def test_days_on_which_the_wholesaler_is_closed_are_no_news(judged, daily):
    closed = daily[(daily["kpi"] == "aov") & (daily["exposure"] == 0)]["day"]
    flagged = judged[judged["state"].isin(FLAGGED)]
    assert not flagged["day"].isin(closed).any()
    assert not (flagged[flagged["kpi"] == "paid_sales"]["day"].dt.day_name() == "Saturday").any()


def test_the_autumn_is_a_trend_and_no_alert(judged):
    """Sales double from August to November, day by day; no alert on sales says so."""
    sales = judged[(judged["kpi"] == "paid_sales") & judged["state"].isin(["usual", *FLAGGED])]
    assert len(sales) > 100
    assert sales["state"].isin(FLAGGED).mean() < 0.02


def test_nearly_all_days_lie_within_what_is_usual(judged):
    known = judged[judged["state"].isin(["usual", *FLAGGED]) & (judged["kpi"] == "aov")]
    inside = known["value"].between(known["low"], known["high"])
    assert 0.88 < inside.mean() <= 1
