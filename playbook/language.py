"""Words: every sentence that code makes for a reader passes through `_`, every code of the data through `term`.

English is the language of the sources; another language has a catalogue, two text files under ``locale/``:
``playbook.po`` for code and ``notebooks.po`` for the markdown cells of notebooks. They are read as they are, so nothing
compiled can be stale; ``make catalogue`` brings new sentences into them. What a catalogue lacks stays English.
Sentences are whole and carry named placeholders::

    _("{n} orders have no customer").format(n=12)

Frames and figures carry codes, names and English sentences in every language: words are put on when a page or a picture
is made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

LOCALES = Path(__file__).parent / "locale"
CATALOGUES = ("playbook", "notebooks")

ENGLISH = "en"
TAGS = {"zh": "zh-CN"}
"""What HTML calls a language, where that is not its own code."""

VARIABLE = "PLAYBOOK_LANGUAGE"
"""The environment variable that says the language in place of ``shop.toml``; the runner hands it to the kernels."""

ACRONYMS = frozenset({
    "aov", "arpu", "cac", "clv", "cpa", "cpc", "cpm", "ctr", "cvr", "gmv", "id", "kpi", "ltv", "nps", "pv", "rfm",
    "roas", "roi", "seo", "sku", "uv", "yoy",
})  # fmt: skip

_in_use = ""  # empty: nobody has said; then the variable counts

Words = Mapping[tuple[str, str], str]


def use(language: str) -> str:
    """Make a language ("en", "zh") that of every sentence from here on; `VARIABLE` has the last word.

    Returns
    -------
    str
        The language in use.

    Raises
    ------
    ValueError
        There is no catalogue for that language.
    """
    global _in_use
    wanted = os.environ.get(VARIABLE) or language
    if wanted not in languages():
        raise ValueError(f"no catalogue for the language {wanted!r}: there is {', '.join(languages())}")
    _in_use = wanted
    return wanted


@contextmanager
def using(language: str) -> Iterator[None]:
    """Another language for a moment, whatever the variable says."""
    global _in_use
    before, _in_use = _in_use, language
    try:
        yield
    finally:
        _in_use = before


def current() -> str:
    """The language in use."""
    if _in_use:
        return _in_use
    said = os.environ.get(VARIABLE)
    return said if said and (LOCALES / said / "LC_MESSAGES").is_dir() else ENGLISH


def languages() -> list[str]:
    """The languages that there are."""
    others = (p.name for p in LOCALES.glob("*") if (p / "LC_MESSAGES").is_dir() and p.name != ENGLISH)
    return [ENGLISH, *sorted(others)]


def tag() -> str:
    """The language in use as HTML names it: en, zh-CN."""
    return TAGS.get(current(), current())


def _(sentence: str) -> str:
    """The sentence in the language in use."""
    return _words().get(("", sentence), sentence)


def N_(sentence: str, column: str = "") -> str:
    """The sentence as it is, known to the catalogue: for what is kept in English and shown through `_` or `term`."""
    return sentence


def cell(source: str) -> str:
    """A markdown cell of a notebook in the language in use."""
    return _words().get(("", source.strip()), source)


def term(column: str, value: str) -> str:
    """The word for a value of a column: of a code (``tmall`` in ``platform``), or of one of the book's own sentences.

    A code has a word in its column only, and a sentence ends with a full stop: so no text of the shop's data is taken
    for one of ours. A sentence that was kept with its words filled in is known again by what stands around them.
    """
    words = _words()
    said = words.get((column, value)) or _filled(column, value)
    if not said and ", " in value and all((column, part) in words for part in value.split(", ")):
        said = listing(words[column, part] for part in value.split(", "))  # several codes in a row
    if not said and value.endswith("."):
        said = words.get(("", value)) or _filled("", value)
    return said or value


def humanise(name: str, *, inside: bool = False) -> str:
    """A column's name as a header, or as it stands inside a sentence.

    Examples
    --------
    >>> humanise("net_sales"), humanise("roas"), humanise("customer_type", inside=True)
    ('Net sales', 'ROAS', 'customer type')
    """
    words = str(name).replace(".", " ").split("_")
    text = " ".join(w.upper() if w in ACRONYMS else w for w in words if w)
    header = text[:1].upper() + text[1:]
    said = _words().get(("header", header)) or _(header)
    return text if inside and said == header else said


def listing(words: Iterable[str]) -> str:
    """Words in a row: one, two, three."""
    return _(", ").join(words)


def paragraph(sentences: Iterable[str]) -> str:
    """Whole sentences one after another."""
    out = ""
    for sentence in sentences:
        out = _("{sentences} {next}").format(sentences=out, next=sentence) if out else sentence
    return out


def _words() -> Words:
    return _read(LOCALES, current())


def _filled(column: str, value: str) -> str:
    """The translation of a sentence whose words are filled in; empty where it is none of the catalogue's."""
    for pattern, translation in _patterns(LOCALES, current()).get(column, ()):
        if found := pattern.fullmatch(value):
            return translation.format(**{name: term(name, word) for name, word in found.groupdict().items()})
    return ""


@cache
def _read(locales: Path, language: str) -> Words:
    """(column, English) → translation, out of the catalogues of a language; what is not translated is not in it."""
    from babel.messages.pofile import read_po

    words: dict[tuple[str, str], str] = {}
    for name in CATALOGUES:
        path = locales / language / "LC_MESSAGES" / f"{name}.po"
        if path.exists():
            with path.open("rb") as file:
                messages: Iterable[Any] = read_po(file, abort_invalid=True)
            words |= {(m.context or "", m.id): m.string for m in messages if m.id and m.string and not m.fuzzy}
    return words


@cache
def _patterns(locales: Path, language: str) -> Mapping[str, list[tuple[re.Pattern[str], str]]]:
    """Column → its sentences with placeholders as patterns, those that say most first; without a column: whole ones."""
    found: dict[str, list[tuple[int, re.Pattern[str], str]]] = {}
    for (column, sentence), translation in _read(locales, language).items():
        parts = list(Formatter().parse(sentence))
        names = [name for _text, name, _spec, _how in parts if name]
        plain = all(name.isidentifier() and not spec and not how for _text, name, spec, how in parts if name)
        if not names or not plain or len(set(names)) < len(names) or not (column or sentence.endswith(".")):
            continue
        pattern = "".join(re.escape(text) + (f"(?P<{name}>.+)" if name else "") for text, name, _spec, _how in parts)
        said = sum(len(text) for text, *_rest in parts)
        found.setdefault(column, []).append((said, re.compile(pattern, re.S), translation))
    return {
        column: [(pattern, translation) for _said, pattern, translation in sorted(of, key=lambda entry: -entry[0])]
        for column, of in found.items()
    }
