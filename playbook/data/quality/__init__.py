"""Data health: what came in, what was done with it, how good it is, and whether decisions may rest on it.

Files and what became of their rows (`sources`, `steps`, `quarantine`), the quality scorecard and the gate
(`scorecard`, `gate`), sources held against each other (`reconciliation`), the tracking plan (`coverage`), and what
moved since the last report (`record`, `moved`, `causes`), and who is behind the accounts (`match`, `known`, `consent`).
"""

from .cleaning import STEPS, plot_steps, quarantine, steps
from .conclusions import findings
from .coverage import PLAN, coverage, coverage_findings, event_days, page_gaps, plot_coverage
from .files import OUTCOMES, classes, days, fields, kinds, money, plot_days, reach, rules, sources, tables
from .gates import CARE, FLOOR, Gate, gate, gate_findings
from .lineage import causes, inputs, moved, outcomes, record
from .linking import consent, devices, known, linking_findings, match, plot_match, unused
from .reconciliation import COMPARISONS, agreement, agreement_findings, plot_agreement, reconciliation
from .rulebook import DIMENSIONS, REFERENCES, RULES, Rule
from .scores import broken, plot_scores, scorecard, table_scores

__all__ = [
    "CARE",
    "COMPARISONS",
    "DIMENSIONS",
    "FLOOR",
    "OUTCOMES",
    "PLAN",
    "REFERENCES",
    "RULES",
    "STEPS",
    "Gate",
    "Rule",
    "agreement",
    "agreement_findings",
    "broken",
    "causes",
    "classes",
    "consent",
    "coverage",
    "coverage_findings",
    "days",
    "devices",
    "event_days",
    "fields",
    "findings",
    "gate",
    "gate_findings",
    "inputs",
    "kinds",
    "known",
    "linking_findings",
    "match",
    "money",
    "moved",
    "outcomes",
    "page_gaps",
    "plot_agreement",
    "plot_coverage",
    "plot_days",
    "plot_match",
    "plot_scores",
    "plot_steps",
    "quarantine",
    "reach",
    "reconciliation",
    "record",
    "rules",
    "scorecard",
    "sources",
    "steps",
    "table_scores",
    "tables",
    "unused",
]  # fmt: skip
