"""The funnel from events: how many get how far, in what time, cut by what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from ...data.engine import as_table, hashed
from ...language import _, listing, term
from ...methods import intervals
from ...missing import answers
from ...period import Period

STEPS = ("page_view", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase")
"""From the first page to the purchase, by GA4's names."""

SHOPPING = STEPS[1:]
"""From the product on: pages lie between all the other steps, so that the strict order leaves them out."""

WINDOW = 7
"""Days from the first step within which the others count."""

TIMES = ["step", "n", "minutes", "minutes_low", "minutes_high"]

Order = Literal["ordered", "strict"]

TIME_CUTS = {"month": "M", "week": "W", "day": "D"}


@answers("Where do buyers get lost?", needs={"events": ["event", "event_at", "visitor_id"]})
def steps(
    events: ibis.Table | pd.DataFrame,
    *,
    within: Period | None = None,
    names: Sequence[str] = STEPS,
    by: str | None = None,
    window_days: float = WINDOW,
    order: Order = "ordered",
    unit: str = "visitor_id",
    level: float = 0.95,
) -> pd.DataFrame:
    """How many visitors reach each step, and how fast?

    Parameters
    ----------
    events : Table or DataFrame
        event, event_at, visitor_id; other columns for `by` and `unit`.
    within : Period, optional
        Only events of these days are seen: who begins on the last day has less time, in every period alike.
    names : sequence of str
        The steps in their order, by the names of their events. A step that never occurs is left out, and said so.
    by : str, optional
        A column, as it stands at the visitor's first event of the first step; or month, week, day: each of them is a
        funnel of its own.
    window_days : float, default 7
        All steps must lie within so many days from the first. Whoever starts several times counts with her best try.
    order : {"ordered", "strict"}
        Ordered: each step at or after the one before, whatever lies between. Strict: no other step of the funnel
        between two of them.
    unit : str, default "visitor_id"
        What is counted.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per step (and part): [by], step, n (visitors that reached it), step_rate (of those that reached the step
        before, fraction), step_rate_low, step_rate_high, rate (of those that began, fraction), rate_low, rate_high
        (Wilson), lost (visitors since the step before), minutes (median, from the step before), minutes_low,
        minutes_high (quartiles). ``attrs``: order, window_days, unit, notes.

    Raises
    ------
    ValueError
        Fewer than two steps are named, or `order` is none.

    References
    ----------
    Wilson, E. B. (1927). JASA 22, 209–212.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(_("a funnel needs two steps or more, each once"))
    if order not in ("ordered", "strict"):
        raise ValueError(_("{order!r} is no order; write ordered or strict").format(order=order))
    rows, cut = _rows(as_table(events), within, names, by, unit)
    firsts = _firsts(rows, names, cut, by).cache()
    there = firsts.aggregate(**{n: firsts[n].count() for n in names}).to_pandas().iloc[0]
    absent = [n for n in names if there[n] == 0]
    names = [n for n in names if n not in absent]
    if absent and len(names) > 1:
        rows, cut = _rows(as_table(events), within, names, by, unit)
        firsts = _firsts(rows, names, cut, by).cache()
    found = _counted(rows, firsts, names, window_days, order, cut, by) if len(names) > 1 else _empty(by)
    frame = _rated(found, names, by, level)
    note = _("These steps never occur in the data and are left out: {steps}.")
    frame.attrs = {
        "order": order,
        "window_days": window_days,
        "unit": unit,
        "by": [by] if by else [],
        "notes": [note.format(steps=listing(step_name(n) for n in absent))] if absent else [],
    }
    return frame


def step_name(step: str) -> str:
    """What a reader calls a step."""
    word = term("step", step)
    return word[:1].upper() + word[1:]


def narrowed(events: ibis.Table, within: Period | None) -> ibis.Table:
    """The events of a period."""
    if within is None:
        return events
    first, end = (ibis.timestamp(f"{day} 00:00:00") for day in (within.start, within.end))
    return events.filter((events.event_at >= first) & (events.event_at < end))


def narrowed_days(rows: ibis.Table, within: Period) -> ibis.Table:
    """The rows of a period, of a table by `day`."""
    return rows.filter((rows.day >= ibis.date(within.start)) & (rows.day < ibis.date(within.end)))


def _rows(events, within, names, by, unit) -> tuple[ibis.Table, list[str]]:
    """The events that matter, with the number of their step; and the columns that cut people into funnels of their own.

    Units are told apart by a hash of 64 bits: among 100 million, two are taken for one with a chance of 0.03 %.
    """
    rows = narrowed(events, within)
    step = ibis.cases(*((rows.event == n, ibis.literal(i, "int8")) for i, n in enumerate(names)))
    columns: dict[str, ir.Value] = {"_unit": hashed(rows[unit]), "event_at": rows.event_at.cast("timestamp")}
    columns["_step"] = step
    if by in TIME_CUTS:
        columns[by] = rows.event_at.truncate(TIME_CUTS[by])
    elif by:
        columns[by] = rows[by]
    rows = rows.filter(rows.event.isin(list(names)) & rows[unit].notnull()).select(**columns)
    return rows, [by] if by in TIME_CUTS else []


def _firsts(rows: ibis.Table, names: Sequence[str], cut: list[str], by: str | None) -> ibis.Table:
    """When each unit first had each step's event; and the value of `by` at its first first step."""
    never = ibis.null("timestamp")
    out: dict[str, ir.Value] = {
        n: ibis.ifelse(rows._step == i, rows.event_at, never).min() for i, n in enumerate(names)
    }
    if by and not cut:
        out["_part"] = rows[by].argmin(rows.event_at, where=rows._step == 0)
    return rows.group_by("_unit", *cut).aggregate(**out)


