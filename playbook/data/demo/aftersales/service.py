"""Tickets: with what people come to customer service, how soon they are answered, and how it ends."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World
from .returns import SKINCARE, is_fraud, keys, later, line_keys, numbers

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60

# Topic: chance that a bot takes it, median time to solve it in minutes, spread of the log.
TOPICS = {
    "pre_sale": (0.60, 7, 0.9),
    "where_is_parcel": (0.55, 90, 1.2),
    "return_request": (0.22, 1500, 0.7),
    "complaint": (0.04, 1300, 0.8),
    "allergy": (0.0, 2300, 0.8),
    "invoice": (0.62, 240, 1.0),
    "usage": (0.52, 12, 0.9),
    "change_order": (0.30, 25, 1.0),
    "price_protection": (0.30, 200, 1.0),
}
PRE_SALE, INVOICE, CHANGE = 0.085, 0.026, 0.011  # of the orders
ASKS = (
    0.018,
    0.30,
    0.07,
)  # where is my parcel: usually; half a day late and more; sent more than two days after payment
RETURNS_ASK = 0.50  # of the returns are asked for in a ticket
BROKEN, COMPLAINS = 0.45, 0.013  # complain of what was damaged; of other faults, of the lines delivered
SENSITIVE, REACTED = (
    0.0025,
    0.65,
)  # report irritated skin: of the skincare lines delivered; of those hit by the bad batch
USAGE, PROTECTION = 0.009, 0.012  # of the lines delivered; of the orders with a promotion
AGAIN = {True: 0.17, False: 0.08}  # come back with the same after a bot's answer, after a person's
# Service is staffed from 9 to 23 o'clock; one person is on duty at night, and some tickets wait for the morning.
STAFFED, DAY_REPLY, NIGHT_REPLY, UNTIL_MORNING = (9, 23), 38.0, 720.0, 0.25  # hours; medians in seconds; part
LOAD, CRISIS_LOAD, CRISIS_LOAD_DAYS = 1.6, 1.5, 10.0  # replies take longer: per busyness beyond usual; in the crisis
UNSOLVED, RATED = 0.025, 0.30
RATINGS = np.array([(2, 2, 5, 20, 71), (9, 9, 17, 27, 38), (26, 17, 22, 19, 16)], dtype=float)  # good, slow, hard cases


def tickets(
    world: World, orders: pd.DataFrame, lines: pd.DataFrame, back: pd.DataFrame, shipments: pd.DataFrame,
    went: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """The table tickets; `went` is from `aftersale.experience`."""
    asked = pd.concat(
        [
            _about_orders(world, orders, lines, shipments, went),
            _about_lines(world, orders, lines, went),
            _about_returns(world, orders, back),
        ],
        ignore_index=True,
    )
    cal = world.calendar
    start = cal.days[0].to_datetime64()
    asked = asked[(asked["opened_at"] >= start) & (asked["opened_at"] < cal.end)].reset_index(drop=True)
    first = _handled(world, asked, orders, "")
    comes = world.draws.uniform("comes again", *_keys(asked, orders))
    comes = comes < np.where(first["by_bot"], AGAIN[True], AGAIN[False])
    again = asked[comes & first["solved_at"].notna()]
    waits = _HOUR * (0.5 + 20 * world.draws.exponential("again when", *_keys(again, orders)))
    again = again.assign(opened_at=later(first.loc[again.index, "solved_at"].to_numpy(), waits))
    again = again[again["opened_at"] < cal.end].reset_index(drop=True)
    out = pd.concat([first, _handled(world, again, orders, " again")], ignore_index=True)
    for column in ("first_reply_at", "solved_at"):
        out[column] = out[column].mask(out[column] >= cal.end).astype("datetime64[s]")
    out.loc[out["solved_at"].isna(), "rating"] = np.nan
    return out.sort_values(["opened_at", "ticket_id"], ignore_index=True)


def _keys(asked: pd.DataFrame, orders: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What draws for a ticket are drawn for: the person, and the occasion, product and topic."""
    person, number = keys(orders)
    row = asked["order"].to_numpy()
    topic = asked["topic"].map({t: i for i, t in enumerate(TOPICS)}).to_numpy(np.int64)
    return person[row], (number[row] * 64 + asked["product"].to_numpy()) * 16 + topic


def _asked(topic: str, order: np.ndarray, product: np.ndarray, at: np.ndarray, which: np.ndarray) -> pd.DataFrame:
    i = np.flatnonzero(which & ~np.isnat(at))
    return pd.DataFrame({"order": order[i], "product": product[i], "topic": topic, "opened_at": at[i]})


