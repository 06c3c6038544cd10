"""A budget beside today's split: by channel, in scenarios, and what is to be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...findings import Figure, Finding
from ...language import _, term
from ...missing import answers, quietly
from ...outlook import Decision, Forecast
from .plan import Plan, Wish, plan
from .rules import verdicts

BEFORE_AFTER = dict.fromkeys(("before", "after", "change"), "currency") | {"sales": "currency", "marginal_roi": "share"}
SCENARIOS = (
    {"of_plan": "share"}
    | dict.fromkeys(("total", "reserve", "contribution", "gain"), "currency")
    | {"better": "chance"}
)
LEVEL = 0.8
WORTH_DOING = 0.8
"""Chance of improvement from which money is moved."""
KEPT = 0.4
"""Part of the promised gains that came true on made-up shops whose truth is known (a test holds them against this). Of
many splits the best-looking one is taken, and some of what makes it look so is luck; this part is counted on."""


@answers("What changes, channel by channel?")
def beside(made: Plan) -> pd.DataFrame:
    """What changes in each channel, beside today's split of the same money?

    Returns
    -------
    DataFrame
        channel, before, after, change (money over the months), sales (that the change brings) and marginal_roi (what
        one more unit of money would leave, less itself), each with _low and _high (80 %); NaN where no model knows the
        channel. The reserve is a row.
    """
    rows = []
    curves, at = made.curves, {}
    if curves is not None:
        at = {c: k for k, c in enumerate(curves.channels)}
        before, after = (
            np.array([cents[made.channels.index(c)] for c in curves.channels]) / 100 / made.weeks
            for cents in (made.before, made.after)
        )
        more = (curves.sales(after) - curves.sales(before)) * made.weeks
        worth = np.array([made.worth[c] for c in curves.channels])
        last = curves.marginal(after) * worth - 1
    for i, channel in enumerate(made.channels):
        row = {"channel": channel, "before": made.before[i] / 100, "after": made.after[i] / 100}
        row["change"] = (made.after[i] - made.before[i]) / 100
        for name in ("sales", "marginal_roi"):
            row |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
            if channel in at:
                drawn = (more if name == "sales" else last)[:, at[channel]]
                low, middle, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2])
                row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    held = (made.total - sum(made.before)) / 100
    rows.append(
        {"channel": "reserve", "before": held, "after": made.reserve / 100, "change": made.reserve / 100 - held}
    )
    out = pd.DataFrame(rows)
    out.attrs["notes"] = list(made.reasons)
    return out


def gain(made: Plan) -> tuple[np.ndarray, float] | None:
    """What the plan leaves beyond today's split of the same money, by draw, and the chance of more; None: not known."""
    after, before = made.earned(made.after), made.earned(made.before)
    if after is None or before is None:
        return None
    return after - before, float((after > before).mean())


@answers("What would other budgets bring?")
def scenarios(
    spent: pd.DataFrame, made: Plan, wish: Wish, *, verdict: str | None = None, returns: pd.DataFrame | None = None,
    factors: Sequence[float] = (0.8, 0.9, 1.0, 1.1, 1.2),
) -> pd.DataFrame:  # fmt: skip
    """What would a smaller or a larger total bring, split as well as can be?

    Returns
    -------
    DataFrame
        of_plan (the total over the one that was planned with), total, reserve, contribution (what is left of the sales
        brought, less the spending, over the months), gain (beside today's split of the same money), better (chance of
        that), with _low and _high (80 %).
        A total that the bounds do not allow has NaN.
    """
    rows = []
    for factor in factors:
        total = made.total * factor / 100
        row = {"of_plan": factor, "total": total, "reserve": np.nan}
        row |= {f"{n}{e}": np.nan for n in ("contribution", "gain") for e in ("", "_low", "_high")} | {"better": np.nan}
        try:
            other = plan(
                spent, made.curves, worth=made.worth, months=made.months, wish=replace(wish, total=total),
                verdict=verdict, returns=returns, currency=made.currency,
            )  # fmt: skip
        except ValueError:
            rows.append(row)
            continue
        row["reserve"] = other.reserve / 100
        earned, won = other.earned(other.after), gain(other)
        if earned is not None and won is not None:
            for name, drawn in (("contribution", earned), ("gain", won[0])):
                low, middle, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2])
                row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
            row["better"] = won[1]
        rows.append(row)
    return pd.DataFrame(rows)


