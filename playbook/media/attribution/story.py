"""What the rules agree on, where they part, and what experiments say beside them."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...data.engine import as_table
from ...findings import Figure, Finding
from ...language import N_, _, term
from ...missing import Missing, answers, quietly
from .rules import MEANINGS, TITLES

UNITS = {"least": "share", "most": "share", "between": "share", "value_least": "currency", "value_most": "currency"}
"""Units of `disagreement`."""
EXPERIMENT = {
    "sent": "count", "held": "count", "rate": "share", "rate_held": "share", "effect": "share", "orders": "count",
    "value": "currency",
}  # fmt: skip
"""Units of `held_back`."""
TOUCHING = 14
"""Days after a message within which an order counts as its."""


@answers("How much does the answer depend on the rule?")
def disagreement(credited: pd.DataFrame) -> pd.DataFrame:
    """How much does the answer depend on the rule?

    Parameters
    ----------
    credited : DataFrame
        From `credits`.

    Returns
    -------
    DataFrame
        channel; least, most (share of the orders, over the rules), least_by, most_by (the rules), between (their
        difference), value_least, value_most (money); the most disputed first. Empty where there were no orders.
    """
    known = credited.dropna(subset="share")
    if known.empty:
        columns = ["channel", "least", "most", "least_by", "most_by", "between", "value_least", "value_most"]
        return pd.DataFrame(columns=columns)
    wide = known.pivot(index="channel", columns="rule", values="share")
    worth = known.pivot(index="channel", columns="rule", values="value")
    frame = pd.DataFrame({
        "least": wide.min(axis=1), "most": wide.max(axis=1), "least_by": wide.idxmin(axis=1),
        "most_by": wide.idxmax(axis=1), "value_least": worth.min(axis=1), "value_most": worth.max(axis=1),
    })  # fmt: skip
    frame["between"] = frame["most"] - frame["least"]
    frame = frame.reset_index().sort_values(["between", "channel"], ascending=[False, True], ignore_index=True)
    return frame[["channel", "least", "most", "least_by", "most_by", "between", "value_least", "value_most"]]


@answers("What did messages add, beside those held back on purpose?", needs={"messages": ["holdout"]})
def held_back(
    messages: ibis.Table | pd.DataFrame, orders: ibis.Table | pd.DataFrame, *, since: dt.date, until: dt.date,
    within_days: int = TOUCHING, level: float = 0.9,
) -> pd.DataFrame:  # fmt: skip
    """What did messages add, beside customers who were chosen as well and held back on purpose?

    Who is held back is drawn by chance, so the difference is the messages' doing. Errors are those of customers, not of
    messages: one customer's messages resemble each other.

    Parameters
    ----------
    messages : Table
        customer_id, sent_at, holdout (flag).
    orders : Table
        customer_id, paid_at, amount (money).
    since, until : date
        Messages of these days; those of the last `within_days` are too young.

    Returns
    -------
    DataFrame
        One row: sent, held (messages), rate, rate_held (orders within `within_days` a message), effect (difference),
        effect_low, effect_high, orders (added by all that was sent), orders_low, orders_high, value, value_low,
        value_high (money, at the mean of orders that followed), p_value. NaN where nobody was held back.
    """
    rows, paid = as_table(messages), as_table(orders)
    young = until - dt.timedelta(days=within_days)
    rows = rows.filter((rows.sent_at >= _midnight(since)) & (rows.sent_at < _midnight(young)))
    rows = rows.select("message_id", "customer_id", "sent_at", held=rows.holdout.fill_null(False))
    paid = paid.filter(paid.paid_at.notnull() & paid.customer_id.notnull())
    paid = paid.select("customer_id", "paid_at", "amount")
    soon = rows.inner_join(
        paid,
        [
            rows.customer_id == paid.customer_id,
            paid.paid_at >= rows.sent_at,
            paid.paid_at < rows.sent_at + ibis.interval(days=within_days),
        ],
    )
    of_message = soon.group_by("message_id").aggregate(orders=soon.count(), amount=soon.amount.sum())
    rows = rows.left_join(of_message, "message_id")
    rows = rows.mutate(orders=rows.orders.fill_null(0), amount=rows.amount.fill_null(0))
    per = rows.group_by("held", "customer_id").aggregate(n=rows.count(), y=rows.orders.sum(), money=rows.amount.sum())
    sums = per.group_by("held").aggregate(
        people=per.count(), n=per.n.sum(), y=per.y.sum(), money=per.money.sum(),
        yy=(per.y * per.y).sum(), yn=(per.y * per.n).sum(), nn=(per.n * per.n).sum(),
    )  # fmt: skip
    by_arm = {bool(r["held"]): {k: float(v or 0) for k, v in r.items()} for r in sums.to_pandas().to_dict("records")}
    nothing = dict.fromkeys(("people", "n", "y", "money", "yy", "yn", "nn"), 0.0)
    sent, held = by_arm.get(False, nothing), by_arm.get(True, nothing)
    out = {"sent": sent["n"], "held": held["n"]}
    names = [f"{c}{e}" for c in ("effect", "orders", "value") for e in ("", "_low", "_high")]
    out |= dict.fromkeys(["rate", "rate_held", *names, "p_value"], math.nan)
    notes = []
    if min(sent["people"], held["people"]) < 30:
        notes.append(_("not enough data: needs {n} customers with a message and as many held back").format(n=30))
    else:
        rates = [arm["y"] / arm["n"] for arm in (sent, held)]
        errors = [
            (arm["yy"] - 2 * r * arm["yn"] + r * r * arm["nn"]) / arm["n"] ** 2
            for arm, r in zip((sent, held), rates, strict=True)
        ]
        error = math.sqrt(sum(errors))
        effect = rates[0] - rates[1]
        half = float(stats.norm.ppf(0.5 + level / 2)) * error
        mean = sent["money"] / sent["y"] if sent["y"] else math.nan
        effects = [effect, effect - half, effect + half]
        out |= {"rate": rates[0], "rate_held": rates[1]}
        out |= dict(zip(names, [w * x for w in (1.0, sent["n"], sent["n"] * mean) for x in effects], strict=True))
        out["p_value"] = float(2 * stats.norm.sf(abs(effect / error))) if error > 0 else math.nan
    frame = pd.DataFrame([out])
    titles = {
        "effect": N_("Orders more a message"),
        "orders": N_("Orders added"),
        "value": N_("Sales added"),
    }
    frame.attrs = {"notes": notes, "level": level, "within_days": within_days, "titles": titles}
    return frame


def _midnight(day: dt.date) -> ibis.Value:
    return ibis.timestamp(dt.datetime(day.year, day.month, day.day))


@answers("What follows from the rules?")
def findings(
    credited: pd.DataFrame, disputed: pd.DataFrame, experiment: pd.DataFrame | None = None, *, currency: str = "CNY"
) -> list[Finding]:  # fmt: skip
    """Which channels' credit depends on the rule, and what does an experiment say that no rule can?

    Parameters
    ----------
    credited, disputed : DataFrame
        From `credits` and `disagreement`.
    experiment : DataFrame, optional
        From `held_back`.
    """
    if disputed.empty:
        return [Finding("hold", _("No path ended in an order, so there is no credit to share."))]
    found = []
    top = disputed.iloc[0]
    text = _(
        "{channel} earned {least} of the orders by one rule (“{least_by}”) and {most} by another (“{most_by}”): its "
        "budget must not rest on either alone."
    ).format(
        channel=term("channel", top["channel"]),
        least=style.value(top["least"], "share"),
        most=style.value(top["most"], "share"),
        least_by=_(TITLES[top["least_by"]]),
        most_by=_(TITLES[top["most_by"]]),
    )
    figures = (Figure("attribution.between", top["between"], "share", by={"channel": top["channel"]}),)
    verdict = "watch" if top["between"] > 0.1 else "hold"
    found.append(Finding(verdict, text, float(top["value_most"] - top["value_least"]), figures))  # type: ignore[arg-type]
    if experiment is not None and not isinstance(experiment, Missing) and not math.isnan(experiment["effect"].iloc[0]):
        found.append(_of_experiment(experiment, currency))
    return found


def _of_experiment(experiment: pd.DataFrame, currency: str) -> Finding:
    e = experiment.iloc[0]
    days = experiment.attrs["within_days"]
    figures = (Figure("messages.effect", e["effect"], "per_order", e["effect_low"], e["effect_high"]),)
    held = style.value(100 * e["rate_held"], "per_order")
    sent = style.value(100 * e["rate"], "per_order")
    if e["effect_low"] > 0:
        text = _(
            "Of 100 messages {sent} were followed by an order within {days} days, of 100 held back {held}: only the "
            "difference is the messages' doing, {orders} orders worth {value}."
        )
    else:
        text = _(
            "Of 100 messages {sent} were followed by an order within {days} days, of 100 held back {held}: what "
            "messages add cannot be told from chance yet (between {orders} orders)."
        )
    said = text.format(
        sent=sent, held=held, days=days, value=style.value(e["value"], "currency", currency=currency),
        orders=style.value(round(e["orders"]), "count") if e["effect_low"] > 0
        else style.interval(round(e["orders_low"]), round(e["orders_high"]), "count"),
    )  # fmt: skip
    return Finding("hold", said, float(max(e["value"], 0.0)), figures, p=e["p_value"])


@quietly
def plot_disagreement(credited: pd.DataFrame) -> Axes | None:
    """The share of the orders that each rule gives each channel: a long line is a channel whose credit is disputed."""
    known = credited.dropna(subset="share")
    if known.empty:
        return None
    order = known.groupby("channel")["share"].mean().sort_values()
    ax = style.axes(height=1.6 + 0.42 * len(order))
    place = {c: i for i, c in enumerate(order.index)}
    spread = known.groupby("channel")["share"].agg(["min", "max"])
    ax.hlines([place[c] for c in spread.index], spread["min"], spread["max"], color=style.GRID, linewidth=6, zorder=1)
    shapes = ["<", ">", "P", "o", "s", "D", "^", "v"]
    colours = [*style.CATEGORIES, style.INK]
    for i, (rule, rows) in enumerate(known.groupby("rule", sort=False)):
        ax.scatter(
            rows["share"], [place[c] for c in rows["channel"]], marker=shapes[i % 8], color=colours[i % 8], s=46,
            label=_(TITLES[str(rule)]), zorder=2, alpha=0.9,
        )  # fmt: skip
    ax.set_yticks(list(place.values()), [term("channel", c) for c in place])
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlim(left=0)
    style.share_axis(ax, which="x")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.09), ncols=4, handletextpad=0.2)
    ax.set_title(_("Share of the orders that each rule gives a channel"))
    return ax


@answers("Which channel earned the orders?")
def side_by_side(credited: pd.DataFrame) -> pd.DataFrame:
    """Orders by channel, a column a rule, the most credited by the mean of the rules first.

    Returns
    -------
    DataFrame
        channel, one column a rule (orders).
    """
    wide = credited.pivot(index="channel", columns="rule", values="conversions")
    wide = wide[list(dict.fromkeys(credited["rule"]))]
    order = wide.mean(axis=1).sort_values(ascending=False, kind="stable").index
    wide = wide.loc[order].reset_index()
    wide.columns.name = None
    wide.attrs["titles"] = TITLES
    wide.attrs["definitions"] = {rule: _(MEANINGS[rule]) for rule in wide.columns[1:]}
    wide.attrs["notes"] = list(credited.attrs.get("notes", ()))
    return wide
