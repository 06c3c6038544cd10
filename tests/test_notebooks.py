"""Every notebook of the book keeps the house style, and runs from the first cell to the last."""

import ast
import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from playbook.data.demo import generate

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
CAPABILITIES = ROOT.parent / "shared" / "spec" / "capabilities.tsv"

PATHS = sorted(p for p in FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
NUMBERED = [p for p in PATHS if p.parent == FOLDER]

ROLES = {"parameters", "setup", "explore", "raises-exception"}
MOST_LINES, MOST_CELLS = 10, 25

# What defines or hides something; a notebook calls the package, and the package defines.
FORBIDDEN = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.With, ast.Try,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip

each = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
argument = pytest.mark.parametrize("path", NUMBERED, ids=lambda p: p.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code(nb):
    return [c for c in nb.cells if c.cell_type == "code"]


def prose(nb):
    return [c for c in nb.cells if c.cell_type == "markdown"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def tagged(nb, tag):
    return [c for c in code(nb) if tag in tags(c)]


def test_there_are_notebooks_and_their_names_carry_their_numbers():
    assert {"00_data_health", "07a_scorecard"} <= {p.stem for p in NUMBERED}
    assert all(re.fullmatch(r"\d\d[a-z]?_[a-z0-9_]+", p.stem) for p in NUMBERED)
    assert len({p.stem.split("_")[0] for p in NUMBERED}) == len(NUMBERED)


@each
def test_the_file_is_valid_and_carries_nothing_of_a_run(path):
    nb = read(path)
    nbformat.validate(nb)
    assert nb.nbformat == 4 and nb.nbformat_minor >= 5
    assert [c.source[:40] for c in code(nb) if c.outputs or c.execution_count is not None] == []
    assert "widgets" not in nb.metadata and nb.metadata.kernelspec.name == "python3"
    ids = [c.get("id") for c in nb.cells]
    assert all(ids) and len(set(ids)) == len(ids)


@argument
def test_one_cell_declares_parameters_shop_and_period_first_each_with_its_type_and_a_working_default(path):
    (cell,) = tagged(read(path), "parameters")
    names = []
    for line in ast.parse(cell.source).body:
        assert isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name), ast.unparse(line)
        value = ast.literal_eval(line.value)
        kinds = {"str": str, "int": int, "float": float, "bool": bool}
        assert type(value) is kinds[ast.unparse(line.annotation)], ast.unparse(line)
        names.append((line.target.id, value))
    assert names[:2] == [("shop", "demo"), ("period", "latest")]
    assert all("#" in line for line in cell.source.splitlines()), "each parameter says what it may be"


@each
def test_one_cell_sets_up_and_only_it_imports(path):
    nb = read(path)
    (cell,) = tagged(nb, "setup")
    assert code(nb).index(cell) == 1
    importing = [
        c for c in code(nb) if any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(ast.parse(c.source)))
    ]
    assert importing == [cell]
    modules = {n.module.split(".")[0] for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.ImportFrom)}
    assert modules <= {"playbook"} and not any(isinstance(n, ast.Import) for n in ast.walk(ast.parse(cell.source)))


@argument
def test_it_opens_with_its_only_title_and_a_question(path):
    nb = read(path)
    titles = [line for c in prose(nb) for line in c.source.splitlines() if re.match(r"#\s", line)]
    assert len(titles) == 1 and nb.cells[0].source.startswith(titles[0])
    assert "?" in nb.cells[0].source.split("\n\n")[1]


@each
def test_nothing_is_defined_and_cells_are_few_and_short(path):
    cells = code(read(path))
    assert len(cells) <= MOST_CELLS
    for cell in cells:
        assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        found = [type(n).__name__ for n in ast.walk(ast.parse(cell.source)) if isinstance(n, FORBIDDEN)]
        assert found == [], cell.source


@argument
def test_prose_states_no_number(path):
    """Numbers come from the data; only the level of an interval is a convention: 95 %."""
    for cell in prose(read(path)):
        said = re.sub(r"\b95 %", "", cell.source)
        assert re.findall(r"\d", said) == [], cell.source


@argument
def test_every_step_asks_before_it_answers_and_the_last_says_so_what(path):
    nb = read(path)
    headings = [c for c in prose(nb) if c.source.startswith("## ")]
    assert headings[-1] is prose(nb)[-1] and headings[-1].source.startswith("## So what")
    after = nb.cells[nb.cells.index(headings[-1]) + 1 :]
    assert after and all(c.cell_type == "code" for c in after)
    assert "conclude(" in after[-1].source
    for before, cell in zip(nb.cells, nb.cells[1:], strict=False):
        if cell.cell_type == "markdown":
            assert before.cell_type == "code" or before is nb.cells[0], "two pieces of prose without an answer between"


@each
def test_tags_are_roles_or_capabilities_that_exist(path):
    said = {t for c in read(path).cells for t in tags(c)} - ROLES
    assert all(re.fullmatch(r"[A-Z]+\d+[a-z]?", t) for t in said), said
    if said and CAPABILITIES.exists():
        with CAPABILITIES.open(encoding="utf-8", newline="") as file:
            known = {row["id"] for row in csv.DictReader(file, delimiter="\t")}
        assert said <= known


@argument
def test_every_figure_of_a_page_has_a_name_of_its_own(path):
    names = re.findall(r'\bname="([^"]+)"', "\n".join(c.source for c in code(read(path))))
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z][a-z0-9_]*", n) for n in names)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A home with a small demo shop."""
    home = tmp_path_factory.mktemp("small")
    generate(home / "data" / "demo", scale=0.05)
    return home


@pytest.mark.parametrize("path", PATHS, ids=[p.stem for p in PATHS])
def test_a_notebook_runs_on_a_small_demo_shop(path, small):
    """nbval runs each cell where it lies; it has no stored outputs to compare: this is smoke."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"PLAYBOOK_HOME": str(small)}
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", "-p", "no:xdist", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert f"{len(code(read(path)))} passed" in done.stdout
    assert not (small / "reports").exists()  # a notebook returns; only the runner writes