@answers("What does the budget change?")
def findings(made: Plan, returns: pd.DataFrame | None = None) -> list[Finding]:
    """What is moved and what comes of it; by which rules; or why nothing is moved.

    Parameters
    ----------
    made : Plan
    returns : DataFrame, optional
        Of `playbook.media.roi.drill`, for what the rules say.
    """
    if not made.channels or not made.total:
        return [Finding("hold", _("Nothing was spent on advertising lately, so there is no budget to split."))]
    if made.mode == "held":
        return [Finding("watch", " ".join(made.reasons))]
    if made.mode == "rules":
        said = verdicts(returns)
        text = _("By the rules on what was earned, {raised} rise and {cut} fall; the others keep their part. {why}")
        names = {
            word: ", ".join(term("channel", c) for c in made.channels if said.get(c) == word) or _("none")
            for word in ("raise", "cut")
        }
        return [Finding("watch", text.format(raised=names["raise"], cut=names["cut"], why=" ".join(made.reasons)))]
    won = gain(made)
    assert won is not None
    low, middle, high = (float(x) for x in np.quantile(won[0], [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2]))
    text = _(
        "By the model, the same money split anew leaves {gain} more over {n} months (80 %: {interval}); the chance "
        "that this beats today's split is {better}. Where the truth was known, {kept} of such gains came true: count "
        "on {counted}. {reserve} stay in reserve."
    )
    said_of = text.format(
        gain=style.value(middle, "currency", currency=made.currency), n=len(made.months),
        interval=style.interval(low, high, "currency", currency=made.currency),
        better=style.chance(won[1]), kept=style.value(KEPT, "share", digits=0),
        counted=style.value(KEPT * middle, "currency", currency=made.currency),
        reserve=style.value(made.reserve / 100, "currency", currency=made.currency),
    )  # fmt: skip
    figures = (
        Figure("budget_gain", middle, "currency", low, high),
        Figure("budget_counted_on", KEPT * middle, "currency"),
        Figure("budget_better", won[1], "chance"),
        Figure("budget_reserve", made.reserve / 100, "currency"),
    )
    out = [Finding("act" if won[1] >= WORTH_DOING else "hold", said_of, KEPT * middle, figures)]
    last = beside(made).dropna(subset=["marginal_roi"])
    poor = last[(last["marginal_roi_high"] < 0) & (last["after"] > 0)]
    if len(poor):
        text = _("At the planned spending one more unit of money does not earn itself back in: {channels}.")
        names_of = ", ".join(term("channel", c) for c in poor["channel"])
        out.append(Finding("watch", text.format(channels=names_of), float(poor["after"].sum())))
    return out


@answers("What is to be done with the budget?")
def decisions(made: Plan, *, due: dt.date) -> list[Decision]:
    """Move the money, where it is likely enough to leave more; what is expected of it is what may be counted on."""
    won = gain(made) if made.mode == "model" and made.channels else None
    if won is None or won[1] < WORTH_DOING:
        return []
    moves = beside(made)
    moves = moves[moves["channel"] != "reserve"].set_index("channel")["change"]
    text = _(
        "Move the budget as proposed: most to {up} ({more}), most from {down} ({less}); look again after a quarter."
    )
    said = text.format(
        up=term("channel", str(moves.idxmax())), down=term("channel", str(moves.idxmin())),
        more=style.change_of_money(float(moves.max()), currency=made.currency),
        less=style.change_of_money(float(moves.min()), currency=made.currency),
    )  # fmt: skip
    span = f"{made.months[0].start}/{made.months[-1].last_day}"
    sold = KEPT * _more_sales(made)
    figures = [float(x) for x in np.quantile(sold, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2])]
    return [
        Decision(
            "move_budget", said, _("Head of marketing"), due, "gross_sales", span, figures[1], figures[0], figures[2],
            "currency", stake=KEPT * float(np.median(won[0])),
        )
    ]  # fmt: skip


def _more_sales(made: Plan) -> np.ndarray:
    """Sales that the plan brings beyond today's split of the same money, by draw."""
    assert made.curves is not None
    at = [made.channels.index(c) for c in made.curves.channels]
    after, before = (
        made.curves.sales(np.array([cents[i] for i in at]) / 100 / made.weeks).sum(axis=1)
        for cents in (made.after, made.before)
    )
    return (after - before) * made.weeks


@answers("What will be spent?")
def forecasts(made: Plan) -> list[Forecast]:
    """What is spent on advertising in the first month, under the budget that stands: today's, give or take a fifth."""
    if not made.channels or not made.total or not made.months:
        return []
    first = made.months[0]
    value = sum(made.today) / 100 * first.days / sum(m.days for m in made.months)
    return [
        Forecast("ad_spend", first.label, value, 0.8 * value, 1.2 * value, "currency", method="last quarter")
    ]  # fmt: skip


@quietly
def plot_beside(of: pd.DataFrame, *, currency: str = "CNY") -> Axes | None:
    """Each channel's money under today's split and under the plan."""
    rows = of[(of["before"] > 0) | (of["after"] > 0)].iloc[::-1]
    if rows.empty:
        return None
    ax = style.axes(height=1.4 + 0.46 * len(rows))
    place = np.arange(len(rows))
    for y, a, b in zip(place, rows["before"], rows["after"], strict=True):
        ax.plot([a, b], [y, y], color=style.GOOD if b >= a else style.BAD, linewidth=3, alpha=0.6)
    ax.plot(rows["before"], place, "o", color=style.COMPARISON, markersize=9, label=_("today's split"))
    ax.plot(rows["after"], place, "o", color=style.OWN, markersize=9, label=_("planned"))
    for y, row in zip(place, rows.to_dict("records"), strict=True):
        text = style.change_of_money(row["change"], currency=currency)
        ax.annotate(
            text, (max(row["before"], row["after"]), y), xytext=(10, 0), textcoords="offset points", va="center",
            fontsize=9.5,
        )  # fmt: skip
    ax.set_yticks(place, [term("channel", c) for c in rows["channel"]])
    ax.set_xlim(left=0)
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    style.money_axis(ax, currency, which="x")
    ax.legend(loc="lower right")
    ax.set_title(_("The same money: today's split, and the plan"))
    return ax
