"""Stock balances, the shortages that were planted, suppliers before and after one of them slipped."""

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo.office import ahead
from playbook.data.demo.office.supply import RUN_OUT_PRODUCT, supply, supply_counts, truths
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.demo.world.incidents import SLOW_SUPPLIER, STOCK_OUT_PRODUCT
from playbook.data.schema import TABLES


class Shop:
    def __init__(self, scale, seed=1, until="2026-10", policy=None):
        self.world = make_world(scale=scale, seed=seed, until=until, policy=policy)
        self.orders, self.lines, *_ = make_orders(self.world, demand(self.world, 0, scale))
        self.units = supply_counts(self.world, self.lines, self.orders)
        self.tables = supply(self.world, self.units)
        self.names = self.world.catalogue.products["product_id"].to_numpy(object)
        stock = self.tables["inventory"].groupby(["product_id", "day"])[["on_hand", "reserved", "inbound"]].sum()
        self.stock = {c: stock[c].unstack().loc[self.names].to_numpy() for c in stock}

    def by_day(self, rows, column, on):
        """Units of purchase orders, products × days."""
        rows = rows[rows[on].notna() & (rows[on] < self.world.calendar.end)]
        out = np.zeros(self.units.shape, dtype=int)
        day = (rows[on].dt.normalize() - self.world.calendar.days[0]).dt.days
        np.add.at(out, (pd.Index(self.names).get_indexer(rows["product_id"]), day), rows[column].astype(int))
        return out


@pytest.fixture(scope="module", params=[(0.1, 1), (0.05, 2)])
def shop(request):
    return Shop(*request.param)


def test_stock_is_yesterdays_plus_what_came_minus_what_left(shop):
    orders = shop.tables["purchase_orders"]
    good = shop.by_day(orders, "received", "received_on") - shop.by_day(orders, "defective", "received_on")
    free = shop.stock["on_hand"] - shop.stock["reserved"]
    assert (free[:, 1:] == free[:, :-1] + good[:, 1:] - shop.units[:, 1:]).all()
    assert (free >= 0).all() and (shop.stock["reserved"] >= 0).all()
    # What is under way is what was ordered and has not come.
    under_way = np.cumsum(
        shop.by_day(orders, "quantity", "recorded_at") - shop.by_day(orders, "quantity", "received_on"), axis=1
    )
    assert (shop.stock["inbound"] == under_way).all()


def test_the_star_is_out_of_stock_exactly_on_the_days_that_were_planted(shop):
    j = list(shop.names).index(STOCK_OUT_PRODUCT)
    gone = ~shop.world.in_stock[j]
    assert 8 <= gone.sum() <= 16
    assert ((shop.stock["on_hand"][j] == 0) == gone).all()
    others = np.delete(shop.stock["on_hand"], j, axis=0)
    assert (others > 0).all()


def test_a_policy_that_orders_earlier_ends_the_stock_out_earlier(tmp_path):
    (tmp_path / "plan.toml").write_text(f"[stock]\n{STOCK_OUT_PRODUCT} = 6\n")
    before, after = Shop(0.05), Shop(0.05, policy=tmp_path / "plan.toml")
    j = list(before.names).index(STOCK_OUT_PRODUCT)
    assert (before.stock["on_hand"][j] == 0).sum() - (after.stock["on_hand"][j] == 0).sum() == 6
    assert ((after.stock["on_hand"][j] == 0) == ~after.world.in_stock[j]).all()


def test_the_slow_supplier_is_a_fortnight_late_and_only_since_its_date():
    late = []
    for seed in (1, 2, 3):
        shop = Shop(0.1, seed)
        rows = shop.tables["purchase_orders"].dropna(subset="received_on")
        since = shop.world.calendar.days[shop.world.incidents.slow_supplier]
        late.append(
            rows.assign(days=(rows["received_on"] - rows["due_on"]).dt.days, slow=rows["due_on"] >= since)[
                ["purchase_order_id", "supplier_id", "days", "slow"]
            ].drop_duplicates()
        )
    days = pd.concat(late).groupby(["supplier_id", "slow"])["days"].agg(["mean", "std", "size"])
    assert days.loc[(SLOW_SUPPLIER, True), "mean"] == pytest.approx(
        15.9, abs=3 * 5 / np.sqrt(days.loc[(SLOW_SUPPLIER, True), "size"])
    )
    assert days.loc[(SLOW_SUPPLIER, False), "mean"] < 2.5
    assert days.drop(index=SLOW_SUPPLIER)["mean"].abs().max() < 3
    assert 2 < days.loc[("S04", False), "std"] < 4 and days.loc[("S03", False), "std"] < 2


