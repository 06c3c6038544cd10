"""After the sale: what comes back and why, and the money that platforms pay out or keep. Money is in fen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World
from ..world.draw import Draws
from ..world.incidents import CRISIS_DAYS, CRISIS_PRODUCT
from ..world.people import PLATFORMS

_DAY, _HOUR = 86_400, 3_600

# Returns: part of the lines that come back where nothing went wrong. With what goes wrong, and with orders cancelled
# before they ship, about 7, 5, 14 and 5 in a hundred: what the platforms' service portals show for skincare.
RETURNED = {"tmall": 0.050, "jd": 0.031, "douyin": 0.116, "own_site": 0.030}
BY_CATEGORY = {"精华": 1.10, "面霜": 1.05, "洁面": 0.85, "面膜": 0.85, "香薰蜡烛": 1.15, "无火香薰": 1.20}
IMPULSE = 1.45  # factor on what was bought in 618 and 双11
BIG = ("festival_618", "festival_1111")
LATE = 1.8  # factor where the parcel came more than a day late
DAMAGED = {"精华": 0.008, "面霜": 0.008, "洁面": 0.006, "面膜": 0.005, "香薰蜡烛": 0.022, "无火香薰": 0.028}
DAMAGED_RETURNED = 0.55
REACTED_RETURNED = 0.70
PART = 0.45  # of those who bought several units send back only some
REASONS = "changed_mind 44 not_as_described 17 quality 12 scent_disliked 11 price_dropped 9 wrong_item 7"
# Of what comes back in these categories, the part with irritated skin that no bad batch is to blame for.
SENSITIVE, SKINCARE = 0.04, ("精华", "面霜", "洁面", "面膜")
KINDS = "return 76 refund_only 16 exchange 8"
KIND_OF = {"damaged": "refund_only 62 return 22 exchange 16", "skin_reaction": "return 68 refund_only 32"}
LOOPED = 0.93  # of what refund-loop accounts buy is refunded

# The bad batch: part of the buyers whose skin is irritated, of those who bought within BATCH days before it comes out
# and, falling with CRISIS_DAYS, after; those who had it at home notice within the mean of ONSET days.
REACTED, BATCH, ONSET = 0.13, 20, 4.0

COMMISSION = {"tmall": 0.05, "jd": 0.06, "douyin": 0.05, "own_site": 0.006}
TECHNICAL = {"tmall": 0.006, "jd": 0.0, "douyin": 0.006, "own_site": 0.0}  # of the sales, billed by the month
SUBSCRIPTION = {"tmall": 250_000, "jd": 100_000, "douyin": 30_000, "own_site": 120_000}  # a month, at scale 1
INSURANCE = {"tmall": 85, "jd": 70, "douyin": 130, "own_site": 0}  # of return freight, an order
SETTLED = (7, 10)  # days from completion to the payout


def keys(orders: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What draws for an order are drawn for: the person and which occasion of hers."""
    return orders["person"].to_numpy(), orders["number"].to_numpy()


