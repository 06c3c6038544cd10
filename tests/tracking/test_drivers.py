"""Stories of why net sales changed: the drivers add up to the change, to the cent, whoever bought."""

import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook import style
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.shop import shop_from
from playbook.tracking import drivers


@pytest.fixture(autouse=True)
def look():
    with matplotlib.rc_context():
        style.apply()
        yield
    plt.close("all")


def window(customers, orders, sales, guest_orders=0, guests=0.0, returns=0.0):
    """The metrics of a period, as `measure` gives them."""
    all_orders = orders + guest_orders
    return {
        "net_sales": sales + guests - returns,
        "orders_paid": all_orders,
        "aov": (sales + guests) / all_orders if all_orders else math.nan,
        "returns": returns,
        "customers": customers,
        "customer_orders": orders,
        "customer_sales": sales,
        "guest_sales": guests,
    }


def measured(now, before, year_ago=None, without=()):
    frame = pd.DataFrame({"value": now, "previous": before})
    frame["year_ago"] = pd.Series(year_ago) if year_ago else math.nan
    frame = frame.drop(index=list(without)).rename_axis("metric").reset_index()
    frame.attrs = {"currency": "CNY", "by": []}
    return frame


NOTHING = window(0, 0, 0.0)
CUSTOMERS = ("customers", "customer_orders", "customer_sales")

MONEY = st.integers(0, 10_000_000).map(lambda cents: cents / 100)


@st.composite
def windows(draw):
    customers = draw(st.integers(0, 500))
    orders = customers + draw(st.integers(0, 500)) if customers else 0
    guest_orders = draw(st.integers(0, 300))
    return window(
        customers,
        orders,
        draw(MONEY) if orders else 0.0,
        guest_orders,
        draw(MONEY) if guest_orders else 0.0,
        draw(MONEY),
    )


@settings(deadline=None)
@given(windows(), windows(), windows(), st.sampled_from(["previous", "year_ago"]), st.booleans(), st.booleans())
def test_the_effects_sum_to_the_change_whatever_happened(now, before, ago, against, known, returned):
    without = [*([] if known else CUSTOMERS), *([] if returned else ["returns"])]
    if not returned:
        now, before, ago = ({**w, "net_sales": w["net_sales"] + w["returns"]} for w in (now, before, ago))
    change = drivers.net_sales_change(measured(now, before, ago, without), against=against)
    then = before if against == "previous" else ago
    moved = now["net_sales"] - then["net_sales"]
    size = sum(abs(v) for w in (now, then) for v in w.values() if not math.isnan(v))
    assert math.fsum(change.effect) == pytest.approx(moved, abs=1e-9 * size + 1e-9)
    assert change.attrs["after"] - change.attrs["before"] == pytest.approx(moved)
    assert change.effect.map(math.isfinite).all() and change.attrs["against"] == against
    expected = ["customers", "frequency", "aov"] if known else ["orders", "aov"]
    assert [m for m in change.metric if m not in ("guests", "returns")] == expected
    assert ("returns" in set(change.metric)) == returned


def test_twice_the_customers_are_the_whole_of_twice_the_sales():
    change = drivers.net_sales_change(measured(window(20, 40, 800.0), window(10, 20, 400.0)))
    assert dict(zip(change.metric, change.effect, strict=True)) == pytest.approx(
        {"customers": 400, "frequency": 0, "aov": 0, "returns": 0}
    )
    assert change.set_index("metric").value.to_dict() == {"customers": 20, "frequency": 2, "aov": 20, "returns": 0}
    assert change.unit.tolist() == ["count", "per_order", "currency", "currency"]
    assert change.attrs["units"] == {"effect": "currency"}


def test_two_drivers_by_hand_without_customer_numbers():
    # 10 orders of 20 become 12 of 25: orders 2 · 22.50, value 5 · 11; returns grow by 10
    now, before = window(0, 0, 0, 12, 300.0, 15.0), window(0, 0, 0, 10, 200.0, 5.0)
    change = drivers.net_sales_change(measured(now, before, without=CUSTOMERS))
    assert dict(zip(change.metric, change.effect, strict=True)) == pytest.approx(
        {"orders": 45, "aov": 55, "returns": -10}
    )


def test_guests_are_a_driver_of_their_own_where_there_are_any():
    change = drivers.net_sales_change(measured(window(10, 10, 100.0, 3, 70.0), window(10, 10, 100.0, 1, 20.0)))
    effects = dict(zip(change.metric, change.effect, strict=True))
    assert effects == pytest.approx({"customers": 0, "frequency": 0, "aov": 0, "guests": 50, "returns": 0})
    none = drivers.net_sales_change(measured(window(11, 11, 110.0), window(10, 10, 100.0)))
    assert "guests" not in set(none.metric)


