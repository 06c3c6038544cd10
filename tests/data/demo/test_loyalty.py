"""Points, coupons and messages."""

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo.office.campaigns import campaigns
from playbook.data.demo.office.loyalty import HOLDOUT, MEMORY, RATES, loyalty, loyalty_counts, message_campaign, truths
from playbook.data.demo.office.plans import plan_counts, promotions
from playbook.data.demo.shoppers.customers import accounts, customers
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import COUPONS, make_orders
from playbook.data.demo.world import make_world
from playbook.data.schema import TABLES


class Shop:
    def __init__(self, scale, seed=1):
        self.world = make_world(scale=scale, seed=seed, until="2026-10")
        came = demand(self.world, 0, scale)
        self.orders, self.lines, *_ = make_orders(self.world, came)
        self.customers = customers(self.world, accounts(came), self.orders)
        self.tables = loyalty(self.world, self.orders, self.lines, self.customers)
        self.points, self.coupons, self.messages = self.tables.values()


@pytest.fixture(scope="module")
def shop():
    return Shop(0.1)


def test_tables_are_canonical(shop):
    for name, rows in shop.tables.items():
        table = TABLES[name]
        assert set(table.required) <= set(rows.columns) <= set(table.by_name), name
        assert not rows.duplicated([*table.key]).any(), name
        assert rows[list(table.required)].notna().all().all(), name
        assert set(rows["customer_id"]) <= set(shop.customers["customer_id"]), name
        at = table.happened or table.recorded
        assert (rows[at] < shop.world.calendar.end).all(), name


