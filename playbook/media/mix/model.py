"""The media mix model, sampled by nutpie's NUTS."""

from __future__ import annotations

from typing import Any

import numpy as np

from .density import log_density
from .design import Design, Priors
from .posterior import Posterior
from .weeks import Weeks

HELD_OUT = 8
"""Last weeks that a first fit does not see, so that it can be told how well it foresees."""
CHAINS = 2


def sample(
    weeks: Weeks, priors: Priors | None = None, *, draws: int = 600, tune: int = 500, seed: int = 1,
    held_out: int = HELD_OUT,
) -> Posterior:  # fmt: skip
    """Fit the model to weeks: what may be true of the channels, given them and the priors.

    Two chains, first without the last weeks, then with all.

    Parameters
    ----------
    weeks : Weeks
        With at least one of `Weeks.channels`.
    priors : Priors, optional
    draws, tune, seed : int
        Of each chain; equal ones give equal draws on a machine.
    held_out : int
        Weeks held out of the first fit; 0: there is none.

    References
    ----------
    Jin, Y., Wang, Y., Sun, Y., Chan, D., Koehler, J. (2017). Bayesian methods for media mix modeling with carryover and
    shape effects. Google. Zhang, Y. et al. (2024). Media mix model calibration with Bayesian priors. Google (a prior on
    the return instead of the coefficient). Gordon, B. et al. (2019). A comparison of approaches to advertising
    measurement. Marketing Science 38(2). Meridian, “Choose and configure treatment prior types”.
    """
    design = Design(weeks, priors or Priors())
    seen = np.ones(design.n)
    ahead = np.empty((0, 0, design.size))
    if held_out:
        ahead = _drawn(design, np.where(np.arange(design.n) < design.n - held_out, seen, 0.0), draws // 2, tune, seed)[
            0
        ]
    drawn, diverging = _drawn(design, seen, draws, tune, seed)
    return Posterior(design, drawn, ahead, diverging, held_out)


def _drawn(design: Design, seen: np.ndarray, draws: int, tune: int, seed: int) -> tuple[np.ndarray, int]:
    """Draws (chain × draw × unknown), and how many of them diverged."""
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    def make_density() -> Any:
        return lambda x: log_density(design, np.asarray(x), seen)

    def make_expand(_seed1: int, _seed2: int, _chain: int) -> Any:
        return lambda x: {"x": np.array(x)}

    compiled = from_pyfunc(
        design.size, make_density, make_expand, [np.dtype("float64")], [(design.size,)], ["x"],
        make_initial_point_fn=lambda of_chain: np.random.default_rng(of_chain).normal(0, 0.2, design.size),
    )  # fmt: skip
    trace = nutpie.sample(
        compiled, draws=draws, tune=tune, chains=CHAINS, cores=CHAINS, seed=seed, progress_bar=False, save_warmup=False
    )
    return trace.posterior["x"].to_numpy(), int(trace.sample_stats["diverging"].sum())
