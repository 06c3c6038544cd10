"""The audit: which orders a person should look at, sorted into cases, and what the figures are without them."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...data.engine import as_table
from ...findings import Figure, Finding
from ...language import _, listing, term
from ...missing import Missing, answers, quietly
from ...period import Period
from . import rules, verdicts

KINDS = verdicts.DOUBTFUL
UNITS = {"orders_paid": "count", "paid_sales": "currency", "customers": "count", "aov": "currency",
         "repeat_rate": "share", "refund_rate": "share"}  # fmt: skip
"""Units of what `effect` returns."""


@answers("Which orders should somebody look at?", needs={"orders": ["customer_id"]})
def audit(
    orders: ibis.Table,
    items: ibis.Table | None = None,
    *,
    until: dt.date,
    days: int = 365,
    returns: ibis.Table | None = None,
    reviews: ibis.Table | None = None,
    said: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which orders look faked, or made to be refunded?

    Each rule (`rules.RULES`) is a sign with its points; from three points on a person should look. No sign alone but
    the refund loop reaches that: students share an address, and somebody is always awake. The accounts are judged by
    all they have done; nothing is blocked or left out by itself. What a person has said of an order stands, whatever
    its score.

    Parameters
    ----------
    orders, items, returns, reviews : Table
        Canonical; a rule whose table or column is lacking is silent, and the answer says so.
    until : date
        The day after the last one.
    days : int
        Orders placed within so many days before it are judged.
    said : DataFrame, optional
        ``plan/audit_queue.csv``, read with `verdicts.columns`: what a person found.

    Returns
    -------
    DataFrame
        One row an order with three points or more, or one that a person has called doubtful, the most first: platform,
        order_id, customer_id, ordered_at, amount (currency), product_id, region, city, kind (fake, refund loop), score
        (points), signs (in a row), place (what a case has in common), verdict (a person's; empty: nobody has looked).
        What she called genuine is not there. ``attrs``: ``silent`` (rules that could not be held), ``notes``, ``days``,
        ``judged`` (orders), ``looked_at`` (platform, order_id, kind that the rules gave it, score, verdict of each
        order that a person judged, as rows).

    References
    ----------
    Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289–300.
    """
    orders = as_table(orders)
    paid = orders.paid_at if "paid_at" in orders.columns else orders.ordered_at
    orders = orders.filter(paid.notnull(), orders.ordered_at < dt.datetime.combine(until, dt.time()))
    tables = [None if t is None else as_table(t) for t in (items, returns, reviews)]
    judged, silent = rules.evidence(orders, *tables)
    judged = judged.filter(judged.ordered_at >= dt.datetime.combine(until - dt.timedelta(days=days), dt.time()))
    score = sum((judged[r.name].cast("int32") * r.points for r in rules.RULES), ibis.literal(0))
    judged = verdicts.joined(judged.mutate(score=score), said)
    names = [r.name for r in rules.RULES]
    wanted = ["platform", "order_id", "customer_id", "ordered_at", "amount", "region", "city", "score", "verdict"]
    wanted += names
    queue = judged.filter((judged.score >= rules.REVIEW) | (judged.verdict != ""))
    queue = queue.select(*wanted, *rules.SHARED.values(), product_id=queue["product"]).to_pandas()
    ruled = np.where(queue["refund_loop"] == 1, "refund loop", "fake")
    frame = queue.assign(
        amount=queue["amount"].astype(float),
        kind=np.where(queue["verdict"].isin(KINDS), queue["verdict"], ruled),
        signs=[", ".join(_said(n) for n in names if row[n]) for row in queue[names].to_dict("records")],
        place=_place(queue),
    )
    keep = ["platform", "order_id", "customer_id", "ordered_at", "amount", "product_id", "region", "city", "kind",
            "score", "signs", "place", "verdict"]  # fmt: skip
    told = frame.assign(kind=ruled)[frame["verdict"] != ""].sort_values(["platform", "order_id"])
    frame = frame.loc[frame["verdict"] != verdicts.GENUINE, keep]
    out = frame.sort_values(["score", "ordered_at", "order_id"], ascending=[False, True, True], ignore_index=True)
    notes = []
    if silent:
        text = _("These signs need data that the shop does not have, and were not looked for: {signs}.")
        notes.append(text.format(signs=listing(term("signs", _said(n)) for n in silent)))
    looked_at = told[["platform", "order_id", "ordered_at", "amount", "kind", "score", "signs", "verdict"]]
    looked_at = looked_at.assign(ordered_at=looked_at["ordered_at"].astype(str))  # attributes hold plain words
    out.attrs = {"silent": silent, "notes": notes, "days": days, "judged": int(judged.count().execute()),
                 "looked_at": looked_at.to_dict("records")}  # fmt: skip
    return out


