"""Tune an alert: how many would there have been, had it been stricter or laxer?"""

from __future__ import annotations

from functools import lru_cache

import ipywidgets as ipw
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..language import _
from ..methods import alerts as method
from ..missing import Missing
from ..tracking import monitoring
from .shell import Explorer, View, apply_style

ALPHAS = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0001)
DAYS = (28, 42)
SIDES = ("up", "down", "both")


def alerts(daily: pd.DataFrame, *, currency: str = "CNY") -> Explorer | Missing:
    """Explore how an alert on one figure would have spoken in the last weeks.

    Parameters
    ----------
    daily : DataFrame
        kpi, part, day, value, exposure: of `playbook.tracking.monitoring.measured` and `told`.
    currency : str
        Of money.
    """
    if isinstance(daily, Missing):
        return daily
    judgeable = daily[[monitoring.KPIS[k].kind != "rule" for k in daily["kpi"]]]
    if judgeable.empty:
        return Missing(_("a figure by day"), remedy=_("Orders, events or traffic of some weeks are enough."))
    apply_style()
    pairs = list(judgeable[["kpi", "part"]].drop_duplicates().itertuples(index=False, name=None))
    first = pairs[0]
    kpi = monitoring.KPIS[first[0]]
    controls = {
        "of": ipw.Dropdown(options=[(monitoring.named(*p), p) for p in pairs], value=first, description=_("Figure")),
        "alpha": ipw.SelectionSlider(
            options=[(_("once in {n} days").format(n=style.value(round(1 / a), "count")), a) for a in ALPHAS],
            value=0.001, description=_("False alarms, at most"),
        ),
        "at_least": ipw.FloatSlider(100 * kpi.at_least, min=0, max=200, step=5,
                                    description=_("Smallest difference told, % more")),
        "direction": ipw.Dropdown(
            options=[(_("more than expected"), "up"), (_("less than expected"), "down"), (_("either"), "both")],
            value=kpi.direction, description=_("What is news"),
        ),
        "days": ipw.Dropdown(
            options=[(_("{n} days").format(n=n), n) for n in DAYS], value=DAYS[0], description=_("Days looked at"),
        ),
    }  # fmt: skip

    @lru_cache(maxsize=8)
    def days_of(of: tuple[str, str]) -> tuple[pd.Series, pd.Series | None, method.Kind]:
        return monitoring.one(judgeable, *of)

    def answer(of: tuple[str, str], alpha: float, at_least: float, direction: method.Direction, days: int) -> View:
        return view(
            *days_of(of), of=of, alpha=alpha, at_least=at_least, direction=direction, days=days, currency=currency
        )

    return Explorer(controls, answer)


def view(
    series: pd.Series, exposure: pd.Series | None, kind: method.Kind, *, of: tuple[str, str], alpha: float,
    at_least: float, direction: method.Direction, days: int, currency: str = "CNY",
) -> View:  # fmt: skip
    """What an alert would have told in the last days; `at_least` in per cent."""
    since = series.index[-1] - pd.Timedelta(days=days - 1)
    judged = method.judge(
        series, exposure=exposure, kind=kind, direction=direction, since=since, alpha=alpha, at_least=at_least / 100
    )
    mine = judged[judged.index >= since]
    found, counted = method.episodes(mine), int((~mine["state"].isin(["no_history", "excused"])).sum())
    words = {
        "figure": monitoring.named(*of), "n": style.value(len(found), "count"), "days": style.value(counted, "count"),
        "flagged": style.value(int(mine["state"].isin(list(method.LEVELS)).sum()), "count"),
        "chance": style.value(alpha * counted, "count", digits=2),
    }  # fmt: skip
    if not counted:
        sentence = _("{figure}: not enough history to judge these days; it needs four weeks before them.")
    else:
        sentence = _(
            "{figure}: {n} alerts in {days} days ({flagged} days flagged); of ordinary days at most {chance} would be."
        )
    code = (
        f'series, exposure, kind = monitoring.one(daily, "{of[0]}", "{of[1]}")\n'
        f'alerts.judge(series, exposure=exposure, kind=kind, direction="{direction}", since="{since.date()}", '
        f"alpha={alpha:g}, at_least={at_least / 100:g})"
    )

    def draw() -> Axes:
        ax = monitoring.plot_one(mine, monitoring.KPIS[of[0]], currency=currency)
        ax.set_title(monitoring.named(*of))
        return ax

    return View(sentence.format(**words), draw, code)
