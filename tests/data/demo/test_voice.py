"""What people say: reviews, mentions, tickets, surveys."""

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo.aftersales import surveys
from playbook.data.demo.aftersales.fulfilment import fulfil
from playbook.data.demo.aftersales.voice import BRAND, mentions, truths, voice
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.fraud import fraud
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.demo.world.incidents import CRISIS_PRODUCT, LATE_REGION
from playbook.data.schema import TABLES

SCALE = 0.1


def heard(seed=1, scale=SCALE):
    world = make_world(scale=scale, seed=seed, until="2026-10")
    orders, lines = make_orders(world, demand(world, 0, scale))[:2]
    extra, extra_lines = fraud(world, 0, scale)
    extra_lines["order"] += len(orders)
    orders, lines = pd.concat([orders, extra], ignore_index=True), pd.concat([lines, extra_lines], ignore_index=True)
    orders, done = fulfil(world, orders, lines)
    return world, orders, voice(world, orders, lines, done["returns"], done["shipments"]) | mentions(world)


@pytest.fixture(scope="module")
def shop():
    return heard()


def days_from(world, times):
    return (times - world.calendar.days[0]).dt.days


def test_tables_are_those_of_the_schema(shop):
    world, orders, tables = shop
    both = pd.concat([tables["surveys"], surveys.panel(world)["surveys"]])
    for name, table in [*tables.items(), ("surveys", both)]:
        schema = TABLES[name]
        assert set(schema.required) <= set(table.columns) <= set(schema.by_name), name
        assert not table.duplicated(list(schema.key)).any(), name
        assert not table[list(schema.required)].isna().any().any(), name
        assert len(table) and table[schema.happened].between(world.calendar.days[0], world.calendar.end, "left").all()
    for name in ("reviews", "tickets", "surveys"):
        assert set(tables[name]["customer_id"]) <= set(orders["customer_id"]), name
    for name in ("reviews", "tickets"):
        assert set(tables[name]["order_id"].dropna()) <= set(orders["order_id"]), name


def test_reviews_are_j_shaped_and_know_what_happened(shop):
    _world, orders, tables = shop
    reviews = tables["reviews"].merge(orders, on=["order_id", "platform", "customer_id"])
    assert not reviews["order_id"].duplicated().any()
    assert 0.12 < len(reviews) / (orders["status"] == "completed").sum() < 0.18
    assert (reviews["reviewed_at"] > reviews["delivered_at"]).all()
    honest = reviews[reviews["fraud"] != "fake"]
    share = honest["rating"].value_counts(normalize=True)
    assert 4.58 < honest["rating"].mean() < 4.8 and share[5] > 0.75 and share[4] > share[3]
    assert honest["text"].nunique() > 0.6 * len(honest) and (honest["text"].str.len() > 0).all()
    broken = honest["text"].str.contains("碎|漏液|漏了|裂了|压坏|压烂")
    assert honest.loc[broken, "rating"].mean() < 3.5 < honest.loc[~broken, "rating"].mean()
    words = honest.groupby(honest["rating"] >= 4)["text"].agg(" ".join)
    assert words[True].count("回购") > words[False].count("回购") and words[False].count("失望") > words[True].count(
        "失望"
    )
    candles = honest[honest["product_id"].str.startswith("candle")]["text"]
    assert not candles.str.contains("毛孔|泡沫|膜布|泵头").any() and candles.str.contains("味|蜡|烛|杯").mean() > 0.2


def test_faked_orders_are_praised_within_a_day_of_arrival(shop):
    _world, orders, tables = shop
    reviews = tables["reviews"].merge(orders[orders["fraud"] == "fake"], on="order_id")
    arrived = (orders["fraud"] == "fake") & orders["delivered_at"].notna()
    assert len(reviews) > 0.85 * arrived.sum()
    assert (reviews["rating"] == 5).all()
    assert (reviews["reviewed_at"] - reviews["delivered_at"] < pd.Timedelta(days=1)).all()
    assert reviews["text"].nunique() < 10


