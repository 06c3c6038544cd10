"""Does an effect last? What a change does to people at first, beside what it does once they know it."""

from __future__ import annotations

import math

import pandas as pd
from scipy import stats

from ..intervals import newcombe

FIRST_DAYS = 7
"""Days at the beginning that count as new: a whole week, so that weekdays are alike before and after."""

SURE = 0.01
"""Below this chance an effect is said to wear off."""

NOVELTY = (
    "arm", "early_control", "early", "early_effect", "early_low", "early_high", "late_control", "late", "late_effect",
    "late_low", "late_high", "change", "p", "wears_off",
)  # fmt: skip


def novelty(
    daily: pd.DataFrame, *, control: str = "control", first_days: int = FIRST_DAYS, level: float = 0.95,
    sure: float = SURE,
) -> pd.DataFrame:  # fmt: skip
    """Is an arm's effect on a share larger in its first days than afterwards?

    Parameters
    ----------
    daily : DataFrame
        arm, day, n (cases), k (successes).
    control : str
    first_days : int, default 7
        Days from the first one that are held against all later ones.
    level : float, default 0.95
        Of the intervals.
    sure : float, default 0.01
        An effect wears off where it is better at first by a difference that chance makes less often than this.

    Returns
    -------
    DataFrame
        One row an arm: arm; early_control, early (shares), early_effect with early_low, early_high (Newcombe); the same
        of the later days as late_…; change (late less early effect), p (one-sided, of no wearing off), wears_off. NaN
        where one of the two times holds nobody of an arm.

    References
    ----------
    Kohavi, R., Tang, D. & Xu, Y. (2020). Trustworthy Online Controlled Experiments, chapter 23 (primacy and novelty).
    """
    lines = []
    if len(daily):
        early = daily["day"] < daily["day"].min() + pd.Timedelta(days=first_days)
        times = {"early": daily[early], "late": daily[~early]}
        sums = {name: part.groupby("arm")[["k", "n"]].sum() for name, part in times.items()}
        for arm in sorted(set(daily["arm"]) - {control}):
            lines.append({"arm": arm} | _line(sums, arm, control, level, sure))
    return pd.DataFrame(lines, columns=list(NOVELTY))


def _line(sums: dict[str, pd.DataFrame], arm: str, control: str, level: float, sure: float) -> dict[str, float]:
    line: dict[str, float] = dict.fromkeys(NOVELTY[1:], math.nan) | {"wears_off": False}
    variance = 0.0
    for name, of in sums.items():
        if not {arm, control} <= set(of.index) or not of.loc[[arm, control], "n"].all():
            return line
        (k, n), (k0, n0) = (tuple(int(x) for x in of.loc[a]) for a in (arm, control))
        low, high = newcombe(k0, n0, k, n, level=level)
        line |= {f"{name}_control": k0 / n0, name: k / n, f"{name}_effect": k / n - k0 / n0}
        line |= {f"{name}_low": float(low), f"{name}_high": float(high)}
        # one added to each outcome: a share of 0 or 1 has a spread too
        variance += sum((a + 1) / (b + 2) * (1 - (a + 1) / (b + 2)) / b for a, b in ((k, n), (k0, n0)))
    line["change"] = line["late_effect"] - line["early_effect"]
    line["p"] = float(stats.norm.cdf(line["change"] / math.sqrt(variance)))
    line["wears_off"] = bool(line["p"] < sure and line["early_low"] > 0)
    return line
