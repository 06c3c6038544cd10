"""What tests of runs share: a small shop, and a book of notebooks written in a line each."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ORDERS = "id,time,amount\n1,2024-01-01 10:00:00,5\n2,2024-01-15 10:00:00,7\n3,2024-02-03 10:00:00,1\n"

PARAMETERS = 'shop: str = "corner"\nperiod: str = "latest"\nlevel: int = 3'


@pytest.fixture
def says() -> Callable[[str, str], str]:
    """Code that hands a figure to the report, without the libraries that a real notebook imports."""
    return _says


def _says(name: str, value: str) -> str:
    record = f'{{"name": "{name}", "value": {value}, "low": None, "high": None, "unit": "count", "by": {{}}}}'
    bundle = f'{{"application/vnd.playbook.figures+json": [{record}], "text/plain": "{name}"}}'
    return f"from IPython.display import display\ndisplay({bundle}, raw=True)"


@pytest.fixture
def book(home: Path) -> Callable[..., Path]:
    """Write a notebook: its file's name without the ending, its cells' code, and what it is to run after."""

    def make(slug: str, *cells: str, after: Sequence[str] = (), explore: str = "") -> Path:
        nb = new_notebook(
            cells=[
                new_markdown_cell(f"# {slug[3:].capitalize()}\n\nWhat does {slug} say?"),
                new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
                *(new_code_cell(code) for code in cells),
            ]
        )
        nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        if explore:
            nb.cells.append(new_code_cell(explore, metadata={"tags": ["explore"]}))
        if after:
            nb.metadata["playbook"] = {"after": list(after)}
        for i, cell in enumerate(nb.cells):
            cell["id"] = f"cell-{i}"
        path = home / "notebooks" / f"{slug}.ipynb"
        path.parent.mkdir(exist_ok=True)
        write(nb, path)
        return path

    return make


@pytest.fixture
def corner(make_shop: Callable, home: Path):
    """A shop of three orders; January 2024 is its latest complete month."""
    return make_shop("corner", {"orders.csv": ORDERS}, 'title = "Corner shop"\nzone = "UTC"\ncurrency = "CNY"\n')


@pytest.fixture
def report(home: Path) -> Callable[[str], str]:
    """The text of a file of the corner shop's report for January."""
    return lambda name, folder="2024-01": (home / "reports" / "corner" / folder / name).read_text(encoding="utf-8")


@pytest.fixture
def manifest(report) -> Callable[[], dict]:
    return lambda folder="2024-01": json.loads(report("manifest.json", folder))


@pytest.fixture
def values(report) -> Callable[[], dict[str, float]]:
    """Name → value of the report's figures."""
    return lambda folder="2024-01": {f["name"]: f["value"] for f in json.loads(report("figures.json", folder))}
