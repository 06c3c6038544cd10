"""Stories of single cells: what a cell of an export says, and which cells say nothing that can be trusted."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from playbook.data.ingest.parse import NOTHING, TIME_FORMATS, WORDS, trimmed, typed
from playbook.data.ingest.parse import says_something as sql_of_something

CON = duckdb.connect()
SHANGHAI, LONDON = "Asia/Shanghai", "Europe/London"


def cell(text, kind, **options):
    """What ingest reads in one cell; None where it cannot."""
    return cells([text], kind, **options)[0]


def cells(texts, kind, *, zone="UTC", decimal=".", formats=()):
    sql = typed("c", kind, zone=zone, decimal=decimal, formats=formats)
    raw = trimmed("raw") if kind in WORDS else "raw"
    found = CON.execute(f"SELECT {sql} FROM (SELECT {raw} AS c FROM (SELECT unnest(?::VARCHAR[]) AS raw))", [texts])
    return [v for (v,) in found.fetchall()]


def says_something(text):
    return telling([text]) == [text]


def telling(texts):
    """Those of the cells that say something at all."""
    where = sql_of_something("c")
    found = CON.execute(f"SELECT c FROM (SELECT unnest(?::VARCHAR[]) AS c) WHERE {where}", [texts])
    return [c for (c,) in found.fetchall()]


# --- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("  two words  ", "two words"),
        ("\tafter a tab", "after a tab"),
        ("\u00a0no-break\u00a0", "no-break"),
        ("\u3000全角空格\u3000", "全角空格"),
        ("'0001", "0001"),
        ("it's", "it's"),
        ("N/A here", "N/A here"),
        ("0", "0"),
    ],
)
def test_blanks_and_the_apostrophe_of_exports_go_and_the_words_stay(text, said):
    assert cell(text, "text") == said


@pytest.mark.parametrize("kind", ["text", "id", "money", "number", "integer", "share", "time", "date", "flag"])
def test_what_stands_for_nothing_is_nothing_with_blanks_around_it_too(kind):
    """Google Ads writes ' --' with a blank before it; it must neither be a value nor count as unreadable."""
    texts = [around.format(n) for n in NOTHING for around in ("{}", " {}", "{}  ", "\t{}", "\u00a0{}", "\u3000{}\t")]
    assert len(texts) == 6 * len(NOTHING) >= 78
    assert dict(zip(texts, cells(texts, kind), strict=True)) == dict.fromkeys(texts)
    assert telling(texts) == []


# --- identifiers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("000123", "000123"),
        ("6917926768823643751", "6917926768823643751"),
        ("\t6917926768823643751", "6917926768823643751"),
        ("'6917926768823643751", "6917926768823643751"),
        ("17850.0", "17850"),
        (" 17850.0", "17850"),
        ("0017.0", "0017"),
        ("#1001", "#1001"),
        ("C536379", "C536379"),
        ("1.0.0", "1.0.0"),
        ("v2.0", "v2.0"),
        ("17850.5", "17850.5"),
        ("LOVE+18", "LOVE+18"),
    ],
)
def test_an_identifier_stays_as_it_was_written(text, said):
    assert cell(text, "id") == said


@pytest.mark.parametrize("text", ["6.9E+18", "6.91793E+18", "7E+10", "6.9e+18", "6.9179267688236e+18", "\t6.91793E+18"])
def test_a_number_that_a_spreadsheet_cut_is_no_identifier_any_more(text):
    assert cell(text, "id") is None and says_something(text)


# --- money and numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12", "12"),
        ("12.3456", "12.3456"),
        ("0.1", "0.1"),
        ("-3.50", "-3.5"),
        ("+3.50", "3.5"),
        ("1,234.50", "1234.5"),
        ("1,234,567", "1234567"),
        ("-1,234.5", "-1234.5"),
        ("￥12.30", "12.3"),
        ("¥ 1,200", "1200"),
        ("$1,920.00", "1920"),
        ("-$5", "-5"),
        ("€7", "7"),
        ("£0.85", "0.85"),
        (" 8.00 ", "8"),
        ("\t8.00", "8"),
        ("1\u00a0234.5", "1234.5"),
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_money_is_exact_to_four_places(text, said):
    value = cell(text, "money")
    assert isinstance(value, Decimal) and value == Decimal(said)


def test_ten_cents_ten_times_are_one(n=10):
    sql = typed("c", "money", zone="UTC")
    assert CON.execute(f"SELECT sum({sql}) = 1 FROM (SELECT '0.1' AS c FROM range({n}))").fetchone() == (True,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12,5", "12.5"),
        ("1.234,50", "1234.5"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234,56 €", "1234.56"),
        ("1\u202f234,56", "1234.56"),  # the narrow blank that French exports put
        ("-0,85", "-0.85"),
        ("1.234", "1234"),
        ("7", "7"),
    ],
)
def test_money_with_a_decimal_comma(text, said):
    assert cell(text, "money", decimal=",") == Decimal(said)


@pytest.mark.parametrize("text", ["abc", "12 apples", "1.2.3", "--5", "12元3", "999999999999999", "inf", "∞"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_what_is_no_amount_is_not_read_as_one(text, decimal):
    if (text, decimal) != ("1.2.3", ","):  # there the points are separators
        assert cell(text, "money", decimal=decimal) is None and says_something(text)


@pytest.mark.parametrize("text", ["19,99", "1,5", "1234,50", "12,34,5"])
@pytest.mark.parametrize("kind", ["money", "number", "integer"])
def test_a_decimal_comma_where_none_was_announced_is_not_a_hundred_times_as_much(text, kind):
    """A comma that does not stand before three digits separates no thousands."""
    assert cell(text, kind) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("12", 12), ("12.0", 12), ("-3", -3), ("1,103,153", 1_103_153), ("2 ", 2), ("9007199254740993", 2**53 + 1)],
)
def test_a_whole_number(text, said):
    assert cell(text, "integer") == said


@pytest.mark.parametrize("text", ["12.5", "0.9999", "a dozen", "1e400"])
def test_what_is_not_whole_is_not_rounded(text):
    assert cell(text, "integer") is None and says_something(text)


def test_a_whole_number_with_points_between_the_thousands():
    assert cell("1.234", "integer", decimal=",") == 1234


@pytest.mark.parametrize(
    ("text", "said"), [("1.49%", 0.0149), ("78.15 %", 0.7815), ("100%", 1), ("0.0786", 0.0786), ("1,200%", 12)]
)
def test_a_share_is_a_fraction_with_a_percent_sign_or_without(text, said):
    assert cell(text, "share") == pytest.approx(said, rel=1e-12)


def test_a_share_with_a_decimal_comma():
    assert cell("12,5 %", "share", decimal=",") == pytest.approx(0.125, rel=1e-12)


@pytest.mark.parametrize(("text", "said"), [("4.7", 4.7), ("1e3", 1000), ("1,234.5", 1234.5), ("-0.5", -0.5)])
def test_a_number(text, said):
    assert cell(text, "number") == said


@pytest.mark.parametrize("text", ["inf", "-Infinity"])
@pytest.mark.parametrize("kind", ["number", "share"])
def test_infinity_is_no_number(text, kind):
    assert cell(text, kind) is None


@pytest.mark.parametrize(
    ("yes", "no"),
    [("true", "false"), ("TRUE", "False"), ("1", "0"), ("Yes", "no"), ("y", "N"), (" 是 ", "否"), ("有", "无")],
)
def test_a_flag(yes, no):
    assert cell(yes, "flag") is True and cell(no, "flag") is False
    assert cell(yes + no, "flag") is None and says_something(yes + no)


# --- times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05 14:07:09",
        "2024-03-05T14:07:09",
        "2024/03/05 14:07:09",
        "2024/3/5 14:7:9",
        "2024年03月05日 14:07:09",
        "20240305140709",
        "\t2024-03-05 14:07:09",
        " 2024-03-05 14:07:09 ",
    ],
)
def test_a_time_of_the_shops_clock_is_kept_as_utc(text):
    assert cell(text, "time") == dt.datetime(2024, 3, 5, 14, 7, 9)
    assert cell(text, "time", zone=SHANGHAI) == dt.datetime(2024, 3, 5, 6, 7, 9)


@pytest.mark.parametrize("text", ["2026/9/10 8:00", "2026-09-10 08:00", "2026-9-10 8:00"])
def test_a_time_without_seconds(text):
    assert cell(text, "time", zone=SHANGHAI) == dt.datetime(2026, 9, 10)


@pytest.mark.parametrize("text", ["2024-03-05", "2024/3/5", "2024年3月5日", "20240305"])
def test_a_day_begins_when_the_shops_does(text):
    assert cell(text, "time", zone=SHANGHAI) == dt.datetime(2024, 3, 4, 16)
    assert cell(text, "date") == dt.date(2024, 3, 5)


def test_the_minutes_around_midnight_in_shanghai_lie_on_one_utc_day():
    assert cell("2024-02-29 23:59:00", "time", zone=SHANGHAI) == dt.datetime(2024, 2, 29, 15, 59)
    assert cell("2024-03-01 00:01:00", "time", zone=SHANGHAI) == dt.datetime(2024, 2, 29, 16, 1)


def test_london_is_an_hour_ahead_in_summer_only():
    assert cell("2011-01-15 12:00:00", "time", zone=LONDON) == dt.datetime(2011, 1, 15, 12)
    assert cell("2011-07-15 12:00:00", "time", zone=LONDON) == dt.datetime(2011, 7, 15, 11)
    assert cell("2011-07-01 00:30:00", "time", zone=LONDON) == dt.datetime(2011, 6, 30, 23, 30)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-05T17:06:21Z",
        "2026-04-05T17:06:21.000Z",
        "2026-04-05 21:06:21 +0400",
        "2026-04-05 21:06:21+0400",
        "2026-04-05 21:06:21+04:00",
        "2026-04-05T21:06:21+04:00",
        "2026-04-05 12:06:21-05:00",
        "2026-04-05 21:06:21+04",  # as Postgres, Parquet and pandas write it
        "2026-04-05 12:06:21-05",
        "2026-04-05 17:06:21 UTC",  # as BigQuery writes it
    ],
)
@pytest.mark.parametrize("zone", ["UTC", SHANGHAI, LONDON])
def test_a_time_that_states_its_offset_is_taken_at_its_word(text, zone):
    assert cell(text, "time", zone=zone) == dt.datetime(2026, 4, 5, 17, 6, 21)


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2024-02-30 10:00:00",
        "2024-13-01",
        "31/12/2024",
        "12/1/2010 8:26",
        "25:00",
        "45292.5",
        "2024-01-01 25:00:00",
    ],
)
@pytest.mark.parametrize("kind", ["time", "date"])
def test_what_is_no_time_or_could_be_two_is_not_read(text, kind):
    assert cell(text, kind, zone=SHANGHAI) is None and says_something(text)


@pytest.mark.parametrize("text", ["24/01/02", "01/02/24", "11-12-24", "0024-01-02", "infinity", "epoch"])
@pytest.mark.parametrize("kind", ["time", "date"])
def test_a_year_of_two_digits_is_not_one_of_antiquity(text, kind):
    assert cell(text, kind, zone=SHANGHAI) is None and says_something(text)


@pytest.mark.parametrize(("text", "day"), [("1985-05-01", dt.date(1985, 5, 1)), ("9999-12-31", dt.date(9999, 12, 31))])
def test_a_product_may_be_old_and_a_coupon_may_never_expire(text, day):
    assert cell(text, "date") == day


def test_a_format_that_is_said_is_the_only_one_tried():
    british = ("%d/%m/%Y %H:%M", "%d/%m/%Y")
    assert cell("03/04/2024 10:30", "time", formats=british) == dt.datetime(2024, 4, 3, 10, 30)
    assert cell("03/04/2024", "date", formats=british) == dt.date(2024, 4, 3)
    assert cell("2024-04-03", "date", formats=british) is None
    assert cell("03/04/2024 10:30", "time", zone=LONDON, formats=british) == dt.datetime(2024, 4, 3, 9, 30)


def test_every_time_format_reads_what_it_writes():
    moment = dt.datetime(2024, 11, 12, 13, 14, 15)
    for f in TIME_FORMATS:
        read = cell(moment.strftime(f), "time")
        assert read == moment.strptime(moment.strftime(f), f), f
