"""Market sizes tie to what was sold; audiences, competitors and prices are what the world says."""

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo.office.market import market, market_counts, truths
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.demo.world.people import PLATFORMS
from playbook.data.schema import TABLES


class Shop:
    def __init__(self, scale, seed=1):
        self.world = make_world(scale=scale, seed=seed, until="2026-10")
        self.orders, self.lines, *_ = make_orders(self.world, demand(self.world, 0, scale))
        self.counts = market_counts(self.world, self.orders, self.lines)
        self.tables = market(self.world, self.counts)


@pytest.fixture(scope="module")
def shop():
    return Shop(0.08)


def test_tables_are_canonical(shop):
    for name, rows in shop.tables.items():
        table = TABLES[name]
        assert set(table.required) <= set(rows.columns) <= set(table.by_name), name
        assert not rows.duplicated([*table.key]).any(), name
        assert rows[list(table.required)].notna().all().all(), name
        assert (rows[table.happened] < shop.world.calendar.end).all(), name
        assert set(rows.get("product_id", pd.Series(dtype=object)).dropna()) <= set(
            shop.world.catalogue.products["product_id"]
        )


def test_our_size_in_the_market_is_what_was_paid_to_the_fen(shop):
    lines = shop.lines.assign(paid_at=shop.orders["paid_at"].to_numpy()[shop.lines["order"]]).dropna(subset="paid_at")
    lines["category"] = shop.world.catalogue.products["category"].to_numpy()[lines["product"]]
    lines["day"] = lines["paid_at"].dt.to_period("M").dt.end_time.dt.normalize()
    paid = lines.groupby(["day", "category", "platform"])["amount"].sum()
    own = shop.tables["market"].query("seller == '露苔'").set_index(["day", "category", "platform"])["size"]
    assert (own.loc[paid.index] == paid).all() and own.sum() == paid.sum()
    assert own.sum() == shop.orders.loc[shop.orders["paid_at"].notna(), "amount"].sum()


def test_the_whole_is_the_sum_of_its_sellers_and_nobody_is_negative(shop):
    rows = shop.tables["market"]
    whole = rows[rows["seller"].isna()].set_index(["day", "category", "platform"])["size"]
    parts = rows[rows["seller"].notna()].groupby(["day", "category", "platform"])["size"].sum()
    assert (parts.loc[whole.index] == whole).all() and (rows["size"] >= 0).all()
    assert len(whole) == 37 * 6 * 4


def test_masks_fall_and_diffusers_grow(shop):
    rows, told = shop.tables["market"], truths(shop.world)
    by = rows[rows["seller"].isna()].groupby([rows["day"].dt.to_period("M"), "category"])["size"].sum().unstack()
    growth = np.log(by.iloc[-12:].sum() / by.iloc[-24:-12].sum())
    for category, rate in told["market_growth"].items():
        assert growth[category] == pytest.approx(rate, abs=0.06)
    assert told["market_falls"] == ["面膜"] == [growth.idxmin()] and told["market_grows"] == ["无火香薰"] == [
        growth.idxmax()
    ]
    share = rows[rows["seller"] == "露苔"]["size"].sum() / rows[rows["seller"].isna()]["size"].sum()
    assert 0.005 < share < 0.05


