"""Accounts: each person as each platform knows her. (What no table may carry: see `contacts`.)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..world import World, people
from ..world.people import PLATFORMS
from .demand import Demand
from .orders import customer_ids

CONSENT = {"tmall": 0.55, "jd": 0.50, "douyin": 0.48, "own_site": 0.74}
SPENT = [(300_000, "gold"), (80_000, "silver"), (0, "member")]  # fen, all paid orders on the platform


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
