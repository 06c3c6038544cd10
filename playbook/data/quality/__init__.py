"""Data health: what came in, what was done with it, how good it is, and whether decisions may rest on it.

Files and what became of their rows (`sources`, `steps`, `quarantine`), the quality scorecard and the gate
(`scorecard`, `gate`), sources held against each other (`reconciliation`), the tracking plan (`coverage`), what moved
since the last report (`record`, `moved`, `causes`), who is behind the accounts (`match`, `known`, `consent`), who buys
online and in stores (`channels_joined`), and who answers surveys (`survey_rates`, `survey_bias`).
"""

from .cleaning import STEPS, plot_steps, quarantine, steps
from .conclusions import findings
from .coverage import PLAN, coverage, coverage_findings, event_days, page_gaps, plot_coverage
from .files import OUTCOMES, classes, days, fields, kinds, money, plot_days, reach, rules, sources, tables
from .gates import CARE, FLOOR, Gate, gate, gate_findings
from .lineage import causes, inputs, moved, outcomes, record
from .linking import (
    consent,
    device_hours,
    devices,
    known,
    linking_findings,
    match,
    plot_device_hours,
    plot_match,
    unused,
)
from .reconciliation import COMPARISONS, agreement, agreement_findings, plot_agreement, reconciliation
from .rulebook import DIMENSIONS, REFERENCES, RULES, Rule
from .scores import broken, plot_scores, scorecard, table_scores
from .stores import channels_findings, channels_joined
from .surveys import plot_survey_bias, survey_bias, survey_findings, survey_rates, survey_scores

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
    "channels_findings",
    "channels_joined",
    "classes",
    "consent",
    "coverage",
    "coverage_findings",
    "days",
    "device_hours",
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
    "plot_device_hours",
    "plot_match",
    "plot_scores",
    "plot_steps",
    "plot_survey_bias",
    "quarantine",
    "reach",
    "reconciliation",
    "record",
    "rules",
    "scorecard",
    "sources",
    "steps",
    "survey_bias",
    "survey_findings",
    "survey_rates",
    "survey_scores",
    "table_scores",
    "tables",
    "unused",
]  # fmt: skip
