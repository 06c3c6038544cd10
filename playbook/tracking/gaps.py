"""Gaps: how far the period is from its targets, and what in traffic, conversion, order value and mix made the gap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd

from .. import style
from ..data.engine import as_table
from ..data.quality import Gate
from ..findings import Figure, Finding, Verdict
from ..language import N_, _, humanise, listing, term
from ..methods.decomposition import lmdi
from ..missing import Missing, answers
from ..period import Period

MEASURED = ("net_sales", "paid_sales", "orders_paid", "returns", "daily_visitors")
"""What `gap` wants measured by platform, beside the year ago and the period before."""
ADD_UP = ("net_sales", "paid_sales", "orders_paid", "ad_spend")
"""Targets of months that add up to one of a quarter or a year."""


@answers("Were the targets met?")
def progress(targets: ibis.Table, measured: Sequence[pd.DataFrame], period: Period) -> pd.DataFrame:
    """How far is each figure from its target?

    Parameters
    ----------
    targets : Table
        Canonical table `targets`. The one recorded last counts; those of a quarter or a year may be given by month,
        where metrics add up over months.
    measured : sequence of DataFrame
        What `playbook.metrics.measure` returned, in total, by platform or by channel; a Missing is passed over.
    period : Period
        Whose targets.

    Returns
    -------
    DataFrame
        One row per target that was measured: platform, channel (empty: all), metric, unit, value, target, reached
        (value ÷ target). A Missing where there is no target for the period.
    """
    wanted = _targets(targets, period)
    if wanted.empty:
        return _no_target(period)
    rows: list[pd.DataFrame] = []
    attrs: dict[str, Any] = {}
    for frame in measured:
        if isinstance(frame, Missing) or frame.attrs["by"] not in ([], ["platform"], ["channel"]):
            continue
        cut = frame.assign(**{c: "" for c in ("platform", "channel") if c not in frame.columns})
        if frame.attrs["by"]:
            cut = cut[cut[frame.attrs["by"][0]] != ""]
        rows.append(cut[["platform", "channel", "metric", "unit", "value"]])
        attrs = frame.attrs | {"titles": attrs.get("titles", {}) | frame.attrs["titles"]}
    if not rows:
        return _no_target(period)
    every = pd.concat(rows).drop_duplicates(["platform", "channel", "metric"])
    told = every.merge(wanted, on=["platform", "channel", "metric"])
    if told.empty:
        return _no_target(period)
    told["reached"] = np.where(told.target > 0, told.value / told.target.where(told.target > 0), np.nan)
    told.attrs = {"by": ["platform", "channel"], "currency": attrs["currency"], "titles": attrs["titles"]}
    told.attrs["units"] = {"reached": "share"}
    return told.sort_values(["metric", "channel", "platform"], ignore_index=True)


@answers("Why were net sales not what was aimed at?")
def gap(targets: ibis.Table, measured: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Why do net sales differ from their target: traffic, its mix, conversion, order value, or returns?

    A target names net sales, at most orders too, not what they are made of. The plan is taken to be the year ago (else
    the period before) grown to the target: the same shares of traffic, conversion and returns; orders worth what the
    targets of net sales and orders make them; and as many visitors as that takes. Net sales = visitors of the days ×
    share of the platform × orders per visitor × value of an order − returns, added up over platforms and split by LMDI:
    the effects sum to the gap exactly. Platforms without visitors count by their orders.

    Parameters
    ----------
    targets : Table
        Canonical table `targets`.
    measured : DataFrame
        ``measure(shop, gaps.MEASURED, by=["platform"], compare=True)``, or without `by`.
    period : Period
        The one measured.

    Returns
    -------
    DataFrame
        One row per driver: metric (traffic, mix, conversion, orders, aov, returns), unit, value, target (as the plan
        has it), effect (currency). ``attrs``: `before` (target) and `after` (net sales), `against` ("target"),
        `reference`, `growth` (target ÷ reference), `notes` (REVIEW: no visitors). A Missing without a target for the
        period, or without an earlier period.

    References
    ----------
    `playbook.methods.decomposition.lmdi`.
    """
    wanted = _targets(targets, period)
    aims = wanted[(wanted.channel == "") & (wanted.platform == "")].set_index("metric").target
    if "net_sales" not in aims:
        of_platforms = wanted[(wanted.metric == "net_sales") & (wanted.platform != "")].target
        if of_platforms.empty:
            return _no_target(period)
        aims["net_sales"] = of_platforms.sum()
    now, then, against = _parts(measured)
    if then is None or then["net_sales"].sum() <= 0:
        return Missing(_("an earlier period in the data"), remedy=_("Add exports that reach further back."))
    days = {"year_ago": period.year_ago.days, "previous": period.previous.days}[against]
    now["visitors"], then["visitors"] = now["daily_visitors"] * period.days, then["daily_visitors"] * days
    growth = aims["net_sales"] / then["net_sales"].sum()
    dearer = 1.0
    if aims.get("orders_paid", 0) > 0 and then["orders_paid"].sum() > 0:
        dearer = growth * then["orders_paid"].sum() / aims["orders_paid"]
    planned = then * growth
    planned[["orders_paid", "visitors"]] /= dearer
    seen = (now["visitors"] > 0) & (planned["visitors"] > 0)
    effects = _effects(now, planned, seen)
    rows = _rows(now, planned, seen, effects)
    frame = pd.DataFrame(rows, columns=["metric", "unit", "value", "target", "effect"])
    frame.attrs = {
        "by": [],
        "currency": measured.attrs.get("currency", ""),
        "titles": _TITLES,
        "units": {"effect": "currency"},
        "in_unit": {"target": N_("As the plan has it")},
        "before": float(aims["net_sales"]),
        "after": float(now["net_sales"].sum()),
        "against": "target",
        "reference": against,
        "growth": float(growth),
        "notes": [] if seen.any() else [_("REVIEW: no traffic data: orders stand for visitors and conversion.")],
    }
    return frame


