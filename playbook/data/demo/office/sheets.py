"""The sheets that the team keeps in ``plan/``: what each promotion is to bring, and limits and owners of alerts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..world import World
from ..world.people import PLATFORMS
from . import ahead
from .plans import rounded

WISHED = 0.04  # what teams wish for beyond what is to be expected (log)
MISSED = 0.12  # by how much they misjudge it (log)
STILL = 0.15  # of a platform's ordinary orders, below which somebody has to look whether it is still open
LEAST = 5  # orders a day from which that says something
OWNERS = {"orders_paid": "店铺运营经理", "paid_sales": "电商总监", "stock_days": "供应链经理", "complaints": "客服主管"}


def plan_sheets(world: World, counts: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The sheets `campaign_plan` and `alerts`, from `counts` of all blocks."""
    return {"campaign_plan": _campaign_plan(world, counts), "alerts": _alerts(world, counts)}


def _campaign_plan(world: World, counts: dict[str, Any]) -> pd.DataFrame:
    """Orders and sales that each promotion is to bring: by what sold in the eight weeks before, and by its season."""
    units, sold = counts["units"], counts["plans"][["sales", "orders"]].sum()
    shape, rng = ahead.level(world), world.draws.generator("campaign plan")
    category = world.catalogue.products["category"].to_numpy()
    rows: list[tuple[str, str, float]] = []
    for p in world.promotions.table.to_dict("records"):
        guess = float(np.exp(rng.normal(WISHED, MISSED)))
        base = slice(max(p["begins"] - ahead.BASE_DAYS, 0), min(p["begins"], world.calendar.n))
        if base.stop - base.start < ahead.BASE_DAYS / 2 or p["ends"] >= shape.shape[1]:
            continue
        mine = (category == p["category"]) | (p["category"] == "")
        usual = units[mine, base].sum() / shape[mine, base].sum()
        part = guess * usual * shape[mine, p["begins"] : p["ends"] + 1].sum() / units.sum()
        rows.append((p["promotion_id"], "orders_paid", part * sold["orders"]))
        rows.append((p["promotion_id"], "paid_sales", part * sold["sales"] / 100 * (1 - p["depth"])))
    out = pd.DataFrame(rows, columns=["promotion_id", "metric", "target"])
    return out.assign(target=rounded(out["target"]).astype(np.int64))


def _alerts(world: World, counts: dict[str, Any]) -> pd.DataFrame:
    """Below how few orders a day each platform is looked at, and whose some of the figures are."""
    a_day = counts["plans"]["orders"].groupby("platform").sum() / world.calendar.n
    rows: list[dict[str, Any]] = [{"kpi": kpi, "owner": owner} for kpi, owner in OWNERS.items()]
    rows += [
        {"kpi": "orders_paid", "part": name, "low": round(STILL * a_day[k]), "owner": OWNERS["orders_paid"]}
        for k, name in enumerate(PLATFORMS)
        if STILL * a_day[k] >= LEAST
    ]
    return pd.DataFrame(rows, columns=["kpi", "part", "low", "high", "owner"])
