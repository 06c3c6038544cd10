"""Stories of sources that speak of the same orders: where they agree, and by how much they do not."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from playbook.data import quality
from playbook.missing import Missing
from playbook.shop import shop_from

DAYS = pd.to_datetime(["2024-01-01 10:00", "2024-01-01 11:00", "2024-01-02 10:00", "2024-02-01 10:00"])


def orders():
    return pd.DataFrame(
        {"order_id": list("abcd"), "ordered_at": DAYS, "paid_at": [DAYS[0], None, DAYS[2], DAYS[3]]}
        | {"amount": [100.0, 50.0, 60.0, 40.0], "platform": ["tmall", "tmall", "jd", "jd"]}
        | {"channel": ["search", "search", "live", "live"]}
    )


def reconciled(**tables):
    shop = shop_from(period="2024-01", orders=orders(), **tables)
    names = ("order_items", "returns", "traffic", "settlements", "ad_spend")
    return quality.reconciliation(shop.orders, shop.period, **{n: shop.table(n) for n in names})


def rows(found, comparison):
    part = found[found.comparison == comparison]
    return {(r.part, r.day.day): (r.ours, r.theirs, r.difference) for r in part.itertuples()}


def test_orders_alone_have_nothing_to_be_held_against():
    found = reconciled()
    assert isinstance(found, Missing) and "order_items, traffic, settlements or ad_spend" in found.sentence()
    agreed = quality.agreement(found)
    assert isinstance(agreed, Missing) and repr(quality.agreement_findings(agreed)) == ""  # one card is enough


def test_order_lines_are_held_against_all_orders_of_the_day_paid_or_not():
    lines = pd.DataFrame(
        {"order_id": list("abcd"), "product_id": "p", "quantity": 1, "amount": [100.0, 45.0, 60.0, 1.0]}
    )
    found = reconciled(order_items=lines.assign(platform=["tmall", "tmall", "jd", "jd"]))
    assert rows(found, "order_lines") == {("tmall", 1): (150, 145, -5), ("jd", 2): (60, 60, 0)}
    assert found.share.tolist() == [0, pytest.approx(-5 / 150)]


def test_traffic_is_held_against_paid_orders_on_platforms_that_report_it_and_only_its_whole_shop_rows():
    day = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02"])
    traffic = pd.DataFrame({"day": day, "platform": "tmall", "product_id": [None, "p", None], "orders": [2, 9, 1]})
    found = reconciled(traffic=traffic.assign(sales=[110.0, 900.0, 5.0]))
    assert rows(found, "traffic_orders") == {("tmall", 1): (1, 2, 1), ("tmall", 2): (0, 1, 1)}
    assert rows(found, "traffic_sales") == {("tmall", 1): (100, 110, 10), ("tmall", 2): (0, 5, 5)}
    assert found[(found.comparison == "traffic_sales") & (found.day.dt.day == 2)].share.isna().all()  # of nothing
    assert set(found.part) == {"tmall"}


def test_payouts_are_held_against_sales_less_returns():
    at = pd.to_datetime(["2024-01-01 20:00", "2024-01-02 20:00", "2024-01-02 21:00"])
    booked = pd.DataFrame({"settlement_id": list("xyz"), "settled_at": at, "kind": ["payout", "payout", "commission"]})
    booked = booked.assign(amount=[90.0, 50.0, -5.0])
    back = pd.DataFrame({"return_id": ["r"], "returned_at": [at[0]], "amount": [10.0]})
    found = reconciled(settlements=booked, returns=back)
    assert rows(found, "payouts") == {("", 1): (90, 90, 0), ("", 2): (60, 50, -10)}


def ads(**columns):
    day = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-01"])
    frame = pd.DataFrame({"day": day, "platform": "x", "level": ["account", "account", "campaign"], "spend": 1.0})
    return frame.assign(channel=["search", "live", "search"], conversions=[3.0, 1.0, 3.0], **columns)


def test_claims_of_advertising_are_taken_from_one_level_and_held_against_their_channel():
    found = reconciled(ad_spend=ads())
    assert rows(found, "claimed_orders") == {("search", 1): (1, 3, 2), ("live", 2): (1, 1, 0)}
    agreed = quality.agreement(found).set_index("part")
    assert agreed.ratio.to_dict() == {"search": 3, "live": 1} and agreed.share["search"] == 2
    (finding,) = quality.agreement_findings(quality.agreement(found))
    assert (
        finding.verdict == "watch"
        and finding.text == "Orders that advertising claims are 3.00 times what the orders show in search."
    )
    assert [(f.name, f.value) for f in finding.figures] == [("over_claim", 3)]


def test_claims_below_the_orders_are_no_over_claim():
    found = quality.agreement(reconciled(ad_spend=ads().assign(conversions=[0.5, 1.0, 9.0])))
    (finding,) = quality.agreement_findings(found)
    assert finding.verdict == "hold"


def test_a_difference_above_the_readers_limit_is_told_with_its_worst_day_and_money():
    lines = pd.DataFrame({"order_id": list("abc"), "product_id": "p", "quantity": 1, "amount": [100.0, 45.0, 60.0]})
    agreed = quality.agreement(reconciled(order_items=lines))
    (row,) = agreed.to_dict("records")
    assert (row["ours"], row["value"], row["worst_day"]) == (210, 205, pd.Timestamp("2024-01-01"))
    assert row["share"] == pytest.approx(-5 / 210)
    (finding,) = quality.agreement_findings(agreed)
    assert (finding.verdict, finding.stake) == ("watch", 5)
    assert finding.text == (
        "Sales of the order lines differ from the orders, most in whole shop: by −2.4%, and there most on 1 Jan 2024."
    )
    (calm,) = quality.agreement_findings(agreed, watch_above=0.05)
    assert calm.verdict == "hold"


def test_the_plot_draws_the_differences_and_says_so_where_there_is_none():
    lines = pd.DataFrame({"order_id": list("abc"), "product_id": "p", "quantity": 1, "amount": [100.0, 45.0, 60.0]})
    agreed = quality.agreement(reconciled(order_items=lines.assign(platform=["tmall", "tmall", "jd"])))
    ax = quality.plot_agreement(agreed)
    drawn = dict(zip((t.get_text() for t in ax.get_yticklabels()), (b.get_width() for b in ax.patches), strict=True))
    assert drawn == {"Sales of the order lines · JD": 0, "Sales of the order lines · Tmall": pytest.approx(-5 / 150)}
    assert [t.get_text() for t in ax.texts] == ["no difference", "−3.3%"]
    plt.close(ax.figure)
