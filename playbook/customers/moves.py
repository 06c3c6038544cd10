"""Moves: which steps of the customers' life have become slower, what to do about it, and how many come next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from .. import style
from ..findings import Figure, Finding
from ..language import N_, _
from ..missing import answers
from ..outlook import Decision, Forecast
from ..period import Period
from .lifecycle import LEVEL, STAGES
from .words import word

STEPS = {"first_deal": ("repeat", "advocate"), "retained": ("repeat", "advocate"), "lapsed": ("repeat", "advocate")}
"""Stage → stages that another order leads to."""

FEWEST = 100
"""Customers below which a rate is not compared."""

TO_DO = {
    "first_deal": N_(
        "Win second orders of fresh customers back to last year's rate, {ago} after {now}: write within two weeks of "
        "the first order."
    ),
    "retained": N_(
        "Win second orders of one-time buyers back to last year's rate, {ago} after {now}, before they are silent for "
        "{lapse} days."
    ),
    "lapsed": N_(
        "Win lapsed customers back at last year's rate, {ago} after {now}: an offer to those of the best value."
    ),
}


@answers("Which steps have become slower?")
def changes(transitions: pd.DataFrame, periods: Sequence[Period], *, pooled: int = 3) -> pd.DataFrame:
    """Which steps to another order have become slower than a year ago?

    Who has been silent for long rarely comes back, and the number of such people grows; so the rates of a year ago are
    those that the customers of today would have had, by their years of silence.

    Parameters
    ----------
    transitions : DataFrame
        From `lifecycle.transitions`.
    periods : sequence of Period
        The same as there.
    pooled : int
        Periods that are taken together, so that one good day decides nothing.

    Returns
    -------
    DataFrame
        One row a stage of `STEPS`: stage, customers (who were in it, of late, per period), now and ago (rates of
        ordering again, per period), change, change_low and change_high (80 %), low95, high95, p (of no difference),
        gain (customers per period if last year's rate came back; gain_low and gain_high: 80 %). Empty, with a note,
        where the data do not reach back a year.
    """
    places = {p.label: i for i, p in enumerate(periods)}
    last = len(periods) - 1
    before = places.get(periods[-1].year_ago.label, -1)
    columns = [
        "stage", "customers", "now", "ago", "change", "change_low", "change_high", "low95", "high95", "p", "gain",
        "gain_low", "gain_high",
    ]  # fmt: skip
    rows = []
    for stage, ahead in STEPS.items():
        if before < pooled:
            continue
        late, early = (_moved(transitions, stage, ahead, end, pooled) for end in (last, before))
        both = late.add_suffix("_late").join(early.add_suffix("_early"), how="inner")
        both = both[(both.of_late >= FEWEST) & (both.of_early >= FEWEST)]
        if not len(both):
            continue
        rows.append((stage, *_compared(both, both.of_late.sum() / pooled)))
    frame = pd.DataFrame(rows, columns=columns)
    if not rows:
        frame.attrs["notes"] = [_("The data do not reach back far enough to compare with a year ago.")]
    return frame


CHANGES_UNITS = {
    "customers": "count", "now": "share", "ago": "share", "change": "share_change", "gain": "count",
}  # fmt: skip


def _moved(transitions: pd.DataFrame, stage: str, ahead: tuple[str, ...], end: int, pooled: int) -> pd.DataFrame:
    """By years of silence: customers who went ahead (`k`), and who could have (`of`), in the periods up to a place."""
    here = (transitions.before == stage) & transitions.place.between(end - pooled + 1, end)
    of = transitions[here].groupby("silent").customers.sum()
    moved = transitions[here & transitions.after.isin(ahead)].groupby("silent").customers.sum()
    return pd.DataFrame({"k": moved.reindex(of.index, fill_value=0), "of": of}).astype(float)


def _compared(both: pd.DataFrame, size: float) -> tuple[float, ...]:
    """Rates of late and early and their difference, for the years of silence that customers have of late."""
    weight = both.of_late / both.of_late.sum()
    rates = {when: both[f"k_{when}"] / both[f"of_{when}"] for when in ("late", "early")}
    now, ago = (float(weight @ rates[when]) for when in ("late", "early"))
    # half a customer more of either kind, so that a rate of 0 has a spread
    soft = {when: (both[f"k_{when}"] + 0.5) / (both[f"of_{when}"] + 1) for when in rates}
    error = np.sqrt(sum(float(weight**2 @ (soft[w] * (1 - soft[w]) / both[f"of_{w}"])) for w in rates))
    ends = [now - ago + side * stats.norm.ppf(0.5 + level / 2) * error for level in (LEVEL, 0.95) for side in (-1, 1)]
    p = float(2 * stats.norm.sf(abs(now - ago) / error))
    gains = (-(now - ago) * size, -ends[1] * size, -ends[0] * size)
    return size, now, ago, now - ago, *ends, p, *gains


@answers("What of the stages deserves attention?")
def findings(changes: pd.DataFrame, *, value: float | None = None) -> list[Finding]:
    """What of the stages deserves attention? Each step that was compared, with its test.

    Parameters
    ----------
    changes : DataFrame
        From `changes`.
    value : float, optional
        What an order is worth (currency), for the stake.
    """
    found = []
    for row in changes.itertuples():
        sure = row.low95 > 0 or row.high95 < 0
        slower = sure and row.change < 0
        text = _("Of customers in the stage “{stage}”, {now} order again within a period, as a year ago ({ago}).")
        if slower:
            text = _(
                "Of customers in the stage “{stage}”, only {now} order again within a period, after {ago} a year ago."
            )
        elif sure:
            text = _(
                "Of customers in the stage “{stage}”, {now} order again within a period, more than a year ago ({ago})."
            )
        text = text.format(
            stage=word("stage", row.stage), now=style.value(row.now, "share"), ago=style.value(row.ago, "share")
        )
        stake = abs(row.gain) * value if value and slower else None
        figure = Figure(
            "steps.change", row.change, "share_change", row.change_low, row.change_high, {"stage": row.stage}
        )
        found.append(Finding("watch" if slower else "hold", text, stake, (figure,), p=row.p))
    return found


@answers("What is to be done about the stages?")
def decisions(
    changes: pd.DataFrame, period: Period, *, lapse: int, value: float | None = None, due_in: int = 14
) -> list[Decision]:
    """What is to be done about the stages? One decision for each step that is surely slower than a year ago.

    The effect is the number of customers who would order in the next period if last year's rate came back; its interval
    is that of the difference of the two rates.
    """
    out = []
    for row in changes[changes.high95 < 0].itertuples():
        text = _(TO_DO[row.stage]).format(
            ago=style.value(row.ago, "share"), now=style.value(row.now, "share"), lapse=lapse
        )
        out.append(
            Decision(
                name=f"faster_{row.stage}",
                text=text,
                owner=_("CRM"),
                due=period.end + dt.timedelta(days=due_in),
                metric="customers",
                period=period.following.label,
                effect=row.gain,
                low=row.gain_low,
                high=row.gain_high,
                unit="count",
                check="forecast",
                stake=row.gain * value if value else None,
            )
        )
    return out


@answers("How many customers will be in each stage next?")
def forecast(counts: pd.DataFrame, transitions: pd.DataFrame, *, last: int = 12, least: int = 6) -> pd.DataFrame:
    """How many customers will be in each stage at the end of the next period?

    Who is in a stage moves on at the rates of the last periods, and as many come in as did on average. The interval is
    that of the errors which the same rule made on earlier periods.

    Parameters
    ----------
    counts, transitions : DataFrame
        From `counts` and `transitions`.
    last : int
        Periods that rates are taken from.
    least : int
        Fewest earlier periods on which the rule can be tried.

    Returns
    -------
    DataFrame
        One row a stage: stage, now, expected, expected_low, expected_high (80 %), error (median size of the errors in
        the backtest), naive (the same for "as many as now"), n (backtests). Empty, with a note, with too few periods.

    References
    ----------
    Markov chain of stages; the interval of a new observation out of the errors of old ones: Student's, on logarithms.
    """
    wide = counts.pivot_table(index="period", columns="stage", values="customers", aggfunc="sum", sort=False)
    x = wide.reindex(columns=list(STAGES)).to_numpy(dtype=float)
    moves = np.zeros((len(x), len(STAGES) + 1, len(STAGES)))
    at = {s: i for i, s in enumerate((*STAGES, "new"))}
    for row in transitions.itertuples():
        moves[int(row.place), at[row.before], at[row.after]] += row.customers
    starts = range(min(last, max(3, len(x) - 1 - 2 * least)) + 1, len(x))
    columns = ["stage", "now", "expected", "expected_low", "expected_high", "error", "naive", "n"]
    if len(starts) < least:
        empty = pd.DataFrame(columns=columns)
        empty.attrs["notes"] = [
            _("Not enough data to say how many customers will be in each stage: needs {n} periods.").format(
                n=3 + least + 1
            )
        ]
        return empty
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.log(np.array([x[i] / _next(x, moves, i, last) for i in starts]))
        still = np.log(np.array([x[i] / x[i - 1] for i in starts]))
    coming = _next(x, moves, len(x), last)
    rows = []
    for j, stage in enumerate(STAGES):
        e = errors[np.isfinite(errors[:, j]), j]
        if len(e) < least or coming[j] < 1:
            continue
        reach = stats.t.ppf(0.5 + LEVEL / 2, len(e) - 1) * e.std(ddof=1) * np.sqrt(1 + 1 / len(e))
        low, high = coming[j] * np.exp([min(0, e.mean()) - reach, max(0, e.mean()) + reach])
        rows.append(
            (stage, x[-1, j], coming[j], low, high, np.median(np.abs(np.expm1(e))),
             np.median(np.abs(np.expm1(still[np.isfinite(still[:, j]), j]))), len(e))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _next(x: np.ndarray, moves: np.ndarray, i: int, last: int) -> np.ndarray:
    """What is expected at place `i` from all that was known at the one before."""
    known = moves[max(1, i - last) : i]
    made = known.sum(axis=0)[:-1]
    could = made.sum(axis=1, keepdims=True)
    rates = np.divide(made, could, out=np.eye(len(made)), where=could > 0)
    return x[i - 1] @ rates + known[:, -1].mean(axis=0)


FORECAST_UNITS = {
    "now": "count", "expected": "count", "error": "share", "naive": "share", "n": "count",
}  # fmt: skip


@answers("How many customers will be in each stage next?")
def forecasts(forecast: pd.DataFrame, period: Period, *, figure: str = "stages.customers") -> list[Forecast]:
    """The forecast of the stages, to be scored by the report of the next period.

    Parameters
    ----------
    forecast : DataFrame
        From `forecast`.
    period : Period
        The one that ends now.
    figure : str
        Name of the figure under which that report will say how many there are.
    """
    return [
        Forecast(
            metric=figure,
            period=period.following.label,
            value=row.expected,
            low=row.expected_low,
            high=row.expected_high,
            unit="count",
            by={"stage": row.stage},
            method="markov",
        )
        for row in forecast.itertuples()
    ]
