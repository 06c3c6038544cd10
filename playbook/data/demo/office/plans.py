"""What the team wrote down before it happened: promotions and targets, the coming two months included.

Money is in fen, except in `targets`, whose numbers are in each metric's own unit (yuan where it is money).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..shoppers.orders import COUPONS
from ..world import World
from ..world.media import TARGET_ROAS
from ..world.people import PLATFORMS
from . import ahead
from .campaigns import OWNERS, campaigns, clashes, drowned, months, spending
from .loyalty import LIVES, coupon_promotion

SHARE_OF_SHELF = 0.55  # of a coupon promotion's budget is used up
GROWTH = (0.05, 0.16)  # that targets ask for on top of last year's month
FIRST_YEAR = 0.08  # spread (log) of the targets of the first year, of which there is no year before, about what came
NET = 0.93  # of what is paid is left after returns, as the team reckons
REVISED = 0.3  # of the months had their target changed shortly before


def plan_counts(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """What was sold, by month and platform (positions): sales (fen), orders, customers (new ones); may be added."""
    paid = orders[orders["paid_at"].notna()]
    rows = pd.DataFrame(
        {
            "month": world.calendar.month[paid["day"]],
            "platform": paid["platform_at"],
            "sales": paid["amount"],
            "orders": 1,
            "customers": (paid["number"] == 0) & (paid["cause"] != "repeat"),
        }
    )
    grid = pd.MultiIndex.from_product(
        [range(int(world.calendar.month.max()) + 1), range(len(PLATFORMS))], names=["month", "platform"]
    )
    return rows.groupby(["month", "platform"]).sum().reindex(grid, fill_value=0).astype(np.int64)


def plans(world: World, counts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `campaigns`, `promotions` and `targets`, from `plan_counts` of all blocks."""
    counts = counts.groupby(level=["month", "platform"]).sum()  # where those of blocks lie one below the other
    return {
        "campaigns": campaigns(world),
        "promotions": promotions(world, counts),
        "targets": targets(world, counts),
    }


def promotions(world: World, counts: pd.DataFrame) -> pd.DataFrame:
    """The table `promotions`; `rule` says in words of an engine what a shopper gets.

    ``full_reduction 300-45 repeat cross_store``: 45 yuan off every 300, pooled over shops, so that each line bears its
    part whatever its own basket; ``discount 0.88``; ``gift same 1-1``: one more of the same free, which the orders show
    as half the price each; ``coupon 199-20 days 14``; ``points 100-1``: a hundred points for a yuan.
    """
    rng = world.draws.generator("promotions table")
    daily = counts["sales"].sum() / world.calendar.n
    share = world.catalogue.products.groupby("category")["weight"].sum() / world.catalogue.products["weight"].sum()
    rows = []
    for p in world.promotions.table.to_dict("records"):
        sales = daily * share.get(p["category"], 1.0) * p["uplift"] * (p["ends"] - p["begins"] + 1)
        rows.append(
            {
                "promotion_id": p["promotion_id"], "name": p["name"], "begins": ahead.date(world, p["begins"]),
                "ends": ahead.date(world, p["ends"]), "kind": p["kind"], "category": p["category"] or None,
                "rule": _rule(p["kind"], p["depth"]), "budget": sales * p["depth"] * 1.1,
            }
        )  # fmt: skip
    rows += [{**o, "kind": "discount", "budget": 0.01 * 30 * daily} for o in clashes(world)["promotions"]]
    rows += _coupon_promotions(world, daily)
    rows.append(
        {
            "promotion_id": "points-club", "name": "露苔会员积分", "begins": world.calendar.days[0],
            "ends": ahead.days_ahead(world)[-1], "kind": "points", "rule": "points 100-1",
            "budget": 0.003 * counts["sales"].sum(),
        }
    )  # fmt: skip
    out = pd.DataFrame(rows)
    out = out[out["begins"] <= ahead.days_ahead(world)[-1]].reset_index(drop=True)
    out["starts_at"] = out["begins"].astype("datetime64[s]")
    out["ends_at"] = (out["ends"] + pd.Timedelta(hours=23, minutes=59, seconds=59)).astype("datetime64[s]")
    out["recorded_at"] = ahead.recorded(
        world, out["begins"] - pd.to_timedelta(rng.integers(16, 46, len(out)), unit="D"), rng
    )
    out["budget"] = (out["budget"] / 10_000).round().astype(np.int64).clip(lower=1) * 10_000
    out["funded_by"] = "merchant"
    return out.drop(columns=["begins", "ends"]).sort_values(["starts_at", "promotion_id"], ignore_index=True)


def _rule(kind: str, depth: float) -> str:
    if kind == "full_reduction":
        return f"full_reduction 300-{300 * depth:g} repeat cross_store"
    return "gift same 1-1" if kind == "gift" else f"discount {1 - depth:.2f}"


