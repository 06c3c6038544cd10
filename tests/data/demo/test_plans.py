"""What was written down before it happened, and what is planted in it."""

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo.office import ahead, content, plans, work
from playbook.data.demo.office.advertising import ad_spend, claims
from playbook.data.demo.office.content_texts import OFFENCES
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.schema import TABLES


class Shop:
    def __init__(self, scale, seed=1, until="2026-10"):
        self.world = make_world(scale=scale, seed=seed, until=until)
        self.orders, self.lines, *_ = make_orders(self.world, demand(self.world, 0, scale))
        self.counts = plans.plan_counts(self.world, self.orders, self.lines)
        self.tables = (
            plans.plans(self.world, self.counts) | content.plan_content(self.world) | work.plan_work(self.world)
        )
        self.truths = plans.truths(self.world) | content.truths(self.world) | work.truths(self.world)

    def __getattr__(self, name):
        return self.tables[name]


@pytest.fixture(scope="module")
def shop():
    return Shop(0.05)


@pytest.mark.parametrize("until", ["2026-10", "2026-05", "2026-12", "2030-10"])
def test_tables_are_canonical_and_nothing_is_recorded_later(until):
    shop = Shop(0.02, seed=2, until=until)
    end = shop.world.calendar.end
    for name, rows in shop.tables.items():
        table = TABLES[name]
        assert set(table.required) <= set(rows.columns) <= set(table.by_name), name
        assert not rows.duplicated([k for k in table.key if k in rows]).any(), name
        assert rows[list(table.required)].notna().all().all(), name
        assert (rows[table.recorded or table.happened] < end).all(), name
    assert (shop.tasks["done_on"].dropna() < end).all()


def test_what_is_planned_is_known_before_it_begins_and_not_all_at_once(shop):
    for name, begins in (
        ("campaigns", "starts_on"),
        ("promotions", "starts_at"),
        ("content", "publish_at"),
        ("tasks", "starts_on"),
    ):
        rows = shop.tables[name]
        assert (rows["recorded_at"] < rows[begins]).all(), name
        ahead_ = rows[rows[begins] >= shop.world.calendar.end]
        assert len(ahead_) >= 3 and ahead_["recorded_at"].dt.normalize().nunique() >= 3, name
        # A month ago some of this was not known.
        before = rows[rows["recorded_at"] < shop.world.calendar.end - pd.Timedelta(days=31)]
        assert 0 < len(before) < len(rows), name
    assert (shop.targets["recorded_at"] < pd.PeriodIndex(shop.targets["period"], freq="M").start_time).all()


def test_the_coming_two_months_are_filled(shop):
    end, last = shop.world.calendar.end, ahead.days_ahead(shop.world)[-1]
    for month in ("2026-11", "2026-12"):
        first = pd.Timestamp(month)
        assert (shop.content["publish_at"].dt.strftime("%Y-%m") == month).sum() >= 15
        assert (
            (shop.campaigns["starts_on"] >= first) & (shop.campaigns["starts_on"] < first + pd.Timedelta(days=31))
        ).sum() >= 4
        assert set(shop.targets.loc[shop.targets["period"] == month, "metric"]) == {
            "net_sales",
            "orders_paid",
            "new_customers",
            "roas",
            "ad_spend",
        }
    assert shop.content["publish_at"].max() < last + pd.Timedelta(days=1)
    assert {"1111-2026", "1212-2026"} <= set(shop.promotions["promotion_id"])
    assert (shop.tasks["due_on"] >= end).sum() >= 15


def test_everything_refers_to_something(shop):
    known = set(shop.campaigns["campaign_id"])
    assert set(shop.content["campaign_id"].dropna()) <= known and set(shop.tasks["campaign_id"]) <= known
    spent = ad_spend(shop.world, claims(shop.world, shop.orders))
    assert set(spent["campaign_id"]) <= known
    products = set(shop.world.catalogue.products["product_id"])
    assert (
        set(shop.content["product_id"].dropna()) <= products and set(shop.promotions["product_id"].dropna()) <= products
    )
    assert set(shop.orders["promotion_id"].dropna()) <= set(shop.promotions["promotion_id"])
    assert set(" ".join(shop.tasks["after"].dropna()).split()) <= set(shop.tasks["task_id"])
    for name in ("campaigns", "targets", "content", "tasks", "risks"):
        assert shop.tables[name]["owner"].notna().all(), name
    assert set(shop.risks["kind"]) == {"law", "competition", "technology", "supply", "credit"}


