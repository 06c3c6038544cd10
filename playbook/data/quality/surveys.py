"""Surveys: how many answer, how completely, what they say, and whether those who answer are like those who buy.

Who was asked is not written down, so a rate is of the persons who paid an order shortly before a survey began. A survey
whose answers name no customer (a panel) has no rate.

References
----------
Groves, R. M. and Peytcheva, E., The Impact of Nonresponse Rates on Nonresponse Bias, Public Opinion Quarterly 72
(2008): a low rate alone is no bias; that the answering differ from the asked is.
"""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import Missing, answers, quietly
from .. import identity
from ..engine import as_table

RECENT = 90
"""Days before a survey's first answer in which somebody bought who counts as asked."""

SKEWED = 0.10
"""Difference of a share between those who answer and those who buy, above which answers need weights."""


@answers("How many answer the surveys, and how completely?")
def survey_rates(surveys: ibis.Table, orders: ibis.Table | None, persons: ibis.Table | None) -> pd.DataFrame:
    """How many answer the surveys, and how completely?

    Parameters
    ----------
    surveys, orders : table or frame
    persons : Table
        The mart.

    Returns
    -------
    DataFrame
        One row per survey, in order of time: survey, responses, questions, completeness (answers ÷ responses ×
        questions), asked (persons who paid an order in the 90 days before), answered (of them), response_rate, low,
        high (95 %, Wilson). The last five are NaN where the answers name no customer.
    """
    table = as_table(surveys)
    said = ibis.or_(*(table[c].notnull() for c in ("answer", "score") if c in table.columns), ibis.literal(False))
    found = table.group_by("survey").aggregate(
        first=table.answered_at.min(), responses=table.response_id.nunique(),
        questions=table.question.nunique(), _told=said.sum().fill_null(0),
    )  # fmt: skip
    frame = found.order_by("first", "survey").to_pandas()
    frame["completeness"] = frame.pop("_told") / (frame.responses * frame.questions)
    asked = _asked(table, orders, persons)
    counted = pd.DataFrame(columns=["survey", "asked", "answered"])
    if asked is not None:
        counted = asked.group_by("survey").aggregate(asked=asked.count(), answered=asked.answered.sum()).to_pandas()
    frame = frame.drop(columns="first").merge(counted, on="survey", how="left")
    frame[["asked", "answered"]] = frame[["asked", "answered"]].astype(float)
    rates = [_wilson(k, n) for k, n in zip(frame.answered, frame.asked, strict=True)]
    frame[["response_rate", "low", "high"]] = pd.DataFrame(rates, index=frame.index, dtype=float).reindex(
        columns=range(3)
    )
    if frame.asked.notna().any():
        text = _(
            "Who was asked is not written down: a rate is of the persons who paid an order in the {days} days before."
        )
        frame.attrs["notes"] = [text.format(days=RECENT)]
    return frame


def _wilson(k: float, n: float) -> tuple[float, float, float]:
    if not n > 0:
        return (np.nan,) * 3
    low, high = stats.binomtest(int(k), int(n)).proportion_ci(method="wilson")
    return k / n, low, high


def _asked(surveys: ibis.Table, orders: ibis.Table | None, persons: ibis.Table | None) -> ibis.Table | None:
    """Who bought shortly before each survey: survey, opened, person_id, orders (ever before), platform, answered."""
    if orders is None or persons is None or "customer_id" not in surveys.columns:
        return None
    bought = as_table(orders)
    if not {"customer_id", "paid_at"} <= set(bought.columns):
        return None
    named = "platform" in bought.columns
    bought = identity.with_person(bought.filter(bought.paid_at.notnull()), persons, named=named)
    bought = bought.filter(bought.person_id.notnull())
    bought = bought.select("person_id", "paid_at", platform=bought.platform if named else ibis.literal(""))
    who = surveys.filter(surveys.customer_id.notnull())
    opened = who.group_by("survey").aggregate(opened=who.answered_at.min())
    pairs = opened.join(bought, bought.paid_at < opened.opened)
    recent = pairs.paid_at >= pairs.opened - ibis.interval(days=RECENT)
    asked = pairs.group_by("survey", "opened", "person_id").aggregate(
        orders=pairs.count(), platform=pairs.platform.argmax(pairs.paid_at), recent=recent.any()
    )
    told = (
        identity.with_person(who, persons, named=named).select("survey", "person_id").distinct().mutate(answered=True)
    )
    joined = asked.filter(asked.recent).left_join(told, ["survey", "person_id"])
    return joined.select(
        "survey", "opened", "person_id", "orders", "platform", answered=joined.answered.fill_null(False)
    )


