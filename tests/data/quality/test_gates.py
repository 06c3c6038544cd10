"""Stories of the gate: when decisions may rest on the data, and what a report says where they may not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from playbook.data import quality
from playbook.report.said import said_in
from playbook.shop import open_shop

ROOT = Path(__file__).parents[3]


def scorecard(score, n=1000, *, blocks=True, dimension="validity", rule="amount is not negative."):
    broken = round((1 - score) * n)
    row = {"table": "orders", "dimension": dimension, "rule": rule, "score": score, "n": n, "broken": broken}
    return pd.DataFrame([row | {"blocks": blocks}])


def files(read=1000, quarantined=0, skipped=0, checks=()):
    file = {"file": "o.csv", "read": read, "skipped": skipped, "quarantined": quarantined}
    return {"files": [file], "checks": list(checks)}


@pytest.mark.parametrize(
    ("score", "blocks", "verdict"),
    [(1.0, True, "PASS"), (0.99, True, "PASS"), (0.98, True, "REVIEW"), (0.95, True, "REVIEW"), (0.949, True, "FAIL"),
     (0.5, False, "REVIEW"), (0.995, False, "PASS")],
)  # fmt: skip
def test_a_rule_that_blocks_fails_below_the_floor_and_any_rule_is_reviewed_below_care(score, blocks, verdict):
    assert quality.gate(scorecard(score, blocks=blocks)).verdict == verdict


def test_the_floors_are_the_readers_choice():
    assert quality.gate(scorecard(0.9), floor=0.9).verdict == "REVIEW"
    assert quality.gate(scorecard(0.9), floor=0.5, care=0.9).verdict == "PASS"


@pytest.mark.parametrize(("bad", "verdict"), [(0, "PASS"), (10, "PASS"), (11, "REVIEW"), (50, "REVIEW"), (51, "FAIL")])
def test_rows_that_could_not_be_read_block_too(bad, verdict):
    assert quality.gate(scorecard(1.0), files(quarantined=bad)).verdict == verdict


def test_rows_that_are_no_rows_do_not_thin_the_share_in_quarantine():
    assert quality.gate(scorecard(1.0), files(read=1000, skipped=900, quarantined=6)).verdict == "FAIL"


def test_a_broken_rule_of_an_export_calls_for_a_review_only():
    checks = [{"text": "Money ties.", "rows": 10, "broken": 9}, {"text": "It holds.", "rows": 10, "broken": 0}]
    found = quality.gate(scorecard(1.0), files(checks=checks))
    assert (found.verdict, found.reasons) == ("REVIEW", ("9 of 10 rows break a rule of their export: Money ties.",))


def test_reasons_are_sentences_and_those_that_block_come_first():
    both = pd.concat([scorecard(0.5, blocks=False, rule="shipping is not negative."), scorecard(0.9)])
    found = quality.gate(both)
    assert (found.verdict, found.score, found.blocks) == ("FAIL", 0.9, True)
    assert found.reasons[0] == "Orders: 100 of 1,000 (10.0%) do not keep the rule “amount is not negative.”"
    assert "shipping" in found.reasons[1] and len(found.reasons) == 2
    stale = scorecard(21 / 31, 31, dimension="freshness", rule="x")
    assert "no rows in the last 10 of the period's 31 days" in quality.gate(stale).reasons[0]


@pytest.mark.parametrize(("score", "verdict"), [(1.0, "hold"), (0.97, "watch"), (0.5, "act")])
def test_what_follows_from_the_gate(score, verdict):
    (found,) = quality.gate_findings(quality.gate(scorecard(score)))
    assert found.verdict == verdict and [(f.name, f.value) for f in found.figures] == [("data_score", score)]


def test_a_shop_with_and_without_files_knows_its_gate(build):
    lines = [f"{i},2024-01-{i % 31 + 1:02} 10:00:00,{5 if i > 10 else -5}" for i in range(62)]
    build({"orders.csv": "order_id,ordered_at,amount\n" + "\n".join(lines)})
    shop = open_shop("corner", "2024-01")
    assert shop.gate.verdict == "FAIL" and "11 of 62" in shop.gate.reasons[0]
    whole = quality.gate(quality.scorecard(shop.tables, shop.period), shop.accounting())
    assert whole.verdict == "FAIL" and set(shop.gate.reasons) <= set(whole.reasons)


def test_a_report_on_data_that_fail_blocks_its_decisions_and_lists_observations(build, home):
    days = [f"{m}-{d:02}" for m, n in (("2023-12", 31), ("2024-01", 20)) for d in range(1, n + 1)]
    lines = [f"{i},{day} 10:00:00,{500 if day < '2024' else 5},u{i}" for i, day in enumerate(days)]
    build({"orders.csv": "order_id,ordered_at,amount,customer_id\n" + "\n".join(lines)})
    env = os.environ | {"PLAYBOOK_HOME": str(home)}
    command = [sys.executable, "-m", "playbook.cli", "run", "corner", "--period", "2024-01", "--only", "07a"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False)
    report = home / "reports" / "corner" / "2024-01"
    assert (report / "07a_scorecard.html").exists(), done.stdout + done.stderr
    read = said_in(nbformat.read(report / "07a_scorecard.ipynb", as_version=4))
    found = read.findings
    assert found and all(f.blocked for f in found)
    assert "act" in {f.verdict for f in found}  # net sales fell by far; but the last eleven days are not there
    for name in ("07a_scorecard.html", "index.html"):
        page = (report / name).read_text(encoding="utf-8")
        assert "Blocked: the data fail their check" in page and "last 11 of the period" in page, name
        assert "Observed" in page and 'pb-badge-act"' not in page, name
    assert "blocked" not in json.dumps(read.figures)
