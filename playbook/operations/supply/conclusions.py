"""What follows for supply: findings, decisions and forecasts."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...findings import Figure, Finding
from ...language import _, current, listing
from ...missing import answers
from ...outlook import Decision, Forecast
from ...period import Period
from .chances import quantile
from .demand import AHEAD, Demand

NAMED = 3
"""Products that a sentence names."""


@answers("Which products will run out?")
def prestock_findings(
    checked: pd.DataFrame, prices: pd.Series, *, currency: str, names: pd.Series | None = None
) -> list[Finding]:
    """Which products will run out before the promotion ends, and what is at stake?

    Parameters
    ----------
    checked : DataFrame
        What `by_product` returned.
    prices : Series by product_id
        Currency a unit.
    """
    ends = style.date(checked.attrs["ends"])
    failing = checked[checked["verdict"] == "FAIL"]
    tight = checked[checked["verdict"] == "REVIEW"]
    out = []
    for row in failing.head(NAMED).itertuples():
        stake = row.short * float(prices.get(row.product_id, np.nan))
        text = _(
            "{product} will run out on {day} if nothing is done: {available} units are there, {inbound} come in time,"
            " and {expected} will be asked for until {ends}."
        )
        said = text.format(
            product=_name(row.product_id, names), day=style.date(row.runs_out_on), ends=ends,
            available=style.value(round(row.available), "count"), inbound=style.value(round(row.inbound), "count"),
            expected=style.value(round(row.expected), "count"),
        )  # fmt: skip
        figure = Figure("supply.short", row.short, "count", by={"product_id": row.product_id})
        out.append(Finding("act", said, stake, (figure,)))
    if len(failing) > NAMED:
        text = _("{n} more products will run out before {ends}: see the table of stock for the promotion.")
        out.append(Finding("act", text.format(n=style.value(len(failing) - NAMED, "count"), ends=ends)))
    if len(tight):
        text = _("Stock hardly lasts until {ends} for {products} (products in all: {n}).")
        named = listing(_name(p, names) for p in tight["product_id"].head(NAMED))
        out.append(Finding("watch", text.format(n=style.value(len(tight), "count"), ends=ends, products=named)))
    if not len(failing) and not len(tight):
        text = _("All products have stock for what will be asked for until {ends}, with a margin.")
        out.append(Finding("hold", text.format(ends=ends)))
    return out


@answers("What does the stock say?")
def stock_findings(
    lost: pd.DataFrame | None,
    turned: pd.DataFrame | None,
    reached: pd.DataFrame | None,
    late: pd.DataFrame | None,
    *,
    currency: str,
    since: dt.date,
    names: pd.Series | None = None,
) -> list[Finding]:
    """What past stock-outs cost, how the stock turned, what the replay says, and which supplier has become late.

    What is not known is left out: its card stands above.
    """
    out: list[Finding] = []
    if lost is not None:
        recent = lost[lost["ends"] >= pd.Timestamp(since)]
        for row in recent.head(NAMED).itertuples():
            text = _(
                "{product} was out of stock from {begins} to {ends}: about {units} units ({low} to {high}) worth"
                " {money} were not sold."
            )
            said = text.format(
                product=_name(row.product_id, names), begins=style.date(row.begins), ends=style.date(row.ends),
                units=style.value(round(row.lost_units), "count"), low=style.value(round(row.lost_units_low), "count"),
                high=style.value(round(row.lost_units_high), "count"),
                money=style.value(row.lost_sales, "currency", currency=currency),
            )  # fmt: skip
            figure = Figure(
                "supply.lost_sales", row.lost_sales, "currency", row.lost_sales_low, row.lost_sales_high,
                {"product_id": row.product_id, "begins": row.begins.date().isoformat()},
            )  # fmt: skip
            out.append(Finding("watch", said, row.lost_sales, (figure,)))
    if turned is not None and len(turned) and turned["turns"].notna().any():
        row = turned.iloc[0]
        text = _("The stock turns {turns} times a year: it lies {days} days on average.")
        said = text.format(
            turns=style.value(row["turns"], "ratio"), days=style.value(round(row["days_of_stock"]), "count")
        )
        out.append(Finding("hold", said, figures=(Figure("supply.turns", row["turns"], "ratio"),)))
    if reached is not None and len(reached):
        row = reached.iloc[0]
        text = {
            True: _(
                "Replayed on the past year, the reorder points kept {kept} of the waits for goods ({low} to {high}; aim"
                " {aim})."
            ),
            False: _(
                "Replayed on the past year, the reorder points kept {kept} of the waits for goods ({low} to {high}),"
                " less than the {aim} aimed at: deliveries or demand changed as nobody could know."
            ),
        }[bool(row["service_high"] >= row["aim"])]
        said = text.format(
            **{k: style.value(row[c], "share") for k, c in
               {"kept": "service", "low": "service_low", "high": "service_high", "aim": "aim"}.items()}
        )  # fmt: skip
        figure = Figure("supply.cycle_service", row["service"], "share", row["service_low"], row["service_high"])
        out.append(Finding("hold" if row["service_high"] >= row["aim"] else "watch", said, figures=(figure,)))
    if late is not None:
        for row in late[late["changed"]].itertuples():
            text = _(
                "Supplier {supplier} now takes {now} days instead of {before}: her goods are ordered so much earlier."
            )
            said = text.format(
                supplier=row.supplier_id, now=style.value(round(row.lead_days), "count"),
                before=style.value(round(row.before_days), "count"),
            )  # fmt: skip
            figure = Figure("supply.lead_days", row.lead_days, "days", by={"supplier_id": row.supplier_id})
            out.append(Finding("watch", said, figures=(figure,)))
    return out


@answers("What is to be done about supply?")
def decisions(
    checked: pd.DataFrame,
    coming: pd.DataFrame | None,
    demand: Demand,
    prices: pd.Series,
    period: Period,
    *,
    until: dt.date,
    names: pd.Series | None = None,
) -> list[Decision]:
    """What is to be done: bring a delivery forward where a product runs out before it, and order what must be ordered.

    The effect is what would otherwise not be sold in the next month, by day: what is asked for while nothing is there.
    """
    if coming is None:
        coming = pd.DataFrame(columns=["purchase_order_id", "product_id", "quantity", "due_on", "arrives_on"])
        coming = coming.astype({"arrives_on": "datetime64[ns]"})
    following, out = period.following, []
    for row in checked[checked["verdict"] == "FAIL"].head(NAMED).itertuples():
        after = coming[(coming["product_id"] == row.product_id) & (coming["arrives_on"] > row.runs_out_on)]
        lost = _lack(demand, row.product_id, float(row.available), coming, until, following)
        value, low, high = (x * float(prices.get(row.product_id, np.nan)) for x in lost)
        if not (np.isfinite([value, low, high]).all() and value > 0):
            continue
        if len(after):
            text = _(
                "Have the delivery {order} of {product}, due on {due}, brought forward to before {day}; or take it out"
                " of the promotion."
            ).format(
                order=after["purchase_order_id"].iloc[0], product=_name(row.product_id, names),
                due=style.date(after["due_on"].iloc[0]), day=style.date(row.runs_out_on),
            )  # fmt: skip
        else:
            text = _(
                "Order {units} units of {product} now, the fastest way; take it out of the promotion until they come."
            ).format(units=style.value(int(np.ceil(row.short_high)), "count"), product=_name(row.product_id, names))
        out.append(
            Decision(
                "bring_forward", text, _("purchasing"), min(until + dt.timedelta(days=2), row.runs_out_on.date()),
                "paid_sales", following.label, value, low, high, "currency", by={"product_id": row.product_id},
            )
        )  # fmt: skip
    return out


@answers("What is to be done about stock before the campaign?")
def campaign_decisions(
    checked: pd.DataFrame,
    leads: pd.DataFrame | None,
    prices: pd.Series,
    *,
    campaign: str,
    period: str,
    until: dt.date,
    names: pd.Series | None = None,
) -> list[Decision]:
    """What is to be ordered, and until when, so that a campaign does not run out of it?

    The effect is what would not be sold until its end: the units that will lack, at what a unit brings.

    Parameters
    ----------
    checked : DataFrame
        What `by_product` returned for the campaign's last day.
    leads : DataFrame, optional
        What `safety.lead_times` returned: the last day to order lies so long before the product runs out.
    prices : Series by product_id
        Currency a unit.
    campaign, period : str
        Its name, and the label of the days that it has left.
    until : date
        Today.
    """
    known = {} if leads is None else {r.product_id: float(np.ceil(r.leads.mean())) for r in leads.itertuples()}
    out = []
    for row in checked[checked["verdict"] == "FAIL"].head(NAMED).itertuples():
        value, low, high = (x * float(prices.get(row.product_id, np.nan)) for x in
                            (row.short, row.short_low, row.short_high))  # fmt: skip
        if not (np.isfinite([value, low, high]).all() and value > 0):
            continue
        wait = known.get(row.product_id)
        latest = None if wait is None else row.runs_out_on.date() - dt.timedelta(days=int(wait))
        due = until + dt.timedelta(days=1)
        text = _("Have {units} more units of {product} there before {day}, or take it out of “{campaign}”.")
        if latest is not None and latest > until:
            due = latest
            text = _(
                "Order {units} units of {product} by {latest}: its supplier takes {wait}, and it runs out on {day}."
            )
        elif latest is not None:
            text = _(
                "Have {units} more units of {product} there before {day}, or take it out of “{campaign}”: the last day"
                " to order them ({wait} before) was {latest}."
            )
        said = text.format(
            units=style.value(int(np.ceil(row.short)), "count"), product=_name(row.product_id, names),
            day=style.date(row.runs_out_on), campaign=campaign, wait=style.value(wait, "days"),
            latest="" if latest is None else style.date(latest),
        )  # fmt: skip
        effect = (value, min(low, value), max(high, value))
        out.append(
            Decision(
                "bring_forward", said, _("purchasing"), due, "paid_sales", period, *effect, "currency",
                by={"product_id": row.product_id},
            )
        )  # fmt: skip
    return out


def _lack(
    demand: Demand, product: str, there: float, coming: pd.DataFrame, until: dt.date, within: Period
) -> tuple[float, float, float]:
    """Units asked for in a period while nothing is there: as expected, and for low and high demand (80 %)."""
    j = demand.products.get_loc(product)
    n = len(demand.days)
    days = min((within.end - until).days, AHEAD)
    ahead = demand.expected(n, n + days)[j]
    landed = np.zeros(days)
    of = coming[coming["product_id"] == product]
    at = (of["arrives_on"] - pd.Timestamp(until)).dt.days.clip(lower=0).to_numpy()
    np.add.at(landed, at[at < days], of["quantity"].to_numpy(float)[at < days])
    total = ahead.sum()
    if total <= 0:
        return 0.0, 0.0, 0.0
    error = demand.error()[j]
    low, high = (float(quantile(np.array([total]), q, demand.luck[j], error)[0]) / total for q in (0.1, 0.9))
    lost = []
    for scale in (1.0, low, high):
        stock, gone = there, 0.0
        for wanted, comes in zip(ahead * scale, landed, strict=True):
            stock += comes - wanted
            if stock < 0:  # who does not find it buys elsewhere
                gone, stock = gone - stock, 0.0
        lost.append(gone)
    return lost[0], min(lost[0], lost[1]), max(lost[0], lost[2])


@answers("How much will be asked for?")
def by_category(
    demand: Demand, sold: pd.DataFrame, period: Period, *, categories: pd.Series | None = None
) -> pd.DataFrame:
    """How many units of each category were sold in the period, and how many will be asked for in the next one?

    Returns
    -------
    DataFrame
        category, units (sold in the period), next_units, next_units_low, next_units_high (80 %).
    """
    categories = pd.Series(dtype=object) if categories is None else categories
    within = (sold["day"] >= pd.Timestamp(period.start)) & (sold["day"] < pd.Timestamp(period.end))
    of = sold.loc[within, "product_id"].map(categories).astype(object).fillna("")
    units = sold.loc[within, "units"].groupby(of).sum()
    following, n = period.following, len(demand.days)
    first = max((pd.Timestamp(following.start) - demand.days[-1]).days - 1, 0)
    ahead = demand.expected(n + first, n + min(first + following.days, AHEAD)).sum(axis=1)
    category = pd.Series(demand.products).map(categories).astype(object).fillna("").to_numpy(object)
    rows = []
    for name in sorted(set(category)):
        mine = category == name
        mean = ahead[mine].sum()
        luck = float((demand.luck[mine] * ahead[mine]).sum() / mean) if mean > 0 else 1.0
        low, high = (float(quantile(np.array([mean]), q, luck, demand.spread)[0]) for q in (0.1, 0.9))
        rows.append((name, float(units.get(name, 0.0)), mean, min(low, mean), max(high, mean)))
    return pd.DataFrame(rows, columns=["category", "units", "next_units", "next_units_low", "next_units_high"])


@answers("What will be sold?")
def forecasts(told: pd.DataFrame, period: Period, *, name: str = "units_sold") -> list[Forecast]:
    """Units of each category in the next period, as the next report will count them (its figure of the same name)."""
    return [
        Forecast(
            f"{name}.units", period.following.label, row.next_units, row.next_units_low, row.next_units_high, "count",
            by={"category": row.category}, method="poisson regression",
        )
        for row in told.itertuples()
        if row.next_units > 0
    ]  # fmt: skip


@answers("What are the products called?")
def names(products: ibis.Table | None) -> pd.Series:
    """What are the products called, in the language in use? Name by product_id; empty without products."""
    if products is None:
        return pd.Series(dtype=object)
    table = as_table(products)
    wanted = ["name_en", "name"] if current() == "en" else ["name", "name_en"]
    frame = table.select("product_id", *(c for c in wanted if c in table.columns)).to_pandas()
    frame = frame.drop_duplicates("product_id").set_index("product_id").reindex(columns=wanted)
    said = frame[wanted[0]].where(frame[wanted[0]].astype(object).fillna("") != "", frame[wanted[1]])
    return said.where(said.notna(), pd.Series(said.index, said.index))


@answers("What are the products called?")
def named(frame: pd.DataFrame, names: pd.Series | None = None) -> pd.DataFrame:
    """The same rows, with the product's name beside its number."""
    if names is None or names.empty:
        return frame
    out = frame.copy()
    out.insert(out.columns.get_loc("product_id") + 1, "product", out["product_id"].map(names).astype(object).fillna(""))
    out.attrs = dict(frame.attrs)
    return out


@answers("Which category does a product belong to?")
def categories(products: ibis.Table | None) -> pd.Series:
    """Category by product_id; empty where it is not known."""
    table = None if products is None else as_table(products)
    if table is None or "category" not in table.columns:
        return pd.Series(dtype=object)
    frame = table.select("product_id", "category").to_pandas().drop_duplicates("product_id")
    return frame.set_index("product_id")["category"].astype(object).fillna("")


def _name(product: str, names: pd.Series | None) -> str:
    return str(product) if names is None else str(names.get(product, product))
