"""Returns on advertising: by hand, net of the returns of those orders, and the same whatever the cut."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from playbook.media import roi
from playbook.missing import Missing
from playbook.shop import shop_from

SINCE, UNTIL = dt.date(2026, 1, 1), dt.date(2026, 3, 1)


def shop(**other):
    frames = dict(
        orders=pd.DataFrame({
            "order_id": ["1", "2", "3", "4"], "platform": "jd", "ordered_at": pd.to_datetime(["2026-01-05", "2026-01-20", "2026-02-03", "2026-02-04"]),
            "amount": [100.0, 50.0, 80.0, 40.0], "channel": ["search", "search", "live", "direct"], "region": ["浙江", "四川", "浙江", None],
        }),
        order_items=pd.DataFrame({
            "order_id": ["1", "1", "2", "3"], "platform": "jd", "product_id": ["p", "q", "p", "q"], "quantity": [1, 2, 1, 2], "amount": [60.0, 40.0, 50.0, 80.0], "line": [1, 2, 1, 1],
        }),
        products=pd.DataFrame({"product_id": ["p", "q"], "category": ["cream", "mask"], "unit_cost": [20.0, 5.0]}),
        # booked after the period of its order; it is the order's all the same
        returns=pd.DataFrame({"return_id": ["r"], "platform": "jd", "returned_at": [pd.Timestamp("2026-02-25")], "amount": [50.0], "order_id": ["2"]}),
        settlements=pd.DataFrame({"settlement_id": ["a", "b", "c"], "platform": "jd", "settled_at": pd.Timestamp("2026-02-01"), "kind": ["commission", "payout", "adjustment"], "amount": [-6.0, 94.0, -3.0], "order_id": ["1", "1", "1"]}),
        shipments=pd.DataFrame({"shipment_id": ["s"], "platform": "jd", "order_id": ["1"], "shipped_at": [pd.Timestamp("2026-01-06")], "cost": [4.0]}),
        ad_spend=pd.DataFrame({
            "day": [dt.date(2026, 1, 5)] * 3 + [dt.date(2026, 2, 3)], "platform": ["g", "g", "g", "d"], "level": ["campaign", "campaign", "keyword", "account"],
            "channel": ["search", "search", "search", "live"], "campaign": ["one", "two", None, None], "spend": [30.0, 10.0, 40.0, 100.0], "conversion_value": [150.0, 50.0, 200.0, 90.0],
        }),
    )  # fmt: skip
    return shop_from(period="2026-02", **(frames | other))


def cube(of):
    return roi.cube(
        of.orders,
        of.ad_spend,
        of.returns,
        of.order_items,
        of.products,
        of.settlements,
        of.shipments,
        since=SINCE,
        until=UNTIL,
    )


def test_returns_by_hand_levels_are_never_added_and_returns_are_those_of_the_orders():
    made = roi.drill(cube(shop()), by=["channel"]).set_index("channel")
    search = made.loc["search"]
    assert search["spend"] == 40.0 and search["sales"] == 150.0 and search["returned"] == 50.0
    assert (search["goods"], search["fees"], search["carriage"]) == (50.0, 6.0, 4.0)
    assert search["margin"] == pytest.approx(150 - 50 - 50 - 6 - 4) and search["profit"] == pytest.approx(0.0)
    assert search["roas"] == pytest.approx(100 / 40) and search["roi"] == pytest.approx(0.0)
    assert search["claimed_roas"] == pytest.approx(200 / 40)
    assert made.loc["live", "roi"] == pytest.approx((80 - 10 - 100) / 100)
    # two orders of 100 and nothing net: 1.96 × √(100² + 0²) over the money spent
    assert search["roas_high"] - search["roas"] == pytest.approx(1.96 * 100 / 40, rel=1e-3)
    assert math.isnan(made.loc["direct", "roas"]) and math.isnan(made.loc["direct", "roi"])
    by_sales = roi.drill(cube(shop()), by=["channel"], basis="sales").set_index("channel")
    assert by_sales.loc["search", "roi"] == pytest.approx((100 - 40) / 40)


@pytest.mark.parametrize("by", [[], ["month"], ["category"], ["product_id"], ["region"], ["channel", "region"], ["channel", "category", "month"], ["channel", "campaign"], ["campaign", "month", "channel"]])  # fmt: skip
def test_whatever_the_cut_it_adds_up_to_the_same(by):
    made = roi.drill(cube(shop()), by=by)
    whole = roi.drill(cube(shop()), by=["channel"])
    if "campaign" in by:  # only what is advertised has campaigns
        whole = whole[whole["spend"] > 0]
    for column in ("spend", "sales", "returned", "goods", "fees", "carriage", "margin", "profit"):
        assert made[column].sum() == pytest.approx(whole[column].sum()), column
    assert not np.isinf(made.select_dtypes("number").to_numpy()).any()


def test_drilling_into_a_channel_adds_up_to_the_channel():
    of = cube(shop())
    whole = roi.drill(of, by=["channel"]).set_index("channel").loc["search"]
    for by in (["campaign"], ["channel", "campaign"], ["category"], ["region"], ["month"]):
        made = roi.drill(of, by=by, where={"channel": "search"})
        assert made["spend"].sum() == pytest.approx(whole["spend"]) and made["profit"].sum() == pytest.approx(
            whole["profit"]
        ), by
    one = roi.drill(of, by=["campaign"], where={"channel": "search"}).set_index("campaign").loc["one"]
    assert one["sales"] == pytest.approx(0.75 * 150)  # three quarters of what the platform claims


def test_money_spent_where_nothing_was_sold_is_not_lost():
    extra = pd.DataFrame(
        {"day": [dt.date(2026, 2, 9)], "platform": ["t"], "level": ["account"], "channel": ["tv"], "spend": [70.0]}
    )
    of = roi.cube(shop().orders, extra, since=SINCE, until=UNTIL)
    for by in (["channel"], ["channel", "region"], ["month", "channel"]):
        made = roi.drill(of, by=by)
        assert made["spend"].sum() == 70.0
        tv = made[made["channel"] == "tv"].iloc[0]
        assert tv["roi"] == -1 and tv["roas"] == 0 and tv["profit"] == -70


def test_what_could_not_be_taken_off_is_said():
    bare = shop()
    of = roi.cube(bare.orders, bare.ad_spend, since=SINCE, until=UNTIL)
    assert len(of.notes) == 4 and all(note.startswith("REVIEW") for note in of.notes)
    assert roi.drill(of, by=["channel"]).attrs["notes"][0] == of.notes[0]
    assert isinstance(roi.cube(bare.orders, Missing("ad_spend"), since=SINCE, until=UNTIL), Missing)


def test_sales_without_a_channel_are_in_no_row_and_soften_the_verdict():
    whole = shop().orders.to_pandas()
    some = whole.assign(channel=["search", None, None, None])
    of = cube(shop(orders=some.drop(columns="paid_at")))
    assert of.credited == pytest.approx(100 / 270)
    spent = pd.DataFrame(
        {
            "day": [dt.date(2026, 1, 5)],
            "platform": ["g"],
            "level": ["account"],
            "channel": ["search"],
            "spend": [5000.0],
        }
    )
    made = roi.drill(cube(shop(orders=some.drop(columns="paid_at"), ad_spend=spent)), by=["channel"])
    assert roi.findings(made)[0].verdict == "watch"
    sure = roi.findings(roi.drill(cube(shop(ad_spend=spent)), by=["channel"]))
    assert sure[0].verdict == "act" and "search" in sure[0].text and sure[0].stake == pytest.approx(5000 - 40)


def test_nothing_spent_all_returned_or_nothing_sold_gives_no_infinity_and_no_crash():
    nothing = pd.DataFrame(
        {"day": [dt.date(2026, 1, 5)], "platform": ["g"], "level": ["account"], "channel": ["search"], "spend": [0.0]}
    )
    made = roi.drill(cube(shop(ad_spend=nothing)), by=["channel"])
    assert made["roi"].isna().all() and roi.plot_return(made) is None and roi.costliest(made) == ""
    assert "Nothing was spent" in roi.findings(made)[0].text
    back = pd.DataFrame(
        {
            "return_id": list("abcd"),
            "platform": "jd",
            "returned_at": pd.Timestamp("2026-02-25"),
            "amount": [100.0, 50.0, 80.0, 40.0],
            "order_id": list("1234"),
        }
    )
    all_back = roi.drill(cube(shop(returns=back)), by=["channel"]).set_index("channel")
    assert (
        all_back["net_sales"].abs().max() < 1e-9
        and all_back.loc["search", "roas"] == 0
        and all_back.loc["search", "roi"] < -1
    )
    empty = roi.drill(
        roi.cube(shop().orders, shop().ad_spend, since=dt.date(2020, 1, 1), until=dt.date(2020, 2, 1)), by=["channel"]
    )
    assert empty.empty
    once = roi.drill(
        roi.cube(shop().orders, shop().ad_spend, since=dt.date(2020, 1, 1), until=dt.date(2020, 2, 1)), by=[]
    )
    assert once["sales"].iloc[0] == 0 and math.isnan(once["roas"].iloc[0])


def test_dimensions_that_do_not_exist_or_cannot_be_told_are_refused():
    of = cube(shop())
    with pytest.raises(ValueError, match="colour"):
        roi.drill(of, by=["colour"])
    with pytest.raises(ValueError, match="campaign"):
        roi.drill(of, by=["campaign", "region"])
    with pytest.raises(ValueError, match="basis"):
        roi.drill(of, by=["channel"], basis="hope")


def test_the_picture_shows_the_returns():
    made = roi.drill(cube(shop()), by=["channel"])
    ax = roi.plot_return(made)
    drawn = sorted(b.get_width() for b in ax.patches)
    assert drawn == pytest.approx(sorted(made["roi"].dropna()))


def test_spending_is_of_one_level_a_platform():
    spent = roi.spending(shop().ad_spend, since=SINCE, until=UNTIL).set_index("channel")["spend"]
    assert spent.to_dict() == {"live": 100.0, "search": 40.0}
