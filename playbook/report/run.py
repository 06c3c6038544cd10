"""The report run: ingest, run the notebooks that have to be run, write the pages, replace the last report whole.

Notebooks return; only the runner persists. A notebook that fails does not stop the others: its page shows the failing
cell, the index says so, and the run ends with a status other than 0. What has not changed is not run again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import language
from ..data.ingest import ingest
from ..data.store import ShopError, home, open_store
from ..language import _
from . import keys, swap
from .notebooks import chosen, notebooks, parameters, with_needs
from .plan import Outcome, Plan, Scope, plan, scope
from .progress import Progress

if TYPE_CHECKING:
    from ..outlook import Decision, Forecast
    from ..tracking.cadence import Cadence
    from .publish import Gathered

LIMIT = 10.0
"""Minutes that a notebook may take."""


@dataclass(frozen=True)
class Result:
    """What a run left behind: the report's folder; the notebooks that failed, were not run, were run."""

    folder: Path
    failed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()

    @property
    def index(self) -> Path:
        return self.folder / "index.html"


def run(
    name: str,
    period: str = "latest",
    *,
    only: Iterable[str] = (),
    said: Mapping[str, str] | None = None,
    jobs: int | None = None,
    limit: float = LIMIT,
    fresh: bool = False,
    cadence: Cadence | None = None,
    progress: Progress | None = None,
) -> Result:
    """Make the report of a shop for a period.

    Parameters
    ----------
    name : str
        The shop.
    period : str
        As `playbook.open_shop` takes it.
    only : iterable of str
        Numbers or names of notebooks; these are run, and what they need. The pages of the others stay as they are.
    said : mapping of str to str
        Parameters, as typed. Such a run goes to a folder of its own, named after them.
    jobs : int, optional
        Notebooks at a time; by default as many as there are processor cores.
    limit : float
        Minutes that a notebook may take.
    fresh : bool
        Run all, also what has not changed.
    cadence : Cadence, optional
        The round that it is made for: decides what the latest period is, which notebooks belong to it where `only` says
        nothing, and what the notebooks that have a parameter of that name show.
    progress : Progress, optional
        Is told each step.

    Returns
    -------
    Result
        ``reports/<shop>/<period>/`` and what became of the notebooks.

    Raises
    ------
    ShopError, ValueError
        Something is wrong with the shop, the period, a notebook's name or a parameter, or another process is making
        this report. The last report is left as it is.
    """
    progress, said = progress or Progress(), dict(said or {})
    _check(jobs, limit)
    store = open_store(name)
    tongue = language.use(store.settings.language)
    book = notebooks()
    only = set(only)
    named = chosen(book, only or (set(cadence.notebooks) & {n.number for n in book} if cadence else ()))
    involved = with_needs(book, named)
    values = parameters(book, said, among=involved)
    if cadence is not None:
        for n in book:
            values[n.slug] |= {"cadence": cadence.name} if "cadence" in n.takes else {}
    accounting = ingest(store)
    progress.say(_("{n} files ingested").format(n=len(accounting["files"])))
    of = scope(store, accounting, period, tongue, said, kind=cadence.kind if cadence else "month")
    with swap.alone(of.folder):
        swap.recover(of.folder)
        anyway = involved if fresh else named if only else ()
        todo = plan(of, book, values, involved=involved, anyway=anyway)
        if todo.unchanged:
            progress.say(_("Nothing has changed since the last report."))
            return Result(of.folder)
        with swap.building(of.folder) as folder, progress:
            outcomes = _make(todo, of, folder, jobs=jobs, limit=limit, progress=progress)
    tried = [outcomes[t.notebook.slug] for t in todo.tasks]
    failed, skipped = (tuple(o.notebook.slug for o in tried if o.state == s) for s in ("failed", "not run"))
    return Result(of.folder, failed, skipped, tuple(o.notebook.slug for o in tried if o.state != "not run"))


