"""Stories of words: English without a catalogue, another language with one, and pages that hold no English."""

import ast
import re
import runpy
import warnings
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pandas as pd
import pytest

import playbook
from playbook import language, style
from playbook.data import schema
from playbook.data.demo import generate, make_tables
from playbook.data.demo.world import make_world
from playbook.language import LOCALES, _, humanise, listing, term
from playbook.metrics import METRICS
from playbook.missing import Missing
from playbook.period import parse
from playbook.report import render
from playbook.report.said import said_in
from playbook.tracking import scorecard

PACKAGE = Path(playbook.__file__).parent
ROOT = PACKAGE.parent
CATALOGUE = runpy.run_path(str(ROOT / ".ci" / "catalogue.py"))
OTHERS = [name for name in language.languages() if name != "en"]

PROOF = ("00_data_health", "07a_scorecard")
"""The notebooks whose pages must be in another language from the first word to the last."""

SAID_THERE = re.compile(
    r"codes|notebooks/(00_data_health|07a_scorecard)|playbook/(metrics|tracking/(drivers|scorecard)"
    r"|style|missing|data/(schema|quality|formats)|report/(page|tables|render|templates))"
)
"""Where the sentences on those pages come from."""


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.delenv(language.VARIABLE, raising=False)
    monkeypatch.setattr(language, "_in_use", "en")


@pytest.fixture
def chinese(tmp_path, monkeypatch):
    """A catalogue of a few words in place of the book's."""
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    entries = {
        ("", "This shop does not have {what}."): "本店没有{what}。",
        ("", "{number} pp"): "{number} 个百分点",
        ("", "3=K 6=M 9=B"): "4=万 8=亿",
        ("", "{full_month} {year}"): "{year}年{month_number}月",
        ("", "Returns"): "退款金额",
        ("platform", "tmall"): "天猫",
        ("", "One row per order."): "每笔订单一行。",
        ("", "{export}: paid when placed."): "{export}：以下单时间为付款时间。",
        ("export", "the table {table}"): "表 {table}",
    }
    lines = [f'msgctxt "{c}"\nmsgid "{e}"\nmsgstr "{z}"\n' if c else f'msgid "{e}"\nmsgstr "{z}"\n'
             for (c, e), z in entries.items()]  # fmt: skip
    (folder / "playbook.po").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(language, "LOCALES", tmp_path)


def test_without_a_catalogue_a_sentence_is_itself():
    assert _("{n} orders have no customer").format(n=12) == "12 orders have no customer"
    assert (term("", "tmall"), humanise("net_sales"), listing("ab")) == ("tmall", "Net sales", "a, b")


def test_english_spells_codes_in_their_own_column():
    said = [term(*code) for code in (("platform", "jd"), ("channel", "short_video"), ("product_id", "short_video"))]
    assert said == ["JD", "short video", "short_video"]
    assert CATALOGUE["spelled"]("add_to_cart") == "add to cart" and CATALOGUE["spelled"]("search") == ""


def test_a_catalogue_translates_sentences_and_english_puts_them_back(chinese):
    language.use("zh")
    assert Missing("orders").sentence() == "本店没有orders。"
    assert style.change(0.012, "share") == "+1.2 个百分点"
    assert style.short(12_345_678, "count") == "1,235万"
    assert _("A sentence that nobody translated") == "A sentence that nobody translated"
    language.use("en")
    assert Missing("orders").sentence() == "This shop does not have orders."
    assert style.short(12_345_678, "count") == "12.3M"


def test_a_code_has_a_word_in_its_own_column_and_text_of_the_data_is_left_alone(chinese):
    language.use("zh")
    assert (term("platform", "tmall"), term("campaign", "tmall")) == ("天猫", "tmall")
    assert term("product", "Returns") == "Returns"  # a product may bear the name of a metric
    assert term("meaning", "One row per order.") == "每笔订单一行。"


def test_a_sentence_that_was_kept_with_its_words_filled_in_is_known_again(chinese):
    language.use("zh")
    assert term("text", "the table orders: paid when placed.") == "表 orders：以下单时间为付款时间。"
    assert term("text", "my shop: paid when placed.") == "my shop：以下单时间为付款时间。"
    assert term("text", "my shop: paid when shipped.") == "my shop: paid when shipped."


def test_the_variable_has_the_last_word(chinese, monkeypatch):
    monkeypatch.setenv("PLAYBOOK_LANGUAGE", "zh")
    assert (language.use("en"), style.change(0.012, "share")) == ("zh", "+1.2 个百分点")
    assert language.tag() == "zh-CN"
    monkeypatch.setattr(language, "_in_use", "")
    assert style.change(0.012, "share") == "+1.2 个百分点"  # also before a shop is opened


def test_a_language_without_a_catalogue_is_refused_with_those_that_there_are(chinese):
    with pytest.raises(ValueError, match="no catalogue for the language 'fr': there is en, zh"):
        language.use("fr")
    assert _("{number} pp") == "{number} pp"  # what was in use stays in use


