"""Triggers of risks: rules on live figures that say that a risk is happening."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...language import _
from ...missing import Missing, answers

_RULE = re.compile(
    r"(?P<metric>[a-z_]+)\s*(?P<sign>[<>])\s*(?P<limit>-?\d+(?:\.\d+)?)(?P<usual>\s+of usual)?"
    r"(?:\s+(?:in|for)\s+(?P<days>\d+)\s*d)?"
)
DAYS, USUAL_DAYS = 30, 84  # where a rule says none; days before that are usual
Tables = Mapping[str, Any]
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Rule:
    """A trigger: the metric, above or below which limit, over how many days, and whether against what is usual."""

    metric: str
    above: bool
    limit: float
    days: int
    of_usual: bool


def parse(text: str) -> Rule | None:
    """A trigger as people write it; None where it cannot be read.

    Examples
    --------
    >>> parse("refund_rate > 0.12 in 14d")
    Rule(metric='refund_rate', above=True, limit=0.12, days=14, of_usual=False)
    """
    m = _RULE.fullmatch(str(text).strip())
    if not m:
        return None
    return Rule(m["metric"], m["sign"] == ">", float(m["limit"]), int(m["days"] or DAYS), bool(m["usual"]))


def _rows(tables: Tables, name: str, *columns: str) -> ibis.Table | None:
    table = tables.get(name)
    if table is None or isinstance(table, Missing) or not set(columns) <= set(table.columns):
        return None
    return as_table(table)


def _within(rows: ibis.Table, at: str, span: Span) -> ibis.Table:
    return rows.filter((rows[at] >= ibis.timestamp(span[0])) & (rows[at] < ibis.timestamp(span[1])))


def _part(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole and not pd.isna(whole) and not pd.isna(part) else math.nan


def _one(expression: Any) -> Any:
    value = expression.to_pandas()
    return value.item() if hasattr(value, "item") else value


def _negative_share(tables: Tables, span: Span) -> float | None:
    rows = _rows(tables, "mentions", "mentioned_at", "sentiment")
    if rows is None:
        return None
    brands = tables.get("brands")
    rows = rows.filter(rows["brand"].isin(list(brands))) if brands and "brand" in rows.columns else rows
    rows = _within(rows.filter(rows["sentiment"].notnull()), "mentioned_at", span)
    return _part(_one((rows["sentiment"] < 0).sum()), _one(rows.count()))


def _refund_rate(tables: Tables, span: Span) -> float | None:
    back, sold = _rows(tables, "returns", "returned_at", "amount"), _rows(tables, "orders", "amount")
    if back is None or sold is None:
        return None
    at = "paid_at" if "paid_at" in sold.columns else "ordered_at"
    return _part(
        _one(_within(back, "returned_at", span)["amount"].sum()), _one(_within(sold, at, span)["amount"].sum())
    )


def _unsubscribe_rate(tables: Tables, span: Span) -> float | None:
    rows = _rows(tables, "messages", "sent_at", "unsubscribed_at")
    if rows is None:
        return None
    rows = _within(rows, "sent_at", span)
    rows = rows.filter(~rows["holdout"].fill_null(False)) if "holdout" in rows.columns else rows
    return _part(_one(rows["unsubscribed_at"].notnull().sum()), _one(rows.count()))


def _price_index(tables: Tables, span: Span) -> float | None:
    """Own list of prices to that of competitors' matched items, in the last days."""
    rows, own = (
        _rows(tables, "competitors", "day", "price", "product_id"),
        _rows(tables, "prices", "product_id", "price"),
    )
    if rows is None or own is None:
        return None
    theirs = rows.filter(
        rows["product_id"].notnull() & (rows["day"] >= span[0].date()) & (rows["day"] < span[1].date())
    )
    their = theirs.group_by("product_id").aggregate(price=theirs["price"].cast("float64").median()).to_pandas()
    own = own.filter(own["product_id"].isin([*their["product_id"], ""]) & (own["changed_at"] < ibis.timestamp(span[1])))
    last = own.group_by("product_id", "platform").aggregate(
        price=own["price"].cast("float64").argmax(own["changed_at"])
    )
    mine = last.group_by("product_id").aggregate(own=last["price"].mean()).to_pandas()
    both = their.merge(mine, on="product_id")
    return float((both["own"] / both["price"]).median()) if len(both) else math.nan


def _checkout_rate(tables: Tables, span: Span) -> float | None:
    rows = _rows(tables, "events", "event_at", "event")
    if rows is None:
        return None
    rows = _within(rows, "event_at", span)
    return _part(_one((rows["event"] == "purchase").sum()), _one((rows["event"] == "begin_checkout").sum()))


def _events_per_hour(tables: Tables, span: Span) -> float | None:
    rows = _rows(tables, "events", "event_at")
    if rows is None:
        return None
    return _part(_one(_within(rows, "event_at", span).count()), (span[1] - span[0]).total_seconds() / 3600)


def _days_of_cover(tables: Tables, span: Span) -> float | None:
    """Of the product among the best-selling ten that runs out first: stock over daily sales of the last four weeks."""
    stock, lines = (
        _rows(tables, "inventory", "day", "product_id", "on_hand"),
        _rows(tables, "order_items", "product_id", "ordered_at"),
    )
    if stock is None or lines is None:
        return None
    stock = stock.filter(stock["day"] < span[1].date())
    last = stock.filter(stock["day"] == stock["day"].max())
    left = last.group_by("product_id").aggregate(left=last["on_hand"].sum()).to_pandas()
    sold = _within(lines, "ordered_at", (span[1] - dt.timedelta(days=28), span[1]))
    units = sold.group_by("product_id").aggregate(units=sold["quantity"].sum()).to_pandas().nlargest(10, "units")
    both = units.merge(left, on="product_id")
    return float((both["left"] / (both["units"] / 28)).min()) if len(both) else math.nan


