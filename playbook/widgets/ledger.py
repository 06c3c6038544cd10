"""Answer decisions: accept them, give them to somebody else, move their day, mark them done."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ipywidgets as ipw

from ..data.store import Store
from ..decisions.ledger import STATUSES, Ledger
from ..language import _, term
from ..missing import Missing
from ..shop import Shop
from .shell import Explorer, View


def ledger(shop: Shop | Store) -> Explorer | Missing:
    """Answer the decisions of a shop's reports; what is written goes into ``decisions.csv`` of its ledger.

    Parameters
    ----------
    shop : Shop or Store
    """
    store = shop if isinstance(shop, Store) else shop.store
    if store is None:
        return Missing("ledger", remedy=_("A shop made from frames has no ledger."))
    book = Ledger.of(store)
    rows = {row["id"]: row for row in book.decisions().to_dict("records")}
    if not rows:
        return Missing(
            "ledger", remedy=_("No report has decided anything yet: playbook run {shop}").format(shop=store.name)
        )
    choice = [(f"{row['text'][:80]} ({id})", id) for id, row in rows.items()]
    first = rows[choice[0][1]]
    controls: dict[str, Any] = {
        "id": ipw.Dropdown(options=choice, description=_("Decision")),
        "status": ipw.Dropdown(
            options=[(term("status", s), s) for s in STATUSES], value=first["status"], description=_("Status")
        ),
        "owner": ipw.Text(first["owner"], description=_("Owner"), continuous_update=False),
        "due": ipw.DatePicker(value=first["due"], description=_("Due")),
        "on": ipw.DatePicker(value=first["done_on"], description=_("Done on")),
        "note": ipw.Text(first["note"], description=_("Note"), continuous_update=False),
    }
    button = ipw.Button(description=_("Write"), button_style="primary", tooltip=_("Into decisions.csv of the ledger"))
    written = ipw.HTML()

    def view(**values: Any) -> View:
        return described(rows[values["id"]], **values)

    def choose(change: dict[str, Any]) -> None:
        row = book.decisions().set_index("id").loc[change["new"]]
        for name, value in {"status": row.status, "owner": row.owner, "due": row.due, "on": row.done_on,
                            "note": row.note}.items():  # fmt: skip
            controls[name].value = value

    def write(_button: Any) -> None:
        values = explorer.values
        try:
            row = book.decide(values.pop("id"), values.pop("status"), **values)
            written.value = _("Written: {status}, {owner}, until {due}").format(**row)
        except ValueError as error:
            written.value = str(error)

    explorer = Explorer(controls, view, below=[button, written])
    explorer.write, explorer.said = button, written
    controls["id"].observe(choose, "value")
    button.on_click(write)
    return explorer


def described(
    row: dict[str, Any], *, id: str, status: str, owner: str, due: dt.date | None, on: dt.date | None, note: str
) -> View:
    """What would be written, in words and as the command that does the same.

    Raises
    ------
    ValueError
        Done, but no day.
    """
    if status == "done" and on is None:
        raise ValueError(_("Say on which day it was done."))
    words = ["playbook decide", id, status]
    for name, value in (("--on", on), ("--owner", owner), ("--due", due), ("--note", note)):
        words += [name, f'"{value}"' if " " in str(value) else str(value)] if value else []
    sentence = _("{decision} Proposed to {proposed}; now {status}, {owner}, until {due}.").format(
        decision=row["text"], proposed=row["owner"], status=term("status", status), owner=owner or row["owner"],
        due=due or row["due"],
    )  # fmt: skip
    return View(sentence, None, " ".join(words))
