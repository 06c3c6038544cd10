"""What follows from the funnel: findings, what is to be done, and what the next period should show."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...findings import Figure, Finding, Verdict
from ...language import _, term
from ...methods.forecasting import next_step
from ...missing import answers
from ...outlook import Decision, Forecast
from ...period import Period
from .breaks import EVERYWHERE
from .steps import step_name

DAYS_TO_FIX = 14


@answers("Did the funnel get better or worse?")
def findings(compared: pd.DataFrame, period: Period, *, sure: float = 0.01) -> list[Finding]:
    """What in the funnel deserves attention?

    Parameters
    ----------
    compared : DataFrame
        From `compared`.
    period : Period
        Of the funnel.
    sure : float, default 0.01
        Largest p at which a step is said to have changed.

    Returns
    -------
    list of Finding
        One on the funnel as a whole, one on the step that changed most surely.
    """
    if compared.empty or not compared.n.iloc[0]:
        return [Finding("hold", _("Nobody came to the site in {period}.").format(period=style.period(period)))]
    last = compared.iloc[-1]
    text = _("Of {n} visitors in {period}, {rate} came as far as “{step}” ({interval}).")
    found = [
        Finding(
            "hold",
            text.format(
                n=style.value(compared.n.iloc[0], "count"),
                period=style.period(period),
                rate=style.value(last.rate, "share"),
                step=step_name(last.step),
                interval=style.interval(last.rate_low, last.rate_high, "share"),
            ),
            figures=(Figure("funnel.rate", last.rate, "share", last.rate_low, last.rate_high, {"step": last.step}),),
        )
    ]
    tested = compared[compared.p.notna()]
    if tested.empty:
        return found
    most = tested.loc[tested.p.idxmin()]
    if most.p <= sure:
        fell = most.change < 0
        text = (
            _("“{step}” fell against {before}: {now} of the step before, {change}.")
            if fell
            else _("“{step}” rose against {before}: {now} of the step before, {change}.")
        )
        verdict: Verdict = "watch" if fell else "hold"
        said = text.format(
            step=step_name(most.step), before=style.period(period.previous),
            now=style.value(most.step_rate, "share"), change=style.change(most.change, "share"),
        )  # fmt: skip
        figure = Figure("funnel.change", most.change, "share", most.change_low, most.change_high, {"step": most.step})
        found.append(Finding(verdict, said, None, (figure,), p=most.p))
    return found


@answers("Which step broke, and what does it cost?")
def broken(
    found: pd.DataFrame, lost: pd.DataFrame, period: Period, *, currency: str = "CNY", platform: str = ""
) -> list[Finding | Decision]:
    """Which step broke, since when, what does it cost, and what is it worth to mend it?

    Parameters
    ----------
    found, lost : DataFrame
        From `breaks` and `loss`.
    period : Period
        Of the loss.
    currency : str
        The shop's.
    platform : str, optional
        Of the site's orders (see `platform_of`): the decision is scored on its orders. Without it, or where the break
        is not by device, there is no decision.

    Returns
    -------
    list of Finding and Decision
        A break in one part is to act on (stake: the sales lost in the period); one everywhere, which nothing can be
        compared with, is to watch. The decision's effect are the orders that the step loses in such a period.
    """
    out: list[Finding | Decision] = []
    by = found.attrs.get("by", "part")
    keyed = lost.set_index(["part", "step"]) if len(lost) else None
    for b in found.to_dict("records"):
        part, step = term(by, b["part"]), step_name(b["step"])
        numbers = {
            "part": part, "step": step, "since": style.date(b["since"]), "before": style.value(b["before"], "share"),
            "after": style.value(b["after"], "share"),
            "elsewhere": style.change(b["elsewhere"], "share"),
        }  # fmt: skip
        cut = {by: b["part"], "step": b["step"]} if b["part"] != EVERYWHERE else {"step": b["step"]}
        figures = (
            Figure("break.change", b["change"], "share", by=cut),
            Figure("break.since", int(b["since"].strftime("%Y%m%d")), "count", by=cut),
        )
        cost = None if keyed is None or (b["part"], b["step"]) not in keyed.index else keyed.loc[(b["part"], b["step"])]
        out.append(Finding(*_sentence(b, numbers, cost, period, currency), figures=figures, p=b["p"]))
        if cost is not None and b["part"] != EVERYWHERE and by == "device" and platform and cost.orders_low > 0:
            out.append(_mend(b, cost, numbers, period, currency, platform))
    return out


def _sentence(b: dict, numbers: dict, cost, period: Period, currency: str) -> tuple[Verdict, str, float | None]:
    money = None if cost is None or cost.sales != cost.sales else float(cost.sales)
    if b["change"] >= 0:
        text = _("“{step}” went better from {since} on ({part}): {after} after {before} of the step before.")
        if b["part"] == EVERYWHERE:
            text = _("“{step}” went better from {since} on, everywhere: {after} after {before} of the step before.")
        return "hold", text.format(**numbers), None
    if b["part"] == EVERYWHERE:
        text = _("“{step}” goes worse since {since}, everywhere: {after} after {before} of the step before.")
        return "watch", text.format(**numbers), money
    text = _(
        "“{step}” broke on {since} ({part}): {after} of those at the step before go on, after {before}; elsewhere the "
        "rate moved by {elsewhere}."
    )
    if cost is not None:
        text = _(
            "“{step}” broke on {since} ({part}): {after} of those at the step before go on, after {before}; elsewhere "
            "the rate moved by {elsewhere}. In {period} that lost {orders} orders ({interval})."
        )
        numbers = numbers | {
            "period": style.period(period),
            "orders": style.value(round(cost.orders), "count"),
            "interval": style.interval(round(cost.orders_low), round(cost.orders_high), "count"),
        }
    return "act", text.format(**numbers), money


def _mend(b: dict, cost, numbers: dict, period: Period, currency: str, platform: str) -> Decision:
    due = period.end + dt.timedelta(days=DAYS_TO_FIX)
    then = period.following
    while then.start < due:
        then = then.following
    per = then.days / period.days
    # lost orders have an interval of 95 %; a decision states one of 80 %, from the same spread
    narrow = 1.2816 / 1.96
    effect = cost.orders * per
    text = _("Repair “{step}” on {part}: find what was changed on or just before {since}, and take it back.")
    money = cost.sales * per if cost.sales == cost.sales else None
    return Decision(
        "repair_step",
        text.format(**numbers),
        _("Shop developer"),
        due,
        "orders_paid",
        then.label,
        effect,
        effect - (cost.orders - cost.orders_low) * per * narrow,
        effect + (cost.orders_high - cost.orders) * per * narrow,
        "count",
        by={"platform": platform, "device": b["part"]},
        check="controls",
        stake=money,
    )


@answers("On which platform are the site's orders?")
def platform_of(events: ibis.Table | pd.DataFrame, orders: ibis.Table | pd.DataFrame) -> str:
    """Under which platform's name do orders lie that were made on the site? Empty where the data do not say."""
    seen, bought = as_table(events), as_table(orders)
    if "order_id" not in seen.columns or "platform" not in bought.columns:
        return ""
    mine = bought.semi_join(seen.filter(seen.order_id.notnull()), "order_id")
    counted = mine.group_by("platform").aggregate(n=mine.count()).order_by(ibis.desc("n"), "platform").limit(1)
    found = counted.to_pandas().platform
    return "" if found.empty or not found.iloc[0] else str(found.iloc[0])