def _coupon_promotions(world: World, daily: float) -> list[dict]:
    out = []
    for first in pd.date_range(f"{world.calendar.days[0].year}-01-01", ahead.days_ahead(world)[-1], freq="6MS"):
        last = first + pd.DateOffset(months=6) - pd.Timedelta(days=1)
        if last < world.calendar.days[0] or first >= world.calendar.end:
            continue
        for threshold, off in COUPONS:
            label = coupon_promotion(threshold, str(first.year), "H1" if first.month == 1 else "H2")
            rule = f"coupon {threshold // 100}-{off // 100} days {LIVES[threshold]}"
            title = f"{first.year}{'上' if first.month == 1 else '下'}半年满{threshold // 100}减{off // 100}券"
            spent = 0.012 * daily * 182 / SHARE_OF_SHELF
            out.append(
                {
                    "promotion_id": label,
                    "name": title,
                    "begins": first,
                    "ends": last,
                    "kind": "coupon",
                    "rule": rule,
                    "budget": spent,
                }
            )
    return out


def targets(world: World, counts: pd.DataFrame) -> pd.DataFrame:
    """The table `targets`: set ten days before each quarter, some changed again a week before their month."""
    rng, all_months = world.draws.generator("targets"), months(world)
    rows: list[tuple] = []
    sums = counts.groupby("month").sum()
    for metric, unit, owner in (
        ("net_sales", NET / 100, "电商总监"),
        ("orders_paid", 1.0, "店铺运营经理"),
        ("new_customers", 1.0, "增长经理"),
    ):
        column = {"net_sales": "sales", "orders_paid": "orders", "new_customers": "customers"}[metric]
        rows += [
            (metric, m, v, None, None, owner)
            for m, v in enumerate(_aims(rng, sums[column].to_numpy() * unit, len(all_months)))
        ]
    for k, platform in enumerate(PLATFORMS):
        sold = counts.xs(k, level="platform")["sales"].to_numpy() * NET / 100
        rows += [
            ("net_sales", m, v, platform, None, "店铺运营经理") for m, v in enumerate(_aims(rng, sold, len(all_months)))
        ]
    edges = np.r_[0, np.cumsum(all_months.days_in_month)]
    for i, channel in enumerate(world.media.channels["channel"]):
        for m in range(len(all_months)):
            spend = spending(world, i, int(edges[m]), int(edges[m + 1])) / 100
            if spend > 0:
                rows.append(("roas", m, TARGET_ROAS, None, channel, OWNERS[channel]))
                rows.append(
                    ("ad_spend", m, float(rounded(spend * np.exp(rng.normal(0, 0.05)))), None, channel, OWNERS[channel])
                )
    out = pd.DataFrame(rows, columns=["metric", "m", "target", "platform", "channel", "owner"])
    month = all_months[out["m"]]
    quarter = pd.Series(month.asfreq("Q").start_time)
    out["recorded_at"] = ahead.recorded(world, quarter.dt.normalize() - pd.Timedelta(days=10), rng)
    out["period"] = month.astype(str)
    changed = (rng.random(len(out)) < REVISED) & ~out["metric"].isin(["roas"]) & (month.month % 3 != 1)
    late = pd.Series(month.start_time)[changed] - pd.Timedelta(days=6)
    again = out[changed].assign(when=late)[late < world.calendar.end - pd.Timedelta(days=12)]
    again["target"] = rounded(again["target"].to_numpy() * np.exp(rng.normal(0.01, 0.05, len(again))))
    again["recorded_at"] = ahead.recorded(world, again.pop("when"), rng)
    out = pd.concat([out, again], ignore_index=True).drop(columns="m")
    return out.sort_values(["recorded_at", "metric", "period", "platform", "channel"], ignore_index=True)


def _aims(rng: np.random.Generator, came: np.ndarray, months: int) -> np.ndarray:
    """What was aimed at: last year's month and a part more; in the first year about what came of it."""
    ask = 1 + rng.uniform(*GROWTH, months)
    first = came[:12] * np.exp(rng.normal(0, FIRST_YEAR, len(came[:12])))
    return rounded(np.r_[first, came[: months - 12] * ask[12:]])


def rounded(value: Any) -> np.ndarray:
    """To two and a half digits, as people write targets."""
    value = np.asarray(value, dtype=float)
    step = 10.0 ** np.floor(np.log10(np.maximum(value, 1))) / 20
    return np.rint(value / step) * step


def truths(world: World) -> dict[str, Any]:
    """The clashes that were planted ahead, and the campaigns that a festival drowns."""
    return {"clashes": [*clashes(world)["facts"], *drowned(world)]}
