"""What could be had at best: methods that are told what no shop knows. Later methods are graded beside them."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from grading import Grade, allowed, covered
from patsy import dmatrix
from scipy import stats
from sklearn.metrics import adjusted_rand_score

from playbook.data.demo.world.calendar import FESTIVALS, SPRING_FESTIVALS
from playbook.data.demo.world.media import CHANNELS, saturation
from playbook.data.demo.world.people import PERSONAS, PLATFORMS

pytestmark = pytest.mark.truth

SEEDS = range(1, 9)
MAIN = ["search", "in_platform", "short_video", "xiaohongshu", "live"]


def quiet_weeks(world):
    """Positions of days by week, and which weeks touch no festival."""
    days = world.calendar.days
    week = np.arange(len(days)) // 7
    number = days.month * 100 + days.day
    loud = np.zeros(len(days), dtype=bool)
    for _name, first, last, _level in FESTIVALS:
        loud |= (number >= first) & (number <= last)
    for new_year in SPRING_FESTIVALS:
        away = (days - new_year).days
        loud |= (away >= -24) & (away <= 11)
    whole = len(days) // 7
    quiet = ~pd.Series(loud).groupby(week).any().to_numpy()[:whole]
    return week, whole, quiet


def media_mix(world, block):
    """Return on spending with an interval by channel: least squares on quiet weeks, shapes of the channels known."""
    week, whole, quiet = quiet_weeks(world)
    orders = block.tables["orders"].query("fraud == ''")
    sales = np.bincount(orders["day"], orders["amount"] / 100, world.calendar.n)
    choice = world.choice.mean(axis=(0, 1))[:, None]
    # Whoever advertising brings buys as readily as prices and offers of the day make everybody.
    pull = (choice * world.pull).sum(axis=0)
    reach = saturation(world.media.spend / 100 / world.scale) * CHANNELS["ceiling"].to_numpy()[:, None] * pull
    price = (choice * np.log(world.catalogue.price / world.catalogue.price.mean(axis=1, keepdims=True))).sum(axis=0)
    offers = (choice * world.depth).sum(axis=0)
    columns = {c: reach[i] for i, c in enumerate(CHANNELS["channel"])} | {"price": price, "offers": offers, "y": sales}
    weekly = pd.DataFrame(columns).groupby(week).sum().iloc[:whole]
    t = np.arange(whole)
    for k in (1, 2):
        weekly[f"sin{k}"], weekly[f"cos{k}"] = np.sin(2 * np.pi * k * t / 52.18), np.cos(2 * np.pi * k * t / 52.18)
    # What grows, wanes and recovers without advertising: a natural spline of eight degrees of freedom.
    base = np.asarray(dmatrix("cr(t, df=8) - 1", {"t": t}))[:, 1:]
    weekly[[f"t{k}" for k in range(base.shape[1])]] = base
    level = weekly["y"].rolling(13, center=True, min_periods=4).median()
    used = weekly[quiet]
    x = sm.add_constant(used.drop(columns="y"))
    fit = sm.WLS(used["y"], x, weights=1 / level[quiet] ** 2).fit()
    spend = world.media.spend.sum(axis=1) / 100
    each = weekly[CHANNELS["channel"]].sum() / pd.Series(spend, CHANNELS["channel"])
    interval = fit.conf_int(0.1)
    return {c: (fit.params[c] * each[c], *(interval.loc[c] * each[c])) for c in MAIN}


def test_media_mix_with_known_shapes_covers_the_true_returns(planted, grades):
    rows = []
    for seed in SEEDS:
        world, block = planted(seed)
        # What new customers buy again within the same weeks moves with the spending as the first orders do.
        direct = block.counts["tally"].query("what in ['direct', 'soon']").groupby("of")["money"].sum() / 100
        spend = pd.Series(world.media.spend.sum(axis=1) / 100, CHANNELS["channel"])
        for channel, (estimate, low, high) in media_mix(world, block).items():
            truth = direct[channel] / spend[channel]
            rows.append(Grade("media mix, shapes known", f"{seed} {channel}", truth, estimate, low, high, 0.9))
    grades.add(*rows)
    hits, n = covered(rows)
    fewest, _most = allowed(n, 0.9)
    assert hits >= fewest, f"{hits} of {n}"
    # The spending is not collinear: on its own data, nearly every channel can be told from one that brings nothing.
    assert np.mean([g.low > 0 for g in rows]) > 0.7
    assert np.median([(g.high - g.low) / g.truth for g in rows]) < 1.2


def elasticities(world, block, products):
    """Own-price elasticity with an interval by product: Poisson regression with everything but the price known."""
    lines = block.tables["order_items"].merge(
        block.tables["orders"][["platform", "order_id", "day", "fraud"]], on=["platform", "order_id"]
    )
    lines = lines[lines["fraud"] == ""]
    units = np.zeros((len(world.catalogue.products), world.calendar.n))
    np.add.at(units, (lines["product"], lines["day"]), 1)
    others = units.sum(axis=0)
    out = {}
    for j in products:
        own = np.log(world.catalogue.price[j] / world.catalogue.products["list_price"].iloc[j])
        rest = world.pull[j] / np.exp(own * world.catalogue.products["elasticity"].iloc[j])
        share = world.choice.mean(axis=0)[world.calendar.month, j]
        there = world.in_stock[j] & (others - units[j] > 0)
        offset = np.log((rest * share * np.maximum(others - units[j], 1))[there])
        x = sm.add_constant(np.column_stack([own, np.linspace(-1, 1, world.calendar.n)])[there])
        # Whoever always buys the product buys it again and again: days within six weeks are one cluster.
        blocks = (np.arange(world.calendar.n) // 42)[there]
        fit = sm.GLM(units[j][there], x, family=sm.families.Poisson(), offset=offset).fit(
            cov_type="cluster", cov_kwds={"groups": blocks}
        )
        half = stats.t.ppf(0.95, len(np.unique(blocks)) - 1) * fit.bse[1]
        out[j] = (fit.params[1], fit.params[1] - half, fit.params[1] + half)
    return out


def test_elasticities_with_all_else_known_cover_the_true_ones(planted, grades):
    rows = []
    for seed in list(SEEDS)[:4]:
        world, block = planted(seed)
        stars = np.flatnonzero(world.catalogue.products["role"].isin(["star", "traffic"]))
        for j, (estimate, low, high) in elasticities(world, block, stars).items():
            truth = world.catalogue.products["elasticity"].iloc[j]
            rows.append(Grade("elasticity, all else known", f"{seed} {j}", truth, estimate, low, high, 0.9))
    grades.add(*rows)
    hits, n = covered(rows)
    fewest, _most = allowed(n, 0.9)
    assert n >= 60
    assert hits >= fewest, f"{hits} of {n}"


def persona_posterior(world, block):
    """The likeliest persona of each customer, by everything that is true of personas, and who has three orders."""
    orders = block.tables["orders"].query("fraud == ''")
    lines = block.tables["order_items"].merge(
        orders[["platform", "order_id", "person", "day"]], on=["platform", "order_id"], how="inner"
    )
    number = orders.groupby("person").size()
    people = number[number >= 3].index
    index = pd.Series(range(len(people)), index=people)
    score = np.tile(np.log([p.share for p in PERSONAS]), (len(people), 1))
    mine = lines[lines["person"].isin(people)]
    # A basket shows a taste, but what she always buys shows it only once.
    mine = mine.drop_duplicates(["person", "product"])
    taste = np.log(world.choice[:, world.calendar.month[mine["day"]], mine["product"]].T)
    np.add.at(score, index[mine["person"]].to_numpy(), taste)
    known = block.about_people.merge(block.tables["customers"], on=["platform", "customer_id"])
    known = known[known["person"].isin(people)].drop_duplicates("person").set_index("person").loc[people]
    born = known["birth_year"].astype(float).to_numpy()
    tier = known["city_tier"].map({t: i for i, t in enumerate(("tier1", "tier2", "tier3", "rural"))}).to_numpy()
    main = orders.groupby("person")["platform_at"].agg(lambda s: s.mode().iloc[0]).loc[people].to_numpy()
    for k, p in enumerate(PERSONAS):
        age = -0.5 * ((born - p.birth[0]) / p.birth[1]) ** 2 - np.log(p.birth[1])
        score[:, k] += np.where(np.isnan(age), 0, age) + np.log(p.tiers)[tier] + np.log(p.platforms)[main]
        female = known["gender"].map({"female": p.female, "male": 1 - p.female}).fillna(1.0)
        score[:, k] += np.log(female.astype(float).to_numpy())
    assert len(PLATFORMS) == 4
    truth = known["persona"].map({p.name: k for k, p in enumerate(PERSONAS)}).to_numpy()
    return score.argmax(axis=1), truth


def test_personas_can_be_told_apart_by_who_knows_them(planted, grades):
    for seed in (1, 2, 3):
        world, block = planted(seed)
        guess, truth = persona_posterior(world, block)
        index = adjusted_rand_score(truth, guess)
        grades.add(Grade("personas, parameters known (ARI)", str(seed), 1.0, index, oracle=index))
        assert index > 0.75
