"""A posterior for these weeks: the one that is kept, or a new one; none where there is too little to go by."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ...data.store import Store
from ...language import _
from ...missing import Missing, answers
from .design import Design, Priors
from .model import CHAINS, HELD_OUT, sample
from .posterior import Posterior
from .weeks import LEAST_WEEKS, Weeks

LEAST_HISTORY = 78
"""Weeks of sales that a model needs: a year and a half, so that the season can be told from advertising."""
VERSION = "2"
"""Of the model: kept draws of another one are not used."""


def folder(store: Store | None) -> Path | None:
    """Where a shop keeps its posteriors: beside the tables that they were made from; None for a shop of frames."""
    return None if store is None or store.tables is None else store.tables / "mix"


@answers("What does each channel bring?")
def fit(
    weeks: Weeks, *, kept: Path | None = None, when: Literal["lacking", "never", "always"] = "lacking",
    priors: Priors | None = None, draws: int = 600, tune: int = 500, seed: int = 1,
) -> Posterior:  # fmt: skip
    """What does each channel bring, as far as the weeks tell?

    Parameters
    ----------
    weeks : Weeks
    kept : Path, optional
        Folder of posteriors (see `folder`): one of the same weeks, priors and sampler's numbers is read from there, and
        a new one is put there.
    when : {"lacking", "never", "always"}
        Whether to fit: where none is kept, never, or in any case. Moving a budget never asks for a new one.
    priors, draws, tune, seed
        See `sample`.

    Returns
    -------
    Posterior
        A Missing where the weeks are too few, or where none is kept and none is to be made.

    Raises
    ------
    ValueError
        `when` is none of the three.
    """
    if when not in ("lacking", "never", "always"):
        raise ValueError(_("{when!r} is no answer to when to fit; write lacking, never or always").format(when=when))
    if (lacks := lacking(weeks)) is not None:
        return lacks  # type: ignore[return-value]
    design = Design(weeks, priors or Priors())
    path = None if kept is None else kept / f"{key(design, draws, tune, seed)}.npz"
    if path is not None and path.exists() and when != "always":
        with np.load(path) as found:
            return Posterior(design, found["drawn"], found["ahead"], int(found["diverging"]), HELD_OUT)
    if when == "never":
        return Missing(  # type: ignore[return-value]
            _("a media mix model of these weeks"), remedy=_("None is kept: set the parameter `fit` to `lacking`.")
        )
    made = sample(weeks, priors, draws=draws, tune=tune, seed=seed)
    if path is not None:
        _keep(made, path)
    return made


def lacking(weeks: Weeks) -> Missing | None:
    """What a model of these weeks would lack; None where nothing."""
    if len(weeks.sales) < LEAST_HISTORY or (weeks.sales > 0).mean() < 0.95:
        what = _("{n} weeks with sales").format(n=LEAST_HISTORY)
        return Missing(what, remedy=_("Until then the budget follows rules."))
    if not weeks.channels:
        what = _("a channel with spending in {n} weeks").format(n=LEAST_WEEKS)
        return Missing(what, remedy=_("Until then the budget follows rules."))
    return None


def key(design: Design, draws: int, tune: int, seed: int) -> str:
    """A name for all that a posterior depends on."""
    weeks = design.weeks
    said = hashlib.sha256(repr((VERSION, CHAINS, HELD_OUT, draws, tune, seed, asdict(design.priors))).encode())
    for frame in (weeks.sales.to_frame(), weeks.spend, weeks.claimed, weeks.controls, weeks.festive, weeks.lifts):
        said.update(repr(list(frame.columns)).encode())
        said.update(np.asarray(pd.util.hash_pandas_object(_told(frame))).tobytes())
    return said.hexdigest()[:16]


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers to nine digits: sums of the engine may differ in the last one."""
    return frame.map(lambda x: f"{x:.9g}" if isinstance(x, float) else str(x))


def _keep(made: Posterior, path: Path) -> None:
    """A file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as file:
        np.savez_compressed(file, drawn=made.drawn, ahead=made.ahead, diverging=made.diverging)
    os.replace(file.name, path)
