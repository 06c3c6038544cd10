"""Stories of the canonical tables: the one definition holds together, and the dictionary tells all of it."""

import duckdb
import pytest

from playbook.data.schema import SQL_TYPES, TABLES, dictionary

OBSERVED = [t for t in TABLES.values() if t.happened]
PLANNED = [t for t in TABLES.values() if t.planned]

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def test_orders_need_three_columns():
    assert TABLES["orders"].required == ("order_id", "ordered_at", "amount")


def test_the_tables_of_the_design_are_there():
    assert len(TABLES) == 35 and list(TABLES)[:4] == ["orders", "order_items", "order_status", "returns"]
    assert {t.name for t in PLANNED} == {
        "targets", "campaigns", "promotions", "coupons", "content", "keywords", "tasks", "purchase_orders", "risks",
    }  # fmt: skip
    assert {t.name for t in TABLES.values()} - {t.name for t in OBSERVED + PLANNED} == {"products", "suppliers"}


@every_table
def test_a_key_is_made_of_columns_one_of_them_required(table):
    assert table.key and set(table.key) <= set(table.by_name)
    assert len(set(table.key)) == len(table.key)
    assert set(table.key) & set(table.required)


@every_table
def test_a_column_is_named_once_and_has_a_type_and_a_meaning(table):
    names = [c.name for c in table.columns]
    assert len(set(names)) == len(names) and all(n.isidentifier() and n == n.lower() for n in names)
    assert {c.type for c in table.columns} <= set(SQL_TYPES)
    assert all(c.meaning and "@" not in c.meaning for c in table.columns)


@every_table
def test_time_cuts_a_table_by_a_time_of_its_own(table):
    assert not (table.happened and table.recorded)
    if cut := table.happened or table.recorded:
        assert table.by_name[cut].type in ("time", "date")
    if table.planned:
        assert table.by_name[table.recorded].required


@every_table
def test_what_became_known_later_names_a_time_of_the_same_row(table):
    for c in table.columns:
        if c.known_at:
            assert table.by_name[c.known_at].type in ("time", "date"), c.name


def test_an_identifier_is_text_and_money_is_decimal():
    for table in TABLES.values():
        for c in table.columns:
            if c.name.endswith("_id"):
                assert c.type == "id" and SQL_TYPES[c.type] == "VARCHAR", f"{table.name}.{c.name}"
            if c.name in ("amount", "price", "spend", "discount", "budget", "unit_cost", "list_price"):
                assert c.type == "money" and SQL_TYPES[c.type].startswith("DECIMAL"), f"{table.name}.{c.name}"
            if c.name.endswith("_at"):
                assert c.type == "time", f"{table.name}.{c.name}"


def test_the_types_are_types_of_the_engine_and_names_need_no_quotes():
    con = duckdb.connect()
    for table in TABLES.values():
        con.execute(f"CREATE TABLE {table.name} ({', '.join(f'{c.name} {SQL_TYPES[c.type]}' for c in table.columns)})")
        assert len(con.execute(f"DESCRIBE {table.name}").fetchall()) == len(table.columns)


def test_the_dictionary_has_one_line_for_every_column():
    chapters = dictionary().split("\n## ")[1:]
    assert [c.split("\n", 1)[0] for c in chapters] == list(TABLES)
    for table, chapter in zip(TABLES.values(), chapters, strict=True):
        assert table.meaning in chapter and f"key: {', '.join(table.key)}" in chapter
        lines = [line for line in chapter.splitlines() if line.startswith("| ") and not line.startswith("| column")]
        assert len(lines) == len(table.columns), table.name
        for c, line in zip(table.columns, lines, strict=True):
            assert line.startswith(f"| {c.name} | {c.type} | {c.meaning}")
            assert ("(required)" in line) == c.required
            assert (f"(known from `{c.known_at}` on)" in line) == bool(c.known_at)


def test_the_dictionary_says_how_time_cuts_each_table():
    text = dictionary()
    assert text.count("observed, cut by `") == len(OBSERVED) == 24
    assert text.count("planned, cut by `") == 9 and text.count("a state, not cut") == 2
    assert "observed, cut by `ordered_at`; key: platform, order_id" in text
