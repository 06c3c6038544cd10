"""Cadence: what is looked at and adjusted each day, each week, each month and each quarter."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..language import N_, _
from ..missing import answers
from ..period import Kind, Period


@dataclass(frozen=True)
class Cadence:
    """One of the four rounds in which a shop is steered.

    Attributes
    ----------
    name : str
    kind : {"days", "week", "month", "quarter"}
        Of the period that it is about; "days" is the last day.
    notebooks : tuple of str
        Numbers of those that belong to it; empty: all.
    looks_back : int
        Days before the period whose alerts are still news.
    """

    name: str
    kind: Kind
    notebooks: tuple[str, ...]
    looks_back: int


CADENCES: dict[str, Cadence] = {
    c.name: c
    for c in (
        Cadence("daily", "days", ("00", "06a"), 6),
        Cadence("weekly", "week", ("00", "05b", "06a", "06b", "07a", "07b"), 7),
        Cadence("monthly", "month", (), 0),
        Cadence("quarterly", "quarter", (), 0),
    )
}
"""The four rounds, the shortest first."""

_AGENDA = (
    ("daily", N_("Alerts of the last days: each has an owner and hours within which to answer."),
     N_("Stop or mend what broke: pages, payment, stock, fake orders."), N_("Duty manager"), "06a"),
    ("daily", N_("Campaigns that run: participants, orders and sales against the plan."),
     N_("Bids, budgets of the day, vouchers and push messages of the campaign."), N_("Campaign manager"), "06a"),
    ("weekly", N_("Traffic and funnel by platform and device, beside the week before."),
     N_("Pages and steps that lose buyers; what is tested next."), N_("Site manager"), "06b"),
    ("weekly", N_("Channels: what they cost and return."),
     N_("Money between channels, within the month's budget."), N_("Media manager"), "07b"),
    ("weekly", N_("What was published, and what people said."),
     N_("Topics, forms and hours of the content to come."), N_("Content manager"), "05b"),
    ("monthly", N_("Sales, customers and costs against the targets, and what moved them."),
     N_("Targets of the coming months, prices and promotions."), N_("Head of e-commerce"), "07a"),
    ("monthly", N_("Who stays and who leaves; what customers are worth."),
     N_("Groups that are written to, and the budget to win them back."), N_("Customer manager"), "06c"),
    ("quarterly", N_("Market, competitors and the shop's place among them."),
     N_("Where to play: categories, platforms, price bands."), N_("Managing director"), "01"),
    ("quarterly", N_("Goals, and the budget over the channels, with a reserve."),
     N_("Goals and budget of the next quarter; which channel stays, grows or goes."), N_("Managing director"), "04a"),
)  # fmt: skip


def of(name: str, period: Period) -> Cadence:
    """Which round is it? The one that was said, or the one that the length of the period speaks of.

    Parameters
    ----------
    name : str
        daily, weekly, monthly, quarterly, or empty.
    period : Period

    Raises
    ------
    ValueError
        It is none of these.

    Examples
    --------
    >>> from playbook.period import parse
    >>> of("", parse("2026-W42")).name, of("", parse("2026-10")).name, of("daily", parse("2026-10")).name
    ('weekly', 'monthly', 'daily')
    """
    if name:
        if name not in CADENCES:
            raise ValueError(
                _("there is no cadence {name!r}; write one of: {known}").format(name=name, known=", ".join(CADENCES))
            )
        return CADENCES[name]
    days = period.days
    return CADENCES["daily" if days <= 3 else "weekly" if days <= 10 else "monthly" if days <= 45 else "quarterly"]


@answers("What belongs to this round?")
def agenda(cadence: Cadence) -> pd.DataFrame:
    """What is looked at in this round, what may be changed, by whom, and where the evidence is.

    Returns
    -------
    DataFrame
        cadence, looked_at, may_change, owner, notebook. A longer round holds the shorter ones.
    """
    held = list(CADENCES)[: list(CADENCES).index(cadence.name) + 1]
    rows = [(c, _(seen), _(change), _(owner), nb) for c, seen, change, owner, nb in _AGENDA if c in held]
    return pd.DataFrame(rows, columns=["cadence", "looked_at", "may_change", "owner", "notebook"])
