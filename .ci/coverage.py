"""Which capabilities does the book answer: tagged in a notebook, with something on the demo's page, and tested?

`make coverage` prints those of priority A that lack one of the three; with `--all` every one. The demo's last report is
read, so run that first. The tests of a capability are those that call what its cells call.
"""

from __future__ import annotations

import ast
import csv
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def capabilities() -> list[dict[str, str]]:
    with (ROOT / ".ci" / "capabilities.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def tagged(folder: Path) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Capability → the cells that carry its id, with their notebook."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for tag in cell["metadata"].get("tags", []):
                if re.fullmatch(r"[A-Z]\d\d", tag):
                    found.setdefault(tag, []).append((path.stem, cell))
    return found


def shows(cell: dict[str, Any]) -> bool:
    """Whether a cell put a figure, a table or a picture on the page; a card of what is missing is none."""
    for output in cell.get("outputs", []):
        data = output.get("data") or {}
        kind = (output.get("metadata") or {}).get("playbook", {}).get("kind")
        if "image/png" in data or (kind not in (None, "missing") and "text/html" in data):
            return True
    return False


def calls(cells: Iterable[dict[str, Any]]) -> set[str]:
    """The functions of the book that cells call, as module.function."""
    found = set()
    for cell in cells:
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if isinstance(node.func.value, ast.Name) and node.func.value.id != "shop":
                    found.add(f"{node.func.value.id}.{node.func.attr}")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "measure":
                found.add("measure")
    return found


def tests() -> str:
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "tests").rglob("test_*.py")))


def main() -> int:
    reports = sorted((ROOT / "reports" / "demo").glob("20*/manifest.json"))
    if not reports:
        print("There is no report of the demo yet: make report")
        return 1
    source, made, tested = tagged(ROOT / "notebooks"), tagged(reports[-1].parent), tests()
    lacking = 0
    for row in capabilities():
        first = row["priority"].startswith("A")
        cells = [cell for _notebook, cell in source.get(row["id"], [])]
        named = {call.rpartition(".")[2] for call in calls(cells)}
        has = {
            "tag": bool(cells),
            "page": any(shows(cell) for _notebook, cell in made.get(row["id"], [])),
            "test": any(re.search(rf"\b{name}\(", tested) for name in named),
        }
        gone = [what for what, there in has.items() if not there]
        lacking += bool(gone) and first
        if (gone and first) or "--all" in sys.argv:
            print(f"{row['id']}  {row['priority']:2}  {row['notebook']:24} {'no ' + ', '.join(gone) if gone else 'ok'}")
    every = sum(row["priority"].startswith("A") for row in capabilities())
    print(f"{every - lacking} of {every} capabilities of priority A have a tag, something on the page, and a test.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
