"""What was planted, and what came of it: `truth.json`. Nothing in the book reads it but the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .aftersales import fulfilment, voice
from .office import content, loyalty, market, plans, supply, work
from .shoppers import funnel, orders
from .world import World, catalogue, incidents, media, people

RESPONSE = (0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Factors on a channel's budget at which its sales are told."""


SOON = 28
"""Days within which what a new customer buys again cannot be told from what brought her, in weekly figures."""


def tally(world: World, made: pd.DataFrame, lines: pd.DataFrame, lost: pd.DataFrame, who: pd.DataFrame) -> pd.DataFrame:
    """Counts of one block of people that may be added: what, channel or product, month, number, money (fen).

    `who` says by person what brought her (cause) and when (arrived).
    """
    month, products = world.calendar.month, world.catalogue.products
    bought = pd.DataFrame({"month": month[made["day"]], "number": made["paid_at"].notna(), "money": made["amount"]})
    again = (made["cause"] == "repeat").to_numpy()
    brought = made["person"].map(who["cause"])
    soon = again & (made["day"] - made["person"].map(who["arrived"]) <= SOON).to_numpy()
    price = world.catalogue.price[lost["product"], lost["day"]]
    missed = pd.DataFrame({"month": month[lost["day"]], "number": lost["quantity"], "money": price * lost["quantity"]})
    offered = lines[lines["promotion"] >= 0]
    cost = products["unit_cost"].to_numpy()[offered["product"]] * offered["quantity"]
    earned = pd.DataFrame({"month": 0, "number": offered["quantity"], "money": offered["amount"] - cost})
    in_full = earned.assign(money=offered["unit_price"] * offered["quantity"] - cost)
    names = world.promotions.table["promotion_id"].to_numpy()[offered["promotion"]]
    return pd.concat(
        [
            _sums("direct", made["cause"], bought),
            _sums("followed", brought[again], bought[again]),
            _sums("soon", brought[soon], bought[soon]),
            _sums("lost", products["product_id"].to_numpy()[lost["product"]], missed),
            _sums("promoted", names, earned),
            _sums("in full", names, in_full),
        ],
        ignore_index=True,
    )


