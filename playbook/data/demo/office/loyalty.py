"""What binds customers: points, coupons, and messages with their hold-outs. Money is in fen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..shoppers.orders import COUPONS
from ..world import World

# Points.
MEMBERS_ON = ("tmall", "own_site")  # whose buyers collect points, one for each yuan paid for goods
VALID = 365  # days that points live
EVERY_THIRD = 3  # orders after which she may turn the points of the last three into a present
REDEEMS = 0.42  # of those who may and have a hundred points do so; a hundred points are worth a yuan
POINT = 1  # fen that a point is worth

# Coupons: days from claim to end by threshold, unused ones for each used one (see the docs of loyalty programmes: a
# fifth to a quarter of the coupons that are issued is used).
LIVES = {29_900: 30, 19_900: 14, 9_900: 7}
UNUSED = (3, 6)
UNCLAIMED = 0.45  # of those that are never used had not even been claimed

# Messages. Where each platform's customers can be written to.
REACHED_BY = {
    "tmall": "sms 78 wecom 22",
    "jd": "sms 85 email 15",
    "douyin": "sms 88 wecom 12",
    "own_site": "email 34 push 26 wecom 40",
}
# Channel: part delivered, opened of delivered, clicked of opened (SMS: of delivered, nobody sees it opened), leaves the
# list, fen a message. E-mail as in the public benchmarks of retail mailings, SMS at the operators' list price.
RATES = {
    "email": (0.970, 0.190, 0.120, 0.0016, 1),
    "sms": (0.985, 1.000, 0.028, 0.0040, 5),
    "push": (0.820, 0.060, 0.350, 0.0020, 0),
    "wecom": (0.960, 0.420, 0.180, 0.0030, 0),
}
SENT_ON = 3  # Thursday
LIST_PART = 0.105  # of the list that an ordinary week's messages go to; it follows what is spent
HOLDOUT = 0.10  # of those chosen are held back
CLICKED = 0.80  # of those whom the message made buy had clicked it
MEMORY = 14  # days within which a message can have been the cause
WARM_UP = 14  # days before a festival's promotion from which messages belong to its campaign


def loyalty(
    world: World, orders: pd.DataFrame, lines: pd.DataFrame, customers: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The tables `points`, `coupons` and `messages` of one block of people.

    `customers` is the block's table of customers; who is not in it (accounts of cheats) has no points.
    """
    return {
        "points": points(world, orders, customers),
        "coupons": coupons(world, orders, lines, customers),
        "messages": messages(world, orders, customers),
    }


