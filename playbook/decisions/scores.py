"""How what was forecast and decided came out: forecasts beside what happened, done decisions beside what they changed.

A forecast is scored with the metric as it was known when its period ended. The effect of a decision is measured as it
said that it would be: beside the parts that it left alone, beside what the time before leads to expect, or by its
experiment.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from .. import period as periods
from ..data.store import Store, home
from ..findings import rounded
from ..language import _
from ..methods import testing
from ..methods.forecasting import forecaster
from ..methods.impact import interrupted
from ..metrics import METRICS, measure
from ..missing import Missing
from ..outlook import Decision, Forecast
from ..period import Period
from ..shop import Shop, shop_of
from .ledger import Entry, Ledger

HISTORY = dt.timedelta(days=365)
"""What of the time before a decision tells what would have come without it."""

Score = dict[str, Any]


def score_due(store: Store, as_of: dt.date) -> int:
    """Score what is due and can be scored by now, and write it into the ledger.

    What could not be scored is tried again once the shop's tables have changed.

    Returns
    -------
    int
        How many were scored.
    """
    ledger = Ledger.of(store)
    tables = "" if store.tables is None else store.tables.name
    due = [e for e in ledger.unscored(as_of) if _by_figure(e) or ledger.tried(e.id) != tables]
    if not due:
        return 0
    found = [s for label in sorted({e.said.period for e in due}) for s in _of_period(store, ledger, label, due)]
    ledger.score(s if s["hit"] is not None else s | {"tables": tables} for s in found)
    return sum(s["hit"] is not None for s in found)


def forecast_score(forecast: Forecast, actual: float) -> Score:
    """Did what happened lie in the interval of the forecast?

    Returns
    -------
    dict
        actual; hit.
    """
    number = rounded(actual)
    assert number is not None
    return {"actual": number, "hit": bool(forecast.low <= number <= forecast.high)}


def effect(shop: Shop, decision: Decision, done: dt.date) -> Score:
    """What did a decision change over its period, in the unit of its effect?

    Parameters
    ----------
    shop : Shop
        As it was known at the end of the decision's period.
    decision : Decision
    done : date
        The day it was done; its effect begins the day after.

    Returns
    -------
    dict
        effect, low, high (90 %), comparison (a sentence), hit (whether the two intervals meet; None: not measurable),
        why (not).
    """
    last = shop.period.last_day
    if done >= last:
        return _unknown(_("It was done after the period over which its effect counts."))
    if decision.check == "experiment":
        return _by_experiment(shop, decision)
    if decision.metric not in METRICS:
        return _unknown(_("The book has no measure of that name."))
    if decision.check == "controls":
        return _beside_others(shop, decision, done)
    return _beside_the_past(shop, decision, done)


def _of_period(store: Store, ledger: Ledger, label: str, due: Iterable[Entry]) -> list[Score]:
    """The scores of what is about one period."""
    own = [e for e in due if e.said.period == label]
    shop = shop_of(store, label)
    if shop.gate.blocks:
        why = _("The data of that period fail their check: {reason}").format(reason=shop.gate.reasons[0])
        return [{"id": e.id} | _unknown(why) for e in own]
    found: list[Score] = []
    measured = _measured(shop, [e.said for e in own if isinstance(e.said, Forecast) and not _by_figure(e)])
    for e in own:
        if isinstance(e.said, Decision):
            done = ledger.done_on(e.id)
            assert done is not None
            found.append({"id": e.id} | effect(shop, e.said, done))
            continue
        thing = (e.said.metric, _cut(e.said.by))
        actual = _figure(store, e) if _by_figure(e) else measured.get(thing, math.nan)
        if rounded(actual) is None:
            found.append({"id": e.id} | _unknown(_("It could not be measured in that period.")))
        else:
            found.append({"id": e.id} | forecast_score(e.said, actual))
    return found


def _measured(shop: Shop, forecasts: Iterable[Forecast]) -> dict[tuple[str, str], float]:
    """Metric and cut → what it was in the shop's period."""
    by_cut: dict[tuple[str, ...], set[str]] = {}
    for f in forecasts:
        by_cut.setdefault(tuple(sorted(f.by)), set()).add(f.metric)
    values: dict[tuple[str, str], float] = {}
    for by, metrics in by_cut.items():
        frame = measure(shop, sorted(metrics), by=list(by))
        if isinstance(frame, Missing):
            continue
        for row in frame.to_dict("records"):
            values[str(row["metric"]), _cut({b: row[b] for b in by})] = float(row["value"])
    return values


def _cut(by: Mapping[str, Any]) -> str:
    return json.dumps({k: str(by[k]) for k in sorted(by)}, ensure_ascii=False)


def _by_figure(entry: Entry) -> bool:
    """Whether it is about a figure that a report shows, and no metric."""
    return isinstance(entry.said, Forecast) and entry.said.metric not in METRICS


