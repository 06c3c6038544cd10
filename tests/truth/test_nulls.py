"""Ten thousand experiments without any effect, of each kind: at most 5.45 % may find one at 5 %."""

import numpy as np
import pytest
from grading import allowed
from tea_tasting.aggr import Aggregates

from playbook.methods import testing
from playbook.methods.testing import Metric

pytestmark = pytest.mark.truth

RUNS = 10_000


def sums(columns):
    """What `totals` would say of an arm."""
    names, values = list(columns), np.atleast_2d(np.cov(np.vstack(list(columns.values())).astype(float)))
    pairs = {(a, b): float(values[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
    means = {n: float(np.mean(columns[n])) for n in names}
    return Aggregates(len(columns[names[0]]), means, {n: float(values[i, i]) for i, n in enumerate(names)}, pairs)


def conversions(rng):
    return {"p": (rng.random(400) < 0.12).astype(float)}


def order_values(rng):
    """As at cdnow: p 6.25, q 3.74, γ 15.44 of the gamma-gamma law, and only sixty buyers an arm."""
    return {"v": rng.gamma(6.25, 1 / rng.gamma(3.74, 1 / 15.44, 60))}


def orders_of_users(rng):
    """Sales and orders of a hundred users an arm: orders of a user resemble each other."""
    orders = 1 + rng.negative_binomial(0.6, 0.35, 100)
    return {"s": rng.lognormal(3.4, 0.5, 100) * orders, "o": orders}


@pytest.mark.parametrize(
    ("seed", "metric", "arm"),
    [
        (61, Metric("order value", "v", kind="mean"), order_values),
        (62, Metric("sales an order", "s", kind="ratio", per="o"), orders_of_users),
        (63, Metric("conversion", "p"), conversions),
    ],
    ids=["Welch", "ratio by user", "proportion"],
)
def test_null_experiments_are_rejected_as_rarely_as_promised(seed, metric, arm):
    rng = np.random.default_rng(seed)
    hits = sum(
        testing.compare({"control": sums(arm(rng)), "treatment": sums(arm(rng))}, [metric])["p"].iloc[0] < 0.05
        for _run in range(RUNS)
    )
    assert hits / RUNS <= 0.0545, f"{hits} of {RUNS}"
    assert hits <= allowed(RUNS, 0.05)[1]
