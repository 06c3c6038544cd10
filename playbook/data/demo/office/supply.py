"""Stock, suppliers and purchase orders: what leaves the warehouse comes from orders, what arrives from a policy.

Planted are a star that ran out, a supplier that slipped, and one star that will run out before the coming festival ends
unless somebody acts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..aftersales.fulfilment import SOUTH, WAREHOUSES
from ..world import World
from ..world.catalogue import SUPPLIERS
from ..world.people import share_of
from . import ahead
from .supply_policy import KEEPS, RUN_OUT_PRODUCT, SLOW_BY, Stock, stock_of

AFTERNOON = 0.47  # of a day's orders come after 16:00 (see `calendar.HOURS`) and leave the next morning


def supply_counts(world: World, lines: pd.DataFrame, orders: pd.DataFrame) -> np.ndarray:
    """Units that left stock, products × days of ordering; the counts of blocks may be added.

    Orders that were never paid take nothing out, and faked ones are empty parcels. Goods that come back are not sold
    again (cosmetics, opened): they do not return to stock.
    """
    real = orders["paid_at"].notna().to_numpy()
    if "fraud" in orders:
        real = real & (orders["fraud"] != "fake").to_numpy()
    of = lines["order"].to_numpy()
    counted = real[of]
    shape = (len(world.catalogue.products), world.calendar.n)
    cell = lines["product"].to_numpy()[counted] * shape[1] + orders["day"].to_numpy()[of][counted]
    sums = np.bincount(cell, lines["quantity"].to_numpy()[counted], shape[0] * shape[1])
    return sums.astype(np.int64).reshape(shape)


def supply(world: World, units: np.ndarray) -> dict[str, pd.DataFrame]:
    """The tables `inventory`, `suppliers` and `purchase_orders`, from `supply_counts` of all blocks.

    Of each product, over both warehouses, at the end of a day: ``on_hand`` is yesterday's, plus what was received and
    not defective, minus what left; ``on_hand − reserved`` moves the same way with what was ordered and paid.
    Goods arrive in the first warehouse; every night the second one is filled up to its part.
    """
    stock = stock_of(world, units)
    return {
        "inventory": _inventory(world, units, stock),
        "suppliers": suppliers(world),
        "purchase_orders": _purchase_orders(world, stock),
    }


def suppliers(world: World) -> pd.DataFrame:
    """The table `suppliers`; minimum orders are as large as the shop is."""
    rows = pd.DataFrame(SUPPLIERS, columns=["supplier_id", "name", "lead_days", "minimum_order", "sole_source"])
    rows["minimum_order"] = np.rint(rows["minimum_order"] * world.scale).astype(np.int64)
    return rows


def _inventory(world: World, units: np.ndarray, stock: Stock) -> pd.DataFrame:
    goods, cal = world.catalogue.products, world.calendar
    reserved = np.ceil(AFTERNOON * units).astype(np.int64)
    for j, gone in enumerate(~world.in_stock):
        if gone.any():  # the last unit leaves on the first morning without
            begins = int(np.flatnonzero(gone)[0])
            sold = np.flatnonzero(units[j, :begins])
            if len(sold):
                reserved[j, sold[-1] : begins] = np.maximum(reserved[j, sold[-1] : begins], 1)
    inbound = np.zeros((len(goods), cal.n + 1), dtype=np.int64)
    for p in stock.purchases:
        inbound[p.product, min(p.placed, cal.n)] += p.quantity
        inbound[p.product, min(p.arrives, cal.n)] -= p.quantity
    goods_id, under_way = goods["product_id"].to_numpy(object), np.cumsum(inbound, axis=1)[:, : cal.n]
    south = [_second(part) for part in (stock.available, reserved)]
    both = []
    for k, name in enumerate(WAREHOUSES):
        free, promised = (s if k else whole - s for whole, s in zip((stock.available, reserved), south, strict=True))
        there = np.zeros_like(free) if k else under_way
        both.append(
            pd.DataFrame(
                {
                    "day": np.repeat(cal.days.to_numpy(), len(goods)),
                    "product_id": np.tile(goods_id, cal.n),
                    "on_hand": (free + promised).T.ravel(),
                    "warehouse": name,
                    "reserved": promised.T.ravel(),
                    "inbound": there.T.ravel(),
                }
            )
        )
    return pd.concat(both).sort_values(["day", "product_id", "warehouse"], ignore_index=True)


def _second(units: np.ndarray) -> np.ndarray:
    """What of it lies in the second warehouse: the part of the people whom it serves, one unit where there are two."""
    return np.where(units >= 2, np.maximum(np.rint(units * share_of(SOUTH)), 1), 0).astype(np.int64)


def _purchase_orders(world: World, stock: Stock) -> pd.DataFrame:
    goods, cal = world.catalogue.products, world.calendar
    rows = pd.DataFrame([vars(p) for p in stock.purchases])
    supplier = goods["supplier_id"].to_numpy(object)[rows["product"]]
    placed = cal.days[0] + pd.to_timedelta(rows["placed"], unit="D")
    minute = world.draws.integers("ordered at", 0, 150, rows["placed"].to_numpy(), pd.factorize(supplier)[0])
    there = rows["arrives"] < cal.n
    drift = 1 + 0.03 * world.draws.normal("purchase price", rows["product"].to_numpy(), rows["placed"].to_numpy() // 90)
    suffix = rows["extra"].map({True: "-E", False: ""})
    out = pd.DataFrame(
        {
            "purchase_order_id": "PO" + placed.dt.strftime("%y%m%d") + "-" + pd.Series(supplier) + suffix,
            "product_id": goods["product_id"].to_numpy(object)[rows["product"]],
            "quantity": rows["quantity"],
            "recorded_at": placed + pd.to_timedelta(600 + minute + 180 * rows["extra"], unit="min"),
            "due_on": cal.days[0] + pd.to_timedelta(rows["due"], unit="D"),
            "supplier_id": supplier,
            "unit_cost": np.rint(goods["unit_cost"].to_numpy()[rows["product"]] * drift).astype(np.int64),
            "received_on": (cal.days[0] + pd.to_timedelta(rows["arrives"], unit="D")).where(there),
            "received": rows["received"].astype("Int64").where(there),
            "defective": rows["defective"].astype("Int64").where(there),
        }
    )
    return out.sort_values(["recorded_at", "purchase_order_id", "product_id"], ignore_index=True)


def truths(world: World, units: np.ndarray, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """What was planted in stock and supply."""
    n, j = world.calendar.n, world.catalogue.position(RUN_OUT_PRODUCT)
    wanted = ahead.expected(world, units)[j]
    stock = tables["inventory"]
    last = stock[(stock["day"] == stock["day"].max()) & (stock["product_id"] == RUN_OUT_PRODUCT)]
    left = int((last["on_hand"] - last["reserved"]).sum())
    orders = tables["purchase_orders"]
    coming = orders[(orders["product_id"] == RUN_OUT_PRODUCT) & orders["received_on"].isna()]
    festival = ahead.festival(world)
    return {
        "run_out": {
            "product": RUN_OUT_PRODUCT,
            "available": left,
            "expected_until": str(ahead.date(world, ahead.horizon(world)).date()),
            "expected_units": round(float(wanted[: ahead.horizon(world) - n + 1].sum()), 1),
            "runs_out_on": str(ahead.date(world, n + int(np.searchsorted(np.cumsum(wanted), left))).date()),
            "festival": festival["promotion_id"] if festival else None,
            "inbound_due": [str(d.date()) for d in coming["due_on"]],
        },
        "slow_supplier_late_days": SLOW_BY,
        "suppliers": {
            s: {"late_days": late, "spread_days": spread, "defective": flaw}
            for s, (late, spread, flaw) in KEEPS.items()
        },
    }
