"""Benchmarks: what others are said to reach, where that comes from, and our own number beside it."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import ibis
import pandas as pd

from ..findings import Finding
from ..language import _
from ..methods import intervals
from ..missing import answers

LIBRARY = Path(__file__).with_name("benchmarks.toml")
WINDOW = 30
PHONES = ("phone", "app", "mini_program")


def library() -> pd.DataFrame:
    """Every reference value that the book knows, with its source and whether anybody has checked it.

    Nothing in the book takes one of them as an input: they are shown, never used.

    Returns
    -------
    DataFrame
        name, says, value, low, high (where the source gives a range), unit, source, status (unverified, published),
        beside (which own number it is shown beside; empty: none), version.
    """
    said = tomllib.loads(LIBRARY.read_text(encoding="utf-8"))
    columns = ["name", "says", "value", "low", "high", "unit", "source", "status", "beside"]
    frame = pd.DataFrame(said["benchmark"]).reindex(columns=columns)
    frame["beside"] = frame["beside"].fillna("")
    return frame.assign(version=said["version"])


@answers("What are our own numbers beside the benchmarks?", needs={"touchpoints": ["order_id"]})
def own_numbers(
    by_device: pd.DataFrame | None, touchpoints: ibis.Table | None, sized: pd.DataFrame | None
) -> pd.DataFrame:
    """What are our own numbers where there is a benchmark for them?

    Parameters
    ----------
    by_device : DataFrame, optional
        ``measure(shop, ["orders_paid"], by=["device"])``.
    touchpoints : Table, optional
        Canonical `touchpoints` with order_id: whose order it was is told by its contact, and the channels that she met
        within `WINDOW` days before count.
    sized : DataFrame, optional
        `size.sizes`; its last row is the whole market.

    Returns
    -------
    DataFrame
        beside, own, own_low, own_high (95 %), n (observations).
    """
    rows: list[tuple[str, float, float, float, float]] = []
    if by_device is not None:
        orders = by_device.set_index("device")["value"]
        known = orders[[d for d in orders.index if d]]
        phones, n = float(known[[d for d in known.index if d in PHONES]].sum()), float(known.sum())
        if n:
            rows.append(("mobile_share", phones / n, *intervals.wilson(phones, n), n))
    if touchpoints is not None:
        t = touchpoints if isinstance(touchpoints, ibis.Table) else ibis.memtable(touchpoints)
        last = t.filter(t.order_id.notnull()).select("order_id", "visitor_id", bought=t.touched_at)
        both = last.inner_join(t.select("visitor_id", "touched_at", "channel"), "visitor_id")
        before = (both.touched_at <= both.bought) & (both.touched_at > both.bought - ibis.interval(days=WINDOW))
        each = both.filter(before).group_by("order_id").aggregate(k=lambda r: r.channel.nunique())
        k = each.k.cast("float64")
        sums = each.aggregate(total=k.sum(), squares=(k * k).sum(), n=each.count()).to_pandas().iloc[0].astype(float)
        if sums["n"]:
            ends = intervals.mean(sums["total"], sums["squares"], sums["n"])
            rows.append(("channels_per_purchase", sums["total"] / sums["n"], *ends, sums["n"]))
    if sized is not None and len(sized) and not math.isnan(sized["growth"].iloc[-1]):
        rows.append(("market_growth", float(sized["growth"].iloc[-1]), math.nan, math.nan, math.nan))
    return pd.DataFrame(rows, columns=["beside", "own", "own_low", "own_high", "n"])


@answers("How do we compare with what others are said to reach?")
def beside(own: pd.DataFrame) -> pd.DataFrame:
    """How do we compare with what others are said to reach?

    Parameters
    ----------
    own : DataFrame
        Of `own_numbers`.

    Returns
    -------
    DataFrame
        The library in the book's long form: says, metric ("reference"), unit, value (low, high), own (own_low,
        own_high, n) in the same unit, status, source; those with an own number first.
    """
    frame = library().merge(own, on="beside", how="left")
    frame = frame.assign(_none=frame["own"].isna()).sort_values("_none", kind="stable")
    frame["metric"] = "reference"
    columns = ["says", "metric", "unit", "value", "low", "high", "own", "own_low", "own_high", "n", "status", "source"]
    out = frame[columns].reset_index(drop=True)
    out.attrs = {"by": ["says"], "in_unit": {"own": "Our own"}}
    return out


@answers("Which benchmarks do we differ from?")
def findings(compared: pd.DataFrame) -> list[Finding]:
    """How many references have nobody's word but their own, and so decide nothing?"""
    claims = int((compared["status"] == "unverified").sum())
    if not claims:
        return []
    text = _(
        "{n} of {all} reference values are claims that nobody has checked: they stand beside our numbers and "
        "decide nothing."
    )
    return [Finding("hold", text.format(n=claims, all=len(compared)))]
