"""What the advertising platforms report: `ad_spend`, with the orders that they claim. Money is in fen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..shoppers.orders import TRACKED, claim_chance, claim_draw
from ..world import World
from ..world.media import BOUGHT_ON, HELD_OUT
from ..world.people import PROVINCES, share_of

CAMPAIGNS = {  # of each channel, with their parts in what is spent
    "search": (("品牌词", 0.3), ("品类词", 0.5), ("竞品词", 0.2)),
    "in_platform": (("万相台·拉新", 0.45), ("万相台·收割", 0.35), ("直通车", 0.2)),
    "short_video": (("种草视频", 0.6), ("挂车视频", 0.4)),
    "xiaohongshu": (("KOL合作", 0.55), ("信息流笔记", 0.45)),
    "live": (("达人直播", 0.65), ("店铺自播", 0.35)),
    "crm": (("短信", 0.7), ("邮件", 0.3)),
    "bilibili": (("UP主合作", 1.0),),
    "display": (("联盟展示", 1.0),),
}
KEYWORDS = {  # of the search campaigns, with their parts
    "品牌词": (("露苔", 0.7), ("露苔精华", 0.3)),
    "品类词": (("保湿精华", 0.35), ("补水面膜", 0.3), ("香薰蜡烛", 0.2), ("无火香薰", 0.15)),
    "竞品词": (("栖木精华", 0.6), ("初壤面膜", 0.4)),
}
CREATIVES = {  # of the short videos, with their parts
    "种草视频": (("V-质地实拍", 0.5), ("V-成分科普", 0.3), ("V-浴室场景", 0.2)),
    "挂车视频": (("V-买家秀", 0.6), ("V-福利口播", 0.4)),
}
BY_REGION = 28  # days before and after a lift test in which the platform reports its channel by province


def claims(world: World, orders: pd.DataFrame) -> pd.DataFrame:
    """Orders that channels say they brought, summed: channel, campaign, day, region, orders, value (fen).

    What a channel brought it mostly sees; beside that it claims a part of the orders that came anyway. An order may be
    claimed by several. The counts of blocks of people may be added.
    """
    who = (orders["person"].to_numpy(), orders["number"].to_numpy())
    paid = orders["paid_at"].notna().to_numpy()
    parts = []
    for channel in BOUGHT_ON:
        brought = (orders["cause"] == channel).to_numpy()
        seen = brought & (world.draws.uniform("tracked", *who) < TRACKED)
        taken = ~brought & (claim_draw(world.draws, channel, *who) < claim_chance(world, channel, orders))
        i = np.flatnonzero((seen | taken) & paid)
        spec = CAMPAIGNS[channel]
        share = np.cumsum([s for _n, s in spec])
        which = np.searchsorted(
            share, world.draws.uniform(f"campaign {channel}", who[0][i], who[1][i]) * share[-1], "right"
        )
        part = orders.iloc[i][["day", "region", "amount"]].assign(channel=channel)
        part["campaign"] = np.array([n for n, _s in spec], dtype=object)[which]
        parts.append(part)
    every = pd.concat(parts, ignore_index=True)
    keys = ["channel", "campaign", "day", "region"]
    return every.groupby(keys, sort=True)["amount"].agg(orders="size", value="sum").reset_index()


def ad_spend(world: World, claimed: pd.DataFrame) -> pd.DataFrame:
    """The table `ad_spend`: by campaign (and by province around the lift tests), keyword and creative."""
    campaigns = pd.concat([_campaigns(world, claimed, c) for c in CAMPAIGNS], ignore_index=True)
    finer = [_split(campaigns, "keyword", KEYWORDS), _split(campaigns, "creative", CREATIVES)]
    out = pd.concat([campaigns, *finer], ignore_index=True)
    out["day"] = world.calendar.days.to_numpy()[out["day"]]
    return out.sort_values(["day", "platform", "level", "campaign_id"], kind="stable", ignore_index=True)


def _campaigns(world: World, claimed: pd.DataFrame, channel: str) -> pd.DataFrame:
    """A row for each day and campaign of a channel; within the windows of its lift test one for each province."""
    i = world.media.position(channel)
    names = [n for n, _s in CAMPAIGNS[channel]]
    cut = np.cumsum([s for _n, s in CAMPAIGNS[channel]]) / sum(s for _n, s in CAMPAIGNS[channel])
    cents = np.diff(np.rint(world.media.spend[i][:, None] * np.r_[0, cut][None]).astype(np.int64), axis=1)
    base = pd.DataFrame(
        {
            "day": np.repeat(np.arange(world.calendar.n), len(names)),
            "campaign": np.tile(np.array(names, dtype=object), world.calendar.n),
            "spend": cents.ravel(),
        }
    )
    mine = claimed[claimed["channel"] == channel]
    detailed = np.zeros(world.calendar.n, dtype=bool)
    for name, begins, ends in world.incidents.lift_tests:
        if name == channel:
            detailed[max(0, begins - BY_REGION) : ends + BY_REGION] = True
    whole = base[~detailed[base["day"]]]
    counts = mine.groupby(["day", "campaign"])[["orders", "value"]].sum()
    whole = whole.join(counts, on=["day", "campaign"]).assign(region=None)
    if not detailed.any():
        return _reported(world, i, whole)
    split = _by_region(world, base[detailed[base["day"]]], i)
    split = split.merge(
        mine[["day", "campaign", "region", "orders", "value"]], on=["day", "campaign", "region"], how="left"
    )
    return _reported(world, i, pd.concat([whole, split], ignore_index=True))


def _by_region(world: World, rows: pd.DataFrame, channel: int) -> pd.DataFrame:
    regions = list(PROVINCES)
    share = np.array([share_of((r,)) for r in regions])
    out = rows.loc[rows.index.repeat(len(regions))].reset_index(drop=True)
    out["region"] = np.tile(np.array(regions, dtype=object), len(rows))
    off = world.media.held_out[channel, out["day"]] & out["region"].isin(HELD_OUT).to_numpy()
    weight = np.where(off, 0.0, np.tile(share, len(rows))).reshape(len(rows), -1)
    running = np.c_[
        np.zeros(len(rows)), np.cumsum(weight, axis=1) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    ]
    out["spend"] = np.diff(np.rint(rows["spend"].to_numpy()[:, None] * running).astype(np.int64), axis=1).ravel()
    return out[~off].reset_index(drop=True)


def _reported(world: World, channel: int, rows: pd.DataFrame) -> pd.DataFrame:
    """Impressions and clicks for what was spent; nothing is reported for days without spending."""
    about = world.media.channels.iloc[channel]
    rng = world.draws.generator(f"reported {about['channel']}")
    rows = rows[rows["spend"] > 0].fillna({"orders": 0, "value": 0}).reset_index(drop=True)
    clicks = rng.poisson(rows["spend"] / 100 / about["cpc"] * np.exp(rng.normal(0, 0.08, len(rows))))
    rows["clicks"] = np.maximum(clicks, rows["orders"].astype(int))
    rows["impressions"] = np.maximum(rows["clicks"], rng.poisson(rows["clicks"] / about["ctr"]))
    rows["platform"], rows["level"], rows["channel"] = about["platform"], "campaign", about["channel"]
    rows["campaign_id"] = (
        about["channel"]
        + "-"
        + rows["campaign"].map({n: str(k + 1) for k, (n, _s) in enumerate(CAMPAIGNS[about["channel"]])})
    )
    rows["keyword"], rows["creative_id"] = None, None
    rows = rows.rename(columns={"orders": "conversions", "value": "conversion_value"})
    return rows.astype({"conversions": float, "conversion_value": np.int64})


def _split(campaigns: pd.DataFrame, level: str, parts: dict[str, tuple[tuple[str, float], ...]]) -> pd.DataFrame:
    """The same money once more by keyword or creative, tied to the fen."""
    column = {"keyword": "keyword", "creative": "creative_id"}[level]
    out = []
    whole = campaigns[campaigns["campaign"].isin(parts)]
    sums = ["spend", "impressions", "clicks", "conversions", "conversion_value"]
    keys = ["day", "campaign", "platform", "channel", "campaign_id"]
    whole = whole.groupby(keys, sort=False)[sums].sum().reset_index()
    for campaign, pieces in parts.items():
        rows = whole[whole["campaign"] == campaign]
        cut = np.r_[0, np.cumsum([s for _n, s in pieces])]
        for k, (name, _share) in enumerate(pieces):
            one = rows.assign(level=level, region=None, keyword=None, creative_id=None)
            one[column] = name
            for c in sums:
                one[c] = np.rint(rows[c] * cut[k + 1]).astype(np.int64) - np.rint(rows[c] * cut[k]).astype(np.int64)
            out.append(one[one["spend"] > 0])
    return pd.concat(out, ignore_index=True).astype({"conversions": float})