def test_a_point_for_each_yuan_of_the_members_platforms(shop):
    earned = shop.points[shop.points["kind"] == "earn"].merge(shop.orders, on="order_id", validate="1:1")
    assert (earned["points"] == earned["amount"] // 100).all() and set(earned["platform"]) == {"tmall", "own_site"}
    mine = shop.orders[shop.orders["paid_at"].notna() & shop.orders["platform"].isin(["tmall", "own_site"])]
    assert len(earned) == len(mine)


def test_points_live_a_year_and_no_account_is_ever_overdrawn(shop):
    rows = shop.points.assign(rank=shop.points["kind"].map({"expire": 0, "redeem": 1, "earn": 2}))
    rows = rows.sort_values(["customer_id", "booked_at", "rank"])
    assert (rows.groupby("customer_id")["points"].cumsum() >= 0).all()
    # At any moment exactly that is left of last year's points which was not redeemed: nothing older, first in, first out.
    for _, one in list(rows.groupby("customer_id"))[:3000]:
        lots = []
        for kind, at, n in zip(one["kind"], one["booked_at"], one["points"], strict=True):
            if kind == "earn":
                lots.append([at, n])
            elif kind == "redeem":
                need = -n
                for lot in lots:
                    took = min(lot[1], need)
                    lot[1] -= took
                    need -= took
                assert need == 0
            else:
                old = [lot for lot in lots if (lot[0] + pd.Timedelta(days=366)).normalize() == at]
                assert sum(lot[1] for lot in old) >= -n > 0
                left = -n
                for lot in old:
                    took = min(lot[1], left)
                    lot[1] -= took
                    left -= took
        end = shop.world.calendar.end
        assert all(n == 0 for at, n in lots if (at + pd.Timedelta(days=366)).normalize() < end)
    redeemed = shop.points[shop.points["kind"] == "redeem"]
    assert (redeemed["value"] == -redeemed["points"]).all()  # a fen a point
    earned = shop.points.loc[shop.points["kind"] == "earn", "points"].sum()
    assert 0.08 < -redeemed["points"].sum() / earned < 0.35  # the rest is breakage, or still there


def test_a_used_coupon_is_its_orders_and_was_worth_using(shop):
    used = shop.coupons[shop.coupons["used_at"].notna()].merge(
        shop.orders, on="order_id", suffixes=("", "_of_order"), validate="1:1"
    )
    with_coupon = shop.orders[shop.orders["coupon_id"].notna() & shop.orders["paid_at"].notna()]
    assert len(used) == len(with_coupon) and (used["coupon_id"] == used["coupon_id_of_order"]).all()
    assert (used["customer_id"] == used["customer_id_of_order"]).all()
    assert set(shop.orders["coupon_id"].dropna()) <= set(shop.coupons["coupon_id"])
    assert (
        (used["issued_at"] <= used["claimed_at"])
        & (used["claimed_at"] < used["used_at"])
        & (used["used_at"] <= used["expires_at"])
    ).all()
    assert (used["amount"] + used["face_value"] >= used["threshold"]).all()
    # Whatever a line lost beyond the promotion's part is the coupon.
    day = shop.orders["day"].to_numpy()[shop.lines["order"]]
    gross = shop.lines["unit_price"] * shop.lines["quantity"]
    beyond = shop.lines["discount"] - np.rint(gross * shop.world.depth[shop.lines["product"], day]).astype(int)
    off = beyond.groupby(shop.lines["order_id"]).sum()
    assert (used["order_id"].map(off) == used["face_value"]).all()


def test_a_fifth_of_the_coupons_is_used(shop):
    assert 0.15 < shop.coupons["used_at"].notna().mean() < 0.25
    assert dict(COUPONS) == shop.coupons.groupby("threshold")["face_value"].first().to_dict()
    unused = shop.coupons[shop.coupons["used_at"].isna()]
    assert unused["claimed_at"].isna().mean() == pytest.approx(0.44, abs=0.04) and unused["order_id"].isna().all()


def test_messages_and_coupons_belong_to_campaigns_and_promotions(shop):
    assert set(shop.messages["campaign_id"]) <= set(campaigns(shop.world)["campaign_id"])
    table = promotions(shop.world, plan_counts(shop.world, shop.orders, shop.lines))
    assert set(shop.coupons["promotion_id"]) <= set(table["promotion_id"])
    when = shop.coupons.merge(table[["promotion_id", "starts_at", "ends_at"]], on="promotion_id")
    assert ((when["issued_at"] >= when["starts_at"]) & (when["issued_at"] <= when["ends_at"])).all()
    day = shop.world.calendar.position(11, 11)  # Double 11 a year before
    assert (
        message_campaign(shop.world, day) == "fest-1111-2025-crm"
        and message_campaign(shop.world, day + 60) == "crm-202601"
    )


def test_only_those_are_written_to_who_agreed_and_have_not_left(shop):
    about = shop.messages.merge(shop.customers[["customer_id", "consent_at"]], on="customer_id")
    assert (about["consent_at"] < about["sent_at"]).all()
    left = shop.messages.groupby("customer_id")["unsubscribed_at"].min()
    assert not (shop.messages["sent_at"] > shop.messages["customer_id"].map(left)).any()


def test_rates_are_each_channels_and_nobody_sees_an_sms_opened(shop):
    sent = shop.messages[~shop.messages["holdout"]].groupby("channel")
    n = sent.size()
    assert n.idxmax() == "sms" and set(n.index) == set(RATES)
    for channel, (delivered, opened, clicked, _leaves, cost) in RATES.items():
        rows = sent.get_group(channel)
        assert rows["delivered_at"].notna().mean() == pytest.approx(delivered, abs=0.012)
        assert (rows["cost"] == cost).all()
        if channel == "sms":
            assert rows["opened_at"].isna().all() and 0.02 < rows["clicked_at"].notna().mean() < 0.05
        else:
            came = rows["delivered_at"].notna().sum()
            assert rows["opened_at"].notna().sum() / came == pytest.approx(opened, rel=0.25, abs=0.02)
            assert rows["clicked_at"].notna().sum() / rows["opened_at"].notna().sum() >= 0.7 * clicked
        times = rows[["sent_at", "delivered_at", "opened_at", "clicked_at"]].dropna(axis=1, how="all")
        for a, b in zip(times.columns[:-1], times.columns[1:], strict=True):
            assert (times[b].dropna() >= times[a][times[b].notna()]).all()
    assert 0.001 < shop.messages["unsubscribed_at"].notna().mean() < 0.006


def test_one_in_ten_is_held_back_and_gets_nothing(shop):
    held = shop.messages[shop.messages["holdout"]]
    n = len(shop.messages)
    assert abs(len(held) - HOLDOUT * n) < 4 * np.sqrt(n * HOLDOUT * (1 - HOLDOUT)) + 0.01 * n
    assert (
        held[["delivered_at", "opened_at", "clicked_at", "unsubscribed_at"]].isna().all().all()
        and (held["cost"] == 0).all()
    )


def test_messages_bring_what_the_truth_says_they_bring():
    # Orders within a fortnight, by anybody's account, of those written to and of those held back; pooled over worlds.
    rows, told = [], []
    for seed in (1, 2, 3):
        shop = Shop(0.3, seed)
        counts = loyalty_counts(shop.world, shop.orders, shop.customers, shop.tables)
        told.append(counts)
        who = shop.orders.groupby("customer_id")["person"].first()
        mine = shop.messages.assign(person=shop.messages["customer_id"].map(who)).dropna(subset="person")
        both = mine[["message_id", "person", "sent_at", "holdout"]].merge(
            shop.orders[["person", "ordered_at"]], on="person"
        )
        lag = both["ordered_at"] - both["sent_at"]
        bought = both[(lag > pd.Timedelta(0)) & (lag < pd.Timedelta(days=MEMORY))]
        arm = mine["holdout"].map({True: "held", False: "sent"})
        rows.append(
            pd.DataFrame(
                {
                    "orders": bought.groupby(bought["holdout"].map({True: "held", False: "sent"})).size(),
                    "n": arm.value_counts(),
                }
            )
        )
    total = sum(rows)
    rate = total["orders"] / total["n"]
    told = truths(pd.concat(told))["messages"]
    error = np.sqrt((rate / total["n"]).sum()) * 1.4  # orders of one person come together
    assert told["orders_per_message"] > 0.004
    assert rate["sent"] - rate["held"] == pytest.approx(told["orders_per_message"], abs=4 * error)
    assert rate["sent"] - rate["held"] > 2 * error


def test_the_volume_fits_a_shop_of_this_size(shop):
    assert 20_000 < len(shop.messages) < 40_000  # at scale 0.1
    assert 50 <= shop.messages["campaign_id"].nunique() <= 60
