"""Rules for a budget where there is too little history for a model: what earned gets more, what lost gets less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .allocate import bounds

if TYPE_CHECKING:
    from .plan import Plan, Wish

MORE, LESS = 0.20, 0.20
"""Part by which a channel's budget rises or falls a quarter: small enough to see what comes of it."""


def verdicts(returns: pd.DataFrame | None) -> dict[str, str]:
    """What do the rules say of each channel?

    Where the whole interval of its return on investment lies above 0 it is raised, below 0 cut; otherwise it is kept.

    Parameters
    ----------
    returns : DataFrame or None
        Of `playbook.media.roi.drill` by channel: channel, roi, roi_low, roi_high.

    Returns
    -------
    dict
        channel → raise, cut or keep.
    """
    if returns is None:
        return {}
    known = returns.dropna(subset=["roi", "roi_low", "roi_high"])
    return {
        r["channel"]: "raise" if r["roi_low"] > 0 else "cut" if r["roi_high"] < 0 else "keep"
        for r in known.to_dict("records")
    }


def by_rules(made: Plan, returns: pd.DataFrame | None, wish: Wish) -> list[int]:
    """Cents by channel: today's parts, moved by the rules, within the bounds; they add up to what is to be spent.

    Raises
    ------
    ValueError
        The total does not reach for the lower bounds.
    """
    from .allocate import fill

    said = verdicts(returns)
    factor = {"raise": 1 + MORE, "cut": 1 - LESS}
    idle = [round(made.total * wish.opening) if c in wish.opened else 0 for c in made.channels]
    own = {
        made.channels.index(c): (round(a * 100), round(b * 100))
        for c, (a, b) in (wish.between or {}).items()
        if c in made.channels
    }
    low, high = bounds(made.today, most_change=wish.most_change, idle=idle, between=own)
    aim = np.array([t * factor.get(said.get(c, "keep"), 1.0) for c, t in zip(made.channels, made.today, strict=True)])
    return fill(aim, made.total - made.reserve, low, high)
