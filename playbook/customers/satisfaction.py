"""Satisfaction: how content customers are, with what, who among them, and what their recommendation hangs on."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import as_table
from ..findings import Figure, Finding, Verdict
from ..language import N_, _, term
from ..methods import intervals
from ..methods.decomposition import importance
from ..missing import Missing, answers, quietly

PREFIX = "csat_"
"""Questions on satisfaction with an area begin so; their scores are 1 to 5."""
NPS = "nps"
"""The question whether one would recommend the shop, 0 to 10."""
CONTENT, PROMOTER, DETRACTOR = 4, 9, 6
"""From this score on somebody is content, a promoter; up to this one a detractor."""
FEW = 30
"""Answers below which a number is shown but nothing is concluded from it."""
RESAMPLES = 200


@answers("How content are customers?", needs={"surveys": ["score"]})
def answered(surveys: ibis.Table, *, since: dt.date | None = None) -> pd.DataFrame:
    """Who answered what about satisfaction?

    Parameters
    ----------
    surveys : Table
        Canonical table `surveys`; questions ``csat_…`` (1 to 5) and ``nps`` (0 to 10).
    since : date, optional
        Answers from that day on.

    Returns
    -------
    DataFrame
        One row per response, in order of time: survey, answered_at, segment, weight, and a column for each area and for
        ``nps`` (score, NaN: not answered). A Missing where no survey asks such questions. Only answers on satisfaction
        come back, one row a person asked, not one a customer.
    """
    surveys = as_table(surveys)
    asked = surveys.filter(surveys.question.startswith(PREFIX) | (surveys.question == NPS), surveys.score.notnull())
    if since is not None:
        asked = asked.filter(asked.answered_at >= ibis.timestamp(dt.datetime.combine(since, dt.time())))
    known = [c for c in ("segment", "weight") if c in asked.columns]
    rows = asked.select("response_id", "survey", "answered_at", "question", "score", *known).to_pandas()
    if rows.empty:
        return Missing(_("answers on satisfaction"), remedy=_("Ask csat_… (1 to 5) and nps (0 to 10) in a survey."))
    rows["segment"] = rows["segment"].fillna("") if "segment" in rows else ""
    rows["weight"] = rows["weight"].fillna(1.0) if "weight" in rows else 1.0
    by = ["response_id", "survey", "segment", "weight"]
    wide = rows.pivot_table(index=by, columns="question", values="score", aggfunc="first")
    when = rows.groupby("response_id")["answered_at"].min()
    wide = wide.reset_index().assign(answered_at=lambda f: f["response_id"].map(when))
    wide.columns.name = None
    first = ["survey", "answered_at", "segment", "weight"]
    return wide.sort_values(["answered_at", "response_id"], ignore_index=True)[[*first, *_questions(wide)]]


@answers("How content are customers, and would they recommend us?")
def scores(answers_given: pd.DataFrame) -> pd.DataFrame:
    """How content are customers with each area, would they recommend us, and how was it in the survey before?

    Parameters
    ----------
    answers_given : DataFrame
        What `answered` returned.

    Returns
    -------
    DataFrame
        One row per question of the last survey, areas first: area, metric (``csat``: weighted share of 4 and 5;
        ``nps``: promoters less detractors, in points), unit, value, low, high (95 %, of as many answers as the weighted
        ones are worth), n (answers), previous (the survey before), change. ``attrs`` has `survey`, `previous`, `until`
        (last answer), `errors` (standard error of the change by area).
    """
    order = list(dict.fromkeys(answers_given.sort_values("answered_at", ascending=False)["survey"]))
    last = answers_given[answers_given["survey"] == order[0]]
    before = answers_given[answers_given["survey"] == order[1]] if len(order) > 1 else last.iloc[:0]
    rows, errors = [], {}
    for question in _questions(answers_given):
        now, then = _score(last, question), _score(before, question)
        errors[_area(question)] = math.hypot(*((high - low) / 2 / 1.96 for _value, low, high, _n in (now, then)))
        metric, unit = ("nps", "points") if question == NPS else ("csat", "share")
        rows.append((_area(question), metric, unit, *now, then[0], now[0] - then[0]))
    columns = ["area", "metric", "unit", "value", "low", "high", "n", "previous", "change"]
    frame = pd.DataFrame([r for r in rows if r[6]], columns=columns)
    frame.attrs = {
        "by": ["area"],
        "titles": _TITLES,
        "definitions": {m: _(words) for m, words in _MEANT.items()},
        "good": {"csat": "up", "nps": "up"},
        "survey": order[0],
        "previous": order[1] if len(order) > 1 else "",
        "until": last["answered_at"].max(),
        "errors": errors,
    }
    return frame


_TITLES = {"csat": N_("Content customers (CSAT)"), "nps": N_("Would recommend (NPS)")}
_MEANT = {
    "csat": N_("Share of answers of 4 or 5 out of 5, weighted as the survey says."),
    "nps": N_("Share of answers of 9 or 10 less share of 0 to 6, times 100, weighted as the survey says."),
}


@answers("Who is content with what?")
def by_segment(answers_given: pd.DataFrame) -> pd.DataFrame:
    """Which customers are content with which area? All surveys given, since one alone has few of each.

    Parameters
    ----------
    answers_given : DataFrame
        What `answered` returned.

    Returns
    -------
    DataFrame
        One row per area and segment: area, segment, metric (``csat``), unit, value, low, high (95 %), n. A Missing
        where segments are not told.
    """
    segments = sorted(set(answers_given["segment"]) - {""})
    if not segments:
        return Missing("surveys.segment", remedy=_("Say in the survey's export which customers were asked."))
    rows = [
        (_area(q), s, "csat", "share", *_score(answers_given[answers_given["segment"] == s], q))
        for q in _questions(answers_given)
        if q != NPS
        for s in segments
    ]
    frame = pd.DataFrame(rows, columns=["area", "segment", "metric", "unit", "value", "low", "high", "n"])
    frame.attrs = {"by": ["area", "segment"], "titles": _TITLES, "definitions": {"csat": _(_MEANT["csat"])}}
    return frame


@answers("What does a recommendation hang on?")
def drivers(answers_given: pd.DataFrame, *, rng: np.random.Generator | int) -> pd.DataFrame:
    """Which area does the readiness to recommend hang on?

    Shares of the variance of the recommendation that each area explains (LMG). They say what goes together, not what
    would follow if an area were improved.

    Parameters
    ----------
    answers_given : DataFrame
        What `answered` returned; answers to all questions count.
    rng : numpy.random.Generator or int
        Seeded by the caller, or its seed; for the intervals.

    Returns
    -------
    DataFrame
        One row per area, the strongest first: area, metric (``importance``), unit, value (share of all that the areas
        explain), low, high (95 %, bootstrap of the people), n, content (weighted share of 4 and 5). ``attrs`` has
        `explained`, the R². A Missing with too few answers.

    References
    ----------
    `playbook.methods.decomposition.importance`.
    """
    areas = [q for q in _questions(answers_given) if q != NPS]
    whole = answers_given.dropna(subset=[*areas, NPS]) if areas and NPS in answers_given else answers_given.iloc[:0]
    if len(whole) < FEW or whole[NPS].nunique() < 2:
        what = _("{n} full answers on the areas and on recommending").format(n=FEW)
        return Missing(what, remedy=_("Ask the same people about every area and whether they would recommend you."))
    x, y, w = whole[areas].to_numpy(float), whole[NPS].to_numpy(float), whole["weight"].to_numpy(float)
    shares = importance(x, y, w)
    draws = np.random.default_rng(rng).integers(0, len(whole), (RESAMPLES, len(whole)))
    again = np.array([_shared(importance(x[d], y[d], w[d])) for d in draws])
    low, high = np.nanquantile(again, [0.025, 0.975], axis=0)
    content = [_score(whole, q)[0] for q in areas]
    frame = pd.DataFrame(
        {"area": list(map(_area, areas)), "metric": "importance", "unit": "share", "value": _shared(shares)}
        | {"low": low, "high": high, "n": len(whole), "content": content}
    ).sort_values("value", ascending=False, ignore_index=True)
    frame.attrs = {
        "by": ["area"],
        "titles": {"importance": N_("Weight in the recommendation")},
        "definitions": {
            "importance": _("Share of what all areas explain of the readiness to recommend; it does not prove a cause.")
        },
        "units": {"content": "share"},
        "explained": float(np.sum(shares)),
    }
    return frame


@answers("What should be done about satisfaction?")
def findings(
    scored: pd.DataFrame, driving: pd.DataFrame | None = None, *, period_start: dt.date | None = None
) -> list[Finding]:
    """What do the answers ask for?

    Parameters
    ----------
    scored : DataFrame
        What `scores` returned.
    driving : DataFrame, optional
        What `drivers` returned.
    period_start : date, optional
        Where the last answer is older, it is said.

    Returns
    -------
    list of Finding
        The recommendation and whether it changed (p of a two-sided test); the area that weighs most; who answers.
    """
    found = []
    told = scored.set_index(["metric", "area"])
    if ("nps", "overall") in told.index:
        found.append(_recommended(told.loc[("nps", "overall")], scored.attrs["errors"]["overall"]))
    if driving is not None and not isinstance(driving, Missing):
        top = driving.iloc[0]
        text = _(
            "Whether customers recommend us goes most with “{area}”: {weight} of what the areas explain ({interval}); "
            "{content} are content with it."
        )
        text = text.format(
            area=term("area", top.area),
            weight=style.value(top.value, "share"),
            interval=style.interval(top.low, top.high, "share"),
            content=style.value(top.content, "share"),
        )
        figure = Figure("satisfaction_weight", top.value, "share", top.low, top.high, {"area": top.area})
        found.append(Finding("watch" if top.content < 0.8 else "hold", text, None, (figure,)))
    n, until = int(scored.n.max()), scored.attrs["until"]
    bias = _("Satisfaction rests on {n} people who chose to answer, the last on {day}: others may feel differently.")
    if period_start is not None and until.date() < period_start:
        bias = _("Satisfaction is older than the period: {n} people who chose to answer, the last on {day}.")
    found.append(Finding("hold", bias.format(n=style.value(n, "count"), day=style.date(until.date()))))
    return found


def _recommended(row: pd.Series, error: float) -> Finding:
    said = {"value": style.value(row.value, "points"), "interval": style.interval(row.low, row.high, "points")}
    figures = (Figure("nps", row.value, "points", row.low, row.high),)
    if math.isnan(row.previous):
        text = _("The recommendation (NPS) is {value} ({interval}); there is no earlier survey to compare with.")
        return Finding("hold", text.format(**said), None, figures)
    p = math.erfc(abs(row.change) / error / math.sqrt(2)) if error > 0 else None
    text = _("The recommendation (NPS) is {value} ({interval}), {change} against the survey before.")
    sure = p is not None and p < 0.05
    verdict: Verdict = "act" if sure and row.change < 0 else "hold" if row.change >= 0 or not sure else "watch"
    said["change"] = style.change(row.change, "points")
    return Finding(verdict, text.format(**said), None, figures, p=p)


@quietly
def plot_by_segment(told: pd.DataFrame) -> Axes:
    """Areas against segments: the darker, the more are content; n below each share, few answers in brackets."""
    wide = told.pivot(index="area", columns="segment", values="value")
    counts = told.pivot(index="area", columns="segment", values="n")
    ax = style.axes(height=1.3 + 0.55 * len(wide))
    ax.imshow(wide, cmap="Blues", vmin=0.4, vmax=1.0, aspect="auto")
    for y, area in enumerate(wide.index):
        for x, segment in enumerate(wide.columns):
            value, n = wide.loc[area, segment], counts.loc[area, segment]
            if math.isnan(value):
                continue
            text = _("{share}, n = {n}").format(share=style.value(value, "share"), n=style.value(n, "count"))
            ink = "white" if value > 0.8 else style.INK
            ax.text(x, y, f"({text})" if n < FEW else text, ha="center", va="center", fontsize=10, color=ink)
    ax.set_xticks(range(len(wide.columns)), [term("segment", s) for s in wide.columns])
    ax.set_yticks(range(len(wide)), [term("area", a) for a in wide.index])
    ax.grid(False)
    ax.set_title(_("Content customers by area and segment"))
    return ax


@quietly
def plot_drivers(driving: pd.DataFrame) -> Axes:
    """What a recommendation hangs on (how far right) against how content customers are (how high)."""
    ax = style.axes(height=3.6)
    off = np.vstack([driving.value - driving.low, driving.high - driving.value])
    ax.errorbar(driving.value, driving.content, xerr=np.maximum(off, 0), fmt="o", color=style.OWN, markersize=8,
                elinewidth=1.2, ecolor=style.COMPARISON)  # fmt: skip
    for row in driving.itertuples():
        above = 10 if row.Index % 2 == 0 else -18  # neighbours in rank may lie close
        ax.annotate(term("area", row.area), (row.value, row.content), xytext=(0, above), textcoords="offset points",
                    fontsize=10, color=style.INK, ha="center")  # fmt: skip
    style.share_axis(ax)
    style.share_axis(ax, which="x")
    ax.set_xlim(left=0)
    ax.margins(y=0.25)
    ax.set_xlabel(_("weight in the recommendation"))
    ax.set_ylabel(_("content customers"))
    ax.set_title(_("What to mend first stands at the lower right"))
    return ax


def _questions(frame: pd.DataFrame) -> list[str]:
    areas = sorted(c for c in frame.columns if str(c).startswith(PREFIX))
    return [*areas, *([NPS] if NPS in frame.columns else [])]


def _area(question: str) -> str:
    return question.removeprefix(PREFIX) if question != NPS else "overall"


def _shared(parts: np.ndarray) -> np.ndarray:
    return parts / parts.sum() if parts.sum() > 0 else np.full(len(parts), np.nan)


def _score(rows: pd.DataFrame, question: str) -> tuple[float, float, float, int]:
    """Value, interval and answers of a question; the interval is of as many answers as the weighted ones are worth."""
    told = rows.dropna(subset=question)
    w, x = told["weight"].to_numpy(float), told[question].to_numpy(float)
    if not len(told) or w.sum() <= 0:
        return math.nan, math.nan, math.nan, 0
    worth = w.sum() ** 2 / (w**2).sum()
    if question != NPS:
        share = float(np.average(x >= CONTENT, weights=w))
        low, high = intervals.wilson(share * worth, worth)
        return share, low, high, len(told)
    side = np.where(x >= PROMOTER, 1.0, np.where(x <= DETRACTOR, -1.0, 0.0))
    mean = float(np.average(side, weights=w))
    # One more promoter and one more detractor, so that an interval of few or of like answers is not nothing.
    spread = math.sqrt((np.average(side**2, weights=w) * worth + 2) / (worth + 2) - (mean * worth / (worth + 2)) ** 2)
    half = 1.96 * spread / math.sqrt(worth + 2)
    centre = mean * worth / (worth + 2)
    return 100 * mean, 100 * max(-1.0, min(mean, centre - half)), 100 * min(1.0, max(mean, centre + half)), len(told)
