"""Looking back: how good were the forecasts, what became of the decisions, and what is to be learnt?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from .. import style
from ..findings import Figure, Finding
from ..language import _, humanise
from ..methods.intervals import wilson
from ..methods.multiplicity import holm
from ..metrics import METRICS
from ..missing import Missing, answers, quietly
from ..shop import Shop
from .ledger import Ledger

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

FEW = 10
"""Fewer forecasts than this say nothing about how sure the book may be."""


def remembered(shop: Shop) -> tuple[pd.DataFrame | Missing, pd.DataFrame | Missing]:
    """What did the reports before this one forecast and decide, and what is known of it by now?

    Returns
    -------
    forecasts, decisions : DataFrame
        As `Ledger.forecasts` and `Ledger.decisions`; with a sentence in ``attrs["notes"]`` where there are none. A
        Missing for a shop made from frames.
    """
    if shop.store is None:
        gone = Missing("ledger", remedy=_("A shop made from frames has no ledger."))
        return gone, gone
    ledger = Ledger.of(shop.store)
    forecasts, decisions = ledger.forecasts(as_of=shop.as_of.date()), ledger.decisions(as_of=shop.as_of.date())
    if forecasts.empty:
        said = _("No earlier report forecast anything: run one first, e.g. playbook run {shop} --period {period}")
        forecasts.attrs["notes"] = [said.format(shop=shop.name, period=shop.period.previous.label)]
    if decisions.empty:
        decisions.attrs["notes"] = [_("No earlier report decided anything.")]
    for frame in (forecasts, decisions):
        frame.attrs |= {"currency": shop.currency, "as_of": shop.as_of.date()}
    return forecasts, decisions


@answers("Which forecasts came true?")
def due(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Which forecasts came true?

    Parameters
    ----------
    forecasts : DataFrame
        From `remembered`.

    Returns
    -------
    DataFrame
        Those that are scored, the latest first: id, period, metric, by, value, low, high, actual, hit, off (actual /
        value − 1, for a share actual − value), notebook, report, level, unit.
    """
    columns = ["id", "period", "metric", "by", "value", "low", "high", "actual", "hit", "off"]
    columns += ["notebook", "report", "level", "unit"]
    frame = forecasts[forecasts["hit"].notna()].copy()
    value, actual = frame["value"].astype(float), frame["actual"].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(value > 0, actual / value - 1, np.nan)
    frame["off"] = np.where(frame["unit"] == "share", actual - value, relative)
    frame["actual"], frame["hit"] = actual, frame["hit"].astype(bool)
    out = frame.sort_values(["due", "notebook", "metric", "by"], ascending=[False, True, True, True])[columns]
    out.attrs = dict(forecasts.attrs)
    if out.empty and not forecasts.empty:
        out.attrs["notes"] = [_("None of the forecasts of earlier reports is due yet.")]
    return out.reset_index(drop=True)


@answers("Which forecasts came true?")
def due_in_words(due: pd.DataFrame) -> pd.DataFrame:
    """The same for readers, each number in its own unit: period, measure, expected, interval, came, off, true, page."""
    currency = due.attrs.get("currency", "CNY")
    rows = []
    for f in due.to_dict("records"):
        unit = f["unit"] if f["unit"] in style.UNITS else "ratio"
        rows.append(
            {
                "period": f["period"],
                "measure": _measure(f),
                "expected": style.value(f["value"], unit, currency=currency),
                "interval": style.interval(f["low"], f["high"], unit, currency=currency),
                "came": style.value(f["actual"], unit, currency=currency),
                "off": style.change(f["off"], "share" if unit == "share" else "count"),
                "true": _("yes") if f["hit"] else _("no"),
                "page": f["notebook"],
            }
        )
    columns = ["period", "measure", "expected", "interval", "came", "off", "true", "page"]
    out = pd.DataFrame(rows, columns=columns)
    out.attrs = dict(due.attrs)
    return out


