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


def typed(cell: str, kind: str, *, zone: str, decimal: str = ".", formats: Sequence[str] = ()) -> str:
    """The SQL that reads a text cell as one of the schema's types; NULL where it cannot be read or says nothing."""
    match kind:
        case "text":
            return words(cell)
        case "id":
            # a number that passed through a spreadsheet: 17850.0 is 17850; 6.9E+18 has lost its digits for good
            return (
                f"CASE WHEN suffix({cell}, '.0') AND regexp_full_match({cell}, '[0-9]+\\.0') THEN left({cell}, -2) "
                f"WHEN contains({cell}, 'E+') AND regexp_full_match({cell}, '[0-9.]+E\\+[0-9]+') THEN NULL "
                f"ELSE {words(cell)} END"
            )
        case "flag":
            word = f"lower({words(cell)})"
            return f"CASE WHEN {word} IN ({_list(_YES)}) THEN true WHEN {word} IN ({_list(_NO)}) THEN false END"
        case "time":
            return _time(cell, zone, formats)
        case "date":
            parsed = f"{_strptime(words(cell), formats)}::DATE"
            return parsed if formats else f"coalesce(try_cast({cell} AS DATE), {parsed})"
        case "integer":
            # 12.0 is twelve; 12.5 is no whole number, and a plain cast would round it
            number = f"try_cast({_bare(cell, decimal)} AS DOUBLE)"
            whole = f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS BIGINT) END"
            return f"coalesce(CASE WHEN NOT contains({cell}, '.') THEN try_cast({cell} AS BIGINT) END, {whole})"
        case "share":
            number = f"try_cast({_bare(cell, decimal)} AS DOUBLE)"
            return f"CASE WHEN contains({cell}, '%') THEN {number} / 100 ELSE {number} END"
    sql = {"money": "DECIMAL(18, 4)", "number": "DOUBLE"}[kind]
    careful = f"try_cast({_bare(cell, decimal)} AS {sql})"
    return careful if decimal == "," else f"coalesce(try_cast({cell} AS {sql}), {careful})"


def words(cell: str) -> str:
    """The cell without blanks, tabs and the apostrophe that exports put before numbers; NULL where it says nothing."""
    odd = " OR ".join(f"contains({cell}, {c})" for c in _BLANKS) + f" OR prefix({cell}, chr(39))"
    bare = f"trim({cell}, concat(' ', chr(39), {', '.join(_BLANKS)}))"
    return (
        f"CASE WHEN {odd} THEN CASE WHEN {bare} IN ({_list(NOTHING)}) THEN NULL ELSE {bare} END "
        f"WHEN {cell} IN ({_list(NOTHING)}) THEN NULL "
        f"WHEN prefix({cell}, ' ') OR suffix({cell}, ' ') THEN nullif(trim({cell}), '') ELSE {cell} END"
    )


def _bare(cell: str, decimal: str) -> str:
    """A number without thousands separators, currency and percent signs, with a point as its decimal mark."""
    if decimal == ",":
        return f"replace(regexp_replace({cell}, '[\\s\u00a0.￥¥$€£%]', '', 'g'), ',', '.')"
    return f"regexp_replace({cell}, '[\\s\u00a0,￥¥$€£%]', '', 'g')"


def _time(cell: str, zone: str, formats: Sequence[str]) -> str:
    """UTC: a time that states its offset is taken at its word, any other is the zone's own."""
    local = _strptime(words(cell), formats)
    if not formats:
        local = f"coalesce(try_cast({cell} AS TIMESTAMP), {local})"
    if zone != "UTC":
        local = f"timezone('UTC', timezone('{zone}', {local}))"
    offset = " OR ".join(f"{cell} LIKE '{p}'" for p in _OFFSETS)
    stated = f"timezone('UTC', try_cast({cell} AS TIMESTAMPTZ))"
    return f"CASE WHEN length({cell}) > 16 AND length({cell}) <> 19 AND ({offset}) THEN {stated} ELSE {local} END"


def _strptime(cell: str, formats: Sequence[str]) -> str:
    return f"try_strptime({cell}, [{_list(formats or TIME_FORMATS)}])"


def _list(words: Sequence[str]) -> str:
    return ", ".join("'" + w.replace("'", "''") + "'" for w in words)