@answers("Where does the gap come from?")
def slices(gapped: pd.DataFrame, parts: Sequence[pd.DataFrame], *, top: int = 8) -> pd.DataFrame:
    """Which platforms, categories, channels, regions are furthest from the plan, in the direction of the gap?

    Each slice's plan is its net sales of the reference period, grown as the target asks of the whole; the slices of one
    breakdown, with what it does not tell, sum to the gap.

    Parameters
    ----------
    gapped : DataFrame
        What `gap` returned.
    parts : sequence of DataFrame
        ``measure(shop, ["net_sales", …], by=[one breakdown], compare=True)``; a Missing is passed over.
    top : int, default 8
        Slices to return.

    Returns
    -------
    DataFrame
        One row per slice, the furthest first: breakdown, slice, metric (``net_sales``), unit, value, target (of the
        plan), effect (value − target).
    """
    against, growth = gapped.attrs["reference"], gapped.attrs["growth"]
    way = 1 if gapped.attrs["after"] >= gapped.attrs["before"] else -1
    rows = []
    for frame in parts:
        if isinstance(frame, Missing):
            continue
        (by,) = frame.attrs["by"]
        told = frame[(frame.metric == "net_sales") & (frame[by].astype(str) != "")]
        if len(told) < 2:
            continue
        plan = told[against].fillna(0.0) * growth
        rows += [
            (by, str(s), "net_sales", "currency", v, p, v - p)
            for s, v, p in zip(told[by], told.value, plan, strict=True)
        ]
    frame = pd.DataFrame(rows, columns=["breakdown", "slice", "metric", "unit", "value", "target", "effect"])
    frame = frame[way * frame.effect > 0]
    frame = frame.reindex((way * frame.effect).sort_values(ascending=False, kind="stable").index).head(top)
    frame = frame.reset_index(drop=True)
    frame.attrs = {
        "by": ["breakdown", "slice"],
        "currency": gapped.attrs["currency"],
        "titles": {"net_sales": N_("Net sales")},
        "units": {"effect": "currency"},
        "in_unit": {"target": N_("As the plan has it")},
        "notes": [] if len(frame) else [_("No breakdown of net sales can be told in these data.")],
    }
    return frame