def _about_orders(
    world: World, orders: pd.DataFrame, lines: pd.DataFrame, shipments: pd.DataFrame, went: pd.DataFrame
) -> pd.DataFrame:
    """Questions before the order, invoices, parcels, changes, price protection: about the first line."""
    draws = world.draws
    first = (lines["line"] == 1).to_numpy()
    order, product = lines["order"].to_numpy()[first], lines["product"].to_numpy()[first]
    mine = orders.iloc[order].reset_index(drop=True)
    who, honest = keys(mine), ~is_fraud(mine, "fake")
    ordered, paid, shipped, delivered = (
        mine[c].to_numpy("datetime64[s]") for c in ("ordered_at", "paid_at", "shipped_at", "delivered_at")
    )
    is_paid = ~np.isnat(paid) & honest

    def u(name: str) -> np.ndarray:
        return draws.uniform(f"ticket {name}", *who)

    def e(name: str) -> np.ndarray:
        return draws.exponential(f"ticket {name} when", *who)

    late = went["late"].to_numpy()[first]
    slow = np.where(np.isnat(shipped), False, (shipped - paid) > np.timedelta64(48, "h"))
    usual, if_late, if_slow = ASKS
    promised = pd.Series(shipments["promised_at"].to_numpy(), shipments["order_id"].to_numpy())
    promised = promised.reindex(mine["order_id"]).to_numpy("datetime64[s]")
    wonders = later(paid, _HOUR * (20 + 24 * e("where_is_parcel")))
    wonders = np.where(slow, later(paid, _HOUR * (44 + 10 * e("where_is_parcel"))), wonders)
    wonders = np.where(late > 0.5, later(promised, _HOUR * (9 + 9 * e("where_is_parcel"))), wonders)
    wonders = np.where(
        np.isnat(delivered) | (wonders < delivered), wonders, later(delivered, -_HOUR * (1 + 3 * u("before it comes")))
    )
    wonders = np.maximum(wonders, later(paid, np.full(len(paid), _HOUR)))
    asks = np.where(late > 0.5, if_late, np.where(slow, if_slow, usual))
    lowered = mine["promotion_id"].notna().to_numpy()
    parts = [
        ("pre_sale", later(ordered, -_HOUR * (0.03 + 3 * e("pre_sale"))), honest, PRE_SALE),
        ("invoice", later(paid, _HOUR * (0.2 + 40 * e("invoice"))), is_paid, INVOICE),
        ("change_order", later(paid, _HOUR * (0.05 + 2 * e("change_order"))), is_paid, CHANGE),
        ("price_protection", later(paid, _DAY * (1 + 4 * e("price_protection"))), is_paid & lowered, PROTECTION),
        ("where_is_parcel", wonders, is_paid & ~np.isnat(shipped), asks),
    ]
    return pd.concat(
        [_asked(topic, order, product, at, may & (u(topic) < rate)) for topic, at, may, rate in parts],
        ignore_index=True,
    )


def _about_lines(world: World, orders: pd.DataFrame, lines: pd.DataFrame, went: pd.DataFrame) -> pd.DataFrame:
    """Complaints, irritated skin, how to use it."""
    draws, who = world.draws, line_keys(orders, lines)
    order, product = lines["order"].to_numpy(), lines["product"].to_numpy()
    honest = ~is_fraud(orders, "fake")[order]
    delivered = orders["delivered_at"].to_numpy("datetime64[s]")[order]
    onset, broken = went["onset"].to_numpy(), went["damaged"].to_numpy()
    reacted = ~np.isnat(onset)
    skin = world.catalogue.products["category"].isin(SKINCARE).to_numpy()[product]
    irritated = np.where(reacted, REACTED, SENSITIVE * skin)
    parts = [  # topic, chance, since when, mean days after
        ("complaint", np.where(broken, BROKEN, COMPLAINS), delivered, np.where(broken, 0.3, 3.0)),
        ("allergy", irritated, np.where(reacted, onset, delivered), np.where(reacted, 0.5, 3.0)),
        ("usage", USAGE, delivered, 5.0),
    ]
    out = []
    for topic, rate, since, days in parts:
        at = later(since, _DAY * (0.02 + days * draws.exponential(f"ticket {topic} when", *who)))
        out.append(_asked(topic, order, product, at, honest & (draws.uniform(f"ticket {topic}", *who) < rate)))
    return pd.concat(out, ignore_index=True)


def _about_returns(world: World, orders: pd.DataFrame, back: pd.DataFrame) -> pd.DataFrame:
    """Requests to send something back, before it is booked."""
    back = back[back["reason"] != "cancelled"].reset_index(drop=True)
    order = pd.Index(orders["order_id"]).get_indexer_for(back["order_id"])
    product = pd.Index(world.catalogue.products["product_id"]).get_indexer_for(back["product_id"])
    person, number = keys(orders)
    who = (person[order], number[order] * 64 + product)
    days = 0.3 + 1.5 * world.draws.uniform("ticket return when", *who)
    at = later(back["returned_at"].to_numpy(), -_DAY * days)
    at = np.maximum(at, later(orders["delivered_at"].to_numpy()[order], np.full(len(order), 20 * _MINUTE)))
    return _asked("return_request", order, product, at, world.draws.uniform("ticket return", *who) < RETURNS_ASK)


