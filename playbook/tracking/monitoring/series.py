"""The days of what is watched: out of measurements by day, and out of tables that no metric speaks of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...methods import alerts
from ...metrics.reach import LEVELS, OWN_SITES
from ...missing import Missing, answers
from ...period import Period
from .kpis import KPIS

COLUMNS = ["kpi", "part", "day", "value", "exposure"]
SHOWN = 70  # days that are judged and shown, at least
LOOK_BACK = 900  # days: so that a festival has been twice before
COMPLAINTS = ("complaint", "allergy", "quality", "damage", "投诉", "质量问题", "过敏")
NEGATIVE, LOW, NIGHT = 0.0, 2, 6  # sentiment below which a mention is negative; stars of a low rating; hours of night
PARTS = 12  # of a breakdown that are watched, the largest first
BEST = 20  # products that sell most in four weeks: these must not run out
RECENT, WEEK = 28, 7  # days
DELIVERIES = 2  # the last ones of a supplier, whose mean delay is watched
RUNNING = 0.7  # of four weeks' days that a channel must have advertised, to be held against its target
LASTING = 7  # days that a channel must stay below its target's limit


def history(period: Period, first_day: dt.date) -> Period:
    """The days that are needed to judge a period: two years where the data have them, for the festivals."""
    start = max(first_day, period.end - dt.timedelta(days=LOOK_BACK))
    return Period(min(start, period.start), period.end)


def since(period: Period) -> dt.date:
    """The first day that is judged: ten weeks before the end, or the period's first."""
    return min(period.start, period.end - dt.timedelta(days=SHOWN))


