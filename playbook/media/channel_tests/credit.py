"""What each channel cost and was credited with, day by day, each order credited once."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...language import _, listing, term
from ...missing import answers

LEVELS = ("campaign", "account", "creative", "keyword")
"""Advertising is told at several levels that repeat each other: of a platform and day the first of these counts."""

TOLD = 0.9
"""Where a platform's orders tell the channel of less than this part of their sales, its counts by source are taken."""


@answers("What did each channel cost, and what was it credited with?", needs={"ad_spend": ["channel"]})
def daily(
    orders: ibis.Table | pd.DataFrame, ad_spend: ibis.Table | pd.DataFrame,
    traffic: ibis.Table | pd.DataFrame | None = None, returns: ibis.Table | pd.DataFrame | None = None, *,
    until: dt.date, incremental: str = "",
) -> pd.DataFrame:  # fmt: skip
    """What did each channel cost, and what was it credited with, day by day?

    An order counts for the one channel that its platform credits, so that nothing counts twice (as it does in what
    advertising platforms claim). Platforms whose orders do not tell their channel mostly tell sales by source; those
    are taken then. Where neither tells a channel, the claims stand in, and the notes say so. Returns are taken off:
    those of the orders themselves, or the platform's share.

    Parameters
    ----------
    orders : Table
        order_id, paid_at, amount (money); channel, platform.
    ad_spend : Table
        day, platform, level, spend (money), channel; conversion_value.
    traffic : Table, optional
        day, platform, source, sales (money); product_id.
    returns : Table, optional
        order_id, amount; platform.
    until : date
        Days before this one.
    incremental : str
        Parts of the credited sales that tests showed to be a channel's doing, as ``"search 0.8, live 0.9"``; the others
        are taken as they are.

    Returns
    -------
    DataFrame
        channel, day, spend, sales (net, money), orders (number), from the first day of advertising on, only channels
        on which something was spent. ``attrs``: notes, by_claims (channels whose sales are claims), first_day, until.

    Raises
    ------
    ValueError
        `incremental` cannot be read.
    """
    spent = _spent(as_table(ad_spend), until)
    notes: list[str] = []
    sold = [] if "channel" not in orders.columns and traffic is None else _sold(orders, traffic, returns, until, notes)
    earned = pd.concat(sold) if sold else pd.DataFrame(columns=["channel", "day", "sales", "orders"])
    channels = sorted(spent.loc[spent["spend"] > 0, "channel"].unique())
    claimed = [c for c in channels if c not in set(earned["channel"])]
    if claimed and spent["claimed"].notna().any():
        own = spent[spent["channel"].isin(claimed)].rename(columns={"claimed": "sales"})
        earned = pd.concat([earned, own[["channel", "day", "sales"]].assign(orders=np.nan)])
        note = _("REVIEW: no platform says which orders {channels} brought, so what it claims itself counts.")
        notes.append(note.format(channels=listing(term("channel", c) for c in claimed)))
    frame = pd.concat([spent[["channel", "day", "spend"]], earned], ignore_index=True)
    frame = frame[frame["channel"].isin(channels)].astype({"spend": float, "sales": float, "orders": float})
    frame = frame.groupby(["channel", "day"], as_index=False)[["spend", "sales", "orders"]].sum()
    frame["sales"] *= frame["channel"].map(parts_of(incremental)).fillna(1.0)
    first = spent["day"].min() if len(spent) else pd.NaT
    frame = frame[frame["day"] >= first].reset_index(drop=True)
    frame.attrs = {"notes": notes, "by_claims": claimed, "first_day": first, "until": pd.Timestamp(until)}
    return frame


def parts_of(text: str) -> dict[str, float]:
    """Channels and numbers out of a line of text.

    Examples
    --------
    >>> parts_of("search 0.8, live 0.9")
    {'search': 0.8, 'live': 0.9}
    """
    found = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        try:
            name, number = part.rsplit(maxsplit=1)
            found[name] = float(number)
        except ValueError:
            raise ValueError(
                _("cannot read {part!r}; write a channel and a number: search 0.8").format(part=part)
            ) from None
    return found


def _spent(table: ibis.Table, until: dt.date) -> pd.DataFrame:
    """Advertising by channel and day, of one level a platform and day; with what is claimed for it."""
    table = table.filter((table.day < ibis.literal(until)) & table.channel.notnull())
    rank = ibis.cases(*((table.level == name, i) for i, name in enumerate(LEVELS)), else_=len(LEVELS))
    table = table.mutate(_rank=rank)
    table = table.mutate(_best=table._rank.min().over(ibis.window(group_by=["platform", "day"])))
    table = table.filter(table._rank == table._best)
    value = table.conversion_value if "conversion_value" in table.columns else ibis.null("decimal(18, 4)")
    table = table.select("channel", "day", spend=table.spend, value=value)
    found = table.group_by("channel", "day").aggregate(spend=table.spend.sum(), claimed=table.value.sum())
    frame = found.order_by("channel", "day").to_pandas().astype({"spend": float, "claimed": float})
    return frame.assign(day=pd.to_datetime(frame["day"]))


