"""What all explorers share: controls on top, a sentence, a picture, and the call that gives the same in a cell."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets as ipw
from matplotlib.axes import Axes

from .. import style
from ..language import _

WIDE = {"description_width": "15rem"}


@dataclass(frozen=True)
class View:
    """What an explorer shows for the values of its controls.

    Attributes
    ----------
    sentence : str
        What follows from them.
    draw : callable or None
        Makes the picture.
    code : str
        The call that gives the same numbers in a cell.
    """

    sentence: str
    draw: Callable[[], Axes] | None = None
    code: str = ""


class Explorer(ipw.VBox):
    """Controls and what follows from them; every change of a control answers anew.

    Attributes
    ----------
    controls : mapping of str to widget
    sentence, picture, code : widget
        What is shown.
    """

    def __init__(self, controls: Mapping[str, Any], answer: Callable[..., View], **more: Any):
        self.controls, self._answer = dict(controls), answer
        self.sentence = ipw.HTML()
        self.picture = ipw.Image(format="png", layout=ipw.Layout(max_width="100%", width="760px"))
        self.code = ipw.HTML()
        self._shown = ipw.ToggleButton(description=_("Show code"), tooltip=_("The call that gives the same in a cell"))
        self.code.layout.display = "none"
        self._shown.observe(self._show_code, "value")
        for control in self.controls.values():
            control.style.description_width = WIDE["description_width"]
            control.layout.width = "min(100%, 34rem)"
            control.observe(self._changed, "value")
        super().__init__(
            [*self.controls.values(), self.sentence, self.picture, *more.pop("below", ()), self._shown, self.code],
            **more,
        )
        self.refresh()

    @property
    def values(self) -> dict[str, Any]:
        """What the controls are set to."""
        return {name: control.value for name, control in self.controls.items()}

    def refresh(self) -> None:
        """Answer for the values as they are; what cannot be answered says why."""
        try:
            view = self._answer(**self.values)
            self.picture.value = _png(view.draw()) if view.draw else b""
        except ValueError as error:
            view = View(str(error))
            self.picture.value = b""
        self.picture.layout.display = "" if self.picture.value else "none"
        self.sentence.value = f'<p role="status" style="max-width:72ch;font-size:15px">{escape(view.sentence)}</p>'
        self.code.value = f"<pre>{escape(view.code)}</pre>" if view.code else ""

    def _changed(self, _change: Any) -> None:
        self.refresh()

    def _show_code(self, change: Mapping[str, Any]) -> None:
        self.code.layout.display = "" if change["new"] else "none"


def _png(axes: Axes) -> bytes:
    """A picture as PNG; the figure is closed, so that no notebook shows it twice."""
    from matplotlib import pyplot as plt

    figure = axes.figure
    buffer = io.BytesIO()
    # Packed lightly: it goes no further than the next window, and a seventh of the time went into packing.
    light = {"compress_level": 1}
    figure.savefig(buffer, format="png", dpi=100, bbox_inches=None, pil_kwargs=light)  # type: ignore[union-attr]
    plt.close(figure)  # type: ignore[arg-type]
    return buffer.getvalue()


def apply_style() -> None:
    """The book's look, also where no notebook has set it up."""
    style.apply()
