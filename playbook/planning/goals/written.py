"""The targets that are written down: how likely each is, whether they add up, and what follows."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pandas as pd

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import _, term
from ...missing import answers
from .targets import Ahead

UNLIKELY, SURE = 0.1, 0.9
"""Chances below which a target is out of reach, and above which it asks for nothing."""


@answers("How likely are the targets that are written down?")
def stated(
    targets: ibis.Table, of: Mapping[str, Ahead], *, by_platform: Mapping[str, Ahead] | None = None
) -> pd.DataFrame:
    """How likely are the targets that are written down for the coming months?

    Parameters
    ----------
    targets : Table
        Canonical `targets`; of those changed, the last one counts.
    of : mapping of metric → Ahead
    by_platform : mapping of platform → Ahead, optional
        Of net sales.

    Returns
    -------
    DataFrame
        metric, platform ("" for all), month, target, value, low, high (expected, P10, P90), chance, gap (target less
        expected), unit, owner.
    """
    t = targets.to_pandas() if isinstance(targets, ibis.Table) else targets.copy()
    t = t.reindex(columns=["metric", "period", "target", "recorded_at", "platform", "channel", "owner"])
    t[["platform", "channel", "owner"]] = t[["platform", "channel", "owner"]].fillna("")
    t = t[t.channel == ""].sort_values("recorded_at").drop_duplicates(["metric", "period", "platform"], keep="last")
    rows = []
    for p in t.to_dict("records"):
        one = of.get(p["metric"]) if not p["platform"] else (by_platform or {}).get(p["platform"])
        if one is None or one.metric != p["metric"] or p["period"] not in [str(m) for m in one.model.periods]:
            continue
        said = one.model.predict(level=0.8)
        said = said[said.period.astype(str) == p["period"]].iloc[0]
        target = float(p["target"])
        rows.append(
            (one.metric, p["platform"], p["period"], target, said.value, said.low, said.high,
             one.chance(target, said.period), target - said.value, one.unit, p["owner"])
        )  # fmt: skip
    columns = ["metric", "platform", "month", "target", "value", "low", "high", "chance", "gap", "unit", "owner"]
    frame = pd.DataFrame(rows, columns=columns).sort_values(["metric", "platform", "month"], ignore_index=True)
    frame.attrs = {"currency": next(iter(of.values())).currency}
    return frame


@answers("How likely are the targets that are written down?")
def readable(told: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """The targets that are written down as people read them: each number in its metric's unit."""
    money = told.attrs["currency"]
    rows = [
        {
            "metric": _(titles[p["metric"]]),
            "platform": term("platform", p["platform"]) if p["platform"] else _("all"),
            "month": p["month"],
            "target": style.value(p["target"], p["unit"], currency=money),
            "expected": style.value(round(p["value"]), p["unit"], currency=money),
            "four_in_five": style.interval(round(p["low"]), round(p["high"]), p["unit"], currency=money),
            "chance": p["chance"],
            "owner": p["owner"],
        }
        for p in told.to_dict("records")
    ]
    return pd.DataFrame(
        rows, columns=["metric", "platform", "month", "target", "expected", "four_in_five", "chance", "owner"]
    )


@answers("What follows for the targets?")
def findings(told: pd.DataFrame | None, aimed: pd.DataFrame | None, *, titles: Mapping[str, str]) -> list[Finding]:
    """Which targets are out of reach or ask for nothing, do those of platforms add up, and what to aim at?

    Parameters
    ----------
    told : DataFrame, optional
        Of `stated`.
    aimed : DataFrame, optional
        Of `levels`.
    titles : mapping of str to str
        Metric → its name.
    """
    found: list[Finding] = []
    if aimed is not None:
        at = aimed.set_index("level").loc["suggested"]
        text = _(
            "A target of {target} for “{metric}” in the coming months has a chance of {chance} if nothing is done "
            "differently."
        )
        text = text.format(
            target=style.value(at.target, aimed.attrs["unit"], currency=aimed.attrs["currency"]),
            metric=_(titles[aimed.attrs["metric"]]),
            chance=style.chance(at.chance),
        )
        figure = Figure("target.suggested", at.target, aimed.attrs["unit"], by={"metric": aimed.attrs["metric"]})
        found.append(Finding("hold", text, None, (figure,)))
    if told is None or told.empty:
        return found
    currency = told.attrs["currency"]
    for p in told[(told.platform == "") & ((told.chance < UNLIKELY) | (told.chance > SURE))].to_dict("records"):
        verdict: Verdict = "act" if p["chance"] < UNLIKELY else "watch"
        text = _("The target of {target} for “{metric}” in {month} would be reached without doing anything ({chance}).")
        if verdict == "act":
            text = _("The target of {target} for “{metric}” in {month} is hardly reached: its chance is {chance}.")
        text = text.format(
            target=style.value(p["target"], p["unit"], currency=currency),
            metric=_(titles[p["metric"]]),
            month=p["month"],
            chance=style.chance(p["chance"]),
        )
        stake = abs(p["gap"]) if p["unit"] == "currency" else None
        by = {"metric": p["metric"], "month": p["month"]}
        found.append(Finding(verdict, text, stake, (Figure("target.chance", p["chance"], "share", by=by),)))
    for month, rows in told[told.metric == "net_sales"].groupby("month"):
        whole, parts = rows[rows.platform == ""].target.sum(), rows[rows.platform != ""].target
        if whole > 0 and len(parts) and abs(parts.sum() - whole) > 0.005 * whole:
            text = _("The targets of the platforms for {month} add up to {parts}, that of the shop is {whole}.")
            text = text.format(
                month=month,
                parts=style.value(parts.sum(), "currency", currency=currency),
                whole=style.value(whole, "currency", currency=currency),
            )
            found.append(Finding("watch", text, float(abs(parts.sum() - whole))))
    return found