@quietly
def plot_due(due: pd.DataFrame, *, most: int = 24) -> Axes | None:
    """The latest forecasts with their intervals, all on one scale, and a point for what came."""
    if due.empty:
        return None
    rows = due.head(most)[::-1].reset_index(drop=True)
    ax = style.axes(height=1.2 + 0.3 * len(rows))
    for y, row in rows.iterrows():
        ax.plot([-1, 1], [y, y], color=style.COMPARISON, linewidth=5, solid_capstyle="butt", zorder=1)
        place = float(np.clip(_place(row), -3, 3))
        mark, color = ("o", style.OWN) if row["hit"] else ("X", style.BAD)
        ax.plot(place, y, mark, color=color, markersize=7, zorder=2)
    names = [f"{_measure(row)} {row['period']}" for row in rows.to_dict("records")]
    ax.set_yticks(range(len(rows)), names)
    ax.set_xticks([-1, 0, 1], [_("low end"), _("expected"), _("high end")])
    ax.set_xlim(-3.2, 3.2)
    ax.grid(axis="y", visible=False)
    hits = int(due["hit"].sum())
    ax.set_title(_("{hits} of {n} forecasts lay in their intervals").format(hits=hits, n=len(due)))
    return ax


@answers("Are the intervals as wide as they should be?")
def calibration(due: pd.DataFrame) -> pd.DataFrame:
    """Are the intervals as wide as they should be, and do forecasts err to one side?

    Parameters
    ----------
    due : DataFrame
        From `due`.

    Returns
    -------
    DataFrame
        One row for all forecasts and one for each notebook and metric: notebook, metric ("" for all), n, hits, share,
        share_low, share_high (95 % Wilson), level (that was promised), bias (mean of `off`), bias_low, bias_high (95 %,
        Student; NaN below three forecasts), p (of no bias, Holm).
    """
    rows = []
    groups = [("", "", due)] if len(due) else []
    groups += [(n, m, g) for (n, m), g in due.groupby(["notebook", "metric"], sort=True)]
    for notebook, metric, group in groups:
        n, hits = len(group), int(group["hit"].sum())
        low, high = wilson(hits, n)
        off = group["off"].dropna().to_numpy(float)
        bias, half, p = (float(off.mean()) if len(off) else math.nan), math.nan, math.nan
        if len(off) > 2 and np.ptp(off) > 0:
            half = float(stats.t.ppf(0.975, len(off) - 1) * off.std(ddof=1) / math.sqrt(len(off)))
            p = float(stats.ttest_1samp(off, 0).pvalue)
        level = float(group["level"].mean())
        rows.append((notebook, metric, n, hits, hits / n, low, high, level, bias, bias - half, bias + half, p))
    columns = ["notebook", "metric", "n", "hits", "share", "share_low", "share_high", "level"]
    frame = pd.DataFrame(rows, columns=[*columns, "bias", "bias_low", "bias_high", "p"])
    frame["p"] = holm(frame["p"])
    frame.attrs = dict(due.attrs)
    return frame


@answers("How often does what comes lie inside intervals of any width?")
def curve(due: pd.DataFrame) -> pd.DataFrame:
    """How often does what comes lie inside intervals of any width?

    The intervals are made narrower and wider as a normal law would have it, each side by itself.

    Returns
    -------
    DataFrame
        level (promised), share (of forecasts inside), share_low, share_high (95 % Wilson), n.
    """
    promised = stats.norm.ppf(0.5 + due["level"].astype(float).to_numpy() / 2)
    place = np.abs(np.array([_place(row) for _i, row in due.iterrows()], dtype=float)) * promised
    rows = []
    for level in LEVELS if len(due) else ():
        inside = int((place <= stats.norm.ppf(0.5 + level / 2)).sum())
        low, high = wilson(inside, len(due))
        rows.append((level, inside / len(due), low, high, len(due)))
    frame = pd.DataFrame(rows, columns=["level", "share", "share_low", "share_high", "n"])
    frame.attrs = dict(due.attrs)
    return frame


@quietly
def plot_curve(curve: pd.DataFrame) -> Axes | None:
    """What was promised against what came; on the line both are the same."""
    if curve.empty:
        return None
    ax = style.axes(height=4.2)
    ax.plot([0, 1], [0, 1], color=style.COMPARISON, linewidth=1.4)
    ax.fill_between(curve["level"], curve["share_low"], curve["share_high"], color=style.OWN, alpha=0.15, linewidth=0)
    ax.plot(curve["level"], curve["share"], color=style.OWN, marker="o", linewidth=2)
    style.direct_label(ax, curve["level"].iloc[-1], curve["share"].iloc[-1], _("came true"), style.OWN)
    style.share_axis(ax, which="x")
    style.share_axis(ax)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel(_("Promised"))
    ax.set_ylabel(_("Inside the interval"))
    ax.set_title(_("How sure were we, and how sure could we be? ({n} forecasts)").format(n=int(curve["n"].iloc[0])))
    return ax


