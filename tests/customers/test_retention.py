"""Cohorts, the timing of repeats, replenishment: by hand, conserved, censored."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from playbook import period as periods
from playbook.customers import retention
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.shop import shop_from

NOW = dt.datetime(2026, 4, 1)


def bought(*rows):
    """Purchases of rows (person, day, amount)."""
    frame = pd.DataFrame(rows, columns=["person_id", "at", "amount"])
    frame["at"] = pd.to_datetime(frame["at"])
    frame["order_id"] = [f"o{i}" for i in range(len(frame))]
    return frame.assign(day=frame["at"].dt.date, platform="", discount=0.0)


FEW = bought(
    ("a", "2026-01-05", 100), ("a", "2026-01-06", 10), ("a", "2026-03-01", 50),
    ("b", "2026-01-31", 100), ("b", "2026-02-28", 40),
    ("c", "2026-02-10", 70),
)  # fmt: skip


def test_three_customers_in_two_cohorts_by_hand():
    frame = retention.cohorts(FEW, as_of=NOW)
    cell = {(f"{r.cohort:%m}", r.offset): (r.size_, r.customers, r.sales) for r in frame.rename(
        columns={"size": "size_"}).itertuples()}  # fmt: skip
    assert cell == {
        ("01", 0): (2, 2, 210), ("01", 1): (2, 1, 40), ("01", 2): (2, 1, 50), ("02", 0): (1, 1, 70),
        ("02", 1): (1, 0, 0),
    }  # fmt: skip
    assert frame.complete.all() and frame.sales.sum() == FEW.amount.sum()


def test_a_month_that_is_not_over_is_marked_and_one_that_has_not_begun_has_no_cell():
    frame = retention.cohorts(FEW, as_of=dt.datetime(2026, 3, 10))
    assert frame[~frame.complete].groupby("cohort").offset.agg(list).tolist() == [[2], [1]]
    assert frame.offset.max() == 2
    curve = retention.curve(frame)
    assert curve.offset.tolist() == [0, 1] and curve.people.tolist() == [3, 2]  # the open month does not count
    assert curve.share.tolist() == [1, 0.5] and curve.sales_each.tolist() == [280 / 3, 40]


def test_more_who_stay_by_hand():
    # one cohort of 100, half of them in the second month, for 10 each: 10 + 5; ten points more are 10 + 6
    rows = [(f"p{i}", "2026-01-01", 10) for i in range(100)] + [(f"p{i}", "2026-02-01", 10) for i in range(50)]
    frame = retention.cohorts(bought(*rows), as_of=NOW)
    found = retention.profit_if(frame, margin=0.5, rng=1, points=0.1, cost_per_new=2.5, months=2)
    assert found.sales.tolist() == [15, 16] and found.profit.tolist() == [5, 5.5]
    assert found.change[1] == pytest.approx(0.1)
    bare = retention.profit_if(frame, margin=math.nan, rng=1, points=0.1, months=2)
    assert bare.profit.isna().all() and bare.change[1] == pytest.approx(1 / 15)
    young = retention.profit_if(frame, margin=0.5, rng=1, months=12)
    assert young.empty and "12 months old" in young.attrs["notes"][0]


def test_the_margin_is_what_the_goods_leave():
    items = pd.DataFrame(
        {"order_id": ["a", "b"], "product_id": ["x", "y"], "quantity": [2, 1], "amount": [100.0, 50.0]}
    )
    products = pd.DataFrame({"product_id": ["x"], "unit_cost": [20.0]})
    assert retention.margin(items, products) == pytest.approx(0.6)  # y has no cost and is left out
    assert retention.margin(items, products, given=0.3) == 0.3
    assert math.isnan(retention.margin(Missing("order_items"), products))


def test_who_buys_again_within_days_by_hand():
    rates = retention.repeat_rates(FEW, as_of=NOW, windows=(7, 30)).set_index(["after", "within_days"])
    assert rates.loc[("first order", 7), ["n", "again"]].tolist() == [3, 1]
    assert rates.loc[("first order", 30), ["n", "again"]].tolist() == [3, 2]
    assert rates.loc[("any order", 30), ["n", "again"]].tolist() == [6, 2]  # a's order of 1 March is just old enough
    young = retention.repeat_rates(FEW, as_of=dt.datetime(2026, 2, 12), windows=(7,)).iloc[0]
    assert (young.n, young.again) == (2, 1)  # c bought two days ago: nobody can tell yet


def test_the_hazard_counts_those_who_have_not_come_back_as_long_as_they_were_seen():
    # gaps 1 and 54 (a), 28 (b); a open for 31 days, b for 32, c for 50
    frame = retention.hazard(FEW, as_of=NOW, most=60).set_index("day")
    assert frame.at_risk[1] == 6 and frame.again[1] == 1 and frame.hazard[1] == pytest.approx(1 / 6)
    assert frame.at_risk[28] == 5 and frame.at_risk[33] == 2 and frame.at_risk[55] == 0
    assert frame.returned[28] == pytest.approx(1 - 5 / 6 * 4 / 5)
    assert frame.returned[54] == 1  # the last who was followed came back


def test_the_hazard_is_that_of_the_law_that_made_the_gaps_though_the_last_are_open():
    rng = np.random.default_rng(1)
    gaps = rng.geometric(1 / 40, (1500, 30))  # in days: one in forty comes back on any day
    at = pd.Timestamp("2025-10-01") + pd.to_timedelta(gaps.cumsum(axis=1).ravel(), unit="D")
    rows = pd.DataFrame({"person_id": np.repeat(np.arange(1500), 30).astype(str), "at": at, "amount": 1.0})
    rows = rows[rows["at"] < str(NOW)]
    frame = retention.hazard(bought(*rows.itertuples(index=False)), as_of=NOW, most=60).set_index("day")
    assert frame.again[1:60].sum() > 3000
    assert frame.hazard.mean() == pytest.approx(1 / 40, rel=0.08)
    assert frame.returned[60] == pytest.approx(1 - (39 / 40) ** 60, abs=0.03)
    assert frame.returned_low[60] < 1 - (39 / 40) ** 60 < frame.returned_high[60]


def test_replenishment_by_hand():
    rows = [(f"p{i}", f"2026-01-{1 + i % 20:02d}", 10) for i in range(40)]
    again = [(p, str(pd.Timestamp(day) + pd.Timedelta(days=30))[:10], 10) for p, day, _a in rows]
    p = bought(*rows, *again)
    items = pd.DataFrame({"order_id": p.order_id, "product_id": "soap", "quantity": 1, "amount": 10.0})
    other = pd.DataFrame({"order_id": ["o0"], "product_id": "oil", "quantity": [1], "amount": [5.0]})
    products = pd.DataFrame({"product_id": ["soap", "oil"], "name": ["Soap", "Oil"], "usage_days": [99, 88]})
    frame = retention.replenishment(p, pd.concat([items, other]), products, as_of=dt.datetime(2026, 3, 5), ahead=7)
    soap, oil = (frame.set_index("product_id").loc[x] for x in ("soap", "oil"))
    assert (soap.repeats, soap.typical_days, soap.basis) == (40, 30, "observed")
    assert (oil.typical_days, oil.basis, oil.due) == (88, "usage", 0)
    # last bought from 31 January on: due from 2 March on, so those due 5 to 11 March are of 7 days, two a day
    assert soap.due == 14
    due = retention.reminders(p, items, products, as_of=dt.datetime(2026, 3, 5), ahead=7).to_pandas()
    assert len(due) == 14 and set(due.columns) == {"person_id", "product_id", "last_on", "due_on", "amount"}


def test_persons_not_accounts_and_what_the_shop_sold_to_them():
    orders = pd.DataFrame(
        {"order_id": ["1", "2", "3"], "customer_id": ["x", "y", None], "platform": ["tmall", "jd", "jd"],
         "ordered_at": pd.to_datetime(["2026-10-01", "2026-10-02", "2026-10-03"]), "amount": [5, 7, 9],
         "phone_hash": ["h", "h", None]}
    )  # fmt: skip
    customers = pd.DataFrame({"customer_id": ["x", "y"], "platform": ["tmall", "jd"], "phone_hash": ["h", "h"]})
    shop = shop_from(orders=orders, customers=customers, period="2026-10")
    p = retention.purchases(shop.orders, shop.persons, shop.customers).to_pandas()
    assert len(p) == 2 and p.person_id.nunique() == 1 and float(p.amount.sum()) == 12


def test_orders_alone_give_cards_and_no_crash():
    orders = pd.DataFrame({"order_id": ["a"], "ordered_at": pd.to_datetime(["2026-10-31"]), "amount": [1]})
    shop = shop_from(orders=orders)
    p = retention.purchases(shop.orders, shop.persons, shop.customers)
    assert isinstance(p, Missing) and isinstance(retention.cohorts(p, as_of=shop.as_of), Missing)
    assert isinstance(retention.rows_of_persons(shop.events, shop.persons, shop.customers), Missing)


def test_the_customers_of_the_next_month_are_forecast_from_whole_months():
    rng = np.random.default_rng(2)
    at = pd.to_datetime("2024-11-01") + pd.to_timedelta(rng.integers(0, 730, 6000), unit="D")
    orders = pd.DataFrame({"order_id": np.arange(6000).astype(str), "ordered_at": at, "amount": 10.0,
                           "customer_id": rng.integers(0, 900, 6000).astype(str)})  # fmt: skip
    shop = shop_from(orders=orders, period="2026-10")
    monthly = measure(shop, ["customers"], by=["month"], period="2024-11-01/2026-10-31")
    (said,) = retention.forecast(monthly, shop.period)
    assert (said.metric, said.period, said.level) == ("customers", "2026-11", 0.8)
    assert said.low < monthly.value.mean() < said.high
    assert retention.forecast(monthly, periods.parse("2026-W40")) == []


def test_the_heat_map_says_the_cells_and_the_curve_its_shares():
    frame = retention.cohorts(FEW, as_of=dt.datetime(2026, 3, 10))
    ax = retention.plot_cohorts(frame)
    texts = {t.get_text(): t.get_style() for t in ax.texts}
    assert texts == {"50%": "italic", "0%": "italic"} or {t.get_text() for t in ax.texts} == {"50%", "0%"}
    styles = [t.get_style() for t in ax.texts]
    assert styles.count("italic") == 2 and len(styles) == 3
    ax = retention.plot_curve(retention.curve(retention.cohorts(FEW, as_of=NOW)))
    assert ax.get_lines()[0].get_ydata().tolist() == pytest.approx([1 / 3, 1 / 2])
    assert repr(retention.plot_cohorts(Missing("customers"))) == ""
    assert retention.plot_cohorts(frame[frame.offset == 0]) is None


def test_the_hazards_picture_is_the_hazard():
    frame = retention.hazard(FEW, as_of=NOW, most=60)
    ax = retention.plot_hazard(frame)
    rows = frame.dropna(subset="smoothed")
    assert ax.get_lines()[0].get_ydata().tolist() == rows.smoothed.tolist()
    assert retention.plot_hazard(frame.assign(again=0)) is None
