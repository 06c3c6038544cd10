"""An interrupted series beside controls: what they say would have been, and how far they err at other times."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from scipy import stats

from ...language import _
from .result import Impact, nothing

FEWEST_PLACEBOS = 8
RIDGE = 30.0
"""Strength of the pull of the controls' weights towards equal ones, in placebos."""


def interrupted(
    series: pd.Series,
    controls: pd.DataFrame,
    *,
    first: dt.date,
    last: dt.date,
    before: int = 28,
    avoid: pd.DatetimeIndex | None = None,
    level: float = 0.9,
) -> Impact:
    """What did a measure that ran from `first` to `last` add to a series that the controls did not have?

    The series over the window is compared with what the controls' change since the days before leads one to expect
    (logs of sums; the weights of the controls are learnt on windows at other times). How much the same comparison errs
    at times when nothing happened, the placebos, gives the interval.

    Parameters
    ----------
    series : Series
        Values by day (DatetimeIndex without gaps).
    controls : DataFrame
        Series that the measure did not touch, same days × controls.
    first, last : datetime.date
        Both within the measure.
    before : int
        Days before the measure that tell the level.
    avoid : DatetimeIndex, optional
        Days of other measures on the series: no placebo touches them, and they do not count in the days before. What
        moves the controls as well, such as a festival, need not be avoided.
    level : float
        Of the interval.

    Returns
    -------
    Impact
        path: day, actual, expected, extra, cumulative. p_value from the placebos in time.

    Raises
    ------
    ValueError
        The window lies outside the series, or the days of series and controls differ.

    References
    ----------
    Bernal, J. L., Cummins, S., Gasparrini, A. (2017). Interrupted time series regression. Int. J. Epidemiology 46,
    348–355. Abadie, A., Diamond, A., Hainmueller, J. (2010). Synthetic control methods. JASA 105, 493–505 (placebos).
    Conley, T. G., Taber, C. R. (2011). Inference with “difference in differences” with a small number of policy
    changes. Review of Economics and Statistics 93, 113–125.
    """
    comparison = _("Compared with {n} series that it did not touch, which moved alike before.").format(
        n=controls.shape[1]
    )
    window, length = _window(series, controls, first, last)
    errors = placebo_in_time(series, controls, first=first, last=last, before=before, avoid=avoid)
    changed = _changes(_side_by_side(series, controls), window.start, length, before, _usable(series, avoid))
    if changed is None:
        note = _("Not enough data: needs {need} undisturbed days in the {before} before the measure.")
        return nothing(note.format(need=math.ceil(before / 2), before=before), comparison, level)
    if len(errors) < FEWEST_PLACEBOS:
        note = _("Not enough data: needs {need} undisturbed windows of {days} days besides this one, has {has}.")
        return nothing(note.format(need=FEWEST_PLACEBOS, days=length, has=len(errors)), comparison, level)
    placebos = errors["own"].to_numpy(), errors[list(controls)].to_numpy()
    own, theirs = changed
    log = own - float(_weights(*placebos) @ theirs)
    rest = _errors(errors["day"].to_numpy(), *placebos, length)
    spread, freedom = _spread(rest, length)
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * spread
    actual = float(series.iloc[window].sum())
    path = _path(series, window, actual / math.exp(log), controls)
    p_value = (1 + int((np.abs(rest) >= abs(log)).sum())) / (1 + len(rest))
    return Impact.of_log(log, half, total=actual, level=level, comparison=comparison, path=path, p_value=p_value)


