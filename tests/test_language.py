"""Stories of words: English without a catalogue, another language with one, and sentences that can be translated."""

import ast
import gettext
import re
import struct
from pathlib import Path

import pytest

import playbook
from playbook import language, style
from playbook.language import _
from playbook.missing import Missing

PACKAGE = Path(playbook.__file__).parent


def catalogue(folder: Path, words: dict[str, str]) -> None:
    """Write the compiled catalogue of a language: magic, count, and the two tables of (length, offset)."""
    words = {"": "Content-Type: text/plain; charset=UTF-8\n", **words}
    pairs = sorted((k.encode(), v.encode()) for k, v in words.items())
    n, start = len(pairs), 28 + 16 * len(pairs)
    texts, tables = b"", []
    for column in zip(*pairs, strict=True):
        entries = b""
        for text in column:
            entries += struct.pack("<II", len(text), start + len(texts))
            texts += text + b"\0"
        tables.append(entries)
    head = struct.pack("<7I", 0x950412DE, 0, n, 28, 28 + 8 * n, 0, 0)
    path = folder / "zh" / "LC_MESSAGES" / "playbook.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(head + b"".join(tables) + texts)


@pytest.fixture
def chinese(tmp_path, monkeypatch):
    catalogue(
        tmp_path,
        {
            "This shop does not have {what}.": "本店没有{what}。",
            "{number} pp": "{number} 个百分点",
            "3=K 6=M 9=B": "4=万 8=亿",
            "{full_month} {year}": "{year}年{month_number}月",
        },
    )
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    monkeypatch.setattr(language, "_catalogue", gettext.NullTranslations())


def test_without_a_catalogue_a_sentence_is_itself():
    assert _("{n} orders have no customer").format(n=12) == "12 orders have no customer"


def test_a_catalogue_translates_sentences_and_english_puts_them_back(chinese):
    language.use("zh")
    assert Missing("orders").sentence() == "本店没有orders。"
    assert style.change(0.012, "share") == "+1.2 个百分点"
    assert style.short(12_345_678, "count") == "1,235万"
    assert _("A sentence that nobody translated") == "A sentence that nobody translated"
    language.use("en")
    assert Missing("orders").sentence() == "This shop does not have orders."
    assert style.short(12_345_678, "count") == "12.3M"


def test_a_language_without_a_catalogue_is_refused_with_those_that_there_are(chinese):
    with pytest.raises(ValueError, match="no catalogue for the language 'fr': there is en, zh"):
        language.use("fr")
    assert _("{number} pp") == "{number} pp"  # what was in use stays in use


def sentences():
    """Every call of `_` in the package, with what it is given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args


def test_no_sentence_is_an_f_string_or_glued_from_pieces():
    assert sum(1 for _ in sentences()) > 100
    glued = [place for place, (arg, *_rest) in sentences() if isinstance(arg, ast.JoinedStr | ast.BinOp)]
    assert glued == []


def test_every_placeholder_of_a_sentence_has_a_name():
    texts = [(p, a.value) for p, (a, *_rest) in sentences() if isinstance(a, ast.Constant)]
    nameless = [place for place, text in texts if re.search(r"\{\d*[:!}]|%[sd]", text)]
    assert nameless == []
