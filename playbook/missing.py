"""Absence that flows: what a shop does not have is a `Missing`, and a question that needs it answers with that Missing.

A shop needs nothing but orders. `shop.events` of a shop without events is a `Missing`; `@answers` lets a public
function return it instead of breaking, so that a notebook runs through and its page says, in place of a chart, what
is needed. Handing a Missing to anything else (a bool, a loop, a float, numpy, pandas) raises: nothing goes silently
empty.
"""

from __future__ import annotations

import functools
import html
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from .language import _, using


class MissingDataError(TypeError):
    """Something that is not there was used as if it were."""


class Missing:
    """What is not there, which question wanted it, and how to supply it.

    Parameters
    ----------
    what : str
        The table or column that is lacking, e.g. ``"events"`` or ``"orders.customer_id"``.
    question : str
        The question that cannot be answered without it.
    remedy : str
        How to supply it, one sentence.
    """

    __array_ufunc__ = None

    def __init__(self, what: str, question: str = "", remedy: str = "", *, told: bool = False):
        self._what, self._question, self._remedy, self._told = what, question, remedy, told

    @property
    def what(self) -> str:
        return self._what

    def asked(self, question: str) -> Missing:
        """The same absence, as the answer to `question` (the first question stays)."""
        return Missing(self._what, self._question or question, self._remedy)

    def quiet(self) -> Missing:
        """The same absence for a plot of an answer that has already shown its card."""
        return Missing(self._what, self._question, self._remedy, told=True)

    # -- how it shows itself

    def sentence(self) -> str:
        if self._question:
            said = _("“{question}” needs {what}, which this shop does not have.").format(
                question=self._question, what=self._what
            )
        else:
            said = _("This shop does not have {what}.").format(what=self._what)
        return self._with_remedy(said)

    def needs(self) -> str:
        """What is needed and how to supply it, without the question."""
        return self._with_remedy(_("Needs {what}.").format(what=self._what))

    def _with_remedy(self, sentence: str) -> str:
        if not self._remedy:
            return sentence
        return _("{sentence} {remedy}").format(sentence=sentence, remedy=self._remedy)

    def __repr__(self) -> str:
        return "" if self._told else f"Missing: {self.sentence()}"

    def _repr_html_(self) -> str:
        if self._told:
            return ""
        question = html.escape(self._question or _("Not available"))
        needs = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(self.needs()))
        return f'<div class="missing"><p class="missing-question">{question}</p><p>{needs}</p></div>'

    def __format__(self, spec: str) -> str:
        return "—"

    # -- any access gives the same absence

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> Missing:
        return self

    def __call__(self, *args: object, **kwargs: object) -> Missing:
        if any(_is_expression(a) for a in args):
            self._refuse()  # ibis takes what can be called for a recipe, and would call it for ever
        return self

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Missing):
            return self._what == other._what
        if _is_expression(other):
            self._refuse()  # a table filtered by it would come out empty, and nobody would know why
        return self

    def __ne__(self, other: object) -> Any:
        return not self == other if isinstance(other, Missing) else self == other

    def _same(self, *args: object) -> Missing:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __abs__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _same

    def __hash__(self) -> int:
        return hash(self._what)

    # -- what would go silently wrong raises

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise MissingDataError(self.sentence())

    __bool__ = __iter__ = __len__ = __contains__ = __array__ = _refuse
    __float__ = __int__ = __index__ = __complex__ = _refuse


def _is_expression(value: object) -> bool:
    return type(value).__module__.startswith("ibis.")


def answers[**P, R](
    question: str, needs: Mapping[str, Sequence[str]] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function answer with a `Missing` where a required input is one.

    Parameters
    ----------
    question : str
        The question that the function answers, in a reader's words.
    needs : mapping of parameter name → columns, optional
        Columns that a table must have; a table without one of them counts as missing.

    Notes
    -----
    A parameter annotated ``… | None`` is optional: a Missing there arrives as None, and the function gives its partial
    answer. Every other Missing argument is returned, with the question on it.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        optional = {n for n, p in signature.parameters.items() if "None" in str(p.annotation)}

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            for name, value in list(bound.arguments.items()):
                if isinstance(value, Missing):
                    if name not in optional:
                        return value.asked(_(question))  # type: ignore[return-value]
                    bound.arguments[name] = None
            for name, columns in (needs or {}).items():
                value = bound.arguments.get(name)
                lacking = [c for c in columns if value is not None and c not in value.columns]
                if lacking and name in optional:
                    bound.arguments[name] = None
                elif lacking:
                    return column_missing(name, lacking[0]).asked(_(question))  # type: ignore[return-value]
            return function(*bound.args, **bound.kwargs)

        call.__dict__.update(question=question, needs=dict(needs or {}), optional=frozenset(optional))
        return call

    return wrap


def column_missing(table: str, column: str) -> Missing:
    """The absence of one column of a table that is there."""
    return Missing(
        f"{table}.{column}",
        remedy=_("Map a column of your export to {table}.{column}, then run `playbook ingest` again.").format(
            table=table, column=column
        ),
    )


def quietly(plot: Callable[..., Any]) -> Callable[..., Any]:
    """Make a plot of a missing answer show nothing: the answer above it has already shown its card.

    The words of a plot are in the language in use, or in English where no font can draw that.
    """

    @functools.wraps(plot)
    def call(result: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(result, Missing):
            return result.quiet()
        from . import style

        with using(style.picture_language()):
            return plot(result, *args, **kwargs)

    return call
