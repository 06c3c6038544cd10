"""The wall: persona cards, one per kind of customers, as HTML that looks right on a page and in JupyterLab."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .. import style
from ..customers import personas
from ..customers.words import word
from ..language import _, humanise, listing
from ..missing import Missing
from .page import FIGURES, _display, _html, _shop, _show_missing
from .tables import figures_of

RADIUS, CENTRE = 62, (130, 88)
OUTER = 200.0
"""The index at the rim of a picture: twice as much as all customers."""


def wall(cards: pd.DataFrame | Missing, *, name: str, currency: str | None = None) -> None:
    """Show persona cards, and hand their figures to the report.

    Parameters
    ----------
    cards : DataFrame or Missing
        From `playbook.customers.personas.cards`.
    name : str
        First part of the figures' names.
    currency : str, optional
        By default the one given to `setup`.
    """
    if isinstance(cards, Missing):
        _show_missing(cards)
        return
    code = currency or _shop["currency"]
    made = [card(row, i, code) for i, row in enumerate(cards.to_dict("records"))]
    none = _("The customers are not of different kinds, so there are no personas: see how the groups were looked for.")
    html = _html("personas.html.j2", cards=made, instead=none)
    text = "\n\n".join("\n".join([c["name"], *(f"{k}: {v}" for k, v in c["lines"]), *c["needs"]]) for c in made)
    numbers = cards[[c for c in ("persona", *personas.CARDS_UNITS) if c in cards.columns]]
    figures = figures_of(numbers, name, {c: u for c, u in personas.CARDS_UNITS.items() if c in numbers.columns})
    _display(html, text or none, {FIGURES: [f.record() for f in figures]}, kind="personas")


def card(row: Mapping[str, Any], place: int, currency: str) -> dict[str, Any]:
    """A persona as the template takes it: all its words and numbers written out."""
    lines = [
        (_("Who"), _said(row["who"])),
        (_("Buys"), _said(row["what"])),
        (_("Where"), _said(row["where"])),
        (_("At what price"), _price(row, currency)),
        (_("Through"), _said(row["channel"])),
        (_("Asks about"), _said(row["asks"])),
    ]
    return {
        "letter": row["persona"],
        "name": personas.name(row["marks"], row["persona"]),
        "color": style.CATEGORIES[place % len(style.CATEGORIES)],
        "share": style.value(row["share_of_sales"], "share", digits=0),
        "persons": _("{n} customers, {share} of all").format(
            n=style.value(row["persons"], "count"), share=style.value(row["share"], "share", digits=0)
        ),
        "lines": [(title, said) for title, said in lines if said],
        "needs": [_need(code, number) for code, number in row["needs"]],
        "picture": radar(row["picture"]),
    }


def _said(levels: list[tuple[str, str, float, float]]) -> str:
    """Levels of traits with their shares; a dot sets them apart."""
    parts = [
        _("{level} {share}").format(level=word(trait, level), share=style.value(share, "share", digits=0))
        for trait, level, share, _index in levels
    ]
    return " · ".join(parts)


def _price(row: Mapping[str, Any], currency: str) -> str:
    parts = [
        _("{money} an order").format(money=style.value(row["order_value"], "currency", currency=currency, digits=0))
    ]
    if row.get("full_price") == row.get("full_price") and row.get("full_price") is not None:
        parts.append(_("{share} at full price").format(share=style.value(row["full_price"], "share", digits=0)))
    parts.append(_("{n} orders a head").format(n=style.value(row["orders"], "ratio")))
    return " · ".join(parts)


def _need(code: str, number: float) -> str:
    sentence = {
        "price": _("A good price: {share} of the orders carry an offer."),
        "quality": _("Quality, not discounts: pays {index} where all pay 100."),
        "refill": _("To be reminded in time: orders again after {days}."),
        "advice": _("Advice before and after buying: asks for it more than others ({index} where all are at 100)."),
        "delivery": _("To know where the parcel is: asks more than others ({index} where all are at 100)."),
        "trust": _("Trust: complains or returns more than others ({index} where all are at 100)."),
    }[code]
    return sentence.format(
        share=style.value(number, "share", digits=0) if number <= 1 else "",
        index=style.value(round(number), "count"),
        days=style.value(round(number), "days"),
    )


def radar(picture: list[tuple[str, float]]) -> dict[str, Any] | None:
    """The points of a picture: an axis for each index, the ring of all customers, the shape of these."""
    if len(picture) < 3:
        return None
    x, y = CENTRE

    def at(i: int, r: float) -> tuple[float, float]:
        angle = 2 * math.pi * i / len(picture) - math.pi / 2
        return round(x + r * math.cos(angle), 1), round(y + r * math.sin(angle), 1)

    def ring(size: float) -> str:
        return " ".join(f"{a},{b}" for a, b in (at(i, RADIUS * size) for i in range(len(picture))))

    sizes = [min(max(index, 0.0), OUTER) / OUTER for _axis, index in picture]
    shape = [at(i, RADIUS * size) for i, size in enumerate(sizes)]
    labels: list[dict[str, Any]] = []
    for i, (axis, index) in enumerate(picture):
        a, b = at(i, RADIUS + 12)
        anchor = "middle" if abs(a - x) < 8 else "start" if a > x else "end"
        said = _("{axis} {index}").format(axis=axis_name(axis), index=style.value(round(index), "count"))
        labels.append({"x": a, "y": round(b + 3.5, 1), "anchor": anchor, "text": said})
    return {
        "rings": [ring(0.5), ring(1.0)],
        "spokes": [(x, y, *at(i, RADIUS)) for i in range(len(picture))],
        "shape": " ".join(f"{a},{b}" for a, b in shape),
        "dots": shape,
        "labels": labels,
        "alt": listing(str(label["text"]) for label in labels),
    }


def axis_name(axis: str) -> str:
    """What an axis of the picture is called."""
    return {
        "order_value": _("order value"),
        "orders": _("orders"),
        "breadth": _("variety"),
        "full_price": _("full price"),
        "satisfied": _("stars"),
        "engaged": _("opens mail"),
    }.get(axis, humanise(axis, inside=True))
