"""The book's notebooks: which there are, what they ask, and which parameters they take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from ..data.store import ShopError, home
from ..language import _
from .render import heading

NUMBERED = re.compile(r"^(\d\d[a-z]?)_(\w+)$")

OURS = ("shop", "period")
"""Parameters that the runner itself sets."""


@dataclass(frozen=True)
class Notebook:
    """One notebook of the book."""

    path: Path
    number: str
    title: str
    question: str

    @property
    def slug(self) -> str:
        return self.path.stem


def folder() -> Path:
    """Where the notebooks lie: beside the shops, or in the checkout that this package is part of."""
    near = home() / "notebooks"
    return near if near.is_dir() else Path(__file__).resolve().parents[2] / "notebooks"


def notebooks(only: Iterable[str] = ()) -> list[Notebook]:
    """The notebooks in their order, or those of them whose number or name is given.

    Raises
    ------
    ShopError
        One of `only` is no notebook.
    """
    found = []
    for path in sorted(folder().glob("*.ipynb")):
        if m := NUMBERED.match(path.stem):
            title, question = heading(nbformat.read(path, as_version=4))
            found.append(Notebook(path, m[1], title, question))
    wanted = list(only)
    for name in wanted:
        if not any(name in (n.number, n.slug) for n in found):
            raise ShopError(
                _("there is no notebook {name!r}; there is: {known}").format(
                    name=name, known=", ".join(n.number for n in found)
                )
            )
    return [n for n in found if not wanted or {n.number, n.slug} & set(wanted)]


def parameters(chosen: Iterable[Notebook], said: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The values that were said on the command line, read by the type that each notebook declares.

    Returns
    -------
    dict
        Notebook's slug → its parameters.

    Raises
    ------
    ShopError
        No chosen notebook has a parameter of that name, the value is not of its type, or the runner sets it itself.
    """
    from papermill import inspect_notebook

    declared = {n.slug: inspect_notebook(str(n.path)) for n in chosen}
    for name in said:
        if name in OURS:
            raise ShopError(
                _("{name} is no parameter to set with -p: it is an argument of `playbook run` itself").format(name=name)
            )
        if not any(name in of for of in declared.values()):
            known = sorted({p for of in declared.values() for p in of} - set(OURS))
            raise ShopError(
                _("no notebook has a parameter {name!r}; there is: {known}").format(name=name, known=", ".join(known))
            )
    return {
        slug: {name: _read(name, text, of[name]["inferred_type_name"]) for name, text in said.items() if name in of}
        for slug, of in declared.items()
    }


def _read(name: str, text: str, kind: str) -> Any:
    """A value as its annotation wants it."""
    words = {"true": True, "false": False}
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return words[text.lower()]
    except (ValueError, KeyError):
        raise ShopError(_("{name} is to be a {kind}, not {text!r}").format(name=name, kind=kind, text=text)) from None
    return text