def test_from_a_period_without_a_sale_nothing_is_lost_or_infinite():
    change = drivers.net_sales_change(measured(window(4, 8, 240.0), NOTHING))
    assert change.effect.sum() == pytest.approx(240) and change.effect.max() == pytest.approx(80)
    assert drivers.net_sales_change(measured(NOTHING, window(4, 8, 240.0))).effect.sum() == pytest.approx(-240)


def test_without_an_earlier_period_the_answer_is_a_missing_that_says_so():
    answer = drivers.net_sales_change(measured(window(4, 8, 240.0), dict.fromkeys(NOTHING, math.nan)))
    assert isinstance(answer, Missing)
    assert "an earlier period in the data" in answer.sentence() and "reach further back" in answer.sentence()
    found = drivers.findings(answer)
    assert isinstance(found, Missing) and isinstance(drivers.plot_net_sales_change(answer), Missing)
    yearly = drivers.net_sales_change(measured(window(4, 8, 240.0), window(4, 8, 250.0)), against="year_ago")
    assert isinstance(yearly, Missing)


def test_a_shop_from_its_orders_to_its_drivers():
    at = pd.to_datetime(["2026-08-01", "2026-09-05", "2026-09-06", "2026-10-03", "2026-10-04", "2026-10-31"])
    orders = pd.DataFrame({"order_id": list("abcdef"), "ordered_at": at, "amount": [1, 50, 70, 100, 110, 30]})
    orders["customer_id"] = ["x", "x", "y", "x", "x", None]
    returns = pd.DataFrame({"return_id": ["r"], "returned_at": pd.to_datetime(["2026-10-20"]), "amount": [20]})
    shop = shop_from(period="2026-10", orders=orders, returns=returns)
    change = drivers.net_sales_change(measure(shop, drivers.NET_SALES, compare=True))
    assert (change.attrs["before"], change.attrs["after"]) == (120, 220)
    # 2 customers of 1 order of 60 become 1 of 2 orders of 105; guests bring 30, returns cost 20.
    # Averaged over the six orders of moving: a customer is worth 127.50, an order of hers 120, a yuan of value 2 1/6
    effects = dict(zip(change.metric, change.effect, strict=True))
    assert effects == pytest.approx({"customers": -127.5, "frequency": 120, "aov": 97.5, "guests": 30, "returns": -20})


# -- what follows from it


def test_the_finding_names_the_largest_driver_and_the_one_that_worked_against_it():
    change = drivers.net_sales_change(measured(window(20, 40, 800.0, returns=90.0), window(10, 20, 400.0)))
    (finding,) = drivers.findings(change)
    assert finding.verdict == "hold" and finding.stake == pytest.approx(400)
    for words in ("+¥310", "“Customers”", "+¥400", "“Returns”", "−¥90"):
        assert words in finding.text
    assert {f.by["driver"]: f.value for f in finding.figures} == pytest.approx(
        {"customers": 400, "frequency": 0, "aov": 0, "returns": -90}
    )
    assert {(f.name, f.unit) for f in finding.figures} == {("net_sales_effect", "currency")}


def test_the_finding_on_a_fall_is_to_watch_and_names_the_driver_that_fell():
    change = drivers.net_sales_change(measured(window(10, 20, 300.0), window(20, 40, 800.0)))
    (finding,) = drivers.findings(change)
    assert finding.verdict == "watch" and "−¥500" in finding.text and "“Customers”" in finding.text
    assert "against" not in finding.text  # the value of an order fell too: nothing held out


def test_nothing_moved_is_no_finding():
    same = window(10, 20, 300.0, returns=5.0)
    assert drivers.findings(drivers.net_sales_change(measured(same, same))) == []


# -- the picture


@pytest.mark.parametrize("against", ["previous", "year_ago"])
def test_the_bars_are_the_effects(against):
    now, before = window(20, 45, 800.0, 2, 50.0, 90.0), window(10, 20, 400.0, 1, 10.0, 20.0)
    change = drivers.net_sales_change(measured(now, before, before), against=against)
    ax = drivers.plot_net_sales_change(change)
    lengths = sorted(bar.get_width() for bar in ax.patches)
    assert lengths == pytest.approx(sorted(change.effect))
    ax.figure.canvas.draw()
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    drawn = dict(zip(names, [bar.get_width() for bar in ax.patches], strict=True))
    expected = {change.attrs["titles"][m]: e for m, e in zip(change.metric, change.effect, strict=True)}
    assert drawn == pytest.approx(expected)
    colours = {bar.get_facecolor() for bar in ax.patches if bar.get_width() < 0}
    assert colours and not colours & {bar.get_facecolor() for bar in ax.patches if bar.get_width() > 0}
    assert "¥390" in ax.get_title(loc="left") and "¥760" in ax.get_title(loc="left")
    texts = " ".join(t.get_text() for t in ax.texts)
    assert "−¥70" in texts and "+¥40" in texts  # returns, guests
