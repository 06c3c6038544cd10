"""The book itself, run for a small demo shop whose data carry markup: what its pages and its figures say."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from playbook import open_shop
from playbook.data.demo import generate
from playbook.findings import rounded
from playbook.metrics import measure
from playbook.tracking import drivers, scorecard

ROOT = Path(__file__).parents[2]

REGION = "<script>alert(1)</script>"
CATEGORY = "<img src=x onerror=alert(2)>"
TITLE = "Lumen & <marquee>Moss</marquee>"

BOOK = ("00_data_health", "07a_scorecard")
"""What these stories are told of: its pages carry most of what a file may say. All notebooks run in test_notebooks."""


@dataclass(frozen=True)
class Made:
    """A home with two reports of October: the book as it is, and with another threshold; made by two processes."""

    home: Path

    @property
    def report(self):
        return self.home / "reports" / "demo" / "2026-10"

    @property
    def variant(self):
        return self.home / "reports" / "demo" / "2026-10~watch_below=-0.05"

    def page(self, slug):
        return (self.report / f"{slug}.html").read_text(encoding="utf-8")

    def figures(self, folder=None):
        return json.loads(((folder or self.report) / "figures.json").read_text(encoding="utf-8"))


def hostile_demo(folder):
    generate(folder, scale=0.05)
    for path in (folder / "raw").rglob("*.csv"):  # a province is told by its name but where the own site writes it
        encoding = "gb18030" if path.parent.name in ("tmall", "jd") else "utf-8"
        text = path.read_bytes().decode(encoding, "surrogateescape").replace("精华", CATEGORY)
        text = re.sub("[\u4e00-\u9fff]{2,3}省", REGION, text) if path.parent.name == "shopify" else text
        path.write_bytes(text.encode(encoding, "surrogateescape"))
    settings = (folder / "shop.toml").read_text(encoding="utf-8")
    (folder / "shop.toml").write_text(re.sub('title = ".*"', f'title = "{TITLE}"', settings), encoding="utf-8")


def playbook(home, *words):
    env = os.environ | {"PLAYBOOK_HOME": str(home)}
    command = [sys.executable, "-c", "from playbook.cli import main; main()", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Made once, whichever worker of pytest-xdist comes first: it takes half of this file's time."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = base / "demo-report"
    with (base / "demo-report.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "made").exists():
            shutil.rmtree(home, ignore_errors=True)
            hostile_demo(home / "data" / "demo")
            (home / "notebooks").mkdir()
            for slug in BOOK:
                shutil.copy(ROOT / "notebooks" / f"{slug}.ipynb", home / "notebooks")
            for i, words in enumerate(([], ["--fresh", "-p", "watch_below=-0.05"])):
                (home / f"said-{i}").write_text(playbook(home, "run", "demo", *words), encoding="utf-8")
            (home / "made").touch()
    return Made(home)


@pytest.fixture
def shop(made, monkeypatch):
    monkeypatch.setenv("PLAYBOOK_HOME", str(made.home))
    return open_shop("demo", "2026-10")


def test_a_run_leaves_a_page_for_each_notebook_an_index_figures_and_a_manifest(made):
    names = {p.name for p in made.report.iterdir()}
    assert {f"{slug}.html" for slug in BOOK} | {"index.html", "figures.json", "manifest.json"} <= names
    said = (made.home / "said-0").read_text(encoding="utf-8")
    assert re.search(r"1\d\d files ingested", said) and f"The report: {made.report / 'index.html'}" in said
    manifest = json.loads((made.report / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["shop"], manifest["period"], manifest["parameters"]) == ("demo", "2026-10", {})
    assert {slug: entry["state"] for slug, entry in manifest["notebooks"].items()} == dict.fromkeys(BOOK, "ok")
    index = (made.report / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{slug}.html"' in index for slug in BOOK) and "October 2026" in index


def expected(shop):
    """The figures of the scorecard as `measure` gives them: (name, cut) → (value, low, high)."""
    headline = scorecard.HEADLINE
    steps = ["orders_placed", "orders_paid", "gross_sales", "discounts", "returns", "net_sales"]
    three = ["net_sales", "orders_paid", "aov"]
    asked = {
        "headline": (headline, []),
        "from_orders": (steps, []),
        "by_platform": (three, ["platform"]),
        "by_region": (three, ["region"]),
        "by_category": (three[:2], ["category"]),
        "by_channel": (three, ["channel"]),
        "by_customer_type": (three, ["customer_type"]),
    }
    out = {}
    for name, (metrics, by) in asked.items():
        for row in measure(shop, metrics, by=by, compare=True).to_dict("records"):
            cut = tuple((b, str(row[b])) for b in by)
            figure = f"{name}.{row['metric']}"
            out[figure, cut] = tuple(rounded(row[c]) for c in ("value", "low", "high"))
            for then in ("previous", "year_ago"):
                if pd.notna(row[then]):
                    out[f"{figure}.{then}", cut] = (rounded(row[then]), None, None)
    return out


def test_the_figures_are_the_numbers_that_measure_gives(made, shop):
    found = {
        (f["name"], tuple(f["by"].items())): (f["value"], f["low"], f["high"])
        for f in made.figures()
        if f["notebook"] == "07a_scorecard"
    }
    want = expected(shop)
    assert len(want) > 150 and want.items() <= found.items()
    assert found["headline.net_sales", ()][0] == found["from_orders.net_sales", ()][0] > 0
    change = drivers.net_sales_change(measure(shop, drivers.NET_SALES, compare=True))
    effects = {f["by"]["driver"]: f["value"] for f in made.figures() if f["name"] == "net_sales_effect"}
    assert effects == {m: rounded(e) for m, e in zip(change.metric, change.effect, strict=True)}


def test_two_runs_give_byte_equal_figures(made):
    # the second one ran all notebooks again, in a process of its own, under a threshold that changes no verdict
    said = (made.home / "said-1").read_text(encoding="utf-8")
    assert all(title in said for title in ("Data health", "Scorecard"))
    assert (made.report / "figures.json").read_bytes() == (made.variant / "figures.json").read_bytes()
    assert len(made.figures()) > 300


def test_a_parameter_reaches_its_notebook_and_the_report_has_a_folder_of_its_own(made):
    injected = {}
    for folder in (made.report, made.variant):
        executed = nbformat.read(folder / "07a_scorecard.ipynb", as_version=4)
        cells = [c.source for c in executed.cells if "injected-parameters" in c.metadata.get("tags", [])]
        injected[folder.name] = re.findall(r"watch_below = (\S+)", "\n".join(cells))
    assert injected == {"2026-10": [], "2026-10~watch_below=-0.05": ["-0.05"]}
    manifest = json.loads((made.variant / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"] == {"watch_below": "-0.05"}
    assert json.loads((made.report / "manifest.json").read_text(encoding="utf-8"))["parameters"] == {}


def outputs(cell):
    return [o for o in cell.get("outputs", []) if "data" in o]


def drawn(cell):
    """How many pictures does a cell show, and how many plots of what is missing, which show nothing?"""
    pictures = sum("image/png" in o.data for o in outputs(cell))
    quiet = sum(o.output_type == "execute_result" and not o.data.get("text/plain") for o in outputs(cell))
    return pictures, quiet


@pytest.mark.parametrize("slug", BOOK)
def test_no_picture_is_lost_on_the_way_to_the_page(made, slug):
    """A kernel that imports pyplot before IPython is there drops every picture, and nothing fails."""
    executed = nbformat.read(made.report / f"{slug}.ipynb", as_version=4)
    calls = 0
    for cell in executed.cells:
        plots = len(re.findall(r"\bplot_\w+\(", cell.source)) if cell.cell_type == "code" else 0
        pictures, quiet = drawn(cell)
        assert pictures + quiet == plots, cell.source
        calls += pictures
    assert calls > 0 if slug == "00_data_health" else calls >= 7
    images = re.findall(r"<img\b[^>]*>", made.page(slug))
    assert len(images) == calls
    for image in images:
        assert 'src="data:image/png;base64,' in image and re.search(r'alt="[^"]{10,}"', image)
    sizes = [len(data) for data in re.findall(r'base64,([^"]+)"', made.page(slug))]
    assert min(sizes) > 5_000  # none of them blank


class Elements(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("slug", [*BOOK, "index"])
def test_markup_in_the_shops_data_is_text_on_every_page(made, slug):
    page = Elements(made.page(slug))
    assert [tag for tag, _attrs in page.found if tag in ("script", "iframe", "object", "marquee")] == []
    assert [a for _tag, attrs in page.found for a in attrs if a.startswith("on")] == []
    assert [attrs for tag, attrs in page.found if tag == "img" and not attrs["src"].startswith("data:image/")] == []
    assert TITLE in page.text
    if slug == "07a_scorecard":
        assert REGION in page.text and CATEGORY in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made.page(slug)
    regions = {f["by"].get("region") for f in made.figures()}
    assert REGION in regions  # machines get it as it is


@pytest.mark.parametrize("slug", [*BOOK, "index"])
def test_a_page_loads_nothing_from_anywhere(made, slug):
    outside = re.findall(r'(?:src|href)="(?!data:|#|[\w.-]+\.html)[^"]*"', made.page(slug))
    assert outside == [] and "@import" not in made.page(slug) and not re.search(r"url\((?!data:)", made.page(slug))


def test_on_the_demo_nothing_is_missing(made):
    found = set()
    for slug in BOOK:
        for cell in nbformat.read(made.report / f"{slug}.ipynb", as_version=4).cells:
            for o in outputs(cell):
                text, page = ("".join(o.data.get(kind, "")) for kind in ("text/plain", "text/html"))
                found |= set(re.findall(r"needs ([^,]+), which this shop does not have", text))
                found |= set(re.findall(r"This shop does not have ([^.]+)\.", text))
                found |= set(re.findall(r"Not measured: .*?Needs ([\w.]+)\.", text))
                if 'class="missing"' in page:
                    found.add(page)
        found |= set(re.findall(r'<div class="missing">.*?</div>', made.page(slug), re.S))
    assert found == set()
