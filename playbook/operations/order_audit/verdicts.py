"""What people have said of the orders in the queue: read back, before the rules, and how often these were right."""

from __future__ import annotations

import ibis
import pandas as pd

from ... import style
from ...data.plan_sheets import Column
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...methods.intervals import wilson
from ...missing import answers
from . import rules

DOUBTFUL, GENUINE = ("fake", "refund loop"), "genuine"
KEY = ("platform", "order_id")
"""Of the sheet: no order may stand in it twice."""
PRECISION_UNITS = {"looked_at": "count", "confirmed": "count", "precision": "share", "waiting": "count"}
"""Units of what `precision` returns."""


def columns() -> list[Column]:
    """What a shop's ``plan/audit_queue.csv`` must hold: the proposed queue, with the verdicts filled in so far."""
    return [
        Column("platform"),
        Column("order_id", required=True),
        Column("verdict", one_of=(*DOUBTFUL, GENUINE)),
    ]


def joined(orders: ibis.Table, said: pd.DataFrame | None) -> ibis.Table:
    """The orders with the verdict that a person gave each; an empty text where nobody has."""
    if said is None or (given := said[said["verdict"].notna()]).empty:
        return orders.mutate(verdict=ibis.literal(""))
    whole = given["platform"].isna()  # a shop with one platform need not name it
    out = _beside(orders, given[~whole], ["platform", "order_id"], "here")
    out = _beside(out, given[whole], ["order_id"], "anywhere")
    return out.mutate(verdict=ibis.coalesce(out["here"], out["anywhere"], "")).drop("here", "anywhere")


def _beside(orders: ibis.Table, given: pd.DataFrame, on: list[str], name: str) -> ibis.Table:
    rows = given[[*on, "verdict"]].rename(columns={"verdict": name}).astype(object)
    table = ibis.memtable(rows, schema=dict.fromkeys(rows.columns, "string"))
    return orders.left_join(table, on, rname="{name}_said").drop(*(f"{c}_said" for c in on))


@answers("Which orders should somebody look at?")
def review(queue: pd.DataFrame) -> pd.DataFrame:
    """The queue as a sheet for a person to fill in: orders with their signs, and what was said of them so far.

    Returns
    -------
    DataFrame
        platform, order_id, ordered_at, amount, kind, score, signs, verdict (empty: nobody has looked); those first that
        wait, the surest first.
    """
    wanted = ["platform", "order_id", "ordered_at", "amount", "kind", "score", "signs", "verdict"]
    waiting = queue.loc[queue["verdict"] == "", wanted]
    told = pd.DataFrame(queue.attrs["looked_at"], columns=wanted)
    told["ordered_at"] = pd.to_datetime(told["ordered_at"])
    return pd.concat([waiting, told], ignore_index=True) if len(told) else waiting.reset_index(drop=True)


@answers("How often were the rules right?")
def precision(queue: pd.DataFrame) -> pd.DataFrame:
    """How often were the rules right, by what people have said so far?

    Parameters
    ----------
    queue : DataFrame
        What `audit` returned when it was told ``plan/audit_queue.csv``.

    Returns
    -------
    DataFrame
        kind (that the rules gave; first all), waiting (orders that nobody has looked at), looked_at, confirmed (called
        doubtful by a person), precision (with precision_low, precision_high; Wilson, 95 %; NaN before anybody looked).

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209–212.
    """
    told = pd.DataFrame(queue.attrs["looked_at"], columns=["kind", "score", "verdict"])
    told = told[told["score"] >= rules.REVIEW]  # the rules did not name the others
    waiting = queue[queue["verdict"] == ""]
    rows = []
    for kind in ("all", *DOUBTFUL):
        mine, open_ = (t if kind == "all" else t[t["kind"] == kind] for t in (told, waiting))
        n, right = len(mine), int((mine["verdict"] != GENUINE).sum())
        if n or len(open_):
            low, high = wilson(right, n) if n else (float("nan"), float("nan"))
            rows.append((kind, len(open_), n, right, right / n if n else float("nan"), low, high))
    names = ["kind", "waiting", "looked_at", "confirmed", "precision", "precision_low", "precision_high"]
    out = pd.DataFrame(rows, columns=names)
    if told.empty and len(waiting):
        text = _(
            "Nobody has said of any order yet what it is. Copy plan/proposed/audit_queue.csv to plan/audit_queue.csv"
            " and write one of these words into its column verdict: {words}. The verdicts go before the rules."
        )
        out.attrs["notes"] = [text.format(words=listing((*DOUBTFUL, GENUINE)))]
    return out


@answers("How often were the rules right?")
def precision_findings(told: pd.DataFrame) -> list[Finding]:
    """How often were the rules right so far? Nothing before anybody has looked."""
    out = []
    for row in told[(told["kind"] != "all") & (told["looked_at"] > 0)].itertuples():
        text = _(
            "Of {n} orders that the rules called “{kind}” and a person looked at, {confirmed} were confirmed: {share}"
            " ({low} to {high}); {waiting} wait."
        )
        said = text.format(
            kind=term("kind", row.kind), n=style.value(row.looked_at, "count"),
            confirmed=style.value(row.confirmed, "count"), share=style.value(row.precision, "share"),
            low=style.value(row.precision_low, "share"), high=style.value(row.precision_high, "share"),
            waiting=style.value(row.waiting, "count"),
        )  # fmt: skip
        figure = Figure(
            "audit.precision", row.precision, "share", row.precision_low, row.precision_high, {"kind": row.kind}
        )
        out.append(Finding("watch" if row.waiting else "hold", said, figures=(figure,)))
    return out
