"""The book's notebooks: which there are, what they ask, what must have run before them, which parameters they take."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from ..data.store import ShopError, home
from ..language import _

NUMBERED = re.compile(r"^(\d\d[a-z]?)_(\w+)$")

OURS = ("shop", "period", "cadence")
"""Parameters that the runner itself sets."""

EXPLORE = "explore"
"""The tag of a cell that is for people at a screen, with something to move: it is not run for a report."""


@dataclass(frozen=True)
class Notebook:
    """One notebook of the book."""

    path: Path
    number: str

    @property
    def slug(self) -> str:
        return self.path.stem

    @property
    def title(self) -> str:
        return self._heading[0]

    @property
    def question(self) -> str:
        return self._heading[1]

    @property
    def after(self) -> tuple[str, ...]:
        """The notebooks that must have run before this one, as its metadata say: ``playbook.after``."""
        return tuple((self.content["metadata"].get("playbook") or {}).get("after") or ())

    @cached_property
    def content(self) -> dict[str, Any]:
        """The file as it is."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ShopError(_("{path} is no notebook: {error}").format(path=self.path, error=error)) from None

    @property
    def source(self) -> str:
        """All that decides what a run of the notebook does; what an earlier run left in the file is not part of it."""
        cells = [
            [c["cell_type"], "".join(c["source"]), c["metadata"].get("tags", [])]
            for c in self.content["cells"]
            if EXPLORE not in c["metadata"].get("tags", [])
        ]
        return json.dumps([cells, self.after])

    @property
    def imports(self) -> list[str]:
        """The import statements that stand by themselves in its code."""
        return [
            ast.unparse(node)
            for c in self.content["cells"]
            if c["cell_type"] == "code" and EXPLORE not in c["metadata"].get("tags", [])
            for node in _statements("".join(c["source"]))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]

    @property
    def takes(self) -> set[str]:
        """The names of its parameters."""
        cells = [c for c in self.content["cells"] if "parameters" in c["metadata"].get("tags", [])]
        lines = [node for c in cells for node in _statements("".join(c["source"]))]
        return {n.target.id for n in lines if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}

    @cached_property
    def _heading(self) -> tuple[str, str]:
        import nbformat

        from .render import heading

        return heading(nbformat.read(self.path, as_version=4))


def folder() -> Path:
    """Where the notebooks lie: beside the shops, or in the checkout that this package is part of."""
    near = home() / "notebooks"
    return near if near.is_dir() else Path(__file__).resolve().parents[2] / "notebooks"


def notebooks() -> list[Notebook]:
    """The notebooks, in the order of the book.

    Raises
    ------
    ShopError
        One is to run after another that does not exist, or after itself by some way round.
    """
    found = [Notebook(p, m[1]) for p in sorted(folder().glob("*.ipynb")) if (m := NUMBERED.match(p.stem))]
    slugs = {n.slug for n in found}
    for n in found:
        for need in n.after:
            if need not in slugs:
                raise ShopError(
                    _("{notebook} is to run after {need!r}, which is no notebook; there is: {known}").format(
                        notebook=n.path.name, need=need, known=", ".join(sorted(slugs))
                    )
                )
    try:
        TopologicalSorter({n.slug: n.after for n in found}).prepare()
    except CycleError as error:
        raise ShopError(
            _("these notebooks wait for each other: {ring}; mend `after` in the metadata of one").format(
                ring=" → ".join(reversed(error.args[1]))
            )
        ) from None
    return found


def chosen(every: Sequence[Notebook], only: Iterable[str]) -> list[Notebook]:
    """Those of the notebooks whose number or name is given; all of them where none is.

    Raises
    ------
    ShopError
        One of `only` is no notebook.
    """
    wanted = set(only)
    for name in sorted(wanted):
        if not any(name in (n.number, n.slug) for n in every):
            raise ShopError(
                _("there is no notebook {name!r}; there is: {known}").format(
                    name=name, known=", ".join(n.number for n in every)
                )
            )
    return [n for n in every if not wanted or {n.number, n.slug} & wanted]


def with_needs(every: Sequence[Notebook], some: Iterable[Notebook]) -> list[Notebook]:
    """Some notebooks and all that must have run before them, in the order of the book."""
    by_slug = {n.slug: n for n in every}
    wanted: set[str] = set()
    left = [n.slug for n in some]
    while left:
        slug = left.pop()
        if slug not in wanted:
            wanted.add(slug)
            left += by_slug[slug].after
    return [n for n in every if n.slug in wanted]


def parameters(
    every: Sequence[Notebook], said: Mapping[str, str], *, among: Iterable[Notebook] | None = None
) -> dict[str, dict[str, Any]]:
    """The values that were said on the command line, read by the type that each notebook declares.

    Parameters
    ----------
    every : sequence of Notebook
    said : mapping of str to str
        Parameter → what was typed.
    among : iterable of Notebook, optional
        One of these must have each parameter; by default, one of all.

    Returns
    -------
    dict
        Notebook's slug → its parameters.

    Raises
    ------
    ShopError
        No notebook of these has a parameter of that name, the value is not of its type, or the runner sets it itself.
    """
    if not said:
        return {n.slug: {} for n in every}
    from papermill import inspect_notebook

    declared = {n.slug: inspect_notebook(str(n.path)) for n in every}
    meant = [declared[n.slug] for n in (every if among is None else among)]
    for name in said:
        if name in OURS:
            raise ShopError(
                _("{name} is no parameter to set with -p: it is an argument of `playbook run` itself").format(name=name)
            )
        if not any(name in of for of in meant):
            known = sorted({p for of in meant for p in of} - set(OURS))
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


def _statements(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except SyntaxError:  # a line for IPython, such as %time
        return []
