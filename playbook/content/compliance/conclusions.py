"""What follows from the scan."""

from __future__ import annotations

import pandas as pd

from ... import style
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...missing import answers
from .scan import by_kind, verdicts

FINE = 200_000
"""Yuan: where fines for absolute claims begin (Advertising Law, Art. 57)."""


@answers("What has to be changed before it goes out?")
def findings(found: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """What has to be changed before it goes out, and what is out already?

    Parameters
    ----------
    found : DataFrame
        Of `scan`.
    currency : str
        Of the shop: where it is CNY, the stake of absolute claims is the least fine.
    """
    waiting = verdicts(found)
    change = waiting[waiting["verdict"] == "change"]
    ahead, out = change[change["stage"] != "published"], change[change["stage"] == "published"]
    figures = (
        Figure("compliance.pieces", found.attrs.get("pieces"), "count"),
        Figure("compliance.to_change", len(change), "count"),
        Figure("compliance.to_look_at", len(waiting) - len(change), "count"),
    )
    said = []
    claims = found[(found["kind"] == "absolute") & (found["allowed"] == "")]
    fined = FINE if currency == "CNY" and len(claims) else None
    kinds = by_kind(found)
    names = listing(term("kind", k).replace("_", " ") for k in kinds["kind"])
    if len(out):
        text = _("{n} published pieces claim what may not be claimed ({ids}): take them down or change them today.")
        said.append(Finding("act", text.format(n=len(out), ids=listing(out["content_id"].head(5))), fined, figures))
    if len(ahead):
        first = ahead.iloc[0]
        text = _(
            "{n} planned pieces must be changed before they go out, the first ({id}) on {day}. What was found: {kinds}."
        )
        said.append(
            Finding(
                "act",
                text.format(n=len(ahead), id=first["content_id"], day=style.date(first["publish_at"]), kinds=names),
                fined,
                figures,
            )
        )
    look = len(waiting) - len(change)
    if look:
        text = _("{n} pieces need a person's eye: a clause, a price or an offer that the scan cannot settle.")
        said.append(Finding("watch", text.format(n=look), None, figures))
    if not len(waiting):
        text = _("The scan found nothing in {n} pieces. That is no approval: somebody still reads each of them.")
        said.append(Finding("hold", text.format(n=style.value(found.attrs.get("pieces"), "count")), None, figures))
    return said


@answers("Does one product stand at two prices?")
def price_findings(twice: pd.DataFrame) -> list[Finding]:
    """Which promotions have to be brought into line?"""
    text = _(
        "{product} is sold on two terms from {begins} to {ends}: {first} and {second}. Make them one, or say why not."
    )
    return [
        Finding(
            "act",
            text.format(
                product=row["product_id"],
                begins=style.date(row["begins"]),
                ends=style.date(row["ends"]),
                first=row["first_says"],
                second=row["second_says"],
            ),
        )
        for row in twice.to_dict("records")
    ]