def _counted(rows, firsts, names, window_days, order, cut, by) -> pd.DataFrame:
    """Per part: how many reached each step, and quartiles of the seconds since the step before.

    For most, the first events of each step already lie in order and in time: then no other try can bring them further
    than those. Only the others are looked at event by event.
    """
    window = ibis.interval(seconds=round(window_days * 86400))
    key = ["_unit", *cut]
    part = ["_part"] if by and not cut else []
    began = firsts.filter(firsts[names[0]].notnull())
    times, whole = {"t0": began[names[0]].cast("timestamp")}, ibis.literal(True)
    for i, n in enumerate(names[1:], 1):  # a step counts only with all those before it
        times[f"t{i}"] = ibis.ifelse(whole, began[n], ibis.null("timestamp"))
        whole = whole & began[n].notnull()
    began = began.select(*key, *part, _end=began[names[0]] + window, **times)
    if order == "strict":
        astray = began.t1.notnull()
    else:
        astray = ibis.or_(
            *((began[f"t{i}"] < began[f"t{i - 1}"]) | (began[f"t{i}"] > began._end) for i in range(1, len(names)))
        ).fill_null(False)
    began = began.select(*key, *part, *times, _astray=astray)
    others = began.filter(began._astray).select(*key, *part)
    chain = _strict if order == "strict" else _chained
    found = chain(rows.semi_join(others, key), names, window, key)
    columns = [*key, *part, *times]
    both = began.filter(~began._astray).select(columns).union(others.inner_join(found, key).select(columns))
    where = [*cut, *part]
    aggregated: dict[str, ir.Value] = {}
    for i in range(len(names)):
        aggregated[f"n{i}"] = both[f"t{i}"].count()
        if i:
            gap = both[f"t{i}"].delta(both[f"t{i - 1}"], unit="second").cast("float64")
            aggregated[f"q{i}"] = gap.quantile([0.25, 0.5, 0.75])
    found = both.aggregate(**aggregated, by=where).to_pandas()
    return found.rename(columns={"_part": by} if part else {})


def _chained(rows: ibis.Table, names: Sequence[str], window, key: list[str]) -> ibis.Table:
    """The first time that each unit reached each step, by its best try.

    A try is known by its start: for each step the latest start that has come so far is carried along, since it leaves
    the most time (Bellman's principle; as in ClickHouse's windowFunnel). From step to step fewer events are left: those
    of steps before have had their say, and what even the latest start does not reach, no start does.
    """
    left = rows.mutate(_start=ibis.ifelse(rows._step == 0, rows.event_at, ibis.null("timestamp")))
    reached = [left.filter(left._step == 0)]
    for i in range(1, len(names)):
        so_far = ibis.cumulative_window(group_by=key, order_by=[left.event_at, left._step])
        left = left.mutate(_start=left._start.max().over(so_far))
        left = left.filter((left._step >= i) & (left.event_at <= left._start + window))
        reached.append(left.filter(left._step == i))
        left = left.mutate(_start=ibis.ifelse(left._step == i, left._start, ibis.null("timestamp")))
    t = ibis.union(*(r.select(*key, "event_at", "_step") for r in reached))
    return t.group_by(key).aggregate(**{f"t{i}": t.event_at.min(where=t._step == i) for i in range(len(names))})


