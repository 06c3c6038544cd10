"""Nested columns: the SQL that reads one member of a structure, or one key of a list of keys and values.

GA4's events are such rows. In Parquet the structures are the file's own; in CSV they are JSON within a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .model import Field, SourceFormat, normal
from .read import RawFile

_VALUES = ("string_value", "int_value", "float_value", "double_value")
_JSON = f'[{{"key":"VARCHAR","value":{{{",".join(f""""{v}":"VARCHAR\"""" for v in _VALUES)}}}}}]'


def columns(raw: RawFile, fmt: SourceFormat, cells: Sequence[str]) -> list[str]:
    """The SQL of a file's columns ``c0, c1 …``; of a list of pairs also its keys ``k3`` and values ``v3``.

    Parameters
    ----------
    raw : RawFile
        The file.
    fmt : SourceFormat
        Says which columns are nested.
    cells : sequence of str
        The SQL of each column as it stands in the file.
    """
    types = _types(raw)
    out = []
    for i, (name, cell) in enumerate(zip(raw.header, cells, strict=True)):
        if _is(name, fmt.pairs):
            pairs, members = (cell, _members(types[name])) if types else (_parsed(cell, name), _VALUES)
            value = ", ".join(f"x.value.{m}::VARCHAR" for m in members)
            out.append(f"list_transform({pairs}, lambda x: x.key) AS k{i}")
            out.append(f"list_transform({pairs}, lambda x: coalesce({value})) AS v{i}")
            out.append(f"NULL::VARCHAR AS c{i}")
        elif _is(name, fmt.nested):
            out.append(f"{cell} AS c{i}")
        else:
            out.append(f"{cell}::VARCHAR AS c{i}")
    return out


def member(raw: RawFile, fmt: SourceFormat, field: Field) -> str | None:
    """The SQL of a field that is a member of a nested column; None where it is a column of its own."""
    types = _types(raw)
    places = {normal(name): i for i, name in reversed(list(enumerate(raw.header)))}
    found = []
    for header in field.headers:
        base, _dot, rest = header.partition(".")
        i = places.get(normal(base))
        if i is None or not rest:
            continue
        if base in fmt.pairs:
            key = rest.replace("'", "''")
            found.append(f"v{i}[list_position(k{i}, '{key}')]")
        elif base in fmt.nested:
            path = _native(types[raw.header[i]], f"c{i}", rest) if types else _json(f"c{i}", base, rest)
            found += [path] if path else []
    if not any(h.partition(".")[0] in (*fmt.pairs, *fmt.nested) for h in field.headers):
        return None
    return f"coalesce({', '.join(found)})" if found else "NULL::VARCHAR"


def _is(name: str, among: Sequence[str]) -> bool:
    return normal(name) in {normal(a) for a in among}


def _types(raw: RawFile) -> dict[str, Any]:
    """The types of a Parquet file's columns; none of a text."""
    if raw.encoding != "parquet":
        return {}
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(raw.path)
    return {field.name: field.type for field in schema}


def _members(kind: Any) -> list[str]:
    """Which kinds of value the pairs of a Parquet column have."""
    value = kind.value_type.field("value").type
    return [v for v in _VALUES if value.get_field_index(v) >= 0]


def _native(kind: Any, cell: str, path: str) -> str | None:
    """The SQL of a member of a Parquet structure, or of the first one in a list; None where there is none."""
    import pyarrow.types

    for name in path.split("."):
        if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
            kind, cell = kind.value_type, f"{cell}[1]"
        if not pyarrow.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        kind, cell = kind.field(name).type, f'{cell}."{name}"'
    return f"{cell}::VARCHAR"


def _json(cell: str, base: str, path: str) -> str:
    """The SQL of a member of a structure written as JSON, bare or below its column's name."""
    at = [f"$.{path}", f"$[0].{path}", f"$.{base}.{path}", f"$.{base}[0].{path}"]
    found = ", ".join(f"json_extract_string({cell}, '{p}')" for p in at)
    return f"CASE WHEN json_valid({cell}) THEN coalesce({found}) END"


def _parsed(cell: str, base: str) -> str:
    """The SQL of a list of pairs written as JSON, bare or below its column's name."""
    return (
        f"CASE WHEN json_valid({cell}) THEN from_json(CASE WHEN prefix(ltrim({cell}), '{{') "
        f"THEN json_extract({cell}, '$.{base}') ELSE {cell}::JSON END, '{_JSON}') END"
    )
