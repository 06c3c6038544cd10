"""What follows from who stays and who leaves: findings, and what the next period should show."""

from __future__ import annotations

import pandas as pd

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...methods.forecasting import next_step
from ...missing import answers
from ...outlook import Forecast
from ...period import Period


@answers("Who stays?")
def stays(rates: pd.DataFrame, hazard: pd.DataFrame, scenario: pd.DataFrame) -> list[Finding]:
    """How many come back, when, and what would more bring?

    Parameters
    ----------
    rates, hazard, scenario : DataFrame
        From `repeat_rates`, `hazard` and `profit_if`.

    Returns
    -------
    list of Finding
    """
    out: list[Finding] = []
    firsts = rates[(rates["after"] == "first order") & rates.rate.notna()].set_index("within_days")
    if len(firsts):
        days = 30 if 30 in firsts.index else int(firsts.index[-1])
        row = firsts.loc[days]
        text = _(
            "Of {n} first orders {rate} were followed by another within {days} days ({interval}); whoever comes back "
            "does so most likely on day {first} to {last}."
        )
        said = text.format(
            n=style.value(row.n, "count"), rate=style.value(row.rate, "share"), days=days,
            interval=style.interval(row.rate_low, row.rate_high, "share"),
            first=hazard.attrs["best_from"], last=hazard.attrs["best_to"],
        )  # fmt: skip
        figure = Figure("repeat.rate", row.rate, "share", row.rate_low, row.rate_high, {"within_days": str(days)})
        out.append(Finding("hold", said, None, (figure,)))
    if len(scenario):
        more = scenario.iloc[-1]
        if more.change == more.change:
            text = _(
                "If {points} more of each month's new customers bought in every later month, profit in their first "
                "year would be {change} higher ({interval})."
            )
            if more.profit != more.profit:
                text = _(
                    "If {points} more of each month's new customers bought in every later month, sales in their first "
                    "year would be {change} higher ({interval})."
                )
            said = text.format(
                points=style.change(scenario.attrs["points"], "share"),
                change=style.value(more.change, "share"),
                interval=style.interval(more.change_low, more.change_high, "share"),
            )
            figure = Figure("profit.change", more.change, "share", more.change_low, more.change_high)
            out.append(Finding("hold", said, None, (figure,)))
    return out


@answers("Who is leaving?")
def leaving(matrix: pd.DataFrame, flows: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which customers worth keeping are on their way out?

    Parameters
    ----------
    matrix, flows : DataFrame
        From `churn.matrix` and `churn.flows`.
    currency : str
        The shop's.

    Returns
    -------
    list of Finding
        On customers of high value who have been away for a short or middling time (stake: what they spent in the last
        year), and on how many of those long away came back in the period.
    """
    out: list[Finding] = []
    going = matrix[(matrix.value == "high") & matrix.window.isin(["short", "mid"])]
    n, money = int(going.customers.sum()), float(going.sales_year.sum())
    if n:
        text = _(
            "{n} customers of high value are away, but not for long yet; they spent {money} in the last year. Without "
            "another order they will be among those long away within months."
        )
        said = text.format(n=style.value(n, "count"), money=style.value(money, "currency", currency=currency))
        figures = (Figure("churn.high_value_away", n, "count"), Figure("churn.high_value_sales", money, "currency"))
        out.append(Finding("watch", said, money, figures))
    back = flows[(flows.from_window == "long") & flows.to_window.isin(["active", "short"])]
    of = int(flows[flows.from_window == "long"].customers.sum())
    if of:
        k = int(back.customers.sum())
        text = _("Of {n} customers who were long away at the start of the period, {k} came back ({rate}).")
        said = text.format(
            n=style.value(of, "count"), k=style.value(k, "count"), rate=style.value(k / of, "share")
        )  # fmt: skip
        out.append(Finding("hold", said, None, (Figure("churn.came_back", k / of, "share"),)))
    return out


@answers("Whom do we speak to again?")
def speak_to(sizes: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which audience is worth most?

    Parameters
    ----------
    sizes : DataFrame
        From `audiences.sizes`.
    currency : str
        The shop's.
    """
    known = sizes[sizes.value.notna() & (sizes.left > 0)]
    if known.empty:
        return []
    best = known.loc[known.value.idxmax()]
    text = _(
        "The audience “{audience}” is worth most: {n} may be spoken to, and of such people {rate} bought within a "
        "month, for {money} ({interval}); how much of that an advertisement adds, only people held back can tell."
    )
    said = text.format(
        audience=term("audience", best.audience), n=style.value(best.left, "count"),
        rate=style.value(best.rate, "share"), money=style.value(best.value, "currency", currency=currency),
        interval=style.interval(best.value_low, best.value_high, "currency", currency=currency),
    )  # fmt: skip
    cut = {"audience": best.audience}
    return [Finding("hold", said, None, (Figure("audience.value", best.value, "currency", by=cut),))]


@answers("How many customers will buy next month?")
def forecast(history: pd.DataFrame, period: Period) -> list[Forecast]:
    """How many customers will buy in the next month? (Which share of them has bought before, the scorecard forecasts.)

    Parameters
    ----------
    history : DataFrame
        ``measure(shop, ["customers"], by=["month"], …)`` over whole months, the last that of the report.
    period : Period
        Of the report; a period that is no month is not forecast.
    """
    if period.kind != "month":
        return []
    rows = history[history.metric == "customers"].dropna(subset="value")
    series = pd.Series(rows.value.to_numpy(), index=pd.PeriodIndex(pd.to_datetime(rows.month), freq="M"))
    then = next_step(series, "count")
    if not then.said:
        return []
    at = period.following.label
    return [Forecast("customers", at, then.value, then.low, then.high, "count", method=then.method)]