def _said(rule: str) -> str:
    """A rule as a reader sees it."""
    return rule.replace("_", " ")


def _place(queue: pd.DataFrame) -> pd.Series:
    """What links an order to others of its case: shared address, device or telephone, else its account."""
    out = queue["platform"] + "/" + queue["customer_id"].fillna(queue["order_id"])
    for rule, column in reversed(rules.SHARED.items()):
        out = out.where(queue[rule] != 1, queue["platform"] + "/" + queue[column].astype(object).fillna(""))
    return out


@answers("Which cases should somebody look at first?")
def cases(queue: pd.DataFrame) -> pd.DataFrame:
    """Which cases should somebody look at first?

    Parameters
    ----------
    queue : DataFrame
        What `audit` returned.

    Returns
    -------
    DataFrame
        One row a case, the surest and largest first: case (number), kind, platform, place (region and town),
        first_on, last_on (dates), orders, accounts, amount (currency), score (mean points), signs (of at least a third
        of its orders).
    """
    names = [_said(r.name) for r in rules.RULES]
    rows = []
    for (kind, _case), of in queue.groupby(["kind", "place"], sort=False):
        counts = of["signs"].str.split(", ").explode().value_counts()
        signs = [n for n in names if counts.get(n, 0) >= len(of) / 3]
        where = [x for x in of[["region", "city"]].iloc[0] if isinstance(x, str) and x]
        rows.append(
            (
                kind, of["platform"].iloc[0], " ".join(dict.fromkeys(where)), of["ordered_at"].min().normalize(),
                of["ordered_at"].max().normalize(), len(of), of["customer_id"].nunique(), of["amount"].sum(),
                of["score"].mean(), ", ".join(signs),
            )
        )  # fmt: skip
    columns = ["kind", "platform", "place", "first_on", "last_on", "orders", "accounts", "amount", "score", "signs"]
    out = pd.DataFrame(rows, columns=columns).sort_values(
        ["score", "orders", "amount", "first_on"], ascending=[False, False, False, True], ignore_index=True
    )
    out.insert(0, "case", [f"{i:03d}" for i in range(1, len(out) + 1)])
    out.attrs = dict(queue.attrs)
    return out


def faked(queue: pd.DataFrame | Missing) -> pd.DataFrame | None:
    """Orders that take no goods out of the warehouse: platform, order_id; None where the audit could not be made."""
    if isinstance(queue, Missing):
        return None
    return queue.loc[queue["kind"] == "fake", ["platform", "order_id"]]


def window(until: dt.date, days: int) -> Period:
    """The days that were audited."""
    return Period(until - dt.timedelta(days=days), until)


@answers("What are the figures without them?")
def effect(
    orders: ibis.Table, queue: pd.DataFrame, period: Period, *, returns: ibis.Table | None = None
) -> pd.DataFrame:
    """What do the shop's figures look like with the doubtful orders, and without?

    Parameters
    ----------
    orders, returns : Table
        Canonical.
    queue : DataFrame
        What `audit` returned.
    period : Period
        Orders paid in these days; returns are those of these orders.

    Returns
    -------
    DataFrame
        Two rows, ``counted``: all, without doubtful. orders_paid, paid_sales (currency), customers, aov (currency an
        order), repeat_rate (part of the customers with two orders or more in the period), refund_rate (part of the
        sales given back; NaN without returns).
    """
    orders = as_table(orders)
    paid_at = orders.paid_at if "paid_at" in orders.columns else orders.ordered_at
    start, end = (dt.datetime.combine(d, dt.time()) for d in (period.start, period.end))
    rows = orders.filter(paid_at.notnull(), paid_at >= start, paid_at < end)
    key = [c for c in ("platform", "order_id") if c in orders.columns]
    doubtful = queue[key].drop_duplicates().assign(doubtful=1) if len(queue) else None
    if doubtful is None:
        rows = rows.mutate(doubtful=0)
    else:
        rows = rows.left_join(as_table(doubtful), key, rname="{name}_of_queue")
        rows = rows.mutate(doubtful=rows.doubtful.fill_null(0))
    back = rows.amount * 0
    if returns is not None and "order_id" in as_table(returns).columns:
        returns = as_table(returns)
        link = [c for c in key if c in returns.columns]
        given = returns.filter(returns.order_id.notnull()).group_by(link).aggregate(back=returns.amount.sum())
        rows = rows.left_join(given, link, rname="{name}_of_return")
        back = rows.back.fill_null(0)
    each = rows.group_by("customer_id", "doubtful").aggregate(
        n=rows.order_id.count(), sales=rows.amount.sum(), back=back.sum()
    )
    parts = {"all": each, "without_doubtful": each.filter(each.doubtful == 0)}
    out = pd.DataFrame(
        [{"counted": name.replace("_", " ")} | _figures(table, returns is not None) for name, table in parts.items()]
    )
    out.attrs = {"period": period.label}
    return out