@answers("What became of the decisions?")
def decided(decisions: pd.DataFrame) -> pd.DataFrame:
    """What became of the decisions of earlier reports?

    Parameters
    ----------
    decisions : DataFrame
        From `remembered`.

    Returns
    -------
    DataFrame
        The largest stake first: id, text, owner, due, status, overdue (flag: neither done nor declined when the day had
        passed), effect, low, high, measured, measured_low, measured_high, hit, why, notebook, report, unit, stake.
    """
    frame = decisions.copy()
    as_of = decisions.attrs["as_of"]
    open_still = frame["status"].isin(["proposed", "accepted"])
    frame["overdue"] = open_still & (pd.to_datetime(frame["due"]) < pd.Timestamp(as_of))
    for column in ("measured", "measured_low", "measured_high", "stake"):
        frame[column] = frame[column].astype(float)
    columns = ["id", "text", "owner", "due", "status", "overdue", "effect", "low", "high", "measured", "measured_low"]
    columns += ["measured_high", "hit", "why", "notebook", "report", "unit", "stake"]
    out = frame.sort_values(["stake", "id"], ascending=[False, True], na_position="last")[columns]
    out.attrs = dict(decisions.attrs)
    return out.reset_index(drop=True)


@answers("What became of the decisions?")
def decided_in_words(decided: pd.DataFrame) -> pd.DataFrame:
    """The same for readers: id, decision, owner, due, status, expected, measured, came (hit, miss, or why neither)."""
    currency = decided.attrs.get("currency", "CNY")
    rows = []
    for d in decided.to_dict("records"):
        unit = d["unit"] if d["unit"] in style.UNITS else "ratio"
        came = d["why"] if d["hit"] is None or pd.isna(d["hit"]) else _("hit") if d["hit"] else _("miss")
        rows.append(
            {
                "id": d["id"],
                "decision": d["text"],
                "owner": d["owner"],
                "due": style.date(d["due"]),
                "status": _("overdue") if d["overdue"] else d["status"],
                "expected": style.value(d["effect"], unit, currency=currency),
                "measured": style.value(d["measured"], unit, currency=currency),
                "came": came,
            }
        )
    columns = ["id", "decision", "owner", "due", "status", "expected", "measured", "came"]
    out = pd.DataFrame(rows, columns=columns)
    out.attrs = dict(decided.attrs)
    return out


@answers("Who did what was decided?")
def by_owner(decided: pd.DataFrame) -> pd.DataFrame:
    """Who did what was decided?

    Returns
    -------
    DataFrame
        owner, decisions, done, declined, overdue, hits (done ones whose effect came as expected), scored.
    """
    frame = decided.assign(
        done=decided["status"] == "done", declined=decided["status"] == "declined",
        scored=decided["hit"].notna(), hits=decided["hit"].fillna(False).astype(bool),
    )  # fmt: skip
    out = frame.groupby("owner", sort=True).agg(
        decisions=("id", "count"), done=("done", "sum"), declined=("declined", "sum"), overdue=("overdue", "sum"),
        hits=("hits", "sum"), scored=("scored", "sum"),
    )  # fmt: skip
    out = out.reset_index()
    out.attrs = dict(decided.attrs)
    return out


