"""Words: what a reader calls a code of the customers' data, where it stands by itself."""

from __future__ import annotations

from ..language import term


def word(trait: str, code: str) -> str:
    """What a reader calls a value of a trait.

    Examples
    --------
    >>> word("segment", "need_attention")
    'need attention'
    """
    return term("platform" if trait == "main_platform" else trait, code).replace("_", " ")