def _figure(store: Store, entry: Entry) -> Any:
    """The figure that the report of the period shows under the name of the forecast."""
    path = home() / "reports" / store.name / periods.parse(entry.said.period).slug / "figures.json"
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    assert isinstance(entry.said, Forecast)
    by = {k: str(v) for k, v in entry.said.by.items()}
    wanted = (entry.notebook, entry.said.metric, by)
    return next((f["value"] for f in figures if (f["notebook"], f["name"], f["by"]) == wanted), None)


# -- the effect of a decision


def _beside_others(shop: Shop, decision: Decision, done: dt.date) -> Score:
    """Beside the other parts of the same cut."""
    if len(decision.by) != 1:
        return _unknown(_("Not one part beside others: nothing to compare with."))
    ((by, part),) = decision.by.items()
    span = Period(max(shop.first_day, done - HISTORY), shop.period.end)
    daily = measure(shop, [decision.metric], by=["day", by], period=span)
    if isinstance(daily, Missing):
        return _unknown(daily.needs())
    wide = daily.pivot(index="day", columns=by, values="value")
    wide = wide.reindex(pd.date_range(span.start, span.last_day)).fillna(0.0)
    wide.columns = wide.columns.astype(str)
    if part not in wide or wide.shape[1] < 2:
        return _unknown(_("Not one part beside others: nothing to compare with."))
    found = interrupted(
        wide[part], wide.drop(columns=part), first=done + dt.timedelta(days=1), last=shop.period.last_day
    )
    if math.isnan(found.extra):
        return _unknown(found.note)
    return _met(decision, found.extra, found.extra_low, found.extra_high, found.comparison)


def _beside_the_past(shop: Shop, decision: Decision, done: dt.date) -> Score:
    """Beside what the periods before it was done lead to expect."""
    kind = shop.period.kind
    if kind not in ("month", "week", "quarter"):
        return _unknown(_("Only months, weeks and quarters have a past of their own kind."))
    history = measure(shop, [decision.metric], by=[kind, *decision.by], period=Period(shop.first_day, shop.period.end))
    if isinstance(history, Missing):
        return _unknown(history.needs())
    for column, part in decision.by.items():
        history = history[history[column].astype(str) == part]
    series = history.set_index(kind)["value"].astype(float)
    whole = series[(series.index >= pd.Timestamp(shop.first_day)) & (series.index <= pd.Timestamp(shop.period.start))]
    before = whole[[_end(day, kind) <= pd.Timestamp(done) for day in whole.index]]
    after = whole[len(before) :]
    if len(after) == 0 or len(before) == 0 or math.isnan(float(after.iloc[-1])):
        return _unknown(_("It could not be measured in that period."))
    model = forecaster(before, horizon=len(after))
    if not model.method:
        return _unknown(model.note)
    said = model.predict(level=0.9).iloc[-1]
    actual = float(after.iloc[-1])
    comparison = _("Compared with what the periods before lead to expect.")
    return _met(decision, actual - said["value"], actual - said["high"], actual - said["low"], comparison)


def _by_experiment(shop: Shop, decision: Decision) -> Score:
    """By the arms of its experiment: the difference a unit, times the units that had the treatment."""
    rows = shop.experiments
    if isinstance(rows, Missing):
        return _unknown(rows.needs())
    rows = rows.filter(rows["experiment"] == decision.experiment)
    share = decision.unit == "share"
    column = "converted" if share else "value"
    if column not in rows.columns or rows.count().execute() == 0:
        return _unknown(_("There are no assignments of the experiment {name}.").format(name=decision.experiment))
    metric = testing.Metric(decision.metric, column, kind="proportion" if share else "mean")
    found = testing.analyse(rows, [metric], level=0.9, at="assigned_at")
    if not found.sound or found.effects.empty:
        return _unknown(_("The split of the experiment is broken: nothing can be concluded from it."))
    line = found.effects.iloc[0]
    units = 1.0 if share else float(line["n"])
    if math.isnan(line["low"]):
        return _unknown(_("Not enough data in the arms of the experiment."))
    comparison = _("Compared with the control of the experiment {name}.").format(name=decision.experiment)
    return _met(decision, line["effect"] * units, line["low"] * units, line["high"] * units, comparison)


def _met(decision: Decision, effect: float, low: float, high: float, comparison: str) -> Score:
    return {
        "effect": rounded(effect),
        "low": rounded(low),
        "high": rounded(high),
        "comparison": comparison,
        "hit": bool(low <= decision.high and decision.low <= high),
    }


def _unknown(why: str) -> Score:
    return {"hit": None, "why": why}


def _end(day: pd.Timestamp, kind: str) -> pd.Timestamp:
    """The first day after the period that begins on this day."""
    step = {"month": pd.DateOffset(months=1), "quarter": pd.DateOffset(months=3), "week": pd.DateOffset(days=7)}
    return day + step[kind] - pd.Timedelta(days=1)
