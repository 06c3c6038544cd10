"""The demo's ``raw/``: what its platforms would give, and for all else the files that a team keeps of its own.

A platform's export is written where the shop would fetch it; what it cannot carry is lost (see `exports`). The team's
own files have the canonical columns: returns and shipments of its warehouse, the club's list of members, the pages of
advertising platforms without an export, plans, stock, tickets, and what a platform shows only for a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from .blocks import Block
from .exports import alimama, douyin, ga4, google, jd, shopify, sycm, taobao, wanxiangtai
from .shoppers.contacts import doors, personal
from .world import World
from .write import write

QUARTER, YEAR = 3, 12
"""Months of an export: platforms give three at once, the own site and advertising a year."""
REPORTED = ("google", "wanxiangtai", "alimama")
"""Advertising platforms whose report of campaigns is fetched."""
KEPT_MONTHS = 13
"""Months for which 生意参谋 shows a product's days; older ones are in the team's archive."""
BUYER = "用户ID"
"""The column of the buyer's number that the team's app adds to 抖店's export."""


def write_block(raw: Path, world: World, block: Block, part: str) -> Iterator[Path]:
    """Write what one block of people left on each platform; `part` ends the names of its files."""
    people = personal(world.draws, block.accounts)
    products = {"products": world.catalogue.products}
    orders = block.tables["orders"]
    to = doors(orders["address_hash"].astype(str)).set_axis(orders.index)
    orders = pd.concat([orders.assign(device_id=orders["device_hash"]), to], axis=1)
    tables = block.tables | products | {"orders": orders}
    yield from taobao.write(tables, people, raw / "tmall", every=QUARTER, part=part)
    yield from jd.write(tables, people, raw / "jd", every=QUARTER, part=part)
    yield from douyin.write(tables, people, raw / "douyin", buyer=BUYER, every=QUARTER, part=part)
    # returns come by themselves, with their time
    yield from shopify.write(tables, people, raw / "shopify", refunds=False, every=YEAR, part=part)
    yield from ga4.write(tables, people, raw / "ga4", every=QUARTER, part=part)
    for name, table in block.tables.items():
        if name == "customers":
            yield write(raw, name, table, part, more=_contacts(table, people))
        elif name == "settlements":
            yield write(raw, name, table[table["platform"] != "douyin"], part)
        elif name not in ("orders", "order_items", "events"):
            yield write(raw, name, table, part)


def write_whole(raw: Path, name: str, table: pd.DataFrame, products: pd.DataFrame, part: str) -> Iterator[Path]:
    """Write a table that is made once for a world."""
    tables, nobody = {name: table, "products": products}, pd.DataFrame()
    if name == "ad_spend":
        reported = _reported(table)
        tables = {name: table[reported]}
        yield from google.write(tables, nobody, raw / "google", every=YEAR)
        yield from wanxiangtai.write(tables, nobody, raw / "wanxiangtai", every=YEAR)
        yield from alimama.write(tables, nobody, raw / "alimama", every=YEAR)
        table = table[~reported]
    elif name == "traffic":
        shown = _shown(table)
        yield from sycm.write(tables | {name: table[shown]}, nobody, raw / "tmall", every=QUARTER)
        table = table[~shown]
    yield write(raw, name, table, part)


def _contacts(customers: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """The names and numbers on the club's list, row for row; the own site's customers stand in its own export."""
    known = people[people["platform"] != "own_site"].set_index(["platform", "customer_id"])
    there = known.reindex(pd.MultiIndex.from_frame(customers[["platform", "customer_id"]]))
    return pd.DataFrame({"手机号": there["phone"].to_numpy(object), "姓名": there["name"].to_numpy(object)})


def _reported(ad_spend: pd.DataFrame) -> pd.Series:
    """The rows of advertising that a platform's report has; it does not tell regions apart."""
    mine = ad_spend["platform"].isin(REPORTED) & (ad_spend["level"] == "campaign")
    return mine & ad_spend["region"].isna() if "region" in ad_spend else mine


def _shown(traffic: pd.DataFrame) -> pd.Series:
    """The rows of traffic that 生意参谋 still shows: Tmall's products in the last months."""
    day = pd.to_datetime(traffic["day"])
    first = day.max().to_period("M").start_time - pd.DateOffset(months=KEPT_MONTHS - 1)
    return (traffic["platform"] == "tmall") & traffic["product_id"].notna() & (day >= first)
