"""The media mix and the budget against what is planted: returns in their intervals, and money that a plan really earns."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from grading import Grade, covered
from scipy import optimize

from playbook.data.demo.office import advertising, market
from playbook.data.demo.shoppers.demand import demand
from playbook.data.demo.shoppers.orders import make_orders
from playbook.data.demo.world import make_world
from playbook.data.demo.world.media import CHANNELS, saturation
from playbook.media import budget, mix
from playbook.media.mix.model import sample

pytestmark = pytest.mark.truth

SEEDS = range(1, 6)
MAIN = ["search", "in_platform", "short_video", "xiaohongshu", "live", "crm"]
KNOWN = {r.channel: (r.carry, r.half) for r in CHANNELS.itertuples()}
FROM, UNTIL = "2026-05", dt.date(2026, 11, 1)
CROWDS = 4


def weeks_of(world, block, until):
    """The weeks of a world as a shop sees them, from tables in yuan."""
    orders = block.tables["orders"].assign(
        amount=lambda t: t["amount"] / 100, discount=lambda t: t["discount"] / 100
    )[["order_id", "paid_at", "amount", "discount", "region"]]  # fmt: skip
    ads = advertising.ad_spend(world, block.counts["claims"])
    ads = ads.assign(spend=ads["spend"] / 100, conversion_value=ads["conversion_value"] / 100)
    tables = market.market(world, block.counts["market"])
    return mix.weekly(orders, ads, tables["prices"], tables["competitors"], until=until)


def true_returns(block, weeks):
    """Sales that were paid, of what a channel brought and what its new customers bought again soon, over spending."""
    tally = block.counts["tally"].query("what in ['direct', 'soon']").groupby("of")["money"].sum() / 100
    orders = block.tables["orders"]
    paid = orders["amount"][orders["paid_at"].notna()].sum() / orders["amount"].sum()
    return tally * paid / weeks.spend.sum()


def test_returns_lie_in_their_intervals_which_are_nearly_as_narrow_as_those_of_who_knows_the_shapes(planted, grades):
    rows, known = [], []
    for seed in SEEDS:
        world, block = planted(seed)
        weeks = weeks_of(world, block, UNTIL)
        truth = true_returns(block, weeks)
        for name, priors, into in (("own", None, rows), ("known", mix.Priors(fixed=KNOWN), known)):
            posterior = sample(weeks, priors, held_out=0)
            if name == "own":
                assert posterior.summary()["rhat"].max() < 1.05 and posterior.diverging < 12
            for channel, drawn in zip(posterior.channels, posterior.terms["roas"].T, strict=True):
                if channel in MAIN:
                    low, middle, high = np.quantile(drawn, [0.05, 0.5, 0.95])
                    into.append(
                        Grade(f"media mix, {name}", f"{seed} {channel}", truth[channel], middle, low, high, 0.9)
                    )
    grades.add(*rows, *known)
    hits, n = covered(rows)
    assert n == 30 and hits >= 24, f"{hits} of {n}"
    width, best = (np.median([(g.high - g.low) / g.truth for g in of]) for of in (rows, known))
    assert width <= 1.5 * best and width < 1.0, (width, best)


def earned(world, crowds=1):
    """What is left of paid sales after goods and advertising from `FROM` on, in yuan, of each crowd of people that may
    live in the world: by chance one buys more or less than another by about what a good plan moves."""
    first = np.flatnonzero(world.calendar.days.strftime("%Y-%m") == FROM)[0]
    out = []
    for crowd in range(crowds):
        orders, lines, _lost = make_orders(world, demand(world, crowd, world.scale))
        late = (orders["day"] >= first) & orders["paid_at"].notna()
        of = lines[late.to_numpy()[lines["order"].to_numpy()]]
        goods = (world.catalogue.products["unit_cost"].to_numpy()[of["product"]] * of["quantity"]).sum()
        out.append((orders["amount"][late].sum() - goods - world.media.spend[:, first:].sum()) / 100)
    return np.array(out)


def best_factors(world, value, total):
    """The factors on the budgets of channels that the truth says are best for a total, and what each channel needs."""
    first = np.flatnonzero(world.calendar.days.strftime("%Y-%m") == FROM)[0]
    spend = world.media.spend / 100
    at = [world.media.position(c) for c in value.index]

    def brought(factors):
        scaled = spend.copy()
        scaled[at, first:] *= np.asarray(factors)[:, None]
        return (saturation(scaled / world.scale) * world.media.ceiling)[at, first:].sum(axis=1)

    base, cost = brought(np.ones(len(at))), spend[at, first:].sum(axis=1)
    found = optimize.minimize(
        lambda f: -float((value * brought(f) / base).sum()) / 1e4, np.ones(len(at)), bounds=[(0, 6)] * len(at),
        constraints={"type": "eq", "fun": lambda f: (f @ cost - total) / total},
    )  # fmt: skip
    return found.x


def paced(posterior, spend, first):
    """The curves under the flights that are intended for the days ahead, of which the plan is a factor."""
    off, weeks = first % 7, (spend.shape[1] - first) // 7
    by_week = spend[:, off : off + (spend.shape[1] - off) // 7 * 7].reshape(len(spend), -1, 7).sum(axis=2).T
    flights = mix.rhythm(by_week, np.median(posterior.terms["carry"], axis=0), weeks)
    return replace(posterior.curves, rhythm=flights)


@pytest.fixture(scope="module")
def runs(planted, tmp_path_factory):
    """Of each seed, what the plan promises beyond today's split, what came of it (the mean of several crowds), and what
    part it is of the most that could be earned beyond no advertising."""
    out = []
    for seed in SEEDS:
        world, block = planted(seed)
        until = dt.date.fromisoformat(f"{FROM}-01")
        posterior = sample(weeks_of(world, block, until), held_out=0)
        first = np.flatnonzero(world.calendar.days.strftime("%Y-%m") == FROM)[0]
        months = budget.months_after(until, 6)
        days = sum(m.days for m in months)
        own = [world.media.position(c) for c in posterior.channels]
        ahead = pd.Series(world.media.spend[own, first:].sum(axis=1) / 100, posterior.channels)
        orders, lines = block.tables["orders"], block.tables["order_items"]
        goods = (world.catalogue.products["unit_cost"].to_numpy()[lines["product"]] * lines["quantity"]).sum()
        left = 1 - goods / orders["amount"].sum()
        spent = pd.DataFrame({"channel": ahead.index, "activity": "", "spend": ahead * budget.LATELY_DAYS / days})
        made = budget.plan(
            spent, paced(posterior, world.media.spend[own], first), worth=dict.fromkeys(ahead.index, left),
            months=months, wish=budget.Wish(total=float(ahead.sum()), reserve=0.0),
        )  # fmt: skip
        plan = {c: after / before for c, before, after in zip(made.channels, made.before, made.after, strict=True)}
        tally = block.counts["tally"].query("what in ['direct', 'soon']")
        late = tally[tally["month"] >= world.calendar.month[first]].groupby("of")["money"].sum()[ahead.index]
        best = dict(zip(ahead.index, best_factors(world, late, float(ahead.sum())), strict=True))
        low, middle, high = np.quantile(budget.gain(made)[0], [0.1, 0.5, 0.9])
        left_by = {"today": earned(world, CROWDS)}
        for name, factors in (("none", dict.fromkeys(KNOWN, 0.0)), ("plan", plan), ("best", best)):
            path = tmp_path_factory.mktemp("policy") / f"{name}.toml"
            said = "\n".join(f"{c} = {f:.6f}" for c, f in factors.items())
            path.write_text(f'from = "{FROM}"\n[budgets]\n{said}\n', encoding="utf-8")
            other = make_world(scale=1.0, seed=seed, until="2026-10", policy=path)
            left_by[name] = earned(other, CROWDS if name == "plan" else 1)
        of_best = (left_by["plan"] - left_by["none"])[0] / (left_by["best"] - left_by["none"])[0]
        came = (left_by["plan"] - left_by["today"]).mean()
        out.append({"seed": seed, "low": low, "promised": middle, "high": high, "came": came, "of_best": of_best})
    return pd.DataFrame(out).set_index("seed")


def test_the_plan_earns_more_than_todays_split_and_most_of_what_could_be_earned(runs, grades):
    grades.add(*(Grade("budget: part of the best gain", str(s), 1.0, g) for s, g in runs["of_best"].items()))
    assert (runs["came"] > 0).sum() >= 4, runs
    assert runs["of_best"].mean() >= 0.7, runs


def test_what_a_plan_promises_is_kept_as_far_as_the_page_says(runs, grades):
    rows = [
        Grade("budget: promised gain", str(s), r["came"], r["promised"], r["low"], r["high"], 0.8)
        for s, r in runs.iterrows()
    ]
    grades.add(*rows)
    assert covered(rows)[0] >= 3, runs
    assert runs["came"].sum() / runs["promised"].sum() >= budget.KEPT, runs
