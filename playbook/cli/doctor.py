"""``playbook doctor``: what a shop has, what it lacks and what that would unlock, and whether a report can be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..language import _
from .app import ShopName, app, out
from .commands import worst_reasons

if TYPE_CHECKING:
    from ..data.store import Store
    from ..report.needs import Gap
    from ..shop import Shop

WORST = 4
"""Reasons, rules and the like that one screen holds of each kind."""

NAMED = 4
"""Questions of a notebook that are named for each table or column that is lacking."""
TOLD = 3
"""Notebooks whose questions are named, those with most; of the others the number is enough."""


@app.command()
def doctor(shop: ShopName) -> None:
    """Say what a shop has, lacks and could answer, and whether a report can be made (status 0) or not (1)."""
    from ..data.ingest import ingest
    from ..data.store import ShopError, open_store
    from ..shop import shop_of

    store = open_store(shop)
    _title(store)
    accounting: Mapping[str, Any] | None = None
    try:
        accounting = ingest(store)
        opened: Shop | None = shop_of(store)
        problem = ""
    except ShopError as error:
        opened, problem = None, str(error)
    if accounting:
        _data(accounting)
    if opened:
        _absent(opened)
    _kept(store)
    out.print()
    if problem:
        out.print(_("No report can be made: {why}").format(why=problem))
        raise typer.Exit(1)
    out.print(_("A report can be made: playbook run {shop}").format(shop=shop))


def _title(store: Store) -> None:
    s = store.settings
    out.print(
        _("{title} ({shop}): engine {engine}, language {language}, weeks begin on {day}.").format(
            title=s.title or s.name, shop=store.name, engine=s.engine, language=s.language, day=s.week_start
        )
    )


def _data(accounting: Mapping[str, Any]) -> None:
    """Files, rows by outcome, tables, and what is wrong with them."""
    from .. import style
    from ..data.ingest.stage import OUTCOMES

    def count(n: int) -> str:
        return style.value(n, "count")

    rows = {o: sum(f.get(o, 0) for f in accounting["files"]) for o in ("read", *OUTCOMES)}
    span = accounting["span"]
    if span:
        text = _("{files} files, orders from {first} to {last}; money in {currency}, clock of {zone}.")
        words = {"first": span["first_day"], "last": span["last_day"]}
    else:
        text, words = _("{files} files without orders; money in {currency}, clock of {zone}."), {}
    words |= {"currency": accounting["currency"], "zone": accounting["zone"]}
    out.print(text.format(files=len(accounting["files"]), **words))
    out.print(
        _(
            "{read} rows read = {accepted} accepted + {superseded} superseded + {duplicate} duplicate "
            "+ {skipped} skipped + {quarantined} quarantined."
        ).format(**{o: count(n) for o, n in rows.items()})
    )
    _list(_("Tables"), [f"{name} {count(n)}" for name, n in accounting["tables"].items()], inline=True)
    _list(_("In quarantine"), [f"{count(n)}  {reason}" for reason, n in worst_reasons(accounting)])
    broken = [c for c in accounting["checks"] if c["broken"]]
    rule = _("{broken} of {rows} rows: {rule}")
    _list(
        _("Rules that are broken"),
        [rule.format(broken=count(c["broken"]), rows=count(c["rows"]), rule=_(c["text"])) for c in broken],
    )
    _list(_("Assumed"), accounting["assumptions"])
    _list(_("Passed over, as the book cannot read them"), accounting["passed_over"])


def _absent(shop: Shop) -> None:
    """What is lacking, and which questions of which notebooks it would answer."""
    from ..report.needs import gaps
    from ..report.notebooks import notebooks

    found: dict[str, list[Gap]] = {}
    for gap in gaps(shop, notebooks()):
        found.setdefault(gap.what, []).append(gap)
    if not found:
        out.print(_("Nothing is missing: every question of every notebook has its data."))
        return
    out.print()
    out.print(_("What is missing, and what it would answer:"))
    for what, asked in sorted(found.items(), key=lambda entry: -len(entry[1])):
        out.print(f"  {_called(what)}")
        named = {
            g.notebook: list(dict.fromkeys(_question(h) for h in asked if h.notebook == g.notebook)) for g in asked
        }
        used = sorted(named, key=lambda notebook: -len(named[notebook]))
        for notebook in used[:TOLD]:
            names = named[notebook]
            more = _("{questions} and {n} more").format(questions=", ".join(names[:NAMED]), n=len(names) - NAMED)
            out.print(f"    {notebook}  {more if len(names) > NAMED else ', '.join(names)}")
        if used[TOLD:]:
            out.print("    " + _("also {notebooks}").format(notebooks=", ".join(sorted(used[TOLD:]))))


def _called(what: str) -> str:
    """A table with the columns that it cannot do without, or a column."""
    from ..data.schema import TABLES

    if what not in TABLES:
        return what
    return _("{table} (at least {columns})").format(table=what, columns=", ".join(TABLES[what].required))


def _question(gap: Gap) -> str:
    return _("{question} (in full)").format(question=gap.question) if gap.partial else gap.question


def _kept(store: Store) -> None:
    """What people planned, and what was forecast and decided."""
    out.print()
    for name, what in (("plan", _("what people planned")), ("ledger", _("what was forecast and decided"))):
        files = _files(store.folder / name)
        text = _("{folder}/ ({what}): {n} files.") if files else _("{folder}/ ({what}): nothing yet.")
        out.print(text.format(folder=name, what=what, n=len(files)))


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")] if folder.is_dir() else []


def _list(title: str, entries: Iterable[str], *, inline: bool = False) -> None:
    """A few lines under a title; nothing where there are none."""
    entries = list(entries)
    if not entries:
        return
    if inline:
        out.print(_("{title}: {entries}").format(title=title, entries=", ".join(entries)))
        return
    out.print(_("{title}:").format(title=title))
    for entry in entries[:WORST]:
        out.print(f"  {entry}")
    if len(entries) > WORST:
        out.print("  " + _("… and {n} more").format(n=len(entries) - WORST))
