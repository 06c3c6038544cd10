"""The house keeps its shape: layers import downwards, wings keep to themselves, modules stay small and named."""

import ast
from pathlib import Path

import pytest

import playbook

PACKAGE = Path(playbook.__file__).parent

LAYERS = (
    {"language", "missing", "period", "style", "findings", "outlook"},
    {"data"},
    {"shop", "metrics", "methods"},
    {"market", "customers", "offers", "media", "content", "site", "planning", "tracking", "operations"},
    {"decisions", "report", "widgets", "training"},
    {"cli"},
)
LAYER = {part: level for level, parts in enumerate(LAYERS) for part in parts}
WINGS = LAYERS[3]

NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "lib"}

LONGEST = 400

# Outside IPython there is nothing to display on: page._display prints the text, as IPython.display.display does.
MAY_PRINT = {("report/page.py", "_display")}

MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "templates" not in p.parts)
IDS = [str(p.relative_to(PACKAGE)) for p in MODULES]


def part(path: Path) -> str:
    """The part of the house that a module belongs to: its folder, or its own name."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def for_types_only(tree: ast.AST) -> set[ast.AST]:
    """The nodes below ``if TYPE_CHECKING:``."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }


def imported(path: Path, *, types: bool = False) -> set[str]:
    """The parts of the house that a module imports; with `types` also those for annotations only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over = set() if types else for_types_only(tree)
    place = ["playbook", *path.relative_to(PACKAGE).with_suffix("").parts]
    found = set()
    for node in ast.walk(tree):
        if node in passed_over:
            continue
        if isinstance(node, ast.ImportFrom):
            base = place[: -node.level] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*module, alias.name] for alias in node.names] if len(module) == 1 else [module]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        found |= {name[1] for name in names if name[0] == "playbook" and len(name) > 1}
    return found - {part(path)}


def test_every_part_of_the_house_has_a_layer():
    assert {part(p) for p in MODULES} - {"__init__"} <= set(LAYER)
    assert len(MODULES) > 25 and {"shop", "metrics", "report", "cli"} <= {part(p) for p in MODULES}


def test_the_reader_of_imports_sees_all_kinds_of_them(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    module = tmp_path / "tracking" / "x.py"
    module.parent.mkdir()
    module.write_text(
        "from typing import TYPE_CHECKING\nimport playbook.cli\nfrom .. import style, shop as s\n"
        "from ..data.engine import a\n"
        "from . import drivers\nfrom playbook.market import size\nimport pandas\nfrom playbook import findings\n"
        "if TYPE_CHECKING:\n    from ..report import page\ndef f():\n    from ..media.paid import roi\n"
    )
    seen = {"cli", "style", "shop", "data", "market", "findings", "media"}
    assert imported(module) == seen
    assert imported(module, types=True) == seen | {"report"}


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_module_imports_only_from_its_own_layer_and_those_below(path):
    if part(path) == "__init__":  # the package's door: it hands out open_shop, and imports it only when asked
        assert imported(path) <= {"shop"}
        return
    above = {name for name in imported(path) if LAYER.get(name, 0) > LAYER[part(path)]}
    assert above == set()


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) in WINGS], ids=lambda p: p.stem)
def test_a_wing_takes_tables_and_frames_never_a_shop_and_no_other_wing(path):
    found = imported(path, types=True)
    assert "shop" not in found
    assert found & WINGS == set()


def test_data_is_the_only_part_that_opens_tables():
    engines = {"duckdb", "pyspark"}
    for path in MODULES:
        if part(path) != "data":
            names = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
            }
            assert not names & engines, path


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_no_module_is_nameless_or_long(path):
    assert not NAMELESS & set(path.relative_to(PACKAGE).with_suffix("").parts)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_nothing_in_the_package_prints(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (str(path.relative_to(PACKAGE)), node.name) in MAY_PRINT
        for inner in ast.walk(node)
    }
    printing = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" and node not in allowed
    ]
    assert printing == []


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_module_says_what_it_is_for(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body


def test_a_function_that_draws_computes_nothing_it_could_be_given():
    """A plot takes a result first and never measures, aggregates over the engine or reads a table itself."""
    taboo = {"measure", "open_shop", "shop_from", "to_pandas", "execute", "aggregate", "read_parquet", "read_csv"}
    seen = 0
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("plot_"):
                seen += 1
                calls = {
                    getattr(c.func, "id", getattr(c.func, "attr", ""))
                    for c in ast.walk(node)
                    if isinstance(c, ast.Call)
                }
                assert not calls & taboo, f"{path}: {node.name}"
                assert node.args.args and not node.args.defaults, f"{path}: {node.name}: options are keywords"
    assert seen >= 4