def test_defects_tell_good_suppliers_from_bad_ones():
    rows = pd.concat([Shop(0.1, seed).tables["purchase_orders"] for seed in (1, 2)]).dropna(subset="received_on")
    sums = rows.groupby("supplier_id")[["received", "defective"]].sum().astype(float)
    share = sums["defective"] / sums["received"]
    assert share["S04"] > 1.8 * share["S03"] and share.between(0.002, 0.03).all()
    assert (rows["received"] <= rows["quantity"]).all() and (rows["received"] >= 0.94 * rows["quantity"] - 1).all()


def test_one_star_runs_out_before_the_festival_ends_and_no_other(shop):
    told = truths(shop.world, shop.units, shop.tables)["run_out"]
    wanted = ahead.expected(shop.world, shop.units)[:, : ahead.horizon(shop.world) - shop.world.calendar.n + 1].sum(
        axis=1
    )
    free = (shop.stock["on_hand"] - shop.stock["reserved"])[:, -1]
    orders = shop.tables["purchase_orders"]
    ends = ahead.date(shop.world, ahead.horizon(shop.world))
    coming = orders[
        orders["received_on"].isna() & (orders["due_on"] >= shop.world.calendar.end) & (orders["due_on"] <= ends)
    ]
    on_the_way = coming.groupby("product_id")["quantity"].sum().reindex(shop.names, fill_value=0).to_numpy()
    short = shop.names[free + on_the_way < 1.2 * wanted]
    assert list(short) == [RUN_OUT_PRODUCT] == [told["product"]]
    assert told["festival"] == "1111-2026" and told["expected_until"] == "2026-11-11"
    assert "2026-11-01" < told["runs_out_on"] < "2026-11-11" < min(told["inbound_due"])
    assert told["available"] == free[list(shop.names).index(RUN_OUT_PRODUCT)] > 0


def test_goods_are_on_order_for_the_coming_months(shop):
    orders, end = shop.tables["purchase_orders"], shop.world.calendar.end
    ahead_ = orders[orders["due_on"] >= end]
    assert len(ahead_) >= 10 and ahead_["received_on"].isna().all() and ahead_["received"].isna().all()
    assert (orders["recorded_at"] < end).all() and (orders["received_on"].dropna() < end).all()
    assert (orders["due_on"] > orders["recorded_at"]).all()
    late = orders[(orders["due_on"] < end) & orders["received_on"].isna()]
    assert (late["supplier_id"] == SLOW_SUPPLIER).mean() >= 0.5


def test_tables_are_canonical_and_refer_to_each_other(shop):
    for name, rows in shop.tables.items():
        table = TABLES[name]
        assert set(table.required) <= set(rows.columns) <= set(table.by_name), name
        assert not rows.duplicated([k for k in table.key if k in rows]).any(), name
        assert rows[list(table.required)].notna().all().all(), name
    orders = shop.tables["purchase_orders"]
    assert set(orders["product_id"]) <= set(shop.names)
    assert (
        set(orders["supplier_id"]) == set(shop.tables["suppliers"]["supplier_id"])
        and shop.tables["suppliers"]["sole_source"].sum() == 1
    )
    whose = shop.world.catalogue.products.set_index("product_id")["supplier_id"]
    assert (orders["supplier_id"] == orders["product_id"].map(whose)).all()


def test_stock_lasts_weeks_not_years():
    shop = Shop(0.3)
    cover = shop.stock["on_hand"].mean(axis=1) / shop.units.mean(axis=1)
    best = shop.units.sum(axis=1).argsort()[-20:]
    assert 30 < np.median(cover[best]) < 75 and np.median(cover) < 120


def test_the_counts_of_two_halves_add_up_and_faked_orders_move_nothing(shop):
    half = len(shop.orders) // 2
    first = shop.lines["order"] < half
    a = supply_counts(shop.world, shop.lines[first], shop.orders[:half])
    rest = shop.lines[~first].assign(order=shop.lines["order"] - half)
    b = supply_counts(shop.world, rest, shop.orders[half:].reset_index(drop=True))
    assert (a + b == shop.units).all()
    assert supply_counts(shop.world, shop.lines, shop.orders.assign(fraud="fake")).sum() == 0
    paid = shop.orders["paid_at"].notna().to_numpy()[shop.lines["order"]]
    assert shop.units.sum() == shop.lines["quantity"][paid].sum()


@pytest.mark.parametrize("until", ["2026-05", "2026-06", "2026-12", "2030-10"])
def test_other_last_months_give_a_sound_supply(until):
    shop = Shop(0.04, seed=3, until=until)
    j = list(shop.names).index(STOCK_OUT_PRODUCT)
    assert ((shop.stock["on_hand"][j] == 0) == ~shop.world.in_stock[j]).all()
    told = truths(shop.world, shop.units, shop.tables)["run_out"]
    assert told["available"] < told["expected_units"]
