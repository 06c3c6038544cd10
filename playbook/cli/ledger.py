"""``playbook ledger`` and ``playbook decide``: what the reports forecast and decided, and what people did about it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from ..language import _
from .app import ShopName, app, out, show_table


@app.command()
def ledger(
    shop: ShopName,
    open_only: Annotated[bool, typer.Option("--open", help="Only what is not done, declined or scored yet.")] = False,
) -> None:
    """What the reports of a shop forecast and decided, and how it came out."""
    from ..data.store import open_store
    from ..decisions import Ledger

    store = open_store(shop)
    book, currency = Ledger.of(store), store.accounting()["currency"]
    decided, forecast = book.decisions(), book.forecasts()
    if open_only:
        decided = decided[decided["status"].isin(["proposed", "accepted"])]
        forecast = forecast[forecast["hit"].isna()]
    if decided.empty and forecast.empty:
        out.print(
            _("The ledger of {shop} is empty: a report writes into it when all its notebooks ran.").format(shop=shop)
        )
        return
    if len(decided):
        rows = [
            [d["id"], d["report"], d["status"], d["owner"], str(d["due"]), _number(d, "effect", currency),
             _number(d, "measured", currency), _came(d), d["text"]]
            for d in decided.to_dict("records")
        ]  # fmt: skip
        columns = [
            _("id"),
            _("report"),
            _("status"),
            _("owner"),
            _("due"),
            _("expected"),
            _("measured"),
            "",
            _("decision"),
        ]
        show_table(columns, rows, right=columns[5:7])
        out.print()
    if len(forecast):
        rows = [
            [f["id"], f["report"], f["notebook"], " ".join(filter(None, [f["metric"], f["by"]])), f["period"],
             _number(f, "value", currency), _between(f, currency), _number(f, "actual", currency), _came(f)]
            for f in forecast.to_dict("records")
        ]  # fmt: skip
        columns = [
            _("id"), _("report"), _("notebook"), _("metric"), _("period"), _("expected"), _("interval"), _("came"), "",
        ]  # fmt: skip
        show_table(columns, rows, right=columns[5:8])
        scored = forecast["hit"].dropna().astype(bool)
        if len(scored):
            out.print()
            out.print(
                _("{hits} of {n} forecasts that are due lay in their intervals.").format(
                    hits=scored.sum(), n=len(scored)
                )
            )


@app.command()
def decide(
    id: Annotated[str, typer.Argument(help="Of the decision, e.g. d-3fa9c1; `playbook ledger SHOP` lists them.")],
    status: Annotated[str, typer.Argument(help="accepted, done, declined, or proposed again.")],
    on: Annotated[str, typer.Option(help="The day it was done, as 2026-11-05; otherwise today.")] = "",
    owner: Annotated[str, typer.Option(help="Who does it.")] = "",
    due: Annotated[str, typer.Option(help="Until when, as 2026-11-05.")] = "",
    note: Annotated[str, typer.Option(help="Anything worth knowing later.")] = "",
    shop: Annotated[str, typer.Option(help="Needed only where two shops have a decision of this id.")] = "",
) -> None:
    """Say what became of a decision; the reports that come score it once it is done."""
    from ..data.sheets import day
    from ..data.store import ShopError, open_store, shops
    from ..decisions import Ledger

    days: dict[str, dt.date | None] = {}
    for name, said in {"--on": on, "--due": due}.items():
        try:
            days[name] = day(said)
        except ValueError:
            raise ShopError(_("{name} is {said!r}; write a day like 2026-11-05").format(name=name, said=said)) from None
    books = {name: Ledger.of(open_store(name)) for name in ([shop] if shop else shops())}
    having = [name for name, book in books.items() if any(e.id == id for e in book.entries())]
    if len(having) > 1:
        raise ShopError(_("{shops} have a decision {id}: say which with --shop").format(shops=", ".join(having), id=id))
    if not having:
        raise ShopError(_("there is no decision {id!r}; `playbook ledger SHOP` lists them").format(id=id))
    when = days["--on"] or (dt.date.today() if status == "done" else None)
    row = books[having[0]].decide(id, status, on=when, owner=owner, due=days["--due"], note=note)
    out.print(
        _("{id} of {shop} is {status}: {decision}").format(
            id=id, shop=having[0], status=row["status"], decision=row["decision"]
        )
    )


def _number(row: dict[str, Any], column: str, currency: str) -> str:
    from .. import style

    unit = row["unit"] if row["unit"] in style.UNITS else "ratio"
    return style.value(row[column], unit, currency=currency)


def _between(row: dict[str, Any], currency: str) -> str:
    from .. import style

    unit = row["unit"] if row["unit"] in style.UNITS else "ratio"
    return style.interval(row["low"], row["high"], unit, currency=currency)


def _came(row: dict[str, Any]) -> str:
    if row["hit"] is None:
        return row["why"]
    return _("hit") if row["hit"] else _("miss")
