"""Outlook: what the next periods bring in each part of the shop, and how well such forecasts did before."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import period as periods
from .. import style
from ..findings import Figure, Finding, Verdict
from ..language import N_, _, term
from ..methods.forecasting import Forecaster, forecaster
from ..missing import Missing, answers, quietly
from ..outlook import Forecast
from . import panel

LEVEL = 0.8
ORIGINS = 6
COLUMNS = ("month", "expected", "expected_low", "expected_high", "method", "mase", "naive", "note")
TITLES = {"mase": N_("Error (MASE)"), "naive": N_("Error of last year's months")}


@answers("What will each part bring in the next months?")
def next_months(measured: pd.DataFrame, *, horizon: int = 3, origins: int = ORIGINS, top: int = 6) -> pd.DataFrame:
    """What will each part of the shop bring in the next months, if all goes on as planned?

    Each part gets the model that forecast it best from several moments of the past (see
    `playbook.methods.forecasting`).

    Parameters
    ----------
    measured : DataFrame
        ``measure(shop, [one metric], by=["month", one breakdown], period=…)`` over all months; months that
        the period cuts are left out.
    horizon : int
        Months ahead.
    origins : int
        Moments of the backtest.
    top : int
        Forecast the largest parts only.

    Returns
    -------
    DataFrame
        One row a part and month: the breakdown, month (label), expected, expected_low, expected_high (80 % interval),
        method, mase (mean
        absolute error of the backtest over that of the seasonal naive forecast within the sample), naive (the same of
        the
        seasonal naive forecast; NaN where no season can be seen), note (what the series lacks). ``attrs``: `by`,
        `metric`, `unit`, `currency`, `past` (month, part, value).
    """
    (by,) = [b for b in measured.attrs["by"] if b != "month"]
    past = whole_months(measured)
    past = past[past[by].astype(str) != ""]
    largest = past.groupby(by)["value"].sum().nlargest(top).index
    tables = [
        _ahead(pd.Series(of["value"].to_numpy(float), pd.PeriodIndex(of["month"], freq="M")), horizon, origins).assign(
            **{by: part}
        )
        for part in largest
        for of in [past[past[by] == part]]
    ]
    if not tables:
        return Missing(_("a whole month of sales"), remedy=_("Add exports that reach further back."))
    frame = pd.concat(tables, ignore_index=True)[[by, *COLUMNS]]
    frame.attrs = {
        "by": by,
        "metric": str(measured["metric"].iloc[0]),
        "unit": str(measured["unit"].iloc[0]),
        "currency": measured.attrs.get("currency", ""),
        "past": past[past[by].isin(largest)][["month", by, "value"]],
        "titles": TITLES,
    }
    return frame


@answers("How large will the market be?")
def market_ahead(market: ibis.Table, *, horizon: int = 3, origins: int = ORIGINS) -> pd.DataFrame:
    """How large will the whole market be in its next periods?

    Parameters
    ----------
    market : Table
        Canonical `market`.
    horizon, origins : int
        As in `next_months`.

    Returns
    -------
    DataFrame
        month (label of the period), expected, expected_low, expected_high (80 %), method, mase, naive, note.
        ``attrs["past"]``: month, value.
    """
    rows = panel.panel(market, [])
    rows = rows[rows["seller"] == ""]
    series = pd.Series(rows["size"].to_numpy(), panel.by_period(rows["day"])).sort_index()
    if series.index.freqstr[0] == "Y":
        what = _("the market by month or quarter")
        return Missing(what, remedy=_("A forecast of whole years needs more of them than a panel has."))
    frame = _ahead(series, horizon, origins)
    frame.attrs = {
        "titles": TITLES,
        "past": pd.DataFrame({"month": series.index.to_timestamp(), "value": series.to_numpy()}),
    }
    return frame


def whole_months(measured: pd.DataFrame) -> pd.DataFrame:
    """Without the months of which the period holds only a part."""
    within = periods.parse(measured.attrs["period"])
    begins = pd.to_datetime(measured["month"])
    ends = begins + pd.offsets.MonthEnd(0)
    inside = (begins >= pd.Timestamp(within.start)) & (ends < pd.Timestamp(within.end))
    return measured[inside].assign(month=begins[inside])


def _ahead(series: pd.Series, horizon: int, origins: int) -> pd.DataFrame:
    made: Forecaster = forecaster(series, horizon=horizon, origins=origins)
    out = made.predict(level=LEVEL)
    tried = made.backtest.set_index("method")["mase"] if len(made.backtest) else pd.Series(dtype=float)
    out = out.rename(
        columns={"period": "month", "value": "expected", "low": "expected_low", "high": "expected_high"}
    ).assign(
        month=out["period"].astype(str),
        method=made.method,
        mase=float(tried.get(made.method, math.nan)),
        naive=float(tried.get("seasonal_naive", math.nan)),
        note=made.note,
    )
    return out[list(COLUMNS)]


def forecasts(ahead: pd.DataFrame) -> list[Forecast]:
    """The forecasts as the ledger keeps them; nothing where a series was too short for one with an interval."""
    if isinstance(ahead, Missing):
        return []
    by = ahead.attrs["by"]
    sure = ahead.dropna(subset=["expected", "expected_low", "expected_high"])
    return [
        Forecast(
            ahead.attrs["metric"], r["month"], r["expected"], r["expected_low"], r["expected_high"],
            ahead.attrs["unit"], LEVEL,
            {by: str(r[by])}, r["method"],
        )
        for r in sure.to_dict("records")
    ]  # fmt: skip


@answers("Which part will shrink, and which will grow?")
def findings(ahead: pd.DataFrame) -> list[Finding]:
    """Which part will clearly sell less, or more, than in the same months a year ago?

    Parameters
    ----------
    ahead : DataFrame
        Of `next_months`.

    Returns
    -------
    list of Finding
        One for each part whose every interval lies on one side of last year's months. Stake: the difference a month.
    """
    by, unit, currency = (ahead.attrs[k] for k in ("by", "unit", "currency"))
    past = ahead.attrs["past"].assign(label=lambda f: f["month"].dt.strftime("%Y-%m"))
    ago = past.set_index([by, "label"])["value"]
    found: list[Finding] = []
    for part, rows in ahead.dropna(subset=["expected_low"]).groupby(by, sort=False):
        year_ago = [ago.get((part, f"{int(m[:4]) - 1}{m[4:]}"), np.nan) for m in rows["month"]]
        if np.isnan(year_ago).any() or not sum(year_ago) > 0:
            continue
        below, above = (rows["expected_high"] < year_ago).all(), (rows["expected_low"] > year_ago).all()
        if not (below or above):
            continue
        total, before = rows["expected"].sum(), float(sum(year_ago))
        text = _("{part}: the next {n} months should bring {total}, {change} on the same months a year ago.").format(
            part=term(by, str(part)), n=len(rows), total=style.short(total, unit, currency=currency),
            change=style.change(total / before - 1, unit if unit != "share" else "count"),
        )  # fmt: skip
        verdict: Verdict = "watch" if below else "hold"
        figure = Figure("outlook_change", total / before - 1, "share", by={by: str(part)})
        found.append(Finding(verdict, text, abs(total - before) / len(rows), (figure,)))
    return found


@quietly
def plot_next_months(ahead: pd.DataFrame, *, months: int = 25) -> list[Axes]:
    """Each part in a picture of its own: the last months, and the next ones with their interval."""
    import matplotlib.pyplot as plt

    by, past = ahead.attrs["by"], ahead.attrs["past"]
    parts = list(dict.fromkeys(ahead[by]))
    wide = 1 if len(parts) == 1 else 2
    _figure, grid = plt.subplots(-(-len(parts) // wide), wide, figsize=(9, 2.5 * -(-len(parts) // wide)), squeeze=False)
    for ax, part in zip(grid.flat, parts, strict=False):
        _draw(ax, past[past[by] == part].tail(months), ahead[ahead[by] == part])
        ax.set_title(term(by, str(part)))
        if ahead.attrs["unit"] == "currency":
            style.money_axis(ax, ahead.attrs["currency"])
    for ax in grid.flat[len(parts) :]:
        ax.set_visible(False)
    return list(grid.flat[: len(parts)])


@quietly
def plot_market_ahead(ahead: pd.DataFrame, *, months: int = 37) -> Axes:
    """The size of the market period by period, and its next ones with their interval."""
    ax = style.axes(height=3.4)
    _draw(ax, ahead.attrs["past"].tail(months), ahead)
    style.money_axis(ax)
    ax.set_title(_("The whole market, and its next months (80 % interval)"))
    return ax


def _draw(ax: Axes, past: pd.DataFrame, ahead: pd.DataFrame) -> None:
    ax.plot(past["month"], past["value"], color=style.COMPARISON, linewidth=1.6)
    there = ahead.dropna(subset=["expected"])
    x = pd.PeriodIndex(there["month"], freq="M").to_timestamp()
    ax.fill_between(x, there["expected_low"], there["expected_high"], color=style.OWN, alpha=0.2, linewidth=0)
    ax.plot(x, there["expected"], color=style.OWN, linewidth=2.4, marker="o", markersize=4)
    top = max([past["value"].max(), *there["expected_high"].dropna()])
    ax.set_ylim(0, top * 1.1 if top > 0 else 1)
    style.date_axis(ax)