# -- the sources


def sentences():
    """Every call of `_` in the package, with what it is given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_"):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args


def test_no_sentence_is_an_f_string_or_glued_from_pieces():
    assert sum(1 for _ in sentences()) > 100
    glued = [place for place, (arg, *_rest) in sentences() if isinstance(arg, ast.JoinedStr | ast.BinOp | ast.IfExp)]
    assert glued == []


def test_every_placeholder_of_a_sentence_has_a_name():
    texts = [(p, a.value) for p, (a, *_rest) in sentences() if isinstance(a, ast.Constant)]
    nameless = [place for place, text in texts if re.search(r"\{\d*[:!}]|%[sd]", text)]
    assert nameless == []


# -- the catalogues


def placeholders(text):
    return sorted({(name, spec, how) for _text, name, spec, how in Formatter().parse(text) if name is not None})


def messages(name):
    return [m for lang in OTHERS for m in CATALOGUE["read"](LOCALES / lang / "LC_MESSAGES" / f"{name}.po") if m.id]


@pytest.mark.parametrize("name", ["playbook", "notebooks"])
def test_the_catalogues_hold_every_sentence_of_the_book_and_no_other(name):
    found = {(context, text) for _file, context, text in CATALOGUE["found"]()[name]}
    for lang in OTHERS:
        path = LOCALES / lang / "LC_MESSAGES" / f"{name}.po"
        there = {(m.context or "", m.id) for m in CATALOGUE["read"](path) if m.id}
        assert there == found, f"run `make catalogue`, then translate what is new in {path}"


@pytest.mark.parametrize("name", ["playbook", "notebooks"])
def test_every_sentence_of_the_proof_is_translated_and_none_is_a_guess(name):
    lacking = [m.id for m in messages(name) if not m.string and any(SAID_THERE.match(f) for f, _n in m.locations)]
    assert lacking == []
    assert [m.id for m in messages(name) if m.fuzzy] == []


def test_a_translation_has_the_placeholders_of_its_sentence():
    day = {"day", "month", "full_month", "month_number", "year"}  # a language says of a day what it likes
    day |= {f"first_{part}" for part in day}
    for m in messages("playbook"):
        names, said = placeholders(m.id), placeholders(m.string)
        if names and {n for n, *_rest in names} <= day:
            assert {n for n, *_rest in said} <= day, m.id
        elif m.string:
            assert said == names, m.id


def test_a_metric_bears_its_chinese_name():
    with language.using("zh"):
        assert {m.name: _(m.title) for m in METRICS.values()} == {m.name: m.chinese for m in METRICS.values()}


def test_chinese_numbers_and_dates():
    with language.using("zh"):
        said = [style.period(parse(p)) for p in ("2026-10", "2026-Q3", "2026-W42", "2026-10-01/2026-10-15", "2026")]
        assert said == ["2026年10月", "2026年第3季度", "2026年第42周", "2026年10月1–15日", "2026年"]
        assert style.period(parse("2026-09-28/2026-10-15")) == "2026年9月28日–10月15日"
        assert style.short(123_456_789, "currency") == "¥1.23亿"
        assert style.change_of_money(12_345) == "+¥1.23万"


# -- the pages


class Visible(HTMLParser):
    """What of a page a reader sees or hears, but for code and what was made for whoever mends it."""

    HIDDEN = ("style", "script", "code", "pre")

    def __init__(self, page):
        super().__init__()
        self.texts, self.hidden = [], 0
        self.feed(page)

    def handle_starttag(self, name, attributes):
        self.hidden += name in self.HIDDEN
        self.texts += [text for key, text in attributes if key in ("alt", "title", "aria-label") and text]

    def handle_endtag(self, name):
        self.hidden -= name in self.HIDDEN

    def handle_data(self, text):
        if not self.hidden and text.strip():
            self.texts.append(text.strip())


CODES = {*schema.TABLES, *(c for t in schema.TABLES.values() for c in t.by_name)}
DATA = {
    "Lumen", "Moss", "corner", "CNY", "Asia", "Shanghai", "utf", "csv", "GA", "App", "playbook", "data", "shop", "raw",
    "toml", "currency", "zone", "demo",
    "page_view", "view_item", "view_search_results", "add_to_cart", "begin_checkout", "add_payment_info", "purchase",
    "tables", "quarantine", "alimama", "_daily", "zip", "douyin", "jd", "tmall", "taobao", "us", "orders_export",
    "ExportOrderList", "Shopify", "Google", "Ads", "sig",
    "sign_up", "parquet", "world", "KOL", "UP",
    "python", "duckdb", "ibis", "framework", "numpy", "pandas", "scipy", "statsmodels",
}  # fmt: skip
HASH = re.compile(r"\b[0-9a-f]{12,}\b")
NAMES = {m.title for m in METRICS.values()}
"""The page with the dictionary gives every key figure its English name too."""


def english_in(page, but=()):
    """Words in Latin letters that are no codes, file names or data, and not in one of the texts that may be there."""
    texts = (HASH.sub("", text) for text in Visible(page).texts if text not in but)
    words = (w for text in texts for w in re.findall(r"[A-Za-z_]{2,}", text))
    return sorted({w for w in words if w not in CODES | DATA})


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """(run, slug) → a notebook and its Chinese page: of a small demo, and of a shop with orders alone."""
    import papermill

    home = tmp_path_factory.mktemp("home")
    generate(home / "data" / "demo", scale=0.05)
    raw = home / "data" / "corner" / "raw"
    raw.mkdir(parents=True)
    (raw.parent / "shop.toml").write_text('language = "zh"\n')
    orders = make_tables(make_world(scale=0.05, seed=1, until="2026-10"))["orders"]
    orders[["order_id", "ordered_at", "amount"]].assign(amount=orders.amount / 100).to_csv(
        raw / "orders.csv", index=False
    )
    made = {}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("PLAYBOOK_HOME", str(home))
        runs = [("demo", "demo", "zh", PROOF), ("corner", "corner", "", PROOF), ("english", "corner", "en", PROOF[:1])]
        for run, shop, said, slugs in runs:
            patch.setenv(language.VARIABLE, said)
            for slug in slugs:
                source = ROOT / "notebooks" / f"{slug}.ipynb"
                nb = papermill.execute_notebook(
                    str(source), None, {"shop": shop}, kernel_name="python3", progress_bar=False, cwd=str(source.parent)
                )
                made[run, slug] = nb, page_of(nb, slug)
    return made


def page_of(nb, slug):
    with language.using("zh"):
        info = render.PageInfo(slug, slug[:2], *render.heading(nb))
        site = render.Site("corner", "2026-10", style.period(parse("2026-10")), language="zh", pages=[info])
        return render.page(nb, site=site, slug=slug)


@pytest.mark.parametrize("shop", ["demo", "corner"])
@pytest.mark.parametrize("slug", PROOF)
def test_a_chinese_page_holds_no_english(pages, shop, slug):
    _nb, page = pages[shop, slug]
    assert '<html lang="zh-CN">' in page
    found = english_in(page, NAMES if slug == "00_data_health" else ())
    assert not found, " ".join(found)
    assert "净销售额" in page if slug == "07a_scorecard" else "数据健康" in page


def test_the_pages_of_a_shop_with_orders_alone_say_in_chinese_what_is_missing(pages):
    _nb, page = pages["corner", "07a_scorecard"]
    assert "需要 orders.customer_id。请把导出文件中的一列对应到 orders.customer_id" in page
    assert "导出文件未注明 currency：已按 CNY 处理" in pages["corner", "00_data_health"][1]


def test_pictures_draw_chinese_without_a_missing_glyph(pages):
    if not style.cjk_font():
        assert style.cjk_sentence() and all("未安装中文字体" in page for _nb, page in pages.values())
        return
    told = [
        o.text
        for nb, _page in pages.values()
        for c in nb.cells
        for o in c.get("outputs", [])
        if o.output_type == "stream"
    ]
    assert told == []
    nb, _page = pages["demo", "07a_scorecard"]
    alts = [
        o.metadata["image/png"]["alt"]
        for c in nb.cells
        for o in c.get("outputs", [])
        if "image/png" in o.get("data", {})
    ]
    assert "每日净销售额" in alts and "按平台的净销售额；竖线为上期" in alts


def test_without_a_chinese_font_pictures_are_english_and_the_page_says_why(pages, monkeypatch):
    monkeypatch.setattr(style, "cjk_font", lambda: None)
    parts = pd.DataFrame(
        {"platform": ["tmall", "jd"], "metric": "net_sales", "unit": "currency", "value": [31000.0, 20000.0]}
    )
    parts.attrs = {"by": ["platform"], "currency": "CNY", "titles": {"net_sales": "Net sales"}}
    with language.using("zh"):
        ax = scorecard.plot_parts(parts)
    ax.figure.canvas.draw()
    assert style.alt_of(ax.figure) == "Net sales by platform; the mark is the period before"
    texts = [t.get_text() for t in ax.figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert not any(style.is_cjk(t) for t in texts) and "Tmall" in texts and "¥30K" in texts
    nb, _page = pages["demo", "07a_scorecard"]
    assert "未安装中文字体" in page_of(nb, "07a_scorecard")


def test_figures_are_the_same_in_every_language(pages):
    chinese, english = (said_in(pages[run, "00_data_health"][0]).figures for run in ("corner", "english"))
    assert chinese == english and len(english) > 50
    assert "One row per order that was placed." in {f["by"].get("meaning") for f in english}
