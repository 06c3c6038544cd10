"""The gate: may decisions rest on these data? Pass, review or fail, with the reasons in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import _, humanise, term
from ...missing import answers

Passage = Literal["PASS", "REVIEW", "FAIL"]

FLOOR = 0.95
CARE = 0.99


@dataclass(frozen=True)
class Gate:
    """Whether decisions may rest on the data.

    Attributes
    ----------
    verdict : {"PASS", "REVIEW", "FAIL"}
        Decide; decide with the reasons in mind; do not decide.
    reasons : tuple of str
        Sentences, those that block first.
    score : float
        The worst score among the rules that block; NaN where none could be counted.
    """

    verdict: Passage
    reasons: tuple[str, ...]
    score: float

    @property
    def blocks(self) -> bool:
        """Whether no decision may rest on the data."""
        return self.verdict == "FAIL"

    def record(self) -> dict[str, Any]:
        """The gate as plain data, ready for JSON."""
        return {"verdict": self.verdict, "reasons": list(self.reasons)}


@answers("May decisions rest on these data?")
def gate(
    scorecard: pd.DataFrame, accounting: Mapping[str, Any] | None = None, *, floor: float = FLOOR, care: float = CARE
) -> Gate:
    """May decisions rest on these data?

    Below `floor` the data themselves can make a change as large as the ones that the book calls out: net sales that
    are wrong in more than one row of twenty move by more than the 3 % at which the scorecard says "watch", and half of
    the 10 % at which it says "act". So 0.95 is the default. Only rules that make net sales wrong can block: required
    cells, keys and amounts of orders and returns, orders that do not reach to the period's end, and rows in quarantine,
    whose sales are not counted. `care` is 0.99, the share from which on a file is to be mended: the rest of the rules
    make breakdowns thin, not totals wrong.

    Parameters
    ----------
    scorecard : DataFrame
        From `scorecard`.
    accounting : mapping, optional
        `Shop.accounting`; without it only the tables are judged.
    floor : float
        Share of rows that must keep a blocking rule; below it: FAIL.
    care : float
        Share of rows that should keep any rule; below it: REVIEW.

    Returns
    -------
    Gate
    """
    blocking: list[str] = []
    other: list[str] = []
    score = [float(r.score) for r in scorecard.itertuples() if r.blocks and not pd.isna(r.score)]
    for row in scorecard[scorecard.score < care].sort_values(["score", "table", "rule"]).to_dict("records"):
        (blocking if row["blocks"] and row["score"] < floor else other).append(_reason(row))
    for text, kept, blocks in _of_files(accounting):
        score += [kept] if blocks else []
        if kept < care:
            (blocking if blocks and kept < floor else other).append(text)
    verdict: Passage = "FAIL" if blocking else "REVIEW" if other else "PASS"
    return Gate(verdict, (*blocking, *other), min(score, default=float("nan")))


def _reason(row: Mapping[Any, Any]) -> str:
    words = {"table": humanise(row["table"]), "rule": term("rule", row["rule"])}
    if row["dimension"] == "freshness":
        text = _("{table}: no rows in the last {n} of the period's {days} days, and never so long in the year before.")
        return text.format(n=row["broken"], days=row["n"], **words)
    said = {"broken": style.value(row["broken"], "count"), "n": style.value(row["n"], "count")}
    share = style.value(row["broken"] / row["n"], "share")
    text = _("{table}: {broken} of {n} ({share}) do not keep the rule “{rule}”")
    if row["dimension"] == "completeness":
        text = _("{table}: {broken} of {n} cells ({share}) are empty. The rule: “{rule}”")
    return text.format(share=share, **words, **said)


def _of_files(accounting: Mapping[str, Any] | None) -> Iterable[tuple[str, float, bool]]:
    """What the files say: a sentence, the share that is sound, and whether it can block."""
    if accounting is None:
        return
    for f in accounting["files"]:
        rows = f["read"] - f.get("skipped", 0)
        if rows and f.get("quarantined"):
            text = _("{file}: {bad} of {rows} rows ({share}) could not be read and are not counted.")
            bad, share = f["quarantined"], style.value(f["quarantined"] / rows, "share")
            said = {"bad": style.value(bad, "count"), "rows": style.value(rows, "count")}
            yield text.format(file=f["file"], share=share, **said), 1 - bad / rows, True
    for c in accounting["checks"]:
        if c["broken"]:
            text = _("{broken} of {rows} rows break a rule of their export: {rule}")
            said = {"broken": style.value(c["broken"], "count"), "rows": style.value(c["rows"], "count")}
            yield text.format(rule=_(c["text"]), **said), 1 - c["broken"] / c["rows"], False


@answers("May decisions rest on these data?")
def gate_findings(gate: Gate) -> list[Finding]:
    """What follows from the gate: one finding, with its score as the figure."""
    verdict: Verdict = {"PASS": "hold", "REVIEW": "watch", "FAIL": "act"}[gate.verdict]  # type: ignore[assignment]
    text = {
        "PASS": _("The data pass: decisions may rest on them."),
        "REVIEW": _("The data pass with reservations. {reason}"),
        "FAIL": _("The data fail: mend them before anything is decided. {reason}"),
    }[gate.verdict]
    reason = gate.reasons[0] if gate.reasons else ""
    return [Finding(verdict, text.format(reason=reason), None, (Figure("data_score", gate.score, "share"),))]