def _sold(orders, traffic, returns, until: dt.date, notes: list[str]) -> list[pd.DataFrame]:
    """Net sales by channel and day: from orders, and from counts by source where orders do not tell."""
    paid = as_table(orders)
    paid = paid.filter(paid.paid_at.notnull() & (paid.paid_at < ibis.timestamp(dt.datetime.combine(until, dt.time()))))
    platform = paid.platform.fill_null("") if "platform" in paid.columns else ibis.literal("")
    channel = paid.channel if "channel" in paid.columns else ibis.null("string")
    rows = paid.select(
        platform=platform, order_id=paid.order_id, channel=channel, day=paid.paid_at.cast("date"), amount=paid.amount
    )
    rows = _with_returns(rows, returns)
    if returns is None:
        notes.append(_("REVIEW: no data on returns, so nothing is taken off for them."))
    whole = rows.group_by("platform").aggregate(
        amount=rows.amount.sum(), told=rows.amount.sum(where=rows.channel.notnull()), back=rows.back.sum()
    )
    of = whole.to_pandas().set_index("platform").astype(float).fillna(0.0)
    told = of["told"] / of["amount"].where(of["amount"] > 0)
    by_source = _sources(traffic, until)
    counted = [p for p in of.index if told[p] < TOLD and p in set(by_source["platform"])]
    rows = (
        rows.filter(rows.channel.notnull() & ~rows.platform.isin(counted))
        if counted
        else rows.filter(rows.channel.notnull())
    )
    found = rows.group_by("channel", "day").aggregate(
        amount=rows.amount.sum(), back=rows.back.sum(), orders=rows.count()
    )
    frame = found.order_by("channel", "day").to_pandas()
    frame = frame.assign(
        day=pd.to_datetime(frame["day"]), sales=frame["amount"].astype(float) - frame["back"].astype(float)
    )
    parts = [frame[["channel", "day", "sales", "orders"]]]
    if counted:
        mine = by_source[by_source["platform"].isin(counted)]
        kept = 1 - of["back"] / of["amount"].where(of["amount"] > 0)
        mine = mine.assign(sales=mine["sales"] * mine["platform"].map(kept))
        parts.append(mine[["channel", "day", "sales", "orders"]])
        note = _("Orders of {platforms} do not tell their channel; their sales by source are what the platform counts.")
        notes.append(note.format(platforms=listing(term("platform", p) for p in counted)))
    silent = [p for p in of.index if told[p] < TOLD and p not in counted and of["amount"][p] > 0]
    if silent:
        amount = of.loc[silent, "amount"].sum() - of.loc[silent, "told"].sum()
        note = _(
            "REVIEW: of {share} of all sales no platform says which channel brought them; returns are short of it."
        )
        notes.append(note.format(share=style.value(amount / of["amount"].sum(), "share")))
    return parts


def _with_returns(rows: ibis.Table, returns) -> ibis.Table:
    """Orders with what came back of each."""
    if returns is None:
        return rows.mutate(back=ibis.literal(0).cast("decimal(18, 4)"))
    table = as_table(returns)
    key = ["platform", "order_id"] if "platform" in table.columns else ["order_id"]
    there = {"platform": table.platform.fill_null("")} if "platform" in table.columns else {}
    table = table.select(**there, order_id=table.order_id, amount=table.amount)
    back = table.group_by(key).aggregate(back=table.amount.sum())
    joined = rows.left_join(back, key)
    joined = joined.mutate(back=joined.back.fill_null(0))
    return joined.drop(*(c for c in joined.columns if c.endswith("_right")))


def _sources(traffic, until: dt.date) -> pd.DataFrame:
    """Sales of whole shops by platform, source and day, as platforms count them."""
    nothing = pd.DataFrame(columns=["platform", "channel", "day", "sales", "orders"])
    if traffic is None or not {"source", "sales", "platform"} <= set(traffic.columns):
        return nothing
    table = as_table(traffic)
    table = table.filter((table.day < ibis.literal(until)) & table.source.notnull() & table.sales.notnull())
    if "product_id" in table.columns:
        table = table.filter(table.product_id.isnull())
    bought = table.orders if "orders" in table.columns else ibis.null("int64")
    table = table.select("platform", channel=table.source, day=table.day, sales=table.sales, bought=bought)
    found = table.group_by("platform", "channel", "day").aggregate(sales=table.sales.sum(), orders=table.bought.sum())
    frame = found.order_by("platform", "channel", "day").to_pandas()
    return frame.assign(day=pd.to_datetime(frame["day"])).astype({"sales": float, "orders": float})
