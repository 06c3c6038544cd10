"""Cards: a finding or a headline number as the templates take it, with its words and numbers written out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from .. import period as periods
from .. import style
from ..findings import Figure, Finding
from ..language import _, listing, term
from ..outlook import Decision, Forecast
from .tables import by_columns, known, metric_title, said, tone


def verdict_word(verdict: str) -> str:
    """What does a reader call the verdict?"""
    return {"act": _("Act"), "watch": _("Watch"), "hold": _("Hold"), "observed": _("Observed")}[verdict]


def shown_as(finding: Finding) -> str:
    """The verdict that a page shows: none where the data failed their check."""
    return "observed" if finding.blocked else finding.verdict


def card(finding: Finding, *, currency: str) -> dict[str, Any]:
    """A finding as a page shows it."""
    stake = "" if finding.stake is None else style.short(abs(finding.stake), "currency", currency=currency)
    return {
        "verdict": shown_as(finding),
        "word": verdict_word(shown_as(finding)),
        "text": _unbroken(finding.text),
        "stake": _("At stake: {money} a period").format(money=stake) if stake else "",
        "tested": _tested(finding),
        "figures": [_behind(figure, currency) for figure in finding.figures],
    }


def _tested(finding: Finding) -> str:
    """How sure is a finding that comes from a test?"""
    if finding.p is None:
        return ""
    if finding.q is None:
        return _("Chance alone would show this much with probability {p}.").format(p=style.value(finding.p, "share"))
    return _("Chance alone: {p}; held against all tests of this report, the false discovery rate is {q}.").format(
        p=style.value(finding.p, "share"), q=style.value(finding.q, "share")
    )


def decision_card(decision: Decision, *, currency: str) -> dict[str, str]:
    """A decision as a page shows it: what, who, until when, and what it should change."""
    unit = decision.unit if decision.unit in style.UNITS else "ratio"
    return {
        "text": _unbroken(decision.text),
        "owner": decision.owner,
        "due": style.date(decision.due),
        "effect": _("{metric} in {period}: {effect} ({low} to {high}, {level} interval)").format(
            metric=_name(decision.metric, decision.by),
            period=style.period(periods.parse(decision.period)),
            effect=_moved(decision.effect, unit, currency),
            low=_moved(decision.low, unit, currency),
            high=_moved(decision.high, unit, currency),
            level=style.value(decision.level, "share", digits=0),
        ),
        "check": {
            "controls": _("Will be checked against the parts that it leaves alone."),
            "forecast": _("Will be checked against what the days before lead to expect."),
            "experiment": _("Will be checked by the experiment {name}.").format(name=decision.experiment),
        }[decision.check],
    }


def forecast_row(forecast: Forecast, *, currency: str) -> dict[str, str]:
    """A forecast as a page shows it."""
    unit = forecast.unit if forecast.unit in style.UNITS else "ratio"
    return {
        "name": _name(forecast.metric, forecast.by),
        "period": style.period(periods.parse(forecast.period)),
        "value": style.value(forecast.value, unit, currency=currency),
        "interval": style.interval(forecast.low, forecast.high, unit, currency=currency),
        "level": style.value(forecast.level, "share", digits=0),
    }


def _moved(x: float, unit: str, currency: str) -> str:
    """An amount by which something changes, with its sign."""
    text = style.change(x, unit) if unit in ("share", "points") else style.short(x, unit, currency=currency)
    return f"+{text}" if x > 0 and text[0] != "+" else text


def _name(metric: str, by: Mapping[str, str]) -> str:
    """A metric with what it is cut by."""
    cut = listing(term(column, str(v)) for column, v in by.items())
    name = metric_title(pd.DataFrame(), metric.rpartition(".")[2])
    return _("{figure} ({cut})").format(figure=name, cut=cut) if cut else name


def _unbroken(text: str) -> str:
    """A sentence in which no line breaks inside 2026年10月 or between a sign and its money."""
    return re.sub(r"(?<=\d)(?=[年月日])|(?<=[年月])(?=\d)|(?<=[+−])(?=[^\s\d])", "\u2060", text)


def _behind(figure: Figure, currency: str) -> dict[str, str]:
    unit = figure.unit if figure.unit in style.UNITS else "ratio"
    between = ""
    if known(figure.low) or known(figure.high):
        between = style.interval(figure.low, figure.high, unit, currency=currency)
    return {
        "name": _name(figure.name.partition(".")[2] or figure.name, figure.by),
        "value": style.value(figure.value, unit, currency=currency),
        "interval": between,
    }


def tile(frame: pd.DataFrame, row: Mapping[Any, Any], currency: str) -> dict[str, Any]:
    """A headline number as a page shows it."""
    metric, unit = row["metric"], row["unit"]
    good, lines, labels = (frame.attrs.get(key) or {} for key in ("good", "sparklines", "compared"))
    than = {
        "change": labels.get("previous") or _("on the previous period"),
        "change_year_ago": labels.get("year_ago") or _("on a year ago"),
    }
    moves = []
    for key, words in than.items():
        if not known(row.get(key)):
            continue
        text = style.change(row[key], unit, currency=currency)
        flat = text[0] not in "+−"
        news = "" if flat else tone(row[key], good.get(metric))
        moves.append(
            {
                "arrow": "→" if flat else "▲" if text[0] == "+" else "▼",
                "text": text,
                "than": _unbroken(words),
                "tone": news,
                "word": {"good": _("better"), "bad": _("worse"), "": ""}[news],
            }
        )
    between = ""
    if known(row.get("low")) or known(row.get("high")):
        between = style.interval(row.get("low"), row.get("high"), unit, currency=currency)
    return {
        "title": " · ".join([metric_title(frame, metric), *(said(c, row[c]) for c in by_columns(frame))]),
        "definition": (frame.attrs.get("definitions") or {}).get(metric, ""),
        "value": style.short(row["value"], unit, currency=currency),
        "interval": between,
        "moves": moves,
        "sparkline": _sparkline(lines.get(metric) or []),
    }


def _sparkline(values: Iterable[Any]) -> dict[str, Any] | None:
    """The points of a small line, 120 × 28, gaps left out; None where there is nothing to draw."""
    numbers = [float(v) if known(v) else None for v in values]
    there = [(i, v) for i, v in enumerate(numbers) if v is not None]
    if len(there) < 2:
        return None
    low, high = min(v for _i, v in there), max(v for _i, v in there)
    width, height = 114 / (len(numbers) - 1), 22 / ((high - low) or 1)
    points = [(round(3 + i * width, 1), round(25 - (v - low) * height, 1)) for i, v in there]
    return {"points": " ".join(f"{x},{y}" for x, y in points), "last": points[-1]}
