"""Words: every sentence that code makes for a reader passes through `_`.

`_` looks the sentence up in the catalogue of the language in use. English is the language of the sources, so without a
catalogue the sentence comes back as it stands. Sentences are whole and carry named placeholders::

    _("{n} orders have no customer").format(n=12)
"""

from __future__ import annotations

import gettext
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"

_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def use(language: str) -> None:
    """Make `language` ("en", "zh") the language of every sentence from here on.

    Raises
    ------
    ValueError
        There is no catalogue for that language.
    """
    global _catalogue
    if language == "en":
        _catalogue = gettext.NullTranslations()
        return
    try:
        _catalogue = gettext.translation("playbook", LOCALES, languages=[language])
    except FileNotFoundError:
        there = ", ".join(["en", *sorted(p.name for p in LOCALES.glob("*") if p.is_dir())])
        raise ValueError(f"no catalogue for the language {language!r}: there is {there}") from None


def _(sentence: str) -> str:
    """The sentence in the language in use."""
    return _catalogue.gettext(sentence)