def points(world: World, orders: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Points earned with what is paid, turned into presents, and expired after a year, the oldest going first."""
    mine = orders["paid_at"].notna() & orders["platform"].isin(MEMBERS_ON) & (orders["amount"] >= 100)
    mine &= orders["customer_id"].isin(customers["customer_id"])
    lots = orders.loc[mine, ["customer_id", "order_id", "paid_at", "amount", "person", "number"]]
    lots = lots.sort_values(["customer_id", "paid_at", "order_id"], ignore_index=True)
    lots["points"] = lots["amount"] // 100
    earned = lots.assign(kind="earn", at=lots["paid_at"], entry="E" + lots["order_id"])
    redeemed = _redeemed(world, lots).assign(kind="redeem")
    gone = lots.assign(kind="expire", at=(lots["paid_at"] + pd.Timedelta(days=VALID + 1)).dt.normalize())
    gone = gone[gone["at"] < world.calendar.end].assign(entry="X" + lots["order_id"])
    rows = pd.concat([earned, redeemed, gone], ignore_index=True)
    rows["rank"] = rows["kind"].map({"expire": 0, "redeem": 1, "earn": 2})
    rows = rows.sort_values(["customer_id", "at", "rank"], kind="stable", ignore_index=True)
    rows = _expired(rows)
    return pd.DataFrame(
        {
            "entry_id": rows["entry"],
            "booked_at": rows["at"].astype("datetime64[s]"),
            "customer_id": rows["customer_id"],
            "kind": rows["kind"],
            "points": rows["points"],
            "order_id": rows["order_id"].where(rows["kind"] == "earn"),
            "value": (-rows["points"] * POINT).where(rows["kind"] == "redeem").astype("Int64"),
        }
    ).sort_values(["booked_at", "entry_id"], ignore_index=True)


def _redeemed(world: World, lots: pd.DataFrame) -> pd.DataFrame:
    """With every third order some turn the points of the three before it into a present.

    These three cannot have been touched by then, whatever went before: so there are always points enough.
    """
    number = lots.groupby("customer_id").cumcount()
    young = pd.DataFrame(
        {k: lots["paid_at"] - lots["paid_at"].shift(k) < pd.Timedelta(days=VALID - 1) for k in (1, 2, 3)}
    )
    have = sum(lots["points"].shift(k, fill_value=0) * young[k] for k in (1, 2, 3))
    asks = (number > 0) & (number % EVERY_THIRD == 0) & (have >= 100)
    asks &= world.draws.uniform("redeems", lots["person"].to_numpy(), lots["number"].to_numpy()) < REDEEMS
    out = lots[asks].assign(at=lots["paid_at"], entry="R" + lots["order_id"])
    return out.assign(points=-(have[asks] // 100 * 100))


def _expired(rows: pd.DataFrame) -> pd.DataFrame:
    """Expiries reduced to what is left of each lot; those of which nothing is left fall away.

    `rows` lie by customer and time. After an expiry at least everything is gone that was earned up to its lot: so
    what has gone is the running maximum of ``earned up to the lot − redeemed by now``, plus the redeemed.
    """
    by = rows["customer_id"]
    expires = (rows["kind"] == "expire").to_numpy()
    taken = (-rows["points"]).where(rows["kind"] == "redeem", 0).groupby(by).cumsum()
    lot = rows["points"].where(expires, 0).groupby(by).cumsum()  # lots expire in the order in which they were earned
    beyond = (lot - taken).where(expires, 0).clip(lower=0).groupby(by).cummax()
    newly = beyond - beyond.groupby(by).shift(fill_value=0)
    rows = rows.assign(points=np.where(expires, -newly, rows["points"]))
    return rows[rows["points"] != 0]


def coupons(world: World, orders: pd.DataFrame, lines: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Coupons: those that orders used, and several times as many that nobody used."""
    draws, cal = world.draws, world.calendar
    with_one = orders["coupon_id"].notna().to_numpy()
    used, basket = orders[with_one], _basket(world, orders, lines)[with_one]
    who = (used["person"].to_numpy(), used["number"].to_numpy())
    threshold = np.select([basket >= t for t, _off in COUPONS], [t for t, _off in COUPONS])
    day = pd.Timedelta(days=1)
    life = pd.Series(threshold, used.index).map(LIVES)
    waited = np.minimum(2.5 * draws.exponential("coupon waits", *who), 0.95 * life)
    claimed = (used["ordered_at"] - pd.to_timedelta(60 + np.rint(waited * 86400), unit="s")).clip(lower=cal.days[0])
    issued = (claimed - pd.to_timedelta(np.rint(86400 * draws.exponential("coupon lies", *who)), unit="s")).clip(
        lower=cal.days[0]
    )
    paid = used["paid_at"].notna()
    first = pd.DataFrame(
        {
            "coupon_id": used["coupon_id"],
            "issued_at": issued,
            "customer_id": used["customer_id"],
            "threshold": threshold,
            "claimed_at": claimed,
            "expires_at": claimed + life * day,
            "used_at": used["ordered_at"].where(paid),  # an order that is never paid gives its coupon back
            "order_id": used["order_id"].where(paid),
        }
    )
    out = pd.concat([first, _unused(world, first, who, customers)], ignore_index=True)
    half = np.where(out["issued_at"].dt.month <= 6, "H1", "H2")
    year = out["issued_at"].dt.year.astype(str)
    out["promotion_id"] = [coupon_promotion(t, y, h) for t, y, h in zip(out["threshold"], year, half, strict=True)]
    out["face_value"] = out["threshold"].map(dict(COUPONS))
    out["recorded_at"] = out["issued_at"]
    times = ["issued_at", "recorded_at", "expires_at", "claimed_at", "used_at"]
    out = out.astype(dict.fromkeys(times, "datetime64[s]"))
    return out.sort_values(["issued_at", "coupon_id"], ignore_index=True)


def coupon_promotion(threshold: int, year: str, half: str) -> str:
    """The promotion that a coupon belongs to: one for each threshold and half-year."""
    return f"coupon-{threshold // 100}-{year}{half}"


def _basket(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> np.ndarray:
    """What each order was worth before its coupon, as `orders.make_orders` saw it."""
    product, day = lines["product"].to_numpy(), orders["day"].to_numpy()[lines["order"]]
    gross = (lines["unit_price"] * lines["quantity"]).to_numpy()
    net = gross - np.rint(gross * world.depth[product, day]).astype(np.int64)
    return np.bincount(lines["order"], net, len(orders)).astype(np.int64)


def _unused(world: World, used: pd.DataFrame, who: tuple[np.ndarray, ...], customers: pd.DataFrame) -> pd.DataFrame:
    """Coupons like the used ones, for whoever was registered by then."""
    draws, end = world.draws, world.calendar.end
    many = draws.integers("unused coupons", *UNUSED, *who)
    row = np.repeat(np.arange(len(used)), many)
    k = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    key = (who[0][row], who[1][row] * 8 + k)
    start = world.calendar.days[0]
    issued = used["issued_at"].iloc[row].reset_index(drop=True)
    issued = (issued + pd.to_timedelta(draws.integers("issued", -259_200, 259_200, *key), unit="s")).clip(lower=start)
    registered = np.sort(customers["registered_at"].to_numpy())
    there = np.searchsorted(registered, issued.to_numpy())
    whose = customers["customer_id"].to_numpy(object)[customers["registered_at"].argsort(kind="stable")]
    threshold = used["threshold"].to_numpy()[row]
    waits = pd.to_timedelta(np.rint(2 * 86400 * draws.exponential("claims", *key)), unit="s")
    claimed = (issued + waits).where((draws.uniform("claimed", *key) >= UNCLAIMED) & (issued + waits < end))
    life = pd.to_timedelta(pd.Series(threshold).map(LIVES), unit="D")
    out = pd.DataFrame(
        {
            "coupon_id": "D" + used["coupon_id"].str[1:].to_numpy(object)[row] + pd.Series(k).astype(str),
            "issued_at": issued,
            "customer_id": whose[(draws.uniform("to whom", *key) * there).astype(np.int64)],
            "threshold": threshold,
            "claimed_at": claimed,
            "expires_at": claimed.fillna(issued + pd.Timedelta(days=7)) + life,
        }
    )
    return out[(issued < end) & (there > 0)]


def message_campaign(world: World, position: int) -> str:
    """The campaign that a message of a day belongs to: a festival's, or the month's."""
    for p in world.promotions.table.itertuples():
        if p.festival and p.begins - WARM_UP <= position <= p.ends:
            return f"fest-{p.promotion_id}-crm"
    return f"crm-{world.calendar.days[0] + pd.Timedelta(days=position):%Y%m}"


def send_days(world: World) -> tuple[np.ndarray, np.ndarray]:
    """The days on which messages go out, and the part of the list that each goes to: as much as is spent."""
    spend = world.media.spend[world.media.position("crm")].astype(float)
    days = np.flatnonzero(np.asarray(world.calendar.days.day_of_week) == SENT_ON)
    week = np.array([spend[d : d + 7].mean() for d in days])
    part = LIST_PART * week / max(spend.mean(), 1)
    kept = part > 0.002
    return days[kept], part[kept]


def messages(world: World, orders: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """A weekly message to a part of those who agreed, one in ten of them held back.

    Whom a message made buy is among those who got it, never among the held back: so the difference between the two is
    what messages bring.
    """
    draws, (days, part) = world.draws, send_days(world)
    list_ = _list(world, customers)
    caused = _caused(world, orders, list_, days)
    on_list, rows = np.ones(len(list_), dtype=bool), []
    rate = list_["channel"].map({c: r[3] for c, r in RATES.items()}).to_numpy()
    agreed, number = list_["consent_at"].to_numpy(), list_["number"].to_numpy()
    by_week = {w: g for w, g in caused.groupby("week")}
    for w, d in enumerate(days):
        sent = world.calendar.moments(np.array([d]), np.array([34_200]))[0]  # from 9:30 on
        may = on_list & (agreed < sent)
        bought = np.full(len(list_), -1)
        if w in by_week:
            bought[by_week[w]["row"]] = by_week[w]["ordered"]
        chosen = np.flatnonzero(may & ((draws.uniform("message", number, w) < part[w]) | (bought >= 0)))
        held = (draws.uniform("held back", number[chosen], w) < HOLDOUT) & (bought[chosen] < 0)
        leaves = ~held & (bought[chosen] < 0) & (draws.uniform("leaves list", number[chosen], w) < rate[chosen])
        on_list[chosen[leaves]] = False
        columns = {"row": chosen, "week": w, "day": d, "holdout": held, "leaves": leaves, "ordered": bought[chosen]}
        rows.append(pd.DataFrame(columns))
    every = pd.concat(rows, ignore_index=True)
    about = list_.iloc[every["row"].to_numpy()].reset_index(drop=True)
    return _outcomes(world, pd.concat([every, about], axis=1))


def _list(world: World, customers: pd.DataFrame) -> pd.DataFrame:
    """Who agreed: customer_id, platform, consent_at, number (for draws), channel."""
    out = customers.loc[customers["consent_at"].notna(), ["customer_id", "platform", "consent_at"]].reset_index(
        drop=True
    )
    where = pd.factorize(out["platform"], sort=True)[0]
    digits = out["customer_id"].str.replace(r"\D", "", regex=True).str[-14:]
    out["number"] = digits.astype(np.int64) * 8 + where
    out["channel"] = ""
    for platform, spec in REACHED_BY.items():
        mine = (out["platform"] == platform).to_numpy()
        out.loc[mine, "channel"] = world.draws.label("reached by", spec, out["number"].to_numpy()[mine])
    return out


def _caused(world: World, orders: pd.DataFrame, list_: pd.DataFrame, days: np.ndarray) -> pd.DataFrame:
    """Orders that messages brought, with the message of each: week, row of the list, ordered (seconds).

    She was written to on the account with which she bought where that one is on the list, else on another of hers; who
    is on no list was reached by something else of the channel's.
    """
    mine = orders.loc[orders["cause"] == "crm", ["person", "customer_id", "ordered_at", "day"]]
    week = np.searchsorted(days, mine["day"] - (mine["ordered_at"].dt.hour < 12), side="right") - 1
    mine = mine.assign(week=week, first=mine["customer_id"])[week >= 0]
    mine = mine[mine["day"] - days[mine["week"]] <= MEMORY]
    known = orders.loc[orders["person"].isin(mine["person"]), ["person", "customer_id"]].drop_duplicates()
    row = pd.Series(list_.index, index=list_["customer_id"])
    mine = mine.drop(columns="customer_id").merge(known, on="person")
    mine["row"] = mine["customer_id"].map(row)
    mine = mine[mine["row"].notna()].astype({"row": np.int64})
    sent = world.calendar.moments(days[mine["week"]], np.full(len(mine), 34_200))
    mine = mine[list_["consent_at"].to_numpy()[mine["row"]] < sent]
    mine["other"] = mine["customer_id"] != mine["first"]
    mine = mine.sort_values(["ordered_at", "person", "other", "customer_id"]).drop_duplicates(["ordered_at", "person"])
    start = world.calendar.days[0]
    mine["ordered"] = (mine["ordered_at"] - start) // pd.Timedelta(seconds=1)
    return mine.drop_duplicates(["week", "row"])[["week", "row", "ordered"]]


def _outcomes(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """What became of each message."""
    draws, cal = world.draws, world.calendar
    who = (rows["number"].to_numpy(), rows["week"].to_numpy())
    delivers, opens, clicks, _leaves, cost = (
        rows["channel"].map({c: r[i] for c, r in RATES.items()}).to_numpy() for i in range(5)
    )
    bought, held = (rows["ordered"] >= 0).to_numpy(), rows["holdout"].to_numpy()
    second = 34_200 + draws.integers("sent", 0, 5_400, *who)
    sent = rows["day"].to_numpy() * 86400 + second
    came = ~held & (bought | rows["leaves"].to_numpy() | (draws.uniform("delivered", *who) < delivers))
    delivered = sent + 2 + np.rint(20 * draws.exponential("under way", *who)).astype(np.int64)
    sms = (rows["channel"] == "sms").to_numpy()
    clicked_it = came & np.where(bought, draws.uniform("clicks", *who) < CLICKED, False)
    opened_it = came & (clicked_it | rows["leaves"].to_numpy() | (draws.uniform("opens", *who) < opens))
    clicked_it |= opened_it & ~bought & (draws.uniform("clicks", *who) < clicks)
    # Most look within hours; who bought looked before.
    lag = np.where(draws.uniform("looks soon", *who) < 0.7, 1800.0, 36_000.0) * draws.exponential("looks", *who)
    lag = np.where(bought, np.minimum(lag, 0.8 * (rows["ordered"].to_numpy() - delivered)), lag)
    opened = delivered + 1 + np.maximum(lag, 0).astype(np.int64)
    clicked = opened + 2 + draws.integers("reads", 0, 40, *who)
    left = clicked + 5 + draws.integers("leaves", 0, 60, *who)
    names = {d: message_campaign(world, int(d)) for d in rows["day"].unique()}
    out = pd.DataFrame(
        {
            "message_id": "M" + rows["week"].astype(str).str.zfill(3) + rows["number"].astype(str).str.zfill(16),
            "channel": rows["channel"],
            "customer_id": rows["customer_id"],
            "campaign_id": rows["day"].map(names),
            "holdout": held,
            "cost": np.where(held, 0, cost),
            "sent_at": cal.moments(np.zeros(len(rows)), sent),
        }
    )
    for name, at, known in (
        ("delivered_at", delivered, came),
        ("opened_at", opened, opened_it & ~sms),
        ("clicked_at", clicked, clicked_it),
        ("unsubscribed_at", left, came & rows["leaves"].to_numpy()),
    ):
        moments = pd.Series(cal.moments(np.zeros(len(rows)), at))
        out[name] = moments.where(known & (moments < cal.end)).astype("datetime64[s]")
    return out.sort_values(["sent_at", "message_id"], ignore_index=True)


def loyalty_counts(
    world: World, orders: pd.DataFrame, customers: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """What was planted, counted, one row; the counts of blocks may be added."""
    messages_, days = tables["messages"], send_days(world)[0]
    caused = _caused(world, orders, _list(world, customers), days)
    crm = orders["cause"] == "crm"
    return pd.DataFrame(
        {
            "sent": [int((~messages_["holdout"]).sum())],
            "held_back": [int(messages_["holdout"].sum())],
            "orders_caused": [int(crm.sum())],
            "orders_after_a_message": [len(caused)],
            "coupons": [len(tables["coupons"])],
            "coupons_used": [int(tables["coupons"]["used_at"].notna().sum())],
        }
    )


def truths(counts: pd.DataFrame) -> dict[str, Any]:
    """What messages bring, from `loyalty_counts` of all blocks."""
    total = counts.sum()
    return {
        "messages": {
            **{name: int(total[name]) for name in ("sent", "held_back", "orders_caused", "orders_after_a_message")},
            "orders_per_message": round(float(total["orders_after_a_message"] / max(total["sent"], 1)), 6),
            "within_days": MEMORY,
        },
        "coupons_used_share": round(float(total["coupons_used"] / max(total["coupons"], 1)), 4),
    }
