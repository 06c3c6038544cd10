"""``playbook audience``: the only way by which an audience leaves the shop, with consent and with a line in its log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..language import _
from .app import ShopName, app, out


@app.command()
def audience(
    shop: ShopName,
    name: Annotated[str, typer.Argument(help="viewed, carted, silent or lapsed.")],
    period: Annotated[str, typer.Option(help="Whose end is now, as in `playbook run`.")] = "latest",
    to: Annotated[Path | None, typer.Option(help="Where to write it; otherwise into the shop's audiences/.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Write an audience of people who agreed into a file that only you can read, and say so in privacy.log."""
    from .. import open_shop
    from ..customers import audiences, purchases
    from ..data.privacy.handover import consenting, contacts, handed_over
    from ..missing import Missing

    if name not in audiences.AUDIENCES:
        told = _("there is no audience {name!r}; there is: {known}")
        raise ValueError(told.format(name=name, known=", ".join(audiences.AUDIENCES)))
    opened = open_shop(shop, period)
    bought = purchases.purchases(opened.orders, opened.persons, opened.customers)
    of = [purchases.rows_of_persons(t, opened.persons, opened.customers) for t in (opened.events, opened.messages,
                                                                             opened.tickets)]  # fmt: skip
    events, messages, tickets = of
    there = audiences.members(bought, events, messages, tickets, opened.customer_360, as_of=opened.as_of)
    if isinstance(there, Missing):
        raise ValueError(there.sentence())
    mine = there.filter(there.audience == name)
    people = int(mine.count().to_pandas())
    free = mine.filter(mine.why == "")
    accounts = consenting(free, opened.customers, opened.persons, opened.messages, at=opened.as_of)
    left = accounts.person_id.nunique()
    told = _("{n} of {people} people of “{name}” agreed and may be written to; the others are withheld.")
    out.print(told.format(n=left, people=people, name=name))
    if not left:
        return
    if not yes:
        typer.confirm(_("Read their telephone numbers and e-mail addresses from the raw files, and write them down?"),
                      abort=True)  # fmt: skip
    assert opened.store is not None
    rows = contacts(opened.store, accounts[["platform", "customer_id"]].itertuples(index=False, name=None))
    path = handed_over(opened.store, name, rows, withheld=people - left, to=to)
    reached = int(((rows.phone != "") | (rows.email != "")).sum())
    out.print(_("{path}: {n} accounts, {reached} of them with a telephone number or an e-mail address").format(
        path=path, n=len(rows), reached=reached))  # fmt: skip
