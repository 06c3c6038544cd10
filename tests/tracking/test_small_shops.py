"""06a and 06b in a shop that has little: cards and partial answers, and what can be told is told."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DAYS = pd.date_range("2026-05-01", "2026-10-31")
WEEK = np.array([1, 1, 0.9, 1, 1.2, 1.5, 1.4])[DAYS.day_of_week]


def orders():
    """Ten orders a day or so; on 16 October nobody could order."""
    n = np.random.default_rng(4).poisson(12 * WEEK)
    n[DAYS == "2026-10-16"] = 0
    day = DAYS.repeat(n)
    return pd.DataFrame({"order_id": np.arange(len(day)).astype(str), "ordered_at": day.strftime("%Y-%m-%d"),
                         "amount": "50.00"})  # fmt: skip


def traffic():
    """Visitors of a platform; from 16 October on five of six of those who buy are lost."""
    rng = np.random.default_rng(5)
    visitors = rng.poisson(800 * WEEK)
    carts = rng.binomial(visitors, 0.2)
    buyers = rng.binomial(carts, np.where(DAYS >= "2026-10-16", 0.05, 0.3))
    return pd.DataFrame({"platform": "tmall", "day": DAYS.strftime("%Y-%m-%d"), "visitors": visitors,
                         "views": visitors * 3, "carts": carts, "buyers": buyers})  # fmt: skip


def executed(name, shop):
    """What the cells of a notebook leave behind."""
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    left = {}
    for cell in (c for c in cells if c["cell_type"] == "code"):
        exec("".join(cell["source"]), left)
        if "parameters" in cell["metadata"].get("tags", []):
            left |= {"shop": shop, "period": "2026-10"}
    return left


@pytest.fixture
def corner(build):
    def made(**tables):
        build({f"{name}.csv": table.to_csv(index=False) for name, table in tables.items()})
        return "corner"

    return made


def test_orders_alone_are_watched_and_the_rest_is_cards(corner):
    left = executed("06a_monitoring", corner(orders=orders()))
    assert set(left["judged"]["kpi"]) == {"paid_sales", "aov"}
    fell = left["found"].set_index("kpi").loc["paid_sales"]
    assert (fell["flagged_on"], fell["direction"], fell["value"]) == (pd.Timestamp("2026-10-16"), "down", 0)
    assert isinstance(left["pace"], Missing) and isinstance(left["ends"], Missing)
    assert isinstance(left["interaction"], Missing) and isinstance(left["traffic"], Missing)
    sold = left["sales"].set_index("metric")["value"]
    assert sold["orders_paid"] == sum(orders()["ordered_at"].str.startswith("2026-10"))


def test_a_shop_with_traffic_only_is_told_where_buyers_are_lost(corner):
    shop = corner(orders=orders(), traffic=traffic())
    left = executed("06a_monitoring", shop)
    lost = left["found"].set_index("kpi").loc["daily_buyer_rate"]
    assert lost["part"] == "tmall" and pd.Timestamp("2026-10-16") <= lost["flagged_on"] <= pd.Timestamp("2026-10-18")
    assert lost["value"] < 0.04 < 0.05 < lost["expected"] and lost["open"]
    assert left["traffic"].set_index("metric")["value"]["daily_visitors"] > 0
    executed("06b_funnel", shop)