@answers("What went well, what did not, and what is to be changed?")
def lessons(due: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """What went well, what did not, and what is to be changed?

    Returns
    -------
    DataFrame
        kind (success, shortfall, fix), lesson (a sentence), source (id of the forecast or decision), report.
    """
    currency = decided.attrs.get("currency", "CNY")
    rows: list[tuple[str, str, str, str]] = []
    for d in decided[decided["hit"].notna()].to_dict("records"):
        unit = d["unit"] if d["unit"] in style.UNITS else "ratio"
        said = {
            "decision": d["text"].rstrip(".。"),
            "measured": style.value(d["measured"], unit, currency=currency),
            "expected": style.value(d["effect"], unit, currency=currency),
        }
        well = d["hit"] and d["measured"] * d["effect"] > 0
        text = _("{decision}: it brought {measured}, as expected ({expected}).")
        if not well:
            text = _("{decision}: it brought {measured}, expected was {expected}.")
        rows.append(("success" if well else "shortfall", text.format(**said), d["id"], d["report"]))
    for d in decided[decided["overdue"]].to_dict("records"):
        text = _("{decision}: due on {day}, not done. Do it or decline it.")
        said = {"decision": d["text"].rstrip(".。"), "day": style.date(d["due"])}
        rows.append(("fix", text.format(**said), d["id"], d["report"]))
    missed = due[~due["hit"]].assign(size=lambda f: f["off"].abs())
    for f in missed.nlargest(5, "size").to_dict("records"):
        text = _("{metric} in {period} was {off} off what was expected.")
        unit = "share" if f["unit"] == "share" else "count"
        said = {"metric": _measure(f), "period": f["period"], "off": style.change(f["off"], unit)}
        rows.append(("shortfall", text.format(**said), f["id"], f["report"]))
    frame = pd.DataFrame(rows, columns=["kind", "lesson", "source", "report"])
    if frame.empty:
        frame.attrs["notes"] = [_("Nothing is due yet that could teach anything.")]
    return frame


@answers("How far can the book be trusted?")
def findings(calibration: pd.DataFrame, decided: pd.DataFrame) -> list[Finding]:
    """How far can the book be trusted, and what was left undone?

    Returns
    -------
    list of Finding
        On how many forecasts came true (watch where fewer or more than promised by more than chance), on forecasts
        that err to one side, and on overdue decisions (act; stake: theirs).
    """
    out: list[Finding] = []
    if len(calibration):
        row = calibration.iloc[0]
        figure = Figure("forecasts_in_interval", row.share, "share", row.share_low, row.share_high)
        said = {"hits": int(row.hits), "n": int(row.n), "level": style.value(row.level, "share", digits=0)}
        if row.n < FEW:
            text = _("{hits} of {n} forecasts lay in their intervals: too few yet to say how sure the book may be.")
            out.append(Finding("hold", text.format(**said), None, (figure,)))
        elif row.share_high < row.level:
            text = _("Only {hits} of {n} forecasts lay in their {level} intervals: the book was surer than it may be.")
            out.append(Finding("watch", text.format(**said), None, (figure,)))
        elif row.share_low > row.level:
            text = _("{hits} of {n} forecasts lay in their {level} intervals: they are wider than they need to be.")
            out.append(Finding("watch", text.format(**said), None, (figure,)))
        else:
            text = _("{hits} of {n} forecasts lay in their {level} intervals, as they should.")
            out.append(Finding("hold", text.format(**said), None, (figure,)))
        for one in calibration.iloc[1:].itertuples():
            if one.p < 0.05:
                text = _("Forecasts of {metric} err to one side: what comes is {bias} off on average.")
                share = "share" if one.metric.endswith("_rate") else "count"
                said = {"metric": humanise(one.metric, inside=True), "bias": style.change(one.bias, share)}
                number = Figure(
                    "forecast_bias", one.bias, "share", one.bias_low, one.bias_high,
                    {"notebook": one.notebook, "metric": one.metric},
                )  # fmt: skip
                out.append(Finding("watch", text.format(**said), None, (number,)))
    late = decided[decided["overdue"]]
    if len(late):
        text = _("{n} decisions were due and are neither done nor declined, first of all: {decision}")
        stake = float(late["stake"].fillna(0).sum()) or None
        figure = Figure("overdue", len(late), "count")
        out.append(Finding("act", text.format(n=len(late), decision=late.iloc[0]["text"]), stake, (figure,)))
    return out


def _measure(row: Mapping[str, Any]) -> str:
    """A metric with what it is cut by, as readers know it."""
    name = str(row["metric"]).rpartition(".")[2]
    title = _(METRICS[name].title) if name in METRICS else humanise(name)
    return _("{figure} ({cut})").format(figure=title, cut=row["by"]) if row["by"] else title


def _place(row: pd.Series) -> float:
    """Where in its interval did it come to lie? −1 is the low end, 1 the high end."""
    side = row["high"] - row["value"] if row["actual"] >= row["value"] else row["value"] - row["low"]
    off = float(row["actual"] - row["value"])
    return off / side if side > 0 else (0.0 if off == 0 else math.copysign(math.inf, off))