def test_the_crisis_is_heard_at_once_and_not_before(shop):
    world, _orders, tables = shop
    m, crisis = tables["mentions"], world.incidents.crisis
    day = days_from(world, m["mentioned_at"])
    ours, bad = m["brand"] == BRAND, m["sentiment"] < 0
    usual = (ours & (day < crisis)).sum() / crisis / SCALE
    assert 15 < usual < 21
    assert 2.8 < (ours & bad & (day < crisis)).sum() / crisis / SCALE < 6
    first = (ours & day.between(crisis, crisis + 2)).sum() / 3 / SCALE
    assert 4.5 < first / usual < 9  # 7.5 at once, some 40 mentions here
    assert (ours & bad & day.between(crisis, crisis + 1)).sum() / 2 / SCALE > 35
    counts = np.bincount(day[ours & bad], minlength=world.calendar.n)
    assert counts[crisis : crisis + 2].sum() > pd.Series(counts[:crisis]).rolling(2).sum().max()
    fresh = m[ours & day.between(crisis, crisis + 6)]
    assert fresh["sentiment"].mean() < -0.35 and fresh["text"].str.contains("刺痛|泛红|过敏|烂脸|红").mean() > 0.4
    after = (ours & day.between(crisis + 45, world.calendar.n)).sum() / (world.calendar.n - crisis - 45) / SCALE
    assert 0.8 < after / usual < 1.2
    rest = m["brand"].ne(BRAND) & day.between(crisis, crisis + 6)
    assert rest.sum() / 7 / SCALE < 75  # theirs are as ever


def test_the_crisis_in_reviews_and_tickets_over_three_seeds():
    """About five times the usual complaints in the first three weeks, and most of its reviews bad."""
    complaints, usual, bad, reviews = 0, 0.0, 0, 0
    for seed in (2, 3, 4):
        world, _orders, tables = heard(seed, 0.2)
        crisis, t, r = world.incidents.crisis, tables["tickets"], tables["reviews"]
        mine = t[t["topic"].isin(["complaint", "allergy"]) & (t["product_id"] == CRISIS_PRODUCT)]
        day = days_from(world, mine["opened_at"])
        complaints += day.between(crisis, crisis + 20).sum()
        usual += day.between(crisis - 200, crisis - 1).sum() * 21 / 200
        day = days_from(world, r["reviewed_at"])
        fresh = r[(r["product_id"] == CRISIS_PRODUCT) & day.between(crisis, crisis + 13)]
        bad, reviews = bad + (fresh["rating"] <= 2).sum(), reviews + len(fresh)
        early = t[
            (t["topic"] == "allergy")
            & (t["product_id"] == CRISIS_PRODUCT)
            & (t["opened_at"] < world.calendar.days[crisis])
        ]
        assert len(early) < 12
    assert 2.5 < complaints / usual < 14
    assert bad / reviews > 0.25


def test_mentions_of_days_made_apart_are_the_same(shop):
    world, _orders, tables = shop
    parts = [mentions(world, a, b)["mentions"] for a, b in ((0, 500), (500, world.calendar.n))]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), tables["mentions"])


def test_mentions_follow_what_is_spent_on_xiaohongshu():
    world = make_world(scale=1, seed=3, until="2026-10")
    m = mentions(world)["mentions"]
    m = m[(m["source"] == "xiaohongshu") & (m["brand"] == BRAND)]
    count = np.bincount(days_from(world, m["mentioned_at"]), minlength=world.calendar.n)[: world.incidents.crisis]
    level = world.media.level[0, world.media.position("xiaohongshu")][: len(count)]
    assert np.corrcoef(count, level)[0, 1] > 0.35


