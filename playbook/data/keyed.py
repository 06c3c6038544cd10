"""Keyed hashes: what is personal leaves the raw files only as HMAC-SHA256 under a key of the shop's own.

The key lies in ``data/<shop>/identity.key``, readable by its owner alone and outside git. Whoever has the tables but
not the key cannot try out telephone numbers; whoever has the key can, so it never travels with the tables. A lost key
costs the links to earlier reports, nothing else: the tables are built anew under another one.

Each kind of thing is brought into one form first, so that the same number written in two ways has one hash, and it is
hashed together with its kind, so that a login that reads like a telephone number is not one. What says nothing has no
hash: masked cells (``138****1234``), a platform's ciphers (``##…``, ``$$…``, ``~…``), the numbers with an extension
that platforms lend to a buyer for one parcel, one digit repeated.

The forms are SQL, because millions of rows pass through them; `hash_of` sends single values through the same SQL.

References
----------
RFC 2104, HMAC: Keyed-Hashing for Message Authentication, 1997.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..language import _
from .store import ShopError

if TYPE_CHECKING:
    import duckdb

FILE = "identity.key"
LENGTH = 32
"""Bytes of a key."""

DIGITS = 32
"""Hexadecimal digits that are kept: 128 bits, far beyond any chance collision."""

SHORTEST_ADDRESS = 6
"""Characters below which an address names a town, not a door."""

_BLOCK = 64  # bytes that SHA-256 works on at a time
_WIDE = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000\u00a0\u2007\u202f"
_NARROW = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + "    "


def identity_key(folder: Path) -> bytes:
    """The key of the shop in a folder; made once, by whoever asks first.

    Raises
    ------
    ShopError
        What lies there is no key.
    """
    path = folder / FILE
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    try:
        made = bytes.fromhex(key.decode("ascii").strip())
    except ValueError:
        made = b""
    if len(made) < LENGTH:
        raise ShopError(
            _("{path} is no key: put the one from your backup back, or delete it and hashes are made anew").format(
                path=path
            )
        )
    return made


def _make(path: Path) -> None:
    """Write a new key, whole or not at all; where two do it at once, the first one's stands."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(LENGTH) + "\n")
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)


def use_key(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give a connection the key; it is held in variables, so that no SQL text or message ever shows it."""
    block = key.ljust(_BLOCK, b"\0")
    for name, byte in (("playbook_inner", 0x36), ("playbook_outer", 0x5C)):
        con.execute(f"SET VARIABLE {name} = ?", [bytes(b ^ byte for b in block)])


def hashed(sql: str, kind: str) -> str:
    """The SQL of the keyed hash of a value of a kind; NULL where the value says nothing.

    Parameters
    ----------
    sql : str
        Gives the raw value.
    kind : str
        ``phone``, ``email``, ``address``; any other is taken as it is, but for width and blanks.
    """
    return keyed(normal(sql, kind), kind)


def keyed(sql: str, kind: str) -> str:
    """The SQL of the keyed hash of a text that has its normal form already."""
    inner = f"sha256(getvariable('playbook_inner') || encode('{kind}:' || ({sql})))"
    return f"left(sha256(getvariable('playbook_outer') || unhex({inner})), {DIGITS})"


def normal(sql: str, kind: str) -> str:
    """The SQL of a value's one form (see the module)."""
    text = f"trim(({sql})::VARCHAR)"
    # most cells are plain ASCII, and translating is dear
    narrow = f"trim(translate({text}, '{_quoted(_WIDE)}', '{_quoted(_NARROW)}'))"
    text = f"CASE WHEN strlen({text}) = length({text}) THEN {text} ELSE {narrow} END"
    whole = _phone if kind == "phone" else _email if kind == "email" else _address if kind == "address" else _plain
    return f"list_transform([{text}], lambda cell: {whole('cell')})[1]"


def _phone(cell: str) -> str:
    """Digits; a Chinese mobile number without its country's, any other with a plus sign where it states a country.

    A hash that the platform itself made of a number (32, 40 or 64 hexadecimal digits) stands for the number.
    """
    bare = f"regexp_replace(regexp_replace({cell}, '^[''\\s]+|[.]0$', '', 'g'), '[\\s()./·-]', '', 'g')"
    bare = f"regexp_replace({bare}, '^(?:[+]|00)', '+')"
    number = f"regexp_replace({bare}, '^[+]?86(1[3-9][0-9]{{9}})$', '\\1')"
    lent = f"regexp_matches({cell}, '^[+0-9 ]{{11,}}\\s*(?:-|转|#|,|ext\\.?)\\s*[0-9]{{2,6}}$')"
    one_digit = f"trim({number}, '+' || right({number}, 1)) = ''"
    return (
        f"CASE WHEN regexp_full_match({cell}, '1[3-9][0-9]{{9}}') THEN {cell} "
        f"WHEN regexp_full_match({cell}, '{_HASH}') THEN lower({cell}) WHEN {lent} OR {one_digit} THEN NULL "
        f"WHEN regexp_full_match({number}, '[+]?[0-9]{{7,15}}') THEN {number} END"
    )


def _email(cell: str) -> str:
    return (
        f"CASE WHEN regexp_full_match({cell}, '{_HASH}') OR "
        f"regexp_full_match({cell}, '[^@\\s*#$~<>]+@[^@\\s*<>]+\\.[^@\\s*.<>]+') THEN lower({cell}) END"
    )


def _address(cell: str) -> str:
    """Letters and digits alone: exports differ in the marks that they put between the parts."""
    bare = f"regexp_replace(lower({cell}), '[^\\p{{L}}\\p{{N}}]', '', 'g')"
    return f"CASE WHEN NOT ({_cipher(cell)}) AND length({bare}) >= {SHORTEST_ADDRESS} THEN {bare} END"


def _plain(cell: str) -> str:
    bare = f"regexp_replace({cell}, '\\s+', ' ', 'g')"
    return f"CASE WHEN NOT ({_cipher(cell)}) AND {bare} NOT IN ({_NOTHING}) THEN {bare} END"


def _cipher(cell: str) -> str:
    """Masked, or a platform's cipher of its own."""
    return f"contains({cell}, '*') OR regexp_matches({cell}, '^(##|[$]{{2}}|~.*~$)')"


_HASH = "[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}"
_NOTHING = ", ".join(f"'{w}'" for w in ("", "-", "--", "—", "0", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan"))


def hash_of(values: Sequence[str], kind: str, key: bytes) -> list[str | None]:
    """The keyed hashes of some values; None for one that says nothing.

    Examples
    --------
    >>> one, other, masked = hash_of(["+86 138-0000-1234", "13800001234", "138****1234"], "phone", b"k" * 32)
    >>> one == other, masked
    (True, None)
    """
    import duckdb

    with duckdb.connect() as con:
        use_key(con, key)
        rows = con.execute(f"SELECT {hashed('v', kind)} FROM (SELECT unnest(?::VARCHAR[]) AS v)", [list(values)])
        return [h for (h,) in rows.fetchall()]


def _quoted(text: str) -> str:
    return text.replace("'", "''")