def test_rules_say_what_orders_were_given(shop):
    rules = shop.promotions.set_index("promotion_id")["rule"]
    for p in shop.world.promotions.table.to_dict("records"):
        if p["promotion_id"] not in rules:
            assert p["begins"] > shop.world.calendar.n + 40
            continue
        words = rules[p["promotion_id"]].split()
        if words[0] == "full_reduction":
            least, off = map(float, words[1].split("-"))
            assert off / least == pytest.approx(p["depth"])
        elif words[0] == "discount":
            assert 1 - float(words[1]) == pytest.approx(p["depth"], abs=0.005)
        else:
            assert words == ["gift", "same", "1-1"] and p["depth"] == 0.5
        dates = shop.promotions.set_index("promotion_id").loc[p["promotion_id"]]
        assert dates["starts_at"] == ahead.date(shop.world, p["begins"]) and dates["ends_at"].normalize() == ahead.date(
            shop.world, p["ends"]
        )


def test_targets_ask_for_a_little_more_than_last_year(shop):
    total = (
        shop.targets[(shop.targets["metric"] == "orders_paid")]
        .drop_duplicates("period", keep="first")
        .set_index("period")["target"]
    )
    orders = shop.orders[shop.orders["paid_at"].notna()]
    came = orders.groupby(shop.world.calendar.days[orders["day"]].strftime("%Y-%m")).size()
    asked = pd.Series({m: total[m] / came[f"{int(m[:4]) - 1}{m[4:]}"] for m in total.index if m >= "2024-10"})
    assert len(asked) == 27 and asked.between(1.0, 1.21).all()
    net = shop.targets[shop.targets["metric"] == "net_sales"]
    one = net[net["period"] == "2026-11"]
    assert one["platform"].notna().sum() == 4 and one.loc[one["platform"].notna(), "target"].sum() == pytest.approx(
        one.loc[one["platform"].isna(), "target"].iloc[0], rel=0.1
    )
    again = shop.targets[shop.targets.duplicated(["metric", "period", "platform", "channel"], keep=False)]
    assert len(again) > 20  # targets that were changed


def test_the_counts_of_two_halves_may_lie_one_below_the_other(shop):
    half = len(shop.orders) // 2
    first = shop.lines["order"] < half
    a = plans.plan_counts(shop.world, shop.orders[:half], shop.lines[first])
    b = plans.plan_counts(shop.world, shop.orders[half:], shop.lines[~first])
    both = plans.plans(shop.world, pd.concat([a, b]))
    pd.testing.assert_frame_equal(both["targets"], shop.targets)
    pd.testing.assert_frame_equal(both["promotions"], shop.promotions)


def overlapping(a, b, begins, ends):
    return (a[begins] <= b[ends]) & (b[begins] <= a[ends])


