"""What the scorecard finds of what was planted: the weak step, who took part, what a recommendation hangs on."""

import numpy as np
import pandas as pd
import pytest
from grading import Grade, covered

from playbook.customers import satisfaction
from playbook.data.demo.aftersales.surveys import DRIVERS
from playbook.data.schema import TABLES
from playbook.metrics import measure
from playbook.shop import shop_from
from playbook.tracking import participation, steps

pytestmark = pytest.mark.truth

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def shops(planted):
    """A shop of the tables that each world's people left behind, without those that rest on platforms' exports."""
    made = {}
    for seed in SEEDS:
        world, block = planted(seed)
        tables = {n: block.tables[n] for n in ("orders", "customers", "events", "touchpoints", "messages")}
        told = {n: t[[c for c in t.columns if c in TABLES[n].by_name]].copy() for n, t in tables.items()}
        told["orders"]["amount"] /= 100
        told["orders"] = told["orders"][["order_id", "platform", "customer_id", "ordered_at", "paid_at", "amount"]]
        made[seed] = world, block, shop_from(period="2026-10", **told)
    return made


def test_the_step_that_was_made_weak_is_found_where_it_is_and_no_other_device_is_blamed(shops, grades):
    rows = []
    for seed, (_world, _block, shop) in shops.items():
        now = measure(shop, steps.RATES, by=["device"], period="2026-07-01/2026-10-31")
        then = measure(shop, steps.RATES, by=["device"], period="2025-07-01/2025-10-31")
        lost = steps.lost(now, then)
        (finding,) = steps.findings(lost)
        assert finding.verdict == "act" and finding.figures[0].by == {"device": "phone", "step": "order_rate"}
        told = lost.set_index(["device", "step"])
        others = told.loc[[("desktop", "order_rate"), ("mini_program", "order_rate")]]
        assert (others.p > 0.001).all()
        phone = told.loc["phone", "order_rate"]
        factor = 0.66  # of those who enter their payment, planted since June 2026
        low, high = 1 + phone.change_low / phone.then, 1 + phone.change_high / phone.then
        rows.append(Grade("weak step", str(seed), factor, phone.now / phone.then, low, high, 0.95))
    grades.add(*rows)
    hits, n = covered(rows)
    assert hits == n


def test_participants_are_the_persons_who_clicked(shops):
    for _world, block, shop in shops.values():
        campaigns = pd.DataFrame({"campaign_id": ["crm-202610"], "name": ["October"]}).assign(
            starts_on="2026-10-01", ends_on="2026-10-31", recorded_at="2026-08-01"
        )
        own = shop_from(period="2026-10", orders=block.tables["orders"].head(5)[["order_id", "ordered_at", "amount"]],
                        campaigns=campaigns)  # fmt: skip
        contacts = participation.activity(
            own.campaigns, shop.period, messages=shop.messages, customers=shop.customers, sessions=shop.sessions
        )
        told = participation.participation(contacts).set_index("metric").value
        sent = block.tables["messages"]
        sent = sent[(sent.campaign_id == "crm-202610") & ~sent.holdout.astype(bool) & sent.delivered_at.notna()]
        clicked = sent[sent.clicked_at.notna()].customer_id
        # these tables carry nothing that links accounts, so a person is an account; campaigns of a month end with it
        assert told["reached"] == sent.customer_id.nunique() > 500
        assert told["participants"] == clicked.nunique() > 20
        converted = participation.conversion(contacts, shop.orders, as_of=shop.as_of, customers=shop.customers)
        bought = converted.set_index("metric").value
        paid = (
            block.tables["orders"]
            .dropna(subset="paid_at")
            .merge(
                sent.dropna(subset="clicked_at").groupby("customer_id", as_index=False).sent_at.min(), on="customer_id"
            )
        )
        late = paid.paid_at - paid.sent_at
        soon = paid[(late >= pd.Timedelta(0)) & (late <= pd.Timedelta(days=7)) & (paid.sent_at <= "2026-10-25")]
        assert bought["buyers"] == soon.customer_id.nunique() > 0


def test_what_a_recommendation_hangs_on_comes_out_in_the_planted_order(shops):
    for _world, block, _shop in shops.values():
        told = satisfaction.drivers(satisfaction.answered(block.tables["surveys"]), rng=np.random.default_rng(1))
        planted = sorted(DRIVERS, key=DRIVERS.get, reverse=True)
        assert told.area.tolist()[0] == planted[0] == "product"
        assert told.area.tolist()[-1] == planted[-1] == "personalisation"
        assert told.n[0] > 300
