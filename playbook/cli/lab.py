"""``playbook lab``: JupyterLab on a shop's own copy of the notebooks. What a person wrote is never overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..language import _
from .app import ShopName, app, out

RECORD = ".copied.json"
"""Notebook → digest of the book's when it was copied, and of the newer one that was put beside it."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    ctx: typer.Context,
    shop: ShopName,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    show: Annotated[bool, typer.Option("--print", help="Prepare the notebooks and print the command.")] = False,
) -> None:
    """Open JupyterLab on a working copy of the notebooks, set to the shop; further options go to JupyterLab."""
    from ..data.store import home, open_store

    store = open_store(shop)
    folder = store.folder / "notebooks"
    for sentence in prepare(folder, shop):
        out.print(sentence)
    command = [sys.executable, "-m", "jupyterlab", str(folder), *([] if browser else ["--no-browser"]), *ctx.args]
    if show:
        out.print(shlex.join(command))
        return
    out.print(_("The working copies are in {folder}.").format(folder=folder))
    status = subprocess.run(command, env=os.environ | {"PLAYBOOK_HOME": str(home())}, check=False).returncode
    raise typer.Exit(status)


def prepare(folder: Path, shop: str) -> list[str]:
    """Copy the notebooks that are not there yet, set to a shop; returns what a person should know."""
    from ..report.notebooks import notebooks

    folder.mkdir(parents=True, exist_ok=True)
    record = _record(folder)
    said = []
    for notebook in notebooks():
        path = folder / notebook.path.name
        data, book = set_to(notebook.content, shop), _digest(notebook.path.read_bytes())
        entry = record.setdefault(path.name, {})
        if not path.exists():
            path.write_bytes(data)
            record[path.name] = {"book": book}
        elif path.read_bytes() == data:
            entry["book"] = book
        elif entry.get("book") != book and (sentence := _beside(path, data, book, entry)):
            said.append(sentence)
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return said


def _beside(path: Path, data: bytes, book: str, entry: dict[str, str]) -> str:
    """Put the book's newer notebook beside a copy; "" where that was done before and somebody has dealt with it."""
    new = path.with_name(entry.get("beside") or f"{path.stem}.new.ipynb")
    if entry.get("new") == book and not new.exists():  # taken away: what was to be merged is merged
        entry["book"] = book
        return ""
    if entry.get("new") != book:
        names = (f"{path.stem}.new{n if n > 1 else ''}.ipynb" for n in range(1, 1000))
        free = (p for name in names if not (p := path.with_name(name)).exists() or _untouched(p, entry))
        new = next(free)
        new.write_bytes(data)
        entry |= {"new": book, "beside": new.name, "written": _digest(data)}
    return _(
        "The book's {notebook} has changed since your copy was made: the new one is beside it as {new}; "
        "take over what you want, then delete it."
    ).format(notebook=path.name, new=new.name)


def _untouched(new: Path, entry: dict[str, str]) -> bool:
    """Whether a notebook is still what was put beside a copy."""
    return new.name == entry.get("beside") and _digest(new.read_bytes()) == entry.get("written")


def set_to(content: dict[str, Any], shop: str) -> bytes:
    """A notebook with the shop's name in its parameters cell."""
    content = json.loads(json.dumps(content))
    for cell in content["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            source = re.sub(
                r"(?m)^(shop\s*(?::\s*\w+\s*)?=\s*)(['\"]).*?\2",
                lambda m: m[1] + json.dumps(shop, ensure_ascii=False),
                "".join(cell["source"]),
            )
            cell["source"] = source.splitlines(keepends=True)
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _record(folder: Path) -> dict[str, dict[str, str]]:
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
