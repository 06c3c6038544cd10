"""Stories of what a cell shows, and of the same numbers handed to machines."""

import datetime as dt
import json
from decimal import Decimal

import nbformat
import numpy as np
import pandas as pd
import pytest

from playbook.findings import Figure, Finding
from playbook.missing import Missing
from playbook.outlook import Decision, Forecast
from playbook.report import page, said


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (bundle, metadata)."""
    seen = []
    monkeypatch.setattr(page, "get_ipython", lambda: object())
    monkeypatch.setattr(page, "display", lambda bundle, metadata, raw: seen.append((bundle, metadata)))
    monkeypatch.setitem(page._shop, "currency", "CNY")
    return seen


def headline():
    frame = pd.DataFrame(
        {
            "metric": ["net_sales", "cac", "conversion"],
            "unit": ["currency", "currency", "share"],
            "value": [1_234_567.8, 71.4, 0.0291],
            "low": [None, 66.0, 0.0283],
            "high": [None, 77.9, 0.0299],
            "n": [5321, 1710, 182_900],
            "previous": [1_100_000.0, 62.1, None],
            "change": [0.1223, 0.15, None],
        }
    )
    frame.attrs.update(
        currency="GBP",
        good={"net_sales": "up", "cac": "down"},
        titles={"net_sales": "Net sales"},
        definitions={"cac": "Ad spend per new customer."},
        sparklines={"cac": [50, 60, 55, 71.4]},
    )
    return frame


def channels():
    rows = [
        ("search", "roas", "ratio", 2.5),
        ("search", "net_sales", "currency", 250.0),
        ("<b>小红书</b>", "roas", "ratio", 12.25),
        ("<b>小红书</b>", "net_sales", "currency", 9000.0),
    ]
    return pd.DataFrame(rows, columns=["channel", "metric", "unit", "value"])


def cells(html):
    """Texts of the table's cells, row by row."""
    import re

    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    return [[c.strip() for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)] for row in rows]


def test_a_long_frame_is_one_row_per_metric_with_units_interval_and_change(shown):
    page.show(headline(), name="headline", title="Headline")
    html = shown[0][0]["text/html"]
    head, sales, cac, conversion = cells(html)
    assert head == ["Metric", "Value", "", "n", "Previous period", "Change"]
    assert sales == ["Net sales", "£1,234,568", "", "5,321", "£1,100,000", "+12.2%"]
    assert cac == ["CAC", "£71.40", "£66.00–£77.90", "1,710", "£62.10", "+15.0%"]
    assert conversion == ["Conversion", "2.91%", "2.83%–2.99%", "182,900", "—", "—"]
    assert '<td class="pb-num pb-bad">+15.0%</td>' in html, "a dearer customer is bad news"
    assert "<dt>CAC</dt><dd>Ad spend per new customer.</dd>" in html


def test_the_figures_of_a_long_frame_carry_interval_and_earlier_values(shown):
    page.show(headline(), name="headline")
    figures = {f["name"]: f for f in shown[0][0][page.FIGURES]}
    assert list(figures) == [
        "headline.net_sales",
        "headline.net_sales.previous",
        "headline.cac",
        "headline.cac.previous",
        "headline.conversion",
    ]
    cac = figures["headline.cac"]
    assert (cac["value"], cac["low"], cac["high"], cac["unit"], cac["by"]) == (
        71.4,
        66.0,
        77.9,
        "currency",
        {},
    )
    assert figures["headline.net_sales"]["low"] is None
    json.dumps(shown[0][0][page.FIGURES], allow_nan=False)


def test_what_is_cut_by_something_has_a_column_per_metric_that_lines_up(shown):
    page.show(channels(), name="channels")
    bundle = shown[0][0]
    assert cells(bundle["text/html"]) == [
        ["Channel", "ROAS", "Net sales"],
        ["search", "2.5", "¥250"],
        ["&lt;b&gt;小红书&lt;/b&gt;", "12.3", "¥9,000"],
    ]
    assert bundle[page.FIGURES][2]["by"] == {"channel": "<b>小红书</b>"}, "machines get the name as it is"
    assert bundle["text/plain"].splitlines()[1].split() == ["search", "2.5", "¥250"]


