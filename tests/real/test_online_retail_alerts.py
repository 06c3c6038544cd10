"""UCI Online Retail by day: a year of a wholesaler, its closed Saturdays, its two giant orders, its autumn."""

import pandas as pd
import pytest

from playbook.metrics.measure import measure
from playbook.period import parse
from playbook.tracking import monitoring


@pytest.fixture(scope="module")
def daily(retail):
    shop = retail("2011-12")
    frame = measure(shop, list(monitoring.MEASURED[()]), by=["day"], period="2010-12-01/2011-12-09")
    return monitoring.measured([frame])


@pytest.fixture(scope="module")
def judged(daily):
    return monitoring.judged(daily, since="2011-02-01")


def test_look(judged):
    pd.set_option("display.width", 250); pd.set_option("display.max_columns", 30)
    print(judged.groupby(["kpi", "state"]).size())
    print(monitoring.episodes(judged).to_string())
    print(judged[(judged.kpi == "paid_sales")].set_index("day")[["value", "expected", "low", "high", "p", "state"]].tail(14))
    assert 0
