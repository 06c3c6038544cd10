"""From text to type: the SQL that reads one cell. What cannot be read gives NULL, and the row goes to quarantine.

In each expression the plain reading comes first and is enough for nearly every cell; what it costs to be careful is
paid only for the rest. (A CASE within a CASE or coalesce is not short-circuited by DuckDB 2.0: there are none here
where it would cost.)
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

WORDS = ("text", "id", "flag", "hash")
"""Types that are read from the trimmed cell; the others are read from the cell as it is."""

_YES = ("true", "1", "yes", "y", "t", "是", "已", "有")
_NO = ("false", "0", "no", "n", "f", "否", "未", "无")
_OFFSETS = ("%:__%+__:__", "%:__%+____", "%:__%+__", "%:__%-__:__", "%:__%-____", "%:__%-__", "%:__%Z", "%UTC", "%GMT")
_BLANKS = ("chr(9)", "chr(160)", "chr(12288)")  # tab, no-break and ideographic space

_THOUSANDS = "^[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:[.][0-9]*)?$"
_COMMA = "^[-+]?[0-9]+(?:,[0-9]*)?$"
_COMMA_THOUSANDS = "^[-+]?[0-9]{1,3}(?:[.][0-9]{3})+(?:,[0-9]*)?$"


def trimmed(cell: str) -> str:
    """The SQL of a cell without blanks, tabs and the apostrophe that exports put before numbers.

    A cell that begins with a letter or a digit and ends in neither tab nor wide blank needs no more than a plain trim.
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
    kind : str
        The type.
    zone : str
        Time zone of times that state no offset.
    decimal : {".", ","}
        The decimal mark. With a point, commas may stand between groups of three digits; ``19,99`` cannot be read.
    formats : sequence of str
        Of times and dates, as strptime has them; by default the year comes first.
    """
    nothing = f"WHEN {cell} IN ({_list(NOTHING)}) THEN NULL"
    match kind:
        case "text" | "hash":
            return f"CASE {nothing} ELSE {cell} END"
        case "id":
            # a number that passed through a spreadsheet: 17850.0 is 17850; 6.9E+18 has lost its digits for good
            lost = f"(contains({cell}, 'E+') OR contains({cell}, 'e+')) AND "
            lost += f"regexp_full_match({cell}, '[0-9.]+[Ee]\\+[0-9]+')"
            return (
                f"CASE {nothing} WHEN {lost} THEN NULL "
                f"WHEN suffix({cell}, '.0') AND regexp_full_match({cell}, '[0-9]+\\.0') THEN left({cell}, -2) "
                f"ELSE {cell} END"
            )
        case "flag":
            yes, no = f"lower({cell}) IN ({_list(_YES)})", f"lower({cell}) IN ({_list(_NO)})"
            return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
        case "time":
            return _time(cell, zone, formats)
        case "date":
            if formats:
                return f"{_strptime(cell, formats)}::DATE"
            parsed = f"coalesce(try_cast({_stripped(cell)} AS DATE), {_strptime(cell, formats)}::DATE)"
            return f"CASE WHEN {_four_digits(cell)} THEN {parsed} END"
        case "money":
            return _number(cell, decimal, "DECIMAL(18, 4)")
        case "integer":
            # 12.0 is twelve; 12.5 is no whole number, and a plain cast would round it
            number = _number(cell, decimal, "DOUBLE")
            whole = f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS BIGINT) END"
            return f"CASE WHEN regexp_full_match({cell}, '-?[0-9]+') THEN try_cast({cell} AS BIGINT) ELSE {whole} END"
    number = _number(cell, decimal, "DOUBLE")
    if kind == "share":
        number = f"({number} / CASE WHEN contains({cell}, '%') THEN 100 ELSE 1 END)"
    return f"CASE WHEN isinf({number}) OR isnan({number}) THEN NULL ELSE {number} END"


def _number(cell: str, decimal: str, sql: str) -> str:
    """A number, with or without currency, percent sign, blanks, and marks between its thousands."""
    bare = f"regexp_replace({cell}, '[\\s\u00a0\u202f\u3000''￥¥$€£%]', '', 'g')"
    if decimal == ",":
        plain = f"replace(regexp_extract({bare}, '{_COMMA}'), ',', '.')"
        grouped = f"replace(replace(regexp_extract({bare}, '{_COMMA_THOUSANDS}'), '.', ''), ',', '.')"
        return f"coalesce(try_cast({plain} AS {sql}), try_cast({grouped} AS {sql}))"
    grouped = f"replace(regexp_extract({bare}, '{_THOUSANDS}'), ',', '')"
    return f"coalesce(try_cast({cell} AS {sql}), try_cast({bare} AS {sql}), try_cast({grouped} AS {sql}))"


def _time(cell: str, zone: str, formats: Sequence[str]) -> str:
    """UTC: a time that states its offset is taken at its word, any other is the zone's own."""
    if formats:
        local = _strptime(cell, formats)
    else:
        local = f"coalesce(try_cast({cell} AS TIMESTAMP), {_strptime(cell, formats)})"
    offset = " OR ".join(f"{cell} LIKE '{p}'" for p in _OFFSETS)
    stated = f"regexp_replace({_stripped(cell)}, '\\s*([+-][0-9]{{2}}):?([0-9]{{2}})$', '\\1:\\2')"
    stated = f"try_cast(regexp_replace({stated}, '\\s*(UTC|GMT)$', 'Z') AS TIMESTAMPTZ)"
    moment = (
        f"make_timestamp(epoch_us(CASE WHEN length({cell}) > 16 AND length({cell}) <> 19 AND ({offset}) THEN {stated} "
        f"ELSE timezone('{zone}', {local}) END))"
    )
    return moment if formats else f"CASE WHEN {_of_our_age(cell)} THEN {moment} END"


def _four_digits(cell: str) -> str:
    """Whether a date begins with a year of four digits (or a blank stands before)."""
    return _begins(cell, "19", "20", "9999")


def _of_our_age(cell: str) -> str:
    """Whether a time begins with a year that an order can have: 24/01/02 is no year 24 (or a blank stands before)."""
    return _begins(cell, "199", "20", "9999")


def _begins(cell: str, *years: str) -> str:
    return f"({' OR '.join(f"prefix({cell}, '{y}')" for y in years)} OR {cell} < '0' OR {cell} >= chr(128))"


def _strptime(cell: str, formats: Sequence[str]) -> str:
    return f"try_strptime({_stripped(cell)}, [{_list(formats or TIME_FORMATS)}])"


def _stripped(cell: str) -> str:
    return f"trim({cell}, concat(' ', chr(39), {', '.join(_BLANKS)}))"


def _list(words: Sequence[str]) -> str:
    return ", ".join("'" + w.replace("'", "''") + "'" for w in words)