def _sums(what: str, of: Any, rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(what=what, of=np.asarray(of, dtype=object))
    return rows.groupby(["what", "of", "month"], as_index=False)[["number", "money"]].sum()


def truth(world: World, of_all: dict[str, Any], once: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Everything that was planted in a world, in yuan and dates.

    `of_all` are the counts of all blocks, `once` the tables that are made once for a world (see `blocks`).
    """
    counts = of_all["tally"].groupby(["what", "of", "month"])[["number", "money"]].sum()
    claimed = of_all["claims"]
    day = world.calendar.days.strftime("%Y-%m-%d")
    dates, goods = world.incidents, world.catalogue
    return {
        "seed": world.seed,
        "scale": world.scale,
        "first_day": day[0],
        "last_day": day[-1],
        "media": {c: _channel(world, c, counts, claimed) for c in world.media.channels["channel"]},
        "lift_tests": [
            {"channel": c, "begins": day[b], "ends": day[e - 1], "provinces": list(media.HELD_OUT)}
            for c, b, e in dates.lift_tests
        ],
        "channel_to_scale": {"channel": media.NEW, "since": day[dates.new_channel]},
        "channel_to_exit": {
            "channel": media.FAILING,
            "since": day[dates.failing_channel],
            "factor": media.FAILING_FACTOR,
            "target_roas": media.TARGET_ROAS,
        },
        "elasticity": dict(zip(goods.products["product_id"], goods.products["elasticity"].round(4), strict=True)),
        "cross_elasticity": [{"product": p, "competitor": c, "elasticity": e} for p, c, e in catalogue.CROSS],
        "undercut": {
            "competitor": catalogue.UNDERCUT[0],
            "since": day[dates.undercut],
            "category": goods.products["category"].iloc[0],
        },
        "promotions": _promotions(world, counts),
        "festivals": sorted({f for f in world.calendar.festival if f}),
        "category_growth": {c[0]: c[5] for c in catalogue.CATEGORIES},
        "season": {c[0]: {"peak_day_of_year": c[8], "size": c[9]} for c in catalogue.CATEGORIES},
        "bought_together": [{"first": a, "second": b, "chance": p} for a, b, p in orders.TOGETHER],
        "personas": {p.name: {"name_zh": p.name_zh, "share": p.share} for p in people.PERSONAS},
        "weak_step": {
            "since": day[dates.weak_step],
            "device": incidents.WEAK_STEP[0],
            "step": incidents.WEAK_STEP[1],
            "factor": funnel.WEAK,
        },
        "experiments": {
            name: {"begins": day[b], "ends": day[e - 1], **funnel.planted(name)} for name, b, e in dates.experiments
        },
        "outage": {"day": day[dates.outage]},
        "crisis": {
            "since": day[dates.crisis],
            "product": incidents.CRISIS_PRODUCT,
            "depth": incidents.CRISIS_DEPTH,
            "mean_days": incidents.CRISIS_DAYS,
        },
        "stock_out": _stock_out(world, counts),
        "slow_supplier": {"since": day[dates.slow_supplier], "supplier": incidents.SLOW_SUPPLIER},
        "late_region": {"since": day[dates.late_region], "region": incidents.LATE_REGION},
        "fraud": {"windows": [{"begins": day[b], "ends": day[e - 1]} for b, e in dates.fake]},
        "fulfilment": fulfilment.truths(world),
        "voice": voice.truths(world),
        "supply": supply.truths(world, of_all["units"], once),
        "plans": plans.truths(world),
        "content": content.truths(world),
        "work": work.truths(world),
        "market": market.truths(world),
        "loyalty": loyalty.truths(of_all["loyalty"]),
    }


def _channel(world: World, channel: str, counts: pd.DataFrame, claimed: pd.DataFrame) -> dict[str, Any]:
    """Shape and results of one channel; money in yuan."""
    i, scale = world.media.position(channel), world.scale
    months = range(int(world.calendar.month.max()) + 1)
    direct = _by_month(counts, "direct", channel, months)
    later, soon = (_by_month(counts, what, channel, months)["money"] for what in ("followed", "soon"))
    spend = pd.Series(world.media.spend[i]).groupby(world.calendar.month).sum() / 100
    own = claimed[claimed["channel"] == channel]
    claim = own.groupby(world.calendar.month[own["day"]])["value"].sum().reindex(months, fill_value=0) / 100
    about = world.media.channels.iloc[i]
    total, claims = float(direct["money"].sum()), float(claim.sum())
    return {
        "carry_a_week": float(about["carry"]),
        "half_spend_a_week": float(about["half"] * scale),
        "occasions_a_day_at_most": float(about["ceiling"] * scale),
        "spend": round(float(spend.sum()), 2),
        "incremental_orders": int(direct["number"].sum()),
        "incremental_sales": round(total, 2),
        "followed_sales": round(float(later.sum()), 2),
        "followed_soon_sales": round(float(soon.sum()), 2),
        "roas": round(total / float(spend.sum()), 4) if spend.sum() else None,
        "claimed_sales": round(claims, 2),
        "over_claim": round(claims / total, 4) if total else None,
        "response": _response(world, i, total),
        "months": [
            {
                "month": str(world.calendar.days[0].to_period("M") + m),
                "spend": round(float(spend[m]), 2),
                "incremental_orders": int(direct["number"][m]),
                "incremental_sales": round(float(direct["money"][m]), 2),
                "followed_sales": round(float(later[m]), 2),
                "claimed_sales": round(float(claim[m]), 2),
            }
            for m in months
        ],
    }


def _by_month(counts: pd.DataFrame, what: str, of: str, months: range) -> pd.DataFrame:
    """Number and money (yuan) of each month."""
    if (what, of) not in counts.index.droplevel("month"):
        return pd.DataFrame({"number": 0, "money": 0.0}, index=months)
    out = counts.loc[(what, of)].reindex(months, fill_value=0)
    return out.assign(money=out["money"] / 100)


def _response(world: World, i: int, sales: float) -> list[dict[str, float]]:
    """Incremental sales of the whole time had all of the channel's spending been multiplied by a factor."""
    spend = world.media.spend / 100 / world.scale
    base = None
    out = []
    for factor in (1.0, *RESPONSE):
        scaled = spend.copy()
        scaled[i] *= factor
        reached = float((media.saturation(scaled)[i] * world.media.ceiling[i]).sum())
        base = reached if base is None else base
        out.append({"factor": factor, "sales": round(sales * reached / base, 2) if base else 0.0})
    return out[1:]


def _promotions(world: World, counts: pd.DataFrame) -> list[dict[str, Any]]:
    """Each promotion with its effect; what it earned beside what would have been earned without it, in yuan."""
    out = []
    start = world.calendar.days[0]
    for p in world.promotions.table.to_dict("records"):
        with_it = _by_month(counts, "promoted", p["promotion_id"], range(1)).iloc[0]
        full = _by_month(counts, "in full", p["promotion_id"], range(1))["money"].iloc[0]
        without = full / p["uplift"] + p["pulled"] * full * (1 - 1 / p["uplift"])
        out.append(
            {
                "promotion_id": p["promotion_id"],
                "category": p["category"],
                "begins": str((start + pd.Timedelta(days=p["begins"])).date()),
                "ends": str((start + pd.Timedelta(days=p["ends"])).date()),
                "depth": p["depth"],
                "uplift": round(p["uplift"], 4),
                "pulled_forward": p["pulled"],
                "loses_money": p["losing"],
                "units": int(with_it["number"]),
                "margin_gained": round(float(with_it["money"] - without), 2),
            }
        )
    return out


def _stock_out(world: World, counts: pd.DataFrame) -> dict[str, Any]:
    """Which days, and what was lost: units that were wanted, at the price shown, in yuan."""
    j = world.catalogue.position(incidents.STOCK_OUT_PRODUCT)
    out = np.flatnonzero(~world.in_stock[j])
    day = world.calendar.days.strftime("%Y-%m-%d")
    lost = _by_month(counts, "lost", incidents.STOCK_OUT_PRODUCT, range(int(world.calendar.month.max()) + 1)).sum()
    return {
        "product": incidents.STOCK_OUT_PRODUCT,
        "begins": day[out[0]] if len(out) else None,
        "ends": day[out[-1]] if len(out) else None,
        "lost_units": int(lost["number"]),
        "lost_sales": round(float(lost["money"]), 2),
    }


def about_people(world: World, accounts: pd.DataFrame, people_of: pd.DataFrame) -> pd.DataFrame:
    """One row an account: platform, customer_id, person, persona, rate (purchases a week), dropout."""
    who = accounts[["person"]].merge(people_of, on="person", how="left", validate="m:1")
    return pd.DataFrame(
        {
            "platform": np.array(people.PLATFORMS, dtype=object)[accounts["platform"]],
            "customer_id": orders.customer_ids(accounts["person"].to_numpy(), accounts["platform"].to_numpy()),
            "person": who["person"],
            "persona": np.array([p.name for p in people.PERSONAS], dtype=object)[who["persona"]],
            "rate_a_week": (who["rate"] * 7).round(8),
            "dropout": who["dropout"].round(8),
        }
    )


def about_orders(made: pd.DataFrame) -> pd.DataFrame:
    """One row an order: platform, order_id, cause, fraud."""
    return made[["platform", "order_id", "cause", "fraud"]]