@answers("Which days are to be judged?")
def measured(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The days of figures that `playbook.metrics.measure` gives.

    Parameters
    ----------
    frames : sequence of DataFrame
        ``measure(shop, […], by=["day"] or ["day", part], period=history(…))``; a Missing among them is passed over.

    Returns
    -------
    DataFrame
        kpi, part ("": the whole shop), day, value, exposure (NaN: none). Of a rate and of money per thing, value is
        what was counted or summed, exposure what it is out of, so that days can be added up. A Missing where all are.
    """
    parts = []
    for frame in frames:
        if isinstance(frame, Missing):
            continue
        (part,) = [b for b in frame.attrs["by"] if b != "day"] or [None]
        rows = frame[frame["metric"].isin(list(KPIS))]
        rate = rows["metric"].isin(["aov", "cac"]) | (rows["unit"] == "share")
        value = rows["value"].where(~rate, rows["value"] * rows["n"])
        value = value.where(rows["unit"] != "share", value.round())
        parts.append(
            pd.DataFrame(
                {
                    "kpi": rows["metric"],
                    "part": "" if part is None else rows[part].astype(str),
                    "day": pd.to_datetime(rows["day"]),
                    "value": value,
                    "exposure": rows["n"].where(rate),
                }
            )
        )
    if not parts:
        return next(iter(frames), Missing("events"))
    out = pd.concat(parts, ignore_index=True)
    said = out[["value", "exposure"]].notna().any(axis=1) & (out["part"].ne("") | out["kpi"].notna())
    return _largest(out[said].dropna(subset="value"))


@answers("Which days of the funnel are to be judged?")
def steps(days: pd.DataFrame) -> pd.DataFrame:
    """The days of the steps of the own site.

    Parameters
    ----------
    days : DataFrame
        Of `playbook.site.funnel.daily`: day, part, step, tried, done.

    Returns
    -------
    DataFrame
        As `measured`; the figures are called like the step that is gone to.
    """
    rows = days[days["step"].isin(list(KPIS)) & (days["part"] != "")]
    out = rows.rename(columns={"step": "kpi", "done": "value", "tried": "exposure"})
    return _largest(out[out["exposure"] > 0][COLUMNS])


def told(
    *,
    until: dt.date,
    orders: ibis.Table | None = None,
    order_items: ibis.Table | None = None,
    ad_spend: ibis.Table | None = None,
    targets: ibis.Table | None = None,
    mentions: ibis.Table | None = None,
    tickets: ibis.Table | None = None,
    reviews: ibis.Table | None = None,
    shipments: ibis.Table | None = None,
    inventory: ibis.Table | None = None,
    purchase_orders: ibis.Table | None = None,
    competitors: ibis.Table | None = None,
    products: ibis.Table | None = None,
) -> pd.DataFrame:
    """The days of what no metric speaks of: service, stock, suppliers, parcels, competitors, returns on advertising.

    Parameters
    ----------
    until : date
        The day after the last one.
    orders, … : Table, optional
        Canonical tables; of what is lacking, nothing is told.

    Returns
    -------
    DataFrame
        As `measured`.
    """
    given = {
        k: None if isinstance(v, Missing) or v is None else as_table(v) for k, v in locals().items() if k != "until"
    }
    made = [
        _night(given["orders"], until),
        _negative(given["mentions"], given["products"], until),
        _complaints(given["tickets"], given["orders"], until),
        _low(given["reviews"], until),
        _late(given["shipments"], until),
        _roas(given["ad_spend"], given["targets"], until),
        _shelves(given["inventory"], given["order_items"], given["orders"], until),
        _suppliers(given["purchase_orders"], until),
        _rivals(given["competitors"], given["products"], until),
    ]
    there = [m for m in made if m is not None and len(m)]
    return _largest(pd.concat(there, ignore_index=True)[COLUMNS]) if there else pd.DataFrame(columns=COLUMNS)


def together(*some: pd.DataFrame) -> pd.DataFrame:
    """All days of all figures; a Missing among them is passed over."""
    there = [s for s in some if not isinstance(s, Missing) and len(s)]
    if not there:
        return next((s for s in some if isinstance(s, Missing)), pd.DataFrame(columns=COLUMNS))
    out = pd.concat(there, ignore_index=True)
    if (out["kpi"] == "visits").any():  # of the own site they are its visitors, and nobody wants to be told twice
        out = out[(out["kpi"] != "daily_visitors") | ~out["part"].isin(OWN_SITES)]
    return out.reset_index(drop=True)


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    """The largest parts of each figure, which are worth watching; what has no name is none of them."""
    size = rows.assign(size=rows["exposure"].fillna(rows["value"])).groupby(["kpi", "part"])["size"].sum()
    rank = size.groupby("kpi").rank(ascending=False, method="first")
    rules = [k for k, kpi in KPIS.items() if kpi.kind == "rule"]
    keep = rank.index[(rank <= PARTS) | rank.index.get_level_values("kpi").isin(rules)]
    keys = pd.MultiIndex.from_frame(rows[["kpi", "part"]])
    return rows[keys.isin(keep) & ~rows["part"].isin(["nan", "None"])].reset_index(drop=True)


def own_mentions(mentions: ibis.Table, products: ibis.Table | None) -> ibis.Table:
    """The mentions of the brands that the shop sells, where both say which."""
    if products is None or "brand" not in mentions.columns or "brand" not in products.columns:
        return mentions
    own = as_table(products).select("brand").distinct()["brand"].to_pandas().dropna().tolist()
    return mentions.filter(mentions["brand"].isin(own)) if own else mentions


def single_level(ad_spend: ibis.Table) -> ibis.Table:
    """Advertising of one level a platform and day: campaigns, keywords and creatives tell the same money again."""
    if "level" not in ad_spend.columns:
        return ad_spend
    rank = ibis.cases(*((ad_spend["level"] == name, i) for i, name in enumerate(LEVELS)), else_=len(LEVELS))
    ranked = ad_spend.mutate(_rank=rank)
    keys = [c for c in ("platform", "day") if c in ranked.columns]
    ranked = ranked.mutate(_best=ranked["_rank"].min().over(group_by=keys))
    return ranked.filter(ranked["_rank"] == ranked["_best"]).drop("_rank", "_best")


def _has(rows: ibis.Table | None, *columns: str) -> bool:
    return rows is not None and set(columns) <= set(rows.columns)


def _frame(
    rows: ibis.Table, at: str, until: dt.date, by: str | None = None, **sums: Callable[[ibis.Table], ibis.Value]
) -> pd.DataFrame:
    """Sums by day (and part), of days before `until`."""
    there = rows.mutate(_day=rows[at].cast("date"))
    there = there.filter(there["_day"].notnull() & (there["_day"] < ibis.date(until)))
    keys = {"day": there["_day"]} | ({"part": there[by]} if by else {})
    out = there.group_by(**keys).aggregate(**{name: sum_of(there) for name, sum_of in sums.items()}).to_pandas()
    out["day"] = pd.to_datetime(out["day"])
    return out.dropna(subset="part") if by else out.assign(part="")


def _share(
    kpi: str, rows: ibis.Table, at: str, until: dt.date, some: ibis.Value, by: str | None = None
) -> pd.DataFrame:
    marked = rows.mutate(_some=some.fill_null(False).cast("int64"))
    out = _frame(marked, at, until, by, value=lambda t: t["_some"].sum(), exposure=lambda t: t.count())
    return out.assign(kpi=kpi)


def _night(orders: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    if not _has(orders, "ordered_at"):
        return None
    assert orders is not None
    hour = orders["ordered_at"].cast("timestamp").hour()
    if not bool((hour > 0).any().execute()):  # days without hours
        return None
    return _share("night_orders", orders, "ordered_at", until, hour < NIGHT)


def _negative(mentions: ibis.Table | None, products: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    if not _has(mentions, "mentioned_at", "sentiment"):
        return None
    assert mentions is not None
    rows = own_mentions(mentions, products)
    rows = rows.filter(rows["sentiment"].notnull())
    return _share("negative_mentions", rows, "mentioned_at", until, rows["sentiment"] < NEGATIVE)


def _complaints(tickets: ibis.Table | None, orders: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    """Complaints, in proportion to the orders of the last two weeks, from which they come."""
    if not _has(tickets, "opened_at", "topic") or not _has(orders, "ordered_at"):
        return None
    assert tickets is not None and orders is not None
    bad = tickets.mutate(_bad=tickets["topic"].isin(COMPLAINTS).cast("int64"))
    rows = _frame(bad, "opened_at", until, value=lambda t: t["_bad"].sum()).set_index("day")["value"].sort_index()
    bought = _frame(orders, "ordered_at", until, n=lambda t: t.count()).set_index("day")["n"].sort_index()
    if rows.empty or bought.empty:
        return None
    days = pd.date_range(rows.index[0], pd.Timestamp(until) - pd.Timedelta(days=1))
    exposure = bought.reindex(days, fill_value=0).rolling(2 * WEEK, min_periods=1).mean()
    value = rows.reindex(days, fill_value=0).astype(float)
    return pd.DataFrame({"kpi": "complaints", "part": "", "day": days, "value": value.to_numpy(),
                         "exposure": exposure.to_numpy()})  # fmt: skip


def _low(reviews: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    if not _has(reviews, "reviewed_at", "rating"):
        return None
    assert reviews is not None
    rows = reviews.filter(reviews["rating"].notnull())
    return _share("low_ratings", rows, "reviewed_at", until, rows["rating"] <= LOW)


def _late(shipments: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    """Parcels that were promised for a day, and came later or have not come by its end."""
    if not _has(shipments, "promised_at", "delivered_at"):
        return None
    assert shipments is not None
    late = shipments["delivered_at"].isnull() | (shipments["delivered_at"] > shipments["promised_at"])
    by = "region" if _has(shipments, "region") else None
    return _share("late_parcels", shipments, "promised_at", until, late, by)


def _roas(ad_spend: ibis.Table | None, targets: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    """What each channel claims to earn in four weeks (the most of a week's sums) beside its target."""
    if not _has(ad_spend, "day", "spend", "conversion_value", "channel") or not _has(targets, "metric", "channel"):
        return None
    assert ad_spend is not None and targets is not None
    aims = targets.filter((targets["metric"] == "roas") & targets["channel"].notnull())
    aim = aims.group_by("channel").aggregate(target=aims["target"].cast("float64").mean()).to_pandas()
    aim = aim.set_index("channel")["target"]
    rows = _frame(
        single_level(ad_spend), "day", until, "channel", spend=lambda t: t["spend"].cast("float64").sum(),
        claimed=lambda t: t["conversion_value"].cast("float64").sum(),
    )  # fmt: skip
    out = []
    for channel, mine in rows.groupby("part"):
        if not aim.get(channel, 0.0) > 0:
            continue
        by_day = mine.set_index("day")[["claimed", "spend"]].sort_index()
        by_day = by_day.reindex(pd.date_range(by_day.index[0], by_day.index[-1]), fill_value=0.0)
        sums = by_day.rolling(RECENT, min_periods=RECENT).sum()
        busy = (by_day["spend"] > 0).rolling(RECENT, min_periods=RECENT).mean() > RUNNING
        ratio = (sums["claimed"] / sums["spend"].where(busy) / aim[channel]).rolling(LASTING, min_periods=1).max()
        out.append(_rule("roas", str(channel), ratio))
    return pd.concat(out) if out else None


def _shelves(
    inventory: ibis.Table | None, items: ibis.Table | None, orders: ibis.Table | None, until: dt.date
) -> pd.DataFrame | None:
    """For how many days the free stock of two days running lasts, of what sold best in the weeks before."""
    if not _has(inventory, "day", "product_id", "on_hand") or not _has(items, "product_id", "quantity", "order_id"):
        return None
    assert inventory is not None and items is not None
    if not _has(items, "ordered_at"):
        if not _has(orders, "order_id", "ordered_at"):
            return None
        assert orders is not None
        items = items.inner_join(orders.select("order_id", "ordered_at"), "order_id")
    sold = _frame(items, "ordered_at", until, "product_id", n=lambda t: t["quantity"].sum())
    taken = inventory["reserved"].fill_null(0) if "reserved" in inventory.columns else 0
    free = inventory.mutate(_free=inventory["on_hand"] - taken)
    stock = _frame(free, "day", until, "product_id", value=lambda t: t["_free"].sum())
    wide = sold.pivot_table(index="day", columns="part", values="n", aggfunc="sum").astype(float)
    wide = wide.reindex(pd.date_range(wide.index[0], pd.Timestamp(until) - pd.Timedelta(days=1))).fillna(0.0)
    a_day = wide.rolling(2 * RECENT, min_periods=RECENT).mean().shift(1)
    tall = a_day.rename_axis("day").rename_axis(columns="part").stack().rename("a_day").reset_index()
    tall = tall[(tall["a_day"] > 0) & (tall.groupby("day")["a_day"].rank(ascending=False, method="first") <= BEST)]
    stock = stock.merge(tall, on=["day", "part"])
    stock = stock.assign(kpi="stock_days", value=stock["value"].clip(lower=0) / stock["a_day"], exposure=np.nan)
    stock = stock.sort_values(["part", "day"], ignore_index=True)
    stock["value"] = stock.groupby("part")["value"].transform(lambda v: v.rolling(2, min_periods=1).max())
    return stock[COLUMNS]


def _suppliers(purchases: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    """By how many days the last deliveries of each supplier came late, on the days between them too."""
    if not _has(purchases, "supplier_id", "due_on", "received_on"):
        return None
    assert purchases is not None
    came = purchases.filter(purchases["received_on"].notnull())
    rows = came.select("supplier_id", "purchase_order_id", "due_on", "received_on").distinct().to_pandas()
    rows["day"] = pd.to_datetime(rows["received_on"])
    rows["late"] = (rows["day"] - pd.to_datetime(rows["due_on"])).dt.days
    out = []
    for supplier, mine in rows[rows["day"] < pd.Timestamp(until)].groupby("supplier_id"):
        late = mine.sort_values("day").set_index("day")["late"].rolling(DELIVERIES, min_periods=DELIVERIES).mean()
        late = late.groupby(level=0).last().dropna()
        if len(late):
            days = pd.date_range(late.index[0], pd.Timestamp(until) - pd.Timedelta(days=1))
            out.append(_rule("late_supplies", str(supplier), late.reindex(days).ffill()))
    return pd.concat(out) if out else None


def _rivals(rivals: ibis.Table | None, products: ibis.Table | None, until: dt.date) -> pd.DataFrame | None:
    """The dearest of a competitor's items in a category, beside our list price: below the limit, all of them are."""
    if not _has(rivals, "day", "competitor", "price", "product_id") or not _has(products, "product_id", "list_price"):
        return None
    assert rivals is not None and products is not None
    ours = products.select("product_id", "list_price", *(c for c in ("category",) if c in products.columns))
    ours = ours.distinct(on="product_id").rename(own="list_price")
    both = rivals.select("day", "competitor", "price", "product_id").inner_join(ours, "product_id")
    both = both.filter((both["own"] > 0) & (both["price"] > 0))
    both = both.mutate(_ratio=both["price"].cast("float64") / both["own"].cast("float64"))
    name = both["competitor"] + ", " + both["category"] if "category" in both.columns else both["competitor"]
    rows = _frame(both.mutate(_part=name), "day", until, "_part", value=lambda t: t["_ratio"].max())
    out = []
    for part, mine in rows.groupby("part"):
        by_day = mine.set_index("day")["value"].sort_index()
        days = pd.date_range(by_day.index[0], by_day.index[-1])
        out.append(_rule("rival_price", str(part), by_day.reindex(days).ffill().rolling(WEEK, min_periods=1).median()))
    return pd.concat(out) if out else None


def _rule(kpi: str, part: str, series: pd.Series) -> pd.DataFrame:
    there = series.dropna()
    return pd.DataFrame({"kpi": kpi, "part": part, "day": there.index, "value": there.to_numpy(float),
                         "exposure": np.nan})  # fmt: skip


def one(daily: pd.DataFrame, kpi: str, part: str = "") -> tuple[pd.Series, pd.Series | None, alerts.Kind]:
    """One figure's days without gaps, what they are out of, and of which kind they are.

    Raises
    ------
    ValueError
        It is not among the days.
    """
    mine = daily[(daily["kpi"] == kpi) & (daily["part"] == part)].set_index("day").sort_index()
    if mine.empty:
        raise ValueError(_("{kpi}, {part}: nothing of it is known").format(kpi=kpi, part=part))
    days = pd.date_range(mine.index[0], daily["day"].max())
    series = mine["value"].astype(float).reindex(days, fill_value=0.0)
    exposure = mine["exposure"].astype(float)
    kind = KPIS[kpi].kind
    assert kind != "rule"
    return series, None if exposure.isna().all() else exposure.reindex(days, fill_value=0.0), kind