def placebo_in_time(
    series: pd.Series,
    controls: pd.DataFrame,
    *,
    first: dt.date,
    last: dt.date,
    before: int = 28,
    avoid: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """What does the same comparison say of windows in which nothing happened?

    Returns
    -------
    DataFrame
        One row a window as long as the measure, a third of a window apart: day (its first), own (log change of the
        series since the days before), one column a control with its change, error (own less the mean of the controls).
    """
    window, length = _window(series, controls, first, last)
    usable, values = _usable(series, avoid), _side_by_side(series, controls)
    rows = []
    for start in range(before, len(series) - length + 1, max(1, length // 3)):
        if start <= window.stop + before and start + length > window.start:
            continue
        if not usable[start : start + length].all():
            continue
        changed = _changes(values, start, length, before, usable)
        if changed is not None:
            rows.append((series.index[start], changed[0], *changed[1], changed[0] - float(np.mean(changed[1]))))
    return pd.DataFrame(rows, columns=["day", "own", *controls, "error"])


def placebo_in_space(
    series: pd.Series,
    controls: pd.DataFrame,
    *,
    first: dt.date,
    last: dt.date,
    before: int = 28,
    avoid: pd.DatetimeIndex | None = None,
    level: float = 0.9,
) -> pd.DataFrame:
    """What does the same comparison say of series that the measure did not touch, at the time when it ran?

    Returns
    -------
    DataFrame
        name (of the control; "" for the series itself), effect, low, high (fractions). Where the controls too show an
        effect, it is not the measure's.
    """
    rows = []
    for name in ["", *controls]:
        one = series if name == "" else controls[name]
        others = controls if name == "" else controls.drop(columns=name)
        if others.shape[1]:
            said = interrupted(one, others, first=first, last=last, before=before, avoid=avoid, level=level)
            rows.append((name, said.effect, said.low, said.high))
    return pd.DataFrame(rows, columns=["name", "effect", "low", "high"])


def pull_forward(
    series: pd.Series,
    controls: pd.DataFrame,
    *,
    first: dt.date,
    last: dt.date,
    after: int = 21,
    before: int = 28,
    avoid: pd.DatetimeIndex | None = None,
    level: float = 0.9,
) -> tuple[pd.DataFrame, str]:
    """How much of what a measure added was only bought earlier, and is missing afterwards?

    Returns
    -------
    frame : DataFrame
        part (during, after, net), extra, low, high (unit of the series), share (of the gain; −0.3 of `after`: three
        tenths of it were pulled forward). The interval of the net sum takes the two errors for independent.
    sentence : str
        The same in words.
    """
    during = interrupted(series, controls, first=first, last=last, before=before, avoid=avoid, level=level)
    # The days after, with the measure's own days out of the days before.
    own = pd.date_range(first, last)
    avoided = own if avoid is None else own.union(avoid)
    late = last + dt.timedelta(days=after)
    rest = interrupted(
        series, controls, first=last + dt.timedelta(days=1), last=min(late, series.index[-1].date()),
        before=before + len(own), avoid=avoided, level=level,
    )  # fmt: skip
    net = during.extra + rest.extra
    half = math.hypot(*((i.extra_high - i.extra_low) / 2 for i in (during, rest)))
    rows = [
        ("during", during.extra, during.extra_low, during.extra_high),
        ("after", rest.extra, rest.extra_low, rest.extra_high),
        ("net", net, net - half, net + half),
    ]
    frame = pd.DataFrame(rows, columns=["part", "extra", "low", "high"])
    frame["share"] = frame["extra"] / during.extra if during.extra > 0 else math.nan
    if math.isnan(net):
        return frame, during.note or rest.note
    if during.extra <= 0:
        return frame, _("It added nothing that could have been pulled forward.")
    said = _(
        "Of {gain:,.0f} gained while it ran, {lost:,.0f} were missing in the {days} days afterwards: "
        "{net:,.0f} remain ({low:,.0f} to {high:,.0f})."
    ).format(gain=during.extra, lost=max(0.0, -rest.extra), days=after, net=net, low=net - half, high=net + half)
    return frame, said


def _window(series: pd.Series, controls: pd.DataFrame, first: dt.date, last: dt.date) -> tuple[slice, int]:
    """Positions of the measure's days."""
    if not series.index.equals(controls.index):
        raise ValueError(_("the series and its controls do not have the same days"))
    start, end = series.index.get_indexer([pd.Timestamp(first), pd.Timestamp(last)])
    if start < 0 or end < start:
        raise ValueError(
            _("{first} to {last} does not lie within the series, {start} to {end}").format(
                first=first, last=last, start=series.index[0].date(), end=series.index[-1].date()
            )
        )
    return slice(int(start), int(end) + 1), int(end - start + 1)


def _usable(series: pd.Series, avoid: pd.DatetimeIndex | None) -> np.ndarray:
    return np.ones(len(series), dtype=bool) if avoid is None else ~np.asarray(series.index.isin(avoid))


def _side_by_side(series: pd.Series, controls: pd.DataFrame) -> np.ndarray:
    """Days × the series and its controls."""
    return np.column_stack([series.to_numpy(float), controls.to_numpy(float)])


def _changes(
    values: np.ndarray, start: int, length: int, before: int, usable: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """Logs of the mean of the window over that of the days before: of the series and of each control."""
    earlier = np.arange(max(0, start - before), start)
    earlier = earlier[usable[earlier]]
    if len(earlier) < before / 2:
        return None
    # Half an observation keeps the log finite of a window that is empty, or in which more came back than was sold; by
    # the day, or a window shorter than the days before would show a change where there is none.
    now, then = (values[of].mean(axis=0).clip(min=0) + 0.5 / before for of in (slice(start, start + length), earlier))
    change = np.log(now) - np.log(then)
    return float(change[0]), change[1:]


def _weights(own: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Weights of the controls, learnt on the placebos (rows) and drawn towards equal ones."""
    equal = np.full(theirs.shape[1], 1 / theirs.shape[1])
    if not theirs.any():  # nothing to learn from
        return equal
    pull = RIDGE * float(np.mean(theirs**2)) * np.eye(theirs.shape[1])
    return equal + np.linalg.solve(theirs.T @ theirs + pull, theirs.T @ (own - theirs @ equal))


def _errors(day: np.ndarray, own: np.ndarray, theirs: np.ndarray, length: int) -> np.ndarray:
    """How far each placebo is off by weights learnt on those that do not overlap it.

    By weights that were learnt on the placebo itself, many controls follow every one of them and err only afterwards.
    """
    apart = np.abs(np.subtract.outer(day, day)) >= np.timedelta64(length, "D")
    return np.array([own[i] - theirs[i] @ _weights(own[others], theirs[others]) for i, others in enumerate(apart)])


def _spread(rest: np.ndarray, length: int) -> tuple[float, int]:
    """Root mean square of the placebos' errors, and its degrees of freedom: windows that overlap count once."""
    step = max(1, length // 3)
    independent = max(2, round(len(rest) * step / length))
    return float(np.sqrt(np.mean(rest**2))), independent


def _path(series: pd.Series, window: slice, expected: float, controls: pd.DataFrame) -> pd.DataFrame:
    """Day by day: the expected sum is spread as the controls are."""
    shape = controls.iloc[window].sum(axis=1).to_numpy(float) + 1e-9
    days = pd.DataFrame({"day": series.index[window], "actual": series.iloc[window].to_numpy(float)})
    days["expected"] = expected * shape / shape.sum()
    days["extra"] = days["actual"] - days["expected"]
    days["cumulative"] = days["extra"].cumsum()
    return days
