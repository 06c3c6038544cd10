"""From executed notebooks to the files of a report: pages, front page, figures, and the manifest."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat

from .. import __version__, style
from ..decisions.ledger import Entry
from ..decisions.memo import memo
from ..findings import Finding, rank
from ..language import _
from ..methods.multiplicity import controlled
from ..metrics import METRICS
from ..outlook import Decision
from . import page, render
from .execute import fail
from .keys import MANIFEST, file_digest
from .plan import Outcome, Scope
from .said import Said, gate_of, said_in

SCORECARD = "07a_scorecard"
"""The notebook whose tiles open the front page."""

OUTCOMES = ("read", "accepted", "superseded", "duplicate", "skipped", "quarantined")

LIBRARIES = ("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "papermill", "scipy", "statsmodels")


@dataclass
class Gathered:
    """What the notebooks of a run gave, taken in as each ends."""

    folder: Path
    said: dict[str, Said] = field(default_factory=dict)

    def of(self, slug: str) -> Said:
        """What a notebook said; nothing where it did not run to its end."""
        return self.said.get(slug, Said())

    def take(self, outcome: Outcome) -> None:
        """Take in what a notebook gave and keep it, with its key; figures that contradict each other fail it."""
        if (nb := outcome.nb) is None:
            return
        slug = outcome.notebook.slug
        try:
            self.said[slug] = said_in(nb, notebook=slug)
        except ValueError as error:
            outcome.state = "failed"
            fail(nb, "ValueError", str(error))
        for path in ("input_path", "output_path"):  # of the folder that this is built in, which will be gone
            nb.metadata.get("papermill", {}).pop(path, None)
        nb.metadata["playbook"] = {**nb.metadata.get("playbook", {}), "key": outcome.key}
        nbformat.write(nb, self.folder / outcome.notebook.path.name)

    def take_again(self, outcome: Outcome) -> None:
        """Take in an executed notebook of an earlier report, as it is."""
        slug = outcome.notebook.slug
        outcome.nb = nbformat.reads(outcome.data.decode("utf-8"), as_version=4)
        if outcome.state == "ok":
            self.said[slug] = said_in(outcome.nb, notebook=slug)
        (self.folder / outcome.notebook.path.name).write_bytes(outcome.data)


def write(gathered: Gathered, outcomes: Sequence[Outcome], scope: Scope, about: Mapping[str, Any]) -> None:
    """Write all files of a report; `about` is what the manifest says beside what is known here.

    Parameters
    ----------
    gathered : Gathered
        Of all notebooks that there are; its folder is where the files go, the executed notebooks are there already.
    outcomes : sequence of Outcome
        One for each notebook of the book, in its order.
    """
    folder, site = gathered.folder, _site(gathered, outcomes, scope)
    for o in outcomes:
        if o.nb is not None:
            text = render.page(o.nb, site=site, slug=o.notebook.slug)
            (folder / f"{o.notebook.slug}.html").write_text(text, encoding="utf-8")
    (folder / "index.html").write_text(render.index(site), encoding="utf-8")
    (folder / "memo.html").write_text(render.memo_page(site), encoding="utf-8")
    (folder / "memo.md").write_text(render.memo_markdown(site), encoding="utf-8")
    _write_json(folder / "figures.json", [f for o in outcomes for f in gathered.of(o.notebook.slug).figures])
    _write_json(folder / MANIFEST, {**_manifest(scope, outcomes, folder), **about})


def _site(gathered: Gathered, outcomes: Sequence[Outcome], scope: Scope) -> render.Site:
    findings = _held_together(gathered, outcomes)
    pages = [
        render.PageInfo(
            o.notebook.slug, o.notebook.number, o.notebook.title, o.notebook.question, o.state,
            findings[o.notebook.slug], o.seconds, o.reason,
        )
        for o in outcomes
    ]  # fmt: skip
    kept = sum(o.kept for o in outcomes)
    note = _("Pages of an earlier run, though something that they depend on has changed since: {n}.").format(n=kept)
    site = render.Site(
        title=scope.store.settings.title or scope.store.name,
        period_label=scope.period.label,
        period_text=style.period(scope.period),
        currency=scope.accounting["currency"],
        language=scope.language,
        as_of=scope.period.last_day,
        data_until=min(scope.last_day, scope.period.last_day),
        pages=pages,
        notes=(note,) if kept else (),
    )
    gates = [gate for o in outcomes if o.nb is not None and (gate := gate_of(o.nb))]
    failed = next((gate for gate in gates if gate["verdict"] == "FAIL"), None)
    blocked = (page.blocked_title(), *failed["reasons"]) if failed else ()
    decided = memo(_decisions(gathered, outcomes, scope), findings, blocked=blocked)
    site = replace(site, memo=decided, moved=_moved(gathered, scope))
    opening = next((o.nb for o in outcomes if o.notebook.slug == SCORECARD), None)
    return replace(site, headline=render.headline(opening)) if opening is not None else site


def _decisions(gathered: Gathered, outcomes: Sequence[Outcome], scope: Scope) -> list[tuple[str, str, Decision]]:
    """Id, notebook and decision of all that the report decides."""
    found = []
    for o in outcomes:
        for d in gathered.of(o.notebook.slug).decisions:
            entry = Entry.of(d, report=scope.period.label, as_of=scope.period.end, notebook=o.notebook.slug)
            found.append((entry.id, o.notebook.slug, d))
    return found


def _moved(gathered: Gathered, scope: Scope) -> list[str]:
    """Headline figures that are not what the last report of the same period said."""
    try:
        last = json.loads((scope.folder / "figures.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    was = {f["name"]: f["value"] for f in last if f["notebook"] == SCORECARD and not f["by"]}
    lines = []
    for f in gathered.of(SCORECARD).figures:
        part, _dot, metric = f["name"].partition(".")
        if part == "headline" and metric in METRICS and f["name"] in was and was[f["name"]] != f["value"]:
            now, before = (
                style.value(x, f["unit"], currency=scope.accounting["currency"]) for x in (f["value"], was[f["name"]])
            )
            said = _("{metric}: {now}, was {before}.")
            lines.append(said.format(metric=_(METRICS[metric].title), now=now, before=before))
    return lines


def _held_together(gathered: Gathered, outcomes: Sequence[Outcome]) -> dict[str, list[Finding]]:
    """The findings of each notebook, once the tests of all of them are held against each."""
    by_page = {o.notebook.slug: gathered.of(o.notebook.slug).findings for o in outcomes}
    held = iter(controlled(f for findings in by_page.values() for f in findings))
    return {slug: rank(islice(held, len(findings))) for slug, findings in by_page.items()}


def _manifest(scope: Scope, outcomes: Sequence[Outcome], folder: Path) -> dict[str, Any]:
    """What the report was made from and with."""
    return {
        "shop": scope.store.name,
        "period": scope.period.label,
        "as_of": scope.period.end.isoformat(),
        "language": scope.language,
        "parameters": dict(scope.said),
        "files": {f["file"]: f["sha256"] for f in scope.accounting["files"]},
        "outcomes": {f["file"]: {o: f.get(o, 0) for o in OUTCOMES} for f in scope.accounting["files"]},
        "rows": scope.accounting["tables"],
        "tables": scope.accounting["key"],
        "python": platform.python_version(),
        "versions": {"playbook": __version__, **{n: metadata.version(n) for n in LIBRARIES}},
        "notebooks": {o.notebook.slug: _entry(o) for o in outcomes},
        "pages": {p.name: file_digest(p) for p in sorted(folder.iterdir()) if p.is_file()},
    }


def _entry(o: Outcome) -> dict[str, Any]:
    entry = {"state": o.state, "seconds": o.seconds, "key": o.key, "cached": o.cached, "kept": o.kept}
    return entry | ({"reason": o.reason} if o.reason else {})


def _write_json(path: Path, what: Any) -> None:
    path.write_text(json.dumps(what, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
