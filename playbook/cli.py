"""The command line: thin over the package. What a user gets wrong is one sentence with its remedy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .language import _

app = typer.Typer(
    help="The operating book of an e-commerce marketing team: exports in, decisions out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ShopName = Annotated[str, typer.Argument(help="A folder of data/.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")]


@app.callback()
def _options(ctx: typer.Context, debug: Debug = False) -> None:
    ctx.obj = debug


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
) -> None:
    """Ingest what is new, run the notebooks, write the report."""
    from .data.store import ShopError, home
    from .report.run import run as make

    if shop == "demo":
        _ensure_demo()
    said = {}
    for pair in p or ():
        name, equals, value = pair.partition("=")
        if not equals:
            raise ShopError(_("{pair!r} is no parameter: write -p name=value").format(pair=pair))
        said[name] = value
    result = make(shop, period, only=only or (), said=said, tell=lambda sentence: out.print(f"  {sentence}"))
    index = result.index
    shown = index.relative_to(home()) if index.is_relative_to(Path.cwd()) and home() == Path.cwd() else index
    if result.failed:
        err.print(_("{n} notebooks failed: {names}").format(n=len(result.failed), names=", ".join(result.failed)))
    out.print(_("The report: {path}").format(path=shown))
    if result.failed:
        raise typer.Exit(1)


@app.command()
def ingest(shop: ShopName) -> None:
    """Build a shop's tables from the files in its raw/ and say what was done with every row."""
    from rich.table import Table

    from . import style
    from .data import quality
    from .data.ingest import ingest as build
    from .data.store import open_store

    if shop == "demo":
        _ensure_demo()
    store = open_store(shop)
    accounting = build(store)
    table = Table(box=None, header_style="bold")
    found = quality.sources(accounting)
    for name in found.columns:
        table.add_column(name.replace("_", " "), justify="left" if name == "file" else "right", overflow="fold")
    for row in found.itertuples(index=False):
        cells = row._asdict()
        money = style.value(cells.pop("file_total"), "currency", currency=accounting["currency"], digits=2)
        table.add_row(*(c if isinstance(c, str) else style.value(c, "count") for c in cells.values()), money)
    out.print(table)
    for name in accounting["passed_over"]:
        out.print(_("{file} was passed over: the book reads CSV, TSV, XLSX, XLS and Parquet.").format(file=name))


@app.command()
def new(shop: Annotated[str, typer.Argument(help="Name of the shop: letters, digits, dashes.")]) -> None:
    """Make the folder of a new shop."""
    from .data.store import create, home

    folder = create(shop)
    where = folder.relative_to(home())
    out.print(_("{folder}/shop.toml holds its settings; put exports into {folder}/raw/.").format(folder=where))
    out.print(_("Then: playbook run {shop}").format(shop=shop))


@app.command()
def demo(
    scale: Annotated[float, typer.Option(help="Size: 1 is about 30,000 orders.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed is another shop of the same kind.")] = 1,
    until: Annotated[str, typer.Option(help="Last month of the data.")] = "2026-10",
) -> None:
    """Make the demo shop."""
    from .data.demo import generate
    from .data.store import home

    generate(home() / "data" / "demo", scale=scale, seed=seed, until=until)
    out.print(_("The demo shop is in data/demo."))


def _ensure_demo() -> None:
    from .data.store import shops

    if "demo" not in shops():
        demo()


def main() -> None:
    """Run the command line; an error that a user can mend is one sentence, not a traceback."""
    debug = "--debug" in sys.argv
    try:
        app(standalone_mode=True)
    except (ValueError, OSError) as error:
        if debug:
            raise
        err.print(_("Error: {sentence}").format(sentence=error), markup=False)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