def test_the_planted_clashes_are_there_and_no_others_like_them(shop):
    facts = {f["kind"]: f for f in shop.truths["clashes"]}
    coming = shop.campaigns[shop.campaigns["ends_on"] >= shop.world.calendar.end]
    words = coming["objective"].str.extract("人群：([^；]*)")[0]
    terms = coming["objective"].str.extract("关键词：(.*)")[0].fillna("").str.split()
    found = {"audience": set(), "keyword": set()}
    rows = list(zip(coming.to_dict("records"), words, terms, strict=True))
    for i, (a, who, asked) in enumerate(rows):
        for b, who_too, asked_too in rows[:i]:
            if a["channel"] != b["channel"] or not a["channel"] or not overlapping(a, b, "starts_on", "ends_on"):
                continue
            pair = frozenset((a["campaign_id"], b["campaign_id"]))
            if who == who_too:
                found["audience"].add(pair)
            if set(asked) & set(asked_too):
                found["keyword"].add(pair)
    assert found["audience"] == {frozenset(facts["audience"]["campaigns"])}
    assert found["keyword"] == {frozenset(facts["keyword"]["campaigns"])}
    price = shop.promotions[shop.promotions["product_id"] == facts["price"]["product"]]
    a, b = price.to_dict("records")
    assert {a["promotion_id"], b["promotion_id"]} == set(facts["price"]["promotions"])
    assert overlapping(a, b, "starts_at", "ends_at") and a["rule"] != b["rule"] and a["platform"] != b["platform"]
    # Nothing else lowers its price then.
    category = shop.world.catalogue.products.set_index("product_id").loc[facts["price"]["product"], "category"]
    others = shop.promotions[shop.promotions["product_id"].isna() & ~shop.promotions["kind"].isin(["coupon", "points"])]
    others = others[others["category"].isna() | (others["category"] == category)]
    assert not any(overlapping(o, p, "starts_at", "ends_at") for o in others.to_dict("records") for p in (a, b))


def test_the_calendar_has_one_gap_ahead(shop):
    gap = shop.truths["content_gap"]
    rows = shop.content[shop.content["channel"] == gap["channel"]].sort_values("publish_at")
    days = rows["publish_at"].dt.normalize()
    away = days.diff().dt.days
    assert (away > 4).sum() == 1 and away.max() >= 11
    hole = rows["publish_at"][(days >= gap["begins"]) & (days <= gap["ends"])]
    assert hole.empty and days[away.idxmax()] > pd.Timestamp(gap["ends"]) >= shop.world.calendar.end
    for channel in ("douyin", "wechat", "email"):
        others = shop.content.loc[shop.content["channel"] == channel, "publish_at"].sort_values().diff().dt.days.max()
        assert others <= 14


def test_offences_stand_in_the_texts_and_nothing_else_sounds_like_them(shop):
    rows = shop.content.set_index("content_id")
    told, fine = ({f["content_id"]: f["kind"] for f in shop.truths[k]} for k in ("offences", "innocent"))
    assert len(told) == len(OFFENCES) == 10 and len(fine) == 10 and not set(told) & set(fine)
    assert {"absolute", "efficacy", "reference_price", "price_mismatch", "prize"} == set(told.values())
    said = rows["title"] + rows["text"]
    bare = said.drop([*told, *fine])
    for word in ("最", "第一", "国家级", "顶级", "原价", "治", "疗", "抗炎", "万元", "见效"):
        assert not bare.str.contains(word).any(), word
    assert all("{" not in s for s in said)
    assert said[[c for c, k in told.items() if k == "absolute"]].str.contains("最|第一|国家级").all()
    ahead_ = rows.loc[list(told), "publish_at"] >= shop.world.calendar.end
    assert 2 <= ahead_.sum() <= 9
    goods, paths = shop.world.catalogue.products, shop.world.catalogue.price
    for c, kind in told.items():
        if kind == "reference_price":  # a price that was never asked
            price = float(said[c].split("原价")[1].split("元")[0].split("，")[0])
            j = goods.index[goods["product_id"] == rows.loc[c, "product_id"]][0]
            assert price * 100 > 1.2 * max(paths[j].max(), goods["list_price"][j])


def test_fragrance_is_not_rubbed_in(shop):
    scented = shop.world.catalogue.products.set_index("product_id")["category"].isin(["香薰蜡烛", "无火香薰"])
    rows = shop.content.dropna(subset="product_id")
    skin = rows["text"].str.contains("肤质|掌心|推近")
    assert skin.any() and not rows.loc[skin, "product_id"].map(scented).any()


