"""The scan of all pieces: what was found in each, and what a person has to decide."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...data.engine import as_table
from ...language import _, term
from ...missing import answers, quietly
from ...period import Period
from .claims import KINDS, Words, _flag, cited, flags, words
from .prices import price_flags, two_offers

COLUMNS = ["content_id", "publish_at", "channel", "stage", "kind", "found", "context", "law", "why", "allowed"]
GRAVE = ("absolute", "efficacy", "reference_price", "prize")
"""Kinds that are wrong as they stand; the others are to be looked at."""


@answers("What in the shop's words may not be said?", needs={"content": ["text", "publish_at"]})
def scan(
    content: ibis.Table,
    period: Period,
    *,
    prices: ibis.Table | None = None,
    lists: Words | None = None,
    currency: str = "CNY",
) -> pd.DataFrame:
    """What in the pieces of this period, and of all that are planned after it, may not be said?

    Parameters
    ----------
    content : Table
        content_id, publish_at, text; title, channel, stage, product_id (optional).
    period : Period
        Pieces from its first day on are read.
    prices : Table, optional
        The shop's price history, for claims on prices.
    lists : Words, optional
        Of `words`; by default the book's.

    Returns
    -------
    DataFrame
        One row per thing found: content_id, publish_at, channel, stage, kind (absolute, efficacy, reference_price,
        price_mismatch, two_offers, prize, clause, own), found, context (the words around it, what was found in 【】),
        law (with article), why, allowed (the shop's reason, where its own list allows it). ``attrs``: pieces (how many
        were read), notes (what was not checked).
    """
    pieces = read(content, period)
    lists = lists or words()
    rows: list[dict[str, Any]] = []
    for p in pieces.to_dict("records"):
        rows += [{**f, "content_id": p["content_id"]} for f in flags(p["text"], lists, channel=p["channel"] or "")]
    notes = []
    if prices is None:
        notes.append(_("Claims on prices were not checked: there is no price history."))
    elif "product_id" in pieces:
        text = pieces.set_index("content_id")["text"]
        for f in price_flags(pieces, prices, currency=currency).to_dict("records"):
            begins = text[f["content_id"]].index(f["found"])
            found = _flag(f["kind"], text[f["content_id"]], begins, begins + len(f["found"]), f["law"], f["why"], lists)
            rows.append(found | {"content_id": f["content_id"]})
    if "product_id" in pieces:
        for t in two_offers(pieces).to_dict("records"):
            why = _("{channel} promises “{says}” for the same product within a week").format(
                channel=term("channel", t["first_channel"]), says=t["first_says"]
            )
            row = {"kind": "two_offers", "found": t["second_says"], "context": t["second_says"], "law": "price_19"}
            rows.append(row | {"why": why, "allowed": "", "content_id": t["second"]})
    out = pd.DataFrame(rows, columns=["content_id", "kind", "found", "context", "law", "why", "allowed"])
    out["law"], out["why"] = [cited(law) for law in out["law"]], [term("why", w) for w in out["why"]]
    out = out.merge(pieces[["content_id", "publish_at", "channel", "stage"]], on="content_id")[COLUMNS]
    out = out.sort_values(["publish_at", "content_id", "kind"], ignore_index=True)
    out.attrs = {"pieces": len(pieces), "notes": notes}
    return out


def read(content: ibis.Table, period: Period) -> pd.DataFrame:
    """The pieces from a period on, with `text` holding title and words."""
    table = as_table(content)
    table = table.filter(table["publish_at"] >= ibis.timestamp(period.start.isoformat()))
    columns = [
        c for c in ("content_id", "publish_at", "channel", "stage", "product_id", "title", "text") if c in table.columns
    ]
    pieces = table.select(columns).order_by(["publish_at", "content_id"]).to_pandas()
    title = pieces["title"].fillna("") if "title" in pieces else pd.Series("", pieces.index)
    pieces["text"] = (title + "\n" + pieces["text"].fillna("")).str.strip()
    return pieces.assign(**{c: "" for c in ("channel", "stage") if c not in pieces})


@answers("Which pieces wait for a person?")
def verdicts(found: pd.DataFrame) -> pd.DataFrame:
    """What must be decided on each piece in which something was found?

    Returns
    -------
    DataFrame
        content_id, publish_at, channel, stage, verdict ("change" where something is wrong as it stands, "look" where it
        may be), found (what, by kind). A piece that is not listed has not been approved: nothing was found.
    """
    rows = []
    for (content_id, at), mine in found[found["allowed"] == ""].groupby(["content_id", "publish_at"], sort=False):
        kinds = sorted(set(mine["kind"]), key=KINDS.index)
        words = {k: ", ".join(mine.loc[mine["kind"] == k, "found"].unique()) for k in kinds}
        said = "; ".join(f"{term('kind', k)}: {of}" for k, of in words.items())
        first = mine.iloc[0]
        verdict = "change" if set(kinds) & set(GRAVE) else "look"
        rows.append((content_id, at, first["channel"], first["stage"], verdict, said))
    return pd.DataFrame(rows, columns=["content_id", "publish_at", "channel", "stage", "verdict", "found"])


@answers("What is found how often?")
def by_kind(found: pd.DataFrame) -> pd.DataFrame:
    """How many pieces does each kind of finding concern, and how many of them are not out yet?

    Returns
    -------
    DataFrame
        kind, pieces, ahead (not published), allowed (by the shop's own list).
    """
    stands = found["allowed"] == ""
    rows = []
    for kind in (k for k in KINDS if k in set(found["kind"])):
        mine = found[(found["kind"] == kind) & stands]
        ahead = mine[mine["stage"] != "published"]
        allowed = found[(found["kind"] == kind) & ~stands]
        rows.append(
            (kind, mine["content_id"].nunique(), ahead["content_id"].nunique(), allowed["content_id"].nunique())
        )
    return pd.DataFrame(rows, columns=["kind", "pieces", "ahead", "allowed"])


@quietly
def plot_by_kind(kinds: pd.DataFrame) -> Axes | None:
    """How many pieces each kind of finding concerns: those still to come dark, those that are out grey."""
    if kinds.empty:
        return None
    rows = kinds.iloc[::-1]
    names = [term("kind", k) for k in rows["kind"]]
    ax = style.axes(height=0.9 + 0.4 * len(rows))
    ax.barh(names, rows["ahead"], color=style.OWN, height=0.6)
    ax.barh(names, rows["pieces"] - rows["ahead"], left=rows["ahead"], color=style.COMPARISON, height=0.6)
    for y, (ahead, pieces) in enumerate(zip(rows["ahead"], rows["pieces"], strict=True)):
        text = _("{ahead} to come, {out} published").format(
            ahead=style.value(ahead, "count"), out=style.value(pieces - ahead, "count")
        )
        ax.annotate(text, (pieces, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.35)
    ax.set_title(_("Pieces in which something was found"))
    ax.locator_params(axis="x", integer=True)
    return style.count_axis(ax, which="x")


@answers("What was found, in its context?")
def in_context(found: pd.DataFrame) -> pd.DataFrame:
    """What was found in each piece, with the words around it, the law and the reason; what was allowed, and why.

    Returns
    -------
    DataFrame
        content_id, kind, context, law, why, allowed.
    """
    return found[["content_id", "kind", "context", "law", "why", "allowed"]]