def test_tickets_are_answered_and_late_parcels_are_asked_for(shop):
    world, orders, tables = shop
    t = tables["tickets"]
    assert (t["first_reply_at"].dropna() >= t.loc[t["first_reply_at"].notna(), "opened_at"]).all()
    both = t[t["solved_at"].notna()]
    assert (both["solved_at"] > both["first_reply_at"]).all() and both["solved_at"].max() < world.calendar.end
    assert t.loc[t["solved_at"].isna(), "rating"].isna().all() and t["rating"].dropna().between(1, 5).all()
    assert 0.26 < t["by_bot"].mean() < 0.40
    wait = (t["first_reply_at"] - t["opened_at"]).dt.total_seconds()
    people, hour = ~t["by_bot"] & (t["channel"] == "chat"), t["opened_at"].dt.hour
    assert wait[t["by_bot"]].max() < 10 and wait[people & hour.between(9, 22)].median() < 90
    assert wait[people & ~hour.between(9, 22)].median() > 600
    rush = t["opened_at"].dt.strftime("%m%d").isin(["1111", "0618"])
    assert wait[people & rush & hour.between(9, 22)].median() > 2.5 * wait[people & hour.between(9, 22)].median()
    parcels = t[t["topic"] == "where_is_parcel"].merge(orders[["order_id", "region", "shipped_at"]], on="order_id")
    here = orders["region"] == LATE_REGION
    rates = []
    for since in (False, True):
        sent = (
            here
            & orders["shipped_at"].notna()
            & ((days_from(world, orders["shipped_at"]) >= world.incidents.late_region) == since)
        )
        rates.append(parcels["order_id"].isin(orders.loc[sent, "order_id"]).sum() / sent.sum())
    assert rates[1] > 2.5 * rates[0]
    asked = t[t["topic"] == "pre_sale"]
    assert asked["order_id"].isna().all() and 0.06 < len(asked) / len(orders) < 0.12


def test_surveys_say_what_drives_recommendation():
    world, orders, tables = heard(2, 0.6)
    s = tables["surveys"]
    wide = s.pivot(index="response_id", columns="question", values="score")
    areas = [c for c in wide if c.startswith("csat_")]
    assert len(areas) == 4 and wide[areas].min().min() >= 1 and wide[areas].max().max() <= 5
    waves = s["survey"].unique()
    assert len(waves) == 6 and 60 < len(wide) / len(waves) < 160
    x = np.column_stack([np.ones(len(wide)), wide[areas]])
    slope = dict(zip(areas, np.linalg.lstsq(x, wide["nps"].to_numpy(), rcond=None)[0][1:], strict=True))
    planted = truths(world)["surveys"]["recommend_drivers"]
    for area, size in planted.items():
        assert 0.6 * size - 0.1 < slope[f"csat_{area}"] < size + 0.12, area  # the scale ends at 10
    prices = wide[[f"price_{q}:serum0001" for q in surveys.PRICES]].dropna()
    assert len(prices) > 120 and (np.diff(prices.to_numpy(), axis=1) >= 0).all()
    kano = wide["kano_sealed_packaging:dysfunctional"].dropna()
    assert (kano == 1).mean() > 0.6
    late = orders[(orders["delivered_at"] - orders["shipped_at"]) > pd.Timedelta(days=7)]["customer_id"]
    asked = s[s["question"] == "csat_shopping_experience"]
    slow = asked["customer_id"].isin(late)
    assert asked.loc[slow, "score"].mean() < asked.loc[~slow, "score"].mean() - 0.15


def test_the_panel_climbs_the_ladder_and_slips_in_the_crisis():
    world = make_world(scale=4, seed=1, until="2026-10")
    p = surveys.panel(world)["surveys"]
    share = p.groupby(["survey", "question"])["score"].mean().unstack()
    assert (share["brand_aware"] > share["brand_understands"]).all() and share["brand_aware"].iloc[-1] > share[
        "brand_aware"
    ].iloc[0]
    begins = dict(surveys.waves(world))
    for wave, row in share.iterrows():
        part = row["brand_associates"] / row["brand_understands"]
        n = 2000 * row["brand_understands"]
        expected = surveys.ladder(world, "associates", begins[wave.removeprefix("brand-")])
        assert abs(part - expected) < 4 * np.sqrt(expected * (1 - expected) / n)
    assert surveys.ladder(world, "associates", begins["2026-03"]) < surveys.ladder(
        world, "associates", begins["2025-09"]
    )


def test_nobody_says_nothing(shop):
    world, orders, _tables = shop
    lines = make_orders(world, demand(world, 0, SCALE))[1].iloc[:0]
    none, done = fulfil(world, orders.iloc[:0], lines)
    assert all(len(t) == 0 for t in voice(world, none, lines, done["returns"], done["shipments"]).values())
