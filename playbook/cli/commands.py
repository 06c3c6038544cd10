"""Commands that make things: a report, tables, a new shop, the demo shop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..language import _
from .app import ShopName, app, err, out, show_table


@app.command()
def run(
    shop: ShopName,
    period: Annotated[
        str, typer.Option(help="2026-10, 2026-W42, 2026-Q3, 2026, 2026-10-01/2026-10-15, latest.")
    ] = "latest",
    only: Annotated[list[str] | None, typer.Option(help="Number of a notebook, e.g. 07a; may be repeated.")] = None,
    p: Annotated[
        list[str] | None, typer.Option("-p", help="name=value for a notebook's parameter; may be repeated.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Notebooks at a time; otherwise one for each core.")] = None,
    limit: Annotated[float, typer.Option(help="Minutes that a notebook may take.")] = 10,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run all notebooks, also the unchanged.")] = False,
    cadence: Annotated[
        str,
        typer.Option(help="daily, weekly, monthly or quarterly: the latest period and the notebooks of that round."),
    ] = "",
) -> None:
    """Ingest what is new, run the notebooks, write the report."""
    from ..data.store import ShopError, home
    from ..report.progress import progress
    from ..report.run import run as make
    from ..tracking.cadence import CADENCES

    if shop == "demo":
        _ensure_demo()
    said = {}
    for pair in p or ():
        name, equals, value = pair.partition("=")
        if not equals:
            raise ShopError(_("{pair!r} is no parameter: write -p name=value").format(pair=pair))
        said[name] = value
    round_ = CADENCES.get(cadence) if cadence else None
    if cadence and round_ is None:
        raise ShopError(
            _("there is no cadence {name!r}; write one of: {known}").format(name=cadence, known=", ".join(CADENCES))
        )
    result = make(
        shop, period, only=only or (), said=said, jobs=jobs, limit=limit, fresh=fresh, cadence=round_,
        progress=progress(out),
    )  # fmt: skip
    index = result.index
    shown = index.relative_to(home()) if index.is_relative_to(Path.cwd()) and home() == Path.cwd() else index
    if result.failed:
        err.print(_("{n} notebooks failed: {names}").format(n=len(result.failed), names=", ".join(result.failed)))
    if result.skipped:
        names = ", ".join(result.skipped)
        err.print(_("{n} notebooks were not run: {names}").format(n=len(result.skipped), names=names))
    out.print(_("The report: {path}").format(path=shown))
    if result.failed or result.skipped:
        raise typer.Exit(1)


@app.command()
def ingest(shop: ShopName) -> None:
    """Build a shop's tables from the files in its raw/ and say what was done with every row."""
    from ..data.ingest import ingest as build
    from ..data.store import open_store

    if shop == "demo":
        _ensure_demo()
    accounting = build(open_store(shop))
    show_accounting(accounting)
    for name in accounting["passed_over"]:
        out.print(_("{file} was passed over: the book reads CSV, TSV, XLSX, XLS and Parquet.").format(file=name))


def show_accounting(accounting: Mapping[str, Any]) -> None:
    """What was done with the rows of each file, and below it why rows are in quarantine."""
    from .. import style
    from ..data.ingest.stage import OUTCOMES

    counts = ("read", *OUTCOMES)
    rows = []
    for f in accounting["files"]:
        own = f.get("currency", "")  # of several currencies there is no sum
        money = "" if "," in own else amount(f.get("file_total"), own or accounting["currency"])
        rows.append([f["file"], *(style.value(f.get(c, 0), "count") for c in counts), money])
    columns = ["file", *counts, "file total"]
    show_table(columns, rows, right=columns[1:])
    if why := worst_reasons(accounting):
        out.print()
        out.print(_("In quarantine (tables/…/quarantine.csv names every line):"))
        for reason, n in why:
            out.print(f"  {style.value(n, 'count')}  {reason}")


def amount(money: Any, currency: str) -> str:
    """An amount to the cent; "" where there is none."""
    from .. import style

    return "" if money is None else style.value(float(money), "currency", currency=currency, digits=2)


def worst_reasons(accounting: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Why rows are in quarantine, most frequent first."""
    found: Counter[str] = Counter()
    for q in accounting["quarantine"]:
        words = {"file": q["file"], "reason": _(q["reason"]), "field": q["field"]}
        text = _("{file}: {field}: {reason}") if q["field"] else _("{file}: {reason}")
        found[text.format(**words)] += q["rows"]
    return found.most_common()


@app.command()
def new(shop: Annotated[str, typer.Argument(help="Name of the shop: letters, digits, dashes.")]) -> None:
    """Make the folder of a new shop."""
    from ..data.store import create, home

    folder = create(shop)
    where = folder.relative_to(home())
    out.print(_("{folder}/shop.toml holds its settings; put exports into {folder}/raw/.").format(folder=where))
    out.print(
        _(
            "{folder}/templates/ has a table for each thing that no platform exports (targets, campaigns, stock …): "
            "fill one in and move it to {folder}/raw/. What the shop itself decides (limits for alerts, plans of "
            "campaigns, the library of assets) has its sheets in {folder}/templates/plan/, for {folder}/plan/."
        ).format(folder=where)
    )
    out.print(_("Then: playbook run {shop}").format(shop=shop))


@app.command()
def demo(
    scale: Annotated[float, typer.Option(help="Size: 1 is about 140,000 orders.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed is another shop of the same kind.")] = 1,
    until: Annotated[str, typer.Option(help="Last month of the data.")] = "2026-10",
    policy: Annotated[
        Path | None,
        typer.Option(help="Another decision for the same world: budgets, prices, promotions, stock (TOML)."),
    ] = None,
) -> None:
    """Make the demo shop, whose truth is known (data/demo/truth.json)."""
    from ..data.demo import generate
    from ..data.store import ShopError, home

    if policy is not None and not policy.is_file():
        raise ShopError(_("there is no file {path}").format(path=policy))
    try:
        generate(home() / "data" / "demo", scale=scale, seed=seed, until=until, policy=policy)
    except ValueError as error:
        raise ShopError(str(error)) from None
    out.print(_("The demo shop is in data/demo."))


def _ensure_demo() -> None:
    from ..data.store import shops

    if "demo" not in shops():
        demo()
