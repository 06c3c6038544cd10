"""Bring every sentence of the book into its catalogues, playbook/locale/*/LC_MESSAGES/*.po; translations are kept.

`make catalogue` writes them; a sentence that is new comes in without a translation, one that is gone goes out. Nothing
is guessed from a similar sentence. English has the codes alone: `in_platform` is no word of it either.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from playbook.data import schema
from playbook.data.quality.rulebook import DIMENSIONS
from playbook.language import ENGLISH, LOCALES, humanise
from playbook.market.benchmarks import library
from playbook.market.festivals import NAMES
from playbook.methods.seasonality import CALENDAR
from playbook.metrics import METRICS
from playbook.metrics.facts import BREAKDOWNS
from playbook.style import UNITS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "playbook"

HEADER = """\
# {language}: what `make catalogue` found in {of}. Write translations into msgstr, keep the names in braces.
# msgctxt is the column whose codes a word stands for; “header” is the header of a column.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""

CODES: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "codes.toml").read_text(encoding="utf-8"))
for _column, _codes in {
    "dimension": DIMENSIONS,
    "unit": UNITS,
    "name": [festival.name for festival in CALENDAR],
    "festival": NAMES.values(),
    "says": library()["says"],
    "source": library()["source"],
}.items():
    CODES[_column] = list(dict.fromkeys([*CODES.get(_column, []), *_codes]))
"""Codes that data carry, by column, and that have a word on the page."""

FURTHER = (
    "step_rate", "minutes", "since", "elsewhere", "rank", "cut", "mean_value", "repeats", "typical_days", "basis",
    "to_window", "held_back", "orders_sent", "orders_held", "cap", "from_days", "to_days", "half_life", "then",
    "before_days", "below_minimum", "case", "changed", "gross", "late", "ordered_at", "policy", "runs_out_on", "says",
    "without_safety", "sales_change",
    "busiest",
)  # fmt: skip
"""Columns that are not found in the functions that make them."""

Found = tuple[str, str, str]  # file, context, text


def found() -> dict[str, list[Found]]:
    """Catalogue → what belongs into it, in the order of the files."""
    return {
        "playbook": [*_code(), *_metrics(), *_tables(), *_formats(), *_labels(), *_terms()],
        "notebooks": list(_notebooks()),
    }


def renewed(path: Path, language: str, texts: Iterable[Found]) -> Catalog:
    """The catalogue with exactly these texts, and the translations that it has of them."""
    old = read(path) if path.exists() else Catalog(locale=language)
    new = Catalog(locale=language, fuzzy=False)
    for file, context, text in texts:
        kept = old.get(text, context or None)
        said = kept.string if kept else spelled(text) if language == ENGLISH else ""
        new.add(text, said, locations=[(file, 0)], context=context or None)
    return new


def spelled(code: str) -> str:
    """A code in English; empty where it is a word already."""
    return humanise(code, inside=True) if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", code) else ""


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def save(path: Path, language: str, catalogue: Catalog) -> None:
    of = "notebooks/" if path.stem == "notebooks" else "playbook/"
    with path.open("wb") as file:
        file.write(HEADER.format(language=language, of=of).encode())
        write_po(file, catalogue, width=120, omit_header=True, include_lineno=False)


def main() -> None:
    for folder in sorted(LOCALES.glob("*/LC_MESSAGES")):
        language = folder.parent.name
        for name, texts in ({"playbook": list(_terms())} if language == ENGLISH else found()).items():
            path = folder / f"{name}.po"
            catalogue = renewed(path, language, texts)
            save(path, language, catalogue)
            lacking = sum(1 for m in catalogue if m.id and not m.string)
            print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {lacking} without a translation")


# -- where texts are


