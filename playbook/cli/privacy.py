"""``playbook privacy``: what is held on a person, forgetting her, and which columns are personal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..language import _
from .app import ShopName, app, out, show_table

command = typer.Typer(
    help="Answer a person who asks what is held on her, or asks to be forgotten.", no_args_is_help=True
)
app.add_typer(command, name="privacy")

Person = Annotated[
    str, typer.Argument(help="person_id, platform:customer_id, telephone number or e-mail address (hashed at once).")
]


@command.command()
def access(
    shop: ShopName,
    person: Person,
    to: Annotated[Path | None, typer.Option(help="Where to write it; otherwise into the shop's privacy/.")] = None,
) -> None:
    """Write all that is held on a person into one JSON file, which only you can read."""
    from ..data import privacy
    from ..data.ingest import ingest
    from ..data.privacy.erasure import log, mark_of
    from ..data.privacy.subject import written
    from ..data.store import open_store

    store = open_store(shop)
    ingest(store)
    who = privacy.subject(store, person)
    held = privacy.access(store, person)
    mark = mark_of(store, who)
    path = to or store.folder / "privacy" / f"{who.person or mark[:16]}.json"
    written(path, json.dumps(held, ensure_ascii=False, indent=1) + "\n")
    rows = sum(len(r) for r in held["tables"].values())
    log(store, "access", mark, files=len(held["files"]), rows=rows)
    out.print(
        _("{path}: {accounts} accounts, {lines} lines of raw files, {rows} rows of tables").format(
            path=path, accounts=len(held["accounts"]), lines=len(held["files"]), rows=rows
        )
    )


@command.command()
def erase(
    shop: ShopName,
    person: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
) -> None:
    """Forget a person: raw files, quarantine, tables, marts and reports. Orders stay, as a guest's."""
    from ..data import privacy
    from ..data.ingest import ingest
    from ..data.store import open_store

    store = open_store(shop)
    ingest(store)
    if not yes:
        typer.confirm(
            _("Erase this person from the files of {shop}? It cannot be undone.").format(shop=shop), abort=True
        )
    done = privacy.erase(store, person)
    for name, rows in done.files.items():
        out.print(_("{file}: {n} rows rewritten").format(file=name, n=rows))
    for name in done.removed:
        out.print(_("{path} named the person and was removed").format(path=name))
    for name in done.named:
        out.print(_("{path} names the person and is yours: look at it").format(path=name))
    out.print(_("The person is forgotten. Reports have to be run again: playbook run {shop}").format(shop=shop))


@command.command()
def columns(shop: ShopName) -> None:
    """Which columns of the files and tables are personal, and what becomes of them."""
    from ..data import privacy
    from ..data.ingest import ingest
    from ..data.privacy.subject import stored
    from ..data.store import open_store

    store = open_store(shop)
    accounting = ingest(store)
    found = privacy.columns(accounting, stored(store))
    show_table(list(found.columns), found.to_numpy().tolist())