def _strict(rows: ibis.Table, names: Sequence[str], window, key: list[str]) -> ibis.Table:
    """The first time that each unit reached each step with no other step between; a step again counts once."""
    t = rows
    in_order = ibis.window(group_by=key, order_by=[t.event_at, t._step])
    t = t.mutate(_before=t._step.lag().over(in_order))
    t = t.filter(t._before.isnull() | (t._before != t._step))
    in_order = ibis.window(group_by=key, order_by=[t.event_at, t._step])
    got = {"g0": t._step == 0}
    for i in range(1, len(names)):
        steps_back = [t._step.lag(j).over(in_order) == i - j for j in range(1, i + 1)]
        in_time = t.event_at <= t.event_at.lag(i).over(in_order) + window
        whole = (t._step == i) & in_time
        for right in steps_back:
            whole = whole & right
        got[f"g{i}"] = whole
    t = t.mutate(**got)
    return t.group_by(key).aggregate(**{f"t{i}": t.event_at.min(where=t[f"g{i}"]) for i in range(len(names))})


def _empty(by: str | None) -> pd.DataFrame:
    return pd.DataFrame({by: []} if by else {})


def _rated(found: pd.DataFrame, names: Sequence[str], by: str | None, level: float) -> pd.DataFrame:
    """The long frame: one row per part and step, parts by size (times in order)."""
    if by and len(found):
        found = found.sort_values(by) if by in TIME_CUTS else found.sort_values(["n0", by], ascending=[False, True])
    out = []
    for row in found.to_dict("records"):
        for i, name in enumerate(names):
            n, first = int(row[f"n{i}"]), int(row["n0"])
            before = int(row[f"n{i - 1}"]) if i else n
            out.append(
                ({by: row[by] if by in TIME_CUTS else _said(row[by])} if by else {})
                | {"step": name, "n": n, **rate("step_rate", n, before, level), **rate("rate", n, first, level)}
                | {"lost": before - n}
                | {
                    c: row[f"q{i}"][q] / 60 if i and n else math.nan
                    for c, q in (("minutes", 1), ("minutes_low", 0), ("minutes_high", 2))
                }
            )
    return pd.DataFrame(out, columns=[*([by] if by else []), *COLUMNS])


UNITS = {
    "n": "count", "step_rate": "share", "rate": "share", "lost": "count", "before_n": "count", "before": "share",
    "change": "share_change", "p": "share", "a_day": "count", "sales": "currency", "days": "count", "minutes": "ratio",
}  # fmt: skip
"""Of the frames of steps, for a page."""

COLUMNS = (
    "step", "n", "step_rate", "step_rate_low", "step_rate_high", "rate", "rate_low", "rate_high", "lost", "minutes",
    "minutes_low", "minutes_high",
)  # fmt: skip


def rate(name: str, done: int, of: int, level: float = 0.95) -> dict[str, float]:
    """A rate and its Wilson interval as columns; NaN where there is nothing to divide by."""
    if not of or done > of:
        return {name: math.nan, f"{name}_low": math.nan, f"{name}_high": math.nan}
    low, high = intervals.wilson(done, of, level=level)
    return {name: done / of, f"{name}_low": low, f"{name}_high": high}


def _said(value: object) -> str:
    return "" if value is None or value != value else str(value)


@answers("Did the funnel get better or worse?")
def compared(now: pd.DataFrame, before: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Did each step get better or worse?

    Parameters
    ----------
    now, before : DataFrame
        Two results of `steps`, without `by`.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        step, n, step_rate with its interval, rate with its interval, before_n, before (step_rate of the other), change
        (difference of the step rates, fraction), change_low, change_high (Newcombe), p (two-sided, of no change).
    """
    other = before.set_index("step")
    out = []
    for i, row in enumerate(now.to_dict("records")):
        known = i and row["step"] in other.index and now.step[i - 1] in other.index
        here = (row["n"], int(now.n[i - 1])) if i else (0, 0)
        there = (int(other.n[row["step"]]), int(other.n[now.step[i - 1]])) if known else (0, 0)
        low, high = intervals.newcombe(*there, *here, level=level)
        out.append(
            {c: row[c] for c in ("step", "n", "step_rate", "step_rate_low", "step_rate_high", "rate", "rate_low",
                                 "rate_high")}
            | {"before_n": int(other.n.get(row["step"], 0)), "before": there[0] / there[1] if there[1] else math.nan}
            | {"change": here[0] / here[1] - there[0] / there[1] if here[1] and there[1] else math.nan}
            | {"change_low": low, "change_high": high, "p": same_rate(here, there)}
        )  # fmt: skip
    frame = pd.DataFrame(out)
    frame.attrs = dict(now.attrs)
    return frame


def same_rate(here: tuple[int, int], there: tuple[int, int]) -> float:
    """The probability of so large a difference between two rates if there were none (two-sided z, pooled)."""
    (k, n), (j, m) = here, there
    if not n or not m or not 0 < k + j < n + m:
        return math.nan
    pooled = (k + j) / (n + m)
    z = (k / n - j / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return math.erfc(abs(z) / math.sqrt(2))