def _code() -> Iterator[Found]:
    """What passes through `_`, `N_` and `answers`, in modules and templates."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("_", "N_", "answers")
            ):
                of = next(_texts(node.args[1:2]), "") if node.func.id == "N_" else ""
                yield from ((_name(path), of, text) for text in _texts(node.args[:1]))
    blanks = {"trim_blocks": "true", "lstrip_blocks": "true"}
    for path in sorted(PACKAGE.rglob("*.j2")):
        for _line, text, *_rest in extract_from_file("jinja2.ext:babel_extract", path, {"_": None}, options=blanks):
            yield _name(path), "", str(text)


def _metrics() -> Iterator[Found]:
    for m in METRICS.values():
        for text in (m.title, m.definition, m.formula, *m.partial.values()):
            if text:
                yield "playbook/metrics", "", text
        yield "playbook/metrics", "formula", m.formula


def _tables() -> Iterator[Found]:
    for t in schema.TABLES.values():
        yield "playbook/data/schema", "", t.meaning
        yield "playbook/data/schema", "header", humanise(t.name)


def _formats() -> Iterator[Found]:
    for path in sorted((PACKAGE / "data" / "formats").glob("*.toml")):
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        yield _name(path), "export", said["title"]
        texts = [*said.get("assume", ()), *(c["text"] for c in said.get("check", ())), said.get("duplicates", "")]
        yield from ((_name(path), "", text) for text in texts if text)
        yield from ((_name(path), "class", name) for name in said.get("classes", ()))
        yield from ((_name(path), "", reason) for reason in said.get("reject", ()))


def _terms() -> Iterator[Found]:
    for column, codes in CODES.items():
        yield from (("codes", column, code) for code in codes)


def _labels() -> Iterator[Found]:
    """What is made from names: headers of breakdowns and of the columns of results, names of figures."""
    names = dict.fromkeys(BREAKDOWNS, "playbook/metrics")
    names |= dict.fromkeys((*DIMENSIONS, "overall"), "playbook/data/quality/scores.py")
    names |= dict.fromkeys(("segment", "stage", "band", "favourite"), "playbook/customers")
    names |= dict.fromkeys(("groups", "fit", "chosen", "price_band", "favourite_category"), "playbook/customers")
    names |= dict.fromkeys(FURTHER, "playbook")
    for path in sorted(PACKAGE.rglob("*.py")):
        names = dict.fromkeys(_named(ast.parse(path.read_text(encoding="utf-8"))), _name(path)) | names
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for node in _nodes(path):
            names |= dict.fromkeys(_chosen(node), _name(path))
        for call in _calls(path):
            for k in call.keywords:
                if k.arg == "units" and isinstance(k.value, ast.Dict):
                    names |= {n: _name(path) for n in _texts(k.value.keys)}
    yield from ((file, "header", humanise(name)) for name, file in sorted(names.items()))
    yield from (("playbook/metrics", "", humanise(name)) for name in METRICS)


def _named(module: ast.Module) -> Iterator[str]:
    """Names of figures, and of columns of the frames that answers are, or that have a unit."""
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and "_UNITS" in ast.dump(node.targets[0]):
            yield from _texts(node.value.keys)
    constants = {
        target.id: list(_texts(node.value.elts))
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple | ast.List)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Figure":
            yield from (name for name in _texts(node.args[:1]) if name not in METRICS)
        if isinstance(node, ast.FunctionDef) and any("answers" in ast.dump(d) for d in node.decorator_list):
            yield from _columns(node, constants)


def _columns(function: ast.FunctionDef, constants: dict[str, list[str]]) -> Iterator[str]:
    """Names that a function gives to columns: keys of rows, lists of columns, keywords of ibis and pandas."""
    about = {
        id(inner)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AugAssign)
        and ".attrs" in ast.unparse(node.target if isinstance(node, ast.AugAssign) else node.targets[0])
        for inner in ast.walk(node.value)
    }
    makes_frame = "DataFrame(" in ast.unparse(function)
    for node in ast.walk(function):
        yield from _chosen(node)
        if isinstance(node, ast.Dict) and makes_frame and id(node) not in about:
            yield from _texts(node.keys)
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("aggregate", "assign", "mutate"):
            yield from (k.arg for k in node.keywords if k.arg)
        for k in node.keywords:
            if k.arg == "columns" and isinstance(k.value, ast.List):
                yield from _texts(k.value.elts)
                starred = (e.value for e in k.value.elts if isinstance(e, ast.Starred))
                yield from (c for s in starred if isinstance(s, ast.Name) for c in constants.get(s.id, ()))


def _chosen(node: ast.AST) -> Iterator[str]:
    """The columns of frame[["one", "two"]]."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.List):
        yield from _texts(node.slice.elts)


def _notebooks() -> Iterator[Found]:
    """Markdown cells whole; of code cells the titles and notes that they give a table."""
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                yield _name(path), "", cell.source.strip()
        for call in _calls(path):
            yield from (
                (_name(path), "", t) for t in _texts(k.value for k in call.keywords if k.arg in ("title", "note"))
            )


def _calls(notebook: Path) -> Iterator[ast.Call]:
    return (n for n in _nodes(notebook) if isinstance(n, ast.Call))


def _nodes(notebook: Path) -> Iterator[ast.AST]:
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and not cell.source.lstrip().startswith(("%", "!")):
            yield from ast.walk(ast.parse(cell.source))


def _texts(nodes: Iterable[ast.AST | None]) -> Iterator[str]:
    return (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    main()
