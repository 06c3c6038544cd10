"""What each notebook asks of a shop's tables, read from its code: no list of it is kept anywhere.

A call of `measure` needs what the sums of its metrics need; a call of a function that `@answers` a question needs the
tables that it is handed and the columns that it names; any other ``shop.table`` in a cell needs that table.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..data.schema import TABLES
from ..language import _
from ..metrics import METRICS, measure
from ..metrics.needs import lacking
from ..missing import Missing, column_missing
from ..shop import Shop
from .notebooks import EXPLORE, Notebook


@dataclass(frozen=True)
class Gap:
    """A question of a notebook that a shop's data leave open, or answer in part only.

    Attributes
    ----------
    notebook : str
        Its number.
    question : str
        What is asked, in a reader's words.
    what : str
        The table or column that is lacking.
    partial : bool
        There is an answer all the same, without what that table or column would add.
    """

    notebook: str
    question: str
    what: str
    partial: bool = False


def gaps(shop: Shop, notebooks: Iterable[Notebook]) -> list[Gap]:
    """Which questions of the notebooks does a shop leave open, and for want of what?

    Returns
    -------
    list of Gap
        In the order of the book, each once.
    """
    return list(dict.fromkeys(gap for n in notebooks for gap in _of_notebook(shop, n)))


def _of_notebook(shop: Shop, notebook: Notebook) -> Iterator[Gap]:
    known: dict[str, Any] = {}
    for c in notebook.content["cells"]:
        if c["cell_type"] != "code" or EXPLORE in c["metadata"].get("tags", []):
            continue
        try:
            tree = ast.parse("".join(c["source"]))
        except SyntaxError:  # a line for IPython
            continue
        for statement in tree.body:
            _learn(statement, known)
        told: set[ast.AST] = set()
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            function = _value(call.func, known)
            if function is measure:
                yield from _measured(shop, notebook, call, known)
            elif hasattr(function, "question"):
                yield from _answered(shop, notebook, call, function, told)
        for node in ast.walk(tree):
            if node not in told and (name := _table(node)) and isinstance(why := shop.table(name), Missing):
                yield Gap(notebook.number, notebook.title, why.what)


def _learn(statement: ast.stmt, known: dict[str, Any]) -> None:
    """Remember what a statement imports, and what it gives a name to if that can be read off it."""
    match statement:
        case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] == "playbook":
            for alias in statement.names:
                known[alias.asname or alias.name] = _imported(module, alias.name)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            known[name] = _value(statement.value, known) if statement.value else None


def _imported(module: str, name: str) -> Any:
    try:
        found = importlib.import_module(module)
        return getattr(found, name) if hasattr(found, name) else importlib.import_module(f"{module}.{name}")
    except ImportError:
        return None


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    """What an expression of names, attributes and literals stands for; None where only running it would tell."""
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=of, attr=name):
            return getattr(_value(of, known), name, None)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            found = [_value(p.value if isinstance(p, ast.Starred) else p, known) for p in parts]
            starred = [isinstance(p, ast.Starred) for p in parts]
            return [v for value, many in zip(found, starred, strict=True) for v in ((value or ()) if many else [value])]
        case ast.Constant(value=value):
            return value
    return None


def _measured(shop: Shop, notebook: Notebook, call: ast.Call, known: dict[str, Any]) -> Iterator[Gap]:
    given = inspect.signature(measure).bind_partial(*call.args, **{k.arg: k.value for k in call.keywords if k.arg})
    names, by = (_value(given.arguments[n], known) if n in given.arguments else () for n in ("metrics", "by"))
    by = [by] if isinstance(by, str) else [b for b in by or () if isinstance(b, str)]
    for name in names or ():
        if name not in METRICS:
            continue
        absences, partial = lacking(shop, name, by)
        title = _(METRICS[name].title)
        parts = ", ".join(by)
        question = _("{metric} by {parts}").format(metric=title, parts=parts) if by else title
        for why in absences:
            yield Gap(notebook.number, question, why.what, partial)


def _answered(shop: Shop, notebook: Notebook, call: ast.Call, function: Any, told: set[ast.AST]) -> Iterator[Gap]:
    given = inspect.signature(function).bind_partial(*call.args, **{k.arg: k.value for k in call.keywords if k.arg})
    for parameter, node in given.arguments.items():
        if not isinstance(node, ast.AST) or not (name := _table(node)):
            continue
        told.add(node)
        table = shop.table(name)
        lacks = (
            [table]
            if isinstance(table, Missing)
            else [column_missing(name, c) for c in function.needs.get(parameter, ()) if c not in table.columns]
        )
        for why in lacks:
            yield Gap(notebook.number, _(function.question), why.what, parameter in function.optional)


def _table(node: ast.AST) -> str:
    """The canonical table that a node hands out: ``shop.orders`` → "orders"."""
    match node:
        case ast.Attribute(value=ast.Name(id="shop"), attr=name) if name in TABLES:
            return name
    return ""