@answers("Where is a better step worth most?")
def next_stage(stages: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which stage comes first, by what it is worth and takes?

    Parameters
    ----------
    stages : DataFrame
        From `priorities`.
    currency : str
        The shop's.
    """
    known = stages[stages.per_point.notna()]
    if known.empty:
        return []
    best = known.loc[known["rank"].idxmin()] if known["rank"].notna().any() else known.iloc[0]
    if best.stake == best.stake and best.stake > 0:
        text = _(
            "Begin with {stage}: at the rate of a good month ({goal}, now {rate}) it would have brought {money} more "
            "({interval}); one percentage point is worth {point}."
        )
        verdict: Verdict = "watch"
    else:
        text = _("No stage lies below a good month of its own; one percentage point of {stage} is worth {point}.")
        verdict = "hold"
    said = text.format(
        stage=term("stage", best.stage),
        goal=style.value(best.benchmark, "share"),
        rate=style.value(best.rate, "share"),
        money=style.value(best.stake, "currency", currency=currency),
        interval=style.interval(best.stake_low, best.stake_high, "currency", currency=currency),
        point=style.value(best.per_point, "currency", currency=currency),
    )
    figure = Figure("stage.stake", best.stake, "currency", best.stake_low, best.stake_high, {"stage": best.stage})
    return [Finding(verdict, said, best.stake if verdict == "watch" else None, (figure,))]


@answers("How many carts are left behind?")
def left_behind(
    carts: pd.DataFrame, scenarios: pd.DataFrame, period: Period, *, currency: str = "CNY"
) -> list[Finding]:
    """How many carts were left, what lay in them, and what would fewer bring?

    Parameters
    ----------
    carts, scenarios : DataFrame
        From `abandonment` and `what_if`.
    period : Period
        Of the carts.
    currency : str
        The shop's.
    """
    whole = carts[carts.cut == "all"]
    if whole.empty or not whole.carts.iloc[0] or scenarios.empty:
        return [Finding("hold", _("Nobody put anything into a cart in {period}.").format(period=style.period(period)))]
    row, middle = whole.iloc[0], scenarios.iloc[len(scenarios) // 2]
    numbers = {
        "period": style.period(period),
        "rate": style.value(row.abandonment, "share"),
        "interval": style.interval(row.abandonment_low, row.abandonment_high, "share"),
        "n": style.value(row.carts, "count"),
        "falls": style.value(middle.falls, "share", digits=0),
        "orders": style.interval(round(middle.orders_low), round(middle.orders_high), "count"),
    }
    text = _(
        "{rate} of {n} carts were left behind in {period} ({interval}). Were it {falls} less often, that would be "
        "{orders} orders more."
    )
    if row.value_left == row.value_left:
        text = _(
            "{rate} of {n} carts were left behind in {period} ({interval}), with goods for {left} in them. Were it "
            "{falls} less often, that would be {orders} orders more, for {money}."
        )
        numbers |= {
            "left": style.value(row.value_left, "currency", currency=currency),
            "money": style.interval(middle.sales_low, middle.sales_high, "currency", currency=currency),
        }
    figure = Figure("carts.abandonment", row.abandonment, "share", row.abandonment_low, row.abandonment_high)
    stake = middle.sales if middle.sales == middle.sales else None
    return [Finding("watch", text.format(**numbers), stake, (figure,))]


@answers("What deserves attention on the platforms?")
def platform_findings(
    parts: pd.DataFrame, stages: pd.DataFrame, found: pd.DataFrame, period: Period, *, currency: str = "CNY"
) -> list[Finding]:
    """What deserves attention in the funnels of platforms?

    Parameters
    ----------
    parts, stages, found : DataFrame
        From `platform_steps`, `platform_priorities` and `breaks`.
    period : Period
        Of the first two.
    currency : str
        The shop's.
    """
    out: list[Finding] = []
    known = stages[stages.stake > 0] if len(stages) else stages
    if len(known):
        best = known.loc[known.stake.idxmax()]
        text = _(
            "On {platform}, {stage} is at {rate}; a good month there has {goal}, which would have brought {money} more "
            "in {period}."
        )
        said = text.format(
            platform=term("platform", best.platform), stage=term("stage", best.stage),
            rate=style.value(best.rate, "share"), goal=style.value(best.benchmark, "share"),
            money=style.value(best.stake, "currency", currency=currency), period=style.period(period),
        )  # fmt: skip
        cut = {"platform": best.platform, "stage": best.stage}
        out.append(Finding("watch", said, best.stake, (Figure("platform.stake", best.stake, "currency", by=cut),)))
    elif len(parts):
        rows = parts[parts.step == "buyers"]
        text = _("On the platforms {rate} of the visits of a day ended with a buyer in {period}.")
        whole = rows.n.sum() / parts[parts.step == "visitors"].n.sum() if rows.n.sum() else float("nan")
        out.append(Finding("hold", text.format(rate=style.value(whole, "share"), period=style.period(period))))
    for b in found.to_dict("records"):
        numbers = {
            "part": term("platform", b["part"]) if b["part"] else "",
            "step": step_name(b["step"]),
            "since": style.date(b["since"]),
            "before": style.value(b["before"], "share"),
            "after": style.value(b["after"], "share"),
            "elsewhere": style.change(b["elsewhere"], "share"),
        }
        verdict, text, _stake = _sentence(b, numbers, None, period, currency)
        out.append(Finding(verdict, text, None, p=b["p"]))
    return out


@answers("What will the funnel do next?")
def forecast(history: pd.DataFrame, period: Period, *, figure: str = "steps.rate") -> list[Forecast]:
    """What part of the visitors will buy in the coming month?

    Parameters
    ----------
    history : DataFrame
        ``steps(…, by="month")``, whole months.
    period : Period
        The last of them; a period that is no month is not forecast.
    figure : str
        Name of the figure by which the next report will say it.

    Returns
    -------
    list of Forecast
        One, or none where the months are too few.
    """
    if period.kind != "month" or history.empty:
        return []
    last = history.step.iloc[-1]
    series = history[history.step == last].set_index("month").rate.dropna()
    series.index = pd.PeriodIndex(pd.to_datetime(series.index), freq="M")
    then = next_step(series, "share")
    if not then.said:
        return []
    at, by = period.following.label, {"step": last}
    return [Forecast(figure, at, then.value, then.low, then.high, "share", by=by, method=then.method)]
