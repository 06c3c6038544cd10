"""Measure metrics: for a period, broken down, beside the period before and the year ago; ratios are made from sums."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import ibis
import pandas as pd

from .. import period as periods
from .. import style
from ..language import _, humanise, listing
from ..missing import Missing, column_missing
from ..period import Period
from ..shop import Shop
from . import breakdowns
from .breakdowns import Group
from .costs import COST_METRICS
from .customers import CUSTOMER_METRICS, REPEAT_METRICS
from .facts import BREAKDOWNS, PRODUCT_TRAITS, TIME_PARTS, fact
from .registry import Metric, Sum
from .sales import SALES_METRICS
from .traffic import CONVERSION_METRICS, TRAFFIC_METRICS

METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        *SALES_METRICS, *CUSTOMER_METRICS, *REPEAT_METRICS, *TRAFFIC_METRICS, *CONVERSION_METRICS, *COST_METRICS
    )
}  # fmt: skip

COMPARED = {"previous": "change", "year_ago": "change_year_ago", "like_days": "change_like_days"}
"""What a measurement can be set beside, and what the change is called."""
_SOURCES = {"sessions": "events", "platform_days": "traffic", "source_days": "traffic", "ads": "ad_spend"}


def measure(
    shop: Shop,
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    compare: bool | Sequence[Literal["previous", "year_ago", "like_days"]] = False,
    period: str | Period | None = None,
) -> pd.DataFrame:
    """How much of each metric there was, by what, and against what.

    Parameters
    ----------
    shop : Shop
        The shop, at its period.
    metrics : sequence of str
        Names out of `METRICS`.
    by : sequence of str, optional
        Breakdowns: day, week, month, quarter, weekday (0 is Monday), hour; platform, store, channel, device, country,
        region, city, customer_type (new, returning, guest); product_id, product, category, brand, role; of visits
        source, medium; of advertising ad_platform, campaign_id, campaign.
    compare : bool or sequence of {"previous", "year_ago", "like_days"}, default False
        Also measure the period before and the year ago (True), or the periods named; `like_days` are as many days 52
        weeks earlier, so that weekdays line up. Days, weeks, months and quarters are set beside those of the same place
        in the other period.
    period : str or Period, optional
        Instead of the shop's.

    Returns
    -------
    DataFrame
        One row per group and metric: the columns of `by`; `metric`; `unit` (currency, count, share, ratio, per_order);
        `value`; `low`, `high` (95 % interval, NaN where the metric has none); `n` (observations); with `compare` also
        `previous`, `change`, `year_ago`, `change_year_ago`. A change is relative; that of a share is a difference.
        What is not defined or not covered by the data is NaN. ``attrs`` carries `by`, `currency`, `titles`,
        `definitions`, `good`, `notes` (sentences on what is partial) and `missing` (metric → its Missing).
        A Missing when no metric can be measured.

    Raises
    ------
    ValueError
        A metric or breakdown of that name does not exist.
    """
    metrics = [metrics] if isinstance(metrics, str) else metrics
    chosen = [_known(name, METRICS, _("metric")) for name in metrics]
    by = [by] if isinstance(by, str) else list(by)
    for name in by:
        _known(name, dict.fromkeys(BREAKDOWNS), _("breakdown"))
    within = shop.period if period is None else period
    within = periods.parse(within, week_start=shop.week_start) if isinstance(within, str) else within
    windows = {"value": within}
    against = ("previous", "year_ago") if compare is True else tuple(compare or ())
    windows |= {name: getattr(within, _known(name, dict.fromkeys(COMPARED, name), _("comparison"))) for name in against}

    facts, whole = _Facts(shop, by), _Facts(shop, [])
    there: list[Metric] = []
    lacking: dict[str, Missing] = {}
    notes: list[str] = []
    for m in chosen:
        gone = [s for s in m.sums if isinstance(facts.holding(s), Missing)]
        fatal = [s for s in gone if s.name not in m.partial]
        if fatal:
            lacking[m.name] = facts.holding(fatal[0]).asked(_question(m, by))  # type: ignore[union-attr]
            continue
        there.append(m)
        notes += [_left_out(m, s, by, whole) for s in gone if m.partial[s.name]]
    if not there:
        return next(iter(lacking.values()))

    sums = {s.name: s for m in there for s in m.sums if not isinstance(facts.holding(s), Missing)}
    reached = within.end > shop.first_day and within.start < shop.as_of.date()
    covered = {n: w for n, w in windows.items() if (reached if n == "value" else shop.covers(w))}
    totals = facts.totals(sums.values(), covered)
    found = dict.fromkeys(g for of_window in totals.values() for g in of_window)
    groups = breakdowns.groups(by, within, found, shop.week_start)
    known = {
        name: {
            g
            for g in groups
            if g in totals[name] or breakdowns.happened(g, by, w, within, shop.week_start, shop.last_day)
        }
        for name, w in covered.items()
    }
    rows = [_row(m, g, by, totals, known, sums, against) for g in groups for m in there]
    columns = [*by, "metric", "unit", "value", "low", "high", "n"]
    columns += [c for name in against for c in (name, COMPARED[name])]
    frame = _largest_first(pd.DataFrame(rows, columns=columns), by)
    for name in set(by) & set(breakdowns.DATED):
        frame[name] = pd.to_datetime(frame[name])
    frame.attrs = {
        "by": by,
        "currency": shop.currency,
        "period": within.label,
        "titles": {m.name: m.title for m in chosen},
        "definitions": {
            m.name: _("{definition} ({formula})").format(definition=_(m.definition), formula=_(m.formula))
            for m in there
        },
        "good": {m.name: m.good for m in there},
        "compared": {
            name: _("on {period}").format(period=style.period(window))
            for name, window in windows.items()
            if name != "value"
        },
        "notes": list(dict.fromkeys(notes)),
        "missing": lacking,
    }
    return frame


class _Facts:
    """The facts of a shop that sums are taken over, each looked up once."""

    def __init__(self, shop: Shop, by: Sequence[str]):
        self.shop, self.by = shop, by
        self._holding: dict[str, str | Missing] = {}

    def table(self, name: str) -> ibis.Table | Missing:
        return fact(self.shop, name)

    def holding(self, s: Sum) -> str | Missing:
        """The fact that a sum is taken over, or why there is none."""
        if s.name not in self._holding:
            self._holding[s.name] = self._search(s)
        return self._holding[s.name]

    def _search(self, s: Sum) -> str | Missing:
        reasons: list[tuple[bool, Missing]] = []
        for name in s.over:
            table = self.table(name)
            if isinstance(table, Missing):
                reasons.append((False, table))
                continue
            breakdowns = [b for b in self.by if b not in TIME_PARTS]
            gone = next((c for c in (*s.columns, *breakdowns) if c not in table.columns), None)
            if gone is None:
                return name
            # orders know nothing of products: ask for what the lines of orders lack instead
            reasons.append((gone in PRODUCT_TRAITS, _column_gone(gone, name)))
        return next((why for of_product, why in reasons if not of_product), reasons[-1][1])

    def totals(self, sums: Iterable[Sum], windows: Mapping[str, Period]) -> dict[str, dict[Group, Any]]:
        """Every sum of every group in every window, by the window's name; dates are set onto those of "value"."""
        by_fact: dict[str, list[Sum]] = {}
        for s in sums:
            by_fact.setdefault(str(self.holding(s)), []).append(s)
        out: dict[str, dict[Group, Any]] = {name: {} for name in windows}
        for name, of_fact in by_fact.items():
            for together in breakdowns.disjoint(windows.values()):
                self._add(name, of_fact, together, windows, out)
        return out

    def _add(
        self,
        name: str,
        sums: Sequence[Sum],
        together: Sequence[Period],
        windows: Mapping[str, Period],
        out: dict[str, dict[Group, Any]],
    ) -> None:
        """Take the sums of one fact over windows that do not overlap, in one go."""
        rows = self.table(name)
        assert not isinstance(rows, Missing)
        inside = [
            (rows["at"] >= ibis.timestamp(_midnight(w.start))) & (rows["at"] < ibis.timestamp(_midnight(w.end)))
            for w in together
        ]
        which = ibis.cases(*((condition, i) for i, condition in enumerate(inside)))
        rows = rows.mutate(window=which).filter(lambda t: t.window.notnull())
        rows = rows.mutate(
            **{b: breakdowns.time_part(rows["at"], b, self.shop.week_start) for b in self.by if b in TIME_PARTS}
        )
        if name == "paid" and "buyer" in rows.columns:
            group = [rows[c] for c in ("window", *self.by, "buyer")]
            rows = rows.mutate(nth_order=ibis.row_number().over(group_by=group, order_by=[rows["at"], rows.order_id]))
        result = rows.aggregate(**{s.name: s.over[name](rows) for s in sums}, by=["window", *self.by])
        for record in result.to_pandas().to_dict("records"):
            window = together[int(record["window"])]
            place = tuple(_plain(record[b]) for b in self.by)
            moved = breakdowns.moved(place, self.by, window, windows["value"], self.shop.week_start)
            if moved is None:
                continue
            for called, w in windows.items():
                if w == window:
                    out[called].setdefault(moved, {}).update({s.name: _number(record[s.name]) for s in sums})