@answers("What does the gap ask for?")
def findings(
    gapped: pd.DataFrame,
    sliced: pd.DataFrame | None = None,
    gate: Gate | None = None,
    *,
    act_below: float = -0.10,
    watch_below: float = -0.03,
) -> list[Finding]:
    """How far are net sales from their target, what made the gap, where is it, and can the data be trusted?

    Parameters
    ----------
    gapped : DataFrame
        What `gap` returned.
    sliced : DataFrame, optional
        What `slices` returned.
    gate : Gate, optional
        ``shop.gate``: its reasons are said beside the gap.
    act_below, watch_below : float
        Distance from the target, as a share of it, below which the verdict is "act" or "watch".

    Returns
    -------
    list of Finding
        Stake: the gap in currency.
    """
    currency, aim, came = (gapped.attrs[k] for k in ("currency", "before", "after"))
    off = came - aim
    part = off / aim if aim > 0 else math.nan
    verdict: Verdict = "act" if part < act_below else "watch" if part < watch_below else "hold"
    way = 1 if off >= 0 else -1
    top = gapped.loc[(way * gapped.effect).idxmax()]
    text = _("Net sales are {off} ({share}) from their target of {target}; most of that is “{driver}” ({effect}).")
    said = text.format(
        off=style.change_of_money(off, currency=currency),
        share=style.change(part, "currency"),
        target=style.value(aim, "currency", currency=currency),
        driver=_(_TITLES[top.metric]),
        effect=style.change_of_money(top.effect, currency=currency),
    )
    figures = [Figure("target_gap", off, "currency")]
    figures += [
        Figure("target_gap_effect", e, "currency", by={"driver": m})
        for m, e in zip(gapped.metric, gapped.effect, strict=True)
    ]
    found = [Finding(verdict, said, abs(off), tuple(figures))]
    if sliced is not None and not isinstance(sliced, Missing) and len(sliced):
        first = sliced.drop_duplicates("breakdown").head(3)
        places = [
            _("{part} {name} ({effect})").format(
                part=humanise(r.breakdown, inside=True),
                name=term(r.breakdown, r.slice),
                effect=style.change_of_money(r.effect, currency=currency),
            )
            for r in first.itertuples()
        ]
        text = _("The gap to the target lies most in: {places}.")
        found.append(
            Finding(
                "watch" if verdict != "hold" else "hold",
                text.format(places=listing(places)),
                abs(first.effect.iloc[0]),
            )
        )
    doubts = [*gapped.attrs["notes"], *(gate.reasons if gate is not None else [])]
    if doubts:
        text = _("Before looking for causes of the gap, look at the data: {reasons}")
        found.append(Finding("watch", text.format(reasons=" ".join(doubts))))
    return found


_TITLES = {
    "traffic": N_("Visitors"),
    "mix": N_("Mix of platforms"),
    "conversion": N_("Orders per visitor"),
    "orders": N_("Orders"),
    "aov": N_("Average order value"),
    "returns": N_("Returns"),
}


def _no_target(period: Period) -> Missing:
    return Missing(
        _("a target for {period}").format(period=style.period(period)),
        remedy=_(
            "Add rows with metric, period, target and recorded_at to the file of targets in the shop's raw folder."
        ),
    )