def test_a_tidy_frame_has_figures_for_the_columns_with_units(shown):
    frame = pd.DataFrame(
        {
            "product": ["<script>alert(1)</script>", "壶"],
            "since": pd.to_datetime(["2026-10-01", None]),
            "month": [0, 1],
            "p": [0.0004, 0.5],
            "margin": [Decimal("0.25"), None],
            "margin_low": [0.2, None],
            "margin_high": [0.3, None],
            "units": np.array([3, 1400]),
        }
    )
    page.show(frame, name="products", units={"margin": "share", "units": "count"})
    bundle = shown[0][0]
    assert cells(bundle["text/html"]) == [
        ["Product", "Since", "Month", "P", "Margin", "", "Units"],
        ["&lt;script&gt;alert(1)&lt;/script&gt;", "1 Oct 2026", "0", "0.0004", "25.0%", "20.0%–30.0%", "3"],
        ["壶", "—", "1", "0.50", "—", "", "1,400"],
    ]
    margin, units, none, _more = bundle[page.FIGURES]
    assert (margin["name"], margin["value"], margin["low"], margin["high"]) == (
        "products.margin",
        0.25,
        0.2,
        0.3,
    )
    assert margin["by"] == {"product": "<script>alert(1)</script>", "since": "2026-10-01", "month": "0"}
    assert (units["value"], type(units["value"])) == (3, int)
    assert none["value"] is None


def test_rows_left_out_are_counted_and_their_figures_kept(shown):
    frame = pd.DataFrame({"sku": [f"{i:03d}" for i in range(1031)], "units": range(1031)})
    page.show(frame, name="stock", rows=25, units={"units": "count"})
    bundle = shown[0][0]
    assert "… and 1,006 more rows" in bundle["text/html"]
    assert bundle["text/html"].count("<tr>") == 26
    assert len(bundle[page.FIGURES]) == 1031
    assert bundle[page.FIGURES][7]["by"] == {"sku": "007"}


def test_rows_that_nothing_tells_apart_are_numbered(shown):
    page.show(pd.DataFrame({"day": ["Mon", "Mon"], "n": [1, 2]}), name="x", units={"n": "count"})
    assert [f["by"] for f in shown[0][0][page.FIGURES]] == [
        {"day": "Mon", "row": "1"},
        {"day": "Mon", "row": "2"},
    ]


def test_the_frame_is_left_as_it_was(shown):
    frame, twin = headline(), headline()
    page.show(frame, name="headline")
    page.tiles(frame, name="headline")
    pd.testing.assert_frame_equal(frame, twin)


def test_an_index_that_says_something_is_shown(shown):
    page.show(pd.DataFrame({"n": [4]}, index=pd.Index(["Mon"], name="day")), name="x", units={"n": "count"})
    assert cells(shown[0][0]["text/html"]) == [["Day", "N"], ["Mon", "4"]]


def test_an_empty_frame_says_that_it_is_empty(shown):
    page.show(headline().head(0), name="headline")
    assert "No rows." in shown[0][0]["text/html"]
    assert shown[0][0][page.FIGURES] == []


def test_a_missing_shows_its_card_and_has_no_figures(shown):
    page.show(Missing("events", "Where do shoppers leave?", "Supply events."), name="funnel")
    bundle = shown[0][0]
    assert "Where do shoppers leave?" in bundle["text/html"]
    assert page.FIGURES not in bundle
    page.tiles(Missing("events").quiet(), name="funnel")
    assert len(shown) == 1, "an absence already told is not told again"


def test_tiles_say_in_words_whether_a_move_is_good(shown):
    page.tiles(headline(), name="headline")
    bundle, metadata = shown[0]
    html = " ".join(bundle["text/html"].split())
    assert '<p class="pb-tile-value">£1.23M</p>' in html
    assert '<span class="pb-good"><span aria-hidden="true">▲</span> +12.2% better</span>' in html
    assert '<span class="pb-bad"><span aria-hidden="true">▲</span> +15.0% worse</span>' in html
    assert 'points="3.0,25.0 41.0,14.7 79.0,19.9 117.0,3.0"' in html
    assert metadata == {"playbook": {"kind": "tiles"}}
    assert len(bundle[page.FIGURES]) == 5


