"""Scores of people: who wins what, who stands near whom, which platform is out."""

import numpy as np
import pandas as pd
import pytest

from playbook.market import benchmarks, platforms, positioning
from playbook.missing import Missing


def scored(rounds=3, topic="competitors", noise=0.0):
    rng = np.random.default_rng(4)
    given = {"we": (9, 2, 5), "near": (8, 3, 5), "far": (1, 9, 5), "other": (5, 9, 1)}
    return pd.DataFrame(
        [
            {"day": pd.Timestamp(2025, 1 + r, 1), "subject": s, "criterion": c, "weight": w, "topic": topic,
             "score": float(np.clip(x + rng.normal(0, noise), 0, 10)), "evidence": "seen"}
            for r in range(rounds)
            for s, row in given.items()
            for c, x, w in zip("abc", row, (0.5, 0.3, 0.2), strict=True)
        ]
    )  # fmt: skip


def test_we_win_where_we_lead_and_lose_where_another_does():
    table = positioning.matrix(scored())
    assert table["subject"].iloc[0] == "we" and table["score"].iloc[0] == pytest.approx((4.5 + 0.6 + 1.0) / 10)
    compared = positioning.win_lose(table, ["we"]).set_index("criterion")
    assert compared["result"].to_dict() == {"a": "win", "b": "lose", "c": "even"}
    assert compared.loc["b", "lead"] == -7
    assert isinstance(positioning.win_lose(table, ["nobody"]), Missing)


def test_the_map_keeps_distances_and_knows_when_it_is_not_sure():
    placed = positioning.positions(scored(noise=0.1)).set_index("subject")
    assert placed.loc["we", "nearest"] == "near" and placed.loc["we", "stable"] == 1.0
    assert (placed["radius"] < 0.5).all()
    once = positioning.positions(scored(rounds=1))
    assert once["radius"].isna().all() and once.attrs["rounds"] == 1
    assert positioning.positions(scored(noise=4.0))["radius"].median() > placed["radius"].median() * 5


def test_who_lacks_a_must_have_is_out_whatever_it_scores():
    rows = pd.DataFrame(
        [
            ("tmall", "reach", 6, 1.0),
            ("tmall", "licence", 10, 0.0),
            ("jd", "reach", 10, 1.0),
            ("jd", "licence", 0, 0.0),
        ],
        columns=["subject", "criterion", "score", "weight"],
    ).assign(day=pd.Timestamp(2025, 1, 1), topic="platforms")
    card = platforms.scorecard(rows).set_index("platform")
    assert card.index.tolist() == ["tmall", "jd"] and card.loc["jd", "out"] == "licence"
    assert card.loc["tmall", "score"] == 0.6 and pd.isna(card.loc["jd", "rank"])
    assert isinstance(platforms.scorecard(rows, topic="other"), Missing)


def test_every_benchmark_has_a_source_and_the_documents_claims_stay_unverified():
    rows = benchmarks.library()
    assert rows["name"].is_unique and (rows["source"] != "").all()
    claims = rows[rows["source"].str.startswith("Course documents")]
    assert (claims["status"] == "unverified").all() and len(claims) >= 8


def test_our_own_number_stands_beside_with_its_interval():
    devices = pd.DataFrame({"device": ["phone", "app", "desktop", ""], "value": [30.0, 30.0, 40.0, 7.0]})
    own = benchmarks.own_numbers(devices, None, None)
    assert own["own"].tolist() == [0.6] and own["n"].tolist() == [100]
    row = benchmarks.beside(own).iloc[0]
    assert row["own_low"] < 0.6 < row["own_high"] and row["status"] == "unverified"