@answers("What do the surveys say, and on how many answers does it rest?", needs={"surveys": ["score"]})
def survey_scores(surveys: ibis.Table, *, weighted: bool = False) -> pd.DataFrame:
    """What does the last survey that asked a question say, by segment, and on how many answers does it rest?

    Parameters
    ----------
    weighted : bool
        Weigh each response (`weight`), so that segments that answer less count as much as they are.

    Returns
    -------
    DataFrame
        question, survey, segment, n (answers), score (mean), low, high (95 %, t; with weights at their effective
        number, NaN below two answers).
    """
    table = as_table(surveys)
    weigh = weighted and "weight" in table.columns
    table = table.filter(table.score.notnull())
    last = table.group_by("question").aggregate(survey=table.survey.argmax(table.answered_at))
    segment = table.segment.fill_null("") if "segment" in table.columns else ibis.literal("")
    weight = table.weight.fill_null(1).cast("float64") if weigh else ibis.literal(1.0)
    rows = table.mutate(segment=segment, _w=weight, _x=table.score.cast("float64")).semi_join(
        last, ["question", "survey"]
    )
    found = rows.group_by("question", "survey", "segment").aggregate(
        n=rows.count(), _w=rows["_w"].sum(), _ww=(rows["_w"] * rows["_w"]).sum(),
        _wx=(rows["_w"] * rows["_x"]).sum(), _wxx=(rows["_w"] * rows["_x"] * rows["_x"]).sum(),
    )  # fmt: skip
    frame = found.order_by("question", "segment").to_pandas()
    score = frame._wx / frame._w
    many = frame._w**2 / frame._ww
    spread = (frame._wxx / frame._w - score**2).clip(lower=0) * many / (many - 1).where(many > 1)
    half = stats.t.ppf(0.975, (many - 1).where(many > 1)) * np.sqrt(spread / many)
    # sums of doubles differ in their last digits from run to run
    return frame[["question", "survey", "segment", "n"]].assign(
        score=score.round(9), low=(score - half).round(9), high=(score + half).round(9)
    )


@answers("Are those who answer like those who buy?")
def survey_bias(surveys: ibis.Table, orders: ibis.Table | None, persons: ibis.Table | None) -> pd.DataFrame | Missing:
    """Are those who answer like those who buy?

    Returns
    -------
    DataFrame
        Of the last survey whose answers name customers: trait (orders, platform), group, buyers (persons who count as
        asked), answered, buyers_share, answered_share, difference (of the two shares). A Missing where no survey
        names customers who bought before it.
    """
    asked = _asked(as_table(surveys), orders, persons)
    columns = ["trait", "group", "buyers", "answered", "buyers_share", "answered_share", "difference"]
    frame = pd.DataFrame(columns=columns)
    if asked is not None:
        last = asked.filter(asked.opened == asked.opened.max())
        often = ibis.cases((last.orders == 1, "1"), (last.orders == 2, "2"), else_="3+")
        last = last.mutate(_often=often)
        sums = {"buyers": last.count(), "answered": last.answered.sum()}
        counted = last.group_by("_often", "platform").aggregate(**sums).to_pandas()
        parts = []
        for trait, column in {"orders": "_often", "platform": "platform"}.items():
            part = counted.groupby(column)[["buyers", "answered"]].sum().rename_axis("group").reset_index()
            parts.append(part.assign(trait=trait)) if part.group.astype(bool).all() else None
        frame = pd.concat(parts) if parts else frame
        for side in ("buyers", "answered"):
            whole = frame.groupby("trait")[side].transform("sum")
            frame[f"{side}_share"] = frame[side] / whole.where(whole > 0)
        frame["difference"] = frame.answered_share - frame.buyers_share
        frame = frame[columns].reset_index(drop=True)
    if frame.empty:
        remedy = _("Export the surveys with the number of the customer who answers (`customer_id`).")
        return Missing(_("a survey that names the customers who answer"), remedy=remedy)
    return frame


def _label(trait: str, group: str) -> str:
    text = _("orders so far: {group}") if trait == "orders" else _("bought last on {group}")
    return text.format(group=term(trait, group))


@quietly
def plot_survey_bias(survey_bias: pd.DataFrame) -> Axes:
    """Shares of those who buy (grey) and of those who answer (blue), by how often and where they buy."""
    ax = style.axes(height=1.4 + 0.46 * max(1, len(survey_bias)))
    labels = [_label(r.trait, str(r.group)) for r in survey_bias.itertuples()]
    places = np.arange(len(survey_bias))
    words = {"buyers_share": _("{share} of those who buy"), "answered_share": _("{share} of those who answer")}
    for (column, text), up, colour in zip(words.items(), (-0.19, 0.19), ("#B8B8B8", style.OWN), strict=True):
        ax.barh(places + up, survey_bias[column], height=0.36, color=colour)
        for place, share in zip(places, survey_bias[column], strict=True):
            said = style.value(share, "share")
            style.direct_label(ax, share, place + up, said if place else text.format(share=said))
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.grid(False)
    style.share_axis(ax, which="x")
    ax.set_title(_("Who answers, and who buys"))
    return ax


def survey_findings(bias: pd.DataFrame | Missing) -> list[Finding] | Missing:
    """Do the answers stand for the buyers?

    Returns
    -------
    list of Finding
        The group that answers most out of proportion (watch), or that none does (hold); none without answers.
    """
    if isinstance(bias, Missing):
        return bias.quiet()
    told = bias.dropna(subset=["difference"])
    if told.empty:
        return []
    worst = told.loc[told.difference.abs().idxmax()]
    figures = (Figure("survey_bias", float(worst.difference), "share", by={str(worst.trait): str(worst.group)}),)
    n = style.value(int(told[told.trait == worst.trait].answered.sum()), "count")
    if abs(worst.difference) <= SKEWED:
        text = _("Those who answer the survey ({n} persons) are like those who buy, by orders and by platform.")
        return [Finding("hold", text.format(n=n), None, figures)]
    text = _(
        "Those who answer are not like those who buy: the group “{group}” is {answered} of the {n} persons who answer "
        "and {buyers} of those who buy. Weigh the answers before they are told as everybody's."
    )
    said = {"answered": style.value(worst.answered_share, "share"), "buyers": style.value(worst.buyers_share, "share")}
    return [Finding("watch", text.format(group=_label(worst.trait, str(worst.group)), n=n, **said), None, figures)]
