"""Notebooks executed side by side by papermill, each in a process of its own, none before those that it needs."""

from __future__ import annotations

import logging
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

from ..language import _, listing
from .kernels import LAUNCH, Provider
from .notebooks import EXPLORE, Notebook
from .plan import Outcome, Task

if TYPE_CHECKING:
    from .progress import Progress

LOOK = 0.2
"""Seconds between two looks at the time limits."""


def execute(
    tasks: Sequence[Task],
    folder: Path,
    *,
    provider: Provider,
    jobs: int,
    limit: float,
    progress: Progress,
    done: Callable[[Outcome], None],
) -> dict[str, Outcome]:
    """Run notebooks; one that fails stops only those that are to run after it.

    Parameters
    ----------
    tasks : sequence of Task
        What they are to run after is among them, or need not run.
    folder : Path
        Where the executed notebooks go.
    provider : Provider
        Where kernels come from.
    jobs : int
        Kernels at a time.
    limit : float
        Minutes for a notebook, from the start of its kernel.
    progress : Progress
        Is told what begins and what ends.
    done : callable
        Is given each outcome as soon as it is there, in this thread; what it changes in it, counts.

    Returns
    -------
    dict
        Notebook's slug → its outcome.
    """
    if not tasks:
        return {}
    runs = {t.notebook.slug: _Run(t, folder, provider) for t in tasks}
    left = sorted(tasks, key=lambda t: -(float("inf") if t.expected is None else t.expected))
    ended: dict[str, Outcome] = {}

    def end(outcome: Outcome) -> None:
        done(outcome)
        ended[outcome.notebook.slug] = outcome
        progress.finished(outcome.notebook, outcome.state, outcome.seconds, outcome.reason)

    with warnings.catch_warnings(), ThreadPoolExecutor(jobs) as pool:
        warnings.simplefilter("ignore")  # papermill's and its libraries' own deprecations
        import papermill  # noqa: F401

        logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it has to say is on the pages
        running: dict[Future[Outcome], _Run] = {}
        try:
            while left or running:
                for task in _ready(left, runs, ended):
                    if lost := _lost(task.notebook, ended):
                        left.remove(task)
                        end(Outcome(task.notebook, "not run", task.key, reason=_reason(lost)))
                    elif len(running) < jobs:
                        left.remove(task)
                        run = runs[task.notebook.slug]
                        running[pool.submit(run)] = run
                        progress.started(task.notebook)
                finished, _open = wait(running, timeout=LOOK, return_when=FIRST_COMPLETED)
                for run in running.values():
                    run.watch(limit)
                for future in finished:
                    del running[future]
                    end(future.result())
        finally:
            for run in running.values():  # none, unless this was broken off
                run.stop()
    return ended


def _ready(left: Iterable[Task], runs: Mapping[str, Any], ended: Mapping[str, Outcome]) -> list[Task]:
    """The tasks of which all that they are to run after has ended, or is not run at all this time."""
    return [t for t in left if all(need in ended or need not in runs for need in t.notebook.after)]


def _lost(notebook: Notebook, ended: Mapping[str, Outcome]) -> list[Notebook]:
    """What a notebook is to run after that did not run to its end."""
    needs = (ended[need] for need in notebook.after if need in ended)
    return [o.notebook for o in needs if o.state != "ok"]


def _reason(lost: Iterable[Notebook]) -> str:
    return _("It needs what did not run to its end: {notebooks}.").format(
        notebooks=listing(f"{n.number} {n.title}" for n in lost)
    )


@dataclass
class _Run:
    """A task on its way; calling it executes the notebook."""

    task: Task
    folder: Path
    provider: Provider
    began: float | None = None
    late: float | None = None

    def __post_init__(self) -> None:
        self.launch = self.provider.launch()

    def __call__(self) -> Outcome:
        import papermill

        notebook, path = self.task.notebook, self.folder / self.task.notebook.path.name
        began = time.monotonic()
        LAUNCH.set(self.launch)
        _without_explorers(notebook.path, path)
        why = ""
        try:
            papermill.execute_notebook(
                str(path),
                str(path),
                parameters=dict(self.task.values),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                extra_arguments=["--log-level=ERROR"],
                # not papermill's `cwd`, which is one for the whole process
                resources={"metadata": {"path": str(notebook.path.parent)}},
                config=self.provider.connection(notebook.slug),
            )
        except papermill.PapermillExecutionError:
            pass  # the failing cell holds the error
        except Exception as error:  # whatever it is, the page is to show it and the other notebooks are to run
            why = self._why(error)
        nb = nbformat.read(path, as_version=4)
        if why:
            fail(nb, _("The notebook was stopped"), why)
        return Outcome(
            notebook,
            "failed" if failed(nb) else "ok",
            self.task.key,
            nb,
            round(time.monotonic() - (self.began or began), 2),
        )

    def watch(self, limit: float) -> None:
        """Stop the notebook if it takes longer than `limit` minutes."""
        if self.began is None and self.launch.process is not None:
            self.began = time.monotonic()
        if self.began is not None and self.late is None and time.monotonic() - self.began > 60 * limit:
            self.late = limit
            self.stop()

    def stop(self) -> None:
        """End its kernel; papermill notices."""
        self.launch.stop()

    def _why(self, error: Exception) -> str:
        """Why a notebook ended without an error of its own, in a sentence."""
        if self.late is not None:
            return _("It took longer than {minutes:g} minutes; `--limit` allows more.").format(minutes=self.late)
        if (code := self.launch.code) is not None and code < 0:
            return _("Its process was ended by {signal}; when memory runs out, that is SIGKILL.").format(
                signal=signal.Signals(-code).name
            )
        return f"{type(error).__name__}: {error}"


def failed(nb: NotebookNode) -> bool:
    """Does an executed notebook hold an error?"""
    return any(o.output_type == "error" for c in nb.cells if c.cell_type == "code" for o in c.outputs)


def fail(nb: NotebookNode, name: str, why: str) -> None:
    """Put an error where a notebook stopped, or at its end, as if the cell had raised it."""
    code = [c for c in nb.cells if c.cell_type == "code"]
    if not code:
        nb.cells.append(nbformat.v4.new_code_cell())
        code = nb.cells[-1:]
    states = [c.metadata.get("papermill", {}).get("status") for c in code]
    stopped = next((c for c, s in zip(code, states, strict=True) if s in ("running", "failed")), None)
    if stopped is None:
        stopped = next((c for c, s in zip(code, states, strict=True) if s == "pending"), code[-1])
    stopped.outputs.append(nbformat.v4.new_output("error", ename=name, evalue=why, traceback=[why]))


def _without_explorers(source: Path, target: Path) -> None:
    """Copy a notebook, without the cells that only make sense to somebody at a screen."""
    nb = nbformat.read(source, as_version=4)
    nb.cells = [c for c in nb.cells if EXPLORE not in c.metadata.get("tags", [])]
    nbformat.write(nb, target)


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