def test_one_task_is_overdue_and_one_on_the_critical_path_is_late(shop):
    rows, end = shop.tasks.set_index("task_id"), shop.world.calendar.end
    undone = rows[(rows["due_on"] < end) & (rows["status"] != "done")]
    assert set(undone.index) == set(shop.truths["late_tasks"].values()) and len(undone) == 2
    assert (rows["done_on"].notna() == (rows["status"] == "done")).all()
    # The longest way through the tasks of the coming festival.
    mine = rows[rows["campaign_id"] == "fest-1111-2026"]
    days = (mine["due_on"] - mine["starts_on"]).dt.days + 1
    before = mine["after"].fillna("").str.split()
    earliest = {}

    def finish(task):
        if task not in earliest:
            earliest[task] = days[task] + max((finish(t) for t in before[task]), default=0)
        return earliest[task]

    at, path = max(mine.index, key=finish), []
    while True:
        path.insert(0, at)
        if not before[at]:
            break
        at = max(before[at], key=finish)
    assert path == shop.truths["critical_path"] and shop.truths["late_tasks"]["critical"] in path
    assert shop.truths["late_tasks"]["overdue"] not in path
    begins = mine["starts_on"]
    assert all(begins[t] > mine.loc[b, "due_on"] for t in mine.index for b in before[t])
    lacking = rows.index[rows["resources"].isna()]
    assert list(lacking) == [shop.truths["incomplete_task"]]
    # Nothing is under way whose forerunner is not done.
    doing = mine.index[mine["status"] == "doing"]
    assert all(mine.loc[b, "status"] == "done" for t in doing for b in before[t])


def test_search_words_follow_their_markets(shop):
    rows = shop.keywords
    volume = (
        rows[rows["platform"] == "tmall"].groupby(["keyword", rows["recorded_at"].dt.year])["volume"].mean().unstack()
    )
    assert (
        volume.loc["无火香薰", 2026] > 1.3 * volume.loc["无火香薰", 2024]
        and volume.loc["补水面膜", 2026] < 0.85 * volume.loc["补水面膜", 2024]
    )
    assert rows.groupby(["keyword", "platform"]).size().eq(37).all() and rows["rank"].between(1, 100).all()
    latest = rows[rows["recorded_at"] == rows["recorded_at"].max()].set_index(["keyword", "platform"])
    assert latest.loc[("露苔", "tmall"), "rank"] == 1 and latest["difficulty"].between(1, 99).all()


def test_assessments_are_whole_rounds_and_see_the_competitor_get_cheaper(shop):
    rows = shop.assessments
    assert (rows["score"].between(0, 10)).all() and rows["day"].nunique() == 6
    weights = rows.drop_duplicates(["day", "topic", "criterion"]).groupby(["day", "topic"])["weight"].sum()
    assert weights.to_numpy() == pytest.approx(1.0)
    assert (rows.groupby("topic")["assessor"].nunique() == 1).all()
    price = rows[(rows["subject"] == "栖木 Qimu") & (rows["criterion"] == "价格")].set_index("day")["score"]
    since = shop.world.calendar.days[shop.world.incidents.undercut]
    assert price[price.index >= since].mean() >= price[price.index < since].mean() + 0.5
    barred = rows[(rows["topic"] == "platforms") & (rows["score"] == 0)]
    assert set(barred["subject"]) == {"pinduoduo"} and barred["criterion"].str.startswith("必备").all()


def test_budgets_are_of_the_size_of_what_is_spent(shop):
    spent = shop.world.media.spend.sum()
    own = shop.campaigns[
        shop.campaigns["campaign_id"].str.fullmatch(
            r"(search|in_platform|short_video|xiaohongshu|live|crm|bilibili|display)-\d"
        )
    ]
    assert len(own) == 16 and 1.0 < own["budget"].sum() / spent < 1.15  # two more months
    planned = (
        shop.targets[(shop.targets["metric"] == "ad_spend") & (shop.targets["period"] == "2025-03")]
        .drop_duplicates("channel")["target"]
        .sum()
    )
    month = shop.world.calendar.days.strftime("%Y-%m") == "2025-03"
    assert planned * 100 == pytest.approx(shop.world.media.spend[:, month].sum(), rel=0.12)
    assert np.isfinite(shop.promotions["budget"].astype(float)).all() and (shop.promotions["budget"] > 0).all()
