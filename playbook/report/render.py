"""From executed notebooks to pages: one self-contained HTML file per notebook, and a front page.

A page loads nothing from anywhere: styles and pictures are inside it, addresses are shown, not linked.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from markupsafe import Markup
from nbformat import NotebookNode

from .. import style
from ..decisions.memo import Memo
from ..findings import Finding, order, rank
from ..language import _, current, listing, tag, using
from ..language import cell as in_words
from .cards import card, shown_as, verdict_word
from .memo import memo_context, memo_text
from .page import CONCLUSIONS, TEMPLATES, conclusions, environment

State = Literal["ok", "failed", "not run"]

DROPPED_TAGS = frozenset(
    {"parameters", "injected-parameters", "setup", "explore", "papermill-error-cell-tag", "remove-cell"}
)

SHOWN = 5
"""Findings of a verdict that the front page shows before one asks for more."""

_H1 = re.compile(r"^#\s+(.+?)\s*$", re.M)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NOISE = re.compile(r"^\[?<(?:matplotlib\.|seaborn\.|Axes:|Figure size)|^Text\(")


@dataclass(frozen=True)
class PageInfo:
    """What the site knows of one notebook: where its page is, what it asks, how its run went."""

    slug: str
    number: str
    title: str
    question: str = ""
    state: State = "ok"
    findings: Sequence[Finding] = ()
    seconds: float | None = None
    reason: str = ""

    @property
    def href(self) -> str:
        return f"{self.slug}.html"


@dataclass(frozen=True)
class Site:
    """What all pages of a report share.

    Attributes
    ----------
    title : str
        The shop's name.
    period_label, period_text : str
        As it is typed, ``2026-10``, and as it is read, ``October 2026``.
    as_of, data_until : date, optional
        The day on which the report stands, and the last day that the data hold.
    headline : str
        HTML of the headline tiles: ``headline(scorecard notebook)``.
    memo : Memo
        What is to be decided, or why nothing may be.
    moved : sequence of str
        Headline figures that are not what they were when this report was made last.
    """

    title: str
    period_label: str
    period_text: str
    currency: str = "CNY"
    language: str = "en"
    as_of: dt.date | None = None
    data_until: dt.date | None = None
    pages: Sequence[PageInfo] = ()
    headline: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    memo: Memo = field(default_factory=Memo)
    moved: Sequence[str] = ()

    def of(self, slug: str) -> PageInfo:
        """The page with this slug."""
        for info in self.pages:
            if info.slug == slug:
                return info
        raise KeyError(_("the site has no page {slug}").format(slug=slug))


def page(nb: NotebookNode, *, site: Site, slug: str) -> str:
    """The report page of an executed notebook: findings on top, then the argument, no code.

    Parameters
    ----------
    nb : NotebookNode
        With outputs; it is not changed.
    site : Site
        Holds a `PageInfo` with this slug.
    slug : str

    Returns
    -------
    str
        A whole HTML document that refers to nothing outside itself but the other pages of the site.
    """
    info = site.of(slug)
    place = list(site.pages).index(info)
    around = [site.pages[i] if 0 <= i < len(site.pages) else None for i in (place - 1, place + 1)]
    with using(site.language):
        return _document(
            "page.html.j2",
            site,
            current=slug,
            info=info,
            intro=Markup(_prose(_opening(nb, info.question))),
            body=Markup(body(nb, info.findings)),
            boxes=style.cjk_sentence() if _has_han_pictures(nb) else "",
            findings=[card(f, currency=site.currency) for f in rank(info.findings)],
            before=_reachable(around[0]),
            after=_reachable(around[1]),
        )


def index(site: Site) -> str:
    """The front page: what is to be decided, how the shop did, all findings, every question, how it was made."""
    pairs = sorted(((f, info) for info in site.pages for f in info.findings), key=lambda pair: order(pair[0]))
    with using(site.language):
        findings: dict[str, list[tuple[dict[str, Any], PageInfo]]] = {}
        for f, info in pairs:
            findings.setdefault(shown_as(f), []).append((card(f, currency=site.currency), info))
        return _document(
            "index.html.j2",
            site,
            current="",
            memo=_memo(site),
            headline=Markup(_bare(site.headline)),
            moved=site.moved,
            findings=findings,
            shown=SHOWN,
            counts={info.slug: _counts(info) for info in site.pages},
            failed=[info for info in site.pages if info.state == "failed"],
        )


def memo_page(site: Site) -> str:
    """The memo as a page of its own."""
    with using(site.language):
        return _document("memo.html.j2", site, memo=_memo(site))


def memo_markdown(site: Site) -> str:
    """The memo as text."""
    with using(site.language):
        title = _("{shop}, {period}: what is to be decided").format(shop=site.title, period=site.period_text)
        return memo_text(_memo(site), title=title)


def _memo(site: Site) -> dict[str, Any]:
    return memo_context(site.memo, {info.slug: info.title for info in site.pages}, currency=site.currency)


def _counts(info: PageInfo) -> str:
    """How many findings of each verdict a page has."""
    words = Counter(shown_as(f) for f in info.findings)
    return listing(_("{word} {n}").format(word=verdict_word(v), n=n) for v, n in words.items())


def body(nb: NotebookNode, findings: Sequence[Finding] = ()) -> str:
    """The cells of a notebook as HTML, without the one that opens it with title and question.

    `findings` stand in place of those that it concluded with, where they are the same sentences.
    """
    made, _resources = _exporter().from_notebook_node(_prepared(nb, findings))
    return made


def heading(nb: NotebookNode) -> tuple[str, str]:
    """Which title and which question does a notebook open with? Its first H1, and the paragraph below it."""
    cell = _title_cell(nb)
    if cell is None:
        return "", ""
    title, paragraphs = _split(cell.source)
    return title, _unmarked(paragraphs[0]) if paragraphs else ""


def headline(nb: NotebookNode) -> str:
    """The tiles that a notebook shows first, for the front page; empty where it shows none."""
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if (output.get("metadata") or {}).get("playbook", {}).get("kind") == "tiles":
                return "".join(output["data"]["text/html"])
    return ""


# -- from notebook to body


def _prepared(nb: NotebookNode, findings: Sequence[Finding]) -> NotebookNode:
    """A copy of the notebook with what readers do not need taken out."""
    nb = copy.deepcopy(nb)
    nb.metadata.pop("widgets", None)
    opening, cells = _title_cell(nb), []
    for place, cell in enumerate(nb.cells):
        if cell is opening:
            continue
        if DROPPED_TAGS & set(cell.metadata.get("tags", [])):
            # What a parameter or the setup broke must still be seen.
            cell["outputs"] = [o for o in cell.get("outputs", []) if o.output_type == "error"]
            if not cell["outputs"]:
                continue
        if cell.cell_type == "markdown":
            cell.source = in_words(cell.source)
        if cell.cell_type == "code":
            cell.outputs = [_output(o, findings) for o in cell.outputs if not _is_noise(o)]
        cells.append(cell)
        if any(o.output_type == "error" for o in cell.get("outputs", [])):
            rest = nb.cells[place + 1 :]
            if not any(c.get("outputs") for c in rest):
                break  # headings of steps that never ran would promise what is not there
    nb.cells = cells
    return nb


def _title_cell(nb: NotebookNode) -> NotebookNode | None:
    return next((c for c in nb.cells if c.cell_type == "markdown" and _H1.search(c.source)), None)


def _split(source: str) -> tuple[str, list[str]]:
    """The title of a cell, and the paragraphs below it, in the language in use."""
    source = in_words(source)
    title = _H1.search(source)
    assert title is not None
    rest = source[title.end() :].strip()
    return _unmarked(title[1]), re.split(r"\n\s*\n", rest) if rest else []


def _opening(nb: NotebookNode, question: str) -> str:
    """What the opening cell says beside the title and the question: who should care."""
    cell = _title_cell(nb)
    paragraphs = _split(cell.source)[1] if cell is not None else []
    return "\n\n".join(p for p in paragraphs if _unmarked(p) != _unmarked(question))


def _has_han_pictures(nb: NotebookNode) -> bool:
    """Is there a picture whose words may need a Chinese font?"""
    pictures = [o for c in nb.cells for o in c.get("outputs", []) if "image/png" in (o.get("data") or {})]
    marked = any((o.get("metadata") or {}).get("image/png", {}).get("boxes") for o in pictures)
    return marked or bool(pictures and current() in style.WRITTEN_IN_HAN)


def _unmarked(text: str) -> str:
    """Markdown of one paragraph as plain words."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"(\*\*|__|[*`])", "", text).split())


def _is_noise(output: NotebookNode) -> bool:
    data = output.get("data") or {}
    return set(data) == {"text/plain"} and (
        not "".join(data["text/plain"]).strip() or bool(_NOISE.match("".join(data["text/plain"])))
    )


def _output(output: NotebookNode, findings: Sequence[Finding]) -> NotebookNode:
    data = output.get("data") or {}
    if CONCLUSIONS in data:
        data["text/html"] = conclusions(data[CONCLUSIONS], findings)
    for widget in ("application/vnd.jupyter.widget-view+json", "application/javascript"):
        data.pop(widget, None)
    if "text/html" in data:
        data["text/html"] = _bare("".join(data["text/html"]))
    if "image/png" in data:
        output.metadata.setdefault("image/png", {})
        if not output.metadata["image/png"].get("alt"):
            output.metadata["image/png"]["alt"] = _("Chart without a description")
    return output


def _bare(html: str) -> str:
    """HTML of an output without its copy of the book's style, scripts, and what would be fetched."""
    html = re.sub(r"<style data-playbook>.*?</style>\s*", "", html, flags=re.S)
    html = re.sub(r"<script\b.*?</script\s*>", "", html, flags=re.S | re.I)
    html = re.sub(r"<(?:script|iframe|link|object|embed)\b[^>]*>", "", html, flags=re.I)
    return _unlinked(html)


def _unlinked(html: str) -> str:
    """HTML in which an address elsewhere is text: to be read on paper too, and nothing is fetched."""

    def anchor(match: re.Match[str]) -> str:
        address, text = match["address"], match["text"]
        shown = re.sub(r"^https?://|/$", "", address)
        return text if shown in text else f'{text} <span class="address">{shown}</span>'

    html = re.sub(
        r"<a\b[^>]*?href=[\"'](?P<address>(?:https?:)?//[^\"']*)[\"'][^>]*>(?P<text>.*?)</a>",
        anchor,
        html,
        flags=re.S,
    )
    return re.sub(r"<(\w+)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>", "", html)


# -- the templates


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="playbook", extra_template_basedirs=[str(TEMPLATES)], exclude_input=True,
        exclude_input_prompt=True, exclude_output_prompt=True,
    )  # fmt: skip
    exporter.register_filter("prose", _prose)
    exporter.register_filter("failure", _failure)
    exporter.environment.globals["_"] = lambda sentence: _(sentence)
    return exporter


def _prose(source: str) -> str:
    """Markdown as HTML, without the ¶ that nbconvert hangs on every heading."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return _unlinked(MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(source))


def _failure(output: NotebookNode) -> str:
    """The box that says that a step failed, and how."""
    name, said = escape(output.get("ename", "")), escape(_ANSI.sub("", output.get("evalue", "")))
    trace = escape(_ANSI.sub("", "\n".join(output.get("traceback", []))))
    return (
        f'<div class="failure" role="alert"><p class="failure-title">{escape(_("This step failed."))}</p>'
        f"<p><strong>{name}</strong>: {said}</p>"
        f"<details><summary>{escape(_('For whoever mends it'))}</summary><pre>{trace}</pre></details></div>"
    )


def _reachable(info: PageInfo | None) -> PageInfo | None:
    return info if info is not None and info.state != "not run" else None


def _document(template: str, site: Site, **context: Any) -> str:
    css = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("site.css", "output.css"))
    states = {"ok": "", "failed": _("failed"), "not run": _("not run")}
    made = {
        _("Data until"): style.date(site.data_until) if site.data_until else "",
        _("As of"): style.date(site.as_of) if site.as_of else "",
        _("Currency"): site.currency,
        _("Notebooks run"): _("{ok} of {all}").format(ok=sum(p.state == "ok" for p in site.pages), all=len(site.pages)),
        _("Time taken"): _seconds(sum(p.seconds or 0 for p in site.pages)),
        _("Made with"): _("playbook {version}").format(version=_version()),
    }
    return environment().get_template(template).render(
        site=site, tag=tag(), css=Markup(css), states=states, made={k: v for k, v in made.items() if v}, **context
    )  # fmt: skip


def _seconds(total: float) -> str:
    if not total:
        return ""
    minutes, seconds = divmod(round(total), 60)
    return (
        _("{minutes} min {seconds} s").format(minutes=minutes, seconds=seconds)
        if minutes
        else _("{seconds} s").format(seconds=seconds)
    )


def _version() -> str:
    try:
        return version("playbook")
    except PackageNotFoundError:
        return _("from its sources")
