"""Difference-in-differences: groups that got something beside groups that did not, before and after."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from ...language import _
from .result import Impact, nothing

FEWEST_CLUSTERS = 4
"""Fewest treated, and fewest untreated, units for errors clustered by unit."""


def difference_in_differences(
    frame: pd.DataFrame,
    *,
    value: str = "value",
    unit: str = "unit",
    time: str = "time",
    treated: str = "treated",
    after: str = "after",
    log: bool = True,
    level: float = 0.9,
) -> Impact:
    """How much more did treated units change than the others did?

    Unit and time effects are taken out; errors may depend on one another within a unit.

    Parameters
    ----------
    frame : DataFrame
        One row a unit and time: `value`, `unit`, `time`, `treated` (bool, of the unit), `after` (bool, of the time).
    log : bool
        Whether effects multiply (values above 0); otherwise they add, and `effect` is relative to the treated units'
        mean without the measure.
    level : float
        Of the interval.

    Returns
    -------
    Impact
        path: time, treated, control (means), gap (their difference, of logs where `log`). `note` says so where the
        trends before were not parallel, or why errors by unit are not to be had.

    Raises
    ------
    ValueError
        A unit twice at one time, or values at or below 0 with `log`.

    References
    ----------
    Bertrand, M., Duflo, E., Mullainathan, S. (2004). How much should we trust differences-in-differences estimates?
    QJE 119, 249–275. Cameron, A. C., Miller, D. L. (2015). A practitioner's guide to cluster-robust inference. J. Human
    Resources 50, 317–372. Roth, J. (2022). Pretest with caution. AER: Insights 4, 305–322.
    """
    data = pd.DataFrame({
        "y": frame[value].astype(float).to_numpy(), "unit": frame[unit].to_numpy(), "time": frame[time].to_numpy(),
        "treated": frame[treated].astype(bool).to_numpy(), "after": frame[after].astype(bool).to_numpy(),
    })  # fmt: skip
    if data.duplicated(["unit", "time"]).any():
        raise ValueError(_("{n} rows repeat a unit and time").format(n=int(data.duplicated(["unit", "time"]).sum())))
    if log and (data["y"] <= 0).any():
        raise ValueError(
            _("{n} values are at or below 0: add up longer times, or ask with log=False").format(
                n=int((data["y"] <= 0).sum())
            )
        )
    units = data.groupby("unit")["treated"].max()
    comparison = _("Compared with the change of {n} units that did not get it, over the same days.").format(
        n=int((~units).sum())
    )
    if min(units.sum(), (~units).sum()) < FEWEST_CLUSTERS or data.groupby("after")["time"].nunique().size < 2:
        note = _(
            "Not enough data: needs {need} units on each side, before and after, has {treated} treated and {others} "
            "others; a single treated series is a case for `interrupted`."
        )
        return nothing(note.format(need=FEWEST_CLUSTERS, treated=int(units.sum()), others=int((~units).sum())),
                       comparison, level)  # fmt: skip
    path = _path(data, log)
    data["y"] = np.log(data["y"]) if log else data["y"]
    b, error, freedom = _within(data, (data["treated"] & data["after"]).to_numpy(float), units)
    half = stats.t.ppf(0.5 + level / 2, freedom) * error
    p_value = float(2 * stats.t.sf(abs(b / error), freedom)) if error > 0 else math.nan
    mine = frame.loc[data["treated"].to_numpy() & data["after"].to_numpy(), value].astype(float)
    trend = parallel_trends(frame, value=value, unit=unit, time=time, treated=treated, after=after, log=log)
    note = ""
    if trend["p_value"] < 0.05:
        note = _("The trends before were not parallel (p = {p:.2f}): the effect may be theirs.").format(
            p=trend["p_value"]
        )
    if log:
        total = float(mine.sum())
        return Impact.of_log(
            b, half, total=total, level=level, comparison=comparison, path=path, note=note, p_value=p_value
        )
    without, n = float(mine.mean()) - b, len(mine)
    part = 1 / without if without > 0 else math.nan
    return Impact(b * part, (b - half) * part, (b + half) * part, b * n, (b - half) * n, (b + half) * n, level,
                  comparison, note, path, p_value)  # fmt: skip


def parallel_trends(
    frame: pd.DataFrame,
    *,
    value: str = "value",
    unit: str = "unit",
    time: str = "time",
    treated: str = "treated",
    after: str = "after",
    log: bool = True,
) -> dict[str, float]:
    """Did treated and other units move alike before?

    Returns
    -------
    dict of str to float
        slope (how much more the treated ones grew a step of time, of logs where `log`), p_value; both NaN where fewer
        than three times lie before. A large p_value does not show that they were parallel.
    """
    data = pd.DataFrame({"y": frame[value].astype(float), "unit": frame[unit], "time": frame[time],
                         "treated": frame[treated].astype(bool)})[~frame[after].astype(bool)]  # fmt: skip
    step = data["time"].rank(method="dense").to_numpy()
    if step.max(initial=0) < 3:
        return {"slope": math.nan, "p_value": math.nan}
    data["y"] = np.log(data["y"]) if log else data["y"]
    units = data.groupby("unit")["treated"].max()
    b, error, freedom = _within(data, data["treated"].to_numpy() * (step - step.mean()), units)
    return {"slope": b, "p_value": float(2 * stats.t.sf(abs(b / error), freedom)) if error > 0 else math.nan}


def _within(data: pd.DataFrame, x: np.ndarray, units: pd.Series) -> tuple[float, float, int]:
    """Slope on `x` beside effects of unit and time, its error clustered by unit, and the degrees of freedom."""
    dummies = pd.get_dummies(data[["unit", "time"]].astype(str), drop_first=True, dtype=float)
    design = np.column_stack([x, np.ones(len(data)), dummies.to_numpy()])
    groups = pd.factorize(data["unit"])[0]
    fit = sm.OLS(data["y"].to_numpy(), design).fit(cov_type="cluster", cov_kwds={"groups": groups})
    # As few as the smaller side has: the other clusters tell nothing of the treated ones' spread, or the reverse.
    freedom = int(min(units.sum(), (~units).sum())) * 2 - 2
    return float(fit.params[0]), float(fit.bse[0]), freedom


def _path(data: pd.DataFrame, log: bool) -> pd.DataFrame:
    means = data.groupby(["time", "treated"])["y"].mean().unstack()
    out = pd.DataFrame({"time": means.index, "treated": means[True].to_numpy(), "control": means[False].to_numpy()})
    out["gap"] = np.log(out["treated"] / out["control"]) if log else out["treated"] - out["control"]
    return out