def test_audiences_are_shares_of_one_and_show_who_buys_where(shop):
    rows = shop.tables["audience_profile"]
    sums = rows.groupby(["day", "platform", "audience", "trait"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(1.0, abs=1e-9) and (rows["share"] >= 0).all()
    assert set(rows["platform"]) == set(PLATFORMS) and rows["day"].nunique() == 37
    buyers = (
        rows[(rows["audience"] == "buyers") & (rows["trait"] == "age")].groupby(["platform", "value"])["share"].mean()
    )
    assert buyers["douyin"].idxmax() == "15-24" and buyers["jd"]["45-59"] > 2 * buyers["own_site"]["45-59"]
    women = (
        rows[(rows["audience"] == "buyers") & (rows["trait"] == "gender")]
        .groupby(["platform", "value"])["share"]
        .mean()
        .unstack()
    )
    known = women["female"] / (women["female"] + women["male"])
    for platform, share in truths(shop.world)["female_buyers"].items():
        assert known[platform] == pytest.approx(share, abs=0.02)
    ages = ["15-24", "25-34", "35-44", "45-59", "60+"]
    assert sorted(rows.loc[rows["trait"] == "age", "value"].unique()) == ages
    assert rows.loc[rows["trait"] == "region", "value"].nunique() == 31


def test_competitors_are_seen_at_their_prices_and_only_add_up(shop):
    rows, goods = shop.tables["competitors"], shop.world.catalogue
    position = (rows["day"] - shop.world.calendar.days[0]).dt.days
    known = goods.rivals.reset_index().set_index(["competitor", "item"])["index"]
    matched = rows[rows["product_id"].notna()]
    at = pd.MultiIndex.from_frame(matched[["competitor", "item"]]).map(known).to_numpy()
    assert (matched["price"].to_numpy() == goods.rival_price[at, position[matched.index]]).all()
    assert (goods.products["product_id"].to_numpy()[goods.rivals["product"]][at] == matched["product_id"]).all()
    assert set(rows.loc[rows["product_id"].isna(), "item"]) == set(truths(shop.world)["unmatched_items"])
    steps = rows.sort_values("day").groupby(["competitor", "item"])[["sales_units", "comments"]].diff().dropna()
    assert (steps >= 0).all().all()
    assert (rows["list_price"] >= rows["price"]).all() and rows["rating"].between(3.5, 5).all()
    seen = len(rows) / (rows.groupby(["competitor", "item"]).ngroups * shop.world.calendar.n)
    assert 0.96 < seen < 0.98


def test_the_undercutting_is_seen_within_three_days(shop):
    rows, since = shop.tables["competitors"], shop.world.calendar.days[shop.world.incidents.undercut]
    serums = rows[(rows["competitor"] == "栖木 Qimu") & (rows["category"] == "精华")]
    own = shop.world.catalogue.products.set_index("product_id")["list_price"]
    part = serums["price"] / serums["product_id"].map(own)
    after = serums["day"] >= since
    assert part[after].to_numpy() == pytest.approx(0.8, abs=0.01)
    assert serums.loc[after, "day"].min() <= since + pd.Timedelta(days=3)
    sizes = shop.tables["market"].query("seller == '栖木 Qimu' and category == '精华'").groupby("day")["size"].sum()
    whole = shop.tables["market"].query("category == '精华'")
    share = sizes / whole[whole["seller"].isna()].groupby("day")["size"].sum()
    assert share[share.index > since].mean() > 1.1 * share[share.index < since].mean()


def test_the_price_history_gives_back_every_days_price(shop):
    rows, goods = shop.tables["prices"], shop.world.catalogue
    assert (rows.groupby("platform").size() == rows.groupby("platform").size().iloc[0]).all()
    one = rows[rows["platform"] == "jd"].pivot(index="changed_at", columns="product_id", values="price")
    every = one.reindex(shop.world.calendar.days).ffill()[goods.products["product_id"]].to_numpy().T
    assert (every == goods.price).all()
    changes = one.ffill().diff().iloc[1:][one.iloc[1:].notna()]
    assert (changes.stack() != 0).all()


def test_the_counts_of_two_halves_add_up(shop):
    half = len(shop.orders) // 2
    first = shop.lines["order"] < half
    a = market_counts(shop.world, shop.orders[:half], shop.lines[first])
    rest = shop.lines[~first].assign(order=shop.lines["order"] - half)
    assert (a + market_counts(shop.world, shop.orders[half:].reset_index(drop=True), rest) == shop.counts).all()
