"""Accounts: each person as each platform knows her; and, apart, what no table may carry."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World, people
from ..world.draw import Draws
from ..world.people import PLATFORMS
from .demand import Demand
from .orders import customer_ids

CONSENT = {"tmall": 0.55, "jd": 0.50, "douyin": 0.48, "own_site": 0.74}
SPENT = [(300_000, "gold"), (80_000, "silver"), (0, "member")]  # fen, all paid orders on the platform
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢"
GIVEN = "子雨梓思嘉诗欣一可心怡佳晨若语桐涵悦宁然乐清明远安静文舒雅宇浩轩博辰睿泽楠彤玥瑶琪萱蕾芸晴岚露霜雪云"
STREETS = [
    "人民路",
    "中山路",
    "解放大道",
    "建设路",
    "滨江路",
    "学院路",
    "文化路",
    "青年路",
    "长江路",
    "和平街",
    "新华路",
    "东风路",
]
SHARED_PHONE = 0.012  # of the people give a telephone that many share: an office, a parcel shop, a family


def accounts(demand: Demand) -> pd.DataFrame:
    """Each person on each platform where she bought or went to the checkout: person, platform, persona, first.

    `platform` is a position, `first` the moment (day and second as one number of seconds) of the first occasion in
    the data; `arrived` and `cause` are the person's. One row an account, in order of person and platform.
    """
    seen = demand.occasions[demand.occasions["step"] >= 1]
    first = (seen["day"] * 86400 + seen["second"]).groupby([seen["person"], seen["platform"]], sort=True).min()
    out = first.rename("first").reset_index()
    return out.merge(demand.people[["person", "persona", "arrived", "cause"]], on="person", how="left", validate="m:1")


def customers(world: World, accounts: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """The table `customers`, one row an account, in order of registration."""
    draws, cal = world.draws, world.calendar
    person, where = accounts["person"].to_numpy(), accounts["platform"].to_numpy()
    platform = np.array(PLATFORMS, dtype=object)[where]
    e = draws.exponential("registered", person, where)
    at_once = draws.uniform("registers at once", person, where) < 0.6
    # On the day that she arrived, as far as that lies before the data; otherwise some time before her first order.
    early = cal.moments(
        accounts["arrived"].to_numpy(), draws.integers("registered early", 28_800, 86_400, person, where)
    )
    first = cal.moments(np.zeros(len(accounts)), accounts["first"].to_numpy())
    ahead = np.where(at_once, 60 + 900 * e, 60 + 40 * 86400 * e).astype(np.int64)
    registered = np.where(accounts["arrived"] < 0, np.minimum(early, first - ahead), first - ahead)
    consents = draws.uniform("consent", person, where) < pd.Series(platform).map(CONSENT).to_numpy()
    # Only who agreed is written to: whoever was made to buy by a message had agreed before.
    written_to = (
        pd.Series(customer_ids(person, where)).isin(orders.loc[orders["cause"] == "crm", "customer_id"]).to_numpy()
    )
    consents |= written_to
    at_once |= written_to
    later = (draws.exponential("consent later", person, where) * 30 * 86400).astype(np.int64)
    consent_at = pd.Series(registered + np.where(at_once, 0, later)).where(consents)
    consent_at = consent_at.mask(consent_at >= cal.end)
    out = people.traits(draws, person, accounts["persona"].to_numpy())
    out.insert(0, "customer_id", customer_ids(person, where))
    out.insert(1, "platform", platform)
    out.insert(2, "registered_at", registered.astype("datetime64[s]"))
    out["country"] = "中国"
    out["tier"] = _tiers(out, orders)
    out["channel"] = _acquired(accounts, orders, out["customer_id"])
    out["consent_marketing"] = consent_at.notna()
    out["consent_at"] = consent_at.astype("datetime64[s]")
    return out.sort_values(["registered_at", "customer_id"], ignore_index=True)


def _tiers(rows: pd.DataFrame, orders: pd.DataFrame) -> np.ndarray:
    spent = orders[orders["paid_at"].notna()].groupby("customer_id")["amount"].sum()
    spent = rows["customer_id"].map(spent).fillna(0)
    return np.select([spent >= least for least, _tier in SPENT], [tier for _least, tier in SPENT], default="member")


def _acquired(accounts: pd.DataFrame, orders: pd.DataFrame, customer_id: pd.Series) -> pd.Series:
    """The channel that brought her: what advertising did is known, otherwise the source of her first order."""
    first = orders.drop_duplicates("customer_id").set_index("customer_id")["channel"]
    paid = accounts["cause"].where(accounts["cause"] != "organic").to_numpy()
    return pd.Series(np.where(pd.isna(paid), customer_id.map(first), paid), index=customer_id.index)


def personal(draws: Draws, accounts: pd.DataFrame) -> pd.DataFrame:
    """What identifies people, for the platforms' own exports: one row an account.

    Columns: platform, customer_id, name, phone, email, province, city, district, street, address, device, login. All
    are made of lists and numbers and belong to nobody.
    """
    person, where = accounts["person"].to_numpy(), accounts["platform"].to_numpy()
    persona = accounts["persona"].to_numpy()
    letters = [np.array(list(GIVEN))[draws.integers(f"given {k}", 0, len(GIVEN), person)] for k in (0, 1)]
    two = draws.uniform("two letters", person) < 0.75
    surname = np.array(list(SURNAMES))[draws.integers("surname", 0, len(SURNAMES), person)]
    city = people.city_of(draws, person, persona)
    street = np.array(STREETS, dtype=object)[draws.integers("street", 0, len(STREETS), person)]
    number = draws.integers("house", 1, 400, person).astype(str)
    room = draws.integers("room", 101, 2900, person).astype(str)
    digits = phones(draws, person)
    out = pd.DataFrame(
        {
            "platform": np.array(PLATFORMS, dtype=object)[where],
            "customer_id": customer_ids(person, where),
            "name": pd.Series(surname) + letters[0] + np.where(two, letters[1], ""),
            "phone": digits,
            "email": "u" + pd.Series(digits).str[-9:] + "@example.com",
            "province": city["region"],
            "city": city["city"],
            "district": "城"
            + pd.Series(np.array(list("东西南北中"), dtype=object)[draws.integers("district", 0, 5, person)])
            + "区",
            "street": pd.Series(street) + number + "号" + room + "室",
            "device": people.devices(draws, person, where),
        }
    )
    out["address"] = out["province"] + out["city"] + out["district"] + out["street"]
    return out


def phones(draws: Draws, person: np.ndarray) -> np.ndarray:
    """A telephone number for each person; a few give one that some forty others give too."""
    shared = draws.uniform("shared phone", person) < SHARED_PHONE
    own = (person * 48_271 + 9_876_543) % 9_000_000_000
    desk = (draws.integers("whose phone", 0, 12, person) * 104_729 + 31_337) % 9_000_000_000
    return pd.Series(np.where(shared, desk, own) + 13_000_000_000).astype(str).to_numpy(object)
