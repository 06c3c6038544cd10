"""``playbook formats``: which exports the book understands, and what it would make of a file.

Nothing that may be personal is shown: of unmapped and of personal columns no cell, and of a file without a header not
its first line either.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..language import _
from .app import app, out, show_table

if TYPE_CHECKING:
    from ..data.ingest.model import SourceFormat
    from ..data.ingest.read import RawFile
    from ..data.store import Store

NEAREST = 3
"""Formats that are named where none fits."""

FIRST = 3
"""Rows that are shown of each outcome."""

command = typer.Typer(help="List the exports that the book understands, or try a file.", invoke_without_command=True)
app.add_typer(command, name="formats")

OfShop = Annotated[str, typer.Option("--shop", help="Also the formats of this shop, and its settings.")]


@command.callback()
def formats(ctx: typer.Context, shop: OfShop = "") -> None:
    """List the exports that the book understands."""
    if ctx.invoked_subcommand is not None:
        return
    rows, canonical = [], []
    for f in _known(_store(shop)):
        if f.name.startswith("canonical_"):
            canonical.append(f.targets[0].table)
            continue
        tables = ", ".join(dict.fromkeys(t.table for t in f.targets))
        rows.append([f.name, _(f.title), tables, _("the shop's own") if f.own else _("the book's")])
    show_table([_("name"), _("title"), _("fills"), _("from")], rows)
    out.print()
    out.print(_("And any table of the book under its own name and column names, e.g. orders.csv:"))
    out.print("  " + ", ".join(canonical))


@command.command("try")
def try_(file: Annotated[Path, typer.Argument(help="A raw export.")], shop: OfShop = "") -> None:
    """Say which format a file has and what would be read from it; nothing is kept."""
    from ..data.ingest.build import recognised
    from ..data.ingest.files import ENDINGS
    from ..data.ingest.read import read
    from ..data.store import ShopError

    if not file.is_file():
        raise ShopError(_("there is no file {file}").format(file=file))
    if not file.name.casefold().endswith(ENDINGS):
        raise ShopError(
            _("{file} is of a kind that the book cannot read: save it as one of {endings}").format(
                file=file.name, endings=", ".join(ENDINGS)
            )
        )
    store = _store(shop)
    known = _known(store)
    try:
        raw, fmt = recognised(file, file.name, known, shop or "SHOP")[0]
    except ShopError as error:
        if file.name.casefold().endswith(".zip"):
            raise
        raw = read(file, file.name)  # what cannot be read at all is said by this
        if _fitting(known, raw):
            raise error from None
        _none_fits(raw, known, shop or "SHOP")
        raise typer.Exit(1) from None
    _recognised(raw, fmt)
    _what_comes_out(file, store)


def _store(shop: str) -> Store | None:
    from ..data.store import open_store

    return open_store(shop) if shop else None


def _known(store: Store | None) -> list[SourceFormat]:
    from ..data.ingest.files import own_formats
    from ..data.ingest.formats import load_formats

    return load_formats(store.folder / "formats" if store and own_formats(store) else None)


def _fitting(known: Sequence[SourceFormat], raw: RawFile) -> list[SourceFormat]:
    from ..data.ingest.build import HEADER_WITHIN

    headers = [raw.headed(i).header for i in range(min(HEADER_WITHIN, len(raw.starts)))] or [raw.header]
    return [f for f in known if f.takes_name(raw.path.name) and any(f.columns_of(h) is not None for h in headers)]


# --- a file whose format is known -------------------------------------------------------------------


def _recognised(raw: RawFile, fmt: SourceFormat) -> None:
    """Which format it is, how the file is written, and which columns are read."""
    out.print(_("{file}: {title} (the format {format}).").format(file=raw.name, title=_(fmt.title), format=fmt.name))
    out.print(_written(raw, has_header=not fmt.header))
    found = {} if fmt.header else fmt.columns_of(raw.header) or {}
    names = list(fmt.header) or raw.header
    found = found or fmt.columns_of(names) or {}
    read = [
        [names[found[f.name]], f.name, f.type, _("redacted") if f.personal else ""]
        for f in fmt.fields
        if f.name in found
    ]
    show_table([_("column"), _("read as"), _("type"), ""], read)
    if rest := [h for i, h in enumerate(names) if i not in found.values()]:
        out.print(_("Not read: {columns}").format(columns=", ".join(_shown(rest))))
    if lacking := [f.headers[0] for f in fmt.fields if f.name not in found]:
        out.print(_("Could also be read, but is not there: {columns}").format(columns=", ".join(lacking)))


def _written(raw: RawFile, *, has_header: bool) -> str:
    """Encoding, delimiter and header of a file, in a sentence."""
    if raw.encoding in ("workbook", "parquet"):
        return _("It is a {kind} with {n} columns.").format(kind=_(raw.encoding), n=len(raw.header))
    marks = {",": _("commas"), ";": _("semicolons"), "\t": _("tabs"), "|": _("vertical bars")}
    words = {"encoding": raw.encoding.upper(), "mark": marks.get(raw.delimiter, raw.delimiter)}
    if not has_header:
        return _("Its encoding is {encoding}, {mark} stand between its cells, it has no header.").format(**words)
    line = int(raw.lines[max(raw.head, 0)])
    text = _("Its encoding is {encoding}, {mark} stand between its cells, its header is on line {line}.")
    return text.format(line=line, **words)


def _what_comes_out(file: Path, store: Store | None) -> None:
    """Ingest the file alone, in a folder that is thrown away, and say what became of its rows."""
    import pandas as pd

    from ..data.ingest import ingest
    from ..data.store import Settings, ShopError, Store

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / (store.name if store else "SHOP")
        (place / "raw").mkdir(parents=True)
        (place / "raw" / file.name).symlink_to(file.resolve())
        if store and (store.folder / "formats").is_dir():
            shutil.copytree(store.folder / "formats", place / "formats")
        alone = Store(place, store.settings if store else Settings(name="SHOP"))
        try:
            accounting = ingest(alone)
        except ShopError as error:
            out.print()
            out.print(_("It would be refused: {why}").format(why=error))
            raise typer.Exit(1) from None
        assert alone.tables is not None
        rows = pd.read_parquet(alone.tables / "rows.parquet")
        bad = alone.tables / "quarantine.csv"
        quarantine = pd.read_csv(bad, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    _outcomes(accounting, rows, quarantine)


def _outcomes(accounting: Mapping[str, Any], rows: Any, quarantine: Any) -> None:
    from .. import style
    from .commands import amount, show_accounting

    out.print()
    show_accounting(accounting)
    for row in quarantine.head(FIRST).itertuples():
        text = _("line {line}: {field}: {reason}") if row.field else _("line {line}: {reason}")
        out.print("    " + text.format(line=row.line, field=row.field, reason=_(row.reason)))
    shown = rows[rows.outcome != "quarantined"].sort_values("row").groupby("outcome").head(FIRST)
    cells = [
        [
            str(int(r.row)),
            r.outcome,
            "" if _nothing(r.at) else f"{r.at:%Y-%m-%d %H:%M} UTC",
            "" if _nothing(r.money) else amount(r.money, accounting["currency"]),
            r[4] if isinstance(r[4], str) else "",
        ]
        for r in shown[["row", "outcome", "at", "money", "class"]].itertuples(index=False)
    ]
    out.print()
    show_table([_("row"), _("outcome"), _("time"), _("money"), _("class")], cells, right=[_("row"), _("money")])
    tables = ", ".join(f"{name} {style.value(n, 'count')}" for name, n in accounting["tables"].items())
    out.print()
    out.print(_("Rows that would come out: {tables}").format(tables=tables))
    for sentence in accounting["assumptions"]:
        out.print(_("Assumed: {sentence}").format(sentence=sentence))


def _nothing(value: object) -> bool:
    """Whether a cell holds nothing (None, NaN or NaT, which differs from itself)."""
    return value is None or value != value


# --- a file that no format fits ---------------------------------------------------------------------

_DATA = re.compile(r"@|\d{5,}|^\s*[-+]?[\d.,:/ -]*\d[\d.,:/ -]*$")


def _looks_like_data(header: Sequence[str]) -> bool:
    """Whether a first line is no header but a row: cells that are numbers or times, or hold an address."""
    return any(_DATA.search(cell) for cell in header if cell)


def _shown(names: Sequence[str]) -> list[str]:
    return [" ".join(n.split())[:40] or _("(no name)") for n in names]


def _none_fits(raw: RawFile, known: Sequence[SourceFormat], shop: str) -> None:
    """What the file is, which formats come nearest, and a format to copy and fill in."""
    headers = raw.header
    out.print(_("{file}: no source format has these columns.").format(file=raw.name))
    bare = _looks_like_data(headers)
    out.print(_written(raw, has_header=not bare))
    if bare:
        text = _("Its first line looks like data, so it is not shown; it has {n} columns. Give them names in `header`.")
        out.print(text.format(n=len(headers)))
        headers = [f"column_{i}" for i in range(1, len(headers) + 1)]
    else:
        out.print(_("Its columns: {columns}").format(columns=", ".join(_shown(headers))))
    out.print()
    out.print(_("The nearest formats, and what they lack in it:"))
    usable = [f for f in known if not f.header]
    ranked = sorted(usable, key=lambda f: (_share_lacking(f, headers), not f.takes_name(raw.path.name), f.name))
    for f in ranked[:NEAREST]:
        columns = ", ".join(f.lacks(headers))
        if columns:
            out.print("  " + _("{format}: {columns}").format(format=f.name, columns=columns))
        else:
            patterns = ", ".join(f.files)
            out.print("  " + _("{format}: nothing but a name like {patterns}").format(format=f.name, patterns=patterns))
    out.print()
    text = _("A format of your own: copy this into data/{shop}/formats/{name}.toml")
    out.print(text.format(shop=shop, name=_stem(raw)))
    out.print()
    out.print(skeleton(raw.path.name, headers, known, nearest=ranked[0] if ranked else None, bare=bare))


def _share_lacking(f: SourceFormat, header: Sequence[str]) -> float:
    return len(f.lacks(header)) / max(1, sum(not field.optional for field in f.fields))


def _stem(raw: RawFile) -> str:
    return re.sub(r"\W+", "_", raw.path.name.split(".")[0]).strip("_").casefold() or "mine"


def skeleton(
    file: str,
    headers: Sequence[str],
    known: Sequence[SourceFormat],
    *,
    nearest: SourceFormat | None,
    bare: bool = False,
) -> str:
    """A source format for a file, with its own headers to choose from; headers that other formats know are filled in.

    Parameters
    ----------
    file : str
        Name of the file.
    headers : sequence of str
        Its columns.
    known : sequence of SourceFormat
        Formats whose words for a column are taken over.
    nearest : SourceFormat or None
        The format whose table this is likely to be.
    bare : bool
        The file has no header line.
    """
    from ..data.ingest.model import normal
    from ..data.schema import TABLES

    table = TABLES[nearest.targets[0].table if nearest and _share_lacking(nearest, headers) < 1 else "orders"]
    words: dict[str, str] = {}
    for f in known:
        aliases = {field.name: field.headers for field in f.fields}
        for target in (t for t in f.targets if t.table == table.name):
            for column, sql in target.columns.items():
                words |= {normal(h): column for h in aliases.get(sql, ()) if normal(h) not in words}
    guessed = {words[normal(h)]: h for h in reversed(headers) if normal(h) in words}
    lines = [f"title = {_quoted(Path(file).stem)}", f"files = {_quoted(re.sub('[0-9]+', '*', file))}"]
    if bare:
        lines.append(f"header = [{', '.join(map(_quoted, headers))}]")
    lines += ["", f"[map.{table.name}]"]
    for c in table.columns:
        if c.required or c.name in guessed:
            header = guessed.get(c.name, _("the column with: {meaning}").format(meaning=c.meaning))
            lines.append(f"{c.name} = {_quoted(header)}" + ("" if c.name in guessed else "  # " + _("to be filled in")))
    rest = [h for h in headers if h not in guessed.values()]
    lines += ["", "# " + _("Columns of the file that nothing reads yet:"), *(f"# … = {_quoted(h)}" for h in rest)]
    others = [c.name for c in table.columns if not c.required and c.name not in guessed]
    lines += ["# " + _("What else {table} can hold: {columns}").format(table=table.name, columns=", ".join(others))]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c for c in plain if c.isprintable()) + '"'
