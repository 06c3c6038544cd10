"""The same model in PyMC-Marketing: one row a customer there, counted cells here; estimates and expectations agree."""

import datetime as dt

import pandas as pd
import pytest

from playbook.customers import value

pytestmark = pytest.mark.truth

CUT = dt.date(1997, 10, 1)


@pytest.fixture(scope="module")
def histories(real_data):
    names = ["master", "person_id", "day", "units", "amount"]
    rows = pd.read_csv(real_data / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", names=names, dtype={"person_id": str})
    rows = rows.assign(day=pd.to_datetime(rows["day"], format="%Y%m%d").dt.date, orders=1)
    days = rows.groupby(["person_id", "day"], as_index=False).agg(amount=("amount", "sum"), orders=("orders", "max"))
    return value.histories(days, CUT).to_pandas().rename(columns={"person_id": "customer_id"})


def test_coming_back_is_fitted_and_foretold_alike(histories):
    from pymc_extras.prior import Prior
    from pymc_marketing.clv import BetaGeoModel

    theirs = BetaGeoModel(model_config={k: Prior("HalfFlat") for k in ("r", "alpha", "a", "b")})
    theirs.fit(histories, method="map", progressbar=False)
    ours = value.fit_purchases(histories)
    assert ours.parameters() == pytest.approx(theirs.fit_summary().to_dict(), rel=1e-3)
    told = theirs.expected_purchases(future_t=39).to_numpy().ravel()
    here = ours.expected(39, histories["frequency"], histories["recency"], histories["T"])
    assert here == pytest.approx(told, rel=2e-3)


def test_spending_is_fitted_and_foretold_alike(histories):
    from pymc_extras.prior import Prior
    from pymc_marketing.clv import GammaGammaModel

    back = histories[histories["frequency"] > 0]
    theirs = GammaGammaModel(model_config={k: Prior("HalfFlat") for k in ("p", "q", "v")})
    theirs.fit(back, method="map", progressbar=False)
    ours = value.fit_spend(back)
    assert ours.parameters() == pytest.approx(theirs.fit_summary().to_dict(), rel=1e-3)
    told = theirs.expected_customer_spend(back).to_numpy().ravel()
    ones = pd.Series(1, index=back.index)
    here = ours.expected_sum(back["frequency"], back["monetary_value"], ones)
    assert here == pytest.approx(told, rel=2e-3)