def line_keys(orders: pd.DataFrame, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What draws for a line are drawn for: the person, and the occasion and product."""
    person, number = keys(orders)
    return person[lines["order"]], number[lines["order"]] * 64 + lines["product"].to_numpy()


def is_fraud(orders: pd.DataFrame, kind: str) -> np.ndarray:
    """Whether each order is a fraud of this kind."""
    if "fraud" not in orders:
        return np.zeros(len(orders), dtype=bool)
    return (orders["fraud"] == kind).to_numpy(bool)


def later(at: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Times so many seconds later."""
    return at.astype("datetime64[s]") + np.rint(seconds).astype(np.int64).astype("timedelta64[s]")


def numbers(draws: Draws, name: str, at: np.ndarray, *of: np.ndarray) -> pd.Series:
    """Numbers of 17 digits that rise with time."""
    second = (at.astype("datetime64[s]") - np.datetime64("2015-12-31T00:00:00", "s")).astype(np.int64)
    tail = (draws.bits(name, *of) % np.uint64(100_000_000)).astype(np.int64)
    return pd.Series((second * 100_000_000 + tail).astype(str)).str.zfill(17)


def damaged(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> np.ndarray:
    """Whether each line was broken or leaked on the way."""
    rate = world.catalogue.products["category"].map(DAMAGED).to_numpy()[lines["product"]]
    fake = is_fraud(orders, "fake")[lines["order"]]
    return world.draws.uniform("damaged", *line_keys(orders, lines)) < np.where(fake, 0, rate)


def reactions(world: World, orders: pd.DataFrame, lines: pd.DataFrame, delivered: np.ndarray) -> np.ndarray:
    """When each line's buyer saw her skin irritated by the bad batch; NaT: never."""
    cal, draws, crisis = world.calendar, world.draws, world.incidents.crisis
    out = np.full(len(lines), "NaT", dtype="datetime64[s]")
    day = orders["day"].to_numpy()[lines["order"]]
    bought = (lines["product"] == world.catalogue.position(CRISIS_PRODUCT)).to_numpy() & (day >= crisis - BATCH)
    bought &= ~is_fraud(orders, "fake")[lines["order"]] & ~np.isnat(delivered[lines["order"]])
    i = np.flatnonzero(bought)
    who = tuple(k[i] for k in line_keys(orders, lines))
    left = np.exp(-np.maximum(day[i] - crisis, 0) / CRISIS_DAYS)
    hit = draws.uniform("reacts", *who) < REACTED * left
    known = cal.moments(np.array([crisis]), np.array([9 * _HOUR]))[0]
    use = later(delivered[lines["order"].to_numpy()[i]], _DAY * (0.3 + 2 * draws.uniform("uses", *who)))
    noticed = later(np.full(len(i), known), _DAY * ONSET * draws.exponential("notices", *who))
    out[i[hit]] = np.maximum(use, noticed)[hit]
    return out


def experience(
    world: World, orders: pd.DataFrame, lines: pd.DataFrame, back: pd.DataFrame, shipments: pd.DataFrame
) -> pd.DataFrame:
    """What the buyer of each line went through: `back` and `shipments` are the tables.

    Returns
    -------
    DataFrame
        Row for row with `lines`: late (days after the promise, 0: none or not sent; as known at the end), damaged,
        onset (see `reactions`), returned (sent back or refunded after delivery).
    """
    at, end = lines["order"].to_numpy(), world.calendar.end.to_datetime64()
    index = pd.Index(orders["order_id"])
    promised = np.full(len(orders), "NaT", dtype="datetime64[s]")
    promised[index.get_indexer_for(shipments["order_id"])] = shipments["promised_at"].to_numpy("datetime64[s]")
    delivered = orders["delivered_at"].to_numpy("datetime64[s]")
    arrived = np.where(np.isnat(delivered), end.astype("datetime64[s]"), delivered)
    late = np.where(np.isnat(promised), 0, (arrived - promised).astype(np.int64)) / _DAY
    after = back[back["reason"] != "cancelled"]
    product = pd.Index(world.catalogue.products["product_id"]).get_indexer_for(after["product_id"])
    sent_back = index.get_indexer_for(after["order_id"]) * 64 + product
    return pd.DataFrame(
        {
            "late": np.maximum(late, 0)[at],
            "damaged": damaged(world, orders, lines) & ~np.isnat(delivered[at]),
            "onset": reactions(world, orders, lines, delivered),
            "returned": np.isin(at * 64 + lines["product"].to_numpy(), sent_back),
        }
    )


def returns(world: World, orders: pd.DataFrame, lines: pd.DataFrame, way: pd.DataFrame) -> pd.DataFrame:
    """The table returns, beyond the end too; at most one a line, never more than the line was sold for."""
    draws, at = world.draws, lines["order"].to_numpy()
    who = line_keys(orders, lines)
    u = draws.uniform("returned", *who)
    delivered, cancelled = (way[c].to_numpy("datetime64[s]") for c in ("delivered_at", "cancelled_at"))
    broken, onset = damaged(world, orders, lines), reactions(world, orders, lines, delivered)
    reacted, looped = ~np.isnat(onset), is_fraud(orders, "refund_loop")[at]
    late = (delivered > later(way["promised_at"].to_numpy(), np.full(len(orders), _DAY)))[at]
    usual = _usual_rate(world, orders, lines) * np.where(late, LATE, 1)
    rate = np.select([looped, reacted, broken], [LOOPED, REACTED_RETURNED, DAMAGED_RETURNED], usual)
    back = (u < rate) & ~np.isnat(delivered[at]) & ~is_fraud(orders, "fake")[at]
    off = ~np.isnat(cancelled[at])
    i = np.flatnonzero((back | off) & (lines["amount"].to_numpy() > 0))
    off, looped, reacted, broken, late = off[i], looped[i], reacted[i], broken[i], late[i]
    mine = tuple(w[i] for w in who)
    reason = draws.label("reason", REASONS, *mine)
    reason[late & (draws.uniform("because late", *mine) < 0.5)] = "late"
    skin = world.catalogue.products["category"].isin(SKINCARE).to_numpy()[lines["product"].to_numpy()[i]]
    irritated = reacted | (skin & (draws.uniform("sensitive", *mine) < SENSITIVE))
    for name, which in (("skin_reaction", irritated), ("damaged", broken | looped), ("cancelled", off)):
        reason[which] = name
    kind = draws.label("return kind", KINDS, *mine)
    for name, spec in KIND_OF.items():
        kind[reason == name] = draws.label("return kind", spec, *(w[reason == name] for w in mine))
    kind[off | looped] = "refund_only"
    units, line_amount = (lines[c].to_numpy()[i] for c in ("quantity", "amount"))
    some = (draws.uniform("sends part", *mine) < PART) & ~off & ~looped
    part = 1 + np.floor(draws.uniform("sends how many", *mine) * (units - 1)).astype(np.int64)
    quantity = np.where(some & (units > 1), part, units)
    amount = np.where(kind == "exchange", 0, line_amount * quantity // units)
    days = np.clip(4.4 * np.exp(0.6 * draws.normal("sends when", *mine)), 1, 19.9)
    days = np.where(np.isin(kind, "refund_only"), np.clip(days * 0.6, 1, 19.9), days)
    booked = later(np.fmax(delivered[at[i]], onset[i]), days * _DAY)
    booked = np.where(off, later(cancelled[at[i]], _HOUR * (0.2 + 10 * draws.exponential("refunds", *mine))), booked)
    out = orders[["order_id", "platform", "customer_id"]].iloc[at[i]].reset_index(drop=True)
    out = out.assign(product_id=lines["product_id"].to_numpy()[i], returned_at=booked, amount=amount)
    out = out.assign(quantity=quantity, reason=reason, kind=kind, order=at[i])
    out["return_id"] = numbers(draws, "return id", booked, *mine)
    return out.sort_values(["returned_at", "return_id"], ignore_index=True)


def _usual_rate(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> np.ndarray:
    """The chance that a line comes back where nothing went wrong."""
    at = lines["order"].to_numpy()
    platform = orders["platform"].map(RETURNED).to_numpy(float)
    category = world.catalogue.products["category"].map(BY_CATEGORY).to_numpy()
    big = np.append(world.promotions.table["festival"].isin(BIG).to_numpy(), False)
    return platform[at] * category[lines["product"]] * np.where(big[lines["promotion"]], IMPULSE, 1)


def settlements(world: World, orders: pd.DataFrame, way: pd.DataFrame, back: pd.DataFrame) -> pd.DataFrame:
    """The bookings of orders: goods less refunds, shipping, commission; what is refunded later is taken back."""
    draws, low, high = world.draws, *SETTLED
    at = later(way["completed_at"].to_numpy(), _DAY * (low + (high - low) * draws.uniform("settled", *keys(orders))))
    rate = orders["platform"].map(COMMISSION).to_numpy(float)
    row, refund = back["order"].to_numpy(), back["amount"].to_numpy()
    before = back["returned_at"].to_numpy() <= at[row]
    payout = orders["amount"].to_numpy() - np.bincount(row[before], refund[before], len(orders)).astype(np.int64)
    after = np.flatnonzero(~before & ~np.isnat(at[row]) & (refund > 0))
    taken_back, again = row[after], later(back["returned_at"].to_numpy()[after], np.full(len(after), _DAY))
    fee = np.rint(payout * rate).astype(np.int64)
    fee_back = np.rint(refund[after] * rate[taken_back]).astype(np.int64)
    every, ids = np.arange(len(orders)), orders["order_id"].astype(object)
    late_ids = back["return_id"].iloc[after].astype(object)
    parts = [
        ("payout", every, at, payout, "P" + ids),
        ("shipping", every, at, orders["shipping"].to_numpy(), "F" + ids),
        ("commission", every, at, -fee, "C" + ids),
        ("adjustment", taken_back, again, -refund[after], "A" + late_ids),
        ("commission", taken_back, again, fee_back, "B" + late_ids),
    ]
    out = []
    for kind, order, when, amount, number in parts:
        booked = (when < world.calendar.end.to_datetime64()) & (amount != 0)
        rows = orders[["order_id", "platform"]].iloc[order[booked]].reset_index(drop=True)
        rows = rows.assign(settlement_id=number.to_numpy()[booked], settled_at=when[booked], kind=kind)
        out.append(rows.assign(amount=amount[booked]))
    return pd.concat(out).sort_values(["settled_at", "settlement_id"], ignore_index=True)


def fee_counts(world: World, orders: pd.DataFrame) -> np.ndarray:
    """What monthly bills are made from, to be added over blocks: (orders, sales) × platforms × months."""
    paid = orders[orders["paid_at"].notna()]
    month = world.calendar.month[paid["day"]]
    months = int(world.calendar.month[-1]) + 1
    cell = paid["platform_at"].to_numpy() * months + month
    sums = [np.bincount(cell, w, len(PLATFORMS) * months) for w in (None, paid["amount"])]
    return np.stack(sums).reshape(2, len(PLATFORMS), months).astype(np.int64)


def platform_fees(world: World, counts: np.ndarray) -> dict[str, pd.DataFrame]:
    """The platforms' monthly bills as rows of settlements: subscription, technical service, insurance of returns.

    `counts` is the sum of `fee_counts` over all blocks.
    """
    first = world.calendar.days[0].to_period("M")
    rows = []
    for i, platform in enumerate(PLATFORMS):
        for month in range(counts.shape[2]):
            at = (first + month + 1).to_timestamp() + pd.Timedelta(days=2, hours=10)
            number = f"M{(first + month).strftime('%Y%m')}-{platform}"
            bills = (
                ("service_fee", "S", SUBSCRIPTION[platform] * world.scale),
                ("service_fee", "T", TECHNICAL[platform] * counts[1, i, month]),
                ("shipping_insurance", "I", INSURANCE[platform] * counts[0, i, month]),
            )
            rows += [(f"{number}-{tag}", at, kind, -round(fen), platform) for kind, tag, fen in bills if round(fen)]
    out = pd.DataFrame(rows, columns=["settlement_id", "settled_at", "kind", "amount", "platform"])
    out["settled_at"] = out["settled_at"].astype("datetime64[s]")
    out = out[out["settled_at"] < world.calendar.end]
    return {"settlements": out.sort_values(["settled_at", "settlement_id"], ignore_index=True)}


def truths(world: World) -> dict:
    """What is planted here, by name."""
    return {
        "returns": {
            "usual_rate": RETURNED,
            "by_category": BY_CATEGORY,
            "after_618_and_1111": IMPULSE,
            "late": LATE,
            "damaged_rate": DAMAGED,
            "damaged_returned": DAMAGED_RETURNED,
        },
        "crisis_buyers": {
            "product": CRISIS_PRODUCT,
            "begins": world.incidents.crisis,
            "batch_days": BATCH,
            "reacted": REACTED,
            "decay_days": CRISIS_DAYS,
            "onset_days": ONSET,
            "returned": REACTED_RETURNED,
        },
        "commission": COMMISSION,
    }
