"""CDNOW: the published estimates of Fader, Hardie and Lee, and the hold-out of all its customers."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from playbook.customers import value

CUT, END = (
    dt.date(1997, 10, 1),
    dt.date(1998, 7, 1),
)  # the calibration ends with September 1997, the data with June 1998


def days_of(rows):
    rows = rows.assign(day=pd.to_datetime(rows["day"], format="%Y%m%d").dt.date)
    per = rows.groupby(["person_id", "day"], as_index=False)["amount"].sum()
    return per.assign(orders=1)


@pytest.fixture(scope="module")
def sample(real_data):
    names = ["master", "person_id", "day", "units", "amount"]
    return days_of(
        pd.read_csv(
            real_data / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", names=names, dtype={"day": str, "person_id": str}
        )
    )


@pytest.fixture(scope="module")
def master(real_data):
    names = ["person_id", "day", "units", "amount"]
    rows = pd.read_csv(real_data / "cdnow" / "CDNOW_master.txt.gz", sep=r"\s+", names=names, header=0, dtype=str)
    rows = rows[pd.to_numeric(rows["amount"], errors="coerce").notna()]
    rows = rows.assign(amount=rows["amount"].astype(float), day=pd.to_datetime(rows["day"]).dt.strftime("%Y%m%d"))
    return days_of(rows)


def test_the_sample_gives_the_published_estimates(sample):
    table = value.histories(sample, CUT)
    cells = value.cells(table, whole_weeks=False)
    assert cells["n"].sum() == 2357
    model = value.fit_purchases(cells)
    assert model.loglik == pytest.approx(-9582.43, abs=0.1)
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert model.parameters() == pytest.approx(published, rel=0.02)
    assert model.parameters() == pytest.approx({"r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258}, rel=0.001)


def test_the_spending_of_the_sample_gives_the_published_estimates(sample):
    frame = value.histories(sample, CUT).to_pandas()
    back = frame[frame["frequency"] > 0]
    assert len(back) == 946
    exact = value.fit_spend(back)
    assert exact.parameters() == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, rel=0.02)
    binned = value.fit_spend(value.spend_cells(value.histories(sample, CUT)))
    assert binned.parameters() == pytest.approx(exact.parameters(), rel=0.01)


def test_whole_weeks_change_little(sample):
    exact = value.fit_purchases(value.cells(value.histories(sample, CUT), whole_weeks=False))
    rounded = value.fit_purchases(value.cells(value.histories(sample, CUT)))
    assert rounded.parameters() == pytest.approx(exact.parameters(), rel=0.03)


def lifetimes(frame, weeks):
    """The estimator of the package lifetimes, from its own formulas: rows in place of cells, no gradient, 2F1 as it is."""
    x, tx, age = (frame[c].to_numpy(float) for c in ("frequency", "recency", "T"))

    def loss(log):
        r, alpha, a, b = np.exp(log)
        g = special.gammaln
        one = g(r + x) - g(r) + r * np.log(alpha)
        two = g(a + b) + g(b + x) - g(b) - g(a + b + x)
        three = -(r + x) * np.log(alpha + age)
        four = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(tx + alpha)
        return -(one + two + np.log(np.exp(three) + np.exp(four) * (x > 0))).mean()

    found = optimize.minimize(
        loss, np.zeros(4) + 0.1, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-6, "fatol": 1e-10}
    )
    r, alpha, a, b = np.exp(found.x)
    hyper = special.hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    second = 1 - hyper * ((alpha + age) / (alpha + age + weeks)) ** (r + x)
    below = 1 + (x > 0) * (a / (b + np.maximum(x, 1) - 1)) * ((alpha + age) / (alpha + tx)) ** (r + x)
    return (a + b + x - 1) / (a - 1) * second / below


def test_the_holdout_of_all_customers_is_foretold_as_well_as_by_lifetimes(master):
    assert master["person_id"].nunique() == 23570
    weeks = (END - CUT).days / 7
    frame = value.histories(master, CUT).to_pandas().set_index("person_id")
    later = master[(master["day"] >= CUT) & (master["day"] < END)].groupby("person_id").size()
    actual = later.reindex(frame.index, fill_value=0)
    theirs = np.sqrt(np.mean((lifetimes(frame, weeks) - actual) ** 2))
    model = value.fit_purchases(value.cells(value.histories(master, CUT)))
    mine = np.sqrt(np.mean((model.expected(weeks, frame["frequency"], frame["recency"], frame["T"]) - actual) ** 2))
    assert mine <= 1.01 * theirs
    tested = value.holdout(master, END, weeks=39)
    wrong = value.errors(tested)
    assert wrong.loc["model", "error"] < wrong.loc["baseline", "error"]
    assert wrong.loc["model", "error"] <= 1.01 * theirs
