"""Public media mixes through the same code: Robyn's simulated weeks, and PyMC-Marketing's example."""

import numpy as np
import pandas as pd
import pytest

from playbook.media import budget, mix
from playbook.media.mix.model import sample

pytestmark = pytest.mark.truth


@pytest.fixture(scope="module")
def robyn(real_data):
    frame = pd.read_csv(real_data / "mmm_robyn" / "dt_simulated_weekly.csv", parse_dates=["DATE"], index_col="DATE")
    frame["event"] = (frame["events"] != "na").astype(float)
    media = ["tv_S", "ooh_S", "print_S", "search_S", "facebook_S"]
    return mix.weeks_from(frame, sales="revenue", spend=media, controls=["competitor_sales_B", "event"])


@pytest.fixture(scope="module")
def example(real_data):
    frame = pd.read_csv(real_data / "mmm_example" / "mmm_example.csv", index_col="date_week")
    frame.index = pd.to_datetime(frame.index, format="%m/%d/%Y")
    return mix.weeks_from(frame, sales="y", spend=["x1", "x2"], controls=["event_1", "event_2"])


def test_robyns_weeks_are_read_fitted_and_budgeted(robyn):
    assert (
        len(robyn.sales) == 208
        and len(robyn.channels) == 5
        and robyn.sales.iloc[0] == pytest.approx(2754371.67, abs=0.01)
    )
    posterior = sample(robyn, draws=200, tune=300)
    of = mix.returns(posterior, dict.fromkeys(robyn.channels, 0.5))
    assert (of["roas_low"] > 0).all() and of["sales"].sum() < robyn.sales.sum()
    assert mix.check(posterior).table.set_index("check").loc["weeks_inside", "result"] == "PASS"
    spent = pd.DataFrame(
        {"channel": robyn.channels, "activity": "", "spend": robyn.spend[robyn.channels].tail(13).sum().to_numpy()}
    )
    made = budget.plan(
        spent, posterior.curves, worth=dict.fromkeys(robyn.channels, 0.5),
        months=budget.months_after(robyn.sales.index[-1].date(), 3),
    )  # fmt: skip
    assert sum(made.after) + made.reserve == made.total and (budget.gain(made)[0] > 0).mean() > 0.5


def test_the_examples_first_channel_adds_more_and_its_effect_lasts(example):
    """x1 and x2 were made with weights 3.5 and 2 and carry-over 0.4 and 0.2 (the library's example notebook)."""
    assert (len(example.sales) == 179 and example.channels == ["x2", "x1"]) or example.channels == ["x1", "x2"]
    posterior = sample(example, draws=300, tune=400)
    at = [posterior.channels.index(c) for c in ("x1", "x2")]
    added = np.median(posterior.terms["added"].sum(axis=1), axis=0)[at]
    assert added[0] > added[1] > 0
    low, high = np.quantile(posterior.terms["carry"][:, at], [0.01, 0.99], axis=0)
    assert low[0] <= 0.4 <= high[0] and low[1] <= 0.2 <= high[1]