def _handled(world: World, asked: pd.DataFrame, orders: pd.DataFrame, tag: str) -> pd.DataFrame:
    """Who answers, when, when it is solved, and what it is rated."""
    draws, cal, who = world.draws, world.calendar, _keys(asked, orders)
    opened = asked["opened_at"].to_numpy("datetime64[s]")
    bots, median, spread = (asked["topic"].map({t: v[k] for t, v in TOPICS.items()}).to_numpy(float) for k in range(3))
    channel = draws.label(f"ticket channel{tag}", "chat 88 phone 8 e-mail 4", *who)
    bot = (draws.uniform(f"by bot{tag}", *who) < bots) & (channel == "chat") & (tag == "")
    since = (opened - cal.days[0].to_datetime64().astype("datetime64[s]")).astype(np.int64)
    day, hour = since // _DAY, since % _DAY / _HOUR
    away = day - world.incidents.crisis
    load = 1 + LOAD * np.maximum(cal.busy[day] - 1, 0)
    load = load + np.where(away >= 0, CRISIS_LOAD * np.exp(-np.maximum(away, 0) / CRISIS_LOAD_DAYS), 0)
    night = (hour < STAFFED[0]) | (hour >= STAFFED[1])
    z = draws.normal(f"first reply{tag}", *who)
    reply = np.where(night, NIGHT_REPLY * np.exp(1.2 * z), DAY_REPLY * np.exp(z)) * load
    morning = ((STAFFED[0] - hour) % 24) * _HOUR + _MINUTE * 25 * draws.uniform(f"morning{tag}", *who) * load
    sleeps = night & (draws.uniform(f"sleeps{tag}", *who) < UNTIL_MORNING)
    reply = np.where(night, np.minimum(np.where(sleeps, morning, reply), morning), reply)
    reply = np.where(channel == "phone", np.minimum(reply, 40 * load), np.where(channel == "e-mail", reply * 20, reply))
    reply = np.where(bot, 1 + 6 * draws.uniform(f"bot reply{tag}", *who), reply)
    takes = _MINUTE * median * np.exp(spread * draws.normal(f"solved{tag}", *who)) * np.sqrt(load)
    takes = np.where(bot, _MINUTE * (0.5 + 4 * draws.exponential(f"solved{tag}", *who)), takes)
    first = later(opened, reply)
    unsolved = draws.uniform(f"unsolved{tag}", *who) < UNSOLVED
    solved = np.where(unsolved, np.datetime64("NaT", "s"), later(first, takes + 1))
    hard = asked["topic"].isin(["complaint", "allergy"]).to_numpy()
    kind = np.where(hard | (tag != ""), 2, (reply > 10 * _MINUTE) | (takes > 2.5 * _DAY) | bot)
    u = draws.uniform(f"ticket rating{tag}", *who)
    edges = np.cumsum(RATINGS, axis=1) / RATINGS.sum(axis=1, keepdims=True)
    rating = 1.0 + (u[:, None] >= edges[kind.astype(int)]).sum(axis=1)
    rated = draws.uniform(f"rated{tag}", *who) < RATED
    mine = orders[["order_id", "platform", "customer_id"]].iloc[asked["order"].to_numpy()].reset_index(drop=True)
    before = (asked["topic"] == "pre_sale").to_numpy()
    return pd.DataFrame(
        {
            "ticket_id": "T" + numbers(draws, f"ticket id{tag}", opened, *who),
            "opened_at": opened,
            "customer_id": mine["customer_id"],
            "order_id": mine["order_id"].astype(object).where(~before, None),
            "product_id": world.catalogue.products["product_id"].to_numpy()[asked["product"]],
            "platform": mine["platform"],
            "topic": asked["topic"].to_numpy(),
            "channel": channel,
            "first_reply_at": first,
            "solved_at": solved,
            "rating": np.where(rated, rating, np.nan),
            "by_bot": bot,
        }
    )


def truths(world: World) -> dict:
    """What is planted in the tickets, by name."""
    return {
        "tickets": {
            "asks_where": {"usual": ASKS[0], "late": ASKS[1], "sent_late": ASKS[2]},
            "crisis": {"reported": REACTED, "load": CRISIS_LOAD, "load_days": CRISIS_LOAD_DAYS},
            "come_again": {"after_bot": AGAIN[True], "after_person": AGAIN[False]},
            "by_bot": {topic: v[0] for topic, v in TOPICS.items()},
        }
    }
