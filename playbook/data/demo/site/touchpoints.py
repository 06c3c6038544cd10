"""Contacts with channels before orders of the own site, and on ways that never end in one. Money is in fen.

The visits of `site.py` are clicks and visits here; advertisements that were only seen and messages lie between them.
Exposure follows how much a channel advertises, not what it does; the channel that brought an occasion was met in any
case. So the credit of any rule is not the planted effect: channels that wait at the end get what others began.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..office.advertising import CAMPAIGNS
from ..shoppers.demand import Demand
from ..world import World
from ..world.draw import pick
from ..world.media import CHANNELS
from .events import Site
from .labels import fen, hexes, named
from .visits import BROWSE, CAMPAIGN_NAMES, KNOWN, OWN, PAID, RESEARCH, SHOP, SOURCES

WINDOW = 21  # days of a path
LONGEST = 6  # touches of a path; the earlier ones are forgotten
SAMPLED = 0.12  # of the people who never fill a cart and of the visits of those known: the report is a sample of them
SEEN = {"short_video": 0.85, "xiaohongshu": 0.80, "display": 0.75, "bilibili": 0.60}  # chance at full saturation
MESSAGES = 0.75  # the same, for people whom the shop may write to
MET = 0.55  # of the occasions that a channel brought saw it before the click too
LINKED = {"click": 0.92, "visit": 0.45}  # of the last touches before an order: the platform can tell whose order it is
CPC_SPREAD = 0.25  # log, of the price of a click
MESSAGE_COST = 5  # fen, a text message
KINDS = ("impression", "click", "visit", "message")
IMPRESSION, CLICK, VISIT, MESSAGE = range(4)
CHANNEL_NAMES = tuple(dict.fromkeys([*SOURCES, *SEEN]))


def touchpoints(world: World, demand: Demand, orders: pd.DataFrame, site: Site) -> pd.DataFrame:
    """The table `touchpoints` of one block of people, by time."""
    paths = _paths(world, site.visits)
    touches = pd.concat([_clicked(world, paths), _met(world, demand, paths)], ignore_index=True)
    end = paths.groupby("path")["begins"].max()
    last = end.reindex(touches["path"]).to_numpy()
    touches = touches[(touches["at"] >= 0) & (touches["at"] <= last) & (touches["at"] > last - WINDOW * 86400)]
    touches = touches.sort_values(["path", "at", "key"], ignore_index=True)
    from_end = touches.groupby("path").cumcount(ascending=False)
    touches = touches.assign(from_end=from_end)[from_end < LONGEST]
    return _written(world, touches.sort_values("at", kind="stable", ignore_index=True), orders)


def _paths(world: World, visits: pd.DataFrame) -> pd.DataFrame:
    """The visits that paths are made of, with the number of their path: of an occasion, or of a person."""
    kept = visits[visits["kind"].isin([SHOP, RESEARCH, BROWSE, KNOWN])]
    person = kept["person"].to_numpy()
    month = kept["begins"].to_numpy() // (30 * 86400)
    browse, known = (kept["kind"] == BROWSE).to_numpy(), (kept["kind"] == KNOWN).to_numpy()
    drawn = world.draws.uniform("in the sample", person, np.where(known, month, 0)) < SAMPLED
    kept = kept[~(browse | known) | drawn]
    # Ways that end in no order: all visits of an anonymous person, those of a month of a known one.
    journey, person = kept["journey"].to_numpy(), kept["person"].to_numpy()
    month = np.where(kept["kind"] == KNOWN, kept["begins"] // (30 * 86400), -1)
    group = pd.DataFrame({"journey": journey, "person": np.where(journey < 0, person, -1), "month": month})
    path = group.groupby(["journey", "person", "month"], sort=True).ngroup().to_numpy()
    order = kept["order"].groupby(path).transform("max") if len(kept) else kept["order"]
    return kept.assign(path=path, path_order=order.to_numpy()).reset_index(drop=True)


def _clicked(world: World, paths: pd.DataFrame) -> pd.DataFrame:
    """The visits as touches."""
    paid = (paths["campaign"] >= 0).to_numpy()
    cpc = CHANNELS.set_index("channel")["cpc"]
    price = np.array([100 * cpc.get(s, 0.0) for s in SOURCES])[paths["source"]]
    key = paths["key"].to_numpy()
    return pd.DataFrame(
        {
            "path": paths["path"],
            "at": paths["begins"],
            "key": key,
            "channel": paths["source"],
            "campaign": paths["campaign"],
            "kind": np.where(paid, CLICK, VISIT),
            "cost": price * np.exp(CPC_SPREAD * world.draws.normal("click price", key)),
            "visitor_id": paths["visitor_id"],
            "customer_id": paths["customer_id"],
            "order": paths["path_order"],
        }
    )


def _met(world: World, demand: Demand, paths: pd.DataFrame) -> pd.DataFrame:
    """Advertisements seen and messages received on the way, whether or not they did anything."""
    draws, cal = world.draws, world.calendar
    ends = paths.sort_values(["path", "begins"]).drop_duplicates("path", keep="last")
    own = demand.occasions[demand.occasions["platform"] == OWN]
    cause = np.append(own["cause"].to_numpy(dtype=object), "")[ends["journey"]]
    key, end = ends["key"].to_numpy(), ends["begins"].to_numpy()
    day = np.minimum(end // 86400, cal.n - 1)
    parts, at = [], 0
    offset = {}
    for channel in PAID:
        offset[channel] = at
        at += len(CAMPAIGNS[channel])
    for channel in [*SEEN, "crm"]:
        level = world.media.level[0, world.media.position(channel), day]
        chance = SEEN.get(channel, MESSAGES) * level
        if channel == "crm":
            chance = np.where(ends["customer_id"].notna(), chance, 0.0)
        brought = (cause == channel) & (draws.uniform(f"met {channel}", key) < MET)
        i = np.flatnonzero((draws.uniform(f"meets {channel}", key) < chance) | brought)
        # Between three weeks and some minutes before the end; what opened the way lies early in it.
        back = np.where(
            brought[i],
            0.35 + 0.6 * draws.uniform(f"opened {channel}", key[i]),
            draws.uniform(f"when {channel}", key[i]) ** 2,
        )
        own_campaigns = np.array([share for _name, share in CAMPAIGNS[channel]])
        which = pick(draws.uniform(f"which {channel}", key[i]), own_campaigns)
        parts.append(
            pd.DataFrame(
                {
                    "path": ends["path"].to_numpy()[i],
                    "at": end[i] - 300 - (back * (WINDOW - 1) * 86400).astype(np.int64),
                    "key": draws.bits(f"touch {channel}", key[i]),
                    "channel": CHANNEL_NAMES.index(channel),
                    "campaign": which + offset[channel] if channel in offset else -2 - which,
                    "kind": MESSAGE if channel == "crm" else IMPRESSION,
                    "cost": MESSAGE_COST,
                    "visitor_id": ends["visitor_id"].array[i],
                    "customer_id": ends["customer_id"].array[i],
                    "order": ends["path_order"].to_numpy()[i],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _written(world: World, touches: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    kind, key = touches["kind"].to_numpy(), touches["key"].to_numpy()
    chance = np.array([LINKED.get(k, 0.0) for k in KINDS])[kind]
    linked = (touches["from_end"] == 0) & (touches["order"] >= 0) & (world.draws.uniform("linked", key) < chance)
    ids = {name: f"{channel}-{k + 1}" for channel in PAID for k, (name, _s) in enumerate(CAMPAIGNS[channel])}
    videos = [f"short_video-{k + 1}" for k in range(len(CAMPAIGNS["short_video"]))]
    # Campaigns of the channels that lead to the site, then (from −2 downwards) those of the short videos.
    names = [*(ids[name] for _channel, name in CAMPAIGN_NAMES), *videos]
    campaign = touches["campaign"].to_numpy()
    campaign = np.where(campaign <= -2, len(CAMPAIGN_NAMES) - 2 - campaign, campaign)
    free = (kind == VISIT) | (kind == IMPRESSION)
    return pd.DataFrame(
        {
            "touch_id": hexes(key),
            "touched_at": world.calendar.moments(np.zeros(len(touches)), touches["at"].to_numpy()),
            "visitor_id": touches["visitor_id"].array,
            "channel": named(CHANNEL_NAMES, touches["channel"].to_numpy()),
            "customer_id": touches["customer_id"].array,
            "campaign_id": named(names, campaign),
            "kind": named(KINDS, kind),
            "order_id": named(orders["order_id"].to_numpy(object), np.where(linked, touches["order"], -1)),
            "cost": fen(np.rint(touches["cost"].to_numpy()), free),
        }
    )
