"""Stories of the pages: what a reader gets of an executed notebook, and what never reaches her."""

import base64
import dataclasses
import datetime as dt
import re
import struct

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from playbook.decisions.memo import memo
from playbook.findings import Finding
from playbook.methods.multiplicity import controlled
from playbook.outlook import Decision
from playbook.report import render, said

SCRIPT = "<script>alert(1)</script>"


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


@pytest.fixture(scope="module")
def executed():
    """A notebook run in a real kernel."""
    nb = new_notebook(
        cells=[
            new_markdown_cell("# Scorecard\n\nDid the shop do *better*?\n\nFor the head of marketing."),
            code("shop: str = 'demo'", "parameters"),
            code(
                "import matplotlib.pyplot as plt, pandas as pd\n"
                "from playbook import style\nfrom playbook.findings import Finding\n"
                "from playbook.report import page\npage.setup(currency='GBP')\npage.setup()\nprint('set up')",
                "setup",
            ),
            new_markdown_cell("## How much?\n\nAfter [a book](https://example.org/book/)."),
            code(
                "frame = pd.DataFrame({'metric': ['net_sales'], 'unit': ['currency'], 'value': [12345.6]})\n"
                "page.tiles(frame, name='headline')"
            ),
            code(
                f"goods = pd.DataFrame({{'product': ['{SCRIPT}'], 'n': [3]}})\n"
                "page.show(goods, name='goods', units={'n': 'count'})"
            ),
            code("fig, ax = plt.subplots()\nax.plot([1, 2], [3, 4])\nstyle.alt(ax, 'Sales rose from “3” to <4>.')\nax"),
            code("import sys; print('a library warns', file=sys.stderr)"),
            code("print('explored')", "explore"),
            code(f"page.conclude(Finding('act', 'Move {SCRIPT} now.', 500))"),
        ]
    )
    NotebookClient(nb, timeout=120, kernel_name="python3").execute()
    nb.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return nb


@pytest.fixture(scope="module")
def site(executed):
    findings = said.said_in(executed).findings
    title, question = render.heading(executed)
    pages = [
        render.PageInfo("07a_scorecard", "07a", title, question, "ok", findings, 61),
        render.PageInfo("06b_funnel", "06b", "Funnel", "Where do shoppers leave?", "failed"),
        render.PageInfo("08a_supply", "08a", "Supply", "", "not run"),
    ]
    day = dt.date(2026, 10, 31)
    return render.Site(
        f"Shop {SCRIPT}", "2026-10", "October 2026", "GBP", "en", day, day, pages, render.headline(executed)
    )


@pytest.fixture(scope="module")
def html(executed, site):
    return render.page(executed, site=site, slug="07a_scorecard")


def nothing_from_elsewhere(html):
    outside = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//[^"'\s>]*""", html, re.I)
    return not outside and "<script" not in html and "@import" not in html


def test_the_page_refers_to_nothing_outside_itself(html, site):
    assert nothing_from_elsewhere(html)
    assert nothing_from_elsewhere(render.index(site))
    assert '<span class="address">example.org/book</span>' in html, "an address can still be read"


def test_text_from_data_is_text(html, site):
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4, "title, product, finding twice"
    assert SCRIPT not in html + render.index(site)


def test_code_and_what_is_tagged_away_are_not_shown(html):
    for gone in ("page.show", "shop: str", "set up", "explored", "&lt;Axes", "widget-state", "data-playbook"):
        assert gone not in html


def test_title_question_findings_come_before_the_argument(html):
    order = [
        "<h1>Scorecard</h1>",
        '<p class="question">Did the shop do better?</p>',
        "<p>For the head of marketing.</p>",
        'class="brief pb"',
        ">How much?</h2>",
    ]
    places = [html.index(part) for part in order]
    assert places == sorted(places)
    assert html.count("<h1") == 1
    assert html.count("Did the shop do better?") == 1


def test_a_picture_is_embedded_once_sharp_and_described(html):
    (picture,) = re.findall(r"<img[^>]*>", html)
    assert 'alt="Sales rose from “3” to &lt;4&gt;."' in " ".join(picture.split())
    shown = int(re.search(r'width="(\d+)"', picture)[1])
    png = base64.b64decode(re.search(r"base64,([^\"]+)", picture)[1])
    drawn = struct.unpack(">I", png[16:20])[0]
    assert (shown, drawn) == (900, 1800)


def test_messages_are_folded_away(html):
    assert re.search(r'<details class="messages">.*a library warns', html, re.S)


def test_the_findings_of_the_page_have_their_stake_in_the_shops_currency(html):
    assert "At stake: £500.00 a period" in html


def test_a_failed_step_is_shown_and_what_never_ran_is_not(site):
    nb = new_notebook(
        cells=[
            new_markdown_cell("# Funnel"),
            new_markdown_cell("## Steps"),
            code("raise ValueError('orders.csv line 12: <b>abc</b> is no amount')"),
            new_markdown_cell("## Promise"),
            code("1 + 1"),
        ]
    )
    with pytest.raises(CellExecutionError):
        NotebookClient(nb, timeout=60, kernel_name="python3").execute()
    html = render.page(nb, site=site, slug="06b_funnel")
    assert "This step failed." in html
    assert "<strong>ValueError</strong>: orders.csv line 12: &lt;b&gt;abc&lt;/b&gt; is no amount" in html
    assert "did not run to its end" in html
    assert "\x1b" not in html
    assert ">Steps</h2>" in html and "Promise" not in html


