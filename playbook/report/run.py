"""The report run: ingest, execute the notebooks, write the pages; the new report replaces the old one whole.

Notebooks return; only the runner persists. A notebook that fails does not stop the others: its page shows the failing
cell, the index says so, and the run ends with a status other than 0.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat

from .. import __version__, style
from ..data.ingest import ingest
from ..data.store import ShopError, Store, home, open_store
from ..language import _
from ..shop import Shop, shop_of
from . import page, render
from .notebooks import Notebook, notebooks, parameters

SCORECARD = "07a_scorecard"
"""The notebook whose tiles open the front page."""

Said = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    folder: Path
    failed: tuple[str, ...]

    @property
    def index(self) -> Path:
        return self.folder / "index.html"


def run(
    name: str,
    period: str = "latest",
    *,
    only: Iterable[str] = (),
    said: Mapping[str, str] | None = None,
    tell: Said = lambda sentence: None,
) -> Result:
    """Make the report of a shop for a period.

    Parameters
    ----------
    name : str
        The shop.
    period : str
        As `playbook.open_shop` takes it.
    only : iterable of str
        Numbers or names of notebooks; the pages of the others stay as the last report of the period has them.
    said : mapping of str to str
        Parameters, as typed. Such a run goes to a folder of its own, named after them.
    tell : callable
        Is told each step, one sentence.

    Returns
    -------
    Result
        ``reports/<shop>/<period>/`` and the notebooks that failed.

    Raises
    ------
    ShopError, ValueError
        Something is wrong with the shop, the period, a notebook's name or a parameter; nothing has been run then.
    """
    chosen = notebooks(only)
    values = parameters(chosen, said or {})
    store = open_store(name)
    accounting = ingest(store)
    tell(_("{n} files ingested").format(n=len(accounting["files"])))
    shop = shop_of(store, period)
    final = home() / "reports" / name / (shop.period.slug + _variant(said or {}))
    building = final.with_name(f".{final.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    before = _kept(final, {n.slug for n in chosen}) if only else {}

    executed: dict[str, nbformat.NotebookNode] = {}
    seconds: dict[str, float] = {}
    for n in notebooks():
        if n.slug not in values:
            executed |= {n.slug: before[n.slug]} if n.slug in before else {}
            continue
        began = time.monotonic()
        own = {"shop": name, "period": shop.period.label} | values[n.slug]
        executed[n.slug] = _execute(n, own, building)
        seconds[n.slug] = time.monotonic() - began
        tell(_("{title}: {seconds:.1f} s").format(title=n.title, seconds=seconds[n.slug]))

    site = _site(shop, executed, seconds)
    for slug, nb in executed.items():
        (building / f"{slug}.html").write_text(render.page(nb, site=site, slug=slug), encoding="utf-8")
    (building / "index.html").write_text(render.index(site), encoding="utf-8")
    figures = [f for slug, nb in executed.items() for f in page.collect(nb, notebook=slug)[0]]
    _write_json(building / "figures.json", figures)
    _write_json(building / "manifest.json", _manifest(shop, store, accounting, said or {}, site))
    _swap(building, final)
    return Result(final, tuple(p.slug for p in site.pages if p.state == "failed"))


def _execute(notebook: Notebook, values: Mapping[str, Any], folder: Path) -> nbformat.NotebookNode:
    """Run one notebook in a process of its own; an error stays in its outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # papermill's and its libraries' own deprecations
        import papermill

        logging.getLogger("papermill").setLevel(logging.ERROR)
        path = folder / notebook.path.name
        os.environ["PLAYBOOK_HOME"] = str(home())
        with contextlib.suppress(papermill.PapermillExecutionError):  # the page shows the failing cell, _site sees it
            papermill.execute_notebook(
                str(notebook.path),
                str(path),
                parameters=dict(values),
                kernel_name="python3",
                progress_bar=False,
                extra_arguments=["--log-level=ERROR"],
                cwd=str(notebook.path.parent),
            )
    return nbformat.read(path, as_version=4)


def _site(shop: Shop, executed: Mapping[str, nbformat.NotebookNode], seconds: Mapping[str, float]) -> render.Site:
    pages = []
    for n in notebooks():
        nb = executed.get(n.slug)
        state: render.State = "not run" if nb is None else "failed" if _failed(nb) else "ok"
        found = page.collect(nb, notebook=n.slug)[1] if nb is not None else []
        pages.append(render.PageInfo(n.slug, n.number, n.title, n.question, state, found, seconds.get(n.slug)))
    site = render.Site(
        title=shop.title,
        period_label=shop.period.label,
        period_text=style.period(shop.period),
        currency=shop.currency,
        language=shop.language,
        as_of=(shop.as_of - dt.timedelta(days=1)).date(),
        data_until=min(shop.last_day, shop.period.last_day),
        pages=pages,
    )
    return replace(site, headline=render.headline(executed[SCORECARD])) if SCORECARD in executed else site


def _failed(nb: nbformat.NotebookNode) -> bool:
    return any(o.output_type == "error" for c in nb.cells if c.cell_type == "code" for o in c.outputs)


def _kept(folder: Path, fresh: set[str]) -> dict[str, nbformat.NotebookNode]:
    """The executed notebooks of the last report that are not run anew."""
    paths = (p for p in folder.glob("*.ipynb") if p.stem not in fresh) if folder.is_dir() else ()
    return {p.stem: nbformat.read(p, as_version=4) for p in paths}


def _manifest(
    shop: Shop, store: Store, accounting: Mapping[str, Any], said: Mapping[str, str], site: render.Site
) -> dict[str, Any]:
    """What the report was made from and with."""
    libraries = ("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "papermill", "scipy", "statsmodels")
    return {
        "shop": shop.name,
        "period": shop.period.label,
        "as_of": shop.as_of.isoformat(),
        "parameters": dict(said),
        "files": {f["file"]: f["sha256"] for f in accounting["files"]},
        "rows": accounting["tables"],
        "tables": accounting["key"],
        "python": platform.python_version(),
        "versions": {"playbook": __version__, **{n: metadata.version(n) for n in libraries}},
        "notebooks": {p.slug: {"state": p.state, "seconds": p.seconds} for p in site.pages},
    }


def _variant(said: Mapping[str, str]) -> str:
    """What a run with parameters of its own is called beside the period."""
    words = "".join(f"~{k}={v}" for k, v in sorted(said.items()))
    return "".join(c if c.isalnum() or c in "~=._-" else "_" for c in words)


def _write_json(path: Path, what: Any) -> None:
    path.write_text(json.dumps(what, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _swap(building: Path, final: Path) -> None:
    """Put a finished report in the place of the last one."""
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    building.rename(final)
    shutil.rmtree(old, ignore_errors=True)
    if not (final / "index.html").exists():
        raise ShopError(_("{folder} could not be written").format(folder=final))
