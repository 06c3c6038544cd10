"""Scores that people gave: the last round of a table of them, and the round before."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ..language import _
from ..missing import Missing


def rounds(assessments: ibis.Table, topic: str) -> pd.DataFrame:
    """Every score of a topic: day, subject, criterion, score, weight, evidence; by day."""
    rows = assessments if isinstance(assessments, ibis.Table) else ibis.memtable(assessments)
    if "topic" in rows.columns:
        rows = rows.filter(rows.topic == topic)
    given = [c for c in ("day", "subject", "criterion", "score", "weight", "evidence") if c in rows.columns]
    out = rows.select(*given).to_pandas()
    out = out.reindex(columns=["day", "subject", "criterion", "score", "weight", "evidence"])
    out["day"] = pd.to_datetime(out["day"])
    return out.sort_values(["day"], kind="stable", ignore_index=True)


def matrix(assessments: ibis.Table, topic: str, *, back: int = 0) -> pd.DataFrame | Missing:
    """The scores of the last round, or of one before it: subjects × criteria, both in the order of their first score.

    Parameters
    ----------
    assessments : Table
        Canonical `assessments`.
    topic : str
        Which table of scores.
    back : int
        Rounds before the last.

    Returns
    -------
    DataFrame
        Scores from 0 to 10, NaN where none was given. ``attrs``: `weights` (criterion → weight; 1 where none is given),
        `evidence` (criterion → words), `day`. A Missing where there is no such round.
    """
    rows = rounds(assessments, topic)
    days = rows["day"].drop_duplicates().to_list()
    if len(days) <= back:
        return Missing(
            _("scores with the topic {topic}").format(topic=topic),
            remedy=_(
                "Write rows with topic {topic} into a CSV of assessments: subject, criterion, score, weight."
            ).format(topic=topic),
        )
    mine = rows[rows["day"] == days[-1 - back]]
    out = mine.pivot_table(index="subject", columns="criterion", values="score", aggfunc="last")
    out = out.reindex(index=list(dict.fromkeys(mine["subject"])), columns=list(dict.fromkeys(mine["criterion"])))
    out.columns.name = out.index.name = None
    about = mine.groupby("criterion")
    out.attrs = {
        "weights": about["weight"].last().fillna(1.0).to_dict() if mine["weight"].notna().any() else
        dict.fromkeys(out.columns, 1.0),
        "evidence": about["evidence"].last().astype(object).where(lambda e: e.notna(), "").to_dict(),
        "day": days[-1 - back],
    }  # fmt: skip
    return out


def generator(seed: int) -> np.random.Generator:
    """The random numbers of a seed."""
    return np.random.default_rng(seed)