def _figures(each: ibis.Table, refunds: bool) -> dict[str, float]:
    person = each.filter(each.customer_id.notnull()).group_by("customer_id").aggregate(n=each.n.sum())
    sums = each.aggregate(n=each.n.sum(), sales=each.sales.sum(), back=each.back.sum()).to_pandas().iloc[0]
    who = person.aggregate(n=person.count(), again=(person.n >= 2).sum()).to_pandas().iloc[0]
    n, sales, back, buyers, again = (
        float(x) if pd.notna(x) else 0.0 for x in (*sums[["n", "sales", "back"]], *who[["n", "again"]])
    )
    return {
        "orders_paid": n,
        "paid_sales": sales,
        "customers": buyers or np.nan,
        "aov": sales / n if n else np.nan,
        "repeat_rate": again / buyers if buyers else np.nan,
        "refund_rate": back / sales if refunds and sales else np.nan,
    }


@answers("When did the doubtful orders come?")
def by_week(queue: pd.DataFrame) -> pd.DataFrame:
    """When did the doubtful orders come? week (its Monday), kind, orders."""
    week = queue["ordered_at"].dt.to_period("W-SUN").dt.start_time
    out = queue.assign(week=week).groupby(["week", "kind"], as_index=False).agg(orders=("order_id", "size"))
    out.attrs = dict(queue.attrs)
    return out


@quietly
def plot_by_week(weeks: pd.DataFrame) -> Axes:
    """Doubtful orders by week and kind: waves are bought, a trickle is not."""
    ax = style.axes(height=3.2)
    colors = {"fake": style.BAD, "refund loop": style.CATEGORIES[1]}
    table = weeks.pivot_table(index="week", columns="kind", values="orders", fill_value=0)
    below = np.zeros(len(table))
    for kind in KINDS:
        if kind in table.columns:
            ax.bar(table.index, table[kind], bottom=below, width=6, color=colors[kind], label=term("kind", kind))
            below = below + table[kind].to_numpy()
    if len(table):
        style.date_axis(ax)
        ax.legend()
    style.count_axis(ax)
    ax.set_ylabel(_("orders a week"))
    ax.set_title(_("Doubtful orders by week"))
    return ax


@answers("What does the audit say?")
def findings(queue: pd.DataFrame, found: pd.DataFrame, changed: pd.DataFrame, *, currency: str) -> list[Finding]:
    """What the audit says: how many orders, in how many cases, and which figure they bend most."""
    judged = queue.attrs["judged"]
    if queue.empty:
        text = _("None of {n} orders bears signs enough of being faked or made to be refunded.")
        return [
            Finding(
                "hold", text.format(n=style.value(judged, "count")), figures=(Figure("audit.doubtful", 0, "count"),)
            )
        ]
    out = []
    for kind in KINDS:
        of, own = found[found["kind"] == kind], queue[queue["kind"] == kind]
        if own.empty:
            continue
        said = {
            "fake": _(
                "{orders} of {judged} orders look faked ({money}, {cases} cases, the last on {last}): look at the queue"
                " before these figures are used."
            ),
            "refund loop": _(
                "{orders} of {judged} orders are by accounts that have nearly everything refunded ({money}, {cases}"
                " cases, the last on {last}): ask for the goods before the money."
            ),
        }[kind]
        figures = (Figure("audit.doubtful", len(own), "count", by={"kind": kind}),)
        text = said.format(
            orders=style.value(len(own), "count"), judged=style.value(judged, "count"),
            cases=style.value(len(of), "count"), last=style.date(own["ordered_at"].max()),
            money=style.value(own["amount"].sum(), "currency", currency=currency),
        )  # fmt: skip
        out.append(Finding("act", text, stake=float(own["amount"].sum()), figures=figures))
    was, now = (changed.set_index("counted").loc[c] for c in ("all", "without doubtful"))
    if was["paid_sales"] > 0 and now["orders_paid"] < was["orders_paid"]:
        less = 1 - now["paid_sales"] / was["paid_sales"]
        text = _(
            "Without the doubtful orders paid sales are {sales} lower, and {now} of the customers buy again instead of"
            " {was}."
        )
        said = text.format(
            sales=style.value(less, "share"), now=style.value(now["repeat_rate"], "share"),
            was=style.value(was["repeat_rate"], "share"),
        )  # fmt: skip
        out.append(Finding("watch", said, figures=(Figure("audit.sales_change", -less, "share"),)))
    return out
