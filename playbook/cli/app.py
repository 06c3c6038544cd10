"""The application that every command joins, its two consoles, and what becomes of an error."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..language import _

PACKAGE = Path(__file__).resolve().parents[1]

WIDE = 4096
"""Columns of a table that goes into a file or a pipe: nothing is to be cut there."""

app = typer.Typer(
    help="The operating book of an e-commerce marketing team: exports in, decisions out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

ShopName = Annotated[str, typer.Argument(help="A folder of data/.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from; may stand anywhere.")] = False,
) -> None:
    pass  # `main` has taken it off the line


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """A table, with every cell whole: folded in a terminal that is too narrow, as wide as it is anywhere else."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = out if out.is_terminal else Console(file=out.file, width=WIDE, highlight=False, markup=False, emoji=False)
    console.print(table, soft_wrap=False)


def main() -> None:
    """Run the command line; an error that a user can mend is one sentence, not a traceback."""
    words = sys.argv[1:]
    ours = words[: words.index("--")] if "--" in words else words
    debug = "--debug" in ours
    words = [w for w in ours if w != "--debug"] + words[len(ours) :]
    try:
        app(args=words, prog_name="playbook", standalone_mode=True)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) or (isinstance(error, ValueError) and _raised_by_us(error.__traceback__)):
            err.print(_("Error: {sentence}").format(sentence=error))
            raise SystemExit(2) from None
        err.print(
            _(
                "Something went wrong in the book itself: {kind}: {sentence}. This is not your mistake; "
                "run again with --debug to see where, and report it."
            ).format(kind=type(error).__name__, sentence=" ".join(str(error).split()).rstrip("."))
        )
        raise SystemExit(3) from None


def _raised_by_us(trace: TracebackType | None) -> bool:
    """Whether an error comes from a ``raise`` in this package, with a sentence for the user, and not from a slip."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    file = trace.tb_frame.f_code.co_filename
    ours = Path(file).resolve().is_relative_to(PACKAGE)
    return ours and linecache.getline(file, trace.tb_lineno).lstrip().startswith("raise ")