def _targets(targets: ibis.Table, period: Period) -> pd.DataFrame:
    """The target recorded last of each metric, platform and channel; of longer periods the sum of their months."""
    rows = as_table(targets)
    rows = rows.mutate(**{c: ibis.literal("") for c in ("platform", "channel") if c not in rows.columns})
    told = rows.select("metric", "period", "platform", "channel", "target", "recorded_at").to_pandas()
    told[["platform", "channel"]] = told[["platform", "channel"]].fillna("")
    key = ["metric", "platform", "channel"]
    told = told.sort_values("recorded_at", kind="stable").drop_duplicates([*key, "period"], keep="last")
    told["target"] = told["target"].astype(float)
    direct = told[told["period"] == period.label][[*key, "target"]]
    months = [str(m) for m in pd.period_range(period.start, period.last_day, freq="M")]
    if period.kind not in ("quarter", "year"):
        return direct.reset_index(drop=True)
    adds = told[told["period"].isin(months) & told["metric"].isin(ADD_UP)]
    summed = adds.groupby(key)["target"].agg(["sum", "size"])
    summed = summed.loc[summed["size"] == len(months), "sum"]
    both = pd.concat([direct, summed.rename("target").reset_index()])
    return both.drop_duplicates(key, ignore_index=True)


def _parts(measured: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None, str]:
    """Sums by platform of the period and of the reference, and which one that is."""
    by = measured.attrs.get("by") or []
    place = measured[by[0]] if by else pd.Series("", measured.index)

    def wide(column: str) -> pd.DataFrame:
        table = measured.assign(_place=place).pivot(index="_place", columns="metric", values=column)
        return table.reindex(columns=list(MEASURED)).astype(float)

    now = wide("value")
    known = [c for c in ("year_ago", "previous") if measured[measured.metric == "net_sales"][c].notna().any()]
    sums = ["net_sales", "paid_sales", "orders_paid", "returns"]
    now[sums] = now[sums].fillna(0.0)
    if not known:
        return now, None, ""
    then = wide(known[0])
    then[sums] = then[sums].fillna(0.0)
    return now, then, known[0]


def _effects(now: pd.DataFrame, planned: pd.DataFrame, seen: pd.Series) -> dict[str, float]:
    """What each driver adds to net sales against the plan, added up over platforms."""
    sums = dict.fromkeys(("traffic", "mix", "conversion", "orders", "aov", "returns"), 0.0)
    whole = {name: frame.loc[seen, "visitors"].sum() for name, frame in (("now", now), ("plan", planned))}

    def factors(row: pd.Series, all_visitors: float, told: bool) -> Mapping[str, float]:
        worth = {"aov": row.paid_sales / row.orders_paid if row.orders_paid else 0.0}
        if not told:
            return {"orders": row.orders_paid} | worth
        return {
            "traffic": all_visitors,
            "mix": row.visitors / all_visitors,
            "conversion": row.orders_paid / row.visitors,
        } | worth

    for place, told in seen.items():
        old = factors(planned.loc[place], whole["plan"], told)
        new = factors(now.loc[place], whole["now"], told)
        for name, effect in lmdi(old, new).items():
            sums[name] += effect
        sums["returns"] -= now.loc[place, "returns"] - planned.loc[place, "returns"]
    return sums


def _rows(now: pd.DataFrame, planned: pd.DataFrame, seen: pd.Series, effects: Mapping[str, float]) -> list[tuple]:
    """The drivers that there are, with what they came to and what the plan has."""

    def over(frame: pd.DataFrame, a: str, b: str, of: pd.Series | None = None) -> float:
        frame = frame if of is None else frame[of]
        return frame[a].sum() / frame[b].sum() if frame[b].sum() else math.nan

    both = (now, planned)
    rows = []
    if seen.any():
        rows.append(("traffic", "count", *(f.loc[seen, "visitors"].sum() for f in both), effects["traffic"]))
        if seen.sum() > 1:
            rows.append(("mix", "share", math.nan, math.nan, effects["mix"]))
        rows.append(
            ("conversion", "share", *(over(f, "orders_paid", "visitors", seen) for f in both), effects["conversion"])
        )
    if not seen.all():
        rows.append(("orders", "count", *(f.loc[~seen, "orders_paid"].sum() for f in both), effects["orders"]))
    rows.append(("aov", "currency", *(over(f, "paid_sales", "orders_paid") for f in both), effects["aov"]))
    if now["returns"].any() or planned["returns"].any():
        rows.append(("returns", "currency", now["returns"].sum(), planned["returns"].sum(), effects["returns"]))
    return rows