def test_conclusions_are_ranked_cards_with_a_word_and_a_shape(shown):
    low = Figure("channels.cac", 71.4, "currency", 66, 77.9, {"channel": "search"})
    page.conclude(
        Finding("hold", "Leave <i>returns</i>."),
        [Finding("act", "Move money.", 120_400, (low,)), Missing("inventory", "Will stock last?")],
        currency="USD",
    )
    bundle = shown[0][0]
    html = bundle["text/html"]
    assert html.index("Move money.") < html.index("Leave &lt;i&gt;returns&lt;/i&gt;.") < html.index("Will stock last?")
    assert "At stake: $120K a period" in html
    assert "CAC (search)" in html and "$66.00–$77.90" in html
    assert html.count("<svg") == 2 and "Act" in html and "Hold" in html
    assert [(f["verdict"], f["stake"]) for f in bundle[page.CONCLUSIONS]["findings"]] == [
        ("act", 120400.0),
        ("hold", None),
    ]


def test_nothing_to_conclude_is_said(shown):
    page.conclude([])
    assert "Nothing here calls for action." in shown[0][0]["text/html"]
    with pytest.raises(TypeError, match="is no finding"):
        page.conclude("Do it.")


def test_the_currency_of_the_shop_is_that_of_its_findings(shown):
    page._shop["currency"] = "EUR"
    page.conclude(Finding("act", "Do it.", 500))
    assert "€500.00" in shown[0][0]["text/html"]


def notebook(*bundles):
    outputs = [nbformat.v4.new_output("display_data", data=b) for b in bundles]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])


def test_the_runner_reads_figures_and_findings_back(shown):
    behind = Figure("channels.cac", 71.4, "currency")
    page.show(headline(), name="headline")
    page.tiles(headline(), name="headline")  # the same figures again
    page.conclude(Finding("watch", "w", 10), Finding("act", "a", 5, (behind,)))
    read = said.said_in(notebook(*[b for b, _metadata in shown]), notebook="07a")
    figures, findings = read.figures, read.findings
    assert len(figures) == 6
    assert {f["notebook"] for f in figures} == {"07a"}
    assert figures[-1]["name"] == "channels.cac"
    assert findings == [Finding("act", "a", 5, (behind,)), Finding("watch", "w", 10)]


def test_what_comes_and_what_is_to_be_done_stands_below_the_findings(shown):
    comes = Forecast("net_sales", "2026-11", 1200, 1000, 1500, "currency", by={"platform": "jd"}, method="ets")
    do = Decision(
        "stop", "Stop <b>search</b>.", "Buyer", dt.date(2026, 11, 9), "net_sales", "2026-12", -50, -80, -10, "currency"
    )
    page.conclude(Finding("hold", "h"), [comes], do)
    html = shown[0][0]["text/html"]
    assert "Net sales (JD)" in html and "¥1,200" in html and "¥1,000–¥1,500" in html and "(80%)" in html
    assert "Stop &lt;b&gt;search&lt;/b&gt;." in html and "Buyer, until 9 Nov 2026" in html
    assert "Net sales in December 2026: −¥50.00 (−¥80.00 to −¥10.00, 80% interval)" in html
    read = said.said_in(notebook(*[b for b, _metadata in shown]))
    assert (read.forecasts, read.decisions) == ([comes], [do])
    with pytest.raises(ValueError, match="net_sales, 2026-11, platform=jd is there twice"):
        page.conclude(comes, comes)


def test_one_name_with_two_numbers_is_refused(shown):
    page.show(pd.DataFrame({"n": [1]}), name="x", units={"n": "count"})
    page.show(pd.DataFrame({"n": [2]}), name="x", units={"n": "count"})
    with pytest.raises(ValueError, match=r"figure x\.n \{\} is on the page twice, as 1 and as 2"):
        said.said_in(notebook(*[b for b, _metadata in shown]))


def test_outside_ipython_the_text_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(page, "get_ipython", lambda: None)
    page.show(headline(), name="headline", title="Headline")
    assert "£71.40 (£66.00–£77.90)" in capsys.readouterr().out