def test_a_broken_setup_is_seen_although_setup_is_not():
    error = new_output("error", ename="ImportError", evalue="no playbook", traceback=[])
    nb = new_notebook(cells=[code("import x", "setup")])
    nb.cells[0].outputs = [error]
    assert "<strong>ImportError</strong>: no playbook" in render.body(nb)


def test_scripts_of_foreign_outputs_are_cut_out():
    foreign = f'<b>kept</b>{SCRIPT}<script src="https://cdn.example/x.js"></script><img src="//x.example/y.png">'
    nb = new_notebook(cells=[code("x")])
    nb.cells[0].outputs = [new_output("display_data", data={"text/html": foreign})]
    html = render.body(nb)
    assert "<b>kept</b>" in html
    assert nothing_from_elsewhere(html) and "alert" not in html


def test_rendering_leaves_the_notebook_as_it_was(executed, site):
    before = nbformat.writes(executed)
    render.page(executed, site=site, slug="07a_scorecard")
    assert nbformat.writes(executed) == before


def test_the_front_page_has_headline_findings_questions_and_origin(site):
    html = render.index(site)
    assert "<h1>October 2026</h1>" in html
    assert '<p class="pb-tile-value">£12.3K</p>' in html
    assert re.search(r'now\.</p>.*?<a href="07a_scorecard.html">Scorecard</a>', html, re.S)
    assert "Where do shoppers leave?" in html
    assert 'href="08a_supply.html"' not in html, "a page that was not made is not linked"
    assert "<dt>Data until</dt><dd>31 Oct 2026</dd>" in html
    assert "<dt>Notebooks run</dt><dd>1 of 3</dd>" in html
    assert "<dt>Time taken</dt><dd>1 min 1 s</dd>" in html


def test_the_memo_opens_the_front_page_and_stands_alone_as_page_and_text(site):
    do = Decision("stop", f"Stop *{SCRIPT}* now.", "Buyer", dt.date(2026, 11, 9), "net_sales", "2026-12",
                  -50, -80, -20, "currency", by={"channel": "search"}, stake=50)  # fmt: skip
    same = dataclasses.replace(do, text="Halve it.", stake=20)
    made = memo([("d-3fa9c1", "07a_scorecard", do), ("d-000001", "04b_budget", same)], {})
    with_memo = dataclasses.replace(site, memo=made, moved=["Orders: 3, was 2."])
    html = render.index(with_memo)
    assert html.index("Stop *&lt;script&gt;") < html.index('"pb-tile-value"') < html.index("Orders: 3, was 2.")
    assert "Buyer, until 9 Nov 2026" in html and "−£50.00" in html and '<a href="07a_scorecard.html">' in html
    alone = render.memo_page(with_memo)
    nothing_from_elsewhere(alone)
    assert SCRIPT not in alone and "high confidence: the effect has this sign with 98%" in alone
    text = render.memo_markdown(with_memo)
    assert text.startswith("# Shop \\<script\\>") and "1. **Stop \\*\\<script\\>" in text
    assert "[Scorecard](07a_scorecard.html) · d-3fa9c1  \n   On the same matter, one will do: [04b" in text
    assert "one will do:" in alone and "d-000001" in alone and "Halve it." not in alone


def test_a_blocked_memo_decides_nothing(site):
    blocked = dataclasses.replace(site, memo=memo([], {}, blocked=["Blocked: no.", "orders: 3 broken"]))
    assert "orders: 3 broken" in render.index(blocked) and "orders: 3 broken" in render.memo_page(blocked)
    assert "- orders: 3 broken" in render.memo_markdown(blocked)
    assert "Nothing is to be decided now." in render.memo_markdown(site)


def test_findings_of_all_pages_are_ranked_together(site):
    pages = [
        render.PageInfo("a", "01", "A", findings=[Finding("watch", "second", 9), Finding("hold", "third")]),
        render.PageInfo("b", "02", "B", findings=[Finding("act", "first")]),
    ]
    html = render.index(render.Site("S", "2026", "2026", pages=pages))
    assert html.index("first") < html.index("second") < html.index("third")


def test_what_does_not_stand_among_all_tests_of_the_report_is_no_call_to_act(executed, site):
    (own,) = site.pages[0].findings
    alone = dataclasses.replace(own, p=0.04)
    crowd = [Finding("hold", f"Nothing {i}.", p=0.5) for i in range(9)]
    held = controlled([alone, *crowd])
    page = dataclasses.replace(site.pages[0], findings=held)
    html = render.page(executed, site=dataclasses.replace(site, pages=[page]), slug="07a_scorecard")
    so_what = html[html.index('class="pb-findings"') :]
    assert "pb-badge-watch" in so_what and "pb-badge-act" not in so_what
    assert "Chance alone: 4.00%; held against all tests of this report, the false discovery rate is 40.0%." in so_what


def test_an_unknown_page_is_refused(executed, site):
    with pytest.raises(KeyError, match="no page 99"):
        render.page(executed, site=site, slug="99")
