"""Stories of the media mix: weeks by hand, the formula against PyMC-Marketing's, and what is kept is not fitted again."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from playbook.media import mix
from playbook.media.mix import model
from playbook.media.mix.density import log_density
from playbook.media.mix.design import LAGS, Design, kernel
from playbook.media.mix.kept import LEAST_HISTORY
from playbook.media.mix.lift import lift_tests
from playbook.media.mix.posterior import Curves, Posterior
from playbook.missing import Missing

MONDAY = dt.date(2025, 1, 6)


def made(n=100, seed=1, **more):
    """Weeks of two channels whose spending comes and goes, and a control."""
    rng = np.random.default_rng(seed)
    index = pd.date_range(MONDAY, periods=n, freq="W-MON", name="week")
    frame = pd.DataFrame(
        {"tv": rng.choice([0.0, 500.0, 1500.0], n), "radio": rng.choice([0.0, 200.0], n), "rain": rng.normal(size=n)},
        index,
    )
    brought = 2000 * np.tanh(frame["tv"] / 2000) + 1.5 * frame["radio"]
    frame["sales"] = (10_000 + brought) * np.exp(rng.normal(0, 0.03, n) + 0.05 * frame["rain"])
    return mix.weeks_from(frame, sales="sales", spend=["tv", "radio"], controls=["rain"], **more)


def drawn(weeks, n=20, seed=2):
    """A handmade posterior: draws about nothing in particular."""
    design = Design(weeks)
    rng = np.random.default_rng(seed)
    parts = [rng.normal(0, 0.3, (2, n, design.size)) for _part in range(2)]
    return Posterior(design, parts[0], parts[1], 0, 8)


@pytest.fixture
def no_sampling(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr("playbook.media.mix.kept.sample", refuse)


def orders_of(days, amount, region="A"):
    at = pd.to_datetime(pd.Series(days)) + pd.Timedelta(hours=12)
    return pd.DataFrame({"order_id": range(len(days)), "paid_at": at, "amount": amount, "region": region})


def ads_of(days, spend, channel="tv", level="campaign", **more):
    rows = {"day": pd.to_datetime(pd.Series(days)).dt.date, "platform": "p", "level": level, "channel": channel}
    return pd.DataFrame(rows | {"spend": spend} | more)


def test_weeks_count_paid_orders_from_the_first_whole_week_and_one_level_of_advertising():
    days = pd.date_range("2025-01-08", "2025-01-28", freq="D")  # from a Wednesday on
    orders = orders_of(days, 10.0)
    orders.loc[7, "paid_at"] = pd.NaT  # 15 January was never paid
    ads = pd.concat([ads_of(days, 5.0, conversion_value=8.0), ads_of(days, 5.0, level="keyword", conversion_value=8.0)])
    weeks = mix.weekly(orders, ads, until=dt.date(2025, 1, 29))
    assert list(weeks.sales.index.date) == [dt.date(2025, 1, 13), dt.date(2025, 1, 20)]
    assert weeks.sales.tolist() == [60.0, 70.0] and weeks.spend["tv"].tolist() == [35.0, 35.0]
    assert weeks.claimed["tv"].tolist() == [56.0, 56.0] and len(weeks.notes) == 2
    assert weeks.festive["spring_festival before"].tolist() == [pytest.approx(7 / 7), pytest.approx(3 / 7)]


def test_a_shop_without_advertising_or_with_a_short_past_is_told_what_lacks(no_sampling):
    gone = mix.weekly(orders_of(["2025-01-08"], 1.0), Missing("ad_spend"), until=dt.date(2025, 2, 1))
    assert isinstance(gone, Missing) and isinstance(mix.fit(gone), Missing)
    short = mix.fit(made(LEAST_HISTORY - 1))
    assert isinstance(short, Missing) and str(LEAST_HISTORY) in short.needs()
    seldom = made()
    seldom = mix.Weeks(seldom.sales, seldom.spend * 0, seldom.claimed, seldom.controls, seldom.festive)
    assert isinstance(mix.fit(seldom), Missing) and isinstance(mix.check(mix.fit(seldom)), Missing)


def test_a_channel_held_off_some_regions_is_a_test_and_its_lift_is_the_regions_loss():
    index = pd.date_range(MONDAY, periods=40, freq="W-MON")
    days = pd.date_range(index[0], index[-1] + pd.Timedelta(days=6))
    begins, ends = index[30], index[33] + pd.Timedelta(days=6)
    rng = np.random.default_rng(3)
    orders, ads = [], []
    for k, region in enumerate("ABCDEFGH"):
        held = (days >= begins) & (days <= ends) & (k < 3)
        amount = 100 * np.exp(rng.normal(0, 0.05, len(days))) * np.where(held, 0.8, 1.0)
        orders.append(orders_of(days, amount, region))
        ads.append(ads_of(days[~held], 5.0, region=region))
    found = lift_tests(pd.concat(orders), pd.concat(ads), index)
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["channel"], row["first"], row["last"], row["regions"]) == ("tv", 30, 33, 3)
    assert row["held"] == pytest.approx(3 / 8, abs=0.01) and row["lift"] == pytest.approx(np.log(0.8), abs=0.03)
    assert 0 < row["error"] < 0.02
    assert lift_tests(pd.concat(orders), pd.concat(ads).drop(columns="region"), index).empty


def with_lift(weeks):
    row = {"channel": "tv", "first": 40, "last": 43, "regions": 3, "held": 0.3, "lift": -0.1, "error": 0.05}
    return mix.Weeks(
        weeks.sales, weeks.spend, weeks.claimed + 0.8 * weeks.spend, weeks.controls, weeks.festive, pd.DataFrame([row])
    )


def test_the_gradient_is_that_of_the_density():
    weeks = with_lift(made(90, festive=True))
    for priors in (mix.Priors(), mix.Priors(fixed={"tv": (0.3, 700.0), "radio": (0.1, 300.0)})):
        design = Design(weeks, priors)
        x = np.random.default_rng(4).normal(0, 0.7, design.size)
        seen = (np.arange(design.n) < 82).astype(float)
        gradient = log_density(design, x, seen)[1]
        for i, e in enumerate(np.eye(design.size) * 1e-6):
            slope = (log_density(design, x + e, seen)[0] - log_density(design, x - e, seen)[0]) / 2e-6
            assert gradient[i] == pytest.approx(slope, rel=1e-4, abs=1e-4), i


def test_a_held_out_week_says_nothing():
    weeks = made(90)
    design, other = Design(weeks), Design(mix.Weeks(weeks.sales.mask(weeks.sales.index == weeks.sales.index[-1], 9e4),
                                                    weeks.spend, weeks.claimed, weeks.controls, weeks.festive))  # fmt: skip
    other.__dict__["mean"] = design.mean  # both count in the same unit
    x, seen = np.full(design.size, 0.1), (np.arange(design.n) < 89).astype(float)
    assert log_density(design, x, seen)[0] == pytest.approx(log_density(other, x, seen)[0])
    assert log_density(design, x, seen * 0 + 1)[0] != pytest.approx(log_density(other, x, seen * 0 + 1)[0])


def test_carry_over_sums_to_one_and_a_steady_spending_is_its_own_adstock():
    weight = kernel(np.array([0.5, 1e-9]))
    assert weight.sum(axis=1) == pytest.approx([1, 1]) and weight[0, 1] / weight[0, 0] == pytest.approx(0.5)
    posterior = drawn(made())
    curve = posterior.curves
    steady = np.array([[400.0, 100.0]])
    assert curve.sales(np.zeros(2)) == pytest.approx(0.0)
    step = (curve.sales(steady + 1e-3) - curve.sales(steady - 1e-3)) / 2e-3
    assert curve.marginal(steady) == pytest.approx(step, rel=1e-5)
    assert LAGS == 8 and (curve.marginal(steady) > curve.marginal(2 * steady)).all()


def test_what_channels_brought_is_their_return_times_what_was_spent():
    posterior = drawn(made())
    t, spend = posterior.terms, posterior.design.spend.sum(axis=0)
    assert t["added"].sum(axis=1) / spend == pytest.approx(t["roas"])
    of = mix.returns(posterior, {"tv": 0.5, "radio": 0.5})
    assert list(of["channel"]) == ["tv", "radio"] and (of["roas_low"] < of["roas"]).all()
    assert of["sales"].to_numpy() == pytest.approx((of["roas"] * of["spend"]).to_numpy())
    assert of["claimed_roas"].isna().all() and of["over_claim"].isna().all()
    parts = mix.contributions(posterior)
    assert list(parts.columns) == ["week", "base", "tv", "radio"] and len(parts) == 100


def test_the_check_fails_chains_that_disagree_and_weeks_that_were_not_foreseen():
    weeks = made()
    good = drawn(weeks)
    apart = Posterior(good.design, good.drawn + np.array([0, 3.0])[:, None, None], good.ahead, 0, 8)
    checked = mix.check(apart)
    result = checked.table.set_index("check")["result"]
    assert checked.verdict == "FAIL" and result["rhat"] == "FAIL" and result["divergences"] == "PASS"
    assert any("rhat" in r for r in checked.reasons)
    lost = mix.check(Posterior(good.design, good.drawn, good.ahead, 30, 8)).table.set_index("check")["result"]
    assert lost["divergences"] == "FAIL"
    jumped = mix.Weeks(
        weeks.sales.where(np.arange(100) < 92, 5 * weeks.sales), weeks.spend, weeks.claimed, weeks.controls,
        weeks.festive,
    )  # fmt: skip
    ahead = mix.check(Posterior(Design(jumped), good.drawn, good.ahead, 0, 8)).table.set_index("check")["result"]
    assert ahead["weeks_ahead_inside"] == "FAIL"
    said = mix.findings(mix.returns(apart), checked)
    assert len(said) == 1 and "no budget rests on it" in said[0].text


def test_a_platform_that_claims_beyond_the_interval_is_named():
    weeks = with_lift(made())
    posterior = drawn(weeks)
    of = mix.returns(posterior)
    over = mix.Weeks(weeks.sales, weeks.spend, 9 * weeks.spend, weeks.controls, weeks.festive)
    claimed = mix.returns(
        Posterior(Design(over, mix.Priors(over_claim=(9.0, 0.1))), posterior.drawn[..., :], posterior.ahead, 0, 8)
    )
    checked = mix.Check("PASS", pd.DataFrame(), ())
    assert mix.findings(of, checked) == []
    said = mix.findings(claimed, checked)
    assert len(said) == 2 and "claims 9.00" in said[0].text and said[0].stake > 0
    assert mix.lifts(posterior)["lift"].iloc[0] == pytest.approx(np.exp(-0.1) - 1)


def test_a_kept_posterior_is_read_and_another_week_prior_or_seed_asks_for_another(tmp_path, monkeypatch, no_sampling):
    weeks = made()
    made_ = drawn(weeks)
    monkeypatch.setattr("playbook.media.mix.kept.sample", lambda *a, **k: made_)
    first = mix.fit(weeks, kept=tmp_path)
    (path,) = tmp_path.iterdir()

    def refuse(*args, **kwargs):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr("playbook.media.mix.kept.sample", refuse)
    again = mix.fit(made(), kept=tmp_path, when="never")
    assert path.suffix == ".npz" and (again.drawn == first.drawn).all() and again.held_out == first.held_out
    changed = mix.Weeks(weeks.sales + 1, weeks.spend, weeks.claimed, weeks.controls, weeks.festive)
    for other in (
        dict(weeks=changed),
        dict(weeks=weeks, seed=2),
        dict(weeks=weeks, priors=mix.Priors(next_unit=(2.0, 1.0))),
    ):
        assert isinstance(mix.fit(**other, kept=tmp_path, when="never"), Missing)
        with pytest.raises(AssertionError, match="was fitted"):
            mix.fit(**other, kept=tmp_path)
    with pytest.raises(AssertionError, match="was fitted"):
        mix.fit(weeks, kept=tmp_path, when="always")
    with pytest.raises(ValueError, match="never or always"):
        mix.fit(weeks, when="sometimes")


def test_pictures_draw_the_numbers():
    posterior = drawn(with_lift(made()))
    of = mix.returns(posterior)
    ax = mix.plot_returns(of)
    points = {round(float(x), 6) for line in ax.lines for x in np.atleast_1d(line.get_xdata())}
    assert {round(float(x), 6) for x in [*of["roas"], *of["claimed_roas"]]} <= points
    curve = mix.plot_curves(posterior)
    now = posterior.design.spend[-13:, 0].mean()
    assert curve.lines[1].get_xdata()[0] == pytest.approx(now)
    stack = mix.plot_contributions(mix.contributions(posterior))
    assert len(stack.collections) == 3
    plt.close("all")


@pytest.mark.truth
def test_the_formula_is_that_of_pymc_marketing():
    """Adstock and saturation of a handmade draw, beside the library's own functions."""
    import pytensor.xtensor as ptx
    from pymc_marketing.mmm.transformers import geometric_adstock, logistic_saturation

    design = Design(made(60))
    x = np.random.default_rng(5).normal(0, 0.7, design.size)
    t = design.terms(x)
    spend = ptx.as_xtensor(design.spend / design.usual, dims=("week", "channel"))
    carry, steep = (ptx.as_xtensor(t[name], dims=("channel",)) for name in ("carry", "steep"))
    held = geometric_adstock(spend, carry, l_max=LAGS, normalize=True, dim="week")
    reached = logistic_saturation(held, steep).transpose("week", "channel").values.eval()
    assert t["reached"][: design.n] == pytest.approx(reached)


@pytest.mark.truth
def test_the_sampler_finds_two_channels_and_equal_seeds_give_equal_draws():
    weeks = made(120)
    first, again = (model.sample(weeks, draws=150, tune=200, seed=3, held_out=0) for _time in range(2))
    assert (first.drawn == again.drawn).all()
    assert Curves(("a",), np.ones((1, 1)), np.ones((1, 1))).only(["a"]).channels == ("a",)
    low, high = np.quantile(first.terms["roas"], [0.001, 0.999], axis=0)
    truth = 2000 * np.tanh(weeks.spend["tv"] / 2000).sum() / weeks.spend["tv"].sum(), 1.5
    at = [first.channels.index(c) for c in ("tv", "radio")]
    assert all(low[i] <= r <= high[i] for i, r in zip(at, truth, strict=True))
