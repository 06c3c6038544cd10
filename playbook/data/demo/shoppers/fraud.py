"""Orders that nobody wanted: faked ones (刷单), and accounts that order to be refunded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World
from ..world.people import PLATFORMS
from .demand import BLOCK
from .orders import customer_ids, order_ids

FAKED = 270  # orders of one campaign of faking, at scale 1; there are as many campaigns as `Incidents.fake` says
PER_ACCOUNT = 3  # orders of each account that fakes
ADDRESSES, DEVICES = 7, 12  # that one campaign uses, whatever its size up to scale 1
FAKED_PRODUCTS = ("mask0004", "cleanser0004")
LOOPERS, LOOPS = 16, 6  # accounts that have nearly everything refunded, at scale 1, and their orders
LOOPED_PRODUCTS = ("serum0008", "diffuser0008", "candle0009")
FIRST = BLOCK >> 1  # numbers of these accounts within their block begin here


def fraud(world: World, block: int, scale: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders and lines like those of `make_orders`; `fraud` says which kind: "fake" or "refund_loop"."""
    plans = [_faked(world, block, scale, k) for k in range(len(world.incidents.fake))]
    plan = pd.concat([*plans, _looped(world, block, scale)], ignore_index=True)
    return _as_orders(world, plan.sort_values(["day", "second", "person", "number"], ignore_index=True))


def cheats(orders: pd.DataFrame) -> pd.DataFrame:
    """The accounts behind them, like those of `customers.accounts`."""
    first = orders[orders["fraud"] != ""].drop_duplicates("person")
    second = (first["ordered_at"] - first["ordered_at"].dt.normalize()).dt.total_seconds().astype(np.int64)
    return pd.DataFrame(
        {
            "person": first["person"],
            "platform": first["platform_at"],
            "first": first["day"] * 86400 + second,
            "persona": 0,
            "arrived": first["day"],
            "cause": "organic",
        }
    )


def _faked(world: World, block: int, scale: float, campaign: int) -> pd.DataFrame:
    """One campaign: a few score of new accounts, a handful of addresses and devices, bursts at night."""
    draws, (begins, ends) = world.draws, world.incidents.fake[campaign]
    n = max(PER_ACCOUNT, round(FAKED * scale))
    i = np.arange(n) + 100_000 * campaign
    account = i % max(1, n // PER_ACCOUNT) + 100_000 * campaign
    person = block * BLOCK + FIRST + account
    night = draws.integers("fake night", begins, ends, i // 12)  # a burst is a dozen orders within minutes
    minute = draws.integers("fake minute", 60, 290, i // 12) + draws.integers("fake minute on", 0, 9, i)
    pools = min(1.0, scale)
    place = draws.integers("fake address", 0, max(2, round(ADDRESSES * pools)), i)
    device = draws.integers("fake device", 0, max(2, round(DEVICES * pools)), i)
    tag = f"{block}.{campaign}."
    return pd.DataFrame(
        {
            "person": person,
            "number": i,
            "day": np.minimum(night, world.calendar.n - 1),
            "second": minute * 60 + draws.integers("fake second", 0, 60, i),
            "product": [world.catalogue.position(p) for p in np.array(FAKED_PRODUCTS)[i % 2]],
            "region": "广东",
            "city": "汕头",
            "address_hash": tag + pd.Series(place).astype(str),
            "device_hash": tag + pd.Series(device).astype(str),
            "fraud": "fake",
        }
    )


def _looped(world: World, block: int, scale: float) -> pd.DataFrame:
    """Accounts that over the last ten months order again and again and have it refunded."""
    draws, cal = world.draws, world.calendar
    n = max(1, round(LOOPERS * scale))
    i = np.arange(n * LOOPS) + 900_000
    account = i // LOOPS
    return pd.DataFrame(
        {
            "person": block * BLOCK + FIRST + account,
            "number": i,
            "day": draws.integers("loop day", cal.n - 300, cal.n - 25, i),
            "second": draws.integers("loop second", 36_000, 80_000, i),
            "product": [world.catalogue.position(p) for p in np.array(LOOPED_PRODUCTS)[i % 3]],
            "region": "江苏",
            "city": "沭阳",
            "address_hash": f"{block}.loop." + pd.Series(account % max(2, n // 2)).astype(str),
            "device_hash": f"{block}.loop." + pd.Series(account).astype(str),
            "fraud": "refund_loop",
        }
    )


def _as_orders(world: World, plan: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    cal, draws = world.calendar, world.draws
    where = np.zeros(len(plan), dtype=np.int64)
    who = (plan["person"].to_numpy(), plan["number"].to_numpy())
    price = world.catalogue.price[plan["product"], plan["day"]]
    off = np.rint(price * world.depth[plan["product"], plan["day"]]).astype(np.int64)
    orders = plan.drop(columns=["second", "product"]).assign(
        platform_at=where,
        persona=0,
        cause="fraud",
        platform=PLATFORMS[0],
        store="露苔官方旗舰店",
        ordered_at=cal.moments(plan["day"].to_numpy(), plan["second"].to_numpy()),
        device="app",
        country="中国",
        channel="natural_search",
        payment_method="alipay",
        amount=price - off,
        discount=off,
        platform_discount=0,
        creator_discount=0,
        shipping=np.where(price - off >= 9_900, 0, 800),
        coupon_id=None,
        promotion_id=None,
    )
    orders["order_id"] = order_ids(cal, draws, *who, where, orders["ordered_at"].to_numpy())
    orders["customer_id"] = customer_ids(who[0], where)
    orders["paid_at"] = orders["ordered_at"] + pd.to_timedelta(draws.integers("fake pays", 3, 9, *who), unit="s")
    lines = pd.DataFrame(
        {
            "order": np.arange(len(plan)),
            "product": plan["product"],
            "line": 1,
            "quantity": 1,
            "unit_price": price,
            "discount": off,
            "promotion": world.promotion[plan["product"], plan["day"]],
            "product_id": world.catalogue.products["product_id"].to_numpy()[plan["product"]],
        }
    )
    lines["sku"], lines["gift"] = lines["product_id"] + "-01", False
    lines["amount"] = lines["unit_price"] - lines["discount"]
    for column in ("order_id", "platform", "ordered_at"):
        lines[column] = orders[column].to_numpy()
    return orders, lines
