"""The media mix: what each channel's advertising brings, told from how sales moved when its spending did.

`weekly` gathers the weeks, `fit` gives what may be true of the channels, `check` says whether to believe it.
"""

from .check import Check, check
from .design import Priors
from .kept import fit, folder
from .posterior import Curves, Posterior, rhythm
from .story import (
    LIFTS,
    PRIORS,
    RETURNS,
    brief,
    contributions,
    findings,
    lifts,
    plot_contributions,
    plot_curves,
    plot_returns,
    returns,
    stated,
)
from .weeks import Weeks, weekly, weeks_from

__all__ = [
    "LIFTS", "PRIORS", "RETURNS", "Check", "Curves", "Posterior", "Priors", "Weeks", "brief", "check", "contributions",
    "findings", "fit", "folder", "lifts", "plot_contributions", "plot_curves", "plot_returns", "returns", "rhythm",
    "stated", "weekly", "weeks_from",
]  # fmt: skip
