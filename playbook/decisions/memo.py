"""The decision memo: what is to be done now, on one page; at most seven decisions, the largest stake first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy import stats

from .. import period as periods
from ..findings import Finding, order
from ..outlook import Decision

MOST = 7
"""More than this nobody does."""

SURE = 0.95
LIKELY = 0.8


@dataclass(frozen=True)
class Item:
    """One line of the memo.

    Attributes
    ----------
    decision : Decision
    notebook : str
        Where the evidence stands.
    id : str
        In the ledger.
    chance : float
        That the effect has the sign that is expected, if its errors follow a normal law.
    also : sequence of (id, notebook)
        What other notebooks decide on the same matter: the same is to be done of one part of the shop, at the same
        time. One will do.
    """

    decision: Decision
    notebook: str
    id: str
    chance: float
    also: Sequence[tuple[str, str]] = ()

    @property
    def confidence(self) -> str:
        """``high``, ``fair`` or ``low``."""
        return "high" if self.chance >= SURE else "fair" if self.chance >= LIKELY else "low"


@dataclass(frozen=True)
class Memo:
    """What is to be done.

    Attributes
    ----------
    items : sequence of Item
        At most `MOST`.
    others : int
        Decisions that were left out, having less at stake, and on nothing that stands here.
    attention : sequence of (notebook, Finding)
        What calls for action and has no decision yet, since its effect cannot be told.
    blocked : sequence of str
        Why nothing may be decided; then there are no items.
    """

    items: Sequence[Item] = ()
    others: int = 0
    attention: Sequence[tuple[str, Finding]] = ()
    blocked: Sequence[str] = ()


def memo(
    decisions: Iterable[tuple[str, str, Decision]],
    findings: Mapping[str, Sequence[Finding]],
    *,
    blocked: Sequence[str] = (),
    most: int = MOST,
) -> Memo:
    """What is to be done now?

    Parameters
    ----------
    decisions : iterable of (id, notebook, Decision)
        All of a report.
    findings : mapping of notebook → findings
        Held against each other already (`playbook.methods.multiplicity.controlled`).
    blocked : sequence of str
        Why nothing may be decided on the data.
    most : int

    Returns
    -------
    Memo
    """
    if blocked:
        return Memo(blocked=tuple(blocked))
    every = [Item(d, notebook, id, chance(d)) for id, notebook, d in decisions]
    items: list[Item] = []
    for one in sorted(every, key=lambda i: (-(i.decision.stake or 0.0), i.id)):
        at = next((at for at, larger in enumerate(items) if _on_the_same(one, larger)), None)
        if at is None:
            items.append(one)
        else:
            items[at] = replace(items[at], also=(*items[at].also, (one.id, one.notebook)))
    having = {i.notebook for i in items[:most]}
    acts = [(slug, f) for slug, of in findings.items() for f in of if f.verdict == "act" and slug not in having]
    attention = sorted(acts, key=lambda pair: order(pair[1]))
    return Memo(tuple(items[:most]), max(0, len(items) - most), tuple(attention[:3]))


def _on_the_same(one: Item, other: Item) -> bool:
    """Whether two notebooks would have the same done of one part of the shop, at times that overlap."""
    a, b = one.decision, other.decision
    if one.notebook == other.notebook or (a.name, dict(a.by)) != (b.name, dict(b.by)):
        return False
    first, second = periods.parse(a.period), periods.parse(b.period)
    return first.start < second.end and second.start < first.end


def chance(decision: Decision) -> float:
    """How likely is it that the effect has the sign that is expected?

    Examples
    --------
    >>> from datetime import date
    >>> d = Decision("a", "Do it.", "Us", date(2026, 1, 1), "net_sales", "2026-01", 10, -5, 25, "currency", level=0.8)
    >>> round(chance(d), 3)
    0.804
    """
    side = decision.effect - decision.low if decision.effect >= 0 else decision.high - decision.effect
    if side <= 0:
        return 1.0 if decision.effect else 0.5
    spread = side / stats.norm.ppf(0.5 + decision.level / 2)
    return float(stats.norm.cdf(abs(decision.effect) / spread))
