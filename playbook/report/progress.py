"""What the person who started a run sees of it: a bar in a terminal, plain lines everywhere else."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from ..language import _

if TYPE_CHECKING:
    from rich.console import Console

    from .notebooks import Notebook
    from .render import State


class Progress(AbstractContextManager["Progress"]):
    """Shows nothing; the others are told the same."""

    def say(self, sentence: str) -> None:
        """A step of the run that is no notebook."""

    def begin(self, total: int) -> None:
        """So many notebooks are to be run."""

    def started(self, notebook: Notebook) -> None:
        """A notebook is being run."""

    def finished(self, notebook: Notebook, state: State, seconds: float | None, reason: str = "") -> None:
        """A notebook has ended, or will not be run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Take away what moves."""


class Lines(Progress):
    """One line for each notebook that has ended."""

    def __init__(self, console: Console):
        self.console = console

    def say(self, sentence: str) -> None:
        self.console.print(f"  {sentence}", markup=False)

    def finished(self, notebook: Notebook, state: State, seconds: float | None, reason: str = "") -> None:
        sentence = {
            "ok": _("{number} {title}: {seconds:.1f} s"),
            "failed": _("{number} {title}: failed after {seconds:.1f} s"),
            "not run": _("{number} {title}: not run. {reason}"),
        }[state]
        self.say(
            sentence.format(number=notebook.number, title=notebook.title, seconds=seconds or 0, reason=reason).strip()
        )


class Bar(Lines):
    """A bar, with what is being run beside it; what fails is said above it."""

    def __init__(self, console: Console):
        from rich import progress

        super().__init__(console)
        self._running: list[Notebook] = []
        self._bar = progress.Progress(
            progress.SpinnerColumn(), progress.BarColumn(24), progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(), progress.TextColumn("{task.description}", markup=False),
            console=console, transient=True,
        )  # fmt: skip
        self._task: progress.TaskID | None = None

    def begin(self, total: int) -> None:
        self._bar.start()
        self._task = self._bar.add_task("", total=total)

    def started(self, notebook: Notebook) -> None:
        self._running.append(notebook)
        self._show()

    def finished(self, notebook: Notebook, state: State, seconds: float | None, reason: str = "") -> None:
        if state != "ok":
            super().finished(notebook, state, seconds, reason)
        if notebook in self._running:
            self._running.remove(notebook)
        self._show(advance=1)

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def _show(self, advance: int = 0) -> None:
        if self._task is not None:
            words = " · ".join(n.title for n in self._running)
            self._bar.update(self._task, advance=advance, description=words)


def progress(console: Console) -> Progress:
    """What suits where the output goes."""
    return Bar(console) if console.is_terminal else Lines(console)
