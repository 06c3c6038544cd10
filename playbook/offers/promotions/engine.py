"""The promotion engine: what a basket costs under promotions, line by line to the cent, and who pays for what is off.

Stages come one after another: item, store, platform, coupon, points; each sees what the earlier ones have left. A line
takes part in at most one promotion of a stage. What a promotion takes off is shared out over its lines by their value,
to the cent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

import pandas as pd

from ...language import _
from ...methods.apportion import CENT, apportion
from .rules import STAGES, Coupon, Discount, FullReduction, Gift, Points, Rule, Stage, parse

MERCHANT: Mapping[str, Decimal] = {"merchant": Decimal(1)}


@dataclass(frozen=True)
class Line:
    """What a shopper puts into her basket: so many units of a product at a price."""

    product: str
    price: Decimal
    quantity: int = 1
    category: str = ""

    def __post_init__(self) -> None:
        if self.price < 0 or self.quantity < 1:
            raise ValueError(_("a line has a price of 0 or above and at least one unit"))

    @property
    def value(self) -> Decimal:
        return (self.price * self.quantity).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Offer:
    """A promotion that a basket may take.

    Parameters
    ----------
    name : str
    rule : Rule
    products, categories : frozenset of str
        What it is for; both empty: for all.
    excludes : frozenset of str
        Names of promotions, or stages, with which it cannot be taken together.
    funding : mapping of str → Decimal
        Who bears which part of its cost; the parts sum to 1.
    """

    name: str
    rule: Rule
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    funding: Mapping[str, Decimal] = field(default_factory=lambda: MERCHANT, hash=False)

    def __post_init__(self) -> None:
        if sum(self.funding.values()) != 1 or min(self.funding.values()) < 0:
            raise ValueError(_("{name}: the parts that each bears of its cost must sum to 1").format(name=self.name))

    @property
    def stage(self) -> Stage:
        return self.rule.stage

    def covers(self, line: Line) -> bool:
        """Whether a line takes part."""
        if not self.products and not self.categories:
            return True
        return line.product in self.products or line.category in self.categories

    def bars(self, other: Offer) -> bool:
        """Whether the two cannot be taken together."""
        return any({b.name, b.stage} & a.excludes for a, b in ((self, other), (other, self)))


@dataclass(frozen=True)
class Taken:
    """What one promotion took off one line."""

    offer: Offer
    line: int
    amount: Decimal


@dataclass(frozen=True)
class Receipt:
    """What a basket costs.

    Attributes
    ----------
    lines : tuple of Line
    taken : tuple of Taken
        In the order in which it was taken off.
    gifts : tuple of (offer, product, units)
        Goods that come free.
    points : int
        Points spent.
    """

    lines: tuple[Line, ...]
    taken: tuple[Taken, ...] = ()
    gifts: tuple[tuple[Offer, str, int], ...] = ()
    points: int = 0

    @property
    def value(self) -> Decimal:
        """Before any promotion."""
        return sum((line.value for line in self.lines), Decimal(0))

    @property
    def off(self) -> Decimal:
        return sum((t.amount for t in self.taken), Decimal(0))

    @property
    def paid(self) -> Decimal:
        return self.value - self.off

    @cached_property
    def left(self) -> tuple[Decimal, ...]:
        """What is paid for each line."""
        left = [line.value for line in self.lines]
        for t in self.taken:
            left[t.line] -= t.amount
        return tuple(left)

    def by_party(self) -> dict[str, Decimal]:
        """Who bears how much of what was taken off; the parts sum to `off` to the cent."""
        out: dict[str, Decimal] = {}
        for offer, amount in self.by_offer().items():
            for party, part in zip(
                offer.funding, apportion(amount, list(offer.funding.values())), strict=True
            ):  # fmt: skip
                out[party] = out.get(party, Decimal(0)) + part
        return out

    def by_offer(self) -> dict[Offer, Decimal]:
        """What each promotion took off."""
        out: dict[Offer, Decimal] = {}
        for t in self.taken:
            out[t.offer] = out.get(t.offer, Decimal(0)) + t.amount
        return out

    def table(self) -> pd.DataFrame:
        """Line by line: product, quantity, value, one column for each stage (taken off), paid; in currency."""
        rows = []
        for i, line in enumerate(self.lines):
            off: dict[str, Decimal] = {stage: Decimal(0) for stage in STAGES}
            for t in self.taken:
                if t.line == i:
                    off[t.offer.stage] += t.amount
            about = {"product": line.product, "quantity": line.quantity, "value": line.value}
            rows.append({**about, **off, "paid": self.left[i]})
        return pd.DataFrame(rows, columns=["product", "quantity", "value", *STAGES, "paid"])


def checkout(lines: Sequence[Line], offers: Iterable[Offer], *, points: int = 0) -> Receipt:
    """What does a basket cost when these promotions are all taken?

    Parameters
    ----------
    lines : sequence of Line
    offers : iterable of Offer
        In any order: stages decide.
    points : int
        Points that the shopper has.

    Returns
    -------
    Receipt

    Raises
    ------
    ValueError
        Two of them exclude each other, or a line would take part in two of one stage.

    Examples
    --------
    >>> basket = [Line("serum", Decimal(249)), Line("mask", Decimal(89))]
    >>> offers = [Offer("coupon", parse("coupon 199-20")), Offer("11.11", parse("full_reduction 300-45 cross_store"))]
    >>> checkout(basket, offers).paid
    Decimal('273.00')
    """
    chosen = sorted(offers, key=lambda o: STAGES.index(o.stage))
    for a, b in itertools.combinations(chosen, 2):
        if not _together(a, b, lines):
            raise ValueError(_("{a} and {b} cannot be taken together").format(a=a.name, b=b.name))
    receipt = Receipt(tuple(lines))
    for offer in chosen:
        receipt = _take(receipt, offer, points)
    return receipt


def cheapest(lines: Sequence[Line], offers: Sequence[Offer], *, points: int = 0) -> Receipt:
    """Which promotions should a shopper take, so that she pays least?

    All sets that may be taken together are tried: taking one may put a later one out of reach, so that no greedy order
    finds the least. Of two that cost the same, the one with more gifts, then the one with fewer promotions and points.

    Returns
    -------
    Receipt
    """
    every = [list(_subsets([o for o in offers if o.stage == stage], lines)) for stage in STAGES]
    best: Receipt | None = None
    least: tuple = ()

    def order(r: Receipt, n: int) -> tuple:
        return r.paid, -sum(units for _offer, _product, units in r.gifts), n, r.points

    def walk(receipt: Receipt, stage: int, taken: tuple[Offer, ...]) -> None:
        nonlocal best, least
        if stage == len(STAGES):
            rank = order(receipt, len(taken))
            if best is None or rank < least:
                best, least = receipt, rank
            return
        for subset in every[stage]:
            if any(a.bars(b) for a in subset for b in taken):
                continue
            further = receipt
            for offer in subset:
                further = _take(further, offer, points)
            walk(further, stage + 1, (*taken, *subset))

    walk(Receipt(tuple(lines)), 0, ())
    assert best is not None  # nothing taken is a way too
    return best


def offers_of(promotions: pd.DataFrame) -> tuple[list[Offer], list[str]]:
    """The rows of the canonical table `promotions` as promotions of the engine.

    Returns
    -------
    offers : list of Offer
        Of the rows with a rule, one for each promotion.
    notes : list of str
        Sentences on rules that cannot be read.
    """
    offers, notes = [], []
    rows = promotions.reindex(columns=["promotion_id", "rule", "product_id", "category", "funded_by"])
    rows = rows.dropna(subset="rule")
    for name, of in rows.groupby("promotion_id", sort=False):
        try:
            rule = parse(str(of.rule.iloc[0]))
        except ValueError as error:
            notes.append(str(error))
            continue
        products, categories = (frozenset(of[c].dropna().astype(str)) - {""} for c in ("product_id", "category"))
        payer = of.funded_by.iloc[0]
        funding = MERCHANT if pd.isna(payer) else {str(payer): Decimal(1)}
        offers.append(Offer(str(name), rule, products, categories, funding=funding))
    return offers, list(dict.fromkeys(notes))


def _together(a: Offer, b: Offer, lines: Sequence[Line]) -> bool:
    """Whether two may be taken together: no exclusion, and no line in two of one stage."""
    if a.bars(b):
        return False
    return a.stage != b.stage or not any(a.covers(line) and b.covers(line) for line in lines)


def _subsets(offers: Sequence[Offer], lines: Sequence[Line]) -> Iterator[tuple[Offer, ...]]:
    """Every set of promotions of one stage that may be taken together."""
    if not offers:
        yield ()
        return
    first, rest = offers[0], offers[1:]
    yield from _subsets(rest, lines)
    for others in _subsets(rest, lines):
        if all(_together(first, o, lines) for o in others):
            yield (first, *others)


def _take(receipt: Receipt, offer: Offer, points: int) -> Receipt:
    """The receipt after one more promotion."""
    rule, left = offer.rule, receipt.left
    mine = [i for i, line in enumerate(receipt.lines) if offer.covers(line)]
    amount = sum((left[i] for i in mine), Decimal(0))
    off, gifts, spent = [Decimal(0)] * len(mine), receipt.gifts, receipt.points
    match rule:
        case Discount():
            off = _discounts(rule, [receipt.lines[i] for i in mine], [left[i] for i in mine])
        case FullReduction() | Coupon():
            off = _shared(rule.off(amount).quantize(CENT, ROUND_HALF_UP), [left[i] for i in mine])
        case Gift(threshold, product, bought, free):
            if product and mine and amount >= threshold:
                gifts = (*gifts, (offer, product, 1))
            elif not product:
                given = ((receipt.lines[i].product, receipt.lines[i].quantity // bought * free) for i in mine)
                gifts = (*gifts, *((offer, p, n) for p, n in given if n))
        case Points(each, value, cap):
            lots = min((points - spent) // each, int(amount * cap // value) if value else 0)
            spent += lots * each
            off = _shared(lots * value, [left[i] for i in mine])
    new = tuple(Taken(offer, i, a) for i, a in zip(mine, off, strict=True) if a)
    return Receipt(receipt.lines, receipt.taken + new, gifts, spent)


def _shared(off: Decimal, left: Sequence[Decimal]) -> list[Decimal]:
    return apportion(off, left) if left and off else [Decimal(0)] * len(left)


def _discounts(rule: Discount, lines: Sequence[Line], left: Sequence[Decimal]) -> list[Decimal]:
    """What a discount takes off each line: of every unit, or of the cheapest units, one in `every`."""
    units = sum(line.quantity for line in lines) // rule.every
    out = [Decimal(0)] * len(lines)
    for i in sorted(range(len(lines)), key=lambda i: left[i] / lines[i].quantity):
        n = min(units, lines[i].quantity)
        units -= n
        out[i] = (left[i] * n / lines[i].quantity * (1 - rule.rate)).quantize(CENT, ROUND_HALF_UP)
    return out
