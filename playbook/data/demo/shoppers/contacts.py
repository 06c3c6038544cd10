"""Names, telephone numbers and addresses: what no table may carry, and how much of it each platform hands on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import people
from ..world.draw import Draws
from ..world.people import PLATFORMS
from .orders import customer_ids

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

SHARED = 0.012
"""Of the people give a telephone that many share: an office, a parcel shop, a school."""
AT_ONE_DESK = 40
"""People who share one of these."""

SHOWN = {"tmall": 0.50, "jd": 0.45, "douyin": 0.0, "own_site": 0.94}
"""Part of the accounts whose telephone number the shop gets to see. On Tmall and JD those who joined the shop's club
and let the platform hand it on; of all others the platform lends a number for the parcel, or masks it. 抖店 gives
ciphers. On the own site nearly everybody gives one for the parcel."""
MAILED = {"tmall": 0.25, "jd": 0.0, "douyin": 0.0, "own_site": 0.55}
"""The same of e-mail: on Tmall it is the Alipay account, which for most is a telephone number and masked."""


def personal(draws: Draws, accounts: pd.DataFrame) -> pd.DataFrame:
    """What identifies people, for the platforms' own exports: one row an account (person, platform, persona).

    Columns: platform, customer_id, name, phone, email, province, city, district, street, address, device. All are made
    of lists and numbers and belong to nobody. What the platform hides stands as it shows it (see `SHOWN`).
    """
    person, where = accounts["person"].to_numpy(), accounts["platform"].to_numpy()
    platform = pd.Series(np.array(PLATFORMS, dtype=object)[where])
    name, phone = names(draws, person), pd.Series(phones(draws, person))
    email = "u" + pd.Series(_own_number(person)).astype(str) + "@example.com"
    sees = draws.uniform("shows phone", person, where) < platform.map(SHOWN).to_numpy()
    mails = draws.uniform("shows e-mail", person, where) < platform.map(MAILED).to_numpy()
    named = sees | (platform == "own_site").to_numpy()
    city = people.city_of(draws, person, accounts["persona"].to_numpy())
    out = pd.DataFrame(
        {
            "platform": platform,
            "customer_id": customer_ids(person, where),
            "name": name.where(named, name.str[0] + "**"),
            "phone": phone.where(sees, _hidden(draws, phone, platform)),
            "email": email.where(mails, np.where(platform == "tmall", email.str[:3] + "***", "")),
            "province": city["region"],
            "city": city["city"],
            "device": people.devices(draws, person, where),
        }
    )
    return pd.concat([out, doors(pd.Series(draws.bits("address", person).astype(str)))], axis=1)


def names(draws: Draws, person: np.ndarray) -> pd.Series:
    """A name for each person: a surname and one letter or two."""
    letters = [np.array(list(GIVEN))[draws.integers(f"given {k}", 0, len(GIVEN), person)] for k in (0, 1)]
    two = draws.uniform("two letters", person) < 0.75
    surname = np.array(list(SURNAMES))[draws.integers("surname", 0, len(SURNAMES), person)]
    return pd.Series(surname) + letters[0] + np.where(two, letters[1], "")


def phones(draws: Draws, person: np.ndarray) -> np.ndarray:
    """A telephone number for each person; a few give one that some forty others give too."""
    shared = draws.uniform("shared phone", person) < SHARED
    desks = max(1, len(np.unique(person[shared])) // AT_ONE_DESK)
    desk = (draws.integers("whose phone", 0, desks, person) * 104_729 + 31_337) % 7_000_000_000
    number = np.where(shared, desk + 13_000_000_000, _own_number(person))
    return pd.Series(number).astype(str).to_numpy(object)


def _own_number(person: np.ndarray) -> np.ndarray:
    """A mobile number of each person's own; no two are alike."""
    return (person * 48_271 + 2_876_543) % 7_000_000_000 + 13_000_000_000


def _hidden(draws: Draws, phone: pd.Series, platform: pd.Series) -> pd.Series:
    """What stands in place of a number: on Tmall one that is lent, with an extension; elsewhere stars, or nothing."""
    masked = phone.str[:3] + "****" + phone.str[-4:]
    lent = "184" + phone.str[-2:] + "002211" + "-" + phone.str[-4:]
    return masked.mask(platform == "tmall", lent).mask(platform == "own_site", "")


def doors(tokens: pd.Series) -> pd.DataFrame:
    """The address behind each token, below its city: district, street, address (building and room)."""
    known = pd.Series(tokens.unique())
    number = pd.util.hash_array(known.to_numpy(object))
    part = [pd.Series((number >> np.uint64(shift)) % np.uint64(size)) for shift, size in _DIGITS]
    made = pd.DataFrame(
        {
            "district": "城" + part[0].map(dict(enumerate("东西南北中"))) + "区",
            "street": part[1].map(dict(enumerate(STREETS))) + (part[2] + 1).astype(str) + "号",
            "address": (part[3] + 1).astype(str) + "栋" + (part[4] + 101).astype(str) + "室",
        }
    )
    return made.set_index(known).loc[tokens].reset_index(drop=True)


_DIGITS = ((2, 5), (8, len(STREETS)), (16, 1999), (30, 60), (40, 3100))
