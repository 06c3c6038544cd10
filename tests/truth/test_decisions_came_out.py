"""Decisions that are done: what the ledger says came of them, beside what truly did in the same world without them."""

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest
from grading import Grade, allowed, covered

from playbook.data.demo import generate
from playbook.data.ingest import ingest
from playbook.data.store import open_store
from playbook.decisions import Ledger
from playbook.metrics import measure
from playbook.report.run import run
from playbook.shop import shop_of

pytestmark = pytest.mark.truth

SEEDS = range(21, 26)
DECIDED, DUE = "2026-08", "2026-09"
DONE = dt.date(2026, 8, 31)


def of_the_month(store):
    """What decisions are scored by, in the month after them: metric and part → its value."""
    shop = shop_of(store, DUE)
    sold = measure(shop, ["paid_sales"], by=["product_id"]).set_index("product_id")["value"]
    spent = measure(shop, ["ad_spend"], by=["channel"]).set_index("channel")["value"]
    return {("paid_sales", k): v for k, v in sold.items()} | {("ad_spend", k): v for k, v in spent.items()}


def as_a_policy(decisions, figures):
    """What was decided of prices and channels, as a world's policy."""
    told = {(f["name"], f["by"].get("product_id")): f["value"] for f in figures if f["name"].startswith("moves.")}
    lines = [f'from = "{DUE}"', "[budgets]"]
    lines += [f"{d.part} = 0" for d in decisions.itertuples() if d.name == "stop_channel"]
    lines += ["[prices]"]
    for d in decisions.itertuples():
        if d.name == "change_price":
            lines.append(f"{d.part} = {told['moves.to', d.part] / told['moves.price', d.part]:.6f}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Of each seed, the decisions of a report that were done, as the next report scores them, and the truth."""
    rows = []
    for seed in SEEDS:
        with pytest.MonkeyPatch.context() as patch:
            home = tmp_path_factory.mktemp("home")
            patch.setenv("PLAYBOOK_HOME", str(home))
            (home / "notebooks").symlink_to(Path(__file__).parents[2] / "notebooks")
            rows.append(_year(home, seed).assign(seed=seed))
    return pd.concat(rows, ignore_index=True)


def _year(home, seed):
    folder = home / "data" / "demo"
    generate(folder, scale=0.3, seed=seed, until=DUE)
    done = run("demo", DECIDED, only=["04c", "06d"])
    assert done.failed == ()
    without, ledger = of_the_month(open_store("demo")), Ledger.of(open_store("demo"))
    said = ledger.decisions()
    said = said[said["name"].isin(["change_price", "stop_channel"]) & (said["period"] == DUE)]
    said = said.assign(part=said["by"].str.split(": ").str[1])
    for decision in said["id"]:
        ledger.decide(decision, "done", on=DONE)
    policy = home / "policy.toml"
    policy.write_text(as_a_policy(said, json.loads((done.folder / "figures.json").read_text(encoding="utf-8"))))

    generate(folder, scale=0.3, seed=seed, until=DUE, policy=policy)
    ingest(open_store("demo"))
    withal = of_the_month(open_store("demo"))
    assert run("demo", DUE, only=["07d"]).failed == ()
    came = Ledger.of(open_store("demo")).decisions().set_index("id").loc[said["id"]].reset_index()
    came["part"] = said["part"].to_numpy()
    came["truth"] = [withal.get(k, 0.0) - without[k] for k in zip(came["metric"], came["part"], strict=True)]
    return came


def test_what_came_of_decisions_is_measured_as_surely_as_it_says(worlds, grades):
    known = worlds[worlds["hit"].notna()]
    assert len(known) >= 0.9 * len(worlds) and len(known) >= 2 * len(SEEDS)
    for name, these in known.groupby("name"):
        rows = [
            Grade(f"{name}: what came of it", f"{d.seed} {d.part}", d.truth, d.measured, d.measured_low, d.measured_high, 0.9)
            for d in these.itertuples()
        ]  # fmt: skip
        grades.add(*rows)
        hits, n = covered(rows)
        assert hits >= allowed(n, 0.9)[0], f"{name}: {hits} of {n}"


def test_what_was_promised_of_a_price_comes_as_often_as_it_says(worlds, grades):
    rows = [
        Grade("change_price: promised", f"{d.seed} {d.part}", d.truth, d.effect, d.low, d.high, 0.8)
        for d in worlds[worlds["name"] == "change_price"].itertuples()
    ]
    grades.add(*rows)
    hits, n = covered(rows)
    assert hits >= allowed(n, 0.8)[0], f"{hits} of {n}"
