"""From text to type: the SQL that reads one cell. What cannot be read gives NULL, and the row goes to quarantine.

In each expression the plain reading comes first and is enough for nearly every cell; what it costs to be careful is
paid only for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = ("", "-", "--", "—", "N/A", "n/a", "NA", "NULL", "null", "None", "NaN", "nan", "#N/A")

TIME_FORMATS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)

_YES = ("true", "1", "yes", "y", "t", "是", "已", "有")
_NO = ("false", "0", "no", "n", "f", "否", "未", "无")
_OFFSETS = ("%:__%+__:__", "%:__%+____", "%:__%-__:__", "%:__%-____", "%:__%Z")
_BLANKS = ("chr(9)", "chr(160)", "chr(12288)")  # tab, no-break and ideographic space


WORDS = ("text", "id", "flag")
"""Types that are read from the trimmed cell; the others are read from the cell as it is."""


def trimmed(cell: str) -> str:
    """The SQL of a cell without blanks, tabs and the apostrophe that exports put before numbers.

    A cell that begins with a letter or a digit and ends in neither tab nor wide blank needs no more than a plain trim.
    (A CASE within a CASE is not short-circuited by DuckDB 2.0, and costs three times as much: hence the two steps.)
    """
    odd = f"{cell} < '0' OR ({cell} >= chr(128) AND {cell} < chr(12289)) OR "
    odd += " OR ".join(f"suffix({cell}, {blank})" for blank in _BLANKS)
    return f"CASE WHEN {odd} THEN {_stripped(cell)} ELSE trim({cell}) END"


def says_something(cell: str) -> str:
    """The SQL that tells whether a cell, trimmed or not, holds more than blanks, a dash or a word for nothing."""
    return f"({cell} IS NOT NULL AND {_stripped(cell)} NOT IN ({_list(NOTHING)}))"


def typed(cell: str, kind: str, *, zone: str, decimal: str = ".", formats: Sequence[str] = ()) -> str:
    """The SQL that reads a cell as one of the schema's types; NULL where it cannot be read or says nothing.

    Parameters
    ----------
    cell : str
        A column: `trimmed` for the types in `WORDS`, else as it was read.
    """
    nothing = f"WHEN {cell} IN ({_list(NOTHING)}) THEN NULL"
    match kind:
        case "text":
            return f"CASE {nothing} ELSE {cell} END"
        case "id":
            # a number that passed through a spreadsheet: 17850.0 is 17850; 6.9E+18 has lost its digits for good
            return (
                f"CASE {nothing} "
                f"WHEN suffix({cell}, '.0') AND regexp_full_match({cell}, '[0-9]+\\.0') THEN left({cell}, -2) "
                f"WHEN contains({cell}, 'E+') AND regexp_full_match({cell}, '[0-9.]+E\\+[0-9]+') THEN NULL "
                f"ELSE {cell} END"
            )
        case "flag":
            yes, no = f"lower({cell}) IN ({_list(_YES)})", f"lower({cell}) IN ({_list(_NO)})"
            return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
        case "time":
            return _time(cell, zone, formats)
        case "date":
            parsed = f"{_strptime(cell, formats)}::DATE"
            return parsed if formats else f"coalesce(try_cast({cell} AS DATE), {parsed})"
        case "integer":
            # 12.0 is twelve; 12.5 is no whole number, and a plain cast would round it
            number = f"try_cast({_bare(cell, decimal)} AS DOUBLE)"
            whole = f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS BIGINT) END"
            return f"CASE WHEN regexp_full_match({cell}, '-?[0-9]+') THEN try_cast({cell} AS BIGINT) ELSE {whole} END"
        case "share":
            number = f"try_cast({_bare(cell, decimal)} AS DOUBLE)"
            return f"CASE WHEN contains({cell}, '%') THEN {number} / 100 ELSE {number} END"
    sql = {"money": "DECIMAL(18, 4)", "number": "DOUBLE"}[kind]
    careful = f"try_cast({_bare(cell, decimal)} AS {sql})"
    return careful if decimal == "," else f"coalesce(try_cast({cell} AS {sql}), {careful})"


def _stripped(cell: str) -> str:
    return f"trim({cell}, concat(' ', chr(39), {', '.join(_BLANKS)}))"


def _bare(cell: str, decimal: str) -> str:
    """A number without thousands separators, currency and percent signs, with a point as its decimal mark."""
    if decimal == ",":
        return f"replace(regexp_replace({cell}, '[\\s\u00a0.￥¥$€£%]', '', 'g'), ',', '.')"
    return f"regexp_replace({cell}, '[\\s\u00a0,￥¥$€£%]', '', 'g')"


def _time(cell: str, zone: str, formats: Sequence[str]) -> str:
    """UTC: a time that states its offset is taken at its word, any other is the zone's own."""
    local = _strptime(cell, formats)
    if not formats:
        local = f"coalesce(try_cast({cell} AS TIMESTAMP), {local})"
    offset = " OR ".join(f"{cell} LIKE '{p}'" for p in _OFFSETS)
    stated = f"try_cast({_stripped(cell)} AS TIMESTAMPTZ)"
    return (
        f"make_timestamp(epoch_us(CASE WHEN length({cell}) > 16 AND length({cell}) <> 19 AND ({offset}) THEN {stated} "
        f"ELSE timezone('{zone}', {local}) END))"
    )


def _strptime(cell: str, formats: Sequence[str]) -> str:
    return f"try_strptime({_stripped(cell)}, [{_list(formats or TIME_FORMATS)}])"


def _list(words: Sequence[str]) -> str:
    return ", ".join("'" + w.replace("'", "''") + "'" for w in words)