def _make(
    todo: Plan, of: Scope, folder: Path, *, jobs: int | None, limit: float, progress: Progress
) -> dict[str, Outcome]:
    """Run what is to be run, and write a whole report into an empty folder."""
    from . import kernels

    if reused := sum(o.cached and not o.kept for o in todo.known.values()):
        progress.say(_("Notebooks taken over, since nothing that they depend on has changed: {n}").format(n=reused))
    env = {"PLAYBOOK_HOME": str(home()), language.VARIABLE: of.language, "PYTHONHASHSEED": "0"}
    # The process that kernels are forked from does its imports while this one does its own.
    with kernels.provided([t.notebook for t in todo.tasks], env=env) as provider:
        from . import execute, publish

        _build_marts(of, progress)
        _score(of, progress)
        gathered = publish.Gathered(folder)
        progress.begin(len(todo.tasks))
        outcomes = execute.execute(
            todo.tasks, folder, provider=provider, jobs=jobs or execute.cores(), limit=limit, progress=progress,
            done=gathered.take,
        )  # fmt: skip
    outcomes = todo.known | outcomes
    if of.store.tables is None or of.store.tables.name != of.accounting["key"]:
        raise ShopError(
            _("the files of {shop} have changed while its report was being made: run it again").format(
                shop=of.store.name
            )
        )
    for o in outcomes.values():
        if o.cached:
            gathered.take_again(o)
    _remember(gathered, outcomes, of)
    ledger = {"read": todo.ledger, "left": keys.folder_digest(of.store.folder / "ledger")}
    publish.write(gathered, [outcomes[n.slug] for n in todo.book], of, {"ledger": ledger})
    return outcomes


def _build_marts(of: Scope, progress: Progress) -> None:
    """Build the tables that several notebooks need, before any notebook and whichever are to be run.

    Where one cannot be built, the notebooks that ask for it show why; the others go on.
    """
    from ..data import marts

    tables = of.store.tables
    as_of = dt.datetime.combine(of.period.end, dt.time())
    names = marts.lacking(tables, as_of) if tables is not None else []
    if not names:
        return
    from ..shop import shop_of

    shop = shop_of(of.store, of.period.label)
    for name in names:
        try:
            shop.mart(name)
        except Exception as error:
            progress.say(_("The mart {name} could not be built: {error}").format(name=name, error=error))


def _score(of: Scope, progress: Progress) -> None:
    """Score what earlier reports forecast and decided for a time that is over by now; drafts leave no trace."""
    if of.said or not (of.store.folder / "ledger").is_dir():
        return
    from ..decisions.scores import score_due

    if n := score_due(of.store, of.period.end):
        progress.say(_("Forecasts and decisions of earlier reports that were scored: {n}").format(n=n))


def _remember(gathered: Gathered, outcomes: Mapping[str, Outcome], of: Scope) -> None:
    """Write into the shop's ledger what the report forecasts and decides, and beside its plan what it proposes.

    Only if all that was run ran to its end. Drafts leave no trace; neither do pages that would be different by now.
    """
    if of.said or any(o.state == "failed" for o in outcomes.values()):
        return
    from ..decisions import Ledger
    from ..decisions.ledger import Entry
    from . import proposals

    current = [o.notebook.slug for o in outcomes.values() if o.state == "ok" and not o.kept]
    plans = [plan for slug in current for plan in gathered.of(slug).plans]
    proposals.write(plans, of.store.folder, report=of.period)
    said: list[tuple[str, Forecast | Decision]] = []
    for slug in current:
        said += [(slug, forecast) for forecast in gathered.of(slug).forecasts]
        said += [(slug, decision) for decision in gathered.of(slug).decisions]
    Ledger.of(of.store).add(
        Entry.of(thing, report=of.period.label, as_of=of.period.end, notebook=slug) for slug, thing in said
    )


def _check(jobs: int | None, limit: float) -> None:
    if jobs is not None and jobs < 1:
        raise ShopError(_("--jobs is {jobs}; at least 1 notebook has to run at a time").format(jobs=jobs))
    if not limit > 0:
        raise ShopError(_("--limit is {limit:g}; a notebook needs more than 0 minutes").format(limit=limit))
