"""What an executed notebook says to machines: its figures, findings, forecasts and decisions, and its gate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..findings import Finding, rank
from ..language import _
from ..outlook import Decision, Forecast
from .page import CONCLUSIONS, FIGURES, GATE, PLAN

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True)
class Said:
    """What a notebook said.

    Attributes
    ----------
    figures : list of dict
        Rows of ``figures.json``, those of the findings included, in the order of the page.
    findings : list of Finding
        Ranked.
    forecasts, decisions : lists
        In the order of the page.
    plans : list of dict
        What it proposes (`playbook.report.proposals`).
    """

    figures: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    plans: list[dict[str, Any]] = field(default_factory=list)


def gate_of(nb: NotebookNode) -> dict[str, Any] | None:
    """What an executed notebook says of the data as a ground for decisions (verdict, reasons), or None."""
    found = [
        output["data"][GATE]
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if GATE in (output.get("data") or {})
    ]
    return next((g for g in found if g["verdict"] == "FAIL"), found[0] if found else None)


def said_in(nb: NotebookNode, *, notebook: str = "") -> Said:
    """What does an executed notebook say?

    Parameters
    ----------
    nb : NotebookNode
    notebook : str
        Its name, for the records.

    Raises
    ------
    ValueError
        Two figures have one name and one cut, and different numbers.
    """
    figures: dict[tuple[str, str], dict[str, Any]] = {}
    said = Said()
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data") or {}
            concluded = data.get(CONCLUSIONS) or {}
            said.plans.extend([data[PLAN]] if PLAN in data else [])
            found = [Finding.from_record(r) for r in concluded.get("findings", [])]
            said.findings.extend(found)
            said.forecasts.extend(Forecast.from_record(r) for r in concluded.get("forecasts", []))
            said.decisions.extend(Decision.from_record(r) for r in concluded.get("decisions", []))
            for record in [
                *data.get(FIGURES, []),
                *(f.record() for finding in found for f in finding.figures),
            ]:
                record = {**record, "notebook": notebook}
                key = record["name"], json.dumps(record["by"], sort_keys=True)
                if figures.setdefault(key, record) != record:
                    raise ValueError(
                        _("the figure {name} {by} is on the page twice, as {first} and as {second}").format(
                            name=key[0], by=key[1], first=figures[key]["value"], second=record["value"]
                        )
                    )
    return Said(list(figures.values()), rank(said.findings), said.forecasts, said.decisions, said.plans)