def _late_days(tables: Tables, span: Span) -> float | None:
    """Of the supplier that is latest: mean days between the day that was promised and the arrival."""
    rows = tables.get("purchase_orders")
    if rows is None or isinstance(rows, Missing):
        return None
    rows = as_table(rows)
    due = next((c for c in ("due_on", "expected_on", "promised_on") if c in rows.columns), None)
    came = next((c for c in ("received_on", "arrived_on", "arrived_at", "received_at") if c in rows.columns), None)
    if due is None or came is None or "supplier_id" not in rows.columns:
        return None
    frame = rows.filter(rows[came].notnull()).select("supplier_id", due, came).to_pandas()
    arrived = pd.to_datetime(frame[came])
    frame = frame.assign(late=(arrived - pd.to_datetime(frame[due])).dt.days)[
        (arrived >= span[0]) & (arrived < span[1])
    ]
    return float(frame.groupby("supplier_id")["late"].mean().max()) if len(frame) else math.nan


METRICS: dict[str, tuple[str, Callable[[Tables, Span], float | None]]] = {
    "negative_share": ("share", _negative_share),
    "refund_rate": ("share", _refund_rate),
    "unsubscribe_rate": ("share", _unsubscribe_rate),
    "price_index": ("ratio", _price_index),
    "checkout_rate": ("share", _checkout_rate),
    "events_per_hour": ("ratio", _events_per_hour),
    "days_of_cover": ("days", _days_of_cover),
    "late_days": ("days", _late_days),
    "compliance_flags": ("count", lambda tables, span: tables.get("compliance_flags")),
    "reference_price_flags": ("count", lambda tables, span: tables.get("reference_price_flags")),
}
"""What triggers can be read from live data here: unit, and how."""


def measured(rule: Rule, tables: Tables, as_of: dt.datetime) -> float | None:
    """The figure that a rule is about: over its days, and against the weeks before where it says so; None: no data."""
    if rule.metric not in METRICS:
        return None
    _unit, of = METRICS[rule.metric]
    since = as_of - dt.timedelta(days=rule.days)
    value = of(tables, (since, as_of))
    if value is None or not rule.of_usual:
        return value
    usual = of(tables, (since - dt.timedelta(days=USUAL_DAYS), since))
    return None if usual is None else _part(value, usual)


@answers("Which risks are happening?")
def states(
    risks: pd.DataFrame,
    as_of: dt.datetime,
    tables: Tables,
    *,
    brands: Sequence[str] | None = None,
    flags: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which triggers have gone off, by the data of the last days?

    Parameters
    ----------
    risks : DataFrame
        Of `register`.
    as_of : datetime
    tables : mapping
        Canonical tables by name.
    brands : sequence of str, optional
        Whose mentions count; by default all.
    flags : DataFrame, optional
        Of `playbook.content.compliance.scan`, for triggers on what was found.

    Returns
    -------
    DataFrame
        risk_id, title, kind, trigger, metric, value, limit, unit, state ("on", "off", "not measured", "unreadable"),
        why.
    """
    rows, given = [], {**tables, "brands": brands, **_counted(flags)}
    for risk in risks.to_dict("records"):
        out = {k: risk[k] for k in ("risk_id", "title", "kind", "trigger")}
        rule = None if pd.isna(risk["trigger"]) else parse(risk["trigger"])
        nothing = {"metric": "", "value": math.nan, "limit": math.nan, "unit": "ratio"}
        if rule is None:
            rows.append(out | nothing | {"state": "unreadable", "why": _("write it like: refund_rate > 0.12 in 14d")})
            continue
        value = measured(rule, given, as_of)
        unit = "ratio" if rule.of_usual else METRICS.get(rule.metric, ("ratio", None))[0]
        known = value is not None and not math.isnan(value)
        on = known and ((value > rule.limit) if rule.above else (value < rule.limit))  # type: ignore[operator]
        why = "" if known else _("no data of it in this shop")
        if rule.metric not in METRICS:
            why = _("the book does not measure it here")
        rows.append(
            out
            | {"metric": rule.metric, "value": value if known else math.nan, "limit": rule.limit, "unit": unit}
            | {"state": "on" if on else "off" if known else "not measured", "why": why}
        )
    columns = ["risk_id", "title", "kind", "trigger", "metric", "value", "limit", "unit", "state", "why"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        "state", key=lambda s: s.map(_order), kind="stable", ignore_index=True
    )


@answers("Which risks are happening?")
def in_words(states: pd.DataFrame) -> pd.DataFrame:
    """The triggers as a table to read: risk_id, title, kind, trigger, now (the figure in its unit), state, why."""
    now = [style.value(v, u) for v, u in zip(states["value"], states["unit"], strict=True)]
    return states.assign(now=now)[["risk_id", "title", "kind", "trigger", "now", "state", "why"]]


def _counted(flags: pd.DataFrame | None) -> dict[str, float]:
    """In how many pieces something was found that is wrong as it stands."""
    if flags is None:
        return {}
    stands = flags[flags["allowed"] == ""]
    grave = stands[~stands["kind"].isin(["clause", "two_offers", "price_mismatch"])]
    priced = stands[stands["kind"] == "reference_price"]
    return {
        "compliance_flags": float(grave["content_id"].nunique()),
        "reference_price_flags": float(priced["content_id"].nunique()),
    }


def _order(state: str) -> int:
    return ["on", "unreadable", "not measured", "off"].index(state)