def _row(
    m: Metric,
    group: Group,
    by: Sequence[str],
    totals: Mapping[str, Mapping[Group, Any]],
    known: Mapping[str, set[Group]],
    told: Collection[str],
    against: Sequence[str],
) -> dict:
    values: dict[str, float] = {"value": math.nan}
    low = high = n = math.nan
    for window, found in totals.items():
        if group not in known[window]:
            continue
        sums = {s.name: 0 for s in m.sums} | found.get(group, {})
        values[window] = _float(m.value(sums))
        if window == "value":
            whole = all(s.name in told for s in m.sums)  # an interval needs every sum, also those that a value does not
            if m.interval and whole and not math.isnan(values[window]):
                low, high = m.interval(sums)
            n = float(sums[m.n]) if m.n else math.nan
    row = dict(zip(by, group, strict=True)) | {"metric": m.name, "unit": m.unit, "value": values["value"]}
    row |= {"low": low, "high": high, "n": n}
    for window in against:
        before = values.get(window, math.nan)
        row |= {window: before, COMPARED[window]: _change(m, values["value"], before)}
    return row


def _largest_first(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Groups in order of the first metric, where they have no order in time."""
    if not by or any(b in TIME_PARTS for b in by):
        return frame
    size = frame.groupby(list(by), sort=False).value.transform("first")
    return (
        frame.assign(_size=size)
        .sort_values("_size", ascending=False, kind="stable", ignore_index=True)
        .drop(columns="_size")
    )


def _question(m: Metric, by: Sequence[str]) -> str:
    """What a measurement asks, in words."""
    if not by:
        return _(m.title)
    return _("{metric} by {parts}").format(metric=_(m.title), parts=listing(humanise(b, inside=True) for b in by))


def _left_out(m: Metric, s: Sum, by: Sequence[str], whole: _Facts) -> str:
    """The sentence on a sum that a metric does without: the shop does not have it, or it cannot be broken down so."""
    if isinstance(whole.holding(s), Missing):
        return _(m.partial[s.name])
    title = _(METRICS[s.name].title) if s.name in METRICS else humanise(s.name)
    return _("“{part}” cannot be told by {parts} in these data, so “{metric}” leaves it out.").format(
        part=title, parts=listing(humanise(b, inside=True) for b in by), metric=_(m.title)
    )


def _change(m: Metric, now: float, before: float) -> float:
    """The change of a value: relative, or for a share the difference; NaN where there is nothing to compare with."""
    if m.unit == "share":
        return now - before
    return now / before - 1 if before > 0 else math.nan


def _column_gone(column: str, fact_name: str) -> Missing:
    """The absence of a column that a fact takes from its table."""
    if fact_name in _SOURCES:
        return column_missing(_SOURCES[fact_name], column)
    if column in PRODUCT_TRAITS and column != "product_id":
        return column_missing("products", "name" if column == "product" else column)
    return column_missing("orders", column if column != "customer_type" else "customer_id")


def _known(name: str, known: Mapping[str, Any], what: str) -> Any:
    if name not in known:
        raise ValueError(
            _("there is no {what} {name!r}; there is: {known}").format(what=what, name=name, known=", ".join(known))
        )
    return known[name]


def _plain(value: Any) -> Any:
    """A group's value as plain Python: dates, text, whole numbers; nothing said is an empty text."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp | dt.datetime):
        return value.date()
    return value.item() if hasattr(value, "item") else value


def _number(value: Any) -> Any:
    """A sum: whole or decimal; the sum of nothing is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return 0
    return value if isinstance(value, Decimal | int) else value.item() if hasattr(value, "item") else value


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())
