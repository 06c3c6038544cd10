"""What a promotion promises: the words of the column `promotions.rule`, and what they mean.

======================================  =============================================================================
words                                   meaning
======================================  =============================================================================
``discount 0.88``                       every unit at 88 % of its price (88折)
``discount 0.80 every 2``               every second unit of the basket at 80 %, the cheapest ones (第二件8折)
``full_reduction 300-45``               45 off once 300 are reached (满减); several tiers: ``200-20 300-40``
``full_reduction 300-45 repeat``        45 off every 300; ``cap 90``: never more than 90; ``cross_store``: pooled
``gift 299 candle0001``                 this product free from 299 on (满赠); ``gift same 1-1``: with each one another
``coupon 199-20 days 14 limit 1000``    20 off from 199 on, for 14 days, at most a thousand are given out
``points 100-1 cap 0.5``                a hundred points pay 1, up to half of what is left to pay
======================================  =============================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from ... import style
from ...language import _, listing

Stage = Literal["item", "store", "platform", "coupon", "points"]

STAGES: tuple[Stage, ...] = ("item", "store", "platform", "coupon", "points")
"""The order in which promotions are taken off: each sees what the earlier ones have left."""


class RuleError(ValueError):
    """A rule that the engine cannot read."""


@dataclass(frozen=True)
class Discount:
    """Units at a part of their price: every unit, or every `every`-th one, the cheapest of the basket."""

    rate: Decimal
    every: int = 1
    stage: Stage = "item"

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1 or self.every < 1:
            raise RuleError(_("a discount leaves between 0 and 1 of the price, as discount 0.88"))


@dataclass(frozen=True)
class FullReduction:
    """Money off once a sum is reached: the highest tier reached, or the only one as often as it is reached."""

    tiers: tuple[tuple[Decimal, Decimal], ...]
    repeat: bool = False
    cap: Decimal | None = None
    stage: Stage = "store"

    def __post_init__(self) -> None:
        if not self.tiers or any(t <= 0 or off < 0 for t, off in self.tiers) or (self.repeat and len(self.tiers) > 1):
            raise RuleError(_("a full reduction has tiers above 0, and only one where it repeats, as 300-45"))

    def off(self, amount: Decimal) -> Decimal:
        """What is taken off a sum."""
        reached = [(t, off) for t, off in self.tiers if amount >= t]
        if not reached:
            return Decimal(0)
        threshold, off = max(reached)
        off = off * int(amount // threshold) if self.repeat else off
        return min(off, amount, self.cap if self.cap is not None else amount)


@dataclass(frozen=True)
class Gift:
    """Goods free: a product from a sum on, or (`product` empty) `free` of the same with each `bought`."""

    threshold: Decimal = Decimal(0)
    product: str = ""
    bought: int = 1
    free: int = 1
    stage: Stage = "item"

    def __post_init__(self) -> None:
        if self.bought < 1 or self.free < 1 or self.threshold < 0:
            raise RuleError(_("a gift needs how many are bought and how many are free, as gift same 1-1"))


@dataclass(frozen=True)
class Coupon:
    """Money off from a sum on, for who holds it."""

    face: Decimal
    threshold: Decimal
    days: int | None = None
    limit: int | None = None
    stage: Stage = "coupon"

    def __post_init__(self) -> None:
        if self.face < 0 or self.threshold < 0:
            raise RuleError(_("a coupon has a threshold and a value, as coupon 199-20"))

    def off(self, amount: Decimal) -> Decimal:
        """What is taken off a sum."""
        return min(self.face, amount) if amount >= self.threshold and amount > 0 else Decimal(0)


@dataclass(frozen=True)
class Points:
    """So many points pay so much money, up to a part of what is left to pay."""

    points: int
    value: Decimal
    cap: Decimal = Decimal(1)
    stage: Stage = "points"

    def __post_init__(self) -> None:
        if self.points < 1 or self.value < 0 or not 0 <= self.cap <= 1:
            raise RuleError(_("points are worth something and pay at most all, as points 100-1 cap 0.5"))


Rule = Discount | FullReduction | Gift | Coupon | Points


def parse(text: str) -> Rule:
    """What do the words of a rule mean?

    Raises
    ------
    RuleError
        They are none of the module's forms.

    Examples
    --------
    >>> parse("full_reduction 300-45 repeat cross_store").off(Decimal(700))
    Decimal('90')
    """
    kind, *words = text.split()
    try:
        match kind, words:
            case "discount", [rate]:
                return Discount(Decimal(rate))
            case "discount", [rate, "every", n]:
                return Discount(Decimal(rate), int(n))
            case "full_reduction", _rest:
                flags, tiers = _named(words, "cap"), [_pair(w) for w in words if re.fullmatch(r"[\d.]+-[\d.]+", w)]
                cap = Decimal(flags["cap"]) if "cap" in flags else None
                known = len(tiers) + 2 * len(flags) + ("repeat" in words) + ("cross_store" in words)
                if known == len(words):
                    stage: Stage = "platform" if "cross_store" in words else "store"
                    return FullReduction(tuple(sorted(tiers)), "repeat" in words, cap, stage)
            case "gift", ["same", pair]:
                bought, free = _pair(pair)
                return Gift(bought=int(bought), free=int(free))
            case "gift", [threshold, product]:
                return Gift(Decimal(threshold), product, stage="store")
            case "coupon", [pair, *_rest]:
                flags = _named(words, "days", "limit")
                if 1 + 2 * len(flags) == len(words):
                    least, face = _pair(pair)
                    days, limit = (int(flags[k]) if k in flags else None for k in ("days", "limit"))
                    return Coupon(face, least, days, limit)
            case "points", [pair, *_rest]:
                flags = _named(words, "cap")
                if 1 + 2 * len(flags) == len(words):
                    each, worth = _pair(pair)
                    return Points(int(each), worth, Decimal(flags.get("cap", "1")))
    except (InvalidOperation, ValueError, IndexError) as error:
        if isinstance(error, RuleError):
            raise
    raise RuleError(_("the rule {rule!r} cannot be read; write it as discount 0.88 or coupon 199-20").format(rule=text))


def said(rule: Rule, *, currency: str = "CNY") -> str:
    """What does a rule promise, in a reader's words?"""

    def money(x: Decimal) -> str:
        return style.value(x, "currency", currency=currency, digits=0 if x == x.to_integral_value() else 2)

    match rule:
        case Discount(rate, every):
            text = _("{part} off") if every == 1 else _("{part} off every {n}th unit")
            return text.format(part=style.value(1 - rate, "share", digits=0), n=every)
        case FullReduction(tiers, repeat, cap):
            text = _("{off} off every {threshold}") if repeat else _("{off} off from {threshold}")
            parts = listing(text.format(off=money(o), threshold=money(t)) for t, o in tiers)
            return parts if cap is None else _("{rule}, at most {cap}").format(rule=parts, cap=money(cap))
        case Gift(threshold, product, bought, free):
            if product:
                return _("{product} free from {threshold}").format(product=product, threshold=money(threshold))
            return _("{free} free with every {bought} of the same").format(free=free, bought=bought)
        case Coupon(face, threshold, days):
            text = _("coupon of {off} from {threshold}, {days} days")
            text = text if days else _("coupon of {off} from {threshold}")
            return text.format(off=money(face), threshold=money(threshold), days=days)
        case Points(points, worth):
            return _("{points} points pay {value}").format(points=points, value=money(worth))


def _pair(word: str) -> tuple[Decimal, Decimal]:
    first, second = word.split("-")
    return Decimal(first), Decimal(second)


def _named(words: list[str], *names: str) -> dict[str, str]:
    """The words that follow these names."""
    return {name: words[words.index(name) + 1] for name in names if name in words}
